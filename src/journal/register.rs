//! What all slips come to: the number of the last one, and the sum of their seals. So a slip that
//! was left out, put in, or put back to an earlier stage together with the seal that it had then
//! does not fit.
//!
//! It is kept up by differences and never made anew: what did not fit once does not fit later.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::key::Key;
use super::tables::{self, SLIP_SUMS, SLIPS};

pub(super) const REGISTER: &str = "SELECT slip, sum, seal FROM last_slip";
/// As it was in format 4.
const UNSUMMED: &str = "SELECT slip, zeroblob(16), seal FROM last_slip";
const SINGLE: &str = "SELECT count(*) = 1 AND max(id) = 1 FROM last_slip";
pub(super) const TAKEN: &str = "SELECT 1 FROM slip WHERE id = ?";
pub(super) const HIGHEST: &str = "SELECT coalesce(max(id), 0) FROM slip";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Register {
    /// The number of the last slip.
    pub(super) last: i64,
    sum: u128,
    /// Its seal fits. One whose seal does not is left as it is, for `doctor` to name.
    pub(super) is_sound: bool,
    format: i32,
}

impl Register {
    /// Of a journal without slips.
    pub(super) const fn new(format: i32) -> Self {
        Self { last: 0, sum: 0, is_sound: true, format }
    }

    pub(super) fn read(db: &Connection, key: &Key, format: i32) -> rusqlite::Result<Self> {
        let sql = if format < SLIP_SUMS { UNSUMMED } else { REGISTER };
        let found: Option<(i64, Vec<u8>, Vec<u8>)> = db
            .prepare_cached(sql)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let (last, sum, seal) = found.unwrap_or_default();
        let known: Option<[u8; 16]> = sum.try_into().ok();
        let sum = known.map(u128::from_be_bytes);
        let mut register = Self { last, sum: sum.unwrap_or_default(), is_sound: false, format };
        register.is_sound = sum.is_some() && register.seal(key)[..] == seal;
        Ok(register)
    }

    fn seal(&self, key: &Key) -> [u8; 16] {
        let sum = self.sum.to_be_bytes();
        let sum: &[u8] = if self.format < SLIP_SUMS { b"" } else { &sum };
        key.hash(&[0; 16], &[b"last slip", &self.last.to_be_bytes(), sum])
    }

    /// The number of the next slip. A row that somebody has put in is in nobody's way.
    pub(super) fn next(&self, db: &Connection) -> rusqlite::Result<i64> {
        let next = self.last.checked_add(1).filter(|_| self.is_sound);
        if let Some(next) = next
            && !db.prepare_cached(TAKEN)?.exists([next])?
        {
            return Ok(next);
        }
        let highest: i64 = db.prepare_cached(HIGHEST)?.query_row([], |row| row.get(0))?;
        highest.checked_add(1).ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// Whether there is one row of it.
    pub(super) fn is_single(db: &Connection) -> rusqlite::Result<bool> {
        let single: Option<bool> = db.query_row(SINGLE, [], |row| row.get(0))?;
        Ok(single.unwrap_or_default())
    }

    /// Takes in that a slip has another seal than before.
    pub(super) fn exchange(&mut self, before: &[u8], after: &[u8]) {
        self.sum = self.sum.wrapping_sub(number(before)).wrapping_add(number(after));
    }

    /// Whether both come to the same, as far as its format knows.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.format < SLIP_SUMS || self.sum == other.sum
    }

    /// In place of the one before, if that was sound.
    pub(super) fn write(&self, db: &Connection, key: &Key) -> rusqlite::Result<()> {
        if !self.is_sound {
            return Ok(());
        }
        let sql = "UPDATE last_slip SET slip = ?, sum = ?, seal = ?";
        let values = params![self.last, self.sum.to_be_bytes(), self.seal(key)];
        db.prepare_cached(sql)?.execute(values).map(drop)
    }
}

/// A seal as a number. One of another length was never made here.
fn number(seal: &[u8]) -> u128 {
    seal.try_into().map_or(0, u128::from_be_bytes)
}

/// Brings the tables of slips from an older format to this one; what did not fit still does not.
pub(super) fn migrate(db: &Connection, key: &Key, from: i32) -> rusqlite::Result<()> {
    if from >= SLIP_SUMS {
        return Ok(());
    }
    let mut register = Register::new(from);
    if from >= SLIPS {
        register = Register::read(db, key, from)?;
        let mut statement = db.prepare("SELECT seal FROM slip")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            register.exchange(&[], &row.get::<_, Vec<u8>>(0)?);
        }
    }
    register.format = super::FORMAT;
    tables::add(db, from, SLIP_SUMS)?;
    let seal = if register.is_sound { register.seal(key) } else { [0; 16] };
    let values = params![register.last, register.sum.to_be_bytes(), seal];
    db.execute("INSERT INTO last_slip VALUES (1, ?, ?, ?)", values).map(drop)
}

/// Whether two journals of one format hold the same of slips.
pub(super) fn is_same(one: &Connection, other: &Connection) -> rusqlite::Result<bool> {
    let is_there = "SELECT count(*) FROM sqlite_schema WHERE name = 'slip'";
    if one.query_row(is_there, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(true);
    }
    let all = "SELECT json_array(id, attempt, status, copy, at, stage, hex(seal)) FROM slip
         UNION ALL SELECT json_array(slip, hex(seal)) FROM last_slip";
    let (mut one, mut other) = (one.prepare(all)?, other.prepare(all)?);
    let (mut one, mut other) = (one.query([])?, other.query([])?);
    loop {
        let [one, other] = [one.next()?, other.next()?]
            .map(|row| row.map(|row| row.get::<_, String>(0)).transpose());
        match (one?, other?) {
            (None, None) => return Ok(true),
            (one, other) if one == other => {}
            _ => return Ok(false),
        }
    }
}
