//! The small file that mirrors the last hash of the chain outside the database.

use std::io;

const MAGIC: &[u8; 8] = b"paytill1";
/// Length of the mirror in bytes.
pub(super) const LENGTH: usize = MAGIC.len() + 8 + 16;

/// The last entry written, according to the mirror, if it has ever seen one. A damaged mirror names
/// an entry that no journal can have.
pub(super) fn read(mirror: io::Result<Vec<u8>>) -> Option<(i64, [u8; 16])> {
    const DAMAGED: (i64, [u8; 16]) = (i64::MAX, [0; 16]);
    let Ok(record) = mirror else { return Some(DAMAGED) };
    if record.is_empty() {
        return None;
    }
    let Some(link) = record.strip_prefix(MAGIC).filter(|_| record.len() == LENGTH) else {
        return Some(DAMAGED);
    };
    let (seq, chain) = link.split_at(8);
    match (seq.try_into(), chain.try_into()) {
        (Ok(seq), Ok(chain)) => Some((i64::from_be_bytes(seq), chain)),
        _ => Some(DAMAGED),
    }
}

/// Whether entries were written, according to the mirror.
pub(super) fn has_entries(head: Option<(i64, [u8; 16])>) -> bool {
    head.is_some_and(|(seq, _)| seq > 0)
}

/// The mirror's content for a last entry; before the first one `seq` is 0.
pub(super) fn record(seq: i64, chain: &[u8; 16]) -> [u8; LENGTH] {
    let mut record = [0; LENGTH];
    record[..8].copy_from_slice(MAGIC);
    record[8..16].copy_from_slice(&seq.to_be_bytes());
    record[16..].copy_from_slice(chain);
    record
}
