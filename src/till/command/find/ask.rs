//! The question to the gateway what became of an order, and what its answer means. A query changes
//! nothing there; here nothing is written, the till learns of it by its own queries.

use crate::command::open::{codec, route};
use crate::command::{Exit, Failure};
use crate::config::{Config, GatewayConfig};
use crate::gateway::wechat::v2::WechatV2;
use crate::gateway::{Ask, Gateway as _, Stamp};
use crate::journal::OrderRow;
use crate::language::Language;
use crate::money::{Currency, Money};
use crate::order::{Merchant, Order, OutTradeNo, TillId};
use crate::payment::{Answer, Ending, Found, Reason, State, Status, TillCause};
use crate::text::find::{FindWords, Verdict};
use crate::text::{failure, reason};
use paytill_host::clock::Clock;
use paytill_host::random::nonce;
use paytill_host::transport::Transport;

/// A verdict, and why it is not known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Told {
    pub(super) verdict: Verdict,
    pub(super) why: Option<Why>,
}

/// Why no verdict is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Why {
    Reason(Reason),
    /// The gateway knows a number of this till's that its journal does not have.
    NotInJournal,
    /// The gateway's own number, which the journal does not have; it is not asked for by that.
    NoSuchTransaction,
    /// There is no gateway to ask.
    Training,
}

impl Why {
    /// For programs.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Reason(reason) => reason.code(),
            Self::NotInJournal => "not_in_journal",
            Self::NoSuchTransaction => "no_such_transaction",
            Self::Training => "training",
        }
    }

    /// In words.
    pub(super) fn sentence(&self, language: Language) -> String {
        let words = FindWords::of(language);
        match self {
            Self::Reason(why) => reason::cause_sentence(why, language),
            Self::NotInJournal => words.not_in_journal().to_owned(),
            Self::NoSuchTransaction => words.no_such_transaction().to_owned(),
            Self::Training => words.training().to_owned(),
        }
    }
}

impl Told {
    const fn of(verdict: Verdict) -> Self {
        Self { verdict, why: None }
    }

    fn unknown(reason: impl Into<Reason>) -> Self {
        Self { verdict: Verdict::Unknown, why: Some(Why::Reason(reason.into())) }
    }

    /// Of the gateway's number, if the journal does not have it.
    pub(super) const fn of_transaction() -> Self {
        Self::for_want_of(Why::NoSuchTransaction)
    }

    const fn for_want_of(why: Why) -> Self {
        Self { verdict: Verdict::Unknown, why: Some(why) }
    }
}

/// Asks a real gateway; in training there is none that knows an order.
pub(super) struct Asker<'a> {
    line: Option<Line>,
    till: TillId,
    currency: Currency,
    clock: &'a Clock,
    /// Once it could not be reached, nobody waits for it again.
    silent: Option<Reason>,
}

struct Line {
    transport: Transport,
    codec: WechatV2,
    merchant: Merchant,
}

impl<'a> Asker<'a> {
    pub(super) fn new(config: &Config, clock: &'a Clock) -> Result<Self, Failure> {
        let line = match &config.gateway {
            GatewayConfig::WechatV2(settings) => {
                let transport = Transport::new(&route(settings));
                let transport = transport
                    .map_err(|error| Failure::new(Exit::Configuration, failure::route(&error)))?;
                let merchant = settings.merchant.clone();
                Some(Line { transport, codec: codec(settings), merchant })
            }
            GatewayConfig::Simulator | GatewayConfig::Unread => None,
        };
        let (till, currency) = (config.till.id.clone(), config.till.currency);
        Ok(Self { line, till, currency, clock, silent: None })
    }

    /// What became of an order of ours.
    pub(super) async fn about(&mut self, row: &OrderRow, order: Order) -> Told {
        self.query(order).await.map_or_else(|told| told, |found| verdict(found, &row.state))
    }

