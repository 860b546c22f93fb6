//! An application for itself, without a person (RFC 6749, section 4.4).

use super::{Decision, settle};
use crate::{
    protocol::{audit::AuditEvent, oauth::ErrorCode},
    zone::{
        audit::{Draft, application_party, resource_ref},
        directory::ApplicationCredential,
        exchange::{Obtain, obtain},
        oauth::{
            Front,
            form::Params,
            token::{Asked, Tokens},
        },
        policy::{self, Caller, Question},
        refusal::Refusal,
        tokens::SubProfile,
    },
};

/// For a resource that the application depends on.
pub(in crate::zone::oauth) async fn client_credentials(
    front: &Front,
    credential: &ApplicationCredential,
    form: &Params,
    asked: &Asked,
) -> Result<Tokens, Refusal> {
    let named = form.all("resource");
    let identifier = match &*named {
        [one] => one.as_str(),
        [] => form.required("resource")?,
        _ => {
            return Err(Refusal::new(
                ErrorCode::InvalidTarget,
                "One request is for one resource.",
            ));
        }
    };
    let scopes = form.scopes()?.unwrap_or_default();
    settle(front, |directory, key| {
        let application = directory
            .applications
            .get(&credential.application_id)
            .ok_or_else(|| Refusal::new(ErrorCode::InvalidClient, "The client is not known"))?;
        let mut draft = Draft::new(
            AuditEvent::CredentialsIssue,
            asked.request_id.clone(),
            asked.started,
        );
        draft.actor.application = Some(application_party(application, &credential.identifier));
        draft.grant_type = Some("client_credentials".to_owned());
        draft.trace_parent = asked.trace_parent;
        draft.scopes.clone_from(&scopes);
        let mut decide = || {
            if !directory.accepts(credential) {
                return Err(Refusal::new(
                    ErrorCode::InvalidClient,
                    "The client is not known",
                ));
            }
            let resource = directory
                .resource_identified(identifier)
                .ok_or_else(|| Refusal::unknown_resource(identifier))?;
            draft.resource = Some(resource_ref(resource));
            if !directory.depends(&application.id, &resource.id) {
                return Err(Refusal::no_dependency(&application.name, &resource.name));
            }
            let answer = policy::decide(
                directory,
                &Question {
                    user: None,
                    impersonate: false,
                    caller: Caller::Application(application),
                    resource,
                    scopes: &scopes,
                },
            );
            let verdict = answer.verdict();
            draft.decision = Some(answer.decision);
            verdict?;
            let obtained = obtain(
                &front.zone,
                directory,
                key,
                &Obtain {
                    resource,
                    grant: None,
                    sub: &application.identifier,
                    sub_profile: SubProfile::App,
                    client_id: &credential.identifier,
                    application_id: Some(&application.id),
                    scopes: &scopes,
                    session_id: None,
                    subject: None,
                },
            )?;
            draft.credential = Some(obtained.view());
            Ok(Tokens {
                access_token: obtained.token,
                refresh_token: None,
                expires_in: obtained.expires_in,
                scope: (!scopes.is_empty()).then(|| scopes.join(" ")),
                issued_token_type: None,
            })
        };
        let outcome = decide();
        Ok(Decision {
            outcome,
            unchanged: Vec::new(),
            changes: Vec::new(),
            draft,
        })
    })
    .await
}
