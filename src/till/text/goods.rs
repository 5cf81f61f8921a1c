//! What is said of the goods: on the command line, and why a table is not taken or the catalogue
//! cannot be used.

use super::{amount, system};
use crate::catalogue::CatalogueFault;
use crate::goods::code::{LONGEST, NotACode};
use crate::goods::table::{LineFault, MOST_BYTES, MOST_GOODS, NotATable, Wrong};
use crate::goods::{NAME_CELLS, UNIT_CELLS};
use crate::language::{Language, Text};
use crate::money::{Currency, Money};
use crate::sale::Sold;
use crate::{both, catalogue, say};

catalogue! {
    /// What `paytill goods` says.
    pub struct GoodsWords;
    imported(count: usize) =>
        "The catalogue has {count} products now.", "已导入，商品目录现有 {count} 种商品。";
    imported_over(count: usize, before: usize) =>
        "The catalogue has {count} products now, in place of {before}.",
        "已导入，商品目录现有 {count} 种商品，替换了原来的 {before} 种。";
    none =>
        "There is no catalogue yet; `paytill goods import FILE.csv` makes one.",
        "还没有商品目录，请用 paytill goods import 导入 CSV 表格。";
    /// A line without a name.
    item => "Item", "商品";
    off(amount: &str) => "discount {amount}", "折扣 {amount}";
    off_the_sale(amount: &str) => "Discount on the sale: {amount}", "整单折扣：{amount}";
    tax(rate: &str) => "{rate} tax", "税率 {rate}";
}

/// What was sold, line by line, and what was taken off.
pub fn sold(sold: &Sold, currency: Currency, language: Language) -> Vec<String> {
    let words = GoodsWords::of(language);
    let mut lines: Vec<String> = sold
        .lines
        .iter()
        .map(|line| {
            let name = if line.name.is_empty() { words.item() } else { &line.name };
            let (quantity, price) = (line.quantity.show(), currency.group(line.price));
            let before = Money::from_minor(line.gross.minor() - line.discount.minor());
            let sum = currency.group(before);
            let what = format!("{name}  {quantity}{} x {price}  {sum}", line.unit);
            if line.discount == Money::default() {
                return what;
            }
            format!("{what}  {}", words.off(&currency.group(line.discount)))
        })
        .collect();
    if sold.discount > Money::default() {
        lines.push(words.off_the_sale(&currency.group(sold.discount)));
    }
    lines
}

/// Why the catalogue, or what was put aside, cannot be used.
pub fn fault(fault: &CatalogueFault) -> Text {
    match fault {
        CatalogueFault::Broken(path) => {
            let path = path.display();
            both!("{path} is not as paytill has written it", "{path} 已损坏")
        }
        CatalogueFault::Currency(path, found) => {
            let path = path.display();
            both!("{path} has prices in {found}", "{path} 的价格币种是 {found}")
        }
        CatalogueFault::Io(path, error) => {
            let path = path.display();
            both!("{path} cannot be used", "{path} 无法使用").because(&system::text(error))
        }
    }
}

/// Why a table is not taken; its lines are told one by one.
pub fn not_a_table(why: &NotATable) -> Text {
    match why {
        NotATable::Empty => both!("the file is empty", "文件是空的"),
        NotATable::TooLarge => {
            let most = MOST_BYTES >> 20;
            both!("the file is larger than {most} MiB", "文件超过 {most} MiB")
        }
        NotATable::Encoding => both!(
            "the file is neither UTF-8 nor GB18030; save it as \"CSV UTF-8\"",
            "文件既不是 UTF-8 也不是 GB18030 编码，请另存为“CSV UTF-8”"
        ),
        NotATable::Workbook => both!(
            "this is a spreadsheet program's own file; save it as \"CSV UTF-8\"",
            "这是电子表格文件，请另存为“CSV UTF-8”"
        ),
        NotATable::MissingColumn(names) => {
            let (english, chinese) = (names.first().unwrap_or(&""), names.get(1).unwrap_or(&""));
            both!(
                "its first line names no column \"{english}\" (or \"{chinese}\")",
                "首行没有“{chinese}”（或 {english}）这一列"
            )
        }
        NotATable::DoubledColumn(name) => {
            both!("its column \"{name}\" means the same as another one", "“{name}”一列与另一列重复")
        }
        NotATable::TooManyGoods => {
            both!("it has more than {MOST_GOODS} products", "商品超过 {MOST_GOODS} 种")
        }
        NotATable::NoGoods => both!("it has no product", "其中没有商品"),
        NotATable::Lines(_, 1) => both!("1 line is wrong", "有 1 行不对"),
        NotATable::Lines(_, count) => both!("{count} lines are wrong", "有 {count} 行不对"),
    }
}

