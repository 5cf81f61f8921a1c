//! Checks the configured devices: whether they are there and can be opened.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::FindingReporter;
use crate::clean::clean;
use crate::command::devices::may_open;
use crate::command::wiring::{learned, scanner_settings};
use crate::config::{Config, DisplayKind, PrinterKind, ScannerKind};
use crate::device::inventory::{Device, DeviceClass, plugged_in};
use crate::device::role::{Role, Why};
use crate::device::scanner::ScannerSettings;
use crate::device::{self, DeviceFault, Health};
use crate::language::Language;
use crate::text::doctor::{Check, Finding};
use crate::text::system;

/// How many cells of a system error are shown.
const WORDS: usize = 60;

/// Checks each device. While a till runs, its ports are left alone: even an attempt to open one
/// would disturb the program that has it (devices 1.4).
pub(super) fn check(config: &Config, is_running: bool, reporter: &mut FindingReporter) {
    let settings = scanner_settings(config, learned(config));
    let plugged = plugged_in(&settings.roots);
    scanners(config, &settings, &plugged, is_running, reporter);
    let swapped = settings.filter.at_printer_port(&plugged);
    let swapped = swapped.and_then(|device| settings.filter.misplaced(device));
    let look_at = |check, port: Option<&Path>, baud| match port {
        Some(port) => serial(check, port, baud, is_running),
        None => Finding::NoDevice(check),
    };
    let printer = &config.printer;
    reporter.report(&match (printer.kind, printer.port.as_deref()) {
        (PrinterKind::EscposSerial, port) => match (swapped, port) {
            (Some(misplaced), Some(port)) => {
                let name = port.display().to_string();
                Finding::DeviceWrong(Check::Printer, name, misplaced.fault())
            }
            _ => look_at(Check::Printer, port, printer.baud),
        },
        (PrinterKind::EscposFile, Some(path)) => file(path, reporter.language),
        (PrinterKind::EscposFile, None) | (PrinterKind::None, _) => {
            Finding::NoDevice(Check::Printer)
        }
    });
    let display = &config.display;
    if display.kind != DisplayKind::None {
        reporter.report(&look_at(Check::Display, display.port.as_deref(), display.baud));
    }
}

/// The scanner at the configured port, and those that are found.
fn scanners(
    config: &Config,
    settings: &ScannerSettings,
    plugged: &[Device],
    is_running: bool,
    reporter: &mut FindingReporter,
) {
    if config.scanner.kind == ScannerKind::None {
        return reporter.report(&Finding::NoDevice(Check::Scanner));
    }
    let mut findings = Vec::new();
    if let Some(port) = &settings.port {
        findings.push(at_port(port, settings, plugged, is_running));
    }
    for device in plugged {
        let Role::Scanner(why) = settings.filter.role(device) else { continue };
        let node = device.node.display().to_string();
        findings.push(match (&device.class, why) {
            // Already checked by its port.
            (DeviceClass::Serial, Why::Named) if settings.port.is_some() => continue,
            (DeviceClass::Serial, Why::Learned(baud)) => {
                serial(Check::Scanner, &device.node, baud, is_running)
            }
            (DeviceClass::Serial, _) => {
                serial(Check::Scanner, &device.node, settings.baud, is_running)
            }
            (DeviceClass::HidPos(_) | DeviceClass::Keyboard | DeviceClass::OtherHid, _)
                if !may_open(device) =>
            {
                Finding::DeviceWrong(Check::Scanner, node, DeviceFault::DeniedHid)
            }
            (DeviceClass::HidPos(_) | DeviceClass::Keyboard | DeviceClass::OtherHid, _)
                if is_running =>
            {
                Finding::DeviceInUse(Check::Scanner, node)
            }
            (DeviceClass::HidPos(_) | DeviceClass::Keyboard | DeviceClass::OtherHid, _) => {
                Finding::DeviceReady(Check::Scanner, node)
            }
        });
    }
    if findings.is_empty() {
        findings.push(if settings.is_missed { Finding::ScannerMissed } else { Finding::NoScanner });
    }
    for finding in findings {
        reporter.report(&finding);
    }
}

/// The scanner at its configured port, or what is there in its place.
fn at_port(
    port: &Path,
    settings: &ScannerSettings,
    plugged: &[Device],
    is_running: bool,
) -> Finding {
    let (filter, name) = (&settings.filter, port.display().to_string());
    let device = filter.at_scanner_port(plugged);
    if let Some(misplaced) = device.and_then(|device| filter.misplaced(device)) {
        return Finding::DeviceWrong(Check::Scanner, name, misplaced.fault());
    }
    match serial(Check::Scanner, port, settings.baud, is_running) {
        Finding::DeviceReady(..) if filter.may_be_the_printers(device) => {
            Finding::ScannerUnproved(name)
        }
        finding => finding,
    }
}

fn serial(check: Check, port: &Path, baud: u32, is_running: bool) -> Finding {
    let name = port.display().to_string();
    if device::is_somebodys_terminal(port) {
        return Finding::DeviceWrong(check, name, DeviceFault::Terminal);
    }
    if is_running {
        return if port.exists() {
            Finding::DeviceInUse(check, name)
        } else {
            Finding::DeviceAbsent(check, name)
        };
    }
    match device::probe(port, baud) {
        Health::Ready | Health::PaperLow => Finding::DeviceReady(check, name),
        Health::Searching => Finding::DeviceAbsent(check, name),
        Health::Failed(fault) => Finding::DeviceWrong(check, name, fault),
    }
}

/// A pipe is not waited for.
fn open(path: &Path) -> io::Result<()> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().append(true).custom_flags(flags).open(path)?;
    match file.metadata()?.file_type() {
        kind if kind.is_fifo() => Err(io::Error::from(rustix::io::Errno::NXIO)),
        _ => Ok(()),
    }
}

/// A printer that is a file; the till would create it.
fn file(path: &Path, language: Language) -> Finding {
    let name = path.display().to_string();
    if device::is_somebodys_terminal(path) {
        return Finding::DeviceWrong(Check::Printer, name, DeviceFault::Terminal);
    }
    let opened = match open(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or_else(|| Path::new("."));
            rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).map_err(io::Error::from)
        }
        Err(error) => Err(error),
    };
    match opened {
        Ok(()) => Finding::DeviceReady(Check::Printer, name),
        Err(error) => {
            let words = clean(&system::words(&error, language), WORDS);
            Finding::DeviceWrong(Check::Printer, name, DeviceFault::Other(words))
        }
    }
}
