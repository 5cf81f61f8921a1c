//! Which slips come by themselves, and which are offered.

use super::*;

fn says(bench: &ScreenBench, words: &str) -> bool {
    bench.drawn(80, 24).contains(words)
}

fn print(out_trade_no: &OutTradeNo, copy: bool) -> ScreenCommand {
    ScreenCommand::Print { out_trade_no: out_trade_no.clone(), copy }
}

fn prints(bench: &ScreenBench) -> Vec<&ScreenCommand> {
    let prints = |command: &&ScreenCommand| matches!(command, ScreenCommand::Print { .. });
    bench.commands.iter().filter(prints).collect()
}

/// A till that was started after three sales.
fn restarted() -> (ScreenBench, [OutTradeNo; 3]) {
    let mut before = ScreenBench::new(settings());
    let orders = [1, 2, 3].map(|last| {
        let index = before.charge("12.5", last);
        before.answer(index, Says::Paid(proof()));
        before.order(index)
    });
    let recent = before.model.attempts.iter().map(|attempt| attempt.view.clone()).collect();
    let mut bench = ScreenBench::new(settings());
    bench.model = Model::new(settings(), recent);
    (bench, orders)
}

#[test]
fn what_was_perhaps_not_printed_is_offered_and_never_printed_by_itself() {
    let (mut bench, [first, second, third]) = restarted();
    let (waiting, perhaps) = (vec![third.clone()], vec![first.clone(), second.clone()]);
    assert_eq!(bench.send(ScreenMessage::SlipsLeft { waiting, perhaps }), []);
    let offer = "2 slips may not have been printed: press F9 to print each, marked as a";
    assert!(says(&bench, offer));
    assert_eq!(bench.model.rings(), 1);
    bench.send(ScreenMessage::Printed { out_trade_no: third.clone(), how: Printing::Printed });
    let screen = bench.drawn(80, 24);
    assert!(screen.contains("was printed. 2 slips may not have"), "{screen}");
    for (order, left) in [(&first, "was printed. 1 slip may"), (&second, "was printed.")] {
        assert_eq!(bench.key(Key::F(9)), [print(order, true)]);
        bench.send(ScreenMessage::Printed { out_trade_no: order.clone(), how: Printing::Printed });
        assert!(says(&bench, left));
    }
    assert!(!says(&bench, "may not have been printed"));
    // Then it is the last receipt again.
    assert_eq!(bench.key(Key::F(9)), [print(&third, true)]);
}

#[test]
fn nothing_is_said_of_slips_where_none_is_missing() {
    let (mut bench, [first, ..]) = restarted();
    bench.send(ScreenMessage::SlipsLeft { waiting: vec![first.clone()], perhaps: Vec::new() });
    assert!(!says(&bench, "may not have been") && bench.model.rings() == 0);
    // It waits for the printer already, and does not come twice.
    assert_eq!(bench.model.attempt(&first).unwrap().paper, model::SlipState::Asked);
}

#[test]
fn a_case_that_needs_attention_has_a_slip_and_its_end_another() {
    let mut bench = ScreenBench::new(settings());
    let index = bench.charge("12.5", 1);
    let order = bench.order(index);
    bench.until_attention(index);
    assert_eq!(prints(&bench), [&print(&order, false)]);
    bench.send(ScreenMessage::Printed { out_trade_no: order.clone(), how: Printing::Printed });
    assert_eq!(bench.key(Key::F(9)), [print(&order, true)]);
    bench.commands.clear();
    for _ in 0..20 {
        if bench.status(index) == Status::Reversed {
            break;
        }
        bench.later(index, 60_000);
        bench.answer_if_asked(index, Says::Ended(payment::Ending::Returned));
    }
    assert_eq!(bench.status(index), Status::Reversed);
    assert_eq!(prints(&bench), [&print(&order, false)]);
}

