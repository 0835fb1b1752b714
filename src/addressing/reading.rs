//! Takes the text of a configuration, or the values of flags, and gives the documents with the way back from a key to its place; strict about every key.

use serde_json::Value;

use super::configuration::StaticAddressing;
use super::places::Places;
use super::validation::{ConfigError, validate};
use crate::check::codes;
use crate::check::{Finding, Place, hint};
use crate::objects::Span;
use crate::yaml::{Chunk, Limits, Segment, Tree, chunks, is_bare};

/// Largest configuration document, in bytes.
const LARGEST: usize = 64 << 10;
/// What stands before the keys of `backends` among the keys that flags gave.
pub(super) const BACKENDS: &str = "backends.";

/// A configuration and where it came from.
pub struct ConfigDocument<'a> {
    /// What is wanted.
    pub config: StaticAddressing,
    origin: Option<Origin<'a>>,
    /// The keys of `spec` that flags gave.
    flags: Vec<String>,
}

/// A document of a configuration file.
pub(super) struct Origin<'a> {
    pub(super) source: usize,
    pub(super) base: usize,
    pub(super) tree: Tree<'a>,
    pub(super) form: Form,
    /// Keys at its root that are not ours.
    pub(super) ignored: &'static [&'static str],
}

/// How a document says what is wanted.
pub(super) enum Form {
    /// As a StaticAddressing.
    Object,
    /// As the data of a ConfigMap, which stands for this `spec`.
    Flat(Value),
}

/// Reads the configuration files of a run and lays the flags over them.
///
/// `files` are the texts with their index among the run's texts; `flags` is a `spec` with the keys that flags gave.
///
/// # Errors
/// Everything that is wrong with them.
pub fn read_configurations<'a>(
    files: &[(usize, &'a str)],
    flags: &Value,
) -> Result<Vec<ConfigDocument<'a>>, Vec<Finding>> {
    let mut documents = Vec::new();
    let mut findings = Vec::new();
    for (source, text) in files {
        let before = documents.len() + findings.len();
        for chunk in chunks(text).filter(|chunk| !is_bare(chunk.text)) {
            match parse(*source, &chunk) {
                Ok(origin) => documents.extend(origin),
                Err(finding) => findings.push(*finding),
            }
        }
        if documents.len() + findings.len() == before {
            findings.push(
                Finding::new(&codes::CONFIGURATION, "the configuration file holds no document")
                    .at(*source, Span::new(0..0))
                    .help(format!(
                        "write a {} document into it, or leave --config out",
                        super::KIND
                    )),
            );
        }
    }
    let given = given_by(flags);
    if !findings.is_empty() {
        return Err(findings);
    }
    if documents.is_empty() && given.is_empty() {
        return Ok(Vec::new());
    }
    // What is said about the load balancer holds for every document; all else is about one cluster.
    if documents.len() > 1 && given.iter().any(|key| !key.starts_with(BACKENDS)) {
        let message = "flags cannot be combined with several configurations";
        return Err(vec![
            Finding::new(&codes::CONFIGURATION, message).help("write them into the configurations"),
        ]);
    }
    let read: Vec<Result<ConfigDocument<'a>, Vec<Finding>>> = if documents.is_empty() {
        vec![document(None, flags, &given)]
    } else {
        documents
            .into_iter()
            .map(|origin| document(Some(origin), flags, &given))
            .collect()
    };
    let mut configs = Vec::new();
    for result in read {
        match result {
            Ok(config) => configs.push(config),
            Err(errors) => findings.extend(errors),
        }
    }
    if findings.is_empty() {
        Ok(configs)
    } else {
        Err(findings)
    }
}

/// The keys of `spec` that flags gave; those of `backends` singly, because they lie over a document's own ones.
fn given_by(flags: &Value) -> Vec<String> {
    let keys = |value: &Value| -> Vec<String> {
        let keys = value.as_object().map(|map| map.keys().cloned().collect());
        keys.unwrap_or_default()
    };
    let mut given = keys(flags);
    given.retain(|key| key != "backends");
    let backends = flags.get("backends").map(keys).unwrap_or_default();
    given.extend(backends.iter().map(|key| format!("{BACKENDS}{key}")));
    given
}

pub(super) fn parse<'a>(source: usize, chunk: &Chunk<'a>) -> Result<Option<Origin<'a>>, Box<Finding>> {
    if chunk.text.len() > LARGEST {
        let message = format!(
            "a configuration of {} bytes; at most {LARGEST} are read",
            chunk.text.len()
        );
        let finding = Finding::new(&codes::TOO_LARGE, message)
            .at(source, Span::new(chunk.start..chunk.start))
            .help("split it, one document for each cluster");
        return Err(Box::new(finding));
    }
    let tree = Tree::parse(chunk, &Limits::default()).map_err(|error| {
        let at = (chunk.start + error.at).min(chunk.range().end);
        let finding = Finding::new(&codes::NOT_YAML, format!("not YAML: {}", error.problem))
            .at(source, Span::new(at..at))
            .help(hint(chunk.text, error.at));
        Box::new(finding)
    })?;
    Ok(tree.root().is_some().then_some(Origin {
        source,
        base: chunk.start,
        tree,
        form: Form::Object,
        ignored: &[],
    }))
}

