//! What printers can do, by profile (devices 2.3, 2.4 and 2.8). The only place that knows.

pub use crate::config::Profile;
use crate::device::printer::PrintProof;

/// Resets everything to its power-up state, turns Chinese on and every style off, since some
/// printers keep the styles of the last receipt.
const START: &[u8] = b"\x1b@\x1c&\x1d!\x00\x1bE\x00\x1b-\x00\x1b3\x20";
/// The same for printers on which Chinese takes effect from the next line.
const START_A_LINE_EARLIER: &[u8] = b"\x1b@\x1c&\n\x1d!\x00\x1bE\x00\x1b-\x00\x1b3\x20";
/// For pages that contain only pictures.
const START_OF_PICTURES: &[u8] = b"\x1b@";
/// Feeds past the tear bar for printers without a cutter, then feeds to the cutter and cuts.
const FEED_AND_CUT: &[u8] = b"\x1ba\x00\x1bd\x04\x1dVB\x00";
/// Feeds to the cutter by itself.
const CUT: &[u8] = b"\x1ba\x00\x1dVB\x00";
/// Feeds past the tear bar.
const FEED: &[u8] = b"\x1ba\x00\x1bd\x05";

/// What a printer with a given profile can do.
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
    /// With the printer's font, which has the two-byte characters of GB18030.
    Font,
    /// With the printer's font, which has those of GB2312; a line with any others is drawn.
    SmallFont,
    Drawn,
}

/// How barcodes and QR codes are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Codes {
    ByCommand,
    Drawn,
}

/// What nearly all printers can do.
const AUTO: Abilities =
    Abilities { start: START, text: TextMode::Font, codes: Codes::ByCommand, end: FEED_AND_CUT };

impl Profile {
    pub(super) const fn abilities(self) -> Abilities {
        match self {
            Self::Auto => AUTO,
            // The cutter is known to be there, so no paper is wasted on a tear bar.
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

    /// What to request from such a printer as proof that it has printed.
    pub const fn proof(self) -> PrintProof {
        match self {
            Self::Epson => PrintProof::PrintEnd,
            // The others do not know the request and could print it.
            Self::Auto | Self::Generic | Self::NoCutter | Self::Gb2312 | Self::Raster => {
                PrintProof::SyncPoint
            }
        }
    }
}
