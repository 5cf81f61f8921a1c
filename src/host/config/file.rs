//! A configuration file as sections of keys, and the one place that words what is wrong in it.
//!
//! Sections are read by hand and not by derived code, so that every error is one sentence with its
//! line, its key, what is allowed, and the nearest known word.

use std::fmt::Display;
use std::io::Read;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use unicode_width::UnicodeWidthStr;

use super::ConfigError;
use super::nearest::nearest;
use paytill_core::clean::clean;
use paytill_core::language::Text;
use paytill_core::text::system;
use paytill_core::{both, say};

/// A configuration is under 10 KiB; anything this large is some other file.
const LARGEST: u64 = 256 * 1024;
/// How much of an unknown word a sentence repeats, in cells.
const WORD_CELLS: usize = 40;
/// The longest path, in cells.
const PATH_CELLS: usize = 1024;

/// Sections by their dotted names, each with its keys.
pub type Known = [(&'static str, &'static [&'static str])];

/// Reads a file as text; `None` if there is no such file. Errors call it `name`.
pub fn read(path: &Path, name: &str) -> Result<Option<String>, ConfigError> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let unreadable = |error: std::io::Error| {
        let what = both!("the configuration cannot be read", "无法读取配置文件");
        ConfigError::new(
            what.because(&system::text(&error)).map(|sentence| format!("{name}: {sentence}")),
        )
    };
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST) {
        let most = LARGEST / 1024;
        return Err(ConfigError::new(both!(
            "{name}: a configuration is at most {most} KiB",
            "{name}: 配置文件不能超过 {most} KiB"
        )));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
            Err(ConfigError::new(both!(
                "{name}:{line}: this is not UTF-8 text",
                "{name}:{line}: 不是 UTF-8 文本"
            )))
        }
    }
}

/// Opens a file to read it: a regular one, since a pipe would be waited for and a device may never
/// end.
pub fn open(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    // What a folder is refused with, whoever reads it.
    let is_folder = file.metadata()?.is_dir();
    let error = if is_folder { rustix::io::Errno::ISDIR } else { rustix::io::Errno::INVAL };
    Err(error.into())
}

/// A parsed file. [`Document::check_keys`] finds keys that nobody reads.
#[derive(Default)]
pub struct Document<'a> {
    name: &'a str,
    text: &'a str,
    root: DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Parses the text of a file that errors call `name`.
    pub fn parse(name: &'a str, text: &'a str) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut document = Self { name, text, root: DeTable::default() };
        match DeTable::parse(text) {
            Ok(root) => document.root = root.into_inner(),
            Err(error) => return Err(document.not_toml(&error)),
        }
        Ok(document)
    }

    /// Whatever can be recovered from a text that may not be valid TOML.
    pub fn salvage(name: &'a str, text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { name, text, root: DeTable::parse_recoverable(text).0.into_inner() }
    }

    /// A section by its dotted name. If it is missing it has no keys.
    pub fn section(&self, name: &'static str) -> Section<'_> {
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
            &match error.message() {
                "duplicate key" => both!("{word} is here for the second time", "{word} 重复出现"),
                message => both!(
                    "this is not TOML: {why}",
                    "不是有效的 TOML：{why}",
                    why = clean(message, 200)
                ),
            },
        )
    }

    /// Removes a top-level section; false if it was not there.
    pub fn leave_out(&mut self, section: &str) -> bool {
        self.root.remove(section).is_some()
    }

    /// Reports the first key that is not `known`, since nothing would read it.
    pub fn check_keys(&self, known: &Known) -> Result<(), ConfigError> {
        let mut first: Option<(usize, Text, &str)> = None;
        for (key, value) in &self.root {
            let mut faults = Vec::new();
            let name = key.get_ref().as_ref();
            match (known.iter().any(|(section, _)| *section == name), value.get_ref()) {
                (true, DeValue::Table(table)) => check_section(name, table, known, &mut faults),
                (true, _) => faults.push((key.span().start, is_a_section(name))),
                (false, _) => faults.push((key.span().start, unknown_at_top(name, known))),
            }
            let faults = faults.into_iter().map(|(at, sentence)| (at, sentence, name));
            first = first.into_iter().chain(faults).min_by_key(|(at, ..)| *at);
        }
        match first {
            Some((at, sentence, section)) => Err(self.wrong(at, &sentence).in_section(section)),
            None => Ok(()),
        }
    }

    fn wrong(&self, at: usize, sentence: &Text) -> ConfigError {
        if self.name.is_empty() {
            return ConfigError::new(sentence.clone());
        }
        let line = line_at(self.text.as_bytes(), at);
        ConfigError::new(sentence.map(|sentence| format!("{}:{line}: {sentence}", self.name)))
    }
}

