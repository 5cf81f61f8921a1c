//! The state of the screen that its pages share, and the questions about it that drawing and
//! updating share: which payments are pinned, what Enter, F5 and F9 apply to.
//!
//! Everything here is plain data; only [`super::update()`] changes it. Open payments and outcomes
//! that could not be recorded are never dropped from it.

use std::collections::VecDeque;

use super::basket::RingUp;
use super::day::{DayBook, Figures};
use super::note::{Note, Which};
use super::pages::MoneyPage;
use super::pages::checkout::{CashierTask, TypingRun};
use super::pages::find::{AskedRefund, FindPage};
use super::pages::lock::LockPage;
use super::part_paid::PartPaid;
use super::pin::PinWait;
use super::sound::Sound;
use super::{AttemptView, Key, Link, Settings};
use crate::clock::{Date, Millis, Timestamp, Uptime};
use crate::engine::{By, RefundRecord, SaleRef};
use crate::language::{Language, Text};
use crate::money::{Currency, Money};
use crate::operators::Operator;
use crate::order::OutTradeNo;
use crate::payment::{Funds, Status};
use crate::scan::KeyTarget;
use crate::shift::Report;
use crate::text::screen::ScreenWords;
use crate::text::story::Story;

/// How many ended attempts are kept for the list of the last sales.
const REMEMBERED: usize = 40;
/// An Enter within this time of a notice appearing while the cashier types, or of a question
/// closing by itself, was meant for what was on the screen before.
const NOTICE_SETTLES: Millis = Millis(1000);

/// The whole state of the screen. Built once; only [`super::update()`] changes it.
#[derive(Debug)]
pub struct Model {
    pub(super) settings: Settings,
    pub(super) language: Language,
    pub(super) now: Uptime,
    pub(super) wall: Timestamp,
    pub(super) task: CashierTask,
    /// The lines of the sale at the desk, and what was put aside.
    pub(super) ring_up: RingUp,
    /// The page in front of the desk, if it is open.
    pub(super) find: Option<FindPage>,
    /// The page of the drawer or of the shift, likewise; never both.
    pub(super) money_page: Option<MoneyPage>,
    /// The day whose bill is on its way.
    pub(super) bill_asked: Option<Date>,
    /// Sales of which a part was taken in cash, the latest last.
    pub(super) part_paid: Vec<PartPaid>,
    /// Whether somebody has opened a shift, as far as was read.
    pub(super) shift_is_open: bool,
    /// How many searches it has made.
    pub(super) searches: u64,
    /// How many questions it has put to the gateway.
    pub(super) questions: u64,
    /// While the till is locked.
    pub(super) lock: Option<LockPage>,
    /// Who has signed in.
    pub(super) operator: Option<Operator>,
    /// How many PINs were asked about.
    pub(super) pins: u64,
    pub(super) pin_wait: PinWait,
    /// When the list of operators was read last to see whether whoever has signed in is still in it.
    pub(super) operators_read_at: Uptime,
    /// The manager who has agreed to what is done with this message.
    pub(super) consent: Option<String>,
    pub(super) dialog: Option<Dialog>,
    /// Newest first.
    pub(super) attempts: Vec<ShownAttempt>,
    pub(super) day: DayBook,
    /// The payment that was brought back from the tray last, and when, until something is done
    /// about it.
    pub(super) brought_back: Option<(OutTradeNo, Uptime)>,
    /// Refunds with work left, and those that need a person until somebody has looked at their order.
    pub(super) refunds: Vec<RefundRecord>,
    /// Reports that did not come out, the oldest first, until each is printed or given up.
    pub(super) unprinted: Vec<Report>,
    /// Payments that ended while not at hand; each must be acknowledged.
    pub(super) notices: VecDeque<ShownNotice>,
    pub(super) gateway: Link,
    pub(super) scanner: Link,
    pub(super) printer: Link,
    /// [`Link::Off`], and not shown, if none is configured.
    pub(super) display: Link,
    pub(super) note: Option<Note>,
    /// Whether the terminal draws blocks as they are: without them there is no code to scan.
    pub(super) draws_blocks: bool,
    /// Why sales have stopped.
    pub(super) stopped: Option<Text>,
    /// A hash of the last payment code, and when it was scanned.
    pub(super) last_code: Option<([u8; 16], Uptime)>,
    pub(super) last_enter: Option<Uptime>,
    /// The last key or scan of any kind.
    pub(super) last_input: LastInput,
    /// When the question on the screen was asked.
    pub(super) asked_at: Uptime,
    /// The typing that is going on.
    pub(super) typing: Option<TypingRun>,
    /// When a character was last pressed that could not be taken.
    pub(super) dropped_at: Option<Uptime>,
    /// The count of rings when a bell last rang for that.
    pub(super) rung_for_typing: u64,
    /// When a payment last answered the question about it by itself.
    pub(super) overtaken_at: Option<Uptime>,
    pub(super) warmed_at: Uptime,
    pub(super) rings: u64,
    pub(super) sound: Sound,
    /// The payment whose end rang last.
    pub(super) rung_for: Option<OutTradeNo>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastInput {
    pub(super) at: Option<Uptime>,
    /// `None` for a scan.
    pub(super) key: Option<Key>,
}

/// A question or an overlay in front of the task, one at a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Dialog {
    Help,
    Training {
        chosen: usize,
    },
    /// All commands; what was typed to find one.
    Commands {
        typed: String,
        chosen: usize,
    },
    /// The search for a product: what was typed.
    Goods {
        typed: String,
        chosen: usize,
    },
    /// The sales that were put aside.
    Held {
        chosen: usize,
    },
    /// The lines at the desk are discarded.
    Discard,
    LargeAmount(Money),
    /// The same where a code of ours is to be ordered.
    LargeCode(Money),
    Cancel(OutTradeNo),
    Unsettled(OutTradeNo),
    /// The printer says that it does not print.
    PrintAnyway(OutTradeNo),
    /// So much more than due is a slip of the finger.
    MuchCash {
        sale: SaleRef,
        given: Money,
    },
    /// The cash of this sale goes back.
    ReturnCash(i64),
    /// The shift ends with so much counted.
    CloseShift(Money),
    /// Money of an order is to be given back.
    Refund(Box<AskedRefund>),
    Quit,
}

