//! Takes all pools and finds addresses that two of them give, that one names twice, and addresses that no node may get; never allocates.

use std::collections::HashSet;

use super::codes;
use super::finding::Finding;
use super::model::{JudgedPool, Model, Origin, Special};
use crate::ipam::AddressRange;
use crate::objects::PoolKind;

/// A part of a pool.
#[derive(Clone, Copy)]
struct Piece {
    pool: usize,
    entry: usize,
    range: AddressRange,
}

/// Findings about addresses.
pub(super) fn addresses(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    overlaps(model, findings);
    for (index, pool) in model.pools.iter().enumerate() {
        if model.concerns_pool(pool) {
            reserved(model, index, pool, findings);
        }
    }
}

/// Pairs of pools that hold the same address, one finding for each pair, at least one of the two judged.
fn overlaps(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    let mut pieces: Vec<Piece> = Vec::new();
    for (pool, judged) in model.pools.iter().enumerate() {
        pieces.extend(judged.held.iter().map(|held| Piece {
            pool,
            entry: held.entry,
            range: held.range,
        }));
    }
    pieces.sort_by_key(|piece| (piece.range, piece.pool, piece.entry));
    let mut seen = HashSet::new();
    let mut open: Vec<Piece> = Vec::new();
    for next in pieces {
        open.retain(|before| before.range.overlaps(next.range));
        // One stranger is enough: many equal pools would make a finding for each pair of them.
        let stranger = open
            .iter()
            .find(|before| before.pool != next.pool && strangers(model, before.pool, next.pool));
        let twice = open.iter().find(|before| before.pool == next.pool);
        for before in stranger.into_iter().chain(twice) {
            if seen.insert((before.pool.min(next.pool), before.pool.max(next.pool))) {
                findings.extend(overlap(model, *before, next));
            }
        }
        open.push(next);
    }
}

/// Two pools that are not one object written twice.
fn strangers(model: &Model<'_, '_>, one: usize, other: usize) -> bool {
    let (one, other) = (&model.pools[one], &model.pools[other]);
    one.object != other.object || one.name.is_none()
}

fn overlap(model: &Model<'_, '_>, before: Piece, next: Piece) -> Option<Finding> {
    let (first, second) = (&model.pools[before.pool], &model.pools[next.pool]);
    let both = before.range.intersection(next.range)?;
    if before.pool == next.pool {
        return twice(model, first, before, next, both);
    }
    if !model.concerns_pool(first) && !model.concerns_pool(second) {
        return None;
    }
    // The one that is judged is shown; of two, the later one in the text.
    let rank = |pool: &JudgedPool, index: usize| match pool.origin {
        Origin::Wanted { .. } => (2, index),
        Origin::Present(_) => (usize::from(model.concerns_pool(pool)), index),
        Origin::Live(_) => (0, index),
    };
    let (ours, other) = if rank(second, next.pool) >= rank(first, before.pool) {
        ((second, next), (first, before))
    } else {
        ((first, before), (second, next))
    };
    let message = format!("{} and {} both hold {both}", ours.0.title, other.0.title);
    let help = "separate the ranges, or both pools give the address out";
    let finding = model.pool_finding(ours.0, Some(ours.1.entry), &codes::POOLS_OVERLAP, message, help);
    let related = model.pool_place(other.0, Some(other.1.entry));
    Some(Finding {
        related: related.map(|place| (place, "the other pool".to_owned())),
        ..finding
    })
}

/// An address that one pool names twice.
fn twice(model: &Model<'_, '_>, pool: &JudgedPool, before: Piece, next: Piece, both: AddressRange) -> Option<Finding> {
    let later = before.entry.max(next.entry);
    let (code, message) = match pool.origin {
        Origin::Wanted { .. } => (&codes::POOLS_OVERLAP, format!("{} names {both} twice", pool.title)),
        Origin::Present(_) if pool.kind == PoolKind::IPPool && model.concerns_pool(pool) => (
            &codes::ENTRIES_OVERLAP,
            format!(
                "two entries of {} hold {both}; each address is given once, by the first of them",
                pool.title
            ),
        ),
        _ => return None,
    };
    let finding = model.pool_finding(pool, Some(later), code, message, "name each address once");
    let related = model.pool_place(pool, Some(before.entry.min(next.entry)));
    Some(Finding {
        related: related.map(|place| (place, "the first of them".to_owned())),
        ..finding
    })
}

/// Gateways, name servers and networks' own addresses inside a pool: its own, and gateways and name servers of others.
fn reserved(model: &Model<'_, '_>, index: usize, pool: &JudgedPool, findings: &mut Vec<Finding>) {
    let mut others_told = HashSet::new();
    for held in &pool.held {
        // A range that leaves its network is told as that.
        let network = pool
            .networks
            .get(held.entry)
            .and_then(|network| network.around(held.range));
        let inside_network = !held.endless
            && network.is_none_or(|network| network.contains(held.range.start()) && network.contains(held.range.end()));
        for (address, specials) in model.specials.inside(held.range) {
            let own = specials
                .iter()
                .find(|special| special.pool == index && (is_host(special) || inside_network));
            let stranger = || {
                let mut others = specials.iter().filter(|special| is_host(special));
                others.find(|special| others_told.insert((special.pool, special.role)))
            };
            let Some(special) = own.or_else(stranger) else { continue };
            let role = special.role.name();
            let whose = if special.pool == index {
                String::new()
            } else {
                format!(" of {}", model.pools[special.pool].title)
            };
            let (code, message) = match pool.origin {
                Origin::Wanted { .. } => (
                    &codes::ADDRESS_RESERVED,
                    format!("{} holds {role} {address}{whose}", held.range),
                ),
                _ => (
                    &codes::INPUT_POOL_RESERVED,
                    format!("{} holds {role} {address}{whose}", pool.title),
                ),
            };
            let help = format!("leave {address} out: write the ranges around it");
            findings.push(model.pool_finding(pool, Some(held.entry), code, message, help));
        }
    }
}

/// Another pool's network address says nothing about the own network.
fn is_host(special: &Special) -> bool {
    use super::model::Role;
    matches!(special.role, Role::Gateway | Role::NameServer)
}
