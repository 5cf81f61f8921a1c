//! Forty inputs, typed by a machine in one go and cut at every place and pause, on every screen: no
//! scan and no key that was cut changes an amount, answers a question, or starts or reverses a
//! payment.
//!
//! Every pause from 1 to 600 ms is tried on each screen, with some of the inputs, and the grave ones
//! at every place of every input within four days (`tests/fixture/sweep.rs`). With
//! `PAYTILL_SWEEP=1` all are tried at all places, which takes long.

#[path = "../../../../tests/fixture/machine_typing.rs"]
mod machine_typing;

use proptest::prelude::*;

use self::machine_typing::{KEYS, SCANS};
use super::*;
use crate::order::TillId;
use crate::says::{Says, reason};
use crate::screen::model::Dialog;
use crate::screen::pages::checkout::CashierTask;
use crate::sweep;

/// Pauses around the limits that the till goes by.
const GRAVE: [u64; 14] = [1, 49, 50, 51, 52, 60, 109, 111, 112, 300, 549, 552, 599, 600];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Idle,
    Amount,
    Large,
    Code,
    Waiting,
    Paid,
    NotPaid,
    Reversed,
    Reversing,
    Attention,
    AskLarge,
    AskCancel,
    AskNextCustomer,
    AskQuit,
    Commands,
    /// How much is given back, and why.
    Refund,
    RefundReason,
    AskRefund,
    /// An idle desk, and a payment in the tray.
    Tray,
    /// A payment at the desk, and another one in the tray.
    Beside,
}

const PLACES: [Place; 20] = [
    Place::Idle,
    Place::Amount,
    Place::Large,
    Place::Code,
    Place::Waiting,
    Place::Paid,
    Place::NotPaid,
    Place::Reversed,
    Place::Reversing,
    Place::Attention,
    Place::AskLarge,
    Place::AskCancel,
    Place::AskNextCustomer,
    Place::AskQuit,
    Place::Commands,
    Place::Refund,
    Place::RefundReason,
    Place::AskRefund,
    Place::Tray,
    Place::Beside,
];

fn at(place: Place) -> ScreenBench {
    let mut bench = ScreenBench::new(settings());
    match place {
        Place::Idle => {}
        Place::Refund | Place::RefundReason | Place::AskRefund => {
            find::refund_of_the_paid_order(&mut bench);
        }
        Place::Amount => bench.type_text("5.00"),
        Place::Large => bench.type_text("2000"),
        Place::Code | Place::Commands => {
            bench.type_text("88");
            bench.key(Key::Enter);
        }
        Place::AskLarge => {
            bench.type_text("2000");
            bench.key(Key::Enter);
        }
        Place::Waiting | Place::AskCancel | Place::AskQuit => {
            let index = bench.charge("12.5", 1);
            bench.answer(index, Says::Paying);
        }
        Place::Tray | Place::Beside => {
            let index = bench.charge("3", 1);
            bench.answer(index, Says::Paying);
            bench.key(Key::Ctrl('n'));
            if place == Place::Beside {
                let index = bench.charge("12.5", 2);
                bench.answer(index, Says::Paying);
            }
        }
        Place::Paid => {
            let index = bench.charge("12.5", 1);
            bench.answer(index, Says::Paid(proof()));
        }
        Place::NotPaid => {
            let index = bench.charge("12.5", 1);
            bench.answer(index, Says::Declined(reason("NOTENOUGH")));
        }
        Place::Reversed => {
            let index = bench.charge("12.5", 1);
            bench.answer(index, Says::Unknown(reason("no_answer")));
            bench.later(index, 30_000);
            bench.answer(index, Says::NotPaid);
            bench.answer(index, Says::Accepted);
            bench.answer(index, Says::Ended(payment::Ending::Closed));
        }
        Place::Reversing | Place::AskNextCustomer => {
            let index = bench.charge("12.5", 1);
            bench.answer(index, Says::Paying);
            bench.cancel(index);
        }
        Place::Attention => {
            let index = bench.charge("12.5", 1);
            bench.until_attention(index);
        }
    }
    match place {
        Place::AskCancel => drop(bench.key(Key::Esc)),
        Place::AskQuit => drop(bench.key(Key::Ctrl('q'))),
        Place::Commands => drop(bench.key(Key::Ctrl('p'))),
        Place::AskNextCustomer | Place::RefundReason => drop(bench.key(Key::Enter)),
        Place::AskRefund => {
            bench.key(Key::Enter);
            bench.key(Key::Enter);
        }
        _ => {}
    }
    bench.wait(5_000);
    bench.commands.clear();
    bench
}

