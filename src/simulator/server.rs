//! The simulated gateway on a socket: HTTPS that carries out what [`Bank`] decides, byte for byte.

use std::io;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use super::front::Log;
use super::front::{Front, Time};
use super::identity::{Identity, IdentityError};
use super::notifier;
use super::reply::dated_http;
use super::v3::{self, RequestV3};
use super::{Action, Bank, GatewayRequest, Reaction};
use paytill_core::clock::Millis;
use paytill_host::clock::Clock;

const LARGEST_HEAD: usize = 8 * 1024;
const LARGEST_BODY: usize = 64 * 1024;
const MOST_HEADERS: usize = 64;
/// A connection that is silent for this long is closed, as the real gateway does.
const IDLE: Duration = Duration::from_mins(1);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Pause after a failure to accept, such as too many open files.
const BREATH: Duration = Duration::from_millis(100);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: io::Error },
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// A running gateway. It stops, with all its connections, when this is dropped.
pub struct Server {
    address: SocketAddr,
    front: Arc<Front>,
    accepting: JoinHandle<()>,
    notifying: JoinHandle<()>,
    authority: String,
}

/// The bank, while nobody else has it. What it is to tell is seen to once this is dropped.
pub struct BankGuard<'a> {
    bank: MutexGuard<'a, Bank>,
    changed: &'a Notify,
}

impl Deref for BankGuard<'_> {
    type Target = Bank;

    fn deref(&self) -> &Bank {
        &self.bank
    }
}

impl DerefMut for BankGuard<'_> {
    fn deref_mut(&mut self) -> &mut Bank {
        &mut self.bank
    }
}

impl Drop for BankGuard<'_> {
    fn drop(&mut self) {
        self.changed.notify_one();
    }
}

impl Server {
    /// Listens; port 0 takes any free one. It runs on the runtime it is started on. `pace` is how
    /// many seconds of the bank pass in each real one: 1, except for tests in a hurry.
    pub async fn start(
        listen: SocketAddr,
        identity: &Identity,
        bank: Bank,
        log: Option<Log>,
        pace: u32,
    ) -> Result<Self, ServerError> {
        let refused = |cause| ServerError::Listen { address: listen, cause };
        let acceptor = TlsAcceptor::from(Arc::new(identity.tls()?));
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let authority = identity.authority_pem().to_owned();
        let front = Arc::new(Front {
            bank: Mutex::new(bank),
            time: Time { started: Instant::now(), pace },
            log,
            clock: Clock::start(),
            changed: Notify::new(),
            receivers: Mutex::new(notifier::trusting(&[&authority])?),
        });
        let accepting = tokio::spawn(accept(listener, acceptor, Arc::clone(&front)));
        let notifying = tokio::spawn(notifier::run(Arc::clone(&front)));
        Ok(Self { address, front, accepting, notifying, authority })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The bank behind it, for a look at its ledger. Requests wait while the guard is held.
    pub fn bank(&self) -> BankGuard<'_> {
        BankGuard { bank: self.front.lock(), changed: &self.front.changed }
    }

    /// Notifications go to receivers whom this root vouches for, too, and not only to those with a
    /// certificate of the gateway's own authority.
    pub fn trust_receivers_of(&self, root_pem: &str) -> Result<(), IdentityError> {
        let connector = notifier::trusting(&[&self.authority, root_pem])?;
        *self.front.receivers.lock().unwrap_or_else(PoisonError::into_inner) = connector;
        Ok(())
    }

    /// The bank's own time.
    pub fn now(&self) -> Millis {
        self.front.time.now()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.notifying.abort();
    }
}

