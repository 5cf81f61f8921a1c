//! What a cleaned text may contain, defined a second time without the code's own list: by Unicode's
//! general categories and its list of default ignorable characters.

/// A character that does not control, hide or reorder anything, or break a line.
pub fn is_plain(character: char) -> bool {
    !is_control(character) && !is_ignorable(character) && !is_directing(character)
}

/// `General_Category=Cc`.
fn is_control(character: char) -> bool {
    matches!(u32::from(character), 0..=0x1f | 0x7f..=0x9f)
}

/// `Default_Ignorable_Code_Point`: part of a text, but invisible.
fn is_ignorable(character: char) -> bool {
    matches!(
        u32::from(character),
        0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f
            | 0xfeff | 0xffa0 | 0xfff0..=0xfff8 | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
            | 0xe0000..=0xe0fff
    )
}

/// Line and paragraph separators, and interlinear annotations.
fn is_directing(character: char) -> bool {
    matches!(u32::from(character), 0x2028..=0x2029 | 0xfff9..=0xfffb)
}

#[track_caller]
pub fn assert_plain(text: &str, what: &str) {
    let found = text.chars().find(|character| !is_plain(*character));
    assert!(found.is_none(), "{what}: {found:?} in {text:?}");
}
