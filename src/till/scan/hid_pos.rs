//! Scans in the reports of a USB HID POS scanner (scans 2.3).
//!
//! Makers agree on the usages but not on their places, so the place of each field is read from the
//! report descriptor that the device provides. Reports are not trusted: any bytes are accepted, and
//! all that is kept of them is bounded. A scan whose last part is missing is reported as partial,
//! never as a scan.

use zeroize::{Zeroize, Zeroizing};

use super::descriptor::{self, DescriptorItem, InputFields, LONGEST_REPORT, Usage};
use crate::clock::{Millis, Uptime};

/// Maximum bytes of one scan; anything longer is not a scan (scans 2.6).
const LONGEST: usize = 4096;
/// How long to wait for a further report: some firmware promises one whenever a report is full
/// (scans 2.3).
const NEXT_PART: Millis = Millis(150);

const PAGE: u16 = 0x8c;
const SCANNER: Usage = (PAGE, 0x02);
const SYMBOLOGY: Usage = (PAGE, 0xfb);
const DATA: Usage = (PAGE, 0xfe);
const CONTINUED: Usage = (PAGE, 0xff);
const BYTE_COUNT: Usage = (0x01, 0x3b);
/// Honeywell scanners and their relatives are silent until this feature is set to 1 (scans 2.3).
const OUTPUT_REDIRECTION: u8 = 254;

/// Where the parts of a scan are in a device's reports.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportLayout {
    /// What reports with scans begin with, if reports are numbered.
    id: Option<u8>,
    data: usize,
    /// Bytes of data in one report.
    capacity: usize,
    count: Option<usize>,
    symbology: Option<usize>,
    continued: Option<Bit>,
    has_redirection: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Bit {
    byte: usize,
    mask: u8,
}

/// The part of a scan in one report.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct ScanPart<'a> {
    pub data: &'a [u8],
    pub symbology: Option<Symbology>,
    /// Another report with more of this scan follows.
    pub continued: bool,
    /// This report had no room for more data.
    pub is_full: bool,
}

impl std::fmt::Debug for ScanPart<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScanPart({} bytes, {:?}, {})", self.data.len(), self.symbology, self.continued)
    }
}

/// An AIM symbology identifier: `]`, a letter for the kind of code, a modifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Symbology([u8; 3]);

impl Symbology {
    fn new(bytes: [u8; 3]) -> Option<Self> {
        let is_aim = bytes[0] == b']' && bytes[1..].iter().all(u8::is_ascii_alphanumeric);
        is_aim.then_some(Self(bytes))
    }

    /// The usual name of the kind of code.
    pub fn name(self) -> &'static str {
        match self.0[1] {
            b'A' => "Code 39",
            b'C' => "Code 128",
            b'd' => "Data Matrix",
            b'E' => "EAN/UPC",
            b'e' => "GS1 DataBar",
            b'F' => "Codabar",
            b'G' => "Code 93",
            b'h' => "Han Xin",
            b'I' => "ITF",
            b'L' => "PDF417",
            b'Q' => "QR Code",
            b'z' => "Aztec",
            _ => "barcode",
        }
    }
}

impl ReportLayout {
    /// Reads a report descriptor; `None` if the device is not a HID POS scanner.
    pub fn parse(descriptor: &[u8]) -> Option<Self> {
        let mut found = ScanFields::default();
        descriptor::read(descriptor, |entry| found.take(&entry));
        found.layout()
    }

    /// Interprets a report as it was read from the device, with its ID in front if reports are
    /// numbered. `None` for reports that hold no scan.
    pub fn read<'a>(&self, report: &'a [u8]) -> Option<ScanPart<'a>> {
        if self.id.is_some_and(|id| report.first() != Some(&id)) {
            return None;
        }
        let field = report.get(self.data..)?;
        let field = &field[..field.len().min(self.capacity)];
        let length = match self.count {
            Some(at) => usize::from(*report.get(at)?).min(field.len()),
            None => field.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1),
        };
        let symbology = self.symbology.and_then(|at| {
            let bytes = report.get(at..at + 3)?;
            Symbology::new(bytes.try_into().ok()?)
        });
        let continued = self
            .continued
            .is_some_and(|bit| report.get(bit.byte).is_some_and(|byte| byte & bit.mask != 0));
        let is_full = length == self.capacity;
        Some(ScanPart { data: &field[..length], symbology, continued, is_full })
    }

    /// The feature report that enables the scanner, with its ID in front, if it needs one.
    pub fn greeting(&self) -> Option<[u8; 2]> {
        self.has_redirection.then_some([OUTPUT_REDIRECTION, 1])
    }
}

/// A scan joined from its reports. It may be a payment code.
#[derive(Clone, Eq, PartialEq)]
pub struct CompleteScan {
    pub data: Zeroizing<Vec<u8>>,
    pub symbology: Option<Symbology>,
}

impl std::fmt::Debug for CompleteScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CompleteScan({} bytes, {:?})", self.data.len(), self.symbology)
    }
}

/// The result of the reports received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Joined {
    Scan(CompleteScan),
    /// The rest of a scan did not arrive, or it was too long.
    Partial,
}

