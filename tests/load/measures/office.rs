//! The program itself beside a bank of its own, and tills that ask as tills do: with their codec, over
//! their transport, each over connections of its own.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use paytill_backend::files;
use paytill_backend::store::{By, EnrolmentRow, Store};
use paytill_core::clock::{Millis, TimeZone, Timestamp};
use paytill_core::gateway::backend::message::Rights;
use paytill_core::gateway::backend::signed::{PublicKey, SigningKey};
use paytill_core::gateway::backend::{APP_ID, Backend};
use paytill_core::gateway::wechat::WechatV2;
use paytill_core::gateway::wechat::fields::SignType;
use paytill_core::gateway::{Ask, Gateway, Stamp};
use paytill_core::money::{Currency, Money};
use paytill_core::order::{AuthCode, Merchant, Order, OutTradeNo, TillId};
use paytill_core::payment::Answer;
use paytill_host::clock::Clock;
use paytill_host::random;
use paytill_host::transport::{Route, Transport};
use paytill_simulator::{Identity, Script, Server, identity};

use super::books::{self, Books, SHOP};

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// Tills may do anything that is measured.
const RIGHTS: Rights = Rights { charge: true, qr: true, refund_up_to: 0, refund_per_day: 0 };

/// A bank, and the program in front of it.
pub(crate) struct Office {
    pub(crate) bank: Server,
    pub(crate) address: SocketAddr,
    /// Whose certificate tills trust.
    pub(crate) root_pem: String,
    child: Child,
    _folder: tempfile::TempDir,
    keys: Identity,
    public: PublicKey,
    pub(crate) books: Books,
}

