//! HTTPS to the gateway, over connections that are dialled before they are needed.
//!
//! Nothing is ever sent twice on its own. Redirects, retries and the environment's proxies are off;
//! the HTTP stack's one built-in resend happens only if no byte of the request was written because
//! a kept connection had closed first. A failure always says whether the request may have left:
//! [`NotSent`](TransportFailure::NotSent) proves that it did not. Where a call goes is decided by
//! how each host has answered so far; what may be sent again goes to the other host in the same
//! call.

mod download;
mod hosts;
mod proxy;
mod tls;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use paytill_core::both;
use paytill_core::clock::{Millis, Timestamp, Uptime};
use paytill_core::gateway::page::Page;
use paytill_core::gateway::wechat::fields::Fields;
use paytill_core::gateway::{LARGEST_REPLY, Outgoing, Reply};
use paytill_core::language::Text;
use paytill_core::payment::{Inconclusive, Reason, TillCause};

pub use download::{DownloadFailure, Sink};
use hosts::Hosts;
use proxy::Proxy;

/// How long an unused connection is kept. Servers close theirs after a minute or so, and one that
/// closes just as we write costs a payment its quick answer.
const IDLE: Duration = Duration::from_secs(30);

/// How many unused connections are kept. A till has one or two; a backend has as many as it makes calls
/// at once, and each that it had to dial anew would cost a payment several round trips.
const KEPT: usize = 64;

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

impl RouteError {
    /// The sentence for people.
    pub fn text(&self) -> Text {
        match self {
            Self::NoRoots { named: false } => both!(
                "this machine has no root certificates to check the gateway's with; install the \
                 package ca-certificates, or name a file with them in ca_file",
                "本机没有根证书，无法核实微信支付的证书；请安装 ca-certificates 软件包，或在 ca_file 中\
                 指定根证书文件"
            ),
            Self::NoRoots { named: true } => both!(
                "ca_file names a file without any root certificate that can be used",
                "ca_file 指定的文件中没有可用的根证书"
            ),
            Self::Identity(why) => Text::new(self.to_string(), format!("无法使用商户证书：{why}")),
            Self::Client(why) => {
                Text::new(self.to_string(), format!("无法准备到微信支付的连接：{why}"))
            }
        }
    }
}

/// TLS for another client than a gateway's: it trusts these roots, in PEM, or the system's.
pub fn client_tls(ca_pem: Option<&[u8]>) -> Result<rustls::ClientConfig, RouteError> {
    tls::config(tls::roots(ca_pem)?, None)
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
    hosts: Hosts,
    /// How long one call may take.
    patience: Duration,
    local_address: Mutex<Option<IpAddr>>,
    proxy: Option<Proxy>,
}

impl Transport {
    /// Prepares the clients; nothing is dialled yet.
    pub fn new(route: &Route) -> Result<Self, RouteError> {
        let roots = tls::roots(route.ca_pem.as_deref())?;
        let plain = tls::config(roots.clone(), None)?;
        // API v3 shows none.
        let identity = Some(route.identity_pem.as_slice()).filter(|pem| !pem.is_empty());
        let certified = tls::config(roots, identity)?;
        Ok(Self {
            plain: client(route)?.tls_backend_preconfigured(plain).build()?,
            certified: client(route)?.tls_backend_preconfigured(certified).build()?,
            hosts: Hosts::new(route.hosts.clone()),
            patience: route.request_timeout.into(),
            proxy: route
                .proxy
                .as_deref()
                .and_then(|url| Proxy::new(url, route.proxy_login.clone())),
            local_address: Mutex::new(None),
        })
    }

    /// The longest that a call may take: every host has the whole of the time.
    pub fn longest_call(&self) -> Millis {
        let one = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
        Millis(one).times(if self.hosts.other(0).is_some() { 2 } else { 1 })
    }

