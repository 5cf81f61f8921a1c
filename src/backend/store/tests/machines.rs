//! Payments driven by everything that can be said to them: what is read is what was written.

use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::message::Channel;
use paytill_core::order::CodeUrl;
use paytill_core::payment::{
    Answer, CloseSaid, Ending, Event, Found, Inconclusive, Ordered, Proof, Reason, Refunds,
    Reversed, State, Submitted, TillCause,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Books, NOW, RULES, begin, contract, key, payment};
use crate::store::{Change, Lease, PaymentRow, Write};

contract!(what_is_read_is_what_was_written);

fn reason() -> BoxedStrategy<Reason> {
    prop_oneof![
        ("[A-Z]{0,12}", any::<String>()).prop_map(|(code, text)| Reason::gateway(code, text)),
        Just(Reason::from(TillCause::Timeout)),
        any::<String>().prop_map(|text| Reason::quoting(TillCause::Cancelled, text)),
    ]
    .boxed()
}

fn inconclusive() -> BoxedStrategy<Inconclusive> {
    prop_oneof![
        reason().prop_map(Inconclusive::NotSent),
        reason().prop_map(Inconclusive::Unsigned),
        reason().prop_map(Inconclusive::Unknown),
    ]
    .boxed()
}

fn proof() -> BoxedStrategy<Proof> {
    ("[0-9]{1,28}", any::<i64>(), proptest::option::of(any::<i64>()))
        .prop_map(|(transaction_id, paid_at, coupon)| Proof {
            transaction_id,
            paid_at: Timestamp(paid_at),
            coupon,
        })
        .boxed()
}

fn submitted() -> BoxedStrategy<Answer> {
    prop_oneof![
        proof().prop_map(Submitted::Paid),
        Just(Submitted::Paying),
        reason().prop_map(Submitted::Asked),
        reason().prop_map(Submitted::Declined),
        reason().prop_map(Submitted::Ambiguous),
        inconclusive().prop_map(Submitted::Inconclusive),
    ]
    .prop_map(Answer::Submitted)
    .boxed()
}

fn found() -> BoxedStrategy<Answer> {
    let ending = prop_oneof![
        Just(Ending::Closed),
        Just(Ending::Revoked),
        Just(Ending::Returned),
        Just(Ending::Refunded)
    ];
    prop_oneof![
        proof().prop_map(Found::Paid),
        Just(Found::Paying),
        Just(Found::NotPaid),
        reason().prop_map(Found::Failed),
        (reason(), any::<bool>()).prop_map(|(reason, closed)| Found::Declined { reason, closed }),
        Just(Found::Returning),
        ending.prop_map(Found::Ended),
        Just(Found::NotFound),
        reason().prop_map(Found::AnotherTills),
        inconclusive().prop_map(Found::Inconclusive),
    ]
    .prop_map(Answer::Found)
    .boxed()
}

fn ended() -> BoxedStrategy<Answer> {
    let reversed = prop_oneof![
        Just(Reversed::Accepted),
        reason().prop_map(Reversed::Repeat),
        reason().prop_map(Reversed::Refused),
        reason().prop_map(Reversed::Expired),
        inconclusive().prop_map(Reversed::Inconclusive),
    ];
    let refunds = prop_oneof![
        Just(Refunds::Whole),
        reason().prop_map(Refunds::Part),
        Just(Refunds::None),
        Just(Refunds::Untold),
    ];
    let closed = prop_oneof![
        Just(CloseSaid::Accepted),
        reason().prop_map(CloseSaid::Paid),
        reason().prop_map(CloseSaid::Repeat),
        reason().prop_map(CloseSaid::Refused),
        inconclusive().prop_map(CloseSaid::Inconclusive),
    ];
    prop_oneof![
        reversed.prop_map(Answer::Reversed),
        refunds.prop_map(Answer::Refunds),
        closed.prop_map(Answer::Closed),
    ]
    .boxed()
}

