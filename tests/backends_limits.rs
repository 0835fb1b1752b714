//! What a balancer, its tool or the device behind it cannot hold is refused or said; files that a run reads are never written over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]
#![cfg(feature = "cli")]

#[path = "support/plans.rs"]
mod plans;
#[path = "support/program.rs"]
mod program;

use capv_ipam::addressing::Format;
use capv_ipam::backends::{MemberList, Wanted, render};
use plans::{cluster, manifest, members, plan, rendered, whole};
use program::Folder;
use serde_json::{Value, json};

/// What is said about a list in a format, refused or not.
fn said(list: &MemberList, format: Format, against: Option<&MemberList>) -> Vec<(&'static str, String)> {
    let wanted = Wanted {
        list,
        against,
        rollback: false,
    };
    let findings = match render(format, wanted) {
        Ok((_, findings)) | Err(findings) => findings,
    };
    findings
        .into_iter()
        .map(|found| (found.finding.code.id, found.finding.help.clone().unwrap_or_default()))
        .collect()
}

fn codes(list: &MemberList, format: Format) -> Vec<&'static str> {
    said(list, format, None).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn two_host_names_on_one_port_share_no_listener() {
    let two = |vips: [&str; 2], other_port: u16, backends: Value| {
        let mut other = cluster("b", vips[1], &["192.0.2.12"], &[]);
        other["endpoint"]["port"] = json!(other_port);
        members(&plan(&[cluster("a", vips[0], &["192.0.2.11"], &[]), other]), &backends)
    };
    let hosts = ["api0.example.com", "api1.example.com"];
    for format in [Format::Haproxy, Format::Nginx] {
        let name = format.name();
        assert_eq!(codes(&two(hosts, 6443, json!({})), format), ["CI612"], "{name}");
        assert_eq!(codes(&two(hosts, 7443, json!({})), format), [""; 0], "{name}");
        assert_eq!(
            codes(&two(["192.0.2.1", hosts[1]], 6443, json!({})), format),
            [""; 0],
            "{name}"
        );
    }
    // The lists tell the services apart.
    for format in [Format::Table, Format::List, Format::Csv, Format::Json] {
        assert_eq!(codes(&two(hosts, 6443, json!({})), format), [""; 0]);
    }
}

/// Route domains keep equal VIPs apart on a BIG-IP, and nowhere else.
#[test]
fn a_host_knows_no_route_domains() {
    let one = |name: &str, member: &str, id: u16| {
        members(
            &plan(&[cluster(name, "192.0.2.1", &[member], &[])]),
            &json!({"routeDomain": id}),
        )
    };
    let mut both = one("a", "192.0.2.11", 1);
    both.services.extend(one("b", "192.0.2.12", 2).services);
    both.services[1].index = 1;
    for format in [Format::Haproxy, Format::Nginx, Format::Keepalived, Format::Envoy] {
        assert_eq!(codes(&both, format), ["CI612"], "{}", format.name());
    }
    for format in [Format::F5Tmsh, Format::F5Icontrol, Format::F5Ansible] {
        assert_eq!(codes(&both, format), [""; 0], "{}", format.name());
    }
}

#[test]
fn ansible_cannot_name_ipv6_members_in_a_route_domain_by_address() {
    let six = |backends: Value| {
        let plan = plan(&[cluster(
            "fjord",
            "2001:db8:7::5",
            &["2001:db8:7::10"],
            &["2001:db8:7::11"],
        )]);
        members(&plan, &backends)
    };
    let (plain, domain) = (six(json!({})), six(json!({"routeDomain": 7})));
    let named = six(json!({"routeDomain": 7, "nodeName": "{cluster}-{slot}"}));
    assert_eq!(codes(&plain, Format::F5Ansible), [""; 0]);
    assert_eq!(codes(&named, Format::F5Ansible), [""; 0]);
    let refused = said(&domain, Format::F5Ansible, None);
    assert_eq!(refused[0].0, "CI610");
    assert!(refused[0].1.contains("--node-name"), "{refused:?}");
    assert_eq!(said(&plain, Format::F5Ansible, Some(&domain))[0].0, "CI610");
    assert_eq!(codes(&domain, Format::F5Tmsh), [""; 0]);
    assert!(whole(&domain, Format::F5Tmsh).contains("/Common/2001:db8:7::10%7.6443"));
}

