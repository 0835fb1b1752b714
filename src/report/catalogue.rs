//! Takes codes and gives what they mean, as text for the terminal and as the page of the documentation; finds nothing itself.

use crate::check::{Code, Severity, codes};

const INTRODUCTION: &str = "\
# Findings

Every problem that capv-ipam reports has a code. A code never changes its meaning. `capv-ipam explain CODE` prints what
stands here, and `capv-ipam explain -o markdown` prints this page.

| severity | means |
|---|---|
| error | the cluster cannot come up as asked, or a conflict of addresses is certain |
| warning | it bites under a condition that the message names |
| info | worth knowing |

`check` reports everything in the manifest, `transform` what it touches. A finding that is known and meant can be lowered
or accepted in the configuration, with a reason: see [`accept`](configuration.md#accept). A code marked *no* under
*accept* says that something wanted cannot be done, so accepting it would do half of it.

";

/// What one code means, for the terminal.
#[must_use]
pub fn explanation(code: &Code) -> String {
    let (before, after) = code.example();
    let indented = |text: &str| -> String {
        let line = |line: &str| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("  {line}\n")
            }
        };
        text.lines().map(line).collect()
    };
    let accept = if code.stops_edits() {
        "\nIt cannot be accepted: something that is wanted cannot be done.\n"
    } else {
        ""
    };
    format!(
        "{} {} ({})\n\nCause:        {}\nConsequence:  {}\nCure:         {}\n{accept}\nBefore:\n{}\nAfter:\n{}",
        code.id,
        code.name,
        code.severity.name(),
        code.cause,
        code.consequence,
        code.cure,
        indented(before),
        indented(after)
    )
}

/// The page about all codes, in Markdown.
#[must_use]
pub fn catalogue() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("| code | name | severity | accept |\n|---|---|---|---|\n");
    for code in codes::ALL {
        let accept = if code.stops_edits() { "no" } else { "yes" };
        page.push_str(&format!(
            "| [{}](#{}-{}) | {} | {} | {accept} |\n",
            code.id,
            code.id.to_lowercase(),
            code.name,
            code.name,
            code.severity.name()
        ));
    }
    for code in codes::ALL {
        let (before, after) = code.example();
        page.push_str(&format!(
            "\n## {} {}\n\n{}. {} {}\n\n**Cure:** {}\n\nBefore:\n\n```yaml\n{before}```\n\nAfter:\n\n```yaml\n{after}```\n",
            code.id,
            code.name,
            title(code.severity),
            code.cause,
            code.consequence,
            code.cure
        ));
    }
    page
}

fn title(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
        Severity::Info => "Info",
    }
}
