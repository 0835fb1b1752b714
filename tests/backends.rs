//! The load balancer's lists: worked examples, what is refused, and the law that a change and its way back end where they began.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods
)]
#![cfg(feature = "cli")]

#[path = "support/big_ip.rs"]
mod big_ip;
#[path = "support/plans.rs"]
mod plans;
#[path = "support/program.rs"]
mod program;
#[path = "support/skipped.rs"]
mod skipped;

use std::collections::BTreeSet;
use std::path::PathBuf;

use big_ip::BigIp;
use capv_ipam::addressing::Format;
use capv_ipam::backends::{MemberKind, MemberList, Wanted, form_problem, render, steps};
use plans::{cluster, codes, list, manifest, members, plan, rendered, whole, with_workers};
use program::Folder;
use proptest::prelude::*;
use serde_json::{Value, json};

const V4: [&str; 3] = ["15.235.38.172", "15.235.38.173", "15.235.38.174"];
const V6: [&str; 3] = ["2001:db8:38::172", "2001:db8:38::173", "2001:db8:38::174"];

fn demo() -> Value {
    plan(&[cluster("dkp-demo", "15.235.38.180", &V4, &[])])
}

fn demo6() -> Value {
    plan(&[cluster("dkp-demo6", "2001:db8:38::180", &V6, &[])])
}

/// Both clusters with a surge address and workers, for every format.
fn fleet() -> Value {
    let four = cluster("dkp-demo", "15.235.38.180", &V4, &["15.235.38.175"]);
    let four = with_workers(four, &["15.235.38.166", "15.235.38.167"]);
    let six = cluster("dkp-demo6", "2001:db8:38::180", &V6, &["2001:db8:38::175"]);
    let six = with_workers(six, &["2001:db8:38::166", "2001:db8:38::167"]);
    plan(&[six, four])
}

fn services() -> Value {
    json!({"services": [{"name": "ingress", "groups": ["workers"], "port": 443, "monitor": "https:/healthz"}]})
}

/// Recorded texts; `UPDATE_FIXTURES=1` writes them anew.
#[test]
fn every_format_is_as_recorded() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/backends");
    let (fleet, services) = (members(&fleet(), &services()), services());
    for format in Format::ALL {
        let file = folder.join(format!("fleet.{}", format.name()));
        let text = whole(&fleet, format);
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let recorded = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            recorded == text,
            "{} differs; UPDATE_FIXTURES=1 writes it anew\n{text}",
            file.display()
        );
    }
    assert!(services.is_object());
}

/// The examples of the demonstration clusters, whose slots are counted from 0 and called otherwise.
#[test]
fn the_worked_examples_are_what_is_printed() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/examples/f5");
    if !folder.is_dir() {
        skipped::missing("the worked examples of each format are not at hand");
        return;
    }
    let mapped = |text: String| {
        (0..3).fold(text, |text, slot| {
            let name = format!("control-plane-{}", slot + 1);
            text.replace(&format!("control-plane slot {slot}"), &name)
                .replace(&format!("# slot {slot}"), &format!("# {name}"))
                .replace(&format!("-cp-{slot}"), &format!("-{name}"))
        })
    };
    for (name, plan) in [("dkp-demo", demo()), ("dkp-demo6", demo6())] {
        let list = members(&plan, &json!({}));
        let texts = [
            ("tmsh", rendered(&list, Format::F5Tmsh, None, false)),
            ("rollback.tmsh", rendered(&list, Format::F5Tmsh, None, true)),
            ("as3.json", rendered(&list, Format::F5As3, None, false)),
            ("icontrol.json", rendered(&list, Format::F5Icontrol, None, false)),
            (
                "icontrol.rollback.json",
                rendered(&list, Format::F5Icontrol, None, true),
            ),
            ("nginx.conf", rendered(&list, Format::Nginx, None, false)),
            ("envoy.yaml", rendered(&list, Format::Envoy, None, false)),
        ];
        for (ending, text) in texts {
            let file = folder.join(format!("{name}.{ending}"));
            let example = mapped(std::fs::read_to_string(&file).unwrap());
            // Without it a member is probed once a minute until its first connection.
            let text = text.replace("          no_traffic_interval: 5s\n", "");
            assert!(example == text, "{}\n{text}", file.display());
        }
        let playbook: Value = serde_yaml::from_str(&rendered(&list, Format::F5Ansible, None, false)).unwrap();
        let example = mapped(std::fs::read_to_string(folder.join(format!("{name}.ansible.yml"))).unwrap());
        assert_eq!(playbook, serde_yaml::from_str::<Value>(&example).unwrap());
    }
    let moved = plan(&[cluster(
        "dkp-demo",
        "15.235.38.180",
        &[V4[0], "15.235.38.175", V4[2]],
        &[],
    )]);
    let (old, new) = (members(&demo(), &json!({})), members(&moved, &json!({})));
    for (file, rollback) in [("dkp-demo.change.tmsh", false), ("dkp-demo.change.rollback.tmsh", true)] {
        let text = rendered(&new, Format::F5Tmsh, Some(&old), rollback);
        let (notes, commands): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
        assert_eq!(notes.len(), 1, "{text}");
        let text = commands.join("\n") + "\n";
        assert_eq!(mapped(std::fs::read_to_string(folder.join(file)).unwrap()), text);
    }
}

