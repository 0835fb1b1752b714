//! From live objects, and claims that do not exist yet, to what the controllers would make of them: pure, and nothing is
//! applied.

mod addresses;
mod claims;
mod documents;
mod pools;
mod rows;
mod wishes;

pub use documents::documents;
pub use rows::{Row, State, rows};
pub use wishes::{WishError, Wishes};

use crate::check::{Finding, Severity};
use crate::ipam::Seeded;
use crate::objects::Manifest;
use crate::state::{Live, PoolView, Settled, settle, views};

/// What was asked for, beside the objects.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Claims that do not exist yet.
    pub wishes: Wishes,
    /// The namespace of objects that give none; none is the only one that the input names.
    pub namespace: Option<String>,
    /// What the draws of the random strategy follow from.
    pub seed: u64,
}

/// What becomes of the pools and claims of an input.
pub struct Allocation {
    /// The objects, the wished claims included.
    pub live: Live,
    /// Each pool with what becomes of it.
    pub pools: Vec<(PoolView, Settled)>,
    /// What there is to say, errors first.
    pub findings: Vec<Finding>,
}

/// Lets the controllers of all pools work on the objects of a manifest until nothing changes. The answer does not depend on
/// the order of the objects.
///
/// # Errors
/// A wish that no pool of the input can be asked for.
pub fn allocate(manifest: &Manifest<'_>, request: &Request) -> Result<Allocation, WishError> {
    let mut findings = Vec::new();
    let mut live = Live::read(manifest, 0, request.namespace.as_deref(), &mut findings);
    wishes::add(&request.wishes, request.namespace.as_deref(), &mut live, &mut findings)?;
    let (views, unreadable) = views(&live);
    let settled = |view: PoolView| {
        // Each pool draws for itself, so that no pool changes what another gives.
        let settled = settle(&view, &mut Seeded::new(request.seed));
        (view, settled)
    };
    let pools: Vec<(PoolView, Settled)> = views.into_iter().map(settled).collect();
    let mut said = Said {
        manifest,
        live: &live,
        findings,
    };
    said.about_unreadable(&unreadable);
    for (view, settled) in &pools {
        said.about_pool(view, settled, request.seed);
        said.about_addresses(view, settled);
        said.about_claims(view, settled);
    }
    said.about_homeless_claims();
    said.about_shared_addresses(&pools);
    let mut findings = said.findings;
    findings.sort_by_key(|finding| {
        let place = finding
            .place
            .map_or((usize::MAX, 0), |place| (place.source, place.span.start));
        (std::cmp::Reverse(finding.severity), place, finding.code.id)
    });
    findings.dedup();
    Ok(Allocation { live, pools, findings })
}

/// Findings in the making.
struct Said<'s, 'a> {
    manifest: &'s Manifest<'a>,
    live: &'s Live,
    findings: Vec<Finding>,
}

impl Said<'_, '_> {
    /// Adds a finding about an object of the manifest, at its name.
    fn say(&mut self, object: Option<usize>, finding: Finding) {
        let finding = match object.map(|object| &self.manifest.objects[object]) {
            Some(object) => finding
                .on(object)
                .at(self.manifest.source_of(object), object.name_span()),
            None => finding,
        };
        self.findings.push(finding);
    }

    /// The same with another severity than the code's own.
    fn say_as(&mut self, severity: Severity, object: Option<usize>, finding: Finding) {
        self.say(object, Finding { severity, ..finding });
    }
}

/// The first few of a list of names, and how many more there are.
fn few(names: &[String]) -> String {
    const SHOWN: usize = 3;
    match names.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}
