//! The program, in a folder of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::DirBuilderExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;

/// Nothing takes so long unless it hangs.
const HANGS: Duration = Duration::from_mins(1);

/// A folder with a configuration, in which the program is run.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    /// It listens where there is room, on SQLite and the simulated gateway.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// The same, with more in its configuration.
    pub(crate) fn with(more: &str) -> Self {
        Self::listening("", more)
    }

    /// The same, with more of where it listens, too.
    pub(crate) fn listening(how: &str, more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let text = format!(
            "[listen]\ntills = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n{how}\
             [state]\nfolder = \"state\"\n[log]\nlevel = \"debug\"\n{more}"
        );
        std::fs::write(folder.path().join("backend.toml"), text).unwrap();
        Self { folder }
    }

    /// Signs with the same key as another one, as instances on one database do.
    pub(crate) fn share_key_of(&self, other: &Self) {
        let state = self.folder.path().join("state");
        std::fs::DirBuilder::new().mode(0o700).create(&state).unwrap();
        let key = other.folder.path().join("state/backend.key");
        std::fs::copy(key, state.join("backend.key")).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paytill-backend"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Serves.
    pub(crate) fn serve(&self) -> Served<'_> {
        let mut child =
            self.command(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let address = |line: &str, start: &str| -> SocketAddr {
            let rest = line.split_once(start).expect(line).1;
            rest.split('/').next().unwrap().trim().parse().unwrap()
        };
        let mut messages = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        messages.read_line(&mut line).unwrap();
        let metrics = address(&line, "http://");
        line.clear();
        messages.read_line(&mut line).unwrap();
        let web = address(&line, "://");
        line.clear();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let tills = address(&line, "https://");
        Served { place: self, child, tills, web, metrics }
    }

    /// All that was logged.
    pub(crate) fn log(&self) -> String {
        let files = std::fs::read_dir(self.folder.path().join("state")).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        let logs = paths.filter(|path| path.to_string_lossy().contains("backend.log."));
        logs.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

/// The program while it serves.
pub(crate) struct Served<'a> {
    place: &'a Place,
    child: Child,
    pub(crate) tills: SocketAddr,
    /// Where the gateway delivers and the owner looks.
    pub(crate) web: SocketAddr,
    metrics: SocketAddr,
}

impl Served<'_> {
    /// A connection to where tills are heard.
    pub(crate) fn dial(&self) -> StreamOwned<ClientConnection, TcpStream> {
        self.secured(TcpStream::connect(self.tills).unwrap())
    }

    fn secured(&self, stream: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
        let pem = std::fs::read(self.place.folder.path().join("state/tls-root.pem")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        stream.set_read_timeout(Some(HANGS)).unwrap();
        StreamOwned::new(connection, stream)
    }

    /// Sends these bytes, and reads until the other side has said all.
    pub(crate) fn exchange(&self, request: &[u8]) -> Answer {
        let mut stream = self.dial();
        // It may be refused before all of it is sent.
        let _ = stream.write_all(request).and_then(|()| stream.flush());
        Answer::read(&mut stream)
    }

    /// The same of one that may be gone or stopped: as long as a till waits for an answer.
    pub(crate) fn try_exchange(&self, request: &[u8], patience: Duration) -> Answer {
        let Ok(stream) = TcpStream::connect(self.tills) else { return Answer::none() };
        let mut stream = self.secured(stream);
        stream.sock.set_read_timeout(Some(patience)).unwrap();
        let _ = stream.write_all(request).and_then(|()| stream.flush());
        Answer::read_so_far(&mut stream).0
    }

    /// What operators are told.
    pub(crate) fn watched(&self, path: &str) -> Answer {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        stream.set_read_timeout(Some(HANGS)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        Answer::read(&mut stream)
    }

    /// Tells it to end, as a service manager does.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.id(), signal).unwrap();
    }

    pub(crate) fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// What it takes of memory at most so far, in KiB.
    pub(crate) fn most_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Waits for its end: its exit code.
    pub(crate) fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 0: nothing came.
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Nothing came.
    pub(crate) fn none() -> Self {
        Self { status: 0, head: String::new(), body: String::new() }
    }

    /// Reads to the end, however that comes.
    pub(crate) fn read(stream: &mut impl std::io::Read) -> Self {
        let (answer, error) = Self::read_so_far(stream);
        assert_ne!(error, Some(std::io::ErrorKind::WouldBlock), "it hangs");
        answer
    }

    /// Reads as long as something comes; why it did not go on.
    fn read_so_far(stream: &mut impl std::io::Read) -> (Self, Option<std::io::ErrorKind>) {
        let (mut bytes, mut chunk, mut why) = (Vec::new(), [0; 4096], None);
        loop {
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) => {
                    why = Some(error.kind());
                    break;
                }
            }
        }
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (Self { status, head: head.to_owned(), body: body.to_owned() }, why)
    }
}
