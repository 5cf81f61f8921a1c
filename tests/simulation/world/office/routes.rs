//! What an instance does with a request, as the real routes do.

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use paytill::gateway::backend::message::{
    LONGEST_WAIT, PaymentList, PaymentRequest, RefundList, RefundRequest, Refusal, Refused,
};
use paytill::gateway::backend::signed::Credentials;
use paytill::order::OutTradeNo;
use paytill::payment::Status;
use paytill_backend::admission::{Admission, admit};
use paytill_backend::desk::{self, NotDone};
use paytill_backend::store::{PaymentRow, TillRow};
use paytill_backend::work::decide::{self, Begun, Decided};
use paytill_backend::work::decide_refund::{self, RefundBegun};
use paytill_backend::work::refunds::refusal;
use serde::Serialize;

use super::books::Failure;
use super::{Asker, Instance, News, Said, Sent, Step, Waiter, What, World};
use crate::invariants::Invariant;

/// What a proxy says for an instance that is gone.
const BAD_GATEWAY: &[u8] = b"<html><head><title>502 Bad Gateway</title></head></html>";

/// What is to be answered.
enum Served {
    Answer(StatusCode, Vec<u8>),
    /// At the latest after so long.
    Waits(String, News, u64),
    /// Whoever was to answer is gone.
    Nothing,
}

impl From<NotDone> for Served {
    fn from((refused, text): NotDone) -> Self {
        let refusal = Refusal { code: refused.word().to_owned(), text: text.to_owned() };
        Self::of(refused.status(), &refusal)
    }
}

impl From<Refused> for Served {
    fn from(refused: Refused) -> Self {
        (refused, "").into()
    }
}

impl From<Option<Refused>> for Served {
    fn from(refused: Option<Refused>) -> Self {
        refused.map_or(Self::Nothing, Into::into)
    }
}

impl Served {
    fn of(status: StatusCode, body: &impl Serialize) -> Self {
        Self::Answer(status, serde_json::to_vec(body).unwrap())
    }
}

/// An answer without a signature.
fn unsigned(status: u16, body: &[u8]) -> Said {
    Said { status, headers: Vec::new(), body: body.to_vec() }
}

impl World {
    /// A request reaches whatever stands before the instances.
    pub(in super::super) fn reaches_the_backend(&mut self, asker: Asker, sent: Sent) {
        let mut rng = self.office_chance("balance");
        let Some(office) = &self.office else { return };
        let who = rng.usize(..office.instances.len());
        if office.instances[who].is_up {
            return self.plan_step(self.now, who, Step::Hears { asker, sent });
        }
        self.office_drops(Step::Hears { asker, sent: sent.clone() });
        if rng.bool() {
            self.goes_back(asker, sent.number, unsigned(502, BAD_GATEWAY));
        }
    }

    /// A question that nobody waits for: what it is answered, if it is.
    pub(in super::super) fn backend_answers(&mut self, sent: &Sent) -> Option<Said> {
        let mut rng = self.office_chance("balance");
        let office = self.office.as_ref()?;
        let who = rng.usize(..office.instances.len());
        if !office.is_awake(who, self.now) {
            return None;
        }
        self.office_serves(who, None, sent)
    }

    pub(super) fn office_hears(&mut self, who: usize, asker: Asker, sent: &Sent) {
        if let Some(said) = self.office_serves(who, Some(asker), sent) {
            self.goes_back(asker, sent.number.clone(), said);
        }
        self.has_reached(asker, sent);
    }

