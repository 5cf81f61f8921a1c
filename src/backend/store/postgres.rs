//! PostgreSQL, and what speaks its protocol: a pool of connections, and transactions that are done again
//! where another one came in between.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::NoTls;

use super::error::StoreError;
use super::tx::{Doing, Tx};

/// How often a transaction is tried.
const TRIES: u8 = 5;
/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// A database, reached through a pool.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
}

impl Postgres {
    /// Prepares the pool; nothing is dialled yet. `password` is used where the address has none.
    pub fn new(url: &str, password: Option<&str>, connections: usize) -> Result<Self, StoreError> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|error: tokio_postgres::Error| {
                StoreError::Unreachable(paytill_core::clean::clean(&error.to_string(), 100))
            })?;
        if let Some(password) = password.filter(|_| config.get_password().is_none()) {
            config.password(password);
        }
        config.connect_timeout(Duration::from_secs(3)).application_name("paytill-backend").options(
            "-c statement_timeout=5000 -c lock_timeout=2000 \
             -c idle_in_transaction_session_timeout=10000",
        );
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, NoTls, recycling))
            .max_size(connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { pool })
    }

    /// Does something in a transaction, again from the start if another one came in between.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.once(&work).await {
                Err(StoreError::Again) if tries < TRIES => {}
                result => return result,
            }
        }
    }

    async fn once<T: Send + 'static>(
        &self,
        work: &(impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + 'static),
    ) -> Result<T, StoreError> {
        let mut client = self.pool.get().await?;
        let mut tx = Tx::Postgres(client.transaction().await?);
        // A transaction that is dropped is rolled back.
        let result = work(&mut tx).await?;
        let Tx::Postgres(transaction) = tx else {
            return Err(StoreError::Failed("not a transaction of this database".to_owned()));
        };
        transaction.commit().await?;
        Ok(result)
    }
}
