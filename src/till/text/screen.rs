//! The words of the cashier's screen.

mod chinese;
mod english;

use crate::language::Language;
use crate::payment::Status;

pub use chinese::CHINESE;
pub use english::ENGLISH;

/// Every text of the screen. Sentences end with a full stop; labels do not.
#[derive(Debug)]
pub struct Screen {
    /// In the order of [`Status::ALL`].
    pub words: [&'static str; 9],
    /// Between two sentences.
    pub gap: &'static str,
    pub training_banner: &'static str,
    pub till: &'static str,

    pub amount_due: &'static str,
    pub type_the_amount: &'static str,
    pub type_or_go_on: &'static str,
    pub take_back: &'static str,
    pub then_press_enter: &'static str,
    pub amount_first: &'static str,
    pub amount_not_digits: &'static str,
    pub amount_no_decimals: &'static str,
    pub amount_decimals: fn(u8) -> String,
    pub amount_zero: &'static str,
    pub amount_too_large: fn(&str) -> String,
    pub typed: fn(&str) -> String,

    pub scan_the_code: &'static str,
    pub where_the_code_is: &'static str,
    pub scanner_is_missing: &'static str,
    pub scanner_failed: fn(&str) -> String,
    pub charged_again: &'static str,
    pub being_written_down: &'static str,

    pub was_sent: &'static str,
    pub customer_confirms: &'static str,
    pub till_asks: &'static str,
    pub is_withdrawn: &'static str,
    pub asks_in: fn(u64) -> String,
    pub asking_now: &'static str,
    pub gives_up_in: fn(u64) -> String,
    pub giving_up_now: &'static str,
    pub withdrawn_in: fn(u64) -> String,
    pub withdrawing_now: &'static str,
    pub next_look_in: fn(u64) -> String,
    pub goes_on: &'static str,
    pub number_is_closed: &'static str,
    pub was_put_aside: &'static str,

    pub money_taken: &'static str,
    pub was_reversed: &'static str,
    pub money_held: &'static str,
    pub transaction: fn(&str) -> String,
    pub money_taken_with_coupon: fn(&str) -> String,
    pub order: fn(&str) -> String,
    pub not_recorded: &'static str,
    pub hand_over: &'static str,
    pub after_paid: &'static str,
    pub after_declined: &'static str,
    pub press_enter_to_go_on: &'static str,
    pub another_is_open: fn(usize) -> String,

    pub notice_more: fn(usize) -> String,

    pub stop: &'static str,
    pub stop_what: &'static str,
    pub stop_next: &'static str,

    pub ask_large_amount: fn(&str) -> String,
    pub ask_withdraw: &'static str,
    pub ask_withdraw_detail: &'static str,
    pub ask_unsettled: &'static str,
    pub choose_next_customer: &'static str,
    pub choose_next_customer_detail: &'static str,
    pub choose_charge_again: &'static str,
    pub choose_charge_again_detail: &'static str,
    pub ask_leave: &'static str,
    pub ask_leave_detail: &'static str,
    pub enter_yes: fn(&str, &str) -> String,

    pub story: &'static str,
    pub story_sent: &'static str,
    pub story_at_password: &'static str,
    pub story_not_paid_yet: &'static str,
    pub story_not_known_yet: &'static str,
    pub story_unclear: &'static str,
    pub story_refused: &'static str,
    pub story_never_sent: &'static str,
    pub story_paid: &'static str,
    pub story_money_goes_back: &'static str,
    pub story_given_up: &'static str,
    pub story_time_up: &'static str,
    pub story_put_aside: &'static str,
    pub story_restarted: &'static str,
    pub story_withdrawal_taken: &'static str,
    pub story_withdrawal_repeats: &'static str,
    pub story_withdrawal_refused: &'static str,
    pub story_closed: &'static str,
    pub story_revoked: &'static str,
    pub story_refunded: &'static str,
    pub story_no_end: &'static str,

    pub last_sales: &'static str,
    pub no_sales_yet: &'static str,

    pub gateway: &'static str,
    pub scanner: &'static str,
    pub printer: &'static str,
    pub display: &'static str,
    pub link_off: &'static str,
    pub link_keyboard: &'static str,
    pub link_searching: &'static str,
    pub link_ready: &'static str,
    pub link_failed: &'static str,

    pub nothing_was_sent: &'static str,
    pub scan_payment: &'static str,
    pub scan_same_again: &'static str,
    pub scan_alipay: &'static str,
    pub scan_unionpay: &'static str,
    pub scan_emv: &'static str,
    pub scan_other_wallet: &'static str,
    pub scan_receive_code: &'static str,
    pub scan_goods: fn(&str) -> String,
    pub scan_own_receipt: fn(&str) -> String,
    pub scan_transaction: fn(&str) -> String,
    pub scan_noise: &'static str,
    pub instead_type_amount: &'static str,
    pub instead_press_enter: &'static str,
    pub instead_scan_payment_code: &'static str,
    pub instead_finish_this_one: &'static str,
    pub instead_choose_first: &'static str,
    pub instead_restart: &'static str,
    pub unended_burst: &'static str,
    pub esc_first: &'static str,
    pub already_withdrawing: &'static str,
    pub receipt_sent: &'static str,
    pub receipt_printed: &'static str,
    pub receipt_waits: &'static str,
    pub receipt_failed: fn(&str, &str) -> String,
    pub drawer_opened: &'static str,
    pub drawer_failed: fn(&str) -> String,

    pub training_title: &'static str,
    pub training_what: &'static str,

    pub help_title: &'static str,
    pub help_amount: &'static [&'static str],
    pub help_code: &'static [&'static str],
    pub help_waiting: &'static [&'static str],
    pub help_unsettled: &'static [&'static str],
    pub help_result: &'static [&'static str],
    pub help_keys: &'static [(&'static str, &'static str)],

    pub arrows: &'static str,
    pub key_help: &'static str,
    pub key_ask_now: &'static str,
    pub key_drawer: &'static str,
    pub key_reprint: &'static str,
    pub key_training: &'static str,
    pub key_language: &'static str,
    pub key_quit: &'static str,
    pub key_close: &'static str,
    pub key_back: &'static str,
    pub key_choose: &'static str,
    pub key_do_it: &'static str,
    pub key_show_code: &'static str,
    pub key_amount_right: &'static str,
    pub key_withdraw: &'static str,
    pub key_keep_waiting: &'static str,
    pub key_leave: &'static str,
    pub key_stay: &'static str,
    pub key_understood: &'static str,
    pub key_ask_for_payment: &'static str,
    pub key_clear: &'static str,
    pub key_discard: &'static str,
    pub key_stop_waiting: &'static str,
    pub key_go_on: &'static str,
    pub key_next_sale: &'static str,

    pub too_small: fn(u16, u16, u16, u16) -> String,
}

impl Screen {
    /// The word of a status, as the interface fixes it.
    pub fn word(&self, status: Status) -> &'static str {
        let index = Status::ALL.into_iter().position(|other| other == status);
        index.and_then(|index| self.words.get(index)).copied().unwrap_or_default()
    }
}

/// The texts of a language.
pub const fn of(language: Language) -> &'static Screen {
    match language {
        Language::Chinese => &CHINESE,
        Language::English => &ENGLISH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_words_are_those_of_the_interface() {
        assert_eq!(ENGLISH.word(Status::Created), "READY");
        assert_eq!(ENGLISH.word(Status::Waiting), "WAITING FOR CUSTOMER");
        assert_eq!(ENGLISH.word(Status::Declined), "NOT PAID");
        assert_eq!(CHINESE.word(Status::Waiting), "等待顾客输入密码");
        assert_eq!(CHINESE.word(Status::Attention), "需人工处理");
    }
}
