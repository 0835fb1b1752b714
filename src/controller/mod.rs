//! The in-cluster mode: takes pools, claims and machines as an API server shows them, brings each to what the allocator
//! decides. One file for each step; only `call` and `watch` talk to the API server.

mod call;
mod clock;
mod endpoint;
mod event;
mod http;
mod install;
mod kinds;
mod lean;
mod lease;
mod machine;
mod metrics;
mod options;
mod pool;
mod queue;
mod rival;
mod snapshot;
mod store;
mod table;
mod watch;
mod webhook;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::Client;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use call::Trouble;
pub use install::{Install, Part};
pub use kinds::{Kind, Served};
pub use metrics::Metrics;
pub use options::{LeaderElection, Options, Role, Webhooks};
pub use snapshot::snapshot;

use call::{Caller, Readiness, readiness};
use lease::Election;
use queue::Pass;
use store::Wake;
use watch::PERSISTS;
use watch::Vitals;
use world::World;

/// Objects that are passed over at the same time at most.
const PASSES: usize = 16;
/// How often a kind that is not served is asked for again.
const DISCOVERY: Duration = Duration::from_secs(60);
/// How long to wait after the first question that was not answered.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// How long what is in hand may take when the process is asked to stop.
const PARTING: Duration = Duration::from_secs(10);

/// Why the in-cluster mode ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// An address cannot be listened on.
    #[error("{0}")]
    Listen(#[from] std::io::Error),
    /// The API server cannot be asked what it serves.
    #[error("cannot ask the API server what it serves: {0}")]
    Discovery(Trouble),
    /// metal3's own manager serves the same pools.
    #[error(
        "metal3's own manager runs in the namespace {0}, and two managers must not serve the same pools. Scale it down: \
         kubectl -n {0} scale deployment ipam-controller-manager --replicas 0; or leave it the pools: --roles machine,endpoint"
    )]
    Rival(String),
    /// Another process may lead by now.
    #[error("the lease is lost: {0}")]
    LeaseLost(Trouble),
}

/// Plays the roles until `stop` is ready, then carries out what is in hand.
///
/// # Errors
/// [`End`]. After a lost lease the process must end, since another one may act.
pub async fn run(client: Client, options: Options, stop: impl Future<Output = ()>) -> Result<(), End> {
    let metrics = Arc::new(Metrics::default());
    let vitals = Arc::new(Vitals::default());
    let certified = Arc::new(AtomicBool::new(options.webhooks.is_none()));
    let mut servers = JoinSet::new();
    let roles: Vec<&str> = options.roles.iter().map(|role| role.name()).collect();
    let namespace = options.namespace.as_deref().unwrap_or("all");
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        roles = roles.join(","),
        namespace,
        "starts"
    );
    if let Some(address) = options.health {
        let listener = http::listen(address).await?;
        servers.spawn(http::serve_health(
            listener,
            Arc::clone(&vitals),
            Arc::clone(&certified),
        ));
    }
    if let Some(address) = options.metrics {
        servers.spawn(http::serve_metrics(http::listen(address).await?, Arc::clone(&metrics)));
    }
    if let Some(webhooks) = options.webhooks.clone() {
        let listener = http::listen(webhooks.address).await?;
        // Every replica answers; what is served is asked for with the first review that needs it.
        let served = Served::only(Kind::Pool);
        let caller = Caller::new(client.clone(), served, options.parallel, Arc::clone(&metrics));
        servers.spawn(webhook::serve(listener, client.clone(), caller, webhooks, certified));
    }
    let mut stop = std::pin::pin!(stop);
    let mut election = options
        .leader_elect
        .clone()
        .map(|election| Election::new(client.clone(), election));
    if let Some(election) = &mut election {
        tracing::info!("waits for the lease");
        tokio::select! {
            () = election.win() => tracing::info!("leads"),
            () = &mut stop => return Ok(()),
        }
    }
    let served = tokio::select! {
        served = look_around(&client, options.plays(Role::Pool)) => served?,
        () = &mut stop => return Ok(()),
    };
    let caller = Caller::new(client, served, options.parallel, Arc::clone(&metrics));
    let world = Arc::new(World::new(options, caller, metrics, vitals));
    let roles = world.options.roles.iter().map(|role| role.name());
    world.metrics.begin(roles, wanted(&world.options).map(Kind::label));
    world.metrics.leads(true);
    let mut tasks = JoinSet::new();
    let lost = async {
        match &mut election {
            Some(election) => election.keep().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = act(&world, &mut tasks) => {}
        trouble = lost => return Err(End::LeaseLost(trouble)),
        () = &mut stop => {}
    }
    tracing::info!("stops");
    finish(&world).await;
    if let Some(election) = &mut election {
        election.give_up().await;
    }
    Ok(())
}

