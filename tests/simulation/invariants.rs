//! What must be true whatever happens.

use std::fmt;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Invariant {
    /// The disk held the intent, with number and amount, before the bank saw anything of a
    /// submission.
    IntentBeforeWire,
    /// *Paid* is reported only after an answer that is signed with our key and matches in merchant,
    /// number, amount and currency; and the bank holds the money.
    PaidNeedsProof,
    /// *Not paid* and *reversed* are never reported while the bank holds money of that attempt or
    /// can still receive some, and never without a verified answer of the gateway.
    NoMoneyLeftBehind,
    /// Never two net charges for one sale.
    OneNetCharge,
    /// What was taken of a sale, in whatever ways, is never more than is due; once its cash went back,
    /// which is all of it and once, nothing more is taken.
    NeverAboveDue,
    /// Every paid order and everything given back is in one Z report, or in what came after the last,
    /// and so is what was sold, by rate of tax; the reports, the journal and the bank's ledger have the
    /// same. A Z report stays what it was, and none is missing; nothing but what is unsettled stands in
    /// the way of one.
    ShiftsAddUp,
    /// Once all has ended, the gateway's bill of the day and the journal differ in nothing but what
    /// the bank has done by itself, and that is named.
    BillAgrees,
    /// A number is submitted once, with one body, and never reused. A code of ours is ordered with one
    /// body, and never once it is shown.
    OneSubmission,
    /// No reversal before 15 s, none without a query before it, none of a payment that was made in
    /// time; *reversed* only if a query proves it. A code of ours is closed in the same way, and never in
    /// the time that a customer has.
    ReversalDiscipline,
    /// Never *paid* once a reversal has left.
    NeverPaidAfterReversal,
    /// States only move forward.
    OnlyForward,
    /// What was acknowledged is in the journal, unchanged, after every kind of crash.
    NothingLost,
    /// The screen shows that something is unsettled exactly as long as something is.
    OpenIsVisible,
    /// A scan charges the sale at the desk and no other, once; a key acts on the payment at the desk;
    /// a payment that takes its time gives the desk free and comes back.
    DeskAlone,
    /// The end of a payment rings as what it is, or as one that is not at the desk; that one stays in
    /// sight until somebody has read it. Each end that has a slip gets it.
    EndsAreHeard,
    /// A code of ours is on the screen, where a phone reads it, or on a bill, once the journal has it
    /// and this process has heard that it can be scanned, and no longer than that.
    CodesAreKept,
    /// The amount is the same on the keyboard, on the wire, in the journal, at the bank, on the
    /// receipt and in the report.
    SameMoney,
    /// At most one query per interval, except those that something calls for; growing waits; what
    /// was open at a start or before a suspension is queried one at a time.
    NoStorm,
    /// Once nothing fails any more, everything ends in time, and the till's journal and the bank's
    /// ledger agree.
    Converges,
    /// No payment code in the journal or in any output.
    NoSecrets,
    /// Another till's order is never reversed, and never told as ours.
    OnlyOurs,
    /// A refund is one number with one body; an order's refunds never come to more than was paid,
    /// and none leaves while nobody knows what becomes of another.
    RefundedOnce,
    /// *Refunded* is reported only when the bank has given the money back, and *not refunded* never
    /// while it gives it back.
    RefundNeedsProof,
    /// What the backend was asked to reverse before it came never reaches the gateway; no instance submits
    /// what another one may have taken over.
    Fenced,
    /// What the backend says was not sent on is not in its books.
    NotSentIsNotSent,
    /// Once all has ended, the till's journal, the backend's books and the bank's ledger have the same of
    /// every payment and refund, also of tills that never came back to ask.
    BooksAgree,
    /// A notification is acknowledged only once it is in the books with what follows from it; what the
    /// gateway has not signed leaves no trace there, and nothing moves by what is not true.
    NoticesProve,
    /// Others are told of each event once, of none that was not, and of the end of every payment.
    ToldOnce,
    /// A till that waits at the backend is told of news at once, and answered within its wait.
    HeardInTime,
    /// What a till has no right to is not done.
    WithinRights,
    /// The till did not panic.
    NoPanic,
}

/// What was broken, and how.
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
