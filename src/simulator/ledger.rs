//! The gateway's books: what it knows about each order number, and what the customer has lost.
//!
//! An order is charged at most once, and never returns more than it charged.

use super::notice_case::NotifyTo;
use super::refund_case::{BankRefund, RefundStage};
use super::request::Incoming;
use super::scenario::{Scenario, SpecialCase};
use super::status::OrderStatus;
use paytill_core::clock::Millis;
use paytill_core::money::Money;
use paytill_core::payment::CallKind;

/// Everything that happened to one order number. Times count from the simulation's start.
#[derive(Clone, Debug)]
pub struct LedgerEntry {
    pub out_trade_no: String,
    /// The amount submitted; zero for a number that was never submitted.
    pub amount: Money,
    /// ISO 4217; empty for a number that was never submitted.
    pub currency: String,
    /// What the customer and the network do; the one drawn if it was left to chance.
    pub scenario: Scenario,
    pub status: OrderStatus,
    /// Taken from the customer so far, at most once.
    pub charged: Money,
    /// Returned to the customer.
    pub returned: Money,
    /// The gateway's number for the order.
    pub transaction_id: String,
    /// When the customer paid.
    pub paid_at: Option<Millis>,
    /// Every well-formed call about this number that reached the gateway, and when.
    pub calls: Vec<(CallKind, Millis)>,
    /// Every refund call, and when.
    pub refund_calls: Vec<Millis>,
    /// What was refunded of it, by tills and at the merchant platform.
    pub refunds: Vec<BankRefund>,
    pub(super) details: Details,
}

/// What only the gateway itself needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Details {
    /// When the order was created.
    pub(super) created: Option<Millis>,
    /// What it turns into by itself, and when.
    pub(super) turn: Option<(Millis, OrderStatus)>,
    /// When an unpaid order is revoked.
    pub(super) lapses_at: Option<Millis>,
    /// Distinguishes a repeated submission from a different one.
    pub(super) fingerprint: Option<[u8; 32]>,
    /// The code to pay it by; empty for a payment by the customer's code.
    pub(super) code_url: String,
    /// Where to tell of it.
    pub(super) notify: Option<NotifyTo>,
    /// What was noted to be told.
    pub(super) told: Told,
    /// Whether some till has that code.
    pub(super) is_shown: bool,
    pub(super) openid: String,
    /// Which of the merchant's ids it was made with.
    pub(super) app_id: String,
    pub(super) device_info: String,
    pub(super) attach: String,
    pub(super) bank_type: &'static str,
    /// When money went back.
    pub(super) returned_at: Option<Millis>,
    /// The part of the amount paid by coupons, in minor units.
    pub(super) coupon: i64,
    /// Whether a refund by reversal is reported as `REVOKED` instead of `REFUND`.
    pub(super) refund_reads_revoked: bool,
    /// Whether a reversal counts among the refunds.
    pub(super) reversal_is_refund: bool,
}

/// What an order has led to, beside answers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// The payment is told.
    pub(super) payment: bool,
    /// Somebody has claimed that it was paid.
    pub(super) forgery: bool,
}

impl Details {
    /// How it is paid.
    pub(super) fn trade_type(&self) -> &'static str {
        if self.code_url.is_empty() { "MICROPAY" } else { "NATIVE" }
    }
}

impl LedgerEntry {
    /// Takes note of the id that the order was made with, or that its number first came with; questions
    /// and closings of API v3 name none.
    pub(super) fn made_with(&mut self, incoming: &Incoming) {
        let is_named = matches!(
            incoming.kind,
            CallKind::Submit | CallKind::Order | CallKind::Reverse | CallKind::Close
        );
        let makes_it = matches!(incoming.kind, CallKind::Submit | CallKind::Order)
            && self.details.created.is_none();
        if makes_it || is_named && self.details.app_id.is_empty() {
            let id = incoming.fields.get("appid").unwrap_or_default();
            id.clone_into(&mut self.details.app_id);
        }
    }

    /// The code that it is paid by, if it is not paid by the customer's.
    pub fn code_url(&self) -> Option<&str> {
        Some(self.details.code_url.as_str()).filter(|code| !code.is_empty())
    }

    pub(super) fn new(out_trade_no: &str) -> Self {
        Self {
            out_trade_no: out_trade_no.to_owned(),
            amount: Money::default(),
            currency: String::new(),
            scenario: Scenario::Pays,
            status: OrderStatus::NotFound,
            charged: Money::default(),
            returned: Money::default(),
            transaction_id: String::new(),
            paid_at: None,
            calls: Vec::new(),
            refund_calls: Vec::new(),
            refunds: Vec::new(),
            details: Details::default(),
        }
    }

    /// What the customer has lost on balance.
    pub fn net(&self) -> Money {
        Money::from_minor(self.charged.minor().saturating_sub(self.returned.minor()))
    }