/// An attempt and what the screen knows about it.
#[derive(Debug)]
pub(super) struct ShownAttempt {
    pub(super) view: AttemptView,
    pub(super) story: Story,
    /// This till has told of it: what is read at a start may have moved.
    pub(super) is_heard_of: bool,
    /// The cashier has cancelled, and the till has been asked to.
    pub(super) cancelled: bool,
    /// When it came to an end on this screen.
    pub(super) ended_at: Option<Uptime>,
    pub(super) paper: SlipState,
    /// What the last slip that came by itself said: an order that needed attention, or whose money
    /// was found after its end, has another one.
    pub(super) slip_of: Option<(Status, Funds)>,
    /// Its refunds, each as it was last reported.
    pub(super) refunds: Vec<RefundRecord>,
}

/// The state of an attempt's receipt or slip.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SlipState {
    /// Never requested.
    None,
    /// Requested, not printed yet.
    Asked,
    /// Printed, as far as the printer reports.
    Done,
    /// Requested, but not printed.
    Missing,
}

#[derive(Debug)]
pub(super) struct ShownNotice {
    pub(super) order: OutTradeNo,
    pub(super) since: Uptime,
}

impl Model {
    /// The first frame: the recent orders of the journal, with open payments pinned.
    pub fn new(settings: Settings, recent: Vec<AttemptView>) -> Self {
        let language = if settings.draws_chinese { settings.language } else { Language::English };
        let mut model = Self {
            language,
            lock: settings.operators.then(LockPage::default),
            operator: None,
            pins: 0,
            pin_wait: PinWait::default(),
            operators_read_at: Uptime::default(),
            consent: None,
            settings,
            now: Uptime::default(),
            wall: Timestamp::default(),
            task: CashierTask::Amount { typed: String::new() },
            ring_up: RingUp::default(),
            find: None,
            money_page: None,
            bill_asked: None,
            part_paid: Vec::new(),
            shift_is_open: false,
            searches: 0,
            questions: 0,
            dialog: None,
            attempts: recent.into_iter().map(ShownAttempt::new).collect(),
            day: DayBook::default(),
            brought_back: None,
            refunds: Vec::new(),
            unprinted: Vec::new(),
            notices: VecDeque::new(),
            gateway: Link::Off,
            scanner: Link::Off,
            printer: Link::Off,
            display: Link::Off,
            note: None,
            draws_blocks: true,
            stopped: None,
            last_code: None,
            last_enter: None,
            last_input: LastInput::default(),
            asked_at: Uptime::default(),
            typing: None,
            dropped_at: None,
            rung_for_typing: 0,
            overtaken_at: None,
            warmed_at: Uptime::default(),
            rings: 0,
            sound: Sound::default(),
            rung_for: None,
        };
        model.tidy();
        model
    }

