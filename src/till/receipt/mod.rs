//! Receipts, laid out for a paper's columns. Pure: the same slip always gives the same text and the
//! same bytes.

pub mod code128;
pub mod escpos;
mod font;
mod profile;
mod raster;
#[cfg(test)]
mod tests;

use crate::config::{Config, Gateway};
use crate::encode::{columns, columns_of, printable};
use crate::engine::Attempt;
use crate::language::Language;
use crate::order::OutTradeNo;
use crate::payment::{Funds, State, Status};
use crate::picture::Picture;
use crate::text::receipt::ReceiptWords;
use code128::Barcode;

/// Longer numbers are no gateway's, and no QR code of a receipt's size.
const LONGEST_QR: usize = 64;
/// What the test page shows of a Chinese font, and of one that has more than GB2312.
const CHINESE: &str = "微信支付 收款成功 谢谢";
const RARE: &str = "镕燊堃喆 € … —";

pub use crate::config::Paper;
pub use profile::Profile;

/// What receipts are printed on: paper of this width, by a printer that can do this, under the
/// shop's sign.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Form {
    pub paper: Paper,
    pub profile: Profile,
    /// No wider than the paper.
    pub logo: Option<Picture>,
}

impl Form {
    /// As the owner has it.
    pub fn of(config: &Config) -> Self {
        let (paper, profile) = (config.printer.paper, config.printer.profile);
        Self { paper, profile, logo: config.receipt.logo.clone() }
    }
}

/// What a slip proves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    Paid,
    /// The payment was reversed.
    Reversed {
        /// The customer had paid, and the money goes back.
        money_returned: bool,
    },
}

impl Outcome {
    /// What a slip may say of a payment; `None` while there is nothing to prove.
    pub fn of(payment: &State) -> Option<Self> {
        match payment.status() {
            Status::Paid => Some(Self::Paid),
            Status::Reversed => {
                Some(Self::Reversed { money_returned: payment.money() == Funds::Returned })
            }
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Declined
            | Status::Attention => None,
        }
    }
}

/// What is printed of one payment. Its texts may hold anything: what a printer could take for a
/// command is not printed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Slip {
    /// Lines above everything.
    pub header: Vec<String>,
    pub store: String,
    pub till: String,
    pub out_trade_no: OutTradeNo,
    /// As [`crate::money::Currency::show`] gives it.
    pub amount: String,
    /// As [`crate::money::Currency::symbol`] gives it.
    pub symbol: String,
    pub outcome: Outcome,
    /// The gateway's number, where it is known.
    pub transaction_id: Option<String>,
    /// When it was paid or reversed, by the shop's clock.
    pub time: String,
    /// Left out when empty, as all texts here are.
    pub note: String,
    /// Lines below everything.
    pub footer: Vec<String>,
    /// Printed once more: marked, so that nobody takes it for a second sale.
    pub is_copy: bool,
    /// Made in training: marked, so that nobody takes it for a sale.
    pub is_training: bool,
}

impl Slip {
    /// Of a payment as it stands; `None` while there is nothing to prove.
    pub fn of(attempt: &Attempt, config: &Config, is_copy: bool) -> Option<Self> {
        let proof = attempt.state.proof();
        // The header begins with the store's name where the owner did not say otherwise.
        let named = config.receipt.header.first() == Some(&config.store.name);
        Some(Self {
            header: config.receipt.header.clone(),
            store: if named { String::new() } else { config.store.name.clone() },
            till: config.till.id.as_str().to_owned(),
            out_trade_no: attempt.out_trade_no.clone(),
            amount: attempt.currency.show(attempt.amount),
            symbol: attempt.currency.symbol().to_owned(),
            outcome: Outcome::of(&attempt.state)?,
            transaction_id: proof.map(|proof| proof.transaction_id.clone()),
            time: proof
                .map_or(attempt.updated_at, |proof| proof.paid_at)
                .local("%Y-%m-%d %H:%M:%S", &config.store.time_zone),
            note: String::new(),
            footer: config.receipt.footer.clone(),
            is_copy,
            is_training: matches!(config.gateway, Gateway::Simulator),
        })
    }
}

/// The slip as text, one line a line on paper. Codes stand in brackets.
pub fn text(slip: &Slip, paper: Paper, language: Language) -> String {
    let lines = lay_out(slip, paper, language).into_iter().map(|part| match part {
        Part::Line { text, align, .. } => align.pad(&text, paper.columns()),
        Part::Barcode(number) => Align::Centre.pad(&format!("[CODE128 {number}]"), paper.columns()),
        Part::Qr(content) => Align::Centre.pad(&format!("[QR {content}]"), paper.columns()),
    });
    lines.map(|line| line + "\n").collect()
}

/// A piece of a slip that has a place of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    /// No wider than the paper; twice as wide and high when it is large.
    Line { text: String, align: Align, is_large: bool },
    /// In CODE128; it fits the paper.
    Barcode(String),
    /// Digits and letters.
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