fn check_section(
    section: &str,
    table: &DeTable<'_>,
    known: &Known,
    faults: &mut Vec<(usize, Text)>,
) {
    let keys = known.iter().find(|(name, _)| *name == section).map_or(&[][..], |(_, keys)| *keys);
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let inner = format!("{section}.{name}");
        match (known.iter().any(|(name, _)| *name == inner), value.get_ref()) {
            (true, DeValue::Table(table)) => check_section(&inner, table, known, faults),
            (true, _) => faults.push((key.span().start, is_a_section(&inner))),
            (false, _) if keys.contains(&name) => {}
            (false, _) => {
                faults.push((key.span().start, unknown_in(section, keys, name, known)));
            }
        }
    }
}

fn is_a_section(name: &str) -> Text {
    both!(
        "{name} is a section: write [{name}] and its keys below it",
        "{name} 是一个配置节：请写 [{name}]，各配置项写在它下面"
    )
}

fn unknown_at_top(name: &str, known: &Known) -> Text {
    let word = clean(name, WORD_CELLS);
    let (plain, home) = (known.iter().map(|(section, _)| *section), home_of(name, known));
    match (home, nearest(name, plain.clone())) {
        (Some(home), _) => both!(
            "{word} does not stand alone; it belongs under [{home}]",
            "{word} 不能单独出现，应放在 [{home}] 下"
        ),
        (None, Some(near)) => both!(
            "{word} is not a known section; did you mean [{near}]?",
            "{word} 不是已知的配置节，是否想写 [{near}]？"
        ),
        (None, None) => both!(
            "{word} is not a known section; known are {known}",
            "{word} 不是已知的配置节，可用的有 {known}",
            known = list(plain.filter(|section| !section.contains('.')))
        ),
    }
}

fn unknown_in(section: &str, keys: &[&'static str], name: &str, known: &Known) -> Text {
    let word = clean(name, WORD_CELLS);
    let inner = known.iter().filter_map(|(name, _)| name.strip_prefix(section)?.strip_prefix('.'));
    let here = keys.iter().copied().chain(inner);
    match (nearest(name, here.clone()), home_of(name, known)) {
        (Some(near), _) => both!(
            "[{section}] {word} is not a known key; did you mean {near}?",
            "[{section}] {word} 不是已知的配置项，是否想写 {near}？"
        ),
        (None, Some(home)) => both!(
            "[{section}] {word} is not a key of this section; it belongs under [{home}]",
            "[{section}] {word} 不属于本节，应放在 [{home}] 下"
        ),
        (None, None) => both!(
            "[{section}] {word} is not a known key; known here are {known}",
            "[{section}] {word} 不是已知的配置项，本节可用的有 {known}",
            known = list(here)
        ),
    }
}

/// The one section that has such a key.
fn home_of(key: &str, known: &Known) -> Option<&'static str> {
    let mut homes = known.iter().filter(|(_, keys)| keys.contains(&key)).map(|(name, _)| *name);
    homes.next().filter(|_| homes.next().is_none())
}

