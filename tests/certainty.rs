//! When a plan may call an address exact, and what it says when it may not: one small cluster, changed in one place at a time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use capv_ipam::addressing::Groups;
use capv_ipam::objects::{Manifest, Source};
use capv_ipam::planning::{AddressPlan, Certainty, GroupPlan, StepPlan, plan, plan_then};
use capv_ipam::yaml::Limits;

/// A control plane of three with a pool of its own, and two workers with another.
const CLUSTER: &str = "\
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: oak, namespace: plants}
spec:
  controlPlaneRef: {apiVersion: controlplane.cluster.x-k8s.io/v1beta1, kind: KubeadmControlPlane, name: oak-cp}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereCluster, name: oak}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereCluster
metadata: {name: oak, namespace: plants}
spec: {controlPlaneEndpoint: {host: 192.0.2.250, port: 6443}}
---
apiVersion: ipam.metal3.io/v1alpha1
kind: IPPool
metadata: {name: cp, namespace: plants}
spec:
  namePrefix: cp
  pools: [{start: 192.0.2.10, end: 192.0.2.19}]
---
apiVersion: ipam.metal3.io/v1alpha1
kind: IPPool
metadata: {name: md, namespace: plants}
spec:
  namePrefix: md
  pools: [{start: 192.0.2.30, end: 192.0.2.39}]
---
apiVersion: controlplane.cluster.x-k8s.io/v1beta1
kind: KubeadmControlPlane
metadata: {name: oak-cp, namespace: plants}
spec:
  replicas: 3
  machineTemplate: {infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereMachineTemplate, name: oak-cp}}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata: {name: oak-md, namespace: plants}
spec:
  clusterName: oak
  replicas: 2
  template: {spec: {clusterName: oak, infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereMachineTemplate, name: oak-md}}}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereMachineTemplate
metadata: {name: oak-cp, namespace: plants, labels: {cluster.x-k8s.io/ip-pool-name: cp}}
spec: {template: {spec: {network: {devices: [{networkName: lan}]}}}}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereMachineTemplate
metadata: {name: oak-md, namespace: plants, labels: {cluster.x-k8s.io/ip-pool-name: md}}
spec: {template: {spec: {network: {devices: [{networkName: lan}]}}}}
";

fn planned(text: &str) -> AddressPlan {
    let sources = [Source { name: "input", text }];
    let manifest = Manifest::read(&sources, Limits::default()).unwrap();
    plan(&manifest, &Groups::of(&manifest))
}

fn control_plane(plan: &AddressPlan) -> &GroupPlan {
    let mut groups = plan.clusters.iter().flat_map(|cluster| &cluster.groups);
    groups.find(|group| group.role == "control-plane").unwrap()
}

/// The last bytes of the addresses that are exact, slot by slot.
fn exact(group: &GroupPlan) -> Vec<&str> {
    let nics = group.slots.iter().flat_map(|slot| &slot.nics);
    nics.filter_map(|nic| Some(nic.address.as_deref()?.rsplit('.').next().unwrap()))
        .collect()
}

/// The cluster with one text replaced by another.
fn with(from: &str, to: &str) -> AddressPlan {
    assert!(CLUSTER.contains(from), "{from}");
    planned(&CLUSTER.replace(from, to))
}

#[track_caller]
fn is_exact(plan: &AddressPlan, addresses: &[&str]) {
    let group = control_plane(plan);
    assert_eq!(exact(group), addresses, "{:?}", group.why);
    assert_eq!((group.certainty, group.why.as_deref()), (Certainty::Exact, None));
}

#[track_caller]
fn is_set(plan: &AddressPlan, addresses: &[&str], why: &str) {
    let group = control_plane(plan);
    assert_eq!(exact(group), addresses);
    assert_eq!(group.certainty, Certainty::Set);
    let said = group.why.as_deref().unwrap_or_default();
    assert!(said.contains(why), "{said}");
}

#[test]
fn a_control_plane_with_a_pool_of_its_own_is_exact_and_workers_are_a_set() {
    let plan = planned(CLUSTER);
    is_exact(&plan, &["10", "11", "12"]);
    let workers = &plan.clusters[0].groups[1];
    assert_eq!((workers.certainty, exact(workers).len()), (Certainty::Set, 0));
    assert_eq!(
        workers.addresses,
        ["192.0.2.30", "192.0.2.31", "192.0.2.32"],
        "replicas and surge, the lowest"
    );
    assert_eq!(control_plane(&plan).addresses.len(), 4);
}

