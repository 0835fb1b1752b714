//! A stateful API server in this process: versions, names, finalizers, merge patches and watches as the real one, and faults
//! where a test wants them. Every change is checked against the law that no two claims show one address.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Answered with this status, nothing done.
    Refuse(u16),
    /// Done, but the answer is lost.
    Lose,
    /// Done twice; the second answer is given.
    Twice,
    /// Done after a wait.
    Delay(u64),
    /// The process dies before the call is done.
    DieBefore,
    /// The process dies after the call was done, before its answer comes.
    DieAfter,
}

/// A call that is about to be done.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Its number among the calls of this process that are no watches, from 0.
    pub(crate) number: usize,
    /// Which process makes it.
    pub(crate) process: usize,
    pub(crate) method: Method,
    /// `plural` or `plural/status`.
    pub(crate) what: String,
}

type Chooser = Box<dyn FnMut(&Call) -> Fault + Send>;
type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// What is stored.
#[derive(Default)]
struct State {
    objects: BTreeMap<(String, String, String), Value>,
    version: u64,
    /// Every change so far: version, collection, event.
    log: Vec<(u64, String, Value)>,
    watches: Vec<(String, UnboundedSender<Bytes>)>,
    calls: BTreeMap<usize, usize>,
    dead: BTreeSet<usize>,
    changes: usize,
    broken: Option<String>,
    absent_groups: BTreeSet<String>,
}

/// The server. Clones are the same server.
#[derive(Clone)]
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    chooser: Arc<Mutex<Chooser>>,
}

const GROUPS: [(&str, &str, &[&str]); 3] = [
    ("ipam.metal3.io", "v1alpha1", &["ippools", "ipclaims", "ipaddresses"]),
    ("ipam.cluster.x-k8s.io", "v1beta2", &["ipaddressclaims", "ipaddresses"]),
    ("cluster.x-k8s.io", "v1beta2", &["clusters"]),
];

pub(crate) const POOLS: &str = "ipam.metal3.io/ippools";
pub(crate) const CLAIMS: &str = "ipam.metal3.io/ipclaims";
pub(crate) const ADDRESSES: &str = "ipam.metal3.io/ipaddresses";
pub(crate) const CAPI_CLAIMS: &str = "ipam.cluster.x-k8s.io/ipaddressclaims";
pub(crate) const CAPI_ADDRESSES: &str = "ipam.cluster.x-k8s.io/ipaddresses";

/// Where the objects of the tests are.
pub(crate) const NAMESPACE: &str = "default";

impl Fake {
    pub(crate) fn new() -> Self {
        Self {
            state: Arc::default(),
            chooser: Arc::new(Mutex::new(Box::new(|_| Fault::None))),
        }
    }

    /// Lets a test choose what happens to each call.
    pub(crate) fn choose(&self, chooser: impl FnMut(&Call) -> Fault + Send + 'static) {
        *self.chooser.lock().unwrap() = Box::new(chooser);
    }

