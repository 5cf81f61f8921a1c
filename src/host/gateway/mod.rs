//! WeChat Pay as a program's gateway: the sections `[gateway]`, `[gateway.wechat-v2]` and
//! `[gateway.wechat-v3]` with the secrets that they name, and the connection that they describe.
//!
//! The till and the merchant's backend are configured in the same words. Both sections are checked
//! whichever of them is used, but only the used one's secrets are read. [`kind`] says what the file
//! chooses, [`read`] gives a [`Wechat`], and [`Wechat::open`] what speaks to it, what carries that,
//! and what keeps the platform's certificates fresh. Nothing is sent before that.
//!
//! A program that has a gateway of its own besides reads that section with the help of [`reading`].

mod account;
pub mod bill;
pub mod certificates;
mod line;
mod open;
mod platform;
pub mod reading;
#[cfg(test)]
mod tests;
mod v2;
mod v3;

use paytill_core::both;
use paytill_core::order::Merchant;

use crate::config::ConfigError;
use crate::config::file::Document;

pub use certificates::Renewal;
pub use line::LineConfig;
pub use open::{Codec, NoticeReader, OpenError, Opened};
pub use platform::PlatformValue;
pub use reading::{Secrets, Surroundings};
pub use v2::WechatV2Config;
pub use v3::WechatV3Config;

/// The versions of `WeChat` Pay's interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    V2,
    V3,
}

impl Version {
    /// Its section's name.
    pub const fn section(self) -> &'static str {
        match self {
            Self::V2 => "gateway.wechat-v2",
            Self::V3 => "gateway.wechat-v3",
        }
    }

    /// The section's keys.
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::V2 => v2::KEYS,
            Self::V3 => v3::KEYS,
        }
    }

    /// The choice of it, as a program's own `kind`.
    pub const fn choice<K>(self, kind: K) -> Choice<K> {
        let word = match self {
            Self::V2 => "wechat-v2",
            Self::V3 => "wechat-v3",
        };
        Choice { word, section: Some(self.section()), kind }
    }
}

/// One of the gateways that a program can be configured for.
#[derive(Clone, Copy, Debug)]
pub struct Choice<K> {
    /// What `kind` says in the file.
    pub word: &'static str,
    /// The section that must be there with it.
    pub section: Option<&'static str>,
    pub kind: K,
}

/// Which gateway the file chooses, and that its section is there. Without a choice it is the
/// `default`, unless a section shows that another was meant.
pub fn kind<K: Copy>(
    document: &Document<'_>,
    choices: &[Choice<K>],
    default: K,
) -> Result<K, ConfigError> {
    let section = document.section("gateway");
    let has = |choice: &Choice<K>| choice.section.map(|name| document.section(name).is_there());
    let meant = choices.iter().find(|choice| has(choice) == Some(true));
    if let Some(Choice { word: meant, .. }) = meant
        && !section.has("kind")
    {
        let sentence = both!(
            "is missing; write kind = \"{meant}\", or \"simulator\" for training",
            "没有设置；请写 kind = \"{meant}\"，练习则写 \"simulator\""
        );
        return Err(section.wrong("kind", &sentence));
    }
    let words: Vec<_> = choices.iter().map(|choice| (choice.word, Some(choice))).collect();
    let Some(choice) = section.word("kind", &words, None)? else { return Ok(default) };
    if has(choice) != Some(false) {
        return Ok(choice.kind);
    }
    let kind = choice.word;
    let sentence = both!(
        "is \"{kind}\", but there is no [gateway.{kind}]",
        "为 \"{kind}\"，但没有 [gateway.{kind}]"
    );
    Err(section.wrong("kind", &sentence))
}

/// Checks both sections, and reads the secrets of the one that is used. `None`: none is, or secrets
/// are left alone.
pub fn read(
    document: &Document<'_>,
    used: Option<Version>,
    around: &Surroundings<'_>,
) -> Result<Option<Wechat>, ConfigError> {
    let v2 = v2::read(document, used == Some(Version::V2), around)?;
    let v3 = v3::read(document, used == Some(Version::V3), around)?;
    Ok(v2.map(Wechat::V2).or_else(|| v3.map(Wechat::V3)))
}

/// The merchant's account at `WeChat` Pay, and how it is reached.
#[derive(Clone, Debug)]
pub enum Wechat {
    V2(WechatV2Config),
    V3(WechatV3Config),
}

impl Wechat {
    /// Who is paid through it.
    pub const fn merchant(&self) -> &Merchant {
        match self {
            Self::V2(gateway) => &gateway.merchant,
            Self::V3(gateway) => &gateway.merchant,
        }
    }

    /// The same, told to deliver notifications here, whatever the file says.
    #[must_use]
    pub fn notifying(mut self, url: String) -> Self {
        match &mut self {
            Self::V2(gateway) => gateway.notify_url = Some(url),
            Self::V3(gateway) => gateway.notify_url = Some(url),
        }
        self
    }
}
