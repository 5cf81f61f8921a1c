//! What printers can do, by profile (devices 2.3, 2.4 and 2.8). The only place that knows.

pub use crate::config::Profile;
use crate::device::printer::PrintProof;

/// Everything to its state at power-up, Chinese on, and every style off, since some printers keep
/// what the receipt before left.
const START: &[u8] = b"\x1b@\x1c&\x1d!\x00\x1bE\x00\x1b-\x00\x1b3\x20";
/// The same for printers where Chinese counts from the next line on.
const START_A_LINE_EARLIER: &[u8] = b"\x1b@\x1c&\n\x1d!\x00\x1bE\x00\x1b-\x00\x1b3\x20";
/// Where nothing but pictures follows.
const START_OF_PICTURES: &[u8] = b"\x1b@";
/// Clear of the tear bar where there is no cutter, then feed to the cutter and cut.
const FEED_AND_CUT: &[u8] = b"\x1ba\x00\x1bd\x04\x1dVB\x00";
/// Feeds to the cutter by itself.
const CUT: &[u8] = b"\x1ba\x00\x1dVB\x00";
/// Clear of the tear bar.
const FEED: &[u8] = b"\x1ba\x00\x1bd\x05";

/// What a printer of a profile can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Abilities {
    pub(super) start: &'static [u8],
    pub(super) text: TextMode,
    pub(super) codes: Codes,
    pub(super) end: &'static [u8],
}

/// How text is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TextMode {
    /// By the printer's font, which has the two-byte characters of GB18030.
    Font,
    /// By the printer's font, which has those of GB2312; a line with others is drawn.
    SmallFont,
    Drawn,
}

/// How barcodes and QR codes are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Codes {
    ByCommand,
    Drawn,
}

/// What nearly all can do.
const AUTO: Abilities =
    Abilities { start: START, text: TextMode::Font, codes: Codes::ByCommand, end: FEED_AND_CUT };

impl Profile {
    pub(super) const fn abilities(self) -> Abilities {
        match self {
            Self::Auto => AUTO,
            // With a cutter that is known to be there, no paper is wasted on a tear bar.
            Self::Epson | Self::Generic => Abilities { end: CUT, ..AUTO },
            Self::NoCutter => Abilities { end: FEED, ..AUTO },
            Self::Gb2312 => Abilities {
                start: START_A_LINE_EARLIER,
                text: TextMode::SmallFont,
                codes: Codes::Drawn,
                ..AUTO
            },
            Self::Raster => Abilities {
                start: START_OF_PICTURES,
                text: TextMode::Drawn,
                codes: Codes::Drawn,
                ..AUTO
            },
        }
    }

    /// What such a printer is asked for to prove that it has printed.
    pub const fn proof(self) -> PrintProof {
        match self {
            Self::Epson => PrintProof::PrintEnd,
            // Others do not know the question, and could print it.
            Self::Auto | Self::Generic | Self::NoCutter | Self::Gb2312 | Self::Raster => {
                PrintProof::SyncPoint
            }
        }
    }
}
