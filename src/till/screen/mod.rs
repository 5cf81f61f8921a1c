//! The cashier's screen: a model, the messages that change it, and pure functions that draw it.
//!
//! [`update()`] alone changes the [`Model`]; it returns what the till must do. [`view()`] draws the
//! model and cannot change it. Neither does I/O or reads a clock: the time comes with every
//! message. Whatever the size of the window, open money is in sight.
//!
//! The middle belongs to a page (`pages/`): a file with its state, its keys, its help and its
//! drawing. While the till is locked that is one page, which takes all keys. An overlay (`overlays/`) covers it for a while: help, the training customers, all
//! commands. The regions of the screen, from top to bottom, and the files that draw them, in `view/`
//! if nothing else is said:
//!
//! ```text
//! +-------------------------------------------------------------+
//! | shop, till                                             time |  mod
//! | TRAINING                                                    |  mod
//! | the tray: open payments that are not at the desk            |  tray
//! | a payment that ended in the background                      |  strips
//! | +--------------------------------------+  the day           |  pages/checkout | day
//! | | the page: amount, code, payment;     |  last sales        |  sheet, payment | lists
//! | | word, sum, next step                 |  (only these in a  |
//! | +--------------------------------------+  narrow window,    |
//! | | question                             |  below the page)   |  strips
//! | +--------------------------------------+                    |
//! | the story of this payment                                   |  lists
//! | note                                                        |  strips
//! | WeChat Pay, scanner, printer, display                       |  links
//! | the keys that work now                                      |  strips
//! +-------------------------------------------------------------+
//! ```
//!
//! A code that the customer scans (`pages/code`) stands at the left from top to bottom where the window
//! has no room for it below the strips, which are beside it then.
//!
//! A window smaller than [`SMALLEST_WIDTH`] by [`SMALLEST_HEIGHT`] is drawn by `compact`.

mod ascii;
mod basket;
mod bell;
mod customer;
mod customer_view;
mod day;
mod dialog;
mod digits;
mod goods_note;
mod guard;
mod hold;
mod keyboard;
mod keys;
mod letters;
mod model;
mod note;
mod overlays;
mod pages;
mod palette;
mod paper;
mod part_paid;
mod pin;
mod qr;
mod rest;
mod ring_up;
mod shapes;
mod sound;
#[cfg(test)]
mod tests;
mod tray;
mod typist;
mod update;
mod view;
mod wrap;

use crate::clock::{Date, TimeZone, Timestamp, Uptime};
use crate::find::{Findings, Wanted};
use crate::gateway::{Enquired, Question};
use crate::journal::ShiftDone;
use crate::language::{Language, Text};
use crate::money::{AmountEntry, Currency, Money};
use crate::operators::{Operator, Pin};
use crate::order::{AuthCode, OutTradeNo};
use crate::payment::{self, Event};
use crate::reconcile::Reconciled;
use crate::refund::{RefundRefusal, RefundStatus};
use crate::sale::Rate;
use crate::scan::Scan;
use crate::shift::Report;

pub use crate::config::Theme;
pub use crate::engine::Attempt as AttemptView;
pub use crate::engine::SaleRef;
use crate::engine::{RefundRecord, Refusal};
pub use ascii::in_ascii;
pub use customer_view::{CustomerViewSettings, customer_view};
pub use day::DayOrder;
pub use keyboard::{KeyReader, Pressed};
pub use keys::Key;
pub use model::Model;
pub use note::not_searched;
pub use part_paid::PartPaid;
pub use pin::SignedIn;
pub use ring_up::{Found, GoodsCommand, GoodsMessage};
pub use sound::Sound;
pub use typist::Typist;
pub use update::update;
pub use view::{SMALLEST_HEIGHT, SMALLEST_WIDTH, view};

