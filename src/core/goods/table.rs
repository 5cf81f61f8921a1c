//! A list of products from a table: UTF-8 or GB18030, with names above the columns in English or
//! Chinese. Either every line is good, or all that is wrong is named and nothing is taken.

use std::borrow::Cow;
use std::collections::BTreeMap;

use encoding_rs::{GB18030, UTF_8};
use unicode_width::UnicodeWidthStr as _;

use super::code::{NotACode, canonical};
use super::csv::{Broken, Rows};
use super::{Good, NAME_CELLS, UNIT_CELLS};
use crate::clean::clean;
use crate::money::{AmountEntry, Currency, Money, NotAnAmount};
use crate::sale::Rate;

/// The largest file, in bytes.
pub const MOST_BYTES: usize = 64 << 20;
/// The most products.
pub const MOST_GOODS: usize = 500_000;
/// So many faults are named; the others are counted.
pub const MOST_FAULTS: usize = 20;
/// Cells of a value that is repeated.
const SHOWN: usize = 40;

/// The names of the columns: those that are there first, as we write them, in both languages.
const CODE: &[&str] = &[
    "code",
    "条码",
    "barcode",
    "ean",
    "upc",
    "gtin",
    "sku",
    "商品条码",
    "条形码",
    "编码",
    "商品编码",
    "货号",
];
const NAME: &[&str] =
    &["name", "名称", "product", "item", "description", "品名", "商品名称", "商品"];
const PRICE: &[&str] = &["price", "价格", "unit price", "售价", "单价", "零售价", "销售价"];
const RATE: &[&str] = &["tax", "税率", "tax rate", "vat"];
const UNIT: &[&str] = &["unit", "单位", "计量单位"];

/// Why a table is not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotATable {
    Empty,
    TooLarge,
    /// Neither UTF-8 nor GB18030.
    Encoding,
    /// Not a text but a spreadsheet program's own file.
    Workbook,
    /// A column that must be there, by its names.
    MissingColumn(&'static [&'static str]),
    /// Two columns mean the same.
    DoubledColumn(String),
    TooManyGoods,
    /// No line below the names.
    NoGoods,
    /// Lines that are wrong, the first of them, and how many there are.
    Lines(Vec<LineFault>, usize),
}

/// What is wrong with a line. Lines count from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineFault {
    pub line: usize,
    pub what: Wrong,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wrong {
    Unclosed,
    BehindQuote,
    /// More values than there are columns.
    Columns {
        found: usize,
        expected: usize,
    },
    Code(String, NotACode),
    /// The code, and the line where it stands already.
    Doubled(String, usize),
    NoName,
    LongName(String),
    LongUnit(String),
    NoPrice,
    Negative(String),
    Price(String, NotAnAmount),
    Rate(String),
}

/// The products of a table, by code.
pub fn read(bytes: &[u8], currency: Currency) -> Result<Vec<Good>, NotATable> {
    let text = decoded(bytes)?;
    let (separator, columns) = Columns::find(&text)?;
    let mut rows = Rows::of(&text, separator);
    rows.next();
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let (mut goods, mut faults, mut count) = (Vec::new(), Vec::new(), 0);
    for (line, row) in rows {
        let read = row.map_err(Wrong::from).and_then(|values| {
            let good = columns.good(&values, currency)?;
            match lines.insert(good.code.clone(), line) {
                Some(first) => {
                    lines.insert(good.code.clone(), first);
                    Err(Wrong::Doubled(good.code, first))
                }
                None => Ok(good),
            }
        });
        match read {
            Ok(_) if goods.len() == MOST_GOODS => return Err(NotATable::TooManyGoods),
            Ok(good) => goods.push(good),
            Err(what) => {
                count += 1;
                if faults.len() < MOST_FAULTS {
                    faults.push(LineFault { line, what });
                }
            }
        }
    }
    if count > 0 {
        return Err(NotATable::Lines(faults, count));
    }
    if goods.is_empty() {
        return Err(NotATable::NoGoods);
    }
    goods.sort_unstable_by(|one, other| one.code.cmp(&other.code));
    Ok(goods)
}

fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, NotATable> {
    if bytes.len() > MOST_BYTES {
        return Err(NotATable::TooLarge);
    }
    // A ZIP archive, an old Excel file, UTF-16 as "Unicode text".
    let others: [&[u8]; 4] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xfe\xff"];
    if others.iter().any(|start| bytes.starts_with(start)) {
        return Err(NotATable::Workbook);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(NotATable::Empty);
    }
    if bytes.contains(&0) {
        return Err(NotATable::Encoding);
    }
    [UTF_8, GB18030]
        .into_iter()
        .find_map(|encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes))
        .ok_or(NotATable::Encoding)
}

/// Where what stands.
struct Columns {
    count: usize,
    code: usize,
    name: usize,
    price: usize,
    rate: Option<usize>,
    unit: Option<usize>,
}

impl Columns {
    /// By the first row, whatever separates its names.
    fn find(text: &str) -> Result<(char, Self), NotATable> {
        let mut why = NotATable::Empty;
        for separator in [',', ';', '\t', '，'] {
            let Some((_, Ok(names))) = Rows::of(text, separator).next() else { continue };
            match Self::of(&names) {
                Ok(columns) => return Ok((separator, columns)),
                // A comma is what is meant, unless another has more to say.
                Err(fault) if separator == ',' || names.len() > 1 => why = fault,
                Err(_) => {}
            }
        }
        Err(why)
    }

    fn of(names: &[String]) -> Result<Self, NotATable> {
        let names: Vec<String> = names
            .iter()
            .map(|name| clean(name, SHOWN).trim().to_lowercase().replace('_', " "))
            .collect();
        let find = |known: &'static [&'static str]| -> Result<Option<usize>, NotATable> {
            let mut found =
                names.iter().enumerate().filter(|(_, name)| known.contains(&name.as_str()));
            let first = found.next().map(|(at, _)| at);
            match found.next() {
                Some((_, second)) => Err(NotATable::DoubledColumn(second.clone())),
                None => Ok(first),
            }
        };
        let must = |known| find(known)?.ok_or(NotATable::MissingColumn(known));
        Ok(Self {
            count: names.len(),
            code: must(CODE)?,
            name: must(NAME)?,
            price: must(PRICE)?,
            rate: find(RATE)?,
            unit: find(UNIT)?,
        })
    }

    fn good(&self, values: &[String], currency: Currency) -> Result<Good, Wrong> {
        let is_more = values.iter().skip(self.count).any(|value| !value.trim().is_empty());
        if is_more {
            return Err(Wrong::Columns { found: values.len(), expected: self.count });
        }
        let value = |at: usize| values.get(at).map_or("", |value| value.trim());
        let shown = |text: &str| clean(text, SHOWN);
        // What spreadsheets are told by, so that a number keeps its digits.
        let code = value(self.code).trim_start_matches(['\'', '`']);
        let code = code.strip_prefix("=\"").and_then(|code| code.strip_suffix('"')).unwrap_or(code);
        let code = canonical(code).map_err(|why| Wrong::Code(shown(code), why))?;
        let name = clean(value(self.name), usize::MAX);
        if name.is_empty() {
            return Err(Wrong::NoName);
        }
        if name.width() > NAME_CELLS {
            return Err(Wrong::LongName(shown(&name)));
        }
        let unit = clean(self.unit.map_or("", value), usize::MAX);
        if unit.width() > UNIT_CELLS {
            return Err(Wrong::LongUnit(shown(&unit)));
        }
        let price = price(value(self.price), currency)?;
        let rate = match self.rate.map_or("", value) {
            "" => Rate::default(),
            text => Rate::read(text).ok_or_else(|| Wrong::Rate(shown(text)))?,
        };
        Ok(Good { code, name, unit, price, rate })
    }
}

fn price(text: &str, currency: Currency) -> Result<Money, Wrong> {
    let shown = || clean(text, SHOWN);
    if text.is_empty() {
        return Err(Wrong::NoPrice);
    }
    if text.starts_with(['-', '－', '−', '(']) {
        return Err(Wrong::Negative(shown()));
    }
    let number = text.trim_start_matches(['￥', '¥']).trim_start();
    match currency.read(number, AmountEntry::Major) {
        // A gift.
        Err(NotAnAmount::Zero) => Ok(Money::default()),
        read => read.map_err(|why| Wrong::Price(shown(), why)),
    }
}

impl From<Broken> for Wrong {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Unclosed => Self::Unclosed,
            Broken::BehindQuote => Self::BehindQuote,
        }
    }
}
