//! Takes the Deployments of a cluster, says whether metal3's own manager runs: two managers must not serve the same pools,
//! because metal3's overwrites `status.indexes` from its cache.

use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;
use kube::api::{Api, ListParams};

use super::call::Trouble;

/// What metal3 calls its Deployment, in whatever namespace.
const MANAGER: &str = "ipam-controller-manager";
/// What our image is called, wherever it is stored.
const OURS: &str = "capv-ipam";

/// The namespace in which metal3's manager runs, if it does.
///
/// # Errors
/// Those of the API server; without the right to look nothing is found.
pub(super) async fn find(client: &Client) -> Result<Option<String>, Trouble> {
    let api: Api<Deployment> = Api::all(client.clone());
    let named = ListParams::default().fields(&format!("metadata.name={MANAGER}"));
    let list = match api.list(&named).await.map_err(Trouble::from) {
        Ok(list) => list,
        Err(Trouble::Forbidden(_) | Trouble::Missing) => return Ok(None),
        Err(trouble) => return Err(trouble),
    };
    let rival = list
        .items
        .into_iter()
        .find(|deployment| runs(deployment) && !is_ours(deployment));
    Ok(rival.and_then(|deployment| deployment.metadata.namespace))
}

/// Whether it has pods, or is to have some: the last one may still be writing after the Deployment was scaled to 0.
fn runs(deployment: &Deployment) -> bool {
    let spec = deployment.spec.as_ref();
    let status = deployment.status.as_ref();
    spec.is_some_and(|spec| spec.replicas.unwrap_or(1) > 0)
        || status.is_some_and(|status| status.replicas.unwrap_or(0) > 0)
}

fn is_ours(deployment: &Deployment) -> bool {
    let pod = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let mut images = pod
        .into_iter()
        .flat_map(|pod| &pod.containers)
        .filter_map(|container| container.image.as_deref());
    images.any(|image| {
        let name = image.rsplit('/').next().unwrap_or(image);
        name.split([':', '@']).next() == Some(OURS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(image: &str, replicas: i32) -> Deployment {
        serde_json::from_value(json!({
            "metadata": {"name": MANAGER},
            "spec": {
                "replicas": replicas, "selector": {}, "template": {"spec": {"containers": [{"name": "manager", "image": image}]}},
            },
        }))
        .unwrap()
    }

    #[test]
    fn metal3s_image_is_a_rival_and_ours_is_none() {
        let theirs = deployment("quay.io/metal3-io/ip-address-manager:main", 1);
        assert!(runs(&theirs) && !is_ours(&theirs));
        assert!(is_ours(&deployment(
            "registry.example.com:5000/tools/capv-ipam:0.1.0",
            1
        )));
        assert!(is_ours(&deployment("capv-ipam@sha256:00", 1)));
        let mut stopped = deployment("quay.io/metal3-io/ip-address-manager:main", 0);
        assert!(!runs(&stopped));
        stopped.status = Some(serde_json::from_value(json!({"replicas": 1})).unwrap());
        assert!(runs(&stopped), "its last pod still ends");
    }
}
