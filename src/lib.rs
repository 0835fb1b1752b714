//! Predefined IP addresses for the nodes of Cluster API vSphere clusters, before the cluster exists.
//!
//! The map of the crate, in the order of the data: [`yaml`] reads documents over the original text and edits them,
//! [`objects`] says what the text means, [`addressing`] what is wanted, [`ipam`] computes with addresses, [`check`]
//! holds the findings, a private room plans the edits, and [`outcome`] is the one computation that every verb prints
//! a part of. [`backends`] spells the members for load balancers, [`report`] gives findings and differences their looks,
//! and with the feature `cli`, [`cli`] does the I/O.
//! The library never prints.

pub mod addressing;
pub mod allocation;
pub mod api;
pub mod backends;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "controller")]
pub mod controller;
pub mod ipam;
pub mod krm;
pub mod objects;
pub mod outcome;
mod parallel;
pub mod planning;
pub mod report;
mod rewrite;
pub mod state;
pub mod status;
pub mod yaml;
