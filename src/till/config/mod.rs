//! What the owner decides: file, environment and flags, made one checked value.
//!
//! A till either has a configuration that is right in every part or none at all: the first fault is
//! told in one sentence with file, line, key and what is allowed, and ends the start (exit code 3).

mod find;
mod sections;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use paytill_host::config::file;
pub use paytill_host::config::{ConfigError, Environment, language_of};
use secrecy::SecretString;
use tracing::level_filters::LevelFilter;

use crate::clock::{Millis, TimeZone};
use crate::gateway::wechat::fields::SignType;
use crate::hardware::{Flow, Parity, Selector};
use crate::language::Language;
use crate::money::{Currency, Entry, Money};
use crate::order::{Merchant, TillId};
use crate::payment::Rules;
use crate::picture::Picture;
pub use crate::scan::Suffix;
use crate::scan::keyboard::Layout;

/// Everything the owner decides, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub store: Store,
    pub till: Till,
    pub gateway: Gateway,
    pub payment: Payment,
    pub scanner: Scanner,
    pub printer: Printer,
    pub display: Display,
    pub receipt: Receipt,
    pub screen: Screen,
    pub journal: Journal,
    pub log: Log,
}

/// The shop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Store {
    /// On the screen; at most 64 cells.
    pub name: String,
    /// Sent as device information; at most 32 characters, and it may be empty.
    pub id: String,
    /// Where its clock and calendar are; the machine's zone where nothing else is said.
    pub time_zone: TimeZone,
}

/// This till in the shop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Till {
    pub id: TillId,
    pub language: Language,
    pub currency: Currency,
}

/// Who moves the money.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a till has one of it")]
pub enum Gateway {
    /// Training: nobody does.
    Simulator,
    WechatV2(WechatV2),
    /// A real one whose secrets were not read, so that nothing can be sent to it.
    Unread,
}

/// `WeChat` Pay's API v2, and the secrets to use it.
#[derive(Clone, Debug)]
pub struct WechatV2 {
    /// `https://host` with a port where it is not 443, and nothing behind it.
    pub base_url: String,
    /// Where to go when `base_url` cannot be reached.
    pub backup_url: Option<String>,
    pub merchant: Merchant,
    pub sign_type: SignType,
    /// 32 printable ASCII characters.
    pub api_key: SecretString,
    /// The merchant's certificate and then its private key, as PEM; they belong together.
    pub client_identity_pem: SecretString,
    /// Trust these roots and no others.
    pub ca_pem: Option<Vec<u8>>,
    /// `None`: the address from which the gateway is reached.
    pub client_ip: Option<IpAddr>,
    /// `http://host:port`.
    pub proxy: Option<String>,
    pub connect_timeout: Millis,
    pub request_timeout: Millis,
}

/// How a payment goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Payment {
    pub rules: Rules,
    pub entry: Entry,
    /// What the customer's phone shows as the goods, made from its template: 1 to 127 bytes.
    pub body: String,
}

/// Where payment codes come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scanner {
    pub kind: ScannerKind,
    /// Any tty; there is one if the kind is [`ScannerKind::Serial`].
    pub port: Option<PathBuf>,
    pub baud: u32,
    pub suffix: Suffix,
    /// Take this one and no other.
    pub device: Option<Selector>,
    /// Of scanners that type.
    pub layout: Layout,
}

/// How a scanner is connected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScannerKind {
    /// The port if one is named, and whatever is known as a scanner; without any, typed into the
    /// terminal.
    Auto,
    Serial,
    HidPos,
    /// It types like a keyboard, and is read apart from the terminal.
    HidKeyboard,
    /// Typed into the terminal.
    Keyboard,
    None,
}

/// What receipts are printed on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Printer {
    pub kind: PrinterKind,
    /// A tty, or the file the bytes are appended to; there is one unless the kind is `None`.
    pub port: Option<PathBuf>,
    pub baud: u32,
    pub flow: Flow,
    pub paper: Paper,
    pub profile: Profile,
    /// The wire in its socket that opens the cash drawer; `None`: there is no drawer.
    pub drawer: Option<DrawerPin>,
    /// Print without being asked once a payment is paid.
    pub auto_print: bool,
}

/// How a printer is connected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PrinterKind {
    EscposSerial,
    EscposFile,
    None,
}

/// The width of the paper.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Paper {
    /// 58 mm: 32 columns, 384 dots.
    Mm58,
    /// 80 mm: 48 columns, 576 dots.
    Mm80,
}

/// The display that the customer looks at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Display {
    pub kind: DisplayKind,
    /// A tty; there is one unless the kind is `None`.
    pub port: Option<PathBuf>,
    pub baud: u32,
    /// Beside eight data bits.
    pub parity: Parity,
    pub lights: Lights,
    pub text: DisplayText,
    /// Shown while nothing is sold: at most two lines of 20 columns.
    pub welcome: Vec<String>,
}

/// The commands that a customer's display understands (devices 3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DisplayKind {
    None,
    /// Two lines of 20, CD5220 commands.
    Cd5220,
    /// Two lines of 20, Epson's display commands.
    Escpos,
    /// Eight digits and four lights.
    Led8,
}

/// How the lights of a display of digits are numbered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lights {
    /// `'0'` to `'4'`.
    Ascii,
    /// 0 to 4.
    Binary,
}

/// What a display has pictures of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DisplayText {
    Ascii,
    /// Chinese characters too, two columns each.
    Gb18030,
}

