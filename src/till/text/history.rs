//! What happened to an order, as `paytill show` reports it.

use crate::engine::ActKind;
use crate::journal::{StoredEntry, StoredEvent};
use crate::language::Language;
use crate::say;

pub use paytill_core::text::history::{
    answer, by, call, event, event_words, refund_answer, refund_event, refund_event_words,
};

/// What happened, and whose doing it was.
pub fn entry(entry: &StoredEntry, language: Language) -> String {
    let what = match &entry.event {
        StoredEvent::Payment(event) => self::event(event, language),
        StoredEvent::Act(act) => self::act(act, language),
        StoredEvent::Refund(told) => {
            let (id, what) = (told.refund, refund_event(&told.event, language));
            say!(language, "refund {id}: {what}", "退款 {id}：{what}")
        }
    };
    match &entry.by {
        Some(by) => what + &self::by(by, language),
        None => what,
    }
}

/// What somebody did that moved nothing.
fn act(act: &ActKind, language: Language) -> String {
    match act {
        ActKind::Reprint { copy } => {
            say!(language, "reprinted, copy {copy}", "补打小票（第 {copy} 次）")
        }
        ActKind::Drawer => language.pick("the drawer was opened", "打开钱箱").to_owned(),
        ActKind::CashReturned { .. } => {
            language.pick("the cash went back to the customer", "现金已退还顾客").to_owned()
        }
        ActKind::CashIn { .. } => language.pick("cash was put in", "存入备用金").to_owned(),
        ActKind::CashOut { .. } => language.pick("cash was taken out", "取出现金").to_owned(),
        ActKind::ShiftOpened { .. } => language.pick("the shift was opened", "开班").to_owned(),
        ActKind::ShiftClosed(_) => language.pick("the shift was closed", "交班").to_owned(),
    }
}
