//! What does not grow with the journal, what is noticed all the same, and what a journal is without
//! the files beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use paytill_core::payment::Status;

/// A journal of this many paid attempts and an open one, written at once.
fn bulk(folder: &TempDir, attempts: i64) -> PathBuf {
    let path = journal_in(folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.db.pragma_update(None, "synchronous", "OFF").unwrap();
    for first in (1..=attempts).step_by(1000) {
        let range = first..=attempts.min(first + 999);
        let entries: Vec<Entry> = range.flat_map(|id| [begin(id), paid(id)]).collect();
        journal.append_all(&entries).unwrap();
    }
    journal.append_all(&[begin(attempts + 1), waiting(attempts + 1)]).unwrap();
    path
}

fn tamper(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn latest(limit: u32) -> Filter {
    Filter { limit: Some(limit), ..Filter::default() }
}

/// How SQLite would carry out a query, a line for each table.
fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values = vec!["1"; statement.parameter_count()];
    let rows = statement
        .query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn no_query_reads_a_whole_table_or_a_whole_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = bulk(&folder, 100);
    let (journal, _) = Journal::open(&path, None).unwrap();
    let mut queries: Vec<String> = check::QUERIES
        .iter()
        .chain(&[past::OPEN, past::LATEST, slips::IN_PROGRESS, slips::OF_ORDER, slips::EARLIER])
        .chain(&[
            shift::LAST_CLOSE,
            shift::FIRST_OPENING,
            shift::LAST_ACT,
            shift::OF_ORDER,
            shift::DUE,
            shift::BESIDE,
            shift::STATE_BEFORE,
            shift::REFUND_BEFORE,
            shift::OF_REFUND,
            shift::OPEN,
        ])
        .chain(&[register::REGISTER, register::TAKEN, register::HIGHEST])
        .chain(&crate::refunds::QUERIES)
        .chain(&[refund_paper::AS_IT_IS, refund_paper::EVENT, refund_slips::GIVEN])
        .chain(&[tenders::WITH_TENDERS])
        .map(|sql| (*sql).to_owned())
        .collect();
    queries.extend([read::BY_NUMBER, read::BY_TRANSACTION].map(read::ending));
    let day = || Some("2026-11-22".to_owned());
    let mut filters = vec![
        Filter { open: true, ..Filter::default() },
        Filter { day: day(), ..Filter::default() },
        latest(50),
    ];
    for status in Status::ALL {
        filters.push(Filter { status: Some(status), ..latest(50) });
        filters.push(Filter { status: Some(status), day: day(), ..latest(50) });
    }
    queries.extend(filters.iter().map(|filter| read::query(filter).0));
    for sql in queries {
        let plan = plan(&journal.db, &sql);
        for line in &plan {
            // Newest first and until the limit: that is no whole table. And the index of what is
            // open has nothing else.
            let is_from_the_end = line == "SCAN attempt" && sql.contains("DESC LIMIT");
            let is_open = line.contains("INDEX attempt_in_progress")
                || line.contains("INDEX slip_in_progress")
                || line.contains("INDEX refund_in_progress")
                || line == "SCAN last_slip";
            assert!(is_from_the_end || is_open || !line.contains("SCAN"), "{sql}: {plan:?}");
            assert!(!line.contains("TEMP B-TREE"), "{sql}: {plan:?}");
        }
        let is_of_open = sql.contains("progress <> 'done'");
        assert!(!is_of_open || plan[0].contains("_in_progress"), "{sql}: {plan:?}");
        let is_rare = sql.contains("status <> 'paid'");
        assert!(!is_rare || plan[0].contains("attempt_not_paid"), "{sql}: {plan:?}");
    }
}

/// Counts the steps of SQLite's virtual machine from now on.
fn counter(db: &mut Connection) -> Arc<AtomicU64> {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let handler = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    db.progress_handler(1, Some(handler)).unwrap();
    count
}

impl JournalReader {
    fn steps(&mut self, work: impl FnOnce(&Self)) -> u64 {
        let count = counter(self.connection());
        work(self);
        count.load(Ordering::Relaxed)
    }
}

#[test]
fn the_work_of_a_start_and_of_a_list_does_not_grow_with_the_journal() {
    let [of_few, of_many] = [2_000, 9_900].map(|attempts| {
        let folder = tempfile::tempdir().unwrap();
        let path = bulk(&folder, attempts);
        let (mut journal, _) = Journal::open(&path, None).unwrap();
        let (path, db) = (path, &mut journal.db);
        // The file is too large to be checked whole, which would set a handler of its own.
        let count = counter(db);
        check::complete(db, &journal.key, &path, check::VERIFIED_AT_START).unwrap();
        assert_eq!(past::past(db, &journal.key, &path).unwrap().open.len(), 1);
        let start = count.load(Ordering::Relaxed);
        let mut reader = JournalReader::of_held(&path, None).unwrap();
        let list = reader.steps(|reader| assert_eq!(reader.orders(&latest(50)).unwrap().len(), 50));
        let show = reader.steps(|reader| {
            let row = reader.order("T01-000077").unwrap().unwrap();
            assert_eq!(reader.entries(row.attempt).unwrap().len(), 2);
        });
        let tail = reader.steps(|reader| {
            assert!(!reader.ending("0077", 20).unwrap().is_empty());
            assert_eq!(reader.ending("-000077", 20).unwrap().len(), 1);
        });
        [start, list, show, tail]
    });
    for (few, many) in of_few.into_iter().zip(of_many) {
        assert!(few > 100 && many < few + few / 10, "{of_few:?} steps, then {of_many:?}");
    }
}

#[test]
fn what_is_listed_and_shown_is_checked_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let path = bulk(&folder, 1_500);
    let good = std::fs::read(&path).unwrap();
    for tampering in [
        "UPDATE attempt SET amount = 1 WHERE id = 500",
        "UPDATE sale SET note = 'x' WHERE id = 500",
        "UPDATE attempt SET status = 'declined' WHERE id = 500",
        "UPDATE attempt SET last_entry = last_entry - 1 WHERE id = 500",
        "UPDATE entry SET state = replace(state, '4200', '4300') WHERE attempt = 500",
        "UPDATE entry SET event = '\"Tick\"' WHERE attempt = 500 AND event = '\"Begun\"'",
        "PRAGMA foreign_keys = OFF; DELETE FROM attempt WHERE id = 500",
        "PRAGMA foreign_keys = OFF; DELETE FROM entry WHERE attempt = 500;
         DELETE FROM attempt WHERE id = 500",
    ] {
        tamper(&path, tampering);
        let reader = JournalReader::open(&path, None).unwrap().unwrap();
        let listed = reader.orders(&latest(1_400)).map(|rows| rows.len());
        assert!(matches!(listed, Err(JournalError::Damaged { .. })), "{tampering}: {listed:?}");
        let shown = reader.order("T01-000500");
        assert!(!matches!(&shown, Ok(Some(_))), "{tampering}: {shown:?}");
        assert!(reader.orders(&latest(50)).is_ok());
        drop(reader);
        assert!(
            Journal::open(&path, None).is_ok(),
            "{tampering}: what is sold now does not rest on it"
        );
        std::fs::write(&path, &good).unwrap();
    }
}

