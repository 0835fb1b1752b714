//! `plan --then` as a user sees it: the steps in every form, what a running cluster does next, what changed, what is refused, and the warning that comes without being asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]
#![cfg(feature = "cli")]

#[path = "support/program.rs"]
mod program;

use program::Folder;
use serde_json::{Value, json};

/// A group of a manifest.
struct Group<'g> {
    kind: &'g str,
    name: &'g str,
    replicas: u32,
    /// `rolloutStrategy` or `strategy`.
    strategy: Value,
    /// The pools of its NICs, one for each.
    pools: &'g [&'g str],
}

fn control_plane<'g>(name: &'g str, pools: &'g [&'g str]) -> Group<'g> {
    Group {
        kind: "KubeadmControlPlane",
        name,
        replicas: 3,
        strategy: json!({}),
        pools,
    }
}

fn workers<'g>(name: &'g str, replicas: u32, pools: &'g [&'g str]) -> Group<'g> {
    Group {
        kind: "MachineDeployment",
        name,
        replicas,
        strategy: json!({}),
        pools,
    }
}

/// A manifest of one cluster, pools of one kind as name and range.
fn manifest(cluster: &str, kind: &str, pools: &[(&str, &str)], groups: &[Group<'_>]) -> String {
    let head = |api: &str, kind: &str, name: &str| {
        json!({"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "plants",
            "labels": {"cluster.x-k8s.io/cluster-name": cluster}}})
    };
    let with = |mut object: Value, spec: Value| {
        object["spec"] = spec;
        object
    };
    let mut objects = vec![
        with(
            head("cluster.x-k8s.io/v1beta1", "Cluster", cluster),
            json!({"infrastructureRef": {"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": "VSphereCluster", "name": cluster}}),
        ),
        with(
            head("infrastructure.cluster.x-k8s.io/v1beta1", "VSphereCluster", cluster),
            json!({"controlPlaneEndpoint": {"host": format!("{cluster}.example.org"), "port": 6443}}),
        ),
    ];
    let in_cluster = kind == "InClusterIPPool";
    for (name, range) in pools {
        let (start, end) = range.split_once('-').unwrap();
        objects.push(if in_cluster {
            with(
                head("ipam.cluster.x-k8s.io/v1alpha2", kind, name),
                json!({"addresses": [range], "prefix": 24, "gateway": "192.0.2.1"}),
            )
        } else {
            with(
                head("ipam.metal3.io/v1alpha1", kind, name),
                json!({"namePrefix": name, "clusterName": cluster, "prefix": 24, "gateway": "192.0.2.1",
                    "pools": [{"start": start, "end": end}]}),
            )
        });
    }
    for group in groups {
        let reference = json!({"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": "VSphereMachineTemplate", "name": group.name});
        objects.push(if group.kind == "MachineDeployment" {
            with(
                head("cluster.x-k8s.io/v1beta1", group.kind, group.name),
                json!({"clusterName": cluster, "replicas": group.replicas, "strategy": {"rollingUpdate": group.strategy},
                    "template": {"spec": {"clusterName": cluster, "infrastructureRef": reference}}}),
            )
        } else {
            with(
                head("controlplane.cluster.x-k8s.io/v1beta1", group.kind, group.name),
                json!({"replicas": group.replicas, "rolloutStrategy": {"rollingUpdate": group.strategy},
                    "machineTemplate": {"infrastructureRef": reference}}),
            )
        });
        let nics: Vec<Value> = group
            .pools
            .iter()
            .map(|pool| {
                json!({"networkName": "lan", "dhcp4": false, "dhcp6": false, "nameservers": ["192.0.2.2"],
                "addressesFromPools": [{"apiGroup": api_group(kind), "kind": kind, "name": pool}]})
            })
            .collect();
        objects.push(with(
            head(
                "infrastructure.cluster.x-k8s.io/v1beta1",
                "VSphereMachineTemplate",
                group.name,
            ),
            json!({"template": {"spec": {"network": {"devices": nics}}}}),
        ));
    }
    stream(&objects)
}

fn api_group(pool_kind: &str) -> &'static str {
    match pool_kind {
        "InClusterIPPool" => "ipam.cluster.x-k8s.io",
        _ => "ipam.metal3.io",
    }
}

