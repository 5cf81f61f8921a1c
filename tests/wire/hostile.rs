//! Hostile input. Everything the fuzzer found is replayed; and the real binary, facing a gateway
//! that signs correctly but puts the worst into every field, sends the terminal and the printer
//! nothing but what the two automata allow.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::fixture::tui_session::{Socket, TuiSession};
use crate::fixture::{PACE, TestShop, in_lanes};
use crate::properties::ALL;
use crate::properties::draw::{HOSTILE, HOSTILE_TEXTS, hostile};
use crate::properties::paper::{CUT, Printout};
use crate::properties::plain::assert_plain;
use crate::properties::terminal::{Place, read};
use crate::server::{Act, Request, Wire};
use paytill::gateway::wechat::fields::{Fields, SignType};
use paytill::simulator::Identity;

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn everything_the_fuzzer_found_still_holds() {
    let mut broken = Vec::new();
    for (target, property) in ALL {
        let files = corpus(target);
        assert!(!files.is_empty(), "{target} has seeds");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            if std::panic::catch_unwind(|| property(&bytes)).is_err() {
                broken.push(file);
            }
        }
    }
    assert!(broken.is_empty(), "each panicked above: {broken:#?}");
}

/// What goes over the wire, with bytes changed at random: a fuzzer for machines that have none. With
/// `PAYTILL_FUZZ` so many inputs for each.
#[test]
fn and_with_any_bytes_changed() {
    let rounds = std::env::var("PAYTILL_FUZZ").map_or(300, |rounds| rounds.parse().unwrap());
    let wire = ALL.iter().filter(|(target, _)| ["answers", "requests"].contains(target));
    for (target, property) in wire {
        let seeds: Vec<_> = corpus(target).iter().map(|file| fs::read(file).unwrap()).collect();
        let seed = fastrand::u64(..);
        let mut rng = fastrand::Rng::with_seed(seed);
        for round in 0..rounds {
            let mut bytes = seeds[rng.usize(..seeds.len())].clone();
            if rng.bool() {
                bytes = std::iter::repeat_with(|| rng.u8(..)).take(60).collect();
            }
            for _ in 0..rng.usize(1..6) {
                let place = rng.usize(..=bytes.len());
                let new = [rng.u8(..), rng.u8(..8)][rng.usize(..2)];
                match bytes.get_mut(place).filter(|_| rng.bool()) {
                    Some(byte) => *byte = new,
                    None => bytes.insert(place, new),
                }
            }
            let holds = std::panic::catch_unwind(|| property(&bytes)).is_ok();
            assert!(holds, "{target}, seed {seed}, round {round}: {bytes:?}");
        }
    }
}

/// How the gateway's answers proceed, whatever texts they contain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Story {
    Paid,
    Declined,
    /// An error code that is in no table.
    NewError,
    /// The customer cancels.
    PayError,
    /// Nothing is signed.
    Refused,
    /// A payment with an invalid transaction number.
    OddTransaction,
    /// Bytes that no document may contain.
    Broken,
    /// Reversals are refused for good.
    Irreversible,
}

/// What is never proved ours is not reversed, and needs a person.
const STORIES: [(Story, &[i32]); 8] = [
    (Story::Paid, &[0]),
    (Story::Declined, &[10]),
    (Story::NewError, &[12]),
    (Story::PayError, &[11]),
    (Story::Refused, &[12]),
    (Story::OddTransaction, &[12]),
    (Story::Broken, &[12]),
    (Story::Irreversible, &[12]),
];

/// The part of a text that a document can contain.
fn legal(text: &str) -> String {
    let is_legal = |letter: &char| {
        matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
            || *letter > '\u{ffff}'
    };
    text.chars().filter(is_legal).collect()
}

