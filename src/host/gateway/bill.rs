//! The bill of a day, downloaded into a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use paytill_core::bill::decompressed;
use paytill_core::clock::Date;
use paytill_core::gateway::wechat::WechatV3;
use paytill_core::gateway::wechat::v2::bill::Refusal;
use paytill_core::gateway::wechat::v3::bill::{Digest, Digester};
use paytill_core::gateway::{LARGEST_REPLY, Outgoing, Stamp};
use paytill_core::order::Merchant;
use paytill_core::payment::{Reason, TillCause};

use super::Codec;
use crate::clock::Clock;
use crate::random;
use crate::transport::{DownloadFailure, Sink, Transport};

/// The largest reply, which is compressed: some million rows.
const LARGEST: u64 = 64 << 20;
/// So much room is left to the books beside it: somebody may be selling.
const RESERVE: u64 = 64 << 20;
/// The room is looked at each time so much has come, and before anything has.
const STEP: u64 = 1 << 20;

/// Whom to ask for a bill, and how.
#[derive(Clone, Copy)]
pub struct BillGateway<'a> {
    pub codec: &'a Codec,
    pub transport: &'a Transport,
    pub merchant: &'a Merchant,
}

/// What came.
#[derive(Debug)]
pub enum BillSource {
    Bill(File),
    /// The gateway has none to give.
    Refused(Refusal),
}

/// Why nothing came that could be used.
#[derive(Debug)]
pub enum BillFailure {
    /// There was no answer.
    Line(Reason),
    TooLarge,
    /// It is not what the gateway has signed.
    Altered,
    /// There is too little room beside it.
    NoRoom,
    /// It cannot be put away.
    Io(io::Error),
}

impl From<io::Error> for BillFailure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Downloads the bill into a file that was just made. Where it is signed for, what was signed is what
/// came.
pub async fn download(
    gateway: BillGateway<'_>,
    day: Date,
    mut file: BillFile,
    clock: &Clock,
) -> Result<BillSource, BillFailure> {
    let BillGateway { codec, transport, merchant } = gateway;
    let (outgoing, digest) = match codec {
        Codec::V2(codec) => (codec.encode_bill(merchant, day, &stamp(clock)?), None),
        Codec::V3(codec) => match place(gateway, codec, day, clock).await? {
            Ok((outgoing, digest)) => (outgoing, Some(digest)),
            Err(refusal) => return Ok(BillSource::Refused(refusal)),
        },
    };
    let downloaded = transport.download(&outgoing, clock.uptime(), LARGEST, &mut file).await;
    match downloaded {
        Ok(()) => {}
        Err(DownloadFailure::Io(_)) if file.is_short_of_room => return Err(BillFailure::NoRoom),
        Err(DownloadFailure::Io(error)) => return Err(error.into()),
        Err(DownloadFailure::TooLarge) => return Err(BillFailure::TooLarge),
        Err(DownloadFailure::Transport(failure)) => {
            tracing::warn!(?failure, "no bill");
            return Err(BillFailure::Line(failure.reason().clone()));
        }
    }
    if let Some(digest) = digest
        && !is_whole(&mut file.file, &digest)?
    {
        return Err(BillFailure::Altered);
    }
    Ok(judge(file.file)?)
}

fn stamp(clock: &Clock) -> Result<Stamp, BillFailure> {
    let nonce = random::nonce();
    let nonce = nonce.ok_or_else(|| BillFailure::Line(TillCause::NoRandomness.into()))?;
    Ok(Stamp { time: clock.wall(), nonce })
}

