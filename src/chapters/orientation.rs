//! Which chapter somebody has reached, by their folder, their `.env` and what their server does
//! (facts/keycard.md, 1.1). Each sign is kept, so that a reader can disagree.

use super::{
    Probe, ProbeResults, Reading, Stage,
    probe::{HttpAnswer, HttpProbe, ScopeAnswer},
};
use crate::protocol::env::EnvLine;

/// How far somebody has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orientation {
    /// The last chapter whose end shows.
    pub reached: u8,
    /// What shows it, in the order of the chapters.
    pub signs: Vec<Sign>,
    /// What could not be looked at, and why.
    pub troubles: Vec<String>,
}

/// Something that was seen, and the chapter that puts it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    pub chapter: u8,
    pub words: String,
}

impl Orientation {
    /// What the server is at the end of the chapter that was reached.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        Stage::at_end_of(self.reached)
    }
}

/// What tells how far somebody has come without asking the zone for anything.
pub const AT_REST: [Probe; 3] = [Probe::Env, Probe::Folder, Probe::Http(HttpProbe::NoToken)];

/// What tells how far somebody has come.
#[must_use]
pub fn probes() -> Vec<Probe> {
    let mut probes = AT_REST.to_vec();
    probes.push(Probe::Scope("write".to_owned()));
    probes
}

/// What follows from what was seen; `signed_in` tells that a token for the server is in hand.
#[must_use]
pub fn of(results: &ProbeResults, signed_in: bool) -> Orientation {
    let mut signs = Vec::new();
    let mut sign = |chapter: u8, words: String| signs.push(Sign { chapter, words });
    if let Reading::Told(folder) = &results.folder {
        for (chapter, words) in &folder.reached {
            sign(*chapter, words.clone());
        }
    }
    if let Reading::Told(lines) = &results.env {
        for (chapter, words) in of_env(lines) {
            sign(chapter, words.to_owned());
        }
    }
    let knock = results.http.get(&HttpProbe::NoToken);
    let open = match knock {
        Some(Reading::Told(answer)) if answer.status == 401 => {
            sign(2, "the server answers 401 without a token".to_owned());
            false
        }
        Some(Reading::Told(answer)) if answer.status < 300 => {
            sign(0, "the server answers anyone".to_owned());
            true
        }
        Some(Reading::Told(answer)) => {
            let status = answer.status;
            sign(0, format!("the server answers {status} without a token"));
            false
        }
        Some(Reading::NotAsked | Reading::Unavailable { .. } | Reading::Failed { .. }) | None => {
            false
        }
    };
    if signed_in {
        sign(3, "you are signed in to the server".to_owned());
    }
    let write = match results.scopes.get("write") {
        Some(Reading::Told(answer)) => Some(answer),
        Some(Reading::NotAsked | Reading::Unavailable { .. } | Reading::Failed { .. }) | None => {
            None
        }
    };
    let limited = matches!(write, Some(ScopeAnswer::Refused { .. }));
    if limited {
        sign(7, "the zone refuses write by policy".to_owned());
    }
    signs.sort_by_key(|sign| sign.chapter);
    // The code alone is a floor; a variable that was pasted in early shows nothing by itself, but
    // chapter 1 leaves nothing else behind.
    let code = match &results.folder {
        Reading::Told(folder) => folder.reached.iter().map(|(chapter, _)| *chapter).max(),
        Reading::NotAsked | Reading::Unavailable { .. } | Reading::Failed { .. } => None,
    };
    let by_env = signs_of(&results.env);
    let mut reached = match (code, by_env) {
        (Some(0), env) => env.min(1),
        (Some(code), _) => code,
        (None, env) => env,
    };
    let answers = matches!(knock, Some(Reading::Told(_)));
    let unasked = open.then(|| code.filter(|code| *code >= 2)).flatten();
    if open {
        // Code that asks for a token was written: what it lacks is chapter 2's matter.
        reached = reached.min(if unasked.is_some() { 2 } else { 1 });
    } else if matches!(knock, Some(Reading::Told(answer)) if answer.status == 401) {
        reached = reached.max(2);
    }
    if reached == 2 && signed_in {
        reached = 3;
    }
    if reached == 6 && limited {
        reached = 7;
    } else if reached == 6 && matches!(write, Some(ScopeAnswer::Issued)) {
        let words = "the zone still issues write for Linear".to_owned();
        signs.push(Sign { chapter: 6, words });
    }
    Orientation {
        reached,
        signs,
        troubles: troubles(results)
            .into_iter()
            .chain(nowhere(knock, &results.env))
            .chain(code.and_then(|code| lacking(&results.env, code, answers)))
            .chain(unasked.map(|code| {
                format!(
                    "the folder's code is chapter {code}'s, and the server that answers asks nobody \
                     for a token: restart it, and see that requireBearerAuth stands before /mcp"
                )
            }))
            .collect(),
    }
}

