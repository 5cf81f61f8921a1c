//! What happens to one order, chosen by name or by the last four digits of the payment code.
//!
//! | last digits | scenario |
//! | --- | --- |
//! | `0000`, and all that are not listed | `ok` |
//! | `01SS` | `password-SS`: pays after `SS` seconds |
//! | `02..` | `walks-away` |
//! | `03SS`, `04SS`, `05SS` | `cancels-SS`, `revoked-SS`, `closed-SS`: ends so after `SS` seconds |
//! | `06SS`, `07SS` | `slow-SS`, `answer-late-SS` |
//! | `1NNp` | the submission is refused with `NN` of [`REFUSALS`]; `p` is 1 if money is taken |
//! | `2NNp` | the submission's answer has `NN` of [`Fault::ALL`]; `p` is 1 if money is taken |
//! | `3NN0`, `4NN0` | the answers to the first two queries or reversals have that fault |
//! | `50NN` | number `NN` of [`SpecialCase::ALL`] |
//! | `9999` | `random` |

use std::borrow::Cow;

use super::fault::{Fault, LATE_SECONDS};
use super::refund_case::RefundCase;
use super::refusal::{REFUSALS, RefusalCase};
use super::status::{OrderStatus, RefusalClass};
use paytill_core::clock::Millis;
use paytill_core::payment::{CallKind, Status};

/// The codes of training customers begin like this, as long as their serial numbers are below 10^8.
const PRACTICE: &str = "130000";
/// How often a query or reversal goes wrong before it works.
const TIMES: usize = 2;
/// When a till with the default rules stops waiting, and queries once more.
const GIVE_UP_SECONDS: u8 = 30;
/// Its last query before that.
const LAST_QUERY_SECONDS: u8 = 25;
/// When a [`SpecialCase::DeliveredLate`] submission arrives: the code's lifetime.
const DELIVERED_AFTER: Millis = Millis::seconds(60);
/// When somebody refunds a payment at the merchant platform: before a till first queries it.
const REFUNDED_AFTER: Millis = Millis::seconds(3);

/// What happens to one order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scenario {
    /// Pays at once.
    Pays,
    /// Types a password and pays after this many seconds.
    Password(u8),
    /// Is asked for the password and never pays.
    WalksAway,
    /// Cancels on the phone after this many seconds: `PAYERROR`.
    Cancels(u8),
    /// Someone else revokes the order after this many seconds: `REVOKED`.
    Revoked(u8),
    /// Someone else closes the order after this many seconds: `CLOSED`.
    Closed(u8),
    /// The gateway needs this many seconds to take the money and to answer.
    Slow(u8),
    /// The money is taken at once; the answer comes this many seconds later.
    AnswerLate(u8),
    /// The submission is refused.
    Refused {
        refusal: &'static RefusalCase,
        /// The money is taken anyway.
        charged: bool,
    },
    /// Answers to one kind of call have a fault: a submission's first one, otherwise the first two.
    Corrupted {
        call: CallKind,
        fault: Fault,
        /// The customer pays at once.
        charged: bool,
    },
    Odd(SpecialCase),
    /// Drawn at random for each order from all the others.
    Random,
}

/// Special cases that make sense for one call only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SpecialCase {
    /// The submission is held up in the network for a minute, and then delivered.
    DeliveredLate,
    /// Two queries answer `SYSTEMERROR`.
    QueryFails,
    /// Two queries about a paid order answer `ORDERNOTEXIST`.
    QueryNotVisible,
    /// Two reversals answer `SUCCESS` and `recall=Y`.
    Recall,
    /// Two reversals answer `SYSTEMERROR` and `recall=Y`.
    ReverseSystemError,
    /// Two reversals are refused with `USERPAYING`.
    ReverseUserPaying,
    /// The customer pays at the last moment, and all reversals answer `TRADE_ERROR`.
    ReverseRefused,
    /// All reversals answer `REVERSE_EXPIRE`.
    ReverseExpired,
    /// The first reversal claims to be done, and is not.
    ReverseLies,
    /// The customer pays between the last query and the reversal.
    PaysDuringReversal,
    /// The answer to the submission is lost, and somebody refunds a part at the merchant platform.
    PartlyRefunded,
    /// The same, and the refund is of all.
    RefundedElsewhere,
    /// Pays at once; what happens to its refunds.
    Refund(RefundCase),
}

