//! Checks the gateway: whether it can be reached under its right name and with our certificate,
//! whether it accepts our account, and how far the clocks are apart.

use secrecy::ExposeSecret;

use super::FindingReporter;
use crate::clock::{TimeZone, Timestamp};
use crate::config::{Config, WechatV2Config as Settings};
use crate::gateway::wechat::fields::SignType;
use crate::gateway::wechat::v2::WechatV2;
use crate::gateway::{Ask, Gateway, Stamp};
use crate::language::Language;
use crate::order::{Merchant, Order, OutTradeNo};
use crate::payment::{Answer, Cause, Found, Inconclusive, TillCause};
use crate::text::doctor::{Finding, Verdict};
use crate::text::reason;
use paytill_host::certificate::Validity;
use paytill_host::clock::Clock;
use paytill_host::random::nonce;
use paytill_host::transport::{RouteError, Transport, TransportFailure};

/// A new certificate takes days to obtain.
const ENDS_SOON_DAYS: i64 = 30;
const DAY: i64 = 24 * 3600 * 1000;
/// The gateway reports whole seconds, and the network adds its delay.
const CLOCK_MAY_BE_OFF: u64 = 60;
/// Beyond this, orders fall on the wrong day and certificates fail.
const CLOCK_IS_WRONG: u64 = 1800;
/// A status from here on says that the server itself is in trouble.
const SERVER_ERROR: u16 = 500;
/// What a visit gets, beside a message, where nothing is wrong with the certificate.
const PASSED: [u16; 2] = [404, 405];
/// The ending of the real gateway's hosts.
pub(super) const REAL: &str = ".mch.weixin.qq.com";
/// `err_code`s that concern the account (protocol 4.2, 4.4).
const OF_THE_ACCOUNT: [&str; 6] = [
    "APPID_MCHID_NOT_MATCH",
    "APPID_NOT_EXIST",
    "MCHID_NOT_EXIST",
    "NOAUTH",
    "PARAM_ERROR",
    "SIGNERROR",
];

/// Dials each host, then queries the first reachable one for an order that cannot exist.
pub(super) async fn check(
    config: &Config,
    settings: &Settings,
    clock: &Clock,
    reporter: &mut FindingReporter,
) {
    let pem = settings.client_identity_pem.expose_secret().as_bytes();
    reporter.report(&certificate(pem, clock.wall(), &config.store.time_zone));
    if let Some((holder, merchant)) = settings.foreign_certificate() {
        let merchant = merchant.to_owned();
        reporter.report(&Finding::CertificateForeign { holder, merchant });
    }
    if settings.line.ca_pem.is_some() && settings.line.base_url.ends_with(REAL) {
        reporter.report(&Finding::OwnRoots);
    }
    let route = settings.route();
    let transport = match Transport::new(&route) {
        Ok(transport) => transport,
        Err(error) => return reporter.report(&no_line(&error, reporter.language)),
    };
    let reached = visit(&route.hosts, &transport, clock, reporter).await;
    let Some((index, date, before)) = reached else { return };
    match transport.visit(index, true).await {
        Err(failure) => {
            reporter.report(&Finding::CertificateRefused(words(&failure, reporter.language)));
        }
        // Who answers a visit in this way has let our certificate pass.
        Ok(visit) if visit.is_message || PASSED.contains(&visit.page.status) => {}
        Ok(visit) => reporter.report(&Finding::CertificatePage(visit.page.line())),
    }
    reporter.report(&account(config, settings, &transport, clock, reporter.language).await);
    if settings.sign_type == SignType::Md5 {
        reporter.report(&Finding::AccountMd5);
    }
    reporter.report(&date.map_or(Finding::ClockUncompared, |date| compare(date, before)));
}

/// Why nothing can be dialled.
pub(super) fn no_line(error: &RouteError, language: Language) -> Finding {
    let sentence = error.text().in_language(language).to_owned();
    match error {
        RouteError::NoRoots { .. } => Finding::NoRoots(sentence),
        RouteError::Client(_) | RouteError::Identity(_) => Finding::SecretsWrong(sentence),
    }
}

/// Dials each host. Returns the first one that was reached, its time, and ours before that.
pub(super) async fn visit(
    hosts: &[String],
    transport: &Transport,
    clock: &Clock,
    reporter: &mut FindingReporter,
) -> Option<(usize, Option<Timestamp>, Timestamp)> {
    let mut reached = None;
    for (index, host) in hosts.iter().enumerate() {
        let before = clock.wall();
        match transport.visit(index, false).await {
            Ok(visit) => {
                reporter.report(&if visit.page.status >= SERVER_ERROR {
                    let page = visit.page.line();
                    Finding::HostInTrouble { host: host.clone(), page, is_backup: index > 0 }
                } else {
                    Finding::Reached(host.clone())
                });
                reached.get_or_insert((index, visit.date, before));
            }
            Err(failure) => reporter.report(&Finding::Unreachable {
                host: host.clone(),
                why: words(&failure, reporter.language),
                is_backup: index > 0,
            }),
        }
    }
    reached
}

