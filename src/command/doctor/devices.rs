//! The devices that are configured: whether they are there, and can be opened.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use super::Teller;
use crate::clean::clean;
use crate::config::{Config, DisplayKind, PrinterKind, ScannerKind};
use crate::device::{self, Fault, Health};
use crate::text::doctor::{Check, Finding};

/// Cells of the system's words.
const WORDS: usize = 60;

/// Looks at each. Ports are left alone while a till runs: even an attempt to open one would take
/// something from whoever has it (devices 4).
pub(super) fn check(config: &Config, is_running: bool, teller: &mut Teller) {
    let scanner = &config.scanner;
    let has_scanner = matches!(scanner.kind, ScannerKind::Serial | ScannerKind::Auto);
    let scanner_port = scanner.port.as_deref().filter(|_| has_scanner);
    let look_at = |check, port: Option<&Path>, baud| match port {
        Some(port) => serial(check, port, baud, is_running),
        None => Finding::NoDevice(check),
    };
    teller.tell(&look_at(Check::Scanner, scanner_port, scanner.baud));
    let printer = &config.printer;
    teller.tell(&match (printer.kind, printer.port.as_deref()) {
        (PrinterKind::EscposSerial, port) => look_at(Check::Printer, port, printer.baud),
        (PrinterKind::EscposFile, Some(path)) => file(path),
        (PrinterKind::EscposFile, None) | (PrinterKind::None, _) => {
            Finding::NoDevice(Check::Printer)
        }
    });
    let display = &config.display;
    if display.kind != DisplayKind::None {
        teller.tell(&look_at(Check::Display, display.port.as_deref(), display.baud));
    }
}

fn serial(check: Check, port: &Path, baud: u32, is_running: bool) -> Finding {
    let name = port.display().to_string();
    if is_running {
        return if port.exists() {
            Finding::DeviceInUse(check, name)
        } else {
            Finding::DeviceAbsent(check, name)
        };
    }
    match device::look(port, baud) {
        Health::Ready | Health::PaperLow => Finding::DeviceReady(check, name),
        Health::Searching => Finding::DeviceAbsent(check, name),
        Health::Failed(fault) => Finding::DeviceWrong(check, name, fault),
    }
}

/// A printer that is a file, which the till would make.
fn file(path: &Path) -> Finding {
    let name = path.display().to_string();
    let opened = match OpenOptions::new().append(true).open(path) {
        Ok(_) => Ok(()),
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
            let words = clean(&error.to_string(), WORDS);
            Finding::DeviceWrong(Check::Printer, name, Fault::Other(words))
        }
    }
}
