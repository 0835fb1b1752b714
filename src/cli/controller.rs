//! `controller`: the in-cluster mode, from flags to its end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::Status;
use super::failure::Failure;
use crate::controller::{LeaderElection, Options, Role, Webhooks, run};

/// Serve pools, claims and machines in a management cluster.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct Controller {
    /// Which parts to play
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [RoleName::Pool, RoleName::Machine, RoleName::Endpoint])]
    roles: Vec<RoleName>,
    /// The only namespace to serve; all without it
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    #[command(flatten)]
    cluster: ClusterAccess,
    /// API calls in flight at most
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    parallel: u16,
    /// Whether claims of workers wait until the control plane has come up
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    hold_workers: bool,
    /// Take the in-cluster IPAM provider's finalizer off claims that it cannot serve
    #[arg(long)]
    remove_stray_finalizers: bool,
    /// Whether only one of several processes acts
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    leader_elect: bool,
    /// Namespace of the Lease; the one of the process in a cluster
    #[arg(long, value_name = "NAMESPACE")]
    lease_namespace: Option<String>,
    /// Where /healthz and /readyz are answered; empty for nowhere
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:9440")]
    health_addr: String,
    /// Where /metrics is answered; empty for nowhere
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    metrics_addr: String,
    /// Whether the webhooks are served
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    webhooks: bool,
    /// Where the webhooks are served
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:9443")]
    webhook_addr: String,
    /// A further name or address in the webhooks' certificate, for webhooks that are reached by URL
    #[arg(long, value_name = "HOST")]
    webhook_host: Option<String>,
    /// The form of the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// How much is logged: a level, or targets with levels
    #[arg(
        long,
        value_name = "FILTER",
        env = "CAPV_IPAM_LOG",
        default_value = "info,kube_client=off"
    )]
    log: String,
}

/// How to reach a cluster.
#[derive(Debug, Args)]
pub(super) struct ClusterAccess {
    /// The kubeconfig file; else KUBECONFIG, ~/.kube/config, or the credentials of the pod
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig file
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleName {
    Pool,
    Machine,
    Endpoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Pool => Self::Pool,
            RoleName::Machine => Self::Machine,
            RoleName::Endpoint => Self::Endpoint,
        }
    }
}

impl ClusterAccess {
    /// The configuration of a client, by the flags, the environment or the pod.
    pub(super) async fn config(&self) -> Result<Config, Failure> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let config = if let Some(path) = &self.kubeconfig {
            let file = Kubeconfig::read_from(path)
                .map_err(|error| Failure::message(format!("cannot read {}: {error}", path.display())))?;
            Config::from_custom_kubeconfig(file, &options).await
        } else if self.context.is_some() {
            Config::from_kubeconfig(&options).await
        } else {
            return Config::infer().await.map_err(|error| {
                Failure::message(format!("there is no cluster to talk to: {error}; give --kubeconfig"))
            });
        };
        config.map_err(|error| Failure::message(format!("the kubeconfig cannot be used: {error}")))
    }
}

impl Controller {
    pub(super) fn run(self) -> Result<Status, Failure> {
        self.log()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::message(format!("cannot start: {error}")))?;
        runtime.block_on(async {
            let mut config = self.cluster.config().await?;
            // Watches are long; every other call has a limit of its own.
            config.read_timeout = None;
            let namespace = config.default_namespace.clone();
            let client =
                Client::try_from(config).map_err(|error| Failure::message(format!("cannot connect: {error}")))?;
            let options = self.options(namespace)?;
            run(client, options, stop())
                .await
                .map_err(|end| Failure::message(end.to_string()))
        })?;
        Ok(Status::Done)
    }

    fn log(&self) -> Result<(), Failure> {
        let filter = tracing_subscriber::EnvFilter::try_new(&self.log)
            .map_err(|error| Failure::message(format!("--log {}: {error}", self.log)))?;
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            // A log that nobody reads any more is no reason to end.
            .log_internal_errors(false)
            .with_writer(std::io::stderr);
        match self.log_format {
            LogFormat::Json => log.json().init(),
            LogFormat::Text => log.with_ansi(false).init(),
        }
        Ok(())
    }

    fn options(&self, namespace: String) -> Result<Options, Failure> {
        let namespace = std::env::var("POD_NAMESPACE").unwrap_or(namespace);
        let webhooks = address("--webhook-addr", &self.webhook_addr)?.filter(|_| self.webhooks);
        let webhooks = webhooks.map(|address| Webhooks {
            address,
            namespace: namespace.clone(),
            service: "capv-ipam-webhook".into(),
            host: self.webhook_host.clone(),
        });
        let leader_elect = self.leader_elect.then(|| LeaderElection {
            namespace: self.lease_namespace.clone().unwrap_or(namespace),
            name: "capv-ipam-controller".into(),
            identity: LeaderElection::identity(&std::env::var("HOSTNAME").unwrap_or_else(|_| "capv-ipam".into())),
            duration: Duration::from_secs(15),
        });
        Ok(Options {
            roles: self.roles.iter().copied().map(Role::from).collect(),
            namespace: self.namespace.clone(),
            parallel: self.parallel.into(),
            hold_workers: self.hold_workers,
            remove_stray_finalizers: self.remove_stray_finalizers,
            leader_elect,
            health: address("--health-addr", &self.health_addr)?,
            metrics: address("--metrics-addr", &self.metrics_addr)?,
            webhooks,
        })
    }
}

fn address(flag: &str, text: &str) -> Result<Option<SocketAddr>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    // As Go writes it: a port alone means every address.
    let full = if text.starts_with(':') {
        format!("0.0.0.0{text}")
    } else {
        text.to_owned()
    };
    let parsed = full.parse().map_err(|_| {
        Failure::message(format!(
            "{flag} {text}: give an address with a port, such as 127.0.0.1:9440 or :9440"
        ))
    });
    parsed.map(Some)
}

/// Ready when the process is asked to stop.
async fn stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        std::future::pending().await
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
