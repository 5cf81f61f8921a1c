//! Receipts: what is printed of a payment, laid out in the columns of the paper.
//!
//! A slip exists for a payment that is paid or reversed, and says what was proved; and for one that
//! needs attention, for the customer to keep. While a payment goes on there is none. A copy and a receipt from training are marked as such at top and bottom, so that neither
//! passes for another sale. Pure: the same slip always gives the same text and the same bytes. The
//! submodules turn a layout into bytes for a printer of a given profile.

mod bill;
pub mod code128;
mod drawn;
pub mod escpos;
mod font;
mod goods;
mod profile;
mod raster;
mod refund;
pub mod report;
mod tender;
#[cfg(test)]
mod tests;

use crate::config::{Config, GatewayConfig};
use crate::encode::{columns, columns_of, printable};
use crate::engine::Attempt;
use crate::journal::Tender;
use crate::language::Language;
use crate::money::Money;
use crate::order::{CodeUrl, OutTradeNo};
use crate::payment::{Funds, State, Status};
use crate::picture::Picture;
use crate::text::receipt::ReceiptWords;
use code128::Barcode;

/// A line of text in dots, as it is printed where the printer has no letters of its own.
pub fn in_dots(text: &str) -> Picture {
    font::draw(text, 1)
}

/// Longer numbers come from no gateway and would not fit a receipt as a QR code.
const LONGEST_QR: usize = 64;
/// Shown on the test page to check for a Chinese font, and for one with more than GB2312.
const CHINESE: &str = "微信支付 收款成功 谢谢";
const RARE: &str = "镕燊堃喆 € … —";

pub use crate::config::Paper;
pub use bill::Bill;
pub use drawn::{draw, draw_refund};
pub use goods::{Goods, GoodsLine};
pub use profile::Profile;
pub use refund::{RefundOutcome, RefundSlip};
pub use tender::{CashLines, TenderLine};

/// What receipts are printed on: the paper width, the printer's profile, and the shop's logo.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Form {
    pub paper: Paper,
    pub profile: Profile,
    /// No wider than the paper.
    pub logo: Option<Picture>,
}

impl Form {
    /// As configured by the owner.
    pub fn of(config: &Config) -> Self {
        let (paper, profile) = (config.printer.paper, config.printer.profile);
        Self { paper, profile, logo: config.receipt.logo.clone() }
    }
}

/// What a slip proves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReceiptOutcome {
    Paid,
    /// The payment was reversed.
    Reversed {
        /// The customer had paid, and the money is being returned.
        money_returned: bool,
    },
    /// The outcome is not known after all automatic steps: something to keep until it is.
    Unconfirmed {
        /// The customer's money was seen to be taken, and its return is not proved.
        charged: bool,
    },
}

impl ReceiptOutcome {
    /// What a slip may state about a payment; `None` while there is nothing to prove.
    pub fn of(payment: &State) -> Option<Self> {
        match payment.status() {
            Status::Paid => Some(Self::Paid),
            Status::Reversed => {
                Some(Self::Reversed { money_returned: payment.money() == Funds::Returned })
            }
            Status::Attention => {
                Some(Self::Unconfirmed { charged: payment.money() == Funds::Held })
            }
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Declined
            | Status::Closed => None,
        }
    }
}

/// What is printed of one payment. Its texts may hold anything: whatever a printer could take for a
/// command is not printed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Slip {
    /// Lines at the top.
    pub header: Vec<String>,
    pub store: String,
    pub till: String,
    pub out_trade_no: OutTradeNo,
    /// As formatted by [`crate::money::Currency::group`]: if it is paid, what was paid of the sale.
    pub amount: String,
    /// As given by [`crate::money::Currency::symbol`].
    pub symbol: String,
    pub outcome: ReceiptOutcome,
    /// As given by [`crate::money::Currency::code`], where the sign cannot be printed.
    pub currency: String,
    /// The part that coupons paid, as formatted like the amount; empty if there was none.
    pub coupon: String,
    /// What was paid in cash, if it was.
    pub cash: Option<CashLines>,
    /// All that the sale was paid with, if that is more than this order.
    pub tenders: Vec<TenderLine>,
    /// The gateway's transaction number, if known.
    pub transaction_id: Option<String>,
    /// What was sold, where that is known.
    pub goods: Goods,
    /// When it was paid or reversed, in the shop's time zone.
    pub time: String,
    /// Omitted if empty, as are all texts here.
    pub note: String,
    /// Lines at the bottom.
    pub footer: Vec<String>,
    /// Which copy it is; 0 for none. Marked, so that nobody takes it for a second sale.
    pub copy: u32,
    /// Made in training: marked, so that nobody takes it for a sale.
    pub is_training: bool,
}

