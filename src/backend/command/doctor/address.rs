//! Whether tills would reach this backend: it asks itself what nobody has signed, and must be refused in
//! its own words.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use paytill_core::both;
use paytill_core::clean::clean;
use paytill_core::gateway::backend::message::{Refusal, Refused};
use paytill_core::language::Text;
use paytill_host::transport::client_tls;

use super::Finding::{self, Fault, Warning, Well};
use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(10);
/// Our own answer is a few hundred bytes.
const LARGEST: u64 = 16 * 1024;
const HTTPS: u16 = 443;

/// Nothing where the address is known only to one that serves.
pub(super) async fn check(config: &Config, root: Option<&Path>) -> Option<Finding> {
    let url = match &config.public_url {
        Some(url) => url.clone(),
        None if config.tills.port() == 0 => return None,
        None => format!("https://{}", config.tills),
    };
    let ca = root.and_then(|root| std::fs::read(root).ok());
    let asked = tokio::time::timeout(PATIENCE, ask(&url, ca.as_deref())).await;
    let advice = || match &config.public_url {
        Some(_) => both!(
            "check listen.public_url, the name's address, and the proxy and firewall in front",
            "请检查 listen.public_url、域名解析、前置代理和防火墙"
        ),
        None => both!("start it: paytill-backend", "请启动：paytill-backend"),
    };
    Some(match asked {
        Ok(Ok(answer)) if is_ours(&answer) => {
            Well(both!("tills are heard at {url}", "收银台可通过 {url} 连接"))
        }
        Ok(Ok(answer)) => {
            let line = clean(answer.lines().next().unwrap_or_default(), 80);
            let text =
                both!("somebody else answers at {url}: {line}", "{url} 由其他程序应答：{line}");
            Fault(text, Some(advice()))
        }
        Ok(Err(why)) => nobody(&url, &Text::new(why.clone(), why), config, advice()),
        Err(_) => nobody(&url, &both!("no answer", "没有应答"), config, advice()),
    })
}

/// One that does not serve now may be meant not to.
fn nobody(url: &str, why: &Text, config: &Config, advice: Text) -> Finding {
    let text = both!("nobody is heard at {url}", "无法连接 {url}").because(why);
    match config.public_url {
        Some(_) => Fault(text, Some(advice)),
        None => Warning(text, advice),
    }
}

/// What comes back for a question that is not signed.
async fn ask(url: &str, ca: Option<&[u8]>) -> Result<String, String> {
    let place = url.strip_prefix("https://").unwrap_or(url);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().unwrap_or(HTTPS)),
        _ => (place, HTTPS),
    };
    let bare = host.trim_matches(['[', ']']);
    // All addresses of the machine are also this one.
    let dialled = match bare {
        "0.0.0.0" => "127.0.0.1",
        "::" => "::1",
        named => named,
    };
    let say = |error: &dyn std::error::Error| clean(&error.to_string(), 200);
    let tls = client_tls(ca).map_err(|error| say(&error))?;
    let name = ServerName::try_from(dialled.to_owned()).map_err(|error| say(&error))?;
    let stream = TcpStream::connect((dialled, port)).await.map_err(|error| say(&error))?;
    let connector = TlsConnector::from(Arc::new(tls));
    let mut stream = connector.connect(name, stream).await.map_err(|error| say(&error))?;
    let request = format!("GET /v1/hello HTTP/1.1\r\nhost: {place}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| say(&error))?;
    let mut answer = Vec::new();
    // However it ends: what came is looked at.
    let _ = stream.take(LARGEST).read_to_end(&mut answer).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn is_ours(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let is_refused = head.split(' ').nth(1) == Some("401");
    // A proxy may have sent it in pieces, with their lengths around them.
    let body = body.find('{').and_then(|from| body.rfind('}').map(|to| &body[from..=to]));
    let refusal = body.and_then(|body| serde_json::from_str::<Refusal>(body).ok());
    is_refused && refusal.is_some_and(|refusal| refusal.code == Refused::Unauthorized.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_refusal_is_ours() {
        let body = r#"{"code":"unauthorized","text":"not signed"}"#;
        assert!(is_ours(&format!("HTTP/1.1 401 Unauthorized\r\nx: y\r\n\r\n{body}")));
        assert!(is_ours(&format!("HTTP/1.1 401 Unauthorized\r\n\r\n2b\r\n{body}\r\n0\r\n\r\n")));
        for other in [
            format!("HTTP/1.1 200 OK\r\n\r\n{body}"),
            "HTTP/1.1 401 Unauthorized\r\n\r\n<html>".to_owned(),
            "HTTP/1.1 401 Unauthorized\r\n\r\n}{".to_owned(),
            "SSH-2.0".to_owned(),
            String::new(),
        ] {
            assert!(!is_ours(&other), "{other}");
        }
    }
}
