//! What goes over the wire, in either version of the API: the codec makes and reads it, the bank
//! answers it, and the network does with it what it likes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use paytill::clock::{Millis, Timestamp};
use paytill::gateway::wechat::fields::SignType;
use paytill::gateway::wechat::v2::WechatV2;
use paytill::gateway::wechat::v3::{WechatV3, certificates};
use paytill::gateway::{Gateway, LARGEST_REPLY, Outgoing, Reply, Stamp};
use paytill::simulator::v3::{ROOT, RequestV3};
use paytill::simulator::{Account, Action as Reaction, Api, GatewayRequest};
use paytill_host::gateway::{Codec, NoticeReader};

use super::{Due, STARTED, World, account, office};
use crate::keys;
use crate::plan::HEALED;

/// Says nothing about the order, whatever has become of it.
const UNSIGNED_REFUSAL: &str = "<xml><return_code><![CDATA[FAIL]]></return_code>\
    <return_msg><![CDATA[busy]]></return_msg></xml>";
/// The same in API v3.
const NOT_OURS: &str = "{\"code\":\"SIGN_ERROR\",\"message\":\"busy\"}";
/// All headers of a signature begin so.
const SIGNATURE: &str = "Wechatpay-";

/// A request on its way.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Sent {
    /// The order or the refund that it is about.
    pub number: String,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// An answer on its way.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Said {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Sent {
    pub fn of(number: &str, outgoing: &Outgoing) -> Self {
        let request = &outgoing.request;
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let headers = request.headers().iter();
        let mut headers: Vec<_> =
            headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        // The transport's.
        headers.push(("user-agent".to_owned(), "paytill".to_owned()));
        Self {
            number: number.to_owned(),
            method: request.method().as_str().to_owned(),
            target: request.uri().to_string(),
            headers,
            body: request.body().to_vec(),
        }
    }

    /// Whether it asks a backend to charge a payment code.
    pub(super) fn is_submission(&self) -> bool {
        let is_payment = !self.target.contains("/refunds");
        let has_code = self.body.windows(11).any(|part| part == b"\"auth_code\"");
        self.method == "PUT" && is_payment && has_code
    }
}

