//! What covers the middle of the screen for a while. An overlay is a file: what its keys do, and its
//! drawing.

pub(super) mod commands;
pub(super) mod help;
pub(super) mod training;
