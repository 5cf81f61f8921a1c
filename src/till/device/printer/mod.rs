//! A receipt printer: bytes to a serial port, or appended to a file.
//!
//! A job's report claims only what is known. *Sent* means that the system has passed on every byte;
//! *printed* means that the printer itself confirmed the complete job (devices 2.6). A job that has
//! begun is never restarted automatically, because the customer could end up with two receipts: it
//! fails, and somebody may print it again, marked as a copy. A job that has not begun waits up to
//! two minutes for a printer that is away or out of paper.

mod file;
mod serial;
mod session;
pub mod status;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::{Address, DeviceFault, Health, Reported, Worker, WorkerHandle};
use crate::clock::{Millis, Uptime};
use crate::hardware::{Flow, StatusUse};
use paytill_host::clock::Clock;
use serial::SerialPrinter;
pub use status::Trouble;

/// Maximum number of waiting jobs; a till with more than that has lost its printer.
const QUEUE: usize = 32;

/// Which printer, how it is driven, and how long to wait for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrinterSettings {
    pub kind: PrinterPort,
    pub proof: PrintProof,
    pub uses: StatusUse,
    /// Flushes what a job that was cut off may have left in the printer.
    pub terminator: Vec<u8>,
    pub patience: Patience,
}

/// Where the bytes go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrinterPort {
    /// The path of any terminal, or a link to one; `baud` is in bits per second.
    Serial { port: PathBuf, baud: u32, flow: Flow },
    /// Created if missing, for this user alone, and always appended to. A printer's own node
    /// (`/dev/usb/lp0`) also counts as a file.
    File { path: PathBuf },
}

/// What to request as proof that a job is on paper. Whatever it says, a printer that answers no
/// status query at all is asked for nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PrintProof {
    /// An answer in sequence with the data, from a printer that gave one when tried.
    SyncPoint,
    /// In addition, the printer's confirmation that the job is on paper, if it supports that.
    PrintEnd,
}

/// How long a printer may keep a job waiting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patience {
    /// From when a job was queued until it begins: loading paper or plugging in takes time.
    pub away: Millis,
    /// Without accepting a byte or answering, once the job has begun.
    pub stalled: Millis,
    /// While the printer reports what is wrong, once the job has begun.
    pub trouble: Millis,
}

impl Default for Patience {
    fn default() -> Self {
        let (away, stalled) = (Millis::seconds(120), Millis::seconds(60));
        Self { away, stalled, trouble: Millis::seconds(600) }
    }
}

/// A page to print, and the number under which it is reported.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Job {
    pub id: u64,
    pub page: Vec<u8>,
    /// How many times it is printed.
    pub copies: u8,
    /// The job fails if it has not begun within this time; `None` means [`Patience::away`].
    pub good_for: Option<Millis>,
    /// Print whatever the printer says: somebody was asked and wants it so.
    pub regardless: bool,
    /// Whether the job waits for [`Printer::begin`] before its first byte leaves.
    pub asks_first: bool,
}

/// What a printer reports.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrinterReport {
    Health(Health),
    /// What it was found to answer, each time it is identified.
    Answers(Answers),
    /// The printer is ready for a job that asks first, and waits for [`Printer::begin`]. Again, if it
    /// was not ready any more before the job began.
    Begins(u64),
    /// The system has passed on every byte of the job.
    Sent(u64),
    /// The printer has confirmed the complete job.
    Printed(u64),
    /// The job will not be printed. If it was interrupted, part of it may have been.
    Failed(u64, JobFault),
}

/// What a printer answers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answers {
    /// Status queries; without these it answers nothing else.
    pub status: bool,
    /// Reports changes by itself.
    pub changes: bool,
    /// Answers in sequence with the data, which proves what was printed; `None` while it could not
    /// be tried because the printer is stopped.
    pub sync_point: Option<bool>,
    /// Its model name, in its own words, cleaned.
    pub model: Option<String>,
}

/// Why a job was not printed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JobFault {
    #[error("the printer was away too long")]
    Away,
    /// The printer reported this until the time ran out. Part of the job may be on paper.
    #[error("the printer did not print: {0}")]
    Trouble(Trouble),
    /// Part of the job may be on paper.
    #[error("the printer stopped taking data")]
    Stalled,
    /// Part of the job may be on paper.
    #[error("the printer was unplugged while printing")]
    Unplugged,
    /// Its owner no longer wants it; nothing of it was sent.
    #[error("it was withdrawn")]
    Withdrawn,
    /// Everything was sent, but the printer has not confirmed it, as it otherwise does. It may have
    /// been switched off and on.
    #[error("the printer does not confirm it")]
    Unconfirmed,
    /// To its file.
    #[error("{0}")]
    NotWritten(DeviceFault),
}