#[test]
fn the_list_is_sorted_and_a_move_is_one_line() {
    let (a, b) = (
        cluster("a", "192.0.2.1", &["192.0.2.11"], &[]),
        cluster("b", "192.0.2.2", &["192.0.2.12"], &[]),
    );
    let forth = members(&plan(&[a.clone(), b.clone()]), &json!({}));
    let back = members(&plan(&[b.clone(), a]), &json!({}));
    for format in Format::ALL {
        assert_eq!(whole(&forth, format), whole(&back, format), "{}", format.name());
    }
    let moved = cluster("a", "192.0.2.1", &["192.0.2.19"], &[]);
    let moved = members(&plan(&[moved, b]), &json!({}));
    for (format, most) in [
        (Format::Table, 1),
        (Format::List, 1),
        (Format::Csv, 1),
        (Format::Json, 1),
        (Format::Haproxy, 1),
        (Format::Nginx, 1),
        (Format::Envoy, 1),
        (Format::Keepalived, 1),
        (Format::F5As3, 1),
        (Format::F5Terraform, 1),
        // Name and address; node and pool; name and address.
        (Format::F5Ansible, 2),
        (Format::F5Tmsh, 2),
        (Format::F5Icontrol, 2),
    ] {
        let (one, other) = (whole(&forth, format), whole(&moved, format));
        assert_eq!(one.lines().count(), other.lines().count());
        let differ = one
            .lines()
            .zip(other.lines())
            .filter(|(one, other)| one != other)
            .count();
        assert_eq!(differ, most, "{}", format.name());
    }
}

#[test]
fn members_are_replicas_surge_or_the_pool() {
    let mut demo = demo();
    let cluster = &mut demo["clusters"][0];
    cluster["groups"][0]["surge"] = json!(1);
    cluster["groups"][0]["addresses"]
        .as_array_mut()
        .unwrap()
        .push(json!("15.235.38.175"));
    cluster["pools"][0]["addresses"] = json!(["15.235.38.172-15.235.38.177"]);
    let kinds = |members_wanted: &str| {
        let (list, _) = list(&demo, &json!({"members": members_wanted}));
        list.services[0]
            .members
            .iter()
            .map(|member| (member.address.to_string(), member.kind))
            .collect::<Vec<_>>()
    };
    let of = |last: u8, kind| (format!("15.235.38.{last}"), kind);
    let replicas: Vec<_> = (172..175).map(|last| of(last, MemberKind::Replica)).collect();
    assert_eq!(kinds("replicas"), replicas);
    let surge = [&replicas[..], &[of(175, MemberKind::Surge)]].concat();
    assert_eq!(kinds("surge"), surge);
    let pool = [&surge[..], &[of(176, MemberKind::Pool), of(177, MemberKind::Pool)]].concat();
    assert_eq!(kinds("pool"), pool);
    assert_eq!(codes(&demo, &json!({"members": "replicas"})), ["CI614"]);
}

