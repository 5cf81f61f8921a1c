//! The sections of the devices: what is connected, where, and with which settings.

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::super::{
    ConfigError, DisplayConfig, DisplayKind, DisplayText, DrawerPin, Flow, Lights, Paper, Parity,
    PrinterConfig, PrinterKind, Profile, ScannerConfig, ScannerKind, StatusUse, StoreConfig,
    Suffix,
};
use super::Surroundings;
use crate::both;
use crate::scan::keyboard::Layout;
use paytill_host::config::file::{Document, Section};

/// The lines of a customer's display, and the columns of each.
const WELCOME_LINES: usize = 2;
const WELCOME_CELLS: usize = 20;
/// For displays that cannot show the store's own name.
const WELCOME: &str = "WELCOME";
/// Two ids and the longest serial number that is kept.
const DEVICE_CELLS: usize = 74;
const BAUDS: [u64; 9] = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115_200, 230_400];

pub(super) fn scanner(
    section: Section<'_>,
    around: &Surroundings<'_>,
) -> Result<ScannerConfig, ConfigError> {
    let kinds = [
        ("auto", ScannerKind::Auto),
        ("serial", ScannerKind::Serial),
        ("hid-pos", ScannerKind::HidPos),
        ("hid-keyboard", ScannerKind::HidKeyboard),
        ("keyboard", ScannerKind::Keyboard),
        ("none", ScannerKind::None),
    ];
    let kind = section.word("kind", &kinds, ScannerKind::Auto)?;
    let port = section.path("port", around.folder)?;
    if kind == ScannerKind::Serial && port.is_none() {
        let sentence =
            both!("is missing; a serial scanner needs one", "没有设置；串口扫码枪需要端口");
        return Err(section.wrong("port", &sentence));
    }
    let suffixes = [
        ("auto", Suffix::Auto),
        ("cr", Suffix::Cr),
        ("lf", Suffix::Lf),
        ("crlf", Suffix::CrLf),
        ("tab", Suffix::Tab),
        ("none", Suffix::None),
    ];
    let suffix = section.word("suffix", &suffixes, Suffix::Auto)?;
    let layouts = [("us", Layout::Us), ("fr", Layout::French), ("de", Layout::German)];
    let layout = section.word("layout", &layouts, Layout::Us)?;
    let device = match section.text("device", DEVICE_CELLS)?.filter(|text| !text.is_empty()) {
        Some(text) => Some(text.parse().map_err(|()| {
            let sentence = both!(
                "is vvvv:pppp or vvvv:pppp:serial, as `paytill devices` lists it",
                "应为 vvvv:pppp 或 vvvv:pppp:序列号，与 paytill devices 列出的一致"
            );
            section.wrong("device", &sentence)
        })?),
        None => None,
    };
    Ok(ScannerConfig { kind, port, baud: baud(section)?, suffix, device, layout })
}

pub(super) fn printer(
    section: Section<'_>,
    around: &Surroundings<'_>,
) -> Result<PrinterConfig, ConfigError> {
    let kinds = [
        ("escpos-serial", PrinterKind::EscposSerial),
        ("escpos-file", PrinterKind::EscposFile),
        ("none", PrinterKind::None),
    ];
    let kind = section.word("kind", &kinds, PrinterKind::None)?;
    let port = section.path("port", around.folder)?;
    if kind != PrinterKind::None && port.is_none() {
        let sentence = both!("is missing; a printer needs one", "没有设置；打印机需要端口");
        return Err(section.wrong("port", &sentence));
    }
    let flows = [("none", Flow::None), ("xonxoff", Flow::XonXoff), ("rtscts", Flow::RtsCts)];
    let flow = section.word("flow", &flows, Flow::None)?;
    let uses = [("auto", StatusUse::Auto), ("fence", StatusUse::Fence), ("off", StatusUse::Off)];
    let status = section.word("status", &uses, StatusUse::Auto)?;
    let paper = match section.one_of("paper_mm", &[58, 80], 80)? {
        58 => Paper::Mm58,
        _ => Paper::Mm80,
    };
    section.word("encoding", &[("gb18030", ())], ())?;
    let profiles = Profile::ALL.map(|profile| (profile.name(), profile));
    let profile = section.word("profile", &profiles, Profile::default())?;
    let drawers =
        [("none", None), ("pin2", Some(DrawerPin::Pin2)), ("pin5", Some(DrawerPin::Pin5))];
    let drawer = section.word("drawer", &drawers, None)?;
    let auto_print = section.flag("auto_print", true)?;
    let baud = baud(section)?;
    Ok(PrinterConfig { kind, port, baud, flow, status, paper, profile, drawer, auto_print })
}