impl Slip {
    /// The slip for a payment in its current state; `None` while there is nothing to prove. `tenders`
    /// are the paid orders of its sale, if there are others.
    pub fn of(attempt: &Attempt, config: &Config, copy: u32, tenders: &[Tender]) -> Option<Self> {
        let outcome = ReceiptOutcome::of(&attempt.state)?;
        let is_paid = outcome == ReceiptOutcome::Paid;
        let whole = if is_paid { tender::whole(attempt, tenders) } else { attempt.amount };
        let proof = attempt.state.proof();
        // By default the header already begins with the store's name.
        let named = config.receipt.header.first() == Some(&config.store.name);
        Some(Self {
            header: config.receipt.header.clone(),
            store: if named { String::new() } else { config.store.name.clone() },
            till: config.till.id.as_str().to_owned(),
            out_trade_no: attempt.out_trade_no.clone(),
            amount: attempt.currency.group(whole),
            symbol: attempt.currency.symbol().to_owned(),
            currency: attempt.currency.code().to_owned(),
            coupon: proof
                .and_then(|proof| proof.coupon)
                .filter(|coupon| *coupon > 0)
                .map(|coupon| attempt.currency.group(Money::from_minor(coupon)))
                .unwrap_or_default(),
            outcome,
            goods: Goods::of(&attempt.sold, attempt.currency),
            cash: CashLines::of(attempt, tenders).filter(|_| is_paid),
            tenders: TenderLine::of(attempt, tenders),
            transaction_id: proof.map(|proof| proof.transaction_id.clone()),
            time: proof
                .map_or(attempt.updated_at, |proof| proof.paid_at)
                .local("%Y-%m-%d %H:%M:%S", &config.store.time_zone),
            note: String::new(),
            footer: config.receipt.footer.clone(),
            copy,
            is_training: matches!(config.gateway, GatewayConfig::Simulator),
        })
    }
}

impl Slip {
    /// Whether nothing but the currency's sign needs a font beyond ASCII. A printer with such a
    /// slip may be one for export, which has no `￥`.
    fn is_plain_but_for_the_sign(&self) -> bool {
        let lines = self.header.iter().chain(&self.footer);
        let names = self.goods.lines.iter().flat_map(|line| [&line.name, &line.count]);
        lines.chain([&self.store, &self.note]).chain(names).all(|text| text.is_ascii())
    }
}

/// The slip as text, one line per line on paper. Codes are shown in brackets.
pub fn text(slip: &Slip, paper: Paper, language: Language) -> String {
    as_text(lay_out(slip, paper, language), paper)
}

fn as_text(parts: Vec<ReceiptPart>, paper: Paper) -> String {
    let lines = parts.into_iter().map(|part| match part {
        ReceiptPart::Line { text, align, .. } => align.pad(&text, paper.columns()),
        ReceiptPart::Barcode(number) => {
            Align::Centre.pad(&format!("[CODE128 {number}]"), paper.columns())
        }
        ReceiptPart::Qr(content) => Align::Centre.pad(&format!("[QR {content}]"), paper.columns()),
    });
    lines.map(|line| line + "\n").collect()
}

