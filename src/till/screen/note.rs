//! A short message to the cashier: why a key or a scan did nothing, or how a print job went.

use super::goods_note::{self, GoodsNote};
use crate::clean::clean;
use crate::engine::{RefundRecord, Refusal};
use crate::language::{Language, Text};
use crate::money::{Currency, NotAnAmount};
use crate::refund::RefundRefusal;
use crate::say;
use crate::scan::{Oddity, Scan, Wallet};

use crate::text::screen::{CashWords, CodeWords, NoteWords, ShiftPageWords};
use crate::text::training::PractiseWords;
use crate::text::{amount, refund};

/// How many cells of a scanned text are repeated.
const SCANNED_SHOWN: usize = 24;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Note {
    NotAnAmount(NotAnAmount),
    /// Nothing was sent for this scan.
    Refused(Scanned, Instead),
    /// The payment was not begun.
    NotBegun(Refusal),
    UnendedBurst,
    RealCode,
    /// Keys that were too fast to be typed, and too few to be a scan.
    TooFast,
    /// A scan, and what it had left in the amount is gone.
    TakenBack(Box<Self>),
    /// Scanned where an order is looked for.
    NoNumber(Scanned),
    /// The same, with something else just before it.
    ScanNumberAgain,
    /// Typed there, and nothing that an order could be found by.
    NotSought,
    /// A payment code with something else just before it.
    ScanAgain,
    /// Typed while nothing can be.
    TypedAhead,
    /// Typed on the end of a payment that was not made.
    EnterFirst,
    /// An Enter too soon to be an answer.
    AnswerAgain,
    PressEnterForOptions,
    EscFirst,
    AlreadyReversing,
    AmountFirst,
    /// Which receipt, unless it is that of the payment at the desk.
    SentToPrinter(Option<Which>),
    Printed(Option<Which>),
    ReceiptWaits(Option<Which>),
    /// The code of this order on paper.
    Bill(Which, BillNote),
    /// The payment has left the desk for the tray.
    GoesOn(Which),
    /// Too soon to leave the desk: the answer to the submission is not there yet.
    NotAnsweredYet,
    /// A sale has begun at the desk.
    SaleFirst,
    /// A result is on the screen.
    ReadFirst,
    /// The last digits of the order number, and the reason.
    PrintFailed {
        order: String,
        why: String,
    },
    /// So many slips are perhaps not on paper.
    SlipsMissing(usize),
    /// The same, behind what has just been printed.
    AndMissing(Box<Self>, usize),
    DrawerOpened,
    DrawerFailed(String),
    /// Cash that goes in or out is recorded.
    CashNoted,
    CashReturned,
    ReasonFirst,
    /// A sale waits for its rest: what is left, and what it comes to.
    PartPaid {
        left: String,
        due: String,
    },
    /// Since when a shift is open.
    ShiftIsOpen(String),
    ShiftFirst,
    /// The day of a shift that nobody has closed.
    ShiftForgotten(String),
    ReportSent,
    ReportFailed(String),
    /// About the lines at the desk, the catalogue or what was put aside.
    Goods(GoodsNote),
    /// Nothing was given back, and nothing was sent.
    NotRefunded(RefundRefusal, Currency),
    RefundNotRead(Text),
    /// Where a refund is now.
    Refund(Which, Box<RefundRecord>),
}

/// What came of a bill.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum BillNote {
    Sent,
    Printed,
    Waits,
    /// Its code could no longer be scanned.
    TooLate,
    Failed(String),
}

/// A payment in few words: its amount, and the last digits of its number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Which {
    pub(super) amount: String,
    pub(super) tail: String,
}

impl Which {
    fn text(&self, words: NoteWords) -> String {
        words.which(&self.amount, &self.tail)
    }
}

/// What was scanned, without the payment code itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scanned {
    Payment,
    SameAgain,
    Wallet(Wallet),
    ReceiveCode,
    Goods(String),
    OwnReceipt(String),
    Transaction(String),
    Odd(Oddity),
    Noise,
}

/// What to do instead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Instead {
    TypeAmount,
    PressEnter,
    ScanPaymentCode,
    FinishThisOne,
    FinishOrGoOn,
    NextSale,
    Restart,
    SignIn,
    Consent,
    LeavePage,
}

impl Scanned {
    pub(super) fn of(scan: &Scan) -> Self {
        match scan {
            Scan::Payment(_) => Self::Payment,
            Scan::OtherWallet(wallet) => Self::Wallet(*wallet),
            Scan::ReceiveCode => Self::ReceiveCode,
            Scan::Goods(text) => Self::Goods(clean(text, SCANNED_SHOWN)),
            Scan::OwnReceipt(order) => Self::OwnReceipt(order.tail().to_owned()),
            Scan::Transaction(text) => Self::Transaction(clean(text, SCANNED_SHOWN + 8)),
            Scan::Odd(oddity) => Self::Odd(*oddity),
            Scan::Noise => Self::Noise,
        }
    }

