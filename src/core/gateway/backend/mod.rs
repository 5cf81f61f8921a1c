//! The merchant's own backend: what tills and it say to each other, and how each knows the other.
//!
//! To a till the backend is one more gateway. Requests and answers are JSON, signed with Ed25519; an
//! answer is bound to the request that it answers, so that whoever is in between can delay it and
//! cannot make one up.

pub mod bills;
pub mod enrolment;
mod known;
mod meaning;
pub mod message;
pub mod signed;
#[cfg(test)]
mod tests;

use http::{HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::page::Page;
use super::wechat::v3::json::Object;
use super::{
    Ask, Decoded, DecodedRefund, Gateway, Lookup, Outgoing, Owner, RefundAsk, Reply, Stamp, escaped,
};
use crate::clean::clean;
use crate::clock::{Millis, Timestamp};
use crate::order::{OutTradeNo, TillId};
use crate::payment::{Answer, Inconclusive, Reason, TillCause};
use crate::refund::{RefundAnswer, RefundCallKind};
pub use known::KnownBackend;
use meaning::{Refusing, Said, unknown};
use message::{
    Channel, Hello, LONGEST_WAIT, PaymentRequest, RefundRequest, Refusal, Refused, ReversalRequest,
};
use signed::{PublicKey, SigningKey};

/// [`Merchant::app_id`](crate::order::Merchant::app_id) of every order behind a backend: its gateway
/// knows the true one.
pub const APP_ID: &str = "paytill-backend";
/// How long a question may be held open by default.
pub const WAIT: Millis = Millis(4_000);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PAYMENTS: &str = "/v1/payments";
/// How much of one value is recorded, in cells.
const RECORDED_CELLS: usize = 200;
/// The most values of one answer that are recorded.
const MOST_RECORDED: usize = 60;
/// Room for any request, so that no part of a payment code is left behind by a growing body.
const ROOM: usize = 4096;

/// The codec of one till and its merchant's backend.
pub struct Backend {
    key: SigningKey,
    till: TillId,
    /// With which it signs.
    theirs: PublicKey,
    wait: Millis,
    /// How long codes of ours may be scanned; `None`: as the backend has it.
    lasts: Option<Millis>,
}

/// What came of checking who has answered: put beside the reply, since only who knows the request can
/// tell.
#[derive(Clone)]
struct Vouched(Result<(), Reason>);

impl Backend {
    /// The codec of the till with this key, for the backend with that one.
    pub const fn new(key: SigningKey, till: TillId, theirs: PublicKey) -> Self {
        Self { key, till, theirs, wait: WAIT, lasts: None }
    }

    /// Questions of a till that waits for news are held open for so long at most. It should be no
    /// longer than the time between two of them, and well below what the transport waits.
    #[must_use]
    pub fn waiting(mut self, at_most: Millis) -> Self {
        self.wait = Millis(at_most.0.min(LONGEST_WAIT));
        self
    }

    /// Codes of ours may be scanned for so long.
    #[must_use]
    pub const fn lasting(mut self, lasts: Millis) -> Self {
        self.lasts = Some(lasts);
        self
    }

    /// The till's key, for people.
    pub fn key(&self) -> PublicKey {
        self.key.public()
    }

    /// The question who this till is, and what it may do.
    pub fn encode_hello(&self, stamp: &Stamp) -> Outgoing {
        self.get("/v1/hello", stamp)
    }

    /// What the backend says of it, if that can be believed.
    pub fn decode_hello(&self, reply: &Reply) -> Result<Hello, Inconclusive> {
        message::<Hello>(reply)?.map_err(|refusing| Inconclusive::Unknown(refusing.into()))
    }

    fn get(&self, target: &str, stamp: &Stamp) -> Outgoing {
        self.outgoing(Method::GET, target, Zeroizing::default(), stamp)
    }

    fn send<T: Serialize>(
        &self,
        method: Method,
        target: &str,
        body: &T,
        stamp: &Stamp,
    ) -> Outgoing {
        self.outgoing(method, target, bytes(body), stamp)
    }

    /// A signed request: once its bytes are made, they are signed and sent as they are.
    fn outgoing(
        &self,
        method: Method,
        target: &str,
        body: Zeroizing<Vec<u8>>,
        stamp: &Stamp,
    ) -> Outgoing {
        let signed = self.key.authorize(&self.till, (method.as_str(), target, &body), stamp);
        let has_body = !body.is_empty();
        let mut request = http::Request::new(body);
        // What cannot be a target is refused by the backend, and moves no money.
        *request.uri_mut() = target.parse().unwrap_or_default();
        *request.method_mut() = method;
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, JSON);
        if has_body {
            headers.insert(header::CONTENT_TYPE, JSON);
        }
        headers.extend(signed.map(|signed| (header::AUTHORIZATION, signed)));
        Outgoing { request, certificate: false }
    }

    fn encode_held(&self, ask: Ask<'_>, wait: Millis, stamp: &Stamp) -> Outgoing {
        let target = format!("{PAYMENTS}/{}", escaped(ask.order().out_trade_no.as_str()));
        match ask {
            Ask::Submit(..) | Ask::Order(_) => {
                self.send(Method::PUT, &target, &self.payment_request(ask), stamp)
            }
            Ask::Query(_) if wait > Millis(0) => {
                self.get(&format!("{target}?wait_ms={}", wait.0), stamp)
            }
            Ask::Query(_) | Ask::RefundQuery(_) => self.get(&target, stamp),
            Ask::Reverse(_) => {
                let body = ReversalRequest::default();
                self.send(Method::POST, &format!("{target}/reversal"), &body, stamp)
            }
            Ask::Close(_) => {
                let body = ReversalRequest::default();
                self.send(Method::POST, &format!("{target}/close"), &body, stamp)
            }
        }
    }

    fn payment_request(&self, ask: Ask<'_>) -> PaymentRequest {
        let order = ask.order();
        let (channel, auth_code, lasts) = match ask {
            Ask::Submit(_, code) => (Channel::Micropay, Some(code.clone()), None),
            Ask::Query(_)
            | Ask::Reverse(_)
            | Ask::RefundQuery(_)
            | Ask::Order(_)
            | Ask::Close(_) => (Channel::Native, None, self.lasts),
        };
        PaymentRequest {
            channel,
            amount: order.amount.minor(),
            currency: order.currency.code().to_owned(),
            auth_code,
            description: order.body.clone(),
            device: order.device_info.clone(),
            client_ip: order.client_ip.clone(),
            mark: order.mark.clone(),
            lasts_ms: lasts.map(|lasts| lasts.0),
            acknowledges: true,
        }
    }
}

