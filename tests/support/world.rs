//! Manifests and configurations made by chance, with what a run must make of them computed as data.

use serde_json::{Map, Value, json};

use super::tape::Tape;
use super::writer::Writer;

pub(crate) const LABEL: &str = "cluster.x-k8s.io/ip-pool-name";
const NETWORK: &str = "cluster.x-k8s.io/network-name";
const DOMAINS: &str = "cluster.x-k8s.io/dns-search-domains";

/// A machine group with its template.
struct Group {
    kind: &'static str,
    name: String,
    template: String,
    control_plane: bool,
}

struct Cluster {
    name: String,
    namespace: Option<String>,
    groups: Vec<Group>,
}

/// How the objects are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Documents,
    List,
    JsonList,
    JsonDocuments,
}

/// A manifest, a configuration, and what must come out.
pub(crate) struct World {
    pub(crate) objects: Vec<Value>,
    pub(crate) form: Form,
    /// Each object as a document of its own, without marker, for `Form::Documents`.
    pub(crate) pieces: Vec<String>,
    pub(crate) text: String,
    pub(crate) config: String,
    pub(crate) expected: Vec<Value>,
    pub(crate) comments: usize,
    pub(crate) removes_kube_vip: bool,
}

const BAIT: &str = "apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereMachineTemplate\nmetadata:\n  name: red-cp\n  \
                    labels: {}\nspec:\n  template:\n    spec:\n      network:\n        devices:\n        - dhcp4: true\n ---\n# kube-vip\n";
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: kube-vip\nspec:\n  containers:\n  - name: kube-vip\n    \
                   image: ghcr.io/kube-vip/kube-vip:v0.6.4\n    args: [manager]\nstatus: {}\n";

struct Maker<'t> {
    tape: &'t mut Tape,
    /// Every template has one NIC, on one network or another.
    single: bool,
    objects: Vec<Value>,
}

fn metadata(name: &str, namespace: Option<&str>) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".into(), json!(name));
    if let Some(namespace) = namespace {
        metadata.insert("namespace".into(), json!(namespace));
    }
    Value::Object(metadata)
}

