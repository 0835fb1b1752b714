//! Finds what a finding about a plan is about in the text that the plan came from: a manifest or a saved plan; gives a place and changes nothing.

use super::finding::About;
use crate::check::Place;
use crate::objects::{Detail, Manifest, Object, Span};
use crate::planning::{AddressPlan, ClusterPlan};
use crate::yaml::{Segment, Tree};

/// The place in a manifest.
#[must_use]
pub fn in_manifest(manifest: &Manifest<'_>, plan: &AddressPlan, about: About) -> Option<Place> {
    let cluster = plan.clusters.get(about.cluster())?;
    let place = |object: &Object<'_>, span: Span| Place {
        source: manifest.source_of(object),
        span,
    };
    let named =
        |object: &&Object<'_>, name: &str| object.name() == name && object.in_namespace(cluster.namespace.as_deref());
    if let About::Group(_, group) = about {
        let group = cluster.groups.get(group)?;
        let found = manifest
            .objects
            .iter()
            .find(|object| object.kind == group.kind && named(object, &group.name));
        return found
            .or_else(|| cluster_object(manifest, cluster))
            .map(|object| place(object, object.name_span()));
    }
    if let (About::Endpoint(_), Some(endpoint)) = (about, &cluster.endpoint) {
        let hosts = manifest.objects.iter().filter_map(|object| match &object.detail {
            Detail::VSphereCluster(Some(host)) => Some((object, host)),
            Detail::Cluster(cluster) => Some((object, cluster.endpoint.as_ref()?)),
            _ => None,
        });
        let found = hosts
            .filter(|(object, host)| host.value == endpoint.host && object.in_namespace(cluster.namespace.as_deref()))
            .map(|(object, host)| place(object, host.span))
            .next();
        if found.is_some() {
            return found;
        }
    }
    cluster_object(manifest, cluster).map(|object| place(object, object.name_span()))
}

fn cluster_object<'m, 'a>(manifest: &'m Manifest<'a>, cluster: &ClusterPlan) -> Option<&'m Object<'a>> {
    let name = cluster.name.as_deref()?;
    manifest.objects.iter().find(|object| {
        matches!(object.detail, Detail::Cluster(_))
            && object.name() == name
            && object.in_namespace(cluster.namespace.as_deref())
    })
}

/// The bytes in a saved plan, whose clusters are counted within this document.
#[must_use]
pub fn in_plan(tree: &Tree<'_>, about: About, cluster: usize) -> Option<std::ops::Range<usize>> {
    let key = |key: &str| Segment::Key(key.to_owned());
    let mut path = vec![key("clusters"), Segment::Index(cluster)];
    match about {
        About::Cluster(_) => path.push(key("name")),
        About::Endpoint(_) => path.extend([key("endpoint"), key("host")]),
        About::Group(_, group) => path.extend([key("groups"), Segment::Index(group), key("name")]),
    }
    Some(tree.span_at(tree.root()?, &path, None))
}
