//! The rules of the screen, its snapshots, and a bench that drives it with the real payment
//! machine.

mod bill;
mod cash;
mod code;
mod customer;
mod customer_view;
mod day;
mod drawn;
mod find;
mod goods;
mod lock;
mod picture;
mod property;
mod rules;
mod shift;
mod slips;
mod table;
mod tray;
mod typing;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::clock::{Timestamp, Uptime};
use crate::payment::{Call, Proof, Rules, State, Status};
use crate::sale::tender::Cash;
use crate::says::{Says, reason};

/// Noon in Beijing, 22 November 2026.
pub(super) const NOON: i64 = 1_795_320_000_000;

pub(super) fn settings() -> Settings {
    Settings {
        store: "Corner Coffee".into(),
        till: "T01".into(),
        language: Language::English,
        currency: Currency::CNY,
        time_zone: TimeZone::UTC,
        entry: AmountEntry::Major,
        theme: Theme::Dark,
        confirm_above: Some(Money::from_minor(100_000)),
        bell: true,
        training: None,
        gateway_host: "api.mch.weixin.qq.com".into(),
        rules: Rules::default(),
        printer_configured: true,
        auto_print: true,
        drawer: false,
        operators: false,
        lock_after: None,
        drawer_by_manager: false,
        shift_required: false,
        discount_limit: Rate::from_hundredths(Rate::WHOLE).unwrap(),
        refund_consent_above: None,
        draws_chinese: true,
    }
}

pub(super) fn code(last: u32) -> AuthCode {
    AuthCode::new(&format!("13{last:016}")).unwrap()
}

pub(super) fn raw(text: &str) -> RawScan {
    RawScan(text.to_owned().into())
}

pub(super) fn number(tail: u32) -> OutTradeNo {
    OutTradeNo::try_from(format!("T01261122120000{tail:06}")).unwrap()
}

pub(super) fn proof() -> Proof {
    Proof {
        transaction_id: "4200002345202611229876543210".into(),
        paid_at: Timestamp(NOON),
        coupon: None,
    }
}

/// A screen, a clock, and the payments behind it.
pub(super) struct ScreenBench {
    pub(super) model: Model,
    pub(super) now: u64,
    pub(super) commands: Vec<ScreenCommand>,
    /// The days that were asked for.
    pub(super) days: Vec<Date>,
    /// What the journal holds of each; `None`: it cannot be read.
    pub(super) past: Option<Vec<DayOrder>>,
    attempts: Vec<AttemptView>,
    calls: Vec<Option<Call>>,
}

impl ScreenBench {
    pub(super) fn new(settings: Settings) -> Self {
        Self::with_past(settings, Some(Vec::new()))
    }

    /// With what the journal holds of the day.
    pub(super) fn with_past(settings: Settings, past: Option<Vec<DayOrder>>) -> Self {
        let mut bench = Self {
            model: Model::new(settings, Vec::new()),
            now: 1_000_000,
            commands: Vec::new(),
            days: Vec::new(),
            past,
            attempts: Vec::new(),
            calls: Vec::new(),
        };
        bench.send(ScreenMessage::Gateway(Link::Ready));
        bench.send(ScreenMessage::Scanner(Link::Ready));
        bench.send(ScreenMessage::Printer(Link::Ready));
        bench
    }

    pub(super) fn send(&mut self, message: ScreenMessage) -> Vec<ScreenCommand> {
        let wall = Timestamp(NOON + i64::try_from(self.now).unwrap());
        let commands = update(&mut self.model, message, Uptime(self.now), wall);
        let (days, commands): (Vec<_>, Vec<_>) =
            commands.into_iter().partition(|command| matches!(command, ScreenCommand::ReadDay(_)));
        self.commands.extend(commands.clone());
        for day in days {
            let ScreenCommand::ReadDay(date) = day else { continue };
            self.days.push(date);
            self.send(ScreenMessage::DayRead { date, orders: self.past.clone() });
        }
        commands
    }

    pub(super) fn wait(&mut self, millis: u64) {
        self.now += millis;
        self.send(ScreenMessage::Time);
    }

