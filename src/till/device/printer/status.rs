//! What a printer reports about itself (devices 2.5): separates the answers in one stream of bytes,
//! and interprets them.
//!
//! Pure, and total: any bytes may come in any pieces. A fragment or noise never makes the parser
//! misread two complete answers that follow.

use crate::clean::clean;

/// `DLE EOT n`, answered by one byte immediately, whatever the printer is doing.
pub const QUESTIONS: [[u8; 3]; 4] = [[0x10, 4, 1], [0x10, 4, 2], [0x10, 4, 3], [0x10, 4, 4]];
/// `GS r 1`, answered once everything before it was carried out, and not while the printer is
/// stopped.
pub const SYNC_POINT: [u8; 3] = [0x1d, b'r', 1];
/// `GS a`: report every change from now on. A reset ends it.
pub const REPORT_CHANGES: [u8; 3] = [0x1d, b'a', 0x0f];
/// `GS I 67`: the model name.
pub const MODEL: [u8; 3] = [0x1d, b'I', 67];

/// Blocks are names and numbers; anything longer is noise.
const LONGEST_BLOCK: usize = 80;
const NAME_CELLS: usize = 40;
const XON: u8 = 0x11;
const XOFF: u8 = 0x13;
const PRINT_END: u8 = 0x37;
const NAME: u8 = 0x5f;
const OTHER_BLOCK: u8 = 0x3d;

/// `GS ( H` function 48: answered with the same four characters once everything before it is on
/// paper.
pub fn ask_when_printed(id: [u8; 4]) -> [u8; 11] {
    let [a, b, c, d] = id;
    [0x1d, b'(', b'H', 6, 0, b'0', b'0', a, b, c, d]
}

/// Something a printer said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrinterAnswer {
    /// To one of the [`QUESTIONS`]; only the asker knows which.
    RealTime(u8),
    /// Unasked, after [`REPORT_CHANGES`].
    Automatic([u8; 4]),
    /// To [`SYNC_POINT`].
    Passed(u8),
    /// To [`ask_when_printed`].
    Printed([u8; 4]),
    /// To [`MODEL`], cleaned.
    Name(String),
}

/// Assembles answers from bytes.
#[derive(Clone, Debug, Default)]
pub struct StatusParser {
    /// A block or an automatic status that is not complete yet.
    held: Vec<u8>,
}

impl StatusParser {
    /// Takes the next byte and returns the answer that it completes. Anything else is dropped.
    pub fn push(&mut self, byte: u8) -> Option<PrinterAnswer> {
        // Flow control may come between any two bytes.
        if matches!(byte, XON | XOFF) {
            return None;
        }
        match self.held.first().copied() {
            None => self.begin(byte),
            Some(PRINT_END | NAME | OTHER_BLOCK) => match byte {
                0 => block(&std::mem::take(&mut self.held)),
                b' '..=b'~' if self.held.len() < LONGEST_BLOCK => {
                    self.held.push(byte);
                    None
                }
                _ => self.begin(byte),
            },
            Some(_) if byte & 0x90 == 0 => {
                self.held.push(byte);
                let whole = <[u8; 4]>::try_from(self.held.as_slice()).ok()?;
                self.held.clear();
                Some(PrinterAnswer::Automatic(whole))
            }
            Some(_) => self.begin(byte),
        }
    }

    fn begin(&mut self, byte: u8) -> Option<PrinterAnswer> {
        self.held.clear();
        match byte {
            PRINT_END | NAME | OTHER_BLOCK => self.held.push(byte),
            _ if byte & 0x93 == 0x10 => self.held.push(byte),
            _ if byte & 0x93 == 0x12 => return Some(PrinterAnswer::RealTime(byte)),
            _ if byte & 0x90 == 0 => return Some(PrinterAnswer::Passed(byte)),
            _ => {}
        }
        None
    }
}

fn block(held: &[u8]) -> Option<PrinterAnswer> {
    match held {
        [PRINT_END, 0x22, id @ ..] => id.try_into().ok().map(PrinterAnswer::Printed),
        [NAME, name @ ..] => {
            let name = clean(&String::from_utf8_lossy(name), NAME_CELLS);
            (!name.is_empty()).then_some(PrinterAnswer::Name(name))
        }
        _ => None,
    }
}

