//! Asks the zone for a credential as the application does it for the person who is signed in. What
//! comes is thrown away at once.

use http::{Method, header};
use url::Url;

use crate::{
    chapters::{Reading, expect::Service, probe::ExchangeAnswer},
    client::http::{DOCUMENT_LIMIT, Outgoing},
    protocol::{
        basic,
        env::EnvFile,
        oauth::{ErrorResponse, GRANT_TOKEN_EXCHANGE, TOKEN_TYPE_ACCESS_TOKEN},
        secret::Secret,
    },
    support::text::truncate,
    trace::event::Leg,
};

use super::{ProbeTargets, env, failed, metadata};

/// A zone says why in a sentence or two; more is not shown.
const LONGEST_TEXT: usize = 2_000;

/// One exchange, with a scope or without.
pub(super) async fn ask(
    service: Service,
    scope: Option<&str>,
    around: &ProbeTargets,
) -> Reading<ExchangeAnswer> {
    // Nobody is signed in: then it is not the time to ask.
    let Some(person) = &around.person else {
        return Reading::NotAsked;
    };
    let application = match Application::find(around).told() {
        Ok(application) => application,
        Err(untold) => return untold,
    };
    let Some(resource) = identifier(service, &application.env, around) else {
        return failed(format!("no URL for {} is set in .env", service.name()));
    };
    application.exchange(person, &resource, scope, around).await
}

/// The application as the `.env` has it, at its zone.
pub(super) struct Application {
    env: EnvFile,
    zone: Url,
    id: Secret,
    secret: Secret,
}

impl Application {
    pub(super) fn find(around: &ProbeTargets) -> Reading<Self> {
        let env = match env::open(&around.env).told() {
            Ok(env) => env,
            Err(untold) => return untold,
        };
        let (Some(id), Some(secret)) = (
            env::value(&env, "KEYCARD_CLIENT_ID"),
            env::value(&env, "KEYCARD_CLIENT_SECRET"),
        ) else {
            return failed("KEYCARD_CLIENT_ID or KEYCARD_CLIENT_SECRET is not set in .env");
        };
        let zone = env::value(&env, "KEYCARD_URL")
            .map(|url| url.expose().clone())
            .or_else(|| around.lab.as_ref().map(|lab| lab.zone.clone()));
        match zone.map(|zone| Url::parse(&zone)) {
            Some(Ok(zone)) => Reading::Told(Self {
                env,
                zone,
                id,
                secret,
            }),
            _ => failed("KEYCARD_URL is not set in .env"),
        }
    }

    /// A token exchange (RFC 8693), as the workshop's server asks for it (facts/keycard.md, 2.6).
    async fn exchange(
        &self,
        person: &Secret,
        resource: &str,
        scope: Option<&str>,
        around: &ProbeTargets,
    ) -> Reading<ExchangeAnswer> {
        around.http.masker().remember(person.expose());
        let mut form = vec![
            ("grant_type", GRANT_TOKEN_EXCHANGE),
            ("subject_token", person.expose()),
            ("subject_token_type", TOKEN_TYPE_ACCESS_TOKEN),
            ("resource", resource),
        ];
        form.extend(scope.map(|scope| ("scope", scope)));
        self.request(&form, around).await
    }

    /// A request to the token endpoint, with the application's id and secret. What is issued is thrown
    /// away at once.
    pub(super) async fn request(
        &self,
        form: &[(&str, &str)],
        around: &ProbeTargets,
    ) -> Reading<ExchangeAnswer> {
        let url = match metadata::token_endpoint(&self.zone, around).await {
            Ok(url) => url,
            Err(because) => return failed(because),
        };
        let http = &around.http;
        http.masker().pin(self.secret.expose());
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let basic = basic::plain(self.id.expose(), &self.secret);
        let basic = Secret::new(format!("Basic {}", basic.expose()));
        let outgoing = Outgoing::new(Method::POST, url, Leg::Token)
            .header(header::AUTHORIZATION, basic.expose())
            .body("application/x-www-form-urlencoded", form.into_bytes());
        let answer = match http.exchange(around.marked(outgoing), DOCUMENT_LIMIT).await {
            Ok(answer) => answer,
            Err(error) => return failed(format!("the zone did not answer: {}", error.why)),
        };
        if answer.status.is_success() {
            return Reading::Told(ExchangeAnswer::Issued);
        }
        let Ok(error) = serde_json::from_slice::<ErrorResponse>(&answer.body) else {
            return failed(format!(
                "the zone answered {} to a token request",
                answer.status
            ));
        };
        let description = error.error_description.unwrap_or_default();
        let shown = |text: &str| truncate(&http.clean(text), LONGEST_TEXT).into_owned();
        Reading::Told(ExchangeAnswer::Refused {
            error: shown(&error.error),
            description: shown(&description),
        })
    }
}

/// What the finished code exchanges for: the service's URL in `.env` (facts/keycard.md, 1.2). Chapter 5
/// has Anthropic's in the code.
fn identifier(service: Service, file: &EnvFile, around: &ProbeTargets) -> Option<String> {
    let lab = around.lab.as_ref();
    let (name, lab, public) = match service {
        Service::McpServer => return None,
        Service::Supabase => ("SUPABASE_URL", lab.map(|lab| &lab.supabase), None),
        Service::Anthropic => (
            "ANTHROPIC_API_URL",
            lab.map(|lab| &lab.anthropic),
            Some("https://api.anthropic.com"),
        ),
        Service::Linear => (
            "LINEAR_API_URL",
            lab.map(|lab| &lab.linear),
            Some("https://api.linear.app"),
        ),
    };
    env::value(file, name)
        .map(|url| url.expose().clone())
        .or_else(|| lab.cloned())
        .or_else(|| public.map(str::to_owned))
}
