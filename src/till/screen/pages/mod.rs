//! The pages of the screen. A page is a file: its state, its keys, its help and its drawing.
//!
//! The screen asks a page for five things: what a key does (`pressed`), what a scan does
//! (`scanned`), which keys the bar shows (`keys`), what the help page says (`help`), and to draw
//! itself into the middle of the window. Everything that all pages share is in the model.

pub(super) mod checkout;
pub(super) mod find;
pub(super) mod goods;
pub(super) mod goods_note;
pub(super) mod hold;
pub(super) mod lock;
pub(super) mod ring_up;
