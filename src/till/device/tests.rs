//! Scanners on pseudo-terminals: the master side plays the hardware. Printers have tests of their
//! own.

mod display;
mod paths;
mod plugged;
mod search;
mod tree;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::fs::OFlags;
use serialport::{SerialPort, TTYPort};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::inventory::Roots;
use super::role::DeviceFilter;
use super::scanner::{ScannerReport, ScannerSettings, Scanners};
use super::{DeviceFault, Health, Pause, Worker};
use crate::scan::Suffix;
use crate::scan::keyboard::Layout;
use paytill_host::clock::Clock;

const CODE: &str = "134567890123456789";
const OTHER: &str = "101112131415161718";
/// Far longer than anything takes; only a failing test waits for it.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// A socket to plug devices into: a link that stays while the terminals behind it change.
pub(super) struct Socket {
    folder: TempDir,
}

impl Socket {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("port")
    }

    /// Plugs in a new device in place of the last, and returns the device's end of the line.
    pub(super) fn plug(&self) -> TTYPort {
        let (mut master, slave) = TTYPort::pair().unwrap();
        master.set_timeout(DEADLINE).unwrap();
        std::fs::remove_file(self.path()).ok();
        symlink(slave.name().unwrap(), self.path()).unwrap();
        master
    }
}

/// Fills a line that nobody reads. The kernel moves what was written on to the reader's end a moment
/// later, which makes room again: it is full once that end is, too.
fn jam(till: &mut File, hardware: &TTYPort) {
    const READER_HOLDS: u32 = 4095;
    loop {
        let reader_is_full = hardware.bytes_to_read().unwrap() >= READER_HOLDS;
        while till.write(b".").is_ok() {}
        if reader_is_full {
            return;
        }
        std::thread::yield_now();
    }
}

/// The till's end of the line, used to fill it up.
pub(super) fn till_end(socket: &Socket) -> File {
    let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(flags.bits().cast_signed()).open(socket.path()).unwrap()
}

/// Reads what a device is sent, up to this ending.
pub(super) fn read_until(hardware: &mut TTYPort, end: &[u8]) -> Vec<u8> {
    let (mut all, mut bytes) = (Vec::new(), [0; 4096]);
    while !all.ends_with(end) {
        let count = hardware.read(&mut bytes).unwrap();
        all.extend_from_slice(&bytes[..count]);
    }
    all
}

/// A device's reports, in order.
pub(super) struct Reports<T>(pub(super) Receiver<T>);

impl<T: PartialEq + std::fmt::Debug> Reports<T> {
    pub(super) fn new() -> (Sender<T>, Self) {
        let (sender, receiver) = channel();
        (sender, Self(receiver))
    }

    pub(super) fn next(&self) -> T {
        self.0.recv_timeout(DEADLINE).expect("a report")
    }

    /// Expects this report next; the allowed ones may come before it.
    pub(super) fn expect(&self, expected: &T, allowed: &[T]) {
        loop {
            let report = self.next();
            if report == *expected {
                return;
            }
            assert!(allowed.contains(&report), "{report:?} came before {expected:?}");
        }
    }
}

fn scanner(port: PathBuf, suffix: Suffix) -> (Scanners, Reports<ScannerReport>) {
    let (sender, reports) = Reports::new();
    let settings = ScannerSettings {
        port: Some(port),
        baud: 9600,
        suffix,
        layout: Layout::Us,
        filter: DeviceFilter::default(),
        is_missed: true,
        roots: Roots::default(),
    };
    let scanner = Scanners::start(settings, Clock::start(), move |report| {
        sender.send(report).ok();
    });
    (scanner.unwrap(), reports)
}

fn scanned(code: &str) -> ScannerReport {
    ScannerReport::Scanned(Zeroizing::new(code.to_owned()))
}

const SCANNER_READY: ScannerReport = ScannerReport::Health(Health::Ready);
const SCANNER_SEARCHING: ScannerReport = ScannerReport::Health(Health::Searching);

