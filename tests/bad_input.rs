//! Everything that can be wrong with inputs, configurations and outputs, through the built program: a clear error with its place, nothing on stdout, no file touched.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods
)]
#![cfg(all(feature = "cli", unix))]

#[path = "support/program.rs"]
mod program;
#[path = "support/skipped.rs"]
mod skipped;

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use program::{Folder, Ran, feed};
use serde_json::Value;

const MANIFEST: &str = "\
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata:
  name: demo
  namespace: default
spec:
  controlPlaneRef:
    apiVersion: controlplane.cluster.x-k8s.io/v1beta1
    kind: KubeadmControlPlane
    name: demo-cp
  infrastructureRef:
    apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
    kind: VSphereCluster
    name: demo
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereCluster
metadata:
  name: demo
  namespace: default
spec:
  controlPlaneEndpoint:
    host: 192.0.2.100
    port: 6443
---
apiVersion: controlplane.cluster.x-k8s.io/v1beta1
kind: KubeadmControlPlane
metadata:
  name: demo-cp
  namespace: default
spec:
  replicas: 3
  machineTemplate:
    infrastructureRef:
      apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
      kind: VSphereMachineTemplate
      name: demo-cp
  kubeadmConfigSpec: {}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereMachineTemplate
metadata:
  name: demo-cp
  namespace: default
spec:
  template:
    spec:
      network:
        devices:
        - networkName: lan
          dhcp4: true
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata:
  name: demo-md
  namespace: default
spec:
  clusterName: demo
  replicas: 2
  template:
    spec:
      clusterName: demo
      infrastructureRef:
        apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
        kind: VSphereMachineTemplate
        name: demo-md
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereMachineTemplate
metadata:
  name: demo-md
  namespace: default
spec:
  template:
    spec:
      network:
        devices:
        - networkName: lan
          dhcp4: true
";

const CONFIG: &str = "\
apiVersion: capv-ipam.dev/v1alpha1
kind: StaticAddressing
metadata:
  name: demo
spec:
  pools:
  - machines: [control-plane]
    addresses: [192.0.2.10-192.0.2.14]
    prefix: 24
    gateway: 192.0.2.1
";

const FILE: [&str; 5] = ["transform", "-f", "input.yaml", "--config", "config.yaml"];

/// A folder with the manifest and the configuration.
fn folder(input: impl AsRef<[u8]>, config: &str) -> Folder {
    let folder = Folder::new();
    folder.write("input.yaml", input).write("config.yaml", config);
    folder
}

/// The manifest with a part replaced, which must occur.
fn with(from: &str, to: &str) -> String {
    assert!(MANIFEST.contains(from), "{from:?} is not in the manifest");
    MANIFEST.replacen(from, to, 1)
}

fn config_with(from: &str, to: &str) -> String {
    assert!(CONFIG.contains(from), "{from:?} is not in the configuration");
    CONFIG.replacen(from, to, 1)
}

/// The line of a text that holds something, from 1.
fn line_of(text: &str, part: &str) -> usize {
    let at = text.find(part).unwrap_or_else(|| panic!("{part:?} is not there"));
    text[..at].matches('\n').count() + 1
}

/// Runs a refusal in every way of writing and checks code and place.
fn refused(input: impl AsRef<[u8]>, config: &str, code: &str, place: &str) -> String {
    let folder = folder(input.as_ref(), config);
    let before = folder.state();
    let mut shown = String::new();
    for mode in [&[][..], &["--diff"], &["-w"]] {
        let ran = folder.run(&[&FILE, mode].concat());
        assert_eq!(ran.code, 2, "{mode:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{mode:?}");
        assert!(
            ran.stderr.contains(&format!("error[{code}")),
            "no {code}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains(place), "no {place}: {}", ran.stderr);
        assert!(
            !ran.stderr.contains("panicked") && !ran.stderr.contains('\u{1b}'),
            "{}",
            ran.stderr
        );
        assert_eq!(folder.state(), before, "{mode:?} changed a file");
        shown = ran.stderr;
    }
    let ran = folder.pipe(&["transform", "--config", "config.yaml"], input.as_ref());
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains(code), "{}", ran.stderr);
    assert_eq!(folder.state(), before, "stdin changed a file");
    shown
}