/// Why a printer is not printing, ordered by what to fix first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum Trouble {
    #[error("its cover is open")]
    CoverOpen,
    #[error("it has no paper")]
    PaperOut,
    #[error("its cutter is stuck")]
    Cutter,
    #[error("it has a fault that it cannot recover from")]
    Broken,
    #[error("its head is too hot")]
    HeadHot,
    #[error("it has a fault")]
    Error,
    #[error("its feed button is pressed")]
    FeedButton,
    #[error("it is off line")]
    Offline,
}

/// The latest answers to the four [`QUESTIONS`], or what they would have been.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PrinterStatus([u8; 4]);

impl Default for PrinterStatus {
    /// All is well.
    fn default() -> Self {
        Self([WELL; 4])
    }
}

const WELL: u8 = 0x12;

impl PrinterStatus {
    /// Records an answer; `question` is its index in [`QUESTIONS`].
    pub fn answered(&mut self, question: usize, byte: u8) {
        if let Some(known) = self.0.get_mut(question) {
            *known = byte;
        }
    }

    /// Records an automatic status: the same bits in other places.
    pub fn learn_automatic(&mut self, [first, second, third, _]: [u8; 4]) {
        let put = |byte: u8, mask: u8, bits: u8| if byte & mask == 0 { 0 } else { bits };
        let error = put(second, 0b0110_1100, 1 << 6);
        self.0 = [
            WELL | (first & 0b1100) | put(second, 1, 1 << 5) | put(second, 2, 1 << 6),
            WELL | put(first, 1 << 5, 1 << 2)
                | put(first, 1 << 6, 1 << 3)
                | put(third, 0b1100, 1 << 5)
                | error,
            WELL | (second & 0b0110_1100),
            WELL | put(third, 0b0011, 0b1100) | put(third, 0b1100, 0b110_0000),
        ];
    }

    /// Why it is not printing now.
    pub fn trouble(self) -> Option<Trouble> {
        let [printer, offline, error, paper] = self.0;
        let has = |byte: u8, bit: u8| byte & (1 << bit) != 0;
        let troubles = [
            (has(offline, 2), Trouble::CoverOpen),
            (has(offline, 5) || paper & 0b110_0000 != 0, Trouble::PaperOut),
            (has(error, 3), Trouble::Cutter),
            (has(error, 5), Trouble::Broken),
            (has(error, 6), Trouble::HeadHot),
            (has(error, 2) || has(offline, 6), Trouble::Error),
            (has(offline, 3) || has(printer, 6), Trouble::FeedButton),
            (has(printer, 3) || has(printer, 5), Trouble::Offline),
        ];
        troubles.into_iter().find_map(|(is_so, trouble)| is_so.then_some(trouble))
    }

    /// Each question has the same answer, and not that all is well: a clone with a constant byte.
    pub fn is_one_byte(self) -> bool {
        let Self([first, rest @ ..]) = self;
        first != WELL && rest.iter().all(|byte| *byte == first)
    }

