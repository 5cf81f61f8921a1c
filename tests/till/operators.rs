//! Who works at the till: the list on the command line, and who did what.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::fixture::fake_printer::Skills;
use crate::fixture::tui_session::{CTRL_Q, ESC, F6, F7, F9, Socket, TuiSession};
use crate::fixture::{
    DEVICES, PACE, PendingPayment, Ran, SERIAL_SCANNER, TestShop, code, disk_faults,
};
use crate::leaks::is_gone;
use crate::paper::CUT;

const MANAGER: &str = "8352";
const ANNA: &str = "194703";
const BEN: &str = "70718";

/// Runs `paytill operators add`, with the PIN on its standard input.
fn add(shop: &TestShop, name: &str, role: &str, pin: &str) -> (i32, String) {
    ended(with_line(shop.command(&["operators", "add", name, "--role", role]), pin))
}

/// Runs a command with a line on its standard input.
fn with_line(mut command: Command, line: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading it.
    let _ = child.stdin.take().unwrap().write_all(format!("{line}\n").as_bytes());
    child.wait_with_output().unwrap()
}

fn ended(output: Output) -> (i32, String) {
    let told = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(told).unwrap())
}

/// A shop with a manager and two cashiers.
fn staffed(shop: &TestShop) {
    for (name, role, pin) in
        [("王芳", "manager", MANAGER), ("Anna", "cashier", ANNA), ("Ben", "cashier", BEN)]
    {
        let (exit, told) = add(shop, name, role, pin);
        assert_eq!(exit, 0, "{told}");
    }
}

fn listed(shop: &TestShop) -> Vec<String> {
    let ran = Ran::of(shop.run(&["operators", "list", "--json"]));
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.lines.iter().map(|line| format!("{}: {}", line["name"], line["role"])).collect()
}

#[test]
fn people_are_added_listed_and_removed() {
    let shop = TestShop::open(None, PACE);
    assert!(listed(&shop).is_empty());
    assert_eq!(add(&shop, "Anna", "cashier", ANNA).0, 2, "the first is a manager");
    staffed(&shop);
    let everybody = ["\"王芳\": \"manager\"", "\"Anna\": \"cashier\"", "\"Ben\": \"cashier\""]
        .map(String::from);
    assert_eq!(listed(&shop), everybody);
    for (name, pin) in [
        ("ANNA", "5512"),
        ("Carl", ANNA),
        ("Carl", "1234"),
        ("Carl", "0000"),
        ("Carl", "12"),
        ("Carl", "55x2"),
        ("Carl", ""),
        ("An\u{1b}na", "5512"),
        (" ", "5512"),
    ] {
        let (exit, told) = add(&shop, name, "cashier", pin);
        assert_eq!(exit, 2, "{name} {pin}: {told}");
        assert!(pin.len() < 3 || !told.contains(pin), "{told}");
    }
    let remove = |name: &str| ended(shop.run(&["operators", "remove", name])).0;
    assert_eq!(remove("王芳"), 2, "the last manager stays");
    assert_eq!(remove("Carl"), 2);
    assert_eq!(listed(&shop), everybody, "nothing was changed");
    assert_eq!([remove("anna"), remove("Ben"), remove("王芳")], [0; 3]);
    assert!(listed(&shop).is_empty());
}

#[test]
fn what_changes_while_a_pin_is_chosen_is_kept() {
    let shop = TestShop::open(None, PACE);
    staffed(&shop);
    let adds = ["operators", "add", "Carl", "--role", "cashier"];
    let mut session = TuiSession::open_command(&shop, &adds);
    session.see(&["PIN (4 to 12 digits):"]);
    let removed = shop.run(&["operators", "remove", "Ben"]);
    assert!(removed.status.success());
    assert_eq!(add(&shop, "Dora", "manager", "6630").0, 0);
    session.press("5512\r");
    session.see(&["The same PIN again:"]);
    session.press("5512\r");
    assert_eq!(session.wait_for_end().exit_code(), 0);
    let names: Vec<String> = listed(&shop);
    let names: Vec<&str> = names.iter().filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(names, ["王芳", "Anna", "Dora", "Carl"]);
}

