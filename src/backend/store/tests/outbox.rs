use paytill_core::clock::{Millis, Timestamp};

use super::{Books, NOW, SHOP, by, contract, insert, key_of, payment};
use crate::store::{Change, OutboxRow, Store, Told};

contract!(
    of_many_that_take_a_row_one_does,
    a_row_is_taken_again_once_its_lease_is_over_and_the_slow_note_nothing,
    what_was_given_up_is_listed_and_sent_again,
    what_nobody_is_told_is_put_aside,
);

const UNTIL: Timestamp = Timestamp(NOW.0 + 30_000);

/// Writes so many payments of which others are to be told.
async fn paid(store: &Store, merchant: &str, count: u32) {
    for number in 0..count {
        let key = key_of(merchant, number);
        let row = payment(&key);
        let decide = move |_: Option<&_>| {
            let mut change = insert(&row);
            change.write.as_mut().unwrap().outbox.push("payment.paid");
            Change { write: change.write, result: () }
        };
        store.change(key, decide).await.unwrap();
    }
}

async fn claim(store: &Store, now: Timestamp, until: Timestamp) -> Vec<OutboxRow> {
    store.claim_outbox(SHOP, (now, until), 100).await.unwrap()
}

async fn of_many_that_take_a_row_one_does(books: Books) {
    paid(&books.store, SHOP, 10).await;
    paid(&books.store, "another", 1).await;
    let mut claims = tokio::task::JoinSet::new();
    for store in [books.store.clone(), books.again(), books.again(), books.store.clone()] {
        claims.spawn(async move { claim(&store, NOW, UNTIL).await });
    }
    let taken: Vec<_> = claims.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 10);
    assert!(taken.iter().all(|row| row.tries == 1 && row.lease_until == Some(UNTIL)));
    assert_eq!(books.store.next_outbox(SHOP).await, Ok(Some(UNTIL)));
    assert_eq!(books.store.next_outbox("another").await, Ok(Some(NOW)));
    assert_eq!(books.store.next_outbox("nobody").await, Ok(None));
}

async fn a_row_is_taken_again_once_its_lease_is_over_and_the_slow_note_nothing(books: Books) {
    let store = &books.store;
    paid(store, SHOP, 1).await;
    let [first] = &claim(store, NOW, UNTIL).await[..] else { panic!() };
    let later = UNTIL.after(Millis::seconds(30));
    let [second] = &claim(store, UNTIL, later).await[..] else { panic!() };
    let finish = |row: &OutboxRow| store.finish_outbox(SHOP, row.clone(), Told::Done, later);
    assert_eq!((finish(first).await, finish(second).await), (Ok(false), Ok(true)));
    let [row] = &store.outbox(SHOP, false, 9).await.unwrap()[..] else { panic!() };
    assert_eq!((row.done_at, row.due_at, row.lease_until), (Some(later), None, None));
    assert!(claim(store, Timestamp(i64::MAX), later).await.is_empty());
}

async fn what_was_given_up_is_listed_and_sent_again(books: Books) {
    let store = &books.store;
    paid(store, SHOP, 2).await;
    let taken = claim(store, NOW, UNTIL).await;
    let dead = Told::Dead("HTTP 500".to_owned());
    let again = Told::Later(UNTIL, "no connection".to_owned());
    assert_eq!(store.finish_outbox(SHOP, taken[0].clone(), dead, NOW).await, Ok(true));
    assert_eq!(store.finish_outbox(SHOP, taken[1].clone(), again, NOW).await, Ok(true));
    assert_eq!(store.outbox(SHOP, false, 9).await.unwrap().len(), 2);
    assert_eq!(store.outbox(SHOP, false, 1).await.unwrap().len(), 1);
    let [row] = &store.outbox(SHOP, true, 9).await.unwrap()[..] else { panic!() };
    assert!(row.is_dead() && row.last_error == "HTTP 500");
    let named = (row.kind.as_str(), row.subject.as_str());
    assert_eq!(store.resend("another", named, by(NOW)).await, Ok(false));
    assert_eq!(store.resend(SHOP, ("payment.paid", "nothing"), by(NOW)).await, Ok(false));
    assert_eq!(store.resend(SHOP, named, by(NOW)).await, Ok(true));
    let [revived] = &claim(store, NOW, UNTIL).await[..] else { panic!() };
    assert_eq!((revived.subject.as_str(), revived.tries), (named.1, 1));
}

async fn what_nobody_is_told_is_put_aside(books: Books) {
    let store = &books.store;
    paid(store, SHOP, 3).await;
    paid(store, "another", 1).await;
    assert_eq!(store.put_aside(SHOP, "nobody", NOW).await, Ok(3));
    assert_eq!(store.put_aside(SHOP, "nobody", NOW).await, Ok(0));
    let rows = store.outbox(SHOP, false, 9).await.unwrap();
    assert!(rows.iter().all(|row| row.done_at == Some(NOW) && row.last_error == "nobody"));
    assert!(store.outbox(SHOP, true, 9).await.unwrap().is_empty());
    assert_eq!(store.next_outbox("another").await, Ok(Some(NOW)));
}
