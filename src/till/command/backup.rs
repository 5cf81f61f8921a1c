//! `paytill backup`: a verified copy of the journal, while a till may be writing it.

use super::output::{print_line, print_message};
use super::{Exit, Failure};
use crate::cli::Backup;
use crate::config::Config;
use crate::journal::JournalReader;
use crate::text::copies::{self, CopyWords};

/// Makes the copy, and says what must be kept beside it.
pub fn run(backup: &Backup, config: &Config) -> Result<Exit, Failure> {
    let words = CopyWords::of(config.till.language);
    let key = config.journal.key_file.as_deref();
    let Some(mut reader) = JournalReader::open(&config.journal.path, key)? else {
        return Err(Failure::new(Exit::Journal, copies::no_journal(&config.journal.path)));
    };
    let made = reader.back_up(&backup.file, key).map_err(Failure::from)?;
    let file = made.file.display().to_string();
    let entries = made.audit.head.as_ref().map_or(0, |head| head.entry);
    if !print_line(&words.copied(&file, made.audit.orders, entries)) {
        return Ok(Exit::Fault);
    }
    if let Some(head) = &made.audit.head {
        print_line(&words.ends(head.entry, &copies::seal(&head.digest), &head.out_trade_no));
    }
    print_message(&words.keep(&file, &made.mirror.display().to_string()));
    print_message(&words.key(&made.key.display().to_string()));
    Ok(Exit::Done)
}
