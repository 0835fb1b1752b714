//! Takes a Lease, answers when this process leads and when it no longer does. Addresses are safe without it; it only keeps
//! two processes from doing the same work.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::time::Instant;

use super::call::Trouble;
use super::clock;
use super::options::LeaderElection;

/// The Lease as last seen, and when this process saw it change: the clocks of two machines need not agree.
struct Seen {
    lease: Lease,
    since: Instant,
}

/// Takes part in the election.
pub(super) struct Election {
    api: Api<Lease>,
    options: LeaderElection,
    seen: Option<Seen>,
}

impl Election {
    pub(super) fn new(client: Client, options: LeaderElection) -> Self {
        Self {
            api: Api::namespaced(client, &options.namespace),
            options,
            seen: None,
        }
    }

    /// A third of the time for which a silent leader is believed.
    fn interval(&self) -> Duration {
        self.options.duration / 3
    }

    /// Waits until this process leads.
    pub(super) async fn win(&mut self) {
        loop {
            match self.attempt().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(trouble) => tracing::warn!(%trouble, "cannot take the lease"),
            }
            tokio::time::sleep(self.interval() / 2).await;
        }
    }

    /// Renews the Lease until that fails for so long that another process may lead.
    pub(super) async fn keep(&mut self) -> Trouble {
        let mut renewed = clock::instant();
        loop {
            tokio::time::sleep(self.interval()).await;
            let left = (self.options.duration * 2 / 3).saturating_sub(renewed.elapsed());
            let began = clock::instant();
            match tokio::time::timeout(left.max(Duration::from_millis(1)), self.attempt()).await {
                Ok(Ok(true)) => renewed = began,
                Ok(Ok(false)) => return Trouble::Unavailable("another process has taken the lease".into()),
                Ok(Err(trouble)) => tracing::warn!(%trouble, "cannot renew the lease"),
                Err(_) => tracing::warn!("no answer in time to renew the lease"),
            }
            if renewed.elapsed() >= self.options.duration * 2 / 3 {
                return Trouble::Unavailable("the lease could not be renewed in time".into());
            }
        }
    }

    /// Lets the next process in at once.
    pub(super) async fn give_up(&mut self) {
        let Some(Seen { mut lease, .. }) = self.seen.take() else {
            return;
        };
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(String::new());
            spec.lease_duration_seconds = Some(1);
        }
        if let Err(error) = self
            .api
            .replace(&self.options.name, &PostParams::default(), &lease)
            .await
        {
            tracing::debug!(%error, "the lease was not given up");
        }
    }

    /// Takes or renews the Lease if that is allowed. True if this process leads then.
    async fn attempt(&mut self) -> Result<bool, Trouble> {
        let now = MicroTime(clock::now());
        let Some(lease) = self.api.get_opt(&self.options.name).await? else {
            let lease = Lease {
                metadata: ObjectMeta {
                    name: Some(self.options.name.clone()),
                    ..ObjectMeta::default()
                },
                spec: Some(self.spec(&now, now.clone(), 0)),
            };
            let created = self.api.create(&PostParams::default(), &lease).await;
            return self.settle(created);
        };
        let old = lease.spec.clone().unwrap_or_default();
        let holder = old.holder_identity.clone().unwrap_or_default();
        let ours = holder == self.options.identity;
        if !ours && !holder.is_empty() {
            let unchanged = self.seen.as_ref().is_some_and(|seen| seen.lease == lease);
            if !unchanged {
                let since = clock::instant();
                self.seen = Some(Seen { lease, since });
                return Ok(false);
            }
            let believed = Duration::from_secs(old.lease_duration_seconds.unwrap_or_default().try_into().unwrap_or(0));
            if self.seen.as_ref().is_some_and(|seen| seen.since.elapsed() < believed) {
                return Ok(false);
            }
        }
        let acquired = old.acquire_time.filter(|_| ours).unwrap_or_else(|| now.clone());
        let transitions = old.lease_transitions.unwrap_or_default() + i32::from(!ours);
        let lease = Lease {
            spec: Some(self.spec(&now, acquired, transitions)),
            ..lease
        };
        let replaced = self
            .api
            .replace(&self.options.name, &PostParams::default(), &lease)
            .await;
        self.settle(replaced)
    }

    /// Whether the write made this process the leader; a conflict made another one.
    fn settle(&mut self, written: Result<Lease, kube::Error>) -> Result<bool, Trouble> {
        match written.map_err(Trouble::from) {
            Ok(lease) => {
                let since = clock::instant();
                self.seen = Some(Seen { lease, since });
                Ok(true)
            }
            Err(Trouble::Conflict | Trouble::Exists) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }

    fn spec(&self, now: &MicroTime, acquired: MicroTime, transitions: i32) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(self.options.identity.clone()),
            lease_duration_seconds: Some(self.options.duration.as_secs().try_into().unwrap_or(i32::MAX)),
            acquire_time: Some(acquired),
            renew_time: Some(now.clone()),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }
    }
}
