use encoding_rs::GB18030;
use proptest::prelude::*;

use super::code::{NotACode, canonical, from_upc_e, has_check_digit, meanings};
use super::find::Sought;
use super::label::{NotAPattern, Pattern};
use super::table::{LineFault, MOST_FAULTS, NotATable, Wrong, read};
use super::*;
use crate::money::{Currency, NotAnAmount};

fn good(code: &str, name: &str) -> Good {
    let price = Money::from_minor(350);
    Good { code: code.into(), name: name.into(), unit: String::new(), price, rate: Rate::default() }
}

fn table(text: &str) -> Result<Vec<Good>, NotATable> {
    read(text.as_bytes(), Currency::CNY)
}

fn faults(rows: &str) -> Vec<(usize, Wrong)> {
    match table(&format!("code,name,price,tax,unit\n{rows}")) {
        Err(NotATable::Lines(faults, _)) => {
            faults.into_iter().map(|LineFault { line, what }| (line, what)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_is_one_whatever_a_scanner_or_a_spreadsheet_makes_of_it() {
    for (text, code) in [
        ("6901234567892", "6901234567892"),
        ("06901234567892", "6901234567892"),
        (" 96385074 ", "96385074"),
        ("036000291452", "0036000291452"),
        ("0036000291452", "0036000291452"),
        ("00036000291452", "0036000291452"),
        ("36000291452", "0036000291452"), // its zero was dropped
        ("04252614", "0042100005264"),    // UPC-E
        ("16901234567899", "16901234567899"),
        ("0000096385074", "96385074"),
        ("1024", "1024"),
        ("007", "007"),
        ("a-1.b/2_c", "A-1.B/2_C"),
    ] {
        assert_eq!(canonical(text), Ok(code.to_owned()), "{text}");
    }
    for (text, why) in [
        ("", NotACode::Empty),
        ("6901234567893", NotACode::CheckDigit),
        ("690123456789", NotACode::CheckDigit),
        ("96385075", NotACode::CheckDigit),
        ("6.90123E+12", NotACode::Rounded),
        ("134567890123456789", NotACode::TooManyDigits),
        ("123456789012345", NotACode::TooManyDigits),
        ("A 1", NotACode::Character(' ')),
        ("可乐", NotACode::Character('可')),
        ("ABCDEFGHIJKLMNOPQRSTU", NotACode::TooLong),
    ] {
        assert_eq!(canonical(text), Err(why), "{text}");
    }
}

/// With its check digit.
fn checked(digits: &str) -> String {
    (0..10).map(|check| format!("{digits}{check}")).find(|code| has_check_digit(code)).unwrap()
}

#[test]
fn a_short_upc_is_the_long_one() {
    assert_eq!(from_upc_e("04252614").as_deref(), Some("042100005264"));
    for (body, long) in [
        ("0123450", "01200000345"),
        ("0123451", "01210000345"),
        ("1123452", "11220000345"),
        ("0123453", "01230000045"),
        ("0123454", "01234000005"),
        ("0123455", "01234500005"),
        ("0123459", "01234500009"),
    ] {
        let long = checked(long);
        let short = format!("{body}{}", &long[11..]);
        assert_eq!(from_upc_e(&short), Some(long), "{short}");
    }
    assert_eq!(from_upc_e("04252615"), None);
    assert_eq!(from_upc_e("24252614"), None);
    assert_eq!(meanings("04252614"), ["0042100005264"]);
    assert_eq!(meanings("6901234567892"), ["6901234567892"]);
    assert_eq!(meanings("134567890123456789"), [""; 0]);
}

#[test]
fn a_label_holds_a_weight_or_a_sum() {
    let label = |pattern: &str, digits: &str| Pattern::read(pattern).unwrap().label(digits);
    let sum = label("22CCCCCPPPPPK", &checked("220012301029")).unwrap();
    assert_eq!(
        (sum.number.as_str(), sum.sum, sum.weight),
        ("00123", Some(Money::from_minor(1029)), None)
    );
    assert_eq!(sum.codes(), ["00123", "123"]);
    let line = sum.line(good("123", "苹果"));
    assert_eq!((line.price.minor(), line.quantity, line.label), (1029, Quantity::ONE, None));

    let weight = label("21CCCCCWWWWWK", &checked("210012300345")).unwrap();
    assert_eq!(weight.weight, Quantity::from_thousandths(345));
    let line = weight.line(good("123", "苹果"));
    assert_eq!((line.price.minor(), line.quantity.show()), (350, "0.345".into()));

    let both = label("20CCCCCWWWWWPPPPPK", &checked("20001230034501029")).unwrap();
    let line = both.line(good("123", "苹果"));
    assert_eq!((line.price.minor(), line.quantity.show()), (350, "0.345".into()));
    assert_eq!(line.label, Some(Money::from_minor(1029)));

    let pattern = "22CCCCCPPPPPK";
    let wrong = checked("220012301029").replace("1029", "1028");
    let others = [wrong, checked("210012301029"), checked("220012300000"), checked("2200123010")];
    for other in others.iter().map(String::as_str).chain([""]) {
        assert_eq!(label(pattern, other), None, "{other}");
    }
    for (text, why) in [
        ("22CCCCCPPPPK", NotAPattern::Length),
        ("22CCCCCPPPPPZ", NotAPattern::Character('Z')),
        ("69CCCCCPPPPPK", NotAPattern::Prefix),
        ("2CCCCCCPPPPPK", NotAPattern::Prefix),
        ("28CCCCCWWWWWPPPPPK", NotAPattern::Prefix),
        ("22CCCCCXXXXXK", NotAPattern::Incomplete),
        ("22XXXXXPPPPPK", NotAPattern::Incomplete),
        ("22CCPPPPPCCCK", NotAPattern::Torn),
        ("22KCCCCCPPPPP", NotAPattern::Torn),
    ] {
        assert_eq!(Pattern::read(text), Err(why), "{text}");
    }
}

#[test]
fn a_table_is_read_in_either_language_and_encoding() {
    let chinese = "条码,名称,售价,税率,单位,库存\r\n6901234567892,\"可乐, 冰\",3.50,13%,瓶,7\r\n\r\n1024,苹果,￥12.8,9,千克,\r\n";
    let (gb18030, ..) = GB18030.encode(chinese);
    let expected = table(chinese).unwrap();
    assert_eq!(expected.len(), 2);
    assert_eq!(expected[0].name, "苹果");
    assert_eq!((expected[1].name.as_str(), expected[1].price.minor()), ("可乐, 冰", 350));
    assert_eq!((expected[1].rate.hundredths(), expected[1].unit.as_str()), (1300, "瓶"));
    assert_eq!(read(&gb18030, Currency::CNY).as_ref(), Ok(&expected));
    assert_eq!(table(&format!("\u{feff}{chinese}")).as_ref(), Ok(&expected));
    let tabs = "Code\tName\tUnit_Price\n1\ta \"b\" c\t0\n";
    assert_eq!(table(tabs).unwrap()[0].name, "a \"b\" c");
    let quoted =
        "\"price\",\"name\",\"code\"\n\"1.5\",\"two\nlines \"\"and\"\" more\",\"'036000291452\"";
    assert_eq!(table(quoted).unwrap()[0].name, "two lines \"and\" more");
}

#[test]
fn every_bad_line_is_named_with_its_reason() {
    let rows = "6901234567892,可乐,3.50,13,\n\
                6901234567892,again,3.50,,\n\
                6901234567893,typo,1,,\n\
                1,,1,,\n\
                2,negative,-1,,\n\
                3,no price,,,\n\
                4,price,1.234,,\n\
                5,\"a, b, \"c,1,,\n\
                6,a, b,1,,\n\
                7,rate,1,130,\n\
                8,unit,1,,seven long units\n\
                9,\"never closed,1\n10,x,1\n";
    let found = faults(rows);
    let expected = vec![
        (3, Wrong::Doubled("6901234567892".into(), 2)),
        (4, Wrong::Code("6901234567893".into(), NotACode::CheckDigit)),
        (5, Wrong::NoName),
        (6, Wrong::Negative("-1".into())),
        (7, Wrong::NoPrice),
        (8, Wrong::Price("1.234".into(), NotAnAmount::TooManyDecimals(2))),
        (9, Wrong::BehindQuote),
        (10, Wrong::Price("b".into(), NotAnAmount::Stray('b'))),
        (11, Wrong::Rate("130".into())),
        (12, Wrong::LongUnit("seven long units".into())),
        (13, Wrong::Unclosed),
    ];
    assert_eq!(found, expected);
    let long = format!("1,{},1\n", "长".repeat(NAME_CELLS));
    assert!(matches!(&faults(&long)[..], [(2, Wrong::LongName(_))]));
    assert_eq!(faults("1,a,1,13,kg,x\n"), [(2, Wrong::Columns { found: 6, expected: 5 })]);
    match table(&format!("code,name,price\n{}", "x y,a,1\n".repeat(100))) {
        Err(NotATable::Lines(faults, 100)) => assert_eq!(faults.len(), MOST_FAULTS),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_table_is_said_to_be_so() {
    assert_eq!(table(" \r\n"), Err(NotATable::Empty));
    assert_eq!(table("code,name,price\n"), Err(NotATable::NoGoods));
    assert!(
        matches!(table("name,price\na,1"), Err(NotATable::MissingColumn(names)) if names[0] == "code")
    );
    assert!(
        matches!(table("code;name\na;1"), Err(NotATable::MissingColumn(names)) if names[0] == "price")
    );
    assert_eq!(
        table("code,name,price,售价\n1,a,1,2"),
        Err(NotATable::DoubledColumn("售价".into()))
    );
    for (bytes, why) in [
        (&b"PK\x03\x04..."[..], NotATable::Workbook),
        (b"\xff\xfec\0o\0", NotATable::Workbook),
        (b"code,name\x81\x20", NotATable::Encoding),
        (b"code,na\0me", NotATable::Encoding),
        (b"", NotATable::Empty),
    ] {
        assert_eq!(read(bytes, Currency::CNY), Err(why));
    }
}

#[test]
fn a_name_is_found_by_the_initials_of_its_syllables() {
    for (name, wanted) in [
        ("可口可乐", "kkkl"),
        ("农夫山泉550ml", "nfsq550ml"),
        ("康师傅红烧牛肉面", "ksfhsnrm"),
        ("Wahaha 矿泉水", "wahahakqs"),
        ("茄子", "jz"),
        ("重庆火锅底料", "cqhgdl"),
        ("猕猴桃", "mht"),
        ("榴莲", "ll"),
        ("馄饨", "t"),
        ("安", "a"),
        ("座", "z"),
    ] {
        let found = initials(name);
        assert!(found.iter().any(|initials| initials == wanted), "{name}: {found:?}");
    }
    assert!(initials(&"重".repeat(60)).len() <= 8);
}

#[test]
fn the_better_a_product_fits_the_sooner_it_is_shown() {
    let cola = good("6901234567892", "可口可乐 Zero");
    let rank = |typed: &str| Sought::new(typed).rank(&cola);
    for (typed, expected) in [
        ("6901234567892", Some(0)),
        ("可口", Some(1)),
        ("KKKL", Some(2)),
        ("zero", Some(3)),
        ("kl", Some(4)),
        ("690", Some(5)),
        ("７８９２", Some(5)),
        ("89", None),
        ("雪碧", None),
        ("", Some(9)),
    ] {
        assert_eq!(rank(typed), expected, "{typed}");
    }
}

proptest! {
    #[test]
    fn no_table_makes_it_panic(
        text in "(code|条码|name|名称|price|tax|[,;\t\"\r\n]|[0-9.%-]{0,14}|\\PC){0,60}",
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = read(&bytes, Currency::CNY);
        if let Ok(goods) = table(&text) {
            for good in goods {
                prop_assert_eq!(canonical(&good.code), Ok(good.code.clone()));
                prop_assert!(!good.name.is_empty() && good.price >= Money::default());
            }
        }
    }

    #[test]
    fn a_code_keeps_its_form(text in "[0-9]{1,14}|[A-Za-z0-9._/-]{1,20}|\\PC{0,20}") {
        if let Ok(code) = canonical(&text) {
            prop_assert_eq!(canonical(&code), Ok(code.clone()));
            let first = meanings(&code).into_iter().next();
            prop_assert_eq!(first, Some(code));
        }
        let _ = initials(&text);
    }
}
