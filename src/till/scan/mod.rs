//! Scans: what a scanner read, classified before anything is done with it.
//!
//! The submodules reassemble scans from what the various scanners deliver; this one names them.
//! Classification never guesses about money: only a payment code of this till's own wallet is ever
//! sent, and everything else is distinguished just so that the cashier can be shown what it was.
//! Pure throughout. Payment codes are kept in wiped memory and stay out of `Debug`.

mod assemble;
mod burst;
mod descriptor;
pub mod hid_pos;
pub mod keyboard;
mod oddity;
pub mod speed;

use zeroize::Zeroizing;

pub use assemble::{Assembler, ScanLine, Suffix};
pub use burst::{
    BurstKey, BurstOutcome, BurstScan, EndKey, KeyBurst, KeyTarget, PAUSE, SCAN_LENGTH,
};
pub use oddity::Oddity;

use crate::goods::code::{from_upc_e, has_check_digit};
use crate::order::{AuthCode, OutTradeNo, TillId};

/// Longer than anything that can be named; a longer text is noise.
const LONGEST: usize = 2048;
/// Digits of the gateway's transaction number, and its prefix.
const TRANSACTION_DIGITS: usize = 28;
const TRANSACTION_PREFIX: &str = "4200";
/// What a customer shows to *receive* money, or a shop displays to be paid by phone (scans 1.3).
const RECEIVE_CODES: [&str; 9] = [
    "wxp://",
    "weixin://",
    "https://u.wechat.com/",
    "https://weixin.qq.com/",
    "http://weixin.qq.com/",
    "https://work.weixin.qq.com/",
    "https://wx.tenpay.com/",
    "https://qr.alipay.com/",
    "https://qr.95516.com/",
];
/// Every merchant-presented EMV QR code begins like this: format 01.
const MERCHANT_QR: &str = "000201";
/// Base64 of `85 05 "CPV01"`, with which every consumer-presented EMV code begins.
const EMV_CODE: &str = "hQVDUFYwM";
/// `fp` and 33 characters: a face instead of a phone.
const ALIPAY_FACE_LENGTH: usize = 35;

/// What was scanned. `Debug` shows nothing of codes that stand for money.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scan {
    /// A payment code that this till accepts.
    Payment(AuthCode),
    /// Another wallet's payment code. Whoever holds its digits can spend with them, so they are not
    /// kept.
    OtherWallet(Wallet),
    /// A code for *receiving* money: the customer is showing the wrong page.
    ReceiveCode,
    /// A product's number with a valid check digit: EAN, UPC, GTIN-14, or a label of the scales.
    Goods(String),
    /// An order number in this till's format, from one of its receipts.
    OwnReceipt(OutTradeNo),
    /// The gateway's transaction number, from a receipt's QR code or the customer's bill.
    Transaction(String),
    /// Nothing that can be named, but it shows what is wrong with the scanner.
    Odd(Oddity),
    /// Nothing that can be named.
    Noise,
}

/// The wallet that a payment code belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wallet {
    /// Alipay in all its countries, and the wallets that share its numbers (scans 1.2).
    Alipay,
    UnionPay,
    /// A consumer-presented EMV QR code from a bank's or a card scheme's app.
    EmvCode,
    /// Has the format of e-CNY, JD, QQ or Bestpay, as far as can be known (scans 1.1).
    Other,
}

impl Scan {
    /// Classifies what a scanner sent. Surrounding blanks, full-width digits and the prefixes that
    /// some scanners add (AIM identifier, ECI) are ignored.
    pub fn name(raw: &str, till: &TillId) -> Self {
        // Only what may be one of our numbers is copied to find out: other codes leave no trace.
        let own = |text: &str| {
            let number = text.starts_with(till.as_str()).then(|| order_number(text)).flatten()?;
            number.is_of(till).then_some(number)
        };
        match name_by(raw, own) {
            Self::Noise if raw.len() <= LONGEST => Oddity::of(raw).map_or(Self::Noise, Self::Odd),
            named => named,
        }
    }
}

/// Whether this is a complete code of some kind, with nothing missing at the end.
fn is_complete(raw: &str) -> bool {
    name_by(raw, of_some_till) != Scan::Noise
}

/// The issuing till is not known here, so a letter in its ID has to tell the number from plain
/// digits.
fn of_some_till(text: &str) -> Option<OutTradeNo> {
    let id = text.get(..text.len().checked_sub(18)?)?;
    let till = TillId::new(id).filter(|_| id.contains(|mark: char| mark.is_ascii_alphabetic()))?;
    order_number(text).filter(|number| number.is_of(&till))
}