/// Asks what is served until there is an answer, and for pools whether somebody else serves them. Without the right to ask
/// there will be no answer.
async fn look_around(client: &Client, pools: bool) -> Result<Served, End> {
    let (began, mut wait) = (clock::instant(), FIRST_WAIT);
    loop {
        let ready = readiness(client).await;
        // One that starts may refuse the question too.
        if ready == Readiness::Not || ready == Readiness::Unknown && began.elapsed() < PERSISTS {
            tracing::warn!("the API server is not ready");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(DISCOVERY);
            continue;
        }
        let rival = if pools { rival::find(client).await } else { Ok(None) };
        match (Served::discover(client, &Kind::ALL).await, rival) {
            (Err(trouble @ Trouble::Forbidden(_)), _) => return Err(End::Discovery(trouble)),
            (_, Ok(Some(namespace))) => return Err(End::Rival(namespace)),
            (Ok(served), Ok(None)) => return Ok(served),
            (Err(trouble), _) | (_, Err(trouble)) => {
                tracing::warn!(%trouble, "cannot ask the API server what it serves");
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(DISCOVERY);
    }
}

/// Begins nothing new and waits for what is in hand, but not for ever.
async fn finish(world: &World) {
    world.stopping.store(true, Ordering::Relaxed);
    let began = clock::instant();
    while began.elapsed() < PARTING && !world.pools.is_idle() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Watches and works for ever; asks now and then for kinds that are not served.
async fn act(world: &Arc<World>, tasks: &mut JoinSet<()>) {
    for kind in wanted(&world.options) {
        if world.caller.serves(kind) || !kind.is_optional() {
            watch_kind(world, kind, tasks);
        }
    }
    tasks.spawn(work(Arc::clone(world)));
    while wanted(&world.options).any(|kind| !world.vitals.is_watched(kind)) {
        tokio::time::sleep(DISCOVERY).await;
        match Served::discover(world.caller.client(), &Kind::ALL).await {
            Ok(served) => world.caller.serve(served),
            Err(trouble) => tracing::warn!(%trouble, "cannot ask what is served"),
        }
        for kind in wanted(&world.options) {
            if world.caller.serves(kind) && !world.vitals.is_watched(kind) {
                tracing::info!(kind = kind.label(), "is served now");
                watch_kind(world, kind, tasks);
            }
        }
    }
    std::future::pending().await
}

/// The kinds that the roles look at.
fn wanted(options: &Options) -> impl Iterator<Item = Kind> {
    let pool = options.plays(Role::Pool);
    let machine = options.plays(Role::Machine);
    let endpoint = options.plays(Role::Endpoint);
    Kind::ALL.into_iter().filter(move |kind| match kind {
        Kind::Pool | Kind::Claim | Kind::Address | Kind::Cluster => true,
        Kind::ClusterApiClaim | Kind::ClusterApiAddress => pool,
        Kind::Machine | Kind::Template => machine,
        Kind::VSphereCluster => endpoint,
    })
}

fn watch_kind(world: &Arc<World>, kind: Kind, tasks: &mut JoinSet<()>) {
    world.vitals.expect(kind);
    let world = Arc::clone(world);
    tasks.spawn(async move { watch::keep(&world, kind).await });
}

/// Takes what is due out of the queue and passes over it, several objects at a time.
async fn work(world: Arc<World>) {
    let limit = Arc::new(Semaphore::new(PASSES));
    loop {
        let wake = world.queue.next().await;
        let role = wake.role().name();
        world.metrics.queued(role, world.queue.len());
        // The semaphore is never closed.
        let permit = Arc::clone(&limit).acquire_owned().await;
        if world.stopping.load(Ordering::Relaxed) {
            return;
        }
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let _permit = permit;
            let result = match &wake {
                Wake::Pool(key) => pool::pass(&world, key).await,
                Wake::Machine(key) => machine::pass(&world, key).await,
                Wake::Endpoint(key) => endpoint::pass(&world, key).await,
            };
            world
                .metrics
                .reconciled(role, matches!(result, Err(_) | Ok(Pass::Failed)));
            let pass = result.unwrap_or_else(|trouble| {
                tracing::warn!(object = ?wake, %trouble, "the pass failed");
                Pass::Failed
            });
            world.queue.done(&wake, pass);
        });
    }
}
