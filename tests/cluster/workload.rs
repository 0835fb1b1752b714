//! A cluster that Cluster API's own controllers make, replace and delete the machines of: three control-plane machines and
//! four workers, whose workload API server is the management cluster's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::api::{DeleteParams, DynamicObject};
use serde_json::{Value, json};

use crate::api_server::{ADMIN, ApiServer, Supervised};
use crate::bench::{ADDRESS, Bench, CAPI_ADDRESS, CAPI_CLAIM, CLAIM, CLUSTER, POOL, eventually, pool};
use crate::capv::{MACHINE, OWNER, TEMPLATE, VSPHERE_CLUSTER, devices, label, nic};
use crate::manager;

pub(crate) const CONTROL_PLANE: (&str, &str) = ("controlplane.cluster.x-k8s.io/v1beta2", "KubeadmControlPlane");
const DEPLOYMENT: (&str, &str) = ("cluster.x-k8s.io/v1beta2", "MachineDeployment");
const BOOTSTRAP: (&str, &str) = ("bootstrap.cluster.x-k8s.io/v1beta2", "KubeadmConfigTemplate");
pub(crate) const CONTROL_PLANE_LABEL: &str = "cluster.x-k8s.io/control-plane";
const DEPLOYMENT_LABEL: &str = "cluster.x-k8s.io/deployment-name";

/// Cluster API's three controllers.
fn providers(folder: &Path, server: &ApiServer, certificates: &Path) -> Vec<Supervised> {
    let start = |name| manager::start(&folder.join(name), server, certificates, &[]);
    ["core", "bootstrap", "control-plane"].map(start).into()
}

fn infrastructure(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": kind, "name": name})
}

/// Where the VMs run, and how the workers come to their addresses.
pub(crate) struct Place {
    pub(crate) vcenter: String,
    /// CAPV claims for the workers itself.
    pub(crate) from_pools: bool,
}

/// A template whose places are those of govmomi's simulator.
async fn template(bench: &Bench, place: &Place, name: &str, of: &str) {
    let mut device = nic("VM Network");
    let mut labels = label(of);
    if place.from_pools && of == "w" {
        device["addressesFromPools"] = json!([{"apiGroup": "ipam.metal3.io", "kind": POOL.1, "name": of}]);
        labels = json!({});
    }
    bench
        .create(json!({
            "apiVersion": TEMPLATE.0, "kind": TEMPLATE.1, "metadata": {"name": name, "labels": labels},
            "spec": {"template": {"spec": {
                "template": "image", "server": place.vcenter, "datacenter": "DC0", "datastore": "LocalDS_0", "folder": "vm",
                "resourcePool": "/DC0/host/DC0_C0/Resources", "network": {"devices": [device]},
                "cloneMode": "fullClone",
            }}},
        }))
        .await;
}

