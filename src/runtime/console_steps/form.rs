//! The forms of the steps: what each is filled in with at first, what else may stand there, and what
//! that means to the zone.

use super::{
    ANTHROPIC, APPLICATION, LINEAR, LINEAR_PROVIDER, MCP_SERVER, POLICY, POLICY_SET, SUPABASE, Step,
};
use crate::{
    app::learn::console::form::{Field, Filled, Kind, NAME},
    client::console::CredentialKind,
    lab::Materials,
    protocol::{audit::CredentialSource, console::Consent},
};

const TYPE: &str = "type";
const CONSENT: &str = "consent";
const IDENTIFIER: &str = "identifier";
const PROVIDER: &str = "provider";
pub(super) const PROVIDED_BY: &str = "provided by";
pub(super) const SCOPES: &str = "scopes";
pub(super) const RESOURCE: &str = "resource";
pub(super) const APPLICATION_OF: &str = "application";
pub(super) const SET: &str = "set";
const TEXT: &str = "text";

const YES: &str = "yes";
const NO: &str = "no";
const REQUIRED: &str = "required";
const IMPLICIT: &str = "implicit";
const ID_AND_SECRET: &str = "client id and secret";
const ID_ALONE: &str = "client id alone";
const ZONE_PROVIDER: &str = "Zone Provider";
const VAULT: &str = "Keycard Vault";

/// The platform's policies.
const DEFAULTS: [&str; 3] = [
    "default-user-grants",
    "default-app-delegation",
    "default-app-direct-access",
];

impl Step {
    /// What the step fills in, field by field; a key is told by its kind.
    #[must_use]
    pub fn form(self, materials: &Materials) -> Vec<Field> {
        match self {
            Self::LinearProvider => {
                let oauth = &materials.linear_oauth;
                vec![
                    text(NAME, LINEAR_PROVIDER),
                    choice(
                        TYPE,
                        &["external", "keycard-vault", "keycard-sts"],
                        "external",
                    ),
                    fixed("authorization endpoint", &oauth.authorization_endpoint),
                    fixed("token endpoint", &oauth.token_endpoint),
                    fixed("client id", &oauth.client_id),
                    fixed("client secret", "of your Linear OAuth application"),
                ]
            }
            Self::Application => vec![
                text(NAME, APPLICATION),
                choice(CONSENT, &[REQUIRED, IMPLICIT], REQUIRED),
            ],
            Self::McpServer => {
                let mut fields = resource(MCP_SERVER, &materials.server, ZONE_PROVIDER);
                fields.push(text(PROVIDED_BY, APPLICATION));
                fields
            }
            Self::Supabase => resource(SUPABASE, &materials.supabase, VAULT),
            Self::SupabaseKey => vec![
                text(RESOURCE, SUPABASE),
                fixed("token", "a Supabase secret key"),
            ],
            Self::Anthropic => resource(ANTHROPIC, &materials.anthropic, VAULT),
            Self::AnthropicKey => vec![
                text(RESOURCE, ANTHROPIC),
                fixed("token", "an Anthropic API key"),
            ],
            Self::Linear => {
                let mut fields = resource(LINEAR, &materials.linear, LINEAR_PROVIDER);
                fields.push(text(SCOPES, "read write issues:create"));
                fields
            }
            Self::Dependencies => {
                let resources = [MCP_SERVER, SUPABASE, ANTHROPIC, LINEAR];
                let mut fields = vec![text(APPLICATION_OF, APPLICATION)];
                fields.extend(resources.map(|one| choice(one, &[YES, NO], YES)));
                fields
            }
            Self::Credential => vec![
                text(APPLICATION_OF, APPLICATION),
                choice(TYPE, &[ID_AND_SECRET, ID_ALONE], ID_AND_SECRET),
            ],
            Self::Policy => vec![
                text(NAME, POLICY),
                Field::new(TEXT, Kind::Lines, rule_of(&materials.limit)),
            ],
            Self::PolicySet => vec![text(NAME, POLICY_SET)],
            Self::Publish => {
                let mut fields = vec![text(SET, POLICY_SET)];
                fields.extend(DEFAULTS.map(|one| choice(one, &[YES, NO], YES)));
                fields.push(choice(POLICY, &[YES, NO], YES));
                fields
            }
            Self::Activate => vec![text(SET, POLICY_SET)],
        }
    }
}

fn text(label: &str, value: &str) -> Field {
    Field::new(label, Kind::Text, value)
}

fn fixed(label: &str, value: &str) -> Field {
    Field::new(label, Kind::Fixed, value)
}

fn choice(label: &str, among: &[&str], value: &str) -> Field {
    let among = among.iter().map(ToString::to_string).collect();
    Field::new(label, Kind::Choice(among), value)
}

fn resource(name: &str, identifier: &str, provider: &str) -> Vec<Field> {
    vec![
        text(NAME, name),
        text(IDENTIFIER, identifier),
        choice(PROVIDER, &[ZONE_PROVIDER, VAULT, LINEAR_PROVIDER], provider),
    ]
}

/// A policy without its comments.
fn rule_of(text: &str) -> String {
    let rule = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    rule.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// What is filled in, as the zone understands it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answers<'a>(pub &'a Filled);

impl<'a> Answers<'a> {
    /// The text of a field; a form without it counts as empty.
    pub fn text(self, label: &str) -> &'a str {
        let found = self.0.iter().find(|(one, _)| one == label);
        found.map_or("", |(_, value)| value.trim())
    }

    pub fn name(self) -> &'a str {
        self.text(NAME)
    }

    pub fn identifier(self) -> &'a str {
        self.text(IDENTIFIER)
    }

    pub fn consent(self) -> Consent {
        match self.text(CONSENT) {
            IMPLICIT => Consent::Implicit,
            _ => Consent::Required,
        }
    }

    /// Where a resource's credentials come from.
    pub fn source(self) -> CredentialSource {
        match self.text(PROVIDER) {
            ZONE_PROVIDER => CredentialSource::KeycardSts,
            VAULT => CredentialSource::KeycardVault,
            _ => CredentialSource::External,
        }
    }

    /// What kind of provider is made.
    pub fn provider_kind(self) -> CredentialSource {
        match self.text(TYPE) {
            "keycard-sts" => CredentialSource::KeycardSts,
            "keycard-vault" => CredentialSource::KeycardVault,
            _ => CredentialSource::External,
        }
    }

    pub fn credential(self) -> CredentialKind {
        match self.text(TYPE) {
            ID_ALONE => CredentialKind::Public,
            _ => CredentialKind::Password,
        }
    }

    /// The things that are taken in or left out, by their names, in order.
    pub fn picked(self) -> impl Iterator<Item = (&'a str, bool)> {
        self.0
            .iter()
            .filter(|(label, value)| {
                label != APPLICATION_OF && label != SET && (value == YES || value == NO)
            })
            .map(|(label, value)| (label.as_str(), value == YES))
    }

    /// The policy's text. The prefilled rule is the workshop's own, which has its comments, too.
    pub fn policy(self, materials: &'a Materials) -> &'a str {
        let written = self.0.iter().find(|(label, _)| label == TEXT);
        match written {
            Some((_, text)) if *text != rule_of(&materials.limit) => text,
            Some(_) | None => &materials.limit,
        }
    }
}
