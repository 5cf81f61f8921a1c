//! The gateway over real TLS on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const DEADLINE: Duration = Duration::from_secs(30);

struct Line {
    server: Server,
    identity: Identity,
    said: Arc<Mutex<Vec<String>>>,
}

impl Line {
    async fn open() -> Self {
        let identity = Identity::generate().unwrap();
        let script = Script { reverse_not_before: Millis(0), ..Script::default() };
        let bank = Bank::new(identity.account(), script, 1, STARTED);
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let log = Box::new(move |_, line: &str| heard.lock().unwrap().push(line.to_owned()));
        let server = Server::start(LISTEN, &identity, bank, Some(log), 1).await.unwrap();
        Self { server, identity, said }
    }

    fn client(&self, certificate: bool) -> reqwest::Client {
        let root = reqwest::Certificate::from_pem(self.identity.authority_pem().as_bytes());
        let mut builder = reqwest::Client::builder()
            .tls_certs_only([root.unwrap()])
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .timeout(DEADLINE);
        if certificate {
            let pem = format!(
                "{}{}",
                self.identity.client_certificate_pem(),
                self.identity.client_key_pem()
            );
            builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
        }
        builder.build().unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.server.local_addr())
    }

    async fn ask(
        &self,
        client: &reqwest::Client,
        path: &str,
        mut fields: Fields,
    ) -> reqwest::Result<Fields> {
        fields.set("sign_type", "HMAC-SHA256");
        fields.sign(SignType::HmacSha256, self.identity.api_key());
        let answer = client.post(self.url(path)).body(fields.to_xml()).send().await?;
        let answer = Fields::from_xml(&answer.bytes().await?).unwrap();
        assert!(answer.is_signed(SignType::HmacSha256, self.identity.api_key()));
        Ok(answer)
    }
}

#[tokio::test]
async fn a_payment_is_made_and_reversed_over_tls() {
    let line = Line::open().await;
    let client = line.client(false);
    let door = client.get(line.url("/")).send().await.unwrap();
    assert_eq!(door.status(), 200);
    let nowhere = client.get(line.url("/nowhere")).send().await.unwrap();
    assert_eq!(nowhere.status(), 404);

    let submission = submission("T01-000001", &Scenario::Pays.code(1));
    let answer = line.ask(&client, "/pay/micropay", submission).await.unwrap();
    assert_eq!(answer.get("total_fee"), Some("1230"));

    let refused = line.ask(&client, "/secapi/pay/reverse", about("T01-000001")).await;
    assert!(!refused.unwrap_err().is_connect());
    assert_eq!(line.server.bank().entry("T01-000001").unwrap().net().minor(), 1230);

    let secure = line.client(true);
    let answer = line.ask(&secure, "/secapi/pay/reverse", about("T01-000001")).await.unwrap();
    assert_eq!(answer.get("recall"), Some("N"));
    assert_eq!(line.server.bank().entry("T01-000001").unwrap().net().minor(), 0);

    let said = line.said.lock().unwrap().join("\n");
    assert!(said.contains("T01-000001 12.30 CNY 13************0000 ok: SUCCESS"), "{said}");
}

#[tokio::test]
async fn broken_answers_are_broken_on_the_wire() {
    let line = Line::open().await;
    let client = line.client(false);
    for (serial, name) in ["truncated", "answer-lost", "reset", "not-http"].iter().enumerate() {
        let number = format!("T01-00000{serial}");
        let fields = submission(&number, &named(name).code(serial.try_into().unwrap()));
        let error = line.ask(&client, "/pay/micropay", fields).await.unwrap_err();
        assert!(!error.is_connect() && !error.is_timeout(), "{name}: {error:?}");
        let answer = line.ask(&client, "/pay/orderquery", about(&number)).await.unwrap();
        assert_eq!(answer.get("trade_state"), Some("SUCCESS"), "{name}");
    }
}

#[tokio::test]
async fn odd_statuses_carry_their_bodies() {
    let line = Line::open().await;
    let client = line.client(false);
    for (serial, (name, status)) in
        [("http-500", 500), ("http-429", 429), ("redirect", 307)].into_iter().enumerate()
    {
        let number = format!("T01-00000{serial}");
        let mut fields = submission(&number, &named(name).code(serial.try_into().unwrap()));
        fields.sign(SignType::Md5, line.identity.api_key());
        let url = line.url("/pay/micropay");
        let answer = client.post(url).body(fields.to_xml()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}");
    }
}

#[tokio::test]
async fn silence_lasts_until_the_client_leaves() {
    let line = Line::open().await;
    let client = line.client(false);
    let fields = submission("T01-000001", &named("silent").code(1));
    let asking = line.ask(&client, "/pay/micropay", fields);
    let answer = tokio::time::timeout(Duration::from_millis(300), asking).await;
    assert!(answer.is_err());
}

#[tokio::test]
async fn strangers_and_floods_are_turned_away() {
    let line = Line::open().await;
    let stranger = Identity::generate().unwrap();
    let pem = format!("{}{}", stranger.client_certificate_pem(), stranger.client_key_pem());
    let root = reqwest::Certificate::from_pem(line.identity.authority_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .no_proxy()
        .identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap())
        .build()
        .unwrap();
    assert!(client.get(line.url("/")).send().await.is_err());

    let client = line.client(false);
    let url = line.url("/pay/micropay");
    // The connection may end before the refusal is read, while the flood is still being sent.
    if let Ok(answer) = client.post(url).body(vec![b'x'; 1024 * 1024]).send().await {
        assert_eq!(answer.status(), 413);
    }
    let long = line.url(&format!("/{}", "x".repeat(10_000)));
    if let Ok(answer) = client.get(long).send().await {
        assert_eq!(answer.status(), 431);
    }
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let line = Line::open().await;
    let (client, url) = (line.client(false), line.url("/"));
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    drop(line);
    let gone = async {
        while client.get(&url).send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.unwrap();
}
