//! From machine groups and pools to the address plan: who can get which address, and how certain that is; pure, and nothing is allocated by it.

mod draws;
mod plan;
mod slots;

pub(crate) use draws::Draws;
pub use plan::{
    AddressPlan, Certainty, ClusterPlan, Endpoint, GroupPlan, NicPlan, PoolPlan, PoolReference, SlotKind, SlotPlan,
};
pub use slots::plan;
