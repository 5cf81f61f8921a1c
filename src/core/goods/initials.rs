//! The first letter of each syllable, as people type Chinese names: 可口可乐 is `kkkl`.
//!
//! The common half of GB2312 is in the order of its pinyin, so that the place of a character says
//! its initial. Of the rare half those that stand on goods are listed. What has two readings is found
//! by either.

use std::sync::LazyLock;

use encoding_rs::GBK;

/// Where in GB2312 the characters of each initial begin.
const BEGINNINGS: [(u16, char); 23] = [
    (0xb0a1, 'a'),
    (0xb0c5, 'b'),
    (0xb2c1, 'c'),
    (0xb4ee, 'd'),
    (0xb6ea, 'e'),
    (0xb7a2, 'f'),
    (0xb8c1, 'g'),
    (0xb9fe, 'h'),
    (0xbbf7, 'j'),
    (0xbfa6, 'k'),
    (0xc0ac, 'l'),
    (0xc2e8, 'm'),
    (0xc4c3, 'n'),
    (0xc5b6, 'o'),
    (0xc5be, 'p'),
    (0xc6da, 'q'),
    (0xc8bb, 'r'),
    (0xc8f6, 's'),
    (0xcbfa, 't'),
    (0xcdda, 'w'),
    (0xcef4, 'x'),
    (0xd1b9, 'y'),
    (0xd4d1, 'z'),
];
/// The last of them.
const END: u16 = 0xd7f9;

/// Of the rare half, what is found on goods.
const RARE: [(char, &str); 21] = [
    ('a', "鹌桉"),
    ('b', "荸菝鲅钣"),
    ('c', "鲳橙虿莼蛏醇茬瓷"),
    ('d', "笃玳嘟柢"),
    ('e', "莪萼"),
    ('f', "酚砜榧鲂"),
    ('g', "蛤枸胍鳜珙橄"),
    ('h', "蚝荟嗬琥"),
    ('j', "荠芨鲫菁胫蕨缣椒"),
    ('k', "蔻奎"),
    ('l', "榴莅莉鲈蜊芦鲢醪莨椤醴琉"),
    ('m', "猕茉馍酶蘑藦"),
    ('n', "柠萘鲶鲇"),
    ('p', "枇杷粑蒲蓬"),
    ('q', "芡蜞芩麒荞"),
    ('s', "鲨蛳薯芍虱"),
    ('t', "饨茼鲐萄酞"),
    ('w', "莴薇薏娓"),
    ('x', "鳕蟹荇蓿醒馐"),
    ('y', "鱿柚薏鳐饴莜茵"),
    ('z', "榨粽蔗糌芷榛馇"),
];

/// Characters with another reading, and its initial.
const ALSO: [(char, char); 27] = [
    ('重', 'c'),
    ('长', 'z'),
    ('乐', 'y'),
    ('行', 'h'),
    ('藏', 'z'),
    ('单', 's'),
    ('朝', 'z'),
    ('调', 't'),
    ('会', 'k'),
    ('曾', 'z'),
    ('弹', 't'),
    ('车', 'j'),
    ('厦', 'x'),
    ('茄', 'j'),
    ('参', 's'),
    ('卡', 'q'),
    ('仔', 'z'),
    ('石', 'd'),
    ('贾', 'g'),
    ('盛', 'c'),
    ('洗', 'x'),
    ('核', 'h'),
    ('系', 'j'),
    ('合', 'g'),
    ('奇', 'j'),
    ('薄', 'b'),
    ('校', 'j'),
];
/// The first and the last Chinese character.
const CHINESE: (char, char) = ('\u{4e00}', '\u{9fff}');
/// The initial of each of them, worked out once: a search asks for a million.
static INITIALS: LazyLock<Vec<Option<char>>> =
    LazyLock::new(|| (CHINESE.0..=CHINESE.1).map(of_chinese).collect());
/// So many spellings of one name, at most.
const MOST_SPELLINGS: usize = 8;

/// The initials of a name, in every reading: letters and digits as they are, in lower case, a letter
/// for each Chinese character, and nothing for the rest.
pub fn initials(name: &str) -> Vec<String> {
    let mut spellings = vec![String::new()];
    for character in name.chars() {
        let Some(first) = initial(character) else { continue };
        let also = ALSO.iter().find(|(known, _)| *known == character).map(|(_, also)| *also);
        let also = also.filter(|also| *also != first && spellings.len() < MOST_SPELLINGS);
        let others: Vec<String> = also.map_or_else(Vec::new, |also| {
            spellings.iter().map(|spelling| format!("{spelling}{also}")).collect()
        });
        for spelling in &mut spellings {
            spelling.push(first);
        }
        spellings.extend(others);
    }
    spellings
}

fn initial(character: char) -> Option<char> {
    if character.is_ascii_alphanumeric() {
        return Some(character.to_ascii_lowercase());
    }
    let place = u32::from(character).checked_sub(u32::from(CHINESE.0))?;
    INITIALS.get(usize::try_from(place).ok()?).copied().flatten()
}

fn of_chinese(character: char) -> Option<char> {
    let mut buffer = [0; 4];
    let (bytes, _, has_failed) = GBK.encode(character.encode_utf8(&mut buffer));
    let place = match bytes[..] {
        [high, low] if !has_failed => u16::from_be_bytes([high, low]),
        _ => 0,
    };
    if (BEGINNINGS[0].0..=END).contains(&place) && place & 0xff >= 0xa1 {
        let found = BEGINNINGS.iter().rev().find(|(begins, _)| place >= *begins);
        return found.map(|(_, initial)| *initial);
    }
    RARE.iter().find(|(_, all)| all.contains(character)).map(|(initial, _)| *initial)
}
