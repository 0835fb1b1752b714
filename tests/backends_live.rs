//! Starts the real HAProxy and NGINX with the generated configuration in front of three small HTTPS servers, and looks where connections go. All on loopback addresses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods
)]
#![cfg(all(feature = "cli", target_os = "linux"))]

#[path = "support/api_server.rs"]
mod api_server;
#[path = "support/plans.rs"]
mod plans;
#[path = "support/tools.rs"]
mod tools;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use api_server::{ApiServer, Client};
use capv_ipam::addressing::Format;
use plans::{cluster, members, on_loopback, plan, whole};
use serde_json::json;
use tools::tool;

/// A balancer process, ended with the test; NGINX by its own command, because its workers outlive a kill.
struct Balancer {
    child: Child,
    stop: Option<Command>,
}

impl Drop for Balancer {
    fn drop(&mut self) {
        if let Some(mut stop) = self.stop.take() {
            let _ = stop.status();
            let ends = Instant::now() + Duration::from_secs(5);
            while Instant::now() < ends && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The addresses of a test: `127.0.<net>.10` is the VIP, `.1` to `.3` the replicas, `.4` the surge address.
struct Site {
    net: u8,
    vip_port: u16,
    port: u16,
}

impl Site {
    fn new(net: u8) -> Self {
        let free = |last: u8| {
            let listener = TcpListener::bind(format!("127.0.{net}.{last}:0")).unwrap();
            listener.local_addr().unwrap().port()
        };
        Site {
            net,
            vip_port: free(10),
            port: free(1),
        }
    }

    fn address(&self, last: u8) -> String {
        format!("127.0.{}.{last}", self.net)
    }

    fn server(&self, last: u8) -> ApiServer {
        ApiServer::start(SocketAddr::new(
            self.address(last).parse::<IpAddr>().unwrap(),
            self.port,
        ))
    }

    fn vip(&self) -> SocketAddr {
        SocketAddr::new(self.address(10).parse().unwrap(), self.vip_port)
    }

    /// The configuration for members, the last of which is the surge address.
    fn configuration(&self, format: Format, replicas: &[u8]) -> String {
        let replicas: Vec<String> = replicas.iter().map(|last| self.address(*last)).collect();
        let replicas: Vec<&str> = replicas.iter().map(String::as_str).collect();
        let mut cluster = cluster(
            "demo",
            &format!("198.18.{}.10", self.net),
            &replicas,
            &[&self.address(4)],
        );
        cluster["endpoint"]["port"] = json!(self.vip_port);
        let list = members(&plan(&[cluster]), &json!({"port": self.port}));
        whole(&on_loopback(list), format)
    }

    /// Who answers a number of new connections, each of which must succeed.
    fn answers(&self, connections: usize) -> BTreeMap<String, usize> {
        let mut answers = BTreeMap::new();
        for _ in 0..connections {
            let who = Client::connect(self.vip()).and_then(|mut client| client.who());
            *answers
                .entry(who.unwrap_or_else(|error| panic!("a connection failed: {error}")))
                .or_default() += 1;
        }
        answers
    }

    fn wait_for_vip(&self) {
        until(Duration::from_secs(10), "nobody listens on the VIP", || {
            std::net::TcpStream::connect(self.vip()).is_ok()
        });
    }

    /// A connection that a wanted server answers.
    fn connected_to(&self, last: u8) -> Client {
        for _ in 0..100 {
            let mut client = Client::connect(self.vip()).unwrap();
            if client.who().is_ok_and(|who| who == self.address(last)) {
                return client;
            }
        }
        panic!("no connection reached {}", self.address(last));
    }
}

/// Waits until something holds; gives the time that it took.
fn until(longest: Duration, otherwise: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < longest, "{otherwise} after {longest:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    start.elapsed()
}

fn quiet(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn start(program: &Path, arguments: &[&str], stop: Option<Command>) -> Balancer {
    let child = quiet(program, arguments).spawn().unwrap();
    Balancer { child, stop }
}

/// Probes every 5 s, three until down, two until up, and one for the phase.
const DOWN: Duration = Duration::from_secs(25);
const UP: Duration = Duration::from_secs(16);

#[test]
fn haproxy_sends_to_healthy_members_only() {
    let Some(haproxy) = tool("haproxy") else { return };
    let site = Site::new(61);
    let [one, two, three] = [1, 2, 3].map(|last| site.server(last));
    two.set_healthy(false);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("haproxy.cfg");
    let path = file.to_string_lossy().into_owned();
    std::fs::write(&file, site.configuration(Format::Haproxy, &[1, 2, 3])).unwrap();
    let old = start(&haproxy, &["-db", "-f", &path], None);
    site.wait_for_vip();

    // The first probe decides at the start. The sick member says "ok" in its body; nobody answers at the surge address.
    until(Duration::from_secs(10), "no member was probed", || {
        one.probes() > 0 && two.probes() > 0 && three.probes() > 0
    });
    std::thread::sleep(Duration::from_millis(500));
    let answers = site.answers(40);
    assert_eq!(
        answers.keys().cloned().collect::<Vec<_>>(),
        [site.address(1), site.address(3)],
        "{answers:?}"
    );

    // A member that turns sick leaves, and its connections end.
    let mut held = site.connected_to(3);
    three.set_healthy(false);
    let took = until(DOWN, "the sick member was not marked down", || held.who().is_err());
    eprintln!("HAProxy: a sick member left after {took:?}");
    assert_eq!(site.answers(20).keys().cloned().collect::<Vec<_>>(), [site.address(1)]);

    // One that gets well comes back.
    two.set_healthy(true);
    let back = || site.answers(4).contains_key(&site.address(2));
    let took = until(UP, "the healthy member did not come back", back);
    eprintln!("HAProxy: a healthy member came back after {took:?}");

    // A member that leaves the plan: the old process keeps its connections, the new one does not know it.
    let mut held = site.connected_to(1);
    std::fs::write(&file, site.configuration(Format::Haproxy, &[2, 3])).unwrap();
    let _new = start(
        &haproxy,
        &["-db", "-f", &path, "-sf", &old.child.id().to_string()],
        None,
    );
    std::thread::sleep(Duration::from_secs(3));
    let answers = site.answers(20);
    assert!(!answers.contains_key(&site.address(1)), "{answers:?}");
    assert_eq!(held.who().unwrap(), site.address(1));
}

#[test]
fn nginx_goes_round_members_that_do_not_answer() {
    let Some(nginx) = tool("nginx") else { return };
    let site = Site::new(62);
    let [_one, two, _three] = [1, 2, 3].map(|last| site.server(last));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nginx.conf");
    let path = file.to_string_lossy().into_owned();
    std::fs::write(&file, site.configuration(Format::Nginx, &[1, 2, 3])).unwrap();
    let global = format!("daemon off; pid {};", folder.path().join("nginx.pid").display());
    let arguments = ["-c", &path, "-g", &global];
    let signal = |what: &str| quiet(&nginx, &[&arguments[..], &["-s", what]].concat());
    let _running = start(&nginx, &arguments, Some(signal("stop")));
    site.wait_for_vip();

    // Nobody answers at the surge address, and no connection fails for it.
    let all = [1, 2, 3].map(|last| site.address(last));
    assert_eq!(site.answers(60).keys().cloned().collect::<Vec<_>>(), all);

    // A member that stops is gone round.
    drop(two);
    let second = (site.address(2).parse::<IpAddr>().unwrap(), site.port);
    until(Duration::from_secs(10), "the stopped member still listens", || {
        std::net::TcpStream::connect(second).is_err()
    });
    let answers = site.answers(40);
    assert_eq!(
        answers.keys().cloned().collect::<Vec<_>>(),
        [site.address(1), site.address(3)],
        "{answers:?}"
    );

    // A member that leaves the plan: old workers keep its connections, new ones do not know it.
    let mut held = site.connected_to(1);
    std::fs::write(&file, site.configuration(Format::Nginx, &[2, 3])).unwrap();
    let reload = signal("reload").status().unwrap();
    assert!(reload.success());
    std::thread::sleep(Duration::from_secs(3));
    let answers = site.answers(20);
    assert_eq!(
        answers.keys().cloned().collect::<Vec<_>>(),
        [site.address(3)],
        "{answers:?}"
    );
    assert_eq!(held.who().unwrap(), site.address(1));
}
