//! Notifications: what the gateway tells of its own accord, when, and how often (protocol 9, apiv3 5).
//!
//! Pure, like all of [`Bank`]: [`Bank::take_notice`] says what is to be sent now, and
//! [`Bank::notice_answered`] takes what came back. Only orders for a code to scan have an address that
//! takes notifications; their refunds go there, too, unless they name one of their own.

use std::fmt::Write as _;

use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ledger::LedgerEntry;
use super::notice_case::{NoticeCase, NoticeForm, NotifyTo};
use super::refund_case::RefundStage;
use super::status::OrderStatus;
use super::{Account, Bank, reply};
use paytill_core::clean::clean;
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::wechat::fields::{Fields, SignType};

/// The waits before it is sent again, unless it was acknowledged.
pub const RETRIES: [Millis; 15] = [
    Millis::seconds(15),
    Millis::seconds(15),
    Millis::seconds(30),
    Millis::seconds(180),
    Millis::seconds(600),
    Millis::seconds(1200),
    Millis::seconds(1800),
    Millis::seconds(1800),
    Millis::seconds(1800),
    Millis::seconds(3600),
    Millis::seconds(10_800),
    Millis::seconds(10_800),
    Millis::seconds(10_800),
    Millis::seconds(21_600),
    Millis::seconds(21_600),
];
/// How late a late one is.
const LATE: Millis = Millis::seconds(60);
/// A merchant that is not ours.
pub(super) const ANOTHER_MERCHANT: &str = "1900009999";

/// A notification, from its cause to its end.
#[derive(Clone, Debug)]
pub struct BankNotice {
    pub out_trade_no: String,
    /// Of a refund; else it is of the payment.
    pub out_refund_no: Option<String>,
    /// What is wrong with it.
    pub spoilt: Option<NoticeCase>,
    /// How often it was sent.
    pub sent: usize,
    pub stage: NoticeStage,
    id: String,
    to: NotifyTo,
}

/// Where a notification is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoticeStage {
    /// To be sent then.
    Due(Millis),
    /// Sent, and not answered yet.
    Sent,
    Acknowledged,
    /// The last one was not acknowledged either, or a wrong one was refused, as it should be.
    Over,
}

