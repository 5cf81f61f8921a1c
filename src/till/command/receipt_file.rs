//! `paytill show NUMBER --receipt FILE`: the slip of an order or of a refund as a picture, for a
//! customer who wants none on paper. It is marked as no piece of paper, so that nobody takes it for a second one.

use std::io;
use std::path::Path;

use super::output::{print_message, put_new};
use super::{Exit, Failure};
use crate::both;
use crate::config::Config;
use crate::engine::Attempt;
use crate::journal::{RefundPaper, Tender};
use crate::picture::Picture;
use crate::receipt::{Form, RefundSlip, Slip, draw, draw_refund};
use crate::text::{evidence, system};

/// Draws the slip of an order as it is now into a new file.
pub(super) fn write(
    file: &Path,
    order: &Attempt,
    tenders: &[Tender],
    config: &Config,
) -> Result<Exit, Failure> {
    let nothing = both!(
        "there is no receipt for this order: it is neither paid nor reversed",
        "这笔订单没有小票：既未支付成功，也未撤销"
    );
    let slip = Slip::of(order, config, 0, tenders);
    let slip = slip.ok_or_else(|| Failure::new(Exit::Usage, nothing))?;
    let picture = draw(&slip, &Form::of(config), config.till.language);
    put(file, &picture, order.out_trade_no.as_str(), config)
}

/// The same of a refund.
pub(super) fn write_refund(
    file: &Path,
    paper: &RefundPaper,
    config: &Config,
) -> Result<Exit, Failure> {
    let nothing = both!(
        "there is no receipt for this refund: no money went back, or that is not known yet",
        "这笔退款没有小票：款项没有退回，或结果还不明确"
    );
    let slip = RefundSlip::of(paper, config, 0);
    let slip = slip.ok_or_else(|| Failure::new(Exit::Usage, nothing))?;
    let picture = draw_refund(&slip, &Form::of(config), config.till.language);
    put(file, &picture, paper.refund.out_refund_no.as_str(), config)
}

fn put(file: &Path, picture: &Picture, number: &str, config: &Config) -> Result<Exit, Failure> {
    let name = file.display();
    let not_written = both!("no receipt was written to {name}", "未能写入小票 {name}");
    let png = picture.to_png().map_err(io::Error::other);
    png.and_then(|png| put_new(file, &png)).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(Exit::Usage, evidence::is_there(file)),
        _ => Failure::new(Exit::Fault, not_written.because(&system::text(&error))),
    })?;
    let done = both!("the receipt of {number} is in {name}", "{number} 的小票已写入 {name}");
    print_message(done.in_language(config.till.language));
    Ok(Exit::Done)
}
