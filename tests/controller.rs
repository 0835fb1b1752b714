//! The in-cluster mode: against a fake API server in this process, and as a program against a real kube-apiserver with the
//! real CRDs (skipped with one line where there is none).
#![cfg(all(feature = "cli", feature = "controller"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

mod fake;
#[path = "support/skipped.rs"]
mod skipped;

#[path = "cluster/api_server.rs"]
mod api_server;
#[path = "cluster/bench.rs"]
mod bench;
#[path = "cluster/disasters.rs"]
mod disasters;
#[path = "cluster/faults.rs"]
mod faults;
#[path = "cluster/history.rs"]
mod history;
#[path = "cluster/installed.rs"]
mod installed;
#[path = "cluster/machines.rs"]
mod machines;
#[path = "cluster/older.rs"]
mod older;
#[path = "cluster/pools.rs"]
mod pools;
#[path = "cluster/proxy.rs"]
mod proxy;
#[path = "cluster/speed.rs"]
mod speed;
