//! F8: money of an order is given back.

use super::*;
use crate::engine::{ActKind, RefundRecord};
use crate::journal::RefundRow;
use crate::operators::{Operator, Role};
use crate::refund::{
    Looked, OutRefundNo, Queried, RefundAnswer, RefundEvent, RefundPage, RefundPlan, RefundProof,
    RefundRefusal, RefundSaid, RefundState, RefundStatus,
};
use crate::sale::tender::Cash;
use crate::screen::tray::needs_a_person;
use crate::text::find::Verdict;

fn refund_no() -> OutRefundNo {
    OutRefundNo::new(&paid_order().row.out_trade_no, 1, 7)
}

/// A refund of the paid order, after these answers.
fn refund(amount: i64, answers: Vec<RefundAnswer>) -> RefundState {
    let plan = RefundPlan {
        amount: Money::from_minor(amount),
        paid: paid_order().row.amount,
        earlier: Vec::new(),
    };
    let mut state = RefundState::begin(plan, 0);
    let rules = Rules::default();
    let mut now = crate::clock::Millis(0);
    for answer in answers {
        now = now.max(state.wake_at(&rules).unwrap_or(now));
        if state.awaited().is_none() {
            let _ = state.step(&RefundEvent::Tick, now, &rules);
        }
        let number = state.awaited().expect("a call is out").number;
        let _ = state.step(&RefundEvent::Answered(number, answer), now, &rules);
    }
    state
}

fn looked() -> RefundAnswer {
    RefundAnswer::Looked(Looked::Page(RefundPage::default()))
}

fn accepted() -> RefundAnswer {
    RefundAnswer::Said(RefundSaid::Accepted)
}

fn record(amount: i64, state: RefundState) -> RefundRecord {
    RefundRecord {
        out_refund_no: refund_no(),
        out_trade_no: paid_order().row.out_trade_no.clone(),
        attempt: 4,
        amount: Money::from_minor(amount),
        currency: Currency::CNY,
        reason: "cold".into(),
        created_at: Timestamp(NOON),
        updated_at: Timestamp(NOON),
        state,
        recorded: true,
    }
}

fn moved(bench: &mut ScreenBench, refund: RefundRecord, before: Option<RefundStatus>) {
    bench.send(ScreenMessage::Refund { refund: Box::new(refund), before });
}

fn asked(amount: i64, reason: &str) -> ScreenCommand {
    ScreenCommand::Refund {
        out_trade_no: paid_order().row.out_trade_no.clone(),
        amount: Money::from_minor(amount),
        reason: reason.to_owned(),
    }
}

#[test]
fn all_that_is_left_is_filled_in_and_a_question_names_amount_and_order() {
    let mut bench = bench();
    refund_of_the_paid_order(&mut bench);
    for words in ["￥12.34 can be refunded", "order 345004", "How much goes back?"] {
        assert!(says(&bench, words), "{words}\n{}", bench.drawn(80, 24));
    }
    assert_eq!(bench.key(Key::Enter), []);
    assert!(says(&bench, "Customer changed their mind"));
    bench.key(Key::Down);
    assert_eq!(bench.key(Key::Enter), []);
    assert!(says(&bench, "Give ￥12.34 of order 345004 back"), "{}", bench.drawn(80, 24));
    assert_eq!(bench.key(Key::Enter), [], "a scanner has an Enter");
    assert_eq!(bench.key(Key::F(8)), [asked(1234, "Wrong amount charged")]);
    assert!(!says(&bench, "How much goes back?"));
    assert_eq!(bench.key(Key::F(8)), [], "it is asked anew");
}