impl Front {
    fn handle(&self, head: &Head, request: &GatewayRequest<'_>) -> Reaction {
        let now = self.time.now();
        let reaction = if head.path.starts_with(v3::ROOT) {
            let request = RequestV3 {
                method: request.method,
                target: request.path,
                headers: &head.headers,
                body: request.body,
                at: self.clock.wall(),
            };
            self.lock().handle_v3(&request, now)
        } else {
            self.lock().handle(request, now)
        };
        self.tell(now, &reaction.story);
        self.changed.notify_one();
        reaction
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, front: Arc<Front>) {
    // Connections end with the set.
    let mut connections = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            sleep(BREATH).await;
            continue;
        };
        let (acceptor, front) = (acceptor.clone(), Arc::clone(&front));
        connections.spawn(async move {
            let _ = stream.set_nodelay(true);
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // A client that disconnects is no error of ours.
                let _ = Connection::new(stream, front.clock.clone()).serve(&front).await;
            }
        });
    }
}

struct Connection {
    stream: TlsStream<TcpStream>,
    /// Bytes read and not parsed yet.
    buffer: Vec<u8>,
    has_certificate: bool,
    clock: Clock,
}

/// A request's head, and what it says about the rest.
pub struct Head {
    pub method: String,
    pub path: String,
    /// Length of the head in bytes.
    pub length: usize,
    /// Length of the body in bytes.
    pub body: usize,
    stays_open: bool,
    headers: Vec<(String, String)>,
}

/// What came over the connection.
enum Received {
    Request(Head),
    /// It can only be answered with this status.
    Refused(u16),
    /// The client has disconnected, or was silent for too long.
    End,
}

impl Connection {
    fn new(stream: TlsStream<TcpStream>, clock: Clock) -> Self {
        let has_certificate = stream.get_ref().1.peer_certificates().is_some();
        Self { stream, buffer: Vec::new(), has_certificate, clock }
    }

    /// Serves one request after another.
    async fn serve(mut self, front: &Front) -> io::Result<()> {
        loop {
            let head = match self.receive().await? {
                Received::Request(head) => head,
                Received::Refused(status) => {
                    self.stream.write_all(&self.http(status, b"")).await?;
                    return self.stream.shutdown().await;
                }
                Received::End => return Ok(()),
            };
            let request = GatewayRequest {
                method: &head.method,
                path: &head.path,
                body: &self.buffer[head.length..head.length + head.body],
                client_certificate: self.has_certificate,
            };
            let reaction = front.handle(&head, &request);
            self.buffer.drain(..head.length + head.body);
            front.time.pass(reaction.after).await;
            match reaction.action {
                Action::Answer { status, body } => {
                    self.stream.write_all(&self.http(status, &body)).await?;
                    self.stream.flush().await?;
                    if !head.stays_open {
                        return self.stream.shutdown().await;
                    }
                }
                Action::Headed { status, headers, body } => {
                    let bytes = v3::http(self.clock.wall(), status, &headers, &body);
                    self.stream.write_all(&bytes).await?;
                    self.stream.flush().await?;
                    if !head.stays_open {
                        return self.stream.shutdown().await;
                    }
                }
                Action::Raw(bytes) => {
                    self.stream.write_all(&bytes).await?;
                    return self.stream.shutdown().await;
                }
                Action::Drip { bytes, every } => return self.drip(&bytes, every, front.time).await,
                Action::Close => return Ok(()),
                Action::Reset => return self.stream.get_ref().0.set_zero_linger(),
                Action::Silence => return self.wait_for_end().await,
            }
        }
    }

    /// Adds the time, as every server does: tills compare it with theirs.
    fn http(&self, status: u16, body: &[u8]) -> Vec<u8> {
        dated_http(self.clock.wall(), status, body)
    }