impl Said {
    fn of(action: Reaction) -> Option<Self> {
        match action {
            Reaction::Answer { status, body } => Some(Self { status, headers: Vec::new(), body }),
            // No transport reads more.
            Reaction::Headed { body, .. } if body.len() > LARGEST_REPLY => None,
            Reaction::Headed { status, headers, body } => {
                let headers =
                    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                Some(Self { status, headers, body })
            }
            // Broken replies are the transport's business; here they are lost.
            Reaction::Raw(_)
            | Reaction::Drip { .. }
            | Reaction::Close
            | Reaction::Reset
            | Reaction::Silence => None,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn set(&mut self, name: &str, to: String) {
        if let Some((_, value)) = self.headers.iter_mut().find(|(known, _)| known == name) {
            *value = to;
        }
    }

    /// The text that API v3 signs.
    pub fn signed_text(&self, time: &str, nonce: &str) -> Vec<u8> {
        [format!("{time}\n{nonce}\n").as_bytes(), &self.body, b"\n"].concat()
    }

    /// Signed once more, as at this time and with the key of this serial number.
    fn sign_again(&mut self, time: i64, serial: &str) {
        let nonce = self.header("Wechatpay-Nonce").unwrap_or_default().to_owned();
        let text = self.signed_text(&time.to_string(), &nonce);
        self.set("Wechatpay-Timestamp", time.to_string());
        self.set("Wechatpay-Signature", keys::sign(serial, &text));
    }
}

impl From<Said> for Reply {
    fn from(said: Said) -> Self {
        let mut reply = http::Response::builder().status(said.status);
        for (name, value) in said.headers {
            reply = reply.header(name, value);
        }
        reply.body(said.body).unwrap()
    }
}

/// How a till speaks to the gateway.
pub struct Line {
    pub codec: Arc<dyn Gateway>,
    /// That one again, if it speaks API v3.
    v3: Option<Arc<WechatV3>>,
    /// An answer has named a certificate that is not known.
    lacks_certificate: Arc<AtomicBool>,
    renewal: certificates::Renewal,
    /// When the certificates were asked for last.
    asked_at: u64,
}

impl Line {
    /// A backend's, which is told of payments at an address, with who reads what it is told.
    pub(super) fn told_at(
        url: &str,
        api: Api,
        Account { merchant, api_key, .. }: Account,
    ) -> (Self, NoticeReader) {
        let (codec, key) = if api == Api::V2 {
            let codec = WechatV2::new(SignType::HmacSha256, api_key.clone().into());
            (Codec::V2(Arc::new(codec.notifying(url.to_owned()))), api_key)
        } else {
            (Codec::V3(keys::codec(api, url)), keys::API_V3_KEY.to_owned())
        };
        let line = Self::behind(codec.gateway());
        (line, NoticeReader::new(codec, merchant, key.into()))
    }

    /// To the merchant's own backend.
    pub(super) fn behind(codec: Arc<dyn Gateway>) -> Self {
        let (renewal, lacks_certificate) = (certificates::Renewal::default(), Arc::default());
        Self { codec, v3: None, lacks_certificate, renewal, asked_at: 0 }
    }

    pub fn new(api: Api, api_key: &str) -> Self {
        let v3 = (api != Api::V2).then(|| keys::codec(api, ""));
        let lacks_certificate = Arc::new(AtomicBool::new(false));
        if let Some(codec) = &v3 {
            let seen = Arc::clone(&lacks_certificate);
            codec.when_lacking(move || seen.store(true, Ordering::Relaxed));
        }
        let codec: Arc<dyn Gateway> = match &v3 {
            Some(codec) => Arc::clone(codec) as _,
            None => Arc::new(WechatV2::new(SignType::HmacSha256, api_key.to_owned().into())),
        };
        let renewal = certificates::Renewal::default();
        Self { codec, v3, lacks_certificate, renewal, asked_at: 0 }
    }
}

impl World {
    /// A reply as the transport hands it over.
    pub(super) fn received(&self, said: Said, stamp: &Stamp) -> Reply {
        let mut reply = said.into();
        self.line.codec.receive(stamp, &mut reply);
        reply
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp { time: self.wall(), nonce: format!("{:032}", self.planned) }
    }

    /// The bank's clock is right.
    pub(super) fn banks_clock(&self) -> Timestamp {
        Timestamp(STARTED + i64::try_from(self.now).unwrap_or(0))
    }

    /// The bank has a request; `None` stands for what no transport takes for an answer.
    pub(super) fn bank_takes(&mut self, sent: &Sent) -> (Millis, Option<Said>) {
        let now = Millis(self.now);
        let reaction = if sent.target.starts_with(ROOT) {
            let request = RequestV3 {
                method: &sent.method,
                target: &sent.target,
                headers: &sent.headers,
                body: &sent.body,
                at: self.banks_clock(),
            };
            self.bank.handle_v3(&request, now)
        } else {
            let (method, path) = (sent.method.as_str(), sent.target.as_str());
            let body = &sent.body;
            let request = GatewayRequest { method, path, body, client_certificate: true };
            self.bank.handle(&request, now)
        };
        self.tell(|| format!("  bank: {}", reaction.story));
        (reaction.after, Said::of(reaction.action))
    }

    /// What an attacker without the key can do, or a server that confuses its answers.
    pub(super) fn alter(&self, number: &str, said: &mut Said, rng: &mut fastrand::Rng) {
        if said.header("paytill-signature").is_some() {
            return self.alter_signed(number, said, rng);
        }
        let is_signed = said.header("Wechatpay-Signature").is_some();
        if is_signed || said.body.starts_with(b"{") {
            return self.alter_v3(number, said, rng);
        }
        let text = String::from_utf8_lossy(&said.body).into_owned();
        let body = &mut said.body;
        match rng.u8(..7) {
            0 => said.status = 500,
            6 => *body = UNSIGNED_REFUSAL.into(),
            1 => body.truncate(rng.usize(..body.len().max(1))),
            2 => *body = text.replace("</total_fee>", "0</total_fee>").into(),
            3 => *body = in_other_words(&text, rng).into(),
            4 => {
                let sign = between(&text, "<sign>", "</sign>").to_owned();
                *body = text.replace(&sign, "").into();
            }
            _ => self.confuse(number, said, b"<out_trade_no>"),
        }
    }

    fn alter_v3(&self, number: &str, said: &mut Said, rng: &mut fastrand::Rng) {
        let text = String::from_utf8_lossy(&said.body).into_owned();
        let body = &mut said.body;
        match rng.u8(..12) {
            0 => said.status = 500,
            1 => {
                said.headers.clear();
                (said.status, said.body) = (401, NOT_OURS.into());
            }
            2 => body.truncate(rng.usize(..body.len().max(1))),
            3 => *body = text.replace("\"total\":", "\"total\":1").into(),
            4 => *body = in_other_words(&text, rng).into(),
            // Everything that is good is signed.
            5 => said.headers.retain(|(name, _)| !name.starts_with(SIGNATURE)),
            6 => {
                let serial = rng.choice(keys::serials()).unwrap_or_default();
                said.set("Wechatpay-Serial", serial);
            }
            // It was recorded at another time, or its server's clock is wrong.
            7 | 8 => {
                let off = [-100_000, -301, 301, 100_000][rng.usize(..4)];
                let time = self.wall().0.div_euclid(1000) + off;
                let serial = said.header("Wechatpay-Serial").unwrap_or_default().to_owned();
                said.sign_again(time, &serial);
            }
            // By somebody else's key.
            9 => said.sign_again(self.wall().0.div_euclid(1000), "nobody's"),
            10 => {
                let signature = said.header("Wechatpay-Signature").unwrap_or_default();
                let probe = format!("WECHATPAY/SIGNTEST/{signature}");
                said.set("Wechatpay-Signature", probe);
            }
            _ => self.confuse(number, said, b"\"out_trade_no\""),
        }
    }

    /// What can be done to an answer of the backend's without its key.
    fn alter_signed(&self, number: &str, said: &mut Said, rng: &mut fastrand::Rng) {
        let text = String::from_utf8_lossy(&said.body).into_owned();
        let body = &mut said.body;
        match rng.u8(..9) {
            0 => said.status = 500,
            1 => {
                said.headers.clear();
                (said.status, said.body) = (502, NOT_OURS.into());
            }
            2 => body.truncate(rng.usize(..body.len().max(1))),
            3 => *body = text.replace("\"amount\":", "\"amount\":1").into(),
            4 => *body = text.replace("\"paid\"", "\"declined\"").into(),
            5 => {
                let words = ["waiting", "declined", "reversed", "checking", "sent"];
                for word in words {
                    *body = String::from_utf8_lossy(body)
                        .replace(&format!("\"{word}\""), "\"paid\"")
                        .into();
                }
            }
            // Everything that counts is signed.
            6 => said.headers.clear(),
            // An earlier answer about the same order.
            7 => {
                if let Some(earlier) = self.answers.get(number) {
                    *said = earlier.clone();
                }
            }
            _ => self.confuse(number, said, b"\"out_trade_no\""),
        }
    }

    /// Another order's answer in place of this one. One that names no order belongs to the request
    /// it came for; TLS guarantees that.
    fn confuse(&self, number: &str, said: &mut Said, name: &[u8]) {
        let names_one = |said: &Said| said.body.windows(name.len()).any(|part| part == name);
        let mut others = self.answers.iter().filter(|(other, _)| other.as_str() != number);
        if let Some((_, other)) = others.find(|(_, other)| names_one(other)) {
            (said.headers, said.body) = (other.headers.clone(), other.body.clone());
        }
    }

    /// The till starts: it speaks as it is configured now.
    pub(super) fn opens_the_line(&mut self) {
        self.line = match &self.office {
            Some(_) => Line::behind(office::codec(office::TILL)),
            None => Line::new(self.api, &account(&self.plan).api_key),
        };
        self.auditor.api = self.api;
        if self.api == Api::V3Certificates {
            self.renews_certificates();
        }
    }

    /// Platform certificates are downloaded; another time is planned by what comes of it.
    pub(super) fn renews_certificates(&mut self) {
        let Some(codec) = self.line.v3.clone() else { return };
        let outgoing = codec.encode_certificates(&account(&self.plan).merchant, &self.stamp());
        self.line.asked_at = self.now;
        self.counts.calls += 1;
        let mut rng = self.plan.chance("certificates", self.planned);
        let is_lost = self.roll(&mut rng, self.climate.no_connection)
            || self.roll(&mut rng, self.climate.lost_answers)
            || self.is_cut_off();
        let mut said = None;
        if !is_lost {
            (_, said) = self.bank_takes(&Sent::of("certificates", &outgoing));
        }
        if let Some(said) = &mut said
            && self.roll(&mut rng, self.climate.altered_answers)
        {
            self.counts.faults += 1;
            self.alter_v3("certificates", said, &mut rng);
        }
        let wall = self.wall();
        let read = said.map(|said| {
            certificates::read(&said.into(), &keys::API_V3_KEY.to_owned().into(), wall)
        });
        let wait = match read {
            Some(Ok(found)) => {
                self.tell(|| format!("{} platform certificates", found.len()));
                codec.replace_certificates(&found);
                self.line.renewal.renewed(&found, wall)
            }
            why => {
                self.tell(|| format!("no platform certificates: {why:?}"));
                self.line.renewal.failed()
            }
        };
        self.plan_at(self.now + wait.0, Due::Renewal { process: self.process });
    }

    /// Where an answer named a certificate that is not known, it may be a new one.
    pub(super) fn looks_for_a_certificate(&mut self) {
        let is_lacking = self.line.lacks_certificate.swap(false, Ordering::Relaxed);
        if is_lacking && self.api == Api::V3Certificates {
            let soonest = self.line.asked_at + certificates::Renewal::at_least().0;
            let at = soonest.max(self.now + 1_000);
            self.plan_at(at, Due::Renewal { process: self.process });
        }
    }

    /// The owner has the till speak another version from its next start on.
    pub(super) fn moves(&mut self, has_public_key: bool) {
        let to = if has_public_key { Api::V3 } else { Api::V3Certificates };
        self.tell(|| format!("the till is moved to {to:?}"));
        self.api = to;
        self.counts.moves += 1;
        self.closing();
    }

    /// The bank signs with another certificate from now on.
    pub(super) fn rotates(&mut self) {
        self.tell(|| "the bank has another platform certificate".to_owned());
        if let Some(known) = self.bank.v3_keys() {
            keys::rotate(known);
        }
    }

    /// Schedules what happens to a till that speaks API v3 some day.
    pub(super) fn draw_the_api(&mut self) {
        let mut rng = self.plan.chance("api", 1);
        let (moved, rotated) = (rng.u64(1..HEALED - 25_000), rng.u64(1..HEALED - 25_000));
        self.api = match self.climate.api_v3 {
            // What is behind a backend is no till's concern.
            _ if self.climate.backend > 0 => return,
            0 => return,
            1 => Api::V3,
            2 | 5 => Api::V3Certificates,
            _ => Api::V2,
        };
        if self.climate.api_v3 > 2 {
            self.plan_at(moved, Due::Moved { has_public_key: self.climate.api_v3 != 4 });
        }
        self.plan_at(rotated, Due::Rotated);
    }
}

/// Another state in place of the one it has, and the other way round.
fn in_other_words(text: &str, rng: &mut fastrand::Rng) -> String {
    let words = ["NOTPAY", "USERPAYING", "REVOKED", "CLOSED", "FAIL"];
    let word = words[rng.usize(..words.len())];
    text.replace("SUCCESS", word).replacen(word, "SUCCESS", 1)
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from).map_or("", |(_, rest)| rest);
    rest.split_once(to).map_or("", |(inner, _)| inner)
}
