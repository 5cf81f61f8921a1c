//! Report descriptors: where a HID device says its fields are in its reports (HID 1.11, 6.2.2).
//!
//! They come from the device and are not trusted: any bytes are accepted, and what is kept of them
//! is bounded.

use std::collections::BTreeMap;

/// Maximum bytes considered of a report; USB allows fewer.
pub(super) const LONGEST_REPORT: u32 = 4096;
/// Maximum fields considered of one item.
const FIELDS: u32 = 8 * LONGEST_REPORT;
const USAGES: usize = 4096;
const DEPTH: usize = 16;

/// Usage page and usage.
pub(super) type Usage = (u16, u16);

/// What a descriptor says, item by item.
pub(super) enum DescriptorItem<'a> {
    Collection(&'a [Usage]),
    InputFields(InputFields<'a>),
    /// A feature report, by its number.
    Feature(u8),
    /// Alternative usages for the same fields follow; no known device uses these.
    Delimiter,
}

/// Consecutive fields of one size in a report.
pub(super) struct InputFields<'a> {
    /// What the report begins with, if reports are numbered.
    pub(super) id: Option<u8>,
    /// Where the first field begins in the report as it is read, counting the report number.
    pub(super) bit: u32,
    /// Bits of one field.
    pub(super) size: u32,
    pub(super) count: u32,
    /// Each field names a usage by its value, instead of holding the value of one.
    pub(super) is_array: bool,
    /// The fields are padding.
    pub(super) is_constant: bool,
    /// The value that stands for the first usage of an array, and the last value that stands for
    /// one.
    pub(super) range: (i32, u32),
    /// One for each field, in order; the last one applies to all further fields.
    pub(super) usages: &'a [Usage],
}

/// Reads a descriptor and passes each of its entries to `show`, in order.
pub(super) fn read(descriptor: &[u8], mut show: impl FnMut(DescriptorItem<'_>)) {
    let mut reader = ItemReader::default();
    for item in Items(descriptor) {
        reader.take(&item, &mut show);
    }
}

/// The short items; long ones, which nobody uses, are skipped.
struct Items<'a>(&'a [u8]);

struct RawItem {
    /// Tag and type, without the size.
    kind: u8,
    value: u32,
    size: usize,
}

impl RawItem {
    /// A usage of four bytes includes its own page.
    fn usage(&self) -> Local {
        ((self.size == 4).then(|| low(self.value >> 16)), low(self.value))
    }

    fn signed(&self) -> i32 {
        let unused = 32 - 8 * u32::try_from(self.size).unwrap_or(4);
        self.value.checked_shl(unused).unwrap_or(0).cast_signed().checked_shr(unused).unwrap_or(0)
    }
}

impl Iterator for Items<'_> {
    type Item = RawItem;

    fn next(&mut self) -> Option<RawItem> {
        const LONG: u8 = 0xfe;
        loop {
            let (&prefix, rest) = self.0.split_first()?;
            if prefix == LONG {
                let length = usize::from(*rest.first()?);
                self.0 = rest.get(2 + length..)?;
                continue;
            }
            let size = [0, 1, 2, 4][usize::from(prefix & 3)];
            let bytes = rest.get(..size)?;
            self.0 = &rest[size..];
            let value = bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
            return Some(RawItem { kind: prefix & 0xfc, value, size });
        }
    }
}

/// Values that hold until they are set again (6.2.2.7).
#[derive(Clone, Copy, Default)]
struct Globals {
    page: u16,
    size: u32,
    count: u32,
    range: (i32, u32),
    id: Option<u8>,
}

/// A usage with its page, or with the page in force at the next main item.
type Local = (Option<u16>, u16);

#[derive(Default)]
struct ItemReader {
    globals: Globals,
    stack: Vec<Globals>,
    /// For the next main item.
    locals: Vec<Local>,
    minimum: Option<Local>,
    /// The same, each with its page.
    usages: Vec<Usage>,
    /// Bits of each report so far.
    lengths: BTreeMap<Option<u8>, u32>,
}

impl ItemReader {
    fn take(&mut self, item: &RawItem, show: &mut impl FnMut(DescriptorItem<'_>)) {
        let page = self.globals.page;
        self.usages.clear();
        if matches!(item.kind, 0x80 | 0xa0) {
            let usages = self.locals.iter().map(|(own, usage)| (own.unwrap_or(page), *usage));
            self.usages.extend(usages);
        }
        match item.kind {
            0x80 => {
                show(DescriptorItem::InputFields(self.input(item.value)));
                self.forget_locals();
            }
            0xb0 => {
                show(DescriptorItem::Feature(self.globals.id.unwrap_or_default()));
                self.forget_locals();
            }
            0xa0 => {
                show(DescriptorItem::Collection(&self.usages));
                self.forget_locals();
            }
            // Output, and the end of a collection.
            0x90 | 0xc0 => self.forget_locals(),
            0x04 => self.globals.page = low(item.value),
            0x14 => self.globals.range.0 = item.signed(),
            0x24 => self.globals.range.1 = item.value,
            0x74 => self.globals.size = item.value,
            0x94 => self.globals.count = item.value,
            0x84 => self.globals.id = Some(u8::try_from(item.value).unwrap_or(0)),
            0xa4 if self.stack.len() < DEPTH => self.stack.push(self.globals),
            0xb4 => self.globals = self.stack.pop().unwrap_or(self.globals),
            0x08 => self.add_usage(item.usage()),
            0x18 => self.minimum = Some(item.usage()),
            0x28 => self.add_range(item.usage()),
            0xa8 => show(DescriptorItem::Delimiter),
            _ => {}
        }
    }

    fn add_usage(&mut self, usage: Local) {
        if self.locals.len() < USAGES {
            self.locals.push(usage);
        }
    }

    fn add_range(&mut self, (page, maximum): Local) {
        let (_, minimum) = self.minimum.take().unwrap_or_default();
        let room = USAGES.saturating_sub(self.locals.len());
        self.locals.extend((minimum..=maximum).take(room).map(|usage| (page, usage)));
    }

    fn input(&mut self, flags: u32) -> InputFields<'_> {
        const CONSTANT: u32 = 1;
        const VARIABLE: u32 = 1 << 1;
        let Globals { size, count, range, id, .. } = self.globals;
        let count = count.min(FIELDS);
        let head = if id.is_some() { 8 } else { 0 };
        let start = *self.lengths.get(&id).unwrap_or(&head);
        let length = start.saturating_add(size.saturating_mul(count));
        self.lengths.insert(id, length.min(FIELDS));
        let (is_constant, is_array) = (flags & CONSTANT != 0, flags & VARIABLE == 0);
        InputFields {
            id,
            bit: start,
            size,
            count,
            is_array,
            is_constant,
            range,
            usages: &self.usages,
        }
    }

    fn forget_locals(&mut self) {
        self.locals.clear();
        self.minimum = None;
    }
}

/// Usages and pages have 16 bits.
fn low(value: u32) -> u16 {
    u16::try_from(value & 0xffff).unwrap_or(0)
}
