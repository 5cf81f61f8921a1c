//! What the customer's display may show: the sale at the desk, and never another customer's payment.
//!
//! A payment that is brought back from the tray belongs to whoever stands at the desk again, once the
//! cashier has found it: by doing something about it, or by staying at it for a moment. Those that
//! are only passed on the way are nobody's business.

use super::AttemptView;
use super::model::Model;
use super::pages::checkout::{CashierTask, typed_amount};
use crate::clock::Millis;
use crate::display::{SaleStage, View};
use crate::money::Money;
use crate::order::{CodeUrl, OutTradeNo};
use crate::payment::Status;

/// How long a payment is at the desk again before the customer sees it.
const FOUND_AFTER: Millis = Millis::seconds(2);

impl Model {
    /// Whether the cashier may still be looking for another payment of the tray, or has turned to a
    /// page in front of it before it was found.
    pub(super) fn is_passing(&self, order: &OutTradeNo) -> bool {
        self.brought_back.as_ref().is_some_and(|(brought_back, at)| {
            brought_back == order && (self.task_is_hidden() || self.now.since(*at) < FOUND_AFTER)
        })
    }

    /// What has been in sight at the desk for long enough is found.
    pub(super) fn find_what_was_brought_back(&mut self) {
        let (now, is_hidden) = (self.now, self.task_is_hidden());
        self.brought_back = self.brought_back.take().and_then(|(order, at)| {
            let at = if is_hidden { now } else { at };
            (now.since(at) < FOUND_AFTER).then_some((order, at))
        });
    }

    /// The customer's display for the current state of the screen.
    pub fn for_the_customer(&self) -> View {
        match &self.task {
            CashierTask::Payment(order) if self.is_passing(order) => View::Welcome,
            _ => self.desk(),
        }
    }

    /// The code that goes with it, if the customer is to scan one.
    pub fn code_for_the_customer(&self) -> Option<&CodeUrl> {
        let View::Sale { stage: SaleStage::Scan, .. } = self.for_the_customer() else {
            return None;
        };
        self.code_at_desk().map(|(_, code)| code)
    }

    /// Whether a code may still be handed out: a till that has stopped does not see that it is paid.
    pub const fn may_ask_for_money(&self) -> bool {
        self.stopped.is_none()
    }

    /// The sale at the desk, as the cashier sees it.
    pub fn desk(&self) -> View {
        match &self.task {
            // Nothing that is sold now will be taken.
            CashierTask::Amount { .. } | CashierTask::Code { .. } if self.stopped.is_some() => {
                View::Welcome
            }
            CashierTask::Amount { .. } if !self.ring_up.sale.lines.is_empty() => {
                let due = self.rung_up().map(|sold| sold.due).unwrap_or_default();
                View::Sale { amount: due, stage: SaleStage::Typing }
            }
            CashierTask::Amount { typed } => match typed_amount(self, typed) {
                Some(amount) => View::Sale { amount, stage: SaleStage::Typing },
                None => View::Welcome,
            },
            CashierTask::Code { sale } => {
                View::Sale { amount: sale.amount(), stage: SaleStage::Code }
            }
            CashierTask::Starting { sale } => {
                View::Sale { amount: sale.amount(), stage: SaleStage::Payment(Status::Created) }
            }
            CashierTask::Payment(_) => self.at_hand().map_or(View::Welcome, |attempt| {
                let cash = attempt.view.state.cash().filter(|_| attempt.view.recorded);
                if let Some(cash) = cash.filter(|cash| cash.change() > Money::default()) {
                    let (given, change) = (cash.tendered(), cash.change());
                    let stage = SaleStage::Change { given, change };
                    return View::Sale { amount: cash.due(), stage };
                }
                let AttemptView { amount, state, recorded, .. } = &attempt.view;
                if self.code_at_desk().is_some() {
                    let stage = if self.may_ask_for_money() {
                        SaleStage::Scan
                    } else {
                        SaleStage::Payment(Status::Attention)
                    };
                    return View::Sale { amount: *amount, stage };
                }
                // An outcome that was not recorded may turn out differently after the next start.
                let status = if *recorded { state.status() } else { Status::Attention };
                View::Sale { amount: *amount, stage: SaleStage::Payment(status) }
            }),
        }
    }
}
