//! Payments and refunds as others are told of them: tills in answers, the merchant's systems by webhook.

use paytill_core::clock::Timestamp;
use paytill_core::gateway::backend::message::{Payment, Refund, Told};
use paytill_core::payment::Funds;

use crate::store::{PaymentRow, RefundRow};

/// A payment as others are told of it.
pub fn payment(row: &PaymentRow, now: Timestamp) -> Payment {
    let state = &row.state;
    let proof = state.proof();
    let funds = state.money();
    let expires_at = state.qr().map(|qr| row.began_at.after(qr.expires_at()).0);
    Payment {
        out_trade_no: row.order.out_trade_no.to_string(),
        version: u64::try_from(row.version).unwrap_or(0),
        state: state.status().word().to_owned(),
        closed: !state.is_open(),
        amount: row.order.amount.minor(),
        currency: row.order.currency.code().to_owned(),
        mark: row.order.mark.clone(),
        transaction_id: proof.map(|proof| proof.transaction_id.clone()),
        paid_at: proof.map(|proof| proof.paid_at.0),
        coupon: proof.and_then(|proof| proof.coupon),
        money_held: funds == Funds::Held,
        money_returned: funds == Funds::Returned,
        reason: state.reason().map(Told::from),
        code_url: state.code_url().map(|code| code.as_str().to_owned()),
        expires_at,
        as_of: row.as_of.map(|at| at.0),
        now: now.0,
    }
}

/// A refund as others are told of it.
pub fn refund(payment: &PaymentRow, row: &RefundRow, now: Timestamp) -> Refund {
    let proof = row.state.proof();
    Refund {
        out_trade_no: row.key.payment.out_trade_no.to_string(),
        out_refund_no: row.key.out_refund_no.to_string(),
        version: u64::try_from(row.version).unwrap_or(0),
        state: row.state.status().word().to_owned(),
        counts: row.state.counts(),
        amount: row.amount.minor(),
        total: payment.order.amount.minor(),
        currency: payment.order.currency.code().to_owned(),
        refund_id: proof.map(|proof| proof.refund_id.clone()),
        done_at: proof.map(|proof| proof.done_at.0),
        reason: row.state.reason().as_ref().map(Told::from),
        now: now.0,
    }
}
