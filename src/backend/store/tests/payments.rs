use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use paytill_core::clock::{Millis, Timestamp};
use paytill_core::payment::{
    Answer, Call, Event, Found, Proof, Reason, State, Status, Submitted, TillCause,
};

use super::{Books, NOW, RULES, SHOP, begin, contract, insert, key, key_of, payment};
use crate::store::{
    Acknowledged, Change, Filter, Lease, PaymentKey, PaymentRow, Store, StoreError, Write,
};

contract!(
    what_its_till_may_have_missed_is_listed,
    of_many_that_begin_one_number_one_does,
    a_decision_on_a_row_that_has_changed_is_made_again,
    versions_grow_by_one_and_every_event_is_in_the_story,
    an_error_leaves_nothing,
    a_row_that_was_decided_on_is_never_overwritten,
    what_is_told_to_others_is_one_row,
    only_a_row_s_notes_change_without_an_event,
    what_is_due_comes_latest_first_with_the_next_time,
    a_list_is_what_was_asked_for_newest_first,
    another_merchant_sees_nothing,
    a_transaction_s_number_leads_to_its_order,
);

/// Changes a row that is there: `change` gets it with the next version.
async fn step(
    store: &Store,
    key: PaymentKey,
    event: Event,
    change: impl Fn(&mut PaymentRow) + Send + Sync + 'static,
) -> Result<PaymentRow, StoreError> {
    let decide = move |row: Option<&PaymentRow>| {
        let mut row = row.unwrap().clone();
        row.version += 1;
        change(&mut row);
        let write = Write {
            row: row.clone(),
            event: Some((event.clone(), Vec::new())),
            outbox: Vec::new(),
        };
        Change { write: Some(write), result: row }
    };
    store.change(key, decide).await
}

fn paid(transaction_id: &str) -> Event {
    let proof = Proof { transaction_id: transaction_id.to_owned(), paid_at: NOW, coupon: None };
    Event::Answered(0, Answer::Submitted(Submitted::Paid(proof)))
}

/// Takes a payment through a verified answer.
fn pay(row: &mut PaymentRow, transaction_id: &str) {
    let _ = row.state.step(&paid(transaction_id), Millis(100), &RULES);
    row.wake_at = None;
}

async fn of_many_that_begin_one_number_one_does(books: Books) {
    let other = books.again();
    let mut begun = tokio::task::JoinSet::new();
    for turn in 0..100_u8 {
        let store = if turn % 2 == 0 { books.store.clone() } else { other.clone() };
        let row = PaymentRow { fingerprint: vec![turn], ..payment(&key(1)) };
        begun.spawn(async move {
            let is_new = begin(&store, row.clone()).await.unwrap();
            let there = store.payment(row.key.clone()).await.unwrap().unwrap();
            assert_eq!(there.fingerprint == row.fingerprint, is_new);
            is_new
        });
    }
    let begun = begun.join_all().await;
    assert_eq!(begun.iter().filter(|is_new| **is_new).count(), 1);
    assert_eq!(books.store.story(key(1)).await.unwrap().len(), 1);
}

async fn a_decision_on_a_row_that_has_changed_is_made_again(books: Books) {
    begin(&books.store, payment(&key(1))).await.unwrap();
    let other = books.again();
    let mut steps = tokio::task::JoinSet::new();
    for turn in 0..40 {
        let store = if turn % 2 == 0 { books.store.clone() } else { other.clone() };
        steps.spawn(async move {
            step(&store, key(1), Event::CheckNow, |row| row.seen += 1).await.unwrap().version
        });
    }
    let versions: BTreeSet<_> = steps.join_all().await.into_iter().collect();
    assert_eq!(versions, (2..=41).collect(), "each has seen what the one before it did");
    let row = books.store.payment(key(1)).await.unwrap().unwrap();
    assert_eq!((row.version, row.seen), (41, 40));
    let story = books.store.story(key(1)).await.unwrap();
    let told: Vec<_> = story.iter().map(|event| event.version).collect();
    assert_eq!(told, (1..=41).collect::<Vec<_>>());
}

