//! Snapshots of the main screens, in both languages and three sizes.

use super::super::keys;
use super::super::model::Dialog;
use super::super::pages::checkout::CashierTask;
use super::*;
use crate::payment::Reason;
use crate::says::{Says, reason};

/// A till with a few sales behind it.
fn bench() -> ScreenBench {
    let mut bench = ScreenBench::new(settings());
    for (amount, last, answer) in [
        ("23.5", 1, Says::Paid(proof())),
        ("8", 2, Says::Declined(reason("NOTENOUGH"))),
        ("128.80", 3, Says::Paid(proof())),
    ] {
        let index = bench.charge(amount, last);
        bench.wait(800);
        bench.answer(index, answer);
        if bench.status(index) == Status::Declined {
            bench.wait(15_000);
            bench.answer(index, Says::NotFound);
            bench.answer(index, Says::Accepted);
            bench.answer(index, Says::Ended(payment::Ending::Revoked));
        }
        bench.wait(60_000);
        bench.key(Key::Enter);
    }
    bench
}

#[test]
fn an_idle_till() {
    pictures("idle", &mut bench());
}

#[test]
fn slips_that_an_earlier_run_has_left() {
    let mut bench = bench();
    let perhaps = bench.model.attempts.iter().map(|attempt| attempt.view.out_trade_no.clone());
    let perhaps = perhaps.take(2).collect();
    bench.send(ScreenMessage::SlipsLeft { waiting: Vec::new(), perhaps });
    pictures("slips_left", &mut bench);
}

#[test]
fn an_amount_being_typed() {
    let mut bench = bench();
    bench.type_text("12.5");
    pictures("typing", &mut bench);
}

#[test]
fn an_amount_with_too_many_decimals() {
    let mut bench = bench();
    bench.type_text("12.345");
    pictures("typing_refused", &mut bench);
}

#[test]
fn a_large_amount_is_asked_about_once_more() {
    let mut bench = bench();
    bench.type_text("2888");
    bench.key(Key::Enter);
    pictures("large_amount", &mut bench);
}

#[test]
fn the_code_is_asked_for() {
    let mut bench = bench();
    bench.type_text("12.5");
    bench.key(Key::Enter);
    pictures("ready", &mut bench);
}

#[test]
fn another_wallets_code_is_named() {
    let mut bench = bench();
    bench.type_text("12.5");
    bench.key(Key::Enter);
    bench.send(ScreenMessage::Scanned(Scan::OtherWallet(crate::scan::Wallet::Alipay)));
    pictures("ready_alipay", &mut bench);
}

#[test]
fn the_payment_is_sent() {
    let mut bench = bench();
    bench.charge("12.5", 7);
    bench.wait(1200);
    pictures("sending", &mut bench);
}

pub(super) fn waiting() -> (ScreenBench, usize) {
    let mut bench = bench();
    let index = bench.charge("12.5", 7);
    bench.wait(900);
    bench.answer(index, Says::Paying);
    bench.later(index, 4_200);
    bench.answer(index, Says::Paying);
    bench.wait(1_500);
    (bench, index)
}

#[test]
fn the_customer_enters_the_password() {
    pictures("waiting", &mut waiting().0);
}

/// Payments in the tray: at the password, in doubt, being reversed.
pub(super) fn beside_others() -> ScreenBench {
    let mut bench = bench();
    for (amount, last) in [("12.5", 7), ("45", 8), ("6.8", 9)] {
        let index = bench.charge(amount, last);
        bench.wait(900);
        let is_lost = last == 8;
        let lost = Says::Unknown(reason("no_answer"));
        bench.answer(index, if is_lost { lost } else { Says::Paying });
        if last == 9 {
            bench.cancel(index);
        }
        bench.key(Key::Ctrl('n'));
    }
    bench
}

#[test]
fn the_next_customer_is_served_beside_a_tray_of_open_payments() {
    pictures("tray", &mut beside_others());
}

#[test]
fn the_same_amount_again_is_remarked_on() {
    let mut bench = beside_others();
    bench.type_text("45");
    bench.key(Key::Enter);
    pictures("tray_same_amount", &mut bench);
}

