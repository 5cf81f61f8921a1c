//! The program, in a folder of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

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
        let folder = TempDir::new().unwrap();
        let text = "[listen]\ntills = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n\
                    [state]\nfolder = \"state\"\n[log]\nlevel = \"debug\"\n";
        std::fs::write(folder.path().join("backend.toml"), format!("{text}{more}")).unwrap();
        Self { folder }
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
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let tills = address(&line, "https://");
        Served { place: self, child, tills, metrics }
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
    metrics: SocketAddr,
}

impl Served<'_> {
    /// A connection to where tills are heard.
    pub(crate) fn dial(&self) -> StreamOwned<ClientConnection, TcpStream> {
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
        let stream = TcpStream::connect(self.tills).unwrap();
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

    /// What operators are told.
    pub(crate) fn watched(&self, path: &str) -> Answer {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        stream.set_read_timeout(Some(HANGS)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        Answer::read(&mut stream)
    }

    /// Tells it to end, as a service manager does.
    pub(crate) fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
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
    /// Reads to the end, however that comes.
    pub(crate) fn read(stream: &mut impl std::io::Read) -> Self {
        let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
        loop {
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) => {
                    assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "it hangs");
                    break;
                }
            }
        }
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }
}
