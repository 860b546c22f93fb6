//! Writes. Filing an issue needs `issues:create` or `write`, a comment `comments:create` or
//! `write`, everything else `write`.

use std::sync::Arc;

use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use uuid::Uuid;

use super::{
    caller, lab,
    nodes::{Comment, Issue},
    scalars::{TimelessDate, Whole},
};
use crate::{
    protocol::traceparent::TraceParent,
    upstream::linear::{
        Inner,
        access::Scope,
        refusal::Refusal,
        store::{CommentRecord, IssueRecord, Place, SyncId},
        workspace::Role,
    },
};

/// A new issue.
#[derive(Debug, Clone, InputObject)]
pub struct IssueCreateInput {
    /// The id that the issue is to have; the lab makes one otherwise.
    pub id: Option<String>,
    pub team_id: String,
    pub title: Option<String>,
    pub description: Option<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    pub priority: Option<i32>,
    pub label_ids: Option<Vec<String>>,
    pub assignee_id: Option<String>,
    pub state_id: Option<String>,
    pub estimate: Option<i32>,
    pub due_date: Option<TimelessDate>,
}

/// What is to change; what is not named stays.
#[derive(Debug, Clone, InputObject)]
pub struct IssueUpdateInput {
    pub title: Option<String>,
    pub description: MaybeUndefined<String>,
    pub priority: Option<i32>,
    pub label_ids: Option<Vec<String>>,
    pub added_label_ids: Option<Vec<String>>,
    pub removed_label_ids: Option<Vec<String>>,
    pub assignee_id: MaybeUndefined<String>,
    pub state_id: Option<String>,
    pub estimate: MaybeUndefined<i32>,
    pub due_date: MaybeUndefined<TimelessDate>,
}

/// A new comment.
#[derive(Debug, Clone, InputObject)]
pub struct CommentCreateInput {
    pub id: Option<String>,
    /// Id or identifier.
    pub issue_id: String,
    pub body: String,
}

/// What came of a change to an issue.
#[derive(Debug, SimpleObject)]
pub struct IssuePayload {
    pub success: bool,
    pub last_sync_id: Whole,
    pub issue: Option<Issue>,
}

/// What came of trashing, archiving or restoring an issue.
#[derive(Debug, SimpleObject)]
pub struct IssueArchivePayload {
    pub success: bool,
    pub last_sync_id: Whole,
    /// Absent when the issue was deleted for good.
    pub entity: Option<Issue>,
}

/// What came of a comment.
#[derive(Debug, SimpleObject)]
pub struct CommentPayload {
    pub success: bool,
    pub last_sync_id: Whole,
    pub comment: Comment,
}

/// The root of all writes.
#[derive(Debug, Clone, Copy)]
pub struct Mutation;

#[Object]
impl Mutation {
    /// Files an issue; its author is the person whom the credential makes the caller.
    async fn issue_create(
        &self,
        ctx: &Context<'_>,
        input: IssueCreateInput,
    ) -> Result<IssuePayload> {
        let caller = caller(ctx, Scope::IssuesCreate)?;
        let lab = lab(ctx)?;
        let workspace = &lab.workspace;
        if input.team_id != workspace.team.id {
            return Err(Refusal::NotFound("Team").into());
        }
        let title = title(input.title.unwrap_or_default())?;
        let priority = priority(input.priority.unwrap_or_default())?;
        let label_ids = labels(lab, input.label_ids.unwrap_or_default())?;
        let assignee_id = input.assignee_id.map(|id| assignee(lab, id)).transpose()?;
        let state_id = match input.state_id {
            Some(id) => state(lab, id)?,
            None => workspace
                .first_state()
                .map(|state| state.id.clone())
                .unwrap_or_default(),
        };
        let id = new_id(lab, input.id)?;
        if lab.find(&id).is_some() {
            return Err(Refusal::InvalidInput("an issue with this id exists".into()).into());
        }
        let creator_id = caller.member.id.clone();
        let trace_parent = ctx.data_opt::<TraceParent>().copied();
        let now = lab.clock.now();
        let (issue, sync) = lab
            .store
            .create(move |number| IssueRecord {
                id,
                number,
                title,
                description: input.description,
                priority,
                label_ids,
                creator_id,
                assignee_id,
                state_id,
                estimate: input.estimate,
                due_date: input.due_date.map(|date| date.0),
                created_at: now,
                updated_at: now,
                archived_at: None,
                place: Place::Listed,
                trace_parent,
            })
            .await
            .map_err(|_| Refusal::Internal)?;
        lab.publish(&issue, trace_parent);
        Ok(IssuePayload {
            success: true,
            last_sync_id: Whole(sync),
            issue: Some(Issue::new(lab, issue)),
        })
    }

