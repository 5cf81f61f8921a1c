//! What the event of a refund's entry says, as text: which refund it is, what happened to it, and whose
//! doing it was.

use serde::{Deserialize, Serialize};

use paytill_core::engine::{By, RefundEntry};
use paytill_core::refund::{RefundEvent, RefundState};

/// The start of a refund's event; its number follows.
pub(super) const REFUND: &str = "{\"refund\":";
/// And of its first one behind that.
pub(super) const BEGUN: &str = ",\"event\":\"Begun\"";

/// A refund's event as stored.
#[derive(Deserialize, Serialize)]
struct StoredEventOf {
    refund: i64,
    event: RefundEvent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<By>,
}

/// What happened to a refund, and where it led.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ToldOfRefund {
    /// Its number in the journal.
    pub refund: i64,
    pub event: RefundEvent,
    pub state: RefundState,
}

/// Reads an entry's texts, if it is one of a refund.
pub(super) fn told(
    event: &str,
    state: &str,
) -> Result<Option<(ToldOfRefund, Option<By>)>, serde_json::Error> {
    if !event.starts_with(REFUND) {
        return Ok(None);
    }
    let StoredEventOf { refund, event, by } = serde_json::from_str(event)?;
    Ok(Some((ToldOfRefund { refund, event, state: serde_json::from_str(state)? }, by)))
}

/// Whose doing it was.
pub(super) fn by(event: &str) -> Result<Option<By>, serde_json::Error> {
    Ok(serde_json::from_str::<StoredEventOf>(event)?.by)
}

/// An entry's event as it is stored.
pub(super) fn text(entry: &RefundEntry) -> Result<String, serde_json::Error> {
    let RefundEntry { refund, event, by, .. } = entry;
    serde_json::to_string(&StoredEventOf { refund: *refund, event: event.clone(), by: by.clone() })
}

/// Which refund an entry is about, by its event, and whether it is the first one.
pub(super) fn refund_of(event: &str) -> Option<(i64, bool)> {
    let (number, rest) =
        event.strip_prefix(REFUND)?.split_at_checked(event[REFUND.len()..].find(',')?)?;
    Some((number.parse().ok()?, rest.starts_with(BEGUN)))
}
