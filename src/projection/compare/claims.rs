//! What two tokens say that is not the same: who, for whom, for what. Moments of issue and numbers of a
//! token differ in any two runs and are left out.

use super::{Differences, Side};
use crate::{
    projection::{Hop, Name},
    protocol::{audit::AuditRecord, jwt::TokenView},
    trace::Fact,
};

/// Who asked for whom, by which token: what names a person or a right, not what names a moment.
pub(super) fn exchanged(found: &mut Differences, sides: &(Side<'_>, Side<'_>), a: &Hop, b: &Hop) {
    let (Some(a), Some(b)) = (sides.0.record(a), sides.1.record(b)) else {
        return;
    };
    let word = |name: &Option<Name>| name.as_deref().unwrap_or("").to_owned();
    found.compare(
        "application",
        word(&a.0.application),
        word(&b.0.application),
    );
    found.compare("user", word(&a.0.user), word(&b.0.user));
    let of = |side: &Side<'_>, record: &AuditRecord, subject: bool| {
        let token = if subject {
            record.subject_token.as_ref()
        } else {
            record
                .credential
                .as_ref()
                .map(|credential| &credential.token)
        };
        let audience = token.map_or_else(String::new, |token| audience(side, token));
        let scope = token.and_then(|token| token.claim("scope")).unwrap_or("");
        (audience, scope.to_owned())
    };
    let (left, right) = (of(&sides.0, &a.1, true), of(&sides.1, &b.1, true));
    found.compare("subject aud", left.0, right.0);
    found.compare("subject scope", left.1, right.1);
    let (left, right) = (of(&sides.0, &a.1, false), of(&sides.1, &b.1, false));
    found.compare("issued aud", left.0, right.0);
    found.compare("issued scope", left.1, right.1);
}

/// The client's own token, by the answer that issued or renewed it. No audit row stands for it in a
/// run whose log was not read.
pub(super) fn of_the_client(
    found: &mut Differences,
    sides: &(Side<'_>, Side<'_>),
    a: &Hop,
    b: &Hop,
) {
    let issued = |side: &Side<'_>, hop: &Hop| {
        let event = side.projection.log().event(hop.evidence.token?)?;
        let Fact::TokenIssued { token, scope, .. } = event.fact else {
            return None;
        };
        let claim = |name| token.claim(name).map(str::to_owned);
        let sub = claim("sub").unwrap_or_default();
        // An opaque token says nothing; the answer that brought it may.
        let scope = claim("scope").or(scope).unwrap_or_default();
        Some((sub, audience(side, &token), scope))
    };
    let (Some(left), Some(right)) = (issued(&sides.0, a), issued(&sides.1, b)) else {
        return;
    };
    found.compare("token sub", left.0, right.0);
    found.compare("token aud", left.1, right.1);
    found.compare("token scope", left.2, right.2);
}

fn audience(side: &Side<'_>, token: &TokenView) -> String {
    let all = token.audiences();
    let all: Vec<String> = all.iter().map(|aud| side.place(aud)).collect();
    all.join(" ")
}
