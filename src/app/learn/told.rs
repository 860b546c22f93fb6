//! What a window tells in words: what a check's question brought back, and how far an attendee's own
//! server has come.

use super::{Ground, Learn};
use crate::{
    app::{App, command::Command, overlay::What, toast::Tone},
    chapters::{
        Probe, ProbeResults, Reading,
        expect::Service,
        probe::{
            ClientAnswer, Folder, HttpAnswer, HttpProbe, ResourceMetadata, ScopeAnswer, TrialEnd,
            Zone,
        },
    },
    protocol::{
        audit::CredentialSource,
        console::Consent,
        env::{EnvKind, EnvLine},
    },
};

/// A line of such a window: what it is about, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub label: String,
    pub text: String,
    pub tone: Tone,
}

impl Told {
    pub(super) fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            text: text.into(),
            tone: Tone::Plain,
        }
    }

    pub(super) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

impl App {
    /// The window's title and its lines; `None` where there is nothing to tell.
    #[must_use]
    pub fn told(&self, what: &What) -> Option<(String, Vec<Told>)> {
        let learn = self.learn.as_ref()?;
        match what {
            What::Changes => None,
            What::LockedOut => Some(super::lock::locked_out()),
            What::Answer(probe) => {
                // With what is known anyway.
                let results = learn.known(&self.projection);
                let lines = answer(probe, &results, self.server_url())?;
                Some((title(probe), lines))
            }
            What::Whereabouts => Some(("Your server".to_owned(), self.whereabouts(learn)?)),
        }
    }

    /// Where the MCP server is; of a lab, what it says.
    fn server_url(&self) -> &str {
        let target = self.projection.target().map(|target| &*target.server);
        let lab = self.projection.lab().map(|lab| &*lab.server);
        let mut known = [target, lab].into_iter().flatten();
        known
            .find(|url| !url.is_empty())
            .unwrap_or("the MCP server")
    }

    fn whereabouts(&self, learn: &Learn) -> Option<Vec<Told>> {
        if learn.ground == Ground::Lab {
            return None;
        }
        let Some(found) = self.orientation() else {
            return Some(vec![Told::new("", "it is being looked at")]);
        };
        let mut lines = vec![if found.signs.is_empty() {
            Told::new("reached", "nothing shows which chapter it is at").toned(Tone::Warning)
        } else {
            let reached = found.reached;
            let text = format!("the end of chapter {reached}, going by what is below");
            Told::new("reached", text).toned(Tone::Good)
        }];
        lines.extend(found.signs.iter().map(|sign| {
            let label = format!("chapter {}", sign.chapter);
            Told::new(label, sign.words.clone())
        }));
        lines.extend(
            found
                .troubles
                .iter()
                .map(|trouble| Told::new("not seen", trouble.clone()).toned(Tone::Bad)),
        );
        let next = u16::from(found.reached) + 1;
        if let Some(chapter) = learn
            .book()
            .number(next)
            .filter(|_| found.troubles.is_empty() && learn.chapter().number != next)
        {
            let key = self.keymap.shown(Command::Contents);
            let text = format!("{next}. {}: {key} lists the chapters", chapter.title);
            lines.push(Told::new("next", text));
        }
        let note = "your files are read and never changed; of a secret only the kind is kept";
        lines.push(Told::new("note", note));
        Some(lines)
    }
}

fn title(probe: &Probe) -> String {
    match probe {
        Probe::Http(_) => "A knock on the server".to_owned(),
        Probe::Metadata => "What the server says of itself".to_owned(),
        Probe::Env => "The .env".to_owned(),
        Probe::Folder => "The project's files".to_owned(),
        Probe::Zone => "What the zone holds".to_owned(),
        Probe::Scope(scope) => format!("An exchange for Linear with {scope}"),
        Probe::Exchange(exchange) => {
            let scope = match exchange.scope {
                Some(scope) => format!(" with {scope}"),
                None => String::new(),
            };
            let service = exchange.service.name();
            format!("An exchange for {service}{scope}, asked once more")
        }
        Probe::Client => "The application's id and secret, shown to the zone".to_owned(),
        Probe::Trials => "Each value, tried on each service".to_owned(),
    }
}

/// An answer in lines; `None` if it was not asked.
fn answer(probe: &Probe, results: &ProbeResults, server: &str) -> Option<Vec<Told>> {
    match probe {
        Probe::Http(knock) => lines(results.http.get(knock)?, |answer| {
            knocked(*knock, answer, server)
        }),
        Probe::Metadata => lines(&results.metadata, metadata),
        Probe::Env => lines(&results.env, |env| env.iter().map(variable).collect()),
        Probe::Folder => lines(&results.folder, folder),
        Probe::Zone => lines(&results.zone, zone),
        Probe::Scope(scope) => lines(results.scopes.get(scope)?, |answer| {
            vec![match answer {
                ScopeAnswer::Issued => {
                    Told::new("answered", "a credential was issued").toned(Tone::Bad)
                }
                ScopeAnswer::Refused { policy } => {
                    let by = policy.as_deref().unwrap_or("a policy that was not named");
                    Told::new("answered", format!("refused by {by}")).toned(Tone::Good)
                }
            }]
        }),
        Probe::Exchange(exchange) => lines(results.exchange(exchange)?, |answer| {
            vec![match answer.reason() {
                None => Told::new("answered", "a credential was issued"),
                Some(reason) => Told::new("answered", reason).toned(Tone::Bad),
            }]
        }),
        Probe::Client => lines(&results.client, |answer| {
            vec![match answer {
                ClientAnswer::Known => Told::new("answered", "it knows them").toned(Tone::Good),
                ClientAnswer::Refused => {
                    Told::new("answered", "it does not know them").toned(Tone::Bad)
                }
                ClientAnswer::NotTried => Told::new(
                    "no answer",
                    "the .env does not say where the zone is, or it was away",
                ),
            }]
        }),
        Probe::Trials => lines(&results.trials, |trials| {
            let mut lines: Vec<Told> = Vec::new();
            for trial in trials {
                let service = trial.service.name();
                let (text, tone) = match trial.ended {
                    TrialEnd::Refused => (format!("{service} refused it"), Tone::Good),
                    TrialEnd::Opened => (format!("{service} took it"), Tone::Bad),
                    TrialEnd::NotTried(why) => (
                        format!("{service} was not given it ({})", why.words()),
                        Tone::Warning,
                    ),
                };
                match lines.last_mut().filter(|line| line.label == trial.variable) {
                    Some(line) => {
                        line.text = format!("{}, {text}", line.text);
                        if tone == Tone::Bad || line.tone == Tone::Good {
                            line.tone = tone;
                        }
                    }
                    None => lines.push(Told::new(trial.variable.clone(), text).toned(tone)),
                }
            }
            lines
        }),
    }
}