/// The keys of one section. Each is read with what it allows; a wrong value is an error, a missing
/// one is `None` or the default.
#[derive(Clone, Copy)]
pub struct Section<'d> {
    document: &'d Document<'d>,
    name: &'static str,
    /// Where its header is.
    at: usize,
    table: Option<&'d DeTable<'d>>,
}

impl Section<'_> {
    /// Whether the file has it.
    pub fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the file has the key.
    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Text of at most `cells` cells, cleaned.
    pub fn text(&self, key: &str, cells: usize) -> Result<Option<String>, ConfigError> {
        self.value(key).map(|value| self.line(key, value, cells)).transpose()
    }

    /// At most `most` lines of text, each of at most `cells` cells, cleaned.
    pub fn lines(
        &self,
        key: &str,
        most: usize,
        cells: usize,
    ) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let Some(lines) = value.get_ref().as_array() else {
            let expected = both!(
                "a list of lines like [\"one\", \"two\"]",
                "几行文字的列表，如 [\"第一行\", \"第二行\"]"
            );
            return Err(self.not(key, &expected, value));
        };
        if lines.len() > most {
            return Err(self.wrong(
                key,
                &both!(
                    "has {count} lines; at most {most} fit",
                    "有 {count} 行，最多 {most} 行",
                    count = lines.len()
                ),
            ));
        }
        lines.iter().map(|line| self.line(key, line, cells)).collect::<Result<_, _>>().map(Some)
    }

    /// A path relative to the file's `folder`; `None` if it is empty.
    pub fn path(&self, key: &str, folder: &Path) -> Result<Option<PathBuf>, ConfigError> {
        let path = self.text(key, PATH_CELLS)?.filter(|path| !path.is_empty());
        let written = self.value(key).and_then(|value| value.get_ref().as_str());
        match path {
            // Without its invisible characters it would be a different path.
            Some(path) if written != Some(&path) => Err(self
                .wrong(key, &both!("holds a character that cannot be seen", "含有不可见的字符"))),
            Some(path) if path.starts_with("~/") => Err(self.wrong(
                key,
                &both!(
                    "starts with ~, which only a shell knows; write it in full",
                    "以 ~ 开头，只有命令行认识它，请写完整路径"
                ),
            )),
            path => Ok(path.map(|path| folder.join(path))),
        }
    }

    /// `true` or `false`.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(default) };
        let expected = || both!("true or false", " true 或 false");
        value.get_ref().as_bool().ok_or_else(|| self.not(key, &expected(), value))
    }

    /// A whole number within a range.
    pub fn whole(
        &self,
        key: &str,
        allowed: RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, ConfigError> {
        let (least, most) = (allowed.start(), allowed.end());
        let allows = both!("{least} to {most}", "{least} 至 {most}");
        self.number(key, &allows, default, |number| allowed.contains(&number))
    }

    /// One of a few whole numbers.
    pub fn one_of(&self, key: &str, numbers: &[u64], default: u64) -> Result<u64, ConfigError> {
        let allows = either(numbers.iter());
        self.number(key, &allows, default, |number| numbers.contains(&number))
    }

    /// The value that one of a few words stands for.
    pub fn word<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
        default: T,
    ) -> Result<T, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(default) };
        let known = words.iter().map(|(word, _)| *word);
        let allows = either(known.clone());
        let Some(text) = value.get_ref().as_str() else {
            let expected = Text::each(|language| {
                say!(
                    language,
                    "{allows}, in quotes",
                    " {allows}（带引号）",
                    allows = allows.in_language(language)
                )
            });
            return Err(self.not(key, &expected, value));
        };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(*meaning);
        }
        let near = nearest(text, known.filter(|word| !word.is_empty()));
        let near = near.map_or_else(Text::default, did_you_mean);
        let word = clean(text, WORD_CELLS);
        let sentence = Text::each(|language| {
            let (allows, near) = (allows.in_language(language), near.in_language(language));
            say!(
                language,
                "is \"{word}\"; allowed is {allows}{near}",
                "为 \"{word}\"，只能是 {allows}{near}"
            )
        });
        Err(self.wrong(key, &sentence))
    }

    /// The error for a key that is there and wrong; `sentence` says how.
    pub fn wrong(&self, key: &str, sentence: &Text) -> ConfigError {
        let at = self.table.and_then(|table| table.get_key_value(key));
        let at = at.map_or(self.at, |(key, _)| key.span().start);
        let sentence = sentence.map(|sentence| format!("[{}] {key} {sentence}", self.name));
        self.document.wrong(at, &sentence).in_section(self.name)
    }

    fn value(&self, key: &str) -> Option<&Spanned<DeValue<'_>>> {
        self.table?.get(key)
    }

    fn number(
        &self,
        key: &str,
        allows: &Text,
        default: u64,
        allowed: impl Fn(u64) -> bool,
    ) -> Result<u64, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(default) };
        let Some(integer) = value.get_ref().as_integer() else {
            let expected = Text::each(|language| {
                let allows = allows.in_language(language);
                say!(language, "a whole number, {allows}", "整数，{allows}")
            });
            return Err(self.not(key, &expected, value));
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        number.filter(|number| allowed(*number)).ok_or_else(|| {
            let written = clean(self.document.text.get(value.span()).unwrap_or_default(), 24);
            let sentence = Text::each(|language| {
                let allows = allows.in_language(language);
                say!(language, "is {written}; allowed is {allows}", "为 {written}，允许 {allows}")
            });
            self.wrong(key, &sentence)
        })
    }

    fn line(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        cells: usize,
    ) -> Result<String, ConfigError> {
        let Some(text) = value.get_ref().as_str() else {
            return Err(self.not(key, &both!("text in quotes", "带引号的文字"), value));
        };
        if text.chars().any(char::is_control) {
            return Err(self.wrong(
                key,
                &both!(
                    "holds a control character; only printable text may be",
                    "含有控制字符，只能用可显示的文字"
                ),
            ));
        }
        let cleaned = clean(text, usize::MAX);
        if cleaned.width() > cells {
            let width = cleaned.width();
            return Err(self.wrong(
                key,
                &both!(
                    "is {width} characters wide; at most {cells} fit (a Chinese one is two)",
                    "宽 {width} 个字符，最多 {cells} 个（汉字算两个）"
                ),
            ));
        }
        Ok(cleaned)
    }

    fn not(&self, key: &str, expected: &Text, value: &Spanned<DeValue<'_>>) -> ConfigError {
        let found = match value.get_ref() {
            DeValue::String(_) => both!("text", "文字"),
            DeValue::Integer(_) => both!("a number", "数字"),
            DeValue::Float(_) => both!("a number with a point", "带小数点的数字"),
            DeValue::Boolean(_) => both!("true or false", " true 或 false"),
            DeValue::Datetime(_) => both!("a date", "日期"),
            DeValue::Array(_) => both!("a list", "列表"),
            DeValue::Table(_) => both!("a section", "配置节"),
        };
        let sentence = Text::each(|language| {
            let (expected, found) = (expected.in_language(language), found.in_language(language));
            say!(language, "must be {expected}; this is {found}", "必须是{expected}；现在是{found}")
        });
        self.wrong(key, &sentence)
    }
}

/// A suggestion to follow the description of an error.
pub fn did_you_mean(near: &str) -> Text {
    both!("; did you mean {near}?", "；是否想写 {near}？")
}

/// The line of the byte at `at`, counted from 1.
fn line_at(bytes: &[u8], at: usize) -> usize {
    bytes.iter().take(at).fold(1, |line, byte| line + usize::from(*byte == b'\n'))
}

fn list(words: impl Iterator<Item = impl Display>) -> String {
    words.map(|word| word.to_string()).collect::<Vec<_>>().join(", ")
}

fn either(words: impl Iterator<Item = impl Display>) -> Text {
    let all = list(words);
    match all.rsplit_once(", ") {
        Some((most, last)) => both!("{most} or {last}", "{most} 或 {last}"),
        None => both!("{all}", "{all}"),
    }
}
