//! DER, the form of certificates, as far as they are read here: one element after another (X.690).

/// A list of elements.
pub const SEQUENCE: u8 = 0x30;
/// In front of a certificate's version, which may be left out.
pub const VERSION: u8 = 0xa0;

/// The content of an element of this kind, and what follows it.
pub fn expect(kind: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(tag, ..)| *tag == kind).map(|(_, content, rest)| (content, rest))
}

/// The tag, the content and the rest.
pub fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
