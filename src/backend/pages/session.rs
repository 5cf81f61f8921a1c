//! Who is asking: sessions, and proof that a form was ours.
//!
//! The browser holds a random token; the books hold its digest. Every form carries a keyed digest of
//! the token, which another site can neither read nor make.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac};
use axum::Form;
use axum::extract::{FromRequest as _, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use paytill_core::clock::{Millis, Timestamp};
use paytill_core::language::Language;
use paytill_host::random;

use super::words::PageWords;
use super::{LOGIN, Pages, Problem};
use crate::store::{LONGEST_SESSION, SessionRow, StoreError};

/// A session ends when nobody has asked for a page so long; after half a day in any case.
const IDLE: Millis = Millis::seconds(30 * 60);
/// That somebody is there is noted this seldom.
const NOTED: Millis = Millis::seconds(60);

/// The cookies. Browsers take the first two over HTTPS alone.
const SESSION: &str = "__Secure-paytill";
const VISIT: &str = "__Secure-paytill-login";
const LANGUAGE: &str = "paytill-language";

/// The field of every form that proves that it is ours.
pub(super) const CSRF: &str = "csrf";

/// Somebody who is logged in, and what their forms must carry.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) name: String,
    pub(super) csrf: String,
    pub(super) words: PageWords,
    /// The page that is asked for, with its query.
    pub(super) path: String,
}

/// The fields of a form that is ours.
#[derive(Clone, Debug)]
pub(super) struct Posted(pub(super) HashMap<String, String>);

impl Posted {
    /// A field; nothing if it is not there.
    pub(super) fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// A secret that only one browser has.
pub(super) struct Token(String);

impl Token {
    /// 256 random bits.
    pub(super) fn new() -> Option<Self> {
        let bytes = random::draw::<32>()?;
        Some(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// What the books hold of it.
    pub(super) fn digest(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, self.0.as_bytes()).as_ref().to_vec()
    }

    /// What forms carry of it.
    pub(super) fn csrf(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"paytill form").as_ref())
    }

    /// The cookie that has it: of a session, or of a visit to the door.
    pub(super) fn session_cookie(&self) -> String {
        let age = LONGEST_SESSION.0 / 1000;
        format!("{SESSION}={}; Max-Age={age}; {}", self.0, attributes())
    }

    fn visit_cookie(&self) -> String {
        format!("{VISIT}={}; {}", self.0, attributes())
    }
}

/// For the cookie of a session that has ended.
pub(super) fn no_session() -> String {
    format!("{SESSION}=; Max-Age=0; {}", attributes())
}

/// For the language that somebody has chosen.
pub(super) fn language_cookie(language: Language) -> String {
    let tag = language.pick("en", "zh-CN");
    format!("{LANGUAGE}={tag}; Max-Age=31536000; {}", attributes())
}

const fn attributes() -> &'static str {
    "Path=/admin; Secure; HttpOnly; SameSite=Strict"
}

/// The token of the session, if the browser sent one.
pub(super) fn token(headers: &HeaderMap) -> Option<Token> {
    cookie(headers, SESSION).map(|token| Token(token.to_owned()))
}

/// The token of this visit to the door, and the cookie for a new one.
pub(super) fn visit(headers: &HeaderMap) -> Option<(Token, Option<String>)> {
    if let Some(token) = cookie(headers, VISIT) {
        return Some((Token(token.to_owned()), None));
    }
    let token = Token::new()?;
    let cookie = token.visit_cookie();
    Some((token, Some(cookie)))
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let mut cookies =
        cookies.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    let value = cookies.find_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='));
    value.filter(|value| !value.is_empty() && value.len() <= 100)
}

/// The language: chosen, or else what the browser prefers of those that there are.
pub(super) fn language(headers: &HeaderMap) -> Language {
    if let Some(chosen) = cookie(headers, LANGUAGE).and_then(Language::from_tag) {
        return chosen;
    }
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut best = (Language::Chinese, 0.0_f32);
    for part in accepted.unwrap_or_default().split(',') {
        let (tag, quality) = part.split_once(';').unwrap_or((part, ""));
        let quality = quality.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse().ok());
        let known = match tag.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("en") => Some(Language::English),
            Some("zh") => Some(Language::Chinese),
            Some(_) | None => None,
        };
        if let Some((known, quality)) = known.zip(quality)
            && quality > best.1
        {
            best = (known, quality);
        }
    }
    best.0
}

