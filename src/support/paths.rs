//! Where hoptrail keeps its files: XDG folders on every system.

use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy as _, choose_base_strategy};

use super::error::{Exit, Failure};

/// The state directory (`$XDG_STATE_HOME/hoptrail`), or what `--state` said.
///
/// # Errors
/// If neither is known because there is no home directory.
pub fn state_dir(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(dir) = given {
        return Ok(dir.to_path_buf());
    }
    choose_base_strategy()
        .map(|base| base.state_dir().unwrap_or_else(|| base.data_dir()))
        .map(|dir| dir.join("hoptrail"))
        .map_err(|_| {
            Failure::new(
                Exit::Usage,
                "No place to keep state",
                "this user has no home directory",
                "name a folder with --state DIR",
            )
        })
}

/// The settings file (`$XDG_CONFIG_HOME/hoptrail/config.toml`), whether or not it exists.
#[must_use]
pub fn config_file() -> Option<PathBuf> {
    let base = choose_base_strategy().ok()?;
    Some(base.config_dir().join("hoptrail").join("config.toml"))
}
