//! Slips printed by a command without the screen: handed to the printer, and waited for. What does
//! not come out is left in the journal for the next start of the screen.

use std::sync::mpsc;
use std::time::Duration;

use super::output::print_message;
use super::wiring::printer_settings;
use crate::clock::Millis;
use crate::config::Config;
use crate::device::printer::{Job, Patience, Printer, PrinterReport, PrinterSettings};
use crate::engine::Attempt;
use crate::journal::{self, JournalError, SlipStage};
use crate::receipt::{Form, Slip, escpos};
use crate::till::{Notice, Till};
use crate::{say, text};
use paytill_host::clock::Clock;

/// How long to wait for a printer that is not connected or out of paper: somebody waits for the
/// command.
const AWAY: Millis = Millis::seconds(5);
const STALLED: Millis = Millis::seconds(10);
/// How long to wait for a disk that does not answer: the payment has ended, and somebody waits for
/// the exit code.
const UNRECORDED: Duration = Duration::from_secs(3);

/// Prints the slip that the journal has of this payment, and writes down what became of it. The
/// error says in words for people why the paper is missing; the payment is not touched by it.
pub(super) async fn print(
    journalled: &journal::Slip,
    attempt: &Attempt,
    config: &Config,
    till: &mut Till,
    clock: &Clock,
) -> Result<(), String> {
    let language = config.till.language;
    till.mark_slip(journalled.id, SlipStage::Begun);
    match tokio::time::timeout(UNRECORDED, is_recorded(journalled.id, till)).await {
        Ok(true) => {}
        Ok(false) => return Err(text::journal::sentence(&JournalError::Stopped, language)),
        Err(_) => return Err(text::journal::no_answer(language).to_owned()),
    }
    let printed = send(journalled, attempt, config, clock);
    let stage = if printed.is_ok() { SlipStage::Done } else { SlipStage::Missing };
    till.mark_slip(journalled.id, stage);
    printed
}

/// Whether the journal knows that a slip may be on paper from now on.
async fn is_recorded(id: i64, till: &mut Till) -> bool {
    loop {
        match till.next().await {
            Notice::SlipBegun { slip, recorded } if slip == id => return recorded,
            _ => {}
        }
    }
}

/// Prints several, one after the other, and says what was not printed. A printer that fails once is
/// not waited for again.
pub(super) async fn print_all(
    slips: Vec<(journal::Slip, Attempt)>,
    config: &Config,
    till: &mut Till,
    clock: &Clock,
) {
    let language = config.till.language;
    for (at, (slip, attempt)) in slips.iter().enumerate() {
        if let Err(why) = print(slip, attempt, config, till, clock).await {
            let left = slips.len() - at;
            print_message(&say!(
                language,
                "slips not printed: {left} ({why}); the screen prints or offers them when it is \
                 next started",
                "有 {left} 张小票未打印（{why}）；下次打开收银界面时会打印或提示补打"
            ));
            return;
        }
    }
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