/// A line that is wrong.
pub fn line(fault: &LineFault, currency: Currency, language: Language) -> String {
    let what = wrong(&fault.what, currency, language);
    say!(language, "line {line}: {what}", "第 {line} 行：{what}", line = fault.line)
}

/// So many more.
pub fn more(count: usize, language: Language) -> String {
    say!(language, "and {count} more", "另有 {count} 行")
}

fn wrong(what: &Wrong, currency: Currency, language: Language) -> String {
    match what {
        Wrong::Unclosed => {
            language.pick("a quote is opened here and never closed", "引号没有结束").to_owned()
        }
        Wrong::BehindQuote => language
            .pick("something stands behind a closing quote", "结束引号之后还有内容")
            .to_owned(),
        Wrong::Columns { found, expected } => say!(
            language,
            "{found} values for {expected} columns; a comma inside a value needs quotes around it",
            "有 {found} 个值，而只有 {expected} 列；值中有逗号时要加引号"
        ),
        Wrong::Code(code, why) => not_a_code(code, *why, language),
        Wrong::Doubled(code, first) => say!(
            language,
            "the code {code} is in line {first} already",
            "条码 {code} 已在第 {first} 行出现"
        ),
        Wrong::NoName => language.pick("no name", "没有名称").to_owned(),
        Wrong::LongName(name) => say!(
            language,
            "the name \"{name}…\" is longer than {NAME_CELLS} columns",
            "名称“{name}…”过长，最多 {NAME_CELLS} 列（汉字占 2 列）"
        ),
        Wrong::LongUnit(unit) => say!(
            language,
            "the unit \"{unit}\" is longer than {UNIT_CELLS} columns",
            "单位“{unit}”过长，最多 {UNIT_CELLS} 列（汉字占 2 列）"
        ),
        Wrong::NoPrice => language.pick("no price", "没有价格").to_owned(),
        Wrong::Negative(price) => {
            say!(language, "the price {price} is negative", "价格 {price} 是负数")
        }
        Wrong::Price(price, why) => {
            let why = amount::fault(*why, currency, language);
            say!(language, "the price \"{price}\": {why}", "价格“{price}”：{why}")
        }
        Wrong::Rate(rate) => say!(
            language,
            "\"{rate}\" is no tax rate; it is a percentage such as 13% or 0",
            "“{rate}”不是税率，请写成 13% 或 0 这样"
        ),
    }
}

fn not_a_code(code: &str, why: NotACode, language: Language) -> String {
    match why {
        NotACode::Empty => language.pick("no code", "没有条码").to_owned(),
        NotACode::TooLong => say!(
            language,
            "the code {code} has more than {LONGEST} characters",
            "条码 {code} 超过 {LONGEST} 个字符"
        ),
        NotACode::Character(other) => {
            let other = amount::named(other, language);
            say!(language, "{other} cannot be in a code", "条码中不能有{other}")
        }
        NotACode::CheckDigit => {
            say!(language, "the check digit of {code} is wrong", "条码 {code} 的校验位不对")
        }
        NotACode::Rounded => say!(
            language,
            "a spreadsheet has rounded the code to {code}; format that column as text",
            "条码被电子表格改成了 {code}，请把该列设为文本格式"
        ),
        NotACode::TooManyDigits => say!(
            language,
            "{code} has more than 14 digits; such numbers are payment codes",
            "{code} 超过 14 位数字，这样的号码是付款码"
        ),
    }
}
