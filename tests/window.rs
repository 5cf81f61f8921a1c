//! A window of any size, and one that changes its size all the time: the payment goes on, nothing
//! panics, and in a window that can be read the state stands there again.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::counter::Counter;
use common::{Shop, in_lanes};
use paytill::simulator::Scenario;

const LANES: usize = 4;
const STORM: usize = 1000;
const CTRL_L: &str = "\x0c";
const CTRL_Q: &str = "\x11";

fn code(name: &str) -> String {
    Scenario::from_name(name).unwrap().code(1)
}

/// The window is as it should be again; the payment ends, and the till is left.
fn ends(shop: &Shop, mut counter: Counter, end: &str) {
    counter.resize(80, 24);
    counter.see(&[end, "Scanner ready", "Quit"]);
    counter.press(CTRL_Q);
    assert_eq!(counter.wait_for_end().exit_code(), 0);
    assert!(counter.is_given_back());
    assert!(!counter.tape().contains("panicked"));
    assert_eq!(shop.recover().exit, 0);
    shop.assert_books_agree(true);
}

#[test]
fn a_window_of_any_size_is_survived_and_says_the_state_where_it_fits() {
    let shop = Shop::open(None, 1);
    let (mut counter, _scanner) = Counter::open_waiting(&shop, &code("walks-away"));
    let widths = [0, 1, 2, 3, 5, 9, 10, 20, 21, 39, 40, 79, 80, 81, 200, 1000];
    let heights = [0, 1, 2, 3, 4, 5, 9, 10, 23, 24, 25, 100];
    let mut sizes = 0;
    for width in widths {
        for height in heights {
            counter.resize(width, height);
            sizes += 1;
            // All its letters fit; where a line breaks does not matter.
            if usize::from(width) * usize::from(height) >= 20 && width >= 10 && height >= 2 {
                counter.see(&["WAITING FOR CUSTOMER"]);
            }
            assert!(counter.is_running(), "{width}x{height}");
        }
    }
    for (width, height) in [(1, 1), (0, 0), (u16::MAX, 1), (1, u16::MAX), (500, 500)] {
        counter.resize(width, height);
        sizes += 1;
    }
    counter.resize(80, 24);
    counter.see(&["WAITING FOR CUSTOMER", "Scanner ready", "Quit"]);
    assert!(counter.is_running() && !counter.tape().contains("panicked"));
    drop(counter);
    println!("window: {sizes} sizes, {sizes} survived");
}

#[test]
fn a_storm_of_sizes_holds_up_no_payment() {
    let cases = [("password-12", "PAID"), ("walks-away", "REVERSED"), ("cancels-15", "REVERSED")];
    in_lanes(LANES, &cases, |(customer, end)| {
        let shop = Shop::open(None, 5);
        let (mut counter, _scanner) = Counter::open_waiting(&shop, &code(customer));
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..STORM {
            counter.resize(random.u16(..200), random.u16(..60));
        }
        counter.resize(80, 24);
        // It still takes keys.
        counter.press(CTRL_L);
        counter.see_that("another language", |screen| screen.contains("扫码枪"));
        counter.press(CTRL_L);
        ends(&shop, counter, end);
    });
    println!("window: {} changes of size during payments, 0 held up", cases.len() * STORM);
}

#[test]
fn a_till_that_starts_in_no_window_at_all_shows_its_payment_once_there_is_one() {
    let shop = Shop::open(None, 5);
    let (counter, _scanner) = Counter::open_waiting(&shop, &code("walks-away"));
    drop(counter);
    for (width, height) in [(0, 0), (1, 1), (3, 2)] {
        let mut counter = Counter::open_sized(&shop, width, height);
        counter.watch_until("a first frame", || true);
        counter.resize(80, 24);
        counter.see(&["Enter the amount.", "￥12.34"]);
        assert!(counter.is_running());
    }
    assert_eq!(shop.recover().exit, 0);
    shop.assert_books_agree(true);
}
