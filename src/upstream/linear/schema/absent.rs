//! Types of things that the lab has none of. They exist so that real clients' queries, which name
//! them, are valid; the fields that lead here are always `null`.

use async_graphql::{ID, SimpleObject, Union};

use super::scalars::{DateTime, Whole};

macro_rules! absent {
    ($($name:ident)*) => {$(
        #[doc = concat!("Linear's `", stringify!($name), "`, of which the lab has none.")]
        #[derive(Debug, Clone, SimpleObject)]
        pub struct $name {
            pub id: ID,
        }
    )*};
}

absent! {
    AgentSession Cycle Document ExternalUser Favorite Initiative InitiativeUpdate IntegrationsSettings
    Project ProjectMilestone ProjectUpdate SlackChannelIntegration TeamMembership
    Template TriageResponsibility
}

/// A block of fields that are always `null`.
macro_rules! always_null {
    ($(#[$doc:meta])* $block:ident { $($(#[$meta:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, SimpleObject)]
        pub struct $block {
            $($(#[$meta])* pub $field: Option<$kind>,)*
        }
    };
}

/// A reaction.
#[derive(Debug, Clone, SimpleObject)]
pub struct Reaction {
    pub id: ID,
    pub emoji: String,
    pub created_at: DateTime,
    pub updated_at: DateTime,
    pub archived_at: Option<DateTime>,
    pub external_user: Option<ExternalUser>,
    pub initiative_update: Option<InitiativeUpdate>,
    pub project_update: Option<ProjectUpdate>,
    pub user: Option<super::nodes::User>,
    pub issue: Option<super::nodes::Issue>,
    pub comment: Option<super::nodes::Comment>,
}

/// An application or integration that acted.
#[derive(Debug, Clone, SimpleObject)]
pub struct ActorBot {
    pub id: Option<ID>,
    #[graphql(name = "type")]
    pub kind: String,
    pub sub_type: Option<String>,
    pub name: Option<String>,
    pub user_display_name: Option<String>,
    pub avatar_url: Option<String>,
}

/// Where an issue is mirrored.
#[derive(Debug, Clone, SimpleObject)]
pub struct ExternalEntityInfo {
    pub id: String,
    pub service: String,
    pub metadata: Option<ExternalEntityInfoMetadata>,
}

/// What is known of a mirror.
#[derive(Debug, Clone, Union)]
pub enum ExternalEntityInfoMetadata {
    Github(ExternalEntityInfoGithubMetadata),
    Jira(ExternalEntityInfoJiraMetadata),
    Slack(ExternalEntitySlackMetadata),
}

/// A mirror at GitHub.
#[derive(Debug, Clone, SimpleObject)]
pub struct ExternalEntityInfoGithubMetadata {
    pub number: Option<Whole>,
    pub owner: Option<String>,
    pub repo: Option<String>,
}

/// A mirror at Jira.
#[derive(Debug, Clone, SimpleObject)]
pub struct ExternalEntityInfoJiraMetadata {
    pub issue_key: Option<String>,
    pub issue_type_id: Option<String>,
    pub project_id: Option<String>,
}

/// A mirror at Slack.
#[derive(Debug, Clone, SimpleObject)]
pub struct ExternalEntitySlackMetadata {
    pub channel_id: Option<String>,
    pub channel_name: Option<String>,
    pub is_from_slack: Option<bool>,
    pub message_url: Option<String>,
}

always_null! {
    /// What an issue of the lab never has.
    IssueBlanks {
        integration_source_type: String,
        delegate: super::nodes::User,
        bot_actor: ActorBot,
        source_comment: super::nodes::Comment,
        cycle: Cycle,
        synced_with: Vec<ExternalEntityInfo>,
        external_user_creator: ExternalUser,
        asks_external_user_requester: ExternalUser,
        asks_requester: super::nodes::User,
        last_applied_template: Template,
        parent: super::nodes::Issue,
        project_milestone: ProjectMilestone,
        project: Project,
        recurring_issue_template: Template,
        started_triage_at: DateTime,
        triaged_at: DateTime,
        added_to_cycle_at: DateTime,
        added_to_project_at: DateTime,
        added_to_team_at: DateTime,
        auto_archived_at: DateTime,
        auto_closed_at: DateTime,
        canceled_at: DateTime,
        completed_at: DateTime,
        started_at: DateTime,
        sla_started_at: DateTime,
        sla_breaches_at: DateTime,
        sla_high_risk_at: DateTime,
        sla_medium_risk_at: DateTime,
        snoozed_until_at: DateTime,
        sla_type: String,
        snoozed_by: super::nodes::User,
        favorite: Favorite,
    }
}

always_null! {
    /// What a person of the lab never has.
    UserBlanks {
        description: String,
        avatar_url: String,
        avatar_background_color: String,
        status_until_at: DateTime,
        status_emoji: String,
        last_seen: DateTime,
        timezone: String,
        disable_reason: String,
        status_label: String,
        archived_at: DateTime,
        git_hub_user_id: String,
        title: String,
        calendar_hash: String,
        invite_hash: String,
    }
}

always_null! {
    /// What the lab's team does not use.
    TeamBlanks {
        cycle_issue_auto_assign_completed: bool,
        cycle_lock_to_active: bool,
        cycle_issue_auto_assign_started: bool,
        cycle_calender_url: String,
        upcoming_cycle_count: Whole,
        auto_archive_period: Whole,
        auto_close_period: Whole,
        security_settings: super::scalars::JsonObject,
        integrations_settings: IntegrationsSettings,
        active_cycle: Cycle,
        triage_responsibility: TriageResponsibility,
        scim_group_name: String,
        auto_close_state_id: String,
        cycle_cooldown_time: Whole,
        cycle_start_day: Whole,
        default_template_for_members: Template,
        default_template_for_non_members: Template,
        default_project_template: Template,
        cycle_duration: Whole,
        icon: String,
        default_template_for_members_id: String,
        default_template_for_non_members_id: String,
        issue_estimation_type: String,
        led_initiative_count: Whole,
        color: String,
        description: String,
        parent: super::nodes::Team,
        archived_at: DateTime,
        retired_at: DateTime,
        timezone: String,
        viewer_membership: TeamMembership,
        visibility: String,
        merge_workflow_state: super::nodes::WorkflowState,
        draft_workflow_state: super::nodes::WorkflowState,
        start_workflow_state: super::nodes::WorkflowState,
        mergeable_workflow_state: super::nodes::WorkflowState,
        review_workflow_state: super::nodes::WorkflowState,
        triage_issue_state: super::nodes::WorkflowState,
        marked_as_duplicate_workflow_state: super::nodes::WorkflowState,
        default_issue_estimate: Whole,
        set_issue_sort_order_on_state_change: String,
        all_members_can_join: bool,
        require_priority_to_leave_triage: bool,
        auto_close_child_issues: bool,
        auto_close_parent_issues: bool,
        initiatives_enabled: bool,
        scim_managed: bool,
        inherit_issue_estimation: bool,
        inherit_workflow_statuses: bool,
        cycles_enabled: bool,
        viewer_can_join: bool,
        viewer_can_leave: bool,
        issue_estimation_extended: bool,
        issue_estimation_allow_zero: bool,
        ai_discussion_summaries_enabled: bool,
        ai_thread_summaries_enabled: bool,
        group_issue_history: bool,
        slack_issue_comments: bool,
        slack_new_issue: bool,
        slack_issue_statuses: bool,
        triage_enabled: bool,
        invite_hash: String,
        issue_ordering_no_priority_first: bool,
        issue_sort_order_default_to_bottom: bool,
    }
}

always_null! {
    /// What a comment of the lab never has.
    CommentBlanks {
        archived_at: DateTime,
        edited_at: DateTime,
        resolved_at: DateTime,
        quoted_text: String,
        resolving_comment_id: String,
        document_content_id: String,
        initiative_id: String,
        initiative_update_id: String,
        parent_id: String,
        project_id: String,
        project_update_id: String,
        agent_session: AgentSession,
        bot_actor: ActorBot,
        document_content: DocumentContent,
        external_thread: SyncedExternalThread,
        external_user: ExternalUser,
        initiative: Initiative,
        initiative_update: InitiativeUpdate,
        parent: super::nodes::Comment,
        project: Project,
        project_update: ProjectUpdate,
        resolving_comment: super::nodes::Comment,
        resolving_user: super::nodes::User,
        synced_with: Vec<ExternalEntityInfo>,
    }
}

always_null! {
    /// The text of a document.
    DocumentContent {
        id: ID,
        content: String,
        content_state: String,
        document: Document,
        initiative: Initiative,
        issue: super::nodes::Issue,
        project_milestone: ProjectMilestone,
        project: Project,
        ai_prompt_rules: AiPromptRules,
        welcome_message: WelcomeMessage,
        restored_at: DateTime,
        archived_at: DateTime,
        created_at: DateTime,
        updated_at: DateTime,
    }
}

always_null! {
    /// Instructions to Linear's own agents.
    AiPromptRules {
        id: ID,
        archived_at: DateTime,
        created_at: DateTime,
        updated_at: DateTime,
        updated_by: super::nodes::User,
    }
}

always_null! {
    /// A greeting to new members.
    WelcomeMessage {
        id: ID,
        title: String,
        enabled: bool,
        archived_at: DateTime,
        created_at: DateTime,
        updated_at: DateTime,
        updated_by: super::nodes::User,
    }
}

always_null! {
    /// A thread that is mirrored elsewhere.
    SyncedExternalThread {
        id: ID,
        url: String,
        name: String,
        display_name: String,
        #[graphql(name = "type")]
        kind: String,
        sub_type: String,
        is_personal_integration_required: bool,
        is_personal_integration_connected: bool,
        is_connected: bool,
    }
}

always_null! {
    /// A step in the life of a project.
    ProjectStatus {
        id: ID,
        name: String,
        description: String,
        #[graphql(name = "type")]
        kind: String,
        color: String,
        position: Whole,
        indefinite: bool,
        archived_at: DateTime,
        created_at: DateTime,
        updated_at: DateTime,
    }
}

always_null! {
    /// What a workspace pays for.
    PaidSubscription {
        id: ID,
        #[graphql(name = "type")]
        kind: String,
        collection_method: String,
        pending_change_type: String,
        seats: Whole,
        seats_maximum: Whole,
        seats_minimum: Whole,
        cancel_at: DateTime,
        canceled_at: DateTime,
        next_billing_at: DateTime,
        archived_at: DateTime,
        created_at: DateTime,
        updated_at: DateTime,
        creator: super::nodes::User,
    }
}

always_null! {
    /// What the lab's workspace does not use.
    OrganizationBlanks {
        allowed_auth_services: Vec<String>,
        allowed_file_upload_content_types: Vec<String>,
        auth_settings: super::scalars::JsonObject,
        customers_configuration: super::scalars::JsonObject,
        security_settings: super::scalars::JsonObject,
        default_feed_summary_schedule: String,
        pull_request_issue_mode: String,
        period_upload_volume: Whole,
        slack_project_channel_integration: SlackChannelIntegration,
        initiative_update_reminders_day: String,
        project_update_reminders_day: String,
        default_home_view: String,
        default_home_view_target_id: String,
        release_channel: String,
        initiative_update_reminder_frequency_in_weeks: Whole,
        project_update_reminder_frequency_in_weeks: Whole,
        initiative_update_reminders_hour: Whole,
        project_update_reminders_hour: Whole,
        project_updates_reminder_frequency: String,
        customer_count: Whole,
        slack_project_channel_prefix: String,
        git_branch_format: String,
        deletion_requested_at: DateTime,
        trial_starts_at: DateTime,
        trial_ends_at: DateTime,
        subscription: PaidSubscription,
        fiscal_year_start_month: Whole,
        hipaa_compliance_enabled: bool,
        saml_enabled: bool,
        scim_enabled: bool,
        git_linkback_descriptions_enabled: bool,
        releases_enabled: bool,
        customers_enabled: bool,
        git_linkback_messages_enabled: bool,
        git_public_linkback_messages_enabled: bool,
        feed_enabled: bool,
        suggested_branch_name_enabled: bool,
        roadmap_enabled: bool,
        pull_request_tour_enabled: bool,
        ai_discussion_summaries_enabled: bool,
        ai_thread_summaries_enabled: bool,
        hide_non_primary_organizations: bool,
        allow_members_to_invite: bool,
        restrict_team_creation_to_admins: bool,
        restrict_label_management_to_admins: bool,
        sla_day_count: String,
    }
}
