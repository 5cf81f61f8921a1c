//! A line from an instance to PostgreSQL on which the instance is killed, or stopped, at a statement that
//! was chosen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::config::Host;

use crate::database::runtime;

/// The line, and how many boundaries have passed since it was aimed: in front of each statement of a
/// transaction that changes a payment or a refund, in front of its COMMIT, and when that is done and not
/// answered yet. In between an instance does nothing that anybody else could see.
pub(crate) struct Cutter {
    url: String,
    aim: Arc<Mutex<Aim>>,
}

#[derive(Default)]
struct Aim {
    victim: Option<Pid>,
    /// What the instance is sent, and at which boundary.
    at: Option<(Signal, usize)>,
    passed: usize,
    /// The boundary at which the first COMMIT was done.
    written: usize,
}

impl Aim {
    /// One more; whether the instance is dead now.
    fn boundary(&mut self) -> bool {
        let Some(victim) = self.victim else { return false };
        self.passed += 1;
        let Some((signal, at)) = self.at else { return false };
        if self.passed == at {
            kill_process(victim, signal).unwrap();
        }
        signal == Signal::KILL && self.passed >= at
    }

    /// The same, of a COMMIT.
    fn is_done(&mut self) -> bool {
        if self.written == 0 {
            self.written = self.passed + 1;
        }
        self.boundary()
    }
}

impl Cutter {
    pub(crate) fn to(url: &str) -> Self {
        let aim = Arc::new(Mutex::new(Aim::default()));
        let listener = runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (server, shared) = (Arc::new(url.to_owned()), Arc::clone(&aim));
        runtime().spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (server, aim) = (Arc::clone(&server), Arc::clone(&shared));
                tokio::spawn(async move {
                    let _ = carry(near, &server, &aim).await;
                });
            }
        });
        let (user, rest) = url.split_once('@').unwrap();
        let database = rest.split_once('/').unwrap().1;
        Self { url: format!("{user}@127.0.0.1:{port}/{database}"), aim }
    }

    /// The address of the database by way of this line.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on boundaries are counted, and the instance is sent a signal at this one.
    pub(crate) fn aim(&self, victim: Pid, at: Option<(Signal, usize)>) {
        *self.aim.lock().unwrap() = Aim { victim: Some(victim), at, passed: 0, written: 0 };
    }

    /// Nothing befalls anybody any more. How many boundaries there were, and which of them was behind
    /// the first COMMIT.
    pub(crate) fn disarmed(&self) -> (usize, usize) {
        let aim = std::mem::take(&mut *self.aim.lock().unwrap());
        (aim.passed, aim.written)
    }
}

async fn carry(mut near: TcpStream, server: &str, aim: &Mutex<Aim>) -> std::io::Result<()> {
    let config: tokio_postgres::Config = server.parse().unwrap();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match &config.get_hosts()[0] {
        Host::Unix(folder) => {
            let far = UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?;
            between(&mut near, far, aim).await
        }
        Host::Tcp(name) => {
            between(&mut near, TcpStream::connect((name.as_str(), port)).await?, aim).await
        }
    }
}

async fn between(
    near: &mut TcpStream,
    mut far: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    aim: &Mutex<Aim>,
) -> std::io::Result<()> {
    let mut reader = Reader::default();
    let (mut asked, mut answered) = (vec![0; 16_384], vec![0; 16_384]);
    let mut is_committing = false;
    loop {
        tokio::select! {
            read = near.read(&mut asked) => {
                let asked = &asked[..read?];
                if asked.is_empty() {
                    return Ok(());
                }
                for step in reader.steps(asked) {
                    is_committing = step == Step::Commit;
                    if step != Step::Other && aim.lock().unwrap().boundary() {
                        return Ok(());
                    }
                }
                far.write_all(asked).await?;
            }
            read = far.read(&mut answered) => {
                let answered = &answered[..read?];
                let is_done = std::mem::take(&mut is_committing);
                if answered.is_empty() || is_done && aim.lock().unwrap().is_done() {
                    return Ok(());
                }
                near.write_all(answered).await?;
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// A statement of a transaction that changes something of ours.
    Change,
    /// The COMMIT of one.
    Commit,
    Other,
}

/// Reads what an instance sends to PostgreSQL.
#[derive(Default)]
struct Reader {
    bytes: Vec<u8>,
    is_started: bool,
    prepared: HashMap<String, String>,
    current: String,
    is_change: bool,
}

impl Reader {
    fn steps(&mut self, more: &[u8]) -> Vec<Step> {
        self.bytes.extend_from_slice(more);
        let mut steps = Vec::new();
        while let Some((kind, body)) = self.message() {
            steps.push(match kind {
                b'Q' => self.statement(&texts(&body)[0]),
                b'E' => self.statement(&self.current.clone()),
                b'P' => {
                    let texts = texts(&body);
                    self.prepared.insert(texts[0].clone(), texts[1].clone());
                    Step::Other
                }
                b'B' => {
                    self.current = self.prepared.get(&texts(&body)[1]).cloned().unwrap_or_default();
                    Step::Other
                }
                _ => Step::Other,
            });
        }
        steps
    }

    /// The next whole message. The first one has no kind.
    fn message(&mut self) -> Option<(u8, Vec<u8>)> {
        let start = usize::from(self.is_started);
        let length = self.bytes.get(start..start + 4)?;
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        if self.bytes.len() < start + length {
            return None;
        }
        let message: Vec<u8> = self.bytes.drain(..start + length).collect();
        let kind = if self.is_started { message[0] } else { 0 };
        self.is_started = true;
        Some((kind, message[start + 4..].to_vec()))
    }

    fn statement(&mut self, sql: &str) -> Step {
        if sql.starts_with("BEGIN") || sql.starts_with("START") || sql.starts_with("ROLLBACK") {
            self.is_change = false;
            return Step::Other;
        }
        if sql == "COMMIT" {
            return if self.is_change { Step::Commit } else { Step::Other };
        }
        let changes = sql.starts_with("INSERT")
            || sql.starts_with("UPDATE") && !sql.starts_with("UPDATE outbox")
            || sql.ends_with("FOR UPDATE");
        let is_ours = ["payment", "refund", "outbox"].iter().any(|table| sql.contains(table));
        self.is_change |= changes && is_ours;
        if self.is_change { Step::Change } else { Step::Other }
    }
}

/// The texts of a message, each ended by a zero, and after the last one whatever follows.
fn texts(body: &[u8]) -> Vec<String> {
    body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}
