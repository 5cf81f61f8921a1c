//! What a bill and a journal differ in.

use serde::{Deserialize, Serialize};

use crate::clock::{Date, Timestamp};
use crate::money::{Currency, Money};

/// In what way they differ (interface 3).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    OnlyHere,
    OnlyInBill,
    Amount,
    State,
    Refund,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::OnlyHere, Self::OnlyInBill, Self::Amount, Self::State, Self::Refund];

    /// The word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OnlyHere => "only_here",
            Self::OnlyInBill => "only_in_bill",
            Self::Amount => "amount",
            Self::State => "state",
            Self::Refund => "refund",
        }
    }
}

/// What exactly it is, which decides what to do about it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Paid by the journal, and not in the bill. Close to midnight it may be in that of another day.
    NotInBill(Option<Date>),
    /// A payment under a number of this till that the journal does not know.
    NotInJournal,
    Amount,
    Currency,
    /// The bill has the payment so many times.
    Times(u32),
    /// Not paid by the journal, and paid by the bill.
    PaidInBill,
    /// Open, and paid by the bill.
    OpenPaid,
    /// Open, and paid and given back by the bill.
    OpenReturned,
    /// Open since that day, and not in the bill.
    OpenNotInBill,
    /// A person has settled it, and it is paid by the bill.
    SettledPaid,
    /// Paid by the journal, and reversed by the bill.
    Reversed,
    /// Reversed by the journal, and by the bill the money did not go back. Close to midnight it may
    /// be in that of another day.
    NotReturned(Option<Date>),
    /// Another transaction of the gateway's.
    Transaction,
    /// A refund that the journal does not know.
    RefundNotInJournal,
    /// A refund that is not in the bill.
    RefundNotInBill(Option<Date>),
    RefundAmount,
    /// The bill says that it failed.
    RefundFailed,
}

impl Cause {
    /// The word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotInBill(_) => "not_in_bill",
            Self::NotInJournal => "not_in_journal",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Times(_) => "doubled",
            Self::PaidInBill => "paid_in_bill",
            Self::OpenPaid => "open_but_paid",
            Self::OpenReturned => "open_but_returned",
            Self::OpenNotInBill => "open_and_not_in_bill",
            Self::SettledPaid => "settled_but_paid",
            Self::Reversed => "reversed_in_bill",
            Self::NotReturned(_) => "not_returned",
            Self::Transaction => "transaction",
            Self::RefundNotInJournal => "refund_not_in_journal",
            Self::RefundNotInBill(_) => "refund_not_in_bill",
            Self::RefundAmount => "refund_amount",
            Self::RefundFailed => "refund_failed",
        }
    }

    pub const fn kind(self) -> Kind {
        match self {
            Self::NotInBill(_) => Kind::OnlyHere,
            Self::NotInJournal => Kind::OnlyInBill,
            Self::Amount | Self::Currency | Self::Times(_) => Kind::Amount,
            Self::PaidInBill
            | Self::OpenPaid
            | Self::OpenReturned
            | Self::OpenNotInBill
            | Self::SettledPaid
            | Self::Reversed
            | Self::NotReturned(_)
            | Self::Transaction => Kind::State,
            Self::RefundNotInJournal
            | Self::RefundNotInBill(_)
            | Self::RefundAmount
            | Self::RefundFailed => Kind::Refund,
        }
    }
}

/// What one of the two says.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// A word for programs: a status here, `paid`, `reversed`, `refunded` there.
    pub state: &'static str,
    pub amount: Money,
    pub currency: Currency,
}

/// An order or a refund in which they differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub cause: Cause,
    pub order_no: String,
    /// Empty unless it is about a refund.
    pub refund_no: String,
    /// The gateway's number, if either knows it.
    pub transaction_id: String,
    pub here: Option<Side>,
    pub bill: Option<Side>,
    /// When it was paid or refunded, by the bill if it has it.
    pub at: Option<Timestamp>,
}
