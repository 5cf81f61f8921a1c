//! WeChat Pay: the requests and replies of its API as bytes.

mod codes;
pub mod fields;
mod native;
pub mod v2;
pub mod v3;

pub use v2::WechatV2;
pub use v3::WechatV3;

#[cfg(test)]
mod tests;
