//! The customer's own screen, drawn in the windows it may have.

use super::*;
use crate::display::{SaleStage, Told, View};
use crate::screen::{CustomerViewSettings, customer_view};

fn drawn(settings: &CustomerViewSettings, told: Option<&Told>, width: u16, height: u16) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    customer_view(settings, told, &mut buffer);
    as_text(&buffer)
}

fn its_settings(language: Language) -> CustomerViewSettings {
    let Settings { store, currency, theme, .. } = settings();
    CustomerViewSettings {
        store,
        currency,
        language,
        theme,
        draws_chinese: true,
        draws_blocks: true,
    }
}

fn sale(minor: i64, stage: SaleStage) -> Told {
    let view = View::Sale { amount: Money::from_minor(minor), stage };
    Told { view, is_training: false, code: None }
}

fn scan() -> Told {
    Told { code: Some(code::url()), ..sale(128_880, SaleStage::Scan) }
}

#[test]
fn the_code_is_read_from_the_customers_screen_in_every_theme_and_window() {
    for theme in [Theme::Dark, Theme::Light, Theme::Contrast, Theme::Mono] {
        for (width, height) in [(80, 24), (80, 23), (120, 40), (200, 60)] {
            let settings = CustomerViewSettings { theme, ..its_settings(Language::Chinese) };
            let told = Told { is_training: true, ..scan() };
            let mut frame = Buffer::empty(Rect::new(0, 0, width, height));
            customer_view(&settings, Some(&told), &mut frame);
            let read = code::read(&frame, code::CELLS[usize::from(width == 80)]);
            assert_eq!(read.as_deref(), Some(code::url().as_str()));
        }
    }
    // Where it cannot be drawn, nobody is asked to scan it here.
    let blockless = CustomerViewSettings { draws_blocks: false, ..its_settings(Language::English) };
    for (settings, width) in [(blockless, 80), (its_settings(Language::English), 60)] {
        let picture = drawn(&settings, Some(&scan()), width, 24);
        assert!(packed(&picture).contains("thatthecashiershowsyou"), "{picture}");
    }
}

#[test]
fn each_stage_in_each_window_and_language() {
    let training = Told { is_training: true, ..Told::default() };
    let scenes = [
        ("closed", None),
        ("welcome", Some(training)),
        ("typing", Some(sale(1_250, SaleStage::Typing))),
        ("code", Some(sale(1_250, SaleStage::Code))),
        ("scan", Some(scan())),
        ("scan_in_training", Some(Told { is_training: true, ..scan() })),
        ("scan_elsewhere", Some(sale(1_250, SaleStage::Scan))),
        ("waiting", Some(sale(128_880, SaleStage::Payment(Status::Waiting)))),
        ("checking", Some(sale(128_880, SaleStage::Payment(Status::Checking)))),
        ("paid", Some(sale(128_880, SaleStage::Payment(Status::Paid)))),
        ("declined", Some(sale(999_999_999, SaleStage::Payment(Status::Declined)))),
        ("attention", Some(sale(999_999_999, SaleStage::Payment(Status::Attention)))),
    ];
    for (language, tag) in [(Language::English, "en"), (Language::Chinese, "zh")] {
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let pictures = scenes.clone().map(|(name, told)| {
                format!(
                    "--- {name}\n{}",
                    drawn(&its_settings(language), told.as_ref(), width, height)
                )
            });
            insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(
                    format!("customer_view_{tag}_{width}x{height}"),
                    pictures.join("\n")
                );
            });
        }
    }
}

#[test]
fn the_amount_stands_still_from_the_first_digit_of_its_size_to_the_result() {
    let settings = its_settings(Language::English);
    let stages = [SaleStage::Typing, SaleStage::Code].into_iter();
    let stages: Vec<_> = stages.chain(Status::ALL.map(SaleStage::Payment)).collect();
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let rows = |stage| -> Vec<String> {
            let picture = drawn(&settings, Some(&sale(1_250, stage)), width, height);
            let middle = usize::from(height / 2);
            picture.lines().skip(middle - 1).take(3).map(str::to_owned).collect()
        };
        let first = rows(stages[0]);
        assert!(first.concat().contains('█'));
        for stage in &stages {
            assert_eq!(rows(*stage), first, "{stage:?} {width}x{height}");
        }
    }
}

#[test]
fn a_sum_is_whole_or_not_there() {
    let settings = its_settings(Language::Chinese);
    for (width, height) in [(1, 1), (3, 2), (12, 3), (20, 4), (40, 10), (300, 100)] {
        for stage in [SaleStage::Code, SaleStage::Payment(Status::Paid)] {
            let picture = drawn(&settings, Some(&sale(999_999_999, stage)), width, height);
            let is_whole = picture.contains("￥9,999,999.99") || picture.contains('█');
            assert!(is_whole || !picture.contains("9,"), "{width}x{height}\n{picture}");
            assert!(is_whole || width < 20, "{width}x{height}\n{picture}");
        }
    }
}

#[test]
fn a_console_without_chinese_is_told_in_english() {
    let settings = CustomerViewSettings { draws_chinese: false, ..its_settings(Language::Chinese) };
    let picture = drawn(&settings, Some(&sale(1_250, SaleStage::Code)), 80, 24);
    assert!(picture.contains("payment code"));
    assert!(!picture.chars().any(crate::text::is_chinese));
}
