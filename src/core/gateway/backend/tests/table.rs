//! The table of what the backend's answers mean, cell by cell.

use super::*;
use crate::payment::{
    CloseSaid, Ending, Found, Inconclusive, Ordered, Proof, Refunds, Reversed, Status, Submitted,
};
use crate::refund::{Looked, Queried, RefundSaid};

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Submitted(said) => match said {
            Submitted::Paid(_) => "paid",
            Submitted::Paying => "paying",
            Submitted::Asked(_) => "asked",
            Submitted::Declined(_) => "declined",
            Submitted::Ambiguous(_) => "ambiguous",
            Submitted::Inconclusive(what) => without(what),
        },
        Answer::Found(found) => match found {
            Found::Paid(_) => "paid",
            Found::Paying => "paying",
            Found::NotPaid => "unpaid",
            Found::Failed(_) => "failed",
            Found::Declined { closed: false, .. } => "declined",
            Found::Declined { closed: true, .. } => "over",
            Found::Returning => "returning",
            Found::Ended(Ending::Closed) => "closed",
            Found::Ended(Ending::Revoked) => "revoked",
            Found::Ended(Ending::Returned) => "returned",
            Found::Ended(Ending::Refunded) => "refunded",
            Found::NotFound => "not_there",
            Found::AnotherTills(_) => "anothers",
            Found::Inconclusive(what) => without(what),
        },
        Answer::Reversed(said) => match said {
            Reversed::Accepted => "accepted",
            Reversed::Repeat(_) => "repeat",
            Reversed::Refused(_) => "refused",
            Reversed::Expired(_) => "expired",
            Reversed::Inconclusive(what) => without(what),
        },
        Answer::Refunds(refunds) => match refunds {
            Refunds::Whole => "whole",
            Refunds::Part(_) => "part",
            Refunds::None => "none",
            Refunds::Untold => "untold",
            Refunds::Inconclusive(what) => without(what),
        },
        Answer::Ordered(said) => match said {
            Ordered::Code(_) => "code",
            Ordered::Refused(_) => "refused",
            Ordered::Ambiguous(_) => "ambiguous",
            Ordered::Inconclusive(what) => without(what),
        },
        Answer::Closed(said) => match said {
            CloseSaid::Accepted => "accepted",
            CloseSaid::Paid(_) => "paid",
            CloseSaid::Repeat(_) => "repeat",
            CloseSaid::Refused(_) => "refused",
            CloseSaid::Inconclusive(what) => without(what),
        },
    }
}

const fn without(what: &Inconclusive) -> &'static str {
    match what {
        Inconclusive::NotSent(_) => "not_sent",
        Inconclusive::Unsigned(_) => "unsigned",
        Inconclusive::Unknown(_) => "unknown",
    }
}

