//! The webhooks: takes reviews over TLS from the API server, answers by metal3's rules; everything else works without them.

mod caution;
mod certificate;
mod review;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use kube::Client;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ServerConfig, crypto};

use super::call::{Caller, Trouble};
use super::clock;
use super::http::{Answer, converse, next_connection, text};
use super::options::Webhooks;
use caution::cautions;
use certificate::{Certificate, current, trust};
use review::{Duty, Subject, of_path};

/// The Secret with the certificate.
const SECRET: &str = "capv-ipam-webhook-certificate";
/// Name of both webhook configurations.
const CONFIGURATION: &str = "capv-ipam";
/// The largest review: two objects of the API server's own limit.
const LARGEST: usize = 8 << 20;
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often what is trusted is looked at again, at least.
const CHECK: Duration = Duration::from_secs(12 * 3600);
/// How long to wait after the API server could not be asked.
const RETRY: Duration = Duration::from_secs(10);

/// The certificate that is served now.
#[derive(Debug, Default)]
struct Keys(RwLock<Option<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Keys {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Serves the webhooks for ever, and says when there is a certificate for them.
pub(super) async fn serve(
    listener: TcpListener,
    client: Client,
    caller: Caller,
    webhooks: Webhooks,
    certified: Arc<AtomicBool>,
) {
    let keys = Arc::new(Keys::default());
    let provider = Arc::new(crypto::ring::default_provider());
    let config = match ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions() {
        Ok(config) => config
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&keys) as Arc<dyn ResolvesServerCert>),
        Err(error) => {
            tracing::error!(%error, "the webhooks cannot be served");
            return;
        }
    };
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::join!(
        renew(client, &webhooks, &keys, &certified),
        accept(listener, acceptor, caller)
    );
}

/// Keeps the certificate fresh and trusted.
async fn renew(client: Client, webhooks: &Webhooks, keys: &Keys, certified: &AtomicBool) {
    loop {
        let wait = match refresh(&client, webhooks, keys).await {
            Ok(wait) => {
                certified.store(true, Ordering::Relaxed);
                wait
            }
            Err(trouble) => {
                tracing::warn!(%trouble, "the webhooks' certificate is not in order");
                RETRY
            }
        };
        tokio::time::sleep(wait).await;
    }
}

async fn refresh(client: &Client, webhooks: &Webhooks, keys: &Keys) -> Result<Duration, Trouble> {
    let certificate = current(client, webhooks).await?;
    // Trusted first, served then: at no moment is a certificate served that nobody trusts.
    trust(client, &certificate.bundle).await?;
    let key = certified(&certificate).map_err(|problem| {
        Trouble::Unavailable(format!(
            "the Secret {SECRET} holds no usable certificate ({problem}); delete it"
        ))
    })?;
    *keys.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(key));
    let left = certificate.renew.duration_since(clock::now());
    let left = Duration::try_from(left).unwrap_or(RETRY);
    Ok(left.clamp(RETRY, CHECK))
}

fn certified(certificate: &Certificate) -> Result<CertifiedKey, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.certificate.as_bytes()).collect();
    let chain = chain.map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).map_err(|error| error.to_string())?;
    let key = crypto::ring::sign::any_supported_type(&key).map_err(|error| error.to_string())?;
    Ok(CertifiedKey::new(chain, key))
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, caller: Caller) {
    loop {
        let stream = next_connection(&listener).await;
        let (acceptor, caller) = (acceptor.clone(), caller.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => converse(stream, move |request| respond(caller.clone(), request)).await,
                Ok(Err(error)) => tracing::debug!(%error, "no handshake"),
                Err(_) => tracing::debug!("no handshake in time"),
            }
        });
    }
}

async fn respond(caller: Caller, request: Request<Incoming>) -> Answer {
    let Some((duty, subject)) = of_path(request.uri().path()).filter(|_| request.method() == Method::POST) else {
        return text(StatusCode::NOT_FOUND, "not found\n");
    };
    let body = match Limited::new(request.into_body(), LARGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return text(StatusCode::BAD_REQUEST, format!("the review cannot be read: {error}\n")),
    };
    let review: Value = match serde_json::from_slice(&body) {
        Ok(review) => review,
        Err(error) => return text(StatusCode::BAD_REQUEST, format!("the review is no JSON: {error}\n")),
    };
    let warnings = match (duty, subject) {
        (Duty::Validate, Subject::Pool) => cautions(&caller, &review).await,
        _ => Vec::new(),
    };
    match review::answer(duty, subject, &review, &warnings) {
        Ok(answer) => {
            let mut answer = text(StatusCode::OK, answer.to_string());
            let json = http::HeaderValue::from_static("application/json");
            answer.headers_mut().insert(http::header::CONTENT_TYPE, json);
            answer
        }
        Err(problem) => text(StatusCode::BAD_REQUEST, format!("{problem}\n")),
    }
}
