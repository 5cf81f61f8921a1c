//! Whether an evidence file is what was written, and what was changed if not.

use serde_json::Value;

use super::form::{self, DIGEST, PARTS, SEAL};
use super::{FORMAT, entries_of, entry_json, last_move, refunds, with_calls};
use crate::clock::Timestamp;
use crate::journal::{Record, Seal, StoredEntry};
use crate::language::Language;
use crate::money::{Currency, Money};
use crate::payment::{Reason, Status};
use crate::refund::RefundStatus;
use crate::text::evidence::EvidenceWords;

/// What every such file begins with, of whatever version.
const KIND: &str = "paytill evidence ";
/// What this format tells of an entry in words, besides the entry itself.
const TOLD: [&str; 12] = [
    "entry", "digest", "at", "after_ms", "event", "operator", "consent", "call", "state", "reason",
    "wire", "refund",
];
/// The longest path that is repeated.
const PATH: usize = 80;

/// Why a file is refused.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Changes {
    /// It is no evidence file at all, or nothing is left of one.
    Foreign,
    /// Made by a newer version, in this format.
    Newer(String),
    Found(Vec<Change>),
}

/// Something that was changed.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Change {
    /// The part at this path does not have its digest.
    Part(String),
    Missing(String),
    Added(String),
    /// The first line that is not as such a file is written.
    Line(usize),
    /// The file's own digest does not fit, though all parts do.
    Digest,
    /// What is said at this path is not what the entries say.
    Contradiction(String),
    /// The key's holder did not write this entry so.
    Entry(i64),
    /// The key's holder did not make this file so.
    Seal,
}

impl Change {
    /// In words.
    pub(super) fn sentence(&self, language: Language) -> String {
        let words = EvidenceWords::of(language);
        let path = |path: &str| crate::clean::clean(path, PATH);
        match self {
            Self::Part(part) => words.part_changed(&path(part)),
            Self::Missing(part) => words.part_missing(&path(part)),
            Self::Added(part) => words.part_added(&path(part)),
            Self::Line(line) => words.line_changed(*line),
            Self::Digest => words.digest_changed().to_owned(),
            Self::Contradiction(part) => words.contradiction(&path(part)),
            Self::Entry(number) => words.entry_changed(*number),
            Self::Seal => words.seal_changed().to_owned(),
        }
    }
}

/// What a file that was not changed shows.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Found {
    pub(super) order_no: String,
    pub(super) state: Status,
    pub(super) amount: String,
    /// How many entries the order has.
    pub(super) entries: usize,
    /// The journal's last entry, and its digest.
    pub(super) last: i64,
    pub(super) digest: String,
    pub(super) standing: Standing,
    /// The number, state and amount of each refund.
    pub(super) refunds: Vec<(String, RefundStatus, String)>,
}

/// How far that goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// Made with the key at hand.
    Proved,
    /// Consistent, and that is all.
    NoKey,
    /// The same: it was made with another key than the one at hand.
    AnotherKey,
}

/// Checks a file; with the key's seal, whether its holder made it.
pub(super) fn check(bytes: &[u8], seal: Option<&Seal>) -> Result<Found, Changes> {
    let text = std::str::from_utf8(bytes);
    let whole: Value = match text.map(serde_json::from_str) {
        Ok(Ok(whole)) => whole,
        Ok(Err(error)) => return Err(illegible(bytes, error.line())),
        Err(error) => return Err(illegible(bytes, line(bytes, error.valid_up_to()))),
    };
    let found = changes_without_key(bytes, &whole);
    match whole["format"].as_str() {
        Some(FORMAT) => {}
        Some(format) if is_newer(format) && !found.contains(&Change::Part("format".to_owned())) => {
            return Err(Changes::Newer(format.to_owned()));
        }
        _ if whole[PARTS].is_object() && !found.is_empty() => return Err(Changes::Found(found)),
        _ => return Err(Changes::Foreign),
    }
    if !found.is_empty() {
        return Err(Changes::Found(found));
    }
    let Some((records, found)) = story(&whole) else {
        return Err(Changes::Found(vec![Change::Contradiction("events".to_owned())]));
    };
    let standing = match seal {
        None => Standing::NoKey,
        Some(seal) if whole["key"].as_str() != Some(&seal.mark()) => Standing::AnotherKey,
        Some(seal) => {
            let wrong = records.iter().filter(|record| !seal.fits(record));
            let mut wrong: Vec<Change> = wrong.map(|record| Change::Entry(record.number)).collect();
            let content = form::written(&form::without(&whole, &[SEAL, DIGEST]));
            if wrong.is_empty() && whole[SEAL].as_str() != Some(&seal.over(content.as_bytes())) {
                wrong.push(Change::Seal);
            }
            if !wrong.is_empty() {
                return Err(Changes::Found(wrong));
            }
            Standing::Proved
        }
    };
    Ok(Found { standing, ..found })
}

