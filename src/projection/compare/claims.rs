//! What two tokens say that is not the same: who, for whom, for what. Moments of issue and numbers of a
//! token differ in any two runs and are left out.

use super::{Differences, Side};
use crate::{
    projection::{Hop, Name, policy_name},
    protocol::{audit::AuditRecord, jwt::TokenView},
    support::text::one_line,
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
        token.map_or_else(Said::default, |token| Said::of(side, token))
    };
    let names = [
        "subject aud",
        "subject scope",
        "subject sub",
        "subject act",
        "subject lifetime",
        "subject alg",
    ];
    of(&sides.0, &a.1, true).compare(found, names, of(&sides.1, &b.1, true));
    let names = [
        "issued aud",
        "issued scope",
        "issued sub",
        "issued act",
        "issued lifetime",
        "issued alg",
    ];
    of(&sides.0, &a.1, false).compare(found, names, of(&sides.1, &b.1, false));
    // Where only one was issued, or only one refused, the verdict says it.
    if let (Some(left), Some(right)) = (&a.1.credential, &b.1.credential) {
        found.compare("credential from", left.source.word(), right.source.word());
    }
    if let (Some(left), Some(right)) = (&a.1.error, &b.1.error) {
        found.compare("error", one_line(left), one_line(right));
    }
    let decided = |record: &AuditRecord| {
        let decision = record.decision.as_ref();
        let names = decision.map_or(&[][..], |decision| &decision.determining);
        let mut names: Vec<&str> = names.iter().map(|id| policy_name(id)).collect();
        names.sort_unstable();
        one_line(&names.join(", "))
    };
    // A refusal names its policy by itself.
    if a.0.policy.is_none() && b.0.policy.is_none() {
        found.compare("decided by", decided(&a.1), decided(&b.1));
    }
}

/// What a token says that is no moment and no number of its own.
#[derive(Default)]
struct Said([String; 6]);

impl Said {
    fn of(side: &Side<'_>, token: &TokenView) -> Self {
        let text = |name| one_line(token.claim(name).unwrap_or(""));
        let json = |name: &str| {
            token
                .claims
                .get(name)
                .map_or_else(String::new, |v| one_line(&v.to_string()))
        };
        let moment = |name: &str| token.claims.get(name).and_then(serde_json::Value::as_i64);
        let lifetime = match (moment("iat"), moment("exp")) {
            (Some(from), Some(to)) => format!("{} s", to.saturating_sub(from)),
            (None, _) | (_, None) => String::new(),
        };
        let algorithm = token.header.get("alg").and_then(serde_json::Value::as_str);
        Self([
            audience(side, token),
            text("scope"),
            text("sub"),
            json("act"),
            lifetime,
            one_line(algorithm.unwrap_or("")),
        ])
    }

    fn compare(self, found: &mut Differences, names: [&'static str; 6], other: Self) {
        for ((name, left), right) in names.into_iter().zip(self.0).zip(other.0) {
            found.compare(name, left, right);
        }
    }
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
