//! The amounts of a bill: decimals of the major unit as text, read exactly. Fees have more decimals
//! than the currency.

use crate::money::{Currency, Money};

/// Decimals that are kept. Real fees have five.
const DECIMALS: usize = 6;
/// Longer numbers are no amounts. So bounded, a million rows stay far below what an `i128` holds.
const LONGEST: usize = 24;
const MOST_WHOLE_DIGITS: usize = 12;

/// Millionths of the major unit.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Exact(i128);

impl Exact {
    /// Reads `12`, `12.30`, `-0.06000`; `None` for anything that is no such decimal, or that has
    /// more decimals than are kept.
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let part = part.trim_end_matches('0');
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if text.len() > LONGEST
            || whole.is_empty()
            || whole.len() > MOST_WHOLE_DIGITS
            || part.len() > DECIMALS
            || !is_number(whole)
            || !is_number(part)
        {
            return None;
        }
        let millionths: i128 = format!("{whole}{part:0<DECIMALS$}").parse().ok()?;
        Some(Self(if digits.len() < text.len() { -millionths } else { millionths }))
    }

    /// An amount of money.
    pub fn of(amount: Money, currency: Currency) -> Self {
        Self(i128::from(amount.minor()) * unit(currency))
    }

    /// The amount in minor units; `None` if it has a fraction of one.
    pub fn minor(self, currency: Currency) -> Option<Money> {
        let unit = unit(currency);
        let minor = (self.0 % unit == 0).then_some(self.0 / unit)?;
        i64::try_from(minor).ok().map(Money::from_minor)
    }

    /// The nearest amount in minor units; a half goes away from zero.
    pub fn rounded(self, currency: Currency) -> Money {
        let unit = unit(currency);
        let half = unit / 2 * self.0.signum();
        let minor = i64::try_from((self.0 + half) / unit);
        Money::from_minor(minor.unwrap_or(if self.0 < 0 { i64::MIN } else { i64::MAX }))
    }

    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Without its sign.
    #[must_use]
    pub const fn magnitude(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// Whether it differs by less than one in the last decimal that `text` gives: a total may be
    /// written with fewer decimals than what it adds up.
    pub fn is_as_written(self, text: &str) -> bool {
        let decimals = text.split_once('.').map_or(0, |(_, part)| part.len().min(DECIMALS));
        let step = (decimals..DECIMALS).fold(1_i128, |step, _| step * 10);
        Self::read(text).is_some_and(|said| (said.0 - self.0).abs() < step)
    }

    /// As text, with two decimals at least.
    pub fn show(self) -> String {
        let (sign, amount) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let mut part = format!("{:0DECIMALS$}", amount % 1_000_000);
        while part.len() > 2 && part.ends_with('0') {
            part.pop();
        }
        format!("{sign}{}.{part}", amount / 1_000_000)
    }
}

/// One minor unit in millionths of the major unit.
fn unit(currency: Currency) -> i128 {
    (usize::from(currency.decimals())..DECIMALS).fold(1, |unit, _| unit * 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::LARGEST;

    const CNY: Currency = Currency::CNY;

    #[test]
    fn reads_what_bills_say() {
        for (text, minor, shown) in [
            ("0.01", 1, "0.01"),
            ("0.0", 0, "0.00"),
            ("0", 0, "0.00"),
            ("12", 1200, "12.00"),
            ("1234.50000", 123_450, "1234.50"),
            ("-0.06000", -6, "-0.06"),
        ] {
            let amount = Exact::read(text).unwrap();
            assert_eq!(amount.minor(CNY), Some(Money::from_minor(minor)), "{text}");
            assert_eq!(amount.show(), shown);
        }
    }

    #[test]
    fn refuses_what_is_no_decimal() {
        for text in [
            "",
            "-",
            ".",
            ".5",
            "1,000",
            "+1",
            "1e3",
            " 1",
            "１",
            "0.60%",
            "a0.00",
            "--1",
            "1.2.3",
            "1.-2",
            "0.0000001",
            "1234567890123",
            "NaN",
        ] {
            assert_eq!(Exact::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_fraction_of_the_smallest_coin_is_no_amount_and_a_fee_is_rounded_once() {
        let fee = Exact::read("0.07512").unwrap();
        assert_eq!(fee.minor(CNY), None);
        assert_eq!(fee.rounded(CNY), Money::from_minor(8));
        assert_eq!(Exact::read("-0.075").unwrap().rounded(CNY), Money::from_minor(-8));
        assert_eq!(Exact::read("0.07499").unwrap().rounded(CNY), Money::from_minor(7));
        let yen = Currency::from_code("JPY").unwrap();
        assert_eq!(Exact::read("12.00").unwrap().minor(yen), Some(Money::from_minor(12)));
    }

    #[test]
    fn a_total_with_fewer_decimals_is_taken_as_it_is_written() {
        let sum = Exact::read("0.07512").unwrap();
        for (text, fits) in [
            ("0.07512", true),
            ("0.07511", false),
            ("0.075", true),
            ("0.08", true),
            ("0.09", false),
            ("0", true),
        ] {
            assert_eq!(sum.is_as_written(text), fits, "{text}");
        }
        assert!(!sum.is_as_written(""));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(minor in -LARGEST.minor()..=LARGEST.minor()) {
            for code in ["CNY", "JPY", "KWD"] {
                let currency = Currency::from_code(code).unwrap();
                let amount = Exact::of(Money::from_minor(minor), currency);
                prop_assert_eq!(Exact::read(&amount.show()), Some(amount));
                prop_assert_eq!(amount.minor(currency), Some(Money::from_minor(minor)));
                prop_assert_eq!(amount.rounded(currency), Money::from_minor(minor));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*|-?[0-9.]{0,30}") {
            if let Some(amount) = Exact::read(&text) {
                prop_assert!(amount.is_as_written(&text));
            }
        }
    }
}
