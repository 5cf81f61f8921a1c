//! The till: the loop around the engine that carries out its effects and feeds the results back.
//!
//! The engine decides and this loop acts, one message at a time and on one task. Calls to the
//! gateway and the journal's writer run elsewhere and only post messages. Effects are carried out
//! in the engine's order, and a call is among them only once its entry is on disk. If the journal
//! fails, nothing more is sold until the next start. The front end drives everything by calling
//! [`Till::next`].

mod cash;
mod enquiry;
mod qr;
mod refunds;
mod seen;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock::{Millis, TimeZone, Uptime};
use crate::engine::{
    Attempt, By, Draw, Effect, Engine, OrderTemplate, Recovered, RefundReport, Refusal, Report,
    SaleRef, Start, Subject,
};
use crate::gateway::{Ask, Decoded, DecodedRefund, Enquired, Gateway, Owner, Question, Stamp};
use crate::journal::{
    Journal, JournalError, RefundPaper, ShiftDone, Slip, SlipDone, SlipStage, SlipWork, Writer,
    Written,
};
use crate::money::Currency;
use crate::order::{AuthCode, Merchant, Order, OutTradeNo};
use crate::payment::{Answer, Call, CallKind, Event, Found, Reason, Rules, Status, TillCause};
use crate::refund::RefundCall;
use crate::sale::Sold;
use paytill_host::clock::Clock;
use paytill_host::random;
use paytill_host::transport::{Transport, TransportFailure};

use cash::CashNews;
pub use enquiry::Enquiry;
pub use refunds::{NotRefunded, read_refund};

/// Upper bound of a sleep: timers do not run while the machine is suspended.
const LONGEST_SLEEP: Millis = Millis::seconds(60);
/// How long a payment waits for the gateway's name to be resolved before it begins.
const LOOK_UP: Duration = Duration::from_secs(1);

/// What a till reports to its front end.
#[derive(Debug)]
pub enum Notice {
    /// An attempt moved.
    Attempt(Box<Report>),
    /// The journal failed. Nothing is sold until the next start.
    Stopped(JournalError),
    /// Whether a call reached the gateway, and if not, why.
    Gateway(Result<(), Reason>),
    /// The journal has the slip of the payment that moves next.
    SlipDue(Slip),
    /// The journal has the copy that [`Till::print_copy`] asked for, of an order as it is now.
    SlipQueued(Slip, Box<Attempt>),
    /// The journal has the slip of a refund that has moved, or a copy of it.
    RefundSlip(Slip, Box<RefundPaper>),
    /// That this slip may be on paper from now on: whether the journal knows it. If not, because it
    /// cannot be written or another slip has taken its place, it must not be printed.
    SlipBegun { slip: i64, recorded: bool },
    /// What came of [`Till::note_drawer`]. If the journal does not know it, the drawer stays shut.
    DrawerNoted { recorded: bool },
    /// What came of [`Till::move_cash`], likewise.
    CashMoved { recorded: bool },
    /// What came of [`Till::return_cash`], likewise.
    CashReturned { sale: i64, recorded: bool },
    /// What came of [`Till::shift`].
    Shift(ShiftDone),
    /// What came of [`Till::enquire`], by the serial number of the question.
    Enquired { serial: u64, enquired: Enquired },
    /// A refund moved.
    Refund(Box<RefundReport>),
}

/// Everything a till is made of.
pub struct TillParts {
    pub template: OrderTemplate,
    pub rules: Rules,
    pub gateway: Arc<dyn Gateway>,
    pub transport: Transport,
    /// The key for the hashes of payment codes.
    pub hash_key: secrecy::SecretString,
    /// `spbill_create_ip`; if `None`, the local address from which the gateway is reached.
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
    merchant: Merchant,
    currency: Currency,
    time_zone: TimeZone,
    /// Questions that the next answer about an attempt answers, too.
    asked: BTreeMap<i64, (u64, Question)>,
    /// What the backend is being told.
    acknowledging: JoinSet<()>,
    sender: mpsc::UnboundedSender<WorkerMessage>,
    inbox: mpsc::UnboundedReceiver<WorkerMessage>,
    notices: VecDeque<Notice>,
}

