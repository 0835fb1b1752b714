//! What is wanted: the configuration, the machine groups it chooses and the templates and NICs that follow; pure, and the manifest is only read.

mod after;
mod configuration;
mod finder;
mod groups;
mod infrastructure;
mod matching;
mod nics;
mod pool_object;
mod reading;
mod scope;
mod selection;
mod selector;
mod sharing;
mod validation;

pub(crate) use after::{After, NicAfter, TemplateAfter};
pub use configuration::{
    API_VERSION, Acceptance, Backends, Binding, KIND, KubeVip, Members, PoolConfig, PoolKindConfig, Service, Spec,
    StaticAddressing, Verb,
};
pub use groups::{GroupSource, Groups, MachineGroup, TemplateUse};
pub(crate) use matching::listed;
pub use nics::NicSet;
pub(crate) use pool_object::{SEARCH_DOMAINS, pool_object};
pub use reading::{ConfigDocument, read_configurations};
pub use scope::ClusterScope;
pub use selection::{ChosenTemplate, Selection, WantedPool, select};
pub use selector::Selector;
pub(crate) use validation::label_value_problem;
pub use validation::{ConfigError, validate};
