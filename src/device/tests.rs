//! Devices on pseudo-terminals: the master's side is the hardware.

mod display;
mod plugged;
mod search;
mod tree;

use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use serialport::{SerialPort, TTYPort};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::inventory::Roots;
use super::printer::{
    Job, JobFault, Patience, Printer, PrinterKind, PrinterReport, PrinterSettings, QueueFull,
};
use super::role::Wanted;
use super::scanner::{ScannerReport, ScannerSettings, Scanners};
use super::{Fault, Health};
use crate::clock::{Clock, Millis};
use crate::scan::Suffix;
use crate::scan::keyboard::Layout;

const CODE: &str = "134567890123456789";
const OTHER: &str = "101112131415161718";
/// Far longer than anything takes; only a failing test waits for it.
const DEADLINE: Duration = Duration::from_secs(30);

/// A place to plug devices into: a link that stays while the terminals behind it change.
struct Socket {
    folder: TempDir,
}

impl Socket {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("port")
    }

    /// Plugs a new device in, in place of the one before. This is its own end of the line.
    fn plug(&self) -> TTYPort {
        let (mut master, slave) = TTYPort::pair().unwrap();
        master.set_timeout(DEADLINE).unwrap();
        std::fs::remove_file(self.path()).ok();
        symlink(slave.name().unwrap(), self.path()).unwrap();
        master
    }
}

/// The reports of a device, in their order.
struct Reports<T>(Receiver<T>);

impl<T: PartialEq + std::fmt::Debug> Reports<T> {
    fn new() -> (Sender<T>, Self) {
        let (sender, receiver) = channel();
        (sender, Self(receiver))
    }

    fn next(&self) -> T {
        self.0.recv_timeout(DEADLINE).expect("a report")
    }

    /// The next report must be this, but for reports before it that are allowed to be there.
    fn expect(&self, expected: &T, allowed: &[T]) {
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
        wanted: Wanted::default(),
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
fn a_scanner_delivers_codes_whole_and_in_order() {
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
    // A slow machine makes pauses, and each may end a part of the flood.
    reports.expect(&scanned(CODE), &[ScannerReport::Noise]);
}

#[test]
fn an_unplugged_scanner_is_found_again_and_half_a_code_is_forgotten() {
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
    assert_eq!(reports.next(), ScannerReport::Health(Health::Failed(Fault::NotSerial)));
    let _hardware = socket.plug();
    assert_eq!(reports.next(), SCANNER_READY);

    let (_second, reports) = scanner(socket.path(), Suffix::Auto);
    assert_eq!(reports.next(), ScannerReport::Health(Health::Failed(Fault::Busy)));
}

fn printer(kind: PrinterKind, patience: Patience) -> (Printer, Reports<PrinterReport>) {
    let (sender, reports) = Reports::new();
    let settings = PrinterSettings { kind, patience };
    let printer = Printer::start(settings, Clock::start(), move |report| {
        sender.send(report).ok();
    });
    (printer.unwrap(), reports)
}

fn serial(socket: &Socket) -> PrinterKind {
    PrinterKind::Serial { port: socket.path(), baud: 9600 }
}

fn job(id: u64, bytes: &[u8]) -> Job {
    Job { id, bytes: bytes.to_vec() }
}

/// More than any line holds back.
fn endless_job(id: u64) -> Job {
    Job { id, bytes: vec![b'x'; 1_000_000] }
}

/// Reads what the printer is sent until it ends like this.
fn read_until(hardware: &mut TTYPort, end: &[u8]) -> Vec<u8> {
    let (mut all, mut bytes) = (Vec::new(), [0; 4096]);
    while !all.ends_with(end) {
        let count = hardware.read(&mut bytes).unwrap();
        all.extend_from_slice(&bytes[..count]);
    }
    all
}

const PRINTER_READY: PrinterReport = PrinterReport::Health(Health::Ready);
const PRINTER_SEARCHING: PrinterReport = PrinterReport::Health(Health::Searching);
const PRINTER_STALLED: PrinterReport = PrinterReport::Health(Health::Failed(Fault::Stalled));
const IMPATIENT: Patience = Patience { away: Millis(100), stalled: Millis(100) };

#[test]
fn a_printer_gets_every_byte_in_order() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    assert_eq!(reports.next(), PRINTER_READY);
    let all: Vec<u8> = (0..=255).cycle().take(3000).collect();
    printer.print(job(1, &all)).unwrap();
    printer.print(job(2, b"end")).unwrap();
    let expected = [&all[..], b"end"].concat();
    assert_eq!(read_until(&mut hardware, b"end"), expected);
    assert_eq!(reports.next(), PrinterReport::Sent(1));
    assert_eq!(reports.next(), PrinterReport::Sent(2));
}

#[test]
fn a_printer_that_takes_nothing_holds_nobody_up() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let patience = Patience { stalled: Millis(100), ..Patience::default() };
    let (printer, reports) = printer(serial(&socket), patience);
    assert_eq!(reports.next(), PRINTER_READY);
    printer.print(endless_job(1)).unwrap();
    printer.print(job(2, b"the next receipt")).unwrap();
    assert_eq!(reports.next(), PrinterReport::Failed(1, JobFault::Stalled));
    let all = read_until(&mut hardware, b"the next receipt");
    assert!(all.ends_with(b"\n\x1b@\x1dV\x42\x00the next receipt"), "cut off the half before");
    assert!(all.len() < 1_000_000, "and the rest of that half never comes");
    reports.expect(&PrinterReport::Sent(2), &[PRINTER_STALLED, PRINTER_READY]);
}

