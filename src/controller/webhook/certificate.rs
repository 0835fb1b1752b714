//! Makes the certificate of the webhooks, keeps it in a Secret that all replicas share, makes a new one in time, and tells the
//! API server which one to trust; never needs another program for it.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _};
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use serde_json::json;

use super::super::call::Trouble;
use super::super::clock;
use super::super::options::Webhooks;
use super::{CONFIGURATION, SECRET};

/// How long a certificate is good, and after how long a new one is made.
const DAYS: (i64, i64) = (365, 240);
/// Annotation of the Secret: when a new certificate is due.
const RENEW: &str = "capv-ipam.dev/renew-after";

/// A certificate that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// The certificate and its key, as PEM.
    pub(super) certificate: String,
    pub(super) key: String,
    /// What the API server is to trust: this certificate and the one before, as PEM.
    pub(super) bundle: String,
    /// When a new one is due.
    pub(super) renew: Timestamp,
}

/// The certificate of the Secret. Where there is none, or a new one is due, it is made first.
///
/// # Errors
/// Those of the API server.
pub(super) async fn current(client: &Client, webhooks: &Webhooks) -> Result<Certificate, Trouble> {
    let api: Api<Secret> = Api::namespaced(client.clone(), &webhooks.namespace);
    loop {
        let stored = api.get_opt(SECRET).await?;
        let old = stored.as_ref().and_then(read);
        if let Some(certificate) = old.as_ref().filter(|old| clock::now() < old.renew) {
            return Ok(certificate.clone());
        }
        let secret = make(webhooks, stored.as_ref(), old.as_ref())?;
        let written = match stored {
            None => api.create(&PostParams::default(), &secret).await,
            Some(_) => api.replace(SECRET, &PostParams::default(), &secret).await,
        };
        match written.map_err(Trouble::from) {
            Ok(_) => tracing::info!("the webhooks have a new certificate"),
            // Another replica was faster.
            Err(Trouble::Exists | Trouble::Conflict) => {}
            Err(trouble) => return Err(trouble),
        }
    }
}

fn read(secret: &Secret) -> Option<Certificate> {
    let data = secret.data.as_ref()?;
    let text = |key: &str| String::from_utf8(data.get(key)?.0.clone()).ok();
    let renew = secret.metadata.annotations.as_ref()?.get(RENEW)?.parse().ok()?;
    Some(Certificate {
        certificate: text("tls.crt")?,
        key: text("tls.key")?,
        bundle: text("ca.crt")?,
        renew,
    })
}

fn make(webhooks: &Webhooks, stored: Option<&Secret>, old: Option<&Certificate>) -> Result<Secret, Trouble> {
    let failed = |error: rcgen::Error| Trouble::Unavailable(format!("no certificate can be made: {error}"));
    let service = format!("{}.{}.svc", webhooks.service, webhooks.namespace);
    let mut names = vec![service.clone(), format!("{service}.cluster.local")];
    names.extend(webhooks.host.clone());
    let mut params = CertificateParams::new(names).map_err(failed)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, service);
    params.distinguished_name = subject;
    // It signs itself, and so is all that there is to trust.
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = clock::now();
    let later = |days: i64| now + (days * 24).hours();
    // Clocks of other machines may be behind.
    params.not_before = std::time::SystemTime::from(now - 1.hour()).into();
    params.not_after = std::time::SystemTime::from(later(DAYS.0)).into();
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?.pem();
    let before = old.map(|old| old.certificate.as_str()).unwrap_or_default();
    let data = [
        ("tls.crt", certificate.clone()),
        ("tls.key", key.serialize_pem()),
        ("ca.crt", format!("{certificate}{before}")),
    ];
    Ok(Secret {
        metadata: ObjectMeta {
            name: Some(SECRET.into()),
            namespace: Some(webhooks.namespace.clone()),
            annotations: Some(BTreeMap::from([(RENEW.into(), clock::seconds(later(DAYS.1)))])),
            resource_version: stored.and_then(|secret| secret.metadata.resource_version.clone()),
            ..ObjectMeta::default()
        },
        type_: Some("kubernetes.io/tls".into()),
        data: Some(
            data.map(|(key, text)| (key.to_owned(), ByteString(text.into_bytes())))
                .into(),
        ),
        ..Secret::default()
    })
}

/// Writes what is to be trusted into both webhook configurations, where it is not there yet.
///
/// # Errors
/// Those of the API server; a configuration that does not exist is none.
pub(super) async fn trust(client: &Client, bundle: &str) -> Result<(), Trouble> {
    let bundle = ByteString(bundle.as_bytes().to_vec());
    let mutating: Api<MutatingWebhookConfiguration> = Api::all(client.clone());
    if let Some(stored) = mutating.get_opt(CONFIGURATION).await? {
        let hooks = stored.webhooks.unwrap_or_default();
        let names = hooks
            .iter()
            .map(|hook| (hook.name.as_str(), hook.client_config.ca_bundle.as_ref()));
        if let Some(patch) = patch(names, &bundle) {
            mutating
                .patch(CONFIGURATION, &PatchParams::default(), &Patch::Strategic(patch))
                .await?;
        }
    }
    let validating: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
    if let Some(stored) = validating.get_opt(CONFIGURATION).await? {
        let hooks = stored.webhooks.unwrap_or_default();
        let names = hooks
            .iter()
            .map(|hook| (hook.name.as_str(), hook.client_config.ca_bundle.as_ref()));
        if let Some(patch) = patch(names, &bundle) {
            validating
                .patch(CONFIGURATION, &PatchParams::default(), &Patch::Strategic(patch))
                .await?;
        }
    }
    Ok(())
}

/// The strategic merge patch that sets the bundle of every webhook, by name.
fn patch<'a>(
    hooks: impl Iterator<Item = (&'a str, Option<&'a ByteString>)>,
    bundle: &ByteString,
) -> Option<serde_json::Value> {
    let wrong = hooks.filter(|(_, there)| *there != Some(bundle));
    let webhooks: Vec<serde_json::Value> = wrong
        .map(|(name, _)| json!({"name": name, "clientConfig": {"caBundle": bundle}}))
        .collect();
    (!webhooks.is_empty()).then(|| json!({ "webhooks": webhooks }))
}
