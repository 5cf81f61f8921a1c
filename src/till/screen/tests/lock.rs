//! The till is locked: nothing is begun, cancelled, asked or printed by whoever stands in front of
//! it, and open payments go on.

use proptest::prelude::*;

use super::*;
use crate::clock::Millis;
use crate::operators::{Operator, Role};
use crate::says::Says;

fn staffed() -> Settings {
    Settings { operators: true, drawer: true, ..settings() }
}

fn anna() -> Operator {
    Operator { name: "Anna".into(), role: Role::Cashier }
}

fn locked() -> ScreenBench {
    ScreenBench::new(staffed())
}

fn signed_in(settings: Settings) -> ScreenBench {
    let mut bench = ScreenBench::new(settings);
    sign_in(&mut bench, "194703", Ok(Some(anna())));
    assert!(!bench.model.is_locked());
    bench
}

/// Types a PIN; whose it is said to be.
fn sign_in(bench: &mut ScreenBench, pin: &str, found: SignedIn) {
    bench.type_text(pin);
    let [ScreenCommand::SignIn { serial, .. }] = bench.key(Key::Enter)[..] else {
        panic!("no PIN is asked about")
    };
    bench.now += 80;
    bench.send(ScreenMessage::SignedIn { serial, found });
}

fn says(bench: &ScreenBench, words: &str) -> bool {
    packed(&bench.drawn(80, 24)).contains(&packed(words))
}

#[test]
fn a_till_with_operators_begins_locked_and_a_pin_opens_it() {
    let mut bench = locked();
    assert!(bench.model.is_locked() && says(&bench, "LOCKED"));
    assert!(!says(&bench, "Ctrl-Q") && !says(&bench, "F6"));
    bench.type_text("1947");
    assert!(says(&bench, "* * * *") && !says(&bench, "1947"));
    bench.key(Key::Backspace);
    assert!(says(&bench, "* * *") && !says(&bench, "* * * *"));
    bench.key(Key::Esc);
    sign_in(&mut bench, "１94703", Ok(Some(anna())));
    assert!(says(&bench, "Enter the amount.") && says(&bench, "T01 Anna") && says(&bench, "F12"));
    assert!(!format!("{:?}", bench.commands).contains("194703"));
}

#[test]
fn without_operators_nothing_of_it_is_seen() {
    let mut bench = ScreenBench::new(settings());
    assert!(!bench.model.is_locked());
    for key in [Key::F(12), Key::Ctrl('k')] {
        bench.key(key);
        assert!(!bench.model.is_locked() && says(&bench, "Enter the amount."));
    }
    for key in [Key::F(1), Key::Ctrl('p')] {
        bench.key(key);
        assert!(!bench.drawn(200, 60).contains("F12"));
        bench.key(Key::Esc);
    }
}

#[test]
fn a_wrong_pin_is_followed_by_a_wait_that_grows() {
    let mut bench = locked();
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        let rings = bench.model.rings();
        sign_in(&mut bench, "5512", Ok(None));
        assert_eq!(bench.model.rings(), rings + 1);
        assert!(says(&bench, "That is nobody's PIN.") && bench.model.counts_seconds());
        assert!(says(&bench, &format!("Try again in {seconds} s.")), "{}", bench.drawn(80, 24));
        bench.wait(seconds * 1000 - 1000);
        bench.key(Key::Char('5'));
        assert!(!says(&bench, "*"), "too soon");
        bench.wait(1000);
        assert!(says(&bench, "Enter your PIN"));
    }
    sign_in(&mut bench, "194703", Ok(Some(anna())));
    assert!(!bench.model.is_locked());
}

#[test]
fn while_a_pin_is_checked_nothing_more_is_typed_and_an_older_answer_counts_for_nothing() {
    let mut bench = locked();
    bench.type_text("5512");
    let [ScreenCommand::SignIn { serial, .. }] = bench.key(Key::Enter)[..] else { panic!() };
    bench.type_text("77");
    assert!(bench.key(Key::Enter).is_empty() && says(&bench, "Checking"));
    bench.send(ScreenMessage::SignedIn { serial: serial + 1, found: Ok(Some(anna())) });
    assert!(bench.model.is_locked());
    bench.send(ScreenMessage::SignedIn {
        serial, found: Err(crate::both!("no file", "没有文件"))
    });
    assert!(says(&bench, "Nobody can sign in: no file."));
    sign_in(&mut bench, "194703", Ok(Some(anna())));
    bench.key(Key::F(12));
    bench.send(ScreenMessage::SignedIn { serial: serial + 1, found: Ok(Some(anna())) });
    assert!(bench.model.is_locked(), "a new page, a new question");
}

