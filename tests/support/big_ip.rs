//! A model of a BIG-IP that runs tmsh commands, iControl REST calls, AS3 declarations and playbooks as strictly as the device: what exists is not made again, what is used is not deleted, one address is one node.
#![allow(dead_code, reason = "no test file needs all of it")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BigIp {
    pub(crate) monitors: BTreeSet<String>,
    /// Address and description by full name.
    pub(crate) nodes: BTreeMap<String, (String, String)>,
    pub(crate) pools: BTreeMap<String, Pool>,
    pub(crate) virtuals: BTreeMap<String, Virtual>,
    pub(crate) tenants: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pool {
    pub(crate) monitor: String,
    pub(crate) members: BTreeMap<String, Member>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) address: String,
    pub(crate) description: String,
    pub(crate) enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Virtual {
    pub(crate) destination: String,
    pub(crate) source: String,
    pub(crate) pool: String,
}

type Done = Result<(), String>;

fn refuse<T>(why: impl Into<String>) -> Result<T, String> {
    Err(why.into())
}

impl BigIp {
    /// The smallest number of enabled members behind a virtual server.
    pub(crate) fn least(&self) -> usize {
        let enabled = |pool: &Pool| pool.members.values().filter(|member| member.enabled).count();
        let behind = self
            .virtuals
            .values()
            .map(|virtual_server| enabled(&self.pools[&virtual_server.pool]));
        behind.min().unwrap_or(usize::MAX)
    }

    /// Without the nodes' descriptions, which only tmsh writes.
    pub(crate) fn plain(mut self) -> Self {
        self.nodes.values_mut().for_each(|(_, description)| description.clear());
        self
    }

    fn add_node(&mut self, name: &str, address: &str, description: &str) -> Done {
        if let Some((other, _)) = self.nodes.iter().find(|(_, (other, _))| other == address) {
            return refuse(format!("{address} is the node {other} already"));
        }
        match self
            .nodes
            .insert(name.to_owned(), (address.to_owned(), description.to_owned()))
        {
            Some(_) => refuse(format!("the node {name} exists")),
            None => Ok(()),
        }
    }

    fn delete_node(&mut self, name: &str) -> Done {
        let uses = |member: &str| node_of(member) == name;
        if self
            .pools
            .values()
            .any(|pool| pool.members.keys().any(|member| uses(member)))
        {
            return refuse(format!("the node {name} is in use"));
        }
        self.nodes
            .remove(name)
            .map(drop)
            .ok_or(format!("there is no node {name}"))
    }

    fn add_member(&mut self, pool: &str, name: &str, member: Member) -> Done {
        let node = node_of(name);
        match self.nodes.get(&node) {
            Some((address, _)) if *address != member.address => return refuse(format!("{node} has another address")),
            Some(_) => {}
            None => self.add_node(&node, &member.address.clone(), "")?,
        }
        let pool = self.pools.get_mut(pool).ok_or(format!("there is no pool {pool}"))?;
        match pool.members.insert(name.to_owned(), member) {
            Some(_) => refuse(format!("the member {name} exists")),
            None => Ok(()),
        }
    }

    fn member(&mut self, pool: &str, name: &str) -> Result<&mut Member, String> {
        let pool = self.pools.get_mut(pool).ok_or(format!("there is no pool {pool}"))?;
        pool.members.get_mut(name).ok_or(format!("there is no member {name}"))
    }

    fn delete_member(&mut self, pool: &str, name: &str) -> Done {
        if self.member(pool, name)?.enabled {
            return refuse(format!("{name} is removed without a drain"));
        }
        self.pools.get_mut(pool).unwrap().members.remove(name);
        Ok(())
    }

