//! What a start needs of earlier runs in order to continue.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, Row};

use super::key::Key;
use super::read::{currency, last_attempt, millis, number, wrong_type};
use super::{JournalError, StoredRequest, check, lines};
use paytill_core::clock::{Timestamp, Uptime};
use paytill_core::engine::{Recovered, StoredAttempt};
use paytill_core::money::Money;
use paytill_core::order::Order;
use paytill_core::sale::tender::Balance;

pub(super) const OPEN: &str =
    "SELECT attempt.id, sale, out_trade_no, amount, currency, request, boot, sent_at, age,
     created_at, updated_at, state
     FROM attempt JOIN sale ON sale.id = attempt.sale
     JOIN entry ON entry.seq = attempt.last_entry
     WHERE progress <> 'done' ORDER BY attempt.id";
pub(super) const LATEST: &str =
    "SELECT attempt.id, progress, status, sale, code_hash, out_trade_no, due, amount,
     channel = 'cash' AND EXISTS (SELECT 1 FROM entry WHERE entry.attempt = -attempt.id
         AND event LIKE '{\"act\":{\"CashReturned\"%')
     FROM attempt JOIN sale ON sale.id = attempt.sale
     WHERE attempt.id > ? ORDER BY attempt.id";

/// What a till needs in order to continue. It is checked, too.
pub(super) fn past(db: &Connection, key: &Key, path: &Path) -> Result<Recovered, JournalError> {
    let check = check::Check { db, key, path };
    let last_attempt = last_attempt(db)?;
    let last_sale = db.query_row("SELECT coalesce(max(id), 0) FROM sale", [], |row| row.get(0))?;
    let mut statement = db.prepare(OPEN)?;
    let mut open: Vec<StoredAttempt> =
        statement.query_and_then([], stored_attempt)?.collect::<Result<_, JournalError>>()?;
    for attempt in &mut open {
        check.order(attempt.id)?;
        attempt.sold = lines::of_sale(db, attempt.sale)?;
    }
    let (mut codes, mut sales) = (Vec::new(), Vec::new());
    let mut expected = (last_attempt - i64::from(Recovered::CODES_REMEMBERED)).max(0);
    let mut statement = db.prepare(LATEST)?;
    let mut rows = statement.query([expected])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        expected += 1;
        let is_done = row.get_ref(1)?.as_str().map_err(wrong_type)? == "done";
        // The index that leads to the open ones must not have lost one.
        let is_known = || open.binary_search_by_key(&id, |open| open.id).is_ok();
        if id != expected || !(is_done || is_known()) {
            return Err(check.misplaced(expected));
        }
        let is_paid = row.get_ref(2)?.as_str().map_err(wrong_type)? == "paid";
        let amounts = [row.get(6)?, row.get(7)?].map(Money::from_minor);
        remember(&mut sales, (id, row.get(3)?), amounts, is_paid, row.get(8)?);
        if let Some(hash) = row.get(4)? {
            codes.push((hash, number(row.get(5)?)?));
        }
    }
    let surplus = sales.len().saturating_sub(Recovered::SALES_REMEMBERED as usize);
    let is_wanted = |(at, sale): &(usize, Known)| *at >= surplus || sale.balance.is_partly_paid();
    let sales: Vec<Known> =
        sales.into_iter().enumerate().filter(is_wanted).map(|(_, sale)| sale).collect();
    // More will be taken of them.
    for sale in sales.iter().filter(|sale| sale.balance.is_partly_paid()) {
        check.order(sale.last_attempt)?;
    }
    let sales = sales.into_iter().map(|sale| (sale.id, sale.balance)).collect();
    Ok(Recovered { last_attempt, last_sale, open, sales, codes, ..Recovered::default() })
}

/// A sale, as far as its latest attempts tell.
struct Known {
    id: i64,
    last_attempt: i64,
    balance: Balance,
}

/// Takes in an attempt of a sale: the sale is the latest by that.
fn remember(
    sales: &mut Vec<Known>,
    (attempt, sale): (i64, i64),
    [due, amount]: [Money; 2],
    is_paid: bool,
    is_returned: bool,
) {
    let known = sales.iter().rposition(|known| known.id == sale).map(|at| sales.remove(at));
    let mut balance = known.map_or_else(|| Balance::new(due), |known| known.balance);
    if is_paid {
        balance.pay(amount);
    }
    if is_returned {
        balance.give_up();
    }
    sales.push(Known { id: sale, last_attempt: attempt, balance });
}

fn stored_attempt(row: &Row<'_>) -> Result<StoredAttempt, JournalError> {
    let request: StoredRequest =
        serde_json::from_str(row.get_ref(5)?.as_str().map_err(wrong_type)?)?;
    Ok(StoredAttempt {
        id: row.get(0)?,
        sale: row.get(1)?,
        order: Order {
            out_trade_no: number(row.get(2)?)?,
            amount: Money::from_minor(row.get(3)?),
            currency: currency(&row.get::<_, String>(4)?)?,
            merchant: request.merchant,
            body: request.body,
            device_info: request.device_info,
            client_ip: request.client_ip,
            mark: request.mark,
        },
        boot: row.get(6)?,
        sent_at: Uptime(millis(row.get(7)?).0),
        age: millis(row.get(8)?),
        created_at: Timestamp(row.get(9)?),
        updated_at: Timestamp(row.get(10)?),
        state: serde_json::from_str(row.get_ref(11)?.as_str().map_err(wrong_type)?)?,
        sold: Arc::default(),
    })
}