#[test]
fn an_open_order_that_its_index_has_lost_is_noticed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = bulk(&folder, 1_500);
    let index = |which: &str| {
        format!(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema
             SET sql = 'CREATE INDEX attempt_in_progress ON attempt (id) WHERE progress {which}'
             WHERE name = 'attempt_in_progress';
             PRAGMA writable_schema = RESET;"
        )
    };
    let lost = index("= ''none''");
    tamper(&path, &format!("{lost} REINDEX attempt_in_progress; {}", index("<> ''done''")));
    assert!(matches!(refusal(&path), JournalError::Damaged { .. }));
}

/// What the check beside a running till finds.
fn found(path: &Path) -> Option<String> {
    let (journal, _) = Journal::open(path, None).unwrap();
    let (report, reported) = std::sync::mpsc::channel();
    let mut writer = Writer::start(journal, move |written: Written| {
        report.send((written.subject, written.result.err().map(|why| why.to_string()))).unwrap();
    })
    .unwrap();
    writer.check_everything().unwrap();
    writer.finish_check();
    assert!(writer.write(begin(9_000)));
    let (attempt, first) = reported.recv().unwrap();
    if attempt == Subject::Attempt(0) {
        let (_, refused) = reported.recv().unwrap();
        assert!(refused.is_some(), "nothing is written to what is damaged");
    }
    first
}

