//! The shop's catalogue: a file beside the journal, written whole by an import and read anew for
//! every scan.
//!
//! It is a line of JSON a product, in the order of the codes, so that one is found by halving, in a
//! few reads, however many there are; nothing of it is kept in memory, and a running till sees an
//! import with its next scan. It is replaced in one step, even across a crash. Sales that were put
//! aside are in a file of their own ([`held`]).

pub mod held;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::goods::Good;
use crate::goods::find::Sought;
use crate::money::Currency;

const FILE: &str = "goods.jsonl";
const KIND: &str = "goods";
const FORMAT: u32 = 1;
/// No line is longer: names and codes are bounded.
const LONGEST_LINE: u64 = 4096;
/// A search asks after so many products whether it is still wanted.
const PIECE: usize = 256;

/// Why the catalogue cannot be used.
#[derive(Debug)]
pub enum CatalogueFault {
    /// It is not what paytill has written.
    Broken(PathBuf),
    /// Its prices are in another currency.
    Currency(PathBuf, String),
    Io(PathBuf, io::Error),
}

/// The first line.
#[derive(Deserialize, Serialize)]
struct Head {
    paytill: String,
    format: u32,
    currency: String,
    count: usize,
}

/// A catalogue, opened to be read.
#[derive(Debug)]
pub struct Catalogue {
    path: PathBuf,
    file: File,
    /// How many products it has.
    pub count: usize,
    /// Where the products begin and end.
    begin: u64,
    end: u64,
}

/// The file that belongs to a journal.
pub fn path(journal: &Path) -> PathBuf {
    journal.with_file_name(FILE)
}

