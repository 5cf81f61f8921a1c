//! Why a text is not the bill that was asked for.

use std::io;

/// What is wrong with it. Lines count from 1. All texts in it are clean.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Not a byte.
    Empty,
    /// A web page, such as a network's log-in page; its first words.
    Page(String),
    /// A message of the gateway in place of the bill.
    Message,
    /// A ZIP archive, which an Excel file is, too.
    Archive,
    /// Not UTF-8.
    NotUtf8 {
        line: u64,
    },
    /// The gateway's other kind of bill, of the account's movements.
    FundFlow,
    /// Something else; its first words.
    NotABill(String),
    MissingColumn(&'static str),
    Row {
        line: u64,
        what: RowFault,
    },
    TooLong {
        line: u64,
    },
    /// Larger than any bill, or inflated so.
    TooLarge,
    /// The compressed file is damaged.
    Damaged,
    /// It ends before its totals.
    Truncated {
        rows: u64,
    },
    /// There is more behind the totals.
    AfterTotals {
        line: u64,
    },
    OtherMerchant {
        line: u64,
        found: String,
    },
    /// Payments of a day that was not asked for, `YYYY-MM-DD`.
    OtherDay {
        line: u64,
        found: String,
    },
    /// The totals at the end are not what the rows add up to.
    Totals {
        name: String,
        said: String,
        summed: String,
    },
}

/// What is wrong with a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RowFault {
    /// It has another number of values than there are columns.
    Columns { found: usize, expected: usize },
    /// A value that its column cannot have.
    Value { column: &'static str, value: String },
}

/// Why a bill was not read to its end.
#[derive(Debug)]
pub enum Failure<E> {
    Fault(Fault),
    Io(io::Error),
    /// By whoever took the rows.
    Stopped(E),
}

impl<E> From<Fault> for Failure<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
