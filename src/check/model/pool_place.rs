//! Takes a pool and what is wrong in it, gives where that stands: a path of the configuration, or a span of the manifest.

use crate::addressing::ConfigError;
use crate::check::codes::Code;
use crate::ipam::{FieldPath, FieldStep};
use crate::objects::{Manifest, Object, Span};
use crate::yaml::Segment;

/// What is wrong with a wanted pool, at its addresses.
pub(super) fn config_error(
    pool: usize,
    entry: Option<usize>,
    code: &'static Code,
    problem: String,
    help: String,
) -> ConfigError {
    let key = |key: &str| Segment::Key(key.to_owned());
    let mut path = vec![key("spec"), key("pools"), Segment::Index(pool), key("addresses")];
    path.extend(entry.map(Segment::Index));
    ConfigError {
        path,
        problem,
        help,
        code,
    }
}

/// Where a field of an object stands; the deepest part of it that is there, on its first line.
pub(super) fn field_span(manifest: &Manifest<'_>, object: &Object<'_>, path: &FieldPath) -> Span {
    let steps = path.steps().iter().map(|step| match step {
        FieldStep::Key(key) => Segment::Key(key.clone()),
        FieldStep::Index(index) => Segment::Index(*index),
    });
    let segments: Vec<Segment> = steps.collect();
    let span = manifest.with_object(object, |at| {
        let span = at.tree.span_at(at.node, &segments, None);
        Span::new(at.base + span.start..at.base + span.end)
    });
    let missing = manifest.with_object(object, |at| {
        let (last, holder) = segments.split_last()?;
        let outer = at.tree.span_at(at.node, holder, None);
        let inner = at.tree.span_at(at.node, &segments, None);
        (matches!(last, Segment::Key(_)) && outer == inner).then_some(())
    });
    if missing.is_some() {
        object.name_span()
    } else {
        span.first_line(manifest.sources[manifest.source_of(object)].text, 0)
    }
}
