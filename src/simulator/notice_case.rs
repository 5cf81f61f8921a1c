//! What can become of notifications, and where they go.

use paytill_core::gateway::wechat::fields::SignType;

/// What becomes of the gateway's notifications. Those that are wrong come once, before the right one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum NoticeCase {
    /// At once, and again until they are acknowledged.
    #[default]
    Prompt,
    /// A minute late.
    Late,
    /// Two of each at the same time.
    Twice,
    Never,
    /// Somebody without the key claims a payment, as soon as there is an order.
    Forged,
    /// Correctly signed, for one fen more.
    WrongAmount,
    /// Signed wrong on purpose, to see whether anybody verifies.
    Probe,
    /// Correctly signed, for another merchant.
    Foreign,
}

impl NoticeCase {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Prompt,
        Self::Late,
        Self::Twice,
        Self::Never,
        Self::Forged,
        Self::WrongAmount,
        Self::Probe,
        Self::Foreign,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Late => "late",
            Self::Twice => "twice",
            Self::Never => "never",
            Self::Forged => "forged",
            Self::WrongAmount => "wrong-amount",
            Self::Probe => "probe",
            Self::Foreign => "foreign",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }
}

/// Where the notifications of an order or a refund go, and in what form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct NotifyTo {
    pub(super) url: String,
    pub(super) form: NoticeForm,
}

/// As the request was made: notifications are signed like its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoticeForm {
    V2(SignType),
    V3 { by_certificate: bool },
}

impl NotifyTo {
    /// Where a request wants to be told. A host that nobody can have takes nothing.
    pub(super) fn of(notify_url: Option<&str>, form: NoticeForm) -> Option<Self> {
        let url = notify_url?;
        let host = url.split('/').nth(2)?;
        let is_nobody = host == "invalid" || host.ends_with(".invalid");
        (!is_nobody).then(|| Self { url: url.to_owned(), form })
    }
}