/// A failure that is about a path and not about a text.
fn failed(ran: &Ran, parts: &[&str]) {
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    for part in parts {
        assert!(ran.stderr.contains(part), "no {part:?}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

/// A place in the manifest.
fn at(line: usize) -> String {
    format!("input.yaml:{line}:")
}

#[test]
fn the_manifest_itself_is_fine() {
    let folder = folder(MANIFEST, CONFIG);
    let ran = folder.run(&FILE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("kind: IPPool"));
    assert!(ran.stderr.contains("CI214"), "{}", ran.stderr);
}

// Text that is no manifest.

#[test]
fn not_yaml() {
    refused("{ not: yaml: at all", CONFIG, "CI001", "input.yaml:1:");
    refused("key: value\n- item\n", CONFIG, "CI001", "input.yaml:2:");
    refused("@@@@", CONFIG, "CI001", "input.yaml:1:");
    refused("a: 'open\n", CONFIG, "CI001", "input.yaml:1:");
}

#[test]
fn not_yaml_without_a_configuration_is_an_error_too() {
    let folder = folder("a: 'open\n", CONFIG);
    let ran = folder.run(&["transform", "-f", "input.yaml"]);
    failed(&ran, &["CI001", "input.yaml:1:"]);
}

#[test]
fn cut_off_in_the_middle() {
    for part in [
        "name: \"demo",
        "spec: {",
        "a: [x,",
        "a: 'x",
        "--- {a: \"b\n",
        "a: &",
        "\"key",
    ] {
        let text = format!("{MANIFEST}---\napiVersion: v1\nkind: Secret\n{part}");
        let line = line_of(&text, "kind: Secret");
        let shown = refused(&text, CONFIG, "CI001", "input.yaml:");
        let near = (line..line + 4).any(|line| shown.contains(&at(line)));
        assert!(near, "{part:?}: {shown}");
    }
}

#[test]
fn cut_off_inside_a_document_that_matters() {
    let whole = MANIFEST.find("networkName: lan").unwrap();
    let text = format!("{}networkName: \"la", &MANIFEST[..whole]);
    refused(&text, CONFIG, "CI001", &at(line_of(&text, "networkName: \"la")));
}

#[test]
fn cut_off_at_the_end_of_a_line_is_seen_by_what_is_missing() {
    // Up to here it is YAML, but the template has no NICs any more, and the worker's template is not there.
    let whole = MANIFEST.find("      network:").unwrap();
    refused(&MANIFEST[..whole], CONFIG, "CI204", "input.yaml:");
}

#[test]
fn tabs() {
    let text = with("  name: demo-cp\n", "\tname: demo-cp\n");
    let shown = refused(&text, CONFIG, "CI001", &at(line_of(&text, "\tname")));
    assert!(shown.contains("tab"), "{shown}");
}

#[test]
fn duplicate_keys_on_the_way_to_an_edit() {
    let text = with(
        "          dhcp4: true\n",
        "          dhcp4: true\n          dhcp4: true\n",
    );
    let line = line_of(&text, "dhcp4: true\n          dhcp4");
    refused(&text, CONFIG, "CI209", &at(line + 1));
    let text = with(
        "kind: VSphereMachineTemplate\nmetadata:\n",
        "kind: VSphereMachineTemplate\nmetadata: {}\nmetadata:\n",
    );
    let shown = refused(&text, CONFIG, "CI20", "input.yaml:");
    assert!(
        shown.contains("twice") || shown.contains("not in the manifest"),
        "{shown}"
    );
}

#[test]
fn anchors_shared_with_another_template() {
    let text = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}",
        MANIFEST
            .split("---\n")
            .map(|document| format!("- {}\n", document.trim_end().replace('\n', "\n  ")))
            .collect::<String>()
    );
    let list = "          devices:\n          - networkName: lan\n            dhcp4: true\n";
    assert_eq!(text.matches(list).count(), 2);
    let shared = text.replacen("          devices:\n", "          devices: &nics\n", 1);
    let shared = shared.replace(list, "          devices: *nics\n");
    let line = line_of(&shared, "&nics");
    let shown = refused(&shared, CONFIG, "CI209", &at(line));
    assert!(shown.contains("alias"), "{shown}");
}

#[test]
fn helm_markers() {
    let text = with(
        "  replicas: 3\n",
        "  {{- if .Values.ha }}\n  replicas: 3\n  {{- end }}\n",
    );
    let shown = refused(&text, CONFIG, "CI001", "input.yaml:");
    assert!(shown.contains("helm template"), "{shown}");
    let text = with("          dhcp4: true\n", "          dhcp4: {{ .Values.dhcp }}\n");
    let shown = refused(&text, CONFIG, "CI", "input.yaml:");
    assert!(shown.contains("template"), "{shown}");
}

#[test]
fn go_template_markers_as_a_value_in_the_edited_document() {
    let text = with(
        "          dhcp4: true\n",
        "          dhcp4: true\n          mtu: {{ .mtu }}\n",
    );
    refused(&text, CONFIG, "CI210", &at(line_of(&text, "mtu")));
}

#[test]
fn ytt_markers() {
    let text = with(
        "  name: demo-cp\n  namespace: default\nspec:\n  template",
        "  name: #@ data.values.name\nspec:\n  template",
    );
    refused(&text, CONFIG, "CI210", "input.yaml:");
    let text = format!(
        "#@ load(\"@ytt:data\", \"data\")\n---\n{}",
        with("      network:\n", "      #@ if True:\n      network:\n")
    );
    refused(&text, CONFIG, "CI210", "input.yaml:");
}

#[test]
fn terraform() {
    let text = "resource \"kubernetes_manifest\" \"cp\" {\n  manifest = yamldecode(<<EOF\n    kind: VSphereMachineTemplate\nEOF\n  )\n}\n";
    let shown = refused(text, CONFIG, "CI001", "input.yaml:");
    assert!(shown.contains("Terraform"), "{shown}");
}

#[test]
fn binary() {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0".to_vec();
    bytes.extend((0..=255).cycle().take(5000).map(|byte: u32| byte as u8));
    let shown = refused(&bytes, CONFIG, "CI002", "input.yaml");
    assert!(shown.contains("binary"), "{shown}");
    refused(b"\x1f\x8b\x08\0\0\0\0\0", CONFIG, "CI002", "input.yaml");
}

#[test]
fn nul_bytes() {
    refused("a: x\0y\n", CONFIG, "CI001", "input.yaml:1:");
}

#[test]
fn invalid_utf_8() {
    let mut bytes = MANIFEST.as_bytes().to_vec();
    let place = MANIFEST.find("networkName: lan").unwrap() + 13;
    bytes[place] = 0xff;
    let line = line_of(MANIFEST, "networkName: lan");
    let shown = refused(&bytes, CONFIG, "CI002", "input.yaml");
    assert!(shown.contains(&format!("line {line}")), "{shown}");
    let shown = refused(b"a: caf\xe9\n", CONFIG, "CI002", "input.yaml");
    assert!(shown.contains("line 1"), "{shown}");
}

#[test]
fn utf_16() {
    let bytes: Vec<u8> = MANIFEST.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut marked = vec![0xff, 0xfe];
    marked.extend(bytes);
    refused(&marked, CONFIG, "CI002", "input.yaml");
}

#[test]
fn invalid_utf_8_in_the_configuration() {
    let folder = folder(MANIFEST, CONFIG);
    folder.write("config.yaml", b"a: \xff\n");
    failed(&folder.run(&FILE), &["CI002", "config.yaml"]);
}

#[test]
fn two_hundred_thousand_nested_brackets() {
    refused("[".repeat(200_000), CONFIG, "CI001", "input.yaml:1:");
    let text = format!("{MANIFEST}---\na: {}", "{x: ".repeat(200_000));
    refused(&text, CONFIG, "CI001", "input.yaml:");
}

fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let alias = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", ")));
    }
    text
}

#[test]
fn alias_bombs() {
    let text = with(
        "apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereMachineTemplate\nmetadata:\n  name: demo-cp\n",
        &format!(
            "{}apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereMachineTemplate\nmetadata:\n  name: demo-cp\n  labels: *a9\n",
            bomb()
        ),
    );
    refused(&text, CONFIG, "CI209", "input.yaml:");
    let config = format!("{}{}", bomb(), config_with("[192.0.2.10-192.0.2.14]", "*a9"));
    refused(MANIFEST, &config, "CI101", "config.yaml:");
}

#[test]
fn a_resource_list() {
    for text in [
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n",
        "{\"apiVersion\": \"config.kubernetes.io/v1\", \"kind\": \"ResourceList\", \"items\": []}",
    ] {
        refused(text, CONFIG, "CI004", "input.yaml:");
        let ran = Folder::new().pipe(&["transform"], text);
        failed(&ran, &["CI004"]);
    }
}

#[test]
fn a_resource_list_with_items_and_others_behind() {
    let text = format!(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\n  \
         kind: VSphereMachineTemplate\n  metadata: {{name: x}}\n---\n{MANIFEST}"
    );
    refused(&text, CONFIG, "CI004", "input.yaml:2:");
}

// Templates and groups.