#[test]
fn a_decline_has_none_and_a_reversal_of_nothing_has_one() {
    let mut bench = ScreenBench::new(settings());
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Declined(reason("NOTENOUGH")));
    bench.key(Key::Esc);
    assert!(prints(&bench).is_empty());
    let index = bench.charge("12.5", 2);
    bench.answer(index, Says::Paying);
    bench.later(index, 30_000);
    bench.answer(index, Says::NotPaid);
    bench.answer(index, Says::Accepted);
    bench.answer(index, Says::Ended(payment::Ending::Revoked));
    assert_eq!(bench.status(index), Status::Reversed);
    assert_eq!(prints(&bench), [&print(&bench.order(index), false)]);
}

fn goes_on(bench: &mut ScreenBench, index: usize, query: &Says, until: Status) {
    for _ in 0..100 {
        match bench.calls[index].map(|call| call.kind) {
            Some(payment::CallKind::Reverse) => bench.answer(index, Says::Accepted),
            Some(_) => bench.answer(index, query.clone()),
            None => bench.later(index, 60_000),
        }
        if bench.status(index) == until {
            return;
        }
    }
    panic!("{until:?} is not reached");
}

#[test]
fn money_that_is_found_after_its_end_has_another_slip() {
    let mut bench = ScreenBench::new(settings());
    let index = bench.charge("12.5", 1);
    let order = bench.order(index);
    goes_on(&mut bench, index, &Says::NotFound, Status::Reversed);
    assert_eq!(prints(&bench), [&print(&order, false)]);
    bench.send(ScreenMessage::Printed { out_trade_no: order.clone(), how: Printing::Printed });
    bench.commands.clear();
    // It was delivered late, and the same is said of it: nothing was charged.
    goes_on(&mut bench, index, &Says::NotPaid, Status::Reversing);
    goes_on(&mut bench, index, &Says::Ended(payment::Ending::Revoked), Status::Reversed);
    assert!(prints(&bench).is_empty());

    let index = bench.charge("12.5", 2);
    let order = bench.order(index);
    goes_on(&mut bench, index, &Says::NotFound, Status::Reversed);
    bench.commands.clear();
    goes_on(&mut bench, index, &Says::Paid(proof()), Status::Reversing);
    goes_on(&mut bench, index, &Says::Ended(payment::Ending::Returned), Status::Reversed);
    assert_eq!(prints(&bench), [&print(&order, false)]);
    // Where the journal has none, it can be asked for.
    bench.send(ScreenMessage::NoSlip(order.clone()));
    assert_eq!(bench.key(Key::F(9)), [print(&order, true)]);
}

#[test]
fn a_slip_that_says_what_is_no_longer_so_is_neither_offered_nor_printed() {
    let mut bench = ScreenBench::new(settings());
    let index = bench.charge("12.5", 1);
    let order = bench.order(index);
    let until = |bench: &mut ScreenBench, end: Status, says: Says| {
        for _ in 0..60 {
            if bench.status(index) == end {
                return;
            }
            bench.later(index, 15_000);
            bench.answer_if_asked(index, says.clone());
        }
        panic!("{:?} and not {end:?}", bench.status(index));
    };
    bench.answer(index, Says::Unknown(reason("no_answer")));
    bench.later(index, 30_000);
    bench.answer(index, Says::NotFound);
    bench.answer(index, Says::Accepted);
    until(&mut bench, Status::Reversed, Says::NotFound);
    let why = "the cover is open".to_owned();
    bench.send(ScreenMessage::Printer(Link::Failed(why.clone())));
    let how = Printing::Failed(why);
    bench.send(ScreenMessage::Printed { out_trade_no: order.clone(), how });
    bench.key(Key::F(9));
    assert!(says(&bench, "Print anyway?"));
    // Nothing was charged, the slip says. The request arrives after all.
    until(&mut bench, Status::Reversing, Says::Paid(proof()));
    assert!(!says(&bench, "Print anyway?"));
    bench.wait(2_000);
    bench.commands.clear();
    assert_eq!(bench.key(Key::F(9)), []);
    assert!(!says(&bench, "Print anyway?"));
    bench.answer_if_asked(index, Says::Accepted);
    until(&mut bench, Status::Reversed, Says::Ended(payment::Ending::Returned));
    // That the money is being returned has a slip of its own.
    assert_eq!(prints(&bench), [&print(&order, false)]);
}
