//! `paytill devices`: what is plugged in, and what the till takes it for.

use crate::config::{Config, PrinterKind, ScannerKind};
use crate::device::inventory::Roots;
use crate::device::learned;
use crate::device::role::{Learned, Wanted};
use crate::device::scanner::ScannerSettings;

/// The scanners that were learned. A file that cannot be used is told in the log.
pub(super) fn learned(config: &Config) -> Vec<Learned> {
    learned::read(&learned::path(&config.journal.path)).unwrap_or_else(|error| {
        tracing::warn!(%error, "no learned scanners");
        Vec::new()
    })
}

/// What the till looks for, by its configuration.
pub(super) fn scanner_settings(config: &Config, learned: Vec<Learned>) -> ScannerSettings {
    let scanner = &config.scanner;
    let kind = scanner.kind;
    let is_auto = kind == ScannerKind::Auto;
    let port = matches!(kind, ScannerKind::Auto | ScannerKind::Serial)
        .then(|| scanner.port.clone())
        .flatten();
    let is_missed = match kind {
        ScannerKind::Auto => port.is_some() || scanner.device.is_some() || !learned.is_empty(),
        ScannerKind::Serial | ScannerKind::HidPos | ScannerKind::HidKeyboard => true,
        ScannerKind::Keyboard | ScannerKind::None => false,
    };
    let wanted = Wanted {
        serial: is_auto && port.is_none(),
        hid_pos: is_auto || kind == ScannerKind::HidPos,
        keyboards: is_auto || kind == ScannerKind::HidKeyboard,
        only: scanner.device.clone(),
        learned,
        scanner_port: port.clone(),
        other_ports: printer_port(config).into_iter().collect(),
    };
    ScannerSettings {
        port,
        baud: scanner.baud,
        suffix: scanner.suffix,
        layout: scanner.layout,
        wanted,
        is_missed,
        roots: Roots::default(),
    }
}

fn printer_port(config: &Config) -> Option<std::path::PathBuf> {
    let is_serial = config.printer.kind == PrinterKind::EscposSerial;
    config.printer.port.clone().filter(|_| is_serial)
}
