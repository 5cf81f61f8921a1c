//! `paytill devices`: what is plugged in, and what the till would use it for.

pub mod learn;

use rustix::fs::{Access, access};
use serde_json::{Value, json};

use super::output::print_line;
use super::wiring::{learned, scanner_settings};
use super::{Exit, Failure};
use crate::cli::Json;
use crate::config::Config;
use crate::device::inventory::{Device, DeviceClass, Roots, plugged_in};
use crate::device::role::{DeviceFilter, Misplaced, Role, Why};
use crate::text::device as text;

/// Lists everything that could be one of the till's devices.
pub fn list(json: Json, config: &Config) -> Result<Exit, Failure> {
    let language = config.till.language;
    let learned = learned(config);
    let filter = scanner_settings(config, learned).filter;
    let mut said = true;
    let (serial, socket) = language.pick(("serial", "socket"), ("序列号", "插口"));
    for device in plugged_in(&Roots::default()) {
        if json.json {
            said &= print_line(&json_of(&device, &filter).to_string());
            continue;
        }
        let role = filter.role(&device);
        said &= print_line(&format!("{}: {}", described(&device), text::role(role, language)));
        let identity = &device.identity;
        let by_id = device.by_id.as_ref().map(|link| link.display().to_string());
        let more = [by_id, named(serial, &identity.serial), named(socket, &identity.socket)];
        for line in more.into_iter().flatten() {
            said &= print_line(&format!("    {line}"));
        }
        if device.class == DeviceClass::OtherHid && role == Role::MaybeScanner {
            said &= print_line(&format!("    {}", text::own_format(language)));
        }
        if let Some(misplaced) = filter.misplaced(&device) {
            let fault = misplaced.fault();
            said &= print_line(&format!("    {}", text::fault(&fault, language)));
            said &= print_line(&format!("    {}", text::remedy(&fault, language)));
        }
        // No advice on how to open an ordinary keyboard.
        if role != Role::Keyboard && !may_open(&device) {
            said &= print_line(&format!("    {}", text::how_to_permit(&device.class, language)));
        }
    }
    Ok(if said { Exit::Done } else { Exit::Fault })
}

/// Identifies the device in one line.
fn described(device: &Device) -> String {
    let identity = &device.identity;
    let node = device.node.display().to_string();
    let ids = identity.ids.map(|(vendor, product)| format!("{vendor:04x}:{product:04x}"));
    let words = [node, ids.unwrap_or_default(), identity.maker.clone(), identity.name.clone()];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn json_of(device: &Device, filter: &DeviceFilter) -> Value {
    let identity = &device.identity;
    let (vendor, product) = identity.ids.unzip();
    let (role, why) = match filter.role(device) {
        Role::Scanner(why) => ("scanner", Some(why)),
        Role::MaybeScanner => ("maybe_scanner", None),
        Role::Keyboard => ("keyboard", None),
        Role::Configured => ("configured", None),
        Role::Unknown => ("unknown", None),
    };
    let baud = match why {
        Some(Why::Learned(baud)) if device.class == DeviceClass::Serial => Some(baud),
        _ => None,
    };
    let why = why.map(|why| match why {
        Why::HidPos => "hid-pos",
        Why::Named => "named",
        Why::Learned(_) => "learned",
        Why::Known => "known",
        Why::CallsItselfOne => "own_name",
    });
    json!({
        "node": device.node.to_string_lossy(),
        "kind": device.class.word(),
        "vendor": vendor.map(|vendor| format!("{vendor:04x}")),
        "product": product.map(|product| format!("{product:04x}")),
        "maker": identity.maker,
        "name": identity.name,
        "serial": identity.serial,
        "socket": identity.socket,
        "by_id": device.by_id.as_ref().map(|link| link.to_string_lossy()),
        "role": role,
        "why": why,
        "baud": baud,
        "permitted": may_open(device),
        "misplaced": filter.misplaced(device).map(Misplaced::word),
    })
}

fn named(name: &str, value: &str) -> Option<String> {
    (!value.is_empty()).then(|| format!("{name} {value}"))
}

/// Whether the permissions suffice: keyboards are only read, all other devices are also written to.
pub(super) fn may_open(device: &Device) -> bool {
    let needed = match device.class {
        DeviceClass::Keyboard => Access::READ_OK,
        DeviceClass::Serial | DeviceClass::HidPos(_) | DeviceClass::OtherHid => {
            Access::READ_OK | Access::WRITE_OK
        }
    };
    access(&device.node, needed).is_ok()
}
