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
