//! An order's refunds in its evidence: what each was begun with, and where it is. Their entries stand
//! among the order's.

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::journal::{Record, StoredEntry, StoredEvent};
use crate::money::{Currency, Money};
use crate::refund::RefundStatus;

/// Its place in the document.
pub(super) const MEMBER: &str = "refunds";

/// A refund by its entries.
struct Story<'a> {
    id: i64,
    /// What it was begun with.
    facts: Value,
    /// Its last entry, and where that left it.
    last: &'a StoredEntry,
}

impl Story<'_> {
    fn amount(&self) -> Option<Money> {
        self.facts[2].as_i64().map(Money::from_minor)
    }

    fn state(&self) -> Option<&crate::refund::RefundState> {
        match &self.last.event {
            StoredEvent::Refund(told) => Some(&told.state),
            StoredEvent::Payment(_) | StoredEvent::Act(_) => None,
        }
    }
}

/// The refunds that an order's entries tell of, oldest first.
fn stories<'a>(entries: &'a [StoredEntry], records: &[Record]) -> Option<Vec<Story<'a>>> {
    let mut stories: Vec<Story<'a>> = Vec::new();
    for (entry, record) in entries.iter().zip(records) {
        let StoredEvent::Refund(told) = &entry.event else { continue };
        if let Some(story) = stories.iter_mut().find(|story| story.id == told.refund) {
            story.last = entry;
            continue;
        }
        let facts: Value = serde_json::from_str(&record.facts).ok()?;
        // It is of this order.
        if facts[1].as_i64() != record.attempt.checked_neg() {
            return None;
        }
        stories.push(Story { id: told.refund, facts, last: entry });
    }
    Some(stories)
}

/// The refunds as their entries tell them; `None` if they cannot be read.
pub(super) fn told(entries: &[StoredEntry], records: &[Record]) -> Option<Vec<Value>> {
    let told = |story: &Story<'_>| {
        let state = story.state()?;
        Some(json!({
            "id": story.id,
            "refund_no": story.facts[0],
            "amount": story.facts[2],
            "why": story.facts[3],
            "created_at": Timestamp(story.facts[4].as_i64()?).to_rfc3339(),
            "state": state.status().word(),
            "reason": state.reason().as_ref().map(crate::payment::Reason::code),
            "at": story.last.at.to_rfc3339(),
            "refund_id": state.proof().map(|proof| proof.refund_id.as_str()),
        }))
    };
    stories(entries, records)?.iter().map(told).collect()
}

/// How much the refunds of an order have given back.
pub(super) fn given_back(entries: &[StoredEntry], records: &[Record]) -> Option<Money> {
    let (mut given, mut elsewhere) = (0_i64, 0);
    for story in stories(entries, records)? {
        let state = story.state()?;
        if state.is_given() {
            given = given.saturating_add(story.amount()?.minor());
        }
        elsewhere = elsewhere.max(state.elsewhere().minor());
    }
    Some(Money::from_minor(given.saturating_add(elsewhere)))
}

/// What the entries themselves say, against what the file says of them: where it differs. A file
/// without refunds has no such member.
pub(super) fn contradictions(
    whole: &Value,
    entries: &[StoredEntry],
    records: &[Record],
) -> Vec<String> {
    let mut wrong = Vec::new();
    let told = told(entries, records);
    let is_absent = whole[MEMBER].is_null() && told.as_ref().is_some_and(Vec::is_empty);
    if !is_absent && told.map(Value::Array).as_ref() != Some(&whole[MEMBER]) {
        wrong.push(MEMBER.to_owned());
    }
    let given = given_back(entries, records).map(Money::minor);
    // Files from before there were refunds say nothing of them.
    if whole["order"]["refunded"].as_i64().or(Some(0)) != given {
        wrong.push("order.refunded".to_owned());
    }
    wrong
}

/// For people: what each refund came to, from a file that was not changed.
pub(super) fn summary(
    entries: &[StoredEntry],
    records: &[Record],
    currency: Currency,
) -> Vec<(String, RefundStatus, String)> {
    let one = |story: &Story<'_>| {
        let amount = currency.group(story.amount()?);
        let status = story.state()?.status();
        Some((story.facts[0].as_str()?.to_owned(), status, format!("{} {amount}", currency.code())))
    };
    stories(entries, records).unwrap_or_default().iter().filter_map(one).collect()
}
