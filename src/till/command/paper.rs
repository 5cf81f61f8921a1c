//! A receipt printed by a command without the screen: handed to the printer, and waited for.

use std::sync::mpsc;
use std::time::Duration;

use super::wiring::printer_settings;
use crate::clock::Millis;
use crate::config::Config;
use crate::device::printer::{Job, Patience, Printer, PrinterReport, PrinterSettings};
use crate::engine::Attempt;
use crate::journal::{self, JournalError, SlipStage};
use crate::receipt::{Form, Slip, escpos};
use crate::text;
use crate::till::{Notice, Till};
use paytill_host::clock::Clock;

/// How long to wait for a printer that is not connected or out of paper: somebody waits for the
/// command.
const AWAY: Millis = Millis::seconds(5);
const STALLED: Millis = Millis::seconds(10);

/// Prints the slip that the journal has of this payment, and writes down what became of it. The
/// error says in words for people why the paper is missing; the payment is not touched by it.
pub(super) async fn print(
    journalled: &journal::Slip,
    attempt: &Attempt,
    config: &Config,
    till: &mut Till,
    clock: &Clock,
) -> Result<(), String> {
    till.mark_slip(journalled.id, SlipStage::Begun);
    loop {
        match till.next().await {
            Notice::SlipBegun { slip, recorded: true } if slip == journalled.id => break,
            Notice::SlipBegun { slip, recorded: false } if slip == journalled.id => {
                let sentence =
                    text::journal::sentence(&JournalError::Stopped, config.till.language);
                return Err(sentence);
            }
            _ => {}
        }
    }
    let printed = send(journalled, attempt, config, clock);
    let stage = if printed.is_ok() { SlipStage::Done } else { SlipStage::Missing };
    till.mark_slip(journalled.id, stage);
    printed
}

fn send(
    journalled: &journal::Slip,
    attempt: &Attempt,
    config: &Config,
    clock: &Clock,
) -> Result<(), String> {
    let (Some(settings), Some(slip)) =
        (printer_settings(config), Slip::of(attempt, config, journalled.copy))
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
    let copies = config.receipt.copies;
    let job = Job { id: 1, page, copies, good_for: None, regardless: false, asks_first: false };
    printer.print(job).map_err(|_| text::device::queue_full(language).to_owned())?;
    let longest = Duration::from(AWAY.plus(STALLED).plus(Millis::seconds(30)));
    while let Ok(report) = reports.recv_timeout(longest) {
        match report {
            PrinterReport::Printed(_) | PrinterReport::Sent(_) => return Ok(()),
            PrinterReport::Failed(_, fault) => {
                return Err(text::device::job_fault(&fault, language));
            }
            PrinterReport::Health(_) | PrinterReport::Answers(_) | PrinterReport::Begins(_) => {}
        }
    }
    Err(language.pick("the printer did not answer", "打印机没有应答").to_owned())
}