    /// Whose a number is that is not in the journal.
    pub(super) async fn about_number(&mut self, number: &OutTradeNo) -> Told {
        let Some(line) = &self.line else { return Told::for_want_of(Why::Training) };
        let order = Order {
            out_trade_no: number.clone(),
            amount: Money::default(),
            currency: self.currency,
            merchant: line.merchant.clone(),
            body: String::new(),
            device_info: String::new(),
            client_ip: String::new(),
            mark: String::new(),
        };
        let is_ours = number.is_of(&self.till);
        self.query(order).await.map_or_else(|told| told, |found| whose(&found, is_ours))
    }

    async fn query(&mut self, order: Order) -> Result<Found, Told> {
        let Some(line) = &self.line else { return Err(Told::for_want_of(Why::Training)) };
        if let Some(reason) = &self.silent {
            return Err(Told::unknown(reason.clone()));
        }
        if order.merchant != line.merchant {
            return Err(Told::unknown(TillCause::MerchantChanged));
        }
        let Some(nonce) = nonce() else { return Err(Told::unknown(TillCause::NoRandomness)) };
        let ask = Ask::Query(&order);
        let stamp = Stamp { time: self.clock.wall(), nonce };
        let reply = line.transport.ask(&line.codec.encode(ask, &stamp), self.clock.uptime()).await;
        match reply.map(|reply| line.codec.decode(ask, &reply, self.clock.wall()).answer) {
            Ok(Answer::Found(found)) => Ok(found),
            Ok(_) => Err(Told::unknown(TillCause::BadAnswer)),
            Err(failure) => {
                let reason = failure.reason().clone();
                self.silent = Some(reason.clone());
                Err(Told::unknown(reason))
            }
        }
    }
}

/// What an answer means. `state` is where the till is with the order: as long as that is not certain
/// to the till, or it knows of money, an answer that nobody has paid is not the last word.
fn verdict(found: Found, state: &State) -> Told {
    let is_over = state.is_settled() && state.status() != Status::Paid;
    match found {
        Found::Paid(_) => Told::of(Verdict::Paid),
        Found::Ended(Ending::Closed) => Told::of(Verdict::Unpaid),
        Found::Ended(Ending::Revoked | Ending::Returned) => Told::of(Verdict::Reversed),
        Found::Ended(Ending::Refunded) => Told::of(Verdict::Refunded),
        Found::AnotherTills(_) => Told::of(Verdict::Foreign),
        Found::NotPaid | Found::Failed(_) | Found::NotFound if is_over => Told::of(Verdict::Unpaid),
        Found::Paying => Told::unknown(Reason::gateway("USERPAYING", "")),
        Found::NotPaid => Told::unknown(Reason::gateway("NOTPAY", "")),
        Found::NotFound => Told::unknown(Reason::gateway("ORDERNOTEXIST", "")),
        Found::Failed(reason) => Told::unknown(reason),
        Found::Inconclusive(what) => Told::unknown(what.reason().clone()),
    }
}

/// Whose a number is that is not in the journal. `is_ours`: it has the form of this till's numbers.
fn whose(found: &Found, is_ours: bool) -> Told {
    let is_known = match found {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Millis, Timestamp};
    use crate::payment::{Event, Inconclusive, Proof, Rules, Submitted};

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
        for state in [state(Submitted::Paying), state(Submitted::Paid(proof()))] {
            for (found, expected) in [
                (Found::Paid(proof()), "paid"),
                (Found::Ended(Ending::Closed), "unpaid"),
                (Found::Ended(Ending::Revoked), "reversed"),
                (Found::Ended(Ending::Returned), "reversed"),
                (Found::Ended(Ending::Refunded), "refunded"),
                (Found::AnotherTills(TillCause::AnotherTill.into()), "foreign"),
            ] {
                assert_eq!(word(&verdict(found, &state)), expected);
            }
        }
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
                let told = verdict(found, &state);
                assert!(told.verdict == Verdict::Unknown && told.why.is_some(), "{told:?}");
            }
        }
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
            assert_eq!(word(&whose(&found, false)), of_others, "{found:?}");
            assert_eq!(word(&whose(&found, true)), of_ours, "{found:?}");
        }
    }
}
