//! Secrets and payment codes stay where they belong. They are searched for in everything a till
//! leaves behind, in what the system reveals about its process and, if permitted, in its memory.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::Output;

use crate::fixture::tui_session::{Socket, TuiSession};
use crate::fixture::{DEVICES, PACE, PendingPayment, SERIAL_SCANNER, TestShop, code};
use paytill::simulator::{Api, Identity};

/// No digit sequence repeats; the last digits select the customer.
const DIGITS: &str = "13849201756384";
/// This many consecutive digits of a code are no coincidence.
const TELLING: usize = 12;
/// The most verbose settings that a program can be asked for.
const LOUD: [(&str, &str); 3] =
    [("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full"), ("RUST_LIB_BACKTRACE", "full")];

/// The code of a customer who never pays.
fn walks_away() -> String {
    format!("{DIGITS}0200")
}

/// Where a text is in a process's memory, with one or two bytes per character. `None` if this user
/// has no permission to read it.
fn in_memory(process: u32, text: &str) -> Option<Vec<String>> {
    let mut memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let narrow = text.as_bytes().windows(TELLING).map(<[u8]>::to_vec);
    let wide = text.as_bytes().windows(TELLING).map(|part| {
        part.iter().flat_map(|letter| u32::from(*letter).to_le_bytes()).collect::<Vec<u8>>()
    });
    let patterns: Vec<Vec<u8>> = narrow.chain(wide).collect();
    let mut found = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (from, to) = words.next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
        if !words.next().unwrap().starts_with("rw") {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        memory.seek(SeekFrom::Start(from)).unwrap();
        // Pages that the system keeps for itself cannot be read.
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        for at in patterns.iter().flat_map(|pattern| places(&bytes, pattern)) {
            let around = &bytes[at.saturating_sub(60)..bytes.len().min(at + 60)];
            let around = String::from_utf8_lossy(around).replace(char::is_control, ".");
            found.push(format!("{line}: {around}"));
        }
    }
    Some(found)
}

fn places(bytes: &[u8], pattern: &[u8]) -> Vec<usize> {
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == pattern[0]);
    starts.map(|(at, _)| at).filter(|at| bytes[*at..].starts_with(pattern)).collect()
}

/// Checks that a code is gone from a till's memory, and that this search finds what is there.
#[track_caller]
pub(crate) fn is_gone(process: u32, code: &str, control: &str) {
    let Some(found) = in_memory(process, code) else {
        return eprintln!("skipped: this user may not look into a till, which is as it should be");
    };
    assert!(!in_memory(process, control).unwrap().is_empty(), "the search finds what is there");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_payment_code_is_gone_from_memory_once_the_gateway_has_answered() {
    for api in [Api::V2, Api::V3] {
        let shop = TestShop::open_for(api, None, 1);
        let pending = PendingPayment::start_by_stdin(&shop, "12.34", &walks_away());
        is_gone(pending.process_id(), &walks_away(), "Corner Coffee");
    }
}

#[test]
fn a_scanned_code_is_gone_from_memory_once_the_gateway_has_answered() {
    let shop = TestShop::open(None, 1);
    shop.configure(SERIAL_SCANNER);
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "Scanner ready"]);
    session.press("12.34\r");
    session.see(&["Scan the customer's payment code."]);
    scanner.scan(&walks_away());
    session.see(&["WAITING FOR CUSTOMER"]);
    is_gone(session.process_id(), &walks_away(), "Corner Coffee");
}

#[test]
fn the_system_keeps_a_till_to_itself() {
    let shop = TestShop::open(None, 1);
    let pending = PendingPayment::start_by_stdin(&shop, "12.34", &walks_away());
    let of_process = |name: &str| fs::read(format!("/proc/{}/{name}", pending.process_id()));
    let limits = String::from_utf8(of_process("limits").unwrap()).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    let key = Identity::load(shop.path()).unwrap().api_key().to_owned();
    for name in ["cmdline", "environ"] {
        // For a process that is not dumpable, only root may read the environment.
        let Ok(bytes) = of_process(name) else { continue };
        for secret in [walks_away(), key.clone()] {
            assert!(places(&bytes, secret.as_bytes()).is_empty(), "{name}");
        }
    }
    assert!(fs::read_dir(format!("/proc/{}/task", pending.process_id())).unwrap().all(|task| {
        let children = fs::read_to_string(task.unwrap().path().join("children"));
        children.is_ok_and(|children| children.is_empty())
    }));
}

/// The secrets of a shop, line by line.
fn secrets(shop: &TestShop) -> Vec<String> {
    let identity = Identity::load(shop.path()).unwrap();
    let mut secrets = vec![identity.api_key().to_owned()];
    for pem in [identity.client_key_pem(), identity.client_certificate_pem()] {
        secrets.extend(pem.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned));
    }
    secrets
}

