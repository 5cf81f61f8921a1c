//! Refunds: as payments, written before they are sent, and never sent twice at once.

use super::{Notice, Till, WorkerMessage};
use crate::engine::{By, Draw, RefundEntry, RefundRecord, RefundReport, RefundStart};
use crate::gateway::{DecodedRefund, Gateway, RefundAsk, Stamp};
use crate::journal::{JournalError, JournalReader, is_cash_returned};
use crate::money::Money;
use crate::order::OutTradeNo;
use crate::payment::{Reason, TillCause};
use crate::refund::{OutRefundNo, Refund, RefundAnswer, RefundCall, RefundEvent, RefundRefusal};
use paytill_host::clock::Clock;
use paytill_host::random;
use paytill_host::transport::{Transport, TransportFailure};

/// Why no refund was begun. Nothing was written or sent.
#[derive(Debug)]
pub enum NotRefunded {
    /// The order could not be read.
    Journal(JournalError),
    NoSuchOrder,
    Refused(RefundRefusal),
}

impl From<JournalError> for NotRefunded {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Till {
    /// Begins a refund of so much of an order, or of all that is left. Returns before anything is
    /// sent; [`Till::next`] reports the rest.
    pub fn refund(
        &mut self,
        out_trade_no: &OutTradeNo,
        amount: Option<Money>,
        reason: String,
        by: Option<By>,
    ) -> Result<OutRefundNo, NotRefunded> {
        let start = read_refund(&self.writer.reader()?, out_trade_no)?;
        self.begin_refund(RefundStart { amount, reason, by, ..start })
    }

    /// The same, where the order was read before: [`read_refund`].
    pub fn begin_refund(&mut self, start: RefundStart) -> Result<OutRefundNo, NotRefunded> {
        let start = RefundStart { draw: Draw(random::draw().unwrap_or_default()), ..start };
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let (number, effects) =
            self.engine.begin_refund(start, now, wall).map_err(NotRefunded::Refused)?;
        self.perform(effects);
        Ok(number)
    }

    /// A person has settled a refund that needs one; [`Till::next`] reports it.
    pub fn settle_refund(&mut self, number: &OutRefundNo, how: String, by: Option<By>) {
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        let effects = self.engine.settle_refund(number, how, by, now, wall);
        self.perform(effects);
    }

    /// The refunds with work left.
    pub fn open_refunds(&self) -> impl Iterator<Item = RefundRecord> {
        self.engine.open_refunds()
    }

    /// Whether what becomes of a refund is not known, or a person must look after it.
    pub fn is_refund_unclear(&self) -> bool {
        self.engine.is_refund_unclear()
    }

    /// Whether something about a refund is to come within a moment.
    pub fn is_refund_busy(&self) -> bool {
        self.engine.is_refund_busy(self.clock.uptime())
    }

    pub(super) fn refund_answered(
        &mut self,
        refund: i64,
        call: RefundCall,
        result: Result<DecodedRefund, TransportFailure>,
    ) -> Vec<crate::engine::Effect> {
        let decoded = result.unwrap_or_else(|failure| DecodedRefund {
            answer: RefundAnswer::inconclusive(call.kind, failure.into()),
            record: Vec::new(),
        });
        let event = RefundEvent::Answered(call.number, decoded.answer);
        let (now, wall) = (self.clock.uptime(), self.clock.wall());
        self.engine.handle_refund_event(refund, event, decoded.record, now, wall)
    }

    pub(super) fn write_refund(&mut self, entry: RefundEntry) {
        let refund = entry.refund;
        if !self.writer.write_refund(entry) {
            self.stop(JournalError::Ended);
            let (now, wall) = (self.clock.uptime(), self.clock.wall());
            let effects = self.engine.refund_written(refund, false, now, wall);
            self.perform(effects);
        }
    }

    pub(super) fn report_refund(&mut self, report: Box<RefundReport>) {
        let refund = &report.refund;
        tracing::info!(
            out_refund_no = refund.out_refund_no.as_str(),
            status = refund.state.status().word(),
            reason = refund.state.reason().as_ref().map(Reason::code),
            recorded = refund.recorded,
            "refund moved"
        );
        self.notices.push_back(Notice::Refund(report));
    }

    pub(super) fn call_refund(&self, refund: i64, what: Refund, call: RefundCall) {
        let (gateway, transport) = (self.gateway.clone(), self.transport.clone());
        let (sender, clock) = (self.sender.clone(), self.clock.clone());
        tokio::spawn(async move {
            let result = carry(&*gateway, &transport, &what, call, &clock).await;
            let _ = sender.send(WorkerMessage::RefundAnswered { refund, call, result });
        });
    }
}

/// What a refund of an order takes, but for its amount, reason and operator.
pub fn read_refund(
    reader: &JournalReader,
    out_trade_no: &OutTradeNo,
) -> Result<RefundStart, NotRefunded> {
    let row = reader.order(out_trade_no.as_str())?.ok_or(NotRefunded::NoSuchOrder)?;
    if row.state.cash().is_some() && is_cash_returned(&reader.entries(row.attempt)?) {
        return Err(NotRefunded::Refused(RefundRefusal::NothingLeft));
    }
    Ok(RefundStart {
        attempt: row.attempt,
        sale: row.sale,
        order: reader.request(row.attempt)?,
        payment: row.state,
        earlier: reader.refunds(row.attempt)?.into_iter().map(Into::into).collect(),
        amount: None,
        reason: String::new(),
        by: None,
        draw: Draw::default(),
    })
}

/// One call, there and back. A refund may arrive any number of times: its number is carried out once.
async fn carry(
    gateway: &dyn Gateway,
    transport: &Transport,
    refund: &Refund,
    call: RefundCall,
    clock: &Clock,
) -> Result<DecodedRefund, TransportFailure> {
    let nonce =
        random::nonce().ok_or_else(|| TransportFailure::not_sent(TillCause::NoRandomness))?;
    let ask = RefundAsk { kind: call.kind, refund };
    let stamp = Stamp { time: clock.wall(), nonce };
    let outgoing = gateway.encode_refund(ask, &stamp);
    let mut reply = transport.ask(&outgoing, clock.uptime()).await;
    if let Ok(reply) = &mut reply {
        gateway.receive(&stamp, reply);
    }
    match &reply {
        Ok(reply) => tracing::debug!(
            out_refund_no = refund.out_refund_no.as_str(),
            call = call.number,
            path = outgoing.request.uri().path(),
            status = reply.status().as_u16(),
            "answered"
        ),
        Err(failure) => tracing::warn!(
            out_refund_no = refund.out_refund_no.as_str(),
            call = call.number,
            path = outgoing.request.uri().path(),
            ?failure,
            "no answer"
        ),
    }
    Ok(gateway.decode_refund(ask, &reply?, clock.wall()))
}
