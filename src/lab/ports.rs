//! The lab's listeners: loopback only, the same ports as last time where they are still free.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::net::TcpListener;

use crate::support::error::{Exit, Failure};

/// Which port a part should get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Exactly this one, or a failure that names who has it.
    Fixed { port: u16, flag: &'static str },
    /// This one if it is free (it was the last start's), else any.
    Preferred(u16),
    /// Any.
    Free,
}

/// Binds a listener on 127.0.0.1.
///
/// # Errors
/// If a fixed port is taken: with the process that has it, where that can be known.
pub async fn bind(port: Port) -> Result<TcpListener, Failure> {
    let on = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let wanted = match port {
        Port::Fixed { port, .. } | Port::Preferred(port) => port,
        Port::Free => 0,
    };
    match (on(wanted).await, port) {
        (Ok(listener), _) => Ok(listener),
        (Err(error), Port::Fixed { port, flag }) => {
            let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            Err(cannot_listen(at, flag, &error))
        }
        (Err(_), Port::Preferred(_) | Port::Free) => on(0).await.map_err(|error| {
            Failure::new(
                Exit::Unreachable,
                "No port could be opened on 127.0.0.1",
                error.to_string(),
                "look at `hoptrail doctor`",
            )
        }),
    }
}

/// The failure for a place that cannot be listened at.
#[must_use]
pub fn cannot_listen(at: SocketAddr, flag: &str, error: &io::Error) -> Failure {
    let port = at.port();
    let (what, why, next) = match error.kind() {
        io::ErrorKind::AddrInUse => {
            let remedy = owner(port).map_or_else(
                || {
                    (
                        "another process listens there".to_owned(),
                        format!("`ss -ltnp sport = :{port}` shows which one; stop it"),
                    )
                },
                |(pid, name)| {
                    if pid == std::process::id() {
                        return (
                            format!("another part of this {name} (pid {pid}) listens there"),
                            "give each part a port of its own".to_owned(),
                        );
                    }
                    (
                        format!("the process {name} (pid {pid}) listens there"),
                        format!("stop it with `kill {pid}`"),
                    )
                },
            );
            (
                format!("Port {port} is taken"),
                remedy.0,
                format!("{}, or choose another port with {flag}", remedy.1),
            )
        }
        io::ErrorKind::PermissionDenied => (
            format!("Port {port} may not be opened"),
            "this user may not listen there".to_owned(),
            format!("choose a port above 1023 with {flag}"),
        ),
        io::ErrorKind::AddrNotAvailable => (
            format!("This computer has no address {}", at.ip()),
            error.to_string(),
            "name one of its own with --bind; 127.0.0.1 is this computer alone".to_owned(),
        ),
        _ => (
            format!("Port {port} cannot be opened"),
            error.to_string(),
            format!("choose another port with {flag}"),
        ),
    };
    Failure::new(Exit::Unreachable, what, why, next)
}

/// The process that listens on `port`, read from /proc; nothing on other systems or for processes
/// of other users.
fn owner(port: u16) -> Option<(u32, String)> {
    let wanted = format!(":{port:04X}");
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .find_map(|table| {
            table.lines().skip(1).find_map(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                // 0A is LISTEN.
                (fields.get(1)?.ends_with(&wanted) && fields.get(3) == Some(&"0A"))
                    .then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
            })
        })?;
    let processes = std::fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        std::fs::read_dir(process.path().join("fd"))
            .ok()?
            .flatten()
            .any(|fd| {
                std::fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == inode.as_str())
            })
            .then(|| {
                let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                (pid, name.trim().to_owned())
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_names_who_has_it_and_what_to_do() {
        let first = bind(Port::Free).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let failure = bind(Port::Fixed {
            port,
            flag: "--zone-port",
        })
        .await
        .unwrap_err();
        assert_eq!(failure.what, format!("Port {port} is taken"));
        assert!(failure.next.contains("--zone-port"), "{failure}");
        #[cfg(target_os = "linux")]
        assert!(
            failure.why.contains(&format!("pid {}", std::process::id())),
            "{failure}"
        );
    }

    #[test]
    fn what_stands_in_the_way_is_in_the_heading() {
        use io::ErrorKind as E;
        let at = SocketAddr::from(([1, 2, 3, 4], 80));
        for (kind, what, next) in [
            (E::AddrInUse, "Port 80 is taken", "with PORT"),
            (E::PermissionDenied, "Port 80 may not be opened", "1023"),
            (
                E::AddrNotAvailable,
                "This computer has no address 1.2.3.4",
                "--bind",
            ),
            (E::Other, "Port 80 cannot be opened", "with PORT"),
        ] {
            let failure = cannot_listen(at, "PORT", &kind.into());
            assert_eq!(failure.what, what);
            assert!(failure.next.contains(next), "{failure}");
        }
    }

    #[tokio::test]
    async fn a_preferred_port_gives_way() {
        let first = bind(Port::Free).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let second = bind(Port::Preferred(port)).await.unwrap();
        assert_ne!(second.local_addr().unwrap().port(), port);
    }
}
