//! Cash, the drawer and shifts: what the screen asks of the till, and what came of it.

use std::sync::Arc;

use super::Cashier;
use super::devices::printing;
use crate::engine::{Attempt, RefundRecord, SaleRef};
use crate::journal::{JournalReader, ShiftDone, ShiftWork};
use crate::money::Money;
use crate::order::OutTradeNo;
use crate::receipt::report;
use crate::screen::{MoneyNews, PartPaid, Printing, ScreenMessage};
use crate::shift::{Carry, Closing, Report};
use crate::text;

impl Cashier<'_> {
    pub(super) fn take_cash(&mut self, sale: SaleRef, tendered: Money) {
        let sold = Arc::new(self.model.sold_for(sale));
        let taken = self.till.take_cash(sale, String::new(), sold, tendered, self.model.by());
        if let Err(refusal) = taken {
            tracing::warn!(?refusal, "no cash was taken");
            self.post(ScreenMessage::NotBegun(refusal));
        }
    }

    pub(super) fn return_cash(&mut self, sale: i64, cash: &[(OutTradeNo, Money)]) {
        if let Err(refusal) = self.till.return_cash(sale, cash, self.model.by().as_ref()) {
            tracing::warn!(?refusal, "no cash was given back");
            self.post(ScreenMessage::NotBegun(refusal));
        }
    }

    pub(super) fn note_drawer(&self) {
        let by = self.model.by();
        let name = by.as_ref().map(|by| by.operator.as_str());
        tracing::info!(by = name, "the drawer is to be opened");
        self.till.note_drawer(by);
    }

    /// The journal has an order that was paid in cash: what is in the customer's hand goes into the
    /// drawer.
    pub(super) fn cash_is_in(&mut self, attempt: &Attempt) {
        if attempt.recorded && attempt.state.cash().is_some() {
            self.open_drawer();
        }
    }

    /// The journal has a refund in cash: only now is it taken out of the drawer.
    pub(super) fn cash_goes_back(&mut self, refund: &RefundRecord) {
        if refund.recorded && refund.state.is_cash() {
            self.open_drawer();
        }
    }

    pub(super) fn open_shift(&self, float: Money) {
        self.till.shift(ShiftWork::Open { at: self.clock.wall(), float, by: self.model.by() });
    }

    pub(super) fn close_shift(&self, counted: Money, carry: bool) {
        let by = self.model.by();
        // Whoever is a manager, or has none in the shop, agrees by themselves.
        let manager = by.as_ref().map(|by| by.consent.as_ref().unwrap_or(&by.operator).clone());
        let closing = Closing {
            at: self.clock.wall(),
            counted: Some(counted),
            operator: by.as_ref().map(|by| by.operator.clone()),
            carry: if carry { Carry::Yes(manager) } else { Carry::No },
        };
        self.till.shift(ShiftWork::Close { closing, by });
    }

    /// A shift was opened or closed, or was not.
    pub(super) fn shift_done(&mut self, done: ShiftDone) {
        tracing::info!(?done, "the shift");
        self.post(ScreenMessage::Money(MoneyNews::ShiftDone(done)));
    }

    /// Hands a report to the printer. It is no order's slip: the journal has it anyway.
    pub(super) fn print_report(&mut self, report: &Report, is_copy: bool) {
        let (config, language) = (self.config, self.model.language());
        let form = crate::receipt::Form::of(config);
        let page = report::print(report, is_copy, config, &form, language);
        if let Err(why) = self.devices.print_report(page, report, language) {
            let (report, how) = (Box::new(report.clone()), Printing::Failed(why));
            self.post(ScreenMessage::Money(MoneyNews::ReportPrinted(report, how)));
        }
    }

    pub(super) fn report_ended(&mut self, report: Box<Report>, ended: &super::devices::Ended) {
        let how = printing(ended, self.model.language());
        self.post(ScreenMessage::Money(MoneyNews::ReportPrinted(report, how)));
    }

    /// Whether an earlier run has left a shift open.
    pub(super) fn look_for_a_shift(&mut self) {
        let journal = &self.config.journal;
        let reader = JournalReader::of_held(&journal.path, journal.key_file.as_deref());
        match reader.and_then(|reader| reader.shift_open_since()) {
            Ok(since) => self.post(ScreenMessage::Money(MoneyNews::ShiftOpenSince(since))),
            Err(error) => {
                let why = text::journal::text(&error);
                tracing::error!(%why, "whether a shift is open cannot be read");
            }
        }
    }

    /// What an earlier run has left of sales that are paid in part.
    pub(super) fn go_on_with_parts(&mut self) {
        let parts = match parts(self) {
            Ok(parts) => parts,
            Err(error) => {
                tracing::error!(why = %text::journal::text(&error), "what is paid in part cannot be read");
                return;
            }
        };
        for part in parts {
            self.post(ScreenMessage::Money(MoneyNews::PartPaid(part)));
        }
    }
}

/// The sales that are paid in part, with the orders that took the cash.
fn parts(cashier: &Cashier<'_>) -> Result<Vec<PartPaid>, crate::journal::JournalError> {
    let sales: Vec<_> = cashier.till.part_paid().collect();
    if sales.is_empty() {
        return Ok(Vec::new());
    }
    let config = cashier.config;
    let key = config.journal.key_file.as_deref();
    let reader = JournalReader::of_held(&config.journal.path, key)?;
    let mut parts = Vec::new();
    for (sale, balance) in sales {
        let orders = reader.orders_of(sale)?.into_iter();
        let cash = orders.filter(|row| row.state.cash().is_some());
        let cash = cash.map(|row| (row.out_trade_no, row.amount)).collect();
        parts.push(PartPaid { sale, left: balance.left(), cash });
    }
    Ok(parts)
}
