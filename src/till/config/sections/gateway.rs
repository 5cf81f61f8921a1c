//! Which gateway moves the money of this till.

use paytill_host::config::file::Document;
use paytill_host::gateway::{self, Choice, Version, Wechat};

use super::super::{ConfigError, GatewayConfig};
use super::Surroundings;
use crate::both;

/// Who moves the money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Simulator,
    Wechat(Version),
}

/// What the file names, and that its section is there.
pub(super) fn kind(document: &Document<'_>) -> Result<Kind, ConfigError> {
    let wechat = |version: Version| version.choice(Some(Kind::Wechat(version)));
    let choices = [
        Choice { word: "simulator", section: None, kind: Some(Kind::Simulator) },
        wechat(Version::V2),
        wechat(Version::V3),
        Choice { word: "backend", section: None, kind: None },
    ];
    gateway::kind(document, &choices, Some(Kind::Simulator))?.ok_or_else(|| {
        let sentence = both!(
            "is not built yet; simulator, wechat-v2 and wechat-v3 are",
            "尚不支持；目前可用 simulator、wechat-v2 和 wechat-v3"
        );
        document.section("gateway").wrong("kind", &sentence)
    })
}

/// Checks every section even in training, but reads the secrets only of the one that is used.
pub(super) fn read(
    document: &Document<'_>,
    kind: Kind,
    around: &Surroundings<'_>,
) -> Result<GatewayConfig, ConfigError> {
    let used = match kind {
        Kind::Simulator => None,
        Kind::Wechat(version) => Some(version),
    };
    let wechat = gateway::read(document, used, &around.of_gateway())?;
    Ok(match (kind, wechat) {
        (Kind::Simulator, _) => GatewayConfig::Simulator,
        (Kind::Wechat(_), Some(Wechat::V2(gateway))) => GatewayConfig::WechatV2(gateway),
        (Kind::Wechat(_), Some(Wechat::V3(gateway))) => GatewayConfig::WechatV3(gateway),
        (Kind::Wechat(_), None) => GatewayConfig::Unread,
    })
}