#[test]
fn entries_count_in_their_order_and_preallocations_are_left_out() {
    let entries = "[{start: 192.0.2.18, end: 192.0.2.19}, {start: 192.0.2.10, end: 192.0.2.15}]";
    is_exact(
        &with("[{start: 192.0.2.10, end: 192.0.2.19}]", entries),
        &["18", "19", "10"],
    );
    let reserved = "namePrefix: cp\n  preAllocations: {somebody: 192.0.2.11, other: 192.0.2.12}";
    let plan = with("namePrefix: cp", reserved);
    is_exact(&plan, &["10", "13", "14"]);
    let pool = &plan.clusters[0].pools[0];
    assert_eq!(
        pool.free.as_ref().unwrap().to_string(),
        "4",
        "two of ten are reserved, four are needed"
    );
}

#[test]
fn a_pool_of_the_in_cluster_provider_is_exact_without_what_it_does_not_give() {
    let pool = "apiVersion: ipam.cluster.x-k8s.io/v1alpha2
kind: InClusterIPPool
metadata: {name: cp, namespace: plants}
spec: {addresses: [192.0.2.10-192.0.2.19], excludedAddresses: [192.0.2.12], prefix: 24, gateway: 192.0.2.10}
---
apiVersion: ipam.metal3.io/v1alpha1
kind: IPPool
metadata: {name: md, namespace: plants}";
    let from = "labels: {cluster.x-k8s.io/ip-pool-name: cp}}
spec: {template: {spec: {network: {devices: [{networkName: lan}]}}}}";
    let to = "labels: {}}
spec: {template: {spec: {network: {devices: [{networkName: lan, addressesFromPools: [{apiGroup: ipam.cluster.x-k8s.io, kind: InClusterIPPool, name: cp}]}]}}}}";
    let of_metal3 = "apiVersion: ipam.metal3.io/v1alpha1\nkind: IPPool\nmetadata: {name: md, namespace: plants}";
    let text = CLUSTER.replace(of_metal3, pool).replace(from, to);
    is_exact(&planned(&text), &["11", "13", "14"]);
    // Released addresses rest, which matters only in what comes next.
    let rests = text.replace("prefix: 24,", "prefix: 24, addressReuseGracePeriodSeconds: 600,");
    is_exact(&planned(&rests), &["11", "13", "14"]);
}

#[test]
fn what_others_may_take_from_the_pool_makes_it_a_set() {
    is_set(
        &with("ip-pool-name: md", "ip-pool-name: cp"),
        &[],
        "the pool cp is shared",
    );
    let plan = with("namePrefix: cp\n", "namePrefix: cp\n  allocationStrategy: random\n");
    is_set(&plan, &[], "at random");
    assert_eq!(control_plane(&plan).addresses.len(), 10, "every address can come");
    let plan = with("host: 192.0.2.250, ", "");
    is_set(&plan, &[], "the endpoint has no host");
    assert_eq!(
        control_plane(&plan).addresses.len(),
        5,
        "replicas, surge and the endpoint"
    );
}

#[test]
fn what_is_not_known_makes_it_a_set() {
    is_set(
        &with("replicas: 3", "replicas: ${N}"),
        &[],
        "number of replicas is not known",
    );
    is_set(
        &with("ip-pool-name: cp", "ip-pool-name: elsewhere"),
        &[],
        "elsewhere is not in the manifest",
    );
    let plan = with("kind: KubeadmControlPlane", "kind: TalosControlPlane");
    is_set(
        &plan,
        &[],
        "a TalosControlPlane is not known to make one machine at a time",
    );
    is_exact(
        &with("kind: KubeadmControlPlane", "kind: RKE2ControlPlane"),
        &["10", "11", "12"],
    );
}

#[test]
fn two_nics_on_one_pool_take_their_addresses_at_the_same_moment() {
    let nics = "[{networkName: lan}, {networkName: san}]";
    let from = "ip-pool-name: cp}}\nspec: {template: {spec: {network: {devices: [{networkName: lan}]}}}}";
    let to = format!("ip-pool-name: cp}}}}\nspec: {{template: {{spec: {{network: {{devices: {nics}}}}}}}}}");
    let plan = with(from, &to);
    is_set(
        &plan,
        &[],
        "several NICs of a machine take from the pool cp at the same moment",
    );
    assert_eq!(
        control_plane(&plan).addresses.len(),
        8,
        "two for each of three replicas and one surge"
    );
}

#[test]
fn a_pool_without_an_address_for_every_machine_is_exact_as_far_as_it_goes() {
    let plan = with("end: 192.0.2.19", "end: 192.0.2.11");
    is_set(
        &plan,
        &["10", "11"],
        "the pool cp has not enough addresses for every machine",
    );
}