/// A part of a slip with a line or place of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
enum ReceiptPart {
    /// No wider than the paper; large lines have double width and height.
    Line { text: String, align: Align, is_large: bool },
    /// In CODE128; it fits the paper.
    Barcode(String),
    /// Letters, digits and blanks, or a code to pay by.
    Qr(String),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Align {
    Left,
    Centre,
    Right,
}

impl Align {
    fn pad(self, text: &str, width: usize) -> String {
        let free = width.saturating_sub(columns(text));
        let before = match self {
            Self::Left => 0,
            Self::Centre => free / 2,
            Self::Right => free,
        };
        format!("{:before$}{text}", "")
    }
}

fn lay_out(slip: &Slip, paper: Paper, language: Language) -> Vec<ReceiptPart> {
    let words = ReceiptWords::of(language);
    let mut builder = ReceiptBuilder { width: paper.columns(), parts: Vec::new() };
    for line in &slip.header {
        builder.centred(line);
    }
    builder.marks(slip.is_training, slip.copy, language);
    let (title, outcome) = match slip.outcome {
        ReceiptOutcome::Paid => (words.receipt(), words.paid()),
        ReceiptOutcome::Reversed { .. } => (words.reversal_slip(), words.reversed()),
        ReceiptOutcome::Unconfirmed { .. } => (words.keep(), words.not_confirmed()),
    };
    builder.centred(title);
    builder.rule();
    if slip.outcome == ReceiptOutcome::Paid {
        slip.goods.lay_out(&mut builder, language);
    }
    builder.large(&price(&slip.symbol, &slip.amount));
    builder.large(outcome);
    match slip.outcome {
        ReceiptOutcome::Paid => {}
        ReceiptOutcome::Reversed { money_returned: true } => builder.left(words.money_returned()),
        ReceiptOutcome::Reversed { money_returned: false } => builder.left(words.nothing_charged()),
        ReceiptOutcome::Unconfirmed { charged } => {
            builder.left(if charged { words.return_not_confirmed() } else { words.not_known() });
            builder.left(words.show_it());
        }
    }
    builder.rule();
    if !slip.coupon.is_empty() {
        builder.pair(words.coupon(), &price(&slip.symbol, &slip.coupon));
    }
    builder.pair(words.store(), &slip.store);
    builder.pair(words.till(), &slip.till);
    slip.lay_out_tenders(&mut builder, language);
    builder.pair(words.time(), &slip.time);
    builder.pair(words.order_number(), slip.out_trade_no.as_str());
    builder.pair(words.transaction(), slip.transaction_id.as_deref().unwrap_or_default());
    builder.pair(words.note(), &slip.note);
    builder.rule();
    builder.barcode(slip.out_trade_no.as_str(), paper);
    if let Some(number) = &slip.transaction_id {
        builder.qr(number);
    }
    for line in &slip.footer {
        builder.centred(line);
    }
    builder.marks(slip.is_training, slip.copy, language);
    builder.parts
}

/// Everything a printer may be able to do, on one page, each item numbered for reference; `true`
/// for parts that are drawn.
fn lay_out_test(form: &Form) -> Vec<(bool, ReceiptPart)> {
    let (paper, width) = (form.paper, form.paper.columns());
    let builder = |write: &dyn Fn(&mut ReceiptBuilder)| {
        let mut builder = ReceiptBuilder { width, parts: Vec::new() };
        write(&mut builder);
        builder.parts
    };
    let head = builder(&|builder| {
        builder.large("PAYTILL TEST");
        builder.centred(&format!("profile = \"{}\"", form.profile.name()));
        let digits = "1234567890".chars().cycle().take(width);
        builder.left(&digits.collect::<String>());
        builder.left("left");
        builder.centred("centre");
        builder.line("right", Align::Right, false);
        builder.left(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz !\"#$%&'()*+,-./:;<=>?@[]^_{|}~",
        );
    });
    let chinese = builder(&|builder| {
        builder.left(&format!("1 {CHINESE}"));
        builder.large("￥12.30");
    });
    let rare = builder(&|builder| builder.left(&format!("2 {RARE}")));
    let drawn = builder(&|builder| {
        builder.left(&format!("3 {CHINESE}"));
        builder.left(&format!("  {RARE}"));
        builder.large("￥12.30");
    });
    let (barcode, qr) = ("T01261122113000", "PAYTILL PRINT TEST");
    let by_command = builder(&|builder| {
        builder.left("4");
        builder.barcode(barcode, paper);
        builder.left("5");
        builder.qr(qr);
    });
    let as_pictures = builder(&|builder| {
        builder.left("6");
        builder.barcode(barcode, paper);
        builder.left("7");
        builder.qr(qr);
    });
    let pages = [(false, head), (false, chinese), (false, rare), (true, drawn)];
    let codes = [(false, by_command), (true, as_pictures)];
    let parts = pages.into_iter().chain(codes);
    parts
        .flat_map(|(is_drawn, parts)| parts.into_iter().map(move |part| (is_drawn, part)))
        .collect()
}

fn price(symbol: &str, amount: &str) -> String {
    let is_code = symbol.ends_with(|character: char| character.is_ascii_alphabetic());
    if is_code { format!("{symbol} {amount}") } else { format!("{symbol}{amount}") }
}

/// A slip under construction.
struct ReceiptBuilder {
    width: usize,
    parts: Vec<ReceiptPart>,
}

impl ReceiptBuilder {
    fn left(&mut self, text: &str) {
        self.line(text, Align::Left, false);
    }

