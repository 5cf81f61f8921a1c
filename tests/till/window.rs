//! A window of any size, and one that keeps changing its size: the payment continues, nothing
//! panics, and once the window is readable it shows the state again.

use crate::fixture::tui_session::{CTRL_L, CTRL_Q, TuiSession};
use crate::fixture::{TestShop, code, in_lanes};

const LANES: usize = 4;
const STORM: usize = 1000;

/// Restores the window, and checks that the payment ends and the till quits.
fn ends(shop: &TestShop, mut session: TuiSession, end: &str) {
    session.resize(80, 24);
    session.see(&[end, "Scanner ready", "Find order"]);
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    assert!(session.is_given_back());
    assert!(!session.tape().contains("panicked"));
    assert_eq!(shop.recover().exit, 0);
    shop.assert_books_agree(true);
}

#[test]
fn a_window_of_any_size_is_survived_and_says_the_state_where_it_fits() {
    let shop = TestShop::open(None, 1);
    let (mut session, _scanner) = TuiSession::open_waiting(&shop, &code("walks-away", 1));
    let widths = [0, 1, 2, 3, 5, 9, 10, 20, 21, 39, 40, 79, 80, 81, 200, 1000];
    let heights = [0, 1, 2, 3, 4, 5, 9, 10, 23, 24, 25, 100];
    let mut sizes = 0;
    for width in widths {
        for height in heights {
            session.resize(width, height);
            sizes += 1;
            // All its letters fit; where a line breaks does not matter.
            if usize::from(width) * usize::from(height) >= 20 && width >= 10 && height >= 2 {
                session.see(&["WAITING FOR CUSTOMER"]);
            }
            assert!(session.is_running(), "{width}x{height}");
        }
    }
    for (width, height) in [(1, 1), (0, 0), (u16::MAX, 1), (1, u16::MAX), (500, 500)] {
        session.resize(width, height);
        sizes += 1;
    }
    session.resize(80, 24);
    session.see(&["WAITING FOR CUSTOMER", "Scanner ready", "Next customer"]);
    assert!(session.is_running() && !session.tape().contains("panicked"));
    drop(session);
    println!("window: {sizes} sizes, {sizes} survived");
}

#[test]
fn a_storm_of_sizes_holds_up_no_payment() {
    let cases = [("password-12", "PAID"), ("walks-away", "REVERSED"), ("cancels-15", "REVERSED")];
    in_lanes(LANES, &cases, |(customer, end)| {
        let shop = TestShop::open(None, 5);
        let (mut session, _scanner) = TuiSession::open_waiting(&shop, &code(customer, 1));
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..STORM {
            session.resize(random.u16(..200), random.u16(..60));
        }
        session.resize(80, 24);
        // It still accepts keys.
        session.press(CTRL_L);
        session.see_that("another language", |screen| screen.contains("扫码枪"));
        session.press(CTRL_L);
        ends(&shop, session, end);
    });
    println!("window: {} changes of size during payments, 0 held up", cases.len() * STORM);
}

#[test]
fn a_till_that_starts_in_no_window_at_all_shows_its_payment_once_there_is_one() {
    let shop = TestShop::open(None, 5);
    let (session, _scanner) = TuiSession::open_waiting(&shop, &code("walks-away", 1));
    drop(session);
    for (width, height) in [(0, 0), (1, 1), (3, 2)] {
        let mut session = TuiSession::open_sized(&shop, width, height);
        session.watch_until("a first frame", || true);
        session.resize(80, 24);
        session.see(&["Enter the amount.", "￥12.34"]);
        assert!(session.is_running());
    }
    assert_eq!(shop.recover().exit, 0);
    shop.assert_books_agree(true);
}
