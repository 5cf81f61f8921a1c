//! Notifications at work: each is on disk, with all that follows from it, before it is acknowledged.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use paytill_core::clock::Timestamp;
use paytill_core::gateway::Notice;
use paytill_core::order::OutTradeNo;

use super::Work;
use super::decide_notice::{self, Moved};
use crate::store::{NoticeKept, NoticeRow, RefundBooks, StoreError, Verdict};

/// A delivery as it is kept.
pub struct Delivered {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Delivered {
    /// The row that it is kept as.
    pub fn row(self, notice: &Notice, merchant: &str, at: Timestamp) -> NoticeRow {
        let id = match notice {
            Notice::Paid(paid) => format!("paid-{}", paid.id),
            Notice::Refund(told) => format!("refund-{}", told.id),
            // It has no number of its own, and is never the same bytes twice.
            Notice::Hint(hint) => format!("hint-{}", hint.out_refund_no),
            Notice::Other(_) => format!("other-{}", sha256(&self.body)),
        };
        NoticeRow {
            merchant: merchant.to_owned(),
            id,
            received_at: at,
            headers: self.headers,
            body: self.body,
            out_trade_no: OutTradeNo::try_from(about(notice).to_owned()).ok(),
        }
    }
}

/// The number of the order that it names.
fn about(notice: &Notice) -> &str {
    match notice {
        Notice::Paid(paid) => &paid.out_trade_no,
        Notice::Refund(told) => &told.out_trade_no,
        Notice::Hint(hint) => &hint.out_trade_no,
        Notice::Other(_) => "",
    }
}

impl Work {
    /// Takes a verified notification. Once this returns without an error it may be acknowledged.
    pub async fn noticed(
        self: &Arc<Self>,
        notice: Notice,
        delivered: Delivered,
    ) -> Result<Verdict, StoreError> {
        let about = about(&notice).to_owned();
        let row = delivered.row(&notice, self.merchant(), self.now());
        let (work, shown) = (Arc::clone(self), row.id.clone());
        let decide = move |books: &RefundBooks| {
            work.deciding(|now| decide_notice::judge(books, &notice, now))
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