/// The outcome at a till with the default rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Expected {
    pub status: Status,
    /// Whether the customer has lost the money in the end, or a part of it.
    pub net_charged: bool,
}

impl SpecialCase {
    /// All of them. Their order is part of the codes that select them: add at the end only.
    pub const ALL: [Self; 23] = [
        Self::DeliveredLate,
        Self::QueryFails,
        Self::QueryNotVisible,
        Self::Recall,
        Self::ReverseSystemError,
        Self::ReverseUserPaying,
        Self::ReverseRefused,
        Self::ReverseExpired,
        Self::ReverseLies,
        Self::PaysDuringReversal,
        Self::PartlyRefunded,
        Self::RefundedElsewhere,
        Self::Refund(RefundCase::Slow),
        Self::Refund(RefundCase::NotEnough),
        Self::Refund(RefundCase::Closed),
        Self::Refund(RefundCase::Abnormal),
        Self::Refund(RefundCase::AnswerLost),
        Self::Refund(RefundCase::RequestLost),
        Self::Refund(RefundCase::Forged),
        Self::Refund(RefundCase::Unsigned),
        Self::Refund(RefundCase::SystemError),
        Self::Refund(RefundCase::Elsewhere),
        Self::Refund(RefundCase::QueryFails),
    ];

    /// Its scenario's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeliveredLate => "delivered-late",
            Self::QueryFails => "query-fails",
            Self::QueryNotVisible => "query-not-visible",
            Self::Recall => "recall",
            Self::ReverseSystemError => "reverse-systemerror",
            Self::ReverseUserPaying => "reverse-userpaying",
            Self::ReverseRefused => "reverse-refused",
            Self::ReverseExpired => "reverse-expired",
            Self::ReverseLies => "reverse-lies",
            Self::PaysDuringReversal => "pays-during-reversal",
            Self::PartlyRefunded => "partly-refunded",
            Self::RefundedElsewhere => "refunded-elsewhere",
            Self::Refund(case) => case.name(),
        }
    }

    const fn is_of_reversal(self) -> bool {
        !matches!(
            self,
            Self::DeliveredLate
                | Self::QueryFails
                | Self::QueryNotVisible
                | Self::PartlyRefunded
                | Self::RefundedElsewhere
                | Self::Refund(_)
        )
    }
}