#[test]
fn leaving_does_not_wait_for_a_stalled_printer() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    assert_eq!(reports.next(), PRINTER_READY);
    printer.print(endless_job(1)).unwrap();
    assert!(hardware.read(&mut [0; 16]).unwrap() > 0, "it has begun");
    assert_eq!(reports.next(), PRINTER_STALLED);
    drop(printer);
    // The thread ends, and with it the sender of its reports; no report of the job comes.
    assert_eq!(reports.0.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn an_interrupted_receipt_is_not_printed_again() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    assert_eq!(reports.next(), PRINTER_READY);
    printer.print(endless_job(1)).unwrap();
    assert!(hardware.read(&mut [0; 16]).unwrap() > 0, "it has begun");
    drop(hardware);
    reports.expect(
        &PrinterReport::Failed(1, JobFault::Unplugged),
        &[PRINTER_SEARCHING, PRINTER_STALLED],
    );
    let mut hardware = socket.plug();
    assert_eq!(reports.next(), PRINTER_READY);
    printer.print(job(2, b"another")).unwrap();
    assert_eq!(read_until(&mut hardware, b"another"), b"\n\x1b@\x1dV\x42\x00another");
    assert_eq!(reports.next(), PrinterReport::Sent(2));
}

#[test]
fn a_receipt_waits_for_a_printer_that_is_away() {
    let socket = Socket::new();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    printer.print(job(1, b"late")).unwrap();
    assert_eq!(reports.next(), PRINTER_SEARCHING);
    let mut hardware = socket.plug();
    assert_eq!(reports.next(), PRINTER_READY);
    assert_eq!(read_until(&mut hardware, b"late"), b"late");
    assert_eq!(reports.next(), PrinterReport::Sent(1));
}

#[test]
fn receipts_do_not_wait_for_ever_and_not_in_any_number() {
    let socket = Socket::new();
    let (printer, reports) = printer(serial(&socket), IMPATIENT);
    let taken = (0..100).take_while(|id| printer.print(job(*id, b"x")).is_ok()).count() as u64;
    assert!((1..100).contains(&taken));
    assert_eq!(reports.next(), PRINTER_SEARCHING);
    for id in 0..taken {
        assert_eq!(reports.next(), PrinterReport::Failed(id, JobFault::Away));
    }
    assert_eq!(printer.print(job(100, b"x")), Ok(()));
    assert_eq!(QueueFull.to_string(), "too many receipts wait for the printer");
}

#[test]
fn an_idle_printer_is_missed_and_found_again() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (_printer, reports) = printer(serial(&socket), Patience::default());
    assert_eq!(reports.next(), PRINTER_READY);
    hardware.write_all(b"\x12\x12garbage\xff").unwrap();
    drop(hardware);
    assert_eq!(reports.next(), PRINTER_SEARCHING);
    let _hardware = socket.plug();
    assert_eq!(reports.next(), PRINTER_READY);
}

#[test]
fn a_file_collects_receipts_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipts");
    let (printer, reports) = printer(PrinterKind::File { path: path.clone() }, Patience::default());
    assert_eq!(reports.next(), PRINTER_READY);
    printer.print(job(1, b"one")).unwrap();
    printer.print(job(2, b"two")).unwrap();
    assert_eq!(reports.next(), PrinterReport::Sent(1));
    assert_eq!(reports.next(), PrinterReport::Sent(2));
    assert_eq!(std::fs::read(&path).unwrap(), b"onetwo");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_cannot_be_written_fails_its_receipts_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/receipts");
    let (printer, reports) = printer(PrinterKind::File { path: path.clone() }, Patience::default());
    assert!(matches!(reports.next(), PrinterReport::Health(Health::Failed(_))));
    printer.print(job(1, b"one")).unwrap();
    assert!(matches!(reports.next(), PrinterReport::Failed(1, JobFault::NotWritten(_))));
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    printer.print(job(2, b"two")).unwrap();
    assert_eq!(reports.next(), PRINTER_READY);
    assert_eq!(reports.next(), PrinterReport::Sent(2));
}
