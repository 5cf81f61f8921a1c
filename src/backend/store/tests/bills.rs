use paytill_core::bill::compare::Cause;
use paytill_core::clock::{Date, Millis};

use super::{Books, NOW, SHOP, begin, contract, key, key_of, payment};
use crate::store::{BillDifference, BillRow, BillSide, PaymentRow};

contract!(
    payments_are_read_page_by_page_and_none_twice_or_never,
    what_came_of_a_bill_is_kept_once_a_day,
);

async fn payments_are_read_page_by_page_and_none_twice_or_never(books: Books) {
    let store = &books.store;
    // Several began in one millisecond.
    for number in 0..7 {
        let created_at = NOW.after(Millis(u64::from(number) / 3));
        let row = PaymentRow { created_at, ..payment(&key(number)) };
        assert_eq!(begin(store, row).await, Ok(true));
    }
    begin(store, payment(&key_of("another", 1))).await.unwrap();
    let (mut read, mut after) = (Vec::new(), (NOW, String::new()));
    loop {
        let rows =
            store.payments_after(SHOP, NOW.after(Millis(2)), after.clone(), 2).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = (last.created_at, last.order.out_trade_no.to_string());
        read.extend(rows.into_iter().map(|row| row.key));
    }
    assert_eq!(read, (0..6).map(key).collect::<Vec<_>>());
}

async fn what_came_of_a_bill_is_kept_once_a_day(books: Books) {
    let store = &books.store;
    let day = Date::new(2026, 11, 29).unwrap();
    let side = BillSide { state: "paid".to_owned(), amount: 1234, currency: "CNY".to_owned() };
    let found = BillDifference {
        cause: Cause::NotInBill(Some(day.tomorrow().unwrap())),
        order_no: "T0111".to_owned(),
        refund_no: String::new(),
        transaction_id: "42".to_owned(),
        here: Some(side),
        bill: None,
        at: Some(NOW),
    };
    let first = BillRow {
        day,
        compared_at: NOW,
        bill_rows: 7,
        matched: 6,
        differ: 1,
        differences: vec![found],
    };
    store.write_bill(SHOP, &first).await.unwrap();
    assert_eq!(store.bills(SHOP, day, 9).await, Ok(vec![first.clone()]));
    let later = NOW.after(Millis(1));
    let again =
        BillRow { compared_at: later, matched: 7, differ: 0, differences: Vec::new(), ..first };
    store.write_bill(SHOP, &again).await.unwrap();
    let next = BillRow { day: day.tomorrow().unwrap(), ..again.clone() };
    store.write_bill(SHOP, &next).await.unwrap();
    store.write_bill("another", &next).await.unwrap();
    assert_eq!(store.bills(SHOP, day, 9).await, Ok(vec![next.clone(), again]));
    assert_eq!(store.bills(SHOP, day.tomorrow().unwrap(), 9).await, Ok(vec![next.clone()]));
    assert_eq!(store.bills(SHOP, day, 1).await, Ok(vec![next]));
}
