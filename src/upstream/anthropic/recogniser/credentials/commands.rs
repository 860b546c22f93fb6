//! Passwords behind a short flag of a program: `mysql -pT0pSecret`, `sshpass -p T0pSecret`.

use super::{
    super::{
        scan::{fold, line_before, window_after},
        span::{Span, Weight},
    },
    LONGEST, WORDS_NOT_SECRETS, is_placeholder, push, run_end,
};

/// How far before a flag its program is looked for, in bytes.
const LONGEST_COMMAND: usize = 160;

/// How a program takes the password of its flag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Without a blank; with one the program asks.
    Glued,
    /// Behind a blank.
    Apart,
    /// Either way.
    Both,
}

/// Which flag of which program is a password; in most programs `-p` is a port or a path.
fn taken(program: &str, flag: u8) -> Option<Taken> {
    let family = |names: &[&str]| names.contains(&program);
    Some(match flag {
        b'p' if program.starts_with("mysql") || program.starts_with("mariadb") => Taken::Glued,
        b'p' if family(&["7z", "7za"]) => Taken::Glued,
        b'p' if family(&["sshpass", "mongo", "mongosh"]) || program.starts_with("mongo") => {
            Taken::Both
        }
        b'p' if family(&["login", "cqlsh", "kinit"]) => Taken::Apart,
        b'a' if program == "redis-cli" => Taken::Apart,
        b'w' if program.starts_with("ldap") => Taken::Both,
        b'P' if family(&["sqlcmd", "bcp", "zip", "unzip"]) => Taken::Both,
        _ => return None,
    })
}

/// Finds the values of those flags.
pub fn find(text: &str, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices(" -") {
        let Some(flag) = bytes.get(at + 2).copied().filter(|b| b"pawP".contains(b)) else {
            continue;
        };
        let line = line_before(text, at, LONGEST_COMMAND);
        let command = line
            .rsplit(['|', ';', '&', '`', '(', '$', '"'])
            .next()
            .and_then(|command| command.rsplit(". ").next())
            .unwrap_or(line);
        // `sshpass -p … ssh -p 22`: the second belongs to another program.
        if command
            .match_indices(" -")
            .any(|(before, _)| command.as_bytes().get(before + 2) == Some(&flag))
        {
            continue;
        }
        let Some(taken) = command
            .split_ascii_whitespace()
            .find_map(|word| taken(word.rsplit('/').next().unwrap_or(word), flag))
        else {
            continue;
        };
        let behind = at + 3;
        let rest = window_after(text, behind, LONGEST);
        let apart = rest.starts_with(' ');
        if apart && taken == Taken::Glued || !apart && taken == Taken::Apart {
            continue;
        }
        let value = rest.trim_start_matches(' ');
        let start = behind + rest.len() - value.len();
        let (start, end) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => match value[1..].find(quote) {
                Some(length) => (start + 1, start + 1 + length),
                None => continue,
            },
            _ => (
                start,
                run_end(text, start, LONGEST, &['"', '\'', '`', '|', ';', ')']),
            ),
        };
        let value = &text[start..end];
        let says_something = WORDS_NOT_SECRETS.contains(&fold(value).as_str());
        if value.len() >= 2
            && !value.starts_with(['-', '|', '>', '/', '\n'])
            && !is_placeholder(value)
            && !says_something
        {
            push(spans, start..end, Weight::Context);
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::upstream::anthropic::recogniser::span::texts;

    fn found(text: &str) -> Vec<&str> {
        texts(text, find)
    }

    #[rstest]
    #[case("mysql -u root -pT0pSecret99 app", "T0pSecret99")]
    #[case("$ mysqldump -h db -u app -p'a b;c' app > x.sql", "a b;c")]
    #[case("`/usr/bin/mariadb -ptulip -e x`", "tulip")]
    #[case("sshpass -p Sommer24 ssh ana@host", "Sommer24")]
    #[case("cd /x && sshpass -pSommer24 ssh -p 22 h", "Sommer24")]
    #[case("mongosh -u app -p \"tulip rain\" db", "tulip rain")]
    #[case("docker login -u ana -p Sommer24 registry.test", "Sommer24")]
    #[case("redis-cli -h r -a tulip99 ping", "tulip99")]
    #[case("ldapsearch -D cn=admin -w tulip99", "tulip99")]
    #[case("sqlcmd -S db -U sa -P Tulip99!", "Tulip99!")]
    #[case("7z x a.7z -pTulip99", "Tulip99")]
    fn passwords_behind_flags_are_found(#[case] text: &str, #[case] value: &str) {
        assert_eq!(found(text), [value]);
    }

    #[rstest]
    #[case("docker run -p 8080:80 x, ssh -p 2222 host, mkdir -p a/b, psql -p 5432 -w")]
    #[case("mysql -u root -p app")]
    #[case("mysql -u root -p")]
    #[case("mysql -p$MYSQL_PWD; mysql -p<password> x; sshpass -p \"$P\" ssh")]
    #[case("mysql -P 3306 -h db; ls -a; redis-cli ping | grep -a x")]
    #[case("mysqld is down, see mysql. Then tar -pxf a.tar -p")]
    #[case("sshpass -p -v; login with -p")]
    fn other_flags_stay(#[case] text: &str) {
        assert!(found(text).is_empty(), "{:?}", found(text));
    }
}
