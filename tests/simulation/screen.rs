//! The cashier's screen: it gets the same messages as the real one, and its drawing is checked.

use paytill::clock::{TimeZone, Timestamp, Uptime};
use paytill::engine::{Attempt, Report};
use paytill::language::Language;
use paytill::money::{AmountEntry, Currency};
use paytill::payment::{Rules, Status};
use paytill::screen::{Model, ScreenMessage, Settings, Theme, update, view};
use paytill::text::screen::ScreenWords;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use crate::auditor::Auditor;
use crate::invariants::Invariant;

/// It is drawn once in this many changes: drawing takes longer than all the rest.
const LOOKS: u32 = 32;
const WINDOW: Rect = Rect { x: 0, y: 0, width: 80, height: 24 };
const SMALL: Rect = Rect { x: 0, y: 0, width: 30, height: 8 };

pub struct Screen {
    model: Model,
    open: Vec<(String, Status)>,
    changes: u32,
}

impl Screen {
    /// The first frame of a till.
    pub fn new(recent: Vec<Attempt>) -> Self {
        let settings = Settings {
            store: "Corner Coffee".into(),
            till: "T01".into(),
            language: Language::English,
            currency: Currency::CNY,
            time_zone: TimeZone::UTC,
            entry: AmountEntry::Major,
            theme: Theme::Dark,
            confirm_above: None,
            bell: false,
            training: None,
            gateway_host: "gateway.invalid".into(),
            rules: Rules::default(),
            printer_configured: false,
            auto_print: false,
            drawer: false,
            operators: false,
            lock_after: None,
            drawer_by_manager: false,
            draws_chinese: true,
        };
        let open = recent.iter().filter(|attempt| is_unsettled(attempt));
        let open = open.map(|one| (one.out_trade_no.to_string(), one.state.status())).collect();
        Self { model: Model::new(settings, recent), open, changes: 0 }
    }

    pub fn reported(&mut self, report: &Report, now: Uptime, wall: Timestamp) {
        let attempt = &report.attempt;
        let status = attempt.state.status();
        self.open.retain(|(number, _)| *number != attempt.out_trade_no.as_str());
        if is_unsettled(attempt) {
            self.open.push((attempt.out_trade_no.to_string(), status));
        }
        self.changes += 1;
        if report.is_news() {
            let message = ScreenMessage::Attempt(attempt.clone(), report.event.clone());
            update(&mut self.model, message, now, wall);
        }
    }

    /// Whether the model knows everything that is open and, now and then, whether that can be seen.
    pub fn check(&self, auditor: &mut Auditor) {
        if self.model.is_anything_open() == self.open.is_empty() {
            let what = format!("open: {:?}, the screen says otherwise", self.open);
            auditor.broken(Invariant::OpenIsVisible, what);
        }
        if !self.changes.is_multiple_of(LOOKS) {
            return;
        }
        let open: Vec<Status> = self.open.iter().map(|(_, status)| *status).collect();
        let window = if (self.changes / LOOKS).is_multiple_of(2) { WINDOW } else { SMALL };
        let mut buffer = Buffer::empty(window);
        view(&self.model, &mut buffer);
        let rows = buffer.content.chunks(usize::from(window.width));
        let lines = rows.map(|row| row.iter().map(Cell::symbol).collect::<String>());
        let shown = lines.collect::<Vec<_>>().join("\n");
        auditor.drawn(&shown, &open, |status| ScreenWords::of(Language::English).word(status));
    }
}

/// A number that only waits to be closed has no word on the screen.
fn is_unsettled(attempt: &Attempt) -> bool {
    attempt.state.is_open() && !attempt.state.is_settled()
}
