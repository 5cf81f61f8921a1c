//! The status line: the gateway and the devices.
//!
//! What is wrong comes first. Where there is no room for everything, the reasons lose their advice,
//! then what is well gives way to them, and then a reason stands for the word "fault".

use ratatui::layout::Rect;

use super::{Canvas, cells};
use crate::clean::clean;
use crate::screen::Link;
use crate::screen::palette::Tone;

/// The most of a fault's text, in cells.
const FAULT: usize = 120;

/// One entry of the line.
#[derive(Clone, Default)]
struct Entry {
    mark: &'static str,
    name: &'static str,
    word: &'static str,
    tone: Option<Tone>,
    /// With its advice, and without it. Empty if all is well.
    reasons: Vec<String>,
    /// Which host it is, where there is room to say so.
    hint: String,
    /// What stands behind the word.
    aside: String,
    is_well: bool,
}

impl Entry {
    fn width(&self) -> u16 {
        let parts = [self.word, &self.aside].into_iter().filter(|part| !part.is_empty());
        2 + cells(self.name) + parts.map(|part| 1 + cells(part)).sum::<u16>()
    }
}

fn fits(entries: &[Entry], gap: u16, room: u16) -> bool {
    let width: u16 = entries.iter().map(|entry| entry.width() + gap).sum();
    2 + width.saturating_sub(gap) <= room
}

impl Canvas<'_> {
    pub(in crate::screen) fn links(&mut self, area: Rect) {
        let entries = arranged(self.entries(), area.width);
        let gap = [4, 2].into_iter().find(|gap| fits(&entries, *gap, area.width)).unwrap_or(1);
        let quiet = self.palette.quiet();
        let mut x = 2;
        for entry in &entries {
            let style = entry.tone.map_or(quiet, |tone| self.palette.ink(tone));
            self.put(area, x, 0, entry.mark, style);
            x += 2 + self.put(area, x + 2, 0, entry.name, quiet);
            let aside = if entry.reasons.is_empty() { quiet } else { style };
            for (part, style) in [(entry.word, style), (entry.aside.as_str(), aside)] {
                if !part.is_empty() {
                    x += 1 + self.put(area, x + 1, 0, part, style);
                }
            }
            x += gap;
        }
    }

    /// In a narrow place: what is wrong, if anything is; how many rows it took.
    pub(in crate::screen) fn faults(&mut self, area: Rect) -> u16 {
        let entries = self.entries().into_iter().filter(|entry| !entry.is_well).collect();
        let mut x = 0;
        for entry in arranged(entries, area.width) {
            let style =
                entry.tone.map_or_else(|| self.palette.quiet(), |tone| self.palette.ink(tone));
            let words = [entry.mark, entry.name, entry.word, entry.aside.as_str()];
            let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            let words = words.join(" ");
            if x + cells(&words) > area.width {
                break;
            }
            x += self.put(area, x, 0, &words, style) + 2;
        }
        u16::from(x > 0)
    }

    fn entries(&self) -> Vec<Entry> {
        let model = self.model;
        let text = model.text();
        let host = clean(&model.settings.gateway_host, 28);
        let devices = [
            (text.gateway(), &model.gateway, host),
            (text.scanner(), &model.scanner, String::new()),
            (text.printer(), &model.printer, String::new()),
            (text.display(), &model.display, String::new()),
        ];
        // A display that is not configured has no place at all.
        let last = if model.display == Link::Off { 3 } else { 4 };
        let entry = |(name, link, hint)| {
            let (mark, word, tone) = match link {
                &Link::Off => ("░", text.link_off(), None),
                Link::Keyboard => ("█", text.link_keyboard(), Some(Tone::Good)),
                Link::Searching => ("▒", text.link_searching(), Some(Tone::Wait)),
                Link::Ready => ("█", text.link_ready(), Some(Tone::Good)),
                Link::Warned(_) => ("▓", text.link_ready(), Some(Tone::Wait)),
                Link::Failed(_) => ("▄", text.link_failed(), Some(Tone::Bad)),
            };
            let is_well = matches!(link, Link::Off | Link::Keyboard | Link::Ready);
            match link {
                Link::Warned(why) | Link::Failed(why) => {
                    Entry { mark, name, word, tone, reasons: briefer(why), ..Entry::default() }
                }
                _ => Entry { mark, name, word, tone, hint, is_well, ..Entry::default() },
            }
        };
        devices.into_iter().take(last).map(entry).collect()
    }
}

/// What of it is shown in this room. A text that does not fit is left out, not cut.
fn arranged(mut entries: Vec<Entry>, room: u16) -> Vec<Entry> {
    for entry in &mut entries {
        entry.aside = entry.reasons.last().cloned().unwrap_or_default();
    }
    let has_news = entries.iter().any(|entry| !entry.aside.is_empty());
    while has_news && !fits(&entries, 2, room) {
        let Some(well) = entries.iter().rposition(|entry| entry.is_well) else { break };
        entries.remove(well);
    }
    if !fits(&entries, 2, room) {
        let words: Vec<&str> = entries.iter().map(|entry| entry.word).collect();
        for entry in entries.iter_mut().filter(|entry| !entry.aside.is_empty()) {
            entry.word = "";
        }
        for index in (0..entries.len()).rev() {
            if !fits(&entries, 2, room) {
                entries[index].aside.clear();
                entries[index].word = words[index];
            }
        }
    }
    for index in 0..entries.len() {
        let mut longer = entries.clone();
        let entry = &mut longer[index];
        // A reason that did not fit stays out.
        match entry.reasons.first() {
            Some(whole) if !entry.aside.is_empty() => entry.aside.clone_from(whole),
            Some(_) => continue,
            None => entry.aside.clone_from(&entry.hint),
        }
        // A hint is not worth a crowded line.
        let (gap, room) = if has_news { (2, room) } else { (4, room.saturating_sub(3)) };
        if fits(&longer, gap, room) {
            entries = longer;
        }
    }
    entries
}

/// The fault with the advice, and without it.
fn briefer(why: &str) -> Vec<String> {
    let whole = clean(why, FAULT);
    let whole = whole.trim_end_matches(['.', '。']);
    let fault =
        whole.split([':', '：', ',', '，', '(', '（']).next().unwrap_or_default().trim_end();
    vec![whole.to_owned(), fault.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_never_cut_within_a_sentence() {
        assert_eq!(briefer("paper low")[0], "paper low");
        assert_eq!(briefer("WeChat Pay cannot be reached."), ["WeChat Pay cannot be reached"; 2]);
        assert_eq!(
            briefer("not accepting data: check cable and power").last().unwrap(),
            "not accepting data"
        );
        assert_eq!(briefer("不接收数据，请检查纸张和上盖")[1], "不接收数据");
    }
}