impl Scenario {
    /// Every scenario by its plain name, [`Scenario::Random`] last.
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Pays,
            Self::Password(8),
            Self::WalksAway,
            Self::Cancels(8),
            Self::Revoked(3),
            Self::Closed(3),
            Self::Slow(8),
            Self::AnswerLate(LATE_SECONDS),
        ];
        all.extend(SpecialCase::ALL.map(Self::Odd));
        for refusal in &REFUSALS {
            let both = [refusal.usually_charged(), !refusal.usually_charged()];
            let refused = both.map(|charged| Self::Refused { refusal, charged });
            all.extend(refused.into_iter().filter(|scenario| scenario.is_possible()));
        }
        for call in [CallKind::Submit, CallKind::Query, CallKind::Reverse] {
            for fault in Fault::ALL {
                let both = [fault.is_processed(), !fault.is_processed()];
                let corrupted = both.map(|charged| Self::Corrupted { call, fault, charged });
                all.extend(corrupted.into_iter().filter(|scenario| scenario.is_possible()));
            }
        }
        all.push(Self::Random);
        all
    }

    /// A selection for training: what customers do, and the faults a cashier should know.
    pub fn menu() -> Vec<Self> {
        let names = [
            "ok",
            "password",
            "walks-away",
            "cancels",
            "notenough",
            "auth-code-expire",
            "notsupportcard",
            "slow",
            "answer-lost",
            "request-lost",
            "systemerror",
            "forged",
            "wrong-amount",
            "recall",
            "pays-during-reversal",
            "reverse-refused",
            "signerror",
            "random",
        ];
        names.into_iter().filter_map(Self::from_name).collect()
    }

    /// The scenario with this name: one of [`Scenario::all`], or a timed one with its seconds, such
    /// as `password-20`.
    pub fn from_name(name: &str) -> Option<Self> {
        let timed = |name: &str| {
            let (base, seconds) = name.rsplit_once('-')?;
            let seconds: u8 = seconds.parse().ok().filter(|seconds| *seconds < 100)?;
            match base {
                "password" => Some(Self::Password(seconds)),
                "cancels" => Some(Self::Cancels(seconds)),
                "revoked" => Some(Self::Revoked(seconds)),
                "closed" => Some(Self::Closed(seconds)),
                "slow" => Some(Self::Slow(seconds)),
                "answer-late" => Some(Self::AnswerLate(seconds)),
                _ => None,
            }
        };
        if name == "userpaying" {
            return Some(Self::Password(8));
        }
        Self::all().into_iter().find(|scenario| scenario.name() == name).or_else(|| timed(name))
    }

    /// Its name, which [`Scenario::from_name`] accepts.
    pub fn name(self) -> Cow<'static, str> {
        let timed = |base: &'static str, usual: u8, seconds: u8| {
            if seconds == usual { base.into() } else { format!("{base}-{seconds}").into() }
        };
        match self {
            Self::Pays => "ok".into(),
            Self::Password(seconds) => timed("password", 8, seconds),
            Self::WalksAway => "walks-away".into(),
            Self::Cancels(seconds) => timed("cancels", 8, seconds),
            Self::Revoked(seconds) => timed("revoked", 3, seconds),
            Self::Closed(seconds) => timed("closed", 3, seconds),
            Self::Slow(seconds) => timed("slow", 8, seconds),
            Self::AnswerLate(seconds) => timed("answer-late", LATE_SECONDS, seconds),
            Self::Refused { refusal, charged } => {
                with_suffix(refusal.name, charged, refusal.usually_charged())
            }
            Self::Corrupted { call: CallKind::Submit, fault, charged } => {
                with_suffix(fault.name(), charged, fault.is_processed())
            }
            Self::Corrupted { call: CallKind::Query, fault, .. } => {
                format!("query-{}", fault.name()).into()
            }
            Self::Corrupted { call, fault, .. } => {
                format!("{}-{}", call.word(), fault.name()).into()
            }
            Self::Odd(special_case) => special_case.name().into(),
            Self::Random => "random".into(),
        }
    }

    /// The scenario that a payment code selects.
    pub fn of_code(code: &str) -> Self {
        let digits = code.get(code.len().saturating_sub(4)..).unwrap_or_default();
        let Ok(digits) = digits.parse::<u16>() else { return Self::Pays };
        let (hundreds, seconds) = (digits / 100, u8::try_from(digits % 100).unwrap_or(0));
        let (index, charged) = (usize::from(digits / 10 % 100), digits % 10 == 1);
        let corrupted = |call| {
            let charged =
                if call == CallKind::Submit { charged } else { is_paid_before(call, index) };
            Some(Self::Corrupted { call, fault: *Fault::ALL.get(index)?, charged })
        };
        let selected = match (digits / 1000, hundreds) {
            (_, 1) => Some(Self::Password(seconds)),
            (_, 2) => Some(Self::WalksAway),
            (_, 3) => Some(Self::Cancels(seconds)),
            (_, 4) => Some(Self::Revoked(seconds)),
            (_, 5) => Some(Self::Closed(seconds)),
            (_, 6) => Some(Self::Slow(seconds)),
            (_, 7) => Some(Self::AnswerLate(seconds)),
            (1, _) => REFUSALS.get(index).map(|refusal| Self::Refused { refusal, charged }),
            (2, _) => corrupted(CallKind::Submit),
            (3, _) => corrupted(CallKind::Query),
            (4, _) => corrupted(CallKind::Reverse),
            (_, 50) => SpecialCase::ALL.get(usize::from(seconds)).copied().map(Self::Odd),
            (_, 99) if seconds == 99 => Some(Self::Random),
            _ => None,
        };
        selected.filter(|scenario| scenario.is_possible()).unwrap_or(Self::Pays)
    }

    /// A payment code that selects it. Codes of different serial numbers differ (up to 10^12).
    pub fn code(self, serial: u64) -> String {
        format!("13{:012}{}", serial % 1_000_000_000_000, self.last_digits())
    }

    /// Whether a training customer shows it, as far as can be seen: one in 60,000 real codes begins
    /// so.
    pub fn is_practice(code: &str) -> bool {
        code.starts_with(PRACTICE)
    }

    /// The last four digits of the codes that select it.
    pub fn last_digits(self) -> String {
        let place = |index: Option<usize>| index.unwrap_or(0);
        match self {
            Self::Pays => "0000".to_owned(),
            Self::Password(seconds) => format!("01{seconds:02}"),
            Self::WalksAway => "0200".to_owned(),
            Self::Cancels(seconds) => format!("03{seconds:02}"),
            Self::Revoked(seconds) => format!("04{seconds:02}"),
            Self::Closed(seconds) => format!("05{seconds:02}"),
            Self::Slow(seconds) => format!("06{seconds:02}"),
            Self::AnswerLate(seconds) => format!("07{seconds:02}"),
            Self::Refused { refusal, charged } => {
                let index = REFUSALS.iter().position(|known| known == refusal);
                format!("1{:02}{}", place(index), u8::from(charged))
            }
            Self::Corrupted { call, fault, charged } => {
                let index = place(Fault::ALL.iter().position(|known| *known == fault));
                match call {
                    CallKind::Submit => format!("2{index:02}{}", u8::from(charged)),
                    CallKind::Query => format!("3{index:02}0"),
                    CallKind::Reverse
                    | CallKind::RefundQuery
                    | CallKind::Order
                    | CallKind::Close => format!("4{index:02}0"),
                }
            }
            Self::Odd(special_case) => {
                let index = place(SpecialCase::ALL.iter().position(|known| *known == special_case));
                format!("50{index:02}")
            }
            Self::Random => "9999".to_owned(),
        }
    }

    /// The outcome at a till with the default rules, and where the money ends up. A customer who
    /// acts in the very second of the give-up time can win or lose. `None` for
    /// [`Scenario::Random`]: the ledger says what was drawn.
    pub fn expected(self) -> Option<Expected> {
        let by = |limit: u8, seconds: u8, then: Status| {
            if seconds <= limit { then } else { Status::Reversed }
        };
        let status = match self {
            Self::Pays | Self::AnswerLate(_) => Status::Paid,
            Self::Password(seconds) | Self::Slow(seconds) => {
                by(GIVE_UP_SECONDS, seconds, Status::Paid)
            }
            Self::WalksAway | Self::Cancels(_) | Self::Revoked(_) => Status::Reversed,
            Self::Closed(seconds) => by(LAST_QUERY_SECONDS, seconds, Status::Declined),
            Self::Refused { refusal, charged } => match (refusal.class, charged) {
                (RefusalClass::Unclear | RefusalClass::QueryFirst, true) => Status::Paid,
                // It was shown as not charged, so the money is returned.
                (RefusalClass::Unclear, false) | (RefusalClass::Failed, true) => Status::Reversed,
                (RefusalClass::QueryFirst | RefusalClass::Failed, false)
                | (RefusalClass::SetUp, _) => Status::Declined,
            },
            Self::Corrupted { charged: true, .. } => Status::Paid,
            Self::Corrupted { call: CallKind::Submit, fault: Fault::ReturnFail, .. } => {
                Status::Declined
            }
            Self::Corrupted { charged: false, .. } => Status::Reversed,
            Self::Odd(
                SpecialCase::QueryFails | SpecialCase::QueryNotVisible | SpecialCase::Refund(_),
            ) => Status::Paid,
            Self::Odd(SpecialCase::ReverseRefused | SpecialCase::PartlyRefunded) => {
                return Some(Expected { status: Status::Attention, net_charged: true });
            }
            Self::Odd(SpecialCase::ReverseExpired) => Status::Attention,
            Self::Odd(
                SpecialCase::DeliveredLate
                | SpecialCase::Recall
                | SpecialCase::ReverseSystemError
                | SpecialCase::ReverseUserPaying
                | SpecialCase::ReverseLies
                | SpecialCase::PaysDuringReversal
                | SpecialCase::RefundedElsewhere,
            ) => Status::Reversed,
            Self::Random => return None,
        };
        Some(Expected { status, net_charged: status == Status::Paid })
    }

    /// The outcome through API v3, which cannot say how much somebody else has refunded.
    pub fn expected_by_v3(self) -> Option<Expected> {
        match self {
            Self::Odd(SpecialCase::RefundedElsewhere) => {
                Some(Expected { status: Status::Attention, net_charged: false })
            }
            other => other.expected(),
        }
    }

    /// How the order begins, what it turns into, and when. One that ends at once has no beginning
    /// of its own.
    pub(super) fn course(self) -> Course {
        let at_once = |end| Course { begins: end, ends: end, after: Millis(0) };
        let asked = |end, seconds: u8| Course {
            begins: OrderStatus::Paying,
            ends: end,
            after: Millis::seconds(seconds.into()),
        };
        match self {
            Self::Pays | Self::AnswerLate(_) | Self::Random => at_once(OrderStatus::Paid),
            Self::Password(seconds) | Self::Slow(seconds) => asked(OrderStatus::Paid, seconds),
            Self::WalksAway => at_once(OrderStatus::Paying),
            Self::Cancels(seconds) => asked(OrderStatus::PayError, seconds),
            Self::Revoked(seconds) => asked(OrderStatus::Revoked, seconds),
            Self::Closed(seconds) => asked(OrderStatus::Closed, seconds),
            Self::Refused { charged: true, .. } | Self::Corrupted { charged: true, .. } => {
                at_once(OrderStatus::Paid)
            }
            Self::Refused { refusal, .. } => at_once(refusal.leaves),
            Self::Corrupted { call: CallKind::Submit, fault, .. } => match fault {
                Fault::RequestLost | Fault::ReturnFail => at_once(OrderStatus::NotFound),
                _ => at_once(OrderStatus::Open),
            },
            Self::Corrupted { .. } => at_once(OrderStatus::Paying),
            Self::Odd(SpecialCase::DeliveredLate) => Course {
                begins: OrderStatus::NotFound,
                ends: OrderStatus::Paid,
                after: DELIVERED_AFTER,
            },
            Self::Odd(
                SpecialCase::QueryFails | SpecialCase::QueryNotVisible | SpecialCase::Refund(_),
            ) => at_once(OrderStatus::Paid),
            Self::Odd(SpecialCase::PartlyRefunded | SpecialCase::RefundedElsewhere) => Course {
                begins: OrderStatus::Paid,
                ends: OrderStatus::Refunded,
                after: REFUNDED_AFTER,
            },
            Self::Odd(_) => at_once(OrderStatus::Paying),
        }
    }

    /// The fault in the answer to a call that has been made `before` times already.
    pub(super) fn fault(self, asked: CallKind, before: usize) -> Option<Fault> {
        let submission = asked == CallKind::Submit && before == 0;
        match self {
            Self::Corrupted { call: CallKind::Submit, fault, .. } => {
                Some(fault).filter(|_| submission)
            }
            Self::Corrupted { call, fault, .. } if call == asked && before < TIMES => Some(fault),
            Self::Corrupted { call: CallKind::Query, .. }
            | Self::Odd(
                SpecialCase::QueryFails
                | SpecialCase::QueryNotVisible
                | SpecialCase::DeliveredLate
                | SpecialCase::PartlyRefunded
                | SpecialCase::RefundedElsewhere,
            ) => Some(Fault::AnswerLost).filter(|_| submission),
            _ => None,
        }
    }

    /// The special case for a query or reversal that has been made `before` times already.
    pub(super) fn special_case(self, before: usize) -> Option<SpecialCase> {
        let Self::Odd(special_case) = self else { return None };
        let times = match special_case {
            SpecialCase::ReverseRefused | SpecialCase::ReverseExpired => usize::MAX,
            SpecialCase::ReverseLies | SpecialCase::PaysDuringReversal => 1,
            _ => TIMES,
        };
        Some(special_case).filter(|_| before < times)
    }

    /// Whether the gateway itself revokes an unpaid order in the end. It does not in scenarios that
    /// are about reversals, where it would hide what they show.
    pub(super) fn lapses(self) -> bool {
        match self {
            Self::Corrupted { call, .. } => call != CallKind::Reverse,
            Self::Odd(special_case) => !special_case.is_of_reversal(),
            Self::Slow(_) => false,
            _ => true,
        }
    }

    fn is_possible(self) -> bool {
        match self {
            Self::Refused { refusal, charged } => !charged || refusal.class != RefusalClass::SetUp,
            Self::Corrupted { call: CallKind::Submit, fault, charged } => {
                fault.applies_to(CallKind::Submit) && !(charged && fault == Fault::RequestLost)
            }
            Self::Corrupted { call: CallKind::Query, fault, charged } => {
                fault.applies_to(CallKind::Query) && charged == (fault != Fault::Forged)
            }
            Self::Corrupted { call: CallKind::Reverse, fault, charged } => {
                fault.applies_to(CallKind::Reverse) && !charged
            }
            Self::Corrupted { .. } => false,
            _ => true,
        }
    }
}

