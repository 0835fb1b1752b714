//! `install --image`: what `kubectl apply` needs to run the in-cluster mode.

use clap::{Args, ValueEnum};

use super::controller::RoleName;
use super::failure::Failure;
use super::{Status, image, output};
use crate::controller::{Install, Part, Role};

pub(super) const EXAMPLES: &str = "  # Everything that an installation needs
  capv-ipam install --image registry.example.com/capv-ipam:0.1.0 | kubectl apply --server-side -f -

  # Beside metal3's own manager: only the part between CAPV and the pools
  capv-ipam install --image registry.example.com/capv-ipam:0.1.0 --roles machine,endpoint

  # What an air-gapped site has to mirror
  capv-ipam install --image registry.example.com/capv-ipam:0.1.0 --images";

/// Which objects run the in-cluster mode.
#[derive(Debug, Args)]
pub(super) struct Installation {
    /// The image of this program; none is published yet, deploy/Dockerfile builds one
    #[arg(long, value_name = "IMAGE", value_parser = image::parse)]
    image: Option<String>,
    /// Where the controller runs
    #[arg(long, value_name = "NAMESPACE", default_value = "capv-ipam-system", value_parser = namespace)]
    namespace: String,
    /// Which parts the controller plays
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [RoleName::Pool, RoleName::Machine, RoleName::Endpoint])]
    roles: Vec<RoleName>,
    /// Only these parts; without it crds, namespace, rbac, deployment and webhooks, and without the role pool neither crds nor webhooks
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<PartName>,
    /// Whether the webhooks are served, with the role pool
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    webhooks: bool,
    /// Print the images that are needed, one a line
    #[arg(long)]
    images: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PartName {
    Crds,
    Namespace,
    Rbac,
    Deployment,
    Webhooks,
    ServiceMonitor,
    NetworkPolicy,
}

impl From<PartName> for Part {
    fn from(name: PartName) -> Self {
        match name {
            PartName::Crds => Self::Crds,
            PartName::Namespace => Self::Namespace,
            PartName::Rbac => Self::Rbac,
            PartName::Deployment => Self::Deployment,
            PartName::Webhooks => Self::Webhooks,
            PartName::ServiceMonitor => Self::ServiceMonitor,
            PartName::NetworkPolicy => Self::NetworkPolicy,
        }
    }
}

/// A namespace: an RFC 1123 label.
fn namespace(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = (1..=63).contains(&text.len()) && text.bytes().all(plain);
    if is_label && !text.starts_with('-') && !text.ends_with('-') {
        return Ok(text.to_owned());
    }
    Err("a namespace has 1 to 63 lower-case letters, digits and `-`, none of these at an end".into())
}

impl Installation {
    pub(super) fn run(self) -> Result<Status, Failure> {
        let roles = self.roles.iter().copied().map(Role::from).collect();
        let parts = if self.only.is_empty() {
            Install::usual(&roles)
        } else {
            self.only.iter().copied().map(Part::from).collect()
        };
        let install = Install {
            image: self.image.clone().unwrap_or_default(),
            namespace: self.namespace,
            roles,
            parts,
            webhooks: self.webhooks,
        };
        if self.image.is_none() && (self.images || install.parts.contains(&Part::Deployment)) {
            return Err(Failure::message(
                "--image is needed: no image of this program is published yet. Build one with \
                 `docker build -f deploy/Dockerfile -t REGISTRY/capv-ipam:VERSION .`, push it, and name it here",
            ));
        }
        if install.objects().is_empty() {
            return Err(Failure::message(
                "nothing is left to print: webhooks are served with the role pool and without --webhooks=false",
            ));
        }
        let text = if self.images {
            format!("{}\n", install.image)
        } else {
            install.yaml()
        };
        output::print(&text)?;
        Ok(Status::Done)
    }
}
