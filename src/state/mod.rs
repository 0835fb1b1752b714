//! What is live: objects of a running cluster as `--state` gives them, beside the manifest and never edited.

mod live;
mod machines;
mod reading;
mod settle;
mod view;

pub use live::{AddressRecord, ClaimObject, ClusterState, Live, PoolId, PoolObject, Stored};
pub use machines::{Machine, MachineNic, claimed_nic, machines};
pub use reading::only_namespace;
pub use settle::{Fate, Settled, settle};
pub use view::{Gaps, Pause, PoolView, Unreadable, is_api_time, views};

use crate::objects::{Manifest, Object, Span};

/// The objects of a running cluster, read by the same reader as the manifest.
pub struct State<'a> {
    /// The objects.
    pub manifest: Manifest<'a>,
    /// The index of its first text among the texts of the run: the manifest's come first, then the configuration files.
    pub first_text: usize,
}

impl State<'_> {
    /// The text that an object stands in, by its index among the texts of the run.
    #[must_use]
    pub fn text_of(&self, object: &Object<'_>) -> usize {
        self.first_text + self.manifest.source_of(object)
    }

    /// Where an object's name stands, for findings.
    #[must_use]
    pub fn place_of(&self, object: &Object<'_>) -> (usize, Span) {
        (self.text_of(object), object.name_span())
    }
}
