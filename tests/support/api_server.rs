//! A small HTTPS server that answers `/readyz` as kube-apiserver does, healthy or sick, and tells everyone else its name; and a client that does not check certificates.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, ServerConnection, SignatureScheme, StreamOwned,
};

/// What a sick server answers: the checks that are fine still say "ok".
const SICK: &str = "[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\n[+]poststarthook/start-informers ok\nreadyz check failed\n";

/// A running server.
pub(crate) struct ApiServer {
    healthy: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
    probes: Arc<AtomicUsize>,
    address: SocketAddr,
}

impl ApiServer {
    /// Serves on an address until it is dropped.
    pub(crate) fn start(address: SocketAddr) -> Self {
        let key = rcgen::generate_simple_self_signed(["kube-apiserver".to_owned()]).unwrap();
        let certificate = CertificateDer::from(key.cert.der().to_vec());
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], private)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind(address).unwrap();
        let server = ApiServer {
            healthy: Arc::new(AtomicBool::new(true)),
            stopped: Arc::new(AtomicBool::new(false)),
            probes: Arc::new(AtomicUsize::new(0)),
            address: listener.local_addr().unwrap(),
        };
        let (healthy, stopped, probes) = (server.healthy.clone(), server.stopped.clone(), server.probes.clone());
        let name = address.ip().to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (config, name) = (config.clone(), name.clone());
                let (healthy, probes) = (healthy.clone(), probes.clone());
                std::thread::spawn(move || drop(serve(stream, config, &name, &healthy, &probes)));
            }
        });
        server
    }

    pub(crate) fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::SeqCst);
    }

    /// How often somebody asked for `/readyz`.
    pub(crate) fn probes(&self) -> usize {
        self.probes.load(Ordering::SeqCst)
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then closes.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    name: &str,
    healthy: &AtomicBool,
    probes: &AtomicUsize,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    loop {
        let head = read_head(&mut stream)?;
        let (status, body) = if head.starts_with("GET /readyz ") {
            probes.fetch_add(1, Ordering::SeqCst);
            if healthy.load(Ordering::SeqCst) {
                ("200 OK", "ok")
            } else {
                ("500 Internal Server Error", SICK)
            }
        } else {
            ("200 OK", name)
        };
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")?;
        stream.flush()?;
    }
}

fn read_head(stream: &mut impl Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 || head.len() > 8192 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// A connection of a client through the balancer.
pub(crate) struct Client(StreamOwned<ClientConnection, TcpStream>);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(std::io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone))
            .with_no_client_auth();
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let name = ServerName::try_from("kube-apiserver").map_err(std::io::Error::other)?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(std::io::Error::other)?;
        Ok(Client(StreamOwned::new(connection, stream)))
    }

    /// Asks who serves; may be asked again on the same connection.
    pub(crate) fn who(&mut self) -> std::io::Result<String> {
        write!(self.0, "GET /who HTTP/1.1\r\nHost: kube-apiserver\r\n\r\n")?;
        self.0.flush()?;
        let head = read_head(&mut self.0)?;
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

/// Takes every certificate: what is tested is where connections go.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
