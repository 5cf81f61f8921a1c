//! The section of the goods.

use super::super::{ConfigError, GoodsConfig};
use crate::both;
use crate::goods::label::{NotAPattern, Pattern};
use crate::sale::Rate;
use paytill_host::config::file::Section;

/// The most patterns, and the cells of one.
const PATTERNS: usize = 20;
const CELLS: usize = 18;

pub(super) fn read(section: Section<'_>) -> Result<GoodsConfig, ConfigError> {
    let lines = section.lines("in_store", PATTERNS, CELLS)?.unwrap_or_default();
    let in_store = lines
        .iter()
        .map(|line| Pattern::read(line).map_err(|why| section.wrong("in_store", &fault(line, why))))
        .collect::<Result<_, ConfigError>>()?;
    let percent = section.whole("discount_limit", 0..=100, 100)?;
    let limit = u16::try_from(percent * 100).ok().and_then(Rate::from_hundredths);
    Ok(GoodsConfig { in_store, discount_limit: limit.unwrap_or_default() })
}

fn fault(line: &str, why: NotAPattern) -> crate::language::Text {
    let text = match why {
        NotAPattern::Length => both!(
            "has neither 13 nor 18 characters, one for each digit of the label",
            "必须是 13 或 18 个字符，与标签的位数一致"
        ),
        NotAPattern::Character(other) => both!(
            "has {other:?}; digits, C, W, P, K and X mean something",
            "含有 {other:?}，只能用数字和 C、W、P、K、X"
        ),
        NotAPattern::Prefix => both!(
            "does not begin with 20 to 29 (with 18 characters: 20 to 24), as labels of a shop do",
            "必须以 20 至 29 开头（18 个字符时为 20 至 24），这是店内码的开头"
        ),
        NotAPattern::Incomplete => both!(
            "needs C (the product's number), and W (its weight) or P (the sum)",
            "必须有 C（商品编号），以及 W（重量）或 P（金额）"
        ),
        NotAPattern::Torn => both!(
            "has one letter in two places, or K (the check digit) not at its end",
            "同一字母必须连在一起，K（校验位）只能在末尾"
        ),
    };
    text.map(|why| format!("\"{line}\" {why}"))
}
