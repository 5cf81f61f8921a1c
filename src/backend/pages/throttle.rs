//! How often a password may be guessed. Pure; each instance counts for itself.

use std::collections::HashMap;
use std::net::IpAddr;

use paytill_core::clock::{Millis, Timestamp};

/// So many attempts at a name from an address, and so many from an address in all, in this time.
const TRIES: usize = 5;
const TRIES_OF_ADDRESS: usize = 20;
const SPAN: Millis = Millis::seconds(15 * 60);
/// How many are remembered; beyond that the oldest are forgotten.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Key {
    Address(IpAddr),
    Name(IpAddr, String),
}

/// Attempts of late.
#[derive(Default)]
pub(super) struct Throttle {
    attempts: HashMap<Key, Vec<Timestamp>>,
}

impl Throttle {
    /// Counts an attempt, before it is known how it ends; `Err`: it is not made, and how long to wait.
    pub(super) fn attempt(
        &mut self,
        name: &str,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<(), Millis> {
        let keys = Self::keys(name, from);
        for (key, most) in &keys {
            let Some(made) = self.attempts.get_mut(key) else { continue };
            made.retain(|at| *at <= now && at.after(SPAN) > now);
            if let Some(first) = made.first().filter(|_| made.len() >= *most) {
                let left = first.after(SPAN).0.saturating_sub(now.0);
                return Err(Millis(u64::try_from(left).unwrap_or(0)));
            }
        }
        self.make_room(now);
        for (key, _) in keys {
            self.attempts.entry(key).or_default().push(now);
        }
        Ok(())
    }

    /// The password was right: earlier mistakes with that name do not count.
    pub(super) fn succeeded(&mut self, name: &str, from: IpAddr) {
        let [(address, _), (name, _)] = Self::keys(name, from);
        self.attempts.remove(&name);
        if let Some(made) = self.attempts.get_mut(&address) {
            made.pop();
        }
    }

    fn keys(name: &str, from: IpAddr) -> [(Key, usize); 2] {
        let from = network(from);
        [(Key::Address(from), TRIES_OF_ADDRESS), (Key::Name(from, name.to_owned()), TRIES)]
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.attempts.len() + 2 <= REMEMBERED {
            return;
        }
        self.attempts.retain(|_, made| made.last().is_some_and(|at| at.after(SPAN) > now));
        while self.attempts.len() + 2 > REMEMBERED {
            let last = |made: &Vec<Timestamp>| made.last().copied();
            let mut times: Vec<_> = self.attempts.values().filter_map(last).collect();
            times.sort_unstable();
            let Some(oldest) = times.get(times.len() / 10).copied() else { return };
            self.attempts.retain(|_, made| last(made).is_some_and(|at| at > oldest));
        }
    }
}

/// Whoever has one address of IPv6 has all of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_sixth_attempt_waits_until_the_first_is_a_quarter_of_an_hour_old() {
        let mut throttle = Throttle::default();
        for _ in 0..TRIES {
            assert_eq!(throttle.attempt("li", address(1), NOW), Ok(()));
        }
        assert_eq!(throttle.attempt("li", address(1), NOW), Err(SPAN));
        let later = NOW.after(Millis::seconds(60));
        assert_eq!(throttle.attempt("li", address(1), later), Err(SPAN.minus(Millis(60_000))));
        assert_eq!(throttle.attempt("wu", address(1), later), Ok(()), "another name");
        assert_eq!(throttle.attempt("li", address(2), later), Ok(()), "another address");
        assert_eq!(throttle.attempt("li", address(1), NOW.after(SPAN)), Ok(()));
    }

    #[test]
    fn an_address_has_twenty_attempts_whatever_the_names() {
        let mut throttle = Throttle::default();
        for count in 0..TRIES_OF_ADDRESS {
            assert_eq!(throttle.attempt(&count.to_string(), address(1), NOW), Ok(()));
        }
        assert!(throttle.attempt("li", address(1), NOW).is_err());
        let mut throttle = Throttle::default();
        let host = |last: u16| IpAddr::from([0x2001, 0xdb8, 1, 1, 0, 0, 0, last]);
        for count in 0..5 {
            throttle.attempt("li", host(count), NOW).unwrap();
        }
        assert!(throttle.attempt("li", host(9), NOW).is_err(), "the same network");
    }

    #[test]
    fn the_right_password_ends_the_count() {
        let mut throttle = Throttle::default();
        for _ in 0..50 {
            throttle.attempt("li", address(1), NOW).unwrap();
            throttle.succeeded("li", address(1));
        }
    }

    #[test]
    fn the_memory_is_bounded_whoever_tries() {
        let mut throttle = Throttle::default();
        for count in 0..30_000_u32 {
            let now = NOW.after(Millis(count.into()));
            let _ = throttle.attempt("li", IpAddr::from(count.to_be_bytes()), now);
            assert!(throttle.attempts.len() <= REMEMBERED);
        }
    }
}
