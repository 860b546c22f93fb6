//! The server's settings: the variables of the workshop's `.env` that a stage needs, and `PORT`.
//!
//! Reads nothing itself: the caller hands in a way to look a name up. Everything that is wrong is
//! told at once, before a port opens.

mod address;
mod reader;

use std::fmt;

use reader::Reader;

use super::stage::Stage;
use crate::{
    protocol::{observed::Upstream, secret::Secret},
    support::{
        error::{Exit, Failure},
        loopback::is_plain_loopback,
    },
};

pub use address::{Address, AddressError};

/// Where the server listens when `PORT` says nothing.
pub const DEFAULT_PORT: u16 = 8000;

/// The path of the MCP endpoint; the workshop's server has no other.
pub const MCP_PATH: &str = "/mcp";

/// Where the code of the earlier chapters finds Linear. The variable of chapter 6 counts before it
/// when it is set: that is ours, so that such a server can stand against a lab as well.
const LINEAR_ADDRESS: &str = "https://api.linear.app";

/// The same for the model, in chapter 5.
const ANTHROPIC_ADDRESS: &str = "https://api.anthropic.com";

/// What the server was told. [`Settings::for_stage`] makes sure that it makes sense, and that what
/// the stage needs, and only that, is there.
#[derive(Debug, Clone)]
pub struct Settings {
    pub port: u16,
    stage: Stage,
    gate: Option<Gate>,
    application: Option<Application>,
    linear_key: Option<Secret>,
    supabase: Option<Address>,
    anthropic: Option<Address>,
    linear: Address,
    linear_team: String,
    /// What is odd but not wrong; the caller shows it.
    pub warnings: Vec<Failure>,
}

/// Whose tokens open `/mcp`.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The zone's issuer (`KEYCARD_URL`), byte for byte: tokens are compared with it.
    pub zone: Address,
    /// This server as the zone knows it (`MCP_RESOURCE_URL`): the audience of every token.
    pub resource: Address,
}

/// Who the server is at the zone.
#[derive(Debug, Clone)]
pub struct Application {
    pub client_id: String,
    pub client_secret: Secret,
}

/// Everything that was wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFaults(pub Vec<Failure>);

impl SettingFaults {
    /// All of it as one failure, for a place that shows one.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        let names: Vec<_> = self.0.iter().map(|fault| fault.what.clone()).collect();
        let why: Vec<_> = self.0.iter().map(|fault| fault.why.clone()).collect();
        let mut next: Vec<_> = self.0.iter().map(|fault| fault.next.clone()).collect();
        next.dedup();
        Failure::new(
            Exit::Usage,
            names.join("; "),
            why.join("; "),
            next.join("; "),
        )
    }
}

impl fmt::Display for SettingFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingFaults {}