fn lines<T>(reading: &Reading<T>, told: impl FnOnce(&T) -> Vec<Told>) -> Option<Vec<Told>> {
    match reading {
        Reading::NotAsked => None,
        Reading::Told(answer) => Some(told(answer)),
        Reading::Unavailable { look_at } => Some(vec![
            Told::new("not here", format!("look at {look_at}")).toned(Tone::Warning),
        ]),
        Reading::Failed { because } => Some(vec![
            Told::new("no answer", because.clone()).toned(Tone::Bad),
        ]),
    }
}

fn knocked(knock: HttpProbe, answer: &HttpAnswer, server: &str) -> Vec<Told> {
    let mut lines = vec![
        Told::new("asked", format!("tools/list at {server}")),
        Told::new("as", knock.words()),
        Told::new("answered", answer.status.to_string()).toned(if answer.status == 401 {
            Tone::Good
        } else {
            Tone::Warning
        }),
    ];
    match &answer.www_authenticate {
        Some(challenge) => lines.push(Told::new("WWW-Authenticate", challenge.clone())),
        None if answer.status == 401 => {
            lines.push(Told::new("WWW-Authenticate", "is missing").toned(Tone::Warning));
        }
        None => {}
    }
    lines
}

fn metadata(document: &ResourceMetadata) -> Vec<Told> {
    vec![
        Told::new("asked of", document.server.clone()),
        Told::new("resource", document.resource.clone()),
        Told::new("its zone", document.authorization_servers.join(" ")),
        Told::new("scopes", document.scopes.join(" ")),
    ]
}

fn variable(line: &EnvLine) -> Told {
    let text = match (&line.value, line.set, line.kind) {
        (_, false, _) => "empty".to_owned(),
        (Some(value), true, _) => value.clone(),
        (None, true, EnvKind::Secret) if line.worth_stealing => {
            "a secret, and worth stealing".to_owned()
        }
        (None, true, _) => "a secret".to_owned(),
    };
    let tone = if line.set && line.worth_stealing {
        Tone::Warning
    } else {
        Tone::Plain
    };
    Told::new(line.name.clone(), text).toned(tone)
}

fn folder(folder: &Folder) -> Vec<Told> {
    let mut lines: Vec<Told> = folder
        .secrets
        .iter()
        .map(|secret| {
            let place = format!("{}, line {}", secret.file, secret.line);
            Told::new(place, format!("a key that opens {}", secret.opens.name())).toned(Tone::Bad)
        })
        .collect();
    if lines.is_empty() {
        let text = "no key of Supabase, Anthropic or Linear";
        lines.push(Told::new("found", text).toned(Tone::Good));
    }
    lines.extend(folder.unread.iter().map(|file| {
        let text = "too long, it was not looked through";
        Told::new(file.clone(), text).toned(Tone::Warning)
    }));
    lines.extend(folder.reached.iter().map(|(chapter, words)| {
        let label = format!("chapter {chapter}");
        Told::new(label, words.clone())
    }));
    lines
}

fn zone(zone: &Zone) -> Vec<Told> {
    let mut lines: Vec<Told> = zone
        .resources
        .iter()
        .map(|resource| {
            let from = match resource.provider {
                Some(CredentialSource::KeycardSts) => "tokens from the zone itself",
                Some(CredentialSource::KeycardVault) if resource.key_in_vault => {
                    "a key from the vault"
                }
                Some(CredentialSource::KeycardVault) => "the vault, which holds no key for it",
                Some(CredentialSource::External) => "tokens from its own OAuth",
                None => "no provider",
            };
            let whose = resource.service.map_or("resource", Service::name);
            Told::new(whose, format!("{}: {from}", resource.identifier))
        })
        .collect();
    for application in &zone.applications {
        let consent = match application.consent {
            Consent::Required => "consent required",
            Consent::Implicit => "consent implicit",
        };
        let depends: Vec<&str> = application
            .depends_on
            .iter()
            .map(|one| one.name())
            .collect();
        lines.push(Told::new(
            "application",
            format!(
                "{}: {consent}; depends on {}; client credentials: {}",
                application.name,
                if depends.is_empty() {
                    "nothing".to_owned()
                } else {
                    depends.join(", ")
                },
                application.credentials.len(),
            ),
        ));
    }
    if lines.is_empty() {
        lines.push(Told::new("", "nothing of the workshop"));
    }
    lines
}
