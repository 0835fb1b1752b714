//! The plan as a page: the quickstart's is as recorded, every page is well-formed and loads nothing, no name breaks out of it, nothing of the plan is missing, and equal plans give equal bytes.
//!
//! `UPDATE_FIXTURES=1 cargo test --test plan_html` writes the recorded page anew; look at it in a browser before committing.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads its cases and says what it found"
)]
#![cfg(feature = "cli")]

#[path = "html/page.rs"]
mod page;

use std::fs;
use std::path::Path;
use std::process::Command;

use capv_ipam::addressing::read_configurations;
use capv_ipam::objects::Source;
use capv_ipam::outcome::{compute, plan};
use capv_ipam::planning::AddressPlan;
use capv_ipam::report::{Report, findings, plan_html};
use page::{cells, checked, shape, text};
use serde_json::{Value, json};

/// The plan of a manifest; none when the run is refused.
fn planned(input: &str, config: &str) -> Option<AddressPlan> {
    let files = [(1, config)];
    let files = if config.is_empty() { &[][..] } else { &files[..] };
    let configs = read_configurations(files, &json!({})).ok()?;
    let sources = [Source {
        name: "input.yaml",
        text: input,
    }];
    let outcome = compute(&sources, &configs, None);
    let mut plan = plan(&sources, outcome.edits.as_ref()?, None).ok()?;
    let texts = [("input.yaml", input), ("config.yaml", config)];
    plan.findings = findings(&Report {
        accepted: &[],
        findings: &outcome.findings,
        texts: &texts,
    });
    Some(plan)
}

fn root(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn fixture(name: &str) -> (String, String) {
    let read = |file: &str| fs::read_to_string(root(&format!("fixtures/{name}/{file}"))).unwrap();
    (read("input.yaml"), read("config.yaml"))
}

/// The plans of all fixtures that are not refused.
fn plans() -> Vec<(String, AddressPlan)> {
    let mut plans = Vec::new();
    for case in fs::read_dir(root("fixtures")).unwrap() {
        let case = case.unwrap().path();
        let input = ["input.yaml", "input.json"]
            .iter()
            .find_map(|name| fs::read_to_string(case.join(name)).ok())
            .unwrap();
        let config = fs::read_to_string(case.join("config.yaml")).unwrap();
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        plans.extend(planned(&input, &config).map(|plan| (name, plan)));
    }
    assert!(plans.len() > 20, "only {} fixtures give a plan", plans.len());
    plans
}

/// The names of all slots that a page shows; a run of alike machines is counted out.
fn slots_shown(machine: &str) -> Vec<String> {
    let Some((first, rest)) = machine.split_once(" to ") else {
        return vec![machine.to_owned()];
    };
    let (last, count) = rest.split_once(" (").unwrap();
    let number = |name: &str| {
        name.rsplit_once('-')
            .map(|(base, number)| (base.to_owned(), number.parse::<usize>().unwrap()))
            .unwrap()
    };
    let ((base, from), (_, to)) = (number(first), number(last));
    assert_eq!(count.replace(',', ""), format!("{} machines)", to - from + 1));
    (from..=to).map(|number| format!("{base}-{number}")).collect()
}

#[test]
fn the_page_of_the_quickstart_is_as_recorded() {
    let output = Command::new(env!("CARGO_BIN_EXE_capv-ipam"))
        .args([
            "plan",
            "-f",
            "examples/quickstart/cluster.yaml",
            "--config",
            "examples/quickstart/addressing.yaml",
            "-o",
            "html",
        ])
        .args(["--report", "json=/dev/null"])
        .current_dir(root(""))
        .output()
        .unwrap();
    assert!(output.status.success());
    let html = String::from_utf8(output.stdout).unwrap();
    let path = root("examples/quickstart/plan.html");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, &html).unwrap();
    }
    let recorded = fs::read_to_string(&path).unwrap();
    assert!(
        recorded == html,
        "{} differs; write it anew and look at it",
        path.display()
    );
    checked(&html);
}

#[test]
fn every_page_is_well_formed_and_loads_nothing() {
    for (name, plan) in plans() {
        println!("{name}");
        checked(&plan_html(&plan));
    }
}

