//! The merchant, as WeChat Pay names it, and where that is to tell of payments.

use paytill_core::both;
use paytill_core::order::Merchant;

use super::platform::PlatformValue;
use crate::config::ConfigError;
use crate::config::file::Section;

/// The longest text of which a sentence can still say what is wrong.
const NAME_CELLS: usize = 64;
/// The most characters the gateway accepts as its own ids (protocol 3.2).
const ID_LENGTH: usize = 32;

/// The ids that WeChat Pay gave to the merchant, as far as they are there.
pub(super) fn merchant(section: Section<'_>) -> Result<Merchant, ConfigError> {
    let id = |key| {
        let id = section.text(key, NAME_CELLS)?.unwrap_or_default();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if id.len() <= ID_LENGTH && id.bytes().all(allowed) {
            return Ok(id);
        }
        let sentence = both!(
            "must be at most {ID_LENGTH} letters and digits of ASCII",
            "必须是英文字母和数字，最多 {ID_LENGTH} 个"
        );
        Err(section.wrong(key, &sentence))
    };
    let merchant = Merchant {
        app_id: id("app_id")?,
        mch_id: id("mch_id")?,
        sub_app_id: id("sub_app_id")?,
        sub_mch_id: id("sub_mch_id")?,
    };
    if merchant.sub_mch_id.is_empty() && !merchant.sub_app_id.is_empty() {
        let sentence =
            both!("is of use only together with sub_mch_id", "只能与 sub_mch_id 一起使用");
        return Err(section.wrong("sub_app_id", &PlatformValue::ShopId.found(&sentence)));
    }
    Ok(merchant)
}

/// Those that are missing and that every merchant has.
pub(super) fn missing_ids(section: Section<'_>, merchant: &Merchant) -> Vec<ConfigError> {
    let missing = |key, value: PlatformValue| {
        let sentence = both!(
            "is missing; WeChat Pay gave it to the merchant",
            "没有设置；开通微信支付时会提供给商户"
        );
        section.wrong(key, &value.found(&sentence))
    };
    let ids = [
        ("app_id", &merchant.app_id, PlatformValue::AppId),
        ("mch_id", &merchant.mch_id, PlatformValue::MerchantId),
    ];
    let lacking = ids.into_iter().filter(|(_, id, _)| id.is_empty());
    lacking.map(|(key, _, value)| missing(key, value)).collect()
}

/// Where WeChat Pay tells of payments by our code: an address with a path and without a query.
pub(super) fn notify_url(section: Section<'_>) -> Result<Option<String>, ConfigError> {
    let Some(text) = section.text("notify_url", 256)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
    let has_path = rest
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(host, path)| !host.is_empty() && !path.is_empty());
    if is_plain && has_path {
        return Ok(Some(text));
    }
    let sentence = both!(
        "must be an address such as https://pay.example.com/notify, without ? and #, or \"\"",
        "必须是 https://pay.example.com/notify 这样的地址，不含 ? 和 #，或 \"\""
    );
    Err(section.wrong("notify_url", &sentence))
}