#[test]
fn a_code_in_the_wrong_place_is_not_repeated() {
    let shop = TestShop::open(None, PACE);
    let code = walks_away();
    for arguments in [
        &["pay", "12.34", &code] as &[&str],
        &["pay", &code],
        &["pay", &code, "--code", "12.34"],
        &["pay", "12.34", &format!("--cod={code}")],
        &["pay", "12.34", "--code", &code, &code],
        &["pay", "12.34", "--code", &format!("{code}0")],
        &["orders", "--day", &code],
        &["orders", "--state", &code],
        &["orders", "--limit", &code],
        &["show", &code],
        &["find", &code, "--ask"],
        &["find", &format!("]Q1{code}")],
        &["evidence", &code],
        &["evidence", "--verify", &code],
        &[&code],
        &["--config", &code, "orders"],
    ] {
        let Output { status, stdout, stderr } = shop.run(arguments);
        assert_ne!(status.code(), Some(0), "{arguments:?}");
        let said = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert!(!said.is_empty() && !said.contains(&code), "{arguments:?}: {said}");
    }
    assert!(shop.ledger().is_empty());
}

#[test]
fn nothing_secret_is_in_what_a_loud_till_leaves_behind() {
    let shop = TestShop::open(None, PACE);
    shop.configure(DEVICES);
    shop.reconfigure("level = \"debug\"", "level = \"trace\"");
    let mut secrets = secrets(&shop);
    let mut printer = Socket::new(&shop, "printer").plug();
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session =
        TuiSession::open_with(&shop, &LOUD.map(|(name, value)| (name, OsStr::new(value))));
    session.see(&["Enter the amount.", "Scanner ready", "Printer ready"]);
    let mut said = Vec::new();
    let mut charge = |session: &mut TuiSession, customer: &str, end: &str| {
        session.press("12.34\r");
        session.see(&["Scan the customer's payment code."]);
        let ending = code(customer, 1);
        let code = format!("{DIGITS}{}", &ending[14..]);
        if customer == "notenough" {
            session.type_scan(&code);
        } else {
            scanner.scan(&code);
        }
        session.see(&[end]);
        secrets.push(code);
        session.press("\r");
        session.see(&["Enter the amount."]);
    };
    charge(&mut session, "ok", "Payment received.");
    said.extend(printer.take_until(crate::paper::CUT));
    charge(&mut session, "notenough", "NOT PAID");
    // Too early, because no amount was entered, or not a WeChat Pay code.
    let refused = [format!("{DIGITS}7777"), format!("28{}", &DIGITS[..14])];
    for code in refused {
        scanner.scan(&code);
        session.see(&["Nothing was sent."]);
        secrets.push(code);
    }
    let closed = || shop.orders().values().all(|order| order["open"] == false);
    session.watch_until("the number is closed", closed);
    session.press("\x11");
    session.wait_for_end();
    said.extend(session.tape_bytes());
    // One till dies with its journal open, and another continues with it.
    let code = format!("{DIGITS}0201");
    let arguments = ["pay", "5", "--code", &code];
    let mut dies = shop.faulty(&arguments, "before:25");
    let run = |command: &mut std::process::Command| {
        let output = command.envs(LOUD).output().unwrap();
        [output.stdout, output.stderr].concat()
    };
    said.extend(run(&mut dies));
    secrets.push(code);
    let mut files = contents(&shop);
    for arguments in
        [&["recover"] as &[&str], &["recover", "--json"], &["orders"], &["doctor", "--json"]]
    {
        said.extend(run(&mut shop.command(arguments)));
    }
    for number in shop.orders().keys() {
        said.extend(run(&mut shop.command(&["show", number])));
        said.extend(run(&mut shop.command(&["show", number, "--json"])));
        said.extend(run(&mut shop.command(&["find", number, "--ask", "--json"])));
        said.extend(run(&mut shop.command(&["evidence", number])));
        let file = format!("journal-evidence-{number}.json");
        said.extend(run(&mut shop.command(&["evidence", number, "--out", &file])));
        said.extend(run(&mut shop.command(&["evidence", "--verify", &file])));
    }
    said.extend(run(&mut shop.command(&["backup", "journal-copy.sqlite"])));
    secrets.push(fs::read_to_string(shop.path().join("journal.sqlite.key")).unwrap().trim().into());
    files.extend(contents(&shop));
    files.retain(|(name, _)| !name.ends_with("sqlite.key"));
    assert!(files.iter().any(|(name, _)| name.ends_with("journal-copy.sqlite")));
    assert!(files.iter().filter(|(name, _)| name.contains("journal-evidence")).count() > 1);
    assert!(files.iter().any(|(name, _)| name.ends_with("-wal")), "one was left behind");
    assert!(files.iter().any(|(name, _)| name.contains(".log.")) && said.len() > 10_000);
    files.push(("what was said, drawn and printed".into(), said));
    for (name, bytes) in &files {
        for secret in &secrets {
            assert!(places(bytes, secret.as_bytes()).is_empty(), "{name} holds {secret}");
        }
    }
}

/// The journal and the files beside it, including the log.
fn contents(shop: &TestShop) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(shop.path()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.to_str().unwrap().contains("journal"));
    files.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}