async fn create_cluster(bench: &Bench, place: &Place, (certificate, key): &(String, String)) {
    let secret = |name: &str, data: Value| {
        json!({"apiVersion": "v1", "kind": "Secret", "type": "cluster.x-k8s.io/secret",
            "metadata": {"name": name, "labels": {"cluster.x-k8s.io/cluster-name": "c"}}, "stringData": data})
    };
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": bench.server.url, "insecure-skip-tls-verify": true}}],
        "users": [{"name": "it", "user": {
            "token": format!("{ADMIN}-token"), "client-certificate-data": base64(certificate), "client-key-data": base64(key),
        }}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]});
    bench
        .create(secret("c-kubeconfig", json!({"value": kubeconfig.to_string()})))
        .await;
    for name in ["c-etcd", "c-apiserver-etcd-client"] {
        bench
            .create(secret(name, json!({"tls.crt": certificate, "tls.key": key})))
            .await;
    }
    bench.server.apply(&[json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "kubeadm-config", "namespace": "kube-system"},
        "data": {"ClusterConfiguration": "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"}})]);
    for (name, start, end) in [("cp", "192.0.2.10", "192.0.2.14"), ("w", "192.0.2.30", "192.0.2.39")] {
        let mut pool = pool(name, start, end);
        pool["spec"]["clusterName"] = json!("c");
        bench.create(pool).await;
        template(bench, place, name, name).await;
    }
    let (host, port) = bench.server.url.trim_start_matches("https://").split_once(':').unwrap();
    let endpoint = json!({"host": host, "port": port.parse::<u16>().unwrap()});
    bench
        .create(
            json!({"apiVersion": CLUSTER.0, "kind": CLUSTER.1, "metadata": {"name": "c"}, "spec": {
                "controlPlaneEndpoint": endpoint,
                "infrastructureRef": infrastructure("VSphereCluster", "c"),
                "controlPlaneRef": {"apiGroup": "controlplane.cluster.x-k8s.io", "kind": CONTROL_PLANE.1, "name": "cp"},
            }}),
        )
        .await;
    let labels = json!({"cluster.x-k8s.io/cluster-name": "c"});
    bench
        .create(json!({"apiVersion": VSPHERE_CLUSTER.0, "kind": VSPHERE_CLUSTER.1,
            "metadata": {"name": "c", "labels": labels}, "spec": {"server": place.vcenter, "controlPlaneEndpoint": endpoint}}))
        .await;
    let etcd = json!({"endpoints": ["https://127.0.0.1:1"], "caFile": "/a", "certFile": "/b", "keyFile": "/c"});
    bench
        .create(json!({"apiVersion": CONTROL_PLANE.0, "kind": CONTROL_PLANE.1,
        "metadata": {"name": "cp", "labels": labels}, "spec": {
            "replicas": 3, "version": "v1.34.0",
            "rollout": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
            "machineTemplate": {"spec": {"infrastructureRef": infrastructure(TEMPLATE.1, "cp")}},
            "kubeadmConfigSpec": {"clusterConfiguration": {"etcd": {"external": etcd}}},
        }}))
        .await;
    bench
        .create(
            json!({"apiVersion": BOOTSTRAP.0, "kind": BOOTSTRAP.1, "metadata": {"name": "w"},
            "spec": {"template": {"spec": {"joinConfiguration": {"nodeRegistration": {"name": "x"}}}}}}),
        )
        .await;
    let labels = json!({"cluster.x-k8s.io/cluster-name": "c", DEPLOYMENT_LABEL: "w"});
    bench
        .create(json!({"apiVersion": DEPLOYMENT.0, "kind": DEPLOYMENT.1, "metadata": {"name": "w", "labels": labels}, "spec": {
            "clusterName": "c", "replicas": 4, "selector": {"matchLabels": labels},
            "rollout": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}},
            "template": {"metadata": {"labels": labels}, "spec": {
                "clusterName": "c", "version": "v1.34.0",
                "bootstrap": {"configRef": {"apiGroup": "bootstrap.cluster.x-k8s.io", "kind": BOOTSTRAP.1, "name": "w"}},
                "infrastructureRef": infrastructure(TEMPLATE.1, "w"),
            }},
        }}))
        .await;
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// The addresses of the machines with a label, in order of creation.
async fn addresses(bench: &Bench, with: &str) -> Vec<String> {
    let mut machines = bench.list(MACHINE).await;
    machines.retain(|machine| {
        machine
            .metadata
            .labels
            .as_ref()
            .is_some_and(|labels| labels.contains_key(with))
    });
    machines.sort_by_key(|machine| {
        (
            machine.metadata.creation_timestamp.clone(),
            machine.metadata.name.clone(),
        )
    });
    let address = |machine: &DynamicObject| devices(machine)[0]["ipAddrs"][0].as_str().unwrap_or("none").to_owned();
    machines.iter().map(address).collect()
}

/// Waits until seven machines, and no more, have their nodes, and all with the label come from the template.
async fn settled(bench: &Bench, with: &str, template: &str) {
    eventually(&format!("the machines of {template} are up"), async || {
        let owners = bench.list(OWNER).await;
        let is_up = |owner: &DynamicObject| {
            owner.metadata.deletion_timestamp.is_none() && owner.data.pointer("/status/nodeRef/name").is_some()
        };
        let machines = bench.list(MACHINE).await;
        let is_new = |machine: &DynamicObject| {
            let labels = machine.metadata.labels.clone().unwrap_or_default();
            let annotations = machine.metadata.annotations.clone().unwrap_or_default();
            !labels.contains_key(with) || annotations["cluster.x-k8s.io/cloned-from-name"] == template
        };
        (owners.len() == 7 && owners.iter().all(is_up) && machines.len() == 7 && machines.iter().all(is_new))
            .then_some(())
    })
    .await;
}