/// Where the bill lies in API v3, or the gateway's refusal.
async fn place(
    gateway: BillGateway<'_>,
    codec: &WechatV3,
    day: Date,
    clock: &Clock,
) -> Result<Result<(Outgoing, Digest), Refusal>, BillFailure> {
    let merchant = gateway.merchant;
    let asked = codec.encode_bill(merchant, day, &stamp(clock)?);
    let reply = gateway.transport.ask(&asked, clock.uptime()).await;
    let reply = reply.map_err(|failure| BillFailure::Line(failure.reason().clone()))?;
    let place = match codec.read_bill(&reply, clock.wall()) {
        Ok(place) => place,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let outgoing = codec.encode_download(&place, merchant, &stamp(clock)?);
    Ok(Ok((outgoing, place.digest().clone())))
}

/// Whether the digest is that of the file, or of what is compressed in it.
fn is_whole(file: &mut File, digest: &Digest) -> io::Result<bool> {
    let mut piece = vec![0; 64 * 1024];
    let mut digest_of = |reader: &mut dyn io::Read| -> io::Result<Digester> {
        let mut digester = Digester::default();
        loop {
            match reader.read(&mut piece)? {
                0 => return Ok(digester),
                read => digester.take(&piece[..read]),
            }
        }
    };
    file.seek(SeekFrom::Start(0))?;
    let as_it_came = digest_of(file)?;
    file.seek(SeekFrom::Start(0))?;
    // What is not compressed has only the one digest.
    let inside = digest_of(&mut decompressed(&*file)).unwrap_or_default();
    Ok(digest.fits(as_it_came, inside))
}

/// Looks at the beginning of what may be a bill, where a message is whole.
pub fn judge(mut file: File) -> io::Result<BillSource> {
    file.seek(SeekFrom::Start(0))?;
    let mut start = Vec::new();
    (&mut file).take(LARGEST_REPLY as u64).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    let refusal = start.trim_ascii_start().starts_with(b"<").then(|| Refusal::read(&start));
    let Some(refusal) = refusal.flatten() else { return Ok(BillSource::Bill(file)) };
    tracing::warn!(?refusal, "refused in place of a bill");
    Ok(BillSource::Refused(refusal))
}

/// A file for a bill, for nobody else's eyes. It takes no more than leaves room to the books.
#[derive(Debug)]
pub struct BillFile {
    file: File,
    length: u64,
    /// Up to this length there is room for it.
    has_room_to: u64,
    is_short_of_room: bool,
    free: fn(&File) -> io::Result<u64>,
}

impl BillFile {
    /// Makes it anew.
    pub fn create(path: &Path) -> io::Result<Self> {
        // Of a process that had this name and died just then.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Self { file, length: 0, has_room_to: 0, is_short_of_room: false, free })
    }

    /// The same, gone as soon as nobody has it open, however the process ends.
    pub fn nameless(path: &Path) -> io::Result<Self> {
        let file = Self::create(path)?;
        fs::remove_file(path)?;
        Ok(file)
    }

    fn make_sure_of_room(&mut self, more: u64) -> io::Result<()> {
        let length = self.length + more;
        if length > self.has_room_to {
            let wanted = more.max(STEP);
            if (self.free)(&self.file)? < RESERVE + wanted {
                self.is_short_of_room = true;
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.has_room_to = self.length + wanted;
        }
        self.length = length;
        Ok(())
    }
}

/// The room on the file's disk for those who are not its administrator.
fn free(file: &File) -> io::Result<u64> {
    let room = rustix::fs::fstatvfs(file)?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}

impl Sink for BillFile {
    fn clear(&mut self) -> io::Result<()> {
        (self.length, self.has_room_to) = (0, 0);
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0)).map(|_| ())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.make_sure_of_room(bytes.len() as u64)?;
        self.file.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(free: fn(&File) -> io::Result<u64>, megabytes: u64) -> (bool, u64) {
        let folder = tempfile::tempdir().unwrap();
        let created = BillFile::nameless(&folder.path().join("bill")).unwrap();
        let mut file = BillFile { free, ..created };
        let piece = vec![b'x'; 64 * 1024];
        let all = (0..megabytes * 16).try_for_each(|_| file.put(&piece));
        assert_eq!(all.is_err(), file.is_short_of_room);
        (all.is_ok(), file.file.metadata().unwrap().len())
    }

    #[test]
    fn a_download_leaves_room_to_the_books() {
        assert_eq!(put(|_| Ok(RESERVE + 10 * STEP), 3), (true, 3 << 20));
        assert_eq!(put(|_| Ok(RESERVE + STEP - 1), 3), (false, 0));
        assert_eq!(put(|_| Ok(0), 3), (false, 0));
        // Somebody else fills the disk meanwhile.
        let shrinks = |file: &File| {
            let length = file.metadata()?.len();
            Ok(if length < 2 << 20 { RESERVE + STEP } else { RESERVE })
        };
        assert_eq!(put(shrinks, 3), (false, 2 << 20));
    }
}
