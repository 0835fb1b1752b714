//! Takes a key of a configuration, gives where it stands or the flag that gave it, and findings there; never judges a value.

use super::flat::{keys, name_of};
use super::reading::{BACKENDS, Form, Origin};
use super::validation::ConfigError;
use super::wording::explain;
use crate::check::codes;
use crate::check::{Finding, Place};
use crate::objects::Span;
use crate::yaml::Segment;

/// The way back from a key to its place.
pub(super) struct Places<'p, 'a> {
    pub(super) origin: Option<&'p Origin<'a>>,
    pub(super) flags: &'p [String],
}

impl Places<'_, '_> {
    /// Where the value of a path stands; `None` when a flag gave it.
    pub(super) fn place(&self, path: &[Segment], key: Option<&str>) -> Option<Place> {
        let origin = self.origin.filter(|_| self.flag(path).is_none())?;
        let setting = match origin.form {
            Form::Object => None,
            Form::Flat(_) => name_of(path),
        };
        let setting = setting.map(|name| [Segment::Key("data".to_owned()), Segment::Key(name.to_owned())]);
        let path = setting.as_ref().map_or(path, |setting| setting.as_slice());
        let span = origin.tree.span_at(origin.tree.root()?, path, key);
        let span = Span::new(origin.base + span.start..origin.base + span.end);
        Some(Place {
            source: origin.source,
            span: span.first_line(origin.tree.text(), origin.base),
        })
    }

    /// The flag that gave the value of a path.
    pub(super) fn flag(&self, path: &[Segment]) -> Option<String> {
        let keys = keys(path);
        let [_, spec_key, rest @ ..] = &keys[..] else {
            return None;
        };
        let backends = rest.first().filter(|_| *spec_key == "backends");
        let wanted = backends.map_or_else(|| (*spec_key).to_owned(), |key| format!("{BACKENDS}{key}"));
        if !self.flags.contains(&wanted) {
            return None;
        }
        let key = match *rest.first().unwrap_or(spec_key) {
            "pools" => "addresses",
            "services" => "service",
            key => key,
        };
        Some(format!("--{}", kebab(key)))
    }

    pub(super) fn finding(&self, error: &ConfigError) -> Finding {
        let message = match self.flag(&error.path) {
            Some(flag) => format!("{flag}: {}", error.problem),
            None => error.problem.clone(),
        };
        Finding {
            place: self.place(&error.path, None),
            ..Finding::new(error.code, message).help(error.help.clone())
        }
    }

    /// A key or a type that the structure does not have.
    pub(super) fn structure(&self, error: &serde_path_to_error::Error<serde_json::Error>) -> Finding {
        let path: Vec<Segment> = error.path().iter().filter_map(segment).collect();
        let text = error.inner().to_string();
        let (message, help, key) = explain(&text, &path);
        let message = match self.flag(&path) {
            Some(flag) => format!("{flag}: {message}"),
            None => message,
        };
        Finding {
            place: self.place(&path, key.as_deref()),
            ..Finding::new(&codes::CONFIGURATION, message).help(help)
        }
    }
}

fn segment(segment: &serde_path_to_error::Segment) -> Option<Segment> {
    match segment {
        serde_path_to_error::Segment::Map { key } => Some(Segment::Key(key.clone())),
        serde_path_to_error::Segment::Seq { index } => Some(Segment::Index(*index)),
        _ => None,
    }
}

/// `dnsServers` as the flag `dns-servers`.
fn kebab(key: &str) -> String {
    key.chars()
        .flat_map(|char| {
            if char.is_ascii_uppercase() {
                vec!['-', char.to_ascii_lowercase()]
            } else {
                vec![char]
            }
        })
        .collect()
}
