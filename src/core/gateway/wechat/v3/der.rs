//! Keys and certificates as the platform hands them out: PEM around DER.
//!
//! A certificate is read as far as API v3 needs it: its serial number, its days and its key.

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::clock::{TimeZone, Timestamp};
use crate::der::{SEQUENCE, VERSION, element, expect};

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The longest serial number, in bytes (RFC 5280).
const LONGEST_SERIAL: usize = 20;

/// A certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// In upper-case hexadecimal digits, as the platform shows it.
    pub serial: String,
    pub from: Timestamp,
    pub until: Timestamp,
    /// The key as DER, a `SubjectPublicKeyInfo`.
    pub key: Vec<u8>,
}

impl Certificate {
    /// Of the first certificate in a PEM text.
    pub fn of_pem(pem: &[u8]) -> Option<Self> {
        Self::of(&decode_pem(pem, "CERTIFICATE")?)
    }

    fn of(der: &[u8]) -> Option<Self> {
        let (certificate, _) = expect(SEQUENCE, der)?;
        let (signed, _) = expect(SEQUENCE, certificate)?;
        let (tag, _, after) = element(signed)?;
        let rest = if tag == VERSION { after } else { signed };
        let (serial, rest) = expect(INTEGER, rest)?;
        // The algorithm, and who issued it.
        let (_, _, rest) = element(rest)?;
        let (_, _, rest) = element(rest)?;
        let (validity, rest) = expect(SEQUENCE, rest)?;
        let (_, _, key_and_on) = element(rest)?;
        let (_, _, behind) = element(key_and_on)?;
        let key = key_and_on[..key_and_on.len() - behind.len()].to_vec();
        let (tag, from, rest) = element(validity)?;
        let from = time(tag, from)?;
        let (tag, until, _) = element(rest)?;
        Some(Self { serial: hex(serial)?, from, until: time(tag, until)?, key })
    }
}

/// Reads a public key: RSA with 2048 bits at least.
pub(super) fn public_key(der: &[u8]) -> Option<ParsedPublicKey> {
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).ok()
}

/// Reads the first public key in a PEM text.
pub(super) fn public_key_of_pem(pem: &[u8]) -> Option<ParsedPublicKey> {
    public_key(&public_key_der(pem)?)
}

/// The first public key in a PEM text, as DER.
pub(super) fn public_key_der(pem: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    decode_pem(pem, "PUBLIC KEY").or_else(|| decode_pem(pem, "RSA PUBLIC KEY"))
}

/// Reads a private key in either of its forms.
pub(super) fn private_key_of_pem(pem: &[u8]) -> Option<KeyPair> {
    match decode_pem(pem, "PRIVATE KEY") {
        Some(der) => KeyPair::from_pkcs8(&der).ok(),
        None => KeyPair::from_der(&decode_pem(pem, "RSA PRIVATE KEY")?).ok(),
    }
}

/// What stands between the first two lines with this label.
fn decode_pem(pem: &[u8], label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let mut bare = Zeroizing::new(String::with_capacity(body.len()));
    bare.extend(body.chars().filter(|letter| !letter.is_ascii_whitespace()));
    STANDARD.decode(bare.as_bytes()).ok().map(Zeroizing::new)
}

fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match tag {
        GENERALIZED_TIME => text.to_owned(),
        // Two digits of the year: 1950 to 2049.
        UTC_TIME => format!("{}{text}", if text < "5" { "20" } else { "19" }),
        _ => return None,
    };
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}

fn hex(serial: &[u8]) -> Option<String> {
    use std::fmt::Write as _;
    // A zero in front only says that it is positive.
    let bytes = match serial {
        [0, rest @ ..] if !rest.is_empty() => rest,
        bytes => bytes,
    };
    if bytes.is_empty() || bytes.len() > LONGEST_SERIAL {
        return None;
    }
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02X}");
    }
    Some(text)
}
