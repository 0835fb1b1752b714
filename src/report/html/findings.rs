//! Takes the findings of a plan, which are values of a fixed shape, and writes each with its code, place and help; drops none.

use serde_json::Value;

use super::markup::Markup;

/// The section with all findings.
pub(super) fn findings(out: &mut Markup, findings: &[Value]) {
    out.element("section", &[("id", "findings")], |out| {
        out.leaf("h2", &[], "Findings");
        if findings.is_empty() {
            out.leaf("p", &[], "None: nothing is wrong with these addresses as far as the manifest tells.");
            return;
        }
        out.leaf("p", &[], "An error keeps the cluster from coming up. A warning bites under the condition that it names. An info is worth knowing.");
        out.element("ol", &[("class", "findings")], |out| {
            for finding in findings {
                out.element("li", &[], |out| write(out, finding));
                out.line();
            }
        });
    });
    out.line();
}

fn write(out: &mut Markup, finding: &Value) {
    let text = |key: &str| finding.get(key).and_then(Value::as_str).unwrap_or_default();
    let severity = text("severity");
    out.element("p", &[], |out| {
        out.leaf("strong", &[("class", class(severity))], severity);
        out.text(" ");
        out.code(text("code"));
        out.text(" ");
        out.text(text("message"));
    });
    out.element("p", &[("class", "note")], |out| {
        let (object, place) = (text("object"), place(finding));
        if !object.is_empty() {
            out.code(object);
        }
        if !place.is_empty() {
            out.text(if object.is_empty() { "at " } else { " at " });
            out.code(&place);
        }
        let help = text("help");
        if !help.is_empty() {
            out.text(if object.is_empty() && place.is_empty() {
                "What to do: "
            } else {
                ". What to do: "
            });
            out.text(help);
        }
    });
}

fn class(severity: &str) -> &'static str {
    match severity {
        "error" => "error",
        "warning" => "warning",
        _ => "info",
    }
}

/// File, line and column.
fn place(finding: &Value) -> String {
    let Some(place) = finding.get("place") else {
        return String::new();
    };
    let Some(file) = place.get("file").and_then(Value::as_str) else {
        return String::new();
    };
    let number = |key: &str| {
        place
            .get(key)
            .and_then(Value::as_u64)
            .map(|number| format!(":{number}"))
    };
    format!(
        "{file}{}{}",
        number("line").unwrap_or_default(),
        number("column").unwrap_or_default()
    )
}
