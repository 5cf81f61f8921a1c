//! `paytill-backend recover`: drives all that is open to its end, without hearing any till.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use paytill_core::language::Language;
use paytill_core::payment::Status;

use super::open::Books;
use super::report::Report;
use super::{gateway, print_message};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::store::{Action, Filter, PaymentRow};

/// How often the books are looked at for news.
const BEAT: Duration = Duration::from_millis(250);
/// More than can be open at any shop.
const MOST: i64 = 100_000;

/// Ends once nothing is open, or nothing has moved for as long as a payment is given.
pub(super) async fn run(
    books: &Books<'_>,
    json: bool,
    language: Language,
) -> Result<Exit, Failure> {
    let _held = books.hold()?;
    let store = books.ready().await?;
    let (_, secret) = files::signing_key(&books.config.folder)?;
    let (opened, simulator) = gateway::opened(books, None).await?;
    let (work, _) = gateway::work(books, store.clone(), opened, &secret)?;
    let sweeping = tokio::spawn(Arc::clone(&work).sweep());
    let rules = &books.config.rules;
    let patience = rules.give_up_after.plus(rules.attention_after).plus(rules.reverse_not_before);
    let patience = Duration::from_millis(patience.0);
    let mut told: HashMap<String, Status> = HashMap::new();
    let mut open = still_open(books, &store).await?;
    if open.is_empty() && !json {
        print_message(language.pick("nothing is open", "没有未完成的支付"));
    }
    let count = format!("open={}", open.len());
    store.note(&books.merchant(), books.by(), Action::Recovered, ("", &count)).await?;
    let mut deadline = tokio::time::Instant::now() + patience;
    while !open.is_empty() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(BEAT).await;
        for before in &open {
            let Some(row) = store.payment(before.key.clone()).await? else { continue };
            let (number, status) = (row.order.out_trade_no.to_string(), row.state.status());
            if told.insert(number, status) == Some(status) {
                continue;
            }
            deadline = tokio::time::Instant::now() + patience;
            let refunds = store.refunds(row.key.clone()).await?;
            let report = Report { row: &row, refunds: &refunds };
            report.print(json, &books.config.time_zone, language);
        }
        open = still_open(books, &store).await?;
    }
    sweeping.abort();
    work.drained().await;
    drop(simulator);
    if open.is_empty() {
        return Ok(Exit::Done);
    }
    print_message(language.pick(
        "some payments are still open; `paytill-backend orders --state attention` lists those that \
         need a person",
        "还有未完成的支付；需人工处理的可用 paytill-backend orders --state attention 列出",
    ));
    Ok(Exit::Attention)
}

async fn still_open(
    books: &Books<'_>,
    store: &crate::store::Store,
) -> Result<Vec<PaymentRow>, Failure> {
    let filter = Filter { open: true, limit: MOST, ..Filter::default() };
    let mut rows = store.payments(&books.merchant(), filter).await?;
    // What only waits for a late recheck is over.
    rows.retain(|row| row.state.is_open());
    Ok(rows)
}
