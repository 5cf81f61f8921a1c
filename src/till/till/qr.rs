//! Orders that the customer pays by scanning a code.

use std::sync::Arc;

use super::Till;
use crate::clock::Millis;
use crate::engine::{By, Draw, QrStart, Refusal, SaleRef};
use crate::order::OutTradeNo;
use crate::sale::Sold;
use paytill_host::random;

impl Till {
    /// Begins an order whose code the customer scans, as [`Till::begin`] does; the code may be shown
    /// for so long.
    pub fn begin_qr(
        &mut self,
        sale: SaleRef,
        note: String,
        sold: Arc<Sold>,
        lasts: Millis,
        by: Option<By>,
    ) -> Result<OutTradeNo, Refusal> {
        let draw = Draw(random::draw().unwrap_or_default());
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let start = QrStart { sale, note, sold, lasts, by, client_ip: self.caller(), draw };
        let (out_trade_no, effects) = self.engine.begin_qr(start, now, wall)?;
        self.perform(effects);
        Ok(out_trade_no)
    }
}