/// State, and what it means to each call, in the order of [`KINDS`].
const STATES: &str = "
created            unknown    unknown    repeat    unknown  unknown    repeat
created   closed   unknown    unknown    repeat    unknown  unknown    repeat
created   held     ambiguous  returning  repeat    unknown  unknown    repeat
created   returned ambiguous  returning  repeat    unknown  unknown    repeat
created   code     unknown    unknown    repeat    unknown  code       repeat
sent               unknown    unknown    repeat    unknown  unknown    repeat
sent      closed   unknown    unknown    repeat    unknown  unknown    repeat
sent      held     ambiguous  returning  repeat    unknown  unknown    repeat
sent      returned ambiguous  returning  repeat    unknown  unknown    repeat
sent      code     unknown    unknown    repeat    unknown  code       repeat
waiting            paying     paying     repeat    unknown  unknown    repeat
waiting   closed   paying     paying     repeat    unknown  unknown    repeat
waiting   held     ambiguous  returning  repeat    unknown  unknown    repeat
waiting   returned ambiguous  returning  repeat    unknown  unknown    repeat
waiting   code     paying     unpaid     repeat    unknown  code       repeat
checking           unknown    unknown    repeat    unknown  unknown    repeat
checking  closed   unknown    unknown    repeat    unknown  unknown    repeat
checking  held     ambiguous  returning  repeat    unknown  unknown    repeat
checking  returned ambiguous  returning  repeat    unknown  unknown    repeat
checking  code     unknown    unknown    repeat    unknown  code       repeat
reversing          ambiguous  failed     repeat    unknown  ambiguous  repeat
reversing closed   ambiguous  failed     repeat    unknown  ambiguous  repeat
reversing held     ambiguous  returning  repeat    unknown  ambiguous  repeat
reversing returned ambiguous  returning  repeat    unknown  ambiguous  repeat
reversing code     ambiguous  failed     repeat    unknown  code       repeat
paid               paid       paid       repeat    none     ambiguous  paid
paid      closed   paid       paid       repeat    none     ambiguous  paid
paid      held     paid       paid       repeat    none     ambiguous  paid
paid      returned paid       paid       repeat    none     ambiguous  paid
paid      code     paid       paid       repeat    none     code       paid
declined           declined   declined   repeat    unknown  refused    repeat
declined  closed   declined   over       accepted  unknown  refused    accepted
declined  held     ambiguous  returning  repeat    unknown  refused    repeat
declined  returned ambiguous  returning  repeat    unknown  refused    repeat
declined  code     declined   declined   repeat    unknown  code       repeat
reversed           ambiguous  revoked    accepted  unknown  ambiguous  accepted
reversed  closed   ambiguous  revoked    accepted  unknown  ambiguous  accepted
reversed  held     ambiguous  returning  repeat    unknown  ambiguous  repeat
reversed  returned ambiguous  returned   accepted  whole    ambiguous  accepted
reversed  code     ambiguous  revoked    accepted  unknown  code       accepted
closed             ambiguous  closed     accepted  unknown  refused    accepted
closed    closed   ambiguous  closed     accepted  unknown  refused    accepted
closed    held     ambiguous  returning  repeat    unknown  refused    repeat
closed    returned ambiguous  returning  accepted  unknown  refused    accepted
closed    code     ambiguous  closed     accepted  unknown  code       accepted
attention          unknown    unknown    repeat    unknown  ambiguous  repeat
attention closed   unknown    unknown    refused   unknown  ambiguous  repeat
attention held     ambiguous  returning  repeat    unknown  ambiguous  repeat
attention returned ambiguous  returning  repeat    unknown  ambiguous  repeat
attention code     unknown    unknown    repeat    unknown  code       repeat
";

#[test]
fn every_state_means_what_the_table_says() {
    let pair = Pair::new();
    let mut seen = Vec::new();
    for line in STATES.lines().filter(|line| !line.is_empty()) {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let state = words.remove(0);
        let with = if words.len() > KINDS.len() { words.remove(0) } else { "" };
        let told = Payment {
            closed: with == "closed",
            money_held: with == "held",
            money_returned: with == "returned",
            code_url: (with == "code").then(|| "weixin://wxpay/bizpayurl?pr=1".to_owned()),
            ..payment(state)
        };
        let meant = KINDS.map(|kind| word(&pair.meaning(kind, &told)));
        assert_eq!(meant.as_slice(), words.as_slice(), "{line}");
        seen.push((state, with));
    }
    for status in Status::ALL {
        for with in ["", "closed", "held", "returned", "code"] {
            assert!(seen.contains(&(status.word(), with)), "{} {with}", status.word());
        }
    }
}

/// A refusal, and what it means to each call, in the order of [`KINDS`].
const REFUSALS: &str = "
not_found     unknown    not_there  unknown  unknown  unknown    unknown
number_used   ambiguous  anothers   refused  unknown  ambiguous  refused
closed        declined   unknown    unknown  unknown  refused    unknown
not_sent      declined   unknown    unknown  unknown  not_sent   unknown
revoked       declined   unknown    unknown  unknown  refused    unknown
not_allowed   declined   unknown    unknown  unknown  refused    unknown
limit         declined   unknown    unknown  unknown  refused    unknown
clock         declined   unknown    unknown  unknown  refused    unknown
replayed      unknown    unknown    unknown  unknown  unknown    unknown
unauthorized  declined   unknown    unknown  unknown  refused    unknown
bad_request   declined   unknown    unknown  unknown  refused    unknown
failed        unknown    unknown    unknown  unknown  unknown    unknown
";

