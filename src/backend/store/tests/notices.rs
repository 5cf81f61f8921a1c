use paytill_core::clock::{Millis, Timestamp};
use paytill_core::payment::Event;

use super::{Books, NOW, SHOP, begin, contract, key, payment};
use crate::store::notices::{Judged, NoticeRow, NoticeStep, NoticeWrite, Verdict};
use crate::store::outbox::Told;
use crate::store::refunds::RefundBooks;
use crate::store::{Change, PaymentRow, Store, Write};

contract!(
    of_many_copies_of_a_notification_one_moves_the_payment,
    what_is_told_to_others_is_taken_by_one,
    a_word_is_kept_for_good,
    the_books_can_be_touched,
);

fn at(millis: u64) -> Timestamp {
    NOW.after(Millis(millis))
}

fn notice() -> NoticeRow {
    NoticeRow {
        merchant: SHOP.to_owned(),
        id: "EV-1".to_owned(),
        received_at: NOW,
        headers: vec![("Wechatpay-Nonce".to_owned(), "a\0b".to_owned())],
        body: vec![0, 159, 255],
        out_trade_no: Some(key(1).out_trade_no),
    }
}

/// The first copy moves it; to the others it is no news.
fn judge(books: &RefundBooks) -> Judged<()> {
    let row = books.payment.clone().unwrap();
    let step = (row.version == 1).then(|| {
        let row = PaymentRow { version: 2, ..row };
        let event = Some((Event::CheckNow, Vec::new()));
        let write = Write { row, event, outbox: vec!["payment.paid"] };
        NoticeStep { write: NoticeWrite::Payment(write), is_evidence: false, result: () }
    });
    Judged { verdict: Verdict::Taken, step }
}

async fn of_many_copies_of_a_notification_one_moves_the_payment(books: Books) {
    begin(&books.store, payment(&key(1))).await.unwrap();
    let other = books.again();
    let mut copies = tokio::task::JoinSet::new();
    for turn in 0..60 {
        let store = if turn % 2 == 0 { books.store.clone() } else { other.clone() };
        copies.spawn(async move { store.noticed(notice(), judge).await.unwrap().done.is_some() });
    }
    let moved = copies.join_all().await;
    assert_eq!(moved.iter().filter(|has_moved| **has_moved).count(), 1);
    let seen = books.store.notices(SHOP, 9).await.unwrap();
    assert_eq!((seen.len(), seen[0].times, seen[0].verdict.as_str()), (1, 60, "taken"));
    assert_eq!(books.store.story(key(1)).await.unwrap().len(), 2);
    assert_eq!(books.store.outbox(SHOP, false, 9).await.unwrap().len(), 1);
    assert_eq!(books.store.notices("1900000110", 9).await, Ok(vec![]));
}

/// Has something to be told of each of these payments.
async fn to_be_told(store: &Store, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        begin(store, payment(&key(number))).await.unwrap();
        let tell = |row: Option<&PaymentRow>| {
            let row = PaymentRow { version: 2, ..row.unwrap().clone() };
            let event = Some((Event::CheckNow, Vec::new()));
            Change { write: Some(Write { row, event, outbox: vec!["payment.paid"] }), result: () }
        };
        store.change(key(number), tell).await.unwrap();
    }
}

async fn what_is_told_to_others_is_taken_by_one(books: Books) {
    to_be_told(&books.store, 1..=12).await;
    assert_eq!(books.store.next_outbox(SHOP).await, Ok(Some(NOW)));
    let other = books.again();
    let mut takes = tokio::task::JoinSet::new();
    for turn in 0..8 {
        let store = if turn % 2 == 0 { books.store.clone() } else { other.clone() };
        takes.spawn(async move { store.claim_outbox(SHOP, (NOW, at(30)), 5).await.unwrap() });
    }
    let mut rows: Vec<_> = takes.join_all().await.into_iter().flatten().collect();
    while let more = books.store.claim_outbox(SHOP, (NOW, at(30)), 5).await.unwrap()
        && !more.is_empty()
    {
        rows.extend(more);
    }
    rows.sort_by(|one, other| one.subject.cmp(&other.subject));
    let mut subjects: Vec<_> = rows.iter().map(|row| row.subject.clone()).collect();
    subjects.dedup();
    assert_eq!((rows.len(), subjects.len()), (12, 12));
    assert_eq!(books.store.next_outbox(SHOP).await, Ok(Some(at(30))));
    let [first, second, third] = [0, 1, 2].map(|place: usize| rows[place].clone());
    // Whoever comes back too late has lost it to somebody else.
    let again = books.store.claim_outbox(SHOP, (at(30), at(60)), 99).await.unwrap();
    assert!(again.iter().any(|row| row.subject == first.subject && row.tries == 2));
    let finish =
        async |row, told| books.store.finish_outbox(SHOP, row, told, at(40)).await.unwrap();
    assert!(!finish(first.clone(), Told::Done(String::new())).await);
    let now_has = |subject: &str| again.iter().find(|row| row.subject == subject).unwrap().clone();
    assert!(finish(now_has(&first.subject), Told::Done(String::new())).await);
    assert!(finish(now_has(&second.subject), Told::Dead("gone \u{1f5d1}".to_owned())).await);
    assert!(finish(now_has(&third.subject), Told::Later(at(50), "busy".to_owned())).await);
    assert_eq!(books.store.next_outbox(SHOP).await, Ok(Some(at(50))));
    let dead = books.store.outbox(SHOP, true, 99).await.unwrap();
    let dead: Vec<_> = dead.iter().map(|row| (&*row.subject, &*row.last_error)).collect();
    assert_eq!(dead, [(&*second.subject, "gone \u{1f5d1}")]);
}

async fn a_word_is_kept_for_good(books: Books) {
    let mut words = tokio::task::JoinSet::new();
    for turn in 0..20 {
        let store = books.store.clone();
        words.spawn(async move { store.kept_word(SHOP, "word", turn.to_string()).await.unwrap() });
    }
    let mut words = words.join_all().await;
    words.dedup();
    assert_eq!(words.len(), 1);
}

async fn the_books_can_be_touched(books: Books) {
    books.store.touch(SHOP, NOW).await.unwrap();
    books.store.touch(SHOP, at(1)).await.unwrap();
    assert_eq!(books.store.open_payments(SHOP).await, Ok((0, None)));
    begin(&books.store, payment(&key(1))).await.unwrap();
    assert_eq!(books.store.open_payments(SHOP).await, Ok((1, Some(NOW))));
}
