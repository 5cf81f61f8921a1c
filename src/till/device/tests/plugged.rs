//! What is plugged in, and what it is taken for.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use proptest::prelude::*;

use super::tree::{Tree, Usb};
use crate::device::inventory::{Device, DeviceClass, DeviceIdentity, plugged_in, raw_keyboard};
use crate::device::role::{DeviceFilter, Kind, Learned, Misplaced, Role, Why};
use crate::hardware::Selector;
use crate::scan::hid_pos::ReportLayout;

/// The shortest descriptor of a HID POS scanner.
const HID_POS: &[u8] = b"\x05\x8c\x09\x02\xa1\x01\x75\x08\x95\x08\x09\xfe\x81\x02\xc0";
const VENDOR_HID: &[u8] = b"\x06\x00\xff\x09\x01\xa1\x01\x75\x08\x95\x08\x09\x01\x81\x02\xc0";
const CHIP: Usb<'_> = Usb { ids: "1a86:7523", maker: "", name: "USB Serial", serial: "", port: 1 };
const IMAGER: Usb<'_> =
    Usb { ids: "0c2e:0b87", maker: "Honeywell", name: "Voyager", serial: "V1", port: 2 };
const OFFICE: Usb<'_> =
    Usb { ids: "046d:c31c", maker: "Logitech", name: "USB Keyboard", serial: "", port: 3 };

fn identity(usb: Usb<'_>) -> DeviceIdentity {
    let number = |at: usize| u16::from_str_radix(&usb.ids[at..at + 4], 16).unwrap();
    DeviceIdentity {
        ids: Some((number(0), number(5))),
        maker: usb.maker.to_owned(),
        name: usb.name.to_owned(),
        serial: usb.serial.to_owned(),
        socket: format!("0000:00:14.0-{}", usb.port),
    }
}

fn device(class: DeviceClass, node: PathBuf, usb: Usb<'_>) -> Device {
    Device { class, node, identity: identity(usb), by_id: None }
}

#[test]
fn every_kind_of_device_is_seen_with_its_numbers_and_its_socket() {
    let tree = Tree::new();
    tree.port("ttyUSB0", CHIP);
    tree.hid("hidraw0", IMAGER, HID_POS);
    tree.keyboard("event0", OFFICE);
    let layout = ReportLayout::parse(HID_POS).unwrap();
    let expected = [
        device(DeviceClass::HidPos(layout), tree.path("dev/hidraw0"), IMAGER),
        device(DeviceClass::Keyboard, tree.path("dev/input/event0"), OFFICE),
        device(DeviceClass::Serial, tree.path("dev/ttyUSB0"), CHIP),
    ];
    assert_eq!(plugged_in(&tree.roots()), expected);
}

#[test]
fn what_no_till_could_use_is_left_out() {
    let tree = Tree::new();
    // A console, a chip's unconnected UART, a mouse, a second interface of a keyboard, and a node
    // that udev has yet to create.
    fs::create_dir(tree.path("sys/class/tty/tty1")).unwrap();
    tree.port("ttyS4", CHIP);
    Tree::write(&tree.path("sys/class/tty/ttyS4/type"), "0\n");
    tree.mouse("event1", OFFICE);
    tree.hid("hidraw1", OFFICE, VENDOR_HID);
    tree.port("ttyUSB9", CHIP);
    fs::remove_file(tree.path("dev/ttyUSB9")).unwrap();
    assert_eq!(plugged_in(&tree.roots()), []);
    let nowhere = tree.path("nowhere");
    let roots = crate::device::inventory::Roots { sys: nowhere.clone(), dev: nowhere };
    assert_eq!(plugged_in(&roots), []);
}

