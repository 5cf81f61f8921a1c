//! Where on the merchant platform (pay.weixin.qq.com) the values of a configuration are found.

use paytill_core::language::Text;
use paytill_core::{both, say};

/// A value that the platform shows or takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlatformValue {
    AppId,
    MerchantId,
    /// The merchant that a service provider acts for.
    ShopId,
    ApiV2Key,
    ApiV3Key,
    Certificate,
    PrivateKey,
    SerialNumber,
    PublicKey,
    PublicKeyId,
}

impl PlatformValue {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::AppId,
        Self::MerchantId,
        Self::ShopId,
        Self::ApiV2Key,
        Self::ApiV3Key,
        Self::Certificate,
        Self::PrivateKey,
        Self::SerialNumber,
        Self::PublicKey,
        Self::PublicKeyId,
    ];

    /// The path through the platform's menus.
    pub fn place(self) -> Text {
        match self {
            Self::AppId => {
                both!("Product Center > AppID Accounts", "产品中心 > AppID账号管理")
            }
            Self::MerchantId => {
                both!("Account Center > Merchant Information", "账户中心 > 商户信息")
            }
            Self::ShopId => both!(
                "Service Provider Functions > Sub-merchant Management",
                "服务商功能 > 子商户管理"
            ),
            Self::ApiV2Key => both!(
                "Account Center > API Security > APIv2 key, never shown again once it is set",
                "账户中心 > API安全 > APIv2密钥，设置后不再显示"
            ),
            Self::ApiV3Key => both!(
                "Account Center > API Security > APIv3 key, never shown again once it is set",
                "账户中心 > API安全 > APIv3密钥，设置后不再显示"
            ),
            Self::Certificate => both!(
                "Account Center > API Security > Merchant API certificate: apiclient_cert.pem",
                "账户中心 > API安全 > 商户API证书：apiclient_cert.pem"
            ),
            Self::PrivateKey => both!(
                "Account Center > API Security > Merchant API certificate: apiclient_key.pem, made \
                 with it and handed out once",
                "账户中心 > API安全 > 商户API证书：apiclient_key.pem，申请证书时生成，只提供一次"
            ),
            Self::SerialNumber => both!(
                "Account Center > API Security > Merchant API certificate > Manage",
                "账户中心 > API安全 > 商户API证书 > 管理证书"
            ),
            Self::PublicKey => both!(
                "Account Center > API Security > WeChat Pay public key: pub_key.pem",
                "账户中心 > API安全 > 微信支付公钥：pub_key.pem"
            ),
            Self::PublicKeyId => both!(
                "Account Center > API Security > WeChat Pay public key, its id",
                "账户中心 > API安全 > 微信支付公钥，公钥ID"
            ),
        }
    }

    /// What was said of the value, and where it is found.
    pub fn found(self, sentence: &Text) -> Text {
        let place = self.place();
        Text::each(|language| {
            let (said, at) = (sentence.in_language(language), place.in_language(language));
            say!(language, "{said} (merchant platform: {at})", "{said}（商户平台：{at}）")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paytill_core::language::Language;

    #[test]
    fn every_value_has_its_place_in_both_languages_and_they_differ() {
        for value in PlatformValue::ALL {
            let place = value.place();
            let (english, chinese) =
                (place.in_language(Language::English), place.in_language(Language::Chinese));
            assert!(english.is_ascii() && !chinese.is_ascii(), "{value:?}");
            assert_eq!(english.matches(" > ").count(), chinese.matches(" > ").count());
            let same = PlatformValue::ALL.into_iter().filter(|other| other.place() == place);
            assert_eq!(same.count(), 1, "{value:?}");
        }
        let said = PlatformValue::ApiV3Key.found(&both!("is missing", "没有设置"));
        let english = "is missing (merchant platform: Account Center > API Security > APIv3 key, \
                       never shown again once it is set)";
        assert_eq!(said.in_language(Language::English), english);
    }
}
