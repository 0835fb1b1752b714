//! Takes objects before and after a change, gives every field that metal3's webhooks refuse, in their order and words;
//! never changes an object except for the one default.

mod address;
mod claim;
mod pool;

pub use address::{create_address, update_address};
pub use claim::{create_claim, update_claim};
pub use pool::{create_pool, default_pool, update_pool};

use std::collections::BTreeMap;

use super::address::parse_address;
use super::field::{FieldError, FieldPath};
use crate::api::{ObjectReference, metal3};

const NOT_AN_ADDRESS: &str = "is not a valid IP address";
const EMPTY: &str = "cannot be empty";
const FIXED: &str = "cannot be modified";

/// The annotation that asks for an address must be one, unless it is empty.
fn check_request(annotations: &BTreeMap<String, String>, errors: &mut Vec<FieldError>) {
    let path = FieldPath::of(&["metadata", "annotations", metal3::REQUEST_ANNOTATION]);
    if let Some(text) = annotations.get(metal3::REQUEST_ANNOTATION) {
        check_address(path, text, errors);
    }
}

/// A text that is neither empty nor an address is an error.
fn check_address(path: FieldPath, text: &str, errors: &mut Vec<FieldError>) {
    if !text.is_empty() && parse_address(text).is_err() {
        errors.push(FieldError::new(path, text, NOT_AN_ADDRESS));
    }
}

fn check_present(path: FieldPath, text: &str, errors: &mut Vec<FieldError>) {
    if text.is_empty() {
        errors.push(FieldError::new(path, text, EMPTY));
    }
}

/// A reference keeps its name, namespace and kind; the other members may change.
fn check_fixed(path: FieldPath, old: &ObjectReference, new: &ObjectReference, errors: &mut Vec<FieldError>) {
    // Go reads an absent member as empty text.
    let key = |reference: &ObjectReference| {
        (
            reference.name.clone(),
            reference.namespace.clone().unwrap_or_default(),
            reference.kind.clone().unwrap_or_default(),
        )
    };
    if key(old) != key(new) {
        errors.push(FieldError::new(path, new.name.clone(), FIXED));
    }
}
