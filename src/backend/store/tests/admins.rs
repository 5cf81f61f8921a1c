//! Who may see the owner's page, and who is logged in.

use paytill_core::clock::Millis;

use super::{Books, NOW, SHOP, contract};
use crate::store::AdminRow;

contract!(
    somebody_is_added_once_and_removed,
    a_session_lasts_until_it_is_ended,
    whoever_is_removed_is_logged_out_and_cannot_log_in,
    an_old_session_is_dropped,
);

fn admin(name: &str) -> AdminRow {
    AdminRow {
        name: name.to_owned(),
        salt: vec![0, 1, 255],
        hash: vec![2, 0],
        memory: 8,
        passes: 1,
        created_at: NOW,
    }
}

async fn somebody_is_added_once_and_removed(books: Books) {
    let store = &books.store;
    assert!(store.add_admin(SHOP, admin("li")).await.unwrap());
    let other = AdminRow { hash: vec![9], ..admin("li") };
    assert!(!store.add_admin(SHOP, other).await.unwrap(), "there is one of that name");
    assert!(store.add_admin("another", admin("wu")).await.unwrap());
    assert_eq!(store.admin(SHOP, "li").await.unwrap(), Some(admin("li")));
    assert_eq!(store.admin(SHOP, "wu").await.unwrap(), None, "that is another merchant's");
    assert_eq!(store.admins(SHOP).await.unwrap(), [admin("li")]);
    assert!(store.remove_admin(SHOP, "li").await.unwrap());
    assert!(!store.remove_admin(SHOP, "li").await.unwrap());
    assert!(store.admins(SHOP).await.unwrap().is_empty());
}

async fn a_session_lasts_until_it_is_ended(books: Books) {
    let store = &books.store;
    store.add_admin(SHOP, admin("li")).await.unwrap();
    let begun = store.begin_session(SHOP, &[1, 2], &admin("li"), (NOW, NOW)).await;
    assert!(begun.unwrap());
    assert_eq!(store.session("another", &[1, 2]).await.unwrap(), None);
    assert_eq!(store.session(SHOP, &[1]).await.unwrap(), None);
    let later = NOW.after(Millis(5_000));
    store.session_seen(SHOP, &[1, 2], later).await.unwrap();
    let session = store.session(SHOP, &[1, 2]).await.unwrap().unwrap();
    assert_eq!((session.admin.as_str(), session.created_at, session.seen_at), ("li", NOW, later));
    store.end_session(SHOP, &[1, 2]).await.unwrap();
    assert_eq!(store.session(SHOP, &[1, 2]).await.unwrap(), None);
}

async fn whoever_is_removed_is_logged_out_and_cannot_log_in(books: Books) {
    let store = &books.store;
    store.add_admin(SHOP, admin("li")).await.unwrap();
    assert!(store.begin_session(SHOP, &[1], &admin("li"), (NOW, NOW)).await.unwrap());
    store.remove_admin(SHOP, "li").await.unwrap();
    assert_eq!(store.session(SHOP, &[1]).await.unwrap(), None);
    let begun = store.begin_session(SHOP, &[2], &admin("li"), (NOW, NOW)).await.unwrap();
    assert!(!begun, "the password was checked before the removal");
    let renewed = AdminRow { hash: vec![9], ..admin("li") };
    store.add_admin(SHOP, renewed).await.unwrap();
    assert!(!store.begin_session(SHOP, &[2], &admin("li"), (NOW, NOW)).await.unwrap());
}

async fn an_old_session_is_dropped(books: Books) {
    let store = &books.store;
    store.add_admin(SHOP, admin("li")).await.unwrap();
    store.begin_session(SHOP, &[1], &admin("li"), (NOW, NOW)).await.unwrap();
    let later = NOW.after(Millis(5_000));
    store.begin_session(SHOP, &[2], &admin("li"), (later, later)).await.unwrap();
    assert_eq!(store.session(SHOP, &[1]).await.unwrap(), None);
    assert!(store.session(SHOP, &[2]).await.unwrap().is_some());
}
