//! Receipts: which is printed, which waits, and which F9 prints again.

use super::*;

#[test]
fn a_receipt_is_printed_for_what_was_seen_to_be_paid() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.commands.clear();
    bench.answer(index, Says::Paid(proof()));
    let order = bench.order(index);
    assert_eq!(bench.commands, [ScreenCommand::Print { out_trade_no: order.clone(), copy: false }]);
    // Already requested: not one receipt per press.
    assert_eq!(bench.key(Key::F(9)), []);
    assert!(says(&bench, "The receipt is waiting for the printer."));
    bench.send(ScreenMessage::Printed { out_trade_no: order.clone(), how: Printing::Printed });
    assert_eq!(bench.key(Key::F(9)), [ScreenCommand::Print { out_trade_no: order, copy: true }]);
    assert!(!says(&bench, "The receipt is waiting for the printer."));
    assert_eq!(bench.key(Key::F(9)), []);
}

#[test]
fn a_receipt_that_waits_for_a_printer_is_said_to() {
    let mut bench = bench();
    bench.send(ScreenMessage::Printer(Link::Searching));
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paid(proof()));
    assert!(says(&bench, "Hand over the goods."));
    assert!(says(&bench, "The receipt is waiting for the printer."));
}

#[test]
fn a_printer_that_says_it_does_not_print_is_overruled_after_a_question() {
    let mut bench = bench();
    bench.send(ScreenMessage::Printer(Link::Failed("the cover is open".into())));
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paid(proof()));
    let order = bench.order(index);
    // It waits for the printer.
    assert_eq!(bench.key(Key::F(9)), []);
    assert!(says(&bench, "Print anyway?") && says(&bench, "the cover is open"));
    assert_eq!(bench.key(Key::Esc), []);
    assert!(!says(&bench, "Print anyway?"));
    assert_eq!(bench.key(Key::F(9)), []);
    bench.wait(1_000);
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::OverrulePrinter(order.clone())]);
    let how = Printing::Failed("the cover is open".into());
    bench.send(ScreenMessage::Printed { out_trade_no: order.clone(), how });
    bench.wait(1_000);
    bench.key(Key::F(9));
    bench.wait(1_000);
    let print = ScreenCommand::Print { out_trade_no: order.clone(), copy: true };
    assert_eq!(bench.key(Key::Enter), [print, ScreenCommand::OverrulePrinter(order)]);
}

#[test]
fn beside_a_payment_that_was_not_made_no_other_receipt_is_printed() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paid(proof()));
    let order = bench.order(index);
    bench.send(ScreenMessage::Printed { out_trade_no: order.clone(), how: Printing::Printed });
    let index = bench.charge("7.7", 2);
    bench.answer(index, Says::Declined(reason("NOTENOUGH")));
    assert!(says(&bench, "NOT PAID") && !says(&bench, "F9"));
    assert_eq!(bench.key(Key::F(9)), []);
    bench.key(Key::Esc);
    assert_eq!(bench.key(Key::F(9)), [ScreenCommand::Print { out_trade_no: order, copy: true }]);
}

#[test]
fn the_receipt_that_did_not_come_out_is_the_one_that_f9_prints() {
    let mut bench = bench();
    let orders = [1, 2].map(|last| {
        let index = bench.charge("12.5", last);
        bench.answer(index, Says::Paid(proof()));
        bench.order(index)
    });
    let again =
        |order: &OutTradeNo| [ScreenCommand::Print { out_trade_no: order.clone(), copy: true }];
    bench.send(ScreenMessage::Printed { out_trade_no: orders[1].clone(), how: Printing::Sent });
    let how = Printing::Failed("no paper".into());
    bench.send(ScreenMessage::Printed { out_trade_no: orders[0].clone(), how });
    let tail = orders[0].tail();
    assert!(says(&bench, &format!("The receipt for order {tail} was not printed: no paper.")));
    // The second sale is on the screen and has its receipt.
    assert_eq!(bench.key(Key::F(9)), again(&orders[0]));
    assert_eq!(bench.key(Key::F(9)), again(&orders[1]));
}

#[test]
fn money_that_goes_back_is_said_and_printed() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, lost());
    bench.later(index, 30_000);
    bench.answer(index, Says::NotPaid);
    bench.answer(index, Says::Accepted);
    bench.commands.clear();
    bench.answer(index, Says::Ended(payment::Ending::Returned));
    let order = bench.order(index);
    assert_eq!(bench.commands, [ScreenCommand::Print { out_trade_no: order, copy: false }]);
    assert!(says(&bench, "The customer had paid; the money is being returned."));
}

#[test]
fn nothing_is_printed_for_what_was_over_at_the_start() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paid(proof()));
    let mut next = ScreenBench::new(settings());
    let view = bench.model.attempts[0].view.clone();
    assert_eq!(
        next.send(ScreenMessage::Attempt(
            view,
            Event::Restarted { oldest: crate::clock::Millis::default() }
        )),
        []
    );
    assert!(next.model.notices.is_empty());
}
