//! All that a printer may be sent, as an automaton: the till's own commands with their arguments,
//! ASCII, and the two-byte characters of GB18030. Every other byte is refused where it stands.

/// Rows of a picture that are sent at once, and bytes of one on the widest paper.
const LONGEST_BAND: usize = 24;
const WIDEST_ROW: usize = 72;
/// The longest content of one QR code or barcode.
const LONGEST_CODE: usize = 64;

/// What a stream was made of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    pub commands: usize,
    /// ASCII and Chinese.
    pub characters: usize,
    pub codes: usize,
    pub pictures: usize,
    pub cuts: usize,
}

/// Reads a stream from a reset to its end, or says what does not belong there.
pub fn read(bytes: &[u8]) -> Result<Tally, String> {
    // Obeyed wherever they stand: questions, recovery, the drawer.
    if let Some(at) = bytes.windows(2).position(|two| matches!(two, [0x10, 4 | 5 | 0x14])) {
        return Err(format!("a command within others at byte {at}"));
    }
    let mut tally = Tally::default();
    let (mut rest, mut is_reset) = (bytes, false);
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let shown = &rest[..rest.len().min(12)];
        let refused = |what: &str| Err(format!("{what} at byte {at}: {shown:x?}"));
        if !is_reset && !rest.starts_with(b"\x1b@") {
            return refused("nothing may come before the reset");
        }
        is_reset = true;
        if let Some(length) = text(rest) {
            tally.characters += 1;
            rest = &rest[length..];
        } else if let Some(length) = command(rest) {
            tally.commands += 1;
            rest = &rest[length..];
        } else if let Some((length, data)) = code(rest) {
            if data.len() > LONGEST_CODE {
                return refused("a code that is too long");
            }
            tally.codes += 1;
            rest = &rest[length..];
        } else if let Some(length) = picture(rest) {
            tally.pictures += 1;
            rest = &rest[length..];
        } else if rest.starts_with(b"\x1dVB\0") {
            tally.cuts += 1;
            rest = &rest[4..];
        } else {
            return refused("no text and no command of ours");
        }
    }
    Ok(tally)
}

/// One character, or the end of a line.
fn text(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\n' | b' '..=b'~', ..] => Some(1),
        [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, ..] => Some(2),
        _ => None,
    }
}

/// A command that prints nothing by itself.
fn command(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x1b, b'@', ..] | [0x1c, b'&', ..] => Some(2),
        // Size, bold, underline, line height, alignment, feed.
        [0x1d, b'!', 0x00 | 0x11, ..]
        | [0x1b, b'E' | b'-', 0, ..]
        | [0x1b, b'3', 0x20, ..]
        | [0x1b, b'a', 0..=2, ..]
        | [0x1b, b'd', 4 | 5, ..]
        | [0x1b, b'J', 1..=0xff, ..]
        // The barcode's text, height, and bars.
        | [0x1d, b'H', 0, ..]
        | [0x1d, b'h', 0x50, ..]
        | [0x1d, b'w', 2 | 3, ..] => Some(3),
        // The QR code's model, size of its dots, and level.
        [0x1d, b'(', b'k', 4, 0, b'1', b'A', b'2', 0, ..] => Some(9),
        [0x1d, b'(', b'k', 3, 0, b'1', b'C', 6, ..]
        | [0x1d, b'(', b'k', 3, 0, b'1', b'E', b'1', ..]
        | [0x1d, b'(', b'k', 3, 0, b'1', b'Q', b'0', ..] => Some(8),
        _ => None,
    }
}

/// A band of a picture.
fn picture(bytes: &[u8]) -> Option<usize> {
    let [0x1d, b'v', b'0', 0, across, 0, down, 0, rest @ ..] = bytes else { return None };
    let (across, down) = (usize::from(*across), usize::from(*down));
    let is_small = (1..=WIDEST_ROW).contains(&across) && (1..=LONGEST_BAND).contains(&down);
    (is_small && rest.len() >= across * down).then_some(8 + across * down)
}

/// A barcode or the content of a QR code: its length and its data.
fn code(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (head, length) = match bytes {
        [0x1d, b'k', 73, length, ..] => (4, usize::from(*length)),
        [0x1d, b'(', b'k', low, high, b'1', b'P', b'0', ..] => {
            (8, usize::from(u16::from_le_bytes([*low, *high])).checked_sub(3)?)
        }
        _ => return None,
    };
    let data = bytes.get(head..head + length)?;
    let is_plain = match bytes[1] {
        // Set B has printable ASCII, set C pairs of digits as numbers up to 99.
        b'k' => is_code128(data),
        _ => data.iter().all(|byte| *byte == b' ' || byte.is_ascii_alphanumeric()),
    };
    (is_plain && !data.is_empty()).then_some((head + length, data))
}

fn is_code128(data: &[u8]) -> bool {
    let (mut rest, mut set) = (data, None);
    while let Some((first, more)) = rest.split_first() {
        match (set, first, more) {
            (_, b'{', [mark @ (b'B' | b'C'), more @ ..]) => {
                set = Some(*mark);
                rest = more;
            }
            (Some(b'B'), b'{', [b'{', more @ ..]) => rest = more,
            (Some(b'B'), b' '..=b'z' | b'|'..=b'~', _) | (Some(b'C'), 0..=99, _) => rest = more,
            _ => return false,
        }
    }
    set.is_some()
}
