//! What chapters 1 and 7 make in the zone, for those who make it step by step, and whether it is
//! there.

use crate::{
    protocol::{
        console::{Consent, Owner, PolicyEffect},
        secret::Secret,
    },
    zone::{
        Zone,
        seed::{LIMIT_LINEAR_SCOPES, LinearOAuth, Workshop, id},
    },
};

/// What the workshop's objects are made from. On the lab a person does not look these things up at
/// four companies; the lab has them ready.
#[derive(Debug, Clone)]
pub struct Materials {
    /// The MCP endpoint with its path.
    pub server: String,
    pub supabase: String,
    pub anthropic: String,
    /// Linear's origin, without `/graphql`.
    pub linear: String,
    /// For the vault.
    pub supabase_key: Secret,
    /// For the vault.
    pub anthropic_key: Secret,
    pub linear_oauth: LinearOAuth,
    /// The text of `limit-linear-scopes`. Keycard's own is not published; this one is ours.
    pub limit: String,
    /// The client id that stands in the `.env`; empty before somebody put one there.
    pub pasted: String,
}

impl Materials {
    pub(super) fn of(workshop: &Workshop, pasted: String) -> Self {
        Self {
            server: workshop.server.clone(),
            supabase: workshop.supabase.clone(),
            anthropic: workshop.anthropic.clone(),
            linear: workshop.linear.clone(),
            supabase_key: workshop.supabase_secret.clone(),
            anthropic_key: workshop.anthropic_secret.clone(),
            linear_oauth: workshop.linear_oauth.clone(),
            limit: LIMIT_LINEAR_SCOPES.to_owned(),
            pasted,
        }
    }
}

/// Whether the application depends on all four resources and the vault holds what it must.
pub(super) fn has_objects(zone: &Zone) -> bool {
    let directory = zone.state().directory();
    let all = [id::MCP_SERVER, id::SUPABASE, id::ANTHROPIC, id::LINEAR];
    directory.applications.contains_key(id::APPLICATION)
        && all
            .iter()
            .all(|resource| directory.depends(id::APPLICATION, resource))
        && [id::SUPABASE, id::ANTHROPIC]
            .iter()
            .all(|resource| directory.vault_secrets.contains_key(*resource))
}

/// Whether the workshop's policy set was published.
pub(super) fn has_limit(zone: &Zone) -> bool {
    let directory = zone.state().directory();
    directory
        .policy_set_versions
        .values()
        .any(|version| version.policy_set_id == id::WORKSHOP_SET)
}

/// What people made in the zone, a line for each thing, in the order in which chapter 1 makes them.
pub(super) fn objects(zone: &Zone) -> Vec<String> {
    let directory = zone.state().directory();
    let resource = |id: &str| match directory.resources.get(id) {
        Some(one) => one.name.clone(),
        None => id.to_owned(),
    };
    let application = |id: &str| match directory.applications.get(id) {
        Some(one) => one.name.clone(),
        None => id.to_owned(),
    };
    let mut lines = Vec::new();
    lines.extend(
        directory
            .providers
            .values()
            .filter(|one| ![id::ZONE_PROVIDER, id::VAULT_PROVIDER].contains(&one.id.as_str()))
            .map(|one| format!("provider {}", one.name)),
    );
    lines.extend(directory.applications.values().map(|one| {
        let consent = match one.consent {
            Consent::Required => "required",
            Consent::Implicit => "implicit",
        };
        format!("application {}, consent {consent}", one.name)
    }));
    lines.extend(directory.resources.values().map(|one| {
        let provider = one.credential_provider_id.as_deref();
        let provider = provider.and_then(|id| directory.providers.get(id));
        match provider {
            Some(provider) => format!("resource {}, with {}", one.name, provider.name),
            None => format!("resource {}, without a provider", one.name),
        }
    }));
    lines.extend(
        directory
            .vault_secrets
            .values()
            .filter(|one| directory.resources.contains_key(&one.entity_id))
            .map(|one| format!("vault: a key for {}", resource(&one.entity_id))),
    );
    lines.extend(directory.dependencies.values().map(|one| {
        let from = application(&one.application_id);
        format!("dependency of {from} on {}", resource(&one.resource_id))
    }));
    lines.extend(
        directory
            .application_credentials
            .values()
            .filter(|one| directory.applications.contains_key(&one.application_id))
            .map(|one| format!("client credential of {}", application(&one.application_id))),
    );
    let policies = directory.policies.values();
    lines.extend(
        policies
            .filter(|one| one.owner != Owner::Platform)
            .map(|one| {
                let versions = directory.policy_versions.values();
                let latest = versions
                    .filter(|version| version.policy_id == one.id)
                    .max_by_key(|version| version.version);
                match latest.and_then(|latest| PolicyEffect::of(&latest.cedar_raw)) {
                    Some(effect) => format!("policy {} {}", one.name, effect.words()),
                    None => format!("policy {}", one.name),
                }
            }),
    );
    for set in directory.policy_sets.values() {
        if set.owner != Owner::Platform {
            let versions = directory.policy_set_versions.values();
            let versions = versions.filter(|one| one.policy_set_id == set.id).count();
            lines.push(format!(
                "policy set {}, published versions: {versions}",
                set.name
            ));
        }
    }
    lines
}
