//! What is SQLite's own: a shared commit, a full disk, a file of two.

use std::sync::mpsc;

use super::{Place, SHOP, begin, key, on_sqlite, payment};
use crate::store::tx::Tx;
use crate::store::{Change, PaymentRow, Store, StoreError, sqlite};

/// A job that the writer is busy with until it is let go.
struct Busy {
    go: mpsc::Sender<()>,
    job: tokio::task::JoinHandle<Result<(), StoreError>>,
}

impl Busy {
    /// Returns once the writer has begun with it, and with a transaction.
    fn of(store: &Store) -> Self {
        let (go, waits) = mpsc::channel::<()>();
        let (begins, began) = mpsc::channel();
        let waits = std::sync::Mutex::new(waits);
        let store = store.clone();
        let job = tokio::spawn(async move {
            store
                .run(move |_| {
                    let _ = begins.send(());
                    let _ = waits.lock().unwrap().recv();
                    Box::pin(async { Ok(()) })
                })
                .await
        });
        tokio::task::block_in_place(|| began.recv()).unwrap();
        Self { go, job }
    }

    async fn end(self) -> Result<(), StoreError> {
        let _ = self.go.send(());
        self.job.await.unwrap()
    }
}

/// Does something with the connection that writes.
async fn with_connection(
    store: &Store,
    does: impl Fn(&mut rusqlite::Connection) -> Result<(), StoreError> + Send + 'static,
) -> Result<(), StoreError> {
    let done = store.run(move |tx| {
        let Tx::Sqlite(connection) = tx else { unreachable!() };
        let result = does(connection);
        Box::pin(async move { result })
    });
    done.await
}

/// Polls each once, so that all wait in the writer's queue.
async fn queued<T: Send + 'static>(
    jobs: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<std::pin::Pin<Box<dyn Future<Output = T> + Send>>> {
    let mut waiting = Vec::new();
    for job in jobs {
        let mut job: std::pin::Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(job);
        let first = std::future::poll_fn(|context| {
            std::task::Poll::Ready(job.as_mut().poll(context).is_pending())
        });
        assert!(first.await);
        waiting.push(job);
    }
    waiting
}

fn begins(store: &Store, number: u32) -> impl Future<Output = Result<bool, StoreError>> + use<> {
    let (store, row) = (store.clone(), payment(&key(number)));
    async move { begin(&store, row).await }
}

#[test]
fn a_commit_that_fails_is_told_to_all_who_share_it() {
    on_sqlite(|books| async move {
        let refuse = with_connection(&books.store, |connection| {
            connection.commit_hook(Some(|| true))?;
            Ok(())
        });
        assert!(refuse.await.is_err());
        let busy = Busy::of(&books.store);
        let waiting = queued((1..=10).map(|number| begins(&books.store, number))).await;
        let error = busy.end().await.unwrap_err();
        for job in waiting {
            assert_eq!(job.await, Err(error.clone()));
        }
        for number in 1..=10 {
            assert_eq!(books.store.payment(key(number)).await, Ok(None));
        }
    });
}

#[test]
fn a_job_that_fails_or_panics_takes_nobody_with_it() {
    on_sqlite(|books| async move {
        let busy = Busy::of(&books.store);
        let panics = {
            let store = books.store.clone();
            async move {
                let decide = |row: Option<&PaymentRow>| -> Change<bool> {
                    Change::none(row.expect("a decision that panics").seen > 0)
                };
                store.change(key(9), decide).await
            }
        };
        let fails = {
            let store = books.store.clone();
            let row = PaymentRow { till: "\0".to_owned(), ..payment(&key(3)) };
            async move { begin(&store, row).await }
        };
        let mut first = queued([begins(&books.store, 1)]).await;
        let mut panics = queued([panics]).await;
        let mut fails = queued([fails]).await;
        let mut last = queued([begins(&books.store, 2)]).await;
        busy.end().await.unwrap();
        assert!(matches!(panics.remove(0).await, Err(StoreError::Failed(_))));
        assert_eq!(fails.remove(0).await, Err(StoreError::Text));
        assert_eq!((first.remove(0).await, last.remove(0).await), (Ok(true), Ok(true)));
        assert!(books.store.payment(key(2)).await.unwrap().is_some());
    });
}

