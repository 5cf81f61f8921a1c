//! A shop's counter: the real binary in a pseudo-terminal under a terminal emulator, and places to
//! plug devices into, which are pseudo-terminals too.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use paytill::clock::{Millis, Uptime};
use paytill_host::clock::Clock;
use portable_pty::{
    Child, CommandBuilder, ExitStatus, MasterPty, PtyPair, PtySize, native_pty_system,
};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use serialport::{SerialPort, TTYPort};

use super::answering::{Answering, Skills};
use super::{PAYTILL, Shop};

/// Far longer than anything takes; only a failing test waits for it.
const DEADLINE: Millis = Millis::seconds(30);
/// A hand does not press two keys within this time, and a till may count on that.
const HAND: Duration = Duration::from_millis(60);
/// Bytes between two looks at the screen: no state is so short that it is missed.
const GLANCE: usize = 64;

/// Where a cashier sits. The screen is looked at a few bytes at a time, in the order in which it
/// was drawn.
pub struct Counter {
    process: Box<dyn Child + Send + Sync>,
    terminal: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    drawn: Receiver<Vec<u8>>,
    /// Drawn, but not looked at yet.
    ahead: VecDeque<u8>,
    emulator: vt100::Parser,
    /// Whoever holds it keeps the window from taking anything.
    window: Arc<Mutex<()>>,
    /// All that was ever drawn.
    tape: Vec<u8>,
    modes: String,
    clock: Clock,
}

impl Counter {
    /// Starts the till's screen in a window of 80 by 24.
    pub fn open(shop: &Shop) -> Self {
        Self::open_with(shop, &[])
    }

    /// The same, with more in the environment.
    pub fn open_with(shop: &Shop, environment: &[(&str, &OsStr)]) -> Self {
        Self::start(shop, environment, 80, 24)
    }

    /// With a serial scanner, and a customer who is asked for the password of this code.
    pub fn open_waiting(shop: &Shop, code: &str) -> (Self, Device) {
        shop.configure("[scanner]\nkind = \"serial\"\nport = \"scanner\"\n");
        let mut scanner = Socket::new(shop, "scanner").plug();
        let mut counter = Self::open(shop);
        counter.see(&["Enter the amount.", "WeChat Pay ready", "Scanner ready"]);
        counter.press("12.34\r");
        counter.see(&["Scan the customer's payment code."]);
        scanner.scan(code);
        counter.see(&["WAITING FOR CUSTOMER"]);
        (counter, scanner)
    }

    /// Starts it in a window of another size.
    pub fn open_sized(shop: &Shop, width: u16, height: u16) -> Self {
        Self::start(shop, &[], width, height)
    }

    fn start(shop: &Shop, environment: &[(&str, &OsStr)], width: u16, height: u16) -> Self {
        let PtyPair { master, slave } = native_pty_system().openpty(size(width, height)).unwrap();
        let modes = modes(&*master);
        let mut command = CommandBuilder::new(PAYTILL);
        command.env_clear();
        command.env("PAYTILL_CONFIG", shop.config());
        command.env("HOME", shop.path());
        command.env("TZ", "UTC");
        command.env("TERM", "xterm-256color");
        for (name, value) in environment {
            command.env(name, value);
        }
        command.cwd(shop.path());
        let process = slave.spawn_command(command).unwrap();
        // With this end open too, the terminal would never end.
        drop(slave);
        let mut reader = master.try_clone_reader().unwrap();
        let (post, drawn) = channel();
        let window = Arc::new(Mutex::new(()));
        let frozen = Arc::clone(&window);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                drop(frozen.lock());
                if post.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            process,
            keyboard: master.take_writer().unwrap(),
            terminal: master,
            drawn,
            ahead: VecDeque::new(),
            emulator: vt100::Parser::new(cells(height.max(1)), cells(width.max(1)), 0),
            window,
            tape: Vec::new(),
            modes,
            clock: Clock::start(),
        }
    }

    /// Until it is let go of, the terminal takes nothing more, as one at the end of a dead line.
    pub fn window(&self) -> Arc<Mutex<()>> {
        Arc::clone(&self.window)
    }

    /// Presses keys as a hand does: not at once after the last.
    pub fn press(&mut self, keys: &str) {
        std::thread::sleep(HAND);
        self.burst(keys);
    }

    /// Presses keys as a machine does.
    pub fn burst(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits until these words are on the screen together, wherever their lines break.
    pub fn see(&mut self, words: &[&str]) {
        let sought: Vec<String> = words.iter().map(|words| flowing(words)).collect();
        let all = |screen: &str| {
            let screen = flowing(screen);
            sought.iter().all(|words| screen.contains(words))
        };
        self.see_that(&format!("{words:?}"), all);
    }

    /// Waits until the screen is as it should be.
    pub fn see_that(&mut self, what: &str, holds: impl Fn(&str) -> bool) {
        let deadline = self.deadline();
        while !holds(&self.screen()) {
            let more = self.glance(deadline.since(self.clock.uptime()));
            assert!(more, "never on the screen: {what}\n{}", self.screen());
        }
    }

    /// Watches the screen until something else has come.
    pub fn watch_until(&mut self, what: &str, has_come: impl Fn() -> bool) {
        let deadline = self.deadline();
        while !has_come() {
            assert!(self.clock.uptime() < deadline, "never came: {what}\n{}", self.screen());
            self.glance(Millis(10));
        }
    }

    /// What is on the screen, as far as it was looked at.
    pub fn screen(&self) -> String {
        self.emulator.screen().contents()
    }

    /// The window gets this size. One without cells is drawn by nobody, but programs are told of it.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.terminal.resize(size(width, height)).unwrap();
        self.emulator.set_size(cells(height.max(1)), cells(width.max(1)));
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    pub fn send(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the end of the process.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let deadline = self.deadline();
        while self.glance(deadline.since(self.clock.uptime())) {}
        assert!(self.clock.uptime() < deadline, "it does not end\n{}", self.screen());
        self.process.wait().unwrap()
    }

    /// Whether the terminal is as it was before: its modes, the shell's own screen, the cursor.
    pub fn is_given_back(&self) -> bool {
        let screen = self.emulator.screen();
        !screen.alternate_screen() && !screen.hide_cursor() && modes(&*self.terminal) == self.modes
    }

    /// All that was drawn until now, as text.
    pub fn tape(&self) -> String {
        String::from_utf8_lossy(&self.tape).into_owned()
    }

    /// The same, byte for byte.
    pub fn tape_bytes(&self) -> &[u8] {
        &self.tape
    }

    /// The till's process.
    pub fn process_id(&self) -> u32 {
        self.process.process_id().unwrap()
    }

    fn deadline(&self) -> Uptime {
        self.clock.uptime().after(DEADLINE)
    }

    /// Looks at a little of what was drawn; false when nothing came for so long, or nothing more
    /// ever will.
    fn glance(&mut self, patience: Millis) -> bool {
        if self.ahead.is_empty() {
            match self.drawn.recv_timeout(patience.into()) {
                Ok(bytes) => self.ahead.extend(bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
        let some: Vec<u8> = self.ahead.drain(..GLANCE.min(self.ahead.len())).collect();
        self.emulator.process(&some);
        self.tape.extend(some);
        true
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.process_id().try_into().unwrap()).unwrap()
    }
}

impl Drop for Counter {
    /// Pulls the plug of a till that still runs.
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            self.send(Signal::KILL);
            self.process.wait().ok();
        }
    }
}