fn stream(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("---\n{object}\n")).collect()
}

/// What a running cluster has: machines in order of creation, each with its address, or none where metal3 refused it.
fn state(cluster: &str, kind: &str, pool: &str, machines: &[(&str, &str, &str, &str)]) -> String {
    let mut objects = Vec::new();
    for (minute, (owner_kind, owner, machine, address)) in machines.iter().enumerate() {
        let metadata = |name: &str, owner: Value| {
            json!({"name": name, "namespace": "plants", "uid": format!("{name}-{minute}"),
                "creationTimestamp": format!("2026-01-01T10:{minute:02}:00Z"),
                "labels": {"cluster.x-k8s.io/cluster-name": cluster}, "ownerReferences": [owner]})
        };
        let owner_api = if *owner_kind == "MachineSet" {
            "cluster.x-k8s.io/v1beta1"
        } else {
            "controlplane.cluster.x-k8s.io/v1beta1"
        };
        let mut labels = json!({"cluster.x-k8s.io/cluster-name": cluster});
        match *owner_kind {
            "MachineSet" => labels["cluster.x-k8s.io/deployment-name"] = json!(owner),
            _ => labels["cluster.x-k8s.io/control-plane"] = json!(""),
        }
        let mut object = json!({"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Machine",
            "metadata": metadata(machine, json!({"apiVersion": owner_api, "kind": owner_kind, "name": owner, "uid": "u"})),
            "spec": {"clusterName": cluster, "infrastructureRef": {"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1",
                "kind": "VSphereMachine", "name": machine}}});
        object["metadata"]["labels"] = labels;
        objects.push(object);
        let claim = format!("{machine}-0-0");
        let reference = json!({"apiGroup": api_group(kind), "kind": kind, "name": pool});
        objects.push(json!({"apiVersion": "ipam.cluster.x-k8s.io/v1beta1", "kind": "IPAddressClaim",
            "metadata": metadata(&claim, json!({"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": "VSphereVM", "name": machine, "uid": "v"})),
            "spec": {"poolRef": reference}, "status": if address.is_empty() {
                json!({"conditions": [{"type": "Ready", "status": "False", "reason": "Failed", "message": "Exhausted IP Pools"}]})
            } else {
                json!({"addressRef": {"name": claim}})
            }}));
        if address.is_empty() {
            continue;
        }
        objects.push(json!({"apiVersion": "ipam.cluster.x-k8s.io/v1beta1", "kind": "IPAddress",
            "metadata": metadata(&claim, json!({"apiVersion": "ipam.cluster.x-k8s.io/v1beta1", "kind": "IPAddressClaim", "name": claim, "uid": format!("{claim}-{minute}")})),
            "spec": {"address": address, "prefix": 24, "gateway": "192.0.2.1", "poolRef": reference, "claimRef": {"name": claim}}}));
    }
    stream(&objects)
}

fn plan_of(folder: &Folder, arguments: &[&str]) -> Value {
    let mut all = vec!["plan", "-f", "m.yaml", "-o", "json", "--report", "json=r.json"];
    all.extend(arguments);
    let ran = folder.run(&all);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn group_of<'p>(plan: &'p Value, step: usize, name: &str) -> &'p Value {
    let groups = plan["steps"][step]["groups"].as_array().unwrap();
    groups.iter().find(|group| group["name"] == name).unwrap()
}

fn pool_of<'p>(plan: &'p Value, step: usize, name: &str) -> &'p Value {
    let pools = plan["steps"][step]["pools"].as_array().unwrap();
    pools.iter().find(|pool| pool["name"] == name).unwrap()
}

