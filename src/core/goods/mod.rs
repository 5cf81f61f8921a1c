//! What a shop sells: products with a code, a name and a price, how their codes are read, and how a
//! list of them is taken from a table.
//!
//! A code means one product, whatever a scanner makes of it ([`code`]); a label from the scales holds
//! a weight or a sum beside it ([`label`]). A table is taken whole or not at all ([`table`]). A
//! product is found by a part of its name, by the initials of its syllables, or by digits
//! ([`find`]).

pub mod code;
mod csv;
pub mod find;
mod initials;
pub mod label;
pub mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::sale::{Line, Quantity, Rate};
pub use initials::initials;

/// The longest name, in cells: as much as a slip has room for.
pub const NAME_CELLS: usize = 60;
/// The longest name of a unit, in cells.
pub const UNIT_CELLS: usize = 8;

/// A product.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Good {
    /// As [`code::canonical`] writes it.
    pub code: String,
    pub name: String,
    /// What it is counted in; empty for pieces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Of one unit, with the tax in it.
    pub price: Money,
    #[serde(default)]
    pub rate: Rate,
}

impl Good {
    /// So much of it as a line of a sale.
    pub fn line(self, quantity: Quantity) -> Line {
        let Self { code, name, unit, price, rate } = self;
        Line { code, name, unit, rate, ..Line::of_amount(price, quantity) }
    }
}
