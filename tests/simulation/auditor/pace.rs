//! No storm: what was open at a start or before a suspension must not be queried all at once.

use std::collections::BTreeSet;

/// The most calls in one second, however many attempts are open.
const IN_A_SECOND: usize = 6;
/// After a shorter suspension little is due.
const LONG_SLEEP: u64 = 10_000;
/// Later than this after a suspension, a query has another reason.
const WAKING_UP: u64 = 4_000;

#[derive(Default)]
pub struct Pace {
    /// Calls for attempts that were open at the start, within the last second.
    past: Vec<u64>,
    /// Attempts from before the suspension that have not been queried since.
    slept: BTreeSet<String>,
    wakes_at: u64,
    /// The first call for each of them, within the last second.
    woken: Vec<u64>,
}

impl Pace {
    /// The machine is suspended with these attempts.
    pub fn sleeps(&mut self, now: u64, wakes_at: u64, attempts: impl Iterator<Item = String>) {
        if wakes_at >= now + LONG_SLEEP {
            *self = Self { wakes_at, slept: attempts.collect(), ..Self::default() };
        }
    }

    /// A query or a reversal is made; returns what is wrong with it, if anything.
    pub fn asked(&mut self, number: &str, now: u64, is_of_the_past: bool) -> Option<&'static str> {
        if is_of_the_past && is_storm(&mut self.past, now) {
            return Some("a start asks for everything at once");
        }
        let is_first = self.slept.remove(number) && now < self.wakes_at + WAKING_UP;
        if is_first && is_storm(&mut self.woken, now) {
            return Some("after a sleep everything is asked about at once");
        }
        None
    }
}

fn is_storm(lately: &mut Vec<u64>, now: u64) -> bool {
    lately.retain(|at| *at + 1_000 > now);
    lately.push(now);
    lately.len() > IN_A_SECOND
}
