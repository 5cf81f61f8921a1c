//! What `paytill doctor` finds, and what to do about it, in words.

#[cfg(test)]
mod tests;

use super::device;
use crate::device::Fault;
use crate::language::Language;

/// What is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Check {
    Configuration,
    Secrets,
    Certificate,
    Gateway,
    Account,
    Clock,
    Till,
    Journal,
    Disk,
    Scanner,
    Printer,
    Display,
    Terminal,
}

impl Check {
    /// The word in `--json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Secrets => "secrets",
            Self::Certificate => "certificate",
            Self::Gateway => "gateway",
            Self::Account => "account",
            Self::Clock => "clock",
            Self::Till => "till",
            Self::Journal => "journal",
            Self::Disk => "disk",
            Self::Scanner => "scanner",
            Self::Printer => "printer",
            Self::Display => "display",
            Self::Terminal => "terminal",
        }
    }

    /// The word for people.
    pub const fn name(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::English, check) => check.word(),
            (Language::Chinese, Self::Configuration) => "配置",
            (Language::Chinese, Self::Secrets) => "密钥",
            (Language::Chinese, Self::Certificate) => "证书",
            (Language::Chinese, Self::Gateway) => "网关",
            (Language::Chinese, Self::Account) => "商户账号",
            (Language::Chinese, Self::Clock) => "时钟",
            (Language::Chinese, Self::Till) => "收银机",
            (Language::Chinese, Self::Journal) => "账本",
            (Language::Chinese, Self::Disk) => "磁盘",
            (Language::Chinese, Self::Scanner) => "扫码枪",
            (Language::Chinese, Self::Printer) => "打印机",
            (Language::Chinese, Self::Display) => "顾客屏",
            (Language::Chinese, Self::Terminal) => "终端",
        }
    }
}

/// How well it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Well,
    /// The till sells, but somebody should look.
    Warning,
    Fault,
}

impl Verdict {
    /// The word in `--json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }

    /// The word for people.
    pub const fn name(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::English, verdict) => verdict.word(),
            (Language::Chinese, Self::Well) => "正常",
            (Language::Chinese, Self::Warning) => "注意",
            (Language::Chinese, Self::Fault) => "故障",
        }
    }
}

/// One thing that was found. Texts in it are cleaned when they are told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Finding {
    /// From this file.
    Configured(String),
    Unconfigured,
    ConfigurationWrong(String),
    SecretsRead,
    SecretsWrong(String),
    /// Its last day.
    CertificateGood(String),
    CertificateEnds {
        until: String,
        days: i64,
    },
    CertificateEnded(String),
    CertificateNotYet(String),
    CertificateUnreadable,
    /// Why, in the words of a failed call.
    CertificateRefused(String),
    Training,
    Reached(String),
    Unreachable {
        host: String,
        why: String,
        is_backup: bool,
    },
    /// `ca_file` is set for the real gateway.
    OwnRoots,
    AccountGood,
    AccountMd5,
    /// What the gateway said.
    AccountRefused(String),
    /// The answer is not signed with our key, or is another merchant's.
    AccountNotOurs(String),
    AccountUnclear(String),
    /// The clock is right within so many seconds.
    ClockRight(u64),
    /// Seconds by which it is ahead of the gateway's, or behind.
    ClockWrong {
        seconds: u64,
        is_ahead: bool,
        verdict: Verdict,
    },
    ClockUncompared,
    TillRuns,
    TillStands,
    /// So many order numbers were in use before.
    NumbersTaken(i64),
    NoJournal(String),
    JournalWhole {
        orders: i64,
        open: i64,
    },
    JournalAttention(i64),
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
    /// None is plugged in, and none is missed.
    NoScanner,
    ScannerMissed,
    DeviceReady(Check, String),
    /// By the till that runs.
    DeviceInUse(Check, String),
    DeviceAbsent(Check, String),
    DeviceWrong(Check, String, Fault),
    TerminalGood,
    TerminalPoor,
    TerminalNotUtf8,
}

/// A finding in the words of a language.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    pub check: Check,
    pub verdict: Verdict,
    /// One sentence that says what was found.
    pub text: String,
    /// One sentence that says what to do; `None` where all is well.
    pub advice: Option<String>,
}

