//! Runs real manifests of public projects, where their folder lies beside the repository: what stays, what changes, what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

#[path = "support/skipped.rs"]
mod skipped;
mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::{Run, run, values};

const LABEL: &str = "cluster.x-k8s.io/ip-pool-name";

/// The manifests, by name; none where the folder is missing.
fn corpus() -> Option<Vec<(String, String)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/manifests");
    if !folder.is_dir() {
        skipped::missing("the manifests of other projects are not at hand");
        return None;
    }
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read_to_string(path).unwrap(),
            )
        })
        .collect();
    found.sort();
    assert!(found.len() >= 12, "only {} manifests", found.len());
    Some(found)
}

/// The manifest whose name begins with a number.
fn manifest(number: &str) -> Option<String> {
    let found = corpus()?
        .into_iter()
        .find(|(name, _)| name.starts_with(&format!("{number}-")));
    Some(found.unwrap_or_else(|| panic!("there is no manifest {number}")).1)
}

/// A configuration with a pool for a selector and further keys.
fn config(selector: &str, pool: &Value, spec: &Value) -> String {
    let mut wanted = json!({"name": "corpus-pool", "machines": [selector], "addresses": ["10.99.0.10-10.99.0.60"], "prefix": 24, "gateway": "10.99.0.1"});
    wanted
        .as_object_mut()
        .unwrap()
        .extend(pool.as_object().cloned().unwrap_or_default());
    let mut all = json!({ "pools": [wanted] });
    all.as_object_mut()
        .unwrap()
        .extend(spec.as_object().cloned().unwrap_or_default());
    json!({"apiVersion": "capv-ipam.dev/v1alpha1", "kind": "StaticAddressing", "spec": all}).to_string()
}

fn only_kube_vip() -> String {
    json!({"apiVersion": "capv-ipam.dev/v1alpha1", "kind": "StaticAddressing", "spec": {"kubeVip": "remove"}})
        .to_string()
}

fn choose(selector: &str) -> String {
    config(selector, &Value::Null, &Value::Null)
}

/// A run that must be refused with a code.
fn refused(text: &str, config: &str, code: &str) -> Run {
    let run = run(text, config);
    assert!(run.text.is_none(), "it is not refused");
    assert!(run.codes().contains(&code), "{:?} has no {code}", run.codes());
    assert!(
        run.findings
            .iter()
            .all(|finding| finding.code.id != code || finding.place.is_some()),
        "{code} has no place"
    );
    run
}

/// A run that must be done, and done again without a further change.
fn done(text: &str, config: &str) -> String {
    let first = run(text, config);
    let edits = first.edits.clone();
    let once = first.expect("a real manifest");
    assert!(edits.is_some_and(|edits| !edits.is_empty()), "nothing changed");
    let again = run(&once, config).expect("its second run");
    assert!(again == once, "the second run changes something");
    once
}

/// The templates of CAPV in a text.
fn templates(text: &str) -> Vec<Value> {
    values(text)
        .unwrap()
        .into_iter()
        .filter(|object| object["kind"] == "VSphereMachineTemplate")
        .collect()
}

