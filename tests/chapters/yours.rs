//! `hoptrail check` at a server that is not made for it: one that runs already, and one whose owner
//! works on it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout},
};

use crate::program::{Home, signal};

#[test]
fn who_names_a_lab_is_signed_in_to_its_server_and_not_to_its_zone() {
    let home = Home::new();
    let lab = home.serve(&["lab"], "stops the lab");
    let zone = lab.url("zone");
    let ended = home.run(&["check", "7", "--headless", "--lab", &zone]);
    let ended = ended.exits_with(0);
    for told in [
        "Your server is at the end of chapter 3",
        "passed         Deleting is refused, and the policy is named",
        "4 passed, 0 failed, 0 pending, 1 not observable",
    ] {
        assert!(ended.out.contains(told), "{}", ended.out);
    }
    let away = home.file("nowhere");
    let away = away.to_str().unwrap();
    let args = ["check", "7", "--headless", "--lab", &zone, "--state", away];
    let ended = home.run(&args).exits_with(0);
    for told in [
        "Policy Sets of the lab's zone",
        "1 passed, 0 failed, 0 pending, 4 not observable",
    ] {
        assert!(ended.out.contains(told), "{}", ended.out);
    }
    lab.stop("TERM").exits_with(0);
}

/// A check that goes on, and what it says.
struct Watching {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Watching {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut child = home.command(args).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// What it says until it waits for the next change.
    fn round(&mut self) -> String {
        let mut said = String::new();
        while !said.contains("Waiting for a change") {
            if self.out.read_line(&mut said).unwrap() == 0 {
                let mut err = String::new();
                let stderr = self.child.stderr.as_mut().unwrap();
                stderr.read_to_string(&mut err).unwrap();
                panic!("it ended:\n{said}\n{err}");
            }
        }
        said
    }

    fn interrupt(mut self) -> Option<i32> {
        signal(self.child.id(), "INT");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Its end was waited for already, or nobody will ever ask.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_changes_while_somebody_watches_is_checked_again() {
    let home = Home::new();
    let lab = home.serve(&["lab", "--write-env", ".env"], "stops the lab");
    let server = lab.url("MCP server");
    let args = ["check", "2", "--watch", "--project", ".", "--headless"];
    let mut watching = Watching::start(&home, &[&args[..], &["--server", &server]].concat());
    let first = watching.round();
    assert!(first.contains("8 passed, 0 failed"), "{first}");
    let env = fs::read_to_string(home.file(".env")).unwrap();
    let without = env.replace("MCP_RESOURCE_URL=", "# MCP_RESOURCE_URL=");
    fs::write(home.file(".env"), without).unwrap();
    let second = watching.round();
    assert!(second.contains("7 passed, 1 failed"), "{second}");
    assert!(second.contains("MCP_RESOURCE_URL is not set"), "{second}");
    lab.stop("TERM").exits_with(0);
    let third = watching.round();
    assert!(third.contains("did not answer"), "{third}");
    assert!(third.contains("0 passed"), "{third}");
    assert_eq!(watching.interrupt(), Some(1), "as the last look came out");
}
