//! What people and programs are shown of a payment, state by state.

use super::*;

/// A payment that is waiting for its customer.
fn waiting() -> PaymentBench {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    bench
}

/// A payment that was cancelled after three seconds: its reversal is held back.
fn held_back() -> PaymentBench {
    let mut bench = waiting();
    bench.now = Millis(3_000);
    bench.handle(&Event::Cancel);
    bench
}

/// A payment whose reversal is on the wire, at 30 s.
fn reversal_out() -> PaymentBench {
    let mut bench = waiting();
    bench.until(29_000, |_| Says::Paying);
    bench.now = Millis(30_000);
    bench.handle(&Event::Tick);
    bench.answer(Says::Paying);
    assert_eq!(bench.last.kind, CallKind::Reverse);
    bench
}

#[test]
fn every_state_has_a_word_that_is_read_back() {
    let words = Status::ALL.map(Status::word);
    let expected = [
        "created",
        "sent",
        "waiting",
        "checking",
        "reversing",
        "paid",
        "declined",
        "reversed",
        "closed",
        "attention",
    ];
    assert_eq!(words, expected);
    for status in Status::ALL {
        assert_eq!(Status::from_word(status.word()), Some(status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.word());
    }
    assert_eq!(Status::from_word("PAID"), None);
}

#[test]
fn the_cashier_need_not_wait_for_an_end_or_for_what_needs_a_person() {
    let over = Status::ALL.into_iter().filter(|status| status.is_final_for_cashier());
    let expected =
        [Status::Paid, Status::Declined, Status::Reversed, Status::Closed, Status::Attention];
    assert_eq!(over.collect::<Vec<_>>(), expected);
}

#[test]
fn calls_and_endings_have_the_words_of_the_protocol() {
    let kinds = [CallKind::Submit, CallKind::Query, CallKind::Reverse, CallKind::RefundQuery];
    assert_eq!(kinds.map(CallKind::word), ["micropay", "orderquery", "reverse", "refundquery"]);
    for (ending, word) in [
        (Ending::Closed, "CLOSED"),
        (Ending::Revoked, "REVOKED"),
        (Ending::Returned, "REVOKED"),
        (Ending::Refunded, "REFUND"),
    ] {
        assert_eq!(ending.code(), word);
        let mut bench = waiting();
        bench.now = Millis(5_000);
        bench.handle(&Event::Tick);
        bench.answer(Says::Ended(ending));
        let was_paid = matches!(ending, Ending::Returned | Ending::Refunded);
        let why = if was_paid { "paid_at_last_moment" } else { word };
        assert_eq!(bench.state.reason().unwrap().code(), why);
    }
}

#[test]
fn the_call_whose_answer_is_awaited_is_the_one_that_was_made_last() {
    assert_eq!(waiting().state.awaited(), None, "the submission is awaited by nobody");
    let mut bench = waiting();
    bench.now = Millis(5_000);
    bench.handle(&Event::Tick);
    assert_eq!(bench.state.awaited(), Some(bench.last));
    bench.answer(Says::Paying);
    assert_eq!(bench.state.awaited(), None);
    let bench = reversal_out();
    assert_eq!(bench.state.awaited(), Some(bench.last));
    let mut bench = waiting();
    let unknown = |kind| if kind == CallKind::Reverse { Says::Accepted } else { Says::NotFound };
    bench.until(159_999, unknown);
    assert_eq!(bench.state.awaited(), None);
    bench.now = Millis(160_000);
    bench.handle(&Event::Tick);
    assert_eq!(bench.state.awaited(), Some(bench.last), "a later look");
}

#[test]
fn a_refusal_is_being_confirmed_until_its_query_is_answered() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Declined(reason("NOTENOUGH")));
    assert!(bench.state.is_being_confirmed());
    bench.answer(Says::NotPaid);
    assert!(!bench.state.is_being_confirmed(), "its number is closed in the background");
    bench.until(14_999, |_| lost());
    bench.now = Millis(15_000);
    bench.handle(&Event::Tick);
    bench.answer(Says::NotPaid);
    assert_eq!(bench.last.kind, CallKind::Reverse);
    assert!(!bench.state.is_being_confirmed());
    let mut bench = waiting();
    bench.now = Millis(16_000);
    bench.handle(&Event::Cancel);
    assert!(!bench.state.is_being_confirmed(), "nothing was told yet");
}

#[test]
fn an_outcome_is_certain_when_it_is_paid_not_paid_or_reversed() {
    assert!(!waiting().state.is_settled());
    assert!(!reversal_out().state.is_settled());
    let mut bench = waiting();
    bench.until(300_000, |_| lost());
    assert_eq!(bench.state.status(), Status::Attention);
    assert!(!bench.state.is_settled());
    bench.until(400_000, nobody_pays());
    assert!(bench.state.is_settled());
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paid(proof()));
    assert!(bench.state.is_settled());
    assert_eq!(bench.state.reason(), None);
}

