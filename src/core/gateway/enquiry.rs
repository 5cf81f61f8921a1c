//! What somebody asks about a number without any payment under way: it moves nothing, and nothing
//! is decided by it.

use crate::order::{Merchant, Order, OutTradeNo};
use crate::payment::{Found, Inconclusive};

/// What is asked about.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// An order of ours, as the gateway was told of it.
    Order(Box<Order>),
    /// An order number that we know nothing else about.
    Number(OutTradeNo),
    /// The gateway's own number of a payment.
    Transaction(String),
}

impl Question {
    /// The number as people see it.
    pub fn number(&self) -> &str {
        match self {
            Self::Order(order) => order.out_trade_no.as_str(),
            Self::Number(number) => number.as_str(),
            Self::Transaction(number) => number,
        }
    }
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Enquired {
    /// Of an order number.
    Found(Found),
    /// Of a transaction.
    Owner(Owner),
}

/// The question whose order a transaction is, of this merchant's.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    pub merchant: &'a Merchant,
    pub transaction_id: &'a str,
}

/// Whose a transaction is, by a verified answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Owner {
    /// The order with this number; whether it is ours is for its number to tell.
    Order(OutTradeNo),
    /// The merchant has no such transaction.
    Nobody,
    Inconclusive(Inconclusive),
}
