//! Takes findings and gives them as GitHub's workflow commands, which become annotations on the changed lines.

use super::Report;
use crate::check::Severity;

/// One line for each finding.
#[must_use]
pub fn github(report: &Report<'_>) -> String {
    let positions = report.positions();
    let mut out = String::new();
    for finding in report.findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let mut properties = Vec::new();
        if let Some(place) = finding.place
            && let (Some(start), Some((file, _))) = (
                positions.get(place.source, place.span.start),
                report.texts.get(place.source),
            )
        {
            properties.push(format!("file={}", property(file)));
            properties.push(format!("line={},col={}", start.line, start.column));
            let end = positions.get(place.source, place.span.end);
            properties.extend(
                end.filter(|end| end.line == start.line && end.column > start.column)
                    .map(|end| format!("endColumn={}", end.column)),
            );
        }
        properties.push(format!(
            "title={}",
            property(&format!("{} {}", finding.code.id, finding.code.name))
        ));
        let message = match &finding.help {
            Some(help) => format!("{}\n{help}", finding.message),
            None => finding.message.clone(),
        };
        out.push_str(&format!("::{command} {}::{}\n", properties.join(","), data(&message)));
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
        assert_eq!(data("a::b\nc"), "a::b%0Ac");
    }
}
