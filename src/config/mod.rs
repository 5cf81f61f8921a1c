//! What the owner decides: file, environment and flags, made one checked value.
//!
//! A till either has a configuration that is right in every part or none at all: the first fault is
//! told in one sentence with file, line, key and what is allowed, and ends the start (exit code 3).

mod file;
mod nearest;
mod secret;
mod sections;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use tracing::level_filters::LevelFilter;

use crate::clock::Millis;
pub use crate::device::Flow;
pub use crate::device::display::Parity;
use crate::gateway::fields::SignType;
use crate::money::{Currency, Entry, Money};
use crate::order::{Merchant, TillId};
use crate::payment::Rules;
use crate::picture::Picture;
pub use crate::scan::Suffix;
use crate::text::Language;

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
}

/// How a scanner is connected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScannerKind {
    /// Serial if a port is named, else typed into the terminal.
    Auto,
    Serial,
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

/// What is wrong with the configuration or a secret, as one sentence with its place. It holds
/// nothing secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{sentence}")]
pub struct ConfigError {
    sentence: String,
}

impl ConfigError {
    fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into() }
    }
}

/// An environment variable's value.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Config {
    /// Reads the first configuration file there is: `--config`, `$PAYTILL_CONFIG`, then
    /// `paytill.toml` in `folder` (the working directory), in `$XDG_CONFIG_HOME/paytill` and in
    /// `/etc/paytill` (interface 1). Without any the till is in training.
    pub fn load(
        flags: &Flags,
        environment: Environment<'_>,
        folder: &Path,
    ) -> Result<Loaded, ConfigError> {
        for candidate in candidates(flags, environment, folder) {
            let name = secret::shown(&candidate.shown);
            match file::read(&candidate.path, &name)? {
                Some(text) => {
                    let config = read(&name, &text, &candidate.path, flags, environment)?;
                    return Ok(Loaded { config, source: Some(candidate.path) });
                }
                None => {
                    if let Some(by) = candidate.named_by {
                        let sentence = format!("{name}: there is no such file; {by} names it");
                        return Err(ConfigError::new(sentence));
                    }
                }
            }
        }
        Ok(Loaded { config: Self::training(flags, environment)?, source: None })
    }

    /// The configuration without a file: all defaults, on the simulated gateway, in the language
    /// of the environment.
    pub fn training(flags: &Flags, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let surroundings = sections::Surroundings {
            folder: Path::new("/"),
            environment,
            flags,
            language: language_of(environment),
        };
        sections::read(&file::Document::default(), &surroundings)
    }
}

fn read(
    name: &str,
    text: &str,
    path: &Path,
    flags: &Flags,
    environment: Environment<'_>,
) -> Result<Config, ConfigError> {
    let document = file::Document::parse(name, text, sections::KNOWN)?;
    let surroundings = sections::Surroundings {
        folder: path.parent().unwrap_or_else(|| Path::new("/")),
        environment,
        flags,
        language: Language::default(),
    };
    sections::read(&document, &surroundings)
}

struct Candidate {
    path: PathBuf,
    /// As people would write it.
    shown: PathBuf,
    /// Who named it; such a file must be there.
    named_by: Option<&'static str>,
}

fn candidates(flags: &Flags, environment: Environment<'_>, folder: &Path) -> Vec<Candidate> {
    let named = match (&flags.config, variable(environment, "PAYTILL_CONFIG")) {
        (Some(path), _) => Some((path.clone(), "--config")),
        (None, Some(path)) => Some((path.into(), "$PAYTILL_CONFIG")),
        (None, None) => None,
    };
    if let Some((shown, by)) = named {
        return vec![Candidate { path: folder.join(&shown), shown, named_by: Some(by) }];
    }
    let home = folder_of(environment, "XDG_CONFIG_HOME", ".config");
    let places = [
        Some(PathBuf::from("paytill.toml")),
        home.map(|home| home.join("paytill/paytill.toml")),
        Some(PathBuf::from("/etc/paytill/paytill.toml")),
    ];
    let candidate = |shown: PathBuf| Candidate { path: folder.join(&shown), shown, named_by: None };
    places.into_iter().flatten().map(candidate).collect()
}

/// A variable that is set and not empty.
fn variable(environment: Environment<'_>, name: &str) -> Option<OsString> {
    environment(name).filter(|value| !value.is_empty())
}

/// A base folder of the XDG specification, which says to ignore one that is not absolute.
fn folder_of(environment: Environment<'_>, name: &str, below_home: &str) -> Option<PathBuf> {
    let absolute =
        |name| variable(environment, name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(name).or_else(|| absolute("HOME").map(|home| home.join(below_home)))
}

/// Chinese where the locale is, else English.
fn language_of(environment: Environment<'_>) -> Language {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| variable(environment, name))
        .unwrap_or_default();
    if locale.to_string_lossy().starts_with("zh") { Language::Chinese } else { Language::English }
}
