//! What is wanted: the configuration, the machine groups it chooses and the templates and NICs that follow; pure, and the manifest is only read.

mod configuration;
mod groups;
mod reading;
mod selection;
mod selector;
mod validation;

pub use configuration::{
    API_VERSION, Acceptance, Backends, Binding, KIND, KubeVip, Members, PoolConfig, PoolKindConfig, Service, Spec,
    StaticAddressing, Verb,
};
pub use groups::{GroupSource, Groups, MachineGroup, TemplateUse};
pub use reading::{ConfigDocument, read_configurations};
pub use selection::{ChosenTemplate, ClusterScope, NicSet, Selection, WantedPool, select};
pub use selector::Selector;
pub use validation::{ConfigError, validate};
