//! Every file that a merchant platform hands out, named where it does not belong or as editors and
//! input methods leave it: whoever does what `doctor` says, and nothing else, comes to a payment.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::fixture::{PAYTILL, Ran, code};
use tempfile::TempDir;

const CERTIFICATE: &str = "apiclient_cert.pem";
const KEY: &str = "apiclient_key.pem";
const P12: &str = "apiclient_cert.p12";
const PASSWORD: &str = "pass:1900000109";
/// More than any hand-out takes.
const STEPS: usize = 8;

/// `paytill simulator --write-config`, and what it wrote.
struct Platform {
    folder: TempDir,
    simulator: Child,
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.simulator.kill();
        let _ = self.simulator.wait();
    }
}

impl Platform {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut simulator = Command::new(PAYTILL)
            .args(["simulator", "--listen", "127.0.0.1:0", "--write-config"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(simulator.stdout.take().unwrap());
        let mut first = String::new();
        output.read_line(&mut first).unwrap();
        assert!(first.starts_with("https://"), "{first}");
        // Whatever it prints later has somewhere to go.
        std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
        Self { folder, simulator }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

/// A shop that has its configuration, and its three secrets somewhere.
struct Shop {
    folder: TempDir,
    certificate: String,
    key: String,
    api_key: String,
    payment: u64,
}

impl Shop {
    fn open(platform: &Platform, payment: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = ["secrets/apiclient_cert.pem", "secrets/apiclient_key.pem"]
            .map(|name| platform.read(name))
            .into();
        let api_key = platform.read("secrets/api_v2.key").trim().to_owned();
        let shop = Self { folder, certificate, key, api_key, payment };
        for name in ["paytill.toml", "ca.pem"] {
            shop.has(name, platform.read(name));
        }
        fs::create_dir(shop.path("secrets")).unwrap();
        shop.has("secrets/api_v2.key", &shop.api_key);
        shop.private("secrets/api_v2.key");
        shop
    }

    /// With the right certificate and key.
    fn with_pair(platform: &Platform, payment: u64) -> Self {
        let shop = Self::open(platform, payment);
        shop.has("secrets/apiclient_cert.pem", &shop.certificate);
        shop.has("secrets/apiclient_key.pem", &shop.key);
        shop.private("secrets/apiclient_key.pem");
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file as a download leaves it.
    fn has(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    }

    fn private(&self, name: &str) {
        fs::set_permissions(self.path(name), Permissions::from_mode(0o600)).unwrap();
    }

    /// Writes a line of the configuration.
    fn set(&self, setting: &str, value: &str) {
        let file = self.path("paytill.toml");
        let text = fs::read_to_string(&file).unwrap();
        let start = format!("{setting} = ");
        assert_eq!(text.lines().filter(|line| line.starts_with(&start)).count(), 1, "{text}");
        let lines = text.lines().map(|line| {
            if line.starts_with(&start) { format!("{start}{value}\n") } else { format!("{line}\n") }
        });
        fs::write(&file, lines.collect::<String>()).unwrap();
    }

    fn names(&self, setting: &str, name: &str) {
        self.set(setting, &format!("\"{name}\""));
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(PAYTILL);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        Ran::of(command.output().unwrap())
    }

    fn pay(&self) -> Ran {
        self.run(&["pay", "0.01", "--code", &code("ok", self.payment), "--json", "--lang", "en"])
    }

    /// Does what `doctor` says until it is content with the secrets, and then a payment. Returns
    /// what it said.
    fn follow(&self, case: &str) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            let ran = self.run(&["doctor", "--json", "--lang", "en"]);
            let of_secrets =
                |line: &&serde_json::Value| line["check"] == "secrets" && line["result"] == "fault";
            let Some(first) = ran.lines.iter().find(of_secrets) else { break };
            let text = first["text"].as_str().unwrap().to_owned();
            assert_eq!(ran.exit, 3, "{case}: {ran:?}");
            assert!(told.len() < STEPS, "{case}: {told:#?}");
            for secret in [&self.api_key, &self.key, &self.certificate] {
                assert!(!text.contains(secret.as_str()), "{case}: {text}");
            }
            let (command, lines) = (command(&text), lines(&text));
            if told.is_empty() {
                let start = self.pay();
                assert_eq!(start.exit, 3, "{case}: {start:?}");
                assert!(start.errors.contains(&text), "{case}: {text}: {}", start.errors);
                let chinese = self.run(&["doctor", "--json", "--lang", "zh-CN"]);
                let chinese = chinese.lines.iter().find(of_secrets).unwrap();
                let chinese = chinese["text"].as_str().unwrap();
                for word in command.iter().copied().chain(lines.iter().map(|(_, value)| *value)) {
                    assert!(chinese.contains(word), "{case}: {word}: {chinese}");
                }
            }
            self.obey(case, &text, command, &lines);
            told.push(text);
        }
        let paid = self.pay();
        assert_eq!(paid.exit, 0, "{case}: {paid:?} {told:#?}");
        assert_eq!(paid.last()["state"], "paid", "{case}");
        told
    }

    fn obey(&self, case: &str, text: &str, command: Option<&str>, lines: &[(&str, &str)]) {
        if let Some(name) = [CERTIFICATE, KEY].iter().find(|name| {
            text.contains(&format!("put {name} from the platform's zip into its folder"))
        }) {
            let whole = if *name == KEY { &self.key } else { &self.certificate };
            let path = lines.iter().find(|(_, value)| value.ends_with(&format!("{name}\"")));
            let path = path.unwrap_or_else(|| panic!("{case}: {text}")).1.trim_matches('"');
            fs::write(path, whole).unwrap();
        } else if let Some(command) = command {
            self.paste(case, command);
        } else {
            assert!(!lines.is_empty(), "{case}: nothing to do is said: {text}");
        }
        for (setting, value) in lines {
            self.set(setting, value);
        }
    }

    /// Runs a command in a shell of this machine, and types what it asks for.
    fn paste(&self, case: &str, command: &str) {
        let is_missing = |tool: &&str| command.contains(&format!("{tool} ")) && !is_there(tool);
        if let Some(missing) = ["unzip", "openssl"].into_iter().find(is_missing) {
            eprintln!("{case}: {missing} is not on this machine");
            return self.do_without(command);
        }
        let typed = command.replace(" -in ", &format!(" -passin {PASSWORD} -in "));
        let mut shell = Command::new("/bin/sh")
            .args(["-c", &typed])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that asks for nothing may have ended.
        let _ = writeln!(shell.stdin.take().unwrap(), "{}", self.api_key);
        let ran = shell.wait_with_output().unwrap();
        assert!(ran.status.success(), "{case}: {command}: {ran:?}");
    }

    /// What `unzip` or `openssl` would have written.
    fn do_without(&self, command: &str) {
        let behind = |part: &str, option: &str| {
            let word = part.split_once(option)?.1.split([' ', ')']).next()?;
            Some(PathBuf::from(word))
        };
        let write = |file: &Path, content: &[u8]| {
            fs::write(file, content).unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
        };
        if let Some(folder) = behind(command, " -d ") {
            fs::create_dir_all(&folder).unwrap();
            let p12 = self.p12();
            let files = [(CERTIFICATE, self.certificate.as_bytes()), (KEY, self.key.as_bytes())];
            for (name, content) in files.into_iter().chain([(P12, p12.as_slice())]) {
                if command.contains(&format!("'*{name}'")) {
                    write(&folder.join(name), content);
                }
            }
        }
        for part in command.split("openssl ").skip(1) {
            let is_key = part.starts_with("pkey ") || part.contains(" -nocerts ");
            let content = if is_key { &self.key } else { &self.certificate };
            write(&behind(part, " -out ").unwrap(), content.as_bytes());
        }
    }

    /// The platform's archive with these files in it.
    fn zip(&self, folder: &str, names: &[&str]) -> Vec<u8> {
        let p12 = if names.contains(&P12) { self.p12() } else { Vec::new() };
        let content = |name: &str| match name {
            CERTIFICATE => self.certificate.clone().into_bytes(),
            KEY => self.key.clone().into_bytes(),
            P12 => p12.clone(),
            _ => "证书使用说明".as_bytes().to_vec(),
        };
        zip(&names
            .iter()
            .map(|name| (format!("{folder}{name}"), content(name)))
            .collect::<Vec<_>>())
    }

    fn p12(&self) -> Vec<u8> {
        self.by_openssl(&format!(
            "pkcs12 -export -in certificate -inkey key -passout {PASSWORD} -out made"
        ))
        // What it begins with, which is what it is known by.
        .unwrap_or_else(|| b"\x30\x05\x02\x01\x03\x30\x00".to_vec())
    }

    fn encrypted(&self) -> Vec<u8> {
        self.by_openssl(&format!("pkcs8 -topk8 -in key -passout {PASSWORD} -out made"))
            .unwrap_or_else(|| b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n".to_vec())
    }

    fn by_openssl(&self, arguments: &str) -> Option<Vec<u8>> {
        if !is_there("openssl") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("certificate"), &self.certificate).unwrap();
        fs::write(folder.path().join("key"), &self.key).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(arguments.split(' ')).current_dir(folder.path());
        let ran = openssl.output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        Some(fs::read(folder.path().join("made")).unwrap())
    }
}

fn is_there(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

/// What stands behind `run:`, as far as a person would paste it.
fn command(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("run: ")?;
    let ends = [" (it asks", " (the password", " and write ", " and paste "];
    let end = ends.iter().filter_map(|words| rest.find(words)).min().unwrap_or(rest.len());
    Some(&rest[..end])
}

/// The lines of the configuration in a sentence.
fn lines(text: &str) -> Vec<(&str, &str)> {
    let Some((_, rest)) = text.split_once("write ") else { return Vec::new() };
    // Paths of these tests have no such words in them.
    let parts = rest.split(" and ").filter_map(|line| line.split_once(" = "));
    parts.filter(|(_, value)| value.starts_with('"')).collect()
}

/// An archive of files that are stored as they are.
fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let sum = |bytes: &[u8]| {
        !bytes.iter().fold(!0_u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 }
            })
        })
    };
    let short = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
    let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let at = archive.len();
        // Version, flags (names in UTF-8), stored, no time, a date.
        let mut facts = vec![20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0x5a];
        facts.extend(sum(content).to_le_bytes());
        facts.extend(long(content.len()));
        facts.extend(long(content.len()));
        facts.extend(short(name.len()));
        facts.extend(short(0));
        archive.extend(b"PK\x03\x04");
        archive.extend(&facts);
        archive.extend(name.as_bytes());
        archive.extend(content);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&facts);
        directory.extend([0; 10]);
        directory.extend(long(at));
        directory.extend(name.as_bytes());
    }
    let at = archive.len();
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend(short(files.len()));
    archive.extend(short(files.len()));
    archive.extend(long(directory.len()));
    archive.extend(long(at));
    archive.extend(short(0));
    archive
}

