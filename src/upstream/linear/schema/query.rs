//! Reads. Each needs the scope `read`, which every token has.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, Result};

use super::{
    caller,
    connection::{Connection, PaginationOrderBy, Paging, SortBy},
    filters::{
        Filter as _, IssueFilter, IssueLabelFilter, TeamFilter, UserFilter, WorkflowStateFilter,
    },
    lab,
    nodes::{Comment, Issue, IssueLabel, Organization, Team, User, WorkflowState},
};
use crate::upstream::linear::{
    access::Scope,
    refusal::Refusal,
    store::{IssueRecord, Place},
};

/// How to sort issues.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct IssueSortInput {
    pub created_at: Option<SortBy>,
    pub updated_at: Option<SortBy>,
    pub title: Option<SortBy>,
    pub priority: Option<SortBy>,
}

/// How to sort people.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct UserSortInput {
    pub name: Option<SortBy>,
    pub display_name: Option<SortBy>,
}

/// The root of all reads.
#[derive(Debug, Clone, Copy)]
pub struct Query;

#[Object]
impl Query {
    /// The person whom the credential makes the caller.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<User> {
        Ok(User::from(&caller(ctx, Scope::Read)?.member))
    }

    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        caller(ctx, Scope::Read)?;
        Ok(Organization::of(lab(ctx)?))
    }

    async fn user(&self, ctx: &Context<'_>, id: String) -> Result<User> {
        let caller = caller(ctx, Scope::Read)?;
        if id == "me" {
            return Ok(User::from(&caller.member));
        }
        let found = lab(ctx)?.workspace.member(&id).map(User::from);
        Ok(found.ok_or(Refusal::NotFound("User"))?)
    }

    async fn users(
        &self,
        ctx: &Context<'_>,
        filter: Option<UserFilter>,
        sort: Option<Vec<UserSortInput>>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(name = "includeArchived")] _include_archived: Option<bool>,
        #[graphql(name = "includeDisabled")] _include_disabled: Option<bool>,
        #[graphql(name = "orderBy")] _order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<User>> {
        caller(ctx, Scope::Read)?;
        let workspace = &lab(ctx)?.workspace;
        let mut users: Vec<_> = workspace
            .members
            .iter()
            .filter(|member| filter.fits(workspace, member))
            .collect();
        // The first criterion weighs most, so it sorts last; sorting is stable.
        for by in sort.iter().flatten().rev() {
            if let Some(order) = by.display_name {
                users.sort_by(|a, b| order.apply(a.display_name.cmp(&b.display_name)));
            }
            if let Some(order) = by.name {
                users.sort_by(|a, b| order.apply(a.name.cmp(&b.name)));
            }
        }
        Paging::new(after, before, first, last).page(users.into_iter().map(User::from).collect())
    }

    async fn team(&self, ctx: &Context<'_>, id: String) -> Result<Team> {
        caller(ctx, Scope::Read)?;
        let team = &lab(ctx)?.workspace.team;
        if team.id == id || team.key == id {
            Ok(Team::from(team))
        } else {
            Err(Refusal::NotFound("Team").into())
        }
    }

    async fn teams(
        &self,
        ctx: &Context<'_>,
        filter: Option<TeamFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(name = "includeArchived")] _include_archived: Option<bool>,
        #[graphql(name = "orderBy")] _order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<Team>> {
        caller(ctx, Scope::Read)?;
        let workspace = &lab(ctx)?.workspace;
        let teams = [&workspace.team].into_iter();
        let fitting = teams
            .filter(|team| filter.fits(workspace, team))
            .map(Team::from);
        Paging::new(after, before, first, last).page(fitting.collect())
    }

    async fn issue_label(&self, ctx: &Context<'_>, id: String) -> Result<IssueLabel> {
        caller(ctx, Scope::Read)?;
        let found = lab(ctx)?.workspace.label(&id).map(IssueLabel::from);
        Ok(found.ok_or(Refusal::NotFound("IssueLabel"))?)
    }

    async fn issue_labels(
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
        caller(ctx, Scope::Read)?;
        let workspace = &lab(ctx)?.workspace;
        let labels = workspace.labels.iter();
        let fitting = labels
            .filter(|label| filter.fits(workspace, label))
            .map(IssueLabel::from);
        Paging::new(after, before, first, last).page(fitting.collect())
    }

    async fn workflow_state(&self, ctx: &Context<'_>, id: String) -> Result<WorkflowState> {
        caller(ctx, Scope::Read)?;
        let found = lab(ctx)?.workspace.state(&id).map(WorkflowState::from);
        Ok(found.ok_or(Refusal::NotFound("WorkflowState"))?)
    }

    async fn workflow_states(
        &self,
        ctx: &Context<'_>,
        filter: Option<WorkflowStateFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(name = "includeArchived")] _include_archived: Option<bool>,
        #[graphql(name = "orderBy")] _order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<WorkflowState>> {
        caller(ctx, Scope::Read)?;
        let workspace = &lab(ctx)?.workspace;
        let states = workspace.states.iter();
        let fitting = states
            .filter(|state| filter.fits(workspace, state))
            .map(WorkflowState::from);
        Paging::new(after, before, first, last).page(fitting.collect())
    }

    /// One issue by id or identifier (`ENG-1`), wherever it is: a trashed one too.
    async fn issue(&self, ctx: &Context<'_>, id: String) -> Result<Issue> {
        caller(ctx, Scope::Read)?;
        let lab = lab(ctx)?;
        let found = lab.find(&id).ok_or(Refusal::NotFound("Issue"))?;
        Ok(Issue::new(lab, found))
    }

    /// One comment. Linear also finds one by the hash in its link; the lab does not.
    async fn comment(
        &self,
        ctx: &Context<'_>,
        id: Option<String>,
        hash: Option<String>,
    ) -> Result<Comment> {
        caller(ctx, Scope::Read)?;
        let lab = lab(ctx)?;
        let wanted = id.or(hash).unwrap_or_default();
        let found = lab
            .store
            .read()
            .comments
            .iter()
            .find(|c| c.id == wanted)
            .cloned();
        Ok(Comment::new(
            lab,
            found.ok_or(Refusal::NotFound("Comment"))?,
        ))
    }

    /// Issues, the newest first; archived and trashed ones only with `includeArchived`.
    async fn issues(
        &self,
        ctx: &Context<'_>,
        filter: Option<IssueFilter>,
        sort: Option<Vec<IssueSortInput>>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        include_archived: Option<bool>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<Issue>> {
        caller(ctx, Scope::Read)?;
        let lab = lab(ctx)?;
        let everything = include_archived.unwrap_or(false);
        let mut found: Vec<Arc<IssueRecord>> = lab
            .store
            .read()
            .issues
            .values()
            .rev()
            .filter(|issue| everything || issue.place == Place::Listed)
            .filter(|issue| filter.fits(&lab.workspace, issue))
            .cloned()
            .collect();
        if order_by == Some(PaginationOrderBy::UpdatedAt) {
            found.sort_by_key(|issue| std::cmp::Reverse(issue.updated_at));
        }
        for by in sort.iter().flatten().rev() {
            if let Some(order) = by.priority {
                found.sort_by(|a, b| order.apply(a.priority.cmp(&b.priority)));
            }
            if let Some(order) = by.title {
                found.sort_by(|a, b| order.apply(a.title.cmp(&b.title)));
            }
            if let Some(order) = by.updated_at {
                found.sort_by(|a, b| order.apply(a.updated_at.cmp(&b.updated_at)));
            }
            if let Some(order) = by.created_at {
                found.sort_by(|a, b| order.apply(a.created_at.cmp(&b.created_at)));
            }
        }
        let nodes = found.into_iter().map(|issue| Issue::new(lab, issue));
        Paging::new(after, before, first, last).page(nodes.collect())
    }
}