    fn text(&self, words: NoteWords) -> String {
        match self {
            Self::Payment => words.payment_code().into(),
            Self::SameAgain => words.code_used().into(),
            Self::Wallet(Wallet::Alipay) => words.alipay().into(),
            Self::Wallet(Wallet::UnionPay) => words.unionpay().into(),
            Self::Wallet(Wallet::EmvCode) => words.bank_code().into(),
            Self::Wallet(Wallet::Other) => words.other_wallet().into(),
            Self::ReceiveCode => words.receive_code().into(),
            Self::Goods(barcode) => words.product(barcode),
            Self::OwnReceipt(tail) => words.own_receipt(tail),
            Self::Transaction(number) => words.transaction(number),
            Self::Odd(Oddity::Marked) => words.scan_marked().into(),
            Self::Odd(Oddity::Control) => words.scan_control().into(),
            Self::Odd(Oddity::Layout) => words.scan_layout().into(),
            Self::Odd(Oddity::Joined) => words.scan_joined().into(),
            Self::Odd(Oddity::Cut(digits)) => words.scan_cut(*digits),
            Self::Noise => words.noise().into(),
        }
    }
}

/// Why a code that stands for money, or may be a part of one, is not searched for.
pub fn not_searched(scan: &Scan) -> Option<Text> {
    let scanned = match scan {
        Scan::Payment(_) | Scan::OtherWallet(_) | Scan::ReceiveCode | Scan::Odd(_) => {
            Scanned::of(scan)
        }
        Scan::Goods(_) | Scan::OwnReceipt(_) | Scan::Transaction(_) | Scan::Noise => return None,
    };
    Some(Text::each(|language| no_number(&scanned, language)))
}

fn no_number(scanned: &Scanned, language: Language) -> String {
    let words = NoteWords::of(language);
    let gap = language.pick(" ", "");
    format!("{}{gap}{}", scanned.text(words), words.no_number())
}

impl Instead {
    fn text(self, words: NoteWords) -> &'static str {
        match self {
            Self::TypeAmount => words.amount_first(),
            Self::PressEnter => words.press_enter_first(),
            Self::ScanPaymentCode => words.scan_payment_code(),
            Self::FinishThisOne => words.finish_first(),
            Self::FinishOrGoOn => words.finish_or_go_on(),
            Self::NextSale => words.next_sale_first(),
            Self::Restart => words.stopped(),
            Self::SignIn => words.sign_in_first(),
            Self::Consent => words.consent_first(),
            Self::LeavePage => words.page_first(),
        }
    }
}

impl Note {
    /// The note's sentences; `largest` is the largest amount of a sale.
    pub(super) fn text(&self, language: Language, largest: &str) -> String {
        let words = NoteWords::of(language);
        let (cash, shift) = (CashWords::of(language), ShiftPageWords::of(language));
        match self {
            Self::NotAnAmount(why) => not_an_amount(*why, language, largest),
            Self::Refused(scanned, instead) => {
                let gap = language.pick(" ", "");
                let (what, then) = (scanned.text(words), instead.text(words));
                format!("{what}{gap}{}{gap}{then}", words.nothing_was_sent())
            }
            Self::NotBegun(refusal) => not_begun(refusal, words, language),
            Self::RealCode => PractiseWords::of(language).real_code().into(),
            Self::UnendedBurst => words.unended_burst().into(),
            Self::TooFast => words.too_fast().into(),
            Self::TakenBack(note) => {
                let gap = language.pick(" ", "");
                format!("{}{gap}{}", words.taken_back(), note.text(language, largest))
            }
            Self::NoNumber(scanned) => no_number(scanned, language),
            Self::ScanNumberAgain => words.scan_number_again().into(),
            Self::NotSought => words.not_sought().into(),
            Self::ScanAgain => words.scan_again().into(),
            Self::TypedAhead => words.typed_ahead().into(),
            Self::EnterFirst => words.next_sale_first().into(),
            Self::AnswerAgain => words.answer_again().into(),
            Self::PressEnterForOptions => words.choose_first().into(),
            Self::EscFirst => words.esc_first().into(),
            Self::AlreadyReversing => words.already_reversing().into(),
            Self::AmountFirst => words.amount_first().into(),
            Self::SentToPrinter(None) => words.receipt_sent().into(),
            Self::SentToPrinter(Some(which)) => words.receipt_sent_of(&which.text(words)),
            Self::Printed(None) => words.receipt_printed().into(),
            Self::Printed(Some(which)) => words.receipt_printed_of(&which.text(words)),
            Self::ReceiptWaits(None) => words.receipt_waits().into(),
            Self::ReceiptWaits(Some(which)) => words.receipt_waits_of(&which.text(words)),
            Self::Bill(which, what) => bill(&which.text(words), what, language),
            Self::GoesOn(which) => words.goes_on(&which.text(words)),
            Self::NotAnsweredYet => words.not_answered_yet().into(),
            Self::SaleFirst => words.sale_first().into(),
            Self::ReadFirst => words.read_first().into(),
            Self::SlipsMissing(1) => words.slip_missing().into(),
            Self::SlipsMissing(count) => words.slips_missing(*count),
            Self::AndMissing(note, count) => {
                let gap = language.pick(" ", "");
                let missing = Self::SlipsMissing(*count).text(language, largest);
                format!("{}{gap}{missing}", note.text(language, largest))
            }
            Self::Goods(note) => goods_note::note_text(note, language, largest),
            Self::DrawerOpened => words.drawer_opened().into(),
            Self::DrawerFailed(why) => words.drawer_failed(why),
            Self::CashNoted => cash.noted().into(),
            Self::CashReturned => cash.returned().into(),
            Self::ReasonFirst => cash.reason_first().into(),
            Self::PartPaid { left, due } => cash.waits_again(left, due),
            Self::ShiftIsOpen(since) => shift.is_open(since),
            Self::ShiftFirst => shift.shift_first().into(),
            Self::ShiftForgotten(day) => shift.forgotten(day),
            Self::ReportSent => shift.printed().into(),
            Self::ReportFailed(why) => shift.not_printed(why),
            Self::NotRefunded(why, currency) => refund::refusal(why, *currency, language),
            Self::RefundNotRead(why) => words.refund_not_read(why.in_language(language)),
            Self::Refund(which, of) => refunded(which, of, language),
            Self::PrintFailed { order, why } => words.receipt_failed(order, why),
        }
    }

