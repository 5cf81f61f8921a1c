//! The connection to the gateway, with real TLS: a request is sent once, and a reply is complete or
//! is no reply.

use std::time::Duration;

use crate::fixture::{PACE, Ran, TestShop, code};
use crate::server::{Act, Wire};
use paytill::clock::{Millis, Uptime};
use paytill::gateway::Outgoing;
use paytill::payment::{CallKind, TillCause};
use paytill::simulator::{Identity, LedgerEntry, Scenario};
use paytill_host::transport::{Route, Transport, TransportFailure};
use zeroize::Zeroizing;

/// A failure must occur within this time; a test fails long after it.
const REQUEST_TIMEOUT: Millis = Millis(1500);
const DEADLINE: Duration = Duration::from_mins(1);
const NOW: Uptime = Uptime(1_000_000);
const BODY: &str = "<xml><return_code>SUCCESS</return_code></xml>";
const CODE: &str = "130000000000000000";

fn keys() -> Identity {
    Identity::generate().unwrap()
}

fn route(keys: &Identity, hosts: &[String]) -> Route {
    let pem = format!("{}{}", keys.client_certificate_pem(), keys.client_key_pem());
    Route {
        hosts: hosts.to_vec(),
        identity_pem: pem.into_bytes().into(),
        ca_pem: Some(keys.authority_pem().as_bytes().to_vec()),
        proxy: None,
        proxy_login: None,
        connect_timeout: Millis(3000),
        request_timeout: REQUEST_TIMEOUT,
    }
}

fn transport(keys: &Identity, hosts: &[String]) -> Transport {
    Transport::new(&route(keys, hosts)).unwrap()
}

fn submit(body: &str) -> Outgoing {
    to("/pay/micropay", body, false)
}

fn to(path: &str, body: &str, certificate: bool) -> Outgoing {
    let body = Zeroizing::new(body.as_bytes().to_vec());
    Outgoing { request: http::Request::post(path).body(body).unwrap(), certificate }
}

/// Carries one submission, which must come to an end; returns the status and the body.
async fn carry(transport: &Transport, body: &str) -> Result<(u16, Vec<u8>), TransportFailure> {
    let outgoing = submit(body);
    let carried = transport.carry(&outgoing, NOW, || {});
    let reply = tokio::time::timeout(DEADLINE, carried).await.expect("it ends by itself")?;
    Ok((reply.status().as_u16(), reply.into_body()))
}

fn answer(body: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: ";
    format!("{head}{}\r\n\r\n{body}", body.len()).into_bytes()
}

fn chunked(body: &str) -> Vec<u8> {
    let (one, other) = body.split_at(body.len() / 2);
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    format!("{head}{:x}\r\n{one}\r\n{:x}\r\n{other}\r\n0\r\n\r\n", one.len(), other.len())
        .into_bytes()
}

/// An address where nothing listens any more.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("https://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_kept_connection_that_closes_under_a_request_never_carries_it_twice() {
    let keys = keys();
    // It closes after reading the request, at its first byte, or with a reset.
    for end in [Act::Close, Act::CloseUnread, Act::Reset] {
        let second = end.clone();
        let wire = Wire::start(&keys, move |request| {
            if request.body == "first" { Act::Answer(answer(BODY)) } else { second.clone() }
        });
        let transport = transport(&keys, &[wire.url()]);
        assert_eq!(carry(&transport, "first").await.unwrap().1, BODY.as_bytes());
        let second = carry(&transport, "second").await;
        assert_eq!(second, Err(TransportFailure::lost(TillCause::ConnectionLost)), "{end:?}");
        assert_eq!((wire.count("first"), wire.connections()), (1, 1), "{end:?}");
        assert_eq!(wire.begun(), 2, "{end:?}: not once more over a new connection");
    }
}

