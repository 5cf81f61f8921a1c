//! A bill against the books of all tills, by the code with which a till does it.

use std::sync::Arc;

use paytill_core::bill::compare::{Cause, Difference, Here, Outcome, OwnOrder, Side};
use paytill_core::bill::{Comparison, Failure, beijing, read};
use paytill_core::clock::{self, Date, Millis, Timestamp};
use paytill_core::gateway::backend::bills::BillState;
use paytill_core::language::Text;
use paytill_core::order::{OutTradeNo, TillId};
use paytill_core::refund::RefundStatus;
use paytill_core::text::{bill as text, system};

use super::{Bills, NoBill, failed};
use crate::store::{BillDifference, BillRow, BillSide, PaymentKey, PaymentRow, Store, StoreError};

/// So many rows are read at once.
const PAGE: i64 = 500;
/// So many differences are written down; of more, only how many.
const LISTED: usize = 500;
/// A customer may pay after midnight, and clocks differ.
const AROUND: Millis = Millis::seconds(86_400);
/// A refund that began so long before a bill may be in it.
const REFUNDS_BEFORE: Millis = Millis::seconds(31 * 86_400);

/// What came of it.
#[derive(Debug)]
pub struct Compared {
    /// As it is written down.
    pub row: BillRow,
    pub outcome: Outcome,
    /// Of a day on which nothing happened there is none.
    pub has_bill: bool,
}

/// Why nothing was compared.
#[derive(Debug)]
pub enum NotCompared {
    Bill(NoBill),
    Books(StoreError),
}

impl NotCompared {
    /// The sentence for people.
    pub fn text(&self) -> Text {
        match self {
            Self::Bill(NoBill { why, .. }) => why.clone(),
            Self::Books(error) => error.sentence(),
        }
    }
}

impl From<StoreError> for NotCompared {
    fn from(error: StoreError) -> Self {
        Self::Books(error)
    }
}

impl Compared {
    /// The orders that are open here, and whether the bill has each.
    pub(super) fn open(&self) -> impl Iterator<Item = (OutTradeNo, bool)> {
        self.outcome.differences.iter().filter_map(|found| {
            let listed = match found.cause {
                Cause::OpenPaid | Cause::OpenReturned => true,
                Cause::OpenNotInBill => false,
                _ => return None,
            };
            Some((OutTradeNo::try_from(found.order_no.clone()).ok()?, listed))
        })
    }
}

impl Bills {
    /// Holds the bill of a day against the books, and writes down what came of it.
    pub async fn compare(self: &Arc<Self>, day: Date) -> Result<Compared, NotCompared> {
        let file = match self.fetched(day, true).await {
            Ok(file) => Some(file),
            Err(NoBill { state: BillState::None, .. }) => None,
            Err(why) => return Err(NotCompared::Bill(why)),
        };
        let (store, merchant) = (self.work.store().clone(), self.work.merchant().to_owned());
        let mut comparison = self.books_of(day).await?;
        let expected = self.expected(day);
        let has_bill = file.is_some();
        let runtime = tokio::runtime::Handle::current();
        let compared = tokio::task::spawn_blocking(move || {
            let look_up = |number: &str| runtime.block_on(looked_up(&store, &merchant, number));
            let extent = file.map(|mut file| {
                use std::io::Seek as _;
                file.rewind().map_err(Failure::Io)?;
                read(&file, &expected, |row| comparison.row(row, look_up))
            });
            let rows = match extent.transpose() {
                Ok(extent) => extent.unwrap_or_default().rows,
                Err(Failure::Stopped(error)) => return Err(NotCompared::Books(error)),
                Err(Failure::Io(error)) => return Err(unread(system::text(&error))),
                Err(Failure::Fault(fault)) => {
                    return Err(unread(text::fault(&fault, &expected.merchant.mch_id, day)));
                }
            };
            Ok((rows, comparison.finish()))
        });
        let (rows, outcome) = compared.await.unwrap_or_else(|_| Err(unread(failed())))?;
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let row = BillRow {
            day,
            compared_at: self.work.now(),
            bill_rows: count(rows),
            matched: count(outcome.matched),
            differ: count(outcome.differ()),
            differences: outcome.differences.iter().take(LISTED).map(written).collect(),
        };
        self.work.store().write_bill(self.work.merchant(), &row).await?;
        tracing::info!(%day, rows, differ = row.differ, "a bill was held against the books");
        Ok(Compared { row, outcome, has_bill })
    }

    /// What the books have about a day.
    async fn books_of(&self, day: Date) -> Result<Comparison, StoreError> {
        let (store, merchant) = (self.work.store(), self.work.merchant());
        let begins = |day: Date| clock::begins(day, &beijing()).unwrap_or(Timestamp(i64::MAX));
        let before = |at: Timestamp, by: Millis| Timestamp(at.0.saturating_sub_unsigned(by.0));
        let from = begins(day);
        let until = day.tomorrow().map_or(Timestamp(i64::MAX), begins).after(AROUND);
        let tills = store.tills(merchant).await?;
        let tills = tills.iter().filter_map(|till| TillId::new(&till.till)).collect();
        let mut comparison = Comparison::new(day, tills, self.work.parts.desk.currency);
        let mut after = (before(from, AROUND), String::new());
        loop {
            let rows = store.payments_after(merchant, until, after.clone(), PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = (last.created_at, last.order.out_trade_no.to_string());
            for row in &rows {
                comparison.expect(own_order(row));
            }
        }
        let mut after = (before(from, REFUNDS_BEFORE), String::new());
        loop {
            let refunds = store.refunds_after(merchant, until, after.clone(), PAGE).await?;
            let Some((began, last, _)) = refunds.last() else { break };
            after = (*began, last.refund_no.clone());
            for (_, refund, status) in refunds {
                if status != RefundStatus::Refused {
                    comparison.expect_refund(refund);
                }
            }
        }
        Ok(comparison)
    }
}

fn unread(why: Text) -> NotCompared {
    NotCompared::Bill(NoBill { state: BillState::Busy, why })
}

async fn looked_up(
    store: &Store,
    merchant: &str,
    number: &str,
) -> Result<Option<OwnOrder>, StoreError> {
    let Ok(out_trade_no) = OutTradeNo::try_from(number.to_owned()) else { return Ok(None) };
    let key = PaymentKey { merchant: merchant.to_owned(), out_trade_no };
    Ok(store.payment(key).await?.as_ref().map(own_order))
}

fn own_order(row: &PaymentRow) -> OwnOrder {
    OwnOrder {
        here: Here::of(&row.state),
        status: row.state.status(),
        number: row.order.out_trade_no.to_string(),
        amount: row.order.amount,
        currency: row.order.currency,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn written(found: &Difference) -> BillDifference {
    let side = |side: &Side| BillSide {
        state: side.state.to_owned(),
        amount: side.amount.minor(),
        currency: side.currency.code().to_owned(),
    };
    BillDifference {
        cause: found.cause,
        order_no: found.order_no.clone(),
        refund_no: found.refund_no.clone(),
        transaction_id: found.transaction_id.clone(),
        here: found.here.as_ref().map(side),
        bill: found.bill.as_ref().map(side),
        at: found.at,
    }
}
