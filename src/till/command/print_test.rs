//! `paytill print-test`: a page that shows what a printer can do, and which profile fits it.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc;
use std::time::Duration;

use super::output::print_message;
use super::wiring::printer_settings;
use super::{Exit, Failure};
use crate::cli;
use crate::clock::Millis;
use crate::config::Config;
use crate::device::printer::{
    Answers, Job, JobFault, Patience, Printer, PrinterReport, PrinterSettings,
};
use crate::device::{DeviceFault, Health};
use crate::language::{Language, Text};
use crate::receipt::{Form, escpos};
use crate::text::print_test::PrintTestWords;
use crate::{both, text};
use paytill_host::clock::Clock;

/// How long to wait for a printer that is not connected or out of paper.
const AWAY: Millis = Millis::seconds(10);
const STALLED: Millis = Millis::seconds(15);

/// Prints the test page, waits until the printer has accepted it, and says what to check.
pub fn run(command: &cli::PrintTest, config: &Config, clock: &Clock) -> Result<Exit, Failure> {
    let mut config = config.clone();
    config.printer.profile = command.profile.unwrap_or(config.printer.profile);
    let language = config.till.language;
    let Some(settings) = printer_settings(&config) else {
        let sentence = both!(
            "no printer is configured: set printer.kind and printer.port",
            "没有配置打印机：请设置 printer.kind 和 printer.port"
        );
        return Err(Failure::new(Exit::Configuration, sentence));
    };
    let patience = Patience { away: AWAY, stalled: STALLED, trouble: STALLED };
    let (post, reports) = mpsc::channel();
    let report = move |report| {
        let _ = post.send(report);
    };
    let printer = Printer::start(PrinterSettings { patience, ..settings }, clock.clone(), report)
        .map_err(|error| {
        Failure::of_system(&both!("the printer's thread", "无法启动打印线程"), &error)
    })?;
    let page = escpos::test_page(&Form::of(&config));
    let print = |regardless| {
        let job = Job {
            id: 1,
            page: page.clone(),
            copies: 1,
            good_for: None,
            regardless,
            asks_first: false,
        };
        printer.print(job).map_err(|_| {
            let full = Text::each(|language| text::device::queue_full(language).to_owned());
            Failure::new(Exit::Fault, full)
        })
    };
    print(false)?;
    let mut is_asked = false;
    let mut last = None;
    let mut answers = Answers::default();
    let longest = Duration::from(AWAY.plus(STALLED).plus(Millis::seconds(60)));
    while let Ok(report) = reports.recv_timeout(longest) {
        let is_proven = match report {
            PrinterReport::Printed(_) => true,
            PrinterReport::Sent(_) => false,
            PrinterReport::Answers(found) => {
                answers = found;
                continue;
            }
            PrinterReport::Failed(_, fault) => {
                if !is_asked && is_a_word_of_its_own(last.as_ref()) {
                    is_asked = true;
                    let why = not_printed(&fault, last.as_ref());
                    if wants_it_all_the_same(&why, language) {
                        print(true)?;
                        continue;
                    }
                }
                return Err(Failure::new(Exit::Fault, not_printed(&fault, last.as_ref())));
            }
            PrinterReport::Health(Health::Failed(fault)) => {
                last = Some(fault);
                continue;
            }
            PrinterReport::Health(Health::PaperLow) => {
                print_message(text::device::paper_low(language));
                continue;
            }
            PrinterReport::Health(Health::Ready | Health::Searching) | PrinterReport::Begins(_) => {
                continue;
            }
        };
        for line in text::print_test::after(is_proven, &answers, language) {
            print_message(&line);
        }
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Fault, both!("the printer did not answer", "打印机没有应答")))
}

/// Whether the printer could print in spite of what it says, or does not say.
fn is_a_word_of_its_own(fault: Option<&DeviceFault>) -> bool {
    matches!(fault, Some(DeviceFault::Printer(_) | DeviceFault::Silent))
}

/// Asks whoever sits at the terminal, if anybody does.
fn wants_it_all_the_same(why: &Text, language: Language) -> bool {
    let words = PrintTestWords::of(language);
    print_message(words.how_to_overrule());
    if !io::stdin().is_terminal() {
        return false;
    }
    print_message(why.in_language(language));
    print_message(words.ask_all_the_same());
    io::stdin().read_line(&mut String::new()).is_ok_and(|length| length > 0)
}

/// The reason, and the printer's last fault before it.
fn not_printed(fault: &JobFault, before: Option<&DeviceFault>) -> Text {
    both!("not printed", "未打印").because(&Text::each(|language| {
        let why = text::device::job_fault(fault, language);
        match before.map(|fault| text::device::fault(fault, language)) {
            Some(before) => format!("{why}{}{before}", language.pick("; ", "；")),
            None => why,
        }
    }))
}