/// The gateway's answer to one request of a payment with this story.
fn answer(
    story: Story,
    path: &str,
    is_reversed: bool,
    request: &Fields,
    (text, key): (&str, &str),
) -> Vec<u8> {
    let text = legal(text);
    // Short enough that all of them fit into an answer that a till accepts.
    let short: String = text.chars().take(800).collect();
    let mut fields = Fields::default();
    for name in [
        "return_msg",
        "err_code_des",
        "trade_state_desc",
        "openid",
        "attach",
        "bank_type",
        "device_info",
        "time_end",
        "coupon_fee",
        "cash_fee",
        "promotion_detail",
        "is_subscribe",
        "neu\u{b7}es_feld\u{301}\u{302}\u{303}",
    ] {
        fields.set(name, short.as_str());
    }
    fields.set("err_code_des", text.as_str());
    fields.set("return_code", "SUCCESS");
    for name in ["appid", "mch_id", "out_trade_no"] {
        fields.set(name, request.get(name).unwrap());
    }
    let amount = request.get("total_fee").unwrap_or("7").to_owned();
    let mut set = |pairs: &[(&str, &str)]| {
        for (name, value) in pairs {
            fields.set(name, *value);
        }
    };
    let failed = [("result_code", "FAIL"), ("err_code", text.as_str())];
    let done = [("result_code", "SUCCESS"), ("recall", "N")];
    match (path, story) {
        ("micropay", Story::Paid) => set(&[
            ("result_code", "SUCCESS"),
            ("total_fee", &amount),
            ("transaction_id", "42000000001"),
        ]),
        ("micropay", Story::OddTransaction) => set(&[
            ("result_code", "SUCCESS"),
            ("total_fee", &amount),
            ("transaction_id", &text),
            ("fee_type", "CNY"),
        ]),
        ("micropay", Story::Declined) => set(&[("result_code", "FAIL"), ("err_code", "NOTENOUGH")]),
        ("micropay", Story::PayError) => {
            set(&[("result_code", "FAIL"), ("err_code", "USERPAYING")]);
        }
        (_, Story::Refused) => fields.set("return_code", "FAIL"),
        ("micropay", _) => set(&failed),
        ("orderquery", _) if is_reversed => {
            set(&[("result_code", "SUCCESS"), ("trade_state", "REVOKED"), ("time_end", "")]);
        }
        ("orderquery", Story::PayError) => {
            set(&[("result_code", "SUCCESS"), ("trade_state", "PAYERROR")]);
        }
        ("orderquery", Story::Declined | Story::Paid) => {
            set(&[("result_code", "SUCCESS"), ("trade_state", "NOTPAY")]);
        }
        ("orderquery", _) => set(&[("result_code", "SUCCESS"), ("trade_state", &text)]),
        ("reverse", Story::Irreversible) => {
            set(&[("result_code", "FAIL"), ("err_code", "INVALID_REQUEST"), ("recall", "N")]);
        }
        _ => set(&done),
    }
    if story != Story::Refused {
        fields.sign(SignType::HmacSha256, key);
    }
    let mut body = fields.to_xml();
    if story == Story::Broken && path != "reverse" && !is_reversed {
        body = body.replace("<return_msg>", "<return_msg>\u{1b}]0;PAID\u{7}&#27;[2J");
    }
    body.into_bytes()
}

fn http(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A gateway that chooses each payment's story by its amount in fen; after a reversal, the payment
/// is reversed.
fn gateway(shop: &TestShop, rule: impl Fn(i64) -> (Story, String) + Send + Sync + 'static) -> Wire {
    let identity = Identity::load(shop.path()).unwrap();
    let key = identity.api_key().to_owned();
    let amounts = Mutex::new(BTreeMap::<String, (i64, bool)>::new());
    let script = move |request: &Request| {
        let path = request.head.split(' ').nth(1).unwrap_or_default().rsplit('/').next().unwrap();
        let Ok(fields) = Fields::from_xml(request.body.as_bytes()) else {
            return Act::Answer(http(b""));
        };
        let mut amounts = amounts.lock().unwrap();
        let number = fields.get("out_trade_no").unwrap().to_owned();
        let known = amounts.entry(number).or_default();
        if let Some(amount) = fields.get("total_fee") {
            known.0 = amount.parse().unwrap();
        }
        let (story, text) = rule(known.0);
        let is_reversed = known.1;
        known.1 |= path == "reverse" && story != Story::Irreversible;
        let body = answer(story, path, is_reversed, &fields, (&text, &key));
        Act::Answer(http(&body))
    };
    let _runtime = shop.runtime.enter();
    let wire = Wire::start(&identity, script);
    shop.reconfigure(&format!("https://{}", shop.server.local_addr()), &wire.url());
    wire
}

#[track_caller]
fn only_text(bytes: &[u8], what: &str) {
    read(bytes, Place::Lines).unwrap_or_else(|fault| panic!("{what}: {fault}"));
}

/// Every text in the journal is plain.
fn journal_is_plain(shop: &TestShop) {
    let db = rusqlite::Connection::open(shop.journal()).unwrap();
    for table in ["sale", "attempt", "entry"] {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let Ok(text) = row.get::<_, String>(column) {
                    assert_plain(&text, table);
                }
            }
        }
    }
}