#[test]
fn a_part_of_it_for_a_reason_of_ones_own() {
    let mut bench = bench();
    refund_of_the_paid_order(&mut bench);
    bench.type_text("12.35");
    bench.key(Key::Enter);
    assert!(says(&bench, "12.34"), "no more than is left");
    for _ in 0..5 {
        bench.key(Key::Backspace);
    }
    bench.type_text("0");
    bench.key(Key::Enter);
    assert!(!says(&bench, "Why?"));
    bench.type_text(".5");
    bench.key(Key::Enter);
    bench.type_text("cup was broken");
    bench.key(Key::Enter);
    bench.key(Key::Esc);
    assert!(says(&bench, "cup was broken"), "back to the reason");
    bench.key(Key::Enter);
    assert_eq!(bench.key(Key::F(8)), [asked(50, "cup was broken")]);
}

#[test]
fn what_was_given_back_before_is_not_given_back_again() {
    for (amount, words) in [(1000, "￥2.34 can be refunded"), (1234, "refunded")] {
        let mut bench = bench();
        opened(&mut bench);
        let file = refunded(vec![on_its_way(amount)]);
        bench.type_text("5004");
        let (serial, _) = search_of(&bench.key(Key::Enter));
        found(&mut bench, serial, &[file]);
        bench.key(Key::F(8));
        assert!(says(&bench, words), "{}", bench.drawn(80, 24));
        assert_eq!(says(&bench, "How much goes back?"), amount == 1000);
    }
}

/// The paid order, of which so much was refunded.
fn refunded(of: Vec<(i64, RefundState)>) -> Box<OrderFile> {
    let mut file = paid_order();
    let row = |(amount, state)| RefundRow {
        id: 1,
        out_refund_no: refund_no(),
        amount: Money::from_minor(amount),
        reason: "cold".into(),
        created_at: Timestamp(NOON),
        updated_at: Timestamp(NOON),
        state,
    };
    file.refunds = of.into_iter().map(row).collect();
    file.row.refunded = crate::journal::given_back(&file.refunds);
    file
}

fn done(amount: i64) -> (i64, RefundState) {
    let proof = RefundProof { refund_id: "5".into(), done_at: Timestamp(NOON) };
    let answers = vec![looked(), accepted(), RefundAnswer::Queried(Queried::Done(proof))];
    (amount, refund(amount, answers))
}

fn on_its_way(amount: i64) -> (i64, RefundState) {
    (amount, refund(amount, vec![looked(), accepted()]))
}

fn shown(file: Box<OrderFile>) -> ScreenBench {
    let mut bench = bench();
    opened(&mut bench);
    bench.type_text("5004");
    let (serial, _) = search_of(&bench.key(Key::Enter));
    found(&mut bench, serial, &[file]);
    bench
}

#[test]
fn an_order_that_was_given_back_is_not_shown_as_paid() {
    let refused = (300, refund(300, vec![looked()]));
    let mut cash = paid_in_cash();
    let amount = Money::from_minor(1234);
    let mut returned = cash.entries[0].clone();
    returned.event = crate::journal::StoredEvent::Act(ActKind::CashReturned { amount });
    cash.entries.push(returned);
    for (file, words, goes_on) in [
        (
            refunded(vec![done(500)]),
            ["PARTLY REFUNDED", "Refund: ￥5.00. Left of the payment: ￥7.34."],
            true,
        ),
        (
            refunded(vec![done(500), done(734)]),
            ["REFUNDED", "Refund: ￥12.34, the whole payment."],
            true,
        ),
        (refunded(vec![done(500), on_its_way(734)]), ["REFUND ACCEPTED", "on its way"], true),
        (cash, ["REFUNDED", "￥12.34, the whole payment."], true),
        (refunded(vec![refused]), ["PAID", "F5 to ask"], false),
    ] {
        let mut bench = shown(file);
        let drawn = bench.drawn(80, 24);
        for said in words {
            assert!(says(&bench, said), "{said}\n{drawn}");
        }
        assert_eq!(says(&bench, "Do not hand over goods for it"), goes_on, "{drawn}");
        let is_paid = drawn.lines().any(|line| line.contains(" PAID"));
        assert_eq!(is_paid, !goes_on, "{drawn}");
        // The same as F5 says it, where it is known without asking.
        if bench.key(Key::F(5)).is_empty() {
            assert_eq!(bench.model.verdict().unwrap().1, Verdict::Refunded);
        }
    }
}

