//! What a till sends to the backend, and what it believes.

mod hostile;
mod requests;
mod table;

use http::{HeaderMap, StatusCode};

use super::message::{self, Payment};
use super::signed::SigningKey;
use super::*;
use crate::money::{Currency, Money};
use crate::order::{AuthCode, Merchant, Order, OutTradeNo};
use crate::payment::CallKind;
use crate::refund::{OutRefundNo, Refund};

const NOW: Timestamp = Timestamp(1_795_318_200_123);
const CODE: &str = "134567890123456789";
const NUMBER: &str = "T01112212030189345607";
const TRANSACTION: &str = "4200001234202611220123456789";
const KINDS: [CallKind; 6] = [
    CallKind::Submit,
    CallKind::Query,
    CallKind::Reverse,
    CallKind::RefundQuery,
    CallKind::Order,
    CallKind::Close,
];

/// A till and the backend that it knows.
struct Pair {
    codec: Backend,
    backend: SigningKey,
    till: PublicKey,
}

impl Pair {
    fn new() -> Self {
        let key = || SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();
        let (till, backend) = (key(), key());
        let public = till.public();
        let codec = Backend::new(till, TillId::new("T01").unwrap(), backend.public());
        Self { codec, backend, till: public }
    }

    /// A reply with these bytes, signed in answer to that request, as a till receives it.
    fn reply(&self, status: StatusCode, body: &[u8], stamp: &Stamp) -> Reply {
        let mut headers = HeaderMap::new();
        self.backend.vouch((status, body), &stamp.nonce, NOW, &mut headers);
        let mut reply = Reply::new(body.to_vec());
        (*reply.status_mut(), *reply.headers_mut()) = (status, headers);
        reply
    }

    fn said(&self, status: StatusCode, body: &impl Serialize, stamp: &Stamp) -> Reply {
        let mut reply = self.reply(status, &serde_json::to_vec(body).unwrap(), stamp);
        self.codec.receive(stamp, &mut reply);
        reply
    }

    /// What this payment means in answer to a call.
    fn meaning(&self, kind: CallKind, payment: &Payment) -> Answer {
        let (order, code) = (order(), code());
        let ask = Ask::of(kind, &order, Some(&code)).unwrap();
        let stamp = stamp("1");
        self.codec.decode(ask, &self.said(StatusCode::OK, payment, &stamp), NOW).answer
    }

    /// What this refusal means in answer to a call.
    fn refusal(&self, kind: CallKind, refused: Refused) -> Answer {
        let (order, code) = (order(), code());
        let ask = Ask::of(kind, &order, Some(&code)).unwrap();
        let stamp = stamp("1");
        let refusal = Refusal { code: refused.word().to_owned(), text: "words".to_owned() };
        self.codec.decode(ask, &self.said(refused.status(), &refusal, &stamp), NOW).answer
    }
}

fn stamp(mark: &str) -> Stamp {
    Stamp { time: NOW, nonce: format!("{mark:0>32}") }
}

fn code() -> AuthCode {
    AuthCode::new(CODE).unwrap()
}

fn order() -> Order {
    Order {
        out_trade_no: OutTradeNo::try_from(NUMBER.to_owned()).unwrap(),
        amount: Money::from_minor(1234),
        currency: Currency::from_code("CNY").unwrap(),
        merchant: Merchant {
            app_id: APP_ID.to_owned(),
            mch_id: "corner".to_owned(),
            sub_app_id: String::new(),
            sub_mch_id: String::new(),
        },
        body: "Corner Coffee T01".to_owned(),
        device_info: "S001".to_owned(),
        client_ip: "192.0.2.7".to_owned(),
        mark: "00112233aabbccdd".to_owned(),
    }
}

fn refund() -> Refund {
    Refund {
        out_refund_no: OutRefundNo::new(&order().out_trade_no, 1, 4711),
        order: order(),
        amount: Money::from_minor(234),
        reason: "one cup was cold".to_owned(),
        approved_by: "Wang".to_owned(),
    }
}

/// The order in this state.
fn payment(state: &str) -> Payment {
    let is_paid = state == "paid";
    Payment {
        out_trade_no: NUMBER.to_owned(),
        version: 3,
        state: state.to_owned(),
        closed: false,
        amount: 1234,
        currency: "CNY".to_owned(),
        mark: order().mark,
        transaction_id: is_paid.then(|| TRANSACTION.to_owned()),
        paid_at: is_paid.then_some(1_795_318_199_000),
        coupon: None,
        money_held: false,
        money_returned: false,
        reason: Some(message::Told { code: "NOTENOUGH".to_owned(), text: "words".to_owned() }),
        code_url: None,
        expires_at: None,
        as_of: None,
        now: NOW.0,
    }
}
