//! Who may speak for a till: what has signed a request, when, and whether it was heard before. Pure.

use std::collections::{HashMap, VecDeque};

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