impl Settings {
    /// Settings from variables; `lookup` gives a variable's value by its name. A blank value
    /// counts as missing, since `.env.example` ships blank lines. What the stage does not need is
    /// not looked at.
    ///
    /// # Errors
    /// Every variable that is missing or malformed, by name.
    pub fn for_stage(
        stage: Stage,
        lookup: impl Fn(&str) -> Option<Secret>,
    ) -> Result<Self, SettingFaults> {
        let mut reader = Reader {
            lookup: &lookup,
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        let port = reader.port();
        let gate = stage.demands_bearer().then(|| reader.gate(port)).flatten();
        let brokers = stage.reads_datastore();
        let application = brokers.then(|| reader.application()).flatten();
        let supabase = brokers
            .then(|| reader.upstream("SUPABASE_URL", "the ticket database"))
            .flatten();
        let (model, model_is) = ("ANTHROPIC_API_URL", "the model that masks tickets");
        let anthropic = match stage {
            Stage::Open | Stage::Protected | Stage::Datastore => None,
            Stage::Masked => reader.upstream_or(model, model_is, ANTHROPIC_ADDRESS),
            Stage::Delegated => reader.upstream(model, model_is),
        };
        let (name, purpose) = ("LINEAR_API_URL", "where issues are filed");
        let (linear, linear_key) = if stage.delegates_linear() {
            (reader.upstream(name, purpose), None)
        } else {
            (
                reader.upstream_or(name, purpose, LINEAR_ADDRESS),
                reader.secret("LINEAR_API_KEY", "the key that issues are filed with"),
            )
        };
        let linear_team = reader.text("LINEAR_TEAM_ID", "the Linear team that gets the issues");

        let Reader {
            faults, warnings, ..
        } = reader;
        match (port, linear, linear_team) {
            (Some(port), Some(linear), Some(linear_team)) if faults.is_empty() => Ok(Self {
                port,
                stage,
                gate,
                application,
                linear_key,
                supabase,
                anthropic,
                linear,
                linear_team,
                warnings,
            }),
            _ => Err(SettingFaults(faults)),
        }
    }

    /// Which of the workshop's servers this is.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// Whose tokens are accepted; from chapter 2 on.
    #[must_use]
    pub const fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    /// Who exchanges tokens; from chapter 4 on.
    #[must_use]
    pub const fn application(&self) -> Option<&Application> {
        self.application.as_ref()
    }

    /// The key that opens a service without any exchange: Linear's, until chapter 6 takes it away.
    #[must_use]
    pub const fn key(&self, upstream: Upstream) -> Option<&Secret> {
        match upstream {
            Upstream::Supabase | Upstream::Anthropic => None,
            Upstream::Linear => self.linear_key.as_ref(),
        }
    }

    /// The Linear team that gets the issues.
    #[must_use]
    pub fn linear_team(&self) -> &str {
        &self.linear_team
    }

    /// Where a service is, and the name it has at the zone; none if the stage does not call it.
    #[must_use]
    pub const fn upstream(&self, upstream: Upstream) -> Option<&Address> {
        match upstream {
            Upstream::Supabase => self.supabase.as_ref(),
            Upstream::Anthropic => self.anthropic.as_ref(),
            Upstream::Linear => Some(&self.linear),
        }
    }

    /// True if all that the server calls is plain HTTP on this computer.
    #[must_use]
    pub fn is_all_loopback(&self) -> bool {
        let zone = self.gate.as_ref().map(|gate| &gate.zone);
        [zone, self.supabase.as_ref(), self.anthropic.as_ref()]
            .into_iter()
            .flatten()
            .chain([&self.linear])
            .all(|address| is_plain_loopback(&address.url))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::*;

    fn good() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("KEYCARD_URL", "https://zone.keycard.cloud"),
            ("MCP_RESOURCE_URL", "http://localhost:8000/mcp"),
            ("KEYCARD_CLIENT_ID", "app"),
            ("KEYCARD_CLIENT_SECRET", "s3cr3t"),
            ("SUPABASE_URL", "https://x.supabase.co"),
            ("ANTHROPIC_API_URL", "https://api.anthropic.com"),
            ("LINEAR_API_URL", "https://api.linear.app"),
            ("LINEAR_TEAM_ID", "030eb113-b144-44f8-864f-c0507c21e80d"),
        ])
    }

    fn read(vars: &BTreeMap<&str, &str>) -> Result<Settings, SettingFaults> {
        read_at(Stage::Delegated, vars)
    }

    fn read_at(stage: Stage, vars: &BTreeMap<&str, &str>) -> Result<Settings, SettingFaults> {
        Settings::for_stage(stage, |name| {
            vars.get(name).map(|value| Secret::from(*value))
        })
    }

    #[test]
    fn the_workshops_env_is_understood() {
        let settings = read(&good()).unwrap();
        assert_eq!(settings.port, DEFAULT_PORT);
        let linear = settings.upstream(Upstream::Linear).unwrap();
        assert_eq!(linear.join("/graphql"), "https://api.linear.app/graphql");
        assert!(settings.warnings.is_empty());
        assert!(!format!("{settings:?}").contains("s3cr3t"));
    }

    #[test]
    fn every_missing_variable_is_named_at_once() {
        let faults = read(&BTreeMap::from([("KEYCARD_CLIENT_ID", " ")])).unwrap_err();
        let told = faults.to_string();
        for name in good().keys() {
            assert!(
                told.contains(&format!("{name} is missing")),
                "{name}: {told}"
            );
        }
        assert_eq!(faults.0.len(), 8);
    }

    #[test]
    fn each_stage_needs_its_own_variables_and_no_other() {
        let mut all = good();
        all.insert("LINEAR_API_KEY", "lin_api_x");
        for stage in Stage::ALL {
            let needed: BTreeMap<_, _> = all
                .iter()
                .filter(|(name, _)| stage.variables().contains(name))
                .map(|(name, value)| (*name, *value))
                .collect();
            assert_eq!(needed.len(), stage.variables().len());
            let settings = read_at(stage, &needed).unwrap_or_else(|f| panic!("{stage:?}: {f}"));
            assert_eq!(settings.stage(), stage);
            assert!(!format!("{settings:?}").contains("lin_api_x"));
            for (upstream, called) in [
                (Upstream::Supabase, stage.reads_datastore()),
                (Upstream::Anthropic, stage.masks()),
            ] {
                let known = settings.upstream(upstream).is_some();
                assert_eq!(known, called, "{stage:?}");
            }
            let has_key = settings.key(Upstream::Linear).is_some();
            assert_eq!(has_key, !stage.delegates_linear(), "{stage:?}");

            let faults = read_at(stage, &BTreeMap::from([("KEYCARD_CLIENT_ID", " ")])).unwrap_err();
            let told: Vec<_> = faults.0.iter().map(|fault| fault.what.clone()).collect();
            assert_eq!(told.len(), stage.variables().len(), "{told:?}");
            for name in stage.variables() {
                assert!(told.contains(&format!("{name} is missing")), "{told:?}");
            }
        }
    }

    #[test]
    fn what_a_stage_does_not_need_may_be_as_it_likes() {
        let mut vars = BTreeMap::from([
            ("LINEAR_API_KEY", "lin_api_x"),
            ("LINEAR_TEAM_ID", "team"),
            ("KEYCARD_URL", "nonsense"),
            ("SUPABASE_URL", "nonsense"),
        ]);
        assert!(read_at(Stage::Open, &vars).is_ok());
        assert_eq!(read_at(Stage::Protected, &vars).unwrap_err().0.len(), 2);
        vars.insert("LINEAR_API_KEY", "lin_api_x\ny");
        vars.insert("PORT", "eighty");
        let faults = read_at(Stage::Open, &vars).unwrap_err();
        assert_eq!(faults.0.len(), 2, "{faults}");
        assert!(!faults.to_string().contains("lin_api_x"));
    }

    #[test]
    fn addresses_that_are_built_in_may_be_moved() {
        let mut vars = good();
        vars.insert("LINEAR_API_KEY", "lin_api_x");
        let linear = |settings: &Settings| settings.upstream(Upstream::Linear).cloned().unwrap();
        vars.remove("LINEAR_API_URL");
        vars.remove("ANTHROPIC_API_URL");
        let settings = read_at(Stage::Masked, &vars).unwrap();
        assert_eq!(linear(&settings).text, LINEAR_ADDRESS);
        let anthropic = settings.upstream(Upstream::Anthropic).unwrap();
        assert_eq!(anthropic.text, ANTHROPIC_ADDRESS);
        vars.insert("LINEAR_API_URL", "http://127.0.0.1:9");
        let settings = read_at(Stage::Masked, &vars).unwrap();
        assert_eq!(linear(&settings).text, "http://127.0.0.1:9");
        vars.insert("LINEAR_API_URL", "nowhere");
        assert_eq!(read_at(Stage::Open, &vars).unwrap_err().0.len(), 1);
    }

    #[rstest]
    #[case("KEYCARD_URL", "zone.keycard.cloud", "no scheme")]
    #[case("KEYCARD_URL", "https://zone.keycard.cloud/", "ends in a slash")]
    #[case("KEYCARD_URL", "ftp://zone.keycard.cloud", "not http or https")]
    #[case("KEYCARD_URL", "http://zone.keycard.cloud", "unencrypted")]
    #[case("KEYCARD_URL", "https://a:b@zone", "user name or password")]
    #[case("MCP_RESOURCE_URL", "http://localhost:8000/mcp/", "ends in a slash")]
    #[case("MCP_RESOURCE_URL", "http://localhost:8000/mcp?a=b", "a query")]
    #[case("SUPABASE_URL", "https://", "no URL")]
    #[case("SUPABASE_URL", "https://x.supabase.co/rest/v1", "ends in /rest/v1")]
    #[case("ANTHROPIC_API_URL", "https://api.anthropic.com/v1", "ends in /v1")]
    #[case(
        "LINEAR_API_URL",
        "https://api.linear.app/graphql/",
        "ends in /graphql"
    )]
    #[case("PORT", "eighty", "no number")]
    #[case("PORT", "0", "no number")]
    #[case("PORT", "70000", "no number")]
    #[case("KEYCARD_CLIENT_ID", "a:b", "colon")]
    #[case("KEYCARD_CLIENT_SECRET", "a\nb", "line break")]
    fn a_malformed_variable_is_named(
        #[case] name: &'static str,
        #[case] value: &'static str,
        #[case] why: &str,
    ) {
        let mut vars = good();
        vars.insert(name, value);
        let faults = read(&vars).unwrap_err();
        assert_eq!(faults.0.len(), 1, "{faults}");
        assert!(
            faults.0[0].what.contains(name) && faults.0[0].why.contains(why),
            "{faults}"
        );
    }

    #[rstest]
    #[case("PORT", "8001", "do not agree")]
    #[case(
        "MCP_RESOURCE_URL",
        "http://localhost:8000/other",
        "does not end in /mcp"
    )]
    #[case("LINEAR_API_URL", "https://api.linear.app/", "ends in a slash")]
    #[case("SUPABASE_URL", "http://db.example", "not encrypted")]
    fn what_is_odd_is_only_warned_of(
        #[case] name: &'static str,
        #[case] value: &'static str,
        #[case] what: &str,
    ) {
        let mut vars = good();
        vars.insert(name, value);
        let warnings = read(&vars).unwrap().warnings;
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].what.contains(what), "{warnings:?}");
    }
}
