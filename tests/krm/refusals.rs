//! What is no list, a broken list, or a wrong configuration: nothing is lost, and the message says what to do.

use capv_ipam::krm::{End, answer};
use serde_json::Value;

use crate::given::{CONFIG, HEAD, call, is_addressed, items, kpt_items, part, value};
use crate::program::{Folder, feed};

/// Nothing may be printed: a caller takes what it gets for the whole package.
fn unreadable(text: &str, message: &str) {
    for arguments in [&[][..], &["fn"]] {
        let ran = Folder::new().pipe(arguments, text);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{text}");
        assert!(ran.stderr.contains(message), "{message} is not in {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

/// The items go back as they came, with a result that says why.
fn refused(text: &str, code: i32, finding: &str) -> Value {
    let ran = call(text);
    assert_eq!(ran.code, code, "{}", ran.stderr);
    assert!(!ran.stderr.is_empty());
    assert!(ran.stdout.starts_with(text), "{}", ran.stdout);
    let result = part(&ran.stdout, "results")[0].clone();
    assert_eq!(result["severity"], "error");
    assert_eq!(result["tags"]["code"], finding, "{result}");
    result
}

#[test]
fn a_list_that_is_cut_off_anywhere_is_never_half_an_answer() {
    let items = format!("{HEAD}{}", kpt_items());
    let whole = format!("{items}{CONFIG}");
    let mut refused = 0;
    for end in 0..whole.len() {
        let cut = &whole[..end];
        let answer = answer(cut, false);
        let Some(edits) = &answer.edits else {
            refused += 1;
            assert_eq!(answer.end, End::Unusable);
            continue;
        };
        // A cut between two lines can leave a shorter list that nobody can tell from a whole one: it goes back as it came.
        let output = edits.splice(cut);
        assert!(output.starts_with(HEAD), "{output}");
        assert!(
            end > items.len() || answer.end != End::Done || output == cut,
            "{output}"
        );
    }
    assert!(refused > whole.len() / 4, "{refused} of {}", whole.len());
    is_addressed(&call(&whole).stdout);
}

#[test]
fn texts_that_are_no_list() {
    unreadable("", "empty");
    unreadable("\n# nothing\n", "empty");
    unreadable("[]\n", "no mapping");
    unreadable("hello\n", "no mapping");
    unreadable("kind: ResourceList\nitems: []\n", "apiVersion");
    unreadable(
        "apiVersion: config.kubernetes.io/v1\nkind: Deployment\n",
        "a Deployment, not a ResourceList",
    );
    unreadable(&format!("{HEAD}- a: [\n"), "not YAML");
    unreadable(&format!("{HEAD}\t- a: b\n"), "not YAML");
    // A byte order mark where a line begins is one more column for a parser of the whole, and nothing for one of a part.
    unreadable(&format!("{HEAD}- a: b\r\u{feff}- c: d\n"), "(U+FEFF");
    unreadable(
        &format!("{HEAD}{}---\na: b\n", items("")),
        "a second document begins here",
    );
    unreadable(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: null\n",
        "no list",
    );
    unreadable(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n",
        "no list",
    );
    unreadable(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: {}\n",
        "no list",
    );
    unreadable(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: {a: b}\n",
        "no list",
    );
    unreadable(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n",
        "no `items`",
    );
    unreadable(
        &format!("{HEAD}{}results: {{items: []}}\n", items("")),
        "`results` are no list",
    );
    unreadable(
        &format!("{HEAD}{}kind: ResourceList\n", items("")),
        "`kind` occurs twice",
    );
    unreadable(
        "{\"apiVersion\": \"v1\", \"kind\": \"ResourceList\", \"items\": [{\"kind\"",
        "not YAML",
    );
}

#[test]
fn bytes_that_are_no_text() {
    let ran = feed(Folder::new().command(&[]), b"apiVersion: \xff\xfe\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("UTF-8"), "{}", ran.stderr);
}

#[test]
fn items_that_are_no_objects() {
    for (broken, message) in [
        ("- null\n", "item 1: the item is null"),
        ("- ~\n- apiVersion: v1\n  kind: A\n", "item 1: the item is null"),
        ("-\n", "item 1: the item is null"),
        ("- text\n", "no mapping"),
        ("- []\n", "no mapping"),
        ("- apiVersion: v1\n", "no kind"),
        ("- kind: A\n", "no apiVersion"),
        ("- apiVersion: v1\n  kind: null\n", "no kind"),
    ] {
        for config in ["", CONFIG] {
            let result = refused(&format!("{HEAD}{broken}{config}"), 1, "CI703");
            assert!(result["message"].as_str().unwrap().contains(message), "{result}");
        }
        let flow = format!(
            "apiVersion: v1\nkind: ResourceList\nitems: [{}]\n",
            broken.trim_start_matches("- ").trim()
        );
        if !broken.trim().contains('\n') && broken.trim() != "-" {
            assert_ne!(call(&flow).code, 0, "{flow}");
        }
    }
    let third = refused(&format!("{HEAD}{}- null\n{CONFIG}", items("")), 1, "CI703");
    assert!(third["message"].as_str().unwrap().contains("item 5"), "{third}");
}

#[test]
fn a_place_that_is_taken_twice() {
    let both = "config.kubernetes.io/path: a.yaml, config.kubernetes.io/index: '0'";
    let result = refused(&format!("{HEAD}{}{CONFIG}", items(both)), 1, "CI704");
    assert_eq!(result["file"]["path"], "a.yaml");
    let no_index = "config.kubernetes.io/path: new.yaml";
    assert_eq!(
        call(&format!("{HEAD}{}{CONFIG}", items(no_index))).code,
        0,
        "kpt finds a place for each"
    );
    let packages = "config.kubernetes.io/path: Kptfile, config.kubernetes.io/index: '0', \
                    internal.config.kubernetes.io/package-path: /p/%";
    assert_eq!(
        call(&format!("{HEAD}{}{CONFIG}", items(packages))).code,
        0,
        "packages have files of their own"
    );
}

#[test]
fn a_key_that_occurs_twice_is_told_with_its_place() {
    let twice = "- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: x\n    annotations:\n      \
                 config.kubernetes.io/path: 'x.yaml'\n      config.kubernetes.io/index: '0'\n  data:\n    a: 1\n    b: 2\n    a: 3\n";
    let text = format!("{HEAD}{}{twice}", items(""));
    assert_eq!(call(&text).stdout, text, "without a configuration nothing is judged");
    let result = refused(&format!("{text}{CONFIG}"), 1, "CI705");
    let message = result["message"].as_str().unwrap();
    assert!(message.contains("`a` occurs twice"), "{message}");
    assert!(message.contains("(x.yaml, line 8)"), "{message}");
    assert_eq!(result["field"]["path"], "data.a");
}

#[test]
fn configurations_that_are_none() {
    let with = |config: &str| format!("{HEAD}{}functionConfig:\n{config}", items(""));
    let own = "  apiVersion: capv-ipam.dev/v1alpha1\n  kind: StaticAddressing\n  spec:\n";
    let result = refused(&with(&format!("{own}    pool: []\n")), 2, "CI101");
    let message = result["message"].as_str().unwrap();
    assert!(
        message.contains("unknown key `pool`") && message.contains("allowed here: "),
        "{message}"
    );
    assert_eq!(result["resourceRef"]["kind"], "StaticAddressing");
    assert_eq!(result["field"]["path"], "spec.pool");
    refused(
        &with("  apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: x}\n"),
        2,
        "CI701",
    );
    refused(&with("  - a\n"), 2, "CI701");
    refused(&format!("{HEAD}{}functionConfig: text\n", items("")), 2, "CI701");
    refused(
        &with("  apiVersion: capv-ipam.dev/v9\n  kind: StaticAddressing\n  spec: {kubeVip: remove}\n"),
        2,
        "CI101",
    );
    refused(
        &with(&format!("{own}    kubeVip: remove\n    kubeVip: keep\n")),
        2,
        "CI101",
    );
    refused(
        &with(&format!(
            "{own}    verb: pools\n    pools: [{{machines: [all], addresses: [192.0.2.1], prefix: 24}}]\n"
        )),
        2,
        "CI104",
    );
}

#[test]
fn a_config_map_says_what_the_flags_say() {
    let data = |data: &str| {
        format!(
            "{HEAD}{}functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: x}}\n  data: {data}\n",
            kpt_items()
        )
    };
    let good = "{machines: control-plane, addresses: 192.0.2.10-192.0.2.14, prefix: 24, gateway: \"192.0.2.1\"}";
    let ran = call(&data(good));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    is_addressed(&ran.stdout);
    let own = call(&format!("{HEAD}{}{CONFIG}", kpt_items()));
    assert_eq!(value(&ran.stdout)["items"], value(&own.stdout)["items"]);
    let unknown = refused(&data("{namespace: prod, yes: \"no\"}"), 2, "CI701");
    assert!(
        unknown["message"].as_str().unwrap().contains("allowed here: "),
        "{unknown}"
    );
    let wrong = refused(
        &data("{machines: control-plane, addresses: 192.0.2.10, prefix: wide}"),
        2,
        "CI101",
    );
    assert_eq!(wrong["field"]["path"], "data.prefix");
    refused(&data("{addresses: [192.0.2.10]}"), 2, "CI701");
    refused(&data("{cluster: a, cluster: b}"), 2, "CI701");
}

#[test]
fn a_wish_that_selects_nothing_changes_nothing() {
    for items in ["", "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n"] {
        let text = if items.is_empty() {
            format!("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n{CONFIG}")
        } else {
            format!("{HEAD}{items}{CONFIG}")
        };
        let result = refused(&text, 1, "CI102");
        assert_eq!(result["resourceRef"]["name"], "demo", "{result}");
        assert_eq!(result["field"]["path"], "spec.pools[0].machines[0]", "{result}");
    }
}

#[test]
fn an_answer_that_nobody_reads_is_a_failure() {
    use std::io::Read as _;
    use std::process::Stdio;
    let mut big = format!("{HEAD}{}", kpt_items());
    for number in 0..20_000 {
        big.push_str(&format!(
            "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: c{number}}}\n"
        ));
    }
    let folder = Folder::new();
    folder.write("in.yaml", &big);
    let mut child = folder
        .command(&[])
        .stdin(std::fs::File::open(folder.path("in.yaml")).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(2),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_terminal_gets_the_usage() {
    // Without a terminal at hand: an empty input says what is missing.
    let ran = Folder::new().run(&[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("empty"), "{}", ran.stderr);
}

/// Help that nobody got is no success.
#[test]
fn help_that_cannot_be_printed_is_a_failure() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let folder = Folder::new();
    let mut command = folder.command(&["fn", "--help"]);
    let status = command
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
}
