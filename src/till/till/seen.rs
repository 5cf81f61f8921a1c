//! The merchant's backend hears that a payment is on record here as paid.
//!
//! Nothing depends on it here. Without it the backend would have to take this till's word for a day that it
//! has not seen the payment.

use std::sync::Arc;
use std::time::Duration;

use super::Till;
use crate::gateway::Stamp;
use crate::order::OutTradeNo;
use paytill_host::random;

/// How often it is said until somebody hears it.
const TIMES: u32 = 3;
/// A till that ends waits no longer for it.
const LONGEST: Duration = Duration::from_secs(2);

impl Till {
    /// Says so, beside everything else.
    pub(super) fn acknowledge(&mut self, out_trade_no: &OutTradeNo) {
        while self.acknowledging.try_join_next().is_some() {}
        let (gateway, transport) = (Arc::clone(&self.gateway), Arc::clone(&self.transport));
        let (clock, number) = (self.clock.clone(), out_trade_no.clone());
        self.acknowledging.spawn(async move {
            for _ in 0..TIMES {
                let Some(nonce) = random::nonce() else { return };
                let stamp = Stamp { time: clock.wall(), nonce };
                let Some(outgoing) = gateway.encode_seen(&number, &stamp) else { return };
                match transport.ask(&outgoing, clock.uptime()).await {
                    Ok(_) => return,
                    Err(failure) => {
                        let number = number.as_str();
                        tracing::warn!(out_trade_no = number, ?failure, "not acknowledged");
                    }
                }
            }
        });
    }

    /// Before the program ends: what is being said is said.
    pub async fn part(&mut self) {
        let all = async { while self.acknowledging.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LONGEST, all).await;
    }
}
