//! Slips as bytes for an ESC/POS printer (devices 2.3 and 2.4).
//!
//! Each part of a layout is printed as the printer's profile allows: by the printer's own fonts and
//! commands, or drawn as a picture. Every page starts with a reset and ends with a cut or feed, so
//! it depends on nothing that was printed before. Text reaches the printer only through [`encode`],
//! so no text can contain a command.

use super::code128::Barcode;
use super::profile::{Abilities, Codes, Profile, TextMode};
use super::{Align, Form, Paper, ReceiptPart, Slip, font, lay_out, lay_out_test, raster};
use crate::config::DrawerPin;
use crate::encode::{encode, is_gb2312};
use crate::language::Language;

/// Double width and height, in both alphabets. A few printers would need `FS !` as well to enlarge
/// Chinese, but printers that do not know it print its operand, so it is not sent.
const LARGE: &[u8] = b"\x1d!\x11";
const NORMAL: &[u8] = b"\x1d!\x00";
/// Suppresses the printer's own text below a barcode; a line of our own is printed there.
const BARCODE: &[u8] = b"\x1dH\x00\x1dh\x50";
const DRAWN_BARCODE_HEIGHT: usize = 64;
/// Model 2, six dots per module, level M.
const QR: &[u8] = b"\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1";
const PRINT_QR: &[u8] = b"\x1d(k\x03\x001Q0";
const QR_MODULE: usize = 6;
/// White rows between drawn lines, and around codes: scanners need four modules.
const LEADING: usize = 8;
const MARGIN: usize = 4 * QR_MODULE;
/// 100 ms on, then 500 ms off.
const PULSE: [u8; 2] = [0x32, 0xfa];

/// The bytes of a slip, from the printer's reset to the cut.
pub fn print(slip: &Slip, form: &Form, language: Language) -> Vec<u8> {
    let by_code = names_the_currency(form, language, slip.is_plain_but_for_the_sign());
    let slip = if by_code { &Slip { symbol: slip.currency.clone(), ..slip.clone() } } else { slip };
    print_page(lay_out(slip, form.paper, language), form)
}

/// Whether the currency stands there as a code. `is_plain`: nothing but its sign needs a font
/// beyond ASCII.
pub(super) fn names_the_currency(form: &Form, language: Language, is_plain: bool) -> bool {
    let has_font = form.profile.abilities().text == TextMode::Font;
    language == Language::English && has_font && is_plain
}

/// The bytes of a page made of these parts, below the shop's logo.
pub(super) fn print_page(parts: Vec<ReceiptPart>, form: &Form) -> Vec<u8> {
    let abilities = form.profile.abilities();
    let mut bytes = abilities.start.to_vec();
    if let Some(logo) = &form.logo {
        put_align(&mut bytes, Align::Centre);
        raster::put(&mut bytes, logo);
        raster::feed(&mut bytes, LEADING);
    }
    for part in parts {
        put(&mut bytes, part, abilities, form.paper);
    }
    bytes.extend(abilities.end);
    bytes
}

/// The bytes of a page made of these parts.
pub(super) fn print_parts(parts: Vec<ReceiptPart>, form: &Form) -> Vec<u8> {
    let abilities = form.profile.abilities();
    let mut bytes = abilities.start.to_vec();
    for part in parts {
        put(&mut bytes, part, abilities, form.paper);
    }
    bytes.extend(abilities.end);
    bytes
}

/// A page that shows what a printer can do, and thus which profile it needs: text by its fonts and
/// as pictures, codes by command and as pictures, the cut.
pub fn test_page(form: &Form) -> Vec<u8> {
    let own = form.profile.abilities();
    // The page is also meant to show whether the printer's font has Chinese.
    let start = match own.text {
        TextMode::Drawn => Profile::Auto.abilities().start,
        TextMode::Font | TextMode::SmallFont => own.start,
    };
    let mut bytes = start.to_vec();
    for (is_drawn, part) in lay_out_test(form) {
        let (text, codes) = if is_drawn {
            (TextMode::Drawn, Codes::Drawn)
        } else {
            (TextMode::Font, Codes::ByCommand)
        };
        put(&mut bytes, part, Abilities { text, codes, ..own }, form.paper);
    }
    bytes.extend(own.end);
    bytes
}

