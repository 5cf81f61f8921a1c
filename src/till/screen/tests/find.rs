//! The page that finds an order.

mod refunds;
mod scans;

use super::*;
use crate::find::{Findings, OrderFile, Wanted};
use crate::gateway::{Enquired, Owner, Question};
use crate::journal::{OrderRow, StoredEntry};
use crate::order::{Merchant, Order};
use crate::payment::{Ending, Found, Inconclusive, TillCause};
use crate::scan::{Oddity, Wallet};
use crate::screen::pages::checkout::CashierTask;

const TRANSACTION: &str = "4200002345202611229876543210";
const MINUTE: i64 = 60_000;

fn bench() -> ScreenBench {
    ScreenBench::new(settings())
}

fn says(bench: &ScreenBench, words: &str) -> bool {
    packed(&bench.drawn(80, 24)).contains(&packed(words))
}

/// An order of the journal, after these answers; `None`: the time that has passed alone.
fn file(serial: u32, minor: i64, answers: Vec<(u64, Option<Says>)>) -> Box<OrderFile> {
    let rules = Rules::default();
    let created_at = Timestamp(NOON - 30 * MINUTE + i64::from(serial) * MINUTE);
    let mut state = State::begin(&rules, 0);
    let mut call = Some(Call::SUBMISSION);
    let masked = r#"{"auth_code":"13************0007","total_fee":"1234"}"#;
    let mut entries = vec![entry(1, created_at, 0, Event::Begun, &state, masked)];
    for (age, says) in answers {
        let (event, wire) = match says {
            None => (Event::Tick, ""),
            Some(says) => (
                says.in_answer_to(call.take().expect("a call is out")),
                r#"{"result_code":"SUCCESS","transaction_id":"4200002345202611229876543210"}"#,
            ),
        };
        call = state.step(&event, crate::clock::Millis(age), &rules).or(call);
        let number = i64::try_from(entries.len()).unwrap() + 1;
        entries.push(entry(number, created_at, age, event, &state, wire));
    }
    let order = Order {
        out_trade_no: number(345_000 + serial),
        amount: Money::from_minor(minor),
        currency: Currency::CNY,
        merchant: Merchant {
            app_id: "wx8888888888888888".into(),
            mch_id: "1900000109".into(),
            sub_app_id: String::new(),
            sub_mch_id: String::new(),
        },
        body: String::new(),
        device_info: String::new(),
        client_ip: String::new(),
        mark: String::new(),
    };
    let row = OrderRow {
        attempt: serial.into(),
        sale: serial.into(),
        out_trade_no: order.out_trade_no.clone(),
        channel: "micropay".into(),
        amount: order.amount,
        currency: order.currency,
        note: String::new(),
        created_at,
        updated_at: entries.last().unwrap().at,
        sent_at: Uptime(0),
        state,
        by: None,
        sold: std::sync::Arc::default(),
        refunded: Money::default(),
    };
    Box::new(OrderFile { row, order, entries, refunds: Vec::new() })
}

fn entry(
    number: i64,
    from: Timestamp,
    age: u64,
    event: Event,
    state: &State,
    wire: &str,
) -> StoredEntry {
    let at = Timestamp(from.0 + i64::try_from(age).unwrap());
    let (digest, wire) = (String::new(), wire.to_owned());
    let age = crate::clock::Millis(age);
    StoredEntry {
        number,
        digest,
        at,
        age,
        event: event.into(),
        by: None,
        state: state.clone(),
        wire,
    }
}

fn paid_order() -> Box<OrderFile> {
    file(
        4,
        1234,
        vec![(900, Some(Says::Paying)), (5_000, None), (5_400, Some(Says::Paid(proof())))],
    )
}

fn declined_order() -> Box<OrderFile> {
    file(5, 800, vec![(700, Some(Says::Declined(reason("NOTENOUGH"))))])
}

