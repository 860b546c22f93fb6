//! What the zone's management API tells of resources, applications and credentials.

use std::collections::BTreeMap;

use url::Url;

use crate::{
    chapters::{
        Reading,
        expect::Service,
        probe::{Zone, ZoneApplication, ZoneResource},
    },
    client::console::Console,
    protocol::console::Resource,
    support::{error::Failure, text::one_line},
};

use super::{ProbeTargets, env, told};

pub(super) async fn read(around: &ProbeTargets) -> Reading<Zone> {
    let Some(console) = &around.console else {
        return Reading::Unavailable {
            look_at: "Resources and Applications, in the console of your zone".to_owned(),
        };
    };
    match zone(console, &Known::of(around)).await {
        Ok(zone) => Reading::Told(zone),
        Err(failure) => told(&failure),
    }
}

async fn zone(console: &Console, known: &Known) -> Result<Zone, Failure> {
    let providers: BTreeMap<String, _> = console
        .providers()
        .await?
        .into_iter()
        .map(|provider| (provider.id, provider.kind))
        .collect();
    let resources = console.resources().await?;
    let credentials = console.credentials().await?;
    let secrets = console.secrets().await?;
    let mut applications = Vec::new();
    for application in console.applications().await? {
        let depends_on = console.dependencies(&application.id).await?;
        applications.push(ZoneApplication {
            name: one_line(&application.name),
            consent: application.consent,
            depends_on: depends_on.iter().filter_map(|r| known.service(r)).collect(),
            credentials: credentials
                .iter()
                .filter(|credential| credential.application_id == application.id)
                .map(|credential| one_line(&credential.identifier))
                .collect(),
        });
    }
    Ok(Zone {
        resources: resources
            .iter()
            .map(|resource| ZoneResource {
                service: known.service(resource),
                identifier: one_line(&resource.identifier),
                provider: resource
                    .credential_provider_id
                    .as_ref()
                    .and_then(|id| providers.get(id).copied()),
                key_in_vault: secrets.iter().any(|secret| secret.entity_id == resource.id),
            })
            .collect(),
        applications,
    })
}

/// Which identifiers are whose.
struct Known(Vec<(String, Service)>);

impl Known {
    fn of(around: &ProbeTargets) -> Self {
        let mut known = vec![(around.server.to_string(), Service::McpServer)];
        if let Some(lab) = &around.lab {
            known.extend([
                (lab.server.clone(), Service::McpServer),
                (lab.supabase.clone(), Service::Supabase),
                (lab.anthropic.clone(), Service::Anthropic),
                (lab.linear.clone(), Service::Linear),
            ]);
        }
        if let Reading::Told(file) = env::open(&around.env) {
            for (name, service) in [
                ("MCP_RESOURCE_URL", Service::McpServer),
                ("SUPABASE_URL", Service::Supabase),
                ("ANTHROPIC_API_URL", Service::Anthropic),
                ("LINEAR_API_URL", Service::Linear),
            ] {
                if let Some(value) = env::value(&file, name) {
                    known.push((value.expose().clone(), service));
                }
            }
        }
        Self(known)
    }

    /// By the identifier, taken literally; what is nobody's there, by the host that it names.
    fn service(&self, resource: &Resource) -> Option<Service> {
        let exact = self
            .0
            .iter()
            .find(|(identifier, _)| *identifier == resource.identifier);
        if let Some((_, service)) = exact {
            return Some(*service);
        }
        let url = Url::parse(&resource.identifier).ok()?;
        let host = url.host_str()?;
        [
            ("supabase.co", Service::Supabase),
            ("anthropic.com", Service::Anthropic),
            ("linear.app", Service::Linear),
        ]
        .into_iter()
        .find(|(name, _)| host == *name || host.ends_with(&format!(".{name}")))
        .map(|(_, service)| service)
    }
}
