//! HTTPS to the gateway, over connections that are dialled before they are needed.
//!
//! Nothing is ever sent twice on its own. Redirects, retries and the environment's proxies are off;
//! the HTTP stack's one built-in resend happens only if no byte of the request was written because
//! a kept connection had closed first. A failure always says whether the request may have left:
//! [`NotSent`](TransportFailure::NotSent) proves that it did not.

mod tls;

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zeroize::Zeroizing;

use paytill_core::clean::clean;
use paytill_core::clock::{Millis, Timestamp, Uptime};
use paytill_core::gateway::page::Page;
use paytill_core::gateway::wechat::fields::Fields;
use paytill_core::gateway::{LARGEST_REPLY, Outgoing, Reply};
use paytill_core::payment::{Inconclusive, Reason, TillCause};

/// How long an unused connection is kept. Servers close theirs after a minute or so, and one that
/// closes just as we write costs a payment its quick answer.
const IDLE: Duration = Duration::from_secs(30);
/// A connection used this recently need not be dialled again.
const WARM_FOR: Millis = Millis::seconds(15);
/// How long a proxy may take to say how it refuses, and how long its first line may be.
const PROXY_MAY_TAKE: Duration = Duration::from_secs(3);
const FIRST_LINE: usize = 4096;
const PROXY_CELLS: usize = 60;
/// How long the other host is used instead of one that failed.
const AVOID_FOR: Millis = Millis::seconds(180);

/// Where the gateway is and how it is reached.
pub struct Route {
    /// The hosts, the preferred one first: `https://host[:port]`.
    pub hosts: Vec<String>,
    /// The merchant's certificate and key, PEM.
    pub identity_pem: Zeroizing<Vec<u8>>,
    /// The only roots to trust, PEM; the system's if `None`.
    pub ca_pem: Option<Vec<u8>>,
    /// A proxy's URL; none is used otherwise, whatever the environment says.
    pub proxy: Option<String>,
    /// The proxy's `name:password`, if it wants one.
    pub proxy_login: Option<SecretString>,
    pub connect_timeout: Millis,
    /// For the entire request, from dialling to the last byte of the reply.
    pub request_timeout: Millis,
}

/// Why there is no reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TransportFailure {
    /// No connection came about, so not a byte of the request left.
    NotSent(Reason),
    /// The request may have arrived.
    Lost(Reason),
}

impl TransportFailure {
    /// Nothing left, for this cause.
    pub fn not_sent(cause: TillCause) -> Self {
        Self::NotSent(cause.into())
    }

    /// The request may have arrived; this happened to the answer.
    pub fn lost(cause: TillCause) -> Self {
        Self::Lost(cause.into())
    }

    /// Why.
    pub const fn reason(&self) -> &Reason {
        match self {
            Self::NotSent(reason) | Self::Lost(reason) => reason,
        }
    }
}

impl From<TransportFailure> for Inconclusive {
    fn from(failure: TransportFailure) -> Self {
        match failure {
            TransportFailure::NotSent(reason) => Self::NotSent(reason),
            TransportFailure::Lost(reason) => Self::Unknown(reason),
        }
    }
}

/// The route cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    #[error("the connection to the gateway cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
    /// Nobody is trusted: the system has no roots, or the file that is `named` has none of use.
    #[error("there are no root certificates that can be used")]
    NoRoots { named: bool },
    #[error("the merchant's certificate cannot be used: {0}")]
    Identity(String),
}

/// How a host answers an empty request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Visit {
    /// The time that it reports.
    pub date: Option<Timestamp>,
    pub page: Page,
    /// Whether it is a message of the protocol, which an error page is not.
    pub is_message: bool,
}

/// Where a visit goes: a call that needs the certificate. Without a message nothing is called.
const VISIT_WITH_CERTIFICATE: &str = "/secapi/pay/reverse";

/// Two clients of one gateway: only one presents the certificate, for calls that need it.
pub struct Transport {
    plain: reqwest::Client,
    certified: reqwest::Client,
    hosts: Vec<String>,
    preferred: AtomicUsize,
    avoided_since: AtomicU64,
    plain_used: AtomicU64,
    certified_used: AtomicU64,
    local_address: Mutex<Option<IpAddr>>,
    proxy: Option<reqwest::Url>,
    proxy_login: Option<SecretString>,
}

