use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use proptest::prelude::*;

use super::*;

/// Cheap, and made alike otherwise.
const CHEAP: Cost = Cost { memory: 8, passes: 1 };

fn pin(digits: &str) -> Pin {
    Pin::choose(digits).unwrap()
}

fn somebody(name: &str, role: Role) -> Operator {
    Operator { name: name.to_owned(), role }
}

fn shop() -> Operators {
    let mut all = Operators::default();
    all.add(somebody("王芳", Role::Manager), &pin("8352"), CHEAP).unwrap();
    all.add(somebody("Anna", Role::Cashier), &pin("194703"), CHEAP).unwrap();
    all.add(somebody("Ben", Role::Cashier), &pin("7071"), CHEAP).unwrap();
    all
}

#[test]
fn a_pin_alone_says_who_somebody_is() {
    let all = shop();
    for (digits, name) in [("8352", "王芳"), ("194703", "Anna"), ("７０７１", "Ben")] {
        assert_eq!(all.who(&Pin::read(digits).unwrap()).unwrap().name, name);
    }
    for wrong in ["8353", "83520", "1947", "0000"] {
        assert_eq!(all.who(&Pin::read(wrong).unwrap()), None);
    }
    assert_eq!(Operators::default().who(&pin("8352")), None);
}

#[test]
fn names_and_pins_belong_to_one_person() {
    let mut all = shop();
    let mut add = |name: &str, digits: &str| {
        all.add(somebody(name, Role::Cashier), &pin(digits), CHEAP).unwrap_err()
    };
    assert!(matches!(add("ANNA", "5521"), OperatorsError::NameTaken(name) if name == "Anna"));
    assert!(matches!(add("Carl", "8352"), OperatorsError::PinTaken));
    assert_eq!(all.iter().count(), 3);
}

#[test]
fn there_is_always_somebody_who_may_do_everything() {
    let mut all = Operators::default();
    let first = all.add(somebody("Anna", Role::Cashier), &pin("8352"), CHEAP);
    assert!(matches!(first, Err(OperatorsError::ManagerFirst)));
    let mut all = shop();
    assert!(matches!(all.remove("王芳"), Err(OperatorsError::LastManager(_))));
    assert!(matches!(all.remove("nobody"), Err(OperatorsError::Unknown(_))));
    assert_eq!(all.iter().next().unwrap().name, "王芳", "she is where she was");
    assert_eq!(all.remove("ANNA").unwrap().name, "Anna");
    all.remove("Ben").unwrap();
    all.remove("王芳").unwrap();
    assert!(all.is_empty());
}

#[test]
fn a_till_has_so_many_people_and_no_more() {
    let mut all = Operators::default();
    for number in 0..MOST {
        let operator = somebody(&format!("No. {number}"), Role::Manager);
        all.add(operator, &pin(&format!("83{number:04}7")), CHEAP).unwrap();
    }
    let more = all.add(somebody("more", Role::Manager), &pin("8352"), CHEAP);
    assert!(matches!(more, Err(OperatorsError::TooMany)));
}

#[test]
fn names_are_clean_and_short() {
    assert_eq!(name("  王芳 ").as_deref(), Some("王芳"));
    for none in ["", "  ", "An\u{1b}na", "An\u{202e}na", "a name that is far too long for a till"] {
        assert_eq!(name(none), None, "{none:?}");
    }
}

#[test]
fn a_pin_is_some_digits_and_not_what_anybody_would_try() {
    for (typed, why) in [
        ("", NotAPin::Length),
        ("123", NotAPin::Length),
        ("1938475610293", NotAPin::Length),
        ("12a4", NotAPin::NotDigits),
        ("83 52", NotAPin::NotDigits),
        ("-8352", NotAPin::NotDigits),
    ] {
        assert_eq!(Pin::read(typed), Err(why), "{typed}");
    }
    for obvious in [
        "0000",
        "1234",
        "4321",
        "6789",
        "7890",
        "2468",
        "123456",
        "1212",
        "520520",
        "888888",
        "2580",
        "1314",
        "5201314",
        "１２３４",
    ] {
        assert!(Pin::read(obvious).is_ok());
        assert_eq!(Pin::choose(obvious), Err(NotAPin::Obvious), "{obvious}");
    }
    for good in ["8352", "202617", "112358132134"] {
        assert!(Pin::choose(good).is_ok(), "{good}");
    }
    assert_eq!(format!("{:?}", pin("8352")), "Pin(..)");
}