#[test]
fn nothing_of_a_plan_is_missing_on_its_page() {
    let mut slots = 0;
    for (name, plan) in plans() {
        let html = plan_html(&plan);
        let page = checked(&html);
        let all = text(page.root_element());
        let mut machines: Vec<String> = cells(&page, "Machine")
            .iter()
            .flat_map(|cell| slots_shown(cell))
            .collect();
        let mut wanted = Vec::new();
        let must = |part: &str| assert!(all.contains(part), "{name}: {part} is missing");
        for cluster in &plan.clusters {
            cluster.name.iter().for_each(|name| must(name));
            cluster.endpoint.iter().for_each(|endpoint| must(&endpoint.host));
            for pool in &cluster.pools {
                must(&pool.pool.name);
                pool.addresses.iter().for_each(|range| must(range));
            }
            for group in &cluster.groups {
                must(&format!("{}/{}", group.kind, group.name));
                group.machine_name.iter().for_each(|name| must(name));
                group.why.iter().for_each(|why| must(why));
                for slot in &group.slots {
                    slots += 1;
                    for nic in &slot.nics {
                        wanted.push(slot.name.clone());
                        must(&nic.claim);
                        nic.gateway
                            .iter()
                            .chain(&nic.network)
                            .chain(&nic.dns_servers)
                            .chain(&nic.address_object)
                            .for_each(|text| must(text));
                        if let Some(address) = &nic.address {
                            must(&format!("{address}/{}", nic.prefix.unwrap()));
                        }
                    }
                }
            }
        }
        for subnet in &plan.subnets {
            subnet
                .cidr
                .iter()
                .chain(&subnet.gateways)
                .chain(&subnet.networks)
                .for_each(|text| must(text));
            subnet
                .dhcp
                .iter()
                .for_each(|dhcp| must(&format!("{}/{}", dhcp.group.kind, dhcp.group.name)));
        }
        for finding in &plan.findings {
            for key in ["code", "severity", "message", "object", "help"] {
                finding[key].as_str().iter().for_each(|text| must(text));
            }
        }
        machines.sort();
        wanted.sort();
        assert_eq!(machines, wanted, "{name}");
    }
    println!("{slots} slots");
    assert!(slots > 100);
}

#[test]
fn equal_plans_give_equal_bytes() {
    for (name, plan) in plans() {
        let saved = serde_json::to_string(&plan).unwrap();
        let read: AddressPlan = serde_json::from_str(&saved).unwrap();
        assert_eq!(read, plan, "{name}");
        assert!(plan_html(&read) == plan_html(&plan), "{name}");
    }
}

/// What names could hold if nobody checked them.
const HOSTILE: &str = "</style></title><script>alert(1)</script>--><!-- \"'&amp;]]>\u{202e}\u{2066}\u{0}\u{7}[[7*7]]";

/// Puts a text in place of every name and word of a plan that comes from a manifest; addresses stay.
fn renamed(value: &mut Value, name: &str) {
    const KEPT: [&str; 10] = [
        "apiVersion",
        "role",
        "certainty",
        "severity",
        "family",
        "size",
        "free",
        "cidr",
        "address",
        "code",
    ];
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let is_slot = key == "kind"
                    && value
                        .as_str()
                        .is_some_and(|kind| ["AddressPlan", "replica", "surge"].contains(&kind));
                if !KEPT.contains(&key.as_str())
                    && !is_slot
                    && !["addresses", "ranges", "replicas", "surge", "any", "reserved"].contains(&key.as_str())
                {
                    renamed(value, name);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| renamed(item, name)),
        Value::String(text) => text.push_str(name),
        _ => {}
    }
}

#[test]
fn no_name_breaks_out_of_the_page() {
    for (case, plan) in plans() {
        let page_of = |name: &str| {
            let mut value = serde_json::to_value(&plan).unwrap();
            renamed(&mut value, name);
            plan_html(&serde_json::from_value::<AddressPlan>(value).unwrap())
        };
        let (tame, wild) = (page_of("-x"), page_of(HOSTILE));
        assert_eq!(shape(&checked(&tame)), shape(&checked(&wild)), "{case}");
        assert!(
            !wild.contains("<script") && !wild.contains('\u{202e}') && !wild.contains('\u{0}'),
            "{case}"
        );
        if !plan.clusters.is_empty() {
            let shown = text(checked(&wild).root_element());
            assert!(
                shown.contains("]]>[U+202E][U+2066][U+0000][U+0007][[7*7]]"),
                "{case}: the name is not shown as it is"
            );
        }
    }
}

#[test]
fn names_of_a_manifest_are_text_on_the_page() {
    let (input, config) = fixture("multi-nic");
    let input = input.replace(
        "/dc-a/network/storage",
        "\"<img src=x onerror=alert(1)> \\u202E&quot; 'x'\"",
    );
    let plan = planned(&input, &config).unwrap();
    let html = plan_html(&plan);
    let page = checked(&html);
    assert!(text(page.root_element()).contains("<img src=x onerror=alert(1)> [U+202E]&quot; 'x'"));
}