/// Plays bytes in pieces, each with its pause before, as the till's loop would.
fn play(bench: &mut ScreenBench, pieces: &[(u64, Vec<u8>)], speed: u64) {
    play_for(bench, pieces, speed, 3_000);
}

/// The same, and this much silence afterwards.
fn play_for(bench: &mut ScreenBench, pieces: &[(u64, Vec<u8>)], speed: u64, rest: u64) {
    let mut typist = Typist::new(TillId::new("T01").unwrap());
    let mut reader = KeyReader::default();
    let silence = |bench: &mut ScreenBench, typist: &mut Typist, until: u64| {
        while let Some(wake) = typist.wake_at().filter(|wake| wake.0 < until) {
            bench.now = bench.now.max(wake.0);
            for message in typist.tick(wake, bench.model.target()) {
                bench.send(message);
            }
        }
        bench.now = bench.now.max(until);
    };
    for (pause, bytes) in pieces {
        let until = bench.now + pause.saturating_sub(speed);
        silence(bench, &mut typist, until);
        for byte in bytes {
            for pressed in reader.read(&[*byte], Uptime(bench.now)) {
                for message in typist.press(pressed, bench.model.target()) {
                    bench.send(message);
                }
            }
            let until = bench.now + speed;
            silence(bench, &mut typist, until);
        }
    }
    let until = bench.now + rest;
    silence(bench, &mut typist, until);
}

fn bytes(input: &str) -> Vec<u8> {
    input.replace('#', code(77).expose()).into_bytes()
}

fn is_grave(place: Place, command: &ScreenCommand) -> bool {
    match command {
        ScreenCommand::Begin { .. }
        | ScreenCommand::OrderCode { .. }
        | ScreenCommand::Cancel(_)
        | ScreenCommand::Refund { .. } => true,
        // With nothing open, leaving harms nobody.
        ScreenCommand::Quit => matches!(
            place,
            Place::Waiting
                | Place::Reversing
                | Place::Attention
                | Place::AskCancel
                | Place::AskNextCustomer
                | Place::AskQuit
                | Place::Tray
                | Place::Beside
        ),
        _ => false,
    }
}

/// What must not change: nothing is charged, reversed or left, every question still stands, and an
/// amount is the one that was there, if there is one.
fn holds(place: Place, bench: &ScreenBench, asked: Option<&Dialog>) -> Result<(), String> {
    if let Some(command) = bench.commands.iter().find(|command| is_grave(place, command)) {
        return Err(format!("{command:?}"));
    }
    let is_same = match (asked, &bench.model.dialog) {
        (Some(asked), now) => now.as_ref() == Some(asked),
        // A lone Enter or Esc may ask; nothing comes of it.
        (None, _) => true,
    };
    if !is_same {
        return Err(format!("the question was answered: {:?}", bench.model.dialog));
    }
    let at_desk = match place {
        Place::Waiting | Place::Reversing | Place::Attention => Some(1),
        Place::Beside => Some(2),
        _ => None,
    };
    if let Some(serial) = at_desk
        && !bench.model.is_at_hand(&number(345_000 + serial))
    {
        return Err(format!("another payment is at the desk: {:?}", bench.model.task));
    }
    if place == Place::Tray && bench.model.at_hand().is_some() {
        return Err("a payment has come back".into());
    }
    let before = match place {
        Place::Amount => 500,
        Place::Large | Place::AskLarge => 200_000,
        Place::Code | Place::Commands => 8_800,
        _ => 0,
    };
    let now = match &bench.model.task {
        CashierTask::Amount { typed } if typed.is_empty() => return Ok(()),
        CashierTask::Amount { typed } => {
            let settings = &bench.model.settings;
            settings.currency.read(typed, settings.entry).map_err(|why| format!("{why:?}"))?
        }
        CashierTask::Code { sale } | CashierTask::Starting { sale } => sale.amount(),
        CashierTask::Payment(_) => return Ok(()),
    };
    let is_same = now == Money::from_minor(before);
    if is_same { Ok(()) } else { Err(format!("the amount is {now:?}")) }
}