    /// Changes an issue.
    async fn issue_update(
        &self,
        ctx: &Context<'_>,
        id: String,
        input: IssueUpdateInput,
    ) -> Result<IssuePayload> {
        caller(ctx, Scope::Write)?;
        let lab = lab(ctx)?;
        let new_title = input.title.map(title).transpose()?;
        let new_priority = input.priority.map(priority).transpose()?;
        let set = input.label_ids.map(|ids| labels(lab, ids)).transpose()?;
        let added = labels(lab, input.added_label_ids.unwrap_or_default())?;
        let removed = input.removed_label_ids.unwrap_or_default();
        let new_assignee = match input.assignee_id {
            MaybeUndefined::Value(id) => MaybeUndefined::Value(assignee(lab, id)?),
            MaybeUndefined::Null => MaybeUndefined::Null,
            MaybeUndefined::Undefined => MaybeUndefined::Undefined,
        };
        let new_state = input.state_id.map(|id| state(lab, id)).transpose()?;
        let (issue, sync) = change(ctx, lab, &id, move |issue| {
            if let Some(title) = new_title {
                issue.title = title;
            }
            input.description.update_to(&mut issue.description);
            if let Some(priority) = new_priority {
                issue.priority = priority;
            }
            if let Some(labels) = set {
                issue.label_ids = labels;
            }
            for label in added {
                if !issue.label_ids.contains(&label) {
                    issue.label_ids.push(label);
                }
            }
            issue.label_ids.retain(|label| !removed.contains(label));
            new_assignee.update_to(&mut issue.assignee_id);
            if let Some(state) = new_state {
                issue.state_id = state;
            }
            input.estimate.update_to(&mut issue.estimate);
            input
                .due_date
                .map_value(|date| date.0)
                .update_to(&mut issue.due_date);
        })
        .await?;
        Ok(IssuePayload {
            success: true,
            last_sync_id: Whole(sync),
            issue: Some(Issue::new(lab, issue)),
        })
    }

    /// Moves an issue into the trash, from where `issueUnarchive` restores it. An admin may delete
    /// it for good.
    async fn issue_delete(
        &self,
        ctx: &Context<'_>,
        id: String,
        permanently_delete: Option<bool>,
    ) -> Result<IssueArchivePayload> {
        let caller = caller(ctx, Scope::Write)?;
        let lab = lab(ctx)?;
        if !permanently_delete.unwrap_or(false) {
            return put_away(ctx, lab, &id, Place::Trashed).await;
        }
        if caller.member.role != Role::Admin {
            return Err(Refusal::AdminsOnly.into());
        }
        let found = lab.find(&id).ok_or(Refusal::NotFound("Issue"))?;
        let (_, sync) = lab
            .store
            .erase(found.id.clone())
            .await
            .map_err(|_| Refusal::Internal)?
            .ok_or(Refusal::NotFound("Issue"))?;
        // Gone is as near to trashed as the feed can say.
        let mut gone = (*found).clone();
        gone.place = Place::Trashed;
        lab.publish(&gone, ctx.data_opt::<TraceParent>().copied());
        Ok(IssueArchivePayload {
            success: true,
            last_sync_id: Whole(sync),
            entity: None,
        })
    }

    /// Takes an issue out of the lists, or with `trash` into the trash.
    async fn issue_archive(
        &self,
        ctx: &Context<'_>,
        id: String,
        trash: Option<bool>,
    ) -> Result<IssueArchivePayload> {
        caller(ctx, Scope::Write)?;
        let place = if trash.unwrap_or(false) {
            Place::Trashed
        } else {
            Place::Archived
        };
        put_away(ctx, lab(ctx)?, &id, place).await
    }

    /// Restores an issue from the archive or the trash.
    async fn issue_unarchive(&self, ctx: &Context<'_>, id: String) -> Result<IssueArchivePayload> {
        caller(ctx, Scope::Write)?;
        put_away(ctx, lab(ctx)?, &id, Place::Listed).await
    }

