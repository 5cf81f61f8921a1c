//! The subjects of the checks, and the possible results.

use crate::language::Language;

/// What a finding is about.
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
    Goods,
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
            Self::Goods => "goods",
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
            (Language::Chinese, Self::Gateway) => "微信支付",
            (Language::Chinese, Self::Account) => "商户账号",
            (Language::Chinese, Self::Clock) => "时钟",
            (Language::Chinese, Self::Till) => "收银机",
            (Language::Chinese, Self::Journal) => "交易记录",
            (Language::Chinese, Self::Disk) => "磁盘",
            (Language::Chinese, Self::Goods) => "商品",
            (Language::Chinese, Self::Scanner) => "扫码枪",
            (Language::Chinese, Self::Printer) => "打印机",
            (Language::Chinese, Self::Display) => "客显",
            (Language::Chinese, Self::Terminal) => "终端",
        }
    }
}

/// The result of a check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Well,
    /// The till can sell, but this needs attention.
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

/// A finding in a language.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckResult {
    pub check: Check,
    pub verdict: Verdict,
    /// What was found, in one sentence.
    pub text: String,
    /// What to do, in one sentence; `None` if all is well.
    pub advice: Option<String>,
}

/// A finding where all is well.
pub(super) fn well(check: Check, text: impl Into<String>) -> CheckResult {
    CheckResult { check, verdict: Verdict::Well, text: text.into(), advice: None }
}

/// A finding with what to do about it.
pub(super) fn result(
    check: Check,
    verdict: Verdict,
    text: impl Into<String>,
    advice: &str,
) -> CheckResult {
    CheckResult { check, verdict, text: text.into(), advice: Some(advice.to_owned()) }
}

/// Microseconds, as milliseconds with one decimal.
pub(super) fn milliseconds(microseconds: u64) -> String {
    format!("{}.{}", microseconds / 1000, microseconds % 1000 / 100)
}
