//! The backend from a till's side: the real routes, work, store and simulated gateway, without sockets
//! between till and backend.

mod bills;
mod hostile;
mod limits;
mod notices;
mod openapi;
mod outbox;
mod pages;
mod payments;
mod refunds;
mod tills;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::enrolment::{Code, comparison};
use paytill_core::gateway::backend::message::{Enrolment, EnrolmentRequest, Refusal, Rights};
use paytill_core::gateway::backend::signed::{PublicKey, SigningKey};
use paytill_core::gateway::backend::{APP_ID, Backend};
use paytill_core::gateway::wechat::fields::SignType;
use paytill_core::gateway::wechat::{WechatV2, WechatV3, v3};
use paytill_core::gateway::{Ask, Gateway as _, Outgoing, Reply, Stamp};
use paytill_core::money::{Currency, Money};
use paytill_core::order::{AuthCode, Merchant, Order, OutTradeNo, TillId};
use paytill_core::payment::{Answer, Found, Rules};
use paytill_host::clock::Clock;
use paytill_host::gateway::{Codec, Opened, Version};
use paytill_host::random;
use paytill_host::transport::{Route, Transport};
use paytill_simulator::v3::PlatformKeys;
use paytill_simulator::{Identity, LedgerEntry, Scenario, Script, Server};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::config::Limits;
use crate::desk::Desk;
use crate::files;
use crate::routes::notify::{self, Notified};
use crate::routes::{self, App};
use crate::serve::Door;
use crate::store::{By, EnrolmentRow, Sqlite, Store};
use crate::work::bills::Bills;
use crate::work::{Work, WorkParts};

/// How much faster than life the bank and its customers are.
const PACE: u32 = 20;

/// All rights.
pub(crate) const RIGHTS: Rights =
    Rights { charge: true, qr: true, refund_up_to: 10_000, refund_per_day: 20_000 };

/// A backend with its books in a folder of its own, and its bank.
pub(crate) struct Office {
    pub(crate) app: Arc<App>,
    pub(crate) bank: Server,
    router: Router,
    /// The door that the gateway knocks at, without its socket.
    web: Router,
    token: String,
    api_key: String,
    folder: tempfile::TempDir,
    sweeping: JoinHandle<()>,
    hearing: JoinHandle<()>,
}

/// What speaks to the bank.
fn codec(version: Version, api_key: &str, url: String) -> Codec {
    match version {
        Version::V2 => {
            let codec = WechatV2::new(SignType::HmacSha256, api_key.into());
            Codec::V2(Arc::new(codec.notifying(url)))
        }
        Version::V3 => {
            let keys = v3_keys();
            let signing =
                v3::SigningKey::new(keys.merchant_serial(), keys.merchant_key_pem().as_bytes());
            let mut verifying = v3::VerifyingKeys::default();
            let id = keys.public_key_id();
            assert!(verifying.add_public_key(id, keys.public_key_pem().as_bytes()));
            let codec = WechatV3::new(signing.unwrap(), Some(id), verifying);
            Codec::V3(Arc::new(codec.notifying(url)))
        }
    }
}

/// RSA keys take their time, and all tests may share them.
fn v3_keys() -> PlatformKeys {
    static KEYS: std::sync::OnceLock<PlatformKeys> = std::sync::OnceLock::new();
    let merchant = || paytill_simulator::identity::merchant().mch_id;
    KEYS.get_or_init(|| PlatformKeys::generate(&merchant()).unwrap()).clone()
}

/// The rules at the bank's pace.
fn rules() -> Rules {
    let scaled = |seconds: u64| Millis(seconds * 1000 / u64::from(PACE));
    Rules {
        query_interval: scaled(5),
        give_up_after: scaled(30),
        reverse_not_before: scaled(15),
        attention_after: scaled(180),
    }
}

impl Office {
    pub(crate) async fn open(customer: &str) -> Self {
        let scenario = Some(Scenario::from_name(customer).unwrap());
        Self::with(Version::V2, Script { scenario, ..Script::default() }).await
    }

    /// The same with a bank that keeps to a script, asked in this version of its interface.
    pub(crate) async fn with(version: Version, script: Script) -> Self {
        Self::within(version, script, Limits::default()).await
    }