#[test]
fn a_map_shows_what_lies_where() {
    let (input, config) = fixture("dual-stack");
    let html = plan_html(&planned(&input, &config).unwrap());
    let page = checked(&html);
    let maps: Vec<String> = page
        .descendants()
        .filter(|node| node.attribute("class") == Some("map"))
        .map(text)
        .collect();
    let [four, six] = &maps[..] else {
        panic!("{} maps", maps.len())
    };
    for part in [
        "192.0.2.10 – control-plane-1",
        "192.0.2.1 – gateway",
        "192.0.2.0 – network address",
        "192.0.2.255 – broadcast address",
        "192.0.2.5 – DNS server",
        "VIP elsewhere: 203.0.113.80:6443 of ferry",
        "DHCP in this network: workers of ferry",
        "⋮ 32 addresses: in no pool",
        "192.0.2.16 – 192.0.2.47",
    ] {
        assert!(four.contains(part), "{part} is missing: {four}");
    }
    for part in [
        "2001:db8:a:b::10 – control-plane-1",
        "2001:db8:a:b:: – network address",
        "about 1.8 × 10^19 addresses: in no pool",
    ] {
        assert!(six.contains(part), "{part} is missing: {six}");
    }
    let row = "192.0.2.51-192.0.2.60";
    assert!(
        cells(&page, "Addresses").contains(&row.to_owned()),
        "the spare addresses have no row"
    );
}

#[test]
fn a_conflict_is_named_beside_the_map() {
    let (input, _) = fixture("dual-stack");
    let input = fs::read_to_string(root("fixtures/dual-stack/expected.yaml"))
        .unwrap_or(input)
        .replace("203.0.113.80", "192.0.2.52");
    let html = plan_html(&planned(&input, "").unwrap());
    let page = checked(&html);
    let conflict = page
        .descendants()
        .find(|node| node.has_tag_name("strong") && node.attribute("class") == Some("error"));
    assert_eq!(conflict.map(text).as_deref(), Some("192.0.2.52"));
    assert!(cells(&page, "What for").contains(&"CONFLICT: VIP of ferry, port 6443; spare".to_owned()));
}

/// A control plane and 5,000 workers on two pools of two families.
fn large() -> AddressPlan {
    let (input, _) = fixture("dual-stack");
    let storage = "        - networkName: storage\n          dhcp4: true\n";
    let input = input.replace("replicas: 4", "replicas: 5000").replace(storage, "");
    let config = [
        ("machines: [control-plane]", "machines: [all]"),
        ("192.0.2.10-192.0.2.12, 192.0.2.50-192.0.2.60", "10.8.0.10-10.8.31.255"),
        ("prefix: 24", "prefix: 16"),
        ("gateway: 192.0.2.1", "gateway: 10.8.0.1"),
        ("b::1f", "b::1fff"),
    ];
    let config = config
        .iter()
        .fold(fixture("dual-stack").1, |text, (old, new)| text.replace(old, new));
    planned(&input, &config).unwrap()
}

#[test]
fn a_large_plan_stays_small_and_complete() {
    let plan = large();
    let html = plan_html(&plan);
    let page = checked(&html);
    assert!(html.len() < 100_000, "{} bytes for 5,003 machines", html.len());
    let shown: usize = cells(&page, "Machine").iter().map(|cell| slots_shown(cell).len()).sum();
    let groups = plan.clusters.iter().flat_map(|cluster| &cluster.groups);
    let wanted: usize = groups.flat_map(|group| &group.slots).map(|slot| slot.nics.len()).sum();
    assert!(wanted > 10_000);
    assert_eq!(shown, wanted);
}

#[test]
fn a_manifest_without_static_addresses_has_a_page_that_says_so() {
    let html = plan_html(&planned("kind: ConfigMap\napiVersion: v1\n", "").unwrap());
    let page = checked(&html);
    assert!(text(page.root_element()).contains("has no machines with addresses of a pool"));
}

/// The first map of a page as a picture of its own, with the page's style and patterns inside.
fn picture(html: &str) -> String {
    let between = |from: &str, to: &str| {
        let start = html.find(from).unwrap();
        let end = start + html[start..].find(to).unwrap() + to.len();
        &html[start..end]
    };
    let (style, patterns) = (between("<style>", "</style>"), between("<defs>", "</defs>"));
    let map =
        between("<svg class=\"map\"", "</svg>").replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1);
    let inside = map.find('>').unwrap() + 1;
    format!("{}\n{style}\n{patterns}\n{}\n", &map[..inside], &map[inside..])
}

#[test]
fn the_picture_of_the_readme_is_the_map_of_the_quickstart() {
    let picture = picture(&fs::read_to_string(root("examples/quickstart/plan.html")).unwrap());
    page::parse(&picture);
    let path = root("docs/quickstart-map.svg");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == picture,
        "{} differs; write it anew",
        path.display()
    );
}
