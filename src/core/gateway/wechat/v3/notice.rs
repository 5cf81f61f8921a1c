//! Notifications: who has signed one, and what it says (apiv3 5).

use aws_lc_rs::aead::AES_256_GCM;
use secrecy::{ExposeSecret as _, SecretString};

use super::json::{NotAMessage, Object};
use super::read::check_merchant;
use super::{RECORDED_CELLS, WechatV3, aead};
use crate::clean::clean;
use crate::clock::Timestamp;
use crate::gateway::LARGEST_REPLY;
use crate::gateway::notice::{Delivery, Notice, PaymentNotice, RefundNotice, RefundWord};
use crate::money::Money;
use crate::order::Merchant;
use crate::payment::{Reason, TillCause};

impl WechatV3 {
    /// What a delivery says, once its signature over its bytes was found to be one of WeChat Pay's, and
    /// its content our merchant's. Why not is said for the record; whoever sent it learns nothing.
    ///
    /// Unlike an answer, one that names a certificate that is not known asks for none: anybody can
    /// send one, and the gateway sends its own again.
    pub fn notice(
        &self,
        delivery: &Delivery,
        merchant: &Merchant,
        api_v3_key: &SecretString,
        now: Timestamp,
    ) -> Result<Notice, Reason> {
        let body = delivery.body();
        if body.len() > LARGEST_REPLY {
            return Err(bad("body"));
        }
        let keys = self.verifying.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let verified = keys.verify((delivery.headers(), body), now);
        verified.map_err(|why| Reason::quoting(why.cause, why.words))?;
        let message = Object::read(body).map_err(|_| bad("body"))?;
        let event = text(&message, "event_type")?;
        if event != PAID && !event.starts_with(REFUND) {
            return Ok(Notice::Other(clean(event, RECORDED_CELLS)));
        }
        let id = clean(text(&message, "id")?, 64);
        let resource = message.object("resource").ok().flatten().ok_or_else(|| bad("resource"))?;
        if text(resource, "algorithm")? != "AEAD_AES_256_GCM" {
            return Err(bad("algorithm"));
        }
        let bound = resource.text("associated_data").map_err(|_| bad("associated_data"))?;
        let nonce = (text(resource, "nonce")?, bound.unwrap_or_default());
        let key = api_v3_key.expose_secret().as_bytes();
        let plain = aead::open(&AES_256_GCM, key, nonce, text(resource, "ciphertext")?);
        let content = plain.and_then(|plain| Object::read(&plain).ok());
        let content = content.ok_or_else(|| bad("ciphertext"))?;
        check_merchant(&content, merchant, true).map_err(|what| what.reason().clone())?;
        if event == PAID {
            paid(id, &content, merchant).map(Notice::Paid)
        } else {
            refund(id, event, &content, merchant).map(Notice::Refund)
        }
    }
}

const PAID: &str = "TRANSACTION.SUCCESS";
const REFUND: &str = "REFUND.";

fn paid(id: String, content: &Object, merchant: &Merchant) -> Result<PaymentNotice, Reason> {
    if text(content, "trade_state")? != "SUCCESS" {
        return Err(bad("trade_state"));
    }
    let transaction_id = text(content, "transaction_id")?;
    if transaction_id.len() > 32 || !transaction_id.bytes().all(|it| it.is_ascii_alphanumeric()) {
        return Err(bad("transaction_id"));
    }
    let amount = content.object("amount").ok().flatten().ok_or_else(|| bad("amount"))?;
    let total = whole(amount, "total")?;
    let read = |NotAMessage| bad("amount");
    let currency = amount.text("currency").map_err(read)?.unwrap_or("CNY").to_owned();
    let payer_currency = amount.text("payer_currency").map_err(read)?.unwrap_or(&currency);
    let payer_total = amount.whole("payer_total").map_err(read)?;
    let payer_total = payer_total.filter(|paid| payer_currency == currency && *paid >= 0);
    let coupon = payer_total.map(|paid| total.minor().saturating_sub(paid));
    let attach = content.text("attach").map_err(|_| bad("attach"))?;
    Ok(PaymentNotice {
        id,
        out_trade_no: clean(text(content, "out_trade_no")?, 64),
        transaction_id: transaction_id.to_owned(),
        merchant: merchant.clone(),
        attach: attach.map(str::to_owned),
        total,
        currency,
        paid_at: time(content)?,
        coupon: coupon.filter(|coupon| *coupon > 0),
    })
}

fn refund(
    id: String,
    event: &str,
    content: &Object,
    merchant: &Merchant,
) -> Result<RefundNotice, Reason> {
    let word = text(content, "refund_status")?;
    // What was signed in the open, and what was encrypted.
    if event.strip_prefix(REFUND) != Some(word) {
        return Err(bad("refund_status"));
    }
    let status = match word {
        "SUCCESS" => RefundWord::Done,
        "PROCESSING" => RefundWord::Processing,
        "CLOSED" => RefundWord::Closed,
        "ABNORMAL" => RefundWord::Abnormal,
        _ => return Err(bad("refund_status")),
    };
    let amount = content.object("amount").ok().flatten().ok_or_else(|| bad("amount"))?;
    Ok(RefundNotice {
        id,
        out_trade_no: clean(text(content, "out_trade_no")?, 64),
        out_refund_no: clean(text(content, "out_refund_no")?, 64),
        merchant: merchant.clone(),
        refund_id: clean(text(content, "refund_id")?, 32),
        status,
        amount: whole(amount, "refund")?,
        total: whole(amount, "total")?,
        done_at: time(content)?,
    })
}

fn text<'a>(object: &'a Object, name: &str) -> Result<&'a str, Reason> {
    object.text(name).ok().flatten().ok_or_else(|| bad(name))
}

fn whole(object: &Object, name: &str) -> Result<Money, Reason> {
    object.whole(name).ok().flatten().map(Money::from_minor).ok_or_else(|| bad(name))
}

fn time(content: &Object) -> Result<Option<Timestamp>, Reason> {
    let time = content.text("success_time").map_err(|_| bad("success_time"))?;
    Ok(time.and_then(Timestamp::from_rfc3339))
}

/// A message that is signed, and none that can be read. The word is what is wrong with it.
fn bad(name: &str) -> Reason {
    Reason::quoting(TillCause::BadAnswer, name)
}
