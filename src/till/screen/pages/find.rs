//! "I have paid": an order by what a customer shows, its story, and what the gateway says of it now.
//!
//! Nothing that is typed or scanned here becomes an amount, a payment or a reversal: the page reads
//! the journal and asks, both elsewhere, and never waits. The sale at the desk is left as it is.

mod refund;
mod view;

use zeroize::Zeroizing;

use crate::clean::clean;
use crate::clock::{Millis, Timestamp, Uptime};
use crate::find::{Findings, OrderFile, Terms, Told, Wanted, Why, order_of, verdict, whose};
use crate::gateway::{Enquired, Question};
use crate::journal::{OrderRow, StoredEvent};
use crate::language::{Language, Text};
use crate::money::narrow;
use crate::order::{OutTradeNo, TillId};
use crate::payment::{Event, State, Status};
use crate::scan::Scan;
use crate::screen::Sound;
use crate::screen::model::{Model, ShownAttempt};
use crate::screen::note::{Note, Scanned};
use crate::screen::pages::checkout::CashierTask;
use crate::screen::{Key, ScreenCommand};
use crate::text::find::Verdict;
use crate::text::screen::{FindPageWords, HelpWords, RefundWords, ScreenWords};
use crate::text::story::{Happened, Means};
use refund::RefundForm;
pub(in crate::screen) use refund::{AskedRefund, confirmed, moved as refund_moved, open as refund};

/// No number is longer; further keys are dropped.
const TYPED_MAX: usize = 40;
/// An answer takes no longer than this, by either host; then it may be asked for again.
const ANSWERED_WITHIN: Millis = Millis::seconds(30);

/// The page.
#[derive(Debug)]
pub(in crate::screen) struct FindPage {
    typed: Zeroizing<String>,
    /// Of the last search; what comes of an earlier one is dropped.
    serial: u64,
    wanted: Wanted,
    /// Whether the gateway is asked as soon as the order is found.
    asks: bool,
    /// What the last search found, if it was more than one.
    rows: Vec<OrderRow>,
    are_latest: bool,
    chosen: usize,
    showing: Showing,
    /// Money of the order that is found next is given back.
    refunds: bool,
    /// How much, and why.
    form: Option<RefundForm>,
}

#[derive(Debug)]
enum Showing {
    /// What was scanned or typed last was refused: nothing older may be taken for it.
    Nothing,
    Reading,
    List,
    Failed(Text),
    Order(Box<ShownOrder>),
}

#[derive(Debug)]
struct ShownOrder {
    subject: Subject,
    /// Of the last question; an answer to an earlier one, even about this order, is none to this.
    question: u64,
    asked_at: Option<Uptime>,
    told: Option<(Told, Timestamp)>,
    /// Every entry with its fields, instead of the story.
    in_full: bool,
    /// How many lines are scrolled away.
    scrolled: usize,
}

#[derive(Debug)]
enum Subject {
    /// An order of the journal, with its story.
    Ours(Box<OrderFile>, Box<ShownAttempt>),
    /// A number that the journal does not have.
    Stranger(Question),
}

impl Subject {
    fn of(file: Box<OrderFile>) -> Self {
        let mut shown = ShownAttempt::new(file.row.clone().into());
        let mut before = None;
        for entry in &file.entries {
            let (status, at, by) = (entry.state.status(), entry.at, entry.by.as_ref());
            match &entry.event {
                StoredEvent::Payment(event) => {
                    let means = Means::of(&entry.state);
                    shown.story.add(Happened { event, before, status, means, at, by });
                    shown.cancelled |= *event == Event::Cancel;
                }
                StoredEvent::Act(act) => shown.story.add_act(act, at, by),
                StoredEvent::Refund(told) => {
                    let to = (told.refund, told.state.status());
                    shown.story.add_refund(to, at, by);
                }
            }
            before = Some(status);
        }
        Self::Ours(file, Box::new(shown))
    }

    fn question(&self) -> Question {
        match self {
            Self::Ours(file, _) => Question::Order(Box::new(file.order.clone())),
            Self::Stranger(question) => question.clone(),
        }
    }
}

impl ShownOrder {
    fn new(subject: Subject) -> Self {
        Self { subject, question: 0, asked_at: None, told: None, in_full: false, scrolled: 0 }
    }

    fn is_asking(&self, now: Uptime) -> bool {
        self.asked_at.is_some_and(|at| now.since(at) < ANSWERED_WITHIN)
    }
}

