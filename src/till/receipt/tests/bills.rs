//! A code of ours on paper, before it is paid.

use super::*;
use crate::clock::{Millis, TimeZone, Timestamp, Uptime};
use crate::config::Flags;
use crate::money::Currency;
use crate::payment::{Event, QrState, Rules};
use crate::sale::{Line, Quantity, Sale};
use crate::says::Says;

const URL: &str = "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00";

fn config() -> Config {
    let home = |name: &str| (name == "HOME").then(|| "/nonexistent".into());
    let mut config = Config::training(&Flags::default(), &home).unwrap();
    config.store.time_zone = TimeZone::UTC;
    config.gateway = GatewayConfig::Unread;
    config
}

/// An order whose code has come.
fn order(url: &str) -> Attempt {
    let mut state = State::begin_qr(Millis::seconds(7_200), 0);
    let code = CodeUrl::try_from(url.to_owned()).unwrap();
    let _ =
        state.step(&Says::Code(code).in_answer_to(QrState::FIRST), Millis(200), &Rules::default());
    let at = Timestamp(1_795_320_000_000);
    Attempt {
        out_trade_no: OutTradeNo::try_from(NUMBER.to_owned()).unwrap(),
        sale: 1,
        amount: Money::from_minor(12_880),
        currency: Currency::CNY,
        created_at: at,
        updated_at: at,
        sent_at: Uptime(0),
        state,
        sold: std::sync::Arc::default(),
        recorded: true,
    }
}

fn bill() -> Bill {
    let header = vec!["幸福超市".into(), "示范路1号".into()];
    Bill { header, ..Bill::of(&order(URL), &config()).unwrap() }
}

#[test]
fn a_bill_says_what_to_do_until_when_and_that_it_is_no_receipt() {
    let training = Bill { is_training: true, paid_before: "50.00".into(), ..bill() };
    let chinese = bill().text(Paper::Mm58, Language::Chinese);
    let english = training.text(Paper::Mm80, Language::English);
    for (name, text) in [("bill_58_zh", chinese), ("bill_80_en", english)] {
        insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, text);
        });
    }
}

#[test]
fn only_a_code_that_can_be_scanned_has_a_bill() {
    let config = config();
    let mut cancelled = order(URL);
    let _ = cancelled.state.step(&Event::Cancel, Millis(900), &Rules::default());
    assert_eq!(Bill::of(&cancelled, &config), None);
    let unrecorded = Attempt { recorded: false, ..order(URL) };
    assert_eq!(Bill::of(&unrecorded, &config), None);
}

/// The whole page in dots, as wide as the paper; letters are left out.
fn page(printed: &[Printed], paper: Paper) -> Vec<Vec<bool>> {
    let mut dots: Vec<Vec<bool>> = Vec::new();
    let white = |rows: usize| vec![vec![false; paper.dots()]; rows];
    for printed in printed {
        match printed {
            Printed::Rows { align, rows } => {
                let across = rows[0].len() * 8;
                let before = [0, (paper.dots() - across) / 2, paper.dots() - across];
                let before = before[usize::from(*align)];
                for row in rows {
                    let dot = |x: usize| {
                        let at = x.checked_sub(before).filter(|at| *at < across);
                        at.is_some_and(|at| row[at / 8] & (0x80 >> (at % 8)) != 0)
                    };
                    dots.push((0..paper.dots()).map(dot).collect());
                }
            }
            Printed::FeedRows(rows) => dots.extend(white((*rows).into())),
            Printed::Feed(lines) => dots.extend(white(usize::from(*lines) * 32)),
            Printed::Line { .. } | Printed::Barcode { .. } | Printed::Qr { .. } => {
                dots.extend(white(32));
            }
            Printed::Cut => {}
        }
    }
    dots
}

#[test]
fn a_phone_reads_the_code_from_the_paper_of_every_printer() {
    let longest = format!("{URL}{}", "x".repeat(CodeUrl::LONGEST - URL.len()));
    for url in [URL, "weixin://wxpay/bizpayurl?pr=1", &longest] {
        for (paper, language) in
            [(Paper::Mm58, Language::Chinese), (Paper::Mm80, Language::English)]
        {
            let bill = Bill { code: CodeUrl::try_from(url.to_owned()).unwrap(), ..bill() };
            let printed = run(&bill.print(&form(paper), language));
            assert_eq!(Printout(printed).qr_codes(), [url], "by command");
            let form = Form { profile: Profile::Raster, ..form(paper) };
            let page = page(&run(&bill.print(&form, language)), paper);
            // As it is, and as a phone from farther away sees it.
            for times in [1, 2] {
                let (width, height) = (paper.dots() * times, page.len() * times);
                let mut picture =
                    rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
                        if page[y / times][x / times] { 20 } else { 235 }
                    });
                let read = picture.detect_grids().into_iter().find_map(|grid| grid.decode().ok());
                assert_eq!(read.map(|(_, text)| text).as_deref(), Some(url), "{paper:?}");
            }
        }
    }
}

#[test]
fn a_bill_lists_what_is_sold() {
    let one = Quantity::from_thousandths(1000).unwrap();
    let line = Line { name: "Tea".into(), ..Line::of_amount(Money::from_minor(12_880), one) };
    let sold = Sale { lines: vec![line], ..Sale::default() }.total().unwrap();
    let sold = Attempt { sold: std::sync::Arc::new(sold), ..order(URL) };
    let text = Bill::of(&sold, &config()).unwrap().text(Paper::Mm80, Language::English);
    assert!(text.contains("Tea") && !text.contains("Paid before"), "{text}");
}