fn troubles(results: &ProbeResults) -> Vec<String> {
    fn of<T>(reading: &Reading<T>) -> Option<&str> {
        match reading {
            Reading::Failed { because } => Some(because),
            Reading::NotAsked | Reading::Told(_) | Reading::Unavailable { .. } => None,
        }
    }
    let knock = results.http.get(&HttpProbe::NoToken);
    [of(&results.env), of(&results.folder), knock.and_then(of)]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect()
}

/// That nothing stands at the path that was called, and what the `.env` says of it.
fn nowhere(knock: Option<&Reading<HttpAnswer>>, env: &Reading<Vec<EnvLine>>) -> Option<String> {
    let Some(Reading::Told(HttpAnswer { status: 404, .. })) = knock else {
        return None;
    };
    let said = match env {
        Reading::Told(lines) => lines.iter().find(|line| line.name == "MCP_RESOURCE_URL"),
        Reading::NotAsked | Reading::Unavailable { .. } | Reading::Failed { .. } => None,
    };
    let named = match said.and_then(|line| line.value.as_deref()) {
        Some(url) => format!(" (MCP_RESOURCE_URL is {url})"),
        None => String::new(),
    };
    Some(format!(
        "nothing is at that path of the server: compare --server with the URL that it prints, /mcp \
         included{named}"
    ))
}

/// What a chapter's code reads from the `.env` (facts/keycard.md, 1.2), and from which chapter on. The
/// port has a default.
const READ: [(u8, &str); 9] = [
    (0, "LINEAR_API_KEY"),
    (0, "LINEAR_TEAM_ID"),
    (2, "KEYCARD_URL"),
    (2, "MCP_RESOURCE_URL"),
    (4, "KEYCARD_CLIENT_ID"),
    (4, "KEYCARD_CLIENT_SECRET"),
    (4, "SUPABASE_URL"),
    (6, "LINEAR_API_URL"),
    (6, "ANTHROPIC_API_URL"),
];

/// The variables that the folder's code reads and the `.env` does not set. A server that `answers` did
/// start, so it has them from somewhere.
fn lacking(env: &Reading<Vec<EnvLine>>, code: u8, answers: bool) -> Option<String> {
    let Reading::Told(lines) = env else {
        return None;
    };
    let is_read = |from: u8, name: &str| from <= code && !(code >= 6 && name == "LINEAR_API_KEY");
    let names: Vec<&str> = READ
        .iter()
        .filter(|(from, name)| is_read(*from, name))
        .filter(|(_, name)| !lines.iter().any(|line| line.name == *name && line.set))
        .map(|(_, name)| *name)
        .collect();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        if answers {
            format!(
                ".env does not set {names}, which the code of chapter {code} reads: the server that \
                 answers has it from elsewhere, or was started before"
            )
        } else {
            format!(
                ".env does not set {names}: the code of chapter {code} reads it and does not start \
                 without"
            )
        }
    })
}

/// The `.env` by itself.
fn signs_of(env: &Reading<Vec<EnvLine>>) -> u8 {
    match env {
        Reading::Told(lines) => of_env(lines)
            .into_iter()
            .map(|(chapter, _)| chapter)
            .max()
            .unwrap_or(0),
        Reading::NotAsked | Reading::Unavailable { .. } | Reading::Failed { .. } => 0,
    }
}

fn of_env(lines: &[EnvLine]) -> Vec<(u8, &'static str)> {
    let set = |name: &str| lines.iter().any(|line| line.name == name && line.set);
    let mut signs = Vec::new();
    if set("LINEAR_API_KEY") && !set("KEYCARD_URL") {
        signs.push((0, ".env has LINEAR_API_KEY and no KEYCARD_URL"));
    }
    if set("KEYCARD_CLIENT_ID") && set("KEYCARD_CLIENT_SECRET") {
        signs.push((1, ".env has KEYCARD_CLIENT_ID and KEYCARD_CLIENT_SECRET"));
    }
    if set("KEYCARD_URL") && set("MCP_RESOURCE_URL") {
        signs.push((2, ".env has KEYCARD_URL and MCP_RESOURCE_URL"));
    }
    if set("SUPABASE_URL") {
        signs.push((4, ".env has SUPABASE_URL"));
    }
    if !set("LINEAR_API_KEY") && set("LINEAR_API_URL") {
        signs.push((6, ".env has LINEAR_API_URL and no LINEAR_API_KEY"));
    }
    signs
}