pub(super) fn display(
    section: Section<'_>,
    store: &StoreConfig,
    around: &Surroundings<'_>,
) -> Result<DisplayConfig, ConfigError> {
    let kinds = [
        ("none", DisplayKind::None),
        ("cd5220", DisplayKind::Cd5220),
        ("escpos", DisplayKind::Escpos),
        ("led8", DisplayKind::Led8),
    ];
    let kind = section.word("kind", &kinds, DisplayKind::None)?;
    let port = section.path("port", around.folder)?;
    if kind != DisplayKind::None && port.is_none() {
        let sentence = both!("is missing; a display needs one", "没有设置；客显需要端口");
        return Err(section.wrong("port", &sentence));
    }
    let parities = [("none", Parity::None), ("odd", Parity::Odd), ("even", Parity::Even)];
    let parity = section.word("parity", &parities, Parity::None)?;
    let lights = [("ascii", Lights::Ascii), ("binary", Lights::Binary)];
    let lights = section.word("lights", &lights, Lights::Ascii)?;
    let texts = [("ascii", DisplayText::Ascii), ("gb18030", DisplayText::Gb18030)];
    let text = section.word("text", &texts, DisplayText::Ascii)?;
    let can_show = |line: &str| text == DisplayText::Gb18030 || line.is_ascii();
    let welcome = match section.lines("welcome", WELCOME_LINES, WELCOME_CELLS)? {
        Some(lines) => match lines.iter().find(|line| !can_show(line)) {
            Some(line) => {
                let sentence = both!(
                    "has \"{line}\", which is not ASCII; a display that can show it has \
                     text = \"gb18030\"",
                    "含有 \"{line}\"，不是 ASCII；客显能显示时请设 text = \"gb18030\""
                );
                return Err(section.wrong("welcome", &sentence));
            }
            None => lines,
        },
        None if can_show(&store.name) => vec![store.name.clone()],
        None => vec![WELCOME.to_owned()],
    };
    Ok(DisplayConfig { kind, port, baud: baud(section)?, parity, lights, text, welcome })
}

/// One port cannot serve two devices, by whatever names it is reached.
pub(super) fn check_ports(
    document: &Document<'_>,
    scanner: &ScannerConfig,
    printer: &PrinterConfig,
    display: &DisplayConfig,
) -> Result<(), ConfigError> {
    let uses_port = matches!(scanner.kind, ScannerKind::Auto | ScannerKind::Serial);
    let ports = [
        ("scanner", scanner.port.as_deref().filter(|_| uses_port)),
        ("printer", printer.port.as_deref().filter(|_| printer.kind != PrinterKind::None)),
        ("display", display.port.as_deref().filter(|_| display.kind != DisplayKind::None)),
    ];
    let used = ports.iter().filter_map(|(name, port)| port.map(|port| (*name, port)));
    let mut before: Vec<(&str, &Path)> = Vec::new();
    for (name, port) in used {
        if let Some((other, _)) = before.iter().find(|(_, other)| is_same(port, other)) {
            let sentence = both!(
                "is the same device as {other}.port; each needs a port of its own",
                "与 {other}.port 是同一设备；每个设备要用各自的端口"
            );
            return Err(document.section(name).wrong("port", &sentence));
        }
        before.push((name, port));
    }
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> bool {
    let number = |path: &Path| {
        let metadata = path.metadata().ok()?;
        metadata.file_type().is_char_device().then(|| metadata.rdev())
    };
    resolved(one) == resolved(other)
        || number(one).is_some_and(|number_of_one| number(other) == Some(number_of_one))
}

/// Where a path leads, as far as it exists: a device may be unplugged.
fn resolved(path: &Path) -> PathBuf {
    let in_folder = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(in_folder).unwrap_or_else(|| path.to_owned())
}

fn baud(section: Section<'_>) -> Result<u32, ConfigError> {
    const DEFAULT: u32 = 9600;
    let baud = section.one_of("baud", &BAUDS, DEFAULT.into())?;
    Ok(u32::try_from(baud).unwrap_or(DEFAULT))
}
