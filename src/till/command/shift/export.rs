//! The reports of a day as a file for a spreadsheet.

use std::io::ErrorKind;
use std::path::Path;

use crate::both;
use crate::command::output::put_new;
use crate::command::reconcile::cell;
use crate::command::{Exit, Failure};
use crate::config::Config;
use crate::money::Money;
use crate::shift::{Report, Sum};
use crate::text::system;

/// The mark by which spreadsheets know that a text is UTF-8.
const MARK: &str = "\u{feff}";
const COLUMNS: &str = "z,day,closed_at,what,name,count,amount,currency";

/// Writes a line for each figure into a new file.
pub(super) fn write(file: &Path, reports: &[Report], config: &Config) -> Result<(), Failure> {
    let text: String = reports.iter().map(|report| rows(report, config)).collect();
    put_new(file, format!("{MARK}{COLUMNS}\r\n{text}").as_bytes()).map_err(|error| {
        let exit = if error.kind() == ErrorKind::AlreadyExists { Exit::Usage } else { Exit::Fault };
        let name = file.display();
        let what = both!("{name} was not written", "未能写入 {name}");
        Failure::new(exit, what.because(&system::text(&error)))
    })
}

fn rows(report: &Report, config: &Config) -> String {
    let mut rows = Vec::new();
    let currency = config.till.currency;
    let mut row = |what: &str, name: &str, count: Option<u64>, amount: Option<Money>| {
        let cells = [
            report.z.map(|z| z.to_string()).unwrap_or_default(),
            report.day.clone(),
            report.at.local("%Y-%m-%d %H:%M:%S", &config.store.time_zone),
            what.to_owned(),
            name.to_owned(),
            count.map(|count| count.to_string()).unwrap_or_default(),
            amount.map(|amount| currency.show(amount)).unwrap_or_default(),
            currency.code().to_owned(),
        ];
        rows.push(cells.map(|text| cell(&text)).join(",") + "\r\n");
    };
    let mut sum = |what: &str, name: &str, sum: Sum| {
        row(what, name, Some(sum.count), Some(sum.amount));
    };
    sum("sales", "", report.sales);
    sum("refunds", "", report.refunds);
    sum("reversals", "", report.reversals);
    for (tender, of) in &report.by_tender {
        sum("tender", tender, *of);
    }
    for (operator, of) in &report.by_operator {
        sum("operator", operator, *of);
    }
    sum("discounts", "", report.discounts);
    for (rate, taxed) in &report.by_rate {
        let rate = rate.show();
        row("sold_at_rate", &rate, None, Some(taxed.sold));
        row("tax_at_rate", &rate, None, Some(taxed.tax));
    }
    row("no_rate", "", None, Some(report.no_rate));
    row("no_sales", "", Some(report.no_sales), None);
    let drawer = &report.drawer;
    for (name, amount) in [
        ("float", Some(drawer.float)),
        ("in", Some(drawer.cash_in)),
        ("out", Some(drawer.cash_out)),
        ("expected", Some(drawer.expected())),
        ("counted", drawer.counted),
        ("difference", drawer.difference()),
    ] {
        if amount.is_some() {
            row("cash", name, None, amount);
        }
    }
    for movement in &report.movements {
        row("movement", &movement.reason, None, Some(movement.amount));
    }
    for number in &report.unresolved {
        row("unresolved", number, None, None);
    }
    rows.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::config::Flags;
    use crate::sale::Rate;
    use crate::shift::{Movement, Taxed};

    #[test]
    fn no_name_and_no_reason_is_a_formula() {
        let environment = |name: &str| (name == "HOME").then(|| "/till".into());
        let config = Config::training(&Flags::default(), &environment).unwrap();
        let sum = Sum { count: 1, amount: Money::from_minor(1250) };
        let movement = Movement {
            at: Timestamp(0),
            amount: Money::from_minor(-500),
            reason: "+SUM(A1), \"x\"".into(),
            operator: None,
        };
        let [sold, tax] = [11_300, 1300].map(Money::from_minor);
        let taxed = Taxed { sold, tax };
        let report = Report {
            z: Some(3),
            day: "2026-11-22".into(),
            by_operator: [("=cmd()".to_owned(), sum)].into(),
            movements: vec![movement],
            by_rate: [(Rate::from_hundredths(1300).unwrap(), taxed)].into(),
            no_rate: Money::from_minor(-300),
            ..Report::default()
        };
        let text = rows(&report, &config);
        assert!(text.contains(",operator,'=cmd(),1,12.50,CNY\r\n"), "{text}");
        assert!(text.contains(",sold_at_rate,13%,,113.00,CNY\r\n"), "{text}");
        assert!(text.contains(",tax_at_rate,13%,,13.00,CNY\r\n"), "{text}");
        assert!(text.contains(",no_rate,,,-3.00,CNY\r\n"), "{text}");
        assert!(text.contains(",movement,\"'+SUM(A1), \"\"x\"\"\",,-5.00,CNY\r\n"), "{text}");
    }
}
