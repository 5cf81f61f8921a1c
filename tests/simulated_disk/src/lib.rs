//! A disk in memory, under a real SQLite: it remembers what was flushed and what was not, dies at
//! any operation, fails at any operation, and after a power cut gives back what a disk may.
//!
//! What was written and not flushed is, after a power cut, there or not, sector by sector. What was
//! flushed is there. That is all that is assumed of a shop's disk.

mod vfs;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

pub use vfs::NAME as VFS;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A disk of this thread. Files on it are reached through SQLite by [`Disk::path`] and [`VFS`].
pub struct Disk {
    platter: Rc<RefCell<Platter>>,
    number: u64,
}

/// What goes wrong at an operation that writes, flushes, shortens or deletes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// The process dies before the operation: nothing that it does later changes the disk.
    Death,
    /// The operation fails, and all after it until the disk is mended.
    Broken,
    /// This one operation fails.
    Hiccup,
    /// There is no room for anything more.
    Full,
}

/// What became of writes that were not flushed when the power failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loss {
    Nothing,
    Everything,
    /// All after some operation, which itself may be torn.
    Tail,
    /// Each sector has its own luck.
    Some,
}

thread_local! {
    static DISKS: RefCell<BTreeMap<u64, Rc<RefCell<Platter>>>> = const { RefCell::new(BTreeMap::new()) };
}

#[derive(Default)]
struct Platter {
    files: BTreeMap<String, Bytes>,
    /// Counts processes: what an earlier one still has open changes nothing any more.
    process: u64,
    dead: bool,
    fuse: Option<(u32, Trouble)>,
    trouble: Option<Trouble>,
    has_failed: bool,
    operations: u64,
}

/// A file: as everybody sees it, as it would be after a power cut, and what lies between.
#[derive(Default)]
struct Bytes {
    seen: Vec<u8>,
    flushed: Vec<u8>,
    unflushed: Vec<Change>,
    /// Deleted, but the folder was not flushed.
    deleted: bool,
}

/// What is to be flushed; the bytes are those that everybody sees.
#[derive(Clone, Copy)]
enum Change {
    Write {
        at: usize,
        length: usize,
    },
    /// The file ends here from now on.
    End(usize),
}

impl Disk {
    /// An empty one.
    pub fn new() -> Self {
        vfs::register();
        let platter = Rc::new(RefCell::new(Platter::default()));
        let number = DISKS.with_borrow_mut(|disks| {
            let number = disks.keys().next_back().map_or(0, |last| last + 1);
            disks.insert(number, Rc::clone(&platter));
            number
        });
        Self { platter, number }
    }

    /// What SQLite calls a file of this disk.
    pub fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.number)
    }

    /// A file for the process that runs now, without SQLite.
    pub fn small_file(&self, name: &str) -> SmallFile {
        let process = self.platter.borrow().process;
        SmallFile { disk: self.number, process, path: self.path(name) }
    }

    /// Something goes wrong after so many operations from now.
    pub fn trouble_after(&self, operations: u32, trouble: Trouble) {
        self.platter.borrow_mut().fuse = Some((operations, trouble));
    }

    /// What was to go wrong and has not yet will not.
    pub fn disarm(&self) {
        let mut platter = self.platter.borrow_mut();
        platter.fuse = None;
        platter.has_failed = false;
    }

    /// Whether an operation has failed since.
    pub fn has_failed(&self) -> bool {
        self.platter.borrow().has_failed
    }

    /// Looks at all that lies on it, file by file.
    pub fn look(&self, mut look: impl FnMut(&[u8])) {
        for file in self.platter.borrow().files.values() {
            look(&file.seen);
        }
    }

    /// Whether the process died at an operation.
    pub fn is_dead(&self) -> bool {
        self.platter.borrow().dead
    }

    /// The process is gone, as by `SIGKILL`. What it wrote stays, flushed or not; what it has still
    /// open does nothing more.
    pub fn kill(&self) {
        let mut platter = self.platter.borrow_mut();
        platter.process += 1;
        platter.dead = false;
        platter.fuse = None;
    }

    /// The disk works again, if it was broken or full.
    pub fn mend(&self) {
        let mut platter = self.platter.borrow_mut();
        platter.trouble = None;
        platter.fuse = None;
    }

    /// The power fails: as [`Disk::kill`], and of what was not flushed some is lost.
    pub fn cut_power(&self, loss: Loss, rng: &mut fastrand::Rng) {
        self.kill();
        let mut platter = self.platter.borrow_mut();
        platter.files.retain(|_, file| {
            if file.deleted && (loss == Loss::Nothing || rng.bool()) {
                return false;
            }
            file.cut_power(loss, rng);
            true
        });
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let number = self.number;
        DISKS.with_borrow_mut(|disks| disks.remove(&number));
    }
}

/// A file of one process, without SQLite.
pub struct SmallFile {
    disk: u64,
    process: u64,
    path: String,
}

