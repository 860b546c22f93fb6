//! Whether the zone takes the application's id and secret: a request with a code that nobody was given,
//! which issues nothing and leaves no row in the lab's log. It rests on a zone that looks at its client
//! first, as the lab's does; of another order a wrong secret is found in chapter 4.

use crate::{
    chapters::{
        Reading,
        probe::{ClientAnswer, ExchangeAnswer},
    },
    protocol::oauth::ErrorCode,
};

use super::{ProbeTargets, exchange::Application};

/// The error of a client that is not known, or whose secret is wrong (RFC 6749, section 5.2).
const INVALID_CLIENT: &str = "invalid_client";

pub(super) async fn ask(around: &ProbeTargets) -> Reading<ClientAnswer> {
    let application = match Application::find(around).told() {
        Ok(application) => application,
        // What the .env lacks is another check's matter; the zone's URL comes with chapter 2.
        Err(Reading::Failed { .. }) => return Reading::Told(ClientAnswer::NotTried),
        Err(untold) => return untold,
    };
    let form = [
        ("grant_type", "authorization_code"),
        ("code", "no-code"),
        ("redirect_uri", "http://localhost/"),
    ];
    let answer = application.request(&form, around).await;
    answer.map(|answer| match answer {
        ExchangeAnswer::Refused { error, .. } if error == INVALID_CLIENT => ClientAnswer::Refused,
        ExchangeAnswer::Refused { error, .. } if ErrorCode::is_own_fault(&error) => {
            ClientAnswer::NotTried
        }
        ExchangeAnswer::Refused { .. } | ExchangeAnswer::Issued => ClientAnswer::Known,
    })
}
