//! `paytill`: the cashier's screen. One loop owns the model and the till; keys, devices, the
//! journal and the gateway only post messages to it.

mod devices;
mod terminal;

use std::io::IsTerminal as _;
use std::time::Duration;

use tokio::sync::mpsc;

use super::signals::Signals;
use super::{Exit, Failure, open};
use crate::both;
use crate::clock::{Millis, Uptime};
use crate::config::{Bell, Config, Gateway, Loaded, ScannerKind};
use crate::device::Health;
use crate::engine::{Attempt, Report, SaleRef};
use crate::journal::{Filter, Reader};
use crate::order::{AuthCode, OutTradeNo};
use crate::payment::Event;
use crate::scan::{BurstKey, EndKey, KeyBurst, Outcome, Scan};
use crate::screen::{self, Command, Key, Link, Message, Model, Settings};
use crate::simulator::Scenario;
use crate::text::{journal, reason};
use crate::till::{Notice, Till};
use devices::{DeviceReport, Devices, Errand};
use paytill_host::clock::Clock;
use terminal::{Input, Terminal};

/// Orders of the past that the screen shows and can reprint.
const RECENT: u32 = 20;
const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
/// How long a visual bell is seen.
const FLASH: Millis = Millis(120);
/// Waits before a gateway that could not be reached is dialled again: the first and the longest.
const REDIAL: Millis = Millis::seconds(5);
const LONGEST_REDIAL: Millis = Millis::seconds(60);
/// So many keys of a burst at most are taken between two looks at everything else.
const KEYS_A_FRAME: usize = 64;

/// Opens the till and its screen, and sells until the cashier leaves.
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
    let opened = open(loaded, clock).await?;
    let recent = recent(config)?;
    // While what is told can still be read.
    let learned = super::wiring::learned(config);
    // Before the terminal is taken: a signal that ends the till must find it watching.
    let signals = Signals::new()?;
    let terminal = Terminal::open(clock).map_err(|error| {
        Failure::of_system(&both!("the terminal cannot be used", "无法使用终端"), &error)
    })?;
    let (report, reports) = mpsc::unbounded_channel();
    let devices = Devices::start(config, learned, clock, report).map_err(|error| {
        Failure::of_system(&both!("a device's thread", "无法启动设备线程"), &error)
    })?;
    let model = Model::new(settings(config, opened.gateway_host.clone()), recent.clone());
    let mut cashier = Cashier {
        model,
        till: opened.till,
        devices,
        terminal,
        config,
        clock,
        recent,
        burst: KeyBurst::new(),
        customers: 0,
        rung: 0,
        flash_until: None,
        printer: None,
        redial: Redial { at: None, wait: REDIAL },
        leaving: None,
    };
    // Known before the first payment, and whether the gateway can be reached is on the first screen.
    cashier.till.warm_up(false);
    cashier.post(Message::Time);
    // Until a scanner of its own says otherwise.
    if matches!(config.scanner.kind, ScannerKind::Auto | ScannerKind::Keyboard) {
        cashier.post(Message::Scanner(Link::Keyboard));
    }
    cashier.work(reports, signals).await
}

struct Cashier<'a> {
    /// First, and so given back first: the end may have to wait for the disk.
    terminal: Terminal,
    model: Model,
    till: Till,
    devices: Devices,
    config: &'a Config,
    clock: &'a Clock,
    /// What can be printed, the newest first.
    recent: Vec<Attempt>,
    burst: KeyBurst,
    /// Training customers that have shown a code.
    customers: u64,
    rung: u64,
    flash_until: Option<Uptime>,
    /// As it was last told, to be told again in another language.
    printer: Option<Health>,
    redial: Redial,
    leaving: Option<Exit>,
}

/// When a gateway that could not be reached is dialled again, so that the status line tells of its
/// return though nobody sells.
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

    /// Whether it is time, once.
    fn is_due(&mut self, now: Uptime) -> bool {
        self.at.take_if(|at| *at <= now).is_some()
    }
}

