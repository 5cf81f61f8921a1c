//! Every key, default and fault of the configuration, and where it is looked for.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use paytill_core::language::Language;
use tempfile::TempDir;

use super::*;
use crate::exit::{Exit, Failure};

/// The file that is shipped.
const SHIPPED: &str = include_str!("../../../config/backend.toml");

/// What can be wrong, with the line and the sentence that report it.
const FAULTS: &[(&str, &str)] = &[
    (
        "[payment]\n\nquery_intervall_ms = 1",
        "3: [payment] query_intervall_ms is not a known key; did you mean query_interval_ms?",
    ),
    ("[listn]", "1: listn is not a known section; did you mean [listen]?"),
    (
        "[colours]",
        "1: colours is not a known section; known are listen, database, state, store, gateway, payment, limits, webhook, log",
    ),
    (
        "[listen]\nfolder = \"\"",
        "2: [listen] folder is not a key of this section; it belongs under [state]",
    ),
    ("connections = 1", "1: connections does not stand alone; it belongs under [database]"),
    (
        "[listen]\ntills = \"8444\"",
        "2: [listen] tills is not an address and a port, such as \"127.0.0.1:8444\"",
    ),
    (
        "[listen]\nmetrics = \"localhost:9444\"",
        "2: [listen] metrics is not an address and a port, such as \"127.0.0.1:8444\"",
    ),
    ("[listen]\ntills = 8444", "2: [listen] tills must be text in quotes; this is a number"),
    (
        "[listen]\npublic_url = \"http://pay.example.com\"",
        "2: [listen] public_url is not like \"https://pay.example.com\"",
    ),
    (
        "[listen]\npublic_url = \"https://pay.example.com/till\"",
        "2: [listen] public_url is not like \"https://pay.example.com\"",
    ),
    (
        "[listen]\ncert_file = \"cert.pem\"",
        "2: [listen] cert_file and key_file belong together: name both or neither",
    ),
    (
        "[listen]\nkey_file = \"key.pem\"",
        "1: [listen] cert_file and key_file belong together: name both or neither",
    ),
    (
        "[database]\nurl = \"mysql://host/books\"",
        "2: [database] url is neither sqlite:FILE nor postgres://user@host/name",
    ),
    (
        "[database]\nurl = \"sqlite:\"",
        "2: [database] url is neither sqlite:FILE nor postgres://user@host/name",
    ),
    (
        "[database]\nurl = \"postgres://paytill:hunter2@db/paytill\"",
        "2: [database] url holds a password; put it into password_file or into \
         PAYTILL_DATABASE_PASSWORD",
    ),
    (
        "[database]\nurl = \"postgres://paytill:hunter2/@?@db/paytill\"",
        "2: [database] url holds a password; put it into password_file or into \
         PAYTILL_DATABASE_PASSWORD",
    ),
    (
        "[database]\nurl = \"postgres://db/paytill?user=paytill&password=hunter2\"",
        "2: [database] url holds a password; put it into password_file or into \
         PAYTILL_DATABASE_PASSWORD",
    ),
    ("[database]\nconnections = 0", "2: [database] connections is 0; allowed is 1 to 200"),
    (
        "[store]\ntime_zone = \"Mars/Base\"",
        "2: [store] time_zone is \"Mars/Base\", which is no time zone; write one such as \
         Asia/Shanghai, or \"\" for the machine's own",
    ),
    ("[store]\ncurrency = \"XYZ\"", "2: [store] currency is not a currency of ISO 4217"),
    (
        "[gateway]\nkind = \"backend\"",
        "2: [gateway] kind is \"backend\"; allowed is simulator, wechat-v2 or wechat-v3",
    ),
    (
        "[gateway]\nkind = \"wechat-v4\"",
        "2: [gateway] kind is \"wechat-v4\"; allowed is simulator, wechat-v2 or wechat-v3; did you mean \
         wechat-v2?",
    ),
    (
        "[log]\nlevel = \"loud\"",
        "2: [log] level is \"loud\"; allowed is error, warn, info, debug, trace or off",
    ),
    (
        "[log]\npath = \"~/log\"",
        "2: [log] path starts with ~, which only a shell knows; write it in full",
    ),
];