/// Nobody pays, and the reversal is confirmed.
fn reversed_order() -> Box<OrderFile> {
    file(
        6,
        9900,
        vec![
            (900, Some(Says::Paying)),
            (5_000, None),
            (5_300, Some(Says::Paying)),
            (30_000, None),
            (30_300, Some(Says::NotPaid)),
            (31_000, Some(Says::Accepted)),
            (31_500, Some(Says::Ended(Ending::Revoked))),
        ],
    )
}

fn open_order() -> Box<OrderFile> {
    file(7, 700, vec![(900, Some(Says::Paying))])
}

/// The one search that was asked for.
fn search_of(commands: &[ScreenCommand]) -> (u64, Wanted) {
    let [ScreenCommand::Search { serial, wanted }] = commands else { panic!("{commands:?}") };
    (*serial, wanted.clone())
}

fn ask_of(commands: &[ScreenCommand]) -> Question {
    let [ScreenCommand::Ask { question, .. }] = commands else { panic!("{commands:?}") };
    question.clone()
}

/// The answer to the last question about a number.
fn answer_about(bench: &mut ScreenBench, number: &str, enquired: Enquired) -> Vec<ScreenCommand> {
    let serials = bench.commands.iter().rev().filter_map(|command| match command {
        ScreenCommand::Ask { serial, question } => (question.number() == number).then_some(*serial),
        _ => None,
    });
    let serial = serials.into_iter().next().unwrap_or_default();
    bench.send(ScreenMessage::Enquired { serial, enquired })
}

/// What the journal has, in answer to the last search.
fn found(bench: &mut ScreenBench, serial: u64, rows: &[Box<OrderFile>]) -> Vec<ScreenCommand> {
    let file = <&[_; 1]>::try_from(rows).ok().map(|[only]| only.clone());
    let rows = rows.iter().map(|file| file.row.clone()).collect();
    bench.send(ScreenMessage::Found { serial, result: Ok(Findings { rows, file }) })
}

/// The page with the latest orders.
fn opened(bench: &mut ScreenBench) {
    let (serial, wanted) = search_of(&bench.key(Key::F(7)));
    assert_eq!(wanted, Wanted::default());
    found(bench, serial, &[reversed_order(), declined_order(), paid_order()]);
}

fn scan(bench: &mut ScreenBench, text: &str) -> Vec<ScreenCommand> {
    bench.now += 700;
    bench.send(ScreenMessage::Sought(raw(text)))
}

/// A number is scanned, and the journal has its order: the gateway is asked by itself.
fn scanned(bench: &mut ScreenBench, file: &OrderFile) -> Question {
    let number = file.row.out_trade_no.as_str();
    let (serial, wanted) = search_of(&scan(bench, number));
    assert_eq!(wanted.number.as_ref().map(OutTradeNo::as_str), Some(number));
    ask_of(&found(bench, serial, &[Box::new(file.clone())]))
}

fn answer(bench: &mut ScreenBench, number: &str, found: Found) {
    bench.now += 300;
    let enquired = Enquired::Found(found);
    assert_eq!(answer_about(bench, number, enquired), []);
}

/// The paid order on the page, and F8 has asked how much of it goes back.
pub(super) fn refund_of_the_paid_order(bench: &mut ScreenBench) {
    opened(bench);
    let file = paid_order();
    bench.type_text("5004");
    let (serial, _) = search_of(&bench.key(Key::Enter));
    found(bench, serial, &[file]);
    bench.key(Key::F(8));
}

/// Whatever the page asked for last is answered in one of these ways.
pub(super) fn answers_last(bench: &mut ScreenBench, which: u8) {
    match bench.commands.last().cloned() {
        Some(ScreenCommand::Search { serial, .. }) => {
            let all = [reversed_order(), declined_order(), paid_order()];
            found(bench, serial, &all[..usize::from(which % 4)]);
        }
        Some(ScreenCommand::Ask { serial, .. }) => {
            let enquired = match which {
                0 => Enquired::Owner(Owner::Nobody),
                1 => Enquired::Owner(Owner::Order(number(345_004))),
                2 => Enquired::Found(Found::NotFound),
                3 => Enquired::Found(Found::Ended(Ending::Refunded)),
                4 => Enquired::Found(lost()),
                _ => Enquired::Found(Found::Paid(proof())),
            };
            bench.send(ScreenMessage::Enquired { serial, enquired });
        }
        _ => {}
    }
}