#[test]
fn a_pause_ends_at_once_when_there_is_something_to_do_or_the_line_is_hung_up() {
    let (hardware, line) = TTYPort::pair().unwrap();
    let file = File::open(line.name().unwrap()).unwrap();
    let (sender, pauses) = channel();
    let worker = Worker::start("test", move |handle| {
        while handle.is_wanted() {
            sender.send(handle.pause_at(&file, DEADLINE)).ok();
        }
    })
    .unwrap();
    let next = || pauses.recv_timeout(DEADLINE).unwrap();
    // Even a wake-up that came before the pause began ends it.
    worker.wake();
    assert_eq!(next(), Pause::Woken);
    drop(hardware);
    assert_eq!(next(), Pause::HungUp);
    drop(worker);
    while pauses.recv_timeout(DEADLINE).is_ok() {}
}

#[test]
fn a_scanner_delivers_complete_codes_in_order() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (_scanner, reports) = scanner(socket.path(), Suffix::Auto);
    assert_eq!(reports.next(), SCANNER_READY);
    // In one piece: on a slow machine a pause between pieces would end a scan.
    let burst = format!("\u{2}{CODE}\r\n{CODE}\r{OTHER}\r\n6901234567892\r");
    hardware.write_all(burst.as_bytes()).unwrap();
    for code in [CODE, OTHER, "6901234567892"] {
        assert_eq!(reports.next(), scanned(code));
    }
}

#[test]
fn a_scanner_without_a_suffix_delivers_by_silence() {
    for suffix in [Suffix::Auto, Suffix::None] {
        let socket = Socket::new();
        let mut hardware = socket.plug();
        let (_scanner, reports) = scanner(socket.path(), suffix);
        assert_eq!(reports.next(), SCANNER_READY);
        hardware.write_all(CODE.as_bytes()).unwrap();
        assert_eq!(reports.next(), scanned(CODE));
    }
}

#[test]
fn a_flooding_scanner_is_noise_and_then_works_again() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (_scanner, reports) = scanner(socket.path(), Suffix::Auto);
    assert_eq!(reports.next(), SCANNER_READY);
    for _ in 0..4096 {
        hardware.write_all(&[b'\xff'; 256]).unwrap();
    }
    hardware.write_all(format!("\r{CODE}\r").as_bytes()).unwrap();
    // A slow machine pauses, and each pause may end one part of the flood.
    reports.expect(&scanned(CODE), &[ScannerReport::Noise]);
}

#[test]
fn an_unplugged_scanner_is_found_again_and_a_partial_code_is_forgotten() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (_scanner, reports) = scanner(socket.path(), Suffix::Auto);
    assert_eq!(reports.next(), SCANNER_READY);
    hardware.write_all(b"1345678").unwrap();
    drop(hardware);
    reports.expect(&SCANNER_SEARCHING, &[ScannerReport::Noise]);
    let mut hardware = socket.plug();
    assert_eq!(reports.next(), SCANNER_READY);
    hardware.write_all(format!("{CODE}\r").as_bytes()).unwrap();
    assert_eq!(reports.next(), scanned(CODE));
}

#[test]
fn a_link_that_leads_elsewhere_is_followed() {
    let socket = Socket::new();
    let _old = socket.plug();
    let (_scanner, reports) = scanner(socket.path(), Suffix::Cr);
    assert_eq!(reports.next(), SCANNER_READY);
    let mut new = socket.plug();
    assert_eq!(reports.next(), SCANNER_SEARCHING);
    assert_eq!(reports.next(), SCANNER_READY);
    new.write_all(format!("{CODE}\r").as_bytes()).unwrap();
    assert_eq!(reports.next(), scanned(CODE));
}

#[test]
fn a_scanner_that_is_not_there_is_waited_for() {
    let socket = Socket::new();
    let (_scanner, reports) = scanner(socket.path(), Suffix::Auto);
    assert_eq!(reports.next(), SCANNER_SEARCHING);
    let _hardware = socket.plug();
    assert_eq!(reports.next(), SCANNER_READY);
}

#[test]
fn a_port_that_cannot_be_used_is_named() {
    let socket = Socket::new();
    std::fs::write(socket.path(), "").unwrap();
    let (_scanner, reports) = scanner(socket.path(), Suffix::Auto);
    assert_eq!(reports.next(), ScannerReport::Health(Health::Failed(DeviceFault::NotSerial)));
    let _hardware = socket.plug();
    assert_eq!(reports.next(), SCANNER_READY);

    let (_second, reports) = scanner(socket.path(), Suffix::Auto);
    assert_eq!(reports.next(), ScannerReport::Health(Health::Failed(DeviceFault::Busy)));
}