impl FindPage {
    /// What a key has changed, if it differs before and after.
    pub(in crate::screen) fn face(&self) -> impl PartialEq + use<> {
        let (in_full, scrolled) = match &self.showing {
            Showing::Order(order) => (order.in_full, order.scrolled),
            _ => (false, 0),
        };
        let form = self.form.as_ref().map(RefundForm::face);
        (self.typed.to_string(), self.chosen, self.serial, in_full, scrolled, form)
    }

    /// Whether there is nothing that Enter would be for.
    pub(in crate::screen) fn is_idle(&self) -> bool {
        let is_bare = self.typed.is_empty() && self.form.is_none();
        is_bare && self.chosen().is_none() && self.file().is_none()
    }

    /// Whether an answer is awaited.
    pub(in crate::screen) fn is_asking(&self, now: Uptime) -> bool {
        self.order().is_some_and(|order| order.is_asking(now))
    }

    /// How much is typed.
    pub(in crate::screen) fn typed_characters(&self) -> usize {
        self.form.as_ref().map_or_else(|| self.typed.chars().count(), RefundForm::typed_characters)
    }

    fn order(&self) -> Option<&ShownOrder> {
        match &self.showing {
            Showing::Order(order) => Some(order),
            Showing::Nothing | Showing::Reading | Showing::List | Showing::Failed(_) => None,
        }
    }

    /// The order that is shown, if it has a slip.
    pub(in crate::screen) fn printable(&self) -> Option<&OutTradeNo> {
        let row = &self.file()?.row;
        row.state.status().has_slip().then_some(&row.out_trade_no)
    }

    fn file(&self) -> Option<&OrderFile> {
        match &self.order()?.subject {
            Subject::Ours(file, _) => Some(file),
            Subject::Stranger(_) => None,
        }
    }

    fn chosen(&self) -> Option<&OrderRow> {
        self.rows.get(self.chosen).filter(|_| matches!(self.showing, Showing::List))
    }
}

impl Model {
    /// Whether an order may be looked for: a code that was just scanned is on its way.
    pub(in crate::screen) fn can_find(&self) -> bool {
        self.stopped.is_none() && !matches!(self.task, CashierTask::Starting { .. })
    }

    /// Whether the page is open.
    pub fn is_finding(&self) -> bool {
        self.find.is_some()
    }

    /// What the page says that the gateway has said, and of which number.
    pub fn verdict(&self) -> Option<(&str, Verdict)> {
        let order = self.find.as_ref()?.order()?;
        let number = match &order.subject {
            Subject::Ours(file, _) => file.row.out_trade_no.as_str(),
            Subject::Stranger(question) => question.number(),
        };
        order.told.as_ref().map(|(told, _)| (number, told.verdict))
    }

    /// Whether F5 has something to ask about.
    pub(in crate::screen) fn can_ask(&self) -> bool {
        let page = self.find.as_ref().filter(|page| page.form.is_none());
        page.is_some_and(|page| page.order().is_some() || page.chosen().is_some())
    }

    /// Whether every entry of the order can be shown, or its story again.
    pub(in crate::screen) fn can_turn(&self) -> bool {
        self.find.as_ref().is_some_and(|page| page.form.is_none() && page.file().is_some())
    }

    fn terms(&self) -> Option<Terms> {
        let till = TillId::new(&self.settings.till)?;
        Some(Terms { till, currency: self.settings.currency, entry: self.settings.entry })
    }
}

/// Opens the page, or begins anew on it. What is at the desk stays there.
pub(in crate::screen) fn open(model: &mut Model) -> Vec<ScreenCommand> {
    if !model.can_find() {
        if model.stopped.is_none() {
            model.note = Some(Note::NotAnsweredYet);
        }
        return Vec::new();
    }
    model.typing = None;
    model.dropped_at = None;
    model.note = None;
    model.find = None;
    search(model, Wanted::default(), false)
}

/// Leads back to the desk as it was left. What ended there meanwhile is read there.
fn close(model: &mut Model) {
    model.find = None;
    model.note = None;
    if let CashierTask::Payment(order) = &model.task {
        model.notices.retain(|notice| notice.order != *order);
    }
}

