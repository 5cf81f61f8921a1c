//! A slip as a picture, for a customer who wants none on paper.

use super::code128::Barcode;
use super::{Align, Form, ReceiptPart, RefundSlip, Slip, font, lay_out, raster};
use crate::language::Language;
use crate::picture::Picture;
use crate::text::receipt::ReceiptWords;

/// White dots on all sides, and between what is not a line.
const MARGIN: usize = 24;
const LEADING: usize = 8;
const BARCODE_HEIGHT: usize = 64;
const QR_MODULE: usize = 6;

/// Draws a slip as it is printed, and marks it as no piece of paper.
pub fn draw(slip: &Slip, form: &Form, language: Language) -> Picture {
    page(lay_out(slip, form.paper, language), form, language)
}

/// The same of a refund's slip.
pub fn draw_refund(slip: &RefundSlip, form: &Form, language: Language) -> Picture {
    page(slip.lay_out(&slip.symbol, form.paper, language), form, language)
}

fn page(parts: Vec<ReceiptPart>, form: &Form, language: Language) -> Picture {
    let width = form.paper.dots();
    let text = ReceiptWords::of(language).on_no_paper().to_owned();
    let mark = ReceiptPart::Line { text, align: Align::Centre, is_large: false };
    let parts = [vec![mark.clone()], parts, vec![mark]].concat();
    let mut pieces: Vec<_> =
        form.logo.iter().map(|logo| (Align::Centre, logo.clone(), MARGIN)).collect();
    pieces.extend(parts.into_iter().filter_map(|part| match part {
        ReceiptPart::Line { text, align, is_large } => {
            Some((align, font::draw(&text, if is_large { 2 } else { 1 }), LEADING))
        }
        ReceiptPart::Barcode(number) => {
            let barcode = Barcode::new(&number)?;
            let module = barcode.module(form.paper)?;
            Some((Align::Centre, barcode.draw(module, BARCODE_HEIGHT), LEADING))
        }
        ReceiptPart::Qr(content) => Some((Align::Centre, raster::qr(&content, QR_MODULE)?, MARGIN)),
    }));
    let height = pieces.iter().map(|(_, piece, below)| piece.height() + below).sum::<usize>();
    let mut page = Picture::white(width + 2 * MARGIN, height + 2 * MARGIN);
    let mut y = MARGIN;
    for (align, piece, below) in pieces {
        let free = width.saturating_sub(piece.width());
        let x = MARGIN
            + match align {
                Align::Left => 0,
                Align::Centre => free / 2,
                Align::Right => free,
            };
        page.draw(x, y, &piece);
        y += piece.height() + below;
    }
    page
}