fn order_number(text: &str) -> Option<OutTradeNo> {
    OutTradeNo::try_from(text.to_owned()).ok()
}

fn name_by(raw: &str, own: impl Fn(&str) -> Option<OutTradeNo>) -> Scan {
    if raw.len() > LONGEST {
        return Scan::Noise;
    }
    let text = narrow(raw);
    let text = trim(&text);
    let candidates = [Some(text), without_aim(text), without_eci(text)]
        .into_iter()
        .chain([without_aim(text).and_then(without_eci)]);
    candidates
        .flatten()
        .map(|candidate| name_plain(candidate, &own))
        .find(|scan| *scan != Scan::Noise)
        .unwrap_or(Scan::Noise)
}

/// Converts the full-width forms that an input method produces to ASCII.
fn narrow(raw: &str) -> Zeroizing<String> {
    // Allocated for the worst case, so that growing never leaves a copy of a code behind.
    let mut text = Zeroizing::new(String::with_capacity(raw.len()));
    text.extend(raw.chars().map(|character| match character {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
        }
        other => other,
    }));
    text
}

fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || character == '\0')
}

/// Strips an AIM identifier: `]`, a letter, and a digit or letter.
fn without_aim(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(']')?;
    let mut mark = rest.chars();
    let is_mark = mark.next()?.is_ascii_alphabetic() && mark.next()?.is_ascii_alphanumeric();
    is_mark.then(|| trim(mark.as_str()))
}

/// Strips an ECI mark: a backslash and six digits that name the character set.
fn without_eci(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('\\')?;
    let (mark, rest) = rest.split_at_checked(6)?;
    is_digits(mark).then(|| trim(rest))
}

fn name_plain(text: &str, own: &impl Fn(&str) -> Option<OutTradeNo>) -> Scan {
    if let Some(code) = AuthCode::new(text) {
        return Scan::Payment(code);
    }
    if let Some(number) = own(text) {
        return Scan::OwnReceipt(number);
    }
    if is_receive_code(text) {
        return Scan::ReceiveCode;
    }
    if is_digits(text) {
        return name_digits(text);
    }
    if text.starts_with(EMV_CODE) {
        return Scan::OtherWallet(Wallet::EmvCode);
    }
    let is_face = text.len() == ALIPAY_FACE_LENGTH
        && (text.starts_with("fp") || text.starts_with("FP"))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_face { Scan::OtherWallet(Wallet::Alipay) } else { Scan::Noise }
}

