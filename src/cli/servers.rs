//! `hoptrail lab` and `hoptrail serve`: servers that run until they are told to stop.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    net::{IpAddr, SocketAddr},
    path::Path,
};

use super::{
    args::{Common, LabArgs, LabPart},
    say,
};
use crate::{
    lab::{
        self, Chapter, LabConfig, LabHandle, LinearService, Ports, ServerPart, Service, ZonePart,
        env_file,
    },
    protocol::{env::EnvFile, oauth::ClientCredential, secret::Secret},
    runtime::signals::Signals,
    server::{
        self, Address, Stage,
        settings::{SettingFaults, Settings},
    },
    support::{
        clock::SystemClock,
        error::{Exit, Failure},
        files,
        ids::Ids,
        paths,
        text::shell_word,
    },
};

/// The settings' file, as the workshop has it.
const DEFAULT_ENV: &str = ".env";

/// Where the workshop's server is reached when it runs on this computer.
const OWN_SERVER: &str = "http://localhost:8000/mcp";

/// No such file has more bytes.
const LARGEST_ENV: u64 = 1024 * 1024;

/// Runs the lab until Ctrl-C or SIGTERM.
pub async fn lab(common: &Common, args: LabArgs) -> Result<Exit, Failure> {
    let state = paths::state_dir(common.state.as_deref())?;
    if args.reset {
        lab::reset(&state).await?;
    }
    let config = lab_config(
        &args,
        LabConfig::new(Some(state.clone()), SystemClock::shared(), Ids::system()),
    )?;
    let mut signals = Signals::listen();
    let lab = lab::start(config).await?;
    let _access = match &lab.console {
        Some(console) => {
            let zone = &lab.endpoints.zone;
            Some(lab::access::leave(&state, zone, console, Ids::system())?)
        }
        None => None,
    };
    if let Some(path) = &args.write_env {
        env_file::write(path, &lab.env(), lab.stage().await)?;
    }
    say(&describe(&lab, lab.stage().await, common, &args))?;
    signals.next().await;
    say("\nStopping.\n")?;
    lab.stop().await;
    Ok(Exit::Ok)
}

fn lab_config(args: &LabArgs, config: LabConfig) -> Result<LabConfig, Failure> {
    check_without(args)?;
    let service = |flag: &str, url: &Option<String>, key: &str| match url {
        None => Ok::<_, Failure>(Service::StandIn),
        Some(url) => Ok(Service::Real {
            url: origin(flag, url)?,
            key: Some(variable(key).ok_or_else(|| no_key(flag, key))?),
        }),
    };
    Ok(LabConfig {
        stage: args.stage.map(Chapter::new).transpose()?,
        ports: Ports {
            server: args.server_port,
            zone: args.zone_port,
            supabase: args.supabase_port,
            anthropic: args.anthropic_port,
            linear: args.linear_port,
            github: args.github_port,
        },
        server: if args.without.contains(&LabPart::Server) {
            ServerPart::Yours(endpoint(args)?)
        } else {
            ServerPart::Own
        },
        supabase: service("--supabase-url", &args.supabase_url, "SUPABASE_SECRET_KEY")?,
        anthropic: service("--anthropic-url", &args.anthropic_url, "ANTHROPIC_API_KEY")?,
        linear: match &args.linear_url {
            None => LinearService::StandIn,
            Some(url) => LinearService::Real {
                url: origin("--linear-url", url)?,
                client: credential("LINEAR_CLIENT_ID", "LINEAR_CLIENT_SECRET"),
                key: variable("LINEAR_API_KEY"),
            },
        },
        zone: match &args.keycard_url {
            None => ZonePart::StandIn,
            Some(url) => real_zone(url)?,
        },
        ..config
    })
}

fn no_key(flag: &str, variable: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("{flag} needs the service's key"),
        format!("{variable} is not set, and the zone's vault would have nothing to hand out"),
        format!("set {variable}, or leave {flag} out to work with the stand-in"),
    )
}

fn real_zone(url: &str) -> Result<ZonePart, Failure> {
    let credential = credential("KEYCARD_CLIENT_ID", "KEYCARD_CLIENT_SECRET").ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "A real zone needs the application's credential",
            "KEYCARD_CLIENT_ID or KEYCARD_CLIENT_SECRET is not set",
            "take both from the application's page in the zone's console",
        )
    })?;
    Ok(ZonePart::Real {
        url: origin("--keycard-url", url)?,
        credential,
    })
}

