//! What the gateway's answer about an order means, in one word, and why there is none.

use crate::gateway::Owner;
use crate::journal::OrderRow;
use crate::language::Language;
use crate::money::Money;
use crate::order::{OutTradeNo, TillId};
use crate::payment::{Ending, Found, Funds, Reason, State, Status, TillCause};
use crate::refund::RefundState;
use crate::text::find::{FindWords, Verdict};
use crate::text::reason;

/// A verdict, and why it is not known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    pub verdict: Verdict,
    pub why: Option<Why>,
}

/// Why no verdict is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Why {
    Reason(Reason),
    /// The gateway knows a number of this till's that its journal does not have.
    NotInJournal,
    /// The gateway has the money of an order that the till still drives: it may count it, or return it.
    NotCountedYet,
    /// The gateway has the money of an order that the till is ending.
    BeingEnded,
    /// The gateway has the money of an order that the till has ended.
    HeldAfterAll,
    /// The gateway had the money of an order of which the till is giving some back.
    BeingRefunded,
    /// There is no gateway to ask.
    Training,
    /// It was paid in cash: no gateway knows of it.
    Cash,
}

impl Why {
    /// For programs.
    pub fn code(&self) -> &str {
        match self {
            Self::Reason(reason) => reason.code(),
            Self::NotInJournal => "not_in_journal",
            Self::NotCountedYet => "not_counted_yet",
            Self::BeingEnded => "being_ended",
            Self::HeldAfterAll => "held_after_all",
            Self::BeingRefunded => "being_refunded",
            Self::Training => "training",
            Self::Cash => "cash",
        }
    }

    /// Whether somebody must look into it who may do more than a cashier.
    pub const fn needs_the_manager(&self) -> bool {
        matches!(self, Self::NotInJournal | Self::HeldAfterAll)
    }

    /// In words.
    pub fn sentence(&self, language: Language) -> String {
        let words = FindWords::of(language);
        match self {
            Self::Reason(why) => reason::cause_sentence(why, language),
            Self::NotInJournal => words.not_in_journal().to_owned(),
            Self::NotCountedYet => words.not_counted_yet().to_owned(),
            Self::BeingEnded => words.being_ended().to_owned(),
            Self::HeldAfterAll => words.held_after_all().to_owned(),
            Self::BeingRefunded => words.being_refunded().to_owned(),
            Self::Training => words.training().to_owned(),
            Self::Cash => words.cash().to_owned(),
        }
    }
}

impl Told {
    /// Of an order about which nobody is asked.
    pub fn without_asking(row: &OrderRow) -> Option<Self> {
        let is_refunded = row.refunded > Money::default();
        let verdict = if is_refunded { Verdict::Refunded } else { by_journal(&row.state) };
        row.state.cash().map(|_| Self { verdict, why: Some(Why::Cash) })
    }

    const fn of(verdict: Verdict) -> Self {
        Self { verdict, why: None }
    }

    /// For want of an answer.
    pub fn unknown(reason: impl Into<Reason>) -> Self {
        Self { verdict: Verdict::Unknown, why: Some(Why::Reason(reason.into())) }
    }

    pub const fn for_want_of(why: Why) -> Self {
        Self { verdict: Verdict::Unknown, why: Some(why) }
    }
}

/// What this till's refunds have given back of an order. An answer may be older than they are.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum GivenBack {
    Nothing,
    /// Nobody knows yet whether anything.
    UnderWay,
    Something,
}

impl GivenBack {
    /// By where each of them is.
    pub fn by<'a>(refunds: impl Iterator<Item = &'a RefundState>) -> Self {
        let of = |refund: &RefundState| match refund {
            refund if refund.is_given() => Self::Something,
            refund if refund.is_unclear() => Self::UnderWay,
            _ => Self::Nothing,
        };
        refunds.map(of).max().unwrap_or(Self::Nothing)
    }
}

/// What an answer means. `state` is where the till is with the order: as long as that is not certain
/// to the till, or it knows of money, an answer that nobody has paid is not the last word; and money
/// that the till does not count as this sale's, or has given back, is not called a payment.
pub fn verdict(found: Found, state: &State, back: GivenBack) -> Told {
    // Over for the till, and no money known of: a payment does not vanish.
    let is_over = state.is_settled() && state.money() == Funds::NotMoved;
    let may_arrive = state.is_to_be_rechecked();
    match found {
        Found::Paid(_) if is_given_up(state.status()) => {
            Told::for_want_of(if state.is_open() { Why::BeingEnded } else { Why::HeldAfterAll })
        }
        Found::Paid(_) if state.status() != Status::Paid => Told::for_want_of(Why::NotCountedYet),
        Found::Paid(_) => match back {
            GivenBack::Nothing => Told::of(Verdict::Paid),
            GivenBack::UnderWay => Told::for_want_of(Why::BeingRefunded),
            GivenBack::Something => Told::of(Verdict::Refunded),
        },
        Found::Ended(Ending::Closed) => Told::of(Verdict::Unpaid),
        Found::Ended(Ending::Revoked | Ending::Returned) => Told::of(Verdict::Reversed),
        Found::Ended(Ending::Refunded) => Told::of(Verdict::Refunded),
        Found::AnotherTills(_) => Told::of(Verdict::Foreign),
        Found::Declined { closed: true, .. } => Told::of(Verdict::Unpaid),
        Found::NotPaid | Found::Failed(_) | Found::Declined { .. } if is_over => {
            Told::of(Verdict::Unpaid)
        }
        Found::NotFound if is_over && !may_arrive => Told::of(Verdict::Unpaid),
        Found::Paying => Told::unknown(Reason::gateway("USERPAYING", "")),
        Found::NotPaid => Told::unknown(Reason::gateway("NOTPAY", "")),
        Found::NotFound => Told::unknown(Reason::gateway("ORDERNOTEXIST", "")),
        Found::Failed(reason) | Found::Declined { reason, .. } => Told::unknown(reason),
        Found::Returning => Told::for_want_of(Why::BeingEnded),
        Found::Inconclusive(what) => Told::unknown(what.reason().clone()),
    }
}

