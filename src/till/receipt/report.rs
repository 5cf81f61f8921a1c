//! X and Z reports on paper.

use super::{Form, Paper, ReceiptBuilder, ReceiptPart, escpos};
use crate::config::{Config, GatewayConfig};
use crate::language::Language;
use crate::shift::Report;
use crate::text::receipt::ReceiptWords;
use crate::text::shift::{ShiftLine, Writing};

/// The parts of a report. One that was printed before is marked at both ends, and so is one of a
/// training.
fn lay_out(
    report: &Report,
    is_copy: bool,
    config: &Config,
    paper: Paper,
    language: Language,
) -> Vec<ReceiptPart> {
    let words = ReceiptWords::of(language);
    let mut builder = ReceiptBuilder { width: paper.columns(), parts: Vec::new() };
    let marks = |builder: &mut ReceiptBuilder| {
        if matches!(config.gateway, GatewayConfig::Simulator) {
            builder.large(words.training());
        }
        if is_copy {
            builder.large(words.report_copy());
            if language == Language::Chinese {
                builder.large(ReceiptWords::of(Language::English).report_copy());
            }
        }
    };
    let writing = Writing {
        currency: config.till.currency,
        zone: &config.store.time_zone,
        language,
        tells_expected: report.z.is_some(),
    };
    marks(&mut builder);
    builder.centred(&config.store.name);
    builder.large(&writing.title(report));
    builder.pair(words.till(), config.till.id.as_str());
    builder.pair(words.currency(), config.till.currency.code());
    builder.rule();
    for line in writing.lines(report) {
        match line {
            ShiftLine::Title(title) => {
                builder.rule();
                builder.left(&title);
            }
            ShiftLine::Pair(name, value) if value.is_empty() => builder.left(&name),
            ShiftLine::Pair(name, value) => builder.pair(&name, &value),
        }
    }
    builder.rule();
    marks(&mut builder);
    builder.parts
}

/// As text, a line for each on paper.
pub fn text(
    report: &Report,
    is_copy: bool,
    config: &Config,
    paper: Paper,
    language: Language,
) -> String {
    let lines = lay_out(report, is_copy, config, paper, language).into_iter().map(|part| {
        let ReceiptPart::Line { text, align, .. } = part else { return String::new() };
        align.pad(&text, paper.columns())
    });
    lines.map(|line| line + "\n").collect()
}

/// As bytes, from the printer's reset to the cut.
pub fn print(
    report: &Report,
    is_copy: bool,
    config: &Config,
    form: &Form,
    language: Language,
) -> Vec<u8> {
    escpos::print_parts(lay_out(report, is_copy, config, form.paper, language), form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{TimeZone, Timestamp};
    use crate::config::Flags;
    use crate::money::Money;
    use crate::sale::Rate;
    use crate::shift::{Movement, Sum, Taxed};

    fn config() -> Config {
        let environment = |name: &str| (name == "HOME").then(|| "/till".into());
        let mut config = Config::training(&Flags::default(), &environment).unwrap();
        config.store.time_zone = TimeZone::UTC;
        config
    }

    fn z() -> Report {
        let at = Timestamp(1_795_320_000_000);
        let sum = |count, minor| Sum { count, amount: Money::from_minor(minor) };
        let taxed = |hundredths, sold, tax| {
            let [sold, tax] = [sold, tax].map(Money::from_minor);
            (Rate::from_hundredths(hundredths).unwrap(), Taxed { sold, tax })
        };
        let mut report = Report {
            z: Some(12),
            day: "2026-11-22".into(),
            opened_at: Some(at),
            opened_by: Some("Anna".into()),
            began_at: Some(at),
            at: Timestamp(at.0 + 36_000_000),
            closed_by: Some("王芳".into()),
            carried_by: Some("王芳".into()),
            sales: sum(12, 1_280_500),
            by_tender: [("cash".into(), sum(5, 40_000)), ("micropay".into(), sum(8, 1_240_500))]
                .into(),
            by_operator: [("Anna".to_owned(), sum(13, 1_280_500))].into(),
            discounts: sum(2, 1200),
            by_rate: [taxed(900, 109_000, 9000), taxed(1300, 1_130_000, 130_000)].into(),
            no_rate: Money::from_minor(41_500),
            no_sales: 2,
            movements: vec![Movement {
                at,
                amount: Money::from_minor(-5000),
                reason: "\u{1b}p买零钱，给隔壁的便利店换二十个一元硬币".into(),
                operator: None,
            }],
            unresolved: vec!["T01261122113000123456".into()],
            ..Report::default()
        };
        report.drawer.float = Money::from_minor(20_000);
        report.drawer.sales = Money::from_minor(40_000);
        report.drawer.cash_out = Money::from_minor(5000);
        report.drawer.counted = Some(Money::from_minor(54_900));
        report
    }

    #[test]
    fn a_z_report_on_both_papers_in_both_languages() {
        for (paper, language, name) in [
            (Paper::Mm58, Language::Chinese, "z_58_zh"),
            (Paper::Mm80, Language::English, "z_80_en"),
        ] {
            let text = text(&z(), true, &config(), paper, language);
            insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(name, text);
            });
            for line in text.lines() {
                assert!(crate::encode::columns(line) <= paper.columns(), "{line}");
            }
        }
    }

    #[test]
    fn nobody_who_is_to_count_the_drawer_reads_on_paper_what_must_be_in_it() {
        let x = Report { z: None, ..z() };
        let told = text(&x, false, &config(), Paper::Mm80, Language::English);
        assert!(told.contains("X REPORT") && !told.contains("Expected"), "{told}");
    }
}
