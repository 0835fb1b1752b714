//! The program as a KRM function: what kustomize and kpt really send, what they do with the answer, and what must never happen to a package.
#![cfg(all(feature = "cli", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

#[path = "krm/clusters.rs"]
mod clusters;
#[path = "krm/forms.rs"]
mod forms;
#[path = "krm/given.rs"]
mod given;
#[path = "krm/items.rs"]
mod items;
#[path = "krm/kpt.rs"]
mod kpt;
#[path = "krm/kustomize.rs"]
mod kustomize;
#[path = "krm/laws.rs"]
mod laws;
#[path = "krm/plugin.rs"]
mod plugin;
#[path = "support/program.rs"]
mod program;
#[path = "krm/refusals.rs"]
mod refusals;
#[path = "krm/results.rs"]
mod results;
mod support;
#[path = "support/tape.rs"]
mod tape;
#[path = "support/tools.rs"]
mod tools;
#[path = "krm/vectors.rs"]
mod vectors;
#[allow(dead_code, reason = "the laws of a run need more of a world")]
#[path = "support/world.rs"]
mod world;
#[path = "support/writer.rs"]
mod writer;
