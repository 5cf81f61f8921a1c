//! Reading in the journal, each time on a thread of its own: the screen never waits for the disk.

use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedSender;

use crate::both;
use crate::clock::{Date, TimeZone, Timestamp};
use crate::config::Config;
use crate::engine::{By, RefundStart};
use crate::find::{Findings, Wanted};
use crate::journal::{Filter, JournalError, JournalReader};
use crate::language::Text;
use crate::money::{Currency, Money};
use crate::order::OutTradeNo;
use crate::screen::{DayOrder, MoneyNews, ScreenMessage};
use crate::text::{journal, system};
use crate::till::{NotRefunded, read_refund};

/// The journal that this till holds, to read.
pub(super) struct Archive {
    path: PathBuf,
    key: Option<PathBuf>,
    zone: TimeZone,
    currency: Currency,
    report: UnboundedSender<ScreenMessage>,
    refunds: UnboundedSender<RefundRead>,
}

/// An order of which money is to be given back.
pub(super) type RefundRead = Result<RefundStart, NotRefunded>;

impl Archive {
    pub(super) fn new(
        config: &Config,
        report: UnboundedSender<ScreenMessage>,
        refunds: UnboundedSender<RefundRead>,
    ) -> Self {
        let (path, key) = (config.journal.path.clone(), config.journal.key_file.clone());
        let (zone, currency) = (config.store.time_zone.clone(), config.till.currency);
        Self { path, key, zone, currency, report, refunds }
    }

    /// Where what was read is reported.
    pub(super) fn reports(&self) -> UnboundedSender<ScreenMessage> {
        self.report.clone()
    }

    /// Begins a search, and reports what came of it.
    pub(super) fn search(&self, serial: u64, wanted: Wanted) {
        let zone = self.zone.clone();
        let search = move |reader: &JournalReader| Findings::of(reader, &wanted, &zone);
        self.begin("search", search, move |result| ScreenMessage::Found { serial, result });
    }

    /// Begins to read a day's orders, and reports them.
    pub(super) fn read_day(&self, date: Date) {
        let filter = Filter { day: Some(date.to_string()), ..Filter::default() };
        let currency = self.currency;
        let read = move |reader: &JournalReader| {
            let rows = reader.orders(&filter)?.into_iter();
            let of_day = rows.filter(|row| row.currency == currency).map(|row| DayOrder {
                out_trade_no: row.out_trade_no,
                status: row.state.status(),
                is_open: row.state.is_open(),
                amount: row.amount,
            });
            Ok(of_day.collect())
        };
        self.begin("day", read, move |orders: Result<_, Text>| ScreenMessage::DayRead {
            date,
            orders: orders.ok(),
        });
    }

    /// Begins to read what the shift has come to so far, and reports it.
    pub(super) fn read_shift(&self, now: Timestamp) {
        let zone = self.zone.clone();
        let read = move |reader: &JournalReader| Ok(Box::new(reader.shift(now, &zone)?));
        self.begin("shift", read, |news| ScreenMessage::Money(MoneyNews::ShiftRead(news)));
    }

    /// Begins to read what a refund takes, and hands it over.
    pub(super) fn read_refund(
        &self,
        order: OutTradeNo,
        (amount, reason, by): (Money, String, Option<By>),
    ) {
        let (path, key) = (self.path.clone(), self.key.clone());
        let refunds = self.refunds.clone();
        let work = move || {
            let reader = JournalReader::of_held(&path, key.as_deref());
            let start = reader.map_err(Into::into).and_then(|reader| read_refund(&reader, &order));
            let amount = Some(amount);
            let _ = refunds.send(start.map(|start| RefundStart { amount, reason, by, ..start }));
        };
        let thread = std::thread::Builder::new().name("refund".into()).spawn(work);
        if let Err(error) = thread {
            let why = both!("a thread", "线程").because(&system::text(&error));
            let _ = self.report.send(ScreenMessage::RefundNotRead(why));
        }
    }

    fn begin<T>(
        &self,
        name: &str,
        read: impl FnOnce(&JournalReader) -> Result<T, JournalError> + Send + 'static,
        message: impl Fn(Result<T, Text>) -> ScreenMessage + Clone + Send + 'static,
    ) {
        let (path, key) = (self.path.clone(), self.key.clone());
        let (report, tell) = (self.report.clone(), message.clone());
        let work = move || {
            let reader = JournalReader::of_held(&path, key.as_deref());
            let result = reader.and_then(|reader| read(&reader)).map_err(|error| {
                tracing::warn!(%error, "the journal could not be read for the screen");
                journal::text(&error)
            });
            let _ = report.send(tell(result));
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(work);
        if let Err(error) = thread {
            let what = both!("a thread", "线程");
            let _ = self.report.send(message(Err(what.because(&system::text(&error)))));
        }
    }
}
