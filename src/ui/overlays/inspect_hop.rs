//! The tabs of a hop. What nobody observed is said to be not observed; nothing is made up.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{
    claims,
    inspect::{chain, decision, fact, record},
};
use crate::{
    projection::{Hop, HopId, HopKind, Verdict},
    protocol::audit::CredentialSource,
    support::text::{duration, one_line, wrap},
    trace::event::{Body, Fact},
    ui::{
        ViewCx,
        look::Role,
        panes,
        widgets::{flowing, json, prose, put::span},
    },
};

/// The lines of a tab.
pub fn lines(cx: &ViewCx, id: HopId, tab: usize, cells: usize) -> Vec<Line<'static>> {
    let Some(hop) = cx.run.hops().get(id) else {
        return Vec::new();
    };
    match tab {
        0 => overview(cx, hop, cells),
        1 => request(cx, hop, cells),
        2 => response(cx, hop, cells),
        3 => tokens(cx, hop, cells),
        _ => policy(cx, hop, cells),
    }
}

fn field(cx: &ViewCx, label: &str, value: Vec<Span<'static>>) -> Line<'static> {
    flowing::labelled(label, value, 12, cx.look)
}

fn dim(cx: &ViewCx, text: impl Into<String>) -> Vec<Span<'static>> {
    vec![span(text, cx.look.style(Role::Dim))]
}

fn unseen(cx: &ViewCx, text: &str, cells: usize) -> Vec<Line<'static>> {
    let dim = cx.look.style(Role::Dim);
    let parts = wrap(text, cells).into_iter();
    parts.map(|part| Line::styled(part, dim)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "shown with three decimals")]
fn overview(cx: &ViewCx, hop: &Hop, cells: usize) -> Vec<Line<'static>> {
    let look = cx.look;
    let mut lines = vec![field(cx, "verdict", vec![panes::hop_verdict(hop, look)])];
    if let Some(resource) = &hop.resource {
        lines.push(field(
            cx,
            "resource",
            vec![span(resource.to_string(), look.style(Role::Heading))],
        ));
    }
    if let Some(scope) = &hop.scope {
        lines.push(field(
            cx,
            "scope",
            vec![span(scope.to_string(), look.style(Role::Heading))],
        ));
    }
    let record = record(cx, hop.evidence.audit);
    if let Some(record) = &record {
        lines.push(Line::raw(""));
        lines.extend(chain(cx, &record.actor));
        lines.push(Line::raw(""));
        lines.extend(decision(cx, record, cells));
    } else if let Some(note) = &hop.note {
        let parts = flowing::foreign(note, cells.saturating_sub(14), look);
        for (place, part) in parts.into_iter().enumerate() {
            lines.push(field(cx, if place == 0 { "note" } else { "" }, part.spans));
        }
    }
    if hop.kind == HopKind::Exchange || hop.credential.is_some() {
        lines.push(Line::raw(""));
        lines.extend(life(cx, hop));
    }
    if let Some(name) = &hop.acted_as {
        lines.push(field(cx, "acted as", vec![Span::raw(name.to_string())]));
    }
    lines.push(Line::raw(""));
    let hops = cx.run.hops();
    let took = hops
        .took_us(hop)
        .map_or("not measured".to_owned(), duration);
    let took = match hops.waited_us(hop.id) {
        0 => took,
        waited => format!("{took} after it was held for {}", duration(waited)),
    };
    lines.push(field(
        cx,
        "when",
        dim(
            cx,
            format!("+{:.3}s, took {took}", hop.started_us as f64 / 1e6),
        ),
    ));
    lines.push(field(cx, "told by", dim(cx, voices(hop))));
    lines
}

