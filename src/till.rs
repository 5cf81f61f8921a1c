//! The loop around the engine: it carries effects out and feeds back what comes of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::sync::mpsc;

use crate::clock::{Clock, Millis, Uptime};
use crate::engine::{Attempt, Effect, Engine, Identity, Refusal, SaleRef, Start};
use crate::gateway::transport::{Failure, Transport};
use crate::gateway::{Ask, Decoded, Gateway};
use crate::journal::{Journal, JournalError, Past, Writer, Written};
use crate::order::{AuthCode, Order, OutTradeNo};
use crate::payment::{Call, CallKind, Event, Rules, Status};

/// A sleep is cut to this, for a machine that was suspended: its timers have not passed when it wakes.
const LONGEST_SLEEP: Millis = Millis::seconds(60);
/// How long a payment waits for the look-up of the gateway's name before it begins.
const LOOK_UP: Duration = Duration::from_secs(1);

/// What a till tells its front.
#[derive(Debug)]
pub enum Notice {
    /// An attempt moved: by this event, from that status.
    Attempt { attempt: Box<Attempt>, event: Box<Event>, before: Option<Status> },
    /// The journal failed. Nothing is sold until the next start.
    Stopped(JournalError),
    /// A call reached the gateway, or why not.
    Gateway(Result<(), &'static str>),
}

/// Everything a till is made of.
pub struct Parts {
    pub identity: Identity,
    pub rules: Rules,
    pub gateway: Arc<dyn Gateway>,
    pub transport: Transport,
    /// Keys the hashes of payment codes.
    pub hash_key: secrecy::SecretString,
    /// `spbill_create_ip`; where it is `None`, the address from which the gateway is reached.
    pub client_ip: Option<std::net::IpAddr>,
    pub clock: Clock,
}

/// A running till: engine, journal and gateway. It owns all state; calls and the writer only post
/// messages to it.
pub struct Till {
    engine: Engine,
    writer: Writer,
    gateway: Arc<dyn Gateway>,
    transport: Arc<Transport>,
    hash_key: secrecy::SecretString,
    client_ip: Option<std::net::IpAddr>,
    clock: Clock,
    post: mpsc::UnboundedSender<Post>,
    inbox: mpsc::UnboundedReceiver<Post>,
    notices: VecDeque<Notice>,
}

enum Post {
    Written(Written),
    /// The first byte of a submission leaves.
    Left {
        attempt: i64,
        at: Uptime,
    },
    Answered {
        attempt: i64,
        call: Call,
        result: Result<Decoded, Failure>,
    },
    Warmed(Result<(), Failure>),
}

impl Till {
    /// Starts on a journal: everything open in it is gone on with at once.
    pub fn start(parts: Parts, journal: Journal, past: Past) -> std::io::Result<Self> {
        let (sender, inbox) = mpsc::unbounded_channel();
        let written_to = sender.clone();
        let writer = Writer::start(journal, move |written| {
            let _ = written_to.send(Post::Written(written));
        })?;
        let Parts { identity, rules, gateway, transport, hash_key, client_ip, clock } = parts;
        let (engine, effects) = Engine::new(
            identity,
            rules,
            Arc::clone(&gateway),
            clock.boot(),
            past,
            clock.uptime(),
            clock.wall(),
        );
        let transport = Arc::new(transport);
        let notices = VecDeque::new();
        let mut till = Self {
            engine,
            writer,
            gateway,
            transport,
            hash_key,
            client_ip,
            clock,
            post: sender,
            inbox,
            notices,
        };
        till.perform(effects);
        Ok(till)
    }

    /// Begins an attempt. It returns before anything is sent; the rest is told by [`Till::next`].
    pub fn begin(&mut self, sale: SaleRef, code: AuthCode) -> Result<OutTradeNo, Refusal> {
        let mut draw = [0; 2];
        // Without chance a number is still unique by its count; only copies of a till lose.
        let _ = aws_lc_rs::rand::fill(&mut draw);
        let code_hash = self.hash(&code);
        let client_ip = self.client_ip.or_else(|| self.transport.local_address());
        let client_ip = client_ip.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_string());
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let start = Start { sale, code, code_hash, client_ip, draw };
        let (out_trade_no, effects) = self.engine.begin(start, now, wall)?;
        self.perform(effects);
        Ok(out_trade_no)
    }

    /// Whether a payment code was used before, for any attempt.
    pub fn was_used(&self, code: &AuthCode) -> bool {
        self.engine.code_used_by(&self.hash(code)).is_some()
    }

    /// A person does something to an attempt: abandon, put aside, ask now.
    pub fn happen(&mut self, out_trade_no: &OutTradeNo, event: Event) {
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let effects = self.engine.happen_to(out_trade_no, event, now, wall);
        self.perform(effects);
    }

    /// Dials the gateway before it is needed, with the merchant's certificate or without.
    pub fn warm_up(&self, certificate: bool) {
        let (transport, post) = (Arc::clone(&self.transport), self.post.clone());
        let clock = self.clock.clone();
        if self.client_ip.is_none() && transport.local_address().is_none() {
            let transport = Arc::clone(&transport);
            tokio::spawn(async move { transport.find_local_address().await });
        }
        tokio::spawn(async move {
            let _ = post.send(Post::Warmed(transport.warm_up(certificate, clock.uptime()).await));
        });
    }

    /// Finds out from which address the gateway is reached, for the requests; not for long.
    pub async fn find_local_address(&self) {
        if self.client_ip.is_none() {
            let finding = self.transport.find_local_address();
            let _ = tokio::time::timeout(LOOK_UP, finding).await;
        }
    }

    /// Whether any attempt is open.
    pub fn is_open(&self) -> bool {
        self.engine.is_open()
    }

