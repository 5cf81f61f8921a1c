//! The structure of the command line: which commands and options there are, and nothing else. Their
//! descriptions are in `text/cli.rs`; [`words`] attaches them to this structure.

pub mod man;
pub mod words;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;
use tracing::level_filters::LevelFilter;

use crate::config::{Flags, Profile};
use crate::language::Language;
use crate::operators::Role;
use crate::payment::Status;
use crate::simulator::{Api, NoticeCase};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "paytill", version)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The options of every command.
#[derive(Args, Debug)]
pub struct Global {
    /// The configuration file.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// The minimum log level.
    #[arg(long, global = true)]
    pub log_level: Option<LevelFilter>,
    /// The language of the output.
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
    Qr(Qr),
    Refund(Refund),
    Orders(Orders),
    Show(Show),
    Find(Find),
    Evidence(Evidence),
    Backup(Backup),
    Reconcile(Reconcile),
    Shift(Shift),
    Cash(Cash),
    Recover(Recover),
    Enroll(Enroll),
    Goods(Goods),
    Operators(Operators),
    Devices(DevicesArgs),
    Doctor(Json),
    PrintTest(PrintTest),
    CustomerView,
    Simulator(Simulator),
    Completions {
        /// The shell to complete for.
        shell: clap_complete::Shell,
    },
    Man,
}