impl Transport {
    /// Prepares the clients; nothing is dialled yet.
    pub fn new(route: &Route) -> Result<Self, RouteError> {
        let roots = tls::roots(route.ca_pem.as_deref())?;
        let plain = tls::config(roots.clone(), None)?;
        let certified = tls::config(roots, Some(&route.identity_pem))?;
        Ok(Self {
            plain: client(route)?.tls_backend_preconfigured(plain).build()?,
            certified: client(route)?.tls_backend_preconfigured(certified).build()?,
            proxy_login: route.proxy_login.clone(),
            proxy: route.proxy.as_deref().and_then(|proxy| reqwest::Url::parse(proxy).ok()),
            hosts: route.hosts.clone(),
            preferred: AtomicUsize::new(0),
            avoided_since: AtomicU64::new(0),
            plain_used: AtomicU64::new(0),
            certified_used: AtomicU64::new(0),
            local_address: Mutex::new(None),
        })
    }

    /// This machine's address on the route to the gateway, if known.
    pub fn local_address(&self) -> Option<IpAddr> {
        self.local_address.lock().ok().and_then(|address| *address)
    }

    /// Finds [`Transport::local_address`]. It sends nothing except the DNS query for the host.
    pub async fn find_local_address(&self) {
        let Some(host) = self.hosts.first().and_then(|host| reqwest::Url::parse(host).ok()) else {
            return;
        };
        let name = host.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let target = (name, host.port_or_known_default().unwrap_or(443));
        let Ok(mut addresses) = tokio::net::lookup_host(target).await else { return };
        let Some(remote) = addresses.next() else { return };
        let any: IpAddr = if remote.is_ipv4() {
            std::net::Ipv4Addr::UNSPECIFIED.into()
        } else {
            std::net::Ipv6Addr::UNSPECIFIED.into()
        };
        let Ok(socket) = std::net::UdpSocket::bind((any, 0)) else { return };
        if socket.connect(remote).is_ok()
            && let (Ok(local), Ok(mut address)) = (socket.local_addr(), self.local_address.lock())
        {
            *address = Some(local.ip());
        }
    }

    /// Dials ahead, so that the next request finds a connection. It sends an empty request whose
    /// reply means nothing. Returns whether the gateway could be reached.
    pub async fn warm_up(&self, certificate: bool, now: Uptime) -> Result<(), TransportFailure> {
        let (client, used) = self.client(certificate);
        let used_at = Uptime(used.load(Ordering::Relaxed));
        if used_at != Uptime(0) && now.since(used_at) < WARM_FOR {
            return Ok(());
        }
        used.store(now.0, Ordering::Relaxed);
        let host = self.preferred_host(now);
        let response = client
            .get(format!("{}/", self.hosts[host]))
            .send()
            .await
            .map_err(|error| failure(&error, certificate));
        match response {
            Ok(response) => read(response, certificate).await.map(|_| ()),
            Err(failure) => {
                used.store(0, Ordering::Relaxed);
                if matches!(failure, TransportFailure::NotSent(_)) {
                    self.avoid(host, now);
                }
                Err(failure)
            }
        }
    }

    /// Probes a host by its index. With `certificate` the visit goes where the certificate is
    /// needed, and shows whether it is the obstacle.
    pub async fn visit(&self, host: usize, certificate: bool) -> Result<Visit, TransportFailure> {
        let (client, _) = self.client(certificate);
        let path = if certificate { VISIT_WITH_CERTIFICATE } else { "/" };
        let response = client.get(format!("{}{path}", self.hosts[host])).send().await;
        let response = match response {
            Ok(response) => response,
            Err(error) => {
                let failure = failure(&error, certificate);
                return Err(self.with_the_proxys_word(failure, host).await);
            }
        };
        let reply = read(response, certificate).await?;
        let date = reply.headers().get("date").and_then(|date| date.to_str().ok());
        Ok(Visit {
            date: date.and_then(Timestamp::from_http),
            page: Page::of(reply.status(), reply.headers(), reply.body()),
            is_message: reply.status() == http::StatusCode::OK
                && Fields::from_xml(reply.body()).is_ok(),
        })
    }

    /// The HTTP stack keeps to itself how a proxy refuses: asks it once more, and adds its first
    /// line.
    async fn with_the_proxys_word(
        &self,
        failure: TransportFailure,
        host: usize,
    ) -> TransportFailure {
        let Some(proxy) = self.proxy.as_ref().filter(|_| {
            failure.reason().is(TillCause::ProxyRefused) && failure.reason().text.is_empty()
        }) else {
            return failure;
        };
        match tokio::time::timeout(PROXY_MAY_TAKE, self.refusal(proxy, host)).await {
            Ok(Some(line)) => {
                TransportFailure::NotSent(Reason::quoting(TillCause::ProxyRefused, line))
            }
            Ok(None) | Err(_) => failure,
        }
    }

