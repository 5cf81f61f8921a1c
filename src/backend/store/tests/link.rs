//! A link to PostgreSQL that fails when a test wants it to, and that can be encrypted.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_postgres::config::Host;
use tokio_rustls::TlsAcceptor;

/// What the link does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Link {
    Up,
    /// Nobody gets through, and those who were are cut off.
    Down,
    /// Nothing is passed on, and nothing ends.
    Silent,
    /// A COMMIT is not passed on, and the connection is cut.
    LosesCommit,
    /// A COMMIT is passed on and done, and the connection is cut before its answer.
    LosesAnswer,
}

/// A link, and the address of its near end.
pub(super) struct Line {
    pub(super) port: u16,
    now: watch::Sender<Link>,
}

impl Line {
    /// A link to the server at this address. With `tls` it is encrypted up to here.
    pub(super) async fn to(base: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let now = watch::Sender::new(Link::Up);
        let (server, link) = (Arc::new(base.to_owned()), now.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (server, link, tls) = (Arc::clone(&server), link.subscribe(), tls.clone());
                tokio::spawn(async move {
                    let _ = serve(near, &server, link, tls).await;
                });
            }
        });
        Self { port, now }
    }

    pub(super) fn becomes(&self, link: Link) {
        self.now.send_replace(link);
    }

    /// The address of the database by way of this link.
    pub(super) fn url(&self, direct: &str) -> String {
        let (before, rest) = direct.split_once('@').unwrap();
        let after = rest.split_once('/').unwrap().1;
        format!("{before}@127.0.0.1:{}/{after}", self.port)
    }
}

trait Both: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}

async fn far(server: &str) -> std::io::Result<Box<dyn Both>> {
    let config: tokio_postgres::Config = server.parse().unwrap();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    Ok(match &config.get_hosts()[0] {
        Host::Unix(folder) => {
            Box::new(UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?)
        }
        Host::Tcp(name) => Box::new(TcpStream::connect((name.as_str(), port)).await?),
    })
}

async fn serve(
    mut near: TcpStream,
    server: &str,
    mut link: watch::Receiver<Link>,
    tls: Option<TlsAcceptor>,
) -> std::io::Result<()> {
    if *link.borrow() == Link::Down {
        return Ok(());
    }
    let near: Box<dyn Both> = match tls {
        Some(tls) => {
            // SSLRequest, and the answer that it may begin.
            let mut request = [0; 8];
            near.read_exact(&mut request).await?;
            assert_eq!(request[4..], 80_877_103_u32.to_be_bytes());
            near.write_all(b"S").await?;
            Box::new(tls.accept(near).await?)
        }
        None => Box::new(near),
    };
    let far = far(server).await?;
    let (mut from_near, mut to_near) = tokio::io::split(near);
    let (mut from_far, mut to_far) = tokio::io::split(far);
    let (mut asked, mut answered) = (vec![0; 16_384], vec![0; 16_384]);
    let mut is_last = false;
    loop {
        let now = *link.borrow_and_update();
        tokio::select! {
            read = from_near.read(&mut asked), if now != Link::Silent => {
                let asked = &asked[..read?];
                if asked.is_empty() {
                    return Ok(());
                }
                let is_commit = asked.windows(7).any(|bytes| bytes == b"COMMIT\0");
                if is_commit && now == Link::LosesCommit {
                    return Ok(());
                }
                is_last = is_commit && now == Link::LosesAnswer;
                to_far.write_all(asked).await?;
            }
            read = from_far.read(&mut answered), if now != Link::Silent => {
                let answered = &answered[..read?];
                if answered.is_empty() || is_last {
                    return Ok(());
                }
                to_near.write_all(answered).await?;
            }
            changed = link.changed() => {
                if changed.is_err() || *link.borrow() == Link::Down {
                    return Ok(());
                }
            }
        }
    }
}
