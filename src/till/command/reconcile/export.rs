//! What programs read: a line of JSON a difference and one of sums, and a table as CSV.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::Value;

use paytill_core::text::bill::json as bill;

use super::Reconciled;
use crate::bill::compare::{Difference, Side};
use crate::command::{Exit, Failure};
use crate::config::Config;
use crate::language::Language;
use crate::text::reconcile::{ReconcileWords, not_exported};
use crate::text::system;

/// Spreadsheets take text for UTF-8 only with this mark.
const MARK: &str = "\u{feff}";
const COLUMNS: &str = "kind,cause,order_no,refund_no,transaction_id,at,state_here,amount_here,\
                       state_in_bill,amount_in_bill,currency,what,what_to_do";
/// Longer numbers lose digits in a spreadsheet.
const LONGEST_NUMBER: usize = 11;

/// A line a difference, and the last with the sums (interface 3).
pub(super) fn json(reconciled: &Reconciled, config: &Config) -> Vec<String> {
    let Reconciled { day, extent, outcome, asked, settled, .. } = reconciled;
    let (language, currency) = (config.till.language, config.till.currency);
    let differences = outcome.differences.iter().map(|found| line(found, language).to_string());
    let mut last = bill::sums(outcome, *day, extent.rows, currency);
    last["asked"] = (*asked).into();
    last["settled"] = (*settled).into();
    last["left_out"] = extent.of_others.into();
    differences.chain([last.to_string()]).collect()
}

fn line(found: &Difference, language: Language) -> Value {
    let mut value = bill::difference(found, language);
    value["advice"] = ReconcileWords::of(language).advice(found.cause, &found.order_no).into();
    value
}

/// A new file for the differences. It is gone again unless all of them are in it.
pub(super) struct Csv<'a> {
    name: &'a Path,
    file: File,
    is_whole: bool,
}

impl<'a> Csv<'a> {
    pub(super) fn create(name: &'a Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(name);
        let file = file.map_err(|error| fault(name, &error))?;
        Ok(Self { name, file, is_whole: false })
    }

    /// Writes them. What a spreadsheet would take for a formula begins with an apostrophe, and a long
    /// number with a backtick, as in the gateway's own bills.
    pub(super) fn write(mut self, reconciled: &Reconciled, config: &Config) -> Result<(), Failure> {
        let rows = reconciled.outcome.differences.iter().map(|found| row(found, config));
        let text = format!("{MARK}{COLUMNS}\r\n{}", rows.collect::<String>());
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|error| fault(self.name, &error))?;
        self.is_whole = true;
        Ok(())
    }
}

impl Drop for Csv<'_> {
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = fs::remove_file(self.name);
        }
    }
}

fn fault(name: &Path, error: &io::Error) -> Failure {
    let exit = if error.kind() == ErrorKind::AlreadyExists { Exit::Usage } else { Exit::Fault };
    Failure::new(exit, not_exported(name).because(&system::text(error)))
}

fn row(found: &Difference, config: &Config) -> String {
    let words = ReconcileWords::of(config.till.language);
    let state = |side: &Option<Side>| side.as_ref().map_or("", |side| side.state).to_owned();
    let amount = |side: &Option<Side>| {
        side.as_ref().map(|side| side.currency.show(side.amount)).unwrap_or_default()
    };
    let side = found.here.as_ref().or(found.bill.as_ref());
    let currency = side.map_or("", |side| side.currency.code());
    let time = found.at.map(|at| at.local("%Y-%m-%d %H:%M:%S", &config.store.time_zone));
    let cells = [
        found.cause.kind().word().to_owned(),
        found.cause.word().to_owned(),
        found.order_no.clone(),
        found.refund_no.clone(),
        found.transaction_id.clone(),
        time.unwrap_or_default(),
        state(&found.here),
        amount(&found.here),
        state(&found.bill),
        amount(&found.bill),
        currency.to_owned(),
        words.cause(found.cause),
        words.advice(found.cause, &found.order_no),
    ];
    cells.map(|text| cell(&text)).join(",") + "\r\n"
}

/// One value, so that no spreadsheet runs it, cuts it or takes it for two.
pub(in crate::command) fn cell(text: &str) -> String {
    let is_amount = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && digits.len() <= 20
    };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let text = if is_number && text.len() > LONGEST_NUMBER {
        format!("`{text}")
    } else if is_formula && !is_amount(text) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_a_formula_loses_digits_or_falls_into_two() {
        for (text, written) in [
            ("T01112212030189345607", "T01112212030189345607"),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+1", "'+1"),
            ("-x", "'-x"),
            ("-12.00", "-12.00"),
            ("12.00", "12.00"),
            ("01112212030189345607", "`01112212030189345607"),
            ("a, b", "\"a, b\""),
            ("a\nb", "\"a\nb\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
