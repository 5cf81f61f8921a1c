//! The disk as SQLite sees it. Of all connections to a file only one writes, and another is open only
//! to read while that one rests: so there are no locks, and the shared memory of the write-ahead log
//! is each connection's own.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::rc::Rc;
use std::sync::Once;
use std::time::Duration;

use rsqlite_vfs::ffi::{SQLITE_IOERR, SQLITE_OK, sqlite3_file, sqlite3_io_methods};
use rsqlite_vfs::{
    AccessMode, DeviceCharacteristics, FileKind, LockLevel, OpenOptions, OpenRequest, OpenedFile,
    OsCallback, SQLiteIoMethods, SQLiteVfs, SQLiteVfsFile, SyncOptions, VfsError, VfsErrorCode,
    VfsFile, VfsResult, VfsStore, register_vfs,
};

use super::{DISKS, Platter, Trouble};

/// The name under which SQLite knows it.
pub const NAME: &str = "simulated-disk";

/// A region of the index of a write-ahead log, as large as SQLite asks for them.
type Region = Box<[u64]>;
const WORDS: usize = 4096;

/// Registers it, once in a process.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the methods below keep to the layout of the default `xOpen`, the services have no
        // state, each thread reaches only its own disks, and it is never taken back.
        let registered = unsafe { register_vfs::<Methods, Vfs>(NAME, Services, false) };
        let _ = registered.expect("its name is free").into_raw();
    });
}

/// An open file of one process.
pub(crate) struct Handle {
    platter: Rc<RefCell<Platter>>,
    process: u64,
    path: String,
    /// A log that may be new: its first flush flushes its folder too, as SQLite has it on Unix.
    flushes_folder: bool,
    regions: Vec<Region>,
}

impl Handle {
    fn change(&self, work: impl FnOnce(&mut Platter)) -> VfsResult<()> {
        let mut platter = self.platter.borrow_mut();
        platter.strike(self.process).map_err(|trouble| error(trouble, VfsErrorCode::IoWrite))?;
        work(&mut platter);
        Ok(())
    }
}

fn error(trouble: Trouble, code: VfsErrorCode) -> VfsError {
    let code = if trouble == Trouble::Full { VfsErrorCode::Full } else { code };
    VfsError::new(code, "the simulated disk".into())
}

fn size(number: u64) -> VfsResult<usize> {
    usize::try_from(number).map_err(|_| error(Trouble::Full, VfsErrorCode::Full))
}

