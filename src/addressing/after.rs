//! Takes the selections of a run and a template, and gives what its NICs say once the edits are made; edits nothing itself.

use std::collections::HashMap;

use super::configuration::{Binding, Spec};
use super::nics::NicSet;
use super::reading::ConfigDocument;
use super::selection::Selection;
use crate::objects::{Nic, PoolKind, Template, Text};

/// What the configurations make of templates; without any, templates are as they are written.
#[derive(Default)]
pub(crate) struct After<'w> {
    chosen: HashMap<usize, Vec<Choice<'w>>>,
}

/// A pool that a configuration gives to NICs of a template.
struct Choice<'w> {
    spec: &'w Spec,
    pool: &'w str,
    dns_servers: &'w [String],
    nics: NicSet,
}

/// A template after the edits.
pub(crate) struct TemplateAfter<'t> {
    /// The pool that its label names.
    pub(crate) label: Option<&'t str>,
    /// A configuration writes the label.
    pub(crate) label_is_new: bool,
    /// Its NICs, in order.
    pub(crate) nics: Vec<NicAfter<'t>>,
}

/// A NIC after the edits.
pub(crate) struct NicAfter<'t> {
    /// `dhcp4`; `None` while it is a placeholder.
    pub(crate) dhcp4: Option<bool>,
    /// `dhcp6`; `None` while it is a placeholder.
    pub(crate) dhcp6: Option<bool>,
    /// A configuration gives it an address.
    pub(crate) chosen: bool,
    /// It has name servers.
    pub(crate) has_name_servers: bool,
    /// They are not those that are written now.
    pub(crate) name_servers_change: bool,
    /// Its `addressesFromPools`.
    pub(crate) pools: Vec<Link<'t>>,
    skips: bool,
}

/// An element of `addressesFromPools`.
#[derive(Clone, Copy)]
pub(crate) struct Link<'t> {
    /// Its place in the list.
    pub(crate) place: usize,
    /// The pool's kind.
    pub(crate) kind: &'t str,
    /// The pool's name.
    pub(crate) name: &'t str,
    /// It is of a provider whose pools are not read here, whatever the kind is called.
    pub(crate) foreign: bool,
    /// A configuration writes it.
    pub(crate) is_new: bool,
}

/// A pool that a NIC draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound<'t> {
    /// The NIC's index.
    pub(crate) device: usize,
    /// The place in `addressesFromPools`; none under label binding.
    pub(crate) place: Option<usize>,
    /// The pool's kind.
    pub(crate) kind: &'t str,
    /// The pool's name.
    pub(crate) name: &'t str,
    /// It is of a provider whose pools are not read here.
    pub(crate) foreign: bool,
}

impl<'w> After<'w> {
    /// What the selections of some configurations make of the templates.
    pub(crate) fn new(wishes: &[(&'w ConfigDocument<'_>, &'w Selection)]) -> Self {
        let mut after = After::default();
        for (document, selection) in wishes {
            let spec = &document.config.spec;
            for chosen in &selection.templates {
                let pool = &selection.pools[chosen.pool];
                after.chosen.entry(chosen.object).or_default().push(Choice {
                    spec,
                    pool: &pool.name,
                    dns_servers: &spec.pools[pool.index].dns_servers,
                    nics: chosen.nics,
                });
            }
        }
        after
    }

    /// Whether a configuration chooses the template.
    pub(crate) fn chooses(&self, object: usize) -> bool {
        self.chosen.contains_key(&object)
    }

    /// Whether the chosen template is edited in place, not copied under a new name.
    pub(crate) fn edits_in_place(&self, object: usize) -> bool {
        let choices = self.chosen.get(&object);
        choices.is_some_and(|choices| choices.iter().any(|choice| !choice.spec.rename_templates))
    }

    /// A template, by the index of its object.
    pub(crate) fn template<'t>(&'t self, object: usize, template: &'t Template<'_>) -> TemplateAfter<'t> {
        let choices = self.chosen.get(&object).map_or(&[][..], Vec::as_slice);
        let label = choices.iter().find(|choice| choice.spec.binding == Binding::Label);
        TemplateAfter {
            label: label
                .map(|choice| choice.pool)
                .or_else(|| template.pool_label.as_ref().map(|label| &*label.value)),
            label_is_new: label.is_some(),
            nics: template
                .nics
                .iter()
                .enumerate()
                .map(|(index, nic)| nic_after(index, nic, choices))
                .collect(),
        }
    }
}

