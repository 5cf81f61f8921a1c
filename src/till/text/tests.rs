//! The rules of writing, checked on every catalogue.

use super::copies::CopyWords;
use super::customer_view::CustomerViewWords;
use super::device::LearnWords;
use super::display::DisplayWords;
use super::evidence::EvidenceWords;
use super::find::FindWords;
use super::goods::GoodsWords;
use super::operators::OperatorsWords;
use super::print_test::PrintTestWords;
use super::receipt::ReceiptWords;
use super::reconcile::ReconcileWords;
use super::screen::{
    BillPageWords, CodeWords, FindPageWords, GoodsPageWords, HelpWords, LockWords, NoteWords,
    ScreenWords,
};
use super::voice::VoiceWords;

/// The texts that cashiers and customers read.
fn at_the_counter() -> Vec<[&'static str; 2]> {
    [
        ScreenWords::all(),
        NoteWords::all(),
        HelpWords::all(),
        FindPageWords::all(),
        GoodsPageWords::all(),
        LockWords::all(),
        BillPageWords::all(),
        CodeWords::all(),
        ReceiptWords::all(),
        CustomerViewWords::all(),
        VoiceWords::all(),
        DisplayWords::all(),
    ]
    .concat()
}

fn everything() -> Vec<[&'static str; 2]> {
    [
        at_the_counter(),
        LearnWords::all(),
        PrintTestWords::all(),
        CopyWords::all(),
        EvidenceWords::all(),
        OperatorsWords::all(),
        GoodsWords::all(),
        FindWords::all(),
        ReconcileWords::all(),
    ]
    .concat()
}

fn is_chinese(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}

#[test]
fn a_sentence_ends_as_one_in_both_languages() {
    for [english, chinese] in everything() {
        let ends = english.ends_with('.');
        assert_eq!(ends, chinese.ends_with(['。', '…']), "{english} {chinese}");
        let asks = english.ends_with('?');
        assert_eq!(asks, chinese.ends_with('？'), "{english} {chinese}");
    }
}

#[test]
fn chinese_has_marks_of_its_own() {
    for [_, chinese] in everything() {
        assert!(!chinese.contains(['「', '」', '\'', '‘', '’']), "{chinese}");
        let letters: Vec<char> = chinese.chars().collect();
        for pair in letters.windows(2) {
            let is_half = is_chinese(pair[0]) && ",.:;?!()".contains(pair[1]);
            assert!(!is_half, "{chinese}");
        }
    }
}

#[test]
fn both_languages_name_the_same_values() {
    let values = |text: &str| {
        let pieces = text.split('{').skip(1).filter_map(|piece| piece.split('}').next());
        let mut names: Vec<String> = pieces.map(str::to_owned).collect();
        names.sort();
        names
    };
    for [english, chinese] in everything() {
        assert_eq!(values(english), values(chinese), "{english} {chinese}");
    }
}

#[test]
fn one_thing_has_one_word_at_the_counter() {
    let unwanted =
        ["withdraw", "gateway", "give up", "goods barcode", "网关", "账本", "培训", "放弃", "重打"];
    for text in at_the_counter().concat() {
        for word in unwanted {
            assert!(!text.to_lowercase().contains(word), "{text}");
        }
    }
}

#[test]
fn the_display_has_room_for_its_words() {
    use unicode_width::UnicodeWidthStr as _;
    for text in DisplayWords::all().concat() {
        assert!(text.width() <= 20, "{text}");
    }
}
