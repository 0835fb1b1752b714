//! Takes one wish at a time, makes the API call for it, gives the answer as JSON or the trouble by what is to be done about
//! it; repeats reads by itself, and never a write.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kube::Client;
use kube::core::Request;
use kube::core::params::{DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::clock;
use super::kinds::{Kind, Served};
use super::lean::Lean;
use super::metrics::Metrics;

/// How long an answer may take before the call counts as failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a read is tried, and how long to wait before the second time.
const READS: (u32, Duration) = (4, Duration::from_millis(20));
/// Objects in one page of a list.
pub(super) const PAGE: u32 = 500;

/// Why a call did not do what was wanted, by what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The object, or its kind, is not there.
    #[error("not found")]
    Missing,
    /// The object is no longer in the version that the write was made for.
    #[error("changed meanwhile")]
    Conflict,
    /// An object of this name is there already.
    #[error("exists already")]
    Exists,
    /// The rights do not allow it.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// The API server refuses the object.
    #[error("refused: {0}")]
    Refused(String),
    /// The list or watch begins at a version that the API server has forgotten.
    #[error("the version asked for is too old")]
    TooOld,
    /// The API server cannot answer now, or cannot be reached.
    #[error("{0}")]
    Unavailable(String),
}

/// What the API server says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It knows its rights and its kinds.
    Ready,
    /// It is starting or in trouble, or cannot be reached.
    Not,
    /// It does not tell us.
    Unknown,
}

/// Asks the API server whether it is ready (`/readyz`, which anybody may read unless it was taken away). One that is not refuses
/// what it will allow, and does not know kinds that it will serve.
pub(super) async fn readiness(client: &Client) -> Readiness {
    let Ok(request) = http::Request::get("/readyz").body(Vec::new()) else {
        return Readiness::Unknown;
    };
    match client.request_text(request).await.map_err(Trouble::from) {
        // Every kube-apiserver has the path, also one that starts.
        Ok(_) | Err(Trouble::Missing) => Readiness::Ready,
        Err(Trouble::Forbidden(_)) => Readiness::Unknown,
        Err(_) => Readiness::Not,
    }
}

impl From<kube::Error> for Trouble {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::from(&*status),
            other => Self::Unavailable(with_causes(&other)),
        }
    }
}

/// The error and what lies under it: `client error (Connect)` alone tells nobody that a certificate is not valid yet.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let mut text = error.to_string();
    for cause in causes.map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

impl From<&kube::core::Status> for Trouble {
    fn from(status: &kube::core::Status) -> Self {
        match status.code {
            404 => Self::Missing,
            409 if status.reason == "AlreadyExists" => Self::Exists,
            409 => Self::Conflict,
            401 | 403 => Self::Forbidden(status.message.clone()),
            410 => Self::TooOld,
            400..=428 => Self::Refused(status.message.clone()),
            code => Self::Unavailable(format!("HTTP {code}: {}", status.message)),
        }
    }
}

impl Trouble {
    /// Whether the API server takes no such write, now or again, as long as nobody changes something: a quota, a right, an
    /// admission webhook.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Forbidden(_))
    }

    /// One word for a metric.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Missing => "not_found",
            Self::Conflict => "conflict",
            Self::Exists => "exists",
            Self::Forbidden(_) => "forbidden",
            Self::Refused(_) => "refused",
            Self::TooOld => "too_old",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The object of this name in this namespace.
    #[must_use]
    pub(super) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The way to the API server, with a limit on calls in flight.
