//! What `install` prints: the same as `deploy/`, metal3's own definitions, applied twice on a real API server; the webhooks as
//! the API server calls them; the alert rules as Prometheus reads them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use capv_ipam::controller::{Install, Part, Role};
use serde_json::{Value, json};

use crate::api_server::{crds, free_port, shared};
use crate::bench::{Bench, eventually, pool, run};

pub(crate) fn install(parts: &[Part]) -> Install {
    Install {
        image: "registry.example.com/capv-ipam:0.1.0".into(),
        namespace: "capv-ipam-system".into(),
        roles: Role::ALL.into(),
        parts: parts.iter().copied().collect(),
        webhooks: true,
    }
}

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)
}

#[test]
fn deploy_holds_what_install_prints() {
    let files = [
        ("install.yaml", install(&Install::USUAL)),
        ("service-monitor.yaml", install(&[Part::ServiceMonitor])),
        ("network-policy.yaml", install(&[Part::NetworkPolicy])),
    ];
    for (file, install) in files {
        let path = deploy(file);
        if std::env::var_os("UPDATE_DEPLOY").is_some() {
            std::fs::write(&path, install.yaml()).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            there,
            install.yaml(),
            "{file}: UPDATE_DEPLOY=1 cargo test --test controller deploy writes it anew"
        );
    }
}

#[test]
fn the_roles_get_no_right_of_another_role() {
    let mut machine = install(&[Part::Rbac]);
    machine.roles = BTreeSet::from([Role::Machine]);
    let text = machine.yaml();
    assert!(!text.contains("vsphereclusters") && !text.contains("ippools/status") && !text.contains("secrets"));
    assert!(text.contains("vspheremachines"));
}

/// Takes descriptions away, and everything that a generator of Go notes for itself.
fn bare(value: &mut Value) {
    match value {
        Value::Object(map) => {
            // A property may be called "description"; here none is.
            map.shift_remove("description");
            map.values_mut().for_each(bare);
            map.sort_keys();
        }
        Value::Array(list) => list.iter_mut().for_each(bare),
        _ => {}
    }
}

#[test]
fn the_definitions_are_metal3s() {
    let Some(folder) = crds("new") else { return };
    for mut ours in install(&[Part::Crds]).objects() {
        let name = ours["metadata"]["name"].as_str().unwrap().to_owned();
        let (plural, group) = name.split_once('.').unwrap();
        let text = std::fs::read_to_string(folder.join(format!("{group}_{plural}.yaml"))).unwrap();
        let mut theirs: Value = serde_yaml::from_str(&text).unwrap();
        // Described differences: our labels stand for the contracts, theirs come with their kustomization.
        ours.as_object_mut().unwrap().shift_remove("metadata");
        theirs.as_object_mut().unwrap().shift_remove("metadata");
        bare(&mut ours);
        bare(&mut theirs);
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn installing_twice_changes_nothing() {
    let Some(server) = shared() else { return };
    let arguments = [
        "--image",
        "registry.example.com/capv-ipam:0.1.0",
        "--only",
        "crds,namespace,rbac,deployment",
    ];
    server.install(&arguments);
    let budget = || {
        let arguments = ["-n", "capv-ipam-system", "get", "pdb", "capv-ipam"];
        server.kubectl(&[&arguments[..], &["-o", "jsonpath={.metadata.resourceVersion}"]].concat())
    };
    let before = budget();
    let said = server.install(&arguments);
    assert!(said.lines().count() > 10, "{said}");
    // kubectl always sends a disruption budget's selector; the API server sees that it is the same.
    let is_same = |line: &str| line.ends_with(" unchanged") || line.starts_with("poddisruptionbudget");
    assert!(said.lines().all(is_same), "{said}");
    assert_eq!(before, budget());
}

#[test]
fn the_webhooks_refuse_what_metal3s_refuse_and_warn_of_what_does_harm() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        // The rights of the webhooks, and configurations that reach this process by URL and this namespace alone.
        let all = install(&[Part::Namespace, Part::Webhooks]).objects();
        let (mut hooks, rights): (Vec<Value>, Vec<Value>) = all
            .into_iter()
            .partition(|object| object["kind"].as_str().unwrap().ends_with("WebhookConfiguration"));
        let port = free_port();
        for configuration in &mut hooks {
            for hook in configuration["webhooks"].as_array_mut().unwrap() {
                let path = hook["clientConfig"]["service"]["path"].as_str().unwrap().to_owned();
                hook["clientConfig"] = json!({"url": format!("https://127.0.0.1:{port}{path}")});
                hook["namespaceSelector"] = json!({"matchLabels": {"kubernetes.io/metadata.name": bench.namespace}});
            }
        }
        server.apply(&rights);
        server.apply(&hooks);
        let address = format!("--webhook-addr=127.0.0.1:{port}");
        let _controller = bench.controller(&["--webhooks=true", &address, "--webhook-host=127.0.0.1"]);
        eventually("the API server trusts the certificate", async || {
            let wrong = json!({"apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPPool", "metadata": {"name": "wrong"},
                "spec": {"namePrefix": "x", "pools": [{"start": "10.0.0.9", "end": "10.0.0.1"}]}});
            let refused = bench.try_create(wrong).await.unwrap_err().to_string();
            refused
                .contains("end IP 10.0.0.1 is before start IP 10.0.0.9")
                .then_some(())
        })
        .await;
        let mut plain = pool("p", "192.0.2.10", "192.0.2.19");
        plain["spec"]
            .as_object_mut()
            .unwrap()
            .shift_remove("allocationStrategy");
        let stored = bench.create(plain).await;
        assert_eq!(stored.data["spec"]["allocationStrategy"], "sequential");
        let fixed = bench.api(crate::bench::POOL);
        let patch = kube::api::Patch::Merge(json!({"spec": {"namePrefix": "other"}}));
        let refused = fixed
            .patch("p", &kube::api::PatchParams::default(), &patch)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("spec.namePrefix: Invalid value: \"other\": cannot be modified"),
            "{refused}"
        );
        let overlapping = format!(
            "apiVersion: ipam.metal3.io/v1alpha1\nkind: IPPool\nmetadata: {{name: q, namespace: {}}}\nspec: {{namePrefix: q, \
             pools: [{{start: 192.0.2.15, end: 192.0.2.30}}]}}\n",
            bench.namespace
        );
        let said = server.kubectl_stderr(&overlapping);
        assert!(
            said.contains("192.0.2.15-192.0.2.19 can be given out by the IPPool"),
            "{said}"
        );
        let mut with_endpoint = crate::capv::cluster("c");
        with_endpoint["spec"]["controlPlaneEndpoint"] = json!({"host": "198.51.100.12", "port": 6443});
        bench.create(with_endpoint).await;
        let harmful = format!(
            "apiVersion: ipam.metal3.io/v1alpha1\nkind: IPPool\nmetadata: {{name: r, namespace: {}}}\nspec: {{namePrefix: R, \
             prefix: 24, gateway: 198.51.100.1, pools: [{{start: 198.51.100.1, end: 198.51.100.20}}, {{start: 203.0.113.1, end: \
             203.0.113.2, prefix: 64}}]}}\n",
            bench.namespace
        );
        let said = server.kubectl_stderr(&harmful);
        for warning in [
            "spec.pools[0] holds its gateway 198.51.100.1, which a claim can get",
            "the pool holds 198.51.100.12, the endpoint of the Cluster c",
            "spec.pools[1]: 64 is no prefix length of 203.0.113.1-203.0.113.2 (1 to 32)",
            "spec.namePrefix: \"R-198-51-100-1\" is no object name",
        ] {
            assert!(said.contains(warning), "{said}");
        }
        for configuration in hooks {
            let kind = configuration["kind"].as_str().unwrap().to_owned();
            server.kubectl(&["delete", &kind, "capv-ipam"]);
        }
    });
}

