//! What a finding is: one problem with its place; takes no decision about exit codes or colours.

use std::cmp::Reverse;

use super::codes::Code;
use super::severity::Severity;
use crate::objects::Span;

/// Bytes of one of the run's texts: the manifest's sources first, then the configuration files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text's index.
    pub source: usize,
    /// The bytes.
    pub span: Span,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of problem.
    pub code: &'static Code,
    /// How bad; the code's own severity unless the configuration lowers it.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// The object that it is about, as `KIND NAMESPACE/NAME`.
    pub object: Option<String>,
    /// Where.
    pub place: Option<Place>,
    /// A second place that explains the first, with what it is.
    pub related: Option<(Place, String)>,
    /// What to do.
    pub help: Option<String>,
    /// The configuration lowered it: from which severity, and why.
    pub lowered: Option<(Severity, String)>,
}

impl Finding {
    /// A finding of a code, with the code's severity.
    #[must_use]
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Finding {
            code,
            severity: code.severity,
            message: message.into(),
            object: None,
            place: None,
            related: None,
            help: None,
            lowered: None,
        }
    }

    /// Where it stands among others: errors first, then by place, code and message.
    #[must_use]
    pub fn order(&self) -> (Reverse<Severity>, (usize, u32), &'static str, String) {
        let place = self
            .place
            .map_or((usize::MAX, 0), |place| (place.source, place.span.start));
        (Reverse(self.severity), place, self.code.id, self.message.clone())
    }

    /// The object that it is about.
    #[must_use]
    pub fn on(mut self, object: impl ToString) -> Self {
        self.object = Some(object.to_string());
        self
    }

    /// Where it is.
    #[must_use]
    pub fn at(mut self, source: usize, span: Span) -> Self {
        self.place = Some(Place { source, span });
        self
    }

    /// Counts its places from another text on.
    #[must_use]
    pub fn in_text(mut self, first: usize) -> Self {
        let places = self
            .place
            .iter_mut()
            .chain(self.related.iter_mut().map(|(place, _)| place));
        places.for_each(|place| place.source += first);
        self
    }

    /// Another place that explains it.
    #[must_use]
    pub fn with(mut self, source: usize, span: Span, what: impl Into<String>) -> Self {
        self.related = Some((Place { source, span }, what.into()));
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Whether one of the findings is an error.
#[must_use]
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}