/// Without blanks, line breaks and frames.
fn flowing(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && !"▌│┃".contains(*letter)).collect()
}

fn size(width: u16, height: u16) -> PtySize {
    PtySize { rows: height, cols: width, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

fn modes(terminal: &dyn MasterPty) -> String {
    format!("{:?}", terminal.get_termios().unwrap())
}

/// A place to plug a device into: a name in the shop's folder that stays, whatever is behind it.
pub struct Socket {
    path: PathBuf,
}

impl Socket {
    pub fn new(shop: &Shop, name: &str) -> Self {
        Self { path: shop.path().join(name) }
    }

    /// Plugs a new device in, in place of the one before. This is the device's end of the line.
    pub fn plug(&self) -> Device {
        let (mut line, till) = TTYPort::pair().unwrap();
        line.set_timeout(DEADLINE.into()).unwrap();
        std::fs::remove_file(&self.path).ok();
        symlink(till.name().unwrap(), &self.path).unwrap();
        Device { line, jam: None }
    }

    /// Plugs in a printer that answers.
    pub fn plug_answering(&self, skills: Skills) -> Answering {
        Answering::start(self.plug().line, skills)
    }

    /// Pulls a device out, and its name goes with it.
    pub fn unplug<T>(&self, device: T) {
        std::fs::remove_file(&self.path).unwrap();
        drop(device);
    }

    /// Plugs in a device that will take nothing once it is jammed.
    pub fn plug_to_jam(&self) -> Device {
        let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
        let device = self.plug();
        let mut till = OpenOptions::new();
        till.write(true).custom_flags(flags.bits().cast_signed());
        Device { jam: Some(till.open(&self.path).unwrap()), ..device }
    }
}

/// A scanner or a printer. It is unplugged when it is dropped.
pub struct Device {
    line: TTYPort,
    /// The till's end, to fill the line from.
    jam: Option<File>,
}

impl Device {
    /// Reads a code, as a scanner does.
    pub fn scan(&mut self, code: &str) {
        self.line.write_all(format!("{code}\r").as_bytes()).unwrap();
    }

    /// Sends bytes as they are, as a broken scanner does.
    pub fn babble(&mut self, bytes: &[u8]) {
        self.line.write_all(bytes).unwrap();
    }

    /// Fills the line: nobody reads it, so nothing more goes in.
    pub fn jam(&mut self) {
        let till = self.jam.as_mut().unwrap();
        while till.write(b" ").is_ok() {}
    }

    /// Takes what is printed, up to and with these bytes. Questions about its state are not printed,
    /// and not answered.
    pub fn take_until(&mut self, end: &[u8]) -> Vec<u8> {
        let mut taken = Vec::new();
        while !taken.ends_with(end) {
            let mut byte = [0];
            self.line.read_exact(&mut byte).unwrap();
            taken.extend(byte);
            if let [.., 0x10, 4, 1..=4] = taken[..] {
                taken.truncate(taken.len() - 3);
            }
        }
        taken
    }
}
