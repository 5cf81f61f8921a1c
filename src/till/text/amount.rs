//! Why the input is not an amount, as a clause that follows a colon. What is wrong is named by its
//! character; the input is not repeated, since it may be a payment code.

use crate::clean::is_unsafe;
use crate::language::Language;
use crate::money::{Currency, LARGEST, NotAnAmount};
use crate::say;

/// The clause for each reason.
pub fn fault(why: NotAnAmount, currency: Currency, language: Language) -> String {
    match why {
        NotAnAmount::Empty => language.pick("no amount", "没有金额").to_owned(),
        NotAnAmount::Stray(stray) => {
            let stray = named(stray, language);
            say!(
                language,
                "{stray} does not belong in an amount, which is like 12.50",
                "金额里不能有{stray}，请写成 12.50 这样"
            )
        }
        NotAnAmount::TwoPoints => language
            .pick("an amount has one decimal point, like 12.50", "金额只能有一个小数点，如 12.50")
            .to_owned(),
        NotAnAmount::NoDigits => {
            language.pick("an amount has digits, like 12.50", "金额要有数字，如 12.50").to_owned()
        }
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
            "an amount is at most {most}",
            "金额不能超过 {most}",
            most = currency.group(LARGEST)
        ),
    }
}

/// A character as people can tell it from others, quoted; by its code if it cannot be seen.
pub fn named(character: char, language: Language) -> String {
    match character {
        '\n' | '\r' => language.pick("a line end", "换行").to_owned(),
        blank if blank.is_whitespace() => language.pick("a blank", "空格").to_owned(),
        ',' | '，' => say!(language, "the comma \"{character}\"", "逗号“{character}”"),
        '-' | '－' | '−' => {
            say!(language, "the minus sign \"{character}\"", "负号“{character}”")
        }
        unseen if is_unsafe(unseen) => {
            let code = u32::from(unseen);
            say!(language, "an invisible character (U+{code:04X})", "看不见的字符（U+{code:04X}）")
        }
        seen => say!(language, "\"{seen}\"", "“{seen}”"),
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
            (NotAnAmount::TooLarge, "at most 9,999,999.99", "不能超过 9,999,999.99"),
            (NotAnAmount::TwoPoints, "one decimal point", "一个小数点"),
            (NotAnAmount::NoDigits, "like 12.50", "如 12.50"),
            (NotAnAmount::Stray(','), "the comma \",\" does not", "不能有逗号“,”"),
            (NotAnAmount::Stray('-'), "the minus sign \"-\"", "负号“-”"),
            (NotAnAmount::Stray('元'), "\"元\" does not", "不能有“元”"),
            (NotAnAmount::Stray('\n'), "a line end does not", "不能有换行"),
            (NotAnAmount::Stray('\u{200b}'), "(U+200B)", "（U+200B）"),
        ] {
            let said = |language| fault(why, Currency::CNY, language);
            assert!(said(Language::English).contains(english), "{why:?}");
            assert!(said(Language::Chinese).contains(chinese), "{why:?}");
        }
    }
}