    /// Admits a request, has it served, and signs what comes of it; `None` if that comes later or never.
    fn office_serves(&mut self, who: usize, asker: Option<Asker>, sent: &Sent) -> Option<Said> {
        let mut headers = HeaderMap::new();
        for (_, value) in sent.headers.iter().filter(|(name, _)| name == AUTHORIZATION.as_str()) {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        let Some(credentials) = Credentials::read(&headers) else {
            return Some(unsigned(401, b"{\"code\":\"unauthorized\"}"));
        };
        let found = self.books_read(|office| office.tills.get(&credentials.till).cloned());
        let Ok(till) = found else { return Some(unsigned(500, b"{\"code\":\"failed\"}")) };
        let now = self.office_clock(who);
        let office = self.office.as_mut()?;
        let request = (sent.method.as_str(), sent.target.as_str(), sent.body.as_slice());
        let Instance { life, nonces, .. } = &mut office.instances[who];
        let life = *life;
        let served = match admit(&credentials, till, request, now, nonces) {
            Admission::Stranger => return Some(unsigned(401, b"{\"code\":\"unauthorized\"}")),
            Admission::Refused(refused) => refused.into(),
            Admission::Heard(till) => self.office_does(who, &till, sent).unwrap_or_else(|why| why),
        };
        // It may have died of what it did.
        if self.office.as_ref().is_none_or(|office| office.instances[who].life != life) {
            return None;
        }
        let (name, number) = (self.office_name(who), &sent.number);
        match served {
            Served::Answer(status, body) => {
                self.tell(|| {
                    format!(
                        "  {name} answers {number}: {status} {}",
                        String::from_utf8_lossy(&body)
                    )
                });
                Some(self.office_vouches(who, (status, body), &credentials.nonce))
            }
            Served::Nothing => None,
            Served::Waits(number, news, wait) => {
                let nonce = credentials.nonce;
                self.office_waits(
                    who,
                    Waiter { who, asker: asker?, number, nonce, until: self.now + wait, news },
                );
                None
            }
        }
    }

    fn office_vouches(&self, who: usize, answer: (StatusCode, Vec<u8>), nonce: &str) -> Said {
        let (status, body) = answer;
        let mut headers = HeaderMap::new();
        if let Some(office) = &self.office {
            office.key.vouch((status, &body), nonce, self.office_clock(who), &mut headers);
        }
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        Said { status: status.as_u16(), headers: headers.collect(), body }
    }

    fn office_waits(&mut self, who: usize, waiter: Waiter) {
        let Some(office) = &mut self.office else { return };
        let (id, until) = (office.number(), waiter.until);
        let is_there = office.has_news(&waiter.number, &waiter.news);
        if let News::Payment(known, found) = &waiter.news {
            self.auditor.waits(id, &waiter.number, (*known, *found), until);
        }
        office.waiters.insert(id, waiter);
        let at = if is_there { self.now } else { until };
        self.plan_step(at, who, Step::Looks(id));
    }

    /// Somebody who waits for news is answered if there are any, or if the time is over.
    pub(super) fn office_looks(&mut self, who: usize, id: u64) {
        let now = self.now;
        let Some(office) = &mut self.office else { return };
        let Some(waiter) = office.waiters.get(&id) else { return };
        if !office.has_news(&waiter.number, &waiter.news) && now < waiter.until {
            return;
        }
        let Some(Waiter { asker, number, nonce, news, .. }) = office.waiters.remove(&id) else {
            return;
        };
        let paused_until = office.instances[who].paused_until;
        self.auditor.waits_no_longer(id, paused_until);
        let served = self.office_tells(who, &number, &news).unwrap_or_else(|why| why);
        if let Served::Answer(status, body) = served {
            let said = self.office_vouches(who, (status, body), &nonce);
            self.goes_back(asker, number, said);
        }
    }

    fn office_tells(&mut self, who: usize, number: &str, news: &News) -> Result<Served, Served> {
        match news {
            News::Payment(..) => {
                let row = self.office_payment(number)?.ok_or(Refused::NotFound)?;
                Ok(self.told(who, &row))
            }
            News::Refund(refund) => {
                let payment = self.office_payment(number)?.ok_or(Refused::NotFound)?;
                let row = self.books_read(|office| office.refund(number, refund).cloned());
                let row = row.map_err(|failure| failure.refused())?.ok_or(Refused::NotFound)?;
                let status =
                    if row.state.is_open() { StatusCode::ACCEPTED } else { StatusCode::OK };
                Ok(Served::of(status, &desk::refund_told(&payment, &row, self.office_clock(who))))
            }
        }
    }

    fn told(&self, who: usize, row: &PaymentRow) -> Served {
        let status = if row.state.is_settled() { StatusCode::OK } else { StatusCode::ACCEPTED };
        Served::of(status, &desk::told(row, self.office_clock(who)))
    }

    fn office_payment(&mut self, number: &str) -> Result<Option<PaymentRow>, Served> {
        let row = self.books_read(|office| office.payments.get(number).cloned());
        row.map_err(|failure| failure.refused().into())
    }

    fn office_does(&mut self, who: usize, till: &TillRow, sent: &Sent) -> Result<Served, Served> {
        let target = sent.target.strip_prefix("/v1/payments").ok_or(Refused::NotFound)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (sent.method.as_str(), parts.as_slice()) {
            ("PUT", [number]) => self.office_begins(who, till, number, &sent.body),
            ("GET", [number]) => {
                let number = desk::own_number(till, (*number).to_owned())?;
                let row = self.office_payment(number.as_str())?;
                let row = row.filter(|row| row.till == till.till).ok_or(Refused::NotFound)?;
                let asked = |name: &str| {
                    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                    pairs.find(|(known, _)| *known == name)?.1.parse::<i64>().ok()
                };
                let wait = asked("wait_ms").and_then(|wait| u64::try_from(wait).ok());
                let wait = wait.unwrap_or(0).min(LONGEST_WAIT);
                let (known, found) = (asked("known"), row.state.status());
                if wait > 0 && !decide::is_news(&row, known, found) {
                    let news = News::Payment(known, found);
                    return Ok(Served::Waits(number.to_string(), news, wait));
                }
                Ok(self.told(who, &row))
            }
            ("POST", [number, "reversal" | "close"]) => self.office_reverses(who, till, number),
            ("GET", [number, "refunds"]) => self.office_lists(who, till, number),
            ("GET", [number, "refunds", refund]) => {
                self.office_of_store(till, number)?;
                self.office_tells(who, number, &News::Refund((*refund).to_owned()))
            }
            ("PUT", [number, "refunds", refund]) => {
                self.office_refunds(who, till, (number, refund), &sent.body)
            }
            ("GET", []) => {
                let id = query.strip_prefix("transaction_id=").ok_or(Refused::NotFound)?;
                let found = self.books_read(|office| {
                    let is_it = |row: &&PaymentRow| {
                        row.till == till.till
                            && row.state.proof().is_some_and(|proof| proof.transaction_id == id)
                    };
                    office.payments.values().find(is_it).cloned()
                });
                let found = found.map_err(|failure| failure.refused())?;
                let now = self.office_clock(who);
                let payments = found.iter().map(|row| desk::told(row, now)).collect();
                Ok(Served::of(StatusCode::OK, &PaymentList { payments, next: None }))
            }
            _ => Err(Refused::NotFound.into()),
        }
    }

    fn office_begins(
        &mut self,
        who: usize,
        till: &TillRow,
        number: &str,
        body: &[u8],
    ) -> Result<Served, Served> {
        let number = desk::own_number(till, number.to_owned())?;
        let request: PaymentRequest = serde_json::from_slice(body)
            .map_err(|_| (Refused::BadRequest, "the body is not a payment"))?;
        let (now, jitter) = (self.office_clock(who), self.office_chance("jitter").u8(..));
        let Some(office) = &self.office else { return Ok(Served::Nothing) };
        let new = office.desk.payment(till, number.clone(), &request, now, jitter)?;
        let was_there = office.payments.contains_key(number.as_str());
        let begun =
            self.books_change(who, number.as_str(), |row, now, _| decide::begin(row, &new, now));
        let row = match begun {
            Ok(Begun::New(decided)) => {
                let row = decided.row.clone();
                self.office_follows(who, *decided, request.auth_code);
                row
            }
            Ok(Begun::Known(row)) => *row,
            Ok(Begun::Refused(refused)) => return Err(refused.into()),
            Err(failure) => {
                // An earlier copy of it may be there.
                if !was_there {
                    self.not_written(&number, &failure);
                }
                return Err(failure.unwritten().into());
            }
        };
        if row.state.status() == Status::Sent {
            let news = News::Payment(Some(row.version), row.state.status());
            return Ok(Served::Waits(number.to_string(), news, LONGEST_WAIT));
        }
        Ok(self.told(who, &row))
    }

    /// What is said not to be sent must not be in the books by this very request.
    fn not_written(&mut self, number: &OutTradeNo, failure: &Failure) {
        let books = self.office.as_ref().map(|office| &office.payments);
        let is_there = books.is_some_and(|books| books.contains_key(number.as_str()));
        if failure.unwritten() == Some(Refused::NotSent) && is_there {
            let what = format!("{number} is said not to be sent, and it is in the books");
            self.auditor.broken(Invariant::NotSentIsNotSent, what);
        }
    }

    fn office_reverses(
        &mut self,
        who: usize,
        till: &TillRow,
        number: &str,
    ) -> Result<Served, Served> {
        let number = desk::own_number(till, number.to_owned())?;
        let now = self.office_clock(who);
        let Some(office) = &self.office else { return Ok(Served::Nothing) };
        let unseen = office.desk.unseen(till, number.clone(), now);
        let begun = self
            .books_change(who, number.as_str(), |row, now, _| decide::reversed(row, &unseen, now));
        let row = match begun.map_err(|failure| failure.refused())? {
            Begun::New(decided) => {
                let row = decided.row.clone();
                self.office_follows(who, *decided, None);
                row
            }
            Begun::Known(row) => *row,
            Begun::Refused(refused) => return Err(refused.into()),
        };
        Ok(self.told(who, &row))
    }

    /// A payment of the till's store.
    fn office_of_store(&mut self, till: &TillRow, number: &str) -> Result<PaymentRow, Served> {
        let row = self.office_payment(number)?;
        row.filter(|row| row.store == till.store).ok_or_else(|| Refused::NotFound.into())
    }

    fn office_lists(&mut self, who: usize, till: &TillRow, number: &str) -> Result<Served, Served> {
        let payment = self.office_of_store(till, number)?;
        let rows = self.books_read(|office| office.refunds.get(number).cloned());
        let rows = rows.map_err(|failure| failure.refused())?.unwrap_or_default();
        let now = self.office_clock(who);
        let refunds = rows.iter().map(|row| desk::refund_told(&payment, row, now)).collect();
        Ok(Served::of(StatusCode::OK, &RefundList { refunds }))
    }

    fn office_refunds(
        &mut self,
        who: usize,
        till: &TillRow,
        (number, refund): (&str, &str),
        body: &[u8],
    ) -> Result<Served, Served> {
        let payment = self.office_of_store(till, number)?;
        let key = desk::refund_key(&payment, refund.to_owned())?;
        let request: RefundRequest = serde_json::from_slice(body)
            .map_err(|_| (Refused::BadRequest, "the body is not a refund"))?;
        let new = desk::refund(till, key, &request, self.office_clock(who))?;
        let jitter = self.office_chance("jitter").u8(..);
        let begun =
            self.books_change_refund(who, number, Some(&till.till), |books, now, office| {
                let may = (&till.rights, &office.desk.merchant);
                decide_refund::begin(books, &new, &till.store, may, jitter, now)
            });
        match begun {
            Ok(RefundBegun::New(decided)) => self.office_follows_refund(who, *decided),
            Ok(RefundBegun::Known(_)) => {}
            Ok(RefundBegun::Refused(refused)) => return Err(refused.into()),
            Ok(RefundBegun::NotNow(why)) => return Err((refusal(&why), why.word()).into()),
            Err(failure) => return Err(failure.unwritten().into()),
        }
        Ok(Served::Waits(number.to_owned(), News::Refund(refund.to_owned()), LONGEST_WAIT))
    }

    pub(super) fn office_follows(
        &mut self,
        who: usize,
        decided: Decided,
        code: Option<paytill::order::AuthCode>,
    ) {
        let Decided { row, call } = decided;
        if let Some(call) = call {
            self.office_plans_call(who, What::Payment { row: Box::new(row), call, code });
        }
    }

    pub(super) fn office_follows_refund(
        &mut self,
        who: usize,
        decided: decide_refund::RefundDecided,
    ) {
        let decide_refund::RefundDecided { row, payment, call } = decided;
        if let Some(call) = call {
            let refund = Box::new(row.refund(&payment));
            self.office_plans_call(who, What::Refund { row: Box::new(row), refund, call });
        }
    }
}
