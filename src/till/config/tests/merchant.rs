//! The merchant: secrets, who may read and write them, certificates and addresses.

use super::*;

#[test]
fn a_merchant_is_read_with_its_secrets() {
    let bench = ConfigBench::with_secrets();
    let config = bench.read(REQUIRED).unwrap();
    let wechat = wechat(&config);
    assert_eq!(wechat.line.base_url, "https://api.mch.weixin.qq.com");
    assert_eq!(wechat.line.backup_url.as_deref(), Some("https://api2.mch.weixin.qq.com"));
    assert_eq!(wechat.merchant.mch_id, "1900000109");
    assert_eq!(wechat.api_key.expose_secret(), API_KEY);
    assert!(wechat.client_identity_pem.expose_secret().contains("PRIVATE KEY"));
    assert_eq!(
        (wechat.line.connect_timeout, wechat.line.request_timeout),
        (Millis(3000), Millis(10_000))
    );
}

#[test]
fn the_key_may_be_in_the_environment() {
    let mut bench = ConfigBench::with_secrets();
    let without_file = REQUIRED.replace("api_key_file = \"api.key\"\n", "");
    assert_eq!(
        bench.refusal(&without_file),
        "paytill.toml:3: [gateway.wechat-v2] api_key_file is missing; name the file with the \
         merchant's APIv2 key, or set $PAYTILL_API_KEY (merchant platform: Account Center > API \
         Security > APIv2 key, never shown again once it is set)"
    );
    bench.environment.insert("PAYTILL_API_KEY", API_KEY.to_lowercase().into());
    let config = bench.read(&without_file).unwrap();
    assert_eq!(wechat(&config).api_key.expose_secret(), API_KEY.to_lowercase());
    bench.environment.insert("PAYTILL_API_KEY", "too-short-to-be-it".into());
    assert_eq!(
        bench.refusal(&without_file),
        "$PAYTILL_API_KEY must be 32 printable ASCII characters without spaces; these are 18"
    );
}

#[test]
fn what_a_merchant_must_have_is_asked_for() {
    let bench = ConfigBench::with_secrets();
    let without = |key: &str| {
        let lines = REQUIRED.lines().filter(|line| !line.starts_with(key));
        bench.refusal(&lines.collect::<Vec<_>>().join("\n"))
    };
    let place = "paytill.toml:3: [gateway.wechat-v2]";
    for (key, at) in [
        ("app_id", "Product Center > AppID Accounts"),
        ("mch_id", "Account Center > Merchant Information"),
    ] {
        let sentence = "is missing; WeChat Pay gave it to the merchant";
        assert_eq!(without(key), format!("{place} {key} {sentence} (merchant platform: {at})"));
    }
    for key in ["client_cert_file", "client_key_file"] {
        let sentence = "is missing; reversal and refund need the merchant's certificate (merchant \
                        platform: Account Center > API Security > Merchant API certificate: apiclient";
        let refusal = without(key);
        assert!(refusal.starts_with(&format!("{place} {key} {sentence}")), "{refusal}");
    }
    fs::remove_file(bench.path("cert.pem")).unwrap();
    assert_eq!(
        bench.refusal(REQUIRED),
        format!(
            "paytill.toml:7: [gateway.wechat-v2] client_cert_file names {}, which does not exist; \
             reversal and refund need the merchant's certificate",
            bench.path("cert.pem")
        )
    );
}

