//! The frame of the stand-in's pages: no script, no outside resource, light and dark.

use std::fmt::Write as _;

use axum::{
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use crate::support::{html, text::sanitize};

const STYLE: &str = "
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #ffffff; --text: #1d2129;
  --soft: #5b6472; --line: #dfe3e8; --accent: #4f5bd5; --on-accent: #ffffff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #14161a; --card: #1d2026; --text: #e8eaee;
  --soft: #9aa4b2; --line: #333943; --accent: #8b95ff; --on-accent: #14161a; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 34rem; margin: 3rem auto; padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px; }
main.wide { max-width: 48rem; }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 1rem; overflow-wrap: anywhere; }
.lab { font-size: .85rem; color: var(--soft); margin: 0 0 1.25rem; }
.soft { color: var(--soft); }
.warn { color: var(--bad); font-weight: 600; }
fieldset { border: 1px solid var(--line); border-radius: 8px; margin: 1.25rem 0; padding: .5rem 1rem; }
legend { padding: 0 .4rem; color: var(--soft); }
label { display: flex; gap: .6rem; align-items: baseline; padding: .3rem 0; }
ul { padding-left: 1.2rem; } code { font-size: .85em; color: var(--soft); }
.buttons { display: flex; gap: .75rem; }
button { font: inherit; padding: .6rem 1.4rem; border-radius: 8px; border: 1px solid var(--line);
  background: transparent; color: inherit; cursor: pointer; }
button.yes { background: var(--accent); border-color: var(--accent); color: var(--on-accent);
  font-weight: 600; }
button:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 0 1.25rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: .95rem/1.55 ui-monospace, monospace;
  border-top: 1px solid var(--line); padding-top: 1.25rem; margin: 0 0 1rem; }
";

/// How much room a page takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    Dialog,
    Document,
}

/// Makes text from outside harmless within HTML, in an attribute too.
pub fn escape(text: &str) -> String {
    html::escape(&sanitize(text)).into_owned()
}

/// A whole page. `title` is escaped here, `body` is HTML already.
pub fn page(status: StatusCode, width: Width, title: &str, body: &str) -> Response {
    let title = escape(title);
    let class = match width {
        Width::Dialog => "",
        Width::Document => " class=\"wide\"",
    };
    let mut html = String::with_capacity(STYLE.len() + body.len() + 512);
    // Writing into a `String` cannot fail.
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\
         <body><main{class}><p class=\"lab\">A stand-in for Linear in the hoptrail lab. \
         Nothing here reaches the real Linear.</p>\n<h1>{title}</h1>\n{body}\n</main></body></html>\n"
    );
    (
        status,
        [
            (
                header::CONTENT_SECURITY_POLICY,
                // No `form-action`: browsers apply it to the redirects behind the form as well,
                // and those lead to the application that asked.
                "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
            ),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // Stricter would make the form's `Origin` null, and the guard refuses that.
            (HeaderName::from_static("referrer-policy"), "same-origin"),
        ],
        Html(html),
    )
        .into_response()
}
