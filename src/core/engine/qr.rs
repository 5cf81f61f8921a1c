//! Orders that the customer pays by scanning our code. Once begun, they are attempts like any other.

use std::sync::Arc;

use super::{By, Draw, Effect, Engine, Intent, Refusal, SaleRef};
use crate::clock::{Millis, Timestamp, Uptime};
use crate::gateway::Ask;
use crate::order::OutTradeNo;
use crate::payment::{QrState, State};
use crate::sale::Sold;

/// What it takes to order a code.
#[derive(Debug)]
pub struct QrStart {
    pub sale: SaleRef,
    /// Stored with a new sale.
    pub note: String,
    /// What a new sale sells; of a known one it is known.
    pub sold: Arc<Sold>,
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
    /// Begins an order whose code the customer scans, of a sale or of what cash has left of it:
    /// assigns its number, and has the intent written before anything is sent. Its time counts from
    /// there.
    pub fn begin_qr(
        &mut self,
        start: QrStart,
        now: Uptime,
        wall: Timestamp,
    ) -> Result<(OutTradeNo, Vec<Effect>), Refusal> {
        let QrStart { sale, note, sold, lasts, by, client_ip, draw } = start;
        self.note_wakeup(now);
        self.may_charge(&sale)?;
        let amount = sale.amount();
        let sale = self.sale(sale, note, sold);
        let (attempt, out_trade_no) = self.next_attempt(draw, wall);
        let order = self.order(&out_trade_no, amount, client_ip, draw);
        let state = State::begin_qr(lasts, draw.jitter());
        let wire = self.gateway.record(Ask::Order(&order));
        let call = Some(QrState::FIRST);
        let intent = Intent { sale, order, by, state, code: None, wire, call };
        Ok((out_trade_no, vec![self.enter(attempt, intent, now, wall)]))
    }
}
