//! The gateway's bill of a day: fetched once and kept beside the books, told to each till as far as it is
//! its own, and held against the books.
//!
//! A bill is kept as it came and read anew for every use: it is believed only as a whole. What is kept
//! before the gateway gives the final one, such as that of today, is fetched again.

mod compared;
mod kept;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};

use paytill_core::bill::{Expected, Failure, beijing, is_too_old, read, ready_at};
use paytill_core::both;
use paytill_core::clock::{Date, TimeZone};
use paytill_core::gateway::backend::bills::{BillPage, BillState, ROWS};
use paytill_core::gateway::wechat::v2::bill::Refusal;
use paytill_core::language::{Language, Text};
use paytill_core::order::{OutTradeNo, TillId};
use paytill_core::payment::Event;
use paytill_core::text::{bill as text, reason, system};
use paytill_host::gateway::Codec;
use paytill_host::gateway::bill::{self, BillFailure, BillFile, BillGateway, BillSource};

use super::Work;
use crate::store::PaymentKey;

pub use compared::{Compared, NotCompared};

/// So long a till's question is held open while the bill is fetched.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many wait at once for a bill that is fetched.
const WAITING: usize = 16;
/// So many bills are read at once.
const READING: usize = 2;
/// How often it is looked whether the bill of yesterday is due.
const BEAT: Duration = Duration::from_mins(10);
/// From this hour on, where the shops are.
const FROM_HOUR: i8 = 10;
/// So many days back a bill is made up for.
const DAYS_BACK: usize = 3;

/// The bills of a merchant.
pub struct Bills {
    work: Arc<Work>,
    codec: Codec,
    folder: PathBuf,
    /// Whoever fetches one holds it.
    fetching: Mutex<()>,
    waiting: Semaphore,
    reading: Semaphore,
}

/// Why there is no bill, or that there is none because nothing happened.
#[derive(Clone, Debug)]
pub struct NoBill {
    pub state: BillState,
    pub why: Text,
}

impl NoBill {
    fn busy(why: Text) -> Self {
        Self { state: BillState::Busy, why }
    }
}

impl Bills {
    /// Nothing is fetched before it is asked for. `folder`: where they are kept.
    pub fn new(work: Arc<Work>, codec: Codec, folder: PathBuf) -> Arc<Self> {
        let (waiting, reading) = (Semaphore::new(WAITING), Semaphore::new(READING));
        Arc::new(Self { work, codec, folder, fetching: Mutex::default(), waiting, reading })
    }

    /// A page of a till's own rows, behind the first `after` of them.
    pub async fn page(self: &Arc<Self>, day: Date, till: TillId, after: usize) -> BillPage {
        let told = |state: BillState, text: &str| BillPage {
            date: day.to_string(),
            state: state.word().to_owned(),
            text: text.to_owned(),
            ..BillPage::default()
        };
        let said = |state, why: &Text| told(state, why.in_language(Language::English));
        let bills = Arc::clone(self);
        let fetched = tokio::spawn(async move {
            let _waits = bills.waiting.try_acquire().ok()?;
            Some(bills.fetched(day, after == 0).await)
        });
        let fetched = match tokio::time::timeout(PATIENCE, fetched).await {
            Ok(Ok(Some(fetched))) => fetched,
            // Somebody fetches it meanwhile.
            Err(_) | Ok(Ok(None)) => return told(BillState::Fetching, ""),
            Ok(Err(_)) => return said(BillState::Busy, &failed()),
        };
        let file = match fetched {
            Ok(file) => file,
            Err(NoBill { state, why }) => return said(state, &why),
        };
        let Ok(_turn) = self.reading.acquire().await else {
            return said(BillState::Busy, &failed());
        };
        let expected = self.expected(day);
        let read = tokio::task::spawn_blocking(move || page_of(&file, &expected, &till, after));
        match read.await {
            Ok(Ok(page)) => page,
            Ok(Err(why)) => said(BillState::Busy, &why),
            Err(_) => said(BillState::Busy, &failed()),
        }
    }

    /// The bill of a day; `anew`: not one that was not final when it was kept.
    async fn fetched(&self, day: Date, anew: bool) -> Result<File, NoBill> {
        let work = &self.work;
        let today = work.now().day(&beijing());
        if is_too_old(day, today) {
            let why = both!(
                "WeChat Pay gives bills for three months only",
                "微信支付只提供最近三个月的账单"
            );
            return Err(NoBill { state: BillState::Refused, why });
        }
        let _fetching = self.fetching.lock().await;
        if let Some(file) = kept::open(&self.folder, day, anew) {
            return Ok(file);
        }
        self.fetch(day).await
    }

    async fn fetch(&self, day: Date) -> Result<File, NoBill> {
        let unkept = |error: std::io::Error| {
            let what = both!("the bill cannot be kept", "账单无法保存");
            NoBill::busy(what.because(&system::text(&error)))
        };
        let parts = &self.work.parts;
        let path = kept::begin(&self.folder).map_err(unkept)?;
        let file = BillFile::create(&path).map_err(unkept)?;
        let gateway = BillGateway {
            codec: &self.codec,
            transport: &parts.transport,
            merchant: &parts.desk.merchant,
        };
        let source = bill::download(gateway, day, file, &parts.clock).await;
        let result = match source {
            Ok(BillSource::Bill(file)) => self.checked(day, file).await,
            Ok(BillSource::Refused(refusal)) => Err(self.refused(day, refusal)),
            Err(failure) => Err(NoBill::busy(text::not_downloaded().because(&why(failure, day)))),
        };
        let result = result.and_then(|file| {
            kept::keep(&self.folder, &path, day).map_err(unkept)?;
            Ok(file)
        });
        if let Err(NoBill { state, why }) = &result {
            let why = why.in_language(Language::English);
            tracing::warn!(%day, state = state.word(), why, "no bill");
            kept::drop_part(&path);
        }
        result
    }

