//! `paytill`: the cashier's screen.
//!
//! One loop owns the model and the till; the keyboard, the devices, the journal and the gateway
//! only post messages to it. Each turn draws the screen, waits for the next message or the next
//! second, and carries out the commands that the model returns. Nothing in the loop blocks: a
//! terminal that hangs, a printer without paper or a slow gateway holds up no payment. When the
//! cashier quits, or on a signal, what is open stays in the journal for the next start.

mod archive;
mod bills;
mod chime;
mod codes;
mod devices;
mod gate;
mod money;
mod past;
mod refund_slips;
mod second_screen;
mod shelf;
mod slips;
mod training;
mod voice;

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::output::masked;
use super::signals::Signals;
use super::terminal::{Terminal, TerminalInput, draws_chinese};
use super::{Exit, Failure, open};
use crate::both;
use crate::clock::{Millis, Uptime};
use crate::config::{Bell, Config, GatewayConfig, Loaded, PrinterKind, ScannerKind};
use crate::device::Health;
use crate::engine::{Attempt, RefundRecord, Report, SaleRef};
use crate::journal::Slip;
use crate::operators::{self, Operators};
use crate::order::{AuthCode, OutTradeNo};
use crate::payment::Event;
use crate::scan::Scan;
use crate::screen::{
    self, GoodsCommand, GoodsMessage, Link, Model, MoneyNews, RawScan, ScreenCommand,
    ScreenMessage, Settings, Typist,
};
use crate::simulator::{Scenario, Server};
use crate::text::{journal, reason};
use crate::till::{NotRefunded, Notice, Till};
use archive::{Archive, RefundRead};
use chime::Chime;
use devices::{DeviceReport, Devices, JobPurpose};
use gate::Gate;
use past::Past;
use paytill_host::clock::Clock;
use second_screen::SecondScreen;
use shelf::Shelf;
use voice::Voice;

/// How many past orders the screen shows and can reprint.
const RECENT: u32 = 20;
const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
/// The first and the longest wait before an unreachable gateway is dialled again.
const REDIAL: Millis = Millis::seconds(5);
const LONGEST_REDIAL: Millis = Millis::seconds(60);
/// At most this many keys of a burst are handled before everything else gets its turn.
const KEYS_A_FRAME: usize = 64;

/// Opens the till and its screen, and sells until the cashier quits.
pub async fn run(loaded: &Loaded, clock: &Clock) -> Result<Exit, Failure> {
    if !std::io::stdout().is_terminal() {
        let sentence = both!(
            "the cashier's screen needs a terminal; `paytill pay` takes payments without",
            "收银界面需要在终端中打开；没有终端时请用 paytill pay 收款"
        );
        return Err(Failure::new(Exit::Usage, sentence));
    }
    if std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        let sentence = both!(
            "the cashier's screen needs a terminal that can place text; TERM names none",
            "收银界面需要能定位文字的终端；TERM 没有指明这样的终端"
        );
        return Err(Failure::new(Exit::Usage, sentence));
    }
    let config = &loaded.config;
    let operators = Operators::read(&operators::path(&config.journal.path))?;
    let opened = open(loaded, clock).await?;
    let Past { recent, refunds: given_back, left } = Past::read(config, clock)?;
    // While a message on the terminal can still be read.
    let learned = super::wiring::learned(config);
    // Before the terminal is taken over, so that a signal cannot end the till without restoring it.
    let signals = Signals::new()?;
    let terminal = Terminal::open(clock, config.screen.glyphs).map_err(|error| {
        Failure::of_system(&both!("the terminal cannot be used", "无法使用终端"), &error)
    })?;
    let (report, reports) = mpsc::unbounded_channel();
    let (answer, answers) = mpsc::unbounded_channel();
    let (refund, refunds) = mpsc::unbounded_channel();
    let devices = Devices::start(config, learned, clock, report).map_err(|error| {
        Failure::of_system(&both!("a device's thread", "无法启动设备线程"), &error)
    })?;
    let voice =
        if config.screen.voice.is_empty() { None } else { Some(Voice::start(clock.clone())) };
    let voice = voice.transpose().map_err(|error| {
        Failure::of_system(&both!("the voice's thread", "无法启动语音线程"), &error)
    })?;
    let shelf = Shelf::start(config, answer.clone()).map_err(|error| {
        Failure::of_system(&both!("the goods' thread", "无法启动商品线程"), &error)
    })?;
    let settings = settings(config, opened.gateway_host.clone(), !operators.is_empty());
    let mut model = Model::new(settings, recent.clone());
    model.knows_refunds(given_back);
    let is_training = matches!(config.gateway, GatewayConfig::Simulator);
    let mut cashier = Cashier {
        second_screen: SecondScreen::start(&config.journal.path, is_training),
        model,
        till: opened.till,
        devices,
        archive: Archive::new(config, answer.clone(), refund),
        gate: Gate::new(config, answer),
        shelf,
        terminal,
        config,
        clock,
        recent,
        typist: Typist::new(config.till.id.clone()),
        customers: 0,
        real_code: None,
        rung: 0,
        chime: Chime::default(),
        voice,
        printer: None,
        redial: Redial { at: None, wait: REDIAL },
        due: Vec::new(),
        leaving: None,
        bank: opened.training,
    };
    // Learns the local address before the first payment, and whether the gateway can be reached.
    cashier.till.warm_up(false);
    cashier.shelf.look();
    cashier.post(ScreenMessage::Time);
    // Until a dedicated scanner is found.
    if matches!(config.scanner.kind, ScannerKind::Auto | ScannerKind::Keyboard) {
        cashier.post(ScreenMessage::Scanner(Link::Keyboard));
    }
    cashier.go_on_printing(left);
    cashier.go_on_with_parts();
    cashier.look_for_a_shift();
    cashier.show_open_refunds();
    cashier.run(reports, answers, refunds, signals).await
}

