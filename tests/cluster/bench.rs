//! What the tests on a real API server share: a namespace of their own, objects in one line, the program as a process, and
//! waiting.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

use crate::api_server::{ACCOUNT, ADMIN, ApiServer, CONTROLLER};

/// One test's part of the server.
pub(crate) struct Bench {
    pub(crate) server: &'static ApiServer,
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

pub(crate) const POOL: (&str, &str) = ("ipam.metal3.io/v1alpha1", "IPPool");
pub(crate) const CLAIM: (&str, &str) = ("ipam.metal3.io/v1alpha1", "IPClaim");
pub(crate) const ADDRESS: (&str, &str) = ("ipam.metal3.io/v1alpha1", "IPAddress");
pub(crate) const CAPI_CLAIM: (&str, &str) = ("ipam.cluster.x-k8s.io/v1beta2", "IPAddressClaim");
pub(crate) const CAPI_ADDRESS: (&str, &str) = ("ipam.cluster.x-k8s.io/v1beta2", "IPAddress");
pub(crate) const CLUSTER: (&str, &str) = ("cluster.x-k8s.io/v1beta2", "Cluster");

/// Runs a test with a runtime.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

impl Bench {
    /// A namespace that no other test has.
    pub(crate) async fn new(server: &'static ApiServer) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        Self::named(server, &format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed))).await
    }

    /// A namespace of this name, which the server does not have yet.
    pub(crate) async fn named(server: &'static ApiServer, namespace: &str) -> Self {
        let bench = Self::inside(server, namespace).await;
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": bench.namespace}});
        let api: Api<DynamicObject> = Api::all_with(bench.client.clone(), &resource(("v1", "Namespace")));
        api.create(&PostParams::default(), &serde_json::from_value(object).unwrap())
            .await
            .unwrap();
        bench
    }

    /// A namespace that the server has.
    pub(crate) async fn inside(server: &'static ApiServer, namespace: &str) -> Self {
        let client = server.client(ADMIN).await;
        Self {
            server,
            client,
            namespace: namespace.into(),
        }
    }

    /// The rights that `install` gives for a Lease, in this namespace, so that no other test's process takes it; and the
    /// arguments.
    pub(crate) fn lease(&self) -> [String; 2] {
        let mut install = crate::installed::install(&[capv_ipam::controller::Part::Rbac]);
        install.namespace.clone_from(&self.namespace);
        let mut rights: Vec<Value> = install.objects();
        rights.retain(|object| object["kind"] == "Role" || object["kind"] == "RoleBinding");
        for binding in &mut rights {
            if let Some(subjects) = binding.get_mut("subjects") {
                // The account by which these tests run the program.
                *subjects = json!([{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": ACCOUNT}]);
            }
        }
        assert_eq!(rights.len(), 2);
        self.server.apply(&rights);
        [
            "--leader-elect=true".into(),
            format!("--lease-namespace={}", self.namespace),
        ]
    }

    pub(crate) fn api(&self, kind: (&str, &str)) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(kind))
    }

    pub(crate) async fn create(&self, object: Value) -> DynamicObject {
        self.try_create(object).await.unwrap()
    }

    pub(crate) async fn try_create(&self, mut object: Value) -> kube::Result<DynamicObject> {
        object["metadata"]["namespace"] = json!(self.namespace);
        let text = |key: &str| object[key].as_str().unwrap().to_owned();
        let api = self.api((&text("apiVersion"), &text("kind")));
        let object = serde_json::from_value(object).unwrap();
        api.create(&PostParams::default(), &object).await
    }

    pub(crate) async fn get(&self, kind: (&str, &str), name: &str) -> Option<DynamicObject> {
        self.api(kind).get_opt(name).await.unwrap()
    }

    pub(crate) async fn list(&self, kind: (&str, &str)) -> Vec<DynamicObject> {
        self.api(kind).list(&ListParams::default()).await.unwrap().items
    }

    pub(crate) async fn patch(&self, kind: (&str, &str), name: &str, patch: Value) -> DynamicObject {
        let params = PatchParams::default();
        self.api(kind).patch(name, &params, &Patch::Merge(patch)).await.unwrap()
    }

    pub(crate) async fn delete(&self, kind: (&str, &str), name: &str) {
        self.api(kind).delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Creates claims, many at once.
    pub(crate) async fn create_claims(&self, names: impl Iterator<Item = String>, capi: bool, pool: &str) {
        let claims = names.map(|name| {
            if capi {
                capi_claim(&name, pool)
            } else {
                claim(&name, pool)
            }
        });
        let objects: Vec<Value> = claims.collect();
        let created = stream::iter(objects).for_each_concurrent(16, |claim| async { drop(self.create(claim).await) });
        created.await;
    }

    /// The address object that the claim shows, by name.
    pub(crate) async fn shown(&self, kind: (&str, &str), name: &str) -> Option<String> {
        shown(&self.get(kind, name).await?)
    }

    /// Waits until the claim shows an address, and gives its object's name.
    pub(crate) async fn bound(&self, kind: (&str, &str), name: &str) -> String {
        eventually(&format!("{name} is bound"), async || self.shown(kind, name).await).await
    }

    /// Waits until this many claims of a kind show an address.
    pub(crate) async fn all_bound(&self, kind: (&str, &str), count: usize) {
        eventually(&format!("{count} are bound"), async || {
            let bound = self.list(kind).await.iter().filter_map(shown).count();
            (bound >= count).then_some(())
        })
        .await;
    }

    /// Creates so many claims, and waits until they are bound.
    pub(crate) async fn bound_after_creation(&self, each: usize) {
        self.create_claims((0..each).map(|n| format!("c{n}")), false, "p").await;
        self.all_bound(CLAIM, each).await;
    }

    /// Waits until the object is gone.
    pub(crate) async fn gone(&self, kind: (&str, &str), name: &str) {
        eventually(&format!("{name} is gone"), async || {
            self.get(kind, name).await.is_none().then_some(())
        })
        .await;
    }

    /// The text of the claim's failure.
    pub(crate) async fn failure(&self, kind: (&str, &str), name: &str) -> String {
        eventually(&format!("{name} is refused"), async || {
            failure(&self.get(kind, name).await?)
        })
        .await
    }

    /// Starts the program on this namespace alone.
    pub(crate) fn controller(&self, arguments: &[&str]) -> Controller {
        self.controller_to(&self.server.kubeconfig(CONTROLLER), arguments)
    }

    /// Starts the program on this namespace alone, with the way to the API server.
    pub(crate) fn controller_to(&self, kubeconfig: &Path, arguments: &[&str]) -> Controller {
        self.start(None, kubeconfig, arguments)
    }

    /// The same with a clock that is off by so much, such as `+3h`.
    pub(crate) fn controller_by(&self, offset: &str, kubeconfig: &Path, arguments: &[&str]) -> Controller {
        self.start(Some(offset), kubeconfig, arguments)
    }

    fn start(&self, clock: Option<&str>, kubeconfig: &Path, arguments: &[&str]) -> Controller {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let log = std::env::temp_dir().join(format!("capv-ipam-test-{}-{number}.log", std::process::id()));
        // The speed test takes an optimised program.
        let program = std::env::var_os("CAPV_IPAM_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_capv-ipam").into());
        // It dies with this thread, however the thread ends.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some(offset) = clock {
            command.env("LD_PRELOAD", clocks::library().unwrap());
            // Only the time of day: nobody sets a steady clock.
            command.env("FAKETIME", offset).env("DONT_FAKE_MONOTONIC", "1");
        }
        let child = command
            .arg(program)
            .args([
                "controller",
                "--leader-elect=false",
                "--health-addr=",
                "--metrics-addr=",
                "--webhooks=false",
            ])
            .args(["--namespace", &self.namespace, "--kubeconfig"])
            .arg(kubeconfig)
            .args(arguments)
            .env("POD_NAMESPACE", "capv-ipam-system")
            .env(
                "CAPV_IPAM_LOG",
                "debug,hyper=warn,tower=warn,hyper_util=warn,rustls=warn,kube_client=off",
            )
            .stderr(Stdio::from(fs::File::create(&log).unwrap()))
            .spawn()
            .unwrap();
        Controller { child, log }
    }
}

/// The program as a process; killed when the value goes.
pub(crate) struct Controller {
    child: Child,
    log: PathBuf,
}

impl Controller {
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn is_alive(&self) -> bool {
        Path::new(&format!("/proc/{}/exe", self.child.id())).exists()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Resident memory in MB.
    pub(crate) fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!(
                "the controller's last words:\n{}",
                lines[lines.len().saturating_sub(40)..].join("\n")
            );
        }
        let _ = fs::remove_file(&self.log);
    }
}

