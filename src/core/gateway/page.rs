//! What came in place of a gateway's message: an error page, a network's log-in page, a proxy's.
//!
//! Nothing in it is believed, but its status, its type and its first words say where it is from.

use crate::clean::clean;

/// How much of the type and of the words is kept, in cells.
const TYPE_CELLS: usize = 40;
const WORDS_CELLS: usize = 100;
/// How much of a body is looked at for its first words.
const LOOKED_AT: usize = 16 * 1024;

/// A reply that is no message, in short.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    pub status: u16,
    /// Without its parameters, such as `text/html`; empty if there is none.
    pub content_type: String,
    /// What people would read first; empty if there is nothing to read.
    pub first_words: String,
}

impl Page {
    /// Of a reply's head and as much of its body as there is.
    pub fn of(status: http::StatusCode, headers: &http::HeaderMap, body: &[u8]) -> Self {
        let content_type = headers.get(http::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim();
        Self {
            status: status.as_u16(),
            content_type: clean(content_type, TYPE_CELLS),
            first_words: first_words(&String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)])),
        }
    }

    /// Of a text whose head nobody has kept: only its first words.
    pub fn words_of(body: &[u8]) -> String {
        first_words(&String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]))
    }

    /// In one line: `HTTP 502, text/html: 502 Bad Gateway nginx`.
    pub fn line(&self) -> String {
        let mut line = format!("HTTP {}", self.status);
        if !self.content_type.is_empty() {
            line.push_str(", ");
            line.push_str(&self.content_type);
        }
        if !self.first_words.is_empty() {
            line.push_str(": ");
            line.push_str(&self.first_words);
        }
        line
    }

    /// As fields for the record.
    pub fn record(self) -> Vec<(String, String)> {
        let fields = [
            ("http_status", self.status.to_string()),
            ("content_type", self.content_type),
            ("first_words", self.first_words),
        ];
        let named = fields.into_iter().filter(|(_, value)| !value.is_empty());
        named.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The text between the tags, without scripts and styles, in one line.
fn first_words(body: &str) -> String {
    let mut words = String::new();
    let mut rest = body;
    while words.len() < 8 * WORDS_CELLS {
        let Some((text, tag)) = rest.split_once('<') else {
            words.push_str(rest);
            break;
        };
        words.push_str(text);
        words.push(' ');
        let name = tag.get(..6).unwrap_or_default().to_ascii_lowercase();
        let end = match name.as_str() {
            "script" => "</script",
            _ if name.starts_with("style") => "</style",
            _ if name.starts_with("!--") => "-->",
            _ => "",
        };
        // Letters of ASCII keep their length and place in lower case.
        let at = if end.is_empty() { Some(0) } else { tag.to_ascii_lowercase().find(end) };
        let tag = at.and_then(|at| tag.get(at..)).unwrap_or_default();
        rest = tag.split_once('>').map_or("", |(_, rest)| rest);
    }
    let words = words.replace(char::REPLACEMENT_CHARACTER, "");
    clean(&words.split_whitespace().collect::<Vec<_>>().join(" "), WORDS_CELLS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(content_type: &str, body: &[u8]) -> Page {
        let mut reply = http::Response::new(());
        if !content_type.is_empty() {
            reply.headers_mut().insert(http::header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        Page::of(http::StatusCode::BAD_REQUEST, reply.headers(), body)
    }

    #[test]
    fn the_first_words_are_what_people_would_read() {
        let nginx =
            b"<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\
            \r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n</body></html>";
        assert_eq!(
            page("text/html; charset=utf-8", nginx).line(),
            "HTTP 400, text/html: 400 No required SSL certificate was sent 400 Bad Request"
        );
        let portal = "<!DOCTYPE html><!-- a > b --><style>p{}</style><SCRIPT>if(a<b){}</SCRIPT>\
                      <p>上网请先登录</p>";
        assert_eq!(page("", portal.as_bytes()).line(), "HTTP 400: 上网请先登录");
        assert_eq!(page("", b"").line(), "HTTP 400");
        assert_eq!(page("", b"\xc7\xeb plain < text").first_words, "plain");
        assert_eq!(page("", b"a \x1b[2J b").first_words, "a [2J b");
        assert_eq!(page("", "x".repeat(9000).as_bytes()).first_words.len(), WORDS_CELLS);
        for cut in 0..portal.len() {
            page("", &portal.as_bytes()[..cut]);
        }
    }

    #[test]
    fn the_record_has_a_field_for_each_part_there_is() {
        let named =
            |page: Page| page.record().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(named(page("text/html", b"no")), ["http_status", "content_type", "first_words"]);
        assert_eq!(named(page("", b"")), ["http_status"]);
    }
}
