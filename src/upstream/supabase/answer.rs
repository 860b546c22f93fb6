//! How rows become an answer: media types, preferences, `Content-Range`.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{
    NOTHING_TO_SHOW,
    error::PgError,
    query::Query,
    table::{Change, Column, Conflict, Found, Row, Write},
};

/// What the client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// A JSON list.
    List,
    /// One JSON object, or 406.
    Object,
    /// Comma-separated values with a header line.
    Csv,
}

impl Media {
    pub fn read(headers: &HeaderMap) -> Result<Self, PgError> {
        let Some(accept) = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()) else {
            return Ok(Self::List);
        };
        accept
            .split(',')
            .find_map(
                |item| match item.split(';').next().unwrap_or_default().trim() {
                    "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => {
                        Some(Self::Object)
                    }
                    "text/csv" => Some(Self::Csv),
                    "*/*"
                    | "application/*"
                    | "application/json"
                    | "application/vnd.pgrst.array+json"
                    | "application/vnd.pgrst.array" => Some(Self::List),
                    _ => None,
                },
            )
            .ok_or_else(|| PgError::no_media_type(accept))
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::List => "application/json; charset=utf-8",
            Self::Object => "application/vnd.pgrst.object+json; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Whether the total is wanted in `Content-Range`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Wanted,
    NotWanted,
}

/// What a write answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    Representation,
    Minimal,
}

/// The `Prefer` header (RFC 7240), as far as it is heeded.
#[derive(Debug, Clone, Copy)]
pub struct Preferences {
    pub count: Count,
    pub returns: Return,
    pub conflict: Conflict,
}

impl Preferences {
    pub fn read(headers: &HeaderMap) -> Self {
        let mut read = Self {
            count: Count::NotWanted,
            returns: Return::Minimal,
            conflict: Conflict::Refuse,
        };
        let values = headers.get_all("prefer").iter();
        for item in values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
        {
            match item.trim() {
                // Planned and estimated counts are exact in a table this small.
                "count=exact" | "count=planned" | "count=estimated" => read.count = Count::Wanted,
                "return=representation" => read.returns = Return::Representation,
                "resolution=merge-duplicates" => read.conflict = Conflict::Merge,
                "resolution=ignore-duplicates" => read.conflict = Conflict::Ignore,
                _ => {}
            }
        }
        read
    }
}

/// Only the schema `public` is exposed.
pub fn check_profile(method: &Method, headers: &HeaderMap) -> Result<(), PgError> {
    let name = if matches!(*method, Method::GET | Method::HEAD) {
        "accept-profile"
    } else {
        "content-profile"
    };
    match headers.get(name).map(|v| v.to_str().unwrap_or("?")) {
        None | Some("public") => Ok(()),
        Some(schema) => Err(PgError::no_schema(schema)),
    }
}

/// The answer to a read.
pub fn rows(
    found: &Found<'_>,
    query: &Query,
    media: Media,
    preferences: Preferences,
) -> Result<Response, PgError> {
    let counted = preferences.count == Count::Wanted;
    if counted && query.offset > 0 && query.offset > found.total {
        return Err(PgError::bad_range(format!(
            "An offset of {} was requested, but there are only {} rows.",
            query.offset, found.total
        )));
    }
    let body = body(found.rows.iter().copied(), query, media)?;
    let status = if counted && found.rows.len() < found.total {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let range = if found.rows.is_empty() {
        "*".to_owned()
    } else {
        format!("{}-{}", query.offset, query.offset + found.rows.len() - 1)
    };
    let total = if counted {
        found.total.to_string()
    } else {
        "*".to_owned()
    };
    Ok(with_range(status, media, &format!("{range}/{total}"), body))
}

/// The answer to a write that `change` will make.
pub fn written(
    write: &Write,
    change: &Change,
    query: &Query,
    media: Media,
    preferences: Preferences,
) -> Result<Response, PgError> {
    let created = matches!(write, Write::Insert { .. });
    let count = change.rows.len();
    let range = match (created, count) {
        (true, _) | (_, 0) => "*".to_owned(),
        _ => format!("0-{}", count - 1),
    };
    let total = match preferences.count {
        Count::Wanted => count.to_string(),
        Count::NotWanted => "*".to_owned(),
    };
    let range = format!("{range}/{total}");
    match preferences.returns {
        Return::Representation => {
            let body = body(change.rows.iter(), query, media)?;
            let status = if created {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            let mut response = with_range(status, media, &range, body);
            response.headers_mut().insert(
                "preference-applied",
                HeaderValue::from_static("return=representation"),
            );
            Ok(response)
        }
        Return::Minimal => {
            let status = if created {
                StatusCode::CREATED
            } else {
                NOTHING_TO_SHOW
            };
            let mut response = status.into_response();
            insert_range(&mut response, &range);
            Ok(response)
        }
    }
}

fn body<'a>(
    rows: impl ExactSizeIterator<Item = &'a Row>,
    query: &Query,
    media: Media,
) -> Result<String, PgError> {
    let count = rows.len();
    let mut json = rows.map(|row| row.json(query));
    Ok(match media {
        Media::List => serde_json::Value::Array(json.collect()).to_string(),
        Media::Object => match (json.next(), count) {
            (Some(row), 1) => row.to_string(),
            _ => return Err(PgError::not_one(count)),
        },
        Media::Csv => csv(json, query),
    })
}

fn csv(rows: impl Iterator<Item = serde_json::Value>, query: &Query) -> String {
    let names: Vec<String> = if query.select.is_empty() {
        Column::ALL.map(|c| c.name().to_owned()).into()
    } else {
        query.select.iter().map(|(name, _)| name.clone()).collect()
    };
    let mut lines = vec![names.join(",")];
    lines.extend(rows.map(|row| {
        let cells = names
            .iter()
            .map(|name| cell(row[name].as_str().unwrap_or_default()));
        cells.collect::<Vec<_>>().join(",")
    }));
    lines.join("\n")
}

fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn with_range(status: StatusCode, media: Media, range: &str, body: String) -> Response {
    let mut response = (status, Body::from(body)).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media.content_type()),
    );
    insert_range(&mut response, range);
    response
}

fn insert_range(response: &mut Response, range: &str) {
    if let Ok(value) = HeaderValue::from_str(range) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
}