#[test]
fn an_answer_older_than_a_refund_does_not_call_its_order_paid() {
    let under_way = (300, refund(300, vec![looked()]));
    for (refund, verdict) in [(under_way, Verdict::Unknown), (on_its_way(300), Verdict::Refunded)] {
        let mut bench = bench();
        opened(&mut bench);
        let question = scanned(&mut bench, &refunded(vec![refund]));
        answer(&mut bench, question.number(), Found::Paid(proof()));
        assert_eq!(bench.model.verdict().unwrap().1, verdict, "{}", bench.drawn(80, 24));
    }
}

/// Also one that moved while the order was on the page, or was being read for it: the screen may no
/// longer have the order among its own.
#[test]
fn an_answer_older_than_a_refund_that_moved_meanwhile_does_not_either() {
    let of = |(amount, state)| record(amount, state);
    let under_way = of((300, refund(300, vec![looked()])));
    for (refund, verdict) in [
        (under_way, Verdict::Unknown),
        (of(on_its_way(300)), Verdict::Refunded),
        (of(done(300)), Verdict::Refunded),
    ] {
        for moves_while_read in [true, false] {
            let mut bench = bench();
            opened(&mut bench);
            let file = paid_order();
            let number = file.row.out_trade_no.clone();
            let (serial, _) = search_of(&scan(&mut bench, number.as_str()));
            if moves_while_read {
                moved(&mut bench, refund.clone(), None);
            }
            let _ = ask_of(&found(&mut bench, serial, &[file]));
            if !moves_while_read {
                moved(&mut bench, refund.clone(), None);
            }
            answer(&mut bench, number.as_str(), Found::Paid(proof()));
            assert_eq!(bench.model.verdict().unwrap().1, verdict, "{}", bench.drawn(80, 24));
        }
    }
}

#[test]
fn what_was_given_back_at_the_desk_is_not_paid_there_any_more() {
    let mut bench = bench();
    let index = bench.charge("12.34", 1);
    bench.answer(index, Says::Paid(proof()));
    assert!(says(&bench, "Hand over the goods"));
    let of = |(amount, state)| RefundRecord {
        out_trade_no: bench.order(index),
        ..record(amount, state)
    };
    let (part, rest) = (of(done(500)), of(on_its_way(734)));
    let under_way = of((300, refund(300, vec![looked()])));
    moved(&mut bench, under_way, None);
    assert!(says(&bench, "Hand over the goods"), "nothing went back yet");
    moved(&mut bench, part, None);
    for words in ["PARTLY REFUNDED", "Refund: ￥5.00. Left of the payment: ￥7.34."] {
        assert!(says(&bench, words), "{}", bench.drawn(80, 24));
    }
    assert!(!says(&bench, "Hand over the goods"));
    let second = OutRefundNo::new(&bench.order(index), 2, 8);
    moved(&mut bench, RefundRecord { out_refund_no: second, ..rest }, None);
    assert!(says(&bench, "REFUND ACCEPTED") && says(&bench, "Refund: ￥12.34"));
}