fn lost() -> Found {
    Found::Inconclusive(Inconclusive::Unknown(TillCause::NoConnection.into()))
}

#[test]
fn f7_opens_the_latest_orders_and_esc_leads_back_to_the_very_same_desk() {
    for begin in [
        |_: &mut ScreenBench| {},
        |bench: &mut ScreenBench| bench.type_text("12.5"),
        |bench: &mut ScreenBench| {
            bench.type_text("12.5");
            bench.key(Key::Enter);
        },
        |bench: &mut ScreenBench| {
            let index = bench.charge("12.5", 1);
            bench.answer(index, Says::Paying);
        },
        |bench: &mut ScreenBench| {
            let index = bench.charge("12.5", 1);
            bench.answer(index, Says::Declined(reason("NOTENOUGH")));
        },
    ] {
        let mut bench = bench();
        begin(&mut bench);
        let (task, picture) = (bench.model.task.clone(), bench.drawn(80, 24));
        let customer = bench.model.for_the_customer();
        opened(&mut bench);
        assert!(says(&bench, "Latest orders") && says(&bench, "order 345006"));
        assert_eq!(bench.model.for_the_customer(), customer);
        bench.key(Key::Esc);
        assert_eq!(bench.model.task, task);
        assert!(!bench.model.is_finding());
        assert_eq!(first_lines(&bench.drawn(80, 24)), first_lines(&picture));
    }
}

/// Without the countdowns, which go on.
fn first_lines(picture: &str) -> Vec<String> {
    picture.lines().take(8).map(str::to_owned).collect()
}

#[test]
fn the_page_does_not_open_while_a_code_is_on_its_way_or_the_till_has_stopped() {
    let mut bench = bench();
    bench.type_text("12.5");
    bench.key(Key::Enter);
    bench.scan(1);
    assert_eq!(bench.key(Key::F(7)), []);
    assert!(!bench.model.is_finding());
    let mut bench = ScreenBench::new(settings());
    opened(&mut bench);
    bench.send(ScreenMessage::JournalFailed(crate::both!("no space", "磁盘已满")));
    assert!(!bench.model.is_finding() && says(&bench, "STOP - NO SALES"));
    assert_eq!(bench.key(Key::F(7)), []);
}

#[test]
fn whatever_is_typed_lists_what_fits_and_one_match_opens_by_itself() {
    let mut bench = bench();
    opened(&mut bench);
    for (typed, is) in [
        ("12.34", Wanted { amount: Some(Money::from_minor(1234)), ..Wanted::default() }),
        ("paid", Wanted { status: Some(Status::Paid), ..Wanted::default() }),
        ("已撤销", Wanted { status: Some(Status::Reversed), ..Wanted::default() }),
    ] {
        bench.type_text(typed);
        let (serial, wanted) = search_of(&bench.key(Key::Enter));
        assert_eq!(wanted, is);
        found(&mut bench, serial, &[reversed_order(), paid_order()]);
        assert!(says(&bench, "2 orders"), "{typed}");
    }
    bench.type_text("14:05");
    assert!(search_of(&bench.key(Key::Enter)).1.time.is_some());
    bench.type_text("345004");
    let (serial, wanted) = search_of(&bench.key(Key::Enter));
    assert_eq!(wanted.tail.as_deref(), Some("345004"));
    assert_eq!(found(&mut bench, serial, &[paid_order()]), [], "F5 asks, not the search");
    assert!(says(&bench, "by this till's journal") && says(&bench, "Press F5 to ask"));
    bench.type_text("1.99");
    let (serial, _) = search_of(&bench.key(Key::Enter));
    found(&mut bench, serial, &[]);
    assert!(says(&bench, "No matching order."));
    assert_eq!(bench.model.task, CashierTask::Amount { typed: String::new() });
    assert!(bench.commands.iter().all(|command| matches!(command, ScreenCommand::Search { .. })));
}

