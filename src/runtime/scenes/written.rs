//! A scene as a file: the same addresses at every recording, long bodies cut.

use std::collections::BTreeMap;

use crate::trace::{
    TraceEvent,
    codec::{self, Header},
    event::{Body, Fact},
};

/// The longest body that is kept whole, in bytes.
const WHOLE: usize = 3_000;
/// The port of the part that is met first; the others follow. Five digits, as free ports have, so
/// that no length in the trace becomes a lie.
const FIRST_PORT: u16 = 48_000;
/// What stands before a port, in a URL and in one that is a parameter.
const HOSTS: [&str; 2] = ["127.0.0.1:", "127.0.0.1%3A"];

/// The trace's text.
pub(super) fn text(header: &Header, title: &str, events: &[TraceEvent]) -> String {
    let header = Header {
        title: Some(title.to_owned()),
        ..header.clone()
    };
    let mut text = codec::encode_header(&header);
    for event in events {
        let mut event = event.clone();
        if let Fact::HopSent {
            body: Some(body), ..
        }
        | Fact::HopReturned {
            body: Some(body), ..
        } = &mut event.fact
        {
            cut(body);
        }
        text.push_str(&codec::encode(&event));
    }
    same_ports(&text)
}

fn cut(body: &mut Body) {
    if body.text.len() > WHOLE {
        let end = (0..=WHOLE)
            .rev()
            .find(|end| body.text.is_char_boundary(*end));
        body.text.truncate(end.unwrap_or(0));
        body.cut = true;
    }
}

/// Gives every port of this computer the number that its turn has.
fn same_ports(text: &str) -> String {
    let mut ports: BTreeMap<String, String> = BTreeMap::new();
    let mut next = FIRST_PORT;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, host)) = HOSTS
        .iter()
        .filter_map(|host| rest.find(host).map(|at| (at, *host)))
        .min()
    {
        let (before, after) = rest.split_at(at + host.len());
        out.push_str(before);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (port, after) = after.split_at(digits);
        if !port.is_empty() {
            let same = ports.entry(port.to_owned()).or_insert_with(|| {
                next += 1;
                next.to_string()
            });
            out.push_str(same);
        }
        rest = after;
    }
    out.push_str(rest);
    // The server's own port stands alone in its settings.
    for (port, same) in &ports {
        out = out.replace(
            &format!("\"value\":\"{port}\""),
            &format!("\"value\":\"{same}\""),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbered_in_their_turn() {
        let text =
            r#"http://127.0.0.1:50123/mcp 127.0.0.1%3A40001 127.0.0.1:50123 "value":"50123""#;
        assert_eq!(
            same_ports(text),
            r#"http://127.0.0.1:48001/mcp 127.0.0.1%3A48002 127.0.0.1:48001 "value":"48001""#
        );
    }

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let mut body = Body {
            media_type: "text/plain".to_owned(),
            text: "é".repeat(WHOLE),
            bytes: 6_000,
            cut: false,
        };
        cut(&mut body);
        assert!(body.cut && body.text.len() <= WHOLE);
    }
}
