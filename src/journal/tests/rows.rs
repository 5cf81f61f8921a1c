//! Every row of a copied journal, altered in every way that is open to whoever does not have the
//! key: what `doctor` says of it. The tables and columns are the file's own, so that new ones are
//! altered too. Of a large table's ways each day tries a third; `PAYTILL_SWEEP=1` tries all.

#[path = "../../../tests/fixture/sweep.rs"]
mod sweep;

use std::collections::BTreeMap;

use super::shifts::{act, cash, close};
use super::*;
use paytill_core::engine::{Act, ActKind};
use paytill_core::payment::{CallKind, Ending, Reason, Reversed, Status};
use paytill_core::shift::Carry;

/// As many ways to alter a table are always tried.
const A_FEW: usize = 100;

/// What the gateway says of an order, before a reversal was accepted and after.
#[derive(Clone)]
pub(super) struct Says {
    pub(super) before: Found,
    pub(super) reversal: Reversed,
    pub(super) after: Found,
}

/// Nobody pays, and the reversal goes through.
pub(super) fn walks_away() -> Says {
    let after = Found::Ended(Ending::Revoked);
    Says { before: Found::NotPaid, reversal: Reversed::Accepted, after }
}

/// The gateway never knows the order.
pub(super) fn never_known() -> Says {
    Says { before: Found::NotFound, reversal: Reversed::Accepted, after: Found::NotFound }
}

/// It was paid after all, too late.
pub(super) fn paid_late() -> Says {
    let transaction_id = "4200002026112200000000000009".to_owned();
    let proof = Proof { transaction_id, paid_at: NOW, coupon: None };
    let after = Found::Ended(Ending::Returned);
    Says { before: Found::Paid(proof), reversal: Reversed::Accepted, after }
}

/// Takes an order on from its last entry, up to a status.
pub(super) fn until(entries: &mut Vec<Entry>, status: Status, says: &Says) {
    let rules = Rules::default();
    let mut accepted = false;
    loop {
        let last = entries.last().unwrap().clone();
        let (mut state, mut now) = (last.state.clone(), last.age);
        let event = if let Some(call) = state.awaited() {
            let answer = match call.kind {
                CallKind::Reverse => {
                    accepted = says.reversal == Reversed::Accepted;
                    Answer::Reversed(says.reversal.clone())
                }
                _ if accepted => Answer::Found(says.after.clone()),
                _ => Answer::Found(says.before.clone()),
            };
            Event::Answered(call.number, answer)
        } else {
            now = state.wake_at(&rules).unwrap().max(now);
            Event::Tick
        };
        let _ = state.step(&event, now, &rules);
        let is_there = state.status() == status && last.state.status() != status;
        let (at, wire) = (Timestamp(NOW.0 + i64::try_from(now.0).unwrap()), Vec::new());
        entries.push(Entry { at, age: now, event, state, wire, begin: None, ..last });
        assert!(entries.len() < 100, "{status:?} is not reached");
        if is_there {
            return;
        }
    }
}

fn story(attempt: i64, ends: &[(Status, Says)]) -> Vec<Entry> {
    let mut entries = vec![begin(attempt)];
    for (status, says) in ends {
        until(&mut entries, *status, says);
    }
    entries
}

/// A journal with sales of every kind, refunds and slips at every stage, copied at several moments; the last
/// copy has all.
struct Sold {
    key: PathBuf,
    moments: Vec<PathBuf>,
}

