//! The house rules that a compiler does not know: who may import whom, and what is pure.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates from the ground up. Cargo holds them to it; this list says which order is meant.
const CRATES: [&str; 5] = ["core", "host", "journal", "simulator", "till"];

/// What the core must never reach, not even through others: it decides, and does nothing.
const NOT_FOR_THE_CORE: [&str; 8] =
    ["crossterm", "hidapi", "ratatui", "reqwest", "rusqlite", "rustix", "serialport", "tokio"];

/// The rooms of each crate from the ground up. A room uses those before it in this list, never those
/// behind it.
const ROOMS: &[&str] = &[
    "core/clean",
    "core/language",
    "core/clock",
    "core/money",
    "core/order",
    "core/payment",
    "core/gateway",
    "core/engine",
    "core/text",
    "host/clock",
    "host/random",
    "host/process",
    "host/config",
    "host/log",
    "host/transport",
    "journal/head",
    "journal/files",
    "journal/check",
    "journal/read",
    "journal/writer",
    "till/picture",
    "till/encode",
    "till/hardware",
    "till/scan",
    "till/device",
    "till/till",
    "till/text",
    "till/config",
    "till/cli",
    "till/receipt",
    "till/display",
    "till/screen",
    "till/command",
    "till/main",
];

/// Code that decides. It has no thread, file, socket, clock, environment or random draw.
const PURE: &[&str] = &[
    "core/",
    "till/picture.rs",
    "till/encode.rs",
    "till/hardware.rs",
    "till/scan/",
    "till/device/role.rs",
    "till/device/printer/status.rs",
    "till/receipt/",
    "till/display/",
    "till/screen/",
    "till/text/",
    "simulator/lib.rs",
    "simulator/ledger.rs",
    "simulator/scenario.rs",
    "simulator/standing.rs",
];

const IMPURE: [&str; 10] = [
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::thread",
    "std::env",
    "std::process",
    "tokio::",
    "rustix::",
    "reqwest::",
    "rusqlite::",
];

fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// Without comments, and without the tests at a file's end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

fn is_test(name: &str) -> bool {
    name.contains("tests")
}

/// The crate and the room of a file: `till/screen` of `till/screen/view/mod.rs`.
fn room(name: &str) -> String {
    let (of, rest) = name.split_once('/').unwrap();
    format!("{of}/{}", rest.split('/').next().unwrap().trim_end_matches(".rs"))
}

#[test]
fn imports_run_one_way() {
    let mut broken = Vec::new();
    let sources = sources();
    for (name, text) in sources.iter().filter(|(name, _)| !is_test(name)) {
        let (of, room) = (name.split('/').next().unwrap(), room(name));
        assert!(CRATES.contains(&of), "{name} is in no known crate");
        // The simulator's files and every crate's front door stand for themselves.
        let place = |room: &str| ROOMS.iter().position(|known| *known == room);
        let Some(own) = place(&room) else {
            assert!(of == "simulator" || name.ends_with("lib.rs"), "{name} is in no known room");
            continue;
        };
        for used in code(text).split("crate::").skip(1) {
            let used: String = used
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_' || c.is_ascii_digit())
                .collect();
            if place(&format!("{of}/{used}")).is_some_and(|used| used > own) {
                broken.push(format!("{name} uses {used}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_core_reaches_no_runtime_no_database_no_device_and_no_screen() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "paytill-core"])
        .args(["--edges", "normal", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let used: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(used.contains(&"paytill-core"));
    for banned in NOT_FOR_THE_CORE {
        assert!(!used.contains(&banned), "the core reaches {banned}");
    }
}

#[test]
fn what_decides_touches_nothing() {
    let mut broken = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| !is_test(name)) {
        if !PURE.iter().any(|pure| name.starts_with(*pure)) {
            continue;
        }
        let text = code(text);
        for impure in IMPURE {
            if text.contains(impure) {
                broken.push(format!("{name} has {impure}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn no_file_does_two_jobs() {
    let long: Vec<_> = sources()
        .iter()
        .map(|(name, text)| (name.clone(), text.lines().count()))
        .filter(|(name, lines)| *lines > 600 && !is_test(name))
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn nothing_untrusted_is_printed_around_the_screen() {
    for (name, text) in sources().iter().filter(|(name, _)| !is_test(name)) {
        for call in ["println!(", "eprintln!(", "print!(", "dbg!(", "todo!(", "unimplemented!("] {
            assert!(!code(text).contains(call), "{name} has {call}");
        }
    }
}

#[test]
fn every_deliberate_fault_has_its_place_in_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let faults = root.join("tests/simulation/deliberate_faults.toml");
    let faults: toml::Table = fs::read_to_string(faults).unwrap().parse().unwrap();
    let faults = faults["fault"].as_array().unwrap();
    assert!(faults.len() >= 15);
    for fault in faults {
        let text = fs::read_to_string(root.join(fault["file"].as_str().unwrap())).unwrap();
        for change in fault["change"].as_array().unwrap() {
            let place = change[0].as_str().unwrap();
            assert_eq!(text.matches(place).count(), 1, "{}: {place}", fault["name"]);
        }
    }
}