fn logs_are_plain(shop: &TestShop) {
    for entry in fs::read_dir(shop.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().contains(".log.") {
            only_text(&fs::read(&path).unwrap(), "the log");
        }
    }
}

#[test]
fn whatever_the_gateway_says_commands_and_files_hold_plain_text() {
    // All texts in the quick stories, but only the long ones where the till has to wait.
    let cases: Vec<_> = STORIES
        .iter()
        .flat_map(|(story, exits)| (0..HOSTILE_TEXTS).map(move |text| (*story, *exits, text)))
        .filter(|(story, _, text)| {
            matches!(story, Story::Paid | Story::Declined) || *text >= HOSTILE.len()
        })
        .collect();
    in_lanes(8, &cases, |(story, exits, text)| {
        let (story, text) = (*story, hostile(*text));
        let shop = TestShop::open(None, PACE);
        let told = text.clone();
        let _wire = gateway(&shop, move |_| (story, told.clone()));
        let note = text.replace('\0', "");
        let what = format!("{story:?} {note:.40?}");
        let pay = |code: &str, json: &[&str]| {
            let mut arguments = vec!["pay", "12.34", "--code", code, "--note", &note];
            arguments.extend(json);
            let output = shop.run(&arguments);
            assert!(exits.contains(&output.status.code().unwrap()), "{what}: {output:?}");
            only_text(&[output.stdout, output.stderr].concat(), &what);
        };
        pay("138492017563840200", &["--json"]);
        if matches!(story, Story::Paid | Story::Declined) {
            pay("138492017563840201", &[]);
        }
        for number in shop.orders().keys() {
            for arguments in [&["show", number, "--json"] as &[&str], &["show", number]] {
                let output = shop.run(arguments);
                assert_eq!(output.status.code(), Some(0), "{what}: {output:?}");
                only_text(&[output.stdout, output.stderr].concat(), &what);
            }
        }
        let output = shop.run(&["orders", "--log-level", "trace"]);
        only_text(&[output.stdout, output.stderr].concat(), &what);
        for arguments in [&["doctor"] as &[&str], &["doctor", "--json"]] {
            let output = shop.run(arguments);
            only_text(&[output.stdout, output.stderr].concat(), &what);
        }
        journal_is_plain(&shop);
        logs_are_plain(&shop);
    });
}

#[test]
fn a_journal_that_somebody_wrote_into_commands_no_terminal() {
    let shop = TestShop::open(None, PACE);
    assert_eq!(shop.pay("12.34", "130000000000000000").exit, 0);
    let number = shop.orders().into_keys().next().unwrap();
    let db = rusqlite::Connection::open(shop.journal()).unwrap();
    for text in (0..HOSTILE_TEXTS).map(hostile) {
        let wire = serde_json::json!({ "return_msg": text, (text.as_str()): "x" }).to_string();
        db.execute("UPDATE sale SET note = ?", [&text]).unwrap();
        db.execute("UPDATE entry SET wire = ?", [&wire]).unwrap();
        db.execute("UPDATE attempt SET channel = ?", [&text]).unwrap();
        for arguments in [
            &["show", &number] as &[&str],
            &["show", &number, "--json"],
            &["orders"],
            &["orders", "--json"],
            &["show", &text.replace('\0', "")],
            &["recover"],
            &["doctor"],
        ] {
            let output = shop.run(arguments);
            only_text(&[output.stdout, output.stderr].concat(), &format!("{arguments:?}"));
        }
    }
}

