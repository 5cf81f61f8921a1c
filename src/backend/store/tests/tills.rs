use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::message::Rights;
use paytill_core::gateway::backend::signed::{PublicKey, SigningKey};

use super::{Books, NOW, SHOP, by, contract};
use crate::store::{EnrolmentRow, NotEnrolled, Store, StoreError, TillRow};

contract!(
    a_till_is_enrolled_once,
    a_code_ends_with_its_time_and_after_five_wrong_proofs,
    a_new_code_ends_the_old_one_and_a_new_key_the_old_one,
    one_code_makes_one_key_however_many_ask_at_once,
    a_revoked_till_keeps_its_key_but_is_revoked,
    a_till_is_heard,
    another_merchant_s_tills_are_not_seen,
    tills_are_listed_by_store_and_name,
);

const RIGHTS: Rights = Rights { charge: true, qr: true, refund_up_to: 100, refund_per_day: 1_000 };

fn at(millis: u64) -> Timestamp {
    NOW.after(Millis(millis))
}

fn new_key() -> PublicKey {
    SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap().public()
}

fn code(code: &str, till: &str) -> EnrolmentRow {
    EnrolmentRow {
        code: code.to_owned(),
        kept: vec![1, 0, 255],
        till: till.to_owned(),
        expires_at: at(1_000),
    }
}

async fn add(store: &Store, named: &str, till: &str) {
    store.add_till(SHOP, "S001", RIGHTS, code(named, till), by(NOW)).await.unwrap();
}

async fn enrol(
    store: &Store,
    code: &str,
    key: PublicKey,
    is_known: bool,
    now: Timestamp,
) -> Result<TillRow, NotEnrolled> {
    let proves = move |kept: &[u8], _: &str| kept == [1, 0, 255] && is_known;
    let enrolled = store.enrol(SHOP, code, (key, "0.1"), proves, now).await.unwrap();
    enrolled.map(|(till, kept)| {
        assert_eq!(kept, [1, 0, 255]);
        till
    })
}

async fn till(store: &Store, till: &str) -> TillRow {
    store.till(SHOP, till).await.unwrap().unwrap()
}

async fn a_till_is_enrolled_once(books: Books) {
    add(&books.store, "c1", "T01").await;
    assert_eq!(till(&books.store, "T01").await.key, None);
    let key = new_key();
    let enrolled = enrol(&books.store, "c1", key, true, at(5)).await.unwrap();
    assert_eq!(enrolled, till(&books.store, "T01").await);
    assert_eq!((enrolled.key, enrolled.enrolled_at), (Some(key), Some(at(5))));
    assert_eq!((enrolled.rights, enrolled.program.as_str()), (RIGHTS, "0.1"));
    let again = enrol(&books.store, "c1", new_key(), true, at(6)).await;
    assert_eq!(again, Err(NotEnrolled::NoCode));
    assert_eq!(till(&books.store, "T01").await.key, Some(key));
}

async fn a_code_ends_with_its_time_and_after_five_wrong_proofs(books: Books) {
    add(&books.store, "c1", "T01").await;
    let late = enrol(&books.store, "c1", new_key(), true, at(1_000)).await;
    assert_eq!(late, Err(NotEnrolled::NoCode));
    for _ in 0..5 {
        let wrong = enrol(&books.store, "c1", new_key(), false, at(5)).await;
        assert_eq!(wrong, Err(NotEnrolled::WrongProof));
    }
    let right = enrol(&books.store, "c1", new_key(), true, at(5)).await;
    assert_eq!(right, Err(NotEnrolled::NoCode));
    assert_eq!(till(&books.store, "T01").await.key, None);
}

async fn a_new_code_ends_the_old_one_and_a_new_key_the_old_one(books: Books) {
    let (first, second) = (new_key(), new_key());
    add(&books.store, "c1", "T01").await;
    enrol(&books.store, "c1", first, true, at(5)).await.unwrap();
    add(&books.store, "c2", "T01").await;
    add(&books.store, "c3", "T01").await;
    assert_eq!(till(&books.store, "T01").await.key, Some(first), "it lives until another one does");
    let old = enrol(&books.store, "c2", second, true, at(5)).await;
    assert_eq!(old, Err(NotEnrolled::NoCode));
    enrol(&books.store, "c3", second, true, at(5)).await.unwrap();
    assert_eq!(till(&books.store, "T01").await.key, Some(second));
}

