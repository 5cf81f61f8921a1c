//! A configuration file as sections of keys, and the one place that words what is wrong in it.
//!
//! The sections are read by hand and not by derived code, so that every fault is told in one
//! sentence with its line, its key, what is allowed, and the nearest word that is known.

use std::fmt::Display;
use std::io::Read;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use unicode_width::UnicodeWidthStr;

use super::ConfigError;
use super::nearest::nearest;
use crate::clean::clean;

/// A configuration has under 10 KiB; what is larger is another file.
const LARGEST: u64 = 256 * 1024;
/// Cells of a foreign word that a sentence repeats.
const WORD_CELLS: usize = 40;
/// Cells of a path.
const PATH_CELLS: usize = 1024;

/// A section's name, dotted, and its keys.
pub(super) type Known = [(&'static str, &'static [&'static str])];

/// The bytes of a file as text; `None` if there is no such file.
pub(super) fn read(path: &Path, name: &str) -> Result<Option<String>, ConfigError> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let unreadable =
        |error| ConfigError::new(format!("{name}: the configuration cannot be read: {error}"));
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST) {
        let most = LARGEST / 1024;
        return Err(ConfigError::new(format!("{name}: a configuration is at most {most} KiB")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
            Err(ConfigError::new(format!("{name}:{line}: this is not UTF-8 text")))
        }
    }
}

/// A parsed file in which every key is known.
#[derive(Default)]
pub(super) struct Document<'a> {
    name: &'a str,
    text: &'a str,
    root: DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Parses the text of the file shown as `name`.
    pub(super) fn parse(name: &'a str, text: &'a str) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut document = Self { name, text, root: DeTable::default() };
        match DeTable::parse(text) {
            Ok(root) => document.root = root.into_inner(),
            Err(error) => return Err(document.not_toml(&error)),
        }
        Ok(document)
    }

    /// A section by its dotted name; it may be absent and have no keys.
    pub(super) fn section(&self, name: &'static str) -> Section<'_> {
        let mut section = Section { document: self, name, at: 0, table: Some(&self.root) };
        for part in name.split('.') {
            let found = section.table.and_then(|table| table.get_key_value(part));
            if let Some((key, _)) = found {
                section.at = key.span().start;
            }
            section.table = found.and_then(|(_, value)| value.get_ref().as_table());
        }
        section
    }

    fn not_toml(&self, error: &toml::de::Error) -> ConfigError {
        let Range { start, end } = error.span().unwrap_or_default();
        let word = clean(self.text.get(start..end).unwrap_or_default(), WORD_CELLS);
        self.wrong(
            start,
            match error.message() {
                "duplicate key" => format!("{word} is here for the second time"),
                message => format!("this is not TOML: {}", clean(message, 200)),
            },
        )
    }

    /// Forgets a section at the top; false if it was not there.
    pub(super) fn leave_out(&mut self, section: &str) -> bool {
        self.root.remove(section).is_some()
    }

    /// Reports the first key that is not `known`, since nobody reads it.
    pub(super) fn check_keys(&self, known: &Known) -> Result<(), ConfigError> {
        let mut first: Option<(usize, String, &str)> = None;
        for (key, value) in &self.root {
            let mut faults = Vec::new();
            let name = key.get_ref().as_ref();
            match (known.iter().any(|(section, _)| *section == name), value.get_ref()) {
                (true, DeValue::Table(table)) => check_section(name, table, known, &mut faults),
                (true, _) => faults.push((
                    key.span().start,
                    format!("{name} is a section: write [{name}] and its keys below it"),
                )),
                (false, _) => faults.push((key.span().start, unknown_at_top(name, known))),
            }
            let faults = faults.into_iter().map(|(at, sentence)| (at, sentence, name));
            first = first.into_iter().chain(faults).min();
        }
        match first {
            Some((at, sentence, section)) => Err(self.wrong(at, sentence).in_section(section)),
            None => Ok(()),
        }
    }

    fn wrong(&self, at: usize, sentence: impl Display) -> ConfigError {
        if self.name.is_empty() {
            return ConfigError::new(sentence.to_string());
        }
        let line = line_at(self.text.as_bytes(), at);
        ConfigError::new(format!("{}:{line}: {sentence}", self.name))
    }
}

fn check_section(
    section: &str,
    table: &DeTable<'_>,
    known: &Known,
    faults: &mut Vec<(usize, String)>,
) {
    let keys = known.iter().find(|(name, _)| *name == section).map_or(&[][..], |(_, keys)| *keys);
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let inner = format!("{section}.{name}");
        match (known.iter().any(|(name, _)| *name == inner), value.get_ref()) {
            (true, DeValue::Table(table)) => check_section(&inner, table, known, faults),
            (true, _) => faults.push((
                key.span().start,
                format!("{inner} is a section: write [{inner}] and its keys below it"),
            )),
            (false, _) if keys.contains(&name) => {}
            (false, _) => {
                faults.push((key.span().start, unknown_in(section, keys, name, known)));
            }
        }
    }
}