/// A digit and, later, an Enter are a digit and an Enter; and a whole payment code is one, whatever
/// comes afterwards.
fn can_be_cut(input: &str, first: &[u8]) -> bool {
    input != "5\r" && first.trim_ascii_start() != bytes("#\r")
}

/// A machine may type an amount where one is asked for.
fn is_typing(place: Place, input: &str) -> bool {
    input == "5\r" && matches!(place, Place::Idle | Place::Paid | Place::Tray)
}

fn check(place: Place, input: &str, pieces: &[(u64, Vec<u8>)], speed: u64) {
    let mut bench = at(place);
    let asked = bench.model.dialog.clone().filter(|_| bench.model.is_asking());
    play(&mut bench, pieces, speed);
    // This key, and no other, orders a code for the sale that is there; it takes no money.
    let orders = |command: &ScreenCommand| matches!(command, ScreenCommand::OrderCode { .. });
    if input == "\u{1b}OS" && bench.commands.iter().any(orders) {
        bench.commands.retain(|command| !orders(command));
        bench.model.task = CashierTask::Amount { typed: String::new() };
    }
    if let Err(what) = holds(place, &bench, asked.as_ref()) {
        let cuts: Vec<_> = pieces.iter().map(|(pause, piece)| (pause, piece.len())).collect();
        panic!("{what}: {input:?} at {place:?}, {speed} ms a key, cut {cuts:?}");
    }
}

fn check_cut(place: Place, input: &str, cut: usize, pause: u64, speed: u64) {
    let whole = bytes(input);
    let (first, rest) = whole.split_at(cut);
    if can_be_cut(input, first) {
        check(place, input, &[(0, first.to_vec()), (pause, rest.to_vec())], speed);
    }
}

#[test]
fn no_scan_operates_the_till_at_whatever_speed_of_a_machine() {
    for place in PLACES {
        for input in SCANS.iter().chain(&KEYS).filter(|input| !is_typing(place, input)) {
            for speed in [0, 1, 5, 20, 40, 50] {
                check(place, input, &[(0, bytes(input))], speed);
            }
        }
    }
}

#[test]
fn no_scan_and_no_key_cut_in_two_operates_the_till() {
    for place in PLACES {
        for input in SCANS.iter().chain(&KEYS) {
            let cuts = bytes(input).len() - 1;
            for cut in 1..=cuts {
                let pauses: Vec<u64> =
                    if sweep::is_complete() { (1..=600).collect() } else { GRAVE.into() };
                for (step, pause) in pauses.into_iter().enumerate() {
                    if sweep::takes(cut + step, 4) {
                        check_cut(place, input, cut, pause, 1);
                    }
                }
            }
        }
    }
}

/// A text that has more behind a code and its Enter, cut exactly there.
#[test]
fn no_rest_behind_a_whole_code_is_an_amount() {
    for place in PLACES {
        let is_charged = matches!(place, Place::Code | Place::NotPaid | Place::Reversed);
        for code in ["#\r", "6901234567892\r", "T01261122113000123456\r"] {
            if is_charged && code == "#\r" {
                continue;
            }
            for rest in ["0.01\r", "5\r", "88", "0.01"] {
                for pause in GRAVE {
                    for speed in [0, 5, 30] {
                        check(place, rest, &[(0, bytes(code)), (pause, bytes(rest))], speed);
                    }
                }
            }
        }
    }
}

