//! What reading each of the sections needs, and what is done with all that is wrong in one.

use std::path::Path;

use paytill_core::language::Text;
use paytill_core::{both, say};

use crate::config::file::Section;
use crate::config::secret::{self, SecretFault};
use crate::config::{ConfigError, Environment};

/// Whether the secrets that are named in the file are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Secrets {
    Read,
    Leave,
}

/// What is needed besides the file's text.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Relative paths start from here.
    pub folder: &'a Path,
    /// The file itself, if there is one.
    pub file: Option<&'a Path>,
    pub environment: Environment<'a>,
    pub secrets: Secrets,
}

/// All that is wrong, so that nobody has to mend one thing to hear of the next.
pub(super) struct Collected<'f> {
    pub(super) faults: &'f mut Vec<ConfigError>,
}

impl Collected<'_> {
    pub(super) fn kept<T>(&mut self, result: Result<T, Vec<ConfigError>>) -> Option<T> {
        result.map_err(|faults| self.faults.extend(faults)).ok()
    }
}

/// All faults as one.
pub(super) fn refused(section: Section<'_>, faults: Vec<ConfigError>) -> ConfigError {
    let none = || section.wrong("kind", &both!("cannot be used", "无法使用"));
    ConfigError::all(faults).unwrap_or_else(none)
}

/// Whoever can write the file that names the gateway can send payment codes to a host of his own.
pub(super) fn unguarded(around: &Surroundings<'_>) -> Option<ConfigError> {
    let file = around.file?;
    let why = match secret::guarded(file).err()? {
        SecretFault::WritableByOthers { file } => both!(
            "others than its owner can change it; run: chmod go-w {file}",
            "其他用户可以修改它；请运行：chmod go-w {file}"
        ),
        SecretFault::FolderWritable { folder } => both!(
            "others than its owner can write in its folder; run: chmod go-w {folder}",
            "其他用户可写入它所在的目录；请运行：chmod go-w {folder}"
        ),
        SecretFault::NotOurs(file) => both!(
            "{file} belongs to another user; it must be yours or root's",
            "{file} 属于其他用户；必须属于您或 root"
        ),
        SecretFault::FolderNotOurs { folder } => both!(
            "its folder {folder} belongs to another user; it must be yours or root's",
            "它所在的目录 {folder} 属于其他用户；必须属于您或 root"
        ),
        other => other.text(),
    };
    let name = secret::shown(file);
    let sentence = Text::each(|language| {
        let why = why.in_language(language);
        say!(
            language,
            "{name}: this file decides where the money goes, but {why}",
            "{name}: 此文件决定款项去向，但{why}"
        )
    });
    Some(ConfigError::new(sentence).in_section("gateway").unguarded())
}
