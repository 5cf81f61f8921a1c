//! WeChat Pay API v3: codepay, native, query, reverse and close as JSON, with RSA signatures ([facts](README.md)).
//!
//! Requests are signed with the merchant's private key. An answer that reports anything good is
//! believed only if one of WeChat Pay's keys has signed its very bytes, within five minutes. Errors
//! carry no signature: they are read by their status and code, and prove no payment (apiv3 2.4).

mod aead;
pub mod bill;
pub mod certificates;
mod der;
pub mod json;
mod keys;
mod notice;
mod read;
mod refund;

use std::sync::{OnceLock, PoisonError, RwLock};

pub use der::Certificate;
pub use keys::{SigningKey, VerifyingKeys};

use json::Value;
use keys::Unverified;
use zeroize::Zeroizing;

use super::native::NO_NOTIFY_URL;
use crate::clock::Timestamp;
use crate::gateway::{
    Ask, Decoded, DecodedRefund, Gateway, Lookup, Outgoing, Owner, RefundAsk, Reply, Stamp, escaped,
};
use crate::order::{Merchant, Order};
use crate::payment::{CallKind, Reason};

const JSON: http::HeaderValue = http::HeaderValue::from_static("application/json");
/// How much of one value is recorded, in cells.
const RECORDED_CELLS: usize = 200;
/// Members left out of the record: they mean nothing to its reader, or reveal the payer.
const NOT_RECORDED: [&str; 11] = [
    "appid",
    "mchid",
    "openid",
    "payer",
    "sp_appid",
    "sp_mchid",
    "sub_appid",
    "sub_mchid",
    "device_ip",
    "payer_client_ip",
    // The customer's bank, and the last digits of the card.
    "user_received_account",
];

/// The codec of one merchant's keys. An answer must carry the ids that its order was made with.
pub struct WechatV3 {
    signing: SigningKey,
    /// The id of the public key that answers are to be signed with; `None`: platform certificates.
    public_key_id: Option<http::HeaderValue>,
    verifying: RwLock<VerifyingKeys>,
    /// Called when an answer names a certificate that is not known: it may be a new one.
    when_lacking: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// Where the gateway is to tell of payments that no call of ours asked for.
    notify_url: Option<String>,
}

impl WechatV3 {
    /// The codec of a merchant. With a public key its id is sent along, so that answers are signed
    /// with that key.
    pub fn new(signing: SigningKey, public_key_id: Option<&str>, verifying: VerifyingKeys) -> Self {
        Self {
            signing,
            public_key_id: public_key_id.and_then(|id| http::HeaderValue::from_str(id).ok()),
            verifying: RwLock::new(verifying),
            when_lacking: OnceLock::new(),
            notify_url: None,
        }
    }

    /// With an address that takes notifications.
    #[must_use]
    pub fn notifying(mut self, url: String) -> Self {
        self.notify_url = Some(url).filter(|url| !url.is_empty());
        self
    }

    /// Answers may be signed with these platform certificates from now on, and with the public key
    /// as before.
    pub fn replace_certificates(&self, certificates: &[Certificate]) {
        let mut keys = self.verifying.write().unwrap_or_else(PoisonError::into_inner);
        keys.replace_certificates(certificates);
    }

    /// What to do whenever an answer cannot be verified for want of a certificate, from now on. It must
    /// not wait for anything. Only the first that is said counts.
    pub fn when_lacking(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _ = self.when_lacking.set(Box::new(wake));
    }

    /// Whether one of the known keys has signed an answer, or why it is not believed.
    pub fn check_signature(&self, reply: &Reply, now: Timestamp) -> Result<(), Reason> {
        self.verify(reply, now).map_err(|why| Reason::quoting(why.cause, why.words))
    }

    fn verify(&self, reply: &Reply, now: Timestamp) -> Result<(), Unverified> {
        let keys = self.verifying.read().unwrap_or_else(PoisonError::into_inner);
        let verified = keys.verify((reply.headers(), reply.body()), now);
        if verified.as_ref().is_err_and(|why| why.is_unknown_serial)
            && let Some(wake) = self.when_lacking.get()
        {
            wake();
        }
        verified
    }