#[test]
fn a_chosen_order_opens_and_esc_goes_back_step_by_step() {
    let mut bench = bench();
    opened(&mut bench);
    bench.key(Key::Down);
    let (serial, wanted) = search_of(&bench.key(Key::Enter));
    assert_eq!(wanted.number, Some(number(345_005)));
    found(&mut bench, serial, &[declined_order()]);
    assert!(says(&bench, "NOT PAID") && says(&bench, "What happened"));
    bench.key(Key::Ctrl('r'));
    assert!(says(&bench, "All entries") && says(&bench, "auth_code: 13************0007"));
    bench.key(Key::Esc);
    assert!(says(&bench, "What happened"));
    bench.key(Key::Enter);
    assert!(says(&bench, "All entries"), "Enter is the second key");
    bench.key(Key::Enter);
    bench.key(Key::Esc);
    assert!(says(&bench, "Latest orders"));
    bench.key(Key::Esc);
    assert!(!bench.model.is_finding());
}

#[test]
fn the_payment_at_the_desk_goes_on_and_is_in_sight_while_the_page_is_open() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paying);
    opened(&mut bench);
    assert!(says(&bench, "WAITING FOR CUSTOMER") && says(&bench, "￥12.50"));
    for key in [Key::Ctrl('n'), Key::Tab, Key::F(9), Key::Ctrl('t')] {
        assert_eq!(bench.key(key), [], "{key:?}");
        assert!(bench.model.is_finding() && bench.model.is_at_hand(&bench.order(index)));
    }
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    assert!(says(&bench, "PAID   ￥12.50") && says(&bench, "Enter: OK"));
    bench.key(Key::Esc);
    assert!(says(&bench, "Hand over the goods.") && !says(&bench, "Enter: OK"));
}

#[test]
fn an_open_order_on_the_page_is_read_again_when_it_moves() {
    let mut bench = bench();
    let index = bench.charge("7", 7);
    bench.answer(index, Says::Paying);
    opened(&mut bench);
    let mut shown = open_order();
    shown.row.out_trade_no = bench.order(index);
    shown.order.out_trade_no = bench.order(index);
    let question = scanned(&mut bench, &shown);
    answer(&mut bench, question.number(), Found::NotPaid);
    assert!(says(&bench, "UNKNOWN") && says(&bench, "keep the goods"));
    bench.commands.clear();
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    let searches: Vec<_> = bench
        .commands
        .iter()
        .filter_map(|command| match command {
            ScreenCommand::Search { serial, wanted } => Some((*serial, wanted.number.clone())),
            _ => None,
        })
        .collect();
    let (serial, number) = searches.last().unwrap().clone();
    assert_eq!(number, Some(bench.order(index)));
    let mut paid = paid_order();
    paid.row.out_trade_no = bench.order(index);
    found(&mut bench, serial, &[paid]);
    assert!(says(&bench, "by this till's journal") && !says(&bench, "UNKNOWN"));
}

#[test]
fn commands_find_the_page_by_words_of_both_languages() {
    for (typed, language) in [("find", Language::English), ("查找", Language::English)] {
        let mut bench = bench();
        bench.model.language = language;
        bench.key(Key::Ctrl('p'));
        bench.type_text(typed);
        search_of(&bench.key(Key::Enter));
        assert!(bench.model.is_finding());
    }
}

#[test]
fn a_journal_that_cannot_be_read_says_why() {
    let mut bench = bench();
    let (serial, _) = search_of(&bench.key(Key::F(7)));
    let result = Err(crate::both!("the disk is gone", "磁盘不可用"));
    bench.send(ScreenMessage::Found { serial, result });
    assert!(says(&bench, "The journal cannot be read: the disk is gone."));
}

