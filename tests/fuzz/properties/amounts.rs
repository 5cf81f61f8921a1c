//! Amounts: what is parsed is what was typed, digit for digit, and is shown the same way.

use paytill::money::{AmountEntry, Currency, LARGEST, Money, narrow};

use super::draw::Draw;

const CURRENCIES: [(&str, usize); 5] = [("CNY", 2), ("JPY", 0), ("KWD", 3), ("USD", 2), ("VND", 0)];

pub fn check(data: &[u8]) {
    let mut draw = Draw(data);
    let (code, decimals) = draw.one_of(&CURRENCIES);
    let currency = Currency::from_code(code).unwrap();
    let is_minor = draw.bit();
    let entry = if is_minor { AmountEntry::Minor } else { AmountEntry::Major };
    shows(currency, decimals, Money::from_minor(draw.number()));
    let typed = String::from_utf8_lossy(draw.0);
    let Ok(amount) = currency.read(&typed, entry) else { return };
    assert!(amount > Money::from_minor(0) && amount <= LARGEST, "{typed:?}");
    let typed: String = typed.chars().map(narrow).collect();
    let (major, minor) = typed.split_once('.').unwrap_or((&typed, ""));
    assert!(typed.is_ascii() && minor.len() <= decimals, "{typed:?}");
    let wanted = if is_minor && !typed.contains('.') {
        typed.clone()
    } else {
        format!("{major}{minor}{}", "0".repeat(decimals - minor.len()))
    };
    assert_eq!(amount.minor().to_string(), wanted.trim_start_matches('0'), "{typed:?}");
    assert_eq!(currency.read(&currency.show(amount), AmountEntry::Major), Ok(amount), "{typed:?}");
}

/// Any amount is shown with all its digits.
fn shows(currency: Currency, decimals: usize, amount: Money) {
    let shown = currency.show(amount);
    let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
    let wanted = amount.minor().unsigned_abs().to_string();
    assert_eq!(digits.trim_start_matches('0'), wanted.trim_start_matches('0'), "{shown}");
    assert_eq!(shown.starts_with('-'), amount.minor() < 0, "{shown}");
    assert_eq!(currency.group(amount).replace(',', ""), shown);
    assert_eq!(shown.split_once('.').map_or(0, |(_, minor)| minor.len()), decimals, "{shown}");
}
