//! What the first frame shows, as the journal has it.

use super::RECENT;
use super::slips::Left;
use crate::command::Failure;
use crate::config::Config;
use crate::engine::{Attempt, RefundRecord};
use crate::journal::{Filter, JournalReader};
use crate::money::Money;
use paytill_host::clock::Clock;

pub(super) struct Past {
    /// The last orders, all open ones, and those whose slips are left.
    pub(super) recent: Vec<Attempt>,
    /// What was given back of them.
    pub(super) refunds: Vec<RefundRecord>,
    pub(super) left: Left,
}

impl Past {
    pub(super) fn read(config: &Config, clock: &Clock) -> Result<Self, Failure> {
        let key = config.journal.key_file.as_deref();
        let reader = JournalReader::of_held(&config.journal.path, key)?;
        let mut rows = reader.orders(&Filter { limit: Some(RECENT), ..Filter::default() })?;
        let oldest = rows.last().map_or(0, |row| row.attempt);
        let open = reader.orders(&Filter { open: true, ..Filter::default() })?;
        rows.extend(open.into_iter().filter(|row| row.attempt < oldest));
        let mut refunds = Vec::new();
        for order in rows.iter().filter(|row| row.refunded > Money::default()) {
            refunds.extend(reader.refunds(order.attempt)?.into_iter().map(|row| row.of(order)));
        }
        let mut recent: Vec<Attempt> = rows.into_iter().map(Attempt::from).collect();
        // Open payments must not wait for what is wrong with a slip; `doctor` names it.
        let left = Left::read(&reader, config, clock.wall()).unwrap_or_else(|failure| {
            tracing::error!(why = %failure.text, "what is left to print cannot be read");
            Left::default()
        });
        for order in left.orders() {
            if !recent.iter().any(|known| known.out_trade_no == order.out_trade_no) {
                recent.push(order.clone());
            }
        }
        Ok(Self { recent, refunds, left })
    }
}