    fn add_pool(&mut self, name: &str, monitor: &str) -> Done {
        if !monitor.starts_with("/Common/tcp") && !self.monitors.contains(monitor) {
            return refuse(format!("there is no monitor {monitor}"));
        }
        let pool = Pool {
            monitor: monitor.to_owned(),
            members: BTreeMap::new(),
        };
        match self.pools.insert(name.to_owned(), pool) {
            Some(_) => refuse(format!("the pool {name} exists")),
            None => Ok(()),
        }
    }

    fn delete_pool(&mut self, name: &str) -> Done {
        if self.virtuals.values().any(|user| user.pool == name) {
            return refuse(format!("the pool {name} is in use"));
        }
        self.pools
            .remove(name)
            .map(drop)
            .ok_or(format!("there is no pool {name}"))
    }

    fn add_monitor(&mut self, name: &str) -> Done {
        if self.monitors.insert(name.to_owned()) {
            Ok(())
        } else {
            refuse(format!("the monitor {name} exists"))
        }
    }

    fn delete_monitor(&mut self, name: &str) -> Done {
        if self.pools.values().any(|pool| pool.monitor == name) {
            return refuse(format!("the monitor {name} is in use"));
        }
        if self.monitors.remove(name) {
            Ok(())
        } else {
            refuse(format!("there is no monitor {name}"))
        }
    }

    fn put_virtual(&mut self, name: &str, new: Virtual) -> Done {
        if !self.pools.contains_key(&new.pool) {
            return refuse(format!("there is no pool {}", new.pool));
        }
        let same = |(other, had): (&String, &Virtual)| other != name && had.destination == new.destination;
        if self.virtuals.iter().any(same) {
            return refuse(format!("{} is taken", new.destination));
        }
        self.virtuals.insert(name.to_owned(), new);
        Ok(())
    }

    fn delete_virtual(&mut self, name: &str) -> Done {
        self.virtuals
            .remove(name)
            .map(drop)
            .ok_or(format!("there is no virtual server {name}"))
    }

    /// Runs tmsh commands; gives the fewest enabled members that any virtual server had after a command.
    pub(crate) fn tmsh(&mut self, commands: &str) -> Result<usize, String> {
        let mut least = usize::MAX;
        for line in commands.lines().filter(|line| !line.starts_with('#')) {
            self.command(&words(line)?).map_err(|why| format!("{line}: {why}"))?;
            least = least.min(self.least());
        }
        Ok(least)
    }

    fn command(&mut self, words: &[Word]) -> Done {
        let texts: Vec<&str> = words.iter().map(Word::text).collect();
        match &texts[..] {
            ["save", "sys", "config"] => Ok(()),
            ["create", "ltm", "monitor", kind @ ("https" | "http"), name, ..] => {
                let keys = pairs(&words[5..])?;
                let expected = [
                    "defaults-from",
                    "description",
                    "destination",
                    "interval",
                    "timeout",
                    "recv",
                    "send",
                ];
                only(&keys, &expected)?;
                if keys["defaults-from"].text() != format!("/Common/{kind}")
                    || !keys["recv"].text().starts_with("HTTP/1.1 ")
                {
                    return refuse("the monitor does not expect the status line");
                }
                let send = keys["send"].text();
                if !send.ends_with(r"\r\nConnection: close\r\n\r\n") || !send.contains(r" HTTP/1.1\r\nHost: ") {
                    return refuse("the monitor's request is not complete");
                }
                self.add_monitor(name)
            }
            ["delete", "ltm", "monitor", "https" | "http", name] => self.delete_monitor(name),
            ["create", "ltm", "node", name, ..] => {
                let keys = pairs(&words[4..])?;
                only(&keys, &["address", "description"])?;
                self.add_node(name, keys["address"].text(), keys["description"].text())
            }
            ["modify", "ltm", "node", name, "description", text] => {
                let node = self.nodes.get_mut(*name).ok_or(format!("there is no node {name}"))?;
                (*text).clone_into(&mut node.1);
                Ok(())
            }
            ["delete", "ltm", "node", name] => self.delete_node(name),
            ["create", "ltm", "pool", name, ..] => self.create_pool(name, &words[4..]),
            ["delete", "ltm", "pool", name] => self.delete_pool(name),
            ["modify", "ltm", "pool", pool, "members", doing, _] => self.members(pool, doing, &words[6]),
            ["create", "ltm", "virtual", name, ..] => self.create_virtual(name, &words[4..]),
            ["modify", "ltm", "virtual", name, ..] => {
                let keys = pairs(&words[4..])?;
                only(&keys, &["destination", "mask", "source"])?;
                let old = self
                    .virtuals
                    .get(*name)
                    .ok_or(format!("there is no virtual server {name}"))?;
                let new = Virtual {
                    destination: keys["destination"].text().to_owned(),
                    source: keys["source"].text().to_owned(),
                    pool: old.pool.clone(),
                };
                self.put_virtual(name, new)
            }
            ["delete", "ltm", "virtual", name] => self.delete_virtual(name),
            _ => refuse("no such command"),
        }
    }

