//! `paytill doctor`: checks everything a till needs and prints a line for each, with advice on what
//! is wrong.
//!
//! It reads the configuration as far as that is usable, dials the gateway with a query that can
//! match no order, verifies the whole journal, tries the disk, and probes the devices and the
//! terminal. It sends nothing that could move money, writes nothing but a small file to time the
//! disk, and works beside a running till. The worst fault decides the exit code.

mod books;
mod devices;
mod gateway;
mod gateway_backend;
mod gateway_v3;

use std::ffi::OsString;
use std::path::Path;

use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::open::working_directory;
use super::output::print_line;
use super::terminal::has_no_chinese;
use super::{Exit, Failure};
use crate::catalogue::{self, Catalogue};
use crate::clean::clean;
use crate::cli::Json;
use crate::config::{Config, Flags, GatewayConfig, Salvage};
use crate::journal;
use crate::language::Language;
use crate::operators::{self, Operators};
use crate::text;
use crate::text::doctor::{Check, CheckResult, Finding, OfBackend, TerminalState, Verdict};
use crate::text::operators::failure;
use paytill_host::clock::Clock;

/// The width of the columns before the sentence, in cells.
const VERDICT_COLUMN: usize = 9;
const CHECK_COLUMN: usize = 15;
/// The longest sentence, in cells: it may contain commands, each with several paths.
const SENTENCE: usize = 4000;

/// Runs every check, whatever the others found, and reports each result at once.
pub async fn run(json: Json, flags: &Flags, clock: &Clock) -> Result<Exit, Failure> {
    let folder = working_directory()?;
    let mut reporter = FindingReporter {
        json: json.json,
        language: Language::default(),
        unknown: Vec::new(),
        faults: Faults::default(),
    };
    if let Some(config) = configuration(flags, &folder, &mut reporter) {
        match &config.gateway {
            GatewayConfig::WechatV2(wechat) => {
                gateway::check(&config, wechat, clock, &mut reporter).await;
            }
            GatewayConfig::WechatV3(wechat) => {
                gateway_v3::check(&config, wechat, clock, &mut reporter).await;
            }
            GatewayConfig::Backend(backend) => {
                gateway_backend::check(&config, backend, clock, &mut reporter).await;
            }
            GatewayConfig::Simulator => reporter.report(&Finding::Training),
            // The reason was reported already.
            GatewayConfig::Unread => {}
        }
        let is_running = journal::is_held(&config.journal.path);
        reporter.report(if is_running { &Finding::TillRunning } else { &Finding::TillNotRunning });
        books::check(&config.journal, is_running, clock, &mut reporter);
        goods(&config, &mut reporter);
        devices::check(&config, is_running, &mut reporter);
    }
    reporter.report(&terminal(&environment));
    Ok(reporter.faults.exit())
}

fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Reads as much of the configuration as is usable, and sets the language of the report.
fn configuration(flags: &Flags, folder: &Path, reporter: &mut FindingReporter) -> Option<Config> {
    let read = Config::load(flags, &environment, folder);
    let without_secrets = || Config::load_without_secrets(flags, &environment, folder);
    let (loaded, secrets) = match read {
        Ok(loaded) => (loaded, Ok(())),
        Err(wrong) => match without_secrets() {
            Ok(loaded) => (loaded, Err(wrong)),
            Err(_) => return salvage(flags, folder, reporter),
        },
    };
    reporter.language = loaded.config.till.language;
    reporter.report(&match &loaded.source {
        Some(file) => Finding::Configured(file.display().to_string()),
        None => Finding::Unconfigured,
    });
    match (secrets, &loaded.config.gateway) {
        (Err(wrong), _) => {
            for sentence in wrong.each() {
                let sentence = sentence.in_language(reporter.language).to_owned();
                reporter.report(&if wrong.is_unguarded() {
                    Finding::ConfigurationOpen(sentence)
                } else if loaded.config.backend_files.is_used {
                    Finding::OfBackend(OfBackend::FilesWrong(sentence))
                } else {
                    Finding::SecretsWrong(sentence)
                });
            }
        }
        (Ok(()), GatewayConfig::WechatV2(_) | GatewayConfig::WechatV3(_)) => {
            reporter.report(&Finding::SecretsRead);
        }
        // The keys of a backend are told apart when it is checked.
        (Ok(()), GatewayConfig::Backend(_) | GatewayConfig::Simulator | GatewayConfig::Unread) => {}
    }
    if let Err(error) = Operators::read(&operators::path(&loaded.config.journal.path)) {
        let sentence = failure(&error).in_language(reporter.language).to_owned();
        reporter.report(&Finding::OperatorsWrong(sentence));
    }
    Some(loaded.config)
}

fn salvage(flags: &Flags, folder: &Path, reporter: &mut FindingReporter) -> Option<Config> {
    let Salvage { config, faults } = Config::salvage(flags, &environment, folder);
    reporter.language = Config::language(flags, &environment, folder);
    for fault in faults {
        let sentence = fault.sentence(reporter.language).to_owned();
        reporter.report(&Finding::ConfigurationWrong(sentence));
        reporter.unknown.extend(fault.section().map(str::to_owned));
    }
    config
}

