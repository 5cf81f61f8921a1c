//! What shows outside the journal that an order's entries are what was written: the entries as the
//! digests cover them, and the digests from the first of them to the journal's last entry.
//!
//! A digest can be made again only with the key and the whole entry. The entries between, which are
//! other customers', are represented by their digests alone: the journal verifies them when it gives
//! the proof, and whoever has the key puts a seal on the whole.

use std::path::Path;

use super::check::{Check, EntryRow, PIECE};
use super::files;
use super::key::{self, Key, KeyFault, hex};
use super::read::JournalReader;
use super::{JournalError, Tip};

/// An entry in all its parts, as its digest covers them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// Its number in the journal.
    pub number: i64,
    /// The attempt it is about; with a minus what concerns that and does not move it.
    pub attempt: i64,
    pub at: i64,
    pub age: i64,
    pub boot: i64,
    pub sent_at: i64,
    /// JSON, as stored; so are the next two.
    pub event: String,
    pub state: String,
    pub wire: String,
    /// What the order or the refund was begun with, as one text; empty but for its first entry.
    pub facts: String,
    /// The digest of the entry before it, in hexadecimal digits.
    pub before: String,
    pub digest: String,
}

/// The entries of an order, and the chain from the first of them to the journal's end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChainProof {
    pub records: Vec<Record>,
    /// The number of the first entry whose digest follows.
    pub first: i64,
    pub digests: Vec<String>,
}

/// What only the holder of a journal's key can make.
#[derive(Clone)]
pub struct Seal(Key);

impl Seal {
    /// By the key of the journal at this path, if there is one; it needs no journal. `named` is as
    /// for [`super::Journal::open`].
    pub fn of(journal: &Path, named: Option<&Path>) -> Result<Option<Self>, KeyFault> {
        let journal = files::resolved(journal).unwrap_or_else(|_| journal.to_owned());
        let found = key::read(&key::place(&journal, named))?;
        Ok(found.map(|secret| Self(Key::new(&secret))))
    }

    /// Tells keys apart, and gives nothing of them away.
    pub fn mark(&self) -> String {
        self.0.mark()
    }

    /// A seal on a text.
    pub fn over(&self, text: &[u8]) -> String {
        // An entry has five parts.
        hex(&self.0.hash(&[0; 16], &[b"evidence", text]))
    }

    /// Whether an entry is what was written with this key, behind the entry that it names.
    pub fn fits(&self, record: &Record) -> bool {
        let Some(before) = unhex(&record.before) else { return false };
        hex(&row(record).hash(&self.0, &before, &record.facts)) == record.digest
    }
}

impl JournalReader {
    /// What the journal's key makes.
    pub fn seal(&self) -> Seal {
        Seal(self.key.clone())
    }

    /// The proof of an order. Everything from its first entry to the last one is verified.
    pub fn proof(&self, attempt: i64) -> Result<ChainProof, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let check = self.check();
            check.order(attempt)?;
            let numbers = check.entries_of(attempt)?;
            let first = numbers.first().copied().ok_or_else(|| check.misplaced(attempt))?;
            let last = check.last()?;
            let mut tip = Tip { seq: first - 1, chain: check.hash_of(first - 1)? };
            while tip.seq < last {
                tip = check.chain(tip, PIECE)?;
            }
            let mut statement =
                self.db.prepare("SELECT chain FROM entry WHERE seq >= ? ORDER BY seq")?;
            let digests = statement.query_map([first], |row| Ok(hex(&row.get::<_, [u8; 16]>(0)?)));
            let digests = digests?.collect::<Result<_, _>>()?;
            let records = numbers
                .into_iter()
                .map(|number| record(&check, number))
                .collect::<Result<_, _>>()?;
            Ok(ChainProof { records, first, digests })
        })
    }
}

/// An entry in all its parts. It is verified.
fn record(check: &Check<'_>, number: i64) -> Result<Record, JournalError> {
    let entry = check.entry(number)?;
    let facts = check.facts_of(&entry)?;
    let [before, digest] = [check.hash_of(number - 1)?, check.hash_of(number)?];
    let [before, digest] = [hex(&before), hex(&digest)];
    let EntryRow { seq, attempt, at, age, boot, sent_at, event, state, wire } = entry;
    Ok(Record {
        number: seq,
        attempt,
        at,
        age,
        boot,
        sent_at,
        event,
        state,
        wire,
        facts,
        before,
        digest,
    })
}

fn row(record: &Record) -> EntryRow {
    EntryRow {
        seq: record.number,
        attempt: record.attempt,
        at: record.at,
        age: record.age,
        boot: record.boot,
        sent_at: record.sent_at,
        event: record.event.clone(),
        state: record.state.clone(),
        wire: record.wire.clone(),
    }
}

fn unhex(digits: &str) -> Option<[u8; 16]> {
    let is_digest = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u128::from_str_radix(digits, 16).ok().filter(|_| is_digest)?;
    Some(number.to_be_bytes())
}