#[test]
fn a_keyboards_reports_are_found_beneath_it() {
    let tree = Tree::new();
    tree.keyboard("event3", OFFICE);
    tree.port("ttyUSB0", CHIP);
    let of = |node: &str| raw_keyboard(&tree.roots(), &tree.path("dev").join(node));
    let hid = tree.path("sys/class/input/event3/device/../..");
    let descriptor = fs::read(hid.join("report_descriptor")).unwrap();
    assert_eq!(of("input/event3").unwrap().node, Some(tree.path("dev/hidraw7")));
    assert_eq!(of("input/event4"), None);
    assert_eq!(of("ttyUSB0"), None);
    fs::remove_dir_all(hid.join("hidraw")).unwrap();
    assert_eq!(of("input/event3").unwrap().node, None, "it has yet to come");
    // The same reports belong to a HID POS scanner, or to another event node.
    fs::write(hid.join("report_descriptor"), [&descriptor, HID_POS].concat()).unwrap();
    assert_eq!(of("input/event3"), None);
    fs::write(hid.join("report_descriptor"), descriptor).unwrap();
    assert!(of("input/event3").is_some());
    let second = hid.join("input/input8/capabilities/key");
    Tree::write(&second, fs::read(hid.join("input/input7/capabilities/key")).unwrap());
    assert_eq!(of("input/event3"), None);
}

#[test]
fn a_port_is_known_by_its_lasting_name_too() {
    let tree = Tree::new();
    tree.port("ttyUSB0", CHIP);
    fs::create_dir_all(tree.path("dev/serial/by-id")).unwrap();
    let link = tree.path("dev/serial/by-id/usb-1a86_USB_Serial-if00-port0");
    symlink("../../ttyUSB0", &link).unwrap();
    symlink("../../ttyUSB7", tree.path("dev/serial/by-id/broken")).unwrap();
    let found = plugged_in(&tree.roots());
    assert_eq!(found[0].by_id.as_ref(), Some(&link));
    let filter = DeviceFilter { serial: true, other_ports: vec![link], ..DeviceFilter::default() };
    assert_eq!(filter.role(&found[0]), Role::Configured);
}

#[test]
fn a_bluetooth_scanner_is_known_by_what_the_kernel_says() {
    let tree = Tree::new();
    let uevent = "DRIVER=hid-generic\nHID_ID=0005:00000C2E:00000B87\nHID_NAME=Scanner\nHID_PHYS=aa\n\
                  HID_UNIQ=00:11:22:33:44:55\n";
    tree.bluetooth_hid("hidraw0", uevent, HID_POS);
    let found = plugged_in(&tree.roots());
    let expected = DeviceIdentity {
        ids: Some((0x0c2e, 0x0b87)),
        maker: String::new(),
        name: "Scanner".into(),
        serial: "00:11:22:33:44:55".into(),
        socket: "aa".into(),
    };
    assert_eq!(found[0].identity, expected);
}

#[test]
fn names_are_cleaned_and_cut() {
    let tree = Tree::new();
    let long = "x".repeat(100_000);
    let hostile = Usb { maker: "\u{1b}[2J\u{202e}ACME", name: &long, ..CHIP };
    tree.port("ttyUSB0", hostile);
    let uevent = b"HID_ID=zz:1:FFFFFFFFF\nHID_NAME=\xff\xfe\nHID_UNIQ=\x1b]0;\n";
    tree.bluetooth_hid("hidraw0", &String::from_utf8_lossy(uevent), HID_POS);
    let found = plugged_in(&tree.roots());
    assert_eq!(found[0].identity.ids, None);
    assert_eq!(found[1].identity.maker, "[2JACME");
    assert_eq!(found[1].identity.name.len(), 64);
}

