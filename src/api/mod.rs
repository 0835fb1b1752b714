//! Takes and gives the Kubernetes objects of address management as plain serde structs; knows no cluster and no text positions.

pub mod capi;
pub mod in_cluster;
mod meta;
pub mod metal3;
mod null;

pub use meta::{CLUSTER_LABEL, ObjectMeta, ObjectReference, OwnerReference, PAUSED_ANNOTATION, PROVIDER_LABEL};
