//! Chance, from the system: the only reader of its random bytes.

/// So many random bytes; `None` where the system has none.
pub fn draw<const COUNT: usize>() -> Option<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// What makes a request unlike any other: 32 letters and digits.
pub fn nonce() -> Option<String> {
    draw().map(|bytes| format!("{:032x}", u128::from_be_bytes(bytes)))
}
