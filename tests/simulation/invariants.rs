//! What must be true whatever happens.

use std::fmt;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Invariant {
    /// What the bank has seen of a submission, the disk held before, with number and amount.
    IntentBeforeWire,
    /// *Paid* is told only after an answer that is signed with our key and matches in merchant,
    /// number, amount and currency; the bank holds the money.
    PaidNeedsProof,
    /// Never *not paid* or *reversed* while the bank holds money of that attempt, or can still come
    /// to hold some; and never without a verified word of the gateway's.
    NoMoneyLeftBehind,
    /// Never two net charges for one sale.
    OneNetCharge,
    /// A number is submitted once, has one body, and is given to nobody else.
    OneSubmission,
    /// No reversal before 15 s, none without a query before it, none of what a customer has duly
    /// paid; *reversed* only when a query proves it.
    ReversalDiscipline,
    /// Once a reversal has left, never *paid*.
    NeverPaidAfterReversal,
    /// States only move forward.
    OnlyForward,
    /// What was acknowledged stands in the journal after every kind of death, unchanged.
    NothingLost,
    /// The screen shows that something is open for as long as something is.
    OpenIsVisible,
    /// The amount is the same from the key to the wire, the journal, the bank, the receipt and the
    /// report.
    SameMoney,
    /// No more queries than one an interval, beside those that something calls for; growing waits;
    /// what is open at a start, or was when the machine fell asleep, is asked about one by one.
    NoStorm,
    /// After healing everything ends in time, and the books of till and bank agree.
    Converges,
    /// No payment code in the journal, or in anything that is told.
    NoSecrets,
    /// The till did not panic.
    NoPanic,
}

/// What was broken, in words.
#[derive(Clone, Debug)]
pub struct Violation {
    pub invariant: Invariant,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.what)
    }
}