/// What fits on a paper (devices 2.2).
impl Paper {
    /// Characters of ASCII on a line.
    pub const fn columns(self) -> usize {
        match self {
            Self::Mm58 => 32,
            Self::Mm80 => 48,
        }
    }

    /// Dots on a line, of 1/203 inch.
    pub const fn dots(self) -> usize {
        match self {
            Self::Mm58 => 384,
            Self::Mm80 => 576,
        }
    }
}

/// What a printer can do. `receipt/profile.rs` says what each means.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Profile {
    /// What nearly all printers can do.
    #[default]
    Auto,
    Epson,
    Generic,
    NoCutter,
    Gb2312,
    Raster,
}

impl Profile {
    pub const ALL: [Self; 6] =
        [Self::Auto, Self::Epson, Self::Generic, Self::NoCutter, Self::Gb2312, Self::Raster];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Epson => "epson",
            Self::Generic => "generic",
            Self::NoCutter => "no-cutter",
            Self::Gb2312 => "gb2312",
            Self::Raster => "raster",
        }
    }

    /// The profile of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

/// Where a drawer is connected in the printer's socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DrawerPin {
    Pin2,
    Pin5,
}

/// What a receipt says beside the sale.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// Above everything, no wider than the paper.
    pub logo: Option<Picture>,
    /// The store's name where nothing else is said.
    pub header: Vec<String>,
    pub footer: Vec<String>,
    /// 1 to 3.
    pub copies: u8,
}

/// How the screen looks and sounds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Screen {
    pub theme: Theme,
    pub bell: Bell,
    /// An amount above this asks once more; `None`: none does.
    pub confirm_above: Option<Money>,
}

/// How the screen is coloured. Every state is told apart by word and shape in each of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Theme {
    Dark,
    Light,
    Contrast,
    /// No colour at all.
    Mono,
}

/// How the till calls for attention.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bell {
    Bell,
    Visual,
    Off,
}

/// Where the books are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Journal {
    pub path: PathBuf,
}

/// Where the log is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Log {
    /// The day is appended to it: `journal.log` is written as `journal.log.2026-11-22`.
    pub path: PathBuf,
    pub level: LevelFilter,
}

/// What was said on the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub lang: Option<Language>,
    pub log_level: Option<LevelFilter>,
}

/// A configuration and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// `None`: there is no file anywhere, and this is training.
    pub source: Option<PathBuf>,
}

/// What is wrong with a configuration, all of it, and what can be read all the same.
#[derive(Debug)]
pub struct Salvage {
    /// Without the sections that have a fault: those are as if the file did not have them. Secrets
    /// are not read. `None` where nothing can be read.
    pub config: Option<Config>,
    /// The first of each section, in no order.
    pub faults: Vec<ConfigError>,
}

impl From<ConfigError> for Salvage {
    /// Nothing can be read, and this is why.
    fn from(fault: ConfigError) -> Self {
        Self { config: None, faults: vec![fault] }
    }
}

/// Whether the secrets that a file names are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Secrets {
    Read,
    Leave,
}

impl Config {
    /// Reads the first configuration file there is: `--config`, `$PAYTILL_CONFIG`, then
    /// `paytill.toml` in `folder` (the working directory), in `$XDG_CONFIG_HOME/paytill` and in
    /// `/etc/paytill` (interface 4.1). Without any the till is in training.
    pub fn load(
        flags: &Flags,
        environment: Environment<'_>,
        folder: &Path,
    ) -> Result<Loaded, ConfigError> {
        Self::load_with(Secrets::Read, flags, environment, folder)
    }

    /// The same for what sends nothing: secrets are neither needed nor read.
    pub fn load_without_secrets(
        flags: &Flags,
        environment: Environment<'_>,
        folder: &Path,
    ) -> Result<Loaded, ConfigError> {
        Self::load_with(Secrets::Leave, flags, environment, folder)
    }

    /// The language to tell a fault of the configuration in: that of the flags, else the one that
    /// the file names, if that much of it can be read, else the environment's.
    pub fn language(flags: &Flags, environment: Environment<'_>, folder: &Path) -> Language {
        let of_file = || find::first(flags, environment, folder).ok().flatten()?.language();
        flags.lang.or_else(of_file).unwrap_or_else(|| language_of(environment))
    }

    /// For diagnosis only; may be incomplete.
    pub fn salvage(flags: &Flags, environment: Environment<'_>, folder: &Path) -> Salvage {
        match find::first(flags, environment, folder) {
            Ok(Some(found)) => found.salvage(flags, environment),
            Ok(None) => match Self::training(flags, environment) {
                Ok(config) => Salvage { config: Some(config), faults: Vec::new() },
                Err(fault) => fault.into(),
            },
            Err(fault) => fault.into(),
        }
    }

    fn load_with(
        secrets: Secrets,
        flags: &Flags,
        environment: Environment<'_>,
        folder: &Path,
    ) -> Result<Loaded, ConfigError> {
        let Some(found) = find::first(flags, environment, folder)? else {
            return Ok(Loaded { config: Self::training(flags, environment)?, source: None });
        };
        let config = found.read(secrets, flags, environment)?;
        Ok(Loaded { config, source: Some(found.path) })
    }

    /// The configuration without a file: all defaults, on the simulated gateway, in the language
    /// of the environment.
    pub fn training(flags: &Flags, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let surroundings = sections::Surroundings {
            folder: Path::new("/"),
            environment,
            flags,
            secrets: Secrets::Read,
            language: language_of(environment),
        };
        sections::read(&file::Document::default(), &surroundings)
    }
}