    /// Reads it once from beginning to end: what is kept can be used.
    async fn checked(&self, day: Date, file: File) -> Result<File, NoBill> {
        let expected = self.expected(day);
        let checked =
            tokio::task::spawn_blocking(move || each_row(&file, &expected, |_| {}).map(|_| file));
        checked.await.unwrap_or_else(|_| Err(failed())).map_err(NoBill::busy)
    }

    fn refused(&self, day: Date, refusal: Refusal) -> NoBill {
        match refusal {
            // Before that time it may still come.
            Refusal::NoBill if ready_at(day).is_some_and(|at| at <= self.work.now()) => NoBill {
                state: BillState::None,
                why: both!(
                    "nothing was paid and nothing refunded on that day",
                    "当天没有收款，也没有退款"
                ),
            },
            Refusal::NoBill | Refusal::Creating => {
                NoBill { state: BillState::Creating, why: text::not_ready(day) }
            }
            Refusal::Busy(said) => NoBill::busy(both!("{said}", "{said}")),
            Refusal::Refused(said) => {
                NoBill { state: BillState::Refused, why: both!("{said}", "{said}") }
            }
        }
    }

    fn expected(&self, day: Date) -> Expected {
        Expected { merchant: self.work.parts.desk.merchant.clone(), day }
    }

    /// Holds the bill of every day against the books, for ever, once it can be expected where the shops
    /// are. What is open here and in the bill is asked about.
    pub async fn daily(self: Arc<Self>, zone: TimeZone) {
        loop {
            if let Err(error) = self.due(&zone).await {
                tracing::error!(%error, "it cannot be seen which bills are due");
            }
            tokio::time::sleep(BEAT).await;
        }
    }

    async fn due(self: &Arc<Self>, zone: &TimeZone) -> Result<(), crate::store::StoreError> {
        let now = self.work.now();
        let is_morning = now.local("%H", zone).parse::<i8>().is_ok_and(|hour| hour >= FROM_HOUR);
        let mut day = now.day(&beijing());
        for _ in 0..DAYS_BACK {
            let Ok(before) = day.yesterday() else { break };
            day = before;
            let is_ready = ready_at(day).is_some_and(|at| at <= now);
            let known = self.work.store().bills(self.work.merchant(), day, 1_000).await?;
            if !is_morning || !is_ready || known.iter().any(|row| row.day == day) {
                continue;
            }
            match self.compare(day).await {
                Ok(compared) => self.ask(day, &compared).await,
                Err(why) => {
                    let why = why.text();
                    let why = why.in_language(Language::English);
                    tracing::warn!(%day, why, "a bill was not held against the books");
                }
            }
        }
        Ok(())
    }

    /// A bill is not signed; what settles an order is the answer.
    async fn ask(&self, day: Date, compared: &Compared) {
        for (number, listed) in compared.open() {
            let key: PaymentKey = self.work.key(&number);
            let asked = self.work.happened(key, Event::Billed { day, listed }, Vec::new()).await;
            if let Err(error) = asked {
                tracing::error!(out_trade_no = number.as_str(), %error, "not asked about");
            }
        }
    }
}

fn failed() -> Text {
    both!("it could not be read", "无法读取账单")
}

fn why(failure: BillFailure, day: Date) -> Text {
    match failure {
        BillFailure::Line(why) => Text::each(|language| reason::cause_sentence(&why, language)),
        BillFailure::TooLarge => text::fault(&paytill_core::bill::Fault::TooLarge, "", day),
        BillFailure::Altered => text::altered(),
        BillFailure::NoRoom => both!("there is too little room on the disk", "磁盘空间不足"),
        BillFailure::Io(error) => system::text(&error),
    }
}

/// Reads a bill to its end; why it cannot be believed.
fn each_row(
    mut file: &File,
    expected: &Expected,
    mut each: impl FnMut(&paytill_core::bill::Row<'_>),
) -> Result<u64, Text> {
    use std::io::Seek as _;
    file.rewind().map_err(|error| system::text(&error))?;
    let extent = read(file, expected, |row| {
        each(row);
        Ok::<_, std::convert::Infallible>(())
    });
    extent.map(|extent| extent.rows).map_err(|failure| match failure {
        Failure::Fault(fault) => text::fault(&fault, &expected.merchant.mch_id, expected.day),
        Failure::Io(error) => system::text(&error),
        Failure::Stopped(never) => match never {},
    })
}

/// The rows of one till, and of no other.
fn page_of(
    file: &File,
    expected: &Expected,
    till: &TillId,
    after: usize,
) -> Result<BillPage, Text> {
    let (mut rows, mut total) = (Vec::new(), 0_usize);
    each_row(file, expected, |row| {
        let number = OutTradeNo::try_from(row.order_no.clone().into_owned());
        if !number.is_ok_and(|number| number.is_of(till)) {
            return;
        }
        if total >= after && rows.len() < ROWS {
            rows.push(row.told());
        }
        total += 1;
    })?;
    let end = after.saturating_add(rows.len());
    Ok(BillPage {
        date: expected.day.to_string(),
        state: BillState::Ready.word().to_owned(),
        text: String::new(),
        rows,
        total: total as u64,
        next: (end < total).then(|| end.to_string()),
    })
}