fn unknown_at_top(name: &str, known: &Known) -> String {
    let word = clean(name, WORD_CELLS);
    let (plain, home) = (known.iter().map(|(section, _)| *section), home_of(name, known));
    match (home, nearest(name, plain.clone())) {
        (Some(home), _) => format!("{word} does not stand alone; it belongs under [{home}]"),
        (None, Some(near)) => format!("{word} is not a known section; did you mean [{near}]?"),
        (None, None) => {
            let known = list(plain.filter(|section| !section.contains('.')));
            format!("{word} is not a known section; known are {known}")
        }
    }
}

fn unknown_in(section: &str, keys: &[&'static str], name: &str, known: &Known) -> String {
    let word = clean(name, WORD_CELLS);
    let inner = known.iter().filter_map(|(name, _)| name.strip_prefix(section)?.strip_prefix('.'));
    let here = keys.iter().copied().chain(inner);
    match (nearest(name, here.clone()), home_of(name, known)) {
        (Some(near), _) => {
            format!("[{section}] {word} is not a known key; did you mean {near}?")
        }
        (None, Some(home)) => {
            format!("[{section}] {word} is not a key of this section; it belongs under [{home}]")
        }
        (None, None) => {
            format!("[{section}] {word} is not a known key; known here are {}", list(here))
        }
    }
}

/// The one section that has such a key.
fn home_of(key: &str, known: &Known) -> Option<&'static str> {
    let mut homes = known.iter().filter(|(_, keys)| keys.contains(&key)).map(|(name, _)| *name);
    homes.next().filter(|_| homes.next().is_none())
}

/// Keys of one section, each read with what is allowed there.
#[derive(Clone, Copy)]
pub(super) struct Section<'d> {
    document: &'d Document<'d>,
    name: &'static str,
    /// Where its header is.
    at: usize,
    table: Option<&'d DeTable<'d>>,
}

