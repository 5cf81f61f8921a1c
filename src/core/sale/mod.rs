//! A sale as a value: what it comes to, and what it is paid with.

pub mod tender;
