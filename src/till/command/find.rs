//! `paytill find`: orders by what a customer shows or remembers, and what the gateway says of them
//! now. It only reads and queries, also beside a running till.

mod ask;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::orders::{nothing_yet, table};
use super::output::{print_lines, print_message};
use super::report::OrderReport;
use super::{Exit, Failure};
use crate::cli::Find;
use crate::config::Config;
use crate::find::{GivenBack, Terms, Told, Wanted, search};
use crate::journal::{JournalReader, OrderRow};
use crate::language::Language;
use crate::order::OutTradeNo;
use crate::scan::Scan;
use crate::screen::not_searched;
use crate::text::find::{FindWords, Verdict};
use ask::Asker;
use paytill_host::clock::Clock;

/// How many orders are asked about: a person waits for it.
const ASKED: usize = 10;

/// Lists what fits, newest first.
pub async fn run(find: Find, config: &Config, clock: &Clock) -> Result<Exit, Failure> {
    let language = config.till.language;
    let words = FindWords::of(language);
    let terms = Terms {
        till: config.till.id.clone(),
        currency: config.till.currency,
        entry: config.payment.entry,
    };
    let Some(wanted) = Wanted::read(&find.text, &terms) else {
        let scan = Scan::name(&find.text, &terms.till);
        let why = not_searched(&scan).unwrap_or_else(crate::text::find::not_searched);
        return Err(Failure::new(Exit::Usage, why));
    };
    let key = config.journal.key_file.as_deref();
    let Some(reader) = JournalReader::open(&config.journal.path, key)? else {
        return Ok(nothing_yet(find.json.json, config));
    };
    let mut rows = search(&reader, &wanted, &config.store.time_zone)?;
    // A whole number that is not in the journal: another's, or of an order whose answers were lost.
    let whole = wanted.number.as_ref().map(OutTradeNo::as_str).or(wanted.transaction.as_deref());
    let mut stranger = whole.filter(|_| rows.is_empty() && find.ask);
    if rows.is_empty() && stranger.is_none() && !find.json.json {
        print_message(words.none());
    }
    let mut told: Vec<Told> = Vec::new();
    if find.ask && (stranger.is_some() || !rows.is_empty()) {
        let mut asker = Asker::new(config, clock).await?;
        if stranger.is_some() {
            let number = match (&wanted.number, &wanted.transaction) {
                (Some(number), _) => Ok(number.clone()),
                (None, transaction) => {
                    asker.order_of(transaction.as_deref().unwrap_or_default()).await
                }
            };
            match number {
                Ok(number) => match reader.order(number.as_str())? {
                    // No answer that the till has had names this transaction.
                    Some(row) => (rows, stranger) = (vec![row], None),
                    None => told.push(asker.about_number(number).await),
                },
                Err(verdict) => told.push(verdict),
            }
        }
        for row in rows.iter().take(ASKED) {
            if let Some(known) = Told::without_asking(row) {
                told.push(known);
                continue;
            }
            let order = reader.request(row.attempt)?;
            let state = || {
                let now = reader.order(row.out_trade_no.as_str())?;
                let refunds = reader.refunds(row.attempt)?;
                let back = GivenBack::by(refunds.iter().map(|refund| &refund.state));
                Ok((now.map_or_else(|| row.state.clone(), |row| row.state), back))
            };
            told.push(asker.about(order, state).await?);
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
