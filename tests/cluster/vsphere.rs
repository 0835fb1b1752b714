//! CAPV's own controllers beside Cluster API's, with a vCenter that is govmomi's simulator: what a VM is told by its metadata
//! is what its machine was given, and no two VMs that run have one address.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::api::DynamicObject;

use crate::api_server::{ApiServer, Supervised, free_port};
use crate::bench::{Bench, CAPI_ADDRESS, CAPI_CLAIM, run};
use crate::capv::{MACHINE, devices};
use crate::kubelet::Kubelets;
use crate::manager;
use crate::workload::{Management, Place};

/// A vCenter, and CAPV's manager, both ending with this value.
struct Vsphere {
    vcenter: String,
    log: PathBuf,
    _vcenter: Supervised,
    _manager: Supervised,
}

impl Vsphere {
    /// Starts what `tests/cluster/vcenter/build` made.
    fn start(server: &ApiServer, folder: &Path) -> Self {
        let own = server.path("vsphere");
        std::fs::create_dir_all(&own).unwrap();
        manager::certificate(&own);
        std::fs::write(own.join("credentials.yaml"), "username: user\npassword: pass\n").unwrap();
        let vcenter = format!("127.0.0.1:{}", free_port());
        let log = own.join("vcenter.log");
        let simulator = Supervised::start(&folder.join("vcenter"), &[format!("--listen={vcenter}")], &log);
        let arguments = [
            format!("--credentials-file={}", own.join("credentials.yaml").display()),
            "--leader-elect=false".into(),
        ];
        let manager = manager::start(&folder.join("capv"), server, &own, &arguments);
        Self {
            vcenter,
            log,
            _vcenter: simulator,
            _manager: manager,
        }
    }

    /// The lines that begin with a word.
    fn lines(&self, word: &str) -> Vec<String> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        let lines = text.lines().filter(|line| line.starts_with(word));
        lines.map(ToOwned::to_owned).collect()
    }
}

/// The address that the machine was given: written into it, or claimed for its VSphereVM; none where it has just gone.
async fn address(bench: &Bench, machine: &DynamicObject) -> Option<String> {
    if let Some(address) = devices(machine)[0]["ipAddrs"][0].as_str() {
        return Some(address.split('/').next()?.to_owned());
    }
    let claim = format!("{}-0-0", machine.metadata.name.as_deref()?);
    let shown = bench.shown(CAPI_CLAIM, &claim).await?;
    let object = bench.get(CAPI_ADDRESS, &shown).await?;
    Some(object.data["spec"]["address"].as_str()?.to_owned())
}

/// Brings up the nodes of the VMs that run, for ever; checks that each runs with its machine's address.
async fn join(bench: &Bench, vsphere: &Vsphere, joined: &mut BTreeSet<String>) {
    let kubelets = Kubelets(bench);
    let mut number = 0;
    loop {
        let machines = bench.list(MACHINE).await;
        for machine in &machines {
            let name = machine.metadata.name.as_deref().unwrap();
            let Some(provider) = machine.data["spec"]["providerID"].as_str() else {
                continue;
            };
            if machine.metadata.deletion_timestamp.is_none() && !joined.contains(name) {
                let Some(address) = address(bench, machine).await else {
                    continue;
                };
                let runs = format!("runs {name} {address}");
                assert!(vsphere.lines("runs").contains(&runs), "{runs}");
                kubelets.join(machine, provider).await.unwrap();
                joined.insert(name.to_owned());
            }
        }
        let names: BTreeSet<&str> = machines.iter().filter_map(|m| m.metadata.name.as_deref()).collect();
        let gone: Vec<String> = joined
            .iter()
            .filter(|name| !names.contains(name.as_str()))
            .cloned()
            .collect();
        for name in gone {
            kubelets.leave(&name).await;
            joined.remove(&name);
        }
        number += 1;
        kubelets.poke(number).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn play(from_pools: bool) {
    let Some(management) = Management::start() else { return };
    let folder = PathBuf::from(std::env::var_os("CAPI_CONTROLLERS").unwrap());
    let vsphere = Vsphere::start(management.server, &folder);
    let place = Place {
        vcenter: vsphere.vcenter.clone(),
        from_pools,
    };
    run(async {
        let bench = Bench::new(management.server).await;
        let mut joined = BTreeSet::new();
        let played = management.play(&bench, &place, async || join(&bench, &vsphere, &mut joined).await);
        played.await;
    });
    println!("{} VMs ran", vsphere.lines("runs").len());
    assert_eq!(vsphere.lines("TWICE"), [""; 0]);
}

#[test]
#[ignore = "needs the controllers of Cluster API and CAPV: tests/cluster/{providers,vcenter}/build FOLDER, CAPI_CONTROLLERS=FOLDER"]
fn capvs_controllers_run_each_vm_with_the_address_of_its_machine() {
    play(false);
}

#[test]
#[ignore = "needs the controllers of Cluster API and CAPV: tests/cluster/{providers,vcenter}/build FOLDER, CAPI_CONTROLLERS=FOLDER"]
fn capvs_controllers_run_workers_with_the_addresses_that_they_claim_themselves() {
    play(true);
}
