//! `paytill-backend`: serves until it is told to end.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use paytill_core::both;
use paytill_core::language::Language;
use paytill_core::say;
use paytill_host::log;

use super::open::{Books, not_listening};
use super::web::{self, Entrance};
use super::{gateway, print_line, print_message};
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::files::{self, FileError};
use crate::pages;
use crate::routes::notify::{self, Notified};
use crate::routes::{self, App};
use crate::serve::Door;
use crate::work::Work;
use crate::work::outbox::Outbox;

/// Serves until a signal, and then lets what is under way come to its end.
pub(super) async fn run(books: &Books<'_>, language: Language) -> Result<Exit, Failure> {
    let config = books.config;
    let _held = books.hold()?;
    let store = books.ready().await?;
    let path = config.log.clone().unwrap_or_else(|| config.folder.join("backend.log"));
    files::make_folder(&config.folder)?;
    let _log = log::start(&path, config.level, paytill_core::clock::TimeZone::UTC)
        .map_err(|error| print_message(error.text().in_language(language)));
    let (key, secret) = files::signing_key(&config.folder)?;
    let named = config.certificate.as_ref().map(|(cert, key)| (cert.as_path(), key.as_path()));
    let host = config.public_url.as_deref().and_then(host_of);
    let hosts = files::names(config.tills.ip(), host);
    let tls = files::tls(&config.folder, named, &hosts)?;
    let newest = renewed(config, hosts, Arc::clone(&tls.config))?;

    let entrance = Entrance::open(books, &store, &tls).await?;
    let webhook = web::webhook(config.webhook.as_ref())?;
    let (opened, simulator) = gateway::opened(books, Some(&entrance)).await?;
    if let Some((simulator, root)) = simulator.as_ref().zip(tls.root_pem.as_deref())
        && let Err(error) = simulator.trust_receivers_of(root)
    {
        tracing::warn!(%error, "the simulated gateway cannot deliver notifications");
    }
    let notices = opened.notices();
    let (work, bills) = gateway::work(books, store, opened, &secret)?;
    let here = entrance.here();
    let notified = Notified::new(Arc::clone(&work), notices, entrance.token);
    let pages = web::pages(books, &work, key.public());
    let public = notify::notified(notified).merge(pages::router(pages));
    let web = Door::on(entrance.listener, entrance.tls, public).renewed_by(newest.clone());
    let app = App::new((Arc::clone(&work), Arc::clone(&bills)), key, tls.root_pem, config.limits);
    let door = Door::open(config.tills, Some(tls.config), routes::tills(app))
        .await
        .map_err(|error| not_listening(config.tills, &error))?;
    let door = door.counted_by(work.metrics.connections.clone()).renewed_by(newest);
    let address = door.address().map_err(|error| not_listening(config.tills, &error))?;
    let mut end = ends()?;
    let watching = watched(config.metrics, &work, end.clone()).await?;
    announce(config.is_demo, &here, language);
    print_line(&format!("https://{address}"));
    tracing::info!(%address, "serving");

    let sweeping = tokio::spawn(Arc::clone(&work).sweep());
    let comparing = config.gateway.is_some().then(|| {
        // A simulated gateway begins anew with every start: it has no bill of yesterday.
        tokio::spawn(bills.daily(config.time_zone.clone()))
    });
    let telling = tokio::spawn(Outbox::new(Arc::clone(&work), webhook).run());
    let mut web_end = end.clone();
    let web = tokio::spawn(web.serve(async move {
        let _ = web_end.wait_for(|ended| *ended).await;
    }));
    let drained = Arc::clone(&work);
    door.serve(async move {
        let _ = end.wait_for(|ended| *ended).await;
        drained.answer_all();
    })
    .await;
    let _ = web.await;
    telling.abort();
    comparing.inspect(JoinHandle::abort);
    sweeping.abort();
    work.drained().await;
    // Until now it could be seen that this instance ends.
    watching.abort();
    drop(simulator);
    tracing::info!("ended");
    Ok(Exit::Done)
}

/// Serves figures and health to operators, if it is to.
async fn watched(
    address: Option<SocketAddr>,
    work: &Arc<Work>,
    end: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, Failure> {
    let Some(address) = address else { return Ok(tokio::spawn(async {})) };
    let router = routes::health::router(Arc::clone(work), end);
    let failed = |error: std::io::Error| not_listening(address, &error);
    let door = Door::open(address, None, router).await.map_err(failed)?;
    let address = door.address().map_err(failed)?;
    print_message(&format!("http://{address}/healthz /readyz /metrics"));
    Ok(tokio::spawn(door.serve(std::future::pending())))
}

/// The certificate, read again at each SIGHUP. One that cannot be used changes nothing.
fn renewed(
    config: &Config,
    hosts: Vec<String>,
    first: Arc<rustls::ServerConfig>,
) -> Result<watch::Receiver<Arc<rustls::ServerConfig>>, Failure> {
    let mut hangups = signal(SignalKind::hangup()).map_err(|error| no_signals(&error))?;
    let (renew, newest) = watch::channel(first);
    let (folder, named) = (config.folder.clone(), config.certificate.clone());
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            let named = named.as_ref().map(|(cert, key)| (cert.as_path(), key.as_path()));
            match files::tls(&folder, named, &hosts) {
                Ok(tls) => {
                    renew.send_replace(tls.config);
                    tracing::info!("the certificate was read again");
                }
                Err(FileError(why)) => {
                    let why = why.in_language(Language::English);
                    tracing::error!(why, "the certificate stays as it was");
                }
            }
        }
    });
    Ok(newest)
}

fn no_signals(error: &std::io::Error) -> Failure {
    let what = both!("signals cannot be received", "无法接收信号");
    Failure::new(Exit::Fault, what.because(&paytill_core::text::system::text(error)))
}

/// Rings once, when the process is told to end.
fn ends() -> Result<watch::Receiver<bool>, Failure> {
    let mut terminated = signal(SignalKind::terminate()).map_err(|error| no_signals(&error))?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(|error| no_signals(&error))?;
    let (ended, end) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        let _ = ended.send(true);
    });
    Ok(end)
}

fn host_of(url: &str) -> Option<&str> {
    let host = url.strip_prefix("https://")?;
    host.split(':').next()
}

fn announce(is_demo: bool, web: &str, language: Language) {
    if is_demo {
        print_message(language.pick(
            "no configuration: the gateway is simulated and no money moves",
            "没有配置文件：使用模拟网关，不会真实扣款",
        ));
        print_message(language.pick(
            "a till joins with: paytill-backend till add S001 T01",
            "添加收银台：paytill-backend till add S001 T01",
        ));
    }
    print_message(&say!(
        language,
        "the owner's page: {web}/admin, after paytill-backend admin add NAME",
        "店主页面：{web}/admin，请先运行 paytill-backend admin add 姓名"
    ));
}
