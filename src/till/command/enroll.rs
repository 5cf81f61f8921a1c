//! `paytill enroll`: makes this till's key, and registers it with the merchant's backend.
//!
//! The one call goes to whoever answers: the code proves each side to the other, over all that is said.
//! Nothing is written before that, and a key that is there is never replaced.

use std::fs::DirBuilder;
use std::io::IsTerminal as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{print_line, print_lines, print_message, print_prompt, put_new};
use super::{Exit, Failure};
use crate::both;
use crate::cli::Enroll;
use crate::clock::Millis;
use crate::config::Config;
use crate::gateway::backend::KnownBackend;
use crate::gateway::backend::enrolment::{Code, comparison};
use crate::gateway::backend::message::{Enrolment, EnrolmentRequest};
use crate::gateway::backend::signed::{PublicKey, SigningKey};
use crate::language::{Language, Text};
use crate::text::enroll::{self as text, EnrollWords};
use crate::text::reason;
use paytill_host::clock::Clock;
use paytill_host::config::secret::shown;
use paytill_host::random;
use paytill_host::transport::Transport;

/// How long the backend may take.
const PATIENCE: Millis = Millis::seconds(15);
/// The root of a backend whose certificate is of its own making.
const CA_FILE: &str = "backend-ca.pem";

/// What both sides have proved.
struct Enrolled {
    answer: Enrolment,
    known: KnownBackend,
    key_pem: zeroize::Zeroizing<String>,
    comparison: String,
}

/// Registers this till.
pub async fn run(enroll: Enroll, config: &Config, clock: &Clock) -> Result<Exit, Failure> {
    let language = config.till.language;
    let words = EnrollWords::of(language);
    let code = Code::read(&enroll.one_time_code).ok_or_else(|| usage(text::no_code()))?;
    let url = host(&enroll.url).ok_or_else(|| usage(text::no_url()))?;
    let files = &config.backend_files;
    let ca = files.backend_key.with_file_name(CA_FILE);
    // Before the code is spent.
    for file in [&files.key, &files.backend_key, &ca] {
        if file.symlink_metadata().is_ok() {
            return Err(usage(text::is_there(&shown(file))));
        }
    }
    let enrolled = ask(&url, &code, clock).await?;
    let Enrolled { answer, comparison, .. } = &enrolled;
    if answer.currency != config.till.currency.code() {
        return Err(fault(text::other_currency(&answer.currency, config.till.currency.code())));
    }
    if !enroll.json.json {
        print_line(&words.comparison(comparison));
        if std::io::stdin().is_terminal() && !is_confirmed(words)? {
            return Err(fault(text::not_the_same()));
        }
    }
    let ca = answer.ca_pem.as_ref().map(|pem| (ca, pem.as_bytes()));
    let line = enrolled.known.line();
    let written: [(&PathBuf, &[u8]); 2] =
        [(&files.key, enrolled.key_pem.as_bytes()), (&files.backend_key, line.as_bytes())];
    write(&written, ca.as_ref().map(|(path, pem)| (path, *pem)))?;
    let ca = ca.map(|(path, _)| path);
    tracing::info!(merchant = answer.merchant, till = answer.till, "registered with the backend");
    let is_printed = if enroll.json.json {
        print_line(&object(config, &url, &enrolled, ca.as_deref()))
    } else {
        let done = words.done(&answer.till, &answer.merchant);
        print_message(&done);
        print_lines(&section(config, &url, &enrolled, ca.as_deref(), words))
    };
    hints(config, &enrolled, ca.as_deref(), language);
    Ok(if is_printed { Exit::Done } else { Exit::Fault })
}

/// The one call.
async fn ask(url: &str, code: &Code, clock: &Clock) -> Result<Enrolled, Failure> {
    let no_randomness =
        || fault(both!("the system provides no random bytes", "系统无法提供随机数"));
    let pkcs8 = SigningKey::generate().ok_or_else(no_randomness)?;
    let key = SigningKey::from_pkcs8(&pkcs8).ok_or_else(no_randomness)?;
    let kept = code.kept();
    let mut request = EnrolmentRequest {
        code: code.name(),
        public_key: key.public().to_base64(),
        nonce: random::nonce().ok_or_else(no_randomness)?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        proof: String::new(),
    };
    request.prove(&kept);
    let transport = Transport::to_anybody(url, PATIENCE)
        .map_err(|error| Failure::new(Exit::Configuration, error.text()))?;
    let refused = |why| {
        let why = Text::each(|language| reason::cause_sentence(&why, language));
        fault(text::not_registered().because(&why))
    };
    let reply = transport.carry(&request.encode(), clock.uptime(), || {}).await;
    let reply = reply.map_err(|failure| refused(failure.reason().clone()))?;
    let answer = request.answered(&kept, &reply).map_err(refused)?;
    let backend = PublicKey::from_base64(&answer.public_key);
    let known = backend.and_then(|key| KnownBackend::new(key, &answer.merchant, &answer.till));
    let known = known.ok_or_else(|| fault(text::odd_answer()))?;
    let comparison = comparison(&key.public(), &known.key);
    Ok(Enrolled { answer, known, key_pem: SigningKey::pem(&pkcs8), comparison })
}

