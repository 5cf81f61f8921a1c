//! A till of the program's, as far as it signs and asks.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use paytill_core::clock::Timestamp;
use paytill_core::gateway::backend::enrolment::Code;
use paytill_core::gateway::backend::message::{Enrolment, EnrolmentRequest};
use paytill_core::gateway::backend::signed::{Credentials, PublicKey, SigningKey};
use paytill_core::gateway::{Reply, Stamp};
use paytill_core::order::TillId;
use paytill_host::clock::Clock;
use paytill_host::random;
use serde_json::{Value, json};

use crate::program::{Answer, Place, Served};

/// A till that has introduced itself.
pub(crate) struct Till {
    key: SigningKey,
    id: TillId,
    /// The backend's.
    backend: PublicKey,
}

impl Till {
    /// What the office and the till do with one code.
    pub(crate) fn enrol(place: &Place, served: &Served<'_>) -> Self {
        let rights = ["--refund-up-to", "100", "--refund-per-day", "1000"];
        let added = place.run(&[&["till", "add", "S001", "T01", "--json"][..], &rights].concat());
        let added: Value = serde_json::from_slice(&added.stdout).unwrap();
        let code = Code::read(added["code"].as_str().unwrap()).unwrap();
        let key = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();
        let mut request = EnrolmentRequest {
            code: code.name(),
            public_key: key.public().to_base64(),
            nonce: random::nonce().unwrap(),
            version: "0.1.0".to_owned(),
            proof: String::new(),
        };
        request.prove(&code.kept());
        let body = serde_json::to_string(&request).unwrap();
        let answer = served.exchange(&bytes("POST", "/v1/enrolment", "", &body));
        let enrolment: Enrolment = serde_json::from_str(&answer.body).expect(&answer.body);
        assert!(enrolment.is_proved(&code.kept(), &request));
        let backend = PublicKey::from_base64(&enrolment.public_key).unwrap();
        Self { key, id: TillId::new("T01").unwrap(), backend }
    }

    /// A signed request as it goes over the line.
    pub(crate) fn request(&self, method: &str, target: &str, body: &str) -> Vec<u8> {
        let stamp = Stamp { time: now(), nonce: random::nonce().unwrap() };
        let signed = self.key.authorize(&self.id, (method, target, body.as_bytes()), &stamp);
        let signed = signed.unwrap();
        let header = format!("authorization: {}\r\n", signed.to_str().unwrap());
        bytes(method, target, &header, body)
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&self, served: &Served<'_>, request: (&str, &str, &str)) -> Answer {
        let (method, target, body) = request;
        served.exchange(&self.request(method, target, body))
    }

    /// Whether the backend has signed this answer for that request.
    pub(crate) fn believes(&self, answer: &Answer, request: &[u8]) -> bool {
        let headers = |head: &str| {
            let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(": "));
            let pair = |(name, value): (&str, &str)| {
                (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
            };
            lines.map(pair).collect::<HeaderMap>()
        };
        let request = String::from_utf8_lossy(request);
        let asked = headers(request.split_once("\r\n\r\n").unwrap().0);
        let nonce = Credentials::read(&asked).unwrap().nonce;
        let mut reply = Reply::new(answer.body.clone().into_bytes());
        *reply.status_mut() = StatusCode::from_u16(answer.status).unwrap();
        *reply.headers_mut() = headers(&answer.head);
        self.backend.has_answered(&reply, &nonce).is_ok()
    }

    /// A request to be paid 12.34 by the customer with this code.
    pub(crate) fn charge(&self, number: &str, code: &str) -> Vec<u8> {
        self.request("PUT", &format!("/v1/payments/{number}"), &charge(code))
    }
}

/// The body of a request to be paid.
pub(crate) fn charge(code: &str) -> String {
    json!({
        "channel": "micropay",
        "amount": 1234,
        "currency": "CNY",
        "auth_code": code,
        "description": "Corner Coffee",
        "device": "S001",
        "client_ip": "127.0.0.1",
    })
    .to_string()
}

/// An order number of the till's.
pub(crate) fn number(serial: u32) -> String {
    format!("T011130120000{serial:08}")
}

fn now() -> Timestamp {
    Clock::start().wall()
}

/// A request as it goes over the line.
pub(crate) fn bytes(method: &str, target: &str, headers: &str, body: &str) -> Vec<u8> {
    let mut text =
        format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    let _ = write!(text, "{headers}content-length: {}\r\n\r\n{body}", body.len());
    text.into_bytes()
}
