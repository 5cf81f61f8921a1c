//! What is open, and what it waits for.

use super::{Engine, InFlight};
use crate::clock::Uptime;
use crate::order::OutTradeNo;
use crate::payment::{CallKind, State, Status};

impl Engine {
    /// The attempt with this number, if the answer to a query about it is to come.
    pub fn awaits_query(&self, out_trade_no: &OutTradeNo) -> Option<i64> {
        let (attempt, in_flight) = self
            .attempts
            .iter()
            .find(|(_, in_flight)| in_flight.order.out_trade_no == *out_trade_no)?;
        let state = in_flight.writing.as_ref().map_or(&in_flight.state, |writing| &writing.state);
        let is_query = state.awaited().is_some_and(|call| call.kind == CallKind::Query);
        (is_query && !in_flight.foreign && !self.stopped).then_some(*attempt)
    }

    /// Whether any attempt is open. A recheck that is being written is not.
    pub fn is_open(&self) -> bool {
        let is_open = |in_flight: &InFlight| {
            let next = in_flight.writing.as_ref().map(|writing| &writing.state);
            in_flight.state.is_open() || next.is_some_and(State::is_open)
        };
        self.attempts.values().any(is_open)
    }

    /// The open attempts that this till can act on.
    pub fn busy(&self) -> impl Iterator<Item = &OutTradeNo> {
        let busy = |in_flight: &&InFlight| {
            !self.stopped
                && (in_flight.writing.is_some() || !in_flight.foreign && in_flight.state.is_open())
        };
        self.attempts.values().filter(busy).map(|in_flight| &in_flight.order.out_trade_no)
    }

    /// The open attempts that need a person.
    pub fn needing_a_person(&self) -> impl Iterator<Item = &OutTradeNo> {
        let needs = |in_flight: &&InFlight| {
            in_flight.state.is_open() && in_flight.state.status() == Status::Attention
        };
        self.attempts.values().filter(needs).map(|in_flight| &in_flight.order.out_trade_no)
    }

    /// Whether a recheck is due, or its answer awaited: nothing is expected of it, and money may be
    /// held all the same.
    pub fn is_recheck_due(&self, now: Uptime) -> bool {
        let due = |in_flight: &InFlight| {
            !in_flight.foreign
                && in_flight.state.is_to_be_rechecked()
                && (in_flight.writing.is_some()
                    || in_flight.state.awaited().is_some()
                    || in_flight.wake_at(&self.rules).is_some_and(|at| at <= now))
        };
        !self.stopped && self.attempts.values().any(due)
    }
}
