//! `paytill-backend orders`, `show` and `find`: what the books hold. All work beside one that serves.

use paytill_core::both;
use paytill_core::clean::clean;
use paytill_core::clock::{Date, TimeZone, Timestamp};
use paytill_core::language::Language;
use paytill_core::money::{AmountEntry, Money};
use paytill_core::order::OutTradeNo;
use paytill_core::payment::Status;
use paytill_core::{clock, say};
use serde_json::Value;

use super::open::Books;
use super::report::{Report, event_json, event_lines, refund_json, refund_line};
use super::{Find, Orders, Show, print_line, print_message};
use crate::exit::{Exit, Failure};
use crate::store::{Filter, PaymentKey, PaymentRow, Store};

/// Among how many of the newest orders a part of a number, an amount or a time is looked for.
const LOOKED_AT: i64 = 5_000;
/// Fewer last digits would fit too many orders.
const SHORTEST_TAIL: usize = 4;

/// Lists orders, the newest first.
pub(super) async fn list(
    books: &Books<'_>,
    orders: &Orders,
    language: Language,
) -> Result<Exit, Failure> {
    let store = books.ready().await?;
    let zone = &books.config.time_zone;
    let day = orders.day.as_deref().map(|day| day_of(day, books.clock.wall(), zone)).transpose()?;
    let filter = Filter {
        till: orders.till.clone(),
        from: day.map(|(from, _)| from),
        until: day.map(|(_, until)| until),
        status: orders.state.map(|state| state.word().to_owned()),
        open: false,
        limit: i64::from(orders.limit),
    };
    let rows = store.payments(&books.merchant(), filter).await?;
    print_all(books, &store, &rows, orders.json, language).await
}

async fn print_all(
    books: &Books<'_>,
    store: &Store,
    rows: &[PaymentRow],
    json: bool,
    language: Language,
) -> Result<Exit, Failure> {
    if rows.is_empty() && !json {
        print_message(language.pick("no matching orders", "没有符合条件的订单"));
    }
    for row in rows {
        let refunds = store.refunds(row.key.clone()).await?;
        let report = Report { row, refunds: &refunds };
        report.print(json, &books.config.time_zone, language);
    }
    Ok(Exit::Done)
}

/// Shows one order with all its events.
pub(super) async fn show(
    books: &Books<'_>,
    show: &Show,
    language: Language,
) -> Result<Exit, Failure> {
    let store = books.ready().await?;
    let row = one(books, &store, &show.order_no).await?.ok_or_else(|| {
        let number = clean(&show.order_no, 40);
        let sentence = both!("there is no order {number}", "没有订单 {number}");
        Failure::usage(sentence)
    })?;
    let refunds = store.refunds(row.key.clone()).await?;
    let events = store.story(row.key.clone()).await?;
    let report = Report { row: &row, refunds: &refunds };
    let (began_at, zone) = (row.began_at, &books.config.time_zone);
    if show.json {
        let mut value = report.json(language);
        let refunds = refunds.iter().map(|refund| refund_json(refund, &row, language));
        value["refunds"] = refunds.collect::<Vec<Value>>().into();
        let events = events.iter().map(|event| event_json(event, began_at));
        value["events"] = events.collect::<Vec<Value>>().into();
        print_line(&value.to_string());
        return Ok(Exit::Done);
    }
    print_line(&report.line(zone, language));
    for refund in &refunds {
        print_line(&refund_line(refund, &row, language));
    }
    for event in &events {
        for line in event_lines(event, began_at, zone, language) {
            print_line(&line);
        }
    }
    Ok(Exit::Done)
}

/// The order with this number: its own, the gateway's, or that of one of its refunds.
async fn one(
    books: &Books<'_>,
    store: &Store,
    number: &str,
) -> Result<Option<PaymentRow>, Failure> {
    let merchant = books.merchant();
    let of_number = |text: &str| OutTradeNo::try_from(text.to_owned()).ok();
    let own = [Some(number), number.rsplit_once('R').map(|(order, _)| order)];
    for out_trade_no in own.into_iter().flatten().filter_map(of_number) {
        let key = PaymentKey { merchant: merchant.clone(), out_trade_no };
        if let Some(row) = store.payment(key).await? {
            return Ok(Some(row));
        }
    }
    let Some(out_trade_no) = store.of_transaction(&merchant, number).await? else {
        return Ok(None);
    };
    Ok(store.payment(PaymentKey { merchant, out_trade_no }).await?)
}

