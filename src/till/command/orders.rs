//! `paytill orders` and `paytill show`: the contents of the journal. Both work while a till runs.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::output::{print_line, print_lines, print_message};
use super::refund_line::RefundLine;
use super::report::OrderReport;
use super::{Exit, Failure};
use crate::cli::{Orders, Show};
use crate::clock::{TimeZone, Timestamp};
use crate::config::Config;
use crate::engine::ActKind;
use crate::find::by_journal;
use crate::journal::{Filter, JournalReader, OrderRow, RefundRow, StoredEntry, StoredEvent};
use crate::language::Language;
use crate::money::{Currency, Money};
use crate::payment::{Call, Event, Reason, Status};
use crate::sale::Sold;
use crate::text::find::{FindWords, Verdict};
use crate::text::{goods, history, reason, refund as refund_text, screen};
use crate::{both, say};

/// Fewer last digits would fit too many orders.
const SHORTEST_TAIL: usize = 4;
const LONGEST_NUMBER: usize = 32;
/// How many orders are listed whose numbers end alike.
const LISTED: u32 = 20;

/// Lists orders, newest first.
pub fn list(orders: &Orders, config: &Config, now: Timestamp) -> Result<Exit, Failure> {
    let language = config.till.language;
    let Some(reader) =
        JournalReader::open(&config.journal.path, config.journal.key_file.as_deref())?
    else {
        return Ok(nothing_yet(orders.json.json, config));
    };
    let zone = &config.store.time_zone;
    let filter = Filter {
        day: orders.day.map(|day| day.from_today(now.day(zone)).to_string()),
        status: orders.state,
        open: false,
        limit: orders.limit,
    };
    let rows = reader.orders(&filter)?;
    if rows.is_empty() && !orders.json.json {
        print_message(language.pick("no matching orders", "没有符合条件的订单"));
    }
    let reports: Vec<OrderReport<'_>> = rows.iter().map(OrderReport::of_row).collect();
    let lines = if orders.json.json {
        reports.iter().map(|report| report.json(language).to_string()).collect()
    } else {
        table(&reports, language, zone)
    };
    Ok(if print_lines(&lines) { Exit::Done } else { Exit::Fault })
}

