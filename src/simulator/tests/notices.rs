//! Notifications: what is told, when and how often, as the core reads it; and over a socket.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::native::{Api, Codec};
use super::*;
use crate::notices::{Posting, RETRIES};
use paytill_core::gateway::notice::{Delivery, Notice};
use paytill_core::gateway::wechat::WechatV2;
use paytill_core::gateway::{Ask, RefundAsk};
use paytill_core::money::Money;
use paytill_core::order::{Order, OutTradeNo};
use paytill_core::refund::{OutRefundNo, Queried, Refund, RefundCallKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const NUMBER: &str = "T01-000001";
const URL: &str = "http://127.0.0.1:9/notify/wechat";
const THANKS: &[u8] = b"<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";

/// A shop with one order, told of by the gateway.
struct Shop {
    bank: Bank,
    codec: Codec,
    order: Order,
}

fn order() -> Order {
    let number = OutTradeNo::try_from(NUMBER.to_owned()).unwrap();
    let mut order = Order::of_number(number, identity::merchant(), Currency::CNY);
    order.amount = Money::from_minor(1230);
    order.body = "Corner Coffee".into();
    order.client_ip = "192.0.2.7".into();
    order.mark = "0123456789abcdef".into();
    order
}

fn codec(api: Api, key: &str, url: &str) -> Codec {
    match api {
        Api::V2 => {
            Codec::V2(WechatV2::new(SignType::HmacSha256, key.into()).notifying(url.to_owned()))
        }
        Api::V3 => Codec::V3(Box::new(v3::codec(true).notifying(url.to_owned()))),
    }
}

impl Shop {
    fn ordered(api: Api, scenario: &str, notices: NoticeCase, url: &str) -> Self {
        let script = Script { scenario: Some(named(scenario)), notices, ..Script::default() };
        let merchant = identity::merchant();
        let account = Account { merchant, other_app_id: None, api_key: KEY.into() };
        let bank = Bank::new(account, script, 1, STARTED).with_v3(v3::keys());
        let mut shop = Self { bank, codec: codec(api, KEY, url), order: order() };
        let order = shop.order.clone();
        shop.send(&shop.codec.gateway().encode(Ask::Order(&order), &v3::stamp(Millis(0))), 0);
        shop
    }

    fn send(&mut self, outgoing: &paytill_core::gateway::Outgoing, seconds: u64) {
        let reaction = self.codec.carry(outgoing, &mut self.bank, Millis::seconds(seconds));
        assert!(reaction.story.contains("SUCCESS"), "{}", reaction.story);
    }

    fn refund(&mut self, seconds: u64) -> Refund {
        let refund = Refund {
            out_refund_no: OutRefundNo::try_from("T01-000001R010001".to_owned()).unwrap(),
            order: self.order.clone(),
            amount: Money::from_minor(400),
            reason: "broken".into(),
            approved_by: String::new(),
        };
        let ask = RefundAsk { kind: RefundCallKind::Refund, refund: &refund };
        let stamp = v3::stamp(Millis::seconds(seconds));
        self.send(&self.codec.gateway().encode_refund(ask, &stamp), seconds);
        refund
    }

    fn taken(&mut self, seconds: u64) -> Option<Posting> {
        let now = Millis::seconds(seconds);
        self.bank.take_notice(now, v3::wall(now))
    }

    /// What a receiver finds in it: what it is about, or why it is not believed.
    fn read(&self, posting: &Posting, seconds: u64) -> Result<Notice, String> {
        let notice = self.codec.read(&delivery(posting), v3::wall(Millis::seconds(seconds)));
        notice.map_err(|why| why.code().to_owned())
    }

    /// Whether it proves that the order was paid, or why not.
    fn verdict(&self, posting: &Posting, seconds: u64) -> String {
        match self.read(posting, seconds) {
            Err(why) => why,
            Ok(Notice::Paid(paid)) => match paid.proof(&self.order, STARTED) {
                Ok(_) => "paid".to_owned(),
                Err(what) => what.reason().code().to_owned(),
            },
            Ok(other) => panic!("{other:?}"),
        }
    }

    /// Everything that is sent to a receiver that takes what is right, with its seconds.
    fn deliveries(&mut self) -> Vec<(u64, String)> {
        let (mut sent, mut seconds) = (Vec::new(), 0);
        loop {
            let now = Millis::seconds(seconds);
            while let Some(posting) = self.taken(seconds) {
                let verdict = self.verdict(&posting, seconds);
                let is_right = verdict == "paid";
                let answer = if is_right { (200, THANKS) } else { (401, &b""[..]) };
                self.bank.notice_answered(posting.token, Some(answer), now);
                sent.push((seconds, verdict));
            }
            let Some(next) = self.bank.next_notice(now) else { return sent };
            assert!(next > now, "nobody is woken for nothing");
            seconds = next.0 / 1000;
        }
    }
}

impl Codec {
    fn read(
        &self,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Notice, paytill_core::payment::Reason> {
        let merchant = identity::merchant();
        match self {
            Self::V2(codec) => codec.notice(delivery, &merchant),
            Self::V3(codec) => {
                codec.notice(delivery, &merchant, &v3::keys().api_v3_key().into(), now)
            }
        }
    }
}

fn delivery(posting: &Posting) -> Delivery {
    let mut request = http::Request::post(&posting.url);
    for (name, value) in &posting.headers {
        request = request.header(*name, value);
    }
    request.body(posting.body.clone()).unwrap()
}

const BOTH: [Api; 2] = [Api::V2, Api::V3];

#[test]
fn every_case_tells_what_its_name_says_and_the_truth_in_the_end() {
    for api in BOTH {
        let wrong = |code: &str| vec![(0, code.to_owned()), (15, "paid".to_owned())];
        for (case, expected) in [
            (NoticeCase::Prompt, vec![(0, "paid".to_owned())]),
            (NoticeCase::Late, vec![(60, "paid".to_owned())]),
            (NoticeCase::Twice, vec![(0, "paid".to_owned()), (0, "paid".to_owned())]),
            (NoticeCase::Never, Vec::new()),
            (NoticeCase::WrongAmount, wrong("wrong_amount")),
            (NoticeCase::Probe, wrong("bad_signature")),
            (NoticeCase::Foreign, wrong("wrong_merchant")),
        ] {
            let mut shop = Shop::ordered(api, "ok", case, URL);
            assert_eq!(shop.deliveries(), expected, "{case:?} by {api:?}");
        }
        // Forged before anybody pays, and even if nobody does.
        let mut shop = Shop::ordered(api, "password-20", NoticeCase::Forged, URL);
        let forged = (0, "bad_signature".to_owned());
        assert_eq!(shop.deliveries(), [forged.clone(), (20, "paid".to_owned())]);
        let mut shop = Shop::ordered(api, "walks-away", NoticeCase::Forged, URL);
        assert_eq!(shop.deliveries(), [forged]);
    }
}

#[test]
fn it_is_sent_sixteen_times_in_a_day_and_four_minutes_until_it_is_acknowledged() {
    for api in BOTH {
        let mut shop = Shop::ordered(api, "ok", NoticeCase::Prompt, URL);
        let (mut times, mut id) = (Vec::new(), None);
        let mut now = Millis(0);
        while let Some(posting) = shop.taken(now.0 / 1000) {
            let seconds = now.0 / 1000;
            assert_eq!(posting.url, URL);
            assert_eq!(shop.verdict(&posting, seconds), "paid");
            let Ok(Notice::Paid(paid)) = shop.read(&posting, seconds) else { panic!() };
            assert_eq!(*id.get_or_insert_with(|| paid.id.clone()), paid.id, "the same each time");
            // Nothing, a refusal, or something else than the words.
            let answer: Option<(u16, &[u8])> =
                [None, Some((500, THANKS)), Some((202, b"{}"))][times.len() % 3];
            shop.bank.notice_answered(posting.token, answer, now);
            times.push(seconds);
            assert_eq!(shop.taken(seconds), None);
            now = shop.bank.next_notice(now).unwrap_or(now);
        }
        let waits: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(waits, RETRIES.map(|wait| wait.0 / 1000));
        assert_eq!(times.last(), Some(&(24 * 3600 + 240)));
        assert_eq!(shop.bank.notices()[0].stage, NoticeStage::Over);
    }
    let thanks: [(Api, u16, &[u8], bool); 6] = [
        (Api::V2, 200, THANKS, true),
        (Api::V2, 200, b"", false),
        (Api::V2, 204, THANKS, false),
        (Api::V3, 200, b"", true),
        (Api::V3, 204, b"", true),
        (Api::V3, 201, b"{\"code\":\"SUCCESS\"}", false),
    ];
    for (api, status, body, is_taken) in thanks {
        let mut shop = Shop::ordered(api, "ok", NoticeCase::Prompt, URL);
        let token = shop.taken(0).unwrap().token;
        let story = shop.bank.notice_answered(token, Some((status, body)), Millis(0));
        let stage = shop.bank.notices()[0].stage;
        assert_eq!(stage == NoticeStage::Acknowledged, is_taken, "{story}");
        assert!(story.starts_with("notice of T01-000001 payment: 20"), "{story}");
    }
}

#[test]
fn the_end_of_a_refund_is_told_of_where_its_order_was() {
    for (scenario, after, expected) in
        [("ok", 3, "done"), ("refund-closed", 8, "closed"), ("refund-abnormal", 8, "abnormal")]
    {
        for api in BOTH {
            let mut shop = Shop::ordered(api, scenario, NoticeCase::Prompt, URL);
            assert_eq!(shop.deliveries().len(), 1);
            let refund = shop.refund(20);
            assert_eq!(
                shop.bank.next_notice(Millis::seconds(20)),
                Some(Millis::seconds(20 + after))
            );
            assert_eq!(shop.taken(20 + after - 1), None);
            let posting = shop.taken(20 + after).unwrap();
            match shop.read(&posting, 30).unwrap() {
                // What API v2 says of refunds proves nothing.
                Notice::Hint(hint) => {
                    assert_eq!(hint.out_refund_no, refund.out_refund_no.as_str());
                    assert_eq!((api, hint.out_trade_no.as_str()), (Api::V2, NUMBER));
                }
                Notice::Refund(told) => {
                    let said = match told.outcome(&refund, STARTED).unwrap() {
                        Queried::Done(_) => "done",
                        Queried::Closed => "closed",
                        Queried::Abnormal => "abnormal",
                        other => panic!("{other:?}"),
                    };
                    assert_eq!((api, said), (Api::V3, expected));
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(shop.taken(25 + after), None);
        }
    }
    let mut shop = Shop::ordered(Api::V3, "ok", NoticeCase::WrongAmount, URL);
    shop.deliveries();
    let refund = shop.refund(30);
    for (seconds, is_it) in [(33, false), (48, true)] {
        let posting = shop.taken(seconds).unwrap();
        let Ok(Notice::Refund(told)) = shop.read(&posting, seconds) else { panic!() };
        assert_eq!(told.outcome(&refund, STARTED).is_ok(), is_it);
    }
}

#[test]
fn nobody_is_told_of_codes_that_a_till_has_scanned_or_where_nobody_listens() {
    let mut shop = Shop::ordered(Api::V2, "ok", NoticeCase::Prompt, "");
    assert_eq!(shop.deliveries(), []);
    let mut desk = Desk::new(1);
    let mut fields = submission(NUMBER, &Scenario::Pays.code(1));
    fields.set("notify_url", URL);
    desk.ask("/pay/micropay", fields);
    assert_eq!(desk.bank.take_notice(Millis::seconds(60), STARTED), None);
    assert_eq!(desk.bank.next_notice(Millis::seconds(60)), None);
}

/// A receiver on this machine that keeps what comes and answers what it is told to, in this order and
/// then always the last.
struct Receiver {
    address: SocketAddr,
    came: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Receiver {
    async fn open(answers: Vec<Vec<u8>>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let came = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&came);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut bytes = Vec::new();
                while !server::is_whole(&bytes) {
                    if stream.read_buf(&mut bytes).await.unwrap() == 0 {
                        break;
                    }
                }
                let at = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(bytes);
                    kept.len()
                };
                let answer = answers.get(at - 1).unwrap_or_else(|| answers.last().unwrap());
                stream.write_all(answer).await.unwrap();
            }
        });
        Self { address, came }
    }

    fn count(&self) -> usize {
        self.came.lock().unwrap().len()
    }
}

