//! How the program ends: the till's exit codes, and a sentence for people.

use paytill_core::language::Text;
use paytill_host::config::ConfigError;

use crate::files::FileError;
use crate::store::StoreError;

/// How a process ends (interface 1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Fault = 1,
    Usage = 2,
    Configuration = 3,
    /// Another backend serves on this database file.
    Held = 4,
    /// The database cannot be used: nothing was sent.
    Database = 5,
    /// Something is still open, and needs a person.
    Attention = 12,
    /// The bill and the books differ.
    Differ = 13,
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub text: Text,
}

impl Failure {
    /// A failure with its exit code.
    pub const fn new(exit: Exit, text: Text) -> Self {
        Self { exit, text }
    }

    /// The command was not meant so.
    pub const fn usage(text: Text) -> Self {
        Self::new(Exit::Usage, text)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Configuration, error.text().clone())
    }
}

impl From<FileError> for Failure {
    fn from(FileError(text): FileError) -> Self {
        Self::new(Exit::Configuration, text)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = if error == StoreError::Held { Exit::Held } else { Exit::Database };
        Self::new(exit, error.sentence())
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
