//! Refunds: what the gateway makes of them, and what it tells of them.

use std::fmt::Write as _;

use super::fault::Fault;
use super::ledger::LedgerEntry;
use super::notice_case::NotifyTo;
use super::refund_case::{BankRefund, RefundCase, RefundStage};
use super::reply;
use super::request::Incoming;
use super::scenario::{Scenario, SpecialCase};
use super::status::OrderStatus;
use super::{Bank, Done, Reaction, Said};
use paytill_core::clock::Millis;
use paytill_core::gateway::wechat::fields::Fields;
use paytill_core::money::Money;
use paytill_core::payment::CallKind;

/// How long a refund takes: before a till asks about it.
const USUAL: Millis = Millis::seconds(3);
/// The longest one to a wallet.
const SLOW: Millis = Millis::seconds(20 * 60);
/// When the gateway closes a refund, or finds that the card does not take it.
const ENDS_AFTER: Millis = Millis::seconds(8);
/// A refund of an older payment is refused (protocol 3.6).
const REFUNDABLE_FOR: Millis = Millis::seconds(365 * 24 * 3600);
const MOST: usize = 50;
/// How many an answer lists.
const ON_A_PAGE: usize = 10;
/// The number of a refund that was made at the merchant platform.
pub(super) const PLATFORM: &str = "PLATFORM0001";

/// What a refund asks for.
struct Asked<'a> {
    number: &'a str,
    amount: Money,
}

impl LedgerEntry {
    /// Lets the refunds that are due by `now` end.
    pub(super) fn advance_refunds(&mut self, now: Millis) {
        for refund in &mut self.refunds {
            let Some((at, stage)) = refund.ends.take_if(|(at, _)| *at <= now) else { continue };
            refund.stage = stage;
            refund.ended_at = at;
            if stage == RefundStage::Success {
                self.returned =
                    Money::from_minor(self.returned.minor().saturating_add(refund.amount.minor()));
            }
        }
    }

    /// What all refunds that were not closed come to.
    pub fn refunded(&self) -> Money {
        let open = self.refunds.iter().filter(|refund| refund.stage != RefundStage::Closed);
        Money::from_minor(open.fold(0, |sum, refund| sum + refund.amount.minor()))
    }

    /// Whether an order query says that it was refunded.
    pub(super) fn reads_refunded(&self) -> bool {
        self.status == OrderStatus::Paid && self.refunded() > Money::default()
    }

    fn refund_case(&self) -> Option<RefundCase> {
        match self.scenario {
            Scenario::Odd(SpecialCase::Refund(case)) => Some(case),
            _ => None,
        }
    }

    /// The refunds that a query finds: number, amount, status and id.
    fn listed(&self) -> Vec<(&str, Money, RefundStage, &str)> {
        let mut listed = Vec::new();
        if self.is_refund_known() {
            listed.push((PLATFORM, self.returned, RefundStage::Success, "5030000000000000"));
        }
        let ours = self.refunds.iter();
        listed.extend(ours.map(|refund| {
            (refund.number.as_str(), refund.amount, refund.stage, refund.refund_id.as_str())
        }));
        listed
    }
}

impl Bank {
    /// Decides on a refund call.
    pub(super) fn decide_refund(&mut self, incoming: &Incoming, now: Millis) -> Reaction {
        let done = self.carry_out_refund(incoming, now);
        self.say(incoming, done)
    }

    /// Does what a refund asks for, whichever version of the API it came in.
    pub(super) fn carry_out_refund(&mut self, incoming: &Incoming, now: Millis) -> Done {
        let known = self.index(incoming);
        let known = known.and_then(|index| Some((index, self.entries.get(index)?.clone())));
        let Some((index, mut entry)) = known else {
            let said = Said::new(reply::failure("ORDERNOTEXIST", "订单不存在"));
            return Done { number: String::new(), said, story: String::new() };
        };
        entry.advance(now);
        entry.refund_calls.push(now);
        let said = self.refund(&mut entry, incoming, now);
        self.answered(index, entry, said)
    }

