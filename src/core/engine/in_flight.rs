//! One attempt with work left: its state, the write under way, and the events that wait for it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Attempt, By, Effect, Report};
use crate::clock::{Timestamp, Uptime};
use crate::order::{AuthCode, Order};
use crate::payment::{Call, Event, Rules, State};
use crate::sale::Sold;

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct InFlight {
    pub(super) sale: i64,
    pub(super) sold: Arc<Sold>,
    pub(super) order: Order,
    /// Held from the scan to the answer, and no longer.
    pub(super) code: Option<AuthCode>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) sent_at: Uptime,
    /// Whether `sent_at` is when it did leave, rather than when it might have.
    pub(super) has_left: bool,
    pub(super) state: State,
    /// Being written: no further event is taken until the write is done.
    pub(super) writing: Option<Writing>,
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) from_the_past: bool,
    /// The machine was suspended meanwhile: the next call waits for its turn.
    pub(super) slept_over: bool,
    /// Made for another merchant: reported, but nothing is asked about it.
    pub(super) foreign: bool,
}

/// What happened, the fields that came with it, and who did it.
pub(super) type Waiting = (Event, Vec<(String, String)>, Option<By>);

pub(super) struct Writing {
    pub(super) event: Event,
    pub(super) state: State,
    pub(super) at: Timestamp,
    pub(super) call: Option<Call>,
}

impl InFlight {
    /// Whether it may happen to it: another merchant's attempt can only be settled by a person.
    pub(super) const fn takes(&self, event: &Event) -> bool {
        !self.foreign || matches!(event, Event::Settled(_))
    }

    pub(super) fn wake_at(&self, rules: &Rules) -> Option<Uptime> {
        let wake = self.state.wake_at(rules).filter(|_| self.writing.is_none() && !self.foreign)?;
        Some(self.sent_at.after(wake))
    }

    pub(super) fn report(&self, event: Event, before: Option<&State>, recorded: bool) -> Effect {
        let attempt = Attempt {
            out_trade_no: self.order.out_trade_no.clone(),
            sale: self.sale,
            amount: self.order.amount,
            currency: self.order.currency,
            created_at: self.created_at,
            updated_at: self.updated_at,
            sent_at: self.sent_at,
            state: self.state.clone(),
            sold: Arc::clone(&self.sold),
            recorded,
        };
        let was_over = before.is_some_and(|before| !before.is_open());
        let before = before.map(State::status);
        Effect::Report(Box::new(Report { attempt, event, before, was_over }))
    }
}
