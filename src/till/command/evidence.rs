//! `paytill evidence`: one file that shows what happened to an order, and the check of such a file.
//!
//! The file holds the order as `show` prints it, each of its entries as the journal's digests cover
//! them, and the digests to the journal's end. It has one form: every byte counts. Its parts have
//! digests of their own, so that a change can be named; what cannot be made without the journal's
//! key are the entries' digests and the seal on the whole.

mod check;
mod form;
mod refunds;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::orders::{entry_json, no_such, nothing_yet, one, with_calls};
use super::output::{print_line, print_message, put_new};
use super::report::OrderReport;
use super::{Exit, Failure};
use crate::cli::Evidence;
use crate::clock::{Millis, Timestamp};
use crate::config::Config;
use crate::journal::{
    ChainProof, JournalReader, OrderRow, Record, Seal, StoredEntry, StoredEvent, Told,
};
use crate::language::Language;
use crate::payment::State;
use crate::text::{evidence as text, reason, refund, system};
use check::{Changes, Standing};

/// What the file is, and by which rules it is made.
const FORMAT: &str = "paytill evidence 1";
/// Far more than the digests of some years.
const LARGEST: u64 = 256 << 20;

/// Writes the evidence of one order.
pub fn write(evidence: &Evidence, config: &Config, now: Timestamp) -> Result<Exit, Failure> {
    let number = evidence.order_no.as_deref().unwrap_or_default();
    let none = || no_such(number, config);
    let key = config.journal.key_file.as_deref();
    let Some(reader) = JournalReader::open(&config.journal.path, key)? else {
        nothing_yet(false, config);
        return Err(none());
    };
    let mut row = one(&reader, number, config)?.ok_or_else(none)?;
    let proof = reader.proof(row.attempt)?;
    let entries = entries_of(&proof.records).filter(|entries| !entries.is_empty());
    let entries = entries.ok_or_else(none)?;
    // A till may have written more since it was found.
    if let Some(last) = last_move(&entries) {
        (row.state, row.updated_at) = (last.state.clone(), last.at);
    }
    row.refunded = refunds::given_back(&entries, &proof.records).ok_or_else(none)?;
    let about = json!({
        "format": FORMAT,
        "shows": { "en": text::shows(Language::English), "zh-CN": text::shows(Language::Chinese) },
        "made_at": now.to_rfc3339(),
        "made_by": concat!("paytill ", env!("CARGO_PKG_VERSION")),
        "store": config.store.name,
        "till": config.till.id.as_str(),
    });
    let whole = form::written(&document(about, &row, &entries, &proof, &reader.seal()));
    let Some(file) = &evidence.out else {
        return Ok(if print_line(whole.trim_end()) { Exit::Done } else { Exit::Fault });
    };
    put_new(file, whole.as_bytes()).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(Exit::Usage, text::is_there(file)),
        _ => Failure::new(Exit::Fault, text::not_written(file).because(&system::text(&error))),
    })?;
    let words = text::EvidenceWords::of(config.till.language);
    print_message(&words.written(&file.display().to_string(), row.out_trade_no.as_str()));
    print_message(words.without_key());
    Ok(Exit::Done)
}

/// Everything that is known of an order, its proof, and what makes changes show.
fn document(
    about: Value,
    row: &OrderRow,
    entries: &[StoredEntry],
    proof: &ChainProof,
    seal: &Seal,
) -> Value {
    let mut order = OrderReport::of_row(row).json(Language::English);
    if order["reason"].is_object() {
        order["reason"]["text_zh"] = reason::of(&row.state, Language::Chinese).into();
    }
    order["sale"] = row.sale.into();
    order["note"] = row.note.clone().into();
    if !row.sold.is_bare() {
        order["goods"] = serde_json::to_value(&*row.sold).unwrap_or_default();
    }
    let events = with_calls(entries).zip(&proof.records).map(|((entry, call), record)| {
        let mut event = entry_json(entry, call);
        event["before"] = record.before.clone().into();
        event["record"] = record_json(record);
        event
    });
    let mut whole = about;
    whole["order"] = order;
    whole["events"] = events.collect();
    let given = refunds::told(entries, &proof.records).unwrap_or_default();
    if !given.is_empty() {
        whole[refunds::MEMBER] = given.into();
    }
    let last = proof.first + i64::try_from(proof.digests.len()).unwrap_or(i64::MAX) - 1;
    whole["chain"] = json!({ "first": proof.first, "last": last, "digests": proof.digests });
    whole["key"] = seal.mark().into();
    let parts: Map<String, Value> =
        form::parts(&whole).into_iter().map(|(part, digest)| (part, digest.into())).collect();
    whole[form::PARTS] = parts.into();
    whole[form::SEAL] = seal.over(form::written(&whole).as_bytes()).into();
    whole[form::DIGEST] = form::digest(&form::written(&whole)).into();
    whole
}

