//! What each format has added to the tables of the first, in a file of its own.

use rusqlite::Connection;

/// The oldest format that is still read.
pub(super) const OLDEST: i32 = 3;
/// The first format that has slips.
pub(super) const SLIPS: i32 = 4;
/// The first format that knows the sum of their seals.
pub(super) const SLIP_SUMS: i32 = 5;
/// The first format that has refunds, and the lines of a sale.
pub(super) const REFUNDS: i32 = 6;

const ADDED: [(i32, &str); 4] = [
    (SLIPS, include_str!("slips.sql")),
    (SLIP_SUMS, include_str!("slip_sums.sql")),
    (REFUNDS, include_str!("refunds.sql")),
    (REFUNDS, include_str!("lines.sql")),
];

/// Makes the tables that a format has and an earlier one has not.
pub(super) fn add(db: &Connection, earlier: i32, format: i32) -> rusqlite::Result<()> {
    let is_new = |since: i32| earlier < since && since <= format;
    let mut new = ADDED.into_iter().filter(|(since, _)| is_new(*since));
    new.try_for_each(|(_, sql)| db.execute_batch(sql))
}
