//! Orders that the customer pays by scanning our code. Once begun, they are attempts like any other.

use std::collections::VecDeque;

use super::{Begin, By, Draw, Effect, Engine, Entry, InFlight, Refusal, SaleRef, Writing};
use crate::clock::{Millis, Timestamp, Uptime};
use crate::gateway::Ask;
use crate::money::Money;
use crate::order::{Order, OutTradeNo};
use crate::payment::{Event, QrState, State};

/// What it takes to order a code.
#[derive(Debug)]
pub struct QrStart {
    pub sale: SaleRef,
    /// Stored with a new sale.
    pub note: String,
    /// How long the code may be shown.
    pub lasts: Millis,
    /// Who charges it.
    pub by: Option<By>,
    /// This machine's address on the route to the gateway.
    pub client_ip: String,
    /// Random bytes for the order's number and mark, and the jitter of its waits.
    pub draw: Draw,
}

impl Engine {
    /// Begins an order whose code the customer scans: assigns its number, and has the intent written
    /// before anything is sent. Its time counts from there.
    pub fn begin_qr(
        &mut self,
        start: QrStart,
        now: Uptime,
        wall: Timestamp,
    ) -> Result<(OutTradeNo, Vec<Effect>), Refusal> {
        let QrStart { sale, note, lasts, by, client_ip, draw } = start;
        self.note_wakeup(now);
        self.may_charge(&sale)?;
        let amount = sale.amount();
        let sale = self.sale(sale, note);
        let (attempt, out_trade_no) = self.next_attempt(draw, wall);
        let order = self.order(&out_trade_no, amount, client_ip, draw);
        let state = State::begin_qr(lasts, draw.jitter());
        let entry = Entry {
            attempt,
            at: wall,
            age: Millis(0),
            sent_at: now,
            boot: self.boot,
            event: Event::Begun,
            by,
            state: state.clone(),
            wire: self.gateway.record(Ask::Order(&order)),
            begin: Some(Box::new(Begin {
                sale: sale.clone(),
                order: order.clone(),
                code_hash: None,
                day: wall.day(&self.template.time_zone),
            })),
        };
        self.remember_sale(sale.id, false);
        let in_flight = InFlight {
            sale: sale.id,
            order,
            code: None,
            created_at: wall,
            updated_at: wall,
            sent_at: now,
            // Its age counts from its first entry, whenever the request leaves.
            has_left: true,
            state: state.clone(),
            writing: Some(Writing {
                event: Event::Begun,
                state,
                at: wall,
                call: Some(QrState::FIRST),
            }),
            waiting: VecDeque::new(),
            from_the_past: false,
            slept_over: false,
            foreign: false,
        };
        self.attempts.insert(attempt, in_flight);
        Ok((out_trade_no, vec![Effect::Write(Box::new(entry))]))
    }

    pub(super) fn next_attempt(&mut self, draw: Draw, wall: Timestamp) -> (i64, OutTradeNo) {
        self.last_attempt += 1;
        let attempt = self.last_attempt;
        let counter = u64::try_from(attempt).unwrap_or(0);
        let (till, time_zone) = (&self.template.till, &self.template.time_zone);
        (attempt, OutTradeNo::new(till, wall, time_zone, counter, draw.number()))
    }

    pub(super) fn order(
        &self,
        number: &OutTradeNo,
        amount: Money,
        client_ip: String,
        draw: Draw,
    ) -> Order {
        Order {
            out_trade_no: number.clone(),
            amount,
            currency: self.template.currency,
            merchant: self.template.merchant.clone(),
            body: self.template.body.clone(),
            device_info: self.template.device_info.clone(),
            client_ip,
            mark: draw.mark(),
        }
    }
}
