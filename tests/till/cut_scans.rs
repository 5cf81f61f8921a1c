//! Forty inputs that a machine types, each cut in two, on every screen of the real till: none changes
//! an amount, answers a question, or starts or reverses a payment.
//!
//! `screen::tests::table` plays the same over the model, at every place with every pause. Here a
//! quarter of the inputs is played on each screen, another one on the next and the next day
//! (`fixture/sweep.rs`), each with one cut. With `PAYTILL_SWEEP=1` all are cut at every place, and
//! every pause from 1 to 600 ms comes up.

use std::time::Duration;

use crate::fixture::tui_session::{CTRL_Q, Device, ESC, Socket, TuiSession};
use crate::fixture::{SERIAL_SCANNER, TestShop, code, sweep};
use crate::machine_typing::{KEYS, SCANS};
use paytill::payment::CallKind;

const IDLE: &str = "Enter the amount.";
/// How often it is played before a payment that waits is made anew: the gateway ends it after 45 s.
const AT_ONCE: usize = 20;
/// What is left of a cut key may be a digit, and an Enter this soon behind it belongs to that number.
const NUMBER_GOES_ON: Duration = Duration::from_secs(2);
const USUALLY: Duration = Duration::from_millis(500);

/// A screen: what stands on it, how the till gets there from an idle one, and back.
struct Place {
    stays: &'static str,
    arrive: fn(&mut Counter),
    leave: fn(&mut Counter),
    /// How long after all else an Enter may be a person's. One that comes too soon changes nothing,
    /// but where nothing is lost by it.
    enter_counts_after: Duration,
}

struct Counter {
    shop: TestShop,
    session: TuiSession,
    scanner: Device,
    /// What was charged by a person, and how much of it is kept, in minor units.
    sold: Vec<(i64, i64)>,
}

impl Counter {
    /// A till whose payments wait for as long as may be, and may be reversed at once.
    fn open() -> Self {
        let shop = TestShop::open(None, 1);
        shop.configure(SERIAL_SCANNER);
        shop.reconfigure("give_up_after_ms = 30000", "give_up_after_ms = 120000");
        shop.reconfigure("reverse_not_before_ms = 15000", "reverse_not_before_ms = 0");
        let scanner = Socket::new(&shop, "scanner").plug();
        let mut session = TuiSession::open(&shop);
        session.see(&[IDLE, "WeChat Pay ready", "Scanner ready"]);
        Self { shop, session, scanner, sold: Vec::new() }
    }

    /// Plays the inputs; `turn` says which, and where each is cut, unless it is at every place.
    fn play(mut self, turn: usize, place: &Place) {
        let is_sweep = sweep::is_complete();
        (place.arrive)(&mut self);
        let (mut plays, mut pause) = (0, 0);
        for (index, input) in SCANS.iter().chain(&KEYS).enumerate() {
            if !sweep::takes(index + turn, 4) || is_for_people(input) {
                continue;
            }
            let bytes = input.replace('#', &code("ok", 9));
            let last = bytes.len() - 1;
            let one = (index * 5 + turn * 3) % bytes.len();
            // At 0 it is not cut.
            for at in if is_sweep { 0..last + 1 } else { one..one + 1 } {
                // 600 and the step have no divisor in common, so every pause comes up.
                pause = (pause + 217) % 600;
                let pause = Duration::from_millis(1 + pause);
                let (first, rest) = bytes.split_at(at);
                let of_a_person = is_one_key(rest) && pause >= place.enter_counts_after;
                // A whole payment code is one, whatever comes afterwards.
                let is_code = first.trim_start() == format!("{}\r", code("ok", 9));
                // A key that is not cut is a person's, such as F4 on a till that has reversed.
                let is_key = at == 0 && KEYS.contains(input);
                if is_one_key(first) || of_a_person || is_code || is_key {
                    continue;
                }
                self.session.type_cut(first, pause, rest);
                let screen = self.session.look();
                let stays = place.stays;
                assert!(screen.contains(stays), "{bytes:?} cut at {at}, {pause:?}\n{screen}");
                plays += 1;
                if plays % AT_ONCE == 0 {
                    self.leave(place);
                    (place.arrive)(&mut self);
                }
            }
        }
        self.leave(place);
        self.session.press(CTRL_Q);
        assert_eq!(self.session.wait_for_end().exit_code(), 0);
        let ledger = self.shop.ledger();
        let charged: Vec<_> =
            ledger.iter().map(|entry| (entry.amount.minor(), entry.net().minor())).collect();
        assert_eq!(charged, self.sold, "{ledger:?}");
    }

    fn leave(&mut self, place: &Place) {
        std::thread::sleep(NUMBER_GOES_ON);
        (place.leave)(self);
    }

    fn ask_for_code(&mut self, amount: &str) {
        self.session.press(&format!("{amount}\r"));
        self.session.see(&["READY", "Scan the customer's payment code."]);
    }

    fn charge(&mut self, customer: &str, kept: i64) {
        self.ask_for_code("12.34");
        self.sold.push((1234, kept));
        self.scanner.scan(&code(customer, self.sold.len()));
    }

