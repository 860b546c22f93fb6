//! What the workspace consists of, as GraphQL objects.

mod issue;

pub use self::issue::{Comment, Issue};

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use chrono::{DateTime as Instant, Utc};

use super::{
    absent::{OrganizationBlanks, ProjectStatus, TeamBlanks, UserBlanks},
    connection::{Connection, PaginationOrderBy, Paging},
    filters::{Filter as _, IssueLabelFilter, WorkflowStateFilter},
    lab,
    scalars::{DateTime, Whole},
};
use crate::upstream::linear::{
    Inner,
    access::Caller,
    links,
    store::Place,
    workspace::{self, Label, Member, Role, State},
};

/// When the sample workspace was made: a date of ours, the same in every lab.
fn founded() -> DateTime {
    DateTime(Instant::<Utc>::from_timestamp(1_767_603_600, 0).unwrap_or_default())
}

/// A person.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct User {
    pub id: ID,
    pub name: String,
    pub display_name: String,
    pub email: String,
    pub initials: String,
    pub active: bool,
    pub admin: bool,
    pub owner: bool,
    pub guest: bool,
    pub app: bool,
    pub is_assignable: bool,
    pub is_mentionable: bool,
    pub supports_agent_sessions: bool,
    pub can_access_any_public_team: bool,
    pub created_at: DateTime,
    pub updated_at: DateTime,
    #[graphql(flatten)]
    blanks: UserBlanks,
}

impl From<&Arc<Member>> for User {
    fn from(member: &Arc<Member>) -> Self {
        Self {
            id: ID(member.id.clone()),
            name: member.name.clone(),
            display_name: member.display_name.clone(),
            email: member.email.clone(),
            initials: member
                .name
                .split(' ')
                .filter_map(|word| word.chars().next())
                .collect(),
            active: true,
            admin: member.role == Role::Admin,
            owner: member.role == Role::Admin,
            guest: false,
            app: false,
            is_assignable: true,
            is_mentionable: true,
            supports_agent_sessions: false,
            can_access_any_public_team: true,
            created_at: founded(),
            updated_at: founded(),
            blanks: UserBlanks,
        }
    }
}

#[ComplexObject]
impl User {
    async fn url(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(links::profile(lab(ctx)?, &self.display_name))
    }

    async fn is_me(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.data::<Caller>()?.member.id == self.id.0)
    }

    async fn created_issue_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let memory = lab(ctx)?.store.read();
        let count = memory
            .issues
            .values()
            .filter(|issue| issue.creator_id == self.id.0)
            .count();
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        Ok(Organization::of(lab(ctx)?))
    }
}

/// A team.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct Team {
    pub id: ID,
    pub key: String,
    pub name: String,
    pub display_name: String,
    pub private: bool,
    pub created_at: DateTime,
    pub updated_at: DateTime,
    #[graphql(flatten)]
    blanks: TeamBlanks,
}

impl From<&workspace::Team> for Team {
    fn from(team: &workspace::Team) -> Self {
        Self {
            id: ID(team.id.clone()),
            key: team.key.clone(),
            name: team.name.clone(),
            display_name: team.name.clone(),
            private: false,
            created_at: founded(),
            updated_at: founded(),
            blanks: TeamBlanks,
        }
    }
}

#[ComplexObject]
impl Team {
    async fn default_issue_state(&self, ctx: &Context<'_>) -> Result<Option<WorkflowState>> {
        Ok(lab(ctx)?.workspace.first_state().map(WorkflowState::from))
    }

    async fn issue_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let memory = lab(ctx)?.store.read();
        let listed = memory
            .issues
            .values()
            .filter(|issue| issue.place == Place::Listed)
            .count();
        Ok(i32::try_from(listed).unwrap_or(i32::MAX))
    }

    async fn states(
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
        let workspace = &lab(ctx)?.workspace;
        let states = workspace.states.iter();
        let fitting = states
            .filter(|state| filter.fits(workspace, state))
            .map(WorkflowState::from);
        Paging::new(after, before, first, last).page(fitting.collect())
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
        let labels = workspace.labels.iter();
        let fitting = labels
            .filter(|label| filter.fits(workspace, label))
            .map(IssueLabel::from);
        Paging::new(after, before, first, last).page(fitting.collect())
    }
}

