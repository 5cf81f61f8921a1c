//! The sales that were put aside: a small file beside the journal. No money is in it; it is replaced
//! with every change, and read once at a start.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{CatalogueFault, replace};
use crate::money::Currency;
use crate::sale::Held;

const FILE: &str = "held.json";
const KIND: &str = "held";
const FORMAT: u32 = 1;
/// More than the most sales put aside, each with the most lines, take.
const LONGEST: u64 = 64 << 20;

#[derive(Deserialize, Serialize)]
struct Stored<T> {
    paytill: String,
    format: u32,
    currency: String,
    sales: T,
}

/// The file that belongs to a journal.
pub fn path(journal: &Path) -> PathBuf {
    journal.with_file_name(FILE)
}

/// What was put aside, the oldest first; nothing if there is no file.
pub fn read(path: &Path, currency: Currency) -> Result<Vec<Held>, CatalogueFault> {
    let mut text = String::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(CatalogueFault::Io(path.to_owned(), error)),
    }
    let broken = || CatalogueFault::Broken(path.to_owned());
    let stored: Stored<Vec<Held>> = serde_json::from_str(&text).map_err(|_| broken())?;
    if stored.paytill != KIND || stored.format != FORMAT {
        return Err(broken());
    }
    if stored.currency != currency.code() {
        let found = crate::clean::clean(&stored.currency, 8);
        return Err(CatalogueFault::Currency(path.to_owned(), found));
    }
    if stored.sales.iter().any(|held| held.sale.total().is_err()) {
        return Err(broken());
    }
    Ok(stored.sales)
}

/// Replaces them.
pub fn write(path: &Path, sales: &[Held], currency: Currency) -> Result<(), CatalogueFault> {
    let stored =
        Stored { paytill: KIND.into(), format: FORMAT, currency: currency.code().into(), sales };
    let written = serde_json::to_vec(&stored)
        .map_err(io::Error::other)
        .and_then(|bytes| replace(path, |mut file| file.write_all(&bytes)));
    written.map_err(|error| CatalogueFault::Io(path.to_owned(), error))
}
