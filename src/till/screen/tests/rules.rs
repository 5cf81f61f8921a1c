//! What keys, scans and reports do.

mod receipts;
mod steady;

use super::*;
use crate::says::{Says, reason};
use crate::scan::Wallet;

fn bench() -> ScreenBench {
    ScreenBench::new(settings())
}

/// The screen in English without line breaks and spaces.
fn says(bench: &ScreenBench, words: &str) -> bool {
    packed(&bench.drawn(80, 24)).contains(&packed(words))
}

fn declined(bench: &mut ScreenBench) -> usize {
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Declined(reason("AUTHCODEEXPIRE")));
    index
}

fn lost() -> Says {
    Says::Unknown(reason("no_answer"))
}

#[test]
fn an_amount_enter_and_a_scan_begin_one_payment() {
    let mut bench = bench();
    bench.type_text("12.5");
    assert_eq!(bench.commands, [ScreenCommand::WarmUp], "the first digit warms the connection");
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::WarmUp]);
    assert!(says(&bench, "READY"));
    let sale = SaleRef::New(Money::from_minor(1250));
    assert_eq!(bench.scan(7), [ScreenCommand::Begin { sale, code: code(7) }]);
    assert_eq!(bench.scan(8), [], "only one");
}

#[test]
fn the_connection_is_kept_warm_while_a_code_is_asked_for() {
    let mut bench = bench();
    bench.type_text("5");
    bench.key(Key::Enter);
    bench.commands.clear();
    for _ in 0..50 {
        bench.wait(1000);
    }
    assert_eq!(bench.commands, [ScreenCommand::WarmUp, ScreenCommand::WarmUp]);
}

#[test]
fn a_scan_before_enter_sends_nothing_and_says_what_to_do() {
    let mut bench = bench();
    bench.type_text("12.5");
    assert_eq!(bench.scan(7), []);
    assert!(says(&bench, "That was a WeChat payment code. Nothing was sent. Press Enter first"));
}

#[test]
fn whatever_is_scanned_is_named_and_nothing_is_sent() {
    let mut bench = bench();
    bench.type_text("12.5");
    bench.key(Key::Enter);
    for (scan, name) in [
        (Scan::OtherWallet(Wallet::Alipay), "Alipay"),
        (Scan::OtherWallet(Wallet::UnionPay), "UnionPay"),
        (Scan::OtherWallet(Wallet::EmvCode), "a bank's QR code"),
        (Scan::OtherWallet(Wallet::Other), "another wallet"),
        (Scan::ReceiveCode, "receiving money"),
        (Scan::Goods("6901234567892\u{1b}[2J".into()), "product barcode (6901234567892[2J)"),
        (Scan::OwnReceipt(number(9)), "our own receipt, order 000009"),
        (Scan::Transaction("4200001".into()), "transaction number (4200001)"),
        (Scan::Noise, "could not be read"),
    ] {
        assert_eq!(bench.send(ScreenMessage::Scanned(scan)), []);
        assert!(says(&bench, name), "{name}");
        assert!(says(&bench, "Nothing was sent."), "{name}");
        assert!(says(&bench, "READY"), "{name}");
    }
    let began = Uptime(bench.now);
    bench.send(ScreenMessage::DroppedKeys { characters: 12, began });
    assert!(says(&bench, "Set the scanner's suffix"));
}

#[test]
fn a_wrong_amount_is_refused_with_the_reason_and_never_rounded() {
    for (typed, reason) in [
        ("12.345", "At most 2 decimal places"),
        ("-1", "cannot contain the minus sign \"-\". Enter an amount such as 12.50."),
        ("1e9", "An amount cannot contain \"e\"."),
        ("1,000", "An amount cannot contain the comma \",\"."),
        ("１，２", "An amount cannot contain the comma \"，\"."),
        ("1 2", "An amount cannot contain a blank."),
        ("1.2.3", "only one decimal point"),
        (".", "Enter an amount such as 12.50."),
        ("0", "more than zero"),
        ("0.00", "more than zero"),
        ("999999999.99", "limit for one sale is ￥9,999,999.99"),
        ("0000000000000000001", "limit for one sale is ￥9,999,999.99"),
        ("", "Enter the amount first"),
    ] {
        let mut bench = bench();
        bench.type_text(typed);
        bench.key(Key::Enter);
        assert!(says(&bench, reason), "{typed:?}");
        assert!(!says(&bench, "READY"), "{typed:?}");
    }
}

