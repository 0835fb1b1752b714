//! Takes names or a number, adds claims to the live objects that do not exist yet; never adds one that exists.

use std::collections::BTreeSet;

use crate::addressing::object_name_problem;
use crate::api::{ObjectMeta, ObjectReference, capi, in_cluster, metal3};
use crate::check::{Finding, codes};
use crate::ipam::ClaimKind;
use crate::state::{ClaimObject, Live, PoolId, Stored};

/// Claims that do not exist yet: what would they get?
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Their names in the order of their creation, each with the address that it asks for.
    pub names: Vec<(String, Option<String>)>,
    /// How many more there are, called `next-1`, `next-2` and so on.
    pub count: u32,
    /// The pool as `NAME`, `NAMESPACE/NAME`, `KIND/NAME` or `KIND/NAMESPACE/NAME`.
    pub pool: Option<String>,
    /// Their kind; by default the pool's own.
    pub kind: Option<ClaimKind>,
}

/// Why a wish cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WishError(String);

/// Adds the claims. One that exists is said and left as it is.
pub(super) fn add(
    wishes: &Wishes,
    namespace: Option<&str>,
    live: &mut Live,
    findings: &mut Vec<Finding>,
) -> Result<(), WishError> {
    if wishes.names.is_empty() && wishes.count == 0 {
        return match &wishes.pool {
            Some(_) => pool(wishes, live).map(drop),
            None => Ok(()),
        };
    }
    let id = pool(wishes, live)?;
    let maker = Maker::new(wishes, &id, namespace, live)?;
    let mut claims = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, address) in &wishes.names {
        if let Some(problem) = object_name_problem(name) {
            return Err(WishError(problem));
        }
        if !seen.insert(name.clone()) {
            return Err(WishError(format!("{name} is asked for twice; name each claim once")));
        }
        if live.claim(&maker.namespace, maker.kind, name).is_some() {
            let finding = Finding::new(
                &codes::CLAIM_EXISTS,
                format!("{} {}/{name} exists already", maker.kind.name(), maker.namespace),
            );
            findings.push(finding.help("its own row says what it has; ask for claims that do not exist yet"));
            continue;
        }
        claims.push(maker.claim(name, address.as_deref()));
    }
    let fresh = |name: &String| !seen.contains(name) && live.claim(&maker.namespace, maker.kind, name).is_none();
    let numbered = (1u64..).map(|number| format!("next-{number}"));
    claims.extend(
        numbered
            .filter(fresh)
            .take(wishes.count as usize)
            .map(|name| maker.claim(&name, None)),
    );
    for (place, claim) in (1..).zip(&mut claims) {
        claim.place = place;
    }
    live.add_claims(claims);
    Ok(())
}

/// The pool that is meant.
fn pool(wishes: &Wishes, live: &Live) -> Result<PoolId, WishError> {
    let listed = |pools: &[&PoolId]| {
        let mut names: Vec<String> = pools.iter().map(|pool| full_name(pool)).collect();
        names.truncate(8);
        names.join(", ")
    };
    let all: Vec<&PoolId> = live.pools.keys().collect();
    if all.is_empty() {
        return Err(WishError(
            "the input has no pool; give the IPPool or InClusterIPPool as well".into(),
        ));
    }
    let Some(wanted) = &wishes.pool else {
        return match all[..] {
            [only] => Ok(only.clone()),
            _ => Err(WishError(format!(
                "the input has several pools; choose one with --pool: {}",
                listed(&all)
            ))),
        };
    };
    let meant = |pool: &&PoolId| match wanted.split('/').collect::<Vec<_>>()[..] {
        [name] => pool.name == name,
        [first, name] => pool.name == name && (pool.namespace == first || pool.kind.eq_ignore_ascii_case(first)),
        [kind, namespace, name] => {
            pool.name == name && pool.namespace == namespace && pool.kind.eq_ignore_ascii_case(kind)
        }
        _ => false,
    };
    let found: Vec<&PoolId> = all.iter().copied().filter(meant).collect();
    match found[..] {
        [only] => Ok(only.clone()),
        [] => Err(WishError(format!(
            "the input has no pool {wanted}; it has {}",
            listed(&all)
        ))),
        _ => Err(WishError(format!(
            "{wanted} means several pools; choose one of {}",
            listed(&found)
        ))),
    }
}

