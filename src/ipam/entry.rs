//! Takes one entry of an IPPool as written, gives the addresses that it yields in metal3's order; knows no claims and
//! never lists addresses.

use std::net::IpAddr;

use thiserror::Error;

use super::address::{mapped_number, parse_address};
use super::network::Network;
use super::quote::go_quote;
use super::range::AddressRange;
use super::set::AddressSet;
use super::span::{LAST_V4, Span, address_at};
use super::strategy::{Randomness, Strategy};
use crate::api::metal3;

/// Why an entry is malformed or has no size; the texts are metal3's (`utils.go`).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    /// `start` is not an IP address.
    #[error("invalid Start IP {}", go_quote(.0))]
    Start(String),
    /// `end` is not an IP address.
    #[error("invalid End IP {}", go_quote(.0))]
    End(String),
    /// `subnet` is not a CIDR.
    #[error("invalid Subnet {quoted}: invalid CIDR address: {text}", quoted = go_quote(.0), text = .0)]
    Subnet(String),
    /// The last address lies before the first.
    #[error("end IP {end} is before start IP {start}")]
    Reversed {
        /// First address.
        start: IpAddr,
        /// Last address.
        end: IpAddr,
    },
    /// Neither `start` nor `subnet` is given.
    #[error("either Start or Subnet is required for ipAddress")]
    NoOrigin,
    /// `start` alone has no end.
    #[error("pool with Start requires End or Subnet to determine size")]
    Unbounded,
    /// More than 2^63-1 addresses.
    #[error("pool size exceeds int range")]
    TooLarge,
}

/// One entry: what it yields and what it overrides.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The place of index 0.
    base: u128,
    /// The places from `base` on that are addresses of the entry.
    places: Option<Span>,
    size: Result<u64, EntryError>,
    /// Prefix length in bits; 0 leaves the pool's.
    pub prefix: i64,
    /// Gateway; none leaves the pool's.
    pub gateway: Option<String>,
    /// DNS servers; empty leaves the pool's.
    pub dns_servers: Vec<String>,
}

impl Entry {
    /// Reads an entry. What does not parse yields nothing; a malformed `end` counts as absent in an ordered scan.
    #[must_use]
    pub fn new(pool: &metal3::Pool) -> Self {
        let (base, places) = places(pool).unwrap_or((0, None));
        Self {
            base,
            places,
            size: size(pool),
            prefix: pool.prefix,
            gateway: pool.gateway.clone(),
            dns_servers: pool.dns_servers.clone(),
        }
    }

    /// The entry that yields exactly a range and overrides nothing.
    #[must_use]
    pub(crate) fn of_span(span: Span) -> Self {
        let size = i64::try_from(span.last - span.first)
            .ok()
            .and_then(|last| last.checked_add(1));
        Self {
            base: span.first,
            places: Some(span),
            size: size.map(i64::unsigned_abs).ok_or(EntryError::TooLarge),
            prefix: 0,
            gateway: None,
            dns_servers: Vec::new(),
        }
    }

    /// Checks the texts of an entry that has at least one of start, end and subnet.
    ///
    /// # Errors
    /// The first that applies of `start`, `end`, `subnet` malformed, `end` before `start`.
    pub fn check(pool: &metal3::Pool) -> Result<(), EntryError> {
        Texts::read(pool).map(|_| ())
    }

    /// The address at an index, from 0; `None` where there is none. An ordered scan ends at the first such index, so an
    /// entry without an address at index 0 yields nothing to it.
    #[must_use]
    pub fn render(&self, index: u128) -> Option<IpAddr> {
        let place = self.base.checked_add(index)?;
        self.places?.contains(place).then(|| address_at(place))
    }

    /// Number of indexes, 0 to 2^63-1.
    ///
    /// # Errors
    /// Those of [`Entry::check`], and what has no finite size or too large a one.
    pub fn size(&self) -> Result<u64, EntryError> {
        self.size.clone()
    }

    /// Whether an ordered scan of the entry meets the address.
    #[must_use]
    pub fn yields(&self, address: IpAddr) -> bool {
        self.offers(address, Strategy::Sequential)
    }

    /// Whether the strategy can give out the address from this entry.
    #[must_use]
    pub fn offers(&self, address: IpAddr, strategy: Strategy) -> bool {
        self.span(strategy)
            .is_some_and(|span| span.contains(mapped_number(address)))
    }

