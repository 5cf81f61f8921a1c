//! The question to the gateway what became of an order. A query changes nothing there; here nothing
//! is written, the till learns of it by its own queries.

use std::sync::Arc;

use crate::command::Failure;
use crate::command::open::codec;
use crate::config::{Config, GatewayConfig};
use crate::find::{GivenBack, Told, Why, order_of, verdict, whose};
use crate::gateway::{Enquired, Gateway, Question};
use crate::journal::JournalError;
use crate::money::Currency;
use crate::order::{Merchant, Order, OutTradeNo, TillId};
use crate::payment::{Reason, State, TillCause};
use crate::till::Enquiry;
use paytill_host::clock::Clock;
use paytill_host::gateway::{OpenError, Opened};
use paytill_host::transport::Transport;

/// Asks a real gateway; in training there is none that knows an order.
pub(super) struct Asker<'a> {
    line: Option<Line>,
    till: TillId,
    currency: Currency,
    clock: &'a Clock,
    /// Once it could not be reached, nobody waits for it again.
    silent: Option<Reason>,
}

struct Line {
    transport: Transport,
    codec: Arc<dyn Gateway>,
    merchant: Merchant,
}

impl From<Opened> for Line {
    fn from(opened: Opened) -> Self {
        let Opened { codec, transport, merchant, .. } = opened;
        Self { transport, codec: codec.gateway(), merchant }
    }
}

impl<'a> Asker<'a> {
    pub(super) async fn new(config: &Config, clock: &'a Clock) -> Result<Self, Failure> {
        let line = match &config.gateway {
            GatewayConfig::WechatV2(settings) => Some(settings.open()?.into()),
            GatewayConfig::WechatV3(settings) => Some(settings.open_once(clock).await?.into()),
            GatewayConfig::Backend(settings) => Some(Line {
                transport: settings.transport().map_err(OpenError::from)?,
                codec: codec(settings)?,
                merchant: settings.merchant.clone(),
            }),
            GatewayConfig::Simulator | GatewayConfig::Unread => None,
        };
        let (till, currency) = (config.till.id.clone(), config.till.currency);
        Ok(Self { line, till, currency, clock, silent: None })
    }

    /// What became of an order of ours. Where the till is with it is read once the answer is there: it
    /// may have moved on meanwhile.
    pub(super) async fn about(
        &mut self,
        order: Order,
        state: impl FnOnce() -> Result<(State, GivenBack), JournalError>,
    ) -> Result<Told, JournalError> {
        Ok(match self.ask(Question::Order(Box::new(order))).await {
            Ok(Enquired::Found(found)) => {
                let (state, back) = state()?;
                verdict(found, &state, back)
            }
            Ok(Enquired::Owner(_)) => Told::unknown(TillCause::BadAnswer),
            Err(told) => told,
        })
    }

    /// Whose a number is that is not in the journal.
    pub(super) async fn about_number(&mut self, number: OutTradeNo) -> Told {
        match self.ask(Question::Number(number.clone())).await {
            Ok(Enquired::Found(found)) => whose(&found, &number, &self.till),
            Ok(Enquired::Owner(_)) => Told::unknown(TillCause::BadAnswer),
            Err(told) => told,
        }
    }

    /// The number of our order that a transaction belongs to, or a verdict.
    pub(super) async fn order_of(&mut self, transaction: &str) -> Result<OutTradeNo, Told> {
        match self.ask(Question::Transaction(transaction.to_owned())).await? {
            Enquired::Owner(owner) => order_of(owner, &self.till),
            Enquired::Found(_) => Err(Told::unknown(TillCause::BadAnswer)),
        }
    }

    async fn ask(&mut self, question: Question) -> Result<Enquired, Told> {
        let Some(line) = &self.line else { return Err(Told::for_want_of(Why::Training)) };
        if let Some(reason) = &self.silent {
            return Err(Told::unknown(reason.clone()));
        }
        let enquiry = Enquiry {
            gateway: &*line.codec,
            transport: &line.transport,
            merchant: &line.merchant,
            currency: self.currency,
            clock: self.clock,
        };
        enquiry.make(question).await.map_err(|failure| {
            let reason = failure.reason().clone();
            self.silent = Some(reason.clone());
            Told::unknown(reason)
        })
    }
}