/// Ends whatever a receipt that was cut off may have left in the printer, and cuts the paper. The
/// rest of a picture comes out white.
pub fn terminator(form: &Form) -> Vec<u8> {
    let white = vec![0; raster::LARGEST_BAND];
    [&white, &b"\n\x1b@"[..], form.profile.abilities().end].concat()
}

/// Opens the cash drawer.
pub fn drawer(pin: DrawerPin) -> Vec<u8> {
    let which = match pin {
        DrawerPin::Pin2 => 0,
        DrawerPin::Pin5 => 1,
    };
    [&[0x1b, b'p', which], &PULSE[..]].concat()
}

fn put(bytes: &mut Vec<u8>, part: ReceiptPart, abilities: Abilities, paper: Paper) {
    match part {
        ReceiptPart::Line { text, align, is_large } => {
            put_align(bytes, align);
            let is_drawn = match abilities.text {
                TextMode::Font => false,
                TextMode::SmallFont => !is_gb2312(&text),
                TextMode::Drawn => true,
            };
            if is_drawn {
                draw_line(bytes, &text, is_large);
            } else {
                put_line(bytes, &text, is_large);
            }
        }
        ReceiptPart::Barcode(number) => {
            let Some(barcode) = Barcode::new(&number) else { return };
            let Some(module) = barcode.module(paper) else { return };
            put_align(bytes, Align::Centre);
            match abilities.codes {
                Codes::ByCommand => put_barcode(bytes, &barcode, module),
                Codes::Drawn => {
                    raster::put(bytes, &barcode.draw(module, DRAWN_BARCODE_HEIGHT));
                    raster::feed(bytes, LEADING);
                }
            }
        }
        ReceiptPart::Qr(content) => {
            put_align(bytes, Align::Centre);
            raster::feed(bytes, MARGIN);
            match abilities.codes {
                Codes::ByCommand => put_qr(bytes, &content),
                Codes::Drawn => {
                    if let Some(code) = raster::qr(&content, QR_MODULE) {
                        raster::put(bytes, &code);
                    }
                }
            }
            raster::feed(bytes, MARGIN);
        }
    }
}

fn put_align(bytes: &mut Vec<u8>, align: Align) {
    let number = match align {
        Align::Left => 0,
        Align::Centre => 1,
        Align::Right => 2,
    };
    bytes.extend([0x1b, b'a', number]);
}

fn put_line(bytes: &mut Vec<u8>, text: &str, is_large: bool) {
    if is_large {
        bytes.extend(LARGE);
    }
    bytes.extend(encode(text));
    if is_large {
        bytes.extend(NORMAL);
    }
    bytes.push(b'\n');
}

fn draw_line(bytes: &mut Vec<u8>, text: &str, is_large: bool) {
    raster::put(bytes, &font::draw(text, if is_large { 2 } else { 1 }));
    raster::feed(bytes, LEADING);
}

fn put_barcode(bytes: &mut Vec<u8>, barcode: &Barcode, module: u8) {
    let Ok(length) = u8::try_from(barcode.data.len()) else { return };
    bytes.extend(BARCODE);
    bytes.extend([0x1d, b'w', module]);
    bytes.extend([0x1d, b'k', 73, length]);
    bytes.extend(&barcode.data);
}

fn put_qr(bytes: &mut Vec<u8>, content: &str) {
    let content = encode(content);
    let Ok([low, high]) = u16::try_from(content.len() + 3).map(u16::to_le_bytes) else { return };
    bytes.extend(QR);
    bytes.extend([0x1d, b'(', b'k', low, high, b'1', b'P', b'0']);
    bytes.extend(content);
    bytes.extend(PRINT_QR);
}