impl Finding {
    /// In words.
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub fn tell(&self, language: Language) -> Told {
        use Check::{
            Account, Certificate, Clock, Configuration, Disk, Gateway, Journal, Secrets, Terminal,
            Till,
        };
        use Verdict::{Fault, Warning};
        let well = |check, english: &str, chinese: &str| Told {
            check,
            verdict: Verdict::Well,
            text: pick(language, english, chinese),
            advice: None,
        };
        let told = |check, verdict, (english, chinese): (&str, &str), advice: (&str, &str)| Told {
            check,
            verdict,
            text: pick(language, english, chinese),
            advice: Some(pick(language, advice.0, advice.1)),
        };
        match self {
            Self::Configured(file) => {
                well(Configuration, &format!("It is read from {file}."), &format!("读自 {file}。"))
            }
            Self::Unconfigured => well(
                Configuration,
                "There is no file anywhere, so this is training.",
                "没有配置文件，处于培训模式。",
            ),
            Self::ConfigurationWrong(sentence) => told(
                Configuration,
                Fault,
                (sentence, sentence),
                (
                    "Mend that line: until then nothing can be sold, and its section is not checked.",
                    "请改正这一行；改正前无法收款，该节内容也不作检查。",
                ),
            ),
            Self::SecretsRead => well(
                Secrets,
                "Key and certificate are there, fit together, and nobody else can read them.",
                "密钥和证书齐全、匹配，且他人不可读。",
            ),
            Self::SecretsWrong(sentence) => told(
                Secrets,
                Fault,
                (sentence, sentence),
                (
                    "Put right the file that this names; it comes from the merchant platform.",
                    "请改正上面提到的文件；文件可从商户平台取得。",
                ),
            ),
            Self::CertificateGood(until) => well(
                Certificate,
                &format!("The merchant's certificate is valid until {until}."),
                &format!("商户证书有效期至 {until}。"),
            ),
            Self::CertificateEnds { until, days } => told(
                Certificate,
                Warning,
                (
                    &format!("The merchant's certificate ends on {until}, in {days} days."),
                    &format!("商户证书将于 {until} 到期，还有 {days} 天。"),
                ),
                RENEW,
            ),
            Self::CertificateEnded(until) => told(
                Certificate,
                Fault,
                (
                    &format!("The merchant's certificate ended on {until}."),
                    &format!("商户证书已于 {until} 到期。"),
                ),
                RENEW,
            ),
            Self::CertificateNotYet(from) => told(
                Certificate,
                Fault,
                (
                    &format!("The merchant's certificate is valid from {from} only."),
                    &format!("商户证书自 {from} 起才有效。"),
                ),
                SET_CLOCK,
            ),
            Self::CertificateUnreadable => told(
                Certificate,
                Warning,
                (
                    "It cannot be seen how long the merchant's certificate is valid.",
                    "无法读出商户证书的有效期。",
                ),
                (
                    "Look it up with: openssl x509 -noout -enddate -in apiclient_cert.pem",
                    "请运行：openssl x509 -noout -enddate -in apiclient_cert.pem",
                ),
            ),
            Self::CertificateRefused(why) => told(
                Certificate,
                Fault,
                (
                    &format!("With the merchant's certificate no connection comes about. {why}"),
                    &format!("使用商户证书无法建立连接。{why}"),
                ),
                RENEW,
            ),
            Self::Training => well(
                Gateway,
                "It is simulated inside the till; no money moves.",
                "使用内置模拟网关，不发生真实收款。",
            ),
            Self::Reached(host) => {
                well(Gateway, &format!("{host} answers."), &format!("{host} 有应答。"))
            }
            Self::Unreachable { host, why, is_backup } => told(
                Gateway,
                if *is_backup { Warning } else { Fault },
                (&format!("{host}: {why}"), &format!("{host}：{why}")),
                (
                    "Look at the network, the name server, the proxy and gateway.wechat-v2.*_url.",
                    "请检查网络、域名解析、代理以及配置中的网关地址。",
                ),
            ),
            Self::OwnRoots => told(
                Gateway,
                Warning,
                (
                    "ca_file replaces the public roots for the real gateway.",
                    "正式网关被设置为只信任 ca_file 中的根证书。",
                ),
                (
                    "Empty ca_file, unless a proxy of your own has to read this traffic.",
                    "除非由自有代理检查流量，否则请清空 ca_file。",
                ),
            ),
            Self::AccountGood => well(
                Account,
                "The gateway takes app_id, mch_id and key, and signs its answer with the same key.",
                "网关认可 app_id、mch_id 和密钥，其答复的签名也正确。",
            ),
            Self::AccountMd5 => told(
                Account,
                Warning,
                ("Messages are signed with MD5.", "报文使用 MD5 签名。"),
                (
                    "Set sign_type = \"HMAC-SHA256\", unless the account allows MD5 alone.",
                    "除非账号只支持 MD5，否则请设置 sign_type = \"HMAC-SHA256\"。",
                ),
            ),
            Self::AccountRefused(said) => told(
                Account,
                Fault,
                (
                    &format!("The gateway refuses a query. {said}"),
                    &format!("网关拒绝了查询。{said}"),
                ),
                CREDENTIALS,
            ),
            Self::AccountNotOurs(said) => told(Account, Fault, (said, said), CREDENTIALS),
            Self::AccountUnclear(said) => told(
                Account,
                Warning,
                (
                    &format!(
                        "A query for a number that does not exist was not answered so. {said}"
                    ),
                    &format!("查询一个不存在的单号，未得到应有的答复。{said}"),
                ),
                (
                    "Run this again in a minute; if it stays, check app_id, mch_id and key.",
                    "请一分钟后再运行；若仍如此，请核对 app_id、mch_id 和密钥。",
                ),
            ),
            Self::ClockRight(seconds) => well(
                Clock,
                &format!("It agrees with the gateway's within {seconds} s."),
                &format!("与网关时间相差不超过 {seconds} 秒。"),
            ),
            Self::ClockWrong { seconds, is_ahead, verdict } => {
                let (english, chinese) =
                    if *is_ahead { ("ahead of", "快") } else { ("behind", "慢") };
                told(
                    Clock,
                    *verdict,
                    (
                        &format!("It is {seconds} s {english} the gateway's."),
                        &format!("比网关时间{chinese} {seconds} 秒。"),
                    ),
                    SET_CLOCK,
                )
            }
            Self::ClockUncompared => well(
                Clock,
                "The gateway does not tell its time, so it was not compared.",
                "网关没有给出时间，未作比较。",
            ),
            Self::TillRuns => well(
                Till,
                "A till runs and holds the journal; this looks on without disturbing it.",
                "收银程序正在运行并占用账本；本检查不会打扰它。",
            ),
            Self::TillStands => {
                well(Till, "None is running on this journal.", "没有收银程序在使用该账本。")
            }
            Self::NumbersTaken(count) => told(
                Till,
                Warning,
                (
                    &format!(
                        "The gateway knew {count} of its order numbers before they were used."
                    ),
                    &format!("有 {count} 个单号在使用前已被网关记录。"),
                ),
                (
                    "See to it that no two tills of the shop have the same till.id.",
                    "请确认店内没有两台收银机使用相同的 till.id。",
                ),
            ),
            Self::NoJournal(path) => well(
                Journal,
                &format!("There is none yet at {path}; the first start makes it."),
                &format!("{path} 尚不存在，首次启动时建立。"),
            ),
            Self::JournalWhole { orders, open } => well(
                Journal,
                &format!("All entries are as they were written: {orders} orders, {open} open."),
                &format!("所有记录完整无误：共 {orders} 单，未完结 {open} 单。"),
            ),
            Self::JournalAttention(count) => told(
                Journal,
                Warning,
                (&format!("{count} orders need a person."), &format!("有 {count} 单需人工处理。")),
                (
                    "See `paytill orders --state attention`; `paytill recover` tries again.",
                    "请运行 paytill orders --state attention 查看；paytill recover 可再次尝试。",
                ),
            ),
            Self::JournalWrong(sentence) => told(
                Journal,
                Fault,
                (sentence, sentence),
                (
                    "Do as this says before anything is sold; never delete what lies beside it.",
                    "请先照此处理再收款；切勿删除账本旁边的文件。",
                ),
            ),
            Self::DiskGood { free_mib, flush_us } => well(
                Disk,
                &format!("{free_mib} MiB are free, and a flush takes {flush_us} us."),
                &format!("剩余 {free_mib} MiB，一次落盘需 {flush_us} 微秒。"),
            ),
            Self::DiskFull { free_mib, verdict } => told(
                Disk,
                *verdict,
                (
                    &format!("Only {free_mib} MiB are free where the journal is."),
                    &format!("账本所在磁盘仅剩 {free_mib} MiB。"),
                ),
                ("Make room: without it nothing can be sold.", "请腾出空间，否则无法收款。"),
            ),
            Self::FlushTooFast(flush_us) => told(
                Disk,
                Warning,
                (
                    &format!("A flush takes {flush_us} us, too fast for a disk that keeps it."),
                    &format!("一次落盘仅需 {flush_us} 微秒，数据可能并未真正写入磁盘。"),
                ),
                (
                    "Put the journal on a disk that honours flushes, not into memory or a cache.",
                    "请把账本放在会真正落盘的磁盘上，不要放在内存盘或易失缓存中。",
                ),
            ),
            Self::DiskUnwritable { folder, why } => told(
                Disk,
                Fault,
                (
                    &format!("Nothing can be written in {folder}: {why}."),
                    &format!("无法写入 {folder}：{why}。"),
                ),
                (
                    "Give the folder to the till's user, or name another in journal.path.",
                    "请将该目录授权给收银用户，或在 journal.path 中另选位置。",
                ),
            ),
            Self::NoDevice(check) => well(*check, "None is configured.", "未配置。"),
            Self::NoScanner => well(
                Check::Scanner,
                "None is plugged in; codes come as keys in the terminal.",
                "未插入扫码枪，付款码从终端按键输入。",
            ),
            Self::ScannerMissed => told(
                Check::Scanner,
                Fault,
                ("The one that is configured is not plugged in.", "配置的扫码枪未插入。"),
                (
                    "Plug it in, and see in `paytill devices` what it is taken for.",
                    "请插入扫码枪，并用 paytill devices 查看识别结果。",
                ),
            ),
            Self::DeviceReady(check, port) => {
                well(*check, &format!("{port} can be opened."), &format!("{port} 可以打开。"))
            }
            Self::DeviceInUse(check, port) => well(
                *check,
                &format!("{port} is there; the running till uses it."),
                &format!("{port} 存在，正由收银程序使用。"),
            ),
            Self::DeviceAbsent(check, port) => told(
                *check,
                Fault,
                (&format!("{port} is not there."), &format!("{port} 不存在。")),
                (
                    "Look at its cable and power, and whether it has another name in /dev.",
                    "请检查连线和电源，以及它在 /dev 中是否换了名称。",
                ),
            ),
            Self::DeviceWrong(check, port, fault) => {
                let why = device::fault(fault, language);
                told(
                    *check,
                    Fault,
                    (&format!("{port}: {why}."), &format!("{port}：{why}。")),
                    (
                        device::remedy(fault, Language::English),
                        device::remedy(fault, Language::Chinese),
                    ),
                )
            }
            Self::TerminalGood => {
                well(Terminal, "It can place text and takes UTF-8.", "支持定位显示和 UTF-8。")
            }
            Self::TerminalPoor => told(
                Terminal,
                Warning,
                ("TERM names no terminal that can place text.", "TERM 未指明可定位显示的终端。"),
                (
                    "Open the cashier's screen from a terminal; `paytill pay` needs none.",
                    "请在终端中打开收银界面；paytill pay 不需要终端。",
                ),
            ),
            Self::TerminalNotUtf8 => told(
                Terminal,
                Warning,
                (
                    "The locale is not UTF-8, so Chinese and frames may not be drawn.",
                    "区域设置不是 UTF-8，中文和边框可能无法显示。",
                ),
                ("Set LANG=C.UTF-8 for the till's user.", "请为收银用户设置 LANG=C.UTF-8。"),
            ),
        }
    }
}

const RENEW: (&str, &str) = (
    "Get a new certificate from the merchant platform: without one no payment can be withdrawn.",
    "请在商户平台申请新证书；没有有效证书就无法撤销支付。",
);
const SET_CLOCK: (&str, &str) = (
    "Have this machine's clock set over the network (NTP).",
    "请启用网络对时（NTP）校准本机时钟。",
);
const CREDENTIALS: (&str, &str) = (
    "Compare app_id, mch_id, sign_type and the APIv2 key with the merchant platform.",
    "请与商户平台核对 app_id、mch_id、sign_type 和 APIv2 密钥。",
);

fn pick(language: Language, english: &str, chinese: &str) -> String {
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
    .to_owned()
}
