//! Cluster API's own controllers make, replace and delete the machines, while this program is killed again and again. CAPV is
//! simulated: a VM runs as soon as its machine has an address and bootstrap data, and goes a second after its deletion began.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::api_server::{ADMIN, ApiServer, Supervised, free_port};
use crate::bench::{ADDRESS, Bench, CLAIM, CLUSTER, POOL, eventually, pool, resource, run};
use crate::capv::{MACHINE, OWNER, TEMPLATE, VSPHERE_CLUSTER, devices, label, nic};

const CONTROL_PLANE: (&str, &str) = ("controlplane.cluster.x-k8s.io/v1beta2", "KubeadmControlPlane");
const DEPLOYMENT: (&str, &str) = ("cluster.x-k8s.io/v1beta2", "MachineDeployment");
const BOOTSTRAP: (&str, &str) = ("bootstrap.cluster.x-k8s.io/v1beta2", "KubeadmConfigTemplate");
const NODE: (&str, &str) = ("v1", "Node");
const POD: (&str, &str) = ("v1", "Pod");
/// CAPV holds a machine by it until the VM is gone.
const FINALIZER: &str = "vspheremachine.infrastructure.cluster.x-k8s.io";
/// The pods by which a control plane is judged.
const COMPONENTS: [&str; 3] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
const CONTROL_PLANE_LABEL: &str = "cluster.x-k8s.io/control-plane";
const DEPLOYMENT_LABEL: &str = "cluster.x-k8s.io/deployment-name";

/// CAPV and vCenter, and the kubelets that the VMs would run.
struct Vms<'b> {
    bench: &'b Bench,
    /// The address with which each VM runs, by machine.
    running: BTreeMap<String, String>,
    dying: BTreeMap<String, Instant>,
}