/// Whether the till may have ended it without the money.
const fn is_given_up(status: Status) -> bool {
    match status {
        Status::Created | Status::Sent | Status::Waiting | Status::Checking | Status::Paid => false,
        Status::Reversing
        | Status::Declined
        | Status::Reversed
        | Status::Closed
        | Status::Attention => true,
    }
}

/// What this till's journal alone knows, without asking.
pub fn by_journal(state: &State) -> Verdict {
    match state.status() {
        Status::Paid => Verdict::Paid,
        Status::Declined | Status::Closed => Verdict::Unpaid,
        Status::Reversed => Verdict::Reversed,
        Status::Created
        | Status::Sent
        | Status::Waiting
        | Status::Checking
        | Status::Reversing
        | Status::Attention => Verdict::Unknown,
    }
}

/// The number of our order that a transaction belongs to, by which it can be asked about; or a
/// verdict.
pub fn order_of(owner: Owner, till: &TillId) -> Result<OutTradeNo, Told> {
    match owner {
        Owner::Order(number) if number.is_of(till) => Ok(number),
        Owner::Order(_) | Owner::Nobody => Err(Told::of(Verdict::Foreign)),
        Owner::Inconclusive(what) => Err(Told::unknown(what.reason().clone())),
    }
}

/// Whose a number is that is not in the journal.
pub fn whose(found: &Found, number: &OutTradeNo, till: &TillId) -> Told {
    let is_ours = number.is_of(till);
    let is_known = match found {
        Found::NotFound if may_be_a_part(number.as_str()) => {
            return Told::unknown(Reason::gateway("ORDERNOTEXIST", ""));
        }
        Found::NotFound => false,
        // A signed answer about this number, though not about an order that we know.
        Found::Inconclusive(what)
            if [TillCause::WrongAmount, TillCause::WrongCurrency]
                .into_iter()
                .any(|cause| what.reason().is(cause)) =>
        {
            true
        }
        Found::Inconclusive(what) => return Told::unknown(what.reason().clone()),
        _ => true,
    };
    if is_known && is_ours {
        Told::for_want_of(Why::NotInJournal)
    } else {
        Told::of(Verdict::Foreign)
    }
}

/// The end of a number of ours, or of a transaction's, has digits alone and is shorter.
fn may_be_a_part(number: &str) -> bool {
    number.len() < WHOLE && number.bytes().all(|byte| byte.is_ascii_digit())
}

