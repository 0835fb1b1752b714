//! Takes the YAML beside a recording and gives the manifest of its cluster; what it does not know fails.

use serde::Deserialize;

/// What was recorded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shape {
    pub(crate) binding: String,
    pub(crate) groups: Vec<Group>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) replicas: u32,
    /// A number or a percentage.
    #[serde(alias = "maxSurge")]
    surge: Option<Amount>,
    /// A number or a percentage; none is the default.
    #[serde(alias = "maxUnavailable")]
    unavailable: Option<Amount>,
    /// `OnDelete`, where it is not a roll-out.
    strategy: Option<String>,
    /// NICs of each machine on each of its pools.
    #[serde(default = "one")]
    nics: usize,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Amount {
    Number(u32),
    Text(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pool {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    pub(crate) addresses: Vec<String>,
    /// `random`, where it is not sequential (metal3).
    #[serde(alias = "allocationStrategy")]
    strategy: Option<String>,
    /// The length of the prefix in bits.
    prefix: Option<u8>,
    gateway: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) t_s: f64,
    pub(crate) event: String,
    pub(crate) expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Expect {
    Word(String),
    Stuck(Stuck),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stuck {
    /// The pool, or all the pools.
    pub(crate) stuck: OneOrMore,
    /// Where it was recorded.
    pub(crate) needed: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Stuck {
    pub(crate) fn pools(&self) -> Vec<&str> {
        match &self.stuck {
            OneOrMore::One(pool) => vec![pool],
            OneOrMore::More(pools) => pools.iter().map(String::as_str).collect(),
        }
    }
}

fn one() -> usize {
    1
}

impl std::fmt::Display for Amount {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Amount::Number(number) => number.fmt(out),
            Amount::Text(text) => write!(out, "{text:?}"),
        }
    }
}

impl Shape {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let shape: Shape = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        for step in &shape.steps {
            if matches!(&step.expect, Expect::Word(word) if word != "done") {
                return Err(format!("expect is {:?}", step.expect));
            }
        }
        for group in shape.pools.iter().flat_map(|pool| &pool.groups) {
            if !shape.groups.iter().any(|known| known.name == *group) {
                return Err(format!("a pool has the group {group}, which there is not"));
            }
        }
        Ok(shape)
    }

    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    fn pools_of(&self, group: &Group) -> Vec<&Pool> {
        let serves = |pool: &&Pool| pool.groups.contains(&group.name);
        self.pools.iter().filter(serves).collect()
    }

    /// The manifest whose cluster was recorded.
    pub(crate) fn manifest(&self, cluster: &str) -> Result<String, String> {
        let control_plane = self.groups.iter().find(|group| group.role == "control-plane");
        let control_plane = control_plane.ok_or("there is no control plane")?;
        let mut out = format!(
            "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {{name: {cluster}, namespace: default}}\n\
             spec:\n  controlPlaneRef: {{apiVersion: controlplane.cluster.x-k8s.io/v1beta1, kind: {}, name: {}}}\n  \
             infrastructureRef: {{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereCluster, name: {cluster}}}\n\
             ---\napiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereCluster\n\
             metadata: {{name: {cluster}, namespace: default}}\nspec: {{controlPlaneEndpoint: {{host: 10.255.255.254, port: 6443}}}}\n",
            control_plane.kind, control_plane.name
        );
        for pool in &self.pools {
            out += &pool.object()?;
        }
        for group in &self.groups {
            out += &group.object(cluster)?;
            out += &self.template(group)?;
        }
        Ok(out)
    }

    fn template(&self, group: &Group) -> Result<String, String> {
        let pools = self.pools_of(group);
        let mut label = String::new();
        let mut nics = String::new();
        match (&*self.binding, &pools[..]) {
            ("label", []) | ("addressesFromPools", []) => nics += "{networkName: lan}",
            ("label", [pool]) => {
                label = format!(", labels: {{cluster.x-k8s.io/ip-pool-name: {}}}", pool.name);
                nics = vec!["{networkName: lan}"; group.nics].join(", ");
            }
            ("label", _) => return Err(format!("{} has several pools under the label", group.name)),
            ("addressesFromPools", pools) => {
                let each = pools.iter().flat_map(|pool| std::iter::repeat_n(pool, group.nics));
                let nic = |pool: &&Pool| {
                    let api_group = if pool.kind == "IPPool" {
                        "ipam.metal3.io"
                    } else {
                        "ipam.cluster.x-k8s.io"
                    };
                    format!(
                        "{{networkName: lan, addressesFromPools: [{{apiGroup: {api_group}, kind: {}, name: {}}}]}}",
                        pool.kind, pool.name
                    )
                };
                nics = each.map(nic).collect::<Vec<_>>().join(", ");
            }
            (binding, _) => return Err(format!("binding is {binding}")),
        }
        Ok(format!(
            "---\napiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereMachineTemplate\n\
             metadata: {{name: {}, namespace: default{label}}}\nspec: {{template: {{spec: {{network: {{devices: [{nics}]}}}}}}}}\n",
            group.name
        ))
    }
}

impl Pool {
    fn object(&self) -> Result<String, String> {
        let name = &self.name;
        let (head, namespace) = match &*self.kind {
            "IPPool" => ("ipam.metal3.io/v1alpha1", ", namespace: default"),
            "InClusterIPPool" => ("ipam.cluster.x-k8s.io/v1alpha2", ", namespace: default"),
            "GlobalInClusterIPPool" => ("ipam.cluster.x-k8s.io/v1alpha2", ""),
            kind => return Err(format!("a pool's kind is {kind}")),
        };
        let is_v6 = self.addresses.iter().any(|range| range.contains(':'));
        let prefix = self.prefix.unwrap_or(if is_v6 { 64 } else { 24 });
        let mut out = format!(
            "---\napiVersion: {head}\nkind: {}\nmetadata: {{name: {name}{namespace}}}\nspec:\n  prefix: {prefix}\n",
            self.kind
        );
        if let Some(gateway) = &self.gateway {
            out += &format!("  gateway: \"{gateway}\"\n");
        }
        if self.kind != "IPPool" {
            if self.strategy.is_some() {
                return Err(format!("{name} has a strategy, which only an IPPool has"));
            }
            let addresses: Vec<String> = self.addresses.iter().map(|range| format!("{range:?}")).collect();
            return Ok(out + &format!("  addresses: [{}]\n", addresses.join(", ")));
        }
        out += &format!("  namePrefix: {name}\n");
        if let Some(strategy) = &self.strategy {
            out += &format!("  allocationStrategy: {strategy}\n");
        }
        out += "  pools:\n";
        for range in &self.addresses {
            let (start, end) = range.split_once('-').unwrap_or((range, range));
            out += &format!("  - {{start: \"{start}\", end: \"{end}\"}}\n");
        }
        Ok(out)
    }
}

impl Group {
    fn object(&self, cluster: &str) -> Result<String, String> {
        let Group {
            kind, name, replicas, ..
        } = self;
        let reference = format!(
            "{{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereMachineTemplate, name: {name}}}"
        );
        let mut rolling = Vec::new();
        rolling.extend(self.surge.as_ref().map(|surge| format!("maxSurge: {surge}")));
        rolling.extend(
            self.unavailable
                .as_ref()
                .map(|missing| format!("maxUnavailable: {missing}")),
        );
        let strategy = match self.strategy.as_deref() {
            None | Some("RollingUpdate") => format!("{{rollingUpdate: {{{}}}}}", rolling.join(", ")),
            Some("OnDelete") => "{type: OnDelete}".to_owned(),
            Some(strategy) => return Err(format!("the strategy of {name} is {strategy}")),
        };
        let (api, spec) = match (&*self.role, &**kind) {
            ("worker", "MachineDeployment") => (
                "cluster.x-k8s.io/v1beta1",
                format!(
                    "strategy: {strategy}, template: {{spec: {{clusterName: {cluster}, infrastructureRef: {reference}}}}}"
                ),
            ),
            ("worker", "MachineSet") => (
                "cluster.x-k8s.io/v1beta1",
                format!("template: {{spec: {{clusterName: {cluster}, infrastructureRef: {reference}}}}}"),
            ),
            ("control-plane", kind) if kind.ends_with("ControlPlane") => (
                "controlplane.cluster.x-k8s.io/v1beta1",
                format!("rolloutStrategy: {strategy}, machineTemplate: {{infrastructureRef: {reference}}}"),
            ),
            ("etcd", kind) if kind.starts_with("Etcd") => (
                "etcdcluster.cluster.x-k8s.io/v1beta1",
                format!("infrastructureTemplate: {reference}"),
            ),
            (role, kind) => return Err(format!("{name} is a {kind} with the role {role}")),
        };
        Ok(format!(
            "---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}, namespace: default, \
             labels: {{cluster.x-k8s.io/cluster-name: {cluster}}}}}\nspec: {{clusterName: {cluster}, replicas: {replicas}, {spec}}}\n"
        ))
    }
}
