//! The program as a KRM function of kustomize and kpt: a ResourceList or bare documents in, the same with the planned edits out; pure, and no byte outside an edit changes.

mod addition;
mod answer;
mod append;
mod caller;
#[cfg(feature = "cli")]
pub mod definition;
mod documents;
mod item;
mod list;
mod local_texts;
mod locate;
mod members;
mod narrow;
mod results;
mod work;

pub use answer::{Answer, End, answer};
pub use documents::answer_documents;