#[test]
fn a_secret_that_others_can_read_is_refused_with_what_to_run() {
    for (name, key, line) in [("api.key", "api_key_file", 6), ("key.pem", "client_key_file", 8)] {
        let bench = ConfigBench::with_secrets();
        fs::set_permissions(bench.path(name), Permissions::from_mode(0o640)).unwrap();
        let path = bench.path(name);
        assert_eq!(
            bench.refusal(REQUIRED),
            format!(
                "paytill.toml:{line}: [gateway.wechat-v2] {key} names {path}, which others than \
                 its owner can read; run: chmod 600 {path}"
            )
        );
        let training = REQUIRED.replace("kind = \"wechat-v2\"", "kind = \"simulator\"");
        assert!(bench.read(&training).is_ok(), "training needs no secrets");
    }
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let bench = ConfigBench::new();
    let fault = bench.read("[gateway]\nkind = \"wechat-v2\"\n[gateway.wechat-v2]\n").unwrap_err();
    let each: Vec<_> = fault.each().iter().map(ToString::to_string).collect();
    let keys = ["app_id", "mch_id", "api_key_file", "client_cert_file", "client_key_file"];
    assert_eq!(each.len(), keys.len(), "{each:?}");
    for (told, key) in each.iter().zip(keys) {
        let start = format!("paytill.toml:3: [gateway.wechat-v2] {key} is missing; ");
        assert!(told.starts_with(&start), "{told}");
        assert!(fault.to_string().contains(told));
    }
    let fault = bench.read(&format!("{REQUIRED}ca_file = \"roots.pem\"")).unwrap_err();
    let each: Vec<_> = fault.each().iter().map(ToString::to_string).collect();
    assert_eq!(each.len(), 4, "{each:?}");
    assert!(each.iter().all(|told| told.contains(", which does not exist")), "{each:?}");
}

#[test]
fn a_file_that_others_can_write_names_no_real_gateway() {
    let bench = ConfigBench::with_secrets();
    bench.read(REQUIRED).unwrap();
    let file = bench.path("paytill.toml");
    let chmod = |path: &str, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o620, 0o602, 0o666, 0o664] {
        chmod(&file, mode);
        let fault = bench.load().unwrap_err();
        assert_eq!(
            fault.to_string(),
            format!(
                "{file}: this file decides where the money goes, but others than its owner \
                 can change it; run: chmod go-w {file}"
            )
        );
        assert!(fault.is_unguarded());
        assert!(fault.sentence(Language::Chinese).ends_with(&format!("chmod go-w {file}")));
    }
    let environment = |name: &str| bench.environment.get(name).cloned();
    let folder = bench.folder.path();
    Config::load_without_secrets(&bench.flags, &environment, folder).unwrap();
    chmod(&file, 0o644);
    bench.load().unwrap();

    let folder = folder.display().to_string();
    chmod(&folder, 0o775);
    // Whose folder it is said of is the same for the configuration and for the secrets beside it.
    let told = bench.load().unwrap_err().to_string();
    assert!(told.ends_with(&format!("in its folder; run: chmod go-w {folder}")), "{told}");
    chmod(&folder, 0o1777);
    bench.load().unwrap();
    chmod(&folder, 0o700);

    // Through a link it is the file itself that counts, and the folder of the link.
    let real = bench.write("apart/real.toml", &fs::read_to_string(&file).unwrap());
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&real, &file).unwrap();
    bench.load().unwrap();
    chmod(real.to_str().unwrap(), 0o666);
    assert!(bench.load().unwrap_err().to_string().contains("chmod go-w"));

    let open = bench.path("training.toml");
    fs::write(&open, "[till]\nid = \"T1\"\n").unwrap();
    chmod(&open, 0o666);
    let flags = Flags { config: Some(open.into()), ..Flags::default() };
    Config::load(&flags, &environment, bench.folder.path()).expect("training moves no money");
}

#[test]
fn what_sends_nothing_needs_no_secrets() {
    let bench = ConfigBench::new();
    let load = |text: &str| {
        bench.write("paytill.toml", text);
        let environment = |name: &str| bench.environment.get(name).cloned();
        Config::load_without_secrets(&bench.flags, &environment, bench.folder.path())
    };
    let config = load(REQUIRED).unwrap().config;
    assert!(matches!(config.gateway, GatewayConfig::Unread));
    assert!(config.journal.path.ends_with("journal.sqlite"), "{:?}", config.journal);
    let without = REQUIRED.replace("app_id", "sub_app_id");
    assert!(load(&without).is_err(), "but all else is checked");
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let bench = ConfigBench::with_secrets();
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    bench.write("key.pem", &other);
    let refusal = bench.refusal(REQUIRED);
    assert!(refusal.starts_with("paytill.toml:8: [gateway.wechat-v2] client_key_file names "));
    assert!(refusal.contains("which is not the key of the certificate in client_cert_file; "));
}