/// Joins the reports of one scanner.
pub struct Joiner {
    /// Never outgrows its allocation, which is wiped.
    pending: Zeroizing<Vec<u8>>,
    symbology: Option<Symbology>,
    /// When the last part arrived, while another one must follow.
    waits_since: Option<Uptime>,
    last_was_full: bool,
    is_flooded: bool,
}

impl Joiner {
    pub fn new() -> Self {
        Self {
            pending: Zeroizing::new(Vec::with_capacity(LONGEST)),
            symbology: None,
            waits_since: None,
            last_was_full: false,
            is_flooded: false,
        }
    }

    /// Takes the part in one report. Silence before it does not count here, only in
    /// [`Joiner::tick`]: the report may have been waiting to be read.
    pub fn push(&mut self, part: &ScanPart<'_>, at: Uptime) -> Option<Joined> {
        if self.waits_since.is_none() {
            self.symbology = part.symbology;
        }
        if self.pending.len() + part.data.len() <= LONGEST {
            self.pending.extend_from_slice(part.data);
        } else {
            self.is_flooded = true;
        }
        self.last_was_full = part.is_full;
        if part.continued {
            self.waits_since = Some(at);
            return None;
        }
        self.end(true)
    }

    /// When to call [`Joiner::tick`] if no report arrives before.
    pub fn ends_at(&self) -> Option<Uptime> {
        self.waits_since.map(|since| since.after(NEXT_PART))
    }

    /// Handles silence. Early and repeated ticks do nothing.
    pub fn tick(&mut self, now: Uptime) -> Option<Joined> {
        self.ends_at().filter(|end| now >= *end)?;
        self.end(self.last_was_full)
    }

    fn end(&mut self, is_whole: bool) -> Option<Joined> {
        let is_whole = is_whole && !std::mem::take(&mut self.is_flooded);
        let data = Zeroizing::new(self.pending.to_vec());
        self.pending.as_mut_slice().zeroize();
        self.pending.clear();
        self.waits_since = None;
        match (is_whole, data.is_empty()) {
            (true, true) => None,
            (true, false) => Some(Joined::Scan(CompleteScan { data, symbology: self.symbology })),
            (false, _) => Some(Joined::Partial),
        }
    }
}

impl Default for Joiner {
    fn default() -> Self {
        Self::new()
    }
}

/// The fields that a scan is read from, collected from a descriptor.
#[derive(Default)]
struct ScanFields {
    is_scanner: bool,
    has_redirection: bool,
    fields: Vec<ScanField>,
}

#[derive(Clone, Copy)]
struct ScanField {
    usage: Usage,
    id: Option<u8>,
    bit: u32,
    size: u32,
    /// The number of fields with this usage, from this one on.
    run: u32,
}

impl ScanFields {
    fn take(&mut self, entry: &DescriptorItem<'_>) {
        match entry {
            DescriptorItem::Collection(usages) => self.is_scanner |= usages.contains(&SCANNER),
            DescriptorItem::Feature(id) => self.has_redirection |= *id == OUTPUT_REDIRECTION,
            DescriptorItem::InputFields(input) => self.input(input),
            DescriptorItem::Delimiter => {}
        }
    }

    fn input(&mut self, input: &InputFields<'_>) {
        let last = input.usages.len().saturating_sub(1);
        for (at, usage) in input.usages.iter().enumerate() {
            let is_known = [DATA, SYMBOLOGY, CONTINUED, BYTE_COUNT].contains(usage);
            let index = u32::try_from(at).unwrap_or(u32::MAX);
            if is_known && index < input.count {
                let bit = input.bit.saturating_add(input.size.saturating_mul(index));
                let run = if at == last { input.count - index } else { 1 };
                let InputFields { id, size, .. } = *input;
                self.fields.push(ScanField { usage: *usage, id, bit, size, run });
            }
        }
    }

    fn layout(&self) -> Option<ReportLayout> {
        let data = self.fields.iter().find(|field| field.usage == DATA && field.size == 8)?;
        let bit_of = |field: &ScanField| Some(field.bit).filter(|bit| *bit < 8 * LONGEST_REPORT);
        let byte_of = |field: &ScanField| {
            let bit = bit_of(field).filter(|bit| bit % 8 == 0 && field.size == 8)?;
            usize::try_from(bit / 8).ok()
        };
        let field =
            |usage| self.fields.iter().find(|field| field.usage == usage && field.id == data.id);
        let continued = field(CONTINUED).and_then(bit_of).and_then(|bit| {
            Some(Bit { byte: usize::try_from(bit / 8).ok()?, mask: 1 << (bit % 8) })
        });
        self.is_scanner.then_some(ReportLayout {
            id: data.id,
            data: byte_of(data)?,
            capacity: usize::try_from(data.run.min(LONGEST_REPORT)).ok()?,
            count: field(BYTE_COUNT).and_then(byte_of),
            symbology: field(SYMBOLOGY).and_then(byte_of),
            continued,
            has_redirection: self.has_redirection,
        })
    }
}

#[cfg(test)]
mod tests;
