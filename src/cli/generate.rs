//! What is generated from the command line's own definition: completions and the manual page.

use std::io;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Cli;

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
    for sub in command
        .get_subcommands()
        .filter(|c| !c.is_hide_set() && c.get_name() != "help")
    {
        let man = clap_mangen::Man::new(sub.clone());
        man.render_name_section(out)?;
        man.render_synopsis_section(out)?;
        man.render_description_section(out)?;
        man.render_options_section(out)?;
    }
    Ok(())
}