/// The lines that a run takes out and puts in, as the edits say.
fn changed_lines(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    // The longest common subsequence, by rows.
    let mut table = vec![vec![0_u32; after.len() + 1]; before.len() + 1];
    for (row, old) in before.iter().enumerate().rev() {
        for (column, new) in after.iter().enumerate().rev() {
            table[row][column] = if old == new {
                table[row + 1][column + 1] + 1
            } else {
                table[row + 1][column].max(table[row][column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    while row < before.len() || column < after.len() {
        if row < before.len() && column < after.len() && before[row] == after[column] {
            row += 1;
            column += 1;
        } else if column >= after.len() || (row < before.len() && table[row + 1][column] >= table[row][column + 1]) {
            gone.push(before[row].to_owned());
            row += 1;
        } else {
            new.push(after[column].to_owned());
            column += 1;
        }
    }
    (gone, new)
}

#[test]
fn without_a_configuration_every_byte_stays() {
    for (name, text) in corpus().unwrap_or_default() {
        let run = run(&text, "");
        assert!(run.findings.is_empty(), "{name}: {:?}", run.codes());
        assert!(run.text.as_deref() == Some(text.as_str()), "{name} changed");
    }
}

#[test]
fn every_selector_ends_in_output_or_findings_and_twice_is_once() {
    for (name, text) in corpus().unwrap_or_default() {
        for selector in ["control-plane", "workers", "all", "template/none"] {
            for spec in [
                json!({}),
                json!({"kubeVip": "remove"}),
                json!({"binding": "addressesFromPools"}),
                json!({"renameTemplates": true}),
            ] {
                let config = config(selector, &Value::Null, &spec);
                let first = run(&text, &config);
                let Some(once) = first.text else {
                    assert!(!first.findings.is_empty(), "{name} {selector}");
                    continue;
                };
                let again = run(&once, &config);
                assert!(
                    again.text.as_deref() == Some(once.as_str()),
                    "{name} {selector} {spec}: {:?}",
                    again.codes()
                );
            }
        }
    }
}

#[test]
fn kube_vip_removal_is_upstreams_own_external_load_balancer_flavour() {
    let (Some(with), Some(without)) = (manifest("03"), manifest("04")) else {
        return;
    };
    assert!(
        done(&with, &only_kube_vip()) == without,
        "03 without kube-vip is not 04"
    );
    let nothing = run(&without, &only_kube_vip());
    assert!(nothing.edits.unwrap().is_empty());
}

#[test]
fn kube_vip_goes_as_a_set_from_the_three_file_shape() {
    for number in ["09", "14"] {
        let Some(text) = manifest(number) else { return };
        let output = done(&text, &only_kube_vip());
        let (gone, new) = changed_lines(&text, &output);
        assert!(new.is_empty(), "{number}: {new:?}");
        assert!(gone[0].trim() == "files:", "{number}: {}", gone[0]);
        assert_eq!(output.matches("kube-vip").count(), 0, "{number}");
        // The generic commands stay, for the control plane and for the workers.
        assert_eq!(
            output.matches("/etc/pre-kubeadm-commands").count(),
            text.matches("/etc/pre-kubeadm-commands").count() - 1
        );
    }
}

#[test]
fn kube_vip_goes_from_the_class_with_patch_variable_and_placeholder() {
    let Some(text) = manifest("05") else { return };
    let run = run(&text, &only_kube_vip());
    assert!(run.codes().contains(&"CI405"), "{:?}", run.codes());
    let output = run.expect("05");
    for word in ["kubeVip", "kube-vip"] {
        assert_eq!(output.matches(word).count(), 0, "{word}");
    }
    let (_, new) = changed_lines(&text, &output);
    assert!(new.is_empty(), "{new:?}");
}

#[test]
fn manifests_without_kube_vip_have_nothing_to_remove() {
    for number in ["01", "04", "22", "25", "49", "50"] {
        let Some(text) = manifest(number) else { return };
        let run = run(&text, &only_kube_vip());
        assert!(run.edits.is_some_and(|edits| edits.is_empty()), "{number}");
    }
}

#[test]
fn the_control_plane_of_upstreams_templates_gets_label_and_flags() {
    for (number, workers) in [("03", 1), ("04", 1), ("09", 1), ("14", 1), ("05", 1)] {
        let Some(text) = manifest(number) else { return };
        let output = done(&text, &choose("control-plane"));
        let all = templates(&output);
        assert_eq!(all.len(), 2, "{number}");
        let chosen: Vec<&Value> = all
            .iter()
            .filter(|template| template["metadata"]["labels"][LABEL] == "corpus-pool")
            .collect();
        assert_eq!((chosen.len(), all.len() - chosen.len()), (1, workers), "{number}");
        let nic = &chosen[0]["spec"]["template"]["spec"]["network"]["devices"][0];
        assert_eq!(
            (&nic["dhcp4"], &nic["dhcp6"]),
            (&json!(false), &json!(false)),
            "{number}"
        );
        let (gone, new) = changed_lines(&text, &output);
        assert_eq!(gone.len(), 1, "{number}: {gone:?}");
        assert!(gone[0].contains("dhcp4: true"), "{number}: {gone:?}");
        let pools: Vec<Value> = values(&output)
            .unwrap()
            .into_iter()
            .filter(|object| object["kind"] == "IPPool")
            .collect();
        assert_eq!(pools.len(), 1);
        // Label lines, two flags (or one where dhcp6 is off already), the pool and its marker.
        let flags = new.iter().filter(|line| line.contains("dhcp")).count();
        assert_eq!(flags, if number == "14" { 1 } else { 2 }, "{number}: {new:?}");
        assert_eq!(output.ends_with('\n'), text.ends_with('\n'), "{number}");
    }
}

#[test]
fn the_class_template_comes_with_a_warning() {
    let Some(text) = manifest("05") else { return };
    assert!(run(&text, &choose("control-plane")).codes().contains(&"CI219"));
}

#[test]
fn a_template_of_control_plane_and_workers_is_refused_for_one_and_taken_for_both() {
    let Some(text) = manifest("01") else { return };
    refused(&text, &choose("control-plane"), "CI203");
    refused(&text, &choose("workers"), "CI203");
    let output = done(&text, &choose("all"));
    // The load balancer's own NIC is none of ours.
    let balancer = values(&output)
        .unwrap()
        .into_iter()
        .find(|object| object["kind"] == "HAProxyLoadBalancer")
        .unwrap();
    assert!(balancer.to_string().contains("\"dhcp4\":true"));
}

#[test]
fn workers_without_a_cluster_are_possible() {
    let Some(text) = manifest("22") else { return };
    refused(&text, &choose("control-plane"), "CI102");
    let output = done(&text, &choose("workers"));
    let all = templates(&output);
    assert_eq!(all[0]["metadata"]["labels"][LABEL], "corpus-pool");
    let pool = values(&output)
        .unwrap()
        .into_iter()
        .find(|object| object["kind"] == "IPPool")
        .unwrap();
    assert!(pool["spec"]["clusterName"].is_null());
    assert_eq!(pool["metadata"]["namespace"], all[0]["metadata"]["namespace"]);
    // The network is an inventory path, which is no label value.
    assert!(pool["metadata"]["labels"].is_null());
    assert!(run(&text, &choose("workers")).codes().contains(&"CI106"));
}

#[test]
fn null_names_match_nothing_and_two_nics_need_a_network() {
    let Some(text) = manifest("25") else { return };
    for selector in ["control-plane", "workers", "all", "template/null", "template/~"] {
        assert!(run(&text, &choose(selector)).text.is_none(), "{selector}");
    }
    refused(&text, &choose("workers"), "CI201");
    refused(
        &text,
        &config("workers", &json!({"network": "nowhere"}), &json!({})),
        "CI201",
    );
    let named = text.replacen(
        "kind: VSphereMachineTemplate\nmetadata:\n  name: \n",
        "kind: VSphereMachineTemplate\nmetadata:\n  name: here\n",
        1,
    );
    assert!(named != text, "the template's name is not where it was");
    refused(&named, &choose("template/here"), "CI205");
    let first = templates(&named).remove(0);
    let networks: Vec<String> = first["spec"]["template"]["spec"]["network"]["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|nic| nic["networkName"].as_str().unwrap().to_owned())
        .collect();
    let output = done(
        &named,
        &config("template/here", &json!({"network": networks[1]}), &json!({})),
    );
    let devices = templates(&output).remove(0)["spec"]["template"]["spec"]["network"]["devices"].clone();
    assert_eq!(
        (&devices[0]["dhcp4"], &devices[1]["dhcp4"]),
        (&json!(true), &json!(false))
    );
    assert!(devices[0]["dhcp6"].is_null());
}

#[test]
fn ytt_and_class_patches_are_recognised_and_left_alone() {
    let (Some(ytt), Some(rke2)) = (manifest("30"), manifest("38")) else {
        return;
    };
    for selector in ["control-plane", "workers", "all"] {
        refused(&ytt, &choose(selector), "CI210");
        refused(&rke2, &choose(selector), "CI208");
    }
    for (name, text) in [("30", &ytt), ("38", &rke2)] {
        let run = run(text, &only_kube_vip());
        assert!(run.text.is_none(), "{name} is not refused, edits {:?}", run.edits);
    }
}

#[test]
fn a_template_alone_is_chosen_by_name_only() {
    let Some(text) = manifest("49") else { return };
    for selector in ["control-plane", "workers", "all"] {
        refused(&text, &choose(selector), "CI102");
    }
    let name = templates(&text)[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let output = done(&text, &choose(&format!("template/{name}")));
    let (gone, new) = changed_lines(&text, &output);
    assert!(
        gone.len() == 1 && gone[0].trim_start_matches(['-', ' ']) == "dhcp4: true",
        "{gone:?}"
    );
    assert!(
        !new.iter().any(|line| line.contains("dhcp6")),
        "dhcp6 is off already: {new:?}"
    );
    let pool = values(&output)
        .unwrap()
        .into_iter()
        .find(|object| object["kind"] == "IPPool")
        .unwrap();
    assert!(pool["metadata"]["labels"].is_null(), "`VM Network` is no label value");
}

#[test]
fn dhcp6_is_turned_off_too() {
    let Some(text) = manifest("50") else { return };
    let output = done(&text, &choose("control-plane"));
    let all = templates(&output);
    assert_eq!(all[0]["metadata"]["labels"][LABEL], "corpus-pool");
    let nic = &all[0]["spec"]["template"]["spec"]["network"]["devices"][0];
    assert_eq!((&nic["dhcp4"], &nic["dhcp6"]), (&json!(false), &json!(false)));
    let (gone, new) = changed_lines(&text, &output);
    assert!(gone.len() == 1 && gone[0].contains("dhcp6: true"), "{gone:?}");
    assert!(
        !new.iter().any(|line| line.contains("dhcp4")),
        "dhcp4 is off already: {new:?}"
    );
    assert!(
        run(&text, &choose("control-plane")).codes().contains(&"CI309"),
        "the endpoint is empty"
    );
}