    /// Reads until the buffer begins with a complete request.
    async fn receive(&mut self) -> io::Result<Received> {
        loop {
            match parse(&self.buffer) {
                Parsed::Complete(head) => return Ok(Received::Request(head)),
                Parsed::Refused(status) => return Ok(Received::Refused(status)),
                Parsed::Partial => {}
            }
            match timeout(IDLE, self.stream.read_buf(&mut self.buffer)).await {
                Ok(Ok(0)) | Err(_) => return Ok(Received::End),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error),
            }
        }
    }

    async fn drip(mut self, bytes: &[u8], every: Millis, time: Time) -> io::Result<()> {
        for byte in bytes {
            self.stream.write_all(&[*byte]).await?;
            self.stream.flush().await?;
            time.pass(every).await;
        }
        self.stream.shutdown().await
    }

    async fn wait_for_end(mut self) -> io::Result<()> {
        let mut ignored = [0; 1024];
        while self.stream.read(&mut ignored).await? > 0 {}
        Ok(())
    }
}

/// What the bytes of a connection begin with.
pub enum Parsed {
    Complete(Head),
    Partial,
    /// Something that can only be answered with this status.
    Refused(u16),
}

/// Reads the head of the request that a buffer begins with.
pub fn parse(buffer: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(buffer) {
        Ok(httparse::Status::Complete(length)) if length <= LARGEST_HEAD => length,
        Ok(httparse::Status::Partial) if buffer.len() <= LARGEST_HEAD => return Parsed::Partial,
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Parsed::Refused(431),
        Err(_) => return Parsed::Refused(400),
    };
    let (Some(method), Some(path), Some(version)) = (request.method, request.path, request.version)
    else {
        return Parsed::Refused(400);
    };
    let value = |name: &str| {
        let found = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).trim().to_ascii_lowercase())
    };
    if value("transfer-encoding").is_some() {
        return Parsed::Refused(411);
    }
    let body = match value("content-length").map(|text| text.parse::<usize>()) {
        None => 0,
        Some(Ok(body)) if body <= LARGEST_BODY => body,
        Some(Ok(_)) => return Parsed::Refused(413),
        Some(Err(_)) => return Parsed::Refused(400),
    };
    if buffer.len() - length < body {
        return Parsed::Partial;
    }
    let stays_open = match value("connection").as_deref() {
        Some("close") => false,
        Some("keep-alive") => true,
        _ => version == 1,
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
    let headers = request.headers.iter();
    let headers = headers.map(|header| (header.name.to_owned(), text(header.value))).collect();
    Parsed::Complete(Head {
        headers,
        method: method.to_owned(),
        path: path.to_owned(),
        length,
        body,
        stays_open,
    })
}

/// Whether a buffer begins with a complete request.
#[cfg(test)]
pub(super) fn is_whole(buffer: &[u8]) -> bool {
    matches!(parse(buffer), Parsed::Complete(_))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(bytes: &str) -> u16 {
        match parse(bytes.as_bytes()) {
            Parsed::Refused(status) => status,
            Parsed::Complete(_) | Parsed::Partial => 0,
        }
    }

    #[test]
    fn a_request_is_whole_when_its_body_is_and_what_follows_waits() {
        let bytes = b"POST /pay/micropay HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HT";
        let Parsed::Complete(head) = parse(bytes) else { panic!() };
        assert_eq!((head.method.as_str(), head.path.as_str()), ("POST", "/pay/micropay"));
        assert_eq!(&bytes[head.length..head.length + head.body], b"abc");
        assert!(head.stays_open);
        let end = head.length + head.body - 1;
        assert!((0..=end).all(|cut| matches!(parse(&bytes[..cut]), Parsed::Partial)));
    }

    #[test]
    fn what_cannot_be_bounded_is_refused() {
        assert_eq!(refusal("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), 411);
        assert_eq!(refusal("POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n"), 413);
        assert_eq!(refusal("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), 400);
        assert_eq!(refusal(&format!("GET /{} HTTP/1.1\r\n", "x".repeat(LARGEST_HEAD))), 431);
        assert_eq!(refusal(&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65))), 431);
        assert_eq!(refusal("\0\0\0\0"), 400);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_read_past_their_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Parsed::Complete(head) = parse(&bytes) {
                prop_assert!(head.length + head.body <= bytes.len());
            }
        }
    }
}