#[test]
fn the_list() {
    let mut bench = bench();
    opened(&mut bench);
    bench.key(Key::Down);
    pictures("find_list", &mut bench);
    bench.type_text("12.3");
    pictures("find_typed", &mut bench);
}

#[test]
fn the_list_beside_a_payment_at_the_desk() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paying);
    opened(&mut bench);
    pictures("find_beside_payment", &mut bench);
}

#[test]
fn a_story_in_words_and_in_full() {
    let mut bench = bench();
    opened(&mut bench);
    bench.type_text("345006");
    let (serial, _) = search_of(&bench.key(Key::Enter));
    found(&mut bench, serial, &[reversed_order()]);
    pictures("find_story", &mut bench);
    bench.key(Key::Ctrl('r'));
    pictures("find_entries", &mut bench);
}

/// A customer's order is paid, says WeChat Pay.
pub(super) fn shown_with_verdict() -> ScreenBench {
    let mut bench = bench();
    opened(&mut bench);
    let question = scanned(&mut bench, &paid_order());
    answer(&mut bench, question.number(), Found::Paid(proof()));
    bench
}

#[test]
fn each_verdict() {
    for (name, file, found) in [
        ("asking", paid_order(), None),
        ("paid", paid_order(), Some(Found::Paid(proof()))),
        ("not_paid", declined_order(), Some(Found::NotFound)),
        ("reversed", reversed_order(), Some(Found::Ended(Ending::Revoked))),
        ("refunded", paid_order(), Some(Found::Ended(Ending::Refunded))),
        ("unknown", paid_order(), Some(lost())),
        ("held", reversed_order(), Some(Found::Paid(proof()))),
    ] {
        let mut bench = bench();
        opened(&mut bench);
        let question = scanned(&mut bench, &file);
        if let Some(found) = found {
            answer(&mut bench, question.number(), found);
        }
        pictures(&format!("find_{name}"), &mut bench);
    }
}

#[test]
fn a_number_that_is_not_ours() {
    let mut bench = bench();
    opened(&mut bench);
    let (serial, _) = search_of(&scan(&mut bench, TRANSACTION));
    found(&mut bench, serial, &[]);
    let nobody = Enquired::Owner(Owner::Nobody);
    answer_about(&mut bench, TRANSACTION, nobody);
    pictures("find_not_ours", &mut bench);
}

#[test]
fn a_payment_code_is_named() {
    let mut bench = bench();
    opened(&mut bench);
    scan(&mut bench, code(7).expose());
    pictures("find_payment_code", &mut bench);
}

#[test]
fn in_a_small_window_the_verdict_comes_first() {
    let mut bench = bench();
    opened(&mut bench);
    let question = scanned(&mut bench, &paid_order());
    answer(&mut bench, question.number(), Found::Paid(proof()));
    let picture = bench.drawn(40, 12);
    let first = picture.lines().next().unwrap();
    assert_eq!(first, "PAID", "{picture}");
    for words in ["￥12.34", "order 345004", "This order is paid:"] {
        assert!(packed(&picture).contains(&packed(words)), "{words}\n{picture}");
    }
}

#[test]
fn f9_prints_a_copy_of_the_order_that_is_shown_and_of_nothing_else() {
    let mut bench = bench();
    opened(&mut bench);
    assert_eq!(bench.key(Key::F(9)), [], "a list is no order");
    for (file, prints) in
        [(paid_order(), true), (reversed_order(), true), (declined_order(), false)]
    {
        scanned(&mut bench, &file);
        assert_eq!(bench.drawn(120, 40).contains("F9"), prints);
        let order = file.row.out_trade_no.clone();
        let copy = ScreenCommand::Print { out_trade_no: order, copy: true };
        assert_eq!(bench.key(Key::F(9)), if prints { vec![copy] } else { Vec::new() });
        assert!(bench.model.is_finding(), "the page stays");
    }
}
