//! The till's devices, and how their state reads on the screen.

use std::collections::BTreeMap;
use std::io;

use tokio::sync::mpsc::UnboundedSender;
use zeroize::Zeroizing;

use crate::clock::Millis;
use crate::command::wiring::{display_settings, printer_settings, scanner_settings};
use crate::config::Config;
use crate::device::Health;
use crate::device::display::Display;
use crate::device::printer::{Job, JobFault, Printer, PrinterReport};
use crate::device::role::Learned;
use crate::device::scanner::{ScannerReport, Scanners};
use crate::display;
use crate::engine::{Attempt, RefundRecord};
use crate::journal::{self, RefundPaper};
use crate::language::Language;
use crate::order::OutTradeNo;
use crate::receipt::{Form, ReceiptOutcome, RefundOutcome, RefundSlip, Slip, escpos};
use crate::screen::{Link, Printing};
use crate::shift::Report;
use crate::text;
use paytill_host::clock::Clock;

/// The drawer opens within this time of the key, or not at all.
const DRAWER_WAITS: Millis = Millis::seconds(3);

/// What the devices report.
pub(super) enum DeviceReport {
    Scanned(Zeroizing<String>),
    Noise,
    Scanner(Health),
    Printer(Health),
    Display(Health),
    /// A print job could begin, and waits for [`Devices::begin`].
    Begins(u64),
    /// A print job has ended.
    Job(u64, Ended),
}

/// How a print job ended.
pub(super) enum Ended {
    Sent,
    Printed,
    Failed(JobFault),
}

/// The scanner, the printer and the customer's display, as far as they are configured.
pub(super) struct Devices {
    _scanners: Scanners,
    printer: Option<Printer>,
    display: Option<Display>,
    /// What the customer's display shows.
    shown: Option<display::View>,
    form: Form,
    jobs: BTreeMap<u64, JobPurpose>,
    last_job: u64,
    /// The order whose next slip is printed whatever the printer says.
    overruled: Option<OutTradeNo>,
}

/// What a job of the printer is for.
pub(super) enum JobPurpose {
    /// What is on its page, too.
    Slip(journal::Slip, ReceiptOutcome),
    RefundSlip(Box<RefundJob>),
    /// An X or Z report.
    Report(Box<Report>),
    /// The code of an order.
    Bill(OutTradeNo),
    Drawer,
}

impl JobPurpose {
    /// The slip in the journal that it is for.
    fn slip(&self) -> Option<&journal::Slip> {
        match self {
            Self::Slip(slip, _) => Some(slip),
            Self::RefundSlip(job) => Some(&job.slip),
            Self::Report(_) | Self::Bill(_) | Self::Drawer => None,
        }
    }
}

