//! How a process ends and the next one starts, on a disk that may have lost what was not flushed.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use paytill::clock::TimeZone;
use paytill::engine::{Attempt, Engine, OrderTemplate, Recovered, RefundRecord};
use paytill::journal::{
    FailStop, Files, Filter, Journal, JournalError, JournalReader, KeyFault, OrderRow, Secret,
};
use paytill::money::{Currency, Money};
use paytill::order::TillId;
use paytill::payment::Rules;
use paytill::simulator::Api;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use simulated_disk::{Disk, Loss, SmallFile, VFS};

use super::{
    Due, JOURNAL, OPERATIONS_OF_A_FIRST_START, OPERATIONS_OF_A_START, OPERATIONS_OF_AN_ENTRY, Till,
    World, account, office,
};
use crate::invariants::Invariant;
use crate::plan::HEALED;
use crate::screen::Screen;

/// How long after healing everything that was open must have ended: the time before a reversal, the
/// time a customer has, and three queries.
const ENDS_AFTER: u64 = 15_000 + 30_000 + 3 * 5_000;

/// What a till needs longer whose first question after that only tells it that it lacks a certificate.
const RENEWED_AFTER: u64 = 40_000;

/// What it takes longer where a backend must end it first.
const BEHIND_AFTER: u64 = 60_000;

/// The shifts that are opened with a start have numbers from here.
const STARTS: u64 = 1_000;

/// Every simulated journal has the same.
const KEY: Secret = [0x5a; 32];

/// The journal's files on the simulated disk, for one process.
struct OnDisk {
    database: String,
    log: SmallFile,
    mirror: SmallFile,
    key: SmallFile,
}

impl OnDisk {
    fn of(disk: &Disk) -> Self {
        Self {
            database: disk.path(JOURNAL),
            log: disk.small_file("journal.sqlite-wal"),
            mirror: disk.small_file("journal.sqlite.head"),
            key: disk.small_file("journal.sqlite.key"),
        }
    }
}

impl Files for OnDisk {
    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Connection::open_with_flags_and_vfs(&self.database, flags, VFS)
    }

    fn settle_log(&self) -> io::Result<()> {
        let bytes = self.log.read()?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.log.write(&bytes)?;
        self.log.flush()
    }

    fn read_mirror(&self) -> io::Result<Vec<u8>> {
        self.mirror.read()
    }

    fn write_mirror(&self, record: &[u8]) -> io::Result<()> {
        self.mirror.write(record)
    }

    fn flush_mirror(&self) -> io::Result<()> {
        self.mirror.flush()
    }

    fn read_key(&self) -> Result<Option<Secret>, KeyFault> {
        let bytes = self.key.read().map_err(KeyFault::Unreadable)?;
        // One that is not whole has no name yet.
        Ok(bytes.try_into().ok())
    }

    fn make_key(&self) -> Result<Secret, KeyFault> {
        // As on a disk of this machine: also if it is there, written anew.
        self.key.write(&KEY).and_then(|()| self.key.flush()).map_err(KeyFault::NotMade)?;
        Ok(KEY)
    }

    fn key_path(&self) -> PathBuf {
        "journal.sqlite.key".into()
    }
}

impl World {
    pub(super) fn die(&mut self, how: &str) {
        if self.disk_chance.bool() { self.kill(how) } else { self.power_cut() }
    }

    pub(super) fn kill(&mut self, how: &str) {
        if self.is_healed() || self.till.is_none() {
            return;
        }
        self.tell(|| format!("THE TILL IS {}", how.to_uppercase()));
        self.disk.kill();
        self.is_gone();
    }

    pub(super) fn power_cut(&mut self) {
        if self.is_healed() {
            return;
        }
        let loss = [Loss::Nothing, Loss::Everything, Loss::Tail, Loss::Some];
        let loss = loss[self.disk_chance.usize(..4)];
        self.tell(|| format!("THE POWER FAILS; of what was not flushed, lost: {loss:?}"));
        self.disk.cut_power(loss, &mut self.disk_chance);
        self.is_gone();
        self.machine = (self.machine.0 + 1, self.now);
        self.suspended_until = 0;
    }

    /// A clean end: entries that were handed over are still written.
    pub(super) fn closing(&mut self) {
        if self.is_healed() || self.till.is_none() {
            return;
        }
        self.tell(|| "the till is closed".to_owned());
        self.draw_trouble(
            3 * self.climate.death_at_the_disk,
            self.climate.failing_disk,
            OPERATIONS_OF_AN_ENTRY,
        );
        if let Some(till) = &mut self.till {
            while let Some(entry) = till.queue.pop_front() {
                let _ = entry.append(&mut till.journal);
            }
        }
        self.till = None;
        self.disk.kill();
        self.is_gone();
    }

    pub(super) fn is_gone(&mut self) {
        self.counts.deaths += 1;
        self.till = None;
        self.disk.mend();
        self.process += 1;
        self.awaited.clear();
        self.awaited_refunds.clear();
        let at = (self.now + self.disk_chance.u64(10..20_000)).min(HEALED.max(self.now));
        self.plan_at(at, Due::Start { process: self.process });
    }

