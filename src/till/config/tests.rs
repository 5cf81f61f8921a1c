//! The configuration: every key, default and bound, where files are found, and how faults read.

mod backend;
mod faults;
mod merchant;
mod v3;

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::find::ConfigFile;
use std::ffi::OsString;

use super::*;

/// The file that is shipped.
const SHIPPED: &str = include_str!("../../../config/paytill.toml");
const API_KEY: &str = "0123456789abcdef0123456789ABCDEF";
/// The keys that have no default, with the bench's values.
const REQUIRED: &str = "[gateway]\nkind = \"wechat-v2\"\n[gateway.wechat-v2]\n\
    app_id = \"wxd930ea5d5a258f4f\"\nmch_id = \"1900000109\"\napi_key_file = \"api.key\"\n\
    client_cert_file = \"cert.pem\"\nclient_key_file = \"key.pem\"\n";

/// A folder with a configuration file, secrets and an environment.
struct ConfigBench {
    folder: TempDir,
    environment: HashMap<&'static str, OsString>,
    flags: Flags,
}

impl ConfigBench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let home = folder.path().join("home").into();
        Self { folder, environment: HashMap::from([("HOME", home)]), flags: Flags::default() }
    }

    fn with_secrets() -> Self {
        let bench = Self::new();
        let pair = rcgen::generate_simple_self_signed(["till.example".to_owned()]).unwrap();
        bench.write("api.key", &format!("{API_KEY}\n"));
        bench.write("cert.pem", &pair.cert.pem());
        bench.write("key.pem", &pair.signing_key.serialize_pem());
        bench
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        let environment = |name: &str| self.environment.get(name).cloned();
        Config::load(&self.flags, &environment, self.folder.path())
    }

    fn read(&self, text: &str) -> Result<Config, ConfigError> {
        self.write("paytill.toml", text);
        self.load().map(|loaded| loaded.config)
    }

    fn refusal(&self, text: &str) -> String {
        self.read(text).expect_err(text).to_string()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

fn wechat(config: &Config) -> &WechatV2Config {
    match &config.gateway {
        GatewayConfig::WechatV2(wechat) => wechat,
        GatewayConfig::WechatV3(_) | GatewayConfig::Backend(_) => panic!("this is another"),
        GatewayConfig::Simulator | GatewayConfig::Unread => panic!("this is training"),
    }
}

#[test]
fn every_fault_is_one_sentence_with_its_place() {
    let bench = ConfigBench::new();
    for (text, sentence) in faults::FAULTS {
        assert_eq!(bench.refusal(text), format!("paytill.toml:{sentence}"), "{text}");
    }
}

#[test]
fn one_port_under_two_names_is_found_through_links() {
    let bench = ConfigBench::new();
    let link = |name: &str, target: &str| {
        std::os::unix::fs::symlink(target, bench.folder.path().join(name)).unwrap();
    };
    bench.write("a tty", "");
    link("one", "a tty");
    link("other", "one");
    link("to-null", "/dev/null");
    for (scanner, printer) in [("one", "other"), ("other", "a tty"), ("to-null", "/dev/null")] {
        let text = format!(
            "[scanner]\nport = \"{scanner}\"\n[printer]\nkind = \"escpos-serial\"\nport = \"{printer}\""
        );
        let sentence = "is the same device as scanner.port; each needs a port of its own";
        assert_eq!(bench.refusal(&text), format!("paytill.toml:5: [printer] port {sentence}"));
    }
    // What is not used may be named.
    for text in [
        "[scanner]\nkind = \"hid-pos\"\nport = \"one\"\n[printer]\nkind = \"escpos-serial\"\nport = \"one\"",
        "[scanner]\nport = \"one\"\n[printer]\nport = \"one\"\n[display]\nport = \"one\"",
    ] {
        bench.read(text).unwrap();
    }
}

/// The place that a sentence names: file, line, section and key, which are not translated.
fn place(sentence: &str) -> &str {
    let end = sentence.find(|letter| !char::is_ascii(&letter)).unwrap_or(sentence.len());
    sentence[..end].trim_end()
}

#[test]
fn every_fault_is_reported_in_chinese_with_the_same_place() {
    let bench = ConfigBench::new();
    for (text, sentence) in faults::FAULTS {
        let fault = bench.read(text).unwrap_err();
        let chinese = fault.sentence(Language::Chinese);
        assert!(chinese.chars().any(crate::text::is_chinese), "{chinese}");
        let (line, rest) = sentence.split_once(": ").unwrap();
        assert!(chinese.starts_with(&format!("paytill.toml:{line}: ")), "{chinese}");
        // The beginning of the English sentence, up to its verb, is not translated.
        let (place, english) = (place(chinese), fault.sentence(Language::English));
        assert!(english.starts_with(place), "{place} / {english}");
        let named = rest.split(' ').take(if rest.starts_with('[') { 2 } else { 1 });
        assert!(named.clone().all(|word| place.contains(word)), "{place} / {rest}");
    }
}

#[test]
fn a_fault_is_reported_in_the_language_of_the_flag_the_file_or_the_environment() {
    let mut bench = ConfigBench::new();
    let language = |bench: &ConfigBench, text: &str| {
        bench.write("paytill.toml", text);
        assert!(bench.load().is_err(), "{text}");
        let environment = |name: &str| bench.environment.get(name).cloned();
        Config::language(&bench.flags, &environment, bench.folder.path())
    };
    bench.environment.insert("LANG", "zh_CN.UTF-8".into());
    for readable in [
        "[till]\nlanguage = \"en\"\ncolour = 1",
        "[till]\nlanguage = \"en\"\n[store]\nname = \"",
        "[till]\nlanguage = \"en\"\nid =",
    ] {
        assert_eq!(language(&bench, readable), Language::English, "{readable}");
    }
    for unreadable in ["[till]\nlanguage = \"fr\"", "[store]\nname = 1", "[till"] {
        assert_eq!(language(&bench, unreadable), Language::Chinese, "{unreadable}");
    }
    bench.environment.clear();
    bench.environment.insert("HOME", "/nonexistent".into());
    assert_eq!(language(&bench, "[till"), Language::English);
    bench.flags.lang = Some(Language::Chinese);
    assert_eq!(language(&bench, "[till]\nlanguage = \"fr\""), Language::Chinese);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_file_makes_it_panic_or_say_more_than_a_line(
        cut in 0..SHIPPED.len(),
        put in "\\PC{0,9}|[\\[\\]{}=\"'.#a-z0-9\u{1b}\n]{0,9}",
    ) {
        let (before, after) = SHIPPED.split_at(SHIPPED.floor_char_boundary(cut));
        let environment = |name: &str| (name == "HOME").then(|| OsString::from("/srv/till"));
        let text = format!("{before}{put}{after}");
        let path = PathBuf::from("/till/paytill.toml");
        let found = ConfigFile { path, name: "till.toml".into(), text };
        let result = found.read(Secrets::Read, &Flags::default(), &environment);
        let salvage = found.salvage(&Flags::default(), &environment);
        prop_assert_eq!(result.is_ok(), salvage.faults.is_empty());
        for error in result.err().iter().chain(&salvage.faults) {
            let refusal = error.to_string();
            prop_assert!(!refusal.chars().any(crate::clean::is_unsafe), "{refusal:?}");
            prop_assert!(refusal.starts_with("till.toml:"), "{refusal:?}");
        }
    }
}

#[test]
fn a_file_made_to_exhaust_the_stack_is_only_wrong() {
    let bench = ConfigBench::new();
    let deep = 100_000;
    for text in [
        format!("[store]\nname = {}", "[".repeat(deep)),
        format!("[store]\nname = {}", "{a=".repeat(deep / 2)),
        format!("{}a = 1", "a.".repeat(deep)),
        format!("[{}a]", "a.".repeat(deep)),
    ] {
        assert!(bench.refusal(&text).starts_with("paytill.toml:"));
    }
}

#[test]
fn what_is_not_toml_is_reported_with_its_line_alone() {
    let bench = ConfigBench::new();
    for (text, line) in [("[till]\nid = ", 2), ("[till\n", 1), ("\n\nid \"T01\"", 3), ("a = 'x", 1)]
    {
        let refusal = bench.refusal(text);
        let start = format!("paytill.toml:{line}: this is not TOML: ");
        assert!(refusal.starts_with(&start) && !refusal.contains('\n'), "{refusal}");
    }
}

#[test]
fn numbers_are_taken_up_to_both_ends_of_their_range() {
    let bench = ConfigBench::new();
    for (section, key, least, most) in [
        ("payment", "query_interval_ms", 100, 60_000),
        ("payment", "give_up_after_ms", 500, 120_000),
        ("payment", "reverse_not_before_ms", 0, 60_000),
        ("payment", "attention_after_ms", 1000, 600_000),
        ("payment", "qr_lasts_ms", 1000, 7_200_000),
        ("receipt", "copies", 1, 3),
    ] {
        for right in [least, most] {
            assert!(bench.read(&format!("[{section}]\n{key} = {right}")).is_ok(), "{key} {right}");
        }
        let outside = [(least - 1).to_string(), (most + 1).to_string(), "9".repeat(30)];
        for wrong in outside {
            let refusal = bench.refusal(&format!("[{section}]\n{key} = {wrong}"));
            let start = format!("paytill.toml:2: [{section}] {key} is ");
            assert!(refusal.starts_with(&start), "{refusal}");
            assert!(refusal.ends_with(&format!("; allowed is {least} to {most}")), "{refusal}");
        }
    }
}

#[test]
fn text_is_bounded_in_cells_lines_and_bytes() {
    let bench = ConfigBench::new();
    let name = "店".repeat(32);
    assert_eq!(bench.read(&format!("[store]\nname = \"{name}\"")).unwrap().store.name, name);
    assert_eq!(
        bench.refusal(&format!("[store]\nname = \"{name}x\"")),
        "paytill.toml:2: [store] name is 65 characters wide; at most 64 fit (a Chinese one is two)"
    );
    assert_eq!(
        bench.refusal(&format!("[store]\nid = \"{}\"", "x".repeat(33))),
        "paytill.toml:2: [store] id has 33 characters; at most 32 are allowed"
    );
    let header = |lines: usize, cells: usize| {
        format!("[receipt]\nheader = {:?}", vec!["x".repeat(cells); lines])
    };
    assert_eq!(bench.read(&header(20, 96)).unwrap().receipt.header.len(), 20);
    assert_eq!(
        bench.refusal(&header(21, 1)),
        "paytill.toml:2: [receipt] header has 21 lines; at most 20 fit"
    );
    assert!(bench.refusal(&header(1, 97)).contains("97 characters wide; at most 96"));
    let body = |bytes: usize| format!("[payment]\nbody = \"{}\"", "x".repeat(bytes));
    assert!(bench.read(&body(127)).is_ok());
    assert_eq!(
        bench.refusal(&body(128)),
        "paytill.toml:2: [payment] body comes to 128 bytes; at most 127 are allowed"
    );
}

#[test]
fn a_file_is_at_most_256_kib_of_utf_8() {
    let bench = ConfigBench::new();
    let most = "#".repeat(256 * 1024);
    assert!(bench.read(&most).is_ok());
    assert_eq!(
        bench.refusal(&format!("{most}#")),
        "paytill.toml: a configuration is at most 256 KiB"
    );
    fs::write(bench.path("paytill.toml"), b"[till]\n# \xb5\xea\n").unwrap();
    assert_eq!(bench.load().unwrap_err().to_string(), "paytill.toml:2: this is not UTF-8 text");
    assert!(bench.read("\u{feff}[till]\nid = \"T02\"").is_ok());
}

#[test]
fn the_first_file_there_is_is_read() {
    let mut bench = ConfigBench::new();
    let (named, variable) = (bench.path("named.toml"), bench.path("variable.toml"));
    let places =
        ["named.toml", "variable.toml", "paytill.toml", "home/.config/paytill/paytill.toml"];
    for (place, till) in places.iter().zip(1..) {
        bench.write(place, &format!("[till]\nid = \"T{till}\""));
    }
    bench.flags.config = Some("named.toml".into());
    bench.environment.insert("PAYTILL_CONFIG", variable.into());
    let read = |bench: &ConfigBench| {
        let loaded = bench.load().unwrap();
        (loaded.config.till.id.as_str().to_owned(), loaded.source)
    };
    assert_eq!(read(&bench), ("T1".to_owned(), Some(named.into())));
    bench.flags.config = None;
    assert_eq!(read(&bench).0, "T2");
    bench.environment.insert("PAYTILL_CONFIG", "".into());
    assert_eq!(read(&bench).0, "T3");
    fs::remove_file(bench.path("paytill.toml")).unwrap();
    assert_eq!(read(&bench).0, "T4");
    bench.environment.insert("XDG_CONFIG_HOME", "not/absolute".into());
    assert_eq!(read(&bench).0, "T4");
    bench.write("xdg/paytill/paytill.toml", "[till]\nid = \"T5\"");
    bench.environment.insert("XDG_CONFIG_HOME", bench.path("xdg").into());
    assert_eq!(read(&bench).0, "T5");
}

#[test]
fn a_file_that_was_named_and_is_missing_is_no_training() {
    let mut bench = ConfigBench::new();
    bench.environment.insert("PAYTILL_CONFIG", "gone.toml".into());
    assert_eq!(
        bench.load().unwrap_err().to_string(),
        "gone.toml: there is no such file; $PAYTILL_CONFIG names it"
    );
    bench.flags.config = Some("gone/too.toml".into());
    assert_eq!(
        bench.load().unwrap_err().to_string(),
        "gone/too.toml: there is no such file; --config names it"
    );
    bench.flags.config = Some(bench.folder.path().to_owned());
    assert!(bench.load().unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn without_a_file_the_till_trains_in_the_language_of_its_environment() {
    let mut bench = ConfigBench::new();
    bench.environment.insert("LANG", "zh_CN.UTF-8".into());
    let Loaded { config, source } = bench.load().unwrap();
    assert_eq!(source, None);
    assert!(matches!(config.gateway, GatewayConfig::Simulator));
    assert_eq!(config.store.name, "Corner Coffee");
    assert_eq!(config.till.language, Language::Chinese);
    let state = bench.folder.path().join("home/.local/state/paytill");
    assert_eq!(config.journal.path, state.join("training.sqlite"));
    assert_eq!(config.log.path, state.join("training.log"));

    bench.environment.insert("LC_ALL", "C".into());
    assert_eq!(bench.load().unwrap().config.till.language, Language::English);
    bench.environment.clear();
    bench.environment.insert("XDG_STATE_HOME", "/state".into());
    let config = bench.load().unwrap().config;
    assert_eq!(config.till.language, Language::English);
    assert_eq!(config.journal.path, Path::new("/state/paytill/training.sqlite"));
    bench.environment.clear();
    assert_eq!(
        bench.load().unwrap_err().to_string(),
        "[journal] path is missing, and neither is $HOME set; name the file"
    );
}

#[test]
fn a_file_that_names_no_language_leaves_it_to_the_locale() {
    let mut bench = ConfigBench::new();
    for (locale, language) in [
        (None, Language::Chinese),
        (Some("C.UTF-8"), Language::Chinese),
        (Some("en_GB.UTF-8"), Language::English),
        (Some("zh_CN.UTF-8"), Language::Chinese),
    ] {
        bench.environment.remove("LANG");
        bench.environment.extend(locale.map(|locale| ("LANG", locale.into())));
        let config = bench.read("[till]\nid = \"T01\"").unwrap();
        assert_eq!(config.till.language, language, "{locale:?}");
        assert_eq!(bench.read(SHIPPED).unwrap().till.language, language, "{locale:?}");
    }
}

#[test]
fn flags_and_environment_win_over_the_file() {
    let mut bench = ConfigBench::new();
    let text = "[till]\nlanguage = \"zh-CN\"\n[screen]\ntheme = \"light\"\n[log]\nlevel = \"warn\"";
    let config = bench.read(text).unwrap();
    assert_eq!(config.till.language, Language::Chinese);
    assert_eq!((config.screen.theme, config.log.level), (Theme::Light, LevelFilter::WARN));
    bench.flags.lang = Some(Language::English);
    bench.flags.log_level = Some(LevelFilter::DEBUG);
    bench.environment.insert("NO_COLOR", "1".into());
    let config = bench.read(text).unwrap();
    assert_eq!(config.till.language, Language::English);
    assert_eq!((config.screen.theme, config.log.level), (Theme::Mono, LevelFilter::DEBUG));
}

#[test]
fn relative_paths_count_from_the_file() {
    let mut bench = ConfigBench::new();
    bench.flags.config = Some("etc/till.toml".into());
    bench.write(
        "etc/till.toml",
        "[journal]\npath = \"books.db\"\n[log]\npath = \"../logs\"\n[scanner]\nport = \"/dev/pts/7\"\n\
         [printer]\nkind = \"escpos-file\"\nport = \"receipts.bin\"",
    );
    let folder = bench.folder.path().join("etc");
    let config = bench.load().unwrap().config;
    assert_eq!(config.journal.path, folder.join("books.db"));
    assert_eq!(config.scanner.port.as_deref(), Some(Path::new("/dev/pts/7")));
    assert_eq!(config.printer.port, Some(folder.join("receipts.bin")));
    assert_eq!(config.log.path, folder.join("../logs"));
    fs::create_dir(bench.path("logs")).unwrap();
    assert_eq!(bench.load().unwrap().config.log.path, folder.join("../logs/paytill.log"));
}

#[test]
fn real_books_and_those_of_training_never_share_a_file() {
    let bench = ConfigBench::with_secrets();
    let name = |config: Config| config.journal.path.file_name().unwrap().to_owned();
    assert_eq!(name(bench.read(REQUIRED).unwrap()), "journal.sqlite");
    assert_eq!(name(bench.read("[gateway]\nkind = \"simulator\"").unwrap()), "training.sqlite");
}

#[test]
fn the_logo_is_a_picture_that_fits_the_paper() {
    let bench = ConfigBench::new();
    let text =
        |paper: u8| format!("[printer]\npaper_mm = {paper}\n[receipt]\nlogo = \"logo.pbm\"\n");
    let missing = bench.refusal(&text(80));
    assert!(missing.starts_with("paytill.toml:4: [receipt] logo "), "{missing}");
    assert!(missing.contains("logo.pbm cannot be read: "), "{missing}");
    bench.write("logo.pbm", &format!("P1 400 1 {}", "1 ".repeat(400)));
    let logo = bench.read(&text(80)).unwrap().receipt.logo.unwrap();
    assert_eq!((logo.width(), logo.height()), (400, 1));
    let wide = bench.refusal(&text(58));
    assert!(wide.ends_with("logo.pbm is 400 dots wide; this paper has 384"), "{wide}");
    bench.write("logo.pbm", "\u{89}PNG");
    let wrong = bench.refusal(&text(80));
    assert!(
        wrong.ends_with(
            "logo.pbm is no PBM picture (black and white; its first two characters are P1 or P4)"
        ),
        "{wrong}"
    );
    fs::remove_file(bench.path("logo.pbm")).unwrap();
    fs::create_dir(bench.path("logo.pbm")).unwrap();
    assert!(bench.refusal(&text(80)).ends_with("logo.pbm is not a file"));
}

#[test]
fn a_manager_agrees_to_refunds_above_a_sum_to_all_or_to_none() {
    let bench = ConfigBench::new();
    let above = |text: &str| bench.read(text).unwrap().refund.consent_above;
    assert_eq!(above(""), None);
    for (text, minor) in [("", None), ("0", Some(0)), ("100", Some(10_000)), ("0.5", Some(50))] {
        let file = format!("[refund]\nconsent_above = \"{text}\"");
        assert_eq!(above(&file), minor.map(Money::from_minor), "{text}");
    }
    let wrong = bench.refusal("[refund]\nconsent_above = \"-1\"");
    assert!(wrong.contains("\"0\" for always"), "{wrong}");
}

#[test]
fn an_amount_to_confirm_is_in_the_tills_currency() {
    let bench = ConfigBench::new();
    let above = |text: &str| bench.read(text).unwrap().screen.confirm_above;
    assert_eq!(above(""), Some(Money::from_minor(100_000)));
    assert_eq!(above("[screen]\nconfirm_above = \"\""), None);
    assert_eq!(above("[till]\ncurrency = \"JPY\""), Some(Money::from_minor(1000)));
}

#[test]
fn a_shop_says_where_its_clock_is_or_it_is_the_machines() {
    let bench = ConfigBench::new();
    let noon = crate::clock::Timestamp(1_795_320_000_000);
    let hour = |text: &str| noon.local("%H", &bench.read(text).unwrap().store.time_zone);
    assert_eq!(hour("[store]\ntime_zone = \"Asia/Shanghai\""), "12");
    assert_eq!(hour("[store]\ntime_zone = \"America/New_York\""), "23");
    assert_eq!(hour("[store]\ntime_zone = \"\""), hour(""));
}

#[test]
fn the_goods_are_named_by_store_and_till() {
    let bench = ConfigBench::new();
    assert_eq!(bench.read("").unwrap().payment.body, "Corner Coffee T01");
    let text = "[store]\nname = \"{till}\"\n[payment]\nbody = \"{till}·{store} \"";
    assert_eq!(bench.read(text).unwrap().payment.body, "T01·{till}");
}

#[test]
fn a_display_welcomes_with_what_it_can_show() {
    let bench = ConfigBench::new();
    let welcome = |text: &str| bench.read(text).unwrap().display.welcome;
    assert_eq!(welcome(""), ["Corner Coffee"]);
    assert_eq!(welcome("[store]\nname = \"幸福超市\""), ["WELCOME"]);
    let chinese = "[store]\nname = \"幸福超市\"\n[display]\ntext = \"gb18030\"\n";
    assert_eq!(welcome(chinese), ["幸福超市"]);
    assert_eq!(welcome(&format!("{chinese}welcome = [\"欢迎光临\"]")), ["欢迎光临"]);
}

#[test]
fn a_section_with_a_fault_spoils_no_other_and_all_of_them_are_reported() {
    let bench = ConfigBench::new();
    let salvage = |text: &str| {
        bench.write("paytill.toml", text);
        let environment = |name: &str| bench.environment.get(name).cloned();
        let Salvage { config, faults } =
            Config::salvage(&bench.flags, &environment, bench.folder.path());
        (config, faults.into_iter().map(|fault| fault.to_string()).collect::<Vec<_>>())
    };
    let text = "[till]\nid = \"T07\"\n[screen]\ntheme = \"pink\"\nbel = \"off\"\n[scren]\n\
                [printer]\nkind = \"escpos-file\"\n[receipt]\ncopies = 2\n";
    let (config, faults) = salvage(text);
    let config = config.unwrap();
    assert_eq!((config.till.id.as_str(), config.receipt.copies), ("T07", 2));
    assert_eq!((config.screen.theme, config.printer.kind), (Theme::Dark, PrinterKind::None));
    assert_eq!(faults.len(), 3, "{faults:?}");
    for (line, section) in [(5, "[screen] bel is"), (6, "scren is"), (7, "[printer] port is")] {
        let start = format!("paytill.toml:{line}: {section} ");
        assert!(faults.iter().any(|fault| fault.starts_with(&start)), "{start}: {faults:?}");
    }

    let (config, faults) = salvage(&REQUIRED.replace("mch_id", "mch"));
    let config = config.unwrap();
    assert!(
        matches!(config.gateway, GatewayConfig::Unread),
        "nobody is told that this is training"
    );
    assert!(config.journal.path.ends_with("journal.sqlite"), "{:?}", config.journal);
    assert_eq!(faults.len(), 1, "{faults:?}");

    let (config, faults) = salvage("[till\n");
    assert!(config.is_none() && faults.len() == 1, "{faults:?}");
}

/// The shipped file with the keys that have no default, so that it configures a merchant.
fn shipped_for_a_merchant() -> String {
    let shipped = SHIPPED.replace("kind = \"simulator\"", "kind = \"wechat-v2\"");
    let required = REQUIRED.lines().skip(3).collect::<Vec<_>>().join("\n");
    shipped.replacen("# app_id = ", &format!("{required}\n# app_id = "), 1)
}

#[test]
fn the_shipped_file_says_what_the_defaults_are() {
    let bench = ConfigBench::with_secrets();
    let shown = |text: &str| format!("{:#?}", bench.read(text).unwrap());
    assert_eq!(shown(SHIPPED), shown(""));
    assert_eq!(shown(&shipped_for_a_merchant()), shown(REQUIRED));
}

#[test]
fn the_shipped_file_has_every_key_in_its_section_and_what_is_behind_a_hash_can_be_used() {
    let bench = ConfigBench::new();
    let commented = |line: &&str| line.starts_with("# ") && line.contains(" = ");
    assert_eq!(SHIPPED.lines().filter(commented).count(), 18);
    let all = SHIPPED
        .lines()
        .map(|line| if commented(&line) { line.trim_start_matches("# ") } else { line });
    let all = all.collect::<Vec<_>>().join("\n");
    bench.read(&all).unwrap();
    let table: toml::Table = all.parse().unwrap();
    for (section, keys) in sections::KNOWN {
        let mut found = &table;
        for part in section.split('.') {
            found = found[part].as_table().unwrap();
        }
        let mut written: Vec<_> =
            found.keys().filter(|key| found[*key].as_table().is_none()).collect();
        let mut known = keys.to_vec();
        written.sort_unstable();
        known.sort_unstable();
        assert_eq!(written, known, "[{section}]");
    }
}
