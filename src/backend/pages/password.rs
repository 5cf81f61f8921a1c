//! Passwords, and their hashes: Argon2id, with a salt of its own for each.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use paytill_core::clock::Timestamp;
use zeroize::Zeroizing;

use crate::store::AdminRow;

/// How long a password is, in characters.
pub const SHORTEST: usize = 10;
/// Nobody types more; more would only be work for this program.
pub const LONGEST: usize = 128;

const SALT: usize = 16;
const HASH: usize = 32;

/// What a guess costs: KiB of memory, and passes over it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cost {
    pub memory: u32,
    pub passes: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { memory: Params::DEFAULT_M_COST, passes: Params::DEFAULT_T_COST }
    }
}

impl AdminRow {
    /// Somebody with this password; `None` if it is too short or too long.
    pub fn new(
        name: &str,
        password: &str,
        (salt, cost): ([u8; SALT], Cost),
        now: Timestamp,
    ) -> Option<Self> {
        if !(SHORTEST..=LONGEST).contains(&password.chars().count()) {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            salt: salt.to_vec(),
            hash: hash(password, &salt, cost)?.to_vec(),
            memory: cost.memory.into(),
            passes: cost.passes.into(),
            created_at: now,
        })
    }

    /// Nobody's row: a guess at a name that nobody has takes as long as one at a name that somebody
    /// has.
    pub fn nobody(cost: Cost) -> Self {
        Self {
            name: String::new(),
            salt: vec![0; SALT],
            hash: Vec::new(),
            memory: cost.memory.into(),
            passes: cost.passes.into(),
            created_at: Timestamp(0),
        }
    }

    /// Whether it is the password. It takes its time: not for a thread that others wait for.
    pub fn has_password(&self, password: &str) -> bool {
        let (Ok(memory), Ok(passes)) = (u32::try_from(self.memory), u32::try_from(self.passes))
        else {
            return false;
        };
        let hash = hash(password, &self.salt, Cost { memory, passes });
        hash.is_some_and(|hash| verify_slices_are_equal(hash.as_ref(), &self.hash).is_ok())
    }
}

fn hash(password: &str, salt: &[u8], cost: Cost) -> Option<Zeroizing<[u8; HASH]>> {
    let params = Params::new(cost.memory, cost.passes, 1, Some(HASH)).ok()?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = Zeroizing::new([0; HASH]);
    argon.hash_password_into(password.as_bytes(), salt, output.as_mut_slice()).ok()?;
    Some(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIGHT: Cost = Cost { memory: 8, passes: 1 };

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let row = AdminRow::new("li", "correct horse", ([7; SALT], LIGHT), Timestamp(0)).unwrap();
        assert!(row.has_password("correct horse"));
        for wrong in ["correct horsf", "", "correct horse "] {
            assert!(!row.has_password(wrong), "{wrong}");
        }
        let other = AdminRow::new("li", "correct horse", ([8; SALT], LIGHT), Timestamp(0));
        assert_ne!(other.unwrap().hash, row.hash, "the salt is in it");
        assert!(!AdminRow::nobody(LIGHT).has_password(""));
    }

    #[test]
    fn a_password_has_ten_characters_or_more() {
        let made = |password: &str| {
            AdminRow::new("li", password, ([7; SALT], LIGHT), Timestamp(0)).is_some()
        };
        assert!(!made("123456789") && made("1234567890") && made("收银台的密码要够长才行"));
        assert!(made(&"x".repeat(LONGEST)) && !made(&"x".repeat(LONGEST + 1)));
    }
}
