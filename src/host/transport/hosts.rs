//! The gateway's hosts and how well each has answered: decides where a call goes. Pure.
//!
//! A host that gave no answer is left at once, and while another one answers no payment tries it:
//! time alone proves nothing. It is dialled again after a while, ever more rarely if it is well
//! when dialled and fails the calls that follow.

use std::sync::{Mutex, PoisonError};

use paytill_core::clock::{Millis, Uptime};

/// How long a host that failed is not even dialled, while another one answers.
const AVOID_FOR: Millis = Millis::seconds(180);
/// That time doubles this often at most.
const DOUBLINGS: u32 = 4;
/// A connection used this recently need not be dialled again.
const WARM_FOR: Millis = Millis::seconds(15);

/// In order of preference; never empty.
pub(super) struct Hosts {
    urls: Vec<String>,
    health: Mutex<Vec<Health>>,
}

#[derive(Clone, Copy, Default)]
struct Health {
    /// Set while nothing has shown that it is well again.
    failed_at: Option<Uptime>,
    /// How often it failed since it last answered a call.
    failures: u32,
    /// When a connection was last used, without and with the certificate.
    used_at: [Option<Uptime>; 2],
}

impl Hosts {
    pub(super) fn new(urls: Vec<String>) -> Self {
        let health = Mutex::new(vec![Health::default(); urls.len()]);
        Self { urls, health }
    }

    pub(super) fn url(&self, host: usize) -> &str {
        self.urls.get(host).map_or("", String::as_str)
    }

    /// The first that is well; if none is, the one whose failure is the oldest.
    pub(super) fn best(&self) -> usize {
        self.with(|health| {
            let well = health.iter().position(|host| host.failed_at.is_none());
            let oldest = || (0..health.len()).min_by_key(|host| health[*host].failed_at);
            well.or_else(oldest).unwrap_or(0)
        })
    }

    /// Another host than this, if there is one.
    pub(super) fn other(&self, host: usize) -> Option<usize> {
        (self.urls.len() > 1).then(|| (host + 1) % self.urls.len())
    }

    /// The same, unless it failed too, and only a moment ago.
    pub(super) fn other_that_may_answer(&self, host: usize, now: Uptime) -> Option<usize> {
        self.other(host).filter(|other| self.with(|health| !health[*other].is_avoided(now)))
    }

    /// A host that failed a while ago, and is to be dialled to see whether it is well again.
    pub(super) fn to_be_tried(&self, now: Uptime) -> Option<usize> {
        self.with(|health| {
            health.iter().position(|host| host.failed_at.is_some() && !host.is_avoided(now))
        })
    }

    /// A call was answered.
    pub(super) fn answered(&self, host: usize) {
        self.change(host, |health| (health.failed_at, health.failures) = (None, 0));
    }

    /// A dial was answered, which is less than a call: another host that is well is preferred for
    /// a while.
    pub(super) fn was_reached(&self, host: usize, now: Uptime) {
        let is_only_hope = self.with(|health| health.iter().all(|host| host.failed_at.is_some()));
        self.change(host, |health| {
            if is_only_hope || !health.is_avoided(now) {
                health.failed_at = None;
            }
        });
    }

    /// A call or a dial was not answered.
    pub(super) fn failed(&self, host: usize, now: Uptime) {
        self.change(host, |health| {
            if health.failed_at.is_none() {
                health.failures = health.failures.saturating_add(1);
            }
            (health.failed_at, health.used_at) = (Some(now), [None; 2]);
        });
    }

    /// Whether a connection is open in all likelihood.
    pub(super) fn is_warm(&self, host: usize, certificate: bool, now: Uptime) -> bool {
        let used_at = self.with(|health| health[host].used_at[usize::from(certificate)]);
        used_at.is_some_and(|used_at| now.since(used_at) < WARM_FOR)
    }

    pub(super) fn used(&self, host: usize, certificate: bool, now: Uptime) {
        self.change(host, |health| health.used_at[usize::from(certificate)] = Some(now));
    }

    fn with<T>(&self, look: impl FnOnce(&[Health]) -> T) -> T {
        look(&self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, host: usize, change: impl FnOnce(&mut Health)) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(health) = health.get_mut(host) {
            let was_well = health.failed_at.is_none();
            change(health);
            let is_well = health.failed_at.is_none();
            if was_well != is_well {
                tracing::warn!(host = self.url(host), is_well, "a host of the gateway");
            }
        }
    }
}

impl Health {
    fn is_avoided(&self, now: Uptime) -> bool {
        let doublings = self.failures.saturating_sub(1).min(DOUBLINGS);
        let avoid_for = AVOID_FOR.times(1 << doublings);
        self.failed_at.is_some_and(|failed_at| now.since(failed_at) < avoid_for)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Uptime = Uptime(1_000_000_000);

    fn two() -> Hosts {
        Hosts::new(vec!["https://first.invalid".into(), "https://second.invalid".into()])
    }

    #[test]
    fn two_that_fail_at_one_host_both_turn_to_the_other() {
        let hosts = two();
        let (dial, payment) = (hosts.best(), hosts.best());
        hosts.failed(dial, NOW);
        hosts.failed(payment, NOW);
        assert_eq!((hosts.best(), hosts.to_be_tried(NOW)), (1, None));
        let later = NOW.after(AVOID_FOR);
        assert_eq!((hosts.best(), hosts.to_be_tried(later)), (1, Some(0)));
        hosts.was_reached(0, later);
        assert_eq!((hosts.best(), hosts.to_be_tried(later)), (0, None), "and back after a while");
    }

    #[test]
    fn where_all_failed_the_longest_ago_is_next_and_the_first_that_is_reached_is_well() {
        let hosts = two();
        hosts.failed(0, NOW);
        hosts.failed(1, NOW.after(Millis(1)));
        assert_eq!(hosts.best(), 0);
        hosts.failed(0, NOW.after(Millis(2)));
        assert_eq!(hosts.best(), 1);
        hosts.was_reached(0, NOW.after(Millis(3)));
        assert_eq!(hosts.best(), 0);
    }

    #[test]
    fn an_answer_to_a_call_makes_up_for_every_failure() {
        let hosts = two();
        let mut now = NOW;
        let mut avoided = Vec::new();
        for _ in 0..7 {
            hosts.failed(0, now);
            let failed_at = now;
            while hosts.to_be_tried(now).is_none() {
                now = now.after(Millis::seconds(60));
            }
            avoided.push(now.since(failed_at).0 / 60_000);
            hosts.was_reached(0, now);
        }
        assert_eq!(avoided, [3, 6, 12, 24, 48, 48, 48]);
        hosts.answered(0);
        hosts.failed(0, now);
        assert_eq!(hosts.to_be_tried(now.after(AVOID_FOR)), Some(0));
    }

    #[test]
    fn a_connection_to_a_host_that_failed_is_not_warm() {
        let hosts = two();
        hosts.used(0, true, NOW);
        assert!(hosts.is_warm(0, true, NOW) && !hosts.is_warm(0, false, NOW));
        assert!(!hosts.is_warm(1, true, NOW) && !hosts.is_warm(0, true, NOW.after(WARM_FOR)));
        hosts.failed(0, NOW);
        assert!(!hosts.is_warm(0, true, NOW));
    }
}