    /// A person's key: digits come quickly, and everything else after a look at the screen.
    pub(super) fn key(&mut self, key: Key) -> Vec<ScreenCommand> {
        self.now += if matches!(key, Key::Char(_)) { 200 } else { 600 };
        self.send(ScreenMessage::Key(key))
    }

    /// Opens the drawer without a sale, as a manager may have to allow.
    pub(super) fn drawer(&mut self) -> Vec<ScreenCommand> {
        self.key(Key::F(6));
        self.key(Key::Enter)
    }

    pub(super) fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            self.key(Key::Char(character));
        }
    }

    pub(super) fn scan(&mut self, last: u32) -> Vec<ScreenCommand> {
        self.now += 200;
        self.send(ScreenMessage::Scanned(Scan::Payment(code(last))))
    }

    /// An amount, Enter, a scan, and the payment as the till begins it; returns its index.
    pub(super) fn charge(&mut self, amount: &str, last: u32) -> usize {
        self.type_text(amount);
        self.key(Key::Enter);
        self.begin(last)
    }

    pub(super) fn count(&self) -> usize {
        self.attempts.len()
    }

    /// Like [`ScreenBench::begin`], but the scan may be refused.
    pub(super) fn scan_and_begin(&mut self, last: u32) {
        if let [ScreenCommand::Begin { sale, .. }] = self.scan(last)[..] {
            self.obey(sale);
        }
    }

    pub(super) fn answer_if_asked(&mut self, index: usize, answer: Says) {
        if self.calls[index].is_some() {
            self.answer(index, answer);
        }
    }

    pub(super) fn begin(&mut self, last: u32) -> usize {
        let [ScreenCommand::Begin { sale, .. }] = self.scan(last)[..] else {
            panic!("the scan began nothing")
        };
        self.obey(sale)
    }

    pub(super) fn obey(&mut self, sale: SaleRef) -> usize {
        self.starts(sale, State::begin(&Rules::default(), 0), Call::SUBMISSION)
    }

    /// The till orders a code of ours, which lasts two hours; returns its index.
    pub(super) fn obey_code(&mut self, sale: SaleRef) -> usize {
        let state = State::begin_qr(crate::clock::Millis::seconds(7_200), 0);
        self.starts(sale, state, payment::QrState::FIRST)
    }

    fn starts(&mut self, sale: SaleRef, state: State, first: Call) -> usize {
        let index = self.attempts.len();
        let serial = u32::try_from(index).unwrap() + 1;
        let sale_id = match sale {
            SaleRef::New(_) => i64::from(serial),
            SaleRef::Again(id, _) => id,
        };
        let wall = Timestamp(NOON + i64::try_from(self.now).unwrap());
        self.attempts.push(AttemptView {
            out_trade_no: number(345_000 + serial),
            sale: sale_id,
            amount: sale.amount(),
            currency: Currency::CNY,
            created_at: wall,
            updated_at: wall,
            sent_at: Uptime(self.now),
            state,
            sold: std::sync::Arc::default(),
            recorded: true,
        });
        self.calls.push(Some(first));
        self.report(index, Event::Begun);
        index
    }

    /// The till takes cash for a sale, and has written it; returns its index.
    pub(super) fn cash(&mut self, sale: SaleRef, tendered: i64) -> usize {
        let index = self.attempts.len();
        let serial = u32::try_from(index).unwrap() + 1;
        let id = match sale {
            SaleRef::New(_) => i64::from(serial),
            SaleRef::Again(id, _) => id,
        };
        let cash = Cash::take(sale.amount(), Money::from_minor(tendered)).unwrap();
        let wall = Timestamp(NOON + i64::try_from(self.now).unwrap());
        self.attempts.push(AttemptView {
            out_trade_no: number(345_000 + serial),
            sale: id,
            amount: cash.taken(),
            currency: Currency::CNY,
            created_at: wall,
            updated_at: wall,
            sent_at: Uptime(self.now),
            state: State::paid_in_cash(cash),
            sold: std::sync::Arc::default(),
            recorded: true,
        });
        self.calls.push(None);
        self.report(index, Event::Begun);
        index
    }

    fn report(&mut self, index: usize, event: Event) {
        self.attempts[index].updated_at = Timestamp(NOON + i64::try_from(self.now).unwrap());
        let view = self.attempts[index].clone();
        self.send(ScreenMessage::Attempt(view, event));
    }

    pub(super) fn step(&mut self, index: usize, event: Event) {
        let view = &mut self.attempts[index];
        let elapsed = Uptime(self.now).since(view.sent_at);
        let call = view.state.step(&event, elapsed, &Rules::default());
        if call.is_some() {
            self.calls[index] = call;
        }
        self.report(index, event);
    }

    /// From now on, nothing about this payment can be recorded.
    pub(super) fn unrecorded(&mut self, index: usize) {
        self.attempts[index].recorded = false;
    }

    /// The answer to the last call of this payment.
    pub(super) fn answer(&mut self, index: usize, answer: Says) {
        let call = self.calls[index].take().expect("no call is out");
        self.step(index, answer.in_answer_to(call));
    }

    pub(super) fn later(&mut self, index: usize, millis: u64) {
        self.wait(millis);
        self.step(index, Event::Tick);
    }

    pub(super) fn status(&self, index: usize) -> Status {
        self.attempts[index].state.status()
    }

    pub(super) fn order(&self, index: usize) -> OutTradeNo {
        self.attempts[index].out_trade_no.clone()
    }

    /// The cashier cancels after the first seconds, and the till obeys.
    pub(super) fn cancel(&mut self, index: usize) {
        self.key(Key::Esc);
        assert_eq!(self.key(Key::Enter), [ScreenCommand::Cancel(self.order(index))]);
        self.step(index, Event::Cancel);
    }

    /// Still unknown three minutes after the till stopped waiting.
    pub(super) fn until_attention(&mut self, index: usize) {
        self.answer(index, Says::Unknown(reason("no_answer")));
        self.later(index, 30_000);
        for _ in 0..20 {
            self.later(index, 15_000);
            if self.calls[index].is_some() {
                self.answer(index, Says::Unknown(reason("connection_lost")));
            }
            if self.status(index) == Status::Attention {
                return;
            }
        }
        panic!("it never came to attention");
    }

    /// The customer paid while the reversal was on its way.
    pub(super) fn reversed_with_money(&mut self, index: usize) {
        self.later(index, 30_000);
        self.answer(index, Says::NotPaid);
        self.answer(index, Says::Accepted);
        self.answer(index, Says::Ended(payment::Ending::Returned));
    }

    pub(super) fn drawn(&self, width: u16, height: u16) -> String {
        drawn(&self.model, width, height)
    }
}