#[test]
fn the_list_is_refused_where_others_could_have_changed_it() {
    let shop = TestShop::open(None, PACE);
    staffed(&shop);
    let file = shop.path().join("operators.toml");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("$argon2id$v=19$m="), "{text}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (exit, told) = ended(shop.run(&["operators", "list"]));
    assert_eq!(exit, 3);
    assert!(told.contains("chmod 600"), "{told}");
    let (exit, told) = ended(shop.run(&["doctor"]));
    assert!(exit == 3 && told.contains("chmod 600"), "{told}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, text.replace("cashier", "boss")).unwrap();
    assert_eq!(add(&shop, "Carl", "cashier", "5512").0, 3, "nothing is written over it");
}

#[test]
fn on_a_terminal_the_pin_is_asked_for_twice_and_not_shown() {
    let shop = TestShop::open(None, PACE);
    let add = ["operators", "add", "王芳", "--role", "manager"];
    for (again, exit) in [("8353\r", 2), ("8352\r", 0)] {
        let mut session = TuiSession::open_command(&shop, &add);
        session.see(&["PIN (4 to 12 digits):"]);
        session.press("8352\r");
        session.see(&["The same PIN again:"]);
        session.press(again);
        assert_eq!(session.wait_for_end().exit_code(), exit);
        assert!(!session.tape().contains("835"), "{}", session.tape());
    }
    assert_eq!(listed(&shop), ["\"王芳\": \"manager\""]);
}

const F12: &str = "\x1b[24~";

/// Somebody signs in, digit by digit.
fn sign_in(session: &mut TuiSession, pin: &str, name: &str) {
    session.see(&["LOCKED", "Enter your PIN, then press Enter."]);
    session.press(&format!("{pin}\r"));
    session.see(&[&format!("till T01 {name}")]);
}

#[test]
fn the_till_starts_locked_and_a_wrong_pin_makes_it_wait() {
    let shop = TestShop::open(None, PACE);
    staffed(&shop);
    let mut session = TuiSession::open(&shop);
    session.see(&["LOCKED", "No payment is open.", "Enter your PIN, then press Enter."]);
    session.press("5512\r");
    session.see(&["That is nobody's PIN.", "Try again in 1 s."]);
    session.see(&["That is nobody's PIN.", "Enter your PIN"]);
    session.press("5513\r");
    session.see(&["Try again in 2 s."]);
    // Too soon: nothing is taken.
    session.press("8");
    session.see(&["Enter your PIN"]);
    // It is locked, and stays so.
    session.press(CTRL_Q);
    sign_in(&mut session, MANAGER, "王芳");
    session.see(&["Enter the amount.", "F12"]);
    session.press("12.5");
    session.press(F12);
    sign_in(&mut session, ANNA, "Anna");
    session.see(&["Enter the amount."]);
    let removed = shop.run(&["operators", "remove", "Ben"]);
    assert!(removed.status.success(), "beside a till that runs");
    session.press("\x0b");
    session.see(&["LOCKED"]);
    session.press(&format!("{BEN}\r"));
    session.see(&["That is nobody's PIN."]);
    session.see(&["Enter your PIN"]);
    sign_in(&mut session, ANNA, "Anna");
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
}

#[test]
fn without_operators_nothing_of_them_is_seen() {
    let shop = TestShop::open(None, PACE);
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "WeChat Pay ready"]);
    session.press(F12);
    session.press("\x0b");
    session.press("\x1bOP");
    session.see(&["Help", "all commands, to search"]);
    session.press(ESC);
    session.see(&["Enter the amount."]);
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    for seen in ["F12", "LOCKED", "lock", "PIN"] {
        assert!(!session.tape().contains(seen), "{seen}");
    }
}

