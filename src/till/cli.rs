//! What can be typed on the command line, and nothing else.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::config::{Flags, Profile};
use crate::language::Language;
use crate::payment::Status;

/// A cashier's till in the terminal for WeChat Pay payment codes.
///
/// Without a command it opens the cashier's screen; without a configuration file anywhere it trains
/// on a simulated gateway, and no money moves.
#[derive(Debug, Parser)]
#[command(name = "paytill", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 done, or paid · 1 unexpected fault · 2 wrong usage · \
    3 configuration or secrets · 4 another paytill holds the journal · 5 journal cannot be written · \
    10 declined · 11 reversed · 12 needs attention";

/// Options of every command.
#[derive(Args, Debug)]
pub struct Global {
    /// Read this configuration file [env: `PAYTILL_CONFIG`]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Log from this level on: off, error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<LevelFilter>,
    /// Speak this language: zh-CN or en
    #[arg(long, global = true, value_name = "TAG", value_parser = language)]
    pub lang: Option<Language>,
}

impl From<Global> for Flags {
    fn from(global: Global) -> Self {
        Self { config: global.config, lang: global.lang, log_level: global.log_level }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take one payment without the screen
    Pay(Pay),
    /// List what the journal holds, the newest first
    Orders(Orders),
    /// Show one order: every event, what was sent and what came back
    Show(Show),
    /// Drive everything unresolved to its end
    Recover(Json),
    /// List serial ports and HID devices, and what the till takes each for
    Devices(Devices),
    /// Check configuration, secrets, gateway, clock, journal, disk and devices; say what to do
    Doctor(Json),
    /// Print a page that shows which profile fits the printer: alignment, both scripts, barcode, QR
    /// code, cut
    PrintTest(PrintTest),
    /// Run the simulated gateway on its own
    Simulator(Simulator),
    /// Print shell completions
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// `paytill pay`
#[derive(Args, Debug)]
pub struct Pay {
    /// The amount in major units: 12.5 is 12.50
    #[arg(allow_hyphen_values = true)]
    pub amount: String,
    /// The customer's payment code; - reads it from standard input, where no process list shows it
    #[arg(long, value_name = "AUTH_CODE", allow_hyphen_values = true)]
    pub code: String,
    /// A note kept with the sale
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub note: String,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill orders`
#[derive(Args, Debug)]
pub struct Orders {
    /// Only of this day, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    pub day: Option<jiff::civil::Date>,
    /// Only in this state: created, sent, waiting, checking, reversing, paid, declined, reversed or
    /// attention
    #[arg(long, value_parser = state)]
    pub state: Option<Status>,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill show`
#[derive(Args, Debug)]
pub struct Show {
    /// The order's number
    pub order_no: String,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill devices`
#[derive(Args, Clone, Copy, Debug)]
pub struct Devices {
    /// Scan once to choose the scanner: listens to everything, and remembers what was used
    #[arg(long)]
    pub learn: bool,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill print-test`
#[derive(Args, Debug)]
pub struct PrintTest {
    /// Try this profile instead of the one that is configured: auto, epson, generic, no-cutter,
    /// gb2312 or raster
    #[arg(long, value_name = "NAME", value_parser = profile)]
    pub profile: Option<Profile>,
}

/// `paytill simulator`
#[derive(Args, Debug)]
pub struct Simulator {
    /// Listen here; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// What happens to every payment; without it the last digits of the payment code decide.
    /// `list` prints all names
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Draw chance from this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Write a configuration here, with keys and certificates, that points a till at it
    #[arg(long, value_name = "DIR")]
    pub write_config: Option<PathBuf>,
}

/// Output for programs.
#[derive(Args, Clone, Copy, Debug)]
pub struct Json {
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

fn language(tag: &str) -> Result<Language, String> {
    Language::from_tag(tag).ok_or_else(|| "zh-CN or en".to_owned())
}

fn profile(name: &str) -> Result<Profile, String> {
    Profile::from_name(name).ok_or_else(|| Profile::ALL.map(Profile::name).join(", "))
}

fn state(word: &str) -> Result<Status, String> {
    Status::from_word(word).ok_or_else(|| Status::ALL.map(Status::word).join(", "))
}