    /// Writes a comment below an issue.
    async fn comment_create(
        &self,
        ctx: &Context<'_>,
        input: CommentCreateInput,
    ) -> Result<CommentPayload> {
        let caller = caller(ctx, Scope::CommentsCreate)?;
        let lab = lab(ctx)?;
        let issue = lab
            .find(&input.issue_id)
            .ok_or(Refusal::NotFound("Issue"))?;
        if input.body.trim().is_empty() {
            return Err(Refusal::InvalidInput("a comment says something".into()).into());
        }
        let id = new_id(lab, input.id)?;
        let taken = lab.store.read().comments.iter().any(|c| c.id == id);
        if taken {
            return Err(Refusal::InvalidInput("a comment with this id exists".into()).into());
        }
        let (comment, sync) = lab
            .store
            .comment(CommentRecord {
                id,
                issue_id: issue.id.clone(),
                body: input.body,
                user_id: caller.member.id.clone(),
                created_at: lab.clock.now(),
            })
            .await
            .map_err(|_| Refusal::Internal)?;
        Ok(CommentPayload {
            success: true,
            last_sync_id: Whole(sync),
            comment: Comment::new(lab, comment),
        })
    }
}

/// Changes an issue, stamps it and tells the feed.
async fn change(
    ctx: &Context<'_>,
    lab: &Arc<Inner>,
    id: &str,
    apply: impl FnOnce(&mut IssueRecord) + Send + 'static,
) -> Result<(Arc<IssueRecord>, SyncId)> {
    let found = lab.find(id).ok_or(Refusal::NotFound("Issue"))?;
    let now = lab.clock.now();
    let (issue, sync) = lab
        .store
        .change(found.id.clone(), move |issue| {
            apply(issue);
            issue.updated_at = now;
        })
        .await
        .map_err(|_| Refusal::Internal)?
        .ok_or(Refusal::NotFound("Issue"))?;
    lab.publish(&issue, ctx.data_opt::<TraceParent>().copied());
    Ok((issue, sync))
}

/// Moves an issue between lists, archive and trash. Moving it to where it is succeeds as well.
async fn put_away(
    ctx: &Context<'_>,
    lab: &Arc<Inner>,
    id: &str,
    place: Place,
) -> Result<IssueArchivePayload> {
    let now = lab.clock.now();
    let (issue, sync) = change(ctx, lab, id, move |issue| {
        issue.place = place;
        issue.archived_at = match place {
            Place::Listed => None,
            Place::Archived | Place::Trashed => issue.archived_at.or(Some(now)),
        };
    })
    .await?;
    Ok(IssueArchivePayload {
        success: true,
        last_sync_id: Whole(sync),
        entity: Some(Issue::new(lab, issue)),
    })
}

fn title(text: String) -> Result<String, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::InvalidInput("an issue needs a title".into()));
    }
    Ok(text)
}

fn priority(number: i32) -> Result<u8, Refusal> {
    u8::try_from(number)
        .ok()
        .filter(|priority| *priority <= 4)
        .ok_or_else(|| Refusal::InvalidInput("a priority is 0 to 4".into()))
}

fn labels(lab: &Inner, ids: Vec<String>) -> Result<Vec<String>, Refusal> {
    let mut kept = Vec::with_capacity(ids.len());
    for id in ids {
        if lab.workspace.label(&id).is_none() {
            return Err(Refusal::NotFound("IssueLabel"));
        }
        if !kept.contains(&id) {
            kept.push(id);
        }
    }
    Ok(kept)
}

fn assignee(lab: &Inner, id: String) -> Result<String, Refusal> {
    match lab.workspace.member(&id) {
        Some(_) => Ok(id),
        None => Err(Refusal::NotFound("User")),
    }
}

fn state(lab: &Inner, id: String) -> Result<String, Refusal> {
    match lab.workspace.state(&id) {
        Some(_) => Ok(id),
        None => Err(Refusal::NotFound("WorkflowState")),
    }
}

fn new_id(lab: &Inner, wanted: Option<String>) -> Result<String, Refusal> {
    match wanted {
        None => Ok(lab.ids.uuid().to_string()),
        Some(id) => Uuid::parse_str(&id)
            .map(|id| id.to_string())
            .map_err(|_| Refusal::InvalidInput("an id is a UUID".into())),
    }
}
