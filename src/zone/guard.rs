//! Who may talk to the zone at all: callers that name it by a loopback address, and pages that come
//! from one. Stops DNS rebinding (Host) and other sites' scripts and forms (Origin).

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::support::loopback::is_loopback_authority;

/// Lets a request through whose `Host`, and `Origin` if it has one, are loopback.
pub(super) async fn loopback_only(request: Request<Body>, next: Next) -> Response {
    // HTTP/1.1 has the host in the header; a full URL in the request line would win over it.
    let host = request
        .uri()
        .authority()
        .map(http::uri::Authority::as_str)
        .or_else(|| text(request.headers(), &header::HOST));
    let refused = if !host.is_some_and(is_loopback_authority) {
        Some("The zone answers on its loopback address only.")
    } else if !origin_allowed(request.headers()) {
        Some("The zone does not answer to pages of other sites.")
    } else {
        None
    };
    match refused {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    }
}

fn origin_allowed(headers: &HeaderMap) -> bool {
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    text(headers, &header::ORIGIN)
        .and_then(|origin| origin.split_once("://"))
        .is_some_and(|(scheme, authority)| {
            matches!(scheme, "http" | "https") && is_loopback_authority(authority)
        })
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(one), None) => one.to_str().ok(),
        _ => None,
    }
}
