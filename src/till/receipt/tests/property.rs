//! What holds of any slip.

use encoding_rs::GB18030;
use proptest::prelude::*;

use super::*;

fn any_text() -> impl Strategy<Value = String> {
    "\\PC{0,80}|[\u{0}-\u{20}\u{7f}-\u{a5}@!ak(V余￥a-z]{0,40}|.{0,40}"
}

fn any_slip() -> impl Strategy<Value = Slip> {
    let texts = prop::array::uniform8(any_text());
    (texts, any::<[bool; 4]>(), "[0-9A-Za-z_-]{6,32}").prop_map(|(texts, flags, number)| {
        let [header, store, till, amount, symbol, transaction, note, footer] = texts;
        let [is_paid, money_returned, is_copy, is_training] = flags;
        let line = GoodsLine { name: note.clone(), count: store.clone(), ..GoodsLine::default() };
        let line = GoodsLine { sum: amount.clone(), discount: till.clone(), ..line };
        let taxes = vec![(symbol.clone(), amount.clone())];
        let goods = Goods { lines: vec![line], discount: amount.clone(), taxes };
        let copy = u32::from(is_copy);
        Slip {
            header: vec![header],
            store,
            till,
            out_trade_no: OutTradeNo::try_from(number).unwrap(),
            amount,
            symbol,
            currency: "CNY".into(),
            coupon: String::new(),
            outcome: match (is_paid, is_copy) {
                (true, _) => ReceiptOutcome::Paid,
                (false, true) => ReceiptOutcome::Unconfirmed { charged: money_returned },
                (false, false) => ReceiptOutcome::Reversed { money_returned },
            },
            goods,
            cash: None,
            tenders: Vec::new(),
            transaction_id: Some(transaction),
            time: "2026-11-22 11:30:00".into(),
            note,
            footer: vec![footer],
            copy,
            is_training,
        }
    })
}

#[test]
fn lines_break_at_blanks_and_not_before_a_full_stop() {
    assert_eq!(wrap("one two three", 9), ["one two", "three"]);
    assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
    assert_eq!(wrap("请收款。谢谢", 6), ["请收", "款。谢", "谢"]);
}

proptest! {
    #[test]
    fn no_text_commands_the_printer_or_leaves_the_paper(
        slip in any_slip(),
        profile in prop::sample::select(Profile::ALL.to_vec()),
        digits in "T01[0-9]{18}",
    ) {
        let slip = Slip { out_trade_no: OutTradeNo::try_from(digits).unwrap(), ..slip };
        for paper in PAPERS {
            let bytes = escpos::print(&slip, &Form { profile, ..form(paper) }, Language::Chinese);
            for printed in run(&bytes) {
                match printed {
                    Printed::Line { text, is_large, .. } => {
                        let bytes = GB18030.encode(&text).0.len() * if is_large { 2 } else { 1 };
                        prop_assert!(bytes <= paper.columns(), "{text:?}");
                    }
                    Printed::Rows { rows, .. } => prop_assert!(rows[0].len() * 8 <= paper.dots()),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn wrapping_loses_nothing_but_blanks(text in "[a-z余￥。 ]{0,80}", width in 2_usize..40) {
        let lines = wrap(&text, width);
        prop_assert!(lines.iter().all(|line| columns(line) <= width && !line.is_empty()));
        let letters = |text: &str| text.replace(' ', "");
        prop_assert_eq!(letters(&lines.concat()), letters(&text));
    }
}
