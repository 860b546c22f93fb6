//! What a read of the zone brought back, and what it answered to scopes.

use super::{ConsolePlace, Seen, Status, outside::told};
use crate::{
    chapters::{
        evidence::Evidence,
        expect::{ApplicationIs, ResourceIs, ScopeRefused, Service},
        probe::{ClientAnswer, Probe, Reading, ScopeAnswer},
    },
    projection::policy_name,
    protocol::{audit::CredentialSource, console::Consent},
    support::text::one_line,
};

/// What to do about an id or a secret that the zone does not know.
const NEW_CREDENTIAL: &str = "Create a client credential, paste its id and its secret, and start the server \
                              again";

impl<'a> Seen<'a> {
    /// Whether a client id is one of the zone's; where the zone cannot be read, nobody doubts it.
    pub(super) fn credential(self, name: &str, id: &str) -> Status {
        if matches!(self.results.zone, Reading::Unavailable { .. }) {
            return Status::passed([]);
        }
        let zone = match told(&self.results.zone, "a read of the zone") {
            Ok(zone) => zone,
            Err(status) => return status,
        };
        let mut ids = zone.applications.iter().flat_map(|one| &one.credentials);
        if ids.any(|one| one == id) {
            Status::passed([Evidence::Probe(Probe::Zone)])
        } else {
            Status::Failed {
                because: format!("no application of the zone has the {name} of .env"),
                fix: NEW_CREDENTIAL.to_owned(),
            }
        }
    }

    /// Whether the zone takes the id and the secret together; where nobody could ask, nobody doubts it.
    pub(super) fn client(self) -> Status {
        match &self.results.client {
            Reading::NotAsked => Status::pending("the zone to be shown them"),
            Reading::Told(ClientAnswer::Known) => Status::passed([Evidence::Probe(Probe::Client)]),
            Reading::Told(ClientAnswer::Refused) => Status::Failed {
                because: "the zone does not take the id and the secret of .env together".to_owned(),
                fix: NEW_CREDENTIAL.to_owned(),
            },
            // Where the zone is, and whether it answers, is chapter 2's matter.
            Reading::Told(ClientAnswer::NotTried)
            | Reading::Unavailable { .. }
            | Reading::Failed { .. } => Status::passed([]),
        }
    }

    pub(super) fn resource(self, expected: &ResourceIs) -> Status {
        let zone = match told(&self.results.zone, "a read of the zone") {
            Ok(zone) => zone,
            Err(status) => return status,
        };
        let name = expected.service.name();
        let found = zone
            .resources
            .iter()
            .find(|resource| resource.service == Some(expected.service));
        let Some(resource) = found else {
            let stray = zone.resources.iter().find(|resource| {
                resource.service.is_none() && resource.provider == Some(expected.provider)
            });
            return match stray {
                None => Status::failed(format!("the zone has no resource for {name}")),
                Some(stray) => Status::Failed {
                    because: format!(
                        "the zone has no resource for {name}; one has an identifier that nothing has: {}",
                        stray.identifier
                    ),
                    fix: "Compare the identifiers letter by letter, and set the right one"
                        .to_owned(),
                },
            };
        };
        let wanted = provider(expected.provider);
        match resource.provider {
            Some(kind) if kind == expected.provider => {
                if kind == CredentialSource::KeycardVault && !resource.key_in_vault {
                    return Status::Failed {
                        because: format!("the vault holds no key for {name}"),
                        fix: format!("Put the key for {name} into the vault"),
                    };
                }
                Status::passed([Evidence::Probe(Probe::Zone)])
            }
            Some(kind) => Status::failed(format!(
                "the credentials for {name} come from {} and not from {wanted}",
                provider(kind)
            )),
            None => Status::failed(format!("the resource for {name} has no provider")),
        }
    }

