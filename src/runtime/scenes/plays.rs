//! What happens in each scene, step by step, and what has to come of it.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Stage, expect, other};
use crate::{
    projection::{HopKind, Verdict, story::LIMIT_LINEAR_SCOPES},
    protocol::{
        console::PolicySetVersion,
        tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    },
    support::error::Failure,
    trace::event::CallOutcome,
};

/// A scene, as [`crate::shipped::list`] names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scene {
    OpenDoor,
    Unmasked,
    Masked,
    Escalation,
    Denial,
    ConsentRefused,
    NoDefaults,
    UpstreamFails,
    Expired,
    OnStage,
}

impl Scene {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "open-door" => Self::OpenDoor,
            "unmasked" => Self::Unmasked,
            "masked" => Self::Masked,
            "escalation" => Self::Escalation,
            "denial" => Self::Denial,
            "consent-refused" => Self::ConsentRefused,
            "no-defaults" => Self::NoDefaults,
            "upstream-fails" => Self::UpstreamFails,
            "expired" => Self::Expired,
            "on-stage" => Self::OnStage,
            _ => return None,
        })
    }

    /// The chapter at whose end the lab is.
    pub(super) const fn chapter(self) -> u8 {
        match self {
            Self::OpenDoor => 0,
            Self::Unmasked => 4,
            Self::Masked => 5,
            Self::Escalation | Self::UpstreamFails => 6,
            Self::ConsentRefused => 3,
            Self::Denial | Self::NoDefaults | Self::OnStage => 7,
            Self::Expired => 8,
        }
    }
}

impl Stage {
    pub(super) async fn play(&mut self, scene: Scene) -> Result<(), Failure> {
        match scene {
            Scene::OpenDoor => self.open_door().await,
            Scene::Unmasked | Scene::Masked => self.one_ticket(scene).await,
            Scene::Escalation => self.escalation().await,
            Scene::Denial => self.denial().await,
            Scene::ConsentRefused => self.consent_refused().await,
            Scene::NoDefaults => self.no_defaults().await,
            Scene::UpstreamFails => self.upstream_fails().await,
            Scene::Expired => self.expired().await,
            Scene::OnStage => self.on_stage().await,
        }
    }

    async fn open_door(&mut self) -> Result<(), Failure> {
        self.mark(0, "Anyone may call: no sign-in is asked for");
        self.connect().await?;
        self.reads(3).await;
        self.list().await?;
        self.reads(4).await;
        self.mark(0, "The ticket goes to Linear as it was written");
        let issue = self.escalate().await?;
        self.reads(4).await;
        self.mark(0, "The same key deletes: nobody asks");
        let deleted = self.call(DELETE_ISSUE, json!({ "issueId": issue })).await?;
        expect(
            deleted.outcome == CallOutcome::Succeeded,
            "the delete did not go through",
        )?;
        self.read_zone().await
    }

    async fn one_ticket(&mut self, scene: Scene) -> Result<(), Failure> {
        self.signed_in().await?;
        let words = if scene == Scene::Masked {
            "The model sees the ticket, Linear sees placeholders"
        } else {
            "The ticket goes to Linear as it was written"
        };
        self.mark(scene.chapter(), words);
        self.escalate().await?;
        self.read_zone().await
    }

    async fn escalation(&mut self) -> Result<(), Failure> {
        self.signed_in().await?;
        self.mark(6, "One call, four credentials, each for one thing");
        self.escalate().await?;
        self.read_zone().await
    }

    async fn denial(&mut self) -> Result<(), Failure> {
        self.signed_in().await?;
        self.mark(6, "One call, four credentials, each for one thing");
        let issue = self.escalate().await?;
        self.reads(4).await;
        self.mark(7, "The delete: policy decides before a credential exists");
        let deleted = self.call(DELETE_ISSUE, json!({ "issueId": issue })).await?;
        expect(
            deleted.outcome == CallOutcome::Failed,
            "the delete was not refused",
        )?;
        self.read_zone().await
    }

