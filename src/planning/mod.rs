//! From machine groups and pools to the address plan: who can get which address, and how certain that is; pure, and nothing is allocated by it.

mod choices;
mod dhcp;
mod draws;
mod machine_names;
mod plan;
mod running;
mod saved;
mod shares;
mod slots;
mod subnet;
mod subnet_pools;
mod subnets;

pub use choices::choices;
pub(crate) use draws::Draws;
pub use plan::{
    AddressPlan, Certainty, ClusterPlan, Endpoint, GroupPlan, NicPlan, PoolPlan, PoolReference, Size, SlotKind,
    SlotPlan,
};
pub use running::Running;
pub use saved::{PlanFault, read_plan};
pub(crate) use slots::slot_base;
pub use slots::{plan, plan_running};
pub use subnet::{DhcpGroup, PoolUser, SubnetEndpoint, SubnetPlan, SubnetPool};