    pub(super) fn start(&mut self) {
        let is_first = self.auditor.ends().next().is_none();
        let operations = if is_first { OPERATIONS_OF_A_FIRST_START } else { OPERATIONS_OF_A_START };
        self.draw_trouble(self.climate.death_at_a_start, self.climate.failing_disk, operations);
        let opened = Journal::on(OnDisk::of(&self.disk), Path::new(JOURNAL));
        if self.disk.is_dead() {
            drop(opened);
            self.tell(|| "THE TILL DIED AT ITS START".to_owned());
            if self.disk_chance.bool() {
                self.disk.kill();
                return self.is_gone();
            }
            return self.power_cut();
        }
        let has_failed = self.disk.has_failed();
        self.disk.disarm();
        match opened {
            Ok((journal, past)) => self.open(journal, past),
            // The owner reads the reason and tries again.
            Err(error) if has_failed => {
                self.tell(|| format!("the till does not start: {error}"));
                self.disk.kill();
                self.is_gone();
            }
            Err(error) => self.auditor.broken(Invariant::NothingLost, error.to_string()),
        }
    }

    pub(super) fn open(&mut self, journal: Journal, past: Recovered) {
        let reader = match self.reader() {
            Ok(reader) => reader,
            Err(error) => return self.auditor.broken(Invariant::NothingLost, error.to_string()),
        };
        let (rows, refunds) = match everything(&reader) {
            Ok(read) => read,
            Err(error) => return self.auditor.broken(Invariant::NothingLost, error.to_string()),
        };
        self.auditor.restarted(&reader, &rows);
        drop(reader);
        // A sale that never reached the disk was never seen by anybody.
        let known: BTreeSet<i64> = rows.iter().map(|row| row.sale).collect();
        let numbers: BTreeSet<String> =
            rows.iter().map(|row| row.out_trade_no.to_string()).collect();
        for sale in self.sales.values_mut() {
            sale.id = sale.id.filter(|id| known.contains(id));
            sale.latest = sale.latest.take().filter(|number| numbers.contains(number.as_str()));
        }
        if self.auditor.doubts_the_drawer() {
            self.reads_the_shifts();
        }
        self.tell(|| format!("the till starts; {} open or watched", past.open.len()));
        self.opens_the_line();
        let mut merchant = match &self.office {
            Some(_) => office::merchant_behind(&self.plan),
            None => account(&self.plan).merchant,
        };
        if self.climate.corrected_ids > 0 && self.process > 0 {
            merchant.app_id = account(&self.plan).other_app_id.unwrap_or_default();
        }
        let Some(till) = TillId::new("T01") else { return };
        let identity = OrderTemplate {
            till,
            merchant,
            currency: Currency::CNY,
            body: "Corner Coffee".into(),
            device_info: "S001".into(),
            time_zone: TimeZone::UTC,
        };
        let of_the_past = past.open.iter().map(|stored| stored.id).collect();
        let (engine, effects) = Engine::new(
            identity,
            Rules::default(),
            Arc::clone(&self.line.codec),
            self.machine.0,
            past,
            self.uptime(),
            self.wall(),
        );
        let mut screen = Screen::new(rows.into_iter().map(Attempt::from).collect(), refunds);
        screen.check(&mut self.auditor);
        self.till = Some(Till {
            engine,
            journal: FailStop::new(journal),
            queue: VecDeque::new(),
            screen,
            past: of_the_past,
            entries: 0,
            disk_failed: false,
        });
        if self.is_healed() {
            self.plan_judgement();
        }
        // Before anything else is written.
        self.plan_at(self.now, Due::Open(STARTS + u64::from(self.process)));
        self.verdict = None;
        self.perform(effects);
        self.shows_open_refunds();
        self.comes_to_the_desk();
    }

    /// Reads without changing the files.
    pub(super) fn reader(&self) -> Result<JournalReader, JournalError> {
        let db = OnDisk::of(&self.disk).connect()?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(JournalReader::on(db, &KEY, Path::new(JOURNAL)))
    }

    /// What is open now must end in time. What a recheck finds after that gets its own time.
    fn plan_judgement(&mut self) {
        let Some(till) = &self.till else { return };
        let open = till.engine.busy().map(ToString::to_string).collect();
        let longer = if self.api == Api::V3Certificates { RENEWED_AFTER } else { 0 };
        let longer = if self.office.is_some() { BEHIND_AFTER } else { longer };
        self.plan_at(
            self.now + ENDS_AFTER + longer,
            Due::Judgement { process: self.process, open },
        );
    }

    pub(super) fn judgement(&mut self, open: &[String]) {
        let Some(till) = self.till.as_ref().filter(|_| self.climate.no_reversals == 0) else {
            return;
        };
        let still: Vec<String> = till.engine.busy().map(ToString::to_string).collect();
        if let Some(number) = still.iter().find(|number| open.contains(number)) {
            let what = format!("{number} is still open so long after healing");
            self.auditor.broken(Invariant::Converges, what);
        }
    }

    pub(super) fn heal(&mut self) {
        self.tell(|| "from here on nothing fails".to_owned());
        self.bank.heal();
        self.heals_the_backend();
        // API v3 and a backend need it; nobody else does.
        if self.climate.api_v3 > 0 || self.office.is_some() {
            self.wall_error = 0;
        }
        self.disk.mend();
        // Entries that were waiting for a slow disk are written at once.
        self.plan_at(self.now, Due::Disk { process: self.process });
        if self.till.as_ref().is_some_and(|till| till.disk_failed) {
            self.disk.kill();
            self.is_gone();
        }
        self.plan_judgement();
    }
}

/// All orders, and what was given back of them.
fn everything(reader: &JournalReader) -> Result<(Vec<OrderRow>, Vec<RefundRecord>), JournalError> {
    let rows = reader.orders(&Filter::default())?;
    let mut refunds = Vec::new();
    for order in rows.iter().filter(|row| row.refunded > Money::default()) {
        refunds.extend(reader.refunds(order.attempt)?.into_iter().map(|row| row.of(order)));
    }
    Ok((rows, refunds))
}