async fn versions_grow_by_one_and_every_event_is_in_the_story(books: Books) {
    begin(&books.store, payment(&key(1))).await.unwrap();
    let events = [
        Event::Tick,
        Event::Cancel,
        Event::Settled("by hand".to_owned()),
        Event::Restarted { oldest: Millis(9) },
        paid("4200001"),
    ];
    for event in events.clone() {
        let stepped = event.clone();
        step(&books.store, key(1), event, move |row| {
            let _ = row.state.step(&stepped, Millis(100), &RULES);
        })
        .await
        .unwrap();
    }
    let story = books.store.story(key(1)).await.unwrap();
    let told: Vec<_> = story.iter().map(|row| row.event.clone()).collect();
    assert_eq!(told, [&[Event::Begun][..], &events[..]].concat());
    let last = books.store.payment(key(1)).await.unwrap().unwrap();
    let versions: Vec<_> = story.iter().map(|row| row.version).collect();
    assert_eq!(versions, (1..=last.version).collect::<Vec<_>>());
    assert_eq!(story.last().unwrap().status, last.state.status().word());
}

async fn an_error_leaves_nothing(books: Books) {
    begin(&books.store, payment(&key(1))).await.unwrap();
    let before = books.store.payment(key(1)).await.unwrap();
    let decide = |row: Option<&PaymentRow>| {
        let mut row = row.unwrap().clone();
        row.seen = 99;
        row.version += 1;
        // The last statement is the one that fails.
        let outbox = vec!["payment.paid", "a\0b"];
        Change {
            write: Some(Write { row, event: Some((Event::Tick, vec![])), outbox }),
            result: (),
        }
    };
    assert_eq!(books.store.change(key(1), decide).await, Err(StoreError::Text));
    assert_eq!(books.store.payment(key(1)).await.unwrap(), before);
    assert_eq!(books.store.story(key(1)).await.unwrap().len(), 1);
    assert_eq!(outbox(&books.store).await, Vec::<String>::new());
    // The next one is not disturbed.
    assert!(begin(&books.store, payment(&key(2))).await.unwrap());
}

async fn a_row_that_was_decided_on_is_never_overwritten(books: Books) {
    begin(&books.store, payment(&key(1))).await.unwrap();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    // Whatever it claims to have seen, the version in the database decides.
    let done = books.store.run(move |tx| {
        counted.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let values = [
                "sent".into(),
                "{}".into(),
                3.into(),
                crate::store::value::Value::Null,
                None::<i64>.into(),
                None::<&str>.into(),
                None::<i64>.into(),
                0.into(),
                0.into(),
                None::<i64>.into(),
                NOW.0.into(),
                SHOP.into(),
                key(1).out_trade_no.as_str().into(),
                2.into(),
            ];
            tx.change(crate::store::payments::UPDATE, &values).await
        })
    });
    assert_eq!(done.await, Ok(0));
    assert_eq!(tries.load(Ordering::Relaxed), 1);
    assert_eq!(books.store.payment(key(1)).await.unwrap(), Some(payment(&key(1))));
}

async fn outbox(store: &Store) -> Vec<String> {
    let read = store.read(|tx| {
        Box::pin(async move {
            let sql = "SELECT kind, subject FROM outbox WHERE merchant = $1 ORDER BY kind, subject";
            let rows = tx.rows(sql, &[SHOP.into()]).await?;
            rows.into_iter().map(|mut row| Ok(format!("{} {}", row.text()?, row.text()?))).collect()
        })
    });
    read.await.unwrap()
}

