//! What a payment leaves for people and programs: its receipt, and its line of JSON.

use paytill::command::report::OrderReport;
use paytill::engine::Attempt;
use paytill::journal::OrderRow;
use paytill::language::Language;
use paytill::receipt::{Form, Paper, Profile, Slip, escpos};

use super::World;

impl World {
    /// Prints the receipt, and reports as `pay --json` does.
    pub(super) fn hand_out(&mut self, attempt: &Attempt) {
        let number = attempt.out_trade_no.as_str();
        // Each width and language in turn.
        let (paper, language) = match self.counts.entries % 4 {
            0 => (Paper::Mm58, Language::Chinese),
            1 => (Paper::Mm80, Language::Chinese),
            2 => (Paper::Mm58, Language::English),
            _ => (Paper::Mm80, Language::English),
        };
        let form = Form { paper, profile: Profile::Auto, logo: None };
        if let Some(slip) = Slip::of(attempt, &self.config, 0, &[]) {
            self.auditor.printed(number, &escpos::print(&slip, &form, language));
        }
        let report = OrderReport::of_attempt(attempt).json(language);
        self.auditor.reported(number, &report.to_string());
    }

    /// Lists the orders as `orders --json` does.
    pub(super) fn list(&mut self, rows: &[OrderRow]) {
        for row in rows {
            let report = OrderReport::of_row(row).json(Language::English);
            self.auditor.reported(row.out_trade_no.as_str(), &report.to_string());
        }
    }
}
