//! The lines at the desk, and the sales that were put aside.

use crate::clock::Uptime;
use crate::goods::Good;
use crate::language::Text;
use crate::order::OutTradeNo;
use crate::sale::{Held, Quantity, Sale};

/// So many sales may be put aside.
pub(super) const MOST_HELD: usize = 50;

/// The sale at the desk, and those that were put aside.
#[derive(Debug, Default)]
pub(super) struct RingUp {
    pub(super) sale: Sale,
    /// The marked line; none is the whole sale.
    pub(super) chosen: Option<usize>,
    /// Scans that are being looked up, and how many of each.
    pub(super) looking: Vec<Lookup>,
    pub(super) serial: u64,
    pub(super) has_catalogue: bool,
    /// What the search has found, and how much there is; of the last search.
    pub(super) listed: Option<Result<(Vec<Good>, usize), Text>>,
    /// The oldest first.
    pub(super) held: Vec<Held>,
    /// What the one comes to that is being written down.
    pub(super) being_kept: Option<String>,
    /// Whether what an earlier run has put aside is among them.
    pub(super) held_is_read: bool,
    /// The lines of the payment that was begun last, should it not be paid.
    pub(super) charged: Option<(OutTradeNo, Sale)>,
}

/// A scan that is being looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lookup {
    pub(super) serial: u64,
    pub(super) quantity: Quantity,
    pub(super) since: Uptime,
}

impl RingUp {
    pub(super) fn is_empty(&self) -> bool {
        self.sale.lines.is_empty()
    }

    pub(super) fn is_looking(&self) -> bool {
        !self.looking.is_empty()
    }
}
