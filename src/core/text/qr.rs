//! What became of a code that the customer was to scan.

use crate::payment::{Cause, Funds, State, Status, TillCause};

/// English and Chinese.
type Words = (&'static str, &'static str);

/// The sentence for a cause that only such an order has, in English and Chinese.
pub(super) const fn words(cause: TillCause) -> Words {
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

/// Whether money moved, where that is another matter than with other payments: nothing goes back by
/// itself.
pub(super) fn money(state: &State) -> Option<Words> {
    let is_closing = (state.status(), state.money()) == (Status::Reversing, Funds::Unknown);
    (is_closing && state.qr().is_some()).then_some((
        "If the customer has paid after all, the payment counts.",
        "如果顾客已经付款，则按已收款处理。",
    ))
}

/// What stands in the way of closing the order, ahead of the cause.
pub(super) const fn obstacle(cause: &Cause, is_refused: bool) -> Words {
    match cause {
        Cause::Till(TillCause::MerchantChanged) => ("", ""),
        Cause::Till(TillCause::Refused | TillCause::Configuration) => REFUSED,
        _ if is_refused => REFUSED,
        _ => ("The order is not closed for certain yet.", "订单尚未确认关闭。"),
    }
}

const REFUSED: Words = ("WeChat Pay refuses to close the order.", "微信支付拒绝关闭该订单。");

/// What the cashier should do about such an order, where that is not said of every payment.
pub(super) fn advice(state: &State, is_recorded: bool) -> Option<Words> {
    if state.is_paid_late() {
        return Some((
            "Hand over the goods, or refund the payment if nobody wants them any more.",
            "请把商品交给顾客；如顾客不再需要，请办理退款。",
        ));
    }
    // The next start knows nothing of a code that is not on disk, and shows none before it has asked.
    let is_said = !is_recorded || state.status() == Status::Waiting;
    state.code_url().filter(|_| is_said).map(|_| {
        if is_recorded {
            ("Ask the customer to scan the code and pay.", "请顾客用微信扫描收款码付款。")
        } else {
            (
                "Let nobody scan the code. Keep the goods for now.",
                "请勿让顾客扫码，先不要交付商品。",
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::language::Language;
    use crate::order::CodeUrl;
    use crate::payment::says::Says;
    use crate::payment::{Event, QrState, Rules};
    use crate::text::reason;

    #[test]
    fn nobody_is_asked_to_scan_a_code_that_is_not_shown() {
        let url = "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00".to_owned();
        let code = Says::Code(CodeUrl::try_from(url).unwrap());
        let mut state = State::begin_qr(Millis::seconds(7_200), 0);
        let mut step = |event: &Event| {
            let call = state.step(event, Millis(300), &Rules::default());
            (call, reason::advice(&state, true, Language::English))
        };
        let (_, shown) = step(&code.in_answer_to(QrState::FIRST));
        assert!(shown.contains("scan the code"), "{shown}");
        let (call, checked) = step(&Event::Restarted { oldest: Millis(0) });
        assert!(!checked.contains("scan"), "{checked}");
        let (_, shown) = step(&Says::NotPaid.in_answer_to(call.unwrap()));
        assert!(shown.contains("scan the code"), "{shown}");
    }
}
