//! The function under the real kustomize: what a build prints, what happens after an error, and how names that kustomize changed are followed.

use std::process::Command;

use serde_json::Value;

use crate::program::{Folder, Ran};
use crate::support::values;
use crate::tools;

pub(crate) const CLUSTER: &str = "\
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata:
  name: demo
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
spec:
  controlPlaneEndpoint:
    host: 192.0.2.9
    port: 6443
---
apiVersion: controlplane.cluster.x-k8s.io/v1beta1
kind: KubeadmControlPlane
metadata:
  name: demo-cp
spec:
  replicas: 3
  kubeadmConfigSpec:
    # what the nodes get
    files:
    - path: /etc/kubernetes/manifests/kube-vip.yaml # the balancer
      content: |
        apiVersion: v1
        kind: Pod
        metadata:
          name: kube-vip
        spec:
          containers:
          - name: kube-vip
            image: ghcr.io/kube-vip/kube-vip:v0.6.4
    - path: /etc/motd
      content: hello
    - path: /etc/issue # who
      content: lab
  machineTemplate:
    infrastructureRef:
      apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
      kind: VSphereMachineTemplate
      name: demo-cp
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereMachineTemplate
metadata:
  name: demo-cp
spec:
  template:
    spec:
      network:
        devices:
        # the only one
        - dhcp4: true # for now
          networkName: lab-net
      template: ubuntu
";

pub(crate) const SPEC: &str = "\
spec:
  pools:
  - machines: [control-plane]
    addresses: [192.0.2.10-192.0.2.14]
    prefix: 24
    gateway: 192.0.2.1
  kubeVip: remove
";

/// A configuration that kustomize runs as an executable.
fn exec(spec: &str) -> String {
    let program = env!("CARGO_BIN_EXE_capv-ipam");
    format!(
        "apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\nmetadata:\n  name: demo\n  annotations:\n    \
         config.kubernetes.io/function: |\n      exec:\n        path: {program}\n{spec}"
    )
}

fn build(folder: &Folder, arguments: &[&str]) -> Option<Ran> {
    let kustomize = tools::tool("kustomize")?;
    let output = Command::new(kustomize)
        .arg("build")
        .args(arguments)
        .arg(folder.path(""))
        .output()
        .unwrap();
    Some(output.into())
}

const ALLOWED: [&str; 2] = ["--enable-alpha-plugins", "--enable-exec"];

/// The objects of a stream by kind and name, so that their order is of no weight.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let mut objects = values(text).unwrap();
    objects.sort_by_key(|object| format!("{} {}", object["kind"], object["metadata"]["name"]));
    objects
}