#[test]
fn a_point_may_lead_or_end_and_an_input_method_may_be_left_on() {
    for (typed, fen) in [(".5", 50), ("5.", 500), ("１２。５", 1250), ("12．34", 1234)] {
        let mut bench = bench();
        bench.type_text(typed);
        assert!(bench.model.note.is_none(), "{typed:?}");
        bench.key(Key::Enter);
        let sale = SaleRef::New(Money::from_minor(fen));
        assert_eq!(bench.model.takes_codes(), Some(sale), "{typed:?}");
    }
}

#[test]
fn amounts_are_shown_with_thousands_told_apart() {
    let mut bench = bench();
    bench.type_text("1234567");
    let small = |bench: &ScreenBench| packed(&bench.drawn(60, 15));
    bench.key(Key::Enter);
    assert!(says(&bench, "Charge ￥1,234,567.00?"));
    bench.key(Key::Enter);
    assert!(small(&bench).contains("￥1,234,567.00"), "{}", bench.drawn(60, 15));
    let payment = bench.begin(1);
    bench.answer(payment, Says::Paid(proof()));
    bench.key(Key::Enter);
    assert!(says(&bench, "￥1,234,567.00"));
}

#[test]
fn backspace_takes_a_digit_back_and_escape_all() {
    let mut bench = bench();
    bench.type_text("12.345");
    bench.key(Key::Backspace);
    bench.key(Key::Enter);
    assert_eq!(bench.model.takes_codes(), Some(SaleRef::New(Money::from_minor(1234))));
    bench.key(Key::Esc);
    assert_eq!(bench.model.task, pages::checkout::CashierTask::Amount { typed: String::new() });
}

#[test]
fn a_large_amount_asks_once_more() {
    let mut bench = bench();
    bench.type_text("1000.01");
    bench.key(Key::Enter);
    assert!(says(&bench, "Charge ￥1,000.01?"));
    assert_eq!(bench.scan(1), [], "a question is answered first");
    bench.key(Key::Enter);
    assert!(says(&bench, "READY"));
}

#[test]
fn enter_held_down_is_one_enter() {
    let mut bench = bench();
    bench.type_text("2000");
    bench.key(Key::Enter);
    for _ in 0..30 {
        bench.now += 33;
        bench.send(ScreenMessage::Key(Key::Enter));
    }
    assert!(says(&bench, "Charge ￥2,000.00?"));
}

#[test]
fn a_scan_while_a_payment_is_open_is_refused_and_not_kept_for_later() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    let rings = bench.model.rings();
    assert_eq!(bench.scan(2), []);
    assert_eq!(bench.model.rings(), rings + 1);
    assert!(says(&bench, "Nothing was sent. Finish the payment on the screen first."));
    assert!(says(&bench, "SENDING"));
    bench.answer(index, Says::Paid(proof()));
    bench.key(Key::Enter);
    bench.type_text("3");
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::WarmUp]);
}

#[test]
fn the_same_code_read_twice_is_sent_once() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.now += 300;
    bench.answer(index, Says::Declined(reason("AUTH_CODE_INVALID")));
    assert_eq!(bench.scan(1), []);
    assert!(says(&bench, "This payment code was already used. Nothing was sent."));
    // Another code that begins and ends like it.
    let sale = SaleRef::Again(1, Money::from_minor(1250));
    assert_eq!(bench.scan(20_001), [ScreenCommand::Begin { sale, code: code(20_001) }]);
}

#[test]
fn cancelling_asks_once_and_a_second_escape_changes_nothing() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paying);
    assert_eq!(bench.key(Key::Esc), []);
    assert!(says(&bench, "Any money taken will be returned."));
    assert_eq!(bench.key(Key::Esc), [], "keeps waiting");
    bench.key(Key::Esc);
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::Cancel(bench.order(index))]);
    assert_eq!(bench.key(Key::Esc), []);
    assert_eq!(bench.key(Key::Enter), []);
    bench.step(index, Event::Cancel);
    assert!(says(&bench, "reverses in 1"));
    assert_eq!(bench.key(Key::Esc), []);
    assert!(says(&bench, "already being reversed"));
}

#[test]
fn the_question_goes_when_the_customer_has_paid_meanwhile() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paying);
    bench.key(Key::Esc);
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    assert!(says(&bench, "Hand over the goods."));
    // This Enter was meant for the question, and must not dismiss the answer.
    assert_eq!(bench.key(Key::Enter), []);
    assert!(says(&bench, "Hand over the goods."));
    bench.wait(1_000);
    bench.key(Key::Enter);
    assert!(says(&bench, "Enter the amount."));
}