/// Every pause on every screen, each with some of the inputs and at another place of them.
#[test]
fn no_pause_up_to_600_ms_makes_keys_of_a_scan() {
    for (index, place) in PLACES.into_iter().enumerate() {
        for (number, input) in SCANS.iter().chain(&KEYS).enumerate() {
            let cuts = bytes(input).len() - 1;
            for pause in (1..=600).filter(|pause| sweep::takes(pause + number + index, 18)) {
                let cut = 1 + (pause * 7 + index) % cuts;
                let pause = u64::try_from(pause).unwrap();
                check_cut(place, input, cut, pause, pause % 40);
            }
        }
    }
}

#[test]
fn a_payment_code_in_three_pieces_changes_no_amount() {
    let whole = bytes("#\r");
    let pauses = if sweep::is_complete() {
        vec![1, 50, 51, 60, 105, 300, 552, 600]
    } else {
        vec![51, 105, 600]
    };
    for place in PLACES {
        for first in 1..whole.len() - 1 {
            for second in first + 1..whole.len() {
                if !sweep::takes(first + second, 3) {
                    continue;
                }
                for (pause, next) in
                    pauses.iter().flat_map(|a| pauses.iter().map(move |b| (*a, *b)))
                {
                    let pieces = [
                        (0, whole[..first].to_vec()),
                        (pause, whole[first..second].to_vec()),
                        (next, whole[second..].to_vec()),
                    ];
                    let is_asked_for =
                        matches!(place, Place::Code | Place::NotPaid | Place::Reversed);
                    if is_asked_for {
                        let mut bench = at(place);
                        play(&mut bench, &pieces, 1);
                        let begun: Vec<_> = bench
                            .commands
                            .iter()
                            .filter(|command| is_grave(place, command))
                            .collect();
                        let [ScreenCommand::Begin { code: scanned, .. }] = begun[..] else {
                            panic!("{begun:?} at {place:?}, cut {first} {second}, {pause} {next}")
                        };
                        assert_eq!(*scanned, code(77));
                    } else {
                        check(place, "#\r", &pieces, 1);
                    }
                }
            }
        }
    }
}

/// Slow enough for a hand, and still no answer to a question and no payment.
#[test]
fn no_slow_scan_answers_a_question_or_starts_a_payment() {
    let asking = [Place::AskLarge, Place::AskCancel, Place::AskNextCustomer, Place::AskQuit];
    let places = [
        Place::Tray,
        Place::Beside,
        Place::Code,
        Place::Waiting,
        Place::Paid,
        Place::NotPaid,
        Place::Reversed,
        Place::Reversing,
    ];
    for place in asking.into_iter().chain(places) {
        for input in SCANS {
            // An Esc, a Ctrl-Q or an Enter on its own is what it is.
            if input.starts_with(['\x1b', '\x11', '\r']) {
                continue;
            }
            for speed in [60, 105, 300, 600] {
                let mut bench = at(place);
                let asked = bench.model.dialog.clone();
                play(&mut bench, &[(0, bytes(input))], speed);
                let grave = bench.commands.iter().any(|command| is_grave(place, command));
                assert!(!grave, "{input:?} at {place:?}, {speed} ms a key");
                if matches!(place, Place::Tray | Place::Beside) {
                    let stays = place == Place::Beside;
                    let order = number(345_002);
                    let at_desk = bench.model.is_at_hand(&order);
                    assert_eq!(at_desk, stays, "{input:?} at {place:?}, {speed} ms a key");
                    assert!(stays || bench.model.at_hand().is_none(), "{input:?}, {speed} ms");
                }
                if asking.contains(&place) {
                    assert_eq!(bench.model.dialog, asked, "{input:?} at {place:?}, {speed} ms");
                }
            }
        }
    }
}

#[test]
fn a_payment_code_is_charged_where_one_is_asked_for() {
    for place in [Place::Code, Place::NotPaid, Place::Reversed] {
        for (input, speed) in [("#\r", 1), ("#\n", 20), ("#\t", 50), ("#\r", 105), ("#\n", 400)] {
            let mut bench = at(place);
            play(&mut bench, &[(0, bytes(input))], speed);
            let begun = bench.commands.iter().filter(|command| {
                matches!(command, ScreenCommand::Begin { code: scanned, .. } if *scanned == code(77))
            });
            assert_eq!(begun.count(), 1, "{input:?} at {place:?}, {speed} ms a key");
        }
    }
}

