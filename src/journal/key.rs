//! The key of the chain of digests that ties each entry to the one before it.
//!
//! It is made with the journal, in a file of its own that is held to the rules of secrets, and is
//! never replaced. Whoever has the journal's files without it can make no entry that fits; whoever
//! has it can.

use std::fs::{DirBuilder, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use rustix::fs::{CWD, OFlags, RenameFlags};
use rustix::io::Errno;

use super::beside;

/// The bytes of a key.
pub type Secret = [u8; 32];

/// Its hexadecimal digits in the file.
const DIGITS: usize = 2 * size_of::<Secret>();
/// More than that and a line end is no key.
const LARGEST: u64 = 1024;
const GROUP_AND_OTHERS: u32 = 0o077;
const WRITABLE_BY_GROUP_AND_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Why a journal's key does not serve.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    #[error(
        "is missing. Copy it from where the journal was last in use, or name its place in \
         journal.key_file, and start again; if it is lost, move the journal away together with the \
         files beside it, keep them for support, and start again"
    )]
    Missing,
    #[error(
        "belongs to another journal. Copy the key that was made with this one to there, or name its \
         place in journal.key_file, and start again"
    )]
    Foreign,
    #[error(
        "is not a line of {DIGITS} hexadecimal digits. Copy it once more from where it is whole, and \
         start again"
    )]
    Spoilt,
    #[error(
        "can be read by others; allow it to the till's user alone (chmod 600), and start again"
    )]
    Open,
    #[error("belongs to another user; give it to the till's user (chown), and start again")]
    NotOurs,
    #[error(
        "is in the folder {}, which others can change; allow that to the till's user alone \
         (chmod go-w), or choose another journal.key_file, and start again", .0.display()
    )]
    Folder(PathBuf),
    #[error("is a link or no plain file; put the file itself there, and start again")]
    NoFile,
    #[error("cannot be read: {0}; check its owner and its folder, and start again")]
    Unreadable(io::Error),
    #[error("cannot be made: {0}; check its folder's owner and free space, and start again")]
    NotMade(io::Error),
}

/// A key to make and to verify entries with.
#[derive(Clone)]
pub(super) struct Key(hmac::Key);

impl Key {
    pub(super) fn new(secret: &Secret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The hash of an entry's parts, chained to the hash before it.
    pub(super) fn hash(&self, before: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(before);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let tag = context.sign();
        let mut chain = [0; 16];
        chain.copy_from_slice(&tag.as_ref()[..16]);
        chain
    }

    /// Tells keys apart, and gives nothing of them away.
    pub(super) fn mark(&self) -> String {
        // No entry has a single part.
        hex(&self.hash(&[0; 16], &[b"mark"]))
    }
}

impl Default for Key {
    /// Until it is known: no journal has this one.
    fn default() -> Self {
        Self::new(&[0; size_of::<Secret>()])
    }
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// Where the key of a journal is: beside it, unless another file is named.
pub(super) fn place(journal: &Path, named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| beside(journal, ".key"), Path::to_owned)
}

/// Reads the key; `None` if there is no such file. Links are not followed, and pipes not waited for.
pub(super) fn read(path: &Path) -> Result<Option<Secret>, KeyFault> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => {
            return Err(KeyFault::NoFile);
        }
        Err(error) => return Err(KeyFault::Unreadable(error)),
    };
    let facts = file.metadata().map_err(KeyFault::Unreadable)?;
    if !facts.is_file() {
        return Err(KeyFault::NoFile);
    }
    if !is_ours(&facts) {
        return Err(KeyFault::NotOurs);
    }
    if facts.mode() & GROUP_AND_OTHERS != 0 {
        return Err(KeyFault::Open);
    }
    folder_is_ours(path)?;
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text).map_err(KeyFault::Unreadable)?;
    parse(text.trim_ascii()).map(Some).ok_or(KeyFault::Spoilt)
}

fn parse(text: &[u8]) -> Option<Secret> {
    let digits = std::str::from_utf8(text).ok().filter(|text| text.len() == DIGITS)?;
    let mut secret = Secret::default();
    for (byte, pair) in secret.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.contains('+'))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(secret)
}

/// The key for a new journal, once it is certain to stay. One that is there is kept, but put there
/// anew: the start that made it may have failed to flush its name, and no later flush mends that.
pub(super) fn make(path: &Path) -> Result<Secret, KeyFault> {
    let folder = folder(path);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(KeyFault::NotMade)?;
    folder_is_ours(path)?;
    if let Some(secret) = read(path)? {
        return match put(path, &secret, RenameFlags::empty()) {
            Err(error) if may_only_be_read(&error) => flush(path),
            done => done,
        }
        .map_err(KeyFault::NotMade)
        .map(|()| secret);
    }
    let mut secret = Secret::default();
    aws_lc_rs::rand::fill(&mut secret)
        .map_err(|_| KeyFault::NotMade(io::Error::other("no random numbers")))?;
    match put(path, &secret, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(secret),
        // Another process has made one meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read(path)?.ok_or(KeyFault::Missing)
        }
        Err(error) => Err(KeyFault::NotMade(error)),
    }
}

/// Writes a key and gives it its name, and flushes both.
fn put(path: &Path, secret: &Secret, how: RenameFlags) -> io::Result<()> {
    let unfinished = beside(path, ".new");
    // What a start left that was cut short, or a planted link.
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(format!("{}\n", hex(secret)).as_bytes())?;
    file.sync_all()?;
    match rustix::fs::renameat_with(CWD, &unfinished, CWD, path, how) {
        // A file system that cannot do it so; nothing was there a moment ago.
        Err(Errno::INVAL | Errno::NOSYS) => std::fs::rename(&unfinished, path)?,
        renamed => renamed?,
    }
    File::open(folder(path))?.sync_all()
}

/// Whether a key is where the till cannot put it, or another process is putting it: then it is not
/// from a start of ours that failed.
fn may_only_be_read(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), AlreadyExists | PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

fn flush(path: &Path) -> io::Result<()> {
    [path, folder(path)].iter().try_for_each(|place| File::open(place)?.sync_all())
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}

fn folder_is_ours(path: &Path) -> Result<(), KeyFault> {
    let folder = folder(path);
    let facts = folder.metadata().map_err(KeyFault::Unreadable)?;
    let writable = facts.mode() & WRITABLE_BY_GROUP_AND_OTHERS != 0;
    // In a sticky folder nobody else can put another file in its place.
    if is_ours(&facts) && (!writable || facts.mode() & STICKY != 0) {
        Ok(())
    } else {
        Err(KeyFault::Folder(folder.to_owned()))
    }
}

fn is_ours(facts: &Metadata) -> bool {
    let user = rustix::process::geteuid();
    // Root can read everything anyway.
    user.is_root() || facts.uid() == user.as_raw() || facts.uid() == 0
}
