//! Opens the database that the configuration names.

use std::net::SocketAddr;
use std::path::Path;

use zeroize::Zeroizing;

use paytill_core::both;
use paytill_core::language::Language;
use paytill_host::clock::Clock;
use paytill_host::config::secret;

use crate::config::{Config, Database};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::store::{By, Postgres, Sqlite, Store, StoreError};

/// The database, and what it is reached with.
pub(super) struct Books<'a> {
    pub(super) config: &'a Config,
    pub(super) password: Option<&'a str>,
    pub(super) clock: &'a Clock,
}

impl Books<'_> {
    /// Opens it, whatever its schema.
    pub(super) fn open(&self) -> Result<Store, Failure> {
        match &self.config.database {
            Database::Sqlite(path) => {
                files::make_folder(&self.config.folder)?;
                Ok(Store::Sqlite(Sqlite::open(path)?))
            }
            Database::Postgres { url, password_file, ca_file, connections } => {
                let file = password_file.as_deref().map(|path| {
                    let bytes = secret::own_file(path)
                        .map_err(|fault| Failure::new(Exit::Configuration, fault.text()))?;
                    let text = String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned();
                    Ok::<_, Failure>(Zeroizing::new(text))
                });
                let file = file.transpose()?;
                let password = self.password.or_else(|| file.as_ref().map(|text| text.as_str()));
                let roots = roots(ca_file.as_deref())?;
                let postgres = Postgres::new(url, password, *connections, roots.as_deref())?;
                Ok(Store::Postgres(postgres))
            }
        }
    }

    /// Opens it for use: with this program's schema. An empty file of SQLite's is given it, since it was
    /// just made.
    pub(super) async fn ready(&self) -> Result<Store, Failure> {
        let store = self.open()?;
        match (store.check().await, &store) {
            (Err(StoreError::Schema { found: 0, .. }), Store::Sqlite(_)) => {
                store.migrate(self.clock.wall()).await?;
            }
            (checked, _) => checked?,
        }
        Ok(store)
    }

    /// Only one serves on a file.
    pub(super) fn hold(&self) -> Result<Option<std::fs::File>, Failure> {
        match &self.config.database {
            Database::Sqlite(path) => {
                files::make_folder(&self.config.folder)?;
                Ok(Some(crate::store::sqlite::hold(path)?))
            }
            Database::Postgres { .. } => Ok(None),
        }
    }

    /// Whether this is the only instance that there can be.
    pub(super) const fn is_alone(&self) -> bool {
        matches!(self.config.database, Database::Sqlite(_))
    }

    /// Whoever runs this command, now.
    pub(super) fn by(&self) -> By {
        let system = rustix::system::uname();
        let (uid, host) = (rustix::process::getuid().as_raw(), system.nodename().to_string_lossy());
        By { who: format!("command:{uid}@{host}"), at: self.clock.wall() }
    }

    /// The merchant's name in the database.
    pub(super) fn merchant(&self) -> String {
        match &self.config.gateway {
            Some(gateway) => gateway.merchant().mch_id.clone(),
            None => paytill_simulator::identity::merchant().mch_id,
        }
    }
}

/// The certificates in a file; without one, those of the system are trusted.
pub(super) fn roots(file: Option<&Path>) -> Result<Option<Vec<u8>>, Failure> {
    let Some(path) = file else { return Ok(None) };
    std::fs::read(path).map(Some).map_err(|error| {
        let file = secret::shown(path);
        let what = both!("{file} cannot be read", "无法读取 {file}");
        let text = what.because(&paytill_core::text::system::text(&error));
        Failure::new(Exit::Configuration, text)
    })
}

/// Nothing random to be had.
pub(super) fn no_randomness() -> Failure {
    Failure::new(Exit::Fault, both!("the system provides no random bytes", "系统无法提供随机数"))
}

pub(super) fn not_listening(address: SocketAddr, error: &std::io::Error) -> Failure {
    let why = paytill_core::text::system::text(error);
    let why = why.in_language(Language::English).to_owned();
    Failure::new(
        Exit::Fault,
        both!("cannot listen on {address}: {why}", "无法监听 {address}：{why}"),
    )
}
