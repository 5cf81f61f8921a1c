//! Receipts as a printer and a customer see them.

use fast_qr::{ECL, QRBuilder};

mod bills;
#[path = "../../../tests/fixture/paper.rs"]
pub(super) mod paper;
mod property;
mod tenders;

use super::*;
use paper::{Printed, Printout};

/// What comes out of the printer.
fn run(stream: &[u8]) -> Vec<Printed> {
    Printout::read(stream).unwrap_or_else(|fault| panic!("{fault}")).0
}

/// The profile that suits nearly all printers.
fn form(paper: Paper) -> Form {
    Form { paper, profile: Profile::Auto, logo: None }
}

const PAPERS: [Paper; 2] = [Paper::Mm58, Paper::Mm80];
const NUMBER: &str = "T01261122113000123456";
const TRANSACTION: &str = "4200001234202611220123456789";

fn slip() -> Slip {
    Slip {
        header: vec!["幸福超市".into(), "示范路1号".into()],
        store: "幸福超市南门店".into(),
        till: "T01".into(),
        out_trade_no: OutTradeNo::try_from(NUMBER.to_owned()).unwrap(),
        amount: "12.30".into(),
        symbol: "￥".into(),
        currency: "CNY".into(),
        coupon: String::new(),
        outcome: ReceiptOutcome::Paid,
        goods: Goods::default(),
        cash: None,
        tenders: Vec::new(),
        transaction_id: Some(TRANSACTION.into()),
        time: "2026-11-22 11:30:00".into(),
        note: "可口可乐330ml".into(),
        footer: vec!["谢谢惠顾".into()],
        copy: 0,
        is_training: false,
    }
}

fn english_slip() -> Slip {
    Slip {
        header: vec!["Corner Coffee".into(), "No. 1 Example Road".into()],
        store: "Corner Coffee".into(),
        note: String::new(),
        footer: vec!["Thank you".into()],
        ..slip()
    }
}

