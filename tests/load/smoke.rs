//! That each measure can still be taken. What comes of it is not looked at.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]
#![allow(clippy::float_arithmetic, reason = "it compares times")]

mod measures;

use measures::{Extent, MEASURES};

#[test]
fn each_can_still_be_measured() {
    let extent = Extent { rounds: 1, seconds: 0.1, is_smoke: true };
    let table = measures::done(&MEASURES, extent);
    table.print();
    let _ = table.is_met();
}