    /// A group that is not served.
    pub(crate) fn without(&self, group: &str) {
        self.state().absent_groups.insert(group.into());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A client of one process.
    pub(crate) fn client(&self, process: usize) -> Client {
        let fake = self.clone();
        let service = tower::service_fn(move |request| {
            let fake = fake.clone();
            async move { fake.serve(process, request).await }
        });
        Client::new(service, NAMESPACE)
    }

    /// Every object of a collection.
    pub(crate) fn list(&self, collection: &str) -> Vec<Value> {
        let state = self.state();
        let of = state.objects.iter().filter(|((c, ..), _)| c == collection);
        of.map(|(_, object)| object.clone()).collect()
    }

    pub(crate) fn get(&self, collection: &str, name: &str) -> Option<Value> {
        self.state()
            .objects
            .get(&(collection.into(), NAMESPACE.into(), name.into()))
            .cloned()
    }

    /// Creates an object as a user does; false if the name is taken.
    pub(crate) fn create(&self, collection: &str, object: Value) -> bool {
        self.state().create(collection, NAMESPACE, object).is_ok()
    }

    /// Deletes an object as a user does.
    pub(crate) fn delete(&self, collection: &str, name: &str) {
        let _ = self.state().delete(collection, NAMESPACE, name, None);
    }

    /// Takes an object's status away, as a user does; the object may be gone by now.
    pub(crate) fn clear_status(&self, collection: &str, name: &str) {
        let _ = self
            .state()
            .patch(collection, NAMESPACE, name, true, &json!({"status": null}));
    }

    /// Ends every watch, as a restart of the server does.
    pub(crate) fn break_watches(&self) {
        self.state().watches.clear();
    }

    /// How many changes there have been.
    pub(crate) fn changes(&self) -> usize {
        self.state().changes
    }

    /// How many calls a process has made, watches not counted.
    pub(crate) fn calls(&self, process: usize) -> usize {
        self.state().calls.get(&process).copied().unwrap_or_default()
    }

    /// How the law was broken, if it was.
    pub(crate) fn broken(&self) -> Option<String> {
        self.state().broken.clone()
    }

    /// Whether the process has died.
    pub(crate) fn is_dead(&self, process: usize) -> bool {
        self.state().dead.contains(&process)
    }

    /// Lets nothing of a process through any more.
    pub(crate) fn bury(&self, process: usize) {
        self.state().dead.insert(process);
    }

    async fn serve(&self, process: usize, request: Request<Body>) -> Result<Answer, std::io::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
        if self.is_dead(process) {
            std::future::pending::<()>().await;
        }
        let path = Path::read(head.uri.path());
        let query = head.uri.query().unwrap_or_default().to_owned();
        if query.contains("watch=true") {
            return Ok(self.watch(&path, &query));
        }
        let call = {
            let mut state = self.state();
            let number = state.calls.entry(process).or_default();
            *number += 1;
            Call {
                number: *number - 1,
                process,
                method: head.method.clone(),
                what: format!("{}{}", path.collection, if path.status { "/status" } else { "" }),
            }
        };
        let fault = (self.chooser.lock().unwrap())(&call);
        match fault {
            Fault::Refuse(code) => return Ok(refusal(code, "Injected", "injected")),
            Fault::Delay(wait) => tokio::time::sleep(Duration::from_millis(wait)).await,
            Fault::DieBefore => {
                self.bury(process);
                std::future::pending::<()>().await;
            }
            _ => {}
        }
        if self.is_dead(process) {
            std::future::pending::<()>().await;
        }
        let mut answer = self.state().answer(&head.method, &path, &query, &body);
        match fault {
            Fault::Twice => answer = self.state().answer(&head.method, &path, &query, &body),
            Fault::Lose => return Err(std::io::Error::other("the answer is lost")),
            Fault::DieAfter => {
                self.bury(process);
                std::future::pending::<()>().await;
            }
            _ => {}
        }
        Ok(answer)
    }

    fn watch(&self, path: &Path, query: &str) -> Answer {
        let from = parameter(query, "resourceVersion")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let (sender, receiver) = unbounded();
        let mut state = self.state();
        for (version, collection, event) in &state.log {
            if *version > from && *collection == path.collection {
                sender.unbounded_send(line(event)).unwrap();
            }
        }
        state.watches.push((path.collection.clone(), sender));
        let frames = receiver.map(|bytes| Ok(Frame::data(bytes)));
        Response::new(StreamBody::new(frames).boxed_unsync())
    }
}

fn line(event: &Value) -> Bytes {
    Bytes::from(format!("{event}\n"))
}

fn parameter<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    let parts = query.split('&').filter_map(|part| part.split_once('='));
    parts.filter(|(k, _)| *k == key).map(|(_, value)| value).next()
}

/// The parts of a request's path.
struct Path {
    collection: String,
    namespace: String,
    name: String,
    status: bool,
    discovery: Option<String>,
}

impl Path {
    fn read(path: &str) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let mut read = Self {
            collection: String::new(),
            namespace: String::new(),
            name: String::new(),
            status: false,
            discovery: None,
        };
        let (group, rest) = match parts.as_slice() {
            ["apis"] => {
                read.discovery = Some(String::new());
                return read;
            }
            ["apis", group, version] => {
                read.discovery = Some(format!("{group}/{version}"));
                return read;
            }
            ["apis", group, _, rest @ ..] => (*group, rest),
            ["api", _, rest @ ..] => ("", rest),
            _ => return read,
        };
        let rest = match rest {
            ["namespaces", namespace, rest @ ..] => {
                read.namespace = (*namespace).into();
                rest
            }
            rest => rest,
        };
        read.collection = format!("{group}/{}", rest.first().copied().unwrap_or_default());
        read.name = rest.get(1).copied().unwrap_or_default().into();
        read.status = rest.get(2) == Some(&"status");
        read
    }
}