fn is_receive_code(text: &str) -> bool {
    let begins_with = |prefix: &str| {
        text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    RECEIVE_CODES.iter().any(|prefix| begins_with(prefix))
        || (text.starts_with(MERCHANT_QR) && text.len() > TRANSACTION_DIGITS)
}

/// Lengths and prefixes as in scans 1.1. [`AuthCode`] has already claimed its own.
fn name_digits(digits: &str) -> Scan {
    if digits.len() < 2 {
        return Scan::Noise;
    }
    match (digits.len(), &digits[..2]) {
        (8 | 12 | 13, _) if has_check_digit(digits) => Scan::Goods(digits.to_owned()),
        (8, _) if from_upc_e(digits).is_some() => Scan::Goods(digits.to_owned()),
        // The first digits of a payment code are none, whatever the last of them is.
        (14, "10" | "11" | "12" | "13" | "14" | "15") => Scan::Noise,
        (14, _) if has_check_digit(digits) => Scan::Goods(digits.to_owned()),
        // A label from the scales, with weight and sum.
        (18, "20" | "21" | "22" | "23" | "24") if has_check_digit(digits) => {
            Scan::Goods(digits.to_owned())
        }
        (TRANSACTION_DIGITS, _) if digits.starts_with(TRANSACTION_PREFIX) => {
            Scan::Transaction(digits.to_owned())
        }
        (16..=24, "25" | "26" | "27" | "28" | "29" | "30") => Scan::OtherWallet(Wallet::Alipay),
        (19, "62") => Scan::OtherWallet(Wallet::UnionPay),
        (19, "01") | (18, "18" | "51" | "91") => Scan::OtherWallet(Wallet::Other),
        _ => Scan::Noise,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CODE: &str = "134567890123456789";

    fn till() -> TillId {
        TillId::new("T01").unwrap()
    }

    fn name(raw: &str) -> Scan {
        Scan::name(raw, &till())
    }

    #[test]
    fn a_payment_code_is_known_under_everything_scanners_add() {
        let payment = Scan::Payment(AuthCode::new(CODE).unwrap());
        let decorated = [
            CODE.to_owned(),
            format!(" {CODE}\r\n"),
            format!("\0{CODE}\0"),
            format!("]C0{CODE}"),
            format!("]Q1\\000026{CODE}"),
            format!("\\000029{CODE}\t"),
            "１３４５６７８９０１２３４５６７８９\u{3000}".to_owned(),
        ];
        for raw in decorated {
            assert_eq!(name(&raw), payment, "{raw:?}");
        }
    }

    #[test]
    fn nothing_is_cut_off_to_make_a_payment_code() {
        for raw in [
            format!("{CODE}0"),
            CODE[1..].to_owned(),
            format!("x{CODE}"),
            format!("]{CODE}"),
            format!("\\26{CODE}"),
            format!("{CODE} {CODE}"),
            "134567 890123456789".to_owned(),
            "١٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨٩".to_owned(),
            "9".repeat(5000),
        ] {
            assert!(!matches!(name(&raw), Scan::Payment(_)), "{raw:?}");
        }
    }

    #[test]
    fn other_wallets_are_named() {
        for (raw, wallet) in [
            ("28763443825664394", Wallet::Alipay),
            ("2893612204263667830", Wallet::Alipay),
            ("251001020123456789012345", Wallet::Alipay),
            ("3012345678901234", Wallet::Alipay),
            ("fp0123456789abcdefghijklmnopqrstuvw", Wallet::Alipay),
            ("6212345678901234567", Wallet::UnionPay),
            ("hQVDUFYwMWFWTwigAAADMwEBAlcR", Wallet::EmvCode),
            ("0112345678901234567", Wallet::Other),
            ("182345678901234567", Wallet::Other),
            ("912345678901234567", Wallet::Other),
        ] {
            assert_eq!(name(raw), Scan::OtherWallet(wallet), "{raw}");
        }
    }

    #[test]
    fn a_code_to_be_paid_by_is_the_wrong_way_round() {
        for raw in [
            "wxp://f2f0abc",
            "https://u.wechat.com/MJbZ0123456789",
            "http://weixin.qq.com/r/abc",
            "HTTPS://QR.ALIPAY.COM/FKX0",
            "https://qr.95516.com/00010000/62",
            "00020101021126330015vn.momo520400005303156540510.005802CN",
        ] {
            assert_eq!(name(raw), Scan::ReceiveCode, "{raw}");
        }
    }

    #[test]
    fn goods_need_their_check_digit() {
        for raw in [
            "6901234567892",
            "96385074",
            "036000291452",
            "]E06901234567892\r",
            "04252614",       // UPC-E
            "06901234567892", // GTIN-14
            "26901234567896",
            "200012300345010290", // weight and sum
        ] {
            assert!(matches!(name(raw), Scan::Goods(_)), "{raw}");
        }
        // The last three may be a piece of a payment code, an Alipay code, and a label torn off.
        for raw in [
            "6901234567893",
            "96385075",
            "036000291453",
            "690123456789",
            "04252615",
            "06901234567893",
            "200012300345010291",
            "14901234567891",
        ] {
            assert!(!matches!(name(raw), Scan::Goods(_)), "{raw}");
        }
    }

    #[test]
    fn receipts_are_known_by_their_numbers() {
        let number = "T01261122113000123456";
        assert!(matches!(name(number), Scan::OwnReceipt(own) if own.as_str() == number));
        assert_eq!(name("T02261122113000123456"), Scan::Noise);
        let transaction = "4200001234202611220123456789";
        assert_eq!(name(transaction), Scan::Transaction(transaction.to_owned()));
        assert!(is_complete("T02261122113000123456") && !is_complete("T022611221130001"));
    }

    #[test]
    fn noise_is_noise() {
        for raw in ["", " ", "1", "%%NoRead", "TERMID131", "https://example.com/", "]", "\\", "]C"]
        {
            assert_eq!(name(raw), Scan::Noise, "{raw:?}");
        }
    }

    #[test]
    fn debug_shows_no_digit_of_a_code_that_stands_for_money() {
        for raw in [CODE, "28763443825664394", "6212345678901234567", "0112345678901234567"] {
            let shown = format!("{:?}", name(raw));
            assert!(!shown.contains(|character: char| character.is_ascii_digit()), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_name(raw in "\\PC*|.*|[0-9]{0,30}|[]\\\\0-9]{0,30}") {
            if let Scan::Payment(code) = name(&raw) {
                prop_assert!(narrow(&raw).contains(code.expose()));
            }
        }
    }
}
