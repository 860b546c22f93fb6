//! The `.env` files of the story: what the server is configured with at the end of each chapter.

use std::{fs, io, io::Read as _, path::Path};

use super::chapter::Chapter;
use crate::{
    protocol::{
        env::{EnvFile, EnvLine, classify},
        secret::Secret,
    },
    server::stage::Stage,
    support::{
        cause::remedy,
        error::{Exit, Failure},
        files,
    },
};

/// How the first line of a file begins that the lab wrote: by that it knows that it may write it again.
const MARK: &str = "# Written by `hoptrail lab`";

/// The comments at the head of the file of `chapter`, as far as they follow [`MARK`].
fn heading(chapter: Chapter) -> &'static str {
    if chapter.stage().delegates_linear() {
        "; --write-env writes it again.\n\
         # The client secret stays the same from start to start, until `hoptrail lab --reset`.\n"
    } else {
        "; --write-env writes it again.\n\
         # The client secret stays the same from start to start, until `hoptrail lab --reset`.\n\
         # LINEAR_API_KEY is another at each start.\n"
    }
}

/// What the server is configured with; [`Values::of`] says which of it at which chapter.
#[derive(Debug, Clone)]
pub struct Values {
    pub port: u16,
    pub linear_api_key: Secret,
    pub keycard_url: String,
    pub mcp_resource_url: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub supabase_url: String,
    pub anthropic_url: String,
    pub linear_url: String,
    pub team_id: String,
}

impl Values {
    /// The variables of `chapter`'s file and no others, as one is added or filled in from chapter to
    /// chapter. Chapter 6 takes the one key out, and from there the order is that of the workshop's
    /// finished example.
    fn lines(&self, chapter: Chapter) -> Vec<(&'static str, Secret)> {
        let key = ("LINEAR_API_KEY", self.linear_api_key.clone());
        let team = ("LINEAR_TEAM_ID", Secret::from(&*self.team_id));
        let id = ("KEYCARD_CLIENT_ID", Secret::from(&*self.client_id));
        let secret = ("KEYCARD_CLIENT_SECRET", self.client_secret.clone());
        let zone = ("KEYCARD_URL", Secret::from(&*self.keycard_url));
        let resource = ("MCP_RESOURCE_URL", Secret::from(&*self.mcp_resource_url));
        let supabase = ("SUPABASE_URL", Secret::from(&*self.supabase_url));
        let anthropic = ("ANTHROPIC_API_URL", Secret::from(&*self.anthropic_url));
        let linear = ("LINEAR_API_URL", Secret::from(&*self.linear_url));
        let mut lines = vec![("PORT", Secret::new(self.port.to_string()))];
        match chapter.stage() {
            Stage::Open if chapter == Chapter::FIRST => {
                let blank = || Secret::from("");
                lines.extend([key, team, (id.0, blank()), (secret.0, blank())]);
            }
            Stage::Open => lines.extend([key, team, id, secret]),
            Stage::Protected => lines.extend([key, team, id, secret, zone, resource]),
            Stage::Datastore | Stage::Masked => {
                lines.extend([key, team, id, secret, zone, resource, supabase]);
            }
            Stage::Delegated => {
                lines.extend([
                    zone, resource, id, secret, supabase, anthropic, linear, team,
                ]);
            }
        }
        lines
    }

    /// The text of `chapter`'s file. Holds keys, so it is itself a secret.
    #[must_use]
    pub fn of(&self, chapter: Chapter) -> Secret {
        let lines = self.lines(chapter);
        let size = |(name, value): &(&str, Secret)| name.len() + value.expose().len() + 2;
        // Room enough that the text never moves and leaves a copy of a key behind.
        let mut text = String::with_capacity(lines.iter().map(size).sum());
        for (name, value) in &lines {
            text.extend([name, "=", value.expose(), "\n"]);
        }
        Secret::new(text)
    }

    /// The same as it may be shown.
    #[must_use]
    pub fn shown(&self, chapter: Chapter) -> Vec<EnvLine> {
        let lines = self.lines(chapter);
        lines
            .iter()
            .map(|(name, value)| classify(name, value))
            .collect()
    }
}

/// Reads a file of the lab's own.
pub(super) fn parse(text: &Secret) -> Result<EnvFile, Failure> {
    EnvFile::parse(text.expose()).map_err(|remarks| {
        let why: Vec<_> = remarks.iter().map(ToString::to_string).collect();
        Failure::new(
            Exit::Failed,
            "The lab's own settings cannot be read",
            why.join("; "),
            "check the URLs that were given on the command line",
        )
    })
}