async fn what_is_told_to_others_is_one_row(books: Books) {
    begin(&books.store, payment(&key(1))).await.unwrap();
    begin(&books.store, payment(&key(2))).await.unwrap();
    let mut tells = tokio::task::JoinSet::new();
    for turn in 0..30 {
        let store = books.store.clone();
        tells.spawn(async move {
            let decide = |row: Option<&PaymentRow>| {
                let mut row = row.unwrap().clone();
                row.version += 1;
                let event = Some((Event::CheckNow, vec![]));
                let outbox = vec!["payment.paid", "payment.attention"];
                Change { write: Some(Write { row, event, outbox }), result: () }
            };
            store.change(key(1 + turn % 2), decide).await.unwrap();
        });
    }
    tells.join_all().await;
    let told = [
        "payment.attention T01-00000001",
        "payment.attention T01-00000002",
        "payment.paid T01-00000001",
        "payment.paid T01-00000002",
    ];
    assert_eq!(outbox(&books.store).await, told);
}

async fn only_a_row_s_notes_change_without_an_event(books: Books) {
    begin(&books.store, payment(&key(1))).await.unwrap();
    let lease = Some(Lease { owner: "one".to_owned(), until: NOW.after(Millis(9)) });
    let noted = lease.clone();
    let decide = move |row: Option<&PaymentRow>| {
        let row = PaymentRow { seen: 1, lease: noted.clone(), ..row.unwrap().clone() };
        Change { write: Some(Write { row, event: None, outbox: vec![] }), result: () }
    };
    books.store.change(key(1), decide).await.unwrap();
    let row = books.store.payment(key(1)).await.unwrap().unwrap();
    assert_eq!((row.version, row.seen, row.lease), (1, 1, lease));
    assert_eq!(books.store.story(key(1)).await.unwrap().len(), 1);
}

fn at(millis: u64) -> Timestamp {
    NOW.after(Millis(millis))
}

async fn what_is_due_comes_latest_first_with_the_next_time(books: Books) {
    assert_eq!(books.store.due(SHOP, NOW, 9).await, Ok((vec![], None)));
    for (number, wake_at) in [(1, Some(10)), (2, Some(30)), (3, Some(20)), (4, None), (5, Some(50))]
    {
        let row = PaymentRow { wake_at: wake_at.map(at), ..payment(&key(number)) };
        begin(&books.store, row).await.unwrap();
    }
    let due = async |now, limit| books.store.due(SHOP, at(now), limit).await.unwrap();
    assert_eq!(due(9, 9).await, (vec![], Some(at(10))));
    assert_eq!(due(10, 9).await, (vec![key(1)], Some(at(10))));
    assert_eq!(due(30, 9).await.0, [key(2), key(3), key(1)]);
    assert_eq!(due(30, 2).await.0, [key(2), key(3)]);
    assert_eq!(due(99, 9).await.0.len(), 4);
}

async fn a_list_is_what_was_asked_for_newest_first(books: Books) {
    for number in 1..=6 {
        let mut row = payment(&key(number));
        row.created_at = at(u64::from(number) * 10);
        row.till = if number % 2 == 0 { "T01" } else { "T02" }.to_owned();
        if number == 3 {
            pay(&mut row, "4200003");
        }
        begin(&books.store, row).await.unwrap();
    }
    let list = async |filter: Filter| -> Vec<String> {
        let rows = books.store.payments(SHOP, filter).await.unwrap();
        let tail = |row: &PaymentRow| row.key.out_trade_no.as_str()[11..].to_owned();
        rows.iter().map(tail).collect()
    };
    let all = Filter { limit: 99, ..Filter::default() };
    assert_eq!(list(all.clone()).await, ["6", "5", "4", "3", "2", "1"]);
    assert_eq!(list(Filter { limit: 2, ..all.clone() }).await, ["6", "5"]);
    let till = Some("T02".to_owned());
    assert_eq!(list(Filter { till, ..all.clone() }).await, ["5", "3", "1"]);
    let (from, until) = (Some(at(20)), Some(at(40)));
    assert_eq!(list(Filter { from, until, ..all.clone() }).await, ["3", "2"]);
    let status = Some("paid".to_owned());
    assert_eq!(list(Filter { status, ..all.clone() }).await, ["3"]);
    assert_eq!(list(Filter { open: true, ..all.clone() }).await, ["6", "5", "4", "2", "1"]);
    let till = Some("T02' OR '1'='1".to_owned());
    assert_eq!(list(Filter { till, ..all }).await, Vec::<String>::new());
}