/// A folder with a configuration file and an environment.
struct Bench {
    folder: TempDir,
    environment: HashMap<&'static str, OsString>,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let home = folder.path().join("home").into();
        Self { folder, environment: HashMap::from([("HOME", home)]) }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }

    fn load(&self, named: Option<&str>) -> Result<Config, ConfigError> {
        let environment = |name: &str| self.environment.get(name).cloned();
        load(named.map(Path::new), &environment, self.folder.path())
    }

    fn read(&self, text: &str) -> Result<Config, ConfigError> {
        self.write("backend.toml", text);
        self.load(None)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn every_fault_is_one_sentence_with_its_place_and_ends_with_3() {
    let bench = Bench::new();
    for (text, sentence) in FAULTS {
        let failure = Failure::from(bench.read(text).expect_err(text));
        let (english, chinese) = (
            failure.text.in_language(Language::English),
            failure.text.in_language(Language::Chinese),
        );
        let place = format!("{}:", bench.path("backend.toml").display());
        assert_eq!(english, format!("{place}{sentence}"), "{text}");
        assert!(chinese.starts_with(&place) && chinese != english, "{chinese}");
        assert!(chinese.chars().any(|letter| ('\u{4e00}'..'\u{9fff}').contains(&letter)));
        assert_eq!(failure.exit, Exit::Configuration);
        for said in [english, chinese] {
            assert!(!said.contains("hunter2"), "a password is repeated: {said}");
        }
    }
}

#[test]
fn a_gateway_without_its_keys_is_refused_before_anything_is_opened() {
    let bench = Bench::new();
    let kind = "[gateway]\nkind = \"wechat-v2\"\n[gateway.wechat-v2]\napp_id = \"wx1\"\n\
                mch_id = \"1900000109\"\napi_key_file = \"none.key\"\n\
                client_cert_file = \"none.pem\"\nclient_key_file = \"none.pem\"";
    let refused = bench.read(kind).unwrap_err();
    let english = refused.sentence(Language::English);
    assert!(english.contains("none.key, which does not exist"), "{english}");
    assert_ne!(english, refused.sentence(Language::Chinese));
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let mut bench = Bench::new();
    let refused = bench.load(Some("other.toml")).unwrap_err().to_string();
    assert!(refused.ends_with("other.toml: there is no such file; --config names it"), "{refused}");
    bench.environment.insert("PAYTILL_BACKEND_CONFIG", "third.toml".into());
    let refused = bench.load(None).unwrap_err().to_string();
    let end = "third.toml: there is no such file; $PAYTILL_BACKEND_CONFIG names it";
    assert!(refused.ends_with(end), "{refused}");
}

#[test]
fn without_a_file_it_is_the_demonstration() {
    let bench = Bench::new();
    let config = bench.load(None).unwrap();
    assert!(config.is_demo && config.gateway.is_none());
    assert_eq!(config.tills.to_string(), "127.0.0.1:8444");
    let state = bench.path("home/.local/state/paytill-backend");
    assert_eq!(config.database, Database::Sqlite(state.join("backend.sqlite")));
    assert_eq!(config.folder, state);
    assert!(!bench.read("").unwrap().is_demo, "an empty file is a configuration");
}

#[test]
fn relative_paths_count_from_the_file() {
    let bench = Bench::new();
    bench.write(
        "etc/b.toml",
        "[database]\nurl = \"sqlite:books.db\"\n[state]\nfolder = \"../state\"\n[log]\npath = \"..\"",
    );
    let config = bench.load(Some("etc/b.toml")).unwrap();
    assert_eq!(config.database, Database::Sqlite(bench.path("etc/books.db")));
    assert_eq!(config.folder, bench.path("etc/../state"));
    assert_eq!(config.log, Some(bench.path("etc/../backend.log")), "a folder gets a file in it");
}

#[test]
fn a_database_of_the_network_is_named_without_its_password() {
    let bench = Bench::new();
    let config = bench.read(
        "[database]\nurl = \"postgres://paytill@db:5433/books\"\npassword_file = \"db.key\"\n\
         connections = 20",
    );
    let url = "postgres://paytill@db:5433/books".to_owned();
    let password_file = Some(bench.path("db.key"));
    let expected = Database::Postgres { url, password_file, ca_file: None, connections: 20 };
    assert_eq!(config.unwrap().database, expected);
}

#[test]
fn the_shipped_file_says_what_the_defaults_are() {
    let bench = Bench::new();
    let shown = |text: &str| format!("{:#?}", bench.read(text).unwrap());
    assert_eq!(shown(SHIPPED), shown(""));
}

#[test]
fn the_shipped_file_has_every_key_in_its_section() {
    let bench = Bench::new();
    let commented = |line: &str| line.starts_with("# ") && line.contains(" = ");
    let all: Vec<_> = SHIPPED
        .lines()
        .map(|line| if commented(line) { line.trim_start_matches("# ") } else { line })
        .collect();
    let all = all.join("\n");
    bench.read(&all).unwrap();
    let document = Document::parse("shipped", &all).unwrap();
    for (section, keys) in KNOWN {
        for key in *keys {
            assert!(document.section(section).has(key), "[{section}] {key} is not in the file");
        }
    }
    let written =
        all.lines().filter(|line| !line.starts_with([' ', '#', '[']) && line.contains(" = "));
    let known: usize = KNOWN.iter().map(|(_, keys)| keys.len()).sum();
    assert_eq!(written.count(), known, "a key is there twice, or in no section");
}