/// How long the credential lived, and that it is gone.
fn life(cx: &ViewCx, hop: &Hop) -> Vec<Line<'static>> {
    let look = cx.look;
    let mut lines = Vec::new();
    match hop.credential {
        Some(credential) => {
            lines.push(field(
                cx,
                "credential",
                vec![
                    span(format!("{} ", credential.letter), look.bold(Role::Masked)),
                    span(credential.fingerprint.to_string(), look.style(Role::Masked)),
                    span("  letter and fingerprint only", look.style(Role::Dim)),
                ],
            ));
            if hop.kind == HopKind::Exchange {
                lines.push(field(
                    cx,
                    "lived",
                    match hop.discarded {
                        Some(lived) => vec![
                            span(duration(lived), look.style(Role::Heading)),
                            span(", then the server dropped its copy", Style::new()),
                        ],
                        None => dim(cx, "not observed to be dropped"),
                    },
                ));
            }
        }
        None => lines.push(field(
            cx,
            "credential",
            match hop.verdict {
                Verdict::Pending | Verdict::Held => dim(cx, "not yet"),
                Verdict::Ok | Verdict::Failed | Verdict::Denied => {
                    vec![span("none: it never existed", look.bold(Role::Bad))]
                }
            },
        )),
    }
    lines
}

/// Who told of the hop.
fn voices(hop: &Hop) -> String {
    let told = [
        (
            hop.evidence.sent.is_some() || hop.evidence.returned.is_some(),
            "the client",
        ),
        (hop.evidence.audit.is_some(), "the zone's audit log"),
        (hop.evidence.upstream.is_some(), "the service"),
        (
            hop.evidence.step.is_some() || hop.evidence.discard.is_some(),
            "the server",
        ),
    ];
    let names: Vec<&str> = told
        .into_iter()
        .filter(|(yes, _)| *yes)
        .map(|(_, name)| name)
        .collect();
    names.join(", ")
}

fn headers(cx: &ViewCx, headers: &[(String, String)], cells: usize) -> Vec<Line<'static>> {
    let shown = headers.iter().take(100);
    shown
        .flat_map(|(name, value)| named(cx, &format!("{}: ", one_line(name)), value, cells))
        .collect()
}

/// A header or parameter, all of it: the value may be what a chapter speaks of. What was masked in it
/// stands out.
fn named(cx: &ViewCx, name: &str, value: &str, cells: usize) -> Vec<Line<'static>> {
    const INDENT: &str = "    ";
    let mut runs = vec![(name.to_owned(), cx.look.style(Role::Key))];
    let value = flowing::placeholders(&one_line(value), Style::new(), cx.look);
    runs.extend(value.into_iter().map(|s| (s.content.into_owned(), s.style)));
    let mut lines = prose::fill(&runs, cells.saturating_sub(INDENT.len()));
    for line in lines.iter_mut().skip(1) {
        line.spans.insert(0, Span::raw(INDENT));
    }
    lines
}

fn body(cx: &ViewCx, body: Option<&Body>, cells: usize) -> Vec<Line<'static>> {
    let Some(body) = body else {
        return Vec::new();
    };
    let mut lines = vec![Line::raw("")];
    if body.media_type.contains("x-www-form-urlencoded") {
        // One parameter a line reads better than one long line.
        for pair in body.text.split('&').take(100) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            lines.extend(named(cx, &format!("{} = ", one_line(name)), value, cells));
        }
    } else {
        lines.extend(json::text(&body.text, cells, cx.look));
    }
    if body.cut {
        lines.push(Line::styled(
            format!("… cut; {} bytes in all", body.bytes),
            cx.look.style(Role::Dim),
        ));
    }
    lines
}