#[test]
fn a_chinese_receipt_on_narrow_paper() {
    insta::assert_snapshot!(text(&slip(), Paper::Mm58, Language::Chinese), @r"
                幸福超市
               示范路1号
                收款小票
    --------------------------------
                ￥12.30
                支付成功
    --------------------------------
    门店              幸福超市南门店
    收银机                       T01
    支付方式                微信支付
    时间         2026-11-22 11:30:00
    订单号     T01261122113000123456
    交易单号
        4200001234202611220123456789
    备注               可口可乐330ml
    --------------------------------
    [CODE128 T01261122113000123456]
         T01261122113000123456
    [QR 4200001234202611220123456789]
                谢谢惠顾
    ");
}

#[test]
fn what_was_sold_is_listed_with_quantities_discounts_and_the_tax_in_it() {
    use crate::sale::{Discount, Line, Quantity, Rate, Sale};
    let rate = |hundredths| Rate::from_hundredths(hundredths).unwrap();
    let line = |name: &str, price, thousandths| Line {
        name: name.into(),
        rate: rate(1300),
        ..Line::of_amount(
            Money::from_minor(price),
            Quantity::from_thousandths(thousandths).unwrap(),
        )
    };
    let mut cola = line("可口可乐330ml", 350, 3000);
    cola.discount = Some(Discount::Part(rate(1000)));
    let apples = Line { unit: "千克".into(), rate: rate(900), ..line("苹果", 1280, 345) };
    let long = line("康师傅红烧牛肉面五连包家庭装特惠", 1590, 1000);
    let lines = vec![cola, apples, long, Line { rate: rate(0), ..line("", 200, 1000) }];
    let discount = Some(Discount::Amount(Money::from_minor(100)));
    let sold = Sale { lines, discount, consent: None }.total().unwrap();
    let currency = crate::money::Currency::CNY;
    let amount = currency.group(sold.due);
    let slip = Slip { goods: Goods::of(&sold, currency), amount, note: String::new(), ..slip() };
    let said = text(&slip, Paper::Mm58, Language::Chinese);
    insta::assert_snapshot!(said.lines().skip(4).take(12).collect::<Vec<_>>().join("\n"), @r"
    可口可乐330ml
    3 x 3.50                   10.50
    折扣                       -1.05
    苹果
    0.345千克 x 12.80           4.42
    康师傅红烧牛肉面五连包家庭装特惠
                               15.90
    商品                        2.00
    整单折扣                   -1.00
    含税（9%）                  0.35
    含税（13%）                 2.82
    --------------------------------
    ");
    let reversed = ReceiptOutcome::Reversed { money_returned: true };
    let slip = Slip { outcome: reversed, ..slip };
    assert!(!text(&slip, Paper::Mm80, Language::English).contains("Discount"));
}

#[test]
fn a_chinese_receipt_on_wide_paper() {
    insta::assert_snapshot!(text(&slip(), Paper::Mm80, Language::Chinese), @r"
                        幸福超市
                       示范路1号
                        收款小票
    ------------------------------------------------
                        ￥12.30
                        支付成功
    ------------------------------------------------
    门店                              幸福超市南门店
    收银机                                       T01
    支付方式                                微信支付
    时间                         2026-11-22 11:30:00
    订单号                     T01261122113000123456
    交易单号            4200001234202611220123456789
    备注                               可口可乐330ml
    ------------------------------------------------
            [CODE128 T01261122113000123456]
                 T01261122113000123456
           [QR 4200001234202611220123456789]
                        谢谢惠顾
    ");
}

#[test]
fn an_english_receipt_on_narrow_paper() {
    insta::assert_snapshot!(text(&english_slip(), Paper::Mm58, Language::English), @r"
             Corner Coffee
           No. 1 Example Road
                RECEIPT
    --------------------------------
                ￥12.30
                  PAID
    --------------------------------
    Store              Corner Coffee
    Till                         T01
    Paid by               WeChat Pay
    Time         2026-11-22 11:30:00
    Order      T01261122113000123456
    Transaction
        4200001234202611220123456789
    --------------------------------
    [CODE128 T01261122113000123456]
         T01261122113000123456
    [QR 4200001234202611220123456789]
               Thank you
    ");
}

#[test]
fn an_english_duplicate_of_a_reversal_in_training_on_wide_paper() {
    let slip = Slip {
        outcome: ReceiptOutcome::Reversed { money_returned: true },
        transaction_id: None,
        copy: 2,
        is_training: true,
        ..english_slip()
    };
    insta::assert_snapshot!(text(&slip, Paper::Mm80, Language::English), @r"
                     Corner Coffee
                   No. 1 Example Road
                        TRAINING
                     NO MONEY MOVED
                         COPY 2
                    PAYMENT REVERSED
    ------------------------------------------------
                        ￥12.30
                        REVERSED
    The customer had paid. This payment was
    reversed, and the money is being returned to the
    account it came from.
    ------------------------------------------------
    Store                              Corner Coffee
    Till                                         T01
    Method                                WeChat Pay
    Time                         2026-11-22 11:30:00
    Order                      T01261122113000123456
    ------------------------------------------------
            [CODE128 T01261122113000123456]
                 T01261122113000123456
                       Thank you
                        TRAINING
                     NO MONEY MOVED
                         COPY 2
    ");
}

/// What each slip looks like, on both papers and in both languages.
#[test]
fn every_slip_on_every_paper_in_every_language() {
    let outcomes = [
        ("paid", ReceiptOutcome::Paid),
        ("reversed_nothing_charged", ReceiptOutcome::Reversed { money_returned: false }),
        ("reversed_money_returned", ReceiptOutcome::Reversed { money_returned: true }),
        ("unconfirmed", ReceiptOutcome::Unconfirmed { charged: false }),
        ("unconfirmed_charged", ReceiptOutcome::Unconfirmed { charged: true }),
    ];
    for (name, outcome) in outcomes {
        let papers = PAPERS.iter().flat_map(|paper| {
            [(*paper, Language::Chinese, slip()), (*paper, Language::English, english_slip())]
        });
        let pages = papers.map(|(paper, language, slip)| {
            let is_paid = outcome == ReceiptOutcome::Paid;
            let transaction_id = slip.transaction_id.clone().filter(|_| is_paid);
            let copy = if is_paid { 12 } else { 0 };
            text(&Slip { outcome, transaction_id, copy, ..slip }, paper, language)
        });
        let pages = pages.collect::<Vec<_>>().join("\n");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("slip_{name}"), pages);
        });
    }
}

#[test]
fn a_copy_says_which_it_is_at_both_ends_and_in_chinese_in_both_languages() {
    let marks = |language, slip: Slip| {
        let text = text(&Slip { copy: 3, ..slip }, Paper::Mm58, language);
        let marks = text.lines().map(str::trim).filter(|line| line.contains('3'));
        let marks = marks.filter(|line| line.contains("COPY") || line.contains("补打"));
        marks.map(str::to_owned).collect::<Vec<_>>()
    };
    let chinese = marks(Language::Chinese, slip());
    assert_eq!(chinese, ["补打第 3 次", "COPY 3", "补打第 3 次", "COPY 3"]);
    assert_eq!(marks(Language::English, english_slip()), ["COPY 3", "COPY 3"]);
}

#[test]
fn a_reversal_says_whether_money_goes_back() {
    for (money_returned, words) in [(true, "款项将原路退回"), (false, "未向顾客扣款")]
    {
        let slip = Slip { outcome: ReceiptOutcome::Reversed { money_returned }, ..slip() };
        let text = text(&slip, Paper::Mm80, Language::Chinese);
        assert!(text.contains(words) && text.contains("撤销凭证") && !text.contains("支付成功"));
    }
}

#[test]
fn the_printer_prints_what_the_text_says() {
    for paper in [Paper::Mm58, Paper::Mm80] {
        for (slip, language) in [(slip(), Language::Chinese), (english_slip(), Language::English)] {
            let mut expected: Vec<_> =
                text(&slip, paper, language).lines().map(|line| line.trim().to_owned()).collect();
            // Where no other text needs a Chinese font, the sign is not relied on.
            if language == Language::English {
                for line in &mut expected {
                    *line = line.replace('￥', "CNY ");
                }
            }
            expected.retain(|line| !line.starts_with('['));
            let printed = run(&escpos::print(&slip, &form(paper), language));
            let lines: Vec<_> = printed
                .iter()
                .filter_map(|printed| match printed {
                    Printed::Line { text, .. } => Some(text.clone()),
                    _ => None,
                })
                .collect();
            assert_eq!(lines, expected);
        }
    }
}

#[test]
fn an_english_receipt_needs_nothing_that_an_export_printer_lacks() {
    let large = |form: &Form, slip: &Slip| {
        let printed = run(&escpos::print(slip, form, Language::English));
        printed.into_iter().find_map(|part| match part {
            Printed::Line { text, is_large: true, .. } => Some(text),
            _ => None,
        })
    };
    assert_eq!(large(&form(Paper::Mm80), &english_slip()).unwrap(), "CNY 12.30");
    let chinese = Slip { store: "幸福超市".into(), ..english_slip() };
    assert_eq!(large(&form(Paper::Mm80), &chinese).unwrap(), "￥12.30", "it has the font");
}

#[test]
fn the_part_that_coupons_paid_stands_on_the_receipt() {
    let slip = Slip { coupon: "2.30".into(), ..slip() };
    let line = |language: Language| {
        let text = text(&slip, Paper::Mm58, language);
        text.lines().find(|line| line.contains("2.30") && !line.contains("12.30")).map(String::from)
    };
    assert_eq!(line(Language::English).unwrap(), "Paid by coupon            ￥2.30");
    assert_eq!(line(Language::Chinese).unwrap(), "其中优惠                  ￥2.30");
}

#[test]
fn the_amount_is_large_and_centred() {
    let printed = run(&escpos::print(&slip(), &form(Paper::Mm58), Language::Chinese));
    let amount = Printed::Line { text: "￥12.30".into(), align: 1, is_large: true };
    assert!(printed.contains(&amount));
    assert_eq!(printed[printed.len() - 2..], [Printed::Feed(4), Printed::Cut]);
}

#[test]
fn the_order_number_is_a_barcode_as_wide_as_the_paper_allows() {
    for (paper, module) in [(Paper::Mm58, 2), (Paper::Mm80, 3)] {
        let printed = run(&escpos::print(&slip(), &form(paper), Language::English));
        assert!(printed.contains(&Printed::Barcode { text: NUMBER.into(), module }));
    }
}

#[test]
fn a_number_too_wide_for_a_barcode_still_stands_in_text() {
    let number = OutTradeNo::try_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef".to_owned()).unwrap();
    let slip = Slip { out_trade_no: number.clone(), ..slip() };
    let printed = run(&escpos::print(&slip, &form(Paper::Mm58), Language::English));
    assert!(!printed.iter().any(|printed| matches!(printed, Printed::Barcode { .. })));
    let line = Printed::Line { text: number.to_string(), align: 2, is_large: false };
    assert!(printed.contains(&line));
}

#[test]
fn the_transaction_number_can_be_scanned_and_fits_the_paper() {
    let printed = run(&escpos::print(&slip(), &form(Paper::Mm58), Language::Chinese));
    let code = printed.iter().find_map(|printed| match printed {
        Printed::Qr { content, module } => Some((content.clone(), usize::from(*module))),
        _ => None,
    });
    let (content, module) = code.expect("a QR code");
    let qr = QRBuilder::new(content).ecl(ECL::M).build().unwrap();
    assert!(qr.size * module <= Paper::Mm58.dots());
    assert_eq!(read_qr(&qr, module), TRANSACTION);
}

/// Draws a code with a margin of four modules and reads it back from the picture.
fn read_qr(qr: &fast_qr::QRCode, module: usize) -> String {
    let side = (qr.size + 8) * module;
    let is_dark = |x: usize, y: usize| {
        let inside = |at: usize| (at / module).checked_sub(4).filter(|at| *at < qr.size);
        inside(x).zip(inside(y)).is_some_and(|(x, y)| qr[y][x].value())
    };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
        if is_dark(x, y) { 0 } else { 255 }
    });
    let grids = picture.detect_grids();
    grids[0].decode().unwrap().1
}