    /// The same, leaving aside what was refunded of a payment that stands.
    pub fn net_of_payment(&self) -> Money {
        let done = self.refunds.iter().filter(|refund| refund.stage == RefundStage::Success);
        let refunded = done.fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.minor()));
        Money::from_minor(self.net().minor().saturating_add(refunded))
    }

    /// Whether the customer is going to pay if nothing stops it.
    pub fn is_going_to_pay(&self) -> bool {
        self.details.turn.is_some_and(|(at, status)| {
            status == OrderStatus::Paid && self.details.lapses_at.is_none_or(|lapse| at <= lapse)
        })
    }

    /// When calls of one kind reached the gateway.
    pub fn times_of(&self, kind: CallKind) -> impl Iterator<Item = Millis> {
        self.calls.iter().filter(move |(of, _)| *of == kind).map(|(_, at)| *at)
    }

    /// How often it was submitted.
    pub fn submissions(&self) -> usize {
        self.times_of(CallKind::Submit).count()
    }

    /// Lets time pass: the customer and the gateway do what is due by `now`.
    pub(super) fn advance(&mut self, now: Millis) {
        self.advance_refunds(now);
        if let Some((at, status)) = self.details.turn
            && at <= now
            && self.details.lapses_at.is_none_or(|lapse| at <= lapse)
        {
            self.details.turn = None;
            self.turn_into(status, at);
        }
        if self.details.lapses_at.is_some_and(|at| at <= now) {
            self.details.lapses_at = None;
            if matches!(self.status, OrderStatus::Open | OrderStatus::Paying) {
                self.details.turn = None;
                self.turn_into(OrderStatus::Revoked, now);
            }
        }
    }

    pub(super) fn turn_into(&mut self, status: OrderStatus, at: Millis) {
        if status != OrderStatus::NotFound && self.details.created.is_none() {
            self.details.created = Some(at);
        }
        match status {
            OrderStatus::Paid if self.charged == Money::default() => {
                self.charged = self.amount;
                self.paid_at = Some(at);
            }
            // A tenth, rounded up.
            OrderStatus::Refunded
                if self.scenario == Scenario::Odd(SpecialCase::PartlyRefunded) =>
            {
                self.returned = Money::from_minor((self.charged.minor() + 9) / 10);
            }
            OrderStatus::Refunded => self.returned = self.charged,
            _ => {}
        }
        if status == OrderStatus::Refunded && self.returned > Money::default() {
            self.details.returned_at = Some(at);
        }
        self.status = status;
    }

    /// Reverses it for good: the order can never be paid afterwards, and any payment is returned.
    pub(super) fn reverse(&mut self, now: Millis) {
        let undone = match self.status {
            // Only the rest could go back, and a reversal is for all of it.
            OrderStatus::Paid if self.reads_refunded() => return,
            OrderStatus::Paid => OrderStatus::Refunded,
            OrderStatus::Open | OrderStatus::Paying | OrderStatus::PayError => OrderStatus::Revoked,
            OrderStatus::NotFound
            | OrderStatus::Closed
            | OrderStatus::Revoked
            | OrderStatus::Refunded => return,
        };
        self.details.turn = None;
        self.turn_into(undone, now);
    }

    /// Whether a refund query finds what was returned.
    pub(super) fn is_refund_known(&self) -> bool {
        self.status == OrderStatus::Refunded
            && (self.is_refunded_elsewhere() || self.details.reversal_is_refund)
    }

    /// Whether somebody refunds it at the merchant platform, which no till is told of.
    pub fn is_refunded_elsewhere(&self) -> bool {
        let elsewhere = [SpecialCase::PartlyRefunded, SpecialCase::RefundedElsewhere];
        elsewhere.map(Scenario::Odd).contains(&self.scenario)
    }

    /// Somebody refunds at the merchant platform what is left.
    pub(super) fn refund_the_rest(&mut self) {
        if self.status == OrderStatus::Refunded {
            self.returned = self.charged;
        }
    }

    /// `trade_state` and its text in a query's answer; `None` if there is no such order.
    pub(super) fn trade_state(&self) -> Option<(&'static str, &'static str)> {
        Some(match self.status {
            OrderStatus::NotFound => return None,
            OrderStatus::Open => ("NOTPAY", "订单未支付"),
            OrderStatus::Paying => ("USERPAYING", "需要用户输入支付密码"),
            OrderStatus::Paid if self.reads_refunded() => {
                ("REFUND", "订单发生过退款，退款详情请查询退款单")
            }
            OrderStatus::Paid => ("SUCCESS", "支付成功"),
            OrderStatus::PayError => ("PAYERROR", "支付失败，请撤销订单"),
            OrderStatus::Closed => ("CLOSED", "订单已关闭"),
            OrderStatus::Refunded
                if self.is_refunded_elsewhere() || !self.details.refund_reads_revoked =>
            {
                ("REFUND", "订单发生过退款，退款详情请查询退款单")
            }
            OrderStatus::Revoked | OrderStatus::Refunded => ("REVOKED", "订单已撤销"),
        })
    }
}
