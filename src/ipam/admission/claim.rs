//! Takes an IPClaim before and after, gives the fields that metal3's `ipclaim_webhook.go` refuses; knows no pool.

use super::{check_fixed, check_present, check_request};
use crate::api::metal3::{IPClaim, REQUEST_ANNOTATION};
use crate::ipam::field::{FieldError, FieldPath};

/// What is wrong with a new claim; empty is allowed.
#[must_use]
pub fn create_claim(new: &IPClaim) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let name = FieldPath::of(&["spec", "pool", "name"]);
    check_present(name, &new.spec.pool.name, &mut errors);
    check_request(&new.metadata.annotations, &mut errors);
    errors
}

/// What is wrong with the change of a claim; empty is allowed. A request that stays as it was stored is not judged again, or the
/// claim could never lose its finalizer.
#[must_use]
pub fn update_claim(old: &IPClaim, new: &IPClaim) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let pool = FieldPath::of(&["spec", "pool"]);
    check_fixed(pool, &old.spec.pool, &new.spec.pool, &mut errors);
    let request = |claim: &IPClaim| claim.metadata.annotations.get(REQUEST_ANNOTATION).cloned();
    if request(old) != request(new) {
        check_request(&new.metadata.annotations, &mut errors);
    }
    errors
}
