//! What happens next: takes pools and groups with what they hold, plays the rules of the real controllers, and gives what everybody holds afterwards; pure.
//!
//! Two ways lead through a step. A group that makes one machine at a time and shares its pool with nobody who acts can go
//! one way only, and is walked through it machine by machine (`walk`). Everything else is a set: every address that a
//! claim can get in any run (`reach`), and whether a pool runs short in the worst of them (`shortage`).

mod afterwards;
mod alone;
mod demand;
mod enlarge;
mod event;
mod holding;
mod play;
mod reach;
mod shortage;
mod start;
mod step;
mod unsure;
mod walk;
mod world;

pub use event::{Event, EventError, EventKind};
pub use holding::Holding;
pub use start::{GroupDraw, GroupStart, Order, PoolStart, Start, Stuck};
pub use unsure::Unsure;
pub use world::{PoolUse, World};