const WHOLE: [&str; 4] = [P12, CERTIFICATE, KEY, "证书使用说明.txt"];
const BOTH: [&str; 2] = ["client_cert_file", "client_key_file"];

#[test]
fn the_platforms_archive_leads_to_a_payment_under_any_name() {
    let platform = Platform::open();
    let named = "1900000109_20261130_cert.zip";
    for (at, (case, settings, folder, names, file, words)) in [
        ("as the certificate", &BOTH[..1], "", &WHOLE[..], named, "still packed; run: (umask"),
        ("as the key", &BOTH[1..], "", &WHOLE, named, "still packed; run: (umask 077; unzip"),
        ("as both", &BOTH, "cert/", &WHOLE, named, "still packed; run: (umask 077; unzip"),
        ("under the certificate's name", &BOTH, "", &WHOLE, "new/apiclient_cert.pem", "unzip -j"),
        ("without an ending", &BOTH, "", &WHOLE, "new/cert", "still packed; run: (umask 077;"),
        ("with the p12 alone", &BOTH, "", &WHOLE[..1], named, "'*apiclient_cert.p12' -d"),
        ("beside what was in it", &BOTH, "", &WHOLE, "secrets/cert.zip", "still packed; write"),
        ("as the API key", &["api_key_file"], "", &WHOLE, named, "packed; run: (umask 077; cat"),
    ]
    .into_iter()
    .enumerate()
    {
        let shop = Shop::with_pair(&platform, at as u64);
        shop.has(file, shop.zip(folder, names));
        for setting in settings {
            shop.names(setting, file);
        }
        let told = shop.follow(case);
        assert!(told.iter().any(|text| text.contains(words)), "{case}: {told:#?}");
    }
}