    /// The language on the screen.
    pub fn language(&self) -> Language {
        self.language
    }

    /// What is known of the terminal.
    pub const fn draws_blocks(&mut self, draws: bool) {
        self.draws_blocks = draws;
    }

    /// Who does what is done now.
    pub fn by(&self) -> Option<By> {
        let operator = self.operator.as_ref()?;
        Some(By { operator: operator.name.clone(), consent: self.consent.clone() })
    }

    pub(super) fn turn_language(&mut self) {
        if self.settings.draws_chinese {
            self.language = match self.language {
                Language::Chinese => Language::English,
                Language::English => Language::Chinese,
            };
        }
    }

    /// Whether an order is unsettled or about to be. One that only waits for its number to be closed
    /// holds nobody up: the next start closes it as well.
    pub fn is_anything_open(&self) -> bool {
        let starting = matches!(self.task, CashierTask::Starting { .. });
        starting || self.attempts.iter().any(ShownAttempt::is_unsettled)
    }

    /// The payment at the desk.
    pub fn at_desk(&self) -> Option<&OutTradeNo> {
        self.at_hand().map(|attempt| &attempt.view.out_trade_no)
    }

    /// The payments that have ended elsewhere and are to be acknowledged, the one shown first.
    pub fn unread(&self) -> impl Iterator<Item = &OutTradeNo> {
        self.notices.iter().map(|notice| &notice.order)
    }

    /// Whether the screen changes every second.
    pub fn counts_seconds(&self) -> bool {
        self.is_anything_open()
            || matches!(self.task, CashierTask::Code { .. })
            || !self.notices.is_empty()
            || self.takes_codes().is_some()
            || self.counts_down_the_lock()
            || self.find.as_ref().is_some_and(|page| page.is_asking(self.now))
            || self.brought_back.as_ref().is_some_and(|(order, _)| self.is_passing(order))
    }

    pub(super) fn text(&self) -> ScreenWords {
        ScreenWords::of(self.language)
    }

    pub(super) fn attempt(&self, order: &OutTradeNo) -> Option<&ShownAttempt> {
        self.attempts.iter().find(|attempt| attempt.view.out_trade_no == *order)
    }

    /// What was given back of the orders that are shown, as the journal has it.
    pub fn knows_refunds(&mut self, refunds: Vec<RefundRecord>) {
        for refund in refunds {
            if let Some(attempt) = self.attempt_mut(&refund.out_trade_no) {
                attempt.refunds.push(refund);
            }
        }
    }

    pub(super) fn attempt_mut(&mut self, order: &OutTradeNo) -> Option<&mut ShownAttempt> {
        self.attempts.iter_mut().find(|attempt| attempt.view.out_trade_no == *order)
    }

    /// The attempt shown as the cashier's task.
    pub(super) fn at_hand(&self) -> Option<&ShownAttempt> {
        match &self.task {
            CashierTask::Payment(order) => self.attempt(order),
            CashierTask::Amount { .. }
            | CashierTask::Code { .. }
            | CashierTask::Starting { .. } => None,
        }
    }

    pub(super) fn is_at_hand(&self, order: &OutTradeNo) -> bool {
        matches!(&self.task, CashierTask::Payment(at_hand) if at_hand == order)
    }

    /// Whether a page is in front of the desk.
    pub(super) const fn has_page(&self) -> bool {
        self.find.is_some() || self.money_page.is_some()
    }

    /// Whether something covers the place of the payment at hand.
    pub(super) fn task_is_hidden(&self) -> bool {
        self.stopped.is_some()
            || self.has_page()
            || self.is_locked()
            || matches!(
                self.dialog,
                Some(
                    Dialog::Help
                        | Dialog::Training { .. }
                        | Dialog::Commands { .. }
                        | Dialog::Goods { .. }
                        | Dialog::Held { .. }
                )
            )
    }