fn lay_out(slip: &Slip, paper: Paper, language: Language) -> Vec<Part> {
    let words = ReceiptWords::of(language);
    let mut sheet = Sheet { width: paper.columns(), parts: Vec::new() };
    for line in &slip.header {
        sheet.centred(line);
    }
    sheet.marks(slip, words);
    let (title, outcome) = match slip.outcome {
        Outcome::Paid => (words.receipt(), words.paid()),
        Outcome::Reversed { .. } => (words.reversal_slip(), words.reversed()),
    };
    sheet.centred(title);
    sheet.rule();
    sheet.large(&price(&slip.symbol, &slip.amount));
    sheet.large(outcome);
    if let Outcome::Reversed { money_returned } = slip.outcome {
        sheet.left(if money_returned { words.money_returned() } else { words.nothing_charged() });
    }
    sheet.rule();
    sheet.pair(words.store(), &slip.store);
    sheet.pair(words.till(), &slip.till);
    sheet.pair(words.paid_by(), words.wechat_pay());
    sheet.pair(words.time(), &slip.time);
    sheet.pair(words.order_number(), slip.out_trade_no.as_str());
    sheet.pair(words.transaction(), slip.transaction_id.as_deref().unwrap_or_default());
    sheet.pair(words.note(), &slip.note);
    sheet.rule();
    sheet.barcode(slip.out_trade_no.as_str(), paper);
    if let Some(number) = &slip.transaction_id {
        sheet.qr(number);
    }
    for line in &slip.footer {
        sheet.centred(line);
    }
    sheet.marks(slip, words);
    sheet.parts
}

/// What a printer may be able to do, on one page, each with a number to call it by; `true` for what
/// is drawn.
fn lay_out_test(form: &Form) -> Vec<(bool, Part)> {
    let (paper, width) = (form.paper, form.paper.columns());
    let sheet = |write: &dyn Fn(&mut Sheet)| {
        let mut sheet = Sheet { width, parts: Vec::new() };
        write(&mut sheet);
        sheet.parts
    };
    let head = sheet(&|sheet| {
        sheet.large("PAYTILL TEST");
        sheet.centred(&format!("profile = \"{}\"", form.profile.name()));
        let digits = "1234567890".chars().cycle().take(width);
        sheet.left(&digits.collect::<String>());
        sheet.left("left");
        sheet.centred("centre");
        sheet.line("right", Align::Right, false);
        sheet.left(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz !\"#$%&'()*+,-./:;<=>?@[]^_{|}~",
        );
    });
    let chinese = sheet(&|sheet| {
        sheet.left(&format!("1 {CHINESE}"));
        sheet.large("￥12.30");
    });
    let rare = sheet(&|sheet| sheet.left(&format!("2 {RARE}")));
    let drawn = sheet(&|sheet| {
        sheet.left(&format!("3 {CHINESE}"));
        sheet.left(&format!("  {RARE}"));
        sheet.large("￥12.30");
    });
    let (barcode, qr) = ("T01261122113000", "PAYTILL PRINT TEST");
    let by_command = sheet(&|sheet| {
        sheet.left("4");
        sheet.barcode(barcode, paper);
        sheet.left("5");
        sheet.qr(qr);
    });
    let as_pictures = sheet(&|sheet| {
        sheet.left("6");
        sheet.barcode(barcode, paper);
        sheet.left("7");
        sheet.qr(qr);
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

/// A slip in the making.
struct Sheet {
    width: usize,
    parts: Vec<Part>,
}

impl Sheet {
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
        self.parts.extend(lines.map(|text| Part::Line { text, align, is_large }));
    }

    fn rule(&mut self) {
        self.left(&"-".repeat(self.width));
    }

    /// A name on the left and its value on the right; under it, where both have no room.
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

    fn marks(&mut self, slip: &Slip, words: ReceiptWords) {
        if slip.is_training {
            self.large(words.training());
            self.large(words.no_money_moved());
        }
        if slip.is_copy {
            self.large(words.copy());
        }
    }

    fn barcode(&mut self, number: &str, paper: Paper) {
        if Barcode::new(number).is_some_and(|barcode| barcode.module(paper).is_some()) {
            self.parts.push(Part::Barcode(number.to_owned()));
            self.centred(number);
        }
    }

    fn qr(&mut self, content: &str) {
        let is_plain = content.bytes().all(|byte| byte == b' ' || byte.is_ascii_alphanumeric());
        // A blank at an end would not be printed.
        let is_plain = is_plain && content.trim() == content;
        if is_plain && (1..=LONGEST_QR).contains(&content.len()) {
            self.parts.push(Part::Qr(content.to_owned()));
        }
    }
}

/// Lines no wider than so many columns, broken at blanks where there are any. Nothing but blanks at
/// breaks is lost.
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

/// No Chinese line begins with a mark that closes something: the character before it comes along.
fn before_closing_mark(text: &str, end: usize) -> usize {
    let begins_with_mark =
        text[end..].starts_with(|next| "，。、：；！？）》」』”’".contains(next));
    let before = text[..end].char_indices().next_back();
    before.map(|(index, _)| index).filter(|index| begins_with_mark && *index > 0).unwrap_or(end)
}