impl VfsFile for Handle {
    fn read(&mut self, buf: &mut [u8], offset: u64) -> VfsResult<usize> {
        let platter = self.platter.borrow();
        let Some(file) = platter.files.get(&self.path) else { return Ok(0) };
        let rest = file.seen.get(size(offset)?..).unwrap_or_default();
        let length = rest.len().min(buf.len());
        buf[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write(&mut self, buf: &[u8], offset: u64) -> VfsResult<()> {
        let at = size(offset)?;
        self.change(|platter| platter.file(&self.path).write(at, buf))
    }

    fn truncate(&mut self, length: u64) -> VfsResult<()> {
        let length = size(length)?;
        self.change(|platter| platter.file(&self.path).shorten(length))
    }

    fn sync(&mut self, _options: SyncOptions) -> VfsResult<()> {
        let mut platter = self.platter.borrow_mut();
        match platter.strike(self.process) {
            Ok(()) => {
                platter.file(&self.path).flush();
                if std::mem::take(&mut self.flushes_folder) {
                    platter.flush_folder();
                }
                Ok(())
            }
            Err(trouble) => {
                if trouble != Trouble::Death {
                    let luck = platter.operations;
                    platter.file(&self.path).fail_to_flush(luck);
                }
                Err(error(trouble, VfsErrorCode::IoSync))
            }
        }
    }

    fn size(&self) -> VfsResult<u64> {
        let platter = self.platter.borrow();
        Ok(platter.files.get(&self.path).map_or(0, |file| file.seen.len() as u64))
    }

    /// As on Unix: what lies beside written bytes is not disturbed.
    fn device_characteristics(&self) -> DeviceCharacteristics {
        DeviceCharacteristics::POWERSAFE_OVERWRITE
    }

    fn lock(&mut self, _level: LockLevel) -> VfsResult<()> {
        Ok(())
    }

    fn unlock(&mut self, _level: LockLevel) -> VfsResult<()> {
        Ok(())
    }

    fn check_reserved_lock(&self) -> VfsResult<bool> {
        Ok(false)
    }
}

/// No clock. What is salted by chance (a log's header) changes no story.
struct Services;

impl OsCallback for Services {
    fn sleep(&self, _dur: Duration) {}

    fn random(&self, buf: &mut [u8]) -> usize {
        buf.fill(4);
        buf.len()
    }

    fn epoch_timestamp_in_ms(&self) -> VfsResult<i64> {
        Ok(0)
    }
}

struct Store;

fn disk_of(path: &str) -> Option<Rc<RefCell<Platter>>> {
    let number = path.split_once('/')?.0.parse().ok()?;
    DISKS.with_borrow(|disks| disks.get(&number).cloned())
}

impl VfsStore for Store {
    type File = Handle;
    type AppData = Services;

    fn open_file(_: &Services, request: OpenRequest<'_>) -> VfsResult<OpenedFile<Handle>> {
        let missing = || VfsError::new(VfsErrorCode::CantOpen, "no such file".into());
        let path = request.filename.ok_or_else(missing)?.path().to_owned();
        let platter = disk_of(&path).ok_or_else(missing)?;
        let process = platter.borrow().process;
        if platter.borrow().dead || !request.options.create() && !platter.borrow().exists(&path) {
            return Err(missing());
        }
        let is_log = matches!(request.options.kind(), Some(FileKind::MainJournal | FileKind::Wal));
        let flushes_folder = is_log && request.options.create();
        platter.borrow_mut().create(&path);
        let file = Handle { platter, process, path, flushes_folder, regions: Vec::new() };
        Ok(OpenedFile { file, access: request.options.access() })
    }

    fn close_file(_: &Services, _: Option<&str>, _: Handle, _: OpenOptions) -> VfsResult<()> {
        Ok(())
    }

    fn access(_: &Services, name: &str, _mode: AccessMode) -> VfsResult<bool> {
        Ok(disk_of(name).is_some_and(|platter| platter.borrow().exists(name)))
    }

    fn full_pathname(_: &Services, name: &str) -> VfsResult<String> {
        Ok(name.to_owned())
    }

    fn delete_file(_: &Services, name: &str, sync_dir: bool) -> VfsResult<()> {
        let Some(platter) = disk_of(name) else { return Ok(()) };
        let mut platter = platter.borrow_mut();
        let process = platter.process;
        platter.strike(process).map_err(|trouble| error(trouble, VfsErrorCode::IoDelete))?;
        platter.delete(name);
        if sync_dir {
            platter.flush_folder();
        }
        Ok(())
    }
}

struct Vfs;

impl SQLiteVfs<Methods> for Vfs {
    type Os = Services;

    fn os(data: &Services) -> &Services {
        data
    }
}

struct Methods;

impl SQLiteIoMethods for Methods {
    type Store = Store;
    const VERSION: c_int = 2;
    const METHODS: sqlite3_io_methods = sqlite3_io_methods {
        iVersion: Self::VERSION,
        xClose: Some(Self::xClose),
        xRead: Some(Self::xRead),
        xWrite: Some(Self::xWrite),
        xTruncate: Some(Self::xTruncate),
        xSync: Some(Self::xSync),
        xFileSize: Some(Self::xFileSize),
        xLock: Some(Self::xLock),
        xUnlock: Some(Self::xUnlock),
        xCheckReservedLock: Some(Self::xCheckReservedLock),
        xFileControl: Some(Self::xFileControl),
        xSectorSize: Some(Self::xSectorSize),
        xDeviceCharacteristics: Some(Self::xDeviceCharacteristics),
        xShmMap: Some(map_region),
        xShmLock: Some(lock_regions),
        xShmBarrier: Some(barrier),
        xShmUnmap: Some(unmap_regions),
        xFetch: Some(Self::xFetch),
        xUnfetch: Some(Self::xUnfetch),
    };
}

/// A region lives as long as its connection and does not move.
unsafe extern "C" fn map_region(
    file: *mut sqlite3_file,
    index: c_int,
    size: c_int,
    extend: c_int,
    region: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite hands back the file that `xOpen` made, for this call alone.
    let handle = unsafe { (*SQLiteVfsFile::from_file(file)).handle_mut::<Handle>() };
    let (Ok(index), Ok(size)) = (usize::try_from(index), usize::try_from(size)) else {
        return SQLITE_IOERR;
    };
    if size > WORDS * size_of::<u64>() {
        return SQLITE_IOERR;
    }
    while extend != 0 && handle.regions.len() <= index {
        handle.regions.push(vec![0; WORDS].into_boxed_slice());
    }
    let start =
        handle.regions.get_mut(index).map_or(std::ptr::null_mut(), |region| region.as_mut_ptr());
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *region = start.cast() };
    SQLITE_OK
}

unsafe extern "C" fn lock_regions(_: *mut sqlite3_file, _: c_int, _: c_int, _: c_int) -> c_int {
    SQLITE_OK
}

unsafe extern "C" fn barrier(_: *mut sqlite3_file) {}

unsafe extern "C" fn unmap_regions(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: as in `map_region`; SQLite uses no region after this.
    let handle = unsafe { (*SQLiteVfsFile::from_file(file)).handle_mut::<Handle>() };
    handle.regions.clear();
    SQLITE_OK
}