enum WorkerMessage {
    Written(Written),
    /// The first byte of a submission is leaving.
    Sent {
        attempt: i64,
        at: Uptime,
    },
    Answered {
        attempt: i64,
        call: Call,
        result: Result<Decoded, TransportFailure>,
    },
    RefundAnswered {
        refund: i64,
        call: RefundCall,
        result: Result<DecodedRefund, TransportFailure>,
    },
    Warmed(Result<(), TransportFailure>),
    Slip(SlipNews),
    Cash(CashNews),
    Enquired {
        serial: u64,
        is_transaction: bool,
        result: Result<Enquired, TransportFailure>,
    },
}

/// The copy of an order's slip, and those of its refunds.
type Copies = (Option<(Slip, Box<Attempt>)>, Vec<(Slip, RefundPaper)>);

/// What came of writing about a slip.
enum SlipNews {
    Queued(Result<Copies, JournalError>),
    Marked(i64, SlipStage, Result<bool, JournalError>),
}

impl Till {
    /// Starts on a journal, and resumes everything open in it at once. Fails only if the system
    /// cannot provide a thread.
    pub fn start(
        parts: TillParts,
        journal: Journal,
        recovered: Recovered,
    ) -> std::io::Result<Self> {
        let (sender, inbox) = mpsc::unbounded_channel();
        let written_to = sender.clone();
        let writer = Writer::start(journal, move |written| {
            let _ = written_to.send(WorkerMessage::Written(written));
        })?;
        let TillParts { template, rules, gateway, transport, hash_key, client_ip, clock } = parts;
        let (merchant, currency) = (template.merchant.clone(), template.currency);
        let time_zone = template.time_zone.clone();
        let (engine, effects) = Engine::new(
            template,
            rules,
            Arc::clone(&gateway),
            clock.boot(),
            recovered,
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
            merchant,
            currency,
            time_zone,
            asked: BTreeMap::new(),
            acknowledging: JoinSet::new(),
            sender,
            inbox,
            notices,
        };
        till.perform(effects);
        Ok(till)
    }

    /// Begins an attempt. Returns before anything is sent; [`Till::next`] reports the rest. Fails
    /// if the engine refuses the attempt.
    pub fn begin(
        &mut self,
        sale: SaleRef,
        note: String,
        sold: Arc<Sold>,
        code: AuthCode,
        by: Option<By>,
    ) -> Result<OutTradeNo, Refusal> {
        // Without randomness, the number is still unique by its counter; only tills with the same
        // id could collide.
        let draw = Draw(random::draw().unwrap_or_default());
        let code_hash = self.hash(&code);
        let client_ip = self.caller();
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let start = Start { sale, note, sold, code, code_hash, by, client_ip, draw };
        let (out_trade_no, effects) = self.engine.begin(start, now, wall)?;
        self.perform(effects);
        Ok(out_trade_no)
    }