#[test]
fn roots_to_trust_are_read_and_checked() {
    let bench = ConfigBench::with_secrets();
    let config = bench.read(&format!("{REQUIRED}ca_file = \"cert.pem\"")).unwrap();
    assert!(wechat(&config).line.ca_pem.as_ref().is_some_and(|pem| pem.starts_with(b"-----BEGIN")));
    let refusal = bench.refusal(&format!("{REQUIRED}ca_file = \"api.key\""));
    assert!(refusal.contains(":9: [gateway.wechat-v2] ca_file names "), "{refusal}");
    assert!(refusal.ends_with("which holds no certificate in PEM form"), "{refusal}");
}

#[test]
fn addresses_are_hosts_and_carry_no_password() {
    let bench = ConfigBench::with_secrets();
    let with = |line: &str| bench.read(&format!("{REQUIRED}{line}"));
    let config = with("base_url = \"https://localhost:8443/\"").unwrap();
    assert_eq!(wechat(&config).line.base_url, "https://localhost:8443");
    assert_eq!(
        wechat(&config).line.backup_url,
        None,
        "a test's calls never go to the real gateway"
    );
    let config = with("proxy = \"http://10.0.0.1:3128\"\nclient_ip = \"2001:db8::1\"").unwrap();
    assert_eq!(wechat(&config).line.proxy.as_deref(), Some("http://10.0.0.1:3128"));
    assert_eq!(wechat(&config).line.client_ip, Some("2001:db8::1".parse().unwrap()));
    for (key, value) in [
        ("base_url", "http://api.mch.weixin.qq.com"),
        ("base_url", "https://"),
        ("base_url", "https:api.mch.weixin.qq.com"),
        ("base_url", "https://api.mch.weixin.qq.com/pay"),
        ("base_url", "https://host?secret"),
        ("base_url", "https://user:secret@host"),
        ("base_url", ""),
        ("backup_url", "api2.mch.weixin.qq.com"),
        ("proxy", "socks5://10.0.0.1"),
        ("proxy", "http://user:secret@10.0.0.1"),
        ("proxy_login_file", "secret"),
        ("client_ip", "10.0.0.256"),
        ("notify_url", "pay.example.com/notify"),
        ("notify_url", "https://pay.example.com"),
        ("notify_url", "https://pay.example.com/notify?a=1"),
        ("notify_url", "https:///notify"),
        ("app_id", "wx d9"),
        ("mch_id", "190000010919000001091900000109123"),
        ("sub_app_id", "wxd930ea5d5a258f4f"),
        ("sign_type", "md5"),
    ] {
        let kept = REQUIRED.lines().filter(|line| !line.starts_with(key));
        let text = kept.chain([&*format!("{key} = \"{value}\"")]).collect::<Vec<_>>().join("\n");
        let refusal = bench.refusal(&text);
        assert!(refusal.contains(&format!(": [gateway.wechat-v2] {key} ")), "{refusal}");
        assert!(!refusal.contains("secret"), "{refusal}");
    }
}

#[test]
fn a_merchant_is_checked_also_in_training() {
    let bench = ConfigBench::new();
    let text = "[gateway]\nkind = \"simulator\"\n[gateway.wechat-v2]\nconnect_timeout_ms = 1";
    assert_eq!(
        bench.refusal(text),
        "paytill.toml:4: [gateway.wechat-v2] connect_timeout_ms is 1; allowed is 100 to 60000"
    );
}

#[test]
fn no_secret_is_ever_shown() {
    let bench = ConfigBench::with_secrets();
    let shown = format!("{:?}", bench.read(REQUIRED).unwrap());
    let pem = fs::read_to_string(bench.path("key.pem")).unwrap();
    let secrets = pem.lines().filter(|line| !line.starts_with('-')).chain([API_KEY]);
    for secret in secrets {
        assert!(!shown.contains(secret));
    }
    assert!(!shown.contains("PRIVATE KEY"));
}
