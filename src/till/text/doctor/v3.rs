//! What the doctor says of API v3: its keys, its certificates, and how close the clocks must be.

use super::Check::{Account, Certificate, Clock, Secrets};
use super::CheckResult;
use super::Verdict::{Fault, Warning};
use super::check::{result, well};
use crate::language::Language;
use crate::say;

/// A finding about API v3.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OfV3 {
    /// Whose certificate signs, and the id of the key that verifies; `None`: certificates do.
    Keys {
        serial: String,
        public_key_id: Option<String>,
    },
    /// Who sells: a merchant, or a service provider for a shop.
    Merchant {
        mch_id: String,
        shop: Option<String>,
    },
    /// It decrypts what the platform encrypts with it.
    ApiV3KeyGood,
    /// Nothing is encrypted with it but notifications.
    ApiV3KeyUnused,
    /// The certificate itself is not named.
    NoCertificate,
    /// They were downloaded; the last day of the newest.
    PlatformCertificates {
        count: usize,
        until: String,
    },
    /// The merchant has none.
    PublicKeyOnly,
    /// What was downloaded cannot be decrypted.
    WrongApiV3Key,
    /// Why they could not be downloaded.
    NoPlatformCertificates(String),
    AccountRefused(String),
    /// The answer cannot be verified with our keys.
    AccountNotOurs(String),
    /// By so many seconds: too much for any request to be accepted.
    ClockOff {
        seconds: u64,
        is_ahead: bool,
    },
}

impl OfV3 {
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub(super) fn result(&self, language: Language) -> CheckResult {
        match self {
            Self::Keys { serial, public_key_id: Some(id) } => well(
                Secrets,
                say!(
                    language,
                    "Requests are signed with certificate {serial}, answers verified with {id}.",
                    "请求用证书 {serial} 签名，返回结果用 {id} 验签。"
                ),
            ),
            Self::Keys { serial, public_key_id: None } => well(
                Secrets,
                say!(
                    language,
                    "Requests are signed with certificate {serial}, answers verified with platform \
                     certificates.",
                    "请求用证书 {serial} 签名，返回结果用平台证书验签。"
                ),
            ),
            Self::Merchant { mch_id, shop: None } => well(
                Account,
                say!(
                    language,
                    "Merchant {mch_id} sells on its own account.",
                    "直连商户，商户号 {mch_id}。"
                ),
            ),
            Self::Merchant { mch_id, shop: Some(shop) } => well(
                Account,
                say!(
                    language,
                    "Service provider {mch_id} sells for merchant {shop}.",
                    "服务商模式，服务商 {mch_id}，特约商户 {shop}。"
                ),
            ),
            Self::ApiV3KeyGood => well(
                Secrets,
                language.pick(
                    "The APIv3 key decrypts what WeChat Pay encrypts with it.",
                    "APIv3 密钥可以解密微信支付的加密内容。",
                ),
            ),
            Self::ApiV3KeyUnused => well(
                Secrets,
                language.pick(
                    "The APIv3 key cannot be tried out: for this merchant only notifications are \
                     encrypted with it.",
                    "暂时无法验证 APIv3 密钥：该商户只有通知使用它加密。",
                ),
            ),
            Self::NoCertificate => result(
                Certificate,
                Warning,
                language.pick(
                    "Only its serial number is set: nobody sees when the certificate ends.",
                    "只写了证书序列号，无法检查证书何时到期。",
                ),
                language.pick(
                    "Name the file as merchant_cert_file and leave merchant_serial out.",
                    "请用 merchant_cert_file 指定证书文件，并删去 merchant_serial。",
                ),
            ),
            Self::PlatformCertificates { count, until } => well(
                Certificate,
                say!(
                    language,
                    "Platform certificates downloaded: {count}, the newest valid until {until}.",
                    "已下载平台证书 {count} 份，最新一份有效期至 {until}。"
                ),
            ),
            Self::PublicKeyOnly => result(
                Certificate,
                Fault,
                language.pick(
                    "WeChat Pay has no platform certificate for this merchant: it signs with a \
                     public key.",
                    "该商户没有平台证书，微信支付用公钥签名。",
                ),
                language.pick(
                    "Download pub_key.pem under Account Center > API Security, and set \
                     public_key_file and public_key_id.",
                    "请在商户平台“账户中心 > API 安全”下载 pub_key.pem，并设置 public_key_file 和 public_key_id。",
                ),
            ),
            Self::WrongApiV3Key => result(
                Secrets,
                Fault,
                language.pick(
                    "The APIv3 key does not fit: the certificates cannot be decrypted with it.",
                    "APIv3 密钥不对：无法解密平台证书。",
                ),
                language.pick(
                    "Is it the APIv2 key? The platform never shows the APIv3 key again: set a new \
                     one under Account Center > API Security, and here.",
                    "是否误用了 APIv2 密钥？平台不会再次显示 APIv3 密钥：请在商户平台“账户中心 > API安全”重新设置，并同时更新此处。",
                ),
            ),
            Self::NoPlatformCertificates(why) => result(
                Certificate,
                Fault,
                say!(
                    language,
                    "The platform certificates cannot be downloaded: {why}.",
                    "无法下载平台证书：{why}。"
                ),
                language.pick(
                    "Until they are, no answer can be believed and nothing can be sold.",
                    "下载成功之前无法确认任何结果，也就无法收款。",
                ),
            ),
            Self::AccountRefused(said) => {
                result(Account, Fault, said.as_str(), credentials(language))
            }
            Self::AccountNotOurs(said) => result(
                Account,
                Fault,
                said.as_str(),
                language.pick(
                    "Compare public_key_file and public_key_id with the merchant platform (Account \
                     Center > API Security > WeChat Pay public key); they are not the merchant's own \
                     key and certificate.",
                    "请与商户平台（账户中心 > API安全 > 微信支付公钥）核对 public_key_file 和 public_key_id；\
                     不能是商户自己的公钥或证书。",
                ),
            ),
            Self::ClockOff { seconds, is_ahead } => {
                let ahead = language.pick(
                    if *is_ahead { "ahead" } else { "behind" },
                    if *is_ahead { "快" } else { "慢" },
                );
                result(
                    Clock,
                    Fault,
                    say!(
                        language,
                        "This machine's clock is {seconds} s {ahead}: beyond 300 s every request is \
                         refused and every answer ignored.",
                        "本机时钟{ahead} {seconds} 秒：相差超过 300 秒时，请求会被拒绝，返回结果也会被忽略。"
                    ),
                    language.pick(
                        "Have this machine's clock set over the network (NTP).",
                        "请启用网络对时（NTP）校准本机时钟。",
                    ),
                )
            }
        }
    }
}

fn credentials(language: Language) -> &'static str {
    language.pick(
        "Compare app_id (Product Center > AppID Accounts), mch_id (Account Center > Merchant \
         Information), the certificate's serial number and its private key (Account Center > API \
         Security) with the merchant platform, and ask there whether API v3 of payment codes is open \
         to you.",
        "请与商户平台核对 app_id（产品中心 > AppID账号管理）、mch_id（账户中心 > 商户信息）、证书序列号和私钥（账户中心 > API安全），\
         并确认已开通付款码支付的 APIv3 接口。",
    )
}
