//! A question to the gateway about a number, for whoever wants to know: it changes nothing there, and
//! nothing of it is recorded.

use std::sync::Arc;

use super::{Notice, Till, WorkerMessage};
use crate::engine::By;
use crate::gateway::{Ask, Enquired, Gateway, Lookup, Question, Stamp};
use crate::money::Currency;
use crate::order::{Merchant, Order};
use crate::payment::{Answer, Event, Found, Inconclusive, TillCause};
use paytill_host::clock::Clock;
use paytill_host::random;
use paytill_host::transport::{Transport, TransportFailure};

/// What a question needs.
pub struct Enquiry<'a> {
    pub gateway: &'a dyn Gateway,
    pub transport: &'a Transport,
    /// In whose name it is asked.
    pub merchant: &'a Merchant,
    pub currency: Currency,
    pub clock: &'a Clock,
}

impl Enquiry<'_> {
    /// Asks, and waits for the answer. Fails if there was none.
    pub async fn make(&self, question: Question) -> Result<Enquired, TransportFailure> {
        let nonce =
            random::nonce().ok_or_else(|| TransportFailure::not_sent(TillCause::NoRandomness))?;
        let stamp = Stamp { time: self.clock.wall(), nonce };
        let order = match question {
            Question::Order(order) if order.merchant != *self.merchant => {
                let why = Inconclusive::NotSent(TillCause::MerchantChanged.into());
                return Ok(Enquired::Found(Found::Inconclusive(why)));
            }
            Question::Order(order) => *order,
            Question::Number(number) => {
                Order::of_number(number, self.merchant.clone(), self.currency)
            }
            Question::Transaction(number) => {
                let lookup = Lookup { merchant: self.merchant, transaction_id: &number };
                let outgoing = self.gateway.encode_lookup(lookup, &stamp);
                let mut reply = self.transport.ask(&outgoing, self.clock.uptime()).await?;
                self.gateway.receive(&stamp, &mut reply);
                let owner = self.gateway.decode_lookup(lookup, &reply, self.clock.wall());
                return Ok(Enquired::Owner(owner));
            }
        };
        let ask = Ask::Query(&order);
        let outgoing = self.gateway.encode(ask, &stamp);
        let mut reply = self.transport.ask(&outgoing, self.clock.uptime()).await?;
        self.gateway.receive(&stamp, &mut reply);
        Ok(Enquired::Found(match self.gateway.decode(ask, &reply, self.clock.wall()).answer {
            Answer::Found(found) => found,
            Answer::Submitted(_)
            | Answer::Reversed(_)
            | Answer::Refunds(_)
            | Answer::Ordered(_)
            | Answer::Closed(_) => {
                Found::Inconclusive(Inconclusive::Unknown(TillCause::BadAnswer.into()))
            }
        }))
    }
}

impl Till {
    /// Asks the gateway about an order, also one that is not ours: [`Notice::Enquired`] brings the
    /// answer. The engine asks about what it drives, and learns of it; nothing else is recorded.
    pub fn enquire(&mut self, serial: u64, question: Question, by: Option<By>) {
        if let Question::Order(order) = &question {
            self.handle_event(&order.out_trade_no, Event::CheckNow, by);
            if let Some(attempt) = self.engine.awaits_query(&order.out_trade_no) {
                self.asked.insert(attempt, (serial, question));
                return;
            }
        }
        self.ask(serial, question);
    }

    fn ask(&self, serial: u64, question: Question) {
        let (gateway, transport) = (Arc::clone(&self.gateway), Arc::clone(&self.transport));
        let (merchant, currency) = (self.merchant.clone(), self.currency);
        let (sender, clock) = (self.sender.clone(), self.clock.clone());
        tokio::spawn(async move {
            let is_transaction = matches!(question, Question::Transaction(_));
            let enquiry = Enquiry {
                gateway: &*gateway,
                transport: &transport,
                merchant: &merchant,
                currency,
                clock: &clock,
            };
            let result = enquiry.make(question).await;
            let _ = sender.send(WorkerMessage::Enquired { serial, is_transaction, result });
        });
    }

    /// The answer to a call about an attempt, for whoever asked about it meanwhile.
    pub(super) fn answer_question(&mut self, attempt: i64, answer: &Answer) {
        let Some((serial, question)) = self.asked.remove(&attempt) else { return };
        match answer {
            Answer::Found(found) => {
                let enquired = Enquired::Found(found.clone());
                self.notices.push_back(Notice::Enquired { serial, enquired });
            }
            // The query has given way to this call.
            Answer::Submitted(_)
            | Answer::Reversed(_)
            | Answer::Refunds(_)
            | Answer::Ordered(_)
            | Answer::Closed(_) => {
                self.ask(serial, question);
            }
        }
    }
}
