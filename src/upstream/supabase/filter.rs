//! PostgREST's filters: `column=operator.value`, `or=(…)`, `not.` before either.

use chrono::{DateTime, Utc};

use super::{
    error::PgError,
    table::{Column, Kind, Row, parse_time, parse_uuid},
};

/// Deeper nesting than this is nobody's real query.
const DEEPEST: usize = 16;

const EXPECTED: &str =
    "expecting \"not\" or operator (eq, gt, gte, lt, lte, neq, like, ilike, in, is)";

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    Compare(Column, Comparison),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    Equal(Operand),
    NotEqual(Operand),
    Greater(Operand),
    GreaterOrEqual(Operand),
    Less(Operand),
    LessOrEqual(Operand),
    In(Vec<Operand>),
    Like(String),
    LikeAnyCase(String),
    IsNull,
    IsNotNull,
}

/// A value of the column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// Text, and UUIDs in their canonical form.
    Text(String),
    Time(DateTime<Utc>),
}

impl Operand {
    fn read(column: Column, text: &str) -> Result<Self, PgError> {
        match column.kind() {
            Kind::Text(_) => Ok(Self::Text(text.to_owned())),
            Kind::Uuid => parse_uuid(text).map(|id| Self::Text(id.to_string())),
            Kind::Time => parse_time(text).map(Self::Time),
        }
    }

    fn order(&self, row: &Row, column: Column) -> std::cmp::Ordering {
        match self {
            Self::Text(text) => row.get(column).cmp(text.as_str()),
            Self::Time(time) => row.created_at().cmp(time),
        }
    }
}

impl Filter {
    /// Reads the value of a query parameter named after a column: `[not.]operator.value`.
    pub fn parse(column: &str, value: &str) -> Result<Self, PgError> {
        let known = Column::parse(column);
        let condition = |text: &str| -> Result<Self, PgError> {
            let unreadable = || PgError::unreadable("filter", value, EXPECTED);
            let (operator, operand) = text.split_once('.').ok_or_else(unreadable)?;
            // A bad operator is found while parsing, a bad column only by the database.
            if !OPERATORS.contains(&operator) {
                return Err(if is_postgrests(operator) {
                    PgError::not_in_the_lab(&format!("the operator {operator}"))
                } else {
                    unreadable()
                });
            }
            let column = known.ok_or_else(|| PgError::no_column(column))?;
            compare(column, operator, operand).map(|c| Self::Compare(column, c))
        };
        match value.strip_prefix("not.") {
            Some(rest) => condition(rest).map(|f| Self::Not(Box::new(f))),
            None => condition(value),
        }
    }

    /// Reads `or=(…)` and `and=(…)`; `any` says which.
    pub fn parse_logic(name: &str, value: &str) -> Result<Self, PgError> {
        let (negated, operator) = match name.strip_prefix("not.") {
            Some(operator) => (true, operator),
            None => (false, name),
        };
        let mut input = Input {
            whole: value,
            rest: value,
        };
        let filter = input.group(operator == "or", DEEPEST)?;
        if !input.rest.is_empty() {
            return Err(input.unreadable());
        }
        Ok(if negated {
            Self::Not(Box::new(filter))
        } else {
            filter
        })
    }

    /// Whether `row` satisfies the condition.
    pub fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Compare(column, comparison) => comparison.holds(*column, row),
            Self::Not(filter) => !filter.holds(row),
            Self::All(filters) => filters.iter().all(|f| f.holds(row)),
            Self::Any(filters) => filters.iter().any(|f| f.holds(row)),
        }
    }
}

impl Comparison {
    fn holds(&self, column: Column, row: &Row) -> bool {
        match self {
            Self::Equal(operand) => operand.order(row, column).is_eq(),
            Self::NotEqual(operand) => operand.order(row, column).is_ne(),
            Self::Greater(operand) => operand.order(row, column).is_gt(),
            Self::GreaterOrEqual(operand) => operand.order(row, column).is_ge(),
            Self::Less(operand) => operand.order(row, column).is_lt(),
            Self::LessOrEqual(operand) => operand.order(row, column).is_le(),
            Self::In(operands) => operands.iter().any(|o| o.order(row, column).is_eq()),
            Self::Like(pattern) => like(pattern, row.get(column)),
            Self::LikeAnyCase(pattern) => {
                like(&pattern.to_lowercase(), &row.get(column).to_lowercase())
            }
            // Every column of the table is `not null`.
            Self::IsNull => false,
            Self::IsNotNull => true,
        }
    }
}

