use proptest::prelude::*;

use super::*;

fn quantity(thousandths: i64) -> Quantity {
    Quantity::from_thousandths(thousandths).unwrap()
}

fn line(price: i64, thousandths: i64) -> Line {
    Line::of_amount(Money::from_minor(price), quantity(thousandths))
}

fn due(lines: Vec<Line>, discount: Option<Discount>) -> Result<i64, NotASale> {
    Sale { lines, discount, consent: None }.total().map(|sold| sold.due.minor())
}

fn percent(hundredths: u16) -> Discount {
    Discount::Part(Rate::from_hundredths(hundredths).unwrap())
}

#[test]
fn half_a_fen_is_rounded_up_and_once_a_line() {
    for (price, thousandths, sum) in [
        (1250, 1000, 1250),
        (333, 1500, 500),   // 499.5
        (333, 1499, 499),   // 499.167
        (1, 500, 1),        // 0.5
        (1, 499, 0),        // 0.499
        (2980, 345, 1028),  // 1028.1
        (2990, 1005, 3005), // 3004.95
    ] {
        assert_eq!(due(vec![line(price, thousandths)], None), Ok(sum), "{price} {thousandths}");
    }
    // Each line by itself: not 1 for both together.
    assert_eq!(due(vec![line(1, 500), line(1, 500)], None), Ok(2));
    assert_eq!(due(Vec::new(), None), Ok(0));
    assert_eq!((rounded(-5, 10), rounded(-4, 10), rounded(5, 10)), (-1, 0, 1));
}

#[test]
fn what_is_taken_off_a_sale_is_taken_off_its_lines_to_the_last_fen() {
    let lines = vec![line(333, 1000), line(333, 1000), line(334, 1000)];
    let sold =
        Sale { lines, discount: Some(Discount::Amount(Money::from_minor(100))), consent: None };
    let sold = sold.total().unwrap();
    let shares: Vec<i64> = sold.lines.iter().map(|line| line.share.minor()).collect();
    assert_eq!((shares, sold.due.minor()), (vec![33, 34, 33], 900));
    assert!(sold.is_consistent());

    let mut half = line(1001, 1000);
    half.discount = Some(percent(5000));
    let sold =
        Sale { lines: vec![half], discount: Some(percent(1000)), consent: None }.total().unwrap();
    let [only] = &sold.lines[..] else { panic!("{sold:?}") };
    assert_eq!((only.discount.minor(), only.share.minor(), only.net.minor()), (501, 50, 450));
    assert_eq!((sold.taken_off().minor(), sold.deepest_discount()), (551, 5505));
}

#[test]
fn the_tax_is_in_the_price() {
    let mut goods_at_13 = line(11_300, 1000);
    goods_at_13.rate = Rate::from_hundredths(1300).unwrap();
    let mut food = line(1090, 1000);
    food.rate = Rate::from_hundredths(900).unwrap();
    let sold =
        Sale { lines: vec![goods_at_13.clone(), food, goods_at_13], discount: None, consent: None }
            .total()
            .unwrap();
    let found: Vec<_> = sold
        .taxes()
        .into_iter()
        .map(|(rate, net, tax)| (rate.show(), net.minor(), tax.minor()))
        .collect();
    assert_eq!(found, [("9%".to_owned(), 1090, 90), ("13%".to_owned(), 22_600, 2600)]);
}

