//! The only table of finding codes: what each means, what follows from it and what to do, with an example. Codes never change their meaning.

use super::severity::Severity;

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `CI` and three digits: 0 input, 1 configuration and selection, 2 templates and groups, 3 addresses and pools, 4 kube-vip,
    /// 5 live objects, 6 load balancers, 7 KRM functions.
    pub id: &'static str,
    /// A short name in kebab case.
    pub name: &'static str,
    /// How bad it is unless a finding says otherwise or the configuration lowers it.
    pub severity: Severity,
    /// What is wrong, in general.
    pub cause: &'static str,
    /// What happens if nothing is done.
    pub consequence: &'static str,
    /// What to do.
    pub cure: &'static str,
    stops_edits: bool,
    example: &'static str,
}

impl Code {
    /// Whether a finding of this code says that something wanted cannot be done, so that accepting it would do half of it.
    #[must_use]
    pub fn stops_edits(&self) -> bool {
        self.stops_edits
    }

    /// Whether it says that an input or the configuration could not be read, so that nothing was checked.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.stops_edits && (self.id < NOTHING_TO_CHECK.id || self.id == CONFIGURATION.id)
    }

    /// A text that gives a finding of this code, and the same text after the cure.
    #[must_use]
    pub fn example(&self) -> (&'static str, &'static str) {
        let text = self.example.strip_prefix("# before\n").unwrap_or(self.example);
        text.split_once("# after\n").unwrap_or((text, ""))
    }
}

/// Whether the mark `stops_edits` stands at a code.
macro_rules! flag {
    () => {
        false
    };
    (stops_edits) => {
        true
    };
}

/// A family of codes: name, identifier, short name, severity, `[stops_edits]` where it cannot be accepted, cause, consequence,
/// cure. The example stands in `examples/<identifier>.yaml`.
macro_rules! codes {
    ($($constant:ident $id:literal $name:literal $severity:ident $([$stops:ident])? $cause:literal $consequence:literal $cure:literal)*) => {
        $(
            #[doc = $cause]
            pub static $constant: Code = Code {
                id: $id,
                name: $name,
                severity: Severity::$severity,
                cause: $cause,
                consequence: $consequence,
                cure: $cure,
                stops_edits: flag!($($stops)?),
                example: include_str!(concat!("examples/", $id, ".yaml")),
            };
        )*
        /// The codes of this family, in order.
        pub(super) const FAMILY: &[&Code] = &[$(&$constant),*];
    };
}

mod addresses;
mod backends;
mod configuration;
mod function;
mod input;
mod kube_vip;
mod live;
mod pools;
mod rollouts;
mod templates;

pub use addresses::*;
pub use backends::*;
pub use configuration::*;
pub use function::*;
pub use input::*;
pub use kube_vip::*;
pub use live::*;
pub use pools::*;
pub use rollouts::*;
pub use templates::*;

/// The families in the order of their identifiers.
const FAMILIES: [&[&Code]; 10] = [
    input::FAMILY,
    configuration::FAMILY,
    templates::FAMILY,
    addresses::FAMILY,
    rollouts::FAMILY,
    pools::FAMILY,
    kube_vip::FAMILY,
    live::FAMILY,
    backends::FAMILY,
    function::FAMILY,
];

const COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
};

static TABLE: [&Code; COUNT] = {
    let mut table = [FAMILIES[0][0]; COUNT];
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut code = 0;
        while code < FAMILIES[family].len() {
            table[count] = FAMILIES[family][code];
            count += 1;
            code += 1;
        }
        family += 1;
    }
    table
};

/// Every code, in order.
pub static ALL: &[&Code] = &TABLE;

/// The code with this identifier.
#[must_use]
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_sorted() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
        for code in ALL {
            let digits = code.id.strip_prefix("CI").unwrap();
            assert!(
                digits.len() == 3 && digits.bytes().all(|digit| digit.is_ascii_digit()),
                "{}",
                code.id
            );
            assert!(
                code.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{}",
                code.name
            );
        }
    }

    #[test]
    fn every_code_has_an_example_before_and_after() {
        for code in ALL {
            assert!(code.example.starts_with("# before\n"), "{}", code.id);
            let (before, after) = code.example();
            assert!(!before.trim().is_empty() && !after.trim().is_empty(), "{}", code.id);
            assert_ne!(before, after, "{}", code.id);
        }
    }

    #[test]
    fn examples_are_yaml() {
        use crate::yaml::{Limits, Tree, chunks};
        for code in ALL {
            let (before, after) = code.example();
            for (text, sound) in [(before, code.id != NOT_YAML.id), (after, true)] {
                let read = chunks(text).all(|chunk| Tree::parse(&chunk, &Limits::default()).is_ok());
                assert_eq!(read, sound, "{}: {text}", code.id);
            }
        }
    }

    #[test]
    fn only_errors_stop_edits() {
        for code in ALL {
            assert!(!code.stops_edits() || code.severity == Severity::Error, "{}", code.id);
        }
        assert!(NOT_YAML.is_unread() && CONFIGURATION.is_unread() && !EMPTY_SELECTION.is_unread());
    }
}
