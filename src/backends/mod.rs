//! From an address plan to what a load balancer is told: the member list, what changes against an earlier one, and one file for each format; pure, gives text and never sends it anywhere.
//!
//! Every name that comes from a manifest passes `names` first, and each format's own quoting after that.

mod change;
mod collect;
mod endpoint;
mod envoy;
mod f5;
mod f5_ansible;
mod f5_as3;
mod f5_icontrol;
mod f5_terraform;
mod f5_tmsh;
mod finding;
mod group_members;
mod haproxy;
mod json;
mod keepalived;
mod list;
mod listeners;
mod locate;
mod member_list;
mod names;
mod nginx;
mod render;
mod settings;
mod table;

pub use change::{Step, steps};
pub use collect::collect;
pub use finding::{About, PlanFinding};
pub use locate::{in_manifest, in_plan};
pub use member_list::{Member, MemberKind, MemberList, Vip, VirtualService};
pub use render::{Wanted, form_problem, render};
pub use settings::Settings;