impl Sold {
    fn new(folder: &TempDir, note: &str) -> Self {
        let path = journal_in(folder);
        let (mut journal, _) = Journal::open(&path, None).unwrap();
        journal.queue_slips();
        let refused = Reversed::Refused(Reason::gateway("TRADE_ERROR", ""));
        let attention = Says { reversal: refused, ..walks_away() };
        let declined = Event::Answered(
            0,
            Answer::Submitted(Submitted::Declined(Reason::gateway("NOTENOUGH", "余额不足"))),
        );
        let mut refused = vec![begin(2), begin(2)];
        assert!(refused[1].state.step(&declined, Millis(400), &Rules::default()).is_some());
        (refused[1].event, refused[1].begin, refused[1].age) = (declined, None, Millis(400));
        let mut again = vec![begin(6), paid(6)];
        let sale = &mut again[0].begin.as_mut().unwrap().sale;
        (sale.id, sale.new) = (3, None);
        let stories = [
            vec![begin(1), waiting(1), paid(1)],
            refused,
            story(3, &[(Status::Reversed, walks_away())]),
            story(4, &[(Status::Attention, attention)]),
            story(5, &[(Status::Reversed, never_known()), (Status::Reversed, paid_late())]),
            again,
            vec![begin(7), waiting(7)],
            vec![cash(8, (8, 1234), true, [1234, 1000])],
        ];
        let mut moments = Vec::new();
        let mut keep = || {
            let copy = folder.path().join(format!("copy-{}.sqlite", moments.len()));
            JournalReader::open(&path, None).unwrap().unwrap().back_up(&copy, None).unwrap();
            moments.push(copy);
        };
        keep();
        for (mut story, id) in stories.into_iter().zip(1..) {
            if let Some(begin) = &mut story[0].begin {
                begin.sale.new = begin.sale.new.as_ref().map(|_| format!("{note} {id}"));
            }
            let (last, others) = story.split_last().unwrap();
            journal.append_all(others).unwrap();
            keep();
            journal.append(last).unwrap();
            keep();
        }
        let accepted = refunds::refund(2, 34).into_iter().take(3);
        for entry in refunds::refund(1, 200).into_iter().chain(accepted) {
            journal.append_refund(&entry).unwrap();
            keep();
        }
        let [begun, done, missing] = [SlipStage::Begun, SlipStage::Done, SlipStage::Missing];
        for (slip, stage) in [(1, begun), (1, done), (2, begun), (3, begun), (3, missing)] {
            journal.mark_slip(slip, stage).unwrap();
            keep();
        }
        // Who asked for a copy, and who opened the drawer, are entries, too.
        let by = By { operator: "Anna".into(), consent: Some("Ben".into()) };
        journal.queue_copy(&order(4).out_trade_no, NOW, Some(&by)).unwrap().unwrap();
        keep();
        journal.append_act(&Act { at: NOW, kind: ActKind::Drawer, by: Some(by) }).unwrap();
        keep();
        let (amount, reason) = (Money::from_minor(1000), "零钱".to_owned());
        let returned = act(ActKind::CashReturned { amount });
        assert!(journal.append_acts_of(&[(returned, order(8).out_trade_no)]).unwrap());
        keep();
        for kind in [
            ActKind::CashIn { amount, reason: reason.clone() },
            ActKind::CashOut { amount, reason },
        ] {
            journal.append_act(&act(kind)).unwrap();
            keep();
        }
        for work in [
            ShiftWork::Open { at: NOW, float: amount, by: None },
            close(1000, Carry::Yes(Some("王芳".into()))),
        ] {
            let done = journal.do_shift(work, &TimeZone::UTC).unwrap();
            assert!(!matches!(done, ShiftDone::Not(_)), "{done:?}");
            keep();
        }
        Self { key: beside(&path, ".key"), moments }
    }

    /// The last of the copies.
    fn copy(&self) -> &Path {
        self.moments.last().unwrap()
    }

    /// What `doctor` says of it.
    fn audited(&self) -> Result<Audit, JournalError> {
        JournalReader::open(self.copy(), Some(&self.key))?.expect("a journal").audit()
    }
}

/// A table as it is in the file.
struct Table {
    name: String,
    /// What numbers its rows.
    key: String,
    /// The other columns, and their types.
    columns: Vec<(String, String)>,
    rows: Vec<i64>,
}

