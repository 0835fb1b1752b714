//! Records every change of claims on a real API server and plays them back in the order of their versions, so that the law
//! can be checked at every moment of the past: no two existing claims show one address.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::{StreamExt as _, TryStreamExt as _};
use kube::api::{Api, DynamicObject, ListParams, WatchEvent, WatchParams};
use tokio::task::JoinHandle;

use crate::bench::{Bench, CAPI_CLAIM, CLAIM, shown};

/// One change: its version, the claim's UID, and what it shows; nothing when the claim is gone.
type Change = (u64, String, Option<Option<String>>);

/// What was recorded.
pub(crate) struct History {
    changes: Arc<Mutex<Vec<Change>>>,
    watches: Vec<JoinHandle<()>>,
}

impl History {
    /// Records from here on.
    pub(crate) async fn record(bench: &Bench) -> Self {
        let changes = Arc::default();
        let mut watches = Vec::new();
        for kind in [CLAIM, CAPI_CLAIM] {
            let api = bench.api(kind);
            let list = api.list(&ListParams::default()).await.unwrap();
            let version = list.metadata.resource_version.unwrap();
            watches.push(tokio::spawn(follow(api, version, Arc::clone(&changes))));
        }
        Self { changes, watches }
    }

    /// Plays everything back.
    pub(crate) fn check(self) -> usize {
        self.watches.iter().for_each(JoinHandle::abort);
        let mut changes = self.changes.lock().unwrap().clone();
        changes.sort();
        let mut now: BTreeMap<&str, &str> = BTreeMap::new();
        for (version, uid, change) in &changes {
            match change.as_ref().and_then(Option::as_ref) {
                Some(address) => drop(now.insert(uid, address)),
                None => drop(now.remove(uid.as_str())),
            }
            let mut holders: BTreeMap<&str, &str> = BTreeMap::new();
            for (uid, address) in &now {
                if let Some(other) = holders.insert(address, uid) {
                    panic!("at version {version} the claims {uid} and {other} both show {address}");
                }
            }
        }
        changes.len()
    }
}

async fn follow(api: Api<DynamicObject>, mut version: String, changes: Arc<Mutex<Vec<Change>>>) {
    loop {
        let Ok(stream) = api.watch(&WatchParams::default(), &version).await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let mut stream = stream.boxed();
        while let Ok(Some(event)) = stream.try_next().await {
            let (object, gone) = match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
                WatchEvent::Deleted(object) => (object, true),
                WatchEvent::Bookmark(_) | WatchEvent::Error(_) => continue,
            };
            version = object.metadata.resource_version.clone().unwrap();
            let state = (!gone).then(|| shown(&object));
            let change = (version.parse().unwrap(), object.metadata.uid.clone().unwrap(), state);
            changes.lock().unwrap().push(change);
        }
    }
}
