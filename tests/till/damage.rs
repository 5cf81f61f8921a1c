//! The journal's files come back altered: pages, frames and entire files. The till's start and the
//! order commands refuse them and leave them untouched, or read exactly what was written. The
//! journal is never silently new, and never silently says less.
//!
//! Of the kinds of damage each page has a part, each another one, and others the next day; all with
//! `PAYTILL_SWEEP=1` (`fixture/sweep.rs`).

use std::collections::BTreeMap;
use std::fs;

use crate::fixture::{PACE, PendingPayment, Ran, TestShop, code, sweep};
use serde_json::Value;

const PAGE: usize = 4096;
const WAL_HEADER: usize = 32;
const FRAME: usize = 24 + PAGE;
const JOURNAL: &str = "journal.sqlite";
const WAL: &str = "journal.sqlite-wal";
const SHM: &str = "journal.sqlite-shm";
const HEAD: &str = "journal.sqlite.head";

/// The journal's files by name.
type Files = BTreeMap<&'static str, Vec<u8>>;

fn files(shop: &TestShop) -> Files {
    let read = |name| fs::read(shop.path().join(name)).ok().map(|bytes| (name, bytes));
    [JOURNAL, WAL, SHM, HEAD].into_iter().filter_map(read).collect()
}

fn put(shop: &TestShop, files: &Files) {
    for name in [JOURNAL, WAL, SHM, HEAD] {
        match files.get(name) {
            Some(bytes) => fs::write(shop.path().join(name), bytes).unwrap(),
            None => drop(fs::remove_file(shop.path().join(name))),
        }
    }
}

/// Sells enough for the journal to have several pages of everything.
fn sell(shop: &TestShop, serials: std::ops::Range<u64>) {
    let note = "tea and a long talk about it ".repeat(6);
    for (serial, name) in serials.zip(["ok", "notenough", "ok", "cancels", "ok"].iter().cycle()) {
        let ran = shop.run(&["pay", "12.34", "--note", &note, "--code", &code(name, serial)]);
        assert!(ran.status.code().is_some_and(|code| code < 12), "{ran:?}");
    }
    assert_eq!(shop.recover().exit, 0);
}

/// What an order said, except what depends on when a recovery resumed it.
fn timeless(mut order: Value) -> Value {
    for by_time in ["at", "updated_at", "reason"] {
        order.as_object_mut().unwrap().remove(by_time);
    }
    order
}

fn ended(shop: &TestShop) -> Vec<Value> {
    shop.orders().into_values().map(timeless).collect()
}

/// An undamaged journal, and what it says.
struct Whole<'a> {
    shop: &'a TestShop,
    files: Files,
    orders: Vec<u8>,
    /// What `show` says about the latest order.
    latest: (String, Vec<u8>),
    /// The orders after a recovery that reached the gateway.
    ended: Vec<Value>,
    /// One in so many of the kinds of damage is tried.
    one_in: usize,
    turn: usize,
    refused: usize,
    same: usize,
}

impl<'a> Whole<'a> {
    fn new(shop: &'a TestShop) -> Self {
        let files = files(shop);
        let orders = shop.run(&["orders", "--json"]).stdout;
        let number = shop.orders().into_keys().next_back().unwrap();
        let shown = shop.run(&["show", &number, "--json"]).stdout;
        assert_eq!(shop.recover().exit, 0);
        shop.assert_books_agree(true);
        let ended = ended(shop);
        let latest = (number, shown);
        Self { shop, files, orders, latest, ended, one_in: 1, turn: 0, refused: 0, same: 0 }
    }

    /// Puts the files in place with one of them altered, and checks how that is handled.
    fn injure(&mut self, what: &str, name: &'static str, bytes: impl Into<Option<Vec<u8>>>) {
        self.turn += 1;
        if !sweep::takes(self.turn, self.one_in) {
            return;
        }
        let bytes = bytes.into();
        let mut files = self.files.clone();
        if bytes.as_ref() == files.get(name) {
            return;
        }
        match bytes {
            Some(bytes) => files.insert(name, bytes),
            None => files.remove(name),
        };
        self.check(&format!("{name} {what}"), &files);
    }

