//! The merchant's own backend: what tills and it say to each other, and how each knows the other.
//!
//! To a till the backend is one more gateway. Requests and answers are JSON, signed with Ed25519; an
//! answer is bound to the request that it answers, so that whoever is in between can delay it and
//! cannot make one up.

pub mod message;
pub mod signed;