    fn centred(&mut self, text: &str) {
        self.line(text, Align::Centre, false);
    }

    fn large(&mut self, text: &str) {
        self.line(text, Align::Centre, true);
    }

    fn line(&mut self, text: &str, align: Align, is_large: bool) {
        let width = if is_large { self.width / 2 } else { self.width };
        let lines = wrap(&printable(text), width).into_iter();
        self.parts.extend(lines.map(|text| ReceiptPart::Line { text, align, is_large }));
    }

    fn rule(&mut self) {
        self.left(&"-".repeat(self.width));
    }

    /// A name on the left and its value on the right, or on the next line if both do not fit.
    fn pair(&mut self, name: &str, value: &str) {
        let (name, value) = (printable(name), printable(value));
        if value.is_empty() {
            return;
        }
        match self.width.checked_sub(columns(&name) + columns(&value)) {
            Some(free) if free > 0 => self.left(&format!("{name}{:free$}{value}", "")),
            Some(_) | None => {
                self.left(&name);
                self.line(&value, Align::Right, false);
            }
        }
    }

    fn marks(&mut self, is_training: bool, copy: u32, language: Language) {
        let words = ReceiptWords::of(language);
        if is_training {
            self.large(words.training());
            self.large(words.no_money_moved());
        }
        if copy > 0 {
            self.large(&words.copy(copy));
            // A printer that prints Chinese prints this as well, but not the other way round.
            if language == Language::Chinese {
                self.large(&ReceiptWords::of(Language::English).copy(copy));
            }
        }
    }

    fn barcode(&mut self, number: &str, paper: Paper) {
        if Barcode::new(number).is_some_and(|barcode| barcode.module(paper).is_some()) {
            self.parts.push(ReceiptPart::Barcode(number.to_owned()));
            self.centred(number);
        }
    }

    /// What phones scan to pay. It is printable and without blanks, and so no printer's command.
    fn code(&mut self, code: &CodeUrl) {
        self.parts.push(ReceiptPart::Qr(code.as_str().to_owned()));
    }

    fn qr(&mut self, content: &str) {
        let is_plain = content.bytes().all(|byte| byte == b' ' || byte.is_ascii_alphanumeric());
        // A blank at either end would not be printed.
        let is_plain = is_plain && content.trim() == content;
        if is_plain && (1..=LONGEST_QR).contains(&content.len()) {
            self.parts.push(ReceiptPart::Qr(content.to_owned()));
        }
    }
}

/// Breaks text into lines of at most `width` columns, at blanks if there are any. Only blanks at
/// breaks are lost.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut used = 0;
        let end = rest.char_indices().find_map(|(index, character)| {
            used += columns_of(character);
            (used > width).then_some(index)
        });
        let (line, next) = match end {
            None => (rest, ""),
            Some(end) => {
                let fits_by_words = rest[end..].starts_with(' ');
                let blank = rest[..end].rfind(' ').filter(|_| !fits_by_words);
                rest.split_at(blank.unwrap_or_else(|| before_closing_mark(rest, end)))
            }
        };
        lines.push(line.trim_end().to_owned());
        rest = next.trim_start();
    }
    lines
}

/// A Chinese line never begins with a closing mark: the character before it moves along.
fn before_closing_mark(text: &str, end: usize) -> usize {
    let begins_with_mark =
        text[end..].starts_with(|next| "，。、：；！？）》」』”’".contains(next));
    let before = text[..end].char_indices().next_back();
    before.map(|(index, _)| index).filter(|index| begins_with_mark && *index > 0).unwrap_or(end)
}