/// The slip of a refund that waits for the printer.
pub(super) struct RefundJob {
    pub(super) slip: journal::Slip,
    /// What is on its page.
    says: RefundOutcome,
    /// Where the refund is now.
    now: RefundPaper,
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
                    PrinterReport::Begins(id) => DeviceReport::Begins(id),
                    PrinterReport::Sent(id) => DeviceReport::Job(id, Ended::Sent),
                    PrinterReport::Printed(id) => DeviceReport::Job(id, Ended::Printed),
                    PrinterReport::Failed(id, fault) => DeviceReport::Job(id, Ended::Failed(fault)),
                    PrinterReport::Answers(answers) => {
                        return tracing::info!(?answers, "what the printer answers");
                    }
                });
            })?),
            None => None,
        };
        Ok(Self {
            _scanners: scanners,
            printer,
            display,
            shown: None,
            form: Form::of(config),
            jobs: BTreeMap::new(),
            last_job: 0,
            overruled: None,
        })
    }

    /// Updates the customer's display if its contents have changed.
    pub(super) fn show(&mut self, view: display::View, config: &Config) {
        let Some(display) = &self.display else { return };
        if self.shown.replace(view) != Some(view) {
            display.show(display::show(view, &config.display, config.till.currency));
        }
    }

    /// Hands a slip to the printer, the first one in the configured number. It waits for
    /// [`Devices::begin`]. The error is a sentence for the cashier.
    pub(super) fn print(
        &mut self,
        journalled: &journal::Slip,
        attempt: &Attempt,
        config: &Config,
        language: Language,
    ) -> Result<(), String> {
        let (Some(printer), Some(slip)) =
            (&self.printer, Slip::of(attempt, config, journalled.copy, &journalled.tenders))
        else {
            return Ok(());
        };
        let copies = if journalled.copy > 0 { 1 } else { config.receipt.copies };
        let page = escpos::print(&slip, &self.form, language);
        self.last_job += 1;
        let id = self.last_job;
        let (order, says) = (&journalled.out_trade_no, slip.outcome);
        let regardless = self.overruled.take_if(|overruled| overruled == order).is_some();
        let job = Job { id, page, copies, good_for: None, regardless, asks_first: true };
        printer.print(job).map_err(|_| text::device::queue_full(language).to_owned())?;
        self.jobs.insert(id, JobPurpose::Slip(journalled.clone(), says));
        Ok(())
    }

    /// The same of a refund.
    pub(super) fn print_refund(
        &mut self,
        journalled: &journal::Slip,
        paper: &RefundPaper,
        config: &Config,
        language: Language,
    ) -> Result<(), String> {
        let (Some(printer), Some(slip)) =
            (&self.printer, RefundSlip::of(paper, config, journalled.copy))
        else {
            return Ok(());
        };
        let copies = if journalled.copy > 0 { 1 } else { config.receipt.copies };
        let page = slip.print(&self.form, language);
        self.last_job += 1;
        let id = self.last_job;
        let job = Job { id, page, copies, good_for: None, regardless: false, asks_first: true };
        printer.print(job).map_err(|_| text::device::queue_full(language).to_owned())?;
        let (slip, says, now) = (journalled.clone(), slip.outcome, paper.clone());
        self.jobs.insert(id, JobPurpose::RefundSlip(Box::new(RefundJob { slip, says, now })));
        Ok(())
    }

    /// A refund has moved: its slips that wait learn of it.
    pub(super) fn refund_moved(&mut self, refund: &RefundRecord) {
        for purpose in self.jobs.values_mut() {
            if let JobPurpose::RefundSlip(job) = purpose
                && job.now.refund.out_refund_no == refund.out_refund_no
            {
                job.now.refund = refund.clone();
            }
        }
    }

    /// The slip of a refund that a job is for, what is on its page, and where the refund is.
    pub(super) fn refund_of(
        &self,
        job: u64,
    ) -> Option<(journal::Slip, RefundOutcome, RefundPaper)> {
        match self.jobs.get(&job) {
            Some(JobPurpose::RefundSlip(job)) => {
                Some((job.slip.clone(), job.says, job.now.clone()))
            }
            _ => None,
        }
    }

    /// The slip of a payment that a job of the printer is for.
    pub(super) fn slip_of(&self, job: u64) -> Option<&journal::Slip> {
        match self.jobs.get(&job) {
            Some(JobPurpose::Slip(slip, _)) => Some(slip),
            _ => None,
        }
    }

    /// Whether the page of a job says where its order is now.
    pub(super) fn says_the_truth(&self, job: u64, order: &Attempt) -> bool {
        match self.jobs.get(&job) {
            Some(JobPurpose::Slip(_, says)) => ReceiptOutcome::of(&order.state) == Some(*says),
            _ => true,
        }
    }

    /// Whether a later slip of the same order waits, too.
    pub(super) fn has_later(&self, slip: &journal::Slip) -> bool {
        let mut jobs = self.jobs.keys().filter_map(|job| self.slip_of(*job));
        jobs.any(|other| other.out_trade_no == slip.out_trade_no && other.id > slip.id)
    }

    /// A slip that could begin is not to be printed; nothing more is reported of it.
    pub(super) fn withdraw(&mut self, job: u64) {
        if let (Some(printer), Some(_)) = (&self.printer, self.jobs.remove(&job)) {
            printer.withdraw(job);
        }
    }

    /// The job that a slip waits in, and the slip.
    pub(super) fn job_of(&self, slip: i64) -> Option<(u64, &journal::Slip)> {
        let mut slips = self.jobs.iter().filter_map(|(job, of)| Some((*job, of.slip()?)));
        slips.find(|(_, of)| of.id == slip)
    }

    /// The journal knows that this slip may be on paper from now on.
    pub(super) fn begin(&self, slip: i64) {
        if let (Some(printer), Some((job, _))) = (&self.printer, self.job_of(slip)) {
            printer.begin(job);
        }
    }

    /// The printer says that it does not print, and the cashier knows better: for this order's slip,
    /// which waits for the printer, or is about to.
    pub(super) fn overrule_printer(&mut self, order: OutTradeNo) {
        let Some(printer) = &self.printer else { return };
        tracing::info!(%order, "the cashier overrules the printer");
        let is_it = |job: &&u64| self.slip_of(**job).is_some_and(|of| of.out_trade_no == order);
        match self.jobs.keys().rfind(is_it) {
            Some(job) => printer.overrule(*job),
            None => self.overruled = Some(order),
        }
    }

    /// Opens the cash drawer, as a job of its own that no receipt or reprint repeats. It opens now
    /// or not at all: later, nobody may be there. The error is a sentence for the cashier.
    pub(super) fn open_drawer(
        &mut self,
        config: &Config,
        language: Language,
    ) -> Result<(), String> {
        let (Some(printer), Some(pin)) = (&self.printer, config.printer.drawer) else {
            return Ok(());
        };
        self.last_job += 1;
        let (id, page) = (self.last_job, escpos::drawer(pin));
        let job = Job {
            id,
            page,
            copies: 1,
            good_for: Some(DRAWER_WAITS),
            regardless: false,
            asks_first: false,
        };
        printer.print(job).map_err(|_| text::device::queue_full(language).to_owned())?;
        self.jobs.insert(id, JobPurpose::Drawer);
        Ok(())
    }

    /// Prints a report. The error is a sentence for the cashier.
    pub(super) fn print_report(
        &mut self,
        page: Vec<u8>,
        report: &Report,
        language: Language,
    ) -> Result<(), String> {
        let Some(printer) = &self.printer else { return Ok(()) };
        self.last_job += 1;
        let id = self.last_job;
        let job = Job { id, page, copies: 1, good_for: None, regardless: false, asks_first: false };
        printer.print(job).map_err(|_| text::device::queue_full(language).to_owned())?;
        self.jobs.insert(id, JobPurpose::Report(Box::new(report.clone())));
        Ok(())
    }

    /// Prints a bill, once [`Self::begin_bill`] says so. The error is a sentence for the cashier.
    pub(super) fn print_bill(
        &mut self,
        page: Vec<u8>,
        order: OutTradeNo,
        language: Language,
    ) -> Result<(), String> {
        let Some(printer) = &self.printer else { return Ok(()) };
        self.last_job += 1;
        let id = self.last_job;
        let job = Job { id, page, copies: 1, good_for: None, regardless: false, asks_first: true };
        printer.print(job).map_err(|_| text::device::queue_full(language).to_owned())?;
        self.jobs.insert(id, JobPurpose::Bill(order));
        Ok(())
    }

    /// The order whose code a job of the printer is for.
    pub(super) fn bill_of(&self, job: u64) -> Option<&OutTradeNo> {
        match self.jobs.get(&job) {
            Some(JobPurpose::Bill(order)) => Some(order),
            _ => None,
        }
    }

    /// Its code can still be scanned.
    pub(super) fn begin_bill(&self, job: u64) {
        if let Some(printer) = &self.printer {
            printer.begin(job);
        }
    }

    /// Takes the purpose of a job that has ended.
    pub(super) fn finished(&mut self, job: u64) -> Option<JobPurpose> {
        self.jobs.remove(&job)
    }
}

/// A device's health as the status line shows it.
pub(super) fn link(health: &Health, language: Language) -> Link {
    match health {
        Health::Ready => Link::Ready,
        Health::PaperLow => Link::Warned(text::device::paper_low(language).to_owned()),
        Health::Searching => Link::Searching,
        Health::Failed(fault) => Link::Failed(text::device::fault(fault, language)),
    }
}

/// The result of a print job, as the screen shows it.
pub(super) fn printing(ended: &Ended, language: Language) -> Printing {
    match ended {
        Ended::Sent => Printing::Sent,
        Ended::Printed => Printing::Printed,
        Ended::Failed(fault) => Printing::Failed(text::device::job_fault(fault, language)),
    }
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
