//! An issue's page, so that the link in a result opens something. Read-only.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    Inner,
    html::{Width, escape, page},
    store::Place,
};

/// An issue page's path. Like Linear, the slug is for the eye only.
#[derive(Debug, Deserialize)]
pub struct IssuePath {
    identifier: String,
}

/// Shows an issue to whoever is on this computer; the real Linear asks for a sign-in first.
pub async fn issue(State(lab): State<Arc<Inner>>, Path(path): Path<IssuePath>) -> Response {
    let Some(record) = lab.find(&path.identifier) else {
        return page(
            StatusCode::NOT_FOUND,
            Width::Dialog,
            "There is no such issue",
            "<p>It was never filed, or an admin deleted it for good.</p>",
        );
    };
    let seen = lab.observed(&record, None);
    let mut body = String::new();
    match record.place {
        Place::Listed => {}
        Place::Archived => body.push_str("<p class=\"soft\">This issue is in the archive.</p>\n"),
        Place::Trashed => body.push_str("<p class=\"warn\">This issue is in the trash.</p>\n"),
    }
    let state = lab
        .workspace
        .state(&record.state_id)
        .map_or("", |state| state.name);
    let priority = match record.priority {
        1 => "Urgent",
        2 => "High",
        3 => "Medium",
        4 => "Low",
        _ => "None",
    };
    let labels = if seen.labels.is_empty() {
        "none".to_owned()
    } else {
        seen.labels.join(", ")
    };
    let created = record.created_at.format("%Y-%m-%d %H:%M UTC").to_string();
    body.push_str("<dl>");
    for (name, value) in [
        ("Issue", seen.identifier.as_str()),
        ("Author", &seen.author),
        ("Status", state),
        ("Priority", priority),
        ("Labels", &labels),
        ("Filed", &created),
    ] {
        // Writing into a `String` cannot fail.
        let _ = write!(body, "<dt>{name}</dt><dd>{}</dd>", escape(value));
    }
    body.push_str("</dl>\n");
    let _ = write!(body, "<pre>{}</pre>", escape(&seen.description));
    let comments: Vec<_> = lab
        .store
        .read()
        .comments
        .iter()
        .filter(|comment| comment.issue_id == record.id)
        .cloned()
        .collect();
    for comment in comments {
        let author = lab
            .workspace
            .member(&comment.user_id)
            .map_or("", |member| member.name.as_str());
        let _ = write!(
            body,
            "\n<p class=\"soft\" id=\"comment-{}\">{} wrote:</p>\n<pre>{}</pre>",
            escape(&comment.id),
            escape(author),
            escape(&comment.body)
        );
    }
    page(StatusCode::OK, Width::Document, &seen.title, &body)
}