/// A service's URL as a resource indicator: exactly as written, without a slash at the end.
fn origin(flag: &str, url: &str) -> Result<String, Failure> {
    let url = url.trim_end_matches('/').to_owned();
    let address = Address::parse(url).map_err(|why| {
        Failure::new(
            Exit::Usage,
            format!("{flag} is no URL of a service"),
            why.to_string(),
            "write it whole, like https://api.linear.app",
        )
    })?;
    Ok(address.text)
}

/// The endpoint of the attendee's own server, which is its name at the zone too.
fn endpoint(args: &LabArgs) -> Result<String, Failure> {
    let url = args.mcp_url.as_deref().unwrap_or(OWN_SERVER);
    let refused = |why: String| {
        Failure::new(
            Exit::Usage,
            "--mcp-url is no MCP endpoint",
            why,
            format!("write it as the server's MCP_RESOURCE_URL has it, like {OWN_SERVER}"),
        )
    };
    let address = Address::parse(url.to_owned()).map_err(|why| refused(why.to_string()))?;
    if address.text.ends_with('/') {
        return Err(refused(
            "it ends in a slash, and a token's audience is compared with it byte for byte"
                .to_owned(),
        ));
    }
    Ok(address.text)
}

/// What would be passed over: who wrote it meant something by it.
fn check_without(args: &LabArgs) -> Result<(), Failure> {
    let without_server = args.without.contains(&LabPart::Server);
    let (what, why) = match (without_server, &args.mcp_url, args.server_port) {
        (false, Some(_), _) => (
            "--mcp-url does not go without --without server",
            "the lab serves its own server, and that names itself",
        ),
        (true, _, Some(_)) => (
            "--server-port does not go with --without server",
            "the lab opens no port for a server that is yours",
        ),
        (true, _, None) | (false, None, _) => return Ok(()),
    };
    Err(Failure::new(
        Exit::Usage,
        what,
        why,
        "leave one of them out; `hoptrail lab --help` tells what each does",
    ))
}

fn credential(id: &str, secret: &str) -> Option<ClientCredential> {
    Some(ClientCredential {
        client_id: variable(id)?.expose().clone(),
        client_secret: variable(secret)?,
    })
}

fn variable(name: &str) -> Option<Secret> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .map(Secret::new)
}

fn describe(lab: &LabHandle, stage: Chapter, common: &Common, args: &LabArgs) -> String {
    let at = &lab.endpoints;
    let server = if args.without.contains(&LabPart::Server) {
        "MCP server (yours)"
    } else {
        "MCP server"
    };
    let mut text = format!(
        "The lab answers. Everything listens on this computer only.\n\n  \
         {server:<20} {}\n  {:<20} {}\n  {:<20} {}\n  {:<20} {}\n  {:<20} {}\n",
        at.server,
        "zone",
        at.zone,
        "Supabase",
        at.supabase,
        "Anthropic",
        at.anthropic,
        "Linear",
        at.linear,
    );
    if let Some(github) = &lab.github {
        let _ = writeln!(text, "  {:<20} {github}", "GitHub");
    }
    text.push('\n');
    if args.stage.is_some() {
        let _ = writeln!(
            text,
            "As at the end of chapter {}: {}.",
            stage.number(),
            stage.stage().in_plain_words()
        );
        if lab.console.is_some() {
            let _ = writeln!(text, "Active policy set: {}.", stage.policy_set());
        }
        text.push('\n');
    }
    if let Some(path) = &args.write_env {
        let _ = writeln!(
            text,
            "{} is complete; start your server with it.",
            path.display()
        );
        if !stage.stage().delegates_linear() {
            let _ = writeln!(
                text,
                "The workshop's own server of this chapter has api.linear.app built in (and, in \
                 chapter 5,\napi.anthropic.com), where the lab's keys open nothing. hoptrail's goes \
                 to the lab:\n  LINEAR_API_URL={} ANTHROPIC_API_URL={} \\\n    hoptrail serve \
                 --stage {} --env-file {}",
                at.linear,
                at.anthropic,
                stage.number(),
                shell_word(&path.display().to_string())
            );
        }
    }
    let kept = common.state.as_deref();
    let kept = kept.map_or_else(String::new, |dir| {
        format!(" --state {}", shell_word(&dir.display().to_string()))
    });
    let aim = format!("--lab {}{kept}", at.zone);
    let yours = if args.without.contains(&LabPart::Server) {
        format!("\nGo through the chapters with `hoptrail learn {aim} --project DIR`.\n")
    } else {
        " ".to_owned()
    };
    let _ = match &lab.console {
        Some(_) => writeln!(
            text,
            "Watch it with `hoptrail {aim}`.{yours}Ctrl-C stops the lab."
        ),
        // A real zone cannot tell where the lab's parts are.
        None => writeln!(
            text,
            "Drive it with `hoptrail --server {}`. Ctrl-C stops the lab.",
            at.server
        ),
    };
    text
}

