//! `paytill doctor` with the real binary: it finds each fault, says what to do, ends with the
//! matching exit code, and moves no money.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::fixture::tui_session::{Socket, TuiSession};
use crate::fixture::{DEVICES, PACE, PendingPayment, Ran, TestShop, clock_faults, code};
use paytill::payment::CallKind;
use rusqlite::Connection;
use serde_json::Value;

const CODE: &str = "130000000000000000";

/// A shop that ignores what is connected to this machine.
fn shop() -> TestShop {
    let shop = TestShop::open(None, PACE);
    shop.configure("[scanner]\nkind = \"keyboard\"\n");
    shop
}

fn doctor(shop: &TestShop) -> Ran {
    let mut doctor = shop.command(&["doctor", "--json"]);
    doctor.env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
    Ran::of(doctor.output().unwrap())
}

/// The worst finding of a check.
#[track_caller]
fn found<'a>(ran: &'a Ran, check: &str) -> &'a Value {
    let rank = |line: &&Value| match line["result"].as_str().unwrap() {
        "fault" => 0,
        "warning" => 1,
        _ => 2,
    };
    let lines = ran.lines.iter().filter(|line| line["check"] == check);
    lines.min_by_key(rank).unwrap_or_else(|| panic!("nothing of {check}: {ran:?}"))
}

/// The worst finding of this check is a fault with these words, and the run ends with this exit
/// code.
#[track_caller]
fn at_fault(ran: &Ran, exit: i32, check: &str, words: &str) {
    let line = found(ran, check);
    assert_eq!(line["result"], "fault", "{ran:?}");
    assert!(line["text"].as_str().unwrap().contains(words), "{line}");
    assert!(line["advice"].as_str().is_some_and(|advice| advice.ends_with('.')), "{line}");
    assert_eq!(ran.exit, exit, "{ran:?}");
}

#[track_caller]
fn is_well(ran: &Ran, check: &str) {
    let line = found(ran, check);
    assert_eq!(line["result"], "ok", "{ran:?}");
    assert!(line["advice"].is_null(), "{line}");
}

#[test]
fn a_healthy_till_is_reported_as_such_and_nothing_but_a_query_is_sent() {
    let shop = shop();
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    let before = shop.ledger().len();
    let ran = doctor(&shop);
    assert_eq!(ran.exit, 0, "{ran:?}");
    for check in [
        "configuration",
        "secrets",
        "certificate",
        "gateway",
        "account",
        "clock",
        "till",
        "journal",
        "scanner",
        "printer",
        "terminal",
    ] {
        is_well(&ran, check);
    }
    // Whether flushes are honoured depends on the machine.
    assert_ne!(found(&ran, "disk")["result"], "fault", "{ran:?}");
    assert!(found(&ran, "journal")["text"].as_str().unwrap().contains("1 orders, 0 open"));
    let asked = &shop.ledger()[before..];
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].out_trade_no, "doctor-of-T01");
    assert!(asked[0].calls.iter().all(|(kind, _)| *kind == CallKind::Query), "{asked:?}");
    assert_eq!(shop.orders().len(), 1);
    let left: Vec<_> = fs::read_dir(shop.path()).unwrap().map(|file| file.unwrap()).collect();
    let is_trial = |name: &str| name.contains("doctor");
    assert!(!left.iter().any(|file| is_trial(file.file_name().to_str().unwrap())), "{left:?}");
}

#[test]
fn people_read_it_in_both_languages() {
    let shop = shop();
    shop.configure("[scanner]\nkind = \"serial\"\nport = \"gone\"\n");
    let english = shop.run(&["doctor"]);
    assert_eq!(english.status.code(), Some(1), "{english:?}");
    let english = String::from_utf8(english.stdout).unwrap();
    assert!(english.contains("ok       gateway        https://127.0.0.1:"), "{english}");
    let port = shop.path().join("gone").display().to_string();
    let fault = format!("fault    scanner        {port} is not there.\n");
    assert!(english.contains(&fault), "{english}");
    assert!(english.contains("\n                        Check its cable and power"), "{english}");
    let chinese = shop.run(&["doctor", "--lang", "zh-CN"]);
    let chinese = String::from_utf8(chinese.stdout).unwrap();
    assert!(chinese.contains(&format!("故障     扫码枪         {port} 不存在。\n")), "{chinese}");
    assert_eq!(english.lines().count(), chinese.lines().count());
}

