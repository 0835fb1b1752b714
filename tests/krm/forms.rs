//! Every form that a ResourceList may have: versions, JSON, line ends, markers, results of functions before, and what `verb` makes of the call.

use serde_json::{Value, json};

use crate::given::{CONFIG, HEAD, call, is_addressed, item, items, kpt_items, of_items, part, value};
use crate::program::Folder;

fn whole() -> String {
    format!("{HEAD}{}{CONFIG}", kpt_items())
}

#[test]
fn every_version_and_kind_is_echoed() {
    for version in [
        "config.kubernetes.io/v1",
        "config.kubernetes.io/v1beta1",
        "config.kubernetes.io/v1alpha1",
        "config.kubernetes.io/v2",
    ] {
        for kind in ["ResourceList", "List"] {
            let text = whole().replace(
                "config.kubernetes.io/v1\nkind: ResourceList",
                &format!("{version}\nkind: {kind}"),
            );
            let ran = Folder::new().pipe(&["fn"], &text);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            assert!(
                ran.stdout
                    .starts_with(&format!("apiVersion: {version}\nkind: {kind}\nitems:\n"))
            );
            is_addressed(&ran.stdout);
        }
    }
}

#[test]
fn line_ends_marks_and_markers_stay() {
    let plain = call(&whole()).stdout;
    let crlf = call(&whole().replace('\n', "\r\n"));
    assert_eq!(crlf.stdout, plain.replace('\n', "\r\n"));
    let marked = call(&format!("\u{feff}{}", whole()));
    assert_eq!(marked.stdout, format!("\u{feff}{plain}"));
    let begun = call(&format!("---\n{}", whole()));
    assert_eq!(begun.stdout, format!("---\n{plain}"));
    let ended = call(&format!("{}...\n", whole()));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.ends_with("...\n"));
    assert_eq!(value(ended.stdout.trim_end_matches("...\n")), value(&plain));
}

#[test]
fn items_may_be_indented_and_stand_behind_the_configuration() {
    let deeper: String = kpt_items().lines().map(|line| format!("  {line}\n")).collect();
    let ran = call(&format!("{HEAD}{deeper}{CONFIG}"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    is_addressed(&ran.stdout);
    let first = format!(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n{CONFIG}items:\n{}",
        kpt_items()
    );
    let ran = call(&first);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    is_addressed(&ran.stdout);
    // The last value has no line end, and one more would change it.
    let ran = call(first.trim_end());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let other = item(&ran.stdout, "ConfigMap", "other").unwrap();
    assert_eq!(other["data"]["text"], "untouched # here", "{}", ran.stdout);
    assert_eq!(part(&ran.stdout, "results").as_array().unwrap().len(), 1);
}

#[test]
fn json_stays_json() {
    let list = value(&whole());
    for text in [list.to_string(), format!("{list:#}"), format!("{list:#}\n")] {
        let ran = call(&text);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert!(answer["results"].as_array().is_some_and(|results| !results.is_empty()));
        is_addressed(&ran.stdout);
        let without = text
            .replace(",\"functionConfig\"", ",\"x\"")
            .replace("\"functionConfig\"", "\"x\"");
        assert_eq!(call(&without).stdout, without);
    }
}

#[test]
fn results_of_functions_before_stay() {
    let before = "results:\n- message: from before # kept\n  severity: info\n";
    for text in [
        format!("{}{before}", whole()),
        whole().replace("items:\n", &format!("{before}items:\n")),
    ] {
        let ran = call(&text);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(
            ran.stdout
                .contains("- message: from before # kept\n  severity: info\n- message: "),
            "{}",
            ran.stdout
        );
        is_addressed(&ran.stdout);
    }
    let none = format!("{}results: []\n", whole());
    assert_eq!(part(&call(&none).stdout, "results").as_array().unwrap().len(), 1);
    let null = format!("{}results:\n", whole());
    assert_eq!(part(&call(&null).stdout, "results").as_array().unwrap().len(), 1);
}

#[test]
fn anchors_that_cross_items_are_read_as_a_whole() {
    let shared = "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n  data: &d {x: \"1\"}\n- apiVersion: v1\n  \
                  kind: ConfigMap\n  metadata: {name: b}\n  data: *d\n";
    let text = format!("{HEAD}{shared}{}{CONFIG}", items(""));
    let ran = call(&text);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(shared));
    is_addressed(&ran.stdout);
}

#[test]
fn twice_is_once() {
    let once = call(&whole()).stdout;
    let results = once.find("\nresults:\n").unwrap() + 1;
    let again = call(&once[..results]);
    assert_eq!(again.stdout, once);
    let piped = call(&once);
    assert_eq!(of_items(&piped.stdout, &[]), of_items(&once, &[]));
}

#[test]
fn the_pool_gets_a_file_of_its_own_beside_the_template() {
    let ran = call(&whole());
    let pool = item(&ran.stdout, "IPPool", "demo-control-plane-pool").unwrap();
    let file = "clusters/ippool_demo-control-plane-pool.yaml";
    assert_eq!(
        pool["metadata"]["annotations"],
        json!({
            "internal.config.kubernetes.io/path": file, "internal.config.kubernetes.io/index": "0",
            "config.kubernetes.io/path": file, "config.kubernetes.io/index": "0",
        })
    );
    let kinds = of_items(&ran.stdout, &["kind"]);
    let at = kinds.iter().position(|kind| kind == "IPPool").unwrap();
    assert_eq!(kinds[at + 1], "VSphereMachineTemplate");
    // A file of that name is there already: the pool is appended to it.
    let taken = format!(
        "{HEAD}{}- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: x\n    annotations: {{config.kubernetes.io/path: '{file}', \
         config.kubernetes.io/index: '3'}}\n{CONFIG}",
        kpt_items()
    );
    let ran = call(&taken);
    let pool = item(&ran.stdout, "IPPool", "demo-control-plane-pool").unwrap();
    assert_eq!(pool["metadata"]["annotations"]["config.kubernetes.io/index"], "4");
    // Without files there is nothing to say.
    let ran = call(&format!("{HEAD}{}{CONFIG}", items("")));
    let pool = item(&ran.stdout, "IPPool", "demo-control-plane-pool").unwrap();
    assert!(pool["metadata"].get("annotations").is_none(), "{pool}");
}

#[test]
fn a_copy_of_a_template_inherits_no_identity() {
    let text = whole().replace("    pools:\n", "    renameTemplates: true\n    pools:\n");
    let ran = call(&text);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let kinds = of_items(&ran.stdout, &["kind"]);
    let names = of_items(&ran.stdout, &["metadata", "name"]);
    let annotations = of_items(&ran.stdout, &["metadata", "annotations"]);
    let place = (0..kinds.len())
        .find(|at| kinds[*at] == "VSphereMachineTemplate" && names[*at] != "demo-cp")
        .unwrap();
    let own = annotations[place].as_object().unwrap();
    assert!(own.keys().all(|key| !key.ends_with("/id")), "{own:?}");
    let path = own["config.kubernetes.io/path"].as_str().unwrap();
    assert_eq!(
        path,
        format!(
            "clusters/vspheremachinetemplate_{}.yaml",
            names[place].as_str().unwrap()
        )
    );
}

#[test]
fn local_items_are_not_part_of_the_cluster() {
    let local = "- apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\n  kind: VSphereMachineTemplate\n  metadata:\n    \
                 name: demo-cp\n    namespace: lab\n    annotations: {config.kubernetes.io/local-config: \"true\"}\n  spec: {}\n";
    let ran = call(&format!("{HEAD}{local}{}{CONFIG}", items("")));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(local));
}

