//! The peer of the exchange: panva's `oidc-provider` on Node.js, installed into a temporary folder.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde::Deserialize;

/// A token endpoint and what a request to it needs.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    pub token_endpoint: String,
    pub client_id: String,
    pub client_secret: String,
    pub subject_token: String,
}

/// A server in a process of its own, ended with this value.
pub struct Server {
    child: Child,
    pub ready: Ready,
}

impl Server {
    /// Starts it and waits for the line in which it says that it is ready.
    pub fn start(command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let ready = child
            .stdout
            .take()
            .and_then(|out| {
                BufReader::new(out)
                    .lines()
                    .map_while(Result::ok)
                    .find_map(|line| serde_json::from_str(&line).ok())
            })
            .ok_or("it did not say that it is ready");
        match ready {
            Ok(ready) => Ok(Self { child, ready }),
            Err(why) => {
                let ended = child.kill();
                drop(ended.and_then(|()| child.wait()));
                Err(why.to_owned())
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let ended = self.child.kill();
        drop(ended.and_then(|()| self.child.wait()));
    }
}

/// Starts the peer on a free port.
///
/// # Errors
/// Why there is none: no Node.js, no npm, or no registry.
pub fn start() -> Result<Server, String> {
    let folder = install()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|e| e.to_string())?
        .port();
    Server::start(
        Command::new("node")
            .arg(folder.join("server.mjs"))
            .arg(port.to_string())
            .env("NODE_ENV", "production"),
    )
    .map_err(|why| format!("oidc-provider does not start: {why}"))
}

fn install() -> Result<PathBuf, String> {
    let folder = std::env::temp_dir().join("hoptrail-bench-oidc-provider");
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/oidc-provider");
    for name in ["package.json", "server.mjs"] {
        fs::copy(own.join(name), folder.join(name)).map_err(|e| e.to_string())?;
    }
    if !folder.join("node_modules/oidc-provider").exists() {
        let npm = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--omit=dev"])
            .current_dir(&folder)
            .output()
            .map_err(|e| format!("npm is needed for the peer: {e}"))?;
        if !npm.status.success() {
            return Err("npm could not install oidc-provider".to_owned());
        }
    }
    Ok(folder)
}
