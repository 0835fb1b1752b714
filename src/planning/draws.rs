//! Takes the templates of a manifest and finds which NIC draws from which pool, by label or addressesFromPools; never looks at addresses.

use std::collections::BTreeMap;

use super::plan::PoolReference;
use crate::addressing::{Groups, MachineGroup, TemplateUse};
use crate::api::in_cluster::InClusterIPPool;
use crate::api::metal3::IPPool;
use crate::ipam::Pool;
use crate::objects::{Detail, Manifest, Nic, Object, PoolKind};

/// A NIC that takes addresses from a pool.
#[derive(Clone, Debug)]
pub(super) struct Draw {
    /// The NIC's index.
    pub(super) device: usize,
    /// Its index in `addressesFromPools`; none under label binding.
    pub(super) place: Option<usize>,
    /// The pool, as an index of [`Draws::pools`].
    pub(super) pool: usize,
}

/// A pool that is drawn from.
pub(super) struct DrawnPool {
    /// Its identity.
    pub(super) reference: PoolReference,
    /// Its addresses, when the manifest has it.
    pub(super) pool: Option<Pool>,
    /// The groups that draw from it, with how many addresses each of their machines takes.
    pub(super) users: Vec<(usize, u32)>,
}

/// Who draws from what.
#[derive(Default)]
pub(super) struct Draws {
    /// The draws of each group with any, by index in [`Groups::all`].
    pub(super) groups: BTreeMap<usize, Vec<Draw>>,
    /// The pools.
    pub(super) pools: Vec<DrawnPool>,
}

impl Draws {
    pub(super) fn of(manifest: &Manifest<'_>, groups: &Groups<'_, '_>) -> Self {
        let mut draws = Draws::default();
        let mut known = BTreeMap::new();
        let pools = pools_by_name(manifest);
        for (index, group) in groups.all.iter().enumerate() {
            let TemplateUse::Found(template) = group.template else {
                continue;
            };
            let object = &manifest.objects[template];
            let namespace = cluster_namespace(manifest, group).or(object.namespace());
            for (device, place, kind, name) in wanted(object) {
                let found = pools.get(&(kind, name)).into_iter().flatten();
                let found = found
                    .copied()
                    .find(|pool| manifest.objects[*pool].in_namespace(namespace));
                let pool = *known.entry((kind, name, namespace)).or_insert_with(|| {
                    draws.pools.push(DrawnPool {
                        reference: PoolReference {
                            kind: kind.to_owned(),
                            namespace: namespace.map(ToOwned::to_owned),
                            name: name.to_owned(),
                        },
                        pool: found.and_then(|pool| read(manifest, &manifest.objects[pool])),
                        users: Vec::new(),
                    });
                    draws.pools.len() - 1
                });
                match draws.pools[pool].users.iter_mut().find(|(user, _)| *user == index) {
                    Some((_, count)) => *count += 1,
                    None => draws.pools[pool].users.push((index, 1)),
                }
                draws
                    .groups
                    .entry(index)
                    .or_default()
                    .push(Draw { device, place, pool });
            }
        }
        draws
    }
}

fn cluster_namespace<'m>(manifest: &'m Manifest<'_>, group: &MachineGroup<'_, '_>) -> Option<&'m str> {
    manifest.objects[group.cluster?].namespace()
}

/// Every static NIC of a template with its pools: device, place in the list, kind and name of the pool.
fn wanted<'o>(object: &'o Object<'_>) -> Vec<(usize, Option<usize>, &'o str, &'o str)> {
    let Detail::Template(template) = &object.detail else {
        return Vec::new();
    };
    let label = template.pool_label.as_ref().map(|label| &*label.value);
    let mut wanted = Vec::new();
    for (device, nic) in template.nics.iter().enumerate() {
        let listed = nic.pools.iter().enumerate();
        let listed =
            listed.filter_map(|(place, pool)| Some((place, &*pool.kind.as_ref()?.value, &*pool.name.as_ref()?.value)));
        wanted.extend(listed.map(|(place, kind, name)| (device, Some(place), kind, name)));
        if let (true, Some(name)) = (served_by_label(nic), label) {
            wanted.push((device, None, PoolKind::IPPool.name(), name));
        }
    }
    wanted
}

/// CAPV and the adapter take a NIC for static when no DHCP flag is set and nothing else gives it an address.
fn served_by_label(nic: &Nic<'_>) -> bool {
    !nic.dhcp && !nic.skips_allocation && nic.pools.is_empty()
}

fn pools_by_name<'m>(manifest: &'m Manifest<'_>) -> BTreeMap<(&'static str, &'m str), Vec<usize>> {
    let mut pools: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, object) in manifest.objects.iter().enumerate() {
        if let Detail::Pool(pool) = &object.detail {
            pools.entry((pool.kind.name(), object.name())).or_default().push(index);
        }
    }
    pools
}

/// The pool as the allocator sees it; `None` for one that cannot be read, which is a finding elsewhere.
pub(super) fn read(manifest: &Manifest<'_>, object: &Object<'_>) -> Option<Pool> {
    let Detail::Pool(pool) = &object.detail else {
        return None;
    };
    manifest.with_object(object, |at| match pool.kind {
        PoolKind::IPPool => {
            let pool: IPPool = at.tree.read(at.node, &manifest.limits()).ok()?;
            Some(Pool::ippool(&pool.metadata.name, &pool.spec))
        }
        PoolKind::InClusterIPPool | PoolKind::GlobalInClusterIPPool => {
            let pool: InClusterIPPool = at.tree.read(at.node, &manifest.limits()).ok()?;
            Pool::in_cluster(&pool).ok()
        }
    })
}
