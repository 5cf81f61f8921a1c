//! The gateway's codes in one spelling, whichever version of its API said them.
//!
//! API v3 writes most codes of API v2 with more underscores, and each with and without them on
//! different pages (apiv3 4.1). Programs and sentences know them by the spelling of API v2.

/// Codes of API v2 that API v3 has too.
const KNOWN: [&str; 31] = [
    "APPID_MCHID_NOT_MATCH",
    "APPID_NOT_EXIST",
    "AUTHCODEEXPIRE",
    "AUTH_CODE_ERROR",
    "AUTH_CODE_INVALID",
    "BANKERROR",
    "BUYER_MISMATCH",
    "FREQUENCY_LIMITED",
    "INVALID_REQUEST",
    "INVALID_TRANSACTIONID",
    "LACK_PARAMS",
    "MCHID_NOT_EXIST",
    "NOAUTH",
    "NOTENOUGH",
    "NOTSUPORTCARD",
    "ORDERCLOSED",
    "ORDERNOTEXIST",
    "ORDERPAID",
    "ORDERREVERSED",
    "OUT_TRADE_NO_USED",
    "PARAM_ERROR",
    "REFUNDNOTEXIST",
    "REQUIRE_POST_METHOD",
    "REVERSE_EXPIRE",
    "SIGNERROR",
    "SYSTEMERROR",
    "TRADE_ERROR",
    "TRADE_OVERDUE",
    "USERPAYING",
    "USER_ACCOUNT_ABNORMAL",
    "XML_FORMAT_ERROR",
];

/// Other words for some of them, without underscores.
const OTHER_WORDS: [(&str, &str); 5] = [
    ("AUTHCODEEXPIRED", "AUTHCODEEXPIRE"),
    ("MCHNOTEXISTS", "MCHID_NOT_EXIST"),
    ("NOTSUPPORTCARD", "NOTSUPORTCARD"),
    ("RATELIMITEXCEEDED", "FREQUENCY_LIMITED"),
    ("SERVICEUNAVAILABLE", "SYSTEMERROR"),
];

/// The code in the spelling of API v2; one that is not known, as it is.
pub(super) fn in_one_spelling(code: &str) -> &str {
    let is_code = |known: &str| {
        let letters = |text: &str| text.bytes().filter(|byte| *byte != b'_').collect::<Vec<_>>();
        letters(known) == letters(code)
    };
    if let Some(known) = KNOWN.into_iter().find(|known| is_code(known)) {
        return known;
    }
    OTHER_WORDS.into_iter().find(|(word, _)| is_code(word)).map_or(code, |(_, known)| known)
}