/// An amount in one go, and the code once the till has asked for it.
#[test]
fn a_program_sells() {
    for (amount, minor) in [("12.50\r", 1250), ("5\r", 500), (".5\r", 50), ("999.99\r", 99_999)] {
        for place in [Place::Idle, Place::Paid] {
            for speed in [0, 5, 50] {
                let mut bench = at(place);
                play_for(&mut bench, &[(0, bytes(amount))], speed, 700);
                let sale = SaleRef::New(Money::from_minor(minor));
                assert_eq!(bench.model.takes_codes(), Some(sale), "{amount:?} {place:?} {speed}");
                play(&mut bench, &[(0, bytes("#\r"))], speed);
                let begun = bench.commands.iter().any(|command| {
                    matches!(command, ScreenCommand::Begin { sale: begun, .. } if *begun == sale)
                });
                assert!(begun, "{amount:?} {place:?} {speed}");
            }
        }
    }
    let mut bench = at(Place::Idle);
    play_for(&mut bench, &[(0, bytes("2000\r"))], 0, 60);
    let question = Some(Dialog::LargeAmount(Money::from_minor(200_000)));
    assert_eq!(bench.model.dialog, question, "at once");
    play_for(&mut bench, &[(940, b"\r".to_vec())], 0, 700);
    assert_eq!(bench.model.takes_codes(), Some(SaleRef::New(Money::from_minor(200_000))));
    for pause in [60, 300, 600] {
        let mut bench = at(Place::Idle);
        play(&mut bench, &[(0, bytes("2000\r")), (pause, bytes("#\r"))], 5);
        let empty = CashierTask::Amount { typed: String::new() };
        assert_eq!((bench.model.dialog, bench.model.task), (None, empty), "{pause}");
    }
    let mut bench = at(Place::AskCancel);
    play_for(&mut bench, &[(0, b"\r".to_vec())], 0, 700);
    assert!(matches!(bench.commands[..], [ScreenCommand::Cancel(_)]));
}

#[test]
fn escape_and_a_digit_are_a_function_key() {
    let mut bench = at(Place::Idle);
    play(&mut bench, &[(0, b"\x1b".to_vec()), (200, b"1".to_vec())], 0);
    assert_eq!(bench.model.dialog, Some(Dialog::Help));
    let mut bench = at(Place::Waiting);
    play(&mut bench, &[(0, b"\x1b".to_vec()), (200, b"5".to_vec())], 0);
    assert!(matches!(bench.commands[..], [ScreenCommand::CheckNow(_)]));
    assert_eq!(bench.model.dialog, None);
}

#[test]
fn a_person_sells() {
    let mut bench = ScreenBench::new(settings());
    play(&mut bench, &[(0, bytes("12.50\r"))], 60);
    assert_eq!(bench.model.takes_codes(), Some(SaleRef::New(Money::from_minor(1250))));
    play(&mut bench, &[(0, b"\x1b".to_vec())], 60);
    assert_eq!(bench.model.task, CashierTask::Amount { typed: String::new() });
    // Right after a scan.
    play_for(&mut bench, &[(0, bytes("6901234567892\r"))], 5, 60);
    play(&mut bench, &[(0, bytes("12.50\r"))], 60);
    assert_eq!(bench.model.takes_codes(), Some(SaleRef::New(Money::from_minor(1250))));
    let mut bench = at(Place::AskCancel);
    play(&mut bench, &[(0, b"\r".to_vec())], 60);
    assert!(matches!(bench.commands[..], [ScreenCommand::Cancel(_)]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_cut_anywhere_operates_the_till(
        place in prop::sample::select(PLACES.to_vec()),
        input in prop::sample::select([SCANS.as_slice(), KEYS.as_slice()].concat()),
        cut in any::<prop::sample::Index>(),
        pause in 1_u64..=600,
        speed in 0_u64..=50,
    ) {
        let cut = 1 + cut.index(bytes(input).len() - 1);
        check_cut(place, input, cut, pause, speed);
    }
}
