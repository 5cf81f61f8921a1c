//! The owner's page, at `/admin` on the web's door: today's figures, what needs a person, and every
//! payment's story, for whoever has a password.
//!
//! It is made here and needs no script. It changes nothing of a payment: the only acts are to lock a
//! till and to have a message sent again. All of it is this merchant's alone. Texts from outside are
//! escaped by the templates; nothing is marked as safe.

mod audit;
mod bills;
mod exceptions;
mod login;
mod outbox;
mod overview;
pub mod password;
mod payments;
mod refunds;
mod session;
mod story;
mod throttle;
mod tills;
mod view;
mod words;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, Request};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use tokio::sync::Semaphore;

use paytill_core::clock::{self, Date, TimeZone, Timestamp};
use paytill_core::gateway::backend::signed::PublicKey;
use paytill_core::language::Language;

use crate::store::StoreError;
use crate::work::Work;
use password::Cost;
use session::Visitor;
use view::Eye;
use words::PageWords;

const HOME: &str = "/admin";
const LOGIN: &str = "/admin/login";
/// The largest form has a name and a password.
const LARGEST: usize = 8 * 1024;
/// So many passwords are checked at once, and so many wait for their turn.
const HASHING: usize = 2;
const WAITING: usize = 16;
/// Nothing is loaded but the style, nothing is run, and no other page may put this one in a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";
const STYLE: &str = include_str!("style.css");

/// What the pages are made of.
pub struct PagesParts {
    pub work: Arc<Work>,
    /// Where the shops are: when a day begins, and how times are shown.
    pub zone: TimeZone,
    /// Ours, which tills compare.
    pub key: PublicKey,
    /// The gateway is a simulated one.
    pub is_simulated: bool,
    /// A proxy stands in front, and says who is behind it.
    pub is_behind_proxy: bool,
    /// What a guess at the password of nobody costs: as much as one at somebody's.
    pub cost: Cost,
}

/// The pages.
pub struct Pages {
    work: Arc<Work>,
    zone: TimeZone,
    key: PublicKey,
    is_simulated: bool,
    is_behind_proxy: bool,
    cost: Cost,
    hashing: Semaphore,
    waiting: Semaphore,
}

impl Pages {
    /// Nobody is logged in but those in the books.
    pub fn new(parts: PagesParts) -> Arc<Self> {
        let PagesParts { work, zone, key, is_simulated, is_behind_proxy, cost } = parts;
        Arc::new(Self {
            work,
            zone,
            key,
            is_simulated,
            is_behind_proxy,
            cost,
            hashing: Semaphore::new(HASHING),
            waiting: Semaphore::new(WAITING),
        })
    }

    /// When a day begins and ends where the shops are.
    fn bounds(&self, day: Date) -> (Timestamp, Timestamp) {
        let begins = |day: Date| clock::begins(day, &self.zone).unwrap_or(Timestamp(i64::MAX));
        (begins(day), day.tomorrow().map_or(Timestamp(i64::MAX), begins))
    }

    fn today(&self) -> Date {
        self.work.now().day(&self.zone)
    }

    fn merchant(&self) -> &str {
        self.work.merchant()
    }

    /// How all is shown to somebody now.
    fn eye(&self, w: PageWords) -> Eye {
        Eye { now: self.work.now(), zone: self.zone.clone(), w }
    }
}

/// Whether a list of so many may have been cut at its limit.
fn is_full(count: usize, limit: i64) -> bool {
    i64::try_from(count).is_ok_and(|count| count >= limit)
}

/// All that an owner may ask for.
pub fn router(pages: Arc<Pages>) -> Router {
    let guarded = Router::new()
        .route(HOME, get(overview::overview))
        .route("/admin/payments", get(payments::list))
        .route("/admin/payments/{number}", get(story::story))
        .route("/admin/refunds", get(refunds::list))
        .route("/admin/bills", get(bills::list))
        .route("/admin/exceptions", get(exceptions::list))
        .route("/admin/tills", get(tills::list))
        .route("/admin/tills/{till}/lock", get(tills::question).post(tills::lock))
        .route("/admin/messages", get(outbox::list))
        .route("/admin/messages/resend", post(outbox::resend))
        .route("/admin/audit", get(audit::list))
        .route("/admin/logout", post(login::log_out))
        .route_layer(axum::middleware::from_fn_with_state(Arc::clone(&pages), session::guarded));
    Router::new()
        .route(LOGIN, get(login::form).post(login::log_in))
        .route("/admin/language/{tag}", get(choose_language))
        .route("/admin/style.css", get(style))
        .merge(guarded)
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(axum::middleware::from_fn(protected))
        .with_state(pages)
}

