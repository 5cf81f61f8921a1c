//! Slips on their way to the printer: each is in the journal before the printer hears of it, and
//! marked before its first byte leaves and when it is out.
//!
//! After a crash, what had certainly not begun and is still wanted comes out once by itself; what
//! was perhaps printed is only offered, as a copy.

use super::devices::Ended;
use super::{Cashier, draws_chinese};
use crate::clock::{Millis, Timestamp};
use crate::command::Failure;
use crate::config::{Config, PrinterKind};
use crate::engine::Attempt;
use crate::journal::{JournalReader, RefundPaper, Slip, SlipStage};
use crate::order::OutTradeNo;
use crate::screen::{Printing, ScreenMessage};

/// For this long a customer may still be waiting for a slip.
const WANTED_FOR: Millis = Millis::seconds(10 * 60);
/// For this long one that was perhaps not printed is offered.
const OFFERED_FOR: Millis = Millis::seconds(24 * 60 * 60);

/// What an earlier run has left to print.
#[derive(Default)]
pub(super) struct Left {
    /// Certainly not begun, and perhaps somebody waits for it.
    waiting: Vec<(Slip, Attempt)>,
    /// To be offered.
    perhaps: Vec<(Slip, Attempt)>,
    /// As the first, of refunds.
    refunds: Vec<(Slip, RefundPaper)>,
}

impl Left {
    pub(super) fn read(
        reader: &JournalReader,
        config: &Config,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let mut left = Self::default();
        if config.printer.kind == PrinterKind::None {
            return Ok(left);
        }
        for slip in reader.slips()? {
            // If the clock was set back, nobody knows how old it is.
            let age = u64::try_from(now.0 - slip.at.0).unwrap_or(WANTED_FOR.0);
            if age >= OFFERED_FOR.0 {
                continue;
            }
            let is_wanted = slip.stage == SlipStage::Waiting && age < WANTED_FOR.0;
            if let Some(refund) = slip.says.refund().filter(|_| is_wanted) {
                let paper = reader.refund_paper(refund)?;
                left.refunds.extend(paper.map(|paper| (slip, paper)));
                continue;
            }
            let Some(order) = reader.order(slip.out_trade_no.as_str())? else { continue };
            let list = if is_wanted { &mut left.waiting } else { &mut left.perhaps };
            list.push((slip, order.into()));
        }
        Ok(left)
    }

    /// The orders, for the screen to know them.
    pub(super) fn orders(&self) -> impl Iterator<Item = &Attempt> {
        self.waiting.iter().chain(&self.perhaps).map(|(_, order)| order)
    }
}

impl Cashier<'_> {
    /// Goes on with what an earlier run has left.
    pub(super) fn go_on_printing(&mut self, left: Left) {
        let numbers = |slips: &[(Slip, Attempt)]| -> Vec<OutTradeNo> {
            slips.iter().map(|(slip, _)| slip.out_trade_no.clone()).collect()
        };
        for (slip, paper) in &left.refunds {
            self.hand_over_refund(slip, paper);
        }
        let (waiting, perhaps) = (numbers(&left.waiting), numbers(&left.perhaps));
        if waiting.is_empty() && perhaps.is_empty() {
            return;
        }
        tracing::info!(waiting = waiting.len(), perhaps = perhaps.len(), "slips were left");
        self.post(ScreenMessage::SlipsLeft { waiting, perhaps });
        // Once offered it is never printed by itself, whatever a clock says at the next start.
        for (slip, _) in left.perhaps.iter().filter(|(slip, _)| slip.stage == SlipStage::Waiting) {
            self.till.mark_slip(slip.id, SlipStage::Missing);
        }
        for (slip, attempt) in left.waiting {
            self.hand_over(&slip, &attempt);
        }
    }

    /// Prints the slip of an order that has just ended, if the journal has one for this end.
    pub(super) fn print(&mut self, order: &OutTradeNo) {
        let due = self.due.iter().position(|slip| slip.out_trade_no == *order);
        let attempt = self.recent.iter().find(|attempt| attempt.out_trade_no == *order);
        match due.map(|at| self.due.remove(at)).zip(attempt.cloned()) {
            Some((slip, attempt)) => self.hand_over(&slip, &attempt),
            // It has said the same before, or what is written of slips is damaged.
            None => self.post(ScreenMessage::NoSlip(order.clone())),
        }
    }

    /// Hands a slip that the journal has to the printer.
    pub(super) fn hand_over(&mut self, slip: &Slip, attempt: &Attempt) {
        // Paper can take what the terminal cannot.
        let is_drawn = draws_chinese();
        let language = if is_drawn { self.model.language() } else { self.config.till.language };
        if let Err(why) = self.devices.print(slip, attempt, self.config, language) {
            self.till.mark_slip(slip.id, SlipStage::Missing);
            let out_trade_no = slip.out_trade_no.clone();
            self.post(ScreenMessage::Printed { out_trade_no, how: Printing::Failed(why) });
        }
    }

    /// The printer is ready for a slip, which is printed if the order is still where it says.
    pub(super) fn slip_begins(&mut self, job: u64) {
        if let Some(order) = self.devices.bill_of(job).cloned() {
            return self.bill_begins(job, order);
        }
        let Some(slip) = self.devices.slip_of(job).cloned() else {
            return self.refund_slip_begins(job);
        };
        let order = self.recent.iter().find(|known| known.out_trade_no == slip.out_trade_no);
        let is_out_of_date = |order: &&Attempt| !self.devices.says_the_truth(job, order);
        let Some(order) = order.filter(is_out_of_date).cloned() else {
            return self.till.mark_slip(slip.id, SlipStage::Begun);
        };
        tracing::info!(order = %slip.out_trade_no, "a slip is out of date");
        self.devices.withdraw(job);
        if slip.says.payment() == Some(order.state.status()) && !self.devices.has_later(&slip) {
            return self.hand_over(&slip, &order);
        }
        self.till.mark_slip(slip.id, SlipStage::Replaced);
        // Else the later end has brought its own.
        if !self.config.printer.auto_print {
            self.till.print_copy(&slip.out_trade_no, None);
        }
    }

    /// The journal does not know that a slip begins: another one has taken its place, or it cannot
    /// be written, and the next start knows what was not printed.
    pub(super) fn slip_must_not_begin(&mut self, id: i64) {
        let Some((job, slip)) = self.devices.job_of(id) else { return };
        let slip = slip.clone();
        tracing::info!(order = %slip.out_trade_no, "a slip is not printed");
        let is_replaced = self.devices.has_later(&slip)
            || self.due.iter().any(|due| due.out_trade_no == slip.out_trade_no);
        self.devices.withdraw(job);
        if !is_replaced && slip.says.payment().is_some() {
            self.post(ScreenMessage::NoSlip(slip.out_trade_no));
        }
    }

    /// The printer is done with a slip.
    pub(super) fn slip_ended(&mut self, slip: Slip, ended: &Ended) {
        let stage = match ended {
            Ended::Sent | Ended::Printed => SlipStage::Done,
            Ended::Failed(_) => SlipStage::Missing,
        };
        self.till.mark_slip(slip.id, stage);
        let how = super::devices::printing(ended, self.model.language());
        self.post(ScreenMessage::Printed { out_trade_no: slip.out_trade_no, how });
    }
}
