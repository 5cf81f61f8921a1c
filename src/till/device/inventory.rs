//! What is plugged in right now, read from `/sys` in a millisecond or two.
//!
//! Opens nothing but files that the kernel writes, so taking the inventory disturbs no device.
//! Names and numbers in those files come from the devices themselves: they are cleaned and
//! truncated before anything else sees them.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::clean::clean;
use crate::scan::hid_pos::ReportLayout;
use crate::scan::keyboard::KeyReports;

/// Maximum number of entries read of each kind; a till has a handful.
const MOST: usize = 256;
/// Maximum bytes read of one attribute; report descriptors are the longest.
const LONGEST: u64 = 4096;
const NAME_CELLS: usize = 64;
/// The kernel's bus numbers (`input.h`).
const USB: u16 = 3;
const BLUETOOTH: u16 = 5;

/// Where the kernel shows its devices; tests use a tree of their own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Roots {
    pub sys: PathBuf,
    pub dev: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { sys: "/sys".into(), dev: "/dev".into() }
    }
}

/// One way into a device. A device may have several.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Device {
    pub class: DeviceClass,
    /// Such as `/dev/ttyACM0`. The name may change at the next plug.
    pub node: PathBuf,
    pub identity: DeviceIdentity,
    /// The link that udev creates for it, whose name is stable.
    pub by_id: Option<PathBuf>,
}

/// The kind of interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DeviceClass {
    Serial,
    /// Anything with the keys of a keyboard, whether a scanner or a keyboard that a person types
    /// on.
    Keyboard,
    HidPos(ReportLayout),
    /// A HID device without an input device, such as a scanner that uses a maker's own format.
    OtherHid,
}

impl DeviceClass {
    /// The name used in files and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Keyboard => "hid-keyboard",
            Self::HidPos(_) => "hid-pos",
            Self::OtherHid => "hid",
        }
    }
}

/// What the device says about its identity.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeviceIdentity {
    /// USB or Bluetooth vendor and product; `None` for built-in devices.
    pub ids: Option<(u16, u16)>,
    pub maker: String,
    pub name: String,
    /// Empty if the maker assigned none, as with many cheap adapters.
    pub serial: String,
    /// The socket it is plugged into: the USB controller and the ports on the way; may be empty.
    pub socket: String,
}

/// Everything that could be a till's device, sorted by node.
pub fn plugged_in(roots: &Roots) -> Vec<Device> {
    let mut devices = serial_ports(roots);
    devices.extend(keyboards(roots));
    devices.extend(raw_hid(roots));
    devices.sort_by(|one, other| one.node.cmp(&other.node));
    devices
}

fn serial_ports(roots: &Roots) -> Vec<Device> {
    let links = links_by_id(roots);
    let ports = entries(&roots.sys.join("class/tty")).filter_map(|(name, entry)| {
        // Consoles and pseudo-terminals have no device behind them, and a chip's UARTs that are not
        // wired to a connector have type 0.
        let place = entry.join("device").canonicalize().ok()?;
        if attribute(&entry, "type").as_deref() == Some("0") {
            return None;
        }
        let node = roots.dev.join(&name);
        let by_id = links.iter().find(|(target, _)| *target == node).map(|(_, link)| link.clone());
        let identity = of_usb(&place).unwrap_or_default();
        node.exists().then_some(Device { class: DeviceClass::Serial, node, identity, by_id })
    });
    ports.take(MOST).collect()
}

fn keyboards(roots: &Roots) -> Vec<Device> {
    let nodes = entries(&roots.sys.join("class/input")).filter_map(|(name, entry)| {
        let input = entry.join("device");
        if !name.starts_with("event") || !has_keys(&attribute(&input, "capabilities/key")?) {
            return None;
        }
        let identity = input
            .canonicalize()
            .ok()
            .and_then(|place| of_usb(&place))
            .unwrap_or_else(|| of_input(&input));
        let node = roots.dev.join("input").join(&name);
        node.exists().then_some(Device {
            class: DeviceClass::Keyboard,
            node,
            identity,
            by_id: None,
        })
    });
    nodes.take(MOST).collect()
}

fn raw_hid(roots: &Roots) -> Vec<Device> {
    let nodes = entries(&roots.sys.join("class/hidraw")).filter_map(|(name, entry)| {
        let hid = entry.join("device");
        let class = match ReportLayout::parse(&bytes(&hid.join("report_descriptor"))?) {
            Some(layout) => DeviceClass::HidPos(layout),
            None if hid.join("input").exists() => return None,
            None => DeviceClass::OtherHid,
        };
        let identity = hid
            .canonicalize()
            .ok()
            .and_then(|place| of_usb(&place))
            .unwrap_or_else(|| of_hid(&attribute(&hid, "uevent").unwrap_or_default()));
        let node = roots.dev.join(&name);
        node.exists().then_some(Device { class, node, identity, by_id: None })
    });
    nodes.take(MOST).collect()
}

/// A keyboard's raw reports, beneath its event node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RawKeyboard {
    /// Appears a moment after the event node.
    pub node: Option<PathBuf>,
    pub reports: KeyReports,
}