#[tokio::test]
async fn over_a_socket_it_is_sent_until_it_is_acknowledged_in_the_servers_time() {
    for api in BOTH {
        let answer = |status: &str, body: &[u8]| {
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
            [head.as_bytes(), body].concat()
        };
        let taken = match api {
            Api::V2 => answer("200 OK", THANKS),
            Api::V3 => answer("200 OK", b""),
        };
        let refused = answer("500 Internal Server Error", b"");
        let receiver = Receiver::open(vec![Vec::new(), refused, taken]).await;
        let identity = Identity::generate().unwrap().with_v3_keys(v3::keys());
        let bank = identity.bank(Script::default(), 1, STARTED);
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let log = Box::new(move |_, line: &str| heard.lock().unwrap().push(line.to_owned()));
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        // Fifteen seconds are a few milliseconds.
        let server = Server::start(listen, &identity, bank, Some(log), 3_000).await.unwrap();
        let url = format!("http://{}/notify", receiver.address);
        let codec = codec(api, identity.api_key(), &url);
        let order = order();
        let now = Millis(0);
        let outgoing = codec.gateway().encode(Ask::Order(&order), &v3::stamp(now));
        codec.carry(&outgoing, &mut server.bank(), now);
        let told = async {
            while server.bank().notices().iter().all(|it| it.stage != NoticeStage::Acknowledged) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(30), told).await;
        let said = said.lock().unwrap().join("\n");
        assert!(told.is_ok(), "{said}");
        assert_eq!(receiver.count(), 3, "{said}");
        for answer in ["payment: no answer, again in 15 s", ": 500, again in 15 s", ": 20"] {
            assert!(said.contains(answer), "{said}");
        }
        let came = receiver.came.lock().unwrap().pop().unwrap();
        let text = String::from_utf8_lossy(&came);
        assert!(text.starts_with("POST /notify HTTP/1.1\r\n"), "{text}");
    }
}
