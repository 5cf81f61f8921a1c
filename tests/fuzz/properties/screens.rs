//! The screen: whatever comes from the gateway, the devices, the journal and the owner, the
//! terminal is sent only the drawing library's own sequences and printable text.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use paytill::clock::{Millis, TimeZone, Timestamp, Uptime};
use paytill::gateway::Ask;
use paytill::language::{Language, Text};
use paytill::money::{AmountEntry, Currency, Money};
use paytill::order::{AuthCode, OutTradeNo};
use paytill::payment::{
    Answer, Call, CallKind, CloseSaid, Ending, Event, Found, Inconclusive, Ordered, Proof, QrState,
    Reason, Refunds, Reversed, Rules, State, Submitted,
};
use paytill::scan::{Scan, Wallet};
use paytill::screen::{
    AttemptView, Key, Link, Model, Printing, ScreenCommand, ScreenMessage, Settings, Theme, update,
    view,
};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::draw::Draw;
use super::terminal::{Place, Tally, read};
use super::{answers, reading};

const NOON: i64 = 1_795_320_000_000;
const KEYS: [Key; 28] = [
    Key::F(4),
    Key::F(6),
    Key::F(10),
    Key::Ctrl('n'),
    Key::Ctrl('p'),
    Key::Enter,
    Key::Enter,
    Key::Enter,
    Key::Esc,
    Key::Down,
    Key::Up,
    Key::Tab,
    Key::Backspace,
    Key::Char('1'),
    Key::Char('2'),
    Key::Char('.'),
    Key::Char('0'),
    Key::Char('\u{202e}'),
    Key::F(1),
    Key::F(5),
    Key::F(7),
    Key::F(8),
    Key::F(9),
    Key::Ctrl('l'),
    Key::Ctrl('r'),
    Key::Ctrl('t'),
    Key::Ctrl('q'),
    Key::Char('9'),
];

pub fn check(data: &[u8]) {
    let mut draw = Draw(data);
    let mut bench = Bench::new(&mut draw);
    // A longer story would show nothing new.
    for _ in 0..40 {
        if draw.is_over() {
            break;
        }
        bench.happens(&mut draw);
        let size = [(80, 24), (80, 24), (40, 10), (120, 40), (10, 2), (1, 1)];
        bench.draw(draw.one_of(&size));
    }
}

/// The screen, its payments, and everything it drew.
pub struct Bench {
    model: Model,
    now: u64,
    attempts: Vec<AttemptView>,
    calls: Vec<Option<Call>>,
    scans: u32,
}

impl Bench {
    fn new(draw: &mut Draw<'_>) -> Self {
        let settings = Settings {
            store: draw.text(),
            till: draw.text(),
            language: draw.one_of(&[Language::Chinese, Language::English]),
            currency: draw.one_of(&[Currency::CNY, Currency::from_code("KWD").unwrap()]),
            time_zone: TimeZone::UTC,
            entry: draw.one_of(&[AmountEntry::Major, AmountEntry::Minor]),
            theme: draw.one_of(&[Theme::Dark, Theme::Light, Theme::Contrast, Theme::Mono]),
            confirm_above: Some(Money::from_minor(100_000)),
            bell: true,
            training: draw.bit().then(|| vec![draw.text(), draw.text()]),
            gateway_host: draw.text(),
            rules: Rules::default(),
            printer_configured: true,
            auto_print: true,
            drawer: true,
            operators: false,
            lock_after: None,
            drawer_by_manager: false,
            shift_required: false,
            discount_limit: paytill::sale::Rate::default(),
            refund_consent_above: None,
            draws_chinese: true,
        };
        let model = Model::new(settings, Vec::new());
        Self { model, now: 1_000_000, attempts: Vec::new(), calls: Vec::new(), scans: 0 }
    }

    fn send(&mut self, message: ScreenMessage) {
        let wall = Timestamp(NOON + i64::try_from(self.now).unwrap());
        for command in update(&mut self.model, message, Uptime(self.now), wall) {
            match command {
                ScreenCommand::Begin { sale, .. } => {
                    let state = State::begin(&Rules::default(), 7);
                    self.begin(sale.amount(), state, Call::SUBMISSION);
                }
                ScreenCommand::OrderCode { sale } => {
                    let state = State::begin_qr(Millis::seconds(7_200), 7);
                    self.begin(sale.amount(), state, QrState::FIRST);
                }
                _ => {}
            }
        }
    }

