//! Reads a bill from its first byte to its totals.

use std::io::Read;

use super::amount::Exact;
use super::beijing;
use super::columns::{self, Column, Header};
use super::fault::{Failure, Fault, RowFault};
use super::lines::Lines;
use super::row::{Row, RowKind, Sums, number};
use crate::clean::clean;
use crate::clock::{Date, Millis};
use crate::gateway::page::Page;
use crate::order::Merchant;

/// What stands between two values.
const SEPARATOR: &str = ",`";
/// The name of the first total, by which the totals are found.
const COUNT: &str = "总交易单数";
/// The longest row, over all its lines.
const LONGEST_ROW: usize = 64 * 1024;
/// A payment so close to midnight may be in the bill of the other day.
pub(super) const NEAR_MIDNIGHT: Millis = Millis::seconds(10 * 60);
/// How much of a page is read for its first words.
const PAGE: usize = 16 * 1024;
const WORDS_CELLS: usize = 60;
const NAME_CELLS: usize = 40;

/// Which bill is wanted.
#[derive(Clone, Debug)]
pub struct Expected {
    pub merchant: Merchant,
    /// By Beijing's calendar.
    pub day: Date,
}

/// How much was read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Extent {
    pub rows: u64,
    /// Of them, those for other sub-merchants of the same service provider, which were left out.
    pub of_others: u64,
}

/// Reads a bill and hands out its rows, in order. Nothing that was handed out counts until this
/// returns.
pub fn read<E>(
    input: impl Read,
    expected: &Expected,
    mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
) -> Result<Extent, Failure<E>> {
    let mut lines = Lines::of(input)?;
    let mut rows = Rows {
        header: header(&mut lines)?,
        expected,
        day: expected.day.strftime("%Y%m%d").to_string(),
        sums: Sums::default(),
        without_reversals: Sums::default(),
        of_others: 0,
        of_the_day: 0,
        first: None,
    };
    let names = match rows.all(&mut lines, &mut each) {
        // What inflates knows nothing of rows.
        Err(Failure::Fault(Fault::Truncated { .. })) | Ok(None) => {
            return Err(Fault::Truncated { rows: rows.sums.rows }.into());
        }
        Ok(Some(names)) => names,
        Err(failure) => return Err(failure),
    };
    rows.totals(&names, &mut lines)?;
    rows.end().map_err(Failure::Fault)
}

/// The first line with anything in it: the columns' names, or something that is no bill.
fn header<E>(lines: &mut Lines<'_>) -> Result<Header, Failure<E>> {
    loop {
        let Some(line) = lines.next()? else { return Err(Fault::Empty.into()) };
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if line.starts_with('<') && !line.starts_with("<xml") {
            let mut page = line.to_owned();
            while page.len() < PAGE
                && let Ok(Some(line)) = lines.next::<E>()
            {
                page.push(' ');
                page.push_str(line);
            }
            return Err(Fault::Page(Page::words_of(page.as_bytes())).into());
        }
        let first = columns::names(line).next().unwrap_or_default();
        return match first {
            "交易时间" => Header::read(line).map_err(Failure::Fault),
            "记账时间" => Err(Fault::FundFlow.into()),
            _ if line.starts_with("<xml") => Err(Fault::Message.into()),
            _ if columns::names(line).any(|name| name == "交易时间") => {
                Header::read(line).map_err(Failure::Fault)
            }
            _ => Err(Fault::NotABill(clean(line, WORDS_CELLS)).into()),
        };
    }
}

/// What is known while the rows are read.
struct Rows<'e> {
    header: Header,
    expected: &'e Expected,
    /// `YYYYMMDD`
    day: String,
    sums: Sums,
    /// Whether totals count reversals is not known (protocol 6): they may, or not.
    without_reversals: Sums,
    of_others: u64,
    of_the_day: u64,
    /// The first row's line, day and sub-merchant.
    first: Option<(u64, String, String)>,
}

