//! The project's rules that the compiler cannot check: which room may import which, and which code
//! is pure.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates in order of dependency. Cargo enforces it; this list says which order is meant.
const CRATES: [&str; 6] = ["core", "host", "journal", "simulator", "backend", "till"];

/// What the core must not depend on, even indirectly: it decides, and does nothing else.
const NOT_FOR_THE_CORE: [&str; 8] =
    ["crossterm", "hidapi", "ratatui", "reqwest", "rusqlite", "rustix", "serialport", "tokio"];

/// The rooms of each crate, bottom up. A room uses those before it in this list and never those
/// after it.
const ROOMS: &[&str] = &[
    "core/clean",
    "core/language",
    "core/clock",
    "core/der",
    "core/money",
    "core/order",
    "core/sale",
    "core/goods",
    "core/payment",
    "core/shift",
    "core/refund",
    "core/gateway",
    "core/bill",
    "core/engine",
    "core/text",
    "host/clock",
    "host/random",
    "host/process",
    "host/certificate",
    "host/config",
    "host/times",
    "host/log",
    "host/transport",
    "host/gateway",
    "host/typed",
    "journal/head",
    "journal/key",
    "journal/tables",
    "journal/refund_event",
    "journal/register",
    "journal/error",
    "journal/lines",
    "journal/files",
    "journal/check",
    "journal/acts",
    "journal/read",
    "journal/past",
    "journal/shift",
    "journal/refunds",
    "journal/refund_paper",
    "journal/tenders",
    "journal/slips",
    "journal/refund_slips",
    "journal/backup",
    "journal/formats",
    "journal/evidence",
    "journal/find",
    "journal/rounds",
    "journal/writer",
    "backend/store",
    "backend/files",
    "backend/config",
    "backend/exit",
    "backend/metrics",
    "backend/desk",
    "backend/admission",
    "backend/work",
    "backend/routes",
    "backend/pages",
    "backend/serve",
    "backend/command",
    "backend/main",
    "till/picture",
    "till/qr",
    "till/encode",
    "till/hardware",
    "till/scan",
    "till/device",
    "till/operators",
    "till/catalogue",
    "till/till",
    "till/text",
    "till/config",
    "till/cli",
    "till/find",
    "till/reconcile",
    "till/receipt",
    "till/display",
    "till/screen",
    "till/command",
    "till/main",
];

/// The pages of facts that comments refer to, as in `devices 2.3`, by keyword.
const PAGES: [(&str, &str); 6] = [
    ("protocol", "src/core/gateway/wechat/README.md"),
    ("apiv3", "src/core/gateway/wechat/v3/README.md"),
    ("devices", "src/till/device/README.md"),
    ("scans", "src/till/scan/README.md"),
    ("journal", "src/journal/README.md"),
    ("interface", "src/till/README.md"),
];