#[test]
fn a_full_disk_is_said_to_be_full_and_once_there_is_room_all_goes_on() {
    on_sqlite(|books| async move {
        begin(&books.store, payment(&key(1))).await.unwrap();
        with_connection(&books.store, |connection| {
            let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            connection.pragma_update_and_check(None, "max_page_count", pages + 4, |_| Ok(()))?;
            Ok(())
        })
        .await
        .unwrap();
        let large = |number| PaymentRow { fingerprint: vec![7; 100_000], ..payment(&key(number)) };
        assert_eq!(begin(&books.store, large(2)).await, Err(StoreError::Full));
        assert_eq!(books.store.payment(key(2)).await, Ok(None));
        let there = books.store.payment(key(1)).await.unwrap();
        assert_eq!(there, Some(payment(&key(1))));
        // Those who share the commit are told what became of theirs, whatever that is.
        let busy = Busy::of(&books.store);
        let small = queued([begins(&books.store, 3)]).await;
        let (store, row) = (books.store.clone(), large(4));
        let full = queued([async move { begin(&store, row).await }]).await;
        let shared = busy.end().await;
        assert!(matches!(shared, Ok(()) | Err(StoreError::Full)), "{shared:?}");
        for job in full {
            assert_eq!(job.await, Err(StoreError::Full));
        }
        for job in small {
            let is_there = books.store.payment(key(3)).await.unwrap().is_some();
            assert_eq!(job.await, if is_there { Ok(true) } else { Err(StoreError::Full) });
        }
        with_connection(&books.store, |connection| {
            let most = 1_000_000;
            connection.pragma_update_and_check(None, "max_page_count", most, |_| Ok(()))?;
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(begin(&books.store, large(5)).await, Ok(true));
    });
}

#[test]
fn whoever_reads_waits_for_nobody_s_commit() {
    on_sqlite(|books| async move {
        begin(&books.store, payment(&key(1))).await.unwrap();
        let busy = Busy::of(&books.store);
        let waiting = queued([begins(&books.store, 2)]).await;
        assert!(books.store.payment(key(1)).await.unwrap().is_some());
        assert_eq!(books.store.payment(key(2)).await, Ok(None), "it is not committed");
        busy.end().await.unwrap();
        for job in waiting {
            assert_eq!(job.await, Ok(true));
        }
        assert!(books.store.payment(key(2)).await.unwrap().is_some());
        let write = books.store.read(|tx| {
            Box::pin(async move {
                let sql = "UPDATE payment SET till = $1 WHERE merchant = $2";
                tx.change(sql, &["T99".into(), SHOP.into()]).await
            })
        });
        assert_eq!(write.await, Err(StoreError::ReadOnly));
    });
}

#[test]
fn two_that_open_one_file_see_each_other_s_commits() {
    on_sqlite(|books| async move {
        let other = books.again();
        begin(&books.store, payment(&key(1))).await.unwrap();
        assert_eq!(begin(&other, payment(&key(1))).await, Ok(false));
        assert_eq!(begin(&other, payment(&key(2))).await, Ok(true));
        assert_eq!(begin(&books.store, payment(&key(2))).await, Ok(false));
    });
}

#[test]
fn one_serves_on_a_file() {
    on_sqlite(|books| async move {
        let Place::File(folder) = &books.place else { unreachable!() };
        let path = folder.path().join("books.sqlite");
        let held = sqlite::hold(&path).unwrap();
        assert_eq!(sqlite::hold(&path).unwrap_err(), StoreError::Held);
        assert!(sqlite::hold(&folder.path().join("other.sqlite")).is_ok());
        drop(held);
        assert!(sqlite::hold(&path).is_ok());
        assert!(sqlite::hold(&folder.path().join("no/such/folder")).is_err());
    });
}

#[test]
fn a_file_that_is_no_database_is_said_to_be_so() {
    on_sqlite(|books| async move {
        let Place::File(folder) = &books.place else { unreachable!() };
        let path = folder.path().join("letter.txt");
        std::fs::write(&path, "Dear customer, ".repeat(100)).unwrap();
        let opened = sqlite::Sqlite::open(&path);
        assert!(matches!(opened.err(), Some(StoreError::Unreachable(_))));
        assert!(sqlite::Sqlite::open(&folder.path().join("no/such/folder")).is_err());
    });
}

#[test]
fn a_flush_that_failed_leaves_it_unknown() {
    let failed = |code| {
        let error = rusqlite::ffi::Error { code, extended_code: 0 };
        StoreError::of_commit_sqlite(rusqlite::Error::SqliteFailure(error, None))
    };
    let flush = failed(rusqlite::ErrorCode::SystemIoFailure);
    assert!(matches!(flush, StoreError::Unsure(_)));
    assert_eq!(failed(rusqlite::ErrorCode::DiskFull), StoreError::Full);
    assert_eq!(failed(rusqlite::ErrorCode::ReadOnly), StoreError::ReadOnly);
    assert_eq!(flush.clone().of_reading(), {
        let StoreError::Unsure(why) = flush else { unreachable!() };
        StoreError::Unreachable(why)
    });
}
