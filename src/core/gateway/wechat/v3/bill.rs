//! The bill of a day: where it lies, and whether what came from there is it (apiv3 3.7).
//!
//! The file is not signed. The answer that names it is, and holds its digest.

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY};

use super::json::Object;
use super::{RECORDED_CELLS, WechatV3};
use crate::clean::clean;
use crate::clock::{Date, Timestamp};
use crate::gateway::page::Page;
use crate::gateway::wechat::codes::in_one_spelling;
use crate::gateway::wechat::v2::bill::Refusal;
use crate::gateway::{Outgoing, Reply, Stamp};
use crate::order::Merchant;

/// The longest address of a file.
const LONGEST_TARGET: usize = 2048;

/// A file that can be downloaded for five minutes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// Path and query, as they are signed and sent.
    target: String,
    digest: Digest,
}

/// The digest that the gateway has signed. Whether it is that of the file as it comes or of what is
/// compressed in it is unconfirmed: either will do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Digest([u8; 20]);

/// Makes a digest piece by piece.
pub struct Digester(digest::Context);

impl WechatV3 {
    /// Asks where the bill of a day with payments, refunds and reversals lies, compressed.
    pub fn encode_bill(&self, merchant: &Merchant, day: Date, stamp: &Stamp) -> Outgoing {
        let day = day.strftime("%Y-%m-%d");
        let shop = match merchant.sub_mch_id.as_str() {
            "" => String::new(),
            id => format!("&sub_mchid={}", super::escaped(id)),
        };
        let target =
            format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL&tar_type=GZIP{shop}");
        self.get(&target, merchant, stamp)
    }

    /// The answer to that; or why there is none.
    pub fn read_bill(&self, reply: &Reply, now: Timestamp) -> Result<Place, Refusal> {
        let page = || {
            let page = Page::of(reply.status(), reply.headers(), reply.body());
            Refusal::Busy(page.line())
        };
        let Ok(message) = Object::read(reply.body()) else { return Err(page()) };
        if reply.status() != http::StatusCode::OK {
            let member = |name| message.text(name).ok().flatten();
            let Some(code) = member("code") else { return Err(page()) };
            let said = format!("{code} {}", member("message").unwrap_or_default());
            let said = clean(said.trim_end(), RECORDED_CELLS);
            let is_trouble = reply.status().is_server_error();
            return Err(match in_one_spelling(code) {
                "NO_STATEMENT_EXIST" => Refusal::NoBill,
                "STATEMENT_CREATING" => Refusal::Creating,
                "SYSTEMERROR" | "FREQUENCY_LIMITED" => Refusal::Busy(said),
                _ if is_trouble => Refusal::Busy(said),
                _ => Refusal::Refused(said),
            });
        }
        self.verify(reply, now).map_err(|why| Refusal::Busy(why.words))?;
        place(&message).ok_or_else(|| Refusal::Busy("download_url".to_owned()))
    }

    /// Asks for the file.
    pub fn encode_download(&self, place: &Place, merchant: &Merchant, stamp: &Stamp) -> Outgoing {
        self.get(&place.target, merchant, stamp)
    }
}

impl Place {
    /// The digest of the file.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl Digest {
    /// Whether it is that of these bytes, as they came or as they were compressed.
    pub fn fits(&self, as_it_came: Digester, decompressed: Digester) -> bool {
        [as_it_came, decompressed].into_iter().any(|made| made.0.finish().as_ref() == self.0)
    }
}

impl Default for Digester {
    fn default() -> Self {
        Self(digest::Context::new(&SHA1_FOR_LEGACY_USE_ONLY))
    }
}

impl Digester {
    /// Takes the next piece.
    pub fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

/// The host in the address is not followed: the file comes from where all other answers come from.
fn place(message: &Object) -> Option<Place> {
    if message.text("hash_type").ok()?? != "SHA1" {
        return None;
    }
    let digits = message.text("hash_value").ok()??;
    let address = message.text("download_url").ok()??.strip_prefix("https://")?;
    let target = &address[address.find('/')?..];
    let is_plain = target.len() <= LONGEST_TARGET
        && target.starts_with("/v3/")
        && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let digest = bytes_of_hex(digits)?;
    is_plain.then(|| Place { target: target.to_owned(), digest: Digest(digest) })
}

fn bytes_of_hex(digits: &str) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    if digits.len() != 40 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
