//! Bills.

use super::*;
use crate::clock::Date;
use crate::gateway::wechat::v2::bill::Refusal;
use crate::gateway::wechat::v3::bill::Digester;

const NAMED: &str = r#"{"hash_type":"SHA1","hash_value":"a9993e364706816aba3e25717850c26c9cd0d89d","download_url":"https://api.mch.weixin.qq.com/v3/billdownload/file?token=6XIv5"}"#;

fn digester(bytes: &[u8]) -> Digester {
    let mut digester = Digester::default();
    bytes.chunks(2).for_each(|piece| digester.take(piece));
    digester
}

#[test]
fn a_bill_is_asked_for_by_day_found_by_its_address_and_known_by_its_digest() {
    let gateway = gateway();
    let day = Date::new(2026, 11, 2).unwrap();
    let asked = gateway.encode_bill(&merchant(), day, &stamp());
    let target = "/v3/bill/tradebill?bill_date=2026-11-02&bill_type=ALL&tar_type=GZIP";
    assert_eq!(asked.request.uri(), target);
    let shop = Merchant { sub_mch_id: "1900000110".into(), ..merchant() };
    let asked = gateway.encode_bill(&shop, day, &stamp());
    assert_eq!(asked.request.uri(), &*format!("{target}&sub_mchid=1900000110"));
    let place = gateway.read_bill(&signed(200, NAMED), NOW).unwrap();
    let asked = gateway.encode_download(&place, &merchant(), &stamp());
    assert_eq!(asked.request.uri(), "/v3/billdownload/file?token=6XIv5");
    assert!(asked.request.headers().contains_key("Authorization"));
    let fits = |came: &[u8], inside: &[u8]| place.digest().fits(digester(came), digester(inside));
    assert!(fits(b"abc", b"") && fits(b"zip", b"abc"));
    assert!(!fits(b"abd", b"ab"));
}

#[test]
fn what_comes_in_place_of_a_bill_is_told() {
    let read = |reply: &Reply| gateway().read_bill(reply, NOW).unwrap_err();
    let coded = |status, code: &str| bare(status, &format!(r#"{{"code":"{code}","message":"x"}}"#));
    assert_eq!(read(&coded(400, "NO_STATEMENT_EXIST")), Refusal::NoBill);
    assert_eq!(read(&coded(400, "STATEMENT_CREATING")), Refusal::Creating);
    for (status, code) in [(500, "SYSTEM_ERROR"), (429, "FREQUENCY_LIMITED"), (503, "NEW")] {
        assert_eq!(read(&coded(status, code)), Refusal::Busy(format!("{code} x")));
    }
    assert_eq!(read(&coded(403, "NO_AUTH")), Refusal::Refused("NO_AUTH x".into()));
    assert!(matches!(read(&bare(502, "<html>")), Refusal::Busy(_)));
    assert!(matches!(read(&bare(200, NAMED)), Refusal::Busy(_)), "it is not signed");
    for (from, to) in [
        ("SHA1", "MD5"),
        ("a9993e36", "zzzzzzzz"),
        ("a9993e36", ""),
        ("https://", "http://"),
        ("/v3/billdownload", "/elsewhere"),
        ("token=", "token= "),
    ] {
        let reply = signed(200, &NAMED.replace(from, to));
        assert_eq!(read(&reply), Refusal::Busy("download_url".into()), "{to}");
    }
}