#[test]
fn a_cashiers_own_pin_does_not_end_the_wait_and_time_makes_it_shorter() {
    let mut bench = locked();
    let wrong = |bench: &mut ScreenBench, seconds: u64| {
        sign_in(bench, "5512", Ok(None));
        assert!(says(bench, &format!("Try again in {seconds} s.")), "{}", bench.drawn(80, 24));
        bench.wait(seconds * 1000);
    };
    for seconds in [1, 2, 4] {
        wrong(&mut bench, seconds);
        sign_in(&mut bench, "194703", Ok(Some(anna())));
        bench.key(Key::F(12));
    }
    wrong(&mut bench, 8);
    bench.wait(2 * 600_000);
    wrong(&mut bench, 4);
    bench.wait(24 * 600_000);
    wrong(&mut bench, 1);
    wrong(&mut bench, 2);
    sign_in(&mut bench, "8352", Ok(Some(manager())));
    bench.key(Key::F(12));
    wrong(&mut bench, 1);
}

#[test]
fn slips_that_are_perhaps_missing_are_still_offered_to_whoever_signs_in() {
    let mut before = ScreenBench::new(settings());
    let index = before.charge("12.5", 1);
    before.answer(index, Says::Paid(proof()));
    let recent = before.model.attempts.iter().map(|attempt| attempt.view.clone()).collect();
    let mut bench = locked();
    bench.model = Model::new(Settings { drawer_by_manager: true, ..staffed() }, recent);
    let offer = "1 slip may not have been printed";
    bench
        .send(ScreenMessage::SlipsLeft { waiting: Vec::new(), perhaps: vec![before.order(index)] });
    assert!(says(&bench, offer));
    sign_in(&mut bench, "194703", Ok(Some(anna())));
    assert!(says(&bench, offer) && says(&bench, "Enter the amount."));
    bench.drawer();
    bench.key(Key::Char('8'));
    assert!(!says(&bench, offer));
    bench.key(Key::Esc);
    bench.key(Key::Esc);
    assert!(says(&bench, offer), "nobody had to agree");
    bench.drawer();
    assert_eq!(agree(&mut bench, Ok(Some(manager()))), [ScreenCommand::OpenDrawer]);
    assert!(says(&bench, offer));
    bench.send(ScreenMessage::Drawer(Printing::Sent));
    assert!(says(&bench, "Opening the cash drawer.") && says(&bench, offer));
}

#[test]
fn what_was_only_passed_on_the_way_is_not_left_at_the_desk_of_a_locked_till() {
    for ends in [false, true] {
        let mut bench = signed_in(staffed());
        let index = bench.charge("12.5", 7);
        bench.answer(index, Says::Paying);
        bench.key(Key::Ctrl('n'));
        bench.key(Key::Tab);
        if ends {
            bench.later(index, 0);
            bench.later(index, 1_000);
            bench.answer_if_asked(index, Says::Paid(proof()));
        }
        let has_ended = bench.status(index) == Status::Paid;
        bench.key(Key::F(12));
        bench.wait(5_000);
        assert_eq!(bench.model.for_the_customer(), crate::display::View::Welcome, "{ends}");
        assert_eq!(bench.model.unread().count(), usize::from(has_ended));
        assert!(says(&bench, "12.50"), "it is in sight:\n{}", bench.drawn(80, 24));
    }
}

#[test]
fn a_payment_that_ends_behind_the_page_is_told_once() {
    for agrees in [false, true] {
        let mut bench = signed_in(Settings { drawer_by_manager: true, ..staffed() });
        let index = bench.charge("12.5", 7);
        bench.answer(index, Says::Paying);
        bench.drawer();
        assert!(says(&bench, "MANAGER NEEDED"));
        bench.later(index, 5_000);
        bench.answer(index, Says::Paid(proof()));
        assert_eq!(bench.model.unread().count(), 1);
        if agrees {
            agree(&mut bench, Ok(Some(manager())));
        } else {
            bench.key(Key::Esc);
        }
        assert!(says(&bench, "PAID") && bench.model.unread().count() == 0, "{agrees}");
    }
}

