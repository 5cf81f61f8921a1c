//! In which form a secret comes: what a merchant platform hands out, and what editors and mail
//! programs make of it.

use zeroize::Zeroizing;

use super::Of;
use paytill_core::clean::is_unsafe;
use paytill_core::language::Language;

/// Length of an `APIv2` key in characters (protocol 1.3).
pub(super) const API_KEY_LENGTH: usize = 32;

/// The byte-order mark that some editors put before a text.
const MARK: &[u8] = b"\xef\xbb\xbf";
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
/// Certificate and key in one, as the platform calls it.
pub(super) const P12: &str = "apiclient_cert.p12";
const WIDE: std::ops::RangeInclusive<char> = '\u{ff01}'..='\u{ff5e}';

/// A character that no `APIv2` key has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Odd {
    Blank,
    LineEnd,
    Wide,
    Invisible,
    Other,
}

impl Odd {
    /// What it is, and never which one it is.
    pub(super) const fn name(self, language: Language) -> &'static str {
        let (english, chinese) = match self {
            Self::Blank => ("a blank", "空格"),
            Self::LineEnd => ("a line end", "换行"),
            Self::Wide => ("a full-width character", "全角字符"),
            Self::Invisible => ("one that cannot be seen", "不可见字符"),
            Self::Other => ("not ASCII", "非 ASCII 字符"),
        };
        language.pick(english, chinese)
    }
}

/// Whether a character is none that an `APIv2` key has.
pub(super) fn odd(character: char) -> Option<Odd> {
    match character {
        '!'..='~' => None,
        '\n' | '\r' => Some(Odd::LineEnd),
        _ if character.is_whitespace() => Some(Odd::Blank),
        _ if WIDE.contains(&character) => Some(Odd::Wide),
        _ if is_unsafe(character) => Some(Odd::Invisible),
        _ => Some(Odd::Other),
    }
}

/// What may be an `APIv2` key in a text, without what stands around it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || is_unsafe(letter))
}

pub(super) fn is_api_key(key: &str) -> bool {
    key.len() == API_KEY_LENGTH && key.chars().all(|letter| odd(letter).is_none())
}

/// A text without byte-order marks, which would hide its first line.
pub(super) fn without_marks(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(MARK) {
            rest = after;
        } else {
            text.push(*first);
            rest = after;
        }
    }
    text
}

/// A PEM text as programs write it: without what editors and mail programs put around its lines.
pub(super) fn pem_text(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = without_marks(bytes);
    // One more for the end of the last line.
    let mut pem = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    for line in text.split(|byte| matches!(byte, b'\r' | b'\n')).map(<[u8]>::trim_ascii) {
        if !line.is_empty() {
            pem.extend_from_slice(line);
            pem.push(b'\n');
        }
    }
    pem
}

/// Whether a PEM text has a private key, encrypted or not.
pub(super) fn has_key(pem: &[u8]) -> bool {
    let has = |words: &[u8]| pem.windows(words.len()).any(|window| window == words);
    has(b"-----BEGIN ") && has(b"PRIVATE KEY-----")
}

/// What a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// The archive in which the platform hands out certificate and key.
    Zip,
    /// The same with nothing but certificate and key in one.
    ZipOfPkcs12,
    OtherZip,
    Pkcs12,
    DerCertificate,
    DerKey,
    EncryptedKey,
    Certificate,
    PrivateKey,
    PublicKey,
    Request,
    ApiKey,
    Utf16,
    Other,
}

impl Form {
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Self::Utf16;
        }
        let has = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            let [certificate, key] = [Of::Certificate, Of::Key].map(Of::usual_name);
            // Names stand in an archive as they are.
            return match (has(certificate.as_bytes()) && has(key.as_bytes()), has(P12.as_bytes())) {
                (true, _) => Self::Zip,
                (false, true) => Self::ZipOfPkcs12,
                (false, false) => Self::OtherZip,
            };
        }
        if has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") {
            return Self::EncryptedKey;
        }
        if has_key(bytes) {
            return Self::PrivateKey;
        }
        for (words, form) in [
            (&b"-----BEGIN CERTIFICATE-----"[..], Self::Certificate),
            (b"PUBLIC KEY-----", Self::PublicKey),
            (b"CERTIFICATE REQUEST-----", Self::Request),
        ] {
            if has(words) {
                return form;
            }
        }
        // A sequence in DER: of version 3 it is PKCS#12, of version 0 or 1 a key; a certificate
        // begins with another sequence.
        match inside(bytes) {
            Some([0x02, 0x01, 0x03, 0x30, ..]) => Self::Pkcs12,
            Some([0x02, 0x01, 0x00 | 0x01, ..]) => Self::DerKey,
            Some([0x30, ..]) => Self::DerCertificate,
            _ if std::str::from_utf8(bytes).is_ok_and(|text| is_api_key(trimmed(text))) => {
                Self::ApiKey
            }
            _ => Self::Other,
        }
    }

    /// What it is, behind "which is".
    pub(super) const fn name(self, language: Language) -> &'static str {
        let (english, chinese) = match self {
            Self::Zip | Self::ZipOfPkcs12 => (
                "the platform's archive (.zip), still packed",
                "商户平台的压缩包（.zip），尚未解压",
            ),
            Self::OtherZip => (
                "an archive (.zip) or an office document, with no certificate in it",
                "压缩包（.zip）或办公文档，里面没有证书",
            ),
            Self::Pkcs12 => (
                "a PKCS#12 file (.p12): certificate and key in one, encrypted",
                " PKCS#12 文件（.p12），证书和私钥合在一起且已加密",
            ),
            Self::DerCertificate => (
                "a certificate in binary form (DER) and not PEM",
                "二进制格式（DER）的证书，不是 PEM",
            ),
            Self::DerKey => (
                "a private key in binary form (DER) and not PEM",
                "二进制格式（DER）的私钥，不是 PEM",
            ),
            Self::EncryptedKey => {
                ("a private key that is encrypted with a password", "带密码加密的私钥")
            }
            Self::Certificate => ("a certificate", "证书"),
            Self::PrivateKey => ("a private key", "私钥"),
            Self::PublicKey => ("a public key", "公钥"),
            Self::Request => {
                ("the request for a certificate and not the certificate", "证书请求串，不是证书")
            }
            Self::ApiKey => ("an API key", " API 密钥"),
            Self::Utf16 => ("text in UTF-16", " UTF-16 文本"),
            Self::Other => ("something else", "其他内容"),
        };
        language.pick(english, chinese)
    }
}

/// What is inside a sequence in DER that fills all the bytes. A text may begin like one.
fn inside(bytes: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = bytes.split_first().filter(|_| bytes.contains(&INTEGER))?;
    let (length, rest) = rest.split_first().filter(|_| *tag == SEQUENCE)?;
    let (length, content) = match length {
        0..=0x7f => (usize::from(*length), rest),
        // Not told in advance.
        0x80 => (rest.len(), rest),
        0x81..=0x84 => {
            let (length, content) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (length.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)), content)
        }
        _ => return None,
    };
    (content.len() == length).then_some(content)
}
