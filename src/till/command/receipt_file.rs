//! `paytill show ORDER_NO --receipt FILE`: the slip as a picture, for a customer who wants none on
//! paper. It is marked as no piece of paper, so that nobody takes it for a second one.

use std::io;
use std::path::Path;

use super::output::{print_message, put_new};
use super::{Exit, Failure};
use crate::both;
use crate::config::Config;
use crate::engine::Attempt;
use crate::journal::Tender;
use crate::receipt::{Form, Slip, draw};
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
    let name = file.display();
    let not_written = both!("no receipt was written to {name}", "未能写入小票 {name}");
    let picture = draw(&slip, &Form::of(config), config.till.language);
    let png = picture.to_png().map_err(io::Error::other);
    png.and_then(|png| put_new(file, &png)).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(Exit::Usage, evidence::is_there(file)),
        _ => Failure::new(Exit::Fault, not_written.because(&system::text(&error))),
    })?;
    let number = &order.out_trade_no;
    let done = both!("the receipt of {number} is in {name}", "{number} 的小票已写入 {name}");
    print_message(done.in_language(config.till.language));
    Ok(Exit::Done)
}
