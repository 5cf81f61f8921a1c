//! A receipt printed by a command without the screen: handed to the printer, and waited for.

use std::sync::mpsc;
use std::time::Duration;

use super::wiring::printer_settings;
use crate::clock::Millis;
use crate::config::Config;
use crate::device::printer::{Job, Patience, Printer, PrinterReport, PrinterSettings};
use crate::engine::Attempt;
use crate::payment::{Funds, Status};
use crate::receipt::{Form, Slip, escpos};
use crate::text;
use paytill_host::clock::Clock;

/// How long to wait for a printer that is not connected or out of paper: somebody waits for the
/// command.
const AWAY: Millis = Millis::seconds(5);
const STALLED: Millis = Millis::seconds(10);

/// Prints what the screen would print of this payment, if it is to print at all. The error says in
/// words for people why the paper is missing; the payment is not touched by it.
pub(super) fn print(attempt: &Attempt, config: &Config, clock: &Clock) -> Result<(), String> {
    let is_proof = match attempt.state.status() {
        Status::Paid => true,
        Status::Reversed => attempt.state.money() == Funds::Returned,
        _ => false,
    };
    if !config.printer.auto_print || !is_proof || !attempt.recorded {
        return Ok(());
    }
    let (Some(settings), Some(slip)) = (printer_settings(config), Slip::of(attempt, config, false))
    else {
        return Ok(());
    };
    let language = config.till.language;
    let patience = Patience { away: AWAY, stalled: STALLED, trouble: STALLED };
    let (post, reports) = mpsc::channel();
    let report = move |report| {
        let _ = post.send(report);
    };
    let printer = Printer::start(PrinterSettings { patience, ..settings }, clock.clone(), report)
        .map_err(|error| text::system::text(&error).in_language(language).to_owned())?;
    let page = escpos::print(&slip, &Form::of(config), language);
    let job = Job { id: 1, page, copies: config.receipt.copies, good_for: None, regardless: false, asks_first: false };
    printer.print(job).map_err(|_| text::device::queue_full(language).to_owned())?;
    let longest = Duration::from(AWAY.plus(STALLED).plus(Millis::seconds(30)));
    while let Ok(report) = reports.recv_timeout(longest) {
        match report {
            PrinterReport::Printed(_) | PrinterReport::Sent(_) => return Ok(()),
            PrinterReport::Failed(_, fault) => {
                return Err(text::device::job_fault(&fault, language));
            }
            PrinterReport::Health(_) | PrinterReport::Answers(_) => {}
        }
    }
    Err(language.pick("the printer did not answer", "打印机没有应答").to_owned())
}