impl Section<'_> {
    /// Whether the file has it.
    pub(super) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the file has the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Text of at most so many cells, cleaned.
    pub(super) fn text(&self, key: &str, cells: usize) -> Result<Option<String>, ConfigError> {
        self.value(key).map(|value| self.line(key, value, cells)).transpose()
    }

    /// Lines of text of at most so many cells.
    pub(super) fn lines(
        &self,
        key: &str,
        most: usize,
        cells: usize,
    ) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let Some(lines) = value.get_ref().as_array() else {
            return Err(self.not(key, "a list of lines like [\"one\", \"two\"]", value));
        };
        if lines.len() > most {
            return Err(self.wrong(key, format!("has {} lines; at most {most} fit", lines.len())));
        }
        lines.iter().map(|line| self.line(key, line, cells)).collect::<Result<_, _>>().map(Some)
    }

    /// A path, counted from the folder of the file; `None` where it is empty.
    pub(super) fn path(&self, key: &str, folder: &Path) -> Result<Option<PathBuf>, ConfigError> {
        let path = self.text(key, PATH_CELLS)?.filter(|path| !path.is_empty());
        let written = self.value(key).and_then(|value| value.get_ref().as_str());
        match path {
            // A path without its invisible characters would be another path.
            Some(path) if written != Some(&path) => {
                Err(self.wrong(key, "holds a character that cannot be seen"))
            }
            Some(path) if path.starts_with("~/") => {
                Err(self.wrong(key, "starts with ~, which only a shell knows; write it in full"))
            }
            path => Ok(path.map(|path| folder.join(path))),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(default) };
        value.get_ref().as_bool().ok_or_else(|| self.not(key, "true or false", value))
    }

    /// A whole number within a range.
    pub(super) fn whole(
        &self,
        key: &str,
        allowed: RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, ConfigError> {
        let allows = format!("{} to {}", allowed.start(), allowed.end());
        self.number(key, &allows, default, |number| allowed.contains(&number))
    }

    /// One of a few whole numbers.
    pub(super) fn one_of(
        &self,
        key: &str,
        numbers: &[u64],
        default: u64,
    ) -> Result<u64, ConfigError> {
        let allows = either(numbers.iter());
        self.number(key, &allows, default, |number| numbers.contains(&number))
    }

    /// What one of a few words stands for.
    pub(super) fn word<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
        default: T,
    ) -> Result<T, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(default) };
        let known = words.iter().map(|(word, _)| *word);
        let allows = either(known.clone());
        let Some(text) = value.get_ref().as_str() else {
            return Err(self.not(key, &format!("{allows}, in quotes"), value));
        };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(*meaning);
        }
        let near = nearest(text, known.filter(|word| !word.is_empty()));
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let word = clean(text, WORD_CELLS);
        Err(self.wrong(key, format!("is \"{word}\"; allowed is {allows}{near}")))
    }

    /// The key is there and wrong: `sentence` says in what.
    pub(super) fn wrong(&self, key: &str, sentence: impl Display) -> ConfigError {
        let at = self.table.and_then(|table| table.get_key_value(key));
        let at = at.map_or(self.at, |(key, _)| key.span().start);
        let wrong = self.document.wrong(at, format!("[{}] {key} {sentence}", self.name));
        wrong.in_section(self.name)
    }

    fn value(&self, key: &str) -> Option<&Spanned<DeValue<'_>>> {
        self.table?.get(key)
    }

    fn number(
        &self,
        key: &str,
        allows: &str,
        default: u64,
        allowed: impl Fn(u64) -> bool,
    ) -> Result<u64, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(default) };
        let Some(integer) = value.get_ref().as_integer() else {
            return Err(self.not(key, &format!("a whole number, {allows}"), value));
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        number.filter(|number| allowed(*number)).ok_or_else(|| {
            let written = clean(self.document.text.get(value.span()).unwrap_or_default(), 24);
            self.wrong(key, format!("is {written}; allowed is {allows}"))
        })
    }

    fn line(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        cells: usize,
    ) -> Result<String, ConfigError> {
        let Some(text) = value.get_ref().as_str() else {
            return Err(self.not(key, "text in quotes", value));
        };
        if text.chars().any(char::is_control) {
            return Err(self.wrong(key, "holds a control character; only printable text may be"));
        }
        let cleaned = clean(text, usize::MAX);
        if cleaned.width() > cells {
            let width = cleaned.width();
            return Err(self.wrong(
                key,
                format!("is {width} characters wide; at most {cells} fit (a Chinese one is two)"),
            ));
        }
        Ok(cleaned)
    }

    fn not(&self, key: &str, expected: &str, value: &Spanned<DeValue<'_>>) -> ConfigError {
        let found = match value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a section",
        };
        self.wrong(key, format!("must be {expected}; this is {found}"))
    }
}

/// The line on which the byte at `at` is, counted from 1.
fn line_at(bytes: &[u8], at: usize) -> usize {
    bytes.iter().take(at).fold(1, |line, byte| line + usize::from(*byte == b'\n'))
}

fn list(words: impl Iterator<Item = impl Display>) -> String {
    words.map(|word| word.to_string()).collect::<Vec<_>>().join(", ")
}

fn either(words: impl Iterator<Item = impl Display>) -> String {
    let all = list(words);
    match all.rsplit_once(", ") {
        Some((most, last)) => format!("{most} or {last}"),
        None => all,
    }
}
