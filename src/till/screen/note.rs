//! One thing said to the cashier in passing: why a key or a scan did nothing.

use super::model::{Desk, Model};
use crate::clean::clean;
use crate::money::NotAnAmount;
use crate::payment::Status;
use crate::scan::{Scan, Wallet};
use crate::text::screen::Screen;

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

    fn say(&self, text: &Screen) -> String {
        match self {
            Self::Payment => text.scan_payment.into(),
            Self::SameAgain => text.scan_same_again.into(),
            Self::Wallet(Wallet::Alipay) => text.scan_alipay.into(),
            Self::Wallet(Wallet::UnionPay) => text.scan_unionpay.into(),
            Self::Wallet(Wallet::EmvCode) => text.scan_emv.into(),
            Self::Wallet(Wallet::Other) => text.scan_other_wallet.into(),
            Self::ReceiveCode => text.scan_receive_code.into(),
            Self::Goods(goods) => (text.scan_goods)(goods),
            Self::OwnReceipt(tail) => (text.scan_own_receipt)(tail),
            Self::Transaction(number) => (text.scan_transaction)(number),
            Self::Noise => text.scan_noise.into(),
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

    fn say(self, text: &Screen) -> &'static str {
        match self {
            Self::TypeAmount => text.instead_type_amount,
            Self::PressEnter => text.instead_press_enter,
            Self::ScanPaymentCode => text.instead_scan_payment_code,
            Self::FinishThisOne => text.instead_finish_this_one,
            Self::ChooseFirst => text.instead_choose_first,
            Self::Restart => text.instead_restart,
        }
    }
}

impl Note {
    /// The note in words.
    pub(super) fn say(&self, model: &Model) -> String {
        let text = model.text();
        match self {
            Self::NotAnAmount(why) => not_an_amount(*why, model),
            Self::Refused(scanned, instead) => {
                let gap = text.gap;
                let (what, then) = (scanned.say(text), instead.say(text));
                format!("{what}{gap}{}{gap}{then}", text.nothing_was_sent)
            }
            Self::UnendedBurst => text.unended_burst.into(),
            Self::PressEnterToGoOn => text.press_enter_to_go_on.into(),
            Self::EscFirst => text.esc_first.into(),
            Self::AlreadyWithdrawing => text.already_withdrawing.into(),
            Self::AmountFirst => text.amount_first.into(),
            Self::SentToPrinter => text.receipt_sent.into(),
            Self::Printed => text.receipt_printed.into(),
            Self::ReceiptWaits => text.receipt_waits.into(),
            Self::DrawerOpened => text.drawer_opened.into(),
            Self::DrawerFailed(why) => (text.drawer_failed)(why),
            Self::PrintFailed { order, why } => (text.receipt_failed)(order, why),
        }
    }

    /// Whether it tells of something that went well.
    pub(super) fn is_good_news(&self) -> bool {
        matches!(self, Self::SentToPrinter | Self::Printed | Self::DrawerOpened)
    }
}

fn not_an_amount(why: NotAnAmount, model: &Model) -> String {
    let text = model.text();
    match why {
        NotAnAmount::Empty => text.amount_first.into(),
        NotAnAmount::NotDigits => text.amount_not_digits.into(),
        NotAnAmount::TooManyDecimals(0) => text.amount_no_decimals.into(),
        NotAnAmount::TooManyDecimals(most) => (text.amount_decimals)(most),
        NotAnAmount::Zero => text.amount_zero.into(),
        NotAnAmount::TooLarge => (text.amount_too_large)(&model.money(crate::money::LARGEST)),
    }
}
