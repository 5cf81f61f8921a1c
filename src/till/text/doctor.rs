//! The findings of `paytill doctor`, and the advice for each.
//!
//! A finding says what was found in one sentence, and what to do in another unless all is well.
//! [`Check`] and [`Verdict`] have a word each for people and for `--json`; the latter never
//! changes.

mod backend;
mod books;
mod check;
mod terminal;
#[cfg(test)]
mod tests;
mod v3;

use super::device;
use crate::device::DeviceFault;
use crate::journal::Head;
use crate::language::Language;
use crate::say;

pub use backend::OfBackend;
pub use check::{Check, CheckResult, Verdict};
use check::{milliseconds, result, well};
pub use terminal::TerminalState;
pub use v3::OfV3;

/// One finding. Texts inside it are cleaned when it is printed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Finding {
    Configured(String),
    Unconfigured,
    ConfigurationWrong(String),
    /// Others can write the file.
    ConfigurationOpen(String),
    SecretsRead,
    SecretsWrong(String),
    Goods(Result<usize, String>),
    /// The list of operators cannot be used.
    OperatorsWrong(String),
    /// The last day of its validity.
    CertificateGood(String),
    CertificateEnds {
        until: String,
        days: i64,
    },
    CertificateEnded(String),
    CertificateNotYet(String),
    CertificateUnreadable,
    /// The reason, in the words for a failed call.
    CertificateRefused(String),
    /// What came in place of an answer.
    CertificatePage(String),
    /// It was issued to another merchant number than the one that is set.
    CertificateForeign {
        holder: String,
        merchant: String,
    },
    OfV3(OfV3),
    OfBackend(OfBackend),
    Training,
    Reached(String),
    Unreachable {
        host: String,
        why: String,
        is_backup: bool,
    },
    /// It answers with an error of its own.
    HostInTrouble {
        host: String,
        page: String,
        is_backup: bool,
    },
    /// There is nothing to check the gateway's certificate with.
    NoRoots(String),
    /// What a query got in place of an answer, in the words for a failed call.
    QueryPage(String),
    /// `ca_file` is set, although this is the real gateway.
    OwnRoots,
    AccountGood,
    AccountMd5,
    /// What the gateway answered.
    AccountRefused(String),
    /// The answer is not signed with our key, or belongs to another merchant.
    AccountNotOurs(String),
    AccountUnclear(String),
    /// The clock is right to within this many seconds.
    ClockRight(u64),
    /// How many seconds it is ahead of the gateway's clock, or behind it.
    ClockWrong {
        seconds: u64,
        is_ahead: bool,
        verdict: Verdict,
    },
    ClockUncompared,
    TillRunning,
    TillNotRunning,
    /// How many order numbers were already in use.
    NumbersTaken(i64),
    NoJournal(String),
    JournalWhole {
        orders: i64,
        open: i64,
        head: Option<Head>,
    },
    JournalAttention(i64),
    /// As a kill or a power cut leaves it.
    JournalNotClosed,
    RefundsUnclear(i64),
    JournalWrong(String),
    DiskGood {
        free_mib: u64,
        flush_us: u64,
    },
    DiskFull {
        free_mib: u64,
        verdict: Verdict,
    },
    FlushTooFast(u64),
    DiskUnwritable {
        folder: String,
        why: String,
    },
    NoDevice(Check),
    /// None is connected, and none is expected.
    NoScanner,
    ScannerMissed,
    /// Its port can be opened, and could as well be the printer's.
    ScannerUnproved(String),
    DeviceReady(Check, String),
    /// In use by the running till.
    DeviceInUse(Check, String),
    DeviceAbsent(Check, String),
    DeviceWrong(Check, String, DeviceFault),
    Terminal(TerminalState),
}