/// Runs the support-escalation MCP server alone.
///
/// The settings are in the file that was named, which must be there; else in `.env`, if there is one.
pub async fn serve(stage: Stage, env_file: Option<&Path>, bind: IpAddr) -> Result<Exit, Failure> {
    let looked_at = env_file.unwrap_or(Path::new(DEFAULT_ENV));
    let read = match read_env(looked_at)? {
        None if env_file.is_some() => return Err(no_file(looked_at)),
        read => read,
    };
    let settings = Settings::for_stage(stage, |name| {
        variable(name).or_else(|| read.as_ref().and_then(|(file, _)| file.get(name).cloned()))
    });
    let of_the_file = match read {
        Some((_, fault)) => fault,
        None => settings.is_err().then(|| no_file(looked_at)),
    };
    let settings = match (settings, of_the_file) {
        (Ok(settings), None) => settings,
        (settings, fault) => {
            let others = settings.err().map(|faults| faults.0);
            let all = fault.into_iter().chain(others.into_iter().flatten());
            return Err(told_one_by_one(SettingFaults(all.collect())));
        }
    };
    let port = settings.port;
    for warning in &settings.warnings {
        // Told, not fatal; if standard error is gone there is nobody to tell.
        let _ = writeln!(io::stderr(), "hoptrail: {warning}");
    }
    let mut deps = server::Deps::new(SystemClock::shared(), Ids::system());
    if settings.gate().is_some_and(|gate| gate.zone.is_loopback()) {
        // A zone on this computer is a lab's, and somebody may hold an exchange there.
        deps.patience.zone += lab::HELD_AT_MOST;
    }
    let router = server::router(settings, deps)?;
    let at = SocketAddr::from((bind, port));
    let flag = "PORT in the .env (and MCP_RESOURCE_URL with it)";
    let listener = tokio::net::TcpListener::bind(at)
        .await
        .map_err(|error| lab::ports::cannot_listen(at, flag, &error))?;
    say(&format!(
        "Support escalation MCP server running at http://localhost:{port}/mcp\n"
    ))?;
    let mut signals = Signals::listen();
    server::serve(listener, router, async move {
        signals.next().await;
    })
    .await?;
    Ok(Exit::Ok)
}

/// Every fault has its own three parts; the last one is told by who called.
fn told_one_by_one(faults: SettingFaults) -> Failure {
    let SettingFaults(mut all) = faults;
    let last = all.pop();
    for fault in &all {
        // If standard error is gone there is nobody to tell.
        let _ = writeln!(io::stderr(), "hoptrail: {fault}");
    }
    last.unwrap_or_else(|| SettingFaults(all).into_failure())
}

fn no_file(path: &Path) -> Failure {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Failure::new(
        Exit::Usage,
        format!("There is no file {}", whole.display()),
        "without it, every setting has to be a variable of the environment",
        "go to the folder that has it, name it with --env-file, or let `hoptrail lab --write-env FILE` write one",
    )
}

/// The file if there is one, as far as it can be read, and what is wrong with its lines; without one,
/// the environment alone may be enough.
fn read_env(path: &Path) -> Result<Option<(EnvFile, Option<Failure>)>, Failure> {
    let text = match files::text(path, LARGEST_ENV) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Failure::new(
                Exit::Usage,
                format!("{} cannot be read", path.display()),
                error.to_string(),
                match error.kind() {
                    io::ErrorKind::InvalidData => "save it as UTF-8",
                    io::ErrorKind::FileTooLarge => "name the .env with --env-file",
                    _ => "make it readable, or name another file with --env-file",
                },
            ));
        }
    };
    let (file, remarks) = EnvFile::readable(text.expose());
    let fault = (!remarks.is_empty()).then(|| {
        let places: Vec<String> = remarks
            .iter()
            .map(|r| format!("{}:{}:{}: {}", path.display(), r.line, r.column, r.message))
            .collect();
        Failure::new(
            Exit::Usage,
            format!("{} has lines that are no settings", path.display()),
            places.join("; "),
            "write NAME=VALUE, with quotes around values of several lines",
        )
    });
    Ok(Some((file, fault)))
}