/// A plan, changed at one place, and the keys of `backends`, with the codes that follow.
#[test]
fn what_would_be_wrong_is_refused() {
    let none = json!({});
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut demo = demo();
        change(&mut demo["clusters"][0]);
        demo
    };
    let host = |host: &str| {
        let host = host.to_owned();
        changed(&move |cluster| cluster["endpoint"]["host"] = json!(host))
    };
    let network = |cluster: &mut Value| {
        for slot in cluster["groups"][0]["slots"].as_array_mut().unwrap() {
            slot["nics"][0]["prefix"] = json!(27);
            slot["nics"][0]["gateway"] = json!("15.235.38.190");
        }
    };
    let beside = |address: &str| {
        let address = address.to_owned();
        changed(&move |cluster| {
            network(cluster);
            cluster["endpoint"]["host"] = json!(address);
        })
    };
    let cases: Vec<(Value, Value, &[&str])> = vec![
        (demo(), none.clone(), &[]),
        // The endpoint.
        (
            changed(&|cluster| cluster["endpoint"] = Value::Null),
            none.clone(),
            &["CI602"],
        ),
        (host("${VIP}"), none.clone(), &["CI602"]),
        (host("fe80::1%eth0"), none.clone(), &["CI602"]),
        (host("a b"), none.clone(), &["CI602"]),
        (host("0.0.0.0"), none.clone(), &["CI603"]),
        (host("0.1.2.3"), none.clone(), &["CI603"]),
        (host("255.255.255.255"), none.clone(), &["CI603"]),
        (host("127.0.0.1"), none.clone(), &["CI603"]),
        (host("127.255.0.9"), none.clone(), &["CI603"]),
        (host("::ffff:127.0.0.1"), none.clone(), &["CI603"]),
        (host("169.254.10.1"), none.clone(), &["CI603"]),
        (host("fe80::1"), none.clone(), &["CI603"]),
        (host("::1"), none.clone(), &["CI603"]),
        (host("::"), none.clone(), &["CI603"]),
        (host("ff02::1"), none.clone(), &["CI603"]),
        (beside("15.235.38.190"), none.clone(), &["CI603"]),
        (beside("15.235.38.160"), none.clone(), &["CI603"]),
        (beside("15.235.38.191"), none.clone(), &["CI603"]),
        (beside("15.235.38.180"), none.clone(), &[]),
        (host("15.235.38.173"), none.clone(), &["CI604"]),
        (
            changed(&|cluster| cluster["endpoint"]["port"] = Value::Null),
            none.clone(),
            &["CI613"],
        ),
        // The groups.
        (
            changed(&|cluster| cluster["groups"] = json!([])),
            none.clone(),
            &["CI601"],
        ),
        (
            changed(&|cluster| cluster["groups"][0]["role"] = json!("worker")),
            none.clone(),
            &["CI601"],
        ),
        (demo(), services(), &["CI601"]),
        (
            changed(&|cluster| cluster["groups"][0]["certainty"] = json!("set")),
            json!({"members": "replicas"}),
            &["CI606"],
        ),
        (
            changed(&|cluster| {
                cluster["groups"][0]["slots"] = json!([]);
                cluster["groups"][0]["replicas"] = Value::Null;
            }),
            none.clone(),
            &["CI607"],
        ),
        (
            changed(&|cluster| {
                cluster["groups"][0]["slots"] = json!([]);
                cluster["groups"][0]["replicas"] = Value::Null;
            }),
            json!({"members": "pool"}),
            &[],
        ),
        (
            changed(&|cluster| cluster["groups"][0]["addresses"] = json!([])),
            none.clone(),
            &["CI607"],
        ),
        (
            changed(&|cluster| cluster["pools"][0]["addresses"] = json!(["15.235.0.0-15.235.37.255"])),
            json!({"members": "pool"}),
            &["CI607"],
        ),
        (
            changed(&|cluster| drop(cluster["pools"][0].as_object_mut().unwrap().remove("addresses"))),
            json!({"members": "pool"}),
            &["CI607"],
        ),
        // Families and networks.
        (host("2001:db8::1"), none.clone(), &["CI608"]),
        (demo(), json!({"membersNetwork": "Storage"}), &["CI609"]),
        (demo(), json!({"membersNetwork": "Public"}), &[]),
        // Names.
        (
            changed(&|cluster| cluster["name"] = Value::Null),
            none.clone(),
            &["CI610"],
        ),
        // Two clusters.
        (
            plan(&[cluster("a", "192.0.2.1", &V4, &[]), cluster("b", "192.0.2.2", &V4, &[])]),
            none.clone(),
            &["CI612"],
        ),
        (
            plan(&[
                cluster("a", "192.0.2.1", &V4, &[]),
                cluster("b", "192.0.2.1", &["192.0.2.9"], &[]),
            ]),
            none.clone(),
            &["CI612"],
        ),
        (
            plan(&[
                cluster("a", "192.0.2.1", &V4, &[]),
                cluster("b", "15.235.38.172", &["192.0.2.9"], &[]),
            ]),
            none.clone(),
            &["CI604"],
        ),
        (
            demo(),
            json!({"services": [{"name": "api2", "groups": ["all"], "port": 6443}]}),
            &["CI612"],
        ),
    ];
    for (plan, backends, expected) in cases {
        assert_eq!(codes(&plan, &backends), expected, "{plan:#}\n{backends}");
    }
}

