//! The gateway's bill of a day held against the journal, for `paytill reconcile` and for the page of
//! the cashier's screen. It reads and changes nothing, also beside a till that sells.

mod source;

use std::fs::File;
use std::io::{self, Seek as _};
use std::path::Path;

use crate::bill::compare::{Here, Outcome, OwnOrder, OwnRefund};
use crate::bill::{
    Comparison, Expected, Extent, Failure as NotRead, Row, beijing, is_too_old, read, ready_at,
};
use crate::both;
use crate::clock::{Date, Timestamp};
use crate::gateway::wechat::v2::bill::Refusal;
use crate::journal::{BegunRefund, Filter, JournalError, JournalReader, OrderRow};
use crate::language::Text;
use crate::money::Currency;
use crate::order::TillId;
use crate::refund::RefundStatus;
use crate::text::{journal, reconcile as text, system};

pub use source::{Bill, BillGateway, Source, download, open};

/// A refund that was begun so many days before a bill may be in it.
const REFUNDS_BEFORE: i64 = 31;

/// What was read, and what came of it.
#[derive(Debug)]
pub struct Reconciled {
    /// By Beijing's calendar.
    pub day: Date,
    /// Whether there is a bill: of a day on which nothing happened there is none.
    pub has_bill: bool,
    pub extent: Extent,
    pub outcome: Outcome,
    /// How many open orders the gateway was asked about, and how many have ended by it.
    pub asked: usize,
    pub settled: usize,
}

/// Why nothing was compared.
#[derive(Debug)]
pub enum Trouble {
    /// What was asked for cannot be.
    Usage(Text),
    /// The route to the gateway is none.
    Configuration(Text),
    Journal(JournalError),
    Fault(Text),
}

impl Trouble {
    /// In words.
    pub fn text(self) -> Text {
        match self {
            Self::Usage(text) | Self::Configuration(text) | Self::Fault(text) => text,
            Self::Journal(error) => journal::text(&error),
        }
    }
}

impl From<JournalError> for Trouble {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

fn fault(what: &Text, error: &io::Error) -> Trouble {
    Trouble::Fault(what.because(&system::text(error)))
}

/// Whether the gateway may have a bill of that day: it would say that there is none, as of a day
/// without payments.
pub fn may_be_asked(day: Date, now: Timestamp) -> Result<(), Trouble> {
    let today = now.day(&beijing());
    if day > today {
        return Err(Trouble::Usage(text::in_the_future(day)));
    }
    if is_too_old(day, today) {
        return Err(Trouble::Usage(text::too_old(day)));
    }
    Ok(())
}

/// The bill; `None` if there is none because nothing happened on that day.
pub fn bill_of(source: Source, day: Date, now: Timestamp) -> Result<Option<Bill>, Trouble> {
    let why = match source {
        Source::Bill(bill) => return Ok(Some(bill)),
        // Before that time it may still come.
        Source::Refused(Refusal::NoBill) if ready_at(day).is_none_or(|at| now < at) => {
            text::not_ready(day)
        }
        Source::Refused(Refusal::NoBill) => return Ok(None),
        Source::Refused(Refusal::Creating) => text::not_ready(day),
        Source::Refused(Refusal::Busy(said)) => text::busy(&said),
        Source::Refused(Refusal::Refused(said)) => text::refused(&said),
    };
    Err(Trouble::Fault(why))
}

/// The bill, or none if nothing happened on that day, against what the journal has of it.
pub fn compare(
    bill: Option<&Bill>,
    expected: &Expected,
    (till, currency): (TillId, Currency),
    reader: Option<&JournalReader>,
) -> Result<Reconciled, Trouble> {
    let day = expected.day;
    let mut comparison = Comparison::new(day, vec![till], currency);
    if let Some(reader) = reader {
        orders_about(reader, day, |order| comparison.expect(order))?;
        refunds_about(reader, day, |refund| comparison.expect_refund(refund))?;
    }
    let look_up = |number: &str| -> Result<Option<OwnOrder>, JournalError> {
        let Some(reader) = reader else { return Ok(None) };
        Ok(reader.order(number)?.map(own_order))
    };
    let extent = match bill {
        None => Extent::default(),
        Some(Bill::Rows(rows)) => {
            for (told, line) in rows.iter().zip(1..) {
                let row = Row::of_told(told, line).ok_or_else(|| not_understood(line))?;
                comparison.row(&row, look_up)?;
            }
            Extent { rows: rows.len() as u64, of_others: 0 }
        }
        Some(Bill::File(file)) => {
            let mut file: &File = file;
            let rewound = file.rewind();
            rewound.map_err(|error| fault(&text::not_read(Path::new("-")), &error))?;
            let read = read(file, expected, |row| comparison.row(row, look_up));
            read.map_err(|failure| match failure {
                NotRead::Fault(fault) => {
                    let merchant = expected.merchant.mch_id.as_str();
                    Trouble::Fault(text::fault(&fault, merchant, day))
                }
                NotRead::Io(error) => fault(&text::not_read(Path::new("-")), &error),
                NotRead::Stopped(error) => error.into(),
            })?
        }
    };
    let (has_bill, outcome) = (bill.is_some(), comparison.finish());
    Ok(Reconciled { day, has_bill, extent, outcome, asked: 0, settled: 0 })
}

/// What the backend tells of a bill is of a newer kind than this till knows, or nonsense.
fn not_understood(line: u64) -> Trouble {
    let why = both!("row {line} of it is not understood", "第 {line} 行无法识别");
    Trouble::Fault(text::not_downloaded().because(&why))
}

/// The journal's orders that may have been paid on that day in Beijing: the shop's own day may begin
/// half a day earlier or later, and a customer may pay after midnight.
fn orders_about(
    reader: &JournalReader,
    day: Date,
    mut take: impl FnMut(OwnOrder),
) -> Result<(), JournalError> {
    for day in [day.yesterday().ok(), Some(day), day.tomorrow().ok()].into_iter().flatten() {
        let filter = Filter { day: Some(day.to_string()), ..Filter::default() };
        // No bill has what was paid in cash.
        let orders = reader.orders(&filter)?.into_iter().filter(|row| row.state.cash().is_none());
        orders.map(own_order).for_each(&mut take);
    }
    Ok(())
}

/// The journal's refunds that may be in that day's bill: the gateway may take its time, and what was
/// refused is in none.
fn refunds_about(
    reader: &JournalReader,
    day: Date,
    mut take: impl FnMut(OwnRefund),
) -> Result<(), JournalError> {
    let first = day.checked_sub(jiff::Span::new().days(REFUNDS_BEFORE)).unwrap_or(day);
    let last = day.tomorrow().unwrap_or(day);
    for refund in reader.refunds_begun(&first.to_string(), &last.to_string())? {
        let BegunRefund { out_trade_no, refund: row, accepted_at } = refund;
        // No gateway hears of cash.
        if row.state.status() != RefundStatus::Refused && !row.state.is_cash() {
            take(OwnRefund {
                order_no: out_trade_no.into(),
                refund_no: row.out_refund_no.into(),
                amount: row.amount,
                accepted_at,
            });
        }
    }
    Ok(())
}

fn own_order(row: OrderRow) -> OwnOrder {
    OwnOrder {
        here: Here::of(&row.state),
        status: row.state.status(),
        number: row.out_trade_no.into(),
        amount: row.amount,
        currency: row.currency,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