#[test]
fn the_last_sales_say_what_went_back_before_the_start_and_since() {
    let mut bench = bench();
    let index = bench.charge("12.34", 1);
    bench.answer(index, Says::Paid(proof()));
    bench.charge("3.00", 2);
    let says = |bench: &ScreenBench, words: &str| bench.drawn(120, 40).contains(words);
    assert!(!says(&bench, "REFUNDED"));
    let of = |(amount, state)| RefundRecord {
        out_trade_no: bench.order(index),
        ..record(amount, state)
    };
    let (first, not_done) = (of(done(500)), of((300, refund(300, vec![looked()]))));
    let second = OutRefundNo::new(&bench.order(index), 2, 8);
    let rest = RefundRecord { out_refund_no: second, ..of(done(734)) };
    bench.model.knows_refunds(vec![first.clone(), not_done]);
    assert!(says(&bench, "PARTLY REFUNDED"), "{}", bench.drawn(120, 40));
    // The same once more is the same refund.
    moved(&mut bench, first, None);
    assert!(says(&bench, "PARTLY REFUNDED"), "{}", bench.drawn(120, 40));
    moved(&mut bench, rest, None);
    assert!(says(&bench, "REFUNDED") && !says(&bench, "PARTLY"), "{}", bench.drawn(120, 40));
}

#[test]
fn the_list_says_it_too_and_at_once() {
    let mut bench = bench();
    let (serial, _) = search_of(&bench.key(Key::F(7)));
    found(&mut bench, serial, &[refunded(vec![done(1234)]), declined_order(), paid_order()]);
    let drawn = bench.drawn(80, 24);
    assert!(drawn.contains("REFUNDED") && drawn.contains(" PAID"), "{drawn}");

    // Given back from there.
    let mut bench = self::bench();
    let (serial, _) = search_of(&bench.key(Key::F(7)));
    found(&mut bench, serial, &[paid_order(), declined_order()]);
    let (serial, _) = search_of(&bench.key(Key::Enter));
    found(&mut bench, serial, &[paid_order()]);
    assert!(!says(&bench, "REFUNDED"));
    moved(&mut bench, record(500, done(500).1), None);
    let Some(ScreenCommand::Search { serial, .. }) = bench.commands.last().cloned() else {
        panic!("it is read again")
    };
    found(&mut bench, serial, &[refunded(vec![done(500)])]);
    assert!(says(&bench, "PARTLY REFUNDED"));
    bench.key(Key::Esc);
    assert!(says(&bench, "Latest orders") && says(&bench, "PARTLY REFUNDED"));
}

#[test]
fn an_order_that_was_not_paid_here_is_not_refunded() {
    let mut cash = paid_in_cash();
    let mut returned = cash.entries[0].clone();
    let amount = Money::from_minor(1234);
    returned.event = crate::journal::StoredEvent::Act(ActKind::CashReturned { amount });
    cash.entries.push(returned);
    for (file, words) in [
        (declined_order(), "was not paid"),
        (reversed_order(), "reversed"),
        (open_order(), "not settled yet"),
        (cash, "was refunded before"),
    ] {
        let mut bench = bench();
        opened(&mut bench);
        let tail = file.row.out_trade_no.as_str();
        bench.type_text(&tail[tail.len() - 4..]);
        let (serial, _) = search_of(&bench.key(Key::Enter));
        found(&mut bench, serial, &[file]);
        bench.key(Key::F(8));
        assert!(says(&bench, words), "{words}\n{}", bench.drawn(80, 24));
        assert!(!says(&bench, "How much goes back?"));
    }
}

fn paid_in_cash() -> Box<OrderFile> {
    let mut file = paid_order();
    let amount = file.row.amount;
    let cash = Cash::take(amount, Money::from_minor(2000)).unwrap();
    file.row.state = State::paid_in_cash(cash);
    file.row.channel = "cash".into();
    file.entries.truncate(1);
    file
}

#[test]
fn what_was_paid_in_cash_goes_back_in_cash() {
    let mut bench = bench();
    opened(&mut bench);
    let file = paid_in_cash();
    let tail = file.row.out_trade_no.as_str();
    bench.type_text(&tail[tail.len() - 4..]);
    let (serial, _) = search_of(&bench.key(Key::Enter));
    found(&mut bench, serial, &[file]);
    bench.key(Key::F(8));
    bench.type_text("2");
    for key in [Key::Enter, Key::Enter] {
        assert_eq!(bench.key(key), []);
    }
    assert!(says(&bench, "in cash"), "{}", bench.drawn(80, 24));
    assert_eq!(bench.key(Key::F(8)), [asked(200, "Customer changed their mind")]);
    moved(&mut bench, record(200, RefundState::given_in_cash()), None);
    assert!(says(&bench, "REFUNDED. Give it to the customer in cash."));
    assert!(!bench.model.refunds.iter().any(needs_a_person));
}