#[tokio::test]
async fn a_connection_that_closes_after_its_answer_is_dialled_again_or_lost_but_sends_once() {
    const PAYMENTS: usize = 100;
    let keys = keys();
    let wire = Wire::start(&keys, |_| Act::AnswerAndClose(answer(BODY)));
    let transport = transport(&keys, &[wire.url()]);
    for payment in 0..PAYMENTS {
        let body = format!("payment {payment}");
        match carry(&transport, &body).await {
            Ok(reply) => assert_eq!(wire.count(&body), 1, "{reply:?}"),
            Err(TransportFailure::Lost(_)) => assert!(wire.count(&body) <= 1, "{body}"),
            Err(failure) => panic!("{body}: {failure:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_anywhere_is_no_answer() {
    let keys = keys();
    let mut cuts = 0;
    for whole in [answer(BODY), chunked(BODY)] {
        let length = whole.len();
        let wire = Wire::start(&keys, move |request| {
            let cut: usize = request.body.split(' ').next().unwrap().parse().unwrap();
            let bytes = whole[..cut].to_vec();
            match request.body.split_once(' ').unwrap().1 {
                "closes" => Act::AnswerAndClose(bytes),
                "falls silent" => Act::AnswerAndHang(bytes),
                _ => Act::AnswerAndReset(bytes),
            }
        });
        let transport = transport(&keys, &[wire.url()]);
        for cut in 0..length {
            for how in ["closes", "resets"] {
                let body = format!("{cut} {how}");
                let carried = carry(&transport, &body).await;
                assert_eq!(
                    carried,
                    Err(TransportFailure::lost(TillCause::ConnectionLost)),
                    "{body}"
                );
                assert_eq!(wire.count(&body), 1, "{body}");
            }
        }
        let hung = carry(&transport, &format!("{} falls silent", length - 1)).await;
        assert_eq!(hung, Err(TransportFailure::lost(TillCause::NoAnswer)));
        let whole = carry(&transport, &format!("{length} closes")).await.unwrap();
        assert_eq!(whole, (200, BODY.into()));
        cuts += 2 * length;
    }
    println!("transport: {cuts} answers cut, 0 taken for whole");
}

#[tokio::test]
async fn an_answer_of_unknown_length_ends_only_with_a_farewell() {
    let keys = keys();
    let bytes = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{BODY}").into_bytes();
    let wire = Wire::start(&keys, move |request| match request.body.as_str() {
        "farewell" => Act::AnswerAndClose(bytes.clone()),
        _ => Act::AnswerAndVanish(bytes.clone()),
    });
    let transport = transport(&keys, &[wire.url()]);
    assert_eq!(carry(&transport, "farewell").await.unwrap().1, BODY.as_bytes());
    assert_eq!(
        carry(&transport, "vanish").await,
        Err(TransportFailure::lost(TillCause::ConnectionLost))
    );
}

#[tokio::test]
async fn an_answer_without_end_is_left_at_its_bounds() {
    let keys = keys();
    let head = "HTTP/1.1 200 OK\r\n";
    let huge = format!("{head}Content-Length: {}\r\n\r\n", 100 << 20);
    let chunks = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    let endless = format!("{head}Connection: close\r\n\r\n");
    let block = "x".repeat(4096);
    let floods = [
        (huge, block.clone()),
        (chunks, format!("1000\r\n{block}\r\n")),
        (endless, block.clone()),
        // One endless header, and endless headers.
        (format!("{head}x-long: "), block),
        (head.to_owned(), "x-more: and more\r\n".to_owned()),
        (String::new(), "HTTP/1.1 100 Continue\r\n\r\n".to_owned()),
    ];
    for (head, more) in floods {
        let act = Act::Flood(head.clone().into_bytes(), more.clone().into_bytes());
        let wire = Wire::start(&keys, move |_| act.clone());
        let carried = carry(&transport(&keys, &[wire.url()]), "flood").await;
        assert!(
            matches!(carried, Err(TransportFailure::Lost(_))),
            "{head:?} {more:.10} {carried:?}"
        );
        assert_eq!(wire.count("flood"), 1);
        let sent = wire.hung_up_after().await;
        assert!(sent < 100 << 20, "{head:?}: {sent} bytes");
    }
}

#[tokio::test]
async fn an_answer_that_drips_times_out() {
    let keys = keys();
    let slow = answer(&"x".repeat(60_000));
    let wire = Wire::start(&keys, move |_| Act::Drip(slow.clone()));
    let carried = carry(&transport(&keys, &[wire.url()]), "drip").await;
    assert_eq!(carried, Err(TransportFailure::lost(TillCause::NoAnswer)));
    assert_eq!(wire.count("drip"), 1);
}

#[tokio::test]
async fn nothing_is_unpacked() {
    let keys = keys();
    // The first bytes of a gzip stream, which could be a bomb.
    let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let mut bytes =
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n".to_vec();
    bytes.extend_from_slice(&packed);
    let wire = Wire::start(&keys, move |_| Act::Answer(bytes.clone()));
    let reply = carry(&transport(&keys, &[wire.url()]), "packed").await.unwrap();
    assert_eq!(reply.1, packed);
    assert!(
        !wire.heads().iter().any(|head| head.contains("accept-encoding")),
        "{:?}",
        wire.heads()
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let keys = keys();
    let elsewhere = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
    for status in [301, 302, 303, 307, 308] {
        let to = elsewhere.url();
        let bytes =
            format!("HTTP/1.1 {status} Moved\r\nLocation: {to}/\r\nContent-Length: 0\r\n\r\n");
        let wire = Wire::start(&keys, move |_| Act::Answer(bytes.clone().into_bytes()));
        let reply = carry(&transport(&keys, &[wire.url()]), "moved").await.unwrap();
        assert_eq!(reply.0, status);
        assert_eq!((wire.count("moved"), elsewhere.connections()), (1, 0));
    }
}

#[tokio::test]
async fn without_a_connection_nothing_is_sent_and_the_backup_gets_it_once() {
    let (keys, strangers) = (keys(), keys());
    let impostor = Wire::start(&strangers, |_| Act::Answer(answer(BODY)));
    let ways = [
        (nowhere(), TillCause::NoConnection),
        ("https://nohost.invalid".to_owned(), TillCause::NoConnection),
        (impostor.url(), TillCause::UnknownRoot),
    ];
    for (host, code) in ways {
        let alone = carry(&transport(&keys, std::slice::from_ref(&host)), "alone").await;
        let Err(TransportFailure::NotSent(why)) = alone else { panic!("{host}: {alone:?}") };
        assert!(why.is(code), "{host}: {why:?}");
        let backup = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
        let transport = transport(&keys, &[host.clone(), backup.url()]);
        assert_eq!(carry(&transport, "again").await.unwrap().0, 200, "{host}");
        assert_eq!(backup.count("again"), 1, "{host}");
        // For a while, requests go to it directly.
        assert_eq!(carry(&transport, "next").await.unwrap().0, 200, "{host}");
        assert_eq!((backup.count("next"), backup.connections()), (1, 1), "{host}");
    }
    assert_eq!(impostor.begun(), 0, "not a byte of a request went to the impostor");
}

#[tokio::test]
async fn what_may_have_arrived_is_not_sent_to_the_backup() {
    let keys = keys();
    for act in [Act::AnswerAndHang(Vec::new()), Act::Close, Act::Reset] {
        let lost = act.clone();
        let primary = Wire::start(&keys, move |_| lost.clone());
        let backup = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
        let transport = transport(&keys, &[primary.url(), backup.url()]);
        let carried = carry(&transport, "once").await;
        assert!(matches!(carried, Err(TransportFailure::Lost(_))), "{act:?} {carried:?}");
        assert_eq!((primary.count("once"), backup.connections()), (1, 0), "{act:?}");
    }
}

/// Asks about an order, or reverses it: it must come to an end.
async fn ask(transport: &Transport, body: &str, now: Uptime) -> Result<u16, TransportFailure> {
    let (path, certificate) = match body {
        "reverse" => ("/secapi/pay/reverse", true),
        _ => ("/pay/orderquery", false),
    };
    let outgoing = to(path, body, certificate);
    let asked = transport.ask(&outgoing, now);
    let reply = tokio::time::timeout(DEADLINE, asked).await.expect("it ends by itself")?;
    Ok(reply.status().as_u16())
}

fn status(line: &str, body: &str) -> Act {
    let length = body.len();
    Act::Answer(format!("HTTP/1.1 {line}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes())
}

/// A host that is reached and does not do what it is for.
fn ways_to_fail() -> Vec<Act> {
    vec![
        Act::AnswerAndHang(Vec::new()),
        Act::AnswerAndHang(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n<xml>".to_vec()),
        Act::Close,
        Act::Reset,
        status("502 Bad Gateway", "<html>Bad Gateway</html>"),
        status("503 Service Unavailable", ""),
        status("302 Found\r\nLocation: https://portal.invalid/", ""),
        status("403 Forbidden", " <!DOCTYPE html><title>Blocked</title>"),
        status("200 OK", "<HTML><title>Sign in</title></HTML>"),
    ]
}

#[tokio::test]
async fn queries_and_reversals_go_where_they_get_an_answer() {
    let keys = keys();
    for act in ways_to_fail() {
        for body in ["query", "reverse"] {
            let does = act.clone();
            let primary = Wire::start(&keys, move |_| does.clone());
            let backup = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
            let transport = transport(&keys, &[primary.url(), backup.url()]);
            assert_eq!(ask(&transport, body, NOW).await, Ok(200), "{act:?} {body}");
            assert_eq!((primary.count(body), backup.count(body)), (1, 1), "{act:?}");
            // It is remembered, for submissions too, which nothing sends twice.
            assert_eq!(ask(&transport, body, NOW).await, Ok(200), "{act:?} {body}");
            assert_eq!(carry(&transport, "sale").await.unwrap().0, 200, "{act:?} {body}");
            assert_eq!((primary.count(body), backup.count(body)), (1, 2), "{act:?}");
            assert_eq!((primary.count("sale"), backup.count("sale")), (0, 1), "{act:?}");
            assert!(transport.is_on_backup());
        }
    }
}

#[tokio::test]
async fn after_a_submission_that_got_no_answer_the_query_goes_to_the_other_host() {
    let keys = keys();
    for act in ways_to_fail() {
        let does = act.clone();
        let primary = Wire::start(&keys, move |_| does.clone());
        let backup = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
        let transport = transport(&keys, &[primary.url(), backup.url()]);
        let _ = carry(&transport, "sale").await;
        assert_eq!((primary.count("sale"), backup.begun()), (1, 0), "{act:?}: it is not moved");
        assert_eq!(ask(&transport, "query", NOW).await, Ok(200), "{act:?}");
        assert_eq!((primary.count("query"), backup.count("query")), (0, 1), "{act:?}");
    }
}

#[tokio::test]
async fn where_no_host_answers_both_are_asked_in_turn_and_the_failure_is_told() {
    let keys = keys();
    let host = || Wire::start(&keys, |_| status("502 Bad Gateway", ""));
    let (primary, backup) = (host(), host());
    let transport = transport(&keys, &[primary.url(), backup.url()]);
    for now in 0..6 {
        let now = NOW.after(Millis::seconds(now));
        assert_eq!(ask(&transport, "query", now).await, Ok(502));
    }
    let (one, other) = (primary.count("query"), backup.count("query"));
    assert!(one + other >= 6 && one.abs_diff(other) <= 1, "{one} {other}");
    // A host that fell silent is tried after the one that is not there.
    let gone = transport_to_nowhere(&keys, &primary);
    assert_eq!(ask(&gone, "last", NOW).await, Ok(502));
}

fn transport_to_nowhere(keys: &Identity, other: &Wire) -> Transport {
    transport(keys, &[nowhere(), other.url()])
}

#[tokio::test]
async fn a_host_that_answers_again_is_found_by_dialling_and_no_payment_tries_it() {
    let keys = keys();
    let is_well = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let well = std::sync::Arc::clone(&is_well);
    let primary = Wire::start(&keys, move |_| {
        if well.load(std::sync::atomic::Ordering::Relaxed) {
            Act::Answer(answer(BODY))
        } else {
            Act::AnswerAndHang(Vec::new())
        }
    });
    let backup = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
    let transport = transport(&keys, &[primary.url(), backup.url()]);
    // Dialling ahead finds out before a customer does.
    transport.warm_up(false, NOW).await.unwrap();
    assert_eq!((primary.begun(), backup.begun()), (1, 1));
    let later = NOW.after(Millis::seconds(200));
    let mut sales = 0;
    let mut sell = async |now: Uptime| {
        sales += 1;
        let body = format!("sale {sales}");
        transport.carry(&submit(&body), now, || {}).await.unwrap();
        (primary.count(&body), backup.count(&body))
    };
    assert_eq!(sell(NOW).await, (0, 1));
    assert_eq!(sell(later).await, (0, 1), "time alone proves nothing");
    assert_eq!(ask(&transport, "query", later).await, Ok(200));
    assert_eq!(primary.count("query"), 0);
    transport.warm_up(false, later).await.unwrap();
    assert_eq!(sell(later).await, (0, 1), "it still hangs");
    is_well.store(true, std::sync::atomic::Ordering::Relaxed);
    transport.warm_up(false, later.after(Millis::seconds(20))).await.unwrap();
    assert_eq!(sell(later).await, (0, 1), "not so soon after it failed");
    let much_later = later.after(Millis::seconds(400));
    transport.warm_up(false, much_later).await.unwrap();
    assert_eq!(sell(much_later).await, (1, 0));
    assert!(!transport.is_on_backup());
}

#[tokio::test]
async fn a_host_that_is_well_when_dialled_and_fails_every_payment_is_tried_ever_more_rarely() {
    let keys = keys();
    let primary = Wire::start(&keys, |request| {
        if request.head.starts_with("GET ") {
            Act::Answer(answer(BODY))
        } else {
            status("502 Bad Gateway", "")
        }
    });
    let backup = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
    let transport = transport(&keys, &[primary.url(), backup.url()]);
    let mut failed = 0;
    // A sale a minute, for eight hours.
    for minute in 0..480 {
        let now = NOW.after(Millis::seconds(60 * minute));
        transport.warm_up(false, now).await.unwrap();
        let reply = transport.carry(&submit("sale"), now, || {}).await.unwrap();
        failed += usize::from(reply.status() == 502);
    }
    assert!((2..=15).contains(&failed), "{failed} payments got no answer");
}

#[tokio::test]
async fn a_connection_dialled_ahead_is_the_one_that_is_used() {
    let keys = keys();
    let wire = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
    let transport = transport(&keys, &[wire.url()]);
    transport.warm_up(false, NOW).await.unwrap();
    transport.warm_up(false, NOW.after(Millis::seconds(14))).await.unwrap();
    assert_eq!(wire.begun(), 1, "one request made it warm");
    carry(&transport, "warm").await.unwrap();
    assert_eq!((wire.count("warm"), wire.connections()), (1, 1));
    transport.warm_up(false, NOW.after(Millis::seconds(21))).await.unwrap();
    assert_eq!((wire.begun(), wire.connections()), (3, 1));
    assert!(wire.heads().iter().filter(|head| head.starts_with("get / ")).count() == 2);
}

#[tokio::test]
async fn the_certificate_is_shown_only_where_it_is_asked_for() {
    let keys = keys();
    let wire = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
    let transport = transport(&keys, &[wire.url()]);
    transport.warm_up(false, NOW).await.unwrap();
    carry(&transport, "plain").await.unwrap();
    let reverse = to("/secapi/pay/reverse", "reverse", true);
    transport.carry(&reverse, NOW, || {}).await.unwrap();
    carry(&transport, "plain again").await.unwrap();
    assert_eq!(wire.shown_certificates("plain"), [false]);
    assert_eq!(wire.shown_certificates("reverse"), [true]);
    assert_eq!(wire.shown_certificates("plain again"), [false]);
    assert_eq!(wire.connections(), 2);
}

#[tokio::test]
async fn through_a_proxy_goes_nothing_in_the_clear() {
    let keys = keys();
    let wire = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
    let refusing = crate::server::refusing_proxy();
    let mut route = route(&keys, &[wire.url()]);
    route.proxy = Some(format!("http://{}", refusing.address));
    let carried = carry(&Transport::new(&route).unwrap(), "a secret").await;
    assert_eq!(carried, Err(TransportFailure::not_sent(TillCause::ProxyRefused)));
    let seen = refusing.seen.await.unwrap();
    assert!(seen.starts_with("CONNECT 127.0.0.1:") && !seen.contains("secret"), "{seen}");
    assert_eq!(wire.connections(), 0);
}

#[test]
fn the_proxies_of_the_environment_are_not_used() {
    let shop = TestShop::open(Scenario::from_name("ok"), PACE);
    let mut pay = shop.command(&["pay", "12.34", "--code", CODE, "--json"]);
    let dead = nowhere().replace("https", "http");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
    {
        pay.env(name, &dead);
    }
    let ran = Ran::of(pay.output().unwrap());
    assert_eq!(ran.exit, 0, "{ran:?}");
    shop.assert_books_agree(true);
}

#[test]
fn a_payment_that_could_not_be_sent_is_declined_and_closed() {
    let shop = TestShop::open(None, PACE);
    let address = format!("https://{}", shop.server.local_addr());
    for (serial, host) in [nowhere(), "https://nohost.invalid".to_owned()].iter().enumerate() {
        shop.reconfigure(&address, host);
        let code = code("ok", serial);
        let ran = shop.pay("12.34", &code);
        let last = ran.last();
        assert_eq!(ran.exit, 10, "{ran:?}");
        assert_eq!(last["state"], "declined");
        assert_eq!(last["reason"]["code"], "no_connection");
        assert_eq!(last["open"], false, "{last}");
        assert!(shop.ledger().is_empty());
        shop.reconfigure(host, &address);
        assert_eq!(shop.recover().exit, 0);
        shop.assert_books_agree(true);
    }
}

#[test]
fn a_payment_whose_request_is_lost_on_the_way_is_sent_once_and_the_backup_tells_what_became_of_it()
{
    let shop = TestShop::open(Scenario::from_name("ok"), PACE);
    let keys = Identity::load(shop.path()).unwrap();
    let _runtime = shop.runtime.enter();
    let primary = Wire::start(&keys, |_| Act::Close);
    let address = format!("base_url = \"https://{}\"", shop.server.local_addr());
    let backup = format!("backup_url = \"https://{}\"", shop.server.local_addr());
    shop.reconfigure(&address, &format!("base_url = \"{}\"\n{backup}", primary.url()));
    shop.reconfigure("attention_after_ms = 9000", "attention_after_ms = 1000");
    let ran = shop.pay("12.34", CODE);
    assert_eq!(ran.exit, 11, "{ran:?}");
    assert_eq!(primary.heads().len(), 1, "{:?}", primary.heads());
    let submissions = |entry: &LedgerEntry| entry.times_of(CallKind::Submit).count();
    assert_eq!(shop.ledger().iter().map(submissions).sum::<usize>(), 0, "{:?}", shop.ledger());
    shop.assert_books_agree(true);
}

#[test]
fn what_a_silent_host_left_open_is_ended_at_the_backup() {
    let shop = TestShop::open(Scenario::from_name("ok"), PACE);
    let keys = Identity::load(shop.path()).unwrap();
    let _runtime = shop.runtime.enter();
    let ways = [Act::AnswerAndHang(Vec::new()), status("502 Bad Gateway", "")];
    for (serial, act) in ways.into_iter().enumerate() {
        let primary = Wire::start(&keys, move |_| act.clone());
        let gateway = format!("base_url = \"https://{}\"", shop.server.local_addr());
        let silent = format!("base_url = \"{}\"", primary.url());
        shop.reconfigure(&gateway, &silent);
        shop.reconfigure("attention_after_ms = 9000", "attention_after_ms = 1000");
        let ran = shop.pay("12.34", &code("ok", serial));
        assert_eq!(ran.exit, 12, "{ran:?}");
        let backup = format!("backup_url = \"https://{}\"", shop.server.local_addr());
        shop.reconfigure(&silent, &format!("{silent}\n{backup}"));
        let ran = shop.recover();
        assert_eq!((ran.exit, &ran.last()["state"]), (0, &"reversed".into()), "{ran:?}");
        shop.assert_books_agree(true);
        shop.reconfigure(&format!("{silent}\n{backup}"), &gateway);
        shop.reconfigure("attention_after_ms = 1000", "attention_after_ms = 9000");
    }
}

#[tokio::test]
async fn what_may_not_leave_any_more_once_there_is_a_connection_does_not_arrive() {
    let keys = Identity::generate().unwrap();
    let wire = Wire::start(&keys, |_| Act::Answer(answer(BODY)));
    let transport = transport(&keys, &[wire.url()]);
    let failure = transport.carry_if(&submit("late"), NOW, || false).await.unwrap_err();
    assert!(matches!(failure, TransportFailure::Lost(_)), "{failure:?}");
    assert_eq!(carry(&transport, "in time").await.unwrap().0, 200);
    assert_eq!((wire.count("late"), wire.count("in time")), (0, 1));
}
