//! Which part of the console work a failed check is about.

use super::{Learn, console::Part};
use crate::{
    chapters::{Check, Expect, ProbeResults, Reading, check::fault_in_console, expect::ResourceIs},
    projection::Projection,
    protocol::{
        audit::CredentialSource,
        console::{Consent, Owner},
    },
};

impl Learn {
    /// What was made in the zone's console so that a failed check does not like it.
    pub(super) fn part_at_fault(
        &self,
        check: &Check,
        seen: &Projection,
        known: &ProbeResults,
    ) -> Option<Part> {
        if let Some(fault) = fault_in_console(check, seen, known) {
            return part_of(fault, seen, known);
        }
        // The step that makes a credential pastes it, too.
        let is_of_env = |expect: &Expect| matches!(expect, Expect::Env(_));
        let pasted = match &check.expect {
            Expect::All(many) => many.iter().all(is_of_env),
            one => is_of_env(one),
        };
        (pasted && self.has_console_work()).then_some(Part::Credential)
    }
}

fn part_of(fault: &Expect, seen: &Projection, known: &ProbeResults) -> Option<Part> {
    Some(match fault {
        Expect::Resource(is) if lacks_key(is, known) => Part::Key(is.service),
        Expect::Resource(is) => Part::Resource(is.service),
        Expect::Application(is) if is.has_credential => Part::Credential,
        Expect::Application(is) => match is.consent {
            Some(consent) if !is_anywhere(consent, known) => Part::Application,
            Some(_) | None => Part::Dependencies,
        },
        Expect::ActivePolicies(_) | Expect::ForbiddingPolicies(_) | Expect::PolicyScopes(_) => {
            let policies = seen.policies();
            let owner = policies.active().map(|set| set.owner_type);
            match fault {
                _ if owner != Some(Owner::Customer) => Part::Activation,
                // It is judged of a policy only that is in force.
                Expect::PolicyScopes(_) => Part::Policy,
                Expect::ForbiddingPolicies(names)
                    if names
                        .iter()
                        .all(|name| policies.is_active(name) == Some(true)) =>
                {
                    Part::Policy
                }
                _ => Part::Publication,
            }
        }
        _ => return None,
    })
}

/// Whether a resource is as it should be, but for its key in the vault.
fn lacks_key(is: &ResourceIs, known: &ProbeResults) -> bool {
    let Reading::Told(zone) = &known.zone else {
        return false;
    };
    let mut of_vault = zone.resources.iter().filter(|resource| {
        resource.service == Some(is.service)
            && resource.provider == Some(is.provider)
            && is.provider == CredentialSource::KeycardVault
    });
    of_vault.any(|resource| !resource.key_in_vault)
}

fn is_anywhere(consent: Consent, known: &ProbeResults) -> bool {
    let Reading::Told(zone) = &known.zone else {
        return true;
    };
    zone.applications.iter().any(|one| one.consent == consent)
}