fn full(value: &Value) -> Answer {
    Response::new(Full::new(Bytes::from(value.to_string())).boxed_unsync())
}

fn refusal(code: u16, reason: &str, message: &str) -> Answer {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
    });
    let mut answer = full(&status);
    *answer.status_mut() = http::StatusCode::from_u16(code).unwrap();
    answer
}

type Stored = Result<Value, (u16, &'static str)>;

impl State {
    fn answer(&mut self, method: &Method, path: &Path, query: &str, body: &[u8]) -> Answer {
        if let Some(discovery) = &path.discovery {
            return full(&self.discover(discovery));
        }
        let object = || -> Value { serde_json::from_slice(body).unwrap() };
        let (collection, namespace, name) = (&path.collection, &path.namespace, &path.name);
        let stored = match *method {
            Method::GET if name.is_empty() => return full(&self.page(collection, namespace, query)),
            Method::GET => {
                let key = (collection.clone(), namespace.clone(), name.clone());
                self.objects.get(&key).cloned().ok_or((404, "NotFound"))
            }
            Method::POST => self.create(collection, namespace, object()),
            Method::PUT => self.replace(collection, namespace, name, path.status, &object()),
            Method::PATCH => self.patch(collection, namespace, name, path.status, &object()),
            Method::DELETE => {
                let options: Value = serde_json::from_slice(body).unwrap_or_default();
                let uid = options
                    .pointer("/preconditions/uid")
                    .and_then(Value::as_str)
                    .map(ToOwned::to_owned);
                self.delete(collection, namespace, name, uid.as_deref())
            }
            _ => Err((405, "MethodNotAllowed")),
        };
        match stored {
            Ok(object) => full(&object),
            Err((code, reason)) => refusal(code, reason, reason),
        }
    }

    fn discover(&self, discovery: &str) -> Value {
        let groups: Vec<_> = GROUPS
            .iter()
            .filter(|(group, ..)| !self.absent_groups.contains(*group))
            .collect();
        if discovery.is_empty() {
            let groups: Vec<Value> = groups
                .iter()
                .map(|(group, version, _)| {
                    let version = json!({"groupVersion": format!("{group}/{version}"), "version": version});
                    json!({"name": group, "versions": [version], "preferredVersion": version})
                })
                .collect();
            return json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups});
        }
        let (_, _, plurals) = groups.iter().find(|(g, v, _)| format!("{g}/{v}") == discovery).unwrap();
        let resources: Vec<Value> = plurals
            .iter()
            .map(
                |plural| json!({"name": plural, "singularName": "", "namespaced": true, "kind": "X", "verbs": ["get"]}),
            )
            .collect();
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": discovery, "resources": resources})
    }

    fn page(&self, collection: &str, namespace: &str, query: &str) -> Value {
        let of = self
            .objects
            .iter()
            .filter(|((c, n, _), _)| c == collection && (namespace.is_empty() || n == namespace));
        let after = parameter(query, "continue").unwrap_or_default();
        let limit = parameter(query, "limit")
            .and_then(|text| text.parse().ok())
            .unwrap_or(usize::MAX);
        let mut items: Vec<&Value> = of
            .filter(|((_, _, name), _)| name.as_str() > after)
            .map(|(_, o)| o)
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items
            .last()
            .filter(|_| more)
            .map(|object| object["metadata"]["name"].clone());
        json!({
            "kind": "List", "apiVersion": "v1", "items": items,
            "metadata": {"resourceVersion": self.version.to_string(), "continue": last.unwrap_or(json!(""))},
        })
    }

    fn create(&mut self, collection: &str, namespace: &str, mut object: Value) -> Stored {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let key = (collection.to_owned(), namespace.to_owned(), name);
        if self.objects.contains_key(&key) {
            return Err((409, "AlreadyExists"));
        }
        let number = self.version + 1;
        object["metadata"]["namespace"] = json!(namespace);
        object["metadata"]["uid"] = json!(format!("uid-{number}"));
        object["metadata"]["generation"] = json!(1);
        let (hours, minutes, seconds) = (number / 3600 % 24, number / 60 % 60, number % 60);
        object["metadata"]["creationTimestamp"] = json!(format!("2026-01-01T{hours:02}:{minutes:02}:{seconds:02}Z"));
        object.as_object_mut().unwrap().shift_remove("status");
        Ok(self.store(key, object, "ADDED"))
    }

    fn replace(&mut self, collection: &str, namespace: &str, name: &str, status: bool, new: &Value) -> Stored {
        assert!(status, "only statuses are replaced");
        let key = (collection.to_owned(), namespace.to_owned(), name.to_owned());
        let old = self.objects.get(&key).cloned().ok_or((404, "NotFound"))?;
        if new["metadata"]["resourceVersion"] != old["metadata"]["resourceVersion"] {
            return Err((409, "Conflict"));
        }
        let mut object = old.clone();
        object["status"] = new["status"].clone();
        Ok(if object == old {
            old
        } else {
            self.store(key, object, "MODIFIED")
        })
    }

    fn patch(&mut self, collection: &str, namespace: &str, name: &str, status: bool, patch: &Value) -> Stored {
        let key = (collection.to_owned(), namespace.to_owned(), name.to_owned());
        let old = self.objects.get(&key).cloned().ok_or((404, "NotFound"))?;
        for field in ["resourceVersion", "uid"] {
            let wanted = patch["metadata"].get(field);
            if wanted.is_some_and(|wanted| *wanted != old["metadata"][field]) {
                return Err((409, "Conflict"));
            }
        }
        let mut object = old.clone();
        if status {
            merge(&mut object["status"], &patch["status"]);
            clean(&mut object["status"]);
        } else {
            merge(&mut object, patch);
            object["status"] = old.get("status").cloned().unwrap_or_default();
        }
        if object["status"].is_null() {
            object.as_object_mut().unwrap().shift_remove("status");
        }
        if object == old {
            return Ok(old);
        }
        let finalizers = object["metadata"]["finalizers"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        if object["metadata"].get("deletionTimestamp").is_some() && !finalizers {
            return Ok(self.remove(key, object));
        }
        Ok(self.store(key, object, "MODIFIED"))
    }

    fn delete(&mut self, collection: &str, namespace: &str, name: &str, uid: Option<&str>) -> Stored {
        let key = (collection.to_owned(), namespace.to_owned(), name.to_owned());
        let mut object = self.objects.get(&key).cloned().ok_or((404, "NotFound"))?;
        if uid.is_some_and(|uid| object["metadata"]["uid"] != uid) {
            return Err((409, "Conflict"));
        }
        let finalizers = object["metadata"]["finalizers"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        if !finalizers {
            return Ok(self.remove(key, object));
        }
        if object["metadata"].get("deletionTimestamp").is_some() {
            return Ok(object);
        }
        object["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
        Ok(self.store(key, object, "MODIFIED"))
    }

    fn store(&mut self, key: (String, String, String), object: Value, event: &str) -> Value {
        let object = self.tell(&key.0, object, event);
        self.objects.insert(key, object.clone());
        self.check_law();
        object
    }

    fn remove(&mut self, key: (String, String, String), object: Value) -> Value {
        self.objects.remove(&key);
        self.tell(&key.0, object, "DELETED")
    }

    fn tell(&mut self, collection: &str, mut object: Value, event: &str) -> Value {
        self.version += 1;
        self.changes += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let event = json!({"type": event, "object": object});
        self.watches
            .retain(|(of, sender)| of != collection || sender.unbounded_send(line(&event)).is_ok());
        if collection != "/events" {
            self.log.push((self.version, collection.into(), event));
        }
        object
    }

    fn check_law(&mut self) {
        let mut shown: BTreeMap<String, String> = BTreeMap::new();
        for ((collection, _, name), object) in &self.objects {
            let address = match collection.as_str() {
                CLAIMS => object.pointer("/status/address/name"),
                CAPI_CLAIMS => object.pointer("/status/addressRef/name"),
                _ => continue,
            };
            let Some(address) = address.and_then(Value::as_str) else {
                continue;
            };
            let claim = format!("{collection} {name}");
            if let Some(other) = shown.insert(address.to_owned(), claim.clone()) {
                self.broken.get_or_insert(format!(
                    "{other} and {claim} show {address} at version {}",
                    self.version
                ));
            }
        }
    }
}

/// JSON merge patch (RFC 7386).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// An empty status is none.
fn clean(status: &mut Value) {
    if status.as_object().is_some_and(serde_json::Map::is_empty) {
        *status = Value::Null;
    }
}

/// Ends when nothing has changed for a while.
pub(crate) fn quiet(fake: &Fake, wait: Duration) {
    loop {
        let before = fake.changes();
        std::thread::sleep(wait);
        if fake.changes() == before {
            return;
        }
    }
}
