//! The merchant's own systems: told once of each thing, again until they have taken it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::Ask;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Office, RIGHTS, by, code};
use crate::serve::Door;
use crate::store::{OutboxRow, Told};
use crate::work::outbox::{Outbox, Webhook};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// How a receiver answers.
#[derive(Clone, Copy)]
enum Says {
    Thanks,
    Sorry,
    Elsewhere,
    Nothing,
}

struct Receiver {
    url: String,
    heard: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
    serving: JoinHandle<()>,
    sending: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
        self.sending.abort();
    }
}

type Hearing = (mpsc::UnboundedSender<(HeaderMap, Bytes)>, Says);

async fn hear(State((hearing, says)): State<Hearing>, headers: HeaderMap, body: Bytes) -> Response {
    let _ = hearing.send((headers, body));
    match says {
        Says::Thanks => StatusCode::NO_CONTENT.into_response(),
        Says::Sorry => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Says::Elsewhere => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/hook")]).into_response()
        }
        Says::Nothing => std::future::pending().await,
    }
}

/// Has everything told to a receiver on this machine.
async fn receiver(office: &Office, says: Says) -> Receiver {
    let (hearing, heard) = mpsc::unbounded_channel();
    let router = Router::new().route("/hook", post(hear)).with_state((hearing, says));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let door = Door::on(listener, None, router);
    let serving = tokio::spawn(door.serve(std::future::pending()));
    let webhook = Webhook::new(url.clone(), SECRET, None).unwrap();
    let webhook = webhook.waiting(Duration::from_millis(match says {
        Says::Nothing => 50,
        Says::Thanks | Says::Sorry | Says::Elsewhere => 10_000,
    }));
    let outbox = Outbox::new(Arc::clone(&office.app.work), Some(webhook));
    let sending = tokio::spawn(outbox.run());
    Receiver { url, heard, serving, sending }
}

impl Office {
    async fn outbox(&self) -> Vec<OutboxRow> {
        let work = &self.app.work;
        work.parts.store.outbox(work.merchant(), false, 100).await.unwrap()
    }

    /// The only row, once it is as it should be.
    async fn row_that(&self, is_it: impl Fn(&OutboxRow) -> bool) -> OutboxRow {
        for _ in 0..1000 {
            let rows = self.outbox().await;
            if let [row] = &rows[..]
                && is_it(row)
            {
                return row.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it never comes to that: {:?}", self.outbox().await);
    }
}

#[tokio::test]
async fn a_payment_is_told_once_with_a_signature_that_can_be_checked() {
    let office = Office::open("ok").await;
    let mut receiver = receiver(&office, Says::Thanks).await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    let (headers, body) = receiver.heard.recv().await.unwrap();
    let text = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    let id = text("paytill-id");
    assert_eq!(id, format!("payment.paid:{}", order.out_trade_no));
    let signed = [id.as_bytes(), b".", text("paytill-timestamp").as_bytes(), b".", &body].concat();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET);
    let tag = STANDARD.encode(aws_lc_rs::hmac::sign(&key, &signed).as_ref());
    assert_eq!(text("paytill-signature"), format!("v1,{tag}"));
    let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["id"], id);
    assert_eq!((&told["type"], &told["version"]), (&"payment.paid".into(), &1.into()));
    assert_eq!(told["payment"]["state"], "paid");
    assert_eq!(told["payment"]["amount"], 1234);
    assert_eq!((&told["store"], &told["till"]), (&"S001".into(), &"T01".into()));
    let code = code();
    assert!(!body.windows(18).any(|bytes| bytes == code.expose().as_bytes()));
    let row = office.row_that(|row| row.done_at.is_some()).await;
    assert_eq!((row.tries, row.due_at, row.last_error.as_str()), (1, None, ""));
    assert!(receiver.heard.try_recv().is_err());
}

#[tokio::test]
async fn whoever_does_not_take_it_is_told_again_later() {
    for (says, error) in [
        (Says::Sorry, "HTTP 500"),
        (Says::Elsewhere, "HTTP 307"),
        (Says::Nothing, "no answer in time"),
    ] {
        let office = Office::open("ok").await;
        let mut receiver = receiver(&office, says).await;
        let till = office.till("S001", "T01", RIGHTS).await;
        office.ask(&till, Ask::Submit(&till.order(1), &code())).await;
        receiver.heard.recv().await.unwrap();
        let row = office.row_that(|row| !row.last_error.is_empty()).await;
        assert_eq!((row.last_error.as_str(), row.done_at, row.tries), (error, None, 1));
        let wait = row.due_at.unwrap().0 - office.app.work.now().0;
        assert!((1..=15_000).contains(&wait), "{error}: {wait}");
        assert!(receiver.heard.try_recv().is_err(), "{}", receiver.url);
    }
}

#[tokio::test]
async fn with_nobody_to_tell_nothing_waits() {
    let office = Office::open("ok").await;
    let outbox = Outbox::new(Arc::clone(&office.app.work), None);
    let running = tokio::spawn(outbox.run());
    let till = office.till("S001", "T01", RIGHTS).await;
    office.ask(&till, Ask::Submit(&till.order(1), &code())).await;
    let row = office.row_that(|row| row.done_at.is_some()).await;
    assert_eq!(row.last_error, "no webhook was configured");
    running.abort();
}

#[tokio::test]
async fn one_instance_takes_a_row_and_another_only_after_its_lease() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    for serial in 1..=3 {
        office.ask(&till, Ask::Submit(&till.order(serial), &code())).await;
    }
    let work = &office.app.work;
    let (store, merchant) = (&work.parts.store, work.merchant().to_owned());
    let rows = office.outbox().await;
    let paid = rows.iter().filter(|row| row.kind == "payment.paid").count();
    assert!(paid >= 1 && rows.len() == 3, "{rows:?}");
    let now = work.now();
    let until = now.after(Millis::seconds(30));
    let claim = |now, until, limit| store.claim_outbox(&merchant, (now, until), limit);
    let first = claim(now, until, 2).await.unwrap();
    let second = claim(now, until, 9).await.unwrap();
    assert_eq!((first.len(), second.len()), (2, 1));
    assert!(claim(now, until, 9).await.unwrap().is_empty());
    let late = until.after(Millis(1));
    let again = claim(late, late.after(Millis::seconds(30)), 9).await.unwrap();
    assert_eq!(again.len(), 3);
    assert!(again.iter().all(|row| row.tries == 2));
    // Whoever has been too slow notes nothing.
    let finish = |row: &OutboxRow, told| store.finish_outbox(&merchant, row.clone(), told, late);
    assert!(!finish(&first[0], Told::Dead("late".to_owned())).await.unwrap());
    assert!(finish(&again[0], Told::Dead("HTTP 500".to_owned())).await.unwrap());
    let dead = store.outbox(&merchant, true, 9).await.unwrap();
    let [row] = &dead[..] else { panic!("{dead:?}") };
    assert!(row.is_dead() && row.last_error == "HTTP 500");
    let named = (row.kind.as_str(), row.subject.as_str());
    assert!(store.resend(&merchant, named, by(Timestamp(0))).await.unwrap());
    assert!(!store.resend(&merchant, ("payment.paid", "nothing"), by(now)).await.unwrap());
    let revived = claim(Timestamp(0), until, 9).await.unwrap();
    assert_eq!((revived.len(), revived[0].tries), (1, 1));
}
