//! `AEAD_AES_256_GCM`, with which API v3 encrypts certificates and notifications (apiv3 2.5).

use aws_lc_rs::aead::{Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// What was encrypted, if the key, the nonce and the associated data are right.
pub(super) fn open(
    algorithm: &'static Algorithm,
    key: &[u8],
    (nonce, associated_data): (&str, &str),
    ciphertext: &str,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(STANDARD.decode(ciphertext).ok()?);
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
    let length = key.open_in_place(nonce, Aad::from(associated_data), &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}