/// Reads the whole catalogue, if there is one.
fn goods(config: &Config, reporter: &mut FindingReporter) {
    let path = catalogue::path(&config.journal.path);
    let read = Catalogue::open(&path, config.till.currency).and_then(|catalogue| {
        catalogue.map(|catalogue| catalogue.each(|_| ()).map(|()| catalogue.count)).transpose()
    });
    if let Some(found) = read.transpose() {
        let sentence = |fault| text::goods::fault(&fault).in_language(reporter.language).to_owned();
        reporter.report(&Finding::Goods(found.map_err(sentence)));
    }
}

fn terminal(environment: &dyn Fn(&str) -> Option<OsString>) -> Finding {
    let value = |name: &str| environment(name).filter(|value| !value.is_empty());
    if value("TERM").is_none_or(|term| term == "dumb") {
        return Finding::Terminal(TerminalState::Poor);
    }
    if value("TERM").is_some_and(|term| has_no_chinese(&term)) {
        return Finding::Terminal(TerminalState::Latin);
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(value).unwrap_or_default();
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") {
        Finding::Terminal(TerminalState::Good)
    } else {
        Finding::Terminal(TerminalState::NotUtf8)
    }
}

/// Prints findings, and remembers which of them are faults.
struct FindingReporter {
    json: bool,
    language: Language,
    /// Sections of the configuration that could not be read.
    unknown: Vec<String>,
    faults: Faults,
}

impl FindingReporter {
    fn report(&mut self, finding: &Finding) {
        let CheckResult { check, verdict, text, advice } = finding.result(self.language);
        let section = if check == Check::Disk { Check::Journal } else { check }.word();
        if self.unknown.iter().any(|unknown| unknown == section) {
            return;
        }
        if verdict == Verdict::Fault {
            self.faults.add(check);
        }
        let text = clean(&text, SENTENCE);
        let advice = advice.map(|advice| clean(&advice, SENTENCE));
        if self.json {
            let mut line = json!({
                "check": check.word(),
                "result": verdict.word(),
                "text": text,
                "advice": advice,
            });
            if let Finding::JournalWhole { head: Some(head), .. } = finding {
                line["entries"] = head.entry.into();
                line["digest"] = head.digest.clone().into();
                line["order_no"] = head.out_trade_no.clone().into();
            }
            print_line(&line.to_string());
            return;
        }
        let verdict = padded(verdict.name(self.language), VERDICT_COLUMN);
        let check = padded(check.name(self.language), CHECK_COLUMN);
        print_line(&format!("{verdict}{check}{text}"));
        if let Some(advice) = advice {
            print_line(&format!("{}{advice}", " ".repeat(VERDICT_COLUMN + CHECK_COLUMN)));
        }
    }
}

fn padded(word: &str, cells: usize) -> String {
    format!("{word}{}", " ".repeat(cells.saturating_sub(word.width())))
}

/// Which kinds of faults were found.
#[derive(Default)]
struct Faults {
    configuration: bool,
    books: bool,
    others: bool,
}

impl Faults {
    fn add(&mut self, check: Check) {
        match check {
            Check::Configuration | Check::Secrets | Check::Certificate | Check::Account => {
                self.configuration = true;
            }
            Check::Journal | Check::Disk => self.books = true,
            Check::Gateway
            | Check::Clock
            | Check::Till
            | Check::Scanner
            | Check::Printer
            | Check::Display
            | Check::Goods
            | Check::Terminal => self.others = true,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self { configuration: true, .. } => Exit::Configuration,
            Self { books: true, .. } => Exit::Journal,
            Self { others: true, .. } => Exit::Fault,
            Self { .. } => Exit::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_known_by_its_environment() {
        let found = |variables: &[(&str, &str)]| {
            let variables = variables.to_owned();
            terminal(&|name| {
                let value = variables.iter().find(|(known, _)| *known == name);
                value.map(|(_, value)| OsString::from(value))
            })
        };
        let xterm = ("TERM", "xterm-256color");
        assert_eq!(
            found(&[xterm, ("LANG", "zh_CN.UTF-8")]),
            Finding::Terminal(TerminalState::Good)
        );
        assert_eq!(
            found(&[xterm, ("LC_ALL", ""), ("LANG", "C.utf8")]),
            Finding::Terminal(TerminalState::Good)
        );
        assert_eq!(
            found(&[("TERM", "linux"), ("LANG", "zh_CN.UTF-8")]),
            Finding::Terminal(TerminalState::Latin)
        );
        let overruled = [xterm, ("LC_ALL", "C"), ("LANG", "en_US.UTF-8")];
        assert_eq!(found(&overruled), Finding::Terminal(TerminalState::NotUtf8));
        assert_eq!(found(&[xterm]), Finding::Terminal(TerminalState::NotUtf8));
        assert_eq!(
            found(&[("TERM", "dumb"), ("LANG", "C.UTF-8")]),
            Finding::Terminal(TerminalState::Poor)
        );
        assert_eq!(found(&[("LANG", "C.UTF-8")]), Finding::Terminal(TerminalState::Poor));
    }

    #[test]
    fn the_worst_fault_gives_the_exit_code() {
        let exit = |checks: &[Check]| {
            let mut faults = Faults::default();
            for check in checks {
                faults.add(*check);
            }
            faults.exit()
        };
        assert_eq!(exit(&[]), Exit::Done);
        assert_eq!(exit(&[Check::Printer]), Exit::Fault);
        assert_eq!(exit(&[Check::Printer, Check::Disk]), Exit::Journal);
        assert_eq!(exit(&[Check::Journal, Check::Secrets, Check::Gateway]), Exit::Configuration);
    }
}