pub(super) fn document<'a>(
    origin: Option<Origin<'a>>,
    flags: &Value,
    given: &[String],
) -> Result<ConfigDocument<'a>, Vec<Finding>> {
    let value = match &origin {
        None => standard(flags),
        Some(origin) => merged(origin, flags)?,
    };
    let place = Places {
        origin: origin.as_ref(),
        flags: given,
    };
    if let Some(finding) = another_kind(&value, &place) {
        return Err(vec![finding]);
    }
    let config: StaticAddressing = match serde_path_to_error::deserialize(value) {
        Ok(config) => config,
        Err(error) => return Err(vec![place.structure(&error)]),
    };
    match validate(&config) {
        Ok(()) => Ok(ConfigDocument {
            config,
            origin,
            flags: given.to_vec(),
        }),
        Err(errors) => Err(errors.iter().map(|error| place.finding(error)).collect()),
    }
}

/// A document of another kind, such as a manifest: then every key would be unknown.
fn another_kind(value: &Value, place: &Places<'_, '_>) -> Option<Finding> {
    let text = |key| value.get(key).and_then(Value::as_str);
    let (version, kind) = (text("apiVersion")?, text("kind")?);
    if version.starts_with("capv-ipam.dev/") || kind == super::KIND {
        return None;
    }
    let path = [Segment::Key("kind".to_owned())];
    let message = format!("this is a {kind} of {version}, not a {}", super::KIND);
    let help = format!(
        "--config names a file with `kind: {}`; a manifest is named with -f",
        super::KIND
    );
    Some(Finding {
        place: place.place(&path, None),
        ..Finding::new(&codes::CONFIGURATION, message).help(help)
    })
}

/// The object that a `spec` makes.
fn standard(spec: &Value) -> Value {
    serde_json::json!({"apiVersion": super::API_VERSION, "kind": super::KIND, "spec": spec})
}

/// The file's value with the flags laid over its `spec`.
fn merged(origin: &Origin<'_>, flags: &Value) -> Result<Value, Vec<Finding>> {
    if let Form::Flat(spec) = &origin.form {
        return Ok(standard(spec));
    }
    let at = |span: std::ops::Range<usize>| Span::new(origin.base + span.start..origin.base + span.end);
    let Some(root) = origin.tree.root() else {
        return Ok(Value::Null);
    };
    let mut value = origin.tree.value(root, &Limits::default()).map_err(|error| {
        vec![
            Finding::new(&codes::CONFIGURATION, error.problem)
                .at(origin.source, at(error.span))
                .help("write each key once, as plain YAML"),
        ]
    })?;
    if let Some(map) = value.as_object_mut() {
        map.retain(|key, _| !origin.ignored.contains(&key.as_str()));
    }
    let Some(over) = flags.as_object().filter(|over| !over.is_empty()) else {
        return Ok(value);
    };
    let Some(spec) = value.get_mut("spec").and_then(Value::as_object_mut) else {
        return Ok(value);
    };
    let has_pools = spec
        .get("pools")
        .and_then(Value::as_array)
        .is_some_and(|pools| !pools.is_empty());
    if has_pools && over.contains_key("pools") {
        let span = origin
            .tree
            .get(root, "spec")
            .map_or(0..0, |spec| origin.tree.span_at(spec, &[], Some("pools")));
        let message = "flags describe one pool and cannot be combined with the `pools` of a configuration";
        return Err(vec![
            Finding::new(&codes::CONFIGURATION, message)
                .at(origin.source, at(span))
                .help("write the pool into the configuration"),
        ]);
    }
    for (key, value) in over {
        match (spec.get_mut(key).and_then(Value::as_object_mut), value.as_object()) {
            (Some(own), Some(over)) if key == "backends" => own.extend(over.clone()),
            _ => drop(spec.insert(key.clone(), value.clone())),
        }
    }
    Ok(value)
}

impl ConfigDocument<'_> {
    fn places(&self) -> Places<'_, '_> {
        Places {
            origin: self.origin.as_ref(),
            flags: &self.flags,
        }
    }

    /// The finding of an error, at its key or flag.
    #[must_use]
    pub fn finding(&self, error: &ConfigError) -> Finding {
        self.places().finding(error)
    }

    /// Where a key of one of its pools stands.
    #[must_use]
    pub fn place_of_pool(&self, index: usize, key: &str) -> Option<Place> {
        let keys = |key: &str| Segment::Key(key.to_owned());
        self.places()
            .place(&[keys("spec"), keys("pools"), Segment::Index(index), keys(key)], None)
    }

    /// Where a key of `spec` stands; `None` where it is not written in a file.
    #[must_use]
    pub fn place_of_key(&self, key: &str) -> Option<Place> {
        let origin = self.origin.as_ref()?;
        let spec = origin.tree.get(origin.tree.root()?, "spec")?;
        origin.tree.get(spec, key)?;
        let span = origin.tree.span_at(spec, &[], Some(key));
        Some(Place {
            source: origin.source,
            span: Span::new(origin.base + span.start..origin.base + span.end),
        })
    }

    /// Where one of the addresses of a pool stands.
    #[must_use]
    pub fn place_of_address(&self, pool: usize, index: usize) -> Option<Place> {
        let keys = |key: &str| Segment::Key(key.to_owned());
        let path = [
            keys("spec"),
            keys("pools"),
            Segment::Index(pool),
            keys("addresses"),
            Segment::Index(index),
        ];
        self.places().place(&path, None)
    }

    /// Where one of its acceptances stands.
    #[must_use]
    pub fn place_of_acceptance(&self, index: usize) -> Option<Place> {
        let keys = |key: &str| Segment::Key(key.to_owned());
        self.places()
            .place(&[keys("spec"), keys("accept"), Segment::Index(index)], None)
    }
}