    fn create_pool(&mut self, name: &str, rest: &[Word]) -> Done {
        let (rest, members) = match rest {
            [rest @ .., members, replace, list]
                if members.text() == "members" && replace.text() == "replace-all-with" =>
            {
                (rest, Some(list))
            }
            rest => (rest, None),
        };
        let keys = pairs(rest)?;
        only(
            &keys,
            &["description", "load-balancing-mode", "monitor", "service-down-action"],
        )?;
        if keys["load-balancing-mode"].text() != "least-connections-member"
            || keys["service-down-action"].text() != "reset"
        {
            return refuse("unknown choice");
        }
        self.add_pool(name, keys["monitor"].text())?;
        members.map_or(Ok(()), |list| self.members(name, "add", list))
    }

    fn members(&mut self, pool: &str, doing: &str, list: &Word) -> Done {
        let list = words(list.body()?)?;
        if doing == "delete" {
            return list.iter().try_for_each(|name| self.delete_member(pool, name.text()));
        }
        for pair in list.chunks(2) {
            let [name, body] = pair else {
                return refuse("a member without a body");
            };
            let body = words(body.body()?)?;
            let keys = pairs(&body)?;
            match doing {
                "add" => {
                    only(&keys, &["address", "description", "session", "state"])?;
                    if keys["session"].text() != "user-enabled" || keys["state"].text() != "user-up" {
                        return refuse("unknown choice");
                    }
                    let member = Member {
                        address: keys["address"].text().to_owned(),
                        description: keys["description"].text().to_owned(),
                        enabled: true,
                    };
                    self.add_member(pool, name.text(), member)?;
                }
                "modify" => {
                    let member = self.member(pool, name.text())?;
                    match (keys.get("session"), keys.get("description")) {
                        (Some(session), None) if session.text() == "user-disabled" => member.enabled = false,
                        (None, Some(text)) => text.text().clone_into(&mut member.description),
                        _ => return refuse("unknown change of a member"),
                    }
                }
                _ => return refuse("unknown word after members"),
            }
        }
        Ok(())
    }