fn tables(copy: &Path) -> Vec<Table> {
    let db = Connection::open(copy).unwrap();
    let list = |sql: &str| -> Vec<(String, String)> {
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let tables = list("SELECT name, type FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    let table = |(name, _): (String, String)| {
        let mut columns = list(&format!("SELECT name, type FROM pragma_table_info('{name}')"));
        let (key, _) = columns.remove(0);
        let rows = list(&format!("SELECT CAST({key} AS TEXT), '' FROM {name} ORDER BY {key}"));
        let rows = rows.iter().map(|(row, _)| row.parse().unwrap()).collect();
        Table { name, key, columns, rows }
    };
    tables.into_iter().map(table).collect()
}

impl Table {
    fn is(&self, row: i64) -> String {
        format!("WHERE {} = {row}", self.key)
    }

    /// Every column of a row in turn, by several values.
    fn changed(&self, row: i64) -> Vec<String> {
        let Self { name, key, .. } = self;
        let mut cases = Vec::new();
        for (column, kind) in self.columns.iter().chain([&(key.clone(), "INTEGER".to_owned())]) {
            let values: &[&str] = match kind.as_str() {
                "INTEGER" => &["{} + 1", "{} - 1", "0", "-{}", "{} + 1000"],
                "TEXT" => {
                    &["{} || ' '", "''", "upper({})", "substr({}, 2)", "replace({}, '1', '2')"]
                }
                "BLOB" => &[
                    "zeroblob(16)",
                    "zeroblob(length({}))",
                    "x''",
                    "NULL",
                    "CAST(substr({}, 1, length({}) - 1) || x'00' AS BLOB)",
                    "CAST({} || x'00' AS BLOB)",
                    "CAST(x'00' || substr({}, 2) AS BLOB)",
                ],
                kind => panic!("{name}.{column} is {kind}"),
            };
            for value in values {
                let value = value.replace("{}", column);
                let is = self.is(row);
                cases.push(format!(
                    "UPDATE {name} SET {column} = {value} {is} AND {column} IS NOT {value}"
                ));
            }
        }
        cases
    }

    /// A row under the next number: of this table, or of another journal's.
    fn inserted(&self, row: i64, from: &str) -> String {
        let Self { name, key, columns, .. } = self;
        let rest = columns.iter().map(|(column, _)| match column.as_str() {
            "out_trade_no" => ", out_trade_no || 'x'".to_owned(),
            column => format!(", {column}"),
        });
        let rest: String = rest.collect();
        let is = self.is(row);
        format!(
            "INSERT INTO {name} SELECT (SELECT max({key}) + 1 FROM main.{name}){rest}
             FROM {from}{name} {is}"
        )
    }

    fn swapped(&self, one: i64, other: i64) -> String {
        let Self { name, key, .. } = self;
        format!(
            "UPDATE {name} SET {key} = -1 WHERE {key} = {one};
             UPDATE {name} SET {key} = {one} WHERE {key} = {other};
             UPDATE {name} SET {key} = {other} WHERE {key} = -1"
        )
    }

    /// A row as it is in another file.
    fn replaced(&self, row: i64) -> String {
        let is = self.is(row);
        format!("REPLACE INTO main.{name} SELECT * FROM other.{name} {is}", name = self.name)
    }

    /// Which rows are others there.
    fn differing(&self, copy: &Path, other: &Path) -> Vec<i64> {
        let Self { name, key, .. } = self;
        let db = Connection::open(copy).unwrap();
        db.execute("ATTACH ? AS other", [other.to_str().unwrap()]).unwrap();
        let sql = format!(
            "SELECT {key} FROM (SELECT * FROM other.{name} EXCEPT SELECT * FROM main.{name})"
        );
        let mut statement = db.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// All of the above, but for what takes another file.
    fn altered(&self) -> Vec<String> {
        let rows = self.rows.iter();
        let mut cases: Vec<String> = rows.clone().flat_map(|row| self.changed(*row)).collect();
        cases
            .extend(rows.clone().map(|row| format!("DELETE FROM {} {}", self.name, self.is(*row))));
        cases.extend(rows.map(|row| self.inserted(*row, "")));
        cases.extend(self.rows.windows(2).map(|pair| self.swapped(pair[0], pair[1])));
        cases
    }
}

/// Alters a file; `false` if SQLite itself refuses it, or nothing is another.
fn alter(copy: &Path, other: Option<&Path>, sql: &str) -> bool {
    let db = Connection::open(copy).unwrap();
    db.execute_batch(
        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
         PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;",
    )
    .unwrap();
    if let Some(other) = other {
        db.execute("ATTACH ? AS other", [other.to_str().unwrap()]).unwrap();
    }
    db.execute_batch(sql).is_ok() && db.total_changes() > 0
}

#[test]
fn every_row_that_is_not_what_was_written_is_named() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (sold, others) = (Sold::new(&folder, "table"), Sold::new(&elsewhere, "counter"));
    let whole = std::fs::read(sold.copy()).unwrap();
    assert!(sold.audited().unwrap().is_closed);
    let tables = tables(sold.copy());
    let (mut tried, mut missed) = (BTreeMap::<&str, u32>::new(), Vec::new());
    for table in &tables {
        let mut cases: Vec<(Option<&Path>, String)> =
            table.altered().into_iter().map(|sql| (None, sql)).collect();
        let other = Some(others.copy());
        cases.extend(table.rows.iter().map(|row| (other, table.inserted(*row, "other."))));
        // Single rows of another journal, and of every earlier moment.
        for other in [others.copy()].into_iter().chain(sold.moments.iter().map(PathBuf::as_path)) {
            let differing = table.differing(sold.copy(), other).into_iter();
            cases.extend(differing.map(|row| (Some(other), table.replaced(row))));
        }
        if cases.len() > A_FEW {
            cases = sweep::share(cases, 3);
        }
        for (other, sql) in cases {
            std::fs::write(sold.copy(), &whole).unwrap();
            if !alter(sold.copy(), other, &sql) {
                continue;
            }
            *tried.entry(&table.name).or_default() += 1;
            match sold.audited() {
                Err(JournalError::Damaged { .. } | JournalError::Key { .. }) => {}
                // What a kill leaves looks the same, and is named as that.
                Ok(Audit { is_closed: false, .. }) if table.name == "in_use" => {}
                found => missed.push(format!("{sql}\n  {other:?}: {found:?}")),
            }
        }
    }
    println!("{tried:?}");
    assert!(tables.iter().all(|table| tried.contains_key(table.name.as_str())), "{tried:?}");
    assert!(missed.is_empty(), "{}:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn a_file_of_an_earlier_moment_is_named_by_the_mirror() {
    let folder = tempfile::tempdir().unwrap();
    let sold = Sold::new(&folder, "table");
    let now = Connection::open(sold.copy()).unwrap();
    let last = |db: &Connection| -> i64 {
        db.query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| row.get(0)).unwrap()
    };
    let last_now = last(&now);
    drop(now);
    let mut refused = 0;
    for moment in &sold.moments {
        if last(&Connection::open(moment).unwrap()) == last_now {
            continue;
        }
        std::fs::copy(moment, sold.copy()).unwrap();
        let found = sold.audited();
        assert!(matches!(found, Err(JournalError::Damaged { .. })), "{}", moment.display());
        refused += 1;
    }
    assert!(refused > 10, "{refused}");
}

#[test]
fn a_table_column_or_program_that_was_added_or_taken_away_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let sold = Sold::new(&folder, "table");
    let whole = std::fs::read(sold.copy()).unwrap();
    for sql in [
        "CREATE TABLE cats (name TEXT)",
        "CREATE VIEW paid AS SELECT * FROM attempt",
        "CREATE TRIGGER quiet BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END",
        "ALTER TABLE sale ADD COLUMN tip INTEGER",
        "DROP TABLE slip",
        "DROP TABLE refund",
        "PRAGMA user_version = 3",
        "PRAGMA user_version = 4",
        "PRAGMA user_version = 5",
    ] {
        std::fs::write(sold.copy(), &whole).unwrap();
        Connection::open(sold.copy()).unwrap().execute_batch(sql).unwrap();
        let found = sold.audited();
        assert!(matches!(found, Err(JournalError::Damaged { .. })), "{sql}: {found:?}");
    }
}
