//! Terminals that people type into. A path that leads to one is a stale link or a slip: opened as
//! a device, it would take their keys away and write receipts over their work (devices 1.4).

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use rustix::fs::{fstat, major, makedev, minor};
use rustix::termios::isatty;

/// Numbers of the kernel's own (`devices.txt`): virtual consoles and UARTs share the first.
const CONSOLES: u32 = 4;
const LAST_CONSOLE: u32 = 63;
const ALIASES: u32 = 5;
/// `/dev/tty`, `/dev/console` and `/dev/ptmx`.
const LAST_ALIAS: u32 = 2;
/// Of `/proc/PID/stat`, behind the name: state, parent, group, session, terminal.
const TERMINAL: usize = 4;

/// Whether a path leads to a terminal that belongs to people: a console, this process's own, or
/// one that some session runs in. A pseudo-terminal or serial line without a session is a device.
pub fn is_somebodys_terminal(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| {
        let number = metadata.rdev();
        metadata.file_type().is_char_device()
            && (is_console(number) || is_our_own(number) || has_session(number))
    })
}

fn is_console(number: u64) -> bool {
    match major(number) {
        CONSOLES => minor(number) <= LAST_CONSOLE,
        ALIASES => minor(number) <= LAST_ALIAS,
        _ => false,
    }
}

fn is_our_own(number: u64) -> bool {
    let (input, output, errors) = (io::stdin(), io::stdout(), io::stderr());
    [input.as_fd(), output.as_fd(), errors.as_fd()]
        .into_iter()
        .any(|fd| isatty(fd) && fstat(fd).is_ok_and(|stat| stat.st_rdev == number))
}

/// As far as `/proc` shows other people's processes.
fn has_session(number: u64) -> bool {
    let Ok(entries) = fs::read_dir("/proc") else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        let is_process = entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit);
        is_process
            && fs::read(entry.path().join("stat"))
                .is_ok_and(|stat| terminal(&String::from_utf8_lossy(&stat)) == Some(number))
    })
}

/// The controlling terminal in `/proc/PID/stat`. The name before it may hold anything.
fn terminal(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let packed: i32 = fields.split_ascii_whitespace().nth(TERMINAL)?.parse().ok()?;
    let packed = packed.cast_unsigned();
    // The minor number has its lower byte at the end and the rest at the front.
    let number = makedev(packed >> 8 & 0xfff, packed & 0xff | packed >> 12 & 0xf_ff00);
    (packed != 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_names_its_terminal_whatever_it_calls_itself() {
        let stat = |terminal: i64| format!("7 (a) S 0 (b) S 1 7 7 {terminal} -1 4194560 0");
        assert_eq!(terminal(&stat(0)), None);
        // Each by what the kernel makes of it: pts/3, pts/300, ttyS0.
        assert_eq!(terminal(&stat(34_819)), Some(makedev(136, 3)));
        assert_eq!(terminal(&stat(1_083_436)), Some(makedev(136, 44 + 256)));
        assert_eq!(terminal(&stat(1_088)), Some(makedev(4, 64)));
        assert_eq!(terminal("7 (sh"), None);
    }

    #[test]
    fn consoles_are_told_from_serial_lines_by_number() {
        for (numbers, is_one) in [
            ((4, 0), true),
            ((4, 63), true),
            ((4, 64), false),
            ((5, 0), true),
            ((5, 1), true),
            ((5, 2), true),
            ((5, 64), false),
            ((166, 0), false),
            ((188, 0), false),
        ] {
            assert_eq!(is_console(makedev(numbers.0, numbers.1)), is_one, "{numbers:?}");
        }
    }
}