/// An AS3 tenant makes the virtual address of its VIP, and the device has it once (f5-appsvcs-extension 741).
#[test]
fn as3_keeps_a_vip_in_one_tenant() {
    let two = |backends: Value| {
        let mut other = cluster("c1", "10.0.0.5", &["10.1.0.10"], &[]);
        other["endpoint"]["port"] = json!(7443);
        members(
            &plan(&[cluster("c0", "10.0.0.5", &["10.0.0.10"], &[]), other]),
            &backends,
        )
    };
    let refused = said(&two(json!({})), Format::F5As3, None);
    assert_eq!(refused[0].0, "CI612");
    assert!(refused[0].1.contains("--partition NAME"), "{refused:?}");
    assert_eq!(codes(&two(json!({"partition": "K8S"})), Format::F5As3), ["CI618"]);
    assert_eq!(codes(&two(json!({})), Format::F5Tmsh), [""; 0]);
}

#[test]
fn envoy_probes_members_without_connections_as_often_as_others() {
    let list = members(&plan(&[cluster("a", "192.0.2.1", &["192.0.2.11"], &[])]), &json!({}));
    let text = whole(&list, Format::Envoy);
    assert!(
        text.contains("          interval: 5s\n          no_traffic_interval: 5s\n"),
        "{text}"
    );
}

/// A node keeps its address, so a name that moves on goes before it comes: that is said.
#[test]
fn node_names_that_move_to_other_addresses_are_warned_of() {
    let at = |addresses: &[&str], template: &str| {
        members(
            &plan(&[cluster("demo", "192.0.2.1", addresses, &[])]),
            &json!({"nodeName": template}),
        )
    };
    let list = ["192.0.2.11", "192.0.2.12", "192.0.2.13"];
    let later = ["192.0.2.12", "192.0.2.13", "192.0.2.14"];
    for format in [Format::F5Tmsh, Format::F5Icontrol, Format::F5Ansible] {
        let (old, new) = (at(&list, "{cluster}-{slot}"), at(&later, "{cluster}-{slot}"));
        assert_eq!(said(&new, format, Some(&old))[0].0, "CI619", "{}", format.name());
        assert_eq!(said(&old, format, Some(&old)), []);
        let (old, new) = (at(&list, "{cluster}-{address}"), at(&later, "{cluster}-{address}"));
        assert_eq!(said(&new, format, Some(&old)), []);
        assert!(!rendered(&new, format, Some(&old), false).is_empty());
    }
}

fn one_cluster() -> Folder {
    let folder = Folder::new();
    folder.write("own.yaml", manifest("a", "192.0.2.1", "192.0.2.11", "192.0.2.14"));
    folder.write(
        "config.yaml",
        "apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\nspec: {cluster: a, backends: {port: 6443}}\n",
    );
    folder
}

#[test]
fn an_input_is_never_written_over() {
    let folder = one_cluster();
    let before = folder.state();
    for target in ["own.yaml", "./own.yaml", "config.yaml"] {
        let list = format!("csv={target}");
        for flags in [["--write-backends", &list], ["--write-plan", target]] {
            for write in [&[][..], &["-w"]] {
                let given = ["transform", "-f", "own.yaml", "--config", "config.yaml"];
                let ran = folder.run(&[&given, &flags[..], write].concat());
                assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{flags:?}");
                assert!(ran.stderr.contains("is an input of this run"), "{}", ran.stderr);
                assert_eq!(folder.state(), before, "{flags:?}");
            }
        }
    }
}

#[test]
fn a_report_is_never_written_over_another_file_of_the_run() {
    let folder = one_cluster();
    let plan = ["plan", "-f", "own.yaml", "--config", "config.yaml"];
    let backends = [
        "backends",
        "-f",
        "own.yaml",
        "--config",
        "config.yaml",
        "--format",
        "csv",
    ];
    folder.write("plan.yaml", &folder.run(&[&plan[..], &["-o", "yaml"]].concat()).stdout);
    let against = ["--against", "plan.yaml"];
    let transform = ["transform", "-f", "own.yaml", "--config", "config.yaml"];
    let before = folder.state();
    for (given, report) in [
        (plan.to_vec(), "json=own.yaml"),
        (plan.to_vec(), "sarif=./config.yaml"),
        (
            ["check", "-f", "own.yaml", "--config", "config.yaml"].to_vec(),
            "json=own.yaml",
        ),
        ([&plan[..], &against].concat(), "json=plan.yaml"),
        ([&backends[..], &against].concat(), "json=./plan.yaml"),
        (
            [&transform[..], &["--write-plan", "new.yaml"]].concat(),
            "json=new.yaml",
        ),
        (
            [&transform[..], &["--write-backends", "csv=new.csv"]].concat(),
            "json=./new.csv",
        ),
    ] {
        let ran = folder.run(&[&given[..], &["--report", report]].concat());
        assert_eq!(ran.code, 2, "{given:?} {report}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("name another file for the report"),
            "{}",
            ran.stderr
        );
        assert_eq!(folder.state(), before, "{given:?} {report}");
    }
    // A report in the folder that is read is one of an earlier run.
    for form in ["json", "sarif"] {
        let report = format!("{form}={form}.out.json");
        let again = ["check", "-f", ".", "--report", &report];
        let first = folder.run(&again);
        assert_eq!(folder.run(&again).code, first.code, "{}", folder.run(&again).stderr);
    }
}