/// Whatever is pressed and scanned while the money may be held: nothing charges the sale again.
fn nothing_charges_it_again(bench: &mut ScreenBench) {
    for key in [Key::Down, Key::Up, Key::Tab, Key::Char('y')] {
        bench.key(Key::Enter);
        assert_eq!(bench.key(key), [], "{key:?}");
        assert!(!says(bench, "charge this sale again?"));
        bench.key(Key::Esc);
    }
    assert_eq!(bench.scan(9), [], "a code is not taken for it");
    assert_eq!(bench.model.takes_codes(), None);
}

#[test]
fn while_money_is_held_or_may_be_nothing_charges_the_sale_again() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, lost());
    bench.later(index, 30_000);
    bench.answer(index, Says::NotPaid);
    nothing_charges_it_again(&mut bench);
    bench.answer(index, Says::Repeat(reason("recall")));
    bench.later(index, 36_000);
    bench.answer(index, Says::Paid(proof()));
    assert!(says(&bench, "The customer has paid, and the money has not been returned yet."));
    nothing_charges_it_again(&mut bench);
    bench.answer(index, Says::ReversalRefused(reason("TRADE_ERROR")));
    assert!(says(&bench, "WeChat Pay refuses to reverse the payment."));
    nothing_charges_it_again(&mut bench);
    // The next customer is served all the same.
    bench.key(Key::Enter);
    assert!(says(&bench, "Do not charge this sale again"));
    bench.key(Key::Enter);
    assert_eq!(bench.model.task, pages::checkout::CashierTask::Amount { typed: String::new() });
    assert!(says(&bench, "NEEDS ATTENTION"));
}

#[test]
fn seconds_count_down_to_the_query_and_to_the_end_of_the_wait() {
    let mut bench = bench();
    bench.charge("12.5", 1);
    bench.wait(1_500);
    assert!(says(&bench, "next check in 4 s") && says(&bench, "stops waiting in 29 s"));
    bench.wait(1_000);
    assert!(says(&bench, "next check in 3 s") && says(&bench, "stops waiting in 28 s"));
}

#[test]
fn f5_asks_the_gateway_now() {
    let mut bench = bench();
    assert_eq!(bench.key(Key::F(5)), []);
    let index = bench.charge("12.5", 1);
    assert_eq!(bench.key(Key::F(5)), [ScreenCommand::CheckNow(bench.order(index))]);
}

#[test]
fn scanning_after_not_paid_charges_the_same_sale_again() {
    let mut bench = bench();
    declined(&mut bench);
    bench.now += 5_000;
    let sale = SaleRef::Again(1, Money::from_minor(1250));
    assert_eq!(bench.scan(2), [ScreenCommand::Begin { sale, code: code(2) }]);
}

#[test]
fn the_next_customer_is_served_while_the_open_payment_stays_in_sight() {
    let mut bench = bench();
    let first = bench.charge("12.5", 1);
    bench.cancel(first);
    bench.key(Key::Enter);
    assert_eq!(bench.key(Key::Enter), []);
    assert!(says(&bench, "REVERSING") && says(&bench, "Enter the amount."));
    bench.charge("3", 2);
    assert!(says(&bench, "REVERSING") && says(&bench, "SENDING"));
}

#[test]
fn an_end_in_the_background_must_be_acknowledged() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paying);
    bench.cancel(index);
    bench.key(Key::Enter);
    bench.key(Key::Enter);
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    assert!(says(&bench, "PAID   ￥12.50") && says(&bench, "Enter: OK"));
    bench.wait(60_000);
    assert!(says(&bench, "Enter: OK"));
    bench.key(Key::Enter);
    assert!(!says(&bench, "Enter: OK"));
}

#[test]
fn an_enter_on_its_way_to_the_amount_does_not_acknowledge_unseen_news() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paying);
    bench.cancel(index);
    bench.key(Key::Enter);
    bench.key(Key::Enter);
    bench.type_text("8");
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    bench.key(Key::Enter);
    assert!(says(&bench, "READY") && says(&bench, "Enter: OK"));
}

