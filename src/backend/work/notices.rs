//! Notifications at work: each is on disk, with all that follows from it, before it is acknowledged.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use paytill_core::gateway::Notice;
use paytill_core::order::OutTradeNo;

use super::Work;
use super::decide_notice::{self, Moved};
use crate::store::{Judged, NoticeKept, NoticeRow, RefundBooks, StoreError, Verdict};

/// A delivery as it is kept.
pub struct Delivered {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Work {
    /// Takes a verified notification. Once this returns without an error it may be acknowledged.
    pub async fn noticed(
        self: &Arc<Self>,
        notice: Notice,
        delivered: Delivered,
    ) -> Result<Verdict, StoreError> {
        let (id, about) = match &notice {
            Notice::Paid(paid) => (format!("paid-{}", paid.id), paid.out_trade_no.clone()),
            Notice::Refund(told) => (format!("refund-{}", told.id), told.out_trade_no.clone()),
            // It has no number of its own, and is never the same bytes twice.
            Notice::Hint(hint) => {
                (format!("hint-{}", hint.out_refund_no), hint.out_trade_no.clone())
            }
            Notice::Other(_) => (format!("other-{}", sha256(&delivered.body)), String::new()),
        };
        let row = NoticeRow {
            merchant: self.merchant().to_owned(),
            id,
            received_at: self.now(),
            headers: delivered.headers,
            body: delivered.body,
            out_trade_no: OutTradeNo::try_from(about.clone()).ok(),
        };
        let (work, shown) = (Arc::clone(self), row.id.clone());
        let decide = move |books: &RefundBooks| {
            work.deciding(|now| match &notice {
                Notice::Paid(paid) => decide_notice::paid(books, paid, now),
                Notice::Refund(told) => decide_notice::refunded(books, told, now),
                Notice::Hint(hint) => decide_notice::hinted(books, hint, now),
                Notice::Other(_) => Judged { verdict: Verdict::Other, step: None },
            })
        };
        let noticed = self.timed(self.parts.store.noticed(row, decide));
        let NoticeKept { verdict, is_new, done } = noticed.await?;
        match verdict {
            Verdict::Unknown | Verdict::Mismatch => tracing::error!(
                notice = shown,
                out_trade_no = about,
                verdict = verdict.word(),
                is_new,
                "the gateway tells of something that is not in our books"
            ),
            Verdict::Taken | Verdict::Other => tracing::info!(
                notice = shown,
                out_trade_no = about,
                verdict = verdict.word(),
                is_new,
                "the gateway tells"
            ),
        }
        match done {
            Some(Moved::Payment(decided)) => self.follow(*decided, None),
            Some(Moved::Refund(decided)) => self.follow_refund(*decided),
            None => {}
        }
        Ok(verdict)
    }
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in digest(&SHA256, bytes).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
