//! The in-cluster mode against an API server in this process.

mod faults;
mod process;
mod server;
mod story;
