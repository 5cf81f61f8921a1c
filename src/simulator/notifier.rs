//! Sends what [`Bank`](super::Bank) says is to be told, when it says so: a small client on a socket.
//!
//! Plain HTTP goes to this machine alone, for tests; anything else is HTTPS, to receivers whom a root
//! that was named vouches for.

use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::front::Front;
use super::identity::IdentityError;
use super::notices::Posting;

/// How long a receiver has (protocol 9).
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const LARGEST_ANSWER: u64 = 16 * 1024;

/// Whom deliveries over TLS go to: whoever has a certificate of one of these roots (PEM).
pub(super) fn trusting(pems: &[&str]) -> Result<TlsConnector, IdentityError> {
    let mut roots = RootCertStore::empty();
    for pem in pems {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots.add(certificate?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Sends what is due, and sleeps until more is, or until something has happened in the bank. Deliveries
/// end with it.
pub(super) async fn run(front: Arc<Front>) {
    let mut deliveries = JoinSet::new();
    loop {
        while deliveries.try_join_next().is_some() {}
        let now = front.time.now();
        let (due, next) = {
            let mut bank = front.lock();
            let due = std::iter::from_fn(|| bank.take_notice(now, front.clock.wall()));
            let due: Vec<_> = due.collect();
            (due, bank.next_notice(now))
        };
        for posting in due {
            deliveries.spawn(deliver(Arc::clone(&front), posting));
        }
        tokio::select! {
            () = front.changed.notified() => {}
            () = front.time.until(next) => {}
        }
    }
}

async fn deliver(front: Arc<Front>, posting: Posting) {
    let answer = timeout(ANSWER_WITHIN, post(&front, &posting)).await;
    let answer = answer.ok().and_then(Result::ok);
    let now = front.time.now();
    let answer = answer.as_ref().map(|(status, body)| (*status, body.as_slice()));
    let story = front.lock().notice_answered(posting.token, answer, now);
    front.tell(now, &story);
    front.changed.notify_one();
}

/// Sends one, and reads the status and the body of what comes back.
async fn post(front: &Front, posting: &Posting) -> io::Result<(u16, Vec<u8>)> {
    let no_address = || io::Error::from(io::ErrorKind::AddrNotAvailable);
    let address: Uri = posting.url.parse().map_err(|_| no_address())?;
    let is_plain = address.scheme_str() == Some("http");
    let host = address.host().ok_or_else(no_address)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let port = address.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
    if is_plain && !is_this_machine(bare) {
        return Err(no_address());
    }
    let stream = TcpStream::connect((bare, port)).await?;
    let mut request = format!(
        "POST {} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\n\
         Connection: close\r\nContent-Length: {}\r\n",
        address.path(),
        posting.body.len()
    );
    for (name, value) in &posting.headers {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    request += "\r\n";
    let request = [request.as_bytes(), &posting.body].concat();
    if is_plain {
        return talk(stream, &request).await;
    }
    let name = ServerName::try_from(bare.to_owned()).map_err(|_| no_address())?;
    let connector = front.receivers();
    talk(connector.connect(name, stream).await?, &request).await
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &[u8],
) -> io::Result<(u16, Vec<u8>)> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut bytes = Vec::new();
    // A receiver that does not close the connection has answered when its answer is whole.
    let mut limited = stream.take(LARGEST_ANSWER);
    loop {
        if let Some(answer) = whole(&bytes, false) {
            return Ok(answer);
        }
        // Those who drop a TLS connection without a word have ended it as well.
        if limited.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return whole(&bytes, true).ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
    }
}

/// Status and body, if they are all there.
fn whole(bytes: &[u8], has_ended: bool) -> Option<(u16, Vec<u8>)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes).ok()? else { return None };
    let status = response.code?;
    let length = response.headers.iter().find(|it| it.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|it| std::str::from_utf8(it.value).ok()?.trim().parse().ok());
    let body = bytes.get(head..)?;
    match length.or_else(|| (status == 204).then_some(0)) {
        Some(length) => body.get(..length).map(|body| (status, body.to_vec())),
        None => has_ended.then(|| (status, body.to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_by_its_length_or_at_its_end() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
        for cut in 0..text.len() {
            assert_eq!(whole(&text[..cut], true), None, "{cut}");
        }
        assert_eq!(whole(text, false), Some((200, b"OK".to_vec())));
        assert_eq!(whole(b"HTTP/1.1 204 No Content\r\n\r\n", false), Some((204, Vec::new())));
        let open = b"HTTP/1.1 500 Sorry\r\n\r\nwords";
        assert_eq!(whole(open, false), None);
        assert_eq!(whole(open, true), Some((500, b"words".to_vec())));
        assert_eq!(whole(b"<html>", true), None);
    }

    #[test]
    fn plain_text_stays_on_this_machine() {
        for (host, stays) in [
            ("127.0.0.1", true),
            ("127.1.2.3", true),
            ("::1", true),
            ("localhost", true),
            ("127.0.0.1.example.com", false),
            ("192.0.2.7", false),
            ("0.0.0.0", false),
            ("example.com", false),
        ] {
            assert_eq!(is_this_machine(host), stays, "{host}");
        }
    }
}
