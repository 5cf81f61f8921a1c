//! The training customers: who shows a payment code, and who scans a code of ours.

use super::Cashier;
use crate::order::AuthCode;
use crate::scan::Scan;
use crate::screen::{Key, ScreenMessage};
use crate::simulator::{SCANNERS, Scenario};

/// The menu, as names of [`crate::text::training::customer`].
pub(super) fn customers() -> Vec<String> {
    let show = Scenario::menu().into_iter().map(|scenario| scenario.name().into_owned());
    show.chain(SCANNERS.map(|(name, _)| name.to_owned())).collect()
}

impl Cashier<'_> {
    /// A training customer shows a new code, as if it had been scanned, or scans the next of ours,
    /// which is ordered.
    pub(super) fn train(&mut self, customer: usize) {
        let menu = Scenario::menu();
        let Some(scenario) = menu.get(customer) else {
            let scanner = SCANNERS.get(customer - menu.len());
            if let Some(((_, scenario), bank)) = scanner.zip(self.bank.as_ref()) {
                bank.bank().next_scans(*scenario);
                self.post(ScreenMessage::Key(Key::F(4)));
            }
            return;
        };
        self.customers += 1;
        let serial = u64::try_from(self.clock.wall().0).unwrap_or(0) + self.customers;
        // With more digits it would not be known as a training customer's.
        let serial = serial % 100_000_000;
        if let Some(code) = AuthCode::new(&scenario.code(serial)) {
            self.post(ScreenMessage::Scanned(Scan::Payment(code)));
        }
    }
}
