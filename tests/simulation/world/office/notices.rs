//! What the gateway tells unasked: its way to the instances, what somebody makes of it there, and what an
//! instance does with it, as the real route does.

use paytill::clock::Millis;
use paytill::simulator::notices::Posting;
use paytill::simulator::{NoticeCase, NoticeStage};
use paytill_backend::routes::notify::{Answer, answer, refused};
use paytill_backend::work::decide_notice::{self, Moved};
use paytill_backend::work::notices::Delivered;

use super::books::Failure;
use super::{Due, Office, OfficeDue, Step, World};
use crate::auditor::Heard;
use crate::plan::{HEALED, HELD_AT_MOST};

/// The gateway waits for so long, in milliseconds.
const ANSWER_WITHIN: u64 = 5_000;

/// A notification on its way.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in super::super) struct Telling {
    /// Which of the bank's, and the how manieth time that it is sent.
    token: usize,
    nth: usize,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Somebody without the key has changed it.
    is_falsified: bool,
}

impl World {
    /// The bank sends what it has to tell by now.
    pub(in super::super) fn bank_tells(&mut self) {
        if self.office.is_none() {
            return;
        }
        let (now, wall) = (Millis(self.now), self.banks_clock());
        while let Some(posting) = self.bank.take_notice(now, wall) {
            self.tells_the_backend(posting);
        }
        let Some(next) = self.bank.next_notice(now) else { return };
        let Some(office) = &mut self.office else { return };
        if office.next_telling.is_none_or(|planned| next.0 < planned) {
            office.next_telling = Some(next.0);
            self.plan_at(next.0, Due::Office(OfficeDue::Tells));
        }
    }

    fn tells_the_backend(&mut self, Posting { token, headers, body, .. }: Posting) {
        let mut rng = self.office_chance("notice");
        let notice = &self.bank.notices()[token];
        let (nth, number) = (notice.sent, notice.out_trade_no.clone());
        self.counts.notices += 1;
        self.tell(|| format!("  the bank tells of {number}, for the {nth}. time"));
        let unheard = OfficeDue::Acknowledged { token, nth, answer: None };
        self.plan_at(self.now + ANSWER_WITHIN, Due::Office(unheard));
        let is_lost = self.roll(&mut rng, self.climate.lost_requests) || self.is_cut_off();
        let is_held = self.roll(&mut rng, self.climate.held_requests);
        let is_twofold = self.roll(&mut rng, self.climate.twofold_requests);
        let late = (self.now + rng.u64(1..HELD_AT_MOST)).min(HEALED.max(self.now));
        let soon = self.now + self.delay(&mut rng);
        let on_time = (!is_lost).then_some(if is_held { late } else { soon });
        self.counts.faults += u64::from(is_lost || is_held || is_twofold);
        let headers: Vec<_> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for at in is_twofold.then_some(late).into_iter().chain(on_time) {
            let (headers, body) = (headers.clone(), body.clone());
            let mut telling = Telling { token, nth, headers, body, is_falsified: false };
            if self.roll(&mut rng, self.climate.altered_answers) {
                telling.falsify(&mut rng);
            }
            self.counts.faults += u64::from(telling.is_falsified);
            self.plan_at(at, Due::Office(OfficeDue::Told(telling)));
        }
    }

    /// It reaches whatever stands before the instances.
    pub(super) fn telling_comes(&mut self, telling: Telling) {
        let mut rng = self.office_chance("balance");
        let Some(office) = &self.office else { return };
        let who = rng.usize(..office.instances.len());
        if office.instances[who].is_up {
            return self.plan_step(self.now, who, Step::IsTold(telling));
        }
        let (token, nth) = (telling.token, telling.nth);
        let answer = Some((502, ""));
        self.plan_at(self.now, Due::Office(OfficeDue::Acknowledged { token, nth, answer }));
    }

