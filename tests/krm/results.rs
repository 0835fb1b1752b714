//! Results and standard error: errors first, each with its object, field, file and code, shown once by whoever calls.

use serde_json::json;

use crate::given::{CONFIG, HEAD, call, items, kpt_items, part};
use crate::program::Folder;

/// Two templates of one name: an error at the second. The endpoint is missing: a warning.
fn broken(annotations: &str) -> String {
    let twin = "- apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\n  kind: VSphereMachineTemplate\n  metadata:\n    name: demo-cp\n    \
                namespace: lab\n    annotations: {ANNOTATIONS}\n  spec: {}\n";
    let mine = annotations.replace('%', "9");
    format!(
        "{HEAD}{}{}{CONFIG}",
        items(annotations),
        twin.replace("ANNOTATIONS", &mine)
    )
}

const PATHS: &str = "config.kubernetes.io/path: a/b.yaml, config.kubernetes.io/index: '%', config.k8s.io/id: '%'";

#[test]
fn a_result_says_everything_on_one_line() {
    let ran = call(&broken(PATHS));
    assert_eq!(ran.code, 1);
    let results = part(&ran.stdout, "results");
    let first = &results[0];
    assert_eq!(first["severity"], "error");
    assert_eq!(first["tags"], json!({"code": "CI202", "name": "template-ambiguous"}));
    assert_eq!(
        first["resourceRef"],
        json!({
            "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": "VSphereMachineTemplate", "name": "demo-cp", "namespace": "lab",
        })
    );
    assert_eq!(
        first["field"],
        json!({"path": "metadata.name", "currentValue": "demo-cp"})
    );
    assert_eq!(first["file"], json!({"path": "a/b.yaml", "index": 2}));
    let message = first["message"].as_str().unwrap();
    assert!(
        message.starts_with("CI202: ") && message.contains("(a/b.yaml, document 3, line 4)"),
        "{message}"
    );
    assert!(!message.contains('\n'));
}

#[test]
fn errors_come_first() {
    let ran = call(&broken(PATHS).replace("pools:\n", "accept: [{code: CI404, reason: known}]\n    pools:\n"));
    let results = part(&ran.stdout, "results");
    let severities: Vec<&str> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["severity"].as_str().unwrap())
        .collect();
    assert_eq!(severities, ["error", "warning"]);
}

#[test]
fn each_caller_sees_every_finding_once() {
    let kpt = call(&broken(PATHS));
    assert_eq!(kpt.stderr, "capv-ipam: 1 error; the items were not changed\n");
    let good = call(&format!("{HEAD}{}{CONFIG}", kpt_items()));
    assert_eq!(
        (good.code, good.stderr.as_str()),
        (0, ""),
        "kpt prints the results itself"
    );
    for other in [
        "kustomize.config.k8s.io/id: x, config.k8s.io/id: '%'",
        "config.kubernetes.io/path: a%.yaml",
        "",
    ] {
        let ran = call(&broken(other));
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(
            ran.stderr.starts_with(
                "capv-ipam: error: infrastructure.cluster.x-k8s.io/v1beta1/VSphereMachineTemplate/lab/demo-cp metadata.name: CI202: "
            ),
            "{}",
            ran.stderr
        );
    }
    let container = Folder::new();
    let mut command = container.command(&[]);
    command.env("LOG_TO_STDERR", "true");
    let ran = crate::program::feed(command, broken(PATHS).as_bytes());
    assert!(ran.stderr.contains("error: infrastructure"), "{}", ran.stderr);
}

#[test]
fn a_flag_forces_either() {
    let said = |what: &str, text: &str| Folder::new().pipe(&["fn", "--stderr", what], text).stderr;
    assert!(said("findings", &broken(PATHS)).contains("CI202"));
    assert_eq!(
        said("summary", &broken("")),
        "capv-ipam: 1 error; the items were not changed\n"
    );
    assert_eq!(said("summary", "nothing").lines().count(), 1);
}

#[test]
fn what_it_says_about_itself_needs_no_input() {
    for arguments in [
        &["--doc"][..],
        &["fn", "--doc"],
        &["--schema"],
        &["fn", "--schema"],
        &["--version"],
        &["fn", "--help"],
    ] {
        let ran = Folder::new().run(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
        if arguments.contains(&"--doc") || arguments.contains(&"--schema") {
            let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
            let name = if arguments.contains(&"--doc") {
                &value["short"]
            } else {
                &value["spec"]["names"]["kind"]
            };
            assert!(name.is_string(), "{value:#}");
        }
    }
    for arguments in [["--doc", "--help"], ["--help", "--doc"]] {
        let ran = Folder::new().run(&arguments);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("Usage: "), "{arguments:?}: help wins");
    }
}
