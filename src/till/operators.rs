//! Who may work at the till: names with a role, and a PIN of each as a hash.
//!
//! They are kept in a file beside the journal, held to the rules of secrets and replaced whole. A PIN
//! alone says who somebody is, so no two have the same. All hashes have one salt: whoever signs in
//! waits for one computation, however many there are.

mod pin;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::clean::clean;
use paytill_host::config::secret::{self, SecretFault};
pub use pin::{Cost, NotAPin, Pin};
use pin::{Hash, Salt};

const FILE: &str = "operators.toml";
/// The most people of a till.
pub const MOST: usize = 64;
/// The longest name, in cells.
pub const NAME_CELLS: usize = 24;
const HEAD: &str = "# Who may work at the till. Written by paytill operators.\n\n";

/// What somebody may do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Cashier,
    Manager,
}

impl Role {
    /// For programs, and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cashier => "cashier",
            Self::Manager => "manager",
        }
    }

    /// The role of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Cashier, Self::Manager].into_iter().find(|role| role.word() == word)
    }
}

/// Somebody who works at the till.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operator {
    pub name: String,
    pub role: Role,
}

/// Why the list cannot be used or changed.
#[derive(Debug)]
pub enum OperatorsError {
    /// The file, or where it is, does not keep to the rules.
    Unsafe(SecretFault),
    /// It is not what paytill has written.
    Broken(PathBuf),
    NotWritten(PathBuf, io::Error),
    NoRandomness,
    /// The name has nothing that can be read, or is too long.
    NotAName,
    NameTaken(String),
    PinTaken,
    TooMany,
    Unknown(String),
    /// Cashiers would be left without anybody who may do what they may not.
    LastManager(String),
    /// The first must be somebody who may do everything.
    ManagerFirst,
}

/// The people of a till.
#[derive(Debug, Default)]
pub struct Operators {
    all: Vec<Known>,
}

