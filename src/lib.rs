//! Predefined IP addresses for the nodes of Cluster API vSphere clusters.
#![allow(missing_docs)]
pub mod yaml;