    /// A signed request: once its bytes are made, they are signed and sent as they are.
    fn outgoing(
        &self,
        method: http::Method,
        target: &str,
        body: Zeroizing<Vec<u8>>,
        merchant: &Merchant,
        stamp: &Stamp,
    ) -> Outgoing {
        let signed = self.signing.authorization(
            &merchant.mch_id,
            (method.as_str(), target, &body),
            (stamp.time, &stamp.nonce),
        );
        let has_body = !body.is_empty();
        let mut request = http::Request::new(body);
        // What cannot be a target or a header is refused by the gateway, and moves no money.
        *request.uri_mut() = target.parse().unwrap_or_default();
        *request.method_mut() = method;
        let headers = request.headers_mut();
        headers.insert(http::header::ACCEPT, JSON);
        if has_body {
            headers.insert(http::header::CONTENT_TYPE, JSON);
        }
        if let Some(Ok(signed)) = signed.map(http::HeaderValue::try_from) {
            headers.insert(http::header::AUTHORIZATION, signed);
        }
        if let Some(id) = &self.public_key_id {
            headers.insert("Wechatpay-Serial", id.clone());
        }
        Outgoing { request, certificate: false }
    }

    fn get(&self, target: &str, merchant: &Merchant, stamp: &Stamp) -> Outgoing {
        self.outgoing(http::Method::GET, target, Zeroizing::default(), merchant, stamp)
    }

    /// The body of a call that is posted; with another text in place of the payment code, for people.
    fn body<'a>(&'a self, ask: Ask<'a>, instead: Option<&'a str>) -> Value<'a> {
        let order = ask.order();
        let mut members = ids(&order.merchant);
        match ask {
            Ask::Submit(_, code) => {
                let code = instead.unwrap_or_else(|| code.expose());
                let payer = Value::Members(vec![("auth_code", Value::Text(code))]);
                members.extend(goods(order));
                members.extend([
                    ("payer", payer),
                    ("amount", amount(order)),
                    ("scene_info", scene(order)),
                ]);
            }
            Ask::Order(_) => {
                let url = self.notify_url.as_deref().unwrap_or(NO_NOTIFY_URL);
                members.extend(goods(order));
                members.extend([
                    ("notify_url", Value::Text(url)),
                    ("amount", amount(order)),
                    ("scene_info", where_it_is_shown(order)),
                ]);
            }
            // Only whose it is.
            Ask::Close(_) => members.retain(|(name, _)| name.ends_with("mchid")),
            Ask::Query(_) | Ask::Reverse(_) | Ask::RefundQuery(_) => {}
        }
        Value::Members(members)
    }
}

impl Gateway for WechatV3 {
    fn encode(&self, ask: Ask<'_>, stamp: &Stamp) -> Outgoing {
        let order = ask.order();
        let merchant = &order.merchant;
        let root = root(merchant);
        let number = escaped(order.out_trade_no.as_str());
        let post = |target: &str| {
            let body = self.body(ask, None).to_bytes();
            self.outgoing(http::Method::POST, target, body, merchant, stamp)
        };
        match ask {
            Ask::Submit(..) => post(&format!("{root}/codepay")),
            Ask::Order(_) => post(&format!("{root}/native")),
            Ask::Reverse(_) => post(&format!("{root}/out-trade-no/{number}/reverse")),
            Ask::Close(_) => post(&format!("{root}/out-trade-no/{number}/close")),
            // Nothing tells the refunds of an order: its state says whether there was one.
            Ask::Query(_) | Ask::RefundQuery(_) => {
                let whose = whose(merchant);
                self.get(&format!("{root}/out-trade-no/{number}?{whose}"), merchant, stamp)
            }
        }
    }

    fn record(&self, ask: Ask<'_>) -> Vec<(String, String)> {
        let masked = match ask {
            Ask::Submit(_, code) => code.masked(),
            _ => String::new(),
        };
        match ask.kind() {
            CallKind::Submit => {
                let body = self.body(ask, Some(&masked));
                let mut record = body.flat(&NOT_RECORDED, RECORDED_CELLS);
                record.push(("auth_code".to_owned(), masked));
                record
            }
            CallKind::Order => self.body(ask, None).flat(&NOT_RECORDED, RECORDED_CELLS),
            CallKind::Query | CallKind::Reverse | CallKind::RefundQuery | CallKind::Close => {
                let number = ask.order().out_trade_no.as_str().to_owned();
                vec![("out_trade_no".to_owned(), number)]
            }
        }
    }

