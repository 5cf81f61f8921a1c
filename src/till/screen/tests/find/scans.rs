//! What is scanned at the page, and which answer belongs to it.

use super::*;

#[test]
fn a_scan_of_a_number_is_asked_about_by_itself_and_has_one_word() {
    for (found, word, means) in [
        (Found::Paid(proof()), "PAID", "This order is paid:"),
        (Found::Ended(Ending::Refunded), "REFUNDED", "and then refunded in part or in full"),
        (Found::Ended(Ending::Returned), "REVERSED", "Keep the goods"),
        (
            lost(),
            "UNKNOWN",
            "WeChat Pay cannot be reached. The result is not certain: keep the goods",
        ),
        (Found::AnotherTills(TillCause::AnotherTill.into()), "NOT OURS", "not paid at this till"),
    ] {
        let mut bench = bench();
        opened(&mut bench);
        let file = paid_order();
        let question = scanned(&mut bench, &file);
        assert_eq!(question, Question::Order(Box::new(file.order.clone())));
        assert!(says(&bench, "ASKING"));
        assert_eq!(bench.key(Key::F(5)), [], "it is being asked");
        answer(&mut bench, question.number(), found);
        for words in [word, means, "asked at hh:mm:ss"] {
            assert!(says(&bench, words), "{words}\n{}", bench.drawn(80, 24));
        }
        assert_eq!(ask_of(&bench.key(Key::F(5))), question);
    }
}

#[test]
fn without_an_answer_nothing_is_called_unpaid() {
    let mut bench = bench();
    opened(&mut bench);
    let file = declined_order();
    let question = scanned(&mut bench, &file);
    answer(&mut bench, question.number(), lost());
    assert!(says(&bench, "UNKNOWN") && !says(&bench, "NOT PAID"));
    bench.key(Key::F(5));
    answer(&mut bench, question.number(), Found::NotFound);
    assert!(says(&bench, "NOT PAID") && says(&bench, "Nothing was charged"));
}

#[test]
fn a_foreign_number_is_asked_about_without_an_order() {
    for (text, is_transaction) in [("X9-20261122-000345", false), (TRANSACTION, true)] {
        let mut bench = bench();
        opened(&mut bench);
        let (serial, _) = search_of(&scan(&mut bench, text));
        let question = ask_of(&found(&mut bench, serial, &[]));
        assert_eq!(question.number(), text);
        let nobody = if is_transaction {
            Enquired::Owner(Owner::Nobody)
        } else {
            Enquired::Found(Found::NotFound)
        };
        answer_about(&mut bench, text, nobody);
        assert!(says(&bench, "NOT OURS") && says(&bench, "Do not hand over goods for it"));
    }
}

#[test]
fn a_transaction_that_no_answer_has_named_leads_to_its_order() {
    let mut bench = bench();
    opened(&mut bench);
    let (serial, wanted) = search_of(&scan(&mut bench, TRANSACTION));
    assert_eq!(wanted.transaction.as_deref(), Some(TRANSACTION));
    let question = ask_of(&found(&mut bench, serial, &[]));
    let owner = Enquired::Owner(Owner::Order(reversed_order().row.out_trade_no));
    let commands = answer_about(&mut bench, question.number(), owner);
    let (serial, wanted) = search_of(&commands);
    assert_eq!(wanted.number, Some(number(345_006)));
    let question = ask_of(&found(&mut bench, serial, &[reversed_order()]));
    answer(&mut bench, question.number(), Found::Paid(proof()));
    assert!(says(&bench, "UNKNOWN") && says(&bench, "call the manager"));
}

#[test]
fn codes_that_stand_for_money_are_named_and_neither_searched_for_nor_sent() {
    let mut bench = bench();
    bench.type_text("12.5");
    bench.key(Key::Enter);
    opened(&mut bench);
    bench.commands.clear();
    let code = code(7).expose().to_owned();
    for (text, name) in [
        (code.as_str(), "That was a WeChat payment code. That is not an order number"),
        ("28763443825664394", "That was an Alipay code"),
        ("wxp://f2f0abcdef", "receiving money"),
        ("6901234567892", "product barcode"),
        (&code[..17], "digits were read"),
        ("https://example.com/", "The scan could not be read."),
    ] {
        let bells = bench.model.rings();
        assert_eq!(scan(&mut bench, text), [], "{text}");
        assert!(says(&bench, name), "{text}\n{}", bench.drawn(80, 24));
        assert!(bench.model.rings() > bells);
    }
    bench.type_text(&code);
    assert_eq!(bench.key(Key::Enter), []);
    assert!(says(&bench, "That was a WeChat payment code.") && !says(&bench, &code));
    for scan in [
        Scan::Payment(super::code(7)),
        Scan::OtherWallet(Wallet::Other),
        Scan::Odd(Oddity::Joined),
        Scan::Noise,
    ] {
        assert_eq!(bench.send(ScreenMessage::Scanned(scan)), []);
    }
    assert_eq!(bench.commands, []);
    bench.key(Key::Esc);
    bench.wait(1000);
    let sale = SaleRef::New(Money::from_minor(1250));
    assert_eq!(bench.scan(7), [ScreenCommand::Begin { sale, code: super::code(7) }]);
}

