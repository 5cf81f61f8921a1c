//! Orders by what a customer shows or remembers, and what the gateway's answer about one means: for
//! `paytill find`, and for the page of the cashier's screen.

mod verdict;
mod wanted;

use crate::clock::TimeZone;
use crate::journal::{
    Filter, JournalError, JournalReader, OrderRow, RefundRow, StoredEntry, given_back,
    is_cash_returned,
};
use crate::money::Money;
use crate::order::{Order, OutTradeNo};

pub use verdict::{GivenBack, Told, Why, by_journal, order_of, verdict, whose};
pub use wanted::{Terms, Wanted};

/// How many orders are listed, and among how many of the latest they are looked for where there is
/// no index.
pub const LISTED: u32 = 20;
const AMONG: u32 = 5_000;

/// What fits, newest first; a single one with everything about it.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub rows: Vec<OrderRow>,
    pub file: Option<Box<OrderFile>>,
}

/// Everything that the journal has of an order.
#[derive(Clone, Debug)]
pub struct OrderFile {
    pub row: OrderRow,
    /// As the gateway was told of it.
    pub order: Order,
    /// Oldest first.
    pub entries: Vec<StoredEntry>,
    /// Oldest first.
    pub refunds: Vec<RefundRow>,
}

impl OrderFile {
    /// How much of it went back, by this journal.
    pub fn given_back(&self) -> Money {
        if is_cash_returned(&self.entries) {
            return self.row.amount;
        }
        given_back(&self.refunds)
    }

    /// Its verdict, if nobody is asked about it.
    pub fn without_asking(&self) -> Option<Told> {
        Told::without_asking(&OrderRow { refunded: self.given_back(), ..self.row.clone() })
    }
}

impl Findings {
    /// Looks for it in the journal.
    pub fn of(
        reader: &JournalReader,
        wanted: &Wanted,
        zone: &TimeZone,
    ) -> Result<Self, JournalError> {
        let rows = search(reader, wanted, zone)?;
        let only = rows.first().filter(|_| rows.len() == 1 && *wanted != Wanted::default());
        let file = match only {
            Some(row) => Some(Box::new(OrderFile {
                row: row.clone(),
                order: reader.request(row.attempt)?,
                entries: reader.entries(row.attempt)?,
                refunds: reader.refunds(row.attempt)?,
            })),
            None => None,
        };
        Ok(Self { rows, file })
    }
}

/// The orders that fit in any way, newest first, each once.
pub fn search(
    reader: &JournalReader,
    wanted: &Wanted,
    zone: &TimeZone,
) -> Result<Vec<OrderRow>, JournalError> {
    let latest = Filter { limit: Some(LISTED), ..Filter::default() };
    if *wanted == Wanted::default() {
        return reader.orders(&latest);
    }
    if let Some(row) = by_number(reader, wanted.number.as_ref())? {
        return Ok(vec![row]);
    }
    let mut rows = Vec::new();
    if let Some(tail) = &wanted.tail {
        rows.extend(reader.ending(tail, LISTED)?);
    }
    if let Some(number) = wanted.transaction.as_ref().filter(|_| rows.is_empty()) {
        rows.extend(reader.with_transaction(number)?);
    }
    if wanted.status.is_some() {
        rows.extend(reader.orders(&Filter { status: wanted.status, ..latest })?);
    }
    if wanted.amount.is_some() || wanted.time.is_some() {
        let limit = usize::try_from(LISTED).unwrap_or(usize::MAX);
        rows.extend(reader.latest(AMONG, limit, |row| wanted.fits(row, zone))?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.attempt));
    rows.dedup_by_key(|row| row.attempt);
    rows.truncate(usize::try_from(LISTED).unwrap_or(usize::MAX));
    Ok(rows)
}

fn by_number(
    reader: &JournalReader,
    number: Option<&OutTradeNo>,
) -> Result<Option<OrderRow>, JournalError> {
    number.map_or(Ok(None), |number| reader.order(number.as_str()))
}
