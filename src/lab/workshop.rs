//! What chapters 1 and 7 make in the zone, for those who make it step by step, and whether it is
//! there.

use crate::{
    protocol::secret::Secret,
    zone::{
        Zone,
        seed::{LIMIT_LINEAR_SCOPES, Workshop, id},
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
}

/// The OAuth client that the zone is at Linear.
#[derive(Debug, Clone)]
pub struct LinearOAuth {
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub client_id: String,
    pub client_secret: Secret,
}

impl Materials {
    pub(super) fn of(workshop: &Workshop) -> Self {
        let oauth = &workshop.linear_oauth;
        Self {
            server: workshop.server.clone(),
            supabase: workshop.supabase.clone(),
            anthropic: workshop.anthropic.clone(),
            linear: workshop.linear.clone(),
            supabase_key: workshop.supabase_secret.clone(),
            anthropic_key: workshop.anthropic_secret.clone(),
            linear_oauth: LinearOAuth {
                authorization_endpoint: oauth.authorization_endpoint.clone(),
                token_endpoint: oauth.token_endpoint.clone(),
                client_id: oauth.client_id.clone(),
                client_secret: oauth.client_secret.clone(),
            },
            limit: LIMIT_LINEAR_SCOPES.to_owned(),
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