#[test]
fn what_is_taken_for_a_scanner_and_what_is_not() {
    let serial = |ids, name| (DeviceClass::Serial, Usb { ids, name, ..CHIP });
    let keyboard = |ids, name| (DeviceClass::Keyboard, Usb { ids, name, ..OFFICE });
    let pos = (DeviceClass::HidPos(ReportLayout::parse(HID_POS).unwrap()), OFFICE);
    let cases = [
        (pos, Role::Scanner(Why::HidPos)),
        (serial("1eab:0106", "HR200"), Role::Scanner(Why::Known)),
        (serial("0488:5788", "Virtual COM Port"), Role::Scanner(Why::Known)),
        (serial("1a86:7523", "USB Serial"), Role::Unknown),
        (serial("0403:6001", "FT232R"), Role::Unknown),
        (serial("0483:5740", "STM32 Virtual ComPort"), Role::Unknown),
        (serial("0483:5740", "2D BarCode Scanner"), Role::Scanner(Why::CallsItselfOne)),
        (keyboard("046d:c31c", "USB Keyboard"), Role::Keyboard),
        (keyboard("0c2e:0204", "MS7120"), Role::Scanner(Why::Known)),
        (keyboard("ffff:0035", ""), Role::Scanner(Why::Known)),
        (keyboard("28e9:018a", ""), Role::MaybeScanner),
        (keyboard("046d:0001", "Barcode Keyboard"), Role::Scanner(Why::CallsItselfOne)),
        (keyboard("046d:0001", "HID Scanner"), Role::Scanner(Why::CallsItselfOne)),
        (keyboard("046d:0001", "Keyboard with Fingerprint Scanner"), Role::Keyboard),
        ((DeviceClass::OtherHid, Usb { ids: "05e0:1900", ..OFFICE }), Role::MaybeScanner),
        ((DeviceClass::OtherHid, OFFICE), Role::Unknown),
    ];
    let filter =
        DeviceFilter { serial: true, hid_pos: true, keyboards: true, ..DeviceFilter::default() };
    for (case, (class, usb)) in cases.iter().map(|(found, role)| (role, found)) {
        let device = device(class.clone(), "/dev/node".into(), *usb);
        assert_eq!(filter.role(&device), *case, "{device:?}");
        // A class that is not searched for is never used, whatever the device is.
        assert!(!matches!(DeviceFilter::default().role(&device), Role::Scanner(_)), "{device:?}");
    }
}

#[test]
fn a_printer_at_the_scanners_port_and_a_scanner_at_the_printers_are_named() {
    let printer = |ids, name| Usb { ids, maker: "", name, serial: "", port: 4 };
    let adapter = Usb { name: "USB-Serial Controller", ..CHIP };
    let known = [
        printer("04b8:0202", "TM-T88V"),
        printer("0519:0003", "Star TSP143"),
        printer("0416:5011", "POS58 USB Printer"),
        printer("1fc9:2016", "USB Thermal Receipt"),
        printer("0483:5740", "ESC/POS"),
    ];
    let tree = Tree::new();
    let filter = |scanner: &str, printer: &str| DeviceFilter {
        serial: true,
        scanner_port: Some(tree.path("dev").join(scanner)),
        other_ports: vec![tree.path("dev").join(printer)],
        printer_port: Some(tree.path("dev").join(printer)),
        ..DeviceFilter::default()
    };
    let device = |node: &str, usb| device(DeviceClass::Serial, tree.path("dev").join(node), usb);
    let right = filter("one", "two");
    for usb in known {
        assert_eq!(right.misplaced(&device("one", usb)), Some(Misplaced::Printer), "{}", usb.name);
        assert_eq!(right.misplaced(&device("two", usb)), None);
        assert_eq!(right.misplaced(&device("three", usb)), None);
    }
    assert_eq!(right.misplaced(&device("two", IMAGER)), Some(Misplaced::Scanner));
    assert_eq!(right.misplaced(&device("one", IMAGER)), None);
    // Anything may hang behind an adapter, and what is known for a scanner is one whatever it says.
    let named = Usb { name: "Scanner of a printer", ..IMAGER };
    for usb in [CHIP, adapter, named] {
        assert_eq!(right.misplaced(&device("one", usb)), None, "{}", usb.name);
    }
    let behind = device("one", CHIP);
    assert!(right.may_be_the_printers(Some(&behind)) && right.may_be_the_printers(None));
    assert!(!right.may_be_the_printers(Some(&device("one", IMAGER))));
    let learned = vec![learned(CHIP, Kind::Serial)];
    let learned = DeviceFilter { learned, ..right.clone() };
    assert!(!learned.may_be_the_printers(Some(&behind)));
    assert_eq!(learned.misplaced(&device("two", CHIP)), Some(Misplaced::Scanner));
    let alone = DeviceFilter { printer_port: None, ..right.clone() };
    assert!(!alone.may_be_the_printers(Some(&behind)), "there is no printer that it could be");
    let both = [device("one", known[0]), device("two", IMAGER)];
    assert_eq!(right.at_scanner_port(&both), Some(&both[0]));
    assert_eq!(right.at_printer_port(&both), Some(&both[1]));
}

