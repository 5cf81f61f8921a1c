//! A storm of the gateway's notifications at two instances.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use paytill_core::gateway::wechat::fields::{Fields, SignType};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::database::{postgres, runtime};
use crate::gateway::Gateway;
use crate::pair::{LATE, Pair, read, serial};
use crate::sweep;
use crate::till::{Till, number};

/// How many copies of each come at once.
const COPIES: usize = 100;
/// How many notifications.
const NOTICES: usize = 10;
const ALL_NOTICES: usize = 100;
/// Of how many of them at once.
const AT_ONCE: usize = 2;

/// What the gateway says of an order that was paid.
fn notice(gateway: &Gateway, number: &str) -> String {
    let account = gateway.identity.account();
    let transaction_id = gateway.entry(number).unwrap().transaction_id;
    let mut fields = Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", account.merchant.app_id.as_str()),
        ("mch_id", account.merchant.mch_id.as_str()),
        ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
        ("sign_type", "HMAC-SHA256"),
        ("out_trade_no", number),
        ("transaction_id", transaction_id.as_str()),
        ("total_fee", "1234"),
        ("fee_type", "CNY"),
        ("time_end", "20261130200000"),
        ("attach", "mark"),
    ]);
    fields.sign(SignType::HmacSha256, &account.api_key);
    fields.to_xml()
}

/// Delivers it; the status.
async fn deliver(to: SocketAddr, path: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_hundred_copies_at_once_at_both_instances_are_acknowledged_and_told_once() {
    let Some(base) = postgres() else { return };
    let gateway = Gateway::open();
    let pair = Pair::open(&base, &gateway, LATE);
    let (first, second) = pair.serve();
    let till = Till::enrol(&pair.first, &first);
    let count = if sweep::is_complete() { ALL_NOTICES } else { NOTICES };
    let order = json!({
        "channel": "native", "amount": 1234, "currency": "CNY", "description": "Corner Coffee",
        "device": "S001", "client_ip": "127.0.0.1", "mark": "mark",
    });
    let numbers: Vec<String> = (0..count).map(|_| number(serial())).collect();
    for number in &numbers {
        let target = format!("/v1/payments/{number}");
        let answer = till.ask(&first, ("PUT", &target, &order.to_string()));
        assert!(read(&answer)["code_url"].is_string(), "{answer:?}");
    }
    let token = pair.schema.ask("SELECT value FROM meta WHERE name = 'notify_token'");
    let path = format!("/notify/wechat/v2/{}", token[0][0]);
    let webs = [first.web, second.web];
    let again = AtomicUsize::new(0);
    for some in numbers.chunks(AT_ONCE) {
        let mut copies = JoinSet::new();
        for number in some {
            gateway.scan(number);
            let body = notice(&gateway, number);
            for copy in 0..COPIES {
                let (path, body) = (path.clone(), body.clone());
                let deliver = async move {
                    let mut tries = 1;
                    // Not kept, or not known: the gateway comes again.
                    loop {
                        match deliver(webs[copy % 2], &path, &body).await {
                            200 => return tries,
                            503 => tries += 1,
                            status => panic!("{status}"),
                        }
                    }
                };
                copies.spawn_on(deliver, runtime().handle());
            }
        }
        for tries in runtime().block_on(copies.join_all()) {
            again.fetch_add(tries - 1, Ordering::Relaxed);
        }
    }
    println!("{count} notices, {COPIES} copies at once: {again:?} came again");
    let kept = pair.schema.ask("SELECT out_trade_no, verdict, times FROM notice ORDER BY 1");
    let told = pair.schema.ask("SELECT subject, kind FROM outbox ORDER BY 1");
    let settled = pair.schema.ask("SELECT out_trade_no, status FROM payment ORDER BY 1");
    assert_eq!((kept.len(), told.len(), settled.len()), (count, count, count));
    for (number, ((kept, told), row)) in numbers.iter().zip(kept.iter().zip(&told).zip(&settled)) {
        assert_eq!((&kept[0], kept[1].as_str()), (number, "taken"));
        let times: usize = kept[2].parse().unwrap();
        assert!((COPIES..=COPIES + again.load(Ordering::Relaxed)).contains(&times), "{times}");
        assert_eq!((&told[0], told[1].as_str()), (number, "payment.paid"));
        assert_eq!((&row[0], row[1].as_str()), (number, "paid"));
        assert_eq!(gateway.entry(number).unwrap().net().minor(), 1234);
    }
}
