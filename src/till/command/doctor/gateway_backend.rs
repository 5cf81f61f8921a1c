//! Checks the merchant's backend: whether it can be reached, is the one that the till knows, and knows
//! the till in turn; what the till may do there, and how far the clocks are apart.

use super::FindingReporter;
use super::gateway::{compare, no_line, visit};
use crate::clock::Timestamp;
use crate::config::{BackendConfig as Settings, Config};
use crate::gateway::backend::Backend;
use crate::gateway::backend::message::{Hello, Refused, Rights};
use crate::gateway::backend::signed::WINDOW;
use crate::gateway::{Gateway as _, Stamp};
use crate::money::Money;
use crate::payment::{Cause, Inconclusive, Reason, TillCause};
use crate::text::doctor::{Finding, OfBackend};
use crate::text::reason;
use paytill_host::clock::Clock;
use paytill_host::random::nonce;
use paytill_host::transport::Transport;

/// Dials each host, and says hello.
pub(super) async fn check(
    config: &Config,
    settings: &Settings,
    clock: &Clock,
    reporter: &mut FindingReporter,
) {
    // The key was checked when the configuration was read.
    let Some(codec) = settings.codec() else { return };
    reporter.report(&Finding::OfBackend(OfBackend::Keys {
        till: settings.till.as_str().to_owned(),
        own: codec.key().id(),
        theirs: settings.backend_key.id(),
    }));
    let transport = match settings.transport() {
        Ok(transport) => transport,
        Err(error) => return reporter.report(&no_line(&error, reporter.language)),
    };
    let reached = visit(&settings.route().hosts, &transport, clock, reporter).await;
    let Some((_, date, before)) = reached else { return };
    match hello(&codec, &transport, clock).await {
        Ok(hello) => {
            for finding in findings(&hello, config, settings) {
                reporter.report(&Finding::OfBackend(finding));
            }
            reporter.report(&compare(Timestamp(hello.now), clock.wall()));
        }
        Err(what) => {
            let said = reason::cause_sentence(what.reason(), reporter.language);
            let off = date.map(|date| (date.0.abs_diff(before.0), before > date));
            reporter.report(&refused(what.reason(), said, off));
        }
    }
}

async fn hello(
    codec: &Backend,
    transport: &Transport,
    clock: &Clock,
) -> Result<Hello, Inconclusive> {
    let no_nonce = || Inconclusive::NotSent(TillCause::NoRandomness.into());
    let stamp = Stamp { time: clock.wall(), nonce: nonce().ok_or_else(no_nonce)? };
    let mut reply = transport.ask(&codec.encode_hello(&stamp), clock.uptime()).await?;
    codec.receive(&stamp, &mut reply);
    codec.decode_hello(&reply)
}

/// What a hello says that was believed.
fn findings(hello: &Hello, config: &Config, settings: &Settings) -> Vec<OfBackend> {
    let Hello { version, merchant, store, till, currency, rules, rights, .. } = hello.clone();
    let mut findings = vec![OfBackend::Running { version }];
    let ours = config.till.currency;
    if merchant == settings.merchant.mch_id && till == settings.till.as_str() {
        findings.push(OfBackend::Known { merchant, store, till });
    } else {
        findings.push(OfBackend::KnownOtherwise { merchant, till });
    }
    if currency != ours.code() {
        let ours = ours.code().to_owned();
        findings.push(OfBackend::OtherCurrency { theirs: currency, ours });
    }
    let Rights { charge, qr, refund_up_to, .. } = rights;
    let most = Some(Money::from_minor(refund_up_to)).filter(|most| *most > Money::default());
    let refund_up_to = most.map(|most| ours.show(most));
    findings.push(OfBackend::Rights { charge, qr, refund_up_to });
    let (ours_ms, theirs_ms) = (config.payment.rules.give_up_after.0, rules.give_up_after_ms);
    if ours_ms < theirs_ms {
        findings.push(OfBackend::Impatient { ours_ms, theirs_ms });
    }
    findings
}

/// Why the backend would not say hello. `off`: how far its clock is from ours, in milliseconds, and
/// whether ours is ahead.
fn refused(reason: &Reason, said: String, off: Option<(u64, bool)>) -> Finding {
    let refused = match &reason.cause {
        Cause::Gateway(code) => Refused::from_word(code),
        Cause::Till(TillCause::BadSignature) => {
            return Finding::OfBackend(OfBackend::NotSigned(said));
        }
        Cause::Till(_) => None,
    };
    match refused {
        Some(Refused::Revoked) => Finding::OfBackend(OfBackend::Revoked),
        Some(Refused::Clock) => {
            let (millis, is_ahead) = off.unwrap_or((WINDOW, false));
            Finding::OfBackend(OfBackend::ClockOff { seconds: millis / 1000, is_ahead })
        }
        Some(_) => Finding::OfBackend(OfBackend::Refused(said)),
        None => Finding::QueryPage(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_finding() {
        let found =
            |reason: Reason| match refused(&reason, "said".to_owned(), Some((130_000, true))) {
                Finding::OfBackend(OfBackend::Revoked) => "revoked",
                Finding::OfBackend(OfBackend::ClockOff { seconds: 130, is_ahead: true }) => "clock",
                Finding::OfBackend(OfBackend::Refused(_)) => "refused",
                Finding::OfBackend(OfBackend::NotSigned(_)) => "not signed",
                Finding::QueryPage(_) => "page",
                _ => "something else",
            };
        for (code, finding) in [
            ("revoked", "revoked"),
            ("clock", "clock"),
            ("unauthorized", "refused"),
            ("not_allowed", "refused"),
            ("unheard_of", "page"),
        ] {
            assert_eq!(found(Reason::gateway(code, "")), finding, "{code}");
        }
        assert_eq!(found(TillCause::BadSignature.into()), "not signed");
        assert_eq!(found(TillCause::HttpStatus.into()), "page");
    }
}
