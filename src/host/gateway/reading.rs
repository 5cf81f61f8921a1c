//! What reading the section of a gateway needs, also that of a program's own, and what is done with all
//! that is wrong in one.

use std::path::Path;

use paytill_core::clock::Millis;
use paytill_core::language::Text;
use paytill_core::{both, say};

use crate::config::file::Section;
use crate::config::secret::{self, SecretFault};
use crate::config::{ConfigError, Environment};

const URL_CELLS: usize = 255;

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
#[derive(Default)]
pub struct Collected {
    faults: Vec<ConfigError>,
}

impl Collected {
    /// What is there, or `None` with its faults.
    pub fn kept<T>(&mut self, result: Result<T, Vec<ConfigError>>) -> Option<T> {
        result.map_err(|faults| self.faults.extend(faults)).ok()
    }

    /// Whether nothing is wrong so far.
    pub const fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// All faults as one, if there are any.
    pub fn checked(self) -> Result<(), ConfigError> {
        ConfigError::all(self.faults).map_or(Ok(()), Err)
    }

    /// All faults as one.
    pub fn refused(self, section: Section<'_>) -> ConfigError {
        let none = || section.wrong("kind", &both!("cannot be used", "无法使用"));
        ConfigError::all(self.faults).unwrap_or_else(none)
    }
}

impl From<Vec<ConfigError>> for Collected {
    fn from(faults: Vec<ConfigError>) -> Self {
        Self { faults }
    }
}

/// How long a connection may take, and a request with its answer.
pub fn timeouts(section: Section<'_>) -> Result<[Millis; 2], ConfigError> {
    let timeout = |key, default| section.whole(key, 100..=60_000, default).map(Millis);
    Ok([timeout("connect_timeout_ms", 3000)?, timeout("request_timeout_ms", 10_000)?])
}

/// Whoever can write the file that names the gateway can send payment codes to a host of his own.
pub fn unguarded(around: &Surroundings<'_>) -> Option<ConfigError> {
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

/// What keeps a text from being `scheme://host`, with or without a port.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAnOrigin {
    Malformed,
    /// It has a user or a password.
    HasLogin,
    /// There is something behind the host.
    HasMore,
}

/// `scheme://host`, with or without a port, and nothing else.
pub fn origin(text: &str, scheme: &str) -> Result<String, NotAnOrigin> {
    let is_of_scheme = text.strip_prefix(scheme).is_some_and(|rest| rest.starts_with("://"));
    let url = url::Url::parse(text).ok().filter(|_| is_of_scheme);
    let url = url.ok_or(NotAnOrigin::Malformed)?;
    if !url.username().is_empty() || url.password().is_some() {
        Err(NotAnOrigin::HasLogin)
    } else if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        Err(NotAnOrigin::HasMore)
    } else {
        Ok(url.origin().ascii_serialization())
    }
}

/// The [`origin`] that a key names; `None` if it is empty. An invalid one is not repeated: it may
/// contain a password.
pub fn url(
    section: Section<'_>,
    key: &str,
    scheme: &str,
    default: &str,
) -> Result<Option<String>, ConfigError> {
    let text = section.text(key, URL_CELLS)?.unwrap_or_else(|| default.to_owned());
    if text.is_empty() {
        return Ok(None);
    }
    let sentence = match origin(&text, scheme) {
        Ok(origin) => return Ok(Some(origin)),
        Err(NotAnOrigin::Malformed) => both!(
            "must be {scheme}://host or {scheme}://host:port",
            "必须是 {scheme}://主机 或 {scheme}://主机:端口"
        ),
        Err(NotAnOrigin::HasLogin) if key == "proxy" => both!(
            "must be http://host or http://host:port; name and password go into a file that \
             proxy_login_file names",
            "必须是 http://主机 或 http://主机:端口；用户名和密码请放在 proxy_login_file 指定的文件中"
        ),
        Err(NotAnOrigin::HasLogin) => both!(
            "must be {scheme}://host or {scheme}://host:port, without user and password",
            "必须是 {scheme}://主机 或 {scheme}://主机:端口，不含用户名和密码"
        ),
        Err(NotAnOrigin::HasMore) => both!(
            "must be {scheme}://host or {scheme}://host:port, and nothing behind it",
            "必须是 {scheme}://主机 或 {scheme}://主机:端口，后面不能有其他内容"
        ),
    };
    Err(section.wrong(key, &sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_with_or_without_a_port() {
        for (typed, its_origin) in [
            ("https://pay.example.com", Ok("https://pay.example.com")),
            ("https://127.0.0.1:8444/", Ok("https://127.0.0.1:8444")),
            ("https://[::1]:8444", Ok("https://[::1]:8444")),
            ("http://pay.example.com", Err(NotAnOrigin::Malformed)),
            ("pay.example.com", Err(NotAnOrigin::Malformed)),
            ("https://", Err(NotAnOrigin::Malformed)),
            ("https://pay.example.com/v1", Err(NotAnOrigin::HasMore)),
            ("https://me:secret@pay.example.com", Err(NotAnOrigin::HasLogin)),
        ] {
            assert_eq!(origin(typed, "https"), its_origin.map(str::to_owned), "{typed}");
        }
    }
}