#[test]
fn the_file_is_whole_and_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder.path().join("till/journal.sqlite"));
    assert!(Operators::read(&path).unwrap().is_empty());
    shop().write(&path).unwrap();
    let facts = path.metadata().unwrap();
    assert_eq!(facts.mode() & 0o777, 0o600);
    assert_eq!(path.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
    let read = Operators::read(&path).unwrap();
    assert!(read.iter().eq(shop().iter()));
    assert_eq!(read.who(&pin("7071")).unwrap().name, "Ben");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("$argon2id$v=19$m=8,t=1,p=1$").count(), 3, "{text}");
    for digits in ["8352", "194703", "7071"] {
        assert!(!text.contains(digits) || text.contains(&format!("{digits}=")), "{text}");
    }

    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(Operators::read(&path), Err(OperatorsError::Unsafe(_))), "{mode:o}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let link = folder.path().join("operators.toml");
    symlink(&path, &link).unwrap();
    assert!(matches!(Operators::read(&link), Err(OperatorsError::Unsafe(_))));
    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o770)).unwrap();
    assert!(matches!(Operators::read(&path), Err(OperatorsError::Unsafe(_))));
}

#[test]
fn an_empty_file_is_not_a_list_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder.path().join("journal.sqlite"));
    for text in ["", HEAD, "\n"] {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let read = Operators::read(&path);
        assert!(matches!(read, Err(OperatorsError::Broken(_))), "{text:?}: {read:?}");
    }
    fs::remove_file(&path).unwrap();
    Operators::change(&path, |_| Ok(())).unwrap();
    assert!(Operators::read(&path).unwrap().is_empty(), "{}", fs::read_to_string(&path).unwrap());
}

#[test]
fn of_changes_at_once_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder.path().join("till/journal.sqlite"));
    let add = |number: usize| {
        let operator = somebody(&format!("No. {number}"), Role::Manager);
        Operators::change(&path, |all| all.add(operator, &pin(&format!("83{number:04}7")), CHEAP))
    };
    std::thread::scope(|scope| {
        for half in 0..4 {
            scope.spawn(move || (0..8).for_each(|number| add(half * 8 + number).unwrap()));
        }
    });
    assert_eq!(Operators::read(&path).unwrap().iter().count(), 32);
    let refused = Operators::change(&path, |all| {
        all.remove("No. 1")?;
        all.remove("nobody")
    });
    assert!(matches!(refused, Err(OperatorsError::Unknown(_))));
    assert_eq!(Operators::read(&path).unwrap().iter().count(), 32, "nothing was changed");
}

#[test]
fn a_file_that_is_odd_in_any_part_is_refused() {
    let good = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        shop().write(&path).unwrap();
        fs::read_to_string(&path).unwrap()
    };
    assert!(Operators::parse(&good).is_some());
    for (from, to) in [
        ("\"Anna\"", "\"Ben\""),
        ("\"Anna\"", "\"An\\u001bna\""),
        ("\"cashier\"", "\"owner\""),
        ("$argon2id$", "$argon2i$"),
        ("m=8,", "m=99999999,"),
        ("m=8,", "m=08,"),
        ("p=1", "p=2"),
        ("t=1", "t=0"),
        ("name", "nom"),
    ] {
        assert!(Operators::parse(&good.replace(from, to)).is_none(), "{from} {to}");
    }
}

#[test]
fn the_usual_cost_is_one_that_argon_takes() {
    let mut all = Operators::default();
    all.add(somebody("Anna", Role::Manager), &pin("8352"), Cost::USUAL).unwrap();
    assert!(all.who(&pin("8352")).is_some() && all.who(&pin("8351")).is_none());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", digits in "[0-9０-９]{0,14}") {
        let _ = Operators::parse(&text);
        let _ = Hash::parse(&format!("$argon2id$v=19${text}"));
        let read = Pin::read(&digits);
        prop_assert_eq!(read.is_ok(), (4..=12).contains(&digits.chars().count()));
    }
}
