//! A receipt printer: bytes to a serial port, or appended to a file.
//!
//! What is reported of a job is only what is known. *Sent* means that the system has handed on every
//! byte, *printed* that the printer itself says it has done all of it (devices 2.6). A job that has
//! begun is never begun again by itself, since the customer could get two receipts; it fails, and
//! somebody may print it once more, marked as a copy. A job that has not begun waits for a printer
//! that is away or out of paper, for two minutes.

mod file;
mod serial;
mod session;
pub mod status;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::{Address, DeviceFault, Health, Reported, Worker, WorkerHandle};
use crate::clock::{Millis, Uptime};
use crate::hardware::Flow;
use paytill_host::clock::Clock;
use serial::SerialPrinter;
pub use status::Trouble;

/// Jobs that wait; a till that prints more than that has lost its printer.
const QUEUE: usize = 32;

/// Which printer, how it speaks, and how long it is waited for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrinterSettings {
    pub kind: PrinterPort,
    pub proof: PrintProof,
    /// Ends whatever a job that stopped in its middle has left in the printer.
    pub terminator: Vec<u8>,
    pub patience: Patience,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrinterPort {
    /// Any terminal's path, or a link to one, and its bits a second.
    Serial { port: PathBuf, baud: u32, flow: Flow },
    /// Made if it is not there, for this user alone; always appended to. A printer's own node
    /// (`/dev/usb/lp0`) is a file too.
    File { path: PathBuf },
}

/// What is asked for to prove that a job is on paper. Whatever it says, a printer that answers no
/// question at all is asked for nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PrintProof {
    /// An answer in the order of the data, by a printer that gives one when it is tried.
    SyncPoint,
    /// The same, and the word of the printer that it is on paper; from those that know it.
    PrintEnd,
}

/// How long a printer may keep a job waiting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patience {
    /// Until a job is begun, from when it was given: new paper and a plug take time.
    pub away: Millis,
    /// Without taking a byte or giving an answer, once it has begun.
    pub stalled: Millis,
    /// While the printer says what is missing, once it has begun.
    pub trouble: Millis,
}

impl Default for Patience {
    fn default() -> Self {
        let (away, stalled) = (Millis::seconds(120), Millis::seconds(60));
        Self { away, stalled, trouble: Millis::seconds(600) }
    }
}

/// A page to print, and the name under which it is reported.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Job {
    pub id: u64,
    pub page: Vec<u8>,
    /// How often it is printed.
    pub copies: u8,
    /// Not begun within this time it fails; `None`: [`Patience::away`].
    pub good_for: Option<Millis>,
}

/// What a printer tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrinterReport {
    Health(Health),
    /// What it was found to answer, each time it is opened.
    Answers(Answers),
    /// The system has handed every byte of the job on.
    Sent(u64),
    /// The printer says that it has done all of it.
    Printed(u64),
    /// The job will not be printed. Of one that was interrupted, a part may have been.
    Failed(u64, JobFault),
}

/// What a printer answers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answers {
    /// Questions about its state; without it there are no others.
    pub status: bool,
    /// It tells of changes by itself.
    pub changes: bool,
    /// In the order of the data, so that what was printed can be known; `None`: it could not be
    /// asked yet, since it stands still.
    pub sync_point: Option<bool>,
    /// Its model's name, in its own words, cleaned.
    pub model: Option<String>,
}

/// Why a job was not printed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JobFault {
    #[error("the printer was away too long")]
    Away,
    /// The printer said so until there was no more time. A part of it may be on paper.
    #[error("the printer did not print: {0}")]
    Trouble(Trouble),
    /// A part of it may be on paper.
    #[error("the printer stopped taking data")]
    Stalled,
    /// A part of it may be on paper.
    #[error("the printer was unplugged while printing")]
    Unplugged,
    /// All of it was sent, and the printer has not said that it did it, as it does otherwise. It
    /// may have been switched off and on.
    #[error("the printer does not confirm it")]
    Unconfirmed,
    /// In the words of the system.
    #[error("{0}")]
    NotWritten(String),
}

/// Too many jobs wait; this one was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("too many receipts wait for the printer")]
pub struct QueueFull;

/// A printer at work. What waits is given up when this is dropped.
pub struct Printer {
    queue: SyncSender<Queued>,
    clock: Clock,
    worker: Worker,
}

struct Queued {
    job: Job,
    at: Uptime,
}

impl Printer {
    /// Starts looking for the printer; what becomes of it and its jobs is reported from its own
    /// thread. Fails only if the system gives no thread.
    pub fn start(
        settings: PrinterSettings,
        clock: Clock,
        report: impl Fn(PrinterReport) + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let own_clock = clock.clone();
        let worker = Worker::start("printer", move |wanted| {
            let PrinterSettings { kind, proof, terminator, patience } = settings;
            let spooler =
                Spooler { jobs, patience, clock, report, reported: Reported(None), wanted };
            match kind {
                PrinterPort::Serial { port, baud, flow } => {
                    let address = Address::new(port, baud).with_flow(flow);
                    SerialPrinter::new(spooler, address, baud, proof, terminator).run();
                }
                PrinterPort::File { path } => spooler.append_to(&path),
            }
        })?;
        Ok(Self { queue, clock: own_clock, worker })
    }

    /// Takes a job, without ever waiting. Exactly one report will tell what became of it.
    pub fn print(&self, job: Job) -> Result<(), QueueFull> {
        let queued = Queued { job, at: self.clock.uptime() };
        self.queue.try_send(queued).map_err(|refused| match refused {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => QueueFull,
        })?;
        self.worker.wake();
        Ok(())
    }
}

/// Where jobs come in and reports go out.
struct Spooler<R> {
    jobs: Receiver<Queued>,
    patience: Patience,
    clock: Clock,
    report: R,
    reported: Reported,
    wanted: WorkerHandle,
}

/// How a job ended well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Done {
    Sent,
    Printed,
}

impl<R: Fn(PrinterReport)> Spooler<R> {
    fn report_health(&mut self, health: Health) {
        if self.reported.changes_to(&health) {
            (self.report)(PrinterReport::Health(health));
        }
    }

    fn settle(&self, id: u64, result: Result<Done, JobFault>) {
        (self.report)(match result {
            Ok(Done::Sent) => PrinterReport::Sent(id),
            Ok(Done::Printed) => PrinterReport::Printed(id),
            Err(fault) => PrinterReport::Failed(id, fault),
        });
    }

    fn is_overdue(&self, queued: &Queued) -> bool {
        let patience = queued.job.good_for.unwrap_or(self.patience.away);
        self.clock.uptime().since(queued.at) >= patience
    }
}