/// Code that only decides: no threads, files, sockets, clocks, environment or random numbers.
const PURE: &[&str] = &[
    "core/",
    "backend/pages/throttle.rs",
    "backend/pages/view.rs",
    "backend/pages/words.rs",
    "backend/work/decide.rs",
    "backend/work/decide_refund.rs",
    "backend/work/decide_notice.rs",
    "backend/desk.rs",
    "backend/admission.rs",
    "till/picture.rs",
    "till/encode.rs",
    "till/hardware.rs",
    "till/qr.rs",
    "till/scan/",
    "till/device/role.rs",
    "till/device/printer/status.rs",
    "till/receipt/",
    "till/display/",
    "till/screen/",
    "till/text/",
    "simulator/bill.rs",
    "simulator/lib.rs",
    "simulator/ledger.rs",
    "simulator/notice_case.rs",
    "simulator/notices.rs",
    "simulator/scenario.rs",
    "simulator/script.rs",
    "simulator/status.rs",
    "simulator/v3/",
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

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files in a folder, except build output, snapshots and fuzzing corpora.
fn files(folder: &Path) -> Vec<PathBuf> {
    let skipped = ["target", "corpus", "snapshots", ".git"];
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        match path.is_dir() {
            _ if skipped.contains(&name) => {}
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files
}

fn sources() -> BTreeMap<String, String> {
    let src = root().join("src");
    let name = |path: &Path| path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
    files(&src)
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The text without comments, and without the tests at the end of the file.
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
        // The simulator's files and the root of every crate are in no room.
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

/// The first names of what is imported behind a prefix such as `super::`: `a` and `b` of
/// `super::{a::C, b}`.
fn first_names<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let word = |text: &'a str| {
        let text = text.trim_start();
        &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
    };
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        if code[..at].ends_with(':') {
            continue;
        }
        let Some(list) = rest.strip_prefix('{') else {
            names.push(word(rest));
            continue;
        };
        let (mut depth, mut start) = (0, 0);
        for (at, character) in list.char_indices() {
            match character {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    names.push(word(&list[start..at]));
                    start = at + 1;
                    if character == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    names
}

/// Files side by side in one folder: which of them each imports from.
fn neighbours(sources: &BTreeMap<String, String>) -> BTreeMap<&str, Vec<&str>> {
    let mut uses = BTreeMap::new();
    for (name, text) in sources.iter().filter(|(name, _)| !is_test(name)) {
        let (folder, file) = name.rsplit_once('/').unwrap();
        if matches!(file, "mod.rs" | "lib.rs" | "main.rs") {
            continue;
        }
        let code = code(text);
        let names = first_names(&code, "super::").into_iter().filter_map(|used| {
            let path = format!("{folder}/{used}.rs");
            sources.get_key_value(&path).map(|(path, _)| path.as_str())
        });
        uses.insert(name.as_str(), names.collect::<Vec<_>>());
    }
    uses
}

#[test]
fn no_files_of_a_room_import_each_other_in_a_circle() {
    let sources = sources();
    let mut uses = neighbours(&sources);
    assert!(uses.values().flatten().count() > 50, "imports are no longer read");
    // What imports nothing that is left stands on its own; what cannot be taken away is a circle.
    loop {
        let left: Vec<&str> = uses.keys().copied().collect();
        uses.retain(|_, used| used.iter().any(|used| left.contains(used)));
        if uses.len() == left.len() {
            break;
        }
    }
    assert!(uses.is_empty(), "{uses:#?}");
}

#[test]
fn the_core_reaches_no_runtime_no_database_no_device_and_no_screen() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "paytill-core"])
        .args(["--edges", "normal", "--prefix", "none"])
        .current_dir(root())
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
    let tests: BTreeMap<String, String> = files(&root().join("tests"))
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap()))
        .collect();
    let long: Vec<_> = sources()
        .iter()
        .chain(&tests)
        .map(|(name, text)| (name.clone(), text.lines().count()))
        .filter(|(_, lines)| *lines > 600)
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
    let faults = root().join("tests/simulation/deliberate_faults.toml");
    let faults: toml::Table = fs::read_to_string(faults).unwrap().parse().unwrap();
    let faults = faults["fault"].as_array().unwrap();
    assert!(faults.len() >= 15);
    for fault in faults {
        let text = fs::read_to_string(root().join(fault["file"].as_str().unwrap())).unwrap();
        for change in fault["change"].as_array().unwrap() {
            let place = change[0].as_str().unwrap();
            assert_eq!(text.matches(place).count(), 1, "{}: {place}", fault["name"]);
        }
    }
}

/// The section numbers of a page.
fn headings(page: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let titles = text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    titles.filter_map(|title| number(title).map(|(number, _)| number.to_owned())).collect()
}

/// A number such as `2.5` at the beginning, and the text after it.
fn number(text: &str) -> Option<(&str, &str)> {
    let length = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let number = text[..length.unwrap_or(text.len())].trim_end_matches('.');
    number.starts_with(|first: char| first.is_ascii_digit()).then(|| text.split_at(number.len()))
}

/// The sections that a text refers to by this keyword: `devices 2.5 and 2.6`, also across the line
/// break of a comment.
fn named<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let mut named = Vec::new();
    for (at, _) in text.match_indices(word) {
        let is_within = |letter: char| letter.is_alphanumeric() || "_.-".contains(letter);
        if text[..at].ends_with(is_within) {
            continue;
        }
        let after = &text[at + word.len()..];
        let mut rest = match after.strip_prefix('\n') {
            Some(line) => {
                let line = line.trim_start_matches([' ', '\t']);
                let marks = ["///", "//!", "//", "#", "--"];
                let bare = marks.iter().find_map(|mark| line.strip_prefix(mark));
                bare.unwrap_or(line).trim_start_matches([' ', '\t'])
            }
            None => after.strip_prefix(' ').unwrap_or_default(),
        };
        while let Some((number, more)) = number(rest) {
            if more.starts_with(|next: char| next.is_alphanumeric() || "_%".contains(next)) {
                break;
            }
            named.push(number);
            let joint = [", ", " and ", " to "].iter().find_map(|joint| more.strip_prefix(joint));
            rest = joint.unwrap_or_default();
        }
    }
    named
}

#[test]
fn what_comments_point_to_is_there() {
    let (mut count, mut missing) = (0, Vec::new());
    let names_pages = |path: &PathBuf| match path.extension() {
        None => true,
        Some(ending) => {
            ["rs", "toml", "py", "sql"].iter().any(|own| ending == *own)
                || PAGES.iter().any(|(_, page)| path.ends_with(page))
        }
    };
    let texts = files(root()).into_iter().filter(names_pages);
    let texts: Vec<_> =
        texts.filter_map(|path| Some((fs::read_to_string(&path).ok()?, path))).collect();
    for (word, page) in PAGES {
        let headings = headings(page);
        assert!(!headings.is_empty(), "{page}");
        for (text, path) in &texts {
            let named = named(text, word);
            count += named.len();
            let lacking = named.iter().filter(|name| !headings.iter().any(|known| known == *name));
            missing.extend(lacking.map(|name| format!("{}: {word} {name}", path.display())));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(count > 50, "only {count} were found");
}
