//! A reply that may be large, such as a bill: whole, from whichever host gives it, or not at all.

use std::io;
use std::time::Duration;

use crate::server::{Act, Wire};
use paytill::clock::{Millis, Uptime};
use paytill::gateway::Outgoing;
use paytill::payment::TillCause;
use paytill::simulator::Identity;
use paytill_host::transport::{DownloadFailure, Route, Sink, Transport, TransportFailure};
use zeroize::Zeroizing;

const LARGEST: u64 = 300_000;
/// A failure must occur by itself; a test fails long after it.
const DEADLINE: Duration = Duration::from_mins(1);

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    cleared: usize,
}

impl Sink for Kept {
    fn clear(&mut self) -> io::Result<()> {
        self.bytes.clear();
        self.cleared += 1;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

struct Full;

impl Sink for Full {
    fn clear(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn put(&mut self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

fn transport(keys: &Identity, hosts: &[String]) -> Transport {
    let pem = format!("{}{}", keys.client_certificate_pem(), keys.client_key_pem());
    let route = Route {
        hosts: hosts.to_vec(),
        identity_pem: pem.into_bytes().into(),
        ca_pem: Some(keys.authority_pem().as_bytes().to_vec()),
        proxy: None,
        proxy_login: None,
        connect_timeout: Millis(3000),
        request_timeout: Millis(500),
    };
    Transport::new(&route).unwrap()
}

async fn download(transport: &Transport, sink: &mut impl Sink) -> Result<(), DownloadFailure> {
    let body = Zeroizing::new(b"<xml></xml>".to_vec());
    let request = http::Request::post("/pay/downloadbill").body(body).unwrap();
    let outgoing = Outgoing { request, certificate: false };
    let downloaded = transport.download(&outgoing, Uptime(1_000_000), LARGEST, sink);
    tokio::time::timeout(DEADLINE, downloaded).await.expect("it ends by itself")
}

/// More than any other reply may have.
fn bill() -> Vec<u8> {
    (0..250_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn answer(status: &str, body: &[u8], missing: usize) -> Vec<u8> {
    let length = body.len() + missing;
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[tokio::test]
async fn a_large_reply_is_put_away_whole() {
    let keys = Identity::generate().unwrap();
    let wire = Wire::start(&keys, |_| Act::Answer(answer("200 OK", &bill(), 0)));
    let mut kept = Kept::default();
    download(&transport(&keys, &[wire.url()]), &mut kept).await.unwrap();
    assert!(kept.bytes == bill(), "{}", kept.bytes.len());
    assert_eq!(kept.cleared, 0);
}

#[tokio::test]
async fn where_one_host_breaks_off_is_silent_or_refuses_the_other_is_asked() {
    let keys = Identity::generate().unwrap();
    let good = Wire::start(&keys, |_| Act::Answer(answer("200 OK", &bill(), 0)));
    for act in [
        Act::AnswerAndClose(answer("200 OK", &bill(), 7)),
        Act::AnswerAndReset(answer("200 OK", &bill(), 7)),
        Act::AnswerAndHang(answer("200 OK", &bill(), 7)),
        Act::AnswerAndHang(Vec::new()),
        Act::Close,
        Act::Answer(answer("503 Service Unavailable", b"<html>busy</html>", 0)),
    ] {
        let first = act.clone();
        let wire = Wire::start(&keys, move |_| first.clone());
        let mut kept = Kept::default();
        let both = transport(&keys, &[wire.url(), good.url()]);
        download(&both, &mut kept).await.unwrap();
        assert!(kept.bytes == bill() && kept.cleared == 1, "{act:?}");
        // Alone it is a failure that says what happened.
        let alone = download(&transport(&keys, &[wire.url()]), &mut Kept::default()).await;
        let Err(DownloadFailure::Transport(TransportFailure::Lost(why))) = alone else {
            panic!("{act:?}: {alone:?}")
        };
        let causes = [TillCause::ConnectionLost, TillCause::NoAnswer, TillCause::HttpStatus];
        assert!(causes.iter().any(|cause| why.is(*cause)), "{act:?}: {why:?}");
    }
}

#[tokio::test]
async fn a_reply_without_end_and_a_full_disk_end_it() {
    let keys = Identity::generate().unwrap();
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec();
    let wire = Wire::start(&keys, move |_| Act::Flood(head.clone(), vec![b'x'; 10_000]));
    let transport = transport(&keys, &[wire.url()]);
    let flood = download(&transport, &mut Kept::default()).await;
    assert!(matches!(flood, Err(DownloadFailure::TooLarge)), "{flood:?}");
    let full = download(&transport, &mut Full).await;
    assert!(matches!(full, Err(DownloadFailure::Io(_))), "{full:?}");
}