    fn refund(&mut self, entry: &mut LedgerEntry, incoming: &Incoming, now: Millis) -> Said {
        let asked = match asked(entry, incoming) {
            Ok(asked) => asked,
            Err((code, text)) => return Said::new(reply::failure(code, text)),
        };
        let is_first = entry.refund_calls.len() == 1;
        let case = entry.refund_case().filter(|_| !self.is_well);
        let fault = case.and_then(RefundCase::fault).filter(|_| is_first);
        let mut note = String::new();
        let shown = self.script.currency.show(asked.amount);
        let _ = write!(note, "{} {shown} ", asked.number);
        let known = entry.refunds.iter().any(|refund| refund.number == asked.number);
        if !known {
            if let Err((code, text)) = may_refund(entry, &asked, case, now) {
                return Said { note, ..Said::new(reply::failure(code, text)) };
            }
            if fault.is_none_or(Fault::is_processed) {
                let own = incoming.fields.get("notify_url");
                let notify = NotifyTo::of(own, incoming.form);
                let notify = notify.or_else(|| entry.details.notify.clone());
                self.accept_refund(entry, &asked, (case, notify), now);
            }
        }
        if case == Some(RefundCase::SystemError) && is_first {
            return Said { note, ..Said::new(reply::failure("SYSTEMERROR", "系统超时")) };
        }
        let mut fields = Fields::from_iter([
            ("result_code", "SUCCESS"),
            ("transaction_id", &entry.transaction_id),
            ("out_trade_no", &entry.out_trade_no),
            ("out_refund_no", asked.number),
            ("fee_type", &entry.currency),
        ]);
        let id = entry.refunds.iter().find(|refund| refund.number == asked.number);
        fields.set("refund_id", id.map_or("5030000000000000", |refund| &refund.refund_id));
        fields.set("total_fee", entry.amount.minor().to_string());
        fields.set("cash_fee", entry.amount.minor().to_string());
        fields.set("refund_fee", asked.amount.minor().to_string());
        Said { fault, note, ..Said::new(fields) }
    }

    fn accept_refund(
        &mut self,
        entry: &mut LedgerEntry,
        asked: &Asked<'_>,
        (case, notify): (Option<RefundCase>, Option<NotifyTo>),
        now: Millis,
    ) {
        let (after, stage) = match case {
            Some(RefundCase::Slow) => (SLOW, RefundStage::Success),
            Some(RefundCase::Closed) => (ENDS_AFTER, RefundStage::Closed),
            Some(RefundCase::Abnormal) => (ENDS_AFTER, RefundStage::Abnormal),
            _ => (USUAL, RefundStage::Success),
        };
        let refund_id =
            format!("5030{:06}{:010}", self.rng.u32(..1_000_000), now.0 % 10_000_000_000);
        entry.refunds.push(BankRefund {
            number: asked.number.to_owned(),
            amount: asked.amount,
            stage: RefundStage::Processing,
            refund_id,
            at: now,
            ends: Some((now.plus(after), stage)),
            ended_at: now,
            notify,
        });
    }

    /// The answer to a refund query, by order or by refund number.
    pub(super) fn refunds(
        &self,
        entry: &mut LedgerEntry,
        incoming: &Incoming,
        now: Millis,
    ) -> Said {
        let none = || Said::new(reply::failure("REFUNDNOTEXIST", "not exist"));
        let case = entry.refund_case().filter(|_| !self.is_well);
        if self.is_well {
            entry.refund_the_rest();
        }
        let before = entry.times_of(CallKind::RefundQuery).count();
        if case == Some(RefundCase::Elsewhere) && before == 1 && entry.status == OrderStatus::Paid {
            refund_elsewhere(entry, now);
        }
        if case == Some(RefundCase::QueryFails) && before <= 2 {
            return Said::new(reply::failure("SYSTEMERROR", "系统错误"));
        }
        let mut fields = Fields::from_iter([
            ("result_code", "SUCCESS"),
            ("transaction_id", &entry.transaction_id),
            ("out_trade_no", &entry.out_trade_no),
            ("fee_type", &entry.currency),
        ]);
        fields.set("total_fee", entry.amount.minor().to_string());
        let wanted = incoming.fields.get("out_refund_no");
        let is_visible = |number: &str| {
            let refund = entry.refunds.iter().find(|refund| refund.number == number);
            refund.is_none_or(|refund| now.minus(refund.at) >= self.script.visible_after)
        };
        let mut listed = entry.listed();
        listed.retain(|(number, ..)| {
            is_visible(number) && wanted.is_none_or(|wanted| *number == wanted)
        });
        if listed.is_empty() {
            return none();
        }
        let total = listed.len();
        let offset = incoming.fields.get("offset").and_then(|offset| offset.parse().ok());
        let page = listed.into_iter().skip(offset.unwrap_or(0)).take(ON_A_PAGE);
        let mut count = 0;
        for (at, (number, amount, stage, id)) in page.enumerate() {
            fields.set(&format!("out_refund_no_{at}"), number);
            fields.set(&format!("refund_id_{at}"), id);
            fields.set(&format!("refund_channel_{at}"), "ORIGINAL");
            fields.set(&format!("refund_fee_{at}"), amount.minor().to_string());
            fields.set(&format!("refund_status_{at}"), stage.word());
            count += 1;
        }
        fields.set("refund_count", count.to_string());
        if wanted.is_none() && (total > ON_A_PAGE || offset.is_some()) {
            fields.set("total_refund_count", total.to_string());
        }
        Said::new(fields)
    }
}