struct Cashier<'a> {
    /// First, so that it is dropped first: the rest may have to wait for the disk.
    terminal: Terminal,
    second_screen: SecondScreen,
    model: Model,
    till: Till,
    devices: Devices,
    archive: Archive,
    gate: Gate,
    shelf: Shelf,
    config: &'a Config,
    clock: &'a Clock,
    /// The orders that can be printed, newest first.
    recent: Vec<Attempt>,
    typist: Typist,
    /// How many training customers have shown a code.
    customers: u64,
    /// In training, the order begun with a code that none of them has shown.
    real_code: Option<OutTradeNo>,
    rung: u64,
    chime: Chime,
    voice: Option<Voice>,
    /// The last report, kept to be shown again in another language.
    printer: Option<Health>,
    redial: Redial,
    /// The slips in the journal of payments that are about to be shown as ended.
    due: Vec<Slip>,
    leaving: Option<Exit>,
    /// The simulated gateway, in training.
    bank: Option<Server>,
}

/// When an unreachable gateway is dialled again, so that the status line shows its return even if
/// nothing is sold.
struct Redial {
    at: Option<Uptime>,
    wait: Millis,
}

impl Redial {
    fn reached(&mut self) {
        *self = Self { at: None, wait: REDIAL };
    }

    fn failed(&mut self, now: Uptime) {
        self.at = Some(now.after(self.wait));
        self.wait = self.wait.plus(self.wait).min(LONGEST_REDIAL);
    }

    /// Whether it is due; true only once.
    fn is_due(&mut self, now: Uptime) -> bool {
        self.at.take_if(|at| *at <= now).is_some()
    }
}

