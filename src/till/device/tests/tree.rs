//! A simulated `/sys` and `/dev` to plug devices into.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serialport::{SerialPort, TTYPort};
use tempfile::TempDir;

use super::DEADLINE;
use crate::device::inventory::Roots;

/// The digits and Enter among others, and a mouse's three buttons.
const KEYS: &str = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe";
const BUTTONS: &str = "70000 0 0 0 0";
/// An array of one key.
const KEYBOARD: &[u8] = b"\x05\x07\x75\x08\x95\x01\x15\x00\x25\xff\x19\x00\x29\xff\x81\x00";

pub(super) struct Tree {
    folder: TempDir,
}

/// A USB device as it describes itself.
#[derive(Clone, Copy)]
pub(super) struct Usb<'a> {
    pub(super) ids: &'a str,
    pub(super) maker: &'a str,
    pub(super) name: &'a str,
    pub(super) serial: &'a str,
    /// The port it is plugged into, on the only bus.
    pub(super) port: u8,
}

impl Tree {
    pub(super) fn new() -> Self {
        let tree = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["sys/class/tty", "sys/class/input", "sys/class/hidraw", "dev/input"] {
            fs::create_dir_all(tree.path(folder)).unwrap();
        }
        tree
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(super) fn roots(&self) -> Roots {
        Roots { sys: self.path("sys"), dev: self.path("dev") }
    }

    pub(super) fn write(path: &Path, text: impl AsRef<[u8]>) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn usb(&self, usb: Usb<'_>) -> PathBuf {
        let hub = self.path("sys/devices/pci0000:00/0000:00:14.0/usb1");
        let device = hub.join(format!("1-{}", usb.port));
        let (vendor, product) = usb.ids.split_once(':').unwrap();
        let port = usb.port.to_string();
        for (name, text) in [
            ("idVendor", vendor),
            ("idProduct", product),
            ("manufacturer", usb.maker),
            ("product", usb.name),
            ("serial", usb.serial),
            ("devpath", &port),
        ] {
            Self::write(&device.join(name), format!("{text}\n"));
        }
        device.join(format!("1-{}:1.0", usb.port))
    }

    /// A class entry that links to its device.
    fn entry(&self, class: &str, name: &str, place: &Path) {
        fs::create_dir_all(place).unwrap();
        let entry = self.path("sys/class").join(class).join(name);
        fs::create_dir_all(&entry).unwrap();
        symlink(place, entry.join("device")).unwrap();
    }

    fn node(&self, name: &str) {
        Self::write(&self.path("dev").join(name), "");
    }

    /// A serial port with nothing connected.
    pub(super) fn port(&self, name: &str, usb: Usb<'_>) {
        self.entry("tty", name, &self.usb(usb).join(name));
        self.node(name);
    }

    /// A serial port, together with the far end of its line.
    pub(super) fn plug(&self, name: &str, usb: Usb<'_>) -> TTYPort {
        let (mut master, slave) = TTYPort::pair().unwrap();
        master.set_timeout(DEADLINE).unwrap();
        self.entry("tty", name, &self.usb(usb).join(name));
        symlink(slave.name().unwrap(), self.path("dev").join(name)).unwrap();
        master
    }

    /// Unplugs a serial port.
    pub(super) fn unplug(&self, name: &str) {
        fs::remove_dir_all(self.path("sys/class/tty").join(name)).unwrap();
        fs::remove_file(self.path("dev").join(name)).unwrap();
    }

    pub(super) fn keyboard(&self, name: &str, usb: Usb<'_>) {
        self.input(name, usb, KEYS);
    }

    pub(super) fn mouse(&self, name: &str, usb: Usb<'_>) {
        self.input(name, usb, BUTTONS);
    }

    fn input(&self, name: &str, usb: Usb<'_>, keys: &str) {
        let hid = self.usb(usb).join("0003:0000:0000.0001");
        Self::write(&hid.join("report_descriptor"), KEYBOARD);
        fs::create_dir_all(hid.join("hidraw/hidraw7")).unwrap();
        let place = hid.join("input/input7");
        Self::write(&place.join("capabilities/key"), format!("{keys}\n"));
        self.entry("input", name, &place);
        self.node(&format!("input/{name}"));
    }

    pub(super) fn hid(&self, name: &str, usb: Usb<'_>, descriptor: &[u8]) {
        let place = self.usb(usb).join("0003:0000:0000.0001");
        Self::write(&place.join("report_descriptor"), descriptor);
        self.entry("hidraw", name, &place);
        self.node(name);
    }

    /// A HID device behind a Bluetooth adapter, which is itself a USB device.
    pub(super) fn bluetooth_hid(&self, name: &str, uevent: &str, descriptor: &[u8]) {
        let adapter =
            Usb { ids: "8087:0029", maker: "Intel", name: "Bluetooth", serial: "", port: 9 };
        let place = self.usb(adapter).join("bluetooth/hci0/hci0:256/0005:0000:0000.0001");
        Self::write(&place.join("report_descriptor"), descriptor);
        Self::write(&place.join("uevent"), uevent);
        self.entry("hidraw", name, &place);
        self.node(name);
    }
}
