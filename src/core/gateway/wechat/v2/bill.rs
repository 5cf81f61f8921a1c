//! The bill of a day: how it is asked for, and what comes in its place (protocol 7.1 and 7.2).
//!
//! Neither the bill nor a refusal is signed: they are only as good as the connection.

use super::{RECORDED_CELLS, WechatV2};
use crate::clean::clean;
use crate::clock::Date;
use crate::gateway::wechat::fields::Fields;
use crate::gateway::{Outgoing, Stamp};
use crate::order::Merchant;

/// Why there is no bill.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// Nothing was paid and nothing refunded on that day, or it is too early or too late to ask.
    NoBill,
    /// It is being made.
    Creating,
    /// The gateway is in trouble: later.
    Busy(String),
    /// The request is at fault, which is our set-up; the gateway's words.
    Refused(String),
}

impl WechatV2 {
    /// Asks for the bill of a day with payments, refunds and reversals, compressed.
    pub fn encode_bill(&self, merchant: &Merchant, day: Date, stamp: &Stamp) -> Outgoing {
        let mut fields = self.of(merchant);
        fields.set("bill_date", day.strftime("%Y%m%d").to_string());
        fields.set("bill_type", "ALL");
        fields.set("tar_type", "GZIP");
        self.outgoing("/pay/downloadbill", false, fields, stamp)
    }
}

impl Refusal {
    /// What a message says that came in place of a bill; `None` if it is no message. Words and
    /// numbers have been seen in several spellings.
    pub fn read(body: &[u8]) -> Option<Self> {
        let fields = Fields::from_xml(body).ok()?;
        let names = ["return_msg", "err_code", "err_code_des", "error_code"];
        let said = names.into_iter().filter_map(|name| fields.get(name));
        let said = clean(&said.collect::<Vec<_>>().join(" "), RECORDED_CELLS);
        let letters: String =
            said.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_uppercase();
        let says = |word| letters.contains(word);
        Some(if says("NOBILLEXIST") {
            Self::NoBill
        } else if says("BILLCREATING") {
            Self::Creating
        } else if says("SYSTEMERROR") || says("COMPRESSGZIPERROR") || says("FREQUENCY") {
            Self::Busy(said)
        } else {
            Self::Refused(said)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::gateway::wechat::fields::SignType;

    #[test]
    fn a_bill_is_asked_for_by_day_and_signed() {
        let key = "0123456789abcdef0123456789ABCDEF";
        let codec = WechatV2::new(SignType::HmacSha256, key.to_owned().into());
        let merchant = Merchant {
            app_id: "wx8888888888888888".into(),
            mch_id: "1900000109".into(),
            sub_app_id: String::new(),
            sub_mch_id: "1511458511".into(),
        };
        let stamp = Stamp { time: Timestamp(0), nonce: "n".repeat(32) };
        let day = Date::new(2026, 11, 2).unwrap();
        let outgoing = codec.encode_bill(&merchant, day, &stamp);
        assert_eq!(outgoing.request.uri().path(), "/pay/downloadbill");
        assert!(!outgoing.certificate);
        let fields = Fields::from_xml(outgoing.request.body()).unwrap();
        assert!(fields.is_signed(SignType::HmacSha256, key));
        for (name, value) in [
            ("bill_date", "20261102"),
            ("bill_type", "ALL"),
            ("tar_type", "GZIP"),
            ("sub_mch_id", "1511458511"),
        ] {
            assert_eq!(fields.get(name), Some(value));
        }
    }

    #[test]
    fn a_refusal_is_known_by_its_words() {
        let read = |text: &str| {
            let xml = format!(
                "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{text}]]>\
                 </return_msg><error_code>20002</error_code></xml>"
            );
            Refusal::read(xml.as_bytes()).unwrap()
        };
        for text in ["NO Bill Exist", "No Bill Exist", "no bill exist"] {
            assert_eq!(read(text), Refusal::NoBill);
        }
        assert_eq!(read("Bill Creating"), Refusal::Creating);
        assert_eq!(read("SYSTEMERROR"), Refusal::Busy("SYSTEMERROR 20002".into()));
        assert_eq!(read("CompressGZip Error"), Refusal::Busy("CompressGZip Error 20002".into()));
        assert_eq!(read("SIGN ERROR"), Refusal::Refused("SIGN ERROR 20002".into()));
        assert_eq!(read("签名错误"), Refusal::Refused("签名错误 20002".into()));
        let coded = b"<xml><result_code>FAIL</result_code><err_code>NO_BILL_EXIST</err_code></xml>";
        assert_eq!(Refusal::read(coded), Some(Refusal::NoBill));
        assert_eq!(Refusal::read(b"<html></html>"), None);
        assert_eq!(Refusal::read("交易时间".as_bytes()), None);
    }
}
