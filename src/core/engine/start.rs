//! What it takes to begin an attempt or a refund, and why one is not begun.

use std::sync::Arc;

use super::{By, Draw, SaleRef};
use crate::clock::TimeZone;
use crate::money::{Currency, Money};
use crate::order::{AuthCode, Merchant, Order, OutTradeNo, TillId};
use crate::payment::State;
use crate::refund::EarlierRefund;
use crate::sale::Sold;

/// What all orders of this till have in common.
#[derive(Clone, Debug)]
pub struct OrderTemplate {
    pub till: TillId,
    pub merchant: Merchant,
    pub currency: Currency,
    pub body: String,
    pub device_info: String,
    /// The shop's own, for its clock and calendar.
    pub time_zone: TimeZone,
}

/// What it takes to begin an attempt.
#[derive(Debug)]
pub struct Start {
    pub sale: SaleRef,
    /// Stored with a new sale.
    pub note: String,
    /// What a new sale sells; of a known one it is known.
    pub sold: Arc<Sold>,
    pub code: AuthCode,
    pub code_hash: [u8; 16],
    /// Who charges it.
    pub by: Option<By>,
    /// This machine's address on the route to the gateway.
    pub client_ip: String,
    /// Random bytes for the order's number and mark, and the jitter of the payment's waits.
    pub draw: Draw,
}

/// What it takes to take cash.
#[derive(Debug)]
pub struct CashStart {
    pub sale: SaleRef,
    /// Stored with a new sale.
    pub note: String,
    /// What a new sale sells; of a known one it is known.
    pub sold: Arc<Sold>,
    /// What the customer gives. What is more than due goes back at once.
    pub tendered: Money,
    /// Who takes it.
    pub by: Option<By>,
    /// Random bytes for the number.
    pub draw: Draw,
}

/// Why an attempt was not begun. Nothing was written or sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The journal cannot be written to.
    Stopped,
    /// An earlier attempt for this sale may still take money.
    Unsettled(OutTradeNo),
    /// The sale has been paid, or given up.
    AlreadyPaid,
    /// Only so much of the sale is left to pay.
    MoreThanLeft(Money),
    /// This attempt already used the payment code. Once sent, a code is dead: seeing it again means
    /// that the same customer is still in front of the scanner.
    CodeUsed(OutTradeNo),
    /// Not an amount that anybody gives.
    NoSuchCash,
    /// No cash was taken of this sale that could go back.
    NothingTaken,
}

/// What it takes to begin a refund.
#[derive(Debug)]
pub struct RefundStart {
    /// The order's number in the journal, and its sale's.
    pub attempt: i64,
    pub sale: i64,
    pub order: Order,
    pub payment: State,
    /// The order's refunds in the journal, oldest first.
    pub earlier: Vec<EarlierRefund>,
    /// How much is given back; `None`: all that is left.
    pub amount: Option<Money>,
    /// Why, in the cashier's words.
    pub reason: String,
    /// Who gives it back, and which manager has agreed.
    pub by: Option<By>,
    pub draw: Draw,
}