/// Too many jobs are waiting; this one was not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("too many receipts wait for the printer")]
pub struct QueueFull;

/// A running printer. Waiting jobs are dropped with it.
pub struct Printer {
    queue: SyncSender<Queued>,
    clock: Clock,
    orders: Arc<Orders>,
    worker: Worker,
}

/// What was said of jobs, each by its number.
struct Orders {
    /// The one that is printed whatever the printer says.
    overruled: AtomicU64,
    /// The last one that may begin.
    allowed: AtomicU64,
    /// The last one that must not.
    withdrawn: AtomicU64,
}

struct Queued {
    job: Job,
    at: Uptime,
}

impl Printer {
    /// Starts searching for the printer; its health and what becomes of its jobs are reported from
    /// its own thread. Fails only if the system cannot provide a thread.
    pub fn start(
        settings: PrinterSettings,
        clock: Clock,
        report: impl Fn(PrinterReport) + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let own_clock = clock.clone();
        let none = || AtomicU64::new(NONE);
        let orders = Orders { overruled: none(), allowed: none(), withdrawn: none() };
        let orders = Arc::new(orders);
        let given = Arc::clone(&orders);
        let worker = Worker::start("printer", move |handle| {
            let PrinterSettings { kind, proof, uses, terminator, patience } = settings;
            let reported = Reported(None);
            let (orders, asked) = (given, NONE);
            let spooler =
                Spooler { jobs, patience, clock, report, reported, orders, asked, handle };
            match kind {
                PrinterPort::Serial { port, baud, flow } => {
                    let address = Address::new(port, baud).with_flow(flow);
                    SerialPrinter::new(spooler, address, baud, (proof, uses), terminator).run();
                }
                PrinterPort::File { path } => spooler.append_to(&path),
            }
        })?;
        Ok(Self { queue, clock: own_clock, orders, worker })
    }

    /// Somebody was asked and wants it so: this job, if it still waits, is printed whatever the
    /// printer says, and before those that go by its word.
    pub fn overrule(&self, job: u64) {
        self.orders.overruled.store(job, Ordering::Release);
        self.worker.wake();
    }

    /// A job that waits for [`Printer::begin`] is no longer wanted.
    pub fn withdraw(&self, job: u64) {
        self.orders.withdrawn.store(job, Ordering::Release);
        self.worker.wake();
    }

    /// The job that was reported with [`PrinterReport::Begins`] may begin.
    pub fn begin(&self, job: u64) {
        self.orders.allowed.store(job, Ordering::Release);
        self.worker.wake();
    }

    /// Queues a job without ever blocking. Exactly one report will follow for it.
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
    orders: Arc<Orders>,
    /// The last job that has asked whether it may begin.
    asked: u64,
    handle: WorkerHandle,
}

/// No job's number.
const NONE: u64 = u64::MAX;

/// How a job succeeded.
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

    /// Whether the first byte of a job may leave, with a printer that is ready or not. If it asks
    /// first, it has asked from now on, and asks again once the printer was not ready.
    fn may_begin(&mut self, job: &Job, is_ready: bool) -> bool {
        if !is_ready {
            self.must_ask_again();
        }
        if !is_ready || !job.asks_first {
            return is_ready;
        }
        if self.asked == job.id {
            return self.orders.allowed.load(Ordering::Acquire) == job.id;
        }
        self.asked = job.id;
        // What was answered before was about another moment.
        self.orders.allowed.store(NONE, Ordering::Release);
        (self.report)(PrinterReport::Begins(job.id));
        false
    }

    /// The printer is not ready after all: whoever is asked again may decide otherwise by then.
    fn must_ask_again(&mut self) {
        self.asked = NONE;
    }

    fn is_withdrawn(&self, job: &Job) -> bool {
        self.orders.withdrawn.load(Ordering::Acquire) == job.id
    }

    fn is_overruled(&self, job: &Job) -> bool {
        self.orders.overruled.load(Ordering::Acquire) == job.id
    }

    fn is_overdue(&self, queued: &Queued) -> bool {
        let patience = queued.job.good_for.unwrap_or(self.patience.away);
        self.clock.uptime().since(queued.at) >= patience
    }
}