#[test]
fn at_the_desk_it_is_the_payment_there_and_else_it_asks_which() {
    let mut bench = bench();
    let index = bench.charge("12.34", 1);
    bench.answer(index, Says::Paid(proof()));
    let (serial, wanted) = search_of(&bench.key(Key::F(8)));
    assert_eq!(wanted.number, Some(bench.order(index)));
    let mut file = paid_order();
    file.row.out_trade_no = bench.order(index);
    found(&mut bench, serial, &[file]);
    assert!(says(&bench, "How much goes back?"));
    bench.key(Key::Esc);
    bench.key(Key::Esc);
    bench.key(Key::Enter);

    let (serial, wanted) = search_of(&bench.key(Key::F(8)));
    assert_eq!(wanted, Wanted::default());
    found(&mut bench, serial, &[declined_order(), paid_order()]);
    assert!(says(&bench, "Refund: which order?"), "{}", bench.drawn(80, 24));
    let file = paid_order();
    let (serial, _) = search_of(&scan(&mut bench, file.row.out_trade_no.as_str()));
    found(&mut bench, serial, &[file]);
    assert!(says(&bench, "How much goes back?"));
}

#[test]
fn a_scan_instead_of_an_answer_confirms_nothing() {
    let mut bench = bench();
    refund_of_the_paid_order(&mut bench);
    bench.key(Key::Enter);
    bench.key(Key::Enter);
    for _ in 0..3 {
        assert_eq!(scan(&mut bench, "134567890123456789"), []);
    }
    // The key came before the question could be read again, or with the scan.
    bench.now += 10;
    assert_eq!(bench.send(ScreenMessage::Key(Key::F(8))), []);
    bench.wait(2_000);
    assert_eq!(bench.key(Key::F(8)), [asked(1234, "Customer changed their mind")]);
}

#[test]
fn a_manager_agrees_to_more_than_the_sum_of_the_shop() {
    let anna = Operator { name: "Anna".into(), role: Role::Cashier };
    for (limit, needs) in [(None, false), (Some(1234), false), (Some(1233), true), (Some(0), true)]
    {
        let mut bench = ScreenBench::new(Settings {
            refund_consent_above: limit.map(Money::from_minor),
            ..settings()
        });
        bench.model.operator = Some(anna.clone());
        refund_of_the_paid_order(&mut bench);
        bench.key(Key::Enter);
        bench.key(Key::Enter);
        let commands = bench.key(Key::F(8));
        assert_eq!(commands.is_empty(), needs, "{limit:?}");
        if !needs {
            continue;
        }
        assert!(says(&bench, "MANAGER NEEDED"));
        bench.type_text("8352");
        let [ScreenCommand::SignIn { serial, .. }] = bench.key(Key::Enter)[..] else { panic!() };
        let ben = Operator { name: "Ben".into(), role: Role::Manager };
        let found = Ok(Some(ben));
        let commands = bench.send(ScreenMessage::SignedIn { serial, found });
        assert_eq!(commands, [asked(1234, "Customer changed their mind")]);
        let by = bench.model.by().unwrap();
        assert_eq!((by.operator.as_str(), by.consent.as_deref()), ("Anna", Some("Ben")));
    }
}