    /// Whether the task shows this attempt now.
    pub(super) fn is_shown_as_task(&self, order: &OutTradeNo) -> bool {
        !self.task_is_hidden() && self.is_at_hand(order)
    }

    /// Whether a question is shown below the task.
    pub(super) fn is_asking(&self) -> bool {
        match self.dialog {
            Some(
                Dialog::LargeAmount(_)
                | Dialog::LargeCode(_)
                | Dialog::Cancel(_)
                | Dialog::Unsettled(_)
                | Dialog::PrintAnyway(_)
                | Dialog::MuchCash { .. }
                | Dialog::ReturnCash(_)
                | Dialog::CloseShift(_)
                | Dialog::Discard
                | Dialog::Refund(_)
                | Dialog::Quit,
            ) => true,
            Some(
                Dialog::Help
                | Dialog::Training { .. }
                | Dialog::Commands { .. }
                | Dialog::Goods { .. }
                | Dialog::Held { .. },
            )
            | None => false,
        }
    }

    /// What keys at the speed of a machine would be for.
    pub fn target(&self) -> KeyTarget {
        if self.is_locked() {
            return KeyTarget::default();
        }
        if let Some(page) = &self.find {
            let is_open = self.dialog.is_none();
            let amount = is_open.then(|| page.typed_characters());
            return KeyTarget { is_asking: self.is_asking(), amount };
        }
        let is_open = self.dialog.is_none() && self.stopped.is_none();
        if let Some(page) = &self.money_page {
            let amount = page.typed_characters().filter(|_| is_open);
            return KeyTarget { is_asking: self.is_asking(), amount };
        }
        let amount = match &self.task {
            CashierTask::Amount { typed } => Some(typed.chars().count()),
            CashierTask::Payment(_) => {
                let status = self.at_hand().map(|attempt| attempt.view.state.status());
                (status == Some(Status::Paid)).then_some(0)
            }
            CashierTask::Code { .. } | CashierTask::Starting { .. } => None,
        };
        KeyTarget { is_asking: self.is_asking(), amount: amount.filter(|_| is_open) }
    }

    /// Whether Enter acknowledges the notice, alone or beside what it does at the desk.
    pub(super) fn enter_is_for_the_notice(&self) -> bool {
        let Some(notice) = self.notices.front() else { return false };
        self.is_idle() || self.now.since(notice.since) >= NOTICE_SETTLES
    }

    /// Whether there is nothing that Enter is for.
    pub(super) fn is_idle(&self) -> bool {
        match &self.find {
            Some(page) => return page.is_idle(),
            None if self.money_page.is_some() => return false,
            None => {}
        }
        matches!(&self.task, CashierTask::Amount { typed } if typed.is_empty())
            && self.ring_up.is_empty()
    }

    /// Whether a key may have been meant for a question that has just closed by itself.
    pub(super) fn is_overtaken(&self) -> bool {
        self.overtaken_at.is_some_and(|at| self.now.since(at) < NOTICE_SETTLES)
    }

    /// Whether the printer would start a receipt now, as far as is known.
    pub(super) fn printer_is_there(&self) -> bool {
        matches!(self.printer, Link::Ready | Link::Warned(_))
    }

    /// The payment that F5 checks.
    pub(super) fn can_check_now(&self) -> Option<&OutTradeNo> {
        if self.stopped.is_some() || self.has_page() {
            return None;
        }
        let unsettled = |attempt: &&ShownAttempt| attempt.is_unsettled();
        let at_hand = self.at_hand().filter(unsettled);
        let asked = at_hand.or_else(|| self.most_urgent());
        asked.map(|attempt| &attempt.view.out_trade_no)
    }

    /// The order whose receipt F9 reprints.
    pub(super) fn can_reprint(&self) -> Option<&OutTradeNo> {
        let is_free = self.stopped.is_none() && self.money_page.is_none();
        if !self.settings.printer_configured || !is_free {
            return None;
        }
        if let Some(page) = &self.find {
            return page.printable();
        }
        let at_hand = match &self.task {
            CashierTask::Amount { typed } if typed.is_empty() => None,
            CashierTask::Payment(_) => {
                self.at_hand().filter(|attempt| attempt.view.state.status().has_slip())
            }
            CashierTask::Amount { .. }
            | CashierTask::Code { .. }
            | CashierTask::Starting { .. } => return None,
        };
        // A receipt that never came out matters more than a copy of one that did.
        let missing = self.attempts.iter().filter(|attempt| attempt.paper == SlipState::Missing);
        let missing = missing.min_by_key(|attempt| attempt.view.updated_at);
        let paid = |attempt: &&ShownAttempt| attempt.view.state.status() == Status::Paid;
        // Beside an unpaid payment, the last receipt could be mistaken for its own.
        let last = || {
            let paid = self.attempts.iter().filter(paid).max_by_key(|paid| paid.view.updated_at);
            paid.filter(|_| matches!(self.task, CashierTask::Amount { .. }))
        };
        let chosen = missing.or(at_hand).or_else(last);
        chosen.map(|attempt| &attempt.view.out_trade_no)
    }