/// An order's own time line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Course {
    pub(super) begins: OrderStatus,
    pub(super) ends: OrderStatus,
    pub(super) after: Millis,
}

/// Faults of queries go with a customer who has paid (except a forged answer, which needs one who
/// has not), and faults of reversals with one who never pays.
fn is_paid_before(call: CallKind, fault: usize) -> bool {
    call == CallKind::Query && Fault::ALL.get(fault) != Some(&Fault::Forged)
}

fn with_suffix(name: &'static str, charged: bool, usually: bool) -> Cow<'static, str> {
    match (charged, usually) {
        (true, true) | (false, false) => name.into(),
        (true, false) => format!("{name}-paid").into(),
        (false, true) => format!("{name}-unpaid").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_its_own_name_and_its_own_codes() {
        let mut names = std::collections::HashSet::new();
        for scenario in Scenario::all() {
            assert!(names.insert(scenario.name()), "{}", scenario.name());
            assert_eq!(Scenario::from_name(&scenario.name()), Some(scenario));
            assert_eq!(Scenario::of_code(&scenario.code(7)), scenario, "{}", scenario.name());
        }
        assert_eq!(Scenario::from_name("password-20"), Some(Scenario::Password(20)));
        assert_eq!(Scenario::from_name("userpaying"), Some(Scenario::Password(8)));
        for wrong in ["", "password-", "password-100", "Ok", "truncated-", "request-lost-paid"] {
            assert_eq!(Scenario::from_name(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn faults_of_each_call_are_named_after_it() {
        for name in ["truncated", "truncated-unpaid", "query-truncated", "reverse-truncated"] {
            assert!(Scenario::from_name(name).is_some(), "{name}");
        }
        for name in ["reverse-answer-lost", "query-garbage", "notenough-paid", "forged-paid"] {
            assert!(Scenario::from_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn codes_are_payment_codes_and_differ() {
        let codes: Vec<String> = (0..100).map(|serial| Scenario::WalksAway.code(serial)).collect();
        let distinct: std::collections::HashSet<&String> = codes.iter().collect();
        assert_eq!(distinct.len(), codes.len());
        assert!(codes.iter().all(|code| paytill_core::order::AuthCode::new(code).is_some()));
    }

    #[test]
    fn digits_that_select_nothing_pay_at_once() {
        for code in ["130000000000000042", "130000000000001990", "130000000000005099", "", "é"] {
            assert_eq!(Scenario::of_code(code), Scenario::Pays, "{code}");
        }
    }

    #[test]
    fn the_menu_is_complete() {
        assert_eq!(Scenario::menu().len(), 18);
    }
}
