//! The cashier's screen: a model, messages that change it, and pure functions that draw it.
//!
//! [`update`] is the only change and answers with what the till must do; [`view`] draws and cannot
//! change. Neither does I/O or reads a clock: time comes with every message.

mod customer;
mod digits;
mod keys;
mod model;
mod note;
mod palette;
mod shapes;
mod story;
#[cfg(test)]
mod tests;
mod update;
mod view;
mod wrap;

use crate::clock::TimeZone;
use crate::language::{Language, Text};
use crate::money::{Currency, Entry, Money};
use crate::order::{AuthCode, OutTradeNo};
use crate::payment::{self, Event};
use crate::scan::Scan;

pub use crate::config::Theme;
pub use crate::engine::Attempt as AttemptView;
use crate::engine::Refusal;
pub use crate::engine::SaleRef;
pub use keys::Key;
pub use model::Model;
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
    /// Of the times of day on it.
    pub time_zone: TimeZone,
    pub entry: Entry,
    pub theme: Theme,
    /// An amount above this asks once more.
    pub confirm_above: Option<Money>,
    /// Whether [`Model::rings`] counts.
    pub bell: bool,
    /// The training customers, by their scenario's name; `None` where real money moves.
    pub training: Option<Vec<String>>,
    pub gateway_host: String,
    pub rules: payment::Rules,
    pub printer_configured: bool,
    pub auto_print: bool,
    /// Whether there is a cash drawer to open.
    pub drawer: bool,
}

/// The state of what the till is connected to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Link {
    #[default]
    Off,
    /// Scans come as keys in the terminal.
    Keyboard,
    Searching,
    Ready,
    /// It works, and this should be looked at soon.
    Warned(String),
    Failed(String),
}

/// What became of a receipt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Printing {
    /// The printer gives no proof that it printed.
    Sent,
    /// The printer says so.
    Printed,
    Failed(String),
}

/// Everything that can change the screen.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "handled one at a time, never kept")]
pub enum Message {
    /// A key pressed by hand: bursts were told apart before.
    Key(Key),
    Scanned(Scan),
    /// Ten or more fast keys without an end mark.
    UnendedBurst,
    /// An attempt moved. Also sent for each open one at start, with [`Event::Restarted`].
    Attempt(AttemptView, Event),
    /// A [`Command::Begin`] was refused: nothing was written and nothing was sent.
    NotBegun(Refusal),
    Gateway(Link),
    Scanner(Link),
    Printer(Link),
    /// The customer's display; never sent where there is none.
    Display(Link),
    Printed {
        out_trade_no: OutTradeNo,
        how: Printing,
    },
    /// The drawer was told to open, or could not be.
    Drawer(Printing),
    /// The journal cannot be written: selling stops until the next start.
    JournalFailed(Text),
    /// A second has passed.
    Time,
}

/// What the till must do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Begin {
        sale: SaleRef,
        code: AuthCode,
    },
    /// The cashier waits no longer.
    Cancel(OutTradeNo),
    CheckNow(OutTradeNo),
    /// The sale is charged anew.
    Supersede(OutTradeNo),
    /// A payment is near: open the connection to the gateway.
    WarmUp,
    Print {
        out_trade_no: OutTradeNo,
        copy: bool,
    },
    OpenDrawer,
    /// Let the training customer of this index show a payment code.
    Train(usize),
    Quit,
}
