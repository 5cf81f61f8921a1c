//! The gateway inside a program: what is asked of it, and what it tells unasked.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::server::{Parsed, parse};
use paytill_core::gateway::notice::{Delivery, Notice};
use paytill_core::gateway::{Ask, Stamp};
use paytill_core::money::Money;
use paytill_core::order::{Order, OutTradeNo};
use paytill_core::payment::{Answer, Ordered};
use paytill_host::clock::Clock;

/// Takes one delivery, and acknowledges it.
async fn take(listener: &TcpListener) -> Delivery {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = Vec::new();
    let length = loop {
        stream.read_buf(&mut bytes).await.unwrap();
        match parse(&bytes) {
            Parsed::Complete(head) => break head.length,
            Parsed::Partial => {}
            Parsed::Refused(status) => panic!("{status}"),
        }
    };
    let done = "<xml><return_code>SUCCESS</return_code></xml>";
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{done}", done.len());
    stream.write_all(answer.as_bytes()).await.unwrap();
    http::Request::new(bytes.split_off(length))
}

#[tokio::test]
async fn a_program_orders_a_code_and_is_told_that_it_was_paid() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify/wechat/v2/token", listener.local_addr().unwrap());
    let clock = Clock::start();
    let script = Script { scenario: Some(Scenario::Pays), ..Script::default() };
    let embedded = Embedded::start(script, 1, Some(url), &clock).await.unwrap();
    let opened = &embedded.opened;
    let order = Order {
        out_trade_no: OutTradeNo::try_from("T01-000001".to_owned()).unwrap(),
        amount: Money::from_minor(1230),
        currency: Currency::CNY,
        merchant: opened.merchant.clone(),
        body: "tea".to_owned(),
        device_info: "S001".to_owned(),
        client_ip: "127.0.0.1".to_owned(),
        mark: "0123456789abcdef".to_owned(),
    };
    let ask = Ask::Order(&order);
    let (gateway, time) = (opened.codec.gateway(), clock.wall());
    let outgoing = gateway.encode(ask, &Stamp { time, nonce: "0".repeat(32) });
    let reply = opened.transport.ask(&outgoing, clock.uptime()).await.unwrap();
    let answer = gateway.decode(ask, &reply, clock.wall()).answer;
    assert!(matches!(answer, Answer::Ordered(Ordered::Code(_))), "{answer:?}");

    let delivery = take(&listener).await;
    let now = clock.wall();
    let Ok(Notice::Paid(paid)) = opened.notice(&delivery, now) else { panic!("{delivery:?}") };
    assert!(paid.proof(&order, now).is_ok());
    assert_eq!(embedded.server.bank().entry("T01-000001").unwrap().net().minor(), 1230);
}
