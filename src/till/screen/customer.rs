//! What the customer may see of the till: the sale at the phase, and never another's.

use super::AttemptView;
use super::model::{Model, Phase};
use super::update::typed_amount;
use crate::display::{SaleStage, View};
use crate::payment::Status;

impl Model {
    /// What the customer's display shows now.
    pub fn for_the_customer(&self) -> View {
        match &self.phase {
            Phase::Amount { typed } => match typed_amount(self, typed) {
                Some(amount) => View::Sale { amount, stage: SaleStage::Typing },
                None => View::Welcome,
            },
            Phase::Code { sale } => View::Sale { amount: sale.amount(), stage: SaleStage::Code },
            Phase::Starting { sale } => {
                View::Sale { amount: sale.amount(), stage: SaleStage::Payment(Status::Created) }
            }
            Phase::Payment(_) => self.at_hand().map_or(View::Welcome, |attempt| {
                let AttemptView { amount, state, recorded, .. } = &attempt.view;
                // After the next start an outcome that was not written down may be another.
                let status = if *recorded { state.status() } else { Status::Attention };
                View::Sale { amount: *amount, stage: SaleStage::Payment(status) }
            }),
        }
    }
}