impl Vms<'_> {
    /// Looks at every machine again and again.
    async fn run(&mut self) {
        let mut number = 0;
        loop {
            for machine in self.bench.list(MACHINE).await {
                let done = if machine.metadata.deletion_timestamp.is_some() {
                    self.destroy(&machine).await
                } else {
                    self.bring_up(&machine).await
                };
                if let Err(error) = done {
                    // Somebody else has written meanwhile; there is another look.
                    assert!(
                        error.to_string().contains("modified") || error.to_string().contains("not found"),
                        "{error}"
                    );
                }
            }
            number += 1;
            if number % 12 == 0 {
                // It looks at its pods every 15 s, and at once when it is written itself.
                let poke = json!({"metadata": {"annotations": {"example.com/poke": number.to_string()}}});
                let api = self.bench.api(CONTROL_PLANE);
                let _ = api.patch("cp", &PatchParams::default(), &Patch::Merge(poke)).await;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    async fn finalizers(&self, machine: &DynamicObject, finalizers: Vec<String>) -> kube::Result<()> {
        let metadata = &machine.metadata;
        let patch = json!({"metadata": {"resourceVersion": metadata.resource_version, "finalizers": finalizers}});
        let api = self.bench.api(MACHINE);
        let name = metadata.name.as_deref().unwrap();
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map(drop)
    }

    async fn destroy(&mut self, machine: &DynamicObject) -> kube::Result<()> {
        let name = machine.metadata.name.clone().unwrap();
        let mut finalizers = machine.metadata.finalizers.clone().unwrap_or_default();
        let began = *self.dying.entry(name.clone()).or_insert_with(Instant::now);
        if !finalizers.iter().any(|own| own == FINALIZER) || began.elapsed() < Duration::from_secs(1) {
            return Ok(());
        }
        self.running.remove(&name);
        let at_once = DeleteParams::default().grace_period(0);
        let _ = self.nodes().delete(&name, &at_once).await;
        for component in COMPONENTS {
            let _ = self.pods().delete(&format!("{component}-{name}"), &at_once).await;
        }
        finalizers.retain(|own| own != FINALIZER);
        self.finalizers(machine, finalizers).await
    }

    async fn bring_up(&mut self, machine: &DynamicObject) -> kube::Result<()> {
        let name = machine.metadata.name.clone().unwrap();
        let mut finalizers = machine.metadata.finalizers.clone().unwrap_or_default();
        if !finalizers.iter().any(|own| own == FINALIZER) {
            finalizers.push(FINALIZER.into());
            return self.finalizers(machine, finalizers).await;
        }
        let Some(address) = devices(machine)[0]["ipAddrs"][0].as_str() else {
            return Ok(());
        };
        let owner = self.bench.get(OWNER, &name).await;
        if owner.is_none_or(|owner| owner.data["spec"]["bootstrap"]["dataSecretName"].is_null()) {
            return Ok(());
        }
        match self.running.get(&name) {
            Some(own) => assert_eq!(own, address, "{name} runs with another address than its machine has"),
            None => {
                let other = self.running.iter().find(|(_, taken)| *taken == address);
                assert_eq!(other, None, "{name} would start with {address}");
                self.running.insert(name.clone(), address.to_owned());
            }
        }
        if machine.data["spec"]["providerID"].is_string() {
            return Ok(());
        }
        self.join(machine, &name).await?;
        let api = self.bench.api(MACHINE);
        let id = Patch::Merge(json!({"spec": {"providerID": format!("vsphere://{name}")}}));
        api.patch(&name, &PatchParams::default(), &id).await?;
        let up = Patch::Merge(json!({"status": {"initialization": {"provisioned": true}}}));
        api.patch_status(&name, &PatchParams::default(), &up).await.map(drop)
    }

    /// The node and its pods, as kubelet reports them.
    async fn join(&self, machine: &DynamicObject, name: &str) -> kube::Result<()> {
        let labels = machine.metadata.labels.clone().unwrap_or_default();
        let leads = labels.contains_key(CONTROL_PLANE_LABEL);
        let role = if leads {
            json!({"node-role.kubernetes.io/control-plane": ""})
        } else {
            json!({})
        };
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": role},
            "spec": {"providerID": format!("vsphere://{name}")}});
        let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "lastTransitionTime": "2026-01-05T10:00:00Z"});
        let troubles = ["MemoryPressure", "DiskPressure", "PIDPressure"].map(|kind| condition(kind, "False"));
        let healthy: Vec<Value> = std::iter::once(condition("Ready", "True")).chain(troubles).collect();
        put(&self.nodes(), node, json!({"conditions": healthy})).await?;
        if !leads {
            return Ok(());
        }
        for component in COMPONENTS {
            let pod = json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("{component}-{name}"), "labels": {"tier": "control-plane", "component": component},
                    // A pod of this kind is none that a node is drained of.
                    "annotations": {"kubernetes.io/config.mirror": "x"}},
                "spec": {"nodeName": name, "containers": [{"name": "c", "image": "i"}]}});
            let conditions =
                ["Ready", "PodScheduled", "Initialized", "ContainersReady"].map(|kind| condition(kind, "True"));
            put(&self.pods(), pod, json!({"phase": "Running", "conditions": conditions})).await?;
        }
        Ok(())
    }

    fn nodes(&self) -> Api<DynamicObject> {
        Api::all_with(self.bench.client.clone(), &resource(NODE))
    }

    fn pods(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.bench.client.clone(), "kube-system", &resource(POD))
    }
}

/// Creates an object with a status; one that is there already only gets the status.
async fn put(api: &Api<DynamicObject>, object: Value, status: Value) -> kube::Result<()> {
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    let name = object.metadata.name.clone().unwrap();
    let _ = api.create(&PostParams::default(), &object).await;
    let status = Patch::Merge(json!({"status": status}));
    api.patch_status(&name, &PatchParams::default(), &status)
        .await
        .map(drop)
}

/// Cluster API's three controllers.
fn providers(folder: &Path, server: &ApiServer, certificates: &Path) -> Vec<Supervised> {
    let names = ["core", "bootstrap", "control-plane"].iter();
    let started = names.map(|name| {
        // The webhooks listen on every address, so a port is free only where nobody holds it on any.
        let port = || TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        let address = |flag: &str| format!("--{flag}=127.0.0.1:{}", free_port());
        let arguments = [
            format!("--kubeconfig={}", server.kubeconfig(ADMIN).display()),
            format!("--webhook-cert-dir={}", certificates.display()),
            format!("--webhook-port={}", port()),
            address("health-addr"),
            address("diagnostics-address"),
            "--insecure-diagnostics".into(),
        ];
        Supervised::start(
            &folder.join(name),
            &arguments,
            &certificates.join(format!("{name}.log")),
        )
    });
    started.collect()
}