    async fn consent_refused(&mut self) -> Result<(), Failure> {
        self.mark(3, "The person is asked, and says no");
        let refused = self.backend.client.sign_in(CancellationToken::new()).await;
        expect(refused.is_err(), "there was a token after all")?;
        self.read_zone().await
    }

    async fn no_defaults(&mut self) -> Result<(), Failure> {
        self.signed_in().await?;
        self.mark(7, "A set with the one forbid and without the defaults");
        self.lone_forbid().await?;
        self.reads(3).await;
        self.mark(
            7,
            "No policy permits anything: the first exchange is refused",
        );
        let ticket = self.ticket()?;
        let called = self.call(ESCALATE_TICKET, json!({ "ticketId": ticket }));
        let called = called.await?;
        expect(
            called.outcome == CallOutcome::Failed,
            "the escalation was permitted",
        )?;
        let denied = |hop: &crate::projection::Hop| {
            hop.kind == HopKind::Exchange && hop.verdict == Verdict::Denied
        };
        expect(
            self.projection.hops().in_order().any(denied),
            "no exchange was refused",
        )?;
        self.read_zone().await
    }

    async fn upstream_fails(&mut self) -> Result<(), Failure> {
        self.signed_in().await?;
        let model = self.lab.endpoints.anthropic.clone();
        self.script(
            &model,
            json!([{
                "status": 529, "times": 99, "delay_ms": 350, "retry_after": 1,
            }]),
        )
        .await?;
        self.mark(6, "The model answers 529: the call ends halfway");
        let ticket = self.ticket()?;
        let called = self.call(ESCALATE_TICKET, json!({ "ticketId": ticket }));
        let called = called.await?;
        expect(
            called.outcome == CallOutcome::Failed,
            "the escalation went through",
        )?;
        expect(
            self.projection.issues().issues().is_empty(),
            "an issue was filed",
        )?;
        self.read_zone().await
    }

    async fn expired(&mut self) -> Result<(), Failure> {
        self.signed_in().await?;
        self.ahead(TimeDelta::days(40)).await;
        self.mark(8, "Forty days later: the session has ended");
        let arguments = json!({}).as_object().cloned().unwrap_or_default();
        let client = &self.backend.client;
        let called = client
            .call_tool(GET_SUPPORT_TICKETS, arguments, CancellationToken::new())
            .await;
        expect(called.is_err(), "the old session was still good")?;
        self.reads(5).await;
        self.mark(3, "Signed in anew, the same call goes through");
        self.sign_in().await?;
        self.reads(2).await;
        self.list().await?;
        self.read_zone().await
    }

    /// The beginning that most scenes share.
    async fn signed_in(&mut self) -> Result<(), Failure> {
        self.mark(
            3,
            "The sign-in: consent, code, PKCE, a token for this server",
        );
        self.sign_in().await?;
        self.reads(3).await;
        self.mark(4, "The tickets are read with a credential from the vault");
        self.list().await?;
        self.reads(5).await;
        Ok(())
    }

    /// Makes a policy set of the workshop's forbid alone, and activates it.
    async fn lone_forbid(&self) -> Result<(), Failure> {
        let policies = self.projection.policies().overview();
        let forbid = policies
            .and_then(|all| {
                let mut active = all.active_policies.iter();
                active.find(|policy| policy.name == LIMIT_LINEAR_SCOPES)
            })
            .ok_or_else(|| other("the forbid is not in force"))?;
        let manifest = json!({ "manifest": { "entries": [{
            "policy_id": forbid.id,
            "policy_version_id": forbid.latest_version.id,
        }] } });
        let name = json!({ "name": "only-the-limit" });
        let set: Value = self.post(&["policy-sets"], &name).await?;
        let id = set["id"].as_str().unwrap_or_default().to_owned();
        let path = ["policy-sets", &id, "versions"];
        let version: PolicySetVersion = self.post(&path, &manifest).await?;
        self.backend.activate(&id, version.version).await
    }
}
