//! Who may talk to the zone at all: callers that name it by a loopback address, and pages that come
//! from one. Stops DNS rebinding (Host) and other sites' scripts and forms (Origin).

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// Lets a request through whose `Host`, and `Origin` if it has one, are loopback.
pub(super) async fn loopback_only(request: Request<Body>, next: Next) -> Response {
    // HTTP/1.1 has the host in the header; a full URL in the request line would win over it.
    let host = request
        .uri()
        .authority()
        .map(http::uri::Authority::as_str)
        .or_else(|| text(request.headers(), &header::HOST));
    let refused = if !host.is_some_and(is_loopback) {
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
            matches!(scheme, "http" | "https") && is_loopback(authority)
        })
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(one), None) => one.to_str().ok(),
        _ => None,
    }
}

/// Whether `host` or `host:port` is this machine, by its three usual names.
fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some(("::1", port)) => ("localhost", port.strip_prefix(':')),
            _ => return false,
        },
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    port.is_none_or(|port| port.parse::<u16>().is_ok())
        && (host.eq_ignore_ascii_case("localhost") || host == "127.0.0.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("127.0.0.1:4100", true)]
    #[case("localhost", true)]
    #[case("[::1]:80", true)]
    #[case("127.0.0.1.evil.example", false)]
    #[case("localhost.evil.example:80", false)]
    #[case("evil.example", false)]
    #[case("127.0.0.1:80@evil.example", false)]
    #[case("[::1", false)]
    #[case("", false)]
    fn only_loopback_names_are_loopback(#[case] authority: &str, #[case] expected: bool) {
        assert_eq!(is_loopback(authority), expected);
    }
}
