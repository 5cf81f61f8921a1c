//! What the journal left open and the bill knows: it is written down, and the gateway is asked. A
//! bill is not signed; what settles an order is the answer.

use std::collections::BTreeSet;

use super::{Exit, Failure, Reconciled};
use crate::bill::compare::{Cause, Difference};
use crate::command::open::open;
use crate::config::{Config, Loaded};
use crate::journal::is_held;
use crate::order::OutTradeNo;
use crate::payment::{Event, Status};
use crate::text;
use crate::till::Notice;
use paytill_host::clock::Clock;

/// The orders to ask about, and whether the bill has each.
pub(super) fn open_orders(reconciled: &Reconciled) -> Vec<(OutTradeNo, bool)> {
    let open = |found: &Difference| {
        let listed = match found.cause {
            Cause::OpenPaid | Cause::OpenReturned => true,
            Cause::OpenNotInBill => false,
            _ => return None,
        };
        Some((OutTradeNo::try_from(found.order_no.clone()).ok()?, listed))
    };
    reconciled.outcome.differences.iter().filter_map(open).collect()
}

/// Whether the journal may be written: a till that sells asks by itself.
pub(super) fn may_write(config: &Config) -> bool {
    !is_held(&config.journal.path)
}

/// Asks the gateway about each until it has ended, or has been answered and needs a person; for as
/// long at most as a payment may take. Returns how many have ended.
pub(super) async fn ask(
    reconciled: &Reconciled,
    orders: Vec<(OutTradeNo, bool)>,
    loaded: &Loaded,
    clock: &Clock,
) -> Result<usize, Failure> {
    let day = reconciled.day;
    let rules = loaded.config.payment.rules;
    let mut opened = open(loaded, clock).await?;
    let till = &mut opened.till;
    let (mut left, mut settled) = (BTreeSet::new(), 0);
    for (number, listed) in orders {
        till.handle_event(&number, Event::Billed { day, listed }, None);
        left.insert(number);
    }
    let deadline = clock.uptime().after(rules.give_up_after.plus(rules.reverse_not_before));
    while !left.is_empty() {
        let rest = std::time::Duration::from_millis(deadline.since(clock.uptime()).0);
        let Ok(notice) = tokio::time::timeout(rest, till.next()).await else { break };
        match notice {
            Notice::Attempt(report) => {
                let state = &report.attempt.state;
                let needs_a_person = state.status() == Status::Attention
                    && matches!(report.event, Event::Answered(..));
                if !state.is_open() && left.remove(&report.attempt.out_trade_no) {
                    settled += 1;
                } else if needs_a_person {
                    left.remove(&report.attempt.out_trade_no);
                }
            }
            Notice::Stopped(error) => {
                return Err(Failure::new(Exit::Journal, text::journal::text(&error)));
            }
            // Slips of what has ended are left to the screen.
            Notice::Refund(_)
            | Notice::Gateway(_)
            | Notice::Enquired { .. }
            | Notice::SlipDue(_)
            | Notice::SlipQueued(..)
            | Notice::RefundSlip(..)
            | Notice::SlipBegun { .. }
            | Notice::DrawerNoted { .. }
            | Notice::CashMoved { .. }
            | Notice::CashReturned { .. }
            | Notice::Shift(_) => {}
        }
    }
    Ok(settled)
}