#[test]
fn digits_at_the_speed_of_a_machine_are_no_pin() {
    let shop = TestShop::open(None, PACE);
    staffed(&shop);
    shop.configure(SERIAL_SCANNER);
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["LOCKED", "Scanner ready"]);
    for burst in [format!("{ANNA}\r"), ANNA.to_owned(), format!("{MANAGER}\r\r")] {
        session.burst(&burst);
        let refused = ["The till is locked: sign in first.", "came too fast"];
        let is_refused = |screen: &str| {
            let screen = screen.replace(['\n', '▌'], " ");
            let words: Vec<&str> = screen.split_whitespace().collect();
            refused.iter().any(|words_of| words.join(" ").contains(words_of))
        };
        session.see_that("a refusal", is_refused);
        TuiSession::pause();
        // A key that changes something takes the note away.
        session.press("7");
        session.see_that("the note has gone", |screen| !is_refused(screen));
        session.press(ESC);
        TuiSession::pause();
    }
    scanner.scan(ANNA);
    session.see(&["The till is locked: sign in first."]);
    scanner.scan(&code("ok", 1));
    session.see(&["That was a WeChat payment code. Nothing was sent. The till is locked"]);
    sign_in(&mut session, ANNA, "Anna");
    assert!(shop.orders().is_empty());
}

#[test]
fn a_payment_ends_rings_and_prints_while_the_till_is_locked() {
    let shop = TestShop::open(None, 1);
    shop.configure(DEVICES);
    staffed(&shop);
    let socket = Socket::new(&shop, "printer");
    let printer = socket.plug_printer(Skills::SYNC_POINT);
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["LOCKED", "Scanner ready", "Printer ready"]);
    sign_in(&mut session, ANNA, "Anna");
    session.press("12.34\r");
    session.see(&["Scan the customer's payment code."]);
    scanner.scan(&code("password-8", 1));
    session.see(&["WAITING FOR CUSTOMER"]);
    session.press(F12);
    session.see(&["LOCKED", "WAITING FOR CUSTOMER", "￥12.34"]);
    session.see(&["LOCKED", "PAID", "Payment received."]);
    let is_out = || printer.paper().windows(CUT.len()).any(|bytes| bytes == CUT);
    session.watch_until("the receipt", is_out);
    session.see(&["LOCKED"]);
    sign_in(&mut session, BEN, "Ben");
    session.see(&["PAID", "Hand over the goods."]);
}

#[test]
fn a_pin_is_nowhere_but_in_the_fingers() {
    let shop = TestShop::open(None, PACE);
    // Too short to be taken for a scan where the machine is slow and its keys arrive at once.
    let long = "83915026";
    let (exit, told) = add(&shop, "王芳", "manager", long);
    assert_eq!(exit, 0, "{told}");
    let mut session = TuiSession::open(&shop);
    sign_in(&mut session, long, "王芳");
    session.see(&["Enter the amount."]);
    // Six digits in a row are no coincidence.
    let parts: Vec<&str> = (0..=2).map(|from| &long[from..from + 6]).collect();
    for file in fs::read_dir(shop.path()).unwrap().map(|file| file.unwrap().path()) {
        let Ok(bytes) = fs::read(&file) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        assert!(!parts.iter().any(|part| text.contains(part)), "{}", file.display());
    }
    assert!(!parts.iter().any(|part| session.tape().contains(part)));
    is_gone(session.process_id(), long, "Corner Coffee");
}

/// The events of an order, each with whose doing it was.
fn told(shop: &TestShop, number: &str) -> Vec<(String, Value)> {
    let shown = Ran::of(shop.run(&["show", number, "--json"]));
    let events = shown.last()["events"].as_array().unwrap().clone();
    let told =
        |event: &Value| (event["event"].as_str().unwrap().to_owned(), event["operator"].clone());
    events.iter().map(told).collect()
}

