//! What the page in front of the desk reads and asks: the journal, and the gateway.

use paytill::clock::{Millis, TimeZone};
use paytill::find::{Findings, Wanted};
use paytill::gateway::{Ask, Enquired, Lookup, Owner, Question, Reply};
use paytill::language::Text;
use paytill::money::Currency;
use paytill::order::Order;
use paytill::payment::{Answer, Event, Found, Inconclusive, TillCause};
use paytill::screen::ScreenMessage;

use super::line::{Said, Sent};
use super::{Due, REQUEST_TIMEOUT, World, account};

impl World {
    /// The journal is read a moment later.
    pub(super) fn search(&mut self, serial: u64, wanted: Wanted) {
        self.counter.searches.insert(serial, wanted);
        let at = self.now + 1 + serial % 50;
        self.plan_at(at, Due::Found { process: self.process, serial });
    }

    pub(super) fn found(&mut self, serial: u64) {
        let Some(wanted) = self.counter.searches.remove(&serial) else { return };
        let reader = self.reader();
        let result = reader.and_then(|reader| Findings::of(&reader, &wanted, &TimeZone::UTC));
        let result = result.map_err(|error| Text::each(|_| error.to_string()));
        self.show(ScreenMessage::Found { serial, result }, None);
    }

    /// As the till does: where its own query is under way, that is the question.
    pub(super) fn enquire(&mut self, serial: u64, question: Question) {
        if let Question::Order(order) = &question {
            self.person(&order.out_trade_no, Event::CheckNow, "asks at the page about");
            let engine = self.till.as_ref().map(|till| &till.engine);
            if let Some(attempt) = engine.and_then(|one| one.awaits_query(&order.out_trade_no)) {
                self.counter.asked.insert(attempt, (serial, question));
                return;
            }
        }
        self.ask(serial, question);
    }

    fn ask(&mut self, serial: u64, question: Question) {
        let mut rng = self.plan.chance("question", self.planned);
        let (stamp, codec) = (self.stamp(), &self.line.codec);
        let outgoing = match &question {
            Question::Order(order) => codec.encode(Ask::Query(order), &stamp),
            Question::Number(number) => {
                let order = self.order_of_number(number.clone());
                codec.encode(Ask::Query(&order), &stamp)
            }
            Question::Transaction(number) => {
                let merchant = account(&self.plan).merchant;
                let lookup = Lookup { merchant: &merchant, transaction_id: number };
                codec.encode_lookup(lookup, &stamp)
            }
        };
        let sent = Sent::of(question.number(), &outgoing);
        let is_lost =
            self.roll(&mut rng, self.climate.no_connection.max(self.climate.lost_answers));
        let mut reply = None;
        if !is_lost && !self.is_cut_off() {
            reply = if self.office.is_some() {
                self.backend_answers(&sent)
            } else {
                self.bank_takes(&sent).1
            };
        }
        if let Some(said) = &mut reply
            && self.roll(&mut rng, self.climate.altered_answers)
        {
            self.counts.faults += 1;
            self.alter(question.number(), said, &mut rng);
        }
        let after = if reply.is_some() { self.delay(&mut rng) } else { REQUEST_TIMEOUT };
        self.counter.questions.insert(serial, (question, stamp));
        self.plan_at(self.now + after, Due::Enquired { process: self.process, serial, reply });
    }

    fn order_of_number(&self, number: paytill::order::OutTradeNo) -> Order {
        Order::of_number(number, account(&self.plan).merchant, Currency::CNY)
    }

    pub(super) fn enquired(&mut self, serial: u64, reply: Option<Said>) {
        let Some((question, stamp)) = self.counter.questions.remove(&serial) else { return };
        let lost = || Inconclusive::Unknown(TillCause::NoAnswer.into());
        let reply: Option<Reply> = reply.map(|said| self.received(said, &stamp));
        let order = match &question {
            Question::Order(order) => (**order).clone(),
            Question::Number(number) => self.order_of_number(number.clone()),
            Question::Transaction(number) => {
                let merchant = account(&self.plan).merchant;
                let lookup = Lookup { merchant: &merchant, transaction_id: number };
                let owner = reply.map_or_else(
                    || Owner::Inconclusive(lost()),
                    |reply| self.line.codec.decode_lookup(lookup, &reply, self.wall()),
                );
                return self.answers_the_page(serial, Enquired::Owner(owner));
            }
        };
        let answer = reply
            .map(|reply| self.line.codec.decode(Ask::Query(&order), &reply, self.wall()).answer);
        let found = match answer {
            Some(Answer::Found(found)) => found,
            _ => Found::Inconclusive(lost()),
        };
        self.answers_the_page(serial, Enquired::Found(found));
    }

    /// The till's own call has its answer; if it was a query, the page has it, too.
    pub(super) fn answers_a_question(&mut self, attempt: i64, answer: &Answer) {
        let Some((serial, question)) = self.counter.asked.remove(&attempt) else { return };
        match answer {
            Answer::Found(found) => {
                self.answers_the_page(serial, Enquired::Found(found.clone()));
            }
            Answer::Submitted(_)
            | Answer::Reversed(_)
            | Answer::Refunds(_)
            | Answer::Ordered(_)
            | Answer::Closed(_) => {
                self.ask(serial, question);
            }
        }
    }

    fn answers_the_page(&mut self, serial: u64, enquired: Enquired) {
        self.show(ScreenMessage::Enquired { serial, enquired }, None);
    }

    /// What the page says must be true when it says so.
    pub(super) fn read_the_verdict(&mut self) {
        let verdict = self.till.as_ref().and_then(|till| till.screen.verdict());
        if verdict == self.verdict {
            return;
        }
        if let Some((number, verdict)) = &verdict {
            self.bank.advance(Millis(self.now));
            self.auditor.said_of(number, *verdict, &self.bank);
            let line = format!("the page says of {number}: {}", verdict.word());
            self.tell(|| line);
        }
        self.verdict = verdict;
    }
}
