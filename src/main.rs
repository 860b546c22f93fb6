//! The `hoptrail` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    hoptrail::cli::main()
}
