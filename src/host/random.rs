//! Randomness from the system, and its only reader.

/// `COUNT` random bytes; `None` if the system provides none.
pub fn draw<const COUNT: usize>() -> Option<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// Makes a request unique: 32 letters and digits. `None` as for [`draw`].
pub fn nonce() -> Option<String> {
    draw().map(|bytes| format!("{:032x}", u128::from_be_bytes(bytes)))
}
