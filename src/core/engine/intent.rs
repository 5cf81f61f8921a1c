//! The first entry of an attempt: all that it is begun with, on the disk before anything else.

use super::{Begin, By, Effect, Engine, Entry, InFlight, SaleEntry, VecDeque, Writing};
use crate::clock::{Millis, Timestamp, Uptime};
use crate::order::{AuthCode, Order};
use crate::payment::{Call, Event, State};

/// What an attempt is begun with.
pub(super) struct Intent {
    pub(super) sale: SaleEntry,
    pub(super) order: Order,
    pub(super) by: Option<By>,
    pub(super) state: State,
    /// The payment code that it charges, and its hash; none for cash.
    pub(super) code: Option<(AuthCode, [u8; 16])>,
    /// The fields that are to be sent.
    pub(super) wire: Vec<(String, String)>,
    /// What leaves once the entry is on disk.
    pub(super) call: Option<Call>,
}

impl Engine {
    /// Has an attempt's first entry written.
    pub(super) fn enter(
        &mut self,
        attempt: i64,
        intent: Intent,
        now: Uptime,
        wall: Timestamp,
    ) -> Effect {
        let Intent { sale, order, by, state, code, wire, call } = intent;
        let (code, code_hash) = code.unzip();
        let entry = Entry {
            attempt,
            at: wall,
            age: Millis(0),
            sent_at: now,
            boot: self.boot,
            event: Event::Begun,
            by,
            state: state.clone(),
            wire,
            begin: Some(Box::new(Begin {
                sale: sale.clone(),
                order: order.clone(),
                code_hash,
                day: wall.day(&self.template.time_zone),
            })),
        };
        let in_flight = InFlight {
            sale: sale.id,
            sold: sale.sold,
            order,
            code,
            created_at: wall,
            updated_at: wall,
            sent_at: now,
            // Nothing of it leaves but by a call.
            has_left: call.is_none(),
            state: state.clone(),
            writing: Some(Writing { event: Event::Begun, state, at: wall, call }),
            waiting: VecDeque::new(),
            from_the_past: false,
            slept_over: false,
            foreign: false,
        };
        self.attempts.insert(attempt, in_flight);
        Effect::Write(Box::new(entry))
    }
}
