//! The bill of a day, out of the gateway's own books (protocol 7).

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::ledger::LedgerEntry;
use super::refund_case::{BankRefund, RefundStage};
use super::reply::{self, PORTAL};
use super::request::{self, Rejection};
use super::{Action, Bank, GatewayRequest, Reaction};
use paytill_core::bill::{beijing, ready_at};
use paytill_core::clock::{Date, Millis, Timestamp};
use paytill_core::money::{Currency, Money};

pub(super) const PATH: &str = "/pay/downloadbill";
const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,\
    交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,\
    充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n";
const TOTALS: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,\
    申请退款总金额\r\n";
/// The gateway keeps the merchant's commas in some bills.
const GOODS: &str = "收银, 扫码";
const ANOTHER_MERCHANT: &str = "1900009999";

/// What becomes of a question for a bill.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Bills {
    /// It is given at once, as far as the day has come: a trial need not wait for the morning.
    #[default]
    AtOnce,
    /// As the real gateway does: from ten in the morning of the next day.
    NextMorning,
    /// It is never ready.
    Creating,
    /// There is none.
    Missing,
    /// Another merchant's.
    OtherMerchant,
    /// That of the day before.
    OtherDay,
    /// It breaks off.
    Truncated,
    /// A captive portal's page.
    Page,
}

/// What comes in place of a bill.
pub(super) enum NoBill {
    Creating,
    Missing,
    Page,
}

/// A row's amounts, in minor units.
struct Amounts {
    paid: i64,
    coupon: i64,
    back: i64,
    fee: i64,
}

/// What a row of a bill is about.
#[derive(Clone, Copy)]
enum Billed<'a> {
    Payment,
    /// By a reversal, or by somebody at the merchant platform.
    Returned,
    Refund(&'a BankRefund),
}

impl Bank {
    /// Changes what becomes of questions for a bill.
    pub fn set_bills(&mut self, bills: Bills) {
        self.script.bills = bills;
    }

    pub(super) fn answer_bill(&mut self, request: &GatewayRequest<'_>, now: Millis) -> Reaction {
        let said = |action, story: &str| Reaction { after: Millis(0), action, story: story.into() };
        let refused = |text: &'static str| said(reply::unsigned(text), text);
        let fields = match request::message(&self.account, request) {
            Ok((fields, _)) => fields,
            Err(Rejection::Unsigned(text)) => return refused(text),
            Err(_) => return refused("appid and mch_id not match"),
        };
        let date = fields.get("bill_date").unwrap_or_default();
        let day = match Date::strptime("%Y%m%d", date) {
            Ok(day) if date.len() == 8 => day,
            _ => return refused("data format error"),
        };
        if !matches!(fields.get("bill_type"), None | Some("ALL")) {
            return refused("invalid bill_type");
        }
        let text = match self.bill_now(day, now) {
            Ok(text) => text,
            Err(NoBill::Creating) => return refused("Bill Creating"),
            Err(NoBill::Missing) => return refused("NO Bill Exist"),
            Err(NoBill::Page) => {
                return said(reply::answer(200, PORTAL.as_bytes().to_vec()), "a page");
            }
        };
        let mut bytes = match fields.get("tar_type") {
            Some("GZIP") => gzip(text.as_bytes()),
            Some(_) | None => text.into_bytes(),
        };
        self.cut(&mut bytes);
        said(Action::Answer { status: 200, body: bytes }, "a bill")
    }

    /// Breaks a bill off, if that is what is to become of it.
    pub(super) fn cut(&self, bytes: &mut Vec<u8>) {
        if self.script.bills == Bills::Truncated {
            bytes.truncate(bytes.len() / 2);
        }
    }

    /// The bill of a day as it is given now, or what comes in its place.
    pub(super) fn bill_now(&mut self, day: Date, now: Millis) -> Result<String, NoBill> {
        let is_ready = ready_at(day).is_some_and(|at| self.wall(now) >= at);
        match self.script.bills {
            Bills::Creating => return Err(NoBill::Creating),
            Bills::NextMorning if !is_ready => return Err(NoBill::Creating),
            Bills::Missing => return Err(NoBill::Missing),
            Bills::Page => return Err(NoBill::Page),
            _ => {}
        }
        self.advance(now);
        let text = self.bill(day).ok_or(NoBill::Missing)?;
        Ok(match self.script.bills {
            Bills::OtherMerchant => text.replace(&self.account.merchant.mch_id, ANOTHER_MERCHANT),
            Bills::OtherDay => {
                let before = day.yesterday().unwrap_or(day).to_string();
                text.replace(&day.to_string(), &before)
            }
            _ => text,
        })
    }

