//! Cash: an attempt that is paid with its first entry. Nothing is sent.

use super::{CashStart, Effect, Engine, Intent, Refusal, SaleRef};
use crate::clock::{Timestamp, Uptime};
use crate::order::OutTradeNo;
use crate::payment::State;
use crate::refund::RefundRefusal;
use crate::sale::tender::{Balance, Cash};

impl Engine {
    /// Takes cash for a sale, or for what is left of it: writes it down, and reports it once it is on
    /// disk. Only then is it taken, and the drawer opened.
    pub fn take_cash(
        &mut self,
        start: CashStart,
        now: Uptime,
        wall: Timestamp,
    ) -> Result<(OutTradeNo, Vec<Effect>), Refusal> {
        let CashStart { sale, note, sold, tendered, by, draw } = start;
        self.note_wakeup(now);
        self.may_charge(&sale)?;
        // What the sale has left, whatever the screen believes.
        let due = match sale {
            SaleRef::Again(id, due) => self.balance(id).map_or(due, Balance::left),
            SaleRef::New(due) => due,
        };
        let cash = Cash::take(due, tendered).ok_or(Refusal::NoSuchCash)?;
        let sale = self.sale(sale, note, sold);
        let (attempt, out_trade_no) = self.next_attempt(draw, wall);
        let order = self.order(&out_trade_no, cash.taken(), String::new(), draw);
        let state = State::paid_in_cash(cash);
        let intent = Intent { sale, order, by, state, code: None, wire: Vec::new(), call: None };
        Ok((out_trade_no, vec![self.enter(attempt, intent, now, wall)]))
    }

    /// The cash that was taken of a sale goes back to the customer, and the rest is not paid any more:
    /// nothing more is taken of it from now on. Returns how much was taken.
    pub fn give_up_sale(&mut self, sale: i64) -> Result<Balance, Refusal> {
        let balance = self.balance(sale).filter(|balance| balance.is_partly_paid());
        let balance = balance.ok_or(Refusal::NothingTaken)?;
        self.may_charge(&SaleRef::Again(sale, balance.left()))?;
        self.sales.give_up(sale);
        Ok(balance)
    }

    /// Whether cash that was taken of a sale may go back as a refund: not while the rest of the sale
    /// is unpaid, when it goes back by [`Engine::give_up_sale`], nor once it went back so.
    pub(super) fn may_refund_cash(&self, sale: i64) -> Result<(), RefundRefusal> {
        match self.balance(sale) {
            Some(balance) if balance.is_partly_paid() => Err(RefundRefusal::PartPaid),
            Some(balance) if balance.is_given_up() => Err(RefundRefusal::NothingLeft),
            Some(_) | None => Ok(()),
        }
    }

    /// The latest sales that are paid in part, the latest last.
    pub fn part_paid(&self) -> impl Iterator<Item = (i64, Balance)> {
        self.sales.iter().filter(|(_, balance)| balance.is_partly_paid())
    }

    /// What is known of a sale; `None` of one long ago.
    pub fn balance(&self, sale: i64) -> Option<Balance> {
        self.sales.balance(sale)
    }
}