    fn decode(&self, ask: Ask<'_>, reply: &Reply, now: Timestamp) -> Decoded {
        let (answer, record) = self.read(ask, reply, now);
        Decoded::of(ask, answer, record)
    }

    fn encode_refund(&self, ask: RefundAsk<'_>, stamp: &Stamp) -> Outgoing {
        self.refund_request(ask, stamp)
    }

    fn record_refund(&self, ask: RefundAsk<'_>) -> Vec<(String, String)> {
        refund::record(ask)
    }

    fn decode_refund(&self, ask: RefundAsk<'_>, reply: &Reply, now: Timestamp) -> DecodedRefund {
        self.refund_answer(ask, reply, now)
    }

    fn encode_lookup(&self, lookup: Lookup<'_>, stamp: &Stamp) -> Outgoing {
        let (root, whose) = (root(lookup.merchant), whose(lookup.merchant));
        let id = escaped(lookup.transaction_id);
        self.get(&format!("{root}/id/{id}?{whose}"), lookup.merchant, stamp)
    }

    fn decode_lookup(&self, lookup: Lookup<'_>, reply: &Reply, now: Timestamp) -> Owner {
        self.owner(lookup, reply, now).unwrap_or_else(Owner::Inconclusive)
    }
}

/// Where the calls about payments begin: a service provider has its own.
fn root(merchant: &Merchant) -> &'static str {
    if merchant.sub_mch_id.is_empty() {
        "/v3/pay/transactions"
    } else {
        "/v3/pay/partner/transactions"
    }
}

/// The merchant in a query.
fn whose(merchant: &Merchant) -> String {
    let (mch_id, sub_mch_id) = (escaped(&merchant.mch_id), escaped(&merchant.sub_mch_id));
    if sub_mch_id.is_empty() {
        format!("mchid={mch_id}")
    } else {
        format!("sp_mchid={mch_id}&sub_mchid={sub_mch_id}")
    }
}

/// The merchant in a body.
fn ids(merchant: &Merchant) -> Vec<(&'static str, Value<'_>)> {
    let text = Value::Text;
    if merchant.sub_mch_id.is_empty() {
        vec![("appid", text(&merchant.app_id)), ("mchid", text(&merchant.mch_id))]
    } else {
        vec![
            ("sp_appid", text(&merchant.app_id)),
            ("sp_mchid", text(&merchant.mch_id)),
            ("sub_appid", text(&merchant.sub_app_id)),
            ("sub_mchid", text(&merchant.sub_mch_id)),
        ]
    }
}

/// What is sold, and the numbers that it has at the gateway.
fn goods(order: &Order) -> [(&'static str, Value<'_>); 3] {
    [
        ("description", Value::Text(&order.body)),
        ("out_trade_no", Value::Text(order.out_trade_no.as_str())),
        ("attach", Value::Text(&order.mark)),
    ]
}

fn amount(order: &Order) -> Value<'_> {
    Value::Members(vec![
        ("total", Value::Whole(order.amount.minor())),
        ("currency", Value::Text(order.currency.code())),
    ])
}

/// Where a code is shown. The store is left out: its `id` would be WeChat Pay's, which we do not have.
fn where_it_is_shown(order: &Order) -> Value<'_> {
    Value::Members(vec![
        ("payer_client_ip", Value::Text(&order.client_ip)),
        ("device_id", Value::Text(&order.device_info)),
    ])
}

/// Where it is sold. The store's own code is required, in letters and digits: a shop that has none
/// is known by its merchant number.
fn scene(order: &Order) -> Value<'_> {
    let device = order.device_info.as_str();
    let is_plain = !device.is_empty() && device.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let store = if is_plain { device } else { order.merchant.mch_id.as_str() };
    Value::Members(vec![
        ("device_id", Value::Text(device)),
        ("device_ip", Value::Text(&order.client_ip)),
        ("store_info", Value::Members(vec![("out_id", Value::Text(store))])),
    ])
}

#[cfg(test)]
pub(super) mod tests;