impl Maker<'_> {
    fn infrastructure(&mut self) -> &'static str {
        self.tape.one(&["v1beta1", "v1beta2", "v1alpha4", "v1alpha3"])
    }

    fn cluster(&mut self, index: usize, version: &str) -> Cluster {
        let name = ["red", "blue"][index].to_owned();
        let namespace = (self.tape.pick(3) > 0).then(|| format!("ns-{index}"));
        let space = namespace.as_deref();
        self.objects.push(json!({
            "apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Cluster", "metadata": metadata(&name, space),
            "spec": {
                "clusterNetwork": {"pods": {"cidrBlocks": ["192.168.0.0/16"]}},
                "controlPlaneRef": {"apiVersion": "controlplane.cluster.x-k8s.io/v1beta1", "kind": "KubeadmControlPlane", "name": format!("{name}-kcp")},
                "infrastructureRef": {"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": "VSphereCluster", "name": name},
            },
        }));
        self.objects.push(json!({
            "apiVersion": format!("infrastructure.cluster.x-k8s.io/{version}"), "kind": "VSphereCluster", "metadata": metadata(&name, space),
            "spec": {"controlPlaneEndpoint": {"host": format!("192.0.2.{}", 200 + index), "port": 6443}, "thumbprint": ""},
        }));
        let mut groups = vec![self.control_plane(&name, space, version)];
        for worker in 0..self.tape.pick(3) {
            groups.push(self.worker(&name, space, version, worker));
        }
        Cluster {
            name,
            namespace,
            groups,
        }
    }

    fn template(&mut self, name: &str, space: Option<&str>, version: &str) {
        let mut metadata = metadata(name, space);
        let labels = match self.tape.pick(6) {
            1 => Some(json!({})),
            2 => Some(Value::Null),
            3 | 4 => Some(json!({"app": "x", "y": "on"})),
            5 => Some(json!({ LABEL: "an-old-pool" })),
            _ => None,
        };
        if let Some(labels) = labels {
            metadata["labels"] = labels;
        }
        let mut devices = Vec::new();
        for nic in 0..if self.single { 1 } else { 1 + self.tape.pick(3) } {
            let network = match nic {
                0 if self.single => self.tape.one(&["lan", "san"]),
                0 => "lan",
                _ => self.tape.one(&["san", "lan", "VM Network"]),
            };
            let mut device = Map::new();
            if self.tape.pick(2) == 1 {
                device.insert("networkName".into(), json!(network));
            }
            for key in ["dhcp4", "dhcp6"] {
                let value = match self.tape.pick(5) {
                    0 | 1 => json!(true),
                    2 => json!(false),
                    3 => Value::Null,
                    _ => continue,
                };
                device.insert(key.into(), value);
            }
            if self.tape.rarely(4) {
                device.insert("nameservers".into(), json!(["10.0.0.53", "10.0.0.54", "10.0.0.55"]));
            }
            if self.tape.rarely(5) {
                device.insert("mtu".into(), json!(9000));
            }
            device.entry("networkName").or_insert(json!(network));
            devices.push(Value::Object(device));
        }
        let mut body = json!({"cloneMode": "linkedClone", "network": {"devices": devices}, "numCPUs": 4, "template": "ubuntu v1.28"});
        if self.tape.pick(2) == 1 {
            body["network"]["preferredAPIServerCidr"] = json!("");
        }
        self.objects.push(json!({
            "apiVersion": format!("infrastructure.cluster.x-k8s.io/{version}"), "kind": "VSphereMachineTemplate",
            "metadata": metadata, "spec": {"template": {"spec": body}},
        }));
    }

    fn control_plane(&mut self, cluster: &str, space: Option<&str>, version: &str) -> Group {
        let (name, template) = (format!("{cluster}-kcp"), format!("{cluster}-cp"));
        let reference = json!({"apiVersion": format!("infrastructure.cluster.x-k8s.io/{version}"), "kind": "VSphereMachineTemplate", "name": template});
        let (core, mut spec) = match self.tape.pick(3) {
            0 => ("v1beta1", json!({"machineTemplate": {"infrastructureRef": reference}})),
            1 => (
                "v1beta2",
                json!({"machineTemplate": {"spec": {"infrastructureRef": {
                    "apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "VSphereMachineTemplate", "name": template}}}}),
            ),
            _ => ("v1alpha3", json!({"infrastructureTemplate": reference})),
        };
        spec["replicas"] = json!(3);
        let mut config = json!({"clusterConfiguration": {"imageRepository": "registry.k8s.io"}, "users": [{"name": "capv", "sudo": "ALL=(ALL) NOPASSWD:ALL"}]});
        let mut files = Vec::new();
        if self.tape.pick(2) == 1 {
            files
                .push(json!({"path": "/etc/audit.yaml", "content": "kind: Policy\nrules: []\n", "owner": "root:root"}));
        }
        if self.tape.pick(3) > 0 {
            files
                .push(json!({"content": POD, "owner": "root:root", "path": "/etc/kubernetes/manifests/kube-vip.yaml"}));
            if self.tape.pick(2) == 1 {
                files.push(json!({"content": "127.0.0.1 localhost kubernetes", "path": "/etc/kube-vip.hosts", "permissions": "0644"}));
                files.push(
                    json!({"content": "#!/bin/bash\nsed -i 's#a#b#' /etc/kubernetes/manifests/kube-vip.yaml\n\n",
                    "path": "/etc/kube-vip-prepare.sh", "permissions": "0700"}),
                );
            }
        }
        if self.tape.pick(2) == 1 {
            files.push(json!({"path": "/etc/last", "content": "x", "permissions": "0600"}));
        }
        self.tape.shuffle(&mut files);
        if !files.is_empty() {
            config["files"] = json!(files);
        }
        let mut commands = Vec::new();
        for command in [
            "hostnamectl set-hostname \"{{ ds.meta_data.hostname }}\"",
            "/etc/kube-vip-prepare.sh",
            "echo \"127.0.0.1\" >>/etc/hosts",
        ] {
            if self.tape.pick(2) == 1 {
                commands.push(command);
            }
        }
        if !commands.is_empty() {
            config["preKubeadmCommands"] = json!(commands);
        }
        spec["kubeadmConfigSpec"] = config;
        self.objects.push(json!({
            "apiVersion": format!("controlplane.cluster.x-k8s.io/{core}"), "kind": "KubeadmControlPlane", "metadata": metadata(&name, space), "spec": spec,
        }));
        self.template(&template, space, version);
        Group {
            kind: "KubeadmControlPlane",
            name,
            template,
            control_plane: true,
        }
    }

    fn worker(&mut self, cluster: &str, space: Option<&str>, version: &str, index: usize) -> Group {
        let name = format!("{cluster}-md-{index}");
        let kind = self.tape.one(&["MachineDeployment", "MachineDeployment", "MachineSet"]);
        self.objects.push(json!({
            "apiVersion": "cluster.x-k8s.io/v1beta1", "kind": kind, "metadata": metadata(&name, space),
            "spec": {"clusterName": cluster, "replicas": 2, "template": {"spec": {"clusterName": cluster, "infrastructureRef": {
                "apiVersion": format!("infrastructure.cluster.x-k8s.io/{version}"), "kind": "VSphereMachineTemplate", "name": name}}}},
        }));
        self.template(&name, space, version);
        Group {
            kind,
            template: name.clone(),
            name,
            control_plane: false,
        }
    }

    fn others(&mut self) {
        for index in 0..self.tape.pick(3) {
            let content = self
                .tape
                .one(&[BAIT, "kube-vip: yes\n\n\ndhcp4: true\n\n", "x", "ütf-8 → “quotes”"]);
            self.objects.push(json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("bait-{index}"), "annotations": {"a": "cluster.x-k8s.io"}},
                "data": {"manifest.yaml": content, "more": "plain"},
            }));
        }
        if self.tape.rarely(3) {
            self.objects.push(json!({
                "apiVersion": "vmware.infrastructure.cluster.x-k8s.io/v1beta1", "kind": "VSphereMachineTemplate", "metadata": {"name": "red-cp"},
                "spec": {"template": {"spec": {"network": {"devices": [{"dhcp4": true, "networkName": "lan"}]}}}},
            }));
        }
    }
}

/// Makes a world; `documents` demands separate YAML documents.
pub(crate) fn world(tape: &mut Tape, documents: bool) -> World {
    let single = tape.pick(3) == 2;
    let mut maker = Maker {
        tape,
        single,
        objects: Vec::new(),
    };
    let version = maker.infrastructure();
    let count = 1 + usize::from(maker.tape.rarely(3));
    let clusters: Vec<Cluster> = (0..count).map(|index| maker.cluster(index, version)).collect();
    maker.others();
    let mut objects = maker.objects;
    if tape.pick(2) == 1 {
        tape.shuffle(&mut objects);
    }
    let cluster = &clusters[tape.pick(clusters.len())];
    let mut wish = Wish::new(tape, cluster, clusters.len() > 1, version, &objects);
    if tape.rarely(4) {
        let old = wish.old_pool(tape);
        let place = tape.pick(objects.len() + 1);
        objects.insert(place, old);
    }
    let expected = wish.apply(&objects);
    let form = match tape.pick(6) {
        _ if documents => Form::Documents,
        3 => Form::List,
        4 => Form::JsonList,
        5 => Form::JsonDocuments,
        _ => Form::Documents,
    };
    let (mut pieces, mut comments) = (Vec::new(), 0);
    let text = match form {
        Form::Documents => {
            let mut text = String::new();
            let mut cut = false;
            for (index, object) in objects.iter().enumerate() {
                let (piece, count, block) = Writer::document(object, tape, comments);
                comments = count;
                if index > 0 || tape.pick(2) == 1 {
                    text.push_str(
                        tape.one(&[
                            "---\n",
                            "---\n",
                            "---\n",
                            "--- # next\n",
                            "---\n# nothing\n---\n",
                            "---\n\n",
                            "...\n---\n",
                        ])
                        .trim_start_matches(if index == 0 { "...\n" } else { "" }),
                    );
                }
                text.push_str(&piece);
                pieces.push(piece);
                cut = !block;
            }
            if cut && tape.rarely(4) {
                text.truncate(text.trim_end_matches('\n').len());
            }
            if tape.rarely(5) {
                text.replace('\n', "\r\n")
            } else {
                text
            }
        }
        Form::List => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            let (text, count, _) = Writer::document(&list, tape, comments);
            comments = count;
            text
        }
        Form::JsonList => json(&json!({"apiVersion": "v1", "items": objects, "kind": "List"}), tape),
        Form::JsonDocuments => objects.iter().map(|object| json(object, tape)).collect(),
    };
    let text = if tape.rarely(12) {
        format!("\u{feff}{text}")
    } else {
        text
    };
    World {
        objects,
        form,
        pieces,
        text,
        config: wish.config,
        expected,
        comments,
        removes_kube_vip: wish.removes_kube_vip,
    }
}

