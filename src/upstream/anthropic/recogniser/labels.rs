//! Which part of a product a ticket is about, by a weighted vocabulary.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use foldhash::fast::FixedState;
use regex::Regex;

use super::scan::fold;

/// The workshop's labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    Payments,
    Webhooks,
    DataExport,
    Auth,
    Frontend,
    Api,
    Infrastructure,
    Notifications,
}

impl Label {
    pub const ALL: [Self; 8] = [
        Self::Payments,
        Self::Webhooks,
        Self::DataExport,
        Self::Auth,
        Self::Frontend,
        Self::Api,
        Self::Infrastructure,
        Self::Notifications,
    ];

    /// The label as Linear has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Webhooks => "webhooks",
            Self::DataExport => "data-export",
            Self::Auth => "auth",
            Self::Frontend => "frontend",
            Self::Api => "api",
            Self::Infrastructure => "infrastructure",
            Self::Notifications => "notifications",
        }
    }
}

/// A word in the subject says more than one in the body.
const SUBJECT: u32 = 3;
/// A word that is repeated counts this often at most.
const MOST: u32 = 3;

/// Words and pairs of words with how much they say, from 1 (a hint) to 5 (the thing itself).
/// A word ending in `*` stands for all that begin with it.
const VOCABULARY: &[(Label, &[(&str, u32)])] = &[
    (
        Label::Payments,
        &[
            ("payment*", 5),
            ("charge*", 4),
            ("card", 2),
            ("cards", 2),
            ("refund*", 5),
            ("invoice*", 3),
            ("billing", 4),
            ("billed", 4),
            ("checkout", 5),
            ("transaction*", 3),
            ("subscription*", 3),
            ("price*", 2),
            ("pricing", 3),
            ("currency", 3),
            ("vat", 4),
            ("tax", 2),
            ("coupon*", 4),
            ("paypal", 4),
            ("sepa", 5),
            ("iban", 3),
            ("payout*", 5),
            ("paid", 2),
            ("double charge", 5),
            ("debited", 4),
            ("bank", 2),
            ("receipt*", 2),
            ("renewal*", 2),
            ("cart", 3),
            ("purchase*", 2),
            ("credit card", 2),
            ("dispute*", 3),
            ("chargeback*", 5),
            ("amount", 1),
            ("3ds", 4),
            ("apple pay", 5),
            ("idempotency", 2),
            ("captured", 2),
            ("stripe", 2),
            ("plan", 1),
            ("seats", 1),
            ("discount*", 3),
        ],
    ),
    (
        Label::Webhooks,
        &[
            ("webhook*", 6),
            ("callback url", 5),
            ("deliveries", 2),
            ("delivery", 1),
            ("endpoint", 1),
            ("whsec", 2),
            ("signing", 1),
            ("event", 1),
            ("events", 1),
            ("payload*", 2),
            ("retries", 1),
            ("signature", 2),
            ("hook", 3),
            ("hooks", 3),
            ("subscriber*", 1),
            ("signing secret", 3),
        ],
    ),
    (
        Label::DataExport,
        &[
            ("export*", 6),
            ("csv", 5),
            ("download*", 2),
            ("xlsx", 5),
            ("excel", 3),
            ("spreadsheet*", 3),
            ("truncat*", 3),
            ("rows", 2),
            ("report", 1),
            ("reports", 1),
            ("dump", 2),
            ("backup", 1),
            ("import", 1),
            ("pdf", 2),
            ("gdpr", 2),
            ("data request", 3),
            ("takeout", 4),
            ("parquet", 4),
            ("archive", 1),
            ("column*", 1),
            ("delimiter", 3),
            ("encoding", 2),
            ("utf", 1),
            ("bulk", 1),
        ],
    ),
    (
        Label::Auth,
        &[
            ("sso", 6),
            ("verif*", 2),
            ("login*", 5),
            ("log in", 5),
            ("logged out", 5),
            ("signin", 5),
            ("sign in", 5),
            ("sign on", 5),
            ("signed out", 4),
            ("saml", 5),
            ("oauth*", 5),
            ("oidc", 5),
            ("scim", 3),
            ("password*", 2),
            ("mfa", 5),
            ("2fa", 5),
            ("otp", 4),
            ("passkey*", 5),
            ("session*", 3),
            ("token", 1),
            ("tokens", 1),
            ("jwt", 3),
            ("permission*", 3),
            ("role", 1),
            ("roles", 2),
            ("unauthorized", 3),
            ("forbidden", 2),
            ("401", 2),
            ("403", 1),
            ("authenticat*", 5),
            ("authoriz*", 3),
            ("identity", 2),
            ("idp", 3),
            ("okta", 3),
            ("entra", 3),
            ("locked out", 5),
            ("lockout", 5),
            ("account locked", 5),
            ("credential*", 1),
            ("reset link", 4),
            ("magic link", 5),
            ("captcha", 3),
            ("two factor", 5),
            ("authenticator", 4),
            ("invite", 1),
            ("access denied", 3),
            ("expired", 1),
        ],
    ),
    (
        Label::Frontend,
        &[
            ("dark mode", 6),
            ("theme*", 5),
            ("button*", 4),
            ("css", 5),
            ("layout*", 5),
            ("ui", 4),
            ("browser*", 2),
            ("chrome", 1),
            ("firefox", 2),
            ("safari", 2),
            ("page", 1),
            ("screen*", 2),
            ("render*", 4),
            ("font*", 3),
            ("blank page", 5),
            ("white screen", 5),
            ("display*", 2),
            ("scroll*", 4),
            ("modal", 5),
            ("dropdown", 5),
            ("localstorage", 4),
            ("javascript", 3),
            ("responsive", 4),
            ("mobile view", 4),
            ("sidebar", 5),
            ("tooltip*", 5),
            ("icon*", 3),
            ("light", 1),
            ("flicker*", 4),
            ("accessibility", 4),
            ("screen reader", 5),
            ("typo", 3),
            ("translation*", 3),
            ("date picker", 5),
            ("overlap*", 4),
            ("contrast", 4),
            ("drag", 3),
            ("console", 1),
            ("keyboard", 2),
            ("zoom", 1),
            ("viewport", 4),
            ("widget*", 3),
            ("chart*", 3),
            ("dashboard", 1),
            ("app crash*", 3),
            ("form", 1),
            ("react", 2),
            ("typeerror", 3),
            ("click*", 1),
            ("tab", 1),
            ("cursor", 2),
        ],
    ),
    (
        Label::Api,
        &[
            ("api", 4),
            ("cli", 4),
            ("nullpointer*", 5),
            ("exception", 2),
            ("upload", 1),
            ("rest", 1),
            ("graphql", 5),
            ("sdk*", 4),
            ("endpoint*", 3),
            ("rate limit*", 5),
            ("429", 4),
            ("ratelimit*", 5),
            ("json", 2),
            ("http", 1),
            ("422", 3),
            ("400", 1),
            ("404", 1),
            ("500", 1),
            ("curl", 3),
            ("pagina*", 4),
            ("query parameter*", 4),
            ("request body", 4),
            ("request", 1),
            ("requests", 1),
            ("response", 1),
            ("openapi", 5),
            ("swagger", 5),
            ("client library", 4),
            ("deprecat*", 3),
            ("schema", 2),
            ("v2", 1),
            ("integration", 1),
            ("get", 1),
            ("post", 1),
            ("patch", 1),
            ("content type", 3),
            ("api key*", 2),
            ("cursor", 1),
        ],
    ),
    (
        Label::Infrastructure,
        &[
            ("outage*", 6),
            ("downtime", 6),
            ("down", 2),
            ("latency", 5),
            ("slow*", 3),
            ("timeout*", 2),
            ("timed out", 2),
            ("region*", 3),
            ("migrat*", 3),
            ("server", 2),
            ("servers", 3),
            ("dns", 6),
            ("certificate*", 5),
            ("tls", 4),
            ("ssl", 4),
            ("cluster*", 4),
            ("kubernetes", 5),
            ("pod*", 3),
            ("database*", 3),
            ("deploy*", 3),
            ("replica*", 4),
            ("memory", 3),
            ("cpu", 4),
            ("disk", 4),
            ("oom*", 5),
            ("504", 2),
            ("502", 3),
            ("503", 3),
            ("gateway", 2),
            ("load balancer", 6),
            ("failover", 6),
            ("cdn", 4),
            ("cache*", 2),
            ("network", 3),
            ("vpn", 4),
            ("firewall", 4),
            ("ip allowlist", 4),
            ("storage", 2),
            ("postgres*", 3),
            ("redis", 3),
            ("queue", 2),
            ("unreachable", 4),
            ("connection refused", 4),
            ("us east", 2),
            ("eu central", 2),
            ("hostname*", 2),
            ("maintenance", 3),
            ("node*", 1),
            ("docker", 3),
            ("terraform", 4),
            ("s3", 2),
            ("backup*", 2),
        ],
    ),
    (
        Label::Notifications,
        &[
            ("notification*", 6),
            ("notify", 4),
            ("notified", 4),
            ("push", 4),
            ("sms", 4),
            ("alert*", 4),
            ("reminder*", 5),
            ("digest", 4),
            ("unsubscribe*", 4),
            ("emails", 2),
            ("newsletter*", 4),
            ("inbox", 2),
            ("spam", 3),
            ("mail", 1),
            ("mails", 3),
            ("bounce*", 3),
            ("dkim", 4),
            ("spf", 4),
            ("dmarc", 4),
            ("slack", 2),
            ("not received", 2),
            ("never arrive*", 3),
            ("confirmation email", 4),
            ("email template*", 3),
            ("mute*", 3),
            ("snooze", 3),
        ],
    ),
];