    /// How many slips were asked for and perhaps not printed.
    pub(super) fn missing_slips(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.paper == SlipState::Missing).count()
    }

    /// Whether a payment code would be accepted now and there are training customers to show one.
    pub(super) fn can_train(&self) -> bool {
        let customers = self.settings.training.as_ref().is_some_and(|names| !names.is_empty());
        customers && self.stopped.is_none() && !self.has_page() && self.takes_codes().is_some()
    }

    pub(super) fn figures(&self) -> Figures {
        let at_hand = self.attempts.iter().map(|attempt| &attempt.view);
        self.day.figures(at_hand, self.settings.currency)
    }

    /// The amount with the currency symbol.
    pub(super) fn money(&self, amount: Money) -> String {
        with_symbol(self.settings.currency, amount)
    }

    pub(super) fn which(&self, attempt: &ShownAttempt) -> Which {
        let view = &attempt.view;
        Which { amount: self.money(view.amount), tail: view.out_trade_no.tail().to_owned() }
    }

    /// Sorts the newest first and drops ended attempts beyond [`REMEMBERED`].
    pub(super) fn tidy(&mut self) {
        self.attempts.sort_by_key(|attempt| std::cmp::Reverse(attempt.view.created_at));
        let mut ended = 0;
        let at_hand = match &self.task {
            CashierTask::Payment(order) => Some(order),
            CashierTask::Amount { .. }
            | CashierTask::Code { .. }
            | CashierTask::Starting { .. } => None,
        };
        let notices = &self.notices;
        self.attempts.retain(|attempt| {
            let order = &attempt.view.out_trade_no;
            if attempt.view.state.is_open()
                || !attempt.view.recorded
                || at_hand == Some(order)
                || notices.iter().any(|notice| notice.order == *order)
            {
                return true;
            }
            ended += 1;
            ended <= REMEMBERED
        });
    }
}

impl ShownAttempt {
    pub(super) fn new(view: AttemptView) -> Self {
        let paper = SlipState::None;
        let story = Story::default();
        let (is_heard_of, cancelled) = (false, false);
        let (ended_at, slip_of, refunds) = (None, None, Vec::new());
        Self { view, story, is_heard_of, cancelled, ended_at, paper, slip_of, refunds }
    }

    /// How much of it went back or is on its way.
    pub(super) fn given_back(&self) -> Money {
        let given = self.refunds.iter().filter(|refund| refund.state.is_given());
        let sum = given.fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.minor()));
        Money::from_minor(sum)
    }

    /// Whether how it ends is still open.
    pub(super) fn is_unsettled(&self) -> bool {
        self.view.state.is_open() && !self.view.state.is_settled()
    }

    /// Whether it stays in sight wherever the cashier is.
    pub(super) fn is_in_tray(&self) -> bool {
        self.is_unsettled() || !self.view.recorded
    }

    /// The cashier has cancelled, and the till has not confirmed it yet.
    pub(super) fn is_being_cancelled(&self) -> bool {
        let status = self.view.state.status();
        self.cancelled && matches!(status, Status::Sent | Status::Waiting | Status::Checking)
    }

    /// The time since the submission was sent.
    pub(super) fn elapsed(&self, now: Uptime) -> Millis {
        now.since(self.view.sent_at)
    }
}

/// An amount as people read it.
pub(super) fn with_symbol(currency: Currency, amount: Money) -> String {
    symbol_before(currency, &currency.group(amount))
}

/// The same for one that is being typed.
pub(super) fn symbol_before(currency: Currency, number: &str) -> String {
    let symbol = currency.symbol();
    let space = if symbol == "￥" { "" } else { " " };
    format!("{symbol}{space}{number}")
}