#[test]
fn a_failed_journal_stops_selling() {
    let mut bench = bench();
    bench.type_text("12.5");
    bench.send(ScreenMessage::JournalFailed(crate::both!(
        "disk full\u{1b}[2J",
        "磁盘已满\u{1b}[2J"
    )));
    assert!(says(&bench, "STOP") && says(&bench, "disk full[2J"));
    assert_eq!(bench.key(Key::Enter), []);
    assert_eq!(bench.scan(1), []);
    assert!(says(&bench, "Nothing was sent. The till has stopped taking payments."));
    bench.key(Key::Ctrl('l'));
    assert!(says(&bench, "磁盘已满[2J"), "and in the other language why");
    assert_eq!(bench.key(Key::Ctrl('q')), [ScreenCommand::Quit]);
}

#[test]
fn leaving_asks_only_while_a_payment_is_open() {
    let mut bench = bench();
    assert_eq!(bench.key(Key::Ctrl('q')), [ScreenCommand::Quit]);
    bench.charge("12.5", 1);
    assert_eq!(bench.key(Key::Ctrl('q')), []);
    assert_eq!(bench.key(Key::Esc), []);
    assert_eq!(bench.key(Key::Ctrl('q')), []);
    assert_eq!(bench.key(Key::Enter), [], "a scanner ends with Enter");
    assert!(says(&bench, "Ctrl-Q: Quit") && says(&bench, "Quit anyway?"));
    assert_eq!(bench.key(Key::Ctrl('q')), [ScreenCommand::Quit]);
}

#[test]
fn no_bare_letter_is_a_command() {
    let mut bench = bench();
    for letter in ('a'..='z').chain('A'..='Z') {
        assert!(
            bench.key(Key::Char(letter)).iter().all(|command| *command == ScreenCommand::WarmUp)
        );
        bench.key(Key::Esc);
    }
    assert_eq!(bench.model.dialog, None);
}

#[test]
fn training_customers_show_a_code_only_where_one_is_taken() {
    let training = Some(vec!["Pays".into(), "Walks away".into()]);
    let mut bench = ScreenBench::new(Settings { training, ..settings() });
    assert!(says(&bench, "TRAINING – no money moves"));
    bench.key(Key::Ctrl('t'));
    assert!(says(&bench, "Enter the amount first"));
    bench.type_text("5");
    bench.key(Key::Enter);
    bench.key(Key::Ctrl('t'));
    bench.key(Key::Up);
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::Train(1)]);
    let mut real = ScreenBench::new(settings());
    real.type_text("5");
    real.key(Key::Enter);
    real.key(Key::Ctrl('t'));
    assert_eq!(real.model.dialog, None);
}

#[test]
fn what_was_open_at_the_start_is_on_the_first_frame() {
    let mut bench = bench();
    bench.charge("12.5", 1);
    let view = bench.model.attempts[0].view.clone();
    let model = Model::new(settings(), vec![view]);
    assert!(packed(&drawn(&model, 80, 24)).contains("SENDING"));
    assert!(model.is_anything_open());
}

#[test]
fn minor_entry_shows_what_the_digits_mean() {
    let mut bench = ScreenBench::new(Settings { entry: AmountEntry::Minor, ..settings() });
    bench.type_text("1250");
    bench.key(Key::Enter);
    assert_eq!(bench.model.takes_codes(), Some(SaleRef::New(Money::from_minor(1250))));
}

#[test]
fn every_state_differs_by_word_without_colour() {
    let mut bench = ScreenBench::new(Settings { theme: Theme::Mono, ..settings() });
    let index = declined(&mut bench);
    assert_eq!(bench.status(index), Status::Declined);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| view(&bench.model, frame.buffer_mut())).unwrap();
    let plain = |cell: &ratatui::buffer::Cell| {
        cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset
    };
    assert!(terminal.backend().buffer().content.iter().all(plain));
    assert!(says(&bench, "NOT PAID"));
}

#[test]
fn the_drawer_opens_by_its_key_where_there_is_one() {
    let mut bench = ScreenBench::new(settings());
    assert_eq!(bench.key(Key::F(6)), []);
    assert!(!says(&bench, "Open the drawer without a sale"));
    let mut bench = ScreenBench::new(Settings { drawer: true, ..settings() });
    assert!(bench.drawn(80, 24).contains("F6"));
    assert_eq!(bench.key(Key::F(6)), []);
    assert!(says(&bench, "Open the drawer without a sale"));
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::OpenDrawer]);
    for (how, words) in [
        (Printing::Printed, "Opening the cash drawer."),
        (Printing::Failed("no paper".into()), "The cash drawer did not open: no paper."),
    ] {
        bench.send(ScreenMessage::Drawer(how));
        assert!(bench.drawn(80, 24).contains(words));
    }
    // No sale and no copy of a receipt opens it.
    assert!(!bench.key(Key::F(9)).contains(&ScreenCommand::OpenDrawer));
}

