//! Scanners that `paytill devices --learn` has detected, kept in a file beside the journal.
//!
//! The file decides which devices the till may grab for itself, so it is validated strictly: a file
//! that is wrong in any part is reported and then ignored as a whole. It is replaced atomically and
//! readable by its owner alone.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::role::{Kind, Learned};
use crate::both;
use crate::clean::clean;
use crate::language::Text;

const FILE: &str = "devices.toml";
/// A shop has a few scanners; beyond this, the oldest entry is dropped.
const MOST: usize = 32;
const LARGEST: u64 = 64 * 1024;
const NAME_CELLS: usize = 64;
const BAUDS: std::ops::RangeInclusive<u32> = 1200..=230_400;
const HEAD: &str = "# Scanners that paytill devices --learn has seen. A scanner is forgotten by \
                    removing its part.\n\n";

/// Why the learned scanners are not known.
#[derive(Debug, thiserror::Error)]
pub enum LearnedError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// What is wrong with the file, in one line.
    #[error("{}: {why}; learn the scanner again, or remove the file", path.display())]
    Broken { path: PathBuf, why: Text },
}

/// The path of the file that belongs to a journal.
pub fn path(journal: &Path) -> PathBuf {
    journal.with_file_name(FILE)
}

/// Reads the file; a missing file counts as empty. Fails if it cannot be read or is not valid.
pub fn read(path: &Path) -> Result<Vec<Learned>, LearnedError> {
    let broken = |why: Text| LearnedError::Broken { path: path.to_owned(), why };
    let unreadable = |source| LearnedError::Io { path: path.to_owned(), source };
    let file = match paytill_host::config::file::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(broken(both!("it is too long", "文件过长")));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| broken(both!("it is not UTF-8 text", "不是 UTF-8 文本")))?;
    parse(&text).map_err(broken)
}

