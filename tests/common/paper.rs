//! A receipt printer that reads bytes by the commands of devices 2.3 and knows nothing of the code
//! that made them; any other byte stops it.

use std::fmt::Write as _;

use encoding_rs::GB18030;
use fast_qr::{ECL, QRBuilder};

/// The command that ends a receipt.
pub const CUT: &[u8] = b"\x1dVB\0";
/// Dots of one module of a code in the picture that is read back.
const MODULE: usize = 4;
/// Modules of white around it.
const MARGIN: usize = 4;

/// What came out of the printer.
#[derive(Debug, Default)]
pub struct Receipt {
    /// Lines of text, without the blanks around them.
    pub lines: Vec<String>,
    /// What a scanner reads from the barcodes.
    pub barcodes: Vec<String>,
    /// What a phone reads from the QR codes.
    pub qr_codes: Vec<String>,
    pub cuts: usize,
}

impl Receipt {
    pub fn print(bytes: &[u8]) -> Self {
        let mut printer = Printer::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = printer.step(rest);
        }
        assert!(printer.line.is_empty(), "everything was printed");
        printer.receipt
    }

    pub fn has(&self, line: &str) -> bool {
        self.lines.iter().any(|printed| printed == line)
    }
}

#[derive(Default)]
struct Printer {
    line: Vec<u8>,
    is_chinese: bool,
    stored: Vec<u8>,
    receipt: Receipt,
}

impl Printer {
    /// Takes one command or character, and gives the bytes after it.
    fn step<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        match bytes {
            [0x1b, b'@', rest @ ..] => {
                *self = Self { receipt: std::mem::take(&mut self.receipt), ..Self::default() };
                rest
            }
            [0x1c, b'&', rest @ ..] => {
                self.is_chinese = true;
                rest
            }
            [0x1d, b'!' | b'H' | b'h' | b'w', _, rest @ ..]
            | [0x1b, b'E' | b'-' | b'3' | b'a' | b'd' | b'J', _, rest @ ..] => rest,
            [0x1d, b'k', 73, length, rest @ ..] => {
                let (data, rest) = rest.split_at(usize::from(*length));
                self.receipt.barcodes.push(code128(data));
                rest
            }
            [0x1d, b'(', b'k', low, high, rest @ ..] => {
                let (command, rest) = rest.split_at(usize::from(u16::from_le_bytes([*low, *high])));
                match command {
                    [b'1', b'P', b'0', data @ ..] => self.stored = data.to_vec(),
                    [b'1', b'Q', b'0'] => self.receipt.qr_codes.push(qr(&self.stored)),
                    [b'1', b'A' | b'C' | b'E', ..] => {}
                    other => panic!("no QR command: {other:x?}"),
                }
                rest
            }
            [0x1d, b'V', b'B', 0, rest @ ..] => {
                self.receipt.cuts += 1;
                rest
            }
            [b'\n', rest @ ..] => {
                let (text, _, had_errors) = GB18030.decode(&self.line);
                assert!(!had_errors, "{:x?}", self.line);
                self.receipt.lines.push(text.trim().to_owned());
                self.line.clear();
                rest
            }
            // It means nothing, but for a picture that is not complete.
            [0, rest @ ..] => rest,
            [byte @ b' '..=b'~', rest @ ..] => {
                self.line.push(*byte);
                rest
            }
            [first @ 0x81..=0xfe, second @ 0x40..=0xfe, rest @ ..] => {
                assert!(self.is_chinese);
                self.line.extend([*first, *second]);
                rest
            }
            other => panic!("no command: {:x?}", &other[..other.len().min(8)]),
        }
    }
}

fn code128(data: &[u8]) -> String {
    let mut bytes = data.iter().copied();
    let (mut set, mut text) = (b' ', String::new());
    while let Some(byte) = bytes.next() {
        match (set, byte) {
            (_, b'{') => set = bytes.next().filter(|set| b"BC".contains(set)).unwrap(),
            (b'B', b' '..=b'~') => text.push(char::from(byte)),
            (b'C', 0..=99) => write!(text, "{byte:02}").unwrap(),
            _ => panic!("{byte:#x} in set {set:#x} of {data:?}"),
        }
    }
    text
}

/// Draws a code as the printer does, and reads the picture.
fn qr(content: &[u8]) -> String {
    let code = QRBuilder::new(content).ecl(ECL::M).build().unwrap();
    let side = (code.size + 2 * MARGIN) * MODULE;
    let place = |at: usize| (at / MODULE).checked_sub(MARGIN).filter(|at| *at < code.size);
    let is_dark =
        |x: usize, y: usize| place(x).zip(place(y)).is_some_and(|(x, y)| code[y][x].value());
    let shade = |x, y| if is_dark(x, y) { 0 } else { 255 };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, shade);
    picture.detect_grids()[0].decode().unwrap().1
}