    /// The open attempts that this till can do something about.
    pub fn busy(&self) -> impl Iterator<Item = &OutTradeNo> {
        self.engine.busy()
    }

    /// Whether there is such work, or something still to be told.
    pub fn is_busy(&self) -> bool {
        self.busy().next().is_some() || !self.notices.is_empty()
    }

    /// The next thing to tell. It may be dropped and called again; nothing is lost.
    pub async fn next(&mut self) -> Notice {
        loop {
            if let Some(notice) = self.notices.pop_front() {
                return notice;
            }
            let sleep = self.engine.wake_at().map(|at| at.since(self.clock.uptime()));
            let post = match sleep {
                None => self.inbox.recv().await,
                Some(sleep) => {
                    let sleep = Duration::from(sleep.min(LONGEST_SLEEP));
                    tokio::time::timeout(sleep, self.inbox.recv()).await.unwrap_or_default()
                }
            };
            self.take(post);
        }
    }

    fn hash(&self, code: &AuthCode) -> [u8; 16] {
        code.keyed_hash(self.hash_key.expose_secret().as_bytes())
    }

    fn take(&mut self, post: Option<Post>) {
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let effects = match post {
            None => self.engine.tick(now, wall),
            Some(Post::Written(Written { attempt, result })) => {
                let on_disk = result.is_ok();
                match result {
                    // Told before.
                    Ok(()) | Err(JournalError::Stopped) => {}
                    Err(error) => self.stop(error),
                }
                self.engine.written(attempt, on_disk, now, wall)
            }
            Some(Post::Left { attempt, at }) => {
                self.engine.left(attempt, at);
                Vec::new()
            }
            Some(Post::Answered { attempt, call, result }) => {
                self.notices.push_back(Notice::Gateway(reached(result.as_ref().err())));
                let decoded = result.unwrap_or_else(|failure| Decoded {
                    answer: failure.into(),
                    record: Vec::new(),
                });
                let event = Event::Answered(call, decoded.answer);
                self.engine.happen(attempt, event, decoded.record, now, wall)
            }
            Some(Post::Warmed(result)) => {
                self.notices.push_back(Notice::Gateway(reached(result.as_ref().err())));
                Vec::new()
            }
        };
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Write(entry) => {
                    let attempt = entry.attempt;
                    if !self.writer.write(*entry) {
                        self.stop(JournalError::Ended);
                        let (now, wall) = (self.clock.uptime(), self.clock.wall());
                        let effects = self.engine.written(attempt, false, now, wall);
                        self.perform(effects);
                    }
                }
                Effect::Call { attempt, order, call, code } => {
                    self.call(attempt, *order, call, code);
                }
                Effect::Told { attempt, event, before } => self.tell(attempt, event, before),
            }
        }
    }

    fn tell(&mut self, attempt: Box<Attempt>, event: Box<Event>, before: Option<Status>) {
        let status = attempt.state.status();
        tracing::info!(
            out_trade_no = attempt.out_trade_no.as_str(),
            status = status.word(),
            reason = attempt.state.reason().map(|reason| reason.code.as_str()),
            recorded = attempt.recorded,
            "moved"
        );
        // A reversal may be wanted soon, and it goes over a connection of its own.
        if status == Status::Waiting && before != Some(Status::Waiting) {
            self.warm_up(true);
        }
        self.notices.push_back(Notice::Attempt { attempt, event, before });
    }

    fn stop(&mut self, error: JournalError) {
        tracing::error!(why = %error, "the journal failed; nothing is sold until the next start");
        self.notices.push_back(Notice::Stopped(error));
    }

    fn call(&self, attempt: i64, order: Order, call: Call, code: Option<AuthCode>) {
        let (gateway, transport) = (Arc::clone(&self.gateway), Arc::clone(&self.transport));
        let (post, clock) = (self.post.clone(), self.clock.clone());
        tokio::spawn(async move {
            let (sender, leaving) = (post.clone(), clock.clone());
            let left = move || {
                if call.kind == CallKind::Submit {
                    let _ = sender.send(Post::Left { attempt, at: leaving.uptime() });
                }
            };
            let result = carry(&*gateway, &transport, &order, call, code, &clock, left).await;
            let _ = post.send(Post::Answered { attempt, call, result });
        });
    }
}

/// One call, there and back. The payment code ends here.
async fn carry(
    gateway: &dyn Gateway,
    transport: &Transport,
    order: &Order,
    call: Call,
    code: Option<AuthCode>,
    clock: &Clock,
    left: impl Fn() + Send + Sync + 'static,
) -> Result<Decoded, Failure> {
    let ask = Ask::of(call.kind, order, code.as_ref()).ok_or(Failure::NotSent("no_code"))?;
    let Some(nonce) = nonce() else { return Err(Failure::NotSent("no_randomness")) };
    let outgoing = gateway.encode(ask, &nonce);
    let reply = transport.carry(&outgoing, clock.uptime(), left).await;
    match &reply {
        Ok(reply) => tracing::debug!(
            out_trade_no = order.out_trade_no.as_str(),
            call = call.number,
            path = outgoing.path,
            status = reply.status,
            "answered"
        ),
        Err(failure) => tracing::warn!(
            out_trade_no = order.out_trade_no.as_str(),
            call = call.number,
            path = outgoing.path,
            ?failure,
            "no answer"
        ),
    }
    Ok(gateway.decode(ask, &reply?, clock.wall()))
}

fn reached(failure: Option<&Failure>) -> Result<(), &'static str> {
    match failure {
        None => Ok(()),
        Some(Failure::NotSent(code) | Failure::Lost(code)) => Err(code),
    }
}

/// What makes a request unlike any other; `None` where the system has no random bytes.
pub(crate) fn nonce() -> Option<String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bytes)))
}
