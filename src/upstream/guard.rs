//! Who may talk to a stand-in at all: programs on this computer, and no web page of somebody else's.
//!
//! A page on the internet can make a browser send requests to loopback (DNS rebinding, a plain
//! form). Both show in a header that the page cannot choose: `Host` or `Origin`.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::support::loopback::is_loopback_authority;

/// Middleware: refuses a `Host` that is not loopback (421) or missing (400), and an `Origin` that
/// is not loopback (403).
pub async fn loopback_only(request: Request, next: Next) -> Response {
    match check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Why a request was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There was no `Host`, or not exactly one that can be read.
    NoHost,
    /// The host is not this computer by a loopback name.
    ForeignHost,
    /// A web page of another origin sent it.
    ForeignOrigin,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::NoHost => (StatusCode::BAD_REQUEST, "A Host header is needed.\n"),
            Self::ForeignHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "The lab answers to 127.0.0.1, localhost and [::1] only.\n",
            ),
            Self::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                "The lab does not answer web pages of other origins.\n",
            ),
        }
        .into_response()
    }
}

/// The check itself, for those who compose their own routers.
pub fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().map_err(|_| Refusal::NoHost)?,
        // In the absolute form (RFC 9112, section 3.2.2) the target names the host.
        (None, None) => uri.authority().ok_or(Refusal::NoHost)?.as_str(),
        (_, Some(_)) => return Err(Refusal::NoHost),
    };
    if !is_loopback_authority(host) {
        return Err(Refusal::ForeignHost);
    }
    let from_here = headers.get_all(header::ORIGIN).iter().all(|origin| {
        origin.to_str().is_ok_and(|origin| {
            origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"))
                .is_some_and(is_loopback_authority)
        })
    });
    if from_here {
        Ok(())
    } else {
        Err(Refusal::ForeignOrigin)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Some("127.0.0.1:1"), None, Ok(()))]
    #[case(Some("127.0.0.1:1"), Some("http://127.0.0.1:2"), Ok(()))]
    #[case(
        Some("127.0.0.1:1"),
        Some("https://evil.test"),
        Err(Refusal::ForeignOrigin)
    )]
    #[case(Some("127.0.0.1:1"), Some("null"), Err(Refusal::ForeignOrigin))]
    #[case(Some("evil.test"), None, Err(Refusal::ForeignHost))]
    #[case(None, None, Err(Refusal::NoHost))]
    fn host_and_origin_decide(
        #[case] host: Option<&str>,
        #[case] origin: Option<&str>,
        #[case] expected: Result<(), Refusal>,
    ) {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(header::HOST, host.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        assert_eq!(check(&Uri::from_static("/"), &headers), expected);
    }
}
