//! Takes a template for the names of F5 nodes and fills it in; whether the result is a name that a tool takes is checked where it is used.

use std::str::FromStr;

use super::balancer::allowed;

/// A template for the names of F5 nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Address,
    Cluster,
    Slot,
}

impl Default for NodeName {
    /// The address: one address is one node on a BIG-IP.
    fn default() -> Self {
        NodeName(vec![Part::Address])
    }
}

impl NodeName {
    /// Whether nodes are called by their address alone.
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.0 == [Part::Address]
    }

    /// The name of one node; colons of an address inside a longer name become hyphens.
    #[must_use]
    pub fn of(&self, address: &str, cluster: &str, slot: &str) -> String {
        if self.is_address() {
            return address.to_owned();
        }
        self.pieces(&address.replace(':', "-"), cluster, slot)
    }

    /// The template with other texts in the places of its fields.
    #[must_use]
    pub fn pieces(&self, address: &str, cluster: &str, slot: &str) -> String {
        let piece = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Address => address.to_owned(),
            Part::Cluster => cluster.to_owned(),
            Part::Slot => slot.to_owned(),
        };
        self.0.iter().map(piece).collect()
    }
}

impl FromStr for NodeName {
    type Err = String;

    fn from_str(template: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once('{') {
            let (field, after) = after
                .split_once('}')
                .ok_or_else(|| format!("{template:?} has a {{ without a }}"))?;
            parts.extend((!text.is_empty()).then(|| Part::Text(text.to_owned())));
            parts.push(match field {
                "address" => Part::Address,
                "cluster" => Part::Cluster,
                "slot" => Part::Slot,
                _ => return Err(format!("{template:?} has the unknown field {{{field}}}")),
            });
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Text(rest.to_owned())));
        let plain = |part: &Part| match part {
            Part::Text(text) => text.bytes().all(|byte| allowed(byte, b"-._")),
            _ => true,
        };
        if !parts.iter().all(plain) {
            return Err(format!("{template:?} has characters that node names cannot have"));
        }
        if !parts.contains(&Part::Address) && !parts.contains(&Part::Slot) {
            return Err(format!("{template:?} gives every node the same name"));
        }
        Ok(NodeName(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_names_are_filled_in() {
        let name: NodeName = "{cluster}-{slot}".parse().unwrap();
        assert_eq!(name.of("192.0.2.1", "demo", "control-plane-1"), "demo-control-plane-1");
        assert_eq!(NodeName::default().of("2001:db8::1", "demo", "x"), "2001:db8::1");
        let name: NodeName = "n-{address}".parse().unwrap();
        assert_eq!(name.of("2001:db8::1", "demo", "x"), "n-2001-db8--1");
        for text in ["", "{cluster}", "{ip}", "{slot", "a b{slot}", "{slot};", "$({slot})"] {
            assert!(text.parse::<NodeName>().is_err(), "{text}");
        }
    }
}