#[test]
fn the_tax_in_what_went_back_is_known_of_all_of_it_or_where_there_is_one_rate() {
    let at = |price, hundredths| Line {
        rate: Rate::from_hundredths(hundredths).unwrap(),
        ..line(price, 1000)
    };
    let told = |lines: Vec<Line>, amount: i64| {
        let sold = Sale { lines, discount: None, consent: None }.total().unwrap();
        let taxes = sold.taxes_of_refund(Money::from_minor(amount))?;
        let minor =
            |(rate, net, tax): (Rate, Money, Money)| (rate.hundredths(), net.minor(), tax.minor());
        Some(taxes.into_iter().map(minor).collect::<Vec<_>>())
    };
    let two = || vec![at(11_300, 1300), at(1090, 900)];
    assert_eq!(told(two(), 12_390), Some(vec![(900, 1090, 90), (1300, 11_300, 1300)]));
    assert_eq!(told(two(), 11_300), None, "it may be either, or some of both");
    let one = || vec![at(11_300, 1300), at(113, 1300)];
    assert_eq!(told(one(), 11_413), Some(vec![(1300, 11_413, 1313)]));
    // 575.34
    assert_eq!(told(one(), 5001), Some(vec![(1300, 5001, 575)]));
    assert_eq!(told(one(), 11_414), None, "more than was sold");
    assert_eq!(told(Vec::new(), 100), None);
}

#[test]
fn what_is_too_large_or_negative_is_refused() {
    let largest = LARGEST.minor();
    assert_eq!(due(vec![line(largest, 1000)], None), Ok(largest));
    assert_eq!(due(vec![line(largest, 1001)], None), Err(NotASale::TooLarge));
    assert_eq!(due(vec![line(largest, 1000), line(1, 1000)], None), Err(NotASale::TooLarge));
    assert_eq!(due(vec![line(i64::MAX, 99_999_999)], None), Err(NotASale::TooLarge));
    assert_eq!(due(vec![line(-1, 1000)], None), Err(NotASale::Negative));
    assert_eq!(due(vec![line(-1, 1)], None), Err(NotASale::Negative));
    assert_eq!(due(vec![line(1, 1000); MOST_LINES + 1], None), Err(NotASale::TooManyLines));
    let off = |minor| Some(Discount::Amount(Money::from_minor(minor)));
    assert_eq!(due(vec![line(100, 1000)], off(100)), Ok(0));
    for minor in [101, -1, i64::MIN, i64::MAX] {
        assert!(due(vec![line(100, 1000)], off(minor)).is_err(), "{minor}");
    }
}

#[test]
fn a_label_stands_whatever_the_price_is_now() {
    let mut weighed = line(2980, 345);
    weighed.label = Some(Money::from_minor(1029));
    let sold = Sale { lines: vec![weighed], discount: None, consent: None }.total().unwrap();
    assert_eq!((sold.due.minor(), sold.lines[0].price.minor()), (1029, 2980));
}

#[test]
fn quantities_and_rates_are_read_as_they_are_shown() {
    for (typed, thousandths) in [
        ("3", 3000),
        ("0.345", 345),
        (".5", 500),
        ("2.", 2000),
        ("１。5", 1500),
        ("99999", 99_999_000),
    ] {
        assert_eq!(Quantity::read(typed), Ok(Some(quantity(thousandths))), "{typed}");
    }
    assert_eq!(Quantity::read("0"), Ok(None));
    for (typed, why) in [
        ("", NotAQuantity::Text),
        (".", NotAQuantity::Text),
        ("-1", NotAQuantity::Text),
        ("1.2.3", NotAQuantity::Text),
        ("+3", NotAQuantity::Text),
        ("0.0001", NotAQuantity::TooManyDecimals),
        ("100000", NotAQuantity::TooLarge),
        ("99999999999999999999999", NotAQuantity::TooLarge),
    ] {
        assert_eq!(Quantity::read(typed), Err(why), "{typed:?}");
    }
    for (text, hundredths) in
        [("13", 1300), ("13%", 1300), ("0.5", 50), (" 9 % ", 900), ("100", 10_000)]
    {
        assert_eq!(Rate::read(text).map(Rate::hundredths), Some(hundredths), "{text}");
    }
    for text in ["", "%", "-1", "101", "0.123", "13%%", "1e1", "0.13.1"] {
        assert_eq!(Rate::read(text), None, "{text:?}");
    }
    let shown = [0, 50, 55, 1300, 10_000].map(|rate| Rate::from_hundredths(rate).unwrap().show());
    assert_eq!(shown, ["0%", "0.5%", "0.55%", "13%", "100%"]);
}

