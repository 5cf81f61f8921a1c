//! Decides what a device is taken for, and why.
//!
//! The rules are conservative: a keyboard that a person types on is never taken for a scanner, nor
//! is a port that something else needs, nor an adapter that could have anything behind it. The
//! device itself is not opened.

use std::path::PathBuf;

use super::DeviceFault;
use super::inventory::{Device, DeviceClass};
use crate::hardware::Selector;

/// What the till looks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeviceFilter {
    pub serial: bool,
    pub hid_pos: bool,
    pub keyboards: bool,
    /// Set if the owner restricts the search to one scanner.
    pub only: Option<Selector>,
    /// Scanners detected earlier by `paytill devices --learn`.
    pub learned: Vec<Learned>,
    /// The port of a scanner that the owner configured, and those of printer and display.
    pub scanner_port: Option<PathBuf>,
    pub other_ports: Vec<PathBuf>,
    /// The printer's alone.
    pub printer_port: Option<PathBuf>,
}

/// What is plugged in at the port of another device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Misplaced {
    /// A printer, at the scanner's port.
    Printer,
    /// A scanner, at the printer's port.
    Scanner,
}

impl Misplaced {
    /// The name used in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Printer => "printer",
            Self::Scanner => "scanner",
        }
    }

    pub fn fault(self) -> DeviceFault {
        match self {
            Self::Printer => DeviceFault::SwappedPrinter,
            Self::Scanner => DeviceFault::Swapped,
        }
    }
}

/// What a device is taken for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    Scanner(Why),
    /// Reported to be a scanner, but not reliably enough to use it unasked.
    MaybeScanner,
    Keyboard,
    /// The configured printer or display.
    Configured,
    Unknown,
}

/// Why a device is taken for a scanner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// It speaks the scanners' own protocol.
    HidPos,
    /// The configuration names it.
    Named,
    /// It was learned; the number is its speed in bits per second if it is a serial port.
    Learned(u32),
    /// Its maker makes nothing else, or this product is known.
    Known,
    /// Its product name says so.
    CallsItselfOne,
}

impl Selector {
    fn fits(&self, device: &Device) -> bool {
        let serial = &device.identity.serial;
        device.identity.ids == Some((self.vendor, self.product))
            && self.serial.as_ref().is_none_or(|named| named == serial)
    }
}

/// A learned scanner. It is recognized by its serial number wherever it is plugged in, and without
/// one by its socket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Learned {
    pub vendor: u16,
    pub product: u16,
    /// Empty if it has none.
    pub serial: String,
    pub socket: String,
    pub kind: Kind,
    /// Bits per second; meaningful only for serial ports.
    pub baud: u32,
}

/// How a scanner is connected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Serial,
    HidPos,
    Keyboard,
}

impl Kind {
    /// The name used in files and in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::HidPos => "hid-pos",
            Self::Keyboard => "hid-keyboard",
        }
    }

    /// How a device would be connected as a scanner, if it can be one.
    pub fn of(class: &DeviceClass) -> Option<Self> {
        match class {
            DeviceClass::Serial => Some(Self::Serial),
            DeviceClass::HidPos(_) => Some(Self::HidPos),
            DeviceClass::Keyboard => Some(Self::Keyboard),
            DeviceClass::OtherHid => None,
        }
    }
}

impl Learned {
    pub(super) fn fits(&self, device: &Device) -> bool {
        let identity = &device.identity;
        identity.ids == Some((self.vendor, self.product))
            && Kind::of(&device.class) == Some(self.kind)
            && identity.serial == self.serial
            && (!self.serial.is_empty() || identity.socket == self.socket)
    }
}

impl DeviceFilter {
    /// What the till would do with a device.
    pub fn role(&self, device: &Device) -> Role {
        if self.other_ports.iter().any(|port| is_same(port, device)) {
            return Role::Configured;
        }
        if self.scanner_port.as_ref().is_some_and(|port| is_same(port, device)) {
            return Role::Scanner(Why::Named);
        }
        let is_wanted = match device.class {
            DeviceClass::Serial => self.serial,
            DeviceClass::HidPos(_) => self.hid_pos,
            DeviceClass::Keyboard => self.keyboards,
            DeviceClass::OtherHid => false,
        };
        match (self.scanner(device), &self.only) {
            (Some(why), None) if is_wanted => Role::Scanner(why),
            // Its speed is known better than the configuration's.
            (Some(why @ Why::Learned(_)), Some(only)) if is_wanted && only.fits(device) => {
                Role::Scanner(why)
            }
            (_, Some(only)) if is_wanted && only.fits(device) => Role::Scanner(Why::Named),
            (Some(_), _) => Role::MaybeScanner,
            (None, _) => without_proof(device),
        }
    }

