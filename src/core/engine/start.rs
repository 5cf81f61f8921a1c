//! What it takes to begin an attempt, and why one is not begun.

use std::sync::Arc;

use super::{By, Draw, SaleRef};
use crate::order::{AuthCode, OutTradeNo};
use crate::sale::Sold;

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

/// Why an attempt was not begun. Nothing was written or sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The journal cannot be written to.
    Stopped,
    /// An earlier attempt for this sale may still take money.
    Unsettled(OutTradeNo),
    /// The sale has been paid.
    AlreadyPaid,
    /// This attempt already used the payment code. Once sent, a code is dead: seeing it again means
    /// that the same customer is still in front of the scanner.
    CodeUsed(OutTradeNo),
}