    fn create_virtual(&mut self, name: &str, rest: &[Word]) -> Done {
        let texts: Vec<&str> = rest.iter().map(Word::text).collect();
        let at = texts.iter().position(|text| *text == "profiles").ok_or("no profiles")?;
        if texts.get(at + 1) != Some(&"replace-all-with") || texts.get(at + 2) != Some(&" /Common/fastL4 ") {
            return refuse("unknown profiles");
        }
        let without: Vec<Word> = rest[..at].iter().chain(&rest[at + 3..]).cloned().collect();
        let keys = pairs(&without)?;
        let expected = [
            "description",
            "destination",
            "ip-protocol",
            "mask",
            "source",
            "pool",
            "persist",
            "source-address-translation",
        ];
        only(&keys, &expected)?;
        if keys["persist"].text() != "none"
            || keys["source-address-translation"].text() != " type automap "
            || keys["ip-protocol"].text() != "tcp"
        {
            return refuse("persistence or SNAT is wrong");
        }
        let six = keys["destination"].text().matches(':').count() > 1;
        let (mask, any) = if six {
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::")
        } else {
            ("255.255.255.255", "0.0.0.0")
        };
        if keys["mask"].text() != mask
            || !keys["source"].text().starts_with(any)
            || !keys["source"].text().ends_with("/0")
        {
            return refuse("mask or source is not of the VIP's family");
        }
        if self.virtuals.contains_key(name) {
            return refuse("the virtual server exists");
        }
        self.put_virtual(
            name,
            Virtual {
                destination: keys["destination"].text().to_owned(),
                source: keys["source"].text().to_owned(),
                pool: keys["pool"].text().to_owned(),
            },
        )
    }

    /// Makes iControl REST calls.
    pub(crate) fn icontrol(&mut self, calls: &str) -> Done {
        let calls: Vec<Value> = serde_json::from_str(calls).map_err(|error| error.to_string())?;
        calls
            .iter()
            .try_for_each(|call| self.call(call).map_err(|why| format!("{call}: {why}")))
    }

    fn call(&mut self, call: &Value) -> Done {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let path = text(&call["path"]);
        let path = path.strip_prefix("/mgmt/tm/ltm/").ok_or("another path")?;
        let body = &call["body"];
        let full = format!("/{}/{}", text(&body["partition"]), text(&body["name"]));
        let name = |path: &str| path.replace('~', "/").replace("%25", "%");
        let parts: Vec<&str> = path.split('/').collect();
        match (call["method"].as_str(), &parts[..]) {
            (Some("POST"), ["monitor", "https" | "http"]) => self.add_monitor(&full),
            (Some("POST"), ["pool"]) => {
                self.add_pool(&full, &text(&body["monitor"]))?;
                let members = body["members"].as_array().ok_or("no members")?;
                members.iter().try_for_each(|member| self.post_member(&full, member))
            }
            (Some("POST"), ["pool", pool, "members"]) => self.post_member(&name(pool), body),
            (Some("PATCH"), ["pool", pool, "members", member]) => {
                let member = self.member(&name(pool), &name(member))?;
                match body
                    .as_object()
                    .map(|body| body.iter().collect::<Vec<_>>())
                    .unwrap_or_default()[..]
                {
                    [(key, value)] if key == "session" && value == "user-disabled" => member.enabled = false,
                    [(key, value)] if key == "description" => member.description = text(value),
                    _ => return refuse("unknown change"),
                }
                Ok(())
            }
            (Some("DELETE"), ["pool", pool, "members", member]) => self.delete_member(&name(pool), &name(member)),
            (Some("POST"), ["virtual"]) => {
                if body["sourceAddressTranslation"]["type"] != "automap" || body.get("persist").is_some() {
                    return refuse("persistence or SNAT is wrong");
                }
                self.put_virtual(
                    &full,
                    Virtual {
                        destination: text(&body["destination"]),
                        source: text(&body["source"]),
                        pool: text(&body["pool"]),
                    },
                )
            }
            (Some("PATCH"), ["virtual", virtual_server]) => {
                let name = name(virtual_server);
                let pool = self.virtuals.get(&name).ok_or("no such virtual server")?.pool.clone();
                self.put_virtual(
                    &name,
                    Virtual {
                        destination: text(&body["destination"]),
                        source: text(&body["source"]),
                        pool,
                    },
                )
            }
            (Some("DELETE"), ["virtual", virtual_server]) => self.delete_virtual(&name(virtual_server)),
            (Some("DELETE"), ["pool", pool]) => self.delete_pool(&name(pool)),
            (Some("DELETE"), ["monitor", "https" | "http", monitor]) => self.delete_monitor(&name(monitor)),
            (Some("DELETE"), ["node", node]) => self.delete_node(&name(node)),
            _ => refuse("no such call"),
        }
    }