fn full_name(pool: &PoolId) -> String {
    let parts = [pool.kind, &pool.namespace, &pool.name];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/")
}

/// Makes claims of one kind for one pool.
struct Maker<'w> {
    id: &'w PoolId,
    kind: ClaimKind,
    namespace: String,
    /// Of Cluster API's claims.
    api_version: String,
}

impl<'w> Maker<'w> {
    fn new(wishes: &Wishes, id: &'w PoolId, namespace: Option<&str>, live: &Live) -> Result<Self, WishError> {
        let of_metal3 = id.kind == metal3::POOL_KIND;
        let own = if of_metal3 {
            ClaimKind::IPClaim
        } else {
            ClaimKind::IPAddressClaim
        };
        let kind = wishes.kind.unwrap_or(own);
        if kind == ClaimKind::IPClaim && !of_metal3 {
            return Err(WishError(format!("{id} serves IPAddressClaims only; leave --kind out")));
        }
        let cluster_scoped = id.kind == in_cluster::GLOBAL_POOL_KIND;
        // The version that the cluster's own claims have.
        let versions = live.claims().iter().filter_map(|claim| match &claim.value {
            ClaimObject::IPAddressClaim(claim) => Some(claim.api_version.clone()),
            ClaimObject::IPClaim(_) => None,
        });
        Ok(Self {
            id,
            kind,
            namespace: match namespace {
                Some(namespace) if cluster_scoped => namespace.to_owned(),
                None if cluster_scoped => "default".to_owned(),
                _ => id.namespace.clone(),
            },
            api_version: versions.max().unwrap_or_else(|| format!("{}/v1beta2", capi::GROUP)),
        })
    }

    fn claim(&self, name: &str, address: Option<&str>) -> Stored<ClaimObject> {
        let annotations = address.map(|address| (metal3::REQUEST_ANNOTATION.to_owned(), address.to_owned()));
        let namespace = Some(self.namespace.clone()).filter(|namespace| !namespace.is_empty());
        let metadata = ObjectMeta {
            name: name.to_owned(),
            namespace: namespace.clone(),
            annotations: annotations.into_iter().collect(),
            ..ObjectMeta::default()
        };
        let value = match self.kind {
            ClaimKind::IPClaim => ClaimObject::IPClaim(Box::new(metal3::IPClaim {
                api_version: metal3::API_VERSION.to_owned(),
                kind: metal3::CLAIM_KIND.to_owned(),
                metadata,
                spec: metal3::IPClaimSpec {
                    pool: ObjectReference {
                        api_version: Some(metal3::API_VERSION.to_owned()),
                        kind: Some(metal3::POOL_KIND.to_owned()),
                        name: self.id.name.clone(),
                        namespace,
                    },
                },
                status: None,
            })),
            ClaimKind::IPAddressClaim => ClaimObject::IPAddressClaim(Box::new(capi::IPAddressClaim {
                api_version: self.api_version.clone(),
                kind: capi::CLAIM_KIND.to_owned(),
                metadata,
                spec: capi::IPAddressClaimSpec {
                    cluster_name: None,
                    pool_ref: capi::PoolReference {
                        api_group: if self.id.kind == metal3::POOL_KIND {
                            metal3::GROUP
                        } else {
                            in_cluster::GROUP
                        }
                        .to_owned(),
                        kind: self.id.kind.to_owned(),
                        name: self.id.name.clone(),
                    },
                },
                status: None,
            })),
        };
        Stored {
            value,
            namespace: self.namespace.clone(),
            object: None,
            place: 0,
        }
    }
}