const OPERATORS: &[&str] = &[
    "eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "in", "is",
];

/// Whether PostgREST has the operator, with a modifier (`eq(any)`, `fts(english)`) or without.
fn is_postgrests(operator: &str) -> bool {
    let name = operator.split('(').next().unwrap_or_default();
    let beyond = [
        "match",
        "imatch",
        "isdistinct",
        "fts",
        "plfts",
        "phfts",
        "wfts",
        "cs",
        "cd",
        "ov",
        "sl",
        "sr",
        "nxr",
        "nxl",
        "adj",
    ];
    beyond.contains(&name) || operator.ends_with(')') && OPERATORS.contains(&name)
}

fn compare(column: Column, operator: &str, operand: &str) -> Result<Comparison, PgError> {
    let value = || Operand::read(column, operand);
    let pattern = |sign: &str| match column.kind() {
        // PostgREST lets `*` stand for `%`, which needs escaping in URLs.
        Kind::Text(_) => Ok(operand.replace('*', "%")),
        Kind::Uuid | Kind::Time => Err(PgError::no_operator(column.kind().name(), sign)),
    };
    Ok(match operator {
        "eq" => Comparison::Equal(value()?),
        "neq" => Comparison::NotEqual(value()?),
        "gt" => Comparison::Greater(value()?),
        "gte" => Comparison::GreaterOrEqual(value()?),
        "lt" => Comparison::Less(value()?),
        "lte" => Comparison::LessOrEqual(value()?),
        "like" => Comparison::Like(pattern("~~")?),
        "ilike" => Comparison::LikeAnyCase(pattern("~~*")?),
        "in" => Comparison::In(
            list(operand)
                .ok_or_else(|| {
                    PgError::unreadable("filter", &format!("in.{operand}"), "expecting \"(\"")
                })?
                .iter()
                .map(|text| Operand::read(column, text))
                .collect::<Result<_, _>>()?,
        ),
        "is" => match operand.to_ascii_lowercase().as_str() {
            "null" => Comparison::IsNull,
            "not_null" => Comparison::IsNotNull,
            _ => {
                return Err(PgError::unreadable(
                    "filter",
                    &format!("is.{operand}"),
                    "expecting \"null\" or \"not_null\"; the table has no boolean columns",
                ));
            }
        },
        _ => return Err(PgError::unreadable("filter", operator, EXPECTED)),
    })
}

/// The items of `(a,"b,c",d)`.
fn list(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    if inner.is_empty() {
        return Some(Vec::new());
    }
    let mut items = Vec::new();
    let mut chars = inner.chars().peekable();
    loop {
        let mut item = String::new();
        if chars.next_if_eq(&'"').is_some() {
            loop {
                match chars.next()? {
                    '"' => break,
                    '\\' => item.push(chars.next()?),
                    c => item.push(c),
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| *c != ',') {
                item.push(c);
            }
        }
        items.push(item);
        match chars.next() {
            None => return Some(items),
            Some(',') => {}
            Some(_) => return None,
        }
    }
}

/// SQL's `LIKE`: `%` is any run of characters, `_` any one, `\` takes the next as it is.
fn like(pattern: &str, text: &str) -> bool {
    #[derive(PartialEq)]
    enum Part {
        Run,
        One,
        Char(char),
    }
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '%' => Part::Run,
            '_' => Part::One,
            '\\' => Part::Char(chars.next().unwrap_or('\\')),
            c => Part::Char(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut part) = (0, 0);
    // Where the last run began in the pattern, and how far into the text it reaches.
    let mut run: Option<(usize, usize)> = None;
    while at < text.len() {
        match parts.get(part) {
            Some(Part::Run) => {
                run = Some((part, at));
                part += 1;
            }
            Some(Part::One) => {
                at += 1;
                part += 1;
            }
            Some(Part::Char(c)) if *c == text[at] => {
                at += 1;
                part += 1;
            }
            Some(Part::Char(_)) | None => match run {
                None => return false,
                Some((start, reached)) => {
                    run = Some((start, reached + 1));
                    part = start + 1;
                    at = reached + 1;
                }
            },
        }
    }
    parts[part..].iter().all(|p| *p == Part::Run)
}

/// Reads a logic tree: `(a.eq.1,not.and(b.gt.2,c.in.(x,y)))`.
struct Input<'a> {
    whole: &'a str,
    rest: &'a str,
}