#[test]
fn a_running_control_plane_goes_on_from_the_addresses_that_it_holds() {
    let folder = Folder::new();
    let groups = [control_plane("oak", &["pool"]), workers("oak-md", 2, &["pool"])];
    folder.write(
        "m.yaml",
        manifest("oak", "InClusterIPPool", &[("pool", "192.0.2.10-192.0.2.17")], &groups),
    );
    let machines = [
        ("KubeadmControlPlane", "oak", "oak-aaaaa", "192.0.2.10"),
        ("MachineSet", "oak-md", "oak-md-bbbbb-ccccc", "192.0.2.12"),
        ("MachineSet", "oak-md", "oak-md-bbbbb-ddddd", "192.0.2.11"),
        ("KubeadmControlPlane", "oak", "oak-eeeee", "192.0.2.13"),
        ("KubeadmControlPlane", "oak", "oak-fffff", "192.0.2.14"),
    ];
    folder.write("state.yaml", state("oak", "InClusterIPPool", "pool", &machines));
    let plan = plan_of(
        &folder,
        &[
            "--state",
            "state.yaml",
            "--then",
            "rollout=oak",
            "--then",
            "rollout=oak",
        ],
    );
    let held = group_of(&plan, 0, "oak");
    assert_eq!(held["certainty"], "exact", "{held}");
    assert_eq!(held["addresses"], json!(["192.0.2.15", "192.0.2.10", "192.0.2.13"]));
    assert_eq!(
        group_of(&plan, 0, "oak-md")["addresses"],
        json!(["192.0.2.11", "192.0.2.12"])
    );
    let pool = pool_of(&plan, 0, "pool");
    assert_eq!(
        (&pool["peak"], &pool["stuck"], &pool["needed"]),
        (&json!(6), &json!(false), &json!(6))
    );
    // Another one takes what the first gave up.
    assert_eq!(
        group_of(&plan, 1, "oak")["addresses"],
        json!(["192.0.2.14", "192.0.2.15", "192.0.2.10"])
    );
    // Without the state nobody knows who holds what.
    let plan = plan_of(&folder, &["--then", "rollout=oak"]);
    let held = group_of(&plan, 0, "oak");
    assert_eq!(held["certainty"], "set");
    assert_eq!(held["addresses"].as_array().unwrap().len(), 6);
    assert!(held["why"].as_str().unwrap().contains("is shared"), "{held}");
}

#[test]
fn a_claim_that_metal3_refused_waits_until_it_is_repaired() {
    let folder = Folder::new();
    let machines = [
        ("KubeadmControlPlane", "oak", "oak-aaaaa", "192.0.2.10"),
        ("KubeadmControlPlane", "oak", "oak-bbbbb", "192.0.2.11"),
        ("KubeadmControlPlane", "oak", "oak-ccccc", "192.0.2.12"),
        // A roll-out had no address for its first new machine; then the pool was enlarged.
        ("KubeadmControlPlane", "oak", "oak-ddddd", ""),
    ];
    folder.write("state.yaml", state("oak", "IPPool", "cp", &machines));
    let pools = [("cp", "192.0.2.10-192.0.2.14")];
    let groups = [control_plane("oak", &["cp"])];
    folder.write("m.yaml", manifest("oak", "IPPool", &pools, &groups));
    let events = ["--then", "rollout", "--then", "scale=oak:3", "--then", "repair"];
    let plan = plan_of(&folder, &[&["--state", "state.yaml"], &events[..]].concat());
    for step in 0..2 {
        let (held, pool) = (group_of(&plan, step, "oak"), pool_of(&plan, step, "cp"));
        assert_eq!(
            (&pool["stuck"], &pool["everyRun"], &pool["peak"]),
            (&json!(true), &json!(true), &json!(3)),
            "{pool}"
        );
        assert_eq!(
            held["addresses"],
            json!(["192.0.2.10", "192.0.2.11", "192.0.2.12"]),
            "{held}"
        );
    }
    let (held, pool) = (group_of(&plan, 2, "oak"), pool_of(&plan, 2, "cp"));
    assert_eq!((&pool["stuck"], &pool["peak"]), (&json!(false), &json!(4)), "{pool}");
    assert_eq!(held["held"], json!(3), "{held}");
    assert!(held["why"].as_str().unwrap().contains("ran out"), "{held}");
}

