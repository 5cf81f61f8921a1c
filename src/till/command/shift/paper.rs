//! A Z report on paper once more, marked as a copy.

use std::sync::mpsc;
use std::time::Duration;

use crate::both;
use crate::clock::Millis;
use crate::command::wiring::printer_settings;
use crate::command::{Exit, Failure};
use crate::config::Config;
use crate::device::printer::{Job, Patience, Printer, PrinterReport, PrinterSettings};
use crate::language::Text;
use crate::receipt::{Form, report};
use crate::shift::Report;
use crate::text;
use paytill_host::clock::Clock;

/// How long to wait for a printer that is not connected or out of paper: somebody waits.
const AWAY: Millis = Millis::seconds(10);
const STALLED: Millis = Millis::seconds(15);

/// Prints it, and waits until the printer has taken it.
pub(super) fn print(z: &Report, config: &Config, clock: &Clock) -> Result<(), Failure> {
    let Some(settings) = printer_settings(config) else {
        let sentence = both!(
            "no printer is configured: set printer.kind and printer.port",
            "没有配置打印机：请设置 printer.kind 和 printer.port"
        );
        return Err(Failure::new(Exit::Configuration, sentence));
    };
    let patience = Patience { away: AWAY, stalled: STALLED, trouble: STALLED };
    let (post, reports) = mpsc::channel();
    let tell = move |report| {
        let _ = post.send(report);
    };
    let started = Printer::start(PrinterSettings { patience, ..settings }, clock.clone(), tell);
    let printer = started.map_err(|error| {
        Failure::of_system(&both!("the printer's thread", "无法启动打印线程"), &error)
    })?;
    let page = report::print(z, true, config, &Form::of(config), config.till.language);
    let job = Job { id: 1, page, copies: 1, good_for: None, regardless: false, asks_first: false };
    printer.print(job).map_err(|_| {
        let full = Text::each(|language| text::device::queue_full(language).to_owned());
        Failure::new(Exit::Fault, full)
    })?;
    let longest = Duration::from(AWAY.plus(STALLED).plus(Millis::seconds(60)));
    while let Ok(report) = reports.recv_timeout(longest) {
        match report {
            PrinterReport::Printed(_) | PrinterReport::Sent(_) => return Ok(()),
            PrinterReport::Failed(_, fault) => {
                let why = Text::each(|language| text::device::job_fault(&fault, language));
                let what = both!("not printed", "未打印");
                return Err(Failure::new(Exit::Fault, what.because(&why)));
            }
            PrinterReport::Health(_) | PrinterReport::Begins(_) | PrinterReport::Answers(_) => {}
        }
    }
    Err(Failure::new(Exit::Fault, both!("the printer did not answer", "打印机没有应答")))
}