#[test]
fn every_refusal_means_what_the_table_says() {
    let pair = Pair::new();
    let mut seen = Vec::new();
    for line in REFUSALS.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let refused = Refused::from_word(words[0]).unwrap();
        let meant = KINDS.map(|kind| word(&pair.refusal(kind, refused)));
        assert_eq!(meant.as_slice(), &words[1..], "{line}");
        seen.push(refused);
    }
    assert_eq!(seen, Refused::ALL);
    let declined = pair.refusal(CallKind::Submit, Refused::Revoked);
    assert_eq!(declined.reason(), Some(&Reason::gateway("revoked", "words")));
}

/// What is changed in a payment, and why it then proves nothing.
type Wrong = (fn(&mut Payment), &'static str);

#[test]
fn a_payment_is_proved_by_all_its_parts() {
    let codecs = Pair::new();
    let proof = Proof {
        transaction_id: TRANSACTION.to_owned(),
        paid_at: Timestamp(1_795_318_199_000),
        coupon: Some(34),
    };
    let paid = Payment { coupon: Some(34), ..payment("paid") };
    assert_eq!(codecs.meaning(CallKind::Submit, &paid).proof(), Some(&proof));
    assert_eq!(codecs.meaning(CallKind::Query, &paid).proof(), Some(&proof));
    let other = || "another".to_owned();
    let wrong: [Wrong; 9] = [
        (|paid| paid.out_trade_no.push('1'), "wrong_number"),
        (|paid| paid.amount = 1235, "wrong_amount"),
        (|paid| paid.amount = -1234, "wrong_amount"),
        (|paid| "USD".clone_into(&mut paid.currency), "wrong_currency"),
        (|paid| "cny".clone_into(&mut paid.currency), "wrong_currency"),
        (|paid| paid.mark.clear(), "bad_answer"),
        (|paid| paid.transaction_id = None, "bad_answer"),
        (|paid| paid.transaction_id = Some(String::new()), "bad_answer"),
        (|paid| paid.transaction_id = Some("4200\u{1b}[2J".to_owned()), "bad_answer"),
    ];
    for (change, cause) in wrong {
        let mut changed = paid.clone();
        change(&mut changed);
        for kind in [CallKind::Submit, CallKind::Query] {
            let answer = codecs.meaning(kind, &changed);
            assert_eq!(answer.as_inconclusive().unwrap().reason().code(), cause, "{changed:?}");
        }
    }
    let marked = Payment { mark: other(), ..paid.clone() };
    assert_eq!(word(&codecs.meaning(CallKind::Submit, &marked)), "ambiguous");
    assert_eq!(word(&codecs.meaning(CallKind::Query, &marked)), "anothers");
    for coupon in [0, -1, 1235] {
        let odd = Payment { coupon: Some(coupon), ..paid.clone() };
        assert_eq!(codecs.meaning(CallKind::Query, &odd).proof().unwrap().coupon, None);
    }
    let undated = Payment { paid_at: None, ..paid };
    assert_eq!(codecs.meaning(CallKind::Query, &undated).proof().unwrap().paid_at, NOW);
}

#[test]
fn an_unknown_state_or_refusal_proves_nothing() {
    let pair = Pair::new();
    for kind in KINDS {
        for state in ["", "PAID", "settled", "paid "] {
            let answer = pair.meaning(kind, &payment(state));
            assert!(answer.as_inconclusive().is_some(), "{state}: {answer:?}");
        }
        let (order, code) = (order(), code());
        let ask = Ask::of(kind, &order, Some(&code)).unwrap();
        let refusal = Refusal { code: "too_busy".to_owned(), text: String::new() };
        let reply = pair.said(StatusCode::SERVICE_UNAVAILABLE, &refusal, &stamp("1"));
        let answer = pair.codec.decode(ask, &reply, NOW).answer;
        let what = answer.as_inconclusive().unwrap();
        assert!(matches!(what, Inconclusive::Unknown(reason) if reason.code() == "too_busy"));
    }
}

#[test]
fn a_code_is_shown_only_if_it_is_for_our_amount() {
    let pair = Pair::new();
    let code_url = Some("weixin://wxpay/bizpayurl?pr=1".to_owned());
    let code = Payment { code_url, ..payment("waiting") };
    assert_eq!(word(&pair.meaning(CallKind::Order, &code)), "code");
    let larger = Payment { amount: 1235, ..code.clone() };
    assert_eq!(word(&pair.meaning(CallKind::Order, &larger)), "unknown");
    let foreign = Payment { code_url: Some("https://example.com".to_owned()), ..code };
    assert_eq!(word(&pair.meaning(CallKind::Order, &foreign)), "unknown");
}

#[test]
fn the_gateways_own_reason_reaches_the_till_cleaned() {
    let pair = Pair::new();
    let told = |code: &str| {
        let reason = message::Told { code: code.to_owned(), text: "a\u{1b}[2Jb".to_owned() };
        pair.meaning(CallKind::Submit, &Payment { reason: Some(reason), ..payment("declined") })
    };
    assert_eq!(told("NOTENOUGH").reason().unwrap().code(), "NOTENOUGH");
    assert!(!told("NOTENOUGH").reason().unwrap().text.contains('\u{1b}'));
    assert!(told("timeout").reason().unwrap().is(TillCause::Timeout));
    let silent = Payment { reason: None, ..payment("checking") };
    let answer = pair.meaning(CallKind::Query, &silent);
    assert!(answer.reason().unwrap().is(TillCause::InProgress));
    let reason = message::Told { code: "USERPAYING".to_owned(), text: "odd hour".to_owned() };
    let asked = Payment { reason: Some(reason), ..payment("waiting") };
    assert_eq!(word(&pair.meaning(CallKind::Submit, &asked)), "asked");
}

fn told_of_refund(state: &str, code: &str) -> message::Refund {
    message::Refund {
        out_trade_no: NUMBER.to_owned(),
        out_refund_no: refund().out_refund_no.as_str().to_owned(),
        version: 1,
        state: state.to_owned(),
        counts: state != "refused",
        amount: 234,
        total: 1234,
        currency: "CNY".to_owned(),
        refund_id: (state == "done").then(|| "50000707812018082106030155182".to_owned()),
        done_at: None,
        reason: Some(message::Told { code: code.to_owned(), text: String::new() }),
        now: NOW.0,
    }
}

fn of_refund(pair: &Pair, kind: RefundCallKind, body: &impl Serialize) -> RefundAnswer {
    let refund = refund();
    let reply = pair.said(StatusCode::OK, body, &stamp("1"));
    pair.codec.decode_refund(RefundAsk { kind, refund: &refund }, &reply, NOW).answer
}

fn refund_word(answer: &RefundAnswer) -> &'static str {
    match answer {
        RefundAnswer::Looked(Looked::Page(_)) => "page",
        RefundAnswer::Said(said) => match said {
            RefundSaid::Accepted => "accepted",
            RefundSaid::Refused(_) => "refused",
            RefundSaid::Blocked(_) => "blocked",
            RefundSaid::Inconclusive(what) => without(what),
        },
        RefundAnswer::Queried(queried) => match queried {
            Queried::Done(_) => "done",
            Queried::Processing => "processing",
            Queried::Closed => "closed",
            Queried::Abnormal => "abnormal",
            Queried::NotFound => "not_there",
            Queried::Inconclusive(what) => without(what),
        },
        RefundAnswer::Looked(Looked::Inconclusive(what)) => without(what),
    }
}

