//! From the configuration of an account to what can be asked.

use std::net::IpAddr;
use std::sync::Arc;

use paytill_core::both;
use paytill_core::clock::Timestamp;
use paytill_core::gateway::Gateway;
use paytill_core::gateway::notice::{Delivery, Notice};
use paytill_core::gateway::wechat::v3::{SigningKey, VerifyingKeys};
use paytill_core::gateway::wechat::{WechatV2, WechatV3};
use paytill_core::language::Text;
use paytill_core::order::Merchant;
use paytill_core::payment::Reason;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::certificates::{self, Renewal};
use super::{Version, Wechat, WechatV2Config, WechatV3Config};
use crate::certificate::Names;
use crate::clock::Clock;
use crate::transport::{Route, RouteError, Transport};

/// Why an account cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the merchant's key cannot be used")]
    Key,
    #[error(transparent)]
    Route(#[from] RouteError),
}

impl OpenError {
    /// The sentence for people.
    pub fn text(&self) -> Text {
        match self {
            Self::Key => both!("the merchant's key cannot be used", "商户私钥无法使用"),
            Self::Route(error) => error.text(),
        }
    }
}

/// What speaks to the gateway, in the version that was configured.
#[derive(Clone)]
pub enum Codec {
    V2(Arc<WechatV2>),
    V3(Arc<WechatV3>),
}

impl Codec {
    /// The same for whoever need not know the version.
    pub fn gateway(&self) -> Arc<dyn Gateway> {
        match self {
            Self::V2(codec) => Arc::<WechatV2>::clone(codec),
            Self::V3(codec) => Arc::<WechatV3>::clone(codec),
        }
    }
}

/// An account that can be asked.
pub struct Opened {
    pub codec: Codec,
    pub transport: Transport,
    pub merchant: Merchant,
    /// The merchant's API key, which both sides know. In API v3 notifications are encrypted with it.
    pub key: SecretString,
    /// `spbill_create_ip`; `None`: the local address from which the gateway is reached.
    pub client_ip: Option<IpAddr>,
    /// The preferred host, for people.
    pub host: String,
    /// Keeps platform certificates fresh as long as it lives, where they are used.
    pub renewal: Option<Renewal>,
}

impl Opened {
    /// Who reads this account's notifications.
    pub fn notices(&self) -> NoticeReader {
        NoticeReader::new(self.codec.clone(), self.merchant.clone(), self.key.clone())
    }

    /// What a notification says, if it is genuine and about this merchant.
    pub fn notice(&self, delivery: &Delivery, now: Timestamp) -> Result<Notice, Reason> {
        self.notices().read(delivery, now)
    }
}

/// Reads the notifications of an account. It outlives what the account is asked through.
#[derive(Clone)]
pub struct NoticeReader {
    codec: Codec,
    merchant: Merchant,
    key: SecretString,
}

impl NoticeReader {
    /// For the notifications to this merchant; `key` is its API key.
    pub const fn new(codec: Codec, merchant: Merchant, key: SecretString) -> Self {
        Self { codec, merchant, key }
    }

    /// The version of the interface that this account is used with, and so its notifications come in.
    pub const fn version(&self) -> Version {
        match &self.codec {
            Codec::V2(_) => Version::V2,
            Codec::V3(_) => Version::V3,
        }
    }

    /// What a notification says, if it is genuine and about this merchant. Why not is for the record:
    /// whoever sent it must learn nothing.
    pub fn read(&self, delivery: &Delivery, now: Timestamp) -> Result<Notice, Reason> {
        match &self.codec {
            Codec::V2(codec) => codec.notice(delivery, &self.merchant),
            Codec::V3(codec) => codec.notice(delivery, &self.merchant, &self.key, now),
        }
    }
}

impl Wechat {
    /// Prepares everything. Platform certificates are downloaded, where they are used; nothing else is
    /// sent.
    pub async fn open(&self, clock: &Clock) -> Result<Opened, OpenError> {
        match self {
            Self::V2(gateway) => gateway.open(),
            Self::V3(gateway) => gateway.open(clock).await,
        }
    }
}

