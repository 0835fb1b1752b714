//! Takes findings and gives them as a person reads them, with a caret on the line that they are about.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::{Positions, Report};
use crate::check::{Finding, Place, Severity};

/// Longest line that is shown; of longer ones only the position is.
const LONGEST_LINE: usize = 240;

/// The findings, one paragraph each, with ANSI styles when `styled`.
#[must_use]
pub fn text(report: &Report<'_>, styled: bool) -> String {
    let positions = report.positions();
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for finding in report.findings {
        out.push_str(&renderer.render(&[group(finding, report, &positions)]));
        out.push_str("\n\n");
    }
    out
}

/// How many there are of each severity, in words; empty without findings.
#[must_use]
pub fn summary(findings: &[Finding]) -> String {
    let count = |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let words = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "info"),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .map(|(severity, word)| (count(severity), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 || word == "info" { "" } else { "s" }))
        .collect();
    parts.join(", ")
}

fn group<'r>(finding: &'r Finding, report: &Report<'r>, positions: &Positions) -> Group<'r> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = level.primary_title(finding.message.as_str()).id(finding.code.id);
    let mut elements = Vec::new();
    if let Some(place) = finding.place {
        elements.extend(element(place, None, AnnotationKind::Primary, report, positions));
    }
    if let Some((place, what)) = &finding.related {
        elements.extend(element(*place, Some(what), AnnotationKind::Context, report, positions));
    }
    if let Some((severity, reason)) = &finding.lowered {
        let note = format!("the configuration lowers this {}: {reason}", severity.name());
        elements.push(Level::NOTE.message(note).into());
    }
    if let Some(help) = &finding.help {
        elements.push(Level::HELP.message(help.as_str()).into());
    }
    elements.into_iter().fold(Group::with_title(title), Group::element)
}

/// The line of a place with its part marked.
fn element<'r>(
    place: Place,
    label: Option<&'r str>,
    kind: AnnotationKind,
    report: &Report<'r>,
    positions: &Positions,
) -> Option<Element<'r>> {
    let (name, text) = *report.texts.get(place.source)?;
    let position = positions.get(place.source, place.span.start)?;
    let rest = &text[position.line_start..];
    let line = rest.split(['\n', '\r']).next().unwrap_or_default();
    if line.len() > LONGEST_LINE || line.contains('\0') {
        return Some(
            Origin::path(name)
                .line(position.line)
                .char_column(position.column)
                .into(),
        );
    }
    let start = (place.span.start as usize)
        .saturating_sub(position.line_start)
        .min(line.len());
    let end = (place.span.end as usize)
        .saturating_sub(position.line_start)
        .clamp(start, line.len());
    let annotation = kind.span(start..end);
    let annotation = match label {
        Some(label) => annotation.label(label),
        None => annotation,
    };
    Some(
        Snippet::source(line)
            .line_start(position.line)
            .path(name)
            .fold(false)
            .annotation(annotation)
            .into(),
    )
}
