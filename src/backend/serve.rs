//! Connections: TLS, and HTTP with a limit to everything that a peer could draw out.

mod prompt;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use prompt::{Answering, Prompt};

/// How long a peer may have nothing to ask: a till keeps its connection for half a minute.
const IDLE: Duration = Duration::from_secs(75);
/// How long a peer may take for its part of TLS.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How many connections there are at once; more wait to be taken.
const CONNECTIONS: usize = 10_000;
/// How long requests under way may take once this program is to end.
const DRAIN: Duration = Duration::from_secs(12);
/// Real heads are far smaller.
const LARGEST_HEAD: usize = 16 * 1024;

/// Where requests come in.
pub struct Door {
    listener: TcpListener,
    tls: Option<watch::Receiver<Arc<rustls::ServerConfig>>>,
    router: Router,
    /// How many connections there are, for whoever watches.
    connections: Gauge,
}

impl Door {
    /// Listens; port 0 takes any free one. Without `tls` it speaks plain HTTP.
    pub async fn open(
        address: SocketAddr,
        tls: Option<Arc<rustls::ServerConfig>>,
        router: Router,
    ) -> std::io::Result<Self> {
        Ok(Self::on(TcpListener::bind(address).await?, tls, router))
    }

    /// The same where somebody listens already.
    pub fn on(
        listener: TcpListener,
        tls: Option<Arc<rustls::ServerConfig>>,
        router: Router,
    ) -> Self {
        let tls = tls.map(|tls| watch::channel(tls).1);
        Self { listener, tls, router, connections: Gauge::default() }
    }

    /// Counts its connections there as well.
    #[must_use]
    pub fn counted_by(self, connections: Gauge) -> Self {
        Self { connections, ..self }
    }

    /// Meets new connections with the newest of these, if it speaks TLS at all.
    #[must_use]
    pub fn renewed_by(self, newest: watch::Receiver<Arc<rustls::ServerConfig>>) -> Self {
        Self { tls: self.tls.map(|_| newest), ..self }
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `end` says so, and then lets what is under way come to its end.
    pub async fn serve(self, end: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut end = std::pin::pin!(end);
        loop {
            let taken = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (self.listener.accept().await, place)
            };
            let (accepted, place) = tokio::select! {
                taken = taken => taken,
                () = &mut end => break,
            };
            let (stream, peer) = match accepted {
                Ok(taken) => taken,
                Err(error) => {
                    // Too many open files, most likely: others must end first.
                    tracing::warn!(%error, "a connection was not taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let newest = self.tls.as_ref().map(|newest| Arc::clone(&newest.borrow()));
            let (tls, router) = (newest.map(TlsAcceptor::from), self.router.clone());
            let watcher = graceful.watcher();
            let counted = Counted::new(self.connections.clone());
            tokio::spawn(async move {
                let _held = (place, counted);
                let _ = stream.set_nodelay(true);
                match tls {
                    None => connection(stream, peer, router, watcher).await,
                    Some(tls) => {
                        let met = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await;
                        if let Ok(Ok(stream)) = met {
                            connection(stream, peer, router, watcher).await;
                        }
                    }
                }
            });
        }
        drop(self.listener);
        let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    }
}

/// A connection, counted as long as it is there.
struct Counted(Gauge);

impl Counted {
    fn new(connections: Gauge) -> Self {
        connections.inc();
        Self(connections)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

async fn connection<S>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let answering = Answering::default();
    let stream = Prompt::new(stream, answering.clone());
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        answering.set(true);
        let mut request = request.map(Body::new);
        // Whoever counts attempts needs to know whose they are.
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.clone().oneshot(request);
        let answering = answering.clone();
        async move {
            let answer = answer.await.unwrap_or_else(|never| match never {});
            answering.set(false);
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke off");
    }
}
