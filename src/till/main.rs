//! Parse, build the configuration, run one command.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use paytill::cli::{Cli, Command};
use paytill::command::{self, Exit, Failure, output};
use paytill::config::{Config, Flags, Loaded};
use paytill_host::clock::Clock;
use paytill_host::{log, process};
use rustix::process::Signal;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Open files that a till needs at the least: its runtime, journal and one connection.
const DESCRIPTORS: usize = 16;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            output::tell(error.to_string().trim_end());
            return Exit::Usage.into();
        }
    };
    if let Err(error) = process::harden() {
        output::tell(&format!("paytill: this process cannot be protected: {error}"));
    }
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::tell(&format!("paytill: {}", failure.sentence));
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let command = match cli.command {
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "paytill", &mut script);
            return Ok(print(&script));
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            return clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map(|()| print(&page))
                .map_err(|error| Failure::new(Exit::Fault, error));
        }
        Some(Command::Simulator(simulator)) => {
            return on(runtime()?, command::simulator::run(simulator, &Clock::start()));
        }
        Some(Command::Doctor(json)) => {
            let flags = cli.global.into();
            return on(runtime()?, command::doctor::run(json, &flags, &Clock::start()));
        }
        command => command,
    };
    let sends_nothing =
        matches!(command, Some(Command::Orders(_) | Command::Show(_) | Command::PrintTest(_)));
    let loaded = load(&cli.global.into(), !sends_nothing)?;
    let runtime = runtime()?;
    let _log = log::start(&loaded.config.log.path, loaded.config.log.level)
        .map_err(|error| output::tell(&error.to_string()));
    let clock = Clock::start();
    match command {
        None => on(runtime, command::cashier::run(&loaded, &clock)),
        Some(Command::PrintTest(page)) => command::print_test::run(&page, &loaded.config, &clock),
        Some(Command::Devices(devices)) if devices.learn => {
            on(runtime, command::devices::learn::run(devices.json, &loaded.config, &clock))
        }
        Some(Command::Devices(devices)) => command::devices::list(devices.json, &loaded.config),
        Some(Command::Pay(pay)) => on(runtime, command::pay::run(pay, &loaded, &clock)),
        Some(Command::Recover(json)) => on(runtime, command::recover::run(json, &loaded, &clock)),
        Some(Command::Orders(orders)) => command::orders::list(&orders, &loaded.config),
        Some(Command::Show(show)) => command::orders::show(&show, &loaded.config),
        Some(
            Command::Completions { .. } | Command::Doctor(_) | Command::Man | Command::Simulator(_),
        ) => Ok(Exit::Done),
    }
}

fn print(text: &[u8]) -> Exit {
    let text = String::from_utf8_lossy(text);
    if output::say(text.trim_end()) { Exit::Done } else { Exit::Fault }
}

fn load(flags: &Flags, with_secrets: bool) -> Result<Loaded, Failure> {
    let folder = std::env::current_dir()
        .map_err(|error| Failure::new(Exit::Fault, format!("the working directory: {error}")))?;
    let environment = |name: &str| std::env::var_os(name);
    Ok(if with_secrets {
        Config::load(flags, &environment, &folder)?
    } else {
        Config::load_without_secrets(flags, &environment, &folder)?
    })
}

/// One thread runs everything.
fn runtime() -> Result<Runtime, Failure> {
    let fault = |error| Failure::new(Exit::Fault, format!("the system gives too little: {error}"));
    // What follows dies without a word where there is no room for it.
    let room: Result<Vec<_>, _> =
        (0..DESCRIPTORS).map(|_| std::fs::File::open("/dev/null")).collect();
    drop(room.map_err(fault)?);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fault)?;
    {
        let _inside = runtime.enter();
        // A file that has reached its limit is a failed write, and not the end of the process.
        drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map_err(fault)?);
    }
    Ok(runtime)
}

/// It does not wait for what still hangs when the work is done.
fn on(
    runtime: Runtime,
    work: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}
