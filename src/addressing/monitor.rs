//! Takes the text of a monitor and gives how a balancer finds out whether a member serves; spells it for no balancer.

use std::fmt;
use std::str::FromStr;

use super::balancer::allowed;

/// How a balancer finds out whether a member serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// A connection can be opened.
    Tcp,
    /// A GET of the path is answered with one of the status codes; TLS without a check of the certificate when `tls`.
    Http {
        /// Whether the request goes over TLS.
        tls: bool,
        /// The path, of letters, digits and `/-._~`.
        path: String,
        /// The codes that count as healthy.
        codes: &'static [u16],
    },
}

impl Monitor {
    /// `GET /readyz` over TLS, 200 expected: what Kubernetes documents for balancers.
    #[must_use]
    pub fn readyz() -> Self {
        Monitor::Http {
            tls: true,
            path: "/readyz".to_owned(),
            codes: &[200],
        }
    }
}

impl FromStr for Monitor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain =
            |path: &str| path.starts_with('/') && path.len() <= 128 && path.bytes().all(|byte| allowed(byte, b"/-._~"));
        match (text, text.split_once(':')) {
            ("tcp", _) => Ok(Monitor::Tcp),
            ("readyz", _) => Ok(Monitor::readyz()),
            // An API server with --anonymous-auth=false answers 401, one without the public rule 403.
            ("readyz-any-auth", _) => Ok(Monitor::Http {
                tls: true,
                path: "/readyz".to_owned(),
                codes: &[200, 401, 403],
            }),
            (_, Some((scheme @ ("http" | "https"), path))) if plain(path) => Ok(Monitor::Http {
                tls: scheme == "https",
                path: path.to_owned(),
                codes: &[200],
            }),
            _ => Err(format!("{text:?} is no monitor")),
        }
    }
}

/// What monitors may be.
pub const MONITORS: &str =
    "readyz, readyz-any-auth, tcp, http:/PATH and https:/PATH (letters, digits and /-._~ in the path)";

impl fmt::Display for Monitor {
    /// For people: `https GET /readyz = 200`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Monitor::Tcp => out.write_str("tcp"),
            Monitor::Http { tls, path, codes } => {
                let scheme = if *tls { "https" } else { "http" };
                let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
                write!(out, "{scheme} GET {path} = {}", codes.join(" or "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitors_hold_nothing_that_a_target_could_run() {
        assert_eq!("readyz".parse(), Ok(Monitor::readyz()));
        assert_eq!(Monitor::readyz().to_string(), "https GET /readyz = 200");
        let any: Monitor = "readyz-any-auth".parse().unwrap();
        assert_eq!(any.to_string(), "https GET /readyz = 200 or 401 or 403");
        for text in [
            "",
            "udp",
            "https:",
            "https:healthz",
            "http:/a b",
            "http:/a\"",
            "https:/$(id)",
            "http:/a;b",
            "http:/`",
        ] {
            assert!(text.parse::<Monitor>().is_err(), "{text}");
        }
    }
}