fn illegible(bytes: &[u8], line: usize) -> Changes {
    let begins = bytes.windows(KIND.len()).take(PATH).any(|part| part == KIND.as_bytes());
    let has_parts = bytes.windows(PARTS.len() + 2).any(|part| part == b"\"parts\"");
    if begins || has_parts { Changes::Found(vec![Change::Line(line)]) } else { Changes::Foreign }
}

/// The line of a place.
fn line(bytes: &[u8], at: usize) -> usize {
    bytes[..at.min(bytes.len())].split(|byte| *byte == b'\n').count()
}

fn is_newer(format: &str) -> bool {
    let number = format.strip_prefix(KIND).and_then(|number| number.parse::<u32>().ok());
    number.is_some_and(|number| number > 1)
}

/// What anybody can see.
fn changes_without_key(bytes: &[u8], whole: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    let there = form::parts(whole);
    let claimed = whole[PARTS].as_object();
    for (path, digest) in &there {
        match claimed.and_then(|claimed| claimed.get(path)).map(Value::as_str) {
            Some(Some(said)) if said == digest => {}
            Some(_) => changes.push(Change::Part(path.clone())),
            None => changes.push(Change::Added(path.clone())),
        }
    }
    let is_there = |path: &&String| there.iter().any(|(there, _)| there == *path);
    let missing =
        claimed.into_iter().flat_map(serde_json::Map::keys).filter(|path| !is_there(path));
    changes.extend(missing.map(|path| Change::Missing(path.clone())));
    let canonical = form::written(whole);
    if changes.is_empty() && canonical.as_bytes() != bytes {
        let same = canonical.bytes().zip(bytes).take_while(|(one, other)| one == *other).count();
        changes.push(Change::Line(line(bytes, same)));
    }
    let digest = form::digest(&form::written(&form::without(whole, &[DIGEST])));
    if changes.is_empty() && whole[DIGEST].as_str() != Some(&digest) {
        changes.push(Change::Digest);
    }
    if changes.is_empty() {
        changes.extend(contradictions(whole).into_iter().map(Change::Contradiction));
    }
    changes
}

