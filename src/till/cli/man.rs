//! The manual page: what clap knows of the commands, and sections that it does not know of.

use std::io;

use super::words;
use crate::language::Language;

/// Behind the options and commands, as roff.
const SECTIONS: &str = r".SH FILES
.TP
\fIpaytill.toml\fR
The configuration: the first of \fB\-\-config\fR, \fB$PAYTILL_CONFIG\fR, the working directory,
\fI$XDG_CONFIG_HOME/paytill/\fR (else \fI~/.config/paytill/\fR), \fI/etc/paytill/\fR. Without any the till
trains and no money moves.
.TP
\fI$XDG_STATE_HOME/paytill/journal.sqlite\fR
The journal (else below \fI~/.local/state\fR); in training \fItraining.sqlite\fR. The files beside it whose
names begin alike belong to it: copy them together.
.TP
\fIjournal.sqlite.key\fR
The journal's key, beside it or \fBjournal.key_file\fR. Keep a copy of it elsewhere: without it neither the
journal nor a copy of it can be read.
.TP
\fIjournal.log.YYYY\-MM\-DD\fR
The log, beside the journal, kept for 30 days.
.TP
\fIdevices.toml\fR
Beside the journal: scanners that \fBpaytill devices \-\-learn\fR has learned.
.TP
\fIoperators.toml\fR
Beside the journal: the operators that \fBpaytill operators\fR has added, with hashes of their PINs.
.SH ENVIRONMENT
.TP
\fBPAYTILL_CONFIG\fR
The configuration file.
.TP
\fBPAYTILL_API_KEY\fR
The API key, in place of \fBapi_key_file\fR.
.TP
\fBXDG_CONFIG_HOME\fR, \fBXDG_STATE_HOME\fR, \fBHOME\fR
Where the files are; the first two are ignored unless absolute.
.TP
\fBLC_ALL\fR, \fBLC_MESSAGES\fR, \fBLANG\fR
The language, where neither the configuration nor \fB\-\-lang\fR names one.
.TP
\fBTERM\fR
The terminal; the screen does not open on \fBdumb\fR.
.TP
\fBNO_COLOR\fR
The screen is drawn without colours.
.PP
Proxies of the environment are never used.
.SH EXAMPLES
.TP
The cashier's screen:
.B paytill
.TP
One payment, the code from standard input, where no process list shows it:
.B paytill pay 12.50 \-\-code \- \-\-json
.TP
The sales of yesterday, and their sum:
.B paytill orders \-\-day yesterday \-\-state paid
.TP
What became of the order that the screen shows as 345001:
.B paytill show 345001
.TP
A customer says that it was paid, and shows the number on the payment page:
.B paytill find T01112203300089345607 \-\-ask
.TP
One file that proves what happened to an order, and its check:
.B paytill evidence 345001 \-\-out order.json; paytill evidence \-\-verify order.json
.TP
A verified copy of the journal; keep its key in another place:
.B paytill backup /mnt/stick/journal.sqlite
.TP
Yesterday's payments against WeChat Pay's bill, after ten in the morning in Beijing:
.B paytill reconcile yesterday
.TP
A screen for the customer, in a second terminal:
.B paytill customer-view
.TP
What is right, what is not, and what to do about it:
.B paytill doctor
";

/// The page as roff, in English.
pub fn page() -> io::Result<Vec<u8>> {
    let command = words::command(Language::English);
    let mut page = Vec::new();
    clap_mangen::Man::new(command.subcommand_help_heading("COMMANDS")).render(&mut page)?;
    page.extend(SECTIONS.as_bytes());
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_where_files_are_what_the_environment_does_and_how_it_is_used() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        for section in ["COMMANDS", "FILES", "ENVIRONMENT", "EXAMPLES"] {
            assert!(page.lines().any(|line| line == format!(".SH {section}")), "{section}");
        }
        for word in ["paytill.toml", "journal.sqlite", "PAYTILL_API_KEY", "NO_COLOR"] {
            assert!(page.contains(word), "{word}");
        }
    }
}
