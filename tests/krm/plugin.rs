//! The function as the executable plugin of kustomize and kubectl: bare documents in and out, and a finding that matters fails the build.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::kustomize::{CLUSTER, SPEC, objects, piped};
use crate::program::{Folder, Ran};
use crate::tools;

/// A folder with the plugin linked where kustomize looks for it.
fn folder(spec: &str) -> Folder {
    let folder = Folder::new();
    let config = format!(
        "apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\nmetadata:\n  name: demo\nargsOneLiner: one two\n{spec}"
    );
    folder
        .write(
            "kustomization.yaml",
            "resources: [cluster.yaml]\ntransformers: [addressing.yaml]\n",
        )
        .write("cluster.yaml", CLUSTER)
        .write("addressing.yaml", config);
    let home = folder.path("plugins/capv-ipam.dev/v1alpha1/staticaddressing");
    std::fs::create_dir_all(&home).unwrap();
    symlink(env!("CARGO_BIN_EXE_capv-ipam"), home.join("StaticAddressing")).unwrap();
    folder
}

fn run(tool: &Path, verb: &str, folder: &Folder) -> Ran {
    let output = Command::new(tool)
        .args([verb, "--enable-alpha-plugins"])
        .arg(folder.path(""))
        .env("KUSTOMIZE_PLUGIN_HOME", folder.path("plugins"))
        .output();
    output.unwrap().into()
}

/// kustomize, and the oldest and newest kubectl that are there.
fn builders() -> Vec<(std::path::PathBuf, &'static str)> {
    let kubectl = ["kubectl.1.27", "kubectl.1.33"]
        .into_iter()
        .filter_map(tools::tool)
        .map(|tool| (tool, "kustomize"));
    kubectl
        .chain(tools::tool("kustomize").map(|tool| (tool, "build")))
        .collect()
}

#[test]
fn a_build_of_kubectl_carries_the_addresses_that_the_pipe_gives() {
    let folder = folder(SPEC);
    for (tool, verb) in builders() {
        let ran = run(&tool, verb, &folder);
        assert_eq!(ran.code, 0, "{}: {}", tool.display(), ran.stderr);
        assert_eq!(objects(&ran.stdout), piped(SPEC), "{}", tool.display());
    }
}

#[test]
fn an_error_fails_the_build_and_is_shown() {
    let folder = folder(&SPEC.replace("192.0.2.10-192.0.2.14", "192.0.2.5-192.0.2.14"));
    for (tool, verb) in builders() {
        let ran = run(&tool, verb, &folder);
        assert_ne!(ran.code, 0, "{}", tool.display());
        assert_eq!(ran.stdout, "");
        assert!(
            ran.stderr
                .contains("/VSphereCluster/demo spec.controlPlaneEndpoint.host: CI303: "),
            "{}: {}",
            tool.display(),
            ran.stderr
        );
    }
}

#[test]
fn as_a_generator_it_gets_nothing_and_gives_the_pool() {
    let pools = "spec:\n  verb: pools\n  pools:\n  - name: alone\n    machines: [control-plane]\n    \
                 addresses: [192.0.2.10-192.0.2.14]\n    prefix: 24\n    gateway: 192.0.2.1\n";
    let folder = folder(pools);
    folder.write(
        "kustomization.yaml",
        "resources: [cluster.yaml]\ngenerators: [addressing.yaml]\nnamePrefix: a-\n",
    );
    for (tool, verb) in builders() {
        let ran = run(&tool, verb, &folder);
        assert_eq!(ran.code, 0, "{}: {}", tool.display(), ran.stderr);
        let names: Vec<Value> = objects(&ran.stdout)
            .into_iter()
            .filter(|object| object["kind"] == "IPPool")
            .map(|object| object["metadata"]["name"].clone())
            .collect();
        assert_eq!(names, ["a-alone"]);
    }
}

/// What kustomize does, without it.
fn call(folder: &Folder, input: &str) -> Ran {
    let mut command = folder.command(&["addressing.yaml", "one", "two"]);
    let config = folder.read("addressing.yaml");
    command
        .env("KUSTOMIZE_PLUGIN_CONFIG_STRING", config)
        .env("KUSTOMIZE_PLUGIN_CONFIG_ROOT", "/");
    crate::program::feed(command, input.as_bytes())
}

#[test]
fn bare_documents_come_back_with_every_byte_outside_the_edits() {
    let annotations =
        "  name: demo-cp\n  annotations:\n    kustomize.config.k8s.io/id: |\n      kind: x\n      name: demo-cp\n";
    let input = CLUSTER.replace(
        "  name: demo-cp\nspec:\n  template",
        &format!("{annotations}spec:\n  template"),
    );
    let ran = call(&folder(SPEC), &input);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with(&input[..input.find("    files:").unwrap()]));
    assert!(ran.stdout.contains(annotations));
    assert!(ran.stdout.contains("kind: IPPool"));
    let object = "capv-ipam: warning: infrastructure.cluster.x-k8s.io/v1beta1/VSphereMachineTemplate/demo-cp metadata.name: CI214: ";
    assert!(ran.stderr.starts_with(object), "{}", ran.stderr);
}

#[test]
fn after_an_error_the_documents_go_back_as_they_came() {
    for (spec, code) in [("spec: {pool: x}\n", 2), (SPEC, 1)] {
        let input = CLUSTER.replace("host: 192.0.2.9", "host: 192.0.2.11");
        let ran = call(&folder(spec), &input);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (code, input.as_str()),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.starts_with("capv-ipam: error: "), "{}", ran.stderr);
    }
    let broken = call(&folder(SPEC), "a: [\n");
    assert_eq!(
        (broken.code, broken.stdout.as_str()),
        (1, "a: [\n"),
        "{}",
        broken.stderr
    );
}

#[test]
fn the_plan_is_a_document_more() {
    let ran = call(&folder(&SPEC.replace("spec:\n", "spec:\n  verb: plan\n")), CLUSTER);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with(CLUSTER));
    let plan = objects(&ran.stdout)
        .into_iter()
        .find(|object| object["kind"] == "ConfigMap")
        .unwrap();
    assert!(plan["data"]["plan.yaml"].as_str().unwrap().contains("192.0.2.10"));
}
