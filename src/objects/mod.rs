//! What a manifest's text says: clusters, machine groups, templates, classes and pools, each value with the place it stands at; nothing here decides or edits.

pub mod carried;
mod class;
mod cluster;
mod cursor;
mod files;
mod group;
pub(crate) mod kube_vip;
pub(crate) mod kube_vip_command;
mod manifest;
mod object;
mod pool;
mod reference;
mod size;
mod template;

pub use class::{Class, Patch, PatchOperation, WorkerClass};
pub use cluster::{Cluster, Topology, TopologyWorkers, Variable};
pub use cursor::{Cursor, Span, Text};
pub use files::Files;
pub use group::{Group, Owner, Role};
pub use manifest::{Document, Form, InputError, InputFault, Manifest, Source, prefilter};
pub use object::{Detail, Object};
pub use pool::{Pool, PoolEntry, PoolKind};
pub use reference::Reference;
pub(crate) use size::AUTOSCALER;
pub use size::{Amount, Autoscaler, GroupSize, Strategy};
pub use template::{Flag, GROUP_LABEL, NETWORK_LABEL, Nic, NicPool, POOL_LABEL, Template};

/// The API group of CAPV's own objects; the supervisor flavour has the same kinds in another group.
pub const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io";
/// The kind that machine groups refer to.
pub const MACHINE_TEMPLATE: &str = "VSphereMachineTemplate";

/// Whether a name still holds something that another tool will replace, such as `${CLUSTER_NAME}`.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    ["${", "{{", "<<", "$("].iter().any(|mark| text.contains(mark))
}
