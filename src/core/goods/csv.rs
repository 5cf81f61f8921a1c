//! Tables as text: values separated by one character, in quotes where they hold it, a line end or a
//! quote.

/// Why a text is no table, and in which line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Broken {
    /// A quote that is never closed; the line of the opening one.
    Unclosed,
    /// Something behind a closing quote.
    BehindQuote,
}

/// One row: the line that it begins in, counted from 1, and its values.
pub(super) type Row = (usize, Result<Vec<String>, Broken>);

/// Reads row by row. Rows without any value are left out.
pub(super) struct Rows<'a> {
    rest: &'a str,
    line: usize,
    separator: char,
}

impl<'a> Rows<'a> {
    pub(super) fn of(text: &'a str, separator: char) -> Self {
        Self { rest: text, line: 1, separator }
    }

    fn row(&mut self) -> Result<Vec<String>, Broken> {
        let mut values = Vec::new();
        loop {
            let value = match self.rest.strip_prefix('"') {
                Some(rest) => {
                    self.rest = rest;
                    self.quoted()?
                }
                None => self.plain(),
            };
            values.push(value);
            if let Some(rest) = self.rest.strip_prefix(self.separator) {
                self.rest = rest;
                continue;
            }
            let rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
            self.rest = rest.strip_prefix('\n').unwrap_or(rest);
            self.line += 1;
            return Ok(values);
        }
    }

    fn plain(&mut self) -> String {
        let ends = |mark: char| mark == self.separator || matches!(mark, '\r' | '\n');
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        value.to_owned()
    }

    fn quoted(&mut self) -> Result<String, Broken> {
        let mut value = String::new();
        let mut lines = 0;
        loop {
            let Some(end) = self.rest.find('"') else {
                self.rest = "";
                return Err(Broken::Unclosed);
            };
            value.push_str(&self.rest[..end]);
            lines += self.rest[..end].matches('\n').count();
            self.rest = &self.rest[end + 1..];
            match self.rest.strip_prefix('"') {
                Some(rest) => {
                    value.push('"');
                    self.rest = rest;
                }
                None => break,
            }
        }
        self.line += lines;
        let is_end = self.rest.is_empty() || self.rest.starts_with([self.separator, '\r', '\n']);
        if is_end { Ok(value) } else { Err(Broken::BehindQuote) }
    }

    /// The next line, after a row that could not be read.
    fn skip_line(&mut self) {
        let end = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
        self.rest = &self.rest[end..];
        self.line += 1;
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let line = self.line;
            let row = self.row();
            if row.is_err() {
                self.skip_line();
            }
            let is_blank =
                row.as_ref().is_ok_and(|values| values.iter().all(|value| value.trim().is_empty()));
            if !is_blank {
                return Some((line, row));
            }
        }
    }
}