    /// The same, and nobody may ask more often than that.
    pub(crate) async fn within(version: Version, script: Script, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::start();
        let keys = match version {
            Version::V2 => Identity::generate().unwrap(),
            Version::V3 => Identity::generate().unwrap().with_v3_keys(v3_keys()),
        };
        let bank = keys.bank(script, 1, clock.wall());
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let bank = Server::start(loopback, &keys, bank, None, PACE).await.unwrap();
        let account = keys.account();
        let route = Route {
            hosts: vec![format!("https://{}", bank.local_addr())],
            identity_pem: format!("{}{}", keys.client_certificate_pem(), keys.client_key_pem())
                .into_bytes()
                .into(),
            ca_pem: Some(keys.authority_pem().as_bytes().to_vec()),
            proxy: None,
            proxy_login: None,
            connect_timeout: Millis::seconds(3),
            request_timeout: Millis::seconds(2),
        };
        let store = Store::Sqlite(Sqlite::open(&folder.path().join("books.sqlite")).unwrap());
        store.migrate(clock.wall()).await.unwrap();
        let listener = TcpListener::bind(loopback).await.unwrap();
        let token = random::nonce().unwrap();
        let path = notify::path(version, &token);
        let url = format!("https://{}{path}", listener.local_addr().unwrap());
        let opened = Opened {
            codec: codec(version, &account.api_key, url),
            transport: Transport::new(&route).unwrap(),
            merchant: account.merchant,
            key: match version {
                Version::V2 => account.api_key.clone().into(),
                Version::V3 => v3_keys().api_v3_key().into(),
            },
            client_ip: None,
            host: String::new(),
            renewal: None,
        };
        let reader = opened.notices();
        let bills_codec = opened.codec.clone();
        let work = Work::new(WorkParts {
            store,
            gateway: opened.codec.gateway(),
            transport: opened.transport,
            renewal: None,
            desk: Desk {
                merchant: opened.merchant,
                currency: Currency::from_code("CNY").unwrap(),
                rules: rules(),
                qr_lasts: Millis::seconds(7200),
                digest_key: aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"a test's"),
            },
            request_timeout: Millis::seconds(2),
            new_at_once: 256,
            is_alone: true,
            clock,
            instance: random::nonce().unwrap(),
        });
        let bills = Bills::new(Arc::clone(&work), bills_codec, folder.path().join("bills"));
        let key = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();
        let app = App::new((Arc::clone(&work), bills), key, None, limits);
        let router = routes::tills(Arc::clone(&app));
        let web = notify::notified(Notified::new(Arc::clone(&work), reader, token.clone()));
        let names = files::names(loopback.ip(), None);
        let tls = files::tls(folder.path(), None, &names).unwrap();
        bank.trust_receivers_of(tls.root_pem.as_deref().unwrap()).unwrap();
        let door = Door::on(listener, Some(tls.config), web.clone());
        let hearing = tokio::spawn(door.serve(std::future::pending()));
        let sweeping = tokio::spawn(work.sweep());
        let api_key = account.api_key;
        Self { app, bank, router, web, token, api_key, folder, sweeping, hearing }
    }

    /// A till with this id in that store, that has introduced itself.
    pub(crate) async fn till(&self, store: &str, id: &str, rights: Rights) -> Till {
        let code = self.code(store, id, rights).await;
        self.enrol(&code, id).await.expect("enrolled")
    }

    /// A code for a till to introduce itself with.
    pub(crate) async fn code(&self, store: &str, id: &str, rights: Rights) -> Code {
        let code = Code::from_random(&random::draw().unwrap());
        let now = self.app.work.now();
        let row = EnrolmentRow {
            code: code.name(),
            kept: code.kept().to_vec(),
            till: id.to_owned(),
            expires_at: now.after(Millis::seconds(900)),
        };
        let (work, store) = (&self.app.work, store.to_owned());
        work.parts.store.add_till(work.merchant(), &store, rights, row, by(now)).await.unwrap();
        code
    }

    /// What a till does with a code.
    pub(crate) async fn enrol(&self, code: &Code, id: &str) -> Result<Till, Refusal> {
        let key = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();
        let mut request = EnrolmentRequest {
            code: code.name(),
            public_key: key.public().to_base64(),
            nonce: random::nonce().unwrap(),
            version: "0.1.0".to_owned(),
            proof: String::new(),
        };
        request.prove(&code.kept());
        let body = serde_json::to_vec(&request).unwrap();
        let posted = Request::post("/v1/enrolment").body(Body::from(body)).unwrap();
        let reply = self.answer(posted).await;
        if reply.status() != StatusCode::OK {
            return Err(serde_json::from_slice(reply.body()).unwrap());
        }
        let enrolment: Enrolment = serde_json::from_slice(reply.body()).unwrap();
        assert!(enrolment.is_proved(&code.kept(), &request), "the backend proves itself");
        let theirs = PublicKey::from_base64(&enrolment.public_key).unwrap();
        assert_eq!(comparison(&key.public(), &theirs).len(), 6);
        let merchant = Merchant {
            app_id: APP_ID.to_owned(),
            mch_id: enrolment.merchant,
            sub_app_id: String::new(),
            sub_mch_id: String::new(),
        };
        let id = TillId::new(id).unwrap();
        let codec = Backend::new(key, id.clone(), theirs).waiting(rules().query_interval);
        Ok(Till { codec, id, merchant })
    }

    /// A request and its answer, as they are.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Reply {
        let answer: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        Reply::from_parts(parts, body.collect().await.unwrap().to_bytes().to_vec())
    }

    /// What a till asks, and what it makes of the answer.
    pub(crate) async fn ask(&self, till: &Till, ask: Ask<'_>) -> Answer {
        let stamp = self.stamp();
        let outgoing = till.codec.encode(ask, &stamp);
        let reply = self.carried(till, outgoing, &stamp).await;
        till.codec.decode(ask, &reply, self.app.work.now()).answer
    }

    /// The answer to a till's request, with what came of checking who has signed it.
    pub(crate) async fn carried(&self, till: &Till, outgoing: Outgoing, stamp: &Stamp) -> Reply {
        let request = outgoing.request.map(|body| Body::from(body.to_vec()));
        let mut reply = self.answer(request).await;
        till.codec.receive(stamp, &mut reply);
        reply
    }

    /// Asks until the answer is no longer that it is under way.
    pub(crate) async fn end(&self, till: &Till, order: &Order) -> Found {
        for _ in 0..1000 {
            let Answer::Found(found) = self.ask(till, Ask::Query(order)).await else { panic!() };
            match found {
                Found::Paying
                | Found::NotPaid
                | Found::Failed(_)
                | Found::Returning
                | Found::Inconclusive(_)
                | Found::Declined { closed: false, .. } => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                found => return found,
            }
        }
        panic!("no end of {}", order.out_trade_no);
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { time: self.app.work.now(), nonce: random::nonce().unwrap() }
    }

    /// The bank's books.
    pub(crate) fn ledger(&self) -> Vec<LedgerEntry> {
        self.bank.bank().ledger().cloned().collect()
    }

    /// What the bank has of the customers' money.
    pub(crate) fn net(&self) -> i64 {
        self.ledger().iter().map(|entry| entry.net().minor()).sum()
    }

    /// Every file that the backend has written, as one.
    pub(crate) fn written(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.sweeping.abort();
        self.hearing.abort();
    }
}

/// A till that has introduced itself.
pub(crate) struct Till {
    pub(crate) codec: Backend,
    pub(crate) id: TillId,
    pub(crate) merchant: Merchant,
}

impl Till {
    /// An order of 12.34 with a number of its own.
    pub(crate) fn order(&self, serial: u32) -> Order {
        let number = format!("{}1130120000{serial:08}", self.id.as_str());
        Order {
            out_trade_no: OutTradeNo::try_from(number).unwrap(),
            amount: Money::from_minor(1234),
            currency: Currency::from_code("CNY").unwrap(),
            merchant: self.merchant.clone(),
            body: "Corner Coffee".to_owned(),
            device_info: "S001".to_owned(),
            client_ip: "127.0.0.1".to_owned(),
            mark: "0123456789abcdef".to_owned(),
        }
    }
}

/// An operator.
pub(crate) fn by(at: Timestamp) -> By {
    By { who: "command:0@here".to_owned(), at }
}

/// The code of a customer.
pub(crate) fn code() -> AuthCode {
    AuthCode::new("130000000000000000").unwrap()
}
