//! Managers of others as processes: those that controller-runtime makes have the same flags.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::api_server::{ADMIN, ApiServer, Supervised, free_port};

/// Starts one that may do everything and serves its webhooks with the certificate in the folder given, where its log goes too.
/// Waits until it answers.
pub(crate) fn start(program: &Path, server: &ApiServer, folder: &Path, more: &[String]) -> Supervised {
    let health = free_port();
    let mut arguments = vec![
        format!("--kubeconfig={}", server.kubeconfig(ADMIN).display()),
        format!("--webhook-cert-dir={}", folder.display()),
        format!("--webhook-port={}", port_on_every_address()),
        format!("--health-addr=127.0.0.1:{health}"),
        format!("--diagnostics-address=127.0.0.1:{}", free_port()),
        "--insecure-diagnostics".into(),
    ];
    arguments.extend_from_slice(more);
    let log = folder.join(program.file_name().unwrap()).with_extension("log");
    let manager = Supervised::start(program, &arguments, &log);
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", health)).is_err() {
        if began.elapsed() > Duration::from_secs(60) {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let end: Vec<&str> = text.lines().rev().take(10).collect();
            panic!("{} does not come up:\n{}", program.display(), end.join("\n"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    manager
}

/// A port for a server that listens on every address, as the webhooks do: outside those of [`free_port`], which holds some on
/// one address, and below those that the kernel gives to clients.
fn port_on_every_address() -> u16 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id() + NUMBER.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(29_000 + number % 3000).unwrap();
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// A certificate that signs itself, as `tls.crt` and `tls.key`.
pub(crate) fn certificate(folder: &Path) -> (String, String) {
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
