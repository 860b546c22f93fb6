//! The secrets that went along with a request. A service that repeats one in its answer must not have
//! it told to whoever called.

use reqwest::{Request, header::CONTENT_TYPE};
use url::form_urlencoded;

use crate::protocol::{
    basic,
    secret::{Secret, hide},
};

#[derive(Default)]
pub(super) struct Sent(Vec<Secret>);

impl Sent {
    /// What a request carries: its sensitive headers, a client's secret in Basic, and a token that is to
    /// be exchanged.
    pub fn with(request: &Request) -> Self {
        let mut secrets = Vec::new();
        for value in request.headers().values().filter(|one| one.is_sensitive()) {
            let Ok(text) = value.to_str() else { continue };
            let bare = text.split_once(' ').map_or(text, |(_scheme, bare)| bare);
            secrets.push(Secret::from(bare));
            if let Some(pair) = basic::pair(value.as_bytes())
                && let Some((_name, secret)) = pair.expose().split_once(':')
            {
                secrets.push(Secret::from(secret));
            }
        }
        let kind = request.headers().get(CONTENT_TYPE);
        let is_form = kind.is_some_and(|kind| kind == "application/x-www-form-urlencoded");
        if let Some(form) = request
            .body()
            .and_then(|body| body.as_bytes())
            .filter(|_| is_form)
        {
            let fields = form_urlencoded::parse(form);
            let tokens = fields.filter(|(name, _)| name == "subject_token");
            secrets.extend(tokens.map(|(_, token)| Secret::from(&*token)));
        }
        Self(secrets)
    }

    /// A text with each of them hidden, and with what only begins like one.
    pub fn hide(&self, text: &str) -> String {
        let hidden = |text: String, secret: &Secret| hide(&text, secret.expose());
        self.0.iter().fold(text.to_owned(), hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_hidden_whole_and_in_part() {
        let request = reqwest::Client::new()
            .post("http://127.0.0.1:1/token")
            .header("authorization", {
                let pair = basic::plain("app", &Secret::from("client-secret-1"));
                let mut value =
                    http::HeaderValue::try_from(format!("Basic {}", pair.expose())).unwrap();
                value.set_sensitive(true);
                value
            })
            .header("x-open", "harmless-value")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("subject_token=eyJhbGciOi.abc%2Bdef&resource=r-e-s-o-u-r-c-e")
            .build()
            .unwrap();
        let sent = Sent::with(&request);
        for (said, told) in [
            ("bad client-secret-1!", "bad [hidden]!"),
            ("bad client-secret-", "bad [hidden]"),
            (
                "no eyJhbGciOi.abc+def, eyJhbGciOi.a…",
                "no [hidden], [hidden]…",
            ),
            (
                "r-e-s-o-u-r-c-e harmless-value app",
                "r-e-s-o-u-r-c-e harmless-value app",
            ),
        ] {
            assert_eq!(sent.hide(said), told);
        }
    }
}
