//! Takes what makes an input unreadable and gives a finding that says what the text probably is; never reads the text as something else.

use super::codes;
use super::finding::Finding;
use crate::objects::{InputError, InputFault, Source};

/// The finding of an input error.
#[must_use]
pub fn input_finding(error: &InputError, sources: &[Source<'_>]) -> Finding {
    match &error.fault {
        InputFault::Syntax(problem, context) => {
            let finding = Finding::new(&codes::NOT_YAML, format!("not YAML: {problem}"))
                .at(error.source, error.span)
                .help(hint(sources[error.source].text, error.span.start as usize));
            match context {
                Some((what, span)) => finding.with(error.source, *span, what.clone()),
                None => finding,
            }
        }
        InputFault::ByteOrderMark => {
            Finding::new(&codes::BYTE_ORDER_MARK, "a byte order mark stands inside the stream")
                .at(error.source, error.span)
                .help("remove the bytes EF BB BF here; they are allowed at the start of a file only")
        }
        InputFault::ResourceList => Finding::new(
            &codes::RESOURCE_LIST,
            "a ResourceList is the input of a KRM function, not a manifest",
        )
        .at(error.source, error.span)
        .help("give the list to `capv-ipam fn`, or the manifest itself: documents, a v1 List or JSON"),
    }
}

/// What a text that is not YAML probably is, and what to do with it.
#[must_use]
pub fn hint(text: &str, near: usize) -> String {
    let start = text[..floor(text, near)].rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let has = |marks: &[&str]| marks.iter().any(|mark| line.contains(mark) || text.contains(mark));
    if line.starts_with([' ', '\t']) && line.trim_start_matches(' ').starts_with('\t') {
        "a tab stands where YAML wants blanks; indent with blanks".to_owned()
    } else if has(&["{{-", "{{ .", "{{ include", "{{.", "{%"]) {
        "this looks like a Helm chart or Go template; render it first, for example with `helm template`".to_owned()
    } else if has(&["#@"]) {
        "this looks like a ytt template; render it first with `ytt -f`".to_owned()
    } else if has(&["<<EOF", "<<-EOF", "<<~EOF", "resource \"", "locals {", "variable \""]) {
        "this looks like Terraform; give the rendered manifest".to_owned()
    } else if line.contains("${") {
        "a placeholder such as ${NAME} must stand in quotes inside [ ] or { }; or substitute it first (envsubst)"
            .to_owned()
    } else {
        "correct this line; if the end of the file is missing, write the file again".to_owned()
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}
