//! The commands, and what they share.

mod admin;
mod audit;
mod doctor;
mod gateway;
mod help;
mod open;
mod orders;
mod outbox;
mod reconcile;
mod recover;
mod report;
mod serve;
mod till;
mod web;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use paytill_core::both;
use paytill_core::language::Language;
use paytill_core::payment::Status;
use paytill_host::clock::Clock;

use crate::config;
use crate::exit::{Exit, Failure};
use crate::routes::openapi;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "paytill-backend", version, about = "The merchant's backend behind many tills")]
pub struct Cli {
    /// The configuration file.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// The language of the output.
    #[arg(long, global = true, value_parser = language)]
    pub lang: Option<Language>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands; none: serve.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Orders of all tills, the newest first.
    Orders(Orders),
    /// One order with everything that happened to it.
    Show(Show),
    /// Orders by any number, the end of one, an amount or a time.
    Find(Find),
    /// Drive all that is open to its end, then exit.
    Recover {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Hold the gateway's bill of a day against the books.
    Reconcile(Reconcile),
    /// Check everything that this backend needs.
    Doctor {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// What people did, and whether that is still as it was written.
    Audit {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Print the `OpenAPI` document of what tills ask for.
    Openapi,
    /// Bring the database to this version's schema.
    Migrate,
    /// Tills: who may speak for a store.
    #[command(subcommand)]
    Till(Tills),
    /// What the merchant's own systems are told by webhook.
    #[command(subcommand)]
    Outbox(outbox::OutboxCommand),
    /// Who may see the owner's page.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
}

/// `paytill-backend till`
#[derive(Debug, Subcommand)]
pub enum Tills {
    /// Print a one-time code with which a till introduces itself.
    Add(AddTill),
    /// All tills, what each may do, and when it was last heard.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// End a till's key, within seconds; what it has open still ends.
    Revoke { store: String, till: String },
}

/// `paytill-backend till add`
#[derive(Args, Debug)]
pub struct AddTill {
    /// The store's id.
    pub store: String,
    /// The till's id, with which its order numbers begin: 1 to 8 letters, digits, _ or -.
    pub till: String,
    /// It may not charge.
    #[arg(long)]
    pub no_charge: bool,
    /// It may not order codes for customers to scan.
    #[arg(long)]
    pub no_qr: bool,
    /// The largest refund it may give, in major units.
    #[arg(long, default_value = "0")]
    pub refund_up_to: String,
    /// All refunds of a day that it may give, in major units.
    #[arg(long, default_value = "0")]
    pub refund_per_day: String,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `paytill-backend orders`
#[derive(Args, Debug)]
pub struct Orders {
    /// Only of this day: today, yesterday or YYYY-MM-DD.
    #[arg(long)]
    pub day: Option<String>,
    /// Only in this state.
    #[arg(long, value_parser = orders::state)]
    pub state: Option<Status>,
    /// Only of this till.
    #[arg(long)]
    pub till: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// `paytill-backend show`
#[derive(Args, Debug)]
pub struct Show {
    /// The order's number, the gateway's, or a refund's.
    pub order_no: String,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `paytill-backend find`
#[derive(Args, Debug)]
pub struct Find {
    /// What is known of it.
    pub text: String,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// `paytill-backend reconcile`
#[derive(Args, Debug)]
pub struct Reconcile {
    /// Of this day in Beijing: today, yesterday or YYYY-MM-DD.
    #[arg(long, default_value = "yesterday")]
    pub day: String,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

fn language(word: &str) -> Result<Language, String> {
    match word {
        "en" => Ok(Language::English),
        "zh-CN" => Ok(Language::Chinese),
        _ => Err("zh-CN or en".to_owned()),
    }
}

/// Runs a command.
pub async fn run(
    cli: Cli,
    language: Language,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Exit, Failure> {
    if let Some(Command::Openapi) = cli.command {
        print_line(openapi::DOCUMENT.trim_end());
        return Ok(Exit::Done);
    }
    let folder = std::env::current_dir().map_err(|error| {
        let what = both!("the working directory", "无法取得当前目录");
        Failure::new(Exit::Fault, what.because(&paytill_core::text::system::text(&error)))
    })?;
    let config = config::load(cli.config.as_deref(), environment, &folder);
    if let (Some(Command::Doctor { json }), Err(wrong)) = (&cli.command, &config) {
        return Ok(doctor::misconfigured(wrong, *json, language));
    }
    let config = config?;
    let password =
        environment("PAYTILL_DATABASE_PASSWORD").and_then(|password| password.into_string().ok());
    let clock = Clock::start();
    let books = open::Books { config: &config, password: password.as_deref(), clock: &clock };
    match cli.command {
        // Answered above.
        Some(Command::Openapi) => Ok(Exit::Done),
        None => serve::run(&books, language).await,
        Some(Command::Orders(orders)) => orders::list(&books, &orders, language).await,
        Some(Command::Show(show)) => orders::show(&books, &show, language).await,
        Some(Command::Find(find)) => orders::find(&books, &find, language).await,
        Some(Command::Recover { json }) => recover::run(&books, json, language).await,
        Some(Command::Reconcile(asked)) => reconcile::run(&books, &asked, language).await,
        Some(Command::Doctor { json }) => Ok(doctor::run(&books, json, language).await),
        Some(Command::Audit { json }) => audit::run(&books, json, language).await,
        Some(Command::Migrate) => {
            books.open()?.migrate(clock.wall()).await?;
            print_message(language.pick("the database is up to date", "数据库已是最新结构"));
            Ok(Exit::Done)
        }
        Some(Command::Admin(command)) => admin::run(&books, &command, language).await,
        Some(Command::Outbox(command)) => outbox::run(&books, &command, language).await,
        Some(Command::Till(Tills::Add(add))) => till::add(&books, &add, language).await,
        Some(Command::Till(Tills::List { json })) => till::list(&books, json, language).await,
        Some(Command::Till(Tills::Revoke { store, till })) => {
            till::revoke(&books, &store, &till, language).await
        }
    }
}

/// A line for people, on standard error.
pub fn print_message(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "paytill-backend: {line}");
}

/// Asks for something on the same line, on standard error.
fn print_prompt(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// A line for programs, on standard output.
pub fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
