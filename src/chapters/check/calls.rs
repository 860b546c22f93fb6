//! What the client did: sign-in, discovery, tools, hops, and the token it holds.

use super::{ConsolePlace, LINE_END, Seen, Status};
use crate::{
    chapters::{
        evidence::Evidence,
        expect::{ClaimIs, HopSeen, Service, TokenClaim, TokenUse, ToolCall, ToolsListed},
    },
    projection::{
        Asks, Hop, HopKind, Seq, Verdict,
        audit::Era,
        identity::{Document, SignIn, User},
        tools::Call,
    },
    trace::{
        Actor, Fact,
        event::{CallOutcome, Leg},
    },
};

/// What to do about a tool that failed, where nothing better is known.
pub(super) const WORK_FIRST: &str = "Make the call work first: the last hop in the flow, or what the \
                                     server prints, shows where it stopped";

/// What to do about a tool that worked where it should have been refused.
const ASK_AND_FAIL: &str =
    "Let the tool exchange for its scope in each call, and fail where the zone refuses";

/// The HTTP status of a request without a token that is good.
const UNAUTHORIZED: u16 = 401;

impl Seen<'_> {
    pub(super) fn signed_in(self) -> Status {
        match &self.projection.identity().state {
            SignIn::SignedIn(user) if !self.counts(user.evidence) => {
                Status::pending("you to sign in again")
            }
            SignIn::SignedIn(user) => Status::passed([Evidence::Event(user.evidence)]),
            SignIn::Refused(failure) => {
                Status::failed(format!("the sign-in was refused: {}", failure.what))
            }
            SignIn::Ended(_) => Status::pending("you to sign in again"),
            SignIn::NotNeeded => Status::pending("a server that asks for a sign-in"),
            SignIn::SignedOut | SignIn::SigningIn { .. } | SignIn::Cancelled => {
                Status::pending("you to sign in")
            }
        }
    }

    /// Who is signed in, if that happened where it counts.
    fn user(&self) -> Option<&User> {
        let user = self.projection.identity().user();
        user.filter(|user| self.counts(user.evidence))
    }

    pub(super) fn discovery_walked(self) -> Status {
        let on = |leg: Leg| move |hop: &&Hop| hop.leg == Some(leg);
        let fine = |hop: &&Hop| hop.verdict == Verdict::Ok;
        let now = |hop: &&Hop| hop.evidence.iter().any(|seq| self.counts(seq));
        // Of several walks the one that ended with a token: its steps are the last ones before it.
        let end = self.user().map(|user| user.evidence);
        let in_time = |hop: &&Hop| {
            let sent = hop.evidence.sent;
            end.is_none_or(|end| sent.is_none_or(|sent| sent <= end))
        };
        let hops = || {
            let all = self.projection.hops().in_order().rev();
            all.filter(now).filter(in_time)
        };
        let discovery = &self.projection.identity().discovery;
        let found = |hop: Option<&Hop>| hop.map(|hop| Evidence::Hop(hop.id));
        let read = |document: Option<&Document>| {
            let document = document?;
            let seq = document.evidence;
            let brought = |hop: &&Hop| {
                let asked = hop
                    .evidence
                    .sent
                    .and_then(|sent| self.projection.log().event(sent));
                matches!(asked.map(|event| event.fact), Some(Fact::HopSent { url, .. }) if *url == *document.url)
            };
            let hop = hops().filter(on(Leg::Discovery)).filter(fine).find(brought);
            let seen = found(hop).unwrap_or(Evidence::Event(seq));
            self.counts(seq).then_some(seen)
        };
        let trail = [
            (
                "a request that is refused with 401",
                found(
                    hops()
                        .filter(on(Leg::Mcp))
                        .find(|hop| hop.status == Some(UNAUTHORIZED)),
                ),
            ),
            (
                "the server's metadata document",
                read(discovery.resource.as_ref()),
            ),
            (
                "the zone's metadata document",
                read(discovery.issuer.as_ref()),
            ),
            (
                "the registration of your client",
                found(hops().filter(on(Leg::Registration)).find(fine)),
            ),
            (
                "your consent in the browser",
                found(hops().find(|hop| hop.kind == HopKind::Browser)),
            ),
            (
                "a token from the zone",
                found(hops().filter(on(Leg::Token)).find(fine)),
            ),
        ];
        let missing = trail.iter().find(|(_, evidence)| evidence.is_none());
        match missing {
            None => Status::passed(trail.into_iter().filter_map(|(_, evidence)| evidence)),
            Some((what, _)) if self.user().is_some() => {
                Status::failed(format!("you are signed in, but {what} was not seen"))
            }
            Some((what, _)) => match &self.projection.identity().state {
                SignIn::Refused(failure) => Status::Failed {
                    because: format!(
                        "the sign-in ended before {what}: {}",
                        failure.what.trim_end_matches('.')
                    ),
                    fix: failure.next.clone(),
                },
                _ => Status::pending(*what),
            },
        }
    }

    pub(super) fn tools_listed(self, listed: &ToolsListed) -> Status {
        let now = |seq: Seq| self.counts(seq) && self.is_of_this_server(seq);
        let hop = self.projection.hops().in_order().rev().find(|hop| {
            hop.verdict == Verdict::Ok
                && hop.asks == Asks::ListTools
                && hop.evidence.sent.is_some_and(now)
        });
        let Some(hop) = hop else {
            let refused = self.projection.hops().in_order().any(|hop| {
                hop.leg == Some(Leg::Mcp)
                    && hop.status == Some(UNAUTHORIZED)
                    && hop.evidence.iter().any(now)
            });
            return if refused && listed.token == Some(TokenUse::Without) {
                Status::failed("the server answers 401 to a request without a token")
            } else {
                Status::pending("the list of tools")
            };
        };
        let offered = self.projection.tools().offered();
        let lacking = listed
            .names
            .iter()
            .find(|name| offered.iter().all(|tool| tool.name != **name));
        if let Some(name) = lacking {
            return Status::failed(format!("the server offers no tool {name}"));
        }
        self.with_token(hop, listed.token)
    }

    pub(super) fn tool_call(self, expected: &ToolCall) -> Status {
        let Some(call) = self.latest(&expected.name) else {
            return self.uncalled(std::slice::from_ref(&expected.name));
        };
        if call.outcome != Some(expected.outcome) {
            let outcome = match call.outcome {
                Some(CallOutcome::Succeeded) => "succeeded",
                Some(CallOutcome::Failed) => "failed",
                Some(CallOutcome::Broken) => "did not come through",
                Some(CallOutcome::Cancelled) | None => "was called off",
            };
            let text = match tool_said(call) {
                Some(said) => format!(": {said}"),
                None => String::new(),
            };
            let zone = match self.zone_said(call) {
                Some(said) => format!("; {said}"),
                None => String::new(),
            };
            return Status::Failed {
                because: format!("{} {outcome}{text}{zone}", expected.name),
                fix: match (call.outcome, expected.outcome) {
                    (Some(CallOutcome::Failed), _) => WORK_FIRST.to_owned(),
                    (Some(CallOutcome::Succeeded), CallOutcome::Failed) => ASK_AND_FAIL.to_owned(),
                    _ => String::new(),
                },
            };
        }
        let hop = call.id.and_then(|id| {
            let hops = self.projection.hops();
            hops.of_call(id)
                .iter()
                .filter_map(|id| hops.get(*id))
                .find(|hop| hop.kind == HopKind::Request)
        });
        match (hop, expected.token) {
            (Some(hop), token) => self.with_token(hop, token),
            (None, None) => Status::passed([Evidence::Event(call.started)]),
            (None, Some(_)) => Status::pending("the request behind the call"),
        }
    }

    fn with_token(self, hop: &Hop, expected: Option<TokenUse>) -> Status {
        let evidence = [Evidence::Hop(hop.id)];
        let Some(expected) = expected else {
            return Status::passed(evidence);
        };
        match (self.carried_token(hop), expected) {
            (Some(true), TokenUse::With) | (Some(false), TokenUse::Without) => {
                Status::passed(evidence)
            }
            (Some(true), TokenUse::Without) => Status::failed("the request carried a token"),
            (Some(false), TokenUse::With) => Status::failed("the request carried no token"),
            (None, _) => Status::pending("the headers of the request"),
        }
    }

    pub(super) fn hop(self, expected: &HopSeen) -> Status {
        let to = expected.to.map(|service| match service {
            Service::McpServer => Actor::Server,
            Service::Supabase => Actor::Supabase,
            Service::Anthropic => Actor::Anthropic,
            Service::Linear => Actor::Linear,
        });
        let found: Vec<_> = self
            .projection
            .hops()
            .in_order()
            .filter(|hop| {
                expected.leg.is_none_or(|leg| hop.leg == Some(leg))
                    && to.is_none_or(|to| hop.to == to)
                    && expected.status.is_none_or(|s| hop.status == Some(s))
                    && hop.evidence.iter().any(|seq| self.counts(seq))
            })
            .map(|hop| Evidence::Hop(hop.id))
            .collect();
        if found.is_empty() || found.len() < expected.at_least {
            let what = match expected.status {
                Some(status) => format!("a request that is answered with {status}"),
                None => "the request".to_owned(),
            };
            return Status::pending(what);
        }
        Status::passed(found)
    }

    pub(super) fn token(self, expected: &TokenClaim) -> Status {
        let Some(user) = self.user() else {
            return Status::pending("you to sign in");
        };
        if user.token.claims.is_empty() {
            return Status::not_observable("nothing: your token is opaque, it has no claims");
        }
        let claim = expected.claim.as_str();
        let Some(value) = user.token.claims.get(claim) else {
            return Status::failed(format!("the token has no claim {claim}"));
        };
        let text = value.as_str().unwrap_or_default();
        let holds = match expected.is {
            ClaimIs::Present => true,
            ClaimIs::McpServer if claim == "aud" => {
                user.token.audiences().iter().any(|aud| self.is_server(aud))
            }
            ClaimIs::McpServer => self.is_server(text),
            ClaimIs::Zone => {
                let by_metadata = self.projection.identity().discovery.issuer.as_ref();
                let lab = self.projection.lab();
                by_metadata.is_some_and(|document| &*document.subject == text)
                    || lab.is_some_and(|lab| lab.zone == text)
            }
        };
        if holds {
            Status::passed([Evidence::Event(user.evidence)])
        } else {
            let whose = match expected.is {
                ClaimIs::Present | ClaimIs::McpServer => "the MCP server",
                ClaimIs::Zone => "the zone",
            };
            Status::failed(format!("the token's {claim} is not {whose}"))
        }
    }

    /// Whether a call came to nothing that counts.
    fn has_refusal(self) -> bool {
        self.projection
            .tools()
            .calls()
            .iter()
            .any(|call| self.counts(call.started) && call.outcome == Some(CallOutcome::Failed))
    }

    /// Looks through what was said in refusals and failures, not through what succeeded.
    pub(super) fn said(self, words: &str) -> Status {
        let words = words.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&words);
        let projection = self.projection;
        let row = projection.audit().rows().iter().rev().find(|row| {
            let said = [row.reason.as_deref(), row.error.as_deref()];
            // A log keeps what was said in earlier runs; it explains nothing of this one.
            row.era == Era::ThisRun
                && !Self::is_of_a_check(row)
                && self.counts(row.evidence)
                && said.into_iter().flatten().any(holds)
        });
        if let Some(row) = row {
            return Status::passed([Evidence::Row(row.id)]);
        }
        let call = projection.tools().calls().iter().rev().find(|call| {
            self.counts(call.started)
                && matches!(
                    call.outcome,
                    Some(CallOutcome::Failed | CallOutcome::Broken)
                )
                && call.text.as_deref().is_some_and(holds)
        });
        if let Some(call) = call {
            return Status::passed([Evidence::Event(call.finished.unwrap_or(call.started))]);
        }
        if let SignIn::Refused(failure) | SignIn::Ended(failure) = &projection.identity().state
            && (holds(&failure.what) || holds(&failure.why))
        {
            return Status::passed([]);
        }
        if let Some(evidence) = self.refused_exchange(holds) {
            return Status::passed([evidence]);
        }
        let failure = projection.failures().iter().rev().find(|(seq, failure)| {
            self.counts(*seq) && (holds(&failure.what) || holds(&failure.why))
        });
        match failure {
            Some((seq, _)) => Status::passed([Evidence::Event(*seq)]),
            // A server may keep to itself what the zone said; the zone's log has it all the same.
            None if !self.hears_the_zone() && self.has_refusal() => self.untold(
                ConsolePlace::AuditLog,
                &format!("a refusal that says “{words}”"),
            ),
            None => Status::pending("a refusal"),
        }
    }
}

/// What a call that came to nothing said. What it advises its own caller to do is on the lines below.
pub(super) fn tool_said(call: &Call) -> Option<&str> {
    let text = match call.outcome? {
        CallOutcome::Failed | CallOutcome::Broken => call.text.as_deref()?,
        CallOutcome::Succeeded | CallOutcome::Cancelled => return None,
    };
    let said = text.split(LINE_END).next()?.trim_end_matches('.');
    (!said.is_empty()).then_some(said)
}
