//! The formats of member lists by name; what they look like stands in `backends`.

use std::str::FromStr;

/// The formats of member lists, for balancers and for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Format {
    /// F5 BIG-IP: tmsh commands, one a line
    F5Tmsh,
    /// F5 BIG-IP: an AS3 declaration
    #[cfg_attr(feature = "cli", value(name = "f5-as3"))]
    F5As3,
    /// F5 BIG-IP: iControl REST calls in order
    F5Icontrol,
    /// F5 BIG-IP: a Terraform module
    F5Terraform,
    /// F5 BIG-IP: an Ansible playbook
    F5Ansible,
    /// HAProxy
    Haproxy,
    /// Keepalived with IPVS
    Keepalived,
    /// NGINX with the stream module
    Nginx,
    /// Envoy, static resources
    Envoy,
    /// Aligned columns for people and change tickets
    Table,
    /// ADDRESS:PORT, one a line
    List,
    /// Comma-separated values
    Csv,
    /// The member list as JSON
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 13] = [
        Format::F5Tmsh,
        Format::F5As3,
        Format::F5Icontrol,
        Format::F5Terraform,
        Format::F5Ansible,
        Format::Haproxy,
        Format::Keepalived,
        Format::Nginx,
        Format::Envoy,
        Format::Table,
        Format::List,
        Format::Csv,
        Format::Json,
    ];

    /// The name on the command line and in `outputs`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::F5Tmsh => "f5-tmsh",
            Format::F5As3 => "f5-as3",
            Format::F5Icontrol => "f5-icontrol",
            Format::F5Terraform => "f5-terraform",
            Format::F5Ansible => "f5-ansible",
            Format::Haproxy => "haproxy",
            Format::Keepalived => "keepalived",
            Format::Nginx => "nginx",
            Format::Envoy => "envoy",
            Format::Table => "table",
            Format::List => "list",
            Format::Csv => "csv",
            Format::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Format::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| format!("there is no format {text:?}"))
    }
}

/// The names of all formats, for messages.
#[must_use]
pub fn format_names() -> String {
    Format::ALL.map(Format::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_one_name() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
            #[cfg(feature = "cli")]
            {
                let value = clap::ValueEnum::to_possible_value(&format).unwrap();
                assert_eq!(value.get_name(), format.name());
            }
        }
        assert!("f5-scf".parse::<Format>().is_err());
    }
}