pub(super) fn certificate(pem: &[u8], now: Timestamp, zone: &TimeZone) -> Finding {
    let Some(Validity { from, until }) = Validity::of_pem(pem) else {
        return Finding::CertificateUnreadable;
    };
    let day = |at: Timestamp| at.local("%Y-%m-%d", zone);
    let days = (until.0 - now.0) / DAY;
    if now < from {
        Finding::CertificateNotYet(day(from))
    } else if now > until {
        Finding::CertificateEnded(day(until))
    } else if days < ENDS_SOON_DAYS {
        Finding::CertificateEnds { until: day(until), days }
    } else {
        Finding::CertificateGood(day(until))
    }
}

async fn account(
    config: &Config,
    settings: &Settings,
    transport: &Transport,
    clock: &Clock,
    language: Language,
) -> Finding {
    let codec = WechatV2::new(settings.sign_type, settings.api_key.clone());
    let what = match query(config, &settings.merchant, &codec, transport, clock).await {
        Ok(finding) => return finding,
        Err(what) => what,
    };
    let said = reason::cause_sentence(what.reason(), language);
    match (&what, &what.reason().cause) {
        (Inconclusive::Unsigned(why), _) => Finding::AccountRefused(why.text.clone()),
        (_, Cause::Till(TillCause::BadSignature | TillCause::WrongMerchant)) => {
            Finding::AccountNotOurs(said)
        }
        _ if is_of_the_account(&what) => Finding::AccountRefused(said),
        _ => otherwise(&what, said),
    }
}

/// What is said of an answer that is not about the account.
pub(super) fn otherwise(what: &Inconclusive, said: String) -> Finding {
    match what.reason().cause {
        Cause::Till(TillCause::HttpStatus | TillCause::BadAnswer) => Finding::QueryPage(said),
        _ => Finding::AccountUnclear(said),
    }
}

pub(super) fn is_of_the_account(what: &Inconclusive) -> bool {
    matches!(&what.reason().cause, Cause::Gateway(code) if OF_THE_ACCOUNT.contains(&code.as_str()))
}

/// Queries an order number that no till issues: theirs end in digits. A query moves no money.
pub(super) async fn query(
    config: &Config,
    merchant: &Merchant,
    codec: &dyn Gateway,
    transport: &Transport,
    clock: &Clock,
) -> Result<Finding, Inconclusive> {
    let number = OutTradeNo::try_from(format!("doctor-of-{}", config.till.id.as_str()));
    let (Ok(out_trade_no), Some(nonce)) = (number, nonce()) else {
        return Ok(Finding::AccountUnclear(String::new()));
    };
    let order = Order::of_number(out_trade_no, merchant.clone(), config.till.currency);
    let ask = Ask::Query(&order);
    let stamp = Stamp { time: clock.wall(), nonce };
    let reply = transport.ask(&codec.encode(ask, &stamp), clock.uptime()).await;
    let reply = reply.map(|mut reply| {
        codec.receive(&stamp, &mut reply);
        codec.decode(ask, &reply, clock.wall()).answer
    });
    match reply {
        Ok(Answer::Found(Found::NotFound)) => Ok(Finding::AccountGood),
        Ok(Answer::Found(Found::Inconclusive(what))) => Err(what),
        // No other answer makes sense for such a number.
        Ok(_) => Ok(Finding::AccountUnclear(String::new())),
        Err(failure) => Err(failure.into()),
    }
}

pub(super) fn compare(theirs: Timestamp, ours: Timestamp) -> Finding {
    let seconds = theirs.0.abs_diff(ours.0) / 1000;
    if seconds <= CLOCK_MAY_BE_OFF {
        return Finding::ClockRight(seconds);
    }
    let verdict = if seconds >= CLOCK_IS_WRONG { Verdict::Fault } else { Verdict::Warning };
    Finding::ClockWrong { seconds, is_ahead: ours > theirs, verdict }
}

fn words(failure: &TransportFailure, language: Language) -> String {
    reason::cause_sentence(failure.reason(), language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_off_by_a_minute_and_is_wrong_by_half_an_hour() {
        let now = 1_795_318_200_000;
        let found = |seconds: i64| compare(Timestamp(now), Timestamp(now + seconds * 1000));
        assert_eq!(found(60), Finding::ClockRight(60));
        assert_eq!(found(-60), Finding::ClockRight(60));
        let wrong = |seconds, is_ahead, verdict| Finding::ClockWrong { seconds, is_ahead, verdict };
        assert_eq!(found(61), wrong(61, true, Verdict::Warning));
        assert_eq!(found(-1799), wrong(1799, false, Verdict::Warning));
        assert_eq!(found(-1800), wrong(1800, false, Verdict::Fault));
    }
}