#[test]
fn an_order_says_who_began_it_and_who_cancelled_and_printed_it_again() {
    let shop = TestShop::open(None, 1);
    shop.configure(
        &DEVICES.replace("port = \"printer\"\n", "port = \"printer\"\ndrawer = \"pin2\"\n"),
    );
    staffed(&shop);
    let printer = Socket::new(&shop, "printer").plug_printer(Skills::SYNC_POINT);
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["LOCKED", "Scanner ready", "Printer ready"]);
    sign_in(&mut session, ANNA, "Anna");
    session.press("12.34\r");
    session.see(&["Scan the customer's payment code."]);
    scanner.scan(&code("walks-away", 1));
    session.see(&["WAITING FOR CUSTOMER"]);
    session.press(F12);
    sign_in(&mut session, BEN, "Ben");
    session.see(&["WAITING FOR CUSTOMER"]);
    // So soon behind the PIN it would be taken for a part of it.
    TuiSession::pause();
    session.press(ESC);
    session.see(&["Cancel this payment?"]);
    session.answer("\r");
    session.see(&["REVERSED"]);
    let cuts =
        |count: usize| printer.paper().windows(CUT.len()).filter(|it| *it == CUT).count() == count;
    session.watch_until("the slip", || cuts(1));
    session.press(F9);
    session.watch_until("the copy", || cuts(2));
    // Else it would be cash for this sale.
    session.answer("\r");
    session.see(&["Enter the amount."]);
    session.press(F6);
    session.see(&["Open the drawer without a sale"]);
    session.answer("\r");
    session.see(&["Opening the cash drawer."]);
    let number = shop.orders().into_keys().next().unwrap();
    let told = told(&shop, &number);
    let of = |event: &str| &told.iter().find(|(told, _)| told == event).unwrap().1;
    assert_eq!(of("begun"), "Anna");
    assert_eq!(of("cancelled by the cashier"), "Ben");
    assert_eq!(of("reprinted as copy 1"), "Ben");
    assert!(told.iter().any(|(event, by)| event.starts_with("answer") && by.is_null()));
    // The same on the page, with the newest on top.
    session.press(F7);
    session.see(&["Find an order"]);
    session.press("\r");
    session.see(&["The slip was printed again, copy 1 (by Ben)."]);
    session.press("\x12");
    session.see(&["All entries", "reprinted, copy 1 (by Ben)"]);
    session.press(ESC);
    session.press(ESC);
    session.press(ESC);
    session.press(F12);
    session.see(&["LOCKED"]);
    // What has no order is in the journal, too.
    let db = rusqlite::Connection::open(shop.journal()).unwrap();
    let drawer = "SELECT event FROM entry WHERE attempt = 0";
    let drawer: String = db.query_row(drawer, [], |row| row.get(0)).unwrap();
    assert_eq!(drawer, r#"{"act":"Drawer","by":{"operator":"Ben"}}"#);
    drop(db);
    let listed = Ran::of(shop.run(&["orders", "--json"]));
    assert_eq!(listed.last()["operator"], "Anna");
    let made = shop.run(&["evidence", &number, "--out", "order.json"]);
    assert!(made.status.success(), "{made:?}");
    let proved = shop.run(&["evidence", "--verify", "order.json"]);
    assert!(proved.status.success(), "{proved:?}");
    assert!(fs::read_to_string(shop.path().join("order.json")).unwrap().contains("Ben"));
    let doctor = shop.run(&["doctor"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains(&number), "{doctor:?}");
}

#[test]
fn a_drawer_stays_shut_until_the_journal_knows_who_opens_it() {
    let shop = TestShop::open(None, PACE);
    let with_drawer = "port = \"printer\"\ndrawer = \"pin2\"\n";
    shop.configure(&DEVICES.replace("port = \"printer\"\n", with_drawer));
    staffed(&shop);
    let printer = Socket::new(&shop, "printer").plug_printer(Skills::SYNC_POINT);
    let fault = [
        ("LD_PRELOAD", disk_faults().into_os_string()),
        ("PAYTILL_FAULT", "hang:\"Drawer\"".into()),
    ];
    let fault = fault.each_ref().map(|(name, value)| (*name, value.as_os_str()));
    let mut session = TuiSession::open_with(&shop, &fault);
    session.see(&["LOCKED", "Printer ready"]);
    sign_in(&mut session, BEN, "Ben");
    session.press(F6);
    session.see(&["Open the drawer without a sale"]);
    session.answer("\r");
    session.press("\x1bOP");
    session.see(&["Help"]);
    session.press(ESC);
    session.see(&["Enter the amount."]);
    assert!(!session.tape().contains("Opening the cash drawer."));
    assert!(!printer.paper().windows(2).any(|bytes| bytes == b"\x1bp"));
}

#[test]
fn without_operators_nobody_is_named() {
    let shop = TestShop::open(None, PACE);
    let paid = shop.pay("5", &code("ok", 1));
    let number = paid.last()["order_no"].as_str().unwrap();
    assert!(told(&shop, number).iter().all(|(_, by)| by.is_null()));
    let shown = shop.run(&["show", number]);
    assert!(!String::from_utf8_lossy(&shown.stdout).contains("(by"));
}

#[test]
fn a_manager_closes_what_was_settled_outside_and_a_cashier_does_not() {
    let shop = TestShop::open(None, PACE);
    staffed(&shop);
    drop(PendingPayment::start(&shop, "5", &code("walks-away", 1)));
    shop.reconfigure("mch_id = \"1900000109\"", "mch_id = \"1900000999\"");
    let recovered = shop.recover();
    assert_eq!(recovered.exit, 12);
    let number = recovered.last()["order_no"].as_str().unwrap();
    let settle = |pin: &str| {
        let arguments = ["recover", "--settle", number, "--reason", "refunded", "--json"];
        ended(with_line(shop.command(&arguments), pin))
    };
    for (pin, exit) in [("", 2), ("5512", 2), (ANNA, 2), (MANAGER, 0)] {
        let (ended, words) = settle(pin);
        assert_eq!(ended, exit, "{pin}: {words}");
        assert!(exit == 0 || pin.is_empty() || words.contains("no manager's PIN"), "{words}");
    }
    let told = told(&shop, number);
    assert_eq!(told.last().unwrap(), &("settled by a person".to_owned(), "王芳".into()));
}

#[test]
fn a_manager_agrees_that_a_cashier_opens_the_drawer() {
    let shop = TestShop::open(None, PACE);
    let with_drawer = "port = \"printer\"\ndrawer = \"pin2\"\n";
    shop.configure(&DEVICES.replace("port = \"printer\"\n", with_drawer));
    shop.reconfigure("id = \"T01\"", "id = \"T01\"\ndrawer_by_manager = true");
    staffed(&shop);
    let _printer = Socket::new(&shop, "printer").plug_printer(Skills::SYNC_POINT);
    let mut session = TuiSession::open(&shop);
    session.see(&["LOCKED", "Printer ready"]);
    sign_in(&mut session, BEN, "Ben");
    session.press(F6);
    session.see(&["Open the drawer without a sale"]);
    session.answer("\r");
    session.see(&["MANAGER NEEDED", "Open the cash drawer without a sale."]);
    session.press(&format!("{ANNA}\r"));
    session.see(&["Anna is no manager."]);
    session.press(&format!("{MANAGER}\r"));
    session.see(&["Opening the cash drawer.", "till T01   Ben"]);
    session.press(CTRL_Q);
    session.wait_for_end();
    let db = rusqlite::Connection::open(shop.journal()).unwrap();
    let drawer = "SELECT event FROM entry WHERE attempt = 0";
    let drawer: String = db.query_row(drawer, [], |row| row.get(0)).unwrap();
    assert_eq!(drawer, r#"{"act":"Drawer","by":{"operator":"Ben","consent":"王芳"}}"#);
}