/// Finds orders by a whole number, wherever it is; by the end of a number, an amount or a time of day
/// among the newest.
pub(super) async fn find(
    books: &Books<'_>,
    find: &Find,
    language: Language,
) -> Result<Exit, Failure> {
    let store = books.ready().await?;
    let text = find.text.trim();
    if let Some(row) = one(books, &store, text).await? {
        return print_all(books, &store, &[row], find.json, language).await;
    }
    let wanted = Wanted::read(text, books);
    let filter = Filter { limit: LOOKED_AT, ..Filter::default() };
    let mut rows = store.payments(&books.merchant(), filter).await?;
    let is_all = i64::try_from(rows.len()).is_ok_and(|count| count < LOOKED_AT);
    rows.retain(|row| wanted.fits(row, &books.config.time_zone));
    if !is_all && !find.json {
        let looked_at = LOOKED_AT;
        print_message(&say!(
            language,
            "the newest {looked_at} orders were looked at; a whole number is found among all",
            "仅查找了最近 {looked_at} 笔订单；输入完整单号可在全部订单中查找"
        ));
    }
    print_all(books, &store, &rows, find.json, language).await
}

/// All that a text can mean at once.
struct Wanted {
    tail: Option<String>,
    amount: Option<i64>,
    time: Option<String>,
}

impl Wanted {
    fn read(text: &str, books: &Books<'_>) -> Self {
        let is_number = text.len() >= SHORTEST_TAIL
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        let amount = books.config.currency.read(text, AmountEntry::Major).ok();
        let is_time = matches!(text.as_bytes(), [_, _, b':', _, _]);
        Self {
            tail: is_number.then(|| text.to_owned()),
            amount: amount.map(Money::minor),
            time: is_time.then(|| text.to_owned()),
        }
    }

    fn fits(&self, row: &PaymentRow, zone: &TimeZone) -> bool {
        let transaction = row.state.proof().map(|proof| proof.transaction_id.as_str());
        let numbers = [Some(row.order.out_trade_no.as_str()), transaction];
        let ends = |tail: &String| numbers.iter().flatten().any(|number| number.ends_with(tail));
        self.tail.as_ref().is_some_and(ends)
            || self.amount == Some(row.order.amount.minor())
            || self.time.as_ref().is_some_and(|time| row.created_at.local("%H:%M", zone) == *time)
    }
}

/// When a day begins and when it is over.
pub(super) fn day_of(
    text: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<(Timestamp, Timestamp), Failure> {
    let today = now.day(zone);
    let day = match text {
        "today" => Some(today),
        "yesterday" => today.yesterday().ok(),
        _ => text.parse::<Date>().ok(),
    };
    let begins = |day: Date| clock::begins(day, zone);
    let both = day.and_then(|day| Some((begins(day)?, begins(day.tomorrow().ok()?)?)));
    both.ok_or_else(|| {
        let text = clean(text, 20);
        let sentence = both!(
            "{text} is not a day; write today, yesterday or one such as 2026-11-30",
            "{text} 不是日期；请写 today、yesterday 或如 2026-11-30"
        );
        Failure::usage(sentence)
    })
}

/// A state by its word, for the command line.
pub(super) fn state(word: &str) -> Result<Status, String> {
    Status::from_word(word).ok_or_else(|| {
        "created, sent, waiting, checking, reversing, paid, declined, reversed, closed or attention"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_the_shop() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        // Shortly after midnight in Shanghai, and the day before in Greenwich.
        let now = Timestamp::from_rfc3339("2026-11-30T16:30:00.000+00:00").unwrap();
        let day = |text: &str| {
            let (from, until) = day_of(text, now, &zone).unwrap();
            (from.to_rfc3339(), until.to_rfc3339())
        };
        let [first, second, third] =
            ["11-29", "11-30", "12-01"].map(|day| format!("2026-{day}T16:00:00.000+00:00"));
        assert_eq!(day("yesterday"), (first, second.clone()));
        assert_eq!(day("today"), (second, third));
        assert_eq!(day("2026-12-01"), day("today"));
        assert!(day_of("2026-13-01", now, &zone).is_err());
    }
}