    pub(super) fn office_is_told(&mut self, who: usize, telling: &Telling) {
        let now = self.office_clock(who);
        let Some(office) = &self.office else { return };
        let version = office.reader.version();
        let mut delivery = http::Request::post("/notify");
        for (name, value) in &telling.headers {
            delivery = delivery.header(name, value);
        }
        let Ok(delivery) = delivery.body(telling.body.clone()) else { return };
        let notice = &self.bank.notices()[telling.token];
        let (number, spoilt) = (notice.out_trade_no.clone(), notice.spoilt);
        let is_refund = notice.out_refund_no.is_some();
        let before = office.payments.get(&number).cloned();
        let told_before = office.outbox.len();
        let (name, life) = (self.office_name(who), office.instances[who].life);
        let (mut kept_as, mut is_new) = (None, true);
        let answered = match office.reader.read(&delivery, now) {
            Err(why) => {
                self.tell(|| format!("  {name} refuses to hear of {number}: {why:?}"));
                Some(refused(version))
            }
            Ok(notice) => {
                let delivered = Delivered { headers: Vec::new(), body: telling.body.clone() };
                let row = delivered.row(&notice, &office.desk.merchant.mch_id, now);
                let kept = self.books_notice(who, &row, |books, now| {
                    decide_notice::judge(books, &notice, now)
                });
                kept_as = Some(row.id);
                match kept {
                    Ok(kept) => {
                        let verdict = kept.verdict.word();
                        is_new = kept.is_new;
                        self.tell(|| format!("  {name} is told of {number}: {verdict}, {is_new}"));
                        match kept.done {
                            Some(Moved::Payment(decided)) => {
                                self.office_follows(who, *decided, None);
                            }
                            Some(Moved::Refund(decided)) => {
                                self.office_follows_refund(who, *decided);
                            }
                            None => {}
                        }
                        Some(answer(version, Ok(())))
                    }
                    Err(Failure::Store(error)) => Some(answer(version, Err(&error))),
                    Err(Failure::Died) => None,
                }
            }
        };
        let Some(office) = &self.office else { return };
        let is_kept = kept_as.is_some_and(|id| office.has_notice(&id));
        let heard = Heard {
            is_refund,
            is_genuine: !telling.is_falsified && spoilt.is_none(),
            is_ours: !telling.is_falsified
                && matches!(spoilt, None | Some(NoticeCase::WrongAmount)),
            status: answered.map(|answer| answer.status.as_u16()),
            is_kept,
            is_new,
            has_told: office.outbox.len() - told_before,
        };
        let after = office.payments.get(&number);
        self.auditor.is_told(&number, &heard, (before.as_ref(), after));
        if office.instances[who].life == life
            && let Some(Answer { status, body }) = answered
        {
            let text = body.map_or("", |(_, text)| text);
            self.telling_goes_back((telling.token, telling.nth), (status.as_u16(), text));
        }
    }

    fn telling_goes_back(&mut self, (token, nth): (usize, usize), answer: (u16, &'static str)) {
        let mut rng = self.office_chance("acknowledgement");
        if self.roll(&mut rng, self.climate.lost_answers) || self.is_cut_off() {
            self.counts.faults += 1;
            return;
        }
        let at = self.now + self.delay(&mut rng);
        let answer = Some(answer);
        self.plan_at(at, Due::Office(OfficeDue::Acknowledged { token, nth, answer }));
    }

    /// The bank takes the first answer to each time that it has told something.
    pub(super) fn telling_answered(
        &mut self,
        (token, nth): (usize, usize),
        answer: Option<(u16, &'static str)>,
    ) {
        let notice = &self.bank.notices()[token];
        if notice.stage != NoticeStage::Sent || notice.sent != nth {
            return;
        }
        let answer = answer.map(|(status, text)| (status, text.as_bytes()));
        let story = self.bank.notice_answered(token, answer, Millis(self.now));
        self.tell(|| format!("  bank: {story}"));
        self.bank_tells();
    }
}

impl Telling {
    /// What somebody without the key can do. Of refunds API v2 signs nothing: those are reasons to ask, and
    /// nothing more.
    fn falsify(&mut self, rng: &mut fastrand::Rng) {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        let signature = |name: &String| name.starts_with("Wechatpay-Signature");
        if self.headers.iter().any(|(name, _)| signature(name)) {
            match rng.u8(..3) {
                0 => self.headers.retain(|(name, _)| !signature(name)),
                1 => self.body = text.replacen("\"summary\":\"", "\"summary\":\"x", 1).into(),
                _ => {
                    for (_, value) in self.headers.iter_mut().filter(|(name, _)| signature(name)) {
                        *value = value.chars().rev().collect();
                    }
                }
            }
            self.is_falsified = true;
        } else if !text.contains("<req_info>") {
            self.body = match rng.u8(..3) {
                0 => text.replacen("</total_fee>", "0</total_fee>", 1),
                1 => text.replacen("<transaction_id>", "<transaction_id>9", 1),
                _ => text.replacen("<sign>", "<sign>0", 1),
            }
            .into();
            self.is_falsified = self.body != text.as_bytes();
        }
    }
}

impl Office {
    /// Whether this notification is in the books, as what it says or as a contradiction.
    fn has_notice(&self, id: &str) -> bool {
        self.notices.contains_key(id) || self.notices.contains_key(&format!("{id}-mismatch"))
    }
}