    /// Like [`Whole::injure`], for a set of files; returns whether it was refused.
    fn check(&mut self, what: &str, files: &Files) -> bool {
        let Self { shop, orders, latest: (number, shown), refused, same, .. } = &*self;
        put(shop, files);
        let (before, calls) = (shop.files(), shop.calls());
        // Alternate between the two commands, since each costs a process.
        let (arguments, right) = if (refused + same).is_multiple_of(2) {
            (vec!["orders", "--json"], orders)
        } else {
            (vec!["show", number, "--json"], shown)
        };
        let read = shop.run(&arguments);
        match read.status.code() {
            Some(0) => assert_eq!(
                String::from_utf8_lossy(&read.stdout),
                String::from_utf8_lossy(right),
                "{what}: {arguments:?} says something else"
            ),
            Some(5) => assert!(read.stdout.is_empty() && !read.stderr.is_empty(), "{what}"),
            _ => panic!("{what}: {arguments:?} {read:?}"),
        }
        let unchanged = |by: &str| {
            let after = shop.files();
            for (path, bytes) in &before {
                assert!(after.get(path) == Some(bytes), "{what}: {} by {by}", path.display());
            }
        };
        unchanged("a look");
        let ran: Ran = shop.recover();
        let story = format!("{what}: {ran:?}");
        if ran.exit == 5 {
            unchanged("a start");
            assert_eq!(shop.calls(), calls, "nothing was sent: {story}");
            assert!(ran.lines.is_empty() && ran.errors.lines().count() == 1, "{story}");
            let says_what_to_do = ["ove it away", "choose another", "move the file", "start again"];
            assert!(says_what_to_do.iter().any(|words| ran.errors.contains(words)), "{story}");
            self.refused += 1;
            return true;
        }
        assert_eq!(ran.exit, 0, "{story}");
        assert_eq!(ended(shop), self.ended, "{story}");
        shop.assert_books_agree(true);
        self.same += 1;
        false
    }

    fn tell(&self, kind: &str) {
        let (refused, same) = (self.refused, self.same);
        assert!(refused > 0, "{kind}: nothing was noticed");
        println!(
            "damage, {kind}: {} injected, {refused} refused, {same} read the same",
            refused + same
        );
    }
}

/// A shop that sold, and whose till was killed while waiting for a customer.
fn killed_shop() -> TestShop {
    let shop = TestShop::open(None, PACE);
    sell(&shop, 0..8);
    drop(PendingPayment::start(&shop, "5", &code("walks-away", 99)));
    shop
}

fn random_bytes(random: &mut fastrand::Rng, length: usize) -> Vec<u8> {
    (0..length).map(|_| random.u8(..)).collect()
}

/// The same bytes with one place changed.
fn with(bytes: &[u8], at: usize, change: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[at..at + change.len()].copy_from_slice(change);
    changed
}

fn flipped(bytes: &[u8], at: usize, bit: u8) -> Vec<u8> {
    with(bytes, at, &[bytes[at] ^ (1 << bit)])
}

/// Alters every page of the main file.
fn injure_pages(whole: &mut Whole<'_>) {
    // A page has eleven, so that the next one has others.
    whole.one_in = 5;
    let mut random = fastrand::Rng::with_seed(7);
    let journal = whole.files[JOURNAL].clone();
    assert!(journal.len().is_multiple_of(PAGE) && journal.len() > 8 * PAGE);
    let pages = journal.len() / PAGE;
    for page in 0..pages {
        let start = page * PAGE;
        let other = (page + random.usize(1..pages)) % pages * PAGE;
        let mut injure =
            |what: &str, bytes| whole.injure(&format!("page {page} {what}"), JOURNAL, bytes);
        injure("zeroed", with(&journal, start, &[0; PAGE]));
        injure("random", with(&journal, start, &random_bytes(&mut random, PAGE)));
        injure("of another place", with(&journal, start, &journal[other..other + PAGE]));
        injure("half zeroed", with(&journal, start + PAGE / 2, &[0; PAGE / 2]));
        for _ in 0..3 {
            let (at, bit) = (start + random.usize(..PAGE), random.u8(..8));
            injure(&format!("byte {at} bit {bit}"), flipped(&journal, at, bit));
        }
        for length in [start, start + 1, start + PAGE / 2 + 1, start + PAGE - 1] {
            injure(&format!("cut to {length}"), journal[..length].to_vec());
        }
    }
    whole.one_in = 1;
    whole.injure("gone", JOURNAL, None);
    let longer = [&journal[..], &random_bytes(&mut random, PAGE)].concat();
    whole.injure("and a page behind it", JOURNAL, Some(longer));
}

#[test]
fn damage_to_any_page_of_a_closed_journal_is_noticed_or_changes_nothing() {
    let shop = TestShop::open(None, PACE);
    sell(&shop, 0..10);
    let mut whole = Whole::new(&shop);
    assert!(!whole.files.contains_key(WAL));
    injure_pages(&mut whole);
    whole.tell("pages of a closed journal");
}

