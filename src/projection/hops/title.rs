//! What a hop is called, in a few words.

use std::borrow::Cow;

use serde::Deserialize;

use super::Asks;
use crate::trace::event::{Body, Leg};

/// What stands before a policy set's id in the paths of the console.
const POLICY_SETS: &str = "/policy-sets/";

/// Bodies above this are not read for a title.
const LONGEST_BODY: usize = 64 * 1024;

#[derive(Deserialize)]
struct Rpc<'a> {
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

/// The title of a client's request, and what it asks for.
pub(super) fn request(
    leg: Leg,
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Option<&Body>,
) -> (String, Asks) {
    let plain = || format!("{method} {}", path(url));
    let title = match leg {
        Leg::Mcp => return rpc(headers, body).unwrap_or_else(|| (plain(), asks_by(method))),
        Leg::Console => {
            let switches = method == "PATCH" && path(url).contains(POLICY_SETS);
            let asks = if switches {
                Asks::SwitchPolicySet
            } else {
                Asks::Other
            };
            return (plain(), asks);
        }
        Leg::Registration => "register the client".to_owned(),
        Leg::Token => match grant(body) {
            Some("authorization_code") => "token request (code)".to_owned(),
            Some("refresh_token") => "token request (refresh)".to_owned(),
            Some("client_credentials") => "token request (client)".to_owned(),
            Some(_) | None => "token request".to_owned(),
        },
        Leg::Discovery | Leg::Authorization | Leg::Callback => plain(),
    };
    (title, Asks::Other)
}

/// What a request without a message of JSON-RPC asks for.
fn asks_by(method: &str) -> Asks {
    match method {
        "GET" | "DELETE" => Asks::Optional,
        _ => Asks::Other,
    }
}

/// The policy set that a request to the console is about, by its path.
pub(super) fn policy_set(title: &str) -> Option<&str> {
    let (_, rest) = title.split_once(POLICY_SETS)?;
    rest.split('/').next()
}

/// The JSON-RPC method and the tool's name, from the headers of newer protocols or from the body.
fn rpc(headers: &[(String, String)], body: Option<&Body>) -> Option<(String, Asks)> {
    let header = |name: &str| {
        headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| Cow::Borrowed(value.as_str()))
    };
    let body = body
        .filter(|body| !body.cut && body.text.len() <= LONGEST_BODY)
        .and_then(|body| serde_json::from_str::<Rpc<'_>>(&body.text).ok());
    let (method, name) = match body {
        Some(rpc) => (rpc.method, rpc.params.and_then(|params| params.name)),
        None => (None, None),
    };
    let method = method.or_else(|| header("mcp-method"))?;
    let name = name.or_else(|| header("mcp-name"));
    let asks = match &*method {
        "tools/list" => Asks::ListTools,
        "tools/call" => Asks::CallTool,
        _ => Asks::Other,
    };
    let title = name.map_or_else(|| method.to_string(), |name| format!("{method} {name}"));
    Some((title, asks))
}

/// `grant_type` of a form.
fn grant(body: Option<&Body>) -> Option<&str> {
    body.filter(|body| body.text.len() <= LONGEST_BODY)?
        .text
        .split('&')
        .find_map(|pair| pair.strip_prefix("grant_type="))
}

/// A URL's path without its query; the URL itself if it has none.
pub(super) fn path(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let path = url[after_scheme..]
        .find('/')
        .map_or("/", |at| &url[after_scheme + at..]);
    path.split(['?', '#']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Body {
        Body {
            media_type: "application/json".to_owned(),
            text: text.to_owned(),
            bytes: 0,
            cut: false,
        }
    }

    #[test]
    fn a_tool_call_is_named_after_its_tool() {
        let body = json(
            r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"escalate_ticket","arguments":{}}}"#,
        );
        let title = request(Leg::Mcp, "POST", "http://x/mcp", &[], Some(&body));
        assert_eq!(
            title,
            ("tools/call escalate_ticket".to_owned(), Asks::CallTool)
        );
    }

    #[test]
    fn without_a_readable_body_the_headers_or_the_path_name_it() {
        let headers = [("mcp-method".to_owned(), "tools/list".to_owned())];
        let cut = Body {
            cut: true,
            ..json("{\"method\":")
        };
        let of = |headers| request(Leg::Mcp, "POST", "http://x/mcp?a=b", headers, Some(&cut));
        assert_eq!(of(&headers), ("tools/list".to_owned(), Asks::ListTools));
        assert_eq!(of(&[]), ("POST /mcp".to_owned(), Asks::Other));
    }

    #[test]
    fn paths_of_odd_urls_do_not_panic() {
        for (url, expected) in [
            ("", "/"),
            ("http://h", "/"),
            ("http://h/a?b", "/a"),
            ("/a/b#c", "/a/b"),
            ("://", "/"),
            ("é://ü/ß", "/ß"),
        ] {
            assert_eq!(path(url), expected, "{url}");
        }
    }
}