#[test]
fn another_enter_behind_the_pin_does_nothing_at_the_desk() {
    let mut bench = signed_in(Settings { drawer_by_manager: true, ..staffed() });
    let index = bench.charge("12.5", 7);
    bench.answer(index, Says::Paid(proof()));
    let again = |bench: &mut ScreenBench| {
        bench.now += 300;
        bench.send(ScreenMessage::Key(Key::Enter));
        assert!(says(bench, "Hand over the goods."), "{}", bench.drawn(80, 24));
    };
    bench.key(Key::F(12));
    sign_in(&mut bench, "194703", Ok(Some(anna())));
    again(&mut bench);
    bench.wait(2_000);
    bench.drawer();
    agree(&mut bench, Ok(Some(manager())));
    again(&mut bench);
    bench.key(Key::F(12));
    sign_in(&mut bench, "194703", Ok(Some(anna())));
    // An amount that was begun has its own Enter.
    bench.send(ScreenMessage::Key(Key::Char('5')));
    bench.now += 200;
    bench.send(ScreenMessage::Key(Key::Enter));
    assert!(says(&bench, "Scan the customer's payment code."));
}

#[test]
fn what_is_no_pin_is_not_asked_about() {
    let mut bench = locked();
    for (typed, why) in [("123", "4 to 12 digits"), ("12a", "digits only")] {
        bench.type_text(typed);
        assert!(bench.key(Key::Enter).is_empty());
        assert!(
            says(&bench, "PIN has") && says(&bench, if typed == "12a" { "4 to 12" } else { why })
        );
        bench.key(Key::Esc);
    }
    bench.key(Key::Char('x'));
    assert!(says(&bench, "A PIN has digits only."));
}

#[test]
fn scans_are_refused_by_name_and_bursts_are_no_pin() {
    let mut bench = locked();
    bench.type_text("19");
    assert!(bench.scan(7).is_empty());
    assert!(says(&bench, "That was a WeChat payment code. Nothing was sent. The till is locked"));
    assert!(!says(&bench, "* *"), "what was typed is no part of it");
    let began = Uptime(bench.now);
    bench.send(ScreenMessage::DroppedKeys { characters: 6, began });
    assert!(says(&bench, "too fast"));
    assert_eq!(bench.model.target(), crate::scan::KeyTarget::default());
}

#[test]
fn f12_locks_from_every_page_and_what_was_not_sent_is_gone() {
    let opened: [&[Key]; 7] = [
        &[Key::Char('5')],
        &[Key::Char('5'), Key::Enter],
        &[Key::F(7)],
        &[Key::F(1)],
        &[Key::Ctrl('p')],
        &[Key::F(7), Key::Char('7'), Key::F(1)],
        &[],
    ];
    for lock in [Key::F(12), Key::Ctrl('k')] {
        for keys in opened {
            let mut bench = signed_in(staffed());
            for key in keys {
                bench.key(*key);
            }
            bench.key(lock);
            assert!(bench.model.is_locked() && says(&bench, "LOCKED"), "{keys:?}");
            assert!(bench.scan(7).is_empty());
            sign_in(&mut bench, "8352", Ok(Some(anna())));
            assert!(says(&bench, "Enter the amount."), "{keys:?}\n{}", bench.drawn(80, 24));
        }
    }
}

#[test]
fn a_payment_at_the_desk_goes_on_rings_and_prints_while_locked() {
    let mut bench = signed_in(staffed());
    let index = bench.charge("12.5", 7);
    bench.answer(index, Says::Paying);
    bench.key(Key::F(12));
    assert!(says(&bench, "LOCKED") && says(&bench, "WAITING FOR CUSTOMER"));
    for key in
        [Key::F(5), Key::Esc, Key::Enter, Key::Ctrl('n'), Key::Tab, Key::Ctrl('q'), Key::F(6)]
    {
        assert!(bench.key(key).is_empty(), "{key:?}");
    }
    bench.commands.clear();
    let rings = bench.model.rings();
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    assert!(bench.model.rings() > rings);
    let printed = ScreenCommand::Print { out_trade_no: bench.order(index), copy: false };
    assert_eq!(bench.commands, [printed]);
    assert!(says(&bench, "LOCKED") && says(&bench, "PAID") && says(&bench, "12.50"));
    sign_in(&mut bench, "8352", Ok(Some(anna())));
    assert!(says(&bench, "PAID") && bench.model.notices.is_empty(), "it is read at the desk");
}

#[test]
fn a_payment_that_was_just_begun_is_in_sight_and_one_that_was_refused_is_told() {
    let mut bench = signed_in(staffed());
    bench.type_text("5");
    bench.key(Key::Enter);
    let [ScreenCommand::Begin { sale, .. }] = bench.scan(7)[..] else { panic!() };
    bench.key(Key::F(12));
    bench.obey(sale);
    assert!(says(&bench, "SENDING") && says(&bench, "LOCKED"));
}

