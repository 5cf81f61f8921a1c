//! The backend as a till knows it: what enrolment gave it, in one line of a file.

use super::APP_ID;
use super::signed::PublicKey;
use crate::order::{Merchant, TillId};

/// With which the line begins, so that nobody takes another file for it.
const WORD: &str = "paytill-backend-key";
/// The longest name of a merchant at its backend.
const LONGEST_NAME: usize = 32;

/// The backend's key, and what the till is to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownBackend {
    /// With which it signs.
    pub key: PublicKey,
    /// The merchant's name there: letters, digits, `_` and `-`.
    pub merchant: String,
    pub till: TillId,
}

impl KnownBackend {
    /// `None` unless the text is one such line.
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut words = lines.next()?.split_whitespace();
        let (word, key) = (words.next()?, words.next()?);
        let known = Self::new(PublicKey::from_base64(key)?, words.next()?, words.next()?)?;
        let is_all = words.next().is_none() && lines.next().is_none();
        (word == WORD && is_all).then_some(known)
    }

    /// `None` unless these are the names of a merchant and a till.
    pub fn new(key: PublicKey, merchant: &str, till: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let fits = (1..=LONGEST_NAME).contains(&merchant.len()) && merchant.bytes().all(allowed);
        let till = TillId::new(till)?;
        fits.then(|| Self { key, merchant: merchant.to_owned(), till })
    }

    /// The line.
    pub fn line(&self) -> String {
        let Self { key, merchant, till } = self;
        format!("{WORD} {} {merchant} {}\n", key.to_base64(), till.as_str())
    }

    /// Who is paid through it: its gateway knows the true ids.
    pub fn merchant(&self) -> Merchant {
        Merchant {
            app_id: APP_ID.to_owned(),
            mch_id: self.merchant.clone(),
            sub_app_id: String::new(),
            sub_mch_id: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written_and_nothing_else_is() {
        let key = PublicKey::from_base64(&format!("{}=", "A".repeat(43))).unwrap();
        let known = KnownBackend::new(key, "corner-coffee", "T01").unwrap();
        let line = known.line();
        assert_eq!(KnownBackend::read(&line), Some(known.clone()));
        assert_eq!(KnownBackend::read(&format!("\n  {line}\n")), Some(known.clone()));
        assert_eq!(known.merchant().mch_id, "corner-coffee");
        for wrong in [
            String::new(),
            line.replace("paytill-backend-key", "ssh-ed25519"),
            line.replace("AAAA", "AAA"),
            line.replace(" T01", ""),
            line.replace("T01", "T 01"),
            line.replace("T01", "much-too-long"),
            line.replace("corner-coffee", "corner/coffee"),
            line.repeat(2),
        ] {
            assert_eq!(KnownBackend::read(&wrong), None, "{wrong}");
        }
    }
}
