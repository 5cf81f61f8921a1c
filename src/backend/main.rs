//! The `paytill-backend` binary.

use std::ffi::OsString;
use std::process::ExitCode;

use paytill_backend::command::{self, Cli};
use paytill_backend::exit::Exit;
use paytill_host::{config, process};

fn main() -> ExitCode {
    let environment = |name: &str| std::env::var_os(name);
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let asked = config::language_asked(&arguments);
    let language = asked.unwrap_or_else(|| config::language_of(&environment));
    let cli = match Cli::read(&arguments, language) {
        Ok(cli) => cli,
        Err(error) => {
            let is_wrong = error.use_stderr();
            let _ = error.print();
            return if is_wrong { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let language = cli.lang.unwrap_or(language);
    if let Err(error) = process::harden(language) {
        command::print_message(&error.to_string());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(command::run(cli, language, &environment)),
        Err(error) => {
            command::print_message(&error.to_string());
            return Exit::Fault.into();
        }
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            command::print_message(failure.text.in_language(language));
            failure.exit.into()
        }
    }
}
