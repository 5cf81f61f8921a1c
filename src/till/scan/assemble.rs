//! Reassembles scans from the pieces in which a serial line delivers them.
//!
//! A scan ends with its suffix or, if there may be none, by silence. How long the silence must last
//! depends on what is known about the scanner:
//!
//! - [`Suffix::None`]: there is nothing else to wait for, so 50 ms end a scan (scans 2.2).
//! - [`Suffix::Auto`]: a suffix may still come, and there may be pauses of 200 ms inside a code (a
//!   hub, a radio link). So 300 ms end a scan, and only if what has arrived is a complete code of a
//!   known kind; a partial code is dropped, so that it is never joined to the next one.
//! - a named suffix: silence ends nothing. After a second without the suffix, what has arrived is
//!   dropped.
//!
//! Only the reader of the line can tell silence from bytes that were waiting to be read, so
//! [`Assembler::tick`] alone takes note of silence.

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use zeroize::{Zeroize, Zeroizing};

use super::is_complete;
use crate::clock::{Millis, Uptime};

/// Maximum bytes of one scan; anything longer is not a scan (scans 2.6).
const LONGEST: usize = 4096;
const SILENCE_WITHOUT_SUFFIX: Millis = Millis(50);
const SILENCE_IN_DOUBT: Millis = Millis(300);
const SILENCE_WITH_SUFFIX: Millis = Millis(1000);
/// A code left in a scanner's view is read again within this time; people are slower (scans 2.6).
const DOUBLE_READ: Millis = Millis(300);
/// Noise is reported at most once in this time.
const NOISE_PAUSE: Millis = Millis(1000);

const STX: u8 = 2;
const ETX: u8 = 3;

/// What a scanner sends after a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Suffix {
    /// CR, LF, both, TAB, ETX, NUL or nothing.
    Auto,
    Cr,
    Lf,
    CrLf,
    Tab,
    /// Nothing: a pause ends the code.
    None,
}

impl Suffix {
    /// The equivalent for a scanner that types: it has only one Enter key, whatever other scanners
    /// send.
    #[must_use]
    pub fn typed(self) -> Self {
        match self {
            Self::Lf | Self::CrLf => Self::Cr,
            Self::Auto | Self::Cr | Self::Tab | Self::None => self,
        }
    }
}

/// The result of the bytes received.
#[derive(Debug, Eq, PartialEq)]
pub enum ScanLine {
    /// A complete scan, without its suffix and surrounding blanks. It may be a payment code.
    Text(Zeroizing<String>),
    /// Something that is not a scan: a partial code, bytes that are not text, a flood. At most once
    /// a second.
    Noise,
}

/// Assembles the bytes of one scanner.
#[derive(Debug)]
pub struct Assembler {
    suffix: Suffix,
    pending: PendingScan,
    /// Part of the scan is missing, or it was too long to be one: the rest of it is dropped.
    is_corrupt: bool,
    received_at: Uptime,
    last: Option<Last>,
    noise_at: Option<Uptime>,
}

impl Assembler {
    pub fn new(suffix: Suffix) -> Self {
        Self {
            suffix,
            pending: PendingScan(Zeroizing::new(Vec::with_capacity(LONGEST))),
            is_corrupt: false,
            received_at: Uptime::default(),
            last: None,
            noise_at: None,
        }
    }

    /// Takes the bytes read at one time, and returns the scans they complete.
    pub fn push(&mut self, bytes: &[u8], at: Uptime) -> Vec<ScanLine> {
        let mut lines = Vec::new();
        for byte in bytes {
            if self.ends_with(*byte) {
                lines.extend(self.end(at));
            } else if *byte == STX {
                // A scan begins here, so whatever is pending was never finished.
                lines.extend(self.drop_pending(at));
            } else if self.pending.0.len() < LONGEST && !self.is_corrupt {
                self.pending.0.push(*byte);
            } else {
                // The last byte may be the first half of a suffix.
                self.pending.clear();
                self.pending.0.push(*byte);
                if !std::mem::replace(&mut self.is_corrupt, true) {
                    lines.extend(self.noise(at));
                }
            }
        }
        self.received_at = at;
        lines
    }

