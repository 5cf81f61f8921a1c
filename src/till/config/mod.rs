//! The owner's decisions: file, environment and flags, combined into one checked value.
//!
//! A till has either a configuration that is right in every part or none at all. The first fault is
//! reported in one sentence with file, line, key and what is allowed, and the till does not start
//! (exit code 3). Relative paths start from the file's folder. Secrets are in files of their own or
//! in the environment, never in the configuration; they are read last, and only by commands that
//! send something. Without any file, the till is in training. Only `doctor` uses a configuration
//! with faults: see [`Salvage`].

mod backend;
mod find;
mod sections;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use backend::{BackendConfig, BackendFiles};
use paytill_host::config::file;
pub use paytill_host::config::{ConfigError, Environment, language_of};
use paytill_host::gateway::Secrets;
pub use paytill_host::gateway::{WechatV2Config, WechatV3Config};
use tracing::level_filters::LevelFilter;

use crate::clock::{Millis, TimeZone};
use crate::goods::label::Pattern;
use crate::hardware::{Flow, Parity, Selector, StatusUse};
use crate::language::Language;
use crate::money::{AmountEntry, Currency, Money};
use crate::order::{Merchant, TillId};
use crate::payment::Rules;
use crate::picture::Picture;
use crate::sale::Rate;
pub use crate::scan::Suffix;
use crate::scan::keyboard::Layout;

/// The owner's decisions, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub store: StoreConfig,
    pub till: TillConfig,
    pub gateway: GatewayConfig,
    pub backend_files: BackendFiles,
    pub payment: PaymentConfig,
    pub refund: RefundConfig,
    pub scanner: ScannerConfig,
    pub printer: PrinterConfig,
    pub display: DisplayConfig,
    pub receipt: ReceiptConfig,
    pub goods: GoodsConfig,
    pub shift: ShiftConfig,
    pub screen: ScreenConfig,
    pub journal: JournalConfig,
    pub log: LogConfig,
}

/// Giving money back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RefundConfig {
    /// Where people sign in, a manager agrees to more than this; `None`: to none.
    pub consent_above: Option<Money>,
}

/// The shop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreConfig {
    /// Shown on the screen; at most 64 cells.
    pub name: String,
    /// Sent as device information; at most 32 characters, and it may be empty.
    pub id: String,
    /// The zone of the shop's clock and calendar; by default the machine's own.
    pub time_zone: TimeZone,
}

/// This till.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TillConfig {
    pub id: TillId,
    pub language: Language,
    pub currency: Currency,
    /// After so long without a key or a scan the till locks itself, if it has operators.
    pub lock_after: Option<Millis>,
    /// Whether a cashier needs a manager to open the drawer by its key.
    pub drawer_by_manager: bool,
}

/// The shifts of this till.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ShiftConfig {
    /// Whether nothing is sold before a shift is open.
    pub required: bool,
}

/// Who moves the money.
#[derive(Clone, Debug)]
pub enum GatewayConfig {
    /// Training: no money moves.
    Simulator,
    WechatV2(WechatV2Config),
    WechatV3(WechatV3Config),
    Backend(BackendConfig),
    /// A real one whose secrets were not read; nothing can be sent to it.
    Unread,
}

impl GatewayConfig {
    /// Who is paid through it, as it knows them; `None` where that is nobody, or it was not read.
    pub const fn merchant(&self) -> Option<&Merchant> {
        match self {
            Self::WechatV2(gateway) => Some(&gateway.merchant),
            Self::WechatV3(gateway) => Some(&gateway.merchant),
            Self::Backend(gateway) => Some(&gateway.merchant),
            Self::Simulator | Self::Unread => None,
        }
    }
}

/// How a payment proceeds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PaymentConfig {
    pub rules: Rules,
    /// How long the code of an order may be shown to its customer.
    pub qr_lasts: Millis,
    pub entry: AmountEntry,
    /// The goods as the customer's phone shows them, with the template filled in: 1 to 127 bytes.
    pub body: String,
}

