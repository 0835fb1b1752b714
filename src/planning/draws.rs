//! Takes the templates of a manifest, as written or as edits will leave them, and finds which NIC draws from which pool; never looks at addresses.

use std::collections::{BTreeMap, HashMap};

use super::plan::PoolReference;
use crate::addressing::{After, Groups, MachineGroup, TemplateUse};
use crate::api::in_cluster::InClusterIPPool;
use crate::api::metal3::IPPool;
use crate::ipam::Pool;
use crate::objects::{Detail, Manifest, Object, PoolKind};

/// A NIC that takes addresses from a pool.
#[derive(Clone, Debug)]
pub(crate) struct Draw {
    /// The NIC's index.
    pub(crate) device: usize,
    /// Its index in `addressesFromPools`; none under label binding.
    pub(crate) place: Option<usize>,
    /// The pool, as an index of [`Draws::pools`].
    pub(crate) pool: usize,
}

/// A pool that is drawn from.
pub(crate) struct DrawnPool {
    /// Its identity.
    pub(crate) reference: PoolReference,
    /// It is of a provider whose pools are not read here.
    pub(crate) foreign: bool,
    /// Its object, when the manifest has it.
    pub(crate) object: Option<usize>,
    /// Its addresses, when the manifest has it.
    pub(crate) pool: Option<Pool>,
    /// The groups that draw from it, with how many addresses each of their machines takes.
    pub(crate) users: Vec<(usize, u32)>,
    /// Released addresses rest before they are given out again.
    pub(crate) rests: bool,
}

impl DrawnPool {
    /// Replicas and surge of all groups that draw from it, times their NICs; `None` while one is unknown.
    pub(super) fn needed(&self, groups: &Groups<'_, '_>) -> Option<u64> {
        let of_user = |(user, nics): &(usize, u32)| Some(groups.all[*user].size.peak()? * u64::from(*nics));
        self.users.iter().map(of_user).sum()
    }
}

/// Who draws from what.
#[derive(Default)]
pub(crate) struct Draws {
    /// The draws of each group with any, by index in [`Groups::all`].
    pub(crate) groups: BTreeMap<usize, Vec<Draw>>,
    /// The pools.
    pub(crate) pools: Vec<DrawnPool>,
}

impl Draws {
    /// The draws of a manifest as it is written, each pool with its addresses.
    pub(super) fn of(manifest: &Manifest<'_>, groups: &Groups<'_, '_>) -> Self {
        let mut draws = Draws::after(manifest, groups, &After::default());
        for pool in &mut draws.pools {
            pool.pool = pool.object.and_then(|object| read(manifest, &manifest.objects[object]));
        }
        draws
    }

    /// The draws once the edits are made; pools without their addresses.
    pub(crate) fn after(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, after: &After<'_>) -> Self {
        let mut draws = Draws::default();
        let mut known: HashMap<(String, String, bool, Option<&str>), usize> = HashMap::new();
        let pools = pools_by_name(manifest);
        for (index, group) in groups.all.iter().enumerate() {
            let TemplateUse::Found(template) = group.template else {
                continue;
            };
            let object = &manifest.objects[template];
            let Detail::Template(detail) = &object.detail else {
                continue;
            };
            let own_namespace = cluster_namespace(manifest, group).or(object.namespace());
            for bound in after.template(template, detail).bound() {
                // A pool without a namespace serves machines of all namespaces.
                let namespace = own_namespace.filter(|_| bound.kind != PoolKind::GlobalInClusterIPPool.name());
                let key = (bound.kind.to_owned(), bound.name.to_owned(), bound.foreign, namespace);
                let pool = *known.entry(key).or_insert_with(|| {
                    let mut named = pools.get(&(bound.kind, bound.name)).into_iter().flatten().copied();
                    let object = named
                        .find(|pool| manifest.objects[*pool].in_namespace(namespace))
                        .filter(|_| !bound.foreign);
                    draws.pools.push(DrawnPool {
                        reference: PoolReference {
                            kind: bound.kind.to_owned(),
                            namespace: namespace.map(ToOwned::to_owned),
                            name: bound.name.to_owned(),
                        },
                        object,
                        foreign: bound.foreign,
                        pool: None,
                        users: Vec::new(),
                        rests: object.is_some_and(|pool| rests(manifest, &manifest.objects[pool])),
                    });
                    draws.pools.len() - 1
                });
                match draws.pools[pool].users.iter_mut().find(|(user, _)| *user == index) {
                    Some((_, count)) => *count += 1,
                    None => draws.pools[pool].users.push((index, 1)),
                }
                draws.groups.entry(index).or_default().push(Draw {
                    device: bound.device,
                    place: bound.place,
                    pool,
                });
            }
        }
        draws
    }
}

fn cluster_namespace<'m>(manifest: &'m Manifest<'_>, group: &MachineGroup<'_, '_>) -> Option<&'m str> {
    manifest.objects[group.cluster?].namespace()
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

/// Whether the in-cluster provider lets released addresses rest.
fn rests(manifest: &Manifest<'_>, object: &Object<'_>) -> bool {
    manifest.with_object(object, |at| {
        let seconds = at.at(&["spec", "addressReuseGracePeriodSeconds"]);
        let seconds = seconds.and_then(|seconds| seconds.text()?.value.parse::<i64>().ok());
        seconds.is_some_and(|seconds| seconds > 0)
    })
}
