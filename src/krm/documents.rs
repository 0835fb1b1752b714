//! Takes a stream of bare documents and a configuration, as kustomize gives them to an executable plugin, and gives the edits of the stream; after an error the documents stay as they came.

use super::answer::{Answer, End, summary};
use super::results::{Located, lines};
use super::work::{Addition, Form, perform};
use crate::addressing::read_function_config;
use crate::check::{Finding, codes, has_errors};
use crate::objects::Source;
use crate::yaml::{Edit, Edits, Layout, Limits, chunks, emit, stream};

/// Answers a stream of documents.
#[must_use]
pub fn answer_documents(text: &str, config: &str) -> Answer {
    let config = match read_function_config(1, config) {
        Ok(Some(config)) => config,
        Ok(None) => return conclude(Edits::default(), &[], End::Done),
        Err(findings) => return conclude(Edits::default(), &findings, End::Unusable),
    };
    let sources = [Source { name: "<stdin>", text }];
    let work = perform(&sources, Form::Documents, &config);
    let mut findings = work.findings;
    let edits = work
        .edits
        .filter(|_| !has_errors(&findings))
        .and_then(|edits| edits.into_iter().next());
    let Some(edits) = edits else {
        return conclude(Edits::default(), &findings, End::Errors);
    };
    match append(text, edits, &work.additions) {
        Ok(edits) => conclude(edits, &findings, End::Done),
        Err(problem) => {
            findings.push(Finding::new(&codes::UNSAFE_EDIT, problem));
            conclude(Edits::default(), &findings, End::Errors)
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

fn conclude(edits: Edits, findings: &[Finding], end: End) -> Answer {
    let located = |finding| Located {
        finding,
        object: None,
        file: None,
        field: Vec::new(),
        value: None::<String>,
        line: None,
    };
    let located: Vec<Located<'_>> = findings.iter().map(located).collect();
    Answer {
        edits: Some(edits),
        lines: lines(&located),
        summary: summary(findings),
        shown: false,
        end,
    }
}
