//! The document of all that tills may ask for, in the form of `OpenAPI`. It is written by hand; its tests
//! hold it against the router and the messages.

use axum::response::IntoResponse;
use http::header;

/// The document.
pub const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /v1/openapi.json`, for anybody: there is nothing in it that is not published.
pub(super) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}