impl Gateway for Backend {
    fn encode(&self, ask: Ask<'_>, stamp: &Stamp) -> Outgoing {
        self.encode_held(ask, Millis(0), stamp)
    }

    fn encode_waiting(&self, ask: Ask<'_>, stamp: &Stamp) -> Outgoing {
        self.encode_held(ask, self.wait, stamp)
    }

    fn receive(&self, stamp: &Stamp, reply: &mut Reply) {
        // Whatever an earlier request left there.
        reply.extensions_mut().remove::<Vouched>();
        let vouched = self.theirs.has_answered(reply, &stamp.nonce).map(|_| ());
        reply.extensions_mut().insert(Vouched(vouched));
    }

    fn encode_seen(&self, out_trade_no: &OutTradeNo, stamp: &Stamp) -> Option<Outgoing> {
        let target = format!("{PAYMENTS}/{}/seen", escaped(out_trade_no.as_str()));
        Some(self.outgoing(Method::POST, &target, Zeroizing::default(), stamp))
    }

    fn record(&self, ask: Ask<'_>) -> Vec<(String, String)> {
        match ask {
            Ask::Submit(..) | Ask::Order(_) => {
                let mut request = self.payment_request(ask);
                let code = request.auth_code.take();
                let mut record = flat(&bytes(&request));
                record.extend(code.map(|code| ("auth_code".to_owned(), code.masked())));
                record
            }
            Ask::Query(order)
            | Ask::Reverse(order)
            | Ask::RefundQuery(order)
            | Ask::Close(order) => {
                vec![("out_trade_no".to_owned(), order.out_trade_no.as_str().to_owned())]
            }
        }
    }

    fn decode(&self, ask: Ask<'_>, reply: &Reply, now: Timestamp) -> Decoded {
        let answer = message(reply).and_then(|said| meaning::payment(ask, said, now));
        let answer = answer.unwrap_or_else(|what| Answer::inconclusive(ask.kind(), what));
        Decoded::of(ask, answer, recorded(reply))
    }

    fn encode_refund(&self, ask: RefundAsk<'_>, stamp: &Stamp) -> Outgoing {
        let order = escaped(ask.refund.order.out_trade_no.as_str());
        let number = escaped(ask.refund.out_refund_no.as_str());
        match ask.kind {
            RefundCallKind::Look { .. } => self.get(&format!("{PAYMENTS}/{order}/refunds"), stamp),
            RefundCallKind::Query => {
                self.get(&format!("{PAYMENTS}/{order}/refunds/{number}"), stamp)
            }
            RefundCallKind::Refund => {
                let target = format!("{PAYMENTS}/{order}/refunds/{number}");
                self.send(Method::PUT, &target, &refund_request(ask), stamp)
            }
        }
    }