#[test]
fn a_line_that_is_wrong_is_reported_and_the_rest_is_still_checked() {
    let shop = shop();
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    shop.configure("[screen]\ntheme = \"pink\"\n[scanner]\nkind = \"serial\"\n");
    let ran = doctor(&shop);
    let faults = ran.lines.iter().filter(|line| line["check"] == "configuration");
    let faults: Vec<_> = faults.map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(faults.len(), 2, "{ran:?}");
    for words in ["[screen] theme is \"pink\"; allowed is dark", "[scanner] port is missing"] {
        assert!(faults.iter().any(|fault| fault.contains(words)), "{faults:?}");
    }
    at_fault(&ran, 3, "configuration", "till.toml:");
    assert!(!ran.lines.iter().any(|line| line["check"] == "scanner"), "it is not known: {ran:?}");
    is_well(&ran, "journal");
    assert!(found(&ran, "journal")["text"].as_str().unwrap().contains("1 orders"), "{ran:?}");
    is_well(&ran, "terminal");
    assert_eq!(shop.ledger().len(), 1, "without a right configuration nothing is sent");
}

#[test]
fn secrets_that_others_can_read_are_reported_with_what_to_run_and_the_rest_is_checked() {
    let shop = shop();
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    let key = shop.path().join("secrets/api_v2.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let ran = doctor(&shop);
    at_fault(&ran, 3, "secrets", &format!("run: chmod 600 {}", key.display()));
    is_well(&ran, "configuration");
    is_well(&ran, "journal");
}

#[test]
fn a_key_that_is_not_the_merchants_is_reported() {
    let shop = shop();
    let key = shop.path().join("secrets/api_v2.key");
    fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    let ran = doctor(&shop);
    at_fault(&ran, 3, "account", "The gateway refuses a query.");
    is_well(&ran, "secrets");
    is_well(&ran, "gateway");
    let shown = format!("{ran:?}");
    assert!(!shown.contains("0123456789abcdef"), "{shown}");
}

#[test]
fn another_merchants_number_is_reported() {
    let shop = shop();
    shop.reconfigure("1900000109", "1900000110");
    at_fault(&doctor(&shop), 3, "account", "");
}

#[test]
fn a_certificate_of_somebody_else_is_reported() {
    let shop = shop();
    let pair = rcgen::generate_simple_self_signed(vec!["till.example".to_owned()]).unwrap();
    let write = |name: &str, pem: String| {
        fs::write(shop.path().join("secrets").join(name), pem).unwrap();
    };
    write("apiclient_cert.pem", pair.cert.pem());
    write("apiclient_key.pem", pair.signing_key.serialize_pem());
    let ran = doctor(&shop);
    at_fault(&ran, 3, "certificate", "No connection can be made with the merchant's certificate.");
    is_well(&ran, "account");
}

#[test]
fn another_merchants_certificate_is_named_before_the_first_reversal_needs_it() {
    let shop = shop();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "1900000110");
    let key = rcgen::KeyPair::generate().unwrap();
    let secrets = shop.path().join("secrets");
    fs::write(secrets.join("apiclient_cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(secrets.join("apiclient_key.pem"), key.serialize_pem()).unwrap();
    let words = "It was issued to merchant 1900000110, but mch_id is 1900000109.";
    at_fault(&doctor(&shop), 3, "certificate", words);
    let ran = shop.pay("12.34", CODE);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let words = "client_cert_file was issued to merchant 1900000110, not to 1900000109";
    assert!(ran.errors.contains(words), "{}", ran.errors);
}

#[test]
fn all_secrets_that_are_missing_are_reported_a_line_each() {
    let shop = shop();
    for name in ["api_v2.key", "apiclient_cert.pem", "apiclient_key.pem"] {
        fs::remove_file(shop.path().join("secrets").join(name)).unwrap();
    }
    let ran = doctor(&shop);
    let lines: Vec<_> = ran.lines.iter().filter(|line| line["check"] == "secrets").collect();
    assert_eq!(lines.len(), 3, "{ran:?}");
    for (line, key) in lines.iter().zip(["api_key_file", "client_cert_file", "client_key_file"]) {
        assert!(line["text"].as_str().unwrap().contains(key), "{line}");
    }
    assert_eq!(ran.exit, 3);
    let ran = shop.pay("12.34", CODE);
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert!(ran.errors.contains("api_v2.key") && ran.errors.contains("apiclient_key.pem"));
}

#[test]
fn a_configuration_that_others_can_write_is_reported_and_nothing_is_sent() {
    let shop = shop();
    fs::set_permissions(shop.config(), Permissions::from_mode(0o666)).unwrap();
    let run = format!("run: chmod go-w {}", shop.config().display());
    at_fault(&doctor(&shop), 3, "configuration", &run);
    let ran = shop.pay("12.34", CODE);
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert!(ran.errors.contains(&run), "{}", ran.errors);
    assert!(shop.ledger().is_empty());
    assert_eq!(shop.run(&["orders"]).status.code(), Some(0), "but the books can be read");
}

#[test]
fn a_certificate_that_ends_is_reported_before_and_after() {
    for (days, result, words, exit) in
        [(10, "warning", "in 9 days", 0), (-1, "fault", "expired on", 3)]
    {
        let shop = shop();
        let now = jiff::Timestamp::now().as_second();
        let mut params = rcgen::CertificateParams::new(vec!["till.example".to_owned()]).unwrap();
        let at = |days: i64| {
            let civil = jiff::Timestamp::from_second(now + days * 86_400).unwrap();
            let date = civil.to_zoned(jiff::tz::TimeZone::UTC).date();
            let (month, day) = (date.month().try_into().unwrap(), date.day().try_into().unwrap());
            rcgen::date_time_ymd(date.year().into(), month, day)
        };
        params.not_before = at(-100);
        params.not_after = at(days);
        let key = rcgen::KeyPair::generate().unwrap();
        let secrets = shop.path().join("secrets");
        let pem = params.self_signed(&key).unwrap().pem();
        fs::write(secrets.join("apiclient_cert.pem"), pem).unwrap();
        fs::write(secrets.join("apiclient_key.pem"), key.serialize_pem()).unwrap();
        let ran = doctor(&shop);
        let told = ran.lines.iter().find(|line| line["check"] == "certificate").unwrap();
        assert_eq!(told["result"], result, "{ran:?}");
        assert!(told["text"].as_str().unwrap().contains(words), "{told}");
        // The simulated gateway does not know this certificate, whatever its dates.
        assert_eq!(ran.exit, 3.max(exit), "{ran:?}");
    }
}

#[test]
fn a_gateway_that_nobody_answers_for_is_reported() {
    let mut shop = shop();
    shop.close_gateway();
    at_fault(&doctor(&shop), 1, "gateway", "WeChat Pay cannot be reached.");
}

#[test]
fn a_wrong_clock_is_reported_with_the_difference() {
    let shop = shop();
    for (seconds, exit, result, words) in [
        (-300_i64, 0, "warning", "s behind the gateway's"),
        (7200, 1, "fault", "s ahead of the gateway's"),
    ] {
        let clock = shop.path().join("clock");
        fs::write(&clock, seconds.to_ne_bytes()).unwrap();
        let mut doctor = shop.command(&["doctor", "--json"]);
        doctor.env("LD_PRELOAD", clock_faults()).env("PAYTILL_CLOCK", &clock);
        let ran = Ran::of(doctor.output().unwrap());
        let line = found(&ran, "clock");
        assert_eq!(line["result"], result, "{ran:?}");
        assert!(line["text"].as_str().unwrap().contains(words), "{line}");
        assert_eq!(ran.exit, exit, "{ran:?}");
    }
}

#[test]
fn a_journal_that_was_changed_is_reported() {
    let shop = shop();
    for serial in 1..=3 {
        let code = code("ok", serial);
        assert_eq!(shop.pay("5", &code).exit, 0);
    }
    is_well(&doctor(&shop), "journal");
    let db = Connection::open(shop.journal()).unwrap();
    db.execute("UPDATE entry SET at = at + 1 WHERE seq = 2", []).unwrap();
    drop(db);
    at_fault(&doctor(&shop), 5, "journal", "entry 2 was changed or does not follow");
}

#[test]
fn the_seal_of_the_last_entry_can_be_looked_up_and_a_journal_without_its_key_is_told() {
    let shop = shop();
    let number = shop.pay("12.34", CODE).lines[0]["order_no"].as_str().unwrap().to_owned();
    let ran = doctor(&shop);
    let line = found(&ran, "journal");
    assert_eq!(line["order_no"], number.as_str(), "{line}");
    let shown = Ran::of(shop.run(&["show", &number, "--json"]));
    let last = shown.lines[0]["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["entry"], &last["digest"]), (&line["entries"], &line["digest"]));
    let key = shop.path().join("journal.sqlite.key");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let away = shop.path().join("away");
    fs::rename(&key, &away).unwrap();
    at_fault(&doctor(&shop), 5, "journal", "journal.sqlite.key is missing");
    let calls = shop.ledger().len();
    let ran = shop.pay("12.34", "130000000000000100");
    assert_eq!(ran.exit, 5, "{ran:?}");
    assert!(ran.errors.contains("journal.key_file") && !key.exists(), "{ran:?}");
    assert_eq!(shop.ledger().len(), calls, "nothing was sent");
    let path = "path = \"journal.sqlite\"";
    shop.reconfigure(path, &format!("{path}\nkey_file = \"away\""));
    is_well(&doctor(&shop), "journal");
}

#[test]
fn it_looks_on_while_a_till_runs_and_leaves_its_devices_alone() {
    // At a shop's pace: the customer keeps the payment open as long as there.
    let shop = TestShop::open(None, 1);
    shop.configure("[scanner]\nkind = \"keyboard\"\n");
    let mut pending = PendingPayment::start(&shop, "12.34", &code("walks-away", 1));
    let ran = doctor(&shop);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(found(&ran, "till")["text"].as_str().unwrap().contains("A till is running"), "{ran:?}");
    assert!(found(&ran, "journal")["text"].as_str().unwrap().contains("1 orders, 1 open"));
    assert!(pending.is_running());

    let shop = TestShop::open(None, PACE);
    let code = code("walks-away", 1);
    let (mut session, _scanner) = TuiSession::open_waiting(&shop, &code);
    let ran = doctor(&shop);
    assert!(found(&ran, "scanner")["text"].as_str().unwrap().contains("the running till uses it"));
    session.see(&["Scanner ready"]);
}

#[test]
fn a_device_that_is_free_is_opened_and_one_that_is_none_is_reported() {
    let shop = shop();
    shop.configure(
        "[scanner]\nkind = \"serial\"\nport = \"scanner\"\n\
         [printer]\nkind = \"escpos-file\"\nport = \"nowhere/receipts\"\n\
         [display]\nkind = \"led8\"\nport = \"display\"\n",
    );
    let _scanner = Socket::new(&shop, "scanner").plug();
    fs::write(shop.path().join("display"), "").unwrap();
    let ran = doctor(&shop);
    assert!(found(&ran, "scanner")["text"].as_str().unwrap().ends_with("can be opened."));
    at_fault(&ran, 1, "display", "not a serial port");
    at_fault(&ran, 1, "printer", "nowhere/receipts");
}

#[test]
fn a_scanners_port_that_may_be_the_printers_is_told_with_how_to_learn_it() {
    let shop = shop();
    shop.configure(DEVICES);
    let _scanner = Socket::new(&shop, "scanner").plug();
    let ran = doctor(&shop);
    is_well(&ran, "scanner");
    let text = found(&ran, "scanner")["text"].as_str().unwrap();
    assert!(text.contains("Nothing was scanned so far: it may be the printer's"), "{text}");
    assert!(text.contains("paytill devices --learn"), "{text}");
}

#[test]
fn training_is_well_without_a_file() {
    let shop = shop();
    let mut doctor = shop.command(&["doctor", "--json"]);
    doctor.env_remove("PAYTILL_CONFIG").current_dir(shop.path().join("secrets"));
    let ran = Ran::of(doctor.output().unwrap());
    assert_eq!(ran.exit, 0, "{ran:?}");
    is_well(&ran, "gateway");
    assert!(found(&ran, "configuration")["text"].as_str().unwrap().contains("training"));
    assert!(shop.ledger().is_empty());
}
