//! The kinds of sounds.

/// What the cashier hears.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sound {
    #[default]
    Paid,
    /// NOT PAID or REVERSED.
    NotPaid,
    /// Something was refused, or somebody must look.
    NeedsYou,
    /// A payment that is not at the desk has ended: it says nothing of the customer who is.
    NotAtTheDesk,
}

impl Sound {
    /// For programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::NotPaid => "not-paid",
            Self::NeedsYou => "needs-you",
            Self::NotAtTheDesk => "not-at-the-desk",
        }
    }
}