fn json(value: &Value, tape: &mut Tape) -> String {
    let indent: &[u8] = match tape.pick(4) {
        0 => b"  ",
        1 => b"    ",
        2 => b"\t",
        _ => return format!("{value}\n"),
    };
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
    serde::Serialize::serialize(value, &mut serde_json::Serializer::with_formatter(&mut out, formatter)).unwrap();
    format!("{}\n", String::from_utf8(out).unwrap())
}

/// What is wanted of one cluster, as a configuration and as data.
struct Wish {
    config: String,
    kcp: String,
    namespace: Option<String>,
    templates: Vec<String>,
    network: Option<String>,
    from_pools: bool,
    servers: Vec<&'static str>,
    domains: Vec<&'static str>,
    name: String,
    pool: Value,
    /// The pool that is there already, as it must become.
    brought: Option<Value>,
    removes_kube_vip: bool,
}

fn is_template(object: &Value) -> bool {
    object["kind"] == "VSphereMachineTemplate" && object["apiVersion"].as_str().unwrap().starts_with("infrastructure.")
}

impl Wish {
    fn new(tape: &mut Tape, cluster: &Cluster, several: bool, version: &str, objects: &[Value]) -> Self {
        let (selector, chosen): (String, Vec<&Group>) = match tape.pick(6) {
            1 => ("all".into(), cluster.groups.iter().collect()),
            2 if cluster.groups.len() > 1 => ("workers".into(), cluster.groups.iter().skip(1).collect()),
            3 => {
                let group = &cluster.groups[tape.pick(cluster.groups.len())];
                (format!("{}/{}", group.kind, group.name), vec![group])
            }
            4 => {
                let group = &cluster.groups[tape.pick(cluster.groups.len())];
                (format!("template/{}", group.template), vec![group])
            }
            _ => (
                "control-plane".into(),
                cluster.groups.iter().filter(|group| group.control_plane).collect(),
            ),
        };
        let templates: Vec<String> = chosen.iter().map(|group| group.template.clone()).collect();
        let space = cluster.namespace.clone();
        let own: Vec<&Value> = objects
            .iter()
            .filter(|object| is_template(object) && templates.iter().any(|name| object["metadata"]["name"] == *name))
            .collect();
        let nics = |template: &Value| {
            template["spec"]["template"]["spec"]["network"]["devices"]
                .as_array()
                .unwrap()
                .clone()
        };
        // With several NICs a network must be named, one that every chosen template has.
        let on_all = |network: &str| {
            own.iter()
                .all(|template| nics(template).iter().any(|nic| nic["networkName"] == network))
        };
        let single = own.iter().all(|template| nics(template).len() == 1);
        let network = ["lan", "san"].into_iter().find(|network| on_all(network));
        let network = if single && tape.pick(2) == 1 { None } else { network };
        let from_pools = !version.starts_with("v1alpha") && tape.pick(2) == 1;
        let removes_kube_vip = tape.pick(2) == 1;
        let servers = tape
            .one(&[&[][..], &["8.8.8.8"], &["8.8.8.8", "8.8.4.4", "9.9.9.9", "1.1.1.1"]])
            .to_vec();
        let domains = tape.one(&[&[][..], &[], &["example.org", "on"]]).to_vec();
        let in_cluster = from_pools && tape.pick(2) == 1;
        let default = selector.rsplit('/').next().unwrap();
        let default = format!(
            "{}-{}-pool",
            cluster.name,
            default.strip_prefix(&format!("{}-", cluster.name)).unwrap_or(default)
        );
        let name = if tape.pick(2) == 1 { Some("my-pool") } else { None };
        let mut pool = json!({"machines": [selector], "addresses": ["192.0.2.10-192.0.2.60"], "prefix": 24, "gateway": "192.0.2.1"});
        let mut spec = json!({"binding": if from_pools { "addressesFromPools" } else { "label" }});
        for (key, value) in [("dnsServers", &servers), ("searchDomains", &domains)] {
            if !value.is_empty() {
                pool[key] = json!(value);
            }
        }
        if let Some(network) = network {
            pool["network"] = json!(network);
        }
        if let Some(name) = name {
            pool["name"] = json!(name);
        }
        spec["pools"] = json!([pool]);
        if removes_kube_vip {
            spec["kubeVip"] = json!("remove");
        }
        if in_cluster {
            spec["poolKind"] = json!("InClusterIPPool");
        }
        if several || tape.pick(2) == 1 {
            spec["cluster"] = json!(cluster.name);
        }
        let config = json!({"apiVersion": "capv-ipam.dev/v1alpha1", "kind": "StaticAddressing", "spec": spec});
        let name = name.map_or(default, ToOwned::to_owned);
        let mut networks: Vec<Value> = own
            .iter()
            .map(|template| nics(template)[0]["networkName"].clone())
            .collect();
        networks.sort_by_key(ToString::to_string);
        networks.dedup();
        // A pool of several networks belongs to none of them.
        let shown = match (network, &networks[..]) {
            (Some(network), _) => json!(network),
            (None, [network]) => network.clone(),
            _ => Value::Null,
        };
        let mut wish = Wish {
            config: config.to_string(),
            kcp: format!("{}-kcp", cluster.name),
            namespace: space,
            templates,
            network: network.map(ToOwned::to_owned),
            from_pools,
            servers,
            domains,
            name,
            pool: Value::Null,
            brought: None,
            removes_kube_vip,
        };
        wish.pool = wish.pool_object(&cluster.name, in_cluster, &shown);
        wish
    }