impl Rows<'_> {
    /// Reads all rows, up to the line with the totals' names, which it returns; `None` if the text
    /// ends before it. A row that has too few values goes on in the next line: old bills kept the
    /// line ends in the names of goods.
    fn all<E>(
        &mut self,
        lines: &mut Lines<'_>,
        each: &mut impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<Option<Vec<String>>, Failure<E>> {
        let (mut text, mut begun) = (String::new(), 0);
        loop {
            let number = lines.number() + 1;
            let Some(line) = lines.next()? else { return Ok(None) };
            let is_row = line.starts_with('`') && !line.starts_with("`总");
            // Only a row without its end may go on in a line that looks like anything.
            let is_whole = is_row || text.is_empty() || self.header.takes(values(&text).len());
            let is_last = !is_row && is_whole && columns::names(line).any(|name| name == COUNT);
            if is_last || is_row {
                if !text.is_empty() {
                    self.row(&text, begun, each)?;
                }
                if is_last {
                    return Ok(Some(columns::names(line).map(str::to_owned).collect()));
                }
                text.clear();
                text.push_str(line);
                begun = number;
            } else if line.trim().is_empty() {
                // Between rows, or within the name of goods: it says nothing.
            } else if is_whole {
                let expected = self.header.width();
                let what = RowFault::Columns { found: values(line).len(), expected };
                return Err(Fault::Row { line: number, what }.into());
            } else if text.len() + line.len() > LONGEST_ROW {
                return Err(Fault::TooLong { line: number }.into());
            } else {
                text.push(' ');
                text.push_str(line);
            }
        }
    }

    fn row<E>(
        &mut self,
        text: &str,
        line: u64,
        each: &mut impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), Failure<E>> {
        let values = values(text);
        let in_row = |what| Fault::Row { line, what };
        if !self.header.takes(values.len()) {
            let (found, expected) = (values.len(), self.header.width());
            return Err(in_row(RowFault::Columns { found, expected }).into());
        }
        let merchant = number(self.header.value(&values, Column::Merchant));
        if merchant != self.expected.merchant.mch_id {
            return Err(Fault::OtherMerchant { line, found: merchant.into_owned() }.into());
        }
        let (row, added) = Row::read(&self.header, &values, line).map_err(in_row)?;
        self.sums.add(&added);
        if row.kind != RowKind::Revoked {
            self.without_reversals.add(&added);
        }
        let is_of_the_day = self.is_of_the_day(&row);
        if !is_of_the_day && row.kind == RowKind::Paid {
            return Err(Fault::OtherDay { line, found: day_of(&row) }.into());
        }
        self.of_the_day += u64::from(is_of_the_day);
        if self.first.is_none() {
            self.first = Some((line, day_of(&row), row.sub_merchant.clone().into_owned()));
        }
        if row.sub_merchant == self.expected.merchant.sub_mch_id {
            each(&row).map_err(Failure::Stopped)
        } else {
            self.of_others += 1;
            Ok(())
        }
    }

    /// Whether it is of the day that is wanted, or close to its midnights.
    fn is_of_the_day(&self, row: &Row<'_>) -> bool {
        row.at.digits().starts_with(&self.day)
            || row.at.timestamp().is_some_and(|at| near(at, self.expected.day))
    }

    /// Holds the totals against the rows.
    fn totals<E>(&self, names: &[String], lines: &mut Lines<'_>) -> Result<(), Failure<E>> {
        let cut = Fault::Truncated { rows: self.sums.rows };
        let text = loop {
            match lines.next() {
                Ok(Some(line)) if line.trim().is_empty() => {}
                Ok(Some(line)) => break line.to_owned(),
                Ok(None) | Err(Failure::Fault(Fault::Truncated { .. })) => return Err(cut.into()),
                Err(failure) => return Err(failure),
            }
        };
        let values = values(&text);
        if values.len() < names.len() {
            return Err(cut.into());
        }
        for (name, value) in names.iter().zip(values) {
            let value = value.trim();
            let total = |sums: &Sums| total(sums, name, value);
            let Some((sum, fits)) = total(&self.sums) else { continue };
            if !fits && !total(&self.without_reversals).is_some_and(|(_, fits)| fits) {
                let (name, said) = (clean(name, NAME_CELLS), clean(value, NAME_CELLS));
                return Err(Fault::Totals { name, said, summed: sum }.into());
            }
        }
        loop {
            let number = lines.number() + 1;
            match lines.next() {
                Ok(Some(line)) if line.trim().is_empty() => {}
                Ok(Some(_)) => return Err(Fault::AfterTotals { line: number }.into()),
                Ok(None) => return Ok(()),
                Err(Failure::Fault(Fault::Truncated { .. })) => return Err(cut.into()),
                Err(failure) => return Err(failure),
            }
        }
    }

    /// The last questions, which only all rows together can answer.
    fn end(self) -> Result<Extent, Fault> {
        let Self { sums: Sums { rows, .. }, of_others, of_the_day, first, expected, .. } = self;
        let own = &expected.merchant.sub_mch_id;
        match first {
            Some((line, found, _)) if of_the_day == 0 => Err(Fault::OtherDay { line, found }),
            // A service provider's bill may have nothing of one of its merchants; a merchant's own
            // bill is all its own.
            Some((line, _, found)) if of_others == rows && (found.is_empty() || own.is_empty()) => {
                Err(Fault::OtherMerchant { line, found })
            }
            Some(_) | None => Ok(Extent { rows, of_others }),
        }
    }
}

/// What a total should be, and whether it is; `None` for one that is not known.
fn total(sums: &Sums, name: &str, value: &str) -> Option<(String, bool)> {
    let sum = match name {
        COUNT => return Some((sums.rows.to_string(), value.parse() == Ok(sums.rows))),
        "手续费总金额" => return Some((sums.fee.show(), sums.fee.is_as_written(value))),
        "应结订单总金额" | "总交易额" => sums.settled,
        "订单总金额" => sums.whole,
        "退款总金额" | "总退款金额" => sums.refund_settled,
        "申请退款总金额" => sums.refund_whole,
        "充值券退款总金额" | "总代金券或立减优惠退款金额" | "总企业红包退款金额" => {
            sums.coupon_refund
        }
        _ => return None,
    };
    Some((sum.show(), Exact::read(value) == Some(sum)))
}

fn values(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('`').unwrap_or(text);
    text.split(SEPARATOR).collect()
}

fn day_of(row: &Row<'_>) -> String {
    row.at.day().map(|day| day.to_string()).unwrap_or_default()
}

/// Whether a moment is within a day, or so close to it that it may be in its bill.
pub(super) fn near(at: crate::clock::Timestamp, day: Date) -> bool {
    let slack = i64::try_from(NEAR_MIDNIGHT.0).unwrap_or(0);
    let shifted = |by| crate::clock::Timestamp(at.0.saturating_add(by)).day(&beijing());
    shifted(slack) == day || shifted(-slack) == day || shifted(0) == day
}
