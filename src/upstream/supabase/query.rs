//! The query string and the `Range` header: what to select, in which order, how many.

use axum::http::HeaderMap;

use super::{error::PgError, filter::Filter, table::Column};

/// A read, or the scope and the representation of a write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Output name and column, in order; empty is everything.
    pub select: Vec<(String, Column)>,
    /// All must hold.
    pub filters: Vec<Filter>,
    pub order: Vec<Order>,
    pub limit: Option<usize>,
    pub offset: usize,
}

/// One term of `order=`. Every column is `not null`, so where nulls go changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub column: Column,
    pub direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// Whether a query parameter is PostgREST's own and no filter.
pub fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "select" | "order" | "limit" | "offset" | "columns" | "on_conflict"
    )
}

impl Query {
    /// Reads a query string (without `?`).
    pub fn parse(query: &str, headers: &HeaderMap) -> Result<Self, PgError> {
        let mut parsed = Self::default();
        if let Some((first, last)) = range(headers)? {
            parsed.offset = first;
            parsed.limit = last.map(|last| (last - first).saturating_add(1));
        }
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "select" => parsed.select = select(&value)?,
                "order" => parsed.order = order(&value)?,
                // With a `Range` header, whichever is less.
                "limit" => {
                    let limit = number(&name, &value)?;
                    parsed.limit = Some(parsed.limit.map_or(limit, |range| range.min(limit)));
                }
                "offset" => parsed.offset = number(&name, &value)?,
                // Which members of the body count (supabase-js names those it sends), and what an
                // upsert conflicts on: there is one key, so both say nothing new.
                "columns" | "on_conflict" => {}
                "or" | "and" | "not.or" | "not.and" => {
                    parsed.filters.push(Filter::parse_logic(&name, &value)?);
                }
                column => parsed.filters.push(Filter::parse(column, &value)?),
            }
        }
        Ok(parsed)
    }
}

fn number(name: &str, value: &str) -> Result<usize, PgError> {
    match value.parse::<i64>() {
        Ok(number) => usize::try_from(number).map_err(|_| {
            PgError::bad_range(if name == "limit" {
                "Limit should be greater than or equal to zero."
            } else {
                "Offset should be greater than or equal to zero."
            })
        }),
        Err(_) => Err(PgError::unreadable(name, value, "expecting an integer")),
    }
}

/// `Range: 0-9` or `Range: 5-`, in rows.
fn range(headers: &HeaderMap) -> Result<Option<(usize, Option<usize>)>, PgError> {
    let Some(value) = headers.get("range").and_then(|v| v.to_str().ok()) else {
        return Ok(None);
    };
    let value = value.trim();
    let value = value.strip_prefix("items=").unwrap_or(value);
    // A range that cannot be read is ignored (RFC 9110, section 14.2).
    let Some((first, last)) = value.split_once('-') else {
        return Ok(None);
    };
    let Ok(first) = first.parse::<usize>() else {
        return Ok(None);
    };
    match last.parse::<usize>() {
        Ok(last) if last < first => Err(PgError::bad_range(
            "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
        )),
        Ok(last) => Ok(Some((first, Some(last)))),
        Err(_) if last.is_empty() => Ok(Some((first, None))),
        Err(_) => Ok(None),
    }
}

fn select(text: &str) -> Result<Vec<(String, Column)>, PgError> {
    let mut columns = Vec::new();
    for item in text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
    {
        if item == "*" {
            columns.extend(Column::ALL.map(|column| (column.name().to_owned(), column)));
            continue;
        }
        if let Some((name, _)) = item.split_once('(') {
            let name = name.rsplit(':').next().unwrap_or(name);
            let last = name.rsplit('.').next().unwrap_or(name);
            return Err(if matches!(last, "count" | "sum" | "avg" | "min" | "max") {
                PgError::no_aggregates()
            } else {
                PgError::no_relationship(name)
            });
        }
        // A cast to text changes nothing here, as every column travels as a string.
        let item = item.strip_suffix("::text").unwrap_or(item);
        if let Some((_, kind)) = item.split_once("::") {
            return Err(PgError::not_in_the_lab(&format!("the cast to {kind}")));
        }
        let (alias, name) = match item.split_once(':') {
            Some((alias, name)) if !name.starts_with(':') => (Some(alias), name),
            _ => (None, item),
        };
        let name = name.trim_matches('"');
        let column = Column::parse(name).ok_or_else(|| PgError::no_column(name))?;
        let alias = alias.map_or(name, |alias| alias.trim_matches('"'));
        columns.push((alias.to_owned(), column));
    }
    Ok(columns)
}

fn order(text: &str) -> Result<Vec<Order>, PgError> {
    text.split(',')
        .map(|term| {
            let mut parts = term.trim().split('.');
            let name = parts.next().unwrap_or_default();
            let mut direction = Direction::Ascending;
            for part in parts {
                match part {
                    "asc" => direction = Direction::Ascending,
                    "desc" => direction = Direction::Descending,
                    "nullsfirst" | "nullslast" => {}
                    _ => {
                        return Err(PgError::unreadable(
                            "order",
                            text,
                            "expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"",
                        ));
                    }
                }
            }
            let column = Column::parse(name).ok_or_else(|| PgError::no_column(name))?;
            Ok(Order { column, direction })
        })
        .collect()
}
