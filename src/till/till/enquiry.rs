//! A question to the gateway about a number, for whoever wants to know: it changes nothing there, and
//! nothing of it is recorded.

use crate::gateway::{Ask, Enquired, Gateway, Lookup, Question, Stamp};
use crate::money::Currency;
use crate::order::{Merchant, Order};
use crate::payment::{Answer, Found, Inconclusive, TillCause};
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
                let reply = self.transport.ask(&outgoing, self.clock.uptime()).await?;
                let owner = self.gateway.decode_lookup(lookup, &reply, self.clock.wall());
                return Ok(Enquired::Owner(owner));
            }
        };
        let ask = Ask::Query(&order);
        let outgoing = self.gateway.encode(ask, &stamp);
        let reply = self.transport.ask(&outgoing, self.clock.uptime()).await?;
        Ok(Enquired::Found(match self.gateway.decode(ask, &reply, self.clock.wall()).answer {
            Answer::Found(found) => found,
            Answer::Submitted(_) | Answer::Reversed(_) | Answer::Refunds(_) => {
                Found::Inconclusive(Inconclusive::Unknown(TillCause::BadAnswer.into()))
            }
        }))
    }
}
