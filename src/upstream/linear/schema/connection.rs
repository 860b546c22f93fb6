//! Linear's way to page: Relay connections with a shortcut to the nodes. A cursor is a node's id.

use async_graphql::{Enum, InputObject, Object, OutputType, Result, SimpleObject};

use super::nodes::{Comment, Issue, IssueLabel, Team, User, WorkflowState};
use crate::upstream::linear::refusal::Refusal;

/// How many nodes a page has when nobody says.
const USUAL: usize = 50;

/// No page has more; the number is ours.
const MOST: usize = 250;

/// A node that can be paged over.
pub trait Node: Clone {
    /// The cursor.
    fn id(&self) -> &str;
}

macro_rules! nodes {
    ($($name:ident)*) => {$(
        impl Node for $name {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )*};
}
nodes! { Comment Issue IssueLabel Team User WorkflowState }

/// A page of nodes.
#[derive(Debug)]
pub struct Connection<T> {
    nodes: Vec<T>,
    page_info: PageInfo,
}

/// Where a page stands among the others.
#[derive(Debug, Clone, Default, SimpleObject)]
pub struct PageInfo {
    pub start_cursor: Option<String>,
    pub end_cursor: Option<String>,
    pub has_previous_page: bool,
    pub has_next_page: bool,
}

/// A node and its cursor.
#[derive(Debug, SimpleObject)]
#[graphql(
    concrete(name = "CommentEdge", params(Comment)),
    concrete(name = "IssueEdge", params(Issue)),
    concrete(name = "IssueLabelEdge", params(IssueLabel)),
    concrete(name = "TeamEdge", params(Team)),
    concrete(name = "UserEdge", params(User)),
    concrete(name = "WorkflowStateEdge", params(WorkflowState))
)]
pub struct Edge<T: OutputType> {
    pub cursor: String,
    pub node: T,
}

#[Object(
    concrete(name = "CommentConnection", params(Comment)),
    concrete(name = "IssueConnection", params(Issue)),
    concrete(name = "IssueLabelConnection", params(IssueLabel)),
    concrete(name = "TeamConnection", params(Team)),
    concrete(name = "UserConnection", params(User)),
    concrete(name = "WorkflowStateConnection", params(WorkflowState))
)]
impl<T: OutputType + Node> Connection<T>
where
    Edge<T>: OutputType,
{
    async fn nodes(&self) -> &[T] {
        &self.nodes
    }

    async fn edges(&self) -> Vec<Edge<T>> {
        let edge = |node: &T| Edge {
            cursor: node.id().to_owned(),
            node: node.clone(),
        };
        self.nodes.iter().map(edge).collect()
    }

    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }
}

/// By which date a list is ordered, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(rename_items = "camelCase")]
pub enum PaginationOrderBy {
    CreatedAt,
    UpdatedAt,
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(rename_items = "PascalCase")]
pub enum PaginationSortOrder {
    Ascending,
    Descending,
}

/// How to sort by one field. Linear has a type of its own for each field; this one is ours.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct SortBy {
    pub order: Option<PaginationSortOrder>,
}

impl SortBy {
    /// Turns an ascending comparison into the wanted one.
    #[must_use]
    pub fn apply(self, ascending: std::cmp::Ordering) -> std::cmp::Ordering {
        match self.order {
            None | Some(PaginationSortOrder::Ascending) => ascending,
            Some(PaginationSortOrder::Descending) => ascending.reverse(),
        }
    }
}

/// Which page is wanted.
#[derive(Debug)]
pub struct Paging {
    after: Option<String>,
    before: Option<String>,
    first: Option<i32>,
    last: Option<i32>,
}

impl Paging {
    /// The page that a field's arguments ask for.
    #[must_use]
    pub const fn new(
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Self {
        Self {
            after,
            before,
            first,
            last,
        }
    }

    /// Cuts the page out of all nodes (Relay Cursor Connections, section 4.4).
    ///
    /// # Errors
    /// If a cursor is not among them, a count is out of range, or both ends are given.
    pub fn page<T: Node>(&self, all: Vec<T>) -> Result<Connection<T>> {
        if self.first.is_some() && self.last.is_some() {
            return refuse("use either `first` or `last`, not both");
        }
        let position = |cursor: &String| {
            all.iter()
                .position(|node| node.id() == cursor)
                .ok_or_else(|| Refusal::InvalidInput("no node has this cursor".into()))
        };
        let mut start = match &self.after {
            Some(cursor) => position(cursor)? + 1,
            None => 0,
        };
        let mut end = match &self.before {
            Some(cursor) => position(cursor)?,
            None => all.len(),
        };
        end = end.max(start);
        match (self.first, self.last) {
            (None, Some(last)) => start = start.max(end.saturating_sub(count(last)?)),
            (Some(first), _) => end = end.min(start + count(first)?),
            (None, None) => end = end.min(start + USUAL),
        }
        let more_behind = end < all.len();
        let nodes: Vec<T> = all.into_iter().skip(start).take(end - start).collect();
        Ok(Connection {
            page_info: PageInfo {
                start_cursor: nodes.first().map(|node| node.id().to_owned()),
                end_cursor: nodes.last().map(|node| node.id().to_owned()),
                has_previous_page: start > 0,
                has_next_page: more_behind,
            },
            nodes,
        })
    }
}

fn count(wanted: i32) -> Result<usize> {
    match usize::try_from(wanted) {
        Ok(count) if (1..=MOST).contains(&count) => Ok(count),
        _ => refuse(&format!("a page has 1 to {MOST} nodes")),
    }
}

fn refuse<T>(why: &str) -> Result<T> {
    Err(Refusal::InvalidInput(why.to_owned()).into())
}
