//! From machine groups and pools to the address plan: who can get which address, and how certain that is; pure, and nothing is allocated by it.

mod beginning;
mod draws;
mod infrastructure;
mod naming;
pub mod next;
mod plan;
mod slots;
mod step_plan;
mod steps;

pub use beginning::start;
pub use plan::{
    AddressPlan, Certainty, ClusterPlan, Endpoint, GroupPlan, NicPlan, PoolPlan, PoolReference, Size, SlotKind,
    SlotPlan,
};
pub use slots::{plan, plan_then};
pub use step_plan::{StepGroup, StepHolding, StepPlan, StepPool};
