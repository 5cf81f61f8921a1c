//! What a person reads: sums, then each difference with what to do about it.

use unicode_width::UnicodeWidthStr as _;

use super::Reconciled;
use crate::bill::Exact;
use crate::bill::compare::{Difference, Sums};
use crate::clock::TimeZone;
use crate::config::Config;
use crate::language::Language;
use crate::money::Currency;
use crate::text::reconcile::{ReconcileWords, sides};

/// How a difference's further lines begin.
const INDENT: &str = "    ";

pub(super) fn lines(reconciled: &Reconciled, config: &Config) -> Vec<String> {
    let Reconciled { day, extent, outcome, asked, settled, .. } = reconciled;
    let (language, currency) = (config.till.language, config.till.currency);
    let words = ReconcileWords::of(language);
    let mut lines = vec![words.head(&day.to_string(), extent.rows)];
    lines.extend(table(reconciled, words, currency));
    let sums = std::iter::once(&outcome.sums.own).chain(outcome.sums.others.values());
    let in_others: u64 = sums.map(|sums| sums.in_other_currencies).sum();
    if in_others > 0 {
        lines.push(words.other_currencies(in_others));
    }
    if extent.of_others > 0 {
        lines.push(words.of_others(extent.of_others));
    }
    if *asked > 0 {
        lines.push(words.asked(*asked, *settled));
    }
    lines.push(if outcome.differ() == 0 {
        words.equal(outcome.matched)
    } else {
        words.differ(outcome.differ(), outcome.matched)
    });
    for difference in &outcome.differences {
        lines.extend(said(difference, language, &config.store.time_zone));
    }
    if outcome.not_listed > 0 {
        lines.push(words.not_listed(outcome.not_listed));
    }
    lines
}

/// A line for each till, in columns: payments, refunds, fees, and what is left.
fn table(reconciled: &Reconciled, words: ReconcileWords, currency: Currency) -> Vec<String> {
    let sums = &reconciled.outcome.sums;
    let row = |name: String, sums: &Sums| {
        let money = |amount: Exact| currency.group(amount.rounded(currency));
        [
            name,
            words.payments().to_owned(),
            sums.payments.to_string(),
            money(sums.paid),
            words.refunds().to_owned(),
            sums.refunds.to_string(),
            money(sums.refunded),
            words.fees().to_owned(),
            money(sums.fees),
            words.net().to_owned(),
            format!("{} {}", currency.code(), money(sums.net())),
        ]
    };
    let own = row(words.this_till().to_owned(), &sums.own);
    let others = sums.others.iter().map(|(id, sums)| {
        let name = if id.is_empty() { words.no_till().to_owned() } else { words.other_till(id) };
        row(name, sums)
    });
    let rows: Vec<[String; 11]> = std::iter::once(own).chain(others).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..11).map(width).collect();
    let line = |row: &[String; 11]| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let blanks = " ".repeat(widths[column] - cell.width());
            let is_number = matches!(column, 2 | 3 | 5 | 6 | 8 | 10);
            if is_number { format!("{blanks}{cell}") } else { format!("{cell}{blanks}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// What differs, what each side says, and what to do.
fn said(difference: &Difference, language: Language, zone: &TimeZone) -> Vec<String> {
    let words = ReconcileWords::of(language);
    let time = difference.at.map(|at| at.local("%Y-%m-%d %H:%M:%S", zone)).unwrap_or_default();
    let mut first = format!("{}  {time}  {}", difference.order_no, words.cause(difference.cause));
    if !difference.refund_no.is_empty() {
        first = format!("{first}  {}", words.refund_of(&difference.refund_no));
    }
    vec![
        first,
        format!("{INDENT}{}", sides(difference, language)),
        format!("{INDENT}{}", words.advice(difference.cause, &difference.order_no)),
    ]
}
