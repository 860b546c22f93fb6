//! The two `.env` files of the story: what the server begins with and what it ends with.

use std::{fmt::Write as _, fs, io, io::Write as _, path::Path};

use crate::{
    protocol::secret::Secret,
    support::error::{Exit, Failure},
};

/// The first line of a file that the lab wrote, by which it knows that it may write it again.
const MARK: &str = "# Written by `hoptrail lab`; made anew at each start.";

/// What the finished server is configured with.
#[derive(Debug, Clone)]
pub struct Finished {
    pub port: u16,
    pub keycard_url: String,
    pub mcp_resource_url: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub supabase_url: String,
    pub anthropic_url: String,
    pub linear_url: String,
    pub team_id: String,
}

impl Finished {
    /// The file's text, in the order of the workshop's own example. Holds the client secret, so
    /// it is itself a secret.
    #[must_use]
    pub fn render(&self) -> Secret {
        let mut text = String::new();
        for (name, value) in [
            ("PORT", self.port.to_string().as_str()),
            ("KEYCARD_URL", &self.keycard_url),
            ("MCP_RESOURCE_URL", &self.mcp_resource_url),
            ("KEYCARD_CLIENT_ID", &self.client_id),
            ("KEYCARD_CLIENT_SECRET", self.client_secret.expose()),
            ("SUPABASE_URL", &self.supabase_url),
            ("ANTHROPIC_API_URL", &self.anthropic_url),
            ("LINEAR_API_URL", &self.linear_url),
            ("LINEAR_TEAM_ID", &self.team_id),
        ] {
            let _ = writeln!(text, "{name}={value}");
        }
        Secret::new(text)
    }
}

/// The file of chapter 0: one key that opens everything.
#[must_use]
pub fn chapter_zero(port: u16, linear_api_key: &Secret, team_id: &str) -> Secret {
    Secret::new(format!(
        "PORT={port}\nLINEAR_API_KEY={}\nLINEAR_TEAM_ID={team_id}\nKEYCARD_CLIENT_ID=\nKEYCARD_CLIENT_SECRET=\n",
        linear_api_key.expose()
    ))
}

/// Writes the finished file for the workshop's own server, readable by this user only.
///
/// # Errors
/// If there is a file that the lab did not write: it is never overwritten.
pub fn write(path: &Path, finished: &Finished) -> Result<(), Failure> {
    let refuse = |why: String, next: &str| {
        Failure::new(
            Exit::Usage,
            format!("Cannot write {}", path.display()),
            why,
            next,
        )
    };
    match fs::read_to_string(path) {
        Ok(text) if text.starts_with(MARK) => {}
        Ok(_) => {
            return Err(refuse(
                "there is a file that hoptrail did not write".to_owned(),
                "name another file, or move that one away",
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(refuse(error.to_string(), "name another file")),
    }
    let body = finished.render();
    write_private(path, &[MARK, "\n", body.expose()]).map_err(|e| {
        refuse(
            e.to_string(),
            "name a file in a folder that you may write to",
        )
    })
}

/// Writes beside the file and renames, so that a reader never sees half of it.
fn write_private(path: &Path, parts: &[&str]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.new"));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    for part in parts {
        file.write_all(part.as_bytes())?;
    }
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished() -> Finished {
        Finished {
            port: 8000,
            keycard_url: "http://127.0.0.1:1".to_owned(),
            mcp_resource_url: "http://localhost:8000/mcp".to_owned(),
            client_id: "client".to_owned(),
            client_secret: Secret::from("secret"),
            supabase_url: "http://127.0.0.1:2".to_owned(),
            anthropic_url: "http://127.0.0.1:3".to_owned(),
            linear_url: "http://127.0.0.1:4".to_owned(),
            team_id: "team".to_owned(),
        }
    }

    #[test]
    fn a_file_of_the_lab_is_written_again_and_any_other_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env");
        write(&path, &finished()).unwrap();
        write(&path, &finished()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().filter(|l| l.contains('=')).count(), 9);
        fs::write(&path, "LINEAR_API_KEY=mine\n").unwrap();
        let failure = write(&path, &finished()).unwrap_err();
        assert!(failure.why.contains("did not write"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "LINEAR_API_KEY=mine\n");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_this_user_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lab.env");
        write(&path, &finished()).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
