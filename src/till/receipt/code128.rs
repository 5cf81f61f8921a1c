//! CODE128, both as an ESC/POS printer expects it and as a picture: the shortest combination of
//! code sets B and C.
//!
//! Set B has one symbol per character, set C one per two digits. In the printer's data, `{` and a
//! letter select a set, and a `{` in the text is doubled (devices 2.3). The data never contains a
//! byte pair that a printer would obey as a command.

use super::Paper;
use crate::order::OutTradeNo;
use crate::picture::Picture;

/// The printer accepts no more bytes in one command.
const LONGEST: usize = 255;
/// Widths of the narrowest bar, in dots, that scanners read well; the best first.
const MODULES: [u8; 2] = [3, 2];
/// The start and check symbols; then the modules of any symbol, and of the stop.
const FRAME_SYMBOLS: usize = 2;
const SYMBOL_MODULES: usize = 11;
const STOP_MODULES: usize = 13;
/// Values of symbols that are not characters.
const TO_C: u8 = 99;
const TO_B: u8 = 100;
const START_B: u8 = 104;
const START_C: u8 = 105;
const STOP: usize = 106;
/// The modulus of the check symbol.
const CHECK: usize = 103;

/// Whether the number's barcode fits the paper. If it does not, receipts are printed without one.
pub fn fits(number: &OutTradeNo, paper: Paper) -> bool {
    Barcode::new(number.as_str()).is_some_and(|barcode| barcode.module(paper).is_some())
}

/// An encoded text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Barcode {
    /// The data for the printer's command.
    pub(super) data: Vec<u8>,
    /// The values of its symbols, including the start and set changes but not the check symbol and
    /// the stop.
    values: Vec<u8>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Set {
    B,
    C,
}

impl Barcode {
    /// `None` if the text is empty, too long, or not printable ASCII.
    pub(super) fn new(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.is_empty() || !text.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            return None;
        }
        let costs = Costs::of(text);
        let mut set = if costs.in_c(0) < costs.in_b(0) { Set::C } else { Set::B };
        let mut data = mark(set).to_vec();
        let mut values = vec![if set == Set::C { START_C } else { START_B }];
        let mut at = 0;
        while at < text.len() {
            let best = costs.best_set(at, set);
            if best != set {
                set = best;
                data.extend(mark(set));
                values.push(if set == Set::C { TO_C } else { TO_B });
            }
            if let Some(value) = pair(text, at).filter(|_| set == Set::C) {
                data.push(value);
                values.push(value);
                at += 2;
            } else {
                data.push(text[at]);
                data.extend((text[at] == b'{').then_some(b'{'));
                values.push(text[at] - b' ');
                at += 1;
            }
        }
        (data.len() <= LONGEST).then_some(Self { data, values })
    }

    /// The widest module, in dots, with which it fits the paper; `None` if even the narrowest does
    /// not.
    pub(super) fn module(&self, paper: Paper) -> Option<u8> {
        MODULES.into_iter().find(|module| self.modules() * usize::from(*module) <= paper.dots())
    }

    fn modules(&self) -> usize {
        SYMBOL_MODULES * (self.values.len() - 1 + FRAME_SYMBOLS) + STOP_MODULES
    }

    /// Draws it with `module` dots per module, without a quiet zone: the paper is white anyway.
    pub(super) fn draw(&self, module: u8, height: usize) -> Picture {
        let module = usize::from(module);
        let mut picture = Picture::white(self.modules() * module, height);
        let weighed = self.values.iter().enumerate();
        let check = weighed.map(|(place, value)| place.max(1) * usize::from(*value)).sum::<usize>();
        let values = self.values.iter().map(|value| usize::from(*value));
        let (mut x, mut is_bar) = (0, true);
        for value in values.chain([check % CHECK, STOP]) {
            for width in PATTERNS[value].bytes().map(|digit| usize::from(digit - b'0') * module) {
                for right in (0..width).filter(|_| is_bar) {
                    (0..height).for_each(|y| picture.blacken(x + right, y));
                }
                x += width;
                is_bar = !is_bar;
            }
        }
        picture
    }
}

/// The widths of every symbol's bars and spaces, in modules, beginning with a bar (ISO/IEC 15417).
const PATTERNS: [&str; 107] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212",
    "221213", "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221",
    "223211", "221132", "221231", "213212", "223112", "312131", "311222", "321122", "321221",
    "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
    "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131",
    "113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131",
    "311123", "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111",
    "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
    "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242",
    "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
    "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
];

const fn mark(set: Set) -> [u8; 2] {
    match set {
        Set::B => *b"{B",
        Set::C => *b"{C",
    }
}

/// The value of two digits in set C.
fn pair(text: &[u8], at: usize) -> Option<u8> {
    let two = text.get(at..at + 2)?;
    // As bytes, these after a 16 would be DLE EOT, DLE ENQ or DLE DC4, which printers obey
    // anywhere: an order taken at 16:20:01 would open the drawer (devices 2.3).
    let is_command = matches!(two, b"04" | b"05" | b"20") && text[..at].ends_with(b"16");
    match two {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] if !is_command => {
            Some((tens - b'0') * 10 + (ones - b'0'))
        }
        _ => None,
    }
}