/// A search of its own: nothing of an earlier one is left.
fn search(model: &mut Model, wanted: Wanted, asks: bool) -> Vec<ScreenCommand> {
    let refunds = model.find.as_ref().is_some_and(|page| page.refunds);
    model.find = Some(FindPage {
        typed: Zeroizing::default(),
        serial: 0,
        wanted: Wanted::default(),
        asks,
        rows: Vec::new(),
        are_latest: wanted == Wanted::default(),
        chosen: 0,
        showing: Showing::Reading,
        refunds,
        form: None,
    });
    read(model, wanted)
}

/// Has the journal read for what is on the page.
fn read(model: &mut Model, wanted: Wanted) -> Vec<ScreenCommand> {
    let Some(page) = &mut model.find else { return Vec::new() };
    model.searches += 1;
    let serial = model.searches;
    page.serial = serial;
    page.wanted = wanted.clone();
    vec![ScreenCommand::Search { serial, wanted }]
}

/// What a key does on the page.
pub(in crate::screen) fn pressed(model: &mut Model, key: Key) -> Vec<ScreenCommand> {
    if model.find.as_ref().is_some_and(|page| page.form.is_some()) {
        return refund::pressed(model, key);
    }
    let Some(page) = &mut model.find else { return Vec::new() };
    match key {
        Key::Char(character) if page.typed.chars().count() < TYPED_MAX => {
            let narrow = narrow(character);
            let shown = if narrow == ' ' { " ".into() } else { clean(&narrow.to_string(), 2) };
            page.typed.push_str(&shown);
        }
        Key::Backspace => {
            page.typed.pop();
        }
        Key::Up => moved(page, false),
        Key::Down => moved(page, true),
        Key::Enter if !page.typed.is_empty() => {
            let typed = std::mem::take(&mut page.typed);
            return seek(model, &typed, false);
        }
        Key::Enter if matches!(page.showing, Showing::List) => return open_chosen(model, false),
        Key::Enter | Key::Ctrl('r') => turn(page),
        Key::F(5) => {
            return if page.order().is_some() { ask(model) } else { open_chosen(model, true) };
        }
        Key::Esc => back(model),
        _ => {}
    }
    Vec::new()
}

fn moved(page: &mut FindPage, down: bool) {
    let step = |at: usize| if down { at + 1 } else { at.saturating_sub(1) };
    match &mut page.showing {
        Showing::Order(order) => {
            order.scrolled = step(order.scrolled).min(view::last_line(order));
        }
        Showing::List => page.chosen = step(page.chosen).min(page.rows.len().saturating_sub(1)),
        Showing::Nothing | Showing::Reading | Showing::Failed(_) => {}
    }
}

fn turn(page: &mut FindPage) {
    if let Showing::Order(order) = &mut page.showing
        && matches!(order.subject, Subject::Ours(..))
    {
        order.in_full = !order.in_full;
        order.scrolled = 0;
    }
}

/// One step back: what was typed, the entries, the order, the page.
fn back(model: &mut Model) {
    let Some(page) = &mut model.find else { return };
    if !page.typed.is_empty() {
        page.typed = Zeroizing::default();
        return;
    }
    match &mut page.showing {
        Showing::Order(order) if order.in_full => {
            order.in_full = false;
            order.scrolled = 0;
        }
        Showing::Order(_) | Showing::Nothing | Showing::Reading if !page.rows.is_empty() => {
            // What is still sought does not come back.
            page.serial = 0;
            page.showing = Showing::List;
        }
        Showing::Order(_)
        | Showing::Nothing
        | Showing::Reading
        | Showing::List
        | Showing::Failed(_) => close(model),
    }
}

fn open_chosen(model: &mut Model, asks: bool) -> Vec<ScreenCommand> {
    let Some(page) = &mut model.find else { return Vec::new() };
    let Some(number) = page.chosen().map(|row| row.out_trade_no.clone()) else { return Vec::new() };
    (page.asks, page.showing) = (asks, Showing::Reading);
    read(model, Wanted::of(number))
}

/// Scanned on the page, or typed into the terminal by a scanner.
pub(in crate::screen) fn sought(
    model: &mut Model,
    text: &str,
    is_alone: bool,
) -> Vec<ScreenCommand> {
    if let Some(page) = &mut model.find {
        // Whatever was being typed is no part of it.
        page.typed = Zeroizing::default();
    }
    refund::give_up(model);
    if !is_alone {
        return refuse(model, Note::ScanNumberAgain);
    }
    seek(model, text, true)
}

