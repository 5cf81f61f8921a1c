//! Secrets as people have them, and what is said of each.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::form::API_KEY_LENGTH;
use super::*;
use paytill_core::language::Language;

const KEY: &[u8] = b"0123456789abcdef0123456789ABCDEF";

fn file(folder: &TempDir, name: &str, bytes: &[u8], mode: u32) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

fn fault<T>(result: Result<T, SecretFault>) -> String {
    let text = result.err().unwrap().text();
    let chinese = text.in_language(Language::Chinese);
    assert!(chinese.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{chinese}");
    // Paths and commands are the same in both languages.
    for word in text.to_string().split(' ').filter(|word| word.contains(['/', '_'])) {
        assert!(chinese.contains(word.trim_end_matches([',', ';'])), "{word}: {chinese}");
    }
    text.to_string()
}

#[test]
fn reads_a_key_with_or_without_the_end_of_its_line() {
    let folder = TempDir::new().unwrap();
    for (name, end) in [("unix", "\n"), ("dos", "\r\n"), ("none", "")] {
        let path = file(&folder, name, &[KEY, end.as_bytes()].concat(), 0o600);
        assert_eq!(api_key_file(&path).unwrap().expose_secret().as_bytes(), KEY);
    }
}

#[test]
fn refuses_what_others_can_read_and_says_what_to_run() {
    let folder = TempDir::new().unwrap();
    for mode in [0o640, 0o604, 0o644, 0o620, 0o610] {
        let path = file(&folder, "api.key", KEY, mode);
        let sentence = fault(api_key_file(&path));
        assert!(sentence.ends_with(&format!("run: chmod 600 {}", path.display())));
    }
    let path = file(&folder, "the key's", KEY, 0o644);
    assert!(fault(api_key_file(&path)).ends_with("/the key'\\''s'"));
}

/// An access control list as the system keeps it.
fn list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let entries = entries.iter().flat_map(|(tag, allows, id)| {
        [&tag.to_le_bytes()[..], &allows.to_le_bytes(), &id.to_le_bytes()].concat()
    });
    [2, 0, 0, 0].into_iter().chain(entries).collect()
}

#[test]
fn a_list_may_let_this_user_in_and_nobody_else() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "api.key", KEY, 0o600);
    let us = rustix::process::geteuid().as_raw();
    let [owner, user, group, mask, other] = [0x01, 0x02, 0x04, 0x10, 0x20];
    let none = u32::MAX;
    for (its_user, its_group, is_private) in [(us, 0, true), (us + 1, 0, false), (us, 4, false)] {
        let list = list(&[
            (owner, 6, none),
            (user, 4, its_user),
            (group, its_group, none),
            (mask, 4, none),
            (other, 0, none),
        ]);
        let set = rustix::fs::XattrFlags::empty();
        if rustix::fs::setxattr(&path, access::LIST, &list, set).is_err() {
            println!("skipped: this file system has no access control lists");
            return;
        }
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0o040, "the mode cannot tell");
        assert_eq!(api_key_file(&path).is_ok(), is_private, "{its_user} {its_group}");
    }
}

#[test]
fn refuses_a_folder_in_which_others_can_put_another_key() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "api.key", KEY, 0o600);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o770)).unwrap();
    assert!(fault(api_key_file(&path)).contains("run: chmod go-w"));
    fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
    assert!(api_key_file(&path).is_ok());
}

#[test]
fn follows_no_link_and_waits_for_no_pipe() {
    let folder = TempDir::new().unwrap();
    let real = file(&folder, "api.key", KEY, 0o600);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(real, &link).unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR).unwrap();
    for path in [link, pipe, folder.path().to_owned()] {
        assert!(fault(api_key_file(&path)).contains("not a regular file"), "{path:?}");
    }
    assert!(fault(api_key_file(&folder.path().join("gone"))).contains("does not exist"));
}

#[test]
fn a_file_of_64_kib_is_read_and_no_byte_more() {
    let folder = TempDir::new().unwrap();
    let most = file(&folder, "most", &vec![b'a'; LARGEST], 0o600);
    assert!(matches!(api_key_file(&most), Err(SecretFault::NotAKey { .. })));
    let more = file(&folder, "more", &vec![b'a'; LARGEST + 1], 0o600);
    assert!(matches!(api_key_file(&more), Err(SecretFault::TooLarge(..))));
}

