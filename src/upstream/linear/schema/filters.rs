//! What a list may be narrowed by: the fields of Linear's filters that the lab knows. A field it
//! does not know is a validation error and never ignored.

use async_graphql::InputObject;

use super::comparators::{
    BooleanComparator, DateComparator, IDComparator, IssueIDComparator, NullableNumberComparator,
    NullableStringComparator, NumberComparator, StringComparator,
};
use crate::upstream::linear::{
    store::{CommentRecord, IssueRecord},
    workspace::{Label, Member, Role, State, Team, Workspace},
};

/// Narrows a list of `T`.
pub trait Filter<T: ?Sized> {
    /// Whether `item` belongs into the list.
    fn fits(&self, workspace: &Workspace, item: &T) -> bool;
}

impl<T: ?Sized, F: Filter<T>> Filter<T> for Option<F> {
    fn fits(&self, workspace: &Workspace, item: &T) -> bool {
        self.as_ref()
            .is_none_or(|filter| filter.fits(workspace, item))
    }
}

impl<T: ?Sized, F: Filter<T>> Filter<T> for Box<F> {
    fn fits(&self, workspace: &Workspace, item: &T) -> bool {
        (**self).fits(workspace, item)
    }
}

/// Every one of `and`, any of `or`; both may be absent.
macro_rules! combined {
    ($filter:expr, $workspace:expr, $item:expr) => {
        $filter
            .and
            .as_ref()
            .is_none_or(|all| all.iter().all(|f| f.fits($workspace, $item)))
            && $filter
                .or
                .as_ref()
                .is_none_or(|any| any.iter().any(|f| f.fits($workspace, $item)))
    };
}

/// Narrows teams.
#[derive(Debug, Clone, Default, InputObject)]
pub struct TeamFilter {
    pub id: Option<IDComparator>,
    pub key: Option<StringComparator>,
    pub name: Option<StringComparator>,
    pub and: Option<Vec<TeamFilter>>,
    pub or: Option<Vec<TeamFilter>>,
}

impl Filter<Team> for TeamFilter {
    #[expect(clippy::only_used_in_recursion, reason = "the trait has the parameter")]
    fn fits(&self, workspace: &Workspace, team: &Team) -> bool {
        self.id.as_ref().is_none_or(|c| c.fits(&[&team.id]))
            && self.key.as_ref().is_none_or(|c| c.fits(Some(&team.key)))
            && self.name.as_ref().is_none_or(|c| c.fits(Some(&team.name)))
            && combined!(self, workspace, team)
    }
}

/// Narrows by a team that may be absent; in the lab it never is.
#[derive(Debug, Clone, Default, InputObject)]
pub struct NullableTeamFilter {
    pub null: Option<bool>,
    pub id: Option<IDComparator>,
    pub key: Option<StringComparator>,
    pub name: Option<StringComparator>,
}

impl Filter<Team> for NullableTeamFilter {
    fn fits(&self, _: &Workspace, team: &Team) -> bool {
        self.null != Some(true)
            && self.id.as_ref().is_none_or(|c| c.fits(&[&team.id]))
            && self.key.as_ref().is_none_or(|c| c.fits(Some(&team.key)))
            && self.name.as_ref().is_none_or(|c| c.fits(Some(&team.name)))
    }
}

/// Narrows people.
#[derive(Debug, Clone, Default, InputObject)]
pub struct UserFilter {
    pub id: Option<IDComparator>,
    pub name: Option<StringComparator>,
    pub display_name: Option<StringComparator>,
    pub email: Option<StringComparator>,
    pub active: Option<BooleanComparator>,
    pub admin: Option<BooleanComparator>,
    pub and: Option<Vec<UserFilter>>,
    pub or: Option<Vec<UserFilter>>,
}

