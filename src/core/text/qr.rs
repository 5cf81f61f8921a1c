//! What became of a code that the customer was to scan.

use crate::payment::TillCause;

/// The sentence for a cause that only such an order has, in English and Chinese.
pub(super) const fn words(cause: TillCause) -> (&'static str, &'static str) {
    match cause {
        TillCause::CodeExpired => {
            ("Nobody paid before the code expired.", "收款码已过期，无人付款。")
        }
        // The only other one.
        _ => (
            "The customer paid after the code had been taken away.",
            "收款码撤下后，顾客仍完成了付款。",
        ),
    }
}
