//! The door: a name and a password, a few times and not for ever.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{Extensions, HeaderMap, StatusCode};
use zeroize::Zeroizing;

use paytill_core::clean::clean;
use paytill_core::clock::{Millis, Timestamp};

use super::session::{self, Posted, Token, Visitor};
use super::throttle::counted;
use super::words::PageWords;
use super::{Frame, HOME, LOGIN, Pages, Problem, page};
use crate::store::{AdminRow, By, Login, StoreError};

/// The longest name that is looked for, in cells.
const NAME: usize = 32;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    f: Frame,
    csrf: String,
    name: String,
    wrong: Option<String>,
}

/// `GET /admin/login`
pub(super) async fn form(request: Request) -> Response {
    let w = PageWords::of(session::language(request.headers()));
    shown(request.headers(), w, StatusCode::OK, ("", None))
}

fn shown(
    headers: &HeaderMap,
    w: PageWords,
    status: StatusCode,
    (name, wrong): (&str, Option<String>),
) -> Response {
    let Some((token, cookie)) = session::visit(headers) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let name = name.to_owned();
    let made = page(&LoginPage { f: Frame::bare(w), csrf: token.csrf(), name, wrong });
    let answer = (status, made).into_response();
    match cookie {
        Some(cookie) => session::with_cookie(answer, &cookie),
        None => answer,
    }
}

/// What became of a name and a password.
enum Tried {
    In(Token),
    Wrong,
    /// It was not looked at: too many were.
    Later(Millis),
    Busy,
}

/// `POST /admin/login`
pub(super) async fn log_in(State(pages): State<Arc<Pages>>, request: Request) -> Response {
    let w = PageWords::of(session::language(request.headers()));
    let from = pages.address(request.headers(), request.extensions());
    let csrf = session::visit(request.headers()).map(|(token, _)| token.csrf());
    let headers = request.headers().clone();
    let posted = match session::ours(request, csrf.as_deref().unwrap_or_default()).await {
        Ok((_, posted)) => posted,
        Err(problem) => return problem.shown(w),
    };
    let Posted(mut fields) = posted;
    let password = Zeroizing::new(fields.remove("password").unwrap_or_default());
    let name = clean(&fields.remove("name").unwrap_or_default(), NAME);
    let now = pages.work.now();
    let (status, wrong) = match pages.tried(&name, password, from, now).await {
        Ok(Tried::In(token)) => {
            tracing::info!(name, %from, "somebody has logged in");
            return session::with_cookie(
                Redirect::to(HOME).into_response(),
                &token.session_cookie(),
            );
        }
        Ok(Tried::Wrong) => {
            tracing::warn!(name, %from, "a wrong name or password");
            let by = By { who: format!("address:{from}"), at: now };
            if let Err(error) = pages.work.store().login_failed(pages.merchant(), by, &name).await {
                return Problem::Store(error).shown(w);
            }
            (StatusCode::UNAUTHORIZED, w.wrong_login().to_owned())
        }
        Ok(Tried::Later(wait)) => {
            let minutes = i64::try_from(wait.0.div_ceil(60_000)).unwrap_or(i64::MAX);
            (StatusCode::TOO_MANY_REQUESTS, w.too_many(minutes))
        }
        Ok(Tried::Busy) => (StatusCode::SERVICE_UNAVAILABLE, w.busy().to_owned()),
        Err(error) => return Problem::Store(error).shown(w),
    };
    shown(&headers, w, status, (&name, Some(wrong)))
}

/// `POST /admin/logout`
pub(super) async fn log_out(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    if let Some(token) = session::token(&headers)
        && let Err(error) = pages.work.store().end_session(pages.merchant(), &token.digest()).await
    {
        return Problem::Store(error).shown(visitor.words);
    }
    session::with_cookie(Redirect::to(LOGIN).into_response(), &session::no_session())
}

impl Pages {
    /// Whether that is somebody's password, and a session if so. A name that nobody has takes as long
    /// as one that somebody has.
    async fn tried(
        &self,
        name: &str,
        password: Zeroizing<String>,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Tried, StoreError> {
        let Ok(_place) = self.waiting.try_acquire() else { return Ok(Tried::Busy) };
        let counted = counted(name, from);
        if let Err(wait) = self.work.store().attempt(self.merchant(), &counted, now).await? {
            return Ok(Tried::Later(wait));
        }
        let Ok(_turn) = self.hashing.acquire().await else { return Ok(Tried::Busy) };
        let found = self.work.store().admin(self.merchant(), name).await?;
        let row = found.clone().unwrap_or_else(|| AdminRow::nobody(self.cost));
        let checked = tokio::task::spawn_blocking(move || row.has_password(&password));
        let is_it = matches!(checked.await, Ok(true));
        let (Some(admin), true) = (found, is_it) else { return Ok(Tried::Wrong) };
        let Some(token) = Token::new() else { return Ok(Tried::Busy) };
        let login = Login {
            admin,
            digest: token.digest(),
            at: now,
            from: from.to_string(),
            counted: counted.to_vec(),
        };
        let begun = self.work.store().begin_session(self.merchant(), login).await?;
        Ok(if begun { Tried::In(token) } else { Tried::Wrong })
    }

    /// Where somebody comes from. A proxy adds its peer behind what others have said.
    fn address(&self, headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let told = headers.get_all("x-forwarded-for").into_iter().next_back();
        let told =
            told.and_then(|line| line.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        told.filter(|_| self.is_behind_proxy).or(peer).unwrap_or(nowhere)
    }
}