#[test]
fn damage_far_back_is_found_beside_a_till_that_sells_and_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = bulk(&folder, 3_000);
    let good = std::fs::read(&path).unwrap();
    let head = std::fs::read(beside(&path, ".head")).unwrap();
    assert_eq!(found(&path), None);
    for tampering in [
        "UPDATE entry SET at = at + 1 WHERE seq = 77",
        "UPDATE attempt SET status = 'declined' WHERE id = 50",
        "UPDATE attempt SET amount = amount + 1 WHERE id = 1",
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX attempt_of_day ON attempt (sale)'
         WHERE name = 'attempt_of_day'",
    ] {
        std::fs::write(&path, &good).unwrap();
        std::fs::write(beside(&path, ".head"), &head).unwrap();
        tamper(&path, tampering);
        let told = found(&path).unwrap();
        assert!(told.contains("damaged") && told.contains("nothing more is sold"), "{told}");
        assert!(!beside(&path, "-wal").exists() || JournalReader::open(&path, None).is_ok());
    }
}

#[test]
fn a_round_goes_on_where_the_last_process_came_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = bulk(&folder, 3_000);
    let bookmark = |seq: i64| {
        let db = Connection::open(&path).unwrap();
        let chain: [u8; 16] =
            db.query_row("SELECT chain FROM entry WHERE seq = ?", [seq], |row| row.get(0)).unwrap();
        std::fs::write(beside(&path, ".checked"), head::record(seq, &chain)).unwrap();
    };
    let key = Key::new(&key::read(&beside(&path, ".key")).unwrap().unwrap());
    let go = |stop: bool| rounds::go_round(&path, &key, &Arc::new(AtomicBool::new(stop)));
    go(true).unwrap();
    go(false).unwrap();
    let mark = std::fs::read(beside(&path, ".checked")).unwrap();
    assert_eq!(mark, head::record(0, &[0; 16]), "the next begins at the first entry");
    bookmark(2_000);
    tamper(&path, "UPDATE entry SET at = at + 1 WHERE seq = 1999");
    assert!(go(false).is_ok(), "it was good when it was read");
    assert!(go(false).is_err(), "the next round sees it");
    // A bookmark of another journal, and ones that cannot be read.
    let [other, beyond] = [2_000, 9_000].map(|seq| head::record(seq, &[7; 16]).to_vec());
    for spoilt in [other, beyond, vec![1, 2], vec![]] {
        std::fs::write(beside(&path, ".checked"), spoilt).unwrap();
        assert!(go(false).is_err());
    }
}

#[test]
fn a_year_of_evenings_with_the_plug_pulled_leaves_small_files() {
    const SALES: i64 = 12;
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut next, mut largest, mut moved) = (1, 0, 0);
    for _ in 0..365 {
        let (mut journal, past) = Journal::open(&path, None).unwrap();
        journal.db.pragma_update(None, "synchronous", "OFF").unwrap();
        assert_eq!(past.last_attempt, next - 1);
        let left = beside(&path, "-wal").metadata().map_or(0, |log| log.len());
        assert_eq!(left, 0, "a start leaves nothing to be written again");
        for id in next..next + SALES {
            for entry in [begin(id), waiting(id), paid(id)] {
                journal.append(&entry).unwrap();
            }
        }
        next += SALES;
        journal.leave_as_it_is();
        drop(journal);
        let log = beside(&path, "-wal").metadata().unwrap().len();
        largest = largest.max(log);
        moved += log;
    }
    let main = path.metadata().unwrap().len();
    let sales = u64::try_from(next - 1).unwrap();
    println!(
        "a year: {sales} sales, main file {main}, log at most {largest}, {} bytes of log a sale",
        moved / sales
    );
    assert!(largest < 2 * 1024 * 1024, "{largest}");
    assert!(moved / sales < 128 * 1024, "{} bytes a sale", moved / sales);
    assert!(main / sales < 4096, "{main}");
}

#[test]
fn a_log_that_is_never_quiet_is_moved_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.db.pragma_update(None, "synchronous", "OFF").unwrap();
    let mut largest = 0;
    for id in 1..=2_500 {
        journal.append(&begin(id)).unwrap();
        journal.append(&paid(id)).unwrap();
        largest = largest.max(beside(&path, "-wal").metadata().unwrap().len());
    }
    println!("never quiet: log at most {largest}");
    assert!(largest < 64 * 1024 * 1024, "{largest}");
}

