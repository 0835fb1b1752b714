//! Takes a way to a cluster, gives the objects that `status` reads, each kind in the version that is served; never writes.

use kube::Client;
use kube::core::Request;
use kube::core::params::ListParams;
use serde_json::Value;

use super::call::{PAGE, Readiness, Trouble, readiness};
use super::kinds::{CLUSTER_GROUP, INFRASTRUCTURE_GROUP};
use crate::api::{capi, metal3};

/// The kinds, by group and plural.
const KINDS: [(&str, &str); 7] = [
    (CLUSTER_GROUP, "clusters"),
    (CLUSTER_GROUP, "machines"),
    (INFRASTRUCTURE_GROUP, "vspheremachines"),
    (metal3::GROUP, "ipclaims"),
    (metal3::GROUP, "ipaddresses"),
    (capi::GROUP, "ipaddressclaims"),
    (capi::GROUP, "ipaddresses"),
];

/// The groups without which there is no tree; a pool's provider may be absent.
const NEEDED: [&str; 2] = [CLUSTER_GROUP, INFRASTRUCTURE_GROUP];

/// What could be read.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The objects.
    pub objects: Vec<Value>,
    /// Kinds that are not served or may not be read, with what is known about that.
    pub unread: Vec<String>,
}

/// Every object of these kinds, in one namespace or in all. What cannot be read is named.
///
/// # Errors
/// An API server that is not ready or serves no Clusters; those of the API server and of the way to it.
pub async fn snapshot(client: &Client, namespace: Option<&str>) -> Result<Snapshot, Trouble> {
    if readiness(client).await == Readiness::Not {
        return Err(Trouble::Unavailable("the API server is not ready".into()));
    }
    let groups = client.list_api_groups().await?;
    if !groups.groups.iter().any(|offered| offered.name == CLUSTER_GROUP) {
        let problem = format!("the API server does not serve {CLUSTER_GROUP}: it is no management cluster, or not yet");
        return Err(Trouble::Unavailable(problem));
    }
    let mut snapshot = Snapshot::default();
    for (group, plural) in KINDS {
        let offered = groups.groups.iter().find(|offered| offered.name == group);
        let preferred = offered.and_then(|offered| offered.preferred_version.as_ref());
        let Some(version) = preferred else {
            if NEEDED.contains(&group) {
                snapshot.unread.push(format!("{group} is not served"));
            }
            continue;
        };
        let inside = namespace
            .map(|namespace| format!("namespaces/{namespace}/"))
            .unwrap_or_default();
        let request = Request::new(format!("/apis/{}/{inside}{plural}", version.group_version));
        match list(client, &request).await {
            Ok(items) => snapshot.objects.extend(items),
            Err(Trouble::Missing) if NEEDED.contains(&group) => {
                snapshot.unread.push(format!("{plural}.{group} is not served"));
            }
            Err(Trouble::Missing) => {}
            Err(Trouble::Forbidden(said)) => snapshot.unread.push(said),
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(snapshot)
}

async fn list(client: &Client, request: &Request) -> Result<Vec<Value>, Trouble> {
    let mut objects = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let request = request
            .list(&params)
            .map_err(|error| Trouble::Refused(error.to_string()))?;
        let mut page: Value = client.request(request).await?;
        if let Some(items) = page.get_mut("items").and_then(Value::as_array_mut) {
            objects.append(items);
        }
        let token = page
            .pointer("/metadata/continue")
            .and_then(Value::as_str)
            .filter(|token| !token.is_empty());
        match token {
            Some(token) => params.continue_token = Some(token.to_owned()),
            None => return Ok(objects),
        }
    }
}