    /// The first line with which a proxy refuses a host, as `HTTP 403 Forbidden`.
    async fn refusal(&self, proxy: &reqwest::Url, host: usize) -> Option<String> {
        let host = reqwest::Url::parse(&self.hosts[host]).ok()?;
        let target = format!("{}:{}", host.host_str()?, host.port_or_known_default()?);
        let name = proxy.host_str()?.trim_matches(['[', ']']);
        let address = (name, proxy.port_or_known_default()?);
        let mut stream = tokio::net::TcpStream::connect(address).await.ok()?;
        let login = self.proxy_login.as_ref().map(|login| basic(login.expose_secret()));
        let login = login.map(|login| format!("Proxy-Authorization: {}\r\n", *login));
        let login = Zeroizing::new(login.unwrap_or_default());
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n", *login);
        stream.write_all(Zeroizing::new(request).as_bytes()).await.ok()?;
        let mut head = Vec::new();
        while !head.contains(&b'\n') && head.len() < FIRST_LINE {
            if stream.read_buf(&mut head).await.ok()? == 0 {
                break;
            }
        }
        let head = String::from_utf8_lossy(&head);
        let status = head.lines().next()?.strip_prefix("HTTP/1.")?.split_once(' ')?.1;
        // It may let us through now.
        let refuses = !status.starts_with('2');
        refuses.then(|| clean(&format!("HTTP {status}"), PROXY_CELLS))
    }

    /// Sends a request, once; `left` is called when its first byte leaves. The same request goes to
    /// the other host only if no connection to the first came about.
    pub async fn carry(
        &self,
        outgoing: &Outgoing,
        now: Uptime,
        left: impl Fn() + Send + Sync + 'static,
    ) -> Result<Reply, TransportFailure> {
        let left: Arc<dyn Fn() + Send + Sync> = Arc::new(left);
        let first = self.preferred_host(now);
        let result = self.carry_to(first, outgoing, now, Arc::clone(&left)).await;
        if !matches!(result, Err(TransportFailure::NotSent(_))) || self.hosts.len() < 2 {
            return result;
        }
        self.avoid(first, now);
        self.carry_to((first + 1) % self.hosts.len(), outgoing, now, left).await
    }

