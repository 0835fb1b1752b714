//! Measures the program beside the bare limit of the same API server. It takes minutes and the machine for itself:
//! `CAPV_IPAM_BINARY=target/release/capv-ipam cargo test --test controller speed -- --ignored --nocapture`.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::api_server::{ADMIN, ApiServer};
use crate::bench::{Bench, POOL, eventually, pool};

/// How many claims are made one after the other.
const SINGLE: usize = 200;

struct Load {
    program: PathBuf,
    server: &'static ApiServer,
}

impl Load {
    fn build(server: &'static ApiServer) -> Self {
        let program = server.path("load");
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/load"))
            .status();
        assert!(built.unwrap().success());
        Self { program, server }
    }

    fn run(&self, namespace: &str, mode: &str, count: usize, first: usize) -> Vec<f64> {
        let output = Command::new(&self.program)
            .args([
                "-server",
                &self.server.url,
                "-token",
                &format!("{ADMIN}-token"),
                "-namespace",
                namespace,
                "-mode",
                mode,
            ])
            .args(["-count", &count.to_string(), "-first", &first.to_string()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().map(|number| number.parse().unwrap()).collect()
    }
}

async fn is_served(bench: &Bench) {
    eventually("the pool is served", async || {
        let pool = bench.get(POOL, "p").await?;
        pool.metadata.finalizers.filter(|list| !list.is_empty())
    })
    .await;
}

#[test]
#[ignore = "takes minutes and the machine for itself"]
fn speed() {
    let Some(server) = crate::api_server::shared() else {
        return;
    };
    // One for the whole test: a client lives as long as the runtime that made it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let load = Load::build(server);
    let sizes: Vec<usize> = std::env::var("CAPV_IPAM_SPEED")
        .unwrap_or_else(|_| "500,2000,10000".into())
        .split(',')
        .map(|size| size.parse().unwrap())
        .collect();
    println!("claims   bare/s   as they come/s   share   waiting/s   share   memory MB");
    for size in sizes {
        let bench = runtime.block_on(async {
            let bench = Bench::new(server).await;
            bench.create(pool("p", "10.0.0.0", "10.0.255.255")).await;
            bench
        });
        load.run(&bench.namespace, "create", size, 0);
        let bare = load.run(&bench.namespace, "bare", size, 0)[0];
        let bare_namespace = bench.namespace.clone();
        let bench = runtime.block_on(async {
            let bench = Bench::new(server).await;
            bench.create(pool("p", "10.0.0.0", "10.0.255.255")).await;
            bench
        });
        let controller = bench.controller(&["--log=warn"]);
        runtime.block_on(is_served(&bench));
        let idle = controller.memory();
        let ours = load.run(&bench.namespace, "claims", size, 0)[0];
        let memory = controller.memory();
        let waiting = {
            let bench = runtime.block_on(Bench::new(server));
            let _controller = bench.controller(&["--log=warn"]);
            load.run(&bench.namespace, "create", size, 0);
            load.run(&bench.namespace, "waiting", size, 0)[0]
        };
        let share = |rate: f64| 100.0 * rate / bare;
        println!(
            "{size:>6} {bare:>8.1} {ours:>16.1} {:>6.0}% {waiting:>11.1} {:>6.0}% {memory:>11.1} (idle {idle:.1})",
            share(ours),
            share(waiting),
        );
        if size <= 500
            && let Some(program) = crate::metal3::program(server)
        {
            for (how, more) in [("as shipped", &[][..]), ("unbound", &crate::metal3::UNBOUND)] {
                let bench = runtime.block_on(async {
                    let bench = Bench::new(server).await;
                    bench.create(pool("p", "10.0.0.0", "10.0.255.255")).await;
                    bench
                });
                let _manager = crate::metal3::start(&program, &bench, more);
                runtime.block_on(is_served(&bench));
                let theirs = load.run(&bench.namespace, "claims", size, 0)[0];
                println!("       metal3's manager, {how}: {theirs:.1} as they come/s");
            }
        }
        if size <= 500 {
            std::thread::sleep(Duration::from_millis(500));
            for (who, namespace, mode) in [
                ("bare writes", &bare_namespace, "bare-single"),
                ("ours", &bench.namespace, "single"),
            ] {
                let single = load.run(namespace, mode, SINGLE, size);
                println!(
                    "       one claim at a time beside {size}, {who}: mean {:.1} ms, worst {:.1} ms, {} of {SINGLE} above 50 ms",
                    single[0], single[1], single[2]
                );
            }
        }
        let before = Instant::now();
        std::thread::sleep(Duration::from_secs(1));
        println!(
            "       memory after {:.0} s of rest: {:.1} MB",
            before.elapsed().as_secs_f64(),
            controller.memory()
        );
    }
}