#[test]
fn a_customer_waits_at_the_desk_and_one_of_the_tray_has_paid() {
    let mut bench = beside_others();
    let paid = bench.count() - 3;
    let index = bench.charge("230", 10);
    bench.wait(900);
    bench.answer(index, Says::Paying);
    bench.later(paid, 100);
    bench.answer(paid, Says::Paid(proof()));
    let out_trade_no = bench.order(paid);
    bench.send(ScreenMessage::Printed { out_trade_no, how: Printing::Printed });
    pictures("tray_beside_waiting", &mut bench);
}

#[test]
fn ten_payments_are_in_the_tray() {
    let mut bench = bench();
    for last in 10..20 {
        let index = bench.charge("12.5", last);
        bench.answer(index, Says::Paying);
        bench.key(Key::Ctrl('n'));
    }
    pictures("tray_of_ten", &mut bench);
}

#[test]
fn stopping_to_wait_is_asked_about_once() {
    let (mut bench, _) = waiting();
    bench.key(Key::Esc);
    pictures("cancel_question", &mut bench);
}

#[test]
fn a_lost_answer_is_asked_about() {
    let mut bench = bench();
    let index = bench.charge("12.5", 7);
    bench.wait(10_000);
    bench.answer(index, Says::Unknown(reason("no_answer")));
    bench.later(index, 400);
    pictures("checking", &mut bench);
}

#[test]
fn a_reversal_is_counted_down_to() {
    let (mut bench, index) = waiting();
    bench.cancel(index);
    bench.wait(1_000);
    pictures("reversing", &mut bench);
}

#[test]
fn paid() {
    let (mut bench, index) = waiting();
    bench.later(index, 3_500);
    bench.answer(index, Says::Paid(Proof { coupon: Some(200), ..proof() }));
    pictures("paid", &mut bench);
}

#[test]
fn commands_that_work_and_that_do_not() {
    let mut bench = waiting().0;
    bench.key(Key::Ctrl('p'));
    pictures("commands", &mut bench);
    bench.type_text("打印");
    pictures("commands_found", &mut bench);
}

#[test]
fn the_figures_of_a_day_that_is_being_read() {
    let (mut bench, _) = waiting();
    bench.model.day.set(super::super::day::Past::Asked);
    pictures("day_unread", &mut bench);
}

#[test]
fn not_paid() {
    let mut bench = bench();
    let index = bench.charge("12.5", 7);
    bench.wait(900);
    bench.answer(index, Says::Declined(reason("NOTENOUGH")));
    pictures("not_paid", &mut bench);
}

#[test]
fn not_paid_for_a_fault_of_the_set_up() {
    let mut bench = bench();
    let index = bench.charge("12.5", 7);
    bench.wait(900);
    let text = "当前商户号不支持该付款码，请联系微信支付";
    bench.answer(index, Says::Declined(Reason::gateway("NOAUTH", text)));
    pictures("not_paid_set_up", &mut bench);
}

#[test]
fn reversed_and_the_money_goes_back() {
    let (mut bench, index) = waiting();
    bench.reversed_with_money(index);
    pictures("reversed_with_money", &mut bench);
}

#[test]
fn a_person_must_look() {
    let mut bench = bench();
    let index = bench.charge("12.5", 7);
    bench.wait(10_000);
    bench.until_attention(index);
    pictures("attention", &mut bench);
}

#[test]
fn the_choice_while_a_payment_is_unsettled() {
    let mut bench = bench();
    let index = bench.charge("12.5", 7);
    bench.wait(10_000);
    bench.until_attention(index);
    bench.key(Key::Enter);
    bench.key(Key::Down);
    pictures("unsettled_question", &mut bench);
}

/// Two payments left open, the next one typed.
fn pinned() -> (ScreenBench, usize) {
    let mut bench = bench();
    let first = bench.charge("12.5", 7);
    bench.wait(10_000);
    bench.until_attention(first);
    bench.key(Key::Enter);
    bench.key(Key::Enter);
    let second = bench.charge("66", 8);
    bench.wait(900);
    bench.answer(second, Says::Paying);
    bench.cancel(second);
    bench.key(Key::Enter);
    bench.key(Key::Enter);
    bench.type_text("5");
    (bench, first)
}

#[test]
fn open_payments_stay_pinned_over_the_next_sale() {
    pictures("pinned", &mut pinned().0);
}

