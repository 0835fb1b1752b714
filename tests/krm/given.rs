//! A small cluster as kpt and kustomize send it, and the means to look at an answer.

use capv_ipam::yaml::{Chunk, Limits, Tree};
use serde_json::Value;

use crate::program::{Folder, Ran};

/// A Cluster, its control plane with kube-vip, and the two templates, each with what a caller adds in `ANNOTATIONS`.
pub(crate) const ITEMS: &str = "\
- apiVersion: cluster.x-k8s.io/v1beta1
  kind: Cluster
  metadata:
    name: demo
    namespace: lab
    annotations: {ANNOTATIONS}
  spec:
    controlPlaneRef:
      apiVersion: controlplane.cluster.x-k8s.io/v1beta1
      kind: KubeadmControlPlane
      name: demo-cp
- # the control plane
  apiVersion: controlplane.cluster.x-k8s.io/v1beta1
  kind: KubeadmControlPlane
  metadata:
    name: demo-cp
    namespace: lab
    annotations: {ANNOTATIONS}
  spec:
    replicas: 3
    machineTemplate:
      infrastructureRef:
        apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
        kind: VSphereMachineTemplate
        name: demo-cp # by name
- apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
  kind: VSphereMachineTemplate
  metadata:
    name: demo-cp
    namespace: lab
    annotations: {ANNOTATIONS}
  spec:
    template:
      spec:
        network:
          devices:
          # the only one
          - dhcp4: true # for now
            networkName: lab-net
        template: ubuntu
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: other
    annotations: {ANNOTATIONS}
  data:
    text: |
      untouched # here
";

/// What the cluster gets.
pub(crate) const CONFIG: &str = "\
functionConfig:
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

/// The head of a list.
pub(crate) const HEAD: &str = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n";

/// The items with annotations of the transport; `%` in them becomes the item's number from 0.
pub(crate) fn items(annotations: &str) -> String {
    let mut text = String::new();
    for (number, part) in ITEMS.split_inclusive("{ANNOTATIONS}").enumerate() {
        let mine = annotations.replace('%', &number.to_string());
        text.push_str(&part.replace("{ANNOTATIONS}", &format!("{{{mine}}}")));
    }
    text
}

/// As kpt sends them: all in one file.
pub(crate) fn kpt_items() -> String {
    items(
        "config.kubernetes.io/index: '%', config.kubernetes.io/path: 'clusters/demo.yaml', internal.config.kubernetes.io/index: '%', \
         internal.config.kubernetes.io/path: 'clusters/demo.yaml', internal.config.kubernetes.io/id: '1%', config.k8s.io/id: '1%'",
    )
}

/// Runs the function.
pub(crate) fn call(text: &str) -> Ran {
    Folder::new().pipe(&[], text)
}

/// The value of a text.
pub(crate) fn value(text: &str) -> Value {
    with_tree(text, |tree| {
        tree.value(tree.root().unwrap(), &Limits::default()).unwrap()
    })
}

/// What a key of a list holds; the other keys may hold what has no value, such as a key that occurs twice.
pub(crate) fn part(text: &str, key: &str) -> Value {
    let of = |tree: &Tree<'_>| {
        let node = tree.get(tree.root().unwrap(), key)?;
        tree.value(node, &Limits::default()).ok()
    };
    with_tree(text, of).unwrap_or_default()
}

/// The parts of the items that a path of keys leads to.
pub(crate) fn of_items(text: &str, path: &[&str]) -> Vec<Value> {
    with_tree(text, |tree| {
        let items = tree.get(tree.root().unwrap(), "items").unwrap();
        let of = |item| {
            let node = path.iter().try_fold(item, |node, key| tree.get(node, key))?;
            tree.value(node, &Limits::default()).ok()
        };
        tree.items(items).map(|item| of(item).unwrap_or_default()).collect()
    })
}

fn with_tree<T>(text: &str, of: impl FnOnce(&Tree<'_>) -> T) -> T {
    let text = text.trim_start_matches('\u{feff}');
    let tree = Tree::parse(&Chunk::alone(text), &Limits::default());
    of(&tree.unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// The item of a kind and name.
pub(crate) fn item(text: &str, kind: &str, name: &str) -> Option<Value> {
    let named = of_items(text, &["metadata", "name"]).into_iter();
    let place = of_items(text, &["kind"])
        .into_iter()
        .zip(named)
        .position(|(own, own_name)| own == kind && own_name == name)?;
    of_items(text, &[]).into_iter().nth(place)
}

/// What must hold for every answer to the cluster with the configuration.
pub(crate) fn is_addressed(text: &str) {
    let pool = item(text, "IPPool", "demo-control-plane-pool").unwrap();
    assert_eq!(pool["metadata"]["namespace"], "lab");
    assert_eq!(pool["spec"]["clusterName"], "demo");
    let template = item(text, "VSphereMachineTemplate", "demo-cp").unwrap();
    assert_eq!(
        template["metadata"]["labels"]["cluster.x-k8s.io/ip-pool-name"],
        "demo-control-plane-pool"
    );
    assert_eq!(
        template["spec"]["template"]["spec"]["network"]["devices"][0]["dhcp4"],
        false
    );
}
