//! The colours of each theme. They only repeat what words and shapes already say.

use ratatui::style::{Color, Modifier, Style};

use super::Theme;
use crate::payment::Status;

/// What a colour stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tone {
    /// The till is waiting for the cashier.
    Calm,
    /// The till is working.
    Busy,
    /// The till is waiting for the customer, or there is something to read.
    Wait,
    Good,
    Bad,
    /// Money is being returned, or has been.
    Back,
    Alarm,
}

impl Tone {
    pub(super) const fn of(status: Status) -> Self {
        match status {
            Status::Created => Self::Calm,
            Status::Sent | Status::Checking => Self::Busy,
            Status::Waiting => Self::Wait,
            Status::Reversing | Status::Reversed => Self::Back,
            Status::Paid => Self::Good,
            Status::Declined | Status::Closed => Self::Bad,
            Status::Attention => Self::Alarm,
        }
    }
}

/// The styles of a theme.
#[derive(Clone, Copy, Debug)]
pub(super) struct Palette {
    theme: Theme,
}

impl Palette {
    pub(super) const fn of(theme: Theme) -> Self {
        Self { theme }
    }

    /// Plain text on the plain background.
    pub(super) fn base(self) -> Style {
        match self.theme {
            Theme::Dark => colours(252, 234),
            Theme::Light => colours(235, 231),
            Theme::Contrast => Style::new().fg(Color::White).bg(Color::Black),
            Theme::Mono => Style::new(),
        }
    }

    /// Less important text.
    pub(super) fn quiet(self) -> Style {
        match self.theme {
            Theme::Dark => ink(245),
            Theme::Light => ink(243),
            Theme::Contrast => Style::new().fg(Color::Gray),
            Theme::Mono => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// The text to read first.
    pub(super) fn strong(self) -> Style {
        let style = match self.theme {
            Theme::Dark => ink(255),
            Theme::Light => ink(232),
            Theme::Contrast => Style::new().fg(Color::White),
            Theme::Mono => Style::new(),
        };
        style.add_modifier(Modifier::BOLD)
    }

    /// The name of a key in the key bar.
    pub(super) fn key(self) -> Style {
        let style = match self.theme {
            Theme::Dark => colours(255, 239),
            Theme::Light => colours(232, 252),
            Theme::Contrast => Style::new().fg(Color::Black).bg(Color::White),
            Theme::Mono => Style::new().add_modifier(Modifier::REVERSED),
        };
        style.add_modifier(Modifier::BOLD)
    }

    /// Text in a tone on the plain background.
    pub(super) fn ink(self, tone: Tone) -> Style {
        let style = match (self.theme, tone) {
            (Theme::Mono, _) => Style::new(),
            (Theme::Dark, Tone::Calm) => ink(117),
            (Theme::Dark, Tone::Busy) => ink(80),
            (Theme::Dark, Tone::Wait) => ink(221),
            (Theme::Dark, Tone::Good) => ink(114),
            (Theme::Dark, Tone::Bad) => ink(210),
            (Theme::Dark, Tone::Back) => ink(215),
            (Theme::Dark, Tone::Alarm) => ink(213),
            (Theme::Light, Tone::Calm) => ink(25),
            (Theme::Light, Tone::Busy) => ink(30),
            (Theme::Light, Tone::Wait) => ink(94),
            (Theme::Light, Tone::Good) => ink(28),
            (Theme::Light, Tone::Bad) => ink(124),
            (Theme::Light, Tone::Back) => ink(130),
            (Theme::Light, Tone::Alarm) => ink(90),
            (Theme::Contrast, tone) => Style::new().fg(plain(tone)),
        };
        style.add_modifier(Modifier::BOLD)
    }

    /// Text on a background in a tone: results, bands, badges.
    pub(super) fn fill(self, tone: Tone) -> Style {
        match (self.theme, tone) {
            (Theme::Mono, _) => Style::new().add_modifier(Modifier::REVERSED),
            (Theme::Contrast, tone) => Style::new().fg(Color::Black).bg(plain(tone)),
            (Theme::Dark | Theme::Light, Tone::Calm) => colours(231, 25),
            (Theme::Dark | Theme::Light, Tone::Busy) => colours(231, 24),
            (Theme::Dark | Theme::Light, Tone::Wait) => colours(16, 221),
            (Theme::Dark | Theme::Light, Tone::Good) => colours(231, 22),
            (Theme::Dark | Theme::Light, Tone::Bad) => colours(231, 88),
            (Theme::Dark | Theme::Light, Tone::Back) => colours(16, 215),
            (Theme::Dark | Theme::Light, Tone::Alarm) => colours(231, 90),
        }
    }

    /// The background of a whole panel; without colours it stays plain, and the border carries the
    /// meaning.
    pub(super) fn panel(self, tone: Tone) -> Style {
        match self.theme {
            Theme::Mono => Style::new(),
            Theme::Dark | Theme::Light | Theme::Contrast => self.fill(tone),
        }
    }
}

const fn plain(tone: Tone) -> Color {
    match tone {
        Tone::Calm => Color::LightBlue,
        Tone::Busy => Color::LightCyan,
        Tone::Wait | Tone::Back => Color::LightYellow,
        Tone::Good => Color::LightGreen,
        Tone::Bad => Color::LightRed,
        Tone::Alarm => Color::LightMagenta,
    }
}

const fn ink(index: u8) -> Style {
    Style::new().fg(Color::Indexed(index))
}

const fn colours(text: u8, ground: u8) -> Style {
    Style::new().fg(Color::Indexed(text)).bg(Color::Indexed(ground))
}