    fn record_refund(&self, ask: RefundAsk<'_>) -> Vec<(String, String)> {
        let refund = ask.refund;
        let mut record =
            vec![("out_trade_no".to_owned(), refund.order.out_trade_no.as_str().to_owned())];
        if let RefundCallKind::Refund | RefundCallKind::Query = ask.kind {
            record.push(("out_refund_no".to_owned(), refund.out_refund_no.as_str().to_owned()));
        }
        if let RefundCallKind::Refund = ask.kind {
            record.extend(flat(&bytes(&refund_request(ask))));
        }
        record
    }

    fn decode_refund(&self, ask: RefundAsk<'_>, reply: &Reply, now: Timestamp) -> DecodedRefund {
        let answer = match ask.kind {
            RefundCallKind::Look { offset } => {
                message(reply).and_then(|said| meaning::looked(ask, offset, said))
            }
            RefundCallKind::Refund | RefundCallKind::Query => {
                message(reply).and_then(|said| meaning::refund(ask, said, now))
            }
        };
        let answer = answer.unwrap_or_else(|what| RefundAnswer::inconclusive(ask.kind, what));
        DecodedRefund { answer, record: recorded(reply) }
    }

    fn encode_lookup(&self, lookup: Lookup<'_>, stamp: &Stamp) -> Outgoing {
        let id = escaped(lookup.transaction_id);
        self.get(&format!("{PAYMENTS}?transaction_id={id}"), stamp)
    }

    fn decode_lookup(&self, lookup: Lookup<'_>, reply: &Reply, _now: Timestamp) -> Owner {
        let owner = message(reply).and_then(|said| meaning::owner(lookup, said));
        owner.unwrap_or_else(Owner::Inconclusive)
    }
}

fn refund_request(ask: RefundAsk<'_>) -> RefundRequest {
    RefundRequest {
        amount: ask.refund.amount.minor(),
        reason: ask.refund.reason.clone(),
        approved_by: ask.refund.approved_by.clone(),
    }
}

/// As JSON. The room is there before: what grows leaves copies of itself in memory.
fn bytes<T: Serialize>(body: &T) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    // Writing into memory does not fail, and an empty body is refused.
    if serde_json::to_writer(&mut *bytes, body).is_err() {
        bytes.clear();
    }
    bytes
}

/// What a reply says: first whether the backend has said it in answer to this request, then its form.
fn message<T: DeserializeOwned>(reply: &Reply) -> Result<Said<T>, Inconclusive> {
    let status = reply.status();
    let page = |cause| {
        let page = Page::of(status, reply.headers(), reply.body());
        Inconclusive::Unknown(Reason::quoting(cause, page.line()))
    };
    let otherwise = if status.is_success() { TillCause::BadAnswer } else { TillCause::HttpStatus };
    match reply.extensions().get::<Vouched>() {
        Some(Vouched(Ok(()))) => {}
        // A page of something in between says more than that it is not signed.
        _ if Object::read(reply.body()).is_err() => return Err(page(otherwise)),
        Some(Vouched(Err(why))) => return Err(Inconclusive::Unknown(why.clone())),
        None => return Err(unknown(TillCause::BadSignature)),
    }
    if matches!(status, StatusCode::OK | StatusCode::ACCEPTED) {
        return serde_json::from_slice(reply.body()).map(Ok).map_err(|_| page(otherwise));
    }
    let refusal: Refusal = serde_json::from_slice(reply.body()).map_err(|_| page(otherwise))?;
    let text = clean(&refusal.text, RECORDED_CELLS);
    match Refused::from_word(&refusal.code) {
        Some(refused) => Ok(Err(Refusing { refused, text })),
        // A word of a newer backend proves nothing.
        None => Err(Inconclusive::Unknown(Reason::gateway(clean(&refusal.code, 32), text))),
    }
}

/// The members received, or what a page says.
fn recorded(reply: &Reply) -> Vec<(String, String)> {
    let status = reply.status();
    if Object::read(reply.body()).is_err() {
        return Page::of(status, reply.headers(), reply.body()).record();
    }
    let mut record = flat(reply.body());
    record.truncate(MOST_RECORDED);
    if status != StatusCode::OK {
        record.push(("http_status".to_owned(), status.as_u16().to_string()));
    }
    record
}

fn flat(body: &[u8]) -> Vec<(String, String)> {
    let object = Object::read(body);
    object.map(|object| object.flat(&[], RECORDED_CELLS)).unwrap_or_default()
}