#[test]
fn a_scan_with_other_keys_before_it_is_scanned_again() {
    let mut bench = bench();
    opened(&mut bench);
    bench.type_text("T01");
    let (began, text) = (Uptime(bench.now), raw("261122120000345004"));
    let scan = Scan::Noise;
    let commands = bench.send(ScreenMessage::KeyScan { scan, text, began, is_alone: false });
    assert_eq!(commands, []);
    assert!(says(&bench, "Scan the number again.") && !says(&bench, "T01_"));
}

#[test]
fn a_verdict_does_not_stay_under_a_scan_that_was_refused() {
    let unreadable = "https://example.com/";
    for refused in [code(7).expose(), "28763443825664394", unreadable] {
        let mut bench = bench();
        opened(&mut bench);
        let question = scanned(&mut bench, &paid_order());
        answer(&mut bench, question.number(), Found::Paid(proof()));
        assert!(says(&bench, "This order is paid:"));
        assert_eq!(scan(&mut bench, refused), []);
        assert!(
            !says(&bench, "This order is paid:") && says(&bench, "That is not an order number")
        );
        // Neither does an answer that comes late.
        answer(&mut bench, question.number(), Found::Paid(proof()));
        assert!(!says(&bench, "This order is paid:"));
        bench.key(Key::Esc);
        assert!(!bench.model.is_finding());
    }
    let mut cut = bench();
    opened(&mut cut);
    let question = scanned(&mut cut, &paid_order());
    answer(&mut cut, question.number(), Found::Paid(proof()));
    let began = Uptime(cut.now);
    cut.send(ScreenMessage::DroppedKeys { characters: 12, began });
    assert!(!says(&cut, "This order is paid:") && says(&cut, "did not end with Enter"));
    let mut bench = bench();
    opened(&mut bench);
    let (late, _) = search_of(&scan(&mut bench, paid_order().row.out_trade_no.as_str()));
    scan(&mut bench, unreadable);
    assert_eq!(found(&mut bench, late, &[paid_order()]), []);
    assert!(!says(&bench, "345004"));
}

#[test]
fn what_comes_of_an_earlier_search_or_question_is_dropped() {
    let mut bench = bench();
    opened(&mut bench);
    let (late, _) = search_of(&scan(&mut bench, paid_order().row.out_trade_no.as_str()));
    let question = scanned(&mut bench, &declined_order());
    assert_eq!(found(&mut bench, late, &[paid_order()]), []);
    assert!(!says(&bench, "345004"));
    answer(&mut bench, paid_order().row.out_trade_no.as_str(), Found::Paid(proof()));
    assert!(says(&bench, "ASKING"));
    answer(&mut bench, question.number(), Found::NotFound);
    assert!(says(&bench, "NOT PAID"));
    bench.key(Key::Esc);
    answer(&mut bench, question.number(), Found::Paid(proof()));
    assert!(!bench.model.is_finding());
}

#[test]
fn a_question_that_is_never_answered_can_be_asked_again() {
    let mut bench = bench();
    opened(&mut bench);
    let question = scanned(&mut bench, &paid_order());
    bench.wait(29_000);
    assert!(bench.model.counts_seconds() && bench.key(Key::F(5)).is_empty());
    bench.wait(1_000);
    assert!(says(&bench, "by this till's journal"));
    assert_eq!(ask_of(&bench.key(Key::F(5))), question);
}

#[test]
fn an_answer_to_an_earlier_question_about_the_same_order_is_none_to_the_later_one() {
    let mut bench = bench();
    opened(&mut bench);
    let scan_it = |bench: &mut ScreenBench| {
        let (serial, _) = search_of(&scan(bench, paid_order().row.out_trade_no.as_str()));
        let [ScreenCommand::Ask { serial, .. }] = found(bench, serial, &[paid_order()])[..] else {
            panic!("it is asked about")
        };
        serial
    };
    let (earlier, later) = (scan_it(&mut bench), scan_it(&mut bench));
    let paid = Enquired::Found(Found::Paid(proof()));
    bench.send(ScreenMessage::Enquired { serial: earlier, enquired: paid });
    assert!(!says(&bench, "WeChat Pay, "));
    assert_eq!(bench.model.verdict(), None);
    let refunded = Enquired::Found(Found::Ended(Ending::Refunded));
    bench.send(ScreenMessage::Enquired { serial: later, enquired: refunded });
    assert_eq!(bench.model.verdict().unwrap().1, crate::text::find::Verdict::Refunded);
}
