//! Items that hold more than one object, share a value, or end in a comment: what is edited and what kpt then restores.

use crate::given::{CONFIG, HEAD, call, is_addressed, items, kpt_items, of_items, part};

fn list_item() -> String {
    let inner: String = items("").lines().map(|line| format!("    {line}\n")).collect();
    format!("- apiVersion: v1\n  kind: List\n  metadata: {{name: all}}\n  items:\n{inner}")
}

#[test]
fn objects_inside_a_list_item_are_edited() {
    let ran = call(&format!("{HEAD}{}{CONFIG}", list_item()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let list = of_items(&ran.stdout, &["items"])[0].clone();
    let inner = serde_json::json!({"items": list}).to_string();
    is_addressed(&inner);
    let local = list_item().replace(
        "{name: all}",
        "{name: all, annotations: {config.kubernetes.io/local-config: \"true\"}}",
    );
    let ran = call(&format!("{HEAD}{local}{CONFIG}"));
    assert!(ran.stdout.contains(&local), "{}", ran.stdout);
}

#[test]
fn an_anchor_that_two_items_share_is_the_reason_that_is_given() {
    let shared = items("").replace("          devices:\n", "          devices: &nics\n");
    let other = "- apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\n  kind: VSphereMachineTemplate\n  metadata: {name: other}\n  \
                 spec: {template: {spec: {network: {devices: *nics}, template: u}}}\n";
    let ran = call(&format!("{HEAD}{shared}{other}{CONFIG}"));
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let message = part(&ran.stdout, "results")[0]["message"].as_str().unwrap().to_owned();
    assert!(
        !message.contains("not YAML") && message.contains("an alias elsewhere"),
        "{message}"
    );
}

/// A comment behind the last key is that key's foot comment, which kpt puts back there.
#[test]
fn a_foot_comment_stays_with_its_key() {
    let foot = |items: &str| {
        items.replace(
            "            networkName: lab-net\n",
            "            networkName: lab-net\n            # dhcp6: true\n",
        )
    };
    let with_id = call(&format!("{HEAD}{}{CONFIG}", foot(&kpt_items())));
    assert_eq!(with_id.code, 0, "{}", with_id.stderr);
    let kept = "            networkName: lab-net\n            # dhcp6: true\n\n            dhcp6: false\n";
    assert!(with_id.stdout.contains(kept), "{}", with_id.stdout);
    let without = call(&format!("{HEAD}{}{CONFIG}", foot(&items(""))));
    let before = "            networkName: lab-net\n            dhcp6: false\n            # dhcp6: true\n";
    assert!(without.stdout.contains(before), "{}", without.stdout);
}

#[test]
fn a_validator_says_when_the_items_lack_what_is_configured() {
    let check = CONFIG.replace("    pools:\n", "    verb: check\n    pools:\n");
    let codes = |text: &str| -> Vec<String> {
        let results = part(text, "results");
        let codes = results.as_array().into_iter().flatten();
        codes
            .map(|result| result["tags"]["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let bare = call(&format!("{HEAD}{}{check}", items("")));
    assert_eq!(bare.code, 0, "{}", bare.stderr);
    assert!(codes(&bare.stdout).contains(&"CI708".to_owned()), "{}", bare.stdout);
    let done = call(&format!("{HEAD}{}{CONFIG}", items(""))).stdout;
    let end = done.find("functionConfig:").unwrap();
    let judged = call(&format!("{}{check}", &done[..end]));
    assert!(
        !codes(&judged.stdout).contains(&"CI708".to_owned()),
        "{}",
        judged.stdout
    );
}

#[test]
fn a_validator_takes_no_ids_off() {
    let pod = "spec:\n    kubeadmConfigSpec:\n      files:\n      # goes\n      - path: /etc/kubernetes/manifests/kube-vip.yaml\n        content: |\n          apiVersion: v1\n          kind: Pod\n          metadata: {name: kube-vip}\n          spec: {containers: [{name: kube-vip, image: kube-vip}]}\n      - path: /etc/motd\n        content: hi\n    replicas: 3\n";
    let items = kpt_items().replace("spec:\n    replicas: 3\n", pod);
    let config = CONFIG.replace("    pools:\n", "    kubeVip: remove\n    pools:\n");
    let edited = call(&format!("{HEAD}{items}{config}"));
    assert!(edited.stdout.contains("CI706"), "{}", edited.stdout);
    let checked = call(&format!(
        "{HEAD}{items}{}",
        config.replace("    pools:\n", "    verb: check\n    pools:\n")
    ));
    assert!(!checked.stdout.contains("CI706"), "{}", checked.stdout);
}

#[test]
fn under_kustomize_no_invented_file_is_named() {
    let annotations = "internal.config.kubernetes.io/path: 'cluster_demo.yaml', internal.config.kubernetes.io/index: '%', \
                       kustomize.config.k8s.io/id: 'x%'";
    let text = format!("{HEAD}{}{CONFIG}", items(annotations)).replace("192.0.2.10-192.0.2.14", "192.0.2.1-192.0.2.14");
    let ran = call(&text);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(!ran.stderr.contains(".yaml"), "{}", ran.stderr);
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_exactly() {
    let first = |config: &str| {
        let ran = call(&format!("{HEAD}{}functionConfig: {config}\n", items("")));
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        part(&ran.stdout, "results")[0].clone()
    };
    let head = "apiVersion: capv-ipam.dev/v1alpha1, kind: StaticAddressing";
    for key in ["binding", "poolKind", "kubeVip", "verb"] {
        for value in ["null", "{}"] {
            let result = first(&format!("{{{head}, spec: {{{key}: {value}}}}}"));
            let message = result["message"].as_str().unwrap();
            assert!(message.contains("must be a text"), "{message}");
            assert_eq!(result["field"]["path"], format!("spec.{key}"));
        }
    }
    let missing = first(&format!("{{{head}}}"));
    assert!(missing.get("field").is_none(), "{missing}");
    assert!(
        missing["message"].as_str().unwrap().contains("`spec` is missing"),
        "{missing}"
    );
}