#[test]
fn certificate_and_key_lead_to_a_payment_wherever_they_are_named() {
    let platform = Platform::open();
    let secrets = |name: &str| format!("secrets/{name}");
    let (certificate, key) = (secrets(CERTIFICATE), secrets(KEY));
    let (certificate, key, p12) = (certificate.as_str(), key.as_str(), "apiclient_cert.p12");
    for (at, (case, as_certificate, as_key, words)) in [
        ("p12 as the certificate", p12, key, "certificate and key in one, encrypted; run: "),
        ("p12 as the key", certificate, p12, "certificate and key in one, encrypted; run: "),
        ("p12 as both", p12, p12, "certificate and key in one, encrypted; run: "),
        ("p12 beside them", "secrets/c.p12", key, "certificate and key in one, encrypted; write"),
        ("swapped", key, certificate, "the two are swapped; write client_cert_file = "),
        ("the certificate twice", certificate, certificate, "which is a certificate; write cl"),
        ("the key twice", key, key, "which is a private key; write client_cert_file = "),
        ("an encrypted key", certificate, "crypt.pem", "encrypted with a password; run: openssl"),
        ("encrypted, and swapped", "crypt.pem", certificate, "the two are swapped; write"),
        ("an encrypted key twice", "crypt.pem", "crypt.pem", "which is a private key that is en"),
        ("the certificate alone", "lone/c.pem", "lone/c.pem", "put apiclient_key.pem from the"),
        ("the key alone", "lone/k.pem", "lone/k.pem", "put apiclient_cert.pem from the"),
        ("both in one", "lone/both.pem", "lone/both.pem", "keep them apart; run: openssl x509"),
        ("WeChat Pay's public key", certificate, "pub_key.pem", "which is a public key; put "),
        ("a request", "request.pem", key, "which is the request for a certificate"),
        ("the API key as the key", certificate, "secrets/api_v2.key", "an API key; write client"),
        ("the API key as a certificate", "secrets/api_v2.key", key, "an API key; write client"),
        ("a key that was cut", certificate, "cut.pem", "that can be used; put apiclient_key.pem"),
        ("a certificate that was cut", "cut.crt", key, "in PEM form; put apiclient_cert.pem"),
        ("a key of another", certificate, "other.pem", "in client_cert_file; write client_key_f"),
        ("a certificate of another", "other.crt", key, "in client_cert_file; write client_cert_f"),
        ("a note", "note.txt", "note.txt", "put apiclient_cert.pem from the platform's zip"),
    ]
    .into_iter()
    .enumerate()
    {
        let shop = Shop::with_pair(&platform, at as u64);
        shop.has(p12, shop.p12());
        shop.has("secrets/c.p12", shop.p12());
        shop.has("crypt.pem", shop.encrypted());
        shop.has("lone/c.pem", &shop.certificate);
        shop.has("lone/k.pem", &shop.key);
        shop.has("lone/both.pem", format!("{}{}", shop.certificate, shop.key));
        shop.has("pub_key.pem", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n");
        let request = "CERTIFICATE REQUEST-----\n";
        shop.has("request.pem", format!("-----BEGIN {request}MIIB\n-----END {request}"));
        shop.has("cut.pem", &shop.key[..shop.key.len() / 2]);
        shop.has("cut.crt", &shop.certificate[..shop.certificate.len() / 2]);
        shop.has("note.txt", "证书使用说明：请妥善保管");
        let other = rcgen::generate_simple_self_signed(["till.example".to_owned()]).unwrap();
        shop.has("other.crt", other.cert.pem());
        shop.has("other.pem", other.signing_key.serialize_pem());
        shop.names("client_cert_file", as_certificate);
        shop.names("client_key_file", as_key);
        let told = shop.follow(case);
        assert!(told.iter().any(|text| text.contains(words)), "{case}: {told:#?}");
    }
}

#[test]
fn what_editors_put_around_the_lines_of_certificate_and_key_is_not_worth_a_word() {
    let platform = Platform::open();
    let changed: [fn(&str) -> String; 6] = [
        |pem| format!("\u{feff}{pem}"),
        |pem| pem.replace('\n', "\r\n"),
        |pem| pem.replace('\n', "\r"),
        |pem| pem.replace('\n', "\n\n"),
        |pem| format!("  \t{}", pem.replace('\n', " \r\n  \t")),
        |pem| format!("\u{feff}\r\n\r\n{}", pem.trim_end()),
    ];
    for (at, change) in changed.into_iter().enumerate() {
        let shop = Shop::open(&platform, at as u64);
        shop.has("secrets/apiclient_cert.pem", change(&shop.certificate));
        shop.has("secrets/apiclient_key.pem", change(&shop.key));
        shop.private("secrets/apiclient_key.pem");
        assert_eq!(shop.follow(&format!("change {at}")), Vec::<String>::new());
    }
}

fn wide(text: &str, of: fn(char) -> bool) -> String {
    let wide = |letter: char| char::from_u32(u32::from(letter) + 0xfee0).unwrap();
    text.chars().map(|letter| if of(letter) { wide(letter) } else { letter }).collect()
}

#[test]
fn an_api_key_leads_to_a_payment_however_it_was_written_down() {
    let platform = Platform::open();
    let note = |key: &str, more: &str| {
        format!("商户号：1900000109\r\nAPIv2密钥：{key}\r\n请妥善保管，勿外传。\r\n{more}")
    };
    let other = "abcdefghijklmnopqrstuvwxyz012345";
    let serial = "证书序列号：5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
    let shop = Shop::with_pair(&platform, 0);
    let key = shop.api_key.clone();
    let (start, end) = key.split_at(16);
    // A key may have no digits.
    let some_wide = format!("{start}{}", wide(end, |_| true));
    let utf16 = |text: &str| -> Vec<u8> {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let plain = note(&key, "");
    let (gbk, ..) = encoding_rs::GBK.encode(&plain);
    for (at, (case, content, words)) in [
        ("a byte-order mark", format!("\u{feff}{key}").into_bytes(), ""),
        ("a line end", format!("{key}\r\n\r\n").into_bytes(), ""),
        ("blanks around", format!("  \u{3000}{key}\t \n").into_bytes(), ""),
        ("a blank inside", format!("{start} {end}").into(), "number 17 is a blank; run: (umask"),
        ("a line end inside", format!("{start}\r\n{end}").into(), "number 17 is a line end; run"),
        ("full-width", wide(&key, |_| true).into(), "number 1 is a full-width character; run: (u"),
        (
            "half of it full-width",
            some_wide.into(),
            "a full-width character; run: (umask 077; LC_ALL=C.UTF",
        ),
        ("wide and a blank", wide(&format!("{start} {end}"), |c| c != ' ').into(), "tr -cd '!-~'"),
        ("one less", key[..31].into(), "these are 31; run: (umask 077; cat > "),
        ("one more", format!("{key}x").into(), "these are 33; run: (umask 077; cat > "),
        ("nothing", "\n".into(), "there is none; run: (umask 077; cat > "),
        ("a quoted one", format!("\"{key}\"").into(), "one word of 32; run: (umask 077; LC_ALL=C"),
        ("a note", note(&key, "").into(), "a text with one word of 32; run: (umask 077; LC_ALL=C"),
        ("a note with a number", note(&key, serial).into(), "one word of 32; run: (umask 077;"),
        ("a note in GBK", gbk.into_owned(), "a text with one word of 32; run: (umask 077; LC"),
        ("a note in UTF-16", utf16(&note(&key, "")), "is not text in UTF-8"),
        ("two keys", note(&key, other).into(), "run: (umask 077; cat > "),
        ("another word", note(&start.repeat(2), "").into(), "one word of 32; run: "),
        ("the certificate", shop.certificate.clone().into(), "is a certificate; run: (umask 077;"),
        ("the private key", shop.key.clone().into(), "is a private key; run: (umask 077; cat"),
        ("the p12", shop.p12(), "certificate and key in one, encrypted; run: (umask 077; cat > "),
    ]
    .into_iter()
    .enumerate()
    {
        let shop = Shop::with_pair(&platform, at as u64);
        shop.has("api.txt", content);
        shop.names("api_key_file", "api.txt");
        if words.is_empty() {
            shop.private("api.txt");
            assert_eq!(shop.follow(case), Vec::<String>::new());
            continue;
        }
        if case == "another word" {
            // Its length says nothing: the gateway does.
            let told = step(&shop);
            assert!(told.contains(words), "{told}");
            assert!(shop.path("api.txt").is_file(), "the note is kept");
            let ran = shop.run(&["doctor", "--json", "--lang", "en"]);
            assert_eq!(ran.exit, 3, "{ran:?}");
            let line = ran.lines.iter().find(|line| line["check"] == "account").unwrap();
            assert_eq!(line["result"], "fault", "{line}");
            continue;
        }
        let told = shop.follow(case);
        assert!(told.iter().any(|text| text.contains(words)), "{case}: {told:#?}");
    }
}

/// Does the steps until the secrets are well; the last thing that was said.
fn step(shop: &Shop) -> String {
    let mut last = String::new();
    loop {
        let ran = shop.run(&["doctor", "--json", "--lang", "en"]);
        let mut faults = ran.lines.iter().filter(|line| line["check"] == "secrets");
        let Some(fault) = faults.find(|line| line["result"] == "fault") else { return last };
        let text = fault["text"].as_str().unwrap().to_owned();
        assert_ne!(text, last);
        shop.obey("step", &text, command(&text), &lines(&text));
        last = text;
    }
}