#[test]
fn what_ended_meanwhile_must_be_acknowledged() {
    let (mut bench, first) = pinned();
    bench.step(first, Event::CheckNow);
    bench.answer(first, Says::Ended(payment::Ending::Revoked));
    bench.key(Key::Backspace);
    pictures("notice", &mut bench);
}

#[test]
fn leaving_while_a_payment_is_open() {
    let (mut bench, _) = waiting();
    bench.key(Key::Ctrl('q'));
    pictures("quit_question", &mut bench);
}

#[test]
fn the_journal_cannot_be_written() {
    let (mut bench, _) = waiting();
    bench.send(ScreenMessage::JournalFailed(crate::both!(
        "database or disk is full (13)",
        "磁盘已满"
    )));
    pictures("stop", &mut bench);
}

#[test]
fn help() {
    let (mut bench, _) = waiting();
    bench.key(Key::F(1));
    pictures("help", &mut bench);
}

fn training() -> Settings {
    let names = ["Pays at once", "Types the password", "Has no money", "Walks away"];
    Settings { training: Some(names.map(String::from).to_vec()), ..settings() }
}

#[test]
fn the_training_customers() {
    let mut bench = ScreenBench::new(training());
    bench.type_text("12.5");
    bench.key(Key::Enter);
    bench.key(Key::Ctrl('t'));
    bench.key(Key::Down);
    pictures("training", &mut bench);
}

#[test]
fn an_idle_till_in_training() {
    pictures("idle_training", &mut ScreenBench::new(training()));
}

#[test]
fn devices_that_fail() {
    let mut bench = bench();
    bench.send(ScreenMessage::Gateway(Link::Failed("no answer for 12 s".into())));
    bench.send(ScreenMessage::Scanner(Link::Searching));
    bench.send(ScreenMessage::Printer(Link::Failed("paper out".into())));
    bench.type_text("12.5");
    bench.key(Key::Enter);
    pictures("devices", &mut bench);
}

#[test]
fn a_display_for_the_customer_has_its_place_beside_the_others_even_when_all_are_away() {
    let mut bench = bench();
    bench.send(ScreenMessage::Display(Link::Ready));
    pictures("display", &mut bench);
    for link in [Link::Searching, Link::Failed("it takes no data".into())] {
        bench.send(ScreenMessage::Gateway(Link::Failed("no answer for 12 s".into())));
        bench.send(ScreenMessage::Scanner(Link::Searching));
        bench.send(ScreenMessage::Printer(Link::Searching));
        bench.send(ScreenMessage::Display(link.clone()));
        let word = if link == Link::Searching { "searching" } else { "fault" };
        let picture = bench.drawn(80, 24);
        for words in ["WeChatPayfault", "Scannersearching", "Printersearching"] {
            assert!(packed(&picture).contains(words), "{picture}");
        }
        assert!(packed(&picture).contains(&format!("Display{word}")), "{picture}");
    }
}

#[test]
fn windows_that_are_too_small() {
    let (mut bench, _) = waiting();
    for (language, tag) in [(Language::English, "en"), (Language::Chinese, "zh")] {
        bench.model.language = language;
        for (width, height) in [(40, 10), (20, 5), (10, 2)] {
            let picture = bench.drawn(width, height);
            insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("small_{tag}_{width}x{height}"), picture);
            });
        }
    }
}