    fn wait_for_customer(&mut self) {
        self.charge("walks-away", 0);
        self.session.see(&["WAITING FOR CUSTOMER"]);
    }

    fn press_to_idle(&mut self, key: &str) {
        self.session.answer(key);
        self.session.see(&[IDLE]);
    }

    fn ask_to_cancel(&mut self) {
        self.session.answer(ESC);
        self.session.see(&["Cancel this payment?"]);
    }

    fn answer_that_it_ends(&mut self) {
        let before = self.shop.ledger();
        let reversals = before.last().unwrap().times_of(CallKind::Reverse).count();
        assert_eq!(reversals, 0, "{before:?}");
        self.session.answer("\r");
        self.session.see(&["REVERSED", "The customer was not charged."]);
    }
}

/// An amount and an Enter, which a person may have typed just as well, and the keys for the help page.
fn is_for_people(input: &str) -> bool {
    ["5\r", "\x1bOP", "\x1b[[A"].contains(&input)
}

/// A key that is pressed alone is a key.
fn is_one_key(piece: &str) -> bool {
    ["\r", "\n", "\x1b", "\x11"].contains(&piece)
}

#[test]
fn no_scan_cut_anywhere_operates_an_idle_till() {
    // A text, cut exactly behind a code's own Enter.
    let leave = |counter: &mut Counter| {
        let first = format!("{}\r", code("ok", 9));
        counter.session.type_cut(&first, Duration::from_millis(100), "0.01\r");
        counter.session.see(&[IDLE, "could not be read"]);
    };
    Counter::open()
        .play(0, &Place { stays: IDLE, arrive: |_| {}, leave, enter_counts_after: USUALLY });
}

#[test]
fn no_scan_cut_anywhere_operates_a_till_that_asks_for_a_code() {
    let arrive = |counter: &mut Counter| counter.ask_for_code("88");
    let leave = |counter: &mut Counter| counter.press_to_idle(ESC);
    Counter::open().play(1, &Place { stays: "READY", arrive, leave, enter_counts_after: USUALLY });
}

#[test]
fn no_scan_cut_anywhere_operates_a_till_that_waits() {
    let leave = |counter: &mut Counter| {
        counter.ask_to_cancel();
        counter.answer_that_it_ends();
        counter.press_to_idle("\r");
    };
    let arrive = Counter::wait_for_customer;
    Counter::open().play(
        2,
        &Place { stays: "WAITING FOR CUSTOMER", arrive, leave, enter_counts_after: USUALLY },
    );
}

#[test]
fn no_scan_cut_anywhere_answers_whether_to_cancel() {
    let arrive = |counter: &mut Counter| {
        counter.wait_for_customer();
        counter.ask_to_cancel();
    };
    let leave = |counter: &mut Counter| {
        counter.answer_that_it_ends();
        counter.press_to_idle("\r");
    };
    Counter::open().play(
        3,
        &Place { stays: "Cancel this payment?", arrive, leave, enter_counts_after: USUALLY },
    );
}

#[test]
fn no_scan_cut_anywhere_answers_whether_to_charge_so_much() {
    let arrive = |counter: &mut Counter| {
        counter.session.press("2000\r");
        counter.session.see(&["Charge ￥2,000.00?"]);
    };
    let leave = |counter: &mut Counter| {
        counter.session.answer(ESC);
        counter.session.see_that("the question goes", |screen| !screen.contains("Charge ￥"));
        counter.press_to_idle(ESC);
    };
    Counter::open().play(
        4,
        &Place { stays: "Charge ￥2,000.00?", arrive, leave, enter_counts_after: USUALLY },
    );
}

#[test]
fn no_scan_cut_anywhere_operates_a_till_that_was_paid() {
    let arrive = |counter: &mut Counter| {
        counter.charge("ok", 1234);
        counter.session.see(&["PAID", "Payment received"]);
    };
    let leave = |counter: &mut Counter| counter.press_to_idle("\r");
    Counter::open().play(
        5,
        &Place { stays: "Payment received", arrive, leave, enter_counts_after: Duration::ZERO },
    );
}

#[test]
fn no_scan_cut_anywhere_operates_a_till_that_was_refused() {
    let arrive = |counter: &mut Counter| {
        counter.charge("notenough", 0);
        counter.session.see(&["NOT PAID"]);
    };
    let leave = |counter: &mut Counter| counter.press_to_idle("\r");
    Counter::open()
        .play(6, &Place { stays: "NOT PAID", arrive, leave, enter_counts_after: USUALLY });
}

#[test]
fn no_scan_cut_anywhere_operates_a_till_that_has_reversed() {
    let arrive = |counter: &mut Counter| {
        counter.wait_for_customer();
        counter.ask_to_cancel();
        counter.answer_that_it_ends();
    };
    let leave = |counter: &mut Counter| counter.press_to_idle("\r");
    Counter::open()
        .play(7, &Place { stays: "REVERSED", arrive, leave, enter_counts_after: USUALLY });
}
