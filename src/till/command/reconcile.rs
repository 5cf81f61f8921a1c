//! `paytill reconcile`: the gateway's bill of a day against the journal. It reads, also beside a
//! running till. About orders that are open and that the bill knows it asks the gateway, if no till
//! holds the journal: that settles them.

mod export;
pub(super) use export::cell;
mod report;
mod settle;
mod source;

use std::fs::File;
use std::io::Seek as _;
use std::path::Path;

use super::output::{print_lines, print_message};
use super::{Exit, Failure};
use crate::bill::compare::{Here, Outcome, OwnOrder, OwnRefund};
use crate::bill::{Comparison, Expected, Extent, Failure as NotRead, beijing, read, ready_at};
use crate::cli::Reconcile;
use crate::clock::Date;
use crate::config::{Config, Loaded};
use crate::gateway::wechat::v2::bill::Refusal;
use crate::journal::{BegunRefund, Filter, JournalError, JournalReader, OrderRow};
use crate::refund::RefundStatus;
use crate::text::reconcile::{self as text, ReconcileWords};
use paytill_host::clock::Clock;
use source::Source;

/// For so many months the gateway gives the bill of a day (facts 7.1).
const KEPT: i64 = 3;
/// A refund that was begun so many days before a bill may be in it.
const REFUNDS_BEFORE: i64 = 31;

/// What was read, and what came of it.
struct Reconciled {
    day: Date,
    extent: Extent,
    outcome: Outcome,
    /// How many open orders the gateway was asked about, and how many have ended by it.
    asked: usize,
    settled: usize,
}

/// Holds the bill against the journal.
pub async fn run(reconcile: Reconcile, loaded: &Loaded, clock: &Clock) -> Result<Exit, Failure> {
    let config = &loaded.config;
    let language = config.till.language;
    let words = ReconcileWords::of(language);
    let now = clock.wall();
    let day = reconcile.day.from_today(now.day(&beijing()));
    let Some(merchant) = config.gateway.merchant() else {
        return Err(Failure::new(Exit::Configuration, text::training()));
    };
    let today = now.day(&beijing());
    if reconcile.bill.is_none() && day > today {
        return Err(Failure::new(Exit::Usage, text::in_the_future(day)));
    }
    // The gateway would say that there is none, as of a day without payments.
    if reconcile.bill.is_none() && is_too_old(day, today) {
        return Err(Failure::new(Exit::Usage, text::too_old(day)));
    }
    // Before anything is downloaded: the name may be taken.
    let csv = reconcile.csv.as_deref().map(export::Csv::create).transpose()?;
    let source = match &reconcile.bill {
        Some(file) => source::open(file)?,
        None => source::download(&config.gateway, day, &config.journal.path, clock).await?,
    };
    let file = match source {
        Source::Bill(file) => Some(file),
        // Before that time it may still come.
        Source::Refused(Refusal::NoBill) if ready_at(day).is_none_or(|at| now < at) => {
            return Err(Failure::new(Exit::Fault, text::not_ready(day)));
        }
        Source::Refused(Refusal::NoBill) => {
            print_message(&words.no_bill(&day.to_string()));
            None
        }
        Source::Refused(Refusal::Creating) => {
            return Err(Failure::new(Exit::Fault, text::not_ready(day)));
        }
        Source::Refused(Refusal::Busy(said)) => {
            return Err(Failure::new(Exit::Fault, text::busy(&said)));
        }
        Source::Refused(Refusal::Refused(said)) => {
            return Err(Failure::new(Exit::Fault, text::refused(&said)));
        }
    };
    let expected = Expected { merchant: merchant.clone(), day };
    let mut reconciled = compare(file.as_ref(), &expected, config)?;
    let open = settle::open_orders(&reconciled);
    if !open.is_empty() && settle::may_write(config) {
        let asked = open.len();
        let settled = settle::ask(&reconciled, open, loaded, clock).await?;
        reconciled = compare(file.as_ref(), &expected, config)?;
        (reconciled.asked, reconciled.settled) = (asked, settled);
    }
    let outcome = &reconciled.outcome;
    tracing::info!(
        %day,
        matched = outcome.matched,
        differ = outcome.differ(),
        rows = reconciled.extent.rows,
        "reconciled"
    );
    let lines = if reconcile.json.json {
        export::json(&reconciled, config)
    } else {
        report::lines(&reconciled, config)
    };
    let is_printed = print_lines(&lines);
    if let (Some(csv), Some(file)) = (csv, &reconcile.csv) {
        csv.write(&reconciled, config)?;
        print_message(&words.written(&file.display().to_string()));
    }
    if !is_printed {
        return Ok(Exit::Fault);
    }
    Ok(if outcome.differ() == 0 { Exit::Done } else { Exit::Differ })
}

/// Whether the gateway keeps no bill of that day any more.
fn is_too_old(day: Date, today: Date) -> bool {
    today.checked_sub(jiff::Span::new().months(KEPT)).is_ok_and(|first| day < first)
}

/// The bill, or none if nothing happened on that day, against what the journal has of it.
fn compare(
    file: Option<&File>,
    expected: &Expected,
    config: &Config,
) -> Result<Reconciled, Failure> {
    let day = expected.day;
    let (till, currency) = (config.till.id.clone(), config.till.currency);
    let mut comparison = Comparison::new(day, till, currency);
    let key = config.journal.key_file.as_deref();
    let reader = JournalReader::open(&config.journal.path, key)?;
    match &reader {
        Some(reader) => {
            orders_about(reader, day, |order| comparison.expect(order))?;
            refunds_about(reader, day, |refund| comparison.expect_refund(refund))?;
        }
        None => print_message(&text::without_journal(config.till.language, &config.journal.path)),
    }
    let look_up = |number: &str| -> Result<Option<OwnOrder>, JournalError> {
        let Some(reader) = &reader else { return Ok(None) };
        Ok(reader.order(number)?.map(own_order))
    };
    let extent = match file {
        None => Extent::default(),
        Some(mut file) => {
            let rewound = file.rewind();
            rewound.map_err(|error| Failure::of_system(&text::not_read(Path::new("-")), &error))?;
            let read = read(file, expected, |row| comparison.row(row, look_up));
            read.map_err(|failure| match failure {
                NotRead::Fault(fault) => {
                    let merchant = expected.merchant.mch_id.as_str();
                    Failure::new(Exit::Fault, text::fault(&fault, merchant, day))
                }
                NotRead::Io(error) => Failure::of_system(&text::not_read(Path::new("-")), &error),
                NotRead::Stopped(error) => error.into(),
            })?
        }
    };
    Ok(Reconciled { day, extent, outcome: comparison.finish(), asked: 0, settled: 0 })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_kept_for_three_months() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        for (of, today, is_old) in [
            ("2026-08-30", "2026-11-30", false),
            ("2026-08-29", "2026-11-30", true),
            ("2026-02-28", "2026-05-31", false),
            ("2026-02-27", "2026-05-31", true),
            ("2025-11-30", "2026-11-30", true),
            ("2026-11-29", "2026-11-30", false),
        ] {
            assert_eq!(is_too_old(day(of), day(today)), is_old, "{of}");
        }
    }
}
