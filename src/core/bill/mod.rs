//! The gateway's bill of a day: read row by row, and held against what the till has written down.
//!
//! [`read`] takes the bytes as they come, plain or compressed, and hands out each [`Row`]; it keeps
//! one row and a few sums, however long the bill is. A bill is believed only as a whole: for this
//! merchant, of this day, complete, and with totals that are what its rows add up to. Until `read`
//! has returned without a fault, nothing of it counts. [`Comparison`] takes the rows and the orders
//! of the journal and says in what they differ.

mod amount;
mod columns;
pub mod compare;
mod fault;
mod lines;
mod reader;
mod row;
#[cfg(test)]
mod tests;
mod told;

pub use amount::Exact;
pub use compare::Comparison;
pub use fault::{Failure, Fault, RowFault};
pub use lines::decompressed;
pub use reader::{Expected, Extent, read};
pub use row::{BeijingTime, RefundState, Row, RowKind};

use crate::clock::{Date, TimeZone};

/// The zone in which the gateway's days begin and end.
pub fn beijing() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

/// For so many months the gateway gives the bill of a day (protocol 7.1).
const KEPT: i64 = 3;

/// Whether the gateway keeps no bill of that day any more; it would say that there is none, as of a day
/// without payments.
pub fn is_too_old(day: Date, today: Date) -> bool {
    today.checked_sub(jiff::Span::new().months(KEPT)).is_ok_and(|first| day < first)
}

/// When the bill of a day can be expected: at ten in the morning of the next, Beijing time.
pub fn ready_at(day: Date) -> Option<crate::clock::Timestamp> {
    let next = day.tomorrow().ok()?;
    crate::clock::Timestamp::from_beijing(&format!("{}100000", next.strftime("%Y%m%d")))
}
