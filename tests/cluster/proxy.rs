//! A proxy before a real API server that delays, refuses, duplicates and loses calls, breaks watches, and kills a process
//! before or after a call.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, BodyStream, Full, StreamBody};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Refuse(u16),
    Lose,
    Twice,
    Delay(u64),
    /// Held until the test lets it go.
    Hold,
    /// Done, and the answer is held until the test lets it go.
    HoldAnswer,
    /// Answered with the list that was given before, if it is a list; of a watch: it ends after a moment.
    Stale,
}

type Chooser = Box<dyn FnMut(&Method, &str) -> Fault + Send>;
type Answer = Response<http_body_util::combinators::UnsyncBoxBody<Bytes, kube::Error>>;

/// For how long a watch goes on that is to end.
const SHORT_WATCH: Duration = Duration::from_millis(150);

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) url: String,
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) faulted: Arc<AtomicUsize>,
    /// Calls that are no watch, by method and path.
    pub(crate) seen: Arc<Mutex<BTreeMap<String, usize>>>,
    chooser: Arc<Mutex<Chooser>>,
    held: Arc<Semaphore>,
}

/// What a call needs on its way.
#[derive(Clone)]
struct Passage {
    client: Client,
    held: Arc<Semaphore>,
    lists: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl Proxy {
    /// Starts one that passes everything on with the rights of `client`.
    pub(crate) async fn start(client: Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            calls: Arc::default(),
            faulted: Arc::default(),
            seen: Arc::default(),
            chooser: Arc::new(Mutex::new(Box::new(|_, _| Fault::None))),
            held: Arc::new(Semaphore::new(0)),
        };
        let passage = Passage {
            client,
            held: Arc::clone(&proxy.held),
            lists: Arc::default(),
        };
        let (calls, faulted, chooser) = (proxy.calls.clone(), proxy.faulted.clone(), proxy.chooser.clone());
        let seen = Arc::clone(&proxy.seen);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (passage, calls, faulted, chooser) =
                    (passage.clone(), calls.clone(), faulted.clone(), chooser.clone());
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let passage = passage.clone();
                        calls.fetch_add(1, Ordering::Relaxed);
                        if !is_watch(&request) {
                            let call = format!("{} {}", request.method(), request.uri().path());
                            *seen.lock().unwrap().entry(call).or_default() += 1;
                        }
                        let fault = chooser.lock().unwrap()(request.method(), request.uri().path());
                        // Nothing but a moment's end is done to a watch.
                        let fault = match fault {
                            fault if !is_watch(&request) || fault == Fault::Stale => fault,
                            _ => Fault::None,
                        };
                        if fault != Fault::None {
                            faulted.fetch_add(1, Ordering::Relaxed);
                        }
                        async move { passage.pass_on(request, fault).await }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        proxy
    }

    /// Lets every call go that is held.
    pub(crate) fn release(&self) {
        self.held.close();
    }

    /// Lets a test choose what happens to each call that is no watch.
    pub(crate) fn choose(&self, chooser: impl FnMut(&Method, &str) -> Fault + Send + 'static) {
        *self.chooser.lock().unwrap() = Box::new(chooser);
    }
}

fn is_watch(request: &Request<Incoming>) -> bool {
    request.uri().query().is_some_and(|query| query.contains("watch=true"))
}

impl Passage {
    async fn pass_on(&self, request: Request<Incoming>, fault: Fault) -> Result<Answer, std::io::Error> {
        let watch = is_watch(&request);
        let list =
            !watch && request.method() == Method::GET && request.uri().query().is_some_and(|q| q.contains("limit="));
        let (mut head, body) = request.into_parts();
        let bytes = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
        let path = head.uri.path_and_query().unwrap().as_str().to_owned();
        match fault {
            Fault::Refuse(code) => return Ok(refused(code)),
            Fault::Delay(wait) => tokio::time::sleep(Duration::from_millis(wait)).await,
            // The semaphore is closed when the test lets go.
            Fault::Hold => drop(self.held.acquire().await),
            Fault::Stale if list => {
                let old = self.lists.lock().unwrap().get(&path).cloned();
                if let Some(old) = old {
                    return Ok(Response::new(whole(old)));
                }
            }
            _ => {}
        }
        // The client adds the server and the credentials.
        head.uri = path.parse().unwrap();
        head.headers.remove(http::header::HOST);
        head.headers.remove(http::header::AUTHORIZATION);
        let send = || {
            self.client
                .send(Request::from_parts(head.clone(), Body::from(bytes.to_vec())))
        };
        let answer = send().await.map_err(std::io::Error::other)?;
        match fault {
            Fault::Twice => {
                let again = send().await.map_err(std::io::Error::other)?;
                Ok(again.map(|body| body.boxed_unsync()))
            }
            Fault::Lose => Err(std::io::Error::other("the answer is lost")),
            Fault::HoldAnswer => {
                drop(self.held.acquire().await);
                Ok(answer.map(|body| body.boxed_unsync()))
            }
            Fault::Stale if watch => Ok(answer.map(|body| short(body).boxed_unsync())),
            _ if list && answer.status().is_success() => {
                let (head, body) = answer.into_parts();
                let bytes = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
                self.lists.lock().unwrap().insert(path, bytes.clone());
                Ok(Response::from_parts(head, whole(bytes)))
            }
            _ => Ok(answer.map(|body| body.boxed_unsync())),
        }
    }
}

/// The body of a watch that ends after a moment.
fn short(body: Body) -> impl hyper::body::Body<Data = Bytes, Error = kube::Error> {
    let frames = BodyStream::new(body).take_until(Box::pin(tokio::time::sleep(SHORT_WATCH)));
    StreamBody::new(frames)
}

fn whole(bytes: Bytes) -> http_body_util::combinators::UnsyncBoxBody<Bytes, kube::Error> {
    Full::new(bytes)
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

fn refused(code: u16) -> Answer {
    let text =
        format!(r#"{{"kind":"Status","status":"Failure","code":{code},"reason":"Injected","message":"injected"}}"#);
    let mut answer = Response::new(whole(Bytes::from(text)));
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}
