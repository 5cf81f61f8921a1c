//! Who may see the owner's page, and who is logged in.

use paytill_core::clock::{Millis, Timestamp};

use super::{Books, NOW, SHOP, by, contract};
use crate::store::{AdminRow, Login};

contract!(
    somebody_is_added_once_and_removed,
    a_session_lasts_until_it_is_ended,
    whoever_is_removed_is_logged_out_and_cannot_log_in,
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

fn login(digest: &[u8], at: Timestamp) -> Login {
    let (digest, from) = (digest.to_vec(), "192.0.2.1".to_owned());
    Login { admin: admin("li"), digest, at, from, counted: Vec::new() }
}

async fn somebody_is_added_once_and_removed(books: Books) {
    let store = &books.store;
    assert!(store.add_admin(SHOP, admin("li"), by(NOW)).await.unwrap());
    let other = AdminRow { hash: vec![9], ..admin("li") };
    assert!(!store.add_admin(SHOP, other, by(NOW)).await.unwrap(), "there is one of that name");
    assert!(store.add_admin("another", admin("wu"), by(NOW)).await.unwrap());
    assert_eq!(store.admin(SHOP, "li").await.unwrap(), Some(admin("li")));
    assert_eq!(store.admin(SHOP, "wu").await.unwrap(), None, "that is another merchant's");
    assert_eq!(store.admins(SHOP).await.unwrap(), [admin("li")]);
    assert!(store.remove_admin(SHOP, "li", by(NOW)).await.unwrap());
    assert!(!store.remove_admin(SHOP, "li", by(NOW)).await.unwrap());
    assert!(store.admins(SHOP).await.unwrap().is_empty());
}

async fn a_session_lasts_until_it_is_ended(books: Books) {
    let store = &books.store;
    store.add_admin(SHOP, admin("li"), by(NOW)).await.unwrap();
    let begun = store.begin_session(SHOP, login(&[1, 2], NOW)).await;
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
    store.add_admin(SHOP, admin("li"), by(NOW)).await.unwrap();
    assert!(store.begin_session(SHOP, login(&[1], NOW)).await.unwrap());
    store.remove_admin(SHOP, "li", by(NOW)).await.unwrap();
    assert_eq!(store.session(SHOP, &[1]).await.unwrap(), None);
    let begun = store.begin_session(SHOP, login(&[2], NOW)).await.unwrap();
    assert!(!begun, "the password was checked before the removal");
    let renewed = AdminRow { hash: vec![9], ..admin("li") };
    store.add_admin(SHOP, renewed, by(NOW)).await.unwrap();
    assert!(!store.begin_session(SHOP, login(&[2], NOW)).await.unwrap());
}
