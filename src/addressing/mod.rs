//! What is wanted: the configuration, the machine groups it chooses and the templates and NICs that follow; pure, and the manifest is only read.

mod after;
mod backend_format;
mod balancer;
mod cluster_name;
mod configuration;
mod finder;
mod flat;
mod function_config;
mod groups;
mod infrastructure;
mod mapping;
mod matching;
mod monitor;
mod nics;
mod node_name;
mod places;
mod pool_object;
mod reading;
#[cfg(feature = "cli")]
pub mod schema;
mod scope;
mod selection;
mod selector;
mod sharing;
mod validation;
mod wording;

pub(crate) use after::{After, NicAfter, TemplateAfter};
pub use backend_format::{Format, format_names};
pub use balancer::{API_SERVICE, API_TITLE, Balancer, BalancerError, ServiceWish, is_object_name, read_balancer};
pub(crate) use cluster_name::ClusterName;
pub use configuration::{
    API_VERSION, Acceptance, Backends, Binding, KIND, KubeVip, Members, PoolConfig, PoolKindConfig, Service, Spec,
    StaticAddressing, Verb,
};
pub use flat::read_service;
pub use function_config::read_function_config;
pub use groups::{GroupSource, Groups, MachineGroup, TemplateUse};
pub(crate) use matching::listed;
pub use monitor::{MONITORS, Monitor};
pub use nics::NicSet;
pub use node_name::NodeName;
pub(crate) use pool_object::{SEARCH_DOMAINS, pool_object};
pub use reading::{ConfigDocument, read_configurations};
pub use scope::ClusterScope;
pub(crate) use selection::can_be_label;
pub use selection::{ChosenTemplate, Selection, WantedPool, select};
pub use selector::Selector;
pub(crate) use validation::label_value_problem;
pub(crate) use validation::object_name_problem;
pub use validation::{ConfigError, validate};