impl Filter<Member> for UserFilter {
    #[expect(clippy::only_used_in_recursion, reason = "the trait has the parameter")]
    fn fits(&self, workspace: &Workspace, member: &Member) -> bool {
        let text = |c: &Option<StringComparator>, text: &str| {
            c.as_ref().is_none_or(|c| c.fits(Some(text)))
        };
        self.id.as_ref().is_none_or(|c| c.fits(&[&member.id]))
            && text(&self.name, &member.name)
            && text(&self.display_name, &member.display_name)
            && text(&self.email, &member.email)
            && self.active.as_ref().is_none_or(|c| c.fits(true))
            && self
                .admin
                .as_ref()
                .is_none_or(|c| c.fits(member.role == Role::Admin))
            && combined!(self, workspace, member)
    }
}

/// Narrows by a person who may be absent.
#[derive(Debug, Clone, Default, InputObject)]
pub struct NullableUserFilter {
    pub null: Option<bool>,
    pub id: Option<IDComparator>,
    pub name: Option<StringComparator>,
    pub display_name: Option<StringComparator>,
    pub email: Option<StringComparator>,
}

impl NullableUserFilter {
    fn fits(&self, member: Option<&Member>) -> bool {
        let field = |c: &Option<StringComparator>, get: fn(&Member) -> &str| {
            c.as_ref().is_none_or(|c| c.fits(member.map(get)))
        };
        self.null.is_none_or(|null| null == member.is_none())
            && self.id.as_ref().is_none_or(|c| match member {
                Some(member) => c.fits(&[&member.id]),
                None => c.fits(&[]),
            })
            && field(&self.name, |m| &m.name)
            && field(&self.display_name, |m| &m.display_name)
            && field(&self.email, |m| &m.email)
    }
}

/// Narrows labels.
#[derive(Debug, Clone, Default, InputObject)]
pub struct IssueLabelFilter {
    pub id: Option<IDComparator>,
    pub name: Option<StringComparator>,
    pub team: Option<Box<NullableTeamFilter>>,
    pub is_group: Option<BooleanComparator>,
    pub and: Option<Vec<IssueLabelFilter>>,
    pub or: Option<Vec<IssueLabelFilter>>,
}

impl Filter<Label> for IssueLabelFilter {
    fn fits(&self, workspace: &Workspace, label: &Label) -> bool {
        self.id.as_ref().is_none_or(|c| c.fits(&[&label.id]))
            && self.name.as_ref().is_none_or(|c| c.fits(Some(label.name)))
            && self.team.fits(workspace, &workspace.team)
            && self.is_group.as_ref().is_none_or(|c| c.fits(false))
            && combined!(self, workspace, label)
    }
}

/// Narrows by an issue's labels: without `every`, one that fits is enough.
#[derive(Debug, Clone, Default, InputObject)]
pub struct IssueLabelCollectionFilter {
    pub some: Option<Box<IssueLabelFilter>>,
    pub every: Option<Box<IssueLabelFilter>>,
    pub id: Option<IDComparator>,
    pub name: Option<StringComparator>,
}

impl Filter<IssueRecord> for IssueLabelCollectionFilter {
    fn fits(&self, workspace: &Workspace, issue: &IssueRecord) -> bool {
        let labels = || issue.label_ids.iter().filter_map(|id| workspace.label(id));
        self.some
            .as_ref()
            .is_none_or(|f| labels().any(|label| f.fits(workspace, label)))
            && self
                .every
                .as_ref()
                .is_none_or(|f| labels().all(|label| f.fits(workspace, label)))
            && self
                .id
                .as_ref()
                .is_none_or(|c| labels().any(|label| c.fits(&[&label.id])))
            && self
                .name
                .as_ref()
                .is_none_or(|c| labels().any(|label| c.fits(Some(label.name))))
    }
}

/// Narrows workflow states.
#[derive(Debug, Clone, Default, InputObject)]
pub struct WorkflowStateFilter {
    pub id: Option<IDComparator>,
    pub name: Option<StringComparator>,
    #[graphql(name = "type")]
    pub kind: Option<StringComparator>,
    pub team: Option<Box<TeamFilter>>,
    pub and: Option<Vec<WorkflowStateFilter>>,
    pub or: Option<Vec<WorkflowStateFilter>>,
}

