//! Notifications: who has signed one, and what it says (protocol 9).

use std::fmt::Write as _;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{WechatV2, foreign_id};
use crate::clean::clean;
use crate::clock::Timestamp;
use crate::gateway::notice::{Delivery, Notice, PaymentNotice, RefundHint};
use crate::gateway::wechat::fields::Fields;
use crate::money::Money;
use crate::order::Merchant;
use crate::payment::{Reason, TillCause};

/// What no notification of a payment has.
const OF_ANSWERS: [&str; 6] =
    ["trade_state", "recall", "out_refund_no", "out_refund_no_0", "refund_count", "code_url"];

impl WechatV2 {
    /// What a delivery says, once its signature and its merchant were found to be right. Why not is
    /// said for the record; whoever sent it learns nothing.
    pub fn notice(&self, delivery: &Delivery, merchant: &Merchant) -> Result<Notice, Reason> {
        let fields = Fields::from_xml(delivery.body()).map_err(|_| bad("body"))?;
        match fields.get("req_info") {
            Some(sealed) => self.hint(&fields, sealed, merchant).map(Notice::Hint),
            None => self.paid(&fields, merchant).map(Notice::Paid),
        }
    }

    fn paid(&self, fields: &Fields, merchant: &Merchant) -> Result<PaymentNotice, Reason> {
        self.check_sender(fields, merchant).map_err(|what| what.reason().clone())?;
        // Nobody is told of what was not paid.
        if fields.get("result_code") != Some("SUCCESS") {
            return Err(bad("result_code"));
        }
        // An answer is signed in the same way, and some name a payment that was given back.
        if let Some(name) = OF_ANSWERS.into_iter().find(|name| fields.get(name).is_some()) {
            return Err(bad(name));
        }
        let transaction_id = text(fields, "transaction_id")?;
        if transaction_id.len() > 32 || !transaction_id.bytes().all(|it| it.is_ascii_alphanumeric())
        {
            return Err(bad("transaction_id"));
        }
        let total = text(fields, "total_fee")?;
        // `+5` and `05` are numbers, too, and not the gateway's.
        let total = total.parse::<i64>().ok().filter(|fee| fee.to_string() == total);
        Ok(PaymentNotice {
            id: transaction_id.to_owned(),
            out_trade_no: clean(text(fields, "out_trade_no")?, 64),
            transaction_id: transaction_id.to_owned(),
            merchant: merchant.clone(),
            attach: fields.get("attach").map(str::to_owned),
            total: total.map(Money::from_minor).ok_or_else(|| bad("total_fee"))?,
            currency: fields.get("fee_type").unwrap_or("CNY").to_owned(),
            paid_at: Timestamp::from_beijing(text(fields, "time_end")?),
            coupon: fields.get("coupon_fee").and_then(|fee| fee.parse().ok()),
        })
    }

    /// Of a refund. Nothing is signed, and of what was encrypted blocks can be exchanged.
    fn hint(
        &self,
        fields: &Fields,
        sealed: &str,
        merchant: &Merchant,
    ) -> Result<RefundHint, Reason> {
        if fields.get("return_code") != Some("SUCCESS") {
            return Err(bad("return_code"));
        }
        if let Some(id) = foreign_id(fields, merchant) {
            let theirs = clean(fields.get(id).unwrap_or("-"), 32);
            return Err(Reason::quoting(TillCause::WrongMerchant, format!("{id} {theirs}")));
        }
        let plain = open(self.api_key.expose_secret(), sealed);
        let content = plain.and_then(|plain| Fields::of_document(&plain, "root").ok());
        let content = content.ok_or_else(|| bad("req_info"))?;
        Ok(RefundHint {
            out_trade_no: clean(content.get("out_trade_no").unwrap_or_default(), 64),
            out_refund_no: clean(text(&content, "out_refund_no")?, 64),
        })
    }
}

/// `req_info`: AES-256-ECB.
fn open(api_key: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
    // Encrypted, an empty message is not.
    let mut bytes = Zeroizing::new(STANDARD.decode(sealed).ok()?);
    if api_key.is_empty() || bytes.is_empty() {
        return None;
    }
    let key = refund_notice_key(api_key);
    let key = UnboundCipherKey::new(&AES_256, key.as_bytes()).ok()?;
    let key = PaddedBlockDecryptingKey::ecb_pkcs7(key).ok()?;
    let length = key.decrypt(&mut bytes, DecryptionContext::None).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

/// What refunds are told under: the key's MD5 in lower-case digits.
pub fn refund_notice_key(api_key: &str) -> Zeroizing<String> {
    let mut key = Zeroizing::new(String::with_capacity(32));
    for byte in Md5::digest(api_key.as_bytes()) {
        let _ = write!(key, "{byte:02x}");
    }
    key
}

fn text<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, Reason> {
    fields.get(name).ok_or_else(|| bad(name))
}

/// A message that cannot be read. The word is what is wrong with it.
fn bad(name: &str) -> Reason {
    Reason::quoting(TillCause::BadAnswer, name)
}