#[derive(Clone, Debug)]
struct Known {
    operator: Operator,
    hash: Hash,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredList {
    /// Always there: a file that lost its end, or all it had, is not a list of nobody.
    operator: Vec<StoredOperator>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredOperator {
    name: String,
    role: Role,
    pin: String,
}

/// The file that belongs to a journal.
pub fn path(journal: &Path) -> PathBuf {
    journal.with_file_name(FILE)
}

/// A name as it is kept; `None` if it is none.
pub fn name(typed: &str) -> Option<String> {
    let typed = typed.trim();
    let name = clean(typed, NAME_CELLS);
    // Nothing of it may have been dropped: two people would have the same.
    (!name.is_empty() && name == typed).then_some(name)
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

impl Operators {
    /// Reads the file; without one there is nobody.
    pub fn read(path: &Path) -> Result<Self, OperatorsError> {
        let bytes = match secret::own_file(path) {
            Ok(bytes) => bytes,
            Err(SecretFault::Missing(_)) => return Ok(Self::default()),
            Err(fault) => return Err(OperatorsError::Unsafe(fault)),
        };
        let text = std::str::from_utf8(&bytes).ok();
        let all = text.and_then(Self::parse).ok_or_else(|| OperatorsError::Broken(path.into()))?;
        Ok(all)
    }

    fn parse(text: &str) -> Option<Self> {
        let StoredList { operator } = toml::from_str(text).ok()?;
        let mut list = Self::default();
        for StoredOperator { name, role, pin } in operator {
            let is_name = self::name(&name).is_some_and(|kept| kept == name);
            if !is_name || list.find(&name).is_some() || list.all.len() == MOST {
                return None;
            }
            let hash = Hash::parse(&pin)?;
            list.all.push(Known { operator: Operator { name, role }, hash });
        }
        Some(list)
    }

    /// Whether there is nobody, and the till belongs to whoever stands at it.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// In the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Operator> {
        self.all.iter().map(|known| &known.operator)
    }

    /// Whose PIN it is. Takes as long as the hash is meant to take, whoever it is.
    pub fn who(&self, pin: &Pin) -> Option<&Operator> {
        let mut found = None;
        let mut last: Option<(&Hash, pin::Output)> = None;
        for known in &self.all {
            let known_output = match &last {
                Some((like, output)) if like.is_made_like(&known.hash) => output,
                _ => &last.insert((&known.hash, known.hash.of(pin)?)).1,
            };
            if known.hash.is(known_output) {
                found = Some(&known.operator);
            }
        }
        found
    }

    /// Whether somebody can be added, before there is a PIN.
    pub fn may_add(&self, name: &str, role: Role) -> Result<(), OperatorsError> {
        if let Some(known) = self.find(name) {
            return Err(OperatorsError::NameTaken(known.operator.name.clone()));
        }
        if self.all.len() >= MOST {
            return Err(OperatorsError::TooMany);
        }
        if role == Role::Cashier && !self.has_manager() {
            return Err(OperatorsError::ManagerFirst);
        }
        Ok(())
    }

    /// Adds somebody.
    pub fn add(&mut self, operator: Operator, pin: &Pin, cost: Cost) -> Result<(), OperatorsError> {
        self.may_add(&operator.name, operator.role)?;
        if self.who(pin).is_some() {
            return Err(OperatorsError::PinTaken);
        }
        let hash = match self.all.first() {
            Some(known) => known.hash.with(pin),
            None => Salt::draw().and_then(|salt| Hash::new(pin, &salt, cost)),
        };
        let hash = hash.ok_or(OperatorsError::NoRandomness)?;
        self.all.push(Known { operator, hash });
        Ok(())
    }

    /// Removes somebody by name; returns who it was.
    pub fn remove(&mut self, name: &str) -> Result<Operator, OperatorsError> {
        let at = self.all.iter().position(|known| is_same(&known.operator.name, name.trim()));
        let Some(at) = at else { return Err(OperatorsError::Unknown(clean(name, NAME_CELLS))) };
        let removed = self.all.remove(at);
        if !self.is_empty() && !self.has_manager() {
            let name = removed.operator.name.clone();
            self.all.insert(at, removed);
            return Err(OperatorsError::LastManager(name));
        }
        Ok(removed.operator)
    }

    fn has_manager(&self) -> bool {
        self.iter().any(|operator| operator.role == Role::Manager)
    }

    fn find(&self, name: &str) -> Option<&Known> {
        self.all.iter().find(|known| is_same(&known.operator.name, name))
    }

    /// Changes the list as it is now, while nobody else does.
    pub fn change<T>(
        path: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, OperatorsError>,
    ) -> Result<T, OperatorsError> {
        let lock = path.with_extension("toml.lock");
        let _held = hold(&lock).map_err(|error| OperatorsError::NotWritten(lock, error))?;
        let mut all = Self::read(path)?;
        let changed = change(&mut all)?;
        all.write(path)?;
        Ok(changed)
    }

    /// Replaces the file, whole or not at all, even across a crash.
    fn write(&self, path: &Path) -> Result<(), OperatorsError> {
        let stored = self.all.iter().map(|known| StoredOperator {
            name: known.operator.name.clone(),
            role: known.operator.role,
            pin: known.hash.to_string(),
        });
        let list = StoredList { operator: stored.collect() };
        let text = toml::to_string(&list).map_err(io::Error::other);
        text.and_then(|text| replace(path, &format!("{HEAD}{text}")))
            .map_err(|error| OperatorsError::NotWritten(path.to_owned(), error))
    }
}

fn folder(path: &Path) -> io::Result<&Path> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(folder)
}

/// Waits until nobody else changes the list; held until the file is dropped.
fn hold(lock: &Path) -> io::Result<File> {
    folder(lock)?;
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(no_link);
    let file = options.open(lock)?;
    file.lock()?;
    Ok(file)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = folder(path)?;
    let new = path.with_extension("toml.new");
    // What was cut short, or a planted link.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}
