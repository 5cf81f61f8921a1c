//! What a verified journal proves, and to whom; and the catalogue.

use super::check::{Check, CheckResult, Verdict, result, well};
use crate::journal::Head;
use crate::language::Language;
use crate::say;
use crate::text::copies::seal;

/// The catalogue: how many products it has, or what is wrong with it.
pub(super) fn goods(found: &Result<usize, String>, language: Language) -> CheckResult {
    match found {
        Ok(count) => well(
            Check::Goods,
            say!(language, "The catalogue has {count} products.", "商品目录共 {count} 种商品。"),
        ),
        Err(why) => result(
            Check::Goods,
            Verdict::Warning,
            why.clone(),
            language.pick(
                "Import the table again with `paytill goods import`; until then amounts are typed.",
                "请用 paytill goods import 重新导入；在此之前请输入金额收款。",
            ),
        ),
    }
}

/// A journal in which no fault was found.
pub(super) fn whole(orders: i64, open: i64, head: Option<&Head>, language: Language) -> String {
    let Some(Head { entry, digest, out_trade_no }) = head else {
        return language.pick("Verified; it has no entries yet.", "已校验，尚无记录。").to_owned();
    };
    let seal = seal(digest);
    say!(
        language,
        "Verified: {orders} orders, {open} open; all {entry} entries fit the journal's key, and only \
         somebody who has that can have changed them. Seal of entry {entry}, order {out_trade_no}: \
         {seal}. Noted elsewhere, it will show even such a change.",
        "已校验：共 {orders} 单，未完成 {open} 单；{entry} 条记录均与密钥相符，只有持有密钥文件的人才可能改动过。\
         第 {entry} 条记录（订单 {out_trade_no}）的校验码：{seal}。另行抄录，日后连这种改动也能查出。"
    )
}

/// Orders that need a person.
pub(super) fn attention(count: i64, language: Language) -> CheckResult {
    result(
        Check::Journal,
        Verdict::Warning,
        say!(language, "Orders that need attention: {count}.", "有 {count} 单需人工处理。"),
        language.pick(
            "See `paytill orders --state attention`; `paytill recover` tries again, and \
             with --settle it closes what was settled by hand.",
            "请运行 paytill orders --state attention 查看；paytill recover 可再次尝试，加 \
             --settle 可关闭已人工处理的订单。",
        ),
    )
}

/// Refunds of which nobody knows what becomes, or that need a person.
pub(super) fn refunds_unclear(count: i64, language: Language) -> CheckResult {
    result(
        Check::Journal,
        Verdict::Warning,
        say!(language, "Refunds without an end yet: {count}.", "有 {count} 笔退款尚无结果。"),
        language.pick(
            "Run `paytill recover`; `paytill show` with the order's number says more.",
            "请运行 paytill recover；用 paytill show 加订单号查看详情。",
        ),
    )
}
