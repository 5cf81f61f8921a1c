//! Everything people read, in each language. A missing sentence does not compile.

pub mod device;
pub mod doctor;
pub mod pole;
pub mod print_test;
pub mod reason;
pub mod receipt;
pub mod screen;
pub mod training;

use serde::Deserialize;

/// The languages of the till.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
pub enum Language {
    #[default]
    #[serde(rename = "zh-CN")]
    Chinese,
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// The language of a tag: `zh-CN` or `en`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag {
            "zh-CN" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }
}