#[test]
fn only_32_printable_characters_are_a_key_and_none_of_them_is_shown() {
    for wrong in ["", "short-secret", "0123456789abcdef 0123456789ABCDE", "钥匙钥匙钥匙钥匙"]
    {
        let sentence = fault(api_key(wrong.as_bytes()));
        assert!(sentence.starts_with("must be 32 printable"), "{sentence}");
        assert!(wrong.is_empty() || !sentence.contains(wrong));
    }
    let secret = api_key(KEY).unwrap();
    assert!(!format!("{secret:?}").contains("0123"));
}

#[test]
fn a_key_is_never_taken_for_what_its_first_letters_are_in_binary() {
    let folder = TempDir::new().unwrap();
    for start in ["0x0", "000", "PK0", "0\u{ff11}0"] {
        for length in 30..120 {
            let text: String =
                start.chars().chain("a".repeat(length).chars()).take(length).collect();
            let path = file(&folder, "key", format!("{text}\r\n").as_bytes(), 0o600);
            match api_key_file(&path) {
                Ok(_) => assert_eq!(length, API_KEY_LENGTH),
                Err(fault) => assert!(matches!(fault, SecretFault::NotAKey { .. }), "{fault:?}"),
            }
        }
    }
}

#[test]
fn what_stands_around_a_key_is_no_part_of_it() {
    for around in
        ["\u{feff}*", " *", "*\t\n", "\u{feff}  *\r\n\r\n", "*\u{a0}", "\u{3000}*\u{200b}"]
    {
        let text = around.replace('*', std::str::from_utf8(KEY).unwrap());
        let read = api_key(text.as_bytes()).unwrap();
        assert_eq!(read.expose_secret().as_bytes(), KEY, "{around:?}");
    }
}

#[test]
fn a_wrong_key_is_told_by_what_was_found_in_characters_and_with_what_mends_it() {
    let folder = TempDir::new().unwrap();
    let key = std::str::from_utf8(KEY).unwrap();
    let wide = key.replacen('7', "７", 1);
    let start = "must be 32 printable ASCII characters without spaces; ";
    let path = folder.path().join("key");
    let shown = path.display();
    let pasted =
        format!("; run: (umask 077; cat > {shown}) and paste the key alone, then Enter and Ctrl-D");
    for (wrong, found, run) in [
        (String::new(), "there is none".to_owned(), pasted.clone()),
        (format!("{key}8"), "these are 33".to_owned(), pasted.clone()),
        (
            wide.clone(),
            "these are 32, and number 8 is a full-width character".to_owned(),
            "; run: (umask 077; LC_ALL=C.UTF-8 sed 'y/０１２３４５６７８９Ａ".to_owned(),
        ),
        // 35 bytes.
        (
            format!("{wide}8"),
            "these are 33, and number 8 is a full-width character".to_owned(),
            pasted.clone(),
        ),
        (
            format!("{} {}", &key[..16], &key[16..]),
            "these are 33, and number 17 is a blank".to_owned(),
            format!(
                "; run: (umask 077; LC_ALL=C tr -cd '!-~' < {shown} > {shown}.new) && mv \
                 {shown}.new {shown}"
            ),
        ),
        (
            format!("{}\r\n{}\n", &key[..16], &key[16..]),
            "these are 34, and number 17 is a line end".to_owned(),
            "tr -cd".to_owned(),
        ),
        (
            format!("{}\u{200b}{}", &key[..4], &key[4..]),
            "these are 33, and number 5 is one that cannot be seen".to_owned(),
            "tr -cd".to_owned(),
        ),
        (
            format!("钥{}", &key[1..]),
            "these are 32, and number 1 is not ASCII".to_owned(),
            pasted.clone(),
        ),
    ] {
        file(&folder, "key", wrong.as_bytes(), 0o600);
        let told = fault(api_key_file(&path));
        assert!(told.starts_with(&format!("{start}{found}")), "{told}");
        if run == pasted {
            assert_eq!(told, format!("{start}{found}{pasted}"));
        } else {
            assert!(told.contains(&run), "{told}");
            run_it(&told);
            assert_eq!(api_key_file(&path).unwrap().expose_secret().as_bytes(), KEY, "{told}");
        }
    }
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(key.bytes().flat_map(|b| [b, 0])).collect();
    file(&folder, "key", &utf16, 0o600);
    let told = fault(api_key_file(&path));
    assert!(told.starts_with("is not text in UTF-8"), "{told}");
    run_it(&told);
    assert_eq!(api_key_file(&path).unwrap().expose_secret().as_bytes(), KEY);
    file(&folder, "key", "密钥".as_bytes().split_last().unwrap().1, 0o600);
    assert!(fault(api_key_file(&path)).contains("number 1 is not ASCII; run: (umask 077; cat > "));
}