/// What the entries themselves say, against what the file says of them.
fn contradictions(whole: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some((entries, records)) = stored(whole) else { return vec!["events".to_owned()] };
    let events = whole["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (at, ((entry, call), event)) in with_calls(&entries).zip(events).enumerate() {
        let said = entry_json(entry, call);
        let differs = TOLD.into_iter().filter(|name| event[*name] != said[*name]);
        wrong.extend(differs.map(|name| format!("events[{at}].{name}")));
    }
    let mut is = |path: &str, right: bool| {
        if !right {
            wrong.push(path.to_owned());
        }
    };
    let chain = &whole["chain"];
    let digests = chain["digests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let first = chain["first"].as_i64().unwrap_or_default();
    let at = |number: i64| usize::try_from(number - first).ok().and_then(|at| digests.get(at));
    is("chain.first", events.first().is_some_and(|event| event["entry"] == chain["first"]));
    let last = i64::try_from(digests.len()).ok().map(|count| first + count - 1);
    is("chain.last", chain["last"].as_i64().is_some_and(|said| Some(said) == last));
    let mut before = first - 1;
    for (entry, event) in entries.iter().zip(events) {
        let in_line = entry.number > before && at(entry.number) == Some(&event["digest"]);
        let follows =
            entry.number == first || at(entry.number - 1).is_some_and(|it| *it == event["before"]);
        is("chain.digests", in_line && follows);
        before = entry.number;
    }
    let order = &whole["order"];
    let facts = events.first().and_then(|event| event["record"]["facts"].as_str());
    let facts: Value = facts.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    for (place, name) in [
        (0, "order_no"),
        (1, "sale"),
        (2, "channel"),
        (3, "amount"),
        (11, "currency"),
        (12, "note"),
    ] {
        is(&format!("order.{name}"), !facts[place].is_null() && facts[place] == order[name]);
    }
    // An order of an amount alone has none.
    let goods = facts[13].as_str().map(serde_json::from_str::<Value>);
    is("order.goods", order["goods"] == goods.transpose().ok().flatten().unwrap_or_default());
    let time = |place: &Value| place.as_i64().map(|at| Timestamp(at).to_rfc3339());
    is("order.created_at", time(&facts[6]).as_deref() == order["created_at"].as_str());
    if let Some(last) = last_move(&entries) {
        let proof = last.state.proof();
        is("order.state", order["state"] == last.state.status().word());
        is("order.open", order["open"] == last.state.is_open());
        let reason = last.state.reason().map(Reason::code);
        is("order.reason", order["reason"]["code"].as_str() == reason);
        is("order.updated_at", order["updated_at"] == last.at.to_rfc3339());
        is("order.at", order["at"] == last.at.to_rfc3339());
        let transaction = proof.map(|proof| proof.transaction_id.as_str());
        is("order.transaction_id", order["transaction_id"].as_str() == transaction);
        let cash = last.state.cash();
        let paid_at = proof.map(|proof| proof.paid_at).or_else(|| cash.map(|_| last.at));
        let paid_at = paid_at.map(Timestamp::to_rfc3339);
        is("order.paid_at", order["paid_at"].as_str() == paid_at.as_deref());
        let minor = |amount: Option<Money>| amount.map(Money::minor);
        is("order.tendered", order["tendered"].as_i64() == minor(cash.map(|cash| cash.tendered())));
        is("order.change", order["change"].as_i64() == minor(cash.map(|cash| cash.change())));
        is("order.left", order["left"].as_i64() == minor(cash.map(|cash| cash.left())));
        let coupon = proof.and_then(|proof| proof.coupon);
        is("order.coupon", order["coupon"].as_i64() == coupon);
    }
    // What was done with it and did not move it has its number with a minus.
    let attempt = |event: &Value| event["record"]["attempt"].as_i64();
    let first = events.first().and_then(attempt);
    let is_its = |event: &Value| first.is_some() && attempt(event).map(i64::abs) == first;
    is("events", events.iter().all(is_its));
    let operator = entries.first().and_then(|entry| entry.by.as_ref()).map(|by| &by.operator);
    is("order.operator", order["operator"].as_str() == operator.map(String::as_str));
    wrong.extend(refunds::contradictions(whole, &entries, &records));
    wrong.sort();
    wrong.dedup();
    wrong
}

/// The entries as the file has them; `None` if one cannot be read.
fn stored(whole: &Value) -> Option<(Vec<StoredEntry>, Vec<Record>)> {
    let events = whole["events"].as_array().filter(|events| !events.is_empty())?;
    let records: Vec<Record> = events.iter().map(record).collect::<Option<_>>()?;
    Some((entries_of(&records)?, records))
}

fn record(event: &Value) -> Option<Record> {
    let record = &event["record"];
    let number = |name: &str| record[name].as_i64();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(Record {
        number: event["entry"].as_i64()?,
        attempt: number("attempt")?,
        at: number("at")?,
        age: number("age")?,
        boot: number("boot")?,
        sent_at: number("sent_at")?,
        event: text(&record["event"])?,
        state: text(&record["state"])?,
        wire: text(&record["wire"])?,
        facts: text(&record["facts"])?,
        before: text(&event["before"])?,
        digest: text(&event["digest"])?,
    })
}

/// The entries, and what they come to.
fn story(whole: &Value) -> Option<(Vec<Record>, Found)> {
    let (entries, records) = stored(whole)?;
    let state = &entries.last()?.state;
    let order = &whole["order"];
    let currency = Currency::from_code(order["currency"].as_str()?)?;
    let amount = currency.group(Money::from_minor(order["amount"].as_i64()?));
    let found = Found {
        order_no: order["order_no"].as_str()?.to_owned(),
        state: state.status(),
        amount: format!("{} {amount}", currency.code()),
        entries: records.len(),
        last: whole["chain"]["last"].as_i64()?,
        digest: whole["chain"]["digests"].as_array()?.last()?.as_str()?.to_owned(),
        standing: Standing::NoKey,
        refunds: refunds::summary(&entries, &records, currency),
    };
    Some((records, found))
}