fn request(cx: &ViewCx, hop: &Hop, cells: usize) -> Vec<Line<'static>> {
    let look = cx.look;
    match fact(cx, hop.evidence.sent).map(|event| event.fact) {
        Some(Fact::HopSent {
            method,
            url,
            headers: sent,
            body: sent_body,
            ..
        }) => {
            let head = [
                (format!("{} ", one_line(&method)), look.style(Role::Heading)),
                (one_line(&url), Style::new()),
            ];
            let mut lines = prose::fill(&head, cells);
            lines.push(Line::raw(""));
            lines.extend(headers(cx, &sent, cells));
            lines.extend(body(cx, sent_body.as_ref(), cells));
            return lines;
        }
        Some(Fact::BrowserOpened { url, .. }) => {
            let mut lines = vec![
                Line::styled("Opened in the browser", look.style(Role::Heading)),
                Line::raw(""),
            ];
            lines.extend(query(cx, &url, cells));
            return lines;
        }
        Some(Fact::SignInRefused { failure }) => {
            let mut lines = vec![Line::styled(one_line(&failure.what), look.bold(Role::Bad))];
            lines.extend(flowing::foreign(&failure.why, cells, look));
            return lines;
        }
        Some(_) | None => {}
    }
    if let Some(Fact::UpstreamAnswered(asked)) = fact(cx, hop.evidence.upstream).map(|e| e.fact) {
        return vec![
            Line::from(vec![
                span(
                    format!("{} ", one_line(&asked.method)),
                    look.style(Role::Heading),
                ),
                Span::raw(one_line(&asked.path)),
            ]),
            Line::raw(""),
            field(cx, "operation", vec![Span::raw(one_line(&asked.operation))]),
            field(
                cx,
                "credential",
                match asked.credential {
                    Some(print) => vec![span(print.to_string(), look.style(Role::Masked))],
                    None => dim(cx, "none was presented"),
                },
            ),
            Line::raw(""),
            Line::styled(
                "As the service saw it; headers and body were not observed.",
                look.style(Role::Dim),
            ),
        ];
    }
    match record(cx, hop.evidence.audit) {
        Some(record) => {
            let mut lines = vec![Line::styled(
                "The server made this request; this is what the zone wrote down of it.",
                look.style(Role::Dim),
            )];
            lines.push(Line::raw(""));
            let mut add = |label: &str, value: Option<String>| {
                if let Some(value) = value {
                    lines.push(field(cx, label, vec![Span::raw(one_line(&value))]));
                }
            };
            add("grant", record.grant_type.clone());
            add(
                "resource",
                record.resource.as_ref().map(|r| r.identifier.clone()),
            );
            add(
                "scope",
                (!record.scopes.is_empty()).then(|| record.scopes.join(" ")),
            );
            add(
                "client",
                record
                    .actor
                    .application
                    .as_ref()
                    .map(|a| a.identifier.clone()),
            );
            add("request", Some(record.request_id.clone()));
            lines
        }
        None => unseen(cx, "The request was not observed.", cells),
    }
}

/// A URL with its parameters one a line.
fn query(cx: &ViewCx, url: &str, cells: usize) -> Vec<Line<'static>> {
    let (path, rest) = url.split_once('?').unwrap_or((url, ""));
    let mut lines = vec![Line::raw(one_line(path))];
    for pair in rest.split('&').filter(|pair| !pair.is_empty()).take(60) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        lines.extend(named(cx, &format!("{} = ", one_line(name)), value, cells));
    }
    lines
}

