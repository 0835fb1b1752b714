//! The flags that fill the configuration; each is the kebab-case of its key.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

/// What is wanted.
#[derive(Debug, Args)]
pub(super) struct Wanted {
    /// File with StaticAddressing documents, one for each cluster; may be repeated
    #[arg(long = "config", value_name = "FILE", help_heading = "Configuration")]
    pub(super) configs: Vec<PathBuf>,
    /// Name of the Cluster; needed when the manifest has several
    #[arg(long, value_name = "NAME", help_heading = "Configuration")]
    pub(super) cluster: Option<String>,
    /// How machines find their pool: a label on the template, or addressesFromPools on the NIC
    /// (label: a controller must serve it; addressesFromPools: CAPV 1.5 or later) [default: label]
    #[arg(long, value_name = "label|addressesFromPools", help_heading = "Configuration")]
    binding: Option<String>,
    /// Kind of the pool that is written [default: IPPool]
    #[arg(long, value_name = "IPPool|InClusterIPPool", help_heading = "Configuration")]
    pool_kind: Option<String>,
    /// What happens to kube-vip; remove it when an external load balancer carries the VIP [default: keep]
    #[arg(long, value_name = "keep|remove", help_heading = "Configuration")]
    kube_vip: Option<String>,
    /// Copy each chosen template under a new name and move every reference, for clusters that exist already
    #[arg(long, help_heading = "Configuration")]
    rename_templates: bool,
    /// Addresses wanted beyond replicas and surge [default: 0]
    #[arg(long, value_name = "N", help_heading = "Configuration")]
    headroom: Option<u32>,
    #[command(flatten)]
    pool: Pool,
}

/// One pool.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pool (one; several stand in a --config)")]
struct Pool {
    /// Machine groups that the pool serves: control-plane, workers, all, KIND/NAME, template/NAME
    #[arg(long, value_delimiter = ',', value_name = "SELECTOR,…")]
    machines: Vec<String>,
    /// Ranges, CIDRs and single addresses
    #[arg(long, value_delimiter = ',', value_name = "ADDRESSES,…")]
    addresses: Vec<String>,
    /// Length of the network's prefix in bits, for example 27
    #[arg(long, value_name = "BITS")]
    prefix: Option<String>,
    /// Default gateway
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<String>,
    /// Name servers
    #[arg(long, value_delimiter = ',', value_name = "ADDRESS,…")]
    dns_servers: Vec<String>,
    /// DNS search domains
    #[arg(long, value_delimiter = ',', value_name = "DOMAIN,…")]
    search_domains: Vec<String>,
    /// networkName of the NICs that get an address; needed when a template has several NICs
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
    /// Name of the pool [default: <cluster>-<selector>-pool]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What address objects are called before the address [default: the pool's name]
    #[arg(long, value_name = "PREFIX")]
    name_prefix: Option<String>,
    /// Addresses for claims that are known by name
    #[arg(long, value_delimiter = ',', value_name = "CLAIM=ADDRESS,…")]
    pre_allocations: Vec<String>,
}

impl Wanted {
    /// The `spec` that the flags give, with the keys of `backends` that others gave; empty without flags.
    pub(super) fn spec(&self, backends: &Map<String, Value>) -> Value {
        let mut spec = Map::new();
        let texts = [
            ("cluster", &self.cluster),
            ("binding", &self.binding),
            ("poolKind", &self.pool_kind),
            ("kubeVip", &self.kube_vip),
        ];
        for (key, text) in texts {
            spec.extend(text.iter().map(|text| (key.to_owned(), json!(text))));
        }
        if self.rename_templates {
            spec.insert("renameTemplates".into(), json!(true));
        }
        if let Some(headroom) = self.headroom {
            spec.insert("headroom".into(), json!(headroom));
        }
        let pool = self.pool.value();
        if !pool.is_empty() {
            spec.insert("pools".into(), json!([pool]));
        }
        if !backends.is_empty() {
            spec.insert("backends".into(), json!(backends));
        }
        Value::Object(spec)
    }
}

impl Wanted {
    /// Whether no flag wants anything.
    pub(super) fn is_empty(&self) -> bool {
        self.spec(&Map::new()).as_object().is_some_and(Map::is_empty)
    }

    /// Whether nothing is wanted but a cluster.
    pub(super) fn only_cluster(&self) -> bool {
        let spec = self.spec(&Map::new());
        spec.as_object()
            .is_some_and(|spec| spec.len() == 1 && spec.contains_key("cluster"))
    }
}

impl Pool {
    fn value(&self) -> Map<String, Value> {
        let mut pool = Map::new();
        let lists = [
            ("machines", &self.machines),
            ("addresses", &self.addresses),
            ("dnsServers", &self.dns_servers),
            ("searchDomains", &self.search_domains),
        ];
        for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            let items: Vec<&str> = list.iter().map(|item| item.trim()).collect();
            pool.insert(key.to_owned(), json!(items));
        }
        let texts = [
            ("network", &self.network),
            ("gateway", &self.gateway),
            ("name", &self.name),
            ("namePrefix", &self.name_prefix),
        ];
        for (key, text) in texts {
            pool.extend(text.iter().map(|text| (key.to_owned(), json!(text))));
        }
        if let Some(prefix) = &self.prefix {
            // What is no number goes on as text: the configuration's reader says what is wrong with it.
            pool.insert(
                "prefix".into(),
                prefix.parse::<u64>().map_or_else(|_| json!(prefix), |bits| json!(bits)),
            );
        }
        if !self.pre_allocations.is_empty() {
            let pairs = self
                .pre_allocations
                .iter()
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            pool.insert(
                "preAllocations".into(),
                pairs
                    .map(|(claim, address)| (claim.to_owned(), json!(address)))
                    .collect(),
            );
        }
        pool
    }
}
