//! What the customer may see of the till: the sale at the desk, and never another's.

use super::AttemptView;
use super::model::{Desk, Model};
use super::update::typed_amount;
use crate::display::{Stage, View};
use crate::payment::Status;

impl Model {
    /// What the customer's display shows now.
    pub fn for_the_customer(&self) -> View {
        match &self.desk {
            Desk::Amount { typed } => match typed_amount(self, typed) {
                Some(amount) => View::Sale { amount, stage: Stage::Typing },
                None => View::Welcome,
            },
            Desk::Code { sale } => View::Sale { amount: sale.amount(), stage: Stage::Code },
            Desk::Starting { sale } => {
                View::Sale { amount: sale.amount(), stage: Stage::Payment(Status::Created) }
            }
            Desk::Payment(_) => self.at_hand().map_or(View::Welcome, |attempt| {
                let AttemptView { amount, state, recorded, .. } = &attempt.view;
                // After the next start an outcome that was not written down may be another.
                let status = if *recorded { state.status() } else { Status::Attention };
                View::Sale { amount: *amount, stage: Stage::Payment(status) }
            }),
        }
    }
}
