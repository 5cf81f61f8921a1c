//! Rows of a bill as the merchant's backend tells its tills of them.

use std::borrow::Cow;

use super::amount::Exact;
use super::beijing;
use super::row::{BeijingTime, RefundState, Row, RowKind, number};
use crate::clock::Timestamp;
use crate::gateway::backend::bills::BillRow;
use crate::money::{Currency, Money};

impl Row<'_> {
    /// As a till is told of it.
    pub fn told(&self) -> BillRow {
        BillRow {
            kind: kind(self.kind).to_owned(),
            at: self.at.timestamp().unwrap_or_default().0,
            out_trade_no: self.order_no.clone().into_owned(),
            transaction_id: self.transaction_id.clone().into_owned(),
            currency: self.currency.code().to_owned(),
            amount: self.amount.minor(),
            settled: self.settled.minor(),
            out_refund_no: self.refund_no.clone().into_owned(),
            refund: self.refund.minor(),
            refund_settled: self.refund_settled.minor(),
            refund_state: state(self.refund_state).to_owned(),
            fee: self.fee.show(),
        }
    }

    /// The row that a till was told of, the `line`th; `None` if it is none.
    pub fn of_told(told: &BillRow, line: u64) -> Option<Row<'_>> {
        let kinds = [RowKind::Paid, RowKind::Refund, RowKind::Revoked];
        let states = [
            RefundState::None,
            RefundState::Done,
            RefundState::Processing,
            RefundState::Failed,
            RefundState::Abnormal,
        ];
        let at = Timestamp(told.at).local("%Y%m%d%H%M%S", &beijing());
        let row = Row {
            line,
            kind: kinds.into_iter().find(|known| kind(*known) == told.kind)?,
            at: BeijingTime::read(&at)?,
            sub_merchant: Cow::Borrowed(""),
            transaction_id: number(&told.transaction_id),
            order_no: number(&told.out_trade_no),
            currency: Currency::from_code(&told.currency)?,
            amount: Money::from_minor(told.amount),
            settled: Money::from_minor(told.settled),
            refund_no: number(&told.out_refund_no),
            refund: Money::from_minor(told.refund),
            refund_settled: Money::from_minor(told.refund_settled),
            // A word of a newer backend is no proof of anything.
            refund_state: states
                .into_iter()
                .find(|known| state(*known) == told.refund_state)
                .unwrap_or(RefundState::Unknown),
            fee: if told.fee.is_empty() { Exact::default() } else { Exact::read(&told.fee)? },
        };
        (!row.order_no.is_empty()).then_some(row)
    }
}

const fn kind(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Paid => "paid",
        RowKind::Refund => "refunded",
        RowKind::Revoked => "reversed",
    }
}

const fn state(state: RefundState) -> &'static str {
    match state {
        RefundState::None => "",
        RefundState::Done => "done",
        RefundState::Processing => "processing",
        RefundState::Failed => "failed",
        RefundState::Abnormal => "abnormal",
        RefundState::Unknown => "unknown",
    }
}
