//! Takes an `ipam.metal3.io` IPAddress before and after, gives the fields that metal3's `ipaddress_webhook.go` refuses;
//! knows no pool or claim.

use super::{FIXED, check_address, check_fixed, check_present, check_request};
use crate::api::metal3::IPAddress;
use crate::ipam::field::{FieldError, FieldPath};

/// What is wrong with a new address; empty is allowed.
#[must_use]
pub fn create_address(new: &IPAddress) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = FieldPath::of(&["spec"]);
    check_present(spec.key("pool").key("name"), &new.spec.pool.name, &mut errors);
    check_present(spec.key("claim").key("name"), &new.spec.claim.name, &mut errors);
    check_present(spec.key("address"), &new.spec.address, &mut errors);
    check_address(spec.key("address"), &new.spec.address, &mut errors);
    check_request(&new.metadata.annotations, &mut errors);
    errors
}

/// What is wrong with the change of an address; empty is allowed. Prefix, gateway and DNS servers may change.
#[must_use]
pub fn update_address(old: &IPAddress, new: &IPAddress) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = FieldPath::of(&["spec"]);
    if old.spec.address != new.spec.address {
        errors.push(FieldError::new(spec.key("address"), &new.spec.address, FIXED));
    }
    check_fixed(spec.key("pool"), &old.spec.pool, &new.spec.pool, &mut errors);
    check_fixed(spec.key("claim"), &old.spec.claim, &new.spec.claim, &mut errors);
    errors
}
