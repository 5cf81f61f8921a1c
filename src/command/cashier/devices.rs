//! The devices of this till, and their words on the screen.

use std::collections::BTreeMap;
use std::io;

use tokio::sync::mpsc::UnboundedSender;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::command::devices::scanner_settings;
use crate::config::{Config, DisplayKind, PrinterKind as Kind};
use crate::device::Health;
use crate::device::display::{Display, DisplaySettings};
use crate::device::printer::{
    Job, JobFault, Patience, Printer, PrinterKind, PrinterReport, PrinterSettings,
};
use crate::device::role::Learned;
use crate::device::scanner::{ScannerReport, Scanners};
use crate::engine::Attempt;
use crate::order::OutTradeNo;
use crate::pole;
use crate::receipt::{Slip, escpos};
use crate::screen::Link;
use crate::text::{self, Language};

/// What a device says.
pub(super) enum DeviceReport {
    Scanned(Zeroizing<String>),
    Noise,
    Scanner(Health),
    Printer(Health),
    Display(Health),
    /// A print job came to its end.
    Job(u64, Result<(), JobFault>),
}

/// The scanner, the printer and the customer's display, where there are any.
pub(super) struct Devices {
    _scanners: Scanners,
    printer: Option<Printer>,
    display: Option<Display>,
    /// What the customer sees.
    shown: Option<pole::View>,
    jobs: BTreeMap<u64, OutTradeNo>,
    last_job: u64,
}

impl Devices {
    pub(super) fn start(
        config: &Config,
        learned: Vec<Learned>,
        clock: &Clock,
        reports: UnboundedSender<DeviceReport>,
    ) -> io::Result<Self> {
        let display = match display_settings(config) {
            Some(settings) => {
                let reports = reports.clone();
                Some(Display::start(settings, clock.clone(), move |health| {
                    let _ = reports.send(DeviceReport::Display(health));
                })?)
            }
            None => None,
        };
        let scanners = scanners(config, learned, clock, reports.clone())?;
        let printer = match printer_settings(config) {
            Some(settings) => Some(Printer::start(settings, clock.clone(), move |report| {
                let _ = reports.send(match report {
                    PrinterReport::Health(health) => DeviceReport::Printer(health),
                    PrinterReport::Sent(id) => DeviceReport::Job(id, Ok(())),
                    PrinterReport::Failed(id, fault) => DeviceReport::Job(id, Err(fault)),
                });
            })?),
            None => None,
        };
        Ok(Self {
            _scanners: scanners,
            printer,
            display,
            shown: None,
            jobs: BTreeMap::new(),
            last_job: 0,
        })
    }

    /// Shows the customer what has changed, if anything has.
    pub(super) fn show(&mut self, view: pole::View, config: &Config) {
        let Some(display) = &self.display else { return };
        if self.shown.replace(view) != Some(view) {
            display.show(pole::show(view, &config.display, config.till.currency));
        }
    }

    /// Hands a receipt to the printer, as often as the owner wants. The sale is long recorded.
    pub(super) fn print(
        &mut self,
        attempt: &Attempt,
        copy: bool,
        config: &Config,
        language: Language,
    ) -> Result<(), String> {
        let (Some(printer), Some(slip)) = (&self.printer, Slip::of(attempt, config, copy)) else {
            return Ok(());
        };
        let copies = if copy { 1 } else { config.receipt.copies };
        let receipt = escpos::print(&slip, config.printer.paper, language);
        self.last_job += 1;
        let job = Job { id: self.last_job, bytes: receipt.repeat(usize::from(copies)) };
        printer.print(job).map_err(|_| text::device::queue_full(language).to_owned())?;
        self.jobs.insert(self.last_job, attempt.out_trade_no.clone());
        Ok(())
    }

    /// Whose receipt it was.
    pub(super) fn finished(&mut self, job: u64) -> Option<OutTradeNo> {
        self.jobs.remove(&job)
    }
}

/// A device's health as the status line shows it.
pub(super) fn link(health: &Health, language: Language) -> Link {
    match health {
        Health::Ready => Link::Ready,
        Health::Searching => Link::Searching,
        Health::Failed(fault) => Link::Failed(text::device::fault(fault, language)),
    }
}

/// How the printer is reached, if there is one.
pub(in crate::command) fn printer_settings(config: &Config) -> Option<PrinterSettings> {
    let port = config.printer.port.clone()?;
    let kind = match config.printer.kind {
        Kind::EscposSerial => PrinterKind::Serial { port, baud: config.printer.baud },
        Kind::EscposFile => PrinterKind::File { path: port },
        Kind::None => return None,
    };
    Some(PrinterSettings { kind, patience: Patience::default() })
}

/// How the customer's display is reached, if there is one.
fn display_settings(config: &Config) -> Option<DisplaySettings> {
    let display = &config.display;
    let port = display.port.clone().filter(|_| display.kind != DisplayKind::None)?;
    let start = pole::start(display);
    Some(DisplaySettings { port, baud: display.baud, parity: display.parity, start })
}

fn scanners(
    config: &Config,
    learned: Vec<Learned>,
    clock: &Clock,
    reports: UnboundedSender<DeviceReport>,
) -> io::Result<Scanners> {
    let settings = scanner_settings(config, learned);
    Scanners::start(settings, clock.clone(), move |report| {
        let _ = reports.send(match report {
            ScannerReport::Health(health) => DeviceReport::Scanner(health),
            ScannerReport::Scanned(text) => DeviceReport::Scanned(text),
            ScannerReport::Noise => DeviceReport::Noise,
        });
    })
}
