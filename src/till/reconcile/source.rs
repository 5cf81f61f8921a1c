//! Where the bill comes from: a file, or the gateway.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{Trouble, fault};
use crate::bill::decompressed;
use crate::both;
use crate::clock::Date;
use crate::gateway::wechat::WechatV3;
use crate::gateway::wechat::v2::bill::Refusal;
use crate::gateway::wechat::v3::bill::{Digest, Digester};
use crate::gateway::{LARGEST_REPLY, Outgoing, Stamp};
use crate::language::Text;
use crate::order::Merchant;
use crate::text::{reason, reconcile as text};
use paytill_host::clock::Clock;
use paytill_host::gateway::Codec;
use paytill_host::random;
use paytill_host::transport::{DownloadFailure, Sink, Transport};

/// The largest reply, which is compressed: some million rows.
const LARGEST: u64 = 64 << 20;
/// So much room is left to the journal beside it: a till may be selling.
const RESERVE: u64 = 64 << 20;
/// The room is looked at each time so much has come, and before anything has.
const STEP: u64 = 1 << 20;

/// Whom to ask for a bill, and how.
pub struct BillGateway {
    pub codec: Codec,
    pub transport: Transport,
    pub merchant: Merchant,
}

/// What came.
pub enum Source {
    Bill(File),
    /// The gateway has none to give.
    Refused(Refusal),
}

/// A bill that somebody has downloaded, or the gateway's refusal in its place.
pub fn open(path: &Path) -> Result<Source, Trouble> {
    let fault = |error: io::Error| {
        let trouble = fault(&text::not_read(path), &error);
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
                Trouble::Usage(trouble.text())
            }
            _ => trouble,
        }
    };
    // A pipe would wait for whoever writes.
    let metadata = fs::metadata(path).map_err(fault)?;
    if !metadata.is_file() {
        return Err(fault(io::ErrorKind::InvalidInput.into()));
    }
    judge(File::open(path).map_err(fault)?).map_err(fault)
}

/// Downloads the bill. It is beside the journal while it is read, under no name and for nobody
/// else's eyes.
pub async fn download(
    gateway: &BillGateway,
    day: Date,
    journal: &Path,
    clock: &Clock,
) -> Result<Source, Trouble> {
    let mut path = journal.as_os_str().to_owned();
    path.push(format!(".bill-{}", std::process::id()));
    let path = PathBuf::from(path);
    let fault = |error: io::Error| fault(&text::not_kept(&path), &error);
    let mut file = Nameless::create(&path).map_err(fault)?;
    let merchant = &gateway.merchant;
    let (outgoing, digest) = match &gateway.codec {
        Codec::V2(codec) => (codec.encode_bill(merchant, day, &stamp(clock)?), None),
        Codec::V3(codec) => match place(gateway, codec, day, clock).await? {
            Ok((outgoing, digest)) => (outgoing, Some(digest)),
            Err(refusal) => return Ok(Source::Refused(refusal)),
        },
    };
    let transport = &gateway.transport;
    let downloaded = transport.download(&outgoing, clock.uptime(), LARGEST, &mut file).await;
    match downloaded {
        Ok(()) => {}
        Err(DownloadFailure::Io(_)) if file.is_short_of_room => {
            return Err(Trouble::Fault(text::no_room(&path)));
        }
        Err(DownloadFailure::Io(error)) => return Err(fault(error)),
        Err(DownloadFailure::TooLarge) => {
            let too_large = text::fault(&crate::bill::Fault::TooLarge, "", day);
            return Err(Trouble::Fault(text::not_downloaded().because(&too_large)));
        }
        Err(DownloadFailure::Transport(failure)) => {
            tracing::warn!(?failure, "no bill");
            let why = Text::each(|language| reason::cause_sentence(failure.reason(), language));
            return Err(Trouble::Fault(text::not_downloaded().because(&why)));
        }
    }
    if let Some(digest) = digest
        && !is_whole(&mut file.file, &digest).map_err(fault)?
    {
        let altered = both!("it is not what WeChat Pay has signed", "内容与微信支付签名的摘要不符");
        return Err(Trouble::Fault(text::not_downloaded().because(&altered)));
    }
    judge(file.file).map_err(fault)
}

fn stamp(clock: &Clock) -> Result<Stamp, Trouble> {
    let nonce = random::nonce().ok_or_else(|| Trouble::Fault(text::not_downloaded()))?;
    Ok(Stamp { time: clock.wall(), nonce })
}

/// Where the bill lies in API v3, or the gateway's refusal.
async fn place(
    gateway: &BillGateway,
    codec: &WechatV3,
    day: Date,
    clock: &Clock,
) -> Result<Result<(Outgoing, Digest), Refusal>, Trouble> {
    let merchant = &gateway.merchant;
    let asked = codec.encode_bill(merchant, day, &stamp(clock)?);
    let reply = gateway.transport.ask(&asked, clock.uptime()).await.map_err(|failure| {
        let why = Text::each(|language| reason::cause_sentence(failure.reason(), language));
        Trouble::Fault(text::not_downloaded().because(&why))
    })?;
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

/// Looks at the beginning, where a message is whole.
fn judge(mut file: File) -> io::Result<Source> {
    file.seek(SeekFrom::Start(0))?;
    let mut start = Vec::new();
    (&mut file).take(LARGEST_REPLY as u64).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    let refusal = start.trim_ascii_start().starts_with(b"<").then(|| Refusal::read(&start));
    let Some(refusal) = refusal.flatten() else { return Ok(Source::Bill(file)) };
    tracing::warn!(?refusal, "refused in place of a bill");
    Ok(Source::Refused(refusal))
}

/// A file that is gone as soon as nobody has it open, however the process ends.
struct Nameless {
    file: File,
    length: u64,
    /// Up to this length there is room for it.
    has_room_to: u64,
    is_short_of_room: bool,
    free: fn(&File) -> io::Result<u64>,
}

impl Nameless {
    fn create(path: &Path) -> io::Result<Self> {
        // Of a process that had this number and died just then.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(0o600).open(path)?;
        fs::remove_file(path)?;
        Ok(Self { file, length: 0, has_room_to: 0, is_short_of_room: false, free })
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

impl Sink for Nameless {
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
        let created = Nameless::create(&folder.path().join("bill")).unwrap();
        let mut file = Nameless { free, ..created };
        let piece = vec![b'x'; 64 * 1024];
        let all = (0..megabytes * 16).try_for_each(|_| file.put(&piece));
        assert_eq!(all.is_err(), file.is_short_of_room);
        (all.is_ok(), file.file.metadata().unwrap().len())
    }

    #[test]
    fn a_download_leaves_room_to_the_journal() {
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