#[test]
fn with_a_number_of_machines_that_is_not_known_nobody_says_that_it_is_enough() {
    let folder = Folder::new();
    let groups = [control_plane("oak", &["pool"]), workers("oak-md", 2, &["pool"])];
    let text = manifest("oak", "IPPool", &[("pool", "192.0.2.10-192.0.2.14")], &groups);
    let placeholder = text.replace("\"replicas\":2", "\"replicas\":\"${WORKERS}\"");
    assert_ne!(text, placeholder);
    folder.write("m.yaml", placeholder);
    let plan = plan_of(&folder, &["--then", "rollout=oak"]);
    let pool = pool_of(&plan, 0, "pool");
    assert!(pool.get("needed").is_none() && pool.get("stuck").is_none(), "{pool}");
    let table = folder.run(&["plan", "-f", "m.yaml", "--then", "rollout=oak"]).stdout;
    let step = table.lines().rfind(|line| line.starts_with("1 ")).unwrap();
    assert!(step.trim_end().ends_with("unknown"), "{table}");
    let page = folder
        .run(&["plan", "-f", "m.yaml", "-o", "html", "--then", "rollout=oak"])
        .stdout;
    assert!(page.contains(">unknown<") && !page.contains(">enough<"));
    // Where everything is known the answer stays a yes or no.
    folder.write("m.yaml", text);
    let known = plan_of(&folder, &["--then", "rollout=oak"]);
    assert_eq!(pool_of(&known, 0, "pool")["stuck"], true);
}

#[test]
fn a_pool_of_exactly_the_replicas_is_stuck_until_it_is_enlarged() {
    for (kind, part) in [
        ("IPPool", "remove the whole status of the claim"),
        ("InClusterIPPool", "by itself"),
    ] {
        let folder = Folder::new();
        let pools = [("cp", "192.0.2.10-192.0.2.12")];
        folder.write(
            "m.yaml",
            manifest("oak", kind, &pools, &[control_plane("oak", &["cp"])]),
        );
        let events = [
            "--then",
            "rollout",
            "--then",
            "enlarge=cp:192.0.2.13",
            "--then",
            "rollout",
        ];
        let plan = plan_of(&folder, &events);
        let (held, pool) = (group_of(&plan, 0, "oak"), pool_of(&plan, 0, "cp"));
        assert_eq!(held["addresses"], json!(["192.0.2.10", "192.0.2.11", "192.0.2.12"]));
        assert_eq!(
            (&pool["peak"], &pool["stuck"], &pool["needed"]),
            (&json!(3), &json!(true), &json!(4))
        );
        assert_eq!(pool["everyRun"], true);
        let way_out = pool["wayOut"].as_str().unwrap();
        assert!(
            way_out.starts_with("enlarge the pool cp by 1 address") && way_out.contains(part),
            "{way_out}"
        );
        assert_eq!(
            group_of(&plan, 1, "oak")["addresses"],
            json!(["192.0.2.13", "192.0.2.10", "192.0.2.11"])
        );
        assert_eq!(pool_of(&plan, 1, "cp")["stuck"], false);
        assert_eq!(
            group_of(&plan, 2, "oak")["addresses"],
            json!(["192.0.2.12", "192.0.2.13", "192.0.2.10"])
        );
    }
}

#[test]
fn without_surge_every_machine_inherits_an_address() {
    let folder = Folder::new();
    let mut group = control_plane("oak", &["cp"]);
    group.strategy = json!({"maxSurge": 0});
    folder.write(
        "m.yaml",
        manifest("oak", "IPPool", &[("cp", "192.0.2.10-192.0.2.12")], &[group]),
    );
    let plan = plan_of(&folder, &["--then", "rollout"]);
    assert_eq!(
        group_of(&plan, 0, "oak")["addresses"],
        json!(["192.0.2.10", "192.0.2.11", "192.0.2.12"])
    );
    assert_eq!(group_of(&plan, 0, "oak")["certainty"], "exact");
    assert_eq!(pool_of(&plan, 0, "cp")["stuck"], false);
}

#[test]
fn surges_of_groups_that_roll_together_add_up() {
    let folder = Folder::new();
    let groups = [control_plane("oak", &["pool"]), workers("oak-md", 5, &["pool"])];
    folder.write(
        "m.yaml",
        manifest("oak", "IPPool", &[("pool", "192.0.2.10-192.0.2.30")], &groups),
    );
    let plan = plan_of(&folder, &["--then", "rollout", "--then", "rollout=oak-md"]);
    assert_eq!(pool_of(&plan, 0, "pool")["peak"], 10);
    assert_eq!(pool_of(&plan, 1, "pool")["peak"], 9);
    assert_eq!(group_of(&plan, 0, "oak")["addresses"].as_array().unwrap().len(), 10);
}