    /// The bill of a day as text; `None` if nothing happened on it.
    pub fn bill(&self, day: Date) -> Option<String> {
        let mut rows: Vec<(Timestamp, &LedgerEntry, Billed<'_>)> = Vec::new();
        for entry in &self.entries {
            let refunds = entry.refunds.iter();
            let refunds = refunds.map(|refund| (Some(refund.at), Billed::Refund(refund)));
            let moments =
                [(entry.paid_at, Billed::Payment), (entry.details.returned_at, Billed::Returned)];
            for (at, what) in moments.into_iter().chain(refunds) {
                let at = at.map(|at| self.wall(at)).filter(|at| at.day(&beijing()) == day);
                rows.extend(at.map(|at| (at, entry, what)));
            }
        }
        rows.sort_by_key(|(at, ..)| *at);
        if rows.is_empty() {
            return None;
        }
        let (mut text, mut sums) = (HEADER.to_owned(), [0_i64; 3]);
        for (at, entry, what) in &rows {
            let amounts = self.amounts(entry, *what);
            text += &self.row(entry, *at, *what, &amounts);
            for (sum, of) in sums.iter_mut().zip([amounts.paid, amounts.back, amounts.fee]) {
                *sum = sum.saturating_add(of);
            }
        }
        let [paid, back, fee] = sums.map(|sum| self.script.currency.show(Money::from_minor(sum)));
        let count = rows.len();
        let _ =
            write!(text, "{TOTALS}`{count},`{paid},`{back},`0.00,`{fee}000,`{paid},`{back}\r\n");
        Some(text)
    }

    fn amounts(&self, entry: &LedgerEntry, what: Billed<'_>) -> Amounts {
        let fee = |amount: i64| (amount * i64::from(self.script.fee_rate) + 5000) / 10_000;
        let back = match what {
            Billed::Payment => {
                let paid = entry.charged.minor();
                return Amounts { paid, coupon: entry.details.coupon, back: 0, fee: fee(paid) };
            }
            Billed::Returned => entry.returned.minor(),
            Billed::Refund(refund) => refund.amount.minor(),
        };
        Amounts { paid: 0, coupon: 0, back, fee: -fee(back) }
    }

    fn row(
        &self,
        entry: &LedgerEntry,
        at: Timestamp,
        what: Billed<'_>,
        amounts: &Amounts,
    ) -> String {
        let (merchant, details) = (&self.account.merchant, &entry.details);
        let currency = Currency::from_code(&entry.currency).unwrap_or(self.script.currency);
        let yuan = |minor| currency.show(Money::from_minor(minor));
        let sub_merchant = Some(merchant.sub_mch_id.as_str()).filter(|id| !id.is_empty());
        let refund_id = format!("5{}", entry.transaction_id.get(1..).unwrap_or_default());
        let elsewhere = format!("M{}", entry.transaction_id);
        let (state, refund_id, refund_no, kind, refund_state) = match what {
            Billed::Payment => ("SUCCESS", "0", "0", "", ""),
            Billed::Returned if entry.is_refunded_elsewhere() => {
                ("REFUND", refund_id.as_str(), elsewhere.as_str(), "ORIGINAL", "SUCCESS")
            }
            Billed::Returned => ("REVOKED", refund_id.as_str(), "0", "ORIGINAL", "SUCCESS"),
            Billed::Refund(BankRefund { refund_id, number, stage, .. }) => {
                let state = match stage {
                    RefundStage::Processing => "PROCESSING",
                    RefundStage::Success => "SUCCESS",
                    RefundStage::Closed => "FAIL",
                    RefundStage::Abnormal => "CHANGE",
                };
                ("REFUND", refund_id.as_str(), number.as_str(), "ORIGINAL", state)
            }
        };
        let rate = self.script.fee_rate;
        let values = [
            at.local("%Y-%m-%d %H:%M:%S", &beijing()).as_str(),
            &merchant.app_id,
            &merchant.mch_id,
            sub_merchant.unwrap_or("0"),
            &details.device_info,
            &entry.transaction_id,
            &entry.out_trade_no,
            &details.openid,
            details.trade_type(),
            state,
            details.bank_type,
            currency.code(),
            &yuan(amounts.paid),
            &yuan(amounts.coupon),
            refund_id,
            refund_no,
            &yuan(amounts.back),
            "0.00",
            kind,
            refund_state,
            GOODS,
            &details.attach,
            &format!("{}000", yuan(amounts.fee)),
            &format!("{}.{:02}%", rate / 100, rate % 100),
            &yuan(amounts.paid),
            &yuan(amounts.back),
            "",
        ]
        .join(",`");
        format!("`{values}\r\n")
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Nothing that is written to a vector fails.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
