//! The commands of `docs/controller.md` that take a management cluster over from metal3's manager and the old adapter, and
//! the way back, run as they stand there on a real API server.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::api_server::{ADMIN, ApiServer, free_port};
use crate::bench::{ADDRESS, Bench, CAPI_CLAIM, CLAIM, POOL, capi_claim, claim, eventually, run};
use crate::capv::{MACHINE, devices, machine, nic};

/// The blocks of commands under a heading of the document.
fn commands(heading: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/controller.md");
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.split_once(heading).unwrap().1;
    let section = section.split_once("\n## ").unwrap().0;
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in section.lines() {
        match (line.trim(), &mut block) {
            ("```sh", None) => block = Some(String::new()),
            ("```", Some(_)) => blocks.extend(block.take()),
            (line, Some(block)) => block.push_str(&format!("{line}\n")),
            (_, None) => {}
        }
    }
    blocks
}

/// Runs a block in a folder, with kubectl, the program and the way to the server where a user has them.
fn type_in(server: &ApiServer, folder: &Path, block: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_capv-ipam")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", block])
        .current_dir(folder)
        .env("KUBECONFIG", server.kubeconfig(ADMIN))
        .env(
            "PATH",
            format!("{}:{}:{path}", server.assets.display(), program.display()),
        )
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{block}\n{error}");
    String::from_utf8(output.stdout).unwrap()
}

/// metal3's manager and the adapter as the API server knows them, with webhooks that nobody answers.
fn theirs() -> Vec<Value> {
    let deployment = |namespace: &str, name: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": namespace, "name": name},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "manager", "image": "registry.example.com/manager:1"}]},
            }},
        })
    };
    let namespace = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let url = format!("https://127.0.0.1:{}/", free_port());
    let webhook = |kind: &str, name: &str| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name},
            "webhooks": [{
                "name": "ipclaim.ipam.metal3.io", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "failurePolicy": "Fail", "timeoutSeconds": 1, "clientConfig": {"url": url},
                "rules": [{"apiGroups": ["ipam.metal3.io"], "apiVersions": ["v1alpha1"], "operations": ["CREATE", "UPDATE"],
                    "resources": ["ipclaims", "ippools"]}],
            }],
        })
    };
    vec![
        namespace("metal3-ipam-system"),
        namespace("capv-system"),
        deployment("metal3-ipam-system", "ipam-controller-manager"),
        deployment("capv-system", "capv-static-ip-controller-manager"),
        webhook("MutatingWebhookConfiguration", "ipam-mutating-webhook-configuration"),
        webhook(
            "ValidatingWebhookConfiguration",
            "ipam-validating-webhook-configuration",
        ),
    ]
}

fn replicas(server: &ApiServer, namespace: &str, name: &str) -> String {
    server.kubectl(&[
        "-n",
        namespace,
        "get",
        "deployment",
        name,
        "-o",
        "jsonpath={.spec.replicas}",
    ])
}

#[test]
fn the_commands_of_the_migration_guide_change_no_address() {
    static SERVER: OnceLock<Option<ApiServer>> = OnceLock::new();
    // A server of its own: webhooks that nobody answers hold up everybody's claims.
    let Some(server) = SERVER.get_or_init(|| ApiServer::start("new")).as_ref() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let bench = Bench::new(server).await;
        bench.labelled("192.0.2.10", "192.0.2.19").await;
        // What metal3's manager and the adapter leave: the same objects, and owners in a version that is not served.
        let before = bench.controller(&[]);
        for name in ["b", "a"] {
            bench.create(claim(name, "p")).await;
            bench.bound(CLAIM, name).await;
        }
        bench.create(capi_claim("k", "p")).await;
        bench.bound(CAPI_CLAIM, "k").await;
        bench
            .machine(machine("m", "t", "c", true, json!([nic("Public")])))
            .await;
        bench.served("m").await;
        before.kill();
        let mut owners = bench
            .get(CLAIM, "m-0")
            .await
            .unwrap()
            .metadata
            .owner_references
            .unwrap();
        owners[0].api_version = "infrastructure.cluster.x-k8s.io/v1alpha4".into();
        bench
            .patch(CLAIM, "m-0", json!({"metadata": {"ownerReferences": owners}}))
            .await;
        server.apply(&theirs());
        eventually("their webhooks are called", async || {
            let refused = bench.try_create(claim("early", "p")).await.err()?;
            refused.to_string().contains("failed calling webhook").then_some(())
        })
        .await;

        let blocks = commands("## From metal3 and the adapter");
        let [stop, note, webhooks, install, compare, back] = &blocks[..] else {
            panic!("{} blocks: {blocks:#?}", blocks.len())
        };
        let definitions = || server.kubectl(&["get", "crd", "-o", "jsonpath={.items[*].metadata.resourceVersion}"]);
        let definitions_before = definitions();
        for block in [stop, note, webhooks, install] {
            println!("{}", type_in(server, folder.path(), block));
        }
        assert_eq!(replicas(server, "metal3-ipam-system", "ipam-controller-manager"), "0");
        // No pod runs here, so nobody would answer our webhooks either.
        let ours = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
        server.kubectl(&["delete", ours, "capv-ipam"]);
        let controller = bench.controller(&[]);
        eventually("a served version of the owner", async || {
            let claim = bench.get(CLAIM, "m-0").await?;
            (claim.metadata.owner_references?[0].api_version == MACHINE.0).then_some(())
        })
        .await;
        assert_eq!(type_in(server, folder.path(), compare), "");
        let noted = std::fs::read_to_string(folder.path().join("before.txt")).unwrap();
        assert_eq!(noted.lines().count(), 5, "{noted}");
        assert_eq!(
            definitions(),
            definitions_before,
            "metal3's definitions stay as they are"
        );
        eventually("their webhooks are forgotten", async || {
            bench.try_create(claim("new", "p")).await.ok()
        })
        .await;
        assert_eq!(bench.bound(CLAIM, "new").await, "p-192-0-2-14");
        assert_eq!(
            devices(&bench.get(MACHINE, "m").await.unwrap())[0]["ipAddrs"][0],
            "192.0.2.13/24"
        );
        let indexes = bench.get(POOL, "p").await.unwrap().data["status"]["indexes"].clone();
        assert_eq!(indexes["b"], "192.0.2.10");
        assert_eq!(bench.list(ADDRESS).await.len(), 4);

        controller.kill();
        // They are there again, as after an installation whose pods run.
        type_in(server, folder.path(), install);
        type_in(server, folder.path(), back);
        assert_eq!(replicas(server, "capv-ipam-system", "capv-ipam"), "0");
        assert_eq!(replicas(server, "metal3-ipam-system", "ipam-controller-manager"), "1");
        let names = server.kubectl(&["get", ours, "-o", "name"]);
        assert_eq!(names.lines().count(), 2, "{names}");
        assert!(
            names.contains("ipam-mutating-webhook-configuration") && !names.contains("capv-ipam"),
            "{names}"
        );
    });
}