/// Runs the command in a sentence as a person would paste it.
fn run_it(told: &str) {
    let command = told.split_once("run: ").expect(told).1;
    // What follows in brackets or behind a comma is for people.
    let end = [" (it asks", " (the password", " and write "].into_iter();
    let end = end.filter_map(|words| command.find(words)).min().unwrap_or(command.len());
    let ran = std::process::Command::new("sh").args(["-c", &command[..end]]).output().unwrap();
    assert!(ran.status.success(), "{told}: {ran:?}");
}

fn openssl(folder: &TempDir, arguments: &str) {
    let mut openssl = std::process::Command::new("openssl");
    let ran = openssl.args(arguments.split(' ')).current_dir(folder.path()).output().unwrap();
    assert!(ran.status.success(), "{arguments}: {ran:?}");
}

#[test]
fn every_file_that_a_platform_hands_out_leads_to_the_two_that_are_needed() {
    let folder = TempDir::new().unwrap();
    let (certificate, key) = pair();
    let path = |name: &str| folder.path().join(name);
    let good = file(&folder, "good_cert.pem", certificate.as_bytes(), 0o600);
    let right = file(&folder, "good_key.pem", key.as_bytes(), 0o600);
    openssl(
        &folder,
        "pkcs12 -export -in good_cert.pem -inkey good_key.pem -passout pass:1900000109 -out \
         apiclient_cert.p12",
    );
    openssl(&folder, "x509 -in good_cert.pem -outform DER -out binary.cer");
    openssl(&folder, "pkey -in good_key.pem -outform DER -out binary.key");
    openssl(&folder, "pkcs8 -topk8 -in good_key.pem -passout pass:1900000109 -out secret.pem");
    openssl(&folder, "ec -in good_key.pem -aes128 -passout pass:1900000109 -out older.pem");
    for name in ["apiclient_cert.p12", "binary.key", "secret.pem", "older.pem"] {
        fs::set_permissions(path(name), Permissions::from_mode(0o600)).unwrap();
    }
    let told = |certificate: &Path, key: &Path| {
        let faults = identity(certificate, key).unwrap_err();
        faults.into_iter().map(|(of, why)| (of, fault(Err::<(), _>(why)))).collect::<Vec<_>>()
    };
    // The commands ask for the password; here it is given.
    let run_with_password = |told: &str| {
        let pass = "-passin pass:1900000109 -in";
        run_it(&told.replace("-in", pass).replace("-inform", "-in"));
    };

    let p12 = path("apiclient_cert.p12");
    let faults = told(&p12, &p12);
    assert_eq!(faults[0].0, Of::Certificate);
    assert!(faults[0].1.contains("a PKCS#12 file (.p12): certificate and key in one"));
    let faults = told(&good, &p12);
    assert_eq!(faults[0].0, Of::Key);
    run_with_password(&faults[0].1);
    identity(&path("apiclient_cert.pem"), &path("apiclient_key.pem")).unwrap();

    for name in ["secret.pem", "older.pem"] {
        let faults = told(&good, &path(name));
        assert!(
            faults[0].1.contains("is encrypted with a password; run: openssl pkey -in "),
            "{faults:?}"
        );
        run_with_password(&faults[0].1);
        identity(&good, &path(name).with_extension("plain.pem")).unwrap();
    }

    let faults = told(&path("binary.cer"), &right);
    assert!(faults[0].1.contains("a certificate in binary form (DER)"), "{faults:?}");
    run_it(&faults[0].1);
    let faults = told(&good, &path("binary.key"));
    run_it(&faults[0].1);
    identity(&path("binary.cert.pem"), &path("binary.key.pem")).unwrap();

    let swapped = told(&right, &good);
    assert_eq!((swapped.len(), swapped[0].0), (1, Of::Certificate));
    assert!(swapped[0].1.contains("which is the certificate: the two are swapped; write client_"));
    fs::set_permissions(&good, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(told(&right, &good), swapped, "before anything about who can read it");
}

#[test]
fn pem_files_may_begin_with_a_byte_order_mark() {
    let folder = TempDir::new().unwrap();
    let (certificate, key) = pair();
    let marked = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let good = file(&folder, "cert", marked(&certificate).as_bytes(), 0o644);
    let right = file(&folder, "key", marked(&key).as_bytes(), 0o600);
    let both = identity(&good, &right).unwrap();
    assert!(both.expose_secret().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(!both.expose_secret().contains('\u{feff}'));
    assert!(roots(&good).unwrap().starts_with(b"-----BEGIN"));
    let utf16: Vec<u8> = marked(&key).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = file(&folder, "wide", &utf16, 0o600);
    let (_, why) = identity(&good, &wide).unwrap_err().remove(0);
    run_it(&fault(Err::<(), _>(why)));
    identity(&good, &wide).unwrap();
}

#[test]
fn a_login_is_one_line_with_a_name() {
    let folder = TempDir::new().unwrap();
    for (text, right) in [
        ("till:pass:word 1\r\n", Some("till:pass:word 1")),
        ("\u{feff}till:", Some("till:")),
        ("till", None),
        (":word", None),
        ("till:one\ntwo", None),
        ("", None),
    ] {
        let path = file(&folder, "login", text.as_bytes(), 0o600);
        match (login(&path), right) {
            (Ok(read), Some(right)) => assert_eq!(read.expose_secret(), right),
            (wrong, None) => assert!(fault(wrong).ends_with("not one line like name:password")),
            (Err(fault), Some(_)) => panic!("{text}: {fault:?}"),
        }
    }
    let open = file(&folder, "open", b"till:word", 0o644);
    assert!(fault(login(&open)).contains("chmod 600"));
}

#[test]
fn all_files_that_are_missing_are_told_at_once() {
    let gone = |name: &str| PathBuf::from("/nowhere").join(name);
    let faults = identity(&gone("cert"), &gone("key")).unwrap_err();
    let of: Vec<_> = faults.iter().map(|(of, _)| *of).collect();
    assert_eq!(of, [Of::Certificate, Of::Key]);
}

#[test]
fn roots_may_be_a_systems_and_nobody_else_may_change_them() {
    let folder = TempDir::new().unwrap();
    let (certificate, _) = pair();
    let bundle = certificate.repeat(220 * 1024 / certificate.len() + 1);
    let path = file(&folder, "bundle", bundle.as_bytes(), 0o644);
    assert_eq!(roots(&path).unwrap().len(), bundle.len());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(fault(roots(&link)).ends_with(&format!("; name {} itself", path.display())));
    fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
    let told = fault(roots(&path));
    assert!(told.ends_with(&format!("can change; run: chmod go-w {}", path.display())), "{told}");
    run_it(&told);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    let told = fault(roots(&path));
    assert!(told.contains("others than its owner can write; run: chmod go-w"), "{told}");
    run_it(&told);
    roots(&path).unwrap();
}

fn pair() -> (String, String) {
    let pair = rcgen::generate_simple_self_signed(["till.example".to_owned()]).unwrap();
    (pair.cert.pem(), pair.signing_key.serialize_pem())
}

#[test]
fn takes_a_key_only_with_its_own_certificate() {
    let folder = TempDir::new().unwrap();
    let ((certificate, key), (_, foreign_key)) = (pair(), pair());
    let path = |name: &str, pem: &str| file(&folder, name, pem.as_bytes(), 0o600);
    let (good, right) = (path("cert", &certificate), path("key", &key));
    let both = identity(&good, &right).unwrap();
    assert_eq!(both.expose_secret(), format!("{certificate}\n{key}"));

    let told = |certificate: &Path, key: &Path| {
        let (of, fault) = identity(certificate, key).unwrap_err().remove(0);
        assert!(!fault.text().to_string().contains("BEGIN"));
        (of, fault)
    };
    let foreign = path("foreign", &foreign_key);
    assert!(matches!(told(&good, &foreign), (Of::Key, SecretFault::Mismatch(..))));
    assert!(matches!(
        told(&good, &good),
        (Of::Key, SecretFault::OtherForm { form: Form::Certificate, .. })
    ));
    assert!(matches!(
        told(&right, &right),
        (Of::Certificate, SecretFault::OtherForm { form: Form::PrivateKey, .. })
    ));
    let mixed = path("mixed", &format!("{certificate}{key}"));
    let fault = told(&mixed, &right);
    assert!(matches!(fault, (Of::Certificate, SecretFault::KeyBesideCertificate(..))));
    let open = file(&folder, "open", key.as_bytes(), 0o644);
    assert!(matches!(told(&good, &open), (Of::Key, SecretFault::ReadableByOthers { .. })));
}

#[test]
fn roots_are_certificates() {
    let folder = TempDir::new().unwrap();
    let (certificate, key) = pair();
    let path = file(&folder, "ca", certificate.as_bytes(), 0o644);
    assert_eq!(roots(&path).unwrap(), certificate.as_bytes());
    let path = file(&folder, "not", key.as_bytes(), 0o644);
    assert!(matches!(roots(&path), Err(SecretFault::NoCertificate(..))));
}
