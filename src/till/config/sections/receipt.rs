//! The section of the receipt.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::super::{ConfigError, Paper, ReceiptConfig, StoreConfig};
use super::Surroundings;
use crate::language::Text;
use crate::picture::{LARGEST_FILE, Picture};
use crate::{both, text};
use paytill_host::config::file::Section;
use paytill_host::config::secret;

const LINES: usize = 20;
const CELLS: usize = 96;

pub(super) fn read(
    section: Section<'_>,
    store: &StoreConfig,
    paper: Paper,
    around: &Surroundings<'_>,
) -> Result<ReceiptConfig, ConfigError> {
    let lines = |key| section.lines(key, LINES, CELLS);
    let header = lines("header")?.unwrap_or_else(|| vec![store.name.clone()]);
    let footer = lines("footer")?.unwrap_or_default();
    let copies = u8::try_from(section.whole("copies", 1..=3, 1)?).unwrap_or(1);
    let logo = match section.path("logo", around.folder)? {
        Some(path) => Some(logo(&path, paper).map_err(|fault| section.wrong("logo", &fault))?),
        None => None,
    };
    Ok(ReceiptConfig { logo, header, footer, copies })
}

/// The picture in this file, or what is wrong with it.
fn logo(path: &Path, paper: Paper) -> Result<Picture, Text> {
    let shown = secret::shown(path);
    let mut file = Vec::new();
    let most = u64::try_from(LARGEST_FILE).unwrap_or(u64::MAX);
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(both!("{shown} is not a file", "{shown} 不是文件"));
    }
    File::open(path).and_then(|opened| opened.take(most).read_to_end(&mut file)).map_err(
        |error| {
            both!("{shown} cannot be read", "{shown} 无法读取").because(&text::system::text(&error))
        },
    )?;
    let picture = Picture::from_pbm(&file).map_err(|fault| {
        let fault = Text::each(|language| text::picture::fault(&fault, language));
        fault.map(|fault| format!("{shown} {fault}"))
    })?;
    if picture.width() > paper.dots() {
        let (width, dots) = (picture.width(), paper.dots());
        return Err(both!(
            "{shown} is {width} dots wide; this paper has {dots}",
            "{shown} 宽 {width} 点，而纸宽只有 {dots} 点"
        ));
    }
    Ok(picture)
}
