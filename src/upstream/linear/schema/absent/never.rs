//! Types without a value.

use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ID, ObjectType, OutputType, Positioned,
    ServerResult, Union, Value, parser::types::Field, registry::Registry,
};

use super::{
    super::{
        nodes::{Comment, Issue, User},
        scalars::{DateTime, Whole},
    },
    Fields, described,
};

never! {
    /// Linear's `AgentSession`, of which the lab has none.
    AgentSession {
        id: ID,
    }
    /// Linear's `Cycle`, of which the lab has none.
    Cycle {
        id: ID,
    }
    /// Linear's `Document`, of which the lab has none.
    Document {
        id: ID,
    }
    /// Linear's `ExternalUser`, of which the lab has none.
    ExternalUser {
        id: ID,
    }
    /// Linear's `Favorite`, of which the lab has none.
    Favorite {
        id: ID,
    }
    /// Linear's `Initiative`, of which the lab has none.
    Initiative {
        id: ID,
    }
    /// Linear's `InitiativeUpdate`, of which the lab has none.
    InitiativeUpdate {
        id: ID,
    }
    /// Linear's `IntegrationsSettings`, of which the lab has none.
    IntegrationsSettings {
        id: ID,
    }
    /// Linear's `Project`, of which the lab has none.
    Project {
        id: ID,
    }
    /// Linear's `ProjectMilestone`, of which the lab has none.
    ProjectMilestone {
        id: ID,
    }
    /// Linear's `ProjectUpdate`, of which the lab has none.
    ProjectUpdate {
        id: ID,
    }
    /// Linear's `SlackChannelIntegration`, of which the lab has none.
    SlackChannelIntegration {
        id: ID,
    }
    /// Linear's `TeamMembership`, of which the lab has none.
    TeamMembership {
        id: ID,
    }
    /// Linear's `Template`, of which the lab has none.
    Template {
        id: ID,
    }
    /// Linear's `TriageResponsibility`, of which the lab has none.
    TriageResponsibility {
        id: ID,
    }
    /// A reaction.
    Reaction {
        id: ID,
        emoji: String,
        created_at: DateTime,
        updated_at: DateTime,
        archived_at: Option<DateTime>,
        external_user: Option<ExternalUser>,
        initiative_update: Option<InitiativeUpdate>,
        project_update: Option<ProjectUpdate>,
        user: Option<User>,
        issue: Option<Issue>,
        comment: Option<Comment>,
    }
    /// An application or integration that acted.
    ActorBot {
        id: Option<ID>,
        r#type: String,
        sub_type: Option<String>,
        name: Option<String>,
        user_display_name: Option<String>,
        avatar_url: Option<String>,
    }
    /// Where an issue is mirrored.
    ExternalEntityInfo {
        id: String,
        service: String,
        metadata: Option<ExternalEntityInfoMetadata>,
    }
    /// A mirror at GitHub.
    ExternalEntityInfoGithubMetadata {
        number: Option<Whole>,
        owner: Option<String>,
        repo: Option<String>,
    }
    /// A mirror at Jira.
    ExternalEntityInfoJiraMetadata {
        issue_key: Option<String>,
        issue_type_id: Option<String>,
        project_id: Option<String>,
    }
    /// A mirror at Slack.
    ExternalEntitySlackMetadata {
        channel_id: Option<String>,
        channel_name: Option<String>,
        is_from_slack: Option<bool>,
        message_url: Option<String>,
    }
    /// The text of a document.
    DocumentContent {
        id: Option<ID>,
        content: Option<String>,
        content_state: Option<String>,
        document: Option<Document>,
        initiative: Option<Initiative>,
        issue: Option<Issue>,
        project_milestone: Option<ProjectMilestone>,
        project: Option<Project>,
        ai_prompt_rules: Option<AiPromptRules>,
        welcome_message: Option<WelcomeMessage>,
        restored_at: Option<DateTime>,
        archived_at: Option<DateTime>,
        created_at: Option<DateTime>,
        updated_at: Option<DateTime>,
    }
    /// Instructions to Linear's own agents.
    AiPromptRules {
        id: Option<ID>,
        archived_at: Option<DateTime>,
        created_at: Option<DateTime>,
        updated_at: Option<DateTime>,
        updated_by: Option<User>,
    }
    /// A greeting to new members.
    WelcomeMessage {
        id: Option<ID>,
        title: Option<String>,
        enabled: Option<bool>,
        archived_at: Option<DateTime>,
        created_at: Option<DateTime>,
        updated_at: Option<DateTime>,
        updated_by: Option<User>,
    }
    /// A thread that is mirrored elsewhere.
    SyncedExternalThread {
        id: Option<ID>,
        url: Option<String>,
        name: Option<String>,
        display_name: Option<String>,
        r#type: Option<String>,
        sub_type: Option<String>,
        is_personal_integration_required: Option<bool>,
        is_personal_integration_connected: Option<bool>,
        is_connected: Option<bool>,
    }
    /// A step in the life of a project.
    ProjectStatus {
        id: Option<ID>,
        name: Option<String>,
        description: Option<String>,
        r#type: Option<String>,
        color: Option<String>,
        position: Option<Whole>,
        indefinite: Option<bool>,
        archived_at: Option<DateTime>,
        created_at: Option<DateTime>,
        updated_at: Option<DateTime>,
    }
    /// What a workspace pays for.
    PaidSubscription {
        id: Option<ID>,
        r#type: Option<String>,
        collection_method: Option<String>,
        pending_change_type: Option<String>,
        seats: Option<Whole>,
        seats_maximum: Option<Whole>,
        seats_minimum: Option<Whole>,
        cancel_at: Option<DateTime>,
        canceled_at: Option<DateTime>,
        next_billing_at: Option<DateTime>,
        archived_at: Option<DateTime>,
        created_at: Option<DateTime>,
        updated_at: Option<DateTime>,
        creator: Option<User>,
    }
}

/// What is known of a mirror.
#[derive(Debug, Clone, Union)]
pub enum ExternalEntityInfoMetadata {
    Github(ExternalEntityInfoGithubMetadata),
    Jira(ExternalEntityInfoJiraMetadata),
    Slack(ExternalEntitySlackMetadata),
}
