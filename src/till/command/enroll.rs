//! `paytill enroll`: makes this till's key, and registers it with the merchant's backend.
//!
//! The one call goes to whoever answers: the code proves each side to the other, over all that is said.
//! Nothing is written before that, and a key that is there is never replaced.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

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
use crate::language::Text;
use crate::text::enroll::{self as text, EnrollWords};
use crate::text::reason;
use paytill_host::clock::Clock;
use paytill_host::config::secret::shown;
use paytill_host::gateway::reading::origin;
use paytill_host::transport::Transport;
use paytill_host::{random, typed};

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
    let words = EnrollWords::of(config.till.language);
    let code = Code::read(&enroll.one_time_code).ok_or_else(|| usage(text::no_code()))?;
    let url = origin(&enroll.url, "https").map_err(|_| usage(text::no_url()))?;
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
        if typed::is_terminal() && !is_confirmed(words)? {
            return Err(fault(text::not_the_same()));
        }
    }
    let line = enrolled.known.line();
    let mut written: Vec<(&Path, &[u8])> =
        vec![(&files.key, enrolled.key_pem.as_bytes()), (&files.backend_key, line.as_bytes())];
    written.extend(answer.ca_pem.as_ref().map(|pem| (ca.as_path(), pem.as_bytes())));
    write(&written)?;
    let ca = answer.ca_pem.as_ref().map(|_| ca.as_path());
    tracing::info!(merchant = answer.merchant, till = answer.till, "registered with the backend");
    let is_printed = if enroll.json.json {
        print_line(&object(config, &url, &enrolled, ca))
    } else {
        print_message(&words.done(&answer.till, &answer.merchant));
        files.is_used || {
            print_message(words.add_this());
            print_lines(&sections(config, &url, &enrolled, ca))
        }
    };
    hints(config, &enrolled, ca, words);
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
fn write(files: &[(&Path, &[u8])]) -> Result<(), Failure> {
    let mut written: Vec<&Path> = Vec::new();
    for &(path, bytes) in files {
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

/// What to put into the configuration.
fn sections(config: &Config, url: &str, enrolled: &Enrolled, ca: Option<&Path>) -> Vec<String> {
    let files = &config.backend_files;
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
fn hints(config: &Config, enrolled: &Enrolled, ca: Option<&Path>, words: EnrollWords) {
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
    fn all_files_are_written_for_their_owner_alone_or_none_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let names = ["secrets/till.key", "secrets/backend.pub", "secrets/ca.pem"];
        let [key, public, ca] = names.map(|name| folder.path().join(name));
        let files: [(&Path, &[u8]); 3] = [(&key, b"key"), (&public, b"line"), (&ca, b"root")];
        write(&files).unwrap();
        for file in [&key, &public, &ca] {
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", file.display());
        }
        std::fs::remove_file(&key).unwrap();
        assert!(write(&files).is_err(), "two are there");
        assert!(!key.exists(), "so none is written");
        assert_eq!(std::fs::read(&public).unwrap(), b"line");
    }
}
