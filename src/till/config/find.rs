//! Where a configuration is looked for (interface 4.1), and the file that was found.

use std::path::{Path, PathBuf};

use super::{Config, ConfigError, Environment, Flags, Salvage, sections};
use crate::both;
use crate::language::Language;
use paytill_host::config::{file, folder_of, named_language, secret, variable};
use paytill_host::gateway::Secrets;

/// A configuration file that exists.
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    /// As people would write it.
    pub(super) name: String,
    pub(super) text: String,
}

impl ConfigFile {
    /// Parses and checks the configuration.
    pub(super) fn read(
        &self,
        secrets: Secrets,
        flags: &Flags,
        environment: Environment<'_>,
    ) -> Result<Config, ConfigError> {
        let document = file::Document::parse(&self.name, &self.text)?;
        sections::read(&document, &self.surroundings(secrets, flags, environment))
    }

    /// What can be read of it, and everything that is wrong.
    pub(super) fn salvage(&self, flags: &Flags, environment: Environment<'_>) -> Salvage {
        match file::Document::parse(&self.name, &self.text) {
            Ok(document) => {
                let around = self.surroundings(Secrets::Leave, flags, environment);
                sections::salvage(document, &around)
            }
            Err(fault) => fault.into(),
        }
    }

    /// The language it names, if that much can be read.
    pub(super) fn language(&self) -> Option<Language> {
        sections::language(&file::Document::salvage(&self.name, &self.text))
    }

    fn surroundings<'a>(
        &'a self,
        secrets: Secrets,
        flags: &'a Flags,
        environment: Environment<'a>,
    ) -> sections::Surroundings<'a> {
        sections::Surroundings {
            folder: self.path.parent().unwrap_or_else(|| Path::new("/")),
            file: Some(&self.path),
            environment,
            flags,
            secrets,
            language: named_language(environment).unwrap_or_default(),
        }
    }
}

/// The first file that exists.
pub(super) fn first(
    flags: &Flags,
    environment: Environment<'_>,
    folder: &Path,
) -> Result<Option<ConfigFile>, ConfigError> {
    for Candidate { path, shown, named_by } in candidates(flags, environment, folder) {
        let name = secret::shown(&shown);
        match (file::read(&path, &name)?, named_by) {
            (Some(text), _) => return Ok(Some(ConfigFile { path, name, text })),
            (None, Some(by)) => {
                return Err(ConfigError::new(both!(
                    "{name}: there is no such file; {by} names it",
                    "{name}: 没有这个文件；{by} 指定了它"
                )));
            }
            (None, None) => {}
        }
    }
    Ok(None)
}

struct Candidate {
    path: PathBuf,
    /// As people would write it.
    shown: PathBuf,
    /// What named it; a named file must exist.
    named_by: Option<&'static str>,
}

fn candidates(flags: &Flags, environment: Environment<'_>, folder: &Path) -> Vec<Candidate> {
    let named = match (&flags.config, variable(environment, "PAYTILL_CONFIG")) {
        (Some(path), _) => Some((path.clone(), "--config")),
        (None, Some(path)) => Some((path.into(), "$PAYTILL_CONFIG")),
        (None, None) => None,
    };
    if let Some((shown, by)) = named {
        return vec![Candidate { path: folder.join(&shown), shown, named_by: Some(by) }];
    }
    let home = folder_of(environment, "XDG_CONFIG_HOME", ".config");
    let places = [
        Some(PathBuf::from("paytill.toml")),
        home.map(|home| home.join("paytill/paytill.toml")),
        Some(PathBuf::from("/etc/paytill/paytill.toml")),
    ];
    let candidate = |shown: PathBuf| Candidate { path: folder.join(&shown), shown, named_by: None };
    places.into_iter().flatten().map(candidate).collect()
}