    /// This machine's address on the route to the gateway.
    fn caller(&self) -> String {
        let address = self.client_ip.or_else(|| self.transport.local_address());
        address.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_canonical().to_string())
    }

    /// Checks the whole journal in the background. Damage stops the till as a failed write does.
    pub fn check_journal(&mut self) {
        if let Err(error) = self.writer.check_everything() {
            tracing::warn!(%error, "the journal is not checked in the background");
        }
    }

    /// Has a copy of an order's slip, as the order is now, written to the journal;
    /// [`Notice::SlipQueued`] says when it may be printed. Nothing comes of it if there is no such
    /// order, or nothing is printed of where it is ([`Status::has_slip`]).
    pub fn print_copy(&self, out_trade_no: &OutTradeNo, by: Option<By>) {
        let sender = self.sender.clone();
        let (order, at) = (out_trade_no.clone(), self.clock.wall());
        self.writer.write_slip(SlipWork::Copy { order, at, by }, move |result| {
            let news = match result {
                Ok(SlipDone::Copied(queued, refunds)) => SlipNews::Queued(Ok((queued, refunds))),
                Ok(SlipDone::Marked(_)) => return,
                Err(error) => SlipNews::Queued(Err(error)),
            };
            let _ = sender.send(WorkerMessage::Slip(news));
        });
    }

    /// Has it written down how far a slip has come.
    pub fn mark_slip(&self, id: i64, stage: SlipStage) {
        let sender = self.sender.clone();
        let report = move |result| {
            let _ = sender.send(WorkerMessage::Slip(SlipNews::Marked(id, stage, result)));
        };
        let mark = report.clone();
        let work = SlipWork::Mark(id, stage);
        let marked = move |result: Result<_, _>| {
            mark(result.map(|done| matches!(done, SlipDone::Marked(true))));
        };
        if !self.writer.write_slip(work, marked) {
            report(Err(JournalError::Ended));
        }
    }

    /// Passes on what a person does with an attempt: cancel, check now.
    pub fn handle_event(&mut self, out_trade_no: &OutTradeNo, event: Event, by: Option<By>) {
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let effects = self.engine.handle_event_of(out_trade_no, event, by, now, wall);
        self.perform(effects);
    }

    /// Connects to the gateway before it is needed, with or without the merchant's certificate.
    pub fn warm_up(&self, certificate: bool) {
        let (transport, sender) = (Arc::clone(&self.transport), self.sender.clone());
        let clock = self.clock.clone();
        if self.client_ip.is_none() && transport.local_address().is_none() {
            let transport = Arc::clone(&transport);
            tokio::spawn(async move { transport.find_local_address().await });
        }
        tokio::spawn(async move {
            let _ = sender
                .send(WorkerMessage::Warmed(transport.warm_up(certificate, clock.uptime()).await));
        });
    }

    /// Finds the local address from which the gateway is reached, for the requests. Waits a
    /// second at most.
    pub async fn find_local_address(&self) {
        if self.client_ip.is_none() {
            let finding = self.transport.find_local_address();
            let _ = tokio::time::timeout(LOOK_UP, finding).await;
        }
    }

    /// Whether calls go to the gateway's backup host because the preferred one gives no answer.
    pub fn is_on_backup(&self) -> bool {
        self.transport.is_on_backup()
    }

    /// Whether any attempt is open.
    pub fn is_open(&self) -> bool {
        self.engine.is_open()
    }

    /// The open attempts that this till can do something about.
    pub fn busy(&self) -> impl Iterator<Item = &OutTradeNo> {
        self.engine.busy()
    }

    /// The open attempts that need a person.
    pub fn needing_a_person(&self) -> impl Iterator<Item = &OutTradeNo> {
        self.engine.needing_a_person()
    }

    /// Whether there are such attempts, or notices still to be delivered.
    pub fn is_busy(&self) -> bool {
        self.busy().next().is_some() || !self.notices.is_empty()
    }

    /// Whether a number that the gateway never knew is due to be queried again.
    pub fn is_recheck_due(&self) -> bool {
        self.engine.is_recheck_due(self.clock.uptime())
    }

    /// The next notice. Cancel-safe: the future may be dropped and called again without losing
    /// anything.
    pub async fn next(&mut self) -> Notice {
        loop {
            if let Some(notice) = self.notices.pop_front() {
                return notice;
            }
            let sleep = self.engine.wake_at().map(|at| at.since(self.clock.uptime()));
            let message = match sleep {
                None => self.inbox.recv().await,
                Some(sleep) => {
                    let sleep = Duration::from(sleep.min(LONGEST_SLEEP));
                    tokio::time::timeout(sleep, self.inbox.recv()).await.unwrap_or_default()
                }
            };
            self.take(message);
        }
    }

    fn hash(&self, code: &AuthCode) -> [u8; 16] {
        code.keyed_hash(self.hash_key.expose_secret().as_bytes())
    }

    fn take(&mut self, message: Option<WorkerMessage>) {
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let mut due = None;
        let effects = match message {
            None => self.engine.tick(now, wall),
            Some(WorkerMessage::Slip(news)) => {
                self.slip(news);
                Vec::new()
            }
            Some(WorkerMessage::Cash(news)) => {
                self.cash(news);
                Vec::new()
            }
            Some(WorkerMessage::Written(Written { subject, result, slip, refund_slip })) => {
                self.notices.extend(slip.map(Notice::SlipDue));
                due = refund_slip;
                let on_disk = result.is_ok();
                match result {
                    // Already reported.
                    Ok(()) | Err(JournalError::Stopped) => {}
                    Err(error) => self.stop(error),
                }
                match subject {
                    Subject::Attempt(id) => self.engine.written(id, on_disk, now, wall),
                    Subject::Refund(id) => self.engine.refund_written(id, on_disk, now, wall),
                }
            }
            Some(WorkerMessage::Sent { attempt, at }) => {
                self.engine.mark_sent(attempt, at);
                Vec::new()
            }
            Some(WorkerMessage::Answered { attempt, call, result }) => {
                self.notices.push_back(Notice::Gateway(reached(result.as_ref().err())));
                let decoded = result.unwrap_or_else(|failure| Decoded {
                    answer: Answer::inconclusive(call.kind, failure.into()),
                    record: Vec::new(),
                });
                self.answer_question(attempt, &decoded.answer);
                let event = Event::Answered(call.number, decoded.answer);
                self.engine.handle_event(attempt, event, decoded.record, now, wall)
            }
            Some(WorkerMessage::RefundAnswered { refund, call, result }) => {
                self.notices.push_back(Notice::Gateway(reached(result.as_ref().err())));
                self.refund_answered(refund, call, result)
            }
            Some(WorkerMessage::Warmed(result)) => {
                self.notices.push_back(Notice::Gateway(reached(result.as_ref().err())));
                Vec::new()
            }
            Some(WorkerMessage::Enquired { serial, is_transaction, result }) => {
                self.notices.push_back(Notice::Gateway(reached(result.as_ref().err())));
                let enquired = result.unwrap_or_else(|failure| {
                    if is_transaction {
                        Enquired::Owner(Owner::Inconclusive(failure.into()))
                    } else {
                        Enquired::Found(Found::Inconclusive(failure.into()))
                    }
                });
                self.notices.push_back(Notice::Enquired { serial, enquired });
                Vec::new()
            }
        };
        self.perform(effects);
        // Behind the report: a drawer opens at once or not at all, and waits for no slip.
        self.notices.extend(due.map(|due| Notice::RefundSlip(due.0, Box::new(due.1))));
    }

    fn slip(&mut self, news: SlipNews) {
        let failure = match news {
            SlipNews::Queued(queued) => {
                let tell = |(queued, refunds): Copies| {
                    let queued = queued.map(|(slip, of)| Notice::SlipQueued(slip, of));
                    self.notices.extend(queued);
                    let refunds = refunds.into_iter();
                    self.notices
                        .extend(refunds.map(|(slip, of)| Notice::RefundSlip(slip, of.into())));
                };
                queued.map(tell).err()
            }
            SlipNews::Marked(slip, stage, result) => {
                if stage == SlipStage::Begun {
                    let recorded = matches!(result, Ok(true));
                    self.notices.push_back(Notice::SlipBegun { slip, recorded });
                }
                result.err()
            }
        };
        self.stop_after(failure);
    }

    /// Stops for what went wrong beside the payments, if it must.
    fn stop_after(&mut self, failure: Option<JournalError>) {
        match failure {
            // What an earlier one has left behind was reported then.
            None | Some(JournalError::Stopped) => {}
            Some(odd) if odd.is_of_a_row() => tracing::error!(why = %odd, "a slip is given up"),
            // The disk is at fault, and the next payment would fail as well.
            Some(failure) => {
                self.stop(failure);
                let (now, wall) = (self.clock.uptime(), self.clock.wall());
                let effects = self.engine.written(0, false, now, wall);
                self.perform(effects);
            }
        }
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
                Effect::Call { attempt, order, call, code, may_wait } => {
                    self.call(attempt, *order, (call, may_wait), code);
                }
                Effect::Report(report) => self.report(report),
                Effect::WriteRefund(entry) => self.write_refund(*entry),
                Effect::CallRefund { refund, what, call } => self.call_refund(refund, *what, call),
                Effect::ReportRefund(report) => self.report_refund(report),
            }
        }
    }

    fn report(&mut self, report: Box<Report>) {
        let Report { attempt, before, .. } = &*report;
        let status = attempt.state.status();
        tracing::info!(
            out_trade_no = attempt.out_trade_no.as_str(),
            status = status.word(),
            reason = attempt.state.reason().map(Reason::code),
            recorded = attempt.recorded,
            "moved"
        );
        // A reversal may be needed soon, and it uses a connection of its own.
        if status == Status::Waiting && *before != Some(Status::Waiting) {
            self.warm_up(true);
        }
        if status == Status::Paid && *before != Some(Status::Paid) && attempt.recorded {
            let number = attempt.out_trade_no.clone();
            self.acknowledge(&number);
        }
        if report.is_news() {
            self.notices.push_back(Notice::Attempt(report));
        }
    }

    fn stop(&mut self, error: JournalError) {
        tracing::error!(why = %error, "the journal failed; nothing is sold until the next start");
        self.notices.push_back(Notice::Stopped(error));
    }

    fn call(
        &self,
        attempt: i64,
        order: Order,
        (call, may_wait): (Call, bool),
        code: Option<AuthCode>,
    ) {
        let (gateway, transport) = (Arc::clone(&self.gateway), Arc::clone(&self.transport));
        let (sender, clock) = (self.sender.clone(), self.clock.clone());
        tokio::spawn(async move {
            let (leaves, leaving) = (sender.clone(), clock.clone());
            let left = move || {
                if call == Call::SUBMISSION {
                    let _ = leaves.send(WorkerMessage::Sent { attempt, at: leaving.uptime() });
                }
            };
            let line = (&*gateway, &*transport, &clock);
            let result = carry(line, &order, (call, may_wait), code, left).await;
            let _ = sender.send(WorkerMessage::Answered { attempt, call, result });
        });
    }
}

