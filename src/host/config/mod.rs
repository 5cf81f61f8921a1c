//! Reading a configuration: a TOML file as sections of keys, and secrets in files of their own.
//!
//! Anything wrong is one sentence, in every language, with its place and the allowed values. A
//! misspelt key or value is an error, never ignored, and no message reveals a secret. Which keys
//! there are, and what they mean, is up to each program.

pub mod file;
pub mod nearest;
pub mod secret;

use std::ffi::OsString;
use std::path::PathBuf;

use paytill_core::language::{Language, Text};

/// What is wrong with the configuration or a secret, as one sentence with its place. It reveals
/// nothing secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{sentence}")]
pub struct ConfigError {
    sentence: Text,
    section: Option<String>,
    /// Each fault by itself, if there are several.
    each: Vec<Text>,
    /// Others can write what was read.
    is_unguarded: bool,
}

impl ConfigError {
    /// An error about the file as a whole.
    pub const fn new(sentence: Text) -> Self {
        Self { sentence, section: None, each: Vec::new(), is_unguarded: false }
    }

    /// Several errors as one, which names all of them; `None` if there are none.
    pub fn all(errors: Vec<Self>) -> Option<Self> {
        let each: Vec<_> = errors.iter().map(|error| error.sentence.clone()).collect();
        let first = errors.into_iter().next()?;
        if each.len() == 1 {
            return Some(first);
        }
        let sentence = Text::each(|language| {
            let each = each.iter().map(|sentence| sentence.in_language(language));
            each.collect::<Vec<_>>().join(language.pick("; and ", "；另外 "))
        });
        Some(Self { sentence, each, ..first })
    }

    /// A file that cannot be relied on, since others can write it.
    #[must_use]
    pub fn unguarded(self) -> Self {
        Self { is_unguarded: true, ..self }
    }

    /// Whether it is about a file that others can write.
    pub const fn is_unguarded(&self) -> bool {
        self.is_unguarded
    }

    /// Its sentences, one for each fault.
    pub fn each(&self) -> &[Text] {
        if self.each.is_empty() { std::slice::from_ref(&self.sentence) } else { &self.each }
    }

    /// The sentence in a language.
    pub fn sentence(&self, language: Language) -> &str {
        self.sentence.in_language(language)
    }

    /// The sentence in all languages.
    pub const fn text(&self) -> &Text {
        &self.sentence
    }

    /// The top-level section that it is about, if any.
    pub fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }

    /// The same error, placed in a section.
    #[must_use]
    pub fn in_section(self, name: &str) -> Self {
        let top = name.split('.').next().map(str::to_owned);
        Self { section: top, ..self }
    }
}

/// Looks up an environment variable's value.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// A variable's value, if it is set and not empty.
pub fn variable(environment: Environment<'_>, name: &str) -> Option<OsString> {
    environment(name).filter(|value| !value.is_empty())
}

/// A base folder of the XDG specification, which requires ignoring a path that is not absolute.
pub fn folder_of(environment: Environment<'_>, name: &str, below_home: &str) -> Option<PathBuf> {
    let absolute =
        |name| variable(environment, name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(name).or_else(|| absolute("HOME").map(|home| home.join(below_home)))
}

/// Chinese if the locale is Chinese, otherwise English.
pub fn language_of(environment: Environment<'_>) -> Language {
    named_language(environment).unwrap_or(Language::English)
}

/// The language that the locale names; `None` for the locale `C`, which names none.
pub fn named_language(environment: Environment<'_>) -> Option<Language> {
    let mut names = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
    let locale = names.find_map(|name| variable(environment, name))?;
    match locale.to_string_lossy().split(['.', '@']).next() {
        None | Some("" | "C" | "POSIX") => None,
        Some(locale) if locale.starts_with("zh") => Some(Language::Chinese),
        Some(_) => Some(Language::English),
    }
}

/// The language that the arguments ask for, whether or not they are valid.
pub fn language_asked(arguments: &[OsString]) -> Option<Language> {
    let mut words = arguments.iter().skip(1).map(|word| word.to_str().unwrap_or_default());
    while let Some(word) = words.next().filter(|word| *word != "--") {
        let tag = match word.strip_prefix("--lang") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if tag.is_some() {
            return tag.and_then(Language::from_tag);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_known_before_the_line_is() {
        let asked =
            |line: &str| language_asked(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(asked("paytill --lang zh-CN --nonsense"), Some(Language::Chinese));
        assert_eq!(asked("paytill pay --lang=en"), Some(Language::English));
        for none in ["paytill", "paytill --lang fr", "paytill --lang", "paytill -- --lang en"] {
            assert_eq!(asked(none), None, "{none}");
        }
    }
}