async fn one_code_makes_one_key_however_many_ask_at_once(books: Books) {
    add(&books.store, "c1", "T01").await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let store = books.store.clone();
        asking.spawn(async move {
            let key = new_key();
            enrol(&store, "c1", key, true, at(5)).await.map(|_| key)
        });
    }
    let enrolled: Vec<_> = asking.join_all().await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(enrolled.len(), 1);
    assert_eq!(till(&books.store, "T01").await.key, Some(enrolled[0]));
}

async fn a_revoked_till_keeps_its_key_but_is_revoked(books: Books) {
    let key = new_key();
    add(&books.store, "c1", "T01").await;
    enrol(&books.store, "c1", key, true, at(5)).await.unwrap();
    add(&books.store, "c2", "T01").await;
    assert_eq!(books.store.revoke(SHOP, "T01", by(at(7))).await, Ok(true));
    let revoked = till(&books.store, "T01").await;
    assert_eq!((revoked.revoked_at, revoked.key), (Some(at(7)), Some(key)));
    assert_eq!(books.store.revoke(SHOP, "T01", by(at(8))).await, Ok(false));
    assert_eq!(till(&books.store, "T01").await.revoked_at, Some(at(7)));
    assert_eq!(books.store.revoke(SHOP, "T02", by(at(8))).await, Ok(false));
    // A code that it had is gone, too.
    let back = enrol(&books.store, "c2", new_key(), true, at(9)).await;
    assert_eq!(back, Err(NotEnrolled::NoCode));
    add(&books.store, "c3", "T01").await;
    let back = enrol(&books.store, "c3", new_key(), true, at(9)).await.unwrap();
    assert_eq!(back.revoked_at, None);
}

async fn a_till_is_heard(books: Books) {
    add(&books.store, "c1", "T01").await;
    assert_eq!(till(&books.store, "T01").await.last_seen_at, None);
    books.store.heard(SHOP, "T01", at(3)).await.unwrap();
    assert_eq!(till(&books.store, "T01").await.last_seen_at, Some(at(3)));
    assert_eq!(books.store.heard(SHOP, "T02", at(3)).await, Ok(()));
}

async fn another_merchant_s_tills_are_not_seen(books: Books) {
    add(&books.store, "c1", "T01").await;
    let other = "1900000110";
    assert_eq!(books.store.till(other, "T01").await, Ok(None));
    assert_eq!(books.store.tills(other).await, Ok(vec![]));
    assert_eq!(books.store.revoke(other, "T01", by(NOW)).await, Ok(false));
    books.store.heard(other, "T01", NOW).await.unwrap();
    let asked = books.store.enrol(other, "c1", (new_key(), ""), |_, _| true, NOW).await;
    assert_eq!(asked, Ok(Err(NotEnrolled::NoCode)));
    let mine = till(&books.store, "T01").await;
    assert_eq!((mine.last_seen_at, mine.revoked_at), (None, None));
    books.store.add_till(other, "S9", RIGHTS, code("c1", "T01"), by(NOW)).await.unwrap();
    assert_eq!(till(&books.store, "T01").await.store, "S001");
}

async fn tills_are_listed_by_store_and_name(books: Books) {
    for (store, name) in [("S2", "a"), ("S1", "b"), ("S1", "B"), ("S1", "_")] {
        let code = code(name, name);
        books.store.add_till(SHOP, store, RIGHTS, code, by(NOW)).await.unwrap();
    }
    let tills = books.store.tills(SHOP).await.unwrap();
    let named: Vec<_> =
        tills.iter().map(|till| (till.store.as_str(), till.till.as_str())).collect();
    assert_eq!(named, [("S1", "B"), ("S1", "_"), ("S1", "b"), ("S2", "a")]);
    let other = Rights { charge: false, ..RIGHTS };
    books.store.add_till(SHOP, "S3", other, code("x", "a"), by(NOW)).await.unwrap();
    let moved = till(&books.store, "a").await;
    assert_eq!((moved.store.as_str(), moved.rights), ("S3", other));
    let spoilt = books.store.add_till(SHOP, "S\0", other, code("x", "b"), by(NOW)).await;
    assert_eq!(spoilt, Err(StoreError::Text));
}