/// One call, there and back. The payment code goes no further than this.
async fn carry(
    (gateway, transport, clock): (&dyn Gateway, &Transport, &Clock),
    order: &Order,
    (call, may_wait): (Call, bool),
    code: Option<AuthCode>,
    left: impl Fn() + Send + Sync + 'static,
) -> Result<Decoded, TransportFailure> {
    let ask = Ask::of(call.kind, order, code.as_ref())
        .ok_or_else(|| TransportFailure::not_sent(TillCause::NoCode))?;
    let nonce =
        random::nonce().ok_or_else(|| TransportFailure::not_sent(TillCause::NoRandomness))?;
    let stamp = Stamp { time: clock.wall(), nonce };
    let outgoing =
        if may_wait { gateway.encode_waiting(ask, &stamp) } else { gateway.encode(ask, &stamp) };
    let mut reply = match call.kind {
        CallKind::Submit => transport.carry(&outgoing, clock.uptime(), left).await,
        CallKind::Query
        | CallKind::Reverse
        | CallKind::RefundQuery
        | CallKind::Order
        | CallKind::Close => transport.ask(&outgoing, clock.uptime()).await,
    };
    if let Ok(reply) = &mut reply {
        gateway.receive(&stamp, reply);
    }
    match &reply {
        Ok(reply) => tracing::debug!(
            out_trade_no = order.out_trade_no.as_str(),
            call = call.number,
            path = outgoing.request.uri().path(),
            status = reply.status().as_u16(),
            "answered"
        ),
        Err(failure) => tracing::warn!(
            out_trade_no = order.out_trade_no.as_str(),
            call = call.number,
            path = outgoing.request.uri().path(),
            ?failure,
            "no answer"
        ),
    }
    Ok(gateway.decode(ask, &reply?, clock.wall()))
}

fn reached(failure: Option<&TransportFailure>) -> Result<(), Reason> {
    failure.map_or(Ok(()), |failure| Err(failure.reason().clone()))
}
