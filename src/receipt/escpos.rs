//! Slips as bytes for an ESC/POS printer in its Chinese mode (devices 2.3 and 2.4).

use super::code128::Barcode;
use super::encode::encode;
use super::{Align, Paper, Part, Slip, lay_out, lay_out_test};
use crate::text::Language;

/// Everything to its state at power-up, Chinese on, and every style off, since some printers keep
/// what the receipt before left.
const START: &[u8] = b"\x1b@\x1c&\x1d!\x00\x1bE\x00\x1b-\x00\x1b3\x20";
/// Clear of the tear bar where there is no cutter, then feed to the cutter and cut.
const END: &[u8] = b"\x1ba\x00\x1bd\x04\x1dVB\x00";
/// Twice as wide and high, in both alphabets. `FS !` would be for the few printers that keep Chinese
/// small after this; printers that do not know it print its operand, so it is not sent.
const LARGE: &[u8] = b"\x1d!\x11";
const NORMAL: &[u8] = b"\x1d!\x00";
/// No text of the printer's own below a barcode: it stands there as a line of ours.
const BARCODE: &[u8] = b"\x1dH\x00\x1dh\x50";
/// Model 2, six dots a module, level M.
const QR: &[u8] = b"\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1";
const PRINT_QR: &[u8] = b"\x1d(k\x03\x001Q0";

/// The bytes of a slip, from the printer's reset to the cut.
pub fn print(slip: &Slip, paper: Paper, language: Language) -> Vec<u8> {
    page(lay_out(slip, paper, language), paper)
}

/// Ends whatever a receipt that stopped in its middle has left in the printer, and cuts it off.
pub fn parting() -> Vec<u8> {
    b"\n\x1b@\x1dVB\x00".to_vec()
}

/// A page to see by what a printer can do: alignment, both scripts, a ruler of its columns, both
/// codes, the cut.
pub fn test_page(paper: Paper, language: Language) -> Vec<u8> {
    page(lay_out_test(paper, language), paper)
}

fn page(parts: Vec<Part>, paper: Paper) -> Vec<u8> {
    let mut bytes = START.to_vec();
    for part in parts {
        match part {
            Part::Line { text, align, is_large } => {
                put_align(&mut bytes, align);
                if is_large {
                    bytes.extend(LARGE);
                }
                bytes.extend(encode(&text));
                if is_large {
                    bytes.extend(NORMAL);
                }
                bytes.push(b'\n');
            }
            Part::Barcode(number) => put_barcode(&mut bytes, &number, paper),
            Part::Qr(content) => put_qr(&mut bytes, &content),
        }
    }
    bytes.extend(END);
    bytes
}

fn put_align(bytes: &mut Vec<u8>, align: Align) {
    let number = match align {
        Align::Left => 0,
        Align::Centre => 1,
        Align::Right => 2,
    };
    bytes.extend([0x1b, b'a', number]);
}

fn put_barcode(bytes: &mut Vec<u8>, number: &str, paper: Paper) {
    let Some(barcode) = Barcode::new(number) else { return };
    let (Some(module), Ok(length)) = (barcode.module(paper), u8::try_from(barcode.data.len()))
    else {
        return;
    };
    put_align(bytes, Align::Centre);
    bytes.extend(BARCODE);
    bytes.extend([0x1d, b'w', module]);
    bytes.extend([0x1d, b'k', 73, length]);
    bytes.extend(barcode.data);
}

fn put_qr(bytes: &mut Vec<u8>, content: &str) {
    let content = encode(content);
    let Ok([low, high]) = u16::try_from(content.len() + 3).map(u16::to_le_bytes) else { return };
    put_align(bytes, Align::Centre);
    bytes.extend(QR);
    bytes.extend([0x1d, b'(', b'k', low, high, b'1', b'P', b'0']);
    bytes.extend(content);
    bytes.extend(PRINT_QR);
}