#[test]
fn two_nics_are_a_choice() {
    let mut demo = demo();
    let cluster = &mut demo["clusters"][0];
    let other = json!({"kind": "IPPool", "namespace": "default", "name": "storage"});
    for (index, slot) in cluster["groups"][0]["slots"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .enumerate()
    {
        let mut nic = slot["nics"][0].clone();
        nic["device"] = json!(1);
        nic["network"] = json!("Storage");
        nic["pool"] = other.clone();
        nic["address"] = json!(format!("10.0.0.{}", index + 1));
        slot["nics"].as_array_mut().unwrap().push(nic);
    }
    let mut pool = other;
    pool["addresses"] = json!(["10.0.0.1-10.0.0.9"]);
    cluster["pools"].as_array_mut().unwrap().push(pool);
    for last in 1..4 {
        cluster["groups"][0]["addresses"]
            .as_array_mut()
            .unwrap()
            .push(json!(format!("10.0.0.{last}")));
    }
    assert_eq!(codes(&demo, &json!({})), ["CI609"]);
    for (network, first) in [("Public", "15.235.38.172"), ("Storage", "10.0.0.1")] {
        let list = members(&demo, &json!({"membersNetwork": network}));
        let found = &list.services[0].members;
        assert_eq!((found.len(), found[0].address.to_string().as_str()), (3, first));
        assert!(found.iter().all(|member| member.kind == MemberKind::Replica));
    }
}

#[test]
fn of_two_families_the_members_have_that_of_the_vip() {
    for (vip, first) in [
        ("15.235.38.180", "15.235.38.172"),
        ("2001:db8:38::180", "2001:db8:38::172"),
    ] {
        let mut dual = cluster("dual", vip, &V4, &[]);
        let six = cluster("dual", vip, &V6, &[]);
        for (slot, other) in dual["groups"][0]["slots"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .zip(six["groups"][0]["slots"].as_array().unwrap())
        {
            let mut nic = other["nics"][0].clone();
            nic["pool"]["name"] = json!("six");
            slot["nics"].as_array_mut().unwrap().push(nic);
        }
        dual["groups"][0]["addresses"]
            .as_array_mut()
            .unwrap()
            .extend(V6.map(Value::from));
        let mut pool = six["pools"][0].clone();
        pool["name"] = json!("six");
        dual["pools"].as_array_mut().unwrap().push(pool);
        let found = members(&plan(&[dual.clone()]), &json!({}));
        assert_eq!(found.services[0].members.len(), 3);
        assert_eq!(found.services[0].members[0].address.to_string(), first);
        dual["endpoint"]["host"] = json!("api.example");
        assert_eq!(codes(&plan(&[dual]), &json!({})), ["CI608"]);
    }
}

#[test]
fn a_name_never_becomes_a_command() {
    let hostile = [
        "a_b",
        "a-",
        "a..b",
        "a.-b",
        "a b",
        "a\nb",
        "a\"b",
        "a'b",
        "a{b",
        "a}b",
        "a;b",
        "a`b",
        "a?b",
        "a\\b",
        "$(reboot)",
        "${NAME}",
        "a$b",
        "a[b]",
        "a|b",
        "a&b",
        "a#b",
        "a/b",
        "a%b",
        "a<b",
        "{{ x }}",
        "{% x %}",
        "a,b",
        "=1+1",
        "-a",
        ".a",
        "",
        "ä",
        "a\u{0}b",
        "a\tb",
    ];
    for name in hostile {
        let mut plan = demo();
        plan["clusters"][0]["name"] = json!(name);
        assert_eq!(codes(&plan, &json!({})), ["CI610"], "{name:?}");
        let mut plan = demo();
        plan["clusters"][0]["groups"][0]["name"] = json!(name);
        assert_eq!(codes(&plan, &json!({})), ["CI610"], "{name:?}");
        let mut plan = demo();
        plan["clusters"][0]["groups"][0]["slots"][1]["name"] = json!(name);
        assert_eq!(codes(&plan, &json!({})), ["CI610"], "{name:?}");
        let mut plan = demo();
        plan["clusters"][0]["endpoint"]["host"] = json!(name);
        assert_eq!(codes(&plan, &json!({})), ["CI602"], "{name:?}");
        let mut plan = demo();
        plan["clusters"][0]["groups"][0]["addresses"][0] = json!(name);
        assert_eq!(codes(&plan, &json!({})), ["CI607"], "{name:?}");
    }
}

/// Kubernetes takes lower-case names only (RFC 1123), and a tenant called Common is the device's own.
#[test]
fn names_that_kubernetes_refuses_are_refused() {
    for (name, expected) in [
        ("Common", &["CI610"][..]),
        ("A", &["CI610"]),
        ("a.", &["CI610"]),
        ("common", &[]),
        ("1a.b-c", &[]),
    ] {
        let mut plan = demo();
        plan["clusters"][0]["name"] = json!(name);
        assert_eq!(codes(&plan, &json!({})), expected, "{name:?}");
    }
}

fn refusals(list: &MemberList, format: Format) -> BTreeSet<&'static str> {
    let wanted = Wanted {
        list,
        against: None,
        rollback: false,
    };
    let findings = render(format, wanted).err().unwrap_or_default();
    findings.iter().map(|found| found.finding.code.id).collect()
}

#[test]
fn a_host_name_is_refused_where_an_address_is_needed() {
    let mut plan = demo();
    plan["clusters"][0]["endpoint"]["host"] = json!("api.demo.example");
    let list = members(&plan, &json!({}));
    for format in Format::ALL {
        let allowed = [
            Format::Haproxy,
            Format::Nginx,
            Format::Table,
            Format::List,
            Format::Csv,
            Format::Json,
        ];
        let expected: &[&str] = if allowed.contains(&format) { &[] } else { &["CI605"] };
        assert_eq!(
            refusals(&list, format).into_iter().collect::<Vec<_>>(),
            expected,
            "{}",
            format.name()
        );
    }
}

#[test]
fn names_that_become_one_are_refused() {
    let two = |one: &str, other: &str| {
        members(
            &plan(&[
                cluster(one, "192.0.2.1", &["192.0.2.11"], &[]),
                cluster(other, "192.0.2.2", &["192.0.2.12"], &[]),
            ]),
            &json!({}),
        )
    };
    let refused = |list: &MemberList| -> Vec<&'static str> {
        Format::ALL
            .into_iter()
            .filter(|format| refusals(list, *format).contains("CI611"))
            .map(Format::name)
            .collect()
    };
    assert_eq!(refused(&two("a", "b")), [""; 0]);
    // AS3 and Terraform know no hyphens and dots.
    assert_eq!(refused(&two("a-b", "a.b")), ["f5-as3", "f5-terraform"]);
    // A name that begins with a digit gets a letter in front.
    let lettered = refused(&two("1a", "c-1a"));
    assert!(
        lettered.contains(&"f5-tmsh") && lettered.contains(&"haproxy"),
        "{lettered:?}"
    );
    // Long names are shortened and stay apart.
    let long = "x".repeat(200);
    assert_eq!(refused(&two(&format!("{long}a"), &format!("{long}b"))), [""; 0]);
    // Named nodes.
    let named = |template: &str| members(&fleet(), &json!({"nodeName": template}));
    assert!(refused(&named("{cluster}-{slot}")).is_empty());
    assert!(refusals(&named("{slot}"), Format::F5Tmsh).contains("CI611"));
    assert!(refusals(&named("{address}-n"), Format::F5Tmsh).contains("CI610"));
}