#[test]
fn a_cluster_wide_pool_is_shared_across_namespaces() {
    let pool = "apiVersion: ipam.cluster.x-k8s.io/v1alpha2
kind: GlobalInClusterIPPool
metadata: {name: wide}
spec: {addresses: [192.0.2.10-192.0.2.19], prefix: 24}
---
";
    let nic = "addressesFromPools: [{apiGroup: ipam.cluster.x-k8s.io, kind: GlobalInClusterIPPool, name: wide}]";
    let one = CLUSTER.replace("labels: {cluster.x-k8s.io/ip-pool-name: cp}", "labels: {}");
    let one = one.replacen(
        "{devices: [{networkName: lan}]}",
        &format!("{{devices: [{{networkName: lan, {nic}}}]}}"),
        1,
    );
    is_exact(&planned(&format!("{pool}{one}")), &["10", "11", "12"]);
    let other = one.replace("plants", "trees").replace("192.0.2.250", "192.0.2.251");
    let plan = planned(&format!("{pool}{one}---\n{other}"));
    is_set(&plan, &[], "the pool wide is shared");
    assert_eq!(
        control_plane(&plan).addresses.len(),
        8,
        "both control planes with their surge"
    );
}

/// What holds after one event.
fn after(text: &str, event: &str) -> StepPlan {
    let sources = [Source { name: "input", text }];
    let manifest = Manifest::read(&sources, Limits::default()).unwrap();
    let events = [event.parse().unwrap()];
    let mut plan = plan_then(&manifest, &Groups::of(&manifest), None, &events).unwrap();
    plan.steps.remove(0)
}

/// The last bytes of what the first group holds, and why it is a set.
fn first(step: &StepPlan) -> (Vec<&str>, Option<&str>) {
    let group = &step.groups[0];
    assert_eq!(group.why.is_none(), group.certainty == Certainty::Exact);
    let last = |text: &'_ String| text.rsplit('.').next().map(ToOwned::to_owned);
    let bytes: Vec<String> = group.addresses.iter().filter_map(last).collect();
    let bytes = group
        .addresses
        .iter()
        .zip(bytes)
        .map(|(text, byte)| &text[text.len() - byte.len()..]);
    (bytes.collect(), group.why.as_deref())
}

#[test]
fn failure_domains_decide_what_goes_but_not_what_comes() {
    for (from, to) in [
        (
            "spec: {controlPlaneEndpoint",
            "spec: {failureDomainSelector: {}, controlPlaneEndpoint",
        ),
        (
            "apiVersion: ipam.metal3.io/v1alpha1\nkind: IPPool\nmetadata: {name: cp,",
            "apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereDeploymentZone\nmetadata: {name: z}\n---\n\
             apiVersion: ipam.metal3.io/v1alpha1\nkind: IPPool\nmetadata: {name: cp,",
        ),
    ] {
        let text = CLUSTER.replace(from, to);
        is_exact(&planned(&text), &["10", "11", "12"]);
        let (held, why) = (after(&text, "rollout=oak-cp"), "failure domains decide");
        assert_eq!(first(&held).0, ["10", "11", "12", "13"]);
        assert!(first(&held).1.unwrap().contains(why));
        assert_eq!(
            first(&after(&text, "scale=oak-cp:5")),
            (vec!["10", "11", "12", "13", "14"], None)
        );
    }
    assert_eq!(first(&after(CLUSTER, "rollout=oak-cp")), (vec!["13", "10", "11"], None));
}

#[test]
fn addresses_that_rest_may_be_any_after_a_roll_out() {
    let pool = "apiVersion: ipam.cluster.x-k8s.io/v1alpha2\nkind: InClusterIPPool\nmetadata: {name: cp, namespace: plants}\n\
                spec: {addresses: [192.0.2.10-192.0.2.17], prefix: 24, addressReuseGracePeriodSeconds: 60}\n---\n";
    let nic =
        "{networkName: lan, addressesFromPools: [{apiGroup: ipam.cluster.x-k8s.io, kind: InClusterIPPool, name: cp}]}";
    let text = format!("{pool}{CLUSTER}").replacen("labels: {cluster.x-k8s.io/ip-pool-name: cp}", "labels: {}", 1);
    let text = text.replacen("{networkName: lan}", nic, 1);
    let step = after(&text, "rollout=oak-cp");
    assert_eq!(first(&step).0.len(), 8);
    assert!(first(&step).1.unwrap().contains("rest before they are given out again"));
    assert_eq!(
        first(&after(&text.replace("Seconds: 60", "Seconds: 0"), "rollout=oak-cp")).0,
        ["13", "10", "11"]
    );
}