#[derive(Clone)]
pub(super) struct Caller {
    client: Client,
    served: Arc<RwLock<Served>>,
    limit: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl Caller {
    /// At most `parallel` calls at once; watches do not count.
    #[must_use]
    pub(super) fn new(client: Client, served: Served, parallel: usize, metrics: Arc<Metrics>) -> Self {
        Self {
            client,
            served: Arc::new(RwLock::new(served)),
            limit: Arc::new(Semaphore::new(parallel)),
            metrics,
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Takes over a newer answer to what is served.
    pub(super) fn serve(&self, served: Served) {
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = served;
    }

    /// The request maker for a kind's objects in one namespace, or in all.
    pub(super) fn served_request(&self, kind: Kind, namespace: Option<&str>) -> Result<Request, Trouble> {
        self.with_served(|served| served.request(kind, namespace))
    }

    /// Whether the kind is served.
    #[must_use]
    pub(super) fn serves(&self, kind: Kind) -> bool {
        self.with_served(|served| served.api_version(kind).is_some())
    }

    /// The `group/version` in which objects of the kind are read and written.
    #[must_use]
    pub(super) fn api_version(&self, kind: Kind) -> Option<String> {
        self.with_served(|served| served.api_version(kind).map(ToOwned::to_owned))
    }

    fn with_served<T>(&self, with: impl FnOnce(&Served) -> T) -> T {
        with(&self.served.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads one object.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn get(&self, kind: Kind, key: &Key) -> Result<Value, Trouble> {
        let requests = self.request(kind, key)?;
        self.read("get", kind, || requests.get(&key.name, &GetParams::default()))
            .await
    }

    /// Reads one page of a kind, most recent, in one namespace or in all; `token` is the one of the page before.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn page(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        token: Option<String>,
    ) -> Result<Value, Trouble> {
        let mut params = ListParams::default().limit(PAGE);
        params.continue_token = token;
        let requests = self.served_request(kind, namespace)?;
        self.read("list", kind, || requests.list(&params)).await
    }

    /// Creates an object.
    ///
    /// # Errors
    /// [`Trouble`], `Exists` where the name is taken.
    pub(super) async fn create(
        &self,
        kind: Kind,
        namespace: &str,
        object: &impl serde::Serialize,
    ) -> Result<Value, Trouble> {
        let request = self.served_request(kind, Some(namespace))?;
        let request = request.create(&PostParams::default(), json_bytes(object)?);
        self.call("create", kind.label(), request).await
    }

    /// Merges `patch` into an object. With a resourceVersion in the patch it is a compare-and-swap.
    ///
    /// # Errors
    /// [`Trouble`], `Conflict` where the version is another one.
    pub(super) async fn patch(&self, kind: Kind, key: &Key, patch: &Value) -> Result<Value, Trouble> {
        let request = self.request(kind, key)?;
        let request = request.patch(&key.name, &PatchParams::default(), &Patch::Merge(patch));
        self.call("patch", kind.label(), request).await
    }

    /// Replaces the status of an object on the condition of its resourceVersion.
    ///
    /// # Errors
    /// [`Trouble`], `Conflict` where the version is another one.
    pub(super) async fn put_status(
        &self,
        kind: Kind,
        key: &Key,
        object: &impl serde::Serialize,
    ) -> Result<Value, Trouble> {
        let request = self.request(kind, key)?;
        let request = request.replace_subresource("status", &key.name, &PostParams::default(), json_bytes(object)?);
        self.call("put_status", kind.label(), request).await
    }

    /// Deletes the object that has this UID.
    ///
    /// # Errors
    /// [`Trouble`], `Conflict` where the name has passed to another object.
    pub(super) async fn delete(&self, kind: Kind, key: &Key, uid: &str) -> Result<(), Trouble> {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(uid.into()),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        let request = self.request(kind, key)?.delete(&key.name, &params);
        self.call("delete", kind.label(), request).await.map(drop)
    }

    /// Writes a Kubernetes event.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn post_event(&self, namespace: &str, event: &Value) -> Result<(), Trouble> {
        let request = Request::new(format!("/api/v1/namespaces/{namespace}/events"));
        let request = request.create(&PostParams::default(), json_bytes(event)?);
        self.call("create", "event", request).await.map(drop)
    }

    fn request(&self, kind: Kind, key: &Key) -> Result<Request, Trouble> {
        self.served_request(kind, Some(&key.namespace))
    }

    /// A read, repeated where the API server does not answer: a pass may rest on many of them.
    async fn read(
        &self,
        verb: &'static str,
        kind: Kind,
        request: impl Fn() -> Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Value, Trouble> {
        let (mut left, mut wait) = READS;
        loop {
            left -= 1;
            match self.call(verb, kind.label(), request()).await {
                Err(Trouble::Unavailable(_) | Trouble::Conflict) if left > 0 => {
                    tokio::time::sleep(wait).await;
                    wait *= 4;
                }
                answer => return answer,
            }
        }
    }

    async fn call(
        &self,
        verb: &'static str,
        kind: &'static str,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Value, Trouble> {
        let request = request.map_err(|error| Trouble::Refused(error.to_string()))?;
        // The semaphore is never closed.
        let _permit = self.limit.acquire().await;
        let began = clock::instant();
        let answer = match tokio::time::timeout(PATIENCE, self.client.request(request)).await {
            Ok(answer) => answer.map(|Lean(value)| value).map_err(Trouble::from),
            Err(_) => Err(Trouble::Unavailable(format!(
                "no answer within {} s",
                PATIENCE.as_secs()
            ))),
        };
        let result = answer.as_ref().map_or_else(Trouble::label, |_| "ok");
        self.metrics.call(verb, kind, result, began.elapsed());
        answer
    }
}

fn json_bytes(object: &impl serde::Serialize) -> Result<Vec<u8>, Trouble> {
    serde_json::to_vec(object).map_err(|error| Trouble::Refused(error.to_string()))
}
