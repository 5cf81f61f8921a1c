//! Codes of ours that the customer scans: ordered, and printed as bills.

use std::sync::Arc;

use super::Cashier;
use super::devices::{Ended, printing};
use super::draws_chinese;
use crate::engine::{Attempt, SaleRef};
use crate::order::OutTradeNo;
use crate::receipt::{Bill, Form};
use crate::screen::{Printing, ScreenMessage};

impl Cashier<'_> {
    pub(super) fn order_code(&mut self, sale: SaleRef) {
        let sold = Arc::new(self.model.sold_for(sale));
        let (lasts, by) = (self.config.payment.qr_lasts, self.model.by());
        if let Err(refusal) = self.till.begin_qr(sale, String::new(), sold, lasts, by) {
            tracing::warn!(?refusal, "no code was ordered");
            self.post(ScreenMessage::NotBegun(refusal));
        }
    }

    /// Hands a bill to the printer. It proves nothing, and the journal does not have it.
    pub(super) fn print_bill(&mut self, out_trade_no: OutTradeNo) {
        // Paper can take what the terminal cannot.
        let is_drawn = draws_chinese();
        let language = if is_drawn { self.model.language() } else { self.config.till.language };
        let bill = self.known(&out_trade_no).and_then(|order| Bill::of(order, self.config));
        let Some(bill) = bill else {
            return self.post(ScreenMessage::BillPrinted { out_trade_no, how: None });
        };
        let page = bill.print(&Form::of(self.config), language);
        if let Err(why) = self.devices.print_bill(page, out_trade_no.clone(), language) {
            let how = Some(Printing::Failed(why));
            self.post(ScreenMessage::BillPrinted { out_trade_no, how });
        }
    }

    /// The printer is ready for a bill: nobody must be given one that can no longer be paid, or of
    /// which this till can no longer see whether it is.
    pub(super) fn bill_begins(&mut self, job: u64, out_trade_no: OutTradeNo) {
        let known = self.known(&out_trade_no).filter(|_| self.model.may_ask_for_money());
        if known.is_some_and(|order| order.code_to_show().is_some()) {
            return self.devices.begin_bill(job);
        }
        self.devices.withdraw(job);
        self.post(ScreenMessage::BillPrinted { out_trade_no, how: None });
    }

    pub(super) fn bill_ended(&mut self, out_trade_no: OutTradeNo, ended: &Ended) {
        let how = Some(printing(ended, self.model.language()));
        self.post(ScreenMessage::BillPrinted { out_trade_no, how });
    }

    fn known(&self, order: &OutTradeNo) -> Option<&Attempt> {
        self.recent.iter().find(|known| known.out_trade_no == *order)
    }
}
