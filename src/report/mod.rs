//! How findings and differences look: text with a caret, JSON, SARIF, GitHub's annotations, unified diffs; gives text and never writes it anywhere.

mod allocation;
mod catalogue;
mod changes;
mod diff;
mod github;
mod html;
mod json;
mod plan;
mod positions;
mod sarif;
mod steps;
mod table;
#[cfg(feature = "cli")]
mod text;
mod visible;

pub use allocation::allocation_table;
pub use catalogue::{catalogue, explanation};
pub use changes::plan_changes;
pub use diff::unified_diff;
pub use github::github;
pub use html::{changes_html, plan_html};
pub use json::{findings, json};
pub use plan::{Columns, plan_markdown, plan_table};
pub use positions::{Position, Positions};
pub use sarif::sarif;
pub use steps::{steps_csv, steps_markdown, steps_text};
pub use table::Table;
#[cfg(feature = "cli")]
pub use text::{summary, text};
pub use visible::visible;

use crate::check::{Accepted, Finding};

/// The findings of a run with the texts that they are about: the manifest's sources first, then the configuration files.
pub struct Report<'r> {
    /// The findings.
    pub findings: &'r [Finding],
    /// What the configuration accepts; JSON and SARIF list it, with the reason.
    pub accepted: &'r [Accepted],
    /// The name and text of every source.
    pub texts: &'r [(&'r str, &'r str)],
}

impl Report<'_> {
    /// The line and column of every place.
    #[must_use]
    pub fn positions(&self) -> Positions {
        let accepted = self.accepted.iter().map(|accepted| &accepted.finding);
        let places = self.findings.iter().chain(accepted).flat_map(|finding| {
            let related = finding.related.as_ref().map(|(place, _)| *place);
            finding.place.into_iter().chain(related)
        });
        Positions::of(self.texts, places)
    }
}
