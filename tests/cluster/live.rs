//! Cluster API's own controllers make, replace and delete the machines, while this program is killed again and again. CAPV is
//! simulated: a VM runs as soon as its machine has an address and bootstrap data, and goes a second after its deletion began.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;

use crate::bench::{Bench, run};
use crate::capv::{MACHINE, OWNER, VSPHERE_CLUSTER, devices};
use crate::kubelet::Kubelets;
use crate::workload::{Management, Place};

/// CAPV holds a machine by it until the VM is gone.
const FINALIZER: &str = "vspheremachine.infrastructure.cluster.x-k8s.io";

/// CAPV and vCenter, and the kubelets that the VMs would run.
struct Vms<'b> {
    bench: &'b Bench,
    kubelets: Kubelets<'b>,
    /// The address with which each VM runs, by machine.
    running: BTreeMap<String, String>,
    dying: BTreeMap<String, Instant>,
}

impl Vms<'_> {
    /// Looks at every machine again and again.
    async fn run(&mut self) {
        let mut number = 0;
        loop {
            self.provision().await;
            for machine in self.bench.list(MACHINE).await {
                let done = if machine.metadata.deletion_timestamp.is_some() {
                    self.destroy(&machine).await
                } else {
                    self.bring_up(&machine).await
                };
                if let Err(error) = done {
                    // Somebody else has written meanwhile; there is another look.
                    assert!(
                        error.to_string().contains("modified") || error.to_string().contains("not found"),
                        "{error}"
                    );
                }
            }
            number += 1;
            self.kubelets.poke(number).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    async fn provision(&self) {
        let provisioned = Patch::Merge(json!({"status": {"initialization": {"provisioned": true}}}));
        let api = self.bench.api(VSPHERE_CLUSTER);
        let _ = api.patch_status("c", &PatchParams::default(), &provisioned).await;
    }

    async fn finalizers(&self, machine: &DynamicObject, finalizers: Vec<String>) -> kube::Result<()> {
        let metadata = &machine.metadata;
        let patch = json!({"metadata": {"resourceVersion": metadata.resource_version, "finalizers": finalizers}});
        let api = self.bench.api(MACHINE);
        let name = metadata.name.as_deref().unwrap();
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map(drop)
    }

    async fn destroy(&mut self, machine: &DynamicObject) -> kube::Result<()> {
        let name = machine.metadata.name.clone().unwrap();
        let mut finalizers = machine.metadata.finalizers.clone().unwrap_or_default();
        let began = *self.dying.entry(name.clone()).or_insert_with(Instant::now);
        if !finalizers.iter().any(|own| own == FINALIZER) || began.elapsed() < Duration::from_secs(1) {
            return Ok(());
        }
        self.running.remove(&name);
        self.kubelets.leave(&name).await;
        finalizers.retain(|own| own != FINALIZER);
        self.finalizers(machine, finalizers).await
    }

    async fn bring_up(&mut self, machine: &DynamicObject) -> kube::Result<()> {
        let name = machine.metadata.name.clone().unwrap();
        let mut finalizers = machine.metadata.finalizers.clone().unwrap_or_default();
        if !finalizers.iter().any(|own| own == FINALIZER) {
            finalizers.push(FINALIZER.into());
            return self.finalizers(machine, finalizers).await;
        }
        let Some(address) = devices(machine)[0]["ipAddrs"][0].as_str() else {
            return Ok(());
        };
        let owner = self.bench.get(OWNER, &name).await;
        if owner.is_none_or(|owner| owner.data["spec"]["bootstrap"]["dataSecretName"].is_null()) {
            return Ok(());
        }
        match self.running.get(&name) {
            Some(own) => assert_eq!(own, address, "{name} runs with another address than its machine has"),
            None => {
                let other = self.running.iter().find(|(_, taken)| *taken == address);
                assert_eq!(other, None, "{name} would start with {address}");
                self.running.insert(name.clone(), address.to_owned());
            }
        }
        if machine.data["spec"]["providerID"].is_string() {
            return Ok(());
        }
        self.kubelets.join(machine, &format!("vsphere://{name}")).await?;
        let api = self.bench.api(MACHINE);
        let id = Patch::Merge(json!({"spec": {"providerID": format!("vsphere://{name}")}}));
        api.patch(&name, &PatchParams::default(), &id).await?;
        let up = Patch::Merge(json!({"status": {"initialization": {"provisioned": true}}}));
        api.patch_status(&name, &PatchParams::default(), &up).await.map(drop)
    }
}

#[test]
#[ignore = "needs Cluster API's controllers: tests/cluster/providers/build FOLDER, CAPI_CONTROLLERS=FOLDER"]
fn cluster_apis_controllers_make_the_machines_and_no_vm_gets_anothers_address() {
    let Some(management) = Management::start() else { return };
    run(async {
        let bench = Bench::new(management.server).await;
        let mut vms = Vms {
            bench: &bench,
            kubelets: Kubelets(&bench),
            running: BTreeMap::new(),
            dying: BTreeMap::new(),
        };
        let place = Place {
            vcenter: "vcenter".into(),
            from_pools: false,
        };
        management.play(&bench, &place, async || vms.run().await).await;
    });
}
