//! Rows of the books as the pages show them. Pure.

use paytill_core::clock::{TimeZone, Timestamp};
use paytill_core::gateway::backend::message::Channel;
use paytill_core::money::{Currency, Money};
use paytill_core::payment::Status;
use paytill_core::refund::RefundStatus;
use paytill_core::text;

use super::words::PageWords;
use crate::store::{PaymentRow, RefundRow};

/// When and for whom something is shown.
#[derive(Clone)]
pub(super) struct Eye {
    pub(super) now: Timestamp,
    pub(super) zone: TimeZone,
    pub(super) w: PageWords,
}

/// A payment in a list.
pub(super) struct Item {
    pub(super) number: String,
    /// Its end, by which a till names it.
    pub(super) tail: String,
    pub(super) amount: String,
    pub(super) store: String,
    pub(super) till: String,
    pub(super) status: &'static str,
    /// Its colour.
    pub(super) class: &'static str,
    pub(super) at: String,
    pub(super) ago: String,
    /// Why it is where it is; empty if there is nothing to say.
    pub(super) reason: String,
    pub(super) advice: &'static str,
}

/// A refund in a list.
pub(super) struct RefundItem {
    pub(super) number: String,
    pub(super) order: String,
    pub(super) amount: String,
    pub(super) till: String,
    pub(super) status: &'static str,
    pub(super) class: &'static str,
    pub(super) at: String,
    pub(super) ago: String,
    pub(super) why: String,
    pub(super) approved_by: String,
    pub(super) reason: String,
    pub(super) advice: &'static str,
}

impl Eye {
    /// A time, with its day unless that is today.
    pub(super) fn time(&self, at: Timestamp) -> String {
        let format = if at.day(&self.zone) == self.now.day(&self.zone) {
            "%H:%M:%S"
        } else {
            "%Y-%m-%d %H:%M:%S"
        };
        at.local(format, &self.zone)
    }

    pub(super) fn ago(&self, at: Timestamp) -> String {
        self.w.ago(self.now.0.saturating_sub(at.0))
    }

    pub(super) fn payment(&self, row: &PaymentRow) -> Item {
        let (state, language) = (&row.state, self.w.language());
        let status = state.status();
        // That it is paid needs no reason.
        let reason = (status != Status::Paid).then(|| text::reason::of(state, language)).flatten();
        let advice = match status {
            Status::Attention => text::reason::advice(state, true, language),
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Paid
            | Status::Declined
            | Status::Reversed
            | Status::Closed => "",
        };
        Item {
            number: row.key.out_trade_no.to_string(),
            tail: self.w.order(row.key.out_trade_no.tail()),
            amount: amount(row.order.currency, row.order.amount),
            store: row.store.clone(),
            till: row.till.clone(),
            status: self.w.status(status),
            class: class(status),
            at: self.time(row.created_at),
            ago: self.ago(row.created_at),
            reason: reason.unwrap_or_default(),
            advice,
        }
    }

    pub(super) fn refund(&self, row: &RefundRow, currency: Currency) -> RefundItem {
        let language = self.w.language();
        let status = row.state.status();
        let class = match status {
            RefundStatus::Done | RefundStatus::Accepted => "good",
            RefundStatus::Sent | RefundStatus::Checking => "busy",
            RefundStatus::Refused => "quiet",
            RefundStatus::Attention => "bad",
        };
        let advice = match status {
            RefundStatus::Attention => text::refund::advice(&row.state, language),
            RefundStatus::Done
            | RefundStatus::Accepted
            | RefundStatus::Sent
            | RefundStatus::Checking
            | RefundStatus::Refused => "",
        };
        let approved_by = match row.approved_by.as_str() {
            "" => String::new(),
            who => self.w.approved_by(who),
        };
        RefundItem {
            number: row.key.out_refund_no.to_string(),
            order: row.key.payment.out_trade_no.to_string(),
            amount: amount(currency, row.amount),
            till: row.till.clone(),
            status: text::refund::word(status, language),
            class,
            at: self.time(row.created_at),
            ago: self.ago(row.created_at),
            why: row.reason.clone(),
            approved_by,
            reason: text::refund::of(&row.state, currency, language).unwrap_or_default(),
            advice,
        }
    }

    pub(super) const fn channel(&self, channel: Channel) -> &'static str {
        match channel {
            Channel::Micropay => self.w.by_payment_code(),
            Channel::Native => self.w.by_our_code(),
        }
    }
}

/// The status of a refund that the books call so.
pub(super) fn refund_status(word: &str) -> Option<RefundStatus> {
    RefundStatus::ALL.into_iter().find(|status| status.word() == word)
}

/// An amount as people read it, with its currency's sign.
pub(super) fn amount(currency: Currency, amount: Money) -> String {
    format!("{}{}", currency.symbol(), currency.group(amount))
}

/// What kind of status it is, for its colour.
pub(super) const fn class(status: Status) -> &'static str {
    match status {
        Status::Paid => "good",
        Status::Attention => "bad",
        Status::Created | Status::Sent | Status::Waiting | Status::Checking | Status::Reversing => {
            "busy"
        }
        Status::Declined | Status::Reversed | Status::Closed => "quiet",
    }
}