/// `https://host` or `https://host:port`, as it is configured.
fn host(typed: &str) -> Option<String> {
    let rest = typed.strip_prefix("https://")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    (!rest.is_empty() && rest.bytes().all(allowed)).then(|| format!("https://{rest}"))
}

/// Whether the person at the terminal sees the same value at the backend.
fn is_confirmed(words: EnrollWords) -> Result<bool, Failure> {
    print_prompt(words.is_it_the_same());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| {
        Failure::of_system(&both!("the answer cannot be read", "无法读取输入"), &error)
    })?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes" | "是"))
}

/// All files or none.
fn write(files: &[(&PathBuf, &[u8])], ca: Option<(&PathBuf, &[u8])>) -> Result<(), Failure> {
    let mut written: Vec<&Path> = Vec::new();
    for (path, bytes) in files.iter().copied().chain(ca) {
        let put = folder_of(path).and_then(|()| put_new(path, bytes));
        if let Err(error) = put {
            for path in written {
                let _ = std::fs::remove_file(path);
            }
            return Err(Failure::of_system(&text::not_written(&shown(path)), &error));
        }
        written.push(path);
    }
    Ok(())
}

/// Its folder, made for its owner alone where there is none.
fn folder_of(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)
        }
        Some(_) | None => Ok(()),
    }
}

fn object(config: &Config, url: &str, enrolled: &Enrolled, ca: Option<&Path>) -> String {
    let Enrolled { answer, comparison, .. } = enrolled;
    let files = &config.backend_files;
    json!({
        "url": url,
        "merchant": answer.merchant,
        "store": answer.store,
        "till": answer.till,
        "currency": answer.currency,
        "comparison": comparison,
        "key_file": files.key,
        "backend_key_file": files.backend_key,
        "ca_file": ca,
    })
    .to_string()
}

/// What to put into the configuration, where it does not say it yet.
fn section(
    config: &Config,
    url: &str,
    enrolled: &Enrolled,
    ca: Option<&Path>,
    words: EnrollWords,
) -> Vec<String> {
    let files = &config.backend_files;
    if files.is_used {
        return Vec::new();
    }
    print_message(words.add_this());
    let quoted = |path: &Path| format!("\"{}\"", path.display());
    let mut lines = vec![
        "[till]".to_owned(),
        format!("id = \"{}\"", enrolled.known.till.as_str()),
        String::new(),
        "[gateway]".to_owned(),
        "kind = \"backend\"".to_owned(),
        String::new(),
        "[gateway.backend]".to_owned(),
        format!("url = \"{url}\""),
        format!("key_file = {}", quoted(&files.key)),
        format!("backend_key_file = {}", quoted(&files.backend_key)),
    ];
    lines.extend(ca.map(|ca| format!("ca_file = {}", quoted(ca))));
    lines
}

/// What is still to be done in a configuration that says otherwise.
fn hints(config: &Config, enrolled: &Enrolled, ca: Option<&Path>, language: Language) {
    let words = EnrollWords::of(language);
    let till = enrolled.known.till.as_str();
    if enrolled.known.till != config.till.id {
        print_message(&words.set_till(till));
    }
    let files = &config.backend_files;
    if let Some(ca) = ca.filter(|ca| files.is_used && files.ca.as_deref() != Some(*ca)) {
        print_message(&words.set_ca(&shown(ca)));
    }
}

fn usage(text: Text) -> Failure {
    Failure::new(Exit::Usage, text)
}

fn fault(text: Text) -> Failure {
    Failure::new(Exit::Fault, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_with_or_without_a_port() {
        for (typed, host_of_it) in [
            ("https://pay.example.com", Some("https://pay.example.com")),
            ("https://127.0.0.1:8444/", Some("https://127.0.0.1:8444")),
            ("https://[::1]:8444", Some("https://[::1]:8444")),
            ("http://pay.example.com", None),
            ("pay.example.com", None),
            ("https://", None),
            ("https://pay.example.com/v1", None),
            ("https://me:secret@pay.example.com", None),
        ] {
            assert_eq!(host(typed).as_deref(), host_of_it, "{typed}");
        }
    }

    #[test]
    fn all_files_are_written_for_their_owner_alone_or_none_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let [key, public] =
            ["secrets/till.key", "secrets/backend.pub"].map(|name| folder.path().join(name));
        let ca = folder.path().join("secrets/ca.pem");
        let files: [(&PathBuf, &[u8]); 2] = [(&key, b"key"), (&public, b"line")];
        write(&files, Some((&ca, b"root"))).unwrap();
        for file in [&key, &public, &ca] {
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", file.display());
        }
        std::fs::remove_file(&key).unwrap();
        assert!(write(&files, None).is_err(), "one is there");
        assert!(!key.exists(), "so none is written");
        assert_eq!(std::fs::read(&public).unwrap(), b"line");
    }
}