#[test]
fn a_template_that_nobody_refers_to_is_told() {
    let text = with("        name: demo-md\n", "        name: elsewhere\n");
    let folder = folder(&text, CONFIG);
    let ran = folder.run(&FILE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("info[CI216]"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&at(line_of(
        &text,
        "kind: VSphereMachineTemplate\nmetadata:\n  name: demo-md"
    ) + 2)));
}

#[test]
fn a_template_of_two_groups_of_different_choice() {
    let text = with("        name: demo-md\n", "        name: demo-cp\n");
    let line = line_of(&text, "kind: VSphereMachineTemplate\nmetadata:\n  name: demo-cp") + 2;
    refused(&text, CONFIG, "CI203", &at(line));
}

#[test]
fn a_missing_template() {
    let text = with("      name: demo-cp\n", "      name: lost\n");
    refused(&text, CONFIG, "CI201", &at(line_of(&text, "name: lost")));
}

#[test]
fn two_templates_with_one_name() {
    let text = with(
        "kind: VSphereMachineTemplate\nmetadata:\n  name: demo-md\n",
        "kind: VSphereMachineTemplate\nmetadata:\n  name: demo-cp\n",
    );
    refused(&text, CONFIG, "CI202", "input.yaml:");
}

#[test]
fn a_template_without_nics() {
    let text = with(
        "        devices:\n        - networkName: lan\n          dhcp4: true\n",
        "        devices: []\n",
    );
    refused(&text, CONFIG, "CI204", "input.yaml:");
}

#[test]
fn several_nics_and_no_network() {
    let text = with(
        "          dhcp4: true\n",
        "          dhcp4: true\n        - networkName: san\n          dhcp4: true\n",
    );
    let shown = refused(&text, CONFIG, "CI205", "input.yaml:");
    assert!(shown.contains("lan, san"), "{shown}");
}

#[test]
fn an_empty_selection_and_an_empty_input() {
    let shown = refused(
        MANIFEST,
        &config_with("control-plane", "TalosControlPlane/x"),
        "CI102",
        "config.yaml:7:",
    );
    assert!(shown.contains("KubeadmControlPlane/demo-cp"), "{shown}");
    for text in ["", "\n", "# nothing\n", "---\n", "kind: Secret\napiVersion: v1\n"] {
        refused(text, CONFIG, "CI102", "config.yaml:7:");
    }
}

