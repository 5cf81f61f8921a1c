//! What the customer's display may show: the sale at hand, and never another customer's payment.

use super::AttemptView;
use super::model::Model;
use super::pages::checkout::{CashierTask, typed_amount};
use crate::display::{SaleStage, View};
use crate::payment::Status;

impl Model {
    /// The customer's display for the current state of the screen.
    pub fn for_the_customer(&self) -> View {
        match &self.task {
            // Nothing that is sold now will be taken.
            CashierTask::Amount { .. } | CashierTask::Code { .. } if self.stopped.is_some() => {
                View::Welcome
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
                let AttemptView { amount, state, recorded, .. } = &attempt.view;
                // An outcome that was not recorded may turn out differently after the next start.
                let status = if *recorded { state.status() } else { Status::Attention };
                View::Sale { amount: *amount, stage: SaleStage::Payment(status) }
            }),
        }
    }
}
