//! Looking, some time after its end, for an order that the gateway never knew: the request may have
//! been held up in the network and delivered late.

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Found};
use super::event::Event;
use super::status::Rules;
use crate::clock::Millis;

/// When it is looked for, in give-up times after its end.
const AFTER: [u64; 2] = [4, 20];

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Recheck {
    at: Millis,
    /// The recheck after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    then: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaiting: Option<u32>,
}

impl Recheck {
    /// The first, of an order that ends now.
    pub(super) fn first(now: Millis, rules: &Rules) -> Self {
        let [at, then] = AFTER.map(|times| now.plus(rules.give_up_after.times(times)));
        Self { at, then: Some(then), awaiting: None }
    }

    /// Whether this event asks for the query now.
    pub(super) fn is_due(&self, event: &Event, now: Millis) -> bool {
        self.awaiting.is_none()
            && match event {
                Event::Tick => now >= self.at,
                Event::CheckNow | Event::Billed { .. } => true,
                Event::Begun
                | Event::Answered(..)
                | Event::Cancel
                | Event::Restarted { .. }
                | Event::MerchantChanged
                | Event::Settled(_) => false,
            }
    }

    /// The query with this number is out; `None`: no answer comes any more.
    pub(super) const fn awaits(&mut self, query: Option<u32>) {
        self.awaiting = query;
    }

    /// The number of the query that is out.
    pub(super) const fn awaiting(&self) -> Option<u32> {
        self.awaiting
    }

    /// What the query that is out has found, if that is this event.
    pub(super) fn answer<'a>(&self, event: &'a Event) -> Option<&'a Found> {
        match event {
            Event::Answered(number, Answer::Found(found)) if self.awaiting == Some(*number) => {
                Some(found)
            }
            _ => None,
        }
    }

    /// When to look again, after an answer that has found nothing to do. `wait`: until it is asked
    /// again where the answer was unclear.
    pub(super) fn next(&self, found: &Found, now: Millis, wait: Millis) -> Option<Self> {
        match found {
            // Asked by a person before its time: that time is still to come.
            Found::NotFound if now < self.at => Some(Self { awaiting: None, ..self.clone() }),
            Found::Inconclusive(_) => {
                Some(Self { at: now.plus(wait), awaiting: None, ..self.clone() })
            }
            _ => self.then.map(|at| Self { at, then: None, awaiting: None }),
        }
    }

    /// When it next needs an [`Event::Tick`].
    pub(super) const fn wake_at(&self) -> Option<Millis> {
        match self.awaiting {
            Some(_) => None,
            None => Some(self.at),
        }
    }
}
