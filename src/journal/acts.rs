//! Who did what: the names beside entries, and entries for what moves no payment.
//!
//! All of it is in the one chain. An order's first entry has its operator among what the order was
//! begun with; any other has it beside the event. What concerns an order and does not move it is an
//! entry of minus that attempt, without a state; what concerns none is one of attempt 0.

use rusqlite::{OptionalExtension as _, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::EntryRow;
use super::key::Key;
use super::refund_event::{self, ToldOfRefund};
use super::{Journal, JournalError, Tip, insert_row};
use paytill_core::engine::{Act, ActKind, By};
use paytill_core::order::OutTradeNo;
use paytill_core::payment::{Event, State};

/// The start of an event that a person brought about, and of an act. An event alone begins with
/// neither.
const BY: &str = "{\"by\":";
pub(super) const ACT: &str = "{\"act\":";
/// Where the request is among an order's facts.
const REQUEST: usize = 4;

#[derive(Deserialize, Serialize)]
struct EventBy {
    by: By,
    event: Event,
}

#[derive(Deserialize, Serialize)]
pub(super) struct StoredAct {
    pub(super) act: ActKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<By>,
}

/// What an entry is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StoredEvent {
    Payment(Event),
    Act(ActKind),
    Refund(Box<ToldOfRefund>),
}

impl From<Event> for StoredEvent {
    fn from(event: Event) -> Self {
        Self::Payment(event)
    }
}

/// What an entry says in words of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    pub event: StoredEvent,
    pub by: Option<By>,
    /// Where the order was then.
    pub state: State,
}

impl Told {
    /// Reads the texts of an entry. `facts`: of an order's first entry, else empty; `before`: where
    /// the order was, which an act or a refund leaves as it is.
    pub fn read(
        event: &str,
        state: &str,
        facts: &str,
        before: Option<&State>,
    ) -> Result<Self, serde_json::Error> {
        if let (Some((told, by)), Some(before)) = (refund_event::told(event, state)?, before) {
            let event = StoredEvent::Refund(Box::new(told));
            return Ok(Self { event, by, state: before.clone() });
        }
        let (event, by) = if event.starts_with(ACT) {
            let StoredAct { act, by } = serde_json::from_str(event)?;
            (StoredEvent::Act(act), by)
        } else if event.starts_with(BY) {
            let EventBy { by, event } = serde_json::from_str(event)?;
            (StoredEvent::Payment(event), Some(by))
        } else {
            (StoredEvent::Payment(serde_json::from_str(event)?), begun_by(facts)?)
        };
        let state = match before {
            Some(before) if state.is_empty() => before.clone(),
            _ => serde_json::from_str(state)?,
        };
        Ok(Self { event, by, state })
    }
}

/// Who began an order, by its facts.
fn begun_by(facts: &str) -> Result<Option<By>, serde_json::Error> {
    if facts.is_empty() {
        return Ok(None);
    }
    let facts: Value = serde_json::from_str(facts)?;
    let request: Value = serde_json::from_str(facts[REQUEST].as_str().unwrap_or_default())?;
    match &request["by"] {
        Value::Null => Ok(None),
        by => serde_json::from_value(by.clone()),
    }
}

/// An event as it is stored. An order's first has its operator elsewhere.
pub(super) fn event_text(event: &Event, by: Option<&By>) -> Result<String, serde_json::Error> {
    match by.filter(|_| *event != Event::Begun) {
        Some(by) => serde_json::to_string(&EventBy { by: by.clone(), event: event.clone() }),
        None => serde_json::to_string(event),
    }
}

/// Writes an act into the chain; `attempt` is 0 if it concerns none.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    key: &Key,
    tip: Tip,
    act: &Act,
    attempt: i64,
) -> Result<Tip, JournalError> {
    let stored = StoredAct { act: act.kind.clone(), by: act.by.clone() };
    let row = EntryRow {
        seq: tip.seq + 1,
        attempt: -attempt,
        at: act.at.0,
        age: 0,
        boot: 0,
        sent_at: 0,
        event: serde_json::to_string(&stored)?,
        state: String::new(),
        wire: String::new(),
    };
    let chain = insert_row(transaction, key, &row, &tip.chain, "")?;
    Ok(Tip { seq: row.seq, chain })
}

impl Journal {
    /// Writes down what a person did that concerns no order. Its errors are as final as those of
    /// [`Journal::append`].
    pub fn append_act(&mut self, act: &Act) -> Result<(), JournalError> {
        self.commit(|transaction, key, tip| Ok(((), insert(transaction, key, tip, act, 0)?)))
    }

    /// As [`Journal::append_act`], for what concerns these orders: all of it or nothing. `false`: there
    /// is no such order, and nothing was written.
    pub fn append_acts_of(&mut self, acts: &[(Act, OutTradeNo)]) -> Result<bool, JournalError> {
        self.commit(|transaction, key, before| {
            let mut tip = before;
            let mut of_order =
                transaction.prepare_cached("SELECT id FROM attempt WHERE out_trade_no = ?")?;
            let mut attempts = Vec::new();
            for (_, order) in acts {
                let found: Option<i64> =
                    of_order.query_row([order.as_str()], |row| row.get(0)).optional()?;
                let Some(attempt) = found else { return Ok((false, before)) };
                attempts.push(attempt);
            }
            for ((act, _), attempt) in acts.iter().zip(attempts) {
                tip = insert(transaction, key, tip, act, attempt)?;
            }
            Ok((true, tip))
        })
    }
}
