//! Platform certificates: how they are downloaded, believed and renewed (apiv3 3.5).
//!
//! The first download cannot be verified by anything that is known. Whoever encrypted it has the
//! `APIv3` key, and one of the certificates in it must have signed it.

use aws_lc_rs::aead::AES_256_GCM;
use secrecy::{ExposeSecret as _, SecretString};

use super::der::Certificate;
use super::json::{NotAMessage, Object};
use super::keys::VerifyingKeys;
use super::{RECORDED_CELLS, WechatV3};
use crate::clean::clean;
use crate::clock::{Millis, Timestamp};
use crate::gateway::page::Page;
use crate::gateway::wechat::codes;
use crate::gateway::{Outgoing, Reply, Stamp};
use crate::order::Merchant;

const TARGET: &str = "/v3/certificates";
/// Certificates are to be asked for at least every 12 hours.
const RENEW_AFTER: Millis = Millis::seconds(10 * 3600);
/// After a failure: as soon as this, doubling up to an hour.
const TRY_AGAIN_AFTER: Millis = Millis::seconds(5);
const TRY_AGAIN_AT_MOST: Millis = Millis::seconds(3600);

/// Why there are no certificates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NoCertificates {
    /// The merchant has none: answers are signed with the public key.
    PublicKeyOnly,
    /// The `APIv3` key does not fit.
    WrongKey,
    /// The gateway's code and words.
    Refused { code: String, text: String },
    /// An answer that cannot be believed, or none of the gateway's.
    Unbelievable(String),
}

impl WechatV3 {
    /// Asks for the platform certificates.
    pub fn encode_certificates(&self, merchant: &Merchant, stamp: &Stamp) -> Outgoing {
        self.get(TARGET, merchant, stamp)
    }
}

/// The certificates in an answer that were valid at `now`, or will be.
pub fn read(
    reply: &Reply,
    api_v3_key: &SecretString,
    now: Timestamp,
) -> Result<Vec<Certificate>, NoCertificates> {
    if reply.status() != http::StatusCode::OK {
        return Err(refusal(reply));
    }
    let unbelievable = |words: &str| NoCertificates::Unbelievable(words.to_owned());
    let message = Object::read(reply.body());
    let page = || Page::of(reply.status(), reply.headers(), reply.body()).line();
    let message = message.map_err(|_| NoCertificates::Unbelievable(page()))?;
    let items = items(&message).map_err(|NotAMessage| unbelievable("data"))?;
    let key = api_v3_key.expose_secret().as_bytes();
    let mut certificates = Vec::new();
    for Item { serial, nonce, associated_data, ciphertext } in items {
        let pem = super::aead::open(&AES_256_GCM, key, (nonce, associated_data), ciphertext);
        let pem = pem.ok_or(NoCertificates::WrongKey)?;
        let certificate = Certificate::of_pem(&pem);
        let certificate = certificate.filter(|it| it.serial.eq_ignore_ascii_case(serial));
        certificates.push(certificate.ok_or_else(|| unbelievable("encrypt_certificate"))?);
    }
    certificates.retain(|certificate| now <= certificate.until);
    if certificates.is_empty() {
        return Err(unbelievable("data"));
    }
    let mut keys = VerifyingKeys::default();
    keys.replace_certificates(&certificates);
    let signed = keys.verify((reply.headers(), reply.body()), now);
    signed.map_err(|why| NoCertificates::Unbelievable(why.words))?;
    Ok(certificates)
}

/// Whether the `APIv3` key decrypts what an answer holds, signed or not; `None` if it holds nothing.
pub fn key_fits(reply: &Reply, api_v3_key: &SecretString) -> Result<Option<bool>, NoCertificates> {
    if reply.status() != http::StatusCode::OK {
        return Err(refusal(reply));
    }
    let message = Object::read(reply.body()).ok();
    let items = message.as_ref().and_then(|message| items(message).ok()).unwrap_or_default();
    let key = api_v3_key.expose_secret().as_bytes();
    let opens = |item: &Item<'_>| {
        let bound = (item.nonce, item.associated_data);
        super::aead::open(&AES_256_GCM, key, bound, item.ciphertext).is_some()
    };
    Ok((!items.is_empty()).then(|| items.iter().any(opens)))
}

struct Item<'a> {
    serial: &'a str,
    nonce: &'a str,
    associated_data: &'a str,
    ciphertext: &'a str,
}

/// Those of the list that we can read; others are of an algorithm that was not asked for.
fn items(message: &Object) -> Result<Vec<Item<'_>>, NotAMessage> {
    let mut items = Vec::new();
    for item in message.objects("data")? {
        let encrypted = item.object("encrypt_certificate")?.ok_or(NotAMessage)?;
        if encrypted.text("algorithm")? != Some("AEAD_AES_256_GCM") {
            continue;
        }
        items.push(Item {
            serial: item.text("serial_no")?.ok_or(NotAMessage)?,
            nonce: encrypted.text("nonce")?.ok_or(NotAMessage)?,
            associated_data: encrypted.text("associated_data")?.unwrap_or_default(),
            ciphertext: encrypted.text("ciphertext")?.ok_or(NotAMessage)?,
        });
    }
    Ok(items)
}

fn refusal(reply: &Reply) -> NoCertificates {
    let said = Object::read(reply.body()).ok();
    let member = |name| said.as_ref().and_then(|said| said.text(name).ok().flatten());
    match member("code") {
        Some("RESOURCE_NOT_EXISTS") => NoCertificates::PublicKeyOnly,
        Some(code) => NoCertificates::Refused {
            code: clean(codes::in_one_spelling(code), 32),
            text: clean(member("message").unwrap_or_default(), RECORDED_CELLS),
        },
        None => {
            let page = Page::of(reply.status(), reply.headers(), reply.body());
            NoCertificates::Unbelievable(page.line())
        }
    }
}

/// When the certificates are asked for next.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Renewal {
    failures: u32,
}

impl Renewal {
    /// How long to wait after an answer with these certificates: ten hours, and not beyond the end
    /// of the last of them.
    pub fn renewed(&mut self, certificates: &[Certificate], now: Timestamp) -> Millis {
        self.failures = 0;
        let last = certificates.iter().map(|certificate| certificate.until).max();
        let left = last.map_or(0, |last| u64::try_from(last.0 - now.0).unwrap_or(0) / 2);
        Millis(RENEW_AFTER.0.min(left).max(TRY_AGAIN_AFTER.0))
    }

    /// How long to wait after a failure.
    pub fn failed(&mut self) -> Millis {
        let wait = TRY_AGAIN_AFTER.times(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        Millis(wait.0.min(TRY_AGAIN_AT_MOST.0))
    }

    /// How long to wait at least after the last question, where an answer named a certificate that
    /// is not known.
    pub const fn at_least() -> Millis {
        TRY_AGAIN_AFTER
    }
}