/// `paytill pay`
#[derive(Args, Debug)]
pub struct Pay {
    /// In major units of the currency.
    #[arg(allow_hyphen_values = true)]
    pub amount: String,
    /// The customer's payment code, or - to read it from standard input.
    #[arg(long, allow_hyphen_values = true)]
    pub code: String,
    /// Stored with the sale.
    #[arg(long, default_value = "")]
    pub note: String,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill qr`
#[derive(Args, Debug)]
pub struct Qr {
    /// In major units of the currency.
    #[arg(allow_hyphen_values = true)]
    pub amount: String,
    /// Stored with the sale.
    #[arg(long, default_value = "")]
    pub note: String,
    /// Draw the code as a picture into this new file, too.
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill refund`
#[derive(Args, Debug)]
pub struct Refund {
    /// The order number, or its last digits.
    pub order_no: String,
    /// In major units of the currency; all that is left if absent.
    #[arg(allow_hyphen_values = true)]
    pub amount: Option<String>,
    /// Why the money is given back.
    #[arg(long, allow_hyphen_values = true)]
    pub reason: String,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill orders`
#[derive(Args, Debug)]
pub struct Orders {
    /// Only orders of this day.
    #[arg(long, value_parser = day)]
    pub day: Option<DayChoice>,
    /// Only orders in this state.
    #[arg(long, value_parser = state)]
    pub state: Option<Status>,
    /// The maximum number of orders.
    #[arg(long)]
    pub limit: Option<u32>,
    #[command(flatten)]
    pub json: Json,
}

/// A day of the shop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DayChoice {
    Today,
    Yesterday,
    On(Date),
}

impl DayChoice {
    /// The calendar day, seen from today's.
    pub fn from_today(self, today: Date) -> Date {
        match self {
            Self::Today => today,
            Self::Yesterday => today.yesterday().unwrap_or(today),
            Self::On(day) => day,
        }
    }
}

/// `paytill show`
#[derive(Args, Debug)]
pub struct Show {
    /// The order number, or its last digits.
    pub order_no: String,
    /// Draw its slip as a picture into this new file.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub receipt: Option<PathBuf>,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill find`
#[derive(Args, Debug)]
pub struct Find {
    /// A number, a scan, an amount, a time or a state.
    #[arg(allow_hyphen_values = true)]
    pub text: String,
    /// Ask the gateway about each.
    #[arg(long)]
    pub ask: bool,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill evidence`
#[derive(Args, Debug)]
pub struct Evidence {
    /// The order number, or its last digits.
    #[arg(required_unless_present = "verify")]
    pub order_no: Option<String>,
    /// Where it is written, instead of standard output.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Instead: check such a file.
    #[arg(long, conflicts_with_all = ["order_no", "out"])]
    pub verify: Option<PathBuf>,
}

/// `paytill backup`
#[derive(Args, Debug)]
pub struct Backup {
    /// The copy.
    pub file: PathBuf,
}

/// `paytill reconcile`
#[derive(Args, Debug)]
pub struct Reconcile {
    /// Beijing's.
    #[arg(value_parser = day)]
    pub day: DayChoice,
    /// Instead of downloading it.
    #[arg(long)]
    pub bill: Option<PathBuf>,
    /// Where the differences are written.
    #[arg(long)]
    pub csv: Option<PathBuf>,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill shift`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Shift {
    #[command(subcommand)]
    pub what: Option<ShiftCommand>,
    #[command(flatten)]
    pub json: Json,
}

/// What is done with the shift.
#[derive(Debug, Subcommand)]
pub enum ShiftCommand {
    Open {
        /// What is in the drawer.
        #[arg(long, allow_hyphen_values = true)]
        float: Option<String>,
        /// Who.
        #[arg(long)]
        operator: Option<String>,
        #[command(flatten)]
        json: Json,
    },
    Close {
        /// What was counted.
        #[arg(long, allow_hyphen_values = true)]
        counted: Option<String>,
        /// Who.
        #[arg(long)]
        operator: Option<String>,
        /// Over what is not settled, too.
        #[arg(long, conflicts_with = "operator")]
        carry: bool,
        #[command(flatten)]
        json: Json,
    },
    Z {
        /// Which.
        number: u32,
        /// On paper, marked as a copy.
        #[arg(long)]
        print: bool,
        #[command(flatten)]
        json: Json,
    },
    Report {
        /// The shop's.
        #[arg(value_parser = day)]
        day: DayChoice,
        /// Where its figures are written.
        #[arg(long)]
        csv: Option<PathBuf>,
        #[command(flatten)]
        json: Json,
    },
}

/// `paytill cash`
#[derive(Args, Debug)]
pub struct Cash {
    #[command(subcommand)]
    pub what: CashCommand,
}

/// Where the cash goes.
#[derive(Debug, Subcommand)]
pub enum CashCommand {
    In {
        /// In major units.
        #[arg(allow_hyphen_values = true)]
        amount: String,
        /// What for.
        #[arg(long)]
        reason: String,
    },
    Out {
        /// In major units.
        #[arg(allow_hyphen_values = true)]
        amount: String,
        /// What for.
        #[arg(long)]
        reason: String,
    },
}

/// `paytill recover`
#[derive(Args, Debug)]
pub struct Recover {
    /// Instead: this order needs attention, and a person has settled it outside the till.
    #[arg(long, requires = "reason")]
    pub settle: Option<String>,
    /// How it was settled.
    #[arg(long, requires = "settle")]
    pub reason: Option<String>,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill enroll`
#[derive(Args, Debug)]
pub struct Enroll {
    /// Where the merchant's backend is.
    pub url: String,
    /// That it gave for this till.
    pub one_time_code: String,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill goods`
#[derive(Args, Debug)]
pub struct Goods {
    #[command(subcommand)]
    pub what: GoodsCommand,
}

/// What is done with the catalogue.
#[derive(Debug, Subcommand)]
pub enum GoodsCommand {
    Import {
        /// A table as CSV.
        table: PathBuf,
    },
    List(Json),
}

/// `paytill operators`
#[derive(Args, Debug)]
pub struct Operators {
    #[command(subcommand)]
    pub what: OperatorsCommand,
}

/// What is done with the operators.
#[derive(Debug, Subcommand)]
pub enum OperatorsCommand {
    Add {
        /// Who.
        name: String,
        /// What they may do.
        #[arg(long, value_parser = role)]
        role: Role,
    },
    List(Json),
    Remove {
        /// Who.
        name: String,
    },
}

/// `paytill devices`
#[derive(Args, Clone, Copy, Debug)]
pub struct DevicesArgs {
    /// Detect the scanner by scanning with it.
    #[arg(long)]
    pub learn: bool,
    #[command(flatten)]
    pub json: Json,
}

/// `paytill print-test`
#[derive(Args, Debug)]
pub struct PrintTest {
    /// Instead of the configured one.
    #[arg(long, value_parser = profile)]
    pub profile: Option<Profile>,
}

/// `paytill simulator`
#[derive(Args, Debug)]
pub struct Simulator {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// What happens to every payment; if absent, the payment code decides.
    #[arg(long)]
    pub scenario: Option<String>,
    /// The seed of the random draws.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The folder for a configuration that points a till at the simulator.
    #[arg(long)]
    pub write_config: Option<PathBuf>,
    /// What that till speaks.
    #[arg(long, value_parser = api, default_value = "wechat-v2")]
    pub kind: Api,
    /// What becomes of notifications.
    #[arg(long, value_parser = notices, default_value = "prompt")]
    pub notices: NoticeCase,
    /// A root that vouches for those who take notifications.
    #[arg(long)]
    pub notify_ca: Option<PathBuf>,
    /// After how many seconds another platform certificate signs.
    #[arg(long)]
    pub rotate_after: Option<u64>,
}

/// Output for programs.
#[derive(Args, Clone, Copy, Debug)]
pub struct Json {
    /// Print JSON, one object per line.
    #[arg(long)]
    pub json: bool,
}

fn language(tag: &str) -> Result<Language, &'static str> {
    Language::from_tag(tag).ok_or("unknown language")
}

fn api(kind: &str) -> Result<Api, &'static str> {
    match kind {
        "wechat-v2" => Ok(Api::V2),
        "wechat-v3" => Ok(Api::V3),
        "wechat-v3-certificates" => Ok(Api::V3Certificates),
        _ => Err("wechat-v2, wechat-v3 or wechat-v3-certificates"),
    }
}

fn notices(name: &str) -> Result<NoticeCase, &'static str> {
    NoticeCase::from_name(name).ok_or("unknown case")
}

fn profile(name: &str) -> Result<Profile, &'static str> {
    Profile::from_name(name).ok_or("unknown profile")
}

fn role(word: &str) -> Result<Role, &'static str> {
    Role::from_word(word).ok_or("unknown role")
}

fn day(text: &str) -> Result<DayChoice, &'static str> {
    match text {
        "today" | "今天" => Ok(DayChoice::Today),
        "yesterday" | "昨天" => Ok(DayChoice::Yesterday),
        date => date.parse().map(DayChoice::On).map_err(|_| "no day"),
    }
}

fn state(word: &str) -> Result<Status, &'static str> {
    Status::from_word(word).ok_or("unknown state")
}
