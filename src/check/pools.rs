//! Takes pools beside each other and beside the clusters that draw from them, and finds names, namespaces and networks that do not go together; addresses are judged elsewhere.

use std::collections::HashMap;

use super::codes;
use super::finding::{Finding, Place};
use super::model::{JudgedPool, Model, Origin, PoolSpec};
use crate::objects::{Detail, Object, is_placeholder};

/// Findings about pools beside other objects.
pub(super) fn pools(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    twice(model, findings);
    twice_beside_wanted(model, findings);
    name_prefixes(model, findings);
    for pool in model
        .pools
        .iter()
        .filter(|pool| matches!(pool.origin, Origin::Present(_)))
    {
        if model.concerns_pool(pool) {
            cluster_name(model, pool, findings);
            namespace(model, pool, findings);
            network(model, pool, findings);
        }
    }
}

/// A pool that a configuration writes, of which the manifest has more than the one copy that is replaced.
fn twice_beside_wanted(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    let mut written: HashMap<(&str, &str), Vec<&Object<'_>>> = HashMap::new();
    for object in &model.manifest.objects {
        if let Detail::Pool(detail) = &object.detail {
            let called = written.entry((detail.kind.name(), object.name())).or_default();
            called.push(object);
        }
    }
    for pool in &model.pools {
        let (Origin::Wanted { .. }, Some(name)) = (pool.origin, &pool.name) else {
            continue;
        };
        let called = written.get(&(pool.kind.name(), name.as_str())).into_iter().flatten();
        let copies: Vec<&Object<'_>> = called
            .copied()
            .filter(|object| object.in_namespace(pool.namespace.as_deref()))
            .collect();
        // A wanted pool that names no namespace takes its cluster's; pools of two namespaces are two pools.
        let double = copies.iter().enumerate().find_map(|(place, first)| {
            let mut later = copies[place + 1..].iter();
            Some((first, later.find(|later| later.namespace() == first.namespace())?))
        });
        if let Some((first, last)) = double {
            let message = format!("{last} is in the manifest twice, and the configuration replaces only one of them");
            let finding = model.finding(last, last.name_span(), &codes::POOL_TWICE, message);
            let place = Place {
                source: model.manifest.source_of(first),
                span: first.name_span(),
            };
            findings.push(Finding {
                related: Some((place, "the other one".to_owned())),
                ..finding.help("remove one of them")
            });
        }
    }
}

/// One pool written twice with different contents.
fn twice(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (index, pool) in model.pools.iter().enumerate() {
        if !matches!(pool.origin, Origin::Present(_)) || pool.name.is_none() {
            continue;
        }
        let other = *first.entry(&pool.object).or_insert(index);
        let concerned = model.concerns_pool(pool) || model.concerns_pool(&model.pools[other]);
        if other == index || !concerned || same(&model.pools[other], pool) {
            continue;
        }
        let message = format!("{} is in the manifest twice; the later one wins", pool.title);
        let finding = model.pool_finding(pool, None, &codes::POOL_TWICE, message, "remove or rename one of them");
        let related = model.pool_place(&model.pools[other], None);
        findings.push(Finding {
            related: related.map(|place| (place, "the other one".to_owned())),
            ..finding
        });
    }
}

fn same(one: &JudgedPool, other: &JudgedPool) -> bool {
    match (&one.spec, &other.spec) {
        (PoolSpec::Metal3(one), PoolSpec::Metal3(other)) => one == other,
        (PoolSpec::InCluster(one), PoolSpec::InCluster(other)) => one.spec == other.spec,
        _ => false,
    }
}

/// metal3 names address objects by prefix and address, so that two pools of one namespace must not share both.
fn name_prefixes(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    let mut first: HashMap<(Option<&str>, &str), usize> = HashMap::new();
    for (index, pool) in model.pools.iter().enumerate() {
        let Some(prefix) = pool
            .metal3()
            .map(|spec| &*spec.name_prefix)
            .filter(|prefix| !prefix.is_empty())
        else {
            continue;
        };
        let other = *first.entry((pool.namespace.as_deref(), prefix)).or_insert(index);
        let (pool_one, other_one) = (pool, &model.pools[other]);
        if pool_one.object == other_one.object {
            continue;
        }
        let (ours, theirs) = if model.concerns_pool(pool_one) {
            (pool_one, other_one)
        } else {
            (other_one, pool_one)
        };
        if !model.concerns_pool(ours) {
            continue;
        }
        let message = format!("{} and {} have the namePrefix {prefix}", ours.title, theirs.title);
        let help = "give each pool a namePrefix of its own before it is applied";
        let finding = model.pool_finding(ours, None, &codes::NAME_PREFIX_SHARED, message, help);
        let related = model.pool_place(theirs, None);
        findings.push(Finding {
            related: related.map(|place| (place, "the other pool".to_owned())),
            ..finding
        });
    }
}

