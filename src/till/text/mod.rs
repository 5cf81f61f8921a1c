//! Everything people read, in each language. A missing sentence does not compile.

pub mod device;
pub mod display;
pub mod doctor;
pub mod print_test;
pub mod reason;
pub mod receipt;
pub mod screen;
#[cfg(test)]
mod tests;
pub mod training;