/// What lies beneath a keyboard's event node. `None` if keys cannot be read from its reports, or if
/// a HID POS scanner or another event node uses the same reports.
pub fn raw_keyboard(roots: &Roots, event_node: &Path) -> Option<RawKeyboard> {
    let input = roots.sys.join("class/input").join(event_node.file_name()?).join("device");
    // A HID device keeps its inputs in a subfolder `input`.
    let hid = input.canonicalize().ok()?.ancestors().nth(2)?.to_owned();
    let descriptor = bytes(&hid.join("report_descriptor"))?;
    let inputs = entries(&hid.join("input"));
    let keyboards = inputs.filter(|(_, input)| {
        attribute(input, "capabilities/key").is_some_and(|keys| has_keys(&keys))
    });
    if keyboards.count() > 1 || ReportLayout::parse(&descriptor).is_some() {
        return None;
    }
    let reports = KeyReports::parse(&descriptor)?;
    let node = entries(&hid.join("hidraw")).next().map(|(name, _)| roots.dev.join(name));
    Some(RawKeyboard { node, reports })
}

/// Whether there are digits and Enter, without which nothing could be scanned. The bits are given
/// in words, the lowest last.
fn has_keys(capabilities: &str) -> bool {
    const KEYS: u64 = 0b11_1111_1111 << 2 | 1 << 28;
    let lowest = capabilities.split_whitespace().next_back();
    let bits = lowest.and_then(|word| u64::from_str_radix(word, 16).ok()).unwrap_or(0);
    bits & KEYS == KEYS
}

/// What the USB device above a place in `/sys/devices` says about itself.
fn of_usb(place: &Path) -> Option<DeviceIdentity> {
    // A device behind a Bluetooth adapter is not the adapter.
    if place.iter().any(|part| part == "bluetooth") {
        return None;
    }
    let device = place.ancestors().find(|folder| folder.join("idVendor").is_file())?;
    let number = |name| u16::from_str_radix(attribute(device, name)?.trim(), 16).ok();
    let text = |name| attribute(device, name).map(|text| clean(&text, NAME_CELLS));
    let socket = || {
        let hub = device.ancestors().find(|folder| {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.strip_prefix("usb").is_some_and(|bus| bus.parse::<u32>().is_ok())
        })?;
        let controller = hub.parent()?.file_name()?.to_str()?;
        Some(clean(&format!("{controller}-{}", text("devpath")?), NAME_CELLS))
    };
    Some(DeviceIdentity {
        ids: number("idVendor").zip(number("idProduct")),
        maker: text("manufacturer").unwrap_or_default(),
        name: text("product").unwrap_or_default(),
        serial: text("serial").unwrap_or_default(),
        socket: socket().unwrap_or_default(),
    })
}

fn of_input(input: &Path) -> DeviceIdentity {
    let number = |name| u16::from_str_radix(attribute(input, name)?.trim(), 16).ok();
    let text = |name| attribute(input, name).map(|text| clean(&text, NAME_CELLS));
    let is_plugged = number("id/bustype").is_some_and(|bus| [USB, BLUETOOTH].contains(&bus));
    DeviceIdentity {
        ids: number("id/vendor").zip(number("id/product")).filter(|_| is_plugged),
        maker: String::new(),
        name: text("name").unwrap_or_default(),
        serial: text("uniq").unwrap_or_default(),
        socket: socket_of(&text("phys").unwrap_or_default()),
    }
}

/// Parses lines such as `HID_ID=0003:00000C2E:00000B87`.
fn of_hid(uevent: &str) -> DeviceIdentity {
    let value = |key: &str| {
        let line = uevent.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(|text| clean(text, NAME_CELLS)).unwrap_or_default()
    };
    let id = value("HID_ID");
    let mut numbers = id.split(':').map(|part| {
        u32::from_str_radix(part, 16).ok().and_then(|number| u16::try_from(number).ok())
    });
    let mut next = || numbers.next().flatten();
    let (bus, vendor, product) = (next(), next(), next());
    DeviceIdentity {
        ids: vendor.zip(product).filter(|_| bus.is_some_and(|bus| [USB, BLUETOOTH].contains(&bus))),
        maker: String::new(),
        name: value("HID_NAME"),
        serial: value("HID_UNIQ"),
        socket: socket_of(&value("HID_PHYS")),
    }
}

/// Reduces `usb-0000:00:14.0-1.2/input0` to the part that names the socket.
fn socket_of(physical: &str) -> String {
    let socket = physical.strip_prefix("usb-").unwrap_or(physical);
    socket.split('/').next().unwrap_or_default().to_owned()
}

fn links_by_id(roots: &Roots) -> Vec<(PathBuf, PathBuf)> {
    let links = entries(&roots.dev.join("serial/by-id"));
    // The root may itself be reached through a link.
    let dev = roots.dev.canonicalize().unwrap_or_else(|_| roots.dev.clone());
    let targets = links.filter_map(|(_, link)| {
        let target = link.canonicalize().ok()?;
        Some((roots.dev.join(target.strip_prefix(&dev).ok()?), link))
    });
    targets.collect()
}

/// A folder's entries, limited to names that a kernel would use.
fn entries(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.bytes().all(|byte| byte.is_ascii_graphic()).then(|| (name, entry.path()))
    })
}

fn attribute(folder: &Path, name: &str) -> Option<String> {
    let bytes = bytes(&folder.join(name))?;
    Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

fn bytes(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