    /// What a device is for certain, if it is plugged in where the configuration has another one.
    /// Nothing is sent to find out: to a scanner, a printer's question may be a command.
    pub fn misplaced(&self, device: &Device) -> Option<Misplaced> {
        let is_at =
            |port: &Option<PathBuf>| port.as_ref().is_some_and(|port| is_same(port, device));
        if is_at(&self.scanner_port) && self.scanner(device).is_none() && is_printer(device) {
            Some(Misplaced::Printer)
        } else if is_at(&self.printer_port) && self.scanner(device).is_some() {
            Some(Misplaced::Scanner)
        } else {
            None
        }
    }

    /// Whether nothing tells a scanner's port from the printer's: both are named, and what is
    /// plugged in is not known for a scanner.
    pub fn may_be_the_printers(&self, device: Option<&Device>) -> bool {
        self.printer_port.is_some() && device.is_none_or(|device| self.scanner(device).is_none())
    }

    /// The device at the configured port of the scanner.
    pub fn at_scanner_port<'d>(&self, devices: &'d [Device]) -> Option<&'d Device> {
        let port = self.scanner_port.as_ref()?;
        devices.iter().find(|device| is_same(port, device))
    }

    /// The device at the configured port of the printer.
    pub fn at_printer_port<'d>(&self, devices: &'d [Device]) -> Option<&'d Device> {
        let port = self.printer_port.as_ref()?;
        devices.iter().find(|device| is_same(port, device))
    }

    fn scanner(&self, device: &Device) -> Option<Why> {
        if matches!(device.class, DeviceClass::HidPos(_)) {
            return Some(Why::HidPos);
        }
        if let Some(learned) = self.learned.iter().find(|learned| learned.fits(device)) {
            return Some(Why::Learned(learned.baud));
        }
        if device.class == DeviceClass::OtherHid {
            return None;
        }
        let known = device.identity.ids.is_some_and(is_known);
        known.then_some(Why::Known).or_else(|| {
            device.identity.ids?;
            calls_itself_a_scanner(&device.identity.name).then_some(Why::CallsItselfOne)
        })
    }
}

fn without_proof(device: &Device) -> Role {
    let ids = device.identity.ids;
    if ids.is_some_and(|ids| is_hearsay(ids) || is_known(ids)) {
        return Role::MaybeScanner;
    }
    match device.class {
        DeviceClass::Keyboard => Role::Keyboard,
        DeviceClass::Serial | DeviceClass::HidPos(_) | DeviceClass::OtherHid => Role::Unknown,
    }
}

/// Compares by node, or by a link to it.
fn is_same(port: &PathBuf, device: &Device) -> bool {
    *port == device.node
        || device.by_id.as_ref() == Some(port)
        || port.canonicalize().is_ok_and(|port| port == device.node)
}

fn calls_itself_a_scanner(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    // Keyboards may have fingerprint scanners.
    has(&["barcode", "bar code"]) || (has(&["scanner"]) && !has(&["finger", "keyboard"]))
}

/// Whether it is a receipt printer for certain (devices 1.8).
fn is_printer(device: &Device) -> bool {
    let Some((vendor, _)) = device.identity.ids else { return false };
    let name = device.identity.name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    // Epson, Star, Bixolon, Citizen.
    matches!(vendor, 0x04b8 | 0x0519 | 0x1504 | 0x1d90)
        || has(&["printer", "printing", "receipt", "escpos", "esc/pos", "pos58", "pos-58"])
        || has(&["pos80", "pos-80"])
}

/// Vendors that make scanners, and single products of other vendors (devices 1.7).
fn is_known((vendor, product): (u16, u16)) -> bool {
    match vendor {
        // Honeywell with Metrologic, Hand Held Products and Youjie; Symbol and Zebra; Datalogic
        // with PSC; Newland; Opticon; Meva.
        0x0c2e | 0x0536 | 0x23d0 | 0x05e0 | 0x05f9 | 0x1eab | 0x065a | 0x24ea => true,
        _ => matches!(
            (vendor, product),
            (0x0488, 0x5788) | (0x0416, 0xc141) | (0x13ba, 0x0018) | (0xffff, 0x0035)
        ),
    }
}

/// Reported to be scanners, but unconfirmed (devices 1.7).
fn is_hearsay(ids: (u16, u16)) -> bool {
    matches!(
        ids,
        (0x27dd, 0x0002 | 0x0003)
            | (0x28e9, 0x018a | 0x018b)
            | (0x2dd6, 0x0261 | 0x21ca | 0x228a | 0x2a6a)
            | (0xac90, 0x3003 | 0x3004)
            | (0x1f3a, 0x1009 | 0x100a)
    )
}
