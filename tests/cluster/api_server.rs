//! Starts a real kube-apiserver with etcd, and garbage collection where wanted, for one test binary; everything ends with
//! the test process, however that ends.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;

/// Who may do everything.
pub(crate) const ADMIN: &str = "admin";
/// Who has the rights that `install` gives.
pub(crate) const CONTROLLER: &str = "controller";

/// Who has no rights but those that a test gives.
pub(crate) const LEGACY: &str = "legacy";
/// The account that `install` makes.
pub(crate) const ACCOUNT: &str = "system:serviceaccount:capv-ipam-system:capv-ipam";

/// A running API server.
pub(crate) struct ApiServer {
    pub(crate) url: String,
    pub(crate) assets: PathBuf,
    etcd_port: u16,
    peer_port: u16,
    etcd: Mutex<Option<Supervised>>,
    port: u16,
    server: Mutex<Option<Supervised>>,
    _manager: Option<Supervised>,
    // The last: it goes when nothing writes into it any more.
    folder: Scratch,
}

/// A folder that is removed when this value or the whole test process goes: a server that a static holds is never dropped.
struct Scratch {
    path: PathBuf,
    _remover: Supervised,
}

impl Scratch {
    fn new() -> Self {
        let path = tempfile::tempdir().unwrap().keep();
        // Programs that end at the same moment may still write.
        let script =
            r#"trap '' HUP INT TERM; cat >/dev/null; for _ in 1 2 3 4 5; do rm -rf "$1" && exit; sleep 1; done"#;
        let mut remover = Command::new("bash");
        remover.args(["-c", script, "remover"]).arg(&path);
        Self {
            path,
            _remover: Supervised::spawn(&mut remover),
        }
    }
}

/// A process that is killed when this value or the whole test process goes.
pub(crate) struct Supervised(Child);

impl Supervised {
    pub(crate) fn start(program: &Path, arguments: &[String], log: &Path) -> Self {
        // The shell waits for the end of its input, which comes when the test process is gone; an interrupt from the keyboard
        // would end the shell alone.
        let script =
            r#"trap '' HUP INT TERM; "$@" & child=$!; cat >/dev/null; kill -9 $child; wait $child 2>/dev/null"#;
        let log = fs::File::create(log).unwrap();
        let mut supervisor = Command::new("bash");
        supervisor
            .args(["-c", script, "supervisor"])
            .arg(program)
            .args(arguments);
        Self::spawn(supervisor.stdout(log.try_clone().unwrap()).stderr(log))
    }

    /// A script that waits for the end of its input.
    fn spawn(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The folder with the programs; `None`, with one line that says so, where they are missing.
fn assets() -> Option<PathBuf> {
    let folder = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(Path::new(&home).join(".cache/capv-ipam/assets"))
    });
    if let Some(folder) = folder
        && folder.join("kube-apiserver").exists()
    {
        return Some(folder);
    }
    crate::skipped::missing("no kube-apiserver; tests/cluster/server/build ~/.cache/capv-ipam/assets makes one");
    None
}

/// The CRDs of the other systems, used where they lie; `None`, with one line that says so, where they are missing.
pub(crate) fn crds(set: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/crds").join(set);
    if folder.exists() {
        return Some(folder);
    }
    crate::skipped::missing(&format!(
        "the {set} CRDs of metal3, Cluster API and CAPV are not at hand"
    ));
    None
}

/// A port of 127.0.0.1 for a server. No other test takes it, and no connection that goes out: the same port of 127.0.0.2 is
/// held for as long as this process lives, and it is below those that the kernel gives to clients.
pub(crate) fn free_port() -> u16 {
    static HELD: Mutex<Vec<TcpListener>> = Mutex::new(Vec::new());
    let mut held = HELD.lock().unwrap();
    let begin = std::process::id() % 9000;
    for step in 0..9000 {
        let port = u16::try_from(20_000 + (begin + step) % 9000).unwrap();
        let Ok(guard) = TcpListener::bind(("127.0.0.2", port)) else {
            continue;
        };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            held.push(guard);
            return port;
        }
    }
    panic!("no port is free between 20000 and 29000");
}

/// Writes a file that others may read at the same moment.
fn write_whole(path: &Path, text: &str) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("part-{number}"));
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

