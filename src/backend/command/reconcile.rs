//! `paytill-backend reconcile`: the gateway's bill of a day against the books of all stores. It works
//! beside a backend that serves, and changes no payment.

use paytill_core::bill::beijing;
use paytill_core::bill::compare::{Side, Sums};
use paytill_core::both;
use paytill_core::language::Language;
use paytill_core::say;
use paytill_core::text::bill::{self as text, BillWords, json};

use super::open::Books;
use super::orders::day_of;
use super::{Reconcile, gateway, print_line, print_message};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::work::bills::{Compared, NotCompared};

/// Compares them, and says in what they differ.
pub(super) async fn run(
    books: &Books<'_>,
    asked: &Reconcile,
    language: Language,
) -> Result<Exit, Failure> {
    let now = books.clock.wall();
    let (begins, _) = day_of(&asked.day, now, &beijing())?;
    let day = begins.day(&beijing());
    if day > now.day(&beijing()) {
        return Err(Failure::usage(text::in_the_future(day)));
    }
    if books.config.gateway.is_none() {
        let sentence = both!(
            "the gateway is simulated: there is no merchant, and no bill",
            "当前为模拟网关，没有商户，也没有账单"
        );
        return Err(Failure::new(Exit::Configuration, sentence));
    }
    let store = books.ready().await?;
    let (_, secret) = files::signing_key(&books.config.folder)?;
    let (opened, _simulator) = gateway::opened(books, None).await?;
    let (_work, bills) = gateway::work(books, store, opened, &secret)?;
    let compared = bills.compare(day).await.map_err(|why| match why {
        NotCompared::Bill(why) => Failure::new(Exit::Fault, why.why),
        NotCompared::Books(error) => error.into(),
    })?;
    if !compared.has_bill {
        print_message(&say!(
            language,
            "WeChat Pay has no bill of {day}: nothing was paid and nothing refunded",
            "微信支付没有 {day} 的账单：当天没有收款，也没有退款"
        ));
    }
    let currency = books.config.currency;
    if asked.json {
        compared.outcome.differences.iter().for_each(|found| {
            print_line(&json::difference(found, language).to_string());
        });
        let sums =
            json::sums(&compared.outcome, day, compared.row.bill_rows.unsigned_abs(), currency);
        print_line(&sums.to_string());
    } else {
        report(&compared, books, language);
    }
    Ok(if compared.row.differ == 0 { Exit::Done } else { Exit::Differ })
}

fn report(compared: &Compared, books: &Books<'_>, language: Language) {
    let (row, outcome) = (&compared.row, &compared.outcome);
    let currency = books.config.currency;
    let Sums { payments, paid, refunds, refunded, fees, .. } = &outcome.sums.own;
    let money = |amount: paytill_core::bill::Exact| currency.group(amount.rounded(currency));
    print_line(&say!(
        language,
        "{day}: payments {payments}, {paid}; refunds {refunds}, {refunded}; fees {fees}; net {code} {net}",
        "{day}：收款 {payments} 笔 {paid}；退款 {refunds} 笔 {refunded}；手续费 {fees}；净额 {code} {net}",
        day = row.day,
        paid = money(*paid),
        refunded = money(*refunded),
        fees = money(*fees),
        code = currency.code(),
        net = money(outcome.sums.own.net())
    ));
    let elsewhere: u64 = outcome.sums.others.values().map(|sums| sums.rows).sum();
    if elsewhere > 0 {
        print_line(&say!(
            language,
            "rows that are of none of our tills: {elsewhere}",
            "不属于本后台收银台的账单行：{elsewhere}"
        ));
    }
    let (matched, differ) = (row.matched, row.differ);
    print_line(&if differ == 0 {
        say!(
            language,
            "Bill and books agree. Orders: {matched}.",
            "账单与记录一致，共 {matched} 笔。"
        )
    } else {
        say!(
            language,
            "Differences: {differ}. Orders that agree: {matched}.",
            "{differ} 处不一致；{matched} 笔一致。"
        )
    });
    for found in &outcome.differences {
        let zone = &books.config.time_zone;
        let time = found.at.map(|at| at.local("%Y-%m-%d %H:%M:%S", zone)).unwrap_or_default();
        let what = BillWords::of(language).cause(found.cause);
        let side = |side: &Option<Side>| {
            side.as_ref().map_or_else(
                || language.pick("nothing", "无").to_owned(),
                |side| {
                    let amount = side.currency.group(side.amount);
                    format!("{} {} {amount}", side.state, side.currency.code())
                },
            )
        };
        let (here, bill) = (side(&found.here), side(&found.bill));
        let number = [found.order_no.as_str(), found.refund_no.as_str()].join(" ");
        print_line(&format!("{}  {time}  {what}", number.trim_end()));
        print_line(&say!(
            language,
            "    here: {here}; bill: {bill}",
            "    记录：{here}；账单：{bill}"
        ));
    }
}
