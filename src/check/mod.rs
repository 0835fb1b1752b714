//! Problems as data: a code, a severity, a sentence, a place and what to do; nothing here prints or decides what to edit.

mod acceptance;
mod addresses;
mod capacity;
pub mod codes;
mod finding;
mod input;
mod severity;
mod templates;

pub use acceptance::accept;
pub(crate) use addresses::addresses;
pub(crate) use capacity::capacity;
pub use codes::Code;
pub use finding::{Finding, Place, has_errors, put_in_order};
pub use input::{hint, input_finding};
pub use severity::Severity;
pub(crate) use templates::templates;
