//! WeChat Pay: the requests and replies of its API as bytes.

pub mod fields;
pub mod v2;

pub use v2::WechatV2;