/// What the pipe gives for the same manifest.
pub(crate) fn piped(spec: &str) -> Vec<Value> {
    let folder = Folder::new();
    let config = format!("apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\n{spec}");
    folder.write("config.yaml", config).write("cluster.yaml", CLUSTER);
    let ran = folder.run(&["transform", "-f", "cluster.yaml", "--config", "config.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    objects(&ran.stdout)
}

#[test]
fn a_build_carries_the_addresses_that_the_pipe_gives() {
    let folder = Folder::new();
    folder
        .write(
            "kustomization.yaml",
            "resources: [cluster.yaml]\ntransformers: [addressing.yaml]\n",
        )
        .write("cluster.yaml", CLUSTER)
        .write("addressing.yaml", exec(SPEC));
    let Some(ran) = build(&folder, &ALLOWED) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(objects(&ran.stdout), piped(SPEC));
    assert!(ran.stderr.starts_with("capv-ipam: warning: "), "{}", ran.stderr);
}

#[test]
fn after_an_error_there_is_no_build_and_the_reason_is_shown() {
    let folder = Folder::new();
    folder
        .write(
            "kustomization.yaml",
            "resources: [cluster.yaml]\ntransformers: [addressing.yaml]\n",
        )
        .write("cluster.yaml", CLUSTER)
        .write(
            "addressing.yaml",
            exec(&SPEC.replace("192.0.2.10-192.0.2.14", "192.0.2.5-192.0.2.14")),
        );
    let Some(ran) = build(&folder, &ALLOWED) else { return };
    assert_ne!(ran.code, 0);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr.contains("capv-ipam: error: ") && ran.stderr.contains("CI303"),
        "{}",
        ran.stderr
    );
}

#[test]
fn names_that_kustomize_changed_are_followed() {
    let folder = Folder::new();
    let references = "nameReference:\n- kind: VSphereMachineTemplate\n  group: infrastructure.cluster.x-k8s.io\n  fieldSpecs:\n  \
                      - {kind: KubeadmControlPlane, path: spec/machineTemplate/infrastructureRef/name}\n- kind: KubeadmControlPlane\n  \
                      group: controlplane.cluster.x-k8s.io\n  fieldSpecs:\n  - {kind: Cluster, path: spec/controlPlaneRef/name}\n- kind: \
                      VSphereCluster\n  group: infrastructure.cluster.x-k8s.io\n  fieldSpecs:\n  - {kind: Cluster, path: spec/infrastructureRef/name}\n";
    // Two sites of one base in one build: every former name occurs twice.
    folder
        .write(
            "base/kustomization.yaml",
            "resources: [cluster.yaml]\nconfigurations: [references.yaml]\n",
        )
        .write("base/cluster.yaml", CLUSTER)
        .write("base/references.yaml", references)
        .write(
            "kustomization.yaml",
            "resources: [north, south]\ntransformers: [north.yaml, south.yaml]\nconfigurations: [references.yaml]\n",
        )
        .write("references.yaml", references);
    for (site, endpoint, range) in [
        ("north", "192.0.2.8", "192.0.2.10-192.0.2.14"),
        ("south", "192.0.2.9", "192.0.2.20-192.0.2.24"),
    ] {
        let spec = SPEC.replace("spec:\n", &format!("spec:\n  cluster: {site}-demo\n"));
        let config =
            exec(&spec.replace("192.0.2.10-192.0.2.14", range)).replace("name: demo\n", &format!("name: {site}\n"));
        folder
            .write(
                &format!("{site}/kustomization.yaml"),
                format!(
                    "resources: [../base]\nnamePrefix: {site}-\nnamespace: {site}\nconfigurations: [references.yaml]\npatches:\n- target: \
                     {{kind: VSphereCluster}}\n  patch: '- {{op: replace, path: /spec/controlPlaneEndpoint/host, value: {endpoint}}}'\n"
                ),
            )
            .write(&format!("{site}/references.yaml"), references)
            .write(&format!("{site}.yaml"), config);
    }
    let Some(ran) = build(&folder, &ALLOWED) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let objects = objects(&ran.stdout);
    let find = |kind: &str, name: &str| {
        let found = objects
            .iter()
            .find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
        found
            .unwrap_or_else(|| panic!("{kind} {name} is not in {}", ran.stdout))
            .clone()
    };
    for (site, first) in [("north", "192.0.2.10"), ("south", "192.0.2.20")] {
        let pool = find("IPPool", &format!("{site}-demo-control-plane-pool"));
        assert_eq!(pool["metadata"]["namespace"], site);
        assert_eq!(pool["spec"]["clusterName"], format!("{site}-demo"));
        assert_eq!(pool["spec"]["pools"][0]["start"], first);
        let template = find("VSphereMachineTemplate", &format!("{site}-demo-cp"));
        assert_eq!(
            template["metadata"]["labels"]["cluster.x-k8s.io/ip-pool-name"],
            format!("{site}-demo-control-plane-pool")
        );
        let group = find("KubeadmControlPlane", &format!("{site}-demo-cp"));
        assert_eq!(
            group["spec"]["machineTemplate"]["infrastructureRef"]["name"],
            format!("{site}-demo-cp")
        );
        assert!(!group.to_string().contains("kube-vip"), "{group:#}");
    }
}

#[test]
fn a_generator_makes_the_pool_and_the_transformer_finds_it() {
    let folder = Folder::new();
    let pools = "spec:\n  verb: pools\n  cluster: demo\n  pools:\n  - name: shared\n    machines: [control-plane]\n    \
                 addresses: [192.0.2.10-192.0.2.14]\n    prefix: 24\n    gateway: 192.0.2.1\n";
    let bind = pools.replace("  verb: pools\n", "");
    folder
        .write(
            "kustomization.yaml",
            "resources: [cluster.yaml]\ngenerators: [pools.yaml]\ntransformers: [addressing.yaml]\nnamespace: lab\n",
        )
        .write("cluster.yaml", CLUSTER)
        .write("pools.yaml", exec(pools))
        .write("addressing.yaml", exec(&bind));
    let Some(ran) = build(&folder, &ALLOWED) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let objects = objects(&ran.stdout);
    let pools: Vec<&Value> = objects.iter().filter(|object| object["kind"] == "IPPool").collect();
    assert_eq!(pools.len(), 1);
    assert_eq!(pools[0]["metadata"]["namespace"], "lab");
}

#[test]
fn a_check_stands_among_the_transformers() {
    let folder = Folder::new();
    folder
        .write(
            "kustomization.yaml",
            "resources: [cluster.yaml]\ntransformers: [addressing.yaml]\n",
        )
        .write("cluster.yaml", CLUSTER)
        .write(
            "addressing.yaml",
            exec(&SPEC.replace("spec:\n", "spec:\n  verb: check\n")),
        );
    let Some(checked) = build(&folder, &ALLOWED) else {
        return;
    };
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    folder.write("kustomization.yaml", "resources: [cluster.yaml]\n");
    assert_eq!(Some(checked.stdout), build(&folder, &[]).map(|plain| plain.stdout));
}

/// Without `--enable-exec` kustomize leaves executables out and says nothing: the guard behind the build notices.
#[test]
fn a_build_without_the_function_is_noticed_behind_it() {
    let folder = Folder::new();
    folder
        .write(
            "kustomization.yaml",
            "resources: [cluster.yaml]\ntransformers: [addressing.yaml]\n",
        )
        .write("cluster.yaml", CLUSTER)
        .write("addressing.yaml", exec(SPEC));
    let (Some(skipped), Some(done)) = (build(&folder, &ALLOWED[..1]), build(&folder, &ALLOWED)) else {
        return;
    };
    assert_eq!((skipped.code, skipped.stderr.as_str()), (0, ""));
    let guard = |text: &str| {
        folder
            .pipe(&["transform", "--config", "addressing.yaml", "--diff"], text)
            .code
    };
    assert_eq!((guard(&skipped.stdout), guard(&done.stdout)), (1, 0));
}