/// Replaces the catalogue; the products are in the order of their codes.
pub fn write(path: &Path, goods: &[Good], currency: Currency) -> Result<(), CatalogueFault> {
    let head = Head {
        paytill: KIND.into(),
        format: FORMAT,
        currency: currency.code().into(),
        count: goods.len(),
    };
    let written = replace(path, |file| {
        let mut out = BufWriter::new(file);
        serde_json::to_writer(&mut out, &head)?;
        out.write_all(b"\n")?;
        for good in goods {
            serde_json::to_writer(&mut out, good)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    });
    written.map_err(|error| CatalogueFault::Io(path.to_owned(), error))
}

impl Catalogue {
    /// Opens it as it is now; `None` if there is none.
    pub fn open(path: &Path, currency: Currency) -> Result<Option<Self>, CatalogueFault> {
        let fault = |error| CatalogueFault::Io(path.to_owned(), error);
        let broken = || CatalogueFault::Broken(path.to_owned());
        // Nobody waits for whoever writes into a pipe.
        let flags = (OFlags::NONBLOCK | OFlags::CLOEXEC).bits().cast_signed();
        let file = match File::options().read(true).custom_flags(flags).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault(error)),
        };
        let facts = file.metadata().map_err(fault)?;
        if !facts.is_file() {
            return Err(broken());
        }
        let start = block(&file, 0, LONGEST_LINE.min(facts.len())).map_err(fault)?;
        let length = start.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
        let head: Head = serde_json::from_slice(&start[..length]).map_err(|_| broken())?;
        if head.paytill != KIND || head.format != FORMAT {
            return Err(broken());
        }
        if head.currency != currency.code() {
            let found = crate::clean::clean(&head.currency, 8);
            return Err(CatalogueFault::Currency(path.to_owned(), found));
        }
        let begin = u64::try_from(length).map_or(0, |length| length + 1);
        let (path, count) = (path.to_owned(), head.count);
        Ok(Some(Self { path, file, count, begin, end: facts.len() }))
    }

    /// The product with this code.
    pub fn find(&self, code: &str) -> Result<Option<Good>, CatalogueFault> {
        let (mut low, mut high) = (self.begin, self.end);
        while low < high {
            let middle = low + (high - low) / 2;
            let (line, begin, end) = self.line_around(middle, low)?;
            let good = self.parse(&line)?;
            match good.code.as_str().cmp(code) {
                std::cmp::Ordering::Equal => return Ok(Some(good)),
                std::cmp::Ordering::Less => low = end,
                std::cmp::Ordering::Greater => high = begin,
            }
        }
        Ok(None)
    }

    /// The first of several codes that is there.
    pub fn find_any(&self, codes: &[String]) -> Result<Option<Good>, CatalogueFault> {
        for code in codes {
            if let Some(good) = self.find(code)? {
                return Ok(Some(good));
            }
        }
        Ok(None)
    }

    /// The products that fit best, and how many do; `None` if `is_wanted` said that it is not, which
    /// is asked at the beginning and now and then.
    pub fn search(
        &self,
        sought: &Sought,
        most: usize,
        mut is_wanted: impl FnMut() -> bool,
    ) -> Result<Option<(Vec<Good>, usize)>, CatalogueFault> {
        let (mut found, mut count, mut seen) = (Vec::new(), 0, 0_usize);
        let sort = |found: &mut Vec<(u8, Good)>| {
            found.sort_by(|(one, good), (other, than)| {
                (one, &good.name, &good.code).cmp(&(other, &than.name, &than.code))
            });
            found.truncate(most);
        };
        let is_whole = self.each_while(|good| {
            if seen.is_multiple_of(PIECE) && !is_wanted() {
                return false;
            }
            seen += 1;
            if let Some(rank) = sought.rank(&good) {
                count += 1;
                found.push((rank, good));
                if found.len() > most.saturating_mul(8) {
                    sort(&mut found);
                }
            }
            true
        })?;
        sort(&mut found);
        let goods = found.into_iter().map(|(_, good)| good);
        Ok(is_whole.then(|| (goods.collect(), count)))
    }

    /// Every product, by code; fails if they are not all there, or not in their order.
    pub fn each(&self, mut take: impl FnMut(Good)) -> Result<(), CatalogueFault> {
        let take = |good| {
            take(good);
            true
        };
        self.each_while(take).map(drop)
    }

    /// The same while `take` wants more; whether it wanted all.
    fn each_while(&self, mut take: impl FnMut(Good) -> bool) -> Result<bool, CatalogueFault> {
        let fault = |error| CatalogueFault::Io(self.path.clone(), error);
        let mut reader = BufReader::new(At { file: &self.file, at: self.begin });
        let (mut line, mut count, mut last) = (Vec::new(), 0, String::new());
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(fault)? == 0 {
                break;
            }
            let good = self.parse(line.strip_suffix(b"\n").unwrap_or_default())?;
            if good.code <= last {
                return Err(self.broken());
            }
            last.clone_from(&good.code);
            count += 1;
            if !take(good) {
                return Ok(false);
            }
        }
        if count == self.count { Ok(true) } else { Err(self.broken()) }
    }

    /// The line that a place is in, not before `low`, and where it begins and ends.
    fn line_around(&self, place: u64, low: u64) -> Result<(Vec<u8>, u64, u64), CatalogueFault> {
        let fault = |error| CatalogueFault::Io(self.path.clone(), error);
        let from = place.saturating_sub(LONGEST_LINE).max(low);
        let to = place.saturating_add(LONGEST_LINE).min(self.end);
        let bytes = block(&self.file, from, to).map_err(fault)?;
        let middle = usize::try_from(place - from).unwrap_or(0);
        if middle >= bytes.len() {
            return Err(self.broken());
        }
        let begin = bytes[..middle].iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
        let begin = begin.or_else(|| (from == low).then_some(0)).ok_or_else(|| self.broken())?;
        let end = bytes[middle..].iter().position(|byte| *byte == b'\n').map(|at| middle + at);
        let end = end.ok_or_else(|| self.broken())?;
        let place = |at: usize| from + u64::try_from(at).unwrap_or(0);
        Ok((bytes[begin..end].to_vec(), place(begin), place(end) + 1))
    }

    fn parse(&self, line: &[u8]) -> Result<Good, CatalogueFault> {
        serde_json::from_slice(line).map_err(|_| self.broken())
    }

    fn broken(&self) -> CatalogueFault {
        CatalogueFault::Broken(self.path.clone())
    }
}

/// The bytes from one place to another, or to the end of the file.
fn block(file: &File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(0)];
    let mut filled = 0;
    while filled < bytes.len() {
        let at = from + u64::try_from(filled).unwrap_or(0);
        match file.read_at(&mut bytes[filled..], at) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Reads from a place on, and leaves the file's own place alone.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl io::Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += u64::try_from(read).unwrap_or(0);
        Ok(read)
    }
}

/// Replaces a file, whole or not at all, even across a crash. Two do so one after the other.
fn replace(path: &Path, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(no_link);
    let held = options.open(beside(path, ".lock"))?;
    held.lock()?;
    let new = beside(path, ".new");
    // What was cut short, or a planted link.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = File::options().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = write(&file).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