/// Headers and body.
pub(super) type Message = (Vec<(&'static str, String)>, Vec<u8>);

/// What is to be sent, and what its answer is to be reported with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Posting {
    pub token: usize,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Bank {
    /// All notifications so far, in the order of their causes.
    pub fn notices(&self) -> &[BankNotice] {
        &self.notices
    }

    /// When there is something to send next, as far as can be told now.
    pub fn next_notice(&self, now: Millis) -> Option<Millis> {
        let due = self.notices.iter().filter_map(|notice| match notice.stage {
            NoticeStage::Due(at) => Some(at),
            _ => None,
        });
        let turns = self.entries.iter().filter(|entry| entry.details.notify.is_some());
        let turns = turns.filter_map(|entry| entry.details.turn).map(|(at, _)| at);
        let refunds = self.entries.iter().flat_map(|entry| &entry.refunds);
        let refunds = refunds.filter(|refund| refund.notify.is_some());
        let ends = refunds.filter_map(|refund| refund.ends).map(|(at, _)| at);
        // What is past and has not happened never will.
        let events = turns.chain(ends).filter(|at| *at > now);
        due.chain(events).min()
    }

    /// What is to be sent by `now`; `at` is the time by the gateway's clock.
    pub fn take_notice(&mut self, now: Millis, at: Timestamp) -> Option<Posting> {
        self.advance(now);
        self.note_causes(now);
        let is_due =
            |notice: &BankNotice| matches!(notice.stage, NoticeStage::Due(due) if due <= now);
        let token = self.notices.iter().position(is_due)?;
        let notice = self.notices.get_mut(token)?;
        notice.stage = NoticeStage::Sent;
        notice.sent += 1;
        let notice = notice.clone();
        let entry = self.entry(&notice.out_trade_no)?.clone();
        let (headers, body) = match notice.to.form {
            NoticeForm::V2(sign_type) => self.notice_v2(&notice, &entry, sign_type),
            NoticeForm::V3 { by_certificate } => {
                self.notice_v3(&notice, &entry, by_certificate, at)?
            }
        };
        Some(Posting { token, url: notice.to.url, headers, body })
    }

    /// Takes what came back: status and body, or nothing in time. Returns a line for people.
    pub fn notice_answered(
        &mut self,
        token: usize,
        answer: Option<(u16, &[u8])>,
        now: Millis,
    ) -> String {
        let Some(notice) = self.notices.get_mut(token) else { return String::new() };
        let is_taken = match (notice.to.form, answer) {
            (_, None) => false,
            (NoticeForm::V2(_), Some((status, body))) => {
                let said = Fields::from_xml(body).ok();
                let said = said.as_ref().and_then(|fields| fields.get("return_code"));
                status == 200 && said == Some("SUCCESS")
            }
            (NoticeForm::V3 { .. }, Some((status, _))) => matches!(status, 200 | 204),
        };
        notice.stage = match RETRIES.get(notice.sent.saturating_sub(1)) {
            _ if is_taken => NoticeStage::Acknowledged,
            Some(wait) if notice.spoilt.is_none() => NoticeStage::Due(now.plus(*wait)),
            _ => NoticeStage::Over,
        };
        let (number, of) = (&notice.out_trade_no, notice.of());
        let wrong = notice.spoilt.map_or(String::new(), |case| format!(" ({})", case.name()));
        let said = answer.map_or_else(|| "no answer".to_owned(), |(status, _)| status.to_string());
        let next = match notice.stage {
            NoticeStage::Due(at) => format!(", again in {} s", at.minus(now).0 / 1000),
            _ => String::new(),
        };
        clean(&format!("notice of {number} {of}{wrong}: {said}{next}"), super::STORY_CELLS)
    }

    /// Notes what has happened since the last time, and is to be told.
    fn note_causes(&mut self, now: Millis) {
        let case = self.script.notices;
        let mut new = Vec::new();
        for entry in &mut self.entries {
            let number = entry.out_trade_no.clone();
            let Some(to) = entry.details.notify.clone() else {
                note_refunds(entry, case, &mut new);
                continue;
            };
            let forges = case == NoticeCase::Forged && !entry.details.told.forgery;
            if forges && entry.status == OrderStatus::Open {
                entry.details.told.forgery = true;
                new.push(BankNotice::new(&number, None, &to, (now, Some(case))));
            }
            if let Some(at) = entry.paid_at
                && !entry.details.told.payment
            {
                entry.details.told.payment = true;
                new.extend(copies(&number, None, &to, case, at));
            }
            note_refunds(entry, case, &mut new);
        }
        self.notices.extend(new);
    }

    /// As API v2 has it.
    fn notice_v2(
        &mut self,
        notice: &BankNotice,
        entry: &LedgerEntry,
        sign_type: SignType,
    ) -> Message {
        let mut rng = self.rng.fork();
        let Account { merchant, api_key, .. } = &self.account;
        let mut fields = match &notice.out_refund_no {
            Some(number) => {
                Fields::from_iter([("req_info", sealed(api_key, &about(entry, number)).as_str())])
            }
            None => self.success(entry, entry.paid_at.unwrap_or_default()),
        };
        fields.set("return_code", "SUCCESS");
        fields.set("appid", merchant.app_id.as_str());
        fields.set("mch_id", merchant.mch_id.as_str());
        fields.set("sub_appid", merchant.sub_app_id.as_str());
        fields.set("sub_mch_id", merchant.sub_mch_id.as_str());
        fields.set("nonce_str", reply::nonce(&mut rng));
        let is_refund = notice.out_refund_no.is_some();
        match notice.spoilt {
            Some(NoticeCase::WrongAmount) if !is_refund => {
                fields.set("total_fee", (entry.amount.minor() + 1).to_string());
            }
            Some(NoticeCase::Foreign) => fields.set("mch_id", ANOTHER_MERCHANT),
            _ => {}
        }
        if !is_refund {
            let key = match notice.spoilt {
                Some(NoticeCase::Forged | NoticeCase::Probe) => reply::NOT_THE_KEY,
                _ => api_key,
            };
            if sign_type != SignType::Md5 {
                fields.set("sign_type", sign_type.word());
            }
            fields.sign(sign_type, key);
        } else if matches!(notice.spoilt, Some(NoticeCase::Forged | NoticeCase::Probe)) {
            fields.set("req_info", sealed(reply::NOT_THE_KEY, "<root></root>"));
        }
        let headers = vec![("Content-Type", "text/xml".to_owned())];
        (headers, reply::document(&fields).into_bytes())
    }
}

impl BankNotice {
    fn new(
        out_trade_no: &str,
        out_refund_no: Option<&str>,
        to: &NotifyTo,
        (due, spoilt): (Millis, Option<NoticeCase>),
    ) -> Self {
        let about = format!("{out_trade_no} {}", out_refund_no.unwrap_or_default());
        let mut id = String::from("EV-");
        for byte in digest(&SHA256, about.as_bytes()).as_ref().iter().take(12) {
            let _ = write!(id, "{byte:02x}");
        }
        Self {
            out_trade_no: out_trade_no.to_owned(),
            out_refund_no: out_refund_no.map(str::to_owned),
            spoilt,
            sent: 0,
            stage: NoticeStage::Due(due),
            id,
            to: to.clone(),
        }
    }

    /// Its own number, the same each time it is sent.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn of(&self) -> String {
        match &self.out_refund_no {
            None => "payment".to_owned(),
            Some(number) => format!("refund {number}"),
        }
    }
}

/// What is sent of one cause.
fn copies(
    out_trade_no: &str,
    out_refund_no: Option<&str>,
    to: &NotifyTo,
    case: NoticeCase,
    at: Millis,
) -> Vec<BankNotice> {
    let one = |after: Millis, spoilt| {
        BankNotice::new(out_trade_no, out_refund_no, to, (at.plus(after), spoilt))
    };
    match case {
        NoticeCase::Prompt => vec![one(Millis(0), None)],
        NoticeCase::Late => vec![one(LATE, None)],
        NoticeCase::Twice => vec![one(Millis(0), None), one(Millis(0), None)],
        NoticeCase::Never => Vec::new(),
        // The wrong one came before the payment; of refunds it comes now.
        NoticeCase::Forged if out_refund_no.is_none() => vec![one(Millis(0), None)],
        NoticeCase::Forged | NoticeCase::WrongAmount | NoticeCase::Probe | NoticeCase::Foreign => {
            vec![one(Millis(0), Some(case)), one(RETRIES[0], None)]
        }
    }
}

fn note_refunds(entry: &mut LedgerEntry, case: NoticeCase, new: &mut Vec<BankNotice>) {
    let number = &entry.out_trade_no;
    for refund in &mut entry.refunds {
        if refund.stage == RefundStage::Processing {
            continue;
        }
        if let Some(to) = refund.notify.take() {
            let at = refund.ended_at;
            new.extend(copies(number, Some(&refund.number), &to, case, at));
        }
    }
}

/// What API v2 encrypts about a refund.
fn about(entry: &LedgerEntry, number: &str) -> String {
    let refund = entry.refunds.iter().find(|refund| refund.number == number);
    let (id, amount, stage) = refund.map_or(("", 0, RefundStage::Closed), |refund| {
        (refund.refund_id.as_str(), refund.amount.minor(), refund.stage)
    });
    let total = entry.amount.minor().to_string();
    let amount = amount.to_string();
    let mut text = String::from("<root>\n");
    for (name, value) in [
        ("out_refund_no", number),
        ("out_trade_no", &entry.out_trade_no),
        ("refund_account", "REFUND_SOURCE_RECHARGE_FUNDS"),
        ("refund_fee", &amount),
        ("refund_id", id),
        ("refund_recv_accout", "支付用户零钱"),
        ("refund_request_source", "API"),
        ("refund_status", stage.word()),
        ("settlement_refund_fee", &amount),
        ("settlement_total_fee", &total),
        ("total_fee", &total),
        ("transaction_id", &entry.transaction_id),
    ] {
        let _ = writeln!(text, "<{name}><![CDATA[{value}]]></{name}>");
    }
    text + "</root>"
}

/// `req_info`
fn sealed(api_key: &str, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let key = paytill_core::gateway::wechat::v2::refund_notice_key(api_key);
    let key = UnboundCipherKey::new(&AES_256, key.as_bytes());
    if let Some(key) = key.ok().and_then(|key| PaddedBlockEncryptingKey::ecb_pkcs7(key).ok()) {
        let _ = key.encrypt(&mut bytes);
    }
    STANDARD.encode(bytes)
}
