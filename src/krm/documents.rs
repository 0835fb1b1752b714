//! Takes a stream of bare documents and a configuration, as kustomize gives them to an executable plugin, and gives the edits of the stream; after an error the documents stay as they came.

use super::answer::{Answer, End, summary};
use super::item::Identity;
use super::results::{Located, lines};
use super::work::{Addition, Form, perform};
use crate::addressing::read_function_config;
use crate::check::{Finding, codes, has_errors};
use crate::objects::{Cursor, Source};
use crate::yaml::{Chunk, Edit, Edits, Layout, Limits, Tree, chunks, emit, stream};

/// Answers a stream of documents.
#[must_use]
pub fn answer_documents(text: &str, config: &str) -> Answer {
    let call = Call { text, config };
    let config = match read_function_config(1, config) {
        Ok(Some(config)) => config,
        Ok(None) => return call.conclude(Edits::default(), &[], End::Done),
        Err(findings) => return call.conclude(Edits::default(), &findings, End::Unusable),
    };
    let sources = [Source { name: "<stdin>", text }];
    let work = perform(&sources, Form::Documents, &config);
    let mut findings = work.findings;
    let edits = work
        .edits
        .filter(|_| !has_errors(&findings))
        .and_then(|edits| edits.into_iter().next());
    let Some(edits) = edits else {
        return call.conclude(Edits::default(), &findings, End::Errors);
    };
    match append(text, edits, &work.additions) {
        Ok(edits) => call.conclude(edits, &findings, End::Done),
        Err(problem) => {
            findings.push(Finding::new(&codes::UNSAFE_EDIT, problem));
            call.conclude(Edits::default(), &findings, End::Errors)
        }
    }
}

/// New documents behind the last one.
fn append(text: &str, edits: Edits, additions: &[Addition]) -> Result<Edits, String> {
    let document = |addition: &Addition| emit::document(&addition.object, Layout::default());
    let documents: Vec<String> = additions.iter().map(document).collect();
    let mut edits: Vec<Edit> = edits.shifted(0);
    if let (Some(last), false) = (chunks(text).last(), documents.is_empty()) {
        let edit = stream::insert_after(&last, &documents.join("---\n"), &Limits::default());
        edits.push(edit.map_err(|refusal| refusal.to_string())?);
    }
    Edits::new(edits).map_err(|overlap| overlap.to_string())
}

/// The documents and the configuration of a call.
struct Call<'a> {
    text: &'a str,
    config: &'a str,
}

impl Call<'_> {
    fn conclude(&self, edits: Edits, findings: &[Finding], end: End) -> Answer {
        let located: Vec<Located<'_>> = findings.iter().map(|finding| self.located(finding)).collect();
        Answer {
            edits: Some(edits),
            lines: lines(&located),
            summary: summary(findings),
            shown: false,
            end,
        }
    }

    /// The object and field that a finding is about; the documents are the first text of the run, the configuration is the
    /// second.
    fn located<'f>(&self, finding: &'f Finding) -> Located<'f> {
        let mut located = Located::nowhere(finding);
        let Some(place) = finding.place else { return located };
        let at = place.span.start as usize;
        let chunk = match place.source {
            0 => chunks(self.text).find(|chunk| chunk.range().end > at),
            _ => Some(Chunk::alone(self.config)),
        };
        let Some(chunk) = chunk else { return located };
        let Ok(tree) = Tree::parse(&chunk, &Limits::default()) else {
            return located;
        };
        let Some(node) = tree.root() else { return located };
        let identity = Identity::read(Cursor {
            tree: &tree,
            base: chunk.start,
            node,
        });
        located.object = identity.map(Identity::into_owned);
        located.field = tree.path_at(node, at.saturating_sub(chunk.start)).0;
        located
    }
}