#[test]
fn a_port_that_is_none_is_an_error_at_its_place() {
    let folder = one_cluster();
    for port in ["70000", "-1", "abc", "1.5"] {
        folder.write(
            "own.yaml",
            folder.read("own.yaml").replace("port: 6443", &format!("port: {port}")),
        );
        for (verb, code) in [("backends", "CI602"), ("check", "CI314")] {
            let ran = folder.run(&[verb, "-f", "own.yaml"]);
            let text = format!("{}{}", ran.stdout, ran.stderr);
            assert_ne!(ran.code, 0, "{text}");
            assert!(text.contains(code) && text.contains(&format!("port {port}")), "{text}");
            assert!(text.contains("own.yaml:12:"), "{text}");
        }
        folder.write("own.yaml", manifest("a", "192.0.2.1", "192.0.2.11", "192.0.2.14"));
    }
    // What a later substitution fills in is no error.
    folder.write(
        "own.yaml",
        folder.read("own.yaml").replace("port: 6443", "port: \"${PORT}\""),
    );
    let ran = folder.run(&["backends", "-f", "own.yaml", "--format", "list"]);
    assert!(ran.code == 0 && ran.stderr.contains("CI613"), "{}", ran.stderr);
}

#[test]
fn texts_name_what_is_allowed() {
    let folder = one_cluster();
    let says = |arguments: &[&str], parts: &[&str]| {
        let ran = folder.run(&[&["backends"], arguments].concat());
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "{arguments:?}: {}",
            ran.stderr
        );
        for part in parts {
            assert!(ran.stderr.contains(part), "{arguments:?}: {part}\n{}", ran.stderr);
        }
    };
    let own = ["-f", "own.yaml"];
    let with = |more: &[&'static str]| -> Vec<&str> { [&own[..], more].concat() };
    says(&with(&["--port", "70000"]), &["1 to 65535"]);
    says(&with(&["--route-domain", "70000"]), &["0 to 65534"]);
    let long = "x".repeat(64);
    says(&[&own[..], &["--partition", &long]].concat(), &["at most 63"]);
    for name in ["kube-apiserver", "apiserver"] {
        says(
            &[&own[..], &["--service", &format!("{name}=workers:80")]].concat(),
            &[&format!("another service {name}")],
        );
    }
    says(
        &with(&["--cluster", "nope"]),
        &["no cluster nope", "the input's clusters are a"],
    );
    says(&with(&["--against", "own.yaml"]), &["not an AddressPlan"]);
    folder.write(
        "config.yaml",
        "apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\nspec: {cluster: a, backends: []}\n",
    );
    says(&with(&["--config", "config.yaml"]), &["`backends` must be a mapping"]);
}

#[test]
fn an_input_without_any_object_of_a_cluster_is_told_apart() {
    let folder = one_cluster();
    folder.write(
        "foo.yaml",
        "apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: x}\nspec: {addresses: [192.0.2.1]}\n",
    );
    let ran = folder.run(&["backends", "-f", "foo.yaml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("it holds no object of a cluster"), "{}", ran.stderr);
}

/// The settings of a run hold for both plans, so that a new service is no difference: the note says so.
#[test]
fn a_new_service_is_no_difference_and_that_is_said() {
    let folder = one_cluster();
    folder.write(
        "plan.json",
        folder.run(&["plan", "-f", "own.yaml", "-o", "json"]).stdout,
    );
    let ran = folder.run(&[
        "backends",
        "-f",
        "own.yaml",
        "--against",
        "plan.json",
        "--format",
        "f5-tmsh",
        "--service",
        "more=control-plane:9345",
    ]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    for part in ["no address changes", "services", "ports", "this run for both"] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
}
