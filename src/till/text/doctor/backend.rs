//! What the doctor says of the merchant's backend: the keys, who the till is there, and what it may do.

use super::Check::{Account, Clock, Gateway, Secrets};
use super::CheckResult;
use super::Verdict::{Fault, Warning};
use super::check::{result, well};
use crate::language::Language;
use crate::say;

/// A finding about the merchant's backend.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OfBackend {
    /// Both keys are there; each is named by eight digits.
    Keys { till: String, own: String, theirs: String },
    /// A file from enrolment cannot be used.
    FilesWrong(String),
    /// It has answered, signed.
    Running { version: String },
    /// Who the till is there.
    Known { merchant: String, store: String, till: String },
    /// Not who the files say.
    KnownOtherwise { merchant: String, till: String },
    /// Amounts would be taken for another currency's.
    OtherCurrency { theirs: String, ours: String },
    /// What the till may do; refunds in the currency's own form, `None`: none.
    Rights { charge: bool, qr: bool, refund_up_to: Option<String> },
    /// The till was locked.
    Revoked,
    /// Another refusal, in the words for a failed call.
    Refused(String),
    /// The answer is not signed by the backend that the till knows.
    NotSigned(String),
    /// By so many seconds: too much for any request to be accepted.
    ClockOff { seconds: u64, is_ahead: bool },
    /// The till stops waiting before the backend decides.
    Impatient { ours_ms: u64, theirs_ms: u64 },
}

impl OfBackend {
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub(super) fn result(&self, language: Language) -> CheckResult {
        match self {
            Self::Keys { till, own, theirs } => well(
                Secrets,
                say!(
                    language,
                    "Till {till} signs with key {own}, answers are verified with key {theirs}.",
                    "收银机 {till} 用密钥 {own} 签名，返回结果用公钥 {theirs} 验签。"
                ),
            ),
            Self::FilesWrong(sentence) => result(
                Secrets,
                Fault,
                sentence.as_str(),
                language.pick(
                    "Do that and run paytill doctor again. A code for paytill enroll comes from \
                     paytill-backend till add.",
                    "请照做后再运行 paytill doctor。paytill enroll 所需的登记码由 paytill-backend till add 给出。",
                ),
            ),
            Self::Running { version } => well(
                Gateway,
                say!(
                    language,
                    "The backend, version {version}, answers with its signature.",
                    "商户后台（版本 {version}）的答复签名正确。"
                ),
            ),
            Self::Known { merchant, store, till } => well(
                Account,
                say!(
                    language,
                    "The backend knows this till as {till} of store {store}, merchant {merchant}.",
                    "商户后台识别为商户 {merchant} 门店 {store} 的收银机 {till}。"
                ),
            ),
            Self::KnownOtherwise { merchant, till } => result(
                Account,
                Fault,
                say!(
                    language,
                    "The backend knows this key as till {till} of merchant {merchant}.",
                    "商户后台认为此密钥属于商户 {merchant} 的收银机 {till}。"
                ),
                language.pick(
                    "Register this till again with paytill enroll, and set its till.id.",
                    "请用 paytill enroll 重新登记，并设置 till.id。",
                ),
            ),
            Self::OtherCurrency { theirs, ours } => result(
                Account,
                Fault,
                say!(
                    language,
                    "The backend is for {theirs}, but till.currency is {ours}.",
                    "商户后台使用 {theirs}，而 till.currency 是 {ours}。"
                ),
                language.pick("Set the same currency on both sides.", "请把两边设为同一货币。"),
            ),
            Self::Rights { charge: false, .. } => result(
                Account,
                Fault,
                language.pick(
                    "The backend does not let this till take payments.",
                    "商户后台不允许这台收银机收款。",
                ),
                language.pick("Ask for it at the office.", "请联系后台管理人员开通。"),
            ),
            Self::Rights { charge: true, qr, refund_up_to } => {
                let qr = if *qr {
                    language.pick("also by QR code", "也可用收款码")
                } else {
                    language.pick("not by QR code", "不可用收款码")
                };
                let refunds = match refund_up_to {
                    Some(most) => say!(language, "refunds up to {most}", "退款不超过 {most}"),
                    None => language.pick("no refunds", "不可退款").to_owned(),
                };
                well(
                    Account,
                    say!(
                        language,
                        "This till may take payments, {qr}; {refunds}.",
                        "这台收银机可以收款，{qr}，{refunds}。"
                    ),
                )
            }
            Self::Revoked => result(
                Account,
                Fault,
                language.pick(
                    "This till was locked at the office; open payments still end.",
                    "这台收银机已被后台停用；未完成的支付仍会处理完。",
                ),
                language.pick(
                    "Ask at the office; to use it again, register it with a new code.",
                    "请联系后台管理人员；如需恢复使用，请用新的登记码重新登记。",
                ),
            ),
            Self::Refused(said) => result(
                Account,
                Fault,
                said.as_str(),
                language.pick(
                    "Look the till up with paytill-backend till list.",
                    "请在商户后台用 paytill-backend till list 查看这台收银机。",
                ),
            ),
            Self::NotSigned(said) => result(
                Account,
                Fault,
                said.as_str(),
                language.pick(
                    "Either something else answers at this address, or the backend has another key: \
                     register the till again.",
                    "可能是该地址由别的程序应答，或商户后台更换了密钥：请重新登记收银机。",
                ),
            ),
            Self::ClockOff { seconds, is_ahead } => {
                let way = language.pick(
                    if *is_ahead { "ahead of" } else { "behind" },
                    if *is_ahead { "快" } else { "慢" },
                );
                result(
                    Clock,
                    Fault,
                    say!(
                        language,
                        "This machine's clock is {seconds} s {way} the backend's: beyond 120 s \
                         every request is refused.",
                        "本机时钟比商户后台{way} {seconds} 秒：相差超过 120 秒时请求会被拒绝。"
                    ),
                    language.pick(
                        "Have both clocks set over the network (NTP).",
                        "请为两边启用网络对时（NTP）。",
                    ),
                )
            }
            Self::Impatient { ours_ms, theirs_ms } => result(
                Account,
                Warning,
                say!(
                    language,
                    "The till stops waiting after {ours_ms} ms, before the backend does, which is \
                     after {theirs_ms} ms.",
                    "收银机在 {ours_ms} 毫秒后停止等待，早于商户后台的 {theirs_ms} 毫秒。"
                ),
                language.pick(
                    "Set the same give_up_after_ms on both sides: the till adds 2 s by itself.",
                    "请把两边的 give_up_after_ms 设为相同：收银机会自动多等 2 秒。",
                ),
            ),
        }
    }
}
