//! An order's refunds in its evidence: what each was begun with, where it is, and its entries.

use serde_json::{Value, json};

use super::record_json;
use crate::clock::Timestamp;
use crate::journal::Record;
use crate::money::{Currency, Money};
use crate::refund::{RefundState, RefundStatus};

/// Its place in the document.
pub(super) const MEMBER: &str = "refunds";

/// A refund as its entries tell it; `None` if they cannot be read.
pub(super) fn told(records: &[Record]) -> Option<Value> {
    let last = records.last()?;
    let facts: Value = serde_json::from_str(&records.first()?.facts).ok()?;
    let state = state(last)?;
    let events: Vec<Value> = records
        .iter()
        .map(|record| {
            json!({
                "entry": record.number,
                "before": record.before,
                "digest": record.digest,
                "record": record_json(record),
            })
        })
        .collect();
    Some(json!({
        "refund_no": facts[0],
        "amount": facts[2],
        "why": facts[3],
        "created_at": Timestamp(facts[4].as_i64()?).to_rfc3339(),
        "state": state.status().word(),
        "reason": state.reason().as_ref().map(crate::payment::Reason::code),
        "at": Timestamp(last.at).to_rfc3339(),
        "refund_id": state.proof().map(|proof| proof.refund_id.as_str()),
        "events": events,
    }))
}

fn state(record: &Record) -> Option<RefundState> {
    serde_json::from_str(&record.state).ok()
}

/// How much the refunds of an order have given back.
pub(super) fn given_back(refunds: &[Vec<Record>]) -> Option<Money> {
    let (mut given, mut elsewhere) = (0_i64, 0);
    for records in refunds {
        let facts: Value = serde_json::from_str(&records.first()?.facts).ok()?;
        let state = state(records.last()?)?;
        if state.is_given() {
            given = given.saturating_add(facts[2].as_i64()?);
        }
        elsewhere = elsewhere.max(state.elsewhere().minor());
    }
    Some(Money::from_minor(given.saturating_add(elsewhere)))
}

/// The refunds' entries as a file has them; `None` if one cannot be read. A file without refunds has
/// no such member.
pub(super) fn stored(
    whole: &Value,
    record: impl Fn(&Value) -> Option<Record>,
) -> Option<Vec<Vec<Record>>> {
    let Some(refunds) = whole[MEMBER].as_array() else {
        return whole[MEMBER].is_null().then(Vec::new);
    };
    let entries = |refund: &Value| -> Option<Vec<Record>> {
        let events = refund["events"].as_array().filter(|events| !events.is_empty())?;
        events.iter().map(&record).collect()
    };
    refunds.iter().map(entries).collect()
}

/// What the entries themselves say, against what the file says of them: where it differs.
pub(super) fn contradictions(whole: &Value, refunds: &[Vec<Record>]) -> Vec<String> {
    let mut wrong = Vec::new();
    let chain = &whole["chain"];
    let first = chain["first"].as_i64().unwrap_or_default();
    let digest = |number: i64| {
        let at = usize::try_from(number - first).ok()?;
        chain["digests"].as_array()?.get(at)?.as_str()
    };
    let attempt = &whole["events"][0]["record"]["attempt"];
    for (at, records) in refunds.iter().enumerate() {
        let path = format!("{MEMBER}[{at}]");
        let facts: Option<Value> =
            records.first().and_then(|record| serde_json::from_str(&record.facts).ok());
        let is_one = records.iter().all(|record| record.attempt == records[0].attempt);
        let is_of_order = facts.is_some_and(|facts| facts[1] == *attempt);
        let in_line = records.windows(2).all(|pair| pair[0].number < pair[1].number)
            && records.iter().all(|record| {
                digest(record.number) == Some(&record.digest)
                    && digest(record.number - 1) == Some(&record.before)
            });
        if !(is_one && is_of_order && in_line && told(records).as_ref() == Some(&whole[MEMBER][at]))
        {
            wrong.push(path);
        }
    }
    if whole["order"]["refunded"].as_i64() != given_back(refunds).map(Money::minor) {
        wrong.push("order.refunded".to_owned());
    }
    wrong
}

/// For people: what each refund came to, from a file that was not changed.
pub(super) fn summary(
    refunds: &[Vec<Record>],
    currency: Currency,
) -> Vec<(String, RefundStatus, String)> {
    let one = |records: &Vec<Record>| {
        let facts: Value = serde_json::from_str(&records.first()?.facts).ok()?;
        let amount = currency.group(Money::from_minor(facts[2].as_i64()?));
        let status = state(records.last()?)?.status();
        Some((facts[0].as_str()?.to_owned(), status, format!("{} {amount}", currency.code())))
    };
    refunds.iter().filter_map(one).collect()
}
