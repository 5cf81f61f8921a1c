//! The merchant's own backend: its section, and the files that enrolment writes.

use super::*;
use crate::gateway::backend::KnownBackend;
use crate::gateway::backend::signed::SigningKey;

const REQUIRED: &str = "[till]\nid = \"T07\"\n[gateway]\nkind = \"backend\"\n\
    [gateway.backend]\nurl = \"https://pay.example.com\"\n";

fn backend(config: &Config) -> &BackendConfig {
    match &config.gateway {
        GatewayConfig::Backend(backend) => backend,
        _ => panic!("this is no backend"),
    }
}

/// With the files of a till that is registered as T07 of a merchant.
fn registered() -> ConfigBench {
    let bench = ConfigBench::new();
    let key = SigningKey::generate().unwrap();
    bench.write("secrets/till.key", &SigningKey::pem(&key));
    let backend = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap().public();
    let known = KnownBackend::new(backend, "corner", "T07").unwrap();
    bench.write("secrets/backend.pub", &known.line());
    bench
}

#[test]
fn a_registered_till_is_read_with_its_keys() {
    let bench = registered();
    let config = bench.read(REQUIRED).unwrap();
    let backend = backend(&config);
    assert_eq!(backend.url, "https://pay.example.com");
    assert_eq!(backend.backup_url, None);
    assert_eq!(
        (backend.merchant.app_id.as_str(), backend.till.as_str()),
        ("paytill-backend", "T07")
    );
    assert_eq!(backend.merchant.mch_id, "corner");
    assert_eq!(config.gateway.merchant(), Some(&backend.merchant));
    assert_eq!(backend.connect_timeout, Millis(3_000));
    assert!(backend.codec().is_some());
    assert!(!format!("{config:?}").contains("PRIVATE KEY"));
    // The backend decides first, and no reversal is too early for it.
    assert_eq!(config.payment.rules.give_up_after, Millis(32_000));
    assert_eq!(config.payment.rules.reverse_not_before, Millis(0));
    assert_eq!(backend.wait, Millis(4_000));
    let fast = format!("{REQUIRED}[payment]\nquery_interval_ms = 100\n");
    assert_eq!(self::backend(&bench.read(&fast).unwrap()).wait, Millis(100));
}

#[test]
fn files_of_other_names_are_read_and_those_of_enrolment_are_known_before_there_are_any() {
    let bench = ConfigBench::new();
    let config = bench.read("").unwrap();
    let files = &config.backend_files;
    assert_eq!(files.key.display().to_string(), bench.path("secrets/till.key"));
    assert_eq!(files.backend_key.display().to_string(), bench.path("secrets/backend.pub"));
    assert!(!files.is_used && files.ca.is_none());
    let named = "[gateway]\nkind = \"simulator\"\n[gateway.backend]\nkey_file = \"a.key\"\n\
        backend_key_file = \"b.pub\"\nca_file = \"c.pem\"\n";
    let files = bench.read(named).unwrap().backend_files;
    assert_eq!(files.key.display().to_string(), bench.path("a.key"));
    assert_eq!(files.ca.unwrap().display().to_string(), bench.path("c.pem"));
}

#[test]
fn without_a_configuration_enrolment_writes_where_one_would_be() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = |name: &str| (name == "HOME").then(|| "/nonexistent".into());
    let loaded = Config::load_without_secrets(&Flags::default(), &nothing, folder.path()).unwrap();
    assert!(loaded.source.is_none());
    assert_eq!(loaded.config.backend_files.key, folder.path().join("secrets/till.key"));
}

#[test]
fn what_is_wrong_with_the_section_is_said_in_one_sentence() {
    let bench = registered();
    for (text, sentence) in [
        (
            REQUIRED.replace("[gateway.backend]\nurl = \"https://pay.example.com\"\n", ""),
            "4: [gateway] kind is \"backend\", but there is no [gateway.backend]",
        ),
        (
            REQUIRED.replace("url = \"https://pay.example.com\"", "backup_url = \"\""),
            "5: [gateway.backend] url is missing; it is where paytill enroll has registered the till",
        ),
        (
            REQUIRED.replace("https://pay", "http://pay"),
            "6: [gateway.backend] url must be https://host or https://host:port",
        ),
    ] {
        assert_eq!(bench.refusal(&text), format!("paytill.toml:{sentence}"), "{text}");
    }
}

#[test]
fn keys_that_cannot_be_used_are_told_apart() {
    let bench = registered();
    let (key, public) = (bench.path("secrets/till.key"), bench.path("secrets/backend.pub"));
    let other = REQUIRED.replace("T07", "T08");
    let refusal = bench.refusal(&other);
    assert!(refusal.contains("is of till T07, but till.id is T08"), "{refusal}");
    fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    let refusal = bench.refusal(REQUIRED);
    assert!(refusal.contains(&format!("run: chmod 600 {key}")), "{refusal}");
    fs::set_permissions(&public, Permissions::from_mode(0o666)).unwrap();
    let both = bench.read(REQUIRED).unwrap_err();
    assert_eq!(both.each().len(), 2, "nobody mends one to hear of the next");
    bench.write(
        "secrets/till.key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    bench.write("secrets/backend.pub", "ssh-ed25519 AAAA me\n");
    let refusal = bench.read(REQUIRED).unwrap_err();
    let sentences: Vec<String> =
        refusal.each().iter().map(|each| each.in_language(Language::English).to_owned()).collect();
    assert!(sentences[0].contains("is not a till's key"), "{sentences:?}");
    assert!(sentences[1].contains("holds no backend's key"), "{sentences:?}");
    for name in [key, public] {
        fs::remove_file(name).unwrap();
        let refusal = bench.refusal(REQUIRED);
        assert!(refusal.contains("register the till with paytill enroll"), "{refusal}");
    }
}

#[test]
fn without_secrets_nothing_of_it_is_read() {
    let bench = ConfigBench::new();
    bench.write("paytill.toml", REQUIRED);
    let environment = |name: &str| bench.environment.get(name).cloned();
    let folder = bench.folder.path();
    let loaded = Config::load_without_secrets(&bench.flags, &environment, folder).unwrap();
    assert!(matches!(loaded.config.gateway, GatewayConfig::Unread));
    assert!(loaded.config.backend_files.is_used);
}
