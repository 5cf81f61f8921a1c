//! Whatever happens, in a window of any size: no panic, and open money is in sight.

use proptest::prelude::*;

use super::*;
use crate::payment::{Reason, TillCause};
use crate::says::{Says, reason};
use crate::scan::Wallet;

const UNSAFE: [char; 2] = ['\u{1b}', '\u{202e}'];

/// Something that can happen to the till.
#[derive(Clone, Debug)]
enum Happening {
    Key(Key),
    Charge(u32),
    Scan(u32),
    OtherScan(String),
    Answer(usize, u8),
    Tick(usize, u64),
    Restart(usize),
    Link(String),
    Printed(bool),
    JournalFailed,
    Unended,
    /// What the page asked for last is there.
    Answered(u8),
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        8 => Just(Key::Enter),
        4 => Just(Key::Esc),
        2 => Just(Key::Down),
        1 => Just(Key::Up),
        2 => Just(Key::Tab),
        3 => Just(Key::Ctrl('n')),
        1 => Just(Key::Backspace),
        6 => prop::char::range('0', '9').prop_map(Key::Char),
        1 => any::<char>().prop_map(Key::Char),
        3 => (1_u8..13).prop_map(Key::F),
        3 => prop::sample::select(vec!['l', 't', 'q', 'p', 'c', 'r']).prop_map(Key::Ctrl),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => key().prop_map(Happening::Key),
        4 => (0_u32..50).prop_map(Happening::Charge),
        3 => (0_u32..50).prop_map(Happening::Scan),
        1 => ".{0,40}".prop_map(Happening::OtherScan),
        6 => (0_usize..4, 0_u8..11).prop_map(|(index, answer)| Happening::Answer(index, answer)),
        6 => (0_usize..4, 0_u64..40_000).prop_map(|(index, wait)| Happening::Tick(index, wait)),
        1 => (0_usize..4).prop_map(Happening::Restart),
        1 => ".{0,60}".prop_map(Happening::Link),
        1 => any::<bool>().prop_map(Happening::Printed),
        4 => (0_u8..8).prop_map(Happening::Answered),
        1 => Just(Happening::Unended),
        // Rare: little happens after it.
        1 => prop::bool::weighted(0.1)
            .prop_map(|stops| if stops { Happening::JournalFailed } else { Happening::Unended }),
    ]
}

fn answer(which: u8) -> Says {
    match which {
        0 => Says::Paid(proof()),
        1 => Says::Paying,
        2 => Says::NotPaid,
        3 => Says::NotFound,
        4 => Says::Accepted,
        5 => Says::Ended(payment::Ending::Refunded),
        7 => Says::Refunds(payment::Refunds::Whole),
        8 => Says::Refunds(payment::Refunds::Part(TillCause::PartlyRefunded.into())),
        9 => Says::Code(code::url()),
        6 => Says::Declined(Reason::gateway("ODD\u{202e}", "\u{1b}[31m怪")),
        _ => Says::Unknown(reason("no_answer")),
    }
}

fn happens(bench: &mut ScreenBench, happening: Happening) {
    let exists = |bench: &ScreenBench, index: usize| index < bench.count();
    match happening {
        Happening::Key(key) => {
            if let [ScreenCommand::OrderCode { sale }] = bench.key(key)[..] {
                bench.obey_code(sale);
            }
        }
        Happening::Charge(last) => {
            bench.type_text("7.5");
            bench.key(Key::Enter);
            bench.scan_and_begin(last);
        }
        Happening::Scan(last) => bench.scan_and_begin(last),
        Happening::OtherScan(text) => {
            bench.send(ScreenMessage::Scanned(Scan::Goods(text.clone())));
            bench.send(ScreenMessage::Scanned(Scan::Transaction(text)));
            bench.send(ScreenMessage::Scanned(Scan::OtherWallet(Wallet::Other)));
        }
        Happening::Answer(index, which) if exists(bench, index) => {
            bench.answer_if_asked(index, answer(which));
        }
        Happening::Tick(index, wait) if exists(bench, index) => bench.later(index, wait),
        Happening::Restart(index) if exists(bench, index) => {
            bench.step(index, Event::Restarted { oldest: crate::clock::Millis::seconds(10) });
        }
        Happening::Answer(..) | Happening::Tick(..) | Happening::Restart(_) => {}
        Happening::Link(why) => {
            bench.send(ScreenMessage::Gateway(Link::Failed(why.clone())));
            bench.send(ScreenMessage::Printer(Link::Warned(why.clone())));
            bench.send(ScreenMessage::Printer(Link::Failed(why)));
        }
        Happening::Printed(ok) => {
            let failed = Printing::Failed("paper\u{1b}c out".into());
            let how = if ok { Printing::Printed } else { failed };
            bench.send(ScreenMessage::Printed { out_trade_no: number(1), how });
        }
        Happening::JournalFailed => {
            bench.send(ScreenMessage::JournalFailed(crate::both!("no space", "磁盘已满")));
        }
        Happening::Answered(which) => find::answers_last(bench, which),
        Happening::Unended => {
            let began = Uptime(bench.now);
            bench.send(ScreenMessage::DroppedKeys { characters: 12, began });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_open_money_is_in_sight(
        happenings in prop::collection::vec(happening(), 0..40),
        sizes in prop::collection::vec((0_u16..140, 0_u16..50), 3),
    ) {
        let training = Some(vec!["甲".to_owned(), "B".to_owned()]);
        let mut bench = ScreenBench::new(Settings { training, ..settings() });
        for happening in happenings {
            happens(&mut bench, happening);
            let corners = [(80, 24), (10, 2), (1, 1), (0, 0)];
            for (width, height) in corners.into_iter().chain(sizes.iter().copied()) {
                let picture = bench.drawn(width, height);
                prop_assert!(!picture.contains(UNSAFE));
                if width < 10 || height < 2 {
                    continue;
                }
                // Unsettled money, then the payment at hand.
                let Some(urgent) = bench.model.most_urgent() else { continue };
                let first = bench.model.by_urgency()[0];
                let words = [urgent, first]
                    .map(|attempt| bench.model.text().word_of(&attempt.view.state));
                prop_assert!(
                    words.iter().any(|word| packed(&picture).contains(&packed(word))),
                    "{words:?} is not on the {width}x{height} screen:\n{picture}"
                );
            }
        }
    }
}