const WHOLE: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Millis, Timestamp};
    use crate::payment::{
        Answer, CallKind, Event, Inconclusive, Proof, Reversed, Rules, Submitted,
    };

    fn state(answer: Submitted) -> State {
        let mut state = State::begin(&Rules::default(), 0);
        let event = Event::Answered(0, Answer::Submitted(answer));
        let _ = state.step(&event, Millis(200), &Rules::default());
        state
    }

    fn proof() -> Proof {
        let transaction_id = "4200002026112200000000000001".to_owned();
        Proof { transaction_id, paid_at: Timestamp(1), coupon: None }
    }

    fn word(told: &Told) -> &'static str {
        told.verdict.word()
    }

    #[test]
    fn what_is_over_at_the_gateway_is_over_wherever_the_till_is() {
        let paid = state(Submitted::Paid(proof()));
        assert_eq!(word(&verdict(Found::Paid(proof()), &paid, GivenBack::Nothing)), "paid");
        // Until the till counts it, it may return it as well.
        let told = verdict(Found::Paid(proof()), &state(Submitted::Paying), GivenBack::Nothing);
        assert_eq!(told, Told::for_want_of(Why::NotCountedYet));
        for state in [state(Submitted::Paying), paid] {
            for (found, expected) in [
                (Found::Ended(Ending::Closed), "unpaid"),
                (Found::Ended(Ending::Revoked), "reversed"),
                (Found::Ended(Ending::Returned), "reversed"),
                (Found::Ended(Ending::Refunded), "refunded"),
                (Found::AnotherTills(TillCause::AnotherTill.into()), "foreign"),
            ] {
                assert_eq!(word(&verdict(found, &state, GivenBack::Nothing)), expected);
            }
        }
    }

    #[test]
    fn what_has_been_given_back_is_not_called_paid_by_an_older_answer() {
        let paid = state(Submitted::Paid(proof()));
        let told = |back| verdict(Found::Paid(proof()), &paid, back);
        assert_eq!(told(GivenBack::Something), Told::of(Verdict::Refunded));
        assert_eq!(told(GivenBack::UnderWay), Told::for_want_of(Why::BeingRefunded));
    }

    #[test]
    fn not_paid_yet_is_not_called_unpaid_while_money_may_still_come_or_is_known_of() {
        let inconclusive = Inconclusive::Unknown(TillCause::NoAnswer.into());
        let failed = Reason::gateway("PAYERROR", "");
        for state in [state(Submitted::Paying), state(Submitted::Paid(proof()))] {
            for found in [
                Found::Paying,
                Found::NotPaid,
                Found::NotFound,
                Found::Failed(failed.clone()),
                Found::Inconclusive(inconclusive.clone()),
            ] {
                let told = verdict(found, &state, GivenBack::Nothing);
                assert!(told.verdict == Verdict::Unknown && told.why.is_some(), "{told:?}");
            }
        }
    }

    /// Nobody has paid for 30 s: the till reverses, and sees it through.
    fn ended(until: impl Fn(&State) -> bool) -> State {
        let (rules, mut now) = (Rules::default(), Millis::seconds(30));
        let mut state = state(Submitted::Paying);
        let mut call = state.step(&Event::Tick, now, &rules);
        while !until(&state) {
            now = now.plus(Millis::seconds(15));
            let answer = match call.map(|call| call.kind) {
                Some(CallKind::Reverse) => Answer::Reversed(Reversed::Accepted),
                Some(_) if state.status() == Status::Reversing && now > Millis::seconds(60) => {
                    Answer::Found(Found::Ended(Ending::Revoked))
                }
                Some(_) => Answer::Found(Found::NotPaid),
                None => {
                    call = state.step(&Event::Tick, now, &rules);
                    continue;
                }
            };
            let number = call.unwrap().number;
            call = state.step(&Event::Answered(number, answer), now, &rules);
        }
        state
    }

    #[test]
    fn money_that_the_till_does_not_count_is_not_called_a_payment() {
        let reversing = ended(|state| state.status() == Status::Reversing);
        let told = verdict(Found::Paid(proof()), &reversing, GivenBack::Nothing);
        assert_eq!(told, Told::for_want_of(Why::BeingEnded));
        let reversed = ended(|state| state.status() == Status::Reversed);
        let told = verdict(Found::Paid(proof()), &reversed, GivenBack::Nothing);
        assert_eq!(told, Told::for_want_of(Why::HeldAfterAll));
        assert_eq!(by_journal(&reversing), Verdict::Unknown);
        assert_eq!(by_journal(&reversed), Verdict::Reversed);
        assert_eq!(by_journal(&state(Submitted::Paid(proof()))), Verdict::Paid);
        assert_eq!(by_journal(&state(Submitted::Paying)), Verdict::Unknown);
    }

    #[test]
    fn a_transaction_is_ours_only_if_it_names_a_number_of_ours() {
        let till = TillId::new("T01").unwrap();
        let number = |text: &str| OutTradeNo::try_from(text.to_owned()).unwrap();
        let ours = number("T01112203300089345607");
        assert_eq!(order_of(Owner::Order(ours.clone()), &till), Ok(ours));
        for owner in [Owner::Order(number("T02112203300089345607")), Owner::Nobody] {
            assert_eq!(order_of(owner, &till), Err(Told::of(Verdict::Foreign)));
        }
        let lost = Inconclusive::Unknown(TillCause::NoAnswer.into());
        let told = order_of(Owner::Inconclusive(lost), &till).unwrap_err();
        assert_eq!(told, Told::unknown(TillCause::NoAnswer));
    }

    #[test]
    fn a_number_that_is_not_in_the_journal_is_ours_only_in_doubt() {
        let wrong = |cause: TillCause| Found::Inconclusive(Inconclusive::Unknown(cause.into()));
        for (found, of_others, of_ours) in [
            (Found::NotFound, "foreign", "foreign"),
            (Found::NotPaid, "foreign", "unknown"),
            (Found::Ended(Ending::Refunded), "foreign", "unknown"),
            (wrong(TillCause::WrongAmount), "foreign", "unknown"),
            (wrong(TillCause::NoAnswer), "unknown", "unknown"),
            (wrong(TillCause::BadSignature), "unknown", "unknown"),
        ] {
            let till = TillId::new("T01").unwrap();
            let whose = |number: &str| {
                whose(&found, &OutTradeNo::try_from(number.to_owned()).unwrap(), &till)
            };
            assert_eq!(word(&whose("X9112203300089345607")), of_others, "{found:?}");
            assert_eq!(word(&whose("T01112203300089345607")), of_ours, "{found:?}");
            // Perhaps the end of a number of ours.
            let of_a_part = if found == Found::NotFound { "unknown" } else { of_others };
            assert_eq!(word(&whose("203300089345607")), of_a_part, "{found:?}");
        }
    }
}