/// Lets nobody pass who is not logged in, and no form that is not ours.
pub(super) async fn guarded(
    State(pages): State<Arc<Pages>>,
    mut request: Request,
    next: Next,
) -> Response {
    let words = PageWords::of(language(request.headers()));
    let Some(token) = token(request.headers()) else { return to_login() };
    let now = pages.work.now();
    // A page that reloads itself is no sign that somebody is there.
    let is_live = request.uri().query().is_some_and(|query| query.starts_with("live"));
    let session = match pages.session(&token, now, !is_live).await {
        Ok(Some(session)) => session,
        Ok(None) => return to_login(),
        Err(error) => return Problem::Store(error).shown(words),
    };
    let csrf = token.csrf();
    if request.method() == Method::POST {
        match ours(request, &csrf).await {
            Ok((rebuilt, posted)) => {
                request = rebuilt;
                request.extensions_mut().insert(posted);
            }
            Err(problem) => return problem.shown(words),
        }
    }
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    request.extensions_mut().insert(Visitor { name: session.admin, csrf, words, path });
    next.run(request).await
}

/// The fields of a form, if it carries what ours carry and no other site has sent it.
pub(super) async fn ours(request: Request, csrf: &str) -> Result<(Request, Posted), Problem> {
    let site = request.headers().get("sec-fetch-site");
    if site.is_some_and(|site| site != "same-origin") {
        return Err(Problem::NotOurs);
    }
    let (parts, body) = request.into_parts();
    let rebuilt = Request::from_parts(parts.clone(), axum::body::Body::empty());
    let form = Form::from_request(Request::from_parts(parts, body), &()).await;
    let Form(fields): Form<HashMap<String, String>> = form.map_err(|_| Problem::NotOurs)?;
    let posted = Posted(fields);
    if verify_slices_are_equal(posted.field(CSRF).as_bytes(), csrf.as_bytes()).is_err() {
        return Err(Problem::NotOurs);
    }
    Ok((rebuilt, posted))
}

fn to_login() -> Response {
    Redirect::to(LOGIN).into_response()
}

/// An answer with a cookie.
pub(super) fn with_cookie(mut answer: Response, cookie: &str) -> Response {
    match HeaderValue::from_str(cookie) {
        Ok(value) => {
            answer.headers_mut().append(header::SET_COOKIE, value);
            answer
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Pages {
    /// The session of a token, unless it has ended.
    async fn session(
        &self,
        token: &Token,
        now: Timestamp,
        is_somebody: bool,
    ) -> Result<Option<SessionRow>, StoreError> {
        let (store, digest) = (self.work.store(), token.digest());
        let Some(session) = store.session(self.merchant(), &digest).await? else {
            return Ok(None);
        };
        if has_ended(&session, now) {
            store.end_session(self.merchant(), &digest).await?;
            return Ok(None);
        }
        if is_somebody && session.seen_at.after(NOTED) <= now {
            store.session_seen(self.merchant(), &digest, now).await?;
        }
        Ok(Some(session))
    }
}

fn has_ended(session: &SessionRow, now: Timestamp) -> bool {
    session.seen_at.after(IDLE) <= now || session.created_at.after(LONGEST_SESSION) <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_session_ends_when_nobody_is_there_and_after_half_a_day() {
        let session = |seen: u64| SessionRow {
            admin: "li".to_owned(),
            created_at: NOW,
            seen_at: NOW.after(Millis::seconds(seen)),
        };
        let is_over = |seen, at| has_ended(&session(seen), NOW.after(Millis::seconds(at)));
        assert!(!is_over(0, 1_799) && is_over(0, 1_800));
        assert!(!is_over(1_000, 2_799) && is_over(1_000, 2_800));
        assert!(!is_over(43_000, 43_199) && is_over(43_000, 43_200));
    }

    #[test]
    fn the_browser_s_language_is_taken_unless_another_was_chosen() {
        for (accepted, expected) in [
            ("en-GB,en;q=0.9", Language::English),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("de,en;q=0.5,zh;q=0.4", Language::English),
            ("en;q=0.1, zh-TW;q=0.2", Language::Chinese),
            ("de", Language::Chinese),
            ("\u{e9}", Language::Chinese),
            ("en;q=x", Language::Chinese),
        ] {
            let Ok(value) = HeaderValue::from_str(accepted) else { continue };
            let mut sent = HeaderMap::new();
            sent.insert(header::ACCEPT_LANGUAGE, value);
            assert_eq!(language(&sent), expected, "{accepted}");
            sent.insert(header::COOKIE, "paytill-language=en".parse().unwrap());
            assert_eq!(language(&sent), Language::English);
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let sent = headers(header::COOKIE, "a=1; __Secure-paytill-login=x; __Secure-paytill=y");
        assert_eq!(cookie(&sent, SESSION), Some("y"));
        assert_eq!(cookie(&sent, VISIT), Some("x"));
        assert_eq!(cookie(&headers(header::COOKIE, "__Secure-paytill="), SESSION), None);
    }

    #[test]
    fn a_form_s_token_is_neither_the_session_s_nor_another_s() {
        let (one, two) = (Token::new().unwrap(), Token::new().unwrap());
        assert_eq!(one.csrf(), Token(one.0.clone()).csrf());
        assert!(one.csrf() != two.csrf() && one.csrf() != one.0);
        assert_eq!(one.0.len(), 43, "256 bits");
    }
}