/// The screen as text. A wide character takes two cells; its second one is skipped. Times of day
/// depend on the time zone and are hidden.
pub(super) fn drawn(model: &Model, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view(model, frame.buffer_mut())).unwrap();
    hide_times(&as_text(terminal.backend().buffer()))
}

fn as_text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut x = 0;
        let mut line = String::new();
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(symbol.width()).unwrap().max(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The same scene in both languages and all sizes.
pub(super) fn pictures(name: &str, bench: &mut ScreenBench) {
    for (language, tag) in [(Language::English, "en"), (Language::Chinese, "zh")] {
        bench.model.language = language;
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let picture = bench.drawn(width, height);
            insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("{name}_{tag}_{width}x{height}"), picture);
            });
        }
    }
    bench.model.language = Language::English;
}

fn hide_times(text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for start in 0..letters.len().saturating_sub(4) {
        let at = |offset: usize| letters.get(start + offset).copied().unwrap_or(' ');
        let digits = [0, 1, 3, 4].iter().all(|&offset| at(offset).is_ascii_digit());
        if digits && at(2) == ':' {
            let seconds = at(5) == ':' && at(6).is_ascii_digit();
            let mask = if seconds { "hh:mm:ss" } else { "hh:mm" };
            for (offset, letter) in mask.chars().enumerate() {
                letters[start + offset] = letter;
            }
        }
    }
    letters.into_iter().collect()
}

/// The text without spaces, line ends and frames, to find words that may be wrapped.
pub(super) fn packed(text: &str) -> String {
    let drawn = |letter: char| matches!(letter, '\u{2500}'..='\u{259f}');
    text.chars().filter(|letter| !letter.is_whitespace() && !drawn(*letter)).collect()
}
