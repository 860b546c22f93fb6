//! The table `public.tickets`: its columns, its rows in memory, reads and writes.

use std::{borrow::Cow, cmp::Ordering};

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, SubsecRound as _, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{protocol::tickets::Ticket, support::ids::Ids};

use super::{
    error::PgError,
    query::{Direction, Query},
};

/// A column; all are `not null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Id,
    CreatedAt,
    CustomerName,
    Email,
    Phone,
    PlanTier,
    Severity,
    Status,
    Subject,
    Body,
}

/// A column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Uuid,
    Time,
    /// Text, with the values that a check constraint allows; empty allows all.
    Text(&'static [&'static str]),
}

impl Kind {
    /// The type's name in Postgres.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Time => "timestamp with time zone",
            Self::Text(_) => "text",
        }
    }
}

impl Column {
    pub const ALL: [Self; 10] = [
        Self::Id,
        Self::CreatedAt,
        Self::CustomerName,
        Self::Email,
        Self::Phone,
        Self::PlanTier,
        Self::Severity,
        Self::Status,
        Self::Subject,
        Self::Body,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::CreatedAt => "created_at",
            Self::CustomerName => "customer_name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::PlanTier => "plan_tier",
            Self::Severity => "severity",
            Self::Status => "status",
            Self::Subject => "subject",
            Self::Body => "body",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    pub const fn kind(self) -> Kind {
        match self {
            Self::Id => Kind::Uuid,
            Self::CreatedAt => Kind::Time,
            Self::PlanTier => Kind::Text(&["free", "pro", "enterprise"]),
            Self::Severity => Kind::Text(&["low", "medium", "high", "critical"]),
            Self::Status => Kind::Text(&["open", "in_progress", "closed"]),
            Self::CustomerName | Self::Email | Self::Phone | Self::Subject | Self::Body => {
                Kind::Text(&[])
            }
        }
    }

    /// The canonical text of a value, as Postgres would give it back.
    fn canonical(self, value: &str) -> Result<Cow<'_, str>, PgError> {
        match self.kind() {
            Kind::Uuid => parse_uuid(value).map(|id| id.to_string().into()),
            Kind::Time => parse_time(value).map(|time| show_time(time).into()),
            Kind::Text(allowed) if allowed.is_empty() || allowed.contains(&value) => {
                Ok(value.into())
            }
            Kind::Text(_) => Err(PgError::check_failed(self.name())),
        }
    }
}

pub fn parse_uuid(text: &str) -> Result<Uuid, PgError> {
    Uuid::try_parse(text).map_err(|_| PgError::bad_value("uuid", "22P02", text))
}

/// A time as Postgres reads it: also with a blank for the `T`, an offset of hours only, no seconds.
pub fn parse_time(text: &str) -> Result<DateTime<Utc>, PgError> {
    let written = text.trim().replacen(' ', "T", 1);
    let with_offset = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"]
        .iter()
        .find_map(|form| DateTime::parse_from_str(&written, form).ok())
        .map(|time| time.to_utc());
    let local = || {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(&written, form).ok())
            .map(|time| time.and_utc())
    };
    let day = || {
        let date = NaiveDate::parse_from_str(&written, "%Y-%m-%d").ok()?;
        Some(date.and_time(chrono::NaiveTime::MIN).and_utc())
    };
    with_offset
        .or_else(local)
        .or_else(day)
        .ok_or_else(|| PgError::bad_value(Kind::Time.name(), "22007", text))
}

fn show_time(time: DateTime<Utc>) -> String {
    // Postgres knows no less than microseconds.
    let time = time.trunc_subsecs(6);
    time.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// A row; values in the order of [`Column::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    values: [String; 10],
    created_at: DateTime<Utc>,
}

impl Row {
    pub fn get(&self, column: Column) -> &str {
        &self.values[column as usize]
    }

    pub const fn created_at(&self) -> &DateTime<Utc> {
        &self.created_at
    }

    fn new(values: [String; 10]) -> Result<Self, PgError> {
        let created_at = parse_time(&values[Column::CreatedAt as usize])?;
        Ok(Self { values, created_at })
    }