impl WechatV2Config {
    /// What speaks to the gateway, and what carries it.
    pub fn open(&self) -> Result<Opened, OpenError> {
        Ok(Opened {
            codec: Codec::V2(Arc::new(self.codec())),
            transport: Transport::new(&self.route())?,
            merchant: self.merchant.clone(),
            key: self.api_key.clone(),
            client_ip: self.line.client_ip,
            host: self.line.host(),
            renewal: None,
        })
    }

    /// What speaks to the gateway.
    pub fn codec(&self) -> WechatV2 {
        let codec = WechatV2::new(self.sign_type, self.api_key.clone());
        codec.notifying(self.notify_url.clone().unwrap_or_default())
    }

    /// The route to it.
    pub fn route(&self) -> Route {
        self.line.route(self.client_identity_pem.expose_secret().as_bytes().to_vec().into())
    }

    /// The merchant number in the certificate and ours, if they differ.
    pub fn foreign_certificate(&self) -> Option<(String, &str)> {
        foreign(self.client_identity_pem.expose_secret().as_bytes(), &self.merchant)
    }
}

impl WechatV3Config {
    /// What speaks to the gateway, what carries it, and what keeps its certificates fresh.
    pub async fn open(&self, clock: &Clock) -> Result<Opened, OpenError> {
        let codec = Arc::new(self.codec()?);
        let route = self.route();
        let renewal = match &self.public_key {
            Some(_) => None,
            None => Some(Renewal::start(&codec, self, Transport::new(&route)?, clock).await),
        };
        Ok(self.opened(codec, Transport::new(&route)?, renewal))
    }

    /// The same for one question: certificates are downloaded once. Without them no answer is
    /// believed.
    pub async fn open_once(&self, clock: &Clock) -> Result<Opened, OpenError> {
        let (codec, transport) = (self.codec()?, Transport::new(&self.route())?);
        if self.public_key.is_none()
            && let Err(why) = certificates::fetch(&codec, self, &transport, clock).await
        {
            tracing::warn!(?why, "no platform certificates");
        }
        Ok(self.opened(Arc::new(codec), transport, None))
    }

    fn opened(
        &self,
        codec: Arc<WechatV3>,
        transport: Transport,
        renewal: Option<Renewal>,
    ) -> Opened {
        Opened {
            codec: Codec::V3(codec),
            transport,
            merchant: self.merchant.clone(),
            key: self.api_v3_key.clone(),
            client_ip: self.line.client_ip,
            host: self.line.host(),
            renewal,
        }
    }

    /// What speaks to the gateway.
    pub fn codec(&self) -> Result<WechatV3, OpenError> {
        let key = self.merchant_key_pem.expose_secret().as_bytes();
        let signing = SigningKey::new(&self.merchant_serial, key).ok_or(OpenError::Key)?;
        let mut verifying = VerifyingKeys::default();
        let id = self.public_key.as_ref().map(|(id, pem)| {
            verifying.add_public_key(id, pem);
            id.as_str()
        });
        let codec = WechatV3::new(signing, id, verifying);
        Ok(codec.notifying(self.notify_url.clone().unwrap_or_default()))
    }

    /// The route to it. It asks for no certificate of ours.
    pub fn route(&self) -> Route {
        self.line.route(Zeroizing::default())
    }
    /// As of [`WechatV2Config`], if the certificate was named.
    pub fn foreign_certificate(&self) -> Option<(String, &str)> {
        foreign(self.merchant_certificate_pem.as_deref()?, &self.merchant)
    }
}

fn foreign<'a>(certificate: &[u8], merchant: &'a Merchant) -> Option<(String, &'a str)> {
    let holder = Names::of_pem(certificate).subject?;
    let ours = merchant.mch_id.as_str();
    let is_number = holder.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && holder != ours).then_some((holder, ours))
}
