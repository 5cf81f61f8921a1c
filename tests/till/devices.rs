//! `paytill devices` as scripts and people call it. What is plugged into this machine is unknown,
//! so the lists themselves are tested on simulated trees (`src/till/device/tests`) and in the lab.

use crate::fixture::tui_session::TuiSession;
use crate::fixture::{PACE, Ran, TestShop};

const BROKEN: &str =
    "[[scanner]]\nvendor = \"zzzz\"\nproduct = \"0b87\"\nkind = \"serial\"\nserial = \"1\"\n";

fn shop() -> TestShop {
    TestShop::open(None, PACE)
}

#[test]
fn what_is_plugged_in_is_one_object_a_line() {
    let ran = Ran::of(shop().command(&["devices", "--json"]).output().unwrap());
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
    for device in ran.lines {
        for key in ["node", "kind", "role", "permitted"] {
            assert!(!device[key].is_null(), "{device}");
        }
    }
}

#[test]
fn an_invalid_file_of_learned_scanners_is_reported_and_stops_nothing() {
    let shop = shop();
    std::fs::write(shop.path().join("devices.toml"), BROKEN).unwrap();
    let ran = Ran::of(shop.command(&["devices", "--json"]).output().unwrap());
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.errors.contains("zzzz is not four hexadecimal digits"), "{ran:?}");
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "Scanner keyboard"]);
}

#[test]
fn nothing_is_learned_while_a_till_is_open() {
    let shop = shop();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount."]);
    let ran = Ran::of(shop.command(&["devices", "--learn"]).output().unwrap());
    assert_eq!(ran.exit, 4, "{ran:?}");
    assert!(ran.errors.contains("close it first"), "{ran:?}");
}