#[test]
fn forms_that_a_format_does_not_have_are_named() {
    for format in Format::ALL {
        let problem = |against, rollback| form_problem(format, against, rollback);
        assert_eq!(problem(false, false), None);
        let whole_only = matches!(
            format,
            Format::F5Terraform | Format::Haproxy | Format::Nginx | Format::Keepalived | Format::Envoy
        );
        assert_eq!(problem(true, false).is_some(), whole_only, "{}", format.name());
        assert_eq!(problem(true, true).is_some(), whole_only);
        let for_people = matches!(format, Format::Table | Format::List | Format::Csv | Format::Json);
        assert_eq!(problem(false, true).is_some(), whole_only || for_people);
    }
}

#[test]
fn vips_can_be_handed_over_but_not_exchanged() {
    let two = |a: &str, b: &str| {
        let plan = plan(&[
            cluster("a", a, &["192.0.2.11"], &[]),
            cluster("b", b, &["192.0.2.12"], &[]),
        ]);
        members(&plan, &json!({}))
    };
    let (old, new) = (two("192.0.2.1", "192.0.2.2"), two("192.0.2.2", "192.0.2.1"));
    let refused = steps(&old, &new).unwrap_err();
    assert!(refused.iter().all(|found| found.finding.code.id == "CI617"));
    // A chain is no exchange, and a renamed cluster takes the VIP over.
    hand_over(&old, &two("192.0.2.3", "192.0.2.1"));
    let renamed = plan(&[
        cluster("c", "192.0.2.1", &["192.0.2.11"], &[]),
        cluster("b", "192.0.2.2", &["192.0.2.12"], &[]),
    ]);
    hand_over(&old, &members(&renamed, &json!({})));
}

