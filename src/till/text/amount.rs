//! Why the input is not an amount, as a clause that follows a colon.

use crate::language::Language;
use crate::money::{LARGEST, NotAnAmount};
use crate::say;

/// The clause for each reason.
pub fn fault(why: NotAnAmount, language: Language) -> String {
    match why {
        NotAnAmount::Empty => language.pick("no amount", "没有金额").to_owned(),
        NotAnAmount::NotDigits => say!(
            language,
            "use digits and at most one decimal point, like 12.50",
            "请只用数字和一个小数点，如 12.50"
        ),
        NotAnAmount::TooManyDecimals(0) => {
            language.pick("this currency has no decimals", "该币种没有小数").to_owned()
        }
        NotAnAmount::TooManyDecimals(most) => say!(
            language,
            "at most {most} decimals; amounts are never rounded",
            "最多 {most} 位小数，金额不会四舍五入"
        ),
        NotAnAmount::Zero => {
            language.pick("an amount must be more than zero", "金额必须大于零").to_owned()
        }
        NotAnAmount::TooLarge => say!(
            language,
            "an amount is at most {most} minor units",
            "金额不能超过 {most} 个最小货币单位",
            most = LARGEST.minor()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_it_is_no_amount_is_said_in_words() {
        for (why, english, chinese) in [
            (NotAnAmount::Empty, "no amount", "没有金额"),
            (NotAnAmount::TooManyDecimals(0), "no decimals", "没有小数"),
            (NotAnAmount::TooManyDecimals(3), "at most 3 decimals", "最多 3 位小数"),
            (NotAnAmount::Zero, "more than zero", "大于零"),
            (NotAnAmount::TooLarge, "at most 999999999 minor units", "不能超过 999999999 个"),
            (NotAnAmount::NotDigits, "like 12.50", "如 12.50"),
        ] {
            assert!(fault(why, Language::English).contains(english), "{why:?}");
            assert!(fault(why, Language::Chinese).contains(chinese), "{why:?}");
        }
    }
}