/// The entry that left the order where it is.
fn last_move(entries: &[StoredEntry]) -> Option<&StoredEntry> {
    entries.iter().rev().find(|entry| matches!(entry.event, StoredEvent::Payment(_)))
}

/// The entries as they are read; `None` if one cannot be.
fn entries_of(records: &[Record]) -> Option<Vec<StoredEntry>> {
    let mut entries: Vec<StoredEntry> = Vec::new();
    for record in records {
        let entry = entry_of(record, entries.last().map(|last| &last.state))?;
        entries.push(entry);
    }
    Some(entries)
}

fn entry_of(record: &Record, before: Option<&State>) -> Option<StoredEntry> {
    let Record { event, state, facts, .. } = record;
    let Told { event, by, state } = Told::read(event, state, facts, before).ok()?;
    Some(StoredEntry {
        number: record.number,
        digest: record.digest.clone(),
        at: Timestamp(record.at),
        age: Millis(u64::try_from(record.age).ok()?),
        event,
        by,
        state,
        wire: record.wire.clone(),
    })
}

/// An entry as stored, word for word. Its number and digests stand with its event.
fn record_json(record: &Record) -> Value {
    json!({
        "attempt": record.attempt,
        "at": record.at,
        "age": record.age,
        "boot": record.boot,
        "sent_at": record.sent_at,
        "event": record.event,
        "state": record.state,
        "wire": record.wire,
        "facts": record.facts,
    })
}

/// Checks such a file without a journal, and names what was changed.
pub fn verify(file: &Path, config: &Config) -> Result<Exit, Failure> {
    let language = config.till.language;
    let words = text::EvidenceWords::of(language);
    let bytes = File::open(file).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = bytes.map_err(|error| {
        Failure::new(Exit::Usage, text::not_read(file).because(&system::text(&error)))
    })?;
    let seal = match Seal::of(&config.journal.path, config.journal.key_file.as_deref()) {
        Ok(seal) => seal,
        Err(fault) => {
            print_message(&text::key_unusable(&fault, language));
            None
        }
    };
    let name = file.display().to_string();
    let (summary, exit) = match check::check(&bytes, seal.as_ref()) {
        Err(Changes::Foreign) => return Err(Failure::new(Exit::Journal, text::foreign(file))),
        Err(Changes::Newer(format)) => {
            return Err(Failure::new(Exit::Journal, text::newer(file, &format)));
        }
        Err(Changes::Found(changes)) => {
            for change in &changes {
                print_message(&format!("{name}: {}", change.sentence(language)));
            }
            return Err(Failure::new(Exit::Journal, text::changed(file)));
        }
        Ok(found) => {
            let exit = match found.standing {
                Standing::Proved => Exit::Done,
                Standing::NoKey | Standing::AnotherKey => Exit::Attention,
            };
            (found, exit)
        }
    };
    let check::Found { order_no, state, amount, entries, last, digest, standing, refunds } =
        summary;
    let status = crate::text::screen::ScreenWords::of(language).word(state);
    print_line(&words.is_whole(&name, &order_no, status, &amount));
    for (number, status, amount) in refunds {
        print_line(&format!("{}  {amount}  {number}", refund::word(status, language)));
    }
    print_line(&match standing {
        Standing::Proved => words.proved(entries, last, &crate::text::copies::seal(&digest)),
        Standing::NoKey => words.no_key().to_owned(),
        Standing::AnotherKey => words.another_key().to_owned(),
    });
    Ok(exit)
}
