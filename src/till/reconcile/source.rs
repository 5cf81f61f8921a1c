//! Where the bill comes from: a file, the gateway, or the merchant's backend.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Trouble, fault};
use crate::both;
use crate::clock::Date;
use crate::gateway::backend::Backend;
use crate::gateway::backend::bills::{BillPage, BillRow, BillState};
use crate::gateway::wechat::v2::bill::Refusal;
use crate::gateway::{Gateway as _, Stamp};
use crate::language::Text;
use crate::payment::{Inconclusive, Reason, TillCause};
use crate::text::{reason, reconcile as text};
use paytill_host::clock::Clock;
use paytill_host::gateway::Opened;
use paytill_host::gateway::bill::{self, BillFailure, BillFile, BillSource};
use paytill_host::random;
use paytill_host::transport::Transport;

/// How often the backend is asked while it fetches the bill; it holds each question for some seconds.
const ASKED: u32 = 120;
/// Between two questions, should it not hold them.
const PAUSE: Duration = Duration::from_secs(1);
/// More rows than a till can have in a day.
const MOST_ROWS: usize = 200_000;

/// Whom to ask for a bill.
pub enum BillGateway {
    Wechat(Box<Opened>),
    /// The merchant's backend has the account, and tells a till its own rows.
    Backend {
        codec: Arc<Backend>,
        transport: Box<Transport>,
    },
}

/// A bill.
pub enum Bill {
    File(File),
    /// This till's rows, as the backend told them.
    Rows(Vec<BillRow>),
}

/// What came.
pub enum Source {
    Bill(Bill),
    /// The gateway has none to give.
    Refused(Refusal),
}

impl From<BillSource> for Source {
    fn from(source: BillSource) -> Self {
        match source {
            BillSource::Bill(file) => Self::Bill(Bill::File(file)),
            BillSource::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

/// A bill that somebody has downloaded, or the gateway's refusal in its place.
pub fn open(path: &Path) -> Result<Source, Trouble> {
    let fault = |error: io::Error| {
        let trouble = fault(&text::not_read(path), &error);
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
                Trouble::Usage(trouble.text())
            }
            _ => trouble,
        }
    };
    // A pipe would wait for whoever writes.
    let metadata = fs::metadata(path).map_err(fault)?;
    if !metadata.is_file() {
        return Err(fault(io::ErrorKind::InvalidInput.into()));
    }
    bill::judge(File::open(path).map_err(fault)?).map(Source::from).map_err(fault)
}

/// Downloads the bill. A file is beside the journal while it is read, under no name and for nobody
/// else's eyes.
pub async fn download(
    gateway: &BillGateway,
    day: Date,
    journal: &Path,
    clock: &Clock,
) -> Result<Source, Trouble> {
    match gateway {
        BillGateway::Wechat(opened) => from_wechat(opened, day, journal, clock).await,
        BillGateway::Backend { codec, transport } => told(codec, transport, day, clock).await,
    }
}

async fn from_wechat(
    opened: &Opened,
    day: Date,
    journal: &Path,
    clock: &Clock,
) -> Result<Source, Trouble> {
    let mut path = journal.as_os_str().to_owned();
    path.push(format!(".bill-{}", std::process::id()));
    let path = PathBuf::from(path);
    let not_kept = |error: io::Error| fault(&text::not_kept(&path), &error);
    let file = BillFile::nameless(&path).map_err(not_kept)?;
    let Opened { codec, transport, merchant, .. } = opened;
    let gateway = bill::BillGateway { codec, transport, merchant };
    let source = bill::download(gateway, day, file, clock).await;
    source.map(Source::from).map_err(|failure| match failure {
        BillFailure::NoRoom => Trouble::Fault(text::no_room(&path)),
        BillFailure::Io(error) => not_kept(error),
        BillFailure::TooLarge => {
            not_downloaded(&text::fault(&crate::bill::Fault::TooLarge, "", day))
        }
        BillFailure::Altered => not_downloaded(&text::altered()),
        BillFailure::Line(why) => no_answer(&why),
    })
}

/// All pages of this till's rows.
async fn told(
    codec: &Backend,
    transport: &Transport,
    day: Date,
    clock: &Clock,
) -> Result<Source, Trouble> {
    let (mut rows, mut after, mut asked) = (Vec::new(), None::<String>, 0);
    loop {
        let page = page(codec, transport, (day, after.as_deref()), clock).await;
        let page = page.map_err(|what| no_answer(what.reason()))?;
        let refusal = match BillState::from_word(&page.state) {
            Some(BillState::Ready) => {
                rows.extend(page.rows);
                let is_growing = after.as_ref() != page.next.as_ref() && rows.len() <= MOST_ROWS;
                if let Some(next) = page.next.filter(|_| is_growing) {
                    after = Some(next);
                    continue;
                }
                // Between two pages it may have become another one.
                if rows.len() as u64 != page.total {
                    return Err(not_downloaded(&both!(
                        "it changed meanwhile: try again",
                        "期间账单有变化：请重试"
                    )));
                }
                return Ok(Source::Bill(Bill::Rows(rows)));
            }
            Some(BillState::Fetching) if asked < ASKED => {
                asked += 1;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Some(BillState::Fetching | BillState::Creating) => Refusal::Creating,
            Some(BillState::None) => Refusal::NoBill,
            Some(BillState::Busy) => Refusal::Busy(page.text),
            Some(BillState::Refused) => Refusal::Refused(page.text),
            // A word of a newer backend.
            None => Refusal::Busy(page.state),
        };
        return Ok(Source::Refused(refusal));
    }
}

async fn page(
    codec: &Backend,
    transport: &Transport,
    (day, after): (Date, Option<&str>),
    clock: &Clock,
) -> Result<BillPage, Inconclusive> {
    let no_nonce = || Inconclusive::NotSent(TillCause::NoRandomness.into());
    let nonce = random::nonce().ok_or_else(no_nonce)?;
    let stamp = Stamp { time: clock.wall(), nonce };
    let outgoing = codec.encode_bill(day, after, &stamp);
    let mut reply = transport.ask(&outgoing, clock.uptime()).await?;
    codec.receive(&stamp, &mut reply);
    codec.decode_bill(&reply)
}

fn no_answer(why: &Reason) -> Trouble {
    not_downloaded(&Text::each(|language| reason::cause_sentence(why, language)))
}

fn not_downloaded(why: &Text) -> Trouble {
    Trouble::Fault(text::not_downloaded().because(why))
}
