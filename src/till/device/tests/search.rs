//! Scanners that are found when they are plugged in.

use std::io::{ErrorKind, Write as _};
use std::sync::mpsc::channel;
use std::time::Duration;

use serialport::TTYPort;

use super::tree::{Tree, Usb};
use super::{CODE, OTHER, Reports, SCANNER_READY, SCANNER_SEARCHING, scanned};
use crate::device::inventory::plugged_in;
use crate::device::role::{DeviceFilter, Kind, Learned};
use crate::device::scanner::detection::{Detection, DetectionReport};
use crate::device::scanner::{ScannerReport, ScannerSettings, Scanners};
use crate::device::{DeviceFault, Health};
use crate::scan::Suffix;
use crate::scan::keyboard::Layout;
use paytill_host::clock::Clock;

const SCANNER: Usb<'_> =
    Usb { ids: "1eab:0106", maker: "Newland", name: "HR200", serial: "N1", port: 1 };
const TWIN: Usb<'_> = Usb { port: 2, ..SCANNER };
const CHIP: Usb<'_> = Usb { ids: "1a86:7523", maker: "", name: "USB Serial", serial: "", port: 3 };

fn search(
    tree: &Tree,
    filter: DeviceFilter,
    is_missed: bool,
) -> (Scanners, Reports<ScannerReport>) {
    let (sender, reports) = Reports::new();
    let settings = ScannerSettings {
        port: None,
        baud: 9600,
        suffix: Suffix::Auto,
        layout: Layout::Us,
        filter: DeviceFilter { serial: true, hid_pos: true, keyboards: true, ..filter },
        is_missed,
        roots: tree.roots(),
    };
    let scanners = Scanners::start(settings, Clock::start(), move |report| {
        sender.send(report).ok();
    });
    (scanners.unwrap(), reports)
}

fn line(code: &str) -> Vec<u8> {
    format!("{code}\r").into_bytes()
}

/// A line that nobody has opened yet accepts nothing.
fn say_once_it_is_open(hardware: &mut TTYPort, code: &str) {
    let clock = Clock::start();
    let began = clock.uptime();
    while let Err(error) = hardware.write_all(&line(code)) {
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let waited = Duration::from(clock.uptime().since(began));
        assert!(waited < super::DEADLINE, "nobody opens it");
        std::thread::yield_now();
    }
}

#[test]
fn a_scanner_is_taken_up_as_it_is_plugged_in_and_missed_as_it_goes() {
    let tree = Tree::new();
    let (_scanners, reports) = search(&tree, DeviceFilter::default(), false);
    let mut hardware = tree.plug("ttyACM0", SCANNER);
    // No scanner was expected before, so nothing is reported first.
    assert_eq!(reports.next(), SCANNER_READY);
    hardware.write_all(&line(CODE)).unwrap();
    assert_eq!(reports.next(), scanned(CODE));
    hardware.write_all(b"1345").unwrap();
    tree.unplug("ttyACM0");
    drop(hardware);
    reports.expect(&SCANNER_SEARCHING, &[ScannerReport::Noise]);
    // It has another name now, and is in another socket.
    let mut hardware = tree.plug("ttyACM1", TWIN);
    assert_eq!(reports.next(), SCANNER_READY);
    hardware.write_all(&line(OTHER)).unwrap();
    assert_eq!(reports.next(), scanned(OTHER));
}

#[test]
fn two_scanners_of_one_make_work_side_by_side() {
    let tree = Tree::new();
    let (mut one, mut other) = (tree.plug("ttyACM0", SCANNER), tree.plug("ttyACM1", TWIN));
    let (_scanners, reports) = search(&tree, DeviceFilter::default(), false);
    // From either of them.
    assert_eq!(reports.next(), SCANNER_READY);
    say_once_it_is_open(&mut one, CODE);
    assert_eq!(reports.next(), scanned(CODE));
    say_once_it_is_open(&mut other, OTHER);
    assert_eq!(reports.next(), scanned(OTHER));
    tree.unplug("ttyACM0");
    drop(one);
    // The remaining one is enough, so nothing is reported.
    other.write_all(&line(CODE)).unwrap();
    assert_eq!(reports.next(), scanned(CODE));
}

