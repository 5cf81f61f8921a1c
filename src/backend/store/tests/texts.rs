use paytill_core::payment::Event;

use super::{Books, begin, contract, key, payment};
use crate::store::{Change, PaymentRow, StoreError, Write};

contract!(
    texts_are_stored_as_they_are,
    a_nul_is_refused_in_a_column_and_kept_in_json,
    the_largest_and_smallest_numbers_are_stored,
);

const TEXTS: [&str; 12] = [
    "",
    " ",
    "it's \"quoted\" `twice` \\ \\n",
    "'; DROP TABLE payment; --",
    "$1 ? :a @b %s {}",
    "角落咖啡 ☕ 👩‍👩‍👧‍👦 𠮷",
    "e\u{301} \u{feff}\u{202e}\u{200b}",
    "\u{1}\u{7f}\u{85}\r\n\t",
    "\u{fffd}\u{ffff}\u{10ffff}",
    "<script>alert(1)</script>&amp;",
    "NULL",
    "\\x00 \\000",
];

async fn texts_are_stored_as_they_are(books: Books) {
    for (number, text) in (1..).zip(TEXTS) {
        let mut row = payment(&key(number));
        row.store = text.to_owned();
        row.till = text.to_owned();
        row.order.body = text.to_owned();
        row.order.mark = text.to_owned();
        row.order.merchant.app_id = text.to_owned();
        begin(&books.store, row.clone()).await.unwrap();
        assert_eq!(books.store.payment(key(number)).await, Ok(Some(row)), "{text:?}");
        let wire = vec![(text.to_owned(), text.repeat(200))];
        let said = (Event::Settled(text.to_owned()), wire.clone());
        let decide = move |row: Option<&PaymentRow>| {
            let row = PaymentRow { version: 2, ..row.unwrap().clone() };
            let write = Write { row, event: Some(said.clone()), outbox: vec![] };
            Change { write: Some(write), result: () }
        };
        books.store.change(key(number), decide).await.unwrap();
        let told = books.store.story(key(number)).await.unwrap().pop().unwrap();
        assert_eq!((told.event, told.wire), (Event::Settled(text.to_owned()), wire));
        assert_eq!(books.store.till(text, text).await, Ok(None));
    }
}

async fn a_nul_is_refused_in_a_column_and_kept_in_json(books: Books) {
    let mut row = payment(&key(1));
    row.order.body = "a\0b".to_owned();
    begin(&books.store, row.clone()).await.unwrap();
    assert_eq!(books.store.payment(key(1)).await, Ok(Some(row)));
    let row = PaymentRow { till: "a\0b".to_owned(), ..payment(&key(2)) };
    assert_eq!(begin(&books.store, row).await, Err(StoreError::Text));
    assert_eq!(books.store.payment(key(2)).await, Ok(None));
    assert_eq!(books.store.till("a\0b", "T01").await, Err(StoreError::Text));
}

async fn the_largest_and_smallest_numbers_are_stored(books: Books) {
    for (number, value) in [(1, i64::MAX), (2, i64::MIN), (3, 0), (4, -1)] {
        let mut row = payment(&key(number));
        row.version = value;
        row.seen = value;
        row.order.amount = paytill_core::money::Money::from_minor(value);
        row.wake_at = Some(paytill_core::clock::Timestamp(value));
        row.fingerprint = value.to_be_bytes().to_vec();
        begin(&books.store, row.clone()).await.unwrap();
        assert_eq!(books.store.payment(key(number)).await, Ok(Some(row)));
    }
}
