//! PostgreSQL, where there is one: a schema for each test, and a server of its own for one that ends it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Once, OnceLock};

use tokio::runtime::Runtime;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// What a test needs besides its own thread.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    })
}

/// The address of a server.
pub(crate) fn postgres() -> Option<String> {
    static TOLD: Once = Once::new();
    let base = std::env::var("PAYTILL_TEST_POSTGRES").ok();
    if base.is_none() {
        // Past the harness, which keeps what a test prints.
        TOLD.call_once(|| {
            let why = "skipped: several instances on PostgreSQL, since PAYTILL_TEST_POSTGRES is not \
                       set. `scripts/with-postgres cargo test -p paytill-backend` runs them.";
            let _ = writeln!(std::io::stderr(), "{why}");
        });
    }
    base
}

/// A schema of its own.
pub(crate) struct Schema {
    pub(crate) url: String,
}

impl Schema {
    pub(crate) fn new(base: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("instances_{}_{count}", std::process::id());
        ask(base, &format!("CREATE SCHEMA {name}"));
        Self { url: format!("{base}?options=-c%20search_path%3D{name}") }
    }

    /// What the database says, as text; nothing where it has no value.
    pub(crate) fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        ask(&self.url, sql)
    }

    /// The same, of a number in a single row.
    pub(crate) fn number(&self, sql: &str) -> Option<i64> {
        self.ask(sql).first().and_then(|row| row[0].parse().ok())
    }
}

fn ask(url: &str, sql: &str) -> Vec<Vec<String>> {
    runtime().block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let said = client.simple_query(sql).await.unwrap();
        let rows = said.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        rows.map(|row| (0..row.len()).map(|at| text(row.get(at))).collect()).collect()
    })
}

/// A server that is stopped and started by word.
pub(crate) struct OwnServer {
    child: Child,
    words: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
    pub(crate) base: String,
}

impl OwnServer {
    pub(crate) fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/with-postgres");
        let mut child = Command::new(script)
            .arg("--by-word")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let words = child.stdin.take();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, words, said, base: String::new() };
        server.base = server.line();
        server
    }

    /// `stop` or `start`: returns once it is so.
    pub(crate) fn told(&mut self, word: &str) {
        writeln!(self.words.as_mut().unwrap(), "{word}").unwrap();
        assert_eq!(self.line(), "done");
    }

    /// From now on it takes writes again, or none.
    pub(crate) fn is_read_only(&self, is_so: bool) {
        let word = if is_so { "on" } else { "off" };
        ask(&self.base, &format!("ALTER SYSTEM SET default_transaction_read_only = {word}"));
        ask(&self.base, "SELECT pg_reload_conf()");
        // Each connection reads that when it is next idle.
        while ask(&self.base, "SHOW default_transaction_read_only")[0][0] != word {}
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        drop(self.words.take());
        let _ = self.child.wait();
    }
}