impl SmallFile {
    /// All its bytes; none if there is no such file.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        on_disk(self.disk, |platter| {
            platter.files.get(&self.path).filter(|file| !file.deleted).map(|file| file.seen.clone())
        })
        .map(Option::unwrap_or_default)
        .ok_or_else(|| io::Error::other("no such disk"))
    }

    /// Puts `bytes` at the beginning.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.change(|file| file.write(0, bytes))
    }

    /// Flushes it.
    pub fn flush(&self) -> io::Result<()> {
        let flushed = self.change(Bytes::flush);
        if flushed.is_err() {
            on_disk(self.disk, |platter| {
                let luck = platter.operations;
                if !platter.dead && platter.process == self.process {
                    platter.file(&self.path).fail_to_flush(luck);
                }
            });
        }
        flushed
    }

    fn change(&self, work: impl FnOnce(&mut Bytes)) -> io::Result<()> {
        let changed = on_disk(self.disk, |platter| {
            platter.strike(self.process).map(|()| work(platter.file(&self.path)))
        });
        changed.and_then(Result::ok).ok_or_else(|| io::Error::other("the disk failed"))
    }
}

fn on_disk<T>(number: u64, work: impl FnOnce(&mut Platter) -> T) -> Option<T> {
    let platter = DISKS.with_borrow(|disks| disks.get(&number).cloned())?;
    let mut platter = platter.borrow_mut();
    Some(work(&mut platter))
}

impl Platter {
    /// Counts an operation that changes the disk; an error if it comes to nothing.
    fn strike(&mut self, process: u64) -> Result<(), Trouble> {
        if self.dead || process != self.process {
            return Err(Trouble::Death);
        }
        self.operations += 1;
        match self.fuse {
            Some((0, trouble)) => {
                self.fuse = None;
                self.has_failed = true;
                match trouble {
                    Trouble::Death => self.dead = true,
                    Trouble::Broken | Trouble::Full => self.trouble = Some(trouble),
                    Trouble::Hiccup => {}
                }
                return Err(trouble);
            }
            Some((left, trouble)) => self.fuse = Some((left - 1, trouble)),
            None => {}
        }
        self.trouble.map_or(Ok(()), Err)
    }

    fn file(&mut self, path: &str) -> &mut Bytes {
        self.files.entry(path.to_owned()).or_default()
    }

    fn exists(&self, path: &str) -> bool {
        self.files.get(path).is_some_and(|file| !file.deleted)
    }

    fn delete(&mut self, path: &str) {
        if let Some(file) = self.files.get_mut(path) {
            file.deleted = true;
        }
    }

    /// What was deleted is gone for good.
    fn flush_folder(&mut self) {
        self.files.retain(|_, file| !file.deleted);
    }

    /// Opens a file anew, where one of that name was deleted.
    fn create(&mut self, path: &str) {
        if !self.exists(path) {
            self.files.insert(path.to_owned(), Bytes::default());
        }
    }
}

impl Bytes {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        put(&mut self.seen, at, bytes);
        self.unflushed.push(Change::Write { at, length: bytes.len() });
    }

    fn shorten(&mut self, length: usize) {
        self.seen.truncate(length);
        self.unflushed.push(Change::End(length));
    }

    fn flush(&mut self) {
        for change in self.unflushed.drain(..) {
            match change {
                Change::Write { at, length } => {
                    let end = (at + length).min(self.seen.len());
                    put(&mut self.flushed, at, &self.seen[at.min(end)..end]);
                }
                Change::End(length) => self.flushed.truncate(length),
            }
        }
    }

    /// Some of it arrives, and the rest counts as clean afterwards, as on Linux: no later flush
    /// puts it on the disk, though everybody sees it.
    fn fail_to_flush(&mut self, luck: u64) {
        let mut rng = fastrand::Rng::with_seed(luck);
        for change in std::mem::take(&mut self.unflushed) {
            change.apply(&self.seen, &mut self.flushed, |_| rng.bool());
        }
    }

    fn cut_power(&mut self, loss: Loss, rng: &mut fastrand::Rng) {
        let changes = std::mem::take(&mut self.unflushed);
        let last = rng.usize(..=changes.len());
        for (index, change) in changes.into_iter().enumerate() {
            match loss {
                Loss::Nothing => change.apply(&self.seen, &mut self.flushed, |_| true),
                Loss::Tail if index < last => change.apply(&self.seen, &mut self.flushed, |_| true),
                Loss::Tail if index == last => {
                    change.apply(&self.seen, &mut self.flushed, |_| rng.bool());
                }
                Loss::Some => change.apply(&self.seen, &mut self.flushed, |_| rng.bool()),
                Loss::Tail | Loss::Everything => {}
            }
        }
        self.seen.clone_from(&self.flushed);
        self.deleted = false;
    }
}

impl Change {
    /// Carries it out for those sectors that are lucky.
    fn apply(self, seen: &[u8], file: &mut Vec<u8>, mut is_lucky: impl FnMut(usize) -> bool) {
        let (mut at, end) = match self {
            // What was cut off since is not there any more.
            Self::Write { at, length } => (at, (at + length).min(seen.len())),
            Self::End(length) => {
                if is_lucky(length / SECTOR) {
                    file.truncate(length);
                }
                return;
            }
        };
        while at < end {
            let next = (at + SECTOR - at % SECTOR).min(end);
            if is_lucky(at / SECTOR) {
                put(file, at, &seen[at..next]);
            }
            at = next;
        }
    }
}

fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}
