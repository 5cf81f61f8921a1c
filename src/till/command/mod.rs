//! The commands, one file each, and what they share: opening a till, wiring the devices, and
//! output.
//!
//! Each takes its arguments, the configuration and the clock, and returns an [`Exit`] or a
//! [`Failure`]. Nothing but `output` writes to standard output and standard error, except for the
//! cashier's screen, which owns the terminal.

pub mod backup;
pub mod cashier;
pub mod customer_view;
pub mod devices;
pub mod doctor;
pub mod enroll;
pub mod evidence;
pub mod find;
pub mod goods;
mod open;
pub mod operators;
pub mod orders;
pub mod output;
mod paper;
pub mod pay;
mod pin;
pub mod print_test;
pub mod qr;
mod receipt_file;
pub mod reconcile;
pub mod recover;
pub mod refund;
pub mod refund_line;
pub mod report;
pub mod shift;
mod signals;
pub mod simulator;
mod terminal;
mod wiring;

use crate::journal::{BackupError, JournalError};
use crate::language::Text;
use crate::operators::OperatorsError;
use crate::simulator::EmbeddedError;
use crate::text;
use paytill_host::gateway::OpenError;

pub use open::{OpenTill, open, working_directory};

/// How a process ends; the exit codes of interface 1.2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Fault = 1,
    Usage = 2,
    Configuration = 3,
    Held = 4,
    Journal = 5,
    Declined = 10,
    Reversed = 11,
    Attention = 12,
    /// Bill and journal differ.
    Differ = 13,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed: a sentence for people, and the exit code for programs.
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

    /// A system error: what it kept us from doing, and the system's own message.
    pub fn of_system(what: &Text, error: &std::io::Error) -> Self {
        Self::new(Exit::Fault, what.because(&text::system::text(error)))
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let exit = match error {
            JournalError::Held(_) => Exit::Held,
            JournalError::Damaged { .. }
            | JournalError::Foreign(_)
            | JournalError::Linked(_)
            | JournalError::Older { .. }
            | JournalError::Newer { .. }
            | JournalError::NotKept { .. }
            | JournalError::Unusable { .. }
            | JournalError::NoLog(_)
            | JournalError::Write(_)
            | JournalError::Stopped
            | JournalError::Ended
            | JournalError::FoundDamaged { .. }
            | JournalError::Alone(_)
            | JournalError::NoFile(_)
            | JournalError::Key { .. }
            | JournalError::Encode(_) => Exit::Journal,
        };
        Self::new(exit, text::journal::text(&error))
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let exit = match error {
            BackupError::Exists(_) | BackupError::Folder(_) | BackupError::OfTheJournal(_) => {
                Exit::Usage
            }
            BackupError::File { .. } | BackupError::Differs { .. } => Exit::Fault,
            BackupError::Journal(error) => return error.into(),
        };
        Self::new(exit, text::copies::failure(&error))
    }
}

impl From<OperatorsError> for Failure {
    fn from(error: OperatorsError) -> Self {
        let exit = match error {
            OperatorsError::Unsafe(_) | OperatorsError::Broken(_) => Exit::Configuration,
            OperatorsError::NotWritten(..) | OperatorsError::NoRandomness => Exit::Fault,
            OperatorsError::NotAName
            | OperatorsError::NameTaken(_)
            | OperatorsError::PinTaken
            | OperatorsError::TooMany
            | OperatorsError::Unknown(_)
            | OperatorsError::LastManager(_)
            | OperatorsError::ManagerFirst => Exit::Usage,
        };
        Self::new(exit, text::operators::failure(&error))
    }
}

impl From<EmbeddedError> for Failure {
    fn from(error: EmbeddedError) -> Self {
        let exit = match error {
            EmbeddedError::Identity(_) | EmbeddedError::Server(_) => Exit::Fault,
            EmbeddedError::Open(_) => Exit::Configuration,
        };
        Self::new(exit, text::failure::embedded(&error))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::new(Exit::Configuration, error.text())
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::new(Exit::Configuration, error.text().clone())
    }
}
