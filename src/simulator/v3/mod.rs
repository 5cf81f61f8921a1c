//! The same gateway, ledger and customers as API v3 tells of them (apiv3 2 to 4).
//!
//! A request is verified and checked in the form of API v3, carried out by [`Bank`] like any other,
//! and its answer put into that form: with its status and signature, or with what is wrong with it.

mod keys;
mod notice;
mod reply;
mod request;

use std::fmt::Write as _;

pub use keys::{KeysError, PlatformKeys};
pub(crate) use keys::{MARK, TILLS};

use super::bill::{NoBill, gzip};
use super::reply::PORTAL;
use super::{Action, Bank, Reaction};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use paytill_core::clean::clean;
use paytill_core::clock::{Date, Millis, Timestamp};

use reply::{Reply, Signature};
use request::{Incoming, Rejection};

/// All addresses of API v3 begin so.
pub const ROOT: &str = "/v3/";

/// The parts of an HTTP request that API v3 looks at.
#[derive(Clone, Copy, Debug)]
pub struct RequestV3<'a> {
    pub method: &'a str,
    /// Path and query, as they were sent.
    pub target: &'a str,
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
    /// When it came by the gateway's clock, to which both sides' times must be close.
    pub at: Timestamp,
}

/// A complete HTTP answer of this moment.
pub(super) fn http(
    at: Timestamp,
    status: u16,
    headers: &[(&'static str, String)],
    body: &[u8],
) -> Vec<u8> {
    reply::http(Some(at), status, headers, body)
}

impl RequestV3<'_> {
    /// A header that is there once.
    fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value.as_str())
    }
}

impl Bank {
    /// Makes it speak API v3, too, with these keys.
    #[must_use]
    pub fn with_v3(mut self, keys: PlatformKeys) -> Self {
        self.v3 = Some(keys);
        self
    }

    /// The keys of API v3, to change which of them signs.
    pub fn v3_keys(&mut self) -> Option<&mut PlatformKeys> {
        self.v3.as_mut()
    }

    /// Decides on one request of API v3. Any bytes are acceptable input.
    pub fn handle_v3(&mut self, request: &RequestV3<'_>, now: Millis) -> Reaction {
        let mut reaction = self.answer_v3(request, now);
        let path = request.target.split('?').next().unwrap_or_default();
        let story = format!("{} {path}: {}", request.method, reaction.story);
        reaction.story = clean(&story, super::STORY_CELLS);
        reaction
    }

    fn answer_v3(&mut self, request: &RequestV3<'_>, now: Millis) -> Reaction {
        let Some(keys) = self.v3.clone() else {
            return reply::bare(404, String::new());
        };
        let signs_with = |asked: Option<&str>| match asked {
            Some(id) if id == keys.public_key_id() => Signature::PublicKey,
            _ => Signature::Certificate,
        };
        let signature = signs_with(request.header("Wechatpay-Serial"));
        let mut incoming = match request::read(&self.account, &self.script, &keys, request) {
            Ok(Incoming::Certificates) => {
                let body = keys.certificates(&mut self.rng);
                let reply = Reply { keys: &keys, signature, at: request.at };
                let action = reply.signed(200, body, &mut self.rng);
                return Reaction { after: Millis(0), action, story: "certificates".into() };
            }
            Ok(Incoming::Order(incoming)) => incoming,
            Ok(Incoming::Bill(day, is_compressed)) => {
                let reply = Reply { keys: &keys, signature, at: request.at };
                return self.promise_bill(&reply, (day, is_compressed), now);
            }
            Ok(Incoming::File(token)) => {
                let Some(mut body) = self.files.get(token).cloned() else {
                    return reply::bare(400, reply::error("INVALID_REQUEST", "token"));
                };
                self.cut(&mut body);
                let headers = vec![("Content-Type", "application/octet-stream".to_owned())];
                let action = Action::Headed { status: 200, headers, body };
                return Reaction { after: Millis(0), action, story: "a bill".into() };
            }
            Err(Rejection::Empty(status)) => return reply::bare(status, String::new()),
            Err(Rejection::Coded(status, code, text)) => {
                return reply::bare(status, reply::error(code, &text));
            }
        };
        let done = if incoming.is_refund {
            self.carry_out_refund(&incoming, now)
        } else {
            self.carry_out(&incoming, now)
        };
        // A question names no id of the merchant's: the answer has the one that the order was made with.
        let made_with = self.entry(&done.number).map(|entry| entry.details.app_id.clone());
        if let Some(id) = made_with.filter(|id| !id.is_empty()) {
            incoming.fields.set("appid", id);
        }
        let mut rng = self.rng.fork();
        let reply = Reply { keys: &keys, signature, at: request.at };
        let mut reaction = reply.say(&self.account.merchant, &incoming, done.said, &mut rng);
        reaction.story = format!("{}{}", done.story, reaction.story);
        if let Action::Headed { status: 204, body, .. } = &mut reaction.action {
            body.clear();
        }
        reaction
    }

    /// Where the bill of a day will lie, with its digest.
    fn promise_bill(
        &mut self,
        reply: &Reply<'_>,
        (day, is_compressed): (Date, bool),
        now: Millis,
    ) -> Reaction {
        let text = match self.bill_now(day, now) {
            Ok(text) => text.into_bytes(),
            Err(NoBill::Creating) => {
                return reply::bare(400, reply::error("STATEMENT_CREATING", "账单生成中"));
            }
            Err(NoBill::Missing) => {
                return reply::bare(400, reply::error("NO_STATEMENT_EXIST", "账单不存在"));
            }
            Err(NoBill::Page) => return reply::bare(200, PORTAL.to_owned()),
        };
        let file = if is_compressed { gzip(&text) } else { text.clone() };
        // Nobody knows which of the two the digest is of.
        let hashed = if self.rng.bool() { &file } else { &text };
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, hashed);
        let mut hash = String::new();
        for byte in digest.as_ref() {
            let _ = write!(hash, "{byte:02x}");
        }
        let token = self.files.len();
        let body = format!(
            "{{\"hash_type\":\"SHA1\",\"hash_value\":\"{hash}\",\"download_url\":\
             \"https://api.mch.weixin.qq.com/v3/billdownload/file?token={token}\"}}"
        );
        self.files.push(file);
        let action = reply.signed(200, body, &mut self.rng);
        Reaction { after: Millis(0), action, story: "where the bill lies".into() }
    }
}