#[test]
fn a_nic_with_a_pool_of_its_own_stays_exact_beside_one_that_shares() {
    let folder = Folder::new();
    let groups = [
        control_plane("oak", &["cp", "storage"]),
        workers("oak-md", 2, &["storage"]),
    ];
    let pools = [("cp", "192.0.2.10-192.0.2.15"), ("storage", "192.0.2.20-192.0.2.30")];
    folder.write("m.yaml", manifest("oak", "IPPool", &pools, &groups));
    let plan = plan_of(&folder, &["--then", "rollout"]);
    let slots = plan["clusters"][0]["groups"][0]["slots"].as_array().unwrap();
    assert_eq!(slots[1]["nics"][0]["address"], "192.0.2.11");
    assert_eq!(slots[1]["nics"][1]["certainty"], "set");
    let held = group_of(&plan, 0, "oak");
    assert_eq!(held["certainty"], "set");
    assert_eq!(
        held["holdings"][0]["addresses"],
        json!(["192.0.2.13", "192.0.2.10", "192.0.2.11"])
    );
    assert_eq!(held["holdings"][0]["certainty"], "exact");
    assert_eq!(held["holdings"][1]["certainty"], "set");
}

#[test]
fn every_form_shows_the_steps() {
    let folder = Folder::new();
    let groups = [control_plane("oak", &["cp"]), workers("oak-md", 2, &["md"])];
    let pools = [("cp", "192.0.2.10-192.0.2.12"), ("md", "192.0.2.20-192.0.2.25")];
    folder.write("m.yaml", manifest("oak", "IPPool", &pools, &groups));
    let show = |form: &str| {
        let ran = folder.run(&[
            "plan",
            "-f",
            "m.yaml",
            "--report",
            "json=r.json",
            "-o",
            form,
            "--then",
            "rollout",
        ]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let table = show("table");
    assert!(table.contains("STEP   EVENT     CLUSTER   GROUP"), "{table}");
    assert!(table.contains("2 of 192.0.2.20-192.0.2.22"), "{table}");
    assert!(
        table.contains("step 1, pool cp: KubeadmControlPlane/oak gets stuck"),
        "{table}"
    );
    assert!(table.contains("never delete the claim"), "{table}");
    assert!(show("wide").contains("WAY OUT"));
    let csv = show("csv");
    assert!(csv.starts_with("step,event,"), "one table, that of the steps: {csv}");
    assert!(
        csv.contains(
            "\r\n1,rollout,oak,KubeadmControlPlane/oak,\"192.0.2.10, 192.0.2.11, 192.0.2.12\",exact,cp,3,4,3,yes"
        ),
        "{csv}"
    );
    let markdown = show("markdown");
    assert!(
        markdown.contains("| 1 | `rollout` | `oak` | `KubeadmControlPlane/oak` |"),
        "{markdown}"
    );
    assert!(show("html").contains("The step does not end."));
    let yaml = show("yaml");
    assert!(yaml.contains("steps:\n- event: rollout\n"), "{yaml}");
}

#[test]
fn an_earlier_plan_with_steps_is_compared_step_by_step() {
    let folder = Folder::new();
    let groups = |replicas| [control_plane("oak", &["cp"]), workers("oak-md", replicas, &["md"])];
    let pools = [("cp", "192.0.2.10-192.0.2.15"), ("md", "192.0.2.20-192.0.2.30")];
    folder.write("m.yaml", manifest("oak", "IPPool", &pools, &groups(2)));
    let saved = folder.run(&[
        "plan",
        "-f",
        "m.yaml",
        "-o",
        "yaml",
        "--report",
        "json=r.json",
        "--then",
        "rollout=oak-md",
    ]);
    folder.write("old.yaml", &saved.stdout);
    let against = |more: &[&str]| {
        let mut all = vec![
            "plan",
            "-f",
            "m.yaml",
            "--report",
            "json=r.json",
            "--against",
            "old.yaml",
        ];
        all.extend(more);
        folder.run(&all)
    };
    // Without --then the steps of the earlier plan are played.
    let same = against(&[]);
    assert_eq!((same.code, &*same.stdout), (0, ""), "{}", same.stderr);
    let other = against(&["--then", "rollout"]);
    assert_eq!(other.code, 1);
    assert!(other.stdout.contains("rollout=oak-md"), "{}", other.stdout);
    folder.write("m.yaml", manifest("oak", "IPPool", &pools, &groups(3)));
    let grown = against(&[]);
    assert_eq!(grown.code, 1);
    let row = grown
        .stdout
        .lines()
        .find(|line| line.contains("step 01") && line.contains("peak"))
        .unwrap();
    assert!(
        row.contains("plants/IPPool/md") && row.split_whitespace().rev().take(2).eq(["4", "3"]),
        "{row}"
    );
    // A step that can no longer be played is missing, and that is a difference.
    folder.write(
        "m.yaml",
        manifest("oak", "IPPool", &pools, &[control_plane("oak", &["cp"])]),
    );
    let gone = against(&[]);
    assert_eq!(gone.code, 1);
    assert!(gone.stdout.contains("step 01"), "{}", gone.stdout);
}

#[test]
fn a_wrong_event_is_refused_and_says_what_there_is() {
    let folder = Folder::new();
    let one = manifest(
        "oak",
        "IPPool",
        &[("cp", "192.0.2.10-192.0.2.15")],
        &[control_plane("cp", &["cp"])],
    );
    let two = manifest(
        "elm",
        "IPPool",
        &[("elm-cp", "192.0.2.30-192.0.2.35")],
        &[control_plane("cp", &["elm-cp"])],
    );
    folder.write(
        "m.yaml",
        one.replace("oak.example.org", "192.0.2.100")
            + &two.replace("\"namespace\":\"plants\"", "\"namespace\":\"trees\""),
    );
    let refused = |event: &str, part: &str| {
        let ran = folder.run(&["plan", "-f", "m.yaml", "--report", "json=r.json", "--then", event]);
        assert_eq!((ran.code, &*ran.stdout), (2, ""), "{event}");
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    };
    refused(
        "explode",
        "there is no event explode; events are rollout, rollout=GROUP",
    );
    refused(
        "rollout=birch",
        "no machine group is called birch; there is plants/oak/KubeadmControlPlane/cp, trees/elm/",
    );
    refused(
        "rollout=cp",
        "cp can mean plants/oak/KubeadmControlPlane/cp, trees/elm/KubeadmControlPlane/cp; write one of them",
    );
    refused(
        "enlarge=pool:192.0.2.99",
        "no pool is called pool; there is plants/IPPool/cp, trees/IPPool/elm-cp",
    );
    refused("enlarge=elm-cp:192.0.2.33", "the pool elm-cp has 192.0.2.33 already");
    refused(
        "enlarge=elm-cp:192.0.2.1",
        "192.0.2.1 holds 192.0.2.1, the gateway, which is no machine's",
    );
    refused(
        "enlarge=elm-cp:192.0.2.99-192.0.2.110",
        "192.0.2.99-192.0.2.110 holds 192.0.2.100, the endpoint of a cluster",
    );
    refused(
        "enlarge=elm-cp:192.0.2.250-192.0.2.255",
        "192.0.2.250-192.0.2.255 holds 192.0.2.255, the broadcast address",
    );
    refused(
        "enlarge=elm-cp:192.0.3.5",
        "192.0.3.5 is not inside 192.0.2.0/24, the network of the pool elm-cp",
    );
    refused("scale=oak/cp", "write it as scale=GROUP:N");
    refused(
        "delete-cluster=birch",
        "no cluster is called birch; there is plants/oak, trees/elm",
    );
    for event in [
        "rollout=elm/cp",
        "rollout=trees/cp",
        "rollout=plants/oak/KubeadmControlPlane/cp",
        "enlarge=trees/elm-cp:192.0.2.99",
        "delete-cluster=elm",
    ] {
        let ran = folder.run(&["plan", "-f", "m.yaml", "--report", "json=r.json", "--then", event]);
        assert_eq!(ran.code, 0, "{event}: {}", ran.stderr);
    }
    // What is deleted cannot be rolled out.
    let ran = folder.run(&[
        "plan",
        "-f",
        "m.yaml",
        "--report",
        "json=r.json",
        "--then",
        "delete-cluster=elm",
        "--then",
        "rollout=elm/cp",
    ]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .contains("the machine group elm/cp is gone: an earlier event deleted it"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_number_of_control_plane_replicas_that_the_api_server_refuses_is_said() {
    let folder = Folder::new();
    let pools = [("cp", "192.0.2.10-192.0.2.15")];
    folder.write(
        "m.yaml",
        manifest("oak", "IPPool", &pools, &[control_plane("cp", &["cp"])]),
    );
    for (event, note) in [
        ("scale=cp:5", None),
        (
            "scale=cp:2",
            Some("takes an even number of replicas of KubeadmControlPlane/cp only with an external etcd"),
        ),
        ("scale=cp:0", Some("refuses 0 replicas of KubeadmControlPlane/cp")),
    ] {
        let ran = folder.run(&["plan", "-f", "m.yaml", "--report", "json=r.json", "--then", event]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let said = note.unwrap_or("the API server");
        assert_eq!(ran.stdout.contains(said), note.is_some(), "{}", ran.stdout);
    }
}

#[test]
fn an_address_that_is_being_released_makes_the_next_one_uncertain() {
    let folder = Folder::new();
    let pools = [("cp", "192.0.2.10-192.0.2.15")];
    folder.write(
        "m.yaml",
        manifest("oak", "IPPool", &pools, &[control_plane("cp", &["cp"])]),
    );
    let claim = |machine: &str, minute: u32, deleted: Option<&str>| {
        let name = format!("cp-{machine}-0-0");
        json!({"apiVersion": "ipam.cluster.x-k8s.io/v1beta2", "kind": "IPAddressClaim",
            "metadata": {"name": name, "namespace": "plants", "uid": name, "deletionTimestamp": deleted,
                "creationTimestamp": format!("2026-01-01T00:{minute:02}:00Z"),
                "labels": {"cluster.x-k8s.io/cluster-name": "oak"}},
            "spec": {"poolRef": {"apiGroup": "ipam.metal3.io", "kind": "IPPool", "name": "cp"}}})
    };
    let mut leaving = claim("aaaaa", 0, None);
    leaving["status"] = json!({"addressRef": {"name": "cp-192-0-2-10"}});
    let address = json!({"apiVersion": "ipam.cluster.x-k8s.io/v1beta2", "kind": "IPAddress",
        "metadata": {"name": "cp-192-0-2-10", "namespace": "plants"},
        "spec": {"address": "192.0.2.10", "prefix": 24, "claimRef": {"name": "cp-aaaaa-0-0"},
            "poolRef": {"apiGroup": "ipam.metal3.io", "kind": "IPPool", "name": "cp"}}});
    let new = claim("bbbbb", 9, None);
    let exact = |leaving: &Value| {
        folder.write("s.yaml", stream(&[leaving.clone(), address.clone(), new.clone()]));
        let ran = folder.run(&["plan", "-f", "m.yaml", "--state", "s.yaml", "-o", "csv"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout.contains(",192.0.2.11,exact,")
    };
    assert!(exact(&leaving));
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:05:00Z");
    leaving["metadata"]["deletionGracePeriodSeconds"] = json!(0);
    assert!(!exact(&leaving), "the address that is let go may be the next one");
}

#[test]
fn a_plan_beside_an_unconfigured_manifest_is_refused_where_plan_refuses_it() {
    let folder = Folder::new();
    let pools = [("cp", "192.0.2.10-192.0.2.15")];
    let text = manifest("oak", "IPPool", &pools, &[control_plane("cp", &["cp"])]);
    folder.write("m.yaml", text.replace("oak.example.org", "192.0.2.1"));
    let plan = folder.run(&["plan", "-f", "m.yaml"]);
    let both = folder.run(&["transform", "-f", "m.yaml", "--write-plan", "plan.yaml"]);
    for ran in [plan, both] {
        assert_eq!((ran.code, &*ran.stdout), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("CI310"), "{}", ran.stderr);
    }
    assert!(!folder.path("plan.yaml").exists());
}

#[test]
fn a_state_that_tells_nothing_is_said() {
    let folder = Folder::new();
    let pools = [("cp", "192.0.2.10-192.0.2.15")];
    let text = manifest("oak", "IPPool", &pools, &[control_plane("cp", &["cp"])]);
    folder.write("m.yaml", text);
    for state in [
        "",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\n",
        "apiVersion: v1\nkind: List\nitems: []\n",
    ] {
        folder.write("state.yaml", state);
        let ran = folder.run(&["plan", "-f", "m.yaml", "--state", "state.yaml"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("CI524") && ran.stderr.contains("everything is planned as new"),
            "{state:?}: {}",
            ran.stderr
        );
    }
}

/// The codes of a run's findings about pool sizes, each with its message.
fn sizes(folder: &Folder, verb: &str) -> Vec<(String, String)> {
    folder.run(&[verb, "-f", "m.yaml", "--report", "json=r.json"]);
    let report: Value = serde_json::from_str(&folder.read("r.json")).unwrap();
    let items = report["items"].as_array().unwrap().iter();
    let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    let all = items.map(|item| (text(item, "code"), text(item, "message")));
    all.filter(|(code, _)| code.starts_with("CI31") || code.starts_with("CI32"))
        .collect()
}

#[test]
fn a_roll_out_that_would_be_stuck_is_said_without_being_asked_and_once() {
    let found = |kind: &str, last: u32, strategy: Value| {
        let folder = Folder::new();
        let mut group = workers("oak-md", 3, &["md"]);
        group.strategy = strategy;
        let range = format!("192.0.2.10-192.0.2.{last}");
        folder.write("m.yaml", manifest("oak", kind, &[("md", &range)], &[group]));
        let plan = sizes(&folder, "plan");
        assert_eq!(
            plan.iter().map(|(_, message)| message).collect::<Vec<_>>(),
            sizes(&folder, "check")
                .iter()
                .map(|(_, message)| message)
                .collect::<Vec<_>>(),
            "plan and check say the same"
        );
        plan.into_iter()
            .map(|(code, message)| format!("{code} {message}"))
            .collect::<Vec<_>>()
    };
    let one = || json!({"maxSurge": 1});
    // Too small for the machines, for a roll-out, without a spare one, enough.
    assert_eq!(found("IPPool", 11, one()).len(), 1);
    assert!(found("IPPool", 11, one())[0].starts_with("CI311 "));
    let stuck = found("IPPool", 12, one());
    assert_eq!(
        stuck,
        [
            "CI321 IPPool plants/md has 3 addresses for machines, and a roll-out needs 4 at once: MachineDeployment/oak-md gets stuck"
        ]
    );
    assert!(found("IPPool", 13, one())[0].starts_with("CI312 "));
    assert!(found("IPPool", 14, one()).is_empty());
    // Deleting first needs nothing more than the machines.
    let delete_first = found("IPPool", 12, json!({"maxSurge": 0, "maxUnavailable": 1}));
    assert!(
        delete_first[0].starts_with("CI312 ") && delete_first[0].contains("no spare"),
        "{delete_first:?}"
    );
    // With metal3 a refused claim stays refused; the in-cluster provider serves it when an address comes free.
    let two = || json!({"maxSurge": 2});
    assert!(found("IPPool", 13, two())[0].starts_with("CI321 "));
    let waits = found("InClusterIPPool", 13, two());
    assert!(
        waits[0].starts_with("CI312 ") && waits[0].contains("machines wait for each other"),
        "{waits:?}"
    );
    assert!(found("InClusterIPPool", 12, two())[0].starts_with("CI321 "));
}

#[test]
fn a_wanted_pool_is_warned_about_at_its_addresses() {
    let folder = Folder::new();
    folder.write(
        "m.yaml",
        manifest("oak", "IPPool", &[], &[control_plane("oak", &[])])
            .replace("\"devices\":[]", "\"devices\":[{\"networkName\":\"lan\"}]"),
    );
    let arguments = [
        "transform",
        "-f",
        "m.yaml",
        "--machines",
        "control-plane",
        "--addresses",
        "192.0.2.10-192.0.2.12",
        "--prefix",
        "24",
        "--gateway",
        "192.0.2.1",
    ];
    let ran = folder.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("warning[CI321]: --addresses: the pool oak-control-plane-pool has 3 addresses for machines, and a roll-out needs 4 at once"), "{}", ran.stderr);
    assert!(ran.stderr.contains("give it 4 addresses, better 5"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("CI312"), "{}", ran.stderr);
}
