//! Translates the configuration into the settings of each device's driver.

use std::path::PathBuf;

use super::output::print_message;
use crate::config::{Config, DisplayKind, PrinterKind, ScannerKind};
use crate::device::display::DisplaySettings;
use crate::device::inventory::Roots;
use crate::device::learned;
use crate::device::printer::{Patience, PrinterPort, PrinterSettings};
use crate::device::role::{DeviceFilter, Learned};
use crate::device::scanner::ScannerSettings;
use crate::display;
use crate::receipt::{Form, escpos};

/// How to reach the printer, if there is one.
pub(super) fn printer_settings(config: &Config) -> Option<PrinterSettings> {
    let port = config.printer.port.clone()?;
    let kind = match config.printer.kind {
        PrinterKind::EscposSerial => {
            let (baud, flow) = (config.printer.baud, config.printer.flow);
            PrinterPort::Serial { port, baud, flow }
        }
        PrinterKind::EscposFile => PrinterPort::File { path: port },
        PrinterKind::None => return None,
    };
    let form = Form::of(config);
    let (proof, terminator) = (form.profile.proof(), escpos::terminator(&form));
    let uses = config.printer.status;
    Some(PrinterSettings { kind, proof, uses, terminator, patience: Patience::default() })
}

/// How to reach the customer's display, if there is one.
pub(super) fn display_settings(config: &Config) -> Option<DisplaySettings> {
    let display = &config.display;
    let port = display.port.clone().filter(|_| display.kind != DisplayKind::None)?;
    let start = display::start(display);
    Some(DisplaySettings { port, baud: display.baud, parity: display.parity, start })
}

/// The learned scanners. If their file cannot be used, says so and returns none.
pub(super) fn learned(config: &Config) -> Vec<Learned> {
    learned::read(&learned::path(&config.journal.path)).unwrap_or_else(|error| {
        tracing::warn!(%error, "no learned scanners");
        let why = crate::text::failure::learned(&error);
        print_message(&format!("paytill: {}", why.in_language(config.till.language)));
        Vec::new()
    })
}

/// The scanners that the till looks for.
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
    let filter = DeviceFilter {
        serial: is_auto,
        hid_pos: is_auto || kind == ScannerKind::HidPos,
        keyboards: is_auto || kind == ScannerKind::HidKeyboard,
        only: scanner.device.clone(),
        learned,
        scanner_port: port.clone(),
        other_ports: other_ports(config),
        printer_port: printer_port(config),
    };
    ScannerSettings {
        port,
        baud: scanner.baud,
        suffix: scanner.suffix,
        layout: scanner.layout,
        filter,
        is_missed,
        roots: Roots::default(),
    }
}

/// The ports of the printer and the display.
fn other_ports(config: &Config) -> Vec<PathBuf> {
    let display = &config.display;
    let display = display.port.clone().filter(|_| display.kind != DisplayKind::None);
    printer_port(config).into_iter().chain(display).collect()
}

fn printer_port(config: &Config) -> Option<PathBuf> {
    let printer = &config.printer;
    printer.port.clone().filter(|_| printer.kind == PrinterKind::EscposSerial)
}
