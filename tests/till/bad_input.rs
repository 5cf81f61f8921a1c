//! Invalid input of any kind is reported in one sentence with the documented exit code, and nothing
//! is sent.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::fixture::{PACE, PendingPayment, Ran, TestShop, code, scenario};
use paytill::journal::JournalReader;
use paytill::simulator::Identity;
use rusqlite::Connection;

const CODE: &str = "130000000000000000";
const UNUSED_CODE: &str = "150000000000000009";
/// More operations on the journal than any payment needs.
const MOST_OPERATIONS: u32 = 100;

fn shop() -> TestShop {
    TestShop::open(Some(scenario("ok")), PACE)
}

/// Checks that a run ended with this exit code and one sentence, and returns the sentence.
#[track_caller]
fn sentence(output: &Output, exit: i32) -> String {
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    errors.strip_prefix("paytill: ").unwrap_or_else(|| panic!("{errors}")).trim_end().to_owned()
}

/// Like [`sentence`]; also checks that nothing reached the bank.
#[track_caller]
fn refused(shop: &TestShop, arguments: &[&str], exit: i32) -> String {
    let sentence = sentence(&shop.run(arguments), exit);
    assert!(shop.ledger().is_empty(), "{arguments:?}: {sentence}");
    sentence
}

fn with_input(mut command: Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have read enough before everything is written.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[test]
fn what_is_no_amount_is_wrong_usage() {
    let shop = shop();
    let amounts = [
        "0",
        "0.00",
        "-1",
        "+1",
        "0.001",
        "12.345",
        "999999999.99",
        "10000000",
        "1e9",
        "１，２",
        "١٢",
        "",
        " ",
        "1 2",
        "1,000",
        ".",
        "1.2.3",
        "0x10",
        "NaN",
        "inf",
        "12元",
        "99999999999999999999999",
        "\u{1b}[2J",
    ];
    for amount in amounts {
        let sentence = refused(&shop, &["pay", amount, "--code", CODE], 2);
        assert!(sentence.contains("amount"), "{sentence}");
        assert!(!sentence.contains(['\u{1b}', '\n']), "{sentence}");
    }
    for (amount, named) in [("1,000", "the comma \",\""), ("12元", "\"元\""), ("1 2", "a blank")]
    {
        let sentence = refused(&shop, &["pay", amount, "--code", CODE], 2);
        assert!(sentence.contains(named) && !sentence.contains(amount), "{sentence}");
    }
    assert!(!shop.journal().exists(), "no order was begun");
    assert!(shop.orders().is_empty());
}

#[test]
fn an_amount_is_taken_as_people_type_it() {
    let shop = shop();
    let amounts = [(".5", 50), ("5.", 500), ("12.50\r\n", 1250), ("１２。３４", 1234)];
    for (serial, (amount, fen)) in (0..).zip(amounts) {
        let code = format!("1500000000000000{serial:02}");
        let paid = shop.run(&["pay", amount, "--code", &code, "--json"]);
        assert_eq!(paid.status.code(), Some(0), "{paid:?}");
        let last = String::from_utf8(paid.stdout).unwrap().lines().last().unwrap().to_owned();
        assert!(last.contains(&format!("\"amount\":{fen},")), "{last}");
    }
}

#[test]
fn what_is_no_payment_code_is_wrong_usage_and_is_not_repeated() {
    let shop = shop();
    let codes = [
        "13000000000000000",
        "1300000000000000000",
        "1300000000000000000000000000000000000000",
        "13000000000000000x",
        // Full-width digits are accepted, as an input method may leave them; here one is missing.
        "１３０００００００００００００００",
        "160000000000000000",
        "000000000000000000",
        "280000000000000000",
        "6901234567892",
        "https://example.com/pay",
        "T01261122113000000107",
        "",
        " ",
        "\u{1b}]0;x\u{7}",
    ];
    for code in codes {
        let sentence = refused(&shop, &["pay", "12.34", "--code", code], 2);
        assert!(sentence.contains("nothing was sent"), "{sentence}");
        assert!(code.trim().is_empty() || !sentence.contains(code), "{sentence}");
    }
    let swapped = refused(&shop, &["pay", CODE, "--code", "12.34"], 2);
    assert!(!swapped.contains(CODE), "a code in the amount's place is still a code: {swapped}");
    assert!(!shop.journal().exists());
}

#[test]
fn a_code_on_standard_input_is_read_with_any_end_of_line_and_nothing_else_is() {
    let shop = shop();
    let mut oversized = vec![b'1'; 1 << 20];
    oversized[..CODE.len()].copy_from_slice(CODE.as_bytes());
    let wrong: [&[u8]; 7] =
        [b"", b"\n", b"\r\n", b"12.34\n", b"13000000000000000\n", b"\xff\xfe\n", &oversized];
    for input in wrong {
        let output = with_input(shop.command(&["pay", "1", "--code", "-"]), input);
        sentence(&output, 2);
        assert!(shop.ledger().is_empty());
    }
    assert!(!shop.journal().exists());
    for (number, end) in ["", "\n", "\r\n"].into_iter().enumerate() {
        let input = format!("13000000000000000{number}{end}");
        let output = with_input(shop.command(&["pay", "1", "--code", "-"]), input.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(shop.ledger().len(), number + 1);
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_wrong_usage() {
    let shop = shop();
    let lines: [&[&str]; 13] = [
        &["pay"],
        &["pay", "12.34"],
        &["pay", "--code", CODE],
        &["pay", "12.34", "--code"],
        &["pay", "12.34", "56", "--code", CODE],
        &["pay", "12.34", "--code", CODE, "--jsno"],
        &["pya"],
        &["show"],
        &["orders", "--day", "2026-02-30"],
        &["orders", "--state", "payed"],
        &["orders", "--limit", "-1"],
        &["recover", "--lang", "fr"],
        &["orders", "--log-level", "loud"],
    ];
    for line in lines {
        let output = shop.run(line);
        assert_eq!(output.status.code(), Some(2), "{line:?} {output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{output:?}");
    }
    assert!(refused(&shop, &[], 2).contains("terminal"), "no screen without a terminal");
    assert!(shop.ledger().is_empty());
    assert!(!shop.journal().exists());
}

#[test]
fn an_order_that_is_not_there_is_wrong_usage() {
    let shop = shop();
    let number = "T01261122113000000107";
    assert!(refused(&shop, &["show", number], 2).contains(number));
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    for strange in [number, "", "x'; DROP TABLE entry; --", "\u{1b}[2J"] {
        let sentence = sentence(&shop.run(&["show", strange]), 2);
        assert!(!sentence.contains('\u{1b}'), "{sentence}");
    }
}

#[test]
fn a_fault_in_the_configuration_is_reported_with_its_place() {
    // What to replace, its replacement, and what the sentence must contain.
    let cases: [(&str, &str, &[&str]); 17] = [
        ("query_interval_ms", "qeury_interval_ms", &["till.toml:20:", "query_interval_ms"]),
        ("[payment]", "[paymnet]", &["till.toml:19:", "[payment]"]),
        ("app_id", "appid", &["app_id"]),
        ("language = \"en\"", "language = \"english\"", &["[till] language", "zh-CN"]),
        ("connect_timeout_ms = 3000", "connect_timeout_ms = \"3000\"", &["connect_timeout_ms"]),
        ("connect_timeout_ms = 3000", "connect_timeout_ms = 1", &["connect_timeout_ms"]),
        ("connect_timeout_ms = 3000", "connect_timeout_ms = 3.5", &["connect_timeout_ms"]),
        ("connect_timeout_ms = 3000", "connect_timeout_ms = -3000", &["connect_timeout_ms"]),
        ("kind = \"wechat-v2\"", "kind = \"wechat-v4\"", &["[gateway] kind", "wechat-v2"]),
        ("base_url = \"https", "base_url = \"http", &["base_url", "https"]),
        ("secrets/api_v2.key", "secrets/gone.key", &["api_key_file", "gone.key"]),
        ("secrets/apiclient_cert.pem", "gone.pem", &["client_cert_file", "gone.pem"]),
        ("secrets/apiclient_key.pem", "gone.pem", &["client_key_file", "gone.pem"]),
        ("secrets/apiclient_key.pem", "secrets/server_key.pem", &["client_key_file"]),
        ("ca.pem", "till.toml", &["ca_file", "certificate"]),
        ("name = \"Corner Coffee\"", "name = \"Corner", &["till.toml:3:", "TOML"]),
        ("name = \"Corner Coffee\"", "name = 1\nname = 2", &["till.toml:4:", "second time"]),
    ];
    let shop = shop();
    let right = fs::read_to_string(shop.config()).unwrap();
    for (from, to, fragments) in cases {
        fs::write(shop.config(), &right).unwrap();
        shop.reconfigure(from, to);
        let sentence = refused(&shop, &["pay", "12.34", "--code", CODE], 3);
        let holds = |fragment: &&str| sentence.contains(*fragment);
        assert!(fragments.iter().all(holds), "{from} -> {to}: {sentence}");
    }
    fs::write(shop.config(), b"\xff\xfe").unwrap();
    refused(&shop, &["pay", "12.34", "--code", CODE], 3);
    let gone = shop.path().join("gone.toml");
    let gone = gone.to_str().unwrap();
    let sentence = refused(&shop, &["pay", "12.34", "--code", CODE, "--config", gone], 3);
    assert!(sentence.contains(gone), "{sentence}");
    assert!(!shop.journal().exists());
}

#[test]
fn what_is_wrong_is_reported_in_the_language_asked_for() {
    let shop = shop();
    let pay = ["pay", "12.34", "--code", CODE, "--lang", "zh-CN"];
    let swapped = refused(&shop, &["--lang", "zh-CN", "pay", CODE, "--code", "12.34"], 2);
    assert!(swapped.contains("不是金额") && !swapped.contains(CODE), "{swapped}");
    let usage = shop.run(&["--lang", "zh-CN", "pay", "12.34", "--cod"]);
    let usage = String::from_utf8(usage.stderr).unwrap();
    assert!(
        usage.starts_with("paytill: 多余或无法识别的参数 --cod；是否想用 --code？\n"),
        "{usage}"
    );
    let missing = refused(&shop, &["show", "T01", "--lang", "zh-CN"], 2);
    assert!(missing.ends_with("中没有订单 T01"), "{missing}");

    fs::write(shop.journal(), "not a journal at all\n").unwrap();
    assert!(refused(&shop, &pay, 5).contains("不是 paytill 的交易记录"));
    fs::remove_file(shop.journal()).unwrap();
    fs::create_dir(shop.journal()).unwrap();
    let unusable = refused(&shop, &pay, 5);
    assert!(unusable.starts_with("无法打开交易记录 /"), "{unusable}");
    assert!(!unusable.contains("os error"), "{unusable}");

    shop.reconfigure("connect_timeout_ms = 3000", "connect_timeout_ms = 1");
    let told = refused(&shop, &pay, 3);
    assert!(told.contains("connect_timeout_ms 为 1，允许 100 至 60000"), "{told}");
    // The file's language, as far as it can be read, takes precedence over the environment's.
    shop.reconfigure("language = \"en\"", "language = \"zh-CN\"");
    assert_eq!(refused(&shop, &pay[..4], 3), told);
    shop.reconfigure("language = \"zh-CN\"", "language = \"fr\"");
    assert!(refused(&shop, &pay[..4], 3).contains("allowed is zh-CN or en"));
    let of_environment = shop.command(&pay[..4]).env("LANG", "zh_CN.UTF-8").output().unwrap();
    let told = sentence(&of_environment, 3);
    assert!(told.ends_with("[till] language 为 \"fr\"，只能是 zh-CN 或 en"), "{told}");
}

#[test]
fn help_is_in_the_language_asked_for_or_the_environments() {
    let shop = shop();
    let by_flag = shop.run(&["--lang", "zh-CN", "--help"]);
    let by_locale = shop.command(&["--help"]).env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    assert_eq!((by_flag.status.code(), &by_flag.stdout), (Some(0), &by_locale.stdout));
    let help = String::from_utf8(by_flag.stdout).unwrap();
    for line in
        ["用法：paytill [选项] [命令]", "命令:", "选项:", "  -h, --help              显示帮助"]
    {
        assert!(help.lines().any(|shown| shown == line), "{line}\n{help}");
    }
    let english = String::from_utf8(shop.run(&["pay", "--help"]).stdout).unwrap();
    assert!(english.contains("\nUsage: paytill pay [OPTIONS] --code <AUTH_CODE> <AMOUNT>\n"));
}

#[test]
fn a_secret_that_others_can_read_or_that_is_none_is_refused() {
    let shop = shop();
    let pay = ["pay", "12.34", "--code", CODE];
    for name in ["api_v2.key", "apiclient_key.pem"] {
        let path = shop.path().join("secrets").join(name);
        for mode in [0o644, 0o640, 0o604] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let sentence = refused(&shop, &pay, 3);
            let run = format!("chmod 600 {}", path.display());
            assert!(sentence.contains(&run), "{sentence}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    let key = shop.path().join("secrets/api_v2.key");
    let right = fs::read_to_string(&key).unwrap();
    let wrong = [&right.trim()[1..], &format!("{}x", right.trim()), "", &"钥".repeat(32)];
    for wrong in wrong {
        fs::write(&key, wrong).unwrap();
        let sentence = refused(&shop, &pay, 3);
        assert!(sentence.contains("32"), "{sentence}");
        assert!(wrong.is_empty() || !sentence.contains(wrong), "{sentence}");
    }
    assert!(!shop.journal().exists());
}

/// Every command that writes refuses this journal and leaves it unchanged.
#[track_caller]
fn refuses_journal(shop: &TestShop, what: &str) -> Vec<String> {
    let (ledger, before) = (shop.ledger().len(), shop.files());
    let commands: [&[&str]; 3] =
        [&["pay", "12.34", "--code", UNUSED_CODE], &["recover"], &["recover", "--json"]];
    let sentences = commands.map(|command| {
        let output = shop.run(command);
        assert_eq!(output.status.code(), Some(5), "{what}: {command:?}: {output:?}");
        let sentence = sentence(&output, 5);
        let after = shop.files();
        for (path, bytes) in &before {
            let same = after.get(path) == Some(bytes);
            assert!(same, "{what}: {} was changed by {command:?}: {sentence}", path.display());
        }
        sentence
    });
    assert_eq!(shop.ledger().len(), ledger, "{what}: {sentences:?}");
    sentences.to_vec()
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_alone() {
    let junk: [&[u8]; 4] = [b"x", b"not a journal at all\n", &[0; 8192], &[0xa5; 9000]];
    for junk in junk {
        let shop = shop();
        fs::write(shop.journal(), junk).unwrap();
        let sentences = refuses_journal(&shop, "junk");
        assert!(sentences[0].contains("not a journal"), "{sentences:?}");
        for command in [&["orders"] as &[&str], &["orders", "--json"], &["show", "T0126112200"]] {
            let sentence = refused(&shop, command, 5);
            assert!(sentence.contains("not a journal"), "{sentence}");
        }
    }
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let pragmas = [
        "",
        "PRAGMA journal_mode = WAL;",
        "PRAGMA application_id = 7;",
        "PRAGMA user_version = 1;",
        "PRAGMA application_id = 7; PRAGMA auto_vacuum = FULL;",
    ];
    for pragmas in pragmas {
        let shop = shop();
        let db = Connection::open(shop.journal()).unwrap();
        db.execute_batch(&format!("{pragmas} CREATE TABLE recipe (name TEXT);")).unwrap();
        db.execute("INSERT INTO recipe VALUES ('soup')", []).unwrap();
        db.close().unwrap();
        let sentences = refuses_journal(&shop, pragmas);
        assert!(sentences[0].contains("not a journal"), "{sentences:?}");
        sentence(&shop.run(&["orders"]), 5);
    }
}

#[test]
fn a_journal_of_a_newer_version_is_refused_and_left_alone() {
    let shop = shop();
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    let db = Connection::open(shop.journal()).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    db.close().unwrap();
    let sentences = refuses_journal(&shop, "newer");
    assert!(sentences[0].contains("format 99"), "{sentences:?}");
    assert!(sentence(&shop.run(&["orders"]), 5).contains("format 99"));
}

#[test]
fn a_journal_of_an_older_version_is_copied_and_brought_to_this_one_and_that_is_said() {
    let shop = shop();
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    let db = Connection::open(shop.journal()).unwrap();
    let older =
        "DROP TABLE refund; DROP TABLE slip; DROP TABLE last_slip; PRAGMA user_version = 3;";
    db.execute_batch(older).unwrap();
    db.close().unwrap();
    // Whoever only reads leaves it as it is.
    let before = shop.files();
    for command in [&["orders"] as &[&str], &["doctor"], &["find", "12.34"]] {
        shop.run(command);
    }
    let after = shop.files();
    assert_eq!(before.get(&shop.journal()), after.get(&shop.journal()));
    assert_eq!(shop.orders().len(), 1);
    let copy = shop.path().join("journal.sqlite.format3");
    assert!(!copy.exists());
    let ran = shop.run(&["pay", "1", "--code", &code("ok", 7)]);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert!(said.contains("was brought from format 3 to format 4"), "{said}");
    assert!(said.contains("journal.sqlite.format3; it opens with the same key"), "{said}");
    assert_eq!(shop.orders().len(), 2);
    let again = shop.run(&["recover"]);
    assert!(!String::from_utf8(again.stderr).unwrap().contains("format"), "once");
    // The copy is what was there, and can be put back.
    let kept = JournalReader::open(&copy, Some(&shop.path().join("journal.sqlite.key")));
    assert_eq!(kept.unwrap().unwrap().audit().unwrap().orders, 1);
}

#[test]
fn a_journal_cut_short_is_refused_and_left_alone() {
    let shop = shop();
    for serial in 0..4 {
        assert_eq!(shop.pay("12.34", &code("ok", serial)).exit, 0);
    }
    let whole = fs::read(shop.journal()).unwrap();
    let lengths = [0, 1, 15, 16, 99, 100, 512, 4095, 4096, 5000, whole.len() / 2, whole.len() - 1];
    for length in lengths {
        fs::write(shop.journal(), &whole[..length]).unwrap();
        refuses_journal(&shop, &format!("cut to {length} of {}", whole.len()));
    }
    fs::remove_file(shop.journal()).unwrap();
    let sentences = refuses_journal(&shop, "gone");
    assert!(sentences[0].contains("gone"), "{sentences:?}");
    assert!(sentence(&shop.run(&["orders"]), 5).contains("gone"));
    assert!(!shop.journal().exists(), "a journal that is missed is not replaced");
    fs::write(shop.journal(), &whole).unwrap();
    assert_eq!(shop.recover().exit, 0, "put back it is good");
}

#[test]
fn a_journal_without_its_latest_entries_is_refused_and_left_alone() {
    let shop = shop();
    let (wal, head) = ("journal.sqlite-wal", "journal.sqlite.head");
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    let files = ["journal.sqlite", head].map(|file| shop.path().join(file));
    let whole = files.each_ref().map(|file| fs::read(file).unwrap());
    let [_, before] = &whole;
    // Until one is killed after its first entry, before the WAL is copied into the journal. The next
    // start would copy what another left there.
    for operation in 1..MOST_OPERATIONS {
        let _ = fs::remove_file(shop.path().join(wal));
        for (file, bytes) in files.iter().zip(&whole) {
            fs::write(file, bytes).unwrap();
        }
        let code = code("ok", u64::from(operation));
        let pay = ["pay", "5", "--code", &code];
        shop.faulty(&pay, &format!("before:{operation}")).output().unwrap();
        if fs::read(shop.path().join(head)).unwrap() != *before {
            break;
        }
    }
    let kept = fs::read(shop.path().join(wal)).unwrap();
    assert!(!kept.is_empty());
    for what in ["missing", "empty"] {
        if what == "missing" {
            fs::remove_file(shop.path().join(wal)).unwrap();
        } else {
            fs::write(shop.path().join(wal), "").unwrap();
        }
        let sentences = refuses_journal(&shop, what);
        assert!(sentences[0].contains("-wal"), "{sentences:?}");
    }
    fs::write(shop.path().join(wal), kept).unwrap();
    assert_eq!(shop.recover().exit, 0, "put back it is good");
    shop.assert_books_agree(true);
}

#[test]
fn a_journal_where_none_can_be_is_refused() {
    let shop = shop();
    fs::write(shop.path().join("file"), "a regular file").unwrap();
    fs::create_dir(shop.path().join("folder")).unwrap();
    symlink("nowhere/journal.sqlite", shop.path().join("dangling")).unwrap();
    symlink("loop", shop.path().join("loop")).unwrap();
    let right = fs::read_to_string(shop.config()).unwrap();
    for path in ["file/journal.sqlite", "folder", "dangling", "loop", "/proc/journal.sqlite"] {
        fs::write(shop.config(), &right).unwrap();
        shop.reconfigure("path = \"journal.sqlite\"", &format!("path = {path:?}"));
        let output = shop.run(&["pay", "12.34", "--code", CODE]);
        let errors = String::from_utf8(output.stderr.clone()).unwrap();
        // Beside such a journal there can be no log either, which deserves a line of its own.
        let journal = errors.lines().filter(|line| line.starts_with("paytill: "));
        assert_eq!(journal.count(), 1, "{path}: {errors}");
        assert_eq!(output.status.code(), Some(5), "{path}: {errors}");
        assert!(output.stdout.is_empty() && shop.ledger().is_empty());
    }
    assert_eq!(fs::read(shop.path().join("file")).unwrap(), b"a regular file");
}

#[test]
fn where_no_journal_is_yet_there_are_no_orders_and_reading_makes_none() {
    let shop = shop();
    for path in ["journal.sqlite", "not/there/journal.sqlite"] {
        shop.reconfigure("path = \"journal.sqlite\"", &format!("path = {path:?}"));
        assert!(shop.orders().is_empty());
        assert!(!shop.path().join(path).exists());
        assert!(!shop.path().join(format!("{path}.head")).exists());
        shop.reconfigure(&format!("path = {path:?}"), "path = \"journal.sqlite\"");
    }
}

#[test]
fn the_books_are_read_without_the_secrets() {
    let shop = shop();
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    fs::remove_dir_all(shop.path().join("secrets")).unwrap();
    let orders = shop.orders();
    let number = orders.keys().next().unwrap();
    let shown = shop.run(&["show", number]);
    assert_eq!(shown.status.code(), Some(0), "{shown:?}");
    assert!(sentence(&shop.run(&["pay", "5", "--code", CODE]), 3).contains("api_key_file"));
}

#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    if rustix::process::geteuid().is_root() {
        return; // Root can write to every folder.
    }
    let shop = shop();
    shop.reconfigure("path = \"journal.sqlite\"", "path = \"books/journal.sqlite\"");
    let books = shop.path().join("books");
    fs::create_dir(&books).unwrap();
    fs::set_permissions(&books, Permissions::from_mode(0o500)).unwrap();
    let output = shop.run(&["pay", "12.34", "--code", CODE, "--log-level", "off"]);
    sentence(&output, 5);
    assert!(shop.ledger().is_empty());
}

#[test]
fn a_journal_that_another_till_holds_is_not_waited_for_by_whatever_path() {
    // At a shop's pace: the customer keeps the payment open as long as there.
    let shop = TestShop::open(None, 1);
    let mut pending = PendingPayment::start(&shop, "12.34", &code("walks-away", 1));
    symlink(shop.journal(), shop.path().join("link.sqlite")).unwrap();
    symlink(shop.path(), shop.path().join("shop")).unwrap();
    let right = fs::read_to_string(shop.config()).unwrap();
    for path in ["journal.sqlite", "./journal.sqlite", "link.sqlite", "shop/journal.sqlite"] {
        fs::write(shop.config(), &right).unwrap();
        shop.reconfigure("path = \"journal.sqlite\"", &format!("path = {path:?}"));
        for command in [&["pay", "12.34", "--code", CODE] as &[&str], &["recover"]] {
            let sentence = sentence(&shop.run(command), 4);
            assert!(sentence.contains("another paytill"), "{path}: {sentence}");
        }
        let orders = shop.orders();
        assert_eq!(orders.len(), 1, "reading needs no hold");
        assert_eq!(orders.values().next().unwrap()["state"], "waiting");
    }
    assert!(pending.is_running(), "the first one still holds it");
    assert_eq!(shop.ledger().len(), 1);
}

#[test]
fn no_secret_is_in_any_file_or_on_any_screen() {
    let shop = TestShop::open(None, PACE);
    let identity = Identity::load(shop.path()).unwrap();
    let mut secrets = vec![identity.api_key().to_owned()];
    for pem in [identity.client_key_pem(), identity.client_certificate_pem()] {
        secrets.extend(pem.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned));
    }
    let mut said = Vec::new();
    let mut keep = |output: Output| said.extend([output.stdout, output.stderr].concat());
    let names = ["ok", "notenough", "walks-away", "answer-lost", "password-7"];
    for (serial, name) in (711..).zip(names.map(scenario)) {
        let code = name.code(serial);
        keep(shop.run(&["pay", "12.34", "--code", &code, "--log-level", "trace"]));
        keep(shop.run(&["pay", "12.34", "--code", &code, "--json"]));
        keep(shop.run(&["pay", &code, "--code", "12.34"]));
        secrets.push(code);
    }
    // One dies and leaves its WAL behind.
    let code = code("walks-away", 720);
    keep(shop.faulty(&["pay", "5", "--code", &code], "before:25").output().unwrap());
    secrets.push(code);
    assert!(!fs::read(shop.path().join("journal.sqlite-wal")).unwrap().is_empty());
    let files_now = shop.files();
    for number in shop.orders().keys() {
        keep(shop.run(&["show", number]));
        keep(shop.run(&["show", number, "--json"]));
    }
    keep(shop.run(&["orders"]));
    keep(shop.run(&["recover", "--log-level", "trace"]));
    let logs = fs::read_dir(shop.path()).unwrap().map(|entry| entry.unwrap().path());
    let logs: Vec<_> = logs
        .filter(|path| path.to_str().unwrap().contains(".log."))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    assert!(!logs.is_empty() && said.len() > 1000);
    let texts = files_now.into_iter().chain(shop.files()).chain(logs);
    for (path, bytes) in texts.chain([(PathBuf::from("the terminal"), said)]) {
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds {secret}", path.display());
        }
    }
}

#[test]
fn the_shop_used_here_sells() {
    let shop = shop();
    let ran: Ran = shop.pay("12.34", CODE);
    assert_eq!(ran.exit, 0, "{ran:?}");
    shop.assert_books_agree(true);
}
