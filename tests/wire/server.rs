//! A TLS server that does what a test wants, to the byte; and a proxy that refuses everything.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use paytill::simulator::Identity;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const DEADLINE: Duration = Duration::from_mins(1);
/// The pause between two bytes that drip.
const DRIP: Duration = Duration::from_millis(20);

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers and keeps the connection open.
    Answer(Vec<u8>),
    /// Answers and closes with a `close_notify`, as TLS demands.
    AnswerAndClose(Vec<u8>),
    /// Answers and closes without a `close_notify`.
    AnswerAndVanish(Vec<u8>),
    AnswerAndReset(Vec<u8>),
    /// Answers and then stays silent.
    AnswerAndHang(Vec<u8>),
    /// Closes with a `close_notify` and without an answer.
    Close,
    /// The same at the first byte of any request but the first.
    CloseUnread,
    Reset,
    /// Sends some bytes, and then others again and again.
    Flood(Vec<u8>, Vec<u8>),
    /// Sends one byte at a time, slowly.
    Drip(Vec<u8>),
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub head: String,
    pub body: String,
    pub has_certificate: bool,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    /// Requests of which at least one byte arrived.
    begun: usize,
    requests: Vec<Request>,
}

/// A running server; dropping it stops it.
pub struct Wire {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    /// How many bytes of a flood were accepted before the other side hung up.
    flooded: watch::Receiver<Option<usize>>,
    accepting: JoinHandle<()>,
}

type Script = dyn Fn(&Request) -> Act + Send + Sync;

impl Wire {
    /// Listens on loopback, on the current runtime.
    pub fn start(
        keys: &Identity,
        script: impl Fn(&Request) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls(keys)));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (flood, flooded) = watch::channel(None);
        let (script, seen_there) = (Arc::new(script), Arc::clone(&seen));
        let accepting = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                seen_there.lock().unwrap().connections += 1;
                let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
                let (seen, flood) = (Arc::clone(&seen_there), flood.clone());
                connections.spawn(async move {
                    stream.set_nodelay(true).unwrap();
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    // The other side may hang up at any time.
                    let _ = serve(stream, &*script, &seen, &flood).await;
                });
            }
        });
        Self { address, seen, flooded, accepting }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// How many complete requests with this body arrived.
    pub fn count(&self, body: &str) -> usize {
        self.shown_certificates(body).len()
    }

    /// For each request with this body, whether its connection presented a certificate.
    pub fn shown_certificates(&self, body: &str) -> Vec<bool> {
        let seen = self.seen.lock().unwrap();
        let with_body = seen.requests.iter().filter(|request| request.body == body);
        with_body.map(|request| request.has_certificate).collect()
    }

    pub fn heads(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.requests.iter().map(|request| request.head.to_lowercase()).collect()
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub fn begun(&self) -> usize {
        self.seen.lock().unwrap().begun
    }

    /// Waits until the other side hangs up on a flood; returns after how many bytes.
    pub async fn hung_up_after(&self) -> usize {
        let mut flooded = self.flooded.clone();
        let ended = tokio::time::timeout(DEADLINE, flooded.wait_for(Option::is_some));
        ended.await.expect("the flood ends").unwrap().unwrap()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    mut stream: TlsStream<TcpStream>,
    script: &Script,
    seen: &Mutex<Seen>,
    flood: &watch::Sender<Option<usize>>,
) -> std::io::Result<()> {
    let has_certificate = stream.get_ref().1.peer_certificates().is_some();
    let mut is_first = true;
    loop {
        let mut buffer = vec![0];
        stream.read_exact(&mut buffer).await?;
        seen.lock().unwrap().begun += 1;
        // The action for a request whose body is not known yet.
        let unread = Request { head: String::new(), body: String::new(), has_certificate };
        if !is_first && matches!(script(&unread), Act::CloseUnread) {
            return stream.shutdown().await;
        }
        is_first = false;
        let request = loop {
            match whole(&buffer) {
                Some((head, body)) => break Request { head, body, has_certificate },
                None if stream.read_buf(&mut buffer).await? == 0 => return Ok(()),
                None => {}
            }
        };
        seen.lock().unwrap().requests.push(request.clone());
        match script(&request) {
            Act::Answer(bytes) => send(&mut stream, &bytes).await?,
            Act::AnswerAndClose(bytes) => {
                send(&mut stream, &bytes).await?;
                return stream.shutdown().await;
            }
            Act::AnswerAndVanish(bytes) => return send(&mut stream, &bytes).await,
            Act::AnswerAndReset(bytes) => {
                send(&mut stream, &bytes).await?;
                return stream.get_ref().0.set_zero_linger();
            }
            Act::AnswerAndHang(bytes) => {
                send(&mut stream, &bytes).await?;
                return stream.read_exact(&mut [0; 1]).await.map(|_| ());
            }
            Act::Close | Act::CloseUnread => return stream.shutdown().await,
            Act::Reset => return stream.get_ref().0.set_zero_linger(),
            Act::Flood(head, more) => {
                let mut sent = head.len();
                let mut result = send(&mut stream, &head).await;
                while result.is_ok() {
                    result = stream.write_all(&more).await;
                    sent += more.len();
                }
                flood.send_replace(Some(sent));
                return result;
            }
            Act::Drip(bytes) => {
                for byte in bytes {
                    send(&mut stream, &[byte]).await?;
                    tokio::time::sleep(DRIP).await;
                }
            }
        }
    }
}

async fn send(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Head and body, once both are complete.
fn whole(buffer: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(buffer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    assert!(body.len() <= length, "nobody sends ahead");
    (body.len() == length).then(|| (head.to_owned(), body.to_owned()))
}

/// A server configuration with these keys. A client certificate is requested, not required.
fn tls(keys: &Identity) -> rustls::ServerConfig {
    let folder = tempfile::tempdir().unwrap();
    keys.write(folder.path(), ([127, 0, 0, 1], 1).into()).unwrap();
    let pem = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let certificate = CertificateDer::from_pem_slice(&pem("secrets/server_cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&pem("secrets/server_key.pem")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .allow_unauthenticated()
        .build()
        .unwrap();
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

/// A proxy that refuses every connection.
pub struct RefusingProxy {
    pub address: SocketAddr,
    /// What it received.
    pub seen: JoinHandle<String>,
}

pub fn refusing_proxy() -> RefusingProxy {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    let seen = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") && stream.read_buf(&mut seen).await.unwrap() > 0 {}
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut seen).await;
        String::from_utf8_lossy(&seen).into_owned()
    });
    RefusingProxy { address, seen }
}