impl Cashier<'_> {
    async fn work(
        &mut self,
        mut reports: mpsc::UnboundedReceiver<DeviceReport>,
        mut signals: Signals,
    ) -> Result<Exit, Failure> {
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
                () = tokio::time::sleep(sleep) => self.time(),
                _ = signals.next() => {
                    let open = self.till.is_open();
                    self.leaving = Some(if open { Exit::Attention } else { Exit::Done });
                }
            }
        }
    }

    /// Until something on the screen changes by itself.
    fn sleep(&self) -> Millis {
        let now = self.clock.uptime();
        let beat = if self.model.counts_seconds() { SECOND } else { MINUTE };
        // In step with the wall clock, which is on the screen.
        let wall = u64::try_from(self.clock.wall().0).unwrap_or(0);
        let next = Millis(beat - wall % beat);
        let held = self.burst.wake_at().map(|at| at.since(now));
        let flash = self.flash_until.map(|at| at.since(now));
        let redial = self.redial.at.map(|at| at.since(now));
        held.into_iter().chain(flash).chain(redial).fold(next, Millis::min)
    }

    fn draw(&mut self) -> Result<(), Failure> {
        self.devices.show(self.model.for_the_customer(), self.config);
        if self.model.rings() > self.rung {
            self.rung = self.model.rings();
            match self.config.screen.bell {
                Bell::Bell => self.terminal.ring(),
                Bell::Visual => self.flash_until = Some(self.clock.uptime().after(FLASH)),
                Bell::Off => {}
            }
        }
        let flashes = self.flash_until.is_some();
        self.terminal.draw(&self.model, flashes).map_err(|error| {
            Failure::of_system(&both!("the terminal is gone", "终端已断开"), &error)
        })
    }

    fn post(&mut self, message: Message) {
        let language = self.model.language();
        self.apply(message);
        if self.model.language() != language
            && let Some(health) = &self.printer
        {
            let link = devices::link(health, self.model.language());
            self.apply(Message::Printer(link));
        }
    }

    fn apply(&mut self, message: Message) {
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        for command in screen::update(&mut self.model, message, now, wall) {
            self.obey(command);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Begin { sale, code } => self.begin(sale, code),
            Command::Cancel(order) => self.till.handle_event(&order, Event::Cancel),
            Command::CheckNow(order) => self.till.handle_event(&order, Event::CheckNow),
            Command::Supersede(order) => self.till.handle_event(&order, Event::Supersede),
            Command::WarmUp => self.till.warm_up(false),
            Command::Print { out_trade_no, copy } => self.print(&out_trade_no, copy),
            Command::OpenDrawer => self.open_drawer(),
            Command::Train(customer) => self.train(customer),
            Command::Quit => self.leaving = Some(Exit::Done),
        }
    }

    fn begin(&mut self, sale: SaleRef, code: AuthCode) {
        if let Err(refusal) = self.till.begin(sale, String::new(), code) {
            tracing::warn!(?refusal, "not begun");
            self.post(Message::NotBegun(refusal));
        }
    }

    fn print(&mut self, order: &OutTradeNo, copy: bool) {
        let language = self.model.language();
        let Some(attempt) = self.recent.iter().find(|attempt| attempt.out_trade_no == *order)
        else {
            return;
        };
        if let Err(why) = self.devices.print(attempt, copy, self.config, language) {
            let how = screen::Printing::Failed(why);
            self.post(Message::Printed { out_trade_no: order.clone(), how });
        }
    }

    fn open_drawer(&mut self) {
        tracing::info!("the cashier opens the drawer");
        if let Err(why) = self.devices.open_drawer(self.config, self.model.language()) {
            self.post(Message::Drawer(screen::Printing::Failed(why)));
        }
    }

    /// A training customer shows a fresh code, as a scan.
    fn train(&mut self, customer: usize) {
        self.customers += 1;
        let serial = u64::try_from(self.clock.wall().0).unwrap_or(0) + self.customers;
        let scenario = Scenario::menu().get(customer).copied();
        if let Some(code) = scenario.and_then(|scenario| AuthCode::new(&scenario.code(serial))) {
            self.post(Message::Scanned(Scan::Payment(code)));
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
                self.post(Message::Attempt(attempt, event));
            }
            Notice::Stopped(error) => {
                self.post(Message::JournalFailed(journal::text(&error)));
            }
            Notice::Gateway(Ok(())) => {
                self.redial.reached();
                self.post(Message::Gateway(Link::Ready));
            }
            Notice::Gateway(Err(cause)) => {
                self.redial.failed(self.clock.uptime());
                let why = reason::happened(&cause.into(), language);
                self.post(Message::Gateway(Link::Failed(why)));
            }
        }
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Key(event, at) => {
                let Some(key) = Key::of(&event) else { return };
                let pushed = match key {
                    Key::Char(letter) => BurstKey::Char(letter),
                    Key::Enter => BurstKey::End(EndKey::Enter),
                    Key::Tab => BurstKey::End(EndKey::Tab),
                    _ => BurstKey::Other,
                };
                let outcomes = self.burst.push(pushed, at);
                self.keyed(outcomes);
                if pushed == BurstKey::Other {
                    self.post(Message::Key(key));
                }
            }
            Input::Redraw => {}
            // The terminal was closed: as with the plug, what is open is resolved at the next start.
            Input::Gone => self.leaving = Some(Exit::Fault),
        }
    }

    fn keyed(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            match outcome {
                Outcome::Typed(letters) => {
                    for letter in letters {
                        self.post(Message::Key(Key::Char(letter)));
                    }
                }
                Outcome::End(EndKey::Enter) => self.post(Message::Key(Key::Enter)),
                Outcome::End(EndKey::Tab) => self.post(Message::Key(Key::Tab)),
                Outcome::Scanned(text) => self.scanned(&text),
                Outcome::Unended => self.post(Message::UnendedBurst),
            }
        }
    }

    fn scanned(&mut self, text: &str) {
        self.post(Message::Scanned(Scan::name(text, &self.config.till.id)));
    }

    fn device(&mut self, report: DeviceReport) {
        let language = self.model.language();
        match report {
            DeviceReport::Scanned(text) => self.scanned(&text),
            DeviceReport::Noise => self.post(Message::Scanned(Scan::Noise)),
            DeviceReport::Scanner(health) => {
                self.post(Message::Scanner(devices::link(&health, language)));
            }
            DeviceReport::Printer(health) => {
                self.post(Message::Printer(devices::link(&health, language)));
                self.printer = Some(health);
            }
            DeviceReport::Display(health) => {
                self.post(Message::Display(devices::link(&health, language)));
            }
            DeviceReport::Job(id, ended) => {
                let how = devices::printing(ended, language);
                match self.devices.finished(id) {
                    Some(Errand::Receipt(out_trade_no)) => {
                        self.post(Message::Printed { out_trade_no, how });
                    }
                    Some(Errand::Drawer) => {
                        tracing::info!(?how, "the drawer was told to open");
                        self.post(Message::Drawer(how));
                    }
                    None => {}
                }
            }
        }
    }

    /// Takes what has come already: a burst is drawn once, and not key by key.
    fn inputs(&mut self, most: usize) {
        for _ in 0..most {
            let Some(input) = self.terminal.waiting() else { return };
            self.input(input);
        }
    }

    fn time(&mut self) {
        // Keys that wait here are older than the silence that seems to follow the last one.
        self.inputs(usize::MAX);
        let now = self.clock.uptime();
        let outcomes = self.burst.tick(now);
        self.keyed(outcomes);
        self.flash_until = self.flash_until.filter(|until| *until > now);
        if self.redial.is_due(now) {
            self.till.warm_up(false);
        }
        self.post(Message::Time);
    }
}