    pub(super) fn application(self, expected: &ApplicationIs) -> Status {
        let zone = match told(&self.results.zone, "a read of the zone") {
            Ok(zone) => zone,
            Err(status) => return status,
        };
        // That a resource is missing is another check's matter; until then nothing can depend on it.
        let (there, missing): (Vec<Service>, Vec<Service>) =
            expected.depends_on.iter().partition(|service| {
                let mut all = zone.resources.iter();
                all.any(|resource| resource.service == Some(**service))
            });
        // Yours is the one that comes closest; the zone brings some of its own along.
        let lacking = zone
            .applications
            .iter()
            .map(|application| {
                let mut lacking = Vec::new();
                if let Some(consent) = expected.consent
                    && application.consent != consent
                {
                    let is = match consent {
                        Consent::Required => "its consent is implicit, not required",
                        Consent::Implicit => "its consent is required, not implicit",
                    };
                    lacking.push(is.to_owned());
                }
                for service in &there {
                    if !application.depends_on.contains(service) {
                        lacking.push(format!("it does not depend on {}", service.name()));
                    }
                }
                if expected.has_credential && application.credentials.is_empty() {
                    lacking.push("it has no client credential".to_owned());
                }
                (lacking, application)
            })
            .min_by_key(|(lacking, _)| lacking.len());
        match lacking {
            None => Status::failed("the zone has no application"),
            Some((lacking, _)) if lacking.is_empty() => match missing.first() {
                None => Status::passed([Evidence::Probe(Probe::Zone)]),
                Some(missing) => Status::pending(format!("a resource for {}", missing.name())),
            },
            Some((lacking, application)) => Status::failed(format!(
                "the application {} is not as it should be: {}",
                one_line(&application.name),
                lacking.join(", ")
            )),
        }
    }

    pub(super) fn scope_refused(self, expected: &ScopeRefused) -> Status {
        let scope = expected.scope.as_str();
        let asked = self.results.scopes.get(scope).unwrap_or(&Reading::NotAsked);
        let waiting = format!("somebody to ask for {scope}");
        match told(asked, &waiting) {
            Err(status) => status.mended_by(
                "Mend what the zone names: the exchange has to work before a scope can be refused",
            ),
            Ok(ScopeAnswer::Issued) => Status::failed(format!("{scope} was issued")),
            Ok(ScopeAnswer::Refused { policy }) => {
                match policy.as_deref().and_then(|id| self.name_of_policy(id)) {
                    Some(name) if name == expected.policy => {
                        Status::passed([Evidence::Probe(Probe::Scope(scope.to_owned()))])
                    }
                    Some(other) => Status::failed(format!(
                        "{scope} was refused by {}, not by {}",
                        one_line(other),
                        expected.policy
                    )),
                    None if self.hears_the_zone() => {
                        Status::failed(format!("{scope} was refused, and no policy was named"))
                    }
                    None => self.untold(
                        ConsolePlace::AuditLog,
                        &format!(
                            "that {} is among the policies that refused {scope}",
                            expected.policy
                        ),
                    ),
                }
            }
        }
    }

    /// The short name of a determining policy. Cedar calls one without an id by its place, `policy0`:
    /// then only who reads the active set knows which it is.
    pub(super) fn name_of_policy<'b>(self, id: &'b str) -> Option<&'b str>
    where
        'a: 'b,
    {
        let name = policy_name(id);
        let place = name.strip_prefix("policy").and_then(|n| n.parse().ok());
        let Some(place): Option<usize> = place else {
            return Some(name);
        };
        let overview = self.projection.policies().overview()?;
        let policy = overview.active_policies.get(place)?;
        Some(&policy.name)
    }
}

/// A provider kind as the console calls it.
const fn provider(kind: CredentialSource) -> &'static str {
    match kind {
        CredentialSource::KeycardSts => "the Zone Provider",
        CredentialSource::KeycardVault => "the Keycard Vault",
        CredentialSource::External => "an OAuth provider",
    }
}