/// Where payment codes come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScannerConfig {
    pub kind: ScannerKind,
    /// Any tty; always set for [`ScannerKind::Serial`].
    pub port: Option<PathBuf>,
    pub baud: u32,
    pub suffix: Suffix,
    /// If set, this device and no other.
    pub device: Option<Selector>,
    /// The keyboard layout of scanners that type.
    pub layout: Layout,
}

/// How a scanner is connected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScannerKind {
    /// The port, if one is set, and everything that is recognised as a scanner; if there is none,
    /// keystrokes in the terminal.
    Auto,
    Serial,
    HidPos,
    /// Types like a keyboard, but is read separately from the terminal.
    HidKeyboard,
    /// Types into the terminal.
    Keyboard,
    None,
}

/// What receipts are printed on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrinterConfig {
    pub kind: PrinterKind,
    /// A tty, or the file that the bytes are appended to; always set unless the kind is `None`.
    pub port: Option<PathBuf>,
    pub baud: u32,
    pub flow: Flow,
    pub status: StatusUse,
    pub paper: Paper,
    pub profile: Profile,
    /// The pin in its socket that opens the cash drawer; `None`: no drawer.
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

/// The display that faces the customer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DisplayConfig {
    pub kind: DisplayKind,
    /// A tty; always set unless the kind is `None`.
    pub port: Option<PathBuf>,
    pub baud: u32,
    /// In addition to eight data bits.
    pub parity: Parity,
    pub lights: Lights,
    pub text: DisplayText,
    /// Shown between sales: at most two lines of 20 columns.
    pub welcome: Vec<String>,
}

/// The command sets of customer displays (devices 3).
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

/// How the lights of a digit display are numbered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lights {
    /// `'0'` to `'4'`.
    Ascii,
    /// 0 to 4.
    Binary,
}

/// The characters that a display can show.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DisplayText {
    Ascii,
    /// Also Chinese characters, two columns each.
    Gb18030,
}

/// The dimensions of each paper (devices 2.2).
impl Paper {
    /// ASCII characters per line.
    pub const fn columns(self) -> usize {
        match self {
            Self::Mm58 => 32,
            Self::Mm80 => 48,
        }
    }

    /// Dots per line, each 1/203 inch.
    pub const fn dots(self) -> usize {
        match self {
            Self::Mm58 => 384,
            Self::Mm80 => 576,
        }
    }
}

/// What a printer can do. `receipt/profile.rs` defines each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Profile {
    /// Works with nearly all printers.
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

/// The pin of the printer's socket that the drawer is wired to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DrawerPin {
    Pin2,
    Pin5,
}

/// What a receipt contains besides the sale.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceiptConfig {
    /// Printed at the top, no wider than the paper.
    pub logo: Option<Picture>,
    /// By default, the store's name.
    pub header: Vec<String>,
    pub footer: Vec<String>,
    /// 1 to 3.
    pub copies: u8,
}

/// What is sold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GoodsConfig {
    /// How the labels of the shop's scales are read, tried in this order.
    pub in_store: Vec<Pattern>,
    /// What may be taken off without a manager's consent.
    pub discount_limit: Rate,
}

/// How the screen looks and sounds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScreenConfig {
    pub theme: Theme,
    pub bell: Bell,
    /// A program and its arguments, started for each sound; none if empty.
    pub voice: Vec<String>,
    pub glyphs: Glyphs,
    /// Amounts above this need a confirmation; `None`: none do.
    pub confirm_above: Option<Money>,
}

/// What may stand in braces in `screen.voice`.
pub const VOICE_PLACEHOLDERS: [&str; 3] = ["sentence", "sound", "amount"];