    /// Takes a scan that the scanner itself delivers as one unit. A suffix may still follow the
    /// code.
    pub fn complete(&mut self, bytes: &[u8], at: Uptime) -> Vec<ScanLine> {
        let mut lines: Vec<_> = self.drop_pending(at).into_iter().collect();
        if bytes.len() <= LONGEST {
            self.pending.0.extend_from_slice(bytes);
            lines.extend(self.end(at));
        } else {
            lines.extend(self.noise(at));
        }
        lines
    }

    /// Records a scan of which only a part arrived.
    pub fn partial(&mut self, at: Uptime) -> Option<ScanLine> {
        self.noise(at)
    }

    /// Records that bytes were lost on the way: what follows, up to the next suffix, belongs to no
    /// complete scan.
    pub fn lost(&mut self, at: Uptime) -> Option<ScanLine> {
        self.pending.clear();
        self.is_corrupt = true;
        self.received_at = at;
        self.noise(at)
    }

    /// When to call [`Assembler::tick`] if nothing arrives before.
    pub fn silence_at(&self) -> Option<Uptime> {
        let end = self.has_begun().then(|| self.received_at.after(self.silence()));
        let forget = self.last.as_ref().map(|last| last.at.after(DOUBLE_READ));
        end.into_iter().chain(forget).min()
    }

    /// Handles silence. Early and repeated ticks do nothing.
    pub fn tick(&mut self, now: Uptime) -> Vec<ScanLine> {
        if self.last.as_ref().is_some_and(|last| now.since(last.at) >= DOUBLE_READ) {
            self.last = None;
        }
        if !self.has_begun() || now.since(self.received_at) < self.silence() {
            return Vec::new();
        }
        let ends_scan = match self.suffix {
            Suffix::None => true,
            Suffix::Auto => self.pending.text().is_some_and(|text| is_complete(&text)),
            Suffix::Cr | Suffix::Lf | Suffix::CrLf | Suffix::Tab => false,
        };
        let line = if ends_scan { self.end(now) } else { self.drop_pending(now) };
        line.into_iter().collect()
    }

    /// Forgets everything: the scanner is gone, and what it had begun will not be finished.
    pub fn reset(&mut self) {
        self.pending.clear();
        self.is_corrupt = false;
        self.last = None;
    }

    fn has_begun(&self) -> bool {
        self.is_corrupt || !self.pending.0.is_empty()
    }

    const fn silence(&self) -> Millis {
        match self.suffix {
            Suffix::None => SILENCE_WITHOUT_SUFFIX,
            Suffix::Auto => SILENCE_IN_DOUBT,
            Suffix::Cr | Suffix::Lf | Suffix::CrLf | Suffix::Tab => SILENCE_WITH_SUFFIX,
        }
    }

    fn ends_with(&self, byte: u8) -> bool {
        match self.suffix {
            Suffix::Auto => matches!(byte, b'\r' | b'\n' | b'\t' | ETX | 0),
            Suffix::Cr => byte == b'\r',
            Suffix::Lf => byte == b'\n',
            Suffix::CrLf => byte == b'\n' && self.pending.0.last() == Some(&b'\r'),
            Suffix::Tab => byte == b'\t',
            Suffix::None => false,
        }
    }

    fn end(&mut self, at: Uptime) -> Option<ScanLine> {
        let was_corrupt = std::mem::take(&mut self.is_corrupt);
        if was_corrupt || self.pending.is_blank() {
            self.pending.clear();
            return None;
        }
        let text = self.pending.text();
        self.pending.clear();
        let Some(text) = text else { return self.noise(at) };
        let digest = digest_of(&text);
        let is_double = self
            .last
            .as_ref()
            .is_some_and(|last| last.digest == digest && at.since(last.at) < DOUBLE_READ);
        self.last = Some(Last { digest, at });
        (!is_double).then_some(ScanLine::Text(text))
    }

