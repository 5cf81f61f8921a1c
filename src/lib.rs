//! A cashier's till in the terminal for shops that take WeChat Pay payment codes.

pub mod clean;
pub mod clock;
pub mod gateway;
pub mod money;
pub mod order;
pub mod payment;
pub mod scan;
pub mod screen;
pub mod text;