    fn pool_object(&self, cluster: &str, in_cluster: bool, network: &Value) -> Value {
        let mut metadata = metadata(&self.name, self.namespace.as_deref());
        if in_cluster {
            return json!({"apiVersion": "ipam.cluster.x-k8s.io/v1alpha2", "kind": "InClusterIPPool", "metadata": metadata,
                "spec": {"addresses": ["192.0.2.10-192.0.2.60"], "prefix": 24, "gateway": "192.0.2.1"}});
        }
        if network.is_string() && network != "VM Network" {
            metadata["labels"] = json!({ NETWORK: network });
        }
        if !self.from_pools && !self.domains.is_empty() {
            metadata["annotations"] = json!({ DOMAINS: self.domains.join(",") });
        }
        let mut spec = json!({"clusterName": cluster, "namePrefix": self.name, "prefix": 24, "gateway": "192.0.2.1",
            "pools": [{"start": "192.0.2.10", "end": "192.0.2.60", "prefix": 24, "gateway": "192.0.2.1"}]});
        if !self.servers.is_empty() {
            spec["dnsServers"] = json!(self.servers);
        }
        json!({"apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPPool", "metadata": metadata, "spec": spec})
    }

    /// A pool of the wanted name with other values, which must become the wanted ones and keep the rest.
    fn old_pool(&mut self, tape: &mut Tape) -> Value {
        let (mut old, mut brought) = (self.pool.clone(), self.pool.clone());
        let wanted = self.pool["metadata"].as_object().unwrap();
        let metadata = old["metadata"].as_object_mut().unwrap();
        metadata.retain(|key, _| ["name", "namespace"].contains(&key.as_str()));
        if tape.pick(2) == 1 {
            metadata.insert("labels".into(), json!({"app": "x"}));
        }
        match tape.pick(4) {
            1 => drop(metadata.insert("annotations".into(), Value::Null)),
            2 => drop(metadata.insert(
                "annotations".into(),
                json!({ DOMAINS: "an-old-pool.example", "b": "c" }),
            )),
            _ => {}
        }
        let mut kept = metadata.clone();
        if let Some(domains) = wanted.get("annotations") {
            let annotations = kept.entry("annotations").or_insert(Value::Null);
            if annotations.is_null() {
                *annotations = json!({});
            }
            annotations[DOMAINS] = domains[DOMAINS].clone();
        }
        brought["metadata"] = Value::Object(kept);
        let spec = old["spec"].as_object_mut().unwrap();
        if tape.pick(2) == 1 {
            spec["gateway"] = json!("10.9.0.1");
        } else {
            spec.shift_remove("gateway");
        }
        if spec.contains_key("addresses") {
            spec["addresses"] = json!(["10.9.0.7", "10.9.0.9-10.9.0.20"][..1 + tape.pick(2)]);
        } else {
            let mut entries = Vec::new();
            for _ in 0..=tape.pick(3) {
                let mut entry = match tape.pick(3) {
                    0 => json!({"start": "10.9.0.7", "end": "10.9.0.8"}),
                    1 => json!({"start": "192.0.2.10", "end": "10.9.0.8"}),
                    _ => json!({"subnet": "10.9.0.0/24"}),
                };
                for (key, value) in [("prefix", json!(24)), ("gateway", json!("10.9.0.1"))] {
                    if tape.rarely(3) {
                        entry[key] = value;
                    }
                }
                entries.push(entry);
            }
            // What the entry left to the pool it still leaves to it.
            for key in ["prefix", "gateway"] {
                if entries[0].get(key).is_none() {
                    brought["spec"]["pools"][0].as_object_mut().unwrap().shift_remove(key);
                }
            }
            spec["pools"] = json!(entries);
            match tape.pick(3) {
                0 => drop(spec.insert("dnsServers".into(), json!(["10.0.0.53", "8.8.8.8"]))),
                1 => drop(spec.shift_remove("dnsServers")),
                _ => {}
            }
            if self.servers.is_empty()
                && let Some(servers) = spec.get("dnsServers")
            {
                brought["spec"]["dnsServers"] = servers.clone();
            }
            if tape.pick(2) == 1 {
                spec.insert("preAllocations".into(), json!({"red-0": "192.0.2.11"}));
                brought["spec"]["preAllocations"] = json!({"red-0": "192.0.2.11"});
            }
        }
        let mut keys: Vec<(String, Value)> = spec.clone().into_iter().collect();
        tape.shuffle(&mut keys);
        *spec = keys.into_iter().collect();
        self.brought = Some(brought);
        old
    }

