//! Configuration files: one checked value or one sentence, whatever the file contains.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use paytill::clock::Millis;
use paytill::config::{Config, ConfigError, Flags, GatewayConfig};
use paytill::language::Language;
use paytill::simulator::Identity;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use unicode_width::UnicodeWidthStr as _;

use super::plain::assert_plain;

const KEY: &str = "0123456789abcdef0123456789ABCDEF";

thread_local! {
    /// A folder with secrets that a file can name.
    static FOLDER: RefCell<TempDir> = RefCell::new(folder());
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::generate().unwrap();
    identity.write(folder.path(), ([127, 0, 0, 1], 1).into()).unwrap();
    let key = folder.path().join("secrets/api_v2.key");
    fs::write(&key, KEY).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

pub fn check(data: &[u8]) {
    FOLDER.with_borrow(|folder| {
        let path = folder.path().join("till.toml");
        fs::write(&path, data).unwrap();
        let flags = Flags { config: Some(path), ..Flags::default() };
        let environment = |name: &str| match name {
            "HOME" => Some(OsString::from("/nonexistent")),
            "PAYTILL_API_KEY" if data.len() % 2 == 1 => Some(OsString::from(KEY)),
            _ => None,
        };
        let told = |error: &ConfigError| {
            for sentence in Language::ALL.map(|language| error.sentence(language)) {
                assert_plain(sentence, "a sentence");
                assert!((10..4000).contains(&sentence.len()), "{sentence}");
                assert!(!sentence.contains(KEY), "{sentence}");
            }
        };
        match Config::load(&flags, &environment, folder.path()) {
            Ok(loaded) => is_right(&loaded.config),
            Err(error) => told(&error),
        }
        let salvage = Config::salvage(&flags, &environment, folder.path());
        salvage.faults.iter().for_each(told);
        if let Some(config) = salvage.config {
            is_right(&config);
        }
    });
}

fn is_right(config: &Config) {
    for (text, cells) in [(&config.store.name, 64), (&config.payment.body, 127)] {
        assert_plain(text, "a text");
        assert!(!text.is_empty() && text.width() <= cells, "{text:?}");
    }
    assert_plain(&config.store.id, "the store's id");
    assert!(config.store.id.chars().count() <= 32 && config.payment.body.len() <= 127);
    for line in config.receipt.header.iter().chain(&config.receipt.footer) {
        assert_plain(line, "a line of the receipt");
    }
    for line in &config.display.welcome {
        assert_plain(line, "a line of welcome");
    }
    assert!((1..=3).contains(&config.receipt.copies));
    let rules = &config.payment.rules;
    let within = |value: Millis, least: u64, most: u64| (least..=most).contains(&value.0);
    assert!(within(rules.query_interval, 100, 60_000), "{rules:?}");
    assert!(within(rules.give_up_after, 500, 120_000), "{rules:?}");
    assert!(within(rules.reverse_not_before, 0, 60_000), "{rules:?}");
    assert!(within(rules.attention_after, 1000, 600_000), "{rules:?}");
    let shown = format!("{config:?}");
    assert!(!shown.contains(KEY) && !shown.contains("PRIVATE KEY"), "{shown}");
    let GatewayConfig::WechatV2(gateway) = &config.gateway else { return };
    for url in
        [Some(&gateway.line.base_url), gateway.line.backup_url.as_ref()].into_iter().flatten()
    {
        assert!(url.starts_with("https://") && !url.contains(['@', '?', '#', ' ']), "{url}");
        assert_plain(url, "an address");
    }
    assert_eq!(gateway.api_key.expose_secret().len(), 32);
}
