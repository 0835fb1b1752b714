//! Takes pools, claims and interleavings made by chance, proves the laws of allocation on each; every case is small, so a
//! debug run takes seconds.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it found")]

#[path = "laws/arithmetic.rs"]
mod arithmetic;
#[path = "laws/choice.rs"]
mod choice;
#[path = "laws/decisions.rs"]
mod decisions;
#[path = "laws/leaders.rs"]
mod leaders;
#[path = "laws/live.rs"]
mod live;
#[path = "laws/made.rs"]
mod made;
#[path = "laws/objects.rs"]
mod objects;
#[path = "laws/orders.rs"]
mod orders;
#[path = "laws/scan.rs"]
mod scan;
#[path = "laws/stories.rs"]
mod stories;
#[path = "laws/two_leaders.rs"]
mod two_leaders;
#[path = "metal3/world.rs"]
#[allow(dead_code, reason = "the laws look at addresses only")]
mod world;
