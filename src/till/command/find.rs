//! `paytill find`: orders by what a customer shows or remembers, and what the gateway says of them
//! now. It only reads and queries, also beside a running till.

mod ask;
mod wanted;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::orders::{nothing_yet, table};
use super::output::{print_lines, print_message};
use super::report::OrderReport;
use super::{Exit, Failure};
use crate::cli::Find;
use crate::config::Config;
use crate::journal::{Filter, JournalReader, OrderRow};
use crate::language::Language;
use crate::order::OutTradeNo;
use crate::text::find::{FindWords, Verdict};
use ask::{Asker, Told};
use paytill_host::clock::Clock;
use wanted::Wanted;

/// How many orders are listed, and among how many of the latest they are looked for where there is
/// no index.
const LISTED: u32 = 20;
const AMONG: u32 = 5_000;
/// How many orders are asked about: a person waits for it.
const ASKED: usize = 10;

/// Lists what fits, newest first.
pub async fn run(find: Find, config: &Config, clock: &Clock) -> Result<Exit, Failure> {
    let language = config.till.language;
    let words = FindWords::of(language);
    let Some(wanted) = Wanted::read(&find.text, config) else {
        return Err(Failure::new(Exit::Usage, crate::text::find::not_searched()));
    };
    let key = config.journal.key_file.as_deref();
    let Some(reader) = JournalReader::open(&config.journal.path, key)? else {
        return Ok(nothing_yet(find.json.json, config));
    };
    let rows = found(&reader, &wanted, config)?;
    // A whole number that is not in the journal: another's, or of an order whose answers were lost.
    let whole = wanted.number.as_ref().map(OutTradeNo::as_str).or(wanted.transaction.as_deref());
    let stranger = whole.filter(|_| rows.is_empty() && find.ask);
    if rows.is_empty() && stranger.is_none() && !find.json.json {
        print_message(words.none());
    }
    let mut told: Vec<Told> = Vec::new();
    if find.ask && (stranger.is_some() || !rows.is_empty()) {
        let mut asker = Asker::new(config, clock)?;
        match &wanted.number {
            Some(number) if stranger.is_some() => told.push(asker.about_number(number).await),
            None if stranger.is_some() => told.push(Told::of_transaction()),
            _ => {}
        }
        for row in rows.iter().take(ASKED) {
            told.push(asker.about(row, reader.request(row.attempt)?).await);
        }
        if rows.len() > ASKED && !find.json.json {
            print_message(&words.asked(ASKED));
        }
    }
    let lines = if find.json.json {
        json_lines(&rows, &told, stranger, find.ask, language)
    } else {
        lines(&rows, &told, stranger, config)
    };
    Ok(if print_lines(&lines) { Exit::Done } else { Exit::Fault })
}

/// The orders that fit in any way, newest first, each once.
fn found(
    reader: &JournalReader,
    wanted: &Wanted,
    config: &Config,
) -> Result<Vec<OrderRow>, Failure> {
    if let Some(number) = &wanted.number
        && let Some(row) = reader.order(number.as_str())?
    {
        return Ok(vec![row]);
    }
    let mut rows = Vec::new();
    if let Some(tail) = &wanted.tail {
        rows.extend(reader.ending(tail, LISTED)?);
    }
    if let Some(number) = wanted.transaction.as_ref().filter(|_| rows.is_empty()) {
        rows.extend(reader.with_transaction(number)?);
    }
    if let Some(status) = wanted.status {
        let filter = Filter { status: Some(status), limit: Some(LISTED), ..Filter::default() };
        rows.extend(reader.orders(&filter)?);
    }
    if wanted.amount.is_some() || wanted.time.is_some() {
        let limit = usize::try_from(LISTED).unwrap_or(usize::MAX);
        rows.extend(reader.latest(AMONG, limit, |row| wanted.fits(row, &config.store.time_zone))?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.attempt));
    rows.dedup_by_key(|row| row.attempt);
    rows.truncate(usize::try_from(LISTED).unwrap_or(usize::MAX));
    Ok(rows)
}

/// A line an order, as `orders` prints it, with the verdict.
fn lines(rows: &[OrderRow], told: &[Told], stranger: Option<&str>, config: &Config) -> Vec<String> {
    let language = config.till.language;
    let words = FindWords::of(language);
    let said = |told: &Told| {
        let verdict = words.verdict(words.word(told.verdict));
        match &told.why {
            Some(why) => format!("{verdict}  {}", why.sentence(language)),
            None => verdict,
        }
    };
    if let (Some(number), [told, ..]) = (stranger, told) {
        return vec![format!("{number}  {}", said(told))];
    }
    let reports: Vec<OrderReport<'_>> = rows.iter().map(OrderReport::of_row).collect();
    let mut lines = table(&reports, language, &config.store.time_zone);
    // The last one adds them up.
    lines.truncate(reports.len());
    let width = lines.iter().take(told.len()).map(|line| line.width()).max().unwrap_or(0);
    for (line, told) in lines.iter_mut().zip(told) {
        let blanks = " ".repeat(width - line.width());
        *line = format!("{line}{blanks}  {}", said(told));
    }
    lines
}

fn json_lines(
    rows: &[OrderRow],
    told: &[Told],
    stranger: Option<&str>,
    ask: bool,
    language: Language,
) -> Vec<String> {
    let with = |mut line: Value, told: Option<&Told>| {
        if ask {
            let reason = told.and_then(|told| told.why.as_ref());
            let reason =
                reason.map(|why| json!({ "code": why.code(), "text": why.sentence(language) }));
            line["verdict"] = told.map(|told| told.verdict).map(Verdict::word).into();
            line["verdict_reason"] = reason.into();
        }
        line.to_string()
    };
    if let Some(number) = stranger {
        return vec![with(json!({ "order_no": number, "state": null }), told.first())];
    }
    let told = told.iter().map(Some).chain(std::iter::repeat(None));
    let reports = rows.iter().map(|row| OrderReport::of_row(row).json(language));
    reports.zip(told).map(|(line, told)| with(line, told)).collect()
}
