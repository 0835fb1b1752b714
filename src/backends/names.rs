//! Takes names of a manifest and gives the names that balancers' tools accept, always the same one for the same text; refuses what is no name, and says when two become one.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::finding::{About, PlanFinding};
use super::member_list::{MemberList, VirtualService};
use crate::check::codes;
use crate::objects::is_placeholder;

/// Longest name of an F5 object that every F5 tool takes.
pub(super) const OBJECT: usize = 63;
/// Longest name in AS3 that every version since 3.10 takes.
pub(super) const IDENTIFIER: usize = 47;
/// Longest description that every F5 tool takes (AS3's `remark`).
const DESCRIPTION: usize = 64;

/// Why a text of the manifest is no name of a Kubernetes object: lower-case letters, digits and `-` in labels that dots join
/// (RFC 1123).
pub(super) fn problem(text: &str) -> Option<&'static str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label =
        |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(plain);
    if is_placeholder(text) {
        Some("still holds a placeholder")
    } else if text.is_empty() || text.len() > 253 {
        Some("is empty or longer than 253 characters")
    } else if text.bytes().any(|byte| !plain(byte) && byte != b'.') {
        Some("holds characters that no Kubernetes name has")
    } else if !text.split('.').all(label) {
        Some("is no Kubernetes name: letters or digits begin and end each part between dots")
    } else {
        None
    }
}

/// The text, or its beginning with a checksum of the whole where it is too long.
pub(super) fn fitted(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let digest = Sha256::digest(text.as_bytes());
    let checksum: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let kept = longest.saturating_sub(checksum.len() + 1);
    format!("{}-{checksum}", text[..kept].trim_end_matches(['-', '_', '.']))
}

/// `<cluster>_<service>_<port>`, at most `longest` characters, a letter first.
pub(super) fn service(service: &VirtualService, longest: usize) -> String {
    let rest = format!("_{}_{}", service.name, service.port);
    let cluster = lettered(&service.cluster);
    format!("{}{rest}", fitted(&cluster, longest.saturating_sub(rest.len())))
}

/// `<cluster>_<service>_<port>_<kind>`, the name of an F5 object.
pub(super) fn object(of: &VirtualService, kind: &str) -> String {
    // Room for the longest kind, so that all objects of a service have one stem.
    format!("{}_{kind}", service(of, OBJECT - "_pool".len()))
}

/// The text as an identifier: letters, digits and `_`, a letter first, at most 47.
pub(super) fn identifier(text: &str) -> String {
    fitted(&lettered(text), IDENTIFIER).replace(['-', '.'], "_")
}

/// Some tools want a letter first; Kubernetes allows a digit.
fn lettered(text: &str) -> String {
    if text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        text.to_owned()
    } else {
        format!("c-{text}")
    }
}

/// A description of at most 64 characters.
pub(super) fn description(text: &str) -> String {
    match text.split_once(' ') {
        Some((cluster, rest)) if text.len() > DESCRIPTION => {
            let room = DESCRIPTION.saturating_sub(rest.len() + 1).max(16);
            fitted(&format!("{} {rest}", fitted(cluster, room)), DESCRIPTION)
        }
        _ => fitted(text, DESCRIPTION),
    }
}

/// Refuses two services that get one name.
pub(super) fn unique(
    list: &MemberList,
    what: &str,
    name: impl Fn(&VirtualService) -> String,
) -> Result<(), Vec<PlanFinding>> {
    let mut seen: HashMap<String, &VirtualService> = HashMap::new();
    let mut findings = Vec::new();
    for service in &list.services {
        let name = name(service);
        let Some(other) = seen.insert(name.clone(), service) else {
            continue;
        };
        let of = |service: &VirtualService| {
            let namespace = service.namespace.as_ref().map(|namespace| format!("{namespace}/"));
            format!("{}{} {}", namespace.unwrap_or_default(), service.cluster, service.name)
        };
        let message = format!("{} and {} both get the {what} {name}", of(other), of(service));
        let help = "give one of them another name or partition, or choose clusters with --cluster";
        findings.push(PlanFinding::new(
            &codes::BACKENDS_NAMES_COLLIDE,
            About::Cluster(service.index),
            message,
            help,
        ));
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_names() {
        for text in ["demo", "1demo", "demo-2.x", "a", "a--b"] {
            assert_eq!(problem(text), None, "{text}");
        }
        for text in [
            "", "-a", "a-", ".a", "a.", "a..b", "a.-b", "A", "a_b", "Common", "a b", "a\nb", "a\"", "a{", "a}",
            "$(id)", "${NAME}", "a;b", "a`b", "a?", "a\\", "a/b", "ä", "a#b", "a%b",
        ] {
            assert!(problem(text).is_some(), "{text}");
        }
    }

    #[test]
    fn long_names_are_shortened_and_stay_apart() {
        let long = "x".repeat(200);
        let other = format!("{}y", "x".repeat(199));
        assert_eq!(fitted(&long, 47).len(), 47);
        assert_ne!(fitted(&long, 47), fitted(&other, 47));
        assert_eq!(fitted("short", 47), "short");
        assert_eq!(identifier("1dkp.demo-a"), "c_1dkp_demo_a");
        let text = description(&format!("{long} control-plane-surge-1"));
        assert!(text.len() <= 64 && text.ends_with(" control-plane-surge-1"), "{text}");
    }
}
