//! The catalogue and what was put aside, on a thread of their own: the screen never waits for the
//! disk. Whatever is asked is answered in its order, and the catalogue is opened anew each time, so
//! that an import is seen at once.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::mpsc::UnboundedSender;

use crate::catalogue::{self, Catalogue, CatalogueFault, held};
use crate::config::Config;
use crate::goods::code::meanings;
use crate::goods::find::Sought;
use crate::goods::label::Pattern;
use crate::language::Text;
use crate::money::Currency;
use crate::sale::{Held, Quantity};
use crate::screen::{Found, GoodsMessage, ScreenMessage};
use crate::text::goods::fault;

/// So many products are listed at once.
const LISTED: usize = 100;

enum Job {
    Find {
        serial: u64,
        code: String,
    },
    Search {
        serial: u64,
        typed: String,
    },
    Keep(Vec<Held>),
    /// Whether the catalogue is there.
    Look,
}

/// The till's end of the thread. Dropped, it waits until what was put aside is written.
pub(super) struct Shelf {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Shelf {
    pub(super) fn start(
        config: &Config,
        report: UnboundedSender<ScreenMessage>,
    ) -> io::Result<Self> {
        let (sender, jobs) = channel();
        let keeper = Keeper {
            catalogue: catalogue::path(&config.journal.path),
            held: held::path(&config.journal.path),
            currency: config.till.currency,
            in_store: config.goods.in_store.clone(),
            report,
            is_there: false,
        };
        let work = move || keeper.work(&jobs);
        let thread = std::thread::Builder::new().name("goods".into()).spawn(work)?;
        Ok(Self { jobs: Some(sender), thread: Some(thread) })
    }

    pub(super) fn find(&self, serial: u64, code: String) {
        self.ask(Job::Find { serial, code });
    }

    pub(super) fn search(&self, serial: u64, typed: String) {
        self.ask(Job::Search { serial, typed });
    }

    pub(super) fn keep(&self, held: Vec<Held>) {
        self.ask(Job::Keep(held));
    }

    /// Looks whether there is a catalogue now.
    pub(super) fn look(&self) {
        self.ask(Job::Look);
    }

    fn ask(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // A thread that is gone answers nothing.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Keeper {
    catalogue: PathBuf,
    held: PathBuf,
    currency: Currency,
    in_store: Vec<Pattern>,
    report: UnboundedSender<ScreenMessage>,
    is_there: bool,
}

impl Keeper {
    fn work(mut self, jobs: &Receiver<Job>) {
        let held = held::read(&self.held, self.currency).map_err(|error| told(&error));
        self.tell(GoodsMessage::Held(held));
        while let Ok(job) = jobs.recv() {
            let mut waiting = vec![job];
            waiting.extend(jobs.try_iter());
            let last = waiting.iter().rposition(|job| matches!(job, Job::Search { .. }));
            for (index, job) in waiting.into_iter().enumerate() {
                // Of several searches the last one is meant.
                let is_old = matches!(job, Job::Search { .. }) && last != Some(index);
                if !is_old {
                    self.carry_out(job);
                }
            }
        }
    }

    fn carry_out(&mut self, job: Job) {
        match job {
            Job::Find { serial, code } => {
                let found = self.find(&code).unwrap_or_else(|error| Found::Failed(told(&error)));
                self.tell(GoodsMessage::Found { serial, found });
            }
            Job::Search { serial, typed } => {
                let listed = self.open().and_then(|catalogue| match catalogue {
                    Some(catalogue) => catalogue.search(&Sought::new(&typed), LISTED),
                    None => Ok((Vec::new(), 0)),
                });
                let listed = listed.map_err(|error| told(&error));
                self.tell(GoodsMessage::Listed { serial, listed });
            }
            Job::Keep(sales) => {
                let kept = held::write(&self.held, &sales, self.currency);
                let failed = |error| GoodsMessage::NotKept(told(&error));
                self.tell(kept.map_or_else(failed, |()| GoodsMessage::Kept));
            }
            Job::Look => {
                let is_there = self.catalogue.exists();
                if is_there != self.is_there {
                    self.is_there = is_there;
                    self.tell(GoodsMessage::Catalogue(is_there));
                }
            }
        }
    }

    fn open(&self) -> Result<Option<Catalogue>, CatalogueFault> {
        Catalogue::open(&self.catalogue, self.currency)
    }

    /// By its code, or by the number in a label of the scales.
    fn find(&self, code: &str) -> Result<Found, CatalogueFault> {
        let Some(catalogue) = self.open()? else { return Ok(Found::NoCatalogue(code.to_owned())) };
        if let Some(good) = catalogue.find_any(&meanings(code))? {
            return Ok(Found::Line(Box::new(good.line(Quantity::ONE)), false));
        }
        for label in self.in_store.iter().filter_map(|pattern| pattern.label(code)) {
            if let Some(good) = catalogue.find_any(&label.codes())? {
                return Ok(Found::Line(Box::new(label.line(good)), true));
            }
        }
        Ok(Found::Nothing(code.to_owned()))
    }

    fn tell(&self, message: GoodsMessage) {
        let _ = self.report.send(ScreenMessage::Goods(message));
    }
}

fn told(error: &CatalogueFault) -> Text {
    tracing::warn!(?error, "the goods cannot be used");
    fault(error)
}
