//! What came of a comparison, as programs read it (interface 3).

use serde_json::{Value, json};

use super::BillWords;
use crate::bill::compare::{Difference, Outcome, Side, Sums};
use crate::clock::{Date, Timestamp};
use crate::language::Language;
use crate::money::Currency;

/// One difference; amounts in minor units.
pub fn difference(found: &Difference, language: Language) -> Value {
    let side = |side: &Side| {
        json!({
            "state": side.state,
            "amount": side.amount.minor(),
            "currency": side.currency.code(),
        })
    };
    let named = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    json!({
        "kind": found.cause.kind().word(),
        "cause": found.cause.word(),
        "order_no": found.order_no,
        "refund_no": named(&found.refund_no),
        "transaction_id": named(&found.transaction_id),
        "at": found.at.map(Timestamp::to_rfc3339),
        "here": found.here.as_ref().map(side),
        "bill": found.bill.as_ref().map(side),
        "text": BillWords::of(language).cause(found.cause),
    })
}

/// The sums of a day and how many rows there were, in the bill too; amounts in minor units.
pub fn sums(outcome: &Outcome, day: Date, bill_rows: u64, currency: Currency) -> Value {
    let mut value = sums_of(&outcome.sums.own, currency);
    let others = outcome.sums.others.iter().map(|(till, of)| {
        let mut value = sums_of(of, currency);
        value["till"] = till.as_str().into();
        value
    });
    value["others"] = others.collect();
    value["matched"] = outcome.matched.into();
    value["differ"] = outcome.differ().into();
    value["not_listed"] = outcome.not_listed.into();
    value["bill_rows"] = bill_rows.into();
    value["journal_rows"] = outcome.journal_rows.into();
    value["day"] = day.to_string().into();
    value["currency"] = currency.code().into();
    value
}

fn sums_of(sums: &Sums, currency: Currency) -> Value {
    json!({
        "rows": sums.rows,
        "payments": sums.payments,
        "paid": sums.paid.rounded(currency).minor(),
        "refunds": sums.refunds,
        "refunded": sums.refunded.rounded(currency).minor(),
        "fees": sums.fees.rounded(currency).minor(),
        "net": sums.net().rounded(currency).minor(),
    })
}