fn with_verb(verb: &str) -> String {
    whole().replace("    pools:\n", &format!("    verb: {verb}\n    pools:\n"))
}

#[test]
fn as_a_validator_it_changes_nothing() {
    let text = with_verb("check");
    let ran = call(&text);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with(&text));
    assert_eq!(part(&ran.stdout, "results")[0]["tags"]["code"], "CI214");
    let bad = text.replace("192.0.2.10-192.0.2.14", "192.0.2.1-192.0.2.14");
    let ran = call(&bad);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.starts_with(&bad));
}

#[test]
fn the_plan_becomes_an_item_that_never_reaches_a_cluster() {
    let ran = call(&with_verb("plan"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let plan = item(&ran.stdout, "ConfigMap", "demo-address-plan").unwrap();
    assert_eq!(
        plan["metadata"]["annotations"]["config.kubernetes.io/local-config"],
        "true"
    );
    assert_eq!(
        plan["metadata"]["annotations"]["config.kubernetes.io/path"],
        "clusters/demo-address-plan.yaml"
    );
    let text = plan["data"]["plan.yaml"].as_str().unwrap();
    assert!(text.contains("address: 192.0.2.10\n"), "{text}");
    assert!(
        ran.stdout
            .contains("    plan.yaml: |\n      apiVersion: capv-ipam.dev/v1alpha1\n"),
        "{}",
        ran.stdout
    );
    let template = item(&ran.stdout, "VSphereMachineTemplate", "demo-cp").unwrap();
    assert!(template["metadata"].get("labels").is_none(), "only the plan is added");
    // The next run finds it there.
    let results = ran.stdout.find("\nresults:\n").unwrap() + 1;
    let again = call(&ran.stdout[..results]);
    assert_eq!(again.stdout, ran.stdout);
    let changed = call(&ran.stdout[..results].replace("192.0.2.10-192.0.2.14", "192.0.2.20-192.0.2.24"));
    let plan = item(&changed.stdout, "ConfigMap", "demo-address-plan").unwrap();
    assert!(
        plan["data"]["plan.yaml"]
            .as_str()
            .unwrap()
            .contains("address: 192.0.2.20\n")
    );
    assert_eq!(
        of_items(&changed.stdout, &["kind"]).len(),
        of_items(&ran.stdout, &["kind"]).len()
    );
    assert!(
        changed.stdout.contains("    plan.yaml: |\n      apiVersion"),
        "{}",
        changed.stdout
    );
}

#[test]
fn a_generator_writes_the_pools_alone() {
    let config = "  apiVersion: capv-ipam.dev/v1alpha1\n  kind: StaticAddressing\n  metadata:\n    name: gen\n    namespace: lab\n  spec:\n    \
                  verb: pools\n    cluster: demo\n    pools:\n    - name: alone\n      machines: [control-plane]\n      \
                  addresses: [192.0.2.10-192.0.2.14]\n      prefix: 24\n      gateway: 192.0.2.1\n";
    let itself = format!("- {}", config.trim_start());
    for items in [format!("items:\n{itself}"), "items: []\n".to_owned()] {
        let text = format!("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n{items}functionConfig:\n{config}");
        let ran = call(&text);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let pool = item(&ran.stdout, "IPPool", "alone").unwrap();
        assert_eq!(pool["metadata"]["namespace"], "lab");
        assert_eq!(pool["spec"]["clusterName"], "demo");
        assert_eq!(call(&ran.stdout).stdout, ran.stdout, "the next run finds it there");
        let wider = ran.stdout.replace("192.0.2.10-192.0.2.14", "192.0.2.10-192.0.2.19");
        let pool = item(&call(&wider).stdout, "IPPool", "alone").unwrap();
        assert_eq!(pool["spec"]["pools"][0]["end"], "192.0.2.19");
    }
}

/// A ConfigMap has a setting for every flag that fills the configuration, and `verb`.
#[test]
fn settings_and_flags_have_the_same_names() {
    let folder = Folder::new();
    let help = folder.run(&["transform", "--help"]).stdout;
    let mut flags: Vec<&str> = Vec::new();
    let mut ours = false;
    for line in help.lines() {
        if line.ends_with(':') && !line.starts_with(' ') {
            ours = ["Configuration", "Pool", "Load balancer"]
                .iter()
                .any(|heading| line.starts_with(heading));
        }
        let flag = line.trim_start().strip_prefix("--").filter(|_| ours);
        flags.extend(flag.and_then(|flag| flag.split([' ', '\n']).next()));
    }
    flags.retain(|flag| *flag != "config");
    flags.extend(["verb", "format"]);
    flags.sort_unstable();
    let unknown = format!(
        "{HEAD}{}functionConfig: {{apiVersion: v1, kind: ConfigMap, data: {{nothing: x}}}}\n",
        items("")
    );
    let message = part(&call(&unknown).stdout, "results")[0]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut settings: Vec<&str> = message.split("allowed here: ").nth(1).unwrap().split(", ").collect();
    settings.sort_unstable();
    assert_eq!(settings, flags);
}

#[test]
fn member_lists_become_an_item() {
    let endpoint = "- apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\n  kind: VSphereCluster\n  metadata: {name: demo, namespace: lab}\n  \
                    spec:\n    controlPlaneEndpoint: {host: 192.0.2.9, port: 6443}\n";
    let text = with_verb("backends")
        .replace("      name: demo-cp\n- # the", "      name: demo-cp\n    infrastructureRef:\n      apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\n      kind: VSphereCluster\n      name: demo\n- # the")
        .replace("functionConfig:\n", &format!("{endpoint}functionConfig:\n"))
        .replace("    verb: backends\n", "    verb: backends\n    backends: {outputs: [f5-tmsh, csv]}\n");
    let ran = call(&text);
    assert_eq!(ran.code, 0, "{}{}", ran.stderr, ran.stdout);
    let lists = item(&ran.stdout, "ConfigMap", "demo-backends").unwrap();
    let data = lists["data"].as_object().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["f5-tmsh", "csv"]);
    assert!(data["f5-tmsh"].as_str().unwrap().contains("192.0.2.10"), "{lists}");
    assert_eq!(
        lists["metadata"]["annotations"]["config.kubernetes.io/local-config"],
        "true"
    );
    let template = item(&ran.stdout, "VSphereMachineTemplate", "demo-cp").unwrap();
    assert!(template["metadata"].get("labels").is_none(), "only the lists are added");
    // The same lists as the verb gives.
    let settings = text.replace("    backends: {outputs: [f5-tmsh, csv]}\n", "");
    let table = item(&call(&settings).stdout, "ConfigMap", "demo-backends").unwrap();
    assert!(
        table["data"]["table"].as_str().unwrap().contains("192.0.2.10"),
        "{table}"
    );
    // An endpoint inside the pool is an error, at the endpoint.
    let wrong = call(&text.replace("host: 192.0.2.9", "host: 192.0.2.11"));
    assert_eq!(wrong.code, 1, "{}", wrong.stderr);
    assert_eq!(
        part(&wrong.stdout, "results")[0]["field"]["path"],
        "spec.controlPlaneEndpoint.host"
    );
    // Without an endpoint there is nothing to balance.
    let none = call(&with_verb("backends"));
    assert_eq!(none.code, 1, "{}", none.stdout);
}