    fn drop_pending(&mut self, at: Uptime) -> Option<ScanLine> {
        let was_corrupt = std::mem::take(&mut self.is_corrupt);
        let is_noise = !was_corrupt && !self.pending.is_blank();
        self.pending.clear();
        if is_noise { self.noise(at) } else { None }
    }

    fn noise(&mut self, at: Uptime) -> Option<ScanLine> {
        if self.noise_at.is_some_and(|last| at.since(last) < NOISE_PAUSE) {
            return None;
        }
        self.noise_at = Some(at);
        Some(ScanLine::Noise)
    }
}

/// The last scan, remembered only as long as an equal one would be a double read. Only its digest
/// is kept, because it may be a payment code, which has to be gone once the gateway has answered.
#[derive(Debug)]
struct Last {
    digest: [u8; SHA256_OUTPUT_LEN],
    at: Uptime,
}

fn digest_of(text: &str) -> [u8; SHA256_OUTPUT_LEN] {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}

/// Bytes that may be most of a payment code. They never outgrow their allocation, which is wiped.
struct PendingScan(Zeroizing<Vec<u8>>);

impl PendingScan {
    /// Wipes only what is in use. The bytes beyond were wiped before; wiping the full allocation
    /// each time would be slow in a flood of line ends.
    fn clear(&mut self) {
        self.0.as_mut_slice().zeroize();
        self.0.clear();
    }

    fn is_blank(&self) -> bool {
        std::str::from_utf8(&self.0).is_ok_and(|text| text.chars().all(is_blank))
    }

    /// The content, if it is text. GS separates the fields of some codes and is allowed.
    fn text(&self) -> Option<Zeroizing<String>> {
        const GS: char = '\u{1d}';
        let text = std::str::from_utf8(&self.0).ok()?.trim_matches(is_blank);
        let is_text = !text.chars().any(|character| character.is_control() && character != GS);
        is_text.then(|| Zeroizing::new(text.to_owned()))
    }
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\0'
}

