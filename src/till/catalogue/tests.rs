use super::*;
use crate::clock::Timestamp;
use crate::money::Money;
use crate::sale::{Held, Line, Quantity, Rate, Sale};

const CNY: Currency = Currency::CNY;

fn good(number: usize) -> Good {
    let rate = Rate::from_hundredths(1300).unwrap();
    let price = Money::from_minor(i64::try_from(number % 9000).unwrap() + 1);
    let name = format!("商品{number} {}", "长".repeat(number % 20));
    Good { code: format!("{number:013}"), name, unit: String::new(), price, rate }
}

fn catalogue(count: usize) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder.path().join("journal.sqlite"));
    let goods: Vec<Good> = (0..count).map(|number| good(3 * number)).collect();
    write(&path, &goods, CNY).unwrap();
    (folder, path)
}

fn open(path: &Path) -> Catalogue {
    Catalogue::open(path, CNY).unwrap().unwrap()
}

#[test]
fn every_product_is_found_and_nothing_else() {
    for count in [0, 1, 2, 3, 100, 1001] {
        let (_folder, path) = catalogue(count);
        let catalogue = open(&path);
        assert_eq!(catalogue.count, count);
        for number in 0..=3 * count {
            let expected = (number % 3 == 0 && number < 3 * count).then(|| good(number));
            assert_eq!(catalogue.find(&good(number).code).unwrap(), expected, "{number}");
        }
        for other in ["", "0", "zzz", "商品"] {
            assert_eq!(catalogue.find(other).unwrap(), None);
        }
        let mut seen = 0;
        catalogue.each(|_| seen += 1).unwrap();
        assert_eq!(seen, count);
    }
}

#[test]
fn a_product_among_a_hundred_thousand_takes_a_few_reads() {
    let (_folder, path) = catalogue(100_000);
    let catalogue = open(&path);
    // Each read is of two lines at most: so many halvings find any of them.
    let halvings = (catalogue.end - catalogue.begin).ilog2() + 1;
    assert!(halvings <= 26, "{halvings}");
    assert_eq!(catalogue.find(&good(299_997).code).unwrap(), Some(good(299_997)));
    let search = |is_wanted: &mut dyn FnMut() -> bool| {
        catalogue.search(&Sought::new("sp29999"), 20, is_wanted).unwrap()
    };
    let (found, count) = search(&mut || true).unwrap();
    assert_eq!((found.len(), count), (3, 3));
    let mut asked = 0;
    let mut twice = || {
        asked += 1;
        asked <= 2
    };
    assert_eq!(search(&mut twice), None, "who has gone on waits for no list");
    assert_eq!(asked, 3);
}

#[test]
fn an_import_is_seen_by_whoever_opens_it_next() {
    let (_folder, path) = catalogue(3);
    let before = open(&path);
    write(&path, &[good(7)], CNY).unwrap();
    assert_eq!(open(&path).find(&good(7).code).unwrap(), Some(good(7)));
    // Whoever had it open reads what was there.
    assert_eq!(before.find(&good(3).code).unwrap(), Some(good(3)));
    assert!(Catalogue::open(&path.with_file_name("none"), CNY).unwrap().is_none());
}

#[test]
fn a_damaged_catalogue_is_no_other_one() {
    let (_folder, path) = catalogue(50);
    let whole = fs::read(&path).unwrap();
    let is_broken = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let mut count = 0;
        match Catalogue::open(&path, CNY) {
            Ok(Some(catalogue)) => {
                for number in 0..60 {
                    let _ = catalogue.find(&good(3 * number).code);
                }
                catalogue.each(|_| count += 1).is_err()
            }
            other => other.is_err(),
        }
    };
    assert!(!is_broken(&whole));
    for end in [0, 1, 40, whole.len() / 2, whole.len() - 1] {
        assert!(is_broken(&whole[..end]), "{end}");
    }
    let half = whole.iter().rposition(|byte| *byte == b'{').unwrap();
    assert!(is_broken(&whole[..half]));
    assert!(is_broken(&[&whole[..], &whole[half..]].concat()));
    assert!(is_broken(b"{\"paytill\":\"held\",\"format\":1,\"currency\":\"CNY\",\"count\":0}\n"));
    let yen = Currency::from_code("JPY").unwrap();
    fs::write(&path, &whole).unwrap();
    assert!(matches!(Catalogue::open(&path, yen), Err(CatalogueFault::Currency(..))));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(Catalogue::open(&path, CNY).is_err());
}

#[test]
fn what_was_put_aside_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = held::path(&folder.path().join("journal.sqlite"));
    assert_eq!(held::read(&path, CNY).unwrap(), []);
    let line =
        Line { name: "苹果".into(), ..Line::of_amount(Money::from_minor(500), Quantity::ONE) };
    let sale = Sale { lines: vec![line], discount: None, consent: None };
    let sales = vec![Held { at: Timestamp(1_700_000_000_000), sale }];
    held::write(&path, &sales, CNY).unwrap();
    assert_eq!(held::read(&path, CNY).unwrap(), sales);
    fs::write(&path, "{}").unwrap();
    assert!(matches!(held::read(&path, CNY), Err(CatalogueFault::Broken(_))));
}
