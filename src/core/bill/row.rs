//! One row of a bill.

use std::borrow::Cow;

use super::amount::Exact;
use super::columns::{Column, Header};
use super::fault::RowFault;
use crate::clean::clean;
use crate::clock::{Date, Timestamp};
use crate::money::{Currency, Money};

/// How much of a value is kept, in cells.
const VALUE_CELLS: usize = 64;

/// A row: a payment, or money that goes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    pub line: u64,
    pub kind: RowKind,
    /// When it was paid, or when the refund was asked for.
    pub at: BeijingTime,
    /// Empty for a merchant without a service provider.
    pub sub_merchant: Cow<'a, str>,
    pub transaction_id: Cow<'a, str>,
    pub order_no: Cow<'a, str>,
    pub currency: Currency,
    /// The order's whole amount.
    pub amount: Money,
    /// What of it is settled with the merchant.
    pub settled: Money,
    /// The merchant's number of the refund; empty if there is none.
    pub refund_no: Cow<'a, str>,
    /// What goes back to the customer.
    pub refund: Money,
    /// What of it is taken from the merchant.
    pub refund_settled: Money,
    pub refund_state: RefundState,
    /// Negative where the gateway gives it back.
    pub fee: Exact,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RowKind {
    Paid,
    Refund,
    /// A payment by code that was reversed.
    Revoked,
}

/// How far a refund had come when the bill was made. It is not updated later.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefundState {
    /// There is no refund in the row.
    None,
    Done,
    Processing,
    /// Nothing was given back.
    Failed,
    /// The customer's bank did not take it: a person must look.
    Abnormal,
    Unknown,
}

impl RefundState {
    /// Whether the customer does not have the money.
    pub const fn is_failed(self) -> bool {
        matches!(self, Self::Failed | Self::Abnormal)
    }
}

/// A moment in Beijing, as the bill writes it: `YYYYMMDDhhmmss`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct BeijingTime([u8; 14]);

impl BeijingTime {
    /// Reads `2026-11-22 12:03:01`; old samples have full-width colons.
    pub fn read(text: &str) -> Option<Self> {
        let mut digits = [0; 14];
        let mut length = 0;
        for mark in text.chars() {
            match mark {
                '0'..='9' => {
                    *digits.get_mut(length)? = u8::try_from(mark).ok()?;
                    length += 1;
                }
                '-' | '/' | ' ' | ':' | '：' => {}
                _ => return None,
            }
        }
        let time = Self(digits);
        (length == digits.len() && time.timestamp().is_some()).then_some(time)
    }

    /// The digits.
    pub fn digits(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub fn timestamp(&self) -> Option<Timestamp> {
        Timestamp::from_beijing(self.digits())
    }

    /// The calendar day in Beijing.
    pub fn day(&self) -> Option<Date> {
        let (year, rest) = self.digits().split_at_checked(4)?;
        let (month, rest) = rest.split_at_checked(2)?;
        Date::new(year.parse().ok()?, month.parse().ok()?, rest.get(..2)?.parse().ok()?).ok()
    }
}

/// The sums of the columns that a bill's totals are about.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) rows: u64,
    pub(super) settled: Exact,
    pub(super) whole: Exact,
    pub(super) refund_settled: Exact,
    pub(super) refund_whole: Exact,
    pub(super) coupon_refund: Exact,
    pub(super) fee: Exact,
}

impl Sums {
    pub(super) fn add(&mut self, row: &Self) {
        self.rows += row.rows;
        self.settled = self.settled.plus(row.settled);
        self.whole = self.whole.plus(row.whole);
        self.refund_settled = self.refund_settled.plus(row.refund_settled);
        self.refund_whole = self.refund_whole.plus(row.refund_whole);
        self.coupon_refund = self.coupon_refund.plus(row.coupon_refund);
        self.fee = self.fee.plus(row.fee);
    }
}

impl<'a> Row<'a> {
    /// Reads a row's values, and what it adds to the totals.
    pub(super) fn read(
        header: &Header,
        values: &[&'a str],
        line: u64,
    ) -> Result<(Self, Sums), RowFault> {
        let value = |column| header.value(values, column);
        let wrong = |column: Column| RowFault::Value {
            column: column.name(),
            value: clean(value(column), VALUE_CELLS),
        };
        let amount = |column| Exact::read(value(column)).ok_or_else(|| wrong(column));
        let amount_if_any = |column| match value(column) {
            "" => Ok(Exact::default()),
            _ => amount(column),
        };
        let kind = match value(Column::State) {
            "SUCCESS" | "支付成功" => RowKind::Paid,
            "REFUND" | "转入退款" => RowKind::Refund,
            "REVOKED" | "已撤销" => RowKind::Revoked,
            _ => return Err(wrong(Column::State)),
        };
        let currency = match value(Column::Currency) {
            "" => Currency::CNY,
            code => Currency::from_code(code).ok_or_else(|| wrong(Column::Currency))?,
        };
        let minor = |exact: Exact, column| exact.minor(currency).ok_or_else(|| wrong(column));
        let settled = amount(Column::Settled)?;
        let whole = if header.has(Column::Whole) { amount(Column::Whole)? } else { settled };
        let refund_settled = amount_if_any(Column::RefundSettled)?;
        let refund_whole = amount_if_any(Column::RefundWhole)?;
        let coupon_refund = amount_if_any(Column::CouponRefund)?;
        let fee = amount_if_any(Column::Fee)?;
        // Only some bills have a column for what was asked for. Some write what goes back as
        // negative.
        let has_whole = header.has(Column::RefundWhole);
        let refund = if has_whole { refund_whole } else { refund_settled }.magnitude();
        // A bill of refunds gives the time of the payment first.
        let times = [Column::RefundAsked, Column::RefundDone, Column::Time];
        let time = times.into_iter().find(|column| !value(*column).is_empty());
        let time = time.unwrap_or(Column::Time);
        let row = Self {
            line,
            kind,
            at: BeijingTime::read(value(time)).ok_or_else(|| wrong(time))?,
            sub_merchant: number(value(Column::SubMerchant)),
            transaction_id: number(value(Column::Transaction)),
            order_no: number(value(Column::Order)),
            currency,
            amount: minor(whole, Column::Whole)?,
            settled: minor(settled, Column::Settled)?,
            refund_no: number(value(Column::RefundNo)),
            refund: minor(refund, Column::RefundWhole)?,
            refund_settled: minor(refund_settled.magnitude(), Column::RefundSettled)?,
            refund_state: match (kind, value(Column::RefundState)) {
                (RowKind::Paid, _) => RefundState::None,
                (_, "SUCCESS" | "退款成功") => RefundState::Done,
                (_, "PROCESSING") => RefundState::Processing,
                (_, "FAIL" | "REFUNDCLOSE") => RefundState::Failed,
                (_, "CHANGE") => RefundState::Abnormal,
                _ => RefundState::Unknown,
            },
            fee,
        };
        if row.order_no.is_empty() {
            return Err(wrong(Column::Order));
        }
        let added =
            Sums { rows: 1, settled, whole, refund_settled, refund_whole, coupon_refund, fee };
        Ok((row, added))
    }
}

/// A number of somebody, cleaned; `0` stands for none.
pub(super) fn number(value: &str) -> Cow<'_, str> {
    match value {
        "0" => Cow::Borrowed(""),
        plain
            if plain.len() <= VALUE_CELLS && plain.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Cow::Borrowed(plain)
        }
        other => Cow::Owned(clean(other, VALUE_CELLS)),
    }
}
