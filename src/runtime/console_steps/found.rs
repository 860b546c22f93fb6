//! Which steps somebody took before, by what the zone holds: a run does not remember them.

use std::collections::BTreeSet;

use super::{
    ANTHROPIC, APPLICATION, LINEAR, LINEAR_PROVIDER, MCP_SERVER, POLICY, POLICY_SET, SUPABASE, Step,
};
use crate::{client::console::Console, lab::Materials, support::error::Failure};

impl Step {
    /// The steps whose work is there, under the names that the workshop gives it.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn found(
        console: &Console,
        materials: &Materials,
    ) -> Result<BTreeSet<Self>, Failure> {
        let mut found = BTreeSet::new();
        let mut note = |step: Step, is_there: bool| {
            if is_there {
                found.insert(step);
            }
        };
        let providers = console.providers().await?;
        let has = providers.iter().any(|one| one.name == LINEAR_PROVIDER);
        note(Self::LinearProvider, has);
        let resources = console.resources().await?;
        let secrets = console.secrets().await?;
        for (name, step, key) in [
            (MCP_SERVER, Self::McpServer, None),
            (SUPABASE, Self::Supabase, Some(Self::SupabaseKey)),
            (ANTHROPIC, Self::Anthropic, Some(Self::AnthropicKey)),
            (LINEAR, Self::Linear, None),
        ] {
            let resource = resources.iter().find(|one| one.name == name);
            note(step, resource.is_some());
            if let (Some(resource), Some(key)) = (resource, key) {
                let holds = secrets.iter().any(|one| one.entity_id == resource.id);
                note(key, holds);
            }
        }
        let applications = console.applications().await?;
        let application = applications.iter().find(|one| one.name == APPLICATION);
        note(Self::Application, application.is_some());
        if let Some(application) = application {
            let dependencies = console.dependencies(&application.id).await?;
            note(Self::Dependencies, !dependencies.is_empty());
        }
        let credentials = console.credentials().await?;
        let is_pasted = credentials
            .iter()
            .any(|one| one.identifier == materials.pasted);
        note(Self::Credential, is_pasted);
        let policies = console.policies().await?;
        note(Self::Policy, policies.iter().any(|one| one.name == POLICY));
        let sets = console.policy_sets().await?;
        if let Some(set) = sets.iter().find(|one| one.name == POLICY_SET) {
            note(Self::PolicySet, true);
            note(Self::Publish, set.latest_version > 0);
            note(Self::Activate, set.active_version.is_some());
        }
        Ok(found)
    }
}
