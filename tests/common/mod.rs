//! A shop in a temporary folder: a simulated gateway on loopback, and the real binary set up for it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

pub mod answering;
pub mod counter;
pub mod paper;
pub mod wire;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use paytill::clock::Millis;
use paytill::simulator::{Bank, Entry, Identity, Scenario, Script, Server};
use paytill_host::clock::Clock;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub const PAYTILL: &str = env!("CARGO_BIN_EXE_paytill");

/// How fast the bank's time goes in tests that are in a hurry, and the till's rules with it.
pub const PACE: u32 = 20;

pub struct Shop {
    pub folder: TempDir,
    pub server: Server,
    pub runtime: Runtime,
    pub pace: u32,
}

impl Shop {
    /// A shop whose gateway plays one scenario, or the one that each code asks for.
    pub fn open(scenario: Option<Scenario>, pace: u32) -> Self {
        Self::open_seeded(scenario, pace, 1)
    }

    pub fn open_seeded(scenario: Option<Scenario>, pace: u32, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let identity = Identity::load_or_generate(folder.path()).unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let script = Script { scenario, ..Script::default() };
        let server = serve(&runtime, listen, &identity, script, seed, pace);
        identity.write(folder.path(), server.local_addr()).unwrap();
        let shop = Self { folder, server, runtime, pace };
        shop.configure("");
        shop
    }

    /// The gateway goes away, and nobody listens where it was; gives that address.
    pub fn close_gateway(&mut self) -> SocketAddr {
        let address = self.server.local_addr();
        let elsewhere = "127.0.0.1:0".parse().unwrap();
        // What is replaced here is told to end; it has once its port is free.
        self.open_gateway(elsewhere);
        while std::net::TcpListener::bind(address).is_err() {
            std::thread::yield_now();
        }
        address
    }

    /// A gateway with new books listens here.
    pub fn open_gateway(&mut self, listen: SocketAddr) {
        let identity = Identity::load_or_generate(self.path()).unwrap();
        let script = Script::default();
        self.server = serve(&self.runtime, listen, &identity, script, 1, self.pace);
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn config(&self) -> PathBuf {
        self.path().join("till.toml")
    }

    pub fn journal(&self) -> PathBuf {
        self.path().join("journal.sqlite")
    }

    /// Writes the till's configuration: the default rules at this shop's pace, and more sections.
    pub fn configure(&self, more: &str) {
        let scaled = |seconds: u32| seconds * 1000 / self.pace;
        let text = format!(
            r#"
[store]
name = "Corner Coffee"
[till]
id = "T01"
language = "en"
[gateway]
kind = "wechat-v2"
[gateway.wechat-v2]
base_url = "https://{address}"
app_id = "wx8888888888888888"
mch_id = "1900000109"
api_key_file = "secrets/api_v2.key"
client_cert_file = "secrets/apiclient_cert.pem"
client_key_file = "secrets/apiclient_key.pem"
ca_file = "ca.pem"
connect_timeout_ms = 3000
request_timeout_ms = {timeout}
[payment]
query_interval_ms = {interval}
give_up_after_ms = {give_up}
reverse_not_before_ms = {not_before}
attention_after_ms = {attention}
[journal]
path = "journal.sqlite"
[log]
level = "debug"
{more}
"#,
            address = self.server.local_addr(),
            timeout = scaled(10),
            interval = scaled(5),
            give_up = scaled(30),
            not_before = scaled(15),
            attention = scaled(180),
        );
        std::fs::write(self.config(), text).unwrap();
    }

    /// Changes the one place in the till's configuration that says `from`.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.config()).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from}");
        std::fs::write(self.config(), text.replace(from, to)).unwrap();
    }

    /// Has the process fail or die at an operation on the journal (`disk_faults.c`).
    pub fn faulty(&self, arguments: &[&str], fault: &str) -> Command {
        let mut command = self.command(arguments);
        command.env("LD_PRELOAD", disk_faults()).env("PAYTILL_FAULT", fault);
        command
    }