#[test]
fn damage_to_any_page_of_a_killed_tills_journal_is_noticed_or_changes_nothing() {
    let shop = killed_shop();
    let mut whole = Whole::new(&shop);
    assert!(whole.files[WAL].len() > WAL_HEADER + 3 * FRAME);
    injure_pages(&mut whole);
    whole.tell("pages beside a write-ahead log");
}

#[test]
fn damage_to_any_frame_of_the_write_ahead_log_is_noticed_or_changes_nothing() {
    let shop = killed_shop();
    let other_shop = killed_shop();
    let mut whole = Whole::new(&shop);
    let mut random = fastrand::Rng::with_seed(8);
    let wal = whole.files[WAL].clone();
    let frames = (wal.len() - WAL_HEADER) / FRAME;
    // A frame has fifteen.
    whole.one_in = 4;
    for frame in 0..frames {
        let start = WAL_HEADER + frame * FRAME;
        let other = WAL_HEADER + (frame + random.usize(1..frames)) % frames * FRAME;
        let mut injure =
            |what: &str, bytes| whole.injure(&format!("frame {frame} {what}"), WAL, bytes);
        injure("zeroed", with(&wal, start, &[0; FRAME]));
        injure("random", with(&wal, start, &random_bytes(&mut random, FRAME)));
        injure("of another place", with(&wal, start, &wal[other..other + FRAME]));
        for at in [
            random.usize(..4),
            4 + random.usize(..4),
            8 + random.usize(..8),
            16 + random.usize(..8),
        ] {
            injure(&format!("head byte {at}"), flipped(&wal, start + at, random.u8(..8)));
        }
        for _ in 0..3 {
            let at = 24 + random.usize(..PAGE);
            injure(&format!("byte {at}"), flipped(&wal, start + at, random.u8(..8)));
        }
        for length in [start, start + 1, start + 24, start + FRAME / 2, start + FRAME - 1] {
            injure(&format!("cut to {length}"), wal[..length].to_vec());
        }
    }
    for at in 0..WAL_HEADER {
        whole.injure(&format!("header byte {at}"), WAL, flipped(&wal, at, random.u8(..8)));
    }
    whole.one_in = 1;
    whole.injure("missing", WAL, None);
    whole.injure("random", WAL, Some(random_bytes(&mut random, wal.len())));
    whole.injure("of another journal", WAL, Some(files(&other_shop)[WAL].clone()));
    whole.injure("twice", WAL, Some([&wal[..], &wal[WAL_HEADER..]].concat()));
    whole.tell("frames of the write-ahead log");
}

#[test]
fn files_of_another_time_or_journal_are_noticed_or_change_nothing() {
    let shop = TestShop::open(None, PACE);
    sell(&shop, 0..4);
    let earlier = files(&shop);
    sell(&shop, 4..8);
    drop(PendingPayment::start(&shop, "5", &code("walks-away", 99)));
    let other_shop = killed_shop();
    let others = files(&other_shop);
    let mut whole = Whole::new(&shop);
    let now = whole.files.clone();
    let mut random = fastrand::Rng::with_seed(9);

    let head = now[HEAD].clone();
    // A byte has two.
    whole.one_in = 3;
    for at in 0..head.len() {
        whole.injure(&format!("byte {at}"), HEAD, flipped(&head, at, random.u8(..8)));
        whole.injure(&format!("cut to {at}"), HEAD, Some(head[..at].to_vec()));
    }
    whole.one_in = 1;
    whole.injure("missing", HEAD, None);
    whole.injure("random", HEAD, Some(random_bytes(&mut random, head.len())));
    whole.injure("of another journal", HEAD, Some(others[HEAD].clone()));
    whole.injure("older", HEAD, Some(earlier[HEAD].clone()));

    let shm = now.get(SHM).map_or(32_768, Vec::len);
    whole.injure("missing", SHM, None);
    whole.injure("zeroed", SHM, Some(vec![0; shm]));
    for length in [1, 100, shm / 2, shm, 2 * shm] {
        whole.injure("random", SHM, Some(random_bytes(&mut random, length)));
    }
    whole.injure("of another journal", SHM, others.get(SHM).cloned());

    // Part of an older backup, or of another journal, in place of what was written since.
    for (whose, put_back) in [("older", &earlier), ("another's", &others)] {
        for names in [&[JOURNAL][..], &[JOURNAL, WAL], &[JOURNAL, WAL, SHM], &[WAL], &[WAL, SHM]] {
            let mut files = now.clone();
            for name in names {
                match put_back.get(name) {
                    Some(bytes) => files.insert(name, bytes.clone()),
                    None => files.remove(name),
                };
            }
            let was_refused = whole.check(&format!("{whose} {names:?}"), &files);
            assert!(was_refused, "{whose} {names:?}");
        }
    }
    whole.tell("files of another time or journal");
}