    async fn carry_to(
        &self,
        host: usize,
        outgoing: &Outgoing,
        now: Uptime,
        left: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Reply, TransportFailure> {
        let (client, used) = self.client(outgoing.certificate);
        let request = &outgoing.request;
        let url = format!("{}{}", self.hosts[host], request.uri());
        let request = client
            .request(request.method().clone(), url)
            .headers(request.headers().clone())
            .body(reqwest::Body::wrap(Once {
                bytes: Some(Bytes::from_owner(request.body().clone())),
                left,
            }));
        used.store(now.0, Ordering::Relaxed);
        let certificate = outgoing.certificate;
        let response = request.send().await.map_err(|error| failure(&error, certificate))?;
        read(response, certificate).await
    }

    fn client(&self, certificate: bool) -> (&reqwest::Client, &AtomicU64) {
        if certificate {
            (&self.certified, &self.certified_used)
        } else {
            (&self.plain, &self.plain_used)
        }
    }

    fn preferred_host(&self, now: Uptime) -> usize {
        let since = Uptime(self.avoided_since.load(Ordering::Relaxed));
        if now.since(since) >= AVOID_FOR {
            self.preferred.store(0, Ordering::Relaxed);
        }
        self.preferred.load(Ordering::Relaxed)
    }

    /// Switches away from a host that failed, unless another failure has done so already.
    fn avoid(&self, host: usize, now: Uptime) {
        let next = (host + 1) % self.hosts.len();
        let (order, relaxed) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.preferred.compare_exchange(host, next, order, relaxed).is_ok() {
            self.avoided_since.store(now.0, Ordering::Relaxed);
        }
    }
}

/// A body that reports when it is taken: by then there is a connection, and the request goes out.
struct Once {
    bytes: Option<Bytes>,
    left: Arc<dyn Fn() + Send + Sync>,
}

impl Body for Once {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = self.bytes.take();
        if bytes.is_some() {
            (self.left)();
        }
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

fn client(route: &Route) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    let mut builder = reqwest::Client::builder()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(2)
        .connect_timeout(route.connect_timeout.into())
        .timeout(route.request_timeout.into())
        .user_agent(concat!("paytill/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = &route.proxy {
        let mut proxy = reqwest::Proxy::all(proxy)?;
        if let Some(login) = &route.proxy_login {
            let (name, password) = login.expose_secret().split_once(':').unwrap_or_default();
            proxy = proxy.basic_auth(name, password);
        }
        builder = builder.proxy(proxy);
    }
    Ok(builder)
}

/// Reads the complete body or nothing: a reply that breaks off is no reply.
async fn read(
    mut response: reqwest::Response,
    certificate: bool,
) -> Result<Reply, TransportFailure> {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_REPLY => {
                // A page, then: real answers are far smaller.
                body.extend_from_slice(&chunk[..LARGEST_REPLY - body.len()]);
                let page = Page::of(status, &headers, &body).line();
                let is_ok = status == http::StatusCode::OK;
                let cause = if is_ok { TillCause::BadAnswer } else { TillCause::HttpStatus };
                return Err(TransportFailure::Lost(Reason::quoting(cause, page)));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => {
                let mut reply = Reply::new(body);
                (*reply.status_mut(), *reply.headers_mut()) = (status, headers);
                return Ok(reply);
            }
            Err(error) if error.is_timeout() => {
                return Err(TransportFailure::lost(TillCause::NoAnswer));
            }
            Err(error) => return Err(failure(&error, certificate)),
        }
    }
}

fn failure(error: &reqwest::Error, certificate: bool) -> TransportFailure {
    // The only error that proves that nothing was written: no connection was made.
    if error.is_connect() {
        let reason = tls::cause(error, certificate).unwrap_or_else(|| unconnected(error));
        return TransportFailure::NotSent(reason);
    }
    if error.is_builder() {
        return TransportFailure::not_sent(TillCause::Configuration);
    }
    if error.is_timeout() {
        return TransportFailure::lost(TillCause::NoAnswer);
    }
    // Once there is a connection, nonsense on it is a broken connection.
    let reason = tls::cause(error, certificate).filter(|why| !why.is(TillCause::PlainHttp));
    TransportFailure::Lost(reason.unwrap_or_else(|| TillCause::ConnectionLost.into()))
}

/// Why there is no connection on which TLS could begin. The HTTP stack tells a proxy's refusal and
/// an unknown name only by their words; tests hold it to them.
fn unconnected(error: &reqwest::Error) -> Reason {
    let mut source = std::error::Error::source(error);
    let (mut through_proxy, mut unknown_name) = (false, false);
    while let Some(error) = source {
        let words = error.to_string();
        match words.strip_prefix("tunnel error: ") {
            Some("proxy authorization required") => {
                return Reason::quoting(TillCause::ProxyRefused, "HTTP 407");
            }
            Some("unsuccessful" | "unexpected end of file" | "proxy response headers too long") => {
                return TillCause::ProxyRefused.into();
            }
            Some(_) => through_proxy = true,
            None => unknown_name |= words == "dns error",
        }
        source = error.source();
    }
    let host = error.url().and_then(reqwest::Url::host_str).unwrap_or_default();
    let detail = match (unknown_name, through_proxy) {
        (true, false) => format!("DNS: {host}"),
        (true, true) => "DNS: proxy".to_owned(),
        (false, true) => "proxy".to_owned(),
        (false, false) => String::new(),
    };
    Reason::quoting(TillCause::NoConnection, detail)
}

/// `Basic` authentication (RFC 7617), with its base64.
fn basic(login: &str) -> Zeroizing<String> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Zeroizing::new(String::with_capacity(login.len() * 2 + 10));
    text.push_str("Basic ");
    for group in login.as_bytes().chunks(3) {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | usize::from(group.get(at).copied().unwrap_or_default())
        });
        for at in 0..4 {
            let is_there = at <= group.len();
            let letter = LETTERS[bits >> (18 - 6 * at) & 63];
            text.push(if is_there { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_encoded_as_the_standard_says() {
        for (login, text) in [
            ("Aladdin:open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("test:123\u{a3}", "Basic dGVzdDoxMjPCow=="),
            ("a:b", "Basic YTpi"),
            ("a:bc", "Basic YTpiYw=="),
            ("a:bcd", "Basic YTpiY2Q="),
        ] {
            assert_eq!(*basic(login), text);
        }
    }

    #[test]
    fn two_that_fail_at_one_host_both_turn_to_the_other() {
        let merchant = rcgen::generate_simple_self_signed(vec!["merchant.invalid".into()]).unwrap();
        let pem = format!("{}{}", merchant.cert.pem(), merchant.signing_key.serialize_pem());
        let transport = Transport::new(&Route {
            hosts: vec!["https://first.invalid".into(), "https://second.invalid".into()],
            identity_pem: pem.into_bytes().into(),
            ca_pem: None,
            proxy: None,
            proxy_login: None,
            connect_timeout: Millis::seconds(1),
            request_timeout: Millis::seconds(1),
        })
        .unwrap();
        let now = Uptime(1_000_000_000);
        // The dial ahead and the payment are both under way to the first host.
        let (dial, payment) = (transport.preferred_host(now), transport.preferred_host(now));
        transport.avoid(dial, now);
        transport.avoid(payment, now);
        assert_eq!(transport.preferred_host(now), 1);
        assert_eq!(transport.preferred_host(now.after(AVOID_FOR)), 0, "and back after a while");
    }
}