/// Change and way back, at the model of the balancer, in every format that has them.
fn hand_over(old: &MemberList, new: &MemberList) {
    let run = |text: &str, state: &mut BigIp| state.tmsh(text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    let made = |list: &MemberList| {
        let mut state = BigIp::default();
        run(&whole(list, Format::F5Tmsh), &mut state);
        state
    };
    let (start, end) = (made(old), made(new));
    let mut state = start.clone();
    run(&rendered(new, Format::F5Tmsh, Some(old), false), &mut state);
    assert_eq!(state, end);
    run(&rendered(new, Format::F5Tmsh, Some(old), true), &mut state);
    assert_eq!(state, start);
    run(&rendered(old, Format::F5Tmsh, None, true), &mut state);
    assert_eq!(state, BigIp::default());

    for format in [Format::F5Icontrol, Format::F5Ansible, Format::F5As3] {
        let run = |text: &str, state: &mut BigIp| {
            let done = match format {
                Format::F5Icontrol => state.icontrol(text),
                Format::F5Ansible => state.ansible(text),
                _ => state.as3(text),
            };
            done.unwrap_or_else(|why| panic!("{why}\n{text}"));
        };
        let made = |list: &MemberList| {
            let mut state = BigIp::default();
            run(&whole(list, format), &mut state);
            state
        };
        let (from, to) = (made(old), made(new));
        if format == Format::F5Icontrol {
            assert_eq!(
                (from.clone().plain(), to.clone().plain()),
                (start.clone().plain(), end.clone().plain())
            );
        }
        let mut state = from.clone();
        run(&rendered(new, format, Some(old), false), &mut state);
        assert_eq!(state, to, "{}", format.name());
        run(&rendered(new, format, Some(old), true), &mut state);
        assert_eq!(state, from, "{}", format.name());
        run(&rendered(old, format, None, true), &mut state);
        assert_eq!(state, BigIp::default(), "{}", format.name());
    }
}

/// Services of one cluster share nodes: what one pool gives up, another still holds.
#[test]
fn services_that_share_nodes_change_and_go_back() {
    let services = json!({"services": [
        {"name": "ingress", "groups": ["workers"], "port": 443},
        {"name": "all", "groups": ["all"], "port": 9345},
    ]});
    let shared = |workers: &[&str], replicas: &[&str]| {
        let one = cluster("harbour", "198.51.100.5", replicas, &["198.51.100.13"]);
        members(&plan(&[with_workers(one, workers)]), &services)
    };
    let old = shared(&["198.51.100.20", "198.51.100.21"], &["198.51.100.10", "198.51.100.11"]);
    let new = shared(&["198.51.100.21", "198.51.100.22"], &["198.51.100.11", "198.51.100.12"]);
    hand_over(&old, &new);
    hand_over(&old, &old);
    for (text, removals) in [
        (rendered(&new, Format::F5Ansible, Some(&old), false), 4),
        (rendered(&old, Format::F5Ansible, None, true), 0),
    ] {
        let members: Vec<&str> = text
            .split("\n\n")
            .filter(|task| task.contains("bigip_pool_member"))
            .collect();
        let absent: Vec<&&str> = members.iter().filter(|task| task.contains("state: absent")).collect();
        assert_eq!(absent.len(), removals, "{text}");
        assert!(absent.iter().all(|task| task.contains("preserve_node: true")), "{text}");
        let first = text.find("bigip_node:").unwrap();
        assert!(!text[first..].contains("bigip_pool"), "{text}");
    }
}

/// Whoever applies single changes is told to wait at the place where it counts.
#[test]
fn the_wait_stands_before_the_first_drain() {
    let moved = |first: &str| {
        members(
            &plan(&[cluster("demo", "192.0.2.1", &[first, "192.0.2.12"], &[])]),
            &json!({}),
        )
    };
    let (old, new) = (moved("192.0.2.11"), moved("192.0.2.13"));
    for (format, wait, drain) in [
        (Format::F5Tmsh, "# Wait here", "user-disabled"),
        (Format::F5Ansible, "ansible.builtin.pause", "state: disabled"),
    ] {
        for rollback in [false, true] {
            let text = rendered(&new, format, Some(&old), rollback);
            let (before, rest) = text.split_once(wait).unwrap_or_else(|| panic!("{text}"));
            assert!(!before.contains(drain) && rest.contains(drain), "{text}");
            assert!(before.contains("192.0.2.1") && !rest.contains(wait), "{text}");
        }
        // Nothing is drained where nothing leaves.
        assert!(!rendered(&old, format, Some(&old), false).contains(wait));
        assert!(!whole(&old, format).contains(wait) && !rendered(&old, format, None, true).contains(wait));
    }
}

/// A fleet of up to three clusters on shared addresses and VIPs.
fn fleets() -> impl Strategy<Value = Value> {
    let addresses: Vec<String> = (11..30).map(|last| format!("192.0.2.{last}")).collect();
    let vips: Vec<String> = (1..6).map(|last| format!("192.0.2.{last}")).collect();
    let names = Just(vec!["a", "b", "c"]);
    let sizes = proptest::collection::vec((1_usize..4, 0_usize..3), 3);
    (
        names.prop_shuffle(),
        Just(addresses).prop_shuffle(),
        Just(vips).prop_shuffle(),
        sizes,
        1_usize..4,
    )
        .prop_map(|(names, addresses, vips, sizes, clusters)| {
            let mut rest = &addresses[..];
            let clusters: Vec<Value> = (0..clusters)
                .map(|index| {
                    let (replicas, surge) = sizes[index];
                    let (mine, others) = rest.split_at(replicas + surge);
                    rest = others;
                    let texts: Vec<&str> = mine.iter().map(String::as_str).collect();
                    cluster(names[index], &vips[index], &texts[..replicas], &texts[replicas..])
                })
                .collect();
            plan(&clusters)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_change_and_its_way_back_end_where_they_began(
        old in fleets(),
        new in fleets(),
        template in prop_oneof![Just(None), Just(Some("{cluster}-{slot}")), Just(Some("n-{address}"))],
        route_domain in prop_oneof![Just(0_u16), Just(7)],
    ) {
        let backends = json!({"nodeName": template, "routeDomain": route_domain});
        let (old, new) = (members(&old, &backends), members(&new, &backends));
        prop_assume!(steps(&old, &new).is_ok() && steps(&new, &old).is_ok());
        hand_over(&old, &new);
    }

    /// New members come first: between two steps no virtual server has fewer members than in the smaller of both lists.
    #[test]
    fn no_service_loses_members_on_the_way(old in fleets(), new in fleets()) {
        let (old, new) = (members(&old, &json!({})), members(&new, &json!({})));
        prop_assume!(steps(&old, &new).is_ok());
        let mut state = BigIp::default();
        state.tmsh(&whole(&old, Format::F5Tmsh)).unwrap();
        let fewest = old.services.iter().chain(&new.services).map(|service| service.members.len()).min().unwrap();
        let least = state.tmsh(&rendered(&new, Format::F5Tmsh, Some(&old), false)).unwrap();
        prop_assert!(least >= fewest, "{least} of {fewest}");
    }
}

fn two_clusters() -> Folder {
    let folder = Folder::new();
    folder.write("a.yaml", manifest("a", "192.0.2.1", "192.0.2.11", "192.0.2.14"));
    folder.write("b.yaml", manifest("b", "192.0.2.2", "192.0.2.21", "192.0.2.24"));
    folder
}

#[test]
fn manifests_and_saved_plans_give_the_same_list() {
    let folder = two_clusters();
    let all = folder.run(&["backends", "-f", "b.yaml", "-f", "a.yaml", "--format", "list"]);
    let expected =
        "192.0.2.11:6443\n192.0.2.12:6443\n192.0.2.13:6443\n192.0.2.21:6443\n192.0.2.22:6443\n192.0.2.23:6443\n";
    assert_eq!((all.code, all.stdout.as_str()), (0, expected), "{}", all.stderr);
    for (cluster, plan) in [("a", "a.plan.json"), ("b", "b.plan.json")] {
        let plan_of = folder.run(&["plan", "-f", &format!("{cluster}.yaml"), "-o", "json"]);
        folder.write(plan, plan_of.stdout);
    }
    let saved = folder.run(&["backends", "-f", "a.plan.json", "-f", "b.plan.json", "--format", "list"]);
    assert_eq!((saved.code, saved.stdout.as_str()), (0, expected), "{}", saved.stderr);
    for wanted in ["b", "default/b"] {
        let one = folder.run(&[
            "backends",
            "-f",
            "a.yaml",
            "-f",
            "b.yaml",
            "--cluster",
            wanted,
            "--format",
            "list",
        ]);
        assert_eq!(one.stdout, &expected[expected.len() / 2..], "{}", one.stderr);
    }
    let mixed = folder.run(&["backends", "-f", "a.plan.json", "-f", "b.yaml"]);
    assert_eq!(mixed.code, 2);
    assert!(mixed.stderr.contains("not both"), "{}", mixed.stderr);
    let flags = folder.run(&["backends", "-f", "a.plan.json", "--prefix", "24"]);
    assert_eq!(flags.code, 2, "{}", flags.stdout);
    // What is wrong in the second plan is shown there.
    let other = folder.read("b.plan.json").replace("192.0.2.2\"", "192.0.2.1\"");
    folder.write("b.plan.json", other);
    let twice = folder.run(&["backends", "-f", "a.plan.json", "-f", "b.plan.json"]);
    assert_eq!((twice.code, twice.stdout.as_str()), (2, ""));
    assert!(
        twice.stderr.contains("error[CI612]") && twice.stderr.contains("--> b.plan.json:"),
        "{}",
        twice.stderr
    );
}

#[test]
fn flags_lie_over_single_keys_of_every_configuration() {
    let folder = two_clusters();
    let config = |cluster: &str, backends: &str| {
        format!(
            "apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\nspec:\n  cluster: {cluster}\n  backends: {backends}\n"
        )
    };
    folder.write(
        "config.yaml",
        [config("a", "{port: 7443}"), config("b", "{members: replicas}")].join("---\n"),
    );
    let run = |flags: &[&str]| {
        let given = [
            "backends",
            "-f",
            "a.yaml",
            "-f",
            "b.yaml",
            "--config",
            "config.yaml",
            "--format",
            "list",
        ];
        folder.run(&[&given[..], flags].concat())
    };
    let both = run(&["--monitor", "tcp"]);
    let expected = "192.0.2.11:7443\n192.0.2.12:7443\n192.0.2.13:7443\n192.0.2.21:6443\n192.0.2.22:6443\n";
    assert_eq!((both.code, both.stdout.as_str()), (0, expected), "{}", both.stderr);
    let over = run(&["--port", "8443", "--cluster", "b"]);
    assert_eq!(
        (over.code, over.stdout.as_str()),
        (0, "192.0.2.21:8443\n192.0.2.22:8443\n"),
        "{}",
        over.stderr
    );
    // An error names the flag, or the place of the key.
    let wrong = run(&["--port", "70000"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("--port:"), "{}", wrong.stderr);
    folder.write("config.yaml", config("a", "{port: 7443, nodeName: \"{ip}\"}"));
    let wrong = run(&["--members", "pool"]);
    assert!(
        wrong.code == 2 && wrong.stderr.contains("--> config.yaml:5:"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn accepted_findings_are_not_reported() {
    let folder = two_clusters();
    let config = "apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\nspec:\n  cluster: a\n  backends: {members: replicas}\n  \
                  accept: [{code: CI614, reason: maxSurge stays}]\n";
    folder.write("config.yaml", config);
    let run = folder.run(&[
        "backends",
        "-f",
        "a.yaml",
        "--config",
        "config.yaml",
        "--format",
        "list",
    ]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    // transform knows nothing of it, and does not call it unused.
    let run = folder.run(&["transform", "-f", "a.yaml", "--config", "config.yaml"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    // An error would leave the list incomplete.
    folder.write("config.yaml", config.replace("CI614", "CI601"));
    let run = folder.run(&["backends", "-f", "a.yaml", "--config", "config.yaml"]);
    assert!(
        run.code == 2 && run.stderr.contains("CI601 cannot be accepted"),
        "{}",
        run.stderr
    );
}

#[test]
fn transform_writes_all_lists_or_nothing() {
    let folder = two_clusters();
    let all = [
        "transform",
        "-f",
        "a.yaml",
        "--write-backends",
        "f5-tmsh=a.tmsh",
        "--write-backends",
        "haproxy=a.cfg",
        "--write-plan",
        "a.plan",
    ];
    let ran = folder.run(&all);
    assert_eq!((ran.code, ran.stdout), (0, folder.read("a.yaml")), "{}", ran.stderr);
    for (format, file) in [("f5-tmsh", "a.tmsh"), ("haproxy", "a.cfg")] {
        let alone = folder.run(&["backends", "-f", "a.yaml", "--format", format]);
        assert_eq!(folder.read(file), alone.stdout);
        let saved = folder.run(&["backends", "-f", "a.plan", "--format", format]);
        assert_eq!(folder.read(file), saved.stdout);
    }
    let refused: [&[&str]; 6] = [
        // The second list cannot be: a host name has no AS3 form. Nor can the file of the second.
        &[
            "-f",
            "host.yaml",
            "--write-backends",
            "haproxy=new",
            "--write-backends",
            "f5-as3=other",
        ],
        &[
            "-f",
            "a.yaml",
            "--write-backends",
            "haproxy=new",
            "--write-backends",
            "csv=nowhere/other",
        ],
        &[
            "-f",
            "a.yaml",
            "--write-backends",
            "haproxy=new",
            "--write-backends",
            "csv=new",
        ],
        &[
            "-f",
            "a.yaml",
            "--write-plan",
            "new",
            "--write-backends",
            "f5-scf=other",
        ],
        &[
            "-f",
            "a.yaml",
            "--write-plan",
            "new",
            "--write-backends",
            "csv=other",
            "--node-name",
            "{ip}",
        ],
        &[
            "-f",
            "none.yaml",
            "--write-plan",
            "new",
            "--write-backends",
            "csv=other",
        ],
    ];
    folder.write("host.yaml", manifest("a", "api.example", "192.0.2.11", "192.0.2.14"));
    folder.write("none.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    let before = folder.state();
    for flags in refused {
        for write in [&[][..], &["-w"]] {
            let ran = folder.run(&[&["transform"], flags, write].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{flags:?}");
            assert_eq!(folder.state(), before, "{flags:?}");
        }
    }
}