fn settings(config: &Config, gateway_host: String) -> Settings {
    let training = matches!(config.gateway, Gateway::Simulator)
        .then(|| Scenario::menu().iter().map(|scenario| scenario.name().into_owned()).collect());
    let printer = config.printer.kind != crate::config::PrinterKind::None;
    Settings {
        store: config.store.name.clone(),
        till: config.till.id.as_str().to_owned(),
        language: config.till.language,
        currency: config.till.currency,
        time_zone: config.store.time_zone.clone(),
        entry: config.payment.entry,
        theme: config.screen.theme,
        confirm_above: config.screen.confirm_above,
        bell: config.screen.bell != Bell::Off,
        training,
        gateway_host,
        rules: config.payment.rules,
        printer_configured: printer,
        auto_print: config.printer.auto_print,
        drawer: printer && config.printer.drawer.is_some(),
    }
}

/// The last orders, and all that are open: the first frame shows them.
fn recent(config: &Config) -> Result<Vec<Attempt>, Failure> {
    let reader = Reader::of_held(&config.journal.path)?;
    let mut rows = reader.orders(&Filter { limit: Some(RECENT), ..Filter::default() })?;
    let oldest = rows.last().map_or(0, |row| row.attempt);
    let open = reader.orders(&Filter { open: true, ..Filter::default() })?;
    rows.extend(open.into_iter().filter(|row| row.attempt < oldest));
    Ok(rows.into_iter().map(Attempt::from).collect())
}
