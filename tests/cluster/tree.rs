//! `status` on a real API server: the tree, what waits and why, and a watch that prints what changes.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api_server::{ADMIN, LEGACY, shared};
use crate::bench::{Bench, run};
use crate::capv::{MACHINE, machine, nic, template};

/// A watch, which ends with the test.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The way to the API server, which a test may close and open again.
struct Gate {
    url: String,
    closed: Arc<AtomicBool>,
    passing: Arc<Mutex<Vec<TcpStream>>>,
}

impl Gate {
    fn before(url: &str) -> Self {
        let server = url.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Self {
            url: format!("https://{}", listener.local_addr().unwrap()),
            closed: Arc::default(),
            passing: Arc::default(),
        };
        let (closed, passing) = (Arc::clone(&gate.closed), Arc::clone(&gate.passing));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if closed.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                for (mut from, mut to) in [(&client, &server), (&server, &client)]
                    .map(|(from, to)| (from.try_clone().unwrap(), to.try_clone().unwrap()))
                {
                    passing.lock().unwrap().push(from.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        gate
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        for stream in self.passing.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn open(&self) {
        self.closed.store(false, Ordering::SeqCst);
    }
}

fn command(bench: &Bench, user: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capv-ipam"));
    command
        .args(["status", "--namespace", &bench.namespace, "--kubeconfig"])
        .arg(bench.server.kubeconfig(user))
        .args(arguments);
    command
}

/// Sends the lines that a process prints, as they come.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (send, received) = channel();
    let lines = BufReader::new(from).lines();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));
    received
}

fn status(bench: &Bench, arguments: &[&str]) -> Output {
    command(bench, ADMIN, arguments).output().unwrap()
}

#[test]
fn the_tree_of_a_real_cluster_says_who_has_what_and_who_waits_for_what() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.labelled("192.0.2.10", "192.0.2.10").await;
        bench.create(template("bare", json!({}))).await;
        bench
            .machine(machine("first", "t", "c", true, json!([nic("Public")])))
            .await;
        bench.served("first").await;
        for (name, template, reason) in [("second", "t", "ClaimRefused"), ("third", "bare", "NoPoolLabel")] {
            bench
                .machine(machine(name, template, "c", true, json!([nic("Public")])))
                .await;
            bench.waits(MACHINE, name, reason).await;
        }
        let shown = status(&bench, &[]);
        let text = String::from_utf8(shown.stdout).unwrap();
        println!("{text}");
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        let line = |name: &str| {
            text.lines()
                .find(|line| line.contains(name))
                .unwrap_or_else(|| panic!("no line of {name}: {text}"))
        };
        assert!(line("first").contains("192.0.2.10"), "{text}");
        assert!(line("second").contains("Exhausted IP Pools"), "{text}");
        assert!(line("third").contains("NoPoolLabel"), "{text}");
        let wide = String::from_utf8(status(&bench, &["-o", "wide"]).stdout).unwrap();
        assert!(wide.contains("first-0") && wide.contains("second-0"), "{wide}");
        let json: Value = serde_json::from_slice(&status(&bench, &["-o", "json"]).stdout).unwrap();
        assert!(json.to_string().contains("192.0.2.10"), "{json}");
        // Somebody who may read Clusters alone is told that this is not all.
        let role = format!("clusters-{}", bench.namespace);
        let clusters = [
            "clusterrole",
            &role,
            "--verb=list",
            "--resource=clusters.cluster.x-k8s.io",
        ];
        server.kubectl(&[&["create"][..], &clusters[..]].concat());
        let user = format!("--user={LEGACY}");
        server.kubectl(&[
            "-n",
            &bench.namespace,
            "create",
            "rolebinding",
            &role,
            "--clusterrole",
            &role,
            &user,
        ]);
        let partly = command(&bench, LEGACY, &[]).output().unwrap();
        let error = String::from_utf8(partly.stderr).unwrap();
        assert!(
            partly.status.success() && String::from_utf8(partly.stdout).unwrap().contains("/c"),
            "{error}"
        );
        assert!(
            error.contains("warning: not everything can be read") && error.contains("vspheremachines"),
            "{error}"
        );
    });
}

#[test]
fn a_watch_elsewhere_than_on_a_terminal_prints_the_lines_that_change() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.labelled("192.0.2.10", "192.0.2.19").await;
        bench
            .machine(machine("first", "t", "c", true, json!([nic("Public")])))
            .await;
        bench.served("first").await;
        let gate = Gate::before(&server.url);
        let kubeconfig = server.kubeconfig_for(ADMIN, &gate.url, "gate");
        let mut child = Watching(
            Command::new(env!("CARGO_BIN_EXE_capv-ipam"))
                .args(["status", "--watch", "--namespace", &bench.namespace, "--kubeconfig"])
                .arg(kubeconfig)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        let received = lines(child.0.stdout.take().unwrap());
        let warned = lines(child.0.stderr.take().unwrap());
        let mut all: Vec<String> = Vec::new();
        let mut until = |what: &str| {
            let end = Instant::now() + Duration::from_secs(30);
            while all.last().is_none_or(|line| !line.contains(what)) {
                let left = end.saturating_duration_since(Instant::now());
                all.push(
                    received
                        .recv_timeout(left)
                        .unwrap_or_else(|_| panic!("no line {what}: {all:?}")),
                );
            }
        };
        until("first Served 192.0.2.10");
        gate.close();
        let warning = warned.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(warning.starts_with("warning: cannot read the cluster: "), "{warning}");
        gate.open();
        bench
            .machine(machine("second", "t", "c", true, json!([nic("Public")])))
            .await;
        bench.served("second").await;
        until("second Served 192.0.2.11");
        bench.delete(MACHINE, "second").await;
        until("second gone");
        assert_eq!(
            all.iter().filter(|line| line.contains("first")).count(),
            1,
            "what has not changed is printed once: {all:?}"
        );
    });
}
