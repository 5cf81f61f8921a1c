//! Why no trusted connection to the gateway comes about, with the cure in the same sentence.

use crate::payment::TillCause;

/// The sentence for such a cause in English and in Chinese; of any other cause, that of a
/// certificate.
pub(super) const fn words(cause: TillCause) -> (&'static str, &'static str) {
    match cause {
        TillCause::ClockBehind => (
            "This machine's clock is behind, so WeChat Pay's certificate seems not valid yet: \
             set the clock.",
            "本机时钟偏慢，微信支付的证书看似尚未生效：请先校准时钟。",
        ),
        TillCause::CertificateExpired => (
            "By this machine's clock WeChat Pay's certificate has expired: check the date here \
             first.",
            "按本机日期，微信支付的证书已过期：请先核对本机日期。",
        ),
        TillCause::UnknownRoot => (
            "Whoever answered showed a certificate that this machine does not trust: log in to \
             the network if it asks for that, or name an inspecting proxy's root in ca_file.",
            "对方出示的证书不受本机信任：如网络需要登录，请先登录；如由代理检查流量，请在 ca_file \
             中指定其根证书。",
        ),
        TillCause::WrongHostName => (
            "Another host answered in place of WeChat Pay: check base_url, the name server, and \
             whether the network asks for a log-in.",
            "应答的是另一台主机，不是微信支付：请检查 base_url、域名解析，以及网络是否需要登录。",
        ),
        TillCause::PlainHttp => (
            "Something without encryption answered in place of WeChat Pay: log in to the network \
             if it asks for that, and check port and proxy.",
            "应答方没有加密，不是微信支付：如网络需要登录，请先登录，并检查端口和代理设置。",
        ),
        TillCause::OwnCertificate => (
            "The shop's own certificate was refused: compare client_cert_file with the merchant \
             platform.",
            "商户证书被拒绝：请将 client_cert_file 与商户平台上的证书核对。",
        ),
        TillCause::ProxyRefused => (
            "The proxy refused the connection to WeChat Pay: check proxy in the gateway's section, \
             and what the proxy allows.",
            "代理拒绝了到微信支付的连接：请检查网关配置中的 proxy 以及代理的放行规则。",
        ),
        _ => (
            "WeChat Pay's certificate or the shop's own was not accepted.",
            "微信支付证书或商户证书未通过验证。",
        ),
    }
}
