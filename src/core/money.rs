//! Amounts of money: integers in the currency's minor unit, and how people type and read them.
//!
//! There is no floating point anywhere. Typed text that could be misread is refused, not rounded.

use serde::{Deserialize, Serialize};

/// The largest amount of one sale, in minor units. Anything above is more likely a typing error
/// than a sale, and the limit is far below what any gateway's integers hold.
pub const LARGEST: Money = Money(999_999_999);

/// An amount in minor units (fen for CNY). It has no `From<f64>` and no arithmetic that wraps.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// An amount of `minor` minor units.
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor)
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.0
    }
}

/// An ISO 4217 currency: its code, and the number of decimals that its minor unit makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Currency {
    code: &'static str,
    decimals: u8,
}

impl Currency {
    /// Renminbi, in fen.
    pub const CNY: Self = Self { code: "CNY", decimals: 2 };

    /// The currency with this ISO 4217 code, in capitals.
    pub fn from_code(code: &str) -> Option<Self> {
        let tables = [(0, WITHOUT_DECIMALS), (2, TWO_DECIMALS), (3, THREE_DECIMALS)];
        tables.into_iter().find_map(|(decimals, codes)| {
            let code = codes.split(' ').find(|known| *known == code)?;
            Some(Self { code, decimals })
        })
    }

    /// The three-letter code.
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// How many decimals its minor unit makes.
    pub const fn decimals(self) -> u8 {
        self.decimals
    }

    /// The sign people know it by, or the code if there is none. `￥` and not `¥`: printers and
    /// terminals with Chinese fonts agree on the former.
    pub fn symbol(self) -> &'static str {
        match self.code {
            "CNY" => "￥",
            "HKD" => "HK$",
            "USD" => "US$",
            "EUR" => "€",
            other => other,
        }
    }

    /// The amount in major units, with all decimals of the currency: `12.30`.
    pub fn show(self, amount: Money) -> String {
        let sign = if amount.0 < 0 { "-" } else { "" };
        let minor = amount.0.unsigned_abs();
        let unit = 10_u64.pow(u32::from(self.decimals));
        match self.decimals {
            0 => format!("{sign}{minor}"),
            decimals => {
                let width = usize::from(decimals);
                format!("{sign}{}.{:0width$}", minor / unit, minor % unit)
            }
        }
    }

    /// The amount as people read it, with thousands separators so that an extra digit stands out:
    /// `1,234.50`. [`Currency::show`] is what [`Currency::read`] takes.
    pub fn group(self, amount: Money) -> String {
        grouped_thousands(&self.show(amount))
    }

    /// Parses what a person typed as the amount of a sale, with digits and point as [`narrow`]
    /// takes them.
    pub fn read(self, typed: &str, entry: AmountEntry) -> Result<Money, NotAnAmount> {
        let decimals = usize::from(self.decimals);
        if typed.is_empty() {
            return Err(NotAnAmount::Empty);
        }
        let is_amount = |mark: &char| mark.is_ascii_digit() || *mark == '.';
        if let Some(stray) = typed.chars().find(|mark| !is_amount(&narrow(*mark))) {
            return Err(NotAnAmount::Stray(stray));
        }
        let typed: String = typed.chars().map(narrow).collect();
        let minor_digits = match typed.split_once('.') {
            Some((_, minor)) if minor.contains('.') => return Err(NotAnAmount::TwoPoints),
            Some(("", "")) => return Err(NotAnAmount::NoDigits),
            Some((_, minor)) if minor.len() > decimals => {
                return Err(NotAnAmount::TooManyDecimals(self.decimals));
            }
            Some((major, minor)) => format!("{major}{minor:0<decimals$}"),
            None if entry == AmountEntry::Minor => typed,
            None => format!("{typed}{:0<decimals$}", ""),
        };
        let amount = minor_digits.parse().map_err(|_| NotAnAmount::TooLarge)?;
        match Money(amount) {
            Money(0) => Err(NotAnAmount::Zero),
            amount if amount > LARGEST => Err(NotAnAmount::TooLarge),
            amount => Ok(amount),
        }
    }
}

/// The digit or point that an input method left on has made full-width, as ASCII; `。` is what the
/// point's key gives there. Any other character stays as it is.
pub fn narrow(typed: char) -> char {
    match typed {
        '．' | '。' | '｡' => '.',
        '０'..='９' => char::from_u32(u32::from(typed) - 0xfee0).unwrap_or(typed),
        other => other,
    }
}

/// The text with a comma between the thousands of its whole part.
pub fn grouped_thousands(amount: &str) -> String {
    let (major, minor) = amount.split_at(amount.find('.').unwrap_or(amount.len()));
    let digits = major.chars().filter(char::is_ascii_digit).count();
    let mut left = digits;
    let mut grouped = String::new();
    for character in major.chars() {
        if character.is_ascii_digit() {
            if left < digits && left.is_multiple_of(3) {
                grouped.push(',');
            }
            left -= 1;
        }
        grouped.push(character);
    }
    grouped + minor
}

/// What digits without a decimal point mean.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum AmountEntry {
    /// `12` is 12.00.
    #[default]
    Major,
    /// `1200` is 12.00; a typed point switches that entry to [`AmountEntry::Major`].
    Minor,
}

/// Why typed text is not the amount of a sale. Nothing is ever rounded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAnAmount {
    Empty,
    /// The first character that is neither a digit nor a point.
    Stray(char),
    TwoPoints,
    /// A point alone.
    NoDigits,
    /// More decimals than the currency has, which is this many.
    TooManyDecimals(u8),
    Zero,
    /// Above [`LARGEST`].
    TooLarge,
}