#[test]
fn what_is_typed_wrongly_is_repeated_as_plain_text() {
    let shop = TestShop::open(None, PACE);
    for text in (0..HOSTILE_TEXTS).map(hostile) {
        let text = text.replace('\0', "");
        for arguments in [
            &[text.as_str()] as &[&str],
            &["pay", &text, "--code", "1"],
            &["pay", "1", "--code", &text],
            &["pay", "1", &text],
            &["orders", "--state", &text],
            &["orders", "--day", &text],
            &["orders", "--lang", &text],
            &["orders", "--config", &text],
        ] {
            let output = shop.run(arguments);
            assert_ne!(output.status.code(), Some(0), "{arguments:?}");
            only_text(&[output.stdout, output.stderr].concat(), &format!("{arguments:?}"));
        }
        let right = fs::read_to_string(shop.config()).unwrap();
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        for (from, to) in [
            ("name = \"Corner Coffee\"", format!("name = \"{quoted}\"")),
            ("language = \"en\"", format!("language = \"{quoted}\"")),
            ("[till]", format!("[{text}]")),
        ] {
            shop.reconfigure(from, &to);
            for command in ["orders", "doctor"] {
                let output = shop.run(&[command]);
                only_text(&[output.stdout, output.stderr].concat(), &to);
            }
            fs::write(shop.config(), &right).unwrap();
        }
    }
}

#[test]
fn whatever_comes_the_terminal_and_the_printer_are_sent_what_the_automata_allow() {
    let shop = TestShop::open(None, PACE);
    shop.configure(
        "[scanner]\nkind = \"serial\"\nport = \"scanner\"\n\
         [printer]\nkind = \"escpos-serial\"\nport = \"printer\"\n\
         [receipt]\nheader = [\"%s%n{}\", \"镕\\\\x1bp \u{10ffff}\"]\n",
    );
    // The amount in fen selects the text, and from one yuan upwards also the story.
    let _wire = gateway(&shop, |amount| {
        let story = [Story::Paid, Story::PayError, Story::Declined];
        let story = story[usize::try_from(amount / 100).unwrap()];
        (story, hostile(usize::try_from(amount % 100).unwrap()))
    });
    let mut printer = Socket::new(&shop, "printer").plug();
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "Scanner ready", "Printer ready"]);
    let mut codes = (1000_u32..).map(|serial| format!("13849201756384{serial}"));
    let mut characters = 0;
    for amount in ["0.01", "0.02", "0.04", "0.06", "0.14", "0.15", "1.01", "1.15", "2.15", "2.02"] {
        session.press(&format!("{amount}\r"));
        session.see(&["READY", "Scan the customer's payment code."]);
        scanner.scan(&codes.next().unwrap());
        match &amount[..1] {
            "0" => {
                session.see(&["PAID", "Payment received."]);
                let paper = printer.take_until(CUT);
                let receipt = Printout::read(&paper).unwrap_or_else(|fault| panic!("{fault}"));
                let codes = (receipt.barcodes().len(), receipt.qr_codes().len());
                assert_eq!((codes, receipt.cuts()), ((1, 1), 1), "{receipt:?}");
                characters += receipt.lines().flat_map(str::chars).count();
            }
            "1" => session.see(&["REVERSED", "The customer was not charged."]),
            _ => session.see(&["NOT PAID"]),
        }
        session.press("\r");
        session.see(&["Enter the amount."]);
    }
    // Scans and keys that contain no payment code.
    for text in (0..HOSTILE_TEXTS).map(hostile) {
        scanner.babble(format!("{text}\r").as_bytes());
        // Except the keys that quit and change the language; only some, because each key is drawn.
        let keys = text.chars().filter(|key| !['\u{11}', '\u{c}'].contains(key)).take(120);
        session.type_scan(&keys.collect::<String>());
    }
    for _ in 0..3 {
        session.press("\x1b");
    }
    // The help page comes after all these keys, and so does everything that follows.
    session.press("\x1bOP");
    session.see(&["Esc Close"]);
    session.press("\x1b");
    session.see(&["Enter the amount."]);
    scanner.babble(b"\xff\xfe\x80\xc0\x1b[2J\x9b31m\r6901234567892\r");
    session.see(&["product barcode (6901234567892)"]);
    session.send(rustix::process::Signal::TERM);
    session.wait_for_end();
    let tally =
        read(session.tape_bytes(), Place::Terminal).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(tally.sequences["H"] > 100 && tally.characters > 2000, "{tally:?}");
    assert!(characters > 1000);
    journal_is_plain(&shop);
    logs_are_plain(&shop);
}