/// What a person copies who knows of one file.
fn alone(from: &Path) -> (TempDir, PathBuf) {
    let into = tempfile::tempdir().unwrap();
    let copy = into.path().join("journal.sqlite");
    std::fs::copy(from, &copy).unwrap();
    (into, copy)
}

fn assert_alone(path: &Path) {
    let (_folder, copy) = alone(path);
    let read = JournalReader::open(&copy, None).map(|reader| reader.is_some());
    assert!(matches!(read, Err(JournalError::Alone(_))), "{read:?}");
    assert!(matches!(refusal(&copy), JournalError::Alone(_)));
    // With the log, but without the mirror, nobody knows whether it is the newest.
    if beside(path, "-wal").exists() {
        let (_folder, copy) = alone(path);
        std::fs::copy(beside(path, "-wal"), beside(&copy, "-wal")).unwrap();
        assert!(matches!(refusal(&copy), JournalError::Alone(_)));
    }
}

#[test]
fn a_journal_that_was_not_closed_is_nothing_without_the_files_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    // From the first entry on.
    for entry in [begin(1), paid(1), begin(2)] {
        journal.append(&entry).unwrap();
        assert_alone(&path);
        let whole = tempfile::tempdir().unwrap();
        assert!(Journal::open(&cut(&path, &whole), None).is_ok());
    }
    journal.leave_as_it_is();
    drop(journal);
    assert_alone(&path);
    let (journal, _) = Journal::open(&path, None).unwrap();
    assert_alone(&path);
    drop(journal);
    // Now it was closed, and needs only its key.
    let (_folder, copy) = alone(&path);
    assert!(matches!(refusal(&copy), JournalError::Key { fault: KeyFault::Missing, .. }));
    std::fs::copy(beside(&path, ".key"), beside(&copy, ".key")).unwrap();
    let reader = JournalReader::open(&copy, None).unwrap().unwrap();
    assert_eq!(reader.orders(&Filter::default()).unwrap().len(), 2);
    drop(reader);
    let (mut journal, past) = Journal::open(&copy, None).unwrap();
    assert_eq!(past.open.len(), 1);
    journal.append(&paid(2)).unwrap();
    assert_alone(&copy);
}

#[test]
fn a_journal_that_failed_is_not_marked_as_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&begin(1)).unwrap();
    assert!(journal.append(&begin(1)).is_err());
    drop(journal);
    assert_alone(&path);
}

#[test]
fn a_pipe_in_place_of_any_file_is_refused_and_nothing_waits_for_it() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    for suffix in ["", "-wal", "-shm", "-journal", ".head", ".lock", ".checked"] {
        let folder = tempfile::tempdir().unwrap();
        let path = filled(&folder);
        let pipe = beside(&path, suffix);
        let _ = std::fs::remove_file(&pipe);
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert!(matches!(refusal(&path), JournalError::NoFile(_)), "{suffix}");
        let read = JournalReader::open(&path, None).map(|reader| reader.is_some());
        assert!(matches!(read, Err(JournalError::NoFile(_))), "{suffix}: {read:?}");
        assert!(!is_held(&path));
    }
}

#[test]
fn an_order_is_found_by_its_last_digits_however_far_back_and_by_its_transaction_among_the_latest() {
    let folder = tempfile::tempdir().unwrap();
    let path = bulk(&folder, 6_000);
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    let found = |tail: &str| -> Vec<i64> {
        reader.ending(tail, 3).unwrap().iter().map(|row| row.attempt).collect()
    };
    assert_eq!(found("0007"), [7]);
    assert_eq!(found("-000007"), [7]);
    assert_eq!(found("1-000007"), [7]);
    assert_eq!(found("2-000007"), [] as [i64; 0]);
    // All of them have the same.
    assert_eq!(found("2200000000000001"), [6_000, 5_999, 5_998]);
    assert_eq!(found("6001"), [6_001], "it is open, and has no transaction");
    tamper(&path, "UPDATE attempt SET amount = 1 WHERE id = 7");
    assert!(matches!(reader.ending("0007", 3), Err(JournalError::Damaged { .. })));
}