    fn post_member(&mut self, pool: &str, body: &Value) -> Done {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        if text("session") != "user-enabled" || text("state") != "user-up" {
            return refuse("unknown choice");
        }
        let name = format!("/{}/{}", text("partition"), text("name"));
        self.add_member(
            pool,
            &name,
            Member {
                address: text("address"),
                description: text("description"),
                enabled: true,
            },
        )
    }

    /// Takes an AS3 declaration: what is named is replaced, a tenant without applications goes.
    pub(crate) fn as3(&mut self, request: &str) -> Done {
        if request.is_empty() {
            return Ok(());
        }
        let request: Value = serde_json::from_str(request).map_err(|error| error.to_string())?;
        for (name, tenant) in request["declaration"].as_object().ok_or("no declaration")? {
            match tenant.as_object() {
                Some(tenant) if tenant.len() == 1 => drop(self.tenants.remove(name)),
                Some(_) => drop(self.tenants.insert(name.clone(), tenant.clone())),
                None => {}
            }
        }
        Ok(())
    }

    /// Plays a playbook of f5_modules.
    pub(crate) fn ansible(&mut self, playbook: &str) -> Done {
        if playbook.is_empty() {
            return Ok(());
        }
        let plays: Value = serde_yaml::from_str(playbook).map_err(|error| error.to_string())?;
        for play in plays.as_array().ok_or("no plays")? {
            for task in play["tasks"].as_array().ok_or("no tasks")? {
                let task = task.as_object().ok_or("no task")?;
                let (module, arguments) = task.iter().find(|(key, _)| key.contains('.')).ok_or("no module")?;
                let module = module.rsplit('.').next().unwrap_or(module);
                self.task(module, arguments)
                    .map_err(|why| format!("{module} {arguments}: {why}"))?;
            }
        }
        Ok(())
    }

    fn task(&mut self, module: &str, arguments: &Value) -> Done {
        let text = |key: &str| arguments[key].as_str().unwrap_or_default().to_owned();
        let full = |name: &str| {
            if name.starts_with('/') {
                name.to_owned()
            } else {
                format!("/Common/{name}")
            }
        };
        let name = format!("/{}/{}", text("partition"), text("name"));
        let present = text("state") != "absent";
        match module {
            "bigip_monitor_https" | "bigip_monitor_http" if present => drop(self.monitors.insert(name)),
            "bigip_monitor_https" | "bigip_monitor_http" => self.delete_monitor(&name)?,
            "bigip_pool" if present && self.pools.contains_key(&name) => {}
            "bigip_pool" if present => self.add_pool(&name, arguments["monitors"][0].as_str().unwrap_or_default())?,
            "bigip_pool" => self.delete_pool(&name)?,
            "bigip_virtual_server" if present => {
                let pool = full(&text("pool"));
                self.put_virtual(
                    &name,
                    Virtual {
                        destination: format!("/{}/{}:{}", text("partition"), text("destination"), text("port")),
                        source: String::new(),
                        pool,
                    },
                )?;
            }
            "bigip_virtual_server" => self.delete_virtual(&name)?,
            // Whoever runs the playbook waits.
            "pause" => {}
            "bigip_node" if !present => self.delete_node(&name)?,
            "bigip_pool_member" => {
                let pool = full(&text("pool"));
                match arguments["aggregate"].as_array() {
                    None => self.play_member(&pool, arguments)?,
                    Some(members) => {
                        members.iter().try_for_each(|member| self.play_member(&pool, member))?;
                    }
                }
            }
            _ => return refuse("no such module"),
        }
        Ok(())
    }

