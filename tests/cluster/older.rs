//! The same roles beside older systems: Cluster API 1.5, CAPV 1.8 and metal3 1.2, which serve older versions.

use std::sync::OnceLock;

use serde_json::json;

use crate::api_server::ApiServer;
use crate::bench::{Bench, CLAIM, eventually, pool, run, shown};

const CLUSTER: (&str, &str) = ("cluster.x-k8s.io/v1beta1", "Cluster");
const MACHINE: (&str, &str) = ("infrastructure.cluster.x-k8s.io/v1beta1", "VSphereMachine");
const TEMPLATE: (&str, &str) = ("infrastructure.cluster.x-k8s.io/v1beta1", "VSphereMachineTemplate");
const CAPI_CLAIM: (&str, &str) = ("ipam.cluster.x-k8s.io/v1alpha1", "IPAddressClaim");

/// The server with the CRDs of `old`, which the tests of this binary share.
pub(crate) fn server() -> Option<&'static ApiServer> {
    static SERVER: OnceLock<Option<ApiServer>> = OnceLock::new();
    SERVER.get_or_init(|| ApiServer::start("old")).as_ref()
}

#[test]
fn older_versions_are_served_in_their_own_forms() {
    let Some(server) = server() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.create(pool("p", "192.0.2.10", "192.0.2.11")).await;
        let cluster = bench
            .create(json!({"apiVersion": CLUSTER.0, "kind": CLUSTER.1, "metadata": {"name": "c"}}))
            .await;
        bench
            .create(json!({
                "apiVersion": TEMPLATE.0, "kind": TEMPLATE.1,
                "metadata": {"name": "t", "labels": {"cluster.x-k8s.io/ip-pool-name": "p"}},
                "spec": {"template": {"spec": {"template": "image", "network": {"devices": [{"networkName": "Public"}]}}}},
            }))
            .await;
        let owner = bench
            .create(json!({
                "apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Machine",
                "metadata": {"name": "m", "ownerReferences": [
                    {"apiVersion": CLUSTER.0, "kind": CLUSTER.1, "name": "c", "uid": cluster.metadata.uid}]},
                "spec": {"clusterName": "c", "bootstrap": {"dataSecretName": "x"}, "infrastructureRef": {
                    "apiVersion": MACHINE.0, "kind": MACHINE.1, "name": "m"}},
            }))
            .await;
        bench
            .create(json!({
                "apiVersion": MACHINE.0, "kind": MACHINE.1,
                "metadata": {
                    "name": "m",
                    "labels": {"cluster.x-k8s.io/cluster-name": "c", "cluster.x-k8s.io/control-plane": ""},
                    "annotations": {"cluster.x-k8s.io/cloned-from-name": "t"},
                    "ownerReferences": [
                        {"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Machine", "name": "m", "uid": owner.metadata.uid}],
                },
                "spec": {"template": "image", "network": {"devices": [{"networkName": "Public"}]}},
            }))
            .await;
        let machine = eventually("the machine is served", async || {
            let machine = bench.get(MACHINE, "m").await?;
            machine.data["spec"]["network"]["devices"][0].get("ipAddrs")?;
            Some(machine)
        })
        .await;
        assert_eq!(
            machine.data["spec"]["network"]["devices"][0]["ipAddrs"],
            json!(["192.0.2.10/24"])
        );
        assert!(bench.shown(CLAIM, "m-0").await.is_some());
        for name in ["x", "y"] {
            bench
                .create(json!({
                    "apiVersion": CAPI_CLAIM.0, "kind": CAPI_CLAIM.1, "metadata": {"name": name},
                    "spec": {"poolRef": {"apiGroup": "ipam.metal3.io", "kind": "IPPool", "name": "p"}},
                }))
                .await;
        }
        let conditions = eventually("one is bound and one refused", async || {
            let claims = bench.list(CAPI_CLAIM).await;
            let said: Vec<_> = claims
                .iter()
                .filter_map(|claim| claim.data.pointer("/status/conditions/0").cloned())
                .collect();
            (said.len() == 2).then_some((claims, said))
        })
        .await;
        let (claims, said) = conditions;
        assert_eq!(claims.iter().filter_map(shown).count(), 1);
        let mut told: Vec<_> = said
            .iter()
            .map(|c| (c["status"].clone(), c["reason"].clone(), c.get("severity").cloned()))
            .collect();
        told.sort_by_key(|(status, ..)| status.to_string());
        assert_eq!(told[0], (json!("False"), json!("PoolExhausted"), Some(json!("Error"))));
        assert_eq!(told[1], (json!("True"), json!("Ready"), None));
    });
}