#[test]
fn health_metrics_and_alert_rules() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.create(pool("p", "192.0.2.10", "192.0.2.19")).await;
        bench.create_claims((0..3).map(|n| format!("c{n}")), false, "p").await;
        let (health, metrics) = (free_port(), free_port());
        let health_address = format!("--health-addr=127.0.0.1:{health}");
        let metrics_address = format!("--metrics-addr=127.0.0.1:{metrics}");
        let _controller = bench.controller(&[&health_address, &metrics_address]);
        bench.all_bound(crate::bench::CLAIM, 3).await;
        let get = |port: u16, path: &str| {
            let url = format!("http://127.0.0.1:{port}{path}");
            let output = Command::new("curl")
                .args(["--silent", "--fail", &url])
                .output()
                .unwrap();
            (output.status.success(), String::from_utf8(output.stdout).unwrap())
        };
        assert_eq!(get(health, "/healthz"), (true, "ok\n".into()));
        assert_eq!(get(health, "/readyz"), (true, "ok\n".into()));
        assert!(!get(health, "/other").0);
        let (_, text) = get(metrics, "/metrics");
        let pool = format!("{{namespace=\"{}\",pool=\"p\"}}", bench.namespace);
        for line in [
            format!("capv_ipam_pool_addresses{pool} 10.0"),
            format!("capv_ipam_pool_addresses_free{pool} 7.0"),
            "capv_ipam_leader 1".into(),
        ] {
            assert!(text.lines().any(|there| there == line), "{line} in\n{text}");
        }
        // A claim is decided about again where a write met another one.
        let granted = text
            .lines()
            .find_map(|line| line.strip_prefix("capv_ipam_decisions_total{decision=\"granted\"} "));
        assert!(granted.unwrap().parse::<u64>().unwrap() >= 3, "{text}");
        check_rules(&text);
    });
}

/// Every metric that a rule or panel names is one that the program shows, and Prometheus reads the rules.
fn check_rules(metrics: &str) {
    for file in ["alerts.yaml", "dashboard.json"] {
        let text = std::fs::read_to_string(deploy(file)).unwrap();
        let words = text
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .filter(|word| word.starts_with("capv_ipam_"));
        for word in words {
            let family = word.trim_end_matches("_bucket").trim_end_matches("_total");
            assert!(
                metrics.contains(&format!("# TYPE {family} ")),
                "{file}: {word} is shown by nobody"
            );
        }
    }
    match Command::new("promtool")
        .args(["check", "rules"])
        .arg(deploy("alerts.yaml"))
        .output()
    {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(error) => crate::skipped::missing(&format!(
            "promtool cannot be run, so Prometheus has not read the alert rules: {error}"
        )),
    }
}
