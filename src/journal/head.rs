//! The chain of digests that ties each entry to the one before, and the small file that mirrors its
//! last link outside the database.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::digest;

const MAGIC: &[u8; 8] = b"paytill1";
const LENGTH: usize = MAGIC.len() + 8 + 16;

/// The digest of an entry's parts on top of the link before it.
pub(super) fn link(before: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(before);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    let mut chain = [0; 16];
    chain.copy_from_slice(&digest.as_ref()[..16]);
    chain
}

/// The mirror file.
pub(super) struct Head(File);

impl Head {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        options.open(path).map(Self)
    }

    /// Opens it to be read, if it is there.
    pub(super) fn look(path: &Path) -> Option<Self> {
        File::open(path).ok().map(Self)
    }

    /// The entry that was written last, if this file ever saw one. Of a file with other bytes in it
    /// no entry of the journal can be the last.
    pub(super) fn read(&self) -> Option<(i64, [u8; 16])> {
        const DAMAGED: (i64, [u8; 16]) = (i64::MAX, [0; 16]);
        if self.0.metadata().is_ok_and(|file| file.len() == 0) {
            return None;
        }
        let mut record = [0; LENGTH];
        let whole = self.0.read_exact_at(&mut record, 0).is_ok() && record.starts_with(MAGIC);
        let (seq, chain) = record[MAGIC.len()..].split_at(8);
        match (whole, seq.try_into(), chain.try_into()) {
            (true, Ok(seq), Ok(chain)) => Some((i64::from_be_bytes(seq), chain)),
            _ => Some(DAMAGED),
        }
    }

    pub(super) fn write(&self, seq: i64, chain: &[u8; 16]) -> io::Result<()> {
        let mut record = [0; LENGTH];
        record[..8].copy_from_slice(MAGIC);
        record[8..16].copy_from_slice(&seq.to_be_bytes());
        record[16..].copy_from_slice(chain);
        self.0.write_all_at(&record, 0)
    }
}
