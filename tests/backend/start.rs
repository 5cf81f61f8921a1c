//! How it begins, and what it says if it cannot.

use std::process::Output;

use crate::program::Place;
use crate::till::bytes;

/// The exit code, and the sentence without the program's name.
fn said(output: &Output) -> (Option<i32>, String) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    (output.status.code(), text.trim_end().trim_start_matches("paytill-backend: ").to_owned())
}

#[test]
fn a_second_one_on_the_same_file_is_told_so_and_ends_with_4() {
    let place = Place::new();
    let served = place.serve();
    let (code, sentence) = said(&place.run(&[]));
    assert_eq!(code, Some(4));
    assert_eq!(sentence, "another paytill-backend serves on this database file");
    let (code, sentence) = said(&place.run(&["--lang", "zh-CN"]));
    assert_eq!((code, sentence.as_str()), (Some(4), "另一个 paytill-backend 正在使用此数据库文件"));
    // The other commands work beside it.
    assert_eq!(place.run(&["till", "list"]).status.code(), Some(0));
    served.terminate();
    assert_eq!(served.ended(), Some(0));
}

#[test]
fn a_database_of_another_version_is_left_alone_and_ends_with_5() {
    for (version, todo) in [
        (99, "newer than this program's 1: use a newer paytill-backend"),
        (0, "this program needs 1: run `paytill-backend migrate`"),
    ] {
        let place = Place::new();
        assert_eq!(place.run(&["migrate"]).status.code(), Some(0));
        let path = place.folder.path().join("state/backend.sqlite");
        let books = rusqlite::Connection::open(&path).unwrap();
        let set = "UPDATE meta SET value = ?1 WHERE name = 'schema'";
        // Version 0 stands for one that is older than all.
        assert_eq!(
            books.execute(set, [(version - i32::from(version == 0)).to_string()]).unwrap(),
            1
        );
        drop(books);
        for command in [&[][..], &["till", "list"]] {
            let (code, sentence) = said(&place.run(command));
            assert_eq!(code, Some(5), "{sentence}");
            assert!(sentence.ends_with(todo), "{sentence}");
        }
    }
}

#[test]
fn a_wrong_configuration_is_one_sentence_and_ends_with_3() {
    let place = Place::with("[gateway]\nkid = \"simulator\"\n");
    let (code, sentence) = said(&place.run(&[]));
    assert_eq!(code, Some(3));
    assert!(
        sentence.ends_with("[gateway] kid is not a known key; did you mean kind?"),
        "{sentence}"
    );
    let (code, _) = said(&place.run(&["--no-such-option"]));
    assert_eq!(code, Some(2));
}

#[test]
fn a_key_that_others_can_read_is_refused_with_what_to_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let served = place.serve();
    served.terminate();
    assert_eq!(served.ended(), Some(0));
    let key = place.folder.path().join("state/backend.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, sentence) = said(&place.run(&[]));
    assert_eq!(code, Some(3));
    assert!(sentence.ends_with(&format!("chmod 600 {}", key.display())), "{sentence}");
}

#[test]
fn a_new_certificate_is_shown_after_a_hangup_and_a_bad_one_is_not() {
    let (place, other) = (Place::new(), Place::new());
    let (served, theirs) = (place.serve(), other.serve());
    let state = |of: &Place, file: &str| of.folder.path().join("state").join(file);
    let hello = || served.exchange(&bytes("GET", "/v1/hello", "", ""));
    assert_eq!(hello().status, 401);
    for file in ["tls-root.pem", "tls-cert.pem", "tls-key.pem"] {
        std::fs::copy(state(&other, file), state(&place, file)).unwrap();
    }
    // Whoever trusts the new one alone does not trust the old one.
    assert_eq!(hello().status, 0);
    served.signal(rustix::process::Signal::HUP);
    while hello().status == 0 {}
    assert_eq!(hello().status, 401);
    std::fs::write(state(&place, "tls-cert.pem"), "no certificate").unwrap();
    served.signal(rustix::process::Signal::HUP);
    while !place.log().contains("the certificate stays as it was") {}
    assert_eq!(hello().status, 401);
    drop(theirs);
}
