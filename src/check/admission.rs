//! Takes pools and finds what their APIs refuse, and entries that yield other addresses than they seem to say; the rules are those of `ipam::admission`.

use super::codes;
use super::finding::Finding;
use super::model::{JudgedPool, Model, Origin, PoolSpec};
use crate::api::metal3;
use crate::ipam::{FieldError, FieldPath, InClusterAddresses, admission};

/// Findings about pools that are refused or not understood.
pub(super) fn admission(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for pool in model.pools.iter().filter(|pool| model.concerns_pool(pool)) {
        if let Some((text, span)) = &pool.placeholder {
            unknown(model, pool, text, *span, findings);
            continue;
        }
        match &pool.spec {
            PoolSpec::Unreadable(problem, span) => {
                let (problem, help) = unreadable(problem);
                let message = format!("{} is refused: {problem}", pool.title);
                let finding = model.pool_finding(pool, None, &codes::POOL_REFUSED, message, help);
                findings.push(Finding {
                    place: finding.place.map(|place| super::Place { span: *span, ..place }),
                    ..finding
                });
            }
            PoolSpec::Metal3(spec) => {
                refused(model, pool, &metal3_errors(model, pool, spec), findings);
                if matches!(pool.origin, Origin::Present(_)) {
                    spec.pools
                        .iter()
                        .enumerate()
                        .for_each(|(index, entry)| surprise(model, pool, index, entry, findings));
                }
            }
            PoolSpec::InCluster(in_cluster) => {
                if let (Err(errors), false) = (InClusterAddresses::read(&in_cluster.spec), model.is_live(pool)) {
                    refused(model, pool, &errors, findings);
                }
            }
        }
    }
}

fn unknown(
    model: &Model<'_, '_>,
    pool: &JudgedPool,
    text: &str,
    span: crate::objects::Span,
    findings: &mut Vec<Finding>,
) {
    // Wanted pools with placeholders are told where their names are judged.
    if let Origin::Present(_) = pool.origin {
        let message = format!("{} holds {text}; what it gives out is not known", pool.title);
        let help = "check the manifest once more after the substitution";
        let finding = model.pool_finding(pool, None, &codes::UNKNOWN_UNTIL_SUBSTITUTED, message, help);
        findings.push(Finding {
            place: finding.place.map(|place| super::Place { span, ..place }),
            ..finding
        });
    }
}

/// What metal3 refuses of a new pool. What it refuses of a change is told with the live objects.
fn metal3_errors(model: &Model<'_, '_>, pool: &JudgedPool, spec: &metal3::IPPoolSpec) -> Vec<FieldError> {
    let mut errors = if model.is_live(pool) {
        Vec::new()
    } else {
        admission::create_pool(spec)
    };
    if spec.name_prefix.is_empty() && matches!(pool.origin, Origin::Present(_)) {
        errors.push(FieldError {
            path: FieldPath::of(&["spec", "namePrefix"]),
            value: String::new(),
            detail: "is required".to_owned(),
        });
    }
    errors
}

fn refused(model: &Model<'_, '_>, pool: &JudgedPool, errors: &[FieldError], findings: &mut Vec<Finding>) {
    for error in errors {
        let path = preallocation(pool, error);
        let message = format!("{} is refused: {}", pool.title, sentence(error));
        let finding = model.pool_finding(pool, None, &codes::POOL_REFUSED, message, "correct the field");
        findings.push(match pool.origin {
            Origin::Present(_) => Finding {
                place: model.field_place(pool, &path),
                ..finding
            },
            _ => finding,
        });
    }
}

/// The path of a preallocation, which metal3 names by its address.
fn preallocation(pool: &JudgedPool, error: &FieldError) -> FieldPath {
    let all = FieldPath::of(&["spec", "preAllocations"]);
    let claims = pool.metal3().map(|spec| spec.pre_allocations.iter());
    let claim = claims.and_then(|mut claims| claims.find(|(_, address)| **address == error.value));
    match claim {
        Some((claim, _)) if error.path == all => all.key(claim),
        _ => error.path.clone(),
    }
}

/// Path, value and what is wrong; the value once, and metal3's spelling of bounds mended.
fn sentence(error: &FieldError) -> String {
    let detail = error.detail.replace("out of bonds of", "out of bounds of");
    let told = error.value.is_empty() || detail.contains(&format!("{:?}", error.value));
    if told && detail.starts_with("is ") {
        format!("{} {detail}", error.path)
    } else if told {
        format!("{}: {detail}", error.path)
    } else {
        format!("{} {:?} {detail}", error.path, error.value)
    }
}

/// A value of another type than its field, in words.
fn unreadable(problem: &str) -> (String, &'static str) {
    match problem.split_once(", expected ") {
        Some((found, "i64" | "u8" | "i32")) => {
            let found = found.trim_start_matches("invalid type: ").trim_start_matches("string ");
            let help = if found.contains('/') {
                "write the length of the prefix alone, for example 24"
            } else {
                "write a number without quotes"
            };
            (format!("{found} stands where a number belongs"), help)
        }
        _ => (problem.to_owned(), "correct the value"),
    }
}

/// What metal3's counting makes of an entry (`utils.go`).
fn surprise(model: &Model<'_, '_>, pool: &JudgedPool, index: usize, entry: &metal3::Pool, findings: &mut Vec<Finding>) {
    let yields = pool.held.iter().any(|held| held.entry == index);
    let number = index + 1;
    let message = match (&entry.start, &entry.end, &entry.subnet) {
        (None, Some(end), Some(subnet)) => {
            format!(
                "entry {number} of {} has no start, so metal3 ignores its end {end} and gives out all of {subnet}",
                pool.title
            )
        }
        (None, Some(end), None) => {
            format!(
                "entry {number} of {} has an end {end} and no start: metal3 gives nothing out of it",
                pool.title
            )
        }
        (Some(start), None, None) => {
            format!(
                "entry {number} of {} has no end: metal3 gives out every address from {start} on",
                pool.title
            )
        }
        (Some(_), _, Some(_)) | (None, None, Some(_)) if !yields && is_sound(entry) => {
            format!("entry {number} of {} yields no address", pool.title)
        }
        _ => return,
    };
    let help = "write the start and the end of the entry";
    findings.push(model.pool_finding(pool, Some(index), &codes::ENTRY_NOT_AS_WRITTEN, message, help));
}

/// Whether admission accepts the entry, so that its refusal is not told twice.
fn is_sound(entry: &metal3::Pool) -> bool {
    crate::ipam::Entry::check(entry).is_ok()
}
