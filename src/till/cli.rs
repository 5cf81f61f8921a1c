//! What can be typed on the command line, and nothing else. What it is called there for people is
//! in `text/cli.rs`, and is put onto this structure in [`words`].

pub mod words;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::config::{Flags, Profile};
use crate::language::Language;
use crate::payment::Status;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "paytill", version)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Args, Debug)]
pub struct Global {
    /// The configuration file.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// The least that is logged.
    #[arg(long, global = true)]
    pub log_level: Option<LevelFilter>,
    /// The language for people.
    #[arg(long, global = true, value_parser = language)]
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
    Pay(Pay),
    Orders(Orders),
    Show(Show),
    Recover(Json),
    Devices(DevicesArgs),
    Doctor(Json),
    PrintTest(PrintTest),
    Simulator(Simulator),
    Completions {
        /// Whose completions.
        shell: clap_complete::Shell,
    },
    Man,
}

/// `paytill pay`
#[derive(Args, Debug)]
pub struct Pay {
    /// In major units.
    #[arg(allow_hyphen_values = true)]
    pub amount: String,
    /// The customer's payment code; - where it is on standard input.
    #[arg(long, allow_hyphen_values = true)]
    pub code: String,
    /// Kept with the sale.
    #[arg(long, default_value = "")]
    pub note: String,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill orders`
#[derive(Args, Debug)]
pub struct Orders {
    /// Only those of this day.
    #[arg(long)]
    pub day: Option<jiff::civil::Date>,
    /// Only those in this state.
    #[arg(long, value_parser = state)]
    pub state: Option<Status>,
    /// At most so many.
    #[arg(long)]
    pub limit: Option<u32>,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill show`
#[derive(Args, Debug)]
pub struct Show {
    /// The order's number.
    pub order_no: String,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill devices`
#[derive(Args, Clone, Copy, Debug)]
pub struct DevicesArgs {
    /// Find the scanner by using it.
    #[arg(long)]
    pub learn: bool,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill print-test`
#[derive(Args, Debug)]
pub struct PrintTest {
    /// Instead of the one that is configured.
    #[arg(long, value_parser = profile)]
    pub profile: Option<Profile>,
}

/// `paytill simulator`
#[derive(Args, Debug)]
pub struct Simulator {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// What happens to every payment; without it the payment code decides.
    #[arg(long)]
    pub scenario: Option<String>,
    /// Of the random draws.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to write a configuration that points a till at it.
    #[arg(long)]
    pub write_config: Option<PathBuf>,
}

/// Output for programs.
#[derive(Args, Clone, Copy, Debug)]
pub struct Json {
    /// Print JSON, one object a line.
    #[arg(long)]
    pub json: bool,
}

fn language(tag: &str) -> Result<Language, &'static str> {
    Language::from_tag(tag).ok_or("unknown language")
}

fn profile(name: &str) -> Result<Profile, &'static str> {
    Profile::from_name(name).ok_or("unknown profile")
}

fn state(word: &str) -> Result<Status, &'static str> {
    Status::from_word(word).ok_or("unknown state")
}