impl Input<'_> {
    fn unreadable(&self) -> PgError {
        PgError::unreadable(
            "logic tree",
            self.whole,
            "expecting a list of conditions in parentheses",
        )
    }

    fn eat(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn group(&mut self, any: bool, depth: usize) -> Result<Filter, PgError> {
        if depth == 0 || !self.eat("(") {
            return Err(self.unreadable());
        }
        let mut filters = vec![self.condition(depth)?];
        while self.eat(",") {
            filters.push(self.condition(depth)?);
        }
        if !self.eat(")") {
            return Err(self.unreadable());
        }
        Ok(if any {
            Filter::Any(filters)
        } else {
            Filter::All(filters)
        })
    }

    fn condition(&mut self, depth: usize) -> Result<Filter, PgError> {
        self.rest = self.rest.trim_start();
        for (prefix, any, negated) in [
            ("and(", false, false),
            ("or(", true, false),
            ("not.and(", false, true),
            ("not.or(", true, true),
        ] {
            if self.rest.starts_with(prefix) {
                self.rest = &self.rest[prefix.len() - 1..];
                let filter = self.group(any, depth - 1)?;
                return Ok(if negated {
                    Filter::Not(Box::new(filter))
                } else {
                    filter
                });
            }
        }
        let end = self.end_of_condition();
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        let (column, value) = text.split_once('.').ok_or_else(|| self.unreadable())?;
        // Inside of a logic tree a value with reserved characters is quoted.
        let value = match value.split_once(".\"") {
            Some((operator, quoted)) if quoted.ends_with('"') => {
                let inner = &quoted[..quoted.len() - 1];
                format!(
                    "{operator}.{}",
                    inner.replace("\\\"", "\"").replace("\\\\", "\\")
                )
            }
            _ => value.to_owned(),
        };
        Filter::parse(column.trim(), &value)
    }

    /// The next comma or closing parenthesis that belongs to the list itself.
    fn end_of_condition(&self) -> usize {
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        for (index, c) in self.rest.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ if quoted => {}
                '(' => depth += 1,
                ')' | ',' if depth == 0 => return index,
                ')' => depth -= 1,
                _ => {}
            }
        }
        self.rest.len()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("%card%", "Payment card twice", true)]
    #[case("card%", "Payment card", false)]
    #[case("p_yment%", "payment", true)]
    #[case("100\\%", "100%", true)]
    #[case("100\\%", "1000", false)]
    #[case("%a%a%a%", "aXaYa", true)]
    #[case("", "", true)]
    #[case("%%", "", true)]
    fn like_follows_sql(#[case] pattern: &str, #[case] text: &str, #[case] holds: bool) {
        assert_eq!(like(pattern, text), holds);
    }

    #[rstest]
    #[case("(a,b)", Some(vec!["a", "b"]))]
    #[case(r#"("a,b",c)"#, Some(vec!["a,b", "c"]))]
    #[case(r#"("a\"b")"#, Some(vec!["a\"b"]))]
    #[case("()", Some(vec![]))]
    #[case("a,b", None)]
    #[case(r#"("a)"#, None)]
    fn lists_are_read(#[case] text: &str, #[case] items: Option<Vec<&str>>) {
        let read = list(text);
        assert_eq!(
            read.as_deref()
                .map(|v| v.iter().map(String::as_str).collect::<Vec<_>>()),
            items
        );
    }

    #[test]
    fn a_deep_tree_is_refused_and_not_followed() {
        let deep = format!("{}id.is.null{}", "(and".repeat(9_000), ")".repeat(9_000));
        assert!(Filter::parse_logic("or", &deep).is_err());
        let deep = format!("({}id.is.null{}", "and(".repeat(9_000), ")".repeat(9_001));
        assert!(Filter::parse_logic("or", &deep).is_err());
    }
}
