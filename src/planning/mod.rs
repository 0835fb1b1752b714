//! From machine groups and pools to the address plan: who can get which address, and how certain that is; pure, and nothing is allocated by it.

mod beginning;
mod choices;
mod dhcp;
mod draws;
mod infrastructure;
mod machine_names;
pub mod next;
mod plan;
mod running;
mod saved;
mod shares;
mod slots;
mod step_plan;
mod steps;
mod subnet;
mod subnet_pools;
mod subnets;

pub(crate) use beginning::beginning;
pub use beginning::start;
pub use choices::choices;
pub(crate) use draws::Draws;
pub use plan::{
    AddressPlan, Certainty, ClusterPlan, Endpoint, GroupPlan, NicPlan, PoolPlan, PoolReference, Size, SlotKind,
    SlotPlan,
};
pub use running::Running;
pub use saved::{PlanFault, read_plan};
pub(crate) use slots::slot_base;
pub use slots::{plan, plan_running, plan_then};
pub use step_plan::{StepGroup, StepHolding, StepPlan, StepPool};
pub use subnet::{DhcpGroup, PoolUser, SubnetEndpoint, SubnetPlan, SubnetPool};
