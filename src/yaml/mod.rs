//! YAML over the original text: documents, nodes with spans, edits that are checked by reading back, new text; nothing here knows Kubernetes.

mod build;
mod change;
mod comments;
mod document;
mod edit;
pub mod emit;
mod events;
mod guard;
mod insert;
mod language;
mod layout;
mod lines;
mod list;
mod node;
mod path;
mod place;
mod remove;
mod replace;
mod scalar;
pub mod stream;
mod value;
mod verify;
mod wanted;
mod write;

pub use change::Editor;
pub use document::{Chunk, Limits, Prefilter, SyntaxError, chunks, is_bare, stray_byte_order_mark};
pub use edit::{Edit, Edits, Overlap};
pub use emit::{Flow, Layout};
pub use events::Style;
pub use guard::{Reason, Refusal};
pub use language::template_language;
pub use list::BlockList;
pub use node::{Kind, NodeId, Tree};
pub use value::{ReadError, Segment};
