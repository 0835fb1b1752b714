//! Takes what the API server says it serves, gives for each kind that the controller uses the newest version that it
//! understands; never assumes that a kind is there.

use std::collections::BTreeMap;

use kube::Client;
use kube::core::Request;

use super::call::Trouble;
use crate::api::{capi, metal3};

/// A kind of object that the controller reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// metal3's IPPool.
    Pool,
    /// metal3's IPClaim.
    Claim,
    /// metal3's IPAddress.
    Address,
    /// Cluster API's IPAddressClaim.
    ClusterApiClaim,
    /// Cluster API's IPAddress.
    ClusterApiAddress,
    /// Cluster API's Cluster.
    Cluster,
    /// CAPV's VSphereMachine.
    Machine,
    /// CAPV's VSphereMachineTemplate.
    Template,
    /// CAPV's VSphereCluster.
    VSphereCluster,
}

/// The group of Cluster API's own kinds.
pub(super) const CLUSTER_GROUP: &str = "cluster.x-k8s.io";
/// The group of CAPV's kinds; the supervisor flavour has kinds of the same names in another group.
pub(super) const INFRASTRUCTURE_GROUP: &str = "infrastructure.cluster.x-k8s.io";

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Pool,
        Self::Claim,
        Self::Address,
        Self::ClusterApiClaim,
        Self::ClusterApiAddress,
        Self::Cluster,
        Self::Machine,
        Self::Template,
        Self::VSphereCluster,
    ];

    /// Group, kind and plural.
    #[must_use]
    pub const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Pool => (metal3::GROUP, metal3::POOL_KIND, "ippools"),
            Self::Claim => (metal3::GROUP, metal3::CLAIM_KIND, "ipclaims"),
            Self::Address => (metal3::GROUP, metal3::ADDRESS_KIND, "ipaddresses"),
            Self::ClusterApiClaim => (capi::GROUP, capi::CLAIM_KIND, "ipaddressclaims"),
            Self::ClusterApiAddress => (capi::GROUP, capi::ADDRESS_KIND, "ipaddresses"),
            Self::Cluster => (CLUSTER_GROUP, "Cluster", "clusters"),
            Self::Machine => (INFRASTRUCTURE_GROUP, "VSphereMachine", "vspheremachines"),
            Self::Template => (
                INFRASTRUCTURE_GROUP,
                "VSphereMachineTemplate",
                "vspheremachinetemplates",
            ),
            Self::VSphereCluster => (INFRASTRUCTURE_GROUP, "VSphereCluster", "vsphereclusters"),
        }
    }

    /// The versions that the controller understands, newest first.
    const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::Pool | Self::Claim | Self::Address => &["v1alpha1"],
            Self::ClusterApiClaim | Self::ClusterApiAddress => &["v1beta2", "v1beta1", "v1alpha1"],
            Self::Cluster | Self::Machine | Self::Template | Self::VSphereCluster => {
                &["v1beta2", "v1beta1", "v1alpha4"]
            }
        }
    }

    /// Whether the controller can do its work without the kind.
    #[must_use]
    pub const fn is_optional(self) -> bool {
        !matches!(self, Self::Pool | Self::Claim | Self::Address)
    }

    /// What a metric calls the kind.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pool => "ippool",
            Self::Claim => "ipclaim",
            Self::Address => "metal3_ipaddress",
            Self::ClusterApiClaim => "ipaddressclaim",
            Self::ClusterApiAddress => "ipaddress",
            Self::Cluster => "cluster",
            Self::Machine => "vspheremachine",
            Self::Template => "vspheremachinetemplate",
            Self::VSphereCluster => "vspherecluster",
        }
    }
}

/// The kinds that are served, with the `group/version` to use.
#[derive(Clone, Debug, Default)]
pub struct Served(BTreeMap<Kind, String>);

impl Served {
    /// Asks for every group once. A group that is absent or that may not be read leaves its kinds out.
    ///
    /// # Errors
    /// Those of the API server and of the way to it, but for 403 and 404.
    pub async fn discover(client: &Client, wanted: &[Kind]) -> Result<Self, Trouble> {
        let mut served = Self::default();
        let groups = client.list_api_groups().await?;
        let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for &kind in wanted {
            let (group, _, plural) = kind.names();
            let offered = groups.groups.iter().find(|offered| offered.name == group);
            for version in kind.versions() {
                let there = offered.is_some_and(|o| o.versions.iter().any(|v| v.version == *version));
                if !there {
                    continue;
                }
                let group_version = format!("{group}/{version}");
                if !asked.contains_key(&group_version) {
                    let plurals = match client
                        .list_api_group_resources(&group_version)
                        .await
                        .map_err(Trouble::from)
                    {
                        Ok(list) => list.resources.into_iter().map(|resource| resource.name).collect(),
                        Err(Trouble::Missing | Trouble::Forbidden(_)) => Vec::new(),
                        Err(trouble) => return Err(trouble),
                    };
                    asked.insert(group_version.clone(), plurals);
                }
                if asked[&group_version].iter().any(|offered| offered == plural) {
                    served.0.insert(kind, group_version);
                    break;
                }
            }
        }
        Ok(served)
    }

    /// A kind in the newest version that is understood, without asking.
    pub(super) fn only(kind: Kind) -> Self {
        let version = format!("{}/{}", kind.names().0, kind.versions()[0]);
        Self([(kind, version)].into())
    }

    /// The `group/version` in which objects of the kind are read and written.
    #[must_use]
    pub fn api_version(&self, kind: Kind) -> Option<&str> {
        self.0.get(&kind).map(String::as_str)
    }

    /// The kinds that are there.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        self.0.keys().copied()
    }

    /// The request maker for a kind's objects in one namespace, or in all.
    pub(super) fn request(&self, kind: Kind, namespace: Option<&str>) -> Result<Request, Trouble> {
        let mut path = format!("/apis/{}", self.0.get(&kind).ok_or(Trouble::Missing)?);
        if let Some(namespace) = namespace {
            path.push_str("/namespaces/");
            path.push_str(namespace);
        }
        path.push('/');
        path.push_str(kind.names().2);
        Ok(Request::new(path))
    }
}
