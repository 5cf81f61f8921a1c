//! What is PostgreSQL's own: transactions that are done again, connections that are lost, time-outs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_rustls::TlsAcceptor;

use super::link::{Line, Link};
use super::{
    Books, NOW, Place, begin, key, on_postgres, payment, raw, schema_of_its_own, with_postgres,
};
use crate::store::{Postgres, Store, StoreError};

/// The address of the test's own schema.
fn url(books: &Books) -> &str {
    let Place::Schema { url } = &books.place else { unreachable!() };
    url
}

fn open(url: &str) -> Store {
    Store::Postgres(Postgres::new(url, None, 4, None).unwrap())
}

/// With another setting of its connections.
fn with(url: &str, setting: &str) -> Store {
    open(&format!("{url}%20-c%20{}", setting.replace('=', "%3D")))
}

/// A statement that fails with this state.
fn failing(state: &str) -> &'static str {
    let body = format!("BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{state}'; END");
    Box::leak(format!("DO $${body}$$").into_boxed_str())
}

#[test]
fn a_transaction_that_another_came_in_between_of_is_done_again() {
    on_postgres("", |books| async move {
        for state in ["40001", "40P01", "23505"] {
            let tries = Arc::new(AtomicU32::new(0));
            let (counted, fails) = (Arc::clone(&tries), failing(state));
            let done = books.store.run(move |tx| {
                let is_early = counted.fetch_add(1, Ordering::Relaxed) < 2;
                Box::pin(async move {
                    let sql = if is_early { fails } else { "SELECT 1::BIGINT" };
                    tx.rows(sql, &[]).await.map(|rows| rows.len())
                })
            });
            assert_eq!((done.await, tries.load(Ordering::Relaxed)), (Ok(1), 3), "{state}");
        }
        let fails = failing("40001");
        let Store::Postgres(postgres) = books.store.clone() else { unreachable!() };
        let hasty = postgres.within(Duration::from_secs(1));
        let never =
            hasty.run(move |tx| Box::pin(async move { tx.rows(fails, &[]).await.map(|_| ()) }));
        assert_eq!(never.await, Err(StoreError::Again));
    });
}

/// Lets the commits of new payments fail with this state, so many times.
async fn commits_fail(books: &Books, state: &str, times: u32) {
    let name = format!("s{state}").to_lowercase();
    let sql = format!(
        "CREATE SEQUENCE {name};
         CREATE FUNCTION fail_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('{name}') <= {times} THEN
                 RAISE EXCEPTION 'on purpose' USING ERRCODE = '{state}';
             END IF;
             RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER fail_{name} AFTER INSERT ON payment
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_{name}();"
    );
    raw(url(books)).await.batch_execute(&sql).await.unwrap();
}

#[test]
fn a_commit_that_another_came_in_between_of_is_done_again() {
    on_postgres("", |books| async move {
        commits_fail(&books, "40001", 2).await;
        assert_eq!(begin(&books.store, payment(&key(1))).await, Ok(true));
        commits_fail(&books, "40P01", 2).await;
        assert_eq!(begin(&books.store, payment(&key(2))).await, Ok(true));
        assert_eq!(books.store.story(key(2)).await.unwrap().len(), 1);
    });
}

#[test]
fn a_commit_that_the_server_refuses_is_not_made() {
    on_postgres("", |books| async move {
        commits_fail(&books, "53100", 1).await;
        assert_eq!(begin(&books.store, payment(&key(1))).await, Err(StoreError::Full));
        commits_fail(&books, "22012", 1).await;
        let refused = begin(&books.store, payment(&key(1))).await;
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
        // That is the one state by which a server says that it does not know.
        commits_fail(&books, "40003", 1).await;
        let unknown = begin(&books.store, payment(&key(1))).await;
        assert!(matches!(unknown, Err(StoreError::Unsure(_))), "{unknown:?}");
        assert_eq!(books.store.payment(key(1)).await, Ok(None));
        assert_eq!(begin(&books.store, payment(&key(1))).await, Ok(true));
    });
}

#[test]
fn a_failed_statement_that_is_passed_over_still_fails_the_whole() {
    on_postgres("", |books| async move {
        let fails = failing("22012");
        let done = books.store.run(move |tx| {
            Box::pin(async move {
                let _ = tx.rows(fails, &[]).await;
                Ok(())
            })
        });
        assert!(matches!(done.await, Err(StoreError::Failed(_))));
    });
}