    /// The binary, set up for this shop, with an environment of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PAYTILL);
        command.args(arguments);
        self.dressed(command)
    }

    /// The same by way of a shell, which does something first or around it: there `"$@"` is the
    /// binary with its arguments.
    pub fn by_shell(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "sh", PAYTILL]).args(arguments);
        self.dressed(command)
    }

    fn dressed(&self, mut command: Command) -> Command {
        command
            .env_clear()
            .env("PAYTILL_CONFIG", self.config())
            .env("HOME", self.path())
            .env("TZ", "UTC")
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Takes a payment with `--json`.
    pub fn pay(&self, amount: &str, code: &str) -> Ran {
        Ran::of(self.run(&["pay", amount, "--code", code, "--json"]))
    }

    pub fn recover(&self) -> Ran {
        Ran::of(self.run(&["recover", "--json"]))
    }

    /// What the journal says, by order number.
    pub fn orders(&self) -> BTreeMap<String, Value> {
        let ran = Ran::of(self.run(&["orders", "--json"]));
        assert_eq!(ran.exit, 0, "{}", ran.errors);
        let number = |line: &Value| line["order_no"].as_str().unwrap().to_owned();
        ran.lines.into_iter().map(|line| (number(&line), line)).collect()
    }

    /// The journal and what lies beside it, byte for byte, but for what says nothing of the past:
    /// the lock, and the database's shared memory.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let folder = std::fs::read_dir(self.path()).unwrap();
        let says_something = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("journal.sqlite")
                && name != "journal.sqlite.lock"
                && name != "journal.sqlite-shm"
                && path.is_file()
        };
        folder
            .map(|entry| entry.unwrap().path())
            .filter(says_something)
            .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
            .collect()
    }

    /// Calls that reached the bank so far.
    pub fn calls(&self) -> usize {
        self.ledger().iter().map(|entry| entry.calls.len()).sum()
    }

    /// What the bank says.
    pub fn ledger(&self) -> Vec<Entry> {
        let now = self.server.now();
        let mut bank = self.server.bank();
        bank.advance(now);
        bank.ledger().cloned().collect()
    }

    /// The rules that hold between the books of the till and of the bank, at any time. `settled`
    /// says that nothing may be open any more.
    pub fn assert_books_agree(&self, settled: bool) {
        let orders = self.orders();
        let ledger = self.ledger();
        for entry in &ledger {
            let number = &entry.out_trade_no;
            let story = format!("{entry:?}\n{:?}", orders.get(number));
            assert!(
                orders.contains_key(number),
                "the bank knows what the journal does not: {story}"
            );
            assert!(entry.submissions() <= 1, "one micropay a number: {story}");
            assert!(entry.charged.minor() <= entry.amount.minor(), "charged twice: {story}");
            let first = entry.times_of(paytill::payment::CallKind::Submit).next();
            let reversed = entry.times_of(paytill::payment::CallKind::Reverse).next();
            if let (Some(submitted), Some(reversed)) = (first, reversed) {
                // A tenth for the way there.
                let least = Millis(13_500);
                assert!(reversed.minus(submitted) >= least, "reversed too soon: {story}");
            }
        }
        for (number, order) in &orders {
            let entry = ledger.iter().find(|entry| entry.out_trade_no == *number);
            let net = entry.map_or(0, |entry| entry.net().minor());
            let story = format!("{order}\n{entry:?}");
            match order["state"].as_str().unwrap() {
                "paid" => assert_eq!(net, order["amount"].as_i64().unwrap(), "{story}"),
                "declined" | "reversed" => assert_eq!(net, 0, "{story}"),
                _ => assert!(!settled, "still open: {story}"),
            }
            if settled {
                assert_eq!(order["open"], false, "still open: {story}");
            }
        }
    }
}

fn serve(
    runtime: &Runtime,
    listen: SocketAddr,
    identity: &Identity,
    script: Script,
    seed: u64,
    pace: u32,
) -> Server {
    let bank = Bank::new(identity.account(), script, seed, Clock::start().wall());
    runtime.block_on(Server::start(listen, identity, bank, None, pace)).unwrap()
}

/// What a run of the binary said.
#[derive(Debug)]
pub struct Ran {
    pub exit: i32,
    pub lines: Vec<Value>,
    pub errors: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")));
        Self {
            exit: output.status.code().unwrap_or(-1),
            lines: lines.collect(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The states it passed.
    pub fn states(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line["state"].as_str().unwrap()).collect()
    }

    pub fn last(&self) -> &Value {
        self.lines.last().unwrap_or_else(|| panic!("no line: {}", self.errors))
    }
}

/// A payment that waits for its customer. It is killed when this is dropped.
pub struct Waiting(Child);

impl Waiting {
    pub fn start(shop: &Shop, amount: &str, code: &str) -> Self {
        let mut pay = shop.command(&["pay", amount, "--code", code, "--json"]);
        let mut child = pay.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut waits = lines.map(|line| line.unwrap().contains("\"waiting\""));
        assert!(waits.any(|waits| waits), "it waits for its customer");
        Self(child)
    }

    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The library that stands between the till and the disk, built once.
pub fn disk_faults() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("disk_faults")).clone()
}

/// The library that stands between the till and the wall clock.
pub fn clock_faults() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("clock_faults")).clone()
}

/// The library that stands between the till and its threads.
pub fn thread_faults() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("thread_faults")).clone()
}

fn built(name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/common/{name}.c"));
    let library = format!("{name}_{}.so", std::process::id());
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(library);
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(built.success(), "the C compiler that built SQLite builds this too");
    library
}

/// Runs what `work` does for each of `items` on several threads, and fails with all failures.
pub fn in_lanes<T: Sync>(lanes: usize, items: &[T], work: impl Fn(&T) + Sync) {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = catch_unwind(AssertUnwindSafe(|| work(item)));
                    if let Err(panic) = outcome {
                        let text = panic.downcast_ref::<String>().cloned().or_else(|| {
                            panic.downcast_ref::<&str>().map(|text| (*text).to_owned())
                        });
                        failures.lock().unwrap().push(text.unwrap_or_default());
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let list = failures.join("\n\n");
    assert!(failures.is_empty(), "{} of {} failed:\n{list}", failures.len(), items.len());
}
