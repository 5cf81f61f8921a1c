//! A second, independent reading of what a payment leaves for people and programs: the bytes of a
//! receipt, and a line of JSON.

use std::collections::BTreeSet;

use super::printout::Printout;

/// What a receipt or a report says.
#[derive(Debug, Eq, PartialEq)]
pub struct Says {
    /// In fen.
    pub amount: i64,
    pub number: String,
}

/// The only price on a receipt and the only order number, as text and as a barcode; `None` if it
/// cannot be read.
pub fn receipt(bytes: &[u8]) -> Option<Says> {
    let printout = Printout::read(bytes).ok()?;
    let amount = only(printout.lines().filter_map(price))?;
    let is_number = |line: &&str| {
        line.starts_with("T01") && line.bytes().all(|letter| letter.is_ascii_alphanumeric())
    };
    let numbers = printout.lines().filter(is_number).chain(printout.barcodes());
    let number = only(numbers.collect::<BTreeSet<_>>().into_iter())?;
    Some(Says { amount: fen(amount)?, number: number.to_owned() })
}

fn price(line: &str) -> Option<&str> {
    line.strip_prefix('￥').or_else(|| line.strip_prefix("CNY "))
}

/// The contents of a line of `orders --json` or `pay --json`.
pub fn report(line: &str) -> Option<Says> {
    let value = |name: &str| {
        let (_, rest) = line.split_once(&format!("\"{name}\":"))?;
        rest.split([',', '}']).next().map(|value| value.trim_matches('"').to_owned())
    };
    let (amount, is_yuan) = (value("amount")?, value("currency")? == "CNY");
    let is_whole = amount.bytes().all(|digit| digit.is_ascii_digit());
    let says = Says { amount: amount.parse().ok()?, number: value("order_no")? };
    (is_whole && is_yuan).then_some(says)
}

fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

/// `1,012.34` is 101234 fen.
fn fen(price: &str) -> Option<i64> {
    let (yuan, fen) = price.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|one| one.is_ascii_digit());
    let mut groups = yuan.split(',');
    let first = groups.next()?;
    let is_grouped = first.len() <= 3 && groups.all(|group| group.len() == 3);
    let yuan = yuan.replace(',', "");
    (is_number(first) && is_number(&yuan) && is_grouped && is_number(fen) && fen.len() == 2)
        .then(|| [yuan.as_str(), fen].concat().parse().ok())?
}
