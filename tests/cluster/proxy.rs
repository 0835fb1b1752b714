//! A proxy before a real API server that delays, refuses, duplicates and loses calls, breaks watches, and kills a process
//! before or after a call.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use tokio::net::TcpListener;

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Refuse(u16),
    Lose,
    Twice,
    Delay(u64),
}

type Chooser = Box<dyn FnMut(&Method, &str) -> Fault + Send>;

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) url: String,
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) faulted: Arc<AtomicUsize>,
    chooser: Arc<Mutex<Chooser>>,
}

impl Proxy {
    /// Starts one that passes everything on with the rights of `client`.
    pub(crate) async fn start(client: Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            calls: Arc::default(),
            faulted: Arc::default(),
            chooser: Arc::new(Mutex::new(Box::new(|_, _| Fault::None))),
        };
        let (calls, faulted, chooser) = (proxy.calls.clone(), proxy.faulted.clone(), proxy.chooser.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (client, calls, faulted, chooser) =
                    (client.clone(), calls.clone(), faulted.clone(), chooser.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (client, calls, faulted) = (client.clone(), calls.clone(), faulted.clone());
                        let watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
                        let fault = if watch {
                            Fault::None
                        } else {
                            calls.fetch_add(1, Ordering::Relaxed);
                            chooser.lock().unwrap()(request.method(), request.uri().path())
                        };
                        if fault != Fault::None {
                            faulted.fetch_add(1, Ordering::Relaxed);
                        }
                        async move { pass_on(client, request, fault).await }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        proxy
    }

    /// Lets a test choose what happens to each call that is no watch.
    pub(crate) fn choose(&self, chooser: impl FnMut(&Method, &str) -> Fault + Send + 'static) {
        *self.chooser.lock().unwrap() = Box::new(chooser);
    }
}

async fn pass_on(
    client: Client,
    request: Request<Incoming>,
    fault: Fault,
) -> Result<Response<http_body_util::combinators::UnsyncBoxBody<Bytes, kube::Error>>, std::io::Error> {
    let (mut head, body) = request.into_parts();
    let bytes = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    match fault {
        Fault::Refuse(code) => {
            let text = format!(
                r#"{{"kind":"Status","status":"Failure","code":{code},"reason":"Injected","message":"injected"}}"#
            );
            let body = Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {});
            let mut answer = Response::new(body.boxed_unsync());
            *answer.status_mut() = StatusCode::from_u16(code).unwrap();
            return Ok(answer);
        }
        Fault::Delay(wait) => tokio::time::sleep(Duration::from_millis(wait)).await,
        _ => {}
    }
    // The client adds the server and the credentials.
    head.uri = head.uri.path_and_query().unwrap().as_str().parse().unwrap();
    head.headers.remove(http::header::HOST);
    head.headers.remove(http::header::AUTHORIZATION);
    let send = || client.send(Request::from_parts(head.clone(), Body::from(bytes.to_vec())));
    let answer = send().await.map_err(std::io::Error::other)?;
    match fault {
        Fault::Twice => {
            let again = send().await.map_err(std::io::Error::other)?;
            Ok(again.map(|body| body.boxed_unsync()))
        }
        Fault::Lose => Err(std::io::Error::other("the answer is lost")),
        _ => Ok(answer.map(|body| body.boxed_unsync())),
    }
}