#[test]
fn accepted_is_not_done_and_what_needs_a_person_stays_in_sight() {
    let mut bench = bench();
    opened(&mut bench);
    bench.key(Key::Esc);
    moved(&mut bench, record(200, refund(200, vec![looked()])), None);
    assert!(says(&bench, "SENDING REFUND"), "{}", bench.drawn(80, 24));
    let is_accepted = refund(200, vec![looked(), accepted()]);
    moved(&mut bench, record(200, is_accepted), Some(RefundStatus::Sent));
    assert!(says(&bench, "REFUND ACCEPTED") && !says(&bench, "REFUNDED"));
    let rings = bench.model.rings();
    let abnormal =
        refund(200, vec![looked(), accepted(), RefundAnswer::Queried(Queried::Abnormal)]);
    assert_eq!(abnormal.status(), RefundStatus::Attention);
    moved(&mut bench, record(200, abnormal.clone()), Some(RefundStatus::Accepted));
    assert_eq!(bench.model.rings(), rings + 1);
    bench.type_text("5");
    assert!(says(&bench, "REFUND NEEDS YOU") && says(&bench, "￥2.00"));
    for (width, height) in [(40, 12), (120, 40)] {
        assert!(packed(&bench.drawn(width, height)).contains(&packed("REFUND NEEDS YOU")));
    }
    let proof = RefundProof { refund_id: "5".into(), done_at: Timestamp(NOON) };
    let done = refund(200, vec![looked(), accepted(), RefundAnswer::Queried(Queried::Done(proof))]);
    moved(&mut bench, record(200, done), Some(RefundStatus::Attention));
    assert!(!says(&bench, "REFUND NEEDS YOU") && says(&bench, "REFUNDED"));

    // At a restart it is in sight before anything has moved.
    let mut bench = ScreenBench::new(settings());
    moved(&mut bench, record(200, abnormal), Some(RefundStatus::Attention));
    assert!(says(&bench, "REFUND NEEDS YOU") && bench.model.note.is_none());
}

#[test]
fn what_the_gateway_has_closed_is_in_sight_until_its_order_was_looked_at() {
    let mut bench = bench();
    let closed = refund(200, vec![looked(), accepted(), RefundAnswer::Queried(Queried::Closed)]);
    assert_eq!((closed.status(), closed.is_open()), (RefundStatus::Attention, false));
    moved(&mut bench, record(200, closed), Some(RefundStatus::Accepted));
    assert!(says(&bench, "REFUND NEEDS YOU"));
    opened(&mut bench);
    bench.type_text("5004");
    let (serial, _) = search_of(&bench.key(Key::Enter));
    found(&mut bench, serial, &[paid_order()]);
    assert!(!says(&bench, "REFUND NEEDS YOU"));
}

#[test]
fn a_refusal_of_the_till_is_said() {
    let mut bench = bench();
    bench.send(ScreenMessage::NotRefunded(RefundRefusal::TooOld));
    assert!(says(&bench, "more than a year old"));
}

#[test]
fn pictures_of_a_refund() {
    let mut bench = bench();
    refund_of_the_paid_order(&mut bench);
    pictures("refund_amount", &mut bench);
    bench.key(Key::Enter);
    bench.key(Key::Down);
    pictures("refund_reason", &mut bench);
    bench.key(Key::Enter);
    pictures("refund_question", &mut bench);
    bench.key(Key::F(8));
    moved(&mut bench, record(200, refund(200, vec![looked(), accepted()])), None);
    pictures("refund_accepted", &mut bench);
    let abnormal =
        refund(200, vec![looked(), accepted(), RefundAnswer::Queried(Queried::Abnormal)]);
    bench.key(Key::Esc);
    bench.key(Key::Esc);
    moved(&mut bench, record(200, abnormal), Some(RefundStatus::Accepted));
    pictures("refund_attention", &mut bench);
}

#[test]
fn pictures_of_refunded_orders() {
    pictures("refunded_in_part", &mut shown(refunded(vec![done(500)])));
    pictures("refunded_in_full", &mut shown(refunded(vec![done(500), on_its_way(734)])));
}