/// Adds a scanner, replacing an earlier entry for the same one. Fails if the file cannot be read or
/// replaced; an invalid one is overwritten.
pub fn remember(path: &Path, scanner: Learned) -> Result<(), LearnedError> {
    // An invalid file is not worth keeping: it was not in use either.
    let mut all = match read(path) {
        Ok(all) => all,
        Err(LearnedError::Broken { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    all.retain(|known| !is_same(known, &scanner));
    all.push(scanner);
    let forgotten = all.len().saturating_sub(MOST);
    let text = write(&all[forgotten..]);
    replace(path, &text).map_err(|source| LearnedError::Io { path: path.to_owned(), source })
}

fn is_same(one: &Learned, other: &Learned) -> bool {
    let key = |learned: &Learned| {
        let socket = if learned.serial.is_empty() { learned.socket.clone() } else { String::new() };
        (learned.vendor, learned.product, learned.serial.clone(), socket, learned.kind)
    };
    key(one) == key(other)
}

/// Replaces the file atomically, even across a crash.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let new = path.with_extension("toml.new");
    let mut file =
        File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct LearnedFile {
    #[serde(default)]
    scanner: Vec<LearnedEntry>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct LearnedEntry {
    vendor: String,
    product: String,
    #[serde(default)]
    serial: String,
    #[serde(default)]
    socket: String,
    kind: String,
    #[serde(default = "usual_baud")]
    baud: u32,
}

const fn usual_baud() -> u32 {
    9600
}

fn parse(text: &str) -> Result<Vec<Learned>, Text> {
    let document: LearnedFile = toml::from_str(text)
        .map_err(|error| both!("{why}", "内容不正确，{why}", why = clean(error.message(), 100)))?;
    if document.scanner.len() > MOST {
        return Err(both!("it has more than {MOST} scanners", "扫码枪超过 {MOST} 个"));
    }
    document.scanner.iter().map(checked).collect()
}

fn checked(entry: &LearnedEntry) -> Result<Learned, Text> {
    let number = |text: &str| {
        let is_number = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u16::from_str_radix(text, 16).ok().filter(|_| is_number);
        number.ok_or_else(|| {
            both!(
                "{text} is not four hexadecimal digits",
                "{text} 不是四位十六进制数",
                text = clean(text, 20)
            )
        })
    };
    let name = |text: &str| {
        let is_clean = clean(text, NAME_CELLS) == text;
        is_clean
            .then(|| text.to_owned())
            .ok_or_else(|| both!("a name has signs that none has", "名称中有不应出现的字符"))
    };
    if entry.serial.is_empty() && entry.socket.is_empty() {
        return Err(both!(
            "a scanner has neither serial nor socket",
            "有扫码枪既无 serial 也无 socket"
        ));
    }
    if !BAUDS.contains(&entry.baud) {
        return Err(both!("{baud} is no speed", "{baud} 不是有效的波特率", baud = entry.baud));
    }
    Ok(Learned {
        vendor: number(&entry.vendor)?,
        product: number(&entry.product)?,
        serial: name(&entry.serial)?,
        socket: name(&entry.socket)?,
        kind: kind(&entry.kind)?,
        baud: entry.baud,
    })
}

fn kind(word: &str) -> Result<Kind, Text> {
    let kinds = [Kind::Serial, Kind::HidPos, Kind::Keyboard];
    let kind = kinds.into_iter().find(|kind| kind.word() == word);
    kind.ok_or_else(|| {
        both!("{word} is no kind of scanner", "{word} 不是扫码枪的类型", word = clean(word, 20))
    })
}

fn write(all: &[Learned]) -> String {
    let scanner = all.iter().map(|learned| LearnedEntry {
        vendor: format!("{:04x}", learned.vendor),
        product: format!("{:04x}", learned.product),
        serial: learned.serial.clone(),
        socket: learned.socket.clone(),
        kind: learned.kind.word().to_owned(),
        baud: learned.baud,
    });
    let document = LearnedFile { scanner: scanner.collect() };
    format!("{HEAD}{}", toml::to_string(&document).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scanner(serial: &str, socket: &str) -> Learned {
        Learned {
            vendor: 0x0c2e,
            product: 0x0b87,
            serial: serial.to_owned(),
            socket: socket.to_owned(),
            kind: Kind::Keyboard,
            baud: 9600,
        }
    }

    #[test]
    fn what_was_learned_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(&folder.path().join("state/journal.sqlite"));
        assert_eq!(read(&path).unwrap(), []);
        let serial = Learned { kind: Kind::Serial, baud: 115_200, ..scanner("", "0-1.2") };
        for learned in [scanner("A \"1\" \\", ""), serial.clone(), scanner("A \"1\" \\", "0-3")] {
            remember(&path, learned).unwrap();
        }
        // The same scanner in another socket is still the same scanner.
        assert_eq!(read(&path).unwrap(), [serial, scanner("A \"1\" \\", "0-3")]);
    }

    #[test]
    fn the_oldest_is_forgotten_for_one_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for number in 0..=MOST {
            remember(&path, scanner(&number.to_string(), "")).unwrap();
        }
        let all = read(&path).unwrap();
        assert_eq!((all.len(), all[0].serial.as_str()), (MOST, "1"));
    }

    #[test]
    fn an_invalid_file_is_reported_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let entry = "[[scanner]]\nvendor = \"0c2e\"\nproduct = \"0b87\"\nkind = \"hid-pos\"\n";
        let faults = [
            ("scanner = 1".to_owned(), "invalid type"),
            (entry.to_owned(), "neither serial nor socket"),
            (format!("{entry}serial = \"a\"\ncolour = 1"), "unknown field"),
            (format!("{entry}serial = \"a\\u001b[2J\""), "signs that none has"),
            (format!("{entry}serial = \"{}\"", "a".repeat(65)), "signs that none has"),
            (format!("{entry}serial = \"a\"\nbaud = 1"), "1 is no speed"),
            (format!("{entry}serial = \"a\"").replace("0c2e", "+c2e"), "four hexadecimal"),
            (format!("{entry}serial = \"a\"").replace("hid-pos", "mouse"), "mouse is no kind"),
            (format!("{entry}serial = \"a\"\n").repeat(MOST + 1), "more than 32"),
            ("# ".repeat(40_000), "too long"),
        ];
        for (text, fault) in faults {
            fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(fault) && error.contains("learn"), "{error}");
        }
        remember(&path, scanner("a", "")).unwrap();
        assert_eq!(read(&path).unwrap(), [scanner("a", "")]);
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "(\\[\\[scanner\\]\\]|vendor|serial| = |\"0c2e\"|\\PC|\n){0,20}") {
            let _ = parse(&text);
        }
    }
}