#[test]
fn an_error_quotes_no_row() {
    on_postgres("", |books| async move {
        let done = books.store.run(|tx| {
            Box::pin(async move {
                let sql = "INSERT INTO meta (merchant, name) VALUES ($1, $2)";
                tx.change(sql, &["".into(), "a secret".into()]).await
            })
        });
        let error = done.await.unwrap_err().to_string();
        assert!(error.contains("23502") && !error.contains("a secret"), "{error}");
    });
}

#[test]
fn what_takes_too_long_is_ended_and_nothing_is_written() {
    on_postgres("", |books| async move {
        begin(&books.store, payment(&key(1))).await.unwrap();
        let slow = with(url(&books), "statement_timeout=50");
        let done = slow.run(|tx| {
            Box::pin(async move { tx.rows("SELECT 1::BIGINT FROM pg_sleep(60)", &[]).await })
        });
        assert_eq!(done.await.map(|_| ()), Err(StoreError::Busy));

        let holder = raw(url(&books)).await;
        holder.batch_execute("BEGIN; SELECT 1 FROM payment FOR UPDATE").await.unwrap();
        let patient = with(url(&books), "lock_timeout=50");
        let change = |store: Store| async move {
            store
                .change(key(1), |row| {
                    let row = row.unwrap().clone();
                    crate::store::Change {
                        write: Some(crate::store::Write { row, event: None, outbox: vec![] }),
                        result: (),
                    }
                })
                .await
        };
        assert_eq!(change(patient.clone()).await, Err(StoreError::Busy));
        holder.batch_execute("ROLLBACK").await.unwrap();
        assert_eq!(change(patient).await, Ok(()));

        let idle = with(url(&books), "idle_in_transaction_session_timeout=50");
        let watcher = Arc::new(raw(url(&books)).await);
        let done = idle.run(move |tx| {
            let watcher = Arc::clone(&watcher);
            Box::pin(async move {
                let pid = tx.row("SELECT pg_backend_pid()::BIGINT", &[]).await?.unwrap().int()?;
                let gone = "SELECT 1 FROM pg_stat_activity WHERE pid::BIGINT = $1";
                while !watcher.query(gone, &[&pid]).await.unwrap().is_empty() {}
                tx.rows("SELECT 1::BIGINT", &[]).await
            })
        });
        let ended = done.await.map(|_| ());
        assert!(matches!(ended, Err(StoreError::Busy | StoreError::Unreachable(_))), "{ended:?}");
        assert!(
            idle.payment(key(1)).await.unwrap().is_some(),
            "another connection takes its place"
        );
    });
}

#[test]
fn a_database_that_takes_nothing_says_so() {
    on_postgres("", |books| async move {
        begin(&books.store, payment(&key(1))).await.unwrap();
        let reads = with(url(&books), "default_transaction_read_only=on");
        assert_eq!(begin(&reads, payment(&key(2))).await, Err(StoreError::ReadOnly));
        assert!(reads.payment(key(1)).await.is_ok());
    });
}

#[test]
fn too_many_connections_are_a_failure_and_then_none_any_more() {
    on_postgres("", |books| async move {
        let name = url(&books).split("search_path%3D").nth(1).unwrap().to_owned();
        let sql = format!(
            "CREATE ROLE {name} LOGIN CONNECTION LIMIT 1;
             GRANT USAGE ON SCHEMA {name} TO {name};
             GRANT ALL ON ALL TABLES IN SCHEMA {name} TO {name}"
        );
        raw(url(&books)).await.batch_execute(&sql).await.unwrap();
        let rest = url(&books).split_once('@').unwrap().1;
        let few = format!("postgres://{name}@{rest}");
        let holder = raw(&few).await;
        let store = open(&few);
        let refused = begin(&store, payment(&key(1))).await;
        assert!(matches!(refused, Err(StoreError::Unreachable(_))), "{refused:?}");
        drop(holder);
        let mut begun = begin(&store, payment(&key(1))).await;
        // The server takes its time to notice that the other one has left.
        while begun.is_err() {
            begun = begin(&store, payment(&key(1))).await;
        }
        assert_eq!(begun, Ok(true));
    });
}