/// Writes the file of `chapter` for the workshop's own server, readable by this user only.
///
/// # Errors
/// If there is a file that the lab did not write: it is never overwritten.
pub fn write(path: &Path, values: &Values, chapter: Chapter) -> Result<(), Failure> {
    let refuse = |why: String, next: &str| {
        Failure::new(
            Exit::Usage,
            format!("Cannot write {}", path.display()),
            why,
            next,
        )
    };
    let begins = fs::File::open(path).and_then(|file| {
        // No further than the mark: it may be a device, which has no end.
        let mut bytes = Vec::new();
        file.take(MARK.len() as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    match begins {
        Ok(bytes) if bytes == MARK.as_bytes() => {}
        Ok(_) => {
            return Err(refuse(
                "there is a file that hoptrail did not write".to_owned(),
                "name another file, or move that one away",
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(refuse(error.to_string(), "name another file")),
    }
    let body = values.of(chapter);
    let parts = [MARK, heading(chapter), body.expose()].map(str::as_bytes);
    files::replace(path, 0o600, &parts).map_err(|e| {
        refuse(
            e.to_string(),
            remedy(&e, "name a file in a folder that you may write to"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        Values {
            port: 8000,
            linear_api_key: Secret::from("lin_api_key"),
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

    /// The table of facts/keycard.md, 1.2: `+` set, `b` a blank line, `-` not there.
    const TABLE: [(&str, &str); 10] = [
        ("PORT", "+++++++++"),
        ("LINEAR_API_KEY", "++++++---"),
        ("LINEAR_TEAM_ID", "+++++++++"),
        ("KEYCARD_CLIENT_ID", "b++++++++"),
        ("KEYCARD_CLIENT_SECRET", "b++++++++"),
        ("KEYCARD_URL", "--+++++++"),
        ("MCP_RESOURCE_URL", "--+++++++"),
        ("SUPABASE_URL", "----+++++"),
        ("LINEAR_API_URL", "------+++"),
        ("ANTHROPIC_API_URL", "------+++"),
    ];

    #[test]
    fn each_chapters_file_has_the_workshops_variables() {
        for chapter in Chapter::all() {
            let shown = values().shown(chapter);
            for (name, marks) in TABLE {
                let line = shown.iter().find(|line| line.name == name);
                let mark = line.map_or('-', |line| if line.set { '+' } else { 'b' });
                let number = usize::from(chapter.number());
                assert_eq!(mark, marks.chars().nth(number).unwrap(), "{name} {number}");
            }
            let stealable = shown.iter().filter(|line| line.worth_stealing).count();
            assert_eq!(stealable, usize::from(chapter.number() < 6));
            assert!(shown.len() <= TABLE.len(), "{shown:?}");
        }
    }

    #[test]
    fn each_chapters_server_starts_with_its_file() {
        for chapter in Chapter::all() {
            let file = parse(&values().of(chapter)).unwrap();
            let settings =
                crate::server::Settings::for_stage(chapter.stage(), |name| file.get(name).cloned());
            assert!(settings.is_ok(), "{chapter:?}: {settings:?}");
        }
    }

    #[test]
    fn a_file_of_the_lab_is_written_again_and_any_other_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env");
        write(&path, &values(), Chapter::FIRST).unwrap();
        write(&path, &values(), Chapter::LAST).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().filter(|l| l.contains('=')).count(), 9);
        fs::write(&path, "LINEAR_API_KEY=mine\n").unwrap();
        let failure = write(&path, &values(), Chapter::LAST).unwrap_err();
        assert!(failure.why.contains("did not write"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "LINEAR_API_KEY=mine\n");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_left_alone_and_read_no_further_than_needed() {
        let failure = write(Path::new("/dev/zero"), &values(), Chapter::LAST).unwrap_err();
        assert!(failure.why.contains("did not write"), "{failure}");
    }

    #[test]
    fn what_lies_where_it_is_written_first_is_not_written_through() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (path, beside) = (dir.path().join("lab.env"), dir.path().join("lab.env.new"));
        let victim = dir.path().join("victim");
        for planted in ["a file that all may read", "a link"] {
            fs::write(&victim, "untouched").unwrap();
            fs::set_permissions(&victim, fs::Permissions::from_mode(0o644)).unwrap();
            if planted == "a link" {
                symlink(&victim, &beside).unwrap();
            } else {
                fs::copy(&victim, &beside).unwrap();
            }
            write(&path, &values(), Chapter::LAST).unwrap();
            assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
            let written = fs::symlink_metadata(&path).unwrap();
            assert!(written.is_file(), "{planted}");
            assert_eq!(written.permissions().mode() & 0o777, 0o600, "{planted}");
        }
    }

    #[test]
    fn the_file_is_for_this_user_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lab.env");
        write(&path, &values(), Chapter::LAST).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
