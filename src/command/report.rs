//! How an order is told to programs and to people.

use std::io::Write;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthChar;

use crate::clock::Timestamp;
use crate::engine::Attempt;
use crate::journal::OrderRow;
use crate::language::Language;
use crate::log::escape;
use crate::money::{Currency, Money};
use crate::order::AuthCode;
use crate::payment::{State, Status};
use crate::text::{reason, screen};

/// What is told of an order (interface 3).
pub struct Report<'a> {
    pub order_no: &'a str,
    pub status: Status,
    pub at: Timestamp,
    pub amount: Money,
    pub currency: Currency,
    pub created_at: Timestamp,
    pub channel: &'a str,
    pub state: &'a State,
}

impl<'a> Report<'a> {
    /// Of an attempt that just moved.
    pub fn of_attempt(attempt: &'a Attempt) -> Self {
        Self {
            order_no: attempt.out_trade_no.as_str(),
            status: attempt.state.status(),
            at: attempt.updated_at,
            amount: attempt.amount,
            currency: attempt.currency,
            created_at: attempt.created_at,
            channel: "micropay",
            state: &attempt.state,
        }
    }

    /// Of a row of the journal.
    pub fn of_row(row: &'a OrderRow) -> Self {
        Self {
            order_no: row.out_trade_no.as_str(),
            status: row.state.status(),
            at: row.updated_at,
            amount: row.amount,
            currency: row.currency,
            created_at: row.created_at,
            channel: &row.channel,
            state: &row.state,
        }
    }

    /// One line of JSON.
    pub fn json(&self, language: Language) -> Value {
        let proof = self.state.proof();
        let why = self
            .state
            .reason()
            .map(|why| json!({ "code": why.code, "text": reason::of(self.state, language) }));
        json!({
            "order_no": self.order_no,
            "state": self.status.word(),
            "at": self.at.to_rfc3339(),
            "amount": self.amount.minor(),
            "currency": self.currency.code(),
            "transaction_id": proof.map(|proof| proof.transaction_id.as_str()),
            "paid_at": proof.map(|proof| proof.paid_at.to_rfc3339()),
            "reason": why,
            "created_at": self.created_at.to_rfc3339(),
            "updated_at": self.at.to_rfc3339(),
            "refunded": 0,
            "refund_state": "none",
            "open": self.state.is_open(),
            "channel": self.channel,
        })
    }

    /// One line for people: state, amount, number, and why.
    pub fn line(&self, language: Language) -> String {
        let word = screen::of(language).word(self.status);
        let amount = self.currency.show(self.amount);
        let line = format!("{word}  {} {amount}  {}", self.currency.code(), self.order_no);
        match (self.state.proof(), reason::of(self.state, language)) {
            (Some(proof), _) => format!("{line}  {}", proof.transaction_id),
            (None, Some(why)) => format!("{line}  {why}"),
            (None, None) => line,
        }
    }
}

/// Prints a line on standard output, and tells if that cannot be. Whether anybody reads it changes
/// nothing for a payment. What could command a terminal is escaped, wherever the line came from.
pub fn say(line: &str) -> bool {
    let line = &harmless(line);
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => true,
        // Whoever read it has read enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => true,
        Err(error) => {
            // In no language: this is of the stream, and the line itself is in the right one.
            tell(&format!("paytill: stdout: {error}: {line}"));
            false
        }
    }
}

/// Prints a line for people on standard error, as [`say`] does, with payment codes masked: whatever
/// was typed in the wrong place may be one.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", harmless(&masked(line)));
}

/// Marks that may stand on one character, as everywhere.
const MARKS_MAX: usize = 2;

/// The line with nothing in it that commands a terminal or smears over other lines.
fn harmless(line: &str) -> String {
    let mut marks = 0;
    let is_kept = |character: &char| {
        marks = if character.width() == Some(0) { marks + 1 } else { 0 };
        marks <= MARKS_MAX
    };
    escape(line).chars().filter(is_kept).collect()
}

/// The text with every payment code in it masked.
fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
        let word = &rest[start..];
        let end = word.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(word.len());
        masked.push_str(&rest[..start]);
        match AuthCode::new(&word[..end]) {
            Some(code) => masked.push_str(&code.masked()),
            None => masked.push_str(&word[..end]),
        }
        rest = &word[end..];
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payment_codes_are_masked_and_numbers_of_orders_are_not() {
        let code = "134567890123456789";
        assert_eq!(
            masked(&format!("'{code}' 余 {code}")),
            "'13************6789' 余 13************6789"
        );
        for plain in
            ["T01261122113000123456", "4200001234202611220123456789", "x134567890123456789"]
        {
            assert_eq!(masked(plain), plain);
        }
    }
}