impl std::fmt::Debug for PendingScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PendingScan({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CODE: &str = "134567890123456789";
    const OTHER: &str = "101112131415161718";

    fn text(text: &str) -> ScanLine {
        ScanLine::Text(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn every_usual_suffix_ends_a_scan_at_once() {
        for suffix in ["\r", "\n", "\r\n", "\t", "\u{3}", "\0"] {
            let mut assembler = Assembler::new(Suffix::Auto);
            let bytes = format!("\u{2}{CODE}{suffix}");
            assert_eq!(assembler.push(bytes.as_bytes(), Uptime(9)), [text(CODE)], "{suffix:?}");
        }
    }

    #[test]
    fn blanks_of_whatever_alphabet_are_no_scan() {
        for blanks in ["", " ", "\0\0", "\u{b}", "\u{c}", "\u{85}", "\u{3000}\u{2003}"] {
            let mut assembler = Assembler::new(Suffix::Cr);
            let bytes = format!("{blanks}\r{CODE}\r");
            assert_eq!(assembler.push(bytes.as_bytes(), Uptime(9)), [text(CODE)], "{blanks:?}");
        }
    }

    #[test]
    fn two_codes_in_one_burst_are_two_scans_in_their_order() {
        let mut assembler = Assembler::new(Suffix::Auto);
        let lines = assembler.push(format!("{CODE}\r\n{OTHER}\r\n").as_bytes(), Uptime(9));
        assert_eq!(lines, [text(CODE), text(OTHER)]);
    }

    #[test]
    fn a_code_in_pieces_with_long_pauses_comes_out_complete() {
        for suffix in [Suffix::Auto, Suffix::Cr] {
            let mut assembler = Assembler::new(suffix);
            let mut now = Uptime(1000);
            for byte in CODE.bytes() {
                assert_eq!(assembler.push(&[byte], now), []);
                now = now.after(Millis(200));
                assert_eq!(assembler.tick(now), []);
            }
            assert_eq!(assembler.push(b"\r", now), [text(CODE)]);
        }
    }

    #[test]
    fn without_a_suffix_a_complete_code_ends_by_silence() {
        for (suffix, silence) in [(Suffix::Auto, 300), (Suffix::None, 50)] {
            let mut assembler = Assembler::new(suffix);
            assert_eq!(assembler.push(CODE.as_bytes(), Uptime(1000)), []);
            assert_eq!(assembler.silence_at(), Some(Uptime(1000 + silence)));
            assert_eq!(assembler.tick(Uptime(999 + silence)), []);
            assert_eq!(assembler.tick(Uptime(1000 + silence)), [text(CODE)]);
            assert_eq!(assembler.tick(Uptime(9000)), []);
            assert_eq!(assembler.silence_at(), None);
        }
    }

    #[test]
    fn a_partial_code_is_never_joined_to_the_next() {
        for (suffix, silence) in [(Suffix::Auto, 300), (Suffix::CrLf, 1000)] {
            let mut assembler = Assembler::new(suffix);
            assert_eq!(assembler.push(b"13456789", Uptime(0)), []);
            assert_eq!(assembler.tick(Uptime(silence)), [ScanLine::Noise]);
            let lines = assembler.push(format!("{CODE}\r\n").as_bytes(), Uptime(silence));
            assert_eq!(lines, [text(CODE)]);
        }
        let mut assembler = Assembler::new(Suffix::Auto);
        let lines = assembler.push(format!("13456\u{2}{CODE}\u{3}").as_bytes(), Uptime(0));
        assert_eq!(lines, [ScanLine::Noise, text(CODE)]);
    }

    #[test]
    fn what_waited_to_be_read_is_no_silence() {
        for suffix in [Suffix::Auto, Suffix::Cr, Suffix::None] {
            let mut assembler = Assembler::new(suffix);
            assert_eq!(assembler.push(b"13456", Uptime(0)), []);
            // The till was busy; the rest had been waiting to be read all along.
            assert_eq!(assembler.push(&CODE.as_bytes()[5..], Uptime(9000)), []);
            let mut lines =
                assembler.push(if suffix == Suffix::None { b"" } else { b"\r" }, Uptime(9000));
            lines.extend(assembler.tick(Uptime(9050)));
            assert_eq!(lines, [text("134567890123456789")], "{suffix:?}");
        }
    }

    #[test]
    fn what_follows_a_loss_is_no_scan_until_an_end_or_silence() {
        for (suffix, end) in [(Suffix::Auto, "\r"), (Suffix::Cr, "\r"), (Suffix::CrLf, "\r\n")] {
            let mut assembler = Assembler::new(suffix);
            assert_eq!(assembler.push(b"1345", Uptime(2000)), []);
            assert_eq!(assembler.lost(Uptime(2000)), Some(ScanLine::Noise));
            // As long as a payment code, but not one.
            let lines = assembler.push(format!("{CODE}{end}").as_bytes(), Uptime(2000));
            assert_eq!(lines, [], "{suffix:?}");
            let lines = assembler.push(format!("{OTHER}{end}").as_bytes(), Uptime(2000));
            assert_eq!(lines, [text(OTHER)], "{suffix:?}");
        }
        let mut assembler = Assembler::new(Suffix::Auto);
        assembler.lost(Uptime(2000));
        assert_eq!(assembler.silence_at(), Some(Uptime(2300)));
        assert_eq!(assembler.tick(Uptime(2300)), []);
        assert_eq!(assembler.silence_at(), None);
        assert_eq!(assembler.push(format!("{CODE}\r").as_bytes(), Uptime(2400)), [text(CODE)]);
    }

    #[test]
    fn a_flood_ends_by_its_suffix() {
        for (suffix, end) in [(Suffix::CrLf, "\r\n"), (Suffix::Lf, "\n")] {
            let mut assembler = Assembler::new(suffix);
            assert_eq!(assembler.push(&[b'7'; 9000], Uptime(0)), [ScanLine::Noise]);
            let lines = assembler.push(format!("{end}{CODE}{end}").as_bytes(), Uptime(0));
            assert_eq!(lines, [text(CODE)], "{suffix:?}");
        }
    }

    #[test]
    fn an_unplugged_scanner_leaves_nothing_behind() {
        let mut assembler = Assembler::new(Suffix::Auto);
        assert_eq!(assembler.push(b"1345", Uptime(0)), []);
        assembler.reset();
        assert_eq!(assembler.silence_at(), None);
        assert_eq!(assembler.push(b"67890\r", Uptime(10)), [text("67890")]);
    }

    #[test]
    fn a_code_that_stays_in_view_is_one_scan() {
        let mut assembler = Assembler::new(Suffix::Auto);
        let line = format!("{CODE}\r");
        assert_eq!(assembler.push(line.as_bytes(), Uptime(0)), [text(CODE)]);
        for at in [200, 400, 699] {
            assert_eq!(assembler.push(line.as_bytes(), Uptime(at)), []);
        }
        assert_eq!(assembler.push(line.as_bytes(), Uptime(999)), [text(CODE)]);
    }

    #[test]
    fn a_flood_is_bounded_and_named_once() {
        let mut assembler = Assembler::new(Suffix::Auto);
        let mut lines = Vec::new();
        for _ in 0..256 {
            lines.extend(assembler.push(&[b'7'; 4096], Uptime(0)));
        }
        assert_eq!(lines, [ScanLine::Noise]);
        assert!(assembler.pending.0.capacity() <= LONGEST);
        assert_eq!(assembler.push(format!("\r{CODE}\r").as_bytes(), Uptime(50)), [text(CODE)]);
    }

    #[test]
    fn bytes_that_are_no_text_are_noise() {
        let mut assembler = Assembler::new(Suffix::Auto);
        assert_eq!(assembler.push(b"\xff\xfe\r\x1b[2J\r\xff\r", Uptime(0)), [ScanLine::Noise]);
        assert_eq!(assembler.push(b"01\x1d10AB\r", Uptime(0)), [text("01\u{1d}10AB")]);
    }

    #[test]
    fn only_the_named_suffix_ends_a_scan() {
        let mut assembler = Assembler::new(Suffix::CrLf);
        assert_eq!(assembler.push(b"1\r2\t3\n4\r\n", Uptime(0)), [ScanLine::Noise]);
        assert_eq!(assembler.push(b"5\r\n", Uptime(0)), [text("5")]);
        let mut assembler = Assembler::new(Suffix::Cr);
        assert_eq!(assembler.push(b"1\r\n2\r\n", Uptime(0)), [text("1"), text("2")]);
    }

    #[test]
    fn debug_shows_nothing_that_was_scanned() {
        let mut assembler = Assembler::new(Suffix::Auto);
        assembler.push(format!("{CODE}\r{CODE}").as_bytes(), Uptime(0));
        assert!(!format!("{assembler:?}").contains("345"));
    }

    proptest! {
        #[test]
        fn a_code_survives_any_cutting(cuts in prop::collection::vec((1_usize..9, 0_u64..200), 40)) {
            let mut assembler = Assembler::new(Suffix::Auto);
            let stream = format!("{CODE}\r\n{OTHER}\r\n");
            let (mut rest, mut now, mut lines) = (stream.as_bytes(), Uptime(0), Vec::new());
            for (length, pause) in cuts {
                let (piece, left) = rest.split_at(length.min(rest.len()));
                lines.extend(assembler.push(piece, now));
                now = now.after(Millis(pause));
                lines.extend(assembler.tick(now));
                rest = left;
            }
            prop_assert_eq!(lines, [text(CODE), text(OTHER)]);
        }

        #[test]
        fn any_bytes_are_taken(bytes: Vec<u8>, suffix in 0_usize..6) {
            let suffixes =
                [Suffix::Auto, Suffix::Cr, Suffix::Lf, Suffix::CrLf, Suffix::Tab, Suffix::None];
            let mut assembler = Assembler::new(suffixes[suffix]);
            for (count, byte) in bytes.iter().enumerate() {
                assembler.push(&[*byte], Uptime(count as u64 * 40));
            }
            assembler.tick(Uptime(1_000_000));
            prop_assert!(assembler.pending.0.is_empty());
        }
    }
}