/// What the screen needs to know before its first frame.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Settings {
    pub store: String,
    pub till: String,
    pub language: Language,
    pub currency: Currency,
    /// For the times of day on the screen.
    pub time_zone: TimeZone,
    pub entry: AmountEntry,
    pub theme: Theme,
    /// Amounts above this need a confirmation.
    pub confirm_above: Option<Money>,
    /// Whether [`Model::rings`] counts.
    pub bell: bool,
    /// The training customers, as names of scenarios; `None` where real money moves.
    pub training: Option<Vec<String>>,
    pub gateway_host: String,
    pub rules: payment::Rules,
    pub printer_configured: bool,
    pub auto_print: bool,
    /// Whether there is a cash drawer to open.
    pub drawer: bool,
    /// Whether people sign in. Without operators nothing of that is seen.
    pub operators: bool,
    /// After so long without a key or a scan the till locks itself.
    pub lock_after: Option<crate::clock::Millis>,
    /// Whether a cashier needs a manager's consent to open the drawer by its key.
    pub drawer_by_manager: bool,
    /// Whether nothing is sold before a shift is open.
    pub shift_required: bool,
    /// What a cashier may take off alone.
    pub discount_limit: Rate,
    /// Where people sign in, a manager agrees to refunds of more than this.
    pub refund_consent_above: Option<Money>,
    /// Whether the terminal has Chinese characters; without, the screen is in English.
    pub draws_chinese: bool,
}

/// The state of the connection to the gateway or to a device.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Link {
    #[default]
    Off,
    /// Scans arrive as keystrokes in the terminal.
    Keyboard,
    Searching,
    Ready,
    /// Works, but needs attention soon.
    Warned(String),
    Failed(String),
}

/// The result of a print job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Printing {
    /// Sent to a printer that cannot confirm that it printed.
    Sent,
    /// Confirmed by the printer.
    Printed,
    Failed(String),
}

/// What a scanner read, as it is. It may be a payment code: `Debug` does not show it.
pub struct RawScan(pub zeroize::Zeroizing<String>);

impl std::fmt::Debug for RawScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawScan(..)")
    }
}

/// Everything that can change the screen.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "handled one at a time, never kept")]
pub enum ScreenMessage {
    /// A key pressed by hand; a scanner's bursts were filtered out before.
    Key(Key),
    /// The same, pressed some time ago and held until it was clear that it belongs to no scan.
    EarlierKey(Key, Uptime),
    /// Enter was pressed behind an amount that a program may have typed, and comes later; when.
    AmountEnds(Uptime),
    Scanned(Scan),
    /// The text of a scan, while [`Model::is_finding`]: any number may be looked for.
    Sought(RawScan),
    /// What came of a [`ScreenCommand::Search`].
    Found {
        serial: u64,
        result: Result<Findings, Text>,
    },
    /// What came of a [`ScreenCommand::ReadDay`]; `None`: the journal cannot be read.
    DayRead {
        date: Date,
        orders: Option<Vec<DayOrder>>,
    },
    /// What came of a [`ScreenCommand::Ask`].
    Enquired {
        serial: u64,
        enquired: Enquired,
    },
    /// Whose the PIN of a [`ScreenCommand::SignIn`] is.
    SignedIn {
        serial: u64,
        found: SignedIn,
    },
    /// What came of a [`ScreenCommand::ReadOperators`].
    Operators(Vec<Operator>),
    /// In training, the payment at hand is of a code that no training customer has shown.
    RealCode,
    /// A scan that was typed into the terminal.
    KeyScan {
        scan: Scan,
        text: RawScan,
        began: Uptime,
        /// Whether nothing else was pressed or scanned just before.
        is_alone: bool,
    },
    /// Keys too fast to be typed, and no whole scan: how many of them were characters.
    DroppedKeys {
        characters: usize,
        began: Uptime,
    },
    /// An attempt changed. At the start, sent for each open one with [`Event::Restarted`].
    Attempt(AttemptView, Event),
    /// A [`ScreenCommand::Begin`] was refused: nothing was written and nothing was sent.
    NotBegun(Refusal),
    /// A refund moved, or was found open at the start; its status before, as far as there was one.
    Refund {
        refund: Box<RefundRecord>,
        before: Option<RefundStatus>,
    },
    /// What came of a [`ScreenCommand::Refund`]: nothing was written and nothing was sent.
    NotRefunded(RefundRefusal),
    /// The same, where the order could not be read.
    RefundNotRead(Text),
    Gateway(Link),
    Scanner(Link),
    Printer(Link),
    /// The customer's display; never sent if there is none.
    Display(Link),
    Printed {
        out_trade_no: OutTradeNo,
        how: Printing,
    },
    /// What came of a [`ScreenCommand::PrintBill`]; `None`: its code was no longer valid.
    BillPrinted {
        out_trade_no: OutTradeNo,
        how: Option<Printing>,
    },
    /// Slips that an earlier run has left: those that are printed now, and those that are perhaps on
    /// paper and only offered.
    SlipsLeft {
        waiting: Vec<OutTradeNo>,
        perhaps: Vec<OutTradeNo>,
    },
    /// No slip comes by itself: the journal has none that waits.
    NoSlip(OutTradeNo),
    /// What came of a [`ScreenCommand::Goods`], or the catalogue has come or gone.
    Goods(GoodsMessage),
    /// The drawer was opened, or could not be.
    Drawer(Printing),
    /// About cash and shifts.
    Money(MoneyNews),
    /// The journal cannot be written: no more sales until the next start.
    JournalFailed(Text),
    /// A second has passed.
    Time,
}

