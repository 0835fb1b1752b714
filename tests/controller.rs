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
#[path = "cluster/beside.rs"]
mod beside;
#[path = "cluster/capv.rs"]
mod capv;
#[path = "cluster/disasters.rs"]
mod disasters;
#[path = "cluster/example.rs"]
mod example;
#[path = "cluster/faults.rs"]
mod faults;
#[path = "cluster/history.rs"]
mod history;
#[path = "cluster/hostile.rs"]
mod hostile;
#[path = "cluster/installed.rs"]
mod installed;
#[path = "cluster/kubelet.rs"]
mod kubelet;
#[path = "cluster/live.rs"]
mod live;
#[path = "cluster/machines.rs"]
mod machines;
#[path = "cluster/manager.rs"]
mod manager;
#[path = "cluster/metal3.rs"]
mod metal3;
#[path = "cluster/migration.rs"]
mod migration;
#[path = "cluster/older.rs"]
mod older;
#[path = "cluster/pivot.rs"]
mod pivot;
#[path = "cluster/pools.rs"]
mod pools;
#[path = "cluster/proxy.rs"]
mod proxy;
#[path = "cluster/rest.rs"]
mod rest;
#[path = "cluster/speed.rs"]
mod speed;
#[path = "cluster/takeover.rs"]
mod takeover;
#[path = "cluster/tree.rs"]
mod tree;
#[path = "cluster/vsphere.rs"]
mod vsphere;
#[path = "cluster/workload.rs"]
mod workload;
