//! Cash, the drawer and shifts: what the till writes that no gateway hears of.

use std::sync::Arc;

use super::{Notice, Till, WorkerMessage};
use crate::engine::{Act, ActKind, By, CashStart, Draw, Refusal, SaleRef};
use crate::journal::{JournalError, ShiftDone, ShiftWork};
use crate::money::Money;
use crate::order::OutTradeNo;
use crate::sale::Sold;
use crate::sale::tender::Balance;
use paytill_host::random;

/// What came of writing about the drawer or a shift.
pub(super) enum CashNews {
    Drawer(Result<(), JournalError>),
    Moved(Result<(), JournalError>),
    Returned { sale: i64, result: Result<(), JournalError> },
    Shift(Result<ShiftDone, JournalError>),
}

impl Till {
    /// Takes cash for a sale. Returns before it is written; [`Notice::Attempt`] says that it was, and
    /// only then may the drawer open.
    pub fn take_cash(
        &mut self,
        sale: SaleRef,
        note: String,
        sold: Arc<Sold>,
        tendered: Money,
        by: Option<By>,
    ) -> Result<OutTradeNo, Refusal> {
        let draw = Draw(random::draw().unwrap_or_default());
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let start = CashStart { sale, note, sold, tendered, by, draw };
        let (out_trade_no, effects) = self.engine.take_cash(start, now, wall)?;
        self.perform(effects);
        Ok(out_trade_no)
    }

    /// The cash of a sale whose rest is not paid goes back: `cash` says which orders it was taken
    /// with. [`Notice::CashReturned`] says when it may be taken out of the drawer.
    pub fn return_cash(
        &mut self,
        sale: i64,
        cash: &[(OutTradeNo, Money)],
        by: Option<&By>,
    ) -> Result<Balance, Refusal> {
        let balance = self.engine.give_up_sale(sale)?;
        let at = self.clock.wall();
        let act = |amount| Act { at, kind: ActKind::CashReturned { amount }, by: by.cloned() };
        let acts = cash.iter().map(|(order, amount)| (act(*amount), order.clone())).collect();
        let sender = self.sender.clone();
        let report = move |result| {
            let _ = sender.send(WorkerMessage::Cash(CashNews::Returned { sale, result }));
        };
        if !self.writer.write_acts_of(acts, report.clone()) {
            report(Err(JournalError::Ended));
        }
        Ok(balance)
    }

    /// The latest sales that are paid in part, the latest last.
    pub fn part_paid(&self) -> impl Iterator<Item = (i64, Balance)> {
        self.engine.part_paid()
    }

    /// Has it written down that somebody opens the drawer; [`Notice::DrawerNoted`] says when it may
    /// be opened.
    pub fn note_drawer(&self, by: Option<By>) {
        self.note(ActKind::Drawer, by, CashNews::Drawer);
    }

    /// Has it written down that cash goes into the drawer or out of it, outside sales;
    /// [`Notice::CashMoved`] says when it may be opened.
    pub fn move_cash(&self, is_out: bool, amount: Money, reason: String, by: Option<By>) {
        let kind = if is_out {
            ActKind::CashOut { amount, reason }
        } else {
            ActKind::CashIn { amount, reason }
        };
        self.note(kind, by, CashNews::Moved);
    }

    fn note(
        &self,
        kind: ActKind,
        by: Option<By>,
        news: impl Fn(Result<(), JournalError>) -> CashNews + Clone + Send + 'static,
    ) {
        let sender = self.sender.clone();
        let report = move |result| {
            let _ = sender.send(WorkerMessage::Cash(news(result)));
        };
        let act = Act { at: self.clock.wall(), kind, by };
        if !self.writer.write_act(act, report.clone()) {
            report(Err(JournalError::Ended));
        }
    }

    /// Opens or closes a shift; [`Notice::Shift`] says what came of it.
    pub fn shift(&self, work: ShiftWork) {
        let sender = self.sender.clone();
        let report = move |result| {
            let _ = sender.send(WorkerMessage::Cash(CashNews::Shift(result)));
        };
        if !self.writer.write_shift(work, self.time_zone.clone(), report.clone()) {
            report(Err(JournalError::Ended));
        }
    }

    pub(super) fn cash(&mut self, news: CashNews) {
        let failure = match news {
            CashNews::Drawer(result) => {
                self.notices.push_back(Notice::DrawerNoted { recorded: result.is_ok() });
                result.err()
            }
            CashNews::Moved(result) => {
                self.notices.push_back(Notice::CashMoved { recorded: result.is_ok() });
                result.err()
            }
            CashNews::Returned { sale, result } => {
                let recorded = result.is_ok();
                self.notices.push_back(Notice::CashReturned { sale, recorded });
                result.err()
            }
            CashNews::Shift(result) => {
                result.map(|done| self.notices.push_back(Notice::Shift(done))).err()
            }
        };
        self.stop_after(failure);
    }
}
