//! A folder of somebody's code: the keys in it, and how far it and its server have come.

use std::{collections::BTreeMap, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hoptrail::{
    chapters::{
        Orientation, ProbeResults, Reading,
        expect::Service,
        orientation,
        probe::{Folder, HttpAnswer, HttpProbe, ScopeAnswer},
    },
    runtime::probing::{self, ProbeTargets, env::EnvAt, folder},
};
use rstest::rstest;

use crate::{around, program::Home};

fn project(home: &Home, files: &[(&str, &str)]) -> std::path::PathBuf {
    let root = home.file("support-escalation");
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

#[test]
fn keys_in_files_are_found_by_kind_and_examples_are_none() {
    let home = Home::new();
    let legacy = format!(
        "eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
        URL_SAFE_NO_PAD.encode(r#"{"iss":"supabase","role":"service_role"}"#)
    );
    let root = project(
        &home,
        &[
            ("package.json", "{}"),
            (
                "src/a.ts",
                "// one\nconst k = 'sb_secret_AbCdEf0123456789xyz';\n",
            ),
            (
                "src/b.ts",
                "// sb_secret_... or sb_secret_your_key_goes_here\n",
            ),
            (
                "notes.md",
                "lin_api_0123456789abcdefghij and sk-ant-api03-0123456789abcdef\n",
            ),
            ("old.env", legacy.as_str()),
            // What `npm start` runs is the attendee's own as well.
            ("dist/a.js", "sb_secret_AbCdEf0123456789xyz"),
            ("node_modules/x/index.js", "sb_secret_AbCdEf0123456789xyz"),
        ],
    );
    // Also when the whole clone was named.
    for named in [root.as_path(), home.path()] {
        let Reading::Told(found) = folder::look(named) else {
            panic!("it was not read");
        };
        let secrets: Vec<_> = found
            .secrets
            .iter()
            .map(|one| (one.file.as_str(), one.line, one.opens))
            .collect();
        assert_eq!(
            secrets,
            [
                ("dist/a.js", 1, Service::Supabase),
                ("notes.md", 1, Service::Linear),
                ("notes.md", 1, Service::Anthropic),
                ("old.env", 1, Service::Supabase),
                ("src/a.ts", 2, Service::Supabase),
            ]
        );
    }
}

const PACKAGE: (&str, &str) = (
    "package.json",
    r#"{"dependencies":{"@keycardai/mcp":"0.10.0"}}"#,
);

const LOCK: (&str, &str) = ("src/server.ts", "app.post('/mcp', requireBearerAuth({}))");

const VAULT: (&str, &str) = ("src/keycard.ts", "new AuthProvider({})");

const MASK: (&str, &str) = ("src/pii.ts", "generateText()");

const KEYED: (&str, &str) = ("src/linear.ts", "process.env.LINEAR_API_KEY");

const DELEGATED: (&str, &str) = ("src/linear.ts", "process.env.LINEAR_API_URL");

const REMARKED: (&str, &str) = (
    "src/linear.ts",
    "// was: process.env.LINEAR_API_KEY\n/* or\n LINEAR_API_KEY */\nprocess.env.LINEAR_API_URL",
);

const NOT_YET: (&str, &str) = ("src/pii.ts", "// to be written: generateText()\n");

const ENV_0: (&str, &str) = (".env", "LINEAR_API_KEY=k\nKEYCARD_CLIENT_ID=\n");

const ENV_1: (&str, &str) = (
    ".env",
    "LINEAR_API_KEY=k\nKEYCARD_CLIENT_ID=a\nKEYCARD_CLIENT_SECRET=b\n",
);

/// facts/keycard.md, 1.1.
#[rstest]
#[case(&[("package.json", "{}"), KEYED, ENV_0], 0)]
#[case(&[("package.json", "{}"), KEYED, ENV_1], 1)]
#[case(&[PACKAGE, LOCK, KEYED, ENV_1], 2)]
#[case(&[PACKAGE, LOCK, VAULT, KEYED, ENV_1], 4)]
#[case(&[PACKAGE, LOCK, VAULT, MASK, KEYED, ENV_1], 5)]
#[case(&[PACKAGE, LOCK, VAULT, MASK, DELEGATED, ENV_1], 6)]
#[case(&[PACKAGE, LOCK, VAULT, MASK, REMARKED, ENV_1], 6)]
#[case(&[PACKAGE, LOCK, VAULT, NOT_YET, KEYED, ENV_1], 4)]
#[case::plain_javascript(
    &[
        PACKAGE,
        ("src/server.js", "app.post('/mcp', requireBearerAuth({}))"),
        ("src/keycard.mjs", "new AuthProvider({})"),
        KEYED,
        ENV_1,
    ],
    4
)]
#[tokio::test]
async fn the_code_tells_how_far_somebody_has_come(
    #[case] files: &[(&str, &str)],
    #[case] reached: u8,
) {
    let home = Home::new();
    let root = project(&home, files);
    let found = orient(&root).await;
    assert_eq!(found.reached, reached, "{:?}", found.signs);
    assert!(!found.signs.is_empty());
}

async fn orient(root: &Path) -> Orientation {
    let around = ProbeTargets {
        folder: Some(root.to_owned()),
        ..around("http://127.0.0.1:9/mcp", EnvAt::of(root))
    };
    let results = Box::pin(probing::ask(&orientation::probes(), &around)).await;
    orientation::of(&results, around.person.is_some())
}

/// A folder whose code has come so far.
fn reached_by(code: u8) -> Reading<Folder> {
    Reading::Told(Folder {
        reached: vec![(code, "a file".to_owned())],
        ..Folder::default()
    })
}

#[rstest]
#[case::answers(Some(401), "has it from elsewhere")]
#[case::is_silent(None, "does not start without")]
fn what_the_env_lacks_is_said_with_what_the_server_does(
    #[case] status: Option<u16>,
    #[case] words: &str,
) {
    let answer = status.map(|status| HttpAnswer {
        status,
        www_authenticate: None,
        outcome: None,
    });
    let answers = answer.map(|answer| (HttpProbe::NoToken, Reading::Told(answer)));
    let results = ProbeResults {
        http: answers.into_iter().collect(),
        env: Reading::Told(Vec::new()),
        folder: reached_by(4),
        ..ProbeResults::default()
    };
    let troubles = orientation::of(&results, false).troubles;
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert!(troubles[0].contains("SUPABASE_URL"), "{troubles:?}");
    assert!(troubles[0].contains(words), "{troubles:?}");
}

#[test]
fn a_text_that_is_too_long_to_be_looked_through_is_named() {
    let home = Home::new();
    let long = "INSERT INTO tickets;\n".repeat(300_000);
    let root = project(
        &home,
        &[("package.json", "{}"), ("dump.sql", long.as_str())],
    );
    let mut database = long.into_bytes();
    database.insert(0, 0);
    fs::write(root.join("zone.db"), database).unwrap();
    let Reading::Told(found) = folder::look(&root) else {
        panic!("it was not read");
    };
    assert_eq!(found.unread, ["dump.sql"]);
    assert!(found.secrets.is_empty());
}

#[test]
fn the_servers_behaviour_tells_the_rest() {
    let knock = |status| {
        let answer = HttpAnswer {
            status,
            www_authenticate: None,
            outcome: None,
        };
        BTreeMap::from([(HttpProbe::NoToken, Reading::Told(answer))])
    };
    let refused = ScopeAnswer::Refused {
        policy: Some("set::limit-linear-scopes".to_owned()),
    };
    let at = |code: u8, http, write: Option<ScopeAnswer>, signed_in| {
        let results = ProbeResults {
            http,
            folder: reached_by(code),
            scopes: write
                .map(|answer| ("write".to_owned(), Reading::Told(answer)))
                .into_iter()
                .collect(),
            ..ProbeResults::default()
        };
        orientation::of(&results, signed_in)
    };
    let open = at(6, knock(200), None, false);
    let reached = |code, http, write, signed_in| at(code, http, write, signed_in).reached;
    assert_eq!(reached(2, knock(401), None, false), 2);
    assert_eq!(reached(2, knock(401), None, true), 3);
    assert_eq!(reached(6, knock(401), Some(ScopeAnswer::Issued), true), 6);
    assert_eq!(reached(6, knock(401), Some(refused.clone()), true), 7);
    let nowhere = at(0, knock(404), None, false).troubles;
    assert!(
        nowhere[0].starts_with("nothing is at that path"),
        "{nowhere:?}"
    );
    // Somebody limited the zone before the code came so far.
    assert_eq!(reached(4, knock(401), Some(refused), true), 4);
    // The code is written, but the server that runs is an older one, or does not ask.
    assert_eq!(open.reached, 2);
    assert!(open.troubles[0].contains("chapter 6's") && open.troubles[0].contains("restart"));
    assert_eq!(reached(1, knock(200), None, false), 1);
}