/// The least number of symbols for the rest of a text, from each position and in each set.
struct Costs(Vec<[usize; 2]>);

impl Costs {
    fn of(text: &[u8]) -> Self {
        let mut costs = Self(vec![[0; 2]; text.len() + 1]);
        for at in (0..text.len()).rev() {
            let stay_in_b = 1 + costs.in_b(at + 1);
            let stay_in_c = pair(text, at).map(|_| 1 + costs.in_c(at + 2));
            let (b, c) = match stay_in_c {
                None => (stay_in_b, 1 + stay_in_b),
                Some(stay_in_c) => (stay_in_b.min(1 + stay_in_c), stay_in_c.min(1 + stay_in_b)),
            };
            costs.0[at] = [b, c];
        }
        costs
    }

    fn in_b(&self, at: usize) -> usize {
        self.0[at][0]
    }

    fn in_c(&self, at: usize) -> usize {
        self.0[at][1]
    }

    /// The set for the next symbol. Changing costs one symbol, so it only happens if the other set
    /// is cheaper by that one.
    fn best_set(&self, at: usize, set: Set) -> Set {
        match set {
            Set::B if self.in_b(at) == 1 + self.in_c(at) => Set::C,
            Set::C if self.in_c(at) == 1 + self.in_b(at) => Set::B,
            stay @ (Set::B | Set::C) => stay,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::paper::code128;
    use super::*;

    fn barcode(text: &str) -> Barcode {
        Barcode::new(text).unwrap()
    }

    #[test]
    fn the_usual_order_number_fits_the_narrow_paper() {
        let number = OutTradeNo::try_from("T01261122113000123456".to_owned()).unwrap();
        let barcode = barcode(number.as_str());
        assert_eq!(barcode.data, b"{BT{C\x01\x1a\x0b\x16\x0b\x1e\x00\x0c\x22\x38");
        assert_eq!(barcode.values.len() - 1, 12);
        assert_eq!((barcode.module(Paper::Mm58), barcode.module(Paper::Mm80)), (Some(2), Some(3)));
        assert!(fits(&number, Paper::Mm58));
    }

    #[test]
    fn what_does_not_fit_is_said_not_to() {
        let letters = OutTradeNo::try_from("ABCDEFGHIJKLMNO".to_owned()).unwrap();
        assert!(!fits(&letters, Paper::Mm58), "15 letters are 400 dots at the least");
        assert!(fits(&letters, Paper::Mm80));
        let fourteen = OutTradeNo::try_from("ABCDEFGHIJKLMN".to_owned()).unwrap();
        assert!(fits(&fourteen, Paper::Mm58));
    }

    #[test]
    fn sets_change_only_where_it_pays() {
        for (text, symbols) in
            [("12", 1), ("123", 3), ("1234", 2), ("A12", 3), ("A1234", 4), ("A12B", 4), ("{", 1)]
        {
            assert_eq!(barcode(text).values.len() - 1, symbols, "{text}");
        }
    }

    #[test]
    fn no_number_holds_a_command_that_is_obeyed_at_once() {
        for pair in ["04", "05", "20"] {
            let number = format!("T0126112216{pair}01000123");
            let data = barcode(&number).data;
            assert!(!data.windows(2).any(|two| two[0] == 0x10 && [4, 5, 0x14].contains(&two[1])));
            assert_eq!(code128(&data), Some(number));
        }
    }

    #[test]
    fn every_pattern_is_of_its_width_and_no_other_symbols() {
        let width =
            |pattern: &str| pattern.bytes().map(|digit| usize::from(digit - b'0')).sum::<usize>();
        assert!(PATTERNS[..STOP].iter().all(|pattern| width(pattern) == SYMBOL_MODULES));
        assert_eq!(width(PATTERNS[STOP]), STOP_MODULES);
        let different: std::collections::BTreeSet<_> = PATTERNS.into_iter().collect();
        assert_eq!(different.len(), PATTERNS.len());
    }

    #[test]
    fn a_picture_is_as_wide_as_was_said_and_begins_and_ends_with_a_bar() {
        let barcode = barcode("T01261122113000123456");
        let picture = barcode.draw(2, 3);
        assert_eq!((picture.width(), picture.height()), (2 * barcode.modules(), 3));
        let row = picture.rows().next().unwrap();
        // Start B is 2 1 1 2 1 4, at two dots per module.
        assert_eq!(row[..3], [0b1111_0011, 0b0000_1100, 0b0000_0011]);
    }

    #[test]
    fn only_printable_ascii_has_a_barcode() {
        for text in ["", "甲", "a\u{1b}", "a\n", &"x".repeat(254)] {
            assert_eq!(Barcode::new(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_can_be_read_back(text in "[ -~]{1,40}|[0-9A-Z]{1,32}|[0-9{]{1,60}|(16|04|05|20){1,20}") {
            let barcode = barcode(&text);
            prop_assert_eq!(code128(&barcode.data), Some(text.clone()));
            prop_assert!(barcode.values.len() - 1 <= text.len());
            let is_command = |two: &[u8]| two[0] == 0x10 && [4, 5, 0x14].contains(&two[1]);
            prop_assert!(!barcode.data.windows(2).any(is_command));
        }
    }
}