#[test]
fn a_strange_transaction_number_has_no_qr_code() {
    for number in ["", "\u{1b}@", "余额", &"4".repeat(65)] {
        let slip = Slip { transaction_id: Some((*number).to_owned()), ..slip() };
        let printed = run(&escpos::print(&slip, &form(Paper::Mm80), Language::English));
        assert!(!printed.iter().any(|printed| matches!(printed, Printed::Qr { .. })), "{number:?}");
    }
}

#[test]
fn the_test_page_shows_all_a_printer_may_be_able_to_do() {
    for (paper, profile) in everywhere() {
        let printed = run(&escpos::test_page(&Form { profile, ..form(paper) }));
        for align in 0..=2 {
            let has = |printed: &Printed| matches!(printed, Printed::Line { align: own, .. } if *own == align);
            assert!(printed.iter().any(has));
        }
        let ruler: String = "1234567890".chars().cycle().take(paper.columns()).collect();
        let line = |text: &str| Printed::Line { text: text.into(), align: 0, is_large: false };
        for text in [ruler.as_str(), "1 微信支付 收款成功 谢谢", "2 镕燊堃喆 € … —", "4", "5"]
        {
            assert!(printed.contains(&line(text)), "{text}");
        }
        let name = format!("profile = \"{}\"", profile.name());
        assert!(printed.contains(&Printed::Line { text: name, align: 1, is_large: false }));
        assert!(printed.iter().any(|printed| matches!(printed, Printed::Barcode { .. })));
        assert!(printed.iter().any(|printed| matches!(printed, Printed::Qr { .. })));
        assert!(printed.iter().any(|printed| matches!(printed, Printed::Rows { .. })));
        let cuts = usize::from(profile != Profile::NoCutter);
        assert_eq!(printed.iter().filter(|printed| **printed == Printed::Cut).count(), cuts);
    }
}