    /// The addresses that the strategy can give out from this entry.
    pub fn ranges(&self, strategy: Strategy) -> impl Iterator<Item = AddressRange> {
        self.span(strategy).into_iter().flat_map(Span::ranges)
    }

    /// The address that the strategy chooses among those outside the set.
    pub(crate) fn choose(
        &self,
        strategy: Strategy,
        taken: &AddressSet,
        randomness: &mut dyn Randomness,
    ) -> Option<IpAddr> {
        let span = self.span(strategy)?;
        let place = match (strategy, &self.size) {
            (Strategy::Random, Ok(size)) => {
                let offset = randomness.below(*size) % (*size).max(1);
                let drawn = self.base.saturating_add(u128::from(offset));
                Span::new(drawn.max(span.first), span.last)
                    .and_then(|rest| taken.lowest_outside(rest))
                    .or_else(|| taken.lowest_outside(span))
            }
            _ => taken.lowest_outside(span),
        };
        place.map(address_at)
    }

    /// An ordered scan goes nowhere without index 0; a draw passes over what is no address but needs a size.
    fn span(&self, strategy: Strategy) -> Option<Span> {
        let reachable = |span: &Span| match strategy {
            Strategy::Sequential => span.contains(self.base),
            Strategy::Random => self.size.as_ref().is_ok_and(|size| *size > 0),
        };
        self.places.filter(reachable)
    }
}

/// The three texts of an entry, read.
struct Texts {
    start: Option<IpAddr>,
    end: Option<IpAddr>,
    subnet: Option<Network>,
}

impl Texts {
    fn read(pool: &metal3::Pool) -> Result<Self, EntryError> {
        let address = |text: &Option<String>, wrong: fn(String) -> EntryError| match text {
            None => Ok(None),
            Some(text) => parse_address(text).map(Some).map_err(|error| wrong(error.text)),
        };
        let start = address(&pool.start, EntryError::Start)?;
        let end = address(&pool.end, EntryError::End)?;
        let subnet = match &pool.subnet {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| EntryError::Subnet(text.clone()))?),
        };
        match (start, end) {
            (Some(start), Some(end)) if mapped_number(end) < mapped_number(start) => {
                Err(EntryError::Reversed { start, end })
            }
            _ => Ok(Self { start, end, subnet }),
        }
    }
}

/// Highest place that counting up from an address can reach.
fn ceiling(start: IpAddr) -> u128 {
    if start.is_ipv4() { LAST_V4 } else { u128::MAX }
}

/// The place of index 0 and the places from there on that are addresses (`utils.go`); none where something that counts does
/// not parse.
fn places(pool: &metal3::Pool) -> Option<(u128, Option<Span>)> {
    let subnet: Option<Network> = match &pool.subnet {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    let Some(start) = &pool.start else {
        // Without a start the host part written in the subnet is where counting begins, and `end` is not looked at.
        let subnet = subnet?;
        let base = mapped_number(subnet.address()).checked_add(1)?;
        return Some((base, Span::new(base, mapped_number(subnet.last()))));
    };
    let start = parse_address(start).ok()?;
    let base = mapped_number(start);
    let end = pool.end.as_deref().and_then(|text| parse_address(text).ok());
    let last = end.map_or(u128::MAX, mapped_number).min(ceiling(start));
    let mut span = Span::new(base, last);
    if let Some(subnet) = subnet {
        span = span.and_then(|span| span.intersection(AddressRange::whole(subnet).into()));
    }
    Some((base, span))
}

/// Number of indexes that a draw chooses from; those outside the subnet count too.
fn size(pool: &metal3::Pool) -> Result<u64, EntryError> {
    let Texts { start, end, subnet } = Texts::read(pool)?;
    let distance = match (start, end, subnet) {
        (Some(start), Some(end), _) => (mapped_number(end) - mapped_number(start)).checked_add(1),
        (Some(start), None, Some(subnet)) => {
            let end = subnet.last();
            let distance = mapped_number(end).checked_sub(mapped_number(start));
            distance.ok_or(EntryError::Reversed { start, end })?.checked_add(1)
        }
        (Some(_), None, None) => return Err(EntryError::Unbounded),
        // The network address is no index.
        (None, _, Some(subnet)) => mapped_number(subnet.last()).checked_sub(mapped_number(subnet.network())),
        (None, _, None) => return Err(EntryError::NoOrigin),
    };
    let size = distance.and_then(|distance| i64::try_from(distance).ok());
    size.map(i64::unsigned_abs).ok_or(EntryError::TooLarge)
}
