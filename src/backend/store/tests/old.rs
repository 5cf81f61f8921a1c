//! Attempts are counted by all instances together, and what is old goes.

use paytill_core::clock::{Millis, Timestamp};
use tokio::task::JoinSet;

use super::{Books, NOW, SHOP, by, contract};
use crate::store::{
    ATTEMPTS_SPAN, AdminRow, Counted, EnrolmentRow, LONGEST_SESSION, Login, NoticeRow,
};

contract!(
    the_sixth_attempt_waits_until_the_first_is_old_whichever_instance_is_asked,
    the_right_password_ends_the_count,
    what_is_old_goes_and_what_is_not_stays,
);

fn counted(name: &str) -> Vec<Counted> {
    vec![("login from a".to_owned(), 7), (format!("login from a as {name}"), 5)]
}

async fn the_sixth_attempt_waits_until_the_first_is_old_whichever_instance_is_asked(books: Books) {
    let (here, there) = (&books.store, books.again());
    for store in [here, &there, here, &there, here] {
        assert_eq!(store.attempt(SHOP, &counted("li"), NOW).await.unwrap(), Ok(()));
    }
    assert_eq!(there.attempt(SHOP, &counted("li"), NOW).await.unwrap(), Err(ATTEMPTS_SPAN));
    let later = NOW.after(Millis::seconds(60));
    let left = ATTEMPTS_SPAN.minus(Millis::seconds(60));
    assert_eq!(here.attempt(SHOP, &counted("li"), later).await.unwrap(), Err(left));
    assert_eq!(here.attempt("another", &counted("li"), later).await.unwrap(), Ok(()));
    for name in ["wu", "xu"] {
        assert_eq!(here.attempt(SHOP, &counted(name), later).await.unwrap(), Ok(()), "{name}");
    }
    // Seven from that address.
    assert_eq!(here.attempt(SHOP, &counted("yu"), later).await.unwrap(), Err(left));
    let again = NOW.after(ATTEMPTS_SPAN);
    assert_eq!(here.attempt(SHOP, &counted("li"), again).await.unwrap(), Ok(()));
    // Nor does a clock that was wrong shut anybody out.
    assert_eq!(here.attempt(SHOP, &counted("li"), Timestamp(5)).await.unwrap(), Ok(()));
}

fn admin() -> AdminRow {
    AdminRow {
        name: "li".to_owned(),
        salt: vec![1],
        hash: vec![2],
        memory: 8,
        passes: 1,
        created_at: NOW,
    }
}

fn login(digest: u8, at: Timestamp) -> Login {
    let from = "a".to_owned();
    Login { admin: admin(), digest: vec![digest], at, from, counted: counted("li") }
}

async fn the_right_password_ends_the_count(books: Books) {
    let store = &books.store;
    store.add_admin(SHOP, admin(), by(NOW)).await.unwrap();
    for count in 0..20 {
        assert_eq!(store.attempt(SHOP, &counted("li"), NOW).await.unwrap(), Ok(()));
        assert!(store.begin_session(SHOP, login(count, NOW)).await.unwrap());
    }
    // Mistakes with other names still count.
    for name in 0..7 {
        let counted = counted(&name.to_string());
        assert_eq!(store.attempt(SHOP, &counted, NOW).await.unwrap(), Ok(()));
    }
    assert!(store.attempt(SHOP, &counted("li"), NOW).await.unwrap().is_err());
}

async fn what_is_old_goes_and_what_is_not_stays(books: Books) {
    let store = &books.store;
    let days = |days: u64| NOW.after(Millis::seconds(days * 86_400));
    let mut keeping = JoinSet::new();
    for (count, at) in (0..700).map(|count| (count, NOW)).chain([(700, days(1))]) {
        let store = store.clone();
        let row = NoticeRow {
            merchant: SHOP.to_owned(),
            id: format!("notice {count}"),
            received_at: at,
            headers: Vec::new(),
            body: Vec::new(),
            out_trade_no: None,
        };
        keeping.spawn(async move {
            let judged = |_: &_| crate::store::Judged::<()> {
                verdict: crate::store::Verdict::Unknown,
                step: None,
            };
            store.noticed(row, judged).await.unwrap();
        });
    }
    keeping.join_all().await;
    store.add_admin(SHOP, admin(), by(NOW)).await.unwrap();
    store.begin_session(SHOP, login(1, NOW)).await.unwrap();
    store.begin_session(SHOP, login(2, days(1))).await.unwrap();
    store.attempt(SHOP, &counted("li"), NOW).await.unwrap().unwrap();
    let rights = paytill_core::gateway::backend::message::Rights {
        charge: true,
        qr: true,
        refund_up_to: 0,
        refund_per_day: 0,
    };
    let code = EnrolmentRow {
        code: "c".to_owned(),
        kept: vec![1],
        till: "T01".to_owned(),
        expires_at: NOW.after(Millis(1)),
    };
    store.add_till(SHOP, "S001", rights, code, by(NOW)).await.unwrap();

    assert_eq!(store.drop_old(SHOP, NOW).await, Ok(0));
    let later = NOW.after(LONGEST_SESSION).after(Millis(2));
    // A session, a code, and two counts.
    assert_eq!(store.drop_old(SHOP, later).await, Ok(4));
    assert_eq!(store.session(SHOP, &[1]).await.unwrap(), None);
    assert!(store.session(SHOP, &[2]).await.unwrap().is_some());
    assert_eq!(store.drop_old(SHOP, days(180)).await, Ok(1), "the other session");
    assert_eq!(store.drop_old("another", days(999)).await, Ok(0));
    let half_a_day = Millis::seconds(43_200);
    assert_eq!(store.drop_old(SHOP, days(180).after(half_a_day)).await, Ok(700));
    let left = store.notices(SHOP, 9).await.unwrap();
    assert_eq!(left.iter().map(|notice| notice.id.as_str()).collect::<Vec<_>>(), ["notice 700"]);
}
