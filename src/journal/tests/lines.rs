//! What a sale sells: kept with it, covered by the chain, and nothing to those without.

use std::sync::Arc;

use super::*;
use paytill_core::money::Money;
use paytill_core::sale::{Discount, Line, Quantity, Rate, Sale, Sold};

/// Two lines that come to what [`begin`] charges.
pub(super) fn sold() -> Arc<Sold> {
    let line = |price, name: &str| Line {
        code: "6901234567892".into(),
        name: name.into(),
        rate: Rate::from_hundredths(1300).unwrap(),
        ..Line::of_amount(Money::from_minor(price), Quantity::ONE)
    };
    let due = order(1).amount.minor();
    let lines = vec![line(due - 100, "a \"b\" \\ 可乐"), line(150, "")];
    let discount = Some(Discount::Amount(Money::from_minor(50)));
    Arc::new(Sale { lines, discount, consent: None }.total().unwrap())
}

pub(super) fn begun_with_lines(attempt: i64) -> Entry {
    let mut entry = begin(attempt);
    if let Some(begin) = &mut entry.begin {
        begin.sale.sold = sold();
    }
    entry
}

/// A journal with a sale of lines and a bare one, both open.
fn with_lines(folder: &TempDir) -> PathBuf {
    let path = journal_in(folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append_all(&[begun_with_lines(1), begin(2)]).unwrap();
    path
}

#[test]
fn what_a_sale_sells_is_kept_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = with_lines(&folder);
    let (journal, past) = Journal::open(&path, None).unwrap();
    let kept: Vec<_> = past.open.iter().map(|open| Arc::clone(&open.sold)).collect();
    assert_eq!(kept, [sold(), Arc::default()]);
    drop(journal);
    let mut reader = JournalReader::open(&path, None).unwrap().unwrap();
    let rows = reader.orders(&Filter::default()).unwrap();
    let read: Vec<_> = rows.iter().map(|row| Arc::clone(&row.sold)).collect();
    assert_eq!(read, [Arc::default(), sold()]);
    assert_eq!(reader.audit().unwrap().orders, 2);
    let proof = reader.proof(1).unwrap();
    let facts: Vec<serde_json::Value> = serde_json::from_str(&proof.records[0].facts).unwrap();
    let lines: Sold = serde_json::from_str(facts[13].as_str().unwrap()).unwrap();
    assert_eq!((facts.len(), Arc::new(lines)), (14, sold()));
    assert!(reader.seal().fits(&proof.records[0]));
    let bare: Vec<serde_json::Value> =
        serde_json::from_str(&reader.proof(2).unwrap().records[0].facts).unwrap();
    assert_eq!(bare.len(), 13, "as it always was");
}

#[test]
fn lines_that_were_altered_are_noticed() {
    for altered in [
        "UPDATE sale SET lines = replace(lines, '6901234567892', '6901234567809') WHERE id = 1",
        "UPDATE sale SET lines = '' WHERE id = 1",
        "UPDATE sale SET lines = 'x' WHERE id = 1",
        "UPDATE sale SET lines = (SELECT lines FROM sale WHERE id = 1) WHERE id = 2",
        "ALTER TABLE sale DROP COLUMN lines",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = with_lines(&folder);
        Connection::open(&path).unwrap().execute_batch(altered).unwrap();
        let found = JournalReader::open(&path, None).and_then(|reader| reader.unwrap().audit());
        assert!(found.is_err(), "{altered}");
        assert!(Journal::open(&path, None).is_err(), "{altered}");
    }
}

#[test]
fn a_journal_without_lines_gets_the_column_and_keeps_its_digests() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append_all(&[begin(1), begin(2), paid(2)]).unwrap();
    drop(journal);
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "ALTER TABLE sale DROP COLUMN lines; DROP TABLE refund; PRAGMA user_version = 5;",
        )
        .unwrap();
    let head = |path: &Path| JournalReader::open(path, None).unwrap().unwrap().audit().unwrap();
    let before = head(&path);
    let (mut journal, past) = Journal::open(&path, None).unwrap();
    assert!(past.open[0].sold.is_bare());
    assert_eq!(journal.migrated().map(|migrated| (migrated.from, migrated.to)), Some((5, FORMAT)));
    assert_eq!(head(&path).head, before.head);
    journal.append(&begun_with_lines(3)).unwrap();
    drop(journal);
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    assert_eq!(reader.orders(&Filter::default()).unwrap()[0].sold, sold());
}