async fn story(bench: &Bench, place: &Place) {
    settled(bench, CONTROL_PLANE_LABEL, "cp").await;
    let first = addresses(bench, CONTROL_PLANE_LABEL).await;
    println!("up: {first:?}, workers {:?}", addresses(bench, DEPLOYMENT_LABEL).await);
    assert_eq!(first, ["192.0.2.10/24", "192.0.2.11/24", "192.0.2.12/24"], "as planned");
    template(bench, place, "cp-2", "cp").await;
    let new = json!({"spec": {"machineTemplate": {"spec": {"infrastructureRef": {"name": "cp-2"}}}}});
    bench.patch(CONTROL_PLANE, "cp", new).await;
    settled(bench, CONTROL_PLANE_LABEL, "cp-2").await;
    println!(
        "the control plane is rolled out: {:?}",
        addresses(bench, CONTROL_PLANE_LABEL).await
    );
    template(bench, place, "w-2", "w").await;
    let new = json!({"spec": {"template": {"spec": {"infrastructureRef": {"name": "w-2"}}}}});
    bench.patch(DEPLOYMENT, "w", new).await;
    settled(bench, DEPLOYMENT_LABEL, "w-2").await;
    println!(
        "the workers are rolled out: {:?}",
        addresses(bench, DEPLOYMENT_LABEL).await
    );
}

/// Cluster API's controllers, on an API server of their own, with the provider's definitions in the folder given.
pub(crate) struct Management {
    pub(crate) server: &'static ApiServer,
    certificate: (String, String),
    _providers: Vec<Supervised>,
}

impl Management {
    /// Starts what `tests/cluster/providers/build` made; nothing where the API server is missing.
    pub(crate) fn start() -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os("CAPI_CONTROLLERS").expect("CAPI_CONTROLLERS names their folder"));
        let server = ApiServer::start("new")?;
        // It ends with the process.
        let server: &'static ApiServer = Box::leak(Box::new(server));
        let definitions = folder.join("crds").display().to_string();
        server.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &definitions]);
        // clusterctl gives this label to what it installs.
        server.kubectl(&[
            "label",
            "crd",
            "--all",
            "--overwrite",
            "cluster.x-k8s.io/v1beta2=v1beta2",
        ]);
        let certificates = server.path("providers");
        std::fs::create_dir_all(&certificates).unwrap();
        let certificate = manager::certificate(&certificates);
        let _providers = providers(&folder, server, &certificates);
        Some(Self {
            server,
            certificate,
            _providers,
        })
    }

    /// Makes the cluster, rolls it out and deletes it while this program is killed again and again. `run` brings the VMs of
    /// its machines up for ever.
    pub(crate) async fn play(&self, bench: &Bench, place: &Place, mut run: impl AsyncFnMut()) {
        create_cluster(bench, place, &self.certificate).await;
        let mut kills = 0_u64;
        let deaths = async {
            loop {
                let controller = bench.controller(&[]);
                tokio::time::sleep(Duration::from_millis(300 + kills * 397 % 2200)).await;
                controller.kill();
                kills += 1;
            }
        };
        tokio::select! {
            () = run() => panic!("the VMs are looked after for ever"),
            () = deaths => {}
            () = story(bench, place) => {}
        }
        println!("killed {kills} times");
        let _controller = bench.controller(&[]);
        tokio::select! {
            () = run() => panic!("the VMs are looked after for ever"),
            () = end(bench) => {}
        }
    }
}

/// Seven machines have seven promises; with the cluster everything goes.
async fn end(bench: &Bench) {
    eventually("one promise for each machine", async || {
        let claims = bench.list(CLAIM).await.len() + bench.list(CAPI_CLAIM).await.len();
        let addresses = bench.list(ADDRESS).await.len() + bench.list(CAPI_ADDRESS).await.len();
        let mut promises = 0;
        for pool in bench.list(POOL).await {
            promises += pool.data["status"]["indexes"].as_object()?.len();
        }
        ((claims, addresses, promises) == (7, 7, 7)).then_some(())
    })
    .await;
    let foreground = DeleteParams::foreground();
    bench.api(CLUSTER).delete("c", &foreground).await.unwrap();
    eventually("everything is free", async || {
        let mut left = 0;
        for kind in [CLUSTER, CLAIM, CAPI_CLAIM, ADDRESS, CAPI_ADDRESS] {
            left += bench.list(kind).await.len();
        }
        (left == 0).then_some(())
    })
    .await;
}