    fn play_member(&mut self, pool: &str, arguments: &Value) -> Done {
        let text = |key: &str| arguments[key].as_str().unwrap_or_default().to_owned();
        let node = format!("/{}/{}", text("partition"), text("name"));
        let dot = if text("name").contains(':') { '.' } else { ':' };
        let name = format!("{node}{dot}{}", arguments["port"]);
        let there = self.member(pool, &name).is_ok();
        match arguments["state"].as_str() {
            Some("present") if there => self.member(pool, &name)?.description = text("description"),
            Some("present") => self.add_member(
                pool,
                &name,
                Member {
                    address: text("address"),
                    description: text("description"),
                    enabled: true,
                },
            )?,
            Some("disabled") => self.member(pool, &name)?.enabled = false,
            Some("absent") => {
                let pool = self.pools.get_mut(pool).ok_or("there is no pool")?;
                pool.members.remove(&name).ok_or("there is no such member")?;
                // The module deletes the node too, and fails where another pool uses it.
                if arguments["preserve_node"] != true {
                    self.delete_node(&node)?;
                }
            }
            _ => return refuse("unknown state"),
        }
        Ok(())
    }
}

/// The node of a member's name: without the port after the last colon, or dot where the name holds colons.
fn node_of(member: &str) -> String {
    let six = member.rsplit_once('.').is_some_and(|(node, _)| node.contains(':'));
    let end = if six { member.rfind('.') } else { member.rfind(':') };
    member[..end.unwrap_or(member.len())].to_owned()
}

/// A word of a tmsh command: bare, quoted or braced.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    Bare(String),
    Quoted(String),
    Braced(String),
}

impl Word {
    fn text(&self) -> &str {
        match self {
            Word::Bare(text) | Word::Quoted(text) | Word::Braced(text) => text,
        }
    }

    fn body(&self) -> Result<&str, String> {
        match self {
            Word::Braced(text) => Ok(text),
            other => refuse(format!("{other:?} is no list")),
        }
    }
}

/// Splits a command as Tcl splits a list, but takes no character that tmsh could evaluate.
pub(crate) fn words(line: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    while let Some(first) = chars.next() {
        match first {
            ' ' => {}
            '"' => {
                let mut text = String::new();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some(char) if char == '$' || char == '[' || char == ']' || char == '`' => {
                            return refuse("evaluated");
                        }
                        Some(char) => text.push(char),
                        None => return refuse("a quote without its end"),
                    }
                }
                words.push(Word::Quoted(text));
            }
            '{' => {
                let (mut depth, mut text) = (1, String::new());
                loop {
                    let Some(char) = chars.next() else {
                        return refuse("a brace without its end");
                    };
                    match char {
                        '{' => depth += 1,
                        '}' if depth == 1 => break,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    text.push(char);
                }
                words.push(Word::Braced(text));
            }
            '}' | ']' | '[' | '$' | ';' | '`' | '?' | '\\' => return refuse(format!("a bare {first}")),
            first => {
                let mut text = String::from(first);
                while let Some(char) = chars.next_if(|char| *char != ' ') {
                    if "\"{}[]$;`?\\".contains(char) {
                        return refuse(format!("a bare {char}"));
                    }
                    text.push(char);
                }
                words.push(Word::Bare(text));
            }
        }
    }
    Ok(words)
}

fn pairs(words: &[Word]) -> Result<BTreeMap<&str, &Word>, String> {
    let mut pairs = BTreeMap::new();
    for pair in words.chunks(2) {
        let [key, value] = pair else {
            return refuse("a key without a value");
        };
        if pairs.insert(key.text(), value).is_some() {
            return refuse(format!("{} twice", key.text()));
        }
    }
    Ok(pairs)
}

fn only(keys: &BTreeMap<&str, &Word>, expected: &[&str]) -> Done {
    let mut wanted: Vec<&str> = expected.to_vec();
    wanted.sort_unstable();
    let found: Vec<&str> = keys.keys().copied().collect();
    if found == wanted {
        Ok(())
    } else {
        refuse(format!("{found:?} instead of {wanted:?}"))
    }
}
