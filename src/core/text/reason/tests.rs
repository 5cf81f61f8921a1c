//! Every reason there is has its words, and they say no more than is certain.

use super::*;
use crate::clock::Millis;
use crate::gateway::backend::message::Refused;
use crate::order::CodeUrl;
use crate::payment::says::Says;
use crate::payment::{Call, Event, QrState, Rules};

const CODES: &str = "SYSTEMERROR BANKERROR USERPAYING PARAM_ERROR ORDERPAID NOAUTH \
    AUTHCODEEXPIRE NOTENOUGH NOTSUPORTCARD ORDERCLOSED ORDERREVERSED AUTH_CODE_ERROR \
    AUTH_CODE_INVALID BUYER_MISMATCH OUT_TRADE_NO_USED INVALID_REQUEST TRADE_ERROR \
    XML_FORMAT_ERROR REQUIRE_POST_METHOD SIGNERROR LACK_PARAMS NOT_UTF8 APPID_NOT_EXIST \
    MCHID_NOT_EXIST APPID_MCHID_NOT_MATCH ORDERNOTEXIST INVALID_TRANSACTIONID REVERSE_EXPIRE \
    PAYERROR CLOSED REVOKED REFUND";

/// Every reason there is: the gateway's documented codes, an unknown one, and all of ours.
fn reasons() -> impl Iterator<Item = Reason> {
    let codes = CODES.split_whitespace().chain(["UNHEARD_OF"]);
    let codes = codes.chain(Refused::ALL.map(Refused::word));
    let gateways = codes.map(|code| Reason::gateway(code, ""));
    gateways.chain(TillCause::ALL.map(Reason::from))
}

fn told(status: Status, funds: Funds, reason: &Reason, language: Language) -> String {
    and_money(&cause_sentence(reason, language), status, funds, language)
}

const FUNDS: [Funds; 5] =
    [Funds::NotMoved, Funds::Held, Funds::Returned, Funds::Taken, Funds::Unknown];

#[test]
fn every_reason_has_its_sentence_and_advice_in_both_languages() {
    for reason in reasons() {
        let english = cause_sentence(&reason, Language::English);
        let chinese = cause_sentence(&reason, Language::Chinese);
        assert!(english.is_ascii() && english.ends_with('.'), "{english}");
        assert!(chinese.ends_with('。') && !chinese.is_ascii(), "{chinese}");
        let is_known = explain(&reason.cause).is_some();
        assert_eq!(is_known, reason.code() != "UNHEARD_OF", "{}", reason.code());
        for language in Language::ALL {
            for status in Status::ALL {
                for funds in FUNDS {
                    let said = told(status, funds, &reason, language);
                    assert!(said.len() > cause_sentence(&reason, language).len() / 2);
                }
                assert!(!advice_on(status, Some(&reason), language).is_empty());
                assert!(!advice_on(status, None, language).is_empty());
            }
        }
    }
}

#[test]
fn no_two_causes_of_ours_have_one_sentence() {
    for language in Language::ALL {
        let said = TillCause::ALL.map(|cause| cause_sentence(&cause.into(), language));
        let all: std::collections::BTreeSet<_> = said.iter().collect();
        assert_eq!(all.len(), TillCause::ALL.len());
    }
}

#[test]
fn says_what_happened_and_that_no_money_moved() {
    let reason = Reason::gateway("NOTENOUGH", "");
    let said = |language| told(Status::Declined, Funds::NotMoved, &reason, language);
    assert_eq!(said(Language::English), "Not enough balance. No money moved.");
    assert_eq!(said(Language::Chinese), "顾客余额不足。没有扣款。");
}

#[test]
fn an_unknown_code_is_shown_in_the_gateways_own_cleaned_words() {
    let reason = Reason::gateway("NEW\u{1b}CODE", "look\u{202e} here");
    assert_eq!(
        told(Status::Declined, Funds::NotMoved, &reason, Language::English),
        "WeChat Pay answered NEWCODE. WeChat Pay says: \"look here\". No money moved."
    );
    assert_eq!(
        cause_sentence(&reason, Language::Chinese),
        "微信支付返回 NEWCODE。微信支付提示：“look here”。"
    );
}

#[test]
fn a_fault_of_the_set_up_never_asks_the_customer_to_try_again() {
    for code in ["NOAUTH", "SIGNERROR", "MCHID_NOT_EXIST", "XML_FORMAT_ERROR", "PARAM_ERROR"] {
        let reason = Reason::gateway(code, "");
        let advice = advice_on(Status::Declined, Some(&reason), Language::English);
        assert!(advice.starts_with("Do not retry"), "{code}");
    }
}