/// Whether a new number may be refunded, or the `err_code` and text that say why not.
fn may_refund(
    entry: &LedgerEntry,
    asked: &Asked<'_>,
    case: Option<RefundCase>,
    now: Millis,
) -> Result<(), (&'static str, &'static str)> {
    let age = entry.paid_at.map(|paid_at| now.minus(paid_at));
    if entry.status != OrderStatus::Paid {
        return Err(("ERROR", "订单未支付或已全额退款"));
    }
    if age.is_some_and(|age| age > REFUNDABLE_FOR) {
        return Err(("TRADE_OVERDUE", "订单已经超过退款期限"));
    }
    if entry.refunds.len() >= MOST {
        return Err(("ERROR", "退款次数超过限制"));
    }
    if entry.refunded().minor() + asked.amount.minor() > entry.charged.minor() {
        return Err(("ERROR", "累计退款金额大于支付金额"));
    }
    if case == Some(RefundCase::NotEnough) && asked.number.contains("R01") {
        return Err(("NOTENOUGH", "基本账户余额不足，请充值后重新发起"));
    }
    Ok(())
}

/// Somebody refunds a half at the merchant platform, rounded up.
fn refund_elsewhere(entry: &mut LedgerEntry, now: Millis) {
    // No more than the platform has left of it.
    let asked = entry.refunds.iter().filter(|refund| refund.stage != RefundStage::Closed);
    let left = asked.fold(entry.charged.minor(), |left, refund| left - refund.amount.minor());
    let amount = Money::from_minor(((entry.charged.minor() + 1) / 2).min(left));
    if amount <= Money::default() {
        return;
    }
    entry.refunds.push(BankRefund {
        number: PLATFORM.to_owned(),
        amount,
        stage: RefundStage::Success,
        refund_id: "5030000000000001".to_owned(),
        at: now,
        ends: None,
        ended_at: now,
        notify: None,
    });
    entry.returned = Money::from_minor(entry.returned.minor() + amount.minor());
}

/// What a refund asks for, or the `err_code` and text that name what is wrong with it.
fn asked<'a>(
    entry: &LedgerEntry,
    incoming: &'a Incoming,
) -> Result<Asked<'a>, (&'static str, &'static str)> {
    let fields = &incoming.fields;
    let number = fields.get("out_refund_no").ok_or(("PARAM_ERROR", "缺少参数:out_refund_no"))?;
    let fee = |name: &str| fields.get(name).and_then(|fee| fee.parse::<i64>().ok());
    let amount = fee("refund_fee").filter(|fee| *fee > 0);
    let amount = amount.ok_or(("PARAM_ERROR", "参数错误:refund_fee"))?;
    let total = fee("total_fee").ok_or(("PARAM_ERROR", "缺少参数:total_fee"))?;
    if entry.status == OrderStatus::NotFound {
        return Err(("ORDERNOTEXIST", "订单不存在"));
    }
    if fields.get("refund_fee_type").unwrap_or("CNY") != entry.currency {
        return Err(("PARAM_ERROR", "参数错误:refund_fee_type"));
    }
    let earlier = entry.refunds.iter().find(|refund| refund.number == number);
    let differs = earlier.is_some_and(|refund| refund.amount.minor() != amount);
    if total != entry.amount.minor() || differs {
        return Err(("ERROR", "订单金额或退款金额与之前请求不一致，请核实后再试"));
    }
    Ok(Asked { number, amount: Money::from_minor(amount) })
}
