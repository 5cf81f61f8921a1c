//! Why a trusted connection does not come about: each cause has its own word, and the details that
//! people need to mend it.

use std::sync::Arc;

use paytill::clock::{Millis, Uptime};
use paytill::gateway::Outgoing;
use paytill::payment::{Reason, TillCause};
use paytill::simulator::Identity;
use paytill_host::transport::{Route, Transport, TransportFailure, Visit};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

/// An authority, and the certificate it made for one host.
struct Made {
    authority: CertifiedIssuer<'static, KeyPair>,
    server: Arc<rustls::ServerConfig>,
}

/// A host with this name and these years; `clients` are the roots of the certificates it demands.
fn made(name: &str, years: (i32, i32), clients: Option<&str>) -> Made {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Inspecting Box CA");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    let certificate = params.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(root) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(pem(root)).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let server = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    Made { authority, server: Arc::new(server) }
}

fn pem(text: &str) -> rustls::pki_types::CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject as _;
    rustls::pki_types::CertificateDer::from_pem_slice(text.as_bytes()).unwrap()
}

/// Serves every connection with this, on loopback; returns `host:port`.
async fn serve<F: Future<Output = ()> + Send + 'static>(
    with: impl Fn(TcpStream) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    address.to_string()
}

async fn tls(made: &Made) -> String {
    let acceptor = TlsAcceptor::from(Arc::clone(&made.server));
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            // The other side hangs up.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read_u8().await;
            }
        }
    })
    .await
}

/// Answers the first bytes of every connection with these, and nothing else.
async fn says(answer: &'static str) -> String {
    serve(move |mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    })
    .await
}

fn transport(host: &str, ca: &str, proxy: Option<&str>) -> Transport {
    Transport::new(&route(host, ca, proxy)).unwrap()
}

fn route(host: &str, ca: &str, proxy: Option<&str>) -> Route {
    let keys = Identity::generate().unwrap();
    let identity = format!("{}{}", keys.client_certificate_pem(), keys.client_key_pem());
    Route {
        hosts: vec![format!("https://{host}")],
        identity_pem: identity.into_bytes().into(),
        ca_pem: Some(ca.as_bytes().to_vec()),
        proxy: proxy.map(|proxy| format!("http://{proxy}")),
        proxy_login: None,
        connect_timeout: Millis(3000),
        request_timeout: Millis(3000),
    }
}

fn today() -> String {
    jiff::Timestamp::now().to_string()[..10].to_owned()
}