#[test]
fn every_state_of_a_refund_means_what_the_table_says() {
    let pair = Pair::new();
    for (state, code, put, get) in [
        ("sent", "", "unknown", "unknown"),
        ("checking", "no_answer", "unknown", "unknown"),
        ("accepted", "", "accepted", "processing"),
        ("done", "", "accepted", "done"),
        ("refused", "NOTENOUGH", "refused", "not_there"),
        ("attention", "CHANGE", "accepted", "abnormal"),
        ("attention", "REFUNDCLOSE", "accepted", "closed"),
        ("attention", "merchant_changed", "accepted", "unknown"),
        ("on its way", "", "unknown", "unknown"),
    ] {
        let told = told_of_refund(state, code);
        assert_eq!(refund_word(&of_refund(&pair, RefundCallKind::Refund, &told)), put, "{state}");
        assert_eq!(refund_word(&of_refund(&pair, RefundCallKind::Query, &told)), get, "{state}");
    }
    let doubtful = message::Refund { counts: true, ..told_of_refund("refused", "NOTENOUGH") };
    for kind in [RefundCallKind::Refund, RefundCallKind::Query] {
        assert_eq!(refund_word(&of_refund(&pair, kind, &doubtful)), "unknown");
    }
}

#[test]
fn only_this_very_refund_counts() {
    let pair = Pair::new();
    let changes: [fn(&mut message::Refund); 5] = [
        |told| told.out_trade_no.push('1'),
        |told| told.out_refund_no.push('1'),
        |told| told.amount = 235,
        |told| told.total = 1235,
        |told| "USD".clone_into(&mut told.currency),
    ];
    for change in changes {
        let mut told = told_of_refund("done", "");
        change(&mut told);
        for kind in [RefundCallKind::Refund, RefundCallKind::Query] {
            assert_eq!(refund_word(&of_refund(&pair, kind, &told)), "unknown", "{told:?}");
        }
    }
}