#[test]
fn a_sale_from_elsewhere_is_not_taken_on_trust() {
    let sold = Sale {
        lines: vec![line(1130, 1000), line(5, 1000)],
        discount: Some(percent(1000)),
        consent: None,
    };
    let good = sold.total().unwrap();
    assert!(good.is_consistent());
    for change in [
        (|sold| sold.due = Money::from_minor(1)) as fn(&mut Sold),
        |sold| sold.discount = Money::default(),
        |sold| sold.lines[0].net = Money::from_minor(-5),
        |sold| sold.lines[0].tax = Money::from_minor(1),
        |sold| sold.lines.truncate(1),
        |sold| {
            sold.lines.pop();
            sold.lines[0].gross = Money::from_minor(i64::MIN);
        },
    ] {
        let mut bad = good.clone();
        change(&mut bad);
        assert!(!bad.is_consistent(), "{bad:?}");
    }
}

fn discounts() -> impl Strategy<Value = Option<Discount>> {
    prop_oneof![
        Just(None),
        (0..=Rate::WHOLE).prop_map(|rate| Some(percent(rate))),
        (0..2_000_000_i64).prop_map(|minor| Some(Discount::Amount(Money::from_minor(minor)))),
    ]
}

fn lines() -> impl Strategy<Value = Line> {
    let numbers = (0..1_000_000_i64, 1..20_000_i64, 0..=Rate::WHOLE);
    (numbers, proptest::option::of(0..1_000_000_i64), discounts()).prop_map(
        |((price, thousandths, rate), label, discount)| Line {
            label: label.map(Money::from_minor),
            rate: Rate::from_hundredths(rate).unwrap(),
            discount,
            ..line(price, thousandths)
        },
    )
}

proptest! {
    #[test]
    fn what_is_due_is_the_lines_less_the_discounts_and_no_fen_is_lost(
        lines in proptest::collection::vec(lines(), 0..20),
        discount in discounts(),
    ) {
        let sale = Sale { lines, discount, consent: None };
        let Ok(sold) = sale.total() else { return Ok(()) };
        let sum = |part: fn(&SoldLine) -> Money| -> i64 {
            sold.lines.iter().map(|line| part(line).minor()).sum()
        };
        prop_assert!(sold.is_consistent());
        prop_assert!(sold.due >= Money::default() && sold.due <= LARGEST);
        prop_assert_eq!(sum(|line| line.net), sold.due.minor());
        prop_assert_eq!(sum(|line| line.share), sold.discount.minor());
        prop_assert_eq!(sum(|line| line.gross) - sold.taken_off().minor(), sold.due.minor());
        for line in &sold.lines {
            for part in [line.gross, line.discount, line.share, line.net, line.tax] {
                prop_assert!(part >= Money::default() && part <= line.gross);
            }
            prop_assert!(line.tax <= line.net);
        }
        let written = serde_json::to_string(&sold).unwrap();
        prop_assert_eq!(serde_json::from_str::<Sold>(&written).unwrap(), sold);
        let kept = serde_json::to_string(&sale).unwrap();
        prop_assert_eq!(serde_json::from_str::<Sale>(&kept).unwrap(), sale);
    }

    #[test]
    fn no_line_makes_it_panic(
        price in any::<i64>(),
        label in proptest::option::of(any::<i64>()),
        off in any::<i64>(),
        typed in "[0-9.]{0,24}|.*",
    ) {
        let mut line = line(price, 99_999_999);
        line.label = label.map(Money::from_minor);
        line.discount = Some(Discount::Amount(Money::from_minor(off)));
        let _ = Sale { lines: vec![line.clone(), line], discount: None, consent: None }.total();
        if let Ok(Some(quantity)) = Quantity::read(&typed) {
            prop_assert_eq!(Quantity::read(&quantity.show()), Ok(Some(quantity)));
        }
        if let Some(rate) = Rate::read(&typed) {
            prop_assert_eq!(Rate::read(&rate.show()), Some(rate));
        }
    }
}
