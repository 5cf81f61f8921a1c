//! `paytill orders` and `paytill show`: the contents of the journal. Both work while a till runs.

use serde_json::{Value, json};

use super::output::{print_line, print_message};
use super::report::OrderReport;
use super::{Exit, Failure};
use crate::cli::{Orders, Show};
use crate::clock::TimeZone;
use crate::config::Config;
use crate::journal::{Filter, JournalReader, StoredEntry};
use crate::language::Language;
use crate::payment::{Call, Event, Reason};
use crate::text::{history, reason, screen};
use crate::{both, say};

/// Lists orders, newest first.
pub fn list(orders: &Orders, config: &Config) -> Result<Exit, Failure> {
    let language = config.till.language;
    let Some(reader) = JournalReader::open(&config.journal.path)? else {
        return Ok(nothing_yet(orders.json.json, config));
    };
    let filter = Filter {
        day: orders.day.map(|day| day.to_string()),
        status: orders.state,
        open: false,
        limit: orders.limit,
    };
    let rows = reader.orders(&filter)?;
    if rows.is_empty() && !orders.json.json {
        print_message(language.pick("no such orders", "没有符合条件的订单"));
    }
    let mut said = true;
    for row in &rows {
        let report = OrderReport::of_row(row);
        said &= if orders.json.json {
            print_line(&report.json(language).to_string())
        } else {
            print_line(&format!(
                "{}  {}",
                row.created_at.local("%Y-%m-%d %H:%M:%S", &config.store.time_zone),
                report.line(language)
            ))
        };
    }
    Ok(if said { Exit::Done } else { Exit::Fault })
}

/// Shows one order with all its events.
pub fn show(show: &Show, config: &Config) -> Result<Exit, Failure> {
    let language = config.till.language;
    let none = || {
        let number = crate::clean::clean(&show.order_no, 40);
        let journal = config.journal.path.display();
        Failure::new(
            Exit::Usage,
            both!("there is no order {number} in {journal}", "{journal} 中没有订单 {number}"),
        )
    };
    let reader = JournalReader::open(&config.journal.path)?.ok_or_else(none)?;
    let row = reader.order(&show.order_no)?.ok_or_else(none)?;
    let entries = reader.entries(row.attempt)?;
    let report = OrderReport::of_row(&row);
    if show.json.json {
        let mut value = report.json(language);
        value["sale"] = row.sale.into();
        value["note"] = row.note.clone().into();
        value["events"] =
            with_calls(&entries).map(|(entry, call)| entry_json(entry, call)).collect();
        print_line(&value.to_string());
        return Ok(Exit::Done);
    }
    print_line(&report.line(language));
    if !row.note.is_empty() {
        print_line(&row.note);
    }
    for (entry, call) in with_calls(&entries) {
        print_line(&entry_line(entry, call, language, &config.store.time_zone));
        if let Ok(Value::Object(fields)) = serde_json::from_str(&entry.wire) {
            for (name, value) in fields {
                print_line(&format!(
                    "                            {name}: {}",
                    value.as_str().unwrap_or("")
                ));
            }
        }
    }
    Ok(Exit::Done)
}

fn nothing_yet(json: bool, config: &Config) -> Exit {
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
fn with_calls(entries: &[StoredEntry]) -> impl Iterator<Item = (&StoredEntry, Option<Call>)> {
    let before = std::iter::once(None).chain(entries.iter().map(|entry| entry.state.awaited()));
    entries.iter().zip(before).map(|(entry, before)| {
        let submit = (entry.event == Event::Begun).then_some(Call::SUBMISSION);
        (entry, submit.or_else(|| entry.state.awaited().filter(|call| before != Some(*call))))
    })
}

fn entry_json(entry: &StoredEntry, call: Option<Call>) -> Value {
    json!({
        "at": entry.at.to_rfc3339(),
        "after_ms": entry.age.0,
        "event": event_words(&entry.event),
        "call": call.map(|call| call.kind.word()),
        "state": entry.state.status().word(),
        "reason": entry.state.reason().map(Reason::code),
        "wire": serde_json::from_str::<Value>(&entry.wire).unwrap_or(Value::Null),
    })
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
        history::event(&entry.event, language),
        screen::ScreenWords::of(language).word(status),
    );
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
fn event_words(event: &Event) -> String {
    match event {
        Event::Begun => "begun".into(),
        Event::Answered(number, answer) => {
            let said = history::answer(answer, Language::English);
            format!("answer to {} {number}: {said}", answer.kind().word())
        }
        Event::Tick => "time".into(),
        Event::Cancel => "cancelled by the cashier".into(),
        Event::MerchantChanged => "the till sells for another merchant".into(),
        Event::CheckNow => "checked now by the cashier".into(),
        Event::Restarted { .. } => "the till started again".into(),
    }
}