impl Cashier<'_> {
    async fn run(
        &mut self,
        mut reports: mpsc::UnboundedReceiver<DeviceReport>,
        mut answers: mpsc::UnboundedReceiver<ScreenMessage>,
        mut refunds: mpsc::UnboundedReceiver<RefundRead>,
        mut signals: Signals,
    ) -> Result<Exit, Failure> {
        self.draw()?;
        // What a sale rests on was checked at the start; nobody waits for the rest.
        self.till.check_journal();
        loop {
            self.draw()?;
            if let Some(exit) = self.leaving {
                return Ok(exit);
            }
            let sleep = Duration::from(self.sleep());
            tokio::select! {
                notice = self.till.next() => self.noticed(notice),
                input = self.terminal.next() => {
                    self.input(input);
                    self.inputs(KEYS_A_FRAME);
                }
                Some(report) = reports.recv() => self.device(report),
                Some(answer) = answers.recv() => self.post(answer),
                Some(read) = refunds.recv() => self.refund(read),
                () = tokio::time::sleep(sleep) => self.time(),
                _ = signals.next() => {
                    let open = self.till.is_open();
                    self.leaving = Some(if open { Exit::Attention } else { Exit::Done });
                }
            }
        }
    }

    /// How long until something on the screen changes by itself.
    fn sleep(&self) -> Millis {
        let now = self.clock.uptime();
        let beat = if self.model.counts_seconds() { SECOND } else { MINUTE };
        // Aligned with the wall clock, which is on the screen.
        let wall = u64::try_from(self.clock.wall().0).unwrap_or(0);
        let next = Millis(beat - wall % beat);
        let held = self.typist.wake_at().map(|at| at.since(now));
        let chime = self.chime.wake_at().map(|at| at.since(now));
        let redial = self.redial.at.map(|at| at.since(now));
        held.into_iter().chain(chime).chain(redial).fold(next, Millis::min)
    }

    fn draw(&mut self) -> Result<(), Failure> {
        let customer = self.model.for_the_customer();
        self.devices.show(customer, self.config);
        self.second_screen.show(customer, self.model.code_for_the_customer());
        self.model.draws_blocks(self.terminal.draws_blocks());
        let now = self.clock.uptime();
        if self.chime.strikes(now) && self.config.screen.bell == Bell::Bell {
            self.terminal.ring();
        }
        let flashes = self.chime.is_flashing() && self.config.screen.bell == Bell::Visual;
        self.terminal.draw(|frame| screen::view(&self.model, frame), flashes).map_err(|error| {
            Failure::of_system(&both!("the terminal is gone", "终端已断开"), &error)
        })
    }

    fn post(&mut self, message: ScreenMessage) {
        let language = self.model.language();
        self.apply(message);
        if self.model.language() != language
            && let Some(health) = &self.printer
        {
            let link = devices::link(health, self.model.language());
            self.apply(ScreenMessage::Printer(link));
        }
    }

    fn apply(&mut self, message: ScreenMessage) {
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let commands = screen::update(&mut self.model, message, now, wall);
        // At once: of two sounds in a turn none is lost.
        if self.model.rings() > self.rung {
            self.rung = self.model.rings();
            self.chime.begin(self.model.sound());
            self.speak();
        }
        for command in commands {
            self.obey(command);
        }
    }

    fn obey(&mut self, command: ScreenCommand) {
        match command {
            ScreenCommand::Begin { sale, code } => self.begin(sale, code),
            ScreenCommand::OrderCode { sale } => self.order_code(sale),
            ScreenCommand::PrintBill(order) => self.print_bill(order),
            ScreenCommand::Cancel(order) => self.handle_event(&order, Event::Cancel),
            ScreenCommand::CheckNow(order) => self.handle_event(&order, Event::CheckNow),
            ScreenCommand::Search { serial, wanted } => self.archive.search(serial, wanted),
            ScreenCommand::ReadDay(date) => self.archive.read_day(date),
            ScreenCommand::Ask { serial, question } => {
                self.till.enquire(serial, question, self.model.by());
            }
            ScreenCommand::Refund { out_trade_no, amount, reason } => {
                let by = self.model.by();
                self.archive.read_refund(out_trade_no, (amount, masked(&reason), by));
            }
            ScreenCommand::WarmUp => self.till.warm_up(false),
            ScreenCommand::Print { out_trade_no, copy: true } => {
                self.till.print_copy(&out_trade_no, self.model.by());
            }
            ScreenCommand::Print { out_trade_no, copy: false } => self.print(&out_trade_no),
            ScreenCommand::OverrulePrinter(order) => self.devices.overrule_printer(order),
            ScreenCommand::OpenDrawer => self.note_drawer(),
            ScreenCommand::TakeCash { sale, tendered } => self.take_cash(sale, tendered),
            ScreenCommand::ReturnCash { sale, cash } => self.return_cash(sale, &cash),
            ScreenCommand::MoveCash { is_out, amount, reason } => {
                self.till.move_cash(is_out, amount, reason, self.model.by());
            }
            ScreenCommand::ReadShift => self.archive.read_shift(self.clock.wall()),
            ScreenCommand::ReadBill(day) => self.read_bill(day),
            ScreenCommand::OpenShift { float } => self.open_shift(float),
            ScreenCommand::CloseShift { counted, carry } => self.close_shift(counted, carry),
            ScreenCommand::PrintReport { report, is_copy } => self.print_report(&report, is_copy),
            ScreenCommand::Goods(command) => self.goods(command),
            ScreenCommand::SignIn { serial, pin } => self.gate.ask(serial, pin),
            ScreenCommand::ReadOperators => self.gate.read(),
            ScreenCommand::Train(customer) => self.train(customer),
            ScreenCommand::Quit => self.leaving = Some(Exit::Done),
        }
    }

    fn goods(&mut self, command: GoodsCommand) {
        match command {
            GoodsCommand::Find { serial, code } => self.shelf.find(serial, code),
            GoodsCommand::Search { serial, typed } => self.shelf.search(serial, typed),
            GoodsCommand::Keep(held) => self.shelf.keep(held),
            GoodsCommand::Change(mut sale) => {
                let consent = self.model.by().and_then(|by| by.consent);
                sale.consent = consent.or(sale.consent);
                self.post(ScreenMessage::Goods(GoodsMessage::Changed(sale)));
            }
        }
    }

    fn speak(&self) {
        let Some(voice) = &self.voice else { return };
        let (sentence, amount) = self.model.spoken();
        let sound = self.model.sound().word();
        if let Some(line) = self.config.screen.voice_line([&sentence, sound, &amount]) {
            voice.say(line);
        }
    }

    fn begin(&mut self, sale: SaleRef, code: AuthCode) {
        let is_real = matches!(self.config.gateway, GatewayConfig::Simulator)
            && !Scenario::is_practice(code.expose());
        let sold = Arc::new(self.model.sold_for(sale));
        match self.till.begin(sale, String::new(), sold, code, self.model.by()) {
            Ok(number) => self.real_code = is_real.then_some(number),
            Err(refusal) => {
                tracing::warn!(?refusal, "not begun");
                self.post(ScreenMessage::NotBegun(refusal));
            }
        }
    }

    /// Refunds of earlier runs that have work left.
    fn show_open_refunds(&mut self) {
        let open: Vec<RefundRecord> = self.till.open_refunds().collect();
        for refund in open {
            let before = Some(refund.state.status());
            self.post(ScreenMessage::Refund { refund: Box::new(refund), before });
        }
    }

    /// The order was read: the refund begins, if it may.
    fn refund(&mut self, read: RefundRead) {
        match read.and_then(|start| self.till.begin_refund(start)) {
            Ok(_) => {}
            Err(NotRefunded::Refused(why)) => self.post(ScreenMessage::NotRefunded(why)),
            Err(NotRefunded::Journal(error)) => {
                self.post(ScreenMessage::RefundNotRead(journal::text(&error)));
            }
            Err(NotRefunded::NoSuchOrder) => {
                let why = both!("there is no such order", "没有这笔订单");
                self.post(ScreenMessage::RefundNotRead(why));
            }
        }
    }

    fn handle_event(&mut self, order: &OutTradeNo, event: Event) {
        self.till.handle_event(order, event, self.model.by());
    }

    /// The journal knows who opens the drawer.
    fn open_drawer(&mut self) {
        if let Err(why) = self.devices.open_drawer(self.config, self.model.language()) {
            self.post(ScreenMessage::Drawer(screen::Printing::Failed(why)));
        }
    }

    fn noticed(&mut self, notice: Notice) {
        let language = self.model.language();
        match notice {
            Notice::Attempt(report) => {
                let Report { attempt, event, .. } = *report;
                self.recent.retain(|known| known.out_trade_no != attempt.out_trade_no);
                self.recent.insert(0, attempt.clone());
                self.recent.truncate(2 * RECENT as usize);
                let tells = self.real_code.as_ref() == Some(&attempt.out_trade_no)
                    && (event == Event::Begun || attempt.state.status().is_final_for_cashier());
                if event == Event::Begun {
                    self.cash_is_in(&attempt);
                }
                self.post(ScreenMessage::Attempt(attempt, event));
                if tells {
                    self.post(ScreenMessage::RealCode);
                }
            }
            Notice::Stopped(error) => {
                self.post(ScreenMessage::JournalFailed(journal::text(&error)));
            }
            Notice::SlipDue(slip) => self.due.push(slip),
            Notice::SlipQueued(slip, attempt) => self.hand_over(&slip, &attempt),
            Notice::SlipBegun { slip, recorded: true } => self.devices.begin(slip),
            Notice::SlipBegun { slip, recorded: false } => self.slip_must_not_begin(slip),
            Notice::DrawerNoted { recorded: true } => self.open_drawer(),
            Notice::CashMoved { recorded: true } => {
                self.open_drawer();
                self.post(ScreenMessage::Money(MoneyNews::CashMoved));
            }
            Notice::CashReturned { sale, recorded: true } => {
                self.open_drawer();
                self.post(ScreenMessage::Money(MoneyNews::CashReturned(sale)));
            }
            // The sales have stopped, which is on the screen.
            Notice::DrawerNoted { recorded: false }
            | Notice::CashMoved { recorded: false }
            | Notice::CashReturned { recorded: false, .. } => {}
            Notice::Refund(report) => self.refund_moved(*report),
            Notice::RefundSlip(slip, paper) => self.hand_over_refund(&slip, &paper),
            Notice::Shift(done) => self.shift_done(done),
            Notice::Enquired { serial, enquired } => {
                self.post(ScreenMessage::Enquired { serial, enquired });
            }
            Notice::Gateway(Ok(())) => {
                self.redial.reached();
                self.post(ScreenMessage::Gateway(if self.till.is_on_backup() {
                    Link::Warned(language.pick("backup host", "备用线路").to_owned())
                } else {
                    Link::Ready
                }));
            }
            Notice::Gateway(Err(why)) => {
                self.redial.failed(self.clock.uptime());
                let why = reason::cause_sentence(&why, language);
                self.post(ScreenMessage::Gateway(Link::Failed(why)));
            }
        }
    }

    fn input(&mut self, input: TerminalInput) {
        match input {
            TerminalInput::Pressed(pressed) => {
                let messages = self.typist.press(pressed, self.model.target());
                for message in messages {
                    self.post(message);
                }
            }
            TerminalInput::Redraw => {}
            // The terminal was closed. As after a power cut, what is open is resolved at the next
            // start.
            TerminalInput::Gone => self.leaving = Some(Exit::Fault),
        }
    }

    fn scanned(&mut self, text: Zeroizing<String>) {
        self.post(if self.model.is_finding() {
            ScreenMessage::Sought(RawScan(text))
        } else {
            ScreenMessage::Scanned(Scan::name(&text, &self.config.till.id))
        });
    }

    fn device(&mut self, report: DeviceReport) {
        let language = self.model.language();
        match report {
            DeviceReport::Scanned(text) => self.scanned(text),
            DeviceReport::Noise => self.post(ScreenMessage::Scanned(Scan::Noise)),
            DeviceReport::Scanner(health) => {
                self.post(ScreenMessage::Scanner(devices::link(&health, language)));
            }
            DeviceReport::Printer(health) => {
                self.post(ScreenMessage::Printer(devices::link(&health, language)));
                self.printer = Some(health);
            }
            DeviceReport::Display(health) => {
                self.post(ScreenMessage::Display(devices::link(&health, language)));
            }
            DeviceReport::Begins(job) => self.slip_begins(job),
            DeviceReport::Job(id, ended) => match self.devices.finished(id) {
                Some(JobPurpose::Slip(slip, _)) => self.slip_ended(slip, &ended),
                Some(JobPurpose::RefundSlip(job)) => self.refund_slip_ended(job.slip, &ended),
                Some(JobPurpose::Drawer) => {
                    let how = devices::printing(&ended, language);
                    tracing::info!(?how, "the drawer was asked to open");
                    self.post(ScreenMessage::Drawer(how));
                }
                Some(JobPurpose::Bill(order)) => self.bill_ended(order, &ended),
                Some(JobPurpose::Report(report)) => self.report_ended(report, &ended),
                None => {}
            },
        }
    }

    /// Handles the input that is already waiting, so that a burst is drawn once and not key by key.
    fn inputs(&mut self, most: usize) {
        for _ in 0..most {
            let Some(input) = self.terminal.waiting() else { return };
            self.input(input);
        }
    }

    fn time(&mut self) {
        // Keys that are waiting here came before the silence that seems to follow the last one.
        self.inputs(usize::MAX);
        let now = self.clock.uptime();
        let messages = self.typist.tick(now, self.model.target());
        for message in messages {
            self.post(message);
        }
        if self.redial.is_due(now) {
            self.till.warm_up(false);
        }
        self.shelf.look();
        self.post(ScreenMessage::Time);
    }
}

fn settings(config: &Config, gateway_host: String, operators: bool) -> Settings {
    let training = matches!(config.gateway, GatewayConfig::Simulator).then(training::customers);
    let printer = config.printer.kind != PrinterKind::None;
    Settings {
        store: config.store.name.clone(),
        till: config.till.id.as_str().to_owned(),
        language: config.till.language,
        currency: config.till.currency,
        time_zone: config.store.time_zone.clone(),
        entry: config.payment.entry,
        theme: config.screen.theme,
        confirm_above: config.screen.confirm_above,
        bell: config.screen.bell != Bell::Off || !config.screen.voice.is_empty(),
        training,
        gateway_host,
        rules: config.payment.rules,
        printer_configured: printer,
        auto_print: config.printer.auto_print,
        drawer: printer && config.printer.drawer.is_some(),
        operators,
        lock_after: config.till.lock_after,
        drawer_by_manager: operators && config.till.drawer_by_manager,
        shift_required: config.shift.required,
        discount_limit: config.goods.discount_limit,
        refund_consent_above: config.refund.consent_above,
        draws_chinese: draws_chinese(),
    }
}