/// A label.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct IssueLabel {
    pub id: ID,
    pub name: String,
    pub color: String,
    pub description: Option<String>,
    pub is_group: bool,
    pub group_type: Option<String>,
    pub last_applied_at: Option<DateTime>,
    pub archived_at: Option<DateTime>,
    pub created_at: DateTime,
    pub updated_at: DateTime,
    pub creator: Option<User>,
    pub retired_by: Option<User>,
    pub parent: Option<Box<IssueLabel>>,
    pub inherited_from: Option<Box<IssueLabel>>,
}

impl From<&Label> for IssueLabel {
    fn from(label: &Label) -> Self {
        Self {
            id: ID(label.id.clone()),
            name: label.name.to_owned(),
            color: label.color.to_owned(),
            description: None,
            is_group: false,
            group_type: None,
            last_applied_at: None,
            archived_at: None,
            created_at: founded(),
            updated_at: founded(),
            creator: None,
            retired_by: None,
            parent: None,
            inherited_from: None,
        }
    }
}

#[ComplexObject]
impl IssueLabel {
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>> {
        Ok(Some(Team::from(&lab(ctx)?.workspace.team)))
    }
}

/// A step of the workflow.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct WorkflowState {
    pub id: ID,
    pub name: String,
    #[graphql(name = "type")]
    pub kind: String,
    pub color: String,
    pub description: Option<String>,
    pub position: Whole,
    pub archived_at: Option<DateTime>,
    pub created_at: DateTime,
    pub updated_at: DateTime,
    pub inherited_from: Option<Box<WorkflowState>>,
}

impl From<&State> for WorkflowState {
    fn from(state: &State) -> Self {
        Self {
            id: ID(state.id.clone()),
            name: state.name.to_owned(),
            kind: state.kind.to_owned(),
            color: state.color.to_owned(),
            description: None,
            position: Whole::default(),
            archived_at: None,
            created_at: founded(),
            updated_at: founded(),
            inherited_from: None,
        }
    }
}

#[ComplexObject]
impl WorkflowState {
    async fn team(&self, ctx: &Context<'_>) -> Result<Team> {
        Ok(Team::from(&lab(ctx)?.workspace.team))
    }
}

/// The workspace itself.
#[derive(Debug, Clone, SimpleObject)]
pub struct Organization {
    pub id: ID,
    pub name: String,
    pub url_key: String,
    pub user_count: i32,
    pub created_issue_count: u32,
    pub previous_url_keys: Vec<String>,
    /// Not null: `@linear/sdk` reads it without asking.
    pub project_statuses: Vec<ProjectStatus>,
    pub created_at: DateTime,
    pub updated_at: DateTime,
    pub archived_at: Option<DateTime>,
    pub logo_url: Option<String>,
    #[graphql(flatten)]
    blanks: OrganizationBlanks,
}

impl Organization {
    /// The lab's one workspace.
    #[must_use]
    pub fn of(lab: &Inner) -> Self {
        Self {
            id: ID(lab.workspace.id.clone()),
            name: workspace::WORKSPACE_NAME.to_owned(),
            url_key: workspace::WORKSPACE_KEY.to_owned(),
            user_count: i32::try_from(lab.workspace.members.len()).unwrap_or(i32::MAX),
            created_issue_count: lab.store.read().last_number,
            previous_url_keys: Vec::new(),
            project_statuses: Vec::new(),
            created_at: founded(),
            updated_at: founded(),
            archived_at: None,
            logo_url: None,
            blanks: OrganizationBlanks,
        }
    }
}