/// Clocks that are off.
pub(crate) mod clocks {
    use std::path::PathBuf;

    /// libfaketime, where Debian puts it; else one line says that it is missing.
    pub(crate) fn library() -> Option<PathBuf> {
        let architectures = std::fs::read_dir("/usr/lib").unwrap().flatten();
        let found = architectures
            .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
            .find(|file| file.exists());
        if found.is_none() {
            crate::skipped::missing("libfaketime is not installed, so clocks that differ were not tried");
        }
        found
    }
}

/// How to reach a kind.
pub(crate) fn resource((api_version, kind): (&str, &str)) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let plural = match kind {
        "IPAddress" => "ipaddresses".into(),
        _ => format!("{}s", kind.to_lowercase()),
    };
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), &plural)
}

pub(crate) fn pool(name: &str, start: &str, end: &str) -> Value {
    json!({
        "apiVersion": POOL.0, "kind": POOL.1, "metadata": {"name": name},
        "spec": {"namePrefix": name, "prefix": 24, "gateway": "192.0.2.1", "pools": [{"start": start, "end": end}]},
    })
}

pub(crate) fn claim(name: &str, pool: &str) -> Value {
    json!({
        "apiVersion": CLAIM.0, "kind": CLAIM.1, "metadata": {"name": name, "labels": {"made-by": "test"}},
        "spec": {"pool": {"name": pool}},
    })
}

pub(crate) fn capi_claim(name: &str, pool: &str) -> Value {
    json!({
        "apiVersion": CAPI_CLAIM.0, "kind": CAPI_CLAIM.1, "metadata": {"name": name},
        "spec": {"poolRef": {"apiGroup": "ipam.metal3.io", "kind": "IPPool", "name": pool}},
    })
}

/// The address object that a claim of either kind shows, by name.
pub(crate) fn shown(claim: &DynamicObject) -> Option<String> {
    let status = claim.data.get("status")?;
    let name = status
        .pointer("/address/name")
        .or_else(|| status.pointer("/addressRef/name"))?;
    Some(name.as_str()?.to_owned())
}

/// The text of a claim's failure.
pub(crate) fn failure(claim: &DynamicObject) -> Option<String> {
    let status = claim.data.get("status")?;
    if let Some(text) = status.get("errorMessage") {
        return Some(text.as_str()?.to_owned());
    }
    let conditions = status.get("conditions")?.as_array()?;
    let ready = conditions
        .iter()
        .find(|c| c["type"] == "Ready" && c["status"] == "False")?;
    Some(ready["message"].as_str()?.to_owned())
}

/// Waits until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut answer: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = answer().await {
            return answer;
        }
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "in 120 s it did not come to this: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