fn response(cx: &ViewCx, hop: &Hop, cells: usize) -> Vec<Line<'static>> {
    let look = cx.look;
    match fact(cx, hop.evidence.returned).map(|event| event.fact) {
        Some(Fact::HopReturned {
            status,
            headers: sent,
            body: sent_body,
            duration_us,
        }) => {
            let mut lines = vec![
                Line::from(vec![
                    span(format!("{status} "), look.style(Role::Heading)),
                    span(
                        format!("after {}", duration(duration_us)),
                        look.style(Role::Dim),
                    ),
                ]),
                Line::raw(""),
            ];
            lines.extend(headers(cx, &sent, cells));
            lines.extend(body(cx, sent_body.as_ref(), cells));
            return lines;
        }
        Some(Fact::HopFailed { why, .. }) => {
            let mut lines = vec![
                Line::styled("No answer came", look.bold(Role::Bad)),
                Line::raw(""),
            ];
            lines.extend(flowing::foreign(&why, cells, look));
            return lines;
        }
        Some(Fact::CallbackReceived { error, description }) => {
            let mut lines = vec![Line::styled(
                "The browser came back to the client",
                look.style(Role::Heading),
            )];
            for text in [error, description].into_iter().flatten() {
                lines.push(Line::styled(one_line(&text), look.bold(Role::Bad)));
            }
            return lines;
        }
        Some(_) | None => {}
    }
    if let Some(Fact::UpstreamAnswered(answer)) = fact(cx, hop.evidence.upstream).map(|e| e.fact) {
        let mut lines = vec![field(
            cx,
            "status",
            vec![span(answer.status.to_string(), look.style(Role::Heading))],
        )];
        lines.push(field(cx, "took", dim(cx, duration(answer.duration_us))));
        if let Some(name) = &answer.acted_as {
            lines.push(field(cx, "acted as", vec![Span::raw(one_line(name))]));
        }
        if let Some(error) = &answer.error {
            lines.push(field(
                cx,
                "error",
                vec![span(one_line(error), look.bold(Role::Bad))],
            ));
        }
        return lines;
    }
    match record(cx, hop.evidence.audit) {
        Some(record) => {
            let mut lines = decision(cx, &record, cells);
            lines.push(Line::raw(""));
            lines.extend(life(cx, hop));
            lines
        }
        None => unseen(cx, "The answer was not observed.", cells),
    }
}

fn tokens(cx: &ViewCx, hop: &Hop, cells: usize) -> Vec<Line<'static>> {
    if let Some(Fact::TokenIssued { token, .. }) = fact(cx, hop.evidence.token).map(|e| e.fact) {
        return claims::issued(&token, cx.run, cells, cx.look);
    }
    match record(cx, hop.evidence.audit) {
        Some(record) if record.subject_token.is_some() || record.credential.is_some() => {
            let mut lines = claims::exchange(&record, cx.run, cells, cx.look);
            let source = record.credential.as_ref().map(|issued| issued.source);
            if source == Some(CredentialSource::External) {
                lines.push(Line::raw(""));
                let parts = wrap(&brokered(hop), cells);
                lines.extend(parts.into_iter().map(Line::raw));
            }
            lines
        }
        Some(_) | None => match hop.credential {
            Some(_) => life(cx, hop),
            None => unseen(cx, "No token's claims were observed on this hop.", cells),
        },
    }
}

/// Why a provider's token has the same letter in every exchange.
fn brokered(hop: &Hop) -> String {
    let resource = hop.resource.as_deref().unwrap_or("The provider");
    let name = resource.strip_suffix(" API").unwrap_or(resource);
    let dropped = hop.discarded.map_or_else(
        || "it was not observed that the server dropped its copy".to_owned(),
        |lived| format!("the server dropped its copy after {}", duration(lived)),
    );
    format!(
        "{name}'s own token for this user, kept by the zone. The zone checks the scope when it \
         hands it out; the token itself is not narrowed, so its letter repeats; {dropped}."
    )
}

fn policy(cx: &ViewCx, hop: &Hop, cells: usize) -> Vec<Line<'static>> {
    let Some(record) = record(cx, hop.evidence.audit) else {
        return unseen(
            cx,
            "Policy is asked where the zone issues a credential: what it said is in the zone's log, under Audit.",
            cells,
        );
    };
    let mut lines = decision(cx, &record, cells);
    let Some(overview) = cx.run.policies().overview() else {
        return lines;
    };
    let determining = record
        .decision
        .map(|decision| decision.determining)
        .unwrap_or_default();
    for id in &determining {
        let name = crate::projection::policy_name(id);
        if let Some(policy) = overview.active_policies.iter().find(|p| p.name == name) {
            lines.push(Line::raw(""));
            lines.extend(panes::cedar_lines(
                &policy.latest_version.cedar_raw,
                cells,
                cx.look,
            ));
        }
    }
    lines
}
