//! How a payment is reported to programs and to people: as the till does it (interface 3), with the
//! till that it is of.

use serde_json::{Value, json};

use paytill_core::clock::{TimeZone, Timestamp};
use paytill_core::language::Language;
use paytill_core::money::Money;
use paytill_core::payment::{Event, Reason};
use paytill_core::say;
use paytill_core::text::{history, reason, refund as refund_text, status};

use super::print_line;
use crate::store::{EventRow, PaymentRow, RefundRow};

/// A payment and its refunds.
pub(super) struct Report<'a> {
    pub(super) row: &'a PaymentRow,
    pub(super) refunds: &'a [RefundRow],
}

impl Report<'_> {
    /// How much was given back, whoever did it.
    fn refunded(&self) -> Money {
        let given = self.refunds.iter().filter(|refund| refund.state.is_given());
        let given = given.fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.minor()));
        let elsewhere = self.refunds.iter().map(|refund| refund.state.elsewhere().minor());
        Money::from_minor(given.saturating_add(elsewhere.max().unwrap_or(0)))
    }

    /// Prints it, for programs or for people.
    pub(super) fn print(&self, json: bool, zone: &TimeZone, language: Language) {
        print_line(&if json { self.json(language).to_string() } else { self.line(zone, language) });
    }

    /// One line of JSON; amounts in minor units.
    pub(super) fn json(&self, language: Language) -> Value {
        let PaymentRow { order, state, channel, store, till, version, .. } = self.row;
        let proof = state.proof();
        let why = state
            .reason()
            .map(|why| json!({ "code": why.code(), "text": reason::of(state, language) }));
        let refunded = self.refunded().minor();
        let refund_state = match refunded {
            0 => "none",
            part if part < order.amount.minor() => "partly",
            _ => "fully",
        };
        json!({
            "order_no": order.out_trade_no.as_str(),
            "state": state.status().word(),
            "at": self.row.updated_at.to_rfc3339(),
            "amount": order.amount.minor(),
            "currency": order.currency.code(),
            "coupon": proof.and_then(|proof| proof.coupon),
            "transaction_id": proof.map(|proof| proof.transaction_id.as_str()),
            "paid_at": proof.map(|proof| proof.paid_at.to_rfc3339()),
            "reason": why,
            "created_at": self.row.created_at.to_rfc3339(),
            "updated_at": self.row.updated_at.to_rfc3339(),
            "refunded": refunded,
            "refund_state": refund_state,
            "open": state.is_open(),
            "channel": channel.word(),
            // Who works at a till is not told to the backend.
            "operator": null,
            "store": store,
            "till": till,
            "version": version,
        })
    }

    /// One line for people.
    pub(super) fn line(&self, zone: &TimeZone, language: Language) -> String {
        let PaymentRow { order, state, store, till, .. } = self.row;
        let time = self.row.created_at.local("%Y-%m-%d %H:%M:%S", zone);
        let (code, amount) = (order.currency.code(), order.currency.group(order.amount));
        let refunded = self.refunded();
        let more = match (state.proof(), reason::of(state, language)) {
            (Some(proof), _) if refunded > Money::default() => say!(
                language,
                "{id}  refunded {refunded}",
                "{id}  已退款 {refunded}",
                id = proof.transaction_id,
                refunded = order.currency.group(refunded)
            ),
            (Some(proof), _) => proof.transaction_id.clone(),
            (None, why) => why.unwrap_or_default(),
        };
        let (word, number) = (status::of(state, language), &order.out_trade_no);
        let line = format!("{time}  {store} {till}  {word}  {code} {amount}  {number}  {more}");
        line.trim_end().to_owned()
    }
}

/// A refund as a line of JSON.
pub(super) fn refund_json(refund: &RefundRow, row: &PaymentRow, language: Language) -> Value {
    let state = &refund.state;
    let why = state.reason().map(|why| {
        let text = refund_text::of(state, row.order.currency, language);
        json!({ "code": why.code(), "text": text })
    });
    json!({
        "order_no": row.order.out_trade_no.as_str(),
        "refund_no": refund.key.out_refund_no.as_str(),
        "state": state.status().word(),
        "amount": refund.amount.minor(),
        "reason": why,
        "at": refund.updated_at.to_rfc3339(),
        "refund_id": state.proof().map(|proof| proof.refund_id.as_str()),
        "open": state.is_open(),
        "why": refund.reason,
        "approved_by": refund.approved_by,
        "till": refund.till,
        "created_at": refund.created_at.to_rfc3339(),
    })
}

/// A refund as a line for people.
pub(super) fn refund_line(refund: &RefundRow, row: &PaymentRow, language: Language) -> String {
    let currency = row.order.currency;
    let word = refund_text::word(refund.state.status(), language);
    let (code, amount) = (currency.code(), currency.group(refund.amount));
    let (number, reason) = (&refund.key.out_refund_no, &refund.reason);
    let why = refund_text::of(&refund.state, currency, language).unwrap_or_default();
    format!("  {word}  {code} {amount}  {number}  {reason}  {why}").trim_end().to_owned()
}

/// An event as a line of JSON.
pub(super) fn event_json(event: &EventRow, began_at: Timestamp) -> Value {
    let told = match &event.event {
        Event::Answered(_, answer) => answer.reason().map(Reason::code),
        Event::Begun
        | Event::Tick
        | Event::Cancel
        | Event::MerchantChanged
        | Event::Settled(_)
        | Event::Billed { .. }
        | Event::CheckNow
        | Event::Restarted { .. } => None,
    };
    let wire = event.wire.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    json!({
        "version": event.version,
        "at": event.at.to_rfc3339(),
        "after_ms": event.at.0.saturating_sub(began_at.0),
        "event": history::event_words(&event.event),
        "state": event.status,
        "reason": told,
        "wire": wire.collect::<serde_json::Map<String, Value>>(),
    })
}

/// An event as lines for people, with what came with it.
pub(super) fn event_lines(
    event: &EventRow,
    began_at: Timestamp,
    zone: &TimeZone,
    language: Language,
) -> Vec<String> {
    let after = event.at.0.saturating_sub(began_at.0).max(0);
    let (seconds, tenths) = (after / 1000, after % 1000 / 100);
    let time = event.at.local("%Y-%m-%d %H:%M:%S%.3f", zone);
    let what = history::event(&event.event, language);
    let state = paytill_core::payment::Status::from_word(&event.status)
        .map_or(event.status.as_str(), |known| status::word(known, language));
    let after = format!("+{seconds}.{tenths}s");
    let mut lines = vec![format!("{time} {after:>6} {what}  {state}")];
    let fields = event.wire.iter();
    lines.extend(fields.map(|(name, value)| format!("{:28}{name}: {value}", "")));
    lines
}