fn ordered() -> BoxedStrategy<Answer> {
    let code = CodeUrl::try_from("weixin://wxpay/bizpayurl?pr=abc".to_owned()).unwrap();
    prop_oneof![
        2 => Just(Ordered::Code(code)),
        1 => reason().prop_map(Ordered::Refused),
        1 => reason().prop_map(Ordered::Ambiguous),
        1 => inconclusive().prop_map(Ordered::Inconclusive),
    ]
    .prop_map(Answer::Ordered)
    .boxed()
}

/// An answer belongs to the call that is awaited, or else to the one with this number.
fn happening() -> BoxedStrategy<(Event, u64)> {
    let answer = prop_oneof![submitted(), found(), found(), ended(), ordered()];
    let event = prop_oneof![
        8 => (0_u32..6, answer).prop_map(|(number, answer)| Event::Answered(number, answer)),
        3 => Just(Event::Tick),
        1 => Just(Event::Cancel),
        1 => Just(Event::CheckNow),
        1 => Just(Event::MerchantChanged),
        1 => any::<String>().prop_map(Event::Settled),
        1 => (0_u64..60_000).prop_map(|oldest| Event::Restarted { oldest: Millis(oldest) }),
    ];
    (event, 0_u64..20_000).boxed()
}

fn begun(is_qr: bool, jitter: u8) -> State {
    if is_qr { State::begin_qr(Millis(60_000), jitter) } else { State::begin(&RULES, jitter) }
}

/// What happens when, with a lease's owner and something that was said.
type Script = Vec<((Event, u64), [Option<String>; 2])>;

async fn what_is_read_is_what_was_written(books: Books) {
    let scripts = (
        any::<bool>(),
        any::<u8>(),
        any::<Vec<u8>>(),
        proptest::collection::vec((happening(), any::<[Option<String>; 2]>()), 1..12),
    );
    let runtime = tokio::runtime::Handle::current();
    let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
    let number = std::cell::Cell::new(0);
    let run = |(is_qr, jitter, fingerprint, script): (bool, u8, Vec<u8>, Script)| {
        number.set(number.get() + 1);
        let key = key(number.get());
        let mut row = PaymentRow {
            channel: if is_qr { Channel::Native } else { Channel::Micropay },
            state: begun(is_qr, jitter),
            fingerprint,
            ..payment(&key)
        };
        runtime.block_on(async {
            begin(&books.store, row.clone()).await.unwrap();
            let mut now = Millis(0);
            for ((event, later), [owner, wire]) in script {
                now = Millis(now.0 + later);
                let event = match (event, row.state.awaited()) {
                    (Event::Answered(_, answer), Some(call)) if answer.kind() == call.kind => {
                        Event::Answered(call.number, answer)
                    }
                    (event, _) => event,
                };
                let _ = row.state.step(&event, now, &RULES);
                row.version += 1;
                row.updated_at = NOW.after(now);
                row.wake_at = row.state.wake_at(&RULES).map(|at| NOW.after(at));
                row.as_of = event.is_evidence().then_some(row.updated_at);
                // PostgreSQL has no text with a NUL; the property is about the rest.
                row.lease = owner
                    .map(|owner| Lease { owner: owner.replace('\0', ""), until: row.updated_at });
                let wire: Vec<_> = wire.into_iter().map(|said| ("said".to_owned(), said)).collect();
                let written = (row.clone(), event.clone(), wire.clone());
                let decide = move |_: Option<&PaymentRow>| {
                    let (row, event, wire) = written.clone();
                    let write = Write { row, event: Some((event, wire)), outbox: vec![] };
                    Change { write: Some(write), result: () }
                };
                books.store.change(key.clone(), decide).await.unwrap();
                let read = books.store.payment(key.clone()).await.unwrap().unwrap();
                prop_assert_eq!(&read, &row);
                let last = books.store.story(key.clone()).await.unwrap().pop().unwrap();
                let status = row.state.status().word();
                prop_assert_eq!((last.event, last.wire), (event, wire));
                prop_assert_eq!((last.version, last.status.as_str()), (row.version, status));
            }
            Ok(())
        })
    };
    tokio::task::block_in_place(|| TestRunner::new(config).run(&scripts, run)).unwrap();
}
