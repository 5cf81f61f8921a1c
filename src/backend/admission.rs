//! Who may speak for a till: what has signed a request, when, and whether it was heard before. Pure.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;

use paytill_core::clock::Timestamp;
use paytill_core::gateway::backend::message::Refused;
use paytill_core::gateway::backend::signed::{Credentials, WINDOW};

use crate::store::TillRow;

/// How many nonces of one till are remembered. A till that asks more often within the window is refused
/// nothing: its payments are safe without them, since one number has one body.
const NONCES: usize = 4096;

/// The nonces of the last minutes, by till.
#[derive(Default)]
pub struct Nonces(HashMap<String, VecDeque<(Timestamp, String)>>);

impl Nonces {
    /// Whether a nonce is new; from then on it is not.
    fn is_new(&mut self, till: &str, nonce: &str, now: Timestamp) -> bool {
        let seen = self.0.entry(till.to_owned()).or_default();
        while seen.front().is_some_and(|(at, _)| now.0.abs_diff(at.0) > 2 * WINDOW)
            || seen.len() >= NONCES
        {
            seen.pop_front();
        }
        if seen.iter().any(|(_, known)| known == nonce) {
            return false;
        }
        seen.push_back((now, nonce.to_owned()));
        true
    }
}

/// How often somebody may ask: so many times in a minute, all at once or spread over it.
pub struct Rates<K> {
    /// Between two requests that are spread evenly, in microseconds; none: as often as they like.
    interval: Option<i64>,
    /// When each would have asked last, had they spread their requests evenly.
    until: HashMap<K, i64>,
}

/// A minute, in microseconds.
const MINUTE: i64 = 60_000_000;
/// Of so many it is remembered how often they ask.
const ASKERS: usize = 10_000;

impl<K: Eq + Hash> Rates<K> {
    /// So many requests a minute; 0: there is no limit.
    pub fn new(per_minute: u32) -> Self {
        let interval = MINUTE.checked_div(per_minute.into());
        Self { interval, until: HashMap::new() }
    }

    /// Whether one more request is within the limit; only then it counts.
    pub fn takes(&mut self, key: K, now: Timestamp) -> bool {
        let Some(interval) = self.interval else { return true };
        let now = now.0.saturating_mul(1000);
        if self.until.len() >= ASKERS && !self.until.contains_key(&key) {
            self.until.retain(|_, until| *until > now);
            // More at once than there are tills or honest strangers.
            if self.until.len() >= ASKERS {
                self.until.clear();
            }
        }
        let until = self.until.entry(key).or_insert(now);
        let longest = now.saturating_add(MINUTE);
        // A clock that was set back shuts nobody out.
        let counted = if *until > longest { now } else { now.max(*until) };
        let next = counted.saturating_add(interval);
        let is_within = next <= longest;
        if is_within {
            *until = next;
        }
        is_within
    }
}

/// Who has one address of IPv6 has all of its network.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

/// What became of a request at the door.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    /// Nobody that is known here has signed it: what it is told proves nothing.
    Stranger,
    /// A till has, and it is not heard. That is told with a signature.
    Refused(Refused),
    Heard(Box<TillRow>),
}

/// Decides on a request by its credentials. `till` is the one that they name, if there is one.
pub fn admit(
    credentials: &Credentials,
    till: Option<TillRow>,
    request: (&str, &str, &[u8]),
    now: Timestamp,
    nonces: &mut Nonces,
) -> Admission {
    let Some(till) =
        till.filter(|till| till.key.is_some_and(|key| credentials.are_of(&key, request)))
    else {
        return Admission::Stranger;
    };
    if !credentials.are_of_now(now) {
        Admission::Refused(Refused::Clock)
    } else if !nonces.is_new(&till.till, &credentials.nonce, now) {
        Admission::Refused(Refused::Replayed)
    } else {
        Admission::Heard(Box::new(till))
    }
}

#[cfg(test)]
mod tests {
    use paytill_core::clock::Millis;

    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    #[test]
    fn so_many_in_a_minute_all_at_once_or_spread() {
        let mut rates = Rates::new(3);
        let mut takes = |key, at| rates.takes(key, NOW.after(Millis(at)));
        assert_eq!([0, 0, 0, 0].map(|at| takes("a", at)), [true, true, true, false]);
        assert!(takes("b", 0), "another one");
        assert!(!takes("a", 19_999) && takes("a", 20_000) && !takes("a", 20_000));
        assert!([80_000, 80_000, 80_000].into_iter().all(|at| takes("a", at)));
        assert!(!takes("a", 80_000));
        let mut spread = (0..100).map(|count| takes("c", count * 20_000));
        assert!(spread.all(|is_within| is_within));
    }

    #[test]
    fn no_limit_is_none_and_a_clock_that_was_wrong_shuts_nobody_out() {
        let mut rates = Rates::new(0);
        assert!((0..10_000).all(|_| rates.takes("a", NOW)));
        let mut rates = Rates::new(2);
        assert!(rates.takes("a", NOW.after(Millis::seconds(86_400))));
        assert!(rates.takes("a", NOW), "its clock was a day ahead");
    }

    #[test]
    fn what_is_remembered_is_bounded_whoever_asks() {
        let mut rates = Rates::new(60);
        for count in 0..30_000_u32 {
            assert!(rates.takes(count, NOW));
            assert!(rates.until.len() <= ASKERS);
        }
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let host = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(host("2001:db8:1:1::1")), network(host("2001:db8:1:1::9")));
        assert_ne!(network(host("2001:db8:1:1::1")), network(host("2001:db8:1:2::1")));
        assert_eq!(network(host("::ffff:192.0.2.1")), host("192.0.2.1"));
    }
}