impl Office {
    /// In these books. `pace` is how many of the bank's seconds pass in each.
    pub(crate) async fn open(books: Books, script: Script, pace: u32) -> Self {
        let keys = Identity::generate().unwrap();
        let bank = keys.bank(script, 1, books::now());
        let bank = Server::start(LOOPBACK, &keys, bank, None, pace).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        files::make_folder(&state).unwrap();
        let (key, _) = files::signing_key(&state).unwrap();
        configure(folder.path(), &keys, bank.local_addr(), &books.address());
        let mut child = Command::new(program())
            .current_dir(folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("https://").expect("it serves").parse().unwrap();
        let root_pem = std::fs::read_to_string(state.join("tls-root.pem")).unwrap();
        bank.trust_receivers_of(&root_pem).unwrap();
        Self { bank, address, root_pem, child, _folder: folder, keys, public: key.public(), books }
    }

    /// A till that the office knows.
    pub(crate) async fn till(&self, serial: usize) -> Till {
        let (id, key) = enrolled(&self.books.store, serial).await;
        let codec = Backend::new(key, id.clone(), self.public).waiting(Millis(8_000));
        let merchant = Merchant { app_id: APP_ID.to_owned(), ..identity::merchant() };
        let transport = transport(self.address, &self.root_pem);
        Till { id, codec: Arc::new(codec), transport, merchant, clock: Clock::start() }
    }

    /// A codec alone, of another till.
    pub(crate) async fn codec(&self, serial: usize) -> Backend {
        let (id, key) = enrolled(&self.books.store, serial).await;
        Backend::new(key, id, self.public)
    }

    /// A till that asks the bank itself.
    pub(crate) fn direct(&self, serial: usize) -> Till {
        let codec = WechatV2::new(SignType::HmacSha256, self.keys.api_key().into());
        Till {
            id: id(serial),
            codec: Arc::new(codec),
            transport: transport(self.bank.local_addr(), self.keys.authority_pem()),
            merchant: identity::merchant(),
            clock: Clock::start(),
        }
    }

    /// What of the program is in memory, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        1024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One that asks.
pub(crate) struct Till {
    id: TillId,
    codec: Arc<dyn Gateway>,
    transport: Transport,
    merchant: Merchant,
    clock: Clock,
}

impl Till {
    /// An order of its own.
    pub(crate) fn order(&self, serial: u64) -> Order {
        let chance = u16::try_from(serial / 10_000 % 10_000).unwrap_or(0);
        Order {
            out_trade_no: OutTradeNo::new(&self.id, self.now(), &TimeZone::UTC, serial, chance),
            amount: Money::from_minor(1_234),
            currency: Currency::CNY,
            merchant: self.merchant.clone(),
            body: "Corner Coffee".to_owned(),
            device_info: "S001".to_owned(),
            client_ip: "127.0.0.1".to_owned(),
            mark: "0123456789abcdef".to_owned(),
        }
    }

    /// Asks to be paid by whoever shows this code.
    pub(crate) async fn charge(&self, order: &Order, code: &str) -> Answer {
        let code = AuthCode::new(code).unwrap();
        self.ask(Ask::Submit(order, &code), false).await
    }

    /// Asks, and waits for the answer, or for news.
    pub(crate) async fn ask(&self, ask: Ask<'_>, is_waiting: bool) -> Answer {
        let stamp = Stamp { time: self.now(), nonce: random::nonce().unwrap() };
        let outgoing = if is_waiting {
            self.codec.encode_waiting(ask, &stamp)
        } else {
            self.codec.encode(ask, &stamp)
        };
        let reply = self.transport.carry(&outgoing, self.clock.uptime(), || {}).await;
        let mut reply = reply.expect("an answer");
        self.codec.receive(&stamp, &mut reply);
        self.codec.decode(ask, &reply, self.now()).answer
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.wall()
    }
}

/// The program, built beside this one.
fn program() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.parent().unwrap().with_file_name("paytill-backend")
}

fn id(serial: usize) -> TillId {
    TillId::new(&format!("T{serial:05}")).unwrap()
}

/// Makes a till known, as its introduction would.
async fn enrolled(store: &Store, serial: usize) -> (TillId, SigningKey) {
    let id = id(serial);
    let now = books::now();
    let code = format!("{serial:08}");
    let row = EnrolmentRow {
        code: code.clone(),
        kept: vec![1],
        till: id.as_str().to_owned(),
        expires_at: now.after(Millis(600_000)),
    };
    let by = By { who: "command:0@here".to_owned(), at: now };
    store.add_till(SHOP, "S001", RIGHTS, row, by).await.unwrap();
    let key = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();
    let enrolled = store.enrol(SHOP, &code, (key.public(), "load"), |_, _| true, now).await;
    assert!(enrolled.unwrap().is_ok());
    (id, key)
}

fn transport(to: SocketAddr, root_pem: &str) -> Transport {
    let route = Route {
        hosts: vec![format!("https://{to}")],
        identity_pem: Vec::new().into(),
        ca_pem: Some(root_pem.as_bytes().to_vec()),
        proxy: None,
        proxy_login: None,
        connect_timeout: Millis(10_000),
        request_timeout: Millis(20_000),
    };
    Transport::new(&route).unwrap()
}

fn configure(folder: &Path, keys: &Identity, bank: SocketAddr, database: &str) {
    for (name, text) in [
        ("api.key", keys.api_key()),
        ("cert.pem", keys.client_certificate_pem()),
        ("key.pem", keys.client_key_pem()),
        ("ca.pem", keys.authority_pem()),
    ] {
        let mut file = std::fs::OpenOptions::new();
        let file = file.create(true).write(true).mode(0o600).open(folder.join(name)).unwrap();
        std::io::Write::write_all(&mut &file, text.as_bytes()).unwrap();
    }
    let merchant = identity::merchant();
    // The bank is told of it before it listens there.
    let web = std::net::TcpListener::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let mut text = format!(
        "[listen]\ntills = \"127.0.0.1:0\"\nweb = \"{web}\"\npublic_url = \"https://{web}\"\n\
         [limits]\nnew_payments_per_minute = 0\n[state]\nfolder = \"state\"\n[database]\nurl = \"{database}\"\n"
    );
    let _ = write!(
        text,
        "[gateway]\nkind = \"wechat-v2\"\n[gateway.wechat-v2]\nbase_url = \"https://{bank}\"\n\
         app_id = \"{}\"\nmch_id = \"{}\"\napi_key_file = \"api.key\"\nca_file = \"ca.pem\"\n\
         client_cert_file = \"cert.pem\"\nclient_key_file = \"key.pem\"\n",
        merchant.app_id, merchant.mch_id
    );
    std::fs::write(folder.join("backend.toml"), text).unwrap();
}
