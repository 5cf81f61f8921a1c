//! The merchant's backend behind many tills. It holds the keys, writes each payment down before anything
//! is sent, drives it to its end by the machine that a till uses, and proves every answer.
//!
//! `routes` hear tills, `work` decides and calls, `store` keeps; `serve` carries bytes. A route never
//! touches the store's payments but through `work`.

pub mod admission;
pub mod command;
pub mod config;
pub mod desk;
pub mod exit;
pub mod files;
pub mod metrics;
pub mod pages;
pub mod routes;
pub mod serve;
pub mod store;
#[cfg(test)]
mod tests;
pub mod work;