#[test]
fn what_the_gateway_will_not_reverse_is_told_from_what_it_has_not_reversed_yet() {
    for (answer, refused) in [
        (Says::ReversalRefused(reason("TRADE_ERROR")), true),
        (Says::Expired(reason("REVERSE_EXPIRE")), true),
        (Says::Repeat(reason("recall")), false),
    ] {
        let mut bench = reversal_out();
        bench.answer(answer);
        assert_eq!(bench.state.is_reversal_refused(), refused);
    }
    // The gateway may change its mind.
    let mut bench = reversal_out();
    bench.answer(Says::ReversalRefused(reason("TRADE_ERROR")));
    bench.until(36_000, |kind| match kind {
        CallKind::Reverse => Says::Repeat(reason("recall")),
        _ => Says::NotPaid,
    });
    assert!(!bench.state.is_reversal_refused());
    // A number that took nothing needs no attention.
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Declined(reason("NOTENOUGH")));
    bench.answer(Says::NotPaid);
    bench.until(16_000, |kind| match kind {
        CallKind::Reverse => Says::ReversalRefused(reason("TRADE_ERROR")),
        _ => Says::NotPaid,
    });
    assert_eq!(bench.state.status(), Status::Declined);
    assert!(!bench.state.is_reversal_refused());
}

#[test]
fn that_money_went_back_is_said_only_when_it_was_there() {
    assert_eq!(waiting().state.money(), Funds::Unknown);
    let mut bench = reversal_out();
    assert_ne!(bench.state.money(), Funds::Returned);
    bench.answer(Says::Accepted);
    bench.answer(Says::Paid(proof()));
    assert_eq!(bench.state.money(), Funds::Held, "it was there, and has not gone back yet");
    bench.until(60_000, |kind| match kind {
        CallKind::Reverse => Says::Accepted,
        _ => Says::Ended(Ending::Returned),
    });
    assert_eq!(bench.state.money(), Funds::Returned);
    let mut bench = reversal_out();
    bench.answer(Says::Accepted);
    bench.answer(Says::Ended(Ending::Revoked));
    assert_eq!(bench.state.status(), Status::Reversed);
    assert_eq!(bench.state.money(), Funds::NotMoved);
}

#[test]
fn while_a_customer_is_waited_for_the_countdowns_say_the_next_query_and_the_end() {
    let outlook = waiting().state.outlook(&RULES);
    let gives_up_at = Some(Millis(30_000));
    assert_eq!(outlook, Outlook { checks_at: Some(Millis(5_000)), gives_up_at, reverses_at: None });
    let rules = Rules { give_up_after: Millis::seconds(4), ..RULES };
    assert_eq!(waiting().state.outlook(&rules).checks_at, Some(Millis(4_000)));
    let mut paid = PaymentBench::begin();
    paid.answer(Says::Paid(proof()));
    assert_eq!(paid.state.outlook(&RULES), Outlook::default());
}

#[test]
fn the_time_of_the_first_reversal_is_said_only_while_it_is_held_back() {
    let mut bench = held_back();
    let outlook = bench.state.outlook(&RULES);
    assert_eq!((outlook.checks_at, outlook.gives_up_at), (Some(Millis(5_000)), None));
    assert_eq!(outlook.reverses_at, Some(Millis(15_000)));
    bench.now = Millis(5_000);
    bench.handle(&Event::Tick);
    let outlook = bench.state.outlook(&RULES);
    assert_eq!(outlook.checks_at, None, "it is being asked");
    assert_eq!(outlook.reverses_at, Some(Millis(15_000)));
    let mut bench = reversal_out();
    assert_eq!(bench.state.outlook(&RULES).reverses_at, None, "on the wire");
    let mut accepted = reversal_out();
    accepted.answer(Says::Accepted);
    assert_eq!(accepted.state.outlook(&RULES).reverses_at, None, "accepted");
    bench.answer(Says::Repeat(reason("recall")));
    assert_eq!(bench.state.outlook(&RULES).reverses_at, None, "not the first any more");
    let mut declined = PaymentBench::begin();
    declined.answer(Says::Declined(reason("NOTENOUGH")));
    declined.answer(Says::NotPaid);
    assert_eq!(declined.state.outlook(&RULES).reverses_at, None, "nobody waits for it");
}

#[test]
fn what_the_gateway_says_while_the_customer_pays_is_kept_to_the_end() {
    const SAID: &str = "paid the same amount within a minute";
    let asked = || {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Asked(Reason::gateway("USERPAYING", SAID)));
        assert_eq!(bench.state.status(), Status::Waiting);
        bench.until(10_000, |_| Says::Paying);
        bench
    };
    let said = |bench: &PaymentBench| {
        let reason = bench.state.reason().unwrap();
        (reason.code().to_owned(), reason.text.clone())
    };
    assert_eq!(said(&asked()), ("USERPAYING".to_owned(), SAID.to_owned()));
    let mut bench = asked();
    bench.handle(&Event::Cancel);
    assert_eq!(said(&bench), ("cancelled".to_owned(), SAID.to_owned()));
    let mut bench = asked();
    bench.until(29_000, |_| Says::Paying);
    bench.now = Millis(30_000);
    bench.handle(&Event::Tick);
    assert_eq!(said(&bench), ("timeout".to_owned(), SAID.to_owned()));
}

#[test]
fn a_refusal_keeps_its_own_reason_when_the_query_finds_a_failed_payment() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Ambiguous(reason("BUYER_MISMATCH")));
    bench.answer(Says::Failed(reason("PAYERROR")));
    assert_eq!(bench.state.reason().map(Reason::code), Some("BUYER_MISMATCH"));
    bench.until(60_000, |kind| match kind {
        CallKind::Reverse => Says::Accepted,
        _ => Says::Ended(Ending::Revoked),
    });
    assert_eq!(bench.state.reason().map(Reason::code), Some("BUYER_MISMATCH"));
    // Without a refusal before it, the failure speaks for itself.
    let mut bench = waiting();
    bench.until(6_000, |_| Says::Failed(reason("PAYERROR")));
    assert_eq!(bench.state.reason().map(Reason::code), Some("PAYERROR"));
}
