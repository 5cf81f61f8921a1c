use std::sync::Arc;

use paytill_core::clock::Millis;
use paytill_core::order::OutTradeNo;
use paytill_core::payment::{Answer, Call, Event, Found, Proof, TillCause};

use super::{Books, NOW, RULES, SHOP, begin, contract, key, payment};
use crate::store::{
    Judged, NoticeRow, NoticeStep, NoticeWrite, RefundBooks, Store, StoreError, Verdict, Write,
};

contract!(
    of_a_hundred_copies_at_once_one_moves_the_payment,
    what_is_only_evidence_is_written_the_first_time,
    what_contradicts_the_books_hides_nothing,
    what_names_nothing_of_ours_is_kept,
    a_word_is_made_once,
);

fn notice(id: &str, number: u32) -> NoticeRow {
    NoticeRow {
        merchant: SHOP.to_owned(),
        id: id.to_owned(),
        received_at: NOW,
        headers: vec![("content-type".to_owned(), "text/xml".to_owned())],
        body: vec![0, 60, 255],
        out_trade_no: Some(key(number).out_trade_no),
    }
}

/// As a proof that was told unasked: the row moves the first time.
fn proves(books: &RefundBooks) -> Judged<i64> {
    let Some(row) = &books.payment else {
        return Judged { verdict: Verdict::Unknown, step: None };
    };
    let transaction_id = "4200".to_owned();
    let proof = Proof { transaction_id, paid_at: NOW, coupon: None };
    let mut after = row.clone();
    let _ = after.state.notified(&proof, Millis(100), &RULES);
    let is_evidence = after.state == row.state;
    after.version += 1;
    let event = Event::Answered(Call::UNASKED, Answer::Found(Found::Paid(proof)));
    let write = Write {
        row: after.clone(),
        event: Some((event, Vec::new())),
        outbox: vec!["payment.paid"],
    };
    let write = NoticeWrite::Payment(Box::new(write));
    let step = NoticeStep { write, is_evidence, result: after.version };
    Judged { verdict: Verdict::Taken, step: Some(step) }
}

/// As one that does not match: nothing moves.
fn contradicts(books: &RefundBooks) -> Judged<i64> {
    let row = books.payment.clone().unwrap();
    let why = paytill_core::payment::Inconclusive::Unknown(TillCause::WrongAmount.into());
    let event = Event::Answered(Call::UNASKED, Answer::Found(Found::Inconclusive(why)));
    let version = row.version + 1;
    let row = crate::store::PaymentRow { version, ..row };
    let write = Write { row, event: Some((event, Vec::new())), outbox: vec!["payment.mismatch"] };
    let write = NoticeWrite::Payment(Box::new(write));
    let step = NoticeStep { write, is_evidence: true, result: version };
    Judged { verdict: Verdict::Mismatch, step: Some(step) }
}

async fn seen(store: &Store) -> Vec<(String, String, i64)> {
    let seen = store.notices(SHOP, 100).await.unwrap();
    let mut seen: Vec<_> = seen.into_iter().map(|it| (it.id, it.verdict, it.times)).collect();
    seen.sort();
    seen
}

fn line(id: &str, verdict: &str, times: i64) -> (String, String, i64) {
    (id.to_owned(), verdict.to_owned(), times)
}

async fn told(store: &Store) -> usize {
    store.outbox(SHOP, false, 100).await.unwrap().len()
}

async fn of_a_hundred_copies_at_once_one_moves_the_payment(books: Books) {
    begin(&books.store, payment(&key(1))).await.unwrap();
    let other = Arc::new(books.again());
    let mut copies = tokio::task::JoinSet::new();
    for turn in 0..100 {
        let store = if turn % 2 == 0 { books.store.clone() } else { (*other).clone() };
        copies.spawn(async move {
            loop {
                // Both databases may be asked too much at once; the gateway then comes again.
                match store.noticed(notice("one", 1), proves).await {
                    Err(StoreError::Busy | StoreError::Again) => {}
                    kept => return kept.unwrap().done.is_some(),
                }
            }
        });
    }
    let moved = copies.join_all().await.into_iter().filter(|moved| *moved).count();
    assert_eq!((moved, told(&books.store).await), (1, 1));
    assert_eq!(seen(&books.store).await, [line("one", "taken", 100)]);
    let row = books.store.payment(key(1)).await.unwrap().unwrap();
    assert!(row.version == 2 && row.state.proof().is_some());
}

async fn what_is_only_evidence_is_written_the_first_time(books: Books) {
    let store = &books.store;
    begin(store, payment(&key(1))).await.unwrap();
    let moved = async |id: &str| store.noticed(notice(id, 1), proves).await.unwrap().done;
    assert_eq!((moved("one").await, moved("one").await), (Some(2), None));
    // The gateway tells of the same under another number.
    assert_eq!((moved("two").await, moved("two").await), (Some(3), None));
    assert_eq!(store.story(key(1)).await.unwrap().len(), 3);
    assert_eq!(told(store).await, 1);
}

async fn what_contradicts_the_books_hides_nothing(books: Books) {
    let store = &books.store;
    begin(store, payment(&key(1))).await.unwrap();
    for done in [Some(2), None] {
        assert_eq!(store.noticed(notice("one", 1), contradicts).await.unwrap().done, done);
    }
    let kept = store.noticed(notice("one", 1), proves).await.unwrap();
    assert_eq!((kept.is_new, kept.done), (true, Some(3)));
    let kept = [line("one", "taken", 1), line("one-mismatch", "mismatch", 2)];
    assert_eq!(seen(store).await, kept);
}

async fn what_names_nothing_of_ours_is_kept(books: Books) {
    let store = &books.store;
    let nameless = NoticeRow { out_trade_no: None, ..notice("nameless", 1) };
    for row in [notice("unknown", 9), notice("unknown", 9), nameless] {
        assert_eq!(store.noticed(row, proves).await.unwrap().verdict, Verdict::Unknown);
    }
    assert_eq!(seen(store).await, [line("nameless", "unknown", 1), line("unknown", "unknown", 2)]);
    let named = store.notices(SHOP, 9).await.unwrap();
    assert!(named.iter().any(|it| it.out_trade_no.is_none() && it.received_at == NOW));
    assert_eq!(store.notices("another", 9).await, Ok(Vec::new()));
    // Later it is known: the same notification counts.
    let number = OutTradeNo::try_from("T01-00000009".to_owned()).unwrap();
    assert_eq!(number, key(9).out_trade_no);
    begin(store, payment(&key(9))).await.unwrap();
    assert_eq!(store.noticed(notice("unknown", 9), proves).await.unwrap().done, Some(2));
}

async fn a_word_is_made_once(books: Books) {
    let mut made = tokio::task::JoinSet::new();
    for turn in 0..10 {
        let store = if turn % 2 == 0 { books.store.clone() } else { books.again() };
        made.spawn(async move {
            store.kept_word(SHOP, "notify_token", format!("word {turn}")).await.unwrap()
        });
    }
    let words = made.join_all().await;
    assert!(words.iter().all(|word| *word == words[0]), "{words:?}");
    let other = books.store.kept_word("another", "notify_token", "fresh".to_owned()).await;
    assert_eq!(other.as_deref(), Ok("fresh"));
}
