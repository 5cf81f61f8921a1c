//! No storm: what is open at a start, or was when the machine fell asleep, is not asked about all at
//! once.

use std::collections::BTreeSet;

/// So many calls in a second at most, however much is open.
const IN_A_SECOND: usize = 6;
/// A shorter sleep is no matter: little has fallen due in it.
const LONG_SLEEP: u64 = 10_000;
/// What is asked later after a sleep than this is asked for another reason.
const WAKING_UP: u64 = 4_000;

#[derive(Default)]
pub struct Pace {
    /// Calls for what was open at the start, within the last second.
    past: Vec<u64>,
    /// Attempts that were there before the sleep, and not asked about since.
    slept: BTreeSet<String>,
    wakes_at: u64,
    /// The first call for each of them, within the last second.
    woken: Vec<u64>,
}

impl Pace {
    /// The machine falls asleep over these attempts.
    pub fn sleeps(&mut self, now: u64, wakes_at: u64, attempts: impl Iterator<Item = String>) {
        if wakes_at >= now + LONG_SLEEP {
            *self = Self { wakes_at, slept: attempts.collect(), ..Self::default() };
        }
    }

    /// A query or a reversal goes out: what is wrong with that, if anything.
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