type Table<Key, Entry> = HashMap<Key, Vec<Entry>, FixedState>;

#[derive(Default)]
struct Vocabulary {
    whole: Table<&'static str, (Label, u32)>,
    /// By their first three letters.
    prefixes: Table<[u8; 3], (&'static str, Label, u32)>,
}

static INDEX: LazyLock<Vocabulary> = LazyLock::new(|| {
    let mut index = Vocabulary::default();
    for (label, words) in VOCABULARY {
        for (word, weight) in *words {
            match word.strip_suffix('*') {
                Some(prefix) => {
                    let bytes = prefix.as_bytes();
                    if let [a, b, c, ..] = *bytes {
                        index
                            .prefixes
                            .entry([a, b, c])
                            .or_default()
                            .push((prefix, *label, *weight));
                    }
                }
                None => index.whole.entry(word).or_default().push((*label, *weight)),
            }
        }
    }
    index
});

impl Vocabulary {
    fn look_up(&self, word: &str, mut found: impl FnMut(&'static str, Label, u32)) {
        if let Some((known, entries)) = self.whole.get_key_value(word) {
            for (label, weight) in entries {
                found(known, *label, *weight);
            }
        }
        if let [a, b, c, ..] = *word.as_bytes()
            && let Some(entries) = self.prefixes.get(&[a, b, c])
        {
            for (prefix, label, weight) in entries {
                if word.starts_with(prefix) {
                    found(prefix, *label, *weight);
                }
            }
        }
    }
}

/// `[CREDIT_CARD_1]` says what somebody pasted and nothing about the trouble.
fn without_placeholders(text: &str) -> Cow<'_, str> {
    static PLACEHOLDER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\[[A-Z_]{3,11}_[0-9]+\]").expect("a constant pattern"));
    PLACEHOLDER.replace_all(text, " ")
}

/// One to three labels, the best first. `subject` and `body` are masked already, so that a name or
/// an address does not decide.
pub fn labels(subject: &str, body: &str) -> Vec<Label> {
    let mut counts: HashMap<(&'static str, Label), u32> = HashMap::new();
    let mut scores: HashMap<Label, u32> = HashMap::new();
    for (text, factor) in [(subject, SUBJECT), (body, 1)] {
        let folded = fold(&without_placeholders(text));
        let (mut previous, mut pair) = ("", String::new());
        for word in folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty() && word.len() <= 32)
        {
            let mut count = |known: &'static str, label: Label, weight: u32| {
                let times = counts.entry((known, label)).or_default();
                if *times < MOST {
                    *times += 1;
                    *scores.entry(label).or_default() += weight * factor;
                }
            };
            INDEX.look_up(word, &mut count);
            if !previous.is_empty() && previous.len() + word.len() < 32 {
                pair.clear();
                pair.extend([previous, " ", word]);
                INDEX.look_up(&pair, |known, label, weight| {
                    if known.contains(' ') {
                        count(known, label, weight);
                    }
                });
            }
            previous = word;
        }
    }
    let mut ranked: Vec<(Label, u32)> = scores.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let best = ranked.first().map_or(0, |(_, score)| *score);
    let hint = ranked.first().map(|(label, _)| *label);
    let chosen: Vec<Label> = ranked
        .into_iter()
        .filter(|(_, score)| *score >= 5 && *score * 5 >= best * 2)
        .map(|(label, _)| label)
        .take(3)
        .collect();
    if chosen.is_empty() {
        // Somebody must look at it; what nobody recognises is most often seen in the interface.
        return vec![hint.unwrap_or(Label::Frontend)];
    }
    chosen
}