#[test]
fn what_is_unknown_is_never_called_not_charged() {
    for reason in reasons() {
        let said = told(Status::Attention, Funds::Unknown, &reason, Language::English);
        assert!(said.ends_with("not known yet whether money moved."), "{said}");
    }
}

/// A payment that was cancelled, and whose reversal is answered like this.
fn reversal(answer: Says) -> State {
    let rules = Rules::default();
    let mut state = State::begin(&rules, 0);
    let mut call = Call::SUBMISSION;
    for (seconds, says) in [(1, Says::Paying), (20, Says::Paying), (21, answer)] {
        let now = Millis::seconds(seconds);
        if seconds == 20 && call == Call::SUBMISSION {
            call = state.step(&Event::Cancel, now, &rules).unwrap();
        }
        if let Some(next) = state.step(&says.in_answer_to(call), now, &rules) {
            call = next;
        }
    }
    state
}

#[test]
fn a_refused_reversal_is_told_as_one_in_every_status() {
    let text = "certificate not match";
    let refused = Reason::quoting(TillCause::Refused, text);
    for (answer, status) in [
        (Says::Unsigned(refused), Status::Reversing),
        (Says::ReversalRefused(Reason::gateway("NOAUTH", text)), Status::Attention),
        (Says::ReversalRefused(Reason::gateway("SIGNERROR", text)), Status::Attention),
        (Says::ReversalRefused(Reason::gateway("TRADE_ERROR", text)), Status::Attention),
    ] {
        let state = reversal(answer.clone());
        assert_eq!(state.status(), status, "{answer:?}");
        let english = of(&state, Language::English).unwrap();
        assert!(english.starts_with("WeChat Pay refuses to reverse the payment."), "{english}");
        assert!(!english.contains("this kind of payment code"), "{english}");
        let chinese = of(&state, Language::Chinese).unwrap();
        assert!(chinese.starts_with("微信支付拒绝撤销这笔支付。"), "{chinese}");
    }
    let lost = reversal(Says::Unknown(TillCause::NoAnswer.into()));
    let english = of(&lost, Language::English).unwrap();
    assert!(english.starts_with("The reversal is not confirmed yet. WeChat Pay did not"));
    let expired = reversal(Says::Expired(Reason::gateway("REVERSE_EXPIRE", "")));
    assert!(of(&expired, Language::English).unwrap().starts_with("The payment is too old"));
}

/// An order that was given up, and whose closing is answered like this.
fn closing(answer: Says) -> State {
    let rules = Rules::default();
    let mut state = State::begin_qr(Millis::seconds(7_200), 0);
    let code = CodeUrl::try_from("weixin://wxpay/bizpayurl?pr=1".to_owned()).unwrap();
    let mut call = QrState::FIRST;
    let mut step = |event: &Event, call: &mut Call| {
        if let Some(next) = state.step(event, Millis::seconds(9), &rules) {
            *call = next;
        }
    };
    step(&Says::Code(code).in_answer_to(call), &mut call);
    step(&Event::Cancel, &mut call);
    step(&Says::NotPaid.in_answer_to(call), &mut call);
    step(&answer.in_answer_to(call), &mut call);
    state
}

#[test]
fn an_order_that_is_not_closed_is_told_as_one_and_promises_no_money_back() {
    for (answer, status, begins) in [
        (Says::Unknown(TillCause::NoAnswer.into()), Status::Reversing, "The order is not closed"),
        (
            Says::ReversalRefused(Reason::gateway("SIGNERROR", "")),
            Status::Attention,
            "WeChat Pay refuses to close",
        ),
        (Says::Accepted, Status::Reversing, "The cashier cancelled"),
    ] {
        let state = closing(answer);
        assert_eq!(state.status(), status);
        let english = of(&state, Language::English).unwrap();
        assert!(english.starts_with(begins), "{english}");
        for wrong in ["revers", "returned"] {
            assert!(!english.contains(wrong), "{english}");
        }
        assert!(!of(&state, Language::Chinese).unwrap().contains("撤销"));
    }
}

#[test]
fn nobody_is_asked_to_scan_a_code_that_is_not_on_disk() {
    let mut state = State::begin_qr(Millis::seconds(7_200), 0);
    let code = CodeUrl::try_from("weixin://wxpay/bizpayurl?pr=1".to_owned()).unwrap();
    let shown = Says::Code(code).in_answer_to(QrState::FIRST);
    let _ = state.step(&shown, Millis(200), &Rules::default());
    let says = |is_recorded, language| advice(&state, is_recorded, language);
    for (language, asks) in
        [(Language::English, "Ask the customer to scan"), (Language::Chinese, "请顾客用微信扫描")]
    {
        assert!(says(true, language).starts_with(asks));
        assert!(!says(false, language).starts_with(asks));
    }
}
