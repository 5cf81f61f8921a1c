//! Gateways: how a call is said in bytes, how a reply is read, and the way there and back.

pub mod fields;