/// A clusterName that is not the cluster whose machines draw from the pool.
fn cluster_name(model: &Model<'_, '_>, pool: &JudgedPool, findings: &mut Vec<Finding>) {
    let name = pool.metal3().and_then(|spec| spec.cluster_name.as_deref());
    let Some(name) = name.filter(|name| !is_placeholder(name) && !pool.shared) else {
        return;
    };
    let drawing = || {
        pool.users.iter().filter_map(|(group, _)| {
            let group = &model.groups.all[*group];
            let object = group.cluster.map(|cluster| model.manifest.objects[cluster].name());
            object.or(group.cluster_name)
        })
    };
    let stranger = drawing().find(|cluster| *cluster != name && !is_placeholder(cluster));
    let Some(cluster) = stranger else { return };
    let message = format!(
        "{} says that it belongs to cluster {name}, but {cluster} draws from it",
        pool.title
    );
    let help = if drawing().any(|cluster| cluster == name) {
        "leave clusterName out, or say with the annotation capv-ipam.dev/shared: \"true\" that clusters share the pool; \
         metal3 deletes it with the Cluster that it names"
    } else {
        "correct clusterName: metal3 gives nothing out before that Cluster exists, and deletes the pool with it"
    };
    let path = crate::ipam::FieldPath::of(&["spec", "clusterName"]);
    let finding = model.pool_finding(pool, None, &codes::POOL_CLUSTER, message, help);
    findings.push(Finding {
        place: model.field_place(pool, &path),
        ..finding
    });
}

/// A pool without namespace for a cluster with one, or the reverse.
fn namespace(model: &Model<'_, '_>, pool: &JudgedPool, findings: &mut Vec<Finding>) {
    if pool.kind == crate::objects::PoolKind::GlobalInClusterIPPool {
        return;
    }
    let clusters = pool
        .users
        .iter()
        .filter_map(|(group, _)| model.groups.all[*group].cluster);
    let differs = |cluster: &usize| model.manifest.objects[*cluster].namespace().is_some() != pool.namespace.is_some();
    let Some(cluster) = clusters.into_iter().find(differs) else {
        return;
    };
    let cluster = &model.manifest.objects[cluster];
    let (bare, other) = if pool.namespace.is_some() {
        (cluster.to_string(), &pool.title)
    } else {
        (pool.title.clone(), &cluster.to_string())
    };
    let message =
        format!("{bare} has no namespace, {other} has one: kubectl puts the first into its current namespace");
    let help = "write the same namespace into both";
    let finding = model.pool_finding(pool, None, &codes::NAMESPACE_MISSING, message, help);
    findings.push(finding.with(model.manifest.source_of(cluster), cluster.name_span(), "the cluster"));
}

/// The pool's network label against the networks of the NICs that draw from it.
fn network(model: &Model<'_, '_>, pool: &JudgedPool, findings: &mut Vec<Finding>) {
    let Some((label, span)) = pool.network.as_ref().filter(|(label, _)| !is_placeholder(label)) else {
        return;
    };
    let stranger = pool.users.iter().find_map(|(group, _)| {
        let (index, template) = model.template_of(*group)?;
        let mut taken = model.taken(*group).filter(|taken| taken.pool.object == pool.object);
        taken.find_map(|taken| {
            let network = template.nics[taken.device].network.as_ref()?;
            (!is_network(label, &network.value)).then_some((index, network))
        })
    });
    let Some((template, network)) = stranger else { return };
    let object = &model.manifest.objects[template];
    let message = format!(
        "{} is labelled for the network {label}, {object} is on {}",
        pool.title, network.value
    );
    let finding = model.pool_finding(
        pool,
        None,
        &codes::NETWORK_DIFFERS,
        message,
        "correct the one that is wrong",
    );
    findings.push(Finding {
        place: finding.place.map(|place| super::Place { span: *span, ..place }),
        ..finding.with(model.manifest.source_of(object), network.span, "the network of the NIC")
    });
}

/// A label cannot hold an inventory path or blanks, so its last part counts, and other characters stand for any.
fn is_network(label: &str, network: &str) -> bool {
    let last = network.rsplit('/').next().unwrap_or(network);
    let plain = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|char| char.to_ascii_lowercase()).collect::<String>()
    };
    is_placeholder(network) || plain(label) == plain(last) || plain(label) == plain(network)
}