#[test]
fn the_till_locks_itself_when_nobody_is_there_and_never_beside_a_payment() {
    let lock_after = Some(Millis::seconds(300));
    let mut bench = signed_in(Settings { lock_after, ..staffed() });
    bench.wait(299_000);
    assert!(!bench.model.is_locked());
    bench.key(Key::Char('5'));
    bench.wait(299_000);
    assert!(!bench.model.is_locked());
    bench.wait(1_000);
    assert!(bench.model.is_locked());
    sign_in(&mut bench, "8352", Ok(Some(anna())));
    let index = bench.charge("12.5", 7);
    bench.answer(index, Says::Paying);
    bench.wait(400_000);
    assert!(!bench.model.is_locked(), "somebody waits at the desk");
    let mut bench = signed_in(Settings { lock_after: Some(Millis::seconds(4)), ..staffed() });
    let index = bench.charge("12.5", 7);
    bench.answer(index, Says::Paying);
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    bench.wait(3_000);
    assert!(says(&bench, "Hand over the goods."), "whoever has waited reads the result");
    bench.wait(1_000);
    assert!(bench.model.is_locked(), "after a sale, too");
    sign_in(&mut bench, "8352", Ok(Some(anna())));
    assert!(says(&bench, "Enter the amount."), "nobody else's result");
    let index = bench.charge("5", 8);
    bench.answer(index, Says::Declined(reason("NOTENOUGH")));
    bench.wait(4_000);
    assert!(bench.model.is_locked(), "beside a payment that has ended");
    let mut bench = signed_in(staffed());
    bench.wait(4_000_000);
    assert!(!bench.model.is_locked(), "only if it was asked for");
}

#[test]
fn a_till_that_has_stopped_says_so_and_can_be_left() {
    let mut bench = locked();
    bench.send(ScreenMessage::JournalFailed(crate::both!("no space", "磁盘已满")));
    assert!(says(&bench, "NO SALES") && !says(&bench, "LOCKED"));
    assert_eq!(bench.key(Key::Ctrl('q')), [ScreenCommand::Quit]);
}

#[test]
fn whoever_is_removed_is_locked_out_soon() {
    let mut bench = signed_in(staffed());
    let asks = |bench: &mut ScreenBench, millis: u64| {
        bench.commands.clear();
        bench.wait(millis);
        bench.commands == [ScreenCommand::ReadOperators]
    };
    assert!(!asks(&mut bench, 29_000) && asks(&mut bench, 1_000) && !asks(&mut bench, 29_000));
    bench.send(ScreenMessage::Operators(vec![manager(), anna()]));
    bench.send(ScreenMessage::Operators(Vec::new()));
    assert!(!bench.model.is_locked(), "where nobody is left, nobody could open it");
    let promoted = Operator { role: Role::Manager, ..anna() };
    for left in [manager(), promoted] {
        bench.send(ScreenMessage::Operators(vec![left]));
        assert!(bench.model.is_locked() && says(&bench, "LOCKED"));
        assert!(!asks(&mut bench, 60_000), "nobody has signed in");
        sign_in(&mut bench, "194703", Ok(Some(anna())));
    }
    let mut bench = ScreenBench::new(settings());
    assert!(!asks(&mut bench, 60_000));
}

fn manager() -> Operator {
    Operator { name: "王芳".into(), role: Role::Manager }
}

fn asked() -> ScreenBench {
    let mut bench = signed_in(Settings { drawer_by_manager: true, ..staffed() });
    assert!(bench.drawer().is_empty());
    assert!(says(&bench, "MANAGER NEEDED") && says(&bench, "Open the cash drawer"));
    bench
}

/// Types a PIN, and what is done once it is known whose it is.
fn agree(bench: &mut ScreenBench, found: SignedIn) -> Vec<ScreenCommand> {
    bench.type_text("8352");
    let [ScreenCommand::SignIn { serial, .. }] = bench.key(Key::Enter)[..] else { panic!() };
    bench.send(ScreenMessage::SignedIn { serial, found })
}

#[test]
fn a_manager_agrees_to_one_act_of_a_cashier() {
    let mut bench = asked();
    assert!(bench.scan(7).is_empty() && says(&bench, "Press Esc first"));
    assert_eq!(agree(&mut bench, Ok(Some(anna()))), []);
    assert!(says(&bench, "Anna is no manager.") && bench.model.is_locked());
    assert_eq!(agree(&mut bench, Ok(Some(manager()))), [ScreenCommand::OpenDrawer]);
    let by = bench.model.by().unwrap();
    assert_eq!((by.operator.as_str(), by.consent.as_deref()), ("Anna", Some("王芳")));
    assert!(!bench.model.is_locked());
    bench.wait(10);
    assert_eq!(bench.model.by().unwrap().consent, None, "for that one act");
    assert!(bench.drawer().is_empty(), "the next time it is asked for again");
}

