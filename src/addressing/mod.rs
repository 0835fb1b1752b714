//! What is wanted: the configuration, the machine groups it chooses and the templates and NICs that follow; pure, and the manifest is only read.

mod configuration;
mod finder;
mod flat;
mod function_config;
mod groups;
mod matching;
mod nics;
mod reading;
#[cfg(feature = "cli")]
pub mod schema;
mod scope;
mod selection;
mod selector;
mod sharing;
mod validation;
mod wording;

pub use configuration::{
    API_VERSION, Acceptance, Backends, Binding, KIND, KubeVip, Members, PoolConfig, PoolKindConfig, Service, Spec,
    StaticAddressing, Verb,
};
pub use function_config::read_function_config;
pub use groups::{GroupSource, Groups, MachineGroup, TemplateUse};
pub(crate) use matching::listed;
pub use nics::NicSet;
pub use reading::{ConfigDocument, read_configurations};
pub use scope::ClusterScope;
pub use selection::{ChosenTemplate, Selection, WantedPool, select};
pub(crate) use selection::{can_be_label, wanted_ranges};
pub use selector::Selector;
pub use validation::{ConfigError, validate};