#[test]
fn an_empty_input_without_configuration_is_empty() {
    let ran = Folder::new().pipe(&["transform"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
}

// Addresses.

/// Refusal of a list of addresses, with the place of the list or its item.
fn addresses(list: &str, code: &str) -> String {
    refused(
        MANIFEST,
        &config_with("[192.0.2.10-192.0.2.14]", list),
        code,
        "config.yaml:8:",
    )
}

#[test]
fn addresses_outside_the_prefix() {
    addresses("[198.51.100.10-198.51.100.14]", "CI301");
    addresses("[192.0.2.250-192.0.3.5]", "CI301");
}

#[test]
fn addresses_that_hold_the_gateway() {
    addresses("[192.0.2.1-192.0.2.14]", "CI302");
}

#[test]
fn addresses_that_hold_the_endpoint() {
    let shown = addresses("[192.0.2.90-192.0.2.110]", "CI303");
    assert!(shown.contains(&at(line_of(MANIFEST, "host: 192.0.2.100"))), "{shown}");
}

#[test]
fn addresses_that_hold_the_network_or_broadcast_address() {
    refused(
        MANIFEST,
        &config_with("192.0.2.10-192.0.2.14", "192.0.2.128-192.0.2.140")
            .replace("prefix: 24", "prefix: 25")
            .replace("192.0.2.1\n", "192.0.2.129\n"),
        "CI302",
        "config.yaml:8:",
    );
    addresses("[192.0.2.250-192.0.2.255]", "CI302");
}

#[test]
fn a_reversed_range() {
    addresses("[192.0.2.14-192.0.2.10]", "CI101");
}

#[test]
fn addresses_of_mixed_family() {
    addresses("[192.0.2.10-192.0.2.14, 2001:db8::5]", "CI101");
    addresses("[2001:db8::1-2001:db8::9]", "CI101");
    addresses("[192.0.2.10-2001:db8::9]", "CI101");
}

#[test]
fn addresses_that_are_none() {
    for list in [
        "[192.0.2]",
        "[192.0.2.256]",
        "[a-b]",
        "['']",
        "[192.0.2.10 - ]",
        "[192.0.2.0/33]",
        "[192.0.2.010]",
    ] {
        addresses(list, "CI101");
    }
}

#[test]
fn addresses_that_overlap_another_pool() {
    addresses("[192.0.2.10-192.0.2.14, 192.0.2.14]", "CI304");
    let pool = "apiVersion: ipam.metal3.io/v1alpha1\nkind: IPPool\nmetadata: {name: other, namespace: default}\nspec:\n  namePrefix: o\n  \
                pools:\n  - {start: 192.0.2.12, end: 192.0.2.20}\n";
    let text = format!("{MANIFEST}---\n{pool}");
    let shown = refused(&text, CONFIG, "CI304", "config.yaml:8:");
    assert!(shown.contains(&at(line_of(&text, "start: 192.0.2.12"))), "{shown}");
}

#[test]
fn a_cidr_given_as_prefix() {
    for prefix in ["192.0.2.0/24", "/24", "\"24\"", "33", "-1", "255.255.255.0"] {
        refused(
            MANIFEST,
            &config_with("prefix: 24", &format!("prefix: {prefix}")),
            "CI101",
            "config.yaml:9:",
        );
    }
}

#[test]
fn a_gateway_that_is_none() {
    for gateway in ["192.0.2.1/24", "gateway", "2001:db8::1"] {
        let shown = refused(
            MANIFEST,
            &config_with("gateway: 192.0.2.1", &format!("gateway: {gateway}")),
            "CI101",
            "config.yaml:",
        );
        assert!(
            shown.contains("config.yaml:10:") || shown.contains("config.yaml:8:"),
            "{shown}"
        );
    }
}

#[test]
fn a_pool_name_that_is_no_label_value() {
    for name in ["a pool", "-pool", "pool_", &"x".repeat(64), "pool/one", ""] {
        let config = config_with("  - machines", &format!("  - name: {name:?}\n    machines"));
        refused(MANIFEST, &config, "CI101", "config.yaml:7:");
    }
}

#[test]
fn a_pool_name_that_is_no_object_name() {
    let config = config_with("  - machines", "  - name: Demo\n    machines");
    refused(MANIFEST, &config, "CI101", "config.yaml:7:");
}

#[test]
fn a_pool_that_is_too_small_is_written_with_a_warning() {
    let folder = folder(
        MANIFEST,
        &config_with("[192.0.2.10-192.0.2.14]", "[192.0.2.10, 192.0.2.11]"),
    );
    let ran = folder.run(&FILE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("warning[CI311]") && ran.stderr.contains("config.yaml:8:"),
        "{}",
        ran.stderr
    );
}

// The configuration.

#[test]
fn unknown_keys_and_wrong_types_have_line_and_column() {
    for (from, to, place) in [
        ("    prefix: 24", "    prefix: 24\n    prefixx: 24", "config.yaml:10:5"),
        ("spec:", "spec:\n  kubeVIP: remove", "config.yaml:6:3"),
        ("metadata:", "extra: 1\nmetadata:", "config.yaml:3:1"),
        (
            "machines: [control-plane]",
            "machines: control-plane",
            "config.yaml:7:15",
        ),
        ("prefix: 24", "prefix: [24]", "config.yaml:9:13"),
        ("spec:", "spec:\n  kubeVip: delete", "config.yaml:6:12"),
        ("spec:", "spec:\n  headroom: -1", "config.yaml:6:13"),
        ("kind: StaticAddressing", "kind: Static", "config.yaml:2:7"),
        ("capv-ipam.dev/v1alpha1", "capv-ipam.dev/v1", "config.yaml:1:13"),
        ("[control-plane]", "[masters]", "config.yaml:7:16"),
    ] {
        let shown = refused(MANIFEST, &config_with(from, to), "CI101", place);
        assert!(shown.contains('^'), "{shown}");
    }
}

#[test]
fn a_configuration_that_is_not_yaml_or_says_nothing() {
    refused(MANIFEST, "a: [", "CI001", "config.yaml:1:");
    refused(
        MANIFEST,
        "apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\nspec: {}\n",
        "CI101",
        "config.yaml:",
    );
    refused(
        MANIFEST,
        "apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\n",
        "CI101",
        "config.yaml:",
    );
    refused(MANIFEST, "just text\n", "CI101", "config.yaml:1:");
    refused(MANIFEST, "- a\n", "CI101", "config.yaml:1:");
    refused(MANIFEST, &format!("{CONFIG}spec: {{}}\n"), "CI101", "config.yaml:11:");
}

#[test]
fn an_empty_configuration_file_is_told() {
    let folder = folder(MANIFEST, "# nothing here\n");
    let ran = folder.run(&FILE);
    assert!(
        ran.code == 2 || ran.stderr.contains("no configuration"),
        "{}: {}",
        ran.code,
        ran.stderr
    );
}

#[test]
fn a_configuration_past_64_kib() {
    refused(
        MANIFEST,
        &format!("{CONFIG}# {}\n", "x".repeat(70_000)),
        "CI005",
        "config.yaml",
    );
}

#[test]
fn flags_that_contradict_the_configuration() {
    let folder = folder(MANIFEST, CONFIG);
    let ran = folder.run(&[&FILE[..], &["--addresses", "192.0.2.30"]].concat());
    failed(&ran, &["CI101", "config.yaml:6:"]);
}

#[test]
fn flags_have_no_place_but_their_name() {
    let folder = folder(MANIFEST, CONFIG);
    for (flags, part) in [
        (
            &[
                "--machines",
                "control-plane",
                "--addresses",
                "192.0.2.9-192.0.2.3",
                "--prefix",
                "24",
            ][..],
            "--addresses",
        ),
        (
            &[
                "--machines",
                "control-plane",
                "--addresses",
                "192.0.2.9",
                "--prefix",
                "10.0.0.0/8",
            ],
            "--prefix",
        ),
        (
            &["--machines", "everything", "--addresses", "192.0.2.9", "--prefix", "24"],
            "--machines",
        ),
        (&["--kube-vip", "delete"], "--kube-vip"),
        (&["--binding", "labels", "--kube-vip", "remove"], "--binding"),
        (&["--cluster", "other", "--kube-vip", "remove"], "--cluster"),
        (&["--machines", "control-plane", "--addresses", "192.0.2.9"], "prefix"),
        (
            &[
                "--machines",
                "control-plane",
                "--addresses",
                "192.0.2.9",
                "--prefix",
                "24",
                "--pool-kind",
                "InClusterIPPool",
            ],
            "--pool-kind",
        ),
    ] {
        let ran = folder.run(&[&["transform", "-f", "input.yaml"], flags].concat());
        failed(&ran, &["CI10", part]);
    }
}

#[test]
fn unknown_flags_and_verbs_and_contradictions_exit_2() {
    let folder = folder(MANIFEST, CONFIG);
    for arguments in [
        &["transform", "--no-such-flag"][..],
        &["no-such-verb"],
        &[],
        &["transform", "-f", "input.yaml", "-w", "--diff"],
        &["transform", "--report", "xml"],
        &["transform", "--report", "json="],
        &["transform", "--headroom", "many"],
        &["completion", "no-such-shell"],
        &["explain", "CI999"],
        &["--color", "sometimes", "man"],
    ] {
        let before = folder.state();
        let ran = folder.run(arguments);
        failed(&ran, &[]);
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
        assert_eq!(folder.state(), before);
    }
}

// Paths.

#[test]
fn a_missing_file() {
    let folder = folder(MANIFEST, CONFIG);
    failed(
        &folder.run(&["transform", "-f", "lost.yaml"]),
        &["lost.yaml", "No such file"],
    );
    failed(
        &folder.run(&["transform", "-f", "input.yaml", "--config", "lost.yaml"]),
        &["lost.yaml", "No such file"],
    );
    failed(
        &folder.run(&["transform", "-f", "input.yaml/below"]),
        &["input.yaml/below", "Not a directory"],
    );
}

#[test]
fn a_folder_where_a_file_is_meant() {
    let folder = folder(MANIFEST, CONFIG);
    folder.write("sub/a.yaml", MANIFEST);
    failed(&folder.run(&["transform", "-f", "sub"]), &["sub is a folder", "-R"]);
    failed(
        &folder.run(&["transform", "-f", "input.yaml", "--config", "sub"]),
        &["sub is a folder"],
    );
    let ran = folder.run(&[&FILE[..], &["--report", "json=sub"]].concat());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("sub"), "{}", ran.stderr);
}

#[test]
fn a_folder_without_manifests() {
    let folder = Folder::new();
    folder
        .write("empty/readme.txt", "x")
        .write("empty/.hidden/a.yaml", MANIFEST);
    failed(&folder.run(&["transform", "-R", "-f", "empty"]), &["empty holds no"]);
}

#[test]
fn standard_input_twice_or_rewritten() {
    let folder = folder(MANIFEST, CONFIG);
    let ran = folder.pipe(&["transform", "-f", "-", "-f", "-"], MANIFEST);
    failed(&ran, &["standard input"]);
    for arguments in [
        &["transform", "-w", "--config", "config.yaml"][..],
        &["transform", "-w", "-f", "-", "--config", "config.yaml"],
    ] {
        let before = folder.state();
        failed(&folder.pipe(arguments, MANIFEST), &["standard input"]);
        assert_eq!(folder.state(), before);
    }
}

#[test]
fn standard_input_beside_a_file_is_never_half_written() {
    let folder = folder(MANIFEST, CONFIG);
    let before = folder.state();
    let ran = folder.pipe(
        &[
            "transform",
            "-w",
            "-f",
            "input.yaml",
            "-f",
            "-",
            "--config",
            "config.yaml",
        ],
        "kind: X\napiVersion: v1\n",
    );
    failed(&ran, &["standard input"]);
    assert_eq!(folder.state(), before);
}

#[test]
fn an_unreadable_file() {
    let folder = folder(MANIFEST, CONFIG);
    fs::set_permissions(folder.path("input.yaml"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let (_lent, mut command) = restricted(&folder, &FILE);
    match command.stdin(Stdio::null()).output() {
        Ok(output) => failed(&output.into(), &["input.yaml", "ermission denied"]),
        Err(error) => skipped::say(&format!("the program cannot be run as another user: {error}")),
    }
}

const NOBODY: u32 = 65534;

/// The program as somebody who may not read and write everything. To root's tests it is lent where nobody can reach it, for
/// as long as the folder is kept.
fn restricted(folder: &Folder, arguments: &[&str]) -> (tempfile::TempDir, Command) {
    let lent = tempfile::tempdir().unwrap();
    if !is_root() {
        return (lent, folder.command(arguments));
    }
    let (own, program) = (
        Path::new(env!("CARGO_BIN_EXE_capv-ipam")),
        lent.path().join("capv-ipam"),
    );
    fs::set_permissions(lent.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::hard_link(own, &program)
        .or_else(|_| fs::copy(own, &program).map(drop))
        .unwrap();
    let mut command = folder.command_of(&program, arguments);
    command.uid(NOBODY).gid(NOBODY);
    (lent, command)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[test]
fn an_unwritable_file() {
    let folder = folder(MANIFEST, CONFIG);
    fs::set_permissions(folder.path("input.yaml"), fs::Permissions::from_mode(0o444)).unwrap();
    // The folder could be written: a rename would replace the file that may not be.
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let before = folder.state();
    let (_lent, mut command) = restricted(&folder, &[&FILE[..], &["-w"]].concat());
    match command.stdin(Stdio::null()).output() {
        Ok(output) => failed(&output.into(), &["input.yaml", "ermission denied"]),
        Err(error) => skipped::say(&format!("the program cannot be run as another user: {error}")),
    }
    assert_eq!(folder.state(), before);
}

#[test]
fn an_unwritable_folder() {
    let folder = Folder::new();
    folder
        .write("sub/input.yaml", MANIFEST)
        .write("sub/config.yaml", CONFIG);
    fs::set_permissions(folder.path("sub/input.yaml"), fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(folder.path("sub"), fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let before = folder.state();
    let arguments = ["transform", "-f", "sub/input.yaml", "--config", "sub/config.yaml", "-w"];
    let (_lent, mut command) = restricted(&folder, &arguments);
    match command.stdin(Stdio::null()).output() {
        Ok(output) => failed(&output.into(), &["sub/input.yaml", "ermission denied"]),
        Err(error) => skipped::say(&format!("the program cannot be run as another user: {error}")),
    }
    assert_eq!(folder.state(), before);
    fs::set_permissions(folder.path("sub"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a shell in a mount namespace of its own, so that no mount outlives it; `None` where that is not permitted.
fn in_own_mounts(folder: &Folder, script: &str) -> Option<Ran> {
    let works = Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"])
        .stderr(Stdio::null())
        .status();
    if !works.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_capv-ipam")])
        .current_dir(folder.path(""))
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    Some(command.output().unwrap().into())
}

#[test]
fn a_read_only_file_system() {
    let folder = Folder::new();
    folder.write("sub/input.yaml", MANIFEST).write("config.yaml", CONFIG);
    let before = folder.state();
    let script = "mount --bind sub sub && mount -o remount,ro,bind sub && \"$0\" transform -w -f sub/input.yaml --config config.yaml";
    match in_own_mounts(&folder, script) {
        Some(ran) => failed(&ran, &["sub/input.yaml", "Read-only"]),
        None => skipped::say("mounts are not permitted here, so no read-only file system"),
    }
    assert_eq!(folder.state(), before);
}

#[test]
fn a_full_disk_leaves_the_file_as_it_was() {
    let folder = Folder::new();
    let filler = format!(
        "---\nkind: ConfigMap\napiVersion: v1\ndata:\n  x: {}\n",
        "y".repeat(40_000)
    );
    let text = format!("{MANIFEST}{filler}");
    folder
        .write("big.yaml", &text)
        .write("config.yaml", CONFIG)
        .write("after/none", "");
    let script = "mkdir disk && mount -t tmpfs -o size=64k none disk && cp big.yaml disk/input.yaml && \
                  \"$0\" transform -w -f disk/input.yaml --config config.yaml; code=$?; cp -a disk/. after/; exit $code";
    match in_own_mounts(&folder, script) {
        Some(ran) => {
            failed(&ran, &["disk/input.yaml", "No space left"]);
            assert_eq!(folder.read("after/input.yaml"), text);
            let names: Vec<String> = fs::read_dir(folder.path("after"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name != "none")
                .collect();
            assert_eq!(names, ["input.yaml"]);
        }
        None => skipped::say("mounts are not permitted here, so no full disk for -w"),
    }
}

#[test]
fn a_full_standard_output_is_an_error() {
    let folder = folder(MANIFEST, CONFIG);
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        skipped::say("there is no /dev/full here");
        return;
    };
    for arguments in [
        &FILE[..],
        &[&FILE[..], &["--diff"]].concat(),
        &["man"],
        &["explain"],
        &["completion", "bash"],
    ] {
        let mut command = folder.command(arguments);
        let output = command
            .stdin(Stdio::null())
            .stdout(full.try_clone().unwrap())
            .output()
            .unwrap();
        failed(&output.into(), &["standard output", "No space left"]);
    }
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let folder = folder(MANIFEST, CONFIG);
    for file in ["/dev/full", "no/such/folder/report.json", "/proc/report.json"] {
        let ran = folder.run(&[&FILE[..], &["--report", &format!("json={file}")]].concat());
        assert_eq!(ran.code, 2, "{file}: {}", ran.stderr);
        assert!(ran.stderr.contains(file), "{file}: {}", ran.stderr);
    }
}

#[test]
fn a_report_that_cannot_be_written_leaves_no_manifest_behind() {
    let folder = folder(MANIFEST, CONFIG);
    let before = folder.state();
    let ran = folder.run(&[&FILE[..], &["--report", "json=no/such/folder/report.json"]].concat());
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (2, ""),
        "exit 2 goes with an empty stdout"
    );
    let ran = folder.run(&[&FILE[..], &["-w", "--report", "json=no/such/folder/report.json"]].concat());
    assert_eq!(ran.code, 2);
    assert_eq!(folder.state(), before, "exit 2 goes with untouched files");
}

#[test]
fn a_broken_pipe_is_success() {
    let folder = folder(MANIFEST, CONFIG);
    let filler = format!(
        "---\nkind: ConfigMap\napiVersion: v1\ndata:\n  x: {}\n",
        "y".repeat(1000)
    );
    folder.write("input.yaml", format!("{MANIFEST}{}", filler.repeat(2000)));
    for arguments in [&["transform", "-f", "input.yaml"][..], &FILE] {
        let mut child = folder
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 100]).unwrap();
        drop(stdout);
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stderr.contains("error"), "{}", ran.stderr);
    }
}

// Writing in place.

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn writing_gives_what_standard_output_gives_and_leaves_nothing_else() {
    let folder = folder(MANIFEST, CONFIG);
    let wanted = folder.run(&FILE).stdout;
    let ran = folder.run(&[&FILE[..], &["-w"]].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_eq!(folder.read("input.yaml"), wanted);
    assert_eq!(names(&folder.path("")), ["config.yaml", "input.yaml"]);
    // The second time there is nothing to write, so the file is not even touched.
    let before = folder.state();
    assert_eq!(folder.run(&[&FILE[..], &["-w"]].concat()).code, 0);
    assert_eq!(folder.state(), before);
}

#[test]
fn a_link_is_followed_and_kept() {
    let folder = Folder::new();
    folder.write("real/input.yaml", MANIFEST).write("config.yaml", CONFIG);
    symlink("real/input.yaml", folder.path("one.yaml")).unwrap();
    symlink("one.yaml", folder.path("two.yaml")).unwrap();
    let ran = folder.run(&["transform", "-w", "-f", "two.yaml", "--config", "config.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(fs::read_link(folder.path("two.yaml")).unwrap(), Path::new("one.yaml"));
    assert_eq!(
        fs::read_link(folder.path("one.yaml")).unwrap(),
        Path::new("real/input.yaml")
    );
    assert!(folder.read("real/input.yaml").contains("kind: IPPool"));
    assert!(!folder.path("real/input.yaml").is_symlink());
    assert_eq!(names(&folder.path("real")), ["input.yaml"]);
}

#[test]
fn the_mode_is_kept() {
    for mode in [0o600, 0o640, 0o664, 0o755, 0o4755] {
        let folder = folder(MANIFEST, CONFIG);
        fs::set_permissions(folder.path("input.yaml"), fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(folder.run(&[&FILE[..], &["-w"]].concat()).code, 0);
        assert!(folder.read("input.yaml").contains("kind: IPPool"));
        assert_eq!(
            fs::metadata(folder.path("input.yaml")).unwrap().permissions().mode() & 0o7777,
            mode
        );
    }
}

#[test]
fn the_owner_is_kept() {
    if !is_root() {
        skipped::say("only root can give a file to another user");
        return;
    }
    let folder = folder(MANIFEST, CONFIG);
    std::os::unix::fs::chown(folder.path("input.yaml"), Some(1234), Some(5678)).unwrap();
    assert_eq!(folder.run(&[&FILE[..], &["-w"]].concat()).code, 0);
    let metadata = fs::metadata(folder.path("input.yaml")).unwrap();
    assert!(folder.read("input.yaml").contains("kind: IPPool"));
    assert_eq!((metadata.uid(), metadata.gid()), (1234, 5678));
}

#[test]
fn nothing_is_written_when_the_second_of_two_files_is_bad() {
    for (second, mode) in [("a: [", 0o644), (MANIFEST, 0o444)] {
        let folder = folder(MANIFEST, CONFIG);
        let second = second.replace("demo", "other");
        folder.write("second.yaml", second);
        let both = format!(
            "{}---\n{}",
            config_with("spec:", "spec:\n  cluster: demo"),
            config_with("spec:", "spec:\n  cluster: other").replace("192.0.2.1", "198.51.100.1")
        );
        folder.write("config.yaml", both);
        fs::set_permissions(folder.path("second.yaml"), fs::Permissions::from_mode(mode)).unwrap();
        fs::set_permissions(folder.path("input.yaml"), fs::Permissions::from_mode(0o666)).unwrap();
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o777)).unwrap();
        let before = folder.state();
        let arguments = [
            "transform",
            "-w",
            "-f",
            "input.yaml",
            "-f",
            "second.yaml",
            "--config",
            "config.yaml",
        ];
        let (_lent, mut command) = if mode == 0o444 {
            if is_root() {
                std::os::unix::fs::chown(folder.path("input.yaml"), Some(NOBODY), Some(NOBODY)).unwrap();
            }
            restricted(&folder, &arguments)
        } else {
            (tempfile::tempdir().unwrap(), folder.command(&arguments))
        };
        match command.stdin(Stdio::null()).output() {
            Ok(output) => failed(&output.into(), &["second.yaml"]),
            Err(error) => skipped::say(&format!("the program cannot be run as another user: {error}")),
        }
        assert_eq!(folder.state(), before);
    }
}

#[test]
fn two_files_are_written_together() {
    let folder = Folder::new();
    let (first, second) = MANIFEST.split_at(
        MANIFEST
            .find("apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereMachineTemplate")
            .unwrap(),
    );
    folder
        .write("a.yaml", first)
        .write("b.yaml", second)
        .write("config.yaml", CONFIG);
    let before = folder.state();
    let ran = folder.run(&[
        "transform",
        "-w",
        "-f",
        "a.yaml",
        "-f",
        "b.yaml",
        "--config",
        "config.yaml",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        folder
            .read("b.yaml")
            .starts_with("apiVersion: ipam.metal3.io/v1alpha1\nkind: IPPool")
    );
    // The file without an edit is not touched.
    assert_eq!(folder.state()[&folder.path("a.yaml")], before[&folder.path("a.yaml")]);
}

// The diff.

#[test]
fn the_diff_has_its_exit_codes() {
    let folder = folder(MANIFEST, CONFIG);
    let before = folder.state();
    let ran = folder.run(&[&FILE[..], &["--diff"]].concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("--- a/input.yaml\n+++ b/input.yaml\n@@ "),
        "{}",
        ran.stdout
    );
    assert_eq!(folder.state(), before);
    let output = folder.run(&FILE).stdout;
    folder.write("input.yaml", output);
    let ran = folder.run(&[&FILE[..], &["--diff"]].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    folder.write("input.yaml", "a: [");
    let ran = folder.run(&[&FILE[..], &["--diff"]].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
}

#[test]
fn the_diff_applies() {
    for text in [
        MANIFEST.to_owned(),
        MANIFEST.replace('\n', "\r\n"),
        MANIFEST.trim_end().to_owned(),
    ] {
        let folder = folder(&text, CONFIG);
        let wanted = folder.run(&FILE).stdout;
        let diff = folder.run(&[&FILE[..], &["--diff"]].concat()).stdout;
        let mut git = Command::new("git");
        git.args(["apply", "--unsafe-paths", "-p1", "-"])
            .current_dir(folder.path(""));
        git.env("GIT_CEILING_DIRECTORIES", folder.path("").parent().unwrap());
        let ran = feed(git, diff.as_bytes());
        assert_eq!(ran.code, 0, "{}{diff}", ran.stderr);
        assert_eq!(folder.read("input.yaml"), wanted);
    }
}

// Reports.

#[test]
fn reports_have_their_forms_on_standard_error() {
    let folder = folder(MANIFEST, CONFIG);
    for (form, bad) in [("json", false), ("json", true), ("sarif", false), ("sarif", true)] {
        folder.write("input.yaml", if bad { "a: [" } else { MANIFEST });
        let ran = folder.run(&[&FILE[..], &["--report", form]].concat());
        assert_eq!(ran.code, if bad { 2 } else { 0 });
        let report: Value = serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
        let wanted = if bad { "CI001" } else { "CI214" };
        let (code, line) = if form == "json" {
            (&report["items"][0]["code"], &report["items"][0]["place"]["line"])
        } else {
            let result = &report["runs"][0]["results"][0];
            (
                &result["ruleId"],
                &result["locations"][0]["physicalLocation"]["region"]["startLine"],
            )
        };
        assert_eq!(code, wanted);
        assert!(line.as_u64().is_some_and(|line| line > 0), "{report:#}");
    }
    let ran = folder.run(&[&FILE[..], &["--report", "github"]].concat());
    assert!(
        ran.stderr.starts_with("::error file=input.yaml,line=1,col="),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stderr.lines().count(), 1);
}

#[test]
fn reports_go_to_files() {
    let folder = folder(MANIFEST, CONFIG);
    for form in ["text", "json", "sarif", "github"] {
        let to_stderr = folder.run(&[&FILE[..], &["--report", form]].concat());
        let ran = folder.run(&[&FILE[..], &["--report", &format!("{form}=out/report.{form}")]].concat());
        assert_eq!(ran.code, 2, "no such folder");
        let ran = folder.run(&[&FILE[..], &["--report", &format!("{form}=report.{form}")]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(ran.stderr, "");
        assert_eq!(ran.stdout, to_stderr.stdout);
        assert!(
            to_stderr.stderr.starts_with(&folder.read(&format!("report.{form}"))),
            "{form}"
        );
    }
    // Refused runs write the report too.
    folder.write("input.yaml", "a: [");
    let ran = folder.run(&[&FILE[..], &["--report", "json=report.json"]].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(folder.read("report.json").contains("CI001"));
}

#[test]
fn sarif_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/schemas/sarif-schema-2.1.0.json");
    let Ok(schema) = fs::read_to_string(&path) else {
        skipped::missing("the schema of SARIF is not at hand, so SARIF is not validated");
        return;
    };
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let odd = "\u{fc}ber a b%.yaml";
    let folder = folder(MANIFEST, CONFIG);
    let shared = with("        name: demo-md\n", "        name: demo-cp\n");
    let overlap = format!(
        "{MANIFEST}---\napiVersion: ipam.metal3.io/v1alpha1\nkind: IPPool\nmetadata: {{name: o}}\nspec: {{pools: [{{start: 192.0.2.12}}]}}\n"
    );
    for text in [MANIFEST, "a: [", "\u{e9}: [\r\n", "", &shared, &overlap] {
        folder.write("input.yaml", text).write(odd, text);
        for name in ["input.yaml", odd, "./input.yaml"] {
            let ran = folder.run(&["transform", "-f", name, "--config", "config.yaml", "--report", "sarif"]);
            let report: Value = serde_json::from_str(&ran.stderr).unwrap();
            let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:#?}");
        }
    }
}

// Several inputs.

#[test]
fn inputs_are_joined_with_markers_only_where_needed() {
    for (first, second, wanted) in [
        ("a: 1\n", "b: 2\n", "a: 1\n---\nb: 2\n"),
        ("a: 1\n", "---\nb: 2\n", "a: 1\n---\nb: 2\n"),
        ("a: 1\n", "# c\n---\nb: 2\n", "a: 1\n# c\n---\nb: 2\n"),
        ("a: 1\n", "\n\n--- # c\nb: 2\n", "a: 1\n\n\n--- # c\nb: 2\n"),
        ("a: 1\n", "# c\nb: 2\n", "a: 1\n---\n# c\nb: 2\n"),
        ("a: 1", "b: 2\n", "a: 1\n---\nb: 2\n"),
        ("a: 1", "---\nb: 2", "a: 1\n---\nb: 2"),
        ("a: 1\n", "\u{feff}b: 2\n", "a: 1\n---\nb: 2\n"),
        ("a: 1\n", "{\"b\": 2}\n", "a: 1\n---\n{\"b\": 2}\n"),
    ] {
        let folder = Folder::new();
        folder.write("a.yaml", first).write("b.yaml", second);
        let ran = folder.run(&["transform", "-f", "a.yaml", "-f", "b.yaml"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let values = |text: &str| -> Vec<Value> {
            serde_yaml::Deserializer::from_str(text)
                .map(|document| serde::Deserialize::deserialize(document).unwrap())
                .collect()
        };
        assert_eq!(values(&ran.stdout), values("a: 1\n---\nb: 2\n"), "{:?}", ran.stdout);
        assert_eq!(ran.stdout, wanted, "{first:?} and {second:?}");
        let ran = folder.pipe(&["transform", "-f", "a.yaml", "-f", "-"], second);
        assert_eq!(ran.stdout, wanted);
    }
}

#[test]
fn joined_directives_and_end_markers_still_read() {
    for (first, second) in [
        ("a: 1\n", "%YAML 1.1\n---\nb: 2\n"),
        ("a: 1\n...\n", "b: 2\n"),
        ("a: 1\n...\n", "---\nb: 2\n"),
        ("a: 1\r\n", "b: 2\r\n"),
        ("", "b: 2\n"),
        ("# only a comment", "b: 2\n"),
    ] {
        let folder = Folder::new();
        folder.write("a.yaml", first).write("b.yaml", second);
        let ran = folder.run(&["transform", "-f", "a.yaml", "-f", "b.yaml"]);
        if ran.code == 2 {
            // A refusal is a way out too, as long as it says which file.
            assert!(ran.stdout.is_empty() && ran.stderr.contains(".yaml"), "{}", ran.stderr);
            continue;
        }
        let documents: Vec<Result<Value, _>> = serde_yaml::Deserializer::from_str(&ran.stdout)
            .map(serde::Deserialize::deserialize)
            .collect();
        let found: Vec<&Value> = documents
            .iter()
            .filter_map(|value| value.as_ref().ok())
            .filter(|value| !value.is_null())
            .collect();
        assert!(
            documents.iter().all(Result::is_ok),
            "{first:?} and {second:?}: {:?}",
            ran.stdout
        );
        assert_eq!(
            found.last().map(|value| value["b"].clone()),
            Some(Value::from(2)),
            "{:?}",
            ran.stdout
        );
    }
}

#[test]
fn a_join_that_would_change_a_value_is_refused() {
    let folder = Folder::new();
    folder.write("a.yaml", "a: |\n  x").write("b.yaml", "b: 2\n");
    failed(
        &folder.run(&["transform", "-f", "a.yaml", "-f", "b.yaml"]),
        &["CI209", "a.yaml"],
    );
    let ran = folder.run(&["transform", "-f", "b.yaml", "-f", "a.yaml"]);
    assert_eq!(ran.stdout, "b: 2\n---\na: |\n  x");
}

#[test]
fn folders_are_read_in_order_and_dot_folders_are_skipped() {
    let folder = Folder::new();
    for name in ["b.yaml", "a.yaml", "sub/c.yml", "sub/deep/d.json", "z.json", "sub.yaml"] {
        folder.write(&format!("in/{name}"), format!("{{\"name\": {name:?}}}\n"));
    }
    for name in ["readme.md", ".git/x.yaml", "sub/.cache/y.yaml", "yaml", "a.yaml.bak"] {
        folder.write(&format!("in/{name}"), "name: wrong\n");
    }
    symlink("..", folder.path("in/sub/loop")).unwrap();
    for arguments in [
        &["transform", "-R", "-f", "in"][..],
        &["transform", "-f", "in/", "--recursive"],
    ] {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let order: Vec<String> = ran
            .stdout
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(ToOwned::to_owned)
            .collect();
        let wanted = ["a.yaml", "b.yaml", "sub/c.yml", "sub/deep/d.json", "sub.yaml", "z.json"]
            .map(|name| format!("{{\"name\": {name:?}}}"));
        let mut sorted = (order.clone(), wanted.to_vec());
        sorted.0.sort();
        sorted.1.sort();
        assert_eq!(sorted.0, sorted.1);
        assert!(
            order[0].contains("a.yaml") && order[1].contains("b.yaml") && order[5].contains("z.json"),
            "{order:?}"
        );
        assert!(!ran.stdout.contains("wrong"));
        assert_eq!(folder.run(arguments).stdout, ran.stdout);
    }
}

#[test]
fn a_dot_folder_that_is_named_is_read() {
    let folder = Folder::new();
    folder.write(".hidden/a.yaml", "a: 1\n");
    let ran = folder.run(&["transform", "-R", "-f", ".hidden"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "a: 1\n"), "{}", ran.stderr);
    let ran = folder.run(&["transform", "-R", "-f", "."]);
    failed(&ran, &[". holds no"]);
}

#[test]
fn a_file_that_is_named_is_read_whatever_it_is_called() {
    let folder = Folder::new();
    folder.write("manifest.txt", "a: 1\n");
    assert_eq!(folder.run(&["transform", "-f", "manifest.txt"]).stdout, "a: 1\n");
}

// Colour.

#[test]
fn colour_follows_the_flag_and_the_environment() {
    let folder = folder("a: [", CONFIG);
    let coloured = |flag: &[&str], environment: &[(&str, &str)]| {
        let mut command = folder.command(&[flag, &FILE].concat());
        command.env_remove("NO_COLOR").envs(environment.iter().copied());
        let ran: Ran = command.stdin(Stdio::null()).output().unwrap().into();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        ran.stderr.contains('\u{1b}')
    };
    assert!(!coloured(&[], &[]), "a pipe is no terminal");
    assert!(!coloured(&[], &[("NO_COLOR", "1")]));
    assert!(coloured(&["--color", "always"], &[]));
    assert!(
        coloured(&["--color", "always"], &[("NO_COLOR", "1")]),
        "the flag is the last word"
    );
    assert!(!coloured(&["--color", "never"], &[]));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["--color", "auto"], &[("TERM", "xterm")]));
}

#[test]
fn data_and_machine_reports_are_never_coloured() {
    let folder = folder(MANIFEST, CONFIG);
    for mode in [
        &[][..],
        &["--diff"],
        &["--report", "json"],
        &["--report", "sarif"],
        &["--report", "github"],
    ] {
        let ran = folder.run(&[&FILE[..], &["--color", "always"], mode].concat());
        assert!(!ran.stdout.contains('\u{1b}'), "{mode:?}");
        assert_eq!(ran.stderr.contains('\u{1b}'), !mode.contains(&"--report"), "{mode:?}");
    }
    let ran = folder.run(&[&FILE[..], &["--color", "always", "--report", "text=report.txt"]].concat());
    assert_eq!(ran.code, 0);
    assert!(!folder.read("report.txt").contains('\u{1b}'));
}

#[test]
fn a_terminal_gets_colour_unless_it_is_unwanted() {
    let folder = folder("a: [", CONFIG);
    let command = format!("{} {}", env!("CARGO_BIN_EXE_capv-ipam"), FILE.join(" "));
    let on_terminal = |environment: &[(&str, &str)]| {
        let mut script = Command::new("script");
        script
            .args(["-qec", &command, "/dev/null"])
            .current_dir(folder.path(""))
            .stdin(Stdio::null());
        script
            .env_remove("NO_COLOR")
            .env_remove("CI")
            .env("TERM", "xterm")
            .envs(environment.iter().copied());
        script
            .output()
            .map(|output| String::from_utf8_lossy(&output.stdout).contains('\u{1b}'))
    };
    match on_terminal(&[]) {
        Ok(coloured) => {
            assert!(coloured);
            assert!(!on_terminal(&[("NO_COLOR", "1")]).unwrap());
            assert!(!on_terminal(&[("TERM", "dumb")]).unwrap());
        }
        Err(_) => skipped::say("there is no `script` here to make a terminal"),
    }
}

#[cfg(feature = "controller")]
#[test]
fn an_installation_that_no_cluster_takes_is_not_printed() {
    for arguments in [
        &["--image", ""][..],
        &["--image", "REG.example.com/Foo:1"],
        &["--image", "x", "--namespace", "Bad_NS"],
        &["--image", "x", "--namespace", ""],
        &["--roles", "machine", "--only", "webhooks"],
        &["--webhooks=false", "--only", "webhooks"],
    ] {
        let ran = Folder::new().run(&[&["install"][..], arguments].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
}
