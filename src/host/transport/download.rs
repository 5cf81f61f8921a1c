//! A reply that may be large, such as a bill: it goes where the caller puts it, piece by piece.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use paytill_core::clock::Uptime;
use paytill_core::gateway::Outgoing;
use paytill_core::gateway::page::Page;
use paytill_core::payment::{Reason, TillCause};
use tokio::time::timeout;

use super::{Once, Transport, TransportFailure, failure};

/// How long the whole of it may take.
const LONGEST: Duration = Duration::from_mins(15);
/// A bill is put together first: the gateway has so many times longer than for any other answer
/// until it begins, and between two pieces.
const TIMES_LONGER: u32 = 3;

/// Why there is no file.
#[derive(Debug)]
pub enum DownloadFailure {
    Transport(TransportFailure),
    /// It could not be put away.
    Io(io::Error),
    /// More than was allowed.
    TooLarge,
}

impl From<TransportFailure> for DownloadFailure {
    fn from(failure: TransportFailure) -> Self {
        Self::Transport(failure)
    }
}

/// Where a reply is put.
pub trait Sink {
    /// What was put there is not wanted: another host is asked.
    fn clear(&mut self) -> io::Result<()>;
    fn put(&mut self, bytes: &[u8]) -> io::Result<()>;
}

impl Transport {
    /// Sends a request that may arrive any number of times, and puts the reply of at most `largest`
    /// bytes away. Where one host gives none, the other is asked.
    pub async fn download(
        &self,
        outgoing: &Outgoing,
        now: Uptime,
        largest: u64,
        sink: &mut impl Sink,
    ) -> Result<(), DownloadFailure> {
        let first = self.hosts.best();
        let result = self.download_from(first, outgoing, now, largest, sink).await;
        let other = match &result {
            Err(DownloadFailure::Transport(TransportFailure::NotSent(_))) => {
                self.hosts.other(first)
            }
            Err(DownloadFailure::Transport(TransportFailure::Lost(_))) => {
                self.hosts.other_that_may_answer(first, now)
            }
            _ => None,
        };
        let Some(other) = other else { return result };
        sink.clear().map_err(DownloadFailure::Io)?;
        match self.download_from(other, outgoing, now, largest, sink).await {
            // What the first host did is the better news.
            Err(DownloadFailure::Transport(_)) => result,
            again => again,
        }
    }

    async fn download_from(
        &self,
        host: usize,
        outgoing: &Outgoing,
        now: Uptime,
        largest: u64,
        sink: &mut impl Sink,
    ) -> Result<(), DownloadFailure> {
        self.hosts.used(host, outgoing.certificate, now);
        let result = self.receive(host, outgoing, largest, sink).await;
        match &result {
            Err(DownloadFailure::Transport(_)) => self.hosts.failed(host, now),
            Ok(()) | Err(_) => self.hosts.answered(host),
        }
        result
    }

    async fn receive(
        &self,
        host: usize,
        outgoing: &Outgoing,
        largest: u64,
        sink: &mut impl Sink,
    ) -> Result<(), DownloadFailure> {
        let request = &outgoing.request;
        let url = format!("{}{}", self.hosts.url(host), request.uri());
        let sent = self
            .client(outgoing.certificate)
            .request(request.method().clone(), url)
            .headers(request.headers().clone())
            .timeout(LONGEST)
            .body(reqwest::Body::wrap(Once {
                bytes: Some(Bytes::from_owner(request.body().clone())),
                may_leave: Arc::new(|| true),
            }))
            .send();
        let silent = |_| TransportFailure::lost(TillCause::NoAnswer);
        let failed = |error: reqwest::Error| failure(&error, outgoing.certificate);
        let patience = self.patience * TIMES_LONGER;
        let mut response = timeout(patience, sent).await.map_err(silent)?.map_err(failed)?;
        if response.status() != http::StatusCode::OK {
            let (status, headers) = (response.status(), response.headers().clone());
            let body = timeout(patience, response.chunk()).await.map_err(silent)?;
            let body = body.map_err(failed)?.unwrap_or_default();
            let page = Page::of(status, &headers, &body).line();
            let reason = Reason::quoting(TillCause::HttpStatus, page);
            return Err(TransportFailure::Lost(reason).into());
        }
        let mut length = 0_u64;
        loop {
            let chunk = timeout(patience, response.chunk()).await.map_err(silent)?;
            let Some(chunk) = chunk.map_err(failed)? else { return Ok(()) };
            length += chunk.len() as u64;
            if length > largest {
                return Err(DownloadFailure::TooLarge);
            }
            sink.put(&chunk).map_err(DownloadFailure::Io)?;
        }
    }
}