    /// Whether it reports a success.
    pub(super) fn is_good_news(&self) -> bool {
        match self {
            Self::SentToPrinter(_)
            | Self::Printed(_)
            | Self::Bill(_, BillNote::Sent | BillNote::Printed)
            | Self::DrawerOpened
            | Self::CashNoted
            | Self::CashReturned
            | Self::ReportSent
            | Self::Goods(GoodsNote::Held(_)) => true,
            Self::Refund(_, refund) => refund.state.is_given(),
            _ => false,
        }
    }
}

fn bill(which: &str, what: &BillNote, language: Language) -> String {
    let words = CodeWords::of(language);
    match what {
        BillNote::Sent => words.bill_sent(which),
        BillNote::Printed => words.bill_printed(which),
        BillNote::Waits => words.bill_waits(which),
        BillNote::TooLate => words.bill_too_late(which),
        BillNote::Failed(why) => words.bill_failed(which, why),
    }
}

/// Which refund it is, where it is, and what that means for the money.
fn refunded(which: &Which, refund: &RefundRecord, language: Language) -> String {
    let words = NoteWords::of(language);
    let which = which.text(words);
    let word = refund::word(refund.state.status(), language);
    let what = refund::of(&refund.state, refund.currency, language)
        .unwrap_or_else(|| refund::money(&refund.state, language).to_owned());
    let what = if refund.recorded { &what } else { words.refund_not_recorded() };
    say!(language, "{which}: {word}. {what}", "{which}：{word}。{what}")
}

fn not_begun(refusal: &Refusal, words: NoteWords, language: Language) -> String {
    let (what, then) = match refusal {
        Refusal::Stopped => (words.cannot_save().into(), words.stopped()),
        Refusal::Unsettled(order) => (words.sale_unsettled(order.tail()), words.finish_first()),
        Refusal::AlreadyPaid => (words.sale_paid().into(), words.press_esc()),
        Refusal::CodeUsed(_) => (words.code_used().into(), words.scan_payment_code()),
        Refusal::MoreThanLeft(_) => (words.sale_changed().into(), words.press_esc()),
        Refusal::NoSuchCash => (words.no_such_cash().into(), ""),
        Refusal::NothingTaken => (words.nothing_taken().into(), words.press_esc()),
    };
    let gap = language.pick(" ", "");
    format!("{what}{gap}{}{gap}{then}", words.nothing_was_sent())
}

fn not_an_amount(why: NotAnAmount, language: Language, largest: &str) -> String {
    let words = NoteWords::of(language);
    match why {
        NotAnAmount::Empty => words.amount_first().into(),
        NotAnAmount::Stray(stray) => words.amount_stray(&amount::named(stray, language)),
        NotAnAmount::TwoPoints => words.amount_two_points().into(),
        NotAnAmount::NoDigits => words.amount_such_as().into(),
        NotAnAmount::TooManyDecimals(0) => words.amount_no_decimals().into(),
        NotAnAmount::TooManyDecimals(most) => words.amount_decimals(most),
        NotAnAmount::Zero => words.amount_zero().into(),
        NotAnAmount::TooLarge => words.amount_too_large(largest),
    }
}