/// A full backup cannot be told from the journal of a quiet period. But no number is used twice,
/// and what is sold afterwards is the same in the journal and in the bank's books.
#[test]
fn after_a_complete_backup_was_restored_the_till_sells_under_new_numbers() {
    let shop = TestShop::open(None, PACE);
    sell(&shop, 0..3);
    let earlier = files(&shop);
    sell(&shop, 3..6);
    let lost = shop.orders();
    put(&shop, &earlier);
    assert_eq!(shop.orders().len(), 3);
    for serial in 20..26 {
        let ran = shop.pay("3.21", &code("ok", serial));
        assert_eq!(ran.exit, 0, "{ran:?}");
        let number = ran.last()["order_no"].as_str().unwrap();
        assert!(!lost.contains_key(number), "{number} was used before");
    }
    let ledger = shop.ledger();
    assert_eq!(ledger.len(), 12);
    for entry in &ledger {
        assert_eq!(entry.submissions(), 1, "{entry:?}");
        let known = shop.orders().contains_key(&entry.out_trade_no);
        assert!(known || lost.contains_key(&entry.out_trade_no), "{entry:?}");
    }
}

/// Whoever knows of one file copies one file.
#[test]
fn a_journal_that_was_not_closed_is_refused_without_the_files_beside_it() {
    let shop = killed_shop();
    let number = shop.orders().into_keys().next_back().unwrap();
    let whole = files(&shop);
    put(&shop, &Files::from([(JOURNAL, whole[JOURNAL].clone())]));
    for arguments in [
        &["orders"][..],
        &["show", &number],
        &["recover"],
        &["pay", "1.00", "--code", &code("ok", 500)],
        &["doctor"],
    ] {
        for (language, words) in [("en", "was not closed"), ("zh-CN", "没有正常关闭")] {
            let ran = shop.run(&[arguments, &["--lang", language]].concat());
            assert_eq!(ran.status.code(), Some(5), "{arguments:?}: {ran:?}");
            let said = [ran.stdout, ran.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            for word in [words, "journal.sqlite-wal", "journal.sqlite.head"] {
                assert!(said.contains(word), "{arguments:?}: {said}");
            }
        }
    }
    assert!(files(&shop)[JOURNAL] == whole[JOURNAL], "it was changed");
    put(&shop, &whole);
    assert_eq!(shop.recover().exit, 0);
    // Closed by now: the one file is all.
    let orders = shop.orders();
    put(&shop, &Files::from([(JOURNAL, files(&shop)[JOURNAL].clone())]));
    assert_eq!(shop.orders(), orders);
    assert_eq!(shop.pay("1.00", &code("ok", 501)).exit, 0);
}

/// A pipe that nobody writes to, in place of any file that a command reads.
#[test]
fn a_pipe_in_place_of_a_file_is_refused_and_not_waited_for() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let shop = TestShop::open(None, PACE);
    shop.configure("[printer]\nkind = \"escpos-file\"\nport = \"receipts.bin\"\n");
    assert_eq!(shop.pay("1.00", &code("ok", 1)).exit, 0);
    let pay = ["pay", "1.00", "--code", &code("ok", 2)];
    let cases: [(&str, &[&str], i32, &str); 6] = [
        ("journal.sqlite", &["orders"], 5, "a pipe"),
        ("journal.sqlite.head", &pay, 5, "a pipe"),
        ("journal.sqlite.lock", &["recover"], 5, "a pipe"),
        ("till.toml", &["orders"], 3, "till.toml"),
        ("devices.toml", &["devices"], 0, "devices.toml"),
        ("receipts.bin", &["print-test"], 1, "not printed"),
    ];
    for (name, arguments, exit, words) in cases {
        let path = shop.path().join(name);
        let kept = shop.path().join("kept");
        let _ = fs::rename(&path, &kept);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let ran = shop.run(arguments);
        let story = format!("{name}: {ran:?}");
        assert_eq!(ran.status.code(), Some(exit), "{story}");
        assert!(String::from_utf8_lossy(&ran.stderr).contains(words), "{story}");
        fs::remove_file(&path).unwrap();
        let _ = fs::rename(&kept, &path);
    }
    assert_eq!(shop.orders().len(), 1);
}