#[test]
fn what_is_behind_an_adapter_is_left_alone_until_it_is_learned() {
    let tree = Tree::new();
    let mut hardware = tree.plug("ttyUSB0", CHIP);
    let (scanners, reports) = search(&tree, DeviceFilter::default(), true);
    assert_eq!(reports.next(), SCANNER_SEARCHING);
    drop(scanners);
    let learned = Learned {
        vendor: 0x1a86,
        product: 0x7523,
        serial: String::new(),
        socket: "0000:00:14.0-3".into(),
        kind: Kind::Serial,
        baud: 115_200,
    };
    let filter = DeviceFilter { learned: vec![learned.clone()], ..DeviceFilter::default() };
    let (scanners, reports) = search(&tree, filter, true);
    assert_eq!(reports.next(), SCANNER_READY);
    hardware.write_all(&line(CODE)).unwrap();
    assert_eq!(reports.next(), scanned(CODE));
    drop(scanners);
    // Nor if the printer is on that port.
    let other_ports = vec![tree.path("dev/ttyUSB0")];
    let filter = DeviceFilter { learned: vec![learned], other_ports, ..DeviceFilter::default() };
    let (_scanners, reports) = search(&tree, filter, true);
    assert_eq!(reports.next(), SCANNER_SEARCHING);
}

#[test]
fn a_scanner_that_cannot_be_opened_is_named() {
    let tree = Tree::new();
    let _hardware = tree.plug("ttyACM0", SCANNER);
    let (_first, reports) = search(&tree, DeviceFilter::default(), false);
    assert_eq!(reports.next(), SCANNER_READY);
    let (_second, reports) = search(&tree, DeviceFilter::default(), false);
    assert_eq!(reports.next(), ScannerReport::Health(Health::Failed(DeviceFault::Busy)));
}

#[test]
fn the_search_ends_when_nobody_wants_it_any_more() {
    let tree = Tree::new();
    let _hardware = tree.plug("ttyACM0", SCANNER);
    let (scanners, reports) = search(&tree, DeviceFilter::default(), false);
    assert_eq!(reports.next(), SCANNER_READY);
    drop(scanners);
    // Once nobody can report any more, all threads have ended.
    while reports.0.recv_timeout(super::DEADLINE).is_ok() {}
    assert_eq!(
        reports.0.recv_timeout(super::DEADLINE),
        Err(std::sync::mpsc::RecvTimeoutError::Disconnected)
    );
}

#[test]
fn one_scan_teaches_which_port_it_is_and_its_speed() {
    let tree = Tree::new();
    let (mut scanner, _silent) = (tree.plug("ttyUSB0", CHIP), tree.plug("ttyACM0", SCANNER));
    let (sender, reports) = channel();
    let _detection = Detection::start(
        plugged_in(&tree.roots()),
        &tree.roots(),
        Layout::Us,
        &Clock::start(),
        move |report| {
            sender.send(report).ok();
        },
    )
    .unwrap();
    // Once for all of them: a scan may come from the one that is opened last.
    assert_eq!(reports.recv_timeout(super::DEADLINE), Ok(DetectionReport::Listening));
    scanner.write_all(b"\xff\xfe\x80\x00").unwrap();
    let DetectionReport::Garbled { device, next } = reports.recv_timeout(super::DEADLINE).unwrap()
    else {
        panic!("garbage was understood");
    };
    assert_eq!((device.node, next), (tree.path("dev/ttyUSB0"), 115_200));
    scanner.write_all(b"6901234567892\r\n").unwrap();
    let DetectionReport::Heard(heard) = reports.recv_timeout(super::DEADLINE).unwrap() else {
        panic!("not heard");
    };
    assert_eq!((heard.device.node, heard.baud), (tree.path("dev/ttyUSB0"), 115_200));
    assert_eq!((heard.characters, heard.symbology), (13, None));
}
