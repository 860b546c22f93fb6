//! What is generated from the command line's own definition: completions and the manual page.

use std::io;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use super::args::Cli;
use crate::config::EXAMPLE;

/// Writes the completions for `shell`.
pub fn completions(shell: Shell, out: &mut impl io::Write) -> io::Result<()> {
    let mut buffer = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hoptrail", &mut buffer);
    out.write_all(&buffer)
}

/// Writes the manual page, with a section for each command.
pub fn man(out: &mut impl io::Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(out)?;
    sections(&command, out)?;
    settings(out)
}

fn sections(command: &Command, out: &mut impl io::Write) -> io::Result<()> {
    for sub in command
        .get_subcommands()
        .filter(|c| !c.is_hide_set() && c.get_name() != "help")
    {
        // What every command understands stands in the first section.
        let own = sub.clone().mut_args(|arg| {
            if arg.is_global_set() {
                arg.hide(true)
            } else {
                arg
            }
        });
        let man = clap_mangen::Man::new(own);
        man.render_name_section(out)?;
        man.render_synopsis_section(out)?;
        man.render_description_section(out)?;
        man.render_options_section(out)?;
        sections(sub, out)?;
    }
    Ok(())
}

/// The settings file, as a section of the manual page.
fn settings(out: &mut impl io::Write) -> io::Result<()> {
    out.write_all(
        b".SH SETTINGS\nHow it looks and which keys do what is read from \
          hoptrail/config.toml in $XDG_CONFIG_HOME or ~/.config. With every setting at its \
          default it says:\n.PP\n.nf\n",
    )?;
    for line in EXAMPLE.lines() {
        // A line of its own that begins with a full stop or an apostrophe would be a request.
        let text = line.replace('\\', "\\e").replace('-', "\\-");
        writeln!(out, "\\&{text}")?;
    }
    out.write_all(b".fi\n")
}
