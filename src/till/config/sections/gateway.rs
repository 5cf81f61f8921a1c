//! Which gateway moves the money of this till.

pub(super) mod backend;

use paytill_host::config::file::Document;
use paytill_host::gateway::{self, Choice, Version, Wechat};

use super::super::{BackendFiles, ConfigError, GatewayConfig, PaymentConfig};
use super::Surroundings;
use crate::order::TillId;

/// Who moves the money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Simulator,
    Wechat(Version),
    /// The merchant's own, which holds the keys of WeChat Pay.
    Backend,
}

/// What the file names, and that its section is there.
pub(super) fn kind(document: &Document<'_>) -> Result<Kind, ConfigError> {
    let wechat = |version: Version| version.choice(Kind::Wechat(version));
    let choices = [
        Choice { word: "simulator", section: None, kind: Kind::Simulator },
        wechat(Version::V2),
        wechat(Version::V3),
        Choice { word: "backend", section: Some(backend::SECTION), kind: Kind::Backend },
    ];
    gateway::kind(document, &choices, Kind::Simulator)
}

/// Checks every section even in training, but reads the secrets only of the one that is used.
pub(super) fn read(
    document: &Document<'_>,
    kind: Kind,
    files: &BackendFiles,
    (till, payment): (&TillId, &PaymentConfig),
    around: &Surroundings<'_>,
) -> Result<GatewayConfig, ConfigError> {
    let used = match kind {
        Kind::Simulator | Kind::Backend => None,
        Kind::Wechat(version) => Some(version),
    };
    let wechat = gateway::read(document, used, &around.of_gateway())?;
    let backend = backend::read(document, files, till, payment, around)?;
    Ok(match (kind, wechat) {
        (Kind::Simulator, _) => GatewayConfig::Simulator,
        (Kind::Backend, _) => backend.map_or(GatewayConfig::Unread, GatewayConfig::Backend),
        (Kind::Wechat(_), Some(Wechat::V2(gateway))) => GatewayConfig::WechatV2(gateway),
        (Kind::Wechat(_), Some(Wechat::V3(gateway))) => GatewayConfig::WechatV3(gateway),
        (Kind::Wechat(_), None) => GatewayConfig::Unread,
    })
}