    fn begin(&mut self, amount: Money, state: State, first: Call) {
        let tail = self.attempts.len();
        let wall = Timestamp(NOON + i64::try_from(self.now).unwrap());
        let view = AttemptView {
            out_trade_no: OutTradeNo::try_from(format!("T01261122120000{tail:06}")).unwrap(),
            sale: 1,
            amount,
            currency: Currency::CNY,
            created_at: wall,
            updated_at: wall,
            sent_at: Uptime(self.now),
            state,
            sold: std::sync::Arc::default(),
            recorded: true,
        };
        self.attempts.push(view.clone());
        self.calls.push(Some(first));
        self.send(ScreenMessage::Attempt(view, Event::Begun));
    }

    fn step(&mut self, index: usize, event: Event) {
        let attempt = &mut self.attempts[index];
        let age = Uptime(self.now).since(attempt.sent_at);
        let call = attempt.state.step(&event, age, &Rules::default());
        let view = attempt.clone();
        self.calls[index] = call.or_else(|| self.calls[index].filter(|_| event == Event::Tick));
        self.send(ScreenMessage::Attempt(view, event));
    }

    fn happens(&mut self, draw: &mut Draw<'_>) {
        self.now += u64::from(draw.byte()) * 16;
        let index = self.attempts.len().checked_sub(1 + usize::from(draw.byte() % 2));
        match (draw.byte() % 14, index) {
            (0..=2, _) => self.send(ScreenMessage::Key(draw.one_of(&KEYS))),
            (3, _) => {
                for key in [Key::Char('7'), Key::Enter] {
                    self.now += 2000;
                    self.send(ScreenMessage::Key(key));
                }
                self.scan();
            }
            (4, _) => self.scan(),
            (5, _) => {
                let text = draw.text();
                self.send(ScreenMessage::Scanned(match draw.byte() % 4 {
                    0 => Scan::Goods(text),
                    1 => Scan::Transaction(text),
                    2 => Scan::OtherWallet(draw.one_of(&[Wallet::Alipay, Wallet::EmvCode])),
                    _ => Scan::name(&text, &paytill::order::TillId::new("T01").unwrap()),
                }));
            }
            (6 | 7, Some(index)) => {
                if let Some(call) = self.calls[index].take() {
                    self.step(index, Event::Answered(call.number, answer(call.kind, draw)));
                }
            }
            (8, Some(index)) => {
                self.now += u64::from(draw.byte()) * 200;
                self.step(index, Event::Tick);
            }
            (9, Some(index)) => {
                let event = draw.one_of(&[0, 1, 2]);
                self.step(
                    index,
                    match event {
                        0 => Event::Cancel,
                        1 => Event::CheckNow,
                        _ => Event::Restarted { oldest: Millis::seconds(10) },
                    },
                );
            }
            (10, _) => self.send(ScreenMessage::Gateway(Link::Failed(draw.text()))),
            (11, _) => self.send(ScreenMessage::Printer(Link::Failed(draw.text()))),
            (12, Some(index)) => {
                let out_trade_no = self.attempts[index].out_trade_no.clone();
                let how = match draw.byte() % 3 {
                    0 => Printing::Sent,
                    1 => Printing::Printed,
                    _ => Printing::Failed(draw.text()),
                };
                self.send(ScreenMessage::Printed { out_trade_no, how });
            }
            _ if draw.byte() == 1 => {
                let why = draw.text();
                self.send(ScreenMessage::JournalFailed(Text::new(why.clone(), why)));
            }
            _ => self.send(ScreenMessage::Time),
        }
    }

    fn scan(&mut self) {
        self.scans += 1;
        let code = AuthCode::new(&format!("13{:016}", self.scans)).unwrap();
        self.send(ScreenMessage::Scanned(Scan::Payment(code)));
    }

    fn draw(&self, (width, height): (u16, u16)) {
        drawn(&self.model, width, height).unwrap_or_else(|fault| panic!("{fault}"));
    }
}