/// The same, where only its meaning is known.
pub(in crate::screen) fn scanned(model: &mut Model, scan: &Scan) -> Vec<ScreenCommand> {
    match scan {
        Scan::OwnReceipt(number) => search(model, Wanted::of(number.clone()), true),
        Scan::Transaction(number) => search(model, Wanted::of_transaction(number.clone()), true),
        Scan::Payment(_)
        | Scan::OtherWallet(_)
        | Scan::ReceiveCode
        | Scan::Goods(_)
        | Scan::Odd(_)
        | Scan::Noise => refuse(model, Note::NoNumber(Scanned::of(scan))),
    }
}

/// Something was scanned that is not looked for. The order before it is taken from the screen: its
/// verdict is no answer to this.
pub(in crate::screen) fn take_away(model: &mut Model) {
    refund::give_up(model);
    if let Some(page) = &mut model.find
        && !matches!(page.showing, Showing::List)
    {
        (page.serial, page.asks, page.showing) = (0, false, Showing::Nothing);
    }
}

fn refuse(model: &mut Model, why: Note) -> Vec<ScreenCommand> {
    take_away(model);
    model.note = Some(why);
    model.ring(Sound::NeedsYou);
    Vec::new()
}

/// A code that stands for money is neither searched for nor sent, and neither is what may be a part
/// of one.
fn seek(model: &mut Model, text: &str, is_scan: bool) -> Vec<ScreenCommand> {
    let Some(terms) = model.terms() else { return Vec::new() };
    let scan = Scan::name(text, &terms.till);
    match scan {
        Scan::Payment(_) | Scan::OtherWallet(_) | Scan::ReceiveCode | Scan::Odd(_) => {
            return refuse(model, Note::NoNumber(Scanned::of(&scan)));
        }
        Scan::Goods(_) if is_scan => return refuse(model, Note::NoNumber(Scanned::of(&scan))),
        Scan::Goods(_) | Scan::OwnReceipt(_) | Scan::Transaction(_) | Scan::Noise => {}
    }
    match Wanted::read(text, &terms) {
        Some(wanted) => {
            model.note = None;
            let is_whole = wanted.number.is_some() || wanted.transaction.is_some();
            search(model, wanted, is_scan && is_whole)
        }
        None if is_scan => refuse(model, Note::NoNumber(Scanned::of(&scan))),
        None => refuse(model, Note::NotSought),
    }
}

/// What a search has found.
pub(in crate::screen) fn found(
    model: &mut Model,
    serial: u64,
    result: Result<Findings, Text>,
) -> Vec<ScreenCommand> {
    let Some(page) = model.find.as_mut().filter(|page| page.serial == serial) else {
        return Vec::new();
    };
    let asks = std::mem::take(&mut page.asks);
    let findings = match result {
        Ok(findings) => findings,
        Err(why) => {
            page.showing = Showing::Failed(why);
            return Vec::new();
        }
    };
    if let Some(file) = findings.file {
        let subject = Subject::of(file);
        match &mut page.showing {
            // Read again because it has moved.
            Showing::Order(order) => order.subject = subject,
            showing => *showing = Showing::Order(Box::new(ShownOrder::new(subject))),
        }
        refund::found(model);
        return if asks { ask(model) } else { Vec::new() };
    }
    let stranger = match (&page.wanted.number, &page.wanted.transaction) {
        _ if !findings.rows.is_empty() => None,
        (Some(number), _) => Some(Question::Number(number.clone())),
        (None, transaction) => transaction.clone().map(Question::Transaction),
    };
    page.chosen = 0;
    page.rows = findings.rows;
    if let Some(question) = stranger {
        let order = ShownOrder::new(Subject::Stranger(question));
        page.showing = Showing::Order(Box::new(order));
        // There is nothing else to show.
        return ask(model);
    }
    page.showing = Showing::List;
    Vec::new()
}

/// Asks the gateway about the order that is shown, unless it has been asked just now.
fn ask(model: &mut Model) -> Vec<ScreenCommand> {
    let (now, wall) = (model.now, model.wall);
    let Some(FindPage { showing: Showing::Order(order), .. }) = &mut model.find else {
        return Vec::new();
    };
    if let Subject::Ours(file, _) = &order.subject
        && let Some(known) = file.without_asking()
    {
        order.told = Some((known, wall));
        return Vec::new();
    }
    if order.is_asking(now) {
        return Vec::new();
    }
    model.questions += 1;
    (order.question, order.asked_at) = (model.questions, Some(now));
    vec![ScreenCommand::Ask { serial: order.question, question: order.subject.question() }]
}

