//! The `paytill` binary: parses the command line, loads the configuration and runs one command.
//! Every failure ends in a message and an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use paytill::cli::{self, Cli, Command, Evidence};
use paytill::command::{self, Exit, Failure, output, working_directory};
use paytill::config::{self, Config, Flags, Loaded};
use paytill::language::Language;
use paytill::{both, text};
use paytill_host::clock::Clock;
use paytill_host::{log, process};
use rustix::process::Signal;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Minimum number of open files a till needs: its runtime, journal and one connection.
const DESCRIPTORS: usize = 16;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let asked = paytill_host::config::language_asked(&arguments);
    let mut language = asked.unwrap_or_else(|| config::language_of(&environment));
    let cli = match Cli::read(&arguments, language) {
        Ok(cli) => cli,
        // Help and version.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            output::print_message(&format!(
                "paytill: {}",
                cli::words::wrong_usage(&error, language)
            ));
            return Exit::Usage.into();
        }
    };
    if let Err(error) = process::harden(language) {
        let what = both!("this process cannot be protected", "无法保护本进程");
        let sentence = what.because(&text::system::text(&error));
        output::print_message(&format!("paytill: {}", sentence.in_language(language)));
    }
    match run(cli, &mut language) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::print_message(&format!("paytill: {}", failure.text.in_language(language)));
            failure.exit.into()
        }
    }
}

fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Runs the command. Once the configuration is read, `language` is the one it names.
fn run(cli: Cli, language: &mut Language) -> Result<Exit, Failure> {
    let command = match cli.command {
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            let mut command = cli::words::command(Language::English);
            clap_complete::generate(shell, &mut command, "paytill", &mut script);
            return Ok(print(&script));
        }
        Some(Command::Man) => {
            return cli::man::page().map(|page| print(&page)).map_err(|error| {
                Failure::of_system(&both!("the manual page", "无法生成手册页"), &error)
            });
        }
        Some(Command::Simulator(simulator)) => {
            let clock = Clock::start();
            return on(runtime()?, command::simulator::run(simulator, *language, &clock));
        }
        Some(Command::Doctor(json)) => {
            let flags = cli.global.into();
            return on(runtime()?, command::doctor::run(json, &flags, &Clock::start()));
        }
        Some(Command::Evidence(Evidence { verify: Some(file), .. })) => {
            // It needs nothing but the journal's key, and leaves no log behind.
            let loaded = load(&cli.global.into(), false, language)?;
            return command::evidence::verify(&file, &loaded.config);
        }
        command => command,
    };
    let sends_nothing = match &command {
        Some(
            Command::Orders(_)
            | Command::Show(_)
            | Command::PrintTest(_)
            | Command::Evidence(_)
            | Command::Backup(_)
            | Command::Goods(_)
            | Command::Operators(_)
            | Command::Shift(_)
            | Command::Cash(_)
            | Command::Enroll(_)
            | Command::CustomerView,
        ) => true,
        Some(Command::Find(find)) => !find.ask,
        _ => false,
    };
    let loaded = load(&cli.global.into(), !sends_nothing, language)?;
    let runtime = runtime()?;
    let place = &loaded.config.log;
    let _log = log::start(&place.path, place.level, loaded.config.store.time_zone.clone())
        .map_err(|error| output::print_message(error.text().in_language(*language)));
    let clock = Clock::start();
    match command {
        None => on(runtime, command::cashier::run(&loaded, &clock)),
        Some(Command::PrintTest(page)) => command::print_test::run(&page, &loaded.config, &clock),
        Some(Command::Devices(devices)) if devices.learn => {
            on(runtime, command::devices::learn::run(devices.json, &loaded.config, &clock))
        }
        Some(Command::Devices(devices)) => command::devices::list(devices.json, &loaded.config),
        Some(Command::Operators(operators)) => {
            command::operators::run(operators.what, &loaded.config)
        }
        Some(Command::Goods(goods)) => command::goods::run(goods.what, &loaded.config),
        Some(Command::Shift(shift)) => command::shift::run(shift, &loaded.config, &clock),
        Some(Command::Cash(cash)) => command::shift::cash(cash.what, &loaded.config, &clock),
        Some(Command::Pay(pay)) => on(runtime, command::pay::run(pay, &loaded, &clock)),
        Some(Command::Qr(qr)) => on(runtime, command::qr::run(qr, &loaded, &clock)),
        Some(Command::Reconcile(reconcile)) => {
            on(runtime, command::reconcile::run(reconcile, &loaded, &clock))
        }
        Some(Command::Refund(refund)) => on(runtime, command::refund::run(refund, &loaded, &clock)),
        Some(Command::Recover(recover)) => {
            on(runtime, command::recover::run(recover, &loaded, &clock))
        }
        Some(Command::Enroll(enroll)) => {
            on(runtime, command::enroll::run(enroll, &loaded.config, &clock))
        }
        Some(Command::Orders(orders)) => {
            command::orders::list(&orders, &loaded.config, clock.wall())
        }
        Some(Command::Show(show)) => command::orders::show(&show, &loaded.config),
        Some(Command::Find(find)) => on(runtime, command::find::run(find, &loaded.config, &clock)),
        Some(Command::Evidence(evidence)) => {
            command::evidence::write(&evidence, &loaded.config, clock.wall())
        }
        Some(Command::CustomerView) => {
            on(runtime, command::customer_view::run(&loaded.config, &clock))
        }
        Some(Command::Backup(backup)) => command::backup::run(&backup, &loaded.config),
        Some(
            Command::Completions { .. } | Command::Doctor(_) | Command::Man | Command::Simulator(_),
        ) => Ok(Exit::Done),
    }
}

fn print(text: &[u8]) -> Exit {
    let text = String::from_utf8_lossy(text);
    if output::print_line(text.trim_end()) { Exit::Done } else { Exit::Fault }
}

/// Loads the configuration, and sets `language` from it even if the rest of it is invalid.
fn load(flags: &Flags, with_secrets: bool, language: &mut Language) -> Result<Loaded, Failure> {
    let folder = working_directory()?;
    let loaded = if with_secrets {
        Config::load(flags, &environment, &folder)
    } else {
        Config::load_without_secrets(flags, &environment, &folder)
    };
    *language = match &loaded {
        Ok(loaded) => loaded.config.till.language,
        Err(_) => Config::language(flags, &environment, &folder),
    };
    Ok(loaded?)
}

/// A runtime with a single thread. Fails if the system lacks the resources.
fn runtime() -> Result<Runtime, Failure> {
    let fault = |error| {
        let what = both!("the system gives too little", "系统资源不足");
        Failure::of_system(&what, &error)
    };
    // Check for room first: what follows would die without a message.
    let room: Result<Vec<_>, _> =
        (0..DESCRIPTORS).map(|_| std::fs::File::open("/dev/null")).collect();
    drop(room.map_err(fault)?);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fault)?;
    {
        let _inside = runtime.enter();
        // A file at its size limit is then a failed write, not the end of the process.
        drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map_err(fault)?);
    }
    Ok(runtime)
}

/// Runs the work to completion without waiting for leftover background tasks.
fn on(
    runtime: Runtime,
    work: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}