/// A certificate that signs itself, as `tls.crt` and `tls.key`.
fn certificate(folder: &Path) -> (String, String) {
    let (key, certificate) = (folder.join("tls.key"), folder.join("tls.crt"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "3650",
            "-subj",
            "/CN=admin",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success());
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    (text(&certificate), text(&key))
}

fn infrastructure(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": kind, "name": name})
}

async fn template(bench: &Bench, name: &str, of: &str) {
    bench
        .create(json!({
            "apiVersion": TEMPLATE.0, "kind": TEMPLATE.1, "metadata": {"name": name, "labels": label(of)},
            "spec": {"template": {"spec": {
                "template": "image", "server": "vcenter", "datacenter": "dc", "network": {"devices": [nic("Public")]},
            }}},
        }))
        .await;
}

/// A cluster whose workload API server is the same one, with three control-plane machines and four workers.
async fn create_cluster(bench: &Bench, (certificate, key): &(String, String)) {
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
        template(bench, name, name).await;
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
            "metadata": {"name": "c", "labels": labels}, "spec": {"server": "vcenter", "controlPlaneEndpoint": endpoint}}))
        .await;
    let provisioned = Patch::Merge(json!({"status": {"initialization": {"provisioned": true}}}));
    let api = bench.api(VSPHERE_CLUSTER);
    api.patch_status("c", &PatchParams::default(), &provisioned)
        .await
        .unwrap();
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

async fn story(bench: &Bench) {
    settled(bench, CONTROL_PLANE_LABEL, "cp").await;
    let first = addresses(bench, CONTROL_PLANE_LABEL).await;
    println!("up: {first:?}, workers {:?}", addresses(bench, DEPLOYMENT_LABEL).await);
    assert_eq!(first, ["192.0.2.10/24", "192.0.2.11/24", "192.0.2.12/24"], "as planned");
    template(bench, "cp-2", "cp").await;
    let new = json!({"spec": {"machineTemplate": {"spec": {"infrastructureRef": {"name": "cp-2"}}}}});
    bench.patch(CONTROL_PLANE, "cp", new).await;
    settled(bench, CONTROL_PLANE_LABEL, "cp-2").await;
    println!(
        "the control plane is rolled out: {:?}",
        addresses(bench, CONTROL_PLANE_LABEL).await
    );
    template(bench, "w-2", "w").await;
    let new = json!({"spec": {"template": {"spec": {"infrastructureRef": {"name": "w-2"}}}}});
    bench.patch(DEPLOYMENT, "w", new).await;
    settled(bench, DEPLOYMENT_LABEL, "w-2").await;
    println!(
        "the workers are rolled out: {:?}",
        addresses(bench, DEPLOYMENT_LABEL).await
    );
}

#[test]
#[ignore = "needs Cluster API's controllers: tests/cluster/providers/build FOLDER, CAPI_CONTROLLERS=FOLDER"]
fn cluster_apis_controllers_make_the_machines_and_no_vm_gets_anothers_address() {
    let folder = PathBuf::from(std::env::var_os("CAPI_CONTROLLERS").expect("CAPI_CONTROLLERS names their folder"));
    let Some(server) = ApiServer::start("new") else { return };
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
    let own = tempfile::tempdir().unwrap();
    let certificate = certificate(own.path());
    let _providers = providers(&folder, server, own.path());
    run(async {
        let bench = Bench::new(server).await;
        create_cluster(&bench, &certificate).await;
        let mut vms = Vms {
            bench: &bench,
            running: BTreeMap::new(),
            dying: BTreeMap::new(),
        };
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
            () = vms.run() => {}
            () = deaths => {}
            () = story(&bench) => {}
        }
        println!("killed {kills} times");
        let _controller = bench.controller(&[]);
        let end = async {
            eventually("one promise for each machine", async || {
                let counts = (bench.list(CLAIM).await.len(), bench.list(ADDRESS).await.len());
                let mut promises = 0;
                for pool in bench.list(POOL).await {
                    promises += pool.data["status"]["indexes"].as_object()?.len();
                }
                (counts == (7, 7) && promises == 7).then_some(())
            })
            .await;
            let foreground = DeleteParams::foreground();
            bench.api(CLUSTER).delete("c", &foreground).await.unwrap();
            eventually("everything is free", async || {
                let left =
                    bench.list(CLUSTER).await.len() + bench.list(CLAIM).await.len() + bench.list(ADDRESS).await.len();
                (left == 0).then_some(())
            })
            .await;
        };
        tokio::select! {
            () = vms.run() => {}
            () = end => {}
        }
    });
}
