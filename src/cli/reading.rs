//! The command line is read, with the help that each command has.

use clap::{Arg, CommandFactory as _, FromArgMatches as _};

use super::args::Cli;

/// Options of all commands that are nothing to the stage, whose help would only be longer for them.
const NOT_ON_STAGE: [&str; 3] = ["against", "plain", "json"];

impl Cli {
    /// The command line that the program was started with. Ends the program where it cannot be taken,
    /// and for --help and --version.
    #[must_use]
    pub fn read() -> Self {
        let matches = Self::documented().get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// The command line with the help that each command has.
    fn documented() -> clap::Command {
        let all = Self::command();
        let hidden: Vec<Arg> = all
            .get_arguments()
            .filter(|option| NOT_ON_STAGE.contains(&option.get_id().as_str()))
            .map(|option| option.clone().hide(true))
            .collect();
        all.mut_subcommand("stage", |stage| stage.args(hidden))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_stage_refuses_is_not_in_its_help_and_still_understood() {
        let mut command = Cli::documented();
        command.build();
        let stage = command.find_subcommand_mut("stage").unwrap();
        let help = stage.render_long_help().to_string();
        assert!(
            help.contains("--record") && help.contains("--lab"),
            "{help}"
        );
        let demo = command.find_subcommand_mut("demo").unwrap();
        let demo = demo.render_long_help().to_string();
        for option in NOT_ON_STAGE.map(|name| format!("--{name}")) {
            assert!(!help.contains(&option), "{option} in {help}");
            assert!(demo.contains(&option), "{option} in {demo}");
        }
        for line in ["hoptrail stage --json", "hoptrail --json stage"] {
            let matches = Cli::documented().get_matches_from(line.split(' '));
            assert!(
                Cli::from_arg_matches(&matches).unwrap().common.json,
                "{line}"
            );
        }
    }
}
