//! One thing said to the cashier in passing: why a key or a scan did nothing.

use super::model::{Desk, Model};
use crate::clean::clean;
use crate::money::NotAnAmount;
use crate::payment::Status;
use crate::scan::{Scan, Wallet};
use crate::text::screen::NoteWords;

/// Cells of a scanned text that are repeated.
const SCANNED_SHOWN: usize = 24;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Note {
    NotAnAmount(NotAnAmount),
    /// Nothing was sent for this scan.
    Refused(Scanned, Instead),
    UnendedBurst,
    PressEnterToGoOn,
    EscFirst,
    AlreadyWithdrawing,
    AmountFirst,
    SentToPrinter,
    Printed,
    ReceiptWaits,
    /// The end of the order's number, and why.
    PrintFailed {
        order: String,
        why: String,
    },
    DrawerOpened,
    DrawerFailed(String),
}

/// What a scan was, without the payment code itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scanned {
    Payment,
    SameAgain,
    Wallet(Wallet),
    ReceiveCode,
    Goods(String),
    OwnReceipt(String),
    Transaction(String),
    Noise,
}

/// What to do instead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Instead {
    TypeAmount,
    PressEnter,
    ScanPaymentCode,
    FinishThisOne,
    ChooseFirst,
    Restart,
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
            Scan::Noise => Self::Noise,
        }
    }

    fn say(&self, words: NoteWords) -> String {
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
            Self::Noise => words.noise().into(),
        }
    }
}

impl Instead {
    /// What the desk waits for.
    pub(super) fn at(model: &Model) -> Self {
        if model.stopped.is_some() {
            return Self::Restart;
        }
        match &model.desk {
            Desk::Amount { typed } => {
                let settings = &model.settings;
                match settings.currency.read(typed, settings.entry) {
                    Ok(_) => Self::PressEnter,
                    Err(_) => Self::TypeAmount,
                }
            }
            Desk::Code { .. } => Self::ScanPaymentCode,
            Desk::Starting { .. } => Self::FinishThisOne,
            Desk::Payment(_) => match model.at_hand().map(|attempt| attempt.view.state.status()) {
                Some(Status::Declined | Status::Reversed) => Self::ScanPaymentCode,
                Some(Status::Paid) | None => Self::TypeAmount,
                Some(Status::Reversing | Status::Attention) => Self::ChooseFirst,
                Some(Status::Created | Status::Sent | Status::Waiting | Status::Checking) => {
                    Self::FinishThisOne
                }
            },
        }
    }

    fn say(self, words: NoteWords) -> &'static str {
        match self {
            Self::TypeAmount => words.amount_first(),
            Self::PressEnter => words.press_enter_first(),
            Self::ScanPaymentCode => words.scan_payment_code(),
            Self::FinishThisOne => words.finish_first(),
            Self::ChooseFirst => words.choose_first(),
            Self::Restart => words.stopped(),
        }
    }
}

impl Note {
    /// The note in words.
    pub(super) fn say(&self, model: &Model) -> String {
        let words = NoteWords::of(model.language);
        match self {
            Self::NotAnAmount(why) => not_an_amount(*why, model),
            Self::Refused(scanned, instead) => {
                let gap = model.text().gap();
                let (what, then) = (scanned.say(words), instead.say(words));
                format!("{what}{gap}{}{gap}{then}", words.nothing_was_sent())
            }
            Self::UnendedBurst => words.unended_burst().into(),
            Self::PressEnterToGoOn => words.choose_first().into(),
            Self::EscFirst => words.esc_first().into(),
            Self::AlreadyWithdrawing => words.already_reversing().into(),
            Self::AmountFirst => words.amount_first().into(),
            Self::SentToPrinter => words.receipt_sent().into(),
            Self::Printed => words.receipt_printed().into(),
            Self::ReceiptWaits => words.receipt_waits().into(),
            Self::DrawerOpened => words.drawer_opened().into(),
            Self::DrawerFailed(why) => words.drawer_failed(why),
            Self::PrintFailed { order, why } => words.receipt_failed(order, why),
        }
    }

    /// Whether it tells of something that went well.
    pub(super) fn is_good_news(&self) -> bool {
        matches!(self, Self::SentToPrinter | Self::Printed | Self::DrawerOpened)
    }
}

fn not_an_amount(why: NotAnAmount, model: &Model) -> String {
    let words = NoteWords::of(model.language);
    match why {
        NotAnAmount::Empty => words.amount_first().into(),
        NotAnAmount::NotDigits => words.amount_not_digits().into(),
        NotAnAmount::TooManyDecimals(0) => words.amount_no_decimals().into(),
        NotAnAmount::TooManyDecimals(most) => words.amount_decimals(most),
        NotAnAmount::Zero => words.amount_zero().into(),
        NotAnAmount::TooLarge => words.amount_too_large(&model.money(crate::money::LARGEST)),
    }
}
