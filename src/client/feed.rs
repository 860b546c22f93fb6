//! Feeds of what others saw: the zone's audit log and the stand-ins' requests.
//!
//! A feed is only listened to: it sleeps until something comes. When it stops, the trace says so
//! once, and it is taken up again where it ended.

use std::time::Duration;

use futures::StreamExt as _;
use http::{HeaderName, Method, StatusCode, header};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    console::Console,
    http::{Outgoing, Patience, TracedHttp},
    mcp_stream::{cut_off, events},
};
use crate::{
    protocol::{
        audit::AuditRecord,
        observed::{AUDIT_FEED_PATH, FEED_GAP_EVENT, FEED_PATH, Observation, Upstream},
        secret::Secret,
    },
    support::error::{Exit, Failure},
    trace::{Actor, Fact, event::Leg},
};

/// The longest entry in bytes: what is longer is no entry of a zone or a stand-in, and is not kept.
pub(super) const LONGEST_ENTRY: usize = 4 << 20;

/// The first pause before a feed is taken up again, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// Follows the zone's audit log until it is called off, from the `latest` rows that are there on.
pub async fn follow_audit(console: &Console, latest: u64, cancel: CancellationToken) {
    let http = console.http();
    let Ok(mut url) = console.api().join(AUDIT_FEED_PATH) else {
        return;
    };
    url.query_pairs_mut()
        .append_pair("latest", &latest.to_string());
    Follower {
        http,
        url,
        name: "audit log",
        actor: Actor::Zone,
        auth: Some(console),
        last: None,
    }
    .follow(&cancel, |data| {
        let Ok(record) = serde_json::from_str::<AuditRecord>(data) else {
            return false;
        };
        let at = record.trace_parent;
        http.report_at(Actor::Zone, at, Fact::AuditRecorded(Box::new(record)));
        true
    })
    .await;
}

/// Follows what a stand-in sees until it is called off. `url` is the stand-in's own.
pub async fn follow_stand_in(
    http: &TracedHttp,
    url: &Url,
    upstream: Upstream,
    cancel: CancellationToken,
) {
    let actor = Actor::from(upstream);
    http.policy().addresses().allow(url);
    http.actors().learn(url, actor);
    let Ok(url) = url.join(FEED_PATH) else {
        return;
    };
    Follower {
        http,
        url,
        name: upstream.name(),
        actor,
        auth: None,
        last: None,
    }
    .follow(&cancel, |data| {
        match serde_json::from_str::<Observation>(data) {
            Ok(Observation::Request(request)) => {
                let at = request.trace_parent;
                http.report_at(actor, at, Fact::UpstreamAnswered(request));
                true
            }
            Ok(Observation::Issue(issue)) => {
                let at = issue.trace_parent;
                http.report_at(actor, at, Fact::IssueSeen(issue));
                true
            }
            Err(_) => false,
        }
    })
    .await;
}

struct Follower<'a> {
    http: &'a TracedHttp,
    url: Url,
    name: &'static str,
    actor: Actor,
    auth: Option<&'a Console>,
    last: Option<String>,
}

impl Follower<'_> {
    /// Reads until called off. `take` returns false for data that it does not understand.
    async fn follow(mut self, cancel: &CancellationToken, take: impl Fn(&str) -> bool) {
        let mut pause = PAUSE.0;
        let mut told = false;
        loop {
            let before = self.last.clone();
            let ended = tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                ended = self.read(&take) => ended,
            };
            if self.last != before {
                pause = PAUSE.0;
                told = false;
            }
            if !told {
                told = true;
                self.lost(ended.why);
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    fn lost(&self, why: String) {
        let feed = self.name.to_owned();
        self.http.report(self.actor, Fact::FeedLost { feed, why });
    }

    /// One connection, until it ends; a feed has no good end.
    async fn read(&mut self, take: &impl Fn(&str) -> bool) -> Failure {
        let token = match self.token().await {
            Ok(token) => token,
            Err(failure) => return failure,
        };
        let mut outgoing = Outgoing::new(Method::GET, self.url.clone(), Leg::Console)
            .header(header::ACCEPT, "text/event-stream");
        outgoing.patience = Patience::Unlimited;
        if let Some(token) = &token {
            outgoing =
                outgoing.header(header::AUTHORIZATION, &format!("Bearer {}", token.expose()));
        }
        if let Some(last) = &self.last {
            outgoing = outgoing.header(HeaderName::from_static("last-event-id"), last);
        }
        let reply = match self.http.send(outgoing).await {
            Ok(reply) => reply,
            Err(error) => return error.failure("The feed cannot be reached"),
        };
        let media_type = reply.media_type();
        let (hop, status, headers, bytes) = reply.stream();
        // The stream stays open for as long as the program runs: as a hop it is complete now.
        hop.returned(status, &headers, None);
        if status != StatusCode::OK || media_type != "text/event-stream" {
            if let (StatusCode::UNAUTHORIZED, Some(console), Some(token)) =
                (status, self.auth, &token)
            {
                console.forget(token).await;
            }
            let why = format!("it answered {status} with {media_type}");
            return Failure::new(
                Exit::Unreachable,
                "The feed does not answer",
                self.http.clean(&why),
                "what it would have told is not observed",
            );
        }
        let mut events = events(bytes, LONGEST_ENTRY);
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) => return self.ended(&self.http.clean(&cut_off(&error))),
            };
            if event.event.as_deref() == Some(FEED_GAP_EVENT) {
                let count = self.http.clean(event.data.as_deref().unwrap_or("some"));
                self.lost(format!(
                    "{count} entries were dropped before they could be read"
                ));
            } else if let Some(data) = &event.data
                && !take(data)
            {
                // By a newer lab, perhaps: it is missing in the trace, and the trace says so.
                self.lost("an entry is not understood by this hoptrail".to_owned());
            }
            if let Some(id) = event.id.filter(|id| !id.is_empty()) {
                self.last = Some(id);
            }
        }
        self.ended("the other side closed it")
    }

    async fn token(&self) -> Result<Option<Secret>, Failure> {
        match self.auth {
            Some(console) => console.bearer().await.map(Some),
            None => Ok(None),
        }
    }

    fn ended(&self, why: &str) -> Failure {
        Failure::new(
            Exit::Unreachable,
            format!("The feed of {} ended", self.name),
            why,
            "it is taken up again by itself",
        )
    }
}