    /// To whoever answers under that name, whatever certificate is shown.
    ///
    /// Anybody in between can read and change what is carried, and be taken for the host. It is only
    /// for the one call that proves both sides by other means, and that holds no secret: a till's
    /// enrolment, before it has any root to trust. Never send a payment this way.
    pub fn to_anybody(host: &str, patience: Millis) -> Result<Self, RouteError> {
        let route = Route {
            hosts: vec![host.to_owned()],
            identity_pem: Zeroizing::default(),
            ca_pem: None,
            proxy: None,
            proxy_login: None,
            connect_timeout: patience,
            request_timeout: patience,
        };
        let client = client(&route)?.tls_backend_preconfigured(tls::of_anybody()?).build()?;
        Ok(Self {
            plain: client.clone(),
            certified: client,
            hosts: Hosts::new(route.hosts),
            patience: patience.into(),
            proxy: None,
            local_address: Mutex::new(None),
        })
    }

    /// This machine's address on the route to the gateway, if known.
    pub fn local_address(&self) -> Option<IpAddr> {
        self.local_address.lock().ok().and_then(|address| *address)
    }

    /// Finds [`Transport::local_address`]. It sends nothing except the DNS query for the host.
    pub async fn find_local_address(&self) {
        let Some(host) = reqwest::Url::parse(self.hosts.url(0)).ok() else {
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
    /// reply means nothing. Returns whether the gateway could be reached. Also dials a host that
    /// failed a while ago: only that shows whether it is well again.
    pub async fn warm_up(&self, certificate: bool, now: Uptime) -> Result<(), TransportFailure> {
        let first = self.hosts.best();
        let mut result = Ok(());
        if !self.hosts.is_warm(first, certificate, now) {
            result = self.dial(first, certificate, now).await;
            if self.hosts.best() != first {
                result = self.dial(self.hosts.best(), certificate, now).await.or(result);
            }
        }
        if let Some(host) = self.hosts.to_be_tried(now) {
            let _ = self.dial(host, certificate, now).await;
        }
        result
    }

    async fn dial(
        &self,
        host: usize,
        certificate: bool,
        now: Uptime,
    ) -> Result<(), TransportFailure> {
        self.hosts.used(host, certificate, now);
        let reply = async {
            let url = format!("{}/", self.hosts.url(host));
            let sent = self.client(certificate).get(url).send().await;
            read(sent.map_err(|error| failure(&error, certificate))?, certificate).await
        };
        let reply = reply.await;
        // A gateway has nothing to say at this address, and any words for that will do.
        match &reply {
            Ok(reply) if !reply.status().is_server_error() => self.hosts.was_reached(host, now),
            Ok(_) | Err(_) => self.hosts.failed(host, now),
        }
        reply.map(|_| ())
    }

    /// Whether calls go to another host than the preferred one.
    pub fn is_on_backup(&self) -> bool {
        self.hosts.best() > 0
    }

    /// Probes a host by its index. With `certificate` the visit goes where the certificate is
    /// needed, and shows whether it is the obstacle.
    pub async fn visit(&self, host: usize, certificate: bool) -> Result<Visit, TransportFailure> {
        let path = if certificate { VISIT_WITH_CERTIFICATE } else { "/" };
        let url = format!("{}{path}", self.hosts.url(host));
        let response = match self.client(certificate).get(url).send().await {
            Ok(response) => response,
            Err(error) => return Err(self.explained(failure(&error, certificate), host).await),
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

    /// The same failure, with the proxy's own words where it was the proxy that refused.
    async fn explained(&self, failure: TransportFailure, host: usize) -> TransportFailure {
        let is_silent =
            failure.reason().is(TillCause::ProxyRefused) && failure.reason().text.is_empty();
        let Some(proxy) = self.proxy.as_ref().filter(|_| is_silent) else { return failure };
        proxy.refusal(self.hosts.url(host)).await.map_or(failure, |words| {
            TransportFailure::NotSent(Reason::quoting(TillCause::ProxyRefused, words))
        })
    }

    /// Sends a request, once; `left` is called when its first byte leaves. The same request goes to
    /// the other host only if no connection to the first came about.
    pub async fn carry(
        &self,
        outgoing: &Outgoing,
        now: Uptime,
        left: impl Fn() + Send + Sync + 'static,
    ) -> Result<Reply, TransportFailure> {
        let leaves = move || {
            left();
            true
        };
        self.carry_if(outgoing, now, leaves).await
    }

    /// The same; `may_leave` is asked when its first byte is to leave, and without its word no body
    /// goes out: while a connection was made, the time for it may have passed.
    pub async fn carry_if(
        &self,
        outgoing: &Outgoing,
        now: Uptime,
        may_leave: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Reply, TransportFailure> {
        let may_leave: MayLeave = Arc::new(may_leave);
        let first = self.hosts.best();
        let result = self.carry_to(first, outgoing, now, Arc::clone(&may_leave)).await;
        match self.hosts.other(first) {
            Some(other) if matches!(result, Err(TransportFailure::NotSent(_))) => {
                self.carry_to(other, outgoing, now, may_leave).await
            }
            _ => result,
        }
    }

    /// Sends a request that may arrive any number of times, such as a query or a reversal: where
    /// one host gives no answer, the other is asked.
    pub async fn ask(&self, outgoing: &Outgoing, now: Uptime) -> Result<Reply, TransportFailure> {
        let first = self.hosts.best();
        let result = self.carry_to(first, outgoing, now, Arc::new(|| true)).await;
        let other = match result {
            Ok(ref reply) if is_answer(reply) => None,
            Err(TransportFailure::NotSent(_)) => self.hosts.other(first),
            Ok(_) | Err(_) => self.hosts.other_that_may_answer(first, now),
        };
        let Some(other) = other else { return result };
        let again = self.carry_to(other, outgoing, now, Arc::new(|| true)).await;
        match (result, again) {
            (_, Ok(reply)) if is_answer(&reply) => Ok(reply),
            (Err(TransportFailure::NotSent(_)), again) => again,
            (result, _) => result,
        }
    }

    async fn carry_to(
        &self,
        host: usize,
        outgoing: &Outgoing,
        now: Uptime,
        may_leave: MayLeave,
    ) -> Result<Reply, TransportFailure> {
        let request = &outgoing.request;
        let url = format!("{}{}", self.hosts.url(host), request.uri());
        let request = self
            .client(outgoing.certificate)
            .request(request.method().clone(), url)
            .headers(request.headers().clone())
            .body(reqwest::Body::wrap(Once {
                bytes: Some(Bytes::from_owner(request.body().clone())),
                may_leave,
            }));
        self.hosts.used(host, outgoing.certificate, now);
        let sent = request.send().await.map_err(|error| failure(&error, outgoing.certificate));
        let reply = match sent {
            Ok(response) => read(response, outgoing.certificate).await,
            Err(failure) => Err(failure),
        };
        match &reply {
            Ok(reply) if is_answer(reply) => self.hosts.answered(host),
            Ok(_) | Err(_) => self.hosts.failed(host, now),
        }
        reply
    }

    fn client(&self, certificate: bool) -> &reqwest::Client {
        if certificate { &self.certified } else { &self.plain }
    }
}

type MayLeave = Arc<dyn Fn() -> bool + Send + Sync>;

/// A body that asks when it is taken: by then there is a connection, and the request goes out.
struct Once {
    bytes: Option<Bytes>,
    may_leave: MayLeave,
}

/// A body that may not leave any more.
#[derive(Debug, thiserror::Error)]
#[error("too late to be sent")]
struct TooLate;

impl Body for Once {
    type Data = Bytes;
    type Error = TooLate;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooLate>>> {
        let bytes = self.bytes.take();
        if bytes.is_some() && !(self.may_leave)() {
            return Poll::Ready(Some(Err(TooLate)));
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
        .pool_max_idle_per_host(KEPT)
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

/// Whether the gateway itself speaks, and nothing in front of it, such as a balancer or a portal.
fn is_answer(reply: &Reply) -> bool {
    let start = reply.body().trim_ascii_start().get(..5).unwrap_or_default();
    let is_page = start.eq_ignore_ascii_case(b"<html") || start.eq_ignore_ascii_case(b"<!doc");
    !is_page && (reply.status().is_success() || reply.status().is_client_error())
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