async fn another_merchant_sees_nothing(books: Books) {
    let mut row = payment(&key(1));
    pay(&mut row, "4200001");
    row.wake_at = Some(NOW);
    begin(&books.store, row).await.unwrap();
    let other = "1900000110";
    assert_eq!(books.store.payment(key_of(other, 1)).await, Ok(None));
    assert_eq!(books.store.story(key_of(other, 1)).await, Ok(vec![]));
    let all = Filter { limit: 99, ..Filter::default() };
    assert_eq!(books.store.payments(other, all).await, Ok(vec![]));
    assert_eq!(books.store.due(other, at(99), 9).await, Ok((vec![], None)));
    assert_eq!(books.store.of_transaction(other, "4200001").await, Ok(None));
    // The same number is another payment there.
    let theirs = PaymentRow { till: "T99".to_owned(), ..payment(&key_of(other, 1)) };
    assert!(begin(&books.store, theirs.clone()).await.unwrap());
    assert_eq!(books.store.payment(key_of(other, 1)).await, Ok(Some(theirs)));
    assert_eq!(books.store.payment(key(1)).await.unwrap().unwrap().till, "T01");
    let written = books.store.change(key_of(other, 2), |_| insert(&payment(&key_of(other, 2))));
    assert!(written.await.unwrap());
}

async fn a_transaction_s_number_leads_to_its_order(books: Books) {
    begin(&books.store, payment(&key(1))).await.unwrap();
    assert_eq!(books.store.of_transaction(SHOP, "4200001").await, Ok(None));
    step(&books.store, key(1), paid("4200001"), |row| pay(row, "4200001")).await.unwrap();
    let number = books.store.of_transaction(SHOP, "4200001").await.unwrap();
    assert_eq!(number, Some(key(1).out_trade_no));
    let unsigned = State::refused(Reason::from(TillCause::Cancelled));
    assert_eq!(unsigned.proof(), None);
    let found = Event::Answered(1, Answer::Found(Found::NotFound));
    step(&books.store, key(1), found, |_| ()).await.unwrap();
    assert!(books.store.of_transaction(SHOP, "4200001").await.unwrap().is_some());
}

/// A till that says what it has on record is believed; of another it counts what it was told.
async fn what_its_till_may_have_missed_is_listed(books: Books) {
    let store = &books.store;
    for (number, acknowledged, seen) in [
        (1, Acknowledged::Never, 0),
        (2, Acknowledged::Never, 2),
        (3, Acknowledged::NotYet, 2),
        (4, Acknowledged::Yes, 0),
    ] {
        begin(store, PaymentRow { acknowledged, ..payment(&key(number)) }).await.unwrap();
        let paid = move |row: Option<&PaymentRow>| {
            let mut row = PaymentRow { version: 2, seen, ..row.unwrap().clone() };
            let proof = Proof { transaction_id: format!("42{number}"), paid_at: NOW, coupon: None };
            let answer = Answer::Submitted(Submitted::Paid(proof));
            let event = Event::Answered(Call::SUBMISSION.number, answer);
            let _ = row.state.step(&event, Millis(100), &RULES);
            let write = Write { row, event: Some((event, Vec::new())), outbox: Vec::new() };
            Change { write: Some(write), result: () }
        };
        store.change(key(number), paid).await.unwrap();
        let row = store.payment(key(number)).await.unwrap().unwrap();
        assert_eq!((row.acknowledged, row.state.status()), (acknowledged, Status::Paid));
    }
    let ever = (Timestamp(0), NOW.after(Millis(1)));
    let missed = store.unseen(SHOP, ever, 9).await.unwrap();
    let mut missed: Vec<_> = missed.into_iter().map(|row| row.key).collect();
    missed.sort_by_key(|key| key.out_trade_no.to_string());
    assert_eq!(missed, [key(1), key(3)]);
}