impl ScreenConfig {
    /// The program and its arguments for one sound, the values in the order of
    /// [`VOICE_PLACEHOLDERS`]; `None` if none is configured.
    pub fn voice_line(&self, values: [&str; 3]) -> Option<Vec<String>> {
        let mut at = 0;
        let placeholders = VOICE_PLACEHOLDERS.map(|name| {
            at += 1;
            (name, values[at - 1])
        });
        // Each was filled in once when the configuration was read.
        let fill = |argument: &String| sections::fill(argument, &placeholders).unwrap_or_default();
        (!self.voice.is_empty()).then(|| self.voice.iter().map(fill).collect())
    }
}

/// What frames and large digits are drawn with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Glyphs {
    /// Lines and blocks, unless the terminal shows that it draws them too wide.
    Auto,
    Unicode,
    Ascii,
}

/// The colours of the screen. In each of them, every status also differs by word and shape.
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

/// Where the journal is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JournalConfig {
    pub path: PathBuf,
    /// The key of its chain; by default it is beside it.
    pub key_file: Option<PathBuf>,
}

/// Where the log is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogConfig {
    /// The date is appended: `journal.log` is written as `journal.log.2026-11-22`.
    pub path: PathBuf,
    pub level: LevelFilter,
}

/// The options of the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub lang: Option<Language>,
    pub log_level: Option<LevelFilter>,
}

/// A configuration and its source.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// `None`: no file was found, and this is training.
    pub source: Option<PathBuf>,
}

/// All that is wrong with a configuration, and what can be read despite it.
#[derive(Debug)]
pub struct Salvage {
    /// Without the sections that have a fault, as if they were not in the file, and without
    /// secrets. `None` if nothing can be read.
    pub config: Option<Config>,
    /// The first fault of each section, in no particular order.
    pub faults: Vec<ConfigError>,
}

impl From<ConfigError> for Salvage {
    /// Nothing can be read, for this reason.
    fn from(fault: ConfigError) -> Self {
        Self { config: None, faults: vec![fault] }
    }
}

impl Config {
    /// Reads the first configuration file that exists: `--config`, `$PAYTILL_CONFIG`, then
    /// `paytill.toml` in `folder` (the working directory), in `$XDG_CONFIG_HOME/paytill` and in
    /// `/etc/paytill` (interface 4.1). If there is none, the till is in training. The error is the
    /// first fault.
    pub fn load(
        flags: &Flags,
        environment: Environment<'_>,
        folder: &Path,
    ) -> Result<Loaded, ConfigError> {
        Self::load_with(Secrets::Read, flags, environment, folder)
    }

    /// The same for commands that send nothing: secrets are neither needed nor read.
    pub fn load_without_secrets(
        flags: &Flags,
        environment: Environment<'_>,
        folder: &Path,
    ) -> Result<Loaded, ConfigError> {
        Self::load_with(Secrets::Leave, flags, environment, folder)
    }

    /// The language for reporting a fault in the configuration: from the flags, else from the file
    /// if that much of it can be read, else from the environment.
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
            let config = Self::training_in(flags, environment, folder)?;
            return Ok(Loaded { config, source: None });
        };
        let config = found.read(secrets, flags, environment)?;
        Ok(Loaded { config, source: Some(found.path) })
    }

    /// The configuration without a file: all defaults, the simulated gateway, and the language of
    /// the environment.
    pub fn training(flags: &Flags, environment: Environment<'_>) -> Result<Self, ConfigError> {
        Self::training_in(flags, environment, Path::new("/"))
    }

    /// The same where a file would be in this folder: what is written there starts from it.
    fn training_in(
        flags: &Flags,
        environment: Environment<'_>,
        folder: &Path,
    ) -> Result<Self, ConfigError> {
        let surroundings = sections::Surroundings {
            folder,
            file: None,
            environment,
            flags,
            secrets: Secrets::Read,
            language: language_of(environment),
        };
        sections::read(&file::Document::default(), &surroundings)
    }
}