    /// The row as JSON, with the columns and names that `query` selects.
    pub fn json(&self, query: &Query) -> Value {
        let cell = |name: &str, column: Column| (name.to_owned(), self.get(column).into());
        Value::Object(if query.select.is_empty() {
            Column::ALL.map(|c| cell(c.name(), c)).into_iter().collect()
        } else {
            query.select.iter().map(|(n, c)| cell(n, *c)).collect()
        })
    }

    fn order(&self, other: &Self, column: Column) -> Ordering {
        match column.kind() {
            Kind::Time => self.created_at.cmp(&other.created_at),
            Kind::Uuid | Kind::Text(_) => self.get(column).cmp(other.get(column)),
        }
    }
}

impl TryFrom<Ticket> for Row {
    type Error = PgError;

    fn try_from(ticket: Ticket) -> Result<Self, PgError> {
        let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
        let created_at = parse_time(&ticket.created_at)?;
        Self::new([
            ticket.id.to_string(),
            show_time(created_at),
            ticket.customer_name,
            ticket.email,
            ticket.phone,
            word(serde_json::to_value(ticket.plan_tier).unwrap_or_default()),
            word(serde_json::to_value(ticket.severity).unwrap_or_default()),
            word(serde_json::to_value(ticket.status).unwrap_or_default()),
            ticket.subject,
            ticket.body,
        ])
    }
}

/// What a read found.
#[derive(Debug)]
pub struct Found<'a> {
    /// The rows within offset and limit.
    pub rows: Vec<&'a Row>,
    /// How many there are without offset and limit.
    pub total: usize,
}

impl Found<'_> {
    /// What someone sees whom row-level security shows nothing.
    pub const fn nothing() -> Self {
        Self {
            rows: Vec::new(),
            total: 0,
        }
    }
}

/// What an insert does with a row whose id is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    Refuse,
    Merge,
    Ignore,
}

/// A write as it was asked for.
#[derive(Debug)]
pub enum Write {
    Insert {
        rows: Vec<Map<String, Value>>,
        conflict: Conflict,
        /// For rows that name none.
        ids: Vec<Uuid>,
    },
    Update(Vec<(Column, String)>),
    Delete,
}

