//! Changes that share a transaction: each is told what became of it, whatever became of the others.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::link::{Line, Link};
use super::{Books, Place, begin, key, on_postgres, payment, raw};
use crate::store::{Change, PaymentRow, Postgres, Store, StoreError, Write};

const MANY: u32 = 40;

fn url(books: &Books) -> &str {
    let Place::Schema { url } = &books.place else { unreachable!() };
    url
}

/// One connection, and changes only together.
fn shared(url: &str) -> Postgres {
    Postgres::new(url, None, 1, None).unwrap().together_always()
}

/// Lets payments begin that find the only connection taken, so that all of them go together; `meanwhile`
/// is done before it is free.
async fn begin_together(
    postgres: &Postgres,
    numbers: impl Iterator<Item = u32>,
    meanwhile: impl FnOnce(),
) -> Vec<(u32, Result<bool, StoreError>)> {
    let (taken, free) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (holder, is_taken, is_free) = (postgres.clone(), Arc::clone(&taken), Arc::clone(&free));
    let holds = tokio::spawn(async move {
        let held = holder.run(move |_| {
            let (is_taken, is_free) = (Arc::clone(&is_taken), Arc::clone(&is_free));
            Box::pin(async move {
                is_taken.notify_one();
                is_free.notified().await;
                // Nothing is committed.
                Err::<(), _>(StoreError::Busy)
            })
        });
        assert_eq!(held.await, Err(StoreError::Busy));
    });
    taken.notified().await;
    let mut begun = JoinSet::new();
    let mut count = 0;
    for number in numbers {
        let store = Store::Postgres(postgres.clone());
        begun.spawn(async move { (number, begin(&store, payment(&key(number))).await) });
        count += 1;
    }
    while postgres.waiting_together() < count {
        tokio::task::yield_now().await;
    }
    meanwhile();
    free.notify_one();
    holds.await.unwrap();
    begun.join_all().await
}

async fn written(books: &Books) -> usize {
    raw(url(books)).await.query("SELECT 1 FROM payment", &[]).await.unwrap().len()
}

#[test]
fn those_who_wait_share_one_commit() {
    on_postgres("", |books| async move {
        let begun = begin_together(&shared(url(&books)), 0..MANY, || {}).await;
        assert!(begun.iter().all(|(_, begun)| *begun == Ok(true)), "{begun:?}");
        // Whatever one transaction has written bears its number.
        let sql = "SELECT DISTINCT xmin::TEXT FROM payment_event";
        assert_eq!(raw(url(&books)).await.query(sql, &[]).await.unwrap().len(), 1);
        assert_eq!(written(&books).await, MANY as usize);
    });
}

#[test]
fn one_that_fails_does_so_alone() {
    on_postgres("", |books| async move {
        let full = key(7).out_trade_no;
        let sql = format!(
            "CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF NEW.out_trade_no = '{full}' THEN
                     RAISE EXCEPTION 'on purpose' USING ERRCODE = '53100';
                 END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER is_full BEFORE INSERT ON payment
                 FOR EACH ROW EXECUTE FUNCTION is_full();"
        );
        raw(url(&books)).await.batch_execute(&sql).await.unwrap();
        for (number, begun) in begin_together(&shared(url(&books)), 0..MANY, || {}).await {
            let wanted = if number == 7 { Err(StoreError::Full) } else { Ok(true) };
            assert_eq!(begun, wanted, "{number}");
        }
        assert_eq!(written(&books).await, MANY as usize - 1);
    });
}

#[test]
fn a_lost_commit_is_unknown_to_all_of_them_and_a_lost_link_is_not_written() {
    on_postgres("", |books| async move {
        let line = Line::to(url(&books), None).await;
        let postgres = shared(&line.url(url(&books)));
        for (round, link, then) in
            [(0, Link::LosesCommit, 0), (1, Link::LosesAnswer, MANY), (2, Link::Down, MANY)]
        {
            let numbers = round * MANY..(round + 1) * MANY;
            let begun = begin_together(&postgres, numbers, || line.becomes(link)).await;
            for (number, begun) in begun {
                let is_right = match begun {
                    Err(StoreError::Unsure(_)) => link != Link::Down,
                    Err(StoreError::Unreachable(_)) => link == Link::Down,
                    _ => false,
                };
                assert!(is_right, "{link:?} {number}: {begun:?}");
            }
            assert_eq!(written(&books).await, then as usize, "{link:?}");
            line.becomes(Link::Up);
        }
    });
}

#[test]
fn changes_of_one_payment_see_each_other() {
    on_postgres("", |books| async move {
        let postgres = shared(url(&books));
        let store = Store::Postgres(postgres);
        begin(&store, payment(&key(1))).await.unwrap();
        let mut changed = JoinSet::new();
        for _ in 0..MANY {
            let store = store.clone();
            // A note changes no version: nothing but the lock keeps two of them apart.
            let note = |row: Option<&PaymentRow>| {
                let row = row.unwrap();
                let row = PaymentRow { seen: row.seen + 1, ..row.clone() };
                Change { write: Some(Write::note(row)), result: () }
            };
            changed.spawn(async move { store.change(key(1), note).await });
        }
        assert!(changed.join_all().await.iter().all(Result::is_ok));
        assert_eq!(store.payment(key(1)).await.unwrap().unwrap().seen, i64::from(MANY));
    });
}
