//! What people did is chained, whoever writes it, and no change of it goes unnoticed.

use paytill_core::gateway::backend::message::Rights;
use tokio::task::JoinSet;

use super::{Books, NOW, Place, SHOP, by, contract, raw};
use crate::store::{Action, AuditRow, EnrolmentRow, StoreError, Verified};

contract!(
    each_act_is_noted_with_who_and_when,
    an_act_that_did_nothing_is_not_noted,
    two_instances_at_once_make_one_chain,
    every_change_breaks_the_chain_at_its_place,
    of_very_many_failed_logins_some_are_noted,
);

async fn all(books: &Books) -> (Vec<AuditRow>, Verified) {
    let mut rows = Vec::new();
    let verified = books.store.verify_audit(SHOP, |row| rows.push(row.clone())).await.unwrap();
    (rows, verified)
}

/// Of a busy database nothing is asked in vain: what it refuses was not written.
async fn until_written<F>(write: impl Fn() -> F)
where
    F: Future<Output = Result<(), StoreError>>,
{
    loop {
        match write().await {
            Ok(()) => return,
            Err(StoreError::Busy | StoreError::Again) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn add_till(books: &Books, till: &str) {
    let rights = Rights { charge: true, qr: true, refund_up_to: 5, refund_per_day: 6 };
    let code = EnrolmentRow {
        code: format!("code of {till}"),
        kept: vec![1],
        till: till.to_owned(),
        expires_at: NOW,
    };
    books.store.add_till(SHOP, "S001", rights, code, by(NOW)).await.unwrap();
}

async fn each_act_is_noted_with_who_and_when(books: Books) {
    assert_eq!(all(&books).await.0, []);
    add_till(&books, "T01").await;
    assert!(books.store.revoke(SHOP, "T01", by(NOW)).await.unwrap());
    books.store.login_failed(SHOP, by(NOW), "li").await.unwrap();
    let (rows, verified) = all(&books).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.position, row.who.as_str(), row.action.as_str(), row.subject.as_str()))
        .collect();
    let who = "command:0@here";
    assert_eq!(
        told,
        [
            (1, who, "till.add", "T01"),
            (2, who, "till.revoke", "T01"),
            (3, who, "login.failed", "li")
        ]
    );
    assert_eq!(rows[0].detail, "store=S001 charge=true qr=true refund_up_to=5 refund_per_day=6");
    assert_eq!(verified, Verified::Whole(rows[2].head()));
    assert_eq!(books.store.audit_head(SHOP).await.unwrap(), Some(rows[2].head()));
    let newest = books.store.newest_audit(SHOP, 2).await.unwrap();
    assert_eq!(newest.iter().map(|row| row.position).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(books.store.newest_audit("another", 9).await.unwrap(), []);
}

async fn an_act_that_did_nothing_is_not_noted(books: Books) {
    assert!(!books.store.revoke(SHOP, "T01", by(NOW)).await.unwrap());
    assert!(!books.store.resend(SHOP, ("payment.paid", "x"), by(NOW)).await.unwrap());
    assert!(!books.store.remove_admin(SHOP, "li", by(NOW)).await.unwrap());
    let (rows, verified) = all(&books).await;
    assert!(rows.is_empty() && matches!(verified, Verified::Whole(_)));
    // What is undone takes its note with it.
    let spoilt = books.store.note(SHOP, by(NOW), Action::Recovered, ("\0", "")).await;
    assert_eq!(spoilt, Err(StoreError::Text));
    assert!(all(&books).await.0.is_empty());
}

async fn two_instances_at_once_make_one_chain(books: Books) {
    let stores = [books.store.clone(), books.again()];
    let mut writing = JoinSet::new();
    for (count, store) in stores.into_iter().cycle().take(24).enumerate() {
        writing.spawn(async move {
            let subject = count.to_string();
            let note = || store.note(SHOP, by(NOW), Action::Recovered, (&subject, ""));
            until_written(note).await;
        });
    }
    writing.join_all().await;
    let (rows, verified) = all(&books).await;
    assert_eq!(
        rows.iter().map(|row| row.position).collect::<Vec<_>>(),
        (1..=24).collect::<Vec<_>>()
    );
    assert_eq!(verified, Verified::Whole(rows[23].head()));
    let mut subjects: Vec<usize> = rows.iter().map(|row| row.subject.parse().unwrap()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, (0..24).collect::<Vec<_>>());
}

/// Changes the books behind the program's back.
async fn behind(books: &Books, sql: &str) {
    match &books.place {
        Place::File(folder) => {
            let file = folder.path().join("books.sqlite");
            rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
        }
        Place::Schema { url } => raw(url).await.batch_execute(sql).await.unwrap(),
    }
}

async fn every_change_breaks_the_chain_at_its_place(books: Books) {
    for count in 1..=5 {
        let subject = format!("T0{count}");
        books.store.note(SHOP, by(NOW), Action::TillRevoked, (&subject, "")).await.unwrap();
    }
    let of = |position| format!("WHERE merchant = '{SHOP}' AND position = {position}");
    for (change, back, place) in [
        (
            format!("UPDATE audit SET who = 'admin:wu' {}", of(3)),
            format!("UPDATE audit SET who = 'command:0@here' {}", of(3)),
            3,
        ),
        (
            format!("UPDATE audit SET subject = 'T0', detail = '1' {}", of(1)),
            format!("UPDATE audit SET subject = 'T01', detail = '' {}", of(1)),
            1,
        ),
        (
            format!("UPDATE audit SET at = at - 1 {}", of(5)),
            format!("UPDATE audit SET at = at + 1 {}", of(5)),
            5,
        ),
        (
            format!("UPDATE audit SET position = 9 {}", of(2)),
            format!("UPDATE audit SET position = 2 {}", of(9)),
            2,
        ),
        (
            // The newest entry is gone.
            format!("UPDATE audit SET merchant = 'another' {}", of(5)),
            format!("UPDATE audit SET merchant = '{SHOP}' WHERE position = 5"),
            5,
        ),
    ] {
        behind(&books, &change).await;
        assert_eq!(all(&books).await.1, Verified::Broken(place), "{change}");
        behind(&books, &back).await;
        assert!(matches!(all(&books).await.1, Verified::Whole(_)), "{back}");
    }
    behind(&books, &format!("DELETE FROM audit {}", of(5))).await;
    // What comes afterwards does not hide it.
    books.store.note(SHOP, by(NOW), Action::Recovered, ("", "")).await.unwrap();
    assert_eq!(all(&books).await.1, Verified::Broken(5));
}

async fn of_very_many_failed_logins_some_are_noted(books: Books) {
    let mut writing = JoinSet::new();
    for _ in 0..70 {
        let store = books.store.clone();
        writing.spawn(async move {
            until_written(|| store.login_failed(SHOP, by(NOW), "li")).await;
        });
    }
    writing.join_all().await;
    assert_eq!(all(&books).await.0.len(), 50);
    let later = NOW.after(crate::store::ATTEMPTS_SPAN);
    books.store.login_failed(SHOP, by(later), "li").await.unwrap();
    assert_eq!(all(&books).await.0.len(), 51);
}