#[test]
fn a_manager_and_a_till_without_such_a_rule_are_not_asked() {
    let mut bench = signed_in(staffed());
    assert_eq!(bench.drawer(), [ScreenCommand::OpenDrawer]);
    let mut bench = ScreenBench::new(Settings { drawer_by_manager: true, ..staffed() });
    sign_in(&mut bench, "8352", Ok(Some(manager())));
    assert_eq!(bench.drawer(), [ScreenCommand::OpenDrawer]);
}

#[test]
fn nobody_has_to_agree_and_the_wait_after_wrong_pins_goes_on() {
    let mut bench = asked();
    bench.type_text("12");
    bench.key(Key::Esc);
    assert!(bench.model.is_locked(), "what was typed goes first");
    bench.key(Key::Esc);
    assert!(says(&bench, "Enter the amount.") && bench.model.by().is_some());
    for seconds in [1, 2, 4] {
        bench.drawer();
        assert_eq!(agree(&mut bench, Ok(None)), []);
        let wait = format!("Try again in {seconds} s.");
        assert!(says(&bench, &wait));
        bench.now -= 1_200;
        bench.key(Key::Esc);
        assert!(!bench.model.is_locked());
        bench.drawer();
        assert!(says(&bench, &wait), "no way around it");
        bench.key(Key::Char('8'));
        assert!(!says(&bench, "*"));
        bench.wait(seconds * 1000);
        bench.key(Key::Esc);
    }
    bench.drawer();
    bench.key(Key::F(12));
    assert!(says(&bench, "LOCKED") && bench.model.by().is_none());
    bench.key(Key::Esc);
    assert!(bench.model.is_locked());
}

#[test]
fn pictures_of_a_manager_who_is_asked() {
    let mut bench = asked();
    bench.type_text("83");
    pictures("consent", &mut bench);
}

fn drawn_bench() -> ScreenBench {
    let mut bench = signed_in(staffed());
    for (amount, last, answer) in [("23.5", 1, Says::Paid(proof())), ("12.5", 7, Says::Paying)] {
        let index = bench.charge(amount, last);
        bench.wait(900);
        bench.answer(index, answer);
        bench.key(if last == 7 { Key::Ctrl('n') } else { Key::Enter });
    }
    bench
}

#[test]
fn pictures_of_a_locked_till() {
    let mut bench = drawn_bench();
    pictures("operator_signed_in", &mut bench);
    bench.key(Key::F(12));
    bench.type_text("19470");
    pictures("locked", &mut bench);
    sign_in(&mut bench, "3", Ok(None));
    pictures("locked_wrong_pin", &mut bench);
    bench.wait(2_000);
    bench.scan(9);
    pictures("locked_scan", &mut bench);
    bench.key(Key::F(1));
    pictures("locked_help", &mut bench);
}

/// Whatever a person or a machine may do.
fn doing() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop::collection::vec((0_u8..7, any::<u8>()), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_locked_till_does_nothing_that_a_person_asks_for(doing in doing(), is_waiting in any::<bool>()) {
        let mut bench = signed_in(staffed());
        let index = bench.charge("12.5", 7);
        if is_waiting {
            bench.answer(index, Says::Paying);
            bench.key(Key::Ctrl('n'));
        }
        bench.key(Key::F(12));
        bench.commands.clear();
        for (what, which) in doing {
            let began = Uptime(bench.now);
            let keys = [Key::Enter, Key::Esc, Key::Tab, Key::Up, Key::Down, Key::Backspace];
            match what {
                0 => drop(bench.key(Key::F(which % 13))),
                1 => drop(bench.key(Key::Ctrl(char::from(b'a' + which % 26)))),
                2 => drop(bench.key(Key::Char(char::from(b'0' + which % 10)))),
                3 => drop(bench.key(keys[usize::from(which) % keys.len()])),
                4 => drop(bench.scan(u32::from(which))),
                5 => drop(bench.send(ScreenMessage::KeyScan {
                    scan: Scan::Payment(code(u32::from(which))),
                    text: raw("134567890123456789"),
                    began,
                    is_alone: true,
                })),
                _ => bench.wait(u64::from(which) * 100),
            }
            prop_assert!(bench.model.is_locked());
            let is_harmless = |command: &ScreenCommand| matches!(command, ScreenCommand::SignIn { .. });
            prop_assert!(bench.commands.iter().all(is_harmless), "{:?}", bench.commands);
        }
    }
}