impl Finding {
    /// The finding in a language.
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub fn result(&self, language: Language) -> CheckResult {
        use Check::{
            Account, Certificate, Clock, Configuration, Disk, Gateway, Journal, Secrets, Till,
        };
        use Verdict::{Fault, Warning};
        let renew = language.pick(
            "Get a new certificate from the merchant platform: without one no payment can be reversed.",
            "请在商户平台申请新证书；没有有效证书就无法撤销支付。",
        );
        let set_clock = language.pick(
            "Have this machine's clock set over the network (NTP).",
            "请启用网络对时（NTP）校准本机时钟。",
        );
        let credentials = language.pick(
            "Compare app_id, mch_id, sign_type and the APIv2 key with the merchant platform (Account \
             Center > API Security); the APIv3 key is another one.",
            "请与商户平台（账户中心 > API安全）核对 app_id、mch_id、sign_type 和 APIv2 密钥；不要误用 APIv3 密钥。",
        );
        match self {
            Self::OfV3(finding) => finding.result(language),
            Self::OfBackend(finding) => finding.result(language),
            Self::Configured(file) => {
                well(Configuration, say!(language, "Read from {file}.", "读自 {file}。"))
            }
            Self::Unconfigured => well(
                Configuration,
                language.pick(
                    "No configuration file found: training mode.",
                    "没有配置文件，处于练习模式。",
                ),
            ),
            Self::ConfigurationWrong(sentence) => result(
                Configuration,
                Fault,
                sentence.as_str(),
                language.pick(
                    "Fix that line: until then nothing can be sold, and its section is not checked.",
                    "请改正这一行；改正前无法收款，该节内容也不作检查。",
                ),
            ),
            Self::ConfigurationOpen(sentence) => result(
                Configuration,
                Fault,
                sentence.as_str(),
                language.pick(
                    "Until then nothing can be sold: who can write this file can redirect payments.",
                    "处理之前无法收款：能改写此文件的人可以把付款转到别处。",
                ),
            ),
            Self::Goods(found) => books::goods(found, language),
            Self::OperatorsWrong(sentence) => result(
                Secrets,
                Fault,
                sentence.as_str(),
                language.pick(
                    "Until then the screen does not start, and nobody can sign in.",
                    "处理之前收银界面无法启动，也无法登录。",
                ),
            ),
            Self::SecretsRead => well(
                Secrets,
                language.pick(
                    "Key and certificate are there, match, and nobody else can read them.",
                    "密钥和证书齐全、匹配，且他人不可读。",
                ),
            ),
            Self::SecretsWrong(sentence) => result(
                Secrets,
                Fault,
                sentence.as_str(),
                language.pick(
                    "Do that and run paytill doctor again. Files and key come from pay.weixin.qq.com, under Account Center > API Security.",
                    "请照做后再运行 paytill doctor。文件和密钥在商户平台 pay.weixin.qq.com 的“账户中心 > API安全”。",
                ),
            ),
            Self::CertificateGood(until) => well(
                Certificate,
                say!(
                    language,
                    "The merchant's certificate is valid until {until}.",
                    "商户证书有效期至 {until}。"
                ),
            ),
            Self::CertificateEnds { until, days } => result(
                Certificate,
                Warning,
                say!(
                    language,
                    "The merchant's certificate expires on {until}, in {days} days.",
                    "商户证书将于 {until} 到期，还有 {days} 天。"
                ),
                renew,
            ),
            Self::CertificateEnded(until) => result(
                Certificate,
                Fault,
                say!(
                    language,
                    "The merchant's certificate expired on {until}.",
                    "商户证书已于 {until} 到期。"
                ),
                renew,
            ),
            Self::CertificateNotYet(from) => result(
                Certificate,
                Fault,
                say!(
                    language,
                    "The merchant's certificate is not valid before {from}.",
                    "商户证书自 {from} 起才有效。"
                ),
                set_clock,
            ),
            Self::CertificateUnreadable => result(
                Certificate,
                Warning,
                language.pick(
                    "The expiry date of the merchant's certificate cannot be read.",
                    "无法读出商户证书的有效期。",
                ),
                language.pick(
                    "Look it up with: openssl x509 -noout -enddate -in apiclient_cert.pem",
                    "请运行：openssl x509 -noout -enddate -in apiclient_cert.pem",
                ),
            ),
            Self::CertificateRefused(why) => result(
                Certificate,
                Fault,
                say!(
                    language,
                    "No connection can be made with the merchant's certificate. {why}",
                    "使用商户证书无法建立连接。{why}"
                ),
                renew,
            ),
            Self::CertificatePage(page) => result(
                Certificate,
                Fault,
                say!(
                    language,
                    "A visit with the merchant's certificate gets an error page ({page}).",
                    "使用商户证书访问，得到的是错误页面（{page}）。"
                ),
                language.pick(
                    "Compare client_cert_file with the merchant platform: payments cannot be reversed.",
                    "请将 client_cert_file 与商户平台核对：目前无法撤销支付。",
                ),
            ),
            Self::CertificateForeign { holder, merchant } => result(
                Certificate,
                Fault,
                say!(
                    language,
                    "It was issued to merchant {holder}, but mch_id is {merchant}.",
                    "证书属于商户 {holder}，而 mch_id 是 {merchant}。"
                ),
                language.pick(
                    "Use the certificate of this mch_id: with another no payment can be reversed.",
                    "请使用该 mch_id 的证书；用别的证书无法撤销支付。",
                ),
            ),
            Self::Training => well(
                Gateway,
                language.pick(
                    "Simulated inside the till; no money moves.",
                    "使用内置模拟网关，不会真实扣款。",
                ),
            ),
            Self::Reached(host) => {
                well(Gateway, say!(language, "{host} answers.", "{host} 有应答。"))
            }
            Self::Unreachable { host, why, is_backup } => result(
                Gateway,
                if *is_backup { Warning } else { Fault },
                say!(language, "{host}: {why}", "{host}：{why}"),
                language.pick(
                    "Check the network, the name server, proxy, base_url and backup_url.",
                    "请检查网络、域名解析、代理以及配置中的网关地址。",
                ),
            ),
            Self::HostInTrouble { host, page, is_backup } => result(
                Gateway,
                if *is_backup { Warning } else { Fault },
                say!(
                    language,
                    "{host} answers with an error ({page}).",
                    "{host} 返回错误（{page}）。"
                ),
                language.pick(
                    "Run this again in a minute; if it stays, check what lies between.",
                    "请一分钟后再运行；若仍如此，请检查中间的代理或网络设备。",
                ),
            ),
            Self::NoRoots(sentence) => result(
                Gateway,
                Fault,
                sentence.as_str(),
                language.pick(
                    "Until then the gateway cannot be told from an impostor, and nothing is sent.",
                    "在此之前无法辨别网关真伪，不会发出任何请求。",
                ),
            ),
            Self::QueryPage(said) => result(
                Gateway,
                Fault,
                said.as_str(),
                language.pick(
                    "Check base_url, and what answers in place of the gateway: proxy, log-in page.",
                    "请检查 base_url，以及代替网关应答的是什么：代理或登录页面。",
                ),
            ),
            Self::OwnRoots => result(
                Gateway,
                Warning,
                language.pick(
                    "ca_file replaces the public roots for the real gateway.",
                    "正式网关被设置为只信任 ca_file 中的根证书。",
                ),
                language.pick(
                    "Empty ca_file, unless a proxy of your own has to read this traffic.",
                    "除非由自有代理检查流量，否则请清空 ca_file。",
                ),
            ),
            Self::AccountGood => well(
                Account,
                language.pick(
                    "The gateway accepts app_id, mch_id and key, and signs its answer with the same key.",
                    "网关认可 app_id、mch_id 和密钥，其答复的签名也正确。",
                ),
            ),
            Self::AccountMd5 => result(
                Account,
                Warning,
                language.pick("Messages are signed with MD5.", "报文使用 MD5 签名。"),
                language.pick(
                    "Set sign_type = \"HMAC-SHA256\", unless the account allows MD5 alone.",
                    "除非账号只支持 MD5，否则请设置 sign_type = \"HMAC-SHA256\"。",
                ),
            ),
            Self::AccountRefused(said) => result(
                Account,
                Fault,
                say!(language, "The gateway refuses a query. {said}", "网关拒绝了查询。{said}"),
                credentials,
            ),
            Self::AccountNotOurs(said) => result(Account, Fault, said.as_str(), credentials),
            Self::AccountUnclear(said) => result(
                Account,
                Warning,
                say!(
                    language,
                    "A query for a number that does not exist got an unexpected answer. {said}",
                    "查询一个不存在的单号，未得到应有的答复。{said}"
                ),
                language.pick(
                    "Run this again in a minute; if it stays, check app_id, mch_id and key.",
                    "请一分钟后再运行；若仍如此，请核对 app_id、mch_id 和密钥。",
                ),
            ),
            Self::ClockRight(seconds) => well(
                Clock,
                say!(
                    language,
                    "It agrees with the gateway's within {seconds} s.",
                    "与网关时间相差不超过 {seconds} 秒。"
                ),
            ),
            Self::ClockWrong { seconds, is_ahead, verdict } => {
                let way = if *is_ahead {
                    language.pick("ahead of", "快")
                } else {
                    language.pick("behind", "慢")
                };
                result(
                    Clock,
                    *verdict,
                    say!(
                        language,
                        "It is {seconds} s {way} the gateway's.",
                        "比网关时间{way} {seconds} 秒。"
                    ),
                    set_clock,
                )
            }
            Self::ClockUncompared => well(
                Clock,
                language.pick(
                    "The gateway does not report its time, so it was not compared.",
                    "网关没有给出时间，未作比较。",
                ),
            ),
            Self::TillRunning => well(
                Till,
                language.pick(
                    "A till is running on this journal; this check does not disturb it.",
                    "收银程序正在运行，本检查不会打扰它。",
                ),
            ),
            Self::TillNotRunning => well(
                Till,
                language.pick("None is running on this journal.", "没有收银程序在运行。"),
            ),
            Self::NumbersTaken(count) => result(
                Till,
                Warning,
                say!(
                    language,
                    "The gateway knew {count} of its order numbers before they were used.",
                    "有 {count} 个单号在使用前已被网关记录。"
                ),
                language.pick(
                    "Make sure that no two tills of the shop have the same till.id.",
                    "请确认店内没有两台收银机使用相同的 till.id。",
                ),
            ),
            Self::NoJournal(path) => well(
                Journal,
                say!(
                    language,
                    "There is none yet at {path}; the first start makes it.",
                    "{path} 尚不存在，首次启动时建立。"
                ),
            ),
            Self::JournalWhole { orders, open, head } => {
                well(Journal, books::whole(*orders, *open, head.as_ref(), language))
            }
            Self::RefundsUnclear(count) => books::refunds_unclear(*count, language),
            Self::JournalAttention(count) => books::attention(*count, language),
            Self::JournalNotClosed => result(
                Journal,
                Warning,
                language.pick(
                    "It was not closed: the till was killed or the power failed. Nothing is missing.",
                    "上次没有正常关闭：程序被强行结束或曾断电。记录没有缺失。",
                ),
                language.pick(
                    "The next start goes on with it. To move it, take the files beside it along.",
                    "下次启动会照常继续。如需移动，请连同旁边的文件一起移动。",
                ),
            ),
            Self::JournalWrong(sentence) => result(
                Journal,
                Fault,
                sentence.as_str(),
                language.pick(
                    "Do this before anything is sold; never delete the files beside the journal.",
                    "请先照此处理再收款；切勿删除交易记录旁边的文件。",
                ),
            ),
            Self::DiskGood { free_mib, flush_us } => {
                let ms = milliseconds(*flush_us);
                well(
                    Disk,
                    say!(
                        language,
                        "{free_mib} MiB are free, and a flush takes {ms} ms.",
                        "剩余 {free_mib} MiB，写盘耗时 {ms} 毫秒。"
                    ),
                )
            }
            Self::DiskFull { free_mib, verdict } => result(
                Disk,
                *verdict,
                say!(
                    language,
                    "Only {free_mib} MiB are free where the journal is.",
                    "交易记录所在磁盘仅剩 {free_mib} MiB。"
                ),
                language.pick(
                    "Make room: without it nothing can be sold.",
                    "请腾出空间，否则无法收款。",
                ),
            ),
            Self::FlushTooFast(flush_us) => result(
                Disk,
                Warning,
                say!(
                    language,
                    "A flush takes {flush_us} us, too fast for a disk that keeps it.",
                    "写盘仅耗时 {flush_us} 微秒，数据可能并未真正写入磁盘。"
                ),
                language.pick(
                    "Put the journal on a disk that honours flushes, not into memory or a cache.",
                    "请把交易记录放在会真正落盘的磁盘上，不要放在内存盘或易失缓存中。",
                ),
            ),
            Self::DiskUnwritable { folder, why } => result(
                Disk,
                Fault,
                say!(
                    language,
                    "Nothing can be written in {folder}: {why}.",
                    "无法写入 {folder}：{why}。"
                ),
                language.pick(
                    "Give the folder to the till's user, or set another in journal.path.",
                    "请将该目录授权给收银用户，或在 journal.path 中另选位置。",
                ),
            ),
            Self::NoDevice(check) => well(*check, language.pick("None is configured.", "未配置。")),
            Self::NoScanner => well(
                Check::Scanner,
                language.pick(
                    "None is plugged in; codes come as keys in the terminal.",
                    "未插入扫码枪，付款码从终端按键输入。",
                ),
            ),
            Self::ScannerMissed => result(
                Check::Scanner,
                Fault,
                language.pick(
                    "The one that is configured is not plugged in.",
                    "配置的扫码枪未插入。",
                ),
                language.pick(
                    "Plug it in, and check with `paytill devices` what it is taken for.",
                    "请插入扫码枪，并用 paytill devices 查看识别结果。",
                ),
            ),
            Self::ScannerUnproved(port) => well(
                Check::Scanner,
                say!(
                    language,
                    "{port} can be opened. Nothing was scanned so far: it may be the printer's, and paytill devices --learn tells.",
                    "{port} 可以打开。尚未扫到内容：它也可能是打印机的端口，可用 paytill devices --learn 确认。"
                ),
            ),
            Self::DeviceReady(check, port) => {
                well(*check, say!(language, "{port} can be opened.", "{port} 可以打开。"))
            }
            Self::DeviceInUse(check, port) => well(
                *check,
                say!(
                    language,
                    "{port} is there; the running till uses it.",
                    "{port} 存在，正由收银程序使用。"
                ),
            ),
            Self::DeviceAbsent(check, port) => result(
                *check,
                Fault,
                say!(language, "{port} is not there.", "{port} 不存在。"),
                language.pick(
                    "Check its cable and power, and whether it has another name in /dev.",
                    "请检查连接线和电源，以及它在 /dev 中是否换了名称。",
                ),
            ),
            Self::DeviceWrong(check, port, fault) => {
                let why = device::fault(fault, language);
                result(
                    *check,
                    Fault,
                    say!(language, "{port}: {why}.", "{port}：{why}。"),
                    device::remedy(fault, language),
                )
            }
            Self::Terminal(state) => state.result(language),
        }
    }
}