fn everywhere() -> impl Iterator<Item = (Paper, Profile)> {
    PAPERS.into_iter().flat_map(|paper| Profile::ALL.map(|profile| (paper, profile)))
}

#[test]
fn profiles_end_a_receipt_as_their_printers_can() {
    for (profile, end) in [
        (Profile::Auto, &b"\x1ba\0\x1bd\x04\x1dVB\0"[..]),
        (Profile::Epson, b"\x1ba\0\x1dVB\0"),
        (Profile::Generic, b"\x1ba\0\x1dVB\0"),
        (Profile::NoCutter, b"\x1ba\0\x1bd\x05"),
        (Profile::Raster, b"\x1ba\0\x1bd\x04\x1dVB\0"),
    ] {
        let form = Form { profile, ..form(Paper::Mm80) };
        assert!(escpos::print(&slip(), &form, Language::Chinese).ends_with(end), "{profile:?}");
        assert!(
            escpos::terminator(&form).ends_with(&[&b"\0\n\x1b@"[..], end].concat()),
            "{profile:?}"
        );
    }
}

/// The lines printed as text that are not plain ASCII.
fn chinese_lines(printed: &[Printed]) -> Vec<&str> {
    let lines = printed.iter().filter_map(|printed| match printed {
        Printed::Line { text, .. } if !text.is_ascii() => Some(text.as_str()),
        _ => None,
    });
    lines.collect()
}

