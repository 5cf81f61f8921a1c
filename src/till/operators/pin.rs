//! A PIN, and its hash: Argon2id, as a PHC string.
//!
//! A PIN has so few digits that whoever has the file finds it in hours: the hash only makes it cost
//! those hours, and the file is a secret. At the till itself the growing wait is what protects it.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::{Zeroize as _, Zeroizing};

use crate::money::narrow;
use paytill_host::random;

/// The digits of a PIN.
pub(super) const LENGTH: std::ops::RangeInclusive<usize> = 4..=12;
const OUTPUT: usize = 32;
const SALT: usize = 16;
/// What a file may ask for: it cannot make the till compute for minutes.
const MOST_MEMORY: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;
/// Those that anybody would try, besides what has a pattern.
const FAVOURITES: [&str; 8] =
    ["1122", "1212", "1314", "1688", "2580", "5683", "5201314", "1314520"];

/// What a hash costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cost {
    /// In KiB.
    pub memory: u32,
    pub passes: u32,
}

impl Cost {
    /// The OWASP Password Storage Cheat Sheet asks for at least 19 MiB and two passes on one lane;
    /// four passes take 50 to 100 ms on a till's processor.
    pub const USUAL: Self = Self { memory: 19 * 1024, passes: 4 };
}

/// Why something is not taken for a PIN.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAPin {
    Length,
    NotDigits,
    /// One that anybody would try first.
    Obvious,
}

/// 4 to 12 digits. It is wiped from memory, and never shown.
#[derive(Clone, Eq, PartialEq)]
pub struct Pin(Zeroizing<String>);

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(..)")
    }
}

impl Pin {
    /// Reads one; digits may be full-width.
    pub fn read(typed: &str) -> Result<Self, NotAPin> {
        // Allocated in full, so that growing leaves no copy behind.
        let mut digits = Zeroizing::new(String::with_capacity(*LENGTH.end() + 1));
        for character in typed.trim().chars() {
            let digit = narrow(character);
            if !digit.is_ascii_digit() {
                return Err(NotAPin::NotDigits);
            }
            if digits.len() == *LENGTH.end() {
                return Err(NotAPin::Length);
            }
            digits.push(digit);
        }
        if LENGTH.contains(&digits.len()) { Ok(Self(digits)) } else { Err(NotAPin::Length) }
    }

    /// As [`Pin::read`], for one that is being chosen.
    pub fn choose(typed: &str) -> Result<Self, NotAPin> {
        Self::read(typed)
            .and_then(|pin| if pin.is_obvious() { Err(NotAPin::Obvious) } else { Ok(pin) })
    }

    fn is_obvious(&self) -> bool {
        let digits = self.0.as_bytes();
        // 4444, 1234, 9876, 7890, 2468.
        let steps = || digits.windows(2).map(|pair| (10 + pair[1] - pair[0]) % 10);
        let first = steps().next();
        let is_even = steps().all(|step| Some(step) == first);
        // 1212, 520520.
        let repeats = (2..=digits.len() / 2).any(|length| {
            digits.len().is_multiple_of(length)
                && digits.chunks(length).all(|part| part == &digits[..length])
        });
        is_even || repeats || FAVOURITES.contains(&self.0.as_str())
    }
}

/// Random bytes that a hash begins with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Salt(Vec<u8>);

impl Salt {
    pub(super) fn draw() -> Option<Self> {
        random::draw::<SALT>().map(|bytes| Self(bytes.to_vec()))
    }
}

/// What is hashed of a PIN: the hasher does not wipe all that it takes in, and a digest in one go
/// keeps nothing.
fn digest(pin: &Pin) -> digest::Digest {
    digest::digest(&digest::SHA256, pin.0.as_bytes())
}

/// What a PIN comes to.
pub(super) type Output = Zeroizing<[u8; OUTPUT]>;

/// A PIN's hash, with what it was made with.
#[derive(Clone, Debug)]
pub(super) struct Hash {
    cost: Cost,
    salt: Salt,
    output: [u8; OUTPUT],
}

impl Hash {
    pub(super) fn new(pin: &Pin, salt: &Salt, cost: Cost) -> Option<Self> {
        let mut hash = Self { cost, salt: salt.clone(), output: [0; OUTPUT] };
        hash.output = *hash.of(pin)?;
        Some(hash)
    }

    /// The hash of another PIN, made alike.
    pub(super) fn with(&self, pin: &Pin) -> Option<Self> {
        Self::new(pin, &self.salt, self.cost)
    }

    /// What a PIN comes to with this salt and cost.
    pub(super) fn of(&self, pin: &Pin) -> Option<Output> {
        let params = Params::new(self.cost.memory, self.cost.passes, 1, Some(OUTPUT)).ok()?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut output = Zeroizing::new([0; OUTPUT]);
        let digest = digest(pin);
        argon.hash_password_into(digest.as_ref(), &self.salt.0, output.as_mut_slice()).ok()?;
        Some(output)
    }

    pub(super) fn is_made_like(&self, other: &Self) -> bool {
        self.cost == other.cost && self.salt == other.salt
    }

    /// In the same time, whichever byte differs.
    pub(super) fn is(&self, output: &Output) -> bool {
        self.output.iter().zip(output.iter()).fold(0, |odd, (one, other)| odd | (one ^ other)) == 0
    }

    /// Reads a PHC string, as this till writes it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$")?;
        let [params, salt, output]: [&str; 3] =
            rest.split('$').collect::<Vec<_>>().try_into().ok()?;
        let [memory, passes, lanes]: [&str; 3] =
            params.split(',').collect::<Vec<_>>().try_into().ok()?;
        let memory = memory.strip_prefix("m=")?.parse().ok()?;
        let passes = passes.strip_prefix("t=")?.parse().ok()?;
        let salt =
            STANDARD_NO_PAD.decode(salt).ok().filter(|salt| (8..=64).contains(&salt.len()))?;
        let output = STANDARD_NO_PAD.decode(output).ok()?.try_into().ok()?;
        let is_bearable = memory <= MOST_MEMORY && (1..=MOST_PASSES).contains(&passes);
        let hash = Self { cost: Cost { memory, passes }, salt: Salt(salt), output };
        (lanes == "p=1" && is_bearable && hash.to_string() == text).then_some(hash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { memory, passes } = self.cost;
        let (salt, output) =
            (STANDARD_NO_PAD.encode(&self.salt.0), STANDARD_NO_PAD.encode(self.output));
        write!(f, "$argon2id$v=19$m={memory},t={passes},p=1${salt}${output}")
    }
}

impl Drop for Hash {
    fn drop(&mut self) {
        self.output.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hasher_is_given_a_digest_and_never_the_pin() {
        let (pin, salt) = (Pin::choose("839150264718").unwrap(), Salt(vec![7; SALT]));
        let hash = Hash::new(&pin, &salt, Cost { memory: 8, passes: 1 }).unwrap();
        let is_of = |given: &[u8]| {
            let params = Params::new(8, 1, 1, Some(OUTPUT)).unwrap();
            let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut output = Zeroizing::new([0; OUTPUT]);
            argon.hash_password_into(given, &salt.0, output.as_mut_slice()).unwrap();
            hash.is(&output)
        };
        assert!(!is_of(b"839150264718"));
        assert!(is_of(digest::digest(&digest::SHA256, b"839150264718").as_ref()));
    }
}
