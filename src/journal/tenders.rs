//! What a sale was paid with, where that is more than one order: its receipt says all of it.

use rusqlite::Connection;

use super::check::Check;
use super::read::{self, JournalReader, ORDER};
use super::{JournalError, OrderRow};
use paytill_core::money::Money;
use paytill_core::order::OutTradeNo;
use paytill_core::payment::Status;
use paytill_core::sale::tender::Cash;

/// An order and the paid ones of its sale.
pub(super) const WITH_TENDERS: &str = "SELECT id FROM attempt
     WHERE sale = (SELECT sale FROM attempt WHERE id = ?1) AND (status = 'paid' OR id = ?1)
     ORDER BY id";

/// A paid order of a sale.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tender {
    pub out_trade_no: OutTradeNo,
    pub amount: Money,
    /// If it was paid so.
    pub cash: Option<Cash>,
}

/// The paid orders of an order's sale, the oldest first; none if there is no other.
pub(super) fn of(db: &Connection, attempt: i64) -> Result<Vec<Tender>, JournalError> {
    let mut ids = db.prepare_cached(WITH_TENDERS)?;
    let ids: Vec<i64> = ids.query_map([attempt], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if ids == [attempt] {
        return Ok(Vec::new());
    }
    let mut one = db.prepare_cached(&format!("{ORDER} WHERE attempt.id = ?"))?;
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(one.query_and_then([id], read::order_row)?.next().transpose()?);
    }
    Ok(among(rows))
}

fn among(rows: Vec<OrderRow>) -> Vec<Tender> {
    let paid = rows.into_iter().filter(|row| row.state.status() == Status::Paid);
    let tender = |row: OrderRow| {
        let (out_trade_no, amount, cash) =
            (row.out_trade_no, row.amount, row.state.cash().copied());
        Tender { out_trade_no, amount, cash }
    };
    paid.map(tender).collect()
}

impl Check<'_> {
    /// Verifies an order and those that its sale was paid with.
    pub(super) fn with_tenders(&self, attempt: i64) -> Result<(), JournalError> {
        let mut ids = self.db.prepare_cached(WITH_TENDERS)?;
        let ids = ids.query_map([attempt], |row| row.get(0))?;
        let ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
        ids.into_iter().try_for_each(|id| self.order(id))
    }
}

impl JournalReader {
    /// The paid orders of a sale, the oldest first, if there are several, or another one than `order`.
    pub fn tenders(&self, sale: i64, order: &OutTradeNo) -> Result<Vec<Tender>, JournalError> {
        let tenders = among(self.orders_of(sale)?);
        let is_alone = tenders.iter().all(|tender| tender.out_trade_no == *order);
        Ok(if is_alone { Vec::new() } else { tenders })
    }
}