    fn apply(&self, objects: &[Value]) -> Vec<Value> {
        let mut expected = Vec::new();
        let mut pool = self.brought.is_none().then(|| self.pool.clone());
        for object in objects {
            let mut object = object.clone();
            if object["kind"].as_str().unwrap().ends_with("IPPool") {
                object = self.brought.clone().unwrap();
            }
            let here = object["metadata"]["namespace"].as_str() == self.namespace.as_deref();
            if here && is_template(&object) && self.templates.iter().any(|name| object["metadata"]["name"] == **name) {
                expected.extend(pool.take());
                self.template(&mut object);
            }
            if here
                && self.removes_kube_vip
                && object["kind"] == "KubeadmControlPlane"
                && object["metadata"]["name"] == *self.kcp
            {
                without_kube_vip(&mut object["spec"]["kubeadmConfigSpec"]);
            }
            expected.push(object);
        }
        expected
    }

    fn template(&self, object: &mut Value) {
        if !self.from_pools {
            let metadata = object["metadata"].as_object_mut().unwrap();
            let labels = metadata.entry("labels").or_insert(Value::Null);
            if labels.is_null() {
                *labels = json!({});
            }
            labels[LABEL] = json!(self.name);
        }
        let kind = self.pool["kind"].as_str().unwrap();
        let group = self.pool["apiVersion"].as_str().unwrap().split('/').next().unwrap();
        for nic in object["spec"]["template"]["spec"]["network"]["devices"]
            .as_array_mut()
            .unwrap()
        {
            if self
                .network
                .as_ref()
                .is_some_and(|network| nic["networkName"] != **network)
            {
                continue;
            }
            nic["dhcp4"] = json!(false);
            nic["dhcp6"] = json!(false);
            if self.from_pools {
                if !self.servers.is_empty() {
                    nic["nameservers"] = json!(self.servers);
                }
                if !self.domains.is_empty() {
                    nic["searchDomains"] = json!(self.domains);
                }
                nic["addressesFromPools"] = json!([{"apiGroup": group, "kind": kind, "name": self.name}]);
            }
        }
    }
}

fn without_kube_vip(config: &mut Value) {
    let config = config.as_object_mut().unwrap();
    for key in ["files", "preKubeadmCommands"] {
        let Some(list) = config.get_mut(key).and_then(Value::as_array_mut) else {
            continue;
        };
        let before = list.len();
        list.retain(|item| {
            let text = if key == "files" {
                item["path"].as_str()
            } else {
                item.as_str()
            };
            !text.is_some_and(|text| text.contains("kube-vip"))
        });
        if list.is_empty() && before > 0 {
            config.shift_remove(key);
        }
    }
}