const WITHOUT_DECIMALS: &str =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const TWO_DECIMALS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN \
    BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS \
    GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL \
    MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP \
    PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT \
    TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG";
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CNY: Currency = Currency::CNY;

    #[test]
    fn reads_what_a_cashier_types() {
        for (typed, minor) in [("12.34", 1234), ("12", 1200), ("12.5", 1250), ("0.01", 1)] {
            assert_eq!(CNY.read(typed, AmountEntry::Major), Ok(Money(minor)), "{typed}");
        }
    }

    #[test]
    fn a_point_may_lead_or_end_and_an_input_method_may_be_left_on() {
        for (typed, minor) in [
            (".5", 50),
            ("5.", 500),
            (".05", 5),
            ("１２．３４", 1234),
            ("１２。３４", 1234),
            ("12。5", 1250),
            ("12｡5", 1250),
            ("。5", 50),
        ] {
            assert_eq!(CNY.read(typed, AmountEntry::Major), Ok(Money(minor)), "{typed}");
        }
        let yen = Currency::from_code("JPY").unwrap();
        assert_eq!(yen.read("5.", AmountEntry::Major), Ok(Money(5)));
        assert_eq!(yen.read(".5", AmountEntry::Major), Err(NotAnAmount::TooManyDecimals(0)));
    }

    #[test]
    fn thousands_are_told_apart_where_people_read() {
        for (minor, shown) in [
            (0, "0.00"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (999_999_999, "9,999,999.99"),
            (-123_456, "-1,234.56"),
        ] {
            assert_eq!(CNY.group(Money(minor)), shown);
        }
        let yen = Currency::from_code("JPY").unwrap();
        assert_eq!(yen.group(Money(1_234_567)), "1,234,567");
        for (typed, grouped) in [("1500", "1,500"), ("1500.", "1,500."), (".5", ".5"), ("", "")] {
            assert_eq!(grouped_thousands(typed), grouped);
        }
    }

    #[test]
    fn minor_entry_reads_fen_until_a_point_is_typed() {
        assert_eq!(CNY.read("1200", AmountEntry::Minor), Ok(Money(1200)));
        assert_eq!(CNY.read("12.", AmountEntry::Minor), Ok(Money(1200)));
        assert_eq!(CNY.read(".5", AmountEntry::Minor), Ok(Money(50)));
        assert_eq!(CNY.read("12.5", AmountEntry::Minor), Ok(Money(1250)));
    }

    #[test]
    fn refuses_what_could_be_misread() {
        use NotAnAmount::{Empty, NoDigits, Stray, TooLarge, TooManyDecimals, TwoPoints, Zero};
        for (typed, why) in [
            ("", Empty),
            (".", NoDigits),
            ("。", NoDigits),
            ("1.2.3", TwoPoints),
            ("1..", TwoPoints),
            ("1。.5", TwoPoints),
            ("-1", Stray('-')),
            ("－1", Stray('－')),
            ("+1", Stray('+')),
            ("1,000", Stray(',')),
            ("1，5", Stray('，')),
            ("1e9", Stray('e')),
            ("￥12", Stray('￥')),
            ("12元", Stray('元')),
            ("1.2.x", Stray('x')),
            ("١٢", Stray('١')),
            ("12\n", Stray('\n')),
            ("0.001", TooManyDecimals(2)),
            ("12.345", TooManyDecimals(2)),
            ("0", Zero),
            ("0.00", Zero),
            ("999999999.99", TooLarge),
            ("10000000", TooLarge),
            ("99999999999999999999", TooLarge),
        ] {
            assert_eq!(CNY.read(typed, AmountEntry::Major), Err(why), "{typed:?}");
        }
        assert_eq!(CNY.read("9999999.99", AmountEntry::Major), Ok(LARGEST));
    }

    #[test]
    fn the_minor_unit_comes_from_the_standard() {
        let yen = Currency::from_code("JPY").unwrap();
        assert_eq!(yen.read("12", AmountEntry::Major), Ok(Money(12)));
        assert_eq!(yen.read("12.5", AmountEntry::Major), Err(NotAnAmount::TooManyDecimals(0)));
        assert_eq!(yen.show(Money(1200)), "1200");
        let dinar = Currency::from_code("KWD").unwrap();
        assert_eq!(dinar.show(Money(1200)), "1.200");
        assert_eq!(Currency::from_code("CNY"), Some(CNY));
        for unknown in ["XXX", "cny", "CN", "", "CNY CNY"] {
            assert_eq!(Currency::from_code(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn shows_what_is_owed_the_other_way_with_a_sign_and_nothing_without() {
        for (minor, shown) in [(0, "0.00"), (1, "0.01"), (-1, "-0.01"), (-123_456, "-1234.56")] {
            assert_eq!(CNY.show(Money(minor)), shown);
        }
        let yen = Currency::from_code("JPY").unwrap();
        assert_eq!((yen.show(Money(0)), yen.show(Money(-5))), ("0".into(), "-5".into()));
    }

    #[test]
    fn a_currency_is_shown_by_its_sign_or_by_its_code() {
        let sign = |code: &str| Currency::from_code(code).unwrap().symbol();
        assert_eq!(["CNY", "HKD", "USD", "EUR", "KWD"].map(sign), ["￥", "HK$", "US$", "€", "KWD"]);
    }

    proptest! {
        #[test]
        fn showing_then_reading_gives_the_amount_back(minor in 1..=LARGEST.minor()) {
            for code in ["CNY", "JPY", "KWD"] {
                let currency = Currency::from_code(code).unwrap();
                let shown = currency.show(Money(minor));
                prop_assert_eq!(currency.read(&shown, AmountEntry::Major), Ok(Money(minor)));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = CNY.read(&text, AmountEntry::Major);
            let _ = CNY.read(&text, AmountEntry::Minor);
        }
    }
}
