//! Lists in pages: `after`, `before`, `limit`, `expand[]=total_count`. What else is asked of a list is a
//! filter; one that it does not know is refused, as whoever asks would take the whole list for its answer.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::{
    protocol::console::{Page, Pagination},
    support::text::one_line,
};

use super::{ApiError, Asked};

const DEFAULT_LIMIT: usize = 50;
const MOST: usize = 100;

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Window {
    after: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
    #[serde(rename = "expand[]")]
    expand: Option<String>,
    /// What else was asked, by name.
    #[serde(skip)]
    filters: Vec<String>,
}

/// The members above, as they stand in a query string.
const OWN: [&str; 4] = ["after", "before", "limit", "expand[]"];

impl<S: Send + Sync> FromRequestParts<S> for Window {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Asked(window) = Asked::<Self>::from_request_parts(parts, state).await?;
        let Asked(all) = Asked::<Vec<(String, String)>>::from_request_parts(parts, state).await?;
        let names = all.into_iter().map(|(name, _)| name);
        let filters = names.filter(|name| !OWN.contains(&&**name)).collect();
        Self { filters, ..window }.checked()
    }
}

impl Window {
    fn checked(self) -> Result<Self, ApiError> {
        if self.limit.is_some_and(|limit| !(1..=MOST).contains(&limit)) {
            return Err(ApiError::invalid(format!("limit is from 1 to {MOST}.")));
        }
        if self.after.is_some() && self.before.is_some() {
            return Err(ApiError::invalid("after and before exclude each other."));
        }
        Ok(self)
    }

    /// Takes the filters of this list for known: who cuts looks at them itself.
    pub(super) fn with_filters(mut self, known: &[&str]) -> Self {
        self.filters.retain(|name| !known.contains(&&**name));
        self
    }

    /// Cuts the part out of a table, as `show` shows its rows; a row that it does not show is left out.
    pub(super) fn cut<T, V>(
        &self,
        table: &BTreeMap<String, Arc<T>>,
        mut show: impl FnMut(&T) -> Option<V>,
    ) -> Result<Page<V>, ApiError> {
        if let Some(name) = self.filters.first() {
            let name = one_line(name);
            return Err(ApiError::invalid(format!(
                "This list has no filter {name}."
            )));
        }
        let rows: Vec<(&str, V)> = table
            .iter()
            .filter_map(|(key, row)| Some((key.as_str(), show(row)?)))
            .collect();
        let total = rows.len();
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        let (from, to) = if let Some(cursor) = &self.after {
            let cursor = position(cursor)?;
            let from = rows.partition_point(|(key, _)| *key <= cursor.as_str());
            (from, total.min(from + limit))
        } else if let Some(cursor) = &self.before {
            let cursor = position(cursor)?;
            let to = rows.partition_point(|(key, _)| *key < cursor.as_str());
            (to.saturating_sub(limit), to)
        } else {
            (0, total.min(limit))
        };
        let pagination = Pagination {
            after_cursor: (from < to && to < total).then(|| cursor(rows[to - 1].0)),
            before_cursor: (from < to && from > 0).then(|| cursor(rows[from].0)),
            total_count: self
                .expand
                .as_ref()
                .is_some_and(|what| what == "total_count")
                .then_some(total as u64),
        };
        Ok(Page {
            items: rows
                .into_iter()
                .skip(from)
                .take(to - from)
                .map(|(_, view)| view)
                .collect(),
            pagination,
        })
    }
}

/// A cursor is a key in disguise, so that nobody builds one.
fn cursor(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

fn position(cursor: &str) -> Result<String, ApiError> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| ApiError::invalid("This cursor did not come from a list."))
}
