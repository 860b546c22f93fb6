//! Whether the zone takes the application's id and secret: an exchange of what is no token, which issues
//! nothing. A zone looks at its client first (RFC 6749, section 3.2.1).

use crate::{
    chapters::{
        Reading,
        probe::{ClientAnswer, ExchangeAnswer},
    },
    protocol::secret::Secret,
};

use super::{Surroundings, exchange::Application, failed};

/// The error of a client that is not known, or whose secret is wrong (RFC 6749, section 5.2).
const INVALID_CLIENT: &str = "invalid_client";

pub(super) async fn ask(around: &Surroundings) -> Reading<ClientAnswer> {
    let application = match Application::find(around) {
        Reading::Told(application) => application,
        Reading::NotAsked => return Reading::NotAsked,
        Reading::Unavailable { look_at } => return Reading::Unavailable { look_at },
        // What the .env lacks is another check's matter; the zone's URL comes with chapter 2.
        Reading::Failed { .. } => return Reading::Told(ClientAnswer::NotTried),
    };
    let nobody = Secret::new("no-token".to_owned());
    let server = around.server.as_str();
    let answer = application.exchange(&nobody, server, None, around).await;
    match answer {
        Reading::Told(ExchangeAnswer::Refused { error, .. }) if error == INVALID_CLIENT => {
            Reading::Told(ClientAnswer::Refused)
        }
        Reading::Told(_) => Reading::Told(ClientAnswer::Known),
        Reading::NotAsked => Reading::NotAsked,
        Reading::Unavailable { look_at } => Reading::Unavailable { look_at },
        Reading::Failed { because } => failed(because),
    }
}