#[test]
fn every_refusal_of_a_refund_means_what_the_table_says() {
    let pair = Pair::new();
    for refused in Refused::ALL {
        let (put, get) = match refused {
            Refused::NotSent => ("not_sent", "unknown"),
            Refused::Replayed | Refused::Failed => ("unknown", "unknown"),
            Refused::NotFound => ("refused", "not_there"),
            Refused::NumberUsed
            | Refused::Closed
            | Refused::Revoked
            | Refused::NotAllowed
            | Refused::Limit
            | Refused::Clock
            | Refused::Unauthorized
            | Refused::BadRequest => ("refused", "unknown"),
        };
        let refusal = Refusal { code: refused.word().to_owned(), text: String::new() };
        let refund = refund();
        let meant =
            [RefundCallKind::Refund, RefundCallKind::Query, RefundCallKind::Look { offset: 0 }]
                .map(|kind| {
                    let reply = pair.said(refused.status(), &refusal, &stamp("1"));
                    let ask = RefundAsk { kind, refund: &refund };
                    refund_word(&pair.codec.decode_refund(ask, &reply, NOW).answer)
                });
        assert_eq!(meant, [put, get, "unknown"], "{refused:?}");
    }
}

#[test]
fn a_look_brings_all_refunds_of_the_order() {
    let pair = Pair::new();
    let look = RefundCallKind::Look { offset: 0 };
    let refunds = vec![told_of_refund("done", ""), told_of_refund("refused", "")];
    let list = message::RefundList { refunds: refunds.clone() };
    let RefundAnswer::Looked(Looked::Page(page)) = of_refund(&pair, look, &list) else {
        panic!("no page");
    };
    assert_eq!((page.total, page.refunds.len()), (2, 2));
    assert_eq!(page.refunds[0].amount, Money::from_minor(234));
    assert_eq!(page.refunds.iter().map(|refund| refund.counts).collect::<Vec<_>>(), [true, false]);
    let mut foreign = refunds;
    foreign[1].out_trade_no.push('1');
    let list = message::RefundList { refunds: foreign };
    assert_eq!(refund_word(&of_refund(&pair, look, &list)), "unknown");
}
