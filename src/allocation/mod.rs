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

use crate::check::{Finding, Place, Severity, codes};
use crate::ipam::{FieldPath, FieldStep, Seeded};
use crate::objects::{Manifest, Span};
use crate::state::{Live, PoolId, PoolView, Settled, settle, views};
use crate::yaml::Segment;

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
    /// What there is to say, each with the pool that it is about.
    pub said: Vec<(Option<PoolId>, Finding)>,
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
    let mut allocation = settle_all(manifest, 0, live, request.seed);
    allocation
        .said
        .extend(findings.into_iter().map(|finding| (None, finding)));
    Ok(allocation)
}

/// Lets the controllers of all pools work on live objects that were read from a manifest, whose first text has the index
/// `first_text` among the texts of the run.
#[must_use]
pub fn settle_all(manifest: &Manifest<'_>, first_text: usize, live: Live, seed: u64) -> Allocation {
    let (views, unreadable) = views(&live);
    let settled = |view: PoolView| {
        // Each pool draws for itself, so that no pool changes what another gives.
        let settled = settle(&view, &mut Seeded::new(seed));
        (view, settled)
    };
    let pools: Vec<(PoolView, Settled)> = views.into_iter().map(settled).collect();
    let mut said = Said {
        manifest,
        first_text,
        live: &live,
        about: None,
        findings: Vec::new(),
    };
    said.about_unreadable(&unreadable);
    for (view, settled) in &pools {
        said.about = Some(view.id.clone());
        said.about_pool(view, settled, seed);
        said.about_addresses(view, settled);
        said.about_claims(view, settled);
    }
    said.about = None;
    said.about_homeless_claims();
    said.about_shared_addresses(&pools);
    let said = said.findings;
    Allocation { live, pools, said }
}

impl Allocation {
    /// Whether an address object could not be read: then its address would count as free.
    #[must_use]
    pub fn has_unread_address(&self) -> bool {
        let unread = self
            .said
            .iter()
            .filter(|(_, finding)| finding.code == &codes::LIVE_UNREADABLE);
        let mut objects = unread.filter_map(|(_, finding)| finding.object.as_deref());
        objects.any(|object| object.starts_with("IPAddress "))
    }

    /// All that there is to say, errors first.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.said.iter().map(|(_, finding)| finding.clone()).collect();
        findings.sort_by_key(|finding| {
            let place = finding
                .place
                .map_or((usize::MAX, 0), |place| (place.source, place.span.start));
            (std::cmp::Reverse(finding.severity), place, finding.code.id)
        });
        findings.dedup();
        findings
    }
}

/// Findings in the making.
struct Said<'s, 'a> {
    manifest: &'s Manifest<'a>,
    first_text: usize,
    live: &'s Live,
    /// The pool at hand.
    about: Option<PoolId>,
    findings: Vec<(Option<PoolId>, Finding)>,
}

impl Said<'_, '_> {
    /// Adds a finding about an object of the manifest, at its name.
    fn say(&mut self, object: Option<usize>, finding: Finding) {
        let finding = match object {
            Some(index) => Finding {
                place: self.place(index),
                ..finding.on(&self.manifest.objects[index])
            },
            None => finding,
        };
        self.findings.push((self.about.clone(), finding));
    }

    /// The same with another severity than the code's own.
    fn say_as(&mut self, severity: Severity, object: Option<usize>, finding: Finding) {
        self.say(object, Finding { severity, ..finding });
    }

    /// The finding that was said last.
    fn last(&mut self) -> Option<&mut Finding> {
        self.findings.last_mut().map(|(_, finding)| finding)
    }

    /// Where an object's name stands.
    fn place(&self, object: usize) -> Option<Place> {
        let object = &self.manifest.objects[object];
        Some(Place {
            source: self.first_text + self.manifest.source_of(object),
            span: object.name_span(),
        })
    }

    /// Where a field of an object stands, or the deepest part of its path that exists.
    fn field_place(&self, index: usize, path: &FieldPath) -> Option<Place> {
        let object = &self.manifest.objects[index];
        let steps: Vec<Segment> = path
            .steps()
            .iter()
            .map(|step| match step {
                FieldStep::Key(key) => Segment::Key(key.clone()),
                FieldStep::Index(index) => Segment::Index(*index),
            })
            .collect();
        let base = self.manifest.documents[object.document as usize].chunk.start;
        let span = self.manifest.with_tree(object.document, |tree| {
            let span = tree.span_at(object.node, &steps, None);
            Span::new(base + span.start..base + span.end).first_line(tree.text(), base)
        });
        Some(Place {
            source: self.first_text + self.manifest.source_of(object),
            span,
        })
    }
}

/// The first few of a list of names, and how many more there are.
pub(crate) fn few(names: &[String]) -> String {
    const SHOWN: usize = 3;
    match names.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}
