//! What tills ask for, as the rows that it makes, and rows as tills are told of them. Pure.

use aws_lc_rs::hmac;

use paytill_core::clean::clean;
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::message::{
    Channel, Payment, PaymentRequest, Refund, RefundRequest, Refused, Told,
};
use paytill_core::money::{Currency, Money};
use paytill_core::order::{AuthCode, Merchant, Order, OutTradeNo, TillId};
use paytill_core::payment::{Funds, Reason, Rules, State, Status, TillCause};
use paytill_core::refund::{OutRefundNo, RefundState};

use crate::store::{Acknowledged, PaymentKey, PaymentRow, RefundKey, RefundRow, TillRow};

/// What all rows of a merchant share.
pub struct Desk {
    pub merchant: Merchant,
    pub currency: Currency,
    pub rules: Rules,
    /// How long a code of ours may be scanned at most.
    pub qr_lasts: Millis,
    /// For keyed digests of requests.
    pub digest_key: hmac::Key,
}

/// Why a request makes no row, with a word on what is wrong in it.
pub type NotDone = (Refused, &'static str);

impl Desk {
    /// The payment of this merchant with that number.
    pub fn key(&self, out_trade_no: &OutTradeNo) -> PaymentKey {
        PaymentKey { merchant: self.merchant.mch_id.clone(), out_trade_no: out_trade_no.clone() }
    }

    /// The row that a request to be paid makes if it is new. `jitter` is random.
    pub fn payment(
        &self,
        till: &TillRow,
        number: OutTradeNo,
        request: &PaymentRequest,
        now: Timestamp,
        jitter: u8,
    ) -> Result<PaymentRow, NotDone> {
        let may = match request.channel {
            Channel::Micropay => till.rights.charge,
            Channel::Native => till.rights.charge && till.rights.qr,
        };
        if till.revoked_at.is_some() {
            return Err((Refused::Revoked, ""));
        }
        if !may {
            return Err((Refused::NotAllowed, ""));
        }
        if request.auth_code.is_some() != (request.channel == Channel::Micropay) {
            return Err((Refused::BadRequest, "auth_code belongs to micropay alone"));
        }
        let is_ours = Currency::from_code(&request.currency) == Some(self.currency);
        if request.amount <= 0 || !is_ours {
            return Err((Refused::BadRequest, "amount or currency"));
        }
        let order = Order {
            out_trade_no: number,
            amount: Money::from_minor(request.amount),
            currency: self.currency,
            merchant: self.merchant.clone(),
            body: cut(&clean(&request.description, 127), 127),
            device_info: cut(&clean(&request.device, 32), 32),
            client_ip: cut(&clean(&request.client_ip, 45), 45),
            mark: cut(&clean(&request.mark, 32), 32),
        };
        let state = match request.channel {
            Channel::Micropay => State::begin(&self.rules, jitter),
            Channel::Native => {
                let lasts = request.lasts_ms.map_or(self.qr_lasts, Millis).min(self.qr_lasts);
                State::begin_qr(lasts, jitter)
            }
        };
        let fingerprint = self.fingerprint(request);
        let acknowledged =
            if request.acknowledges { Acknowledged::NotYet } else { Acknowledged::Never };
        let row = self.row(till, order, request.channel, now);
        Ok(PaymentRow { fingerprint, state, acknowledged, ..row })
    }

    /// The row of a number that is reversed before it came: it refuses it from then on.
    pub fn unseen(&self, till: &TillRow, number: OutTradeNo, now: Timestamp) -> PaymentRow {
        let order = Order::of_number(number, self.merchant.clone(), self.currency);
        self.row(till, order, Channel::Micropay, now)
    }

    fn row(&self, till: &TillRow, order: Order, channel: Channel, now: Timestamp) -> PaymentRow {
        PaymentRow {
            key: self.key(&order.out_trade_no),
            store: till.store.clone(),
            till: till.till.clone(),
            channel,
            order,
            fingerprint: Vec::new(),
            state: State::refused(Reason::from(TillCause::Cancelled)),
            version: 1,
            began_at: now,
            wake_at: None,
            lease: None,
            seen: 0,
            acknowledged: Acknowledged::Never,
            as_of: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// A keyed digest of a request: the payment code is in it, and cannot be got out of it.
    fn fingerprint(&self, request: &PaymentRequest) -> Vec<u8> {
        let amount = request.amount.to_string();
        let lasts = request.lasts_ms.map(|lasts| lasts.to_string()).unwrap_or_default();
        let code = request.auth_code.as_ref().map(AuthCode::expose).unwrap_or_default();
        let mut digest = hmac::Context::with_key(&self.digest_key);
        for part in [
            request.channel.word(),
            &amount,
            &request.currency,
            code,
            &request.description,
            &request.device,
            &request.mark,
            &lasts,
        ] {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        digest.sign().as_ref().to_vec()
    }
}

/// A number that this till may use: those that begin with its id.
pub fn own_number(till: &TillRow, number: String) -> Result<OutTradeNo, NotDone> {
    let not_own = (Refused::NotAllowed, "not a number of this till");
    let number = OutTradeNo::try_from(number).map_err(|_| not_own)?;
    let id = TillId::new(&till.till);
    if id.is_some_and(|id| number.is_of(&id)) { Ok(number) } else { Err(not_own) }
}

/// A refund's number: it begins with the order's, so that no two orders share one.
pub fn refund_key(payment: &PaymentRow, number: String) -> Result<RefundKey, NotDone> {
    let out_refund_no = OutRefundNo::try_from(number)
        .map_err(|_| (Refused::BadRequest, "not a refund's number"))?;
    if !out_refund_no.as_str().starts_with(payment.key.out_trade_no.as_str()) {
        return Err((Refused::NotAllowed, "not a refund's number of this order"));
    }
    Ok(RefundKey { payment: payment.key.clone(), out_refund_no })
}

/// The row that a request to give money back makes if it is new; its state is what the rules plan then.
pub fn refund(
    till: &TillRow,
    key: RefundKey,
    request: &RefundRequest,
    now: Timestamp,
) -> Result<RefundRow, NotDone> {
    if till.revoked_at.is_some() {
        return Err((Refused::Revoked, ""));
    }
    if request.amount <= 0 {
        return Err((Refused::BadRequest, "amount"));
    }
    Ok(RefundRow {
        key,
        till: till.till.clone(),
        amount: Money::from_minor(request.amount),
        reason: clean(&request.reason, 80),
        approved_by: clean(&request.approved_by, 40),
        state: RefundState::given_in_cash(),
        version: 1,
        began_at: now,
        wake_at: None,
        lease: None,
        created_at: now,
        updated_at: now,
    })
}

/// A payment as tills and the merchant's own systems are told of it.
pub fn told(row: &PaymentRow, now: Timestamp) -> Payment {
    let state = &row.state;
    let proof = state.proof();
    let funds = state.money();
    let expires_at = state.qr().map(|qr| row.began_at.after(qr.expires_at()).0);
    Payment {
        out_trade_no: row.order.out_trade_no.to_string(),
        version: u64::try_from(row.version).unwrap_or(0),
        state: status(state).word().to_owned(),
        closed: !state.is_open(),
        amount: row.order.amount.minor(),
        currency: row.order.currency.code().to_owned(),
        mark: row.order.mark.clone(),
        transaction_id: proof.map(|proof| proof.transaction_id.clone()),
        paid_at: proof.map(|proof| proof.paid_at.0),
        coupon: proof.and_then(|proof| proof.coupon),
        money_held: funds == Funds::Held,
        money_returned: funds == Funds::Returned,
        reason: state.reason().map(Told::from),
        code_url: state.code_url().map(|code| code.as_str().to_owned()),
        expires_at,
        as_of: row.as_of.map(|at| at.0),
        now: now.0,
    }
}

/// As long as a payment may still be found, its till must not hear that it is reversed: it would reverse
/// it, too, and what the customer has paid at last would go back.
fn status(state: &State) -> Status {
    if state.is_still_payable() { Status::Checking } else { state.status() }
}

/// A refund as others are told of it.
pub fn refund_told(payment: &PaymentRow, row: &RefundRow, now: Timestamp) -> Refund {
    let proof = row.state.proof();
    Refund {
        out_trade_no: row.key.payment.out_trade_no.to_string(),
        out_refund_no: row.key.out_refund_no.to_string(),
        version: u64::try_from(row.version).unwrap_or(0),
        state: row.state.status().word().to_owned(),
        counts: row.state.counts(),
        amount: row.amount.minor(),
        total: payment.order.amount.minor(),
        currency: payment.order.currency.code().to_owned(),
        refund_id: proof.map(|proof| proof.refund_id.clone()),
        done_at: proof.map(|proof| proof.done_at.0),
        reason: row.state.reason().as_ref().map(Told::from),
        now: now.0,
    }
}

/// The longest beginning of so many bytes.
fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}
