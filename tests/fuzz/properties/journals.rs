//! Journals with changed bytes: either refused with a sentence and left unchanged or, if the bytes
//! do not matter, opened with everything that was acknowledged.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use paytill::clock::{Millis, TimeZone, Timestamp, Uptime};
use paytill::engine::{Begin, Entry, Recovered, SaleEntry};
use paytill::journal::{Filter, Journal, JournalError, JournalReader};
use paytill::language::Language;
use paytill::money::Money;
use paytill::order::{Order, OutTradeNo};
use paytill::payment::{Answer, Event, Proof, Reason, Rules, State, Submitted};
use paytill::text;
use tempfile::TempDir;

use super::draw::{Draw, hostile};
use super::plain::assert_plain;

const NOW: Timestamp = Timestamp(1_795_318_200_000);
/// The journal and the files beside it.
const FILES: [&str; 3] = ["", "-wal", ".head"];

thread_local! {
    static PATTERN: RefCell<Pattern> = RefCell::new(Pattern::new());
}

/// A journal of a few orders as after a power cut, with half of them still in the WAL.
struct Pattern {
    folder: TempDir,
    files: [Vec<u8>; 3],
    past: String,
}

fn order(number: i64) -> Order {
    Order {
        out_trade_no: OutTradeNo::try_from(format!("T01-{number:06}")).unwrap(),
        amount: Money::from_minor(1000 + number),
        ..super::answers::order()
    }
}

/// The entries of an order: begun, and one answer.
fn entries(attempt: i64) -> [Entry; 2] {
    let rules = Rules::default();
    let mut state = State::begin(&rules, 0);
    let begun = Entry {
        attempt,
        at: NOW,
        age: Millis(0),
        sent_at: Uptime(5_000),
        boot: 7,
        event: Event::Begun,
        by: None,
        state: state.clone(),
        wire: vec![("total_fee".into(), "1234".into())],
        begin: Some(Box::new(Begin {
            sale: SaleEntry {
                id: attempt,
                new: Some("table 7".into()),
                due: order(attempt).amount,
                sold: std::sync::Arc::default(),
            },
            order: order(attempt),
            code_hash: Some([u8::try_from(attempt).unwrap(); 16]),
            day: NOW.day(&TimeZone::UTC),
        })),
    };
    let answer = match attempt % 3 {
        0 => Submitted::Paying,
        1 => Submitted::Paid(Proof {
            transaction_id: "4200002026112200000000000001".into(),
            paid_at: NOW,
            coupon: None,
        }),
        _ => Submitted::Declined(Reason::gateway("NOTENOUGH", "余额不足")),
    };
    let event = Event::Answered(0, Answer::Submitted(answer));
    let _ = state.step(&event, Millis(300), &rules);
    [
        begun.clone(),
        Entry { age: Millis(300), event, state, wire: Vec::new(), begin: None, ..begun },
    ]
}

impl Pattern {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.sqlite");
        let (mut journal, _) = open(&path).unwrap();
        for entry in (1..=4).flat_map(entries) {
            journal.append(&entry).unwrap();
        }
        drop(journal);
        let (mut journal, _) = open(&path).unwrap();
        for entry in (5..=7).flat_map(entries) {
            journal.append(&entry).unwrap();
        }
        // Their state while the journal is held.
        let files = FILES.map(|suffix| fs::read(beside(&path, suffix)).unwrap());
        assert!(files.iter().all(|bytes| !bytes.is_empty()));
        drop(journal);
        let copy = folder.path().join("journal.sqlite");
        fs::copy(beside(&path, ".key"), beside(&copy, ".key")).unwrap();
        put(&copy, &files);
        let past = told(&open(&copy).unwrap().1);
        Self { folder, files, past }
    }

    /// Writes the files with these bytes, then reads and opens the journal.
    fn try_out(&self, files: &[Vec<u8>; 3]) {
        let path = self.folder.path().join("journal.sqlite");
        put(&path, files);
        if let Ok(Some(reader)) = JournalReader::open(&path, None) {
            read_all(&reader);
        }
        put(&path, files);
        match open(&path) {
            Ok((_, past)) if files[2].starts_with(&self.files[2]) => {
                assert_eq!(told(&past), self.past);
            }
            // If the mirror is emptied too, an older journal looks complete; it must still be ours.
            Ok((_, past)) => {
                assert!(files[2].is_empty(), "the mirror is wrong: {:x?}", files[2]);
                assert!(past.last_attempt <= 7 && past.open.len() <= 7, "{past:?}");
            }
            Err(error) => {
                is_a_sentence(&error);
                // A refused journal is unchanged, except for what SQLite may rebuild.
                for (suffix, bytes) in FILES.iter().zip(files) {
                    let now = fs::read(beside(&path, suffix)).unwrap_or_default();
                    assert!(now == *bytes, "{suffix:?} was changed: {error}");
                }
            }
        }
    }
}

