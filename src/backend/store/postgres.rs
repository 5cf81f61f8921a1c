//! PostgreSQL, and what speaks its protocol: a pool of connections, and transactions that are done again
//! where another one came in between.

mod tls;
mod together;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Transaction,
};
use tokio_postgres::NoTls;
use tokio_postgres::config::{Config, Host, SslMode};

use super::error::StoreError;
use super::tx::{Doing, Tx, Under};
use tls::Tls;
use together::Lanes;

/// How many connections may turn out to be lost before anything is asked of one.
const STALE: u32 = 12;
/// How long a transaction is tried while others come in between: with the strictest isolation all but
/// one of those that change a row at once begin again, so that their number says nothing.
const TRYING: Duration = Duration::from_secs(6);
/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest that a transaction may take: longer than the server's own time-outs, so that it ends only
/// what the server leaves without an answer.
const LONGEST: Duration = Duration::from_secs(12);
/// The server ends what takes longer. What an address names itself comes after these, and wins.
const TIMEOUTS: &str = "-c statement_timeout=5000 -c lock_timeout=2000 \
    -c idle_in_transaction_session_timeout=10000";

/// A database, reached through a pool.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    longest: Duration,
    trying: Duration,
    /// Where changes are made together, once many wait; `None`: never.
    lanes: Option<Arc<Lanes>>,
}

/// How a try has ended that did not succeed.
enum Ended {
    /// It is not worth another one.
    For(StoreError),
    /// Another transaction came in between.
    Between(StoreError),
    /// The connection was lost before anything was asked of it.
    Stale(StoreError),
}

impl Postgres {
    /// Prepares the pool; nothing is dialled yet. `password` is used where the address has none. Over a
    /// network the server must prove itself, by these roots or else by the system's.
    pub fn new(
        url: &str,
        password: Option<&str>,
        connections: usize,
        ca_pem: Option<&[u8]>,
    ) -> Result<Self, StoreError> {
        // Whoever encrypts also checks who is there, whatever it is called.
        let plain = url.replace("sslmode=verify-full", "sslmode=require");
        let mut config: Config = plain
            .replace("sslmode=verify-ca", "sslmode=require")
            .parse()
            .map_err(|error: tokio_postgres::Error| {
                StoreError::Unreachable(paytill_core::clean::clean(&error.to_string(), 100))
            })?;
        if let Some(password) = password.filter(|_| config.get_password().is_none()) {
            config.password(password);
        }
        if !url.contains("sslmode=") {
            config.ssl_mode(if is_near(&config) { SslMode::Disable } else { SslMode::Require });
        }
        let options = match config.get_options() {
            Some(named) => format!("{TIMEOUTS} {named}"),
            None => TIMEOUTS.to_owned(),
        };
        config
            .connect_timeout(PATIENCE)
            .tcp_user_timeout(LONGEST)
            .application_name("paytill-backend")
            .options(options);
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        // A database on this machine needs no roots.
        let manager = match config.get_ssl_mode() {
            SslMode::Disable => Manager::from_config(config, NoTls, recycling),
            _ => Manager::from_config(config, Tls::new(ca_pem)?, recycling),
        };
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { pool, longest: LONGEST, trying: TRYING, lanes: Some(Arc::default()) })
    }

    /// The same pool with each change by itself, however many wait: for whoever compares the two.
    #[must_use]
    pub fn apart(self) -> Self {
        Self { lanes: None, ..self }
    }

    /// The same pool with another limit to a transaction, and to all tries of one.
    #[cfg(test)]
    pub(super) fn within(self, longest: Duration) -> Self {
        Self { longest, trying: longest, ..self }
    }

    /// Does something in a transaction, again from the start if another one came in between.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let until = tokio::time::Instant::now() + self.trying;
        let (mut tries, mut stale) = (0, 0);
        loop {
            match self.once(&work).await {
                Ok(result) => return Ok(result),
                Err(Ended::For(error)) => return Err(error),
                Err(Ended::Between(error)) => {
                    tries += 1;
                    if tokio::time::Instant::now() >= until {
                        return Err(error);
                    }
                    tokio::time::sleep(pause(tries)).await;
                }
                Err(Ended::Stale(error)) => {
                    stale += 1;
                    if stale >= STALE {
                        return Err(error);
                    }
                }
            }
        }
    }

    async fn once<T: Send + 'static>(
        &self,
        work: &(impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + 'static),
    ) -> Result<T, Ended> {
        let client = self.pool.get().await.map_err(|error| Ended::For(error.into()))?;
        self.transaction(client, async |transaction, failure| {
            work(&mut Tx::Postgres(Under { transaction, failure })).await
        })
        .await
    }

    /// One transaction, and no longer than one may take.
    async fn transaction<T>(
        &self,
        mut client: Object,
        work: impl AsyncFnOnce(&Transaction<'_>, &OnceLock<StoreError>) -> Result<T, StoreError>,
    ) -> Result<T, Ended> {
        let mut is_committing = false;
        let whole = within_a_transaction(&mut client, work, &mut is_committing);
        let result = tokio::time::timeout(self.longest, whole).await;
        result.unwrap_or_else(|_| {
            // Whoever is next would wait behind it.
            drop(Object::take(client));
            let why = "it does not answer".to_owned();
            let unknown = if is_committing { StoreError::Unsure } else { StoreError::Unreachable };
            Err(Ended::For(unknown(why)))
        })
    }
}

async fn within_a_transaction<T>(
    client: &mut Object,
    work: impl AsyncFnOnce(&Transaction<'_>, &OnceLock<StoreError>) -> Result<T, StoreError>,
    is_committing: &mut bool,
) -> Result<T, Ended> {
    let begun = client.transaction().await;
    let transaction = begun.map_err(|error| match StoreError::from(error) {
        StoreError::Unreachable(why) => Ended::Stale(StoreError::Unreachable(why)),
        error => Ended::For(error),
    })?;
    let failure = OnceLock::new();
    // A transaction that is dropped is rolled back.
    let result = work(&transaction, &failure).await.map_err(ended)?;
    if let Some(error) = failure.into_inner() {
        return Err(ended(error));
    }
    *is_committing = true;
    match transaction.commit().await {
        Ok(()) => Ok(result),
        Err(error) => Err(ended(StoreError::of_commit_postgres(error))),
    }
}

fn ended(error: StoreError) -> Ended {
    if error == StoreError::Again { Ended::Between(error) } else { Ended::For(error) }
}

/// Before another try: the more there were the longer, and not the same for all that collide.
fn pause(tries: u32) -> Duration {
    static TURN: AtomicU64 = AtomicU64::new(0);
    let turn = TURN.fetch_add(1, Ordering::Relaxed) % 8;
    Duration::from_millis((turn + 1) << tries.min(4))
}

/// Whether all of it stays on this machine.
fn is_near(config: &Config) -> bool {
    let near = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    };
    config.get_hosts().iter().all(near)
        && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}
