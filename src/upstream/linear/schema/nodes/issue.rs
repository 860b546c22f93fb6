//! An issue and its comments, as GraphQL objects.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};

use super::{IssueLabel, Team, User, WorkflowState};
use crate::upstream::linear::{
    Inner, links,
    schema::{
        absent::{CommentBlanks, IssueBlanks, Reaction},
        connection::{Connection, PaginationOrderBy, Paging},
        filters::{CommentFilter, Filter as _, IssueLabelFilter},
        lab,
        scalars::{DateTime, JsonObject, TimelessDate, Whole},
    },
    store::{CommentRecord, IssueRecord, Place},
};

/// With whom an issue is shared beyond its team: in the lab, nobody.
#[derive(Debug, Clone, Default, SimpleObject)]
pub struct IssueSharedAccess {
    pub is_shared: bool,
    pub shared_with_count: i32,
    pub shared_with_users: Vec<User>,
    pub viewer_has_only_shared_access: bool,
    pub disallowed_issue_fields: Vec<String>,
}

/// An issue.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct Issue {
    pub id: ID,
    pub identifier: String,
    pub number: Whole,
    pub url: String,
    pub branch_name: String,
    pub title: String,
    pub description: Option<String>,
    pub priority: Whole,
    pub priority_label: String,
    pub label_ids: Vec<String>,
    pub estimate: Option<i32>,
    pub due_date: Option<TimelessDate>,
    pub trashed: bool,
    pub created_at: DateTime,
    pub updated_at: DateTime,
    pub archived_at: Option<DateTime>,
    pub board_order: Whole,
    pub sort_order: Whole,
    pub priority_sort_order: Whole,
    pub sub_issue_sort_order: Option<Whole>,
    pub customer_ticket_count: i32,
    pub inherits_shared_access: bool,
    pub previous_identifiers: Vec<String>,
    pub reaction_data: JsonObject,
    /// Not null: `@linear/sdk` reads it without asking.
    pub reactions: Vec<Reaction>,
    /// Not null: `@linear/sdk` reads it without asking.
    pub shared_access: IssueSharedAccess,
    #[graphql(flatten)]
    blanks: IssueBlanks,
    #[graphql(skip)]
    pub record: Arc<IssueRecord>,
}

/// Linear's words for a priority.
const PRIORITIES: [&str; 5] = ["No priority", "Urgent", "High", "Medium", "Low"];

impl Issue {
    /// The issue as `lab` shows it.
    #[must_use]
    pub fn new(lab: &Inner, record: Arc<IssueRecord>) -> Self {
        let identifier = lab.identifier(&record);
        Self {
            id: ID(record.id.clone()),
            url: links::issue(lab, &record),
            branch_name: links::branch(lab, &record),
            identifier,
            number: Whole(record.number.into()),
            title: record.title.clone(),
            description: record.description.clone(),
            priority: Whole(record.priority.into()),
            priority_label: PRIORITIES
                .get(usize::from(record.priority))
                .unwrap_or(&PRIORITIES[0])
                .to_string(),
            label_ids: record.label_ids.clone(),
            estimate: record.estimate,
            due_date: record.due_date.clone().map(TimelessDate),
            trashed: record.place == Place::Trashed,
            created_at: DateTime(record.created_at),
            updated_at: DateTime(record.updated_at),
            archived_at: record.archived_at.map(DateTime),
            board_order: Whole::default(),
            sort_order: Whole(record.number.into()),
            priority_sort_order: Whole(record.number.into()),
            sub_issue_sort_order: None,
            customer_ticket_count: 0,
            inherits_shared_access: false,
            previous_identifiers: Vec::new(),
            reaction_data: JsonObject,
            reactions: Vec::new(),
            shared_access: IssueSharedAccess::default(),
            blanks: IssueBlanks,
            record,
        }
    }
}

#[ComplexObject]
impl Issue {
    async fn team(&self, ctx: &Context<'_>) -> Result<Team> {
        Ok(Team::from(&lab(ctx)?.workspace.team))
    }

    async fn creator(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let workspace = &lab(ctx)?.workspace;
        Ok(workspace.member(&self.record.creator_id).map(User::from))
    }

    async fn assignee(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let workspace = &lab(ctx)?.workspace;
        let assignee = self.record.assignee_id.as_deref();
        Ok(assignee.and_then(|id| workspace.member(id)).map(User::from))
    }

    async fn state(&self, ctx: &Context<'_>) -> Result<Option<WorkflowState>> {
        let workspace = &lab(ctx)?.workspace;
        Ok(workspace
            .state(&self.record.state_id)
            .map(WorkflowState::from))
    }

    async fn labels(
        &self,
        ctx: &Context<'_>,
        filter: Option<IssueLabelFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(name = "includeArchived")] _include_archived: Option<bool>,
        #[graphql(name = "orderBy")] _order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<IssueLabel>> {
        let workspace = &lab(ctx)?.workspace;
        let labels = self.record.label_ids.iter();
        let fitting = labels
            .filter_map(|id| workspace.label(id))
            .filter(|label| filter.fits(workspace, label))
            .map(IssueLabel::from);
        Paging::new(after, before, first, last).page(fitting.collect())
    }

    async fn comments(
        &self,
        ctx: &Context<'_>,
        filter: Option<CommentFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(name = "includeArchived")] _include_archived: Option<bool>,
        #[graphql(name = "orderBy")] _order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<Comment>> {
        let lab = lab(ctx)?;
        let comments: Vec<Comment> = lab
            .store
            .read()
            .comments
            .iter()
            .filter(|comment| comment.issue_id == self.record.id)
            .filter(|comment| filter.fits(&lab.workspace, comment))
            .map(|comment| Comment::new(lab, Arc::clone(comment)))
            .collect();
        Paging::new(after, before, first, last).page(comments)
    }
}

/// A comment.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct Comment {
    pub id: ID,
    pub body: String,
    pub url: String,
    pub created_at: DateTime,
    pub updated_at: DateTime,
    pub issue_id: Option<String>,
    pub reaction_data: JsonObject,
    /// Not null: `@linear/sdk` reads it without asking.
    pub reactions: Vec<Reaction>,
    #[graphql(flatten)]
    blanks: CommentBlanks,
    #[graphql(skip)]
    record: Arc<CommentRecord>,
}

impl Comment {
    /// The comment as `lab` shows it.
    #[must_use]
    pub fn new(lab: &Inner, record: Arc<CommentRecord>) -> Self {
        Self {
            id: ID(record.id.clone()),
            body: record.body.clone(),
            url: links::comment(lab, &record),
            created_at: DateTime(record.created_at),
            updated_at: DateTime(record.created_at),
            issue_id: Some(record.issue_id.clone()),
            reaction_data: JsonObject,
            reactions: Vec::new(),
            blanks: CommentBlanks,
            record,
        }
    }
}

#[ComplexObject]
impl Comment {
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let workspace = &lab(ctx)?.workspace;
        Ok(workspace.member(&self.record.user_id).map(User::from))
    }

    async fn issue(&self, ctx: &Context<'_>) -> Result<Option<Issue>> {
        let lab = lab(ctx)?;
        let issue = lab.store.read().issue(&self.record.issue_id).cloned();
        Ok(issue.map(|record| Issue::new(lab, record)))
    }
}
