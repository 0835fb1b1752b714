//! Problems as data: a code, a severity, a sentence, a place and what to do; nothing here prints or decides what to edit.
//!
//! `examine` builds the model, in which wanted, written and live pools have one form, and gives it to the families: one
//! file each, pure, and none knows another.

mod acceptance;
mod addresses;
mod admission;
mod binding;
mod capacity;
mod classes;
pub mod codes;
mod coverage;
mod endpoints;
mod finding;
mod input;
mod kube_vip;
mod live;
mod model;
mod names;
mod networks;
mod nics;
mod pools;
mod rollouts;
mod severity;
mod sharing;
mod sizes;
mod templates;
mod versions;

pub use acceptance::{Accepted, accept};
pub use codes::Code;
pub use finding::{Finding, Place, has_errors};
pub use input::{hint, input_finding};
pub use model::Purpose;
pub(crate) use model::Subject;
pub use severity::Severity;

/// Everything that the families find.
pub(crate) fn examine(subject: &Subject<'_, '_>, findings: &mut Vec<Finding>) {
    let model = model::Model::new(subject);
    let families = [
        names::names,
        templates::templates,
        binding::binding,
        nics::nics,
        versions::versions,
        classes::classes,
        live::live,
        admission::admission,
        addresses::addresses,
        networks::networks,
        pools::pools,
        sharing::sharing,
        sizes::sizes,
        capacity::capacity,
        rollouts::rollouts,
        endpoints::endpoints,
        kube_vip::kube_vip,
        coverage::coverage,
    ];
    for family in families {
        family(&model, findings);
    }
}
