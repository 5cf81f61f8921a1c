use super::{Books, NOW, begin, contract, key, on_sqlite, payment, with_postgres};
use crate::store::{Postgres, Store, StoreError, VERSION};

contract!(
    making_tables_again_changes_nothing,
    another_version_is_refused,
    a_database_without_a_version_is_refused,
);

async fn making_tables_again_changes_nothing(books: Books) {
    begin(&books.store, payment(&key(1))).await.unwrap();
    books.store.migrate(NOW).await.unwrap();
    books.again().migrate(NOW).await.unwrap();
    books.store.check().await.unwrap();
    assert_eq!(books.store.payment(key(1)).await, Ok(Some(payment(&key(1)))));
}

async fn set_version(store: &Store, version: &'static str) {
    let set = store.run(move |tx| {
        Box::pin(async move {
            let sql = "UPDATE meta SET value = $1 WHERE merchant = $2 AND name = $3";
            tx.change(sql, &[version.into(), "".into(), "schema".into()]).await
        })
    });
    assert_eq!(set.await, Ok(1));
}

async fn another_version_is_refused(books: Books) {
    for found in [VERSION + 1, VERSION - 1] {
        set_version(&books.store, if found > VERSION { "2" } else { "0" }).await;
        let refused = Err(StoreError::Schema { found, needed: VERSION });
        assert_eq!(books.store.check().await, refused);
        assert_eq!(books.store.migrate(NOW).await, refused);
    }
}

async fn a_database_without_a_version_is_refused(books: Books) {
    set_version(&books.store, "one").await;
    assert!(matches!(books.store.check().await, Err(StoreError::Spoilt(_))));
    assert!(matches!(books.store.migrate(NOW).await, Err(StoreError::Spoilt(_))));
}

/// Before its tables are made, a database has schema 0.
async fn several_at_once(books: Books) {
    let empty = Err(StoreError::Schema { found: 0, needed: VERSION });
    assert_eq!(books.store.check().await, empty);
    let mut making = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = books.again();
        making.spawn(async move { store.migrate(NOW).await });
    }
    for made in making.join_all().await {
        assert_eq!(made, Ok(()));
    }
    books.store.check().await.unwrap();
    assert!(begin(&books.store, payment(&key(1))).await.unwrap());
}

#[test]
fn several_make_the_tables_at_once_in_a_file() {
    on_sqlite(|_| several_at_once(Books::in_a_file()));
}

#[test]
fn several_make_the_tables_at_once_in_postgres() {
    for setting in ["", "default_transaction_isolation=serializable"] {
        with_postgres(|base| async move {
            several_at_once(Books::in_a_schema(&base, setting).await).await;
        });
    }
}

#[test]
fn a_database_that_is_not_there_is_said_to_be_so() {
    with_postgres(|base| async move {
        let absent = base.replace("/postgres", "/there_is_none");
        let store = Store::Postgres(Postgres::new(&absent, None, 2, None).unwrap());
        let StoreError::Unreachable(why) = store.check().await.unwrap_err() else { panic!() };
        assert!(why.contains("there_is_none"), "{why}");
    });
}
