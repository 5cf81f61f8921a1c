//! `paytill devices --learn`: scan once to choose the scanner.

use std::io::{IsTerminal as _, stdin};
use std::time::Duration;

use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr,
};
use tokio::sync::mpsc;

use super::super::output::{print_line, print_message};
use super::super::signals::Signals;
use super::super::wiring::{self, scanner_settings};
use super::super::{Exit, Failure};
use super::{described, json_of};
use crate::both;
use crate::cli::Json;
use crate::config::Config;
use crate::device::inventory::{DeviceClass, Roots, plugged_in};
use crate::device::learned;
use crate::device::role::{Kind, Learned, Role};
use crate::device::scanner::detection::{Detection, DetectionReport, Heard};
use crate::journal::JournalError;
use crate::language::Text;
use crate::text::device::{self as text, LearnWords};
use crate::text::failure as failed;
use paytill_host::clock::Clock;

const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until a scanner is used, and stores which one it was.
pub async fn run(json: Json, config: &Config, clock: &Clock) -> Result<Exit, Failure> {
    // A running till has the scanner to itself, and none may start while this is listening.
    let _held = match super::super::open::hold(config) {
        Err(held @ JournalError::Held(_)) => return Err(held.into()),
        journal => journal.ok(),
    };
    let words = LearnWords::of(config.till.language);
    let filter = scanner_settings(config, wiring::learned(config)).filter;
    let mut candidates = plugged_in(&Roots::default());
    // Listening disturbs no printer, and the scanner may be plugged in at its port.
    let at_printer = filter.at_printer_port(&candidates).cloned();
    candidates.retain(|device| {
        let is_free =
            filter.role(device) != Role::Configured || at_printer.as_ref() == Some(device);
        device.class != DeviceClass::OtherHid && is_free
    });
    if candidates.is_empty() {
        return Err(failure(LearnWords::nothing_there));
    }
    let mut signals = Signals::new()?;
    let candidate_count = candidates.len();
    let (sender, mut reports) = mpsc::unbounded_channel();
    // A keyboard scanner types here as well, and the shell must not run what it typed.
    let _quiet = Quiet::start();
    let _detection = Detection::start(
        candidates,
        &Roots::default(),
        config.scanner.layout,
        clock,
        move |report| {
            let _ = sender.send(report);
        },
    )
    .map_err(|error| Failure::of_system(&both!("a device's thread", "无法启动设备线程"), &error))?;
    let mut usable = candidate_count;
    let end = tokio::time::sleep(PATIENCE);
    tokio::pin!(end);
    loop {
        let report = tokio::select! {
            Some(report) = reports.recv() => report,
            () = &mut end => return Err(failure(LearnWords::nothing_learned)),
            _ = signals.next() => return Err(failure(LearnWords::nothing_learned)),
        };
        match report {
            DetectionReport::Listening => print_message(words.scan_now()),
            DetectionReport::Heard(heard) if at_printer.as_ref() == Some(&heard.device) => {
                let node = heard.device.node.display().to_string();
                let told = in_both(|words| words.at_the_printers_port(&node));
                return Err(Failure::new(Exit::Fault, told));
            }
            DetectionReport::Heard(heard) => return remember(&heard, json, config),
            DetectionReport::Garbled { device, next } => {
                print_message(&words.garbled(&described(&device), next));
            }
            DetectionReport::Unusable { device, fault } => {
                let why = text::fault(&fault, config.till.language);
                print_message(&words.cannot_listen(&described(&device), &why));
                usable -= 1;
                if usable == 0 {
                    return Err(failure(LearnWords::nothing_learned));
                }
            }
        }
    }
}

fn remember(heard: &Heard, json: Json, config: &Config) -> Result<Exit, Failure> {
    let words = LearnWords::of(config.till.language);
    let device = &heard.device;
    let symbology = heard.symbology.map(|name| format!(", {name}")).unwrap_or_default();
    let speed = match heard.baud {
        0 => String::new(),
        baud => crate::say!(config.till.language, ", baud {baud}", "，波特率 {baud}"),
    };
    print_message(&words.heard(&format!("{}{symbology}{speed}", described(device))));
    let known = device.identity.ids.zip(Kind::of(&device.class)).filter(|_| {
        let identity = &device.identity;
        !(identity.serial.is_empty() && identity.socket.is_empty())
    });
    let Some(((vendor, product), kind)) = known else {
        let (node, baud) = (device.node.display().to_string(), heard.baud);
        return Err(Failure::new(Exit::Fault, in_both(|words| words.has_no_number(&node, baud))));
    };
    let scanner = Learned {
        vendor,
        product,
        serial: device.identity.serial.clone(),
        socket: device.identity.socket.clone(),
        kind,
        baud: if heard.baud == 0 { config.scanner.baud } else { heard.baud },
    };
    let path = learned::path(&config.journal.path);
    learned::remember(&path, scanner)
        .map_err(|error| Failure::new(Exit::Fault, failed::learned(&error)))?;
    print_message(&words.remembered(&path.display().to_string()));
    let filter = scanner_settings(config, wiring::learned(config)).filter;
    let said = !json.json || print_line(&json_of(device, &filter).to_string());
    Ok(if said { Exit::Done } else { Exit::Fault })
}

fn failure(sentence: fn(LearnWords) -> &'static str) -> Failure {
    Failure::new(Exit::Fault, in_both(|words| sentence(words).to_owned()))
}

fn in_both(sentence: impl Fn(LearnWords) -> String) -> Text {
    Text::each(|language| sentence(LearnWords::of(language)))
}

/// Hides what is typed in the meantime, and discards it at the end.
struct Quiet(Option<Termios>);

impl Quiet {
    fn start() -> Self {
        let before = stdin().is_terminal().then(|| tcgetattr(stdin()).ok()).flatten();
        if let Some(before) = &before {
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(stdin(), OptionalActions::Now, &quiet);
        }
        Self(before)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcflush(stdin(), QueueSelector::IFlush);
            let _ = tcsetattr(stdin(), OptionalActions::Flush, before);
        }
    }
}