#[test]
fn a_printer_without_a_font_gets_pictures_alone() {
    for paper in PAPERS {
        let form = Form { profile: Profile::Raster, ..form(paper) };
        let bytes = escpos::print(&slip(), &form, Language::Chinese);
        assert!(bytes.starts_with(b"\x1b@\x1ba\x01\x1b"), "{:x?}", &bytes[..8]);
        for printed in run(&bytes) {
            match printed {
                Printed::Rows { rows, .. } => assert!(rows[0].len() * 8 <= paper.dots()),
                Printed::FeedRows(_) | Printed::Feed(_) | Printed::Cut => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn an_old_printer_gets_its_own_characters_as_text_and_others_as_pictures() {
    let form = Form { profile: Profile::Gb2312, ..form(Paper::Mm80) };
    let slip = Slip { note: "陶喆".into(), ..slip() };
    let bytes = escpos::print(&slip, &form, Language::Chinese);
    assert!(bytes.starts_with(b"\x1b@\x1c&\n"), "its Chinese begins with the next line");
    let printed = run(&bytes);
    let lines = chinese_lines(&printed);
    assert!(lines.contains(&"￥12.30") && lines.contains(&"支付成功"), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("喆")));
    assert!(
        !printed
            .iter()
            .any(|printed| matches!(printed, Printed::Qr { .. } | Printed::Barcode { .. }))
    );
}

/// A picture on white paper, as a scanner sees it.
fn seen(printed: &[Printed], align: u8) -> Vec<Vec<u8>> {
    let rows = printed.iter().flat_map(|printed| match printed {
        Printed::Rows { align: own, rows } if *own == align => rows.clone(),
        _ => Vec::new(),
    });
    rows.collect()
}

#[test]
fn a_drawn_qr_code_can_be_read() {
    let mut bytes = b"\x1b@".to_vec();
    raster::put(&mut bytes, &raster::qr(TRANSACTION, 6).unwrap());
    let rows = seen(&run(&bytes), 0);
    let (side, margin) = (rows.len(), 24);
    let is_dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(margin).filter(|at| *at < side);
        inside(x).zip(inside(y)).is_some_and(|(x, y)| rows[y][x / 8] & (0x80 >> (x % 8)) != 0)
    };
    let whole = side + 2 * margin;
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(whole, whole, |x, y| {
        if is_dark(x, y) { 0 } else { 255 }
    });
    assert_eq!(picture.detect_grids()[0].decode().unwrap().1, TRANSACTION);
}

#[test]
fn the_shops_sign_comes_first() {
    let mut logo = Picture::white(100, 30);
    for at in 0..30 {
        logo.blacken(at, at);
    }
    for (paper, profile) in everywhere() {
        let form = Form { profile, logo: Some(logo.clone()), ..form(paper) };
        let printed = run(&escpos::print(&slip(), &form, Language::Chinese));
        let first = printed
            .iter()
            .find(|printed| !matches!(printed, Printed::Line { text, .. } if text.is_empty()));
        let Some(Printed::Rows { align: 1, rows }) = first else { panic!("{first:?}") };
        assert_eq!((rows.len(), rows[0].len(), rows[0][0]), (24, 13, 0x80));
    }
}

#[test]
fn the_drawer_is_opened_by_nothing_else() {
    use crate::config::DrawerPin;
    assert_eq!(escpos::drawer(DrawerPin::Pin2), b"\x1bp\0\x32\xfa");
    assert_eq!(escpos::drawer(DrawerPin::Pin5), b"\x1bp\x01\x32\xfa");
    // The simulated printer rejects any other use of the command.
    let receipt = [&b"\x1b@"[..], &escpos::drawer(DrawerPin::Pin2)].concat();
    assert!(Printout::read(&receipt).is_err());
}

#[test]
fn only_an_end_with_or_without_the_money_has_a_slip() {
    use crate::clock::{Millis, Timestamp};
    use crate::payment::{Call, Proof, Rules};
    use crate::says::Says;
    let rules = Rules::default();
    let mut payment = State::begin(&rules, 0);
    assert_eq!(ReceiptOutcome::of(&payment), None);
    let proof = Proof { transaction_id: TRANSACTION.into(), paid_at: Timestamp(0), coupon: None };
    let answered = Says::Paid(proof).in_answer_to(Call::SUBMISSION);
    assert_eq!(payment.step(&answered, Millis(10), &rules), None);
    assert_eq!(ReceiptOutcome::of(&payment), Some(ReceiptOutcome::Paid));
}