impl Write {
    /// Reads the body of a POST: an object or a list of them.
    pub fn insert(body: &[u8], conflict: Conflict, ids: &Ids) -> Result<Self, PgError> {
        let rows: Vec<Map<String, Value>> = match serde_json::from_slice(body) {
            Ok(Value::Object(row)) => vec![row],
            Ok(Value::Array(rows)) => rows
                .into_iter()
                .map(|row| match row {
                    Value::Object(row) => Ok(row),
                    _ => Err(PgError::bad_json()),
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(PgError::bad_json()),
        };
        let ids = rows.iter().map(|_| ids.uuid()).collect();
        Ok(Self::Insert {
            rows,
            conflict,
            ids,
        })
    }

    /// Reads the body of a PATCH.
    pub fn update(body: &[u8]) -> Result<Self, PgError> {
        let Ok(Value::Object(row)) = serde_json::from_slice(body) else {
            return Err(PgError::bad_json());
        };
        cells(&row).map(Self::Update)
    }
}

/// The columns and canonical values of an object.
fn cells(row: &Map<String, Value>) -> Result<Vec<(Column, String)>, PgError> {
    row.iter()
        .map(|(name, value)| {
            let column =
                Column::parse(name).ok_or_else(|| PgError::no_such_column_to_write(name))?;
            let text = match value {
                Value::Null => return Err(PgError::null_in(column.name())),
                Value::String(text) => Cow::Borrowed(text.as_str()),
                other => Cow::Owned(other.to_string()),
            };
            Ok((column, column.canonical(&text)?.into_owned()))
        })
        .collect()
}

/// A write that was checked and can be applied; nothing has changed yet.
#[derive(Debug)]
pub struct Change {
    /// The rows as they are after it, or for a delete as they were.
    pub rows: Vec<Row>,
    /// The whole table after it; `None` leaves it as it is.
    after: Option<Vec<Row>>,
}

impl Change {
    /// A write that touches no row.
    pub const fn nothing() -> Self {
        Self {
            rows: Vec::new(),
            after: None,
        }
    }
}

/// The rows.
#[derive(Debug)]
pub struct Table(Vec<Row>);

impl Table {
    /// A table of `tickets`; one whose `created_at` cannot be read is left out.
    pub fn new(tickets: Vec<Ticket>) -> Self {
        Self(
            tickets
                .into_iter()
                .filter_map(|ticket| Row::try_from(ticket).ok())
                .collect(),
        )
    }

    pub fn select(&self, query: &Query) -> Found<'_> {
        let mut rows: Vec<&Row> = self.0.iter().filter(|row| matches(row, query)).collect();
        rows.sort_by(|a, b| {
            query
                .order
                .iter()
                .map(|term| {
                    let order = a.order(b, term.column);
                    match term.direction {
                        Direction::Ascending => order,
                        Direction::Descending => order.reverse(),
                    }
                })
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        let total = rows.len();
        let rows = rows
            .into_iter()
            .skip(query.offset)
            .take(query.limit.unwrap_or(usize::MAX))
            .collect();
        Found { rows, total }
    }

    /// Checks a write and works out what it would do.
    pub fn plan(
        &self,
        write: &Write,
        query: &Query,
        now: DateTime<Utc>,
    ) -> Result<Change, PgError> {
        let mut after = self.0.clone();
        let mut rows = Vec::new();
        match write {
            Write::Insert {
                rows: new,
                conflict,
                ids,
            } => {
                for (row, id) in new.iter().zip(ids) {
                    rows.extend(insert(&mut after, row, *id, *conflict, now)?);
                }
            }
            Write::Update(cells) => {
                for row in after.iter_mut().filter(|row| matches(row, query)) {
                    set(row, cells)?;
                    rows.push(row.clone());
                }
                let mut ids: Vec<&str> = after.iter().map(|row| row.get(Column::Id)).collect();
                ids.sort_unstable();
                if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
                    return Err(PgError::duplicate(pair[0]));
                }
            }
            Write::Delete => after.retain(|row| {
                let goes = matches(row, query);
                if goes {
                    rows.push(row.clone());
                }
                !goes
            }),
        }
        Ok(Change {
            rows,
            after: Some(after),
        })
    }

    pub fn apply(&mut self, change: Change) {
        if let Some(after) = change.after {
            self.0 = after;
        }
    }
}

fn matches(row: &Row, query: &Query) -> bool {
    query.filters.iter().all(|filter| filter.holds(row))
}

fn set(row: &mut Row, cells: &[(Column, String)]) -> Result<(), PgError> {
    for (column, value) in cells {
        row.values[*column as usize].clone_from(value);
    }
    row.created_at = parse_time(row.get(Column::CreatedAt))?;
    Ok(())
}

fn insert(
    table: &mut Vec<Row>,
    row: &Map<String, Value>,
    id: Uuid,
    conflict: Conflict,
    now: DateTime<Utc>,
) -> Result<Option<Row>, PgError> {
    let mut values: [Option<String>; 10] = Default::default();
    values[Column::Id as usize] = Some(id.to_string());
    values[Column::CreatedAt as usize] = Some(show_time(now));
    let cells = cells(row)?;
    for (column, value) in &cells {
        values[*column as usize] = Some(value.clone());
    }
    let taken = values[Column::Id as usize].clone().unwrap_or_default();
    if let Some(old) = table.iter_mut().find(|row| row.get(Column::Id) == taken) {
        return match conflict {
            Conflict::Refuse => Err(PgError::duplicate(&taken)),
            Conflict::Ignore => Ok(None),
            Conflict::Merge => {
                set(old, &cells)?;
                Ok(Some(old.clone()))
            }
        };
    }
    let mut filled: [String; 10] = Default::default();
    for column in Column::ALL {
        filled[column as usize] = values[column as usize]
            .take()
            .ok_or_else(|| PgError::null_in(column.name()))?;
    }
    let row = Row::new(filled)?;
    table.push(row.clone());
    Ok(Some(row))
}