/// An answer with the gateway's own texts; half of them pass through the codec.
fn answer(kind: CallKind, draw: &mut Draw<'_>) -> Answer {
    let reason = |draw: &mut Draw<'_>| {
        let code = draw.one_of(&["NOTENOUGH", "SYSTEMERROR", "AUTHCODEEXPIRE", "NEW_CODE"]);
        let fields = [
            ("return_code", "SUCCESS"),
            ("result_code", "FAIL"),
            ("appid", "wx8888888888888888"),
            ("mch_id", "1900000109"),
            ("err_code", code),
            ("err_code_des", &draw.text()),
        ];
        let fields: Vec<_> =
            fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let mut all = fields.clone();
        let map = fields.into_iter().collect();
        all.push(("sign".into(), reading::signature(&map, answers::KEY, false)));
        let (order, code) = (answers::order(), AuthCode::new(answers::CODE).unwrap());
        let ask = match kind {
            CallKind::Submit => Ask::Submit(&order, &code),
            CallKind::Query => Ask::Query(&order),
            CallKind::Reverse => Ask::Reverse(&order),
            CallKind::RefundQuery => Ask::RefundQuery(&order),
            CallKind::Order => Ask::Order(&order),
            CallKind::Close => Ask::Close(&order),
        };
        let reply = answers::reply(200, reading::document(&all));
        answers::holds(ask, false, &reply).answer.reason().cloned()
    };
    let proof = Proof {
        transaction_id: "4200002345202611229876543210".into(),
        paid_at: Timestamp(NOON),
        coupon: Some(3),
    };
    // Not cleaned, as in a journal from elsewhere.
    let hostile = |draw: &mut Draw<'_>| Reason::gateway(draw.text(), draw.text());
    let which = draw.byte() % 6;
    match kind {
        CallKind::Submit => Answer::Submitted(match which {
            0 => Submitted::Paid(proof),
            1 => Submitted::Paying,
            2 => reason(draw).map_or(Submitted::Paying, Submitted::Declined),
            3 => Submitted::Ambiguous(hostile(draw)),
            _ => Submitted::Inconclusive(Inconclusive::Unknown(hostile(draw))),
        }),
        CallKind::Query => Answer::Found(match which {
            0 => Found::Paid(proof),
            1 => Found::NotPaid,
            2 => Found::NotFound,
            3 => Found::Ended(Ending::Refunded),
            4 => reason(draw).map_or(Found::Paying, Found::Failed),
            _ => Found::Inconclusive(Inconclusive::Unsigned(hostile(draw))),
        }),
        CallKind::Reverse => Answer::Reversed(match which {
            0 | 1 => Reversed::Accepted,
            2 => reason(draw).map_or(Reversed::Accepted, Reversed::Refused),
            3 => Reversed::Repeat(hostile(draw)),
            _ => Reversed::Inconclusive(Inconclusive::Unknown(hostile(draw))),
        }),
        CallKind::Order => Answer::Ordered(match which {
            0 => reason(draw).map_or_else(|| Ordered::Ambiguous(hostile(draw)), Ordered::Refused),
            1 => Ordered::Refused(hostile(draw)),
            _ => Ordered::Inconclusive(Inconclusive::Unknown(hostile(draw))),
        }),
        CallKind::Close => Answer::Closed(match which {
            0 => CloseSaid::Accepted,
            1 => CloseSaid::Paid(hostile(draw)),
            2 => CloseSaid::Repeat(hostile(draw)),
            3 => CloseSaid::Refused(hostile(draw)),
            _ => CloseSaid::Inconclusive(Inconclusive::Unknown(hostile(draw))),
        }),
        CallKind::RefundQuery => Answer::Refunds(match which {
            0 => Refunds::Whole,
            1 | 2 => Refunds::Part(hostile(draw)),
            3 => Refunds::None,
            _ => Refunds::Inconclusive(Inconclusive::Unknown(hostile(draw))),
        }),
    }
}

/// Draws a model as for the terminal, and checks what was sent.
pub fn drawn(model: &Model, width: u16, height: u16) -> Result<Tally, String> {
    let tape = Tape::default();
    let area = Rect::new(0, 0, width, height);
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    let backend = CrosstermBackend::new(tape.clone());
    let mut terminal = Terminal::with_options(backend, options).unwrap();
    terminal.draw(|frame| view(model, frame.buffer_mut())).unwrap();
    drop(terminal);
    read(&tape.0.borrow(), Place::Frames)
}

#[derive(Clone, Default)]
struct Tape(Rc<RefCell<Vec<u8>>>);

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