/// Every kind of screen, by name.
fn scenes() -> Vec<(&'static str, ScreenBench)> {
    let mut scenes: Vec<(&'static str, ScreenBench)> = Vec::new();
    let mut add = |name, scene: ScreenBench| scenes.push((name, scene));
    let typed = |text: &str| {
        let mut bench = bench();
        bench.type_text(text);
        bench
    };
    let ended = |answer: Says| {
        let mut bench = bench();
        let index = bench.charge("12.5", 4);
        bench.answer(index, answer);
        bench
    };
    let asked = |mut bench: ScreenBench, key| {
        bench.key(key);
        bench
    };
    add("idle", bench());
    add("typed", typed("12.5"));
    add("refused", typed("12.345"));
    add("large", asked(typed("2000"), Key::Enter));
    add("code", asked(typed("12.5"), Key::Enter));
    add("waiting", waiting().0);
    add("cancel", asked(waiting().0, Key::Esc));
    add("quit", asked(waiting().0, Key::Ctrl('q')));
    add("help", asked(bench(), Key::F(1)));
    add("pinned", pinned().0);
    add("paid", ended(Says::Paid(proof())));
    add("declined", ended(Says::Declined(reason("NOTENOUGH"))));
    let lost = || {
        let mut bench = bench();
        let index = bench.charge("12.5", 4);
        bench.until_attention(index);
        bench
    };
    add("attention", lost());
    add("unsettled", asked(lost(), Key::Enter));
    let mut train = ScreenBench::new(training());
    train.type_text("12.5");
    train.key(Key::Enter);
    add("training", asked(train, Key::Ctrl('t')));
    add("commands", asked(typed("12"), Key::Ctrl('p')));
    let mut noted = pinned().0;
    noted.model.settings.training = Some(vec!["ok".to_owned()]);
    noted.send(ScreenMessage::DroppedKeys { characters: 12, began: Uptime(noted.now) });
    add("noted", noted);
    scenes
}

#[test]
fn from_80_by_20_on_everything_that_counts_is_there() {
    for (name, mut bench) in scenes() {
        for language in [Language::English, Language::Chinese] {
            bench.model.language = language;
            let large = bench.drawn(80, 24);
            // What happened to be marked: the next step, notes, the chosen line; then the keys.
            let marked = |line: &&str| line.contains('▌') || line.contains(" > ");
            let rows: Vec<&str> = large.lines().collect();
            let counts = rows.iter().copied().filter(marked).chain(rows.last().copied());
            for height in 20..24 {
                let picture = bench.drawn(80, height);
                let flat = packed(&picture);
                assert!(!flat.contains("80x"), "{name} {height}:\n{picture}");
                for line in counts.clone() {
                    let words = packed(line.trim_matches(['│', '┃', '║', ' ']));
                    assert!(flat.contains(&words), "{name} {height}: {words}\n{picture}");
                }
                for attempt in bench.model.by_urgency() {
                    let word = bench.model.text().word(attempt.view.state.status());
                    assert!(flat.contains(&packed(word)), "{name} {height}: {word}\n{picture}");
                }
            }
        }
    }
}

#[test]
fn below_that_are_the_amount_the_note_the_choice_and_the_keys() {
    for (name, mut bench) in scenes() {
        for language in [Language::English, Language::Chinese] {
            bench.model.language = language;
            let text = bench.model.text();
            for (width, height) in [(60, 15), (79, 19), (40, 12)] {
                let picture = bench.drawn(width, height);
                let flat = packed(&picture);
                let mut counts: Vec<String> = Vec::new();
                match &bench.model.task {
                    CashierTask::Amount { typed } => {
                        counts.push(crate::money::grouped_thousands(typed));
                    }
                    CashierTask::Code { sale } | CashierTask::Starting { sale } => {
                        counts.push(bench.model.money(sale.amount()));
                    }
                    CashierTask::Payment(_) => {
                        let view = &bench.model.at_hand().unwrap().view;
                        counts.push(text.word(view.state.status()).to_owned());
                        counts.push(bench.model.money(view.amount));
                    }
                }
                if let Some(note) = &bench.model.note {
                    counts.push(note.text(language, &bench.model.money(crate::money::LARGEST)));
                }
                if let Some(Dialog::Training { .. } | Dialog::Commands { .. }) = bench.model.dialog
                {
                    counts.push(">".to_owned());
                }
                if bench.model.dialog != Some(Dialog::Help) {
                    for (key, does) in keys::working(&bench.model) {
                        if ["Enter", "Esc"].contains(&key) {
                            // A question writes its keys as words.
                            counts.extend((!bench.model.is_asking()).then(|| key.to_owned()));
                            counts.push(does.to_owned());
                        }
                    }
                }
                for words in counts {
                    let is_there = flat.to_lowercase().contains(&packed(&words).to_lowercase());
                    assert!(is_there, "{name} {width}x{height}: {words}\n{picture}");
                }
            }
        }
    }
}

#[test]
fn a_question_is_asked_in_a_small_window_too() {
    let (mut bench, _) = waiting();
    bench.key(Key::Esc);
    let picture = bench.drawn(40, 10);
    let words = picture.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(bench.model.text().ask_cancel()), "{picture}");
    assert!(picture.contains("WAITING FOR CUSTOMER"), "{picture}");
}