    /// The paper is running low; printing continues as before.
    pub fn is_paper_low(self) -> bool {
        self.0[3] & 0b1100 != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(bytes: &[u8]) -> Vec<PrinterAnswer> {
        let mut parser = StatusParser::default();
        bytes.iter().filter_map(|byte| parser.push(*byte)).collect()
    }

    fn status(answers: [u8; 4]) -> PrinterStatus {
        let mut status = PrinterStatus::default();
        for (question, byte) in answers.into_iter().enumerate() {
            status.answered(question, byte);
        }
        status
    }

    #[test]
    fn answers_are_told_apart_in_one_stream() {
        let stream = b"\x12\x11\x10\x00\x13\x00\x00\x5fTM-T20III\x00\x1e\x37\x22 !0~\x00\x0f";
        let expected = [
            PrinterAnswer::RealTime(0x12),
            PrinterAnswer::Automatic([0x10, 0, 0, 0]),
            PrinterAnswer::Name("TM-T20III".to_owned()),
            PrinterAnswer::RealTime(0x1e),
            PrinterAnswer::Printed(*b" !0~"),
            PrinterAnswer::Passed(0x0f),
        ];
        assert_eq!(heard(stream), expected);
    }

    #[test]
    fn what_was_cut_off_takes_nothing_with_it() {
        assert_eq!(heard(b"\x10\x00\x12"), [PrinterAnswer::RealTime(0x12)]);
        assert_eq!(heard(b"\x10\x00\x10\0\0\0"), [PrinterAnswer::Automatic([0x10, 0, 0, 0])]);
        assert_eq!(heard(b"\x37\x22ab\x12"), [PrinterAnswer::RealTime(0x12)]);
        assert_eq!(heard(b"\x5f\xff\x5fA\0"), [PrinterAnswer::Name("A".to_owned())]);
        assert_eq!(heard(b"\x3dtext\x00\x5f\x00"), []);
        let endless = [&[NAME][..], &[b'x'; 200]].concat();
        assert!(!heard(&endless).iter().any(|answer| matches!(answer, PrinterAnswer::Name(_))));
    }

    #[test]
    fn a_well_printer_has_no_trouble() {
        for well in [[0x12; 4], [0x16, 0x12, 0x12, 0x12], [0x12, 0x12, 0x12, 0x1e]] {
            assert_eq!(status(well).trouble(), None, "{well:x?}");
        }
        assert!(status([0x12, 0x12, 0x12, 0x1e]).is_paper_low());
        assert!(!status([0x12; 4]).is_paper_low());
    }

    #[test]
    fn each_cause_has_its_name() {
        for (answers, trouble) in [
            ([0x1a, 0x32, 0x12, 0x7e], Trouble::PaperOut),
            ([0x12, 0x12, 0x12, 0x72], Trouble::PaperOut),
            ([0x1a, 0x16, 0x12, 0x12], Trouble::CoverOpen),
            ([0x1a, 0x36, 0x12, 0x7e], Trouble::CoverOpen),
            ([0x1a, 0x52, 0x1a, 0x12], Trouble::Cutter),
            ([0x1a, 0x52, 0x32, 0x12], Trouble::Broken),
            ([0x1a, 0x52, 0x52, 0x12], Trouble::HeadHot),
            ([0x1a, 0x52, 0x16, 0x12], Trouble::Error),
            ([0x1a, 0x52, 0x12, 0x12], Trouble::Error),
            ([0x1a, 0x1a, 0x12, 0x12], Trouble::FeedButton),
            ([0x52, 0x12, 0x12, 0x12], Trouble::FeedButton),
            ([0x1a, 0x12, 0x12, 0x12], Trouble::Offline),
            ([0x32, 0x12, 0x12, 0x12], Trouble::Offline),
        ] {
            assert_eq!(status(answers).trouble(), Some(trouble), "{answers:x?}");
        }
    }

    #[test]
    fn an_automatic_status_says_the_same() {
        for (learn_automatic, trouble, is_low) in [
            ([0x10, 0, 0, 0], None, false),
            ([0x14, 0, 0x03, 0], None, true),
            ([0x18, 0, 0x0f, 0], Some(Trouble::PaperOut), true),
            ([0x38, 0, 0, 0], Some(Trouble::CoverOpen), false),
            ([0x18, 0x08, 0, 0], Some(Trouble::Cutter), false),
            ([0x18, 0x20, 0, 0], Some(Trouble::Broken), false),
            ([0x18, 0x40, 0, 0], Some(Trouble::HeadHot), false),
            ([0x18, 0x04, 0, 0], Some(Trouble::Error), false),
            ([0x58, 0, 0, 0], Some(Trouble::FeedButton), false),
            ([0x18, 0, 0, 0], Some(Trouble::Offline), false),
            ([0x10, 0x01, 0, 0], Some(Trouble::Offline), false),
        ] {
            let mut status = PrinterStatus::default();
            status.learn_automatic(learn_automatic);
            assert_eq!(
                (status.trouble(), status.is_paper_low()),
                (trouble, is_low),
                "{learn_automatic:x?}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_came_before_two_complete_answers_are_heard(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            // The first of the two ends whatever the noise began.
            let answers = heard(&[&noise[..], b"\x12\x1a\x37\x220001\x00"].concat());
            let end = &answers[answers.len() - 2..];
            prop_assert_eq!(end, [PrinterAnswer::RealTime(0x1a), PrinterAnswer::Printed(*b"0001")]);
            prop_assert!(answers.len() <= noise.len() + 3);
        }

        #[test]
        fn flow_control_changes_nothing(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            places in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let quiet: Vec<u8> = bytes.into_iter().filter(|byte| ![XON, XOFF].contains(byte)).collect();
            let mut busy = quiet.clone();
            for place in places {
                busy.insert(place.index(busy.len() + 1), XOFF);
            }
            prop_assert_eq!(heard(&quiet), heard(&busy));
        }
    }
}