fn open(path: &Path) -> Result<(Journal, Recovered), JournalError> {
    loop {
        match Journal::open(path, None) {
            // A child process that another test is starting briefly shares our locks.
            Err(JournalError::Held(_)) => std::thread::yield_now(),
            opened => return opened,
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn put(path: &Path, files: &[Vec<u8>; 3]) {
    for suffix in FILES.iter().chain(&["-shm", "-journal"]) {
        let _ = fs::remove_file(beside(path, suffix));
    }
    for (suffix, bytes) in FILES.iter().zip(files) {
        fs::write(beside(path, suffix), bytes).unwrap();
    }
}

fn told(past: &Recovered) -> String {
    format!("{past:?}")
}

fn is_a_sentence(error: &JournalError) {
    assert!(!matches!(error, JournalError::Stopped | JournalError::Held(_)), "{error}");
    for sentence in Language::ALL.map(|language| text::journal::sentence(error, language)) {
        assert_plain(&sentence, "a sentence");
        assert!((10..1000).contains(&sentence.len()), "{sentence}");
    }
}

/// Lists and shows everything; what cannot be read is an error.
fn read_all(reader: &JournalReader) {
    let Ok(orders) = reader.orders(&Filter::default()) else { return };
    for order in orders {
        let _ = reader.order(order.out_trade_no.as_str());
        let _ = reader.entries(order.attempt);
    }
}

pub fn check(data: &[u8]) {
    PATTERN.with_borrow(|pattern| {
        let mut files = pattern.files.clone();
        let mut draw = Draw(data);
        for _ in 0..12 {
            if draw.is_over() {
                break;
            }
            change(&mut files, &pattern.files, &mut draw);
        }
        pattern.try_out(&files);
    });
}

/// One change of one file.
fn change(files: &mut [Vec<u8>; 3], first: &[Vec<u8>; 3], draw: &mut Draw<'_>) {
    let (deed, which) = (draw.byte(), usize::from(draw.byte() % 3));
    let spread = |draw: &mut Draw<'_>, length: usize| {
        let at = (usize::from(draw.byte()) << 16) | usize::from(draw.short());
        if length == 0 { 0 } else { at % length }
    };
    let at = spread(draw, files[which].len());
    match deed % 8 {
        0 => {
            if let Some(byte) = files[which].get_mut(at) {
                *byte ^= 1 << (draw.byte() % 8);
            }
        }
        1 => {
            for (offset, byte) in draw.bytes().iter().enumerate() {
                if let Some(place) = files[which].get_mut(at + offset) {
                    *place = *byte;
                }
            }
        }
        2 => files[which].truncate(at),
        3 => files[which].extend_from_slice(draw.bytes()),
        // Copies a page over another one, possibly of another file.
        4 => {
            let from = usize::from(draw.byte() % 3);
            let source = spread(draw, first[from].len()) / 4096 * 4096;
            let page = first[from][source..first[from].len().min(source + 4096)].to_vec();
            let at = at / 4096 * 4096;
            let end = files[which].len().min(at + page.len());
            if at < end {
                files[which][at..end].copy_from_slice(&page[..end - at]);
            }
        }
        5 => {
            let end = files[which].len().min(at + 512);
            files[which][at..end].fill(draw.byte());
        }
        // Replaces words of the format by others of the same length.
        6 => {
            let pairs: [(&[u8], &[u8]); 8] = [
                (b"paid", b"sent"),
                (b"sent", b"paid"),
                (b"1001", b"1002"),
                (b"\"Begun\"", b"\"Tick\" "),
                (b"Sent", b"Paid"),
                (b"T01-000001", b"T01-000002"),
                (b"CNY", b"\x1b[m"),
                (b"NOTENOUGH", b"\x1b[2J\x1b[2J\x07"),
            ];
            let (from, to) = draw.one_of(&pairs);
            replace(&mut files[which], from, to);
        }
        _ => {
            let text = hostile(usize::from(draw.byte() % 16));
            let bytes = text.as_bytes();
            let length = bytes.len().min(12).min(files[which].len() - at);
            files[which][at..at + length].copy_from_slice(&bytes[..length]);
        }
    }
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let places: Vec<usize> = (0..bytes.len().saturating_sub(from.len()))
        .filter(|at| bytes[*at..].starts_with(from))
        .collect();
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
}