/// The server that the tests of this binary share, with the CRDs of `new`.
pub(crate) fn shared() -> Option<&'static ApiServer> {
    static SERVER: OnceLock<Option<ApiServer>> = OnceLock::new();
    SERVER.get_or_init(|| ApiServer::start("new")).as_ref()
}

impl ApiServer {
    /// Starts a server and applies a set of CRDs.
    pub(crate) fn start(set: &str) -> Option<Self> {
        let (assets, crds) = (assets()?, crds(set)?);
        let folder = Scratch::new();
        let (etcd_port, peer_port, port) = (free_port(), free_port(), free_port());
        let url = format!("https://127.0.0.1:{port}");
        let mut server = Self {
            url,
            assets,
            etcd_port,
            peer_port,
            etcd: Mutex::new(None),
            port,
            server: Mutex::new(None),
            _manager: None,
            folder,
        };
        server.start_etcd();
        server.make_key();
        server.start_server();
        server.wait_until_ready();
        server.start_manager();
        let crds = crds.display().to_string();
        server.kubectl(&["apply", "--server-side", "-f", &crds]);
        server.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
        server.wait_until_served();
        server.install(&["--only", "namespace,rbac"]);
        Some(server)
    }

    /// A path in the server's folder, which goes with the server.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path.join(name)
    }

    /// Kills the storage under the API server.
    pub(crate) fn stop_etcd(&self) {
        drop(self.etcd.lock().unwrap().take());
    }

    /// Starts the storage, with what it held.
    pub(crate) fn start_etcd(&self) {
        let client = format!("http://127.0.0.1:{}", self.etcd_port);
        let peer = format!("http://127.0.0.1:{}", self.peer_port);
        let data = self.path("etcd").display().to_string();
        let arguments = [
            "--data-dir",
            &data,
            "--unsafe-no-fsync",
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
            "--initial-cluster",
        ];
        let mut arguments: Vec<String> = arguments.map(Into::into).into();
        arguments.push(format!("default={peer}"));
        arguments.extend(["--quota-backend-bytes".into(), "4294967296".into()]);
        let started = Supervised::start(&self.assets.join("etcd"), &arguments, &self.path("etcd.log"));
        *self.etcd.lock().unwrap() = Some(started);
    }

    /// Kills the API server and starts it again, with what the storage holds.
    pub(crate) fn restart(&self) {
        drop(self.server.lock().unwrap().take());
        self.start_server();
        self.wait_until_ready();
    }

    fn make_key(&self) {
        let made = Command::new("openssl")
            .args(["genrsa", "-out"])
            .arg(self.path("key.pem"))
            .arg("2048")
            .output()
            .unwrap();
        assert!(made.status.success());
    }

    fn start_server(&self) {
        let port = self.port;
        let tokens = format!(
            "{ADMIN}-token,{ADMIN},1,system:masters\n{CONTROLLER}-token,{ACCOUNT},2\n{LEGACY}-token,{LEGACY},3\n"
        );
        fs::write(self.path("tokens"), tokens).unwrap();
        let path = |name: &str| self.path(name).display().to_string();
        let arguments = [
            format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port),
            format!("--cert-dir={}", path("certs")),
            "--bind-address=127.0.0.1".into(),
            format!("--secure-port={port}"),
            "--service-cluster-ip-range=10.0.0.0/24".into(),
            "--service-account-issuer=https://localhost".into(),
            format!("--service-account-key-file={}", path("key.pem")),
            format!("--service-account-signing-key-file={}", path("key.pem")),
            "--authorization-mode=RBAC".into(),
            format!("--token-auth-file={}", path("tokens")),
            "--disable-admission-plugins=ServiceAccount".into(),
            "--allow-privileged=true".into(),
        ];
        let program = self.assets.join("kube-apiserver");
        let started = Supervised::start(&program, &arguments, &self.path("server.log"));
        *self.server.lock().unwrap() = Some(started);
    }

    fn start_manager(&mut self) {
        let arguments = [
            format!("--kubeconfig={}", self.kubeconfig(ADMIN).display()),
            "--controllers=garbage-collector-controller,namespace-controller".into(),
            format!("--service-account-private-key-file={}", self.path("key.pem").display()),
            "--leader-elect=false".into(),
            "--bind-address=127.0.0.1".into(),
            format!("--secure-port={}", free_port()),
            format!("--cert-dir={}", self.path("manager-certs").display()),
        ];
        let program = self.assets.join("kube-controller-manager");
        self._manager = Some(Supervised::start(&program, &arguments, &self.path("manager.log")));
    }

    fn wait_until_ready(&self) {
        let began = Instant::now();
        loop {
            let certificate = self.path("certs/apiserver.crt");
            if certificate.exists() {
                let ready = self
                    .kubectl_command()
                    .args(["get", "--raw", "/readyz"])
                    .output()
                    .unwrap();
                if ready.status.success() {
                    return;
                }
            }
            if began.elapsed() > Duration::from_secs(120) {
                let log = fs::read_to_string(self.path("server.log")).unwrap_or_default();
                let end = &log[log.len().saturating_sub(3000)..];
                panic!("the API server does not come up:\n{end}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// An established kind is served a moment later.
    fn wait_until_served(&self) {
        let list: Value = serde_json::from_str(&self.kubectl(&["get", "crd", "-o", "json"])).unwrap();
        let began = Instant::now();
        for crd in list["items"].as_array().unwrap() {
            for version in crd["spec"]["versions"].as_array().unwrap() {
                if version["served"] != true {
                    continue;
                }
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let (group, plural) = (text(&crd["spec"]["group"]), text(&crd["spec"]["names"]["plural"]));
                let path = format!("/apis/{group}/{}/{plural}?limit=1", text(&version["name"]));
                while !self
                    .kubectl_command()
                    .args(["get", "--raw", &path])
                    .output()
                    .unwrap()
                    .status
                    .success()
                {
                    assert!(began.elapsed() < Duration::from_secs(60), "{path} is not served");
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }

    /// A kubeconfig file of a user, for the server itself.
    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.kubeconfig_for(user, &self.url, user)
    }

    /// A kubeconfig file that leads to `url`, which stands before the server.
    pub(crate) fn kubeconfig_for(&self, user: &str, url: &str, name: &str) -> PathBuf {
        let certificate = self.path("certs/apiserver.crt");
        let trust = if url.starts_with("https") {
            format!("certificate-authority: {}", certificate.display())
        } else {
            String::new()
        };
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: it\nclusters:\n- name: it\n  cluster:\n    server: {url}\n    {trust}\n\
             users:\n- name: it\n  user:\n    token: {user}-token\ncontexts:\n- name: it\n  context: {{cluster: it, user: it}}\n"
        );
        let path = self.path(&format!("{name}.kubeconfig"));
        write_whole(&path, &text);
        path
    }

    /// A client of a user.
    pub(crate) async fn client(&self, user: &str) -> Client {
        let file = Kubeconfig::read_from(self.kubeconfig(user)).unwrap();
        let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
            .await
            .unwrap();
        config.read_timeout = None;
        Client::try_from(config).unwrap()
    }

    fn kubectl_command(&self) -> Command {
        let mut command = Command::new(self.assets.join("kubectl"));
        command.arg("--kubeconfig").arg(self.kubeconfig(ADMIN));
        command
    }

    /// Applies what `install` prints, and gives what kubectl says of each object.
    pub(crate) fn install(&self, arguments: &[&str]) -> String {
        let printed = Command::new(env!("CARGO_BIN_EXE_capv-ipam"))
            .arg("install")
            .args(arguments)
            .output()
            .unwrap();
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        self.kubectl_apply(&String::from_utf8(printed.stdout).unwrap())
    }

    fn kubectl_apply(&self, text: &str) -> String {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let path = self.path(&format!("applied-{}.yaml", NUMBER.fetch_add(1, Ordering::Relaxed)));
        fs::write(&path, text).unwrap();
        self.kubectl(&["apply", "-f", &path.display().to_string()])
    }

    /// Applies objects.
    pub(crate) fn apply(&self, objects: &[Value]) {
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
        self.kubectl_apply(&list.to_string());
    }

    /// Applies a text, and gives what kubectl says beside it.
    pub(crate) fn kubectl_stderr(&self, text: &str) -> String {
        let path = self.path("text.yaml");
        fs::write(&path, text).unwrap();
        let output = self
            .kubectl_command()
            .args(["apply", "-f"])
            .arg(&path)
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    }

    /// Runs kubectl as the administrator; it must succeed.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.kubectl_command().args(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }
}
