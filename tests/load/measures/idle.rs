//! What a till costs that is connected and asks nothing.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use paytill_core::gateway::Stamp;
use paytill_core::gateway::backend::Backend;
use paytill_host::random;
use paytill_host::transport::client_tls;
use paytill_simulator::Script;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Extent;
use super::books::{self, Books};
use super::office::Office;
use super::table::{Goal, Table};

/// As many as it has places for.
const TILLS: usize = 10_000;
/// How many dial at once.
const AT_ONCE: usize = 50;
const GOAL: (Goal, &str) = (Goal::AtMost(20.0), "KiB");

pub(crate) async fn measured(extent: Extent, table: &mut Table) {
    let tills = if extent.is_smoke { 50 } else { TILLS };
    let what = format!("memory for each of {TILLS} tills that are connected and idle");
    let office = Office::open(Books::sqlite().await, Script::default(), 1).await;
    let connector = client_tls(Some(office.root_pem.as_bytes())).unwrap();
    let connector = TlsConnector::from(Arc::new(connector));
    let codec = Arc::new(office.codec(0).await);
    let (address, asking) = (office.address, Arc::clone(&codec));
    let dial = move || greeted(address, connector.clone(), Arc::clone(&codec));
    // What the first ones need once is not counted.
    let mut connected = at_once(AT_ONCE.min(tills / 2), &dial).await;
    let before = office.resident();
    let first = connected.len();
    while connected.len() < tills {
        connected.append(&mut at_once(AT_ONCE.min(tills - connected.len()), &dial).await);
    }
    let after = office.resident();
    let mut lost = 0;
    for stream in &mut connected {
        lost += usize::from(said(stream, &hello(&asking)).await.is_none());
    }
    let idle = u64::try_from((connected.len() - first).max(1)).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "far less")]
    let each = after.saturating_sub(before) as f64 / idle as f64 / 1024.0;
    // Of those that are not there any more nothing is known, and they were to be.
    let figure = match lost {
        0 => (each, format!("{} MiB in all", after >> 20)),
        lost => {
            (f64::NAN, format!("{lost} of {} were cut off while they were idle", connected.len()))
        }
    };
    table.add(what, GOAL, figure);
}

/// A till that has dialled and asked who it is.
async fn greeted(
    address: SocketAddr,
    to: TlsConnector,
    codec: Arc<Backend>,
) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = to.connect(name, stream).await.unwrap();
    said(&mut stream, &hello(&codec)).await.unwrap();
    stream
}

fn hello(codec: &Backend) -> Vec<u8> {
    let stamp = Stamp { time: books::now(), nonce: random::nonce().unwrap() };
    let request = codec.encode_hello(&stamp).request;
    let mut text = format!("GET {} HTTP/1.1\r\nhost: localhost\r\n", request.uri());
    for (name, value) in request.headers() {
        let _ = write!(text, "{name}: {}\r\n", value.to_str().unwrap());
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// What is answered; `None` if nobody is there any more.
async fn said(stream: &mut TlsStream<TcpStream>, request: &[u8]) -> Option<Vec<u8>> {
    stream.write_all(request).await.ok()?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
    }
    answer.starts_with(b"HTTP/1.1 200").then_some(answer)
}

/// So many dial at once.
async fn at_once<F>(many: usize, dial: &impl Fn() -> F) -> Vec<TlsStream<TcpStream>>
where
    F: Future<Output = TlsStream<TcpStream>> + Send + 'static,
{
    let mut dialling = tokio::task::JoinSet::new();
    for _ in 0..many {
        dialling.spawn(dial());
    }
    dialling.join_all().await
}