fn nic_after<'t>(index: usize, nic: &'t Nic<'_>, choices: &'t [Choice<'_>]) -> NicAfter<'t> {
    let mut own = choices.iter().filter(|choice| choice.nics.contains(index)).peekable();
    let chosen = own.peek().is_some();
    let flag = |flag: Option<crate::objects::Flag>| match flag {
        _ if chosen => Some(false),
        Some(flag) => flag.on,
        None => Some(false),
    };
    let mut pools: Vec<Link<'t>> = nic
        .pools
        .iter()
        .enumerate()
        .filter_map(|(place, pool)| {
            let text = |text: &'t Option<Text<'_>>| text.as_ref().map(|text| &*text.value);
            let (group, kind) = (text(&pool.group), text(&pool.kind)?);
            Some(Link {
                place,
                kind,
                name: text(&pool.name)?,
                foreign: PoolKind::named(kind).is_none_or(|known| group.is_some_and(|group| group != known.group())),
                is_new: false,
            })
        })
        .collect();
    let mut servers: Vec<&str> = Vec::new();
    let mut place = nic.pools.len();
    for choice in own.filter(|choice| choice.spec.binding == Binding::AddressesFromPools) {
        servers.extend(choice.dns_servers.iter().map(String::as_str));
        let kind = PoolKind::from(choice.spec.pool_kind).name();
        if !pools
            .iter()
            .any(|pool| pool.kind == kind && pool.name == choice.pool && !pool.foreign)
        {
            pools.push(Link {
                place,
                kind,
                name: choice.pool,
                foreign: false,
                is_new: true,
            });
            place += 1;
        }
    }
    NicAfter {
        dhcp4: flag(nic.dhcp4),
        dhcp6: flag(nic.dhcp6),
        chosen,
        has_name_servers: !nic.nameservers.is_empty() || !servers.is_empty(),
        name_servers_change: !servers.is_empty()
            && !nic
                .nameservers
                .iter()
                .map(|server| &*server.value)
                .eq(servers.iter().copied()),
        pools,
        skips: nic.skips_allocation,
    }
}

impl NicAfter<'_> {
    /// Whether DHCP is on, for which one flag is enough; `None` while a placeholder hides it.
    pub(crate) fn dhcp(&self) -> Option<bool> {
        match (self.dhcp4, self.dhcp6) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }

    /// CAPV and the adapter take a NIC for static when no DHCP flag is set and nothing else gives it an address.
    pub(crate) fn waits_for_an_address(&self) -> bool {
        self.dhcp() != Some(true) && !self.skips && self.pools.is_empty()
    }
}

impl<'t> TemplateAfter<'t> {
    /// Every pool that its NICs draw from.
    pub(crate) fn bound(&self) -> Vec<Bound<'t>> {
        let mut bound = Vec::new();
        for (device, nic) in self.nics.iter().enumerate() {
            bound.extend(nic.pools.iter().map(|pool| Bound {
                device,
                place: Some(pool.place),
                kind: pool.kind,
                name: pool.name,
                foreign: pool.foreign,
            }));
            if let (true, Some(name)) = (nic.waits_for_an_address(), self.label) {
                bound.push(Bound {
                    device,
                    place: None,
                    kind: PoolKind::IPPool.name(),
                    name,
                    foreign: false,
                });
            }
        }
        bound
    }
}