/// A line an order, in columns, and how many and how much they are.
pub(super) fn table(
    reports: &[OrderReport<'_>],
    language: Language,
    zone: &TimeZone,
) -> Vec<String> {
    let rows: Vec<[String; 4]> = reports.iter().map(|report| report.cells(language)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths = [0, 1, 2].map(width);
    let line = |(report, [word, amount, number, more]): (&OrderReport<'_>, &[String; 4])| {
        let time = report.created_at.local("%Y-%m-%d %H:%M:%S", zone);
        let blanks = |column: usize, cell: &str| " ".repeat(widths[column] - cell.width());
        let line = format!(
            "{time}  {word}{}  {}{amount}  {number}{}  {more}",
            blanks(0, word),
            blanks(1, amount),
            blanks(2, number),
        );
        line.trim_end().to_owned()
    };
    let mut lines: Vec<String> = reports.iter().zip(&rows).map(line).collect();
    if !reports.is_empty() {
        lines.push(sum(reports, language));
    }
    lines
}

/// How many orders there are in each state, and what they add up to.
fn sum(reports: &[OrderReport<'_>], language: Language) -> String {
    let mut sums: Vec<(Status, Currency, usize, i64)> = Vec::new();
    for report in reports {
        let (status, currency) = (report.status, report.currency);
        let known = sums.iter_mut().find(|sum| (sum.0, sum.1) == (status, currency));
        match known {
            Some((.., count, total)) => {
                *count += 1;
                *total = total.saturating_add(report.amount.minor());
            }
            None => sums.push((status, currency, 1, report.amount.minor())),
        }
    }
    let words = screen::ScreenWords::of(language);
    let parts = sums.into_iter().map(|(status, currency, count, total)| {
        let word = words.word(status);
        let total = format!("{} {}", currency.code(), currency.group(Money::from_minor(total)));
        say!(language, "{word} {count}, {total}", "{word} {count} 笔，{total}")
    });
    let parts = parts.collect::<Vec<_>>().join(language.pick("; ", "；"));
    let count = reports.len();
    let orders = if count == 1 { "order" } else { "orders" };
    say!(language, "{count} {orders}: {parts}", "共 {count} 笔：{parts}")
}

/// The order with this number; or the only one whose order or transaction number ends so, as the
/// screen shows them. Several are listed.
pub(super) fn one(
    reader: &JournalReader,
    number: &str,
    config: &Config,
) -> Result<Option<OrderRow>, Failure> {
    if let Some(row) = reader.order(number)? {
        return Ok(Some(row));
    }
    if !(SHORTEST_TAIL..=LONGEST_NUMBER).contains(&number.len())
        || !number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    {
        return Ok(None);
    }
    let mut rows = reader.ending(number, LISTED)?;
    if rows.len() < 2 {
        return Ok(rows.pop());
    }
    let language = config.till.language;
    let reports: Vec<OrderReport<'_>> = rows.iter().map(OrderReport::of_row).collect();
    let mut lines = table(&reports, language, &config.store.time_zone);
    lines.truncate(reports.len());
    for line in &lines {
        print_message(line);
    }
    Err(Failure::new(
        Exit::Usage,
        both!(
            "{number} is the end of several orders; give more of the number",
            "尾号 {number} 有多笔订单，请多输入几位"
        ),
    ))
}

/// A refund by its number, with its order, whose number it begins with.
fn refund_numbered(
    reader: &JournalReader,
    number: &str,
) -> Result<Option<(OrderRow, RefundRow)>, Failure> {
    let Some((order, _)) = number.rsplit_once('R') else { return Ok(None) };
    let Some(order) = reader.order(order)? else { return Ok(None) };
    let mut refunds = reader.refunds(order.attempt)?.into_iter();
    Ok(refunds.find(|row| row.out_refund_no.as_str() == number).map(|refund| (order, refund)))
}

/// Shows one order with all its events.
pub fn show(show: &Show, config: &Config) -> Result<Exit, Failure> {
    let language = config.till.language;
    let none = || no_such(&show.order_no, config);
    let reader = JournalReader::open(&config.journal.path, config.journal.key_file.as_deref())?
        .ok_or_else(none)?;
    let refund = refund_numbered(&reader, &show.order_no)?;
    if let (Some(file), Some((_, refund))) = (&show.receipt, &refund) {
        let paper = reader.refund_paper(refund.id)?.ok_or_else(none)?;
        return super::receipt_file::write_refund(file, &paper, config);
    }
    let row = match refund {
        Some((order, _)) => order,
        None => one(&reader, &show.order_no, config)?.ok_or_else(none)?,
    };
    if let Some(file) = &show.receipt {
        let tenders = reader.tenders(row.sale, &row.out_trade_no)?;
        return super::receipt_file::write(file, &row.into(), &tenders, config);
    }
    let entries = reader.entries(row.attempt)?;
    let refunds = reader.refunds(row.attempt)?;
    let report = OrderReport::of_row(&row);
    if show.json.json {
        let mut value = report.json(language);
        value["sale"] = sale_json(&reader, &row)?;
        value["note"] = row.note.clone().into();
        // Nobody was asked.
        value["verdict"] = verdict(&row).word().into();
        value["verdict_by"] = "journal".into();
        value["events"] =
            with_calls(&entries).map(|(entry, call)| entry_json(entry, call)).collect();
        value["refunds"] =
            refunds.iter().map(|refund| refund_json(&row, refund, language)).collect();
        print_line(&value.to_string());
        return Ok(Exit::Done);
    }
    print_line(&report.line(language));
    let words = FindWords::of(language);
    print_line(&words.by_journal(words.word(verdict(&row))));
    if !row.note.is_empty() {
        print_line(&row.note);
    }
    for line in goods::sold(&row.sold, row.currency, language) {
        print_line(&format!("  {line}"));
    }
    for refund in &refunds {
        print_line(&RefundLine::of_row(&row, refund).line(language));
        let (id, reason) = (refund.id, &refund.reason);
        print_line(&say!(language, "  refund {id}: {reason}", "  退款 {id}：{reason}"));
    }
    for (entry, call) in with_calls(&entries) {
        print_line(&entry_line(entry, call, language, &config.store.time_zone));
        print_fields(&entry.wire);
    }
    Ok(Exit::Done)
}

/// The number of a sale; where it has lines, or cash was taken of it, with these and all that it was
/// paid with.
fn sale_json(reader: &JournalReader, row: &OrderRow) -> Result<Value, Failure> {
    let Sold { lines, discount, due, consent } = &*row.sold;
    let orders = reader.orders_of(row.sale)?;
    if lines.is_empty() && orders.iter().all(|order| order.state.cash().is_none()) {
        return Ok(row.sale.into());
    }
    let tender = |order: &OrderRow| {
        let cash = order.state.cash();
        json!({
            "order_no": order.out_trade_no.as_str(),
            "channel": order.channel,
            "state": order.state.status().word(),
            "amount": order.amount.minor(),
            "tendered": cash.map(|cash| cash.tendered().minor()),
            "change": cash.map(|cash| cash.change().minor()),
        })
    };
    let tenders: Vec<Value> = orders.iter().map(tender).collect();
    let mut sale = json!({ "number": row.sale, "lines": lines, "tenders": tenders });
    if !lines.is_empty() {
        sale["discount"] = discount.minor().into();
        sale["due"] = due.minor().into();
        sale["consent"] = json!(consent);
    }
    Ok(sale)
}

/// What this journal alone says of an order and its refunds.
fn verdict(row: &OrderRow) -> Verdict {
    let is_refunded = row.refunded > Money::default();
    if is_refunded { Verdict::Refunded } else { by_journal(&row.state) }
}

fn print_fields(wire: &str) {
    if let Ok(Value::Object(fields)) = serde_json::from_str(wire) {
        for (name, value) in fields {
            print_line(&format!(
                "                            {name}: {}",
                value.as_str().unwrap_or("")
            ));
        }
    }
}

fn refund_json(row: &OrderRow, refund: &RefundRow, language: Language) -> Value {
    let mut value = RefundLine::of_row(row, refund).json(language);
    // Its entries are among the order's, with this number.
    value["id"] = refund.id.into();
    value["why"] = refund.reason.clone().into();
    value["created_at"] = refund.created_at.to_rfc3339().into();
    value
}

pub(super) fn no_such(number: &str, config: &Config) -> Failure {
    let number = crate::clean::clean(number, 40);
    let journal = config.journal.path.display();
    Failure::new(
        Exit::Usage,
        both!("there is no order {number} in {journal}", "{journal} 中没有订单 {number}"),
    )
}

pub(super) fn nothing_yet(json: bool, config: &Config) -> Exit {
    if !json {
        print_message(&say!(
            config.till.language,
            "there is no journal yet at {path}",
            "{path} 还没有交易记录",
            path = config.journal.path.display()
        ));
    }
    Exit::Done
}

/// Each entry, with the call that it led to.
pub(super) fn with_calls(
    entries: &[StoredEntry],
) -> impl Iterator<Item = (&StoredEntry, Option<Call>)> {
    let before = std::iter::once(None).chain(entries.iter().map(|entry| entry.state.awaited()));
    entries.iter().zip(before).map(|(entry, before)| {
        let is_first = entry.event == StoredEvent::Payment(Event::Begun);
        let submit = is_first.then_some(Call::SUBMISSION);
        (entry, submit.or_else(|| entry.state.awaited().filter(|call| before != Some(*call))))
    })
}

pub(super) fn entry_json(entry: &StoredEntry, call: Option<Call>) -> Value {
    let mut value = json!({
        "entry": entry.number,
        "digest": entry.digest,
        "at": entry.at.to_rfc3339(),
        "after_ms": entry.age.0,
        "event": event_words(&entry.event),
        "operator": entry.by.as_ref().map(|by| by.operator.as_str()),
        "consent": entry.by.as_ref().and_then(|by| by.consent.as_deref()),
        "call": call.map(|call| call.kind.word()),
        "state": entry.state.status().word(),
        "reason": entry.state.reason().map(Reason::code),
        "wire": serde_json::from_str::<Value>(&entry.wire).unwrap_or(Value::Null),
    });
    if let StoredEvent::Refund(told) = &entry.event {
        value["refund"] = json!({
            "id": told.refund,
            "state": told.state.status().word(),
            "reason": told.state.reason().as_ref().map(Reason::code),
        });
    }
    value
}

fn entry_line(
    entry: &StoredEntry,
    call: Option<Call>,
    language: Language,
    zone: &TimeZone,
) -> String {
    let seconds = entry.age.0 / 1000;
    let tenths = entry.age.0 % 1000 / 100;
    let status = entry.state.status();
    let line = format!(
        "{} {:>6} {}  {}",
        entry.at.local("%Y-%m-%d %H:%M:%S%.3f", zone),
        format!("+{seconds}.{tenths}s"),
        history::entry(entry, language),
        match &entry.event {
            StoredEvent::Refund(told) => refund_text::word(told.state.status(), language),
            StoredEvent::Payment(_) | StoredEvent::Act(_) => {
                screen::ScreenWords::of(language).word(status)
            }
        },
    );
    if let StoredEvent::Refund(_) = &entry.event {
        return line;
    }
    let line = match call {
        Some(call) => format!("{line}  -> {}", history::call(call, language)),
        None => line,
    };
    match reason::of(&entry.state, language) {
        Some(why) => format!("{line}  {why}"),
        None => line,
    }
}

/// For programs: stays the same in every language and version.
fn act_words(act: &ActKind) -> String {
    match act {
        ActKind::Reprint { copy } => format!("reprinted as copy {copy}"),
        ActKind::Drawer => "the drawer was opened".into(),
        ActKind::CashReturned { amount } => format!("cash returned: {}", amount.minor()),
        ActKind::CashIn { amount, .. } => format!("cash in: {}", amount.minor()),
        ActKind::CashOut { amount, .. } => format!("cash out: {}", amount.minor()),
        ActKind::ShiftOpened { float } => format!("shift opened: {}", float.minor()),
        ActKind::ShiftClosed(report) => format!("shift closed: {}", report.z.unwrap_or_default()),
    }
}

/// For programs: stays the same in every language and version.
fn event_words(event: &StoredEvent) -> String {
    match event {
        StoredEvent::Payment(event) => history::event_words(event),
        StoredEvent::Act(act) => act_words(act),
        StoredEvent::Refund(told) => history::refund_event_words(&told.event),
    }
}