#[test]
fn a_fault_on_the_status_line_keeps_its_reason_and_the_rest_gives_way() {
    let mut bench = bench();
    let why = "The certificate is not valid yet on this machine: set the clock.";
    bench.send(ScreenMessage::Gateway(Link::Failed(why.into())));
    let line = |bench: &ScreenBench| bench.drawn(80, 24).lines().rev().nth(1).unwrap().to_owned();
    let shown = line(&bench);
    assert!(shown.contains("certificate is not valid yet on this machine"), "{shown}");
    assert!(!shown.contains("Scanner") && !shown.contains("Printer"), "{shown}");
    bench.send(ScreenMessage::Gateway(Link::Failed("WeChat Pay cannot be reached.".into())));
    bench.send(ScreenMessage::Printer(Link::Failed("out of paper".into())));
    let shown = line(&bench);
    assert!(shown.contains("cannot be reached") && shown.contains("out of paper"), "{shown}");
}

#[test]
fn in_training_a_code_that_nobody_trained_with_is_told() {
    let mut bench = bench();
    let payment = bench.charge("5", 1);
    bench.answer(payment, Says::Paid(proof()));
    bench.send(ScreenMessage::RealCode);
    assert!(says(&bench, "the customer is not charged"));
}

#[test]
fn what_the_gateway_says_to_the_customer_stands_beside_waiting() {
    let mut bench = bench();
    let payment = bench.charge("5", 1);
    let words = "paid the same amount within a minute";
    bench.answer(payment, Says::Asked(payment::Reason::gateway("USERPAYING", words)));
    bench.later(payment, 5_000);
    bench.answer(payment, Says::Paying);
    assert_eq!(bench.status(payment), Status::Waiting);
    let shown = packed(&bench.drawn(80, 24));
    let sheet =
        packed(&format!("The customer is entering the password. WeChat Pay says: \"{words}\"."));
    assert!(shown.contains(&sheet), "{}", bench.drawn(80, 24));
}

#[test]
fn a_refused_reversal_is_told_as_one_on_the_screen() {
    let mut bench = bench();
    let payment = bench.charge("5", 1);
    bench.later(payment, 30_000);
    bench.answer(payment, Says::NotPaid);
    let refused = payment::TillCause::Refused;
    let why = payment::Reason::quoting(refused, "certificate not match");
    bench.answer(payment, Says::Unsigned(why));
    assert_eq!(bench.status(payment), Status::Reversing);
    assert!(says(&bench, "WeChat Pay refuses to reverse the payment."));
    assert!(says(&bench, "The reversal was refused. WeChat Pay says: \"certificate not match\"."));
    assert!(!says(&bench, "refused the payment") && !says(&bench, "refused the request"));
}

#[test]
fn a_declined_order_whose_number_is_being_closed_contradicts_nothing() {
    let mut bench = bench();
    let first = declined(&mut bench);
    bench.answer(first, Says::NotPaid);
    assert_eq!(bench.status(first), Status::Declined);
    bench.key(Key::Enter);
    let second = bench.charge("8", 2);
    bench.answer(second, Says::Paid(proof()));
    // A wide window has the last sales beside the task.
    for (width, height) in [(80, 24), (40, 10)] {
        let shown = bench.drawn(width, height);
        let above = shown.split("PAID").next().unwrap();
        assert!(!above.contains("NOT"), "{shown}");
    }
    assert!(!bench.drawn(40, 10).contains("NOT PAID"));
    assert!(bench.model.tray().is_empty());
}

#[test]
fn the_story_of_a_declined_payment_ends_with_it() {
    let mut bench = bench();
    let payment = declined(&mut bench);
    bench.answer(payment, Says::NotPaid);
    let told = bench.drawn(80, 24);
    bench.later(payment, 15_000);
    for answer in [Says::NotPaid, Says::Accepted, Says::Ended(payment::Ending::Revoked)] {
        bench.answer_if_asked(payment, answer);
    }
    assert_eq!(bench.status(payment), Status::Declined);
    assert_eq!(bench.drawn(80, 24), told);
    // What never left was not sent.
    let mut bench = ScreenBench::new(settings());
    let payment = bench.charge("5", 1);
    bench.answer(payment, Says::NotSent(reason("no_connection")));
    assert!(says(&bench, "It was not sent.") && !says(&bench, "Sent to WeChat Pay."));
}
