//! Takes requests for health and metrics, answers them from what the process knows of itself; never asks anybody.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::metrics::Metrics;
use super::watch::Vitals;

/// How long a client may take to send the head of a request.
const HEADER: Duration = Duration::from_secs(10);
/// Connections at once.
const CONNECTIONS: usize = 128;

pub(super) type Answer = Response<Full<Bytes>>;

/// An answer of plain text.
pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let plain = http::HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(http::header::CONTENT_TYPE, plain);
    answer
}

/// Listens on an address.
///
/// # Errors
/// The address and why it cannot be used.
pub(super) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

/// Answers the requests of one connection.
pub(super) async fn converse<S, F, R>(stream: S, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(Request<Incoming>) -> R,
    R: Future<Output = Answer>,
{
    let service = service_fn(|request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut http = http1::Builder::new();
    let connection = http.timer(TokioTimer::new()).header_read_timeout(HEADER);
    if let Err(error) = connection.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The next connection; what cannot be accepted is tried again.
pub(super) async fn next_connection(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Answers for ever.
pub(super) async fn serve<F, R>(listener: TcpListener, answer: F)
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Answer> + Send + 'static,
{
    let limit = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let permit = Arc::clone(&limit).acquire_owned().await;
        let stream = next_connection(&listener).await;
        let answer = answer.clone();
        tokio::spawn(async move {
            let _permit = permit;
            converse(stream, answer).await;
        });
    }
}

/// `/healthz`: fails when a watch is stuck. `/readyz`: fails until the process acts or stands by, and has a certificate for
/// the webhooks that it serves.
pub(super) async fn serve_health(listener: TcpListener, vitals: Arc<Vitals>, certified: Arc<AtomicBool>) {
    serve(listener, move |request| {
        let answer = match (request.method(), request.uri().path()) {
            (&Method::GET, "/healthz") => verdict("these watches are stuck", &vitals.stuck()),
            (&Method::GET, "/readyz") if !certified.load(Ordering::Relaxed) => {
                let problem = "the webhooks' certificate is not in order yet: see the log\n";
                text(StatusCode::SERVICE_UNAVAILABLE, problem)
            }
            (&Method::GET, "/readyz") => verdict("these kinds are not listed yet", &vitals.unsynced()),
            _ => text(StatusCode::NOT_FOUND, "not found\n"),
        };
        std::future::ready(answer)
    })
    .await;
}

fn verdict(problem: &str, kinds: &[super::Kind]) -> Answer {
    if kinds.is_empty() {
        return text(StatusCode::OK, "ok\n");
    }
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.label()).collect();
    text(
        StatusCode::SERVICE_UNAVAILABLE,
        format!("{problem}: {}\n", kinds.join(", ")),
    )
}

/// `/metrics` in the text form of OpenMetrics.
pub(super) async fn serve_metrics(listener: TcpListener, metrics: Arc<Metrics>) {
    serve(listener, move |request| {
        let mut answer = match (request.method(), request.uri().path()) {
            (&Method::GET, "/metrics") => text(StatusCode::OK, metrics.text()),
            _ => text(StatusCode::NOT_FOUND, "not found\n"),
        };
        if answer.status() == StatusCode::OK {
            let form = http::HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
            answer.headers_mut().insert(http::header::CONTENT_TYPE, form);
        }
        std::future::ready(answer)
    })
    .await;
}