#[test]
fn what_is_built_in_is_never_a_scanner() {
    let built_in =
        DeviceIdentity { ids: None, name: "Barcode Scanner".into(), ..DeviceIdentity::default() };
    let keyboard = |identity| Device {
        class: DeviceClass::Keyboard,
        node: "/dev/input/event0".into(),
        identity,
        by_id: None,
    };
    let filter = DeviceFilter { keyboards: true, ..DeviceFilter::default() };
    assert_eq!(filter.role(&keyboard(built_in)), Role::Keyboard);
}

fn learned(usb: Usb<'_>, kind: Kind) -> Learned {
    let DeviceIdentity { ids, serial, socket, .. } = identity(usb);
    let (vendor, product) = ids.unwrap();
    Learned { vendor, product, serial, socket, kind, baud: 115_200 }
}

#[test]
fn a_learned_scanner_is_known_by_its_serial_number_else_by_its_socket() {
    let with_serial = Usb { serial: "K1", ..OFFICE };
    let filter = DeviceFilter {
        serial: true,
        keyboards: true,
        learned: vec![learned(with_serial, Kind::Keyboard), learned(CHIP, Kind::Serial)],
        ..DeviceFilter::default()
    };
    let role = |class: DeviceClass, usb| filter.role(&device(class, "/dev/node".into(), usb));
    let is_learned = Role::Scanner(Why::Learned(115_200));
    assert_eq!(role(DeviceClass::Keyboard, Usb { port: 7, ..with_serial }), is_learned);
    assert_eq!(role(DeviceClass::Keyboard, Usb { serial: "K2", ..with_serial }), Role::Keyboard);
    assert_eq!(role(DeviceClass::Keyboard, OFFICE), Role::Keyboard);
    assert_eq!(role(DeviceClass::Serial, CHIP), is_learned);
    assert_eq!(role(DeviceClass::Serial, Usb { port: 7, ..CHIP }), Role::Unknown);
    assert_eq!(role(DeviceClass::Serial, Usb { ids: "1a86:5523", ..CHIP }), Role::Unknown);
}

#[test]
fn the_one_that_is_named_keeps_the_speed_that_was_learned() {
    let filter = DeviceFilter {
        serial: true,
        only: Some("1a86:7523".parse().unwrap()),
        learned: vec![learned(CHIP, Kind::Serial)],
        ..DeviceFilter::default()
    };
    let role = filter.role(&device(DeviceClass::Serial, "/dev/node".into(), CHIP));
    assert_eq!(role, Role::Scanner(Why::Learned(115_200)));
}

#[test]
fn the_one_that_is_named_is_taken_and_no_other() {
    let filter = DeviceFilter {
        keyboards: true,
        hid_pos: true,
        only: Some("046d:c31c".parse().unwrap()),
        ..DeviceFilter::default()
    };
    let role = |class: DeviceClass, usb| filter.role(&device(class, "/dev/node".into(), usb));
    assert_eq!(role(DeviceClass::Keyboard, OFFICE), Role::Scanner(Why::Named));
    assert_eq!(role(DeviceClass::Keyboard, IMAGER), Role::MaybeScanner);
    assert_eq!(role(DeviceClass::Serial, OFFICE), Role::Unknown);
    let selector = |text: &str| text.parse::<Selector>();
    assert_eq!(
        selector("0c2e:0B87:a:b"),
        Ok(Selector { vendor: 0x0c2e, product: 0x0b87, serial: Some("a:b".into()) })
    );
    for wrong in ["", "0c2e", "0c2e:", "0c2e:b87", "+c2e:0b87", "0c2e:0b87:", "xxxx:0b87"] {
        assert_eq!(selector(wrong), Err(()), "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_a_device_says_of_itself_is_taken(
        descriptor: Vec<u8>, uevent: String, texts in prop::collection::vec("\\PC{0,80}", 4)
    ) {
        let tree = Tree::new();
        let usb = Usb { maker: &texts[0], name: &texts[1], serial: &texts[2], ..CHIP };
        tree.port("ttyUSB0", usb);
        Tree::write(&tree.path("sys/class/tty/ttyUSB0/device/../../idVendor"), &texts[3]);
        tree.bluetooth_hid("hidraw0", &uevent, &descriptor);
        tree.keyboard("event0", usb);
        prop_assert!(plugged_in(&tree.roots()).len() >= 2);
    }
}
