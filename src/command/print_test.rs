//! `paytill print-test`: a test receipt.

use std::sync::mpsc;
use std::time::Duration;

use super::cashier::printer_settings;
use super::report::tell;
use super::{Exit, Failure};
use crate::clock::{Clock, Millis};
use crate::config::Config;
use crate::device::printer::{Job, Patience, Printer, PrinterReport, PrinterSettings};
use crate::receipt::escpos;
use crate::text;

/// How long a printer that is not there is waited for.
const AWAY: Millis = Millis::seconds(5);
const STALLED: Millis = Millis::seconds(15);

/// Prints the test page and waits until the printer has taken it.
pub fn run(config: &Config, clock: &Clock) -> Result<Exit, Failure> {
    let language = config.till.language;
    let Some(settings) = printer_settings(config) else {
        let sentence = "no printer is configured: set printer.kind and printer.port";
        return Err(Failure::new(Exit::Configuration, sentence));
    };
    let settings = PrinterSettings {
        patience: Patience { away: AWAY, stalled: STALLED, trouble: STALLED },
        ..settings
    };
    let (post, reports) = mpsc::channel();
    let printer = Printer::start(settings, clock.clone(), move |report| {
        let _ = post.send(report);
    })
    .map_err(|error| Failure::new(Exit::Fault, format!("the printer's thread: {error}")))?;
    let page = escpos::test_page(config.printer.paper, language);
    let job = Job { id: 1, bytes: page, good_for: None };
    printer.print(job).map_err(|full| Failure::new(Exit::Fault, full))?;
    let mut last = String::new();
    let longest = Duration::from(AWAY.plus(STALLED).plus(Millis::seconds(60)));
    while let Ok(report) = reports.recv_timeout(longest) {
        match report {
            PrinterReport::Answers(_) => {}
            PrinterReport::Printed(_) => {
                tell("printed");
                return Ok(Exit::Done);
            }
            PrinterReport::Sent(_) => {
                tell("sent to the printer");
                return Ok(Exit::Done);
            }
            PrinterReport::Failed(_, fault) => {
                let why = text::device::job_fault(&fault, language);
                return Err(Failure::new(Exit::Fault, format!("not printed: {why}{last}")));
            }
            PrinterReport::Health(crate::device::Health::Failed(fault)) => {
                last = format!("; {}", text::device::fault(&fault, language));
            }
            PrinterReport::Health(_) => {}
        }
    }
    Err(Failure::new(Exit::Fault, "the printer did not answer"))
}