/// Why a request failed, and that not a byte of it left.
#[track_caller]
fn not_sent(result: Result<Visit, TransportFailure>) -> Reason {
    match result {
        Err(TransportFailure::NotSent(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_that_is_refused_says_why_with_dates_and_names() {
    let (now, ever) = (today(), (2020, 2049));
    for (made, cause, detail) in [
        (
            made("127.0.0.1", (2048, 2049), None),
            TillCause::ClockBehind,
            format!("{now} < 2048-01-01"),
        ),
        (
            made("127.0.0.1", (2019, 2020), None),
            TillCause::CertificateExpired,
            format!("{now} > 2020-01-01"),
        ),
        (
            made("portal.example.com", ever, None),
            TillCause::WrongHostName,
            "portal.example.com".to_owned(),
        ),
    ] {
        let host = tls(&made).await;
        let transport = transport(&host, &made.authority.pem(), None);
        let reason = not_sent(transport.visit(0, false).await);
        assert_eq!(reason, Reason::quoting(cause, detail));
    }
    let (inspecting, trusted) = (made("127.0.0.1", ever, None), made("127.0.0.1", ever, None));
    let host = tls(&inspecting).await;
    let reason = not_sent(transport(&host, &trusted.authority.pem(), None).visit(0, false).await);
    // It has the name of a root that is trusted, and another key.
    assert_eq!(reason, Reason::quoting(TillCause::UnknownRoot, "Inspecting Box CA"));
    let stranger = Identity::generate().unwrap();
    let reason = not_sent(transport(&host, stranger.authority_pem(), None).visit(0, false).await);
    assert_eq!(reason, Reason::quoting(TillCause::UnknownRoot, "Inspecting Box CA"));
    // One that signed itself, as a router's own page shows it.
    let own = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "router");
    let certificate = params.self_signed(&own).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(own.serialize_der()).unwrap(),
        )
        .unwrap();
    let router = Made { server: Arc::new(server), ..inspecting };
    let host = tls(&router).await;
    let reason = not_sent(transport(&host, stranger.authority_pem(), None).visit(0, false).await);
    assert_eq!(reason, Reason::quoting(TillCause::UnknownRoot, "router"));
}

#[tokio::test]
async fn what_answers_without_tls_is_named_and_an_unknown_name_is_the_name_servers() {
    let keys = Identity::generate().unwrap();
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "nonsense"] {
        let host = says(answer).await;
        let reason = not_sent(transport(&host, keys.authority_pem(), None).visit(0, false).await);
        assert_eq!(reason, Reason::from(TillCause::PlainHttp), "{answer}");
    }
    let unknown = transport("nohost.invalid", keys.authority_pem(), None);
    let reason = not_sent(unknown.visit(0, false).await);
    assert_eq!(reason, Reason::quoting(TillCause::NoConnection, "DNS: nohost.invalid"));
}

#[tokio::test]
async fn the_shops_own_certificate_refused_is_told_from_all_else() {
    let strangers = Identity::generate().unwrap();
    let picky = made("127.0.0.1", (2020, 2049), Some(strangers.authority_pem()));
    let host = tls(&picky).await;
    let transport = transport(&host, &picky.authority.pem(), None);
    let failure = transport.visit(0, true).await.unwrap_err();
    assert!(failure.reason().is(TillCause::OwnCertificate), "{failure:?}");
    let body = Zeroizing::new(b"a reversal".to_vec());
    let request = http::Request::post("/secapi/pay/reverse").body(body).unwrap();
    let outgoing = Outgoing { request, certificate: true };
    let failure = transport.carry(&outgoing, Uptime(1), || {}).await.unwrap_err();
    assert!(failure.reason().is(TillCause::OwnCertificate), "{failure:?}");
    // Without one it is not ours that is refused.
    let failure = transport.visit(0, false).await.unwrap_err();
    assert!(failure.reason().is(TillCause::Certificate), "{failure:?}");
}

#[tokio::test]
async fn a_proxy_that_wants_a_login_gets_it() {
    let keys = Identity::generate().unwrap();
    let proxy = serve(|mut stream| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.unwrap() > 0 {}
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let is_known = head.contains("proxy-authorization: basic dglsbdpwyxnzoldvcmq=\r\n");
        let answer = if is_known { "403 Not this host" } else { "407 Who are you" };
        let _ = stream.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await;
        let _ = stream.shutdown().await;
    })
    .await;
    for (login, words) in [
        (Some("till:pass:Word"), "HTTP 403 Not this host"),
        (Some("till:wrong"), "HTTP 407"),
        (None, "HTTP 407"),
    ] {
        let mut route = route("gateway.invalid", keys.authority_pem(), Some(&proxy));
        route.proxy_login = login.map(Into::into);
        let reason = not_sent(Transport::new(&route).unwrap().visit(0, false).await);
        assert_eq!(reason, Reason::quoting(TillCause::ProxyRefused, words), "{login:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_with_its_own_first_line() {
    let keys = Identity::generate().unwrap();
    for (answer, words) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP 407"),
        ("HTTP/1.1 403 Forbidden by policy\r\n\r\n<html>", "HTTP 403 Forbidden by policy"),
        ("HTTP/1.0 400 Bad Request\r\n\r\n", "HTTP 400 Bad Request"),
        ("HTTP/1.1 502 \r\n\r\n", "HTTP 502"),
        ("", ""),
        ("nonsense", ""),
    ] {
        let proxy = says(answer).await;
        let transport = transport("gateway.invalid", keys.authority_pem(), Some(&proxy));
        let reason = not_sent(transport.visit(0, false).await);
        assert_eq!(reason, Reason::quoting(TillCause::ProxyRefused, words), "{answer}");
    }
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    for (proxy, words) in [(gone.as_str(), "proxy"), ("nohost.invalid:3128", "DNS: proxy")] {
        let transport = transport("gateway.invalid", keys.authority_pem(), Some(proxy));
        let reason = not_sent(transport.visit(0, false).await);
        assert_eq!(reason, Reason::quoting(TillCause::NoConnection, words), "{proxy}");
    }
}

/// A gateway whose front door is in order, and that shows a page where a certificate is needed.
#[test]
fn a_page_where_the_certificate_is_needed_is_a_fault_that_is_quoted() {
    use crate::fixture::{PACE, Ran, TestShop};
    use crate::server::{Act, Wire};
    let shop = TestShop::open(None, PACE);
    let identity = Identity::load(shop.path()).unwrap();
    let page = |status: &str, text: &str| {
        let text = format!("<html><title>{text}</title></html>");
        let length = text.len();
        let head = "Content-Type: text/html\r\nContent-Length";
        format!("HTTP/1.1 {status}\r\n{head}: {length}\r\n\r\n{text}").into_bytes()
    };
    let _runtime = shop.runtime.enter();
    let refuses = page("400 Bad Request", "400 The SSL certificate error");
    let portal = page("200 OK", "Please log in");
    let front = page("404 Not Found", "");
    let wire = Wire::start(&identity, move |request| {
        Act::Answer(if request.has_certificate {
            refuses.clone()
        } else if request.head.starts_with("POST") {
            portal.clone()
        } else {
            front.clone()
        })
    });
    shop.reconfigure(&format!("https://{}", shop.server.local_addr()), &wire.url());
    let ran = Ran::of(shop.run(&["doctor", "--json"]));
    let told = |check: &str, words: &str| {
        let is_it = |line: &&serde_json::Value| {
            line["check"] == check
                && line["result"] == "fault"
                && line["text"].as_str().unwrap().contains(words)
        };
        assert!(ran.lines.iter().any(|line| is_it(&line)), "{words}: {ran:?}");
    };
    told("certificate", "HTTP 400, text/html: 400 The SSL certificate error");
    told("gateway", "(HTTP 200, text/html: Please log in).");
    assert_eq!(ran.exit, 3, "{ran:?}");
}

#[test]
fn the_environment_adds_no_root() {
    use crate::fixture::{PACE, Ran, TestShop};
    let shop = TestShop::open(None, PACE);
    shop.reconfigure("ca_file = \"ca.pem\"", "");
    let mut doctor = shop.command(&["doctor", "--json"]);
    let folder = shop.path().join("roots");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(shop.path().join("ca.pem"), folder.join("00000000.0")).unwrap();
    doctor.env("SSL_CERT_FILE", shop.path().join("ca.pem")).env("SSL_CERT_DIR", folder);
    let ran = Ran::of(doctor.output().unwrap());
    assert!(shop.ledger().is_empty(), "{ran:?}");
    let gateway = ran.lines.iter().find(|line| line["check"] == "gateway").unwrap();
    assert_eq!(gateway["result"], "fault", "{ran:?}");
}