/// What every page tells the browser not to do with it.
async fn protected(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// Where somebody was when they chose a language.
#[derive(Deserialize)]
struct Whence {
    #[serde(default)]
    back: String,
}

async fn choose_language(Path(tag): Path<String>, Query(from): Query<Whence>) -> Response {
    let Some(language) = Language::from_tag(&tag) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Only to a page of ours.
    let is_ours = from.back == HOME
        || ["/admin/", "/admin?"].iter().any(|start| from.back.starts_with(start));
    let is_plain = from.back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let back = if is_ours && is_plain { from.back.as_str() } else { HOME };
    session::with_cookie(Redirect::to(back).into_response(), &session::language_cookie(language))
}

/// What surrounds every page.
struct Frame {
    w: PageWords,
    /// Who is logged in, and what their forms carry; nobody at the door.
    visitor: Option<Visitor>,
    here: Tab,
    is_simulated: bool,
    /// It loads itself anew.
    is_live: bool,
}

/// The pages that can always be reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tab {
    Today,
    Payments,
    Refunds,
    Bills,
    Exceptions,
    Tills,
    Messages,
    Audit,
    None,
}

impl Frame {
    fn new(pages: &Pages, visitor: Visitor, here: Tab) -> Self {
        let w = visitor.words;
        let is_simulated = pages.is_simulated;
        Self { w, visitor: Some(visitor), here, is_simulated, is_live: here == Tab::Today }
    }

    /// Around a page for somebody who is not logged in.
    const fn bare(w: PageWords) -> Self {
        Self { w, visitor: None, here: Tab::None, is_simulated: false, is_live: false }
    }

    fn csrf(&self) -> &str {
        self.visitor.as_ref().map_or("", |visitor| &visitor.csrf)
    }

    fn path(&self) -> &str {
        self.visitor.as_ref().map_or(LOGIN, |visitor| &visitor.path)
    }

    fn tabs(&self) -> [(&'static str, &'static str, bool); 8] {
        let w = self.w;
        [
            (HOME, w.today(), self.here == Tab::Today),
            ("/admin/payments", w.payments(), self.here == Tab::Payments),
            ("/admin/refunds", w.refunds(), self.here == Tab::Refunds),
            ("/admin/bills", w.bills(), self.here == Tab::Bills),
            ("/admin/exceptions", w.exceptions(), self.here == Tab::Exceptions),
            ("/admin/tills", w.tills(), self.here == Tab::Tills),
            ("/admin/messages", w.messages(), self.here == Tab::Messages),
            ("/admin/audit", w.audit(), self.here == Tab::Audit),
        ]
    }
}

/// Why there is no page.
#[derive(Debug)]
enum Problem {
    NotFound,
    /// The form was not ours, or is of another session.
    NotOurs,
    Store(StoreError),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    f: Frame,
    sentence: &'static str,
}

impl Problem {
    fn shown(self, w: PageWords) -> Response {
        let (status, sentence) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, w.not_found()),
            Self::NotOurs => (StatusCode::FORBIDDEN, w.page_is_old()),
            Self::Store(error) => {
                tracing::error!(%error, "the owner's page could not be made");
                (StatusCode::SERVICE_UNAVAILABLE, w.no_database())
            }
        };
        (status, page(&ProblemPage { f: Frame::bare(w), sentence })).into_response()
    }
}

/// A page, or why there is none, in the visitor's language.
fn answer(visitor: &Visitor, made: Result<Response, Problem>) -> Response {
    made.unwrap_or_else(|problem| problem.shown(visitor.words))
}

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