/// What has happened to cash or to the shift.
#[derive(Debug)]
pub enum MoneyNews {
    /// The cash of a sale goes back: the journal has it.
    CashReturned(i64),
    /// Cash goes into the drawer or out of it: the journal has it.
    CashMoved,
    /// An earlier run has left a sale that is paid in part.
    PartPaid(PartPaid),
    /// Since when a shift is open, as the journal has it at the start.
    ShiftOpenSince(Option<Timestamp>),
    /// What came of a [`ScreenCommand::ReadShift`].
    ShiftRead(Result<Box<Report>, Text>),
    /// What came of opening or closing a shift.
    ShiftDone(ShiftDone),
    /// What came of a [`ScreenCommand::ReadBill`].
    BillRead(Result<Box<Reconciled>, Text>),
    /// What came of a [`ScreenCommand::PrintReport`].
    ReportPrinted(Box<Report>, Printing),
}

/// What the till must do.
#[derive(Clone, Debug, PartialEq)]
pub enum ScreenCommand {
    Begin {
        sale: SaleRef,
        code: AuthCode,
    },
    /// Order a code that the customer scans.
    OrderCode {
        sale: SaleRef,
    },
    /// Print the code of an order as a bill, if it can still be scanned when the printer begins.
    PrintBill(OutTradeNo),
    /// The cashier cancels the payment.
    Cancel(OutTradeNo),
    /// Give so much of an order back; it is read and judged once more.
    Refund {
        out_trade_no: OutTradeNo,
        amount: Money,
        reason: String,
    },
    /// Query the payment now, without waiting for the next scheduled query.
    CheckNow(OutTradeNo),
    /// Look for orders in the journal.
    Search {
        serial: u64,
        wanted: Wanted,
    },
    /// Read what the journal has of this day's orders.
    ReadDay(Date),
    /// Ask the gateway; it moves nothing.
    Ask {
        serial: u64,
        question: Question,
    },
    /// A payment is about to begin: open the connection to the gateway.
    WarmUp,
    /// Print the slip of any order in the journal, as it is now, if its state has one
    /// ([`crate::payment::Status::has_slip`]). A copy is marked and numbered.
    Print {
        out_trade_no: OutTradeNo,
        copy: bool,
    },
    /// The slip of this order that waits, or is about to, is printed whatever the printer says.
    OverrulePrinter(OutTradeNo),
    OpenDrawer,
    /// Take cash for a sale, or for what is left of it.
    TakeCash {
        sale: SaleRef,
        tendered: Money,
    },
    /// Give back the cash of a sale whose rest is not paid.
    ReturnCash {
        sale: i64,
        cash: Vec<(OutTradeNo, Money)>,
    },
    /// Cash goes into the drawer or out of it, outside sales.
    MoveCash {
        is_out: bool,
        amount: Money,
        reason: String,
    },
    /// Read what the shift has come to so far.
    ReadShift,
    OpenShift {
        float: Money,
    },
    /// Close it; `carry`: over what is unresolved, too.
    CloseShift {
        counted: Money,
        carry: bool,
    },
    PrintReport {
        report: Box<Report>,
        is_copy: bool,
    },
    /// Download the bill of this day and hold it against the journal; it takes its time.
    ReadBill(Date),
    /// The catalogue, and the sales that are put aside.
    Goods(GoodsCommand),
    /// Find out whose PIN this is; it takes a moment.
    SignIn {
        serial: u64,
        pin: Pin,
    },
    /// Read who may work at the till.
    ReadOperators,
    /// Let the training customer at this index show a payment code.
    Train(usize),
    Quit,
}
