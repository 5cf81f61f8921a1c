//! What is said to `WeChat` Pay and what it says back, as bytes.

pub mod fields;
pub mod v2;

pub use v2::WechatV2;