/// What the gateway has answered.
pub(in crate::screen) fn answered(
    model: &mut Model,
    serial: u64,
    enquired: Enquired,
) -> Vec<ScreenCommand> {
    let Some(till) = TillId::new(&model.settings.till) else { return Vec::new() };
    let Some(FindPage { showing: Showing::Order(order), .. }) = &model.find else {
        return Vec::new();
    };
    if order.asked_at.is_none() || order.question != serial {
        return Vec::new();
    }
    let told = match (&order.subject, enquired) {
        (Subject::Ours(file, _), Enquired::Found(found)) => {
            verdict(found, state(model, file), refund::given_back(model, file))
        }
        (Subject::Stranger(Question::Number(number)), Enquired::Found(found)) => {
            whose(&found, number, &till)
        }
        (_, Enquired::Owner(owner)) => match order_of(owner, &till) {
            // No answer that the till has had names this transaction.
            Ok(number) => return search(model, Wanted::of(number), true),
            Err(told) => told,
        },
        (Subject::Stranger(_), Enquired::Found(_)) => return Vec::new(),
    };
    let at = model.wall;
    if let Some(FindPage { showing: Showing::Order(order), .. }) = &mut model.find {
        (order.asked_at, order.told) = (None, Some((told, at)));
    }
    Vec::new()
}

/// Where the till is with it: the journal was read a moment ago.
fn state<'a>(model: &'a Model, file: &'a OrderFile) -> &'a State {
    model.attempt(&file.row.out_trade_no).map_or(&file.row.state, |attempt| &attempt.view.state)
}

/// An attempt has moved: the order on the page is read again.
pub(in crate::screen) fn attempt_moved(
    model: &mut Model,
    number: &OutTradeNo,
) -> Vec<ScreenCommand> {
    let Some(attempt) = model.attempt(number) else { return Vec::new() };
    let (state, recorded) = (&attempt.view.state, attempt.view.recorded);
    let (is_settled, is_open) = (state.is_settled(), state.is_open());
    let is_counted = state.status() == Status::Paid && recorded;
    let Some(FindPage { showing: Showing::Order(order), .. }) = &mut model.find else {
        return Vec::new();
    };
    match &order.subject {
        Subject::Ours(file, _) if file.row.out_trade_no == *number => {}
        Subject::Ours(..) | Subject::Stranger(_) => return Vec::new(),
    }
    match &mut order.told {
        // The till's own query has brought both.
        Some((told, _)) if is_counted && told.why == Some(Why::NotCountedYet) => {
            *told = Told { verdict: Verdict::Paid, why: None };
        }
        // What was not known is known now; what was known is no longer so.
        told => {
            told.take_if(|(told, _)| match told.verdict {
                Verdict::Unknown => is_settled,
                Verdict::Paid => !is_counted,
                Verdict::Unpaid => is_open,
                Verdict::Reversed | Verdict::Refunded | Verdict::Foreign => false,
            });
        }
    }
    read(model, Wanted::of(number.clone()))
}

/// The keys that belong to the page.
pub(in crate::screen) fn keys(
    model: &Model,
    language: Language,
    show: &mut impl FnMut(&'static str, &'static str),
) {
    let (text, words) = (ScreenWords::of(language), FindPageWords::of(language));
    let Some(page) = &model.find else { return };
    if let Some(form) = &page.form {
        return refund::keys(form, text, RefundWords::of(language), show);
    }
    if !model.notices.is_empty() && model.enter_is_for_the_notice() {
        show("Enter", text.key_ok());
    } else if !page.typed.is_empty() {
        show("Enter", words.key_search());
    } else if page.chosen().is_some() {
        show("Enter", words.key_open());
        show(text.arrows(), text.key_choose());
    }
    show("Esc", if page.typed.is_empty() { text.key_back() } else { text.key_clear() });
}

/// The order that the page shows, if it is one of the journal.
fn found_order(model: &Model) -> Option<&OutTradeNo> {
    refund::shown(model.find.as_ref()?)
}

/// What turning the order over shows.
pub(in crate::screen) fn other_side(model: &Model) -> bool {
    let page = model.find.as_ref();
    page.and_then(FindPage::order).is_some_and(|order| !order.in_full)
}

/// What the help page says about it.
pub(in crate::screen) fn help(model: &Model) -> &'static [&'static str] {
    HelpWords::of(model.language).find()
}