#[test]
fn a_lost_link_is_not_written_or_unknown_and_then_all_goes_on() {
    on_postgres("", |books| async move {
        let line = Line::to(url(&books), None).await;
        let store = open(&line.url(url(&books)));
        assert_eq!(begin(&store, payment(&key(1))).await, Ok(true));

        line.becomes(Link::Down);
        let refused = begin(&store, payment(&key(2))).await;
        assert!(matches!(refused, Err(StoreError::Unreachable(_))), "{refused:?}");
        assert_eq!(books.store.payment(key(2)).await, Ok(None));
        line.becomes(Link::Up);
        assert_eq!(begin(&store, payment(&key(2))).await, Ok(true));

        line.becomes(Link::LosesCommit);
        let unknown = begin(&store, payment(&key(3))).await;
        assert!(matches!(unknown, Err(StoreError::Unsure(_))), "{unknown:?}");
        assert_eq!(books.store.payment(key(3)).await, Ok(None));

        line.becomes(Link::LosesAnswer);
        let unknown = begin(&store, payment(&key(4))).await;
        assert!(matches!(unknown, Err(StoreError::Unsure(_))), "{unknown:?}");
        let reading = store.payment(key(1)).await;
        assert!(matches!(reading, Err(StoreError::Unreachable(_))), "{reading:?}");

        line.becomes(Link::Up);
        assert_eq!(begin(&store, payment(&key(4))).await, Ok(false), "it had been written");
        assert_eq!(begin(&store, payment(&key(3))).await, Ok(true));
    });
}

#[test]
fn connections_that_the_server_has_ended_are_replaced_unnoticed() {
    on_postgres("", |books| async move {
        let mut begun = tokio::task::JoinSet::new();
        for number in 1..=20 {
            let store = books.store.clone();
            begun.spawn(async move { begin(&store, payment(&key(number))).await });
        }
        assert!(begun.join_all().await.iter().all(|begun| *begun == Ok(true)));
        let pid = |store: Store| async move {
            let pid = store.run(|tx| {
                Box::pin(async move {
                    tx.row("SELECT pg_backend_pid()::BIGINT", &[]).await?.unwrap().int()
                })
            });
            pid.await.unwrap()
        };
        let killer = raw(url(&books)).await;
        for number in 21..=40 {
            let ended = pid(books.store.clone()).await;
            let sql = "SELECT pg_terminate_backend($1::BIGINT::INT)";
            killer.query(sql, &[&ended]).await.unwrap();
            assert_eq!(begin(&books.store, payment(&key(number))).await, Ok(true));
        }
    });
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    on_postgres("", |books| async move {
        let line = Line::to(url(&books), None).await;
        let patient = Postgres::new(&line.url(url(&books)), None, 1, None).unwrap();
        let store = Store::Postgres(patient.clone());
        begin(&store, payment(&key(1))).await.unwrap();
        line.becomes(Link::Silent);
        let hasty = Store::Postgres(patient.within(Duration::from_millis(50)));
        let ended = begin(&hasty, payment(&key(2))).await;
        assert!(matches!(ended, Err(StoreError::Unreachable(_))), "{ended:?}");
        line.becomes(Link::Up);
        assert_eq!(begin(&store, payment(&key(2))).await, Ok(true), "its connection is not kept");
    });
}

/// A server's certificate for a name, and the root that vouches for it.
fn certificate(name: &str) -> (TlsAcceptor, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let private = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate.pem())
}

#[test]
fn over_a_network_the_server_must_prove_who_it_is() {
    with_postgres(|base| async move {
        let direct = schema_of_its_own(&base, "").await;
        let (tls, root) = certificate("db.example");
        let (_, other_root) = certificate("db.example");
        let line = Line::to(&direct, Some(tls)).await;
        let at = |host: &str, more: &str| {
            let near = line.url(&direct).replace("127.0.0.1", host);
            format!("{near}&hostaddr=127.0.0.1{more}")
        };
        let store = |url: &str, root: &str| {
            Store::Postgres(Postgres::new(url, None, 2, Some(root.as_bytes())).unwrap())
        };
        // Nothing is said about TLS: the host is not this machine.
        store(&at("db.example", ""), &root).migrate(NOW).await.unwrap();
        for more in ["&sslmode=require", "&sslmode=verify-full"] {
            store(&at("db.example", more), &root).check().await.unwrap();
        }
        for (url, root) in [
            (at("db.example", ""), &other_root),
            (at("other.example", ""), &root),
            (at("other.example", "&sslmode=require"), &root),
        ] {
            let refused = store(&url, root).check().await;
            assert!(matches!(refused, Err(StoreError::Unreachable(_))), "{refused:?}");
        }
        // A server without TLS is not spoken to.
        let bare = Line::to(&direct, None).await;
        let url = bare.url(&direct).replace("127.0.0.1", "db.example") + "&hostaddr=127.0.0.1";
        let refused = store(&url, &root).check().await;
        assert!(matches!(refused, Err(StoreError::Unreachable(_))), "{refused:?}");
        // On this machine none is needed.
        open(&bare.url(&direct)).check().await.unwrap();
        assert!(Postgres::new(&url, None, 2, Some(b"no certificate")).is_err());
    });
}