impl Filter<State> for WorkflowStateFilter {
    fn fits(&self, workspace: &Workspace, state: &State) -> bool {
        self.id.as_ref().is_none_or(|c| c.fits(&[&state.id]))
            && self.name.as_ref().is_none_or(|c| c.fits(Some(state.name)))
            && self.kind.as_ref().is_none_or(|c| c.fits(Some(state.kind)))
            && self.team.fits(workspace, &workspace.team)
            && combined!(self, workspace, state)
    }
}

/// Narrows issues. What it has of others is boxed: reading one takes its size in stack several times
/// over, at each level of `and` and `or`.
#[derive(Debug, Clone, Default, InputObject)]
pub struct IssueFilter {
    pub id: Option<IssueIDComparator>,
    pub number: Option<NumberComparator>,
    pub title: Option<Box<StringComparator>>,
    pub description: Option<Box<NullableStringComparator>>,
    pub priority: Option<NullableNumberComparator>,
    pub created_at: Option<DateComparator>,
    pub updated_at: Option<DateComparator>,
    pub team: Option<Box<TeamFilter>>,
    pub state: Option<Box<WorkflowStateFilter>>,
    pub creator: Option<Box<NullableUserFilter>>,
    pub assignee: Option<Box<NullableUserFilter>>,
    pub labels: Option<Box<IssueLabelCollectionFilter>>,
    pub and: Option<Vec<IssueFilter>>,
    pub or: Option<Vec<IssueFilter>>,
}

impl Filter<IssueRecord> for IssueFilter {
    fn fits(&self, workspace: &Workspace, issue: &IssueRecord) -> bool {
        let identifier = format!("{}-{}", workspace.team.key, issue.number);
        let names = [issue.id.as_str(), identifier.as_str()];
        let person = |id: Option<&str>| id.and_then(|id| workspace.member(id)).map(|m| &**m);
        self.id.as_ref().is_none_or(|c| c.fits(&names))
            && self.number.as_ref().is_none_or(|c| c.fits(issue.number))
            && self
                .title
                .as_ref()
                .is_none_or(|c| c.fits(Some(&issue.title)))
            && self
                .description
                .as_ref()
                .is_none_or(|c| c.fits(issue.description.as_deref()))
            && self
                .priority
                .as_ref()
                .is_none_or(|c| c.fits(issue.priority.into()))
            && self
                .created_at
                .as_ref()
                .is_none_or(|c| c.fits(issue.created_at))
            && self
                .updated_at
                .as_ref()
                .is_none_or(|c| c.fits(issue.updated_at))
            && self.team.fits(workspace, &workspace.team)
            && self.state.as_ref().is_none_or(|f| {
                workspace
                    .state(&issue.state_id)
                    .is_some_and(|state| f.fits(workspace, state))
            })
            && self
                .creator
                .as_ref()
                .is_none_or(|f| f.fits(person(Some(&issue.creator_id))))
            && self
                .assignee
                .as_ref()
                .is_none_or(|f| f.fits(person(issue.assignee_id.as_deref())))
            && self.labels.fits(workspace, issue)
            && combined!(self, workspace, issue)
    }
}

/// Narrows comments.
#[derive(Debug, Clone, Default, InputObject)]
pub struct CommentFilter {
    pub id: Option<IDComparator>,
    pub body: Option<StringComparator>,
}

impl Filter<CommentRecord> for CommentFilter {
    fn fits(&self, _: &Workspace, comment: &CommentRecord) -> bool {
        self.id.as_ref().is_none_or(|c| c.fits(&[&comment.id]))
            && self
                .body
                .as_ref()
                .is_none_or(|c| c.fits(Some(&comment.body)))
    }
}
