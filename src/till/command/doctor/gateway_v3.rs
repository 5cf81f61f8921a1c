//! Checks the gateway through API v3: the keys, what verifies its answers, what it thinks of the
//! account, and whether the clocks are as close as signatures need.

use super::FindingReporter;
use super::gateway::{self, REAL};
use crate::clock::Timestamp;
use crate::config::{Config, WechatV3Config as Settings};
use crate::gateway::wechat::WechatV3;
use crate::gateway::wechat::v3::certificates::NoCertificates;
use crate::order::Merchant;
use crate::payment::{Cause, Inconclusive, TillCause};
use crate::text::doctor::{Finding, OfV3};
use crate::text::reason;
use paytill_host::clock::Clock;
use paytill_host::gateway::certificates::{self, KeysTried};
use paytill_host::transport::Transport;

/// Beyond this, requests are refused and answers ignored (apiv3 2.2 and 2.3).
const WINDOW_SECONDS: u64 = 300;

/// Dials each host, downloads certificates if they are used, and queries an order that cannot exist.
pub(super) async fn check(
    config: &Config,
    settings: &Settings,
    clock: &Clock,
    reporter: &mut FindingReporter,
) {
    let zone = &config.store.time_zone;
    let public_key_id = settings.public_key.as_ref().map(|(id, _)| id.clone());
    let serial = settings.merchant_serial.clone();
    reporter.report(&Finding::OfV3(OfV3::Keys { serial, public_key_id }));
    let Merchant { mch_id, sub_mch_id, .. } = settings.merchant.clone();
    let shop = Some(sub_mch_id).filter(|shop| !shop.is_empty());
    reporter.report(&Finding::OfV3(OfV3::Merchant { mch_id, shop }));
    match &settings.merchant_certificate_pem {
        Some(pem) => {
            reporter.report(&gateway::certificate(pem, clock.wall(), zone));
            if let Some((holder, merchant)) = settings.foreign_certificate() {
                let merchant = merchant.to_owned();
                reporter.report(&Finding::CertificateForeign { holder, merchant });
            }
        }
        None => reporter.report(&Finding::OfV3(OfV3::NoCertificate)),
    }
    if settings.line.ca_pem.is_some() && settings.line.base_url.ends_with(REAL) {
        reporter.report(&Finding::OwnRoots);
    }
    let route = settings.route();
    let (transport, codec) = match (Transport::new(&route), settings.codec()) {
        (Ok(transport), Ok(codec)) => (transport, codec),
        (Err(error), _) => {
            return reporter.report(&gateway::no_line(&error, reporter.language));
        }
        // The key was checked when the configuration was read.
        (Ok(_), Err(_)) => return,
    };
    let reached = gateway::visit(&route.hosts, &transport, clock, reporter).await;
    let Some((_, date, before)) = reached else { return };
    // The rest would only repeat it.
    if let Some(off) = date.and_then(|date| off(date, before)) {
        return reporter.report(&Finding::OfV3(off));
    }
    if settings.public_key.is_none()
        && !certificates(settings, &codec, &transport, clock, config, reporter).await
    {
        return;
    }
    if settings.public_key.is_some() {
        // Whoever verifies with a public key needs no certificates, and its key is never tried.
        let tried = certificates::try_keys(&codec, settings, &transport, clock).await;
        match &tried {
            Ok(KeysTried { fits: Some(true), .. }) => {
                reporter.report(&Finding::OfV3(OfV3::ApiV3KeyGood));
            }
            Ok(KeysTried { fits: Some(false), .. }) => {
                reporter.report(&Finding::OfV3(OfV3::WrongApiV3Key));
            }
            Ok(KeysTried { fits: None, .. }) | Err(NoCertificates::PublicKeyOnly) => {
                reporter.report(&Finding::OfV3(OfV3::ApiV3KeyUnused));
            }
            // The query says why.
            Err(_) => {}
        }
        // The query below is refused, and refusals are not signed: this is what shows whether the public
        // key verifies.
        if let Ok(KeysTried { unverified: Some(why), .. }) = tried {
            return reporter.report(&account(&Inconclusive::Unknown(why), reporter));
        }
    }
    let merchant = &settings.merchant;
    let account = match gateway::query(config, merchant, &codec, &transport, clock).await {
        Ok(finding) => finding,
        Err(what) => account(&what, reporter),
    };
    reporter.report(&account);
    reporter.report(&date.map_or(Finding::ClockUncompared, |date| gateway::compare(date, before)));
}

/// Whether the certificates could be downloaded.
async fn certificates(
    settings: &Settings,
    codec: &WechatV3,
    transport: &Transport,
    clock: &Clock,
    config: &Config,
    reporter: &mut FindingReporter,
) -> bool {
    let finding = match certificates::fetch(codec, settings, transport, clock).await {
        Ok(certificates) => {
            let until = certificates.iter().map(|certificate| certificate.until).max();
            let until = until.unwrap_or_default().local("%Y-%m-%d", &config.store.time_zone);
            let count = certificates.len();
            reporter.report(&Finding::OfV3(OfV3::PlatformCertificates { count, until }));
            return true;
        }
        Err(NoCertificates::PublicKeyOnly) => OfV3::PublicKeyOnly,
        Err(NoCertificates::WrongKey) => OfV3::WrongApiV3Key,
        Err(NoCertificates::Refused { code, text }) => {
            OfV3::AccountRefused(format!("{code} {text}"))
        }
        Err(NoCertificates::Unbelievable(words)) => OfV3::NoPlatformCertificates(words),
    };
    reporter.report(&Finding::OfV3(finding));
    false
}

fn account(what: &Inconclusive, reporter: &FindingReporter) -> Finding {
    let said = reason::cause_sentence(what.reason(), reporter.language);
    match (what, &what.reason().cause) {
        (Inconclusive::Unsigned(why), _) => Finding::OfV3(OfV3::AccountRefused(why.text.clone())),
        (_, Cause::Till(TillCause::BadSignature | TillCause::WrongMerchant)) => {
            let words = &what.reason().text;
            let gap = if words.is_empty() { "" } else { " " };
            Finding::OfV3(OfV3::AccountNotOurs(format!("{said}{gap}{words}")))
        }
        _ if gateway::is_of_the_account(what) => Finding::OfV3(OfV3::AccountRefused(said)),
        _ => gateway::otherwise(what, said),
    }
}

fn off(theirs: Timestamp, ours: Timestamp) -> Option<OfV3> {
    let seconds = theirs.0.abs_diff(ours.0) / 1000;
    let is_ahead = ours > theirs;
    (seconds >= WINDOW_SECONDS).then_some(OfV3::ClockOff { seconds, is_ahead })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_off_by_less_than_five_minutes() {
        let now = 1_795_318_200_000;
        let off = |seconds: i64| off(Timestamp(now), Timestamp(now + seconds * 1000));
        assert_eq!((off(299), off(-299)), (None, None));
        assert_eq!(off(300), Some(OfV3::ClockOff { seconds: 300, is_ahead: true }));
        assert_eq!(off(-400), Some(OfV3::ClockOff { seconds: 400, is_ahead: false }));
    }
}
