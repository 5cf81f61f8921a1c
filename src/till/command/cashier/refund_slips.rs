//! Refunds that move, and their slips on the way to the printer. A slip says where its refund is when
//! it begins, and not when it was asked for.

use super::devices::Ended;
use super::{Cashier, draws_chinese};
use crate::engine::RefundReport;
use crate::journal::{RefundPaper, Slip, SlipStage};
use crate::receipt::RefundOutcome;
use crate::screen::{Printing, ScreenMessage};

impl Cashier<'_> {
    pub(super) fn refund_moved(&mut self, report: RefundReport) {
        let RefundReport { refund, before, .. } = report;
        if before.is_none() {
            self.cash_goes_back(&refund);
        }
        self.devices.refund_moved(&refund);
        self.post(ScreenMessage::Refund { refund: Box::new(refund), before });
    }

    /// Hands the slip of a refund to the printer.
    pub(super) fn hand_over_refund(&mut self, slip: &Slip, paper: &RefundPaper) {
        // Paper can take what the terminal cannot.
        let is_drawn = draws_chinese();
        let language = if is_drawn { self.model.language() } else { self.config.till.language };
        if let Err(why) = self.devices.print_refund(slip, paper, self.config, language) {
            self.till.mark_slip(slip.id, SlipStage::Missing);
            let out_trade_no = slip.out_trade_no.clone();
            self.post(ScreenMessage::Printed { out_trade_no, how: Printing::Failed(why) });
        }
    }

    /// The printer is ready for the slip of a refund.
    pub(super) fn refund_slip_begins(&mut self, job: u64) {
        let Some((slip, says, now)) = self.devices.refund_of(job) else { return };
        let outcome = RefundOutcome::of(&now.refund.state);
        if outcome == Some(says) {
            return self.till.mark_slip(slip.id, SlipStage::Begun);
        }
        tracing::info!(refund = %now.refund.out_refund_no, "the slip of a refund is out of date");
        self.devices.withdraw(job);
        match outcome {
            Some(_) => self.hand_over_refund(&slip, &now),
            None => self.till.mark_slip(slip.id, SlipStage::Replaced),
        }
    }

    /// The printer is done with it. What came out is not worth a word: the refund is in sight.
    pub(super) fn refund_slip_ended(&mut self, slip: Slip, ended: &Ended) {
        let stage = match ended {
            Ended::Sent | Ended::Printed => SlipStage::Done,
            Ended::Failed(_) => SlipStage::Missing,
        };
        self.till.mark_slip(slip.id, stage);
        if stage == SlipStage::Missing {
            let how = super::devices::printing(ended, self.model.language());
            self.post(ScreenMessage::Printed { out_trade_no: slip.out_trade_no, how });
        }
    }
}
