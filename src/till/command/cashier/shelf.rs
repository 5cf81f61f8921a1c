//! The catalogue and what was put aside, on a thread of their own: the screen never waits for the
//! disk. Whatever is asked is answered in its order, but that nothing waits for a search, which reads
//! the whole catalogue. That is opened anew each time, so that an import is seen at once.

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
    Search { serial: u64, typed: String },
    Quick(Quick),
}

/// What is done in a few reads.
enum Quick {
    Find {
        serial: u64,
        code: String,
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
        self.ask(Job::Quick(Quick::Find { serial, code }));
    }

    pub(super) fn search(&self, serial: u64, typed: String) {
        self.ask(Job::Search { serial, typed });
    }

    pub(super) fn keep(&self, held: Vec<Held>) {
        self.ask(Job::Quick(Quick::Keep(held)));
    }

    /// Looks whether there is a catalogue now.
    pub(super) fn look(&self) {
        self.ask(Job::Quick(Quick::Look));
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
        let mut next = None;
        while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
            match job {
                Job::Search { serial, typed } => next = self.search(serial, &typed, jobs),
                Job::Quick(job) => self.carry_out(job),
            }
        }
    }

    /// Searches, and does meanwhile what is quicker. Of several searches the last one is meant: if
    /// there is another, that is returned.
    fn search(&mut self, serial: u64, typed: &str, jobs: &Receiver<Job>) -> Option<Job> {
        let mut newer = None;
        let listed = self.open().and_then(|catalogue| match catalogue {
            Some(catalogue) => catalogue.search(&Sought::new(typed), LISTED, || {
                for job in jobs.try_iter() {
                    match job {
                        Job::Search { .. } => newer = Some(job),
                        Job::Quick(job) => self.carry_out(job),
                    }
                }
                newer.is_none()
            }),
            None => Ok(Some((Vec::new(), 0))),
        });
        if let Some(listed) = listed.map_err(|error| told(&error)).transpose() {
            self.tell(GoodsMessage::Listed { serial, listed });
        }
        newer
    }

    fn carry_out(&mut self, job: Quick) {
        match job {
            Quick::Find { serial, code } => {
                let found = self.find(&code).unwrap_or_else(|error| Found::Failed(told(&error)));
                self.tell(GoodsMessage::Found { serial, found });
            }
            Quick::Keep(sales) => {
                let kept = held::write(&self.held, &sales, self.currency);
                let failed = |error| GoodsMessage::NotKept(told(&error));
                self.tell(kept.map_or_else(failed, |()| GoodsMessage::Kept));
            }
            Quick::Look => {
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

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::goods::Good;
    use crate::money::Money;
    use crate::sale::Rate;

    #[test]
    fn a_scan_waits_for_no_search_and_of_several_searches_the_last_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let goods: Vec<Good> = (0..2000)
            .map(|number| Good {
                code: format!("{number:05}"),
                name: format!("Tea {number}"),
                unit: String::new(),
                price: Money::from_minor(100),
                rate: Rate::default(),
            })
            .collect();
        catalogue::write(&path("goods"), &goods, Currency::CNY).unwrap();
        let (report, mut answers) = unbounded_channel();
        let (sender, jobs) = channel();
        let keeper = Keeper {
            catalogue: path("goods"),
            held: path("held"),
            currency: Currency::CNY,
            in_store: Vec::new(),
            report,
            is_there: true,
        };
        let search = |serial, typed: &str| Job::Search { serial, typed: typed.into() };
        let find = |serial, code: &str| Job::Quick(Quick::Find { serial, code: code.into() });
        let asked =
            [search(1, "t"), find(2, "00007"), search(3, "te"), search(4, "tea"), find(5, "x")];
        for job in asked {
            sender.send(job).unwrap();
        }
        drop(sender);
        keeper.work(&jobs);
        let mut order = Vec::new();
        while let Ok(ScreenMessage::Goods(answer)) = answers.try_recv() {
            match answer {
                GoodsMessage::Found { serial, .. } => order.push((serial, 0)),
                GoodsMessage::Listed { serial, listed } => order.push((serial, listed.unwrap().1)),
                _ => {}
            }
        }
        assert_eq!(order, [(2, 0), (5, 0), (4, 2000)]);
    }
}