#[test]
fn a_class_says_how_its_control_plane_is_replaced() {
    let class = |control_plane: &str, patch: &str| {
        format!(
            "apiVersion: cluster.x-k8s.io/v1beta1
kind: ClusterClass
metadata: {{name: sea, namespace: plants}}
spec:
  controlPlane:
    ref: {{apiVersion: controlplane.cluster.x-k8s.io/v1beta1, kind: KubeadmControlPlaneTemplate, name: sea-cp}}
    machineInfrastructure: {{ref: {{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereMachineTemplate, name: oak-cp}}}}
  patches: [{patch}]
---
{control_plane}
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {{name: elm, namespace: plants}}
spec: {{topology: {{class: sea, version: v1.33.0, controlPlane: {{replicas: 3}}}}}}
---
{}",
            CLUSTER.split("---\n").filter(|part| part.contains("IPPool") || part.contains("name: oak-cp, namespace: plants, labels")).collect::<Vec<_>>().join("---\n")
        )
    };
    let template = |surge: u32| {
        format!(
            "apiVersion: controlplane.cluster.x-k8s.io/v1beta1\nkind: KubeadmControlPlaneTemplate\nmetadata: {{name: sea-cp, namespace: plants}}\n\
                 spec: {{template: {{spec: {{rolloutStrategy: {{rollingUpdate: {{maxSurge: {surge}}}}}}}}}}}\n---"
        )
    };
    let rolled = |text: &str| after(text, "rollout");
    assert_eq!(first(&rolled(&class(&template(0), ""))), (vec!["10", "11", "12"], None));
    assert_eq!(first(&rolled(&class(&template(1), ""))), (vec!["13", "10", "11"], None));
    // Whether a machine is added or removed first decides, and nobody says it.
    for text in [
        class("", ""),
        class(
            &template(0),
            "{name: p, definitions: [{jsonPatches: [{path: /spec/template/spec/rolloutStrategy, op: add, value: {}}]}]}",
        ),
    ] {
        is_exact(&planned(&text), &["10", "11", "12"]);
        let step = rolled(&text);
        assert_eq!(first(&step).0, ["10", "11", "12", "13"]);
        assert!(
            first(&step)
                .1
                .unwrap()
                .contains("whether a roll-out adds or removes a machine first")
        );
    }
}

#[test]
fn what_no_roll_out_replaces_is_left_alone_and_said() {
    let on_delete = CLUSTER.replace("  replicas: 2\n", "  replicas: 2\n  strategy: {type: OnDelete}\n");
    let set = CLUSTER.replace("kind: MachineDeployment", "kind: MachineSet");
    for text in [on_delete, set] {
        let step = after(&text, "rollout=oak-md");
        assert_eq!(step.groups[1].addresses, ["192.0.2.30", "192.0.2.31"]);
        assert_eq!(step.pools[1].peak, Some(2));
        assert!(
            step.notes[0].contains("replaces machines only when they are deleted"),
            "{:?}",
            step.notes
        );
        let step = after(&text, "delete=oak-md");
        assert_eq!((step.groups[1].held, step.notes.len()), (Some(2), 0));
    }
}

#[test]
fn an_autoscaler_may_have_fewer_machines_than_it_can() {
    let annotations = "metadata:\n  name: oak-md\n  namespace: plants\n  annotations:\n    \
                       cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size: \"1\"\n    \
                       cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: \"5\"\n";
    let text = CLUSTER.replace(
        "metadata: {name: oak-md, namespace: plants}\nspec:\n  clusterName",
        &format!("{annotations}spec:\n  clusterName"),
    );
    let step = after(&text, "rollout=oak-md");
    let workers = &step.groups[1];
    assert_eq!((workers.held, workers.addresses.len()), (None, 6));
    assert_eq!(step.pools[1].needed, Some(6));
}

#[test]
fn percentages_follow_the_replicas() {
    let text = CLUSTER.replace(
        "  replicas: 2\n",
        "  replicas: 2\n  strategy: {rollingUpdate: {maxSurge: 50%, maxUnavailable: 0}}\n",
    );
    assert_eq!(after(&text, "rollout=oak-md").pools[1].needed, Some(3));
    let sources = [Source {
        name: "input",
        text: &text,
    }];
    let manifest = Manifest::read(&sources, Limits::default()).unwrap();
    let events = ["scale=oak-md:5", "rollout=oak-md"].map(|event| event.parse().unwrap());
    let plan = plan_then(&manifest, &Groups::of(&manifest), None, &events).unwrap();
    assert_eq!(plan.steps[1].pools[1].needed, Some(8), "half of five, rounded up");
}
